//! What is drawn: shapes, curves and label boxes in absolute coordinates. Plain data.
//!
//! Renderers paint in this order: physical edges, boxes, other edges, nodes, labels. Indices
//! (`SceneNode::node`, …) lead back into the [`Diagram`].

use crate::{Diagram, EdgeKind, EdgeState, NodeKind, NodeState, Point, Positions};
use serde::{Deserialize, Serialize};

/// An upright rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width, not negative.
    pub width: f32,
    /// Height, not negative.
    pub height: f32,
}

/// Everything that a renderer needs, and nothing that it must compute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// Encloses everything, with a margin.
    pub bounds: Rect,
    /// The groups' boxes.
    pub boxes: Vec<SceneBox>,
    /// The nodes' symbols.
    pub nodes: Vec<SceneNode>,
    /// The lines.
    pub edges: Vec<SceneEdge>,
    /// Text, placed so that it hides no symbol and no other text where there is room.
    pub labels: Vec<SceneLabel>,
}

/// A group's box.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SceneBox {
    /// Index in [`Diagram::groups`].
    pub group: u32,
    /// The group's id.
    pub id: String,
    /// Its label in full.
    pub label: String,
    /// How it is.
    pub state: NodeState,
    /// What is known of it is old.
    pub stale: bool,
    /// One sentence for the tooltip and the screen reader.
    pub description: String,
    /// The box, its head included.
    pub rect: Rect,
}

/// A node's symbol.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SceneNode {
    /// Index in [`Diagram::nodes`].
    pub node: u32,
    /// The node's id.
    pub id: String,
    /// Its label in full.
    pub label: String,
    /// Which symbol.
    pub kind: NodeKind,
    /// How it is.
    pub state: NodeState,
    /// What is known of it is old.
    pub stale: bool,
    /// One sentence for the tooltip and the screen reader.
    pub description: String,
    /// Centre of the symbol.
    pub center: Point,
    /// Width of the symbol (a router's diameter).
    pub width: f32,
    /// Height of the symbol.
    pub height: f32,
}

/// A cubic Bézier curve, from border to border of what it joins. A straight line has its control
/// points at a third and two thirds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Start, control, control, end.
    pub points: [Point; 4],
    /// Whether it is a straight line.
    pub straight: bool,
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SceneEdge {
    /// Index in [`Diagram::edges`].
    pub edge: u32,
    /// The edge's id.
    pub id: String,
    /// Its label in full.
    pub label: String,
    /// What kind of line.
    pub kind: EdgeKind,
    /// Whether it carries traffic.
    pub state: EdgeState,
    /// One sentence for the tooltip and the screen reader.
    pub description: String,
    /// Its course.
    pub curve: Curve,
    /// Line width, in the units of the coordinates.
    pub width: f32,
}

/// What a label belongs to.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum LabelKind {
    /// A node, by index in [`Scene::nodes`].
    #[default]
    Node,
    /// A box, by index in [`Scene::boxes`].
    Box,
    /// An edge, by index in [`Scene::edges`].
    Edge,
}

/// One line of text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SceneLabel {
    /// What it belongs to.
    pub kind: LabelKind,
    /// Index in the list that `kind` names.
    pub owner: u32,
    /// The text, shortened with an ellipsis where it was too long.
    pub text: String,
    /// Room it takes, estimated.
    pub rect: Rect,
    /// Font size.
    pub size: f32,
}

impl Scene {
    /// Draws `diagram` with everything at its place.
    ///
    /// Nodes without a position, edges without ends and positions that are not finite numbers are
    /// left out.
    pub fn new(diagram: &Diagram, positions: &Positions) -> Self {
        let mut scene = Self::default();
        for (index, node) in diagram.nodes.iter().enumerate() {
            if let Some(center) = positions.get(&node.id) {
                scene.nodes.push(SceneNode {
                    node: index as u32,
                    id: node.id.clone(),
                    center: *center,
                    ..SceneNode::default()
                });
            }
        }
        scene
    }
}
