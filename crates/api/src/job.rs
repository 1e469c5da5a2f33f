//! Jobs: long work that is under way, or was.
//!
//! An operation that takes long returns a [`Job`] at once; [`crate::Operations::get_job`] waits for
//! its end, [`crate::Event::Job`] tells of every step, and [`crate::Operations::cancel_job`] asks
//! that it be given up.

use crate::{HostId, ImageId, RouterId, Timestamp, VirtualLinkId, ids::IdError};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// The id of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[cfg_attr(feature = "soap", soap(value))]
#[serde(transparent)]
pub struct JobId(pub Uuid);

impl FromStr for JobId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Uuid::try_parse(text).map(Self).map_err(|_| {
            IdError::new(format!(
                "{text:?} is not a job's id: a UUID was expected; ListJobs tells which there are"
            ))
        })
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Long work, and how far it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// How it is getting on.
    pub state: JobState,
    /// What it is doing, or did last.
    pub phase: JobPhase,
    /// What it is doing, or how it ended, in a sentence.
    pub message: String,
    /// How much of the present phase is done, where that is known.
    pub progress: Option<JobProgress>,
    /// The router that it acts on.
    pub router: Option<RouterId>,
    /// The router's name.
    pub router_name: Option<String>,
    /// The host that the router is taken from, or is on.
    pub source: Option<HostId>,
    /// The host that the router or image is brought to.
    pub destination: Option<HostId>,
    /// Who asked for it.
    pub requested_by: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its work began; absent while it waits for its turn.
    pub started_at: Option<Timestamp>,
    /// When its state, phase or sentence changed last.
    pub changed_at: Timestamp,
    /// When it ended; absent while it has not.
    pub finished_at: Option<Timestamp>,
    /// Whether it can be cancelled now.
    pub cancellable: bool,
    /// Whether somebody has asked to cancel it.
    pub cancel_requested: bool,
    /// What a migration did, once it is done.
    pub migration: Option<MigrationResult>,
    /// Why it failed.
    pub error: Option<JobError>,
    /// What is still to be cleaned up on a host that cannot be asked now, in sentences.
    pub pending: Vec<String>,
    /// What it did, step by step.
    pub steps: Vec<JobStep>,
    /// The image that it acts on or made.
    #[serde(default)]
    pub image: Option<ImageId>,
    /// The virtual link that it acts on or made.
    #[serde(default)]
    pub link: Option<VirtualLinkId>,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum JobKind {
    /// Moves a running router to another host, which does not stop meanwhile.
    LiveMigration,
    /// Stops a router, if it runs, brings it to another host, and starts it there.
    ColdMigration,
    /// Takes files of the import directory into the image store.
    ImageImport,
    /// Brings an image to a host.
    ImageDistribution,
    /// Deletes an image's copy from a host.
    ImageEviction,
    /// Deletes an image from the store and from all hosts.
    ImageDeletion,
    /// Makes a router.
    RouterCreation,
    /// Waits until a router has shut down.
    RouterShutdown,
    /// Deletes a router.
    RouterDeletion,
    /// Links two routers.
    LinkCreation,
    /// Takes a link between two routers away.
    LinkDeletion,
}

impl JobKind {
    /// The words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LiveMigration => "live migration",
            Self::ColdMigration => "cold migration",
            Self::ImageImport => "image import",
            Self::ImageDistribution => "image distribution",
            Self::ImageEviction => "image eviction",
            Self::ImageDeletion => "image deletion",
            Self::RouterCreation => "router creation",
            Self::RouterShutdown => "router shutdown",
            Self::RouterDeletion => "router deletion",
            Self::LinkCreation => "link creation",
            Self::LinkDeletion => "link deletion",
        }
    }
}

/// How a job is getting on.
///
/// ```text
/// queued ──► running ──► succeeded | failed | cancelled | interrupted
///                └─► cleanupPending ──► one of the same, once the other host could be asked
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum JobState {
    /// It waits for its turn: its hosts are busy with other jobs.
    Queued,
    /// It works.
    Running,
    /// It is over but for what is left on a host that cannot be asked now; that is tried again
    /// until it can.
    CleanupPending,
    /// It did what was asked.
    Succeeded,
    /// It did not; what it had begun was undone, as far as its sentence does not say otherwise.
    Failed,
    /// It was given up because somebody asked for that, and what it had begun was undone.
    Cancelled,
    /// The server ended meanwhile; the sentence says what was found after it started again.
    Interrupted,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Running,
        Self::CleanupPending,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Interrupted,
    ];

    /// Whether it has ended for good.
    pub fn is_over(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Interrupted
        )
    }

    /// The words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::CleanupPending => "cleanup pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What a job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum JobPhase {
    /// It waits for its turn.
    Waiting,
    /// It looks whether it can be done.
    Checking,
    /// It prepares the destination: disks, definitions.
    Preparing,
    /// It stops the router (cold migration).
    Stopping,
    /// It brings disks and memory to the destination.
    Transferring,
    /// It compares what it sent with what there is.
    Verifying,
    /// It starts the router, and waits until that is ready.
    Starting,
    /// The router starts at the destination: from here on there is no way back.
    Switching,
    /// It mends links and takes away what is left at the source.
    Finishing,
    /// It takes back what it had begun.
    Undoing,
    /// It has ended.
    Done,
}

impl JobPhase {
    /// The words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Checking => "checking",
            Self::Preparing => "preparing",
            Self::Stopping => "stopping",
            Self::Transferring => "transferring",
            Self::Verifying => "verifying",
            Self::Starting => "starting",
            Self::Switching => "switching",
            Self::Finishing => "finishing",
            Self::Undoing => "undoing",
            Self::Done => "done",
        }
    }
}

/// How much of a job's present phase is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct JobProgress {
    /// Bytes that are done.
    pub done_bytes: u64,
    /// Bytes that there are in all, as far as is known: a guest that changes its memory makes more.
    pub total_bytes: u64,
    /// Bytes a second at present, where known.
    pub bytes_per_second: Option<u64>,
    /// Seconds that are left, where that can be told.
    pub seconds_left: Option<u64>,
    /// Which round it is over the router's memory, from 1.
    pub iteration: Option<u64>,
}

impl JobProgress {
    /// The share that is done, 0 to 1.
    pub fn share(&self) -> f64 {
        if self.total_bytes == 0 {
            return 0.0;
        }
        (self.done_bytes as f64 / self.total_bytes as f64).min(1.0)
    }
}

/// Something that a job did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct JobStep {
    /// When.
    pub at: Timestamp,
    /// What, in a sentence.
    pub message: String,
}

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct JobError {
    /// What went wrong, and what the router's state is now.
    pub message: String,
    /// What to do about it.
    pub advice: String,
}

/// What a migration did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct MigrationResult {
    /// How long it took from its first step to its last, in milliseconds.
    pub total_milliseconds: u64,
    /// How long the router stood still, in milliseconds: as its hypervisor measured it in a live
    /// migration, from stop to start in a cold one. Absent if it is not known.
    pub downtime_milliseconds: Option<u64>,
    /// Bytes of memory that were sent.
    pub memory_bytes: Option<u64>,
    /// Bytes of disks that were sent, as was seen half a second before the end at the latest.
    pub disk_bytes: Option<u64>,
    /// Who drove it: `peerToPeer` (the source host) or `managed` (VMS). Absent in a cold one.
    pub driven_by: Option<MigrationDriver>,
    /// Links that were interrupted longer than the router stood still.
    pub interruptions: Vec<LinkInterruption>,
}

/// Who drives a live migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum MigrationDriver {
    /// The source host, which reaches the destination by itself.
    PeerToPeer,
    /// The server, over its connections to both.
    Managed,
}

impl MigrationDriver {
    /// The words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PeerToPeer => "driven by the source host",
            Self::Managed => "driven by VMS",
        }
    }
}

/// A link that a migration interrupted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct LinkInterruption {
    /// The moved router's interface.
    pub interface: crate::MacAddress,
    /// The router at the other end, where it is known.
    pub peer: Option<RouterId>,
    /// For how long, in milliseconds, as far as VMS knows: until it was mended.
    pub milliseconds: Option<u64>,
    /// Why, and whether it was mended, in a sentence.
    pub message: String,
}

/// Asks for one job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct GetJobRequest {
    /// The job.
    pub job: JobId,
    /// How long to wait for its end before it is told as it is, in seconds: 50 at most; not at all
    /// if absent.
    pub wait_seconds: Option<u32>,
}

/// One job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct GetJobReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The job as it is now.
    pub job: Job,
}

/// Asks for the jobs that match; without any condition, for the newest of all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase", default)]
pub struct ListJobsRequest {
    /// Only those that act on this router: of a link, those of both ends.
    pub router: Option<RouterId>,
    /// Only those that act on this host.
    pub host: Option<HostId>,
    /// Only those that have not ended, if true.
    pub unfinished: Option<bool>,
    /// How many, the newest first: 1 to 1000; 100 if absent.
    pub limit: Option<u32>,
}

/// The jobs that match, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ListJobsReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The jobs.
    pub jobs: Vec<Job>,
}

/// Asks to give up a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CancelJobRequest {
    /// The job.
    pub job: JobId,
    /// An id of the caller's choice: the same id from the same caller returns the first result
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The job is being given up, or is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CancelJobReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The job as it is now.
    pub job: Job,
}
