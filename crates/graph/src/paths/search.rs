//! The shortest path, searched from both ends at once.
//!
//! Dijkstra's from either end (Pohl 1971). It ends when what is left at both ends cannot make up
//! anything better than what was found.

use super::{Network, Values, Way, hops::Hops, marks::Marks, network::Arc, width::End};
use std::{cmp::Reverse, collections::BinaryHeap};

/// What a path costs; the smaller is better. What is measured comes first, then how many edges it
/// has, which decides between equals.
///
/// One number, so that comparing two is one comparison: what is measured in the upper 64 bits, hops
/// in the 32 below, and in the lowest 32 nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost(u128);

impl Cost {
    pub fn new(measured: u64, hops: u32) -> Self {
        Self(u128::from(measured) << 64 | u128::from(hops) << 32)
    }

    pub fn sum(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// A node that was reached, as it waits for its turn: the least cost first, of equals the node with
/// the lowest number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Reached(u128);

impl Reached {
    fn new(cost: Cost, node: u32) -> Self {
        Self(cost.0 | u128::from(node))
    }

    fn cost(self) -> Cost {
        Cost(self.0 & !u128::from(u32::MAX))
    }

    fn node(self) -> u32 {
        self.0 as u32
    }
}

/// Nodes and ways that a search must not use.
#[derive(Clone, Debug, Default)]
pub(super) struct Blocked {
    /// Ways that leave the first node.
    pub first: Vec<Way>,
    /// The number of the last call that blocked each node.
    nodes: Vec<u32>,
    call: u32,
    /// Whether it blocked any.
    is_any: bool,
}

impl Blocked {
    fn new(nodes: u32) -> Self {
        Self {
            first: Vec::new(),
            nodes: vec![0; nodes as usize],
            call: 1,
            is_any: false,
        }
    }

    /// Blocks these nodes and no others, and no ways.
    pub fn set(&mut self, nodes: &[u32]) {
        self.first.clear();
        self.call = self.call.wrapping_add(1);
        if self.call == 0 {
            self.nodes.fill(0);
            self.call = 1;
        }
        for &node in nodes {
            self.nodes[node as usize] = self.call;
        }
        self.is_any = !nodes.is_empty();
    }

    /// Whether an arc of `node`, in one of its directions, is not to be used by a search that begins
    /// at `first`.
    pub fn arc(&self, arc: Arc, node: u32, direction: usize, first: u32) -> bool {
        if self.is_any && self.nodes[arc.to as usize] == self.call {
            return true;
        }
        let (leaves, way) = if direction == 0 {
            (node, arc.way)
        } else {
            (arc.to, arc.way.back())
        };
        leaves == first && self.first.contains(&way)
    }
}

/// Searches a network; it keeps its memory from one search to the next.
#[derive(Clone, Debug)]
pub struct Searcher<'a> {
    pub(super) network: &'a Network,
    pub(super) blocked: Blocked,
    /// How each node is reached from the origin, and from the destination: side by side, since both
    /// are looked at together.
    labels: Vec<[Label; 2]>,
    /// From the origin, and from the destination.
    fronts: [Front; 2],
    round: u32,
    pub(super) marks: Marks,
    pub(super) hops: Hops,
    pub(super) ends: [End; 2],
}

/// The nodes reached from one end whose turn is yet to come.
type Front = BinaryHeap<Reverse<Reached>>;

/// How a node is reached best from one end, as far as is known.
#[derive(Clone, Copy, Debug)]
struct Label {
    cost: Cost,
    /// The search that this is of.
    round: u32,
    /// The last way, in the direction of travel; of the end itself it says nothing.
    way: Way,
    /// The node before it, seen from this end.
    before: u32,
}

impl Label {
    /// What it costs to get there, if that was found in this round.
    fn cost(&self, round: u32) -> Option<Cost> {
        (self.round == round).then_some(self.cost)
    }
}

impl<'a> Searcher<'a> {
    /// A searcher of this network.
    pub fn new(network: &'a Network) -> Self {
        let nodes = network.nodes();
        let none = Label {
            cost: Cost::default(),
            round: 0,
            way: Way::new(0, true),
            before: u32::MAX,
        };
        Self {
            network,
            blocked: Blocked::new(nodes),
            labels: vec![[none; 2]; nodes as usize],
            fronts: Default::default(),
            round: 0,
            marks: Marks::new(nodes),
            hops: Hops::new(nodes),
            ends: Default::default(),
        }
    }

    /// The ways of the shortest path from one node to another without what is blocked; of equals, one
    /// of fewest hops.
    pub(super) fn shortest(&mut self, lengths: &Values, from: u32, to: u32) -> Option<Vec<Way>> {
        self.search(lengths, from, to)
            .map(|meeting| self.ways(meeting))
    }

    /// The node at which the two halves of the shortest path meet.
    fn search(&mut self, lengths: &Values, from: u32, to: u32) -> Option<u32> {
        self.begin(from, to);
        let round = self.round;
        let mut best: Option<(Cost, u32)> = None;
        loop {
            let [ahead, astern] = &self.fronts;
            let (Some(Reverse(least)), Some(Reverse(other))) = (ahead.peek(), astern.peek()) else {
                break;
            };
            if best.is_some_and(|(cost, _)| least.cost().sum(other.cost()) >= cost) {
                break;
            }
            // The smaller front grows.
            let side = usize::from(astern.len() < ahead.len());
            let Some(Reverse(reached)) = self.fronts[side].pop() else {
                break;
            };
            let node = reached.node();
            let cost = reached.cost();
            if self.labels[node as usize][side].cost < cost {
                continue;
            }
            for (at, arc) in self.network.arcs(node) {
                // What lies beside the arc is looked at first, and what is far away last.
                let Some(length) = lengths.of(at, side) else {
                    continue;
                };
                if self.blocked.arc(*arc, node, side, from) {
                    continue;
                }
                let cost = cost.sum(Cost::new(length, 1));
                let labels = &mut self.labels[arc.to as usize];
                if labels[side].cost(round).is_some_and(|known| known <= cost) {
                    continue;
                }
                labels[side] = Label {
                    cost,
                    round,
                    way: if side == 0 { arc.way } else { arc.way.back() },
                    before: node,
                };
                if let Some(rest) = labels[1 - side].cost(round) {
                    let whole = cost.sum(rest);
                    if best.is_none_or(|(best, _)| whole < best) {
                        best = Some((whole, arc.to));
                    }
                }
                self.fronts[side].push(Reverse(Reached::new(cost, arc.to)));
            }
        }
        best.map(|(_, meeting)| meeting)
    }

    /// The ways of the path that the last search found, in order.
    fn ways(&self, meeting: u32) -> Vec<Way> {
        let mut ways = self.ways_to_end(meeting, 0);
        ways.reverse();
        ways.extend(self.ways_to_end(meeting, 1));
        ways
    }

    /// The ways between a node and one of the ends, nearest to the node first.
    fn ways_to_end(&self, mut node: u32, side: usize) -> Vec<Way> {
        let mut ways = Vec::new();
        loop {
            let label = &self.labels[node as usize][side];
            if label.before == u32::MAX {
                return ways;
            }
            ways.push(label.way);
            node = label.before;
        }
    }

    fn begin(&mut self, from: u32, to: u32) {
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            for label in self.labels.iter_mut().flatten() {
                label.round = 0;
            }
            self.round = 1;
        }
        for (side, end) in [from, to].into_iter().enumerate() {
            self.labels[end as usize][side] = Label {
                cost: Cost::default(),
                round: self.round,
                way: Way::new(0, true),
                before: u32::MAX,
            };
            self.fronts[side].clear();
            self.fronts[side].push(Reverse(Reached::new(Cost::default(), end)));
        }
    }
}
