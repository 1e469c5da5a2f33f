//! From libvirt's counters to samples.

use super::{
    Recorder,
    sample::{Sample, Values},
};
use crate::{discovery::Snapshot, service::translate};
use api::Metric;
use libvirt::{Connection, DomainStats, Error, StatsGroups};
use model::{HostId, Router, RouterId};
use std::sync::Arc;
use tokio::sync::watch;

/// Samples hosts; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Sampler {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Absent for the demo fleet, whose samples come from the simulation: the `test` driver's own
    /// counters are straight lines. Its hosts are asked nonetheless whether they are there.
    recorder: Option<Recorder>,
}

impl Sampler {
    pub fn new(snapshots: watch::Receiver<Arc<Snapshot>>, recorder: Option<Recorder>) -> Self {
        Self {
            snapshots,
            recorder,
        }
    }

    /// Samples all routers of a host.
    pub async fn sample(
        &self,
        host: &HostId,
        at_ms: i64,
        connection: &Connection,
    ) -> Result<(), Error> {
        let Some(recorder) = &self.recorder else {
            return connection.hostname().await.map(drop);
        };
        let stats = connection.domain_stats(StatsGroups::ALL).await?;
        let snapshot = Arc::clone(&self.snapshots.borrow());
        let samples = stats
            .iter()
            .filter_map(|stats| {
                let router = snapshot.topology.routers.get(&RouterId(stats.uuid))?;
                // While it moves, two hosts have it; only one is where it is.
                (router.host == *host).then(|| sample(at_ms, stats, router))
            })
            .collect();
        recorder.put(translate::id(host), at_ms, samples);
        Ok(())
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
