//! Tests from outside: browser, SOAP clients, and the testbed of real hosts.
//!
//! What lives here is what a test that sees VMS as its users do needs:
//!
//! - [`testbed`]: real libvirt hosts with real guests on this machine;
//! - [`VmsProcess`]: the built `vms` binary as a process that can be stopped, killed
//!   and started again;
//! - [`client`]: programs that talk to it, in Python (zeep) and in a browser (Playwright);
//! - [`Scratch`] and [`interrupt`]: directories that are gone afterwards, even after Ctrl-C.
//!
//! The tests themselves are in `tests/it`. `cargo xtask testbed` uses the same code.
//! Nothing here knows a crate of the server: only its command line, pages and services.

pub mod client;
pub mod interrupt;
mod scratch;
pub mod testbed;
pub mod vms_process;
mod wait;

pub use scratch::Scratch;
pub use vms_process::VmsProcess;
pub use wait::until;
