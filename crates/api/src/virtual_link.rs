//! Virtual links that VMS makes between two routers.
//!
//! On one host a link is an isolated libvirt network of its own. Across hosts it is, in the order
//! that the operator configured, a bridge that is prepared on both hosts (VXLAN, VLAN), a multicast
//! group, or a UDP tunnel. Groups and tunnels are neither authenticated nor encrypted, and have no
//! counters.

use crate::{HostId, Job, MacAddress, RouterId, Timestamp, ids::IdError, image::uuid_id};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

uuid_id! {
    /// The id of a virtual link that VMS made.
    VirtualLinkId, "a virtual link's id", "ListVirtualLinks"
}

/// What carries a virtual link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum LinkTransport {
    /// An isolated network of one host.
    Network,
    /// A bridge that is prepared on both hosts: of a VXLAN, or of a VLAN.
    Bridge,
    /// A multicast group: it survives a migration unchanged.
    Multicast,
    /// A UDP tunnel: a migration interrupts it for some seconds.
    Udp,
}

impl LinkTransport {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Network, Self::Bridge, Self::Multicast, Self::Udp];

    /// The name, as in a request, a command or the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Bridge => "bridge",
            Self::Multicast => "multicast",
            Self::Udp => "udp",
        }
    }

    /// The words for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Network => "isolated network",
            Self::Bridge => "prepared bridge",
            Self::Multicast => "multicast group",
            Self::Udp => "UDP tunnel",
        }
    }
}

impl FromStr for LinkTransport {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|transport| transport.as_str() == text)
            .ok_or_else(|| {
                format!("{text:?} carries no link: network, bridge, multicast or udp was expected")
            })
    }
}

/// Which addresses a link's ends get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum LinkAddressing {
    /// None.
    None,
    /// Two of an IPv4 /31 (RFC 3021) that nobody has.
    Ipv4,
    /// Two of an IPv6 /64 that nobody has.
    Ipv6,
}

impl FromStr for LinkAddressing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            "ipv4" => Ok(Self::Ipv4),
            "ipv6" => Ok(Self::Ipv6),
            _ => Err(format!(
                "{text:?} is no way to give addresses: none, ipv4 or ipv6 was expected"
            )),
        }
    }
}

/// What happens to a router that runs, and whose driver cannot plug what carries the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum WhenRunning {
    /// The link is refused, before anything is touched.
    Refuse,
    /// Its end of the link is there after its next start.
    NextStart,
    /// It is shut down and started again: what runs in it is interrupted.
    Restart,
}

impl FromStr for WhenRunning {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "nextStart" => Ok(Self::NextStart),
            "restart" => Ok(Self::Restart),
            _ => Err(format!(
                "{text:?} says nothing: refuse, nextStart or restart was expected"
            )),
        }
    }
}

/// Asks to link two routers: each gets one more interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CreateVirtualLinkRequest {
    /// One router.
    pub a: RouterId,
    /// The other one.
    pub b: RouterId,
    /// What is to carry it; the first of the operator's preferences that both hosts can if absent.
    pub transport: Option<LinkTransport>,
    /// The bridge to use, for the transport `bridge`; the first one that both hosts have in one
    /// segment if absent.
    pub bridge: Option<String>,
    /// The most from `a` to `b`, in bits a second, 8192 to 1000000000000; not limited if absent. Only
    /// where the hosts have a device of the interface: on a network or a bridge.
    pub bits_per_second_to_b: Option<u64>,
    /// The most from `b` to `a`, in bits a second.
    pub bits_per_second_to_a: Option<u64>,
    /// The largest packet in bytes, 576 to 9000 (IPv6: from 1280); what the transport has if absent.
    pub mtu: Option<u32>,
    /// Which addresses its ends get; none if absent.
    pub addressing: Option<LinkAddressing>,
    /// What happens to a router that runs and cannot be plugged; it is refused if absent.
    pub when_running: Option<WhenRunning>,
    /// An id of the caller's choice: the same id from the same caller returns the first job
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The link is being made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CreateVirtualLinkReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The link as it will be.
    pub link: VirtualLink,
    /// The job that makes it.
    pub job: Job,
}

/// A virtual link that VMS made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct VirtualLink {
    /// Its id.
    pub id: VirtualLinkId,
    /// One end.
    pub a: VirtualLinkEnd,
    /// The other end.
    pub b: VirtualLinkEnd,
    /// What carries it.
    pub transport: LinkTransport,
    /// The network, bridge, group or port that carries it, for people.
    pub carrier: String,
    /// The most from `a` to `b`, in bits a second.
    pub bits_per_second_to_b: Option<u64>,
    /// The most from `b` to `a`, in bits a second.
    pub bits_per_second_to_a: Option<u64>,
    /// The largest packet in bytes.
    pub mtu: Option<u32>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Who asked for it.
    pub created_by: String,
}

/// One end of a virtual link that VMS made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct VirtualLinkEnd {
    /// The router.
    pub router: RouterId,
    /// The router's name when the link was made.
    pub router_name: String,
    /// The host that it was on then.
    pub host: HostId,
    /// Its interface.
    pub mac: MacAddress,
    /// The interface's address with prefix length, if it was given one.
    pub address: Option<String>,
}

/// Asks for the virtual links that VMS made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase", default)]
pub struct ListVirtualLinksRequest {
    /// Only those with an end at this router.
    pub router: Option<RouterId>,
}

/// The virtual links that VMS made, the oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ListVirtualLinksReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The links.
    pub links: Vec<VirtualLink>,
}

/// Asks to take a virtual link away that VMS made: both interfaces, and what carries it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DeleteVirtualLinkRequest {
    /// The link.
    pub link: VirtualLinkId,
    /// What happens to a router that runs and cannot be unplugged; it is refused if absent.
    pub when_running: Option<WhenRunning>,
    /// An id of the caller's choice: the same id from the same caller returns the first job
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The link is being taken away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DeleteVirtualLinkReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The job that takes it away.
    pub job: Job,
}
