//! End-to-end tests: VMS and its testbed as their users meet them.

mod cold;
mod console;
mod demo;
mod faults;
mod fleet;
mod latency;
mod library;
mod migration;
mod provisioning;
mod real_host;
mod resilience;
mod testbed;
mod trace;
mod wiring;
