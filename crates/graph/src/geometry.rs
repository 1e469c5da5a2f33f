//! Plane geometry: rectangles, segments, curves, and a grid to find what is near.

use crate::{Point, Rect};
use std::collections::HashMap;

impl Rect {
    /// The rectangle moved by `by`.
    #[must_use]
    pub fn at(self, by: Point) -> Self {
        Self {
            x: self.x + by.x,
            y: self.y + by.y,
            ..self
        }
    }

    /// The rectangle grown by `by` on each side.
    #[must_use]
    pub fn grown(self, by: f32) -> Self {
        Self {
            x: self.x - by,
            y: self.y - by,
            width: self.width + 2.0 * by,
            height: self.height + 2.0 * by,
        }
    }

    /// Its right edge.
    pub fn right(self) -> f32 {
        self.x + self.width
    }

    /// Its lower edge.
    pub fn bottom(self) -> f32 {
        self.y + self.height
    }

    /// Its centre.
    pub fn center(self) -> Point {
        Point {
            x: self.x + self.width / 2.0,
            y: self.y + self.height / 2.0,
        }
    }

    /// Whether the two share more than a border.
    pub fn overlaps(self, other: Self) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }

    /// Whether `point` lies in it.
    pub fn contains(self, point: Point) -> bool {
        point.x >= self.x
            && point.x <= self.right()
            && point.y >= self.y
            && point.y <= self.bottom()
    }

    /// The smallest rectangle around both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Self {
            x,
            y,
            width: self.right().max(other.right()) - x,
            height: self.bottom().max(other.bottom()) - y,
        }
    }

    /// The smallest rectangle around all of them; none around nothing.
    pub fn around(rects: impl IntoIterator<Item = Self>) -> Option<Self> {
        rects.into_iter().reduce(Self::union)
    }

    /// The rectangle without extent at `point`.
    pub(crate) fn point(point: Point) -> Self {
        Self {
            x: point.x,
            y: point.y,
            width: 0.0,
            height: 0.0,
        }
    }
}

impl Point {
    /// Whether both coordinates are numbers that can be drawn.
    pub(crate) fn is_drawable(self) -> bool {
        // Beyond this a pixel is less than f32 can tell apart.
        self.x.abs() < 4.0e6 && self.y.abs() < 4.0e6
    }

    /// The point `t` of the way to `other`.
    #[must_use]
    pub fn towards(self, other: Self, t: f32) -> Self {
        Self {
            x: self.x + (other.x - self.x) * t,
            y: self.y + (other.y - self.y) * t,
        }
    }

    /// The point moved by `by`.
    pub(crate) fn shifted(self, by: Self) -> Self {
        Self {
            x: self.x + by.x,
            y: self.y + by.y,
        }
    }

    /// Distance to `other`.
    pub fn distance(self, other: Self) -> f32 {
        let (dx, dy) = (self.x - other.x, self.y - other.y);
        (dx * dx + dy * dy).sqrt()
    }
}

/// Whether the segments `a b` and `c d` cross at an inner point of both.
pub(crate) fn cross(a: Point, b: Point, c: Point, d: Point) -> bool {
    let side = |p: Point, q: Point, r: Point| (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
    let (abc, abd) = (side(a, b, c), side(a, b, d));
    let (cda, cdb) = (side(c, d, a), side(c, d, b));
    abc * abd < 0.0 && cda * cdb < 0.0
}

/// Whether the segment `a b` meets `rect`.
pub(crate) fn meets(rect: Rect, a: Point, b: Point) -> bool {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let (mut enter, mut leave) = (0.0f32, 1.0f32);
    for (delta, low, high) in [
        (dx, rect.x - a.x, rect.right() - a.x),
        (dy, rect.y - a.y, rect.bottom() - a.y),
    ] {
        if delta.abs() < 1e-6 {
            if low > 0.0 || high < 0.0 {
                return false;
            }
        } else {
            let (s, t) = (low / delta, high / delta);
            enter = enter.max(s.min(t));
            leave = leave.min(s.max(t));
        }
    }
    enter <= leave
}

/// Finds the rectangles near a rectangle.
pub(crate) struct Grid {
    cell: f32,
    cells: HashMap<(i32, i32), Vec<u32>>,
    rects: Vec<Rect>,
}

impl Grid {
    /// An empty grid for rectangles of about `cell` in size.
    pub fn new(cell: f32) -> Self {
        Self {
            cell: cell.max(1.0),
            cells: HashMap::new(),
            rects: Vec::new(),
        }
    }

    /// A grid of `rects`; their indices are those of the iterator.
    pub fn of(cell: f32, rects: impl IntoIterator<Item = Rect>) -> Self {
        let mut grid = Self::new(cell);
        for rect in rects {
            grid.add(rect);
        }
        grid
    }

    /// Adds one; its index is the number of those before it.
    pub fn add(&mut self, rect: Rect) {
        let index = self.rects.len() as u32;
        for key in self.span(rect) {
            self.cells.entry(key).or_default().push(index);
        }
        self.rects.push(rect);
    }

    fn span(&self, rect: Rect) -> impl Iterator<Item = (i32, i32)> + use<> {
        let cell = |v: f32| (v / self.cell).floor() as i32;
        let (x0, x1) = (cell(rect.x), cell(rect.right()));
        let (y0, y1) = (cell(rect.y), cell(rect.bottom()));
        (y0..=y1).flat_map(move |y| (x0..=x1).map(move |x| (x, y)))
    }

    /// Whether any rectangle overlaps `rect`.
    pub fn hits(&self, rect: Rect) -> bool {
        self.span(rect).any(|key| {
            self.cells.get(&key).is_some_and(|list| {
                list.iter()
                    .any(|&index| self.rects[index as usize].overlaps(rect))
            })
        })
    }

    /// Indices of the rectangles that overlap `rect`, ascending, each once.
    pub fn near(&self, rect: Rect) -> Vec<u32> {
        let mut found: Vec<u32> = self
            .span(rect)
            .filter_map(|key| self.cells.get(&key))
            .flatten()
            .copied()
            .filter(|&index| self.rects[index as usize].overlaps(rect))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The place nearest to `wish` where `shape` (seen from that place) overlaps nothing.
    pub fn free_place(&self, shape: Rect, wish: Point) -> Point {
        let step = (shape.width.min(shape.height) / 3.0).clamp(6.0, 24.0);
        self.free_place_by(shape, wish, step, step)
    }

    /// The same among the places that are some steps of this width and height from `wish`.
    pub fn free_place_by(&self, shape: Rect, wish: Point, wide: f32, high: f32) -> Point {
        if !self.hits(shape.at(wish)) {
            return wish;
        }
        for ring in 1..=240i32 {
            let mut best: Option<(f32, Point)> = None;
            for k in -ring..=ring {
                for (dx, dy) in [(k, -ring), (k, ring), (-ring, k), (ring, k)] {
                    let place = Point {
                        x: wish.x + dx as f32 * wide,
                        y: wish.y + dy as f32 * high,
                    };
                    let far = place.distance(wish);
                    if best.is_none_or(|(d, _)| far < d) && !self.hits(shape.at(place)) {
                        best = Some((far, place));
                    }
                }
            }
            if let Some((_, place)) = best {
                return place;
            }
        }
        // All full around: to the right of everything there is always room.
        let all = Rect::around(self.rects.iter().copied()).unwrap_or_default();
        Point {
            x: all.right() - shape.x + 1.0,
            y: wish.y,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(x: f32, y: f32) -> Point {
        Point { x, y }
    }

    #[test]
    fn segments_cross_and_meet_rectangles() {
        assert!(cross(p(0., 0.), p(2., 2.), p(0., 2.), p(2., 0.)));
        assert!(
            !cross(p(0., 0.), p(2., 2.), p(0., 0.), p(2., 0.)),
            "a shared end is no crossing"
        );
        let rect = Rect {
            x: 1.,
            y: 1.,
            width: 2.,
            height: 2.,
        };
        assert!(meets(rect, p(0., 2.), p(9., 2.)));
        assert!(meets(rect, p(2., 2.), p(2.5, 2.)));
        assert!(!meets(rect, p(0., 0.), p(9., 0.5)));
    }

    #[test]
    fn a_free_place_is_free_and_near() {
        let shape = Rect {
            x: -5.,
            y: -5.,
            width: 10.,
            height: 10.,
        };
        let mut grid = Grid::new(10.0);
        for _ in 0..50 {
            let place = grid.free_place(shape, p(0., 0.));
            assert!(!grid.hits(shape.at(place)));
            assert!(place.distance(p(0., 0.)) < 200.0);
            grid.add(shape.at(place));
        }
    }
}
