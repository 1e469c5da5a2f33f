//! Contact with the hosts: one supervisor each, and the only way to act on them.
//!
//! ```text
//!               connected, listed            a call missed its deadline, or failed
//!  Connecting ────────────────────► Online ──────────────────────────────────────► Degraded
//!      │                              ▲  ◄──────────────────────────────────────── │
//!      │ failed                       │         the next poll was answered         │
//!      ▼          connected, listed   │                                            │
//!  Unreachable ───────────────────────┘                                            │
//!      ▲   └─► waits 0.5 s … 15 s, twice as long each time, with jitter, and tries anew
//!      │                                                                           │
//!      └──────── the connection that carries events is lost ◄──────────────────────┘
//! ```
//!
//! *Connecting* is before the first attempt has ended; from then on a host that does not answer is
//! *Unreachable*. What it reported is kept through all states: unreachable is "not known now",
//! never "gone". After every connect, events are registered first and the host is listed then, so
//! that nothing falls in between.
//!
//! A host has three connections, so that a call that hangs in one leaves the others free: events
//! (with the reading of single domains that follows them), polling (listing and statistics), and
//! control (acting). The in-process `test` driver has one for all: each of its connections is a
//! world of its own.
//!
//! Every supervisor is a task of its own and shares nothing with the others but the queue to
//! discovery: a host that hangs delays no other.
//!
//! - `supervisor`: the states above; `inventory`: from libvirt's words to the model's;
//! - `line`: a connection that is opened anew when it was lost; `backoff`: how long to wait.

mod backoff;
mod inventory;
mod line;
mod supervisor;

#[cfg(test)]
pub(crate) use inventory::list;

use crate::{HostSettings, discovery::Update, measurement::Sampler};
use jiff::Timestamp;
use libvirt::Error;
use line::Line;
use model::{HostId, HostReport, RouterId};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use supervisor::Supervisor;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// How long one call on a host may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// What can be done to a router.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Suspend,
    Resume,
}

/// Why a host did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no connection to it now.
    NotConnected,
    /// libvirt said so.
    Libvirt(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Libvirt(error)
    }
}

/// All hosts.
#[derive(Debug)]
pub(crate) struct Fleet {
    hosts: BTreeMap<HostId, Arc<Contact>>,
    /// Grows with every contact, so that what is made of contact times can be kept until then.
    generation: Arc<AtomicU64>,
    supervisors: Mutex<JoinSet<()>>,
}

/// What a supervisor shares with whoever reads or acts.
#[derive(Debug)]
struct Contact {
    /// Milliseconds since the epoch; the smallest value for never.
    last_ms: AtomicI64,
    generation: Arc<AtomicU64>,
    /// Where acting goes; absent while there is no connection.
    control: Mutex<Option<Arc<Line>>>,
    refreshes: mpsc::Sender<Refresh>,
}

/// Asks to read a router anew, and to be told once the topology shows it.
#[derive(Debug)]
struct Refresh {
    router: RouterId,
    published: oneshot::Sender<()>,
}

/// What all supervisors are given.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub updates: mpsc::Sender<Update>,
    pub sampler: Sampler,
    pub sample_interval: Duration,
    pub relist_interval: Duration,
    pub stop: CancellationToken,
}

impl Fleet {
    /// Starts a supervisor for every host. The answer's second part becomes true once every host
    /// was tried and the topology shows how that went.
    pub fn start(
        hosts: Vec<HostSettings>,
        reports: &BTreeMap<HostId, HostReport>,
        surroundings: &Surroundings,
    ) -> (Self, watch::Receiver<bool>) {
        let generation = Arc::new(AtomicU64::new(0));
        let mut contacts = BTreeMap::new();
        let mut supervisors = JoinSet::new();
        let mut tried = Vec::new();
        for settings in hosts {
            let id = crate::service::translate::host_id(&settings.id);
            let Some(report) = reports.get(&id).cloned() else {
                continue;
            };
            let (refreshes, asked) = mpsc::channel(64);
            let last = report.inventory.as_ref().map(|inventory| inventory.as_of);
            let contact = Arc::new(Contact {
                last_ms: AtomicI64::new(last.map_or(i64::MIN, Timestamp::as_millisecond)),
                generation: Arc::clone(&generation),
                control: Mutex::new(None),
                refreshes,
            });
            let (first, done) = oneshot::channel();
            tried.push(done);
            let supervisor = Supervisor::new(
                settings.uri,
                report,
                Arc::clone(&contact),
                asked,
                first,
                surroundings.clone(),
            );
            contacts.insert(id, contact);
            let stop = surroundings.stop.clone();
            supervisors.spawn(async move {
                stop.run_until_cancelled(supervisor.run()).await;
            });
        }
        let (ready, is_ready) = watch::channel(false);
        tokio::spawn(async move {
            for done in tried {
                // A supervisor that ends before is one of a server that ends.
                let _ = done.await;
            }
            ready.send_replace(true);
        });
        let fleet = Self {
            hosts: contacts,
            generation,
            supervisors: Mutex::new(supervisors),
        };
        (fleet, is_ready)
    }

    /// When each host that ever answered was heard of last.
    pub fn contacts(&self) -> BTreeMap<HostId, Timestamp> {
        self.hosts
            .iter()
            .filter_map(|(id, contact)| Some((id.clone(), contact.last()?)))
            .collect()
    }

    /// A number that changes whenever [`Self::contacts`] does.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Acts on a router, then reads it anew; when this returns, the topology shows what came of
    /// it.
    pub async fn act(
        &self,
        host: &HostId,
        router: RouterId,
        action: Action,
    ) -> Result<(), Failure> {
        let control = self.contact(host)?.control().ok_or(Failure::NotConnected)?;
        let connection = control.connection().await?;
        let done = match action {
            Action::Suspend => connection.suspend(router.0).await,
            Action::Resume => connection.resume(router.0).await,
        };
        // Also when it failed: what the host says is then another thing than what was known.
        let refreshed = self.refresh(host, router).await;
        done?;
        refreshed
    }

    /// Reads a router anew; when this returns, the topology shows it.
    pub async fn refresh(&self, host: &HostId, router: RouterId) -> Result<(), Failure> {
        let contact = self.contact(host)?;
        if contact.control().is_none() {
            return Err(Failure::NotConnected);
        }
        let (published, done) = oneshot::channel();
        let refresh = Refresh { router, published };
        let asked = async {
            contact.refreshes.send(refresh).await.ok()?;
            done.await.ok()
        };
        match tokio::time::timeout(DEADLINE, asked).await {
            Ok(Some(())) => Ok(()),
            Ok(None) => Err(Failure::NotConnected),
            Err(_) => Err(Failure::Libvirt(Error::Deadline {
                call: "virDomainLookupByUUID",
                after: DEADLINE,
            })),
        }
    }

    /// Waits until all supervisors have ended, which they do once they were told to stop.
    pub async fn ended(&self) {
        let supervisors = {
            let mut all = self
                .supervisors
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *all)
        };
        let _ = supervisors.join_all().await;
    }

    fn contact(&self, host: &HostId) -> Result<&Contact, Failure> {
        let contact = self.hosts.get(host).map(|contact| &**contact);
        contact.ok_or(Failure::NotConnected)
    }
}

impl Contact {
    fn last(&self) -> Option<Timestamp> {
        match self.last_ms.load(Ordering::Acquire) {
            i64::MIN => None,
            at => Timestamp::from_millisecond(at).ok(),
        }
    }

    /// The host was heard of just now.
    fn heard(&self) {
        let now = Timestamp::now().as_millisecond();
        self.last_ms.store(now, Ordering::Release);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    fn control(&self) -> Option<Arc<Line>> {
        let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        control.clone()
    }

    fn set_control(&self, line: Option<Arc<Line>>) {
        *self.control.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }
}
