//! From what hosts report to the topology: versions, differences, events.
//!
//! One task owns what all hosts reported. It takes updates, waits a few milliseconds for more of
//! them, derives the topology, and if that differs from the one before, publishes it:
//!
//! ```text
//! supervisors ──► updates ──► [coalesce ≤ 10 ms] ──► derive ──► same ──► nothing
//!                                                       │
//!                                                       └─► another: version + 1
//!                                                             ├─► snapshot   (readers, at once)
//!                                                             ├─► event      (subscribers, at once)
//!                                                             └─► journal    (vms.db, behind)
//! ```
//!
//! Readers take the snapshot that is there: reading never waits for a host, nor for this task.
//! Invariants: versions only grow, also over a restart; a snapshot never changes; whoever follows
//! events and misses none has seen every version.
//!
//! - `events`: the ring of recent versions and the stream for subscribers.

mod events;

pub(crate) use events::Events;

use crate::{
    service::translate,
    store::{Entry, Journal, Restored},
};
use jiff::Timestamp;
use model::{DeclaredLink, Difference, HostId, HostReport, Maintenance, RouterId, Topology};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::Instant,
};

/// How long updates are gathered before the topology is derived.
const COALESCE: Duration = Duration::from_millis(5);

/// Updates that may wait; a supervisor beyond them waits.
const QUEUE: usize = 1024;

/// The topology at one version.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub version: u64,
    pub topology: Topology,
}

/// What the topology is derived from changed.
#[derive(Debug)]
pub(crate) enum Update {
    /// A host reports.
    Report {
        report: Box<HostReport>,
        /// Told once the topology shows it.
        published: Vec<oneshot::Sender<()>>,
    },
    /// A host was removed.
    Remove {
        host: HostId,
        published: oneshot::Sender<()>,
    },
    /// A host is kept free of what is new, or is not.
    Maintenance {
        host: HostId,
        maintenance: Option<Maintenance>,
        published: oneshot::Sender<()>,
    },
    /// A router is being moved to another host, or is not.
    Migrating {
        router: RouterId,
        to: Option<HostId>,
        published: oneshot::Sender<()>,
    },
    /// Somebody wants to know what the topology is derived from.
    Tell { to: oneshot::Sender<Sources> },
}

/// What the topology is derived from.
#[derive(Debug)]
pub(crate) struct Sources {
    pub reports: Vec<HostReport>,
    pub links: Vec<DeclaredLink>,
}

/// What the topology is derived from now.
pub(crate) async fn tell(updates: &mpsc::Sender<Update>) -> Result<Sources, api::Error> {
    let (to, told) = oneshot::channel();
    let ending = |error: &dyn std::fmt::Display| {
        crate::service::errors::internal("The server is ending.", error)
    };
    let asked = updates.send(Update::Tell { to }).await;
    asked.map_err(|error| ending(&error))?;
    told.await.map_err(|error| ending(&error))
}

/// The public face of the task.
#[derive(Debug)]
pub(crate) struct Discovery {
    pub updates: mpsc::Sender<Update>,
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    pub events: Arc<Events>,
    task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Discovery {
    /// Starts from what was known when the server stopped; `reports` are the hosts as registered
    /// now, with what was known of them.
    pub async fn start(
        restored: Restored,
        journal: Journal,
        mut reports: BTreeMap<HostId, HostReport>,
        links: Vec<DeclaredLink>,
        maintenance: BTreeMap<HostId, Maintenance>,
    ) -> Self {
        for (host, report) in &mut reports {
            report.maintenance = maintenance.get(host).cloned();
        }
        let snapshot = Arc::new(Snapshot {
            version: restored.version,
            topology: Topology::derive(restored.reports.values(), &restored.links),
        });
        let (publish, snapshots) = watch::channel(snapshot);
        let events = Arc::new(Events::new(restored.version));
        let (updates, queue) = mpsc::channel(QUEUE);
        let (stop, stopped) = oneshot::channel();
        let mut task = Task {
            reports,
            links,
            maintenance,
            migrations: BTreeMap::new(),
            publish,
            events: Arc::clone(&events),
            journal,
        };
        // The fleet as it is registered now, before anybody reads.
        let all = task.reports.iter();
        let all = all.map(|(id, report)| (id.clone(), Some(report.clone())));
        task.publish(all.collect()).await;
        Self {
            updates,
            snapshots,
            events,
            task: tokio::spawn(task.run(queue, stopped)),
            stop,
        }
    }

    /// Stores what is left to store and ends.
    pub async fn close(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the task that derives the topology failed");
        }
    }
}

struct Task {
    reports: BTreeMap<HostId, HostReport>,
    links: Vec<DeclaredLink>,
    maintenance: BTreeMap<HostId, Maintenance>,
    migrations: BTreeMap<RouterId, HostId>,
    publish: watch::Sender<Arc<Snapshot>>,
    events: Arc<Events>,
    journal: Journal,
}

impl Task {
    async fn run(mut self, mut queue: mpsc::Receiver<Update>, mut stop: oneshot::Receiver<()>) {
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                biased;
                _ = &mut stop => break,
                count = queue.recv_many(&mut batch, QUEUE) => {
                    if count == 0 {
                        break;
                    }
                }
            }
            let until = Instant::now() + COALESCE;
            while let Ok(Some(update)) = tokio::time::timeout_at(until, queue.recv()).await {
                batch.push(update);
            }
            let (mut told, mut asking) = (Vec::new(), Vec::new());
            // Of each host, what it is now; nothing if it is gone.
            let mut changed = BTreeMap::new();
            for update in batch.drain(..) {
                match update {
                    Update::Report { report, published } => {
                        told.extend(published);
                        changed.insert(report.id.clone(), Some(*report));
                    }
                    Update::Remove { host, published } => {
                        told.push(published);
                        self.maintenance.remove(&host);
                        changed.insert(host, None);
                    }
                    Update::Maintenance {
                        host,
                        maintenance,
                        published,
                    } => {
                        told.push(published);
                        let report = match changed.get(&host) {
                            Some(changed) => changed.clone(),
                            None => self.reports.get(&host).cloned(),
                        };
                        match maintenance {
                            Some(maintenance) => {
                                self.maintenance.insert(host.clone(), maintenance);
                            }
                            None => drop(self.maintenance.remove(&host)),
                        }
                        changed.insert(host, report);
                    }
                    Update::Migrating {
                        router,
                        to,
                        published,
                    } => {
                        told.push(published);
                        match to {
                            Some(to) => drop(self.migrations.insert(router, to)),
                            None => drop(self.migrations.remove(&router)),
                        }
                    }
                    Update::Tell { to } => asking.push(to),
                }
            }
            for (host, report) in &mut changed {
                match report {
                    Some(report) => {
                        // Supervisors do not know of it.
                        report.maintenance = self.maintenance.get(host).cloned();
                        self.reports.insert(host.clone(), report.clone());
                    }
                    None => drop(self.reports.remove(host)),
                }
            }
            self.publish(changed).await;
            // Whoever waited may have given up.
            for waiting in told {
                let _ = waiting.send(());
            }
            for waiting in asking {
                let _ = waiting.send(Sources {
                    reports: self.reports.values().cloned().collect(),
                    links: self.links.clone(),
                });
            }
        }
        let version = self.publish.borrow().version;
        self.journal
            .close(version, self.reports.into_values())
            .await;
    }

    /// Derives the topology and publishes it if it is another.
    async fn publish(&mut self, reports: BTreeMap<HostId, Option<HostReport>>) {
        let before = Arc::clone(&self.publish.borrow());
        let topology =
            Topology::derive(self.reports.values(), &self.links).with_migrations(&self.migrations);
        let difference = Difference::between(&before.topology, &topology);
        if difference.is_empty() {
            return;
        }
        let (version, at) = (before.version + 1, Timestamp::now());
        let described = difference.describe(&before.topology, &topology);
        let sentences: Vec<_> = described.iter().map(|d| d.sentence.as_str()).collect();
        let summary = sentences.join("\n");
        tracing::info!(version, changes = described.len(), "{}", short(&sentences));
        self.publish
            .send_replace(Arc::new(Snapshot { version, topology }));
        self.events
            .topology(version, at, translate::changes(described));
        let entry = Entry {
            version,
            at,
            summary,
            difference: Arc::new(difference),
            reports,
        };
        self.journal.append(entry).await;
    }
}

/// The first sentences, for the log.
fn short(sentences: &[&str]) -> String {
    let mut text = sentences
        .iter()
        .take(3)
        .copied()
        .collect::<Vec<_>>()
        .join("; ");
    if sentences.len() > 3 {
        text += "; …";
    }
    text
}
