//! Hosts: the physical machines of the fleet.

use crate::{HostId, LinkState, MacAddress, Timestamp};
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
    /// When what is told here was true; absent if the host never answered.
    pub as_of: Option<Timestamp>,
    /// The libvirt drivers by which it is reached.
    pub endpoints: Vec<Endpoint>,
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
    /// Its network interfaces that are known: from libvirt or from declared links.
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
