//! How many threads this library has, and how many of them hang.
//!
//! A thread that hangs inside libvirt cannot be ended from outside; it is written off, counted
//! here, and taken off the books when its call returns after all.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Error;

/// Above this many hanging threads in the process nothing more is opened.
const LIMIT: usize = 64;

static BOOKS: Ledger = Ledger::new(LIMIT);

pub(super) struct Ledger {
    alive: AtomicUsize,
    stuck: AtomicUsize,
    limit: usize,
}

impl Ledger {
    const fn new(limit: usize) -> Self {
        Self {
            alive: AtomicUsize::new(0),
            stuck: AtomicUsize::new(0),
            limit,
        }
    }

    /// Refuses when too many threads hang.
    fn check(&self) -> Result<(), Error> {
        let stuck = self.stuck.load(Ordering::Relaxed);
        if stuck < self.limit {
            Ok(())
        } else {
            Err(Error::TooManyStuck {
                stuck,
                limit: self.limit,
            })
        }
    }
}

/// Threads that hang in a libvirt call past its deadline, in the whole process.
pub fn written_off_threads() -> usize {
    BOOKS.stuck.load(Ordering::Relaxed)
}

/// Worker threads of all connections in the process, hanging ones included.
pub fn worker_threads() -> usize {
    BOOKS.alive.load(Ordering::Relaxed)
}

pub(super) fn check() -> Result<(), Error> {
    BOOKS.check()
}

pub(super) fn written_off() {
    BOOKS.stuck.fetch_add(1, Ordering::Relaxed);
}

pub(super) fn came_back() {
    BOOKS.stuck.fetch_sub(1, Ordering::Relaxed);
}

/// A worker thread on the books, for as long as it lives.
pub(super) struct Alive(());

impl Alive {
    pub(super) fn enter() -> Self {
        BOOKS.alive.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        BOOKS.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_opened_at_the_limit() {
        let books = Ledger::new(2);
        books.stuck.store(1, Ordering::Relaxed);
        assert_eq!(books.check(), Ok(()));
        books.stuck.store(2, Ordering::Relaxed);
        assert_eq!(
            books.check(),
            Err(Error::TooManyStuck { stuck: 2, limit: 2 })
        );
    }
}
