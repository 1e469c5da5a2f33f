//! The picture of the demo fleet as it is shown: clear, the same each time, and steady.

use crate::demo::{Demo, with_demo};
use api::{GetTopologyRequest, TopologyView};
use app::topology_view::diagram;
use graph::{Diagram, End, LabelKind, Rect, Scene, Start, arrange};

/// Width of a router's symbol in pixels: the smallest node.
const NODE: f32 = 40.0;

async fn shown(demo: &Demo, view: TopologyView) -> Diagram {
    let request = GetTopologyRequest { view: Some(view) };
    let caller = Demo::caller();
    let topology = demo.operations.get_topology(&caller, request).await;
    diagram(&topology.unwrap())
}

/// A symbol together with its name.
fn rooms(scene: &Scene) -> Vec<Rect> {
    let mut rooms: Vec<Rect> = scene.nodes.iter().map(graph::SceneNode::rect).collect();
    for label in scene.labels.iter().filter(|l| l.kind == LabelKind::Node) {
        let room = &mut rooms[label.owner as usize];
        *room = room.union(label.rect);
    }
    rooms
}

fn assert_clear(diagram: &Diagram, scene: &Scene) {
    let rooms = rooms(scene);
    let label = |i: usize| diagram.label(graph::Thing::Node(scene.nodes[i].node));
    for (i, room) in rooms.iter().enumerate() {
        for (j, other) in rooms.iter().enumerate().skip(i + 1) {
            let (a, b) = (label(i), label(j));
            assert!(!room.overlaps(*other), "{a} and {b}");
        }
        for one in &scene.boxes {
            let is_inside = diagram.nodes[scene.nodes[i].node as usize].group == Some(one.group);
            let label = label(i);
            assert_eq!(is_inside, room.overlaps(one.rect), "{label}, {}", one.group);
        }
    }
    for (i, one) in scene.boxes.iter().enumerate() {
        for other in &scene.boxes[..i] {
            assert!(
                !one.rect.overlaps(other.rect),
                "{} {}",
                one.group,
                other.group
            );
        }
    }
}

#[test]
fn nothing_overlaps_nothing_jumps() {
    with_demo(async |demo| {
        for view in TopologyView::ALL {
            let before = shown(demo, view).await;
            let places = arrange(&before, Start::default());
            assert_eq!(
                places,
                arrange(&before, Start::default()),
                "{view}: another picture"
            );
            assert_clear(&before, &Scene::new(&before, &places));

            let mut after = before.clone();
            let mut newcomer = after.nodes[0].clone();
            newcomer.id = "newcomer".to_owned();
            newcomer.label = "newcomer".to_owned();
            after.nodes.push(newcomer);
            let mut edge = after.edges[0].clone();
            edge.id = "its-link".to_owned();
            edge.a = End::Node(0);
            edge.b = End::Node(before.nodes.len() as u32);
            after.edges.push(edge);
            let moved = arrange(&after, Some(&places).into());
            assert_clear(&after, &Scene::new(&after, &moved));
            let distance = |(id, place): (&String, &graph::Point)| {
                let now = moved[id];
                (now.x - place.x).hypot(now.y - place.y)
            };
            let mean = places.iter().map(distance).sum::<f32>() / places.len() as f32;
            assert!(mean < NODE, "{view}: {mean} px");
        }
    });
}
