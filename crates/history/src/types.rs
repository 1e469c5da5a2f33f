//! What goes into the history and what comes out.

/// The most points that one query may return.
pub const MAXIMUM_POINTS: i64 = 11_000;

/// The latest time that the history takes, and the longest step: the end of the year 9999, in
/// milliseconds since the epoch. Its negative is the earliest.
pub const MAXIMUM_TIME_MS: i64 = 253_402_300_799_999;

/// What was measured at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The instant, in milliseconds since the epoch.
    pub at_ms: i64,
    /// One row an entity; of two rows of one entity the last one counts.
    pub rows: Vec<Row>,
}

/// The values of one entity at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The entity's name, unique in the file.
    pub entity: String,
    /// Whether the values were made up and not measured. Comes back with every point.
    pub simulated: bool,
    /// Metric and value; no metric twice, no line break in a name. Giving the metrics of an
    /// entity in the same order every time keeps the file small.
    pub values: Vec<(String, i64)>,
}

/// One metric of one entity over a range.
///
/// The range is covered by buckets of `step_ms` whose edges are multiples of `step_ms` since the
/// epoch. A bucket is open to the left and closed to the right: with a step of a minute, a sample
/// of 12:00:00 belongs to the bucket that ends there. The answer has every bucket that shares
/// time with (`start_ms`, `end_ms`], each whole, so that a bucket has the same value whichever
/// range it is asked through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The entity's name.
    pub entity: String,
    /// The metric's name.
    pub metric: String,
    /// Start of the range, exclusive, in milliseconds since the epoch.
    pub start_ms: i64,
    /// End of the range, inclusive, in milliseconds since the epoch.
    pub end_ms: i64,
    /// Length of a bucket, in milliseconds.
    pub step_ms: i64,
    /// How the samples in a bucket become one value.
    pub aggregation: Aggregation,
    /// How often a sample was to be expected, in milliseconds. A silence of more than 2.5 times
    /// as long is a gap. Where spacing changed over the range, give the longest.
    pub interval_ms: i64,
}

/// How the samples in a bucket become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregation {
    /// The mean of the samples, each counting alike.
    Average,
    /// The smallest sample.
    Minimum,
    /// The largest sample.
    Maximum,
    /// The last sample.
    Last,
    /// For counters: the increase per second.
    ///
    /// The increase is summed from sample to sample and divided by the seconds between them. A
    /// value lower than the one before means that the counter began anew: the increase is the new
    /// value. The increase between two samples on either side of a bucket's edge belongs, with
    /// its seconds, whole to the bucket of the later one. No increase is taken across a gap, nor
    /// between a simulated and a measured sample.
    Rate,
}

/// The answer to a [`Query`].
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// One point a bucket, in order of time, none left out.
    pub points: Vec<Point>,
    /// Whether any point is simulated.
    pub simulated: bool,
}

/// One bucket of a [`Series`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The bucket's right edge, in milliseconds since the epoch.
    pub at_ms: i64,
    /// The aggregated value; none where nothing was observed. Never interpolated, never bridged.
    pub value: Option<f64>,
    /// The share of the bucket that was observed, from 0 to 1.
    ///
    /// A sample observes the time since the one before it, all of it counted in the sample's own
    /// bucket. After a gap it observes one interval, or nothing where the aggregation is a rate,
    /// which takes two samples.
    pub coverage: f64,
    /// Whether a simulated sample is in the value.
    pub simulated: bool,
}

/// The last row of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    /// When it was, in milliseconds since the epoch.
    pub at_ms: i64,
    /// Metric and value, as they were appended.
    pub values: Vec<(String, i64)>,
    /// Whether the values were made up and not measured.
    pub simulated: bool,
}

impl Latest {
    /// The value of a metric, if the row has it.
    pub fn value(&self, metric: &str) -> Option<i64> {
        let found = self.values.iter().find(|(name, _)| name == metric)?;
        Some(found.1)
    }
}
