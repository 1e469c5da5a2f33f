//! What every picture must keep: nothing overlaps, nothing jumps, nothing escapes; what is left out
//! or drawn as one leaves a diagram that is whole.

mod exports;
mod fleet;
mod layouts;
mod lens;
mod palette;
mod pictures;
mod stability;
mod xml;
