//! Makes what is shown equal to what should be, touching only what differs: focus and hover stay
//! where they are.

use web_sys::{Element, Node};

/// Makes the children of `shown` equal to those of `wanted`; elements with `data-id` are matched by
/// it, the rest by place.
pub fn children(shown: &Element, wanted: &Element) {
    let mut place = shown.first_child();
    let mut next = wanted.first_child();
    while let Some(want) = next {
        next = want.next_sibling();
        let found = match element(&want).and_then(|want| want.get_attribute("data-id")) {
            Some(id) => find(place.as_ref(), &id),
            None => place
                .clone()
                .filter(|have| same_kind(have, &want) && id_of(have).is_none()),
        };
        match found {
            Some(have) => {
                if place.as_ref() == Some(&have) {
                    place = have.next_sibling();
                } else {
                    // It moved up: what stands between is matched later, or removed at the end.
                    let _ = shown.insert_before(&have, place.as_ref());
                }
                node(&have, &want);
            }
            None => {
                let _ = shown.insert_before(&want, place.as_ref());
            }
        }
    }
    while let Some(surplus) = place {
        place = surplus.next_sibling();
        let _ = shown.remove_child(&surplus);
    }
}

fn node(have: &Node, want: &Node) {
    if let (Some(have), Some(want)) = (element(have), element(want)) {
        attributes(have, want);
        children(have, want);
    } else if have.node_value() != want.node_value() {
        have.set_node_value(want.node_value().as_deref());
    }
}

fn attributes(have: &Element, want: &Element) {
    for name in have
        .get_attribute_names()
        .iter()
        .filter_map(|name| name.as_string())
    {
        if !want.has_attribute(&name) {
            let _ = have.remove_attribute(&name);
        }
    }
    for name in want
        .get_attribute_names()
        .iter()
        .filter_map(|name| name.as_string())
    {
        let value = want.get_attribute(&name).unwrap_or_default();
        if have.get_attribute(&name).as_deref() != Some(&value) {
            let _ = have.set_attribute(&name, &value);
        }
    }
}

/// The first sibling from `from` on that carries `id`.
fn find(from: Option<&Node>, id: &str) -> Option<Node> {
    let mut place = from.cloned();
    while let Some(node) = place {
        if id_of(&node).as_deref() == Some(id) {
            return Some(node);
        }
        place = node.next_sibling();
    }
    None
}

fn id_of(node: &Node) -> Option<String> {
    element(node)?.get_attribute("data-id")
}

fn same_kind(a: &Node, b: &Node) -> bool {
    a.node_type() == b.node_type() && a.node_name() == b.node_name()
}

fn element(node: &Node) -> Option<&Element> {
    use wasm_bindgen::JsCast;
    node.dyn_ref::<Element>()
}
