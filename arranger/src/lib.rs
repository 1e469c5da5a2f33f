//! The layouts for the page's worker: WebAssembly of its own, which is loaded with the first
//! layout that the server has not made. What is arranged how is `graph`'s.

use graph::{Diagram, Order};
use wasm_bindgen::prelude::wasm_bindgen;

/// Lays out a graph. `letter` is a diagram and an order in postcard, as the page writes it; the
/// answer is x and y of each node and then of each group, or empty if the letter cannot be read.
#[wasm_bindgen]
pub fn arrange(letter: &[u8]) -> Vec<f32> {
    let Ok((diagram, order)) = postcard::from_bytes::<(Diagram, Order)>(letter) else {
        return Vec::new();
    };
    let positions = order.carry_out(&diagram);
    let nodes = diagram.nodes.iter().map(|node| &node.id);
    let groups = diagram.groups.iter().map(|group| &group.id);
    nodes
        .chain(groups)
        .flat_map(|id| {
            let at = positions.get(id).copied().unwrap_or_default();
            [at.x, at.y]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::{Node, Point, Positions};

    #[test]
    fn a_letter_is_answered_in_its_order_and_garbage_with_nothing() {
        let node = |id: &str| Node {
            id: id.to_owned(),
            ..Node::default()
        };
        let diagram = Diagram {
            nodes: vec![node("b"), node("a")],
            ..Diagram::default()
        };
        let pin = Point { x: 700.0, y: -50.0 };
        let order = Order {
            pins: Positions::from([("a".to_owned(), pin)]),
            ..Order::default()
        };
        let letter = postcard::to_allocvec(&(&diagram, &order)).expect("plain data");
        let places = arrange(&letter);
        assert_eq!(places.len(), 4);
        assert_eq!(places[2..], [pin.x, pin.y]);
        assert!(arrange(&letter[1..]).is_empty());
    }
}
