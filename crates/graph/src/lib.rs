//! Paths and layout over petgraph, and the pure [`Scene`] that every renderer draws.
//!
//! ```text
//! Diagram ──arrange──▶ Positions ──Scene::new──▶ Scene ──▶ svg::render, WebGL, …
//!  what is there        where it is               what is drawn, plain data
//! ```
//!
//! A [`Diagram`] says what is to be drawn in the drawer's words, [`arrange`] finds a place for
//! everything in it, [`Scene::new`] turns both into shapes, curves and label boxes in absolute
//! coordinates, and a renderer only paints. Nothing here touches the network, a clock, a file or
//! the system's random numbers: the same input gives the same picture, on the server and in the
//! browser. What a host or router *is* does not live here; neither do pages nor events.
//!
//! One unit is one CSS pixel at zoom 1; x grows to the right, y downwards.

// Points, rectangles and indices have short names all over.
#![allow(clippy::many_single_char_names)]

mod boxes;
pub mod delta;
pub mod describe;
mod diagram;
pub mod export;
mod fold;
mod geometry;
pub mod layout;
pub mod lens;
pub mod palette;
pub mod paths;
pub mod query;
mod scene;
pub mod search;
mod shape;
pub mod svg;

pub use diagram::{
    Diagram, Edge, EdgeKind, EdgeState, End, Facts, Group, Node, NodeKind, NodeState, Point,
    Positions, Thing,
};
pub use layout::{Layout, Order, Start, arrange};
pub use scene::{
    Curve, Declutter, LabelKind, PIECES, Rect, Scene, SceneBox, SceneEdge, SceneLabel, SceneNode,
    Tween,
};
pub use shape::text_width;
