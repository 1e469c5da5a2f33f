//! What the first page reads of an event. Jobs are left as text for those who show them: reading one
//! is more code than all else that is heard.

use api::{HostId, Timestamp};
use serde::Deserialize;

/// An event, as far as every page needs it; the server's is [`api::Event`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(
    tag = "event",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Heard {
    /// The topology is at a new version.
    Topology {
        /// The version.
        version: u64,
        /// What changed.
        changes: Vec<Change>,
    },
    /// The topology is to be read anew.
    Resync {
        /// The version.
        version: u64,
    },
    /// A host was sampled.
    Measured {
        /// The host.
        host: HostId,
        /// When.
        at: Timestamp,
    },
    /// A job is another than it was: the text says which.
    Job,
}

/// A change, in a sentence.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Change {
    /// The sentence.
    pub summary: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::words::tests::job;
    use api::{Event, JobState};

    #[test]
    fn what_the_server_says_is_heard() {
        let at = Timestamp::UNIX_EPOCH;
        let host: HostId = "h".parse().unwrap();
        let job = Box::new(job(1, JobState::Running));
        let version = 3;
        for (event, expected) in [
            (Event::Resync { version }, Heard::Resync { version }),
            (
                Event::Measured {
                    host: host.clone(),
                    at,
                },
                Heard::Measured { host, at },
            ),
            (
                Event::Topology {
                    version,
                    at,
                    changes: Vec::new(),
                },
                Heard::Topology {
                    version,
                    changes: Vec::new(),
                },
            ),
            (Event::Job { job }, Heard::Job),
        ] {
            let text = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Heard>(&text).unwrap(), expected);
        }
    }
}
