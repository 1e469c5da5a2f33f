//! From one scene to another: what is in both moves, the rest is at its place at once.

use super::{LabelKind, Rect, Scene};
use crate::{Diagram, Point, Thing};
use std::collections::HashMap;

/// A movement from one scene to another.
#[derive(Clone, Debug)]
pub struct Tween {
    nodes: Vec<Point>,
    boxes: Vec<Rect>,
    curves: Vec<[Point; 4]>,
    to: Scene,
}

impl Tween {
    /// From `before` to `to`, things being the same that have the same id.
    pub fn new(before: (&Diagram, &Scene), diagram: &Diagram, to: Scene) -> Self {
        let (old, from) = before;
        let things = from
            .nodes
            .iter()
            .map(|node| Thing::Node(node.node))
            .chain(from.boxes.iter().map(|one| Thing::Group(one.group)))
            .chain(from.edges.iter().map(|edge| Thing::Edge(edge.edge)));
        let at: HashMap<&str, usize> = things
            .enumerate()
            .filter_map(|(index, thing)| Some((old.id(thing)?, index)))
            .collect();
        let (first_box, first_edge) = (from.nodes.len(), from.nodes.len() + from.boxes.len());
        let was = |thing: Thing| diagram.id(thing).and_then(|id| at.get(id)).copied();
        Self {
            nodes: to
                .nodes
                .iter()
                .map(|node| {
                    was(Thing::Node(node.node))
                        .and_then(|index| from.nodes.get(index))
                        .map_or(node.center, |old| old.center)
                })
                .collect(),
            boxes: to
                .boxes
                .iter()
                .map(|one| {
                    was(Thing::Group(one.group))
                        .and_then(|index| from.boxes.get(index.checked_sub(first_box)?))
                        .map_or(one.rect, |old| old.rect)
                })
                .collect(),
            curves: to
                .edges
                .iter()
                .map(|edge| {
                    was(Thing::Edge(edge.edge))
                        .and_then(|index| from.edges.get(index.checked_sub(first_edge)?))
                        .map_or(edge.curve.points, |old| old.curve.points)
                })
                .collect(),
            to,
        }
    }

    /// Where it leads.
    pub fn into_end(self) -> Scene {
        self.to
    }

    /// Whether anything moves.
    pub fn is_still(&self) -> bool {
        let nodes = self.to.nodes.iter().map(|node| node.center);
        let boxes = self.to.boxes.iter().map(|one| one.rect);
        nodes.eq(self.nodes.iter().copied()) && boxes.eq(self.boxes.iter().copied())
    }

    /// The scene at `share` of the way, from 0 to 1.
    pub fn at(&self, share: f32) -> Scene {
        let mut scene = self.to.clone();
        let mix = |a: f32, b: f32| a + (b - a) * share;
        for (node, from) in scene.nodes.iter_mut().zip(&self.nodes) {
            node.center = from.towards(node.center, share);
        }
        for (one, from) in scene.boxes.iter_mut().zip(&self.boxes) {
            let to = one.rect;
            one.rect = Rect {
                x: mix(from.x, to.x),
                y: mix(from.y, to.y),
                width: mix(from.width, to.width),
                height: mix(from.height, to.height),
            };
        }
        for (edge, from) in scene.edges.iter_mut().zip(&self.curves) {
            for (point, from) in edge.curve.points.iter_mut().zip(from) {
                *point = from.towards(*point, share);
            }
            // A line that bends on the way is drawn as one.
            edge.curve.straight = edge.curve.straight && share >= 1.0;
        }
        // Labels go with what they belong to.
        for label in &mut scene.labels {
            let owner = label.owner as usize;
            let ends = match label.kind {
                LabelKind::Node => self
                    .to
                    .nodes
                    .get(owner)
                    .map(|node| node.center)
                    .zip(scene.nodes.get(owner).map(|node| node.center)),
                LabelKind::Box => {
                    let corner = |rect: Rect| Point {
                        x: rect.x,
                        y: rect.y,
                    };
                    let to = self.to.boxes.get(owner).map(|one| corner(one.rect));
                    to.zip(scene.boxes.get(owner).map(|one| corner(one.rect)))
                }
                LabelKind::Edge => {
                    let to = self.to.edges.get(owner).map(|edge| edge.curve.at(0.5));
                    to.zip(scene.edges.get(owner).map(|edge| edge.curve.at(0.5)))
                }
            };
            if let Some((to, now)) = ends {
                label.rect.x += now.x - to.x;
                label.rect.y += now.y - to.y;
            }
        }
        scene
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Edge, End, Node, Positions};

    fn drawn(ids: &[&str], at: impl Fn(usize) -> f32) -> (Diagram, Scene) {
        let diagram = Diagram {
            nodes: ids
                .iter()
                .map(|id| Node {
                    id: (*id).to_owned(),
                    label: (*id).to_owned(),
                    ..Node::default()
                })
                .collect(),
            edges: vec![Edge {
                id: "e".to_owned(),
                a: End::Node(0),
                b: End::Node(1),
                ..Edge::default()
            }],
            ..Diagram::default()
        };
        let positions: Positions = ids
            .iter()
            .enumerate()
            .map(|(k, id)| ((*id).to_owned(), Point { x: at(k), y: 0.0 }))
            .collect();
        let scene = Scene::new(&diagram, &positions);
        (diagram, scene)
    }

    #[test]
    fn what_stays_moves_by_its_id_and_what_is_new_is_there() {
        let (old, from) = drawn(&["a", "b"], |k| k as f32 * 200.0);
        // In another order, one moved, one new.
        let (new, to) = drawn(&["b", "c", "a"], |k| [400.0, 800.0, 0.0][k]);
        let tween = Tween::new((&old, &from), &new, to.clone());
        assert!(!tween.is_still());
        let half = tween.at(0.5);
        let xs: Vec<f32> = half.nodes.iter().map(|node| node.center.x).collect();
        assert_eq!(xs, [300.0, 800.0, 0.0]);
        let label = half.labels.iter().find(|l| l.owner == 0).unwrap();
        assert!((label.rect.center().x - 300.0).abs() < 0.01);
        assert_eq!(tween.at(1.0), to);
        assert!(Tween::new((&new, &to), &new, to.clone()).is_still());
        assert_eq!(tween.into_end(), to);
    }
}
