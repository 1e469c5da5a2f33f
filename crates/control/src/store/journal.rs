//! The topology's versions and what hosts reported last.

use super::{Store, StoreError};
use jiff::Timestamp;
use model::{DeclaredLink, Difference, HostId, HostReport};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};

/// Versions that may wait while a transaction is under way. Behind that many, publishing waits.
const QUEUE: usize = 256;

/// Versions that are kept while they cannot be stored. Beyond them the oldest are lost.
const KEPT: usize = 16 * QUEUE;

/// How far ahead versions are reserved: more than are published while the disk stays full, unless
/// nobody looks for it for days.
const RESERVE: u64 = 16 * KEPT as u64;

/// The first wait before what failed is tried again; each next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

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
    /// The reports that changed with it; nothing of a host that was removed.
    pub reports: BTreeMap<HostId, Option<HostReport>>,
}

/// The end of the queue to the task that stores versions.
///
/// ```text
/// publish ──► queue ──► kept: as many as wait ──► one transaction ──► stored
///                         ▲                            │ failed
///                         └─────── wait, take more ────┘
/// ```
///
/// Publishing never waits for the disk, unless 256 versions come up during one transaction. While
/// the disk is full, versions are kept in memory and tried again; when they get too many, the
/// oldest are given up: the way back from the present has no hole then, it ends earlier. What is
/// lost by a sudden death was published and not stored; its version numbers are not given again,
/// because every transaction reserves far more numbers than are kept.
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
    let mut kept = Vec::with_capacity(QUEUE);
    while queue.recv_many(&mut kept, QUEUE).await > 0 {
        let mut wait = FIRST_WAIT;
        let mut lost = 0;
        let mut open = true;
        while let Err(error) = store.append_versions(&kept).await {
            let versions = kept.first().zip(kept.last());
            let (first, last) = versions.map_or((0, 0), |(a, b)| (a.version, b.version));
            if !open || error.stays() {
                lost += kept.len();
                tracing::error!(%error, first, last, "versions of the topology are not stored");
                break;
            }
            tracing::error!(
                %error, first, last,
                "versions of the topology could not be stored; tried again in {wait:?}"
            );
            open = take_meanwhile(&mut queue, &mut kept, &mut lost, wait).await;
            wait = LONGEST_WAIT.min(2 * wait);
        }
        if lost > 0 {
            tracing::error!(lost, "versions of the topology were never stored");
        }
        kept.clear();
    }
}

/// Waits, but lets nobody wait who publishes. False at once when nothing more will come.
async fn take_meanwhile(
    queue: &mut mpsc::Receiver<Entry>,
    kept: &mut Vec<Entry>,
    lost: &mut usize,
    wait: Duration,
) -> bool {
    let until = Instant::now() + wait;
    // The time that is over is an error, and the end of the wait.
    while let Ok(taken) = tokio::time::timeout_at(until, queue.recv_many(kept, QUEUE)).await {
        if taken == 0 {
            return false;
        }
        let beyond = kept.len().saturating_sub(KEPT);
        if beyond > 0 && *lost == 0 {
            tracing::error!("too many versions of the topology wait; the oldest are given up");
        }
        *lost += beyond;
        kept.drain(..beyond);
    }
    true
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
        let reports: BTreeMap<_, _> = entries.iter().flat_map(|entry| &entry.reports).collect();
        for (host, report) in reports {
            match report {
                Some(report) => put_report(&mut transaction, report).await?,
                None => {
                    sqlx::query("DELETE FROM host_report WHERE host = ?")
                        .bind(host.as_str())
                        .execute(&mut *transaction)
                        .await?;
                }
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{committed, fill_the_disk, store};
    use tempfile::TempDir;

    const ALL: &str = "SELECT CAST(version AS TEXT) FROM topology_change ORDER BY version";

    fn entry(version: u64, summary: &str) -> Entry {
        Entry {
            version,
            at: Timestamp::UNIX_EPOCH,
            summary: summary.to_owned(),
            difference: Arc::default(),
            reports: BTreeMap::new(),
        }
    }

    async fn journal(store: &Store) -> Journal {
        let opened = Journal::open(store.clone(), &BTreeSet::new(), &[]).await;
        opened.unwrap().0
    }

    /// Comes back when that many versions are stored; never, if they are not.
    async fn stored(directory: &TempDir, count: usize) -> Vec<String> {
        loop {
            let versions = committed(directory, ALL).await;
            if versions.len() >= count {
                return versions;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Makes storing impossible, for every connection, until the name is given back.
    async fn rename(store: &Store, statement: &'static str) {
        sqlx::query(statement).execute(&store.pool).await.unwrap();
    }
    const BREAK: &str = "ALTER TABLE topology_change RENAME TO elsewhere";
    const MEND: &str = "ALTER TABLE elsewhere RENAME TO topology_change";

    #[tokio::test]
    async fn a_version_that_found_the_disk_full_is_stored_later() {
        let (directory, store) = store().await;
        let journal = journal(&store).await;
        fill_the_disk(&store).await;
        journal.append(entry(1, &"long".repeat(1 << 18))).await;
        journal.append(entry(2, "short")).await;
        let versions = tokio::time::timeout(Duration::from_mins(1), stored(&directory, 2)).await;
        assert_eq!(versions.expect("both are stored in the end"), ["1", "2"]);
        journal.close(2, []).await;
        store.close().await;
    }

    #[tokio::test]
    async fn while_nothing_can_be_stored_publishing_goes_on_and_the_newest_are_kept() {
        let (directory, store) = store().await;
        let journal = journal(&store).await;
        rename(&store, BREAK).await;
        let last = (KEPT + 2 * QUEUE) as u64;
        let publishing = async {
            for version in 1..=last {
                journal.append(entry(version, "")).await;
            }
        };
        let published = tokio::time::timeout(Duration::from_mins(1), publishing).await;
        published.expect("publishing goes on");
        rename(&store, MEND).await;
        let versions = tokio::time::timeout(Duration::from_mins(1), async {
            loop {
                let versions = stored(&directory, KEPT).await;
                if versions.last() == Some(&last.to_string()) {
                    return versions;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let versions = versions.await.expect("the newest are stored in the end");
        let first: u64 = versions[0].parse().unwrap();
        assert!(first > 1, "nothing was given up");
        assert_eq!(
            versions.len() as u64,
            last - first + 1,
            "there is a hole after {first}"
        );
        journal.close(last, []).await;
        store.close().await;
    }

    #[tokio::test]
    async fn closing_does_not_wait_for_a_disk_that_stays_full() {
        let (_directory, store) = store().await;
        let journal = journal(&store).await;
        rename(&store, BREAK).await;
        journal.append(entry(1, "")).await;
        let closed = tokio::time::timeout(Duration::from_mins(1), journal.close(1, [])).await;
        closed.expect("it gives up");
        store.close().await;
    }
}
