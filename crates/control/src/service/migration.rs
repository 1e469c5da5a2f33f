//! Moving routers, the jobs that do it, and hosts that nothing is moved to.

use super::{State, authorise, errors, once::Once, translate};
use crate::{discovery::Update, jobs};
use api::{
    Caller, CancelJobReply, CancelJobRequest, CheckMigrationReply, CheckMigrationRequest, Error,
    GetJobReply, GetJobRequest, JobId, ListJobsReply, ListJobsRequest, MigrateRouterReply,
    MigrateRouterRequest, MigrationCheck, MigrationVerdict, NotSupported, Role,
    SetHostMaintenanceReply, SetHostMaintenanceRequest, Timestamp,
};
use model::Maintenance;
use std::{sync::Arc, time::Duration};

/// How long a caller may wait for a job, in seconds: less than any part of the way holds for dead.
const LONGEST_WAIT: u32 = 50;

/// How many jobs are listed if nobody says.
const LISTED: u32 = 100;

/// Where a router can be moved to.
pub(crate) async fn check_migration(
    state: &Arc<State>,
    caller: &Caller,
    request: CheckMigrationRequest,
) -> Result<CheckMigrationReply, Error> {
    authorise(caller, Role::Observer)?;
    let destination = request.destination.as_ref();
    jobs::check::all(state, request.router, destination, request.mode).await
}

/// Moves a router.
pub(crate) async fn migrate_router(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: MigrateRouterRequest,
) -> Result<MigrateRouterReply, Error> {
    let target = format!("{} to {}", request.router, request.destination);
    let act = once.act(caller, "MigrateRouter", target, request.request_id.clone());
    let (moving, who) = (Arc::clone(state), caller.name.clone());
    let job: JobId = act
        .carry_out(Role::Operator, async move {
            migrate(&moving, request, &who).await
        })
        .await?;
    // As it is now: it may have been asked for long ago, with the same request id.
    Ok(MigrateRouterReply {
        as_of: Timestamp::now(),
        job: find(state, job)?.job(),
    })
}

async fn migrate(
    state: &Arc<State>,
    request: MigrateRouterRequest,
    caller: &str,
) -> Result<JobId, Error> {
    for (element, zero) in [
        (
            "bandwidthMebibytesPerSecond",
            request.bandwidth_mebibytes_per_second == Some(0),
        ),
        (
            "maximumDowntimeMilliseconds",
            request.maximum_downtime_milliseconds == Some(0),
        ),
    ] {
        if zero {
            let message = "a number above 0 was expected, or nothing at all";
            return Err(Error::invalid(element, message));
        }
    }
    // The server may have died after the job was written down, and before its answer was.
    let asked = request.request_id.as_deref();
    if let Some(job) = asked.and_then(|id| state.jobs.asked_for(caller, id)) {
        return Ok(job);
    }
    state.jobs.refuse_if_acting(request.router)?;
    let view = state.view();
    let router = Arc::clone(view.find(request.router)?);
    let mode = request
        .mode
        .unwrap_or_else(|| jobs::check::mode_of(&router));
    let destination = Some(&request.destination);
    let checked = jobs::check::all(state, request.router, destination, Some(mode)).await?;
    if let Some(verdict) = checked.verdicts.first()
        && !verdict.is_possible()
    {
        return Err(refused(&router, verdict));
    }
    let job = jobs::start(state, request, mode, &router, caller).await?;
    Ok(job.id)
}

/// What stands in the way, as an error.
fn refused(router: &model::Router, verdict: &MigrationVerdict) -> Error {
    let said: Vec<_> = (verdict.obstacles())
        .map(|obstacle| {
            let advice = obstacle.advice.as_deref().unwrap_or_default();
            format!("{} {advice}", obstacle.what)
        })
        .collect();
    let name = &router.domain.name;
    let message = format!(
        "{name} cannot be moved to {}: {}",
        verdict.host,
        said.join(" ")
    );
    let by_driver = |check| check == MigrationCheck::Driver;
    if (verdict.obstacles()).any(|obstacle| by_driver(obstacle.check)) {
        return NotSupported {
            driver: router.domain.driver.as_str().to_owned(),
            message,
        }
        .into();
    }
    errors::conflict(message)
}

/// One job.
pub(crate) async fn get_job(
    state: &Arc<State>,
    caller: &Caller,
    request: GetJobRequest,
) -> Result<GetJobReply, Error> {
    authorise(caller, Role::Observer)?;
    let wait = request.wait_seconds.unwrap_or_default();
    if wait > LONGEST_WAIT {
        return Err(Error::invalid(
            "waitSeconds",
            format!("{wait} s are too long: {LONGEST_WAIT} at most were expected; ask again then"),
        ));
    }
    let entry = find(state, request.job)?;
    let ended = entry.ended(Duration::from_secs(wait.into()));
    let stop = state.jobs.stop.clone();
    // A server that ends answers.
    let job = stop.run_until_cancelled(ended).await;
    Ok(GetJobReply {
        as_of: Timestamp::now(),
        job: job.unwrap_or_else(|| entry.job()),
    })
}

/// The jobs that match.
pub(crate) fn list_jobs(
    state: &Arc<State>,
    caller: &Caller,
    request: &ListJobsRequest,
) -> Result<ListJobsReply, Error> {
    authorise(caller, Role::Observer)?;
    let limit = request.limit.unwrap_or(LISTED);
    if !(1..=1000).contains(&limit) {
        return Err(Error::invalid("limit", "1 to 1000 was expected"));
    }
    Ok(ListJobsReply {
        as_of: Timestamp::now(),
        jobs: state.jobs.list(request, limit as usize),
    })
}

/// Gives a job up.
pub(crate) async fn cancel_job(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: CancelJobRequest,
) -> Result<CancelJobReply, Error> {
    let CancelJobRequest { job, request_id } = request;
    let act = once.act(caller, "CancelJob", job.to_string(), request_id);
    let giving_up = Arc::clone(state);
    act.carry_out(Role::Operator, async move {
        let state = giving_up;
        let entry = find(&state, job)?;
        let now = entry.job();
        if !now.state.is_over() && !entry.ask_to_cancel() && !now.cancel_requested {
            return Err(errors::conflict(format!(
                "the job {job} is {}, which is past the point of no return: wait for its end",
                now.phase.as_str()
            )));
        }
        if !now.state.is_over() {
            let asked = state.jobs.change(&entry, |job| job.cancel_requested = true);
            asked.await.map_err(|error| errors::from_store(&error))?;
        }
        Ok(())
    })
    .await?;
    Ok(CancelJobReply {
        as_of: Timestamp::now(),
        job: find(state, job)?.job(),
    })
}

fn find(state: &State, id: JobId) -> Result<Arc<jobs::Entry>, Error> {
    state.jobs.get(id).ok_or_else(|| jobs::no_job(id))
}

/// Puts a host into maintenance, or takes it back into use.
pub(crate) async fn set_host_maintenance(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: SetHostMaintenanceRequest,
) -> Result<SetHostMaintenanceReply, Error> {
    let SetHostMaintenanceRequest {
        host,
        maintenance,
        reason,
        request_id,
    } = request;
    let act = once.act(caller, "SetHostMaintenance", host.to_string(), request_id);
    let state = Arc::clone(state);
    act.carry_out(Role::Operator, async move {
        if let Some(reason) = &reason {
            super::hosts::check_text("reason", reason)?;
        }
        let _turn = state.registering.lock().await;
        let id = translate::host_id(&host);
        if !state.view().topology().hosts.contains_key(&id) {
            return Err(errors::no_host(&host, state.view().topology()));
        }
        let store = &state.store;
        let stored = if maintenance {
            store.begin_maintenance(&host, reason.as_deref()).await
        } else {
            store.end_maintenance(&host).await
        };
        stored.map_err(|error| errors::from_store(&error))?;
        super::hosts::publish(&state, |published| Update::Maintenance {
            host: id.clone(),
            maintenance: maintenance.then_some(Maintenance { reason }),
            published,
        })
        .await;
        let view = state.view();
        let known = view.host_of(&id);
        let (_, now) = known.ok_or_else(|| errors::no_host(&host, view.topology()))?;
        Ok(SetHostMaintenanceReply {
            as_of: Timestamp::now(),
            host: now,
        })
    })
    .await
}
