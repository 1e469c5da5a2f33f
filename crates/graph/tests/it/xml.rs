//! The SVG is well-formed whatever it is fed, and says what it must.

use crate::fleet::{VIEWS, View, fleet};
use graph::svg::{Options, Theme, render};
use graph::{Scene, Start, arrange};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::collections::BTreeMap;

/// One element: its name and attributes.
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
}

fn element(start: &BytesStart) -> Element {
    let attributes = start.attributes().map(|a| {
        let a = a.expect("an attribute");
        let value = a
            .normalized_value(XmlVersion::Implicit1_0)
            .expect("known entities")
            .into_owned();
        (a.key.as_ref().to_owned(), value)
    });
    Element {
        name: start.name().as_ref().to_owned(),
        attributes: attributes.collect(),
    }
}

/// All elements, and all text, of a document that must be well-formed.
pub fn parse(svg: &str) -> (Vec<Element>, String) {
    let mut reader = Reader::from_str(svg);
    reader.config_mut().check_end_names = true;
    let (mut elements, mut text, mut depth) = (Vec::new(), String::new(), 0);
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(start) => {
                depth += 1;
                elements.push(element(&start));
            }
            Event::Empty(start) => elements.push(element(&start)),
            Event::End(_) => depth -= 1,
            Event::Text(t) => text.push_str(&t),
            Event::GeneralRef(r) => {
                let name = r.to_string();
                assert!(
                    ["amp", "lt", "gt", "quot", "#39"].contains(&name.as_str()),
                    "{name}"
                );
                text.push_str(match name.as_str() {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    "quot" => "\"",
                    _ => "'",
                });
            }
            Event::Decl(_) => assert!(elements.is_empty()),
            Event::Eof => break,
            other => panic!("neither element nor text: {other:?}"),
        }
    }
    assert_eq!(depth, 0);
    (elements, text)
}

#[test]
fn every_thing_can_be_focused_and_has_a_name() {
    for view in VIEWS {
        let diagram = fleet(view);
        let scene = Scene::new(&diagram, &arrange(&diagram, Start::default()));
        let (elements, text) = parse(&render(&diagram, &scene, &Options::default()));
        let things: Vec<_> = elements
            .iter()
            .filter(|e| e.attributes.contains_key("data-id"))
            .collect();
        assert_eq!(
            things.len(),
            diagram.nodes.len() + diagram.edges.len() + diagram.groups.len()
        );
        for thing in things {
            assert_eq!(thing.name, "g");
            assert_eq!(thing.attributes["tabindex"], "0");
            assert_eq!(thing.attributes["role"], "button");
            assert!(!thing.attributes["aria-label"].is_empty());
        }
        for node in &diagram.nodes {
            assert!(text.contains(&node.label), "{} is not written", node.label);
        }
        // No colours of its own.
        for e in &elements {
            assert!(
                !["fill", "stroke", "style"]
                    .iter()
                    .any(|a| e.attributes.contains_key(*a)),
                "{}",
                e.name
            );
        }
    }
}

#[test]
fn links_work_without_script() {
    let diagram = fleet(View::Combined);
    let scene = Scene::new(&diagram, &arrange(&diagram, Start::default()));
    let options = Options {
        href: Some("/?a=1&select=".into()),
        group_href: Some("/hosts/".into()),
        selected: Some("router:tri-r1".into()),
        embedded_style: true,
        theme: Theme::Dark,
        ..Options::default()
    };
    let (elements, _) = parse(&render(&diagram, &scene, &options));
    let links: Vec<_> = elements.iter().filter(|e| e.name == "a").collect();
    assert_eq!(links.len(), diagram.nodes.len() + diagram.groups.len());
    assert!(
        links
            .iter()
            .any(|e| e.attributes["href"] == "/?a=1&select=router%3Atri-r1"
                && e.attributes["class"].split(' ').any(|c| c == "selected"))
    );
    assert!(elements.iter().any(|e| e.name == "style"));
    assert!(elements[0].attributes["class"].contains("theme-dark"));
}

#[test]
fn states_show_without_colour() {
    let diagram = fleet(View::Virtual);
    let svg = render(
        &diagram,
        &Scene::new(&diagram, &arrange(&diagram, Start::default())),
        &Options::default(),
    );
    for glyph in ["paused", "stopped", "failed", "unknown"] {
        assert!(svg.contains(&format!("href=\"#topo-{glyph}\"")), "{glyph}");
        assert!(svg.contains(&format!("<g id=\"topo-{glyph}\"")), "{glyph}");
    }
    assert!(svg.contains("class=\"outline\""));
}

#[test]
fn hostile_names_stay_text() {
    const NAMES: [&str; 8] = [
        "</title><script>alert(1)</script>",
        "\" onload=\"alert(1)",
        "' x='",
        "]]>",
        "&lt;&#x3c;",
        "\u{0}\u{1b}[31m\u{fffe}\u{ffff}",
        "\u{202e}evil\u{301}\u{301}",
        "😀😀😀 网络设备 网络设备 网络设备",
    ];
    let mut diagram = fleet(View::Combined);
    for (k, name) in NAMES.iter().enumerate() {
        let node = &mut diagram.nodes[k];
        (node.id, node.label, node.facts.network) =
            ((*name).into(), (*name).into(), (*name).into());
        let edge = &mut diagram.edges[k];
        (edge.id, edge.label) = ((*name).into(), (*name).into());
        if let Some(group) = diagram.groups.get_mut(k) {
            (group.id, group.label, group.facts.site) =
                (format!("g{name}"), (*name).into(), (*name).into());
        }
    }
    let scene = Scene::new(&diagram, &arrange(&diagram, Start::default()));
    for href in [None, Some("javascript:alert('\"<&".to_owned())] {
        let options = Options {
            href,
            embedded_style: true,
            title: NAMES[0].into(),
            selected: Some(NAMES[1].into()),
            ..Options::default()
        };
        let (elements, text) = parse(&render(&diagram, &scene, &options));
        assert!(
            elements
                .iter()
                .all(|e| e.name != "script" && !e.attributes.keys().any(|k| k.starts_with("on")))
        );
        assert!(text.contains("</title><script>alert(1)</script>"));
    }
}
