//! The demo's made-up samples. Nothing but `Settings::demo` leads here.

use super::{Kind, Recorder, Source, milliseconds, next_tick, now_ms, sample::Sample};
use crate::{
    demo::{Fleet, SimulatedLoad, SimulatedRow},
    discovery::Snapshot,
    service::translate,
};
use api::{MacAddress, Metric, RouterId};
use history::{History, Tick};
use model::RouterState;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::watch;
use uuid::Uuid;

/// How far the made-up past goes back.
const PAST: Duration = Duration::from_hours(24);

/// How far apart the samples of the made-up past are.
pub(crate) const SEED_STEP: Duration = Duration::from_secs(30);

/// The made-up past is stored in pieces this long, so that ticks get through meanwhile.
const PIECE: Duration = Duration::from_mins(30);

/// Makes up what the demo's routers use.
#[derive(Debug)]
pub(crate) struct Simulation {
    pub fleet: Fleet,
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    pub recorder: Recorder,
    /// Becomes true once the topology shows every host as it is.
    pub ready: watch::Receiver<bool>,
    pub interval: Duration,
}

impl Simulation {
    /// Goes on for as long as the server runs. The first tick is as soon as it is known what runs,
    /// so that nobody waits for a measurement; the others are aligned as all are.
    pub async fn run(mut self) {
        let mut load = SimulatedLoad::new(&self.fleet, now_ms());
        if self.ready.wait_for(|ready| *ready).await.is_err() {
            // Nobody will tell: the server is ending.
            return;
        }
        let mut at_ms = now_ms();
        loop {
            let snapshot = Arc::clone(&self.snapshots.borrow());
            let topology = &snapshot.topology;
            let state = |uuid: &Uuid| {
                let router = topology.routers.get(&model::RouterId(*uuid))?;
                Some(router.domain.state)
            };
            let rows = load.advance_to(at_ms, &|uuid| state(uuid) == Some(RouterState::Running));
            let mut hosts: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for sample in samples(at_ms, rows) {
                let Some(router) = topology.routers.get(&model::RouterId(sample.router.0)) else {
                    continue;
                };
                // As when measured: nothing of what is shut off, nothing through a lost contact.
                if router.domain.state.is_active() && topology.is_current(&router.host) {
                    hosts.entry(&router.host).or_default().push(sample);
                }
            }
            for (host, samples) in hosts {
                let source = Source {
                    host: translate::id(host),
                    driver: libvirt::Driver::Test,
                    kind: Kind::Samples,
                };
                self.recorder.put(source, at_ms, samples);
            }
            at_ms = next_tick(self.interval).await;
        }
    }
}

/// Stores a made-up past, the latest part first.
pub(crate) async fn seed(
    fleet: Fleet,
    history: History,
    until_ms: i64,
) -> Result<(), history::Error> {
    let step = milliseconds(SEED_STEP);
    let mut end = until_ms.div_euclid(step) * step;
    let begin = end - milliseconds(PAST);
    while end > begin {
        let start = (end - milliseconds(PIECE)).max(begin);
        let of = fleet.clone();
        // Some tens of thousands of rows: too much work for a thread that others share.
        let made = tokio::task::spawn_blocking(move || {
            SimulatedLoad::new(&of, start)
                .seed_ticks(start + step, end, step)
                .map(|(at_ms, rows)| Tick {
                    at_ms,
                    rows: samples(at_ms, rows).iter().flat_map(Sample::rows).collect(),
                })
                .collect::<Vec<_>>()
        });
        match made.await {
            Ok(ticks) => history.append_many(ticks).await?,
            Err(error) => tracing::error!(%error, "a part of the demo's past could not be made"),
        }
        end = start;
    }
    Ok(())
}

fn samples(at_ms: i64, rows: Vec<SimulatedRow>) -> Vec<Sample> {
    let mut routers: BTreeMap<Uuid, Sample> = BTreeMap::new();
    for row in rows {
        let sample = routers.entry(row.router).or_insert_with(|| Sample {
            router: RouterId(row.router),
            at_ms,
            simulated: true,
            values: Vec::new(),
            interfaces: Vec::new(),
            disks: Vec::new(),
        });
        let values = row
            .values
            .into_iter()
            .filter_map(|(name, value)| Some((name.parse::<Metric>().ok()?, value)))
            .collect();
        let mac = row.nic.and_then(|mac| mac.parse::<MacAddress>().ok());
        match (mac, row.disk) {
            (Some(mac), _) => sample.interfaces.push((mac, values)),
            (None, Some(disk)) => sample.disks.push((disk, values)),
            (None, None) => sample.values = values,
        }
    }
    routers.into_values().collect()
}
