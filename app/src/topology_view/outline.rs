//! The graph as a list: what a screen reader, a search or a reader without pictures gets.

use crate::format::{escape_html, percent_encode};
use api::TopologyView;
use graph::{Diagram, Node, NodeKind, NodeState, describe};
use std::fmt::Write as _;

/// Writes every host with its routers, then every router and segment outside a host, as nested
/// lists of links.
pub fn html(diagram: &Diagram, view: TopologyView) -> String {
    let mut html = String::new();
    for (index, group) in diagram.groups.iter().enumerate() {
        let _ = write!(
            html,
            "<section><h3>{}</h3>",
            item(
                &group.id,
                &group.label,
                group.state,
                &describe::group(group),
                view
            )
        );
        let members = diagram
            .nodes
            .iter()
            .filter(|node| node.group == Some(index as u32));
        list(&mut html, members, view);
        html.push_str("</section>");
    }
    for (kind, title) in [
        (NodeKind::Host, "Hosts"),
        (NodeKind::Switch, "Switches"),
        (NodeKind::Router, "Routers"),
        (NodeKind::Segment, "Segments"),
    ] {
        let loose: Vec<_> = diagram
            .nodes
            .iter()
            .filter(|node| node.kind == kind && node.group.is_none())
            .collect();
        if !loose.is_empty() {
            let _ = write!(html, "<section><h3>{title}</h3>");
            list(&mut html, loose.into_iter(), view);
            html.push_str("</section>");
        }
    }
    html
}

fn list<'a>(html: &mut String, nodes: impl Iterator<Item = &'a Node>, view: TopologyView) {
    let mut nodes: Vec<_> = nodes.collect();
    nodes.sort_by(|a, b| a.label.cmp(&b.label));
    html.push_str("<ul>");
    for node in nodes {
        let _ = write!(
            html,
            "<li>{}</li>",
            item(
                &node.id,
                &node.label,
                node.state,
                &describe::node(node),
                view
            )
        );
    }
    html.push_str("</ul>");
}

fn item(id: &str, label: &str, state: NodeState, description: &str, view: TopologyView) -> String {
    format!(
        "<a class=\"{}\" href=\"/?view={view}&amp;select={}\" data-id=\"{}\" title=\"{}\">{}</a>",
        state.as_str(),
        percent_encode(id),
        escape_html(id),
        escape_html(description),
        escape_html(label),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::Group;

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
        let html = html(&diagram, TopologyView::Combined);
        for text in [
            ">h&lt;1&gt;</a>",
            ">alpha</a>",
            ">lan</a>",
            "select=router%3Aa",
        ] {
            assert_eq!(html.matches(text).count(), 1, "{text} in {html}");
        }
    }
}
