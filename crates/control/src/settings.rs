//! What the control is started with.

use crate::{StartError, demo, fleet::KeyName, images::ImageSettings};
use api::{HostId, LinkTransport};
use libvirt::{Transport, Uri};
use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

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
    /// How often every host is listed in full, events or not, and asked where its VXLANs lead: at
    /// least 1 s.
    pub relist_interval: Duration,
    /// How often that is asked for which libvirt has no events: whether the hosts' interfaces are
    /// up. At least 100 ms.
    pub facts_interval: Duration,
    /// How often hosts are asked whom they hear by LLDP, and what went over their interfaces, those
    /// of which that is to be known: at least 1 s.
    pub lldp_interval: Duration,
    /// How routers are moved.
    pub migration: MigrationSettings,
    /// What virtual links are made of.
    pub virtual_links: LinkSettings,
    /// Whether hosts that offer KVM run new routers with it; if not, QEMU emulates their processors.
    pub use_kvm: bool,
    /// Where images are kept, and come from.
    pub images: ImageSettings,
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
    /// How its `lldpd` is asked whom it hears; it is not, if absent.
    pub lldp: Option<LldpSettings>,
    /// How its kernel is asked where its VXLANs lead; it is not, if absent.
    pub vxlan: Option<KernelSettings>,
    /// How its kernel is asked what went over its interfaces; it is not, if absent.
    pub traffic: Option<KernelSettings>,
    /// Its addresses beside that by which libvirt is reached.
    pub addresses: HostAddresses,
}

/// Addresses of a host beside that by which libvirt is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostAddresses {
    /// Where hypervisors send routers that move to it: a name or an address. What its libvirt says,
    /// its host name, if absent.
    pub migration: Option<String>,
    /// Where its tunnels end. That of the tunnels that are there, if absent.
    pub transport: Option<IpAddr>,
}

/// What destinations of routers are given at most, and how routers are moved.
#[derive(Clone, Copy, Debug)]
pub struct MigrationSettings {
    /// How many jobs may act on one host at once.
    pub per_host: usize,
    /// How long a live migration may move nothing before it is ended.
    pub stall: Duration,
    /// Memory that routers which run on a host may have together, as a multiple of its own.
    pub memory_overcommit: f64,
    /// Virtual processors that they may have together, as a multiple of its processors.
    pub vcpu_overcommit: f64,
}

impl Default for MigrationSettings {
    fn default() -> Self {
        Self {
            per_host: 2,
            stall: Duration::from_mins(1),
            memory_overcommit: 1.0,
            vcpu_overcommit: 8.0,
        }
    }
}

/// What virtual links are made of. Pools are those of the whole fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkSettings {
    /// What carries links between hosts, the first that both can.
    pub transports: Vec<LinkTransport>,
    /// Bridges that are prepared for links between hosts (VXLAN, VLAN), by name: one link each.
    pub bridges: Vec<String>,
    /// Multicast groups: a network and its prefix length.
    pub groups: (Ipv4Addr, u8),
    /// The UDP port of all groups.
    pub group_port: u16,
    /// UDP ports that tunnels listen at.
    pub udp_ports: RangeInclusive<u16>,
    /// Addresses for IPv4 links, a /31 each (RFC 3021).
    pub ipv4: (Ipv4Addr, u8),
    /// Addresses for IPv6 links, a /64 each: at most a /64 itself.
    pub ipv6: (Ipv6Addr, u8),
}

impl Default for LinkSettings {
    fn default() -> Self {
        Self {
            transports: vec![
                LinkTransport::Bridge,
                LinkTransport::Multicast,
                LinkTransport::Udp,
            ],
            bridges: Vec::new(),
            // Of the organisation's own (RFC 2365).
            groups: (Ipv4Addr::new(239, 192, 0, 0), 16),
            group_port: 5558,
            udp_ports: 20000..=29999,
            // Shared address space (RFC 6598): no customer's, and not on the internet.
            ipv4: (Ipv4Addr::new(100, 64, 0, 0), 16),
            // Unique local (RFC 4193).
            ipv6: (Ipv6Addr::new(0xfd76, 0x6d73, 1, 0, 0, 0, 0, 0), 48),
        }
    }
}

/// How a host's `lldpd` is asked whom it hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LldpSettings {
    /// By SSH: `lldpcli` is run there.
    Ssh(SshAddress),
    /// By the socket of an `lldpd` on the server's own machine, an absolute path: `lldpcli` is run
    /// here.
    Socket(PathBuf),
}

/// How a host's kernel is asked, for what libvirt does not tell of its interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KernelSettings {
    /// By SSH: `ip` is run there.
    Ssh(SshAddress),
    /// The host is the server's own machine: `ip` is run here.
    Here,
}

/// Where and as whom to log in by SSH. Every value of this type is safe to hand to `ssh`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshAddress {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    key: Option<KeyName>,
}

impl LldpSettings {
    /// Reads `unix:/PATH` or `ssh://[USER@]HOST[:PORT]`.
    ///
    /// # Errors
    /// What was expected, in a sentence without a full stop.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = Path::new(path);
            if path.is_absolute() {
                return Ok(Self::Socket(path.to_owned()));
            }
        } else if let Some(address) = SshAddress::parse(text)? {
            return Ok(Self::Ssh(address));
        }
        Err(format!(
            "{text:?} is not a way to an lldpd: ssh://root@alpha, unix:/run/lldpd.socket, or ssh \
             for the way of the host's ssh URI, for example, was expected"
        ))
    }

    /// The same with a private key to log in with, if it is by SSH.
    #[must_use]
    pub fn with_key(self, key: Option<&KeyName>) -> Self {
        match self {
            Self::Ssh(address) => Self::Ssh(address.with_key(key.cloned())),
            socket @ Self::Socket(_) => socket,
        }
    }
}

impl KernelSettings {
    /// Reads `here` or `ssh://[USER@]HOST[:PORT]`.
    ///
    /// # Errors
    /// What was expected, in a sentence without a full stop.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "here" {
            return Ok(Self::Here);
        }
        if let Some(address) = SshAddress::parse(text)? {
            return Ok(Self::Ssh(address));
        }
        Err(format!(
            "{text:?} is not a way to a host's kernel: ssh://root@alpha, here for the machine of \
             the server, or ssh for the way of the host's ssh URI, for example, was expected"
        ))
    }

    /// The same with a private key to log in with, if it is by SSH.
    #[must_use]
    pub fn with_key(self, key: Option<&KeyName>) -> Self {
        match self {
            Self::Ssh(address) => Self::Ssh(address.with_key(key.cloned())),
            here @ Self::Here => here,
        }
    }

    /// Where to log in, if it is by SSH.
    pub(crate) fn address(&self) -> Option<&SshAddress> {
        match self {
            Self::Ssh(address) => Some(address),
            Self::Here => None,
        }
    }
}

impl SshAddress {
    /// Reads `ssh://[USER@]HOST[:PORT]`; nothing, if it is something else. The rules for names,
    /// users and ports are those of libvirt's URIs, whose sentences tell what is wrong.
    fn parse(text: &str) -> Result<Option<Self>, String> {
        let Some(address) = text.strip_prefix("ssh://") else {
            return Ok(None);
        };
        if address.contains('/') {
            return Ok(None);
        }
        let uri = Uri::parse(&format!("qemu+ssh://{address}/system"));
        Ok(Self::of(&uri.map_err(|error| error.to_string())?))
    }

    /// Where a libvirt URI leads, if it does so by SSH.
    pub fn of(uri: &Uri) -> Option<Self> {
        let host = uri.host().filter(|_| uri.transport() == Transport::Ssh)?;
        Some(Self {
            user: uri.user().map(str::to_owned),
            // As ssh has IPv6 addresses.
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port(),
            key: None,
        })
    }

    /// The same with a private key to log in with.
    #[must_use]
    pub fn with_key(self, key: Option<KeyName>) -> Self {
        Self { key, ..self }
    }

    /// The user to log in as.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// A name or an address.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The port, if it is not the usual one.
    pub(crate) fn port(&self) -> Option<u16> {
        self.port
    }

    /// The key to log in with.
    pub(crate) fn key(&self) -> Option<&KeyName> {
        self.key.as_ref()
    }
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
    /// A host with one endpoint, without a name, a site or a key, asked for nothing but by libvirt.
    pub fn new(id: HostId, uri: libvirt::Uri) -> Self {
        Self {
            id,
            name: None,
            site: None,
            endpoints: vec![EndpointSettings { uri, key: None }],
            lldp: None,
            vxlan: None,
            traffic: None,
            addresses: HostAddresses::default(),
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
    /// How long it takes to get through it.
    pub latency: Option<Duration>,
}

impl Settings {
    /// How often hosts are sampled if nothing else is set.
    pub const SAMPLE_INTERVAL: Duration = Duration::from_secs(10);

    /// How often hosts are listed in full if nothing else is set.
    pub const RELIST_INTERVAL: Duration = Duration::from_mins(1);

    /// How often facts without events are asked for if nothing else is set.
    pub const FACTS_INTERVAL: Duration = Duration::from_secs(2);

    /// How often hosts are asked whom they hear by LLDP if nothing else is set.
    pub const LLDP_INTERVAL: Duration = Duration::from_secs(10);

    /// An empty fleet.
    pub fn new(data: PathBuf) -> Self {
        Self {
            data,
            hosts: Vec::new(),
            links: Vec::new(),
            sample_interval: Self::SAMPLE_INTERVAL,
            relist_interval: Self::RELIST_INTERVAL,
            facts_interval: Self::FACTS_INTERVAL,
            lldp_interval: Self::LLDP_INTERVAL,
            migration: MigrationSettings::default(),
            virtual_links: LinkSettings::default(),
            use_kvm: true,
            images: ImageSettings::default(),
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
        if self.lldp_interval < second {
            return refuse(format!(
                "the LLDP interval is {:?}: at least 1 s was expected",
                self.lldp_interval
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
