//! Other programs read what is exported, whatever things are called.

use crate::fleet::{VIEWS, View, fleet};
use crate::xml::parse;
use graph::export::{dot, graphml, json};
use graph::{Diagram, Positions, arrange};
use serde_json::Value;
use std::collections::BTreeSet;

const HOSTILE: [&str; 7] = [
    "</data><node id=\"x\"/>",
    "\" -- \"evil",
    "back\\slash\\",
    "]]>&lt;",
    "line\nbreak\u{0}\u{1b}",
    "\u{202e}evil",
    "网络 😀",
];

/// A fleet with names that try to get out of where they belong.
fn hostile() -> (Diagram, Positions) {
    let mut diagram = fleet(View::Combined);
    for (index, name) in HOSTILE.iter().enumerate() {
        let node = &mut diagram.nodes[index];
        (node.id, node.label) = ((*name).into(), (*name).into());
        (node.facts.tags, node.facts.site) = (vec![(*name).into(), "b".into()], (*name).into());
        let edge = &mut diagram.edges[index];
        (edge.label, edge.ports[0]) = ((*name).into(), (*name).into());
        edge.capacity = [f32::NAN, f32::INFINITY, -1.0, 0.0, 5e9, 1.5, 1e30][index];
        diagram.groups[index].label = (*name).into();
    }
    let positions = arrange(&diagram, graph::Start::default());
    (diagram, positions)
}

#[test]
fn graphml_is_well_formed_and_declares_its_keys() {
    let (diagram, positions) = hostile();
    let (elements, text) = parse(&graphml(&diagram, &positions));
    let named = |name: &'static str| elements.iter().filter(move |e| e.name == name);
    let places = diagram.nodes.len() + diagram.groups.len();
    assert_eq!(named("node").count(), places);
    assert_eq!(named("edge").count(), diagram.edges.len());
    let ids: BTreeSet<&String> = named("node").map(|e| &e.attributes["id"]).collect();
    assert_eq!(ids.len(), places);
    for edge in named("edge") {
        assert!(
            ids.contains(&edge.attributes["source"]) && ids.contains(&edge.attributes["target"])
        );
    }
    let keys: BTreeSet<&String> = named("key").map(|e| &e.attributes["id"]).collect();
    for data in named("data") {
        assert!(
            keys.contains(&data.attributes["key"]),
            "{:?}",
            data.attributes
        );
    }
    assert!(text.contains(HOSTILE[0]) && text.contains("5000000000"));
}

#[test]
fn json_is_a_node_link_form_of_the_same() {
    for view in VIEWS {
        let diagram = fleet(view);
        let positions = arrange(&diagram, graph::Start::default());
        let read: Value = serde_json::from_str(&json(&diagram, &positions)).expect("JSON");
        let nodes = read["nodes"].as_array().expect("nodes");
        assert_eq!(nodes.len(), diagram.nodes.len() + diagram.groups.len());
        for node in nodes {
            let place = positions[node["id"].as_str().expect("an id")];
            for (name, exact) in [("x", place.x), ("y", place.y)] {
                let told = node[name].as_f64().expect("a number");
                assert!(
                    (told - f64::from(exact)).abs() < 0.051,
                    "{told} for {exact}"
                );
            }
        }
        for (edge, read) in diagram
            .edges
            .iter()
            .zip(read["edges"].as_array().expect("edges"))
        {
            assert_eq!(read["source"].as_str(), diagram.id(edge.a.into()));
            assert_eq!(read["target"].as_str(), diagram.id(edge.b.into()));
            assert_eq!(read["key"], *edge.id);
        }
    }
    let (diagram, positions) = hostile();
    let read: Value = serde_json::from_str(&json(&diagram, &positions)).expect("JSON");
    for (index, name) in HOSTILE.iter().enumerate() {
        let node = &read["nodes"][diagram.groups.len() + index];
        assert_eq!(
            (&node["id"], &node["tags"][0]),
            (&(*name).into(), &(*name).into())
        );
        let capacity = read["edges"][index].get("capacity").and_then(Value::as_f64);
        assert_eq!(capacity.is_some(), index > 3, "{capacity:?}");
    }
    let empty: Value = serde_json::from_str(&json(&Diagram::default(), &positions)).expect("JSON");
    assert_eq!(empty["nodes"], Value::Array(Vec::new()));
}

/// Reads DOT's quoted strings as its lexer does; gives what is outside of them.
fn outside_quotes(dot: &str) -> String {
    let (mut outside, mut quoted, mut escaped) = (String::new(), false, false);
    for c in dot.chars() {
        match (quoted, escaped, c) {
            (true, true, _) => escaped = false,
            (true, false, '\\') => escaped = true,
            (_, _, '"') => quoted = !quoted,
            (false, _, c) => outside.push(c),
            _ => {}
        }
    }
    assert!(!quoted, "a quote is open at the end");
    outside
}

#[test]
fn dot_has_clusters_and_nothing_gets_out_of_its_quotes() {
    let (diagram, positions) = hostile();
    let dot = dot(&diagram, &positions);
    let outside = outside_quotes(&dot);
    assert_eq!(
        outside.matches("subgraph cluster_").count(),
        diagram.groups.len()
    );
    assert_eq!(outside.matches(" -- ").count(), diagram.edges.len());
    assert_eq!(
        outside.matches("pos=").count(),
        diagram.nodes.len() + diagram.groups.len()
    );
    assert_eq!(outside.matches('{').count(), outside.matches('}').count());
    assert!(!outside.contains("evil") && !outside.contains("<node"));
    assert!(dot.chars().all(|c| c == '\n' || !c.is_control()));
}
