//! Separate parts side by side, close together, in a picture about as wide as a screen.

use super::ASPECT;
use crate::{Point, Rect};

/// Up to so many parts the best corner is searched for each; beyond, they are set in rows.
const SEARCHED: usize = 80;

/// Where the upper left corner of each part (width, height) goes, `gap` apart.
pub(crate) fn pack(sizes: &[(f32, f32)], gap: f32) -> Vec<Point> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    // Large ones first; of equal ones the earlier.
    order.sort_by(|&i, &j| {
        let area = |k: usize| sizes[k].0 * sizes[k].1;
        area(j).total_cmp(&area(i)).then(i.cmp(&j))
    });
    let mut places = vec![Point::default(); sizes.len()];
    if sizes.len() > SEARCHED {
        rows(sizes, gap, &order, &mut places);
    } else {
        corners(sizes, gap, &order, &mut places);
    }
    places
}

fn corners(sizes: &[(f32, f32)], gap: f32, order: &[usize], places: &mut [Point]) {
    let mut placed: Vec<Rect> = Vec::new();
    for &i in order {
        let (width, height) = (sizes[i].0 + gap, sizes[i].1 + gap);
        let mut best: Option<(f32, Rect)> = None;
        let xs = || std::iter::once(0.0).chain(placed.iter().map(|r| r.right()));
        let ys = || std::iter::once(0.0).chain(placed.iter().map(|r| r.bottom()));
        for y in ys() {
            for x in xs() {
                let rect = Rect {
                    x,
                    y,
                    width,
                    height,
                };
                if placed.iter().any(|other| other.overlaps(rect)) {
                    continue;
                }
                let all = placed.iter().copied().fold(rect, Rect::union);
                // The frame of the wanted aspect around everything; then what is near its corner.
                let frame = all.right().max(all.bottom() * ASPECT);
                let cost = frame + 0.02 * (all.right() + all.bottom()) + 0.01 * (x + y);
                if best.is_none_or(|(least, _)| cost < least) {
                    best = Some((cost, rect));
                }
            }
        }
        // There is always room to the right of everything, which is among the corners.
        if let Some((_, rect)) = best {
            places[i] = Point {
                x: rect.x,
                y: rect.y,
            };
            placed.push(rect);
        }
    }
}

fn rows(sizes: &[(f32, f32)], gap: f32, order: &[usize], places: &mut [Point]) {
    let area: f32 = sizes.iter().map(|(w, h)| (w + gap) * (h + gap)).sum();
    let widest = sizes.iter().map(|s| s.0).fold(0.0, f32::max);
    let width = (area * ASPECT).sqrt().max(widest) * 1.02;
    let (mut x, mut y, mut height) = (0.0, 0.0, 0.0f32);
    for &i in order {
        if x > 0.0 && x + sizes[i].0 > width {
            y += height + gap;
            (x, height) = (0.0, 0.0);
        }
        places[i] = Point { x, y };
        x += sizes[i].0 + gap;
        height = height.max(sizes[i].1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_overlap_and_fill_a_wide_frame() {
        for count in [1usize, 2, 7, 40, 200] {
            let sizes: Vec<(f32, f32)> = (0..count)
                .map(|i| (60.0 + (i * 37 % 90) as f32, 50.0 + (i * 53 % 70) as f32))
                .collect();
            let places = pack(&sizes, 20.0);
            let rects: Vec<Rect> = places
                .iter()
                .zip(&sizes)
                .map(|(p, s)| Rect {
                    x: p.x,
                    y: p.y,
                    width: s.0,
                    height: s.1,
                })
                .collect();
            for (i, a) in rects.iter().enumerate() {
                assert!(!rects[..i].iter().any(|b| a.overlaps(*b)));
            }
            if let Some(all) = Rect::around(rects).filter(|_| count >= 7) {
                let aspect = all.width / all.height;
                assert!((1.0..2.6).contains(&aspect), "{count}: {aspect}");
            }
        }
    }
}
