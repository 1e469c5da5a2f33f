//! Present values and rates, from memory.

use super::{
    milliseconds,
    sample::{Sample, Values},
};
use crate::service::translate;
use api::{
    DiskMeasurement, InterfaceMeasurement, MacAddress, Metric, RouterId, RouterMeasurement,
    Timestamp,
};
use std::{
    cmp::Ordering,
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The last two samples of every router.
#[derive(Debug)]
pub(crate) struct Latest {
    routers: Mutex<HashMap<RouterId, Pair>>,
    /// Two samples further apart than this have a gap between them, and no rate.
    longest_ms: i64,
}

#[derive(Clone, Debug)]
struct Pair {
    before: Option<Arc<Sample>>,
    last: Arc<Sample>,
}

impl Latest {
    pub fn new(interval: Duration) -> Self {
        Self {
            routers: Mutex::default(),
            // The history's own measure of a gap.
            longest_ms: milliseconds(interval).saturating_mul(5) / 2,
        }
    }

    /// Takes a sample. One of the same time as the last replaces that: a router that moves may be
    /// sampled on both hosts. An older one tells nothing.
    pub fn put(&self, sample: Sample) {
        let mut routers = self.routers.lock().unwrap_or_else(PoisonError::into_inner);
        let sample = Arc::new(sample);
        match routers.entry(sample.router) {
            Entry::Vacant(entry) => {
                entry.insert(Pair {
                    before: None,
                    last: sample,
                });
            }
            Entry::Occupied(entry) => {
                let pair = entry.into_mut();
                match sample.at_ms.cmp(&pair.last.at_ms) {
                    Ordering::Greater => {
                        pair.before = Some(std::mem::replace(&mut pair.last, sample));
                    }
                    Ordering::Equal => pair.last = sample,
                    Ordering::Less => {}
                }
            }
        }
    }

    /// Forgets the routers that are no more.
    pub fn retain(&self, known: impl Fn(RouterId) -> bool) {
        let mut routers = self.routers.lock().unwrap_or_else(PoisonError::into_inner);
        routers.retain(|router, _| known(*router));
    }

    /// What is measured of a router: nothing of one that is not active, nor when the last sample
    /// is too old to be told as the present.
    pub fn of(&self, router: &model::Router, now: Timestamp) -> Option<RouterMeasurement> {
        if !router.domain.state.is_active() {
            return None;
        }
        let pair = {
            let routers = self.routers.lock().unwrap_or_else(PoisonError::into_inner);
            let id = translate::router_id(router.domain.id);
            routers.get(&id).cloned()?
        };
        let last = &*pair.last;
        if now.as_millisecond() - last.at_ms > self.longest_ms {
            return None;
        }
        let before = pair.before.as_deref().filter(|before| {
            before.simulated == last.simulated
                && (1..=self.longest_ms).contains(&(last.at_ms - before.at_ms))
        });
        let seconds = before.map_or(0.0, |before| (last.at_ms - before.at_ms) as f64 / 1000.0);
        let own = Counted {
            values: &last.values,
            before: before.map(|before| &before.values),
            seconds,
        };
        Some(RouterMeasurement {
            at: Timestamp::from_millisecond(last.at_ms).ok()?,
            simulated: last.simulated,
            cpu_time_nanoseconds: own.value(Metric::CpuTime),
            cpus_used: own.rate(Metric::CpuTime).map(|rate| rate / 1e9),
            memory_used_bytes: own.value(Metric::MemoryUsed),
            memory_maximum_bytes: own.value(Metric::MemoryMaximum),
            interfaces: (last.interfaces.iter())
                .map(|(mac, values)| {
                    let before = before.map(|before| &before.interfaces);
                    let counted = Counted {
                        values,
                        before: before.and_then(|all| find(all, mac)),
                        seconds,
                    };
                    interface(*mac, &counted)
                })
                .collect(),
            disks: (last.disks.iter())
                .map(|(target, values)| {
                    let before = before.map(|before| &before.disks);
                    let counted = Counted {
                        values,
                        before: before.and_then(|all| find(all, target)),
                        seconds,
                    };
                    disk(target.clone(), &counted)
                })
                .collect(),
        })
    }
}

fn interface(mac: MacAddress, counted: &Counted<'_>) -> InterfaceMeasurement {
    let bits = |metric| counted.rate(metric).map(|bytes| bytes * 8.0);
    InterfaceMeasurement {
        mac,
        received_bytes: counted.value(Metric::ReceivedBytes),
        transmitted_bytes: counted.value(Metric::TransmittedBytes),
        received_packets: counted.value(Metric::ReceivedPackets),
        transmitted_packets: counted.value(Metric::TransmittedPackets),
        receive_errors: counted.sum(Metric::ReceiveErrors, Metric::ReceiveDropped),
        transmit_errors: counted.sum(Metric::TransmitErrors, Metric::TransmitDropped),
        received_bits_per_second: bits(Metric::ReceivedBytes),
        transmitted_bits_per_second: bits(Metric::TransmittedBytes),
    }
}

fn disk(target: String, counted: &Counted<'_>) -> DiskMeasurement {
    DiskMeasurement {
        target,
        read_bytes: counted.value(Metric::ReadBytes),
        written_bytes: counted.value(Metric::WrittenBytes),
        read_bytes_per_second: counted.rate(Metric::ReadBytes),
        written_bytes_per_second: counted.rate(Metric::WrittenBytes),
    }
}

/// The values of one thing, now and at the sample before.
struct Counted<'a> {
    values: &'a Values,
    before: Option<&'a Values>,
    /// Between the two.
    seconds: f64,
}

impl Counted<'_> {
    fn value(&self, metric: Metric) -> Option<u64> {
        u64::try_from(*find(self.values, &metric)?).ok()
    }

    fn sum(&self, a: Metric, b: Metric) -> Option<u64> {
        match (self.value(a), self.value(b)) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        }
    }

    /// The growth a second. A counter that is lower than before began anew: it grew from nothing.
    fn rate(&self, metric: Metric) -> Option<f64> {
        let (now, before) = (self.value(metric)?, *find(self.before?, &metric)?);
        let grown = u64::try_from(before)
            .ok()
            .and_then(|before| now.checked_sub(before))
            .unwrap_or(now);
        Some(grown as f64 / self.seconds)
    }
}

fn find<'a, K: PartialEq, V>(all: &'a [(K, V)], key: &K) -> Option<&'a V> {
    all.iter().find(|(other, _)| other == key).map(|(_, v)| v)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Domain, HostId, Router, RouterState};

    const ROUTER: RouterId = RouterId(uuid::Uuid::nil());
    const MAC: MacAddress = MacAddress([0x52, 0x54, 0, 0, 0, 1]);

    fn sample(at: i64, counter: i64) -> Sample {
        Sample {
            router: ROUTER,
            at_ms: at * 1000,
            simulated: false,
            values: vec![(Metric::CpuTime, counter * 1_000_000_000)],
            interfaces: vec![(MAC, vec![(Metric::ReceivedBytes, counter)])],
            disks: vec![("vda".to_owned(), vec![(Metric::WrittenBytes, counter)])],
        }
    }

    fn router(state: RouterState) -> Router {
        let domain = Domain {
            id: model::RouterId(ROUTER.0),
            name: "r".to_owned(),
            title: None,
            state,
            persistent: true,
            autostart: false,
            virtual_network: None,
            tags: Vec::new(),
            vcpus: 1,
            memory_bytes: 0,
            interfaces: Vec::new(),
            disks: Vec::new(),
        };
        Router {
            host: HostId::new("h"),
            domain: Arc::new(domain),
            segments: Vec::new(),
        }
    }

    fn all(samples: &[(i64, i64)]) -> Latest {
        let latest = Latest::new(Duration::from_secs(10));
        for &(at, counter) in samples {
            latest.put(sample(at, counter));
        }
        latest
    }

    /// What is measured of the running router right after the last sample.
    fn latest(samples: &[(i64, i64)]) -> RouterMeasurement {
        let now = Timestamp::from_second(samples.last().unwrap().0).unwrap();
        let measured = all(samples).of(&router(RouterState::Running), now);
        measured.unwrap()
    }

    #[test]
    fn what_is_old_or_of_a_router_that_is_off_is_not_told_as_the_present() {
        let latest = all(&[(10, 10), (20, 20)]);
        let at = |second, state| {
            let now = Timestamp::from_second(second).unwrap();
            latest.of(&router(state), now).is_some()
        };
        assert!(at(45, RouterState::Running));
        assert!(!at(46, RouterState::Running));
        assert!(at(21, RouterState::Suspended));
        assert!(!at(21, RouterState::ShutOff));
    }

    #[test]
    fn another_sample_of_one_time_replaces_and_an_older_one_is_ignored() {
        let now = latest(&[(10, 10), (20, 15), (20, 30)]);
        assert_eq!(now.cpus_used, Some(2.0));
        let latest = all(&[(10, 10), (20, 30), (15, 70)]);
        let now = Timestamp::from_second(20).unwrap();
        let now = latest.of(&router(RouterState::Running), now).unwrap();
        assert_eq!(now.cpus_used, Some(2.0));
    }

    #[test]
    fn rates_are_growth_a_second() {
        let now = latest(&[(0, 5), (10, 10), (20, 30)]);
        assert_eq!(now.cpus_used, Some(2.0));
        assert_eq!(now.interfaces[0].received_bits_per_second, Some(16.0));
        assert_eq!(now.disks[0].written_bytes_per_second, Some(2.0));
        // Not counted is unknown, never 0.
        assert_eq!(now.interfaces[0].transmitted_bytes, None);
        assert_eq!(now.interfaces[0].transmitted_bits_per_second, None);
    }

    #[test]
    fn one_sample_or_a_gap_gives_no_rate() {
        assert_eq!(latest(&[(10, 10)]).cpus_used, None);
        assert_eq!(latest(&[(10, 10), (40, 20)]).cpus_used, None);
    }

    #[test]
    fn a_counter_that_began_anew_grew_from_nothing() {
        assert_eq!(latest(&[(10, 100), (20, 30)]).cpus_used, Some(3.0));
    }
}
