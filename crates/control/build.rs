//! A migration that is added must be built in, and the macro that does so sees changed files only.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
