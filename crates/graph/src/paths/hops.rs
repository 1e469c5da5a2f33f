//! The path of fewest hops over what may be used, searched from both ends at once.
//!
//! Breadth first: nodes are reached in the order of their hops, so whoever is reached is reached
//! best, and most that is looked at is one mark.

use super::{Searcher, Way};
use std::collections::VecDeque;

/// What a search for the fewest hops remembers from one to the next.
#[derive(Clone, Debug)]
pub(super) struct Hops {
    /// How each node that is marked is reached from the origin, and from the destination.
    steps: Vec<[Step; 2]>,
    /// The nodes reached from each end whose turn is yet to come.
    lines: [VecDeque<u32>; 2],
}

#[derive(Clone, Copy, Debug)]
struct Step {
    hops: u32,
    /// The last way, in the direction of travel; of the end itself it says nothing.
    way: Way,
}

impl Hops {
    pub fn new(nodes: u32) -> Self {
        let nowhere = Step {
            hops: 0,
            way: Way::new(0, true),
        };
        Self {
            steps: vec![[nowhere; 2]; nodes as usize],
            lines: Default::default(),
        }
    }
}

impl Searcher<'_> {
    /// The ways of a path of fewest hops between two different nodes, without what is blocked, over
    /// arcs that are `usable` in the direction of travel (0 leads away from an arc's own node).
    pub(super) fn fewest(
        &mut self,
        from: u32,
        to: u32,
        usable: impl Fn(usize, usize) -> bool,
    ) -> Option<Vec<Way>> {
        let Hops { steps, lines } = &mut self.hops;
        self.marks.begin();
        for (side, end) in [from, to].into_iter().enumerate() {
            self.marks.set(end, side);
            steps[end as usize][side].hops = 0;
            lines[side].clear();
            lines[side].push_back(end);
        }
        let mut best: Option<(u32, u32)> = None;
        while let [Some(&ahead), Some(&astern)] = [lines[0].front(), lines[1].front()] {
            let least = steps[ahead as usize][0].hops + steps[astern as usize][1].hops;
            if best.is_some_and(|(hops, _)| least >= hops) {
                break;
            }
            // The smaller front grows.
            let side = usize::from(lines[1].len() < lines[0].len());
            let node = [ahead, astern][side];
            lines[side].pop_front();
            let hops = steps[node as usize][side].hops + 1;
            for (at, arc) in self.network.arcs(node) {
                // What lies beside the arc is looked at first, and what is far away last.
                if !usable(at, side) {
                    continue;
                }
                let reached = self.marks.of(arc.to);
                if reached[side] || self.blocked.arc(*arc, node, side, from) {
                    continue;
                }
                self.marks.set(arc.to, side);
                let steps = &mut steps[arc.to as usize];
                let way = if side == 0 { arc.way } else { arc.way.back() };
                steps[side] = Step { hops, way };
                if reached[1 - side] {
                    let whole = hops + steps[1 - side].hops;
                    if best.is_none_or(|(best, _)| whole < best) {
                        best = Some((whole, arc.to));
                    }
                }
                lines[side].push_back(arc.to);
            }
        }
        best.map(|(_, meeting)| self.hops_through(from, meeting, to))
    }

    /// The ways of the path through a node that the last search reached from both ends.
    fn hops_through(&self, from: u32, meeting: u32, to: u32) -> Vec<Way> {
        let way = |node: u32, side: usize| self.hops.steps[node as usize][side].way;
        let mut ways = Vec::new();
        let mut node = meeting;
        while node != from {
            ways.push(way(node, 0));
            node = self.network.end(way(node, 0).back());
        }
        ways.reverse();
        node = meeting;
        while node != to {
            ways.push(way(node, 1));
            node = self.network.end(way(node, 1));
        }
        ways
    }
}
