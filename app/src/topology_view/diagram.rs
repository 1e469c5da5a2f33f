//! From the topology to what is drawn.

use crate::{Element, format};
use api::{
    GetTopologyReply, Host, HostId, HostState, Link, LinkEnd, LinkKind, LinkState, Router,
    RouterId, RouterState, Segment, TopologyView,
};
use graph::{Diagram, Edge, EdgeKind, EdgeState, End, Facts, Group, Node, NodeKind, NodeState};
use std::collections::HashMap;

/// How the ids of migrating edges begin; the router's own follows. [`Element`] reads them as that
/// router.
pub const MIGRATION: &str = "migration:";

/// Draws a topology: routers, segments and hosts as nodes, links as edges; in the combined view
/// hosts are boxes around their routers. Ids are those of [`Element`].
///
/// A router whose host is not in the reply stands free; a link to something that is not there is
/// left out.
pub fn diagram(topology: &GetTopologyReply) -> Diagram {
    let mut drawing = Drawing::new(topology);
    let boxed = topology.view == TopologyView::Combined;
    for host in &topology.hosts {
        drawing.host(host, boxed);
    }
    for router in &topology.routers {
        drawing.router(router);
    }
    for segment in topology.segments.iter().filter(|segment| segment.drawn) {
        drawing.segment(segment);
    }
    for link in &topology.links {
        drawing.link(link);
    }
    for router in &topology.routers {
        drawing.migration(router);
    }
    drawing.diagram
}

/// The diagram as it grows, and where to find what is in it.
struct Drawing<'a> {
    diagram: Diagram,
    ends: HashMap<Element, End>,
    hosts: HashMap<&'a HostId, &'a str>,
    routers: HashMap<RouterId, &'a Router>,
}

impl<'a> Drawing<'a> {
    fn new(topology: &'a GetTopologyReply) -> Self {
        Self {
            diagram: Diagram::default(),
            ends: HashMap::new(),
            hosts: topology
                .hosts
                .iter()
                .map(|host| (&host.id, host.name.as_str()))
                .collect(),
            routers: topology
                .routers
                .iter()
                .map(|router| (router.id, router))
                .collect(),
        }
    }

    fn host(&mut self, host: &Host, boxed: bool) {
        let element = Element::Host(host.id.clone());
        let id = element.to_string();
        let (label, state, stale) = (
            host.name.clone(),
            host_state(host.state),
            host.state == HostState::Unreachable,
        );
        let facts = host_facts(host);
        let end = if boxed {
            self.diagram.groups.push(Group {
                id,
                label,
                state,
                stale,
                facts,
            });
            End::Group(self.diagram.groups.len() as u32 - 1)
        } else {
            self.diagram.nodes.push(Node {
                id,
                label,
                kind: NodeKind::Host,
                state,
                group: None,
                stale,
                facts,
            });
            End::Node(self.diagram.nodes.len() as u32 - 1)
        };
        self.ends.insert(element, end);
    }

    fn router(&mut self, router: &Router) {
        let element = Element::Router(router.id);
        let host = Element::Host(router.host.clone());
        let group = match self.ends.get(&host) {
            Some(End::Group(index)) => Some(*index),
            _ => None,
        };
        let host_name = self
            .hosts
            .get(&router.host)
            .copied()
            .unwrap_or(router.host.as_str());
        self.diagram.nodes.push(Node {
            id: element.to_string(),
            label: router.name.clone(),
            kind: NodeKind::Router,
            state: router_state(router.state),
            group,
            stale: !router.current,
            facts: Facts {
                moving_to: self.name_of(router.migrating_to.as_ref()),
                ..router_facts(router, host_name)
            },
        });
        let end = End::Node(self.diagram.nodes.len() as u32 - 1);
        self.ends.insert(element, end);
    }

    /// From a router to the host that it is being moved to, where both are in the picture.
    fn migration(&mut self, router: &Router) {
        let Some(host) = &router.migrating_to else {
            return;
        };
        let end = |element| self.ends.get(&element).copied();
        if let (Some(a), Some(b)) = (
            end(Element::Router(router.id)),
            end(Element::Host(host.clone())),
        ) {
            self.diagram.edges.push(Edge {
                id: format!("{MIGRATION}{}", router.id),
                a,
                b,
                kind: EdgeKind::Migration,
                ..Edge::default()
            });
        }
    }

    fn segment(&mut self, segment: &Segment) {
        let element = Element::Segment(segment.id.clone());
        self.diagram.nodes.push(Node {
            id: element.to_string(),
            label: segment.name.clone(),
            kind: NodeKind::Segment,
            state: NodeState::Neutral,
            group: None,
            stale: false,
            facts: Facts {
                medium: segment.kind.as_str().to_owned(),
                members: segment.members.len() as u32,
                ..Facts::default()
            },
        });
        let end = End::Node(self.diagram.nodes.len() as u32 - 1);
        self.ends.insert(element, end);
    }

    fn link(&mut self, link: &Link) {
        let (Some(a), Some(b)) = (self.end(&link.a), self.end(&link.b)) else {
            return;
        };
        let to_segment = link.a.segment.is_some() || link.b.segment.is_some();
        let kind = match link.kind {
            LinkKind::Physical => EdgeKind::Physical,
            LinkKind::Virtual if to_segment => EdgeKind::Attachment,
            LinkKind::Virtual => EdgeKind::Virtual,
        };
        let capacity = link.capacity_bits_per_second;
        self.diagram.edges.push(Edge {
            id: Element::Link(link.id.clone()).to_string(),
            a,
            b,
            kind,
            state: match link.state {
                LinkState::Up => EdgeState::Up,
                LinkState::Down => EdgeState::Down,
                LinkState::Unknown => EdgeState::Unknown,
            },
            label: capacity.map(format::capacity).unwrap_or_default(),
            ports: [self.port(&link.a), self.port(&link.b)],
            capacity: capacity.unwrap_or(0) as f32,
        });
    }

    fn name_of(&self, host: Option<&HostId>) -> String {
        let name = |host: &HostId| {
            let name = self.hosts.get(host).copied();
            name.unwrap_or(host.as_str()).to_owned()
        };
        host.map(name).unwrap_or_default()
    }

    fn end(&self, end: &LinkEnd) -> Option<End> {
        Element::of_end(end).and_then(|element| self.ends.get(&element).copied())
    }

    /// What is written beside an end: a router's address there where one is known, else the name
    /// of the interface.
    fn port(&self, end: &LinkEnd) -> String {
        let Some(interface) = &end.interface else {
            return String::new();
        };
        let address = end.router.and_then(|router| {
            let router = self.routers.get(&router)?;
            let nic = router
                .interfaces
                .iter()
                .find(|nic| nic.mac.to_string() == *interface)?;
            nic.addresses.first().cloned()
        });
        address.unwrap_or_else(|| interface.clone())
    }
}

/// How a host's state is drawn.
pub fn host_state(state: HostState) -> NodeState {
    match state {
        HostState::Online => NodeState::Running,
        HostState::Degraded => NodeState::Paused,
        HostState::Unreachable => NodeState::Failed,
        HostState::Connecting => NodeState::Unknown,
    }
}

/// How a router's state is drawn.
pub fn router_state(state: RouterState) -> NodeState {
    match state {
        RouterState::Running => NodeState::Running,
        RouterState::Suspended => NodeState::Paused,
        RouterState::ShuttingDown => NodeState::Stopping,
        RouterState::ShutOff => NodeState::Stopped,
        RouterState::Crashed => NodeState::Failed,
        RouterState::Unknown => NodeState::Unknown,
    }
}

fn host_facts(host: &Host) -> Facts {
    let nics = || host.interfaces.iter();
    Facts {
        site: host.site.clone().unwrap_or_default(),
        macs: nics()
            .filter_map(|nic| nic.mac.as_ref().map(ToString::to_string))
            .collect(),
        routers: Some([host.running_routers, host.routers]),
        maintenance: (host.maintenance)
            .then(|| host.maintenance_reason.clone().unwrap_or_default()),
        ..Facts::default()
    }
}

fn router_facts(router: &Router, host: &str) -> Facts {
    let nics = || router.interfaces.iter();
    Facts {
        host: host.to_owned(),
        network: router
            .virtual_network
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        tags: router.tags.iter().map(ToString::to_string).collect(),
        addresses: nics().flat_map(|nic| nic.addresses.clone()).collect(),
        macs: nics().map(|nic| nic.mac.to_string()).collect(),
        ..Facts::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::describe;

    fn topology(view: TopologyView) -> GetTopologyReply {
        let router = |n: u8, state: &str, host: &str| {
            serde_json::json!({
                "id": format!("00000000-0000-4000-8000-0000000000{n:02}"), "name": format!("r{n}"),
                "title": null, "host": host, "driver": "test", "state": state, "message": null,
                "current": n != 2, "migratingTo": (n == 2).then_some("h1"),
                "asOf": "2026-11-22T12:00:00Z", "virtualNetwork": "ring", "tags": [], "vcpus": 1,
                "memoryBytes": 1, "autostart": false, "persistent": true, "interfaces": [],
                "disks": []
            })
        };
        let end = |kind: &str, id: &str| {
            let mut end = serde_json::json!({"host": null, "router": null, "segment": null, "interface": null});
            end[kind] = id.into();
            end
        };
        serde_json::from_value(serde_json::json!({
            "asOf": "2026-11-22T12:00:00Z", "sources": [], "version": 3, "view": view,
            "hosts": [{
                "id": "h1", "name": "ams-1", "site": "Amsterdam", "state": "online",
                "maintenance": true, "maintenanceReason": "disks",
                "message": null, "asOf": null, "endpoints": [], "origin": "configured",
                "hostname": null, "uuid": null,
                "cpuModel": null, "cpus": 4, "memoryBytes": 1, "hypervisor": null, "routers": 2,
                "runningRouters": 1, "interfaces": []
            }],
            "routers": [router(1, "running", "h1"), router(2, "suspended", "nowhere")],
            "segments": [
                {"id": "s1", "name": "lan", "kind": "network", "hosts": ["h1"], "members": [], "drawn": true},
                {"id": "s2", "name": "pair", "kind": "network", "hosts": ["h1"], "members": [], "drawn": false}
            ],
            "links": [
                {"id": "l1", "kind": "virtual",
                 "a": end("router", "00000000-0000-4000-8000-000000000001"),
                 "b": end("router", "00000000-0000-4000-8000-000000000002"),
                 "state": "up", "capacityBitsPerSecond": 1_000_000_000_u64, "segment": "s2", "sources": []},
                {"id": "l2", "kind": "virtual",
                 "a": end("router", "00000000-0000-4000-8000-000000000001"), "b": end("segment", "s1"),
                 "state": "down", "capacityBitsPerSecond": null, "segment": "s1", "sources": []},
                {"id": "l3", "kind": "physical", "a": end("host", "h1"), "b": end("host", "h9"),
                 "state": "up", "capacityBitsPerSecond": null, "segment": null, "sources": []}
            ]
        }))
        .unwrap()
    }

    #[test]
    fn hosts_are_boxes_in_the_combined_view_only() {
        let combined = diagram(&topology(TopologyView::Combined));
        assert_eq!(combined.groups.len(), 1);
        assert_eq!(combined.groups[0].id, "host:h1");
        assert_eq!(
            describe::group(&combined.groups[0]),
            "Host ams-1 in Amsterdam, online, in maintenance (disks), 1 of 2 routers running."
        );
        let physical = diagram(&topology(TopologyView::Physical));
        assert!(physical.groups.is_empty());
        assert_eq!(physical.nodes[0].kind, NodeKind::Host);
    }

    #[test]
    fn what_is_being_moved_leads_to_where() {
        let drawn = diagram(&topology(TopologyView::Combined));
        let edge = drawn.edges.last().unwrap();
        assert_eq!(edge.kind, EdgeKind::Migration);
        assert_eq!((edge.a, edge.b), (End::Node(1), End::Group(0)));
        assert_eq!(describe::edge(&drawn, edge), "r2 is being moved to ams-1.");
        assert!(describe::node(&drawn.nodes[1]).contains("being moved to ams-1"));
        let router: Element = edge.id.parse().unwrap();
        assert_eq!(router.to_string(), drawn.nodes[1].id);
    }

    #[test]
    fn routers_stand_in_their_host_or_free() {
        let drawn = diagram(&topology(TopologyView::Combined));
        assert_eq!(drawn.nodes[0].group, Some(0));
        assert_eq!(drawn.nodes[1].group, None);
        assert_eq!(drawn.nodes[1].state, NodeState::Paused);
        assert!(drawn.nodes[1].stale);
        assert_eq!(
            describe::node(&drawn.nodes[0]),
            "Router r1 on ams-1, running, network ring."
        );
    }

    #[test]
    fn links_lead_to_what_is_there_and_say_what_they_are() {
        let drawn = diagram(&topology(TopologyView::Combined));
        assert_eq!(
            drawn.lasting_edges().count(),
            2,
            "the link to an absent host is left out"
        );
        assert_eq!(drawn.edges[0].kind, EdgeKind::Virtual);
        assert_eq!(drawn.edges[0].label, "1 Gbit/s");
        assert_eq!(
            describe::edge(&drawn, &drawn.edges[0]),
            "Virtual link between r1 and r2, up, 1 Gbit/s."
        );
        assert_eq!(drawn.edges[1].kind, EdgeKind::Attachment);
        assert_eq!(drawn.edges[1].state, EdgeState::Down);
        assert_eq!(
            drawn.nodes.len(),
            3,
            "two routers and the one drawn segment"
        );
    }
}
