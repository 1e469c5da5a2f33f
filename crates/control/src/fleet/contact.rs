//! What a supervisor shares with whoever reads or acts.

use super::{Line, Refresh, quarantine::Quarantine};
use jiff::Timestamp;
use libvirt::Budget;
use model::{Driver, HostReport, RouterId};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};
use tokio::sync::mpsc;

/// Routers that may be asked for at once; whoever asks for more waits.
const REFRESHES: usize = 64;

/// Contact with one host.
#[derive(Debug)]
pub(crate) struct HostContact {
    pub endpoints: Vec<Arc<EndpointContact>>,
    /// When it told whom it hears.
    neighbors: Moment,
    /// When it told where its VXLANs lead.
    vxlans: Moment,
    budget: Budget,
    generation: Arc<AtomicU64>,
}

/// Contact with one endpoint.
#[derive(Debug)]
pub(crate) struct EndpointContact {
    pub driver: Driver,
    pub refreshes: mpsc::Sender<Refresh>,
    /// Until the supervisor takes it.
    asked: Mutex<Option<mpsc::Receiver<Refresh>>>,
    last: Moment,
    listed: Moment,
    interfaces: Moment,
    /// Domains that were read since the last listing began.
    read: Mutex<HashMap<RouterId, Timestamp>>,
    /// Where acting goes; absent while there is no connection.
    control: Mutex<Option<Arc<Line>>>,
    quarantine: Mutex<Quarantine>,
    generation: Arc<AtomicU64>,
}

/// When what is told of a host was true; absent for never.
#[derive(Clone, Debug)]
pub(crate) struct HostTimes {
    pub endpoints: Vec<EndpointTimes>,
    /// When it told whom it hears by LLDP.
    pub neighbors: Option<Timestamp>,
    /// When it told where its VXLANs lead.
    pub vxlans: Option<Timestamp>,
}

/// When what is told of an endpoint was true; absent for never.
#[derive(Clone, Debug)]
pub(crate) struct EndpointTimes {
    pub driver: Driver,
    /// When it was heard of last: what events tell was true then.
    pub last: Option<Timestamp>,
    /// When it was listed last: what no event tells was true then.
    pub listed: Option<Timestamp>,
    /// When its host's interfaces were asked for last.
    pub interfaces: Option<Timestamp>,
    /// When single domains were read, since the last listing.
    pub read: HashMap<RouterId, Timestamp>,
}

/// A time that one writes and others read.
#[derive(Debug)]
struct Moment(AtomicI64);

impl Moment {
    fn new(at: Option<Timestamp>) -> Self {
        Self(AtomicI64::new(
            at.map_or(i64::MIN, Timestamp::as_millisecond),
        ))
    }

    fn get(&self) -> Option<Timestamp> {
        match self.0.load(Ordering::Acquire) {
            i64::MIN => None,
            at => Timestamp::from_millisecond(at).ok(),
        }
    }

    fn set(&self, at: Timestamp) {
        self.0.store(at.as_millisecond(), Ordering::Release);
    }
}

impl HostContact {
    pub fn new(report: &HostReport, budget: Budget, generation: &Arc<AtomicU64>) -> Self {
        let last = report.inventory.as_ref().map(|inventory| inventory.as_of);
        let endpoint = |driver| {
            let (refreshes, asked) = mpsc::channel(REFRESHES);
            Arc::new(EndpointContact {
                driver,
                refreshes,
                asked: Mutex::new(Some(asked)),
                last: Moment::new(last),
                listed: Moment::new(last),
                interfaces: Moment::new(last),
                read: Mutex::default(),
                control: Mutex::default(),
                quarantine: Mutex::default(),
                generation: Arc::clone(generation),
            })
        };
        let endpoints = report.endpoints.iter();
        Self {
            endpoints: endpoints.map(|of| endpoint(of.driver)).collect(),
            neighbors: Moment::new(last),
            vxlans: Moment::new(last),
            budget,
            generation: Arc::clone(generation),
        }
    }

    pub fn times(&self) -> HostTimes {
        let endpoints = self.endpoints.iter();
        HostTimes {
            endpoints: endpoints.map(|endpoint| endpoint.times()).collect(),
            neighbors: self.neighbors.get(),
            vxlans: self.vxlans.get(),
        }
    }

    /// It was asked then whom it hears, and told.
    pub fn neighbors_told(&self, at: Timestamp) {
        self.neighbors.set(at);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// It was asked then where its VXLANs lead, and told.
    pub fn vxlans_told(&self, at: Timestamp) {
        self.vxlans.set(at);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Calls on the host that hang now.
    pub fn hanging(&self) -> usize {
        self.budget.hanging()
    }
}

impl EndpointContact {
    /// Where refreshes arrive; what is taken is taken once.
    pub fn take_refreshes(&self) -> mpsc::Receiver<Refresh> {
        lock(&self.asked)
            .take()
            .unwrap_or_else(|| mpsc::channel(1).1)
    }

    pub fn times(&self) -> EndpointTimes {
        EndpointTimes {
            driver: self.driver,
            last: self.last.get(),
            listed: self.listed.get(),
            interfaces: self.interfaces.get(),
            read: lock(&self.read).clone(),
        }
    }

    /// It was heard of just now.
    pub fn heard(&self) {
        self.last.set(Timestamp::now());
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// It was listed in full; the listing began then.
    pub fn listed(&self, at: Timestamp) {
        self.listed.set(at);
        self.interfaces.set(at);
        lock(&self.read).retain(|_, read| *read > at);
    }

    /// A domain was read just now.
    pub fn read(&self, id: RouterId) {
        lock(&self.read).insert(id, Timestamp::now());
        self.heard();
    }

    /// Its host's interfaces were asked for then, and told.
    pub fn interfaces_told(&self, at: Timestamp) {
        self.interfaces.set(at);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    pub fn control(&self) -> Option<Arc<Line>> {
        lock(&self.control).clone()
    }

    pub fn set_control(&self, line: Option<Arc<Line>>) {
        *lock(&self.control) = line;
    }

    /// A call hung: on this domain, or on one that is not known.
    pub fn hung(&self, domain: Option<RouterId>) {
        lock(&self.quarantine).hung(domain, Timestamp::now());
    }

    /// Which domains' processes have answered, of all, and which have not. Returns which to ask
    /// alone.
    pub fn polled(&self, domains: impl IntoIterator<Item = (RouterId, bool)>) -> Vec<RouterId> {
        lock(&self.quarantine).polled(domains)
    }

    /// A domain's process answered.
    pub fn answered(&self, id: RouterId) {
        lock(&self.quarantine).answered(id);
    }

    /// Only these domains are active still.
    pub fn retain(&self, is_active: impl Fn(RouterId) -> bool) {
        lock(&self.quarantine).retain(is_active);
    }

    /// Whether a domain sticks.
    pub fn sticks(&self, id: RouterId) -> bool {
        lock(&self.quarantine).holds(id)
    }

    /// What is wrong with a domain, if it sticks.
    pub fn message(&self, id: RouterId) -> Option<String> {
        lock(&self.quarantine).sticking().get(&id).map(message)
    }

    /// What is wrong with the domains that stick.
    pub fn messages(&self) -> BTreeMap<RouterId, String> {
        let quarantine = lock(&self.quarantine);
        let sticking = quarantine.sticking().iter();
        sticking.map(|(id, since)| (*id, message(since))).collect()
    }

    /// The domains that stick, and since when.
    pub fn sticking(&self) -> BTreeMap<RouterId, Timestamp> {
        lock(&self.quarantine).sticking().clone()
    }
}

/// A sentence that stays the same while the cause does.
fn message(since: &Timestamp) -> String {
    format!(
        "Its hypervisor process has not answered since {}: it is stopped, or waits for storage that \
         does not answer. It is asked nothing until it does.",
        since.strftime("%Y-%m-%d %H:%M:%S UTC")
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
