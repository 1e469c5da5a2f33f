//! Places for everything: [`arrange`].
//!
//! - Without boxes: each connected part by [`stress`], parts side by side.
//! - With boxes: members in boxes, boxes in rows, the rest in the lanes between.
//! - After a small change, given the places before it: what had a place keeps it, newcomers go to
//!   the nearest free place, boxes that grow push their neighbours as far as they need to. The
//!   picture never jumps; it is arranged anew only when much of it is new.
//!
//! All of it is deterministic: random numbers come from a generator of our own with fixed seeds.

mod adjacency;
mod assign;
mod contain;
mod flat;
mod keep;
mod overlap;
mod pack;
mod random;
pub mod stress;

use crate::shape::{footprint, text_width};
use crate::{Diagram, End, Point, Positions, Rect};
use adjacency::Adjacency;

/// Width over height that pictures aim at.
const ASPECT: f32 = 1.6;

/// Finds a place for every node and group of `diagram`: symbols, labels and boxes do not overlap.
///
/// With the positions of the picture before it, nodes and groups that were there stay where they
/// were, as far as the newcomers leave them; should more than a third be new, the whole is
/// arranged anew. The same input gives the same output. Of repeated ids the first counts.
pub fn arrange(diagram: &Diagram, previous: Option<&Positions>) -> Positions {
    let known = |id: &String| previous?.get(id).copied().filter(|p| p.is_drawable());
    let nodes: Vec<Option<Point>> = diagram.nodes.iter().map(|n| known(&n.id)).collect();
    let groups: Vec<Option<Point>> = diagram.groups.iter().map(|g| known(&g.id)).collect();
    let missing = nodes.iter().chain(&groups).filter(|p| p.is_none()).count();
    let is_small_change = missing * 3 <= nodes.len() + groups.len();

    let (at, centers) = if diagram.groups.is_empty() {
        let (graph, shapes, spread) = flat_input(diagram);
        let at = if is_small_change {
            flat::warm(&graph, &shapes, &nodes, spread)
        } else {
            flat::cold(&graph, &shapes, spread)
        };
        (at, Vec::new())
    } else {
        let plan = contain::Plan::new(diagram);
        if is_small_change {
            keep::warm(&plan, &nodes, &groups)
        } else {
            contain::cold(&plan)
        }
    };

    let mut positions = Positions::new();
    let ids = diagram.nodes.iter().map(|n| &n.id);
    let group_ids = diagram.groups.iter().map(|g| &g.id);
    for (id, point) in ids.zip(&at).chain(group_ids.zip(&centers)) {
        positions.entry(id.clone()).or_insert(Point {
            x: tenth(point.x),
            y: tenth(point.y),
        });
    }
    positions
}

/// Tenths of a pixel are enough, and shorter to send.
fn tenth(v: f32) -> f32 {
    // Adding zero makes one of the two zeros.
    (v * 10.0).round() / 10.0 + 0.0
}

/// The graph, the room that each node takes, and how far apart neighbours want to be.
fn flat_input(diagram: &Diagram) -> (Adjacency, Vec<Rect>, f32) {
    let pairs = diagram
        .edges
        .iter()
        .filter_map(|edge| match (edge.a, edge.b) {
            (End::Node(a), End::Node(b)) => Some((a, b)),
            _ => None,
        });
    let graph = Adjacency::new(diagram.nodes.len(), pairs);
    let shapes = diagram.nodes.iter().map(footprint).collect();
    let widest = diagram
        .edges
        .iter()
        .map(|edge| {
            text_width(
                &crate::shape::edge_text(&edge.label),
                crate::shape::EDGE_TEXT,
            )
        })
        .fold(0.0, f32::max);
    (
        graph,
        shapes,
        if widest > 0.0 {
            68.0 + widest.min(90.0)
        } else {
            52.0
        },
    )
}
