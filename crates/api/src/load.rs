//! What everything carries and uses at present.

use crate::{HostFreshness, HostId, LinkId, RouterId, Timestamp, TopologyView};
use serde::{Deserialize, Serialize};

/// Asks for the present load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase", default)]
pub struct GetLoadRequest {
    /// Of which part of the topology; of everything if absent.
    pub view: Option<TopologyView>,
}

/// The present load, as it was measured last. What is not measured, or too long ago, is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct GetLoadReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// How current each host's data is.
    pub sources: Vec<HostFreshness>,
    /// The topology's version.
    pub version: u64,
    /// The part that this is of.
    pub view: TopologyView,
    /// The hosts that are measured; none in the virtual view.
    pub hosts: Vec<HostUse>,
    /// The routers that are measured; none in the physical view.
    pub routers: Vec<RouterUse>,
    /// The links of this view of which is counted what they carry.
    pub links: Vec<LinkUse>,
}

/// What a host uses, its routers included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct HostUse {
    /// The host.
    pub host: HostId,
    /// When it was measured.
    pub as_of: Timestamp,
    /// Whether the values were made up for the demo fleet.
    pub simulated: bool,
    /// The share of its processors that is in use, 0 to 1.
    pub cpu_share: Option<f64>,
    /// Memory in use, in bytes, without what the kernel would give up at once.
    pub memory_used_bytes: Option<u64>,
    /// Physical memory in bytes.
    pub memory_bytes: Option<u64>,
}

/// What a router uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct RouterUse {
    /// The router.
    pub router: RouterId,
    /// When it was measured.
    pub as_of: Timestamp,
    /// Whether the values were made up for the demo fleet.
    pub simulated: bool,
    /// The share of its virtual processors that is in use, 0 to 1.
    pub cpu_share: Option<f64>,
}

/// What a link carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct LinkUse {
    /// The link.
    pub link: LinkId,
    /// When it was measured.
    pub as_of: Timestamp,
    /// Whether the values were made up for the demo fleet.
    pub simulated: bool,
    /// Its capacity in bits a second, each way, where known.
    pub capacity_bits_per_second: Option<u64>,
    /// From its end `a` to its end `b`, where that is counted.
    pub a_to_b: Option<Flow>,
    /// From its end `b` to its end `a`, where that is counted.
    pub b_to_a: Option<Flow>,
}

/// What goes through a link in one direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct Flow {
    /// In bits a second.
    pub bits_per_second: f64,
    /// As a share of the link's capacity, where that is known: above 1 if more goes through than
    /// was declared.
    pub utilisation: Option<f64>,
}
