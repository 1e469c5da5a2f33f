//! The topology: hosts, routers, segments and links as one graph with a version.

use crate::{
    Host, HostFreshness, HostId, LinkId, LinkState, Router, RouterId, SegmentId, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Which part of the topology is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum TopologyView {
    /// Hosts and physical links.
    Physical,
    /// Routers, segments and virtual links.
    Virtual,
    /// Everything.
    #[default]
    Combined,
}

impl TopologyView {
    /// All views, in the order in which a page offers them.
    pub const ALL: [Self; 3] = [Self::Combined, Self::Virtual, Self::Physical];

    /// The name, as in an address or a command.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Physical => "physical",
            Self::Virtual => "virtual",
            Self::Combined => "combined",
        }
    }
}

impl fmt::Display for TopologyView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TopologyView {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|view| view.as_str() == text)
            .ok_or_else(|| {
                format!("{text:?} is not a view: physical, virtual or combined was expected")
            })
    }
}

/// Asks for the topology.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase", default)]
pub struct GetTopologyRequest {
    /// The part that is wanted; everything if absent.
    pub view: Option<TopologyView>,
}

/// The topology at one version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct GetTopologyReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// How current each host's data is.
    pub sources: Vec<HostFreshness>,
    /// The version: it grows by one with every change, and never shrinks, also over a restart.
    pub version: u64,
    /// The part that this is.
    pub view: TopologyView,
    /// The hosts; empty in the virtual view.
    pub hosts: Vec<Host>,
    /// The routers; empty in the physical view.
    pub routers: Vec<Router>,
    /// The segments that have members; empty in the physical view.
    pub segments: Vec<Segment>,
    /// The links of this view.
    pub links: Vec<Link>,
}

/// An L2 broadcast domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct Segment {
    /// Its id.
    pub id: SegmentId,
    /// Its name for people.
    pub name: String,
    /// What carries it.
    pub kind: SegmentKind,
    /// The hosts that it reaches.
    pub hosts: Vec<HostId>,
    /// The router interfaces in it.
    pub members: Vec<LinkEnd>,
    /// Whether it is drawn as a node: a segment with two members is drawn as a link instead.
    pub drawn: bool,
}

/// What carries a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum SegmentKind {
    /// A bridge of one host, or several bridges joined by physical links.
    Bridge,
    /// A libvirt network.
    Network,
    /// A UDP or TCP tunnel.
    Tunnel,
    /// A multicast group.
    Multicast,
    /// An interface of a host (macvtap).
    Direct,
}

impl SegmentKind {
    /// The words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Network => "network",
            Self::Tunnel => "tunnel",
            Self::Multicast => "multicast group",
            Self::Direct => "direct attachment",
        }
    }
}

/// A link between two elements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Its id, made of its sorted ends.
    pub id: LinkId,
    /// Whether it is physical or virtual.
    pub kind: LinkKind,
    /// One end.
    pub a: LinkEnd,
    /// The other end.
    pub b: LinkEnd,
    /// Whether it is up.
    pub state: LinkState,
    /// Its capacity in bits a second, each way, where known.
    pub capacity_bits_per_second: Option<u64>,
    /// How long it takes to get through it, in seconds, as declared.
    pub latency_seconds: Option<f64>,
    /// The segment that a virtual link is in.
    pub segment: Option<SegmentId>,
    /// Who says that it exists: one at least.
    pub sources: Vec<LinkSource>,
    /// Where sources contradict each other: what speaks against this link, in sentences. What the
    /// other source says is a link of its own.
    pub conflict: Option<String>,
}

/// Whether a link is physical or virtual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum LinkKind {
    /// Between hosts or switches.
    Physical,
    /// Between routers, or from a router to a segment of more than two members.
    Virtual,
}

/// One end of a link. Exactly one of host, router and segment is present.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct LinkEnd {
    /// The host, if the end is one.
    pub host: Option<HostId>,
    /// The router, if the end is one.
    pub router: Option<RouterId>,
    /// The segment, if the end is one.
    pub segment: Option<SegmentId>,
    /// The interface: a host's by name, a router's by MAC address.
    pub interface: Option<String>,
}

/// An element of the topology. Exactly one of host, router, segment and link is present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase", default)]
pub struct ElementId {
    /// The host, if it is one.
    pub host: Option<HostId>,
    /// The router, if it is one.
    pub router: Option<RouterId>,
    /// The segment, if it is one.
    pub segment: Option<SegmentId>,
    /// The link, if it is one.
    pub link: Option<LinkId>,
}

impl From<HostId> for ElementId {
    fn from(id: HostId) -> Self {
        Self {
            host: Some(id),
            ..Self::default()
        }
    }
}

impl From<RouterId> for ElementId {
    fn from(id: RouterId) -> Self {
        Self {
            router: Some(id),
            ..Self::default()
        }
    }
}

impl From<SegmentId> for ElementId {
    fn from(id: SegmentId) -> Self {
        Self {
            segment: Some(id),
            ..Self::default()
        }
    }
}

impl From<LinkId> for ElementId {
    fn from(id: LinkId) -> Self {
        Self {
            link: Some(id),
            ..Self::default()
        }
    }
}

/// Who says that a link exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct LinkSource {
    /// The kind of source.
    pub kind: LinkSourceKind,
    /// When it said so last.
    pub as_of: Timestamp,
    /// The host that says so, for its own end only: by LLDP, or as a VXLAN.
    pub host: Option<HostId>,
}

impl LinkSource {
    /// The words for people.
    pub fn describe(&self) -> String {
        let kind = self.kind.as_str();
        match &self.host {
            Some(host) => format!("{kind} at {host}"),
            None => kind.to_owned(),
        }
    }
}

/// The kinds of link sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum LinkSourceKind {
    /// An operator declared it.
    Declared,
    /// libvirt reports what makes it.
    Libvirt,
    /// A host at one of its ends hears the other by LLDP.
    Lldp,
    /// A host at one of its ends tells of the VXLAN by which the segment goes on elsewhere.
    Vxlan,
}

impl LinkSourceKind {
    /// The words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Libvirt => "seen by libvirt",
            Self::Lldp => "heard by LLDP",
            Self::Vxlan => "told as a VXLAN",
        }
    }
}

/// One difference between two versions of the topology.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct TopologyChange {
    /// What kind of thing changed.
    pub element: ElementKind,
    /// Its id.
    pub id: String,
    /// How it changed.
    pub change: ChangeKind,
    /// A sentence for people.
    pub summary: String,
}

/// The kinds of things in a topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum ElementKind {
    /// A host.
    Host,
    /// A router.
    Router,
    /// A segment.
    Segment,
    /// A link.
    Link,
}

/// How a thing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// It appeared.
    Added,
    /// It went.
    Removed,
    /// It is another than it was.
    Changed,
}
