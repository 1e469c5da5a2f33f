//! In layers from the middle of the graph downwards: what hangs on what.
//!
//! - K. Sugiyama, S. Tagawa, M. Toda, *Methods for Visual Understanding of Hierarchical System
//!   Structures*, IEEE Trans. SMC 11 (1981); E. R. Gansner, E. Koutsofios, S. C. North, K.-P. Vo,
//!   *A Technique for Drawing Directed Graphs*, IEEE TSE 19 (1993); U. Brandes, B. Köpf, *Fast and
//!   Simple Horizontal Coordinate Assignment*, GD 2001: by the crate `rust-sugiyama`.
//!
//! Lines have no direction here: they are read as leading away from the middle. A graph that is too
//! large for the crate, whose time grows with the square and whose recursion with the length of
//! the graph, gets one layer for each number of hops, ordered by barycentres (Sugiyama's second
//! step), and layers much longer than the others are folded.

use super::adjacency::Adjacency;
use super::flat::GAP;
use crate::{Point, Rect};
use rust_sugiyama::configure::{Config, CrossingMinimization, RankingType};

/// Up to so many nodes and so many edges the crate is asked.
const NODES: usize = 600;
const EDGES: usize = 1500;
/// How often the layers are swept over.
const SWEEPS: usize = 12;
/// Width over height beyond which layers are folded.
const WIDE: f32 = 3.0;

/// Places for a connected graph, layers `spread` apart.
pub(crate) fn place(graph: &Adjacency, shapes: &[Rect], spread: f32) -> Vec<Point> {
    let n = graph.len();
    if n < 2 {
        return vec![Point::default(); n];
    }
    let mut hops = Vec::new();
    graph.hops(graph.middle(), &mut hops);
    let count = graph.edges().count();
    if n <= NODES && count <= EDGES {
        let points = by_crate(graph, shapes, &hops, spread);
        let all = Rect::around(points.iter().zip(shapes).map(|(p, s)| s.at(*p)));
        let mut layers: Vec<f32> = points
            .iter()
            .zip(shapes)
            .map(|(p, s)| p.y + s.center().y)
            .collect();
        layers.sort_by(f32::total_cmp);
        layers.dedup_by(|a, b| *a - *b < 1.0);
        // Where many lines join what is equally far out, it makes a ladder of the graph.
        let deepest = hops.iter().copied().max().unwrap_or(0) as usize;
        let is_ladder = layers.len() * 4 > (deepest + 1) * 5;
        if !is_ladder && all.is_some_and(|all| all.width < all.height.max(400.0) * 2.0 * WIDE) {
            return points;
        }
    }
    by_hops(graph, shapes, &hops, spread)
}

fn by_crate(graph: &Adjacency, shapes: &[Rect], hops: &[u32], spread: f32) -> Vec<Point> {
    // Symbol and label are one rectangle to the crate.
    let vertices: Vec<(u32, (f64, f64))> = shapes
        .iter()
        .zip(0..)
        .map(|(s, i)| (i, (f64::from(s.width), f64::from(s.height + spread * 0.6))))
        .collect();
    let edges: Vec<(u32, u32)> = graph
        .edges()
        .map(|(a, b)| {
            if (hops[a as usize], a) < (hops[b as usize], b) {
                (a, b)
            } else {
                (b, a)
            }
        })
        .collect();
    let config = Config {
        vertex_spacing: f64::from(GAP * 1.6),
        ranking_type: RankingType::MinimizeEdgeLength,
        c_minimization: CrossingMinimization::Barycenter,
        transpose: graph.len() <= 200,
        ..Config::default()
    };
    let mut points = vec![Point::default(); shapes.len()];
    for (places, _, _) in rust_sugiyama::from_vertices_and_edges(&vertices, &edges, &config) {
        for (i, (x, y)) in places {
            if let (Some(point), Some(shape)) = (points.get_mut(i), shapes.get(i)) {
                let off = shape.center();
                *point = Point {
                    x: x as f32 - off.x,
                    y: y as f32 - off.y,
                };
            }
        }
    }
    points
}

fn by_hops(graph: &Adjacency, shapes: &[Rect], hops: &[u32], spread: f32) -> Vec<Point> {
    let n = graph.len();
    let deepest = hops.iter().copied().max().unwrap_or(0) as usize;
    let mut layers: Vec<Vec<u32>> = vec![Vec::new(); deepest + 1];
    for (i, &hop) in hops.iter().enumerate() {
        layers[hop as usize].push(i as u32);
    }
    // Layers in order; a node's key is where it stands in its layer, from 0 to 1.
    let mut key = vec![0.0f32; n];
    let place_keys = |layer: &[u32], key: &mut [f32]| {
        for (k, &i) in layer.iter().enumerate() {
            key[i as usize] = (k as f32 + 0.5) / layer.len() as f32;
        }
    };
    for layer in &layers {
        place_keys(layer, &mut key);
    }
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let mut sort = |d: usize| {
            let from = if down { d.wrapping_sub(1) } else { d + 1 };
            let wish = |i: u32| {
                let (mut sum, mut count) = (0.0f32, 0.0f32);
                for &j in graph.of(i) {
                    if hops[j as usize] as usize == from {
                        sum += key[j as usize];
                        count += 1.0;
                    }
                }
                if count > 0.0 {
                    sum / count
                } else {
                    key[i as usize]
                }
            };
            let mut keyed: Vec<(f32, u32)> = layers[d].iter().map(|&i| (wish(i), i)).collect();
            keyed.sort_by(|a, b| {
                a.0.total_cmp(&b.0)
                    .then(key[a.1 as usize].total_cmp(&key[b.1 as usize]))
            });
            layers[d] = keyed.into_iter().map(|(_, i)| i).collect();
            place_keys(&layers[d], &mut key);
        };
        if down {
            (1..=deepest).for_each(&mut sort);
        } else {
            (0..deepest).rev().for_each(&mut sort);
        }
    }
    coordinates(graph, shapes, &layers, hops, spread)
}

/// Coordinates: layers one below the other, long ones folded into rows, and in each row everybody
/// as near to the mean of its neighbours as the order allows.
fn coordinates(
    graph: &Adjacency,
    shapes: &[Rect],
    layers: &[Vec<u32>],
    hops: &[u32],
    spread: f32,
) -> Vec<Point> {
    let n = shapes.len();
    let wide = shapes.iter().map(|s| s.width).fold(0.0, f32::max) + GAP;
    let high = shapes.iter().map(|s| s.height).fold(0.0, f32::max) + GAP;
    let lane = spread * 0.8;
    // The width at which all rows and lanes together have the wanted shape.
    let mut columns = layers.iter().map(Vec::len).max().unwrap_or(1).max(1);
    let height = |columns: usize| {
        let rows: usize = layers.iter().map(|l| l.len().div_ceil(columns)).sum();
        rows as f32 * high + layers.len() as f32 * lane
    };
    while columns > 4 && columns as f32 * wide > WIDE * height(columns) {
        columns -= columns.div_ceil(16).min(columns - 4);
    }
    let mut rows: Vec<Vec<u32>> = Vec::new();
    let mut y_of = Vec::new();
    let mut y = 0.0;
    for layer in layers {
        let count = layer.len().div_ceil(columns);
        // Dealt in turn, so that each row has the whole width of the layer.
        for r in 0..count {
            rows.push(layer.iter().skip(r).step_by(count).copied().collect());
            y_of.push(y);
            y += high;
        }
        y += lane;
    }
    let mut points = vec![Point::default(); n];
    for (row, &y) in rows.iter().zip(&y_of) {
        for (k, &i) in row.iter().enumerate() {
            points[i as usize] = Point {
                x: (k as f32 - (row.len() - 1) as f32 / 2.0) * wide,
                y,
            };
        }
    }
    for sweep in 0..SWEEPS {
        let mut settle = |row: &Vec<u32>| {
            let wishes: Vec<f32> = row
                .iter()
                .map(|&i| {
                    let near = graph
                        .of(i)
                        .iter()
                        .filter(|&&j| hops[j as usize] != hops[i as usize]);
                    let (sum, count) = near.fold((0.0f32, 0.0f32), |(s, c), &j| {
                        (s + points[j as usize].x, c + 1.0)
                    });
                    if count > 0.0 {
                        sum / count
                    } else {
                        points[i as usize].x
                    }
                })
                .collect();
            for (&i, x) in row.iter().zip(keep_apart(&wishes, wide)) {
                points[i as usize].x = x;
            }
        };
        if sweep % 2 == 0 {
            rows.iter().for_each(&mut settle);
        } else {
            rows.iter().rev().for_each(&mut settle);
        }
    }
    points
}

/// The places nearest to `wishes` (least squares) that keep their order and a distance of `step`:
/// what is too close is pooled (pool adjacent violators).
fn keep_apart(wishes: &[f32], step: f32) -> Vec<f32> {
    // With k·step taken off each, "apart" becomes "not descending".
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (k, &wish) in wishes.iter().enumerate() {
        let mut pool = (f64::from(wish - k as f32 * step), 1);
        while let Some(&(mean, count)) = pools.last() {
            if mean <= pool.0 {
                break;
            }
            pools.pop();
            let both = count + pool.1;
            pool.0 = (mean * count as f64 + pool.0 * pool.1 as f64) / both as f64;
            pool.1 = both;
        }
        pools.push(pool);
    }
    pools
        .into_iter()
        .flat_map(|(mean, count)| std::iter::repeat_n(mean as f32, count))
        .zip(0..)
        .map(|(at, k)| at + k as f32 * step)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_keep_apart_and_near_their_wishes() {
        assert_eq!(keep_apart(&[0.0, 0.0, 50.0], 10.0), [-5.0, 5.0, 50.0]);
        assert_eq!(keep_apart(&[30.0, 0.0], 10.0), [10.0, 20.0]);
        assert!(keep_apart(&[], 10.0).is_empty());
    }

    #[test]
    fn children_hang_below_their_parents() {
        let shape = Rect {
            x: -20.0,
            y: -20.0,
            width: 40.0,
            height: 58.0,
        };
        for n in [31u32, 2000] {
            let tree = Adjacency::new(n as usize, (1..n).map(|i| ((i - 1) / 2, i)));
            let points = place(&tree, &vec![shape; n as usize], 52.0);
            let root = tree.middle();
            let mut hops = Vec::new();
            tree.hops(root, &mut hops);
            for (a, b) in tree.edges() {
                let down = hops[b as usize] > hops[a as usize];
                assert_eq!(down, points[b as usize].y > points[a as usize].y);
            }
        }
    }
}
