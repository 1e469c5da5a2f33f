//! The one task that writes.
//!
//! A task and not a lock around the connection: a caller that gives up waiting must not cut a
//! transaction in two, and what stands in the caches must have been committed.

use std::collections::HashMap;

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, QueryBuilder, Sqlite};
use tokio::sync::{mpsc, oneshot};

use crate::{Error, MAXIMUM_TIME_MS, Row, Tick, row};

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
    pub fn start(connection: SqliteConnection) -> Writer {
        let (commands, queue) = mpsc::channel(QUEUE);
        let task = Task {
            connection,
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

struct Task {
    connection: SqliteConnection,
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
                    let _ = reply.send(self.forget_unless_committed(done));
                }
                Command::Prune {
                    before_ms,
                    after_entity,
                    reply,
                } => {
                    let done = self.prune(before_ms, after_entity).await;
                    let _ = reply.send(self.forget_unless_committed(done));
                }
                Command::Close { reply } => {
                    closing = Some(reply);
                    break;
                }
            }
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the history file could not be closed cleanly");
        }
        // Only now: what was still queued gets its `Closed` when the queue drops.
        if let Some(reply) = closing {
            let _ = reply.send(());
        }
    }

    /// Names that were interned in a transaction that failed are not in the file.
    fn forget_unless_committed<T>(&mut self, done: Result<T, Error>) -> Result<T, Error> {
        if done.is_err() {
            self.names = Names::default();
        }
        done
    }

    async fn append(&mut self, ticks: &[Tick]) -> Result<(), Error> {
        let mut transaction = self.connection.begin().await?;
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
        let mut transaction = self.connection.begin().await?;
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
