//! From samples to points, without a database: the meaning of every number that a query answers.
//!
//! The rules are stated where a caller reads them, at [`Query`], [`Aggregation`] and [`Point`].

use crate::{Aggregation, Error, MAXIMUM_POINTS, MAXIMUM_TIME_MS, Point, Query, Series};

/// One value of the metric asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub at_ms: i64,
    pub value: i64,
    pub simulated: bool,
}

/// A checked query: its buckets, and the samples that it needs.
#[derive(Debug)]
pub(crate) struct Plan {
    aggregation: Aggregation,
    step_ms: i64,
    interval_ms: i64,
    /// Number of the first bucket; bucket `n` is (`(n - 1) * step_ms`, `n * step_ms`].
    first: i64,
    /// Number of the last bucket.
    last: i64,
}

impl Plan {
    pub fn new(query: &Query) -> Result<Plan, Error> {
        let times = -MAXIMUM_TIME_MS..=MAXIMUM_TIME_MS;
        let lengths = 1..=MAXIMUM_TIME_MS;
        if !times.contains(&query.start_ms) || !times.contains(&query.end_ms) {
            return Err(Error::InvalidQuery(format!(
                "start and end must be milliseconds since the epoch, at most {MAXIMUM_TIME_MS} \
                 before or after it, not {} and {}",
                query.start_ms, query.end_ms
            )));
        }
        if query.start_ms >= query.end_ms {
            return Err(Error::InvalidQuery(format!(
                "the start of the range ({} ms) must be before its end ({} ms)",
                query.start_ms, query.end_ms
            )));
        }
        for (name, length) in [("step", query.step_ms), ("interval", query.interval_ms)] {
            if !lengths.contains(&length) {
                return Err(Error::InvalidQuery(format!(
                    "the {name} must be from 1 to {MAXIMUM_TIME_MS} ms, not {length}"
                )));
            }
        }
        // A range that begins and ends within buckets touches one more than fit into it.
        let length_ms = query.end_ms - query.start_ms;
        let smallest_step_ms = ceil_div(length_ms, MAXIMUM_POINTS - 1);
        if query.step_ms < smallest_step_ms {
            return Err(Error::TooManyPoints {
                length_ms,
                smallest_step_ms,
            });
        }
        Ok(Plan {
            aggregation: query.aggregation,
            step_ms: query.step_ms,
            interval_ms: query.interval_ms,
            first: query.start_ms.div_euclid(query.step_ms) + 1,
            last: ceil_div(query.end_ms, query.step_ms),
        })
    }

    /// The samples needed are later than this: those of the first bucket, and the one before
    /// them if it is near enough to matter.
    pub fn samples_after_ms(&self) -> i64 {
        (self.first - 1) * self.step_ms - self.longest_silence_ms()
    }

    /// The samples needed are no later than this.
    pub fn samples_until_ms(&self) -> i64 {
        self.last * self.step_ms
    }

    /// Folds the samples, in order of time, into points.
    pub fn fold(&self, samples: impl IntoIterator<Item = Sample>) -> Series {
        let count = self.last - self.first + 1;
        let mut buckets = vec![Bucket::default(); usize::try_from(count).unwrap_or_default()];
        let mut previous: Option<Sample> = None;
        for sample in samples {
            let before = previous
                .replace(sample)
                .filter(|before| sample.at_ms - before.at_ms <= self.longest_silence_ms());
            let number = ceil_div(sample.at_ms, self.step_ms);
            let bucket = usize::try_from(number - self.first)
                .ok()
                .and_then(|index| buckets.get_mut(index));
            // Only the sample before the first bucket has none.
            if let Some(bucket) = bucket {
                match self.aggregation {
                    Aggregation::Rate => bucket.add_increase(before, sample),
                    _ => bucket.add_value(before, sample, self.interval_ms),
                }
            }
        }
        let points: Vec<Point> = (self.first..)
            .zip(&buckets)
            .map(|(number, bucket)| Point {
                at_ms: number * self.step_ms,
                value: bucket.value(self.aggregation),
                coverage: (bucket.observed_ms as f64 / self.step_ms as f64).min(1.0),
                simulated: bucket.simulated,
            })
            .collect();
        Series {
            simulated: points.iter().any(|point| point.simulated),
            points,
        }
    }

    fn longest_silence_ms(&self) -> i64 {
        self.interval_ms * 5 / 2
    }
}

/// What is known of a bucket while it is filled. Sums are wider than the values, for nothing
/// keeps a caller from storing the largest of them.
#[derive(Clone, Debug, Default)]
struct Bucket {
    samples: u32,
    sum: i128,
    minimum: i64,
    maximum: i64,
    last: i64,
    observed_ms: i64,
    simulated: bool,
}

impl Bucket {
    fn add_value(&mut self, before: Option<Sample>, sample: Sample, interval_ms: i64) {
        let value = sample.value;
        if self.samples == 0 {
            (self.minimum, self.maximum) = (value, value);
        }
        self.minimum = self.minimum.min(value);
        self.maximum = self.maximum.max(value);
        self.last = value;
        self.sum += i128::from(value);
        self.samples += 1;
        self.observed_ms += before.map_or(interval_ms, |before| sample.at_ms - before.at_ms);
        self.simulated |= sample.simulated;
    }

    fn add_increase(&mut self, before: Option<Sample>, sample: Sample) {
        let Some(before) = before.filter(|before| before.simulated == sample.simulated) else {
            return;
        };
        self.sum += if sample.value >= before.value {
            i128::from(sample.value) - i128::from(before.value)
        } else {
            i128::from(sample.value)
        };
        self.samples += 1;
        self.observed_ms += sample.at_ms - before.at_ms;
        self.simulated |= sample.simulated;
    }

    fn value(&self, aggregation: Aggregation) -> Option<f64> {
        (self.samples > 0).then(|| match aggregation {
            Aggregation::Average => self.sum as f64 / f64::from(self.samples),
            Aggregation::Minimum => self.minimum as f64,
            Aggregation::Maximum => self.maximum as f64,
            Aggregation::Last => self.last as f64,
            Aggregation::Rate => self.sum as f64 / (self.observed_ms as f64 / 1000.0),
        })
    }
}

/// Division that rounds up, for a positive divisor.
fn ceil_div(dividend: i64, divisor: i64) -> i64 {
    -(-dividend).div_euclid(divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(aggregation: Aggregation, start_ms: i64, end_ms: i64, step_ms: i64) -> Query {
        Query {
            entity: "r1".to_owned(),
            metric: "m".to_owned(),
            start_ms,
            end_ms,
            step_ms,
            aggregation,
            interval_ms: 10_000,
        }
    }

    /// Times in seconds; the answer as (right edge in seconds, value, coverage).
    fn fold(
        aggregation: Aggregation,
        (start, end, step): (i64, i64, i64),
        samples: &[(i64, i64)],
    ) -> Vec<(i64, Option<f64>, f64)> {
        let query = query(aggregation, start * 1000, end * 1000, step * 1000);
        let plan = Plan::new(&query).unwrap();
        let samples = samples.iter().map(|&(at, value)| Sample {
            at_ms: at * 1000,
            value,
            simulated: false,
        });
        let points = plan.fold(samples).points;
        points
            .iter()
            .map(|point| (point.at_ms / 1000, point.value, point.coverage))
            .collect()
    }

    #[test]
    fn a_sample_on_an_edge_belongs_to_the_bucket_that_ends_there() {
        assert_eq!(
            fold(Aggregation::Last, (0, 60, 30), &[(30, 7), (31, 8)]),
            [(30, Some(7.0), 10.0 / 30.0), (60, Some(8.0), 1.0 / 30.0)]
        );
    }

    #[test]
    fn buckets_are_whole_and_aligned_to_the_epoch_whatever_the_range() {
        let samples = [(40, 1), (50, 2), (60, 3), (70, 4)];
        let asked_whole = fold(Aggregation::Average, (30, 60, 30), &samples);
        let asked_partly = fold(Aggregation::Average, (45, 46, 30), &samples);
        assert_eq!(asked_whole, [(60, Some(2.0), 1.0)]);
        assert_eq!(asked_partly, asked_whole);
        let touching_two = fold(Aggregation::Average, (45, 61, 30), &samples);
        assert_eq!(touching_two[1].0, 90);
    }

    #[test]
    fn buckets_before_the_epoch_are_aligned_as_those_after_it() {
        assert_eq!(
            fold(
                Aggregation::Last,
                (-60, 0, 30),
                &[(-30, 1), (-29, 2), (0, 3)]
            ),
            [
                (-30, Some(1.0), 10.0 / 30.0),
                (0, Some(3.0), (1.0 + 10.0) / 30.0)
            ]
        );
    }

    #[test]
    fn values_aggregate_by_their_samples() {
        let samples = [(10, 4), (20, -2), (30, 7)];
        for (aggregation, expected) in [
            (Aggregation::Average, 3.0),
            (Aggregation::Minimum, -2.0),
            (Aggregation::Maximum, 7.0),
            (Aggregation::Last, 7.0),
        ] {
            assert_eq!(
                fold(aggregation, (0, 30, 30), &samples),
                [(30, Some(expected), 1.0)],
                "{aggregation:?}"
            );
        }
    }

    #[test]
    fn an_increase_across_an_edge_belongs_to_the_later_samples_bucket() {
        // (25, 35] crosses the edge at 30: its 100 are all the second bucket's.
        let samples = [
            (5, 0),
            (15, 100),
            (25, 200),
            (35, 300),
            (45, 400),
            (55, 500),
        ];
        assert_eq!(
            fold(Aggregation::Rate, (0, 60, 30), &samples),
            [(30, Some(10.0), 20.0 / 30.0), (60, Some(10.0), 1.0)]
        );
    }

    #[test]
    fn the_sample_before_the_range_counts_for_the_first_increase() {
        assert_eq!(
            fold(
                Aggregation::Rate,
                (60, 90, 30),
                &[(55, 0), (65, 100), (75, 150)]
            ),
            [(90, Some(7.5), 20.0 / 30.0)]
        );
    }

    #[test]
    fn a_lower_value_is_a_reset_and_counts_from_nothing() {
        // 100, then anew up to 30, then 20 more.
        let samples = [(10, 1000), (20, 1100), (30, 30), (40, 50)];
        assert_eq!(
            fold(Aggregation::Rate, (0, 60, 60), &samples),
            [(60, Some(150.0 / 30.0), 0.5)]
        );
    }

    #[test]
    fn silence_over_two_and_a_half_intervals_is_a_gap() {
        // 25 s of silence is none yet.
        assert_eq!(
            fold(Aggregation::Rate, (0, 60, 60), &[(10, 0), (35, 250)]),
            [(60, Some(10.0), 25.0 / 60.0)]
        );
        // 26 s is: the increase across it is not known to have happened now.
        assert_eq!(
            fold(Aggregation::Rate, (0, 60, 60), &[(10, 0), (36, 260)]),
            [(60, None, 0.0)]
        );
        // A value after a gap speaks for one interval.
        assert_eq!(
            fold(Aggregation::Average, (0, 60, 60), &[(10, 2), (36, 4)]),
            [(60, Some(3.0), 20.0 / 60.0)]
        );
    }

    #[test]
    fn a_gap_is_points_without_value() {
        let samples = [(10, 1), (20, 2), (30, 3), (120, 4)];
        assert_eq!(
            fold(Aggregation::Last, (0, 120, 30), &samples),
            [
                (30, Some(3.0), 1.0),
                (60, None, 0.0),
                (90, None, 0.0),
                (120, Some(4.0), 10.0 / 30.0)
            ]
        );
    }

    #[test]
    fn coverage_never_exceeds_the_bucket() {
        assert_eq!(
            fold(
                Aggregation::Rate,
                (10, 20, 5),
                &[(0, 0), (11, 11), (20, 20)]
            ),
            [(15, Some(1.0), 1.0), (20, Some(1.0), 1.0)]
        );
    }

    #[test]
    fn nothing_is_taken_between_a_simulated_and_a_measured_sample() {
        let plan = Plan::new(&query(Aggregation::Rate, 0, 60_000, 30_000)).unwrap();
        let sample = |at: i64, value, simulated| Sample {
            at_ms: at * 1000,
            value,
            simulated,
        };
        let series = plan.fold([
            sample(10, 0, true),
            sample(20, 10, true),
            sample(30, 20, true),
            sample(40, 9000, false),
            sample(50, 9100, false),
        ]);
        assert!(series.simulated);
        assert_eq!(series.points[0].value, Some(1.0));
        assert!(series.points[0].simulated);
        assert_eq!(series.points[1].value, Some(10.0));
        assert!(!series.points[1].simulated);
    }

    #[test]
    fn the_largest_values_do_not_overflow() {
        let edges = [(10, i64::MIN), (20, i64::MAX), (30, i64::MAX)];
        assert_eq!(
            fold(Aggregation::Rate, (0, 30, 30), &edges)[0].1,
            Some((i128::from(i64::MAX) - i128::from(i64::MIN)) as f64 / 20.0)
        );
        assert!(
            fold(Aggregation::Average, (0, 30, 30), &edges)[0]
                .1
                .is_some()
        );
    }

    #[test]
    fn the_cap_on_points_tells_the_smallest_step() {
        let day = 24 * 3600 * 1000;
        let error = Plan::new(&query(Aggregation::Last, 0, day, 1000)).unwrap_err();
        let Error::TooManyPoints {
            smallest_step_ms, ..
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!(smallest_step_ms, 7856); // 86,400,000 / 10,999, rounded up
        assert!(error.to_string().contains("at least 7856 ms"), "{error}");
        // What it tells is taken, wherever the range begins, and gives no more than the cap.
        for start in [0, 1, smallest_step_ms - 1] {
            let query = query(Aggregation::Last, start, start + day, smallest_step_ms);
            let plan = Plan::new(&query).unwrap();
            assert!(plan.fold([]).points.len() <= MAXIMUM_POINTS as usize);
        }
    }

    #[test]
    fn a_senseless_query_is_refused_by_name() {
        let good = query(Aggregation::Last, 0, 60_000, 10_000);
        assert!(Plan::new(&good).is_ok());
        for (bad, word) in [
            (
                Query {
                    end_ms: 0,
                    ..good.clone()
                },
                "before its end",
            ),
            (
                Query {
                    step_ms: 0,
                    ..good.clone()
                },
                "the step",
            ),
            (
                Query {
                    interval_ms: -1,
                    ..good.clone()
                },
                "the interval",
            ),
            (
                Query {
                    start_ms: i64::MIN,
                    ..good.clone()
                },
                "start and end",
            ),
            (
                Query {
                    end_ms: i64::MAX,
                    ..good.clone()
                },
                "start and end",
            ),
        ] {
            let error = Plan::new(&bad).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
