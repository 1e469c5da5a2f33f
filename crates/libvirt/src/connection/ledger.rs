//! How many threads this library has, how many of them hang, and how many may.
//!
//! A thread that hangs inside libvirt cannot be ended from outside; it is written off, counted
//! here, and taken off the books when its call returns after all. Two bounds hold: one a host (its
//! [`Budget`], shared by its connections), and one for the process.
//!
//! Some calls never return: libvirt has no keepalive before a connection is open, so a host that
//! accepts, says nothing and is then reset leaves its threads behind for good. So that such a host
//! can be reached again, one more thread is risked on it every few minutes, within the bound of the
//! process.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::crew::Crew;
use crate::error::{Error, StuckBound};

/// Above this many hanging threads in the process nothing more is opened.
const PROCESS_LIMIT: usize = 256;

/// A host at its bound is tried once more after this long.
const PROBE: Duration = Duration::from_mins(5);

/// Hanging threads that a host may have unless its owner says otherwise.
const HOST_LIMIT: usize = 4;

static PROCESS: Account = Account::new(PROCESS_LIMIT, StuckBound::Process, None);
static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// Every connection that still has threads: a call that nobody waits for any longer is found
/// through it.
static CREWS: Mutex<Vec<Weak<Crew>>> = Mutex::new(Vec::new());

/// A bound on the threads that hang in calls to one host. Clones share it: give the same to all
/// connections of the host.
///
/// ```
/// use libvirt::{Budget, Options};
/// let budget = Budget::new(6);
/// let polling = Options { budget: budget.clone(), ..Options::default() };
/// let control = Options { budget: budget.clone(), ..Options::default() };
/// assert_eq!(budget.hanging(), 0);
/// ```
#[derive(Clone)]
pub struct Budget(Arc<Account>);

impl Budget {
    /// At most `limit` hanging threads, and one more every five minutes while that is not enough
    /// to find out that the host is well again.
    pub fn new(limit: usize) -> Self {
        let account = Account::new(limit, StuckBound::Host, Some(PROBE));
        Self(Arc::new(account))
    }

    /// How many threads hang now, past the deadlines of their calls.
    pub fn hanging(&self) -> usize {
        sweep();
        self.0.stuck.load(Ordering::Relaxed)
    }

    /// How many may.
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Refuses when too many threads hang, here or in the process.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.0.check()?;
        PROCESS.check()
    }

    /// As `check`, for a thread that is then started: at the limit the next has to wait again.
    pub(super) fn admit(&self) -> Result<(), Error> {
        self.check()?;
        if self.0.stuck.load(Ordering::Relaxed) >= self.0.limit {
            *self.0.last() = Some(Instant::now());
        }
        Ok(())
    }

    pub(super) fn written_off(&self) {
        self.0.written_off();
        PROCESS.written_off();
    }

    pub(super) fn came_back(&self) {
        self.0.stuck.fetch_sub(1, Ordering::Relaxed);
        PROCESS.stuck.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Budget {
    /// A budget of its own, with room for 4.
    fn default() -> Self {
        Self::new(HOST_LIMIT)
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stuck = self.0.stuck.load(Ordering::Relaxed);
        write!(f, "Budget({stuck} of {})", self.0.limit)
    }
}

/// Hanging threads, and how many there may be.
struct Account {
    stuck: AtomicUsize,
    limit: usize,
    bound: StuckBound,
    /// After how long one more is risked at the limit, if ever.
    probe: Option<Duration>,
    /// When the last was written off.
    last: Mutex<Option<Instant>>,
}

impl Account {
    const fn new(limit: usize, bound: StuckBound, probe: Option<Duration>) -> Self {
        Self {
            stuck: AtomicUsize::new(0),
            limit,
            bound,
            probe,
            last: Mutex::new(None),
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<Instant>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn written_off(&self) {
        self.stuck.fetch_add(1, Ordering::Relaxed);
        *self.last() = Some(Instant::now());
    }

    fn check(&self) -> Result<(), Error> {
        let stuck = self.stuck.load(Ordering::Relaxed);
        let probe = self.probe.zip(*self.last());
        if stuck < self.limit || probe.is_some_and(|(probe, last)| last.elapsed() >= probe) {
            Ok(())
        } else {
            Err(Error::TooManyStuck {
                stuck,
                limit: self.limit,
                bound: self.bound,
            })
        }
    }
}

/// Threads that hang in a libvirt call past its deadline, in the whole process.
pub fn written_off_threads() -> usize {
    sweep();
    PROCESS.stuck.load(Ordering::Relaxed)
}

/// Worker threads of all connections in the process, hanging ones included.
pub fn worker_threads() -> usize {
    ALIVE.load(Ordering::Relaxed)
}

fn crews() -> MutexGuard<'static, Vec<Weak<Crew>>> {
    CREWS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Enters a connection into the books.
pub(super) fn enter(crew: &Arc<Crew>) {
    let mut crews = crews();
    crews.retain(|crew| crew.strong_count() > 0);
    crews.push(Arc::downgrade(crew));
}

/// Looks for calls past their deadlines, in all connections. No connection's lock may be held.
pub(super) fn sweep() {
    // The lock is given back first: a crew that ends with our reference takes time.
    let crews: Vec<_> = crews().iter().filter_map(Weak::upgrade).collect();
    for crew in crews {
        crew.sweep();
    }
}

/// A worker thread on the books, for as long as it lives.
pub(super) struct Alive(());

impl Alive {
    pub(super) fn enter() -> Self {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_opened_at_the_limit_and_the_error_says_which() {
        let budget = Budget::new(2);
        assert_eq!(budget.check(), Ok(()));
        budget.clone().written_off();
        assert_eq!(budget.check(), Ok(()));
        budget.written_off();
        let error = budget.check().unwrap_err();
        assert_eq!(
            error,
            Error::TooManyStuck {
                stuck: 2,
                limit: 2,
                bound: StuckBound::Host
            }
        );
        assert!(error.to_string().contains("of this host"), "{error}");
        budget.came_back();
        budget.came_back();
        assert_eq!((budget.check(), budget.hanging()), (Ok(()), 0));
        let process = Account::new(0, StuckBound::Process, None);
        let error = process.check().unwrap_err().to_string();
        assert!(error.contains("of this process"), "{error}");
    }

    #[test]
    fn a_host_at_its_bound_is_tried_again_now_and_then() {
        let account = |probe| {
            let account = Account::new(1, StuckBound::Host, Some(probe));
            account.written_off();
            account
        };
        let patient = account(Duration::from_hours(1));
        assert!(patient.check().is_err());
        let eager = account(Duration::ZERO);
        assert_eq!(eager.check(), Ok(()));
        // At a limit of nothing there is nothing to probe.
        assert!(
            Account::new(0, StuckBound::Host, Some(Duration::ZERO))
                .check()
                .is_err()
        );
    }
}
