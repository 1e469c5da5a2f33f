//! Jobs of domains: moving one to another host, and what a long job is doing.
//!
//! A migration is one libvirt call that lasts as long as the migration, so it takes one of the
//! connection's threads, with a deadline of its own. Whoever wants to watch or abort it from the
//! same connection needs another thread there (`Options::workers`).
//!
//! ```text
//!            migrate                      converged               the source lets go
//!   Running ─────────▶ copying in rounds ───────────▶ switching ────────────────────▶ moved
//!                        │        │ start_post_copy                    ▲
//!                        │        └────▶ runs at the destination, the rest follows
//!                        │ abort_job, or an error                      (cannot be aborted)
//!                        ▼
//!                      runs at the source as before
//! ```

use std::ffi::CStr;
use std::time::Duration;

use uuid::Uuid;
use virt::connect::Connect;
use virt_sys as sys;

use crate::connection::Connection;
use crate::domain::look_up;
use crate::driver::Capability;
use crate::error::Error;
use crate::ffi::job::{self as ffi, Parameters};
use crate::ffi::stats::{Fields, Value};
use crate::uri::Uri;
use crate::xml::DomainXml;

/// Where to, and how, a domain is moved.
///
/// ```no_run
/// # async fn example(alpha: libvirt::Connection, router: uuid::Uuid) -> Result<(), libvirt::Error> {
/// use libvirt::{Migration, Uri};
/// let beta = Uri::parse("qemu+tls://beta.example.net/system").expect("a valid URI");
/// let mut migration = Migration::peer_to_peer(beta);
/// migration.undefine_source = true;
/// migration.max_downtime_ms = Some(100);
/// let moving = alpha.migrate(router, &migration);
/// let watching = alpha.job_progress(router);
/// # let _ = (moving.await?, watching.await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Migration {
    /// Where to, and who drives it.
    pub destination: Destination,
    /// Whether the domain runs on meanwhile.
    pub live: bool,
    /// Whether it is defined at the destination, to outlive its stop.
    pub persist: bool,
    /// Whether it is no longer defined at the source; else a definition that is shut off stays.
    pub undefine_source: bool,
    /// Whether it is left paused at the destination.
    pub paused: bool,
    /// Whether everything goes through the connection between the two libvirt daemons
    /// (peer-to-peer only).
    pub tunnelled: bool,
    /// Whether what the hypervisors send each other is encrypted by TLS.
    pub tls: bool,
    /// What is done about disks that the destination does not see.
    pub storage: StorageCopy,
    /// Whether the guest is slowed down when it changes memory faster than that can be sent.
    pub auto_converge: bool,
    /// Whether [`Connection::start_post_copy`] is allowed.
    pub post_copy: bool,
    /// Whether an error of the guest's disks ends the migration (QEMU).
    pub abort_on_error: bool,
    /// Whether memory is compressed.
    pub compressed: bool,
    /// Whether the domain cannot be changed meanwhile (QEMU; libvirt sees to it by itself where
    /// the source host drives).
    pub change_protection: bool,
    /// Whether disks whose caching could lose data are accepted.
    pub allow_unsafe: bool,
    /// The most that is sent, MiB/s.
    pub bandwidth_mib_per_second: Option<u64>,
    /// How long the guest may stand still, milliseconds; the hypervisor's own bound (QEMU: 300)
    /// when `None`.
    pub max_downtime_ms: Option<u64>,
    /// The domain's definition at the destination, where that is another one: names of bridges and
    /// files may differ, what the guest sees may not. See
    /// [`Connection::migratable_definition`].
    pub xml: Option<DomainXml>,
    /// The definition that is kept at the destination, where that is another one.
    pub persistent_xml: Option<DomainXml>,
    /// Disks that are copied (`vda`); all that can be when empty.
    pub disks: Vec<String>,
    /// Where the hypervisor sends memory to: `tcp://beta-migration`.
    pub uri: Option<String>,
    /// Where it sends disks to.
    pub disks_uri: Option<String>,
    /// The address that the destination listens on.
    pub listen_address: Option<String>,
    /// The domain's name at the destination, where that is another one.
    pub name: Option<String>,
    /// How long the whole may take. When it is over the call ends with [`Error::Deadline`] and its
    /// thread is written off, but the hosts go on: [`Connection::abort_job`] ends that.
    pub deadline: Duration,
}

/// Who drives a migration.
#[derive(Clone, Debug)]
pub enum Destination {
    /// The source host, which connects to the destination by itself, as it sees it from where it
    /// is.
    Peer(Uri),
    /// This process, over both connections.
    Managed(Connection),
}

/// What is done about disks that the destination does not see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StorageCopy {
    /// Nothing: all are shared.
    #[default]
    None,
    /// All of each is copied.
    Full,
    /// Only what is above its backing file, which must be at the destination.
    Incremental,
}

/// What a domain's job does, or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobProgress {
    /// How far it is.
    pub state: JobState,
    /// What it is.
    pub operation: JobOperation,
    /// How long it has taken, milliseconds.
    pub elapsed_ms: Option<u64>,
    /// How long it will take, milliseconds, where libvirt dares to say.
    pub remaining_ms: Option<u64>,
    /// How long the guest stood still, or will by what is known so far, milliseconds.
    pub downtime_ms: Option<u64>,
    /// How long it took to set up, milliseconds.
    pub setup_ms: Option<u64>,
    /// Memory and disks together.
    pub data: Amount,
    /// Memory.
    pub memory: Amount,
    /// Disks.
    pub disk: Amount,
    /// How fast memory goes, bytes/s.
    pub memory_bytes_per_second: Option<u64>,
    /// How fast disks go, bytes/s.
    pub disk_bytes_per_second: Option<u64>,
    /// How many pages the guest changes a second.
    pub dirty_pages_per_second: Option<u64>,
    /// The size of a page, bytes.
    pub page_bytes: Option<u64>,
    /// Which round it is over the memory, from 1.
    pub iteration: Option<u64>,
    /// How many pages the destination asked for after it began to run.
    pub post_copy_requests: Option<u64>,
    /// By how much the guest is slowed down, per cent.
    pub throttle_percent: Option<u64>,
    /// Whether it succeeded, where libvirt says.
    pub success: Option<bool>,
    /// Why it failed.
    pub error: Option<String>,
}

/// Bytes that a job has to move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// All, bytes.
    pub total_bytes: Option<u64>,
    /// Those that are done, bytes; more than all, where some are done twice.
    pub processed_bytes: Option<u64>,
    /// Those that are left, bytes.
    pub remaining_bytes: Option<u64>,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    /// It works, and it is known how much there is to do.
    Bounded,
    /// It works, and nobody knows how long.
    Unbounded,
    /// It is done.
    Completed,
    /// It failed.
    Failed,
    /// It was aborted.
    Cancelled,
}

/// What a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobOperation {
    /// libvirt does not say, or something that is not known here.
    Unknown,
    /// The domain starts.
    Start,
    /// Its memory is saved.
    Save,
    /// Its memory is restored.
    Restore,
    /// It comes from another host.
    MigrationIn,
    /// It goes to another host.
    MigrationOut,
    /// A snapshot is taken, reverted to or deleted.
    Snapshot,
    /// Its memory is dumped.
    Dump,
    /// Its disks are backed up.
    Backup,
}

impl Migration {
    /// A live migration that keeps the domain defined at both hosts, driven by the source host.
    pub fn peer_to_peer(destination: Uri) -> Self {
        Self::new(Destination::Peer(destination))
    }

    /// The same, driven by this process over a connection to the destination.
    pub fn managed(destination: Connection) -> Self {
        Self::new(Destination::Managed(destination))
    }

    fn new(destination: Destination) -> Self {
        Self {
            destination,
            live: true,
            persist: true,
            undefine_source: false,
            paused: false,
            tunnelled: false,
            tls: false,
            storage: StorageCopy::None,
            auto_converge: false,
            post_copy: false,
            abort_on_error: false,
            compressed: false,
            change_protection: false,
            allow_unsafe: false,
            bandwidth_mib_per_second: None,
            max_downtime_ms: None,
            xml: None,
            persistent_xml: None,
            disks: Vec::new(),
            uri: None,
            disks_uri: None,
            listen_address: None,
            name: None,
            deadline: Duration::from_hours(1),
        }
    }

    fn flags(&self) -> u32 {
        let storage = match self.storage {
            StorageCopy::None => 0,
            StorageCopy::Full => sys::VIR_MIGRATE_NON_SHARED_DISK,
            StorageCopy::Incremental => sys::VIR_MIGRATE_NON_SHARED_INC,
        };
        let peer = matches!(self.destination, Destination::Peer(_));
        [
            (peer, sys::VIR_MIGRATE_PEER2PEER),
            (self.live, sys::VIR_MIGRATE_LIVE),
            (self.persist, sys::VIR_MIGRATE_PERSIST_DEST),
            (self.undefine_source, sys::VIR_MIGRATE_UNDEFINE_SOURCE),
            (self.paused, sys::VIR_MIGRATE_PAUSED),
            (self.tunnelled, sys::VIR_MIGRATE_TUNNELLED),
            (self.tls, sys::VIR_MIGRATE_TLS),
            (self.auto_converge, sys::VIR_MIGRATE_AUTO_CONVERGE),
            (self.post_copy, sys::VIR_MIGRATE_POSTCOPY),
            (self.abort_on_error, sys::VIR_MIGRATE_ABORT_ON_ERROR),
            (self.compressed, sys::VIR_MIGRATE_COMPRESSED),
            (self.change_protection, sys::VIR_MIGRATE_CHANGE_PROTECTION),
            (self.allow_unsafe, sys::VIR_MIGRATE_UNSAFE),
        ]
        .into_iter()
        .filter_map(|(set, flag)| set.then_some(flag))
        .fold(storage, |flags, flag| flags | flag)
    }

    fn parameters(&self) -> Result<Parameters, virt::error::Error> {
        let xml = |xml: &Option<DomainXml>| xml.as_ref().map(DomainXml::to_xml);
        let mut parameters = Parameters::default();
        let texts: [(&CStr, Option<String>); 6] = [
            (sys::VIR_MIGRATE_PARAM_URI, self.uri.clone()),
            (sys::VIR_MIGRATE_PARAM_DEST_NAME, self.name.clone()),
            (sys::VIR_MIGRATE_PARAM_DEST_XML, xml(&self.xml)),
            (
                sys::VIR_MIGRATE_PARAM_PERSIST_XML,
                xml(&self.persistent_xml),
            ),
            (sys::VIR_MIGRATE_PARAM_DISKS_URI, self.disks_uri.clone()),
            (
                sys::VIR_MIGRATE_PARAM_LISTEN_ADDRESS,
                self.listen_address.clone(),
            ),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                parameters.text(name, &text)?;
            }
        }
        for disk in &self.disks {
            parameters.text(sys::VIR_MIGRATE_PARAM_MIGRATE_DISKS, disk)?;
        }
        if let Some(bandwidth) = self.bandwidth_mib_per_second {
            parameters.number(sys::VIR_MIGRATE_PARAM_BANDWIDTH, bandwidth);
        }
        Ok(parameters)
    }
}

impl Connection {
    /// Moves a running domain to another host, and returns when it is there and the source has let
    /// go of it. Leaving before that does not end it: [`Connection::abort_job`] does.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`], also for a destination whose driver cannot
    /// take it; [`Error::Unreachable`] and [`Error::Auth`], which name the destination when it was
    /// that which the source could not reach or log in to; [`Error::Deadline`]; one that
    /// [`Error::is_abort`]; libvirt's own. After all but a deadline the domain runs at the source as
    /// before, unless the error says otherwise.
    pub async fn migrate(&self, uuid: Uuid, migration: &Migration) -> Result<(), Error> {
        let call = match &migration.destination {
            Destination::Peer(_) => "virDomainMigrateToURI3",
            Destination::Managed(_) => "virDomainMigrate3",
        };
        self.needs(Capability::Migrate, call)?;
        if migration.post_copy {
            self.needs(Capability::PostCopy, call)?;
        }
        let there = migration.destination.uri().driver();
        there.needs(Capability::Migrate, call)?;
        // Not part of the long call: a guest that hangs is found out soon.
        if let Some(downtime) = migration.max_downtime_ms {
            self.set_max_downtime(uuid, downtime).await?;
        }
        let mut to = migration.destination.resolve().await?;
        let (flags, parameters) = (migration.flags(), migration.parameters());
        let moved = self.call_within(migration.deadline, call, Some(uuid), move |session| {
            let domain = look_up(session, uuid)?;
            let parameters = session.run(call, |_| parameters)?;
            let moved = session.run(call, |_| to.migrate(&domain, &parameters, flags));
            drop(to.connection.take());
            // A source that still answers is not what could not be reached.
            Ok(moved.map_err(|error| {
                let alive = session.run("virConnectIsAlive", Connect::is_alive);
                (error, alive.unwrap_or(false))
            }))
        });
        moved.await?.map_err(|(error, source_is_alive)| {
            if source_is_alive {
                migration.destination.blamed_for(error, self.uri())
            } else {
                error
            }
        })
    }

    /// The definition of a domain as another host is to be given it: what [`Migration::xml`] starts
    /// from. The usual one has what only this run of it has, which the destination refuses.
    ///
    /// # Errors
    /// [`Error::NotFound`]; as every call.
    pub async fn migratable_definition(&self, uuid: Uuid) -> Result<DomainXml, Error> {
        let call = "virDomainGetXMLDesc";
        let xml = self.call_about(uuid, call, move |session| {
            let domain = look_up(session, uuid)?;
            session.run(call, |_| domain.xml_desc(sys::VIR_DOMAIN_XML_MIGRATABLE))
        });
        DomainXml::parse(&xml.await?).map_err(|reason| Error::Xml {
            what: format!("domain {uuid}"),
            reason: reason.to_string(),
        })
    }

    /// What a domain's job does now; `None` when it has none.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`]; as every call.
    pub async fn job_progress(&self, uuid: Uuid) -> Result<Option<JobProgress>, Error> {
        self.job_stats(uuid, 0).await
    }

    /// What a domain's last job did, `None` when nothing is known of one. After a migration the
    /// destination knows it.
    ///
    /// # Errors
    /// As [`job_progress`](Self::job_progress).
    pub async fn completed_job(&self, uuid: Uuid) -> Result<Option<JobProgress>, Error> {
        let completed =
            sys::VIR_DOMAIN_JOB_STATS_COMPLETED | sys::VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED;
        self.job_stats(uuid, completed).await
    }

    async fn job_stats(&self, uuid: Uuid, flags: u32) -> Result<Option<JobProgress>, Error> {
        let call = "virDomainGetJobStats";
        self.needs(Capability::JobStats, call)?;
        self.call_about(uuid, call, move |session| {
            let domain = look_up(session, uuid)?;
            session.run(call, |_| ffi::job_stats(&domain, flags, JobProgress::read))
        })
        .await
    }

    /// Aborts a domain's job. One that moves it leaves it where it was; after
    /// [`start_post_copy`](Self::start_post_copy) that is not possible any more.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`]; a [`crate::ErrorKind::Conflict`] when there is
    /// no job, or not yet: a migration that was just asked for may still be on its way.
    pub async fn abort_job(&self, uuid: Uuid) -> Result<(), Error> {
        let call = "virDomainAbortJob";
        self.act(uuid, Capability::AbortJob, call, ffi::abort_job)
            .await
    }

    /// Lets a domain that is being moved run at its destination at once; what is left of its memory
    /// follows. It was to be allowed by [`Migration::post_copy`]. From then on the domain is lost
    /// if one of the hosts is.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`]; a [`crate::ErrorKind::Conflict`] when it is
    /// not being moved so, and another error of libvirt's in the moment in which that begins.
    pub async fn start_post_copy(&self, uuid: Uuid) -> Result<(), Error> {
        let call = "virDomainMigrateStartPostCopy";
        self.act(uuid, Capability::PostCopy, call, ffi::start_post_copy)
            .await
    }

    /// How long a guest may stand still when it is moved, milliseconds; also while it is.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`]; as every call.
    pub async fn set_max_downtime(&self, uuid: Uuid, milliseconds: u64) -> Result<(), Error> {
        let tuning = Capability::MigrationTuning;
        self.act(uuid, tuning, SET_DOWNTIME, move |domain| {
            domain.migrate_set_max_downtime(milliseconds, 0).map(drop)
        })
        .await
    }

    /// The most that is sent when a domain is moved, MiB/s; also while it is.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`]; as every call.
    pub async fn set_migration_speed(&self, uuid: Uuid, mib_per_second: u64) -> Result<(), Error> {
        let call = "virDomainMigrateSetMaxSpeed";
        let tuning = Capability::MigrationTuning;
        self.act(uuid, tuning, call, move |domain| {
            domain.migrate_set_max_speed(mib_per_second, 0).map(drop)
        })
        .await
    }
}

impl Destination {
    fn uri(&self) -> &Uri {
        match self {
            Self::Peer(uri) => uri,
            Self::Managed(connection) => connection.uri(),
        }
    }

    /// What a worker of the source needs.
    async fn resolve(&self) -> Result<To, Error> {
        let connection = match self {
            Self::Peer(_) => None,
            // One of its own: the threads of that connection use theirs meanwhile.
            Self::Managed(connection) => {
                let open = connection.call("virConnectOpen", |session| session.another());
                Some(open.await?)
            }
        };
        Ok(To {
            uri: self.uri().to_libvirt(),
            connection,
        })
    }

    /// An error that says that a host could not be reached, when that host is this one.
    fn blamed_for(&self, error: Error, source: &Uri) -> Error {
        let here = format!("{} (from {source})", self.uri());
        match error {
            Error::Unreachable {
                reason,
                advice,
                fault,
                ..
            } => Error::Unreachable {
                target: here,
                reason,
                advice,
                fault,
            },
            Error::Auth { refusal, fault, .. } => Error::Auth {
                target: here,
                refusal,
                fault,
            },
            other => other,
        }
    }
}

impl Error {
    /// Whether a job ended because it was aborted.
    pub fn is_abort(&self) -> bool {
        self.fault()
            .is_some_and(|fault| fault.code == sys::VIR_ERR_OPERATION_ABORTED)
    }
}

const SET_DOWNTIME: &str = "virDomainMigrateSetMaxDowntime";

/// A destination as libvirt wants it.
struct To {
    uri: String,
    /// Where this process drives the migration.
    connection: Option<Connect>,
}

impl To {
    fn migrate(
        &self,
        domain: &virt::domain::Domain,
        parameters: &Parameters,
        flags: u32,
    ) -> Result<(), virt::error::Error> {
        match &self.connection {
            Some(to) => ffi::migrate_to(domain, to, parameters, flags),
            None => ffi::migrate_to_uri(domain, &self.uri, parameters, flags),
        }
    }
}

impl Drop for To {
    /// Closing may take its time, which whoever left before the migration began does not have.
    fn drop(&mut self) {
        if let Some(unused) = self.connection.take() {
            std::thread::spawn(move || drop(unused));
        }
    }
}

impl JobProgress {
    /// A job of this kind, with what libvirt says of it; `None` for no job.
    fn read(kind: u32, fields: &mut Fields<'_>) -> Option<Self> {
        let state = match kind {
            sys::VIR_DOMAIN_JOB_BOUNDED => JobState::Bounded,
            sys::VIR_DOMAIN_JOB_UNBOUNDED => JobState::Unbounded,
            sys::VIR_DOMAIN_JOB_COMPLETED => JobState::Completed,
            sys::VIR_DOMAIN_JOB_FAILED => JobState::Failed,
            sys::VIR_DOMAIN_JOB_CANCELLED => JobState::Cancelled,
            _ => return None,
        };
        let mut job = Self {
            state,
            operation: JobOperation::Unknown,
            elapsed_ms: None,
            remaining_ms: None,
            downtime_ms: None,
            setup_ms: None,
            data: Amount::default(),
            memory: Amount::default(),
            disk: Amount::default(),
            memory_bytes_per_second: None,
            disk_bytes_per_second: None,
            dirty_pages_per_second: None,
            page_bytes: None,
            iteration: None,
            post_copy_requests: None,
            throttle_percent: None,
            success: None,
            error: None,
        };
        for (name, value) in fields {
            job.set(name, value);
        }
        Some(job)
    }

    /// <https://libvirt.org/html/libvirt-libvirt-domain.html#VIR_DOMAIN_JOB_OPERATION>
    fn set(&mut self, name: &[u8], value: Value<'_>) {
        let number = match name {
            b"operation" => {
                self.operation = JobOperation::from_raw(value.counter());
                return;
            }
            b"success" => {
                self.success = value.counter().map(|number| number != 0);
                return;
            }
            b"errmsg" => {
                if let Value::Text(text) = value {
                    self.error = Some(text.to_string_lossy().into_owned());
                }
                return;
            }
            b"time_elapsed" => &mut self.elapsed_ms,
            b"time_remaining" => &mut self.remaining_ms,
            b"downtime" => &mut self.downtime_ms,
            b"setup_time" => &mut self.setup_ms,
            b"data_total" => &mut self.data.total_bytes,
            b"data_processed" => &mut self.data.processed_bytes,
            b"data_remaining" => &mut self.data.remaining_bytes,
            b"memory_total" => &mut self.memory.total_bytes,
            b"memory_processed" => &mut self.memory.processed_bytes,
            b"memory_remaining" => &mut self.memory.remaining_bytes,
            b"disk_total" => &mut self.disk.total_bytes,
            b"disk_processed" => &mut self.disk.processed_bytes,
            b"disk_remaining" => &mut self.disk.remaining_bytes,
            b"memory_bps" => &mut self.memory_bytes_per_second,
            b"disk_bps" => &mut self.disk_bytes_per_second,
            b"memory_dirty_rate" => &mut self.dirty_pages_per_second,
            b"memory_page_size" => &mut self.page_bytes,
            b"memory_iteration" => &mut self.iteration,
            b"memory_postcopy_requests" => &mut self.post_copy_requests,
            b"auto_converge_throttle" => &mut self.throttle_percent,
            _ => return,
        };
        *number = value.counter();
    }
}

impl JobOperation {
    fn from_raw(raw: Option<u64>) -> Self {
        let raw = raw.and_then(|raw| u32::try_from(raw).ok());
        match raw.unwrap_or_default() {
            sys::VIR_DOMAIN_JOB_OPERATION_START => Self::Start,
            sys::VIR_DOMAIN_JOB_OPERATION_SAVE => Self::Save,
            sys::VIR_DOMAIN_JOB_OPERATION_RESTORE => Self::Restore,
            sys::VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN => Self::MigrationIn,
            sys::VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT => Self::MigrationOut,
            sys::VIR_DOMAIN_JOB_OPERATION_SNAPSHOT
            | sys::VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT
            | sys::VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_DELETE => Self::Snapshot,
            sys::VIR_DOMAIN_JOB_OPERATION_DUMP => Self::Dump,
            sys::VIR_DOMAIN_JOB_OPERATION_BACKUP => Self::Backup,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, Fault};

    #[test]
    fn flags_are_what_was_asked_for() {
        let to = Uri::parse("qemu+tcp://b/system").unwrap();
        let mut migration = Migration::peer_to_peer(to);
        let plain =
            sys::VIR_MIGRATE_PEER2PEER | sys::VIR_MIGRATE_LIVE | sys::VIR_MIGRATE_PERSIST_DEST;
        assert_eq!(migration.flags(), plain);
        migration.live = false;
        migration.persist = false;
        migration.undefine_source = true;
        migration.storage = StorageCopy::Incremental;
        migration.post_copy = true;
        assert_eq!(
            migration.flags(),
            sys::VIR_MIGRATE_PEER2PEER
                | sys::VIR_MIGRATE_UNDEFINE_SOURCE
                | sys::VIR_MIGRATE_NON_SHARED_INC
                | sys::VIR_MIGRATE_POSTCOPY
        );
    }

    #[test]
    fn the_destination_is_blamed_for_what_it_did() {
        let uri = |host: &str| Uri::parse(&format!("qemu+tcp://{host}/system")).unwrap();
        let fault = |code, message: &str| Fault {
            code,
            domain: sys::VIR_FROM_RPC,
            message: message.to_owned(),
        };
        let raised = |code, message| {
            let target = uri("a").to_string();
            let error = Error::from_fault(
                uri("a").driver(),
                &target,
                "virDomainMigrateToURI3",
                fault(code, message),
            );
            Destination::Peer(uri("b")).blamed_for(error, &uri("a"))
        };
        let refused = raised(sys::VIR_ERR_SYSTEM_ERROR, "Connection refused");
        assert_eq!(refused.kind(), ErrorKind::Unreachable);
        let sentence = refused.to_string();
        assert!(
            sentence
                .starts_with("qemu+tcp://b/system (from qemu+tcp://a/system) cannot be reached"),
            "{sentence}"
        );
        let other = raised(sys::VIR_ERR_OPERATION_ABORTED, "canceled by client");
        assert!(other.is_abort() && !refused.is_abort());
    }

    #[test]
    fn progress_is_read_by_libvirts_names() {
        let fields = [
            (&b"operation"[..], Value::Signed(5)),
            (b"time_elapsed", Value::Unsigned(1200)),
            (b"memory_total", Value::Unsigned(128 << 20)),
            (b"memory_remaining", Value::Unsigned(5)),
            (b"memory_iteration", Value::Unsigned(2)),
            (b"auto_converge_throttle", Value::Signed(20)),
            (b"success", Value::Unsigned(0)),
            (b"errmsg", Value::Text(c"no room")),
            (b"novelty", Value::Double(0.5)),
        ];
        let job = JobProgress::read(sys::VIR_DOMAIN_JOB_FAILED, &mut fields.into_iter()).unwrap();
        assert_eq!(
            (job.state, job.operation),
            (JobState::Failed, JobOperation::MigrationOut)
        );
        assert_eq!((job.elapsed_ms, job.remaining_ms), (Some(1200), None));
        assert_eq!(job.memory.total_bytes, Some(128 << 20));
        assert_eq!(
            (job.memory.remaining_bytes, job.iteration),
            (Some(5), Some(2))
        );
        assert_eq!(job.throttle_percent, Some(20));
        assert_eq!(
            (job.success, job.error.as_deref()),
            (Some(false), Some("no room"))
        );
        let none = JobProgress::read(sys::VIR_DOMAIN_JOB_NONE, &mut std::iter::empty());
        assert_eq!(none, None);
    }
}
