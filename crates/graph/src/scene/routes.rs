//! The course of edges: from border to border, straight where that is clear, gently curved around
//! what is in the way, parallels apart.

use super::{Curve, LabelKind, Rect, Scene, SceneEdge};
use crate::geometry::Grid;
use crate::{Diagram, Edge, EdgeKind, EdgeState, End, NodeKind, Point};

/// Air between a line's end and the symbol that it ends at.
const AIR: f32 = 2.0;
/// From one parallel curve's middle to the next.
const PARALLEL: f32 = 20.0;
/// Beyond so many edges, lines are not led around things: in a crowd there is no way around.
const ROUTED: usize = 600;
/// How far a line may swing out, in parts of its length, the best first.
const SWINGS: [f32; 11] = [
    0.0, 0.06, -0.06, 0.11, -0.11, 0.17, -0.17, 0.25, -0.25, 0.36, -0.36,
];
/// The same for cables around boxes.
const CABLE_SWINGS: [f32; 7] = [0.0, 0.2, -0.2, 0.35, -0.35, 0.55, -0.55];

/// What an edge ends at.
#[derive(Clone, Copy)]
struct Body {
    shape: Shape,
    /// Its label, which its own lines do not strike through either.
    text: Option<Rect>,
}

#[derive(Clone, Copy)]
enum Shape {
    Disc(Point, f32),
    Block(Rect),
}

impl Body {
    fn block(rect: Rect) -> Self {
        Self {
            shape: Shape::Block(rect),
            text: None,
        }
    }

    fn center(self) -> Point {
        match self.shape {
            Shape::Disc(center, _) => center,
            Shape::Block(rect) => rect.center(),
        }
    }

    fn contains(self, p: Point) -> bool {
        let is_in_shape = match self.shape {
            Shape::Disc(center, radius) => center.distance(p) <= radius,
            Shape::Block(rect) => rect.contains(p),
        };
        is_in_shape || self.text.is_some_and(|text| text.contains(p))
    }
}

/// What edges may end at.
struct Bodies {
    nodes: Vec<Option<Body>>,
    groups: Vec<Option<Body>>,
}

impl Bodies {
    fn at(&self, end: End) -> Option<Body> {
        let (list, index) = match end {
            End::Node(index) => (&self.nodes, index),
            End::Group(index) => (&self.groups, index),
        };
        list.get(index as usize).copied().flatten()
    }
}

/// Draws all edges that have two ends.
pub(super) fn draw(scene: &mut Scene, diagram: &Diagram, boxes: &[Option<Rect>]) {
    let mut bodies = Bodies {
        nodes: vec![None; diagram.nodes.len()],
        groups: boxes
            .iter()
            .map(|rect| rect.map(|rect| Body::block(rect.grown(AIR))))
            .collect(),
    };
    let mut texts = vec![None; scene.nodes.len()];
    for label in scene.labels.iter().filter(|l| l.kind == LabelKind::Node) {
        texts[label.owner as usize] = Some(label.rect);
    }
    for (node, text) in scene.nodes.iter().zip(texts) {
        let shape = match node.kind {
            NodeKind::Router => Shape::Disc(node.center, node.width / 2.0 + AIR),
            _ => Shape::Block(node.rect().grown(AIR)),
        };
        bodies.nodes[node.node as usize] = Some(Body { shape, text });
    }
    let mut parallels: Vec<((End, End), u32)> = (0..)
        .zip(&diagram.edges)
        .filter(|(_, edge)| bodies.at(edge.a).is_some() && bodies.at(edge.b).is_some())
        .map(|(index, edge)| ((edge.a.min(edge.b), edge.a.max(edge.b)), index))
        .collect();
    parallels.sort_unstable();
    let ways = Obstacles::new(scene, boxes, diagram.edges.len());
    let mut lane = vec![(0usize, 1usize); diagram.edges.len()];
    for list in parallels.chunk_by(|a, b| a.0 == b.0) {
        for (k, &(_, index)) in list.iter().enumerate() {
            lane[index as usize] = (k, list.len());
        }
    }
    scene.edges.reserve(parallels.len());
    for (index, edge) in diagram.edges.iter().enumerate() {
        let (Some(a), Some(b)) = (bodies.at(edge.a), bodies.at(edge.b)) else {
            continue;
        };
        let (k, of) = lane[index];
        let curve = if edge.a == edge.b {
            match edge.a {
                End::Node(_) => turn_back(a, k),
                // A cable from a host to itself says nothing.
                End::Group(_) => continue,
            }
        } else {
            // Of edges given in opposite directions the lanes must not fall together.
            let flip = if edge.a > edge.b { -1.0 } else { 1.0 };
            let offset = (k as f32 - (of - 1) as f32 / 2.0) * PARALLEL * flip;
            match (edge.a, edge.b, a.shape, b.shape) {
                (End::Group(_), End::Group(_), Shape::Block(r), Shape::Block(s)) => {
                    cable(r, s, offset, edge, &ways)
                }
                _ => between(a, b, offset, edge, &ways),
            }
        };
        scene.edges.push(SceneEdge {
            edge: index as u32,
            kind: edge.kind,
            state: edge.state,
            curve,
            width: width(edge),
        });
    }
}

/// Line width by kind and capacity.
fn width(edge: &Edge) -> f32 {
    let decades = if edge.capacity.is_finite() && edge.capacity > 0.0 {
        (edge.capacity / 1.0e9).log10().clamp(-1.5, 2.0)
    } else {
        0.0
    };
    let width = match edge.kind {
        EdgeKind::Physical => 3.0 + 1.25 * decades,
        EdgeKind::Virtual => 2.0 + 0.35 * decades,
        EdgeKind::Attachment => 1.6,
        EdgeKind::Migration => 2.6,
    };
    let width = if edge.state == EdgeState::Down {
        width.min(2.5)
    } else {
        width
    };
    (width * 10.0).round() / 10.0
}

/// What lines should not run over.
struct Obstacles {
    symbols: Option<Grid>,
    owners: Vec<u32>,
    texts: Option<Grid>,
    text_owners: Vec<Option<u32>>,
    boxes: Vec<(u32, Rect)>,
}

impl Obstacles {
    fn new(scene: &Scene, boxes: &[Option<Rect>], edges: usize) -> Self {
        let few = edges <= ROUTED;
        Self {
            symbols: few.then(|| Grid::of(80.0, scene.nodes.iter().map(|n| n.rect().grown(3.0)))),
            owners: scene.nodes.iter().map(|n| n.node).collect(),
            texts: few.then(|| Grid::of(80.0, scene.labels.iter().map(|l| l.rect.grown(-1.0)))),
            text_owners: scene
                .labels
                .iter()
                .map(|l| (l.kind == LabelKind::Node).then(|| scene.nodes[l.owner as usize].node))
                .collect(),
            boxes: boxes
                .iter()
                .enumerate()
                .filter_map(|(g, r)| r.map(|r| (g as u32, r)))
                .collect(),
        }
    }

    /// What `curve` runs over: symbols count three, texts one.
    fn over(&self, curve: &Curve, edge: &Edge) -> f32 {
        let (Some(symbols), Some(texts)) = (&self.symbols, &self.texts) else {
            return 0.0;
        };
        let own = |node: u32| edge.a == End::Node(node) || edge.b == End::Node(node);
        let (mut hit_symbols, mut hit_texts) = (Vec::new(), Vec::new());
        let length = curve.points[0].distance(curve.points[3]);
        let samples = ((length / 10.0) as usize).clamp(6, 160);
        for k in 1..samples {
            let p = Rect::point(curve.at(k as f32 / samples as f32)).grown(1.0);
            hit_symbols.extend(symbols.near(p));
            hit_texts.extend(texts.near(p));
        }
        for hits in [&mut hit_symbols, &mut hit_texts] {
            hits.sort_unstable();
            hits.dedup();
        }
        let symbols = hit_symbols
            .iter()
            .filter(|&&k| !own(self.owners[k as usize]))
            .count();
        let texts: f32 = hit_texts
            .iter()
            .map(|&k| match self.text_owners[k as usize] {
                // Its own label stands before a line: better than an odd swing.
                Some(node) if own(node) => 0.2,
                _ => 1.0,
            })
            .sum();
        3.0 * symbols as f32 + texts
    }

    /// How many foreign boxes `curve` runs behind.
    fn behind(&self, curve: &Curve, edge: &Edge) -> f32 {
        self.boxes
            .iter()
            .filter(|(g, rect)| {
                edge.a != End::Group(*g)
                    && edge.b != End::Group(*g)
                    && (1..24).any(|k| rect.grown(6.0).contains(curve.at(k as f32 / 24.0)))
            })
            .count() as f32
    }
}

/// The edge between two bodies of which at least one is a node.
fn between(a: Body, b: Body, offset: f32, edge: &Edge, ways: &Obstacles) -> Curve {
    let (from, to) = (a.center(), b.center());
    let length = from.distance(to).max(1.0);
    let mut best: Option<(f32, Curve)> = None;
    for swing in SWINGS {
        let bulge = swing * length + offset;
        let Some(curve) = bow(a, b, bulge) else {
            continue;
        };
        let cost = ways.over(&curve, edge) + swing.abs() * 3.0;
        if best.as_ref().is_none_or(|(least, _)| cost < *least - 1e-3) {
            best = Some((cost, curve));
        }
        if cost < 0.25 {
            break;
        }
    }
    best.map_or_else(|| Curve::line(from, to), |(_, curve)| curve)
}

/// A cable between two boxes: square to both where they face each other.
fn cable(a: Rect, b: Rect, offset: f32, edge: &Edge, ways: &Obstacles) -> Curve {
    let (left, right) = (a.x.max(b.x), a.right().min(b.right()));
    let (top, bottom) = (a.y.max(b.y), a.bottom().min(b.bottom()));
    let straight = if right - left > 40.0 && bottom < top {
        let x = f32::midpoint(left, right) + offset;
        let (y, z) = if a.y < b.y {
            (a.bottom(), b.y)
        } else {
            (a.y, b.bottom())
        };
        Some(Curve::line(Point { x, y }, Point { x, y: z }))
    } else if bottom - top > 40.0 && right < left {
        let y = f32::midpoint(top, bottom) + offset;
        let (x, z) = if a.x < b.x {
            (a.right(), b.x)
        } else {
            (a.x, b.right())
        };
        Some(Curve::line(Point { x, y }, Point { x: z, y }))
    } else {
        None
    };
    if let Some(line) = straight
        && ways.behind(&line, edge) == 0.0
    {
        return line;
    }
    let (from, to) = (Body::block(a), Body::block(b));
    let length = a.center().distance(b.center()).max(1.0);
    let mut best: Option<(f32, Curve)> = None;
    for swing in CABLE_SWINGS {
        let Some(curve) = bow(from, to, swing * length + offset) else {
            continue;
        };
        let cost = ways.behind(&curve, edge) + swing.abs() * 0.8;
        if best.as_ref().is_none_or(|(least, _)| cost < *least - 1e-3) {
            best = Some((cost, curve));
        }
    }
    best.map_or_else(|| Curve::line(a.center(), b.center()), |(_, curve)| curve)
}

/// The arc between the centres of two bodies whose middle lies `bulge` beside the straight line,
/// cut at their borders; none where nothing of it is left.
fn bow(a: Body, b: Body, bulge: f32) -> Option<Curve> {
    let (from, to) = (a.center(), b.center());
    let length = from.distance(to);
    if length < 1.0 {
        return None;
    }
    let middle = from.towards(to, 0.5);
    // A quadratic curve's middle lies half way to its control point.
    let control = Point {
        x: middle.x - (to.y - from.y) / length * bulge * 2.0,
        y: middle.y + (to.x - from.x) / length * bulge * 2.0,
    };
    let at = |t: f32| from.towards(control, t).towards(control.towards(to, t), t);
    let start = border(|t| a.contains(at(t)));
    let end = 1.0 - border(|t| b.contains(at(1.0 - t)));
    if start >= end {
        return None;
    }
    let (p, q) = (at(start), at(end));
    if bulge.abs() < 0.5 {
        return Some(Curve::line(p, q));
    }
    // The part from start to end of a quadratic curve has this control point (blossoming).
    let inner = from
        .towards(control, start)
        .towards(control.towards(to, start), end);
    Some(Curve {
        points: [
            p,
            p.towards(inner, 2.0 / 3.0),
            q.towards(inner, 2.0 / 3.0),
            q,
        ],
        straight: false,
    })
}

/// The last t of the curve's first two thirds at which `inside` holds, to about a thousandth: there
/// is a gap between a symbol and its label.
fn border(inside: impl Fn(f32) -> bool) -> f32 {
    const STEPS: u32 = 48;
    let last = (0..=STEPS * 2 / 3)
        .rev()
        .find(|&k| inside(k as f32 / STEPS as f32))
        .unwrap_or(0);
    let mut low = last as f32 / STEPS as f32;
    let mut high = (last + 1) as f32 / STEPS as f32;
    for _ in 0..8 {
        let middle = f32::midpoint(low, high);
        if inside(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// A loop at the upper right of a node, each larger than the one before.
fn turn_back(body: Body, k: usize) -> Curve {
    let (center, half) = match body.shape {
        Shape::Disc(center, radius) => (center, (radius * 0.64, radius * 0.77)),
        Shape::Block(rect) => (rect.center(), (rect.width / 2.0 - 8.0, rect.height / 2.0)),
    };
    let size = 26.0 + 9.0 * k as f32;
    let p = |x: f32, y: f32| Point {
        x: center.x + x,
        y: center.y - y,
    };
    Curve {
        points: [
            p(half.0 * 0.25, half.1 + 3.0),
            p(half.0 * 0.25 + size * 0.1, half.1 + size),
            p(half.0 + size, half.1 + size * 0.4),
            p(half.0 + 3.0, half.1 * 0.4),
        ],
        straight: false,
    }
}
