//! Which event is the next, and which shows that some were missed. Pure.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One run of a server, from its start to its end. Versions of different runs say nothing about
/// each other: a server without a data directory counts from the beginning again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run(pub u64);

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A state of the fleet, as one page knows it.
///
/// Versions are compared only within an epoch, which ends whenever versions were missed: what is
/// of an epoch before must be read anew, whatever its version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// How often this page has missed something.
    pub epoch: u32,
    /// The topology's version.
    pub version: u64,
}

impl Moment {
    /// Whether what was read at this moment must be read again to be of the moment `now`.
    pub fn is_before(self, now: Self) -> bool {
        self.epoch != now.epoch || self.version < now.version
    }
}

/// The moment that a page is at, moved on by events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    run: Run,
    moment: Moment,
}

/// What an event means for a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The topology moved on by one version.
    Next,
    /// Versions were missed: what is shown must be read anew.
    Missed,
    /// Nothing that the page does not have.
    Nothing,
}

impl Sequence {
    /// Starts at what the page was rendered from.
    pub fn new(run: Run, version: u64) -> Self {
        Self {
            run,
            moment: Moment { epoch: 0, version },
        }
    }

    /// The server's run that the page is of.
    pub fn run(self) -> Run {
        self.run
    }

    /// The moment that the page shows, or is about to read.
    pub fn moment(self) -> Moment {
        self.moment
    }

    /// Takes in that the topology is at `version`.
    pub fn take(&mut self, version: u64) -> News {
        if version <= self.moment.version {
            return News::Nothing;
        }
        if version > self.moment.version + 1 {
            return self.missed(version);
        }
        self.moment.version = version;
        News::Next
    }

    /// Takes in that the topology is to be read anew. Its version may be a smaller one: the server
    /// was set back, and what is shown is of another past.
    pub fn resync(&mut self, version: u64) -> News {
        self.missed(version)
    }

    /// The stream stands, and comes from `run`.
    ///
    /// The version stays: the stream was opened from it, and goes on with what came after it or,
    /// where this run never had it, with a resync.
    pub fn connected(&mut self, run: Run) -> News {
        if run == self.run {
            return News::Nothing;
        }
        self.run = run;
        self.missed(self.moment.version)
    }

    /// The tab that holds the stream is at `version` of `run`.
    pub fn told(&mut self, run: Run, version: u64) -> News {
        if run == self.run && version <= self.moment.version {
            return News::Nothing;
        }
        self.run = run;
        self.missed(version)
    }

    fn missed(&mut self, version: u64) -> News {
        self.moment = Moment {
            epoch: self.moment.epoch.wrapping_add(1),
            version,
        };
        News::Missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Run = Run(7);
    const OTHER: Run = Run(8);

    #[test]
    fn versions_follow_each_other_or_were_missed() {
        let mut sequence = Sequence::new(RUN, 5);
        assert_eq!(sequence.take(5), News::Nothing);
        assert_eq!(sequence.take(6), News::Next);
        assert_eq!(sequence.take(6), News::Nothing);
        assert_eq!(sequence.take(9), News::Missed);
        assert_eq!(sequence.moment().version, 9);
        assert_eq!(sequence.resync(12), News::Missed);
        assert_eq!(sequence.take(13), News::Next);
    }

    #[test]
    fn what_is_newer_is_read_and_what_is_not_is_kept() {
        let mut sequence = Sequence::new(RUN, 5);
        let read = sequence.moment();
        sequence.take(5);
        assert!(!read.is_before(sequence.moment()));
        sequence.take(6);
        assert!(read.is_before(sequence.moment()));
        // Read a little late, of a later version than was heard of.
        let read = Moment { version: 7, ..read };
        assert!(!read.is_before(sequence.moment()));
    }

    #[test]
    fn a_server_set_back_to_a_lower_version_makes_everything_old() {
        let mut sequence = Sequence::new(RUN, 9);
        let read = sequence.moment();
        assert_eq!(sequence.resync(3), News::Missed);
        let now = sequence.moment();
        assert_eq!(now.version, 3);
        assert!(read.is_before(now));
        // And goes on from the lower version.
        assert_eq!(sequence.take(4), News::Next);
        assert!(now.is_before(sequence.moment()));
    }

    #[test]
    fn the_same_version_of_another_run_is_another() {
        let mut sequence = Sequence::new(RUN, 5);
        let read = sequence.moment();
        assert_eq!(sequence.connected(RUN), News::Nothing);
        assert!(!read.is_before(sequence.moment()));
        assert_eq!(sequence.connected(OTHER), News::Missed);
        assert_eq!((sequence.run(), sequence.moment().version), (OTHER, 5));
        assert!(read.is_before(sequence.moment()));
        assert_eq!(sequence.connected(OTHER), News::Nothing);
    }

    #[test]
    fn a_follower_hears_of_another_run_and_of_what_it_missed() {
        let mut sequence = Sequence::new(RUN, 5);
        assert_eq!(sequence.told(RUN, 5), News::Nothing);
        // It was rendered a little later than what its leader has heard of.
        assert_eq!(sequence.told(RUN, 4), News::Nothing);
        assert_eq!(sequence.told(RUN, 6), News::Missed);
        let read = sequence.moment();
        assert_eq!(sequence.told(OTHER, 2), News::Missed);
        assert_eq!((sequence.run(), sequence.moment().version), (OTHER, 2));
        assert!(read.is_before(sequence.moment()));
    }
}
