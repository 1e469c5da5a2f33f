//! The only unsafe code of the library: what `virt` lacks or gets wrong, over `virt-sys`.
//!
//! `virt` 0.5 is used wherever it is sound (connecting, listing, XML, acting). Here is the rest:
//! the event loop, callbacks (`virt` has none), the bulk statistics and addresses (`virt` leaks
//! them), agents and leases (`virt` has none), the state of a domain (`virt` ignores the error),
//! the size of its disks (`virt` returns uninitialised data), its jobs (`virt` aborts the process
//! over an idle domain, leaks the parameters of a migration and can abort none), the
//! comparison of processors (`virt` has half of it), holes in streams and streams that never wait (`virt` has none), and the sockets under connections. Every function is safe to call; each
//! unsafe block says why it is sound.
#![allow(unsafe_code)]

pub(crate) mod callbacks;
pub(crate) mod domain;
pub(crate) mod event_loop;
pub(crate) mod guest;
pub(crate) mod host;
pub(crate) mod job;
pub(crate) mod sockets;
pub(crate) mod stats;
pub(crate) mod stream;
