//! How wide a path can be, searched from both ends at once without an order of all that is reached.
//!
//! What a path loses by its narrowest way it loses once. So there is one bound for both ends: where
//! ways are at least as wide, they are followed in any order; narrower ones wait. Only where an end
//! gets no farther does the bound fall, to the widest way that waits there, for every path must
//! leave by one of them. Where both ends meet, the bound is what is sought. (It is Prim's algorithm,
//! 1957, that keeps those in no order that need none.)

use super::{Searcher, Values};
use std::collections::BinaryHeap;

/// What is known at one end; it is kept from one search to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct End {
    /// Nodes that are reached and not looked at yet.
    line: Vec<u32>,
    /// Nodes that are reached by ways that are narrower than the bound was, the widest first.
    waiting: BinaryHeap<(u64, u32)>,
    /// Those since the bound fell, in no order: most are reached otherwise before it falls again.
    narrow: Vec<(u64, u32)>,
    /// How many nodes were reached.
    count: usize,
}

impl End {
    fn reach(&mut self, node: u32) {
        self.line.push(node);
        self.count += 1;
    }
}

impl Searcher<'_> {
    /// How wide the widest path between two different nodes is, without what is blocked.
    pub(super) fn width(&mut self, widths: &Values, from: u32, to: u32) -> Option<u64> {
        let ends = &mut self.ends;
        self.marks.begin();
        for (side, node) in [from, to].into_iter().enumerate() {
            ends[side].line.clear();
            ends[side].waiting.clear();
            ends[side].narrow.clear();
            ends[side].count = 0;
            self.marks.set(node, side);
            ends[side].reach(node);
        }
        let mut bound = u64::MAX;
        loop {
            // The end that has reached less goes on.
            let side = usize::from(ends[1].count < ends[0].count);
            let Some(node) = ends[side].line.pop() else {
                let End {
                    waiting, narrow, ..
                } = &mut ends[side];
                waiting.extend(
                    narrow
                        .drain(..)
                        .filter(|&(_, node)| !self.marks.of(node)[side]),
                );
                // None waits where nothing leads any farther.
                let (width, node) = waiting.pop()?;
                bound = bound.min(width);
                let is_reached = self.marks.of(node);
                if is_reached[1 - side] {
                    return Some(bound);
                }
                if !is_reached[side] {
                    self.marks.set(node, side);
                    ends[side].reach(node);
                }
                continue;
            };
            for (at, arc) in self.network.arcs(node) {
                let Some(width) = widths.of(at, side) else {
                    continue;
                };
                let is_reached = self.marks.of(arc.to);
                if is_reached[side] || self.blocked.arc(*arc, node, side, from) {
                    continue;
                }
                if width < bound {
                    ends[side].narrow.push((width, arc.to));
                } else if is_reached[1 - side] {
                    return Some(bound);
                } else {
                    self.marks.set(arc.to, side);
                    ends[side].reach(arc.to);
                }
            }
        }
    }
}
