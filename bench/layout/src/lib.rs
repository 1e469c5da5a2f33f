//! The graphs that layouts are compared on, and our layouts as WebAssembly.
//!
//! The program beside this (`main.rs`) runs everybody by turns and keeps the score.

pub mod graphs;
pub mod subject;
#[cfg(target_family = "wasm")]
mod wasm;
