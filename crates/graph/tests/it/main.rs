//! What every picture must keep: nothing overlaps, nothing jumps, nothing escapes.

mod fleet;
mod pictures;
mod stability;
mod xml;
