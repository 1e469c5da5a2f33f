//! How long things are kept.

use super::{Store, StoreError};
use history::History;
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// How long samples are kept.
const SAMPLES: Duration = Duration::from_hours(30 * 24);

/// How long the topology's changes, the acts and the jobs that are over are kept, and with these the memory of request ids.
const BOOKS: Duration = Duration::from_hours(365 * 24);

/// How often the old is looked for.
const PERIOD: Duration = Duration::from_hours(1);

/// Forgets what is too old, now and every hour. Never ends; may be aborted at any time.
pub(crate) async fn forget_the_old(history: History, store: Store) {
    let mut hours = tokio::time::interval(PERIOD);
    hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        hours.tick().await;
        forget(&history, &store, Timestamp::now().as_millisecond()).await;
    }
}

async fn forget(history: &History, store: &Store, now_ms: i64) {
    match history.prune(before(now_ms, SAMPLES)).await {
        Ok(rows) => tracing::debug!(rows, "old samples are forgotten"),
        Err(error) => {
            tracing::warn!(%error, "old samples could not be removed; tried again in an hour");
        }
    }
    match store.prune(before(now_ms, BOOKS)).await {
        Ok(rows) => tracing::debug!(rows, "old changes, acts and jobs are forgotten"),
        Err(error) => {
            tracing::warn!(%error, "old changes, acts and jobs could not be removed; tried again in an hour");
        }
    }
}

fn before(now_ms: i64, age: Duration) -> i64 {
    now_ms.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
}

impl Store {
    /// Removes changes of the topology, acts and jobs that are over, older than that, and answers how
    /// many.
    async fn prune(&self, before_ms: i64) -> Result<u64, StoreError> {
        let mut rows = 0;
        for statement in [
            "DELETE FROM topology_change WHERE at_ms < ?",
            "DELETE FROM act WHERE at_ms < ?",
            "DELETE FROM job WHERE over <> 0 AND created_ms < ?",
        ] {
            let deleted = sqlx::query(statement)
                .bind(before_ms)
                .execute(&self.pool)
                .await?;
            rows += deleted.rows_affected();
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{committed, store};
    use history::{Row, Tick};

    #[tokio::test]
    async fn the_old_is_forgotten_and_the_rest_kept() {
        const DAY_MS: i64 = 24 * 3600 * 1000;
        let now_ms = 1000 * DAY_MS;
        let (directory, store) = store().await;
        let history = History::open(&directory.path().join("history.db"))
            .await
            .unwrap();
        for (entity, days) in [("old", 31), ("young", 29)] {
            let row = Row {
                entity: entity.to_owned(),
                simulated: false,
                values: vec![("n".to_owned(), 1)],
            };
            let at_ms = now_ms - days * DAY_MS;
            let tick = Tick {
                at_ms,
                rows: vec![row],
            };
            history.append(tick).await.unwrap();
        }
        for (name, days) in [("old", 366), ("young", 364)] {
            let at_ms = now_ms - days * DAY_MS;
            sqlx::query(
                "INSERT INTO topology_change (version, at_ms, summary, difference) \
                 VALUES (?, ?, ?, '{}')",
            )
            .bind(-days)
            .bind(at_ms)
            .bind(name)
            .execute(&store.pool)
            .await
            .unwrap();
            sqlx::query(
                "INSERT INTO act (at_ms, caller, channel, operation, target) \
                 VALUES (?, '', '', '', ?)",
            )
            .bind(at_ms)
            .bind(name)
            .execute(&store.pool)
            .await
            .unwrap();
            for (id, is_over) in [(name, true), ("under way", false)] {
                sqlx::query(
                    "INSERT OR REPLACE INTO job (id, created_ms, over, job, plan) \
                     VALUES (?, ?, ?, '{}', '{}')",
                )
                .bind(id)
                .bind(at_ms)
                .bind(is_over)
                .execute(&store.pool)
                .await
                .unwrap();
            }
        }
        // However old it is.
        sqlx::query("UPDATE job SET created_ms = 0 WHERE over = 0")
            .execute(&store.pool)
            .await
            .unwrap();
        forget(&history, &store, now_ms).await;
        assert!(history.latest("old").await.unwrap().is_none());
        assert!(history.latest("young").await.unwrap().is_some());
        for query in [
            "SELECT summary FROM topology_change",
            "SELECT target FROM act",
        ] {
            assert_eq!(committed(&directory, query).await, ["young"], "{query}");
        }
        let jobs = committed(&directory, "SELECT id FROM job ORDER BY created_ms").await;
        assert_eq!(jobs, ["under way", "young"]);
        history.close().await;
        store.close().await;
    }
}
