//! The store against a model that is too simple to be wrong: for every bucket it looks at every
//! sample.

use std::sync::atomic::{AtomicU64, Ordering};

use history::{Aggregation, History, Point, Query, Row, Tick};
use proptest::prelude::*;

use crate::place;

#[derive(Clone, Copy, Debug)]
struct Sample {
    at_ms: i64,
    value: i64,
    simulated: bool,
}

/// What the documentation of `Query`, `Aggregation` and `Point` says, word by word.
fn model(query: &Query, samples: &[Sample]) -> Vec<Point> {
    let step = query.step_ms;
    let is_gap =
        |a: &Sample, b: &Sample| (b.at_ms - a.at_ms) as f64 > 2.5 * query.interval_ms as f64;
    let mut points = Vec::new();
    // Far enough before any range of the test, at a multiple of the step.
    let mut right = -1000 * step;
    loop {
        right += step;
        let left = right - step;
        if right <= query.start_ms {
            continue;
        }
        if left >= query.end_ms {
            return points;
        }
        let mut values = Vec::new();
        let mut increase = 0.0;
        let mut observed = 0;
        let mut simulated = false;
        for (index, sample) in samples.iter().enumerate() {
            if sample.at_ms <= left || sample.at_ms > right {
                continue;
            }
            let before = index.checked_sub(1).map(|index| &samples[index]);
            let before = before.filter(|before| !is_gap(before, sample));
            if query.aggregation == Aggregation::Rate {
                if let Some(before) = before.filter(|b| b.simulated == sample.simulated) {
                    let from = if sample.value < before.value {
                        0
                    } else {
                        before.value
                    };
                    increase += (sample.value - from) as f64;
                    observed += sample.at_ms - before.at_ms;
                    simulated |= sample.simulated;
                }
            } else {
                values.push(sample.value as f64);
                observed += before.map_or(query.interval_ms, |b| sample.at_ms - b.at_ms);
                simulated |= sample.simulated;
            }
        }
        let value = match query.aggregation {
            Aggregation::Average => {
                let sum: f64 = values.iter().sum();
                (!values.is_empty()).then(|| sum / values.len() as f64)
            }
            Aggregation::Minimum => values.iter().copied().reduce(f64::min),
            Aggregation::Maximum => values.iter().copied().reduce(f64::max),
            Aggregation::Last => values.last().copied(),
            Aggregation::Rate => (observed > 0).then(|| increase * 1000.0 / observed as f64),
        };
        points.push(Point {
            at_ms: right,
            value,
            coverage: f64::min(1.0, observed as f64 / step as f64),
            simulated,
        });
    }
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    // Mostly regular, sometimes early or late, sometimes silent; mostly rising.
    let spacing = prop_oneof![
        6 => Just(100_i64), 3 => 1..260_i64, 1 => Just(250_i64), 1 => Just(251_i64), 1 => 260..2000_i64
    ];
    let rise = prop_oneof![5 => 0..1000_i64, 1 => -5000..0_i64];
    let simulated = prop_oneof![9 => Just(true), 1 => Just(false)];
    let steps = prop::collection::vec((spacing, rise, simulated), 0..60);
    (-1500..1500_i64, steps).prop_map(|(start, steps)| {
        let (mut at_ms, mut value) = (start, 0);
        let mut samples = Vec::new();
        for (spacing, rise, simulated) in steps {
            at_ms += spacing;
            value = i64::max(0, value + rise);
            samples.push(Sample {
                at_ms,
                value,
                simulated,
            });
        }
        samples
    })
}

fn aggregation() -> impl Strategy<Value = Aggregation> {
    prop::sample::select(vec![
        Aggregation::Average,
        Aggregation::Minimum,
        Aggregation::Maximum,
        Aggregation::Last,
        Aggregation::Rate,
    ])
}

#[test]
fn the_store_answers_as_the_model_does() {
    let (_directory, path) = place();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let history = runtime.block_on(History::open(&path)).unwrap();
    let cases = AtomicU64::new(0);
    let config = ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..Default::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let input = (
        samples(),
        aggregation(),
        20..900_i64,
        -2000..4000_i64,
        1..4000_i64,
    );
    runner
        .run(
            &input,
            |(samples, aggregation, step_ms, start_ms, length)| {
                let case = cases.fetch_add(1, Ordering::Relaxed);
                let entity = format!("case {case}");
                let ticks = samples.iter().map(|sample| Tick {
                    at_ms: sample.at_ms,
                    rows: vec![Row {
                        entity: entity.clone(),
                        simulated: sample.simulated,
                        values: vec![("other".to_owned(), -1), ("n".to_owned(), sample.value)],
                    }],
                });
                runtime
                    .block_on(history.append_many(ticks.collect()))
                    .unwrap();
                let query = Query {
                    entity: entity.clone(),
                    metric: "n".to_owned(),
                    start_ms,
                    end_ms: start_ms + length,
                    step_ms,
                    aggregation,
                    interval_ms: 100,
                };
                let series = runtime.block_on(history.query(&query)).unwrap();
                let expected = model(&query, &samples);
                prop_assert_eq!(
                    series.simulated,
                    expected.iter().any(|point| point.simulated)
                );
                prop_assert_eq!(series.points.len(), expected.len());
                for (found, expected) in series.points.iter().zip(&expected) {
                    prop_assert_eq!(found.at_ms, expected.at_ms);
                    prop_assert_eq!(found.simulated, expected.simulated);
                    prop_assert!((found.coverage - expected.coverage).abs() < 1e-9);
                    match (found.value, expected.value) {
                        (Some(a), Some(b)) => {
                            prop_assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{} {}", a, b);
                        }
                        (a, b) => prop_assert_eq!(a, b),
                    }
                }
                Ok(())
            },
        )
        .unwrap();
    runtime.block_on(history.close());
}
