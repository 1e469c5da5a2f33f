//! A live migration, as libvirt does it.
//!
//! The source host drives it where it can reach the destination by itself (peer-to-peer): it then
//! goes on whatever becomes of this server. Where it cannot, this server drives it over both of its
//! connections (managed), and libvirt gives it up should they break. Progress is libvirt's own; a
//! migration in which nothing moves for long is ended.
//!
//! <https://libvirt.org/migration.html>

use super::{
    disks, links,
    plan::{End, Stage, What},
    work::{Stop, Work},
};
use crate::service::State;
use api::{JobPhase, JobProgress, MigrationDriver, MigrationResult};
use libvirt::{Connection, Destination, Error, ErrorKind, Migration, StorageCopy, Transport, Uri};
use model::HostId;
use std::time::{Duration, Instant};

/// How often libvirt is asked how far it is.
const PAUSE: Duration = Duration::from_millis(500);

/// How long a migration may take in all. One that moves nothing is ended long before.
const LONGEST: Duration = Duration::from_hours(24);

/// Moves the router.
pub(crate) async fn run(work: &mut Work) -> Result<MigrationResult, Stop> {
    let (from, to) = (work.plan.from.clone(), work.plan.to.clone());
    let (router, name) = (work.plan.router.0, work.plan.name.clone());
    work.step(JobPhase::Preparing, format!("{to} is prepared for {name}."))
        .await;
    let source = work.session(End::Source).await?;
    let destination = work.session(End::Destination).await?;
    work.look(&source).await?;
    let reading = |error| Stop::on(&from, "Reading its definition", error);
    let running = source
        .migratable_definition(router)
        .await
        .map_err(reading)?;
    let kept = source.inactive_definition(router).await.map_err(reading)?;
    let ways = disks::ways(&source, &destination, &running)
        .await
        .map_err(reading)?;
    disks::prepare(work, &source, &destination, &ways).await?;
    work.stop_if_cancelled()?;

    let moved_links = links::of_work(work);
    let mut migration = match peer(&work.state, &to, work.plan.driver) {
        Some(peer) => Migration::peer_to_peer(peer),
        None => Migration::managed(destination.clone()),
    };
    let [mut there, mut kept_there] = [running.clone(), kept.clone()];
    for definition in [&mut there, &mut kept_there] {
        disks::relocate(definition, &ways);
        links::rebind(definition, &moved_links);
    }
    migration.xml = (there != running).then_some(there);
    migration.persistent_xml = (kept_there != kept).then_some(kept_there);
    migration.undefine_source = true;
    migration.auto_converge = true;
    migration.abort_on_error = true;
    migration.deadline = LONGEST;
    migration.bandwidth_mib_per_second = work.plan.request.bandwidth_mebibytes_per_second;
    migration.max_downtime_ms = work.plan.request.maximum_downtime_milliseconds;
    let copied: Vec<_> = disks::copies(&ways).filter(|copy| !copy.is_base).collect();
    if !copied.is_empty() {
        // Where there is no base, all is above it.
        migration.storage = StorageCopy::Incremental;
        let is_copied = |source: &Option<String>| {
            copied
                .iter()
                .any(|copy| source.as_deref() == Some(&copy.source))
        };
        let disks = running.disks.iter().filter(|disk| is_copied(&disk.source));
        migration.disks = disks.map(|disk| disk.target.clone()).collect();
    }
    let address = work
        .state
        .fleet
        .addresses(&to)
        .and_then(|known| known.migration);
    if let Some(address) = &address {
        migration.uri = Some(format!("tcp://{address}"));
        migration.disks_uri = (!copied.is_empty()).then(|| format!("tcp://{address}"));
        migration.listen_address = Some("0.0.0.0".to_owned()).filter(|_| !address.contains(':'));
    }

    // What is to be done once it is there.
    let mut follow_up = vec![work.plan.chore(End::Source, What::Undefine)];
    if work.plan.autostart {
        follow_up.push(work.plan.chore(End::Destination, What::SetAutostart(true)));
    }
    follow_up.extend(links::replugs(&moved_links));
    for copy in &copied {
        let (pool, volume) = (copy.pool.clone(), copy.volume.name.clone());
        let gone = What::DeleteVolume { pool, volume };
        follow_up.push(work.plan.chore(End::Source, gone));
    }
    work.plan.follow_up = follow_up;
    work.plan.stage = Stage::Moving;
    if work.plan.was_running {
        // libvirt forgets that it paused it when its daemon ends in the middle.
        let resume = work.plan.chore(End::Source, What::Resume);
        work.plan.undo.push(resume);
    }
    work.will_undo(End::Destination, What::Undefine).await?;
    work.step(
        JobPhase::Transferring,
        format!("{name} moves from {from} to {to}."),
    )
    .await;

    let since = Instant::now();
    let mut disk_bytes = None;
    let mut driven_by = driver_of(&migration);
    let mut ended = watch(work, &source, &migration, &mut disk_bytes).await;
    if let Ended::Failed(error) = &ended
        && driven_by == MigrationDriver::PeerToPeer
        && matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Auth)
        && is_idle(&source, router).await
    {
        let why = error.to_string();
        let message = format!(
            "{from} cannot reach {to} by itself, so VMS drives the migration: {}.",
            why.trim_end_matches('.')
        );
        work.step(JobPhase::Transferring, message).await;
        migration.destination = Destination::Managed(destination.clone());
        driven_by = MigrationDriver::Managed;
        ended = watch(work, &source, &migration, &mut disk_bytes).await;
    }
    match ended {
        Ended::Moved => {
            let mut result = measured(&destination, work, since).await;
            result.driven_by = Some(driven_by);
            // The destination knows of memory only.
            result.disk_bytes = result.disk_bytes.or(disk_bytes).filter(|&bytes| bytes > 0);
            Ok(result)
        }
        Ended::Cancelled => Err(Stop::Cancelled),
        Ended::Stalled => Err(Stop::failed(
            format!(
                "Nothing of {name} moved for {} s, so the migration was ended.",
                work.state.policy.stall.as_secs()
            ),
            format!(
                "Look at the network between {from} and {to}, and whether {from} reaches the \
                 address to which {to} lets routers be sent (migration in the configuration)."
            ),
        )),
        Ended::Failed(error) => {
            let why = error.to_string();
            let why = why.trim_end_matches('.');
            Err(Stop::failed(
                format!("Moving {name} to {to} failed: {why}."),
                format!(
                    "Look at both hosts: the hypervisor's log, of QEMU \
                     /var/log/libvirt/qemu/{name}.log, says more. Then try again."
                ),
            ))
        }
    }
}

/// How a migration ended.
enum Ended {
    /// The router is at the destination.
    Moved,
    /// It was ended because somebody asked for that.
    Cancelled,
    /// It was ended because nothing moved.
    Stalled,
    /// libvirt gave it up.
    Failed(Error),
}

/// What is known of a migration whose end was not seen.
pub(crate) async fn result(work: &Work) -> MigrationResult {
    match work.session(End::Destination).await {
        Ok(destination) => measured(&destination, work, Instant::now()).await,
        Err(_) => MigrationResult::default(),
    }
}

/// What the destination measured.
async fn measured(destination: &Connection, work: &Work, since: Instant) -> MigrationResult {
    let known = destination.completed_job(work.plan.router.0).await;
    let known = known.ok().flatten();
    let total = known.as_ref().and_then(|job| job.elapsed_ms);
    let here = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
    MigrationResult {
        total_milliseconds: total.unwrap_or_default().max(here),
        downtime_milliseconds: known.as_ref().and_then(|job| job.downtime_ms),
        memory_bytes: known.as_ref().and_then(|job| job.memory.processed_bytes),
        disk_bytes: (known.as_ref())
            .and_then(|job| job.disk.processed_bytes)
            .filter(|&bytes| bytes > 0),
        driven_by: None,
        interruptions: Vec::new(),
    }
}

/// The address by which another host reaches this one: none if it is only reached from here.
pub(crate) fn peer(state: &State, host: &HostId, driver: model::Driver) -> Option<Uri> {
    let uri = state.fleet.uri(host, driver)?;
    let is_reached = matches!(
        uri.transport(),
        Transport::Tcp | Transport::Tls | Transport::Ssh
    );
    is_reached.then_some(uri)
}

fn driver_of(migration: &Migration) -> MigrationDriver {
    match migration.destination {
        Destination::Peer(_) => MigrationDriver::PeerToPeer,
        Destination::Managed(_) => MigrationDriver::Managed,
    }
}

/// Whether the router runs there, and no job of libvirt's works on it.
async fn is_idle(source: &Connection, router: uuid::Uuid) -> bool {
    let runs = source.domain(router).await;
    let runs = matches!(runs, Ok(Some(domain)) if domain.state.is_active());
    runs && matches!(source.job_progress(router).await, Ok(None))
}

/// Lets libvirt do it, tells how far it is, and ends it when that is asked for or nothing moves.
async fn watch(
    work: &Work,
    source: &Connection,
    migration: &Migration,
    disk_bytes: &mut Option<u64>,
) -> Ended {
    let router = work.plan.router.0;
    let moving = source.migrate(router, migration);
    tokio::pin!(moving);
    let mut tick = tokio::time::interval(PAUSE);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut stalled = Stalled::new();
    // Why it is being ended, once it is.
    let mut ending: Option<Ended> = None;
    let moved = loop {
        tokio::select! {
            moved = &mut moving => break moved,
            () = work.entry.cancel.cancelled(), if ending.is_none() => {
                ending = Some(Ended::Cancelled);
            }
            _ = tick.tick() => {
                if ending.is_some() {
                    // One that was just asked for may not have begun: libvirt then knows of nothing
                    // to end, and is asked again.
                    let ended = source.abort_job(router);
                    tokio::select! {
                        moved = &mut moving => break moved,
                        ended = ended => if let Err(error) = ended {
                            tracing::debug!(%error, "a migration cannot be ended yet");
                        },
                    }
                    continue;
                }
                let job = tokio::select! {
                    moved = &mut moving => break moved,
                    job = source.job_progress(router) => job,
                };
                // One that is asked for and does not begin moves nothing, too.
                let job = job.ok().flatten();
                if stalled.since(job.as_ref()) > work.state.policy.stall {
                    ending = Some(Ended::Stalled);
                }
                if let Some(job) = job {
                    *disk_bytes = job.disk.processed_bytes.max(*disk_bytes);
                    work.progress(progress(&job));
                }
            }
        }
    };
    match (moved, ending) {
        // It was too late to end it.
        (Ok(()), _) => Ended::Moved,
        (Err(_), Some(ending)) => ending,
        (Err(error), None) => Ended::Failed(error),
    }
}

/// Since when nothing moves.
struct Stalled {
    last: [Option<u64>; 4],
    since: Instant,
}

impl Stalled {
    fn new() -> Self {
        Self {
            last: [None; 4],
            since: Instant::now(),
        }
    }

    fn since(&mut self, job: Option<&libvirt::JobProgress>) -> Duration {
        let now = job.map_or([None; 4], |job| {
            [
                job.data.processed_bytes,
                job.data.remaining_bytes,
                job.memory.processed_bytes,
                job.disk.processed_bytes,
            ]
        });
        if now != self.last {
            self.last = now;
            self.since = Instant::now();
        }
        self.since.elapsed()
    }
}

fn progress(job: &libvirt::JobProgress) -> JobProgress {
    let rate = [job.memory_bytes_per_second, job.disk_bytes_per_second];
    let rate = rate.into_iter().flatten().reduce(u64::saturating_add);
    let total = job.data.total_bytes.unwrap_or_default();
    let left = job.data.remaining_bytes.unwrap_or_default();
    JobProgress {
        done_bytes: total.saturating_sub(left),
        total_bytes: total,
        bytes_per_second: rate,
        seconds_left: (job.remaining_ms.map(|ms| ms / 1000))
            .or_else(|| rate.filter(|&rate| rate > 0).map(|rate| left / rate)),
        iteration: job.iteration,
    }
}
