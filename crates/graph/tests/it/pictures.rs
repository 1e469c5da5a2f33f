//! No two things on top of one another, in any view of any graph.

use crate::fleet::{SHAPES, VIEWS, View, fleet, random};
use graph::{
    Diagram, Edge, EdgeKind, End, Group, LabelKind, Node, NodeKind, Point, Positions, Rect, Scene,
    Start, arrange,
};

/// Everything that must not overlap anything else: symbols with their labels, and boxes with all
/// that is not in them.
pub fn assert_clear(diagram: &Diagram, scene: &Scene, what: &str) {
    let mut rooms: Vec<Rect> = scene.nodes.iter().map(graph::SceneNode::rect).collect();
    for label in scene.labels.iter().filter(|l| l.kind == LabelKind::Node) {
        let room = &mut rooms[label.owner as usize];
        *room = room.union(label.rect);
    }
    let mut order: Vec<usize> = (0..rooms.len()).collect();
    order.sort_by(|&i, &j| rooms[i].x.total_cmp(&rooms[j].x));
    for (k, &i) in order.iter().enumerate() {
        for &j in &order[k + 1..] {
            if rooms[j].x > rooms[i].right() {
                break;
            }
            assert!(
                !rooms[i].overlaps(rooms[j]),
                "{what}: {} and {}",
                scene.nodes[i].node,
                scene.nodes[j].node
            );
        }
    }
    for (k, one) in scene.boxes.iter().enumerate() {
        for other in &scene.boxes[..k] {
            assert!(
                !one.rect.overlaps(other.rect),
                "{what}: boxes {} and {}",
                one.group,
                other.group
            );
        }
        for (node, room) in scene.nodes.iter().zip(&rooms) {
            let is_inside = diagram.nodes[node.node as usize].group == Some(one.group);
            if is_inside {
                assert!(
                    encloses(one.rect, *room),
                    "{what}: {} sticks out of {}",
                    node.node,
                    one.group
                );
            } else {
                assert!(
                    !one.rect.overlaps(*room),
                    "{what}: {} on box {}",
                    node.node,
                    one.group
                );
            }
        }
    }
}

fn encloses(outer: Rect, inner: Rect) -> bool {
    outer.x <= inner.x + 0.1
        && outer.y <= inner.y + 0.1
        && outer.right() >= inner.right() - 0.1
        && outer.bottom() >= inner.bottom() - 0.1
}

pub fn assert_finite(scene: &Scene, what: &str) {
    let rects = scene
        .nodes
        .iter()
        .map(graph::SceneNode::rect)
        .chain(scene.boxes.iter().map(|b| b.rect))
        .chain(scene.labels.iter().map(|l| l.rect))
        .chain([scene.bounds]);
    for r in rects {
        assert!(
            [r.x, r.y, r.width, r.height].iter().all(|v| v.is_finite()),
            "{what}"
        );
        assert!(encloses(scene.bounds, r), "{what}: outside of the bounds");
    }
    for edge in &scene.edges {
        assert!(
            edge.curve
                .points
                .iter()
                .all(|p| p.x.is_finite() && p.y.is_finite()),
            "{what}"
        );
    }
}

#[test]
fn the_demo_fleet_is_clear_in_every_view() {
    for view in VIEWS {
        let diagram = fleet(view);
        let scene = Scene::new(&diagram, &arrange(&diagram, Start::default()));
        let what = format!("{view:?}");
        assert_eq!(scene.nodes.len(), diagram.nodes.len());
        assert_eq!(scene.edges.len(), diagram.edges.len());
        assert_clear(&diagram, &scene, &what);
        assert_finite(&scene, &what);
        for (k, label) in scene.labels.iter().enumerate() {
            for other in &scene.labels[..k] {
                assert!(
                    !label.rect.overlaps(other.rect),
                    "{what}: {} and {}",
                    label.text,
                    other.text
                );
            }
            for (n, node) in scene.nodes.iter().enumerate() {
                let is_own = label.kind == LabelKind::Node && label.owner == n as u32;
                assert!(
                    is_own || !label.rect.overlaps(node.rect()),
                    "{what}: {} on {}",
                    label.text,
                    node.node
                );
            }
        }
        let named = scene
            .labels
            .iter()
            .filter(|l| l.kind != LabelKind::Edge)
            .count();
        assert_eq!(
            named,
            diagram.nodes.len() + diagram.groups.len(),
            "{what}: everything has its name"
        );
        let aspect = scene.bounds.width / scene.bounds.height;
        assert!((1.1..2.3).contains(&aspect), "{what}: {aspect}");
    }
}

#[test]
fn most_capacities_of_the_demo_fleet_can_be_read() {
    for view in [View::Physical, View::Combined] {
        let diagram = fleet(view);
        let scene = Scene::new(&diagram, &arrange(&diagram, Start::default()));
        let written = scene
            .labels
            .iter()
            .filter(|l| l.kind == LabelKind::Edge)
            .count();
        assert!(written >= 8, "{view:?}: {written} of 10");
    }
}

#[test]
fn random_graphs_are_clear_in_every_view() {
    for shape in SHAPES {
        for nodes in [100, 1000] {
            for view in VIEWS {
                let diagram = random(shape, nodes, view, 7);
                let scene = Scene::new(&diagram, &arrange(&diagram, Start::default()));
                let what = format!("{shape:?} {nodes} {view:?}");
                assert_eq!(scene.nodes.len(), nodes as usize, "{what}");
                assert_clear(&diagram, &scene, &what);
                assert_finite(&scene, &what);
            }
        }
    }
}

#[test]
fn lines_end_at_borders_and_parallels_keep_apart() {
    let mut diagram = random(crate::fleet::Shape::Tree, 2, View::Virtual, 1);
    diagram.edges.clear();
    for k in 0..4 {
        let (a, b) = if k % 2 == 0 { (0, 1) } else { (1, 0) };
        diagram.edges.push(Edge {
            id: k.to_string(),
            a: End::Node(a),
            b: End::Node(b),
            ..Edge::default()
        });
    }
    let scene = Scene::new(&diagram, &arrange(&diagram, Start::default()));
    let middles: Vec<Point> = scene.edges.iter().map(|e| e.curve.at(0.5)).collect();
    for (k, a) in middles.iter().enumerate() {
        for b in &middles[..k] {
            assert!((a.x - b.x).hypot(a.y - b.y) > 10.0, "{middles:?}");
        }
    }
    for edge in &scene.edges {
        for end in [edge.curve.points[0], edge.curve.points[3]] {
            let gap = scene
                .nodes
                .iter()
                .map(|n| ((end.x - n.center.x).hypot(end.y - n.center.y) - n.width / 2.0).abs())
                .fold(f32::MAX, f32::min);
            assert!(gap < 4.0, "{gap}");
        }
    }
}

#[test]
fn odd_diagrams_are_drawn_as_far_as_they_make_sense() {
    let empty = Diagram::default();
    let scene = Scene::new(&empty, &arrange(&empty, Start::default()));
    assert_finite(&scene, "empty");
    assert!(scene.bounds.width > 0.0);

    let node = |id: &str, group| Node {
        id: id.into(),
        label: id.into(),
        group,
        ..Node::default()
    };
    let edge = |a, b| Edge {
        id: "e".into(),
        a,
        b,
        label: "x".into(),
        capacity: f32::NAN,
        ..Edge::default()
    };
    let one = Diagram {
        nodes: vec![node("a", None)],
        ..Diagram::default()
    };
    assert_eq!(arrange(&one, Start::default()).len(), 1);

    let odd = Diagram {
        nodes: vec![
            node("a", Some(0)),
            node("a", Some(9)),
            node("", None),
            node("b", Some(1)),
            Node {
                kind: NodeKind::Segment,
                ..node("s", None)
            },
        ],
        groups: vec![
            Group {
                id: "g".into(),
                label: "w".repeat(900),
                ..Group::default()
            },
            Group {
                id: "h".into(),
                ..Group::default()
            },
            Group {
                id: "empty".into(),
                ..Group::default()
            },
        ],
        edges: vec![
            edge(End::Node(0), End::Node(0)),
            edge(End::Node(0), End::Node(0)),
            edge(End::Node(0), End::Node(3)),
            edge(End::Node(0), End::Node(3)),
            edge(End::Node(0), End::Node(99)),
            edge(End::Group(7), End::Node(0)),
            edge(End::Group(0), End::Group(0)),
            edge(End::Group(0), End::Group(2)),
            edge(End::Group(1), End::Node(4)),
            edge(End::Node(3), End::Group(1)),
            Edge {
                kind: EdgeKind::Physical,
                capacity: f32::NEG_INFINITY,
                ..edge(End::Group(0), End::Group(1))
            },
        ],
    };
    for previous in [None, Some(arrange(&odd, Start::default()))] {
        let scene = Scene::new(&odd, &arrange(&odd, previous.as_ref().into()));
        assert_finite(&scene, "odd");
        assert_eq!(scene.nodes.len(), 5);
        assert_eq!(scene.boxes.len(), 3);
    }
    let bad: Positions = [("a", f32::NAN), ("b", f32::INFINITY), ("g", 1e30)]
        .into_iter()
        .map(|(id, v)| (id.to_owned(), Point { x: v, y: v }))
        .collect();
    assert_finite(&Scene::new(&odd, &bad), "bad positions");
    assert_finite(
        &Scene::new(&odd, &arrange(&odd, Some(&bad).into())),
        "arranged from bad positions",
    );
}

#[test]
fn a_scene_survives_the_wire() {
    let diagram = fleet(View::Combined);
    let scene = Scene::new(&diagram, &arrange(&diagram, Start::default()));
    let json = serde_json::to_string(&scene).unwrap();
    assert_eq!(serde_json::from_str::<Scene>(&json).unwrap(), scene);
}

/// Two hosts; a router on the first is being moved to the second, which is in maintenance.
fn on_its_way() -> Diagram {
    let group = |id: &str, maintenance: Option<&str>| Group {
        id: id.into(),
        label: id.into(),
        facts: graph::Facts {
            maintenance: maintenance.map(str::to_owned),
            ..graph::Facts::default()
        },
        ..Group::default()
    };
    Diagram {
        groups: vec![group("a", None), group("b", Some("disks"))],
        nodes: (0..3)
            .map(|n| Node {
                id: format!("r{n}"),
                label: format!("r{n}"),
                group: Some(u32::from(n == 2)),
                facts: graph::Facts {
                    moving_to: if n == 0 { "b".into() } else { String::new() },
                    ..graph::Facts::default()
                },
                ..Node::default()
            })
            .collect(),
        edges: vec![Edge {
            id: "migration:r0".into(),
            a: End::Node(0),
            b: End::Group(1),
            kind: EdgeKind::Migration,
            ..Edge::default()
        }],
    }
}

#[test]
fn nothing_moves_because_something_is_being_moved() {
    let moving = on_its_way();
    let mut still = moving.clone();
    still.edges.clear();
    let start = graph::Start::default();
    assert_eq!(
        graph::arrange(&moving, start),
        graph::arrange(&still, start)
    );
}

#[test]
fn a_migration_leads_from_the_router_to_the_host_and_both_are_signed() {
    let diagram = on_its_way();
    let positions = graph::arrange(&diagram, graph::Start::default());
    let scene = Scene::new(&diagram, &positions);
    let edge = scene.edge(0).unwrap();
    let (from, to) = (edge.curve.points[0], edge.curve.points[3]);
    assert!(scene.node(0).unwrap().center.distance(from) < 40.0);
    assert!(scene.group(1).unwrap().rect.grown(4.0).contains(to));
    let svg = graph::svg::render(&diagram, &scene, &graph::svg::Options::default());
    for (sign, count) in [
        ("#topo-moving", 1),
        ("#topo-maintenance", 1),
        (r#"class="hatch""#, 1),
        (r#"class="edge migration up""#, 1),
        (r#"class="tip""#, 1),
        ("r0 is being moved to b.", 2),
        ("in maintenance (disks)", 2),
    ] {
        assert_eq!(svg.matches(sign).count(), count, "{sign}");
    }
    let dot = graph::export::dot(&diagram, &positions);
    assert!(
        dot.contains(r#"moving_to="b""#) && dot.contains("maintenance=true"),
        "{dot}"
    );
}
