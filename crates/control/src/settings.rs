//! What the control is started with.

use crate::{StartError, demo, fleet::KeyName};
use api::HostId;
use std::{collections::BTreeSet, path::PathBuf, time::Duration};

/// What the control is started with.
#[derive(Debug)]
pub struct Settings {
    /// The directory of `vms.db` and `history.db`; made if it is not there.
    pub data: PathBuf,
    /// The fleet.
    pub hosts: Vec<HostSettings>,
    /// Physical links between its hosts.
    pub links: Vec<DeclaredLink>,
    /// How often every host is sampled: from 1 s to 1 h.
    pub sample_interval: Duration,
    /// How often every host is listed in full, events or not: at least 1 s.
    pub relist_interval: Duration,
    /// How often that is asked for which libvirt has no events: whether the hosts' interfaces are
    /// up. At least 100 ms.
    pub facts_interval: Duration,
    /// The demo's made-up measurements; nothing but [`Settings::demo`] sets them.
    pub(crate) demo: Option<demo::Fleet>,
}

/// One registered host.
#[derive(Clone, Debug)]
pub struct HostSettings {
    /// Its id.
    pub id: HostId,
    /// Its name for people; the id if absent.
    pub name: Option<String>,
    /// Where it stands.
    pub site: Option<String>,
    /// How libvirt reaches it: one endpoint a driver.
    pub endpoints: Vec<EndpointSettings>,
}

/// One libvirt driver of a host.
#[derive(Clone, Debug)]
pub struct EndpointSettings {
    /// How libvirt reaches it.
    pub uri: libvirt::Uri,
    /// The private key to log in with, for SSH.
    pub key: Option<KeyName>,
}

impl HostSettings {
    /// A host with one endpoint, without a name, a site or a key.
    pub fn new(id: HostId, uri: libvirt::Uri) -> Self {
        Self {
            id,
            name: None,
            site: None,
            endpoints: vec![EndpointSettings { uri, key: None }],
        }
    }

    /// What is wrong with it, if something is: a sentence without a full stop.
    pub(crate) fn complaint(&self) -> Option<String> {
        let id = &self.id;
        if self.endpoints.is_empty() {
            return Some(format!(
                "the host {id} has no endpoint: at least one is needed"
            ));
        }
        let mut drivers = BTreeSet::new();
        for endpoint in &self.endpoints {
            let driver = endpoint.uri.driver();
            if !drivers.insert(driver) {
                return Some(format!(
                    "the host {id} has two endpoints of the driver {driver}: one for each driver \
                     was expected"
                ));
            }
            if endpoint.key.is_some() && endpoint.uri.transport() != libvirt::Transport::Ssh {
                return Some(format!(
                    "the host {id} has a key for {}: keys are for ssh only",
                    endpoint.uri
                ));
            }
        }
        None
    }
}

/// A physical link that an operator declares.
#[derive(Clone, Debug)]
pub struct DeclaredLink {
    /// One end: a host and its interface.
    pub a: (HostId, String),
    /// The other end.
    pub b: (HostId, String),
    /// Its capacity in bits a second, each way.
    pub capacity_bits_per_second: Option<u64>,
}

impl Settings {
    /// How often hosts are sampled if nothing else is set.
    pub const SAMPLE_INTERVAL: Duration = Duration::from_secs(10);

    /// How often hosts are listed in full if nothing else is set.
    pub const RELIST_INTERVAL: Duration = Duration::from_mins(1);

    /// How often facts without events are asked for if nothing else is set.
    pub const FACTS_INTERVAL: Duration = Duration::from_secs(2);

    /// An empty fleet.
    pub fn new(data: PathBuf) -> Self {
        Self {
            data,
            hosts: Vec::new(),
            links: Vec::new(),
            sample_interval: Self::SAMPLE_INTERVAL,
            relist_interval: Self::RELIST_INTERVAL,
            facts_interval: Self::FACTS_INTERVAL,
            demo: None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), StartError> {
        let refuse = |sentence: String| Err(StartError::Settings(sentence));
        let mut known = BTreeSet::new();
        for host in &self.hosts {
            if !known.insert(&host.id) {
                return refuse(format!(
                    "two hosts have the id {}: give each an id of its own",
                    host.id
                ));
            }
            if let Some(complaint) = host.complaint() {
                return refuse(complaint);
            }
        }
        for link in &self.links {
            for (host, interface) in [&link.a, &link.b] {
                if !known.contains(host) {
                    return refuse(format!(
                        "a declared link ends at {host}, interface {interface}, but no host has \
                         this id: the hosts are {}",
                        list(&known)
                    ));
                }
                if interface.is_empty() {
                    return refuse(format!(
                        "a declared link ends at {host} without an interface: name it, for \
                         example eth1"
                    ));
                }
            }
            if link.a.0 == link.b.0 {
                return refuse(format!(
                    "a declared link has both ends at {}: the ends must be two hosts",
                    link.a.0
                ));
            }
        }
        let second = Duration::from_secs(1);
        let hour = Duration::from_hours(1);
        if !(second..=hour).contains(&self.sample_interval) {
            return refuse(format!(
                "the sample interval is {:?}: from 1 s to 1 h was expected",
                self.sample_interval
            ));
        }
        if self.sample_interval.subsec_nanos() != 0 {
            return refuse(format!(
                "the sample interval is {:?}: whole seconds were expected",
                self.sample_interval
            ));
        }
        if self.relist_interval < second {
            return refuse(format!(
                "the relist interval is {:?}: at least 1 s was expected",
                self.relist_interval
            ));
        }
        if self.facts_interval < Duration::from_millis(100) {
            return refuse(format!(
                "the facts interval is {:?}: at least 100 ms was expected",
                self.facts_interval
            ));
        }
        Ok(())
    }
}

fn list(known: &BTreeSet<&HostId>) -> String {
    if known.is_empty() {
        return "none".to_owned();
    }
    known
        .iter()
        .map(|id| id.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}
