//! How large the groups' boxes are. The layouts and the scene must agree on it.

use crate::shape::{Slot, box_around, heading_width};
use crate::{Diagram, Point, Rect};

/// Least room between two boxes that are drawn larger than they need to be.
const EVEN_GAP: f32 = 28.0;
/// Beyond so many boxes nobody sees whether they are of one size.
const EVENED: usize = 400;

/// The nodes of each group, ascending.
pub(crate) fn members(diagram: &Diagram) -> Vec<Vec<u32>> {
    let mut members = vec![Vec::new(); diagram.groups.len()];
    for (index, node) in diagram.nodes.iter().enumerate() {
        if let Some(list) = node.group.and_then(|g| members.get_mut(g as usize)) {
            list.push(index as u32);
        }
    }
    members
}

/// The box that each group needs, given the places of all nodes and the centre of each group; the
/// centre counts only where the group has no member with a place.
pub(crate) fn needed(
    diagram: &Diagram,
    nodes: &[Option<Point>],
    groups: &[Option<Point>],
) -> Vec<Option<Rect>> {
    let slot = Slot::of(diagram);
    members(diagram)
        .iter()
        .enumerate()
        .map(|(g, list)| {
            let heading = heading_width(&diagram.groups[g]);
            let inner = Rect::around(
                list.iter()
                    .filter_map(|&i| nodes[i as usize])
                    .map(Rect::point),
            );
            match (inner, groups[g]) {
                (Some(inner), _) => Some(box_around(inner, slot, heading)),
                (None, Some(center)) => Some(empty(center, slot, heading)),
                (None, None) => None,
            }
        })
        .collect()
}

/// The box of a group without members.
pub(crate) fn empty(center: Point, slot: Slot, heading: f32) -> Rect {
    let rect = box_around(Rect::point(center), slot, heading);
    let off = rect.center();
    rect.at(Point {
        x: center.x - off.x,
        y: center.y - off.y,
    })
}

/// The size that all boxes would share: none when they differ too much for that.
pub(crate) fn even_size(sizes: &[(f32, f32)]) -> Option<(f32, f32)> {
    let width = sizes.iter().map(|s| s.0).fold(0.0, f32::max);
    let height = sizes.iter().map(|s| s.1).fold(0.0, f32::max);
    let mut areas: Vec<f32> = sizes.iter().map(|s| s.0 * s.1).collect();
    areas.sort_by(f32::total_cmp);
    let median = *areas.get(areas.len() / 2)?;
    (width * height <= 2.4 * median && sizes.len() <= EVENED).then_some((width, height))
}

/// Grows boxes to one size where there is room for that between them and `others`.
pub(crate) fn even(boxes: &mut [Option<Rect>], others: &[Rect]) {
    let sizes: Vec<(f32, f32)> = boxes
        .iter()
        .flatten()
        .map(|b| (b.width, b.height))
        .collect();
    let Some((width, height)) = even_size(&sizes) else {
        return;
    };
    let grown: Vec<Option<Rect>> = boxes
        .iter()
        .map(|rect| {
            rect.map(|r| Rect {
                x: r.x - (width - r.width) / 2.0,
                y: r.y - (height - r.height) / 2.0,
                width,
                height,
            })
        })
        .collect();
    for i in 0..boxes.len() {
        let Some(rect) = grown[i] else { continue };
        let room = rect.grown(EVEN_GAP);
        let clear = grown
            .iter()
            .enumerate()
            .all(|(j, other)| i == j || other.is_none_or(|other| !room.overlaps(other)))
            && !others.iter().any(|other| rect.grown(4.0).overlaps(*other));
        if clear {
            boxes[i] = Some(rect);
        }
    }
}
