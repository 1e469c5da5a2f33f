//! Stress: distances in the picture follow distances in the graph.
//!
//! - J. X. Zheng, S. Pawar, D. F. M. Goodman, *Graph Drawing by Stochastic Gradient Descent*,
//!   IEEE TVCG 25 (2019), arXiv:1710.04626: one pair of nodes after the other, in random order, is
//!   moved towards its distance, with a step that shrinks from pass to pass. So are small graphs
//!   laid out, with all their pairs.
//! - M. Ortmann, M. Klimenta, U. Brandes, *A Sparse Stress Model*, GD 2016, arXiv:1608.08909: in a
//!   large graph only neighbours and the distances to some pivots count; a pivot weighs for the
//!   nodes that it stands for. Here those are a random sample, the same for all.
//! - E. R. Gansner, Y. Koren, S. North, *Graph Drawing by Stress Majorization*, GD 2004: each node
//!   in turn goes to where its own stress is least (their localised optimisation). It begins at
//!   what [`force`](super::force) makes of coarser graphs, so that the whole is in order and only
//!   the near has to be: from random places the descent ended with an eighth more stress.
//!
//! Cost: a breadth-first search a pivot, and O(nodes × pivots) a sweep.

use super::adjacency::Adjacency;
use super::force;
use super::random::Random;
use crate::Point;

/// Up to so many nodes every pair counts.
const FULL: usize = 320;
/// Passes over all pairs: small pictures are looked at closely, and the smallest cost nothing.
const PASSES: usize = 50;
const PASSES_SMALL: usize = 300;
/// Wishes of a large graph: as many pivots as that makes, within bounds.
const WISHES: usize = 7_000_000;
const PIVOTS_LEAST: usize = 50;
const PIVOTS_MOST: usize = 1000;
/// Sweeps over the nodes.
const SWEEPS: usize = 14;
const SWEEPS_SMALL: usize = 20;
/// How much farther than to its best place a node goes in all sweeps but the last two: so a third
/// fewer do (successive over-relaxation).
const OVER: f32 = 1.6;

/// Places for the nodes `0..nodes`, where each edge wants length 1.
///
/// Several components lie on top of one another: lay them out one by one. Same input, same
/// output. Loops, repeated edges and ends outside `0..nodes` do not count.
pub fn embed(nodes: usize, edges: &[(u32, u32)]) -> Vec<Point> {
    place(&Adjacency::new(nodes, edges.iter().copied()))
}

/// The same for a graph that is known to be connected.
pub(crate) fn place(graph: &Adjacency) -> Vec<Point> {
    if graph.len() <= FULL {
        return descend(graph);
    }
    let mut points = force::sketch(graph);
    let wishes = Wishes::of(graph);
    wishes.scale(&mut points);
    wishes.sweep(graph, &mut points, &[]);
    points
}

/// Improves a picture in which an edge is 1 long and the `pinned` nodes stay where they are.
pub(crate) fn settle(graph: &Adjacency, points: &mut [Point], pinned: &[bool]) {
    Wishes::of(graph).sweep(graph, points, pinned);
}

/// A wish: `i` at distance `d` from `j`, `w` strongly.
#[derive(Clone, Copy)]
struct Term {
    i: u32,
    j: u32,
    d: f32,
    w: f32,
}

/// Stochastic gradient descent over all pairs, from random places.
fn descend(graph: &Adjacency) -> Vec<Point> {
    let n = graph.len();
    let mut random = Random::new(0x5eed_0000 + n as u64);
    let mut points: Vec<[f32; 2]> = (0..n)
        .map(|_| [random.unit() - 0.5, random.unit() - 0.5])
        .collect();
    let mut terms = all_pairs(graph);
    let passes = if n <= 60 { PASSES_SMALL } else { PASSES };
    let farthest = terms.iter().map(|term| term.d).fold(1.0, f32::max);
    // Step sizes fall from "every pair jumps to its distance" to a tenth of what neighbours do.
    let decay = root(f64::from(0.1 / (farthest * farthest)), passes - 1);
    let mut step = f64::from(farthest * farthest);
    for _ in 0..passes {
        random.shuffle(&mut terms);
        let eta = step as f32;
        for &Term { i, j, d, w } in &terms {
            let mu = (eta * w).min(1.0);
            let (a, b) = (points[i as usize], points[j as usize]);
            let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
            let far = (dx * dx + dy * dy).sqrt().max(1e-6);
            let r = mu * (far - d) / (2.0 * far);
            let (x, y) = (r * dx, r * dy);
            points[i as usize] = [a[0] - x, a[1] - y];
            points[j as usize] = [b[0] + x, b[1] + y];
        }
        step *= decay;
    }
    points.iter().map(|&[x, y]| Point { x, y }).collect()
}

/// The number in 0..1 whose `power`th power is `of`, by halves: powers of fractions are not the same
/// on all platforms.
fn root(of: f64, power: usize) -> f64 {
    let (mut low, mut high) = (0.0f64, 1.0f64);
    for _ in 0..52 {
        let middle = f64::midpoint(low, high);
        if (0..power).fold(1.0, |product, _| product * middle) < of {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

fn all_pairs(graph: &Adjacency) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut hops = Vec::new();
    for i in 0..graph.len() as u32 {
        graph.hops(i, &mut hops);
        for j in i + 1..graph.len() as u32 {
            let d = hops[j as usize];
            if d != u32::MAX {
                let d = d as f32;
                terms.push(Term {
                    i,
                    j,
                    d,
                    w: 1.0 / (d * d),
                });
            }
        }
    }
    terms
}

/// So many pivots are looked at at once.
const LANES: usize = 8;

/// How far every node wants to be from the pivots.
struct Wishes {
    pivots: Vec<u32>,
    /// Which pivot a node is; none is `u32::MAX`.
    pivot: Vec<u32>,
    /// Pivots, and what fills the last lanes.
    width: usize,
    /// A row a node: 1 over the hops to each pivot; 0 for no wish, or where an edge wishes already.
    closeness: Vec<f32>,
    /// How many nodes each pivot stands for.
    weight: f32,
}

impl Wishes {
    fn of(graph: &Adjacency) -> Self {
        let n = graph.len();
        let count = (WISHES / n.max(1)).clamp(PIVOTS_LEAST, PIVOTS_MOST).min(n);
        let mut pivots: Vec<u32> = (0..n as u32).collect();
        if count < n {
            Random::new(0x91_0000 + n as u64).shuffle(&mut pivots);
            pivots.truncate(count);
        }
        let width = count.next_multiple_of(LANES);
        let mut pivot = vec![u32::MAX; n];
        let mut closeness = vec![0.0f32; n * width];
        for (k, &from) in pivots.iter().enumerate() {
            pivot[from as usize] = k as u32;
        }
        graph.hops_from_all(&pivots, |i, k, d| {
            if d > 1 {
                closeness[i as usize * width + k] = 1.0 / d as f32;
            }
        });
        Self {
            weight: n as f32 / count.max(1) as f32,
            pivots,
            pivot,
            width,
            closeness,
        }
    }

    /// Scales a picture so that its stress is least.
    fn scale(&self, points: &mut [Point]) {
        let (mut one, mut two) = (0.0f64, 0.0f64);
        for (i, row) in self.closeness.chunks_exact(self.width).enumerate() {
            for (&pivot, &close) in self.pivots.iter().zip(row).step_by(7) {
                let ratio = f64::from(points[i].distance(points[pivot as usize]) * close);
                one += ratio;
                two += ratio * ratio;
            }
        }
        if two > 0.0 {
            let by = (one / two) as f32;
            for point in points {
                point.x *= by;
                point.y *= by;
            }
        }
    }

    /// Moves each node in turn to where its own stress is least.
    fn sweep(&self, graph: &Adjacency, points: &mut [Point], pinned: &[bool]) {
        if points.is_empty() {
            return;
        }
        let place = |k: usize, f: fn(&Point) -> f32| {
            self.pivots.get(k).map_or(0.0, |&p| f(&points[p as usize]))
        };
        let mut px: Vec<f32> = (0..self.width).map(|k| place(k, |p| p.x)).collect();
        let mut py: Vec<f32> = (0..self.width).map(|k| place(k, |p| p.y)).collect();
        // What all wishes of a node weigh does not change.
        let mut pulls = [0, 1].map(|_| vec![0.0f32; self.width]);
        let rows = self.closeness.chunks_exact(self.width);
        let weights: Vec<f32> = rows.map(|row| sum(row, |c| c * c) * self.weight).collect();
        let sweeps = if points.len() <= 2000 {
            SWEEPS_SMALL
        } else {
            SWEEPS
        };
        for sweep in 0..sweeps {
            let over = if sweep + 2 < sweeps { OVER } else { 1.0 };
            for i in 0..points.len() {
                if pinned.get(i).copied().unwrap_or(false) {
                    continue;
                }
                let row = &self.closeness[i * self.width..(i + 1) * self.width];
                let at = points[i];
                let [mut x, mut y] = pull(at, row, &px, &py, &mut pulls).map(|v| v * self.weight);
                let mut w = weights[i];
                for &j in graph.of(i as u32) {
                    let other = points[j as usize];
                    let (dx, dy) = (at.x - other.x, at.y - other.y);
                    let far = (dx * dx + dy * dy).sqrt().max(1e-6);
                    x += other.x + dx / far;
                    y += other.y + dy / far;
                    w += 1.0;
                }
                if w > 0.0 {
                    let best = Point { x: x / w, y: y / w };
                    let to = at.towards(best, over);
                    points[i] = to;
                    if let Some(x) = px.get_mut(self.pivot[i] as usize) {
                        *x = to.x;
                        py[self.pivot[i] as usize] = to.y;
                    }
                }
            }
        }
    }
}

/// Where the pivots would have a node that is at `at`, times their weights: x and y of the sum of
/// their wishes, of each of which `pulls` has room for one. It is most of what a layout costs, so in
/// a browser it is done by instructions for four at once, which all have had since 2023.
#[cfg_attr(target_family = "wasm", target_feature(enable = "simd128"))]
fn pull(
    at: Point,
    row: &[f32],
    px: &[f32],
    py: &[f32],
    [pulls_x, pulls_y]: &mut [Vec<f32>; 2],
) -> [f32; 2] {
    // One plain loop over all, so that any compiler sees that a machine can do many at once.
    let pulls = pulls_x.iter_mut().zip(pulls_y.iter_mut());
    for (((x, y), close), (px, py)) in pulls.zip(row).zip(px.iter().zip(py)) {
        let (dx, dy) = (at.x - px, at.y - py);
        let square = dx * dx + dy * dy;
        // Not `f32::max`, which minds what is no number.
        let share = close / if square > 1e-12 { square } else { 1e-12 }.sqrt();
        let weight = close * close;
        *x = weight * px + share * dx;
        *y = weight * py + share * dy;
    }
    [sum(pulls_x, |x| x), sum(pulls_y, |y| y)]
}

/// The sum, lane by lane, so that it is the same whatever a machine adds at once.
#[inline]
fn sum(of: &[f32], what: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    for chunk in of.chunks_exact(LANES) {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += what(*value);
        }
    }
    lanes.iter().sum()
}

/// Normalised stress of a picture: the mean over pairs of `((s·drawn − hops) / hops)²` at the best
/// scale `s`, over all pairs with an end in `sources`. 0 is perfect.
pub fn normalised(points: &[Point], edges: &[(u32, u32)], sources: &[u32]) -> f64 {
    let graph = Adjacency::new(points.len(), edges.iter().copied());
    let mut hops = Vec::new();
    let (mut dt, mut dd, mut pairs) = (0.0f64, 0.0f64, 0u64);
    for &from in sources
        .iter()
        .filter(|&&from| (from as usize) < points.len())
    {
        graph.hops(from, &mut hops);
        for (to, &t) in hops.iter().enumerate() {
            if t != 0 && t != u32::MAX {
                let ratio = f64::from(points[from as usize].distance(points[to])) / f64::from(t);
                dt += ratio;
                dd += ratio * ratio;
                pairs += 1;
            }
        }
    }
    // Σ(s·r − 1)² is least at s = Σr / Σr², where it is N − (Σr)² / Σr².
    if pairs == 0 || dd == 0.0 {
        return 0.0;
    }
    1.0 - dt * dt / dd / pairs as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_straight_and_a_ring_is_round() {
        let path: Vec<(u32, u32)> = (0..9).map(|i| (i, i + 1)).collect();
        let points = embed(10, &path);
        let all: Vec<u32> = (0..10).collect();
        assert!(normalised(&points, &path, &all) < 0.002);
        let ring: Vec<(u32, u32)> = (0..12).map(|i| (i, (i + 1) % 12)).collect();
        let points = embed(12, &ring);
        let center = Point {
            x: points.iter().map(|p| p.x).sum::<f32>() / 12.0,
            y: points.iter().map(|p| p.y).sum::<f32>() / 12.0,
        };
        let radii: Vec<f32> = points.iter().map(|p| p.distance(center)).collect();
        let (low, high) = (
            radii.iter().copied().fold(f32::MAX, f32::min),
            radii.iter().copied().fold(0.0, f32::max),
        );
        assert!(high / low < 1.05, "{radii:?}");
    }

    #[test]
    fn a_large_grid_unfolds() {
        let k = 40u32;
        let mut edges = Vec::new();
        for i in 0..k {
            for j in 0..k - 1 {
                edges.push((i * k + j, i * k + j + 1));
                edges.push((j * k + i, (j + 1) * k + i));
            }
        }
        let points = embed((k * k) as usize, &edges);
        let sources: Vec<u32> = (0..k * k).step_by(37).collect();
        let stress = normalised(&points, &edges, &sources);
        assert!(stress < 0.03, "{stress}");
    }

    #[test]
    fn what_is_not_there_does_no_harm() {
        assert!(embed(0, &[]).is_empty());
        let points = embed(3, &[(0, 0), (0, 9), (1, 2), (2, 1)]);
        assert!(points.iter().all(|p| p.is_drawable()));
    }
}
