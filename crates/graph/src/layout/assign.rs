//! Who gets which slot: members of a box, or boxes of a picture, trade places until the lines
//! between them are short, cross little and do not run over others.
//!
//! Simulated annealing (Kirkpatrick, Gelatt, Vecchi 1983) with random numbers of our own and an
//! acceptance rule of plain arithmetic, so that server and browser agree.

use super::random::Random;
use crate::geometry::{cross, meets};
use crate::{Point, Rect};

/// What a crossing costs, in units of length.
const CROSSING: f32 = 90.0;
/// What a line over a foreign item costs.
const OVER: f32 = 240.0;
/// Up to so many items and lines, crossings count; beyond, only length does.
const DETAILED: usize = 420;

/// A line between two items.
#[derive(Clone, Copy)]
pub(crate) struct Wire {
    pub a: u32,
    pub b: u32,
    pub weight: f32,
}

/// Lets items trade places. `at` is each item's place, `class` says which may trade (equal
/// classes do; `None` stays), `body` is what lines should not run over, seen from its place.
pub(crate) fn assign(at: &mut [Point], class: &[Option<u32>], body: &[Rect], wires: &[Wire]) {
    let n = at.len();
    let mut classes: Vec<Vec<u32>> = Vec::new();
    {
        let mut keyed: Vec<(u32, u32)> = (0..n as u32)
            .filter_map(|i| class[i as usize].map(|c| (c, i)))
            .collect();
        keyed.sort_unstable();
        for run in keyed.chunk_by(|a, b| a.0 == b.0) {
            if run.len() > 1 {
                classes.push(run.iter().map(|&(_, i)| i).collect());
            }
        }
    }
    let movable: Vec<(u32, u32)> = classes
        .iter()
        .enumerate()
        .flat_map(|(c, list)| list.iter().map(move |&i| (c as u32, i)))
        .collect();
    if movable.is_empty() || wires.is_empty() {
        return;
    }
    let mut of: Vec<Vec<u32>> = vec![Vec::new(); n];
    for (w, wire) in wires.iter().enumerate() {
        of[wire.a as usize].push(w as u32);
        of[wire.b as usize].push(w as u32);
    }
    let detailed = n + wires.len() <= DETAILED;
    let degree = 2.0 * wires.len() as f32 / n as f32;
    let work = if detailed {
        2.0 * degree * (n + wires.len()) as f32
    } else {
        4.0 * degree
    };
    let steps = ((3.0e7 / work.max(1.0)) as usize).clamp(500, 4000 * movable.len());
    let span = wires
        .iter()
        .map(|w| at[w.a as usize].distance(at[w.b as usize]))
        .sum::<f32>()
        / wires.len() as f32;
    let model = Model {
        body,
        wires,
        of: &of,
        detailed,
    };
    let mut random = Random::new(0xa551_0000 + n as u64);
    // Where a random walk ends is not always where it was best.
    let mut cost = 0.0f64;
    let mut best = (0.0f64, at.to_vec());
    for step in 0..steps {
        let left = 1.0 - step as f32 / steps as f32;
        let heat = 0.6 * span * left * left + 0.5;
        let (c, i) = movable[random.below(movable.len())];
        let list = &classes[c as usize];
        let j = list[random.below(list.len())];
        if i == j {
            continue;
        }
        let before = model.cost(at, i, j);
        at.swap(i as usize, j as usize);
        let change = model.cost(at, i, j) - before;
        let x = change / heat;
        let keep = change <= 0.0 || random.unit() < 1.0 / (1.0 + x + x * x * (0.5 + x));
        if keep {
            cost += f64::from(change);
            if cost < best.0 - 0.5 {
                best.0 = cost;
                best.1.copy_from_slice(at);
            }
        } else {
            at.swap(i as usize, j as usize);
        }
    }
    if cost > best.0 {
        at.copy_from_slice(&best.1);
    }
}

struct Model<'a> {
    body: &'a [Rect],
    wires: &'a [Wire],
    of: &'a [Vec<u32>],
    detailed: bool,
}

impl Model<'_> {
    /// Cost of all wires at `i` or `j`.
    fn cost(&self, at: &[Point], i: u32, j: u32) -> f32 {
        let mut sum = 0.0;
        let rest = self.of[j as usize].iter().filter(|&&w| {
            let wire = self.wires[w as usize];
            wire.a != i && wire.b != i
        });
        for &w in self.of[i as usize].iter().chain(rest) {
            let wire = self.wires[w as usize];
            let (a, b) = (at[wire.a as usize], at[wire.b as usize]);
            sum += wire.weight * a.distance(b);
            if !self.detailed {
                continue;
            }
            for other in self.wires {
                if other.a != wire.a
                    && other.b != wire.b
                    && other.a != wire.b
                    && other.b != wire.a
                    && cross(a, b, at[other.a as usize], at[other.b as usize])
                {
                    sum += CROSSING;
                }
            }
            for (k, body) in self.body.iter().enumerate() {
                if k as u32 != wire.a && k as u32 != wire.b && meets(body.at(at[k]), a, b) {
                    sum += OVER;
                }
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_untangle() {
        // Five above, five below in reverse order, each wired to its partner: ten crossings.
        let mut at: Vec<Point> = (0..10)
            .map(|i| Point {
                x: if i < 5 { i as f32 } else { (9 - i) as f32 } * 100.0,
                y: if i < 5 { 0.0 } else { 100.0 },
            })
            .collect();
        let class: Vec<Option<u32>> = (0..10).map(|i| (i >= 5).then_some(0)).collect();
        let body = vec![
            Rect {
                x: -20.,
                y: -20.,
                width: 40.,
                height: 40.
            };
            10
        ];
        let wires: Vec<Wire> = (0..5)
            .map(|i| Wire {
                a: i,
                b: i + 5,
                weight: 1.0,
            })
            .collect();
        assign(&mut at, &class, &body, &wires);
        for i in 0..5 {
            assert!((at[i].x - at[i + 5].x).abs() < 1.0, "{at:?}");
        }
    }
}
