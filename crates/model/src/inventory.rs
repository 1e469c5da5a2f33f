//! What hosts report.

use crate::{HostId, Mac, RouterId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};
use uuid::Uuid;

/// All that is known of one registered host: its registration, the contact with it, and what it
/// reported last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostReport {
    /// The id given at registration.
    pub id: HostId,
    /// The name for people.
    pub name: String,
    /// Where it stands, if configured.
    pub site: Option<String>,
    /// Who registered it.
    pub origin: Origin,
    /// Present while nothing new may land there.
    #[serde(default)]
    pub maintenance: Option<Maintenance>,
    /// The libvirt drivers by which it is reached, one endpoint each.
    pub endpoints: Vec<Endpoint>,
    /// What it reported last; absent if it never did. It outlives the contact.
    pub inventory: Option<Arc<HostInventory>>,
    /// Whom it hears on its interfaces, where it is asked for that.
    #[serde(default)]
    pub neighbors: Vec<Neighbor>,
    /// Where its VXLAN interfaces lead, where it is asked for that.
    #[serde(default)]
    pub vxlans: Vec<Vxlan>,
}

impl HostReport {
    /// Whether the host answers: as long as one endpoint does, so does the host; as long as one
    /// that did or should does not, something is wrong with it.
    pub fn contact(&self) -> Contact {
        Contact::together(self.endpoints.iter().map(|endpoint| endpoint.contact))
    }

    /// What is wrong with the contact, endpoint by endpoint.
    pub fn message(&self) -> Option<String> {
        if let [only] = &self.endpoints[..] {
            return only.message.clone();
        }
        let each: Vec<_> = (self.endpoints.iter())
            .filter_map(|endpoint| {
                let message = endpoint.message.as_ref()?;
                Some(format!("{}: {message}", endpoint.driver.as_str()))
            })
            .collect();
        (!each.is_empty()).then(|| each.join(" "))
    }

    /// Whether the endpoint that a domain was seen through answers.
    pub fn is_current(&self, domain: &Domain) -> bool {
        is_current(&self.endpoints, domain.driver)
    }
}

/// Whether the endpoint of this driver answers.
pub(crate) fn is_current(endpoints: &[Endpoint], driver: Driver) -> bool {
    let mut endpoints = endpoints.iter();
    endpoints
        .find(|endpoint| endpoint.driver == driver)
        .is_some_and(|endpoint| endpoint.contact.is_current())
}

/// One libvirt driver of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The driver.
    pub driver: Driver,
    /// The libvirt URI.
    pub uri: String,
    /// Whether it answers.
    pub contact: Contact,
    /// What is wrong when it does not, in a sentence that stays the same while the cause does.
    pub message: Option<String>,
}

/// That a host is kept free of what is new.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// Why, in a line for people.
    pub reason: Option<String>,
}

/// Who registered a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// The configuration.
    Configured,
    /// Somebody, while the server ran.
    Registered,
}

/// A libvirt driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Driver {
    /// QEMU and KVM.
    Qemu,
    /// Xen by libxl.
    Xen,
    /// Linux containers.
    Lxc,
    /// libvirt's test driver.
    Test,
}

/// Whether a host answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Contact {
    /// The first connection is being made.
    Connecting,
    /// It answers.
    Online,
    /// It answers, but some calls miss their deadline.
    Degraded,
    /// It does not answer.
    Unreachable,
}

impl Contact {
    /// Whether what the host reported is kept up to date.
    pub fn is_current(self) -> bool {
        matches!(self, Self::Online | Self::Degraded)
    }

    fn together(endpoints: impl IntoIterator<Item = Self>) -> Self {
        let all: Vec<_> = endpoints.into_iter().collect();
        let any = |contact| all.contains(&contact);
        if any(Self::Online) || any(Self::Degraded) {
            if any(Self::Degraded) || any(Self::Unreachable) {
                Self::Degraded
            } else {
                // One that is still being tried for the first time is not wrong.
                Self::Online
            }
        } else if any(Self::Unreachable) {
            Self::Unreachable
        } else {
            Self::Connecting
        }
    }

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Online => "online",
            Self::Degraded => "degraded",
            Self::Unreachable => "unreachable",
        }
    }
}

/// What one host reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostInventory {
    /// The host.
    pub host: HostId,
    /// When it reported so.
    pub as_of: Timestamp,
    /// The machine.
    pub node: NodeFacts,
    /// Its network interfaces.
    pub interfaces: Vec<HostInterface>,
    /// Its libvirt networks.
    pub networks: Vec<Network>,
    /// Its domains.
    pub domains: BTreeMap<RouterId, Arc<Domain>>,
}

/// Facts of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFacts {
    /// The host name that libvirt reports.
    pub hostname: Option<String>,
    /// The host UUID that libvirt reports: evidence, not identity.
    pub uuid: Option<Uuid>,
    /// The processor model.
    pub cpu_model: Option<String>,
    /// Logical processors.
    pub cpus: Option<u32>,
    /// Physical memory in bytes.
    pub memory_bytes: Option<u64>,
    /// The hypervisor and its version.
    pub hypervisor: Option<String>,
}

/// A network interface of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostInterface {
    /// Its name.
    pub name: String,
    /// `ethernet`, `bridge`, `bond`, `vlan`.
    pub kind: String,
    /// Its MAC address, where known.
    pub mac: Option<Mac>,
    /// Whether it is up.
    pub state: LinkState,
    /// The ports of a bridge or bond.
    pub ports: Vec<String>,
    /// Its speed in bits a second, where known.
    #[serde(default)]
    pub speed_bits_per_second: Option<u64>,
}

/// Somebody at the other end of a cable, by what it says of itself over LLDP.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Neighbor {
    /// The interface that it is heard on.
    pub interface: String,
    /// What it is called: a host's or a switch's name.
    pub system: Option<String>,
    /// The id of the machine, often a MAC address.
    pub chassis: Option<String>,
    /// The name of its port.
    pub port: Option<String>,
    /// The MAC address of its port.
    pub mac: Option<Mac>,
    /// How long what it said holds if it says nothing more, in seconds.
    pub hold_seconds: u64,
}

/// One end of a VXLAN (RFC 7348): an interface of a host that carries frames over UDP to the
/// interfaces of other hosts with the same identifier and port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Vxlan {
    /// The interface, often a port of a bridge.
    pub interface: String,
    /// The VXLAN network identifier, 24 bits.
    pub id: u32,
    /// The UDP port that it sends to and listens at.
    pub port: u16,
    /// How it finds the others.
    pub reach: VxlanReach,
}

/// How the ends of a VXLAN find each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VxlanReach {
    /// By a multicast group: all that have joined it.
    Group(IpAddr),
    /// By a list of the other ends, to each of which it sends what is for all.
    Peers {
        /// Its own address.
        local: IpAddr,
        /// Theirs.
        remotes: BTreeSet<IpAddr>,
    },
}

/// Whether a link or an interface is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LinkState {
    /// It is up.
    Up,
    /// It is down.
    Down,
    /// Nobody could say.
    Unknown,
}

impl LinkState {
    /// The state of what is up only when both parts are.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Down, _) | (_, Self::Down) => Self::Down,
            (Self::Up, Self::Up) => Self::Up,
            _ => Self::Unknown,
        }
    }
}

/// A libvirt network of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its UUID.
    pub id: Uuid,
    /// Its name, unique on its host only.
    pub name: String,
    /// The bridge that carries it, if one does.
    pub bridge: Option<String>,
    /// The host interface that it attaches guests to directly (macvtap), if it does.
    pub device: Option<String>,
}

/// A libvirt domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// Its UUID.
    pub id: RouterId,
    /// Its name.
    pub name: String,
    /// Its title, a line for people.
    pub title: Option<String>,
    /// The driver that runs it.
    pub driver: Driver,
    /// Its state.
    pub state: RouterState,
    /// What is wrong with it, in a sentence that stays the same while the cause does.
    pub message: Option<String>,
    /// Whether its definition outlives a stop.
    pub persistent: bool,
    /// Whether it starts with its host.
    pub autostart: bool,
    /// The virtual network that it was made for.
    pub virtual_network: Option<String>,
    /// Free labels.
    pub tags: Vec<String>,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Its network interfaces.
    pub interfaces: Vec<Nic>,
    /// Its disks.
    pub disks: Vec<Disk>,
    /// The image that it was made from.
    pub image: Option<Uuid>,
}

/// The state of a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RouterState {
    /// It runs.
    Running,
    /// It is paused in memory.
    Suspended,
    /// It is on its way to being shut off.
    ShuttingDown,
    /// It is defined and not running.
    ShutOff,
    /// It crashed.
    Crashed,
    /// libvirt reports no state.
    Unknown,
}

impl Driver {
    /// libvirt's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::Xen => "xen",
            Self::Lxc => "lxc",
            Self::Test => "test",
        }
    }
}

impl RouterState {
    /// The words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Suspended => "suspended",
            Self::ShuttingDown => "shutting down",
            Self::ShutOff => "shut off",
            Self::Crashed => "crashed",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the router is in its host's memory.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Suspended | Self::ShuttingDown)
    }
}

/// A network interface of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nic {
    /// Its MAC address.
    pub mac: Mac,
    /// What it is attached to.
    pub attachment: Attachment,
    /// The device at the host's side, where there is one.
    pub device: Option<String>,
    /// The model that the guest sees.
    pub model: Option<String>,
    /// Whether its cable is plugged.
    pub link: LinkState,
    /// IP addresses that are known.
    pub addresses: Vec<String>,
}

/// What a network interface is attached to. Addresses of tunnels are texts `address:port`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Attachment {
    /// A bridge of the host, by name.
    Bridge(String),
    /// A libvirt network of the host, by name.
    Network(String),
    /// A host's interface (macvtap), by name.
    Direct(String),
    /// A UDP tunnel to one peer.
    Udp {
        /// Where it listens.
        local: Option<String>,
        /// Where it sends to.
        remote: Option<String>,
    },
    /// A TCP tunnel, by the address that the server listens at and the client connects to.
    Tcp(Option<String>),
    /// A multicast group.
    Multicast(Option<String>),
    /// User-mode networking: on no segment.
    User,
    /// A device that something else wires.
    Ethernet,
    /// Anything else, in libvirt's word.
    Other(String),
}

/// A disk of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Its name in the guest.
    pub target: String,
    /// `disk`, `cdrom`, `floppy`, `lun`, or `filesystem`.
    pub device: String,
    /// What backs it.
    pub source: Option<String>,
    /// Its format.
    pub format: Option<String>,
}
