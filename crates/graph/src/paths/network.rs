//! A multigraph in compressed sparse rows.

/// An undirected multigraph whose edges may count differently in either direction.
///
/// Nodes and edges are numbered from 0 in the order in which they are given.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Where the arcs of each node begin, and where those of the last end.
    starts: Vec<u32>,
    /// All arcs, by the node that they leave.
    arcs: Vec<Arc>,
    /// Both ends of each edge.
    edges: Vec<(u32, u32)>,
}

/// An edge as one of its ends sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arc {
    /// The other end.
    pub to: u32,
    /// The edge, in the direction that leads there.
    pub way: Way,
}

/// An edge in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Way(u32);

impl Way {
    /// An edge from its first end to its second, or back.
    pub fn new(edge: u32, forward: bool) -> Self {
        Self(edge << 1 | u32::from(!forward))
    }

    /// The edge.
    pub fn edge(self) -> u32 {
        self.0 >> 1
    }

    /// Whether it leads from the edge's first end to its second.
    pub fn is_forward(self) -> bool {
        self.0 & 1 == 0
    }

    /// The same edge in the other direction.
    #[must_use]
    pub fn back(self) -> Self {
        Self(self.0 ^ 1)
    }

    /// Where it stands among all ways: two for each edge, forward first.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Network {
    /// Lays out `nodes` nodes and the edges between them. An edge to a node that is not there, and
    /// one from a node to itself, is counted and used by no path.
    pub fn new(nodes: u32, edges: &[(u32, u32)]) -> Self {
        let usable = |&(a, b): &(u32, u32)| a < nodes && b < nodes && a != b;
        let mut starts = vec![0; nodes as usize + 1];
        for (a, b) in edges.iter().copied().filter(usable) {
            starts[a as usize + 1] += 1;
            starts[b as usize + 1] += 1;
        }
        for node in 1..starts.len() {
            starts[node] += starts[node - 1];
        }
        let nowhere = Arc { to: 0, way: Way(0) };
        let mut arcs = vec![nowhere; starts[nodes as usize] as usize];
        let mut next = starts.clone();
        for (edge, (a, b)) in (0..).zip(edges.iter().copied()) {
            if !usable(&(a, b)) {
                continue;
            }
            for (from, to, forward) in [(a, b, true), (b, a, false)] {
                let place = &mut next[from as usize];
                let way = Way::new(edge, forward);
                arcs[*place as usize] = Arc { to, way };
                *place += 1;
            }
        }
        Self {
            starts,
            arcs,
            edges: edges.to_vec(),
        }
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> u32 {
        self.starts.len().saturating_sub(1) as u32
    }

    /// How many edges there are.
    pub fn edges(&self) -> u32 {
        self.edges.len() as u32
    }

    /// The node that a way leads to.
    pub(super) fn end(&self, way: Way) -> u32 {
        let (a, b) = self.edges[way.edge() as usize];
        if way.is_forward() { b } else { a }
    }

    /// The value of every way, laid out for searching; of some it may be unknown.
    pub fn values(&self, mut of: impl FnMut(Way) -> Option<u64>) -> Values {
        let mut value = |way| of(way).map_or(UNKNOWN, |value| value.min(UNKNOWN - 1));
        let arcs = self.arcs.iter();
        Values(
            arcs.map(|arc| [value(arc.way), value(arc.way.back())])
                .collect(),
        )
    }

    /// The arcs that leave a node, with their places among all.
    pub(super) fn arcs(&self, node: u32) -> impl Iterator<Item = (usize, &Arc)> {
        let start = self.starts[node as usize] as usize;
        let end = self.starts[node as usize + 1] as usize;
        (start..).zip(&self.arcs[start..end])
    }

    /// The value of a way.
    pub(super) fn value(&self, values: &Values, way: Way) -> Option<u64> {
        let from = self.end(way.back());
        let (at, _) = self.arcs(from).find(|(_, arc)| arc.way == way)?;
        values.of(at, 0)
    }
}

/// A value of each way of a network, side by side with its arcs: each in the arc's own direction,
/// and back. See [`Network::values`].
#[derive(Clone, Debug)]
pub struct Values(Vec<[u64; 2]>);

/// Stands for a value that is not known; nothing that is known is as much.
const UNKNOWN: u64 = u64::MAX;

impl Values {
    /// The value of an arc in one of its directions, if it is known.
    pub(super) fn of(&self, arc: usize, direction: usize) -> Option<u64> {
        let value = self.0.get(arc)?[direction];
        (value != UNKNOWN).then_some(value)
    }
}
