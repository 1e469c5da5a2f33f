//! On a circle, in an order whose lines cross little: what a ring or a full mesh is read best in.
//!
//! - M. Baur, U. Brandes, *Crossing Reduction in Circular Layouts*, WG 2004: nodes are appended one
//!   by one, next the one with fewest neighbours still to come, at the end of the row where its
//!   lines cross fewer that are open; then each is moved past all others and put where crossings
//!   are fewest (circular sifting).

use super::adjacency::Adjacency;
use super::flat::{self, GAP, GAP_KEPT, Motion, PART_GAP, mean};
use super::trigonometry::{around, hand, part};
use super::{Flat, Known, Layout, overlap};
use crate::geometry::Grid;
use crate::{Point, Rect};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What sifting may cost, in lines looked at.
const WORK: usize = 8_000_000;

/// Places on a circle around the origin, for a connected graph. `spread` is what the lines between
/// a few nodes need for themselves.
pub(crate) fn place(graph: &Adjacency, shapes: &[Rect], spread: f32) -> Vec<Point> {
    ring(&order(graph), shapes, spread, 0.75)
}

/// Circles once more: each in the order that it had, and apart from the others.
pub(crate) fn warm(flat: &Flat, known: &Known) -> Vec<Point> {
    let Flat {
        graph,
        shapes,
        spread,
    } = flat;
    let mut points = known.places();
    let parts: Vec<Vec<u32>> = graph.components();
    let before: Vec<Option<Rect>> = parts
        .iter()
        .map(|part| extent(part, shapes, &points))
        .collect();
    let mut has_grown = false;
    for part in parts.iter().filter(|part| part.len() > 1) {
        // Without newcomers a circle stays as it is, whatever lines have come or gone.
        let old: Vec<Option<Point>> = part.iter().map(|&i| points[i as usize]).collect();
        let settled = old.iter().flatten().count();
        if settled == 0 || settled == part.len() {
            continue;
        }
        let own: Vec<Rect> = part.iter().map(|&i| shapes[i as usize]).collect();
        let places = place_again(&graph.part(part), &own, *spread, &old);
        for (&i, place) in part.iter().zip(places) {
            if known.pins[i as usize].is_none() {
                points[i as usize] = Some(place);
            }
        }
        has_grown = true;
    }
    if has_grown {
        part_circles(known, &parts, &before, shapes, &mut points);
    }
    // New ones below.
    let mut taken = Grid::new(400.0);
    for (i, point) in points.iter().enumerate() {
        if let Some(point) = point {
            taken.add(shapes[i].at(*point));
        }
    }
    let bounds = Rect::around(points.iter().flatten().map(|p| Rect::point(*p))).unwrap_or_default();
    for part in parts
        .iter()
        .zip(&before)
        .filter_map(|(part, rect)| rect.is_none().then_some(part))
    {
        let own: Vec<Rect> = part.iter().map(|&i| shapes[i as usize]).collect();
        let places = flat::connected(Layout::Circular, &graph.part(part), &own, *spread);
        let Some(rect) = Rect::around(own.iter().zip(&places).map(|(s, p)| s.at(*p))) else {
            continue;
        };
        let wish = Point {
            x: bounds.x - rect.x,
            y: bounds.bottom() + PART_GAP - rect.y,
        };
        let by = taken.free_place(rect.grown(GAP), wish);
        taken.add(rect.at(by));
        for (&i, place) in part.iter().zip(places) {
            points[i as usize] = Some(place.shifted(by));
        }
    }
    let mut points: Vec<Point> = points.into_iter().map(Option::unwrap_or_default).collect();
    overlap::remove_around(&mut points, shapes, &known.pinned(), GAP_KEPT);
    points
}

/// The room of those of a part that have a place.
fn extent(part: &[u32], shapes: &[Rect], points: &[Option<Point>]) -> Option<Rect> {
    let placed = part.iter().filter_map(|&i| Some((i, points[i as usize]?)));
    Rect::around(placed.map(|(i, p)| shapes[i as usize].at(p)))
}

/// Lets circles that have grown push the others, whole. Parts that lay among one another before are
/// the halves of a circle that broke, and no circles.
fn part_circles(
    known: &Known,
    parts: &[Vec<u32>],
    before: &[Option<Rect>],
    shapes: &[Rect],
    points: &mut [Option<Point>],
) {
    let is_circle = |k: usize| {
        let others = before.iter().enumerate().filter(|(j, _)| *j != k);
        before[k].is_some_and(|own| others.filter_map(|(_, r)| *r).all(|r| !own.overlaps(r)))
    };
    let circles: Vec<(&Vec<u32>, Rect)> = (0..parts.len())
        .filter(|&k| is_circle(k))
        .filter_map(|k| Some((&parts[k], extent(&parts[k], shapes, points)?)))
        .collect();
    let mut centers: Vec<Point> = circles.iter().map(|(_, r)| r.center()).collect();
    let shapes: Vec<Rect> = circles
        .iter()
        .map(|(_, r)| Rect {
            x: -r.width / 2.0,
            y: -r.height / 2.0,
            ..*r
        })
        .collect();
    let held: Vec<bool> = circles
        .iter()
        .map(|(part, _)| part.iter().any(|&i| known.pins[i as usize].is_some()))
        .collect();
    overlap::remove_around(&mut centers, &shapes, &held, GAP);
    for ((part, rect), center) in circles.iter().zip(&centers) {
        let from = rect.center();
        if *center == from {
            continue;
        }
        for &i in *part {
            if let Some(point) = &mut points[i as usize] {
                *point = point.shifted(Point {
                    x: center.x - from.x,
                    y: center.y - from.y,
                });
            }
        }
    }
}

/// Places on a circle after a change: the order around the circle stays, newcomers stand beside their
/// neighbours, and the circle is turned and moved so that as little as can be changes its place.
fn place_again(
    graph: &Adjacency,
    shapes: &[Rect],
    spread: f32,
    known: &[Option<Point>],
) -> Vec<Point> {
    let centers = known
        .iter()
        .zip(shapes)
        .filter_map(|(p, s)| Some(s.center().shifted((*p)?)));
    let middle = mean(&centers.collect::<Vec<Point>>());
    let mut order: Vec<u32> = (0..graph.len() as u32)
        .filter(|&i| known[i as usize].is_some())
        .collect();
    let seen = |i: u32| {
        let p = shapes[i as usize]
            .center()
            .shifted(known[i as usize].unwrap_or_default());
        Point {
            x: p.x - middle.x,
            y: p.y - middle.y,
        }
    };
    let angle = |i: u32| around(seen(i));
    order.sort_by(|&a, &b| angle(a).total_cmp(&angle(b)).then(a.cmp(&b)));
    let order = with_newcomers(graph, &order);
    let phase = order.first().map_or(0.75, |&i| part(seen(i)));
    let points = ring(&order, shapes, spread, phase);
    let (new, old): (Vec<Point>, Vec<Point>) = points
        .iter()
        .zip(known)
        .filter_map(|(new, old)| Some((*new, (*old)?)))
        .unzip();
    let motion = Motion::between(&new, &old, true);
    points.iter().map(|p| motion.apply(*p)).collect()
}

/// The order with everybody else in it: each behind the first of its neighbours that is.
fn with_newcomers(graph: &Adjacency, order: &[u32]) -> Vec<u32> {
    const NOBODY: u32 = u32::MAX;
    let n = graph.len();
    let mut is_in = vec![false; n];
    let mut behind = vec![NOBODY; n];
    for (k, &i) in order.iter().enumerate() {
        is_in[i as usize] = true;
        behind[i as usize] = order.get(k + 1).copied().unwrap_or(NOBODY);
    }
    let mut queue = order.to_vec();
    let mut at = 0;
    while let Some(&node) = queue.get(at) {
        for &other in graph.of(node) {
            if !std::mem::replace(&mut is_in[other as usize], true) {
                behind[other as usize] = behind[node as usize];
                behind[node as usize] = other;
                queue.push(other);
            }
        }
        at += 1;
    }
    let first = order.first().copied();
    std::iter::successors(first, |&i| {
        Some(behind[i as usize]).filter(|&j| j != NOBODY)
    })
    .collect()
}

/// The circle on which nodes stand in this order without touching, the first at the part `phase` of
/// a turn.
fn ring(order: &[u32], shapes: &[Rect], spread: f32, phase: f32) -> Vec<Point> {
    let mut points = vec![Point::default(); shapes.len()];
    let n = order.len();
    if n < 2 {
        return points;
    }
    let gap = GAP.max(spread / (1.0 + n as f32 / 8.0));
    // How much of the circle a node takes depends on where it stands: its width on top, its height
    // at the side, its diagonal between. Where it stands depends on how much the others take.
    let mut arcs: Vec<f32> = order
        .iter()
        .map(|&i| shapes[i as usize].width.max(shapes[i as usize].height) + gap)
        .collect();
    for round in 0.. {
        let length: f32 = arcs.iter().sum();
        // Neighbours are a chord apart, which is shorter than the arc.
        let half = hand(0.5 / n as f32).y / (std::f32::consts::PI / n as f32);
        let radius = length / std::f32::consts::TAU / half;
        let mut gone = -arcs[0] / 2.0;
        for (&i, arc) in order.iter().zip(&mut arcs) {
            let at = hand(phase + (gone + *arc / 2.0) / length);
            gone += *arc;
            let shape = shapes[i as usize];
            // The middle of symbol and label, not of the symbol alone, lies on the circle.
            let off = shape.center();
            points[i as usize] = Point {
                x: at.x * radius - off.x,
                y: at.y * radius - off.y,
            };
            let (wide, high) = (shape.width + gap, shape.height + gap);
            let across = (wide / at.y.abs().max(1e-3)).min(high / at.x.abs().max(1e-3));
            *arc = across;
        }
        if round == 4 {
            return points;
        }
    }
    points
}

/// The order around the circle: sifted, from that of appending or from that of a depth-first
/// search, whichever crosses less.
fn order(graph: &Adjacency) -> Vec<u32> {
    let lines = graph.edges().count();
    let rounds = (WORK / (4 * graph.len() * lines).max(1)).min(8);
    let sifted = |mut row: Vec<u32>| {
        for _ in 0..rounds {
            if !sift(graph, &mut row) {
                break;
            }
        }
        row
    };
    let (one, other) = (sifted(appended(graph)), sifted(searched(graph)));
    if crossings(graph, &other) < crossings(graph, &one) {
        other
    } else {
        one
    }
}

/// How many pairs of lines cross: of those that begin inside another, the ones that end outside.
fn crossings(graph: &Adjacency, row: &[u32]) -> u64 {
    let n = row.len();
    let mut seat = vec![0usize; n];
    for (k, &i) in row.iter().enumerate() {
        seat[i as usize] = k;
    }
    // Seats from left to right; a Fenwick tree counts the open lines by where they began.
    let mut open = vec![0u32; n + 1];
    let add = |open: &mut Vec<u32>, at: usize, by: u32| {
        let mut k = at + 1;
        while k <= n {
            open[k] = open[k].wrapping_add(by);
            k += k & k.wrapping_neg();
        }
    };
    let up_to = |open: &Vec<u32>, at: usize| {
        let (mut k, mut sum) = (at + 1, 0u32);
        while k > 0 {
            sum = sum.wrapping_add(open[k]);
            k -= k & k.wrapping_neg();
        }
        sum
    };
    let mut sum = 0;
    for (k, &i) in row.iter().enumerate() {
        let closing = || {
            graph
                .of(i)
                .iter()
                .map(|&j| seat[j as usize])
                .filter(|&s| s < k)
        };
        for from in closing() {
            add(&mut open, from, u32::MAX);
        }
        for from in closing() {
            sum += u64::from(up_to(&open, n - 1) - up_to(&open, from));
        }
        for _ in graph.of(i).iter().filter(|&&j| seat[j as usize] > k) {
            add(&mut open, k, 1);
        }
    }
    sum
}

/// Nodes as a depth-first search meets them: long ways follow the circle.
fn searched(graph: &Adjacency) -> Vec<u32> {
    let n = graph.len();
    let mut row = Vec::with_capacity(n);
    let mut seen = vec![false; n];
    for first in 0..n as u32 {
        let mut stack = vec![first];
        while let Some(node) = stack.pop() {
            if !std::mem::replace(&mut seen[node as usize], true) {
                row.push(node);
                stack.extend(graph.of(node).iter().rev());
            }
        }
    }
    row
}

/// Nodes appended one by one at either end of a row.
fn appended(graph: &Adjacency) -> Vec<u32> {
    let n = graph.len();
    let mut open: Vec<usize> = (0..n as u32).map(|i| graph.of(i).len()).collect();
    let mut placed = vec![false; n];
    let mut row = std::collections::VecDeque::with_capacity(n);
    let mut seat = vec![0i32; n];
    let (mut left, mut right) = (0i32, 0i32);
    // Only what has a neighbour in the row comes next, unless the graph falls apart.
    let mut next: BinaryHeap<Reverse<(usize, u32)>> = BinaryHeap::new();
    let mut rest = 0..n as u32;
    while row.len() < n {
        let node = loop {
            match next.pop() {
                Some(Reverse((key, i))) => {
                    if !placed[i as usize] && key == open[i as usize] {
                        break i;
                    }
                }
                None => match rest.find(|&i| !placed[i as usize]) {
                    Some(i) => break i,
                    None => return row.into(),
                },
            }
        };
        placed[node as usize] = true;
        // Lines to seats far from an end lie over those that are open between.
        let seats = graph
            .of(node)
            .iter()
            .filter(|&&j| placed[j as usize] && j != node)
            .map(|&j| seat[j as usize]);
        let (to_left, to_right) = seats.fold((0i64, 0i64), |(l, r), s| {
            (l + i64::from(s - left), r + i64::from(right - s))
        });
        if to_left < to_right {
            left -= 1;
            seat[node as usize] = left;
            row.push_front(node);
        } else {
            right += 1;
            seat[node as usize] = right;
            row.push_back(node);
        }
        for &j in graph.of(node) {
            open[j as usize] -= 1;
            if !placed[j as usize] {
                next.push(Reverse((open[j as usize], j)));
            }
        }
    }
    row.into()
}

/// Moves each node past all others and puts it where lines cross least; whether any moved.
fn sift(graph: &Adjacency, row: &mut [u32]) -> bool {
    let n = row.len();
    if n < 4 {
        return false;
    }
    let mut any = false;
    let mut seat = vec![0usize; n];
    for node in 0..n as u32 {
        let Some(from) = row.iter().position(|&i| i == node) else {
            continue;
        };
        // The row turned so that the node stands before all others; where it stood costs nothing.
        row.rotate_left(from);
        let others = &row[1..];
        for (k, &i) in others.iter().enumerate() {
            seat[i as usize] = k;
        }
        let (mut cost, mut best, mut to) = (0i64, 0i64, 0);
        for (k, &other) in others[..n - 2].iter().enumerate() {
            let turn = |j: &u32| (seat[*j as usize] + n - 1 - k) % (n - 1);
            let mut own: Vec<usize> = ends(graph, node, other).map(turn).collect();
            let mut its: Vec<usize> = ends(graph, other, node).map(turn).collect();
            own.sort_unstable();
            its.sort_unstable();
            // Before: own lines that end nearer than the other's cross; after: those farther.
            cost += inversions(&its, &own) - inversions(&own, &its);
            if cost < best {
                (best, to) = (cost, k + 1);
            }
        }
        if to > 0 {
            row[..=to].rotate_left(1);
            any = true;
        }
    }
    any
}

/// The neighbours of `node` but `other`.
fn ends(graph: &Adjacency, node: u32, other: u32) -> impl Iterator<Item = &u32> {
    graph.of(node).iter().filter(move |&&j| j != other)
}

/// How many pairs have the first's smaller than the second's; both ascend.
fn inversions(first: &[usize], second: &[usize]) -> i64 {
    let mut below = 0;
    let mut sum = 0;
    for &s in second {
        while below < first.len() && first[below] < s {
            below += 1;
        }
        sum += below as i64;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_pairs(graph: &Adjacency, order: &[u32]) -> u64 {
        let seat = |i: u32| order.iter().position(|&o| o == i).unwrap();
        let lines: Vec<(usize, usize)> = graph
            .edges()
            .map(|(a, b)| (seat(a).min(seat(b)), seat(a).max(seat(b))))
            .collect();
        let mut sum = 0;
        for (k, a) in lines.iter().enumerate() {
            for b in &lines[..k] {
                let inside = |v: usize| a.0 < v && v < a.1;
                let is_end = |v: usize| a.0 == v || a.1 == v;
                if !is_end(b.0) && !is_end(b.1) && inside(b.0) != inside(b.1) {
                    sum += 1;
                }
            }
        }
        sum
    }

    #[test]
    fn a_shuffled_ring_and_an_outerplanar_graph_do_not_cross() {
        let ring = Adjacency::new(11, (0..11u32).map(|i| (i * 4 % 11, (i + 1) * 4 % 11)));
        assert_eq!(crossings(&ring, &order(&ring)), 0);
        // A ring with chords from one of its nodes.
        let fan: Vec<(u32, u32)> = (0..9)
            .map(|i| (i * 2 % 9, (i + 1) * 2 % 9))
            .chain([(0, 4), (0, 6), (0, 8)])
            .collect();
        let fan = Adjacency::new(9, fan);
        assert_eq!(crossings(&fan, &order(&fan)), 0);
    }

    #[test]
    fn sifting_never_makes_it_worse() {
        let edges: Vec<(u32, u32)> = (0..60u32)
            .map(|k| (k * 7 % 30, (k * k + 3 * k + 1) % 30))
            .collect();
        let graph = Adjacency::new(30, edges);
        let mut row: Vec<u32> = (0..30).collect();
        let mut before = crossings(&graph, &row);
        assert_eq!(before, by_pairs(&graph, &row));
        while sift(&graph, &mut row) {
            let after = crossings(&graph, &row);
            assert!(after < before, "{after} of {before}");
            before = after;
        }
    }
}
