//! A job at work: what is told, written down, and cleaned up, whatever the job does.

use super::{
    book::{Entry, Jobs, note, step},
    chores::{self, Done, Held, Until},
    plan::{Chore, Course, Migration, Outcome},
};
use crate::{discovery::Snapshot, fleet::Failure, service::State, store::StoreError};
use api::{Job, JobError, JobPhase, JobProgress, JobState};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long to wait for a host that cannot be asked, at first and at most.
pub(crate) const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(15)];

/// How long the first attempt to reach a host is waited for.
const TRYING: Duration = Duration::from_mins(1);

/// A job at work.
pub(crate) struct Work<P: Course = Migration> {
    pub state: Arc<State>,
    pub entry: Arc<Entry>,
    pub plan: P,
    pub since: Instant,
    pub notes: P::Notes,
}

/// Why a job does not go on.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Somebody asked for that.
    Cancelled,
    /// It cannot, and the router is where it was.
    Failed(JobError),
    /// It cannot, and the router is not as it was: the sentence says how it is.
    Changed(JobError),
    /// It cannot now: a host does not answer.
    Away(JobError),
}

impl Stop {
    pub fn failed(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Failed(JobError {
            message: message.into(),
            advice: advice.into(),
        })
    }

    /// A host did not do what was asked of it.
    pub fn on(host: &model::HostId, what: &str, failure: impl Into<Failure>) -> Self {
        let failure = failure.into();
        let is_away = match &failure {
            Failure::NotConnected => true,
            Failure::Sticks(_) => false,
            Failure::Libvirt(error) => error.is_retryable(),
        };
        let (why, advice) = match failure {
            Failure::NotConnected => (
                "it is not in contact".to_owned(),
                "Wait until ListHosts shows it online, then try again.",
            ),
            Failure::Sticks(message) => (message, "Look at the router's process on its host."),
            Failure::Libvirt(error) if error.is_retryable() => (
                error.to_string(),
                "Look at the host and at the network to it, then try again.",
            ),
            Failure::Libvirt(error) => (
                error.to_string(),
                "Mend what the host complains of, then try again.",
            ),
        };
        let why = why.trim_end_matches('.').to_owned();
        let error = JobError {
            message: format!("{what} on {host} failed: {why}."),
            advice: advice.to_owned(),
        };
        if is_away {
            Self::Away(error)
        } else {
            Self::Failed(error)
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::failed(
            format!("What was to be done could not be written down, so it was not done: {error}."),
            "Look at the disk of the server.",
        )
    }
}

impl<P: Course> Work<P> {
    pub fn new(state: Arc<State>, entry: Arc<Entry>, plan: P) -> Self {
        Self {
            state,
            entry,
            plan,
            since: Instant::now(),
            notes: P::Notes::default(),
        }
    }

    pub fn jobs(&self) -> &Jobs {
        &self.state.jobs
    }

    /// The next phase, or another sentence of the same.
    pub async fn step(&self, phase: JobPhase, message: impl Into<String>) {
        let message = message.into();
        tracing::info!(job = %self.entry.job().id, phase = phase.as_str(), "{message}");
        self.tell(|job| {
            if job.state == JobState::CleanupPending && phase != JobPhase::Done {
                job.state = JobState::Running;
                job.pending.clear();
            }
            step(job, phase, message);
        })
        .await;
    }

    /// Changes what is told. Not being able to write it down stops nothing: the plan decides.
    pub async fn tell(&self, change: impl FnOnce(&mut Job)) {
        if let Err(error) = self.jobs().change(&self.entry, change).await {
            tracing::error!(%error, "a job cannot be written down");
        }
    }

    /// Tells how many bytes are over, of those that are sent since then.
    pub fn sent(&self, done: u64, total: u64, since: Instant) {
        self.progress(sent(done, total, since));
    }

    pub fn progress(&self, progress: JobProgress) {
        self.jobs().progress(&self.entry, progress);
    }

    /// Writes the plan down: it is committed when this returns.
    pub async fn save_plan(&self) -> Result<(), Stop> {
        Ok(self.jobs().plan(&self.entry, self.plan.to_plan()).await?)
    }

    /// The same where there is no way back: what is not written down would be done twice, which does
    /// no harm.
    pub async fn save_plan_at_last(&self) {
        let plan = self.plan.to_plan();
        if let Err(error) = self.jobs().plan_at_last(&self.entry, plan).await {
            tracing::error!(%error, "a plan cannot be written down");
        }
    }

    /// Writes down what takes back what is about to be done.
    pub async fn will_do(&mut self, undo: Chore) -> Result<(), Stop> {
        self.plan.undo().push(undo);
        let saved = self.save_plan().await;
        if saved.is_err() {
            // It will not be done.
            self.plan.undo().pop();
        }
        saved
    }

    pub fn stop_if_cancelled(&self) -> Result<(), Stop> {
        if self.entry.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        Ok(())
    }

    /// Tells that a host is waited for; whoever does not want that cancels the job.
    pub async fn wait(&self, message: String) {
        self.tell(|job| {
            note(job, message.clone());
            job.state = JobState::CleanupPending;
            job.cancellable = true;
            job.message.clone_from(&message);
            job.pending = vec![message];
        })
        .await;
    }

    /// Waits until contact with these hosts was tried, for some time.
    pub async fn tried(&self, hosts: &[model::HostId], driver: Option<model::Driver>) {
        let mut snapshots = self.state.snapshots.clone();
        let is_tried = |snapshot: &Arc<Snapshot>| {
            let mut hosts = hosts
                .iter()
                .filter_map(|id| snapshot.topology.hosts.get(id));
            hosts.all(|host| {
                let mut endpoints = host.endpoints.iter();
                endpoints.all(|endpoint| {
                    driver.is_some_and(|driver| endpoint.driver != driver)
                        || endpoint.contact != model::Contact::Connecting
                })
            })
        };
        // Without discovery the server is ending.
        let _ = tokio::time::timeout(TRYING, snapshots.wait_for(is_tried)).await;
    }

    /// Writes down how it ended and what is left to do.
    pub async fn decided(&mut self, outcome: &Outcome) {
        let is_done = outcome.state == JobState::Succeeded || self.plan.is_committed();
        if !is_done {
            *self.plan.follow_up() = self.plan.take_back();
        }
        *self.plan.outcome() = Some(outcome.clone());
        self.save_plan_at_last().await;
        if self.plan.follow_up().is_empty() {
            return;
        }
        let (phase, message) = if is_done {
            (
                JobPhase::Finishing,
                format!("{} What is left is tidied up.", outcome.message),
            )
        } else {
            (
                JobPhase::Undoing,
                format!("What was begun is taken back. {}", outcome.message),
            )
        };
        self.step(phase, message).await;
    }

    /// Does all chores, and waits for hosts that are away.
    pub async fn clean<T>(&mut self, turn: T, did: impl Fn(&mut Self, &Chore)) {
        let subject = self.plan.subject();
        let mut turn = Some(turn);
        let mut pause = AGAIN[0];
        loop {
            let mut later = Vec::new();
            let mut held = Held::default();
            for chore in std::mem::take(self.plan.follow_up()) {
                let done = match held.holds(&chore.what) {
                    Some(Until::Later) => Done::Later("what comes before it waits".to_owned()),
                    Some(Until::Never) => {
                        Done::Refused("what comes before it was not done".to_owned())
                    }
                    None => chores::act(&self.state, &subject, &chore).await,
                };
                held.learn(&chore.what, &done);
                match done {
                    Done::Yes => {
                        did(self, &chore);
                        let what = chore.describe(&subject.name);
                        self.tell(|job| note(job, format!("Done: {what}."))).await;
                    }
                    Done::Later(why) => later.push((chore, why)),
                    Done::Refused(why) => {
                        let what = chore.describe(&subject.name);
                        let message = format!("Left undone: {what}, for {why}");
                        tracing::warn!(job = %self.entry.job().id, "{message}");
                        self.plan.left_undone(&chore, &sentence(&message));
                        self.tell(|job| note(job, message)).await;
                    }
                }
            }
            let pending: Vec<_> = (later.iter())
                .map(|(chore, why)| {
                    let why = why.trim_end_matches('.');
                    format!("{} ({why})", capital(&chore.describe(&subject.name)))
                })
                .collect();
            *self.plan.follow_up() = later.into_iter().map(|(chore, _)| chore).collect();
            self.save_plan_at_last().await;
            if pending.is_empty() {
                return;
            }
            drop(turn.take());
            self.tell(|job| {
                if job.state != JobState::CleanupPending {
                    note(
                        job,
                        format!("To be done when the host answers: {}", pending.join("; ")),
                    );
                }
                job.state = JobState::CleanupPending;
                job.cancellable = true;
                job.pending = pending;
            })
            .await;
            let is_given_up = tokio::time::timeout(pause, self.entry.give_up.cancelled()).await;
            if is_given_up.is_ok() {
                let left = std::mem::take(self.plan.follow_up());
                for chore in left {
                    let what = chore.describe(&subject.name);
                    let message = format!("Left undone, as asked: {what}");
                    self.plan.left_undone(&chore, &sentence(&message));
                    self.tell(|job| note(job, message)).await;
                }
                return;
            }
            pause = (pause * 2).min(AGAIN[1]);
        }
    }

    /// Says what is not going to be done.
    pub async fn leave(&self, chores: Vec<Chore>) {
        let name = self.plan.subject().name;
        for chore in chores {
            let what = chore.describe(&name);
            self.tell(|job| note(job, format!("Left undone: {what}")))
                .await;
        }
    }
}

/// So many bytes of so many, with the rate and the time that is left once they can be told.
pub(crate) fn sent(done: u64, total: u64, since: Instant) -> JobProgress {
    let seconds = since.elapsed().as_secs_f64();
    let rate = (seconds > 0.1).then(|| (done as f64 / seconds) as u64);
    let left = total.saturating_sub(done);
    JobProgress {
        done_bytes: done,
        total_bytes: total.max(done),
        bytes_per_second: rate,
        seconds_left: rate.filter(|&rate| rate > 0).map(|rate| left / rate),
        iteration: None,
    }
}

/// With a capital letter and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    format!("{}.", capital(text.trim_end_matches('.')))
}

pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
