//! The book of jobs: what is told of each, its plan, and who waits for it.

use super::{plan::Plan, turns::Turns};
use crate::{
    discovery::Events,
    service::{errors, translate},
    store::{Store, StoreError},
};
use api::{
    Conflict, Error, HostId, Job, JobError, JobId, JobKind, JobPhase, JobProgress, JobState,
    JobStep, ListJobsRequest, RouterId, Timestamp,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{Notify, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// Jobs that are over and still listed.
const KEPT: u32 = 1000;

/// How often progress is told.
const TELL: Duration = Duration::from_secs(1);

/// All jobs. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Jobs {
    book: Arc<Mutex<Book>>,
    changes: Arc<Changes>,
    store: Store,
    events: Arc<Events>,
    pub turns: Arc<Turns>,
    /// The work of all jobs.
    pub tasks: TaskTracker,
    /// The server ends: jobs stay as they are, to be gone on with.
    pub stop: CancellationToken,
    #[cfg(test)]
    pub death: Arc<Death>,
}

/// Lets a job die as it would with its server: right before, or right after, it writes itself down.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct Death(std::sync::atomic::AtomicUsize);

#[cfg(test)]
impl Death {
    /// It comes at the so manyth chance from now, and once.
    pub fn comes_after(&self, chances: usize) {
        self.0.store(chances, std::sync::atomic::Ordering::SeqCst);
    }

    /// Whether it is still to come.
    pub fn is_to_come(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::SeqCst) > 0
    }

    fn pass(&self) {
        use std::sync::atomic::Ordering::SeqCst;
        let left = self
            .0
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        assert!(left != Ok(1), "the server dies here");
    }
}

/// Routers that are changed at once, without a job.
#[derive(Debug, Default)]
struct Changes {
    routers: Mutex<BTreeSet<model::RouterId>>,
    ended: Notify,
}

/// A router's change: no job begins to act on it, and nobody else changes it, until this is dropped.
#[derive(Debug)]
pub(crate) struct Change {
    changes: Arc<Changes>,
    router: model::RouterId,
}

impl Changes {
    fn routers(&self) -> MutexGuard<'_, BTreeSet<model::RouterId>> {
        self.routers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        self.changes.routers().remove(&self.router);
        self.changes.ended.notify_waiters();
    }
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
            changes: Arc::default(),
            events,
            turns: Turns::new(at_once),
            tasks: TaskTracker::new(),
            stop,
            store: store.clone(),
            #[cfg(test)]
            death: Arc::default(),
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
            for router in plan.routers() {
                if let Some(other) = acting_in(&book, *router) {
                    return Err(acting_on(&other));
                }
                if self.changes.routers().contains(router) {
                    return Err(errors::conflict(format!(
                        "router {router} is being changed: ask again once that is done"
                    )));
                }
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

    /// Refuses what cannot be done to a router while a job acts on it.
    pub fn refuse_if_acting(&self, router: RouterId) -> Result<(), Error> {
        match acting_in(&self.book(), model::RouterId(router.0)) {
            Some(job) => Err(acting_on(&job)),
            None => Ok(()),
        }
    }

    /// Begins to change a router at once, when nobody else does any more, unless a job acts on it.
    pub async fn change_at_once(&self, router: RouterId) -> Result<Change, Error> {
        let router = model::RouterId(router.0);
        loop {
            let ended = self.changes.ended.notified();
            {
                // Under the same lock as a job begins.
                let book = self.book();
                if let Some(job) = acting_in(&book, router) {
                    return Err(acting_on(&job));
                }
                if self.changes.routers().insert(router) {
                    let changes = Arc::clone(&self.changes);
                    return Ok(Change { changes, router });
                }
            }
            ended.await;
        }
    }

    /// Refuses to let a host go while a job acts on it.
    pub fn refuse_if_at(&self, host: &HostId) -> Result<(), Error> {
        let book = self.book();
        let mut entries = book.values();
        let host_id = translate::host_id(host);
        let is_at = |entry: &Entry| entry.plan_mut().hosts().contains(&host_id);
        match entries.find(|entry| !entry.job.borrow().state.is_over() && is_at(entry)) {
            Some(entry) => Err(acting(&entry.job(), &format!("host {host}"))),
            None => Ok(()),
        }
    }

    /// The job that a caller asked for with a request id.
    pub fn asked_for(&self, caller: &str, request_id: &str) -> Option<JobId> {
        let book = self.book();
        let mut entries = book.iter().rev();
        let (key, _) = entries.find(|(_, entry)| {
            entry.job.borrow().requested_by == caller
                && entry.plan_mut().request_id() == Some(request_id)
        })?;
        Some(key.1)
    }

    /// The jobs as another server would find them, after this one died.
    #[cfg(test)]
    pub async fn find_again(&self) -> Vec<Arc<Entry>> {
        let kept: Vec<(Job, Plan)> = self.store.jobs(KEPT).await.unwrap();
        let mut book = self.book();
        book.clear();
        let put = kept
            .into_iter()
            .map(|(job, plan)| Self::put(&mut book, job, plan));
        put.filter(|entry| !entry.job().state.is_over()).collect()
    }

    pub fn get(&self, id: JobId) -> Option<Arc<Entry>> {
        let book = self.book();
        let mut entries = book.iter();
        let (_, entry) = entries.find(|((_, known), _)| *known == id)?;
        Some(Arc::clone(entry))
    }

    /// Looks at the plans of all jobs that are not over.
    pub fn unfinished(&self, mut look: impl FnMut(&Plan)) {
        let book = self.book();
        let entries = book.values();
        for entry in entries.filter(|entry| !entry.job.borrow().state.is_over()) {
            look(&entry.plan_mut());
        }
    }

    /// Those that match, the newest first.
    pub fn list(&self, request: &ListJobsRequest, limit: usize) -> Vec<Job> {
        let book = self.book();
        let matching = book.values().rev().filter(|entry| {
            let (job, plan) = (entry.job.borrow(), entry.plan_mut());
            // A link has two routers, and its hosts are not all told of in the job.
            let router = |id: RouterId| {
                job.router == Some(id) || plan.routers().contains(&model::RouterId(id.0))
            };
            let host = |id: &HostId| {
                let told = [job.source.as_ref(), job.destination.as_ref()];
                told.contains(&Some(id)) || plan.hosts().contains(&translate::host_id(id))
            };
            request.router.is_none_or(router)
                && request.host.as_ref().is_none_or(host)
                && !(request.unfinished == Some(true) && job.state.is_over())
        });
        matching.take(limit).map(|entry| entry.job()).collect()
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
            let saved = self.write(&job, &entry.plan()).await;
            self.tell(entry, job);
            saved
        } else {
            self.tell(entry, job.clone());
            self.write(&job, &entry.plan()).await
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
        self.write(&entry.job(), &plan).await?;
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
        self.write(&job, &plan).await
    }

    async fn write(&self, job: &Job, plan: &Plan) -> Result<(), StoreError> {
        #[cfg(test)]
        self.death.pass();
        let written = self.store.put_job(job, plan).await;
        #[cfg(test)]
        self.death.pass();
        written
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

/// The job that acts on a router now.
fn acting_in(book: &Book, router: model::RouterId) -> Option<Job> {
    let mut entries = book.values();
    let acting = entries.find(|entry| {
        !entry.job.borrow().state.is_over() && entry.plan_mut().routers().contains(&router)
    });
    acting.map(|entry| entry.job())
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

/// A job that has just been asked for, and waits.
pub(crate) fn queued(kind: JobKind, message: String, caller: &str) -> Job {
    let now = Timestamp::now();
    Job {
        id: JobId(Uuid::new_v4()),
        kind,
        state: JobState::Queued,
        phase: JobPhase::Waiting,
        message,
        progress: None,
        router: None,
        router_name: None,
        source: None,
        destination: None,
        requested_by: caller.to_owned(),
        created_at: now,
        started_at: None,
        changed_at: now,
        finished_at: None,
        cancellable: true,
        cancel_requested: false,
        migration: None,
        error: None,
        pending: Vec::new(),
        steps: Vec::new(),
        image: None,
        link: None,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        jobs::plan::{Migration, Stage},
        store::tests::{committed, fill_the_disk, store},
    };
    use api::{JobKind, MigrateRouterRequest, MigrationMode};
    use uuid::Uuid;

    fn job_and_plan() -> (Job, Plan) {
        let router = RouterId(Uuid::from_u128(1));
        let now = Timestamp::now();
        let [from, to]: [HostId; 2] = ["alpha", "beta"].map(|id| id.parse().unwrap());
        let job = Job {
            id: JobId(Uuid::from_u128(2)),
            state: JobState::Running,
            phase: JobPhase::Checking,
            router: Some(router),
            router_name: Some("r1".to_owned()),
            source: Some(from.clone()),
            destination: Some(to.clone()),
            created_at: now,
            started_at: Some(now),
            changed_at: now,
            ..queued(JobKind::ColdMigration, String::new(), "pat")
        };
        let plan = Migration {
            request: MigrateRouterRequest {
                router,
                destination: to.clone(),
                mode: None,
                bandwidth_mebibytes_per_second: None,
                maximum_downtime_milliseconds: None,
                shutdown_seconds: None,
                request_id: None,
            },
            router: model::RouterId(router.0),
            name: "r1".to_owned(),
            driver: model::Driver::Test,
            from: model::HostId::new(from.as_str()),
            to: model::HostId::new(to.as_str()),
            mode: MigrationMode::Cold,
            was_active: true,
            was_running: true,
            stopping_since: None,
            autostart: true,
            stage: Stage::Begun,
            undo: Vec::new(),
            follow_up: Vec::new(),
            outcome: None,
        };
        (job, Plan::Migration(plan))
    }

    fn with_name(plan: &Plan, name: &str) -> Plan {
        let Plan::Migration(mut plan) = plan.clone() else {
            panic!("{plan:?}")
        };
        name.clone_into(&mut plan.name);
        Plan::Migration(plan)
    }

    async fn jobs(store: &Store) -> (Jobs, Vec<Arc<Entry>>) {
        let events = Arc::new(Events::new(1));
        let opened = Jobs::open(store.clone(), events, 1, CancellationToken::new());
        opened.await.unwrap()
    }

    #[tokio::test]
    async fn a_plan_that_cannot_be_written_down_does_not_count() {
        let (directory, store) = store().await;
        let (jobs, _) = jobs(&store).await;
        let (job, plan) = job_and_plan();
        let entry = jobs.begin(job, plan.clone()).await.unwrap();
        fill_the_disk(&store).await;
        let large = with_name(&plan, &"r".repeat(1 << 20));
        jobs.plan(&entry, large).await.unwrap_err();
        assert_eq!(entry.plan(), plan);
        // Whoever writes the job down next does not commit it after all.
        let asked = jobs.change(&entry, |job| job.cancel_requested = true);
        asked.await.unwrap();
        let kept = committed(&directory, "SELECT plan FROM job").await;
        assert_eq!(serde_json::from_str::<Plan>(&kept[0]).unwrap(), plan);
        store.close().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_two_that_write_a_job_down_none_brings_back_what_was() {
        let (directory, store) = store().await;
        let (jobs, _) = jobs(&store).await;
        let (job, plan) = job_and_plan();
        let entry = jobs.begin(job, plan.clone()).await.unwrap();
        for round in 0..50 {
            let next = with_name(&plan, &round.to_string());
            let writing = {
                let (jobs, entry) = (jobs.clone(), Arc::clone(&entry));
                tokio::spawn(async move { jobs.plan(&entry, next).await })
            };
            let cancelling = {
                let (jobs, entry) = (jobs.clone(), Arc::clone(&entry));
                let change = move |job: &mut Job| job.message = round.to_string();
                tokio::spawn(async move { jobs.change(&entry, change).await })
            };
            writing.await.unwrap().unwrap();
            cancelling.await.unwrap().unwrap();
        }
        let kept = committed(&directory, "SELECT plan FROM job").await;
        assert_eq!(
            serde_json::from_str::<Plan>(&kept[0]).unwrap(),
            with_name(&plan, "49")
        );
        let kept = committed(&directory, "SELECT job FROM job").await;
        let kept: Job = serde_json::from_str(&kept[0]).unwrap();
        assert_eq!(kept, entry.job());
        store.close().await;
    }

    #[tokio::test]
    async fn who_hears_that_a_job_is_over_finds_it_written_down_so() {
        let (directory, store) = store().await;
        let (jobs, _) = jobs(&store).await;
        let (job, plan) = job_and_plan();
        let entry = jobs.begin(job, plan).await.unwrap();
        let waiting = {
            let entry = Arc::clone(&entry);
            tokio::spawn(async move {
                entry.ended(Duration::from_mins(1)).await;
                committed(&directory, "SELECT CAST(over AS TEXT) FROM job").await
            })
        };
        tokio::task::yield_now().await;
        let ended = jobs.change(&entry, |job| {
            end(job, JobState::Failed, "It failed.".to_owned(), None);
        });
        ended.await.unwrap();
        assert_eq!(waiting.await.unwrap(), ["1"]);
        let (_, unfinished) = self::jobs(&store).await;
        assert!(unfinished.is_empty());
        store.close().await;
    }
}
