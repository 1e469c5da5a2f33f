//! What makes a path better than another, and loopless alternatives to the best.

use super::{Network, Searcher, Values, Way, search::Cost};
use std::{cmp::Reverse, collections::BinaryHeap};

/// What makes one path better than another. Of equals the one with fewer hops is better.
///
/// A way whose value is unknown is used where there is no path without such: those come last, ordered
/// by hops, for nothing else is known of them. The values are those of the network that is searched.
#[derive(Clone, Copy, Debug)]
pub enum Measure<'a> {
    /// The number of edges.
    Hops,
    /// The sum of the ways' lengths: the shorter is better.
    Shortest(&'a Values),
    /// The least of the ways' widths: the wider is better.
    Widest(&'a Values),
}

/// A path, which goes through no node twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// All nodes on it, both ends included.
    pub nodes: Vec<u32>,
    /// The ways between them.
    pub ways: Vec<Way>,
    /// The sum or the least of its ways' values, by the measure; with [`Measure::Hops`], their
    /// number. Absent if a value of it is unknown; the width of a path without ways is `u64::MAX`.
    pub value: Option<u64>,
}

/// Which path comes first: what is unknown comes last, then what is measured, then hops.
type Rank = (bool, Cost);

/// A cost that is less the wider a way is.
fn narrowness(width: u64) -> u64 {
    u64::MAX - width
}

impl Measure<'_> {
    /// The sum or the least of these ways' values, if all are known.
    fn value(&self, network: &Network, ways: &[Way]) -> Option<u64> {
        match self {
            Self::Hops => Some(ways.len() as u64),
            Self::Shortest(lengths) => ways.iter().try_fold(0_u64, |sum, &way| {
                Some(sum.saturating_add(network.value(lengths, way)?))
            }),
            Self::Widest(widths) => ways.iter().try_fold(u64::MAX, |least, &way| {
                Some(least.min(network.value(widths, way)?))
            }),
        }
    }

    /// The rank of a path of so many ways with this value.
    fn rank(&self, value: Option<u64>, hops: usize) -> Rank {
        let measured = match (self, value) {
            (Self::Hops, _) | (_, None) => 0,
            (Self::Shortest(_), Some(length)) => length,
            (Self::Widest(_), Some(width)) => narrowness(width),
        };
        (value.is_none(), Cost::new(measured, hops as u32))
    }
}

/// A path that is yet to be taken.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    rank: Rank,
    ways: Vec<Way>,
    /// Where it leaves the path that it was made from: what comes before was varied already.
    deviation: usize,
}

impl Searcher<'_> {
    /// The best path; none if there is none, or if either end is not in the network. From a node
    /// to itself it has no ways.
    pub fn best(&mut self, from: u32, to: u32, measure: Measure<'_>) -> Option<Path> {
        self.alternatives(from, to, measure, 1).pop()
    }

    /// The best paths, as many as there are up to `count`, the best first. No two of them use the
    /// same edges in the same order; two that differ by one of parallel edges are two.
    ///
    /// Yen's algorithm (1971): the next best path leaves one of those before it somewhere, and keeps
    /// to it until there. With Lawler's improvement (1972): each is varied only from where it left
    /// the one that it was made from, so no path is found twice.
    pub fn alternatives(
        &mut self,
        from: u32,
        to: u32,
        measure: Measure<'_>,
        count: usize,
    ) -> Vec<Path> {
        let nodes = self.network.nodes();
        let mut found: Vec<Path> = Vec::new();
        if from >= nodes || to >= nodes {
            return found;
        }
        let mut candidates = BinaryHeap::new();
        self.blocked.set(&[]);
        candidates.extend(self.candidate(from, to, measure, &[], 0));
        while found.len() < count
            && let Some(Reverse(Candidate {
                ways, deviation, ..
            })) = candidates.pop()
        {
            let path = Path {
                nodes: self.network.nodes_of(from, &ways),
                value: measure.value(self.network, &ways),
                ways,
            };
            found.push(path);
            if found.len() == count {
                break;
            }
            let path = &found[found.len() - 1];
            for at in deviation..path.ways.len() {
                let (root, spur) = (&path.ways[..at], path.nodes[at]);
                self.blocked.set(&path.nodes[..at]);
                let taken = found.iter().filter(|other| other.ways.starts_with(root));
                let first = taken.filter_map(|other| other.ways.get(at).copied());
                self.blocked.first.extend(first);
                candidates.extend(self.candidate(spur, to, measure, root, at));
            }
        }
        found
    }

    /// The best path from `spur` on, after `root`, without what is blocked.
    fn candidate(
        &mut self,
        spur: u32,
        to: u32,
        measure: Measure<'_>,
        root: &[Way],
        deviation: usize,
    ) -> Option<Reverse<Candidate>> {
        let rest = if spur == to {
            Vec::new()
        } else {
            self.rest(spur, to, measure, measure.value(self.network, root))?
        };
        let ways = [root, &rest].concat();
        Some(Reverse(Candidate {
            rank: measure.rank(measure.value(self.network, &ways), ways.len()),
            ways,
            deviation,
        }))
    }

    /// The best continuation of a path with this value so far.
    fn rest(
        &mut self,
        spur: u32,
        to: u32,
        measure: Measure<'_>,
        so_far: Option<u64>,
    ) -> Option<Vec<Way>> {
        let known = match (measure, so_far) {
            (Measure::Hops, _) | (_, None) => None,
            (Measure::Shortest(lengths), Some(_)) => self.shortest(lengths, spur, to),
            (Measure::Widest(widths), Some(so_far)) => {
                // First how wide: with hops counted at the same time, a part that is better by
                // itself can make a worse whole, since what is wide may not matter once something
                // else is narrow. Nor does what is wider than the path so far.
                self.width(widths, spur, to).and_then(|width| {
                    let least = width.min(so_far);
                    self.fewest(spur, to, |arc, direction| {
                        widths.of(arc, direction).is_some_and(|w| w >= least)
                    })
                })
            }
        };
        known.or_else(|| self.fewest(spur, to, |_, _| true))
    }
}

impl Network {
    /// The nodes on a path, both ends included.
    fn nodes_of(&self, from: u32, ways: &[Way]) -> Vec<u32> {
        let mut nodes = vec![from];
        nodes.extend(ways.iter().map(|&way| self.end(way)));
        nodes
    }
}
