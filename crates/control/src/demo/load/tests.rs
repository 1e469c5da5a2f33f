use std::collections::BTreeMap;

use super::*;

/// Noon in UTC, some day.
const NOON_MS: i64 = ORIGIN_MS + 325 * 86_400_000 + 43_200_000;

const HOUR_MS: i64 = 3_600_000;

/// The values of a time by what they are of: router, NIC, disk, metric.
type Values = BTreeMap<(Uuid, Option<String>, Option<String>, &'static str), i64>;

fn values(rows: Vec<SimulatedRow>) -> Values {
    let mut values = Values::new();
    for row in rows {
        for (metric, value) in row.values {
            let key = (row.router, row.nic.clone(), row.disk.clone(), metric);
            assert!(values.insert(key, value).is_none(), "{metric} twice");
        }
    }
    values
}

fn is_gauge(metric: &str) -> bool {
    metric.starts_with("memory")
}

fn router<'a>(fleet: &'a Fleet, name: &str) -> &'a crate::demo::description::Router {
    fleet
        .routers
        .iter()
        .find(|router| router.name == name)
        .unwrap()
}

fn runs_at_start(fleet: &Fleet) -> impl Fn(&Uuid) -> bool + use<> {
    let running: Vec<Uuid> = fleet
        .routers
        .iter()
        .filter(|router| router.runs_at_start())
        .map(super::super::description::Router::uuid)
        .collect();
    move |uuid| running.contains(uuid)
}

/// On each segment: what was sent in all and received in all, of a metric's two sides.
fn sides(
    fleet: &Fleet,
    values: &Values,
    sent: &'static str,
    received: &'static str,
) -> Vec<(i64, i64)> {
    let sum = |segment: &Segment, metric| {
        let of = segment.members.iter().map(|member| {
            let router = &fleet.routers[member.router];
            values[&(router.uuid(), Some(router.mac(member.nic)), None, metric)]
        });
        of.collect::<Vec<_>>()
    };
    let mut sides = Vec::new();
    for segment in &fleet.segments {
        let (sent, received) = (sum(segment, sent), sum(segment, received));
        if let ([a, b], [c, d]) = (&sent[..], &received[..]) {
            sides.extend([(*a, *d), (*b, *c)]);
        }
        sides.push((sent.iter().sum(), received.iter().sum()));
    }
    sides
}

#[test]
fn what_is_sent_at_one_end_is_received_at_the_other() {
    let fleet = Fleet::embedded();
    let mut load = SimulatedLoad::new(&fleet, NOON_MS);
    // Also with routers that come and go.
    for step in 0..200 {
        let rows = load.advance_to(NOON_MS + step * 10_000, &|uuid| {
            !(uuid.as_u128() + step as u128 / 20).is_multiple_of(5)
        });
        let values = values(rows);
        for (sent, received) in sides(&fleet, &values, "transmittedBytes", "receivedBytes")
            .into_iter()
            .chain(sides(
                &fleet,
                &values,
                "transmittedPackets",
                "receivedPackets",
            ))
        {
            assert_eq!(sent, received, "step {step}");
        }
    }
}

#[test]
fn counters_never_go_back() {
    let fleet = Fleet::embedded();
    let mut load = SimulatedLoad::new(&fleet, NOON_MS);
    let mut before = Values::new();
    for step in 0..500_i64 {
        // Irregular, and once backwards.
        let at_ms = NOON_MS + step * 9_973 - if step == 250 { 60_000 } else { 0 };
        let now = values(load.advance_to(at_ms, &|uuid| {
            !(uuid.as_u128() + step as u128 / 50).is_multiple_of(7)
        }));
        for (key, value) in &now {
            assert!(*value >= 0);
            let earlier = before.get(key).copied().unwrap_or_default();
            assert!(
                is_gauge(key.3) || *value >= earlier,
                "{key:?} at step {step}"
            );
        }
        before = now;
    }
}

#[test]
fn the_same_time_has_the_same_values_however_it_was_come_to() {
    let fleet = Fleet::embedded();
    let running = runs_at_start(&fleet);
    let end = NOON_MS + HOUR_MS;
    let at_once = SimulatedLoad::new(&fleet, end).advance_to(end, &running);
    let mut load = SimulatedLoad::new(&fleet, NOON_MS);
    let in_one_step = load.advance_to(end, &running);
    assert_eq!(in_one_step, at_once);
    let mut load = SimulatedLoad::new(&fleet, NOON_MS);
    let mut in_many = Vec::new();
    for step in 0..=360 {
        in_many = load.advance_to(NOON_MS + step * 10_000, &running);
    }
    assert_eq!(in_many, at_once);
}

#[test]
fn the_past_joins_the_present_without_a_seam() {
    let fleet = Fleet::embedded();
    let begin = NOON_MS - HOUR_MS;
    let mut seeded = SimulatedLoad::new(&fleet, begin);
    let ticks: Vec<_> = seeded.seed_ticks(begin, NOON_MS, 60_000).collect();
    assert_eq!(ticks.len(), 61);
    assert_eq!((ticks[0].0, ticks[60].0), (begin, NOON_MS));
    let running = runs_at_start(&fleet);
    let live = SimulatedLoad::new(&fleet, NOON_MS).advance_to(NOON_MS, &running);
    let stopped = router(&fleet, "staging-b").uuid();
    let paused = router(&fleet, "staging-c").uuid();
    let expected: Vec<_> = live
        .into_iter()
        .filter(|row| row.router != stopped)
        .collect();
    assert_eq!(ticks[60].1, expected);
    // What is paused is there, and stands still; what is shut off is not there.
    let of = |tick: usize, uuid| {
        let rows = ticks[tick].1.iter().filter(|row| row.router == uuid);
        let mut counters = values(rows.cloned().collect());
        counters.retain(|key, _| !is_gauge(key.3));
        counters
    };
    assert!(of(30, stopped).is_empty());
    assert!(!of(30, paused).is_empty());
    assert_eq!(of(30, paused), of(60, paused));
}

#[test]
fn a_router_that_does_not_run_carries_nothing_nor_do_its_neighbours_to_it() {
    let fleet = Fleet::embedded();
    let stopped = router(&fleet, "metro-lapa").uuid();
    let mut load = SimulatedLoad::new(&fleet, NOON_MS);
    let running = runs_at_start(&fleet);
    let before = values(load.advance_to(NOON_MS, &running));
    let after =
        values(load.advance_to(NOON_MS + HOUR_MS, &|uuid| *uuid != stopped && running(uuid)));
    let again = values(load.advance_to(NOON_MS + 2 * HOUR_MS, &running));
    let mac = |name: &str, nic| Some(router(&fleet, name).mac(nic));
    let of = |values: &Values, name: &str, nic| {
        values[&(
            router(&fleet, name).uuid(),
            mac(name, nic),
            None,
            "transmittedBytes",
        )]
    };
    for (key, value) in before
        .iter()
        .filter(|(key, _)| key.0 == stopped && !is_gauge(key.3))
    {
        assert_eq!(after[key], *value, "{key:?}");
        assert!(
            again[key] > *value || key.3.contains("rror") || key.3.contains("ropped"),
            "{key:?}"
        );
    }
    // The neighbour's NIC towards it stands still too, the one away from it does not.
    let (towards, away) = (1, 0);
    assert_eq!(
        of(&after, "metro-pinheiros", towards),
        of(&before, "metro-pinheiros", towards)
    );
    assert!(of(&after, "metro-pinheiros", away) > of(&before, "metro-pinheiros", away));
}

#[test]
fn the_load_of_a_day_is_plausible() {
    let fleet = Fleet::embedded();
    let begin = NOON_MS - 24 * HOUR_MS;
    let mut load = SimulatedLoad::new(&fleet, begin);
    let ticks: Vec<_> = load
        .seed_ticks(begin, NOON_MS, 60_000)
        .map(|(at_ms, rows)| (at_ms, values(rows)))
        .collect();
    let hub = router(&fleet, "bb-rio");
    let key = (hub.uuid(), Some(hub.mac(0)), None, "transmittedBytes");
    let mut by_hour = [0.0; 24];
    let mut rates = Vec::new();
    for pair in ticks.windows(2) {
        let ((_, before), (at_ms, now)) = (&pair[0], &pair[1]);
        for router in &fleet.routers {
            let own = |metric| (router.uuid(), None, None, metric);
            let Some(cpu) = now.get(&own("cpuTime")) else {
                continue;
            };
            let cores = (cpu - before[&own("cpuTime")]) as f64 / 60e9;
            assert!(
                cores < f64::from(router.vcpus),
                "{}: {cores} cores",
                router.name
            );
            let (used, maximum) = (now[&own("memoryUsed")], now[&own("memoryMaximum")]);
            assert_eq!(maximum as u64, router.memory_mebibytes << 20);
            assert!(
                used > maximum / 10 && used < maximum * 9 / 10,
                "{}",
                router.name
            );
        }
        let bits = (now[&key] - before[&key]) as f64 * 8.0 / 60.0;
        assert!(bits > 1e6 && bits < 5e9, "{bits}");
        rates.push(bits);
        by_hour[(at_ms / HOUR_MS % 24) as usize] += bits / 60e6;
    }
    // Small hours in Brazil against the evening there.
    assert!(by_hour[23] > 1.5 * by_hour[7], "{by_hour:?}");
    // It bursts: the busiest minute is far above the middle one.
    rates.sort_unstable_by(f64::total_cmp);
    assert!(rates[rates.len() - 1] > 1.6 * rates[rates.len() / 2]);
    // What is lost is little, but there is some.
    let total = |metric: &str| -> i64 {
        let of = ticks[ticks.len() - 1]
            .1
            .iter()
            .filter(|(key, _)| key.3 == metric);
        of.map(|(_, value)| value).sum()
    };
    assert!(total("receiveDropped") > 0);
    assert!(total("receiveDropped") < total("receivedPackets") / 10_000);
}

#[test]
fn every_metric_is_one_that_the_operations_know() {
    let fleet = Fleet::embedded();
    let rows = SimulatedLoad::new(&fleet, NOON_MS).advance_to(NOON_MS, &|_| true);
    for row in rows {
        let of = match (&row.nic, &row.disk) {
            (Some(_), _) => "interface",
            (None, Some(_)) => "disk",
            (None, None) => "router",
        };
        let mut given: Vec<_> = row.values.iter().map(|(metric, _)| *metric).collect();
        let known = api::Metric::ALL
            .iter()
            .filter(|metric| metric.measured_of() == of);
        let mut known: Vec<_> = known.map(|metric| metric.as_str()).collect();
        given.sort_unstable();
        known.sort_unstable();
        assert_eq!(given, known);
    }
}
