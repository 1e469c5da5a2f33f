//! The queue to the history.

use super::{Latest, sample::Sample};
use crate::discovery::Events;
use api::{HostId, Timestamp};
use history::{History, Tick};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::{sync::mpsc, task::JoinHandle};

/// Ticks of hosts that may wait for the disk: some for each of a large fleet's hosts.
const QUEUE: usize = 1024;

/// Ticks that are stored in one transaction.
const TOGETHER: usize = 64;

/// Takes samples; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    latest: Arc<Latest>,
    ticks: mpsc::Sender<(HostId, Tick)>,
    dropped: Arc<AtomicU64>,
}

impl Recorder {
    /// Starts the task that stores. It ends when all recorders are gone and everything is stored.
    pub fn start(
        history: History,
        latest: Arc<Latest>,
        events: Arc<Events>,
    ) -> (Self, JoinHandle<()>) {
        let (ticks, queue) = mpsc::channel(QUEUE);
        let task = tokio::spawn(run(history, events, queue));
        let recorder = Self {
            latest,
            ticks,
            dropped: Arc::default(),
        };
        (recorder, task)
    }

    /// Takes what was measured on one host at one tick.
    pub fn put(&self, host: HostId, at_ms: i64, samples: Vec<Sample>) {
        let rows = samples.iter().flat_map(Sample::rows).collect();
        for sample in samples {
            self.latest.put(sample);
        }
        if self.ticks.try_send((host, Tick { at_ms, rows })).is_err() {
            let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
            tracing::warn!(
                dropped,
                "the history does not keep up: a host's tick is dropped"
            );
        }
    }
}

async fn run(history: History, events: Arc<Events>, mut queue: mpsc::Receiver<(HostId, Tick)>) {
    let mut batch = Vec::with_capacity(TOGETHER);
    while queue.recv_many(&mut batch, TOGETHER).await > 0 {
        let (measured, ticks): (Vec<_>, Vec<_>) = batch
            .drain(..)
            .map(|(host, tick)| ((host, tick.at_ms), tick))
            .unzip();
        if let Err(error) = history.append_many(ticks).await {
            tracing::error!(%error, hosts = measured.len(), "samples could not be stored");
            continue;
        }
        for (host, at_ms) in measured {
            if let Ok(at) = Timestamp::from_millisecond(at_ms) {
                events.measured(host, at);
            }
        }
    }
}
