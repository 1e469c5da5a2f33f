//! Layout without boxes: each connected part by stress, the parts side by side.

use super::adjacency::Adjacency;
use super::{ASPECT, overlap, pack, stress};
use crate::geometry::Grid;
use crate::{Point, Rect};

/// Least room between two nodes.
pub(crate) const GAP: f32 = 14.0;
/// Parts of up to so many nodes are aligned.
const ALIGNED: usize = 40;
/// Room between parts that are not connected.
const PART_GAP: f32 = 44.0;

/// Places for all nodes, from nothing. `spread` is what an edge is longer than its nodes are wide.
pub(crate) fn cold(graph: &Adjacency, shapes: &[Rect], spread: f32) -> Vec<Point> {
    let mut points = vec![Point::default(); shapes.len()];
    let mut parts = Vec::new();
    let mut alone = Vec::new();
    for part in graph.components() {
        if part.len() == 1 {
            alone.extend(part);
        } else {
            parts.push(part);
        }
    }
    let mut bounds: Vec<Rect> = Vec::new();
    for part in &parts {
        let own: Vec<Rect> = part.iter().map(|&i| shapes[i as usize]).collect();
        let inner = graph.part(part);
        let mut places = stress::place(&inner);
        let mean = own.iter().map(|s| s.width).sum::<f32>() / own.len() as f32;
        let length = mean * 0.72 + spread;
        for place in &mut places {
            place.x *= length;
            place.y *= length;
        }
        turn(&mut places, &inner, &own);
        if part.len() <= ALIGNED {
            align(&mut places);
        }
        overlap::remove(&mut places, &own, GAP, true);
        for (&node, place) in part.iter().zip(&places) {
            points[node as usize] = *place;
        }
        bounds.extend(Rect::around(own.iter().zip(&places).map(|(s, p)| s.at(*p))));
    }
    if !alone.is_empty() {
        bounds.extend(block(&alone, shapes, &mut points));
        parts.push(alone);
    }
    let sizes: Vec<(f32, f32)> = bounds.iter().map(|b| (b.width, b.height)).collect();
    for ((part, from), to) in parts.iter().zip(&bounds).zip(pack::pack(&sizes, PART_GAP)) {
        for &node in part {
            let point = &mut points[node as usize];
            point.x += to.x - from.x;
            point.y += to.y - from.y;
        }
    }
    points
}

/// Lets nodes that are nearly level stand level, and likewise upright: the eye sees the difference,
/// stress does not.
fn align(points: &mut [Point]) {
    const NEARLY: f32 = 15.0;
    let mut along = |get: fn(&mut Point) -> &mut f32| {
        let mut order: Vec<(f32, usize)> = points.iter_mut().map(|p| *get(p)).zip(0..).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut rest = &order[..];
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|p| p.0 - first.0 < NEARLY).count();
            let mean = rest[..count].iter().map(|p| p.0).sum::<f32>() / count as f32;
            for &(_, i) in &rest[..count] {
                *get(&mut points[i]) = mean;
            }
            rest = &rest[count..];
        }
    };
    along(|p| &mut p.y);
    along(|p| &mut p.x);
}

/// Nodes without neighbours in rows.
fn block(nodes: &[u32], shapes: &[Rect], points: &mut [Point]) -> Option<Rect> {
    let of = |&i: &u32| shapes[i as usize];
    let width = nodes.iter().map(of).map(|s| s.width).fold(0.0, f32::max) + 2.0 * GAP;
    let height = nodes.iter().map(of).map(|s| s.height).fold(0.0, f32::max) + 2.0 * GAP;
    let columns = ((nodes.len() as f32 * ASPECT * height / width).sqrt().ceil() as usize).max(1);
    for (k, &node) in nodes.iter().enumerate() {
        points[node as usize] = Point {
            x: (k % columns) as f32 * width,
            y: (k / columns) as f32 * height,
        };
    }
    Rect::around(nodes.iter().map(|i| of(i).at(points[*i as usize])))
}

/// Turns a part so that it lies wide and low, small ones with an edge level: stress says nothing
/// about which way is up.
fn turn(points: &mut [Point], graph: &Adjacency, shapes: &[Rect]) {
    let n = points.len() as f32;
    let (cx, cy) = (
        points.iter().map(|p| p.x).sum::<f32>() / n,
        points.iter().map(|p| p.y).sum::<f32>() / n,
    );
    let (mut xx, mut xy, mut yy) = (0.0f32, 0.0f32, 0.0f32);
    for p in points.iter_mut() {
        p.x -= cx;
        p.y -= cy;
        xx += p.x * p.x;
        xy += p.x * p.y;
        yy += p.y * p.y;
    }
    // Main axis: the eigenvector of the larger eigenvalue of the covariance.
    let half = (xx - yy) / 2.0;
    let root = (half * half + xy * xy).sqrt();
    let axis = if half >= 0.0 {
        (half + root, xy)
    } else {
        (xy, root - half)
    };
    let mut ways = vec![axis];
    if points.len() <= 60 {
        for (a, b) in graph.edges().take(90) {
            let (a, b) = (points[a as usize], points[b as usize]);
            let (dx, dy) = (b.x - a.x, b.y - a.y);
            ways.extend([(dx, dy), (-dx, -dy), (-dy, dx), (dy, -dx)]);
        }
    }
    let mut best: Option<(f32, (f32, f32))> = None;
    for (x, y) in ways {
        let length = (x * x + y * y).sqrt();
        if length < 1e-6 {
            continue;
        }
        let (c, s) = (x / length, y / length);
        let around = Rect::around(points.iter().zip(shapes).map(|(p, shape)| {
            shape.at(Point {
                x: p.x * c + p.y * s,
                y: p.y * c - p.x * s,
            })
        }));
        if let Some(r) = around {
            let cost = r.width.max(r.height * ASPECT) + 0.2 * (r.width + r.height);
            // Strictly better by more than rounding, so that the first of equals wins everywhere.
            if best.is_none_or(|(least, _)| cost < least * 0.999) {
                best = Some((cost, (c, s)));
            }
        }
    }
    if let Some((_, (c, s))) = best {
        for p in points.iter_mut() {
            *p = Point {
                x: p.x * c + p.y * s,
                y: p.y * c - p.x * s,
            };
        }
    }
}

/// Places for nodes of which some have one already: those stay, newcomers go to the nearest free
/// place beside their neighbours.
pub(crate) fn warm(
    graph: &Adjacency,
    shapes: &[Rect],
    known: &[Option<Point>],
    spread: f32,
) -> Vec<Point> {
    let cell = shapes
        .iter()
        .map(|s| s.width.max(s.height))
        .fold(1.0, f32::max);
    let mut points: Vec<Option<Point>> = known.to_vec();
    let mut taken = Grid::new(cell + GAP);
    for (shape, point) in shapes.iter().zip(&points) {
        if let Some(point) = point {
            taken.add(shape.grown(GAP / 2.0).at(*point));
        }
    }
    let mut waiting: Vec<u32> = (0..shapes.len() as u32)
        .filter(|&i| points[i as usize].is_none())
        .collect();
    while !waiting.is_empty() {
        // Whoever has most neighbours with a place goes first.
        let settled = |i: u32| {
            graph
                .of(i)
                .iter()
                .filter(|&&j| points[j as usize].is_some())
                .count()
        };
        let next = (0..waiting.len())
            .max_by_key(|&k| (settled(waiting[k]), std::cmp::Reverse(k)))
            .unwrap_or(0);
        let node = waiting.remove(next);
        let shape = shapes[node as usize].grown(GAP / 2.0);
        let near: Vec<Point> = graph
            .of(node)
            .iter()
            .filter_map(|&j| points[j as usize])
            .collect();
        let wish = wish(&near, &points, shape, &taken, shape.width * 0.72 + spread);
        let place = taken.free_place(shape, wish);
        taken.add(shape.at(place));
        points[node as usize] = Some(place);
    }
    let mut points: Vec<Point> = points.into_iter().flatten().collect();
    // A label that has grown may have come upon its neighbour.
    overlap::remove(&mut points, shapes, GAP, false);
    points
}

/// Where a newcomer with neighbours at `near` wants to be.
fn wish(near: &[Point], all: &[Option<Point>], shape: Rect, taken: &Grid, length: f32) -> Point {
    match near {
        [] => {
            // Alone: below the picture, at its left.
            let bounds = Rect::around(all.iter().flatten().map(|p| Rect::point(*p)));
            bounds.map_or(Point::default(), |b| Point {
                x: b.x,
                y: b.bottom() + shape.height + PART_GAP,
            })
        }
        [one] => {
            // Beside its only neighbour, on the side with most air.
            let mut best = (usize::MAX, *one);
            for (dx, dy) in WAYS {
                let place = Point {
                    x: one.x + dx * length,
                    y: one.y + dy * length,
                };
                let crowd = taken.near(shape.grown(length * 0.4).at(place)).len();
                if crowd < best.0 {
                    best = (crowd, place);
                }
            }
            best.1
        }
        more => Point {
            x: more.iter().map(|p| p.x).sum::<f32>() / more.len() as f32,
            y: more.iter().map(|p| p.y).sum::<f32>() / more.len() as f32,
        },
    }
}

/// Eight directions, level ones first.
const WAYS: [(f32, f32); 8] = [
    (1.0, 0.0),
    (-1.0, 0.0),
    (0.0, 1.0),
    (0.0, -1.0),
    (0.7, 0.7),
    (-0.7, 0.7),
    (0.7, -0.7),
    (-0.7, -0.7),
];
