//! What is at a point: exact, by the shapes themselves.
//!
//! All shapes are looked through, each by its bounds first: for 10,000 nodes and 17,000 edges that
//! takes some 0.1 ms, less than keeping an index up to date costs while things move.

use super::{Curve, Scene, SceneNode};
use crate::{EdgeKind, NodeKind, Point, Thing};

/// Into so many straight pieces a curve is taken to be cut: those that are drawn.
pub const PIECES: usize = 16;

impl Scene {
    /// The uppermost thing at `point`. A line is hit up to `reach` beside it, anything else by its
    /// shape alone.
    ///
    /// The reverse of the order of painting: nodes, virtual edges, boxes, physical edges. Of several
    /// lines in reach the nearest counts.
    pub fn pick(&self, point: Point, reach: f32) -> Option<Thing> {
        let node = self.nodes.iter().rev().find(|node| node.holds(point));
        if let Some(node) = node {
            return Some(Thing::Node(node.node));
        }
        let line = |physical: bool| {
            self.edges
                .iter()
                .filter(|edge| (edge.kind == EdgeKind::Physical) == physical)
                .filter_map(|edge| {
                    let reach = reach.max(edge.width / 2.0);
                    let beside = edge.curve.beside(point, reach)?;
                    Some((beside, edge.edge))
                })
                .min_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(_, edge)| Thing::Edge(edge))
        };
        let in_box = || {
            let one = self.boxes.iter().rev().find(|b| b.rect.contains(point))?;
            Some(Thing::Group(one.group))
        };
        line(false).or_else(in_box).or_else(|| line(true))
    }
}

impl SceneNode {
    /// Whether `point` is on the symbol.
    pub fn holds(&self, point: Point) -> bool {
        match self.kind {
            NodeKind::Router => self.center.distance(point) <= self.width / 2.0,
            // A bus is thin: a little beside it is meant for it.
            NodeKind::Segment => self.rect().grown(5.0).contains(point),
            NodeKind::Host | NodeKind::Switch => self.rect().contains(point),
        }
    }
}

impl Curve {
    /// How far `point` is from the curve, if not farther than `reach`.
    pub fn beside(&self, point: Point, reach: f32) -> Option<f32> {
        if !self.bounds().grown(reach).contains(point) {
            return None;
        }
        let pieces = if self.straight { 1 } else { PIECES };
        let mut from = self.points[0];
        let mut least = f32::MAX;
        for k in 1..=pieces {
            let to = self.at(k as f32 / pieces as f32);
            least = least.min(to_segment(point, from, to));
            from = to;
        }
        (least <= reach).then_some(least)
    }
}

/// Distance from `p` to the straight piece from `a` to `b`.
fn to_segment(p: Point, a: Point, b: Point) -> f32 {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let square = dx * dx + dy * dy;
    let along = if square > 0.0 {
        (((p.x - a.x) * dx + (p.y - a.y) * dy) / square).clamp(0.0, 1.0)
    } else {
        0.0
    };
    p.distance(a.towards(b, along))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Diagram, Edge, End, Group, Node, Positions};

    fn scene() -> (Diagram, Scene) {
        let node = |id: &str, group| Node {
            id: id.to_owned(),
            group,
            ..Node::default()
        };
        let edge = |id: &str, a, b, kind| Edge {
            id: id.to_owned(),
            a,
            b,
            kind,
            ..Edge::default()
        };
        let diagram = Diagram {
            nodes: vec![node("a", Some(0)), node("b", Some(1)), node("c", None)],
            groups: ["g", "h"]
                .map(|id| Group {
                    id: id.to_owned(),
                    ..Group::default()
                })
                .to_vec(),
            edges: vec![
                edge("v", End::Node(0), End::Node(1), EdgeKind::Virtual),
                edge("p", End::Group(0), End::Group(1), EdgeKind::Physical),
                edge("p2", End::Group(0), End::Group(1), EdgeKind::Physical),
            ],
        };
        let at = |x: f32, y: f32| Point { x, y };
        let positions: Positions = [
            ("a", at(0.0, 0.0)),
            ("b", at(600.0, 0.0)),
            ("c", at(300.0, 300.0)),
            ("g", at(0.0, 0.0)),
            ("h", at(600.0, 0.0)),
        ]
        .map(|(id, at)| (id.to_owned(), at))
        .into();
        let scene = Scene::new(&diagram, &positions);
        (diagram, scene)
    }

    #[test]
    fn everything_is_found_at_its_place_and_the_uppermost_wins() {
        let (diagram, scene) = scene();
        for node in &scene.nodes {
            assert_eq!(scene.pick(node.center, 4.0), Some(Thing::Node(node.node)));
            // The corner of a disc's square is beside it.
            let corner = Point {
                x: node.center.x + node.width / 2.0 - 1.0,
                y: node.center.y + node.height / 2.0 - 1.0,
            };
            assert_ne!(scene.pick(corner, 0.0), Some(Thing::Node(node.node)));
        }
        for edge in &scene.edges {
            let found = scene.pick(edge.curve.at(0.5), 2.0);
            assert_eq!(
                found.and_then(|thing| diagram.id(thing)),
                Some(diagram.edges[edge.edge as usize].id.as_str())
            );
        }
        let head = scene.boxes[0].rect;
        let head = Point {
            x: head.x + 5.0,
            y: head.y + 5.0,
        };
        assert_eq!(scene.pick(head, 4.0), Some(Thing::Group(0)));
        assert_eq!(scene.pick(Point { x: 300.0, y: 900.0 }, 8.0), None);
    }

    #[test]
    fn parallel_cables_are_told_apart_by_the_nearest() {
        let (_, mut scene) = scene();
        scene.edges.retain(|edge| edge.kind == EdgeKind::Physical);
        let [first, second] = scene.edges[..] else {
            panic!("two cables");
        };
        let (a, b) = (first.curve.at(0.2), second.curve.at(0.2));
        assert_eq!(
            scene.pick(a.towards(b, 0.7), a.distance(b)),
            Some(Thing::Edge(second.edge))
        );
        assert_eq!(
            scene.pick(a.towards(b, 0.3), a.distance(b)),
            Some(Thing::Edge(first.edge))
        );
    }

    #[test]
    fn a_curve_is_hit_where_it_runs_and_not_on_its_chord() {
        let point = |x: f32, y: f32| Point { x, y };
        let curve = Curve {
            points: [
                point(0.0, 0.0),
                point(0.0, 100.0),
                point(100.0, 100.0),
                point(100.0, 0.0),
            ],
            straight: false,
        };
        assert!(curve.beside(curve.at(0.5), 1.0).is_some());
        assert_eq!(curve.beside(point(50.0, 0.0), 10.0), None);
        let far = curve.beside(point(50.0, 85.0), 12.0).unwrap();
        assert!((far - 10.0).abs() < 0.6, "{far}");
    }
}
