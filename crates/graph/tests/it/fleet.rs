//! Diagrams to try things on: a fleet of demo size in three views, and random graphs.

use graph::{Diagram, Edge, EdgeKind, EdgeState, End, Facts, Group, Node, NodeKind, NodeState};

const HOSTS: [&str; 7] = [
    "ams-edge-1",
    "ams-core-1",
    "fra-core-1",
    "fra-core-2",
    "zrh-edge-1",
    "par-core-1",
    "lon-edge-1",
];

/// Hosts in a ring with chords: two ends and a capacity in Gbit/s.
const CABLES: [(u32, u32, u32); 10] = [
    (0, 1, 10),
    (1, 2, 100),
    (2, 3, 100),
    (3, 4, 25),
    (4, 5, 10),
    (5, 6, 25),
    (6, 0, 10),
    (1, 5, 40),
    (2, 4, 10),
    (1, 6, 1),
];

/// Which picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    Physical,
    Virtual,
    Combined,
}

pub const VIEWS: [View; 3] = [View::Physical, View::Virtual, View::Combined];

/// A virtual network: its name, the hosts of its routers, and the links among them.
struct Network {
    name: &'static str,
    hosts: &'static [u32],
    links: &'static [(u32, u32)],
    is_segment: bool,
}

const NETWORKS: [Network; 9] = [
    Network {
        name: "tri",
        hosts: &[0, 1, 2],
        links: &[(0, 1), (1, 2), (2, 0)],
        is_segment: false,
    },
    Network {
        name: "ring",
        hosts: &[1, 2, 3, 4, 5, 6],
        links: &[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)],
        is_segment: false,
    },
    Network {
        name: "hub",
        hosts: &[1, 0, 2, 3, 5, 6, 4],
        links: &[(0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (0, 6)],
        is_segment: false,
    },
    Network {
        name: "lab",
        hosts: &[3, 3, 3, 4, 4],
        links: &[],
        is_segment: true,
    },
    Network {
        name: "core",
        hosts: &[1, 1, 2, 2, 5],
        links: &[(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (3, 4)],
        is_segment: false,
    },
    Network {
        name: "line",
        hosts: &[6, 6, 0, 0],
        links: &[(0, 1), (1, 2), (2, 3)],
        is_segment: false,
    },
    Network {
        name: "mesh",
        hosts: &[4, 5, 5, 6],
        links: &[(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)],
        is_segment: false,
    },
    Network {
        name: "cust",
        hosts: &[0, 4, 4, 3],
        links: &[(0, 1), (1, 2), (2, 3)],
        is_segment: false,
    },
    Network {
        name: "solo",
        hosts: &[2, 6],
        links: &[],
        is_segment: false,
    },
];

/// Seven hosts and forty routers.
pub fn fleet(view: View) -> Diagram {
    let mut diagram = Diagram::default();
    let end = |h: u32| {
        if view == View::Combined {
            End::Group(h)
        } else {
            End::Node(h)
        }
    };
    for (h, name) in HOSTS.iter().enumerate() {
        let state = if h == 6 {
            NodeState::Unknown
        } else {
            NodeState::Running
        };
        match view {
            View::Combined => diagram.groups.push(Group {
                id: format!("host:{name}"),
                label: (*name).into(),
                state,
                stale: h == 6,
                facts: Facts::default(),
            }),
            View::Physical => diagram.nodes.push(Node {
                id: format!("host:{name}"),
                label: (*name).into(),
                kind: NodeKind::Host,
                state,
                group: None,
                stale: h == 6,
                facts: Facts::default(),
            }),
            View::Virtual => {}
        }
    }
    if view != View::Virtual {
        for (a, b, gbit) in CABLES {
            diagram.edges.push(Edge {
                id: format!("cable:{a}-{b}"),
                a: end(a),
                b: end(b),
                kind: EdgeKind::Physical,
                state: if (a, b) == (1, 6) {
                    EdgeState::Down
                } else {
                    EdgeState::Up
                },
                label: format!("{gbit} Gbit/s"),
                capacity: gbit as f32 * 1e9,
                ..Edge::default()
            });
        }
    }
    if view == View::Physical {
        return diagram;
    }
    for network in &NETWORKS {
        let first = diagram.nodes.len() as u32;
        for (k, &host) in network.hosts.iter().enumerate() {
            let name = format!("{}-r{}", network.name, k + 1);
            let state = match (network.name, k) {
                ("ring", 2) | ("mesh", 1) => NodeState::Paused,
                ("cust" | "line", 3) => NodeState::Stopped,
                ("lab", 1) => NodeState::Failed,
                (_, _) if host == 6 => NodeState::Unknown,
                _ => NodeState::Running,
            };
            diagram.nodes.push(Node {
                id: format!("router:{name}"),
                label: name.clone(),
                kind: NodeKind::Router,
                state,
                group: (view == View::Combined).then_some(host),
                stale: host == 6,
                facts: Facts {
                    host: HOSTS[host as usize].into(),
                    network: network.name.into(),
                    ..Facts::default()
                },
            });
        }
        if network.is_segment {
            let segment = diagram.nodes.len() as u32;
            diagram.nodes.push(Node {
                id: format!("segment:{}", network.name),
                label: format!("{}-net", network.name),
                kind: NodeKind::Segment,
                facts: Facts {
                    members: network.hosts.len() as u32,
                    ..Facts::default()
                },
                ..Node::default()
            });
            for k in 0..network.hosts.len() as u32 {
                diagram.edges.push(Edge {
                    id: format!("tap:{}-{k}", network.name),
                    a: End::Node(first + k),
                    b: End::Node(segment),
                    kind: EdgeKind::Attachment,
                    ..Edge::default()
                });
            }
        }
        for &(a, b) in network.links {
            diagram.edges.push(Edge {
                id: format!("link:{}-{a}-{b}", network.name),
                a: End::Node(first + a),
                b: End::Node(first + b),
                ..Edge::default()
            });
        }
    }
    diagram
}

/// How a random graph is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Erdős–Rényi: any pair as likely as another.
    Random,
    /// Barabási–Albert: the rich get richer.
    ScaleFree,
    Tree,
    /// Many small parts, and nodes alone.
    Scattered,
}

pub const SHAPES: [Shape; 4] = [
    Shape::Random,
    Shape::ScaleFree,
    Shape::Tree,
    Shape::Scattered,
];

/// A random graph in the terms of a view: hosts, routers, or routers in boxes of about twelve.
pub fn random(shape: Shape, nodes: u32, view: View, seed: u64) -> Diagram {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut pairs = Vec::new();
    for b in 1..nodes {
        match shape {
            Shape::Random => pairs.extend([(rng.u32(0..nodes), b), (rng.u32(0..nodes), b)]),
            Shape::ScaleFree => {
                for _ in 0..2 {
                    let a = if pairs.is_empty() || rng.u8(0..4) == 0 {
                        rng.u32(0..b)
                    } else {
                        let (x, y): (u32, u32) = pairs[rng.usize(0..pairs.len())];
                        if rng.bool() { x } else { y }
                    };
                    pairs.push((a, b));
                }
            }
            Shape::Tree => pairs.push((rng.u32(b.saturating_sub(30)..b), b)),
            Shape::Scattered => {
                if rng.u8(0..3) > 0 && b % 9 > 0 {
                    pairs.push((b - rng.u32(1..=b % 9), b));
                }
            }
        }
    }
    let boxes = nodes.div_ceil(12);
    let mut diagram = Diagram::default();
    for n in 0..nodes {
        let kind = if view == View::Physical {
            NodeKind::Host
        } else {
            NodeKind::Router
        };
        diagram.nodes.push(Node {
            id: format!("n{n}"),
            label: format!("node-{n}"),
            kind,
            state: NodeState::Running,
            group: (view == View::Combined).then(|| rng.u32(0..boxes)),
            ..Node::default()
        });
    }
    if view == View::Combined {
        for g in 0..boxes {
            diagram.groups.push(Group {
                id: format!("g{g}"),
                label: format!("host-{g}"),
                ..Group::default()
            });
        }
        for g in 1..boxes {
            diagram.edges.push(Edge {
                id: format!("c{g}"),
                a: End::Group(rng.u32(0..g)),
                b: End::Group(g),
                kind: EdgeKind::Physical,
                ..Edge::default()
            });
        }
    }
    for (k, (a, b)) in pairs.into_iter().enumerate() {
        diagram.edges.push(Edge {
            id: format!("e{k}"),
            a: End::Node(a),
            b: End::Node(b),
            ..Edge::default()
        });
    }
    diagram
}
