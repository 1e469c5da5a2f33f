//! `vms.db`: what must survive a power failure.
//!
//! One connection reads and writes (write-ahead log, `synchronous = FULL`), so that there is one
//! writer and no two transactions meet. Samples live elsewhere, in `history.db`: an act never
//! waits behind a tick.
//!
//! A connection whose transaction failed is closed, and the next one who asks gets a new one: when
//! the disk is full, `SQLite` ends the transaction by itself, sqlx does not notice, takes later
//! transactions for nested ones, and may never commit again while it says that it does.
//!
//! - `journal`: the topology's versions and what hosts reported last;
//! - `hosts`: those that were registered while the server ran;
//! - `jobs`: long work, and hosts in maintenance;
//! - `images`: the index of images, uploads, and what is on hosts;
//! - `acts`: who asked for what, and how it ended;
//! - `retention`: how long all this, and the history, is kept.

mod acts;
mod hosts;
mod images;
mod jobs;
mod journal;
mod links;
mod retention;

pub(crate) use acts::{Act, Begun};
pub(crate) use images::{CopyRow, Naming, PoolRow, VolumeRow};
pub(crate) use journal::{Entry, Journal, Restored};
pub(crate) use retention::forget_the_old;

use crate::StartError;
use sqlx::{
    Connection, SqlitePool,
    error::ErrorKind,
    migrate::MigrateError,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

/// The open database. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens or creates the file and brings its schema up to date.
    pub async fn open(path: &Path) -> Result<Self, StartError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        let failed = |source: sqlx::Error| StartError::Database {
            path: path.to_owned(),
            source,
        };
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_release(|connection, _| {
                Box::pin(async move {
                    // Answered after the rollback of whatever was not committed.
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(options)
            .await
            .map_err(failed)?;
        if let Err(error) = sqlx::migrate!("../../migrations").run(&pool).await {
            pool.close().await;
            return Err(match error {
                MigrateError::VersionMissing(version) => StartError::NewerDatabase {
                    path: path.to_owned(),
                    version,
                },
                MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
                    failed(source)
                }
                error => failed(sqlx::Error::Migrate(Box::new(error))),
            });
        }
        Ok(Self { pool })
    }

    /// Finishes what is under way and closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// What can go wrong once the database is open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("vms.db failed: {0}")]
    Database(#[from] sqlx::Error),
    #[error("vms.db holds something that cannot be read: {0}")]
    Content(#[from] serde_json::Error),
}

impl StoreError {
    /// Whether the same will fail again however often it is tried: what is written is at fault,
    /// or the store is closed.
    fn stays(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.kind() != ErrorKind::Other,
            Self::Database(sqlx::Error::PoolClosed) | Self::Content(_) => true,
            Self::Database(_) => false,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A store in a directory of the test's own.
    pub(crate) async fn store() -> (TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("vms.db")).await.unwrap();
        (directory, store)
    }

    /// What another connection sees: what is committed, and nothing else.
    pub(crate) async fn committed(directory: &TempDir, query: &'static str) -> Vec<String> {
        let options = SqliteConnectOptions::new().filename(directory.path().join("vms.db"));
        let mut second = sqlx::SqliteConnection::connect_with(&options)
            .await
            .unwrap();
        let found = sqlx::query_scalar(query)
            .fetch_all(&mut second)
            .await
            .unwrap();
        second.close().await.unwrap();
        found
    }

    /// Lets the disk be full for whatever is large, on the present connection.
    pub(crate) async fn fill_the_disk(store: &Store) {
        let mut connection = store.pool.acquire().await.unwrap();
        let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        let limit = format!("PRAGMA max_page_count = {}", pages + 8);
        sqlx::raw_sql(sqlx::AssertSqlSafe(limit))
            .execute(&mut *connection)
            .await
            .unwrap();
    }
}
