//! What the server functions answer: the operations' own types, with the names that a page needs
//! to show them.

use crate::Element;
use crate::live::Run;
use api::{
    Driver, FindPathsReply, GetHostStatusReply, GetRouterStatusReply, GetTopologyReply, Host,
    HostId, HostState, InterfaceMeasurement, Link, LinkEnd, LinkKind, LinkState, Router, RouterId,
    RouterState, Segment, SegmentId, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// The fleet in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fleet {
    /// The server's run that counted.
    pub run: Run,
    /// The topology's version.
    pub version: u64,
    /// Hosts.
    pub hosts: u32,
    /// Hosts that do not answer.
    pub unreachable: u32,
    /// Routers.
    pub routers: u32,
    /// Routers that run.
    pub running: u32,
    /// Whether every host is of the embedded demo fleet (libvirt's test driver).
    pub demo: bool,
    /// Whether there are jobs to tell about.
    pub has_jobs: bool,
}

impl Fleet {
    /// Counts.
    pub fn of(run: Run, topology: &GetTopologyReply) -> Self {
        let hosts = &topology.hosts;
        Self {
            run,
            version: topology.version,
            hosts: hosts.len() as u32,
            unreachable: hosts
                .iter()
                .filter(|host| host.state == HostState::Unreachable)
                .count() as u32,
            routers: topology.routers.len() as u32,
            running: topology
                .routers
                .iter()
                .filter(|router| router.state == RouterState::Running)
                .count() as u32,
            demo: !hosts.is_empty() && hosts.iter().all(is_test_host),
            has_jobs: false,
        }
    }
}

fn is_test_host(host: &Host) -> bool {
    !host.endpoints.is_empty()
        && host
            .endpoints
            .iter()
            .all(|endpoint| endpoint.driver == Driver::Test)
}

/// One router with what surrounds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouterFacts {
    /// The topology's version.
    pub version: u64,
    /// The router and its measurements.
    pub status: GetRouterStatusReply,
    /// Its host's name.
    pub host_name: String,
    /// The name of the host that it is being moved to, while it is.
    pub moving_to: Option<String>,
    /// The names of the segments that its interfaces are in.
    pub segments: BTreeMap<SegmentId, String>,
    /// Its virtual links.
    pub links: Vec<LinkLine>,
}

impl RouterFacts {
    /// Puts a router into its surroundings.
    pub fn new(topology: &GetTopologyReply, status: GetRouterStatusReply) -> Self {
        let names = Names::of(topology);
        let element = Element::Router(status.router.id);
        Self {
            version: topology.version,
            host_name: names.of_host(&status.router.host),
            moving_to: (status.router.migrating_to.as_ref()).map(|host| names.of_host(host)),
            segments: status
                .router
                .interfaces
                .iter()
                .filter_map(|interface| interface.segment.clone())
                .map(|id| {
                    let name = names.of_element(&Element::Segment(id.clone()));
                    (id, name)
                })
                .collect(),
            links: names.links_of(topology, &element),
            status,
        }
    }
}

/// An element and its name.
pub type Named = (Element, String);

/// The paths between two elements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PathFacts {
    /// Where they begin.
    pub from: Named,
    /// Where they end.
    pub to: Named,
    /// The paths, or why there is none.
    pub found: FindPathsReply,
}

impl PathFacts {
    /// Gives both ends their names.
    pub fn new(
        topology: &GetTopologyReply,
        [from, to]: [Element; 2],
        found: FindPathsReply,
    ) -> Self {
        let names = Names::of(topology);
        Self {
            from: names.with_name(from),
            to: names.with_name(to),
            found,
        }
    }
}

/// Where paths from an element can end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PathEnds {
    /// Where they begin.
    pub from: Named,
    /// Hosts, routers and segments that are drawn, by name.
    pub ends: Vec<Named>,
}

impl PathEnds {
    /// Everything that a view shows but where they begin, which takes its name from `all`.
    pub fn new(all: &GetTopologyReply, topology: &GetTopologyReply, from: Element) -> Self {
        let drawn = topology.segments.iter().filter(|segment| segment.drawn);
        let mut ends: Vec<_> = named(topology, drawn)
            .filter(|(element, _)| *element != from)
            .collect();
        ends.sort_by(|(_, a), (_, b)| a.cmp(b));
        Self {
            from: Names::of(all).with_name(from),
            ends,
        }
    }
}

/// One host with what surrounds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostFacts {
    /// The topology's version.
    pub version: u64,
    /// The host, what it uses, and how well it is in contact.
    pub status: GetHostStatusReply,
    /// The routers on it.
    pub routers: Vec<RouterRow>,
    /// Its physical links.
    pub links: Vec<LinkLine>,
}

impl HostFacts {
    /// Puts a host into its surroundings.
    pub fn new(topology: &GetTopologyReply, status: GetHostStatusReply) -> Self {
        let id = &status.host.id;
        let names = Names::of(topology);
        let mut routers: Vec<_> = topology
            .routers
            .iter()
            .filter(|router| router.host == *id)
            .map(|router| RouterRow::new(router, &names))
            .collect();
        routers.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            version: topology.version,
            links: names.links_of(topology, &Element::Host(id.clone())),
            routers,
            status,
        }
    }
}

/// A link as its one end sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkLine {
    /// The link.
    pub link: Element,
    /// Whether it is physical or virtual.
    pub kind: LinkKind,
    /// Whether it is up.
    pub state: LinkState,
    /// In bit/s, where known.
    pub capacity: Option<u64>,
    /// This end's interface.
    pub interface: Option<String>,
    /// The other end.
    pub peer: Option<Element>,
    /// The other end's name.
    pub peer_name: String,
    /// The other end's interface.
    pub peer_interface: Option<String>,
}

/// One link with its ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkFacts {
    /// The topology's version.
    pub version: u64,
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The link.
    pub link: Link,
    /// Its one end.
    pub a: EndFacts,
    /// Its other end.
    pub b: EndFacts,
    /// The segment that a virtual link is in.
    pub segment: Option<Segment>,
}

/// One segment with its members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentFacts {
    /// The topology's version.
    pub version: u64,
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The segment.
    pub segment: Segment,
    /// The router interfaces in it.
    pub members: Vec<EndFacts>,
    /// The hosts that it reaches, with their names.
    pub hosts: Vec<(HostId, String)>,
}

/// The end of a link, or a member of a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndFacts {
    /// What is there.
    pub element: Option<Element>,
    /// Its name.
    pub name: String,
    /// The interface.
    pub interface: Option<String>,
    /// The router's state, if it is a router.
    pub state: Option<RouterState>,
    /// Whether that is current.
    pub current: bool,
    /// The host that it is on, or is.
    pub host: Option<HostId>,
    /// What the interface carries, where it is counted.
    pub measurement: Option<InterfaceMeasurement>,
    /// Whether that was made up for the demo fleet.
    pub simulated: bool,
}

/// All hosts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostTable {
    /// The topology's version.
    pub version: u64,
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The hosts.
    pub hosts: Vec<Host>,
}

/// All routers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouterTable {
    /// The topology's version.
    pub version: u64,
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The routers.
    pub routers: Vec<RouterRow>,
}

/// A router in a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouterRow {
    /// Its id.
    pub id: RouterId,
    /// Its name.
    pub name: String,
    /// Its host.
    pub host: HostId,
    /// Its host's name.
    pub host_name: String,
    /// The name of the host that it is being moved to, while it is.
    pub moving_to: Option<String>,
    /// The libvirt driver that runs it.
    pub driver: Driver,
    /// Its state.
    pub state: RouterState,
    /// What is wrong with it.
    pub message: Option<String>,
    /// Whether that is current.
    pub current: bool,
    /// When it was true.
    pub as_of: Timestamp,
    /// Its virtual network.
    pub network: Option<String>,
    /// Virtual processors.
    pub vcpus: u32,
    /// In bytes.
    pub memory: u64,
    /// How many interfaces it has.
    pub interfaces: u32,
}

impl RouterRow {
    /// What a table shows of it: all but when it was so.
    pub fn shown(&self) -> impl std::hash::Hash + Eq + use<> {
        (
            (
                self.id,
                self.name.clone(),
                self.host_name.clone(),
                self.driver,
            ),
            (
                self.state,
                self.current,
                self.moving_to.clone(),
                self.message.clone(),
            ),
            (
                self.network.clone(),
                self.vcpus,
                self.memory,
                self.interfaces,
            ),
        )
    }

    /// Shortens a router.
    pub(super) fn new(router: &Router, names: &Names) -> Self {
        Self {
            id: router.id,
            name: router.name.clone(),
            host: router.host.clone(),
            host_name: names.of_host(&router.host),
            moving_to: (router.migrating_to.as_ref()).map(|host| names.of_host(host)),
            driver: router.driver,
            state: router.state,
            message: router.message.clone(),
            current: router.current,
            as_of: router.as_of,
            network: router.virtual_network.clone(),
            vcpus: router.vcpus,
            memory: router.memory_bytes,
            interfaces: router.interfaces.len() as u32,
        }
    }
}

/// What interfaces of routers on a host can be connected to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attachments {
    /// libvirt's networks.
    pub networks: Vec<String>,
    /// Bridges.
    pub bridges: Vec<String>,
}

/// Hosts and routers of a topology, and these of its segments, each with its name.
fn named<'a>(
    topology: &'a GetTopologyReply,
    segments: impl Iterator<Item = &'a Segment>,
) -> impl Iterator<Item = (Element, String)> {
    let hosts = topology
        .hosts
        .iter()
        .map(|host| (Element::Host(host.id.clone()), host.name.clone()));
    let routers = topology
        .routers
        .iter()
        .map(|router| (Element::Router(router.id), router.name.clone()));
    let segments =
        segments.map(|segment| (Element::Segment(segment.id.clone()), segment.name.clone()));
    hosts.chain(routers).chain(segments)
}

/// The names of everything in a topology.
pub(super) struct Names(HashMap<Element, String>);

impl Names {
    pub(super) fn of(topology: &GetTopologyReply) -> Self {
        Self(named(topology, topology.segments.iter()).collect())
    }
}

impl Names {
    fn with_name(&self, element: Element) -> Named {
        let name = self.of_element(&element);
        (element, name)
    }

    /// The name of `element`; its id where it has none.
    pub(super) fn of_element(&self, element: &Element) -> String {
        self.0
            .get(element)
            .cloned()
            .unwrap_or_else(|| match element {
                Element::Host(id) => id.to_string(),
                Element::Router(id) => id.to_string(),
                Element::Segment(id) => id.to_string(),
                Element::Link(id) => id.to_string(),
            })
    }

    pub(super) fn of_host(&self, id: &HostId) -> String {
        self.of_element(&Element::Host(id.clone()))
    }

    pub(super) fn of_end(&self, end: &LinkEnd) -> String {
        Element::of_end(end).map_or_else(
            || "something unknown".to_owned(),
            |element| self.of_element(&element),
        )
    }

    fn links_of(&self, topology: &GetTopologyReply, element: &Element) -> Vec<LinkLine> {
        let line = |link: &Link, own: &LinkEnd, peer: &LinkEnd| LinkLine {
            link: Element::Link(link.id.clone()),
            kind: link.kind,
            state: link.state,
            capacity: link.capacity_bits_per_second,
            interface: own.interface.clone(),
            peer: Element::of_end(peer),
            peer_name: self.of_end(peer),
            peer_interface: peer.interface.clone(),
        };
        let mut lines: Vec<_> = topology
            .links
            .iter()
            .filter_map(|link| {
                if Element::of_end(&link.a).as_ref() == Some(element) {
                    Some(line(link, &link.a, &link.b))
                } else if Element::of_end(&link.b).as_ref() == Some(element) {
                    Some(line(link, &link.b, &link.a))
                } else {
                    None
                }
            })
            .collect();
        lines.sort_by(|a, b| a.peer_name.cmp(&b.peer_name));
        lines
    }
}
