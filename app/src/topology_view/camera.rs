//! What part of the picture is seen, and how large. Pure.

use graph::{Point, Rect};

/// How far one may zoom out.
const LEAST_SCALE: f32 = 0.01;
/// How far one may zoom in.
const GREATEST_SCALE: f32 = 6.0;

/// A view upon the scene: the point of it in the middle of the stage, and how many pixels of the
/// stage one unit of it takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// The scene's point in the middle.
    pub center: Point,
    /// Pixels a unit.
    pub scale: f32,
}

/// The size in CSS pixels of what is called the stage here: the frame in which the fitted picture
/// stands. What is beyond it is seen as well, under and between the controls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    /// To the right.
    pub width: f32,
    /// Downwards.
    pub height: f32,
}

impl Camera {
    /// Shows all of `bounds`, in the middle, as large as the stage allows.
    ///
    /// This is what a browser does by itself with an SVG whose `viewBox` is `bounds`: the picture
    /// does not jump when the page comes alive.
    pub fn fit(bounds: Rect, stage: Size) -> Self {
        let scale = (stage.width / bounds.width.max(1.0))
            .min(stage.height / bounds.height.max(1.0))
            .clamp(LEAST_SCALE, GREATEST_SCALE);
        Self {
            center: Point {
                x: bounds.x + bounds.width / 2.0,
                y: bounds.y + bounds.height / 2.0,
            },
            scale,
        }
    }

    /// The part of the scene that is seen.
    pub fn view_box(self, stage: Size) -> Rect {
        let (width, height) = (stage.width / self.scale, stage.height / self.scale);
        Rect {
            x: self.center.x - width / 2.0,
            y: self.center.y - height / 2.0,
            width,
            height,
        }
    }

    /// Moves the picture by so many pixels of the stage.
    #[must_use]
    pub fn panned(self, right: f32, down: f32) -> Self {
        Self {
            center: Point {
                x: self.center.x - right / self.scale,
                y: self.center.y - down / self.scale,
            },
            ..self
        }
    }

    /// Enlarges by `factor` and keeps what is under `at` (pixels of the stage) where it is.
    #[must_use]
    pub fn zoomed(self, factor: f32, at: Point, stage: Size) -> Self {
        let scale = (self.scale * factor).clamp(LEAST_SCALE, GREATEST_SCALE);
        let (dx, dy) = (at.x - stage.width / 2.0, at.y - stage.height / 2.0);
        Self {
            center: Point {
                x: self.center.x + dx / self.scale - dx / scale,
                y: self.center.y + dy / self.scale - dy / scale,
            },
            scale,
        }
    }

    /// Moves just so far that `point` of the scene is at least `margin` pixels inside the stage.
    #[must_use]
    pub fn showing(self, point: Point, margin: f32, stage: Size) -> Self {
        let reach = |size: f32| (size / 2.0 - margin).max(0.0) / self.scale;
        let toward =
            |center: f32, target: f32, reach: f32| center.max(target - reach).min(target + reach);
        Self {
            center: Point {
                x: toward(self.center.x, point.x, reach(stage.width)),
                y: toward(self.center.y, point.y, reach(stage.height)),
            },
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGE: Size = Size {
        width: 800.0,
        height: 600.0,
    };
    const BOUNDS: Rect = Rect {
        x: -100.0,
        y: 50.0,
        width: 1600.0,
        height: 600.0,
    };

    /// Where a point of the scene is on the stage.
    fn on_stage(camera: Camera, point: Point) -> (f32, f32) {
        let seen = camera.view_box(STAGE);
        (
            (point.x - seen.x) * camera.scale,
            (point.y - seen.y) * camera.scale,
        )
    }

    #[test]
    fn fit_shows_everything_in_the_middle() {
        let camera = Camera::fit(BOUNDS, STAGE);
        assert!((camera.scale - 0.5).abs() < 1e-6);
        let seen = camera.view_box(STAGE);
        assert!(seen.x <= BOUNDS.x && seen.x + seen.width >= BOUNDS.x + BOUNDS.width);
        let (x, y) = on_stage(camera, Point { x: 700.0, y: 350.0 });
        assert!((x - 400.0).abs() < 1e-3 && (y - 300.0).abs() < 1e-3);
    }

    #[test]
    fn zoom_keeps_what_is_under_the_cursor() {
        let at = Point { x: 120.0, y: 510.0 };
        let before = Camera::fit(BOUNDS, STAGE);
        let seen = before.view_box(STAGE);
        let under = Point {
            x: seen.x + at.x / before.scale,
            y: seen.y + at.y / before.scale,
        };
        let (x, y) = on_stage(before.zoomed(1.7, at, STAGE), under);
        assert!((x - at.x).abs() < 0.01 && (y - at.y).abs() < 0.01);
    }

    #[test]
    fn pan_moves_by_pixels_and_zoom_has_bounds() {
        let camera = Camera::fit(BOUNDS, STAGE);
        let point = Point { x: 0.0, y: 100.0 };
        let (x, y) = on_stage(camera, point);
        let (moved_x, moved_y) = on_stage(camera.panned(30.0, -20.0), point);
        assert!((moved_x - x - 30.0).abs() < 0.01 && (moved_y - y + 20.0).abs() < 0.01);
        let far = (0..100).fold(camera, |c, _| c.zoomed(2.0, Point::default(), STAGE));
        assert!((far.scale - GREATEST_SCALE).abs() < 1e-6);
    }

    #[test]
    fn showing_moves_only_what_it_must() {
        let camera = Camera::fit(BOUNDS, STAGE);
        let inside = Point { x: 700.0, y: 350.0 };
        assert_eq!(camera.showing(inside, 40.0, STAGE), camera);
        let (x, _) = on_stage(
            camera.showing(
                Point {
                    x: 5000.0,
                    y: 350.0,
                },
                40.0,
                STAGE,
            ),
            Point {
                x: 5000.0,
                y: 350.0,
            },
        );
        assert!((x - 760.0).abs() < 0.05, "{x}");
    }
}
