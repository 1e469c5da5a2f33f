//! Springs and charges: neighbours attract, everybody repels everybody. Groups that hang together
//! stand together, and leaves fan out around their hub.
//!
//! - T. M. J. Fruchterman, E. M. Reingold, *Graph Drawing by Force-Directed Placement*, Softw.
//!   Pract. Exp. 21 (1991): repulsion 1/d, attraction d².
//! - Y. Hu, *Efficient, High-Quality Force-Directed Graph Drawing*, Mathematica Journal 10 (2005):
//!   coarse graphs first, repulsion through a quadtree (J. Barnes, P. Hut, Nature 324, 1986), a step
//!   that adapts to whether the energy falls.
//! - S. Hachul, M. Jünger, *Drawing Large Graphs with a Potential-Field-Based Multilevel Algorithm*,
//!   GD 2004: a coarse graph's nodes are solar systems of the finer one.
//!
//! Cost: O(n log n) a step.

use super::adjacency::Adjacency;
use super::quadtree::Quadtree;
use super::random::Random;
use crate::Point;

/// Graphs of up to so many nodes are not made coarser.
const COARSEST: usize = 24;
/// Steps at most for the coarsest, and for the finest graph.
const STEPS_COARSEST: usize = 300;
const STEPS: usize = 60;
const STEPS_SKETCH: usize = 10;
/// How strong repulsion is: Hu's C.
const CHARGE: f32 = 0.2;

/// Places for a connected graph, where the mean edge has length 1.
pub(crate) fn place(graph: &Adjacency) -> Vec<Point> {
    let mut points = from_coarse(graph, STEPS);
    let (mut length, mut count) = (0.0f32, 0.0f32);
    for (a, b) in graph.edges() {
        length += points[a as usize].distance(points[b as usize]);
        count += 1.0;
    }
    if length > 0.0 {
        for point in &mut points {
            point.x *= count / length;
            point.y *= count / length;
        }
    }
    points
}

/// The same in the rough, at no certain scale.
pub(crate) fn sketch(graph: &Adjacency) -> Vec<Point> {
    from_coarse(graph, STEPS_SKETCH)
}

/// From coarse graphs to finer ones, with so many steps for the finest.
fn from_coarse(graph: &Adjacency, steps: usize) -> Vec<Point> {
    let mut levels: Vec<(Adjacency, Vec<u32>)> = Vec::new();
    loop {
        let finest = levels.last().map_or(graph, |(coarse, _)| coarse);
        if finest.len() <= COARSEST {
            break;
        }
        let system = systems(finest);
        let count = system.iter().max().map_or(0, |&s| s as usize + 1);
        if count * 10 > finest.len() * 9 {
            break;
        }
        let edges = finest
            .edges()
            .map(|(a, b)| (system[a as usize], system[b as usize]));
        levels.push((Adjacency::new(count, edges), system));
    }
    let mut random = Random::new(0xf0_0000 + graph.len() as u64);
    let coarsest = levels.last().map_or(graph, |(coarse, _)| coarse);
    let spread = (coarsest.len() as f32).sqrt();
    let mut points: Vec<[f32; 2]> = (0..coarsest.len())
        .map(|_| {
            [
                (random.unit() - 0.5) * spread,
                (random.unit() - 0.5) * spread,
            ]
        })
        .collect();
    settle(coarsest, &mut points, 1.0, STEPS_COARSEST);
    for level in (0..levels.len()).rev() {
        let fine = level.checked_sub(1).map_or(graph, |below| &levels[below].0);
        let (coarse, system) = &levels[level];
        let scale = fine.diameter() as f32 / coarse.diameter().max(1) as f32;
        points = system
            .iter()
            .map(|&s| {
                let [x, y] = points[s as usize];
                [
                    x * scale + (random.unit() - 0.5) * 0.6,
                    y * scale + (random.unit() - 0.5) * 0.6,
                ]
            })
            .collect();
        settle(
            fine,
            &mut points,
            0.5,
            if level == 0 { steps } else { STEPS },
        );
    }
    points.iter().map(|&[x, y]| Point { x, y }).collect()
}

/// Which solar system each node is in: suns are three hops apart or more, planets and moons belong
/// to the sun nearest to them.
fn systems(graph: &Adjacency) -> Vec<u32> {
    let n = graph.len();
    let mut order: Vec<u32> = (0..n as u32).collect();
    Random::new(n as u64).shuffle(&mut order);
    let mut is_free = vec![true; n];
    let mut system = vec![u32::MAX; n];
    let mut count = 0;
    for &sun in &order {
        if !is_free[sun as usize] {
            continue;
        }
        is_free[sun as usize] = false;
        system[sun as usize] = count;
        for &planet in graph.of(sun) {
            is_free[planet as usize] = false;
            system[planet as usize] = count;
            for &moon in graph.of(planet) {
                is_free[moon as usize] = false;
            }
        }
        count += 1;
    }
    // Moons go with the first planet that they see.
    for &node in &order {
        if system[node as usize] == u32::MAX {
            let near = graph.of(node).iter().map(|&j| system[j as usize]);
            system[node as usize] = near.min().unwrap_or(0);
        }
    }
    system
}

/// Moves everybody along the forces, in steps that grow while the energy falls.
fn settle(graph: &Adjacency, points: &mut [[f32; 2]], first: f32, steps: usize) {
    const COOLING: f32 = 0.9;
    let n = points.len();
    let mut step = first;
    let mut energy = f32::MAX;
    let mut progress = 0;
    let mut force = vec![[0.0f32; 2]; n];
    for _ in 0..steps {
        let tree = Quadtree::of(points);
        for (i, f) in force.iter_mut().enumerate() {
            let p = points[i];
            let [mut x, mut y] = tree.repulsion(p);
            x *= CHARGE;
            y *= CHARGE;
            for &j in graph.of(i as u32) {
                let q = points[j as usize];
                let (dx, dy) = (q[0] - p[0], q[1] - p[1]);
                let d = (dx * dx + dy * dy).sqrt();
                x += dx * d;
                y += dy * d;
            }
            *f = [x, y];
        }
        let mut sum = 0.0f32;
        for (p, f) in points.iter_mut().zip(&force) {
            let square = f[0] * f[0] + f[1] * f[1];
            sum += square;
            let length = square.sqrt();
            if length > 0.0 {
                p[0] += f[0] / length * step;
                p[1] += f[1] / length * step;
            }
        }
        if sum < energy {
            progress += 1;
            if progress >= 5 {
                progress = 0;
                step /= COOLING;
            }
        } else {
            progress = 0;
            step *= COOLING;
        }
        energy = sum;
        if step < 0.005 {
            break;
        }
    }
}
