//! The best path, searched from both ends at once.
//!
//! One routine finds the shortest, the widest and the path of fewest hops: Dijkstra's from either
//! end (Pohl 1971), over any way to join costs for which a longer path is never better and a better
//! part makes a better whole. It ends when what is left at both ends cannot join to anything better
//! than what was found.

use super::{Network, Way};
use std::{cmp::Reverse, collections::BinaryHeap};

/// What a path costs; the smaller is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    /// What is measured.
    pub measured: u64,
    /// How many edges, which decides between equals.
    pub hops: u32,
}

/// How costs come about.
pub(super) trait Algebra {
    /// What an edge costs in one direction; absent if it is not to be used.
    fn of(&self, way: Way) -> Option<Cost>;

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
    /// From the origin, and from the destination.
    sides: [Side; 2],
    round: u32,
}

/// What was found from one end.
#[derive(Clone, Debug)]
struct Side {
    labels: Vec<Label>,
    queue: BinaryHeap<Reverse<(Cost, u32)>>,
}

/// How a node is reached best, as far as is known.
#[derive(Clone, Copy, Debug)]
struct Label {
    /// The search that this is of.
    round: u32,
    cost: Cost,
    /// The last way, in the direction of travel; of the end itself it says nothing.
    way: Way,
    /// The node before it, seen from this side's end.
    before: u32,
}

impl Side {
    fn new(nodes: u32) -> Self {
        let none = Label {
            round: 0,
            cost: Cost::default(),
            way: Way::new(0, true),
            before: u32::MAX,
        };
        Self {
            labels: vec![none; nodes as usize],
            queue: BinaryHeap::new(),
        }
    }

    /// What it costs to get to a node, if it was reached in this round.
    fn cost(&self, node: u32, round: u32) -> Option<Cost> {
        let label = &self.labels[node as usize];
        (label.round == round).then_some(label.cost)
    }

    fn least(&self) -> Option<Cost> {
        self.queue.peek().map(|Reverse((cost, _))| *cost)
    }

    /// The ways from this side's end to a node, nearest to the node first.
    fn ways(&self, mut node: u32) -> impl Iterator<Item = Way> {
        std::iter::from_fn(move || {
            let label = &self.labels[node as usize];
            (label.before != u32::MAX).then(|| {
                node = label.before;
                label.way
            })
        })
    }
}

impl<'a> Searcher<'a> {
    /// A searcher of this network.
    pub fn new(network: &'a Network) -> Self {
        let nodes = network.nodes();
        Self {
            network,
            blocked: Blocked::new(nodes),
            sides: [Side::new(nodes), Side::new(nodes)],
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
        self.begin(from, to);
        let round = self.round;
        let mut best: Option<(Cost, u32)> = None;
        loop {
            let (Some(ahead), Some(astern)) = (self.sides[0].least(), self.sides[1].least()) else {
                return best;
            };
            if best.is_some_and(|(cost, _)| A::join(ahead, astern) >= cost) {
                return best;
            }
            // The smaller front grows.
            let side = usize::from(self.sides[1].queue.len() < self.sides[0].queue.len());
            let [one, other] = &mut self.sides;
            let (here, there) = if side == 0 {
                (one, other)
            } else {
                (other, one)
            };
            let Some(Reverse((cost, node))) = here.queue.pop() else {
                return best;
            };
            if here.labels[node as usize].cost < cost {
                continue;
            }
            for arc in self.network.arcs(node) {
                let way = if side == 0 { arc.way } else { arc.way.back() };
                if self.blocked.node(arc.to) {
                    continue;
                }
                let leaves_first = if side == 0 { node } else { arc.to } == from;
                if leaves_first && self.blocked.first.contains(&way) {
                    continue;
                }
                let Some(price) = algebra.of(way) else {
                    continue;
                };
                let cost = A::join(cost, price);
                if here.cost(arc.to, round).is_some_and(|known| known <= cost) {
                    continue;
                }
                here.labels[arc.to as usize] = Label {
                    round,
                    cost,
                    way,
                    before: node,
                };
                here.queue.push(Reverse((cost, arc.to)));
                if let Some(rest) = there.cost(arc.to, round) {
                    let whole = A::join(cost, rest);
                    if best.is_none_or(|(best, _)| whole < best) {
                        best = Some((whole, arc.to));
                    }
                }
            }
        }
    }

    /// The ways of the path that the last search found, in order.
    pub(super) fn ways(&self, meeting: u32) -> Vec<Way> {
        let mut ways: Vec<_> = self.sides[0].ways(meeting).collect();
        ways.reverse();
        ways.extend(self.sides[1].ways(meeting));
        ways
    }

    fn begin(&mut self, from: u32, to: u32) {
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            for label in self.sides.iter_mut().flat_map(|side| &mut side.labels) {
                label.round = 0;
            }
            self.round = 1;
        }
        for (side, end) in self.sides.iter_mut().zip([from, to]) {
            side.queue.clear();
            side.labels[end as usize] = Label {
                round: self.round,
                cost: Cost::default(),
                way: Way::new(0, true),
                before: u32::MAX,
            };
            side.queue.push(Reverse((Cost::default(), end)));
        }
    }
}
