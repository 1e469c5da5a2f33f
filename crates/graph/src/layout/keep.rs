//! Containment once more, after a small change: what had a place keeps it.

use super::contain::{Plan, member_rows, place_loose};
use super::{Known, flat, overlap};
use crate::boxes;
use crate::geometry::Grid;
use crate::shape::heading_width;
use crate::{End, Point, Rect};

/// Least room between boxes; lanes begin wider, so that most growth takes from them.
const BOX_GAP: f32 = 36.0;

/// Places for all nodes and groups, from those that are known.
pub(crate) fn warm(
    plan: &Plan,
    known_nodes: &Known,
    known_groups: &Known,
) -> (Vec<Point>, Vec<Point>) {
    let count = plan.members.len();
    let mut nodes = known_nodes.before.clone();
    let mut groups = known_groups.places();
    expel(plan, &mut nodes, &known_groups.before);
    let pinned: Vec<bool> = plan
        .members
        .iter()
        .zip(&known_groups.pins)
        .map(|(list, pin)| {
            pin.is_some() || list.iter().any(|&i| known_nodes.pins[i as usize].is_some())
        })
        .collect();
    if pinned.contains(&true) {
        follow(plan, &mut nodes, &mut groups, known_nodes, known_groups);
    }
    for (place, pin) in nodes.iter_mut().zip(&known_nodes.pins) {
        *place = pin.or(*place);
    }

    // New boxes near what they are linked to, else to the right of all others.
    for (g, list) in plan.members.iter().enumerate() {
        if groups[g].is_none() {
            let (center, seats) = place_box(plan, g, &nodes, &groups);
            groups[g] = Some(center);
            for (&node, seat) in list.iter().zip(seats) {
                nodes[node as usize] = Some(seat);
            }
        }
    }
    for (g, list) in plan.members.iter().enumerate() {
        for &node in list {
            if nodes[node as usize].is_none() {
                nodes[node as usize] = Some(seat_for(plan, g, node, &nodes, groups[g]));
            }
        }
    }
    // A pinned box has the middle of all its members where its pin is.
    let rects = boxes::needed(plan.diagram, &nodes, &groups);
    for (g, list) in plan.members.iter().enumerate() {
        if let (Some(pin), Some(rect)) = (known_groups.pins[g], rects[g]) {
            let by = from_to(rect.center(), pin);
            carry(list, &mut nodes, &known_nodes.pins, by);
        }
    }

    // Boxes that have grown push their neighbours, and take their members along.
    let rects: Vec<Rect> = boxes::needed(plan.diagram, &nodes, &groups)
        .into_iter()
        .map(Option::unwrap_or_default)
        .collect();
    let loose: Vec<u32> = plan
        .loose
        .iter()
        .copied()
        .filter(|&i| nodes[i as usize].is_some())
        .collect();
    let mut at: Vec<Point> = rects.iter().map(|r| r.center()).collect();
    let mut shapes: Vec<Rect> = rects
        .iter()
        .map(|r| Rect {
            x: -r.width / 2.0,
            y: -r.height / 2.0,
            ..*r
        })
        .map(|r| r.grown((BOX_GAP - flat::GAP) / 2.0))
        .collect();
    for &i in &loose {
        at.extend(nodes[i as usize]);
        shapes.push(plan.shapes[i as usize].grown(-7.0));
    }
    let before = at.clone();
    let mut fixed = pinned;
    fixed.extend(
        loose
            .iter()
            .map(|&i| known_nodes.pins[i as usize].is_some()),
    );
    overlap::remove_around(&mut at, &shapes, &fixed, flat::GAP);
    let mut moved_rects = rects;
    for g in 0..count {
        let by = Point {
            x: (at[g].x - before[g].x).round(),
            y: (at[g].y - before[g].y).round(),
        };
        moved_rects[g] = moved_rects[g].at(by);
        for &node in &plan.members[g] {
            if let Some(point) = &mut nodes[node as usize] {
                point.x += by.x;
                point.y += by.y;
            }
        }
    }
    for (k, &i) in loose.iter().enumerate() {
        if at[count + k] != before[count + k] {
            nodes[i as usize] = Some(at[count + k]);
        }
    }
    let centers: Vec<Point> = moved_rects.iter().map(|r| r.center()).collect();
    place_loose(plan, &moved_rects, &centers, &mut nodes, false);
    (
        nodes.into_iter().map(Option::unwrap_or_default).collect(),
        centers,
    )
}

/// Lets the members of a box come along with what is pinned of it: the box, or a member that was
/// taken out of it. Who then sits where a pinned one is loses the seat.
fn follow(
    plan: &Plan,
    nodes: &mut [Option<Point>],
    groups: &mut [Option<Point>],
    known_nodes: &Known,
    known_groups: &Known,
) {
    let rects = boxes::needed(plan.diagram, nodes, &known_groups.before);
    for (g, list) in plan.members.iter().enumerate() {
        let held: Vec<(Option<Point>, Point)> = list
            .iter()
            .filter_map(|&i| Some((nodes[i as usize], known_nodes.pins[i as usize]?)))
            .collect();
        let by = match (known_groups.pins[g], held.first(), rects[g]) {
            (Some(pin), _, Some(rect)) => from_to(rect.center(), pin),
            (None, Some(&(before, pin)), Some(rect)) if !rect.contains(pin) => {
                from_to(before.unwrap_or(rect.center()), pin)
            }
            (None, Some(&(_, pin)), None) => {
                groups[g] = Some(pin);
                continue;
            }
            _ => Point::default(),
        };
        carry(list, nodes, &known_nodes.pins, by);
        if let (None, Some(center)) = (known_groups.pins[g], &mut groups[g]) {
            *center = center.shifted(by);
        }
        let (step_x, step_y) = (plan.slot.step_x() - 1.0, plan.slot.step_y() - 1.0);
        for &i in list {
            let is_on = |(_, pin): &(Option<Point>, Point)| {
                nodes[i as usize]
                    .is_some_and(|p| (p.x - pin.x).abs() < step_x && (p.y - pin.y).abs() < step_y)
            };
            if held.iter().any(is_on) {
                nodes[i as usize] = None;
            }
        }
    }
}

/// Moves those of `list` that have a place and no pin.
fn carry(list: &[u32], nodes: &mut [Option<Point>], pins: &[Option<Point>], by: Point) {
    for &i in list {
        if let (Some(point), None) = (&mut nodes[i as usize], pins[i as usize]) {
            *point = point.shifted(by);
        }
    }
}

fn from_to(from: Point, to: Point) -> Point {
    Point {
        x: to.x - from.x,
        y: to.y - from.y,
    }
}

/// Takes their place from members that sit in a foreign box: they came from there.
fn expel(plan: &Plan, nodes: &mut [Option<Point>], groups: &[Option<Point>]) {
    let centers: Vec<(usize, Point)> = groups
        .iter()
        .enumerate()
        .filter_map(|(g, p)| p.map(|p| (g, p)))
        .collect();
    for (g, list) in plan.members.iter().enumerate() {
        // Each group's own reach, in slots, from the number of its members.
        for &node in list {
            let Some(point) = nodes[node as usize] else {
                continue;
            };
            let far = |h: usize, center: Point| {
                let side = (plan.members[h].len().max(1) as f32).sqrt();
                let dx = (point.x - center.x).abs() / plan.slot.step_x();
                let dy = (point.y - center.y).abs() / plan.slot.step_y();
                dx.max(dy) / (side + 1.0)
            };
            let own = groups[g].map_or(f32::MAX, |center| far(g, center));
            if centers
                .iter()
                .any(|&(h, center)| h != g && far(h, center) < own * 0.8)
            {
                nodes[node as usize] = None;
            }
        }
    }
}

/// A place for a new box, and for its members.
fn place_box(
    plan: &Plan,
    group: usize,
    nodes: &[Option<Point>],
    groups: &[Option<Point>],
) -> (Point, Vec<Point>) {
    let rects: Vec<Rect> = boxes::needed(plan.diagram, nodes, groups)
        .into_iter()
        .flatten()
        .collect();
    let rows = member_rows(plan.members[group].len(), 1.2);
    let center = Point::default();
    let seats = plan.seats(center, &rows);
    let heading = heading_width(&plan.diagram.groups[group]);
    let shape = Rect::around(seats.iter().copied().map(Rect::point)).map_or_else(
        || boxes::empty(center, plan.slot, heading),
        |inner| crate::shape::box_around(inner, plan.slot, heading),
    );
    let cell = rects.iter().map(|r| r.width).fold(200.0, f32::max);
    let mut taken = Grid::of(cell, rects.iter().map(|r| r.grown(BOX_GAP)));
    for &i in &plan.loose {
        if let Some(point) = nodes[i as usize] {
            taken.add(plan.shapes[i as usize].at(point));
        }
    }
    let all = Rect::around(rects).unwrap_or_default();
    // Near the middle of what it is linked to, if to anything.
    let linked: Vec<Point> = plan
        .diagram
        .lasting_edges()
        .filter_map(|edge| {
            let own = |end: End| match end {
                End::Group(g) => g as usize == group,
                End::Node(n) => plan.members[group].binary_search(&n).is_ok(),
            };
            let place = |end: End| match end {
                End::Group(g) => groups.get(g as usize).copied().flatten(),
                End::Node(n) => nodes.get(n as usize).copied().flatten(),
            };
            if own(edge.a) {
                place(edge.b)
            } else if own(edge.b) {
                place(edge.a)
            } else {
                None
            }
        })
        .collect();
    let wish = if linked.is_empty() {
        Point {
            x: all.right() + BOX_GAP * 2.0,
            y: all.bottom() - shape.height / 2.0,
        }
    } else {
        Point {
            x: linked.iter().map(|p| p.x).sum::<f32>() / linked.len() as f32,
            y: linked.iter().map(|p| p.y).sum::<f32>() / linked.len() as f32,
        }
    };
    let place = taken.free_place(shape.grown(8.0), wish);
    let place = Point {
        x: place.x.round(),
        y: place.y.round(),
    };
    (place, seats.into_iter().map(|s| s.shifted(place)).collect())
}

/// A seat for a new member of a box: free, making the box grow little, near its neighbours.
fn seat_for(
    plan: &Plan,
    group: usize,
    node: u32,
    nodes: &[Option<Point>],
    center: Option<Point>,
) -> Point {
    let seated: Vec<Point> = plan.members[group]
        .iter()
        .filter_map(|&i| nodes[i as usize])
        .collect();
    let Some(inner) = Rect::around(seated.iter().copied().map(Rect::point)) else {
        let center = center.unwrap_or_default();
        return Point {
            x: center.x.round(),
            y: (center.y + plan.slot.drop()).round(),
        };
    };
    let near: Vec<Point> = plan
        .diagram
        .lasting_edges()
        .filter_map(|edge| match (edge.a, edge.b) {
            (End::Node(a), End::Node(b)) if a == node => nodes.get(b as usize).copied().flatten(),
            (End::Node(a), End::Node(b)) if b == node => nodes.get(a as usize).copied().flatten(),
            _ => None,
        })
        .collect();
    let (step_x, step_y) = (plan.slot.step_x(), plan.slot.step_y());
    let (wide, high) = (inner.width / step_x, inner.height / step_y);
    let mut best: Option<(f32, Point)> = None;
    // Half steps from the middle meet both rows of odd and of even length.
    let (kx, ky) = ((wide as i32) + 2, (high as i32) + 2);
    let middle = inner.center();
    for j in -ky..=ky {
        for i in -kx..=kx {
            let seat = Point {
                x: middle.x + i as f32 * step_x / 2.0,
                y: middle.y + j as f32 * step_y / 2.0,
            };
            let taken = seated.iter().any(|s| {
                (s.x - seat.x).abs() < step_x - 1.0 && (s.y - seat.y).abs() < step_y - 1.0
            });
            if taken {
                continue;
            }
            let grown = inner.union(Rect::point(seat));
            let growth = (grown.width - inner.width) + (grown.height - inner.height);
            // A new row rather than a new column of its own, in line with what is there.
            let off_row = seated
                .iter()
                .all(|s| (s.y - seat.y).abs() > 1.0 && growth < 1.0);
            let length: f32 = near.iter().map(|p| p.distance(seat)).sum();
            let cost = growth * 4.0
                + if off_row { 200.0 } else { 0.0 }
                + length
                + 0.1 * seat.distance(middle)
                + if grown.width > inner.width && wide > high + 0.5 {
                    80.0
                } else {
                    0.0
                };
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, seat));
            }
        }
    }
    best.map_or(middle, |(_, seat)| seat)
}
