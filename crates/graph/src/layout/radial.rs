//! On rings around the middle of the graph: what is so many hops away, and which way it hangs.
//!
//! - P. Eades, *Drawing Free Trees*, Bull. Inst. Combinatorics Appl. 5 (1992): a subtree gets a
//!   wedge that grows with what is in it.
//! - G. J. Wills, *`NicheWorks`: Interactive Visualization of Very Large Graphs*, JCGS 8 (1999): the
//!   tree is that of a breadth-first search from the middle; the other lines only help to order
//!   the branches.

use super::adjacency::Adjacency;
use super::trigonometry::hand;
use crate::{Point, Rect};

/// How many times its length what is on a ring may take before the ring is folded.
const CROWDED: f32 = 1.3;
/// Rounds in which the branches are put in order.
const ROUNDS: usize = 6;

/// Places around the origin, for a connected graph; a ring is at least `spread` from the next.
pub(crate) fn place(graph: &Adjacency, shapes: &[Rect], spread: f32) -> Vec<Point> {
    let n = graph.len();
    let mut points = vec![Point::default(); n];
    if n < 2 {
        return points;
    }
    let tree = Tree::of(graph, graph.middle());
    let size = |i: u32| {
        let s = shapes[i as usize];
        (s.width * s.width + s.height * s.height).sqrt() + 8.0
    };
    // Each ring is clear of the one within. One that is too short for all that is on it becomes
    // several, close together, on which neighbours take turns.
    let deepest = tree.depth.iter().copied().max().unwrap_or(0) as usize;
    let (mut thick, mut length) = (vec![0.0f32; deepest + 1], vec![0.0f32; deepest + 1]);
    for i in 0..n as u32 {
        let ring = tree.depth[i as usize] as usize;
        thick[ring] = thick[ring].max(size(i));
        length[ring] += size(i);
    }
    let (mut radius, mut folds) = (vec![0.0f32; deepest + 1], vec![1usize; deepest + 1]);
    for ring in 1..=deepest {
        let within = radius[ring - 1] + (folds[ring - 1] - 1) as f32 * thick[ring - 1];
        let least = within + f32::midpoint(thick[ring - 1], thick[ring]) + spread * 0.4;
        let turns = |folds: usize, radius: f32| {
            length[ring] / folds as f32 / radius / std::f32::consts::TAU
        };
        while turns(folds[ring], least) > CROWDED {
            folds[ring] += 1;
        }
        radius[ring] = least * turns(folds[ring], least).max(1.0);
    }
    // What each subtree needs, in turns: its own room on its ring or that of its branches.
    let mut need = vec![0.0f32; n];
    for round in 0.. {
        for &i in tree.order.iter().rev() {
            let branches: f32 = tree.branches(i).map(|j| need[j as usize]).sum();
            let depth = tree.depth[i as usize] as usize;
            let own = if depth > 0 {
                size(i) / folds[depth] as f32 / radius[depth] / std::f32::consts::TAU
            } else {
                0.0
            };
            need[i as usize] = branches.max(own);
        }
        let all = need[tree.order[0] as usize];
        if all <= 1.0 || round == 8 {
            break;
        }
        for r in &mut radius {
            *r *= all * 1.01;
        }
    }
    let mut branches: Vec<Vec<u32>> = (0..n as u32).map(|i| tree.branches(i).collect()).collect();
    let mut turn = vec![0.0f32; n];
    for _ in 0..ROUNDS {
        deal(&tree, &branches, &need, &mut turn);
        for i in 0..n as u32 {
            if branches[i as usize].len() > 1 {
                sort(graph, &tree, i, &mut branches[i as usize], &turn);
            }
        }
    }
    deal(&tree, &branches, &need, &mut turn);
    let mut order: Vec<u32> = (0..n as u32).collect();
    order.sort_by(|&a, &b| {
        turn[a as usize]
            .total_cmp(&turn[b as usize])
            .then(a.cmp(&b))
    });
    let mut met = vec![0usize; deepest + 1];
    for i in order {
        let i = i as usize;
        let depth = tree.depth[i] as usize;
        let fold = met[depth] % folds[depth];
        met[depth] += 1;
        let at = hand(turn[i]);
        let ring = radius[depth] + fold as f32 * thick[depth];
        points[i] = Point {
            x: at.x * ring,
            y: at.y * ring,
        };
    }
    points
}

/// Gives each subtree its wedge, and each node the middle of it.
fn deal(tree: &Tree, branches: &[Vec<u32>], need: &[f32], turn: &mut [f32]) {
    let mut wedge = vec![(0.0f32, 1.0f32); turn.len()];
    for &i in &tree.order {
        let (from, width) = wedge[i as usize];
        turn[i as usize] = from + width / 2.0;
        let all: f32 = branches[i as usize].iter().map(|&j| need[j as usize]).sum();
        if all <= 0.0 {
            continue;
        }
        // A lone branch goes straight on and a few do not sprawl over half a turn.
        let share = if tree.depth[i as usize] == 0 {
            1.0
        } else {
            width.min(all * 1.6)
        };
        let mut at = from + (width - share) / 2.0;
        for &j in &branches[i as usize] {
            let part = share * need[j as usize] / all;
            wedge[j as usize] = (at, part);
            at += part;
        }
    }
}

/// Orders the branches of `node` by where their other lines lead.
fn sort(graph: &Adjacency, tree: &Tree, node: u32, branches: &mut [u32], turn: &[f32]) {
    let own = turn[node as usize];
    let pull = |&branch: &u32| {
        let (mut sum, mut count) = (turn[branch as usize], 1.0f32);
        for &other in graph.of(branch) {
            if tree.parent[other as usize] != branch && other != node {
                // The short way around.
                let far = turn[other as usize] - own;
                sum += own + far - far.round();
                count += 1.0;
            }
        }
        sum / count
    };
    let mut keyed: Vec<(f32, u32)> = branches.iter().map(|b| (pull(b), *b)).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for (branch, (_, by)) in branches.iter_mut().zip(keyed) {
        *branch = by;
    }
}

/// A breadth-first search.
struct Tree {
    /// All nodes, the root first, by depth.
    order: Vec<u32>,
    depth: Vec<u32>,
    parent: Vec<u32>,
    /// The branches of a node are neighbours in `order`: where they begin and end.
    span: Vec<(u32, u32)>,
}

impl Tree {
    fn of(graph: &Adjacency, root: u32) -> Self {
        let n = graph.len();
        let mut tree = Self {
            order: vec![root],
            depth: vec![u32::MAX; n],
            parent: vec![u32::MAX; n],
            span: vec![(0, 0); n],
        };
        tree.depth[root as usize] = 0;
        let mut at = 0;
        while at < tree.order.len() {
            let node = tree.order[at];
            let from = tree.order.len() as u32;
            for &other in graph.of(node) {
                if tree.depth[other as usize] == u32::MAX {
                    tree.depth[other as usize] = tree.depth[node as usize] + 1;
                    tree.parent[other as usize] = node;
                    tree.order.push(other);
                }
            }
            tree.span[node as usize] = (from, tree.order.len() as u32);
            at += 1;
        }
        tree
    }

    fn branches(&self, node: u32) -> impl Iterator<Item = u32> {
        let (from, to) = self.span[node as usize];
        self.order[from as usize..to as usize].iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_has_its_hub_in_the_middle_and_a_tree_does_not_cross() {
        let shape = Rect {
            x: -20.0,
            y: -20.0,
            width: 40.0,
            height: 40.0,
        };
        let star = Adjacency::new(8, (1..8).map(|i| (0, i)));
        let points = place(&star, &[shape; 8], 52.0);
        assert_eq!(points[0], Point::default());
        let tree = Adjacency::new(31, (1..31u32).map(|i| ((i - 1) / 2, i)));
        let points = place(&tree, &[shape; 31], 52.0);
        let at = |i: u32| points[i as usize];
        let edges: Vec<_> = tree.edges().collect();
        for (k, &(a, b)) in edges.iter().enumerate() {
            for &(c, d) in &edges[..k] {
                assert!(!crate::geometry::cross(at(a), at(b), at(c), at(d)));
            }
        }
    }
}
