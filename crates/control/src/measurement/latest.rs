//! Present values and rates, from memory.

use super::{
    Kind, Rates, Reading,
    interfaces::Readings,
    milliseconds,
    node::NodeUse,
    sample::{Sample, Values},
};
use crate::service::translate;
use api::{
    DiskMeasurement, HostLoad, InterfaceMeasurement, MacAddress, Metric, RouterId,
    RouterMeasurement, Timestamp,
};
use std::{
    cmp::Ordering,
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The last two samples of every router, of each kind, and of every host, and the last two readings
/// of every host's own interfaces.
#[derive(Debug)]
pub(crate) struct Latest {
    routers: Mutex<HashMap<(RouterId, Kind), Pair>>,
    hosts: Mutex<HashMap<model::HostId, HostPair>>,
    interfaces: Mutex<HashMap<model::HostId, Readings>>,
    interval: Duration,
    /// How far readings of interfaces are apart.
    traffic_interval: Duration,
}

#[derive(Clone, Debug)]
struct Pair {
    before: Option<Arc<Sample>>,
    last: Arc<Sample>,
}

/// What a host used at the last two ticks.
#[derive(Clone, Copy, Debug)]
struct HostPair {
    before: Option<(i64, NodeUse)>,
    last: (i64, NodeUse),
}

impl Latest {
    pub fn new(interval: Duration, traffic_interval: Duration) -> Self {
        Self {
            routers: Mutex::default(),
            hosts: Mutex::default(),
            interfaces: Mutex::default(),
            interval,
            traffic_interval,
        }
    }

    fn longest_ms(&self, kind: Kind) -> i64 {
        longest_ms(kind.interval(self.interval))
    }

    /// Takes a sample. One of the same time as the last replaces that: a router that moves may be
    /// sampled on both hosts. An older one tells nothing.
    pub fn put(&self, kind: Kind, sample: Sample) {
        let mut routers = lock(&self.routers);
        let sample = Arc::new(sample);
        match routers.entry((sample.router, kind)) {
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
        let mut routers = lock(&self.routers);
        routers.retain(|(router, _), _| known(*router));
    }

    /// Takes what a host itself uses.
    pub fn put_node(&self, host: &model::HostId, at_ms: i64, used: NodeUse) {
        let mut hosts = lock(&self.hosts);
        match hosts.get_mut(host) {
            None => {
                let last = (at_ms, used);
                hosts.insert(host.clone(), HostPair { before: None, last });
            }
            // The other endpoints of a host tell of the same machine: the first counts.
            Some(pair) if pair.last.0 < at_ms => {
                pair.before = Some(std::mem::replace(&mut pair.last, (at_ms, used)));
            }
            Some(_) => {}
        }
    }

    /// Forgets the hosts that are no more.
    pub fn retain_hosts(&self, known: impl Fn(&model::HostId) -> bool) {
        let mut hosts = lock(&self.hosts);
        hosts.retain(|host, _| known(host));
        let mut interfaces = lock(&self.interfaces);
        interfaces.retain(|host, _| known(host));
    }

    /// Takes what went over a host's own interfaces.
    pub fn put_traffic(&self, host: &model::HostId, reading: Reading) {
        let mut interfaces = lock(&self.interfaces);
        match interfaces.get_mut(host) {
            None => {
                interfaces.insert(host.clone(), Readings::new(reading));
            }
            Some(readings) => readings.put(reading),
        }
    }

    /// What goes over a host's own interface: nothing of one that is not counted, nor when the last
    /// reading is too old to be told as the present.
    pub fn of_interface(&self, port: &model::Port, now: Timestamp) -> Option<Rates> {
        let interfaces = lock(&self.interfaces);
        let readings = interfaces.get(&port.host)?;
        readings.rates(&port.interface, now, longest_ms(self.traffic_interval))
    }

    /// What a host uses: nothing of one that does not tell, nor when it is too old to be told as the
    /// present.
    pub fn of_host(&self, host: &model::HostId, now: Timestamp) -> Option<HostLoad> {
        let pair = {
            let hosts = lock(&self.hosts);
            *hosts.get(host)?
        };
        let longest = self.longest_ms(Kind::Samples);
        let (at_ms, used) = pair.last;
        if now.as_millisecond() - at_ms > longest {
            return None;
        }
        let cpus_used = pair.before.and_then(|(before_ms, before)| {
            let elapsed_ms = at_ms - before_ms;
            let grown = used.cpu_time_ns?.checked_sub(before.cpu_time_ns?)?;
            (1..=longest)
                .contains(&elapsed_ms)
                .then(|| grown as f64 / (elapsed_ms as f64 * 1e6))
        });
        if cpus_used.is_none() && used.memory_used_bytes.is_none() {
            return None;
        }
        Some(HostLoad {
            at: Timestamp::from_millisecond(at_ms).ok()?,
            simulated: false,
            cpus_used,
            memory_used_bytes: used.memory_used_bytes,
        })
    }

    /// What is measured of a router: nothing of one that is not active, nor when the last sample
    /// is too old to be told as the present.
    pub fn of(&self, router: &model::Router, now: Timestamp) -> Option<RouterMeasurement> {
        if !router.domain.state.is_active() {
            return None;
        }
        let samples = self.pair(router, Kind::Samples, now)?;
        // Of the demo all is in one sample; of others, the details may be missing.
        let details = self.pair(router, Kind::Details, now);
        let of_details = details.as_ref().unwrap_or(&samples);
        let (last, before, seconds) = self.span(&samples, Kind::Samples);
        let own = Counted {
            values: &last.values,
            before: before.map(|before| &before.values),
            seconds,
        };
        let (last_details, before_details, details_seconds) = self.span(of_details, Kind::Details);
        let inside = Counted {
            values: &last_details.values,
            before: None,
            seconds: 0.0,
        };
        Some(RouterMeasurement {
            at: Timestamp::from_millisecond(last.at_ms).ok()?,
            simulated: last.simulated,
            cpu_time_nanoseconds: own.value(Metric::CpuTime),
            cpus_used: own.rate(Metric::CpuTime).map(|rate| rate / 1e9),
            memory_used_bytes: inside.value(Metric::MemoryUsed),
            memory_maximum_bytes: inside
                .value(Metric::MemoryMaximum)
                .or_else(|| own.value(Metric::MemoryMaximum)),
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
            disks: (last_details.disks.iter())
                .map(|(target, values)| {
                    let before = before_details.map(|before| &before.disks);
                    let counted = Counted {
                        values,
                        before: before.and_then(|all| find(all, target)),
                        seconds: details_seconds,
                    };
                    disk(target.clone(), &counted)
                })
                .collect(),
        })
    }

    /// The last two samples of a kind, if the last is recent enough to be told as the present.
    fn pair(&self, router: &model::Router, kind: Kind, now: Timestamp) -> Option<Pair> {
        let routers = lock(&self.routers);
        let id = translate::router_id(router.domain.id);
        let pair = routers.get(&(id, kind))?;
        let age = now.as_millisecond() - pair.last.at_ms;
        (age <= self.longest_ms(kind)).then(|| pair.clone())
    }

    /// The last sample, the one before if there is no gap between, and the seconds between.
    fn span<'a>(&self, pair: &'a Pair, kind: Kind) -> (&'a Sample, Option<&'a Sample>, f64) {
        let last = &*pair.last;
        let before = pair.before.as_deref().filter(|before| {
            before.simulated == last.simulated
                && (1..=self.longest_ms(kind)).contains(&(last.at_ms - before.at_ms))
        });
        let seconds = before.map_or(0.0, |before| (last.at_ms - before.at_ms) as f64 / 1000.0);
        (last, before, seconds)
    }
}

/// Two samples further apart than this have a gap between them, and no rate: the history's own
/// measure of a gap.
fn longest_ms(interval: Duration) -> i64 {
    milliseconds(interval).saturating_mul(5) / 2
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
    use crate::measurement::Counters;
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
            driver: model::Driver::Test,
            state,
            message: None,
            persistent: true,
            autostart: false,
            virtual_network: None,
            tags: Vec::new(),
            vcpus: 1,
            memory_bytes: 0,
            interfaces: Vec::new(),
            disks: Vec::new(),
            image: None,
        };
        Router {
            migrating_to: None,
            host: HostId::new("h"),
            domain: Arc::new(domain),
            segments: Vec::new(),
        }
    }

    fn of_ten_seconds() -> Latest {
        let interval = Duration::from_secs(10);
        Latest::new(interval, interval)
    }

    fn all(samples: &[(i64, i64)]) -> Latest {
        let latest = of_ten_seconds();
        for &(at, counter) in samples {
            latest.put(Kind::Samples, sample(at, counter));
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
    fn details_are_told_beside_newer_samples_until_they_are_too_old() {
        let latest = all(&[(10, 10), (20, 30)]);
        let detail = |at, written| Sample {
            values: vec![(Metric::MemoryUsed, 7)],
            interfaces: Vec::new(),
            disks: vec![("vda".to_owned(), vec![(Metric::WrittenBytes, written)])],
            ..sample(at, 0)
        };
        latest.put(Kind::Details, detail(-15, 0));
        latest.put(Kind::Details, detail(15, 60));
        let at = |second| {
            let now = Timestamp::from_second(second).unwrap();
            latest.of(&router(RouterState::Running), now).unwrap()
        };
        let now = at(20);
        assert_eq!((now.cpus_used, now.memory_used_bytes), (Some(2.0), Some(7)));
        assert_eq!(now.disks[0].written_bytes_per_second, Some(2.0));
        latest.put(Kind::Samples, sample(100, 40));
        assert_eq!(at(100).memory_used_bytes, None);
    }

    #[test]
    fn a_host_uses_what_its_counter_grew_by() {
        let latest = of_ten_seconds();
        let host = HostId::new("h");
        let used = |seconds: u64| NodeUse {
            cpu_time_ns: Some(seconds * 1_000_000_000),
            memory_used_bytes: None,
        };
        let at = |second| latest.of_host(&host, Timestamp::from_second(second).unwrap());
        latest.put_node(&host, 10_000, used(100));
        assert_eq!(at(10), None);
        latest.put_node(&host, 20_000, used(115));
        // Another driver of the same machine tells the same a moment later.
        latest.put_node(&host, 20_000, used(116));
        assert_eq!(at(20).unwrap().cpus_used, Some(1.5));
        assert_eq!(at(46), None);
    }

    #[test]
    fn what_goes_over_interfaces_has_its_own_interval_and_goes_with_its_host() {
        let latest = Latest::new(Duration::from_secs(10), Duration::from_mins(1));
        let port = model::Port {
            host: HostId::new("h"),
            interface: "eth0".to_owned(),
        };
        for at in [0, 60] {
            let counters = Counters {
                received: 100 * at,
                sent: 0,
            };
            let reading = Reading {
                at_ms: at as i64 * 1000,
                interfaces: HashMap::from([(port.interface.clone(), counters)]),
            };
            latest.put_traffic(&port.host, reading);
        }
        let at = |second| {
            let now = Timestamp::from_second(second).unwrap();
            latest.of_interface(&port, now)
        };
        assert_eq!(at(210).unwrap().received, Some(800.0));
        assert_eq!(at(211), None);
        latest.retain_hosts(|_| true);
        assert!(at(60).is_some());
        latest.retain_hosts(|_| false);
        assert_eq!(at(60), None);
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
