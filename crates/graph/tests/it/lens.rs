//! What a lens leaves is a diagram: whole, without strangers, with ids of its own.

use crate::fleet::{SHAPES, VIEWS, View, fleet, random};
use graph::lens::{Lens, network_id, networks};
use graph::query::Query;
use graph::{Diagram, Edge, EdgeState, End, NodeKind, Thing};
use std::collections::{BTreeMap, BTreeSet};

fn query(text: &str) -> Query {
    Query::parse(text).expect(text)
}

fn nodes(diagram: &Diagram) -> Vec<&str> {
    diagram
        .nodes
        .iter()
        .map(|node| node.label.as_str())
        .collect()
}

fn groups(diagram: &Diagram) -> Vec<&str> {
    diagram
        .groups
        .iter()
        .map(|group| group.label.as_str())
        .collect()
}

fn filtered(view: View, text: &str) -> Diagram {
    let lens = Lens {
        filter: Some(query(text)),
        ..Lens::default()
    };
    lens.apply(&fleet(view), &())
}

/// Every index leads somewhere, and no id is there twice.
fn assert_whole(diagram: &Diagram) {
    let mut ids = BTreeSet::new();
    for thing in diagram.things() {
        assert!(
            ids.insert(diagram.id(thing).expect("an id")),
            "{thing:?} twice"
        );
    }
    for node in &diagram.nodes {
        assert!(
            node.group
                .is_none_or(|group| (group as usize) < diagram.groups.len())
        );
    }
    for edge in &diagram.edges {
        assert!(diagram.id(edge.a.into()).is_some() && diagram.id(edge.b.into()).is_some());
    }
}

#[test]
fn a_clear_lens_changes_nothing() {
    for view in VIEWS {
        let diagram = fleet(view);
        assert_eq!(Lens::default().apply(&diagram, &()), diagram);
        let beside = Lens {
            filter: Some(query("")),
            network: Some("no such network".into()),
            around: Some((vec!["no such id".into()], 2)),
            collapsed: BTreeSet::from(["no such id".into(), network_id("no such network")]),
        };
        assert_eq!(beside.apply(&diagram, &()), diagram);
    }
}

#[test]
fn a_filter_takes_links_with_their_ends_and_keeps_boxes_around_members() {
    let tri = filtered(View::Combined, "network:tri");
    assert_eq!(nodes(&tri), ["tri-r1", "tri-r2", "tri-r3"]);
    assert_eq!(groups(&tri), ["ams-edge-1", "ams-core-1", "fra-core-1"]);
    // The three virtual links, and the cables between hosts that are still there.
    let virtually = |edge: &&Edge| matches!(edge.a, End::Node(_));
    assert_eq!(tri.edges.iter().filter(virtually).count(), 3);
    assert_eq!(tri.edges.len(), 5);

    // Links that match bring their ends; others go.
    let down = filtered(View::Physical, "state:down");
    assert_eq!(nodes(&down), ["ams-core-1", "lon-edge-1"]);
    assert_eq!(down.edges.len(), 1);
    let up = filtered(View::Physical, "-state:down");
    assert_eq!((up.nodes.len(), up.edges.len()), (7, 9));
    let wide = filtered(View::Physical, "capacity>=100G");
    assert_eq!(nodes(&wide), ["ams-core-1", "fra-core-1", "fra-core-2"]);
    // What says nothing of links leaves them to their ends.
    let hosts = filtered(View::Combined, "kind:host -state:connecting");
    assert_eq!((hosts.nodes.len(), hosts.groups.len()), (0, 6));
    assert_eq!(hosts.edges.len(), 7);
}

#[test]
fn one_network_has_its_routers_segments_and_hosts() {
    let focus = |view| {
        let lens = Lens {
            network: Some("lab".into()),
            ..Lens::default()
        };
        lens.apply(&fleet(view), &())
    };
    let lab = focus(View::Combined);
    assert_eq!(
        nodes(&lab),
        ["lab-r1", "lab-r2", "lab-r3", "lab-r4", "lab-r5", "lab-net"]
    );
    assert_eq!(groups(&lab), ["fra-core-2", "zrh-edge-1"]);
    assert_eq!(lab.edges.len(), 6);
    // Hosts alone know no networks.
    assert_eq!(focus(View::Physical), fleet(View::Physical));
}

#[test]
fn around_counts_hops_over_links_and_boxes() {
    let around = |ids: &[&str], hops| {
        let ids = ids.iter().map(ToString::to_string).collect();
        let lens = Lens {
            around: Some((ids, hops)),
            ..Lens::default()
        };
        lens.apply(&fleet(View::Combined), &())
    };
    let alone = around(&["router:ring-r1"], 0);
    assert_eq!(
        (nodes(&alone), groups(&alone)),
        (vec!["ring-r1"], vec!["ams-core-1"])
    );
    let near = around(&["router:ring-r1"], 1);
    assert_eq!(nodes(&near), ["ring-r1", "ring-r2", "ring-r6"]);
    assert_eq!(groups(&near), ["ams-core-1", "fra-core-1", "lon-edge-1"]);
    // One hop to its host, the second to the host's cables and its other routers.
    let further = around(&["router:ring-r1"], 2);
    assert!(nodes(&further).contains(&"core-r1") && groups(&further).contains(&"par-core-1"));
    // A host's members and neighbours are one hop away; a link is both of its ends.
    let host = around(&["host:lon-edge-1"], 1);
    let members = fleet(View::Combined);
    let members = members.nodes.iter().filter(|node| node.group == Some(6));
    assert_eq!(
        nodes(&host),
        members.map(|node| node.label.as_str()).collect::<Vec<_>>()
    );
    assert_eq!(groups(&host).len(), 4);
    assert_eq!(nodes(&around(&["link:tri-0-1"], 0)), ["tri-r1", "tri-r2"]);
    // Of what is there, however much is asked.
    let all = around(&["host:lon-edge-1"], 255);
    assert_eq!(all.groups.len(), 7);
}

#[test]
fn a_collapsed_host_is_a_node_with_its_routers_links() {
    let mut diagram = fleet(View::Combined);
    for edge in &mut diagram.edges {
        if edge.id == "link:mesh-1-3" {
            (edge.state, edge.capacity) = (EdgeState::Down, 1e9);
        }
        if edge.id == "link:mesh-2-3" {
            edge.capacity = 2e9;
        }
    }
    let lens = Lens {
        collapsed: BTreeSet::from(["host:par-core-1".into(), "host:lon-edge-1".into()]),
        ..Lens::default()
    };
    let drawn = lens.apply(&diagram, &());
    assert_whole(&drawn);
    let Some(Thing::Node(par)) = drawn.find("host:par-core-1") else {
        panic!("no such node");
    };
    let Some(Thing::Node(lon)) = drawn.find("host:lon-edge-1") else {
        panic!("no such node");
    };
    let host = &drawn.nodes[par as usize];
    assert_eq!(
        (host.kind, host.label.as_str()),
        (NodeKind::Host, "par-core-1")
    );
    let members = diagram
        .nodes
        .iter()
        .filter(|node| node.group == Some(5))
        .count();
    assert_eq!(
        host.facts.routers,
        Some([members as u32 - 1, members as u32])
    );
    assert!(drawn.find("router:mesh-r2").is_none() && drawn.find("link:mesh-1-2").is_none());

    // Ring and mesh have three links between the two, one of them down; the cable is by itself.
    let between: Vec<&Edge> = drawn
        .edges
        .iter()
        .filter(|edge| {
            BTreeSet::from([edge.a, edge.b]) == BTreeSet::from([End::Node(par), End::Node(lon)])
        })
        .collect();
    let [cable, links] = between.as_slice() else {
        panic!("{between:?}");
    };
    assert_eq!(cable.id, "cable:5-6");
    assert_eq!(
        (links.label.as_str(), links.state),
        ("3 links", EdgeState::Down)
    );
    assert!((links.capacity - 3e9).abs() < 1e3);
    // A link by itself keeps its name.
    assert!(drawn.find("link:tri-0-1").is_some() && drawn.find("link:core-3-4").is_some());
}

#[test]
fn a_collapsed_network_is_a_node_on_its_hosts() {
    let diagram = fleet(View::Combined);
    let lens = Lens {
        collapsed: BTreeSet::from([network_id("lab"), "host:zrh-edge-1".into()]),
        ..Lens::default()
    };
    let drawn = lens.apply(&diagram, &());
    assert_whole(&drawn);
    let lab: Vec<_> = drawn
        .nodes
        .iter()
        .filter(|node| node.id == "network:lab")
        .collect();
    let [lab] = lab.as_slice() else {
        panic!("{lab:?}");
    };
    assert_eq!(
        (lab.kind, lab.label.as_str(), lab.facts.members),
        (NodeKind::Segment, "lab", 5)
    );
    // Its own segment is within it.
    assert!(drawn.find("segment:lab").is_none());
    let runs: Vec<_> = drawn
        .edges
        .iter()
        .filter(|edge| drawn.id(edge.b.into()) == Some("network:lab"))
        .map(|edge| (drawn.label(edge.a.into()), edge.label.as_str()))
        .collect();
    assert_eq!(
        runs,
        [("fra-core-2", "3 routers"), ("zrh-edge-1", "2 routers")]
    );
    // It can be what one looks around of.
    let around = Lens {
        around: Some((vec![network_id("lab")], 0)),
        ..lens
    };
    assert_eq!(nodes(&around.apply(&diagram, &())), ["zrh-edge-1", "lab"]);
}

/// Whatever is asked of whatever diagram, hostile ones included.
#[test]
fn what_is_left_is_whole() {
    let mut rng = fastrand::Rng::with_seed(11);
    for round in 0..120 {
        let shape = SHAPES[rng.usize(0..4)];
        let mut diagram = random(shape, rng.u32(1..80), View::Combined, round);
        for node in &mut diagram.nodes {
            node.facts.network = ["", "a", "b", "links"][rng.usize(0..4)].into();
            node.kind = [NodeKind::Router, NodeKind::Segment][rng.usize(0..2)];
        }
        for edge in &mut diagram.edges {
            edge.capacity = [0.0, 1e9, f32::NAN, -1.0][rng.usize(0..4)];
        }
        // Ids that a lens would like to give, ends that lead nowhere.
        if let Some(node) = diagram.nodes.first_mut() {
            (node.id, node.group) = (network_id("a"), Some(99));
        }
        if let Some(edge) = diagram.edges.first_mut() {
            (edge.id, edge.a) = ("links:virtual:g0~g1".into(), End::Node(9999));
        }
        let collapsed: BTreeSet<String> = diagram
            .groups
            .iter()
            .map(|group| group.id.clone())
            .chain(networks(&diagram).into_iter().map(network_id))
            .filter(|_| rng.bool())
            .collect();
        let lens = Lens {
            filter: Some(query(
                ["", "kind:router", "-state:down", "node-1 or degree>3"][rng.usize(0..4)],
            )),
            network: rng.bool().then(|| "a".into()),
            around: rng
                .bool()
                .then(|| (vec!["n3".into(), "g1".into()], rng.u8(0..4))),
            collapsed,
        };
        let drawn = lens.apply(&diagram, &());
        if !lens.is_clear() {
            assert_whole(&drawn);
        }
        let before: BTreeMap<&str, Thing> = diagram
            .things()
            .filter_map(|thing| Some((diagram.id(thing)?, thing)))
            .collect();
        for node in &drawn.nodes {
            let known = before.contains_key(node.id.as_str());
            assert!(
                known || node.id.starts_with("network:"),
                "{} came from nowhere",
                node.id
            );
        }
        // Routers are somewhere: as they were, or in a host or network that counts them.
        if lens.filter == Some(query("")) && lens.network.is_none() && lens.around.is_none() {
            let is_router = |kind: NodeKind| kind == NodeKind::Router;
            let routers = diagram
                .nodes
                .iter()
                .filter(|node| is_router(node.kind))
                .count();
            let counted: u32 = drawn
                .nodes
                .iter()
                .map(|node| {
                    if node.id.starts_with("network:") && node.kind == NodeKind::Segment {
                        node.facts.members
                    } else {
                        node.facts
                            .routers
                            .map_or(u32::from(is_router(node.kind)), |routers| routers[1])
                    }
                })
                .sum();
            assert_eq!(counted as usize, routers);
        }
    }
}
