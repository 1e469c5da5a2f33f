//! The graph as a table: what a screen reader, a search or a reader without pictures gets.

use crate::format::{escape_html, percent_encode};
use api::TopologyView;
use graph::{Diagram, Facts, NodeKind, NodeState, describe};
use std::fmt::Write as _;

/// So many rows at most: the pages of hosts and routers list any number.
pub const MOST: usize = 500;
/// So many come with the page; the others are written when the table is opened.
pub const MOST_AT_FIRST: usize = 100;

/// How many rows all would be.
pub fn rows(diagram: &Diagram) -> usize {
    diagram.groups.len() + diagram.nodes.len()
}

/// Writes every host with its routers after it, then every router and segment outside a host, as
/// the rows of a table whose names are links; `most` of them.
pub fn html(diagram: &Diagram, view: TopologyView, most: usize) -> String {
    let mut rows = String::new();
    let mut count = 0;
    let mut write = |id: &str, label: &str, kind, state, facts: &Facts, inside: bool| {
        count += 1;
        if count <= most {
            row(&mut rows, view, (id, label), (kind, state), facts, inside);
        }
    };
    let mut nodes: Vec<_> = diagram.nodes.iter().collect();
    // Those outside every group last.
    let group = |node: &graph::Node| node.group.unwrap_or(u32::MAX);
    nodes.sort_by(|a, b| (group(a), a.kind, &a.label).cmp(&(group(b), b.kind, &b.label)));
    let mut nodes = nodes.into_iter().peekable();
    for (index, group) in diagram.groups.iter().enumerate() {
        write(
            &group.id,
            &group.label,
            NodeKind::Host,
            group.state,
            &group.facts,
            false,
        );
        while let Some(node) = nodes.next_if(|node| node.group == Some(index as u32)) {
            write(
                &node.id,
                &node.label,
                node.kind,
                node.state,
                &node.facts,
                true,
            );
        }
    }
    for node in nodes {
        write(
            &node.id,
            &node.label,
            node.kind,
            node.state,
            &node.facts,
            false,
        );
    }
    let rest = if count > most {
        format!(
            "<p>{} more are not listed here: narrow the picture by a filter, or see \
             <a href=\"/routers\">all routers</a> and <a href=\"/hosts\">all hosts</a>.</p>",
            count - most
        )
    } else {
        String::new()
    };
    format!(
        "<table><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">What</th>\
         <th scope=\"col\">State</th><th scope=\"col\">Network</th>\
         <th scope=\"col\">Addresses</th></tr></thead><tbody>{rows}</tbody></table>{rest}"
    )
}

fn row(
    html: &mut String,
    view: TopologyView,
    (id, label): (&str, &str),
    (kind, state): (NodeKind, NodeState),
    facts: &Facts,
    inside: bool,
) {
    let mut said = match state {
        NodeState::Neutral => String::new(),
        state => describe::state(kind, state).to_owned(),
    };
    if !facts.moving_to.is_empty() {
        said = format!("{said}, moving to {}", facts.moving_to);
    }
    if facts.maintenance.is_some() {
        said.push_str(", in maintenance");
    }
    let group = match kind {
        NodeKind::Host => &facts.site,
        NodeKind::Segment => &facts.medium,
        NodeKind::Router | NodeKind::Switch => &facts.network,
    };
    let _ = write!(
        html,
        "<tr{}><th scope=\"row\"><a href=\"/?view={view}&amp;select={}\" data-id=\"{}\">{}</a></th>\
         <td>{}</td><td class=\"{}\">{}</td><td>{}</td><td>{}</td></tr>",
        if inside { " class=\"inside\"" } else { "" },
        percent_encode(id),
        escape_html(id),
        escape_html(label),
        kind.as_str(),
        state.as_str(),
        escape_html(&said),
        escape_html(group),
        escape_html(&facts.addresses.join(", ")),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::{Group, Node};

    #[test]
    fn every_name_is_there_once_and_escaped() {
        let diagram = Diagram {
            groups: vec![Group {
                id: "host:h".to_owned(),
                label: "h<1>".to_owned(),
                ..Group::default()
            }],
            nodes: vec![
                Node {
                    id: "router:a".to_owned(),
                    label: "alpha".to_owned(),
                    group: Some(0),
                    ..Node::default()
                },
                Node {
                    id: "segment:s".to_owned(),
                    label: "lan".to_owned(),
                    kind: NodeKind::Segment,
                    ..Node::default()
                },
            ],
            ..Diagram::default()
        };
        let html = html(&diagram, TopologyView::Combined, MOST);
        for text in [
            ">h&lt;1&gt;</a>",
            ">alpha</a>",
            ">lan</a>",
            "select=router%3Aa",
        ] {
            assert_eq!(html.matches(text).count(), 1, "{text} in {html}");
        }
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let diagram = Diagram {
            nodes: vec![Node::default(); MOST + 7],
            ..Diagram::default()
        };
        let html = html(&diagram, TopologyView::Virtual, MOST);
        assert_eq!(html.matches("<tr>").count(), MOST + 1);
        assert!(html.contains("7 more"));
    }
}
