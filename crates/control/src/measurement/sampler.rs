//! From libvirt's counters to samples.

use super::{
    Kind, Reading, Recorder, Source, is_late,
    node::NodeUse,
    now_ms,
    sample::{Sample, Values},
};
use crate::{discovery::Snapshot, service::translate};
use api::Metric;
use libvirt::{DomainStats, Driver};
use model::{HostId, Router, RouterId};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::sync::watch;

/// Samples hosts; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Sampler {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Absent for the demo fleet, whose samples come from the simulation: the `test` driver's own
    /// counters are straight lines. Its hosts are asked nonetheless whether they are there.
    recorder: Option<Recorder>,
    interval: Duration,
}

impl Sampler {
    pub fn new(
        snapshots: watch::Receiver<Arc<Snapshot>>,
        recorder: Option<Recorder>,
        interval: Duration,
    ) -> Self {
        Self {
            snapshots,
            recorder,
            interval,
        }
    }

    /// Whether samples are kept at all.
    pub fn records(&self) -> bool {
        self.recorder.is_some()
    }

    /// How far the details are apart.
    pub fn details_interval(&self) -> Duration {
        Kind::Details.interval(self.interval)
    }

    /// The routers that are active on an endpoint, as far as is known.
    pub fn active(&self, host: &HostId, driver: Driver) -> BTreeSet<RouterId> {
        let snapshot = Arc::clone(&self.snapshots.borrow());
        let driver = crate::fleet::driver(driver);
        let routers = snapshot.topology.routers.iter();
        routers
            .filter(|(_, router)| {
                let domain = &router.domain;
                router.host == *host && domain.driver == driver && domain.state.is_active()
            })
            .map(|(id, _)| *id)
            .collect()
    }

    /// Takes what was measured of an endpoint's routers for a tick. What comes too late for it is no
    /// sample of that time, and leaves a gap.
    pub fn record(
        &self,
        host: &HostId,
        driver: Driver,
        kind: Kind,
        at_ms: i64,
        stats: &[DomainStats],
    ) {
        let Some(recorder) = &self.recorder else {
            return;
        };
        if is_late(at_ms, now_ms(), self.interval) {
            tracing::debug!(%host, "a sample came too late for its tick and is dropped");
            return;
        }
        let snapshot = Arc::clone(&self.snapshots.borrow());
        let samples = stats
            .iter()
            .filter_map(|stats| {
                let router = snapshot.topology.routers.get(&RouterId(stats.uuid))?;
                // While it moves, two hosts have it; only one is where it is.
                (router.host == *host).then(|| sample(at_ms, stats, router))
            })
            .collect();
        let host = translate::id(host);
        recorder.put(Source { host, driver, kind }, at_ms, samples);
    }

    /// Takes what a host itself uses.
    pub fn record_node(&self, host: &HostId, at_ms: i64, used: NodeUse) {
        if let Some(recorder) = &self.recorder {
            recorder.put_node(host, at_ms, used);
        }
    }

    /// Takes what went over a host's own interfaces.
    pub fn record_traffic(&self, host: &HostId, reading: Reading) {
        if let Some(recorder) = &self.recorder {
            recorder.put_traffic(host, reading);
        }
    }
}

fn sample(at_ms: i64, stats: &DomainStats, router: &Router) -> Sample {
    let domain = &router.domain;
    Sample {
        router: translate::router_id(domain.id),
        at_ms,
        simulated: false,
        values: known([
            (Metric::CpuTime, stats.cpu_time_ns),
            (Metric::MemoryUsed, stats.memory_used_bytes),
            (
                Metric::MemoryMaximum,
                stats.memory_current_bytes.or(stats.memory_maximum_bytes),
            ),
        ]),
        interfaces: stats
            .interfaces
            .iter()
            .filter_map(|of| {
                let mut nics = domain.interfaces.iter();
                let nic = nics.find(|nic| nic.device.as_deref() == Some(&of.name))?;
                let values = known([
                    (Metric::ReceivedBytes, of.rx_bytes),
                    (Metric::TransmittedBytes, of.tx_bytes),
                    (Metric::ReceivedPackets, of.rx_packets),
                    (Metric::TransmittedPackets, of.tx_packets),
                    (Metric::ReceiveErrors, of.rx_errors),
                    (Metric::TransmitErrors, of.tx_errors),
                    (Metric::ReceiveDropped, of.rx_dropped),
                    (Metric::TransmitDropped, of.tx_dropped),
                ]);
                Some((translate::mac(nic.mac), values))
            })
            .collect(),
        disks: stats
            .blocks
            .iter()
            .map(|of| {
                let values = known([
                    (Metric::ReadBytes, of.read_bytes),
                    (Metric::WrittenBytes, of.written_bytes),
                    (Metric::ReadRequests, of.read_requests),
                    (Metric::WriteRequests, of.write_requests),
                ]);
                (of.name.clone(), values)
            })
            .collect(),
    }
}

/// What is known of them; what the host does not tell is absent, never 0.
fn known<const N: usize>(values: [(Metric, Option<u64>); N]) -> Values {
    values
        .into_iter()
        .filter_map(|(metric, value)| Some((metric, i64::try_from(value?).ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{discovery::Events, fleet::list, measurement::Latest};
    use jiff::Timestamp;
    use libvirt::{Connection, StatsGroups};
    use model::{Contact, Endpoint, HostInventory, HostReport, Origin, Topology};

    #[tokio::test]
    async fn what_comes_too_late_for_its_tick_is_no_sample_of_it() {
        let uri = libvirt::Uri::parse("test:///default").unwrap();
        let connection = Connection::open(&uri, libvirt::Options::default());
        let connection = connection.await.unwrap();
        let host = HostId::new("h");
        let listing = list(host.clone(), connection.clone(), None).await.unwrap();
        let inventory = HostInventory {
            host: host.clone(),
            as_of: listing.as_of,
            node: listing.node,
            interfaces: listing.interfaces,
            networks: listing.networks,
            domains: (listing.domains.into_iter())
                .map(|domain| (domain.id, Arc::new(domain)))
                .collect(),
        };
        let report = HostReport {
            id: host.clone(),
            name: "h".to_owned(),
            site: None,
            origin: Origin::Configured,
            maintenance: None,
            endpoints: vec![Endpoint {
                driver: model::Driver::Test,
                uri: uri.to_string(),
                contact: Contact::Online,
                message: None,
            }],
            inventory: Some(Arc::new(inventory)),
            neighbors: Vec::new(),
            vxlans: Vec::new(),
        };
        let topology = Topology::derive([&report], &[]);
        let router = Arc::clone(topology.routers.values().next().unwrap());
        let (_publish, snapshots) = watch::channel(Arc::new(Snapshot {
            version: 1,
            topology,
        }));
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("h.db");
        let history = history::History::open(&file).await.unwrap();
        // So long that no pause of this test is half of it.
        let interval = Duration::from_hours(1);
        let latest = Arc::new(Latest::new(interval, interval));
        let events = Arc::new(Events::new(0));
        let (recorder, recording) = Recorder::start(history, Arc::clone(&latest), events);
        let sampler = Sampler::new(snapshots, Some(recorder), interval);
        let stats = connection.domain_stats(StatsGroups::CHEAP).await.unwrap();
        let at = |at_ms| sampler.record(&host, Driver::Test, Kind::Samples, at_ms, &stats);
        let measured = || Some(latest.of(&router, Timestamp::now())?.at.as_millisecond());

        let now = now_ms();
        at(now - 40 * 60_000);
        assert_eq!(measured(), None);
        at(now - 1000);
        assert_eq!(measured(), Some(now - 1000));
        recording.end().await;
    }
}
