//! Which event is the next, and which shows that some were missed. Pure.

use api::Event;

/// The version that a page has, moved on by events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    version: u64,
}

/// What an event means for a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The topology moved on by one version.
    Next,
    /// Versions were missed: what is shown must be read anew.
    Missed,
    /// Nothing that the page does not have.
    Nothing,
}

impl Sequence {
    /// Starts at the version that the page was rendered from.
    pub fn new(version: u64) -> Self {
        Self { version }
    }

    /// The version that the page has, or is about to read.
    pub fn version(self) -> u64 {
        self.version
    }

    /// Takes an event in.
    pub fn take(&mut self, event: &Event) -> News {
        match *event {
            Event::Topology { version, .. } if version <= self.version => News::Nothing,
            Event::Topology { version, .. } => {
                let next = version == self.version + 1;
                self.version = version;
                if next { News::Next } else { News::Missed }
            }
            // Also a smaller version: the server was set back, and what is shown is of another
            // past.
            Event::Resync { version } => {
                self.version = version;
                News::Missed
            }
            Event::Measured { .. } => News::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology(version: u64) -> Event {
        Event::Topology {
            version,
            at: api::Timestamp::UNIX_EPOCH,
            changes: Vec::new(),
        }
    }

    #[test]
    fn versions_follow_each_other_or_were_missed() {
        let mut sequence = Sequence::new(5);
        assert_eq!(sequence.take(&topology(5)), News::Nothing);
        assert_eq!(sequence.take(&topology(6)), News::Next);
        assert_eq!(sequence.take(&topology(6)), News::Nothing);
        assert_eq!(sequence.take(&topology(9)), News::Missed);
        assert_eq!(sequence.version(), 9);
        assert_eq!(sequence.take(&Event::Resync { version: 12 }), News::Missed);
        assert_eq!(sequence.take(&topology(13)), News::Next);
    }
}
