//! What a worker thread is doing, seen from outside: the means to tell a slow call from a hung one.
//!
//! ```text
//!            begin            finish
//!   Idle ───────────▶ Running ───────▶ Idle            step: Running, with a fresh clock
//!    │                  │
//!    │ lose             │ the step outlives its deadline, or lose
//!    ▼                  ▼
//!   Lost              Lost, thread written off ──(the call returns)──▶ thread ends, off the books
//! ```
//!
//! Lost is final. Whoever waits on the connection looks at the clock (no watchdog thread), so the
//! first to notice writes the thread off, and everybody else sees it lost.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ledger;
use crate::error::Error;
use crate::events::{CloseReason, Subscribers};

/// Why a connection is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// A call hung.
    Stuck { call: &'static str, after: Duration },
    /// libvirt said that the connection ended.
    Closed(CloseReason),
    /// We closed it.
    Ours,
    /// The worker thread ended by a defect of this library.
    Ended,
}

/// The libvirt call that a worker is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    /// The job that the call belongs to.
    pub(super) job: u64,
    pub(super) call: &'static str,
    pub(super) since: Instant,
    pub(super) deadline: Duration,
}

#[derive(Default)]
struct State {
    running: Option<Running>,
    lost: Option<Loss>,
    written_off: bool,
}

/// Shared between a worker thread and everybody who waits for it.
#[derive(Default)]
pub(crate) struct Progress {
    state: Mutex<State>,
    /// Who hears of the connection's events, and of its end.
    pub(super) subscribers: Subscribers,
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The worker takes up a job.
    pub(super) fn begin(&self, job: u64, call: &'static str, deadline: Duration) {
        self.state().running = Some(Running {
            job,
            call,
            since: Instant::now(),
            deadline,
        });
    }

    /// The worker is about to make another libvirt call of the same job. Refused when the
    /// connection was lost in the meantime, so that a written-off thread ends soon.
    pub(super) fn step(&self, call: &'static str) -> Result<(), Error> {
        let mut state = self.state();
        if let Some(loss) = &state.lost
            && *loss != Loss::Ours
        {
            return Err(loss.error());
        }
        if let Some(running) = &mut state.running {
            running.call = call;
            running.since = Instant::now();
        }
        Ok(())
    }

    /// The worker is done with a job. `false` when it must end: its thread was written off, and is
    /// now off the books again.
    pub(super) fn finish(&self) -> bool {
        let mut state = self.state();
        state.running = None;
        if state.written_off {
            state.written_off = false;
            ledger::came_back();
            return false;
        }
        true
    }

    /// What the worker is doing now.
    pub(super) fn running(&self) -> Option<Running> {
        self.state().running
    }

    /// The call that the worker hangs in, if it does; the first to notice writes the thread off.
    pub(super) fn stuck(&self) -> Option<Running> {
        let mut state = self.state();
        let running = state.running?;
        if !state.written_off {
            if running.since.elapsed() < running.deadline {
                return None;
            }
            state.written_off = true;
            ledger::written_off();
            tracing::warn!("a thread hangs in {} and is written off", running.call);
            let loss = Loss::Stuck {
                call: running.call,
                after: running.deadline,
            };
            self.lose_in(&mut state, loss);
        }
        Some(running)
    }

    /// Why the connection is lost, if it is.
    pub(super) fn loss(&self) -> Option<Loss> {
        self.stuck();
        self.state().lost.clone()
    }

    /// Marks the connection lost, and ends its event receivers with the reason.
    pub(super) fn lose(&self, loss: Loss) {
        self.lose_in(&mut self.state(), loss);
    }

    fn lose_in(&self, state: &mut State, loss: Loss) {
        if state.lost.is_none() {
            self.subscribers.close(loss.reason());
            state.lost = Some(loss);
        }
    }

    /// Nobody waits any longer for what the worker is in: if it hangs there, nobody would notice,
    /// so it counts as written off until it returns.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        self.lose_in(&mut state, Loss::Ours);
        if state.running.is_some() && !state.written_off {
            state.written_off = true;
            ledger::written_off();
        }
    }
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
