//! Moving through the picture by arrow keys. Pure.

use graph::{Point, Scene, Thing};

/// A way to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards smaller x.
    Left,
    /// Towards greater x.
    Right,
    /// Towards smaller y.
    Up,
    /// Towards greater y.
    Down,
}

/// The node that is nearest to `from` in a direction, sideways distance counting twice.
///
/// Without a node at `from`, the first in reading order.
pub fn toward(scene: &Scene, from: Option<Thing>, direction: Direction) -> Option<Thing> {
    let places = || {
        let nodes = scene
            .nodes
            .iter()
            .map(|node| (Thing::Node(node.node), node.center));
        let boxes = scene.boxes.iter().map(|group| {
            let head = Point {
                x: group.rect.x + group.rect.width / 2.0,
                y: group.rect.y,
            };
            (Thing::Group(group.group), head)
        });
        nodes.chain(boxes)
    };
    let Some((start, origin)) = from.and_then(|from| places().find(|(thing, _)| *thing == from))
    else {
        return places()
            .min_by(|(_, a), (_, b)| (a.y + a.x / 4.0).total_cmp(&(b.y + b.x / 4.0)))
            .map(|(thing, _)| thing);
    };
    places()
        .filter(|(thing, _)| *thing != start)
        .filter_map(|(thing, place)| {
            let (dx, dy) = (place.x - origin.x, place.y - origin.y);
            let (along, across) = match direction {
                Direction::Left => (-dx, dy),
                Direction::Right => (dx, dy),
                Direction::Up => (-dy, dx),
                Direction::Down => (dy, dx),
            };
            (along > 1.0 && across.abs() <= along * 2.0)
                .then_some((thing, along + across.abs() * 2.0))
        })
        .min_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(thing, _)| thing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::SceneNode;

    fn scene() -> Scene {
        let node = |node: u32, x: f32, y: f32| SceneNode {
            node,
            center: Point { x, y },
            ..SceneNode::default()
        };
        Scene {
            nodes: vec![
                node(0, 0.0, 0.0),
                node(1, 100.0, 10.0),
                node(2, 300.0, 0.0),
                node(3, 10.0, 120.0),
            ],
            ..Scene::default()
        }
    }

    #[test]
    fn arrows_lead_to_the_nearest_in_their_direction() {
        let scene = scene();
        assert_eq!(
            toward(&scene, Some(Thing::Node(0)), Direction::Right),
            Some(Thing::Node(1))
        );
        assert_eq!(
            toward(&scene, Some(Thing::Node(1)), Direction::Right),
            Some(Thing::Node(2))
        );
        assert_eq!(
            toward(&scene, Some(Thing::Node(0)), Direction::Down),
            Some(Thing::Node(3))
        );
        assert_eq!(toward(&scene, Some(Thing::Node(0)), Direction::Left), None);
        assert_eq!(toward(&scene, None, Direction::Left), Some(Thing::Node(0)));
        assert_eq!(toward(&Scene::default(), None, Direction::Up), None);
    }
}
