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
            let begun = before.map(|(id, operation, target, result)| match result {
                _ if operation != act.operation || target != act.target => {
                    Begun::Other { operation, target }
                }
                Some(result) => Begun::Done(result),
                None => Begun::Do(id),
            });
            if let Some(begun) = begun {
                transaction.rollback().await?;
                return Ok(begun);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{committed, fill_the_disk, store};
    use api::{Channel, Role};

    fn act(target: &str, request_id: &str) -> Act {
        Act {
            caller: Caller {
                name: "pilot".to_owned(),
                role: Role::Operator,
                channel: Channel::Soap,
                address: None,
            },
            operation: "StartRouter",
            target: target.to_owned(),
            request_id: Some(request_id.to_owned()),
        }
    }

    #[tokio::test]
    async fn what_is_acknowledged_after_a_full_disk_is_committed() {
        let (directory, store) = store().await;
        store.begin_act(&act("r1", "1")).await.unwrap();
        fill_the_disk(&store).await;
        let error = store.begin_act(&act(&"r".repeat(1 << 20), "2")).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("full"), "{error}");
        // A transaction that is given up, after which the connection would stay in one.
        let again = store.begin_act(&act("r1", "1")).await.unwrap();
        assert!(matches!(again, Begun::Do(_)), "{again:?}");
        store.begin_act(&act("r3", "3")).await.unwrap();
        store.begin_act(&act("r4", "4")).await.unwrap();
        let targets = committed(&directory, "SELECT target FROM act ORDER BY id").await;
        assert_eq!(targets, ["r1", "r3", "r4"]);
        store.close().await;
    }
}
