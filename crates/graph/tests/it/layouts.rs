//! Every layout: clear, the same each time, around its pins, and steady.

use crate::fleet::{SHAPES, Shape, VIEWS, View, fleet, random};
use crate::pictures::{assert_clear, assert_finite};
use graph::{Diagram, Edge, End, Group, Layout, Node, Point, Positions, Scene, Start, arrange};

/// Width of a router's symbol: displacements are measured by it.
const NODE: f32 = 40.0;

fn by(layout: Layout) -> Start<'static> {
    Start {
        layout,
        ..Start::default()
    }
}

/// The fleet in three views, random graphs of 120 nodes without boxes, a few nodes without lines.
fn diagrams() -> Vec<(String, Diagram)> {
    let mut all = Vec::new();
    for view in VIEWS {
        all.push((format!("fleet {view:?}"), fleet(view)));
        let mut alone = random(Shape::Tree, 7, view, 1);
        alone.edges.clear();
        all.push((format!("alone {view:?}"), alone));
    }
    for shape in SHAPES {
        all.push((format!("{shape:?}"), random(shape, 120, View::Virtual, 5)));
    }
    all
}

#[test]
fn every_layout_is_clear_and_the_same_each_time() {
    for (what, diagram) in diagrams() {
        for layout in Layout::ALL {
            let what = format!("{what} {layout}");
            let places = arrange(&diagram, by(layout));
            let scene = Scene::new(&diagram, &places);
            assert_eq!(scene.nodes.len(), diagram.nodes.len(), "{what}");
            assert_eq!(scene.boxes.len(), diagram.groups.len(), "{what}");
            assert_clear(&diagram, &scene, &what);
            assert_finite(&scene, &what);
            assert_eq!(places, arrange(&diagram, by(layout)), "{what}");
            let again = Start {
                previous: Some(&places),
                ..by(layout)
            };
            assert_eq!(places, arrange(&diagram, again), "{what}: nothing new");
        }
    }
}

#[test]
fn layouts_differ() {
    let diagram = fleet(View::Virtual);
    let pictures: Vec<Positions> = Layout::ALL[1..]
        .iter()
        .map(|layout| arrange(&diagram, by(*layout)))
        .collect();
    for (k, one) in pictures.iter().enumerate() {
        assert!(!pictures[..k].contains(one), "{}", Layout::ALL[k + 1]);
    }
}

#[test]
fn what_is_pinned_stays_and_all_else_goes_around_it() {
    for (what, diagram) in diagrams() {
        let mut rng = fastrand::Rng::with_seed(9);
        for layout in Layout::ALL {
            let what = format!("{what} {layout}");
            let first = arrange(&diagram, by(layout));
            let mut pins = Positions::new();
            // One is put where another is, one far out, one box a little aside.
            let (moved, other) = (&diagram.nodes[0], &diagram.nodes[1]);
            if moved.group == other.group {
                let there = first[&other.id];
                pins.insert(
                    moved.id.clone(),
                    Point {
                        x: there.x + 0.25,
                        y: there.y,
                    },
                );
            }
            let far = &diagram.nodes[rng.usize(2..diagram.nodes.len())];
            if far.group.is_none() || far.group != moved.group {
                let there = first[&far.id];
                pins.insert(
                    far.id.clone(),
                    Point {
                        x: there.x + 3000.0,
                        y: there.y - 1234.5,
                    },
                );
            }
            let free = |g: &usize| {
                let is_in = |n: &&Node| n.group == Some(*g as u32);
                !diagram
                    .nodes
                    .iter()
                    .filter(is_in)
                    .any(|n| pins.contains_key(&n.id))
            };
            if let Some(g) = (0..diagram.groups.len()).find(free) {
                let id = &diagram.groups[g].id;
                let there = first[id];
                pins.insert(
                    id.clone(),
                    Point {
                        x: there.x + 40.0,
                        y: there.y + 300.0,
                    },
                );
            }
            for previous in [None, Some(&first)] {
                let start = Start {
                    previous,
                    pins: Some(&pins),
                    layout,
                };
                let places = arrange(&diagram, start);
                for (id, pin) in &pins {
                    assert_eq!(places[id], *pin, "{what}: {id}");
                }
                let scene = Scene::new(&diagram, &places);
                assert_clear(&diagram, &scene, &format!("{what} {}", previous.is_some()));
                for one in &scene.boxes {
                    let id = &diagram.groups[one.group as usize].id;
                    if let Some(pin) = pins.get(id) {
                        let (x, y) = (
                            one.rect.x + one.rect.width / 2.0,
                            one.rect.y + one.rect.height / 2.0,
                        );
                        let off = (x - pin.x).hypot(y - pin.y);
                        assert!(off < 0.5, "{what}: box {id} is off by {off}");
                    }
                }
                assert_eq!(places, arrange(&diagram, start), "{what}");
            }
        }
    }
}

#[test]
fn two_pins_on_one_spot_are_the_owners_wish() {
    let diagram = fleet(View::Virtual);
    for layout in Layout::ALL {
        let spot = Point { x: 5.5, y: -7.25 };
        let pins: Positions = diagram.nodes[..3]
            .iter()
            .map(|n| (n.id.clone(), spot))
            .collect();
        let start = Start {
            pins: Some(&pins),
            ..by(layout)
        };
        let places = arrange(&diagram, start);
        assert!(pins.keys().all(|id| places[id] == spot), "{layout}");
    }
}

/// Adds or takes away one node, or one line.
fn change(diagram: &Diagram, rng: &mut fastrand::Rng) -> Diagram {
    let mut diagram = diagram.clone();
    let count = diagram.nodes.len() as u32;
    match rng.u8(0..4) {
        0 => {
            let like = diagram.nodes[0].clone();
            diagram.nodes.push(Node {
                id: "new".into(),
                label: "newcomer".into(),
                group: like.group.map(|_| rng.u32(0..diagram.groups.len() as u32)),
                ..like
            });
            for k in 0..rng.u32(0..3) {
                diagram.edges.push(Edge {
                    id: format!("new{k}"),
                    a: End::Node(rng.u32(0..count)),
                    b: End::Node(count),
                    ..Edge::default()
                });
            }
        }
        1 => {
            let gone = rng.u32(0..count);
            diagram.nodes.remove(gone as usize);
            let is_gone = |end: End| end == End::Node(gone);
            diagram.edges.retain(|e| !is_gone(e.a) && !is_gone(e.b));
            for edge in &mut diagram.edges {
                for end in [&mut edge.a, &mut edge.b] {
                    if let End::Node(n) = end
                        && *n > gone
                    {
                        *n -= 1;
                    }
                }
            }
        }
        2 => {
            diagram.edges.push(Edge {
                id: "new".into(),
                a: End::Node(rng.u32(0..count)),
                b: End::Node(rng.u32(0..count)),
                ..Edge::default()
            });
        }
        _ => {
            diagram.edges.remove(rng.usize(0..diagram.edges.len()));
        }
    }
    diagram
}

/// The worst of the medians, over so many single changes each to the same diagram, of how far what
/// was not touched moved.
fn worst_median(diagram: &Diagram, layout: Layout, changes: usize) -> f32 {
    let first = arrange(diagram, by(layout));
    let mut rng = fastrand::Rng::with_seed(4);
    let mut worst = 0.0f32;
    for _ in 0..changes {
        let start = Start {
            previous: Some(&first),
            ..by(layout)
        };
        let second = arrange(&change(diagram, &mut rng), start);
        let mut moves: Vec<f32> = first
            .iter()
            .filter_map(|(id, p)| {
                let q = second.get(id)?;
                Some((p.x - q.x).hypot(p.y - q.y))
            })
            .collect();
        moves.sort_by(f32::total_cmp);
        worst = worst.max(moves[moves.len() / 2]);
    }
    worst
}

/// Whatever the change, the median displacement stays under one node's width: in every layout.
#[test]
fn a_hundred_single_changes_hardly_move_a_thousand_nodes() {
    for shape in [Shape::ScaleFree, Shape::Tree] {
        let diagram = random(shape, 1000, View::Virtual, 3);
        for layout in Layout::ALL {
            let worst = worst_median(&diagram, layout, 100);
            assert!(worst < NODE, "{shape:?} {layout}: {worst} px");
        }
    }
}

/// The same with boxes, which every layout keeps in the same way.
#[test]
fn a_hundred_single_changes_hardly_move_a_thousand_nodes_in_boxes() {
    let diagram = random(Shape::ScaleFree, 1000, View::Combined, 3);
    for layout in [Layout::Containment, Layout::Radial] {
        let worst = worst_median(&diagram, layout, 100);
        assert!(worst < NODE, "{layout}: {worst} px");
    }
}

#[test]
fn odd_input_is_arranged_by_every_layout() {
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
        ..Edge::default()
    };
    let group = |id: &str| Group {
        id: id.into(),
        ..Group::default()
    };
    let edges = vec![
        edge(End::Node(0), End::Node(0)),
        edge(End::Node(0), End::Node(3)),
        edge(End::Node(3), End::Node(0)),
        edge(End::Node(0), End::Node(99)),
        edge(End::Group(7), End::Node(0)),
        edge(End::Group(0), End::Group(0)),
        edge(End::Group(0), End::Group(2)),
        edge(End::Group(1), End::Node(4)),
    ];
    let flat = Diagram {
        nodes: vec![
            node("a", Some(0)),
            node("a", Some(9)),
            node("", None),
            node("b", Some(1)),
            node("s", None),
        ],
        edges,
        groups: Vec::new(),
    };
    let boxed = Diagram {
        groups: vec![group("g"), group("h"), group("g")],
        ..flat.clone()
    };
    let bad: Positions = [
        ("a", f32::NAN),
        ("b", f32::INFINITY),
        ("g", 1e30),
        ("s", 3.9e6),
        ("nobody", 0.0),
    ]
    .into_iter()
    .map(|(id, v)| (id.to_owned(), Point { x: v, y: v }))
    .collect();
    let one = Diagram {
        nodes: vec![node("a", None)],
        ..Diagram::default()
    };
    let boxes = Diagram {
        groups: vec![group("g"), group("h")],
        ..Diagram::default()
    };
    for layout in Layout::ALL {
        for diagram in [&Diagram::default(), &one, &boxes, &flat, &boxed] {
            for previous in [None, Some(&bad)] {
                for pins in [None, Some(&bad)] {
                    let start = Start {
                        layout,
                        previous,
                        pins,
                    };
                    let places = arrange(diagram, start);
                    assert!(
                        places.values().all(|p| p.x.is_finite() && p.y.is_finite()),
                        "{layout}"
                    );
                    assert_finite(&Scene::new(diagram, &places), layout.as_str());
                    let again = Start {
                        layout,
                        previous: Some(&places),
                        pins,
                    };
                    assert_finite(
                        &Scene::new(diagram, &arrange(diagram, again)),
                        layout.as_str(),
                    );
                }
            }
        }
    }
}
