//! The library against libvirt's test driver and against hosts that do not answer.

mod console;
mod domains;
mod echo;
mod fleet;
mod guest;
mod inventory;
mod leaks;
mod lifecycle;
mod measurement;
mod migration;
mod network;
mod storage;
mod transfer;
mod unreachable;
mod xml;
