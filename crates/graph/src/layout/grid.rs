//! On a grid: in rows and columns, what is linked close together.
//!
//! - W. Li, H. Kurata, *A Grid Layout Algorithm for Automatic Drawing of Biochemical Networks*,
//!   Bioinformatics 21 (2005): nodes on grid points trade places as long as that shortens the
//!   lines between them. Here they begin where [`stress`](super::stress) puts them, cut into rows.

use super::adjacency::Adjacency;
use super::assign::{Wire, assign};
use super::flat::{self, GAP};
use super::{ASPECT, Layout};
use crate::geometry::Grid;
use crate::{Point, Rect};

/// Beyond so many nodes they do not trade places: nobody follows that many lines in a grid.
const TRADING: usize = 2000;

/// The step from one column, and from one row, to the next.
fn pitch(shapes: &[Rect]) -> (f32, f32) {
    let reach = |f: fn(&Rect) -> f32| shapes.iter().map(f).fold(0.0f32, f32::max);
    let wide = reach(|s| -s.x) + reach(|s| s.right()) + 2.0 * GAP;
    let high = reach(|s| -s.y) + reach(|s| s.bottom()) + 2.0 * GAP;
    (wide.ceil().max(1.0), high.ceil().max(1.0))
}

/// Places for all nodes, from nothing. `spread` is what an edge's label needs.
pub(crate) fn place(graph: &Adjacency, shapes: &[Rect], spread: f32) -> Vec<Point> {
    let n = shapes.len();
    let mut at = vec![Point::default(); n];
    if n == 0 {
        return at;
    }
    let (wide, high) = pitch(shapes);
    // Lines have labels in the lanes between columns.
    let wide = wide + if n <= TRADING { spread * 0.4 } else { 0.0 };
    let columns = ((n as f32 * ASPECT * high / wide).sqrt().round() as usize).clamp(1, n);
    let rows = n.div_ceil(columns);
    let free = flat::cold(Layout::Stress, graph, shapes, spread);
    let mut order: Vec<u32> = (0..n as u32).collect();
    order.sort_by(|&a, &b| {
        let (p, q) = (free[a as usize], free[b as usize]);
        p.y.total_cmp(&q.y).then(a.cmp(&b))
    });
    let mut rest = &mut order[..];
    for row in 0..rows {
        let (now, later) = rest.split_at_mut(columns.min(rest.len()));
        now.sort_by(|&a, &b| {
            let (p, q) = (free[a as usize], free[b as usize]);
            p.x.total_cmp(&q.x).then(a.cmp(&b))
        });
        for (column, &i) in now.iter().enumerate() {
            at[i as usize] = Point {
                x: column as f32 * wide,
                y: row as f32 * high,
            };
        }
        rest = later;
    }
    if n <= TRADING {
        let wires: Vec<Wire> = graph
            .edges()
            .map(|(a, b)| Wire { a, b, weight: 1.0 })
            .collect();
        let bodies: Vec<Rect> = shapes.iter().map(|s| s.grown(-2.0)).collect();
        assign(&mut at, &vec![Some(0); n], &bodies, &wires);
    }
    at
}

/// The grid that some nodes stand on.
pub(crate) struct Lattice {
    origin: Point,
    wide: f32,
    high: f32,
}

impl Lattice {
    /// Its steps are the least distances between the columns, and between the rows, of those that
    /// have a place.
    pub fn of(places: &[Option<Point>], shapes: &[Rect]) -> Self {
        let (points, rooms): (Vec<Point>, Vec<Rect>) = places
            .iter()
            .zip(shapes)
            .filter_map(|(place, shape)| Some(((*place)?, *shape)))
            .unzip();
        let (wide, high) = pitch(if rooms.is_empty() { shapes } else { &rooms });
        let step = |get: fn(&Point) -> f32, nominal: f32| {
            let mut all: Vec<f32> = points.iter().map(get).collect();
            all.sort_by(f32::total_cmp);
            all.windows(2)
                .map(|pair| pair[1] - pair[0])
                .filter(|step| (nominal * 0.9..nominal * 3.0).contains(step))
                .min_by(f32::total_cmp)
                .unwrap_or(nominal)
        };
        Self {
            origin: points.first().copied().unwrap_or_default(),
            wide: step(|p| p.x, wide),
            high: step(|p| p.y, high),
        }
    }

    /// The free point nearest to `wish`.
    pub fn free_place(&self, taken: &Grid, shape: Rect, wish: Point) -> Point {
        let snap = |v: f32, origin: f32, step: f32| origin + ((v - origin) / step).round() * step;
        let wish = Point {
            x: snap(wish.x, self.origin.x, self.wide),
            y: snap(wish.y, self.origin.y, self.high),
        };
        taken.free_place_by(shape, wish, self.wide, self.high)
    }
}
