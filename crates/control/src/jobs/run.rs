//! A migration, from its turn to its end.

use super::{
    book::{Entry, end, note, queued},
    check, cold,
    find::{Answer, PAUSE, Place, SETTLING, Search, Side},
    live,
    plan::{Chore, Course as _, End, Migration, Outcome, Plan, Stage, What},
    turns,
    work::{AGAIN, Stop, Work, sentence},
};
use crate::{
    discovery::Update,
    service::{State, hosts::publish, translate},
};
use api::{
    Error, Job, JobError, JobId, JobKind, JobPhase, JobState, MigrateRouterRequest, MigrationMode,
    MigrationResult, Timestamp,
};
use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use libvirt::{Connection, DomainState};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long what was looked at before a job was written down holds: its turn came at once.
const FRESH: SignedDuration = SignedDuration::from_millis(500);

/// Writes a job down and starts its work.
pub(crate) async fn start(
    state: &Arc<State>,
    request: MigrateRouterRequest,
    mode: MigrationMode,
    router: &model::Router,
    caller: &str,
) -> Result<Job, Error> {
    let domain = &router.domain;
    let to = translate::host_id(&request.destination);
    let kind = match mode {
        MigrationMode::Live => JobKind::LiveMigration,
        MigrationMode::Cold => JobKind::ColdMigration,
    };
    let message = format!("{} waits to be moved to {to}.", domain.name);
    let job = Job {
        router: Some(request.router),
        router_name: Some(domain.name.clone()),
        source: Some(translate::id(&router.host)),
        destination: Some(request.destination.clone()),
        ..queued(kind, message, caller)
    };
    let plan = Migration {
        router: domain.id,
        name: domain.name.clone(),
        driver: domain.driver,
        from: router.host.clone(),
        to,
        mode,
        was_active: domain.state.is_active(),
        was_running: domain.state == model::RouterState::Running,
        stopping_since: None,
        autostart: domain.autostart,
        stage: Stage::Begun,
        undo: Vec::new(),
        follow_up: Vec::new(),
        outcome: None,
        request,
    };
    let entry = state.jobs.begin(job, Plan::Migration(plan)).await?;
    go_on(state, Arc::clone(&entry));
    Ok(entry.job())
}

/// Lets a job go on from where it is written down to be. It is in the queue when this returns.
pub(crate) fn go_on(state: &Arc<State>, entry: Arc<Entry>) {
    let state = Arc::clone(state);
    let jobs = state.jobs.clone();
    let stop = jobs.stop.clone();
    let plan = entry.plan();
    let place = jobs.turns.join(entry.job().id, &plan.hosts());
    jobs.tasks.spawn(async move {
        let work: BoxFuture<'_, ()> = match plan {
            Plan::Migration(plan) => Box::pin(Work::new(state, entry, plan).run(place)),
            Plan::Task(plan) => Box::pin(Work::new(state, entry, plan).run(place)),
        };
        stop.run_until_cancelled(work).await;
    });
}

impl Work {
    async fn run(mut self, place: turns::Place) {
        let is_new = self.entry.job().state == JobState::Queued;
        let hosts = [self.plan.from.clone(), self.plan.to.clone()];
        let turn = async {
            let turn = place.turn().await;
            // After a start of the server, a host that nobody tried yet is not away.
            self.tried(&hosts, Some(self.plan.driver)).await;
            turn
        };
        let turn = tokio::select! {
            turn = turn => Some(turn),
            () = self.entry.cancel.cancelled(), if is_new => None,
        };
        if self.jobs().stop.is_cancelled() {
            // Its turn came because the server ends: it goes on waiting after the next start.
            return;
        }
        let outcome = match (&turn, self.plan.outcome.clone()) {
            (_, Some(outcome)) => outcome,
            (None, None) => self.not_moved(Stop::Cancelled, false),
            (Some(_), None) if is_new => self.attempt().await,
            (Some(_), None) => self.recover().await,
        };
        if self.plan.outcome.is_none() {
            self.decided(&outcome).await;
        }
        // Others need not wait for a host that is away.
        self.clean(turn, mended).await;
        self.say_migrating(false).await;
        for host in hosts {
            // What the last chores did.
            let (driver, router) = (self.plan.driver, self.plan.router);
            let _ = self.state.fleet.refresh(&host, driver, router).await;
        }
        let interruptions = std::mem::take(&mut self.notes.links);
        self.tell(|job| {
            job.migration = outcome.migration;
            if let Some(result) = &mut job.migration {
                result.interruptions = interruptions;
            }
            end(job, outcome.state, outcome.message, outcome.error);
        })
        .await;
    }

    /// From its turn to its outcome.
    async fn attempt(&mut self) -> Outcome {
        self.tell(|job| {
            job.state = JobState::Running;
            job.started_at = Some(Timestamp::now());
        })
        .await;
        let stop = match self.check_and_move().await {
            Ok(result) => return self.moved(result),
            Err(stop) => stop,
        };
        if self.plan.stage == Stage::Begun {
            return self.not_moved(stop, false);
        }
        self.found_after(stop, false).await
    }

    async fn check_and_move(&mut self) -> Result<MigrationResult, Stop> {
        self.check().await?;
        self.say_migrating(true).await;
        match self.plan.mode {
            MigrationMode::Live => live::run(self).await,
            MigrationMode::Cold => cold::run(self).await,
        }
    }

    /// What is found after the server, or libvirt's word, was lost.
    async fn recover(&mut self) -> Outcome {
        self.step(
            JobPhase::Checking,
            "The server ended meanwhile: both hosts are asked where the router is.",
        )
        .await;
        self.say_migrating(true).await;
        let stop = Stop::failed(
            "The server ended while this was under way.",
            "Ask for it again if it is still wanted.",
        );
        match self.plan.stage {
            Stage::Begun => self.not_moved(stop, true),
            Stage::Moving => self.found_after(stop, true).await,
            // Ours alone: it went on, so it goes on.
            Stage::Committed => self.switched(None, true).await,
        }
    }

    /// A cold move is past its commit: its destination is waited for. `stop` is what stopped it, if
    /// it was tried already.
    async fn switched(&mut self, mut stop: Option<Stop>, is_restart: bool) -> Outcome {
        let mut pause = AGAIN[0];
        loop {
            let stop = match stop.take() {
                Some(stop) => stop,
                None => match cold::switch(self).await {
                    Ok(result) => return self.moved(result),
                    Err(stop) => stop,
                },
            };
            if self.plan.stage == Stage::Begun {
                return self.not_moved(stop, is_restart);
            }
            let Stop::Away(error) = stop else {
                return self.left_at_destination(stop);
            };
            let Migration { name, to, .. } = &self.plan;
            self.wait(format!("{name} belongs to {to}, which does not answer."))
                .await;
            let is_given_up = tokio::time::timeout(pause, self.entry.give_up.cancelled()).await;
            if is_given_up.is_ok() {
                // Whether the destination has it nobody knows: the source keeps what it has.
                let left = std::mem::take(&mut self.plan.follow_up);
                self.leave(left).await;
                return self.left_at_destination(Stop::Failed(error));
            }
            pause = (pause * 2).min(AGAIN[1]);
        }
    }

    /// Whether it can be done, looked at anew if it had to wait for its turn.
    async fn check(&mut self) -> Result<(), Stop> {
        let job = self.entry.job();
        if job.created_at.duration_until(Timestamp::now()) < FRESH {
            return self.stop_if_cancelled();
        }
        let Migration { to, name, .. } = &self.plan;
        let message = format!("It is checked whether {name} can be moved to {to}.");
        self.step(JobPhase::Checking, message).await;
        self.stop_if_cancelled()?;
        let (router, to) = (self.plan.router, self.plan.to.clone());
        let found = check::one(&self.state, router, &to, self.plan.mode).await;
        let found =
            found.map_err(|error| Stop::failed(sentence(&error.to_string()), "Try again."))?;
        if found.source != self.plan.from {
            let Migration { name, from, .. } = &self.plan;
            return Err(Stop::Changed(JobError {
                message: format!("{name} is on {} by now, not on {from}.", found.source),
                advice: "Ask for it again if it is still wanted.".to_owned(),
            }));
        }
        if let Some(obstacle) = found.verdict.obstacles().next() {
            return Err(Stop::failed(
                sentence(&obstacle.what),
                obstacle.advice.clone().unwrap_or_default(),
            ));
        }
        Ok(())
    }

    /// Where the router is, when that is not known; and what that makes of the job.
    async fn found_after(&mut self, stop: Stop, is_restart: bool) -> Outcome {
        if self.plan.stage == Stage::Committed {
            return self.switched(Some(stop), is_restart).await;
        }
        let Some(place) = self.place().await else {
            return self.given_up(is_restart).await;
        };
        match place {
            Place::Source => self.not_moved(stop, is_restart),
            Place::Destination => {
                self.tell(|job| note(job, "It runs at the destination.".to_owned()))
                    .await;
                let result = live::result(self).await;
                self.moved(result)
            }
            Place::Off(side) => {
                let Migration { name, from, to, .. } = &self.plan;
                let (found, advice) = match side {
                    Some(Side::Source) => (
                        format!(
                            "{name} does not run any more: it was shut down meanwhile, or lost. It is still defined on {from}."
                        ),
                        format!("Start it on {from}, if it is to run."),
                    ),
                    Some(Side::Destination) => (
                        format!("{name} does not run any more; it is defined on {to}."),
                        format!("Start it on {to}, if it is to run."),
                    ),
                    None => (
                        format!(
                            "{name} is on neither host any more: it was shut down meanwhile and was not persistent, or somebody removed it."
                        ),
                        "Define it anew, if it is still wanted.".to_owned(),
                    ),
                };
                if side == Some(Side::Destination) {
                    // It has moved, and stopped there: nothing of it is at the source.
                    self.plan.stage = Stage::Committed;
                    self.plan.undo.clear();
                    return Outcome {
                        state: JobState::Failed,
                        message: found.clone(),
                        error: Some(JobError {
                            message: found,
                            advice,
                        }),
                        migration: None,
                    };
                }
                if side.is_none() {
                    // Nobody knows which copy of its disks is the newer.
                    let undo = std::mem::take(&mut self.plan.undo);
                    let is_volume = |chore: &Chore| matches!(chore.what, What::DeleteVolume { .. });
                    let (volumes, undo) = undo.into_iter().partition(is_volume);
                    self.plan.undo = undo;
                    self.leave(volumes).await;
                }
                let changed = JobError {
                    message: found,
                    advice,
                };
                self.not_moved(Stop::Changed(changed), is_restart)
            }
        }
    }

    /// Nobody waits any longer to be told where the router is: all is left as it is.
    async fn given_up(&mut self, is_restart: bool) -> Outcome {
        let left = self.plan.take_back();
        self.leave(left).await;
        self.plan.follow_up.clear();
        let Migration { name, from, to, .. } = &self.plan;
        let message = format!("Given up: whether {name} is on {from} or on {to} is not known.");
        Outcome {
            state: if is_restart {
                JobState::Interrupted
            } else {
                JobState::Failed
            },
            message: message.clone(),
            error: Some(JobError {
                message,
                advice: format!(
                    "Look at both hosts: it is to run on one of them, and to be defined there only. \
                     The steps of the job tell what was left undone on {from} and {to}."
                ),
            }),
            migration: None,
        }
    }

    /// Asks both hosts where the router is, until they say so, or until nobody wants to wait any
    /// longer for one of them.
    async fn place(&self) -> Option<Place> {
        let mut since = Instant::now();
        let mut waited_for = None;
        loop {
            let search = Search {
                state: &self.state,
                driver: self.plan.driver,
                router: self.plan.router,
                from: &self.plan.from,
                to: &self.plan.to,
            };
            let answer = search.ask(since.elapsed() > SETTLING).await;
            if let Answer::Away(host) = answer {
                since = Instant::now();
                if waited_for.as_ref() != Some(&host) {
                    self.wait(format!(
                        "Where the router is cannot be told until {host} answers."
                    ))
                    .await;
                    waited_for = Some(host);
                }
                let is_given_up = tokio::time::timeout(PAUSE, self.entry.give_up.cancelled()).await;
                if is_given_up.is_ok() {
                    return None;
                }
                continue;
            }
            if let Some(host) = waited_for.take() {
                let phase = self.entry.job().phase;
                self.step(phase, format!("{host} answers again.")).await;
            }
            match answer {
                Answer::At(place) => return Some(place),
                Answer::OnItsWay => {
                    // What they say counts from when both could be asked.
                    since = Instant::now();
                    if self.entry.cancel.is_cancelled() {
                        self.abort().await;
                    }
                }
                Answer::Undecided | Answer::Away(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Asks libvirt to end what it does with the router.
    async fn abort(&self) {
        if let Ok(source) = self.session(End::Source).await
            && let Err(error) = source.abort_job(self.plan.router.0).await
        {
            tracing::debug!(%error, "a migration cannot be ended yet");
        }
    }

    fn moved(&mut self, mut result: MigrationResult) -> Outcome {
        self.plan.undo.clear();
        let Migration { name, to, .. } = &self.plan;
        if result.total_milliseconds == 0 {
            let total = self.since.elapsed().as_millis();
            result.total_milliseconds = u64::try_from(total).unwrap_or(u64::MAX);
        }
        let stood = Duration::from_millis(result.downtime_milliseconds.unwrap_or_default());
        self.notes.since = Instant::now().checked_sub(stood);
        let stood = match result.downtime_milliseconds {
            Some(ms) if self.plan.was_active => format!("; it stood still for {ms} ms"),
            _ => String::new(),
        };
        Outcome {
            state: JobState::Succeeded,
            message: format!("{name} is on {to}{stood}."),
            error: None,
            migration: Some(result),
        }
    }

    /// The router is where it was, and all that was begun is taken back.
    fn not_moved(&mut self, stop: Stop, is_restart: bool) -> Outcome {
        self.plan.follow_up.clear();
        let Migration { name, from, .. } = &self.plan;
        let back = format!("{name} is on {from} as before.");
        let failed = if is_restart {
            JobState::Interrupted
        } else {
            JobState::Failed
        };
        let (state, message, error) = match stop {
            Stop::Cancelled => (JobState::Cancelled, format!("Cancelled: {back}"), None),
            Stop::Failed(mut error) | Stop::Away(mut error) => {
                error.message = format!("{} {back}", error.message);
                (failed, error.message.clone(), Some(error))
            }
            Stop::Changed(error) => (failed, error.message.clone(), Some(error)),
        };
        Outcome {
            state,
            message,
            error,
            migration: None,
        }
    }

    /// Past the point of no return of a cold move, and not started.
    fn left_at_destination(&mut self, stop: Stop) -> Outcome {
        self.plan.undo.clear();
        let Migration { name, to, .. } = &self.plan;
        let error = match stop {
            Stop::Cancelled => JobError {
                message: format!("{name} was moved to {to}."),
                advice: String::new(),
            },
            Stop::Failed(error) | Stop::Changed(error) | Stop::Away(error) => error,
        };
        Outcome {
            state: JobState::Failed,
            message: format!(
                "{name} is defined on {to} and does not run. {}",
                error.message
            ),
            error: Some(JobError {
                advice: format!("{} Then start it on {to}.", error.advice),
                message: error.message,
            }),
            migration: None,
        }
    }

    /// Writes down what is to be taken back, before it is done.
    pub async fn will_undo(&mut self, end: End, what: What) -> Result<(), Stop> {
        let chore = self.plan.chore(end, what);
        self.will_do(chore).await
    }

    /// A connection for this work to one of its hosts.
    pub async fn session(&self, end: End) -> Result<Connection, Stop> {
        let host = self.plan.host(end);
        let session = self.state.fleet.session(host, self.plan.driver, "job");
        let session = session.await;
        session.map_err(|failure| Stop::on(host, "Connecting", failure))
    }

    /// Looks at the router as it is now: libvirt tells nobody that a router's autostart changed.
    pub async fn look(&mut self, source: &Connection) -> Result<(), Stop> {
        let from = self.plan.from.clone();
        let failed = |error| Stop::on(&from, "Looking at it", error);
        let domain = source.domain(self.plan.router.0).await.map_err(failed)?;
        let Some(domain) = domain else {
            let name = &self.plan.name;
            return Err(Stop::Changed(JobError {
                message: format!("{name} is no longer on {from}: it was removed there."),
                advice: "Look where it went.".to_owned(),
            }));
        };
        self.plan.autostart = domain.autostart;
        self.plan.was_active = domain.state.is_active();
        self.plan.was_running = self.plan.was_active && domain.state != DomainState::Paused;
        Ok(())
    }

    /// Lets the topology show that the router is on its way, or not.
    async fn say_migrating(&self, is_on_its_way: bool) {
        publish(&self.state, |published| Update::Migrating {
            router: self.plan.router,
            to: is_on_its_way.then(|| self.plan.to.clone()),
            published,
        })
        .await;
    }
}

/// Notes a link that was mended.
fn mended(work: &mut Work, chore: &Chore) {
    if let What::Replug(replug) = &chore.what {
        let cut = work.notes.since.map(|since| since.elapsed().as_millis());
        work.notes.links.push(api::LinkInterruption {
            interface: translate::mac(replug.of),
            peer: Some(translate::router_id(replug.router)),
            milliseconds: cut.and_then(|ms| ms.try_into().ok()),
            message: format!(
                "The UDP link to {} was mended at its other end, which leads to {} now.",
                replug.name, replug.to
            ),
        });
    }
}

/// What a caller may do about a job that is not there.
pub(crate) fn no_job(id: JobId) -> Error {
    api::NotFound {
        kind: "job".to_owned(),
        id: id.to_string(),
        message: format!("there is no job {id}; ListJobs tells which there are"),
    }
    .into()
}
