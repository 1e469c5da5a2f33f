//! Draws a scene with WebGL 2.
//!
//! ```text
//! Diagram, Scene, Look ─▶ instances ─▶ buffers ┐
//!                         labels ─▶ atlas ─────┼─▶ a frame: lines, boxes, lines, nodes, text
//!                         style sheet ─▶ Theme ┘
//! ```
//!
//! A frame costs the main thread a dozen calls and the labels: everything else stays in the
//! graphics processor's memory until the scene or the look changes. What things look like follows
//! the SVG (`graph::svg`), which takes its place on the server, in print and without WebGL.
//! Nothing here knows where things are or what they mean; picking is `Scene::pick`.

#[cfg(feature = "hydrate")]
mod atlas;
pub mod instances;
#[cfg(any(feature = "hydrate", test))]
mod labels;
pub mod look;
#[cfg(feature = "hydrate")]
mod stage;
#[cfg(feature = "hydrate")]
mod theme;

pub use look::{Look, Mark};
#[cfg(feature = "hydrate")]
pub(super) use stage::{Renderer, View};
#[cfg(feature = "hydrate")]
pub(super) use theme::canvas_2d;
