//! What happens, as it happens: one event stream a browser, shared by all its tabs.
//!
//! ```text
//!            lock got            opened                 failed
//! Following ─────────▶ Leading ─────────▶ stream open ─────────▶ waiting ─▶ (opened again, from
//!     ▲                                        │  or silent too long         the last version)
//!     └── events and state by BroadcastChannel ┘
//! ```
//!
//! A page comes alive at the version that it was rendered from and must not miss what happened
//! since: the leader opens `/events?since=<version>`, a follower asks the leader where it is. Any
//! gap in the versions makes pages read anew (a new epoch of [`Live::now`]), never guess; so does
//! another run of the server, which the stream names first.
//!
//! [`Sequence`] decides; the browser's machinery (locks, channels, streams) is in `browser`, and
//! exists only there.

#[cfg(feature = "hydrate")]
mod browser;
#[cfg(any(feature = "hydrate", test))]
mod heard;
mod kept;
mod sequence;

pub use kept::{Dated, Kept};
pub use sequence::{Moment, News, Run, Sequence};

use crate::jobs::Desk;
use api::{HostId, Timestamp};
use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// Reads again what could not be read while the server did not answer, once it does.
pub fn read_again_when_live<T>(resource: Resource<T>, failed: impl Fn(&T) -> bool + Copy + 'static)
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let live = expect_context::<Live>();
    Effect::new(move || {
        let answers = live.status.get() == Status::Live;
        if answers && resource.with_untracked(|value| value.as_ref().is_some_and(failed)) {
            resource.refetch();
        }
    });
}

/// How the stream is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// The page has not come alive yet, or there is no script.
    #[default]
    Still,
    /// Events arrive.
    Live,
    /// The server does not answer; the page goes on by itself when it does.
    Reconnecting,
    /// Versions were missed; the page reads anew.
    Resync,
}

/// What the pages follow.
#[derive(Clone, Copy)]
pub struct Live {
    /// How the stream is.
    pub status: RwSignal<Status>,
    /// The newest state of the topology that is known of.
    pub now: RwSignal<Moment>,
    /// When each host was sampled last.
    pub measured: RwSignal<BTreeMap<HostId, Timestamp>>,
    /// What changed last, in a sentence.
    pub announcement: RwSignal<String>,
    /// The jobs.
    pub desk: Desk,
}

impl Live {
    /// Makes it and offers it to everything below; it starts with [`Self::rendered`].
    pub fn provide(desk: Desk) -> Self {
        let live = Self {
            status: RwSignal::new(Status::Still),
            now: RwSignal::new(Moment::default()),
            measured: RwSignal::new(BTreeMap::new()),
            announcement: RwSignal::new(String::new()),
            desk,
        };
        provide_context(live);
        live
    }

    /// The page was rendered from this version of this run: follows what happens after it. Later calls do
    /// nothing.
    #[cfg_attr(not(feature = "hydrate"), allow(unused_variables, clippy::unused_self))]
    pub fn rendered(self, run: Run, version: u64) {
        #[cfg(feature = "hydrate")]
        browser::start(self, run, version);
    }
}
