//! Our layouts as the comparison calls them.

use crate::graphs::Graph;
use graph::layout::stress;
use graph::{Diagram, Edge, End, Layout, Node, Point, Start, arrange};

/// The graph as a picture of routers without boxes.
pub fn diagram(graph: &Graph) -> Diagram {
    Diagram {
        nodes: (0..graph.nodes)
            .map(|n| Node {
                id: format!("n{n}"),
                label: format!("node-{n}"),
                ..Node::default()
            })
            .collect(),
        edges: graph
            .edges
            .iter()
            .enumerate()
            .map(|(k, &(a, b))| Edge {
                id: format!("e{k}"),
                a: End::Node(a),
                b: End::Node(b),
                ..Edge::default()
            })
            .collect(),
        groups: Vec::new(),
    }
}

/// Stress alone: overlaps are left.
pub fn bare(graph: &Graph) -> Vec<Point> {
    stress::embed(graph.nodes as usize, &graph.edges)
}

/// A whole layout, as a page shows it.
pub fn whole(diagram: &Diagram, layout: Layout) -> Vec<Point> {
    let start = Start {
        layout,
        ..Start::default()
    };
    let places = arrange(diagram, start);
    let of = |node: &Node| places.get(&node.id).copied().unwrap_or_default();
    diagram.nodes.iter().map(of).collect()
}
