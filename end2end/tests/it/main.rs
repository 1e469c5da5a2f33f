//! End-to-end tests: VMS and its testbed as their users meet them.
//!
//! Those in a module `alone` run one at a time, after the others, which run side by side: each has
//! hosts or a demo fleet of its own.

mod alone;
mod cold;
mod console;
mod demo;
mod library;
mod migration;
mod provisioning;
