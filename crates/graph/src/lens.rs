//! Looking at a part of a diagram, or at it more coarsely: [`Lens`].

use crate::query::{Asking, Numbers, Query};
use crate::{
    Diagram, Edge, EdgeKind, EdgeState, End, Facts, Group, Node, NodeKind, NodeState, Thing,
};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

/// What is shown of a diagram. Its parts work one after the other, in the order of the fields;
/// one that is not set, or that finds nothing of what it names, changes nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lens {
    /// Only what matches: nodes and groups of which it is true, and links of which it is not
    /// false if both ends stay. A link of which it is true brings its ends, and a member its
    /// group.
    pub filter: Option<Query>,
    /// Only this virtual network: its routers, their segments and their hosts.
    pub network: Option<String>,
    /// Only what is within so many hops of these ids. Along a link is one hop, and so is from a
    /// group to a member or back; the group around what stays is drawn in any case. A link's id
    /// stands for both of its ends.
    pub around: Option<(Vec<String>, u8)>,
    /// What is drawn as one node: groups by their ids, and virtual networks by
    /// [`network_id`]. A router of both goes into its network.
    pub collapsed: BTreeSet<String>,
}

/// The id of a virtual network that is drawn as one node, and its name in [`Lens::collapsed`].
pub fn network_id(name: &str) -> String {
    format!("network:{name}")
}

/// The names of the virtual networks in a diagram, in order.
pub fn networks(diagram: &Diagram) -> BTreeSet<&str> {
    let names = diagram.nodes.iter().map(|node| node.facts.network.as_str());
    names.filter(|name| !name.is_empty()).collect()
}

/// The same with a box around each virtual network; unchanged if there are boxes already.
pub fn boxed_by_network(diagram: &Diagram) -> Diagram {
    let mut boxed = diagram.clone();
    if !diagram.groups.is_empty() {
        return boxed;
    }
    let names: Vec<&str> = networks(diagram).into_iter().collect();
    boxed.groups = names
        .iter()
        .map(|name| {
            let of_it = || diagram.nodes.iter().filter(|n| n.facts.network == *name);
            let running = of_it().filter(|n| n.state == NodeState::Running).count();
            Group {
                id: network_id(name),
                label: (*name).to_owned(),
                state: NodeState::Neutral,
                facts: Facts {
                    network: (*name).to_owned(),
                    routers: Some([running as u32, of_it().count() as u32]),
                    ..Facts::default()
                },
                ..Group::default()
            }
        })
        .collect();
    for node in &mut boxed.nodes {
        node.group = names
            .binary_search(&node.facts.network.as_str())
            .ok()
            .map(|index| index as u32);
    }
    boxed
}

impl Lens {
    /// Whether everything is shown as it is.
    pub fn is_clear(&self) -> bool {
        self.filter.as_ref().is_none_or(Query::is_empty)
            && self.network.is_none()
            && self.around.is_none()
            && self.collapsed.is_empty()
    }

    /// What is seen of `diagram`. What stays keeps its id.
    pub fn apply(&self, diagram: &Diagram, numbers: &dyn Numbers) -> Diagram {
        if self.is_clear() {
            return diagram.clone();
        }
        let mut part = Part::whole(diagram);
        if let Some(query) = &self.filter {
            part.filter(&query.on(diagram, numbers));
        }
        if let Some(name) = &self.network {
            part.focus(name);
        }
        if let Some((ids, hops)) = &self.around {
            part.around(ids, *hops, &self.collapsed);
        }
        Coarse::new(&part, &self.collapsed).draw()
    }
}

/// What stays of a diagram.
struct Part<'a> {
    diagram: &'a Diagram,
    nodes: Vec<bool>,
    groups: Vec<bool>,
    edges: Vec<bool>,
}

impl<'a> Part<'a> {
    fn whole(diagram: &'a Diagram) -> Self {
        let mut part = Self {
            diagram,
            nodes: vec![true; diagram.nodes.len()],
            groups: vec![true; diagram.groups.len()],
            edges: vec![true; diagram.edges.len()],
        };
        part.drop_loose_edges();
        part
    }

    fn has(&self, end: End) -> bool {
        let (list, index) = match end {
            End::Node(index) => (&self.nodes, index),
            End::Group(index) => (&self.groups, index),
        };
        list.get(index as usize).copied().unwrap_or(false)
    }

    fn keep(&mut self, end: End) {
        let (list, index) = match end {
            End::Node(index) => (&mut self.nodes, index),
            End::Group(index) => (&mut self.groups, index),
        };
        if let Some(kept) = list.get_mut(index as usize) {
            *kept = true;
        }
    }

    /// A node's group, if it is there.
    fn group(&self, node: &Node) -> Option<u32> {
        let group = node.group?;
        ((group as usize) < self.groups.len()).then_some(group)
    }

    /// Groups around what stays are drawn.
    fn keep_frames(&mut self) {
        for (node, _) in self
            .diagram
            .nodes
            .iter()
            .zip(&self.nodes)
            .filter(|(_, kept)| **kept)
        {
            if let Some(group) = self.group(node) {
                self.groups[group as usize] = true;
            }
        }
    }

    fn drop_loose_edges(&mut self) {
        for (index, edge) in self.diagram.edges.iter().enumerate() {
            self.edges[index] &= self.has(edge.a) && self.has(edge.b);
        }
    }

    fn filter(&mut self, asking: &Asking) {
        for (index, kept) in (0..).zip(&mut self.nodes) {
            *kept = asking.matches(Thing::Node(index));
        }
        for (index, kept) in (0..).zip(&mut self.groups) {
            *kept = asking.matches(Thing::Group(index));
        }
        for (index, edge) in (0..).zip(&self.diagram.edges) {
            let verdict = asking.verdict(Thing::Edge(index));
            if self.edges[index as usize] && verdict == Some(true) {
                self.keep(edge.a);
                self.keep(edge.b);
            }
            self.edges[index as usize] &= verdict != Some(false);
        }
        self.keep_frames();
        self.drop_loose_edges();
    }

    fn focus(&mut self, name: &str) {
        let nodes = &self.diagram.nodes;
        let of_it: Vec<bool> = nodes
            .iter()
            .map(|node| node.facts.network == name)
            .collect();
        if !of_it.contains(&true) {
            return;
        }
        let mut near = of_it.clone();
        for (edge, _) in self
            .diagram
            .edges
            .iter()
            .zip(&self.edges)
            .filter(|(_, kept)| **kept)
        {
            for (end, other) in [(edge.a, edge.b), (edge.b, edge.a)] {
                if let (End::Node(segment), End::Node(router)) = (end, other) {
                    let segment = segment as usize;
                    near[segment] |=
                        nodes[segment].kind == NodeKind::Segment && of_it[router as usize];
                }
            }
        }
        let hosts: HashSet<&str> = nodes
            .iter()
            .zip(&of_it)
            .filter(|(node, of_it)| **of_it && !node.facts.host.is_empty())
            .map(|(node, _)| node.facts.host.as_str())
            .collect();
        for (index, node) in nodes.iter().enumerate() {
            let host = node.kind == NodeKind::Host && hosts.contains(node.label.as_str());
            self.nodes[index] &= near[index] || host;
        }
        self.groups.fill(false);
        self.keep_frames();
        self.drop_loose_edges();
    }

    /// Breadth first, nodes before groups in one list of distances.
    fn around(&mut self, ids: &[String], hops: u8, collapsed: &BTreeSet<String>) {
        let diagram = self.diagram;
        let nodes = diagram.nodes.len();
        let place = |end: End| match end {
            End::Node(index) => index as usize,
            End::Group(index) => nodes + index as usize,
        };
        let mut near: Vec<Vec<usize>> = vec![Vec::new(); nodes + diagram.groups.len()];
        let mut join = |a: usize, b: usize| {
            near[a].push(b);
            near[b].push(a);
        };
        for (edge, _) in diagram
            .edges
            .iter()
            .zip(&self.edges)
            .filter(|(_, kept)| **kept)
        {
            join(place(edge.a), place(edge.b));
        }
        for (index, node) in (0..).zip(&diagram.nodes) {
            let group = self.group(node).filter(|_| self.has(End::Node(index)));
            if let Some(group) = group {
                join(index as usize, nodes + group as usize);
            }
        }
        let wanted: HashSet<&str> = ids.iter().map(String::as_str).collect();
        let mut distances = vec![None; near.len()];
        let mut queue = VecDeque::new();
        let mut start = |end: End| {
            if self.has(end) && distances[place(end)].is_none() {
                distances[place(end)] = Some(0u8);
                queue.push_back(place(end));
            }
        };
        for thing in diagram.things() {
            let asked = diagram.id(thing).is_some_and(|id| wanted.contains(id));
            match thing {
                Thing::Node(index) => {
                    // A network that is drawn as one node can be asked for as that.
                    let of_asked = || {
                        let id = network_id(&diagram.nodes[index as usize].facts.network);
                        collapsed.contains(&id) && wanted.contains(id.as_str())
                    };
                    if asked || of_asked() {
                        start(End::Node(index));
                    }
                }
                Thing::Group(index) if asked => start(End::Group(index)),
                Thing::Edge(index) if asked => {
                    let edge = &diagram.edges[index as usize];
                    start(edge.a);
                    start(edge.b);
                }
                _ => {}
            }
        }
        if queue.is_empty() {
            return;
        }
        while let Some(at) = queue.pop_front() {
            let Some(next) = distances[at].filter(|&at| at < hops) else {
                continue;
            };
            for &other in &near[at] {
                if distances[other].is_none() {
                    distances[other] = Some(next + 1);
                    queue.push_back(other);
                }
            }
        }
        let (of_nodes, of_groups) = distances.split_at(nodes);
        self.nodes = of_nodes.iter().map(Option::is_some).collect();
        self.groups = of_groups.iter().map(Option::is_some).collect();
        self.keep_frames();
        self.drop_loose_edges();
    }
}

/// Where a node of the diagram goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Gone,
    Stays,
    /// Into the group, by index.
    Host(u32),
    /// Into the virtual network, by index in [`Coarse::networks`].
    Network(u32),
}

/// What is drawn as one node, and all that follows from it.
struct Coarse<'a> {
    part: &'a Part<'a>,
    fates: Vec<Fate>,
    /// Which groups are drawn as nodes.
    hosts: Vec<bool>,
    networks: Vec<&'a str>,
}

impl<'a> Coarse<'a> {
    fn new(part: &'a Part<'a>, collapsed: &BTreeSet<String>) -> Self {
        let diagram = part.diagram;
        let networks: Vec<&str> = networks(diagram)
            .into_iter()
            .filter(|name| collapsed.contains(&network_id(name)))
            .collect();
        let hosts: Vec<bool> = diagram
            .groups
            .iter()
            .map(|group| collapsed.contains(&group.id))
            .collect();
        let fate = |(node, kept): (&Node, &bool)| {
            if !kept {
                return Fate::Gone;
            }
            if let Ok(network) = networks.binary_search(&node.facts.network.as_str()) {
                return Fate::Network(network as u32);
            }
            match part.group(node) {
                Some(group) if hosts[group as usize] => Fate::Host(group),
                _ => Fate::Stays,
            }
        };
        let fates = diagram.nodes.iter().zip(&part.nodes).map(fate).collect();
        let mut coarse = Self {
            part,
            fates,
            hosts,
            networks,
        };
        coarse.swallow_segments();
        coarse
    }

    /// A segment that only one network is on goes with it.
    fn swallow_segments(&mut self) {
        let nodes = &self.part.diagram.nodes;
        // Who is on it; `Gone` before anybody is seen.
        let mut users = vec![Fate::Gone; nodes.len()];
        for edge in self.edges() {
            for (end, other) in [(edge.a, edge.b), (edge.b, edge.a)] {
                let End::Node(segment) = end else { continue };
                let user = match other {
                    End::Node(user) => self.fates[user as usize],
                    End::Group(_) => Fate::Stays,
                };
                let users = &mut users[segment as usize];
                *users = if *users == Fate::Gone || *users == user {
                    user
                } else {
                    Fate::Stays
                };
            }
        }
        for (index, node) in nodes.iter().enumerate() {
            let only = matches!(users[index], Fate::Network(_));
            if node.kind == NodeKind::Segment && self.fates[index] == Fate::Stays && only {
                self.fates[index] = users[index];
            }
        }
    }

    fn edges(&self) -> impl Iterator<Item = &'a Edge> {
        let edges = self.part.diagram.edges.iter().zip(&self.part.edges);
        edges.filter(|(_, kept)| **kept).map(|(edge, _)| edge)
    }

    fn draw(&self) -> Diagram {
        let diagram = self.part.diagram;
        let mut in_hosts = vec![Members::default(); diagram.groups.len()];
        let mut in_networks = vec![Members::default(); self.networks.len()];
        for (node, fate) in diagram.nodes.iter().zip(&self.fates) {
            match fate {
                Fate::Host(index) => in_hosts[*index as usize].count(node),
                Fate::Network(index) => in_networks[*index as usize].count(node),
                Fate::Gone | Fate::Stays => {}
            }
        }
        let mut ids = Ids::new(diagram);
        let mut drawn = Diagram::default();
        // Where each group is now, and each network; meaningless for what is gone.
        let mut groups = vec![End::default(); diagram.groups.len()];
        let mut networks = vec![End::default(); self.networks.len()];
        for (index, group) in diagram.groups.iter().enumerate() {
            if self.part.groups[index] && !self.hosts[index] {
                groups[index] = End::Group(drawn.groups.len() as u32);
                drawn.groups.push(group.clone());
            }
        }
        let mut ends = vec![End::default(); diagram.nodes.len()];
        for (index, node) in diagram.nodes.iter().enumerate() {
            if self.fates[index] == Fate::Stays {
                ends[index] = End::Node(drawn.nodes.len() as u32);
                let group = self.part.group(node).map(|group| groups[group as usize]);
                drawn.nodes.push(Node {
                    group: match group {
                        Some(End::Group(group)) => Some(group),
                        _ => None,
                    },
                    ..node.clone()
                });
            }
        }
        for (index, group) in diagram.groups.iter().enumerate() {
            if self.part.groups[index] && self.hosts[index] {
                groups[index] = End::Node(drawn.nodes.len() as u32);
                drawn.nodes.push(host(group, &in_hosts[index]));
            }
        }
        for (index, name) in self.networks.iter().enumerate() {
            if in_networks[index].all > 0 {
                networks[index] = End::Node(drawn.nodes.len() as u32);
                let id = ids.unique(network_id(name));
                drawn.nodes.push(network(id, name, &in_networks[index]));
            }
        }
        for (index, fate) in self.fates.iter().enumerate() {
            match fate {
                Fate::Host(group) => ends[index] = groups[*group as usize],
                Fate::Network(network) => ends[index] = networks[*network as usize],
                Fate::Gone | Fate::Stays => {}
            }
        }
        self.draw_edges(&ends, &groups, &mut ids, &mut drawn);
        self.draw_placements(&groups, &networks, &mut ids, &mut drawn);
        drawn
    }

    /// Links with their new ends: those within one node are gone, and those between the same two
    /// that were between others before are one.
    fn draw_edges(&self, ends: &[End], groups: &[End], ids: &mut Ids, drawn: &mut Diagram) {
        let mut merged: BTreeMap<(End, End, EdgeKind), Vec<&Edge>> = BTreeMap::new();
        for edge in self.edges() {
            let end = |end: End| match end {
                End::Node(index) => ends[index as usize],
                End::Group(index) => groups[index as usize],
            };
            let moved = |end: End| match end {
                End::Node(index) => self.fates[index as usize] != Fate::Stays,
                End::Group(_) => false,
            };
            let (a, b) = (end(edge.a), end(edge.b));
            if !moved(edge.a) && !moved(edge.b) {
                drawn.edges.push(Edge {
                    a,
                    b,
                    ..edge.clone()
                });
            } else if a != b {
                let between = merged.entry((a.min(b), a.max(b), edge.kind)).or_default();
                between.push(edge);
            }
        }
        for ((a, b, kind), edges) in merged {
            let [one] = edges.as_slice() else {
                let id = |end: End| drawn.id(end.into()).unwrap_or_default();
                let id = format!("links:{}:{}~{}", kind.as_str(), id(a), id(b));
                drawn
                    .edges
                    .push(together(ids.unique(id), a, b, kind, &edges));
                continue;
            };
            let first = match one.a {
                End::Node(index) => ends[index as usize],
                End::Group(index) => groups[index as usize],
            };
            drawn.edges.push(Edge {
                a: first,
                b: if first == a { b } else { a },
                ..(*one).clone()
            });
        }
    }

    /// A network that is one node hangs on the groups that its routers were in.
    fn draw_placements(
        &self,
        groups: &[End],
        networks: &[End],
        ids: &mut Ids,
        drawn: &mut Diagram,
    ) {
        let mut placements: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        for (node, fate) in self.part.diagram.nodes.iter().zip(&self.fates) {
            if let (Fate::Network(network), Some(group)) = (fate, self.part.group(node)) {
                *placements.entry((*network, group)).or_default() += 1;
            }
        }
        for ((network, group), count) in placements {
            let (a, b) = (groups[group as usize], networks[network as usize]);
            let id = |end: End| drawn.id(end.into()).unwrap_or_default();
            let id = format!("runs:{}~{}", id(a), id(b));
            drawn.edges.push(Edge {
                id: ids.unique(id),
                a,
                b,
                kind: EdgeKind::Attachment,
                label: counted(count, "router"),
                ..Edge::default()
            });
        }
    }
}

/// What is within a node that stands for many.
#[derive(Clone, Copy, Debug, Default)]
struct Members {
    all: u32,
    routers: u32,
    running: u32,
    stale: bool,
}

impl Members {
    fn count(&mut self, node: &Node) {
        let router = node.kind == NodeKind::Router;
        self.all += 1;
        self.routers += u32::from(router);
        self.running += u32::from(router && node.state == NodeState::Running);
        self.stale |= node.stale;
    }
}

fn host(group: &Group, members: &Members) -> Node {
    let routers = group.facts.routers;
    Node {
        id: group.id.clone(),
        label: group.label.clone(),
        kind: NodeKind::Host,
        state: group.state,
        group: None,
        stale: group.stale,
        facts: Facts {
            routers: routers.or(Some([members.running, members.routers])),
            ..group.facts.clone()
        },
    }
}

fn network(id: String, name: &str, members: &Members) -> Node {
    Node {
        id,
        label: name.to_owned(),
        kind: NodeKind::Segment,
        state: NodeState::Neutral,
        group: None,
        stale: members.stale,
        facts: Facts {
            network: name.to_owned(),
            members: members.routers,
            ..Facts::default()
        },
    }
}

/// One line for many: as bad as the worst, as wide as all of them.
fn together(id: String, a: End, b: End, kind: EdgeKind, edges: &[&Edge]) -> Edge {
    let states = edges.iter().map(|edge| edge.state);
    let worst = states.max_by_key(|state| match state {
        EdgeState::Up => 0,
        EdgeState::Unknown => 1,
        EdgeState::Down => 2,
    });
    let known = |capacity: &f32| capacity.is_finite() && *capacity > 0.0;
    Edge {
        id,
        a,
        b,
        kind,
        state: worst.unwrap_or_default(),
        label: counted(edges.len() as u32, "link"),
        ports: Default::default(),
        capacity: edges.iter().map(|edge| edge.capacity).filter(known).sum(),
    }
}

fn counted(count: u32, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The ids that are taken; looked through only once somebody wants a new one.
struct Ids<'a> {
    diagram: &'a Diagram,
    there: Option<HashSet<&'a str>>,
    made: HashSet<String>,
}

impl<'a> Ids<'a> {
    fn new(diagram: &'a Diagram) -> Self {
        Self {
            diagram,
            there: None,
            made: HashSet::new(),
        }
    }

    /// `id`, or with marks behind it if there is such a one already.
    fn unique(&mut self, mut id: String) -> String {
        let diagram = self.diagram;
        let there = self.there.get_or_insert_with(|| {
            let ids = diagram.things().filter_map(|thing| diagram.id(thing));
            ids.collect()
        });
        while there.contains(id.as_str()) || !self.made.insert(id.clone()) {
            id.push('\'');
        }
        id
    }
}
