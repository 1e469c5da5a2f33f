//! What is drawn: shapes, curves and label boxes in absolute coordinates. Plain data.
//!
//! Renderers paint in this order: physical edges, boxes, other edges, nodes, labels. Indices
//! (`SceneNode::node`, …) lead back into the [`Diagram`], which says what each thing is.

mod declutter;
mod labels;
mod pick;
mod routes;
mod tween;

pub use declutter::Declutter;
pub use pick::PIECES;
pub use tween::Tween;

use crate::boxes;
use crate::shape::{HEAD, footprint, symbol};
use crate::{Diagram, EdgeKind, EdgeState, NodeKind, Point, Positions, Thing};
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

/// Everything that a renderer needs besides the diagram, and nothing that it must compute. Boxes,
/// nodes and edges are in the diagram's order.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SceneBox {
    /// Index in [`Diagram::groups`].
    pub group: u32,
    /// The box, its head included.
    pub rect: Rect,
}

/// A node's symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SceneNode {
    /// Index in [`Diagram::nodes`].
    pub node: u32,
    /// Index in [`Diagram::groups`] of the box that it is in.
    pub group: Option<u32>,
    /// Which symbol.
    pub kind: NodeKind,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SceneEdge {
    /// Index in [`Diagram::edges`].
    pub edge: u32,
    /// What kind of line.
    pub kind: EdgeKind,
    /// Whether it carries traffic.
    pub state: EdgeState,
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

/// Room around the picture.
const MARGIN: f32 = 32.0;

impl Scene {
    /// Draws `diagram` with everything at its place.
    ///
    /// Nodes without a position, edges without ends and positions that are not finite numbers are
    /// left out.
    pub fn new(diagram: &Diagram, positions: &Positions) -> Self {
        let place = |id: &String| positions.get(id).copied().filter(|p| p.is_drawable());
        let nodes: Vec<Option<Point>> = diagram.nodes.iter().map(|n| place(&n.id)).collect();
        let groups: Vec<Option<Point>> = diagram.groups.iter().map(|g| place(&g.id)).collect();
        let mut rects = boxes::needed(diagram, &nodes, &groups);
        let loose: Vec<Rect> = diagram
            .nodes
            .iter()
            .zip(&nodes)
            .filter(|(node, _)| node.group.is_none_or(|g| g as usize >= rects.len()))
            .filter_map(|(node, place)| Some(footprint(node).at((*place)?)))
            .collect();
        boxes::even(&mut rects, &loose);

        let mut scene = Self::default();
        for (group, rect) in rects.iter().enumerate() {
            if let Some(rect) = *rect {
                let group = group as u32;
                scene.boxes.push(SceneBox { group, rect });
            }
        }
        for (index, (node, place)) in diagram.nodes.iter().zip(&nodes).enumerate() {
            if let Some(center) = *place {
                let (width, height) = symbol(node.kind);
                scene.nodes.push(SceneNode {
                    node: index as u32,
                    group: node.group.filter(|&g| (g as usize) < diagram.groups.len()),
                    kind: node.kind,
                    center,
                    width,
                    height,
                });
            }
        }
        labels::of_boxes_and_nodes(&mut scene, diagram);
        routes::draw(&mut scene, diagram, &rects);
        labels::of_edges(&mut scene, diagram);
        scene.bounds = scene.extent();
        scene
    }

    /// Where to look for a thing: a node's centre, the middle of a box's head, an edge's middle.
    pub fn place(&self, thing: Thing) -> Option<Point> {
        match thing {
            Thing::Node(index) => Some(self.node(index)?.center),
            Thing::Group(index) => {
                let rect = self.group(index)?.rect;
                Some(Point {
                    x: rect.x + rect.width / 2.0,
                    y: rect.y + HEAD / 2.0,
                })
            }
            Thing::Edge(index) => Some(self.edge(index)?.curve.at(0.5)),
        }
    }

    /// The symbol of a node, by the node's index in the diagram.
    pub fn node(&self, index: u32) -> Option<&SceneNode> {
        self.nodes.get(self.node_at(index)?)
    }

    /// The box of a group, by the group's index in the diagram.
    pub fn group(&self, index: u32) -> Option<&SceneBox> {
        self.boxes.get(self.group_at(index)?)
    }

    /// The line of an edge, by the edge's index in the diagram.
    pub fn edge(&self, index: u32) -> Option<&SceneEdge> {
        self.edges.get(self.edge_at(index)?)
    }

    /// Where a node is in [`Scene::nodes`].
    pub fn node_at(&self, index: u32) -> Option<usize> {
        self.nodes.binary_search_by_key(&index, |one| one.node).ok()
    }

    /// Where a group is in [`Scene::boxes`].
    pub fn group_at(&self, index: u32) -> Option<usize> {
        self.boxes
            .binary_search_by_key(&index, |one| one.group)
            .ok()
    }

    /// Where an edge is in [`Scene::edges`].
    pub fn edge_at(&self, index: u32) -> Option<usize> {
        self.edges.binary_search_by_key(&index, |one| one.edge).ok()
    }

    /// The smallest rectangle around everything, and a margin.
    fn extent(&self) -> Rect {
        let boxes = self.boxes.iter().map(|b| b.rect);
        let nodes = self.nodes.iter().map(SceneNode::rect);
        let labels = self.labels.iter().map(|l| l.rect);
        let curves = self.edges.iter().map(|e| e.curve.bounds());
        let all = Rect::around(boxes.chain(nodes).chain(labels).chain(curves));
        all.unwrap_or(Rect {
            x: 0.0,
            y: 0.0,
            width: 640.0,
            height: 400.0,
        })
        .grown(MARGIN)
    }
}

impl SceneNode {
    /// The rectangle around the symbol.
    pub fn rect(&self) -> Rect {
        Rect {
            x: self.center.x - self.width / 2.0,
            y: self.center.y - self.height / 2.0,
            width: self.width,
            height: self.height,
        }
    }
}

impl Curve {
    /// The point at `t`, from 0 at its start to 1 at its end.
    pub fn at(&self, t: f32) -> Point {
        let [a, b, c, d] = self.points;
        let (ab, bc, cd) = (a.towards(b, t), b.towards(c, t), c.towards(d, t));
        let (abc, bcd) = (ab.towards(bc, t), bc.towards(cd, t));
        abc.towards(bcd, t)
    }

    /// A rectangle that holds the curve: that around its points.
    pub fn bounds(&self) -> Rect {
        let mut points = self.points.into_iter().map(Rect::point);
        let first = points.next().unwrap_or_default();
        points.fold(first, Rect::union)
    }

    /// The straight line from `a` to `b`.
    pub(crate) fn line(a: Point, b: Point) -> Self {
        Self {
            points: [a, a.towards(b, 1.0 / 3.0), a.towards(b, 2.0 / 3.0), b],
            straight: true,
        }
    }
}
