//! Contact with the hosts: a supervisor for each endpoint, and the only way to act on them.
//!
//! A host has one or more endpoints, each a libvirt driver that is reached by a URI. Every endpoint
//! is in one of these states, and the host in what follows from them together:
//!
//! ```text
//!               connected, listed            a call missed its deadline, or failed
//!  Connecting ────────────────────► Online ──────────────────────────────────────► Degraded
//!      │                              ▲  ◄──────────────────────────────────────── │
//!      │ failed                       │      what failed was answered again        │
//!      ▼          connected, listed   │                                            │
//!  Unreachable ───────────────────────┘                                            │
//!      ▲   └─► waits 0.5 s … 15 s, twice as long each time, with jitter, and tries anew
//!      │                                                                           │
//!      └──────── the connection that carries events is lost ◄──────────────────────┘
//! ```
//!
//! *Connecting* is before the first attempt has ended; from then on an endpoint that does not
//! answer is *Unreachable*. What it reported is kept through all states: unreachable is "not known
//! now", never "gone". After every connect, events are registered first and the endpoint is listed
//! then, so that nothing falls in between.
//!
//! An endpoint has three connections, so that what hangs in one leaves the others free: events
//! (with the reading of single domains that follows them), polling (listing and statistics), and
//! control (acting). Up to four calls are under way on each at once, fewer than the five that
//! libvirt's server takes; a call that hangs costs its thread, within a bound a host ([`HANGING`])
//! and one in all. The in-process `test` driver has one connection for all: each of its connections
//! is a world of its own.
//!
//! Every supervisor is a task of its own and shares nothing with the others but the queue to
//! discovery: a host that hangs delays no other. Within a host, a domain that sticks is quarantined
//! alone.
//!
//! - `host`: a host's endpoints together; `supervisor`: the states above;
//! - `tracked`: what is known of the domains, by events, readings and listings in any order;
//! - `polling`: what is asked at intervals; `quarantine`: domains that stick;
//! - `inventory`: from libvirt's words to the model's; `check`: trying an endpoint, step by step;
//! - `line`: a connection that is opened anew when it was lost; `backoff`: how long to wait;
//! - `lldp`: whom a host hears on its interfaces; `vxlan`: where its tunnels lead; `traffic`: what
//!   went over its interfaces; `question`: asking its own programs for these;
//! - `keys`: keys, known hosts, certificates.

mod backoff;
mod check;
mod contact;
mod host;
mod inventory;
mod keys;
mod line;
mod lldp;
mod polling;
mod quarantine;
mod question;
mod supervisor;
mod tracked;
mod traffic;
mod vxlan;

#[cfg(test)]
pub(crate) use inventory::list;

pub(crate) use check::Checked;
pub(crate) use contact::{EndpointContact, EndpointTimes, HostContact, HostTimes};
pub(crate) use inventory::{can, driver};
pub use keys::KeyName;
pub(crate) use keys::KeyStore;
pub(crate) use line::{Line, Way};

use crate::{HostAddresses, HostSettings, discovery::Update, measurement::Sampler};
use libvirt::{Budget, Connection, Error};
use model::{Driver, HostId, HostReport, RouterId};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// How long one call on a host may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// How many calls on one host may hang; beyond that, nothing more is opened for it.
pub(crate) const HANGING: usize = 8;

/// How long a host that is removed may take to let go.
const PARTING: Duration = Duration::from_secs(3);

/// What can be done to a router.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Suspend,
    Resume,
    Start,
    Reboot,
    Reset,
    Destroy,
}

/// Why a host did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no connection to it now.
    NotConnected,
    /// The router does not answer its hypervisor: it was not asked.
    Sticks(String),
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
    hosts: RwLock<BTreeMap<HostId, Member>>,
    /// Grows with every contact, so that what is made of contact times can be kept until then.
    generation: Arc<AtomicU64>,
    surroundings: Arc<Surroundings>,
}

#[derive(Debug)]
struct Member {
    contact: Arc<HostContact>,
    addresses: HostAddresses,
    stop: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// Asks to look at an endpoint anew, and to be told once the topology shows it.
#[derive(Debug)]
pub(crate) struct Refresh {
    /// One router; all that there is, networks too, if absent.
    pub router: Option<RouterId>,
    pub published: oneshot::Sender<()>,
}

/// What all supervisors are given.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub updates: mpsc::Sender<Update>,
    pub sampler: Sampler,
    pub sample_interval: Duration,
    pub relist_interval: Duration,
    pub facts_interval: Duration,
    pub lldp_interval: Duration,
    pub keys: KeyStore,
    pub stop: CancellationToken,
}

impl Fleet {
    /// Starts a supervisor for every endpoint. The answer's second part becomes true once every
    /// host was tried and the topology shows how that went.
    pub fn start(
        hosts: Vec<HostSettings>,
        reports: &BTreeMap<HostId, HostReport>,
        surroundings: Surroundings,
    ) -> (Self, watch::Receiver<bool>) {
        let fleet = Self {
            hosts: RwLock::default(),
            generation: Arc::default(),
            surroundings: Arc::new(surroundings),
        };
        let mut tried = Vec::new();
        for settings in hosts {
            let id = crate::service::translate::host_id(&settings.id);
            if let Some(report) = reports.get(&id).cloned() {
                tried.push(fleet.add(&settings, report));
            }
        }
        let (ready, is_ready) = watch::channel(false);
        tokio::spawn(async move {
            for done in tried {
                // A host that ends before is one of a server that ends, or was removed.
                let _ = done.await;
            }
            ready.send_replace(true);
        });
        (fleet, is_ready)
    }

    /// Takes a host into the fleet and begins to connect to it. The answer comes once it was tried
    /// and the topology shows how that went.
    pub fn add(&self, settings: &HostSettings, report: HostReport) -> oneshot::Receiver<()> {
        let budget = Budget::new(HANGING);
        let ways: Vec<_> = (settings.endpoints.iter())
            .map(|endpoint| self.way(endpoint, budget.clone()))
            .collect();
        let contact = Arc::new(HostContact::new(&report, budget, &self.generation));
        let stop = self.surroundings.stop.child_token();
        let (first, done) = oneshot::channel();
        let id = report.id.clone();
        let running = host::run(
            report,
            ways,
            host::Questions {
                lldp: settings.lldp.clone(),
                vxlan: settings.vxlan.clone(),
                traffic: settings.traffic.clone(),
            },
            Arc::clone(&contact),
            first,
            Arc::clone(&self.surroundings),
        );
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            stopped.run_until_cancelled(running).await;
        });
        let member = Member {
            contact,
            addresses: settings.addresses.clone(),
            stop,
            task: Mutex::new(Some(task)),
        };
        let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
        hosts.insert(id, member);
        done
    }

    /// Lets a host go. When this returns, nothing more is reported of it. Answers whether it was
    /// there.
    pub async fn remove(&self, host: &HostId) -> bool {
        let member = {
            let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
            hosts.remove(host)
        };
        let Some(member) = member else {
            return false;
        };
        self.generation.fetch_add(1, Ordering::AcqRel);
        member.stop.cancel();
        let task = member.take_task();
        if let Some(task) = task
            && tokio::time::timeout(PARTING, task).await.is_err()
        {
            tracing::warn!(%host, "a host that was removed is slow to end");
        }
        true
    }

    fn way(&self, endpoint: &crate::EndpointSettings, budget: Budget) -> Way {
        let keys = &self.surroundings.keys;
        Way {
            uri: endpoint.uri.clone(),
            credentials: keys.credentials(&endpoint.uri, endpoint.key.as_ref()),
            budget,
        }
    }

    /// Tries an endpoint, step by step; `known` tells which host has a machine's UUID.
    pub async fn check(
        &self,
        endpoint: &crate::EndpointSettings,
        known: impl Fn(uuid::Uuid) -> Option<String>,
    ) -> Checked {
        let way = self.way(endpoint, Budget::new(1));
        let complaint =
            (endpoint.key.as_ref()).and_then(|key| self.surroundings.keys.complaint(key));
        check::check(&way, complaint, known).await
    }

    /// When each host and its endpoints were heard of last.
    pub fn times(&self) -> BTreeMap<HostId, HostTimes> {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        hosts
            .iter()
            .map(|(id, member)| (id.clone(), member.contact.times()))
            .collect()
    }

    /// A number that changes whenever [`Self::times`] does.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// A host's contact.
    pub fn contact(&self, host: &HostId) -> Option<Arc<HostContact>> {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        hosts.get(host).map(|member| Arc::clone(&member.contact))
    }

    /// The connection over which an endpoint is acted on, for calls that do not take long.
    pub async fn connection(&self, host: &HostId, driver: Driver) -> Result<Connection, Failure> {
        let control = self.endpoint(host, driver)?.control();
        let control = control.ok_or(Failure::NotConnected)?;
        Ok(control.connection().await?)
    }

    /// A connection to an endpoint for one piece of work that takes long.
    pub async fn session(
        &self,
        host: &HostId,
        driver: Driver,
        purpose: &str,
    ) -> Result<Connection, Failure> {
        let control = self.endpoint(host, driver)?.control();
        let control = control.ok_or(Failure::NotConnected)?;
        Ok(control.session(&format!("{purpose}:{host}")).await?)
    }

    /// A host's further addresses.
    pub fn addresses(&self, host: &HostId) -> Option<HostAddresses> {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        hosts.get(host).map(|member| member.addresses.clone())
    }

    /// How an endpoint is reached.
    pub fn uri(&self, host: &HostId, driver: Driver) -> Option<libvirt::Uri> {
        let control = self.endpoint(host, driver).ok()?.control()?;
        Some(control.uri().clone())
    }

    /// Acts on a router, then reads it anew; when this returns, the topology shows what came of
    /// it.
    pub async fn act(
        &self,
        host: &HostId,
        driver: Driver,
        router: RouterId,
        action: Action,
    ) -> Result<(), Failure> {
        let contact = self.endpoint(host, driver)?;
        if let Some(message) = contact.message(router) {
            return Err(Failure::Sticks(message));
        }
        let control = contact.control().ok_or(Failure::NotConnected)?;
        let connection = control.connection().await?;
        let done = match action {
            Action::Suspend => connection.suspend(router.0).await,
            Action::Resume => connection.resume(router.0).await,
            Action::Start => connection.start_domain(router.0).await,
            Action::Reboot => connection.reboot(router.0).await,
            Action::Reset => connection.reset(router.0).await,
            Action::Destroy => connection.destroy_domain(router.0).await,
        };
        if let Err(Error::Deadline { domain, .. }) = &done {
            contact.hung(domain.map(RouterId));
        }
        // Also when it failed: what the host says is then another thing than what was known.
        let refreshed = self.refresh(host, driver, router).await;
        done?;
        refreshed
    }

    /// Reads a router anew; when this returns, the topology shows it.
    pub async fn refresh(
        &self,
        host: &HostId,
        driver: Driver,
        router: RouterId,
    ) -> Result<(), Failure> {
        self.look_again(host, driver, Some(router)).await
    }

    /// Lists an endpoint anew, which tells of networks as well; when this returns, the topology shows
    /// it.
    pub async fn relist(&self, host: &HostId, driver: Driver) -> Result<(), Failure> {
        self.look_again(host, driver, None).await
    }

    async fn look_again(
        &self,
        host: &HostId,
        driver: Driver,
        router: Option<RouterId>,
    ) -> Result<(), Failure> {
        let contact = self.endpoint(host, driver)?;
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
                domain: router.map(|router| router.0),
            })),
        }
    }

    /// Cancelled when the host is removed, and when the server ends.
    pub fn parting(&self, host: &HostId) -> Result<CancellationToken, Failure> {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        let member = hosts.get(host).ok_or(Failure::NotConnected)?;
        Ok(member.stop.clone())
    }

    /// Waits until all supervisors have ended, which they do once they were told to stop.
    pub async fn ended(&self) {
        let tasks: Vec<_> = {
            let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
            hosts.values().filter_map(Member::take_task).collect()
        };
        for task in tasks {
            // One that failed has ended, too.
            let _ = task.await;
        }
    }

    fn endpoint(&self, host: &HostId, driver: Driver) -> Result<Arc<EndpointContact>, Failure> {
        let contact = self.contact(host).ok_or(Failure::NotConnected)?;
        let mut endpoints = contact.endpoints.iter();
        let endpoint = endpoints.find(|endpoint| endpoint.driver == driver);
        endpoint.cloned().ok_or(Failure::NotConnected)
    }
}

impl Member {
    fn take_task(&self) -> Option<JoinHandle<()>> {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        task.take()
    }
}
