//! A graph as the layouts read it: neighbours in one flat list.

/// An undirected simple graph in compressed rows.
pub(crate) struct Adjacency {
    start: Vec<u32>,
    to: Vec<u32>,
}

impl Adjacency {
    /// Loops, repeated edges and ends outside `0..nodes` are left out.
    pub fn new(nodes: usize, edges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for (a, b) in edges {
            if a != b && (a as usize) < nodes && (b as usize) < nodes {
                pairs.push((a, b));
                pairs.push((b, a));
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut start = vec![0u32; nodes + 1];
        for &(a, _) in &pairs {
            start[a as usize + 1] += 1;
        }
        for i in 0..nodes {
            start[i + 1] += start[i];
        }
        Self {
            start,
            to: pairs.into_iter().map(|(_, b)| b).collect(),
        }
    }

    pub fn len(&self) -> usize {
        self.start.len() - 1
    }

    pub fn of(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.to[self.start[node] as usize..self.start[node + 1] as usize]
    }

    /// Each edge once, the smaller end first.
    pub fn edges(&self) -> impl Iterator<Item = (u32, u32)> {
        (0..self.len() as u32)
            .flat_map(|a| self.of(a).iter().map(move |&b| (a, b)))
            .filter(|(a, b)| a < b)
    }

    /// Hops from `from` to each node; `u32::MAX` where there is no way.
    pub fn hops(&self, from: u32, hops: &mut Vec<u32>) {
        hops.clear();
        hops.resize(self.len(), u32::MAX);
        hops[from as usize] = 0;
        let mut queue = Vec::with_capacity(self.len());
        queue.push(from);
        let mut at = 0;
        while let Some(&node) = queue.get(at) {
            let next = hops[node as usize] + 1;
            for &other in self.of(node) {
                if hops[other as usize] == u32::MAX {
                    hops[other as usize] = next;
                    queue.push(other);
                }
            }
            at += 1;
        }
    }

    /// Hops from each of several nodes to each that it reaches: `found(node, which of those, hops)`,
    /// in no certain order.
    ///
    /// M. Then et al., *The More the Merrier: Efficient Multi-Source Graph Traversal*, VLDB 8 (2014):
    /// sixty-four searches go on at once, each a bit of a word, and share what they look at in the
    /// same round.
    pub fn hops_from_all(&self, from: &[u32], mut found: impl FnMut(u32, usize, u32)) {
        const TOGETHER: usize = u64::BITS as usize;
        // By whom each node is seen, by whom in this round, and by whom in the next.
        let mut seen = vec![0u64; self.len()];
        let (mut now, mut next) = (seen.clone(), seen.clone());
        let (mut line, mut next_line) = (Vec::new(), Vec::new());
        for (batch, from) in from.chunks(TOGETHER).enumerate() {
            seen.fill(0);
            for (k, &node) in from.iter().enumerate() {
                if next[node as usize] == 0 {
                    next_line.push(node);
                }
                next[node as usize] |= 1 << k;
            }
            let mut hops = 0;
            while !next_line.is_empty() {
                std::mem::swap(&mut line, &mut next_line);
                for &node in &line {
                    let mut new = std::mem::take(&mut next[node as usize]);
                    seen[node as usize] |= new;
                    now[node as usize] = new;
                    while new != 0 {
                        let k = new.trailing_zeros() as usize;
                        found(node, batch * TOGETHER + k, hops);
                        new &= new - 1;
                    }
                }
                for node in line.drain(..) {
                    let whose = now[node as usize];
                    for &other in self.of(node) {
                        let new = whose & !seen[other as usize];
                        if new != 0 {
                            if next[other as usize] == 0 {
                                next_line.push(other);
                            }
                            next[other as usize] |= new;
                        }
                    }
                }
                hops += 1;
            }
        }
    }

    /// A node from which the farthest is as near as can be; in a large graph nearly so. Of several
    /// the one with most neighbours, of these the first. The graph must not be empty.
    pub fn middle(&self) -> u32 {
        const SMALL: usize = 400;
        let mut hops = Vec::new();
        let candidates: Vec<u32> = if self.len() <= SMALL {
            (0..self.len() as u32).collect()
        } else {
            // The middle of a long shortest path, and what lies around it.
            let farthest = |hops: &[u32]| {
                (0..self.len() as u32)
                    .filter(|&i| hops[i as usize] != u32::MAX)
                    .max_by_key(|&i| (hops[i as usize], std::cmp::Reverse(i)))
                    .unwrap_or(0)
            };
            self.hops(0, &mut hops);
            let one = farthest(&hops);
            self.hops(one, &mut hops);
            let other = farthest(&hops);
            let mut middle = other;
            let length = hops[other as usize];
            while hops[middle as usize] > length / 2 {
                let back = |&&j: &&u32| hops[j as usize] + 1 == hops[middle as usize];
                match self.of(middle).iter().find(back) {
                    Some(&next) => middle = next,
                    None => break,
                }
            }
            let mut near = vec![middle];
            near.extend(self.of(middle).iter().take(60));
            near
        };
        let mut best = (u32::MAX, 0, 0);
        for i in candidates {
            self.hops(i, &mut hops);
            let far = hops.iter().copied().filter(|&h| h != u32::MAX).max();
            let key = (far.unwrap_or(0), usize::MAX - self.of(i).len(), i);
            if (key.0, key.1) < (best.0, best.1) || best.0 == u32::MAX {
                best = key;
            }
        }
        best.2
    }

    /// The hops between two nodes that are far from one another: at least half of the most.
    pub fn diameter(&self) -> u32 {
        let mut hops = Vec::new();
        let mut from = 0;
        let mut most = 0;
        for _ in 0..2 {
            self.hops(from, &mut hops);
            for (i, &h) in hops.iter().enumerate() {
                if h != u32::MAX && h > most {
                    (from, most) = (i as u32, h);
                }
            }
        }
        most
    }

    /// The connected components, each ascending, in the order of their first nodes.
    pub fn components(&self) -> Vec<Vec<u32>> {
        let mut seen = vec![false; self.len()];
        let mut all = Vec::new();
        for first in 0..self.len() as u32 {
            if seen[first as usize] {
                continue;
            }
            seen[first as usize] = true;
            let mut part = vec![first];
            let mut at = 0;
            while at < part.len() {
                for &other in self.of(part[at]) {
                    if !std::mem::replace(&mut seen[other as usize], true) {
                        part.push(other);
                    }
                }
                at += 1;
            }
            part.sort_unstable();
            all.push(part);
        }
        all
    }

    /// The graph among `nodes` (ascending), renumbered in their order.
    pub fn part(&self, nodes: &[u32]) -> Self {
        let mut start = Vec::with_capacity(nodes.len() + 1);
        let mut to = Vec::new();
        start.push(0);
        for &node in nodes {
            to.extend(
                self.of(node)
                    .iter()
                    .filter_map(|other| nodes.binary_search(other).ok().map(|i| i as u32)),
            );
            start.push(to.len() as u32);
        }
        Self { start, to }
    }
}
