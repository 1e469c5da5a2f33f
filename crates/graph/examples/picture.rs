//! Writes a diagram as SVG: `cargo run -p graph --example picture -- combined radial dark > x.svg`.
//! The demo fleet, or with `random` or `tree` a graph of 200 nodes.

#[path = "../tests/it/fleet.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod fleet;

use graph::svg::{Options, Theme, render};
use graph::{Layout, Scene, Start, arrange};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|a| a == word);
    let view = if has("physical") {
        fleet::View::Physical
    } else if has("virtual") {
        fleet::View::Virtual
    } else {
        fleet::View::Combined
    };
    let diagram = if has("random") {
        fleet::random(fleet::Shape::ScaleFree, 200, view, 1)
    } else if has("tree") {
        fleet::random(fleet::Shape::Tree, 200, view, 1)
    } else {
        fleet::fleet(view)
    };
    let layout: Layout = arguments
        .iter()
        .find_map(|word| word.parse().ok())
        .unwrap_or_default();
    let options = Options {
        embedded_style: true,
        theme: if has("dark") {
            Theme::Dark
        } else {
            Theme::Light
        },
        title: "Demo fleet".to_owned(),
        ..Options::default()
    };
    let start = Start {
        layout,
        ..Start::default()
    };
    println!(
        "{}",
        render(
            &diagram,
            &Scene::new(&diagram, &arrange(&diagram, start)),
            &options
        )
    );
}
