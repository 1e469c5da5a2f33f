//! A cold move: the router is stopped, brought over, and started again.
//!
//! ```text
//!  autostart off at the source ─▶ stopped ─▶ disks ─▶ defined at the destination
//!      ─▶ COMMITTED, written down ─▶ autostart, start ─▶ source removed
//! ```
//!
//! libvirt's own migration is not used: a driver that lacks it may hang when asked (the test driver
//! does). Whatever happens before the commit is taken back, and nothing after it: from then on the
//! router belongs to the destination, whether it starts there or not.

use super::{
    disks, links,
    plan::{End, Stage, What},
    work::{Stop, Work},
};
use api::{JobPhase, MigrationResult, Timestamp};
use libvirt::{Connection, ErrorKind};
use std::time::{Duration, Instant};

/// How often it is looked whether it is off.
const PAUSE: Duration = Duration::from_millis(200);

/// Moves the router.
pub(crate) async fn run(work: &mut Work) -> Result<MigrationResult, Stop> {
    let (from, to) = (work.plan.from.clone(), work.plan.to.clone());
    let (router, name) = (work.plan.router.0, work.plan.name.clone());
    let source = work.session(End::Source).await?;
    let destination = work.session(End::Destination).await?;
    work.look(&source).await?;
    let reading = |error| Stop::on(&from, "Reading its definition", error);
    let mut definition = source.inactive_definition(router).await.map_err(reading)?;
    let ways = disks::ways(&source, &destination, &definition)
        .await
        .map_err(reading)?;

    // Should the source's machine restart meanwhile, the router must not start there by itself.
    if work.plan.autostart {
        work.will_undo(End::Source, What::SetAutostart(true))
            .await?;
        let cleared = source.set_autostart(router, false).await;
        cleared.map_err(|error| Stop::on(&from, "Clearing autostart", error))?;
    }
    let stopping = Instant::now();
    if work.plan.was_active {
        work.plan.stopping_since = Some(Timestamp::now());
        work.will_undo(End::Source, What::Start).await?;
        stop(work, &source).await?;
    }
    let mut result = MigrationResult::default();
    let bytes = disks::carry(work, &source, &destination, &ways).await?;
    result.disk_bytes = Some(bytes).filter(|&bytes| bytes > 0);

    let moved_links = links::of_work(work);
    disks::relocate(&mut definition, &ways);
    links::rebind(&mut definition, &moved_links);
    work.step(JobPhase::Switching, format!("{name} is defined on {to}."))
        .await;
    // From now on nobody can cancel it: whoever was told that it is being cancelled is right.
    work.stop_if_cancelled()?;
    still_off(work, &source).await?;
    work.will_undo(End::Destination, What::Undefine).await?;
    let defined = destination.define_domain(&definition).await;
    defined.map_err(|error| Stop::on(&to, "Defining it", error))?;
    // What is only read may be read by others, too.
    for copy in disks::copies(&ways).filter(|copy| !copy.is_base) {
        let what = What::DeleteVolume {
            pool: copy.pool.clone(),
            volume: copy.volume.name.clone(),
        };
        let chore = work.plan.chore(End::Source, what);
        work.plan.follow_up.push(chore);
    }
    let gone = work.plan.chore(End::Source, What::Undefine);
    work.plan.follow_up.insert(0, gone);
    work.plan.follow_up.extend(links::replugs(&moved_links));
    work.plan.stage = Stage::Committed;
    if let Err(stop) = work.save_plan().await {
        work.plan.stage = Stage::Begun;
        return Err(stop);
    }
    let mut switched = switch(work).await?;
    if work.plan.was_active {
        let stood = stopping.elapsed().as_millis();
        switched.downtime_milliseconds = u64::try_from(stood).ok();
    }
    switched.disk_bytes = result.disk_bytes;
    Ok(switched)
}

/// What comes after the commit. It is done again after a death of the server.
pub(crate) async fn switch(work: &mut Work) -> Result<MigrationResult, Stop> {
    let (to, name) = (work.plan.to.clone(), work.plan.name.clone());
    let router = work.plan.router.0;
    let destination = work.session(End::Destination).await?;
    let known = destination.domain(router).await;
    if known
        .map_err(|error| Stop::on(&to, "Looking at it", error))?
        .is_none()
    {
        // The source has all of it still, and keeps it.
        work.plan.stage = Stage::Begun;
        let from = &work.plan.from;
        return Err(Stop::failed(
            format!("{name} was removed from {to} before it was started there: it is on {from}."),
            "Ask for it again if it is still wanted.",
        ));
    }
    if work.plan.autostart {
        let set = destination.set_autostart(router, true).await;
        set.map_err(|error| Stop::on(&to, "Setting autostart", error))?;
    }
    if work.plan.was_active {
        work.step(JobPhase::Switching, format!("{name} is started on {to}."))
            .await;
        match destination.start_domain(router).await {
            Ok(()) => {}
            // It was started already.
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => {
                let running = destination.domain(router).await;
                if !matches!(running, Ok(Some(domain)) if domain.state.is_active()) {
                    return Err(Stop::on(&to, "Starting it", error));
                }
            }
        }
    }
    Ok(MigrationResult::default())
}

/// Refuses to go on with a router that somebody started meanwhile: it would run twice.
async fn still_off(work: &Work, source: &Connection) -> Result<(), Stop> {
    let (from, name) = (&work.plan.from, &work.plan.name);
    let failed = |error| Stop::on(from, "Looking at it", error);
    let domain = source.domain(work.plan.router.0).await.map_err(failed)?;
    if domain.is_some_and(|domain| domain.state.is_active()) {
        return Err(Stop::failed(
            format!("{name} was started on {from} meanwhile."),
            "Ask for it again if it is still wanted.",
        ));
    }
    Ok(())
}

/// Asks the router to shut down, and switches it off when it does not in time.
async fn stop(work: &Work, source: &Connection) -> Result<(), Stop> {
    let (from, name, router) = (&work.plan.from, &work.plan.name, work.plan.router.0);
    let failed = |error| Stop::on(from, "Shutting it down", error);
    let within = work.plan.shut_down_within();
    let message = format!(
        "{name} is asked to shut down, for {} s at most.",
        within.as_secs()
    );
    work.step(JobPhase::Stopping, message).await;
    let is_off = async || -> Result<bool, Stop> {
        let domain = source.domain(router).await.map_err(failed)?;
        Ok(domain.is_none_or(|domain| !domain.state.is_active()))
    };
    if is_off().await? {
        return Ok(());
    }
    let asked = source.shut_down(router).await;
    let since = Instant::now();
    // A driver that cannot ask, and a guest that does not listen, are switched off.
    while asked.is_ok() && since.elapsed() < within {
        if is_off().await? {
            return Ok(());
        }
        work.stop_if_cancelled()?;
        tokio::time::sleep(PAUSE).await;
    }
    work.step(
        JobPhase::Stopping,
        format!("{name} does not shut down: it is switched off."),
    )
    .await;
    match source.destroy_domain(router).await {
        Ok(()) => Ok(()),
        Err(_) if is_off().await? => Ok(()),
        Err(error) => Err(failed(error)),
    }
}
