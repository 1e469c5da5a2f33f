//! Nothing on top of anything else, and nothing moved farther than that needs.
//!
//! - K. Misue, P. Eades, W. Lai, K. Sugiyama, *Layout Adjustment and the Mental Map*, JVLC 6 (1995):
//!   two that overlap push one another along the axis that takes less, as their force scan does.
//! - L. Giovannangeli, F. Lalanne, D. Auber, R. Giot, R. Bourqui, *`FORBID`: Fast Overlap Removal by
//!   Stochastic Gradient Descent*, GD 2022: scaling all before that keeps the shape of the picture,
//!   and only as much is scaled as a crowd needs to get apart by itself.

use crate::geometry::Grid;
use crate::{Point, Rect};

/// Rounds of pushing neighbours apart before the rest is put into free places.
const ROUNDS: usize = 40;
/// How many times the room of all shapes a crowd is scaled to.
const ROOMY: f32 = 1.6;
/// What two shapes may lack of their gap before they are pushed: an arrangement that was pushed
/// apart once, and rounded, stays as it is.
const SLACK: f32 = 0.5;

/// Moves `points` until no two of `shapes` (seen from their points) are closer than `gap`.
///
/// Pairs that overlap are pushed apart along the axis that takes less; crowds are spread first by
/// scaling all. What is left goes to the nearest free place, smaller ones first.
pub(crate) fn remove(points: &mut [Point], shapes: &[Rect], gap: f32, may_scale: bool) {
    push(points, shapes, &[], gap, may_scale);
}

/// The same without scaling, around those that are `pinned`: they do not move, and two of them may
/// stay on top of one another.
pub(crate) fn remove_around(points: &mut [Point], shapes: &[Rect], pinned: &[bool], gap: f32) {
    push(points, shapes, pinned, gap, false);
}

fn push(points: &mut [Point], shapes: &[Rect], pinned: &[bool], gap: f32, may_scale: bool) {
    let is_pinned = |i: usize| pinned.get(i).copied().unwrap_or(false);
    let cell = shapes
        .iter()
        .map(|s| s.width.max(s.height))
        .fold(1.0, f32::max)
        + gap;
    if may_scale {
        // Nodes with the same neighbours lie on one spot however much everything is scaled: enough
        // is when all would fit several times.
        let room: f32 = shapes
            .iter()
            .map(|s| (s.width + gap) * (s.height + gap))
            .sum();
        for _ in 0..24 {
            let all = Rect::around(points.iter().copied().map(Rect::point)).unwrap_or_default();
            if all.width * all.height > ROOMY * room
                || pairs(points, shapes, cell, gap).len() * 5 <= points.len()
            {
                break;
            }
            for point in points.iter_mut() {
                point.x *= 1.18;
                point.y *= 1.18;
            }
        }
    }
    for round in 0..ROUNDS {
        let mut close = pairs(points, shapes, cell, gap);
        close.retain(|&(i, j)| !(is_pinned(i as usize) && is_pinned(j as usize)));
        if close.is_empty() {
            return;
        }
        for (i, j) in close {
            let (i, j) = (i as usize, j as usize);
            let (to_i, to_j) = match (is_pinned(i), is_pinned(j)) {
                (true, _) => (0.0, 1.0),
                (_, true) => (1.0, 0.0),
                _ => (0.5, 0.5),
            };
            let (a, b) = (shapes[i].at(points[i]), shapes[j].at(points[j]));
            let over_x = a.right().min(b.right()) - a.x.max(b.x) + gap;
            let over_y = a.bottom().min(b.bottom()) - a.y.max(b.y) + gap;
            if over_x <= SLACK || over_y <= SLACK {
                continue;
            }
            let (ca, cb) = (a.center(), b.center());
            // Of two in the very same place the first goes left or up.
            if over_x < over_y {
                let way = if ca.x <= cb.x { over_x } else { -over_x };
                points[i].x -= way * to_i;
                points[j].x += way * to_j;
            } else {
                let way = if ca.y <= cb.y { over_y } else { -over_y };
                points[i].y -= way * to_i;
                points[j].y += way * to_j;
            }
        }
        // A crowd that pushing alone does not dissolve is given more room.
        if may_scale && round % 5 == 4 {
            for point in points.iter_mut() {
                point.x *= 1.05;
                point.y *= 1.05;
            }
        }
    }
    settle(points, shapes, pinned, cell, gap);
}

/// Pairs closer than the gap, in a fixed order.
fn pairs(points: &[Point], shapes: &[Rect], cell: f32, gap: f32) -> Vec<(u32, u32)> {
    // Cells in one flat table, row by row, shape by its upper left corner: as no shape is larger than
    // a cell, partners lie in the same or in an adjacent cell.
    let reach = gap - SLACK;
    let key = |v: f32| (v / cell).floor() as i32;
    let mut keyed: Vec<(i32, i32, u32)> = (0..)
        .zip(points.iter().zip(shapes))
        .map(|(i, (point, shape))| {
            let at = shape.at(*point);
            (key(at.y), key(at.x), i)
        })
        .collect();
    keyed.sort_unstable();
    let grown = |&(_, _, i): &(i32, i32, u32)| {
        let i = i as usize;
        shapes[i].at(points[i]).grown(reach / 2.0)
    };
    let rects: Vec<Rect> = keyed.iter().map(grown).collect();
    let mut found = Vec::new();
    // Where in the next row those begin that may be near.
    let mut below = 0;
    for (k, &(row, col, i)) in keyed.iter().enumerate() {
        while keyed
            .get(below)
            .is_some_and(|&(r, c, _)| (r, c) < (row + 1, col - 1))
        {
            below += 1;
        }
        for (start, row) in [(k + 1, row), (below, row + 1)] {
            for (&(r, c, j), other) in keyed[start..].iter().zip(&rects[start..]) {
                if r != row || c > col + 1 {
                    break;
                }
                if rects[k].overlaps(*other) {
                    found.push((i.min(j), i.max(j)));
                }
            }
        }
    }
    found
}

/// Puts whatever still overlaps into the nearest free place.
fn settle(points: &mut [Point], shapes: &[Rect], pinned: &[bool], cell: f32, gap: f32) {
    let is_pinned = |i: &usize| pinned.get(*i).copied().unwrap_or(false);
    let (fixed, mut order): (Vec<usize>, Vec<usize>) = (0..points.len()).partition(is_pinned);
    let area = |i: usize| shapes[i].width * shapes[i].height;
    order.sort_by(|&i, &j| area(j).total_cmp(&area(i)).then(i.cmp(&j)));
    let mut grid = Grid::new(cell);
    for i in fixed {
        grid.add(shapes[i].grown(gap / 2.0).at(points[i]));
    }
    for i in order {
        // Half the gap around each; a little less around the newcomer, so that touching is free.
        let shape = shapes[i].grown(gap / 2.0);
        points[i] = grid.free_place(shape.grown(-SLACK), points[i]);
        grid.add(shape.at(points[i]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heap_in_one_place_is_spread_and_then_stays() {
        let shape = Rect {
            x: -40.,
            y: -20.,
            width: 80.,
            height: 60.,
        };
        let shapes = vec![shape; 60];
        let mut points = vec![Point::default(); 60];
        remove(&mut points, &shapes, 10.0, false);
        for i in 0..60 {
            for j in 0..i {
                assert!(
                    !shape.at(points[i]).overlaps(shape.at(points[j])),
                    "{i} {j}"
                );
            }
        }
        let before = points.clone();
        remove(&mut points, &shapes, 10.0, false);
        assert_eq!(points, before);
    }
}
