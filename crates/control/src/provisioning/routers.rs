//! What is done to a router in a job of its own.

use super::links;
use crate::{
    jobs::{
        plan::{Chore, What},
        task::Task,
        work::{Stop, Work},
    },
    service::{errors, translate::View},
};
use api::{Error, JobPhase};
use libvirt::{Connection, ErrorKind};
use model::{Driver, HostId, Router, RouterId};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How often it is looked whether a router is off.
const PAUSE: Duration = Duration::from_millis(200);

/// A router is asked to shut down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ShuttingDown {
    pub router: RouterId,
    pub host: HostId,
    pub driver: Driver,
    pub seconds: u32,
    /// Whether it is switched off when it does not shut down in time.
    pub force: bool,
}

/// A router is deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deletion {
    pub router: RouterId,
    pub host: HostId,
    pub driver: Driver,
    pub keep_disks: bool,
    /// Whether it is switched off if it runs.
    pub force: bool,
}

/// Refuses a router of whose host nothing is known now.
pub(crate) fn current(view: &View, router: &Router) -> Result<(), Error> {
    let source = view.source(router);
    if source.current {
        return Ok(());
    }
    let host = view.topology().hosts.get(&router.host);
    let why = host.and_then(|host| host.message.as_deref());
    Err(errors::unreachable(&source.host, source.as_of, why))
}

/// Refuses a router whose definition does not outlive a stop: what is changed of it would be lost.
pub(crate) fn persistent(router: &Router) -> Result<(), Error> {
    if router.domain.persistent {
        return Ok(());
    }
    Err(errors::conflict(format!(
        "{} is transient: it has no definition that could be changed; define it at its host first",
        router.domain.name
    )))
}

/// Waits until a router has shut down.
pub(crate) async fn shut_down(work: &mut Work<Task>, how: ShuttingDown) -> Result<String, Stop> {
    let ShuttingDown {
        router,
        host,
        driver,
        seconds,
        force,
    } = how;
    let name = work.plan.name.clone();
    let failed = |error| Stop::on(&host, "Shutting it down", error);
    let connection = work.session(&host, driver).await?;
    let message = format!("{name} is asked to shut down, for {seconds} s at most.");
    work.step(JobPhase::Stopping, message).await;
    let cancelled = || work.stop_if_cancelled();
    match ask_to_shut_down(&connection, router, seconds, cancelled).await? {
        Ok(true) => return Ok(format!("{name} has shut down.")),
        Ok(false) => {}
        // A driver that cannot ask.
        Err(error) if force && !error.is_retryable() => {}
        Err(error) => return Err(failed(error)),
    }
    if !force {
        return Err(Stop::failed(
            format!("{name} did not shut down within {seconds} s: it runs on."),
            "Its guest may not listen to ACPI or its agent: look at its console, or switch it off \
             (DestroyRouter, or force).",
        ));
    }
    let message = format!("{name} does not shut down: it is switched off.");
    work.step(JobPhase::Stopping, message).await;
    switch_off(&connection, router).await.map_err(failed)?;
    Ok(format!(
        "{name} did not shut down in time and was switched off."
    ))
}

/// Asks a router to shut down, and waits for so long; answers whether it is off.
async fn ask_to_shut_down(
    connection: &Connection,
    router: RouterId,
    seconds: u32,
    cancelled: impl Fn() -> Result<(), Stop>,
) -> Result<Result<bool, libvirt::Error>, Stop> {
    let is_off = async || -> Result<bool, libvirt::Error> {
        let domain = connection.domain(router.0).await?;
        Ok(domain.is_none_or(|domain| !domain.state.is_active()))
    };
    match is_off().await {
        Ok(false) => {}
        known => return Ok(known),
    }
    if let Err(error) = connection.shut_down(router.0).await {
        return Ok(match is_off().await {
            Ok(true) => Ok(true),
            _ => Err(error),
        });
    }
    let (since, within) = (Instant::now(), Duration::from_secs(seconds.into()));
    while since.elapsed() < within {
        match is_off().await {
            Ok(false) => {}
            known => return Ok(known),
        }
        cancelled()?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(Ok(false))
}

async fn switch_off(connection: &Connection, router: RouterId) -> Result<(), libvirt::Error> {
    match connection.destroy_domain(router.0).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => match connection.domain(router.0).await {
            Ok(Some(domain)) if domain.state.is_active() => Err(error),
            _ => Ok(()),
        },
        done => done,
    }
}

/// Asks a router to shut down, for so long, and then switches it off.
pub(crate) async fn turn_off(
    connection: &Connection,
    router: RouterId,
    seconds: u32,
    cancelled: impl Fn() -> Result<(), Stop>,
) -> Result<Result<(), libvirt::Error>, Stop> {
    match ask_to_shut_down(connection, router, seconds, cancelled).await? {
        Ok(true) => Ok(Ok(())),
        Err(error) if error.is_retryable() => Ok(Err(error)),
        // It does not shut down, or cannot be asked to.
        Ok(false) | Err(_) => Ok(switch_off(connection, router).await),
    }
}

/// Deletes a router.
pub(crate) async fn delete(work: &mut Work<Task>, deletion: Deletion) -> Result<String, Stop> {
    let Deletion {
        router,
        host,
        driver,
        keep_disks,
        force,
    } = deletion;
    let name = work.plan.name.clone();
    work.step(
        JobPhase::Checking,
        format!("What {name} consists of is looked up."),
    )
    .await;
    let connection = work.session(&host, driver).await?;
    let failed = |error| Stop::on(&host, "Looking at it", error);
    let domain = connection.domain(router.0).await.map_err(failed)?;
    let Some(domain) = domain else {
        return Err(Stop::failed(
            format!("{name} is no longer on {host}."),
            "Look where it went.",
        ));
    };
    if domain.state.is_active() && !force {
        return Err(Stop::failed(
            format!("{name} runs."),
            "Shut it down first, or ask for it with force.",
        ));
    }
    // Where it is at its links' other ends is looked up before anything is gone.
    let mut chores = vec![Chore::about(&host, driver, router, What::Remove)];
    let disks = own_volumes(&connection, router).await.map_err(failed)?;
    let mut kept = Vec::new();
    for (pool, volume, path) in disks {
        if keep_disks {
            kept.push(path);
        } else {
            let what = What::DeleteVolume { pool, volume };
            chores.push(Chore::about(&host, driver, router, what));
        }
    }
    let links = work.state.store.links::<links::Made>().await?;
    let is_its = |made: &links::Made| made.ends().iter().any(|end| end.router.0 == router.0);
    let links: Vec<_> = links.into_iter().filter(is_its).collect();
    for made in &links {
        let of_others = made.chores(&work.state, &[]).into_iter();
        chores.extend(of_others.filter(|chore| {
            let is_about_it = chore.router == Some(router);
            !(is_about_it && matches!(chore.what, What::RemoveInterface { .. }))
        }));
    }
    let with = match links.len() {
        0 => String::new(),
        1 => ", with one link".to_owned(),
        more => format!(", with {more} links"),
    };
    let still = if kept.is_empty() {
        String::new()
    } else {
        format!("; on {host} there is still {}", kept.join(", "))
    };
    let message = format!("{name} is deleted{with}{still}.");
    work.commit(&message, chores).await?;
    Ok(message)
}

/// How the volumes of a router begin that VMS made for it. Short: see [`LONGEST_LOOP`].
pub(crate) fn volume_prefix(router: RouterId) -> String {
    format!("router-{}", &router.0.simple().to_string()[..16])
}

/// The longest path of a file that libvirt 9.0 mounts for a container: it notes it in the loop device,
/// which takes no more (`LO_NAME_SIZE` in linux/loop.h, with its end), and fails otherwise.
pub(crate) const LONGEST_LOOP: usize = 63;

/// The volumes that VMS made for a router, wherever a move brought them: pool, name and path.
async fn own_volumes(
    connection: &Connection,
    router: RouterId,
) -> Result<Vec<(String, String, String)>, libvirt::Error> {
    let prefix = volume_prefix(router);
    let mut found = Vec::new();
    for pool in connection.list_pools().await? {
        if !pool.state.is_active() {
            continue;
        }
        let volumes = connection.list_volumes(&pool.name).await?.into_iter();
        let own = volumes.filter(|volume| volume.name.starts_with(&prefix));
        found.extend(own.map(|volume| (volume.pool, volume.name, volume.path)));
    }
    Ok(found)
}
