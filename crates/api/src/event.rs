//! What is pushed: one stream of what happens, for pages and pilots alike.

use crate::{HostId, Job, Timestamp, TopologyChange};
use serde::{Deserialize, Serialize};
use std::pin::Pin;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "event",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    /// The topology is at a new version.
    Topology {
        /// The new version: one more than that of the event before.
        version: u64,
        /// When it came to be.
        at: Timestamp,
        /// What changed.
        changes: Vec<TopologyChange>,
    },
    /// The receiver has missed versions: it should read the topology anew.
    Resync {
        /// The present version.
        version: u64,
    },
    /// A job is another than it was. Between two changes of its phase, progress is told about once
    /// a second.
    Job {
        /// The job as it is now.
        job: Box<Job>,
    },
    /// A host was sampled.
    Measured {
        /// The host.
        host: HostId,
        /// The samples' time.
        at: Timestamp,
    },
}

/// A stream of events; it ends when the server shuts down.
pub type EventStream = Pin<Box<dyn futures_core::Stream<Item = Event> + Send>>;
