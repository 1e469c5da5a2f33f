//! End-to-end tests: VMS and its testbed as their users meet them.

mod testbed;
