//! Ways through a graph, and what is lost if a part of it fails; thin, over petgraph.
//!
//! Costs are the caller's: hops, latency, the inverse of a capacity. A link whose cost is negative
//! or not a number is not used.

use petgraph::algo;
use petgraph::graph::{EdgeIndex, NodeIndex, UnGraph};
use petgraph::visit::EdgeRef;
use std::collections::BTreeSet;

/// A way from one node to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// All nodes on it, both ends included.
    pub nodes: Vec<NodeIndex>,
    /// The edges between them: of several between the same two, the cheapest.
    pub edges: Vec<EdgeIndex>,
    /// Sum of the edges' costs.
    pub cost: f64,
}

/// The way with the fewest hops; none if there is none. See [`cheapest`].
pub fn fewest_hops<N, E>(graph: &UnGraph<N, E>, from: NodeIndex, to: NodeIndex) -> Option<Path> {
    cheapest(graph, from, to, |_| 1.0)
}

/// The way whose edges cost least together (Dijkstra); none if there is none, or if either end is
/// not in the graph.
pub fn cheapest<N, E>(
    graph: &UnGraph<N, E>,
    from: NodeIndex,
    to: NodeIndex,
    cost: impl Fn(&E) -> f64,
) -> Option<Path> {
    graph.node_weight(from)?;
    graph.node_weight(to)?;
    let price = |weight: &E| {
        let price = cost(weight);
        if price >= 0.0 { price } else { f64::INFINITY }
    };
    let (total, nodes) = algo::astar(graph, from, |n| n == to, |e| price(e.weight()), |_| 0.0)?;
    if !total.is_finite() {
        return None;
    }
    let edges = nodes
        .windows(2)
        .filter_map(|pair| {
            graph
                .edges_connecting(pair[0], pair[1])
                .min_by(|a, b| price(a.weight()).total_cmp(&price(b.weight())))
                .map(|edge| edge.id())
        })
        .collect();
    Some(Path {
        nodes,
        edges,
        cost: total,
    })
}

/// Edges without which the graph falls apart further, ascending. One of two parallel edges never is
/// one.
pub fn bridges<N, E>(graph: &UnGraph<N, E>) -> Vec<EdgeIndex> {
    let mut found: Vec<EdgeIndex> = algo::bridges::bridges(graph)
        .filter(|edge| graph.edges_connecting(edge.source(), edge.target()).count() == 1)
        .map(|edge| edge.id())
        .collect();
    found.sort_unstable();
    found
}

/// Nodes without which the graph falls apart further (articulation points).
pub fn cut_nodes<N, E>(graph: &UnGraph<N, E>) -> BTreeSet<NodeIndex> {
    // petgraph's function wants weights that can be cloned and compared; indices are enough.
    let bare = graph.map(|_, _| (), |_, _| ());
    algo::articulation_points::articulation_points(&bare)
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two triangles joined by one edge, a parallel edge, and a node alone.
    fn graph() -> UnGraph<(), f64> {
        let mut graph = UnGraph::from_edges([
            (0u32, 1u32, 1.0),
            (1, 2, 1.0),
            (2, 0, 5.0),
            (2, 3, 1.0),
            (3, 4, 1.0),
            (4, 5, 1.0),
            (5, 3, 1.0),
            (0, 1, 0.5),
        ]);
        graph.add_node(());
        graph
    }

    #[test]
    fn the_cheapest_way_is_not_always_the_shortest() {
        let graph = graph();
        let n = NodeIndex::new;
        let hops = fewest_hops(&graph, n(0), n(3)).unwrap();
        assert_eq!(hops.nodes, [n(0), n(2), n(3)]);
        let cheap = cheapest(&graph, n(0), n(3), |w| *w).unwrap();
        assert_eq!(cheap.nodes, [n(0), n(1), n(2), n(3)]);
        assert_eq!(cheap.edges[0], EdgeIndex::new(7));
        assert!((cheap.cost - 2.5).abs() < 1e-9);
        assert_eq!(fewest_hops(&graph, n(0), n(6)), None);
        assert_eq!(fewest_hops(&graph, n(0), n(99)), None);
        assert_eq!(cheapest(&graph, n(0), n(3), |_| f64::NAN), None);
    }

    #[test]
    fn what_is_lost_if_it_fails() {
        let graph = graph();
        assert_eq!(bridges(&graph), [EdgeIndex::new(3)]);
        let cut: Vec<_> = cut_nodes(&graph).into_iter().collect();
        assert_eq!(cut, [NodeIndex::new(2), NodeIndex::new(3)]);
        let pair = UnGraph::<(), ()>::from_edges([(0u32, 1u32), (0, 1)]);
        assert!(bridges(&pair).is_empty());
    }
}
