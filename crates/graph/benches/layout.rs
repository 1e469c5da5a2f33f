//! Layout and drawing of a synthetic data centre: spines, leaves, hosts, bridges, virtual machines
//! and virtual routers. Normalised stress is printed before the figures.

use criterion::{Criterion, criterion_group, criterion_main};
use graph::layout::stress;
use graph::{Diagram, Edge, End, Layout, Node, Point, Scene, Start, arrange, svg};
use std::hint::black_box;

/// `hosts` hosts with nine virtual machines each.
fn data_centre(hosts: u32) -> (u32, Vec<(u32, u32)>) {
    let mut rng = fastrand::Rng::with_seed(2);
    let leaves = (hosts / 20).max(2);
    let mut next = 4 + leaves;
    let mut edges: Vec<(u32, u32)> = (4..next)
        .flat_map(|leaf| (0..4).map(move |spine| (leaf, spine)))
        .collect();
    let mut machines = Vec::new();
    for host in 0..hosts {
        let (host_node, bridge) = (next, next + 1);
        next += 2;
        edges.extend([(host_node, 4 + host % leaves), (host_node, bridge)]);
        for _ in 0..9 {
            edges.push((next, bridge));
            machines.push(next);
            next += 1;
        }
    }
    rng.shuffle(&mut machines);
    let mut at = 0;
    while at < machines.len() {
        let members = rng.usize(6..=14).min(machines.len() - at);
        edges.extend(machines[at..at + members].iter().map(|&m| (next, m)));
        next += 1;
        at += members;
    }
    (next, edges)
}

fn diagram(nodes: u32, edges: &[(u32, u32)]) -> Diagram {
    Diagram {
        nodes: (0..nodes)
            .map(|n| Node {
                id: format!("n{n}"),
                label: format!("node-{n}"),
                ..Node::default()
            })
            .collect(),
        edges: edges
            .iter()
            .enumerate()
            .map(|(k, &(a, b))| Edge {
                id: format!("e{k}"),
                a: End::Node(a),
                b: End::Node(b),
                ..Edge::default()
            })
            .collect(),
        groups: Vec::new(),
    }
}

fn layout(c: &mut Criterion) {
    for (name, hosts) in [("dc1k", 83), ("dc10k", 830)] {
        let (nodes, edges) = data_centre(hosts);
        let sources: Vec<u32> = (0..nodes).step_by((nodes as usize / 400).max(1)).collect();
        let bare = stress::embed(nodes as usize, &edges);
        let diagram = diagram(nodes, &edges);
        let positions = arrange(&diagram, Start::default());
        let placed: Vec<Point> = diagram.nodes.iter().map(|n| positions[&n.id]).collect();
        println!(
            "{name}: {nodes} nodes, {} edges, normalised stress {:.4} bare, {:.4} without overlaps",
            edges.len(),
            stress::normalised(&bare, &edges, &sources),
            stress::normalised(&placed, &edges, &sources),
        );
        let scene = Scene::new(&diagram, &positions);
        let mut group = c.benchmark_group(name);
        group.sample_size(10);
        group.bench_function("stress, overlaps left", |b| {
            b.iter(|| stress::embed(black_box(nodes as usize), &edges));
        });
        for layout in Layout::ALL.into_iter().skip(1) {
            let start = Start {
                layout,
                ..Start::default()
            };
            group.bench_function(layout.as_str(), |b| {
                b.iter(|| arrange(black_box(&diagram), start));
            });
        }
        group.bench_function("arrange again", |b| {
            b.iter(|| arrange(black_box(&diagram), Some(&positions).into()));
        });
        group.bench_function("scene", |b| {
            b.iter(|| Scene::new(black_box(&diagram), &positions));
        });
        group.bench_function("svg", |b| {
            b.iter(|| svg::render(&diagram, black_box(&scene), &svg::Options::default()));
        });
        group.finish();
    }
}

criterion_group!(benches, layout);
criterion_main!(benches);
