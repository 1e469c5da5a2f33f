//! End-to-end tests: VMS and its testbed as their users meet them.

mod demo;
mod real_host;
mod testbed;
