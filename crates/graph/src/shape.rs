//! Sizes: of symbols, of text, of the room that a node takes with its label.
//!
//! Text is measured by a table of advance widths and never by asking a browser, so that the
//! server and the page agree. The table is that of a wide face (`DejaVu Sans`): text set in the
//! usual interface faces takes less room than estimated, never more.

use crate::{Diagram, Group, Node, NodeKind, Rect};

/// Font size of a node's label.
pub(crate) const NODE_TEXT: f32 = 12.0;
/// Font size of a box's heading.
pub(crate) const BOX_TEXT: f32 = 13.0;
/// Font size of an edge's label.
pub(crate) const EDGE_TEXT: f32 = 11.0;
/// How much wider bold text is.
pub(crate) const BOLD: f32 = 1.12;
/// Height of a line of text over its font size.
pub(crate) const LINE: f32 = 1.34;
/// Room between a symbol and the label below it.
pub(crate) const LABEL_GAP: f32 = 5.0;
/// Widest label of a node; longer ones end in an ellipsis.
const NODE_LABEL_MAX: f32 = 124.0;
/// Widest heading of a box.
const BOX_LABEL_MAX: f32 = 190.0;
/// Height of a box's head.
pub(crate) const HEAD: f32 = 36.0;
/// Room between a box's border and what is in it.
pub(crate) const PADDING: f32 = 16.0;
/// Smallest width of a box.
pub(crate) const BOX_WIDTH_MIN: f32 = 176.0;
/// Smallest height of a box.
pub(crate) const BOX_HEIGHT_MIN: f32 = 120.0;

/// Advance widths of U+0020 to U+007E in hundredths of the font size.
const ADVANCE: [u8; 95] = [
    32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 34, 34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75,
    79, 60, 79, 69, 63, 61, 73, 68, 99, 69, 61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35,
    63, 63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84,
];

/// Advance width of one character at font size 1.
fn advance(c: char) -> f32 {
    let code = c as u32;
    match code {
        0x20..=0x7e => f32::from(ADVANCE[(code - 0x20) as usize]) / 100.0,
        // Controls (written as nothing), combining marks and joiners take no room of their own.
        0..=0x1f | 0x7f..=0x9f | 0x300..=0x36f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0.0,
        // East Asian scripts and pictographs are full width.
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xff00..=0xff60 => {
            1.0
        }
        0x1_f000.. => 1.4,
        _ => 0.75,
    }
}

/// Width of `text` at font size `size`, estimated from a table of advance widths.
pub fn text_width(text: &str, size: f32) -> f32 {
    text.chars().map(advance).sum::<f32>() * size
}

/// `text` in one line of at most `max` width, ending in an ellipsis where it had to be cut.
fn shorten(text: &str, size: f32, max: f32) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let text = text.trim();
    let mut out = String::with_capacity(text.len().min(64));
    let mut width = 0.0;
    let room = max - advance('…') * size;
    for c in text.chars().map(clean) {
        width += advance(c) * size;
        // A zero-width flood has a length all the same.
        if width > max || out.len() > 256 {
            let mut kept = 0.0;
            let mut cut = String::new();
            for c in out.chars().take(64) {
                kept += advance(c) * size;
                if kept > room {
                    break;
                }
                cut.push(c);
            }
            let mut cut = cut.trim_end().to_owned();
            cut.push('…');
            return cut;
        }
        out.push(c);
    }
    out
}

/// What is written under a node.
pub(crate) fn node_text(node: &Node) -> String {
    shorten(&node.label, NODE_TEXT, NODE_LABEL_MAX)
}

/// What is written at the head of a box.
pub(crate) fn box_text(group: &Group) -> String {
    shorten(&group.label, BOX_TEXT, BOX_LABEL_MAX)
}

/// What is written on an edge.
pub(crate) fn edge_text(label: &str) -> String {
    shorten(label, EDGE_TEXT, NODE_LABEL_MAX)
}

/// Width and height of a symbol.
pub(crate) fn symbol(kind: NodeKind) -> (f32, f32) {
    match kind {
        NodeKind::Router => (40.0, 40.0),
        NodeKind::Host => (68.0, 48.0),
        NodeKind::Switch => (60.0, 34.0),
        NodeKind::Segment => (76.0, 14.0),
    }
}

/// The room that a node takes, label and all, seen from the centre of its symbol.
pub(crate) fn footprint(node: &Node) -> Rect {
    let (width, height) = symbol(node.kind);
    let text = node_text(node);
    let label = if text.is_empty() {
        0.0
    } else {
        text_width(&text, NODE_TEXT)
    };
    let below = if text.is_empty() {
        0.0
    } else {
        LABEL_GAP + NODE_TEXT * LINE
    };
    let wide = width.max(label.ceil());
    Rect {
        x: -wide / 2.0,
        y: -height / 2.0,
        width: wide,
        height: height + below,
    }
}

/// Half the room that a member of a box has to itself: to the sides, above and below the centre
/// of its symbol. One for all members, so that boxes of as many members are of one size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub half: f32,
    pub above: f32,
    pub below: f32,
}

impl Slot {
    /// The slot that fits every member of every group.
    pub fn of(diagram: &Diagram) -> Self {
        let mut slot = Self {
            half: 44.0,
            above: 20.0,
            below: 42.0,
        };
        for node in &diagram.nodes {
            if node
                .group
                .is_some_and(|group| (group as usize) < diagram.groups.len())
            {
                let room = footprint(node);
                slot.half = slot.half.max((room.width / 2.0 / 4.0).ceil() * 4.0 + 4.0);
                slot.above = slot.above.max(-room.y);
                slot.below = slot.below.max(room.y + room.height);
            }
        }
        slot.above = slot.above.ceil();
        slot.below = slot.below.ceil();
        slot
    }

    /// From one member to its neighbour on the right.
    pub fn step_x(self) -> f32 {
        self.half * 2.0 + 8.0
    }

    /// From one member to the one below it.
    pub fn step_y(self) -> f32 {
        self.above + self.below + 28.0
    }

    /// How far the middle of the members' centres lies below the middle of their box.
    pub fn drop(self) -> f32 {
        (self.above - self.below + HEAD - PADDING * 0.25) / 2.0
    }
}

/// The box around members whose symbols' centres lie within `members`, or around nothing but a
/// heading of this width.
pub(crate) fn box_around(members: Rect, slot: Slot, heading: f32) -> Rect {
    let width = (members.width + 2.0 * (slot.half + PADDING))
        .max(heading + 76.0)
        .max(BOX_WIDTH_MIN);
    let mut rect = Rect {
        x: members.x + members.width / 2.0 - width / 2.0,
        y: members.y - slot.above - PADDING * 0.75 - HEAD,
        width,
        height: members.height + slot.above + slot.below + HEAD + PADDING * 1.75,
    };
    if rect.height < BOX_HEIGHT_MIN {
        rect.y -= (BOX_HEIGHT_MIN - rect.height) / 2.0;
        rect.height = BOX_HEIGHT_MIN;
    }
    rect
}

/// Width of a box's heading.
pub(crate) fn heading_width(group: &Group) -> f32 {
    (text_width(&box_text(group), BOX_TEXT) * BOLD).ceil()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_measured_and_cut_to_fit() {
        assert!(text_width("mmmm", 12.0) > 2.0 * text_width("iiii", 12.0));
        assert_eq!(shorten("edge-01", 12.0, 124.0), "edge-01");
        let cut = shorten(&"w".repeat(500), 12.0, 124.0);
        assert!(
            cut.ends_with('…') && text_width(&cut, 12.0) <= 124.0,
            "{cut}"
        );
        let flood = shorten(&"\u{301}".repeat(9000), 12.0, 124.0);
        assert!(flood.len() < 300);
        assert_eq!(shorten("a\nb\u{7}", 12.0, 124.0), "a b ");
    }
}
