//! Moving routers from host to host.

use crate::{HostId, Job, RouterId, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How a router is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum MigrationMode {
    /// While it runs.
    Live,
    /// It is stopped, brought over, and started again.
    Cold,
}

impl MigrationMode {
    /// Both, in the order in which a page offers them.
    pub const ALL: [Self; 2] = [Self::Live, Self::Cold];

    /// The name, as in a request or a command.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Cold => "cold",
        }
    }
}

impl fmt::Display for MigrationMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for MigrationMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|mode| mode.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not a way to move: live or cold was expected"))
    }
}

/// Asks where a router can be moved to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CheckMigrationRequest {
    /// The router.
    pub router: RouterId,
    /// Where to; every other host if absent.
    pub destination: Option<HostId>,
    /// How; if absent, live where the router runs and its driver can, else cold.
    pub mode: Option<MigrationMode>,
}

/// Where a router can be moved to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CheckMigrationReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The router.
    pub router: RouterId,
    /// The host that it is on.
    pub source: HostId,
    /// How it would be moved.
    pub mode: MigrationMode,
    /// A verdict for the destination or, without one, for every other host: the best first.
    pub verdicts: Vec<MigrationVerdict>,
}

/// Whether a router can be moved to a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct MigrationVerdict {
    /// The host.
    pub host: HostId,
    /// The host's name.
    pub host_name: String,
    /// The worst level of the findings.
    pub verdict: FindingLevel,
    /// The verdict in a sentence.
    pub summary: String,
    /// How good a place it is, where it can be moved to: the share of the host's processors that
    /// would be free with the router on it, 0 to 1, less what warnings take from it. Absent where
    /// the host's load is not known.
    pub score: Option<f64>,
    /// All that was looked at, the worst first.
    pub findings: Vec<MigrationFinding>,
}

impl MigrationVerdict {
    /// Whether it can be done.
    pub fn is_possible(&self) -> bool {
        self.verdict != FindingLevel::Obstacle
    }

    /// What stands in the way.
    pub fn obstacles(&self) -> impl Iterator<Item = &MigrationFinding> {
        let findings = self.findings.iter();
        findings.filter(|finding| finding.level == FindingLevel::Obstacle)
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum FindingLevel {
    /// It is as it should be.
    Fine,
    /// It can be done, with a consequence.
    Warning,
    /// It cannot be done.
    Obstacle,
}

impl FindingLevel {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warning => "warning",
            Self::Obstacle => "obstacle",
        }
    }
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct MigrationFinding {
    /// How much it matters.
    pub level: FindingLevel,
    /// What was looked at.
    pub check: MigrationCheck,
    /// What was found, in a sentence.
    pub what: String,
    /// Why it matters; absent where it is as it should be.
    pub why: Option<String>,
    /// What to do about it; absent where nothing needs to be done.
    pub advice: Option<String>,
}

/// What is looked at before a router is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum MigrationCheck {
    /// Whether both hosts are in contact.
    Contact,
    /// Whether the destination is in maintenance.
    Maintenance,
    /// Whether the destination has the router's libvirt driver, and that driver can do it.
    Driver,
    /// Whether the router is in a state in which it can be moved.
    State,
    /// Whether the destination's processors can stand in for those that the router sees.
    Processor,
    /// Whether the destination has the router's virtualisation type, machine type and emulator.
    Machine,
    /// Whether kernel, initial file system, firmware and its variables are at the destination.
    BootFiles,
    /// Whether there is memory for it.
    Memory,
    /// Whether there are processors for it.
    Processors,
    /// Whether an interface would be in the same segment there.
    Network,
    /// Whether a link's transport survives.
    Link,
    /// Whether a disk is reachable there, or can be copied.
    Disk,
    /// Whether name and UUID are free there.
    Identity,
    /// By which way the hosts talk to each other.
    Way,
}

impl MigrationCheck {
    /// The words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Maintenance => "maintenance",
            Self::Driver => "driver",
            Self::State => "state",
            Self::Processor => "processor model",
            Self::Machine => "machine type",
            Self::BootFiles => "boot files",
            Self::Memory => "memory",
            Self::Processors => "processors",
            Self::Network => "network",
            Self::Link => "link",
            Self::Disk => "disk",
            Self::Identity => "identity",
            Self::Way => "way between the hosts",
        }
    }
}

/// Asks to move a router to another host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct MigrateRouterRequest {
    /// The router.
    pub router: RouterId,
    /// Where to.
    pub destination: HostId,
    /// How; if absent, live where the router runs and its driver can, else cold.
    pub mode: Option<MigrationMode>,
    /// The most that is sent, in MiB a second; as fast as the hosts can if absent.
    pub bandwidth_mebibytes_per_second: Option<u64>,
    /// How long the router may stand still in a live migration, in milliseconds; what its
    /// hypervisor holds for right if absent (QEMU: 300).
    pub maximum_downtime_milliseconds: Option<u64>,
    /// How long a router may take to shut down in a cold migration before it is switched off, in
    /// seconds; 60 if absent.
    pub shutdown_seconds: Option<u32>,
    /// An id of the caller's choice: the same id from the same caller returns the first job
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The router is being moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct MigrateRouterReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The job that moves it.
    pub job: Job,
}

/// Asks to keep a host free of what is new, or to take it back into use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct SetHostMaintenanceRequest {
    /// The host.
    pub host: HostId,
    /// Whether it is in maintenance from now on: nothing new lands there. What runs there runs on.
    pub maintenance: bool,
    /// Why, in a line for people.
    pub reason: Option<String>,
    /// An id of the caller's choice: the same id from the same caller returns the first result
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The host is in maintenance, or is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct SetHostMaintenanceReply {
    /// When it was done.
    pub as_of: Timestamp,
    /// The host as it is now.
    pub host: crate::Host,
}
