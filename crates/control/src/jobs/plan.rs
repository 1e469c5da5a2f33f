//! What a job is about to do, is to undo, and has to clean up: enough to go on after a sudden death.
//!
//! Everything that an act would leave behind is written down before the act, so that whoever comes
//! after a death knows where to look. A migration has two hosts and must find out where its router
//! is ([`Migration`]); everything else is a task (`task`), which is done or undone as a whole.

use api::{JobError, JobState, MigrateRouterRequest, MigrationMode, MigrationResult, Timestamp};
use jiff::SignedDuration;
use model::{Driver, HostId, Mac, RouterId};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

use super::task::Task;

/// The plan of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Plan {
    Task(Task),
    Migration(Migration),
}

/// What plans of both kinds have, to whoever carries them out.
pub(crate) trait Course: Clone + Send + Sync {
    /// What is noted on the way, and not written down.
    type Notes: Default + Send + Sync;

    /// The plan, to be written down.
    fn to_plan(&self) -> Plan;
    /// What takes back what was begun, the newest last.
    fn undo(&mut self) -> &mut Vec<Chore>;
    /// What is left to be done.
    fn follow_up(&mut self) -> &mut Vec<Chore>;
    /// How it ended, once that is known and only chores are left.
    fn outcome(&mut self) -> &mut Option<Outcome>;
    /// Whether it is past the point of no return.
    fn is_committed(&self) -> bool;
    /// What chores are about that do not say it themselves.
    fn subject(&self) -> Subject;

    /// One of its chores will not be done: the sentence says which, and why.
    fn left_undone(&mut self, _chore: &Chore, _sentence: &str) {}

    /// What is left to be done when it is taken back.
    fn take_back(&mut self) -> Vec<Chore> {
        let mut undo = std::mem::take(self.undo());
        undo.reverse();
        undo
    }
}

/// What a job's chores are about.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub router: RouterId,
    pub name: String,
    pub driver: Driver,
    /// Until when the router may still shut down because it was asked to.
    pub shut_down_until: Option<Timestamp>,
}

/// The plan of a migration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Migration {
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
    /// The driver; the plan's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<Driver>,
    /// The router; the plan's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<RouterId>,
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
    /// The router is switched off, if it runs, and its definition removed.
    Remove,
    /// A network that VMS made is removed.
    RemoveNetwork { network: String },
    /// An interface is taken out of the router.
    RemoveInterface { mac: Mac },
    /// The router runs without this interface, which its definition does not have: one that has it
    /// still is restarted, and asked to shut down for so long; one that is off is started, and so
    /// is one that is still in this run, by libvirt's number, once it has shut down as it was asked.
    Restart {
        mac: Mac,
        seconds: u32,
        run: Option<u32>,
    },
    /// VMS no longer knows a virtual link.
    ForgetLink(api::VirtualLinkId),
    /// An image leaves the store.
    DeleteImage(api::ImageId),
    /// An image is no longer on the host; its volume goes, unless another image needs it.
    EvictImage {
        image: api::ImageId,
        pool: String,
        volume: String,
        sha256: String,
    },
    /// A storage pool that VMS made goes, if nothing is in it.
    RemovePool { pool: String },
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

impl Migration {
    pub fn host(&self, end: End) -> &HostId {
        match end {
            End::Source => &self.from,
            End::Destination => &self.to,
        }
    }

    /// How long the router may take to shut down.
    pub fn shut_down_within(&self) -> Duration {
        let seconds = self.request.shutdown_seconds;
        seconds.map_or(SHUT_DOWN, |seconds| Duration::from_secs(seconds.into()))
    }

    /// Something to be done at one end.
    pub fn chore(&self, end: End, what: What) -> Chore {
        Chore::new(self.host(end), what)
    }
}

impl Course for Migration {
    type Notes = Interruptions;

    fn to_plan(&self) -> Plan {
        Plan::Migration(self.clone())
    }

    fn undo(&mut self) -> &mut Vec<Chore> {
        &mut self.undo
    }

    fn follow_up(&mut self) -> &mut Vec<Chore> {
        &mut self.follow_up
    }

    fn outcome(&mut self) -> &mut Option<Outcome> {
        &mut self.outcome
    }

    fn is_committed(&self) -> bool {
        self.stage == Stage::Committed
    }

    fn subject(&self) -> Subject {
        let within = SignedDuration::try_from(self.shut_down_within()).unwrap_or_default();
        Subject {
            router: self.router,
            name: self.name.clone(),
            driver: self.driver,
            shut_down_until: (self.stopping_since).and_then(|since| since.checked_add(within).ok()),
        }
    }
}

/// Links that a move interrupts.
#[derive(Debug, Default)]
pub(crate) struct Interruptions {
    /// Since when they are down: from when the router stood still.
    pub since: Option<Instant>,
    pub links: Vec<api::LinkInterruption>,
}

impl Plan {
    /// The request id that it was asked for with.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Task(task) => task.request_id.as_deref(),
            Self::Migration(migration) => migration.request.request_id.as_deref(),
        }
    }

    /// The routers that nobody else may act on meanwhile.
    pub fn routers(&self) -> &[RouterId] {
        match self {
            Self::Task(task) => &task.routers,
            Self::Migration(migration) => std::slice::from_ref(&migration.router),
        }
    }

    /// The hosts that it acts on.
    pub fn hosts(&self) -> Vec<HostId> {
        match self {
            Self::Task(task) => task.hosts.clone(),
            Self::Migration(migration) => vec![migration.from.clone(), migration.to.clone()],
        }
    }
}

impl Chore {
    pub fn new(host: &HostId, what: What) -> Self {
        Self {
            host: host.clone(),
            driver: None,
            router: None,
            what,
        }
    }

    /// The same, about another router than the plan's.
    pub fn about(host: &HostId, driver: Driver, router: RouterId, what: What) -> Self {
        Self {
            driver: Some(driver),
            router: Some(router),
            ..Self::new(host, what)
        }
    }

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
            What::Remove => format!("remove {router} from {host}"),
            What::RemoveNetwork { network } => format!("remove the network {network} from {host}"),
            What::RemoveInterface { mac } => format!("take the interface {mac} out on {host}"),
            What::Restart { mac, .. } => {
                format!("let the router that had {mac} run without it on {host}")
            }
            What::ForgetLink(link) => format!("forget the link {link}"),
            What::DeleteImage(_) => format!("delete {router} from the image store"),
            What::EvictImage { volume, .. } => {
                format!("delete the copy {volume} of {router} on {host}")
            }
            What::RemovePool { pool } => format!("remove the storage pool {pool} from {host}"),
            What::Replug(replug) => format!(
                "lead the interface {} of {} on {host} to {}",
                replug.mac, replug.name, replug.to
            ),
        }
    }
}
