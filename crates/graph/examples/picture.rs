//! Writes the demo fleet as SVG: `cargo run -p graph --example picture -- combined dark > x.svg`.

#[path = "../tests/it/fleet.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod fleet;

use graph::svg::{Options, Theme, render};
use graph::{Scene, arrange};

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
    } else {
        fleet::fleet(view)
    };
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
    println!(
        "{}",
        render(
            &diagram,
            &Scene::new(&diagram, &arrange(&diagram, None)),
            &options
        )
    );
}
