//! What a job is about to do, is to undo, and has to clean up: enough to go on after a sudden death.
//!
//! Everything that an act would leave behind is written down before the act, so that whoever comes
//! after a death knows where to look.

use api::{JobError, JobState, MigrateRouterRequest, MigrationMode, MigrationResult, Timestamp};
use jiff::SignedDuration;
use model::{Driver, HostId, Mac, RouterId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The plan of a migration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub request: MigrateRouterRequest,
    pub router: RouterId,
    pub name: String,
    pub driver: Driver,
    pub from: HostId,
    pub to: HostId,
    pub mode: MigrationMode,
    /// Whether the router ran when it was asked for.
    pub was_active: bool,
    /// Whether it ran and was not paused, when it began to move.
    #[serde(default)]
    pub was_running: bool,
    /// Since when it is asked to shut down.
    #[serde(default)]
    pub stopping_since: Option<Timestamp>,
    /// Whether it starts with its host.
    pub autostart: bool,
    pub stage: Stage,
    /// What takes back what was begun, the newest last.
    pub undo: Vec<Chore>,
    /// What is to be done once the router is at the destination.
    pub follow_up: Vec<Chore>,
    /// How it ended, once that is known and only chores are left.
    pub outcome: Option<Outcome>,
}

/// How far a migration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Nothing that decides where the router is.
    Begun,
    /// The hosts may be moving it: where it is must be asked.
    Moving,
    /// A move is past the point of no return: the router belongs to the destination, whether it runs
    /// there or not.
    Committed,
}

/// One end of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    Source,
    Destination,
}

/// One thing to be done on one host. Doing it twice does no harm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Chore {
    pub host: HostId,
    pub what: What,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum What {
    /// A volume that was made, or is no longer needed, is deleted.
    DeleteVolume { pool: String, volume: String },
    /// A definition that is shut off is removed; one that runs is left alone.
    Undefine,
    /// The router starts with its host, or does not.
    SetAutostart(bool),
    /// The router, which was stopped, is started again.
    Start,
    /// The router, which libvirt paused to move it, goes on.
    Resume,
    /// The other end of a UDP link is led to where the router is now.
    Replug(Replug),
}

/// A NIC of another router, at the other end of a UDP link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Replug {
    pub router: RouterId,
    pub name: String,
    pub mac: Mac,
    /// Whether it ran when the move was planned.
    #[serde(default = "yes")]
    pub was_active: bool,
    /// Where the moved router's end was, and is: `address:port`.
    pub from: String,
    pub to: String,
    /// The moved router's interface.
    pub of: Mac,
}

/// What plans meant that did not say.
fn yes() -> bool {
    true
}

/// How long a router may take to shut down where the request does not say.
const SHUT_DOWN: Duration = Duration::from_mins(1);

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub state: JobState,
    pub message: String,
    pub error: Option<JobError>,
    pub migration: Option<MigrationResult>,
}

impl Plan {
    pub fn host(&self, end: End) -> &HostId {
        match end {
            End::Source => &self.from,
            End::Destination => &self.to,
        }
    }

    /// Whether the router may still shut down because it was asked to.
    pub fn may_shut_down(&self) -> bool {
        self.stopping_since.is_some_and(|since| {
            let passed = Timestamp::now().duration_since(since);
            passed < SignedDuration::try_from(self.shut_down_within()).unwrap_or_default()
        })
    }

    /// How long the router may take to shut down.
    pub fn shut_down_within(&self) -> Duration {
        let seconds = self.request.shutdown_seconds;
        seconds.map_or(SHUT_DOWN, |seconds| Duration::from_secs(seconds.into()))
    }

    /// Something to be done at one end.
    pub fn chore(&self, end: End, what: What) -> Chore {
        let host = self.host(end).clone();
        Chore { host, what }
    }

    /// What is left to be done when the router has not moved.
    pub fn take_back(&mut self) -> Vec<Chore> {
        let mut undo = std::mem::take(&mut self.undo);
        undo.reverse();
        undo
    }
}

impl Chore {
    /// A sentence without a full stop.
    pub fn describe(&self, router: &str) -> String {
        let host = &self.host;
        match &self.what {
            What::DeleteVolume { pool, volume } => {
                format!("delete the volume {volume} of the pool {pool} on {host}")
            }
            What::Undefine => format!("remove the definition of {router} from {host}"),
            What::SetAutostart(true) => format!("let {router} start with {host}"),
            What::SetAutostart(false) => format!("no longer let {router} start with {host}"),
            What::Start => format!("start {router} on {host} again"),
            What::Resume => format!("let {router} go on on {host}"),
            What::Replug(replug) => format!(
                "lead the interface {} of {} on {host} to {}",
                replug.mac, replug.name, replug.to
            ),
        }
    }
}
