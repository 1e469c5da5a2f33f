//! Graphs to lay out: the same each time. `crates/graph/benches/layout.rs` includes this file.

use graph::{Diagram, Edge, EdgeKind, End, Group, Node};

/// Nodes `0..nodes`, and lines between them.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// How many nodes.
    pub nodes: u32,
    /// Two ends each.
    pub edges: Vec<(u32, u32)>,
}

/// The graphs by name, all connected.
pub const NAMES: [&str; 6] = [
    "data centre 1k",
    "data centre 10k",
    "grid 1k",
    "grid 10k",
    "scale-free 1k",
    "scale-free 10k",
];

/// The graph of that name.
pub fn by_name(name: &str) -> Option<Graph> {
    Some(match name {
        "data centre 1k" => data_centre(83, 9),
        "data centre 10k" => data_centre(830, 9),
        "grid 1k" => grid(32),
        "grid 10k" => grid(100),
        "scale-free 1k" => scale_free(1000, 2),
        "scale-free 10k" => scale_free(10_000, 2),
        _ => return None,
    })
}

/// A square of `side` × `side` nodes.
pub fn grid(side: u32) -> Graph {
    let mut edges = Vec::new();
    for i in 0..side {
        for j in 1..side {
            edges.push((i * side + j - 1, i * side + j));
            edges.push(((j - 1) * side + i, j * side + i));
        }
    }
    Graph {
        nodes: side * side,
        edges,
    }
}

/// Each node is linked to `links` earlier ones, the more likely the more links those have
/// (A.-L. Barabási, R. Albert, *Emergence of Scaling in Random Networks*, Science 286, 1999).
pub fn scale_free(nodes: u32, links: usize) -> Graph {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut ends = vec![0, 1];
    let mut edges = vec![(0, 1)];
    for node in 2..nodes {
        let mut chosen: Vec<u32> = Vec::new();
        while chosen.len() < links.min(node as usize) {
            let other = ends[rng.usize(..ends.len())];
            if !chosen.contains(&other) {
                chosen.push(other);
            }
        }
        for other in chosen {
            edges.push((node, other));
            ends.extend([node, other]);
        }
    }
    Graph { nodes, edges }
}

/// Spines, leaves, hosts with a bridge and `machines` virtual machines each, and virtual routers
/// that each join six to fourteen of those, wherever they are. `bench/view/graph.py` makes one by the
/// same rules, where the machines' networks fall by other random numbers.
pub fn data_centre(hosts: u32, machines: u32) -> Graph {
    let mut rng = fastrand::Rng::with_seed(2);
    let leaves = (hosts / 20).max(2);
    let mut nodes = 4 + leaves;
    let mut edges: Vec<(u32, u32)> = (4..nodes)
        .flat_map(|leaf| (0..4).map(move |spine| (leaf, spine)))
        .collect();
    let mut all = Vec::new();
    for host in 0..hosts {
        let (itself, bridge) = (nodes, nodes + 1);
        nodes += 2;
        edges.extend([(itself, 4 + host % leaves), (itself, bridge)]);
        for _ in 0..machines {
            edges.push((nodes, bridge));
            all.push(nodes);
            nodes += 1;
        }
    }
    rng.shuffle(&mut all);
    let mut rest = &all[..];
    while !rest.is_empty() {
        let (members, later) = rest.split_at(rng.usize(6..=14).min(rest.len()));
        edges.extend(members.iter().map(|&member| (nodes, member)));
        nodes += 1;
        rest = later;
    }
    Graph { nodes, edges }
}

/// A fleet as the combined view shows it: `hosts` boxes with cables in a tree with chords, twelve
/// routers in each, and virtual networks of two to nine routers, as trees with a chord, most of
/// them on few hosts that are near.
pub fn fleet(hosts: u32) -> Diagram {
    let mut rng = fastrand::Rng::with_seed(3);
    let mut diagram = Diagram::default();
    for host in 0..hosts {
        diagram.groups.push(Group {
            id: format!("h{host}"),
            label: format!("host-{host:03}"),
            ..Group::default()
        });
        let mut cable = |other: u32| {
            diagram.edges.push(Edge {
                id: format!("c{host}-{other}"),
                a: End::Group(other),
                b: End::Group(host),
                kind: EdgeKind::Physical,
                label: "10 Gbit/s".into(),
                capacity: 1e10,
                ..Edge::default()
            });
        };
        if host > 0 {
            cable(host - 1 - rng.u32(0..host.min(8)));
        }
        if host > 8 && host % 5 == 0 {
            cable(rng.u32(0..host - 8));
        }
    }
    let routers = hosts * 12;
    while (diagram.nodes.len() as u32) < routers {
        let first = diagram.nodes.len() as u32;
        let network = rng.u32(0..1000);
        let home = rng.u32(0..hosts);
        for k in 0..rng.u32(2..=9).min(routers - first) {
            diagram.nodes.push(Node {
                id: format!("n{}", first + k),
                label: format!("net{network}-r{k}"),
                group: Some((home + rng.u32(0..4)) % hosts),
                ..Node::default()
            });
            let mut link = |other: u32| {
                diagram.edges.push(Edge {
                    id: format!("e{}", diagram.edges.len()),
                    a: End::Node(other),
                    b: End::Node(first + k),
                    ..Edge::default()
                });
            };
            if k > 0 {
                link(first + rng.u32(0..k));
            }
            if k == 4 {
                link(first);
            }
        }
    }
    diagram
}
