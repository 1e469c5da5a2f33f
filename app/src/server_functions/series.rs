//! Measurements over time, as compact as a chart needs them.

use api::{MacAddress, QueryHistoryReply, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How far a chart looks back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Range {
    /// One hour.
    #[default]
    #[serde(rename = "1h")]
    Hour,
    /// Six hours.
    #[serde(rename = "6h")]
    SixHours,
    /// A day.
    #[serde(rename = "24h")]
    Day,
}

impl Range {
    /// All, shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::SixHours, Self::Day];

    /// As in an address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::SixHours => "6h",
            Self::Day => "24h",
        }
    }

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Hour => "1 h",
            Self::SixHours => "6 h",
            Self::Day => "24 h",
        }
    }

    /// Its length in seconds.
    pub fn seconds(self) -> u32 {
        match self {
            Self::Hour => 3600,
            Self::SixHours => 6 * 3600,
            Self::Day => 24 * 3600,
        }
    }

    /// The step of its points in seconds: 120 points, a few pixels each.
    pub fn step_seconds(self) -> u32 {
        self.seconds() / 120
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|range| range.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not a range: 1h, 6h or 24h was expected"))
    }
}

/// One line of a chart: a value, or nothing, a step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// The end of the first step, in milliseconds since 1970.
    pub first: i64,
    /// The length of a step in milliseconds.
    pub step: i64,
    /// The values; nothing where nothing was measured.
    pub values: Vec<Option<f32>>,
    /// Whether any was made up for the demo fleet.
    pub simulated: bool,
}

impl Series {
    /// Takes a reply's points, each times `factor`.
    pub fn new(reply: &QueryHistoryReply, factor: f64) -> Self {
        Self {
            first: reply
                .points
                .first()
                .map_or(0, |point| point.at.as_millisecond()),
            step: i64::from(reply.step_seconds) * 1000,
            values: reply
                .points
                .iter()
                .map(|point| {
                    point
                        .value
                        .map(|value| (value * factor) as f32)
                        .filter(|value| value.is_finite())
                })
                .collect(),
            simulated: reply.simulated,
        }
    }

    /// Least and greatest of the values; `None` without any.
    pub fn extent(&self) -> Option<(f32, f32)> {
        self.values.iter().flatten().fold(None, |extent, &value| {
            Some(
                extent.map_or((value, value), |(least, greatest): (f32, f32)| {
                    (least.min(value), greatest.max(value))
                }),
            )
        })
    }

    /// The last value and the time it was measured at, in milliseconds.
    pub fn last(&self) -> Option<(i64, f32)> {
        let index = self.values.iter().rposition(Option::is_some)?;
        Some((self.time(index), self.values[index]?))
    }

    /// The end of step `index`, in milliseconds since 1970.
    pub fn time(&self, index: usize) -> i64 {
        self.first + self.step * index as i64
    }

    /// The step that covers `time` (milliseconds since 1970), and its value.
    pub fn at(&self, time: i64) -> Option<(usize, Option<f32>)> {
        if self.step <= 0 {
            return None;
        }
        let index = (time - self.first + self.step - 1).div_euclid(self.step);
        let index = usize::try_from(index).ok()?;
        self.values.get(index).map(|value| (index, *value))
    }
}

/// A router over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RouterHistory {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// How far it looks back.
    pub range: Range,
    /// Processors in use: 1 is one fully used.
    pub cpu: Series,
    /// Its interfaces.
    pub interfaces: Vec<InterfaceHistory>,
}

/// An interface over time, in bit/s, from the router's point of view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InterfaceHistory {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// How far it looks back.
    pub range: Range,
    /// The interface.
    pub mac: MacAddress,
    /// Received.
    pub received: Series,
    /// Sent.
    pub transmitted: Series,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series() -> Series {
        Series {
            first: 30_000,
            step: 30_000,
            values: vec![Some(1.0), None, Some(4.0), None],
            simulated: false,
        }
    }

    #[test]
    fn a_step_covers_the_time_up_to_and_with_its_end() {
        let series = series();
        assert_eq!(series.at(1), Some((0, Some(1.0))));
        assert_eq!(series.at(30_000), Some((0, Some(1.0))));
        assert_eq!(series.at(30_001), Some((1, None)));
        assert_eq!(series.at(90_000), Some((2, Some(4.0))));
        assert_eq!(series.at(-30_000), None);
        assert_eq!(series.at(1_000_000), None);
        assert_eq!(Series::default().at(0), None);
    }

    #[test]
    fn gaps_count_for_nothing() {
        let series = series();
        assert_eq!(series.extent(), Some((1.0, 4.0)));
        assert_eq!(series.last(), Some((90_000, 4.0)));
        assert_eq!(Series::default().extent(), None);
    }
}
