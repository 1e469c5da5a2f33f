//! The topology's versions and what hosts reported last.

use super::{Store, StoreError};
use jiff::Timestamp;
use model::{DeclaredLink, Difference, HostId, HostReport};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::{sync::mpsc, task::JoinHandle};

/// Versions that may be published and not yet stored. Behind that many, publishing waits.
const QUEUE: usize = 256;

/// How far ahead versions are reserved: more than can ever be published and not stored.
const RESERVE: u64 = 4 * QUEUE as u64;

/// What was known when the server stopped.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    /// No version up to this one may be given again.
    pub version: u64,
    pub reports: BTreeMap<HostId, HostReport>,
    pub links: Vec<DeclaredLink>,
}

/// One version to store.
#[derive(Debug)]
pub(crate) struct Entry {
    pub version: u64,
    pub at: Timestamp,
    /// Sentences, one a line.
    pub summary: String,
    pub difference: Arc<Difference>,
    /// The reports that changed with it.
    pub reports: Vec<HostReport>,
}

/// The end of the queue to the task that stores versions.
///
/// ```text
/// publish ──► queue ──► [as many as wait] ──► one transaction
/// ```
///
/// Publishing never waits for the disk, unless the disk is 256 versions behind. What is lost by a
/// sudden death was published and not stored; its version numbers are not given again, because
/// every transaction reserves more numbers than the queue holds.
#[derive(Debug)]
pub(crate) struct Journal {
    entries: mpsc::Sender<Entry>,
    task: JoinHandle<()>,
    store: Store,
}

impl Journal {
    /// Reads what was known, forgets the hosts that are registered no more, and starts the task.
    pub async fn open(
        store: Store,
        registered: &BTreeSet<HostId>,
        links: &[DeclaredLink],
    ) -> Result<(Self, Restored), StoreError> {
        let restored = store.restore().await?;
        store.begin_run(restored.version, registered, links).await?;
        let (entries, queue) = mpsc::channel(QUEUE);
        let task = tokio::spawn(run(store.clone(), queue));
        let journal = Self {
            entries,
            task,
            store,
        };
        Ok((journal, restored))
    }

    /// Hands a version over to be stored.
    pub async fn append(&self, entry: Entry) {
        if self.entries.send(entry).await.is_err() {
            tracing::error!("the task that stores the topology's versions has ended");
        }
    }

    /// Stores what is queued, then everything that is known, and gives back the versions that
    /// were reserved.
    pub async fn close(self, version: u64, reports: impl IntoIterator<Item = HostReport>) {
        drop(self.entries);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the task that stores the topology's versions failed");
        }
        if let Err(error) = self.store.end_run(version, reports).await {
            tracing::error!(%error, "what is known of the hosts could not be stored at the end");
        }
    }
}

async fn run(store: Store, mut queue: mpsc::Receiver<Entry>) {
    let mut batch = Vec::with_capacity(QUEUE);
    while queue.recv_many(&mut batch, QUEUE).await > 0 {
        if let Err(error) = store.append_versions(&batch).await {
            let versions = batch.first().zip(batch.last());
            let (first, last) = versions.map_or((0, 0), |(a, b)| (a.version, b.version));
            tracing::error!(%error, first, last, "versions of the topology could not be stored");
        }
        batch.clear();
    }
}

impl Store {
    async fn restore(&self) -> Result<Restored, StoreError> {
        let (reserved, links): (i64, String) =
            sqlx::query_as("SELECT reserved, declared_links FROM topology_state")
                .fetch_one(&self.pool)
                .await?;
        let rows: Vec<(String,)> = sqlx::query_as("SELECT report FROM host_report")
            .fetch_all(&self.pool)
            .await?;
        let mut reports = BTreeMap::new();
        for (report,) in rows {
            // What was known is a help, not a condition: the hosts will say it again.
            match serde_json::from_str::<HostReport>(&report) {
                Ok(report) => drop(reports.insert(report.id.clone(), report)),
                Err(error) => tracing::warn!(%error, "a stored host report cannot be read"),
            }
        }
        Ok(Restored {
            version: reserved.unsigned_abs(),
            reports,
            links: serde_json::from_str(&links).unwrap_or_default(),
        })
    }

    async fn begin_run(
        &self,
        version: u64,
        registered: &BTreeSet<HostId>,
        links: &[DeclaredLink],
    ) -> Result<(), StoreError> {
        let registered: Vec<&str> = registered.iter().map(HostId::as_str).collect();
        let mut transaction = self.pool.begin().await?;
        sqlx::query("UPDATE topology_state SET reserved = ?, declared_links = ?")
            .bind(number(version + RESERVE))
            .bind(serde_json::to_string(links)?)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM host_report WHERE host NOT IN (SELECT value FROM json_each(?))")
            .bind(serde_json::to_string(&registered)?)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn append_versions(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let Some(last) = entries.last() else {
            return Ok(());
        };
        let mut transaction = self.pool.begin().await?;
        for entry in entries {
            sqlx::query(
                "INSERT INTO topology_change (version, at_ms, summary, difference) \
                 VALUES (?, ?, ?, ?)",
            )
            .bind(number(entry.version))
            .bind(entry.at.as_millisecond())
            .bind(&entry.summary)
            .bind(serde_json::to_string(&*entry.difference)?)
            .execute(&mut *transaction)
            .await?;
        }
        // Of several reports of one host only the last is worth writing.
        let reports: BTreeMap<_, _> = entries
            .iter()
            .flat_map(|entry| &entry.reports)
            .map(|report| (&report.id, report))
            .collect();
        for report in reports.into_values() {
            put_report(&mut transaction, report).await?;
        }
        sqlx::query("UPDATE topology_state SET version = ?, reserved = ?")
            .bind(number(last.version))
            .bind(number(last.version + RESERVE))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn end_run(
        &self,
        version: u64,
        reports: impl IntoIterator<Item = HostReport>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for report in reports {
            put_report(&mut transaction, &report).await?;
        }
        sqlx::query("UPDATE topology_state SET reserved = ?")
            .bind(number(version))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn put_report(
    connection: &mut sqlx::SqliteConnection,
    report: &HostReport,
) -> Result<(), StoreError> {
    sqlx::query("INSERT OR REPLACE INTO host_report (host, report) VALUES (?, ?)")
        .bind(report.id.as_str())
        .bind(serde_json::to_string(report)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// The database's integers are signed; no server lives to see 2^63 versions.
fn number(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
