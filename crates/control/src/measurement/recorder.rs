//! The queue to the history.

use super::{Kind, Latest, Reading, node::NodeUse, sample::Sample};
use crate::discovery::Events;
use api::{HostId, Timestamp};
use history::{History, Tick};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{sync::mpsc, task::JoinHandle};

/// Ticks of hosts that may wait for the disk: some for each of a large fleet's hosts.
const QUEUE: usize = 1024;

/// Ticks that are stored in one transaction.
const TOGETHER: usize = 64;

/// Who measured: each has ticks of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Source {
    pub host: HostId,
    pub driver: libvirt::Driver,
    pub kind: Kind,
}

/// Takes samples; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    latest: Arc<Latest>,
    /// Weak: recorders live on in the fleet, and must not keep the task from ending.
    ticks: mpsc::WeakSender<(HostId, Tick)>,
    dropped: Arc<AtomicU64>,
    /// The last tick of every source.
    last: Arc<Mutex<HashMap<Source, i64>>>,
}

impl Recorder {
    /// Starts the task that stores.
    pub fn start(history: History, latest: Arc<Latest>, events: Arc<Events>) -> (Self, Recording) {
        let (ticks, queue) = mpsc::channel(QUEUE);
        let recorder = Self {
            latest,
            ticks: ticks.downgrade(),
            dropped: Arc::default(),
            last: Arc::default(),
        };
        let recording = Recording {
            task: tokio::spawn(run(history, events, queue)),
            ticks,
        };
        (recorder, recording)
    }

    /// Takes what one source measured at one tick. A tick that is not later than its last one is
    /// not recorded: the clock was set back, and what is stored stays.
    pub fn put(&self, source: Source, at_ms: i64, samples: Vec<Sample>) {
        let (host, kind) = (source.host.clone(), source.kind);
        {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let last = last.entry(source).or_insert(i64::MIN);
            if at_ms <= *last {
                tracing::debug!(%host, "a tick is not later than the one before and is dropped");
                return;
            }
            *last = at_ms;
        }
        let rows = samples.iter().flat_map(Sample::rows).collect();
        for sample in samples {
            self.latest.put(kind, sample);
        }
        // Without a queue the server is ending.
        let Some(ticks) = self.ticks.upgrade() else {
            return;
        };
        if ticks.try_send((host, Tick { at_ms, rows })).is_err() {
            let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
            tracing::warn!(
                dropped,
                "the history does not keep up: a host's tick is dropped"
            );
        }
    }

    /// Takes what a host itself uses. It is kept in memory only.
    pub fn put_node(&self, host: &model::HostId, at_ms: i64, used: NodeUse) {
        self.latest.put_node(host, at_ms, used);
    }

    /// Takes what went over a host's own interfaces. It is kept in memory only.
    pub fn put_traffic(&self, host: &model::HostId, reading: Reading) {
        self.latest.put_traffic(host, reading);
    }
}

/// The task that stores.
#[derive(Debug)]
pub(crate) struct Recording {
    task: JoinHandle<()>,
    ticks: mpsc::Sender<(HostId, Tick)>,
}

impl Recording {
    /// Takes nothing more, and ends when everything is stored: recorders may live on.
    pub async fn end(self) {
        drop(self.ticks);
        // One that failed has ended, too.
        let _ = self.task.await;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_tick_that_is_not_later_is_not_recorded() {
        let directory = tempfile::tempdir().unwrap();
        let history = History::open(&directory.path().join("h.db")).await.unwrap();
        let interval = Duration::from_secs(10);
        let latest = Arc::new(Latest::new(interval, interval));
        let events = Arc::new(Events::new(0));
        let (recorder, recording) = Recorder::start(history.clone(), latest, events);
        let router = api::RouterId(uuid::Uuid::nil());
        let put = |host: &str, at_ms, value| {
            let sample = Sample {
                router,
                at_ms,
                simulated: false,
                values: vec![(api::Metric::CpuTime, value)],
                interfaces: Vec::new(),
                disks: Vec::new(),
            };
            let source = Source {
                host: host.parse().unwrap(),
                driver: libvirt::Driver::Test,
                kind: Kind::Samples,
            };
            recorder.put(source, at_ms, vec![sample]);
        };
        put("a", 20_000, 1);
        put("a", 20_000, 2);
        put("a", 10_000, 3);
        // There is still somebody who could measure.
        recording.end().await;
        put("a", 30_000, 4);
        let entity = super::super::entity::router(router);
        let last = history.latest(&entity).await.unwrap().unwrap();
        assert_eq!((last.at_ms, last.value("cpuTime")), (20_000, Some(1)));
        assert_eq!(history.last_tick_ms().await.unwrap(), Some(20_000));
    }
}
