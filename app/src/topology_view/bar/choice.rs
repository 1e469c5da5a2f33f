//! What is chosen in the form, as a change of the options.

use super::super::options::{Colouring, Format, ViewOptions};
use graph::Layout;
use graph::{
    Diagram,
    lens::{network_id, networks},
};

/// Takes what a control has now. `selected` is what the reader has selected in the picture.
pub fn choose(
    options: &mut ViewOptions,
    selected: Option<String>,
    name: &str,
    value: &str,
    checked: bool,
) {
    let number = value.parse().unwrap_or(0);
    match name {
        "layout" => {
            options.layout = Layout::ALL.get(number).copied().unwrap_or_default();
            // Places of one arrangement mean nothing in another.
            options.pins.clear();
        }
        "colour" => options.colour = Colouring::ALL.get(number).copied().unwrap_or_default(),
        "weathermap" => options.weathermap = checked,
        "boxes" => options.boxes = checked,
        "minimap" => options.minimap = checked,
        "filter" => value.clone_into(&mut options.filter),
        "highlight" => value.clone_into(&mut options.highlight),
        "network" => options.network = (!value.is_empty()).then(|| value.to_owned()),
        "hops" => {
            // What is selected, or what one looks around of already.
            let center = selected.or_else(|| options.around.take().map(|(center, _)| center));
            options.around = center
                .filter(|_| number > 0)
                .map(|center| (center, number as u8));
        }
        _ => {}
    }
}

/// Does what a button says, except taking the picture away.
pub fn press(options: &mut ViewOptions, diagram: Option<&Diagram>, value: &str) {
    let folded = &mut options.collapsed;
    match (value, diagram) {
        ("hosts", Some(diagram)) => {
            folded.extend(diagram.groups.iter().map(|group| group.id.clone()));
        }
        ("networks", Some(diagram)) => folded.extend(networks(diagram).into_iter().map(network_id)),
        ("unfold", _) => folded.clear(),
        ("unpin", _) => options.pins.clear(),
        ("reset", _) => *options = ViewOptions::default(),
        _ => {}
    }
}

/// The format that a button stands for.
pub fn format(value: &str) -> Option<Format> {
    Format::ALL
        .into_iter()
        .find(|format| format.names().1 == value)
}

/// What one looks around of is what is selected; when nothing is, what was. Whether that changed.
pub fn follow(options: &mut ViewOptions, selected: &str) -> bool {
    match &mut options.around {
        Some((center, _)) if center != selected => {
            selected.clone_into(center);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::{Facts, Group, Node, Point};

    #[test]
    fn controls_change_what_they_name() {
        let mut options = ViewOptions::default();
        options.pins.insert("host:a".into(), Point::default());
        let mut set = |name: &str, value: &str, checked| {
            choose(&mut options, Some("router:a".into()), name, value, checked);
            options.clone()
        };
        let arranged = set("layout", "3", false);
        assert_eq!((arranged.layout, arranged.pins.len()), (Layout::Layered, 0));
        assert_eq!(set("layout", "99", false).layout, Layout::Containment);
        assert_eq!(set("colour", "1", false).colour, Colouring::Load);
        assert!(set("weathermap", "on", true).weathermap);
        assert_eq!(set("filter", "kind:router", false).filter, "kind:router");
        assert_eq!(
            set("network", "ring", false).network.as_deref(),
            Some("ring")
        );
        assert_eq!(set("network", "", false).network, None);
        assert_eq!(set("hops", "2", false).around, Some(("router:a".into(), 2)));
        assert_eq!(set("hops", "0", false).around, None);
    }

    #[test]
    fn around_keeps_its_center_without_a_selection_and_follows_one() {
        let mut options = ViewOptions::default();
        choose(&mut options, None, "hops", "2", false);
        assert_eq!(options.around, None);
        assert!(!follow(&mut options, "router:a"));
        choose(&mut options, Some("router:a".into()), "hops", "2", false);
        choose(&mut options, None, "hops", "3", false);
        assert_eq!(options.around, Some(("router:a".into(), 3)));
        assert!(follow(&mut options, "router:b") && !follow(&mut options, "router:b"));
        assert_eq!(options.around, Some(("router:b".into(), 3)));
    }

    #[test]
    fn buttons_fold_and_reset() {
        let diagram = Diagram {
            groups: vec![Group {
                id: "host:a".into(),
                ..Group::default()
            }],
            nodes: vec![Node {
                facts: Facts {
                    network: "ring".into(),
                    ..Facts::default()
                },
                ..Node::default()
            }],
            ..Diagram::default()
        };
        let mut options = ViewOptions::default();
        press(&mut options, None, "hosts");
        assert!(options.collapsed.is_empty());
        press(&mut options, Some(&diagram), "hosts");
        press(&mut options, Some(&diagram), "networks");
        assert_eq!(
            options.collapsed.iter().collect::<Vec<_>>(),
            ["host:a", "network:ring"]
        );
        press(&mut options, Some(&diagram), "unfold");
        assert!(options.collapsed.is_empty());
        options.minimap = true;
        press(&mut options, None, "reset");
        assert_eq!(options, ViewOptions::default());
        assert_eq!(format("dot"), Some(Format::Dot));
        assert_eq!(format("hosts"), None);
    }
}
