//! The server from outside: configuration, the router over the demo fleet, the process.

mod commands;
mod configuration;
mod demo;
mod images;
mod layout;
mod pages;
mod pilot;
mod process;
mod protection;
