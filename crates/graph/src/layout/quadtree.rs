//! Who is far away counts as a crowd: J. Barnes, P. Hut, *A Hierarchical O(N log N)
//! Force-Calculation Algorithm*, Nature 324 (1986).

/// A crowd whose width is less than this times its distance counts as one.
const THETA: f32 = 0.9;
/// So many points are not divided further.
const BUCKET: usize = 6;

/// A square and what is in it. Squares stand in the order of a walk, each before its quarters.
struct Square {
    /// Centre of mass.
    x: f32,
    y: f32,
    mass: f32,
    /// (width / THETA)².
    reach: f32,
    /// The square that comes next when this one is not entered.
    next: u32,
    /// Its points, for one that is not divided; else an empty range.
    points: (u32, u32),
}

/// Points in squares.
pub(crate) struct Quadtree {
    squares: Vec<Square>,
    points: Vec<[f32; 2]>,
}

impl Quadtree {
    pub fn of(points: &[[f32; 2]]) -> Self {
        let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
        for p in points {
            for k in 0..2 {
                low[k] = low[k].min(p[k]);
                high[k] = high[k].max(p[k]);
            }
        }
        let width = (high[0] - low[0]).max(high[1] - low[1]).max(1e-6) * 1.001;
        // Along Morton's curve each square's points follow one another.
        let scale = 65536.0 / width;
        let mut keyed: Vec<(u32, u32)> = points
            .iter()
            .zip(0..)
            .map(|(p, i)| {
                let x = ((p[0] - low[0]) * scale) as u16;
                let y = ((p[1] - low[1]) * scale) as u16;
                (spread(x) | spread(y) << 1, i)
            })
            .collect();
        keyed.sort_unstable();
        let mut tree = Self {
            squares: Vec::with_capacity(points.len()),
            points: keyed.iter().map(|&(_, i)| points[i as usize]).collect(),
        };
        tree.divide(&keyed, 0, 32, width);
        tree
    }

    /// Adds the square of `keyed`, which begins at `first`; `shift` bits of the keys are still to
    /// be told apart.
    fn divide(&mut self, keyed: &[(u32, u32)], first: u32, shift: u32, width: f32) {
        let here = self.squares.len();
        let last = first + keyed.len() as u32;
        let reach = width / THETA;
        let (mut x, mut y) = (0.0, 0.0);
        for p in &self.points[first as usize..last as usize] {
            x += p[0];
            y += p[1];
        }
        let mass = keyed.len() as f32;
        let is_bucket = keyed.len() <= BUCKET || shift == 0;
        self.squares.push(Square {
            x: x / mass.max(1.0),
            y: y / mass.max(1.0),
            mass,
            reach: reach * reach,
            next: 0,
            points: if is_bucket { (first, last) } else { (0, 0) },
        });
        if !is_bucket {
            let (mut rest, mut at) = (keyed, first);
            for quarter in 0..4 {
                let count = rest.partition_point(|&(key, _)| key >> (shift - 2) & 3 <= quarter);
                if count > 0 {
                    self.divide(&rest[..count], at, shift - 2, width / 2.0);
                    at += count as u32;
                    rest = &rest[count..];
                }
            }
        }
        self.squares[here].next = self.squares.len() as u32;
    }

    /// What pushes a point away from all others: of each, 1 over its distance.
    pub fn repulsion(&self, from: [f32; 2]) -> [f32; 2] {
        let (mut fx, mut fy) = (0.0f32, 0.0f32);
        let mut at = 0;
        while let Some(square) = self.squares.get(at) {
            let (dx, dy) = (from[0] - square.x, from[1] - square.y);
            let d = dx * dx + dy * dy;
            if d > square.reach {
                let f = square.mass / d;
                fx += dx * f;
                fy += dy * f;
                at = square.next as usize;
                continue;
            }
            for p in &self.points[square.points.0 as usize..square.points.1 as usize] {
                let (dx, dy) = (from[0] - p[0], from[1] - p[1]);
                // The point itself is at distance 0 and pushes nowhere.
                let f = 1.0 / (dx * dx + dy * dy).max(1e-4);
                fx += dx * f;
                fy += dy * f;
            }
            at += 1;
        }
        [fx, fy]
    }
}

/// The bits of `v` with a gap after each.
fn spread(v: u16) -> u32 {
    let mut v = u32::from(v);
    v = (v | v << 8) & 0x00ff_00ff;
    v = (v | v << 4) & 0x0f0f_0f0f;
    v = (v | v << 2) & 0x3333_3333;
    (v | v << 1) & 0x5555_5555
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::random::Random;

    #[test]
    fn the_tree_is_near_the_sum_over_all() {
        let mut random = Random::new(3);
        let points: Vec<[f32; 2]> = (0..800)
            .map(|_| [random.unit() * 30.0, random.unit() * random.unit() * 20.0])
            .collect();
        let tree = Quadtree::of(&points);
        for p in points.iter().step_by(37) {
            let mut exact = [0.0f32; 2];
            for q in &points {
                let (dx, dy) = (p[0] - q[0], p[1] - q[1]);
                let d = (dx * dx + dy * dy).max(1e-4);
                exact[0] += dx / d;
                exact[1] += dy / d;
            }
            let [x, y] = tree.repulsion(*p);
            let off = (x - exact[0]).hypot(y - exact[1]);
            assert!(off < 0.03 * exact[0].hypot(exact[1]) + 0.5, "{off}");
        }
    }

    #[test]
    fn points_on_one_spot_do_not_end_the_world() {
        let tree = Quadtree::of(&[[1.0, 1.0]; 50]);
        assert!(tree.repulsion([1.0, 1.0]).iter().all(|f| *f == 0.0));
        assert!(Quadtree::of(&[]).squares.len() <= 1);
    }
}
