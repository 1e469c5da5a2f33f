//! The model by properties and by example.

mod cables;
mod derive;
mod difference;
mod fleet;
mod placement;
mod properties;
mod vxlan;
