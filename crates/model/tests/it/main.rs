//! The model by properties and by example.

mod derive;
mod difference;
mod fleet;
mod properties;
