//! How many threads this library has, how many of them hang, and how many may.
//!
//! A thread that hangs inside libvirt cannot be ended from outside; it is written off, counted
//! here, and taken off the books when its call returns after all. Two bounds hold: one a host (its
//! [`Budget`], shared by its connections), and one for the process.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::crew::Crew;
use crate::error::{Error, StuckBound};

/// Above this many hanging threads in the process nothing more is opened.
const PROCESS_LIMIT: usize = 256;

/// Hanging threads that a host may have unless its owner says otherwise.
const HOST_LIMIT: usize = 4;

static PROCESS: Account = Account::new(PROCESS_LIMIT, StuckBound::Process);
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
    /// At most `limit` hanging threads; with 0 nothing can be opened at all.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Account::new(limit, StuckBound::Host)))
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

    pub(super) fn written_off(&self) {
        self.0.stuck.fetch_add(1, Ordering::Relaxed);
        PROCESS.stuck.fetch_add(1, Ordering::Relaxed);
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
}

impl Account {
    const fn new(limit: usize, bound: StuckBound) -> Self {
        Self {
            stuck: AtomicUsize::new(0),
            limit,
            bound,
        }
    }

    fn check(&self) -> Result<(), Error> {
        let stuck = self.stuck.load(Ordering::Relaxed);
        if stuck < self.limit {
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
        let process = Account::new(0, StuckBound::Process);
        let error = process.check().unwrap_err().to_string();
        assert!(error.contains("of this process"), "{error}");
    }
}
