//! From the scene to what the graphics processor reads: a few 32-bit words a thing. Pure.
//!
//! | buffer | words |
//! |---|---|
//! | nodes | centre x, y, half width, half height, style, colour |
//! | boxes | x, y, width, height, style, colour, load |
//! | edges | eight for the curve's points, width, colour of either half, style |
//!
//! Coordinates are `f32`, colours RGBA with red in the lowest byte, styles the bits below.

use super::look::{Look, Mark};
use graph::{
    Diagram, EdgeKind, EdgeState, Facts, NodeKind, NodeState, Scene, SceneBox, SceneEdge, SceneNode,
};

/// Words of a node.
pub const NODE: usize = 6;
/// Words of a box.
pub const BOX: usize = 7;
/// Words of an edge.
pub const EDGE: usize = 12;

/// Bits of a node's and a box's style above its kind (bits 0–3) and state (bits 4–7).
pub mod style {
    /// What is known is old.
    pub const STALE: u32 = 1 << 8;
    /// The reader looks at other things.
    pub const DIM: u32 = 1 << 9;
    /// Selected, or one of those that were sought.
    pub const RING: u32 = 1 << 10;
    /// Under the pointer or with the keyboard's focus.
    pub const HALO: u32 = 1 << 11;
    /// The colour is another than the state's.
    pub const TINTED: u32 = 1 << 12;
    /// It is in a box: from afar the box speaks for it.
    pub const BOXED: u32 = 1 << 13;
    /// It is being moved to another host.
    pub const MOVING: u32 = 1 << 14;
    /// It is a host in maintenance.
    pub const MAINTENANCE: u32 = 1 << 15;
}

/// Bits of an edge's style.
pub mod course {
    /// Dashed: it is down.
    pub const DASHED: u32 = 1;
    /// Dotted: nobody knows.
    pub const DOTTED: u32 = 2;
    /// A clear strip around it.
    pub const CASING: u32 = 4;
    /// A broad mark under it.
    pub const GLOW: u32 = 8;
    /// Each half has a colour of its own and a tip in the middle.
    pub const HALVES: u32 = 16;
    /// An arrow from the first end to the second.
    pub const FORTH: u32 = 32;
    /// An arrow from the second end to the first.
    pub const BACK: u32 = 64;
    /// Its dashes run towards the second end.
    pub const FLOWING: u32 = 128;
}

/// The lines in the order of painting: cables below the boxes, the others above them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// [`EDGE`] words each.
    pub words: Vec<u32>,
    /// How many: straight cables, bent cables, other straight lines, other bent lines.
    pub counts: [usize; 4],
    /// Where each edge of the scene went.
    pub slots: Vec<u32>,
}

/// The nodes, in the scene's order.
pub fn nodes(diagram: &Diagram, scene: &Scene, look: &Look) -> Vec<u32> {
    let each = scene.nodes.iter();
    each.flat_map(|one| node(diagram, one, look)).collect()
}

/// One node.
pub fn node(diagram: &Diagram, one: &SceneNode, look: &Look) -> [u32; NODE] {
    let (state_of, is_stale, notable) = diagram
        .nodes
        .get(one.node as usize)
        .map_or((NodeState::Unknown, true, 0), |node| {
            (node.state, node.stale, notable(&node.facts))
        });
    let mark = look.node(one.node);
    let boxed = if one.group.is_some() { style::BOXED } else { 0 };
    [
        one.center.x.to_bits(),
        one.center.y.to_bits(),
        (one.width / 2.0).to_bits(),
        (one.height / 2.0).to_bits(),
        kind(one.kind) | state(state_of) | stale(is_stale) | marks(mark) | boxed | notable,
        mark.colour.unwrap_or_default(),
    ]
}

/// The boxes, in the scene's order.
pub fn boxes(diagram: &Diagram, scene: &Scene, look: &Look) -> Vec<u32> {
    let each = scene.boxes.iter();
    each.flat_map(|one| group(diagram, one, look)).collect()
}

/// One box.
pub fn group(diagram: &Diagram, one: &SceneBox, look: &Look) -> [u32; BOX] {
    let (state_of, is_stale, notable) = diagram
        .groups
        .get(one.group as usize)
        .map_or((NodeState::Unknown, true, 0), |group| {
            (group.state, group.stale, notable(&group.facts))
        });
    let mark = look.group(one.group);
    [
        one.rect.x.to_bits(),
        one.rect.y.to_bits(),
        one.rect.width.to_bits(),
        one.rect.height.to_bits(),
        kind(NodeKind::Host) | state(state_of) | stale(is_stale) | marks(mark) | notable,
        mark.colour.unwrap_or_default(),
        mark.load.unwrap_or(-1.0).to_bits(),
    ]
}

/// The lines. `colours` are those of cables, links, taps, of what is down and of what is moved.
pub fn lines(scene: &Scene, look: &Look, colours: [u32; 5]) -> Lines {
    let layer = |one: &SceneEdge| {
        usize::from(one.kind != EdgeKind::Physical) * 2 + usize::from(!one.curve.straight)
    };
    let mut counts = [0; 4];
    for one in &scene.edges {
        counts[layer(one)] += 1;
    }
    let mut next = [0; 4];
    for k in 1..4 {
        next[k] = next[k - 1] + counts[k - 1];
    }
    let mut words = vec![0; scene.edges.len() * EDGE];
    let mut slots = Vec::with_capacity(scene.edges.len());
    for one in &scene.edges {
        let slot = &mut next[layer(one)];
        words[*slot * EDGE..][..EDGE].copy_from_slice(&line(one, look, colours));
        slots.push(*slot as u32);
        *slot += 1;
    }
    Lines {
        words,
        counts,
        slots,
    }
}

/// One line.
pub fn line(
    one: &SceneEdge,
    look: &Look,
    [cable, link, tap, down, moved]: [u32; 5],
) -> [u32; EDGE] {
    let mark = look.edge(one.edge);
    let own = match (one.state, one.kind) {
        (EdgeState::Down, _) => down,
        (_, EdgeKind::Physical) => cable,
        (_, EdgeKind::Virtual) => link,
        (_, EdgeKind::Attachment) => tap,
        (_, EdgeKind::Migration) => moved,
    };
    let mut style = match one.state {
        EdgeState::Up => 0,
        EdgeState::Down => course::DASHED,
        EdgeState::Unknown => course::DOTTED,
    };
    if one.kind != EdgeKind::Physical {
        style |= course::CASING;
    }
    if one.kind == EdgeKind::Migration {
        style |= course::DASHED | course::FLOWING | course::FORTH;
    }
    let (mut first, mut second) = (own, own);
    if let Some(halves) = mark.halves {
        (first, second) = (halves[0], halves[1]);
        style |= course::HALVES;
    }
    if mark.ring || mark.halo {
        style |= course::GLOW;
    }
    style |= match mark.forth {
        Some(true) => course::FORTH,
        Some(false) => course::BACK,
        None => 0,
    };
    if mark.dim {
        (first, second) = (faint(first), faint(second));
    }
    let mut words = [0; EDGE];
    for (word, point) in words.chunks_exact_mut(2).zip(one.curve.points) {
        word.copy_from_slice(&[point.x.to_bits(), point.y.to_bits()]);
    }
    words[8..].copy_from_slice(&[one.width.to_bits(), first, second, style]);
    words
}

/// The colour with a fifth of its opacity.
fn faint(colour: u32) -> u32 {
    let alpha = (colour >> 24) / 5;
    (colour & 0x00ff_ffff) | (alpha << 24)
}

fn kind(kind: NodeKind) -> u32 {
    match kind {
        NodeKind::Router => 0,
        NodeKind::Host => 1,
        NodeKind::Switch => 2,
        NodeKind::Segment => 3,
    }
}

fn state(state: NodeState) -> u32 {
    let state = match state {
        NodeState::Running => 0,
        NodeState::Paused => 1,
        NodeState::Stopping | NodeState::Stopped => 2,
        NodeState::Failed => 3,
        NodeState::Unknown => 4,
        NodeState::Neutral => 5,
    };
    state << 4
}

fn notable(facts: &Facts) -> u32 {
    let moving = !facts.moving_to.is_empty();
    let maintenance = facts.maintenance.is_some();
    (u32::from(moving) * style::MOVING) | (u32::from(maintenance) * style::MAINTENANCE)
}

fn stale(stale: bool) -> u32 {
    if stale { style::STALE } else { 0 }
}

fn marks(mark: Mark) -> u32 {
    let mut bits = 0;
    for (set, bit) in [
        (mark.dim, style::DIM),
        (mark.ring, style::RING),
        (mark.halo, style::HALO),
        (mark.colour.is_some(), style::TINTED),
    ] {
        if set {
            bits |= bit;
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::{Edge, End, Node, Positions, Thing};

    fn drawn() -> (Diagram, Scene) {
        let diagram = Diagram {
            nodes: (0..3)
                .map(|n| Node {
                    id: format!("n{n}"),
                    state: NodeState::Failed,
                    stale: n == 2,
                    ..Node::default()
                })
                .collect(),
            edges: [
                (0, 1, EdgeKind::Virtual),
                (1, 2, EdgeKind::Physical),
                (0, 1, EdgeKind::Virtual),
            ]
            .into_iter()
            .map(|(a, b, kind)| Edge {
                a: End::Node(a),
                b: End::Node(b),
                kind,
                ..Edge::default()
            })
            .collect(),
            groups: Vec::new(),
        };
        let positions: Positions = (0..3)
            .map(|n| {
                let at = graph::Point {
                    x: n as f32 * 300.0,
                    y: 0.0,
                };
                (format!("n{n}"), at)
            })
            .collect();
        let scene = Scene::new(&diagram, &positions);
        (diagram, scene)
    }

    #[test]
    fn cables_come_first_and_no_line_is_lost() {
        let (_, scene) = drawn();
        let mut look = Look::default();
        look.mark(Thing::Edge(1), |mark| mark.dim = true);
        let lines = lines(&scene, &look, [0xff00_0001, 2, 3, 4, 5]);
        assert_eq!(lines.counts.iter().sum::<usize>(), 3);
        assert_eq!(lines.counts[0], 1, "one straight cable");
        assert_eq!(lines.words.len(), 3 * EDGE);
        assert_eq!(lines.slots[1], 0);
        // The cable is dimmed, the others are not.
        assert_eq!(lines.words[9], 0x3300_0001);
        assert_eq!(lines.words[EDGE + 9], 2);
        assert_eq!(lines.words[EDGE + 11] & course::CASING, course::CASING);
    }

    #[test]
    fn what_is_moved_flows_above_the_boxes() {
        let (mut diagram, _) = drawn();
        diagram.nodes[0].facts.moving_to = "h2".into();
        diagram.edges[1].kind = EdgeKind::Migration;
        let positions: Positions = (0..3)
            .map(|n| {
                let x = n as f32 * 300.0;
                (format!("n{n}"), graph::Point { x, y: 0.0 })
            })
            .collect();
        let scene = Scene::new(&diagram, &positions);
        let look = Look::default();
        let lines = lines(&scene, &look, [1, 2, 3, 4, 5]);
        assert_eq!(lines.counts[..2], [0, 0], "none is below the boxes");
        let words = &lines.words[lines.slots[1] as usize * EDGE..][..EDGE];
        assert_eq!(words[9], 5);
        let style = words[11];
        assert!(style & course::DASHED != 0 && style & course::FLOWING != 0);
        assert!(nodes(&diagram, &scene, &look)[4] & style::MOVING != 0);
    }

    #[test]
    fn a_node_says_what_it_is() {
        let (diagram, scene) = drawn();
        let mut look = Look::default();
        look.mark(Thing::Node(2), |mark| {
            mark.ring = true;
            mark.colour = Some(7);
        });
        let words = nodes(&diagram, &scene, &look);
        assert_eq!(words.len(), 3 * NODE);
        assert_eq!(words[4], 3 << 4);
        assert_eq!(
            words[2 * NODE + 4],
            3 << 4 | style::STALE | style::RING | style::TINTED
        );
        assert_eq!(words[2 * NODE + 5], 7);
        assert_eq!(words[2 * NODE], 600.0f32.to_bits());
    }
}
