//! Hosts: the physical machines of the fleet.

use crate::{HostId, LinkState, MacAddress, RouterId, Timestamp};
use serde::{Deserialize, Serialize};

/// A physical machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct Host {
    /// The id given at registration.
    pub id: HostId,
    /// The name for people; the id unless another was configured.
    pub name: String,
    /// Where it stands, if configured.
    pub site: Option<String>,
    /// Whether VMS is in contact with it.
    pub state: HostState,
    /// What is wrong when it is not online, in a sentence.
    pub message: Option<String>,
    /// Whether it is in maintenance: nothing new lands there, and what runs there runs on.
    pub maintenance: bool,
    /// Why it is in maintenance, where somebody said so.
    pub maintenance_reason: Option<String>,
    /// When what is told here was true; absent if the host never answered.
    pub as_of: Option<Timestamp>,
    /// The libvirt drivers by which it is reached.
    pub endpoints: Vec<Endpoint>,
    /// Who registered it.
    pub origin: HostOrigin,
    /// The host name that libvirt reports.
    pub hostname: Option<String>,
    /// The host UUID that libvirt reports: evidence, not identity.
    pub uuid: Option<String>,
    /// The processor model.
    pub cpu_model: Option<String>,
    /// Logical processors.
    pub cpus: Option<u32>,
    /// Physical memory in bytes.
    pub memory_bytes: Option<u64>,
    /// The hypervisor and its version.
    pub hypervisor: Option<String>,
    /// Routers defined on it.
    pub routers: u32,
    /// Routers running on it.
    pub running_routers: u32,
    /// Its network interfaces that are known: from libvirt, or as ends of physical links.
    pub interfaces: Vec<HostInterface>,
}

/// One libvirt driver of a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// The libvirt driver.
    pub driver: Driver,
    /// The libvirt URI; it holds no secret.
    pub uri: String,
    /// Whether VMS is in contact with it.
    pub state: HostState,
    /// What is wrong when it is not online, in a sentence.
    pub message: Option<String>,
}

/// Who registered a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum HostOrigin {
    /// The server's configuration names it (or it is of the demo): it is removed there.
    Configured,
    /// It was registered while the server ran, by [`crate::Operations::register_host`].
    Registered,
}

/// How a libvirt driver of a host is reached, in typed fields: the URI is built from them and from
/// nothing else, so that none can be given that runs programs, reads files or switches checks off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct EndpointAddress {
    /// The libvirt driver.
    pub driver: Driver,
    /// How its daemon is reached.
    pub transport: Transport,
    /// Host name or IP address; absent for the transport `local` only.
    pub address: Option<String>,
    /// The port, if it is not the transport's usual one (22 for `ssh`, 16514 for `tls`, 16509 for
    /// `tcp`).
    pub port: Option<u16>,
    /// The user to log in as; for `ssh` only.
    pub user: Option<String>,
    /// The name of a private key in the server's key directory; for `ssh` only. Without one, the
    /// keys of the server's user are tried.
    pub key: Option<String>,
}

/// How a libvirt daemon is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum Transport {
    /// On the server's own machine.
    Local,
    /// By SSH; the host's key must be known to the server's user.
    Ssh,
    /// By TLS; both certificates are checked.
    Tls,
    /// By TCP, neither encrypted nor authenticated: for networks that nobody else reaches.
    Tcp,
}

impl Transport {
    /// All transports, in the order in which a page offers them.
    pub const ALL: [Self; 4] = [Self::Ssh, Self::Tls, Self::Tcp, Self::Local];

    /// The word that stands for it, as in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Ssh => "ssh",
            Self::Tls => "tls",
            Self::Tcp => "tcp",
        }
    }
}

/// A libvirt driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum Driver {
    /// QEMU and KVM.
    Qemu,
    /// Xen by libxl.
    Xen,
    /// Linux containers.
    Lxc,
    /// libvirt's test driver: the demo fleet.
    Test,
}

impl Driver {
    /// All drivers, in the order in which a page offers them.
    pub const ALL: [Self; 4] = [Self::Qemu, Self::Xen, Self::Lxc, Self::Test];

    /// The name that libvirt uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::Xen => "xen",
            Self::Lxc => "lxc",
            Self::Test => "test",
        }
    }
}

/// Whether VMS is in contact with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum HostState {
    /// The first connection is being made.
    Connecting,
    /// It answers.
    Online,
    /// It answers, but some calls miss their deadline.
    Degraded,
    /// It does not answer: what is told of it is old.
    Unreachable,
}

impl HostState {
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

/// A network interface of a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct HostInterface {
    /// Its name, for example `eth0` or `br0`.
    pub name: String,
    /// `ethernet`, `bridge`, `bond`, `vlan`.
    pub kind: String,
    /// Its MAC address, where known.
    pub mac: Option<MacAddress>,
    /// Whether it is up.
    pub state: LinkState,
    /// The ports of a bridge or bond.
    pub ports: Vec<String>,
    /// When that was true: libvirt has no event for it, so it is asked for at intervals. Absent
    /// if the host never told of it (a physical link does).
    pub as_of: Option<Timestamp>,
    /// Its speed in bits a second, where known.
    pub speed_bits_per_second: Option<u64>,
    /// Whom the host hears on it by LLDP and who is no host of the fleet: a switch, for one. Whoever
    /// is a host is the other end of a link.
    pub neighbors: Vec<Neighbor>,
}

/// Somebody at the other end of a cable, by what it says of itself over LLDP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct Neighbor {
    /// What it is called.
    pub system: Option<String>,
    /// The id of the machine, often a MAC address.
    pub chassis: Option<String>,
    /// The name of its port.
    pub port: Option<String>,
    /// The MAC address of its port.
    pub mac: Option<MacAddress>,
}

impl Neighbor {
    /// Who it is and by which port it is heard, for people.
    pub fn describe(&self) -> String {
        let system = self.system.as_ref().or(self.chassis.as_ref());
        let mac = self.mac.map(|mac| mac.to_string());
        let words = [system.cloned(), self.port.clone().or(mac)];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// How current the data of one host is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct HostFreshness {
    /// The host.
    pub host: HostId,
    /// Whether VMS is in contact with it.
    pub state: HostState,
    /// Whether what the reply tells of it is current.
    pub current: bool,
    /// When it was true; absent if the host never answered.
    pub as_of: Option<Timestamp>,
}

/// Asks for all hosts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ListHostsRequest {}

/// All hosts, by id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ListHostsReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// How current each host's data is.
    pub sources: Vec<HostFreshness>,
    /// The hosts.
    pub hosts: Vec<Host>,
}

/// Asks for one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct GetHostStatusRequest {
    /// The host.
    pub host: HostId,
}

/// One host, what it uses now, and how well it is in contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct GetHostStatusReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// How current the host's data is.
    pub source: HostFreshness,
    /// The host.
    pub host: Host,
    /// What it uses; absent until it was measured twice, and when its driver does not tell.
    pub load: Option<HostLoad>,
    /// Routers of it that do not answer their hypervisor: they are asked nothing more until they
    /// do, and the host's other routers are not held up by them.
    pub unresponsive_routers: Vec<UnresponsiveRouter>,
    /// Calls on this host that hang in libvirt now. At their bound nothing more is opened for this
    /// host until one returns.
    pub hanging_calls: u32,
}

/// What a host uses, its routers included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct HostLoad {
    /// When it was measured.
    pub at: Timestamp,
    /// Whether the values were made up for the demo fleet.
    pub simulated: bool,
    /// Processors in use: 1 is one logical processor fully used.
    pub cpus_used: Option<f64>,
    /// Memory in use, in bytes, without what the kernel would give up at once.
    pub memory_used_bytes: Option<u64>,
}

/// A router that does not answer its hypervisor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct UnresponsiveRouter {
    /// The router.
    pub router: RouterId,
    /// Its name.
    pub name: String,
    /// Since when.
    pub since: Timestamp,
    /// What it did not answer, and what to do, in a sentence.
    pub message: String,
}

/// Asks to take a host into the fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct RegisterHostRequest {
    /// Its id: letters, digits, `.`, `_` and `-`, 64 at most.
    pub host: HostId,
    /// The name for people; the id if absent.
    pub name: Option<String>,
    /// Where it stands.
    pub site: Option<String>,
    /// How it is reached: one libvirt driver each, at least one.
    pub endpoints: Vec<EndpointAddress>,
    /// An id of the caller's choice: the same id from the same caller returns the first result
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The host is registered; VMS is connecting to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct RegisterHostReply {
    /// When it was done.
    pub as_of: Timestamp,
    /// The host; [`crate::Operations::get_host_status`] tells how the contact goes.
    pub host: Host,
}

/// Asks to let a host go. Its routers run on; VMS forgets them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct RemoveHostRequest {
    /// The host.
    pub host: HostId,
    /// An id of the caller's choice: the same id from the same caller returns the first result
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The host is no longer in the fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct RemoveHostReply {
    /// When it was done.
    pub as_of: Timestamp,
    /// The host.
    pub host: HostId,
}

/// Asks to try an endpoint, step by step, without registering anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CheckHostRequest {
    /// The endpoint.
    pub endpoint: EndpointAddress,
}

/// How far the way to an endpoint goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CheckHostReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The libvirt URI that was tried.
    pub uri: String,
    /// Whether every step went well, so that the endpoint can be registered.
    pub usable: bool,
    /// The steps in their order; those behind one that failed were not tried.
    pub steps: Vec<CheckStep>,
    /// What the driver can do; empty if the way does not go that far.
    pub capabilities: Vec<DriverCapability>,
}

/// One step on the way to a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CheckStep {
    /// Which.
    pub step: CheckStepKind,
    /// How it went.
    pub outcome: CheckOutcome,
    /// What was found or went wrong, and what to do, in plain words.
    pub explanation: String,
    /// How long it took, in milliseconds.
    pub milliseconds: f64,
}

/// The steps on the way to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum CheckStepKind {
    /// The address is built from its fields.
    Address,
    /// The name becomes an address.
    Resolve,
    /// The port answers.
    Connect,
    /// Both sides accept each other, and the driver opens.
    Authenticate,
    /// The versions of libvirt and the hypervisor.
    Version,
    /// Whether the machine is registered already.
    Identity,
}

impl CheckStepKind {
    /// The words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Authenticate => "authenticate",
            Self::Version => "version",
            Self::Identity => "identity",
        }
    }
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum CheckOutcome {
    /// It went well.
    Passed,
    /// It went well, and something about it should be known.
    Warning,
    /// It failed.
    Failed,
    /// It was not tried, or does not apply.
    Skipped,
}

impl CheckOutcome {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// Something that a driver can or cannot do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DriverCapability {
    /// What, in a few plain words.
    pub name: String,
    /// Whether the driver can.
    pub supported: bool,
}
