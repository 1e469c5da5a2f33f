//! How good a picture is, by the same measure for everybody.

use graph::layout::stress;
use graph::{Point, Rect};
use layout_bench::graphs::Graph;

/// What is said of a picture.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    /// Normalised stress; see [`stress::normalised`].
    pub stress: f64,
    /// Standard deviation of the lengths of lines over their mean.
    pub deviation: f64,
    /// Pairs of nodes that overlap, each a square so many times as wide as the mean line is long.
    pub overlaps: usize,
    /// Pairs of lines that cross.
    pub crossings: usize,
}

/// Stress is measured from so many nodes, evenly taken, or from all if there are not many more.
const SOURCES: usize = 400;

/// Scores a picture whose nodes are squares `side` times as wide as its mean line is long.
pub fn score(graph: &Graph, points: &[Point], side: f32) -> Score {
    let lines = lines(graph, points);
    let lengths: Vec<f64> = lines
        .iter()
        .map(|(a, b)| f64::from(a.x - b.x).hypot(f64::from(a.y - b.y)))
        .collect();
    let count = lengths.len().max(1) as f64;
    let mean = lengths.iter().sum::<f64>() / count;
    let variance = lengths.iter().map(|l| (l - mean) * (l - mean)).sum::<f64>() / count;
    let step = if graph.nodes as usize > 1100 {
        graph.nodes as usize / SOURCES
    } else {
        1
    };
    let sources: Vec<u32> = (0..graph.nodes).step_by(step).collect();
    Score {
        stress: stress::normalised(points, &graph.edges, &sources),
        deviation: variance.sqrt() / mean.max(f64::MIN_POSITIVE),
        overlaps: overlaps(points, mean as f32 * side),
        crossings: crossings(&lines),
    }
}

/// The mean length of a picture's lines.
pub fn mean_length(graph: &Graph, points: &[Point]) -> f32 {
    let lines = lines(graph, points);
    let sum: f64 = lines
        .iter()
        .map(|(a, b)| f64::from(a.x - b.x).hypot(f64::from(a.y - b.y)))
        .sum();
    (sum / lines.len().max(1) as f64) as f32
}

fn lines(graph: &Graph, points: &[Point]) -> Vec<(Point, Point)> {
    let at = |i: u32| points.get(i as usize).copied().unwrap_or_default();
    graph.edges.iter().map(|&(a, b)| (at(a), at(b))).collect()
}

/// Pairs of points closer than `side` in both directions.
fn overlaps(points: &[Point], side: f32) -> usize {
    let mut order: Vec<&Point> = points.iter().collect();
    order.sort_by(|a, b| a.x.total_cmp(&b.x));
    let mut sum = 0;
    for (k, a) in order.iter().enumerate() {
        let near = order[k + 1..].iter().take_while(|b| b.x - a.x < side);
        sum += near.filter(|b| (b.y - a.y).abs() < side).count();
    }
    sum
}

/// Pairs of lines with an inner point in common.
fn crossings(lines: &[(Point, Point)]) -> usize {
    let mut lines: Vec<(Rect, Point, Point)> = lines
        .iter()
        .map(|&(a, b)| {
            let rect = Rect {
                x: a.x.min(b.x),
                y: a.y.min(b.y),
                width: (a.x - b.x).abs(),
                height: (a.y - b.y).abs(),
            };
            (rect, a, b)
        })
        .collect();
    lines.sort_by(|a, b| a.0.x.total_cmp(&b.0.x));
    let mut sum = 0;
    for (k, (rect, a, b)) in lines.iter().enumerate() {
        for (other, c, d) in &lines[k + 1..] {
            if other.x > rect.right() {
                break;
            }
            let apart = other.y > rect.bottom() || rect.y > other.bottom();
            if !apart && cross(*a, *b, *c, *d) {
                sum += 1;
            }
        }
    }
    sum
}

/// In double precision: some pictures are large.
fn cross(a: Point, b: Point, c: Point, d: Point) -> bool {
    let side = |p: Point, q: Point, r: Point| {
        let (px, py) = (f64::from(p.x), f64::from(p.y));
        (f64::from(q.x) - px) * (f64::from(r.y) - py)
            - (f64::from(q.y) - py) * (f64::from(r.x) - px)
    };
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_with_its_diagonals_has_one_crossing() {
        let graph = Graph {
            nodes: 4,
            edges: vec![(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3)],
        };
        let points = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].map(|(x, y)| Point { x, y });
        let score = score(&graph, &points, 0.25);
        assert_eq!((score.crossings, score.overlaps), (1, 0));
        assert!((score.deviation - 0.172).abs() < 0.01, "{score:?}");
        let heap = [Point::default(); 4];
        assert_eq!(overlaps(&heap, 0.1), 6);
    }
}
