//! The best path, searched from both ends at once.
//!
//! One routine finds the shortest, the widest and the path of fewest hops: Dijkstra's from either
//! end (Pohl 1971), over any way to join costs for which a longer path is never better and a better
//! part makes a better whole. It ends when what is left at both ends cannot join to anything better
//! than what was found.

use super::{Network, Way};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

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

    pub fn measured(self) -> u64 {
        (self.0 >> 64) as u64
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

/// How costs come about.
pub(super) trait Algebra {
    /// Whether every edge costs the same: then nodes are reached in the order of their costs.
    const EVEN: bool;

    /// What an arc costs, by its place in the network; absent if it is not to be used. Of its two
    /// directions 0 leads away from the node that it belongs to.
    fn of(&self, arc: usize, direction: usize) -> Option<Cost>;

    /// What two parts of a path cost together; joining [`Cost::default`] changes nothing.
    fn join(a: Cost, b: Cost) -> Cost;
}

/// Nodes and ways that a search must not use.
#[derive(Clone, Debug, Default)]
pub(super) struct Blocked {
    /// Ways that leave the first node.
    pub first: Vec<Way>,
    /// The number of the last call that blocked each node.
    nodes: Vec<u32>,
    call: u32,
}

impl Blocked {
    fn new(nodes: u32) -> Self {
        Self {
            first: Vec::new(),
            nodes: vec![0; nodes as usize],
            call: 1,
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
    }

    fn node(&self, node: u32) -> bool {
        self.nodes[node as usize] == self.call
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
}

/// The nodes reached from one end whose turn is yet to come: in a heap, or, where edges cost the
/// same, in a line.
#[derive(Clone, Debug, Default)]
struct Front {
    heap: BinaryHeap<Reverse<Reached>>,
    line: VecDeque<Reached>,
}

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

impl Front {
    fn clear(&mut self) {
        self.heap.clear();
        self.line.clear();
    }

    fn push<A: Algebra>(&mut self, reached: Reached) {
        if A::EVEN {
            self.line.push_back(reached);
        } else {
            self.heap.push(Reverse(reached));
        }
    }

    fn pop<A: Algebra>(&mut self) -> Option<Reached> {
        if A::EVEN {
            self.line.pop_front()
        } else {
            self.heap.pop().map(|Reverse(reached)| reached)
        }
    }

    fn least<A: Algebra>(&self) -> Option<Cost> {
        let first = if A::EVEN {
            self.line.front()
        } else {
            self.heap.peek().map(|Reverse(reached)| reached)
        };
        first.map(|reached| reached.cost())
    }

    fn len(&self) -> usize {
        self.heap.len() + self.line.len()
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
        }
    }

    /// The least cost from one node to another without what is blocked, and the node at which the
    /// two halves of that path meet: [`Self::ways`] tells the path.
    pub(super) fn search<A: Algebra>(
        &mut self,
        algebra: &A,
        from: u32,
        to: u32,
    ) -> Option<(Cost, u32)> {
        self.begin::<A>(from, to);
        let round = self.round;
        let mut best: Option<(Cost, u32)> = None;
        loop {
            let [ahead, astern] = &self.fronts;
            let (Some(least), Some(other)) = (ahead.least::<A>(), astern.least::<A>()) else {
                return best;
            };
            if best.is_some_and(|(cost, _)| A::join(least, other) >= cost) {
                return best;
            }
            // The smaller front grows.
            let side = usize::from(astern.len() < ahead.len());
            let Some(reached) = self.fronts[side].pop::<A>() else {
                return best;
            };
            let node = reached.node();
            let cost = reached.cost();
            if self.labels[node as usize][side].cost < cost {
                continue;
            }
            for (at, arc) in self.network.arcs(node) {
                if self.blocked.node(arc.to) {
                    continue;
                }
                let way = if side == 0 { arc.way } else { arc.way.back() };
                let leaves_first = from == if side == 0 { node } else { arc.to };
                if leaves_first && self.blocked.first.contains(&way) {
                    continue;
                }
                let Some(price) = algebra.of(at, side) else {
                    continue;
                };
                let cost = A::join(cost, price);
                let labels = &mut self.labels[arc.to as usize];
                if labels[side].cost(round).is_some_and(|known| known <= cost) {
                    continue;
                }
                labels[side] = Label {
                    cost,
                    round,
                    way,
                    before: node,
                };
                if let Some(rest) = labels[1 - side].cost(round) {
                    let whole = A::join(cost, rest);
                    if best.is_none_or(|(best, _)| whole < best) {
                        best = Some((whole, arc.to));
                    }
                }
                self.fronts[side].push::<A>(Reached::new(cost, arc.to));
            }
        }
    }

    /// The ways of the path that the last search found, in order.
    pub(super) fn ways(&self, meeting: u32) -> Vec<Way> {
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

    fn begin<A: Algebra>(&mut self, from: u32, to: u32) {
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
            self.fronts[side].push::<A>(Reached::new(Cost::default(), end));
        }
    }
}
