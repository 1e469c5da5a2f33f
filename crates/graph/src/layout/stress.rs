//! Stress by stochastic gradient descent: distances in the picture follow distances in the graph.
//!
//! - J. X. Zheng, S. Pawar, D. F. M. Goodman, *Graph Drawing by Stochastic Gradient Descent*,
//!   IEEE TVCG 25 (2019), arXiv:1710.04626: one pair of nodes after the other, in random order, is
//!   moved towards its distance, with a step that shrinks from pass to pass.
//! - M. Ortmann, M. Klimenta, U. Brandes, *A Sparse Stress Model*, GD 2016, arXiv:1608.08909: in a
//!   large graph only neighbours and the distances to some pivots count; a pivot weighs for the
//!   nodes that it stands for.
//!
//! Cost: O(nodes × pivots) a pass, and a breadth-first search a pivot before.

use super::adjacency::Adjacency;
use super::random::Random;
use crate::Point;

/// Up to so many nodes every pair counts.
const FULL: usize = 320;
/// Pivots of a larger graph.
const PIVOTS: usize = 100;
/// Passes over all terms.
const PASSES: usize = 18;
/// Passes over all terms where every pair counts: small pictures are looked at closely, and the
/// smallest cost nothing.
const PASSES_FULL: usize = 50;
const PASSES_SMALL: usize = 300;

/// A wish: `i` at distance `d` from `j`, `w` strongly. Sixteen bytes, for there are many.
#[derive(Clone, Copy)]
struct Term {
    i: u32,
    j: u32,
    d: f32,
    w: f32,
}

/// Places for the nodes `0..nodes`, where each edge wants length 1.
///
/// Several components lie on top of one another: lay them out one by one. Same input, same
/// output. Loops, repeated edges and ends outside `0..nodes` do not count.
pub fn embed(nodes: usize, edges: &[(u32, u32)]) -> Vec<Point> {
    place(&Adjacency::new(nodes, edges.iter().copied()))
}

/// The same for a graph that is known to be connected.
pub(crate) fn place(graph: &Adjacency) -> Vec<Point> {
    let n = graph.len();
    let mut random = Random::new(0x5eed_0000 + n as u64);
    let mut points: Vec<[f32; 2]> = (0..n)
        .map(|_| [random.unit() - 0.5, random.unit() - 0.5])
        .collect();
    // Neighbours move both; a pivot does not follow those whom it only helps to place.
    let (mut terms, mutual, passes) = if n <= FULL {
        (
            all_pairs(graph),
            f32::MAX,
            if n <= 60 { PASSES_SMALL } else { PASSES_FULL },
        )
    } else {
        (sparse(graph, PIVOTS.min(n)), 1.0, PASSES)
    };
    descend(&mut points, &mut terms, mutual, passes, &mut random);
    points.iter().map(|&[x, y]| Point { x, y }).collect()
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

fn sparse(graph: &Adjacency, count: usize) -> Vec<Term> {
    let n = graph.len();
    // Pivots far from one another: each is the node farthest from those before it.
    let mut nearest = vec![u32::MAX; n];
    let mut region = vec![0u32; n];
    let mut rows: Vec<(u32, Vec<u32>)> = Vec::with_capacity(count);
    let mut pivot = 0u32;
    for p in 0..count {
        let mut hops = Vec::new();
        graph.hops(pivot, &mut hops);
        for i in 0..n {
            if hops[i] < nearest[i] {
                nearest[i] = hops[i];
                region[i] = p as u32;
            }
        }
        rows.push((pivot, hops));
        // Unreachable nodes (in a graph that is not connected) make no pivots.
        let next = (0..n)
            .filter(|&i| nearest[i] != u32::MAX)
            .max_by_key(|&i| (nearest[i], std::cmp::Reverse(i)));
        match next {
            Some(next) if nearest[next] > 0 => pivot = next as u32,
            _ => break,
        }
    }
    let mut terms: Vec<Term> = graph
        .edges()
        .map(|(i, j)| Term {
            i,
            j,
            d: 1.0,
            w: 1.0,
        })
        .collect();
    terms.reserve(rows.len() * n);
    let mut within: Vec<u32> = Vec::new();
    for (p, (pivot, hops)) in rows.iter().enumerate() {
        // within[d]: nodes of the pivot's region at most d from it.
        within.clear();
        for i in 0..n {
            if region[i] == p as u32 && hops[i] != u32::MAX {
                let d = hops[i] as usize;
                if within.len() <= d {
                    within.resize(d + 1, 0);
                }
                within[d] += 1;
            }
        }
        for d in 1..within.len() {
            within[d] += within[d - 1];
        }
        for i in 0..n as u32 {
            let d = hops[i as usize];
            if d > 1 && d != u32::MAX {
                let half = (d as usize / 2).min(within.len().saturating_sub(1));
                let stands_for = within.get(half).copied().unwrap_or(1).max(1) as f32;
                let d = d as f32;
                terms.push(Term {
                    i,
                    j: *pivot,
                    d,
                    w: stands_for / (d * d),
                });
            }
        }
    }
    terms
}

/// Passes over `terms`; those at most `mutual` long move both ends.
fn descend(
    points: &mut [[f32; 2]],
    terms: &mut [Term],
    mutual: f32,
    passes: usize,
    random: &mut Random,
) {
    if terms.is_empty() {
        return;
    }
    let (mut low, mut high) = (f32::MAX, 0.0f32);
    for term in terms.iter() {
        low = low.min(term.w);
        high = high.max(term.w);
    }
    // Step sizes fall from "every pair jumps to its distance" to a tenth of the strongest pair's.
    let (first, last) = (f64::from(1.0 / low), f64::from(0.1 / high));
    let decay = (last / first).powf(1.0 / (passes.max(2) - 1) as f64);
    let mut step = first;
    for _ in 0..passes {
        random.shuffle(terms);
        let eta = step as f32;
        for &Term { i, j, d, w } in terms.iter() {
            let mu = (eta * w).min(1.0);
            let (a, b) = (points[i as usize], points[j as usize]);
            let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
            let far = (dx * dx + dy * dy).sqrt().max(1e-6);
            let r = mu * (far - d) / (2.0 * far);
            let (x, y) = (r * dx, r * dy);
            points[i as usize] = [a[0] - x, a[1] - y];
            if d <= mutual {
                points[j as usize] = [b[0] + x, b[1] + y];
            }
        }
        step *= decay;
    }
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
