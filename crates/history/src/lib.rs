//! The time-series store over `SQLite`: owns the format of `history.db`.
//!
//! A *tick* is what was measured at one instant: for any number of entities, a row of named
//! integer values (*metrics*). A [`Query`] asks for one metric of one entity over a range, in
//! steps. Names of entities and metrics are the caller's; nothing here knows what they mean,
//! except that [`Aggregation::Rate`] takes a metric for a counter.
//!
//! What lives where:
//!
//! - [`History`]: the public face, and the life of the file;
//! - `types`: what goes in and comes out;
//! - `aggregate`: from samples to points, without a database: the meaning of every number;
//! - `schema`: the tables, their version, who may open what;
//! - `row`: the blob that holds a row's values;
//! - `writer`: the one task that writes;
//! - `reader`: the statements that read.
//!
//! # One writer, many readers
//!
//! One task owns the only connection that writes and takes its work from a bounded channel:
//! when `SQLite` falls behind, [`History::append`] waits, and the caller can see it wait. It
//! resolves once its transaction is committed. The file is in WAL mode with `synchronous =
//! NORMAL`: what was acknowledged survives the death of the process, however sudden; after a
//! power failure the last transactions may be missing, and the file is whole. Readers have a
//! read-only pool of their own and never wait for the writer.
//!
//! ```text
//!            open                       close, or the last clone dropped
//! (file) ───────────► writing, reading ─────────────────────────────────► closed
//!    │  newer format, not ours, unreadable
//!    └─────────────────────────────────► refused: an error, the file untouched
//! ```
//!
//! # Example
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use history::{Aggregation, History, Query, Row, Tick};
//!
//! # let directory = tempfile::tempdir()?;
//! let history = History::open(&directory.path().join("history.db")).await?;
//! for (at_ms, received) in [(10_000, 0), (20_000, 500), (30_000, 1_500)] {
//!     let values = vec![("receivedBytes".to_owned(), received)];
//!     let row = Row { entity: "eth0".to_owned(), simulated: false, values };
//!     history.append(Tick { at_ms, rows: vec![row] }).await?;
//! }
//! let series = history
//!     .query(&Query {
//!         entity: "eth0".to_owned(),
//!         metric: "receivedBytes".to_owned(),
//!         start_ms: 0,
//!         end_ms: 30_000,
//!         step_ms: 30_000,
//!         aggregation: Aggregation::Rate,
//!         interval_ms: 10_000,
//!     })
//!     .await?;
//! assert_eq!(series.points[0].value, Some(75.0)); // 1,500 bytes in 20 observed seconds
//! # history.close().await;
//! # Ok(())
//! # }
//! ```

mod aggregate;
mod error;
mod reader;
mod row;
mod schema;
mod types;
mod writer;

use std::path::Path;
use std::sync::Arc;

pub use error::Error;
pub use types::{
    Aggregation, Latest, MAXIMUM_POINTS, MAXIMUM_TIME_MS, Point, Query, Row, Series, Tick,
};

/// An open history file. Cheap to clone; all clones share one writer and one pool of readers.
#[derive(Clone, Debug)]
pub struct History {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    writer: writer::Writer,
    reader: reader::Reader,
}

impl History {
    /// Opens the file, creates it where there is none (its directory must exist), and brings an
    /// older format up to date.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] when the file cannot be opened, made or read as a database,
    /// [`Error::NewerFormat`] and [`Error::NotHistory`] when it is not for this program to touch.
    pub async fn open(path: &Path) -> Result<History, Error> {
        let connection = schema::open_for_writing(path).await?;
        let reader = reader::Reader::open(path);
        let writer = writer::Writer::start(path, connection);
        Ok(History {
            inner: Arc::new(Inner { writer, reader }),
        })
    }

    /// Stores one tick in one transaction. Resolves once it is committed: that is the
    /// acknowledgement. A tick without rows is kept as well, as the proof that somebody measured.
    ///
    /// A row that is there already (same entity, same time) is replaced; other entities' rows of
    /// the same time stay, so that several sources can append for the same instant.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidTick`] for what cannot be stored, [`Error::Closed`] after
    /// [`close`](Self::close), [`Error::Database`] when `SQLite` fails (disk full, say). After any
    /// error nothing of the tick is stored.
    pub async fn append(&self, tick: Tick) -> Result<(), Error> {
        self.append_many(vec![tick]).await
    }

    /// Stores many ticks in one transaction: all or none. Meant for filling in the past; it keeps
    /// other writers waiting for as long as it takes.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub async fn append_many(&self, ticks: Vec<Tick>) -> Result<(), Error> {
        self.inner.writer.append(ticks).await
    }

    /// One metric of one entity over a range, in steps. An entity or metric that was never stored
    /// gives the same points as one that was silent: all of them without a value.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidQuery`], [`Error::TooManyPoints`] (which tells the smallest step), or
    /// [`Error::Database`].
    pub async fn query(&self, query: &Query) -> Result<Series, Error> {
        self.inner.reader.query(query).await
    }

    /// The last row of an entity, if it has any.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] or [`Error::Corrupt`].
    pub async fn latest(&self, entity: &str) -> Result<Option<Latest>, Error> {
        self.inner.reader.latest(entity).await
    }

    /// The time of the last tick, of whichever entity, in milliseconds since the epoch.
    ///
    /// # Errors
    ///
    /// [`Error::Database`].
    pub async fn last_tick_ms(&self) -> Result<Option<i64>, Error> {
        self.inner.reader.last_tick_ms().await
    }

    /// Removes everything older than `before_ms` and answers how many rows that were. Works in
    /// small transactions, so that ticks get through meanwhile; a failure leaves a part done.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] or [`Error::Database`].
    pub async fn prune(&self, before_ms: i64) -> Result<u64, Error> {
        self.inner.writer.prune(before_ms).await
    }

    /// Finishes what was asked so far and closes the file, for all clones. Whoever calls another
    /// method afterwards gets [`Error::Closed`].
    pub async fn close(&self) {
        // The writer last: SQLite folds the journal into the file when the last connection goes,
        // and a read-only one may not.
        self.inner.reader.close().await;
        self.inner.writer.close().await;
    }
}
