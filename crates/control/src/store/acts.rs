//! Who asked for what, and how it ended; and with it the memory of request ids.

use super::{Store, StoreError};
use api::Caller;
use jiff::Timestamp;

/// What a caller asks to be done.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub caller: Caller,
    pub operation: &'static str,
    pub target: String,
    pub request_id: Option<String>,
}

/// What the book says about an act that a caller asks for.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It is to be done; the number is for [`Store::finish_act`].
    Do(i64),
    /// It was done before: the JSON of its result.
    Done(String),
    /// The request id was used for something else.
    Other { operation: String, target: String },
}

impl Store {
    /// Writes down that an act is asked for, unless it was asked for before with the same request
    /// id. One that was never finished, because the server died or the host did not answer, is to
    /// be done again.
    pub async fn begin_act(&self, act: &Act) -> Result<Begun, StoreError> {
        let mut transaction = self.pool.begin().await?;
        if let Some(request_id) = &act.request_id {
            let before: Option<(i64, String, String, Option<String>)> = sqlx::query_as(
                "SELECT id, operation, target, result FROM act \
                 WHERE caller = ? AND request_id = ?",
            )
            .bind(&act.caller.name)
            .bind(request_id)
            .fetch_optional(&mut *transaction)
            .await?;
            match before {
                Some((_, operation, target, _))
                    if operation != act.operation || target != act.target =>
                {
                    return Ok(Begun::Other { operation, target });
                }
                Some((_, _, _, Some(result))) => return Ok(Begun::Done(result)),
                Some((id, _, _, None)) => return Ok(Begun::Do(id)),
                None => {}
            }
        }
        let id = sqlx::query(
            "INSERT INTO act (at_ms, caller, channel, address, operation, target, request_id) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(Timestamp::now().as_millisecond())
        .bind(&act.caller.name)
        .bind(act.caller.channel.to_string())
        .bind(&act.caller.address)
        .bind(act.operation)
        .bind(&act.target)
        .bind(&act.request_id)
        .execute(&mut *transaction)
        .await?
        .last_insert_rowid();
        transaction.commit().await?;
        Ok(Begun::Do(id))
    }

    /// Writes down how an act ended. With a result, the same request id gets it again; without
    /// one, the same request id is a new attempt.
    pub async fn finish_act(
        &self,
        id: i64,
        outcome: &str,
        result: Option<&str>,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE act SET finished_ms = ?, outcome = ?, result = ? WHERE id = ?")
            .bind(Timestamp::now().as_millisecond())
            .bind(outcome)
            .bind(result)
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
