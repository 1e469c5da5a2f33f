//! The same input gives the same picture, and a small change moves little.

use crate::fleet::{SHAPES, Shape, VIEWS, View, fleet, random};
use crate::pictures::assert_clear;
use graph::{Diagram, Edge, End, Group, Node, Positions, Scene, Start, arrange};

/// Width of a router's symbol, the smallest node that has company: displacements are measured by it.
const NODE: f32 = 40.0;

fn newcomer(diagram: &Diagram, seed: u64) -> Diagram {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut diagram = diagram.clone();
    let count = diagram.nodes.len() as u32;
    let like = diagram.nodes[0].clone();
    diagram.nodes.push(Node {
        id: "new".into(),
        label: "newcomer".into(),
        group: like.group.map(|_| rng.u32(0..diagram.groups.len() as u32)),
        ..like
    });
    for k in 0..rng.u32(0..3) {
        let a = End::Node(rng.u32(0..count));
        diagram.edges.push(Edge {
            id: format!("new{k}"),
            a,
            b: End::Node(count),
            ..Edge::default()
        });
    }
    diagram
}

fn mean_move(before: &Positions, after: &Positions) -> f32 {
    let moves: Vec<f32> = before
        .iter()
        .filter_map(|(id, p)| after.get(id).map(|q| (p.x - q.x).hypot(p.y - q.y)))
        .collect();
    moves.iter().sum::<f32>() / moves.len().max(1) as f32
}

fn check(diagram: &Diagram, what: &str) {
    let first = arrange(diagram, Start::default());
    assert_eq!(
        first,
        arrange(diagram, Start::default()),
        "{what}: same input, same picture"
    );
    assert_eq!(
        first,
        arrange(diagram, Some(&first).into()),
        "{what}: nothing new, nothing moves"
    );
    for seed in 0..4 {
        let more = newcomer(diagram, seed);
        let second = arrange(&more, Some(&first).into());
        let moved = mean_move(&first, &second);
        assert!(moved < NODE, "{what}: {moved} px");
        assert_clear(&more, &Scene::new(&more, &second), what);
        let third = arrange(diagram, Some(&second).into());
        assert!(mean_move(&second, &third) < NODE, "{what}: gone again");
    }
}

#[test]
fn one_more_router_hardly_moves_the_demo_fleet() {
    for view in VIEWS {
        check(&fleet(view), &format!("{view:?}"));
    }
}

#[test]
fn one_more_node_hardly_moves_a_random_graph() {
    for shape in SHAPES {
        for nodes in [100, 1000] {
            for view in VIEWS {
                check(
                    &random(shape, nodes, view, 11),
                    &format!("{shape:?} {nodes} {view:?}"),
                );
            }
        }
    }
}

#[test]
fn a_fleet_that_grows_router_by_router_stays_clear() {
    for view in [View::Virtual, View::Combined] {
        let mut diagram = fleet(view);
        let mut positions = arrange(&diagram, Start::default());
        for seed in 0..30 {
            diagram = newcomer(&diagram, seed);
            if let Some(last) = diagram.nodes.last_mut() {
                last.id = format!("new{seed}");
            }
            positions = arrange(&diagram, Some(&positions).into());
            assert_clear(
                &diagram,
                &Scene::new(&diagram, &positions),
                &format!("{view:?} {seed}"),
            );
        }
    }
}

#[test]
fn a_router_that_moves_house_leaves_its_old_box() {
    let mut diagram = fleet(View::Combined);
    let first = arrange(&diagram, Start::default());
    let node = &mut diagram.nodes[0];
    let (id, old) = (node.id.clone(), node.group.unwrap());
    node.group = Some(old + 3);
    let second = arrange(&diagram, Some(&first).into());
    let scene = Scene::new(&diagram, &second);
    assert_clear(&diagram, &scene, "moved");
    assert_ne!(first[&id], second[&id]);
    let widest = scene.boxes.iter().map(|b| b.rect.width).fold(0.0, f32::max);
    assert!(widest < 700.0, "a box was stretched to {widest}");
    assert!(mean_move(&first, &second) < NODE);
}

#[test]
fn a_new_host_finds_a_place_of_its_own() {
    let mut diagram = fleet(View::Combined);
    let first = arrange(&diagram, Start::default());
    let group = diagram.groups.len() as u32;
    diagram.groups.push(Group {
        id: "new".into(),
        label: "new-host".into(),
        ..Group::default()
    });
    diagram.edges.push(Edge {
        id: "c".into(),
        a: End::Group(0),
        b: End::Group(group),
        ..Edge::default()
    });
    let mut node = diagram.nodes[0].clone();
    node.id = "fresh".into();
    node.group = Some(group);
    diagram.nodes.push(node);
    let second = arrange(&diagram, Some(&first).into());
    assert_clear(&diagram, &Scene::new(&diagram, &second), "new host");
    assert!(mean_move(&first, &second) < NODE);
}

#[test]
fn a_picture_that_is_mostly_new_is_arranged_anew() {
    let small = random(Shape::Tree, 10, View::Virtual, 3);
    let large = random(Shape::Tree, 100, View::Virtual, 3);
    assert_eq!(
        arrange(&large, Some(&arrange(&small, Start::default())).into()),
        arrange(&large, Start::default())
    );
}
