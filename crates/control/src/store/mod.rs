//! `vms.db`: what must survive a power failure.
//!
//! One connection reads and writes (write-ahead log, `synchronous = FULL`), so that there is one
//! writer and no two transactions meet. Samples live elsewhere, in `history.db`: an act never
//! waits behind a tick.
//!
//! - `journal`: the topology's versions and what hosts reported last;
//! - `acts`: who asked for what, and how it ended.

mod acts;
mod journal;

pub(crate) use acts::{Act, Begun};
pub(crate) use journal::{Entry, Journal, Restored};

use crate::StartError;
use sqlx::{
    SqlitePool,
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
