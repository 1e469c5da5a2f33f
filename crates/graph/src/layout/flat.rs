//! Layout without boxes: each connected part by itself, the parts side by side.

use super::adjacency::Adjacency;
use super::grid::Lattice;
use super::{
    ASPECT, Flat, Known, Layout, circular, force, grid, layered, overlap, pack, radial, stress,
};
use crate::geometry::Grid;
use crate::{Point, Rect};

/// Least room between two nodes.
pub(crate) const GAP: f32 = 14.0;
/// Least room between two nodes that is made where a picture is kept: some layouts set nodes closer
/// than others.
pub(crate) const GAP_KEPT: f32 = GAP / 2.0;
/// Parts of up to so many nodes are aligned.
const ALIGNED: usize = 40;
/// Room between parts that are not connected.
pub(crate) const PART_GAP: f32 = 44.0;

/// Places for all nodes, from nothing. `spread` is what an edge is longer than its nodes are wide.
pub(crate) fn cold(layout: Layout, graph: &Adjacency, shapes: &[Rect], spread: f32) -> Vec<Point> {
    if layout == Layout::Grid {
        return grid::place(graph, shapes, spread);
    }
    let mut points = vec![Point::default(); shapes.len()];
    let mut bounds: Vec<Rect> = Vec::new();
    let parts = parts(layout, graph, shapes, spread, &mut points);
    for part in &parts {
        bounds.extend(extent(part, shapes, &points));
    }
    let sizes: Vec<(f32, f32)> = bounds.iter().map(|b| (b.width, b.height)).collect();
    for ((part, from), to) in parts.iter().zip(&bounds).zip(pack::pack(&sizes, PART_GAP)) {
        shift(
            part,
            &mut points,
            Point {
                x: to.x - from.x,
                y: to.y - from.y,
            },
        );
    }
    points
}

/// Lays out each connected part by itself, wherever that is; those without lines are one part.
fn parts(
    layout: Layout,
    graph: &Adjacency,
    shapes: &[Rect],
    spread: f32,
    points: &mut [Point],
) -> Vec<Vec<u32>> {
    let (alone, mut parts): (Vec<_>, Vec<_>) =
        graph.components().into_iter().partition(|p| p.len() == 1);
    for part in &parts {
        let own: Vec<Rect> = part.iter().map(|&i| shapes[i as usize]).collect();
        let places = connected(layout, &graph.part(part), &own, spread);
        for (&node, place) in part.iter().zip(&places) {
            points[node as usize] = *place;
        }
    }
    if !alone.is_empty() {
        let alone = alone.concat();
        block(&alone, shapes, points);
        parts.push(alone);
    }
    parts
}

/// Places for a connected graph.
pub(crate) fn connected(
    layout: Layout,
    graph: &Adjacency,
    shapes: &[Rect],
    spread: f32,
) -> Vec<Point> {
    let free = |mut places: Vec<Point>| {
        let length = length(shapes, spread);
        for place in &mut places {
            place.x *= length;
            place.y *= length;
        }
        turn(&mut places, graph, shapes);
        if places.len() <= ALIGNED {
            align(&mut places);
        }
        overlap::remove(&mut places, shapes, GAP, true);
        places
    };
    let tidy = |mut places: Vec<Point>| {
        overlap::remove(&mut places, shapes, GAP / 2.0, false);
        places
    };
    match layout {
        Layout::Containment | Layout::Stress | Layout::Grid => free(stress::place(graph)),
        Layout::Force => free(force::place(graph)),
        Layout::Layered => tidy(layered::place(graph, shapes, spread)),
        Layout::Circular => tidy(circular::place(graph, shapes, spread)),
        Layout::Radial => tidy(radial::place(graph, shapes, spread)),
    }
}

/// How long an edge is where nothing is in its way.
fn length(shapes: &[Rect], spread: f32) -> f32 {
    shapes.iter().map(|s| s.width).sum::<f32>() / shapes.len().max(1) as f32 * 0.72 + spread
}

/// Lets the rest of a part follow its pins as far as stress asks for.
fn bend(graph: &Adjacency, shapes: &[Rect], spread: f32, pinned: &[bool], places: &mut [Point]) {
    let length = length(shapes, spread);
    let origin = mean(places);
    let scaled = |p: &Point| Point {
        x: (p.x - origin.x) / length,
        y: (p.y - origin.y) / length,
    };
    let mut unit: Vec<Point> = places.iter().map(scaled).collect();
    stress::settle(graph, &mut unit, pinned);
    for ((place, unit), is_pinned) in places.iter_mut().zip(&unit).zip(pinned) {
        if !is_pinned {
            *place = Point {
                x: unit.x * length + origin.x,
                y: unit.y * length + origin.y,
            };
        }
    }
}

fn extent(part: &[u32], shapes: &[Rect], points: &[Point]) -> Option<Rect> {
    Rect::around(
        part.iter()
            .map(|&i| shapes[i as usize].at(points[i as usize])),
    )
}

fn shift(part: &[u32], points: &mut [Point], by: Point) {
    for &node in part {
        points[node as usize] = points[node as usize].shifted(by);
    }
}

/// Places for all nodes from nothing but pins: a part with pins is moved and turned to where they
/// are, and the other parts go around those.
pub(crate) fn around(layout: Layout, flat: &Flat, known: &Known) -> Vec<Point> {
    let Flat {
        graph,
        shapes,
        spread,
    } = flat;
    if !known.has_pins() {
        return cold(layout, graph, shapes, *spread);
    }
    let pins = &known.pins;
    let mut points = vec![Point::default(); shapes.len()];
    let parts = if layout == Layout::Grid {
        points = grid::place(graph, shapes, *spread);
        vec![(0..shapes.len() as u32).collect()]
    } else {
        parts(layout, graph, shapes, *spread, &mut points)
    };
    let has_pin = |part: &Vec<u32>| part.iter().any(|&i| known.pins[i as usize].is_some());
    let (held, free): (Vec<_>, Vec<_>) = parts.into_iter().partition(has_pin);
    let may_turn = matches!(
        layout,
        Layout::Containment | Layout::Stress | Layout::Force | Layout::Circular | Layout::Radial
    );
    let mut taken = Grid::new(400.0);
    for part in &held {
        let (from, to): (Vec<Point>, Vec<Point>) = part
            .iter()
            .filter_map(|&i| Some((points[i as usize], pins[i as usize]?)))
            .unzip();
        let motion = Motion::between(&from, &to, may_turn);
        for &node in part {
            points[node as usize] =
                pins[node as usize].unwrap_or_else(|| motion.apply(points[node as usize]));
        }
        if to.len() > 1 && matches!(layout, Layout::Containment | Layout::Stress) {
            let own: Vec<Rect> = part.iter().map(|&i| shapes[i as usize]).collect();
            let pinned: Vec<bool> = part.iter().map(|&i| pins[i as usize].is_some()).collect();
            let mut places: Vec<Point> = part.iter().map(|&i| points[i as usize]).collect();
            bend(&graph.part(part), &own, *spread, &pinned, &mut places);
            for (&i, place) in part.iter().zip(places) {
                points[i as usize] = place;
            }
        }
        for &i in part {
            taken.add(
                shapes[i as usize]
                    .grown(PART_GAP / 2.0)
                    .at(points[i as usize]),
            );
        }
    }
    let middle = Rect::around(pins.iter().flatten().map(|p| Rect::point(*p))).unwrap_or_default();
    for part in &free {
        let Some(own) = extent(part, shapes, &points) else {
            continue;
        };
        let center = own.center();
        let shape = own.grown(PART_GAP / 2.0).at(Point {
            x: -center.x,
            y: -center.y,
        });
        let place = taken.free_place(shape, middle.center());
        taken.add(shape.at(place));
        let by = Point {
            x: place.x - center.x,
            y: place.y - center.y,
        };
        shift(part, &mut points, by);
    }
    overlap::remove_around(&mut points, shapes, &known.pinned(), GAP);
    points
}

/// A turn and a shift.
pub(crate) struct Motion {
    cos: f32,
    sin: f32,
    from: Point,
    to: Point,
}

impl Motion {
    /// The motion that brings the points `from` nearest to `to` (least squares: Procrustes), with a
    /// turn or without.
    pub fn between(from: &[Point], to: &[Point], may_turn: bool) -> Self {
        let mut motion = Self {
            cos: 1.0,
            sin: 0.0,
            from: mean(from),
            to: mean(to),
        };
        if may_turn {
            let (mut cos, mut sin) = (0.0f32, 0.0f32);
            for (a, b) in from.iter().zip(to) {
                let (ax, ay) = (a.x - motion.from.x, a.y - motion.from.y);
                let (bx, by) = (b.x - motion.to.x, b.y - motion.to.y);
                cos += ax * bx + ay * by;
                sin += ax * by - ay * bx;
            }
            let length = (cos * cos + sin * sin).sqrt();
            if length > 1e-3 {
                (motion.cos, motion.sin) = (cos / length, sin / length);
            }
        }
        motion
    }

    pub fn apply(&self, p: Point) -> Point {
        let (x, y) = (p.x - self.from.x, p.y - self.from.y);
        Point {
            x: x * self.cos - y * self.sin + self.to.x,
            y: x * self.sin + y * self.cos + self.to.y,
        }
    }
}

/// The mean of some points; the origin for none.
pub(crate) fn mean(points: &[Point]) -> Point {
    let n = points.len().max(1) as f32;
    Point {
        x: points.iter().map(|p| p.x).sum::<f32>() / n,
        y: points.iter().map(|p| p.y).sum::<f32>() / n,
    }
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
fn block(nodes: &[u32], shapes: &[Rect], points: &mut [Point]) {
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
/// place where the layout would have them.
pub(crate) fn warm(layout: Layout, flat: &Flat, known: &Known) -> Vec<Point> {
    let Flat {
        graph,
        shapes,
        spread,
    } = flat;
    if layout == Layout::Circular {
        return circular::warm(flat, known);
    }
    let cell = shapes
        .iter()
        .map(|s| s.width.max(s.height))
        .fold(1.0, f32::max);
    let mut points = known.places();
    let mut taken = Grid::new(cell + GAP);
    for (shape, point) in shapes.iter().zip(&points) {
        if let Some(point) = point {
            taken.add(shape.grown(GAP / 2.0).at(*point));
        }
    }
    let lattice = (layout == Layout::Grid).then(|| Lattice::of(&points, shapes));
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
        let length = shape.width * 0.72 + spread;
        let wish = wish(layout, &near, &points, shape, &taken, length);
        let place = match &lattice {
            Some(lattice) => lattice.free_place(&taken, shape, wish),
            None => taken.free_place(shape, wish),
        };
        taken.add(shape.at(place));
        points[node as usize] = Some(place);
    }
    let mut points: Vec<Point> = points.into_iter().flatten().collect();
    // A label that has grown may have come upon its neighbour.
    overlap::remove_around(&mut points, shapes, &known.pinned(), GAP_KEPT);
    points
}

/// Where a newcomer with neighbours at `near` wants to be.
fn wish(
    layout: Layout,
    near: &[Point],
    all: &[Option<Point>],
    shape: Rect,
    taken: &Grid,
    length: f32,
) -> Point {
    let settled = || all.iter().flatten().copied();
    match (layout, near) {
        (_, []) => {
            // Alone: below the picture, at its left.
            let bounds = Rect::around(settled().map(Rect::point));
            bounds.map_or(Point::default(), |b| Point {
                x: b.x,
                y: b.bottom() + shape.height + PART_GAP,
            })
        }
        (Layout::Layered, _) => {
            // In the layer below its neighbours, or between them.
            let at = mean(near);
            let lowest = near.iter().map(|p| p.y).fold(f32::MIN, f32::max);
            let below = if lowest - at.y < shape.height {
                lowest + shape.height + length * 0.3
            } else {
                at.y
            };
            let layer = settled()
                .map(|p| p.y)
                .min_by(|a, b| (a - below).abs().total_cmp(&(b - below).abs()))
                .filter(|y| (y - below).abs() < shape.height);
            Point {
                x: at.x,
                y: layer.unwrap_or(below),
            }
        }
        (Layout::Radial, _) => {
            // Outwards from its neighbours.
            let bounds = Rect::around(settled().map(Rect::point)).unwrap_or_default();
            let (at, middle) = (mean(near), bounds.center());
            let far = at.distance(middle).max(1.0);
            at.towards(middle, -length / far)
        }
        (_, [one]) => {
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
        (_, more) => mean(more),
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
