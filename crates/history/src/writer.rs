//! The one task that writes.
//!
//! A task and not a lock around the connection: a caller that gives up waiting must not cut a
//! transaction in two, and what stands in the caches must have been committed.
//!
//! ```text
//!          ┌─ committed ─┐
//!          ▼             │      failed: closed, names forgotten
//! open ──► connected ────┴──────────────────────────────────────► disconnected
//!              ▲                       next command: opened again      │
//!              └───────────────────────────────────────────────────────┘
//! ```

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions, Connection, QueryBuilder, Sqlite};
use tokio::sync::{mpsc, oneshot};

use crate::{Error, MAXIMUM_TIME_MS, Row, Tick, row, schema};

/// Commands that may wait; a caller beyond them waits itself.
const QUEUE: usize = 16;

/// Rows in one statement: many times cheaper than one each, and past some hundreds nothing more
/// is gained.
const ROWS_A_STATEMENT: usize = 200;

/// Entities that are pruned in one transaction.
const ENTITIES_A_PRUNING: i64 = 100;

type Reply<T> = oneshot::Sender<Result<T, Error>>;

enum Command {
    Append {
        ticks: Vec<Tick>,
        reply: Reply<()>,
    },
    Prune {
        before_ms: i64,
        after_entity: i64,
        reply: Reply<Pruned>,
    },
    Close {
        reply: oneshot::Sender<()>,
    },
}

/// What one transaction of pruning did.
struct Pruned {
    rows: u64,
    /// Where the next one goes on; none at the end.
    next: Option<i64>,
}

/// The callers' end of the channel to the task.
#[derive(Debug)]
pub(crate) struct Writer {
    commands: mpsc::Sender<Command>,
}

impl Writer {
    /// Starts the task, with the connection by which the file was opened.
    pub fn start(path: &Path, connection: SqliteConnection) -> Writer {
        let (commands, queue) = mpsc::channel(QUEUE);
        let task = Task {
            line: Line {
                path: path.to_owned(),
                connection: Some(connection),
            },
            names: Names::default(),
        };
        tokio::spawn(task.run(queue));
        Writer { commands }
    }

    pub async fn append(&self, ticks: Vec<Tick>) -> Result<(), Error> {
        self.ask(|reply| Command::Append { ticks, reply }).await
    }

    pub async fn prune(&self, before_ms: i64) -> Result<u64, Error> {
        let mut rows = 0;
        let mut next = Some(i64::MIN);
        while let Some(after_entity) = next {
            let pruned = self
                .ask(|reply| Command::Prune {
                    before_ms,
                    after_entity,
                    reply,
                })
                .await?;
            rows += pruned.rows;
            next = pruned.next;
        }
        Ok(rows)
    }

    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        // Closed already, or just now, is as good.
        if self.commands.send(Command::Close { reply }).await.is_ok() {
            let _ = closed.await;
        }
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(command(reply))
            .await
            .map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }
}

/// The connection that writes, and how to get another.
struct Line {
    path: PathBuf,
    /// None after a failure.
    connection: Option<SqliteConnection>,
}

impl Line {
    async fn connection(&mut self) -> Result<&mut SqliteConnection, Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => schema::options_for_writing(&self.path).connect().await?,
        };
        Ok(self.connection.insert(connection))
    }

    async fn close(&mut self) {
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the history file could not be closed cleanly");
        }
    }
}

struct Task {
    line: Line,
    names: Names,
}

impl Task {
    async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let mut closing = None;
        // A reply that nobody waits for any more is dropped: what was asked for is done all the same.
        while let Some(command) = queue.recv().await {
            match command {
                Command::Append { ticks, reply } => {
                    let done = self.append(&ticks).await;
                    let _ = reply.send(self.start_anew_unless_committed(done).await);
                }
                Command::Prune {
                    before_ms,
                    after_entity,
                    reply,
                } => {
                    let done = self.prune(before_ms, after_entity).await;
                    let _ = reply.send(self.start_anew_unless_committed(done).await);
                }
                Command::Close { reply } => {
                    closing = Some(reply);
                    break;
                }
            }
        }
        self.line.close().await;
        // Only now: what was still queued gets its `Closed` when the queue drops.
        if let Some(reply) = closing {
            let _ = reply.send(());
        }
    }

    /// After a failure nothing is left of what was known. Names that were interned in a
    /// transaction that failed are not in the file. And the connection is not used again: when
    /// the disk is full, `SQLite` ends the transaction by itself, sqlx does not notice, takes later
    /// transactions for nested ones, and may never commit again while it says that it does.
    async fn start_anew_unless_committed<T>(&mut self, done: Result<T, Error>) -> Result<T, Error> {
        if done.is_err() {
            self.names = Names::default();
            self.line.close().await;
        }
        done
    }

    async fn append(&mut self, ticks: &[Tick]) -> Result<(), Error> {
        let mut transaction = self.line.connection().await?.begin().await?;
        for tick in ticks {
            if !(-MAXIMUM_TIME_MS..=MAXIMUM_TIME_MS).contains(&tick.at_ms) {
                return Err(Error::InvalidTick(format!(
                    "the time of a tick must be milliseconds since the epoch, at most \
                     {MAXIMUM_TIME_MS} before or after it, not {}",
                    tick.at_ms
                )));
            }
            sqlx::query("INSERT OR IGNORE INTO tick (at_ms) VALUES (?)")
                .bind(tick.at_ms)
                .execute(&mut *transaction)
                .await?;
        }
        let mut rows: Vec<(i64, &Row)> = ticks
            .iter()
            .flat_map(|tick| tick.rows.iter().map(|row| (tick.at_ms, row)))
            .collect();
        // In the order of the file each page is touched once. The sort keeps equals in order: of
        // two rows for one entity and time the later one replaces the earlier.
        rows.sort_by(|a, b| (&a.1.entity, a.0).cmp(&(&b.1.entity, b.0)));
        for rows in rows.chunks(ROWS_A_STATEMENT) {
            let mut batch = Vec::with_capacity(rows.len());
            for &(at_ms, row) in rows {
                batch.push(self.names.intern(&mut transaction, at_ms, row).await?);
            }
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT OR REPLACE INTO sample (entity_id, at_ms, layout_id, simulated, data) ",
            );
            insert.push_values(batch, |mut values, row| {
                values
                    .push_bind(row.entity_id)
                    .push_bind(row.at_ms)
                    .push_bind(row.layout_id)
                    .push_bind(row.simulated)
                    .push_bind(row.data);
            });
            // The statement of a full batch is worth keeping prepared, a remainder's is not.
            insert
                .build()
                .persistent(rows.len() == ROWS_A_STATEMENT)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn prune(&mut self, before_ms: i64, after_entity: i64) -> Result<Pruned, Error> {
        let mut transaction = self.line.connection().await?.begin().await?;
        let entities: Vec<i64> =
            sqlx::query_scalar("SELECT id FROM entity WHERE id > ? ORDER BY id LIMIT ?")
                .bind(after_entity)
                .bind(ENTITIES_A_PRUNING)
                .fetch_all(&mut *transaction)
                .await?;
        let mut rows = 0;
        for entity in &entities {
            rows += sqlx::query("DELETE FROM sample WHERE entity_id = ? AND at_ms < ?")
                .bind(entity)
                .bind(before_ms)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            // Those of which nothing is left go too: routers come and go, their names would stay.
            let forgotten = sqlx::query(
                "DELETE FROM entity WHERE id = ?1 \
                 AND NOT EXISTS (SELECT 1 FROM sample WHERE entity_id = ?1)",
            )
            .bind(entity)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
            if forgotten > 0 {
                self.names.entities.retain(|_, id| id != entity);
            }
        }
        let next = entities.last().copied();
        if next.is_none() {
            sqlx::query("DELETE FROM tick WHERE at_ms < ?")
                .bind(before_ms)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(Pruned { rows, next })
    }
}

/// A row as it is stored.
struct StoredRow {
    entity_id: i64,
    at_ms: i64,
    layout_id: i64,
    simulated: bool,
    data: Vec<u8>,
}

/// The numbers of the names met so far.
#[derive(Default)]
struct Names {
    entities: HashMap<String, i64>,
    layouts: HashMap<String, i64>,
    /// Where a layout is spelled out to be looked up.
    spelled: String,
}

impl Names {
    async fn intern(
        &mut self,
        connection: &mut SqliteConnection,
        at_ms: i64,
        row: &Row,
    ) -> Result<StoredRow, Error> {
        let entity_id = match self.entities.get(&row.entity) {
            Some(&id) => id,
            None => self.intern_entity(connection, &row.entity).await?,
        };
        self.spelled.clear();
        for (metric, _) in &row.values {
            // Checked every time: two metrics in one name would pass for a layout that is known.
            if metric.is_empty() || metric.contains(['\n', '\r']) {
                return Err(Error::InvalidTick(format!(
                    "the metric {metric:?} of {} must have a name, without line breaks",
                    row.entity
                )));
            }
            self.spelled.push_str(metric);
            self.spelled.push('\n');
        }
        let layout_id = match self.layouts.get(&self.spelled) {
            Some(&id) => id,
            None => self.intern_layout(connection, row).await?,
        };
        let mut data = Vec::with_capacity(row.values.len() * 5);
        row::encode(row.values.iter().map(|&(_, value)| value), &mut data);
        Ok(StoredRow {
            entity_id,
            at_ms,
            layout_id,
            simulated: row.simulated,
            data,
        })
    }

    async fn intern_entity(
        &mut self,
        connection: &mut SqliteConnection,
        name: &str,
    ) -> Result<i64, Error> {
        // The update changes nothing; without it an existing row would not be returned.
        let id = sqlx::query_scalar(
            "INSERT INTO entity (name) VALUES (?) \
             ON CONFLICT (name) DO UPDATE SET name = name RETURNING id",
        )
        .bind(name)
        .fetch_one(connection)
        .await?;
        self.entities.insert(name.to_owned(), id);
        Ok(id)
    }

    async fn intern_layout(
        &mut self,
        connection: &mut SqliteConnection,
        row: &Row,
    ) -> Result<i64, Error> {
        for (index, (metric, _)) in row.values.iter().enumerate() {
            if row.values[..index].iter().any(|(other, _)| other == metric) {
                return Err(Error::InvalidTick(format!(
                    "{} has the metric {metric} twice in one row",
                    row.entity
                )));
            }
        }
        let id = sqlx::query_scalar(
            "INSERT INTO layout (metrics) VALUES (?) \
             ON CONFLICT (metrics) DO UPDATE SET metrics = metrics RETURNING id",
        )
        .bind(&self.spelled)
        .fetch_one(connection)
        .await?;
        self.layouts.insert(self.spelled.clone(), id);
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(at_ms: i64) -> Tick {
        let row = Row {
            entity: "r1".to_owned(),
            simulated: false,
            values: vec![("n".to_owned(), 0)],
        };
        Tick {
            at_ms,
            rows: vec![row],
        }
    }

    #[tokio::test]
    async fn what_is_acknowledged_after_a_full_disk_is_in_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.db");
        let mut connection = schema::open_for_writing(&path).await.unwrap();
        // Room for some ticks, not for thousands.
        sqlx::query("PRAGMA max_page_count = 10")
            .execute(&mut connection)
            .await
            .unwrap();
        let writer = Writer::start(&path, connection);
        writer.append(vec![tick(1)]).await.unwrap();
        // Statements that each write one row: for these SQLite ends the whole transaction.
        let many = (100..9_100).map(|at_ms| Tick {
            at_ms,
            rows: Vec::new(),
        });
        let error = writer.append(many.collect()).await.unwrap_err();
        assert!(error.to_string().contains("full"), "{error}");
        // A transaction that is given up, after which the file would stay in one.
        let mut senseless = tick(3);
        senseless.rows[0].values[0].0.clear();
        writer.append(vec![senseless]).await.unwrap_err();
        writer.append(vec![tick(4)]).await.unwrap();
        writer.append(vec![tick(5)]).await.unwrap();

        let mut second = schema::options_for_reading(&path).connect().await.unwrap();
        let stored: Vec<i64> = sqlx::query_scalar("SELECT at_ms FROM tick ORDER BY at_ms")
            .fetch_all(&mut second)
            .await
            .unwrap();
        assert_eq!(stored, [1, 4, 5]);
        second.close().await.unwrap();
        writer.close().await;
    }
}
