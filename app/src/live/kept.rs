//! Facts that keep themselves fresh: read once by the server, then again in the browser whenever
//! an event says that they are old.

use super::{Live, Moment, Status};
use crate::{
    Failure,
    clock::Clock,
    server_functions::{
        Fleet, HostFacts, HostTable, LinkFacts, PathFacts, RouterFacts, RouterTable, SegmentFacts,
    },
};
use api::{HostId, Timestamp};
use leptos::{prelude::*, task::spawn_local};
use std::future::Future;

/// What tells how old it is.
pub trait Dated: Clone + Send + Sync + 'static {
    /// The topology's version that it was read at, or a later one.
    fn version(&self) -> u64;
    /// The hosts whose measurements it shows.
    fn hosts(&self) -> Vec<HostId> {
        Vec::new()
    }
    /// When it was read, by the server's clock.
    fn as_of(&self) -> Option<Timestamp>;
}

/// Facts of type `T` and why they could not be read again, if so.
pub struct Kept<T: 'static> {
    /// The facts.
    pub value: RwSignal<T>,
    /// Why they may be old.
    pub failure: RwSignal<Option<Failure>>,
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Kept<T> {}

/// Whether a reading is under way, and whether another is due after it.
#[derive(Clone, Copy)]
struct Reading {
    busy: bool,
    again: bool,
    /// The epoch in which the value was asked for.
    epoch: u32,
}

impl<T: Dated> Kept<T> {
    /// Starts with what the server read, and reads again by `read`.
    pub fn new<Read, Answer>(first: T, read: Read) -> Self
    where
        Read: Fn() -> Answer + Clone + 'static,
        Answer: Future<Output = Result<T, Failure>> + 'static,
    {
        let kept = Self {
            value: RwSignal::new(first),
            failure: RwSignal::new(None),
        };
        let live = expect_context::<Live>();
        let clock = expect_context::<Clock>();
        let reading = StoredValue::new(Reading {
            busy: false,
            again: false,
            epoch: live.now.get_untracked().epoch,
        });
        Effect::new(move |last: Option<Option<Timestamp>>| {
            let (version, hosts) = kept
                .value
                .with_untracked(|value| (value.version(), value.hosts()));
            let measured = live.measured.with(|measured| {
                hosts
                    .iter()
                    .filter_map(|host| measured.get(host))
                    .max()
                    .copied()
            });
            let now = live.now.get();
            let answers = live.status.get() == Status::Live;
            let shown = reading.try_get_value().map(|reading| Moment {
                epoch: reading.epoch,
                version,
            });
            let old = shown.is_some_and(|shown| shown.is_before(now));
            let failed = kept.failure.with_untracked(Option::is_some);
            if old || answers && failed || last.is_some_and(|last| measured > last) {
                kept.read(reading, live, clock, read.clone());
            }
            measured
        });
        kept
    }

    fn read<Read, Answer>(self, reading: StoredValue<Reading>, live: Live, clock: Clock, read: Read)
    where
        Read: Fn() -> Answer + 'static,
        Answer: Future<Output = Result<T, Failure>> + 'static,
    {
        let Some(state) = reading.try_get_value() else {
            return;
        };
        if state.busy {
            reading.set_value(Reading {
                again: true,
                ..state
            });
            return;
        }
        reading.set_value(Reading {
            busy: true,
            again: false,
            ..state
        });
        spawn_local(async move {
            loop {
                let Some(asked) = live.now.try_get_untracked() else {
                    return;
                };
                match read().await {
                    Ok(value) => {
                        reading.try_update_value(|reading| reading.epoch = asked.epoch);
                        if let Some(at) = value.as_of() {
                            clock.server_said(at);
                        }
                        self.failure.try_set(None);
                        self.value.try_set(value);
                    }
                    Err(failure) => {
                        self.failure.try_set(Some(failure));
                    }
                }
                match reading.try_get_value() {
                    Some(state @ Reading { again: true, .. }) => {
                        reading.set_value(Reading {
                            again: false,
                            ..state
                        });
                    }
                    Some(state) => {
                        reading.set_value(Reading {
                            busy: false,
                            ..state
                        });
                        return;
                    }
                    None => return,
                }
            }
        });
    }
}

impl Dated for Fleet {
    fn version(&self) -> u64 {
        self.version
    }

    fn as_of(&self) -> Option<Timestamp> {
        None
    }
}

impl Dated for RouterFacts {
    fn version(&self) -> u64 {
        self.version
    }

    fn hosts(&self) -> Vec<HostId> {
        vec![self.status.router.host.clone()]
    }

    fn as_of(&self) -> Option<Timestamp> {
        Some(self.status.as_of)
    }
}

impl Dated for HostFacts {
    fn version(&self) -> u64 {
        self.version
    }

    fn hosts(&self) -> Vec<HostId> {
        vec![self.status.host.id.clone()]
    }

    fn as_of(&self) -> Option<Timestamp> {
        Some(self.status.as_of)
    }
}

impl Dated for LinkFacts {
    fn version(&self) -> u64 {
        self.version
    }

    fn hosts(&self) -> Vec<HostId> {
        [&self.a, &self.b]
            .into_iter()
            .filter_map(|end| end.host.clone())
            .collect()
    }

    fn as_of(&self) -> Option<Timestamp> {
        None
    }
}

impl Dated for SegmentFacts {
    fn version(&self) -> u64 {
        self.version
    }

    fn hosts(&self) -> Vec<HostId> {
        self.hosts.iter().map(|(id, _)| id.clone()).collect()
    }

    fn as_of(&self) -> Option<Timestamp> {
        None
    }
}

impl Dated for PathFacts {
    fn version(&self) -> u64 {
        self.found.version
    }

    /// One host only: the others are measured as often, and each would have all read again.
    fn hosts(&self) -> Vec<HostId> {
        let best = self.found.paths.first();
        let steps = best.into_iter().flat_map(|path| {
            let under = path.underlay.iter().flat_map(|under| &under.steps);
            path.steps.iter().chain(under)
        });
        steps
            .filter_map(|step| step.element.host.clone())
            .take(1)
            .collect()
    }

    fn as_of(&self) -> Option<Timestamp> {
        Some(self.found.as_of)
    }
}

impl Dated for HostTable {
    fn version(&self) -> u64 {
        self.version
    }

    fn as_of(&self) -> Option<Timestamp> {
        Some(self.as_of)
    }
}

impl Dated for RouterTable {
    fn version(&self) -> u64 {
        self.version
    }

    fn as_of(&self) -> Option<Timestamp> {
        Some(self.as_of)
    }
}
