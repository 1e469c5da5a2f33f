//! What can go wrong, in sentences for whoever must act on it.

use std::path::PathBuf;

/// Why the history could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened, created or read as a database.
    #[error(
        "cannot open the history file {}: {source}; it must be a history file of this program in a \
         directory that this user may write to, or not exist yet", path.display()
    )]
    Open {
        /// The file asked for.
        path: PathBuf,
        /// What `SQLite` said.
        source: sqlx::Error,
    },
    /// A later version of this program wrote the file.
    #[error(
        "the history file {} has format {found}, and this program knows formats up to {known}; \
         start the newer program that wrote it, or move the file away to begin a new history",
        path.display()
    )]
    NewerFormat {
        /// The file asked for.
        path: PathBuf,
        /// The format that it has.
        found: i64,
        /// The newest format that this version reads and writes.
        known: i64,
    },
    /// The file is a database of something else.
    #[error(
        "{} is a SQLite database, but not a history file; give another path", path.display()
    )]
    NotHistory {
        /// The file asked for.
        path: PathBuf,
    },
    /// The query makes no sense; the sentence says what was expected.
    #[error("{0}")]
    InvalidQuery(String),
    /// The step is too short for the range.
    #[error(
        "the range has too many steps: a query may have {} points, and for {length_ms} ms that \
         takes a step of at least {smallest_step_ms} ms",
        crate::MAXIMUM_POINTS
    )]
    TooManyPoints {
        /// The length of the range, in milliseconds.
        length_ms: i64,
        /// The smallest step allowed for a range of this length, in milliseconds.
        smallest_step_ms: i64,
    },
    /// The tick cannot be stored; the sentence says why.
    #[error("{0}")]
    InvalidTick(String),
    /// [`History::close`](crate::History::close) was called.
    #[error("the history is closed; open it again to use it")]
    Closed,
    /// A row does not hold what its layout promises: the file was damaged.
    #[error(
        "the row of {entity} at {at_ms} ms in the history file is damaged; check the disk and \
         restore the file from a backup"
    )]
    Corrupt {
        /// The entity whose row it is.
        entity: String,
        /// The time of the row, in milliseconds since the epoch.
        at_ms: i64,
    },
    /// `SQLite` failed.
    #[error("the history file failed: {0}")]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolClosed => Error::Closed,
            error => Error::Database(error),
        }
    }
}
