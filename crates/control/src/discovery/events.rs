//! The ring of recent versions and the stream for subscribers.

use api::{Event, EventStream, HostId, Job, Timestamp, TopologyChange};
use futures_util::{StreamExt, stream};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

/// Versions that are kept for those who come back.
const KEPT: usize = 256;

/// Events that a slow subscriber may be behind before it has to read anew.
const BEHIND: usize = 1024;

/// What happens, for whoever follows it.
#[derive(Debug)]
pub(crate) struct Events {
    ring: Mutex<Ring>,
    sender: broadcast::Sender<Event>,
    /// Ends all streams.
    ended: CancellationToken,
}

#[derive(Debug)]
struct Ring {
    version: u64,
    /// `Event::Topology`, in order of versions without a hole, the last at `version`.
    kept: VecDeque<Event>,
}

impl Events {
    pub fn new(version: u64) -> Self {
        Self {
            ring: Mutex::new(Ring {
                version,
                kept: VecDeque::with_capacity(KEPT),
            }),
            sender: broadcast::channel(BEHIND).0,
            ended: CancellationToken::new(),
        }
    }

    /// The topology is at a new version.
    pub fn topology(&self, version: u64, at: Timestamp, changes: Vec<TopologyChange>) {
        let event = Event::Topology {
            version,
            at,
            changes,
        };
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.kept.len() == KEPT {
            ring.kept.pop_front();
        }
        ring.kept.push_back(event.clone());
        ring.version = version;
        // Under the lock, so that a subscriber gets each version once, from the ring or from
        // here. Nobody listening is no error.
        let _ = self.sender.send(event);
    }

    /// A host's samples are stored.
    pub fn measured(&self, host: HostId, at: Timestamp) {
        let _ = self.sender.send(Event::Measured { host, at });
    }

    /// A job is another than it was.
    pub fn job(&self, job: Job) {
        let _ = self.sender.send(Event::Job { job: Box::new(job) });
    }

    /// Ends all streams, those to come too.
    pub fn end(&self) {
        self.ended.cancel();
    }

    /// Follows what happens after `since`.
    pub fn subscribe(self: &Arc<Self>, since: Option<u64>) -> EventStream {
        let (backlog, receiver) = {
            let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            (ring.after(since), self.sender.subscribe())
        };
        let ended = self.ended.clone().cancelled_owned();
        // Weak, so that a stream that nobody polls keeps nothing alive.
        let events = Arc::downgrade(self);
        let live = stream::unfold((receiver, events), |(mut receiver, events)| async move {
            let event = match receiver.recv().await {
                Ok(event) => event,
                // What was missed may have held versions.
                Err(RecvError::Lagged(_)) => {
                    let version = events.upgrade()?.version();
                    Event::Resync { version }
                }
                Err(RecvError::Closed) => return None,
            };
            Some((event, (receiver, events)))
        });
        Box::pin(stream::iter(backlog).chain(live).take_until(ended))
    }

    fn version(&self) -> u64 {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.version
    }
}

impl Ring {
    /// The versions after one that a reader has, or the advice to read anew.
    fn after(&self, since: Option<u64>) -> Vec<Event> {
        let missed = match since {
            None => return Vec::new(),
            Some(since) => self.version.checked_sub(since),
        };
        match missed.and_then(|missed| usize::try_from(missed).ok()) {
            Some(missed) if missed <= self.kept.len() => {
                let known = self.kept.len() - missed;
                self.kept.iter().skip(known).cloned().collect()
            }
            // Older than what is kept, or of another life of this server.
            _ => vec![Event::Resync {
                version: self.version,
            }],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn events(versions: std::ops::RangeInclusive<u64>) -> Arc<Events> {
        let events = Arc::new(Events::new(versions.start() - 1));
        for version in versions {
            events.topology(version, Timestamp::UNIX_EPOCH, Vec::new());
        }
        events
    }

    /// The versions that are there to be read now; a resync is negative.
    fn read(stream: &mut EventStream) -> Vec<i64> {
        let mut versions = Vec::new();
        while let Some(Some(event)) = stream.next().now_or_never() {
            match event {
                Event::Topology { version, .. } => versions.push(version as i64),
                Event::Resync { version } => versions.push(-(version as i64)),
                Event::Measured { .. } | Event::Job { .. } => {}
            }
        }
        versions
    }

    #[test]
    fn who_comes_back_gets_what_it_missed_and_then_what_happens() {
        let events = events(11..=15);
        let mut stream = events.subscribe(Some(13));
        events.topology(16, Timestamp::UNIX_EPOCH, Vec::new());
        assert_eq!(read(&mut stream), [14, 15, 16]);
        assert_eq!(read(&mut events.subscribe(Some(16))), [0; 0]);
        assert_eq!(read(&mut events.subscribe(None)), [0; 0]);
        assert_eq!(
            read(&mut events.subscribe(Some(10))),
            [11, 12, 13, 14, 15, 16]
        );
    }

    #[test]
    fn who_cannot_be_brought_up_to_date_reads_anew() {
        let long = events(1..=2 * KEPT as u64);
        assert_eq!(read(&mut long.subscribe(Some(1))), [-(2 * KEPT as i64)]);
        // From before a restart, or a version that never was.
        let restarted = events(100..=100);
        assert_eq!(read(&mut restarted.subscribe(Some(98))), [-100]);
        assert_eq!(read(&mut restarted.subscribe(Some(101))), [-100]);
    }

    #[test]
    fn who_is_too_slow_reads_anew() {
        let events = events(1..=1);
        let mut stream = events.subscribe(Some(1));
        for version in 2..=2000 {
            events.topology(version, Timestamp::UNIX_EPOCH, Vec::new());
        }
        assert_eq!(read(&mut stream)[0], -2000);
    }

    #[test]
    fn streams_end_when_events_do() {
        let events = events(1..=1);
        let mut stream = events.subscribe(None);
        assert!(stream.next().now_or_never().is_none());
        events.end();
        assert_eq!(stream.next().now_or_never(), Some(None));
        assert_eq!(events.subscribe(None).next().now_or_never(), Some(None));
    }
}
