//! What implements the operations: fleet, discovery, measurement, service, demo.
//!
//! ```text
//! hosts ◄──► fleet ──► discovery ──► snapshots, events ──► service ◄── callers (api::Operations)
//!              │           └──► vms.db (versions, acts) ◄────┤
//!              └──► measurement ──► history.db, latest ◄─────┘
//! ```
//!
//! - [`Control`]: starts all of it from [`Settings`], and ends it;
//! - `fleet`: contact with the hosts, one supervisor each;
//! - `discovery`: from what hosts report to the topology's versions;
//! - `measurement`: from counters to the history;
//! - `images`: what routers are made from, kept and shipped;
//! - `jobs`: long work: moving routers;
//! - `service`: the operations, the only door;
//! - `store`: `vms.db`;
//! - `demo`: the embedded demo fleet, reached from [`Settings::demo`] only.
//!
//! The fleet is private: nothing gets at a host around the operations.

pub(crate) mod demo;
mod discovery;
mod error;
mod fleet;
mod images;
mod jobs;
mod measurement;
mod provisioning;
mod service;
mod settings;
mod start;
mod store;

pub use error::StartError;
pub use fleet::KeyName;
pub use images::ImageSettings;
pub use libvirt::{Driver, Transport, Uri, UriError};
pub use settings::{
    DeclaredLink, EndpointSettings, HostAddresses, HostSettings, KernelSettings, LinkSettings,
    LldpSettings, MigrationSettings, Settings, SshAddress,
};
pub use start::Control;
