//! What is lost if a part of a graph fails.

use petgraph::algo;
use petgraph::graph::{EdgeIndex, NodeIndex, UnGraph};
use petgraph::visit::EdgeRef;
use std::collections::BTreeSet;

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

    #[test]
    fn what_is_lost_if_it_fails() {
        // Two triangles joined by one edge, a parallel edge, and a node alone.
        let mut graph = UnGraph::<(), ()>::from_edges([
            (0u32, 1u32),
            (1, 2),
            (2, 0),
            (2, 3),
            (3, 4),
            (4, 5),
            (5, 3),
            (0, 1),
        ]);
        graph.add_node(());
        assert_eq!(bridges(&graph), [EdgeIndex::new(3)]);
        let cut: Vec<_> = cut_nodes(&graph).into_iter().collect();
        assert_eq!(cut, [NodeIndex::new(2), NodeIndex::new(3)]);
        let pair = UnGraph::<(), ()>::from_edges([(0u32, 1u32), (0, 1)]);
        assert!(bridges(&pair).is_empty());
    }
}
