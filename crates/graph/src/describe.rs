//! One sentence about each thing, for the tooltip and the screen reader.

use crate::{
    Diagram, Edge, EdgeKind, EdgeState, End, Facts, Group, Node, NodeKind, NodeState, Thing,
};

/// A node: "Router r1 on ams-1, running, network ring."
pub fn node(node: &Node) -> String {
    match node.kind {
        NodeKind::Host => host(&node.label, node.state, &node.facts),
        NodeKind::Router => {
            let place = after(" on ", &node.facts.host);
            let network = after(", network ", &node.facts.network);
            let doubt = if node.stale {
                " Last known: its host does not answer."
            } else {
                ""
            };
            let moving = after(", being moved to ", &node.facts.moving_to);
            let state = state(NodeKind::Router, node.state);
            format!(
                "Router {}{place}, {state}{network}{moving}.{doubt}",
                node.label
            )
        }
        NodeKind::Segment => {
            let medium = match node.facts.medium.as_str() {
                "" => String::new(),
                medium => format!(" ({medium})"),
            };
            let members = count(node.facts.members, "member", "members");
            format!("Segment {}{medium} with {members}.", node.label)
        }
        NodeKind::Switch => format!("Switch {}.", node.label),
    }
}

/// A group: "Host ams-1 in Amsterdam, online, 1 of 2 routers running.", or a network.
pub fn group(group: &Group) -> String {
    if !group.facts.network.is_empty() {
        let routers = routers(&group.facts);
        return format!("Network {}{routers}.", group.label);
    }
    host(&group.label, group.state, &group.facts)
}

/// An edge: "Virtual link between r1 and r2, up, 1 Gbit/s."
pub fn edge(diagram: &Diagram, edge: &Edge) -> String {
    let state = match edge.state {
        EdgeState::Unknown => "its state is unknown",
        state => state.as_str(),
    };
    let name = |end: End| match diagram.label(end.into()) {
        "" => "something unknown",
        name => name,
    };
    let kind = match edge.kind {
        EdgeKind::Physical => "Physical",
        EdgeKind::Virtual | EdgeKind::Attachment => "Virtual",
        EdgeKind::Migration => {
            return format!("{} is being moved to {}.", name(edge.a), name(edge.b));
        }
    };
    format!(
        "{kind} link between {} and {}, {state}{}.",
        name(edge.a),
        name(edge.b),
        after(", ", &edge.label)
    )
}

/// Any of them; empty if it is not there.
pub fn thing(diagram: &Diagram, thing: Thing) -> String {
    match thing {
        Thing::Node(index) => diagram.nodes.get(index as usize).map(node),
        Thing::Group(index) => diagram.groups.get(index as usize).map(group),
        Thing::Edge(index) => diagram
            .edges
            .get(index as usize)
            .map(|one| edge(diagram, one)),
    }
    .unwrap_or_default()
}

/// The word for a state of such a thing.
pub fn state(kind: NodeKind, state: NodeState) -> &'static str {
    match (kind, state) {
        (NodeKind::Host, NodeState::Running) => "online",
        (NodeKind::Host, NodeState::Paused) => "degraded",
        (NodeKind::Host, NodeState::Failed) => "unreachable",
        (NodeKind::Host, NodeState::Unknown) => "connecting",
        (_, NodeState::Running) => "running",
        (_, NodeState::Paused) => "suspended",
        (_, NodeState::Stopping) => "shutting down",
        (_, NodeState::Stopped) => "shut off",
        (_, NodeState::Failed) => "crashed",
        (_, NodeState::Unknown) => "in an unknown state",
        (_, NodeState::Neutral) => "there",
    }
}

fn host(name: &str, of: NodeState, facts: &Facts) -> String {
    let site = after(" in ", &facts.site);
    let routers = routers(facts);
    let maintenance = match facts.maintenance.as_deref() {
        None => String::new(),
        Some("") => ", in maintenance".to_owned(),
        Some(reason) => format!(", in maintenance ({reason})"),
    };
    let state = state(NodeKind::Host, of);
    format!("Host {name}{site}, {state}{maintenance}{routers}.")
}

fn routers(facts: &Facts) -> String {
    facts.routers.map_or_else(String::new, |[running, all]| {
        format!(", {running} of {} running", count(all, "router", "routers"))
    })
}

/// `lead` and `text`, or nothing if there is no text.
fn after(lead: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{lead}{text}")
    }
}

fn count(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
