//! XML both ways: what libvirt wrote, what was changed in it, and what was built from nothing.

mod built;
mod edited;
mod generated;
mod golden;
