//! Layout and drawing of a synthetic data centre: spines, leaves, hosts, bridges, virtual machines
//! and virtual routers. Normalised stress is printed before the figures.

use criterion::{Criterion, criterion_group, criterion_main};
use graph::layout::stress;
use graph::{Diagram, Edge, End, Layout, Node, Point, Scene, Start, arrange, svg};
use std::hint::black_box;

/// The graphs of the comparison with others.
#[allow(dead_code, reason = "of all graphs there only one is needed here")]
#[path = "../../../bench/layout/src/graphs.rs"]
mod graphs;

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
        let graphs::Graph { nodes, edges } = graphs::data_centre(hosts, 9);
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
