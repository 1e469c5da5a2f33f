//! What every picture must keep: nothing overlaps, nothing jumps, nothing escapes.

mod fleet;
mod layouts;
mod pictures;
mod stability;
mod xml;
