//! What a tick of a large fleet costs, and a day's chart.

#![allow(missing_docs)] // of the functions that the macros make

use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use history::{Aggregation, History, Query, Row, Tick};
use tokio::runtime::Runtime;

const METRICS: [&str; 10] = [
    "cpuTime",
    "memoryUsed",
    "receivedBytes",
    "transmittedBytes",
    "receivedPackets",
    "transmittedPackets",
    "receiveErrors",
    "transmitErrors",
    "receiveDropped",
    "transmitDropped",
];

fn tick(at_ms: i64, entities: i64) -> Tick {
    let row = |entity: i64| Row {
        entity: format!("router-{entity:05}"),
        simulated: false,
        values: (0..)
            .zip(METRICS)
            .map(|(n, metric)| {
                let value = if n < 6 {
                    at_ms * (1000 + entity) * (n + 1)
                } else {
                    entity
                };
                (metric.to_owned(), value)
            })
            .collect(),
    };
    Tick {
        at_ms,
        rows: (0..entities).map(row).collect(),
    }
}

fn append(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a run time");
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("history.db");
    let history = runtime.block_on(History::open(&path)).expect("a history");
    let mut group = criterion.benchmark_group("append");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(10))
        .throughput(Throughput::Elements(10_000 * METRICS.len() as u64));
    let mut at_ms = 0;
    group.bench_function("tick of 10,000 entities x 10 metrics", |bencher| {
        bencher.iter_batched(
            || {
                at_ms += 10_000;
                tick(at_ms, 10_000)
            },
            |tick| runtime.block_on(history.append(tick)).expect("appended"),
            BatchSize::PerIteration,
        );
    });
    group.finish();
    runtime.block_on(history.close());
}

fn query(criterion: &mut Criterion) {
    const DAY_MS: i64 = 24 * 3600 * 1000;
    let runtime = Runtime::new().expect("a run time");
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("history.db");
    let history = runtime.block_on(History::open(&path)).expect("a history");
    let day = (1..=DAY_MS / 10_000)
        .map(|number| tick(number * 10_000, 10))
        .collect();
    runtime.block_on(history.append_many(day)).expect("a day");
    let query = Query {
        entity: "router-00003".to_owned(),
        metric: "receivedBytes".to_owned(),
        start_ms: 0,
        end_ms: DAY_MS,
        step_ms: 300_000,
        aggregation: Aggregation::Rate,
        interval_ms: 10_000,
    };
    let mut group = criterion.benchmark_group("query");
    group.throughput(Throughput::Elements((DAY_MS / 10_000) as u64));
    group.bench_function("24 h at 10 s in steps of 5 min", |bencher| {
        bencher.iter(|| runtime.block_on(history.query(&query)).expect("a series"));
    });
    group.bench_function("latest", |bencher| {
        bencher.iter(|| {
            runtime
                .block_on(history.latest("router-00003"))
                .expect("a row")
        });
    });
    group.finish();
    runtime.block_on(history.close());
}

criterion_group!(benches, append, query);
criterion_main!(benches);
