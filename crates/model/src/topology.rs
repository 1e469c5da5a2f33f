//! The graph's elements.

use crate::{
    Contact, Domain, Endpoint, HostId, HostInterface, LinkId, LinkState, Mac, Maintenance,
    Neighbor, NodeFacts, Origin, RouterId, SegmentId, inventory::is_current,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The graph that follows from what all hosts reported and heard and the declared links. It holds what is
/// worth a version; times and measurements change with every tick and are kept elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// All registered hosts.
    pub hosts: BTreeMap<HostId, Arc<Host>>,
    /// All routers, those of unreachable hosts included.
    pub routers: BTreeMap<RouterId, Arc<Router>>,
    /// The segments that have members.
    pub segments: BTreeMap<SegmentId, Arc<Segment>>,
    /// Physical and virtual links.
    pub links: BTreeMap<LinkId, Arc<Link>>,
}

impl Topology {
    /// Marks the routers that are being moved, with the hosts that they are moved to.
    #[must_use]
    pub fn with_migrations(mut self, migrations: &BTreeMap<RouterId, HostId>) -> Self {
        for (router, to) in migrations {
            if let Some(router) = self.routers.get_mut(router)
                && router.host != *to
            {
                Arc::make_mut(router).migrating_to = Some(to.clone());
            }
        }
        self
    }

    /// Whether what is known of a host itself is kept up to date.
    pub fn is_current(&self, host: &HostId) -> bool {
        self.hosts
            .get(host)
            .is_some_and(|host| host.contact.is_current())
    }

    /// Whether what is known of a router is kept up to date: by the endpoint that it is seen
    /// through, not by another of its host.
    pub fn is_router_current(&self, router: &Router) -> bool {
        let host = self.hosts.get(&router.host);
        host.is_some_and(|host| is_current(&host.endpoints, router.domain.driver))
    }
}

/// A physical machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its id.
    pub id: HostId,
    /// Its name for people.
    pub name: String,
    /// Where it stands.
    pub site: Option<String>,
    /// Who registered it.
    pub origin: Origin,
    /// Present while nothing new may land there.
    #[serde(default)]
    pub maintenance: Option<Maintenance>,
    /// The libvirt drivers by which it is reached.
    pub endpoints: Vec<Endpoint>,
    /// Whether it answers.
    pub contact: Contact,
    /// What is wrong when it does not.
    pub message: Option<String>,
    /// Facts of the machine.
    pub node: NodeFacts,
    /// Its interfaces: those that it reported and those at which physical links end, by name.
    pub interfaces: Vec<HostInterface>,
    /// Whom it hears on them by LLDP and who is no registered host: a switch, for one.
    #[serde(default)]
    pub neighbors: Vec<Neighbor>,
}

/// A virtual router, once, whichever hosts know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Router {
    /// The host that it is on; of several that define it, the one where it runs.
    pub host: HostId,
    /// The host that it is being moved to, while it is.
    #[serde(default)]
    pub migrating_to: Option<HostId>,
    /// Its domain there.
    pub domain: Arc<Domain>,
    /// The segment of each of the domain's interfaces, in their order.
    pub segments: Vec<Option<SegmentId>>,
}

/// An L2 broadcast domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Its id.
    pub id: SegmentId,
    /// Its name for people.
    pub name: String,
    /// What carries it.
    pub kind: SegmentKind,
    /// The hosts that it reaches.
    pub hosts: BTreeSet<HostId>,
    /// The router interfaces in it, at least one.
    pub members: BTreeSet<Member>,
    /// Whether it is a node with a link to every member. If not, it is one link between its two
    /// members, or has one member only.
    pub drawn: bool,
}

/// What carries a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SegmentKind {
    /// A bridge, or bridges of several hosts.
    Bridge,
    /// A libvirt network.
    Network,
    /// A UDP or TCP tunnel.
    Tunnel,
    /// A multicast group.
    Multicast,
    /// A host's interface.
    Direct,
}

/// A router's interface in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    /// The router.
    pub router: RouterId,
    /// Its interface.
    pub mac: Mac,
}

/// A link between two elements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its id.
    pub id: LinkId,
    /// Physical or virtual.
    pub kind: LinkKind,
    /// The smaller end.
    pub a: LinkEnd,
    /// The greater end.
    pub b: LinkEnd,
    /// Whether it is up: a virtual one when its routers run with their cables plugged, a physical
    /// one when both interfaces are up.
    pub state: LinkState,
    /// Its capacity in bits a second, each way.
    pub capacity_bits_per_second: Option<u64>,
    /// How long it takes to get through it, in nanoseconds: as declared, so of a physical link only.
    #[serde(default)]
    pub latency_ns: Option<u64>,
    /// The segment of a virtual link.
    pub segment: Option<SegmentId>,
    /// Who says that it exists: one at least.
    #[serde(default)]
    pub sources: BTreeSet<LinkSource>,
    /// Where sources contradict each other: what speaks against it, in sentences that stay the same
    /// while the cause does.
    #[serde(default)]
    pub conflict: Option<String>,
}

impl Link {
    /// Whether frames are taken to get through it as far as its sources go: a declared link that
    /// LLDP contradicts and nobody hears is not believed.
    pub fn is_believed(&self) -> bool {
        is_believed(&self.sources, self.conflict.as_deref())
    }
}

/// See [`Link::is_believed`].
pub(crate) fn is_believed(sources: &BTreeSet<LinkSource>, conflict: Option<&str>) -> bool {
    let is_heard = |source: &LinkSource| matches!(source, LinkSource::Lldp(_));
    conflict.is_none() || sources.iter().any(is_heard)
}

/// Physical or virtual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LinkKind {
    /// Between hosts.
    Physical,
    /// Between routers, or from a router to a segment.
    Virtual,
}

/// One end of a link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LinkEnd {
    /// A host's interface.
    Host(Port),
    /// A router's interface.
    Router(Member),
    /// A segment.
    Segment(SegmentId),
}

/// A host's interface.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Port {
    /// The host.
    pub host: HostId,
    /// The interface's name.
    pub interface: String,
}

/// Who says that a link exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LinkSource {
    /// An operator declared it.
    Declared,
    /// libvirt reports what makes it.
    Libvirt,
    /// This host, at one of its ends, hears the other by LLDP.
    Lldp(HostId),
    /// This host tells where its VXLAN leads, by which the link gets there.
    Vxlan(HostId),
}

/// A physical link that an operator declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredLink {
    /// One end.
    pub a: Port,
    /// The other end.
    pub b: Port,
    /// Its capacity in bits a second, each way, where known.
    pub capacity_bits_per_second: Option<u64>,
    /// How long it takes to get through it, in nanoseconds, where known.
    pub latency_ns: Option<u64>,
}
