//! The book of jobs: what is told of each, its plan, and who waits for it.

use super::{plan::Plan, turns::Turns};
use crate::{
    discovery::Events,
    service::errors,
    store::{Store, StoreError},
};
use api::{
    Conflict, Error, HostId, Job, JobError, JobId, JobPhase, JobProgress, JobState, JobStep,
    ListJobsRequest, RouterId, Timestamp,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Jobs that are over and still listed.
const KEPT: u32 = 1000;

/// How often progress is told.
const TELL: Duration = Duration::from_secs(1);

/// All jobs. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Jobs {
    book: Arc<Mutex<Book>>,
    store: Store,
    events: Arc<Events>,
    pub turns: Arc<Turns>,
    /// The work of all jobs.
    pub tasks: TaskTracker,
    /// The server ends: jobs stay as they are, to be gone on with.
    pub stop: CancellationToken,
}

/// In the order in which they came.
type Book = BTreeMap<(Timestamp, JobId), Arc<Entry>>;

/// One job.
#[derive(Debug)]
pub(crate) struct Entry {
    job: watch::Sender<Job>,
    plan: Mutex<Plan>,
    /// Somebody asked to give it up.
    pub cancel: CancellationToken,
    /// Somebody asked to leave behind what cannot be cleaned up.
    pub give_up: CancellationToken,
    told: Mutex<Option<Instant>>,
    /// One writes it down at a time: what is older never comes after what is newer.
    saving: tokio::sync::Mutex<()>,
}

impl Jobs {
    /// The jobs that are written down; those that are not over come back, to be gone on with.
    pub async fn open(
        store: Store,
        events: Arc<Events>,
        at_once: usize,
        stop: CancellationToken,
    ) -> Result<(Self, Vec<Arc<Entry>>), StoreError> {
        let jobs = Self {
            book: Arc::default(),
            events,
            turns: Turns::new(at_once),
            tasks: TaskTracker::new(),
            stop,
            store: store.clone(),
        };
        let mut unfinished = Vec::new();
        for (job, plan) in store.jobs(KEPT).await? {
            let is_over = job.state.is_over();
            let entry = Self::put(&mut jobs.book(), job, plan);
            if !is_over {
                unfinished.push(entry);
            }
        }
        Ok((jobs, unfinished))
    }

    fn put(book: &mut Book, job: Job, plan: Plan) -> Arc<Entry> {
        let key = (job.created_at, job.id);
        let cancel = CancellationToken::new();
        if job.cancel_requested {
            cancel.cancel();
        }
        let entry = Arc::new(Entry {
            job: watch::Sender::new(job),
            plan: Mutex::new(plan),
            cancel,
            give_up: CancellationToken::new(),
            told: Mutex::default(),
            saving: tokio::sync::Mutex::default(),
        });
        book.insert(key, Arc::clone(&entry));
        let over = |entry: &Arc<Entry>| entry.job.borrow().state.is_over();
        while book.len() > KEPT as usize {
            let oldest = book.iter().find(|(_, entry)| over(entry));
            match oldest.map(|(key, _)| *key) {
                Some(key) => drop(book.remove(&key)),
                None => break,
            }
        }
        entry
    }

    /// Writes a new job down, unless another one acts on its router. Once this returns it is
    /// committed.
    pub async fn begin(&self, job: Job, plan: Plan) -> Result<Arc<Entry>, Error> {
        let entry = {
            // Two callers at once: the second sees the first's.
            let mut book = self.book();
            if let Some(other) = job.router.and_then(|router| acting_in(&book, router)) {
                return Err(acting_on(&other));
            }
            Self::put(&mut book, job, plan)
        };
        if let Err(error) = self.save(&entry).await {
            let job = entry.job();
            self.book().remove(&(job.created_at, job.id));
            return Err(errors::from_store(&error));
        }
        self.events.job(entry.job());
        Ok(entry)
    }

    /// The job that acts on a router now.
    pub fn acting_on(&self, router: RouterId) -> Option<Job> {
        acting_in(&self.book(), router)
    }

    /// Refuses what cannot be done to a router while a job acts on it.
    pub fn refuse_if_acting(&self, router: RouterId) -> Result<(), Error> {
        match self.acting_on(router) {
            Some(job) => Err(acting_on(&job)),
            None => Ok(()),
        }
    }

    /// Refuses to let a host go while a job acts on it.
    pub fn refuse_if_at(&self, host: &HostId) -> Result<(), Error> {
        let book = self.book();
        let mut jobs = book.values().map(|entry| entry.job.borrow());
        let is_at = |job: &Job| [&job.source, &job.destination].contains(&&Some(host.clone()));
        match jobs.find(|job| !job.state.is_over() && is_at(job)) {
            Some(job) => Err(acting(&job, &format!("host {host}"))),
            None => Ok(()),
        }
    }

    /// The job that a caller asked for with a request id.
    pub fn asked_for(&self, caller: &str, request_id: &str) -> Option<JobId> {
        let book = self.book();
        let mut entries = book.iter().rev();
        let (key, _) = entries.find(|(_, entry)| {
            entry.job.borrow().requested_by == caller
                && entry.plan_mut().request.request_id.as_deref() == Some(request_id)
        })?;
        Some(key.1)
    }

    pub fn get(&self, id: JobId) -> Option<Arc<Entry>> {
        let book = self.book();
        let mut entries = book.iter();
        let (_, entry) = entries.find(|((_, known), _)| *known == id)?;
        Some(Arc::clone(entry))
    }

    /// Those that match, the newest first.
    pub fn list(&self, request: &ListJobsRequest, limit: usize) -> Vec<Job> {
        let book = self.book();
        let jobs = book.values().rev().map(|entry| entry.job.borrow());
        let matching = jobs.filter(|job| {
            let host = |id| job.source.as_ref() == Some(id) || job.destination.as_ref() == Some(id);
            request.router.is_none_or(|id| job.router == Some(id))
                && request.host.as_ref().is_none_or(host)
                && !(request.unfinished == Some(true) && job.state.is_over())
        });
        matching.take(limit).map(|job| job.clone()).collect()
    }

    /// Changes what is told of a job, and writes it down with its plan: committed when this
    /// returns, and told in any case; that it is over only then, since whoever hears of that may
    /// end the server.
    pub async fn change(
        &self,
        entry: &Entry,
        change: impl FnOnce(&mut Job),
    ) -> Result<(), StoreError> {
        let _turn = entry.saving.lock().await;
        let mut job = entry.job();
        change(&mut job);
        job.changed_at = Timestamp::now();
        if job.state.is_over() {
            let saved = self.store.put_job(&job, &entry.plan()).await;
            self.tell(entry, job);
            saved
        } else {
            self.tell(entry, job.clone());
            self.store.put_job(&job, &entry.plan()).await
        }
    }

    fn tell(&self, entry: &Entry, job: Job) {
        entry.job.send_replace(job.clone());
        self.events.job(job);
    }

    /// Writes down what is about to be done. What cannot be written down does not count, whoever
    /// writes the job down next.
    pub async fn plan(&self, entry: &Entry, plan: Plan) -> Result<(), StoreError> {
        let _turn = entry.saving.lock().await;
        self.store.put_job(&entry.job(), &plan).await?;
        *entry.plan_mut() = plan;
        Ok(())
    }

    /// Writes down what was done or decided: it counts, whether it can be written down or not.
    pub async fn plan_at_last(&self, entry: &Entry, plan: Plan) -> Result<(), StoreError> {
        *entry.plan_mut() = plan;
        self.save(entry).await
    }

    /// Tells how far a job is; this is not written down.
    pub fn progress(&self, entry: &Entry, progress: JobProgress) {
        entry.job.send_modify(|job| job.progress = Some(progress));
        let mut told = entry.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|at| at.elapsed() >= TELL) {
            *told = Some(Instant::now());
            self.events.job(entry.job());
        }
    }

    async fn save(&self, entry: &Entry) -> Result<(), StoreError> {
        let _turn = entry.saving.lock().await;
        let (job, plan) = (entry.job(), entry.plan());
        self.store.put_job(&job, &plan).await
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// The job as it is now.
    pub fn job(&self) -> Job {
        self.job.borrow().clone()
    }

    pub fn plan(&self) -> Plan {
        self.plan_mut().clone()
    }

    fn plan_mut(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The job as it is when it has ended, or when the time is over.
    pub async fn ended(&self, within: Duration) -> Job {
        let mut job = self.job.subscribe();
        // The sender lives as long as this does.
        let ended = job.wait_for(|job| job.state.is_over());
        let _ = tokio::time::timeout(within, ended).await;
        self.job()
    }

    /// Whether it could still be given up; then it is asked for.
    pub fn ask_to_cancel(&self) -> bool {
        let job = self.job.borrow();
        if job.cancellable {
            match job.state {
                JobState::CleanupPending => self.give_up.cancel(),
                _ => self.cancel.cancel(),
            }
        }
        job.cancellable
    }
}

fn acting_in(book: &Book, router: RouterId) -> Option<Job> {
    let mut jobs = book.values().map(|entry| entry.job.borrow());
    let acting = jobs.find(|job| job.router == Some(router) && !job.state.is_over());
    acting.map(|job| job.clone())
}

fn acting_on(job: &Job) -> Error {
    let name = job.router_name.as_deref().unwrap_or_default();
    acting(job, &format!("router {name}"))
}

fn acting(job: &Job, on: &str) -> Error {
    let what = job.kind.as_str();
    let advice = match job.state {
        JobState::CleanupPending => {
            "it waits for a host that cannot be asked now: bring that back, or cancel the job to \
             leave behind what it could not clean up"
        }
        _ => "wait for its end with GetJob, or cancel it",
    };
    Conflict {
        message: format!(
            "the job {} acts on {on} ({what}, {}): {advice}",
            job.id,
            job.state.as_str()
        ),
    }
    .into()
}

/// One more step of a job, with its sentence.
pub(crate) fn step(job: &mut Job, phase: JobPhase, message: impl Into<String>) {
    let message = message.into();
    if job.phase != phase {
        job.progress = None;
    }
    job.phase = phase;
    job.cancellable = matches!(
        phase,
        JobPhase::Waiting
            | JobPhase::Checking
            | JobPhase::Preparing
            | JobPhase::Stopping
            | JobPhase::Transferring
    );
    note(job, message.clone());
    job.message = message;
}

/// Something that happened meanwhile.
pub(crate) fn note(job: &mut Job, message: String) {
    /// More than any job does; a host that comes and goes must not fill the disk.
    const MOST: usize = 200;
    if job.steps.last().is_none_or(|last| last.message != message) && job.steps.len() < MOST {
        let at = Timestamp::now();
        job.steps.push(JobStep { at, message });
    }
}

/// A job is over, or all but for its cleaning up.
pub(crate) fn end(job: &mut Job, state: JobState, message: String, error: Option<JobError>) {
    step(job, JobPhase::Done, message);
    job.state = state;
    job.error = error;
    if state.is_over() {
        job.finished_at = Some(Timestamp::now());
        job.pending.clear();
    }
}
