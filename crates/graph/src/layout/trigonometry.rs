//! Sine and cosine by sums and products alone: those of the platforms differ in their last digits,
//! and server and browser must draw the same picture.

use crate::Point;

/// The point at the end of a hand that was turned by `part` of a full turn, from the right
/// downwards, on the circle of radius 1.
pub(crate) fn hand(part: f32) -> Point {
    let part = f64::from(part) - f64::from(part).floor();
    // An eighth at most to either side of a quarter.
    let quarter = (part * 4.0).round();
    let x = (part - quarter / 4.0) * std::f64::consts::TAU;
    let xx = x * x;
    // Taylor's series: the next terms are below 1e-9 at an eighth of a turn.
    let sin = x * (1.0 - xx / 6.0 * (1.0 - xx / 20.0 * (1.0 - xx / 42.0 * (1.0 - xx / 72.0))));
    let cos = 1.0
        - xx / 2.0 * (1.0 - xx / 12.0 * (1.0 - xx / 30.0 * (1.0 - xx / 56.0 * (1.0 - xx / 90.0))));
    let (x, y) = match quarter as u8 % 4 {
        0 => (cos, sin),
        1 => (-sin, cos),
        2 => (-cos, -sin),
        _ => (sin, -cos),
    };
    Point {
        x: x as f32,
        y: y as f32,
    }
}

/// Grows with the angle of `point` seen from the origin, from the right downwards: 0 to 4 in a
/// full turn, and only that is said of it.
pub(crate) fn around(point: Point) -> f32 {
    let sum = point.x.abs() + point.y.abs();
    if sum == 0.0 {
        return 0.0;
    }
    let y = point.y / sum;
    if point.x < 0.0 {
        2.0 - y
    } else if point.y < 0.0 {
        4.0 + y
    } else {
        y
    }
}

/// The part of a full turn that brings a hand over `point`, from 0 to 1.
pub(crate) fn part(point: Point) -> f32 {
    // By halves: `around` grows with it.
    let wanted = around(point);
    let (mut part, mut step) = (0.0f32, 0.5f32);
    for _ in 0..24 {
        if around(hand(part + step)) <= wanted {
            part += step;
        }
        step /= 2.0;
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_goes_around() {
        for k in 0..97 {
            let part = k as f32 / 97.0;
            let angle = f64::from(part) * std::f64::consts::TAU;
            let at = hand(part);
            assert!((f64::from(at.x) - angle.cos()).abs() < 1e-6, "{part}");
            assert!((f64::from(at.y) - angle.sin()).abs() < 1e-6, "{part}");
            assert!((super::part(at) - part).abs() < 1e-6, "{part}");
            if k > 0 {
                assert!(around(at) > around(hand((k - 1) as f32 / 97.0)), "{part}");
            }
        }
    }
}
