//! Paths through the topology.
//!
//! ```text
//! virtual    r1 ────────────── r2      what is searched: the links of a view, and where physical
//!            ┆ on              ┆ on    ones are among them, an end that is a router joined to its
//! physical   A ──── C ──────── B       host. Other routers are not: what comes to a host through
//!                                      its cables does not get into a router of its own accord
//! ```
//!
//! Under a virtual link lies the physical path of fewest hops between the hosts of its routers
//! ([`Underlays`]). That is taken to be so, not known: how the hosts' own network leads is nobody's
//! to tell. A virtual link takes as long as the cables under it, and has free what they have; within
//! one host there are none, and neither is known.

use super::{State, errors, load::Load, translate};
use api::{
    ElementId, Error, FindPathsReply, FindPathsRequest, Path, PathLink, PathMetric, PathStep,
    Timestamp, TopologyView, Underlay,
};
use graph::paths::{Measure, Network, Searcher, Values, Way};
use model::{HostId, Link, LinkEnd, LinkId, LinkKind, LinkState, RouterId, SegmentId, Topology};
use std::collections::{BTreeSet, HashMap};

/// The paths that are found if no number is given, and at most.
const ALTERNATIVES: u32 = 3;
const MOST: u32 = 16;

/// The obstacles that a reason lists.
const LISTED: usize = 3;

/// The best paths, or why there is none.
pub(crate) fn find(state: &State, request: &FindPathsRequest) -> Result<FindPathsReply, Error> {
    let count = request.alternatives.unwrap_or(ALTERNATIVES);
    if !(1..=MOST).contains(&count) {
        return Err(Error::invalid(
            "alternatives",
            format!("{count} paths cannot be asked for: 1 to {MOST} were expected"),
        ));
    }
    let view = state.view();
    let topology = view.topology();
    let wanted = request.view.unwrap_or_default();
    let origin = end(topology, wanted, "origin", &request.origin)?;
    let destination = end(topology, wanted, "destination", &request.destination)?;
    if origin == destination {
        return Err(Error::invalid(
            "destination",
            "it is the origin, too: another element was expected",
        ));
    }
    let avoided = Avoided::read(topology, &request.avoid)?;
    for (node, name) in [(origin, "origin"), (destination, "destination")] {
        if avoided.node(topology, node) {
            return Err(Error::invalid(
                "avoid",
                format!("the {name} cannot be avoided: leave it and its host out"),
            ));
        }
    }
    let now = Timestamp::now();
    let metric = request.metric.unwrap_or_default();
    let search = Search {
        topology,
        load: Load::of(&state.latest, topology, now),
        view: wanted,
        ends: [origin, destination],
        avoided,
        include_down: request.include_down.unwrap_or_default(),
    };
    let mut underlays = Underlays::new(topology);
    let paths = search.paths(metric, count as usize, &mut underlays);
    Ok(FindPathsReply {
        as_of: now,
        sources: view.sources(),
        version: view.snapshot.version,
        view: wanted,
        metric,
        simulated: search.load.is_simulated(),
        reason: paths.is_empty().then(|| search.reason()),
        paths,
    })
}

/// What a path goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Node<'a> {
    Host(&'a HostId),
    Router(RouterId),
    Segment(&'a SegmentId),
}

impl<'a> Node<'a> {
    fn of(end: &'a LinkEnd) -> Self {
        match end {
            LinkEnd::Host(port) => Self::Host(&port.host),
            LinkEnd::Router(member) => Self::Router(member.router),
            LinkEnd::Segment(id) => Self::Segment(id),
        }
    }

    fn id(self) -> ElementId {
        match self {
            Self::Host(id) => translate::id::<api::HostId>(id).into(),
            Self::Router(id) => translate::router_id(id).into(),
            Self::Segment(id) => translate::id::<api::SegmentId>(id).into(),
        }
    }

    /// Its name for people.
    fn name(self, topology: &Topology) -> String {
        let name = match self {
            Self::Host(id) => topology.hosts.get(id).map(|host| &host.name),
            Self::Router(id) => topology.routers.get(&id).map(|router| &router.domain.name),
            Self::Segment(id) => topology.segments.get(id).map(|segment| &segment.name),
        };
        name.cloned().unwrap_or_else(|| match self {
            Self::Host(id) => id.to_string(),
            Self::Router(id) => id.to_string(),
            Self::Segment(id) => id.to_string(),
        })
    }
}

/// What joins two nodes.
#[derive(Clone, Copy, Debug)]
enum Join<'a> {
    Link(&'a Link),
    /// A router is on a host.
    On,
}

impl<'a> Join<'a> {
    fn link(self) -> Option<&'a Link> {
        match self {
            Self::Link(link) => Some(link),
            Self::On => None,
        }
    }
}

/// A step to another node.
#[derive(Clone, Copy, Debug)]
struct Step<'a> {
    join: Join<'a>,
    /// From the link's end `a` to `b`.
    forward: bool,
    to: Node<'a>,
}

/// The nodes and joins of a graph by their numbers there.
#[derive(Default)]
struct Plan<'a> {
    nodes: Vec<Node<'a>>,
    numbers: HashMap<Node<'a>, u32>,
    joins: Vec<Join<'a>>,
    edges: Vec<(u32, u32)>,
}

impl<'a> Plan<'a> {
    fn number(&mut self, node: Node<'a>) -> u32 {
        *self.numbers.entry(node).or_insert_with(|| {
            self.nodes.push(node);
            self.nodes.len() as u32 - 1
        })
    }

    fn join(&mut self, join: Join<'a>, a: Node<'a>, b: Node<'a>) {
        let edge = (self.number(a), self.number(b));
        self.joins.push(join);
        self.edges.push(edge);
    }

    fn link(&mut self, link: &'a Link) {
        self.join(Join::Link(link), Node::of(&link.a), Node::of(&link.b));
    }

    fn network(&self) -> Network {
        Network::new(self.nodes.len() as u32, &self.edges)
    }

    fn step(&self, way: Way) -> Step<'a> {
        let (a, b) = self.edges[way.edge() as usize];
        let to = if way.is_forward() { b } else { a };
        Step {
            join: self.joins[way.edge() as usize],
            forward: way.is_forward(),
            to: self.nodes[to as usize],
        }
    }

    /// A value of each join in either direction.
    fn values(
        &self,
        network: &Network,
        mut value: impl FnMut(Join<'a>, bool) -> Option<u64>,
    ) -> Values {
        network.values(|way| value(self.joins[way.edge() as usize], way.is_forward()))
    }
}

/// The element that is meant by one end of a path.
fn end<'a>(
    topology: &'a Topology,
    view: TopologyView,
    name: &str,
    id: &ElementId,
) -> Result<Node<'a>, Error> {
    let node = match named(topology, name, id)? {
        Named::Node(node) => node,
        Named::Link(_) => {
            return Err(Error::invalid(
                name,
                "a path does not end at a link: one of the elements that it joins was expected",
            ));
        }
    };
    let not_there = |what: &str, views: &str| {
        let message = format!("{what} is not in the {view} view: ask for the {views} one");
        Err(Error::invalid(name, message))
    };
    match (node, view) {
        (Node::Host(_), TopologyView::Virtual) => not_there("a host", "physical or the combined"),
        (Node::Segment(_), TopologyView::Physical) => {
            not_there("a segment", "virtual or the combined")
        }
        (Node::Segment(id), _) if !topology.segments.get(id).is_some_and(|it| it.drawn) => {
            Err(Error::invalid(
                name,
                "this segment is no node: it has fewer than three members, name one of them",
            ))
        }
        _ => Ok(node),
    }
}

/// What an id is of.
enum Named<'a> {
    Node(Node<'a>),
    Link(&'a LinkId),
}

fn named<'a>(topology: &'a Topology, name: &str, id: &ElementId) -> Result<Named<'a>, Error> {
    match (&id.host, id.router, &id.segment, &id.link) {
        (Some(host), None, None, None) => {
            let known = topology.hosts.get_key_value(host.as_str());
            let (id, _) = known.ok_or_else(|| errors::no_host(host, topology))?;
            Ok(Named::Node(Node::Host(id)))
        }
        (None, Some(router), None, None) => {
            let id = RouterId(router.0);
            let is_known = topology.routers.contains_key(&id);
            is_known
                .then_some(Named::Node(Node::Router(id)))
                .ok_or_else(|| errors::no_router(router))
        }
        (None, None, Some(segment), None) => {
            let known = topology.segments.get_key_value(segment.as_str());
            let (id, _) = known.ok_or_else(|| errors::no_element("segment", segment))?;
            Ok(Named::Node(Node::Segment(id)))
        }
        (None, None, None, Some(link)) => {
            let known = topology.links.get_key_value(link.as_str());
            let (id, _) = known.ok_or_else(|| errors::no_element("link", link))?;
            Ok(Named::Link(id))
        }
        _ => Err(Error::invalid(
            name,
            "exactly one of host, router, segment and link was expected",
        )),
    }
}

/// What must not be used.
#[derive(Default)]
struct Avoided<'a> {
    hosts: BTreeSet<&'a HostId>,
    routers: BTreeSet<RouterId>,
    segments: BTreeSet<&'a SegmentId>,
    links: BTreeSet<&'a LinkId>,
}

impl<'a> Avoided<'a> {
    fn read(topology: &'a Topology, ids: &[ElementId]) -> Result<Self, Error> {
        let mut avoided = Self::default();
        for id in ids {
            match named(topology, "avoid", id)? {
                Named::Node(Node::Host(id)) => avoided.hosts.insert(id),
                Named::Node(Node::Router(id)) => avoided.routers.insert(id),
                Named::Node(Node::Segment(id)) => avoided.segments.insert(id),
                Named::Link(id) => avoided.links.insert(id),
            };
        }
        Ok(avoided)
    }

    /// With a host go the routers on it.
    fn node(&self, topology: &Topology, node: Node<'_>) -> bool {
        match node {
            Node::Host(id) => self.hosts.contains(id),
            Node::Router(id) => {
                let router = topology.routers.get(&id);
                self.routers.contains(&id)
                    || router.is_some_and(|router| self.hosts.contains(&router.host))
            }
            Node::Segment(id) => self.segments.contains(id),
        }
    }
}

/// Whether frames are taken to get through, as far as is known.
fn is_passable(link: &Link) -> bool {
    link.state != LinkState::Down && link.is_believed()
}

/// What is searched for.
struct Search<'a> {
    topology: &'a Topology,
    load: Load<'a>,
    view: TopologyView,
    ends: [Node<'a>; 2],
    avoided: Avoided<'a>,
    include_down: bool,
}

impl<'a> Search<'a> {
    /// All that is in the view, and of it what may be used.
    fn plan(&self, wanted: impl Fn(&'a Link) -> bool) -> Plan<'a> {
        let mut plan = Plan::default();
        let physical = self.view != TopologyView::Virtual;
        let is_in_view = |link: &Link| match link.kind {
            LinkKind::Physical => physical,
            LinkKind::Virtual => self.view != TopologyView::Physical,
        };
        for node in self.ends {
            plan.number(node);
            if let Node::Router(id) = node
                && let Some(router) = self.topology.routers.get(&id)
                && physical
            {
                plan.join(Join::On, node, Node::Host(&router.host));
            }
        }
        let links = self.topology.links.values().map(|link| &**link);
        for link in links.filter(|link| is_in_view(link) && wanted(link)) {
            plan.link(link);
        }
        plan
    }

    fn is_avoided(&self, link: &Link) -> bool {
        self.avoided.links.contains(&link.id)
            || [&link.a, &link.b]
                .into_iter()
                .any(|end| self.avoided.node(self.topology, Node::of(end)))
    }

    fn paths(&self, metric: PathMetric, count: usize, underlays: &mut Underlays<'a>) -> Vec<Path> {
        let plan =
            self.plan(|link| (self.include_down || is_passable(link)) && !self.is_avoided(link));
        let network = plan.network();
        let values = plan.values(&network, |join, forward| match (metric, join) {
            (PathMetric::Hops, _) => None,
            (PathMetric::Latency, Join::Link(link)) => underlays.latency_ns(link),
            (PathMetric::Latency, Join::On) => Some(0),
            (PathMetric::FreeCapacity, Join::Link(link)) => {
                underlays.free(&self.load, link, forward)
            }
            (PathMetric::FreeCapacity, Join::On) => Some(u64::MAX),
        });
        let measure = match metric {
            PathMetric::Hops => Measure::Hops,
            PathMetric::Latency => Measure::Shortest(&values),
            PathMetric::FreeCapacity => Measure::Widest(&values),
        };
        let [origin, destination] = self.ends.map(|node| plan.numbers[&node]);
        let found = Searcher::new(&network).alternatives(origin, destination, measure, count);
        let told = found.iter().map(|path| {
            let steps: Vec<_> = path.ways.iter().map(|&way| plan.step(way)).collect();
            self.path(&steps, underlays)
        });
        told.collect()
    }

    fn path(&self, steps: &[Step<'a>], underlays: &mut Underlays<'a>) -> Path {
        let [origin, _] = self.ends;
        let sum = self.sum(steps, underlays);
        Path {
            hops: steps.len() as u32,
            latency_seconds: sum.latency_seconds,
            free_capacity_bits_per_second: sum.free,
            steps: self.steps(origin, steps, underlays),
            underlay: self.underlay(origin, steps, underlays),
        }
    }

    /// What lies under the virtual links, from router to router.
    fn underlay(
        &self,
        origin: Node<'a>,
        steps: &[Step<'a>],
        underlays: &mut Underlays<'a>,
    ) -> Vec<Underlay> {
        let mut all = Vec::new();
        let mut from = origin;
        let mut links = Vec::new();
        for step in steps {
            links.extend(step.join.link().map(|link| translate::id(&link.id)));
            if matches!(step.to, Node::Segment(_)) {
                continue;
            }
            let links = std::mem::take(&mut links);
            if let (Node::Router(a), Node::Router(b)) = (from, step.to) {
                let under = underlays.steps(a, b);
                let sum = self.sum(&under, underlays);
                all.push(Underlay {
                    links,
                    hops: under.len() as u32,
                    latency_seconds: sum.latency_seconds,
                    free_capacity_bits_per_second: sum.free,
                    steps: if under.is_empty() {
                        Vec::new()
                    } else {
                        self.steps(from, &under, underlays)
                    },
                });
            }
            from = step.to;
        }
        all
    }

    fn sum(&self, steps: &[Step<'a>], underlays: &mut Underlays<'a>) -> Sum {
        let links: Vec<_> = (steps.iter())
            .filter_map(|step| Some((step.join.link()?, step.forward)))
            .collect();
        if links.is_empty() {
            return Sum::default();
        }
        let latencies = links.iter().map(|(link, _)| underlays.latency_ns(link));
        let latency: Option<u64> = latencies.sum();
        let free = (links.iter())
            .map(|(link, forward)| underlays.free(&self.load, link, *forward))
            .try_fold(u64::MAX, |least, free| Some(least.min(free?)));
        Sum {
            latency_seconds: latency.map(translate::seconds),
            free,
        }
    }

    fn steps(
        &self,
        origin: Node<'a>,
        steps: &[Step<'a>],
        underlays: &mut Underlays<'a>,
    ) -> Vec<PathStep> {
        let mut told = Vec::with_capacity(steps.len() + 1);
        let (mut node, mut enters_by) = (origin, None);
        for step in steps {
            let mut ends = step.join.link().map(|link| [&link.a, &link.b]);
            if let Some(ends) = &mut ends
                && !step.forward
            {
                ends.swap(0, 1);
            }
            told.push(PathStep {
                element: node.id(),
                name: node.name(self.topology),
                enters_by,
                leaves_by: ends.and_then(|[from, _]| interface(from)),
                link: (step.join.link()).map(|link| PathLink {
                    id: translate::id(&link.id),
                    kind: translate::link_kind(link.kind),
                    state: translate::link_state(link.state),
                    latency_seconds: underlays.latency_ns(link).map(translate::seconds),
                    capacity_bits_per_second: link.capacity_bits_per_second,
                    used_bits_per_second: (self.load.traffic(&link.id))
                        .and_then(|traffic| traffic.toward(step.forward)),
                    free_capacity_bits_per_second: underlays.free(&self.load, link, step.forward),
                }),
            });
            (node, enters_by) = (step.to, ends.and_then(|[_, to]| interface(to)));
        }
        told.push(PathStep {
            element: node.id(),
            name: node.name(self.topology),
            enters_by,
            leaves_by: None,
            link: None,
        });
        told
    }

    /// Why there is no path: what stands in the way of the one with the fewest obstacles.
    fn reason(&self) -> String {
        let plan = self.plan(|_| true);
        let network = plan.network();
        let obstacles = plan.values(&network, |join, _| {
            let link = join.link();
            let is_free = |link| self.obstacles(link).is_empty();
            Some(u64::from(!link.is_none_or(is_free)))
        });
        let [origin, destination] = self.ends.map(|node| plan.numbers[&node]);
        let nearest =
            Searcher::new(&network).best(origin, destination, Measure::Shortest(&obstacles));
        let [from, to] = self.ends.map(|node| node.name(self.topology));
        let Some(nearest) = nearest else {
            return format!(
                "Nothing joins {from} and {to} in the {} view, up or down.",
                self.view
            );
        };
        let links = nearest
            .ways
            .iter()
            .filter_map(|&way| plan.step(way).join.link());
        let mut all = Vec::new();
        for obstacle in links.flat_map(|link| self.obstacles(link)) {
            if !all.contains(&obstacle) {
                all.push(obstacle);
            }
        }
        let more = all.len().saturating_sub(LISTED);
        all.truncate(LISTED);
        let and_more = if more > 0 {
            format!(", and {more} more")
        } else {
            String::new()
        };
        format!(
            "No way leads from {from} to {to}. On the one with the fewest obstacles, {}{and_more}.",
            all.join(", ")
        )
    }

    /// Why a link may not be used, as clauses.
    fn obstacles(&self, link: &Link) -> Vec<String> {
        let mut all = Vec::new();
        let between = || {
            let end = |end| match interface(end) {
                Some(interface) => format!("{} {interface}", Node::of(end).name(self.topology)),
                None => Node::of(end).name(self.topology),
            };
            format!("the link {} – {}", end(&link.a), end(&link.b))
        };
        if !self.include_down {
            if link.state == LinkState::Down {
                all.push(format!("{} is down", between()));
            } else if !link.is_believed() {
                all.push(format!(
                    "{} is declared, but LLDP speaks against it",
                    between()
                ));
            }
        }
        if self.avoided.links.contains(&link.id) {
            all.push(format!("{} is to be avoided", between()));
        }
        for node in [&link.a, &link.b].map(Node::of) {
            if self.avoided.node(self.topology, node) {
                all.push(format!("{} is to be avoided", node.name(self.topology)));
            }
        }
        all
    }
}

/// What the links of a path come to.
#[derive(Default)]
struct Sum {
    latency_seconds: Option<f64>,
    free: Option<u64>,
}

/// The interface at an end of a link.
fn interface(end: &LinkEnd) -> Option<String> {
    match end {
        LinkEnd::Host(port) => Some(port.interface.clone()),
        LinkEnd::Router(member) => Some(member.mac.to_string()),
        LinkEnd::Segment(_) => None,
    }
}

/// The physical paths between hosts, each searched once.
pub(super) struct Underlays<'a> {
    topology: &'a Topology,
    plan: Plan<'a>,
    network: Network,
    /// By the numbers of two hosts, the smaller first: so a path is the same both ways.
    found: HashMap<(u32, u32), Option<Vec<Way>>>,
}

impl<'a> Underlays<'a> {
    pub fn new(topology: &'a Topology) -> Self {
        let mut plan = Plan::default();
        for host in topology.hosts.keys() {
            plan.number(Node::Host(host));
        }
        let links = topology.links.values();
        for link in links.filter(|link| link.kind == LinkKind::Physical && is_passable(link)) {
            plan.link(link);
        }
        Self {
            topology,
            network: plan.network(),
            plan,
            found: HashMap::new(),
        }
    }

    /// The physical links under what joins two routers, and whether each is passed from its end
    /// `a` to `b`; none if both are on one host, or if there is no way.
    pub fn cables(&mut self, from: RouterId, to: RouterId) -> Vec<(&'a Link, bool)> {
        let steps = self.steps(from, to).into_iter();
        steps
            .filter_map(|step| Some((step.join.link()?, step.forward)))
            .collect()
    }

    /// From a router by its host to the other's host and the other router; empty if there is no
    /// way.
    fn steps(&mut self, from: RouterId, to: RouterId) -> Vec<Step<'a>> {
        let topology = self.topology;
        let host = |id| topology.routers.get(&id).map(|router| &router.host);
        let (Some(a), Some(b)) = (host(from), host(to)) else {
            return Vec::new();
        };
        let Some(ways) = self.ways(a, b) else {
            return Vec::new();
        };
        let on = |to| Step {
            join: Join::On,
            forward: true,
            to,
        };
        let mut steps = vec![on(Node::Host(a))];
        steps.extend(ways.into_iter().map(|way| self.plan.step(way)));
        steps.push(on(Node::Router(to)));
        steps
    }

    fn ways(&mut self, from: &'a HostId, to: &'a HostId) -> Option<Vec<Way>> {
        let numbers = &self.plan.numbers;
        let [a, b] = [from, to].map(|host| numbers.get(&Node::Host(host)).copied());
        let (a, b) = (a?, b?);
        let network = &self.network;
        let ways = self.found.entry((a.min(b), a.max(b))).or_insert_with(|| {
            let path = Searcher::new(network).best(a.min(b), a.max(b), Measure::Hops)?;
            Some(path.ways)
        });
        let ways = ways.clone()?;
        Some(if a <= b {
            ways
        } else {
            ways.into_iter().rev().map(Way::back).collect()
        })
    }

    /// The physical links that a link is, or that lie under it, each with whether it is passed from
    /// its end `a` to `b`.
    fn carriers(&mut self, link: &'a Link, forward: bool) -> Vec<(&'a Link, bool)> {
        match (link.kind, &link.a, &link.b) {
            (LinkKind::Physical, ..) => vec![(link, forward)],
            (LinkKind::Virtual, LinkEnd::Router(a), LinkEnd::Router(b)) if forward => {
                self.cables(a.router, b.router)
            }
            (LinkKind::Virtual, LinkEnd::Router(a), LinkEnd::Router(b)) => {
                self.cables(b.router, a.router)
            }
            // Half of what joins two routers.
            (LinkKind::Virtual, ..) => Vec::new(),
        }
    }

    /// How long a link takes, in nanoseconds.
    fn latency_ns(&mut self, link: &'a Link) -> Option<u64> {
        let carriers = self.carriers(link, true);
        if carriers.is_empty() {
            return None;
        }
        carriers.iter().map(|(cable, _)| cable.latency_ns).sum()
    }

    /// What is free of a link in one direction, in bits a second.
    fn free(&mut self, load: &Load<'_>, link: &'a Link, forward: bool) -> Option<u64> {
        let carriers = self.carriers(link, forward);
        let free = carriers.iter().map(|(cable, forward)| {
            let used = load.traffic(&cable.id)?.toward(*forward)?;
            let capacity = cable.capacity_bits_per_second?;
            Some(capacity.saturating_sub(used.ceil() as u64))
        });
        free.collect::<Option<Vec<_>>>()?.into_iter().min()
    }
}
