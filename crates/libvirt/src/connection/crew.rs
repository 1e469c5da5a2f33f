//! The workers of a connection and the jobs that wait for them, seen from outside: the means to
//! tell a slow call from a hung one, and to go on without the thread that hangs.
//!
//! A connection:
//!
//! ```text
//!            opened            close, or the last handle is dropped
//!  Opening ─────────▶ Usable ─────────────────────────────────────▶ Lost (ours)
//!     │                 │                                  what waits is still done
//!     │ failed, or      │ every place is taken by a hung call;
//!     │ hangs           │ libvirt says that it ended; a worker panicked
//!     └─────────────────┴──────────────────────────────────────────▶ Lost (why)
//!                                                          what waits is refused
//! ```
//!
//! Lost is final. The last thread that ends closes the connection, whichever that is.
//!
//! A worker, of which a connection has at most as many as it has places, hung ones included:
//!
//! ```text
//!  a job waits and all are busy
//!      │
//!      ▼     opened
//!  Opening ────────┐ (not in process)
//!                  ▼     take           finish
//!                Idle ────────▶ Running ───────▶ Idle      step: Running, with a fresh clock
//!                  │               │
//!      lost, or    │               │ the step outlives its deadline: the worker is written off,
//!      idle for    │               │ counted, and its caller told
//!      some seconds│               ▼
//!      and neither │            Hanging ──(the call returns)──▶ off the books, and Idle if it is
//!      the first   │               │                            the first or the last, else
//!      nor the last▼               ▼
//!               Leaving ──(its connection is let go)──▶ ended
//! ```
//!
//! Every worker has a libvirt connection to itself, which it opens and closes: threads that share
//! one make libvirt's client (before 10.4) use the stack of a thread that is gone as soon as one of
//! their calls is cut off (CVE-2024-4418). The first worker's connection carries the events, so it
//! stays as long as the whole is not lost. In process there is no such client, and each connection
//! is a world of its own: there the workers share the first one's.
//!
//! There is no watchdog thread: whoever waits on the connection looks at the clocks, and so does
//! whoever asks for the number of hanging threads.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use super::ledger::Budget;
use super::wire::Wire;
use super::worker::{self, Common, Open, Task};
use super::{MAX_WORKERS, Options};
use crate::error::Error;
use crate::events::{CloseReason, Subscribers};

/// A worker that is not the only one ends when it had nothing to do for this long.
const IDLE: Duration = if cfg!(test) {
    Duration::from_millis(200)
} else {
    Duration::from_secs(5)
};

/// The numbers under which opening and closing run, and the first of all other jobs.
pub(super) const OPEN_JOB: u64 = 0;
const CLOSE_JOB: u64 = 1;
pub(super) const FIRST_JOB: u64 = 2;

/// Why a connection is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Calls hang on all its places; this is the last of them.
    Stuck { call: &'static str, after: Duration },
    /// libvirt said that the connection ended.
    Closed(CloseReason),
    /// We closed it.
    Ours,
    /// A worker thread ended by a defect of this library.
    Ended,
}

impl Loss {
    fn reason(&self) -> CloseReason {
        match self {
            Self::Stuck { .. } | Self::Ended => CloseReason::WrittenOff,
            Self::Closed(reason) => *reason,
            Self::Ours => CloseReason::Client,
        }
    }

    pub(super) fn error(&self) -> Error {
        let reason = match self {
            Self::Stuck { call, after } => {
                format!("{call} did not return within {} s", after.as_secs_f64())
            }
            Self::Closed(reason) => reason.to_string(),
            Self::Ours => "it was closed".to_owned(),
            Self::Ended => "its thread ended".to_owned(),
        };
        Error::Lost { reason }
    }
}

/// Work that waits for a worker.
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) call: &'static str,
    /// The domain that it is about, if it is about one.
    pub(super) domain: Option<Uuid>,
    /// How long each libvirt call of it may take.
    pub(super) deadline: Duration,
    /// Whether only the first worker can do it.
    pub(super) first: bool,
    pub(super) task: Task,
}

/// The libvirt call that a worker is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    job: u64,
    call: &'static str,
    domain: Option<Uuid>,
    since: Instant,
    deadline: Duration,
}

impl Running {
    fn overdue_at(&self) -> Instant {
        self.since + self.deadline
    }

    fn error(&self) -> Error {
        Error::Deadline {
            call: self.call,
            after: self.deadline,
            domain: self.domain,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Doing {
    Idle,
    Running(Running),
    Hanging(Running),
    /// On its way out, perhaps closing the connection.
    Leaving(Running),
    /// Written off on its way out.
    HangingOut(Running),
}

struct Worker {
    id: u64,
    doing: Doing,
    /// While it opens a connection: how to end that.
    wire: Option<Wire>,
}

/// The number of the first worker.
const FIRST: u64 = 0;

/// After a further connection could not be opened, none is tried for this long.
const RETRY: Duration = Duration::from_secs(1);

impl Worker {
    /// Whether it does, or will do, jobs.
    fn works(&self) -> bool {
        matches!(self.doing, Doing::Idle | Doing::Running(_))
    }

    fn hangs(&self) -> Option<Running> {
        match self.doing {
            Doing::Hanging(running) | Doing::HangingOut(running) => Some(running),
            _ => None,
        }
    }

    /// The call whose clock runs.
    fn timed(&self) -> Option<Running> {
        match self.doing {
            Doing::Running(running) | Doing::Leaving(running) => Some(running),
            _ => None,
        }
    }
}

#[derive(Default)]
struct State {
    /// Jobs that wait, each with a caller that waits for it.
    queue: VecDeque<Job>,
    workers: Vec<Worker>,
    next_worker: u64,
    /// The first worker's connection, while it is neither being opened nor lost.
    open: Option<Arc<Open>>,
    /// Why a further worker could not open one, and when.
    unopened: Option<(Instant, Error)>,
    lost: Option<Loss>,
}

impl State {
    fn worker(&mut self, id: u64) -> Option<&mut Worker> {
        self.workers.iter_mut().find(|worker| worker.id == id)
    }

    fn working(&self) -> usize {
        self.workers.iter().filter(|worker| worker.works()).count()
    }

    /// Workers that will take the next jobs.
    fn free(&self) -> usize {
        let free = |worker: &&Worker| match worker.doing {
            Doing::Idle => true,
            Doing::Running(running) => running.job == OPEN_JOB,
            _ => false,
        };
        self.workers.iter().filter(free).count()
    }

    /// The next job for the worker `me`. The first worker comes first while it is idle, so that
    /// further ones have nothing to do, and end, as soon as one is enough.
    fn next(&mut self, me: u64) -> Option<Job> {
        if me != FIRST {
            let first = self.worker(FIRST);
            let is_idle = first.is_some_and(|first| matches!(first.doing, Doing::Idle));
            if self.queue.len() <= usize::from(is_idle) {
                return None;
            }
        }
        let next = (self.queue.iter()).position(|job| me == FIRST || !job.first)?;
        self.queue.remove(next)
    }

    /// Jobs that any worker can do.
    fn waiting(&self) -> usize {
        self.queue.iter().filter(|job| !job.first).count()
    }
}

/// Where a job stands.
pub(super) enum Position {
    /// Nothing is to be done before then.
    Until(Instant),
    /// It hangs, or its turn did not come in time, or will not come.
    Failed(Error),
    /// It was answered, or dropped.
    Over,
}

/// A connection's workers and queue, shared by them and everybody who waits for them.
pub(crate) struct Crew {
    state: Mutex<State>,
    /// There is a job, or a reason to leave.
    ready: Condvar,
    places: usize,
    name: String,
    budget: Budget,
    /// How long leaving, and waiting for one's turn, may take.
    deadline: Duration,
    /// How long opening may take.
    open_deadline: Duration,
    pub(super) common: Common,
    /// True once the connection is lost and its last thread has ended.
    ended: watch::Sender<bool>,
    /// Who hears of the connection's events, and of its end.
    pub(super) subscribers: Subscribers,
}

impl Crew {
    pub(super) fn new(options: Options, common: Common) -> Self {
        Self {
            state: Mutex::default(),
            ready: Condvar::new(),
            places: options.workers.clamp(1, MAX_WORKERS),
            name: options.name.replace('\0', ""),
            budget: options.budget,
            deadline: options.deadline,
            open_deadline: options.open_deadline,
            common,
            ended: watch::Sender::new(false),
            subscribers: Subscribers::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the first worker, which opens the connection.
    pub(super) fn open(
        self: &Arc<Self>,
        opened: oneshot::Sender<Result<(), Error>>,
    ) -> Result<(), Error> {
        let opening = self.opening();
        self.hire(&mut self.state(), opening, |crew, me| {
            worker::begin(crew, me, opened);
        })
    }

    /// What a worker does that opens a connection.
    fn opening(&self) -> Doing {
        Doing::Running(Running {
            job: OPEN_JOB,
            call: "virConnectOpen",
            domain: None,
            since: Instant::now(),
            deadline: self.open_deadline,
        })
    }

    /// The worker `me` is about to open a connection, or has done so. Refused when it was given up
    /// in the meantime.
    pub(super) fn opens(&self, me: u64, wire: Option<Wire>) -> Result<(), Error> {
        let mut state = self.state();
        let Some(worker) = state.worker(me) else {
            return Ok(());
        };
        worker.wire = wire;
        match worker.doing {
            Doing::Hanging(running) => Err(running.error()),
            _ => Ok(()),
        }
    }

    /// The first worker's connection is open. `false` when it must leave: nobody wants it any
    /// longer.
    pub(super) fn opened(&self, open: &Arc<Open>) -> bool {
        let mut state = self.state();
        if state.lost.is_some() {
            return false;
        }
        state.open = Some(Arc::clone(open));
        if let Some(worker) = state.worker(FIRST) {
            worker.doing = Doing::Idle;
        }
        true
    }

    /// A further worker could not open a connection. Who waits is told if nobody else will come.
    pub(super) fn unopened(&self, me: u64, error: Error) {
        let mut state = self.state();
        let others = |worker: &Worker| worker.id != me && worker.works();
        let refused = if state.workers.iter().any(others) {
            VecDeque::new()
        } else {
            std::mem::take(&mut state.queue)
        };
        tracing::debug!("{} has no further connection: {error}", self.common.target);
        state.unopened = Some((Instant::now(), error));
        drop(state);
        drop(refused);
    }

    /// Why a job was dropped without an answer.
    pub(super) fn refusal(&self) -> Error {
        let mut state = self.state();
        if state.lost.is_none()
            && let Some((_, error)) = &state.unopened
        {
            return error.clone();
        }
        // Its thread is just ending by a panic.
        drop(self.lose_in(&mut state, Loss::Ended));
        state.lost.clone().unwrap_or(Loss::Ended).error()
    }

    /// Puts a job into the queue.
    pub(super) fn submit(self: &Arc<Self>, job: Job) -> Result<(), Error> {
        let mut state = self.state();
        self.write_off(&mut state);
        if let Some(loss) = &state.lost {
            return Err(loss.error());
        }
        state.queue.push_back(job);
        if let Err(error) = self.staff(&mut state) {
            state.queue.pop_back();
            return Err(error);
        }
        // They are few, and which of them it is for is for them to find out.
        self.ready.notify_all();
        Ok(())
    }

    /// Takes a job that still waits out of the queue.
    pub(super) fn withdraw(&self, job: u64) {
        let mut state = self.state();
        let place = state.queue.iter().position(|waiting| waiting.id == job);
        let withdrawn = place.and_then(|place| state.queue.remove(place));
        drop(state);
        drop(withdrawn);
    }

    /// Where a job stands that waits, or runs, since `queued`.
    pub(super) fn position(self: &Arc<Self>, job: u64, queued: Instant) -> Position {
        let mut state = self.state();
        self.write_off(&mut state);
        for worker in &state.workers {
            match worker.doing {
                Doing::Running(running) if running.job == job => {
                    return Position::Until(running.overdue_at());
                }
                Doing::Hanging(running) | Doing::HangingOut(running) if running.job == job => {
                    return Position::Failed(running.error());
                }
                _ => {}
            }
        }
        let Some(call) = (state.queue.iter())
            .find(|waiting| waiting.id == job)
            .map(|waiting| waiting.call)
        else {
            return Position::Over;
        };
        if let Err(error) = self.staff(&mut state) {
            return Position::Failed(error);
        }
        if queued.elapsed() >= self.deadline {
            // Not the domain's fault: it only waited behind others.
            return Position::Failed(Error::Deadline {
                call,
                after: self.deadline,
                domain: None,
            });
        }
        let overdue = (state.workers.iter())
            .filter_map(|worker| Some(worker.timed()?.overdue_at()))
            .min();
        let late = queued + self.deadline;
        Position::Until(overdue.map_or(late, |overdue| overdue.min(late)))
    }

    /// Blocks until there is a job for the worker `me`; `None` when it must leave.
    pub(super) fn take(&self, me: u64) -> Option<Task> {
        let mut state = self.state();
        let since = Instant::now();
        loop {
            if let Some(job) = state.next(me) {
                let running = Running {
                    job: job.id,
                    call: job.call,
                    domain: job.domain,
                    since: Instant::now(),
                    deadline: job.deadline,
                };
                state.worker(me)?.doing = Doing::Running(running);
                return Some(job.task);
            }
            let stays = me == FIRST || state.working() == 1;
            let left = IDLE.checked_sub(since.elapsed());
            if state.lost.is_some() || (!stays && left.is_none()) {
                self.start_leaving(&mut state, me);
                return None;
            }
            state = match left {
                Some(left) if !stays => {
                    let waited = self.ready.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                _ => (self.ready.wait(state)).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// The worker `me` is about to make another libvirt call of its job. Refused when it was given
    /// up in the meantime, so that a thread that comes back ends soon.
    pub(super) fn step(&self, me: u64, call: &'static str) -> Result<(), Error> {
        let mut state = self.state();
        if let Some(loss) = state.lost.as_ref().filter(|loss| **loss != Loss::Ours) {
            return Err(loss.error());
        }
        let Some(worker) = state.worker(me) else {
            return Ok(());
        };
        match &mut worker.doing {
            Doing::Running(running) | Doing::Leaving(running) => {
                running.call = call;
                running.since = Instant::now();
            }
            Doing::Hanging(_) => {
                let reason = "the call was given up".to_owned();
                return Err(Error::Lost { reason });
            }
            Doing::HangingOut(_) | Doing::Idle => {}
        }
        Ok(())
    }

    /// The calls of the worker `me` are about this domain from now on; gives the one before.
    pub(super) fn about(&self, me: u64, domain: Option<Uuid>) -> Option<Uuid> {
        match &mut self.state().worker(me)?.doing {
            Doing::Running(running) => std::mem::replace(&mut running.domain, domain),
            _ => None,
        }
    }

    /// The worker `me` is done with its job. `false` when it must leave: it was written off, and
    /// others do its work.
    pub(super) fn finish(&self, me: u64) -> bool {
        let mut state = self.state();
        let needed = (me == FIRST || state.working() == 0) && state.lost.is_none();
        let Some(worker) = state.worker(me) else {
            return false;
        };
        match worker.doing {
            Doing::Hanging(_) if !needed => false,
            Doing::Hanging(_) => {
                worker.doing = Doing::Idle;
                self.budget.came_back();
                // Another may have stayed only because it was the last.
                self.ready.notify_all();
                true
            }
            _ => {
                worker.doing = Doing::Idle;
                true
            }
        }
    }

    /// The worker `me` does no further job; what it does now is to let go of the connection.
    pub(super) fn leaving(&self, me: u64) {
        self.start_leaving(&mut self.state(), me);
    }

    fn start_leaving(&self, state: &mut State, me: u64) {
        let deadline = self.deadline;
        if let Some(worker) = state.worker(me) {
            let closing = Running {
                job: CLOSE_JOB,
                call: "virConnectClose",
                domain: None,
                since: Instant::now(),
                deadline,
            };
            worker.doing = match worker.doing {
                // It stays on the books until it is really gone.
                Doing::Hanging(running) | Doing::HangingOut(running) => Doing::HangingOut(running),
                _ => Doing::Leaving(closing),
            };
        }
    }

    /// What a lost connection is no longer kept open by: dropped by a worker, never by whoever
    /// lost it, who may be libvirt's event loop.
    pub(super) fn let_go(&self) -> Option<Arc<Open>> {
        let mut state = self.state();
        match state.lost {
            Some(_) => state.open.take(),
            None => None,
        }
    }

    /// The worker `me` is gone, but for the last steps of its thread.
    pub(super) fn left(self: &Arc<Self>, me: u64) {
        let mut state = self.state();
        if state
            .worker(me)
            .is_some_and(|worker| worker.hangs().is_some())
        {
            self.budget.came_back();
        }
        state.workers.retain(|worker| worker.id != me);
        if state.lost.is_some() {
            if state.workers.is_empty() {
                self.ended.send_replace(true);
            }
        } else if let Err(error) = self.staff(&mut state) {
            // Whoever waits will see for itself.
            tracing::debug!("no worker for what waits: {error}");
        }
    }

    /// Why the connection is lost, if it is.
    pub(super) fn loss(&self) -> Option<Loss> {
        let mut state = self.state();
        self.write_off(&mut state);
        state.lost.clone()
    }

    /// Marks the connection lost, and ends its event receivers with the reason.
    pub(super) fn lose(&self, loss: Loss) {
        let refused = self.lose_in(&mut self.state(), loss);
        drop(refused);
    }

    /// Gives the jobs that are refused, to be dropped without the lock.
    fn lose_in(&self, state: &mut State, loss: Loss) -> VecDeque<Job> {
        if state.lost.is_some() {
            return VecDeque::new();
        }
        self.subscribers.close(loss.reason());
        let refused = match loss {
            Loss::Ours => VecDeque::new(),
            _ => std::mem::take(&mut state.queue),
        };
        state.lost = Some(loss);
        self.ready.notify_all();
        refused
    }

    /// Nobody waits any longer for the connection to open: if that hangs, nobody would notice, so
    /// it counts as hanging until it returns.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        drop(self.lose_in(&mut state, Loss::Ours));
        for worker in &mut state.workers {
            if let Doing::Running(running) = worker.doing {
                worker.doing = Doing::Hanging(running);
                self.budget.written_off();
                if let Some(wire) = &worker.wire {
                    wire.cut();
                }
            }
        }
    }

    /// How many of its calls hang.
    pub(super) fn hanging(&self) -> usize {
        let mut state = self.state();
        self.write_off(&mut state);
        (state.workers.iter())
            .filter(|worker| worker.hangs().is_some())
            .count()
    }

    /// Looks for calls past their deadlines.
    pub(super) fn sweep(&self) {
        self.write_off(&mut self.state());
    }

    /// Writes off the workers whose calls are overdue.
    fn write_off(&self, state: &mut State) {
        let now = Instant::now();
        let mut last = None;
        for worker in &mut state.workers {
            let Some(running) = worker.timed() else {
                continue;
            };
            if now < running.overdue_at() {
                continue;
            }
            worker.doing = match worker.doing {
                Doing::Leaving(_) => Doing::HangingOut(running),
                _ => Doing::Hanging(running),
            };
            self.budget.written_off();
            if let Some(wire) = &worker.wire {
                wire.cut();
            }
            tracing::warn!(
                domain = ?running.domain,
                "a thread hangs in {} and is written off",
                running.call
            );
            last = Some(running);
        }
        let Some(last) = last else {
            return;
        };
        let hanging = (state.workers.iter()).filter(|worker| worker.hangs().is_some());
        if state.open.is_none() || hanging.count() >= self.places {
            let loss = Loss::Stuck {
                call: last.call,
                after: last.deadline,
            };
            drop(self.lose_in(state, loss));
        }
    }

    /// Waits until the connection was let go of.
    ///
    /// # Errors
    /// [`Error::Deadline`] when that, or a call under way, hangs.
    pub(super) async fn ended(&self) -> Result<(), Error> {
        let mut ended = self.ended.subscribe();
        loop {
            if *ended.borrow_and_update() {
                return Ok(());
            }
            let next = {
                let mut state = self.state();
                self.write_off(&mut state);
                let mut hung = state.workers.iter().map(Worker::hangs);
                if let Some(Some(first)) = hung.next()
                    && hung.all(|hung| hung.is_some())
                {
                    return Err(first.error());
                }
                // One that is idle is just about to leave.
                let overdue = state.workers.iter().filter_map(Worker::timed);
                let overdue = overdue.map(|running| running.overdue_at()).min();
                overdue.unwrap_or_else(|| Instant::now() + self.deadline)
            };
            // Either way the loop looks for itself.
            let _ = tokio::time::timeout_at(next.into(), ended.changed()).await;
        }
    }

    /// Starts another worker if a job waits, all are busy and there is a place.
    ///
    /// # Errors
    /// When nobody is there to do the job, and nobody can be.
    fn staff(self: &Arc<Self>, state: &mut State) -> Result<(), Error> {
        if state.waiting() <= state.free() || state.workers.len() >= self.places {
            return Ok(());
        }
        let Some(open) = state.open.clone() else {
            return Ok(());
        };
        let hired = match &state.unopened {
            Some((at, error)) if at.elapsed() < RETRY => Err(error.clone()),
            _ if self.common.uri.is_in_process() => {
                let body = |crew, me| worker::join(crew, me, open);
                self.hire(state, Doing::Idle, body)
            }
            _ => {
                let opening = self.opening();
                self.hire(state, opening, worker::assist)
            }
        };
        match hired {
            Err(error) if state.working() == 0 => Err(error),
            Err(error) => {
                tracing::debug!("no further worker: {error}");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Starts a thread, unless too many hang.
    fn hire(
        self: &Arc<Self>,
        state: &mut State,
        doing: Doing,
        body: impl FnOnce(Arc<Self>, u64) + Send + 'static,
    ) -> Result<(), Error> {
        self.budget.admit()?;
        let id = state.next_worker;
        let (crew, alive) = (Arc::clone(self), super::ledger::Alive::enter());
        std::thread::Builder::new()
            .name(self.name.clone())
            .spawn(move || {
                let _alive = alive;
                body(crew, id);
            })
            .map_err(|error| Error::System {
                what: "starting a thread",
                reason: error.to_string(),
            })?;
        state.next_worker += 1;
        state.workers.push(Worker {
            id,
            doing,
            wire: None,
        });
        Ok(())
    }
}

#[cfg(test)]
impl Crew {
    /// Threads, whatever they do.
    pub(super) fn size(&self) -> usize {
        self.state().workers.len()
    }

    /// Threads that are in a job.
    pub(super) fn busy(&self) -> usize {
        let state = self.state();
        (state.workers.iter())
            .filter(|worker| worker.timed().is_some())
            .count()
    }
}
