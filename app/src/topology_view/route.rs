//! A way through the topology that is shown: the address asks for it, the panel finds it, the
//! picture marks it.

use crate::{Element, format::percent_encode};
use api::{Path, PathMetric, TopologyView};
use graph::Diagram;
use leptos::prelude::*;
use leptos_router::params::ParamsMap;

/// One element of a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its id, as in the picture.
    pub id: String,
    /// A link is gone along from its first end to its second, or back.
    pub forth: Option<bool>,
}

/// The way that is shown; empty: none.
#[derive(Clone, Copy)]
pub struct Route(pub RwSignal<Vec<Step>>);

impl Route {
    /// Makes it and offers it to everything below.
    pub fn provide() -> Self {
        let route = Self(RwSignal::new(Vec::new()));
        provide_context(route);
        route
    }
}

/// The elements and links of a path. Which way a link is gone along is known where the diagram has
/// the link.
pub fn steps(path: &Path, diagram: Option<&Diagram>) -> Vec<Step> {
    let mut way = Vec::with_capacity(path.steps.len() * 2);
    for step in &path.steps {
        let Some(element) = Element::of_id(&step.element) else {
            continue;
        };
        let from = element.to_string();
        let link = step.link.as_ref().map(|link| {
            let id = Element::Link(link.id.clone()).to_string();
            let edge = diagram.and_then(|diagram| {
                let edge = diagram.edges.iter().find(|edge| edge.id == id)?;
                diagram.id(edge.a.into())
            });
            Step {
                forth: edge.map(|a| a == from),
                id,
            }
        });
        way.push(Step {
            id: from,
            forth: None,
        });
        way.extend(link);
    }
    way
}

/// What an address asks of paths from the element that it selects: `to`, `metric` and `path`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aim {
    /// Where they end; `None` while the reader chooses.
    pub to: Option<Element>,
    /// What makes one better than another.
    pub metric: PathMetric,
    /// Which of them is shown; the best is 0.
    pub path: usize,
}

impl Aim {
    /// Reads it; `None` where no paths are asked for. What cannot be read is as if it were not there.
    pub fn of(query: &ParamsMap) -> Option<Self> {
        Some(Self {
            to: query.get("to")?.parse().ok(),
            metric: query
                .get("metric")
                .and_then(|metric| metric.parse().ok())
                .unwrap_or_default(),
            path: query
                .get("path")
                .and_then(|path| path.parse().ok())
                .unwrap_or_default(),
        })
    }

    /// The address of the page that shows the paths from `from`.
    pub fn href(&self, from: &Element, view: TopologyView) -> String {
        let mut address = format!("{}&to=", from.href(view));
        if let Some(to) = &self.to {
            address += &percent_encode(&to.to_string());
        }
        if self.metric != PathMetric::default() {
            address += "&metric=";
            address += self.metric.as_str();
        }
        if self.path > 0 {
            address += "&path=";
            address += &self.path.to_string();
        }
        address
    }
}

/// Whether the reader chooses where paths end.
pub fn is_choosing(aim: Option<&Aim>) -> bool {
    aim.is_some_and(|aim| aim.to.is_none())
}

/// Where a click on `id` leads: to its facts; or, with Shift or while the reader chooses where
/// paths end, to the paths from what is selected. `None` where no path can be: nowhere.
pub fn address(
    id: &str,
    view: TopologyView,
    selected: Option<&str>,
    aim: Option<&Aim>,
    with_shift: bool,
) -> Option<String> {
    if !with_shift && !is_choosing(aim) {
        return Some(format!("/?view={view}&select={}", percent_encode(id)));
    }
    let end = |id: &str| id.parse().ok().filter(Element::can_end_a_path);
    let (from, to) = (end(selected?)?, end(id)?);
    (from != to).then(|| {
        let metric = aim.map(|aim| aim.metric).unwrap_or_default();
        let aim = Aim {
            to: Some(to),
            metric,
            path: 0,
        };
        aim.href(&from, view)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::{Edge, End, Group, Node};

    const VIEW: TopologyView = TopologyView::Combined;

    fn query(text: &str) -> ParamsMap {
        text.split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn an_address_is_read_as_it_was_written() {
        assert_eq!(Aim::of(&query("view=virtual&select=host:a")), None);
        let choosing = Aim::of(&query("select=host:a&to=")).expect("paths are asked for");
        assert!(is_choosing(Some(&choosing)));
        let from: Element = "host:a".parse().unwrap();
        assert_eq!(
            choosing.href(&from, VIEW),
            "/?view=combined&select=host%3Aa&to="
        );
        let aim = Aim {
            to: "segment:x&y".parse().ok(),
            metric: PathMetric::FreeCapacity,
            path: 2,
        };
        assert_eq!(
            aim.href(&from, VIEW),
            "/?view=combined&select=host%3Aa&to=segment%3Ax%26y&metric=freeCapacity&path=2"
        );
        let read = query("to=host:b&metric=freeCapacity&path=2");
        assert_eq!(
            Aim::of(&read),
            Some(Aim {
                to: "host:b".parse().ok(),
                ..aim
            })
        );
        let broken = Aim::of(&query("to=planet:mars&metric=beauty&path=-1"));
        assert_eq!(broken, Some(Aim::default()));
    }

    #[test]
    fn a_click_leads_to_facts_or_to_paths() {
        let choosing = Aim {
            metric: PathMetric::Latency,
            ..Aim::default()
        };
        let shown = Aim {
            to: "host:b".parse().ok(),
            ..Aim::default()
        };
        let facts = Some("/?view=combined&select=host%3Ac".to_owned());
        let a = Some("host:a");
        assert_eq!(address("host:c", VIEW, None, None, false), facts);
        assert_eq!(address("host:c", VIEW, a, Some(&shown), false), facts);
        assert_eq!(
            address("host:c", VIEW, a, Some(&choosing), false).as_deref(),
            Some("/?view=combined&select=host%3Aa&to=host%3Ac&metric=latency")
        );
        assert_eq!(
            address("host:c", VIEW, a, Some(&shown), true).as_deref(),
            Some("/?view=combined&select=host%3Aa&to=host%3Ac")
        );
        for (id, selected) in [
            ("host:a", a),
            ("link:x", a),
            ("host:c", None),
            ("host:c", Some("link:x")),
        ] {
            let led = address(id, VIEW, selected, None, true);
            assert_eq!(led, None, "{selected:?} to {id}");
        }
    }

    #[test]
    fn the_picture_is_told_which_way_each_link_is_gone() {
        let router = "00000000-0000-4000-8000-000000000001";
        let step = |kind: &str, id: &str, link: Option<&str>| {
            let mut element =
                serde_json::json!({"host": null, "router": null, "segment": null, "link": null});
            element[kind] = id.into();
            let link =
                link.map(|link| serde_json::json!({"id": link, "kind": "physical", "state": "up"}));
            serde_json::json!({"element": element, "name": id, "link": link})
        };
        let path: Path = serde_json::from_value(serde_json::json!({
            "hops": 3, "underlay": [], "steps": [
                step("router", router, None), step("host", "a", Some("l1")),
                step("host", "b", Some("l2")), step("host", "c", None)
            ]
        }))
        .expect("a path");
        let edge = |id: &str, a: End, b: End| Edge {
            id: id.into(),
            a,
            b,
            ..Edge::default()
        };
        let diagram = Diagram {
            nodes: vec![Node {
                id: "host:b".into(),
                ..Node::default()
            }],
            groups: ["host:a", "host:c"]
                .map(|id| Group {
                    id: id.into(),
                    ..Group::default()
                })
                .into(),
            edges: vec![
                edge("link:l1", End::Group(0), End::Node(0)),
                edge("link:l2", End::Group(1), End::Node(0)),
            ],
        };
        let marks = |diagram| {
            let steps = steps(&path, diagram).into_iter();
            steps.map(|step| (step.id, step.forth)).collect::<Vec<_>>()
        };
        let way = |forth: [Option<bool>; 2]| {
            vec![
                (format!("router:{router}"), None),
                ("host:a".into(), None),
                ("link:l1".into(), forth[0]),
                ("host:b".into(), None),
                ("link:l2".into(), forth[1]),
                ("host:c".into(), None),
            ]
        };
        assert_eq!(marks(Some(&diagram)), way([Some(true), Some(false)]));
        assert_eq!(marks(None), way([None, None]));
    }
}
