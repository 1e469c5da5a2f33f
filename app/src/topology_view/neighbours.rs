//! Moving through the picture by arrow keys. Pure.

use graph::{Point, Scene};

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
pub fn toward<'a>(scene: &'a Scene, from: Option<&str>, direction: Direction) -> Option<&'a str> {
    let places = || {
        let nodes = scene
            .nodes
            .iter()
            .map(|node| (node.id.as_str(), node.center));
        let boxes = scene.boxes.iter().map(|group| {
            let head = Point {
                x: group.rect.x + group.rect.width / 2.0,
                y: group.rect.y,
            };
            (group.id.as_str(), head)
        });
        nodes.chain(boxes)
    };
    let Some((start, origin)) = from.and_then(|from| places().find(|(id, _)| *id == from)) else {
        return places()
            .min_by(|(_, a), (_, b)| (a.y + a.x / 4.0).total_cmp(&(b.y + b.x / 4.0)))
            .map(|(id, _)| id);
    };
    places()
        .filter(|(id, _)| *id != start)
        .filter_map(|(id, place)| {
            let (dx, dy) = (place.x - origin.x, place.y - origin.y);
            let (along, across) = match direction {
                Direction::Left => (-dx, dy),
                Direction::Right => (dx, dy),
                Direction::Up => (-dy, dx),
                Direction::Down => (dy, dx),
            };
            (along > 1.0 && across.abs() <= along * 2.0).then_some((id, along + across.abs() * 2.0))
        })
        .min_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(id, _)| id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::SceneNode;

    fn scene() -> Scene {
        let node = |id: &str, x: f32, y: f32| SceneNode {
            id: id.to_owned(),
            center: Point { x, y },
            ..SceneNode::default()
        };
        Scene {
            nodes: vec![
                node("middle", 0.0, 0.0),
                node("right", 100.0, 10.0),
                node("far right", 300.0, 0.0),
                node("below", 10.0, 120.0),
            ],
            ..Scene::default()
        }
    }

    #[test]
    fn arrows_lead_to_the_nearest_in_their_direction() {
        let scene = scene();
        assert_eq!(
            toward(&scene, Some("middle"), Direction::Right),
            Some("right")
        );
        assert_eq!(
            toward(&scene, Some("right"), Direction::Right),
            Some("far right")
        );
        assert_eq!(
            toward(&scene, Some("middle"), Direction::Down),
            Some("below")
        );
        assert_eq!(toward(&scene, Some("middle"), Direction::Left), None);
        assert_eq!(toward(&scene, None, Direction::Left), Some("middle"));
        assert_eq!(toward(&Scene::default(), None, Direction::Up), None);
    }
}
