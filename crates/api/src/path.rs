//! Paths through the topology.

use crate::{ElementId, HostFreshness, LinkId, LinkKind, LinkState, Timestamp, TopologyView};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Asks for the best paths between two elements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct FindPathsRequest {
    /// Where they begin: a host, a router, or a segment that is drawn as a node.
    pub origin: ElementId,
    /// Where they end, likewise.
    pub destination: ElementId,
    /// Which links may be used; all if absent. Where physical ones may, a router that is an end is
    /// joined to its host.
    pub view: Option<TopologyView>,
    /// What makes one path better than another; hops if absent.
    pub metric: Option<PathMetric>,
    /// How many paths are wanted, the best included: 1 to 16; 3 if absent.
    pub alternatives: Option<u32>,
    /// What must not be used: hosts (with the routers on them), routers, segments and links.
    #[serde(default)]
    pub avoid: Vec<ElementId>,
    /// Whether links that are down may be used, too; not if absent.
    pub include_down: Option<bool>,
}

/// What makes one path better than another. Of equals the one with fewer hops is better. Paths for
/// which it is not known come last, ordered by hops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum PathMetric {
    /// The fewest hops.
    #[default]
    Hops,
    /// The least latency.
    Latency,
    /// The most capacity that is free all the way.
    FreeCapacity,
}

impl PathMetric {
    /// All of them, in the order in which a page offers them.
    pub const ALL: [Self; 3] = [Self::Hops, Self::Latency, Self::FreeCapacity];

    /// The name, as in a request or a command.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hops => "hops",
            Self::Latency => "latency",
            Self::FreeCapacity => "freeCapacity",
        }
    }
}

impl fmt::Display for PathMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PathMetric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|metric| metric.as_str() == text).ok_or_else(|| {
            format!("{text:?} is not a metric: hops, latency or freeCapacity was expected")
        })
    }
}

/// The best paths, the best first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct FindPathsReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// How current each host's data is.
    pub sources: Vec<HostFreshness>,
    /// The topology's version.
    pub version: u64,
    /// Which links could be used.
    pub view: TopologyView,
    /// What they are ordered by.
    pub metric: PathMetric,
    /// Whether rates in it were made up for the demo fleet.
    pub simulated: bool,
    /// The paths; fewer than were wanted if there are no more. None goes through an element twice.
    pub paths: Vec<Path>,
    /// Why there is none, in a sentence.
    pub reason: Option<String>,
}

/// A path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct Path {
    /// How many steps it takes from element to element, a segment that is drawn as a node and the
    /// host that a router is on included.
    pub hops: u32,
    /// How long its links take together, in seconds, without what hosts and routers add. Absent if
    /// it is not known of one of them.
    pub latency_seconds: Option<f64>,
    /// The least capacity that is free on its links in its direction, in bits a second. Absent if it
    /// is not known of one of them.
    pub free_capacity_bits_per_second: Option<u64>,
    /// The elements on it with the links between them, both ends included.
    pub steps: Vec<PathStep>,
    /// The physical paths under its virtual links, from router to router.
    pub underlay: Vec<Underlay>,
}

/// An element on a path, and how it goes on from there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct PathStep {
    /// The element.
    pub element: ElementId,
    /// Its name for people.
    pub name: String,
    /// The interface by which the path comes in: a host's by name, a router's by MAC address.
    pub enters_by: Option<String>,
    /// The interface by which it goes out.
    pub leaves_by: Option<String>,
    /// The link by which it goes on. Absent at the last element, and between a router and the host
    /// that it is on.
    pub link: Option<PathLink>,
}

/// A link on a path, in the path's direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct PathLink {
    /// Its id.
    pub id: LinkId,
    /// Whether it is physical or virtual.
    pub kind: LinkKind,
    /// Whether it is up.
    pub state: LinkState,
    /// How long it takes, in seconds: of a physical link as declared; of a virtual one between two
    /// hosts what the physical links under it take.
    pub latency_seconds: Option<f64>,
    /// Its capacity in bits a second, where known.
    pub capacity_bits_per_second: Option<u64>,
    /// What it carries now in this direction, in bits a second, where it is counted.
    pub used_bits_per_second: Option<f64>,
    /// What is free of its capacity in this direction, in bits a second: of a virtual link between
    /// two hosts what is free of the physical links under it.
    pub free_capacity_bits_per_second: Option<u64>,
}

/// The physical path under a virtual link, or under two that meet in a segment.
///
/// It is the one of fewest hops over links that are not down. How the hosts' own network really
/// leads is not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct Underlay {
    /// The virtual links.
    pub links: Vec<LinkId>,
    /// How many steps it takes.
    pub hops: u32,
    /// How long its physical links take together, in seconds; absent if that is not known, and if
    /// there are none, since both routers are on one host.
    pub latency_seconds: Option<f64>,
    /// The least capacity that is free on its physical links, in bits a second, where known.
    pub free_capacity_bits_per_second: Option<u64>,
    /// From a router by its host to the other's host and the other router; empty if no physical
    /// link leads there.
    pub steps: Vec<PathStep>,
}
