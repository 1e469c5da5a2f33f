//! Containment: members in boxes, boxes in rows, the rest in the lanes between them.
//!
//! Boxes are ordered by stress over what links them, dealt to rows of about equal length so that
//! the picture is as wide as a screen, and then trade places ([`assign`](super::assign)); members
//! sit in rows inside their box and trade places likewise. Rows rather than free places: boxes of
//! one size on a common line are read as a list of hosts, and the lanes between them stay free
//! for cables and their capacities. Boxes of one site have rows of their own,
//! where sites are large enough for rows.

use super::adjacency::Adjacency;
use super::assign::{Wire, assign};
use super::{ASPECT, Known, Layout, flat, keep};
use crate::boxes;
use crate::geometry::Grid;
use crate::shape::{HEAD, PADDING, Slot, box_around, footprint, heading_width};
use crate::{Diagram, End, Group, Point, Rect};
use std::collections::BTreeMap;

/// Lanes between boxes, wide enough for a label such as `100 Gbit/s`.
const LANE_X: f32 = 104.0;
/// Lanes between rows of boxes.
const LANE_Y: f32 = 84.0;
/// The same where nodes are drawn in them.
const LANE_Y_USED: f32 = 112.0;

/// How much wider the lane between rows of two sites is.
const LANE_SITES: f32 = 60.0;

/// Sites have rows of their own where they have so many boxes on average: rows of one or two would
/// make a tower.
const SITE_LEAST: usize = 3;

/// Where the host of a box stands, if anybody knows: boxes of one site stand together.
fn site(group: &Group) -> Option<&str> {
    Some(group.facts.site.as_str()).filter(|site| !site.is_empty())
}

/// A diagram as containment sees it.
pub(crate) struct Plan<'a> {
    pub diagram: &'a Diagram,
    pub members: Vec<Vec<u32>>,
    /// The boxes of each site, the sites by name, last those of which none is known.
    sites: Vec<Vec<u32>>,
    pub slot: Slot,
    /// Each node's group, if it has one that exists.
    pub group: Vec<Option<u32>>,
    /// Nodes outside of all boxes.
    pub loose: Vec<u32>,
    pub shapes: Vec<Rect>,
}

impl<'a> Plan<'a> {
    pub fn new(diagram: &'a Diagram) -> Self {
        let known = |g: &u32| (*g as usize) < diagram.groups.len();
        let group: Vec<Option<u32>> = diagram
            .nodes
            .iter()
            .map(|n| n.group.filter(known))
            .collect();
        let mut sites: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for (group, g) in diagram.groups.iter().zip(0..) {
            let site = site(group);
            sites.entry((site.is_none(), site)).or_default().push(g);
        }
        Self {
            diagram,
            members: boxes::members(diagram),
            sites: if sites.len() * SITE_LEAST <= diagram.groups.len() {
                sites.into_values().collect()
            } else {
                vec![(0..diagram.groups.len() as u32).collect()]
            },
            slot: Slot::of(diagram),
            loose: (0..diagram.nodes.len() as u32)
                .filter(|&i| group[i as usize].is_none())
                .collect(),
            group,
            shapes: diagram.nodes.iter().map(footprint).collect(),
        }
    }

    /// Room between rows of boxes.
    fn lane_y(&self) -> f32 {
        if self.loose.is_empty() {
            LANE_Y
        } else {
            LANE_Y_USED
        }
    }

    /// Ends of the edges that have two, as items: groups first, then nodes.
    fn ends(&self) -> impl Iterator<Item = (u32, u32)> {
        let groups = self.diagram.groups.len() as u32;
        let nodes = self.diagram.nodes.len() as u32;
        let item = move |end: End| match end {
            End::Group(g) if g < groups => Some(g),
            End::Node(n) if n < nodes => Some(groups + n),
            _ => None,
        };
        self.diagram
            .lasting_edges()
            .filter_map(move |e| Some((item(e.a)?, item(e.b)?)))
            .filter(|(a, b)| a != b)
    }

    /// The box that an item is in or is; none for loose nodes.
    fn box_of(&self, item: u32) -> Option<u32> {
        let groups = self.diagram.groups.len() as u32;
        if item < groups {
            Some(item)
        } else {
            self.group[(item - groups) as usize]
        }
    }

    /// What links each box to others, directly or through one loose node.
    fn box_wires(&self) -> Vec<Wire> {
        let groups = self.diagram.groups.len() as u32;
        let mut weights: BTreeMap<(u32, u32), f32> = BTreeMap::new();
        let mut beside: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let mut add = |a: u32, b: u32, weight: f32| {
            if a != b {
                *weights.entry((a.min(b), a.max(b))).or_default() += weight;
            }
        };
        for (a, b) in self.ends() {
            match (self.box_of(a), self.box_of(b)) {
                // A cable is drawn from box to box and must not run behind a third.
                (Some(g), Some(h)) => add(g, h, if a < groups && b < groups { 2.0 } else { 1.0 }),
                (Some(g), None) => beside.entry(b).or_default().push(g),
                (None, Some(h)) => beside.entry(a).or_default().push(h),
                (None, None) => {}
            }
        }
        for around in beside.values().filter(|list| list.len() <= 12) {
            for (k, &g) in around.iter().enumerate() {
                for &h in &around[..k] {
                    add(g, h, 1.0 / (around.len() - 1) as f32);
                }
            }
        }
        weights
            .into_iter()
            .map(|((a, b), weight)| Wire { a, b, weight })
            .collect()
    }

    /// Size of a group's box when its members sit in rows of these lengths.
    fn box_size(&self, group: usize, rows: &[usize]) -> (f32, f32) {
        let longest = rows.iter().copied().max().unwrap_or(1).max(1);
        let rect = box_around(
            Rect {
                x: 0.0,
                y: 0.0,
                width: (longest - 1) as f32 * self.slot.step_x(),
                height: rows.len().saturating_sub(1) as f32 * self.slot.step_y(),
            },
            self.slot,
            heading_width(&self.diagram.groups[group]),
        );
        (rect.width, rect.height)
    }

    /// Places for the members of a box with this centre, in rows of these lengths.
    pub fn seats(&self, center: Point, rows: &[usize]) -> Vec<Point> {
        let (step_x, step_y) = (self.slot.step_x(), self.slot.step_y());
        let mut seats = Vec::new();
        for (r, &count) in rows.iter().enumerate() {
            for k in 0..count {
                seats.push(Point {
                    x: center.x + (k as f32 - (count - 1) as f32 / 2.0) * step_x,
                    y: center.y
                        + self.slot.drop()
                        + (r as f32 - (rows.len() - 1) as f32 / 2.0) * step_y,
                });
            }
        }
        seats
    }
}

/// `count` dealt to `rows` rows, as evenly as can be, the longer ones in the middle.
fn deal(count: usize, rows: usize) -> Vec<usize> {
    let rows = rows.clamp(1, count.max(1));
    let mut lengths = vec![count / rows; rows];
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by_key(|&r| (2 * r + 1).abs_diff(rows));
    for &r in order.iter().take(count % rows) {
        lengths[r] += 1;
    }
    lengths
}

/// Rows for `count` members where a box is `shape` times as many slots wide as high.
pub(crate) fn member_rows(count: usize, shape: f32) -> Vec<usize> {
    let rows = if count == 2 && shape > 0.7 {
        1
    } else {
        ((count as f32 / shape).sqrt() - 0.35).ceil().max(1.0) as usize
    };
    deal(count, rows)
}

/// How the boxes are set: members' rows and sizes of each, boxes a row of each site.
struct Setting {
    inner: Vec<Vec<usize>>,
    sizes: Vec<(f32, f32)>,
    rows: Vec<Vec<usize>>,
}

/// How far a ratio is from the wanted one: nearly the difference of their logarithms, which are not
/// the same on all platforms.
fn off(ratio: f32, wanted: f32) -> f32 {
    2.0 * (ratio - wanted).abs() / (ratio + wanted)
}

/// The setting whose picture has the wanted shape.
fn choose(plan: &Plan) -> Setting {
    let count = plan.members.len();
    let largest = plan.members.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let mut best: Option<(f32, Setting)> = None;
    let columns_most = largest.min(((largest as f32).sqrt() * 2.0).ceil() as usize);
    for columns in 1..=columns_most {
        let shape = columns as f32 / largest.div_ceil(columns) as f32;
        let inner: Vec<Vec<usize>> = plan
            .members
            .iter()
            .map(|m| member_rows(m.len(), shape))
            .collect();
        let mut sizes: Vec<(f32, f32)> = (0..count).map(|g| plan.box_size(g, &inner[g])).collect();
        if let Some(even) = boxes::even_size(&sizes) {
            sizes.fill(even);
        }
        let mean = |f: fn(&(f32, f32)) -> f32| sizes.iter().map(f).sum::<f32>() / count as f32;
        let (width, height) = (mean(|s| s.0), mean(|s| s.1));
        for rows in 1..=count.min(64) {
            // No row has boxes of two sites.
            let columns = count.div_ceil(rows);
            let dealt: Vec<Vec<usize>> = plan
                .sites
                .iter()
                .map(|site| deal(site.len(), site.len().div_ceil(columns)))
                .collect();
            let lengths = || dealt.iter().flatten().copied();
            let longest = lengths().max().unwrap_or(1) as f32;
            let shortest = lengths().min().unwrap_or(1) as f32;
            let high = lengths().count() as f32 * (height + plan.lane_y())
                + (dealt.len() - 1) as f32 * LANE_SITES;
            let aspect = longest * (width + LANE_X) / high;
            let cost = off(aspect, ASPECT)
                + 0.25 * off(width / height, 1.25)
                + 0.3 * (longest - shortest) / longest;
            if best.as_ref().is_none_or(|(least, _)| cost < least - 1e-4) {
                let setting = Setting {
                    inner: inner.clone(),
                    sizes: sizes.clone(),
                    rows: dealt,
                };
                best = Some((cost, setting));
            }
        }
    }
    // There is at least one group, one column and one row.
    best.map_or_else(
        || Setting {
            inner: Vec::new(),
            sizes: Vec::new(),
            rows: Vec::new(),
        },
        |(_, setting)| setting,
    )
}

/// Places for all nodes and groups, from nothing but pins.
pub(crate) fn around(
    layout: Layout,
    plan: &Plan,
    nodes: &Known,
    groups: &Known,
) -> (Vec<Point>, Vec<Point>) {
    let (at, centers) = cold(layout, plan);
    let pins = nodes.pins.iter().chain(&groups.pins);
    let (from, to): (Vec<Point>, Vec<Point>) = at
        .iter()
        .chain(&centers)
        .zip(pins)
        .filter_map(|(place, pin)| Some((*place, (*pin)?)))
        .unzip();
    if to.is_empty() {
        return (at, centers);
    }
    // The whole picture goes to where the pins are; then those are a small change to it.
    let motion = flat::Motion::between(&from, &to, false);
    let amid = |places: &[Point], pins: &[Option<Point>]| Known {
        before: places
            .iter()
            .map(|place| motion.apply(*place))
            .map(|place| {
                Some(Point {
                    x: place.x.round(),
                    y: place.y.round(),
                })
            })
            .collect(),
        pins: pins.to_vec(),
    };
    keep::warm(plan, &amid(&at, &nodes.pins), &amid(&centers, &groups.pins))
}

/// Places for all nodes and groups, from nothing.
fn cold(layout: Layout, plan: &Plan) -> (Vec<Point>, Vec<Point>) {
    let mut nodes: Vec<Option<Point>> = vec![None; plan.diagram.nodes.len()];
    let (setting, centers) = if layout == Layout::Containment {
        let setting = choose(plan);
        let centers = set_boxes(plan, &setting);
        (setting, centers)
    } else {
        set_free(layout, plan, &mut nodes)
    };
    for (g, list) in plan.members.iter().enumerate() {
        for (&node, seat) in list.iter().zip(plan.seats(centers[g], &setting.inner[g])) {
            nodes[node as usize] = Some(seat);
        }
    }
    let rects: Vec<Rect> = centers
        .iter()
        .zip(&setting.sizes)
        .map(|(c, s)| Rect {
            x: c.x - s.0 / 2.0,
            y: c.y - s.1 / 2.0,
            width: s.0,
            height: s.1,
        })
        .collect();
    let settled = nodes.clone();
    place_loose(plan, &rects, &centers, &mut nodes, true);
    let mut at: Vec<Point> = nodes.into_iter().map(Option::unwrap_or_default).collect();
    let mut bodies: Vec<Rect> = plan.shapes.iter().map(|s| s.grown(-2.0)).collect();
    let mut class = plan.group.clone();
    // Headings stay where they are, and lines should not run over them either.
    for (rect, group) in rects.iter().zip(&plan.diagram.groups) {
        at.push(Point {
            x: rect.x,
            y: rect.y,
        });
        class.push(None);
        bodies.push(Rect {
            x: PADDING,
            y: 10.0,
            width: heading_width(group) + 26.0,
            height: HEAD - 18.0,
        });
    }
    assign(&mut at, &class, &bodies, &node_wires(plan));
    at.truncate(plan.shapes.len());
    // Once more, now that their neighbours sit.
    let mut nodes: Vec<Option<Point>> = at.into_iter().map(Some).collect();
    for &i in &plan.loose {
        nodes[i as usize] = settled[i as usize];
    }
    place_loose(plan, &rects, &centers, &mut nodes, false);
    let at = nodes.into_iter().map(Option::unwrap_or_default).collect();
    (at, centers)
}

/// Boxes as nodes of a graph, by a layout that knows nothing of boxes: centres of the boxes, and the
/// places of those loose nodes that are not between boxes alone (segments are, and get their places
/// later). The lines are the cables, where those hold everything together: what runs over them
/// follows; else everything that links two boxes.
fn set_free(layout: Layout, plan: &Plan, nodes: &mut [Option<Point>]) -> (Setting, Vec<Point>) {
    let count = plan.members.len();
    let inner: Vec<Vec<usize>> = plan
        .members
        .iter()
        .map(|m| member_rows(m.len(), 1.2))
        .collect();
    let mut sizes: Vec<(f32, f32)> = (0..count).map(|g| plan.box_size(g, &inner[g])).collect();
    if let Some(even) = boxes::even_size(&sizes) {
        sizes.fill(even);
    }
    // Loose nodes that have a loose neighbour, or none at all.
    let all = Adjacency::new(count + nodes.len(), plan.ends());
    let is_between = |&&node: &&u32| {
        let near = all.of(count as u32 + node);
        !near.is_empty() && near.iter().all(|&item| plan.box_of(item).is_some())
    };
    let free: Vec<u32> = plan
        .loose
        .iter()
        .filter(|i| !is_between(i))
        .copied()
        .collect();
    // Half of a lane around each box.
    let mut shapes: Vec<Rect> = sizes
        .iter()
        .map(|&(width, height)| {
            let (wide, high) = (
                width + LANE_X - flat::GAP,
                height + plan.lane_y() - flat::GAP,
            );
            Rect {
                x: -wide / 2.0,
                y: -high / 2.0,
                width: wide,
                height: high,
            }
        })
        .collect();
    shapes.extend(free.iter().map(|&i| plan.shapes[i as usize]));
    let item = |end: u32| {
        plan.box_of(end).or_else(|| {
            let loose = free.binary_search(&(end - count as u32)).ok()?;
            Some((count + loose) as u32)
        })
    };
    let ends = plan.ends().filter_map(|(a, b)| Some((item(a)?, item(b)?)));
    let wires = plan.box_wires();
    let everything = ends.chain(wires.iter().map(|w| (w.a, w.b)));
    let mut graph = Adjacency::new(shapes.len(), everything);
    let boxed = |end: u32| plan.box_of(end).is_some();
    let cables = plan.ends().filter(|&(a, b)| {
        let is_cable = a < count as u32 && b < count as u32;
        is_cable || !(boxed(a) && boxed(b))
    });
    let cables = Adjacency::new(
        shapes.len(),
        cables.filter_map(|(a, b)| Some((item(a)?, item(b)?))),
    );
    if cables.components().len() == graph.components().len() {
        graph = cables;
    }
    let places = flat::cold(layout, &graph, &shapes, 0.0);
    for (&node, place) in free.iter().zip(&places[count..]) {
        nodes[node as usize] = Some(*place);
    }
    let centers = places[..count]
        .iter()
        .map(|p| Point {
            x: p.x.round(),
            y: p.y.round(),
        })
        .collect();
    let setting = Setting {
        inner,
        sizes,
        rows: Vec::new(),
    };
    (setting, centers)
}

/// Lines between nodes.
fn node_wires(plan: &Plan) -> Vec<Wire> {
    let nodes = plan.diagram.nodes.len() as u32;
    plan.diagram
        .lasting_edges()
        .filter_map(|edge| match (edge.a, edge.b) {
            (End::Node(a), End::Node(b)) if a < nodes && b < nodes && a != b => {
                Some(Wire { a, b, weight: 1.0 })
            }
            _ => None,
        })
        .collect()
}

/// Centres of the boxes, in rows.
fn set_boxes(plan: &Plan, setting: &Setting) -> Vec<Point> {
    let count = plan.members.len();
    let wires = plan.box_wires();
    let width = setting.sizes.iter().map(|s| s.0).sum::<f32>() / count as f32;
    let height = setting.sizes.iter().map(|s| s.1).sum::<f32>() / count as f32;
    let nominal = Rect {
        x: -width / 2.0,
        y: -height / 2.0,
        width,
        height,
    };

    // By stress, then dealt to rows.
    let graph = Adjacency::new(count, wires.iter().map(|w| (w.a, w.b)));
    let loose = flat::cold(Layout::Stress, &graph, &vec![nominal; count], LANE_X);
    let by = |f: fn(Point) -> f32| {
        let loose = &loose;
        move |a: &u32, b: &u32| {
            f(loose[*a as usize])
                .total_cmp(&f(loose[*b as usize]))
                .then(a.cmp(b))
        }
    };
    let mut slots: Vec<Vec<Point>> = Vec::new();
    let mut at = vec![Point::default(); count];
    let mut class = vec![None; count];
    let mut y = 0.0;
    for ((site, rows), k) in plan.sites.iter().zip(&setting.rows).zip(0..) {
        let mut order = site.clone();
        order.sort_by(by(|p| p.y));
        let mut rest = &mut order[..];
        for &length in rows {
            let (row, later) = rest.split_at_mut(length.min(rest.len()));
            row.sort_by(by(|p| p.x));
            let mut own = Vec::new();
            for (column, &g) in row.iter().enumerate() {
                let slot = Point {
                    x: (column as f32 - (length - 1) as f32 / 2.0) * (width + LANE_X),
                    y,
                };
                own.push(slot);
                at[g as usize] = slot;
                class[g as usize] = Some(k);
            }
            slots.push(own);
            y += height + plan.lane_y();
            rest = later;
        }
        y += LANE_SITES;
    }
    let bodies = vec![nominal.grown(-8.0); count];
    assign(&mut at, &class, &bodies, &wires);

    // From slots to places: rows as high as their highest box, boxes as wide as they are.
    let mut centers = vec![Point::default(); count];
    let mut y = 0.0;
    let lasts = setting.rows.iter().flat_map(|rows| {
        let last = rows.len().saturating_sub(1);
        (0..rows.len()).map(move |r| r == last)
    });
    for (row, is_last_of_site) in slots.iter().zip(lasts) {
        let row: Vec<usize> = row
            .iter()
            .filter_map(|slot| at.iter().position(|p| p == slot))
            .collect();
        let total: f32 = row
            .iter()
            .map(|&g| setting.sizes[g].0 + LANE_X)
            .sum::<f32>()
            - LANE_X;
        let tall = row.iter().map(|&g| setting.sizes[g].1).fold(0.0, f32::max);
        let mut x = -total / 2.0;
        for &g in &row {
            centers[g] = Point {
                x: (x + setting.sizes[g].0 / 2.0).round(),
                y: (y + tall / 2.0_f32).round(),
            };
            x += setting.sizes[g].0 + LANE_X;
        }
        y += tall + plan.lane_y();
        if is_last_of_site {
            y += LANE_SITES;
        }
    }
    centers
}

/// Gives every loose node without a place one in the lanes, near what it is linked to; what is
/// linked to nothing goes below. With `by_box`, a member counts as being in the middle of its box.
pub(crate) fn place_loose(
    plan: &Plan,
    rects: &[Rect],
    centers: &[Point],
    nodes: &mut [Option<Point>],
    by_box: bool,
) {
    let groups = centers.len() as u32;
    let mut waiting: Vec<u32> = plan
        .loose
        .iter()
        .copied()
        .filter(|&i| nodes[i as usize].is_none())
        .collect();
    if waiting.is_empty() {
        return;
    }
    let graph = Adjacency::new(groups as usize + nodes.len(), plan.ends());
    let cell = rects
        .iter()
        .map(|r| r.width.max(r.height))
        .fold(120.0, f32::max);
    let mut taken = Grid::of(cell, rects.iter().map(|r| r.grown(12.0)));
    for &i in &plan.loose {
        if let Some(point) = nodes[i as usize] {
            taken.add(plan.shapes[i as usize].grown(flat::GAP / 2.0).at(point));
        }
    }
    for strip in cables(plan, rects) {
        taken.add(strip);
    }
    let place_of = |item: u32, nodes: &[Option<Point>]| match plan.box_of(item) {
        Some(g) if item < groups || by_box => Some(centers[g as usize]),
        _ => nodes[(item - groups) as usize],
    };
    // In waves from the boxes outwards.
    loop {
        let mut left = Vec::new();
        let before = waiting.len();
        for &node in &waiting {
            let near: Vec<Point> = graph
                .of(groups + node)
                .iter()
                .filter_map(|&item| place_of(item, nodes))
                .collect();
            if near.is_empty() {
                left.push(node);
                continue;
            }
            let wish = Point {
                x: near.iter().map(|p| p.x).sum::<f32>() / near.len() as f32,
                y: near.iter().map(|p| p.y).sum::<f32>() / near.len() as f32,
            };
            let shape = plan.shapes[node as usize].grown(flat::GAP / 2.0);
            let place = taken.free_place(shape, wish);
            let place = Point {
                x: place.x.round(),
                y: place.y.round(),
            };
            taken.add(shape.at(place));
            nodes[node as usize] = Some(place);
        }
        waiting = left;
        if waiting.is_empty() {
            return;
        }
        if waiting.len() == before {
            break;
        }
    }
    let position = |i: u32| waiting.binary_search(&i).ok().map(|k| k as u32);
    let inner = Adjacency::new(
        waiting.len(),
        plan.ends().filter_map(|(a, b)| {
            Some((
                position(a.checked_sub(groups)?)?,
                position(b.checked_sub(groups)?)?,
            ))
        }),
    );
    let shapes: Vec<Rect> = waiting.iter().map(|&i| plan.shapes[i as usize]).collect();
    let places = flat::cold(Layout::Stress, &inner, &shapes, 48.0);
    let own = Rect::around(shapes.iter().zip(&places).map(|(s, p)| s.at(*p))).unwrap_or_default();
    let above = Rect::around(
        rects.iter().copied().chain(
            plan.loose
                .iter()
                .filter_map(|&i| nodes[i as usize].map(|p| plan.shapes[i as usize].at(p))),
        ),
    )
    .unwrap_or_default();
    for (&node, place) in waiting.iter().zip(places) {
        nodes[node as usize] = Some(Point {
            x: place.x + (above.center().x - own.center().x).round(),
            y: place.y + (above.bottom() + 48.0 - own.y).round(),
        });
    }
}

/// The strips of the lanes that cables and their labels take.
fn cables(plan: &Plan, rects: &[Rect]) -> Vec<Rect> {
    let between = |a: Rect, b: Rect| {
        let (left, right) = (a.x.max(b.x), a.right().min(b.right()));
        let (top, bottom) = (a.y.max(b.y), a.bottom().min(b.bottom()));
        // Facing one another, on neighbouring rows or in neighbouring columns.
        if left < right && (0.0..2.0 * LANE_Y_USED).contains(&(top - bottom)) {
            let middle = f32::midpoint(left, right);
            Some(Rect {
                x: middle - 38.0,
                y: bottom,
                width: 76.0,
                height: top - bottom,
            })
        } else if top < bottom && (0.0..2.0 * LANE_X).contains(&(left - right)) {
            let middle = f32::midpoint(top, bottom);
            Some(Rect {
                x: right,
                y: middle - 12.0,
                width: left - right,
                height: 24.0,
            })
        } else {
            None
        }
    };
    plan.diagram
        .lasting_edges()
        .filter_map(|edge| match (edge.a, edge.b) {
            (End::Group(a), End::Group(b)) if a != b => {
                between(*rects.get(a as usize)?, *rects.get(b as usize)?)
            }
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_dealt_evenly() {
        assert_eq!(deal(7, 3), [2, 3, 2]);
        assert_eq!(deal(5, 2), [3, 2]);
        assert_eq!(deal(0, 3), [0]);
        assert_eq!(member_rows(3, 1.0), [2, 1]);
        assert_eq!(member_rows(2, 1.0), [2]);
        assert_eq!(member_rows(6, 1.5), [3, 3]);
    }
}
