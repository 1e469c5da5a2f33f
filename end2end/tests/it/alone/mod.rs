//! Tests that need the machine for themselves: they measure how soon something shows or what a fault
//! slows down, or look for what is left on the machine.

mod faults;
mod fleet;
mod latency;
mod real_host;
mod resilience;
mod testbed;
mod trace;
mod wiring;
