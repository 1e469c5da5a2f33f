//! Virtual routers: libvirt domains.

use crate::{Driver, HostFreshness, HostId, ImageId, MacAddress, RouterId, SegmentId, Timestamp};
use serde::{Deserialize, Serialize};

/// A virtual router: a libvirt domain on a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct Router {
    /// Its domain's UUID.
    pub id: RouterId,
    /// Its domain's name.
    pub name: String,
    /// The domain's title, a line for people.
    pub title: Option<String>,
    /// The host that it is on.
    pub host: HostId,
    /// The host that it is being moved to, while it is.
    pub migrating_to: Option<HostId>,
    /// The libvirt driver of the host that runs it.
    pub driver: Driver,
    /// Its state as last seen.
    pub state: RouterState,
    /// What is wrong with it, in a sentence: that its hypervisor process does not answer.
    pub message: Option<String>,
    /// Whether its host is in contact, so that the state is current.
    pub current: bool,
    /// When what is told here was true.
    pub as_of: Timestamp,
    /// The virtual network that it was made for, if its definition names one.
    pub virtual_network: Option<String>,
    /// Free labels from its definition.
    pub tags: Vec<String>,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Whether it starts with its host.
    pub autostart: bool,
    /// Whether its definition outlives a stop.
    pub persistent: bool,
    /// Its network interfaces.
    pub interfaces: Vec<RouterInterface>,
    /// Its disks.
    pub disks: Vec<Disk>,
    /// The image that it was made from, if its definition names one.
    #[serde(default)]
    pub image: Option<ImageId>,
}

/// The state of a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum RouterState {
    /// It runs.
    Running,
    /// It is paused in memory: resume makes it go on.
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
}

/// A network interface of a router.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct RouterInterface {
    /// Its MAC address: with the router's id, its identity.
    pub mac: MacAddress,
    /// How it is attached.
    pub kind: InterfaceKind,
    /// What it is attached to: the bridge, the network, the host's interface, or the addresses of
    /// a tunnel.
    pub source: Option<String>,
    /// The device at the host's side, where there is one.
    pub device: Option<String>,
    /// The model that the guest sees.
    pub model: Option<String>,
    /// Whether its cable is plugged.
    pub link: LinkState,
    /// When that was true: libvirt has no event for it, so it is asked for at intervals.
    pub link_as_of: Timestamp,
    /// IP addresses that are known, with prefix length where known.
    pub addresses: Vec<String>,
    /// The segment that it is in.
    pub segment: Option<SegmentId>,
}

/// How a router's interface is attached: libvirt's interface types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum InterfaceKind {
    /// To a bridge of the host.
    Bridge,
    /// To a libvirt network.
    Network,
    /// To an interface of the host (macvtap).
    Direct,
    /// Through a UDP tunnel to one peer.
    Udp,
    /// Through a TCP tunnel.
    Tcp,
    /// To a multicast group.
    Multicast,
    /// To user-mode networking.
    User,
    /// To a device that something else wires.
    Ethernet,
    /// In another way.
    Other,
}

impl InterfaceKind {
    /// The words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Network => "network",
            Self::Direct => "direct",
            Self::Udp => "UDP tunnel",
            Self::Tcp => "TCP tunnel",
            Self::Multicast => "multicast group",
            Self::User => "user-mode network",
            Self::Ethernet => "ethernet",
            Self::Other => "other",
        }
    }
}

/// Whether a link or an interface is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
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
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

/// A disk of a router.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct Disk {
    /// Its name in the guest, for example `vda`.
    pub target: String,
    /// `disk`, `cdrom`, `floppy`, `lun`, or `filesystem`.
    pub device: String,
    /// The file, volume or device that backs it.
    pub source: Option<String>,
    /// Its format, for example `qcow2`.
    pub format: Option<String>,
}

/// Asks for the routers that match; without any condition, for all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase", default)]
pub struct ListRoutersRequest {
    /// Only those on this host.
    pub host: Option<HostId>,
    /// Only those in this state.
    pub state: Option<RouterState>,
    /// Only those of this virtual network.
    pub virtual_network: Option<String>,
}

/// The routers that match, by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ListRoutersReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// How current each host's data is.
    pub sources: Vec<HostFreshness>,
    /// The routers.
    pub routers: Vec<Router>,
}

/// Asks for one router with its present measurements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct GetRouterStatusRequest {
    /// The router.
    pub router: RouterId,
}

/// One router with its present measurements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct GetRouterStatusReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// How current the host's data is.
    pub source: HostFreshness,
    /// The router.
    pub router: Router,
    /// What was measured last; absent if nothing was yet.
    pub measurement: Option<RouterMeasurement>,
}

/// What was measured of a router at one time. Rates are over the last sampling interval and
/// absent until there are two samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct RouterMeasurement {
    /// When it was measured.
    pub at: Timestamp,
    /// Whether the values were made up for the demo fleet.
    pub simulated: bool,
    /// Processor time used since the router started, in nanoseconds.
    pub cpu_time_nanoseconds: Option<u64>,
    /// Processors in use: 1 is one processor fully used.
    pub cpus_used: Option<f64>,
    /// Memory in use inside the guest, in bytes, where its balloon driver says.
    pub memory_used_bytes: Option<u64>,
    /// Memory given to the guest, in bytes.
    pub memory_maximum_bytes: Option<u64>,
    /// Its interfaces that have counters.
    pub interfaces: Vec<InterfaceMeasurement>,
    /// Its disks that have counters.
    pub disks: Vec<DiskMeasurement>,
}

/// What was measured of a router's interface, from the router's point of view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct InterfaceMeasurement {
    /// The interface.
    pub mac: MacAddress,
    /// Bytes received.
    pub received_bytes: Option<u64>,
    /// Bytes sent.
    pub transmitted_bytes: Option<u64>,
    /// Packets received.
    pub received_packets: Option<u64>,
    /// Packets sent.
    pub transmitted_packets: Option<u64>,
    /// Receive errors and drops.
    pub receive_errors: Option<u64>,
    /// Transmit errors and drops.
    pub transmit_errors: Option<u64>,
    /// Bits received a second.
    pub received_bits_per_second: Option<f64>,
    /// Bits sent a second.
    pub transmitted_bits_per_second: Option<f64>,
}

/// What was measured of a router's disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DiskMeasurement {
    /// The disk's name in the guest.
    pub target: String,
    /// Bytes read.
    pub read_bytes: Option<u64>,
    /// Bytes written.
    pub written_bytes: Option<u64>,
    /// Bytes read a second.
    pub read_bytes_per_second: Option<f64>,
    /// Bytes written a second.
    pub written_bytes_per_second: Option<f64>,
}

/// Asks to pause a router in memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct SuspendRouterRequest {
    /// The router.
    pub router: RouterId,
    /// An id of the caller's choice: the same id from the same caller returns the first result
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The router is suspended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct SuspendRouterReply {
    /// When it was done.
    pub as_of: Timestamp,
    /// The router as it is now.
    pub router: Router,
}

/// Asks to let a suspended router go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ResumeRouterRequest {
    /// The router.
    pub router: RouterId,
    /// An id of the caller's choice: the same id from the same caller returns the first result
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The router goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ResumeRouterReply {
    /// When it was done.
    pub as_of: Timestamp,
    /// The router as it is now.
    pub router: Router,
}
