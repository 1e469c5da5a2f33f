//! A diagram for other programs: [`graphml`], [`dot`] and [`json`].
//!
//! All three are flat: a group is a node like others, and a member names it in `group`. Positions
//! are in CSS pixels, to a tenth; y grows downwards, in DOT upwards as Graphviz wants it. What is not known is
//! left out.

use crate::svg::write::Escaped;
use crate::{Diagram, Edge, End, Facts, NodeKind, NodeState, Positions, Thing, describe};
use std::fmt::{self, Display, Write};

/// `GraphML` (<http://graphml.graphdrawing.org/specification.html>), as networkx, Gephi and yEd read
/// it.
pub fn graphml(diagram: &Diagram, positions: &Positions) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n",
    );
    for (list, of) in [(&NODE_KEYS[..], "node"), (&EDGE_KEYS[..], "edge")] {
        for (name, kind) in list {
            put(
                &mut out,
                format_args!(
                    "<key id=\"{of}-{name}\" for=\"{of}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>\n"
                ),
            );
        }
    }
    out.push_str("<graph id=\"topology\" edgedefault=\"undirected\">\n");
    let data = |out: &mut String, of: &str, values: &[Value]| {
        for Value(name, what) in values {
            put(out, format_args!("<data key=\"{of}-{name}\">"));
            match what {
                What::Text(text) => put(out, format_args!("{}", Escaped(text))),
                What::List(list) => put(out, format_args!("{}", Escaped(&list.join(", ")))),
                What::Number(number) => put(out, format_args!("{number}")),
                What::Flag(flag) => put(out, format_args!("{flag}")),
            }
            out.push_str("</data>");
        }
    };
    for thing in places(diagram) {
        let id = Escaped(diagram.id(thing).unwrap_or_default());
        put(&mut out, format_args!("<node id=\"{id}\">"));
        data(&mut out, "node", &of_place(diagram, thing, positions));
        out.push_str("</node>\n");
    }
    for (edge, a, b) in edges(diagram) {
        let (id, a, b) = (Escaped(&edge.id), Escaped(a), Escaped(b));
        put(
            &mut out,
            format_args!("<edge id=\"{id}\" source=\"{a}\" target=\"{b}\">"),
        );
        data(&mut out, "edge", &of_edge(edge));
        out.push_str("</edge>\n");
    }
    out.push_str("</graph>\n</graphml>\n");
    out
}

/// JSON in node-link form, as networkx's `node_link_graph(…, edges="edges")` and D3 read it.
pub fn json(diagram: &Diagram, positions: &Positions) -> String {
    let mut out = String::from("{\"directed\":false,\"multigraph\":true,\"graph\":{},\"nodes\":[");
    let data = |out: &mut String, values: &[Value]| {
        for Value(name, what) in values {
            put(out, format_args!(",\"{name}\":"));
            match what {
                What::Text(text) => put(out, format_args!("{}", Json(text))),
                What::List(list) => {
                    for (index, one) in list.iter().enumerate() {
                        out.push(if index == 0 { '[' } else { ',' });
                        put(out, format_args!("{}", Json(one)));
                    }
                    out.push(']');
                }
                What::Number(number) => put(out, format_args!("{number}")),
                What::Flag(flag) => put(out, format_args!("{flag}")),
            }
        }
        out.push('}');
    };
    for (index, thing) in places(diagram).enumerate() {
        let lead = if index == 0 { "\n" } else { ",\n" };
        let id = Json(diagram.id(thing).unwrap_or_default());
        put(&mut out, format_args!("{lead}{{\"id\":{id}"));
        data(&mut out, &of_place(diagram, thing, positions));
    }
    out.push_str("\n],\"edges\":[");
    for (index, (edge, a, b)) in edges(diagram).enumerate() {
        let lead = if index == 0 { "\n" } else { ",\n" };
        let (id, a, b) = (Json(&edge.id), Json(a), Json(b));
        put(
            &mut out,
            format_args!("{lead}{{\"source\":{a},\"target\":{b},\"key\":{id}"),
        );
        data(&mut out, &of_edge(edge));
    }
    out.push_str("\n]}\n");
    out
}

/// DOT (<https://graphviz.org/doc/info/lang.html>) with groups as clusters. `neato -n` draws it
/// where things are, `fdp` arranges it anew with its clusters.
pub fn dot(diagram: &Diagram, positions: &Positions) -> String {
    let mut out = String::from("graph topology {\ngraph [compound=true]\n");
    let node = |out: &mut String, thing: Thing| {
        let shape = match thing {
            Thing::Node(index) => shape(diagram.nodes[index as usize].kind),
            _ => shape(NodeKind::Host),
        };
        let id = Dot(diagram.id(thing).unwrap_or_default());
        put(out, format_args!("{id} [shape={shape}"));
        let sentence = describe::thing(diagram, thing);
        put(out, format_args!(",tooltip={}", Dot(&sentence)));
        let mut place = (None, None);
        for value in of_place(diagram, thing, positions) {
            match value {
                Value("x", What::Number(x)) => place.0 = Some(x),
                Value("y", What::Number(y)) => place.1 = Some(y),
                // The cluster says it; Graphviz has another "group".
                Value("group", _) => {}
                value => attribute(out, &value),
            }
        }
        if let (Some(x), Some(y)) = place {
            // Zero has no sign.
            put(out, format_args!(",pos=\"{x},{}\"", 0.0 - y));
        }
        out.push_str("]\n");
    };
    let mut members = vec![Vec::new(); diagram.groups.len()];
    for (index, one) in (0..).zip(&diagram.nodes) {
        match one.group.and_then(|group| members.get_mut(group as usize)) {
            Some(members) => members.push(Thing::Node(index)),
            None => node(&mut out, Thing::Node(index)),
        }
    }
    for ((index, group), members) in (0..).zip(&diagram.groups).zip(members) {
        let label = Dot(&group.label);
        put(
            &mut out,
            format_args!("subgraph cluster_{index} {{\nlabel={label}\n"),
        );
        node(&mut out, Thing::Group(index));
        for member in members {
            node(&mut out, member);
        }
        out.push_str("}\n");
    }
    for (edge, a, b) in edges(diagram) {
        put(&mut out, format_args!("{} -- {} [", Dot(a), Dot(b)));
        put(&mut out, format_args!("id={}", Dot(&edge.id)));
        for (end, name) in [(edge.a, "ltail"), (edge.b, "lhead")] {
            if let End::Group(index) = end {
                put(&mut out, format_args!(",{name}=cluster_{index}"));
            }
        }
        for value in of_edge(edge) {
            attribute(&mut out, &value);
        }
        out.push_str("]\n");
    }
    out.push_str("}\n");
    out
}

fn attribute(out: &mut String, Value(name, what): &Value) {
    match what {
        What::Text(text) => put(out, format_args!(",{name}={}", Dot(text))),
        What::List(list) => put(out, format_args!(",{name}={}", Dot(&list.join(", ")))),
        What::Number(number) => put(out, format_args!(",{name}={number}")),
        What::Flag(flag) => put(out, format_args!(",{name}={flag}")),
    }
}

fn shape(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Host => "box",
        NodeKind::Switch => "box3d",
        NodeKind::Router => "circle",
        NodeKind::Segment => "underline",
    }
}

/// Writing to a string does not fail.
fn put(out: &mut String, text: fmt::Arguments) {
    let _ = out.write_fmt(text);
}

/// A name among the keys below, and what it holds.
struct Value<'a>(&'static str, What<'a>);

enum What<'a> {
    Text(&'a str),
    List(&'a [String]),
    Number(f64),
    Flag(bool),
}

/// What nodes and groups have, with `GraphML`'s types.
const NODE_KEYS: [(&str, &str); 20] = [
    ("label", "string"),
    ("kind", "string"),
    ("state", "string"),
    ("stale", "boolean"),
    ("group", "string"),
    ("site", "string"),
    ("host", "string"),
    ("network", "string"),
    ("medium", "string"),
    ("tags", "string"),
    ("addresses", "string"),
    ("macs", "string"),
    ("routers_running", "int"),
    ("routers", "int"),
    ("members", "int"),
    ("moving_to", "string"),
    ("maintenance", "boolean"),
    ("maintenance_reason", "string"),
    ("x", "double"),
    ("y", "double"),
];

/// What edges have; a capacity is in bit/s.
const EDGE_KEYS: [(&str, &str); 6] = [
    ("label", "string"),
    ("kind", "string"),
    ("state", "string"),
    ("capacity", "double"),
    ("source_port", "string"),
    ("target_port", "string"),
];

fn places(diagram: &Diagram) -> impl Iterator<Item = Thing> {
    diagram
        .things()
        .filter(|thing| !matches!(thing, Thing::Edge(_)))
}

/// The edges that lead somewhere, with the ids of their ends.
fn edges(diagram: &Diagram) -> impl Iterator<Item = (&Edge, &str, &str)> {
    diagram.edges.iter().filter_map(|edge| {
        let (a, b) = (diagram.id(edge.a.into())?, diagram.id(edge.b.into())?);
        Some((edge, a, b))
    })
}

fn of_place<'a>(diagram: &'a Diagram, thing: Thing, positions: &Positions) -> Vec<Value<'a>> {
    let mut values = Vec::new();
    match thing {
        Thing::Node(index) => {
            let Some(node) = diagram.nodes.get(index as usize) else {
                return values;
            };
            let group = node.group.and_then(|group| diagram.id(Thing::Group(group)));
            describe_place(&mut values, node.kind, node.state, node.stale, &node.label);
            text(&mut values, "group", group.unwrap_or_default());
            facts(&mut values, &node.facts);
        }
        Thing::Group(index) => {
            let Some(group) = diagram.groups.get(index as usize) else {
                return values;
            };
            let host = NodeKind::Host;
            describe_place(&mut values, host, group.state, group.stale, &group.label);
            facts(&mut values, &group.facts);
        }
        Thing::Edge(_) => {}
    }
    let place = diagram.id(thing).and_then(|id| positions.get(id));
    if let Some(place) = place.filter(|place| place.x.is_finite() && place.y.is_finite()) {
        let tenths = |number: f32| (f64::from(number) * 10.0).round() / 10.0;
        values.push(Value("x", What::Number(tenths(place.x))));
        values.push(Value("y", What::Number(tenths(place.y))));
    }
    values
}

fn describe_place<'a>(
    values: &mut Vec<Value<'a>>,
    kind: NodeKind,
    state: NodeState,
    stale: bool,
    label: &'a str,
) {
    text(values, "label", label);
    text(values, "kind", kind.as_str());
    if state != NodeState::Neutral {
        text(values, "state", describe::state(kind, state));
    }
    values.push(Value("stale", What::Flag(stale)));
}

fn facts<'a>(values: &mut Vec<Value<'a>>, facts: &'a Facts) {
    text(values, "site", &facts.site);
    text(values, "host", &facts.host);
    text(values, "network", &facts.network);
    text(values, "medium", &facts.medium);
    for (name, list) in [
        ("tags", &facts.tags),
        ("addresses", &facts.addresses),
        ("macs", &facts.macs),
    ] {
        if !list.is_empty() {
            values.push(Value(name, What::List(list)));
        }
    }
    if let Some([running, all]) = facts.routers {
        values.push(Value("routers_running", What::Number(running.into())));
        values.push(Value("routers", What::Number(all.into())));
    }
    if facts.members > 0 {
        values.push(Value("members", What::Number(facts.members.into())));
    }
    text(values, "moving_to", &facts.moving_to);
    if let Some(reason) = &facts.maintenance {
        values.push(Value("maintenance", What::Flag(true)));
        text(values, "maintenance_reason", reason);
    }
}

fn of_edge(edge: &Edge) -> Vec<Value<'_>> {
    let mut values = Vec::new();
    text(&mut values, "label", &edge.label);
    text(&mut values, "kind", edge.kind.as_str());
    text(&mut values, "state", edge.state.as_str());
    if edge.capacity.is_finite() && edge.capacity > 0.0 {
        values.push(Value("capacity", What::Number(edge.capacity.into())));
    }
    text(&mut values, "source_port", &edge.ports[0]);
    text(&mut values, "target_port", &edge.ports[1]);
    values
}

fn text<'a>(values: &mut Vec<Value<'a>>, name: &'static str, text: &'a str) {
    if !text.is_empty() {
        values.push(Value(name, What::Text(text)));
    }
}

/// A string of JSON (RFC 8259), quotes and all.
struct Json<'a>(&'a str);

impl Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => {
                    f.write_char('\\')?;
                    f.write_char(c)?;
                }
                '\0'..='\u{1f}' => write!(f, "\\u{:04x}", c as u32)?,
                _ => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

/// A string of DOT, quotes and all. Controls are left out.
struct Dot<'a>(&'a str);

impl Display for Dot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => {
                    f.write_char('\\')?;
                    f.write_char(c)?;
                }
                '\t' | '\n' | '\r' => f.write_char(' ')?,
                c if c.is_control() => {}
                _ => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}
