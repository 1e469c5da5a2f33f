//! Which labels are written: as many as there is room for, the important ones first.
//!
//! Whether two labels collide depends on where they are relative to one another and not on the
//! camera's place: while the picture is only moved, no label comes or goes but at the border.

use crate::Rect;

/// Side of the squares in which neighbours are looked for, in pixels of the screen.
const TILE: f32 = 64.0;

/// Room on a screen that labels share.
#[derive(Clone, Debug, Default)]
pub struct Declutter {
    screen: Rect,
    columns: usize,
    rows: usize,
    tiles: Vec<Vec<u32>>,
    taken: Vec<Rect>,
}

impl Declutter {
    /// Forgets everything; the room is now `screen`. What was allocated is used again.
    pub fn clear(&mut self, screen: Rect) {
        self.screen = screen;
        self.columns = (screen.width / TILE).ceil().clamp(1.0, 512.0) as usize;
        self.rows = (screen.height / TILE).ceil().clamp(1.0, 512.0) as usize;
        for tile in &mut self.tiles {
            tile.clear();
        }
        self.tiles.resize(self.columns * self.rows, Vec::new());
        self.taken.clear();
    }

    /// Takes the room of `rect` if some of it is on the screen and none of it is taken.
    pub fn take(&mut self, rect: Rect) -> bool {
        if !rect.overlaps(self.screen) {
            return false;
        }
        let tiles = self.tiles_of(rect);
        let free = tiles.clone().all(|tile| {
            self.tiles[tile]
                .iter()
                .all(|&other| !self.taken[other as usize].overlaps(rect))
        });
        if free {
            let index = self.taken.len() as u32;
            self.taken.push(rect);
            for tile in tiles {
                self.tiles[tile].push(index);
            }
        }
        free
    }

    fn tiles_of(&self, rect: Rect) -> impl Iterator<Item = usize> + Clone + use<> {
        let clamp = |v: f32, count: usize| (v / TILE).clamp(0.0, (count - 1) as f32) as usize;
        let columns = self.columns;
        let (left, right) = (
            clamp(rect.x - self.screen.x, columns),
            clamp(rect.right() - self.screen.x, columns),
        );
        let (top, bottom) = (
            clamp(rect.y - self.screen.y, self.rows),
            clamp(rect.bottom() - self.screen.y, self.rows),
        );
        (top..=bottom).flat_map(move |row| (left..=right).map(move |column| row * columns + column))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: Rect = Rect {
        x: 0.0,
        y: 0.0,
        width: 800.0,
        height: 600.0,
    };

    fn random_rects(count: usize, seed: u64) -> Vec<Rect> {
        let mut rng = fastrand::Rng::with_seed(seed);
        (0..count)
            .map(|_| Rect {
                x: rng.f32() * 900.0 - 50.0,
                y: rng.f32() * 700.0 - 50.0,
                width: 20.0 + rng.f32() * 150.0,
                height: 14.0,
            })
            .collect()
    }

    #[test]
    fn what_is_written_does_not_overlap_and_nothing_with_room_is_left_out() {
        let rects = random_rects(600, 1);
        let mut room = Declutter::default();
        room.clear(SCREEN);
        let written: Vec<bool> = rects.iter().map(|&rect| room.take(rect)).collect();
        for (k, (&rect, &is_written)) in rects.iter().zip(&written).enumerate() {
            let hidden_by = rects[..k]
                .iter()
                .zip(&written)
                .any(|(other, written)| *written && other.overlaps(rect));
            assert_eq!(is_written, rect.overlaps(SCREEN) && !hidden_by, "{k}");
        }
    }

    #[test]
    fn moving_the_picture_changes_nothing_in_its_middle() {
        // All within the screen before and after.
        let rects: Vec<Rect> = random_rects(200, 2)
            .into_iter()
            .filter(|r| r.x > 100.0 && r.right() < 700.0 && r.y > 60.0 && r.bottom() < 540.0)
            .collect();
        let mut room = Declutter::default();
        let mut at = |dx: f32, dy: f32| {
            room.clear(SCREEN);
            rects
                .iter()
                .map(|r| {
                    room.take(Rect {
                        x: r.x + dx,
                        y: r.y + dy,
                        ..*r
                    })
                })
                .collect::<Vec<_>>()
        };
        let still = at(0.0, 0.0);
        assert!(still.contains(&false) && still.contains(&true));
        for (dx, dy) in [(37.0, 11.0), (-80.0, 50.0), (63.9, -49.5)] {
            assert_eq!(still, at(dx, dy));
        }
    }
}
