//! What is done to a router in a job of its own.

use crate::jobs::{
    task::Task,
    work::{Stop, Work},
};
use api::JobPhase;
use libvirt::ErrorKind;
use model::{Driver, HostId, RouterId};
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
    let is_off = async || -> Result<bool, Stop> {
        let domain = connection.domain(router.0).await.map_err(failed)?;
        Ok(domain.is_none_or(|domain| !domain.state.is_active()))
    };
    if is_off().await? {
        return Ok(format!("{name} is shut off."));
    }
    let message = format!("{name} is asked to shut down, for {seconds} s at most.");
    work.step(JobPhase::Stopping, message).await;
    let asked = connection.shut_down(router.0).await;
    let (since, within) = (Instant::now(), Duration::from_secs(seconds.into()));
    if let Err(error) = asked {
        if is_off().await? {
            return Ok(format!("{name} is shut off."));
        }
        // A driver that cannot ask.
        if !force || error.is_retryable() {
            return Err(failed(error));
        }
    } else {
        while since.elapsed() < within {
            if is_off().await? {
                return Ok(format!("{name} has shut down."));
            }
            work.stop_if_cancelled()?;
            tokio::time::sleep(PAUSE).await;
        }
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
    match connection.destroy_domain(router.0).await {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(_) if is_off().await? => {}
        Err(error) => return Err(failed(error)),
    }
    Ok(format!(
        "{name} did not shut down in time and was switched off."
    ))
}
