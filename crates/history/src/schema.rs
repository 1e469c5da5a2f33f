//! The tables, their version, and who may open what.
//!
//! | table | one row |
//! |---|---|
//! | `tick` | an instant at which somebody measured |
//! | `entity` | the name of an entity, interned |
//! | `layout` | the names of the metrics in a row, in order, one a line, interned |
//! | `sample` | the values of one entity at one tick, as a blob (see `row`) |
//!
//! `sample` is clustered by entity and then time, so that a query reads one range of it. A file
//! says that it is ours by `application_id`, and its format by `user_version`.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

use crate::Error;

/// "VMSh": tells our file from another program's.
const APPLICATION_ID: i64 = 0x564d_5368;

/// Each brings a file from the format of its index to the next one.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE tick (
        at_ms INTEGER PRIMARY KEY
    ) STRICT;
    CREATE TABLE entity (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE layout (
        id INTEGER PRIMARY KEY,
        metrics TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE sample (
        entity_id INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        layout_id INTEGER NOT NULL,
        simulated INTEGER NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (entity_id, at_ms)
    ) STRICT, WITHOUT ROWID;
"];

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(10))
        .disable_statement_logging()
}

/// How the writer opens the file, once it is there and of the newest format.
pub(crate) fn options_for_writing(path: &Path) -> SqliteConnectOptions {
    options(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
}

/// How the readers open the file, once it is there.
pub(crate) fn options_for_reading(path: &Path) -> SqliteConnectOptions {
    // Rows cross from SQLite's thread in batches; a chart reads thousands.
    options(path).read_only(true).row_buffer_size(1024)
}

/// Opens or makes the file, and brings it to the newest format.
pub(crate) async fn open_for_writing(path: &Path) -> Result<SqliteConnection, Error> {
    let failed = |source| Error::Open {
        path: path.to_owned(),
        source,
    };
    refuse_foreign(path).await?;
    let mut connection = options_for_writing(path)
        .create_if_missing(true)
        .connect()
        .await
        .map_err(failed)?;
    migrate(&mut connection).await.map_err(failed)?;
    Ok(connection)
}

/// Looks at a file that exists without changing anything in it.
async fn refuse_foreign(path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Open {
        path: path.to_owned(),
        source,
    };
    let empty = std::fs::metadata(path).is_ok_and(|found| found.len() == 0);
    if empty || !path.exists() {
        return Ok(());
    }
    // Not read-only: a file that was not closed has a journal to be read first.
    let mut connection = options(path).connect().await.map_err(failed)?;
    let format = version(&mut connection).await.map_err(failed)?;
    let application = sqlx::query_scalar::<_, i64>("PRAGMA application_id")
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
    let tables = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
    connection.close().await.map_err(failed)?;
    let known = MIGRATIONS.len() as i64;
    if application != APPLICATION_ID && (application != 0 || format != 0 || tables != 0) {
        return Err(Error::NotHistory {
            path: path.to_owned(),
        });
    }
    if format > known {
        return Err(Error::NewerFormat {
            path: path.to_owned(),
            found: format,
            known,
        });
    }
    Ok(())
}

async fn version(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(connection)
        .await
}

async fn migrate(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    // Immediate, so that of two programs that open the same new file one waits for the other.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let format = usize::try_from(version(&mut transaction).await?).unwrap_or_default();
    for (step, migration) in MIGRATIONS.into_iter().enumerate().skip(format) {
        tracing::info!(
            from = step,
            to = step + 1,
            "bringing the history file up to date"
        );
        sqlx::raw_sql(migration).execute(&mut *transaction).await?;
    }
    // Numbers of our own: SQLite takes no parameters here.
    let stamp = format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}",
        MIGRATIONS.len()
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(stamp))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}
