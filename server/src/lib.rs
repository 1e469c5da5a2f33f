//! The `vms` binary: configuration, command line, web, SOAP services.
//!
//! ```text
//! main ─▶ cli ─┬▶ demo, serve ─▶ config ─▶ process ─▶ web (pages, events, …) ─┐
//!              │                                  └▶ pilot (SOAP) ────────────┴▶ Operations (control)
//!              └▶ host, router, topology, history, events ─▶ client ─▶ SOAP of a running server
//! ```
//!
//! Everything here is an adapter: what the operations mean is in `api`, how they are carried out in
//! `control`.

#![recursion_limit = "512"]

pub mod cli;
pub mod client;
pub mod config;
pub mod pilot;
pub mod process;
pub mod web;
