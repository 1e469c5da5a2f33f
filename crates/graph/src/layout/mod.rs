//! Places for everything.

use crate::{Diagram, Point, Positions};

/// Finds a place for every node and group of `diagram`.
pub fn arrange(diagram: &Diagram, previous: Option<&Positions>) -> Positions {
    let mut positions = previous.cloned().unwrap_or_default();
    for (index, node) in diagram.nodes.iter().enumerate() {
        positions.entry(node.id.clone()).or_insert(Point {
            x: (index % 8) as f32 * 120.0,
            y: (index / 8) as f32 * 120.0,
        });
    }
    positions
}
