//! The library against libvirt's test driver and against hosts that do not answer.

mod fleet;
mod inventory;
mod leaks;
mod lifecycle;
mod measurement;
mod storage;
mod unreachable;
mod xml;
