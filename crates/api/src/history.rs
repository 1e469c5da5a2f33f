//! Measurements over time.

use crate::{HostFreshness, MacAddress, RouterId, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $unit:literal, $of:literal, $counter:literal;)*) => {
        /// What can be measured of a router, its interfaces and its disks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "soap", derive(soap::Message))]
        #[serde(rename_all = "camelCase")]
        pub enum Metric {
            $($(#[$doc])* $name,)*
        }

        impl Metric {
            /// Every metric.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name, the same in requests, replies and the store.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The unit of a sample.
            pub fn unit(self) -> &'static str {
                match self { $(Self::$name => $unit,)* }
            }

            /// What it is measured of: `router`, `interface` or `disk`.
            pub fn measured_of(self) -> &'static str {
                match self { $(Self::$name => $of,)* }
            }

            /// Whether it only grows, until what it counts starts anew.
            pub fn is_counter(self) -> bool {
                match self { $(Self::$name => $counter,)* }
            }
        }
    };
}

metrics! {
    /// Processor time used, in nanoseconds.
    CpuTime = "cpuTime", "ns", "router", true;
    /// Memory in use inside the guest, in bytes.
    MemoryUsed = "memoryUsed", "B", "router", false;
    /// Memory given to the guest, in bytes.
    MemoryMaximum = "memoryMaximum", "B", "router", false;
    /// Bytes received.
    ReceivedBytes = "receivedBytes", "B", "interface", true;
    /// Bytes sent.
    TransmittedBytes = "transmittedBytes", "B", "interface", true;
    /// Packets received.
    ReceivedPackets = "receivedPackets", "packets", "interface", true;
    /// Packets sent.
    TransmittedPackets = "transmittedPackets", "packets", "interface", true;
    /// Receive errors.
    ReceiveErrors = "receiveErrors", "packets", "interface", true;
    /// Transmit errors.
    TransmitErrors = "transmitErrors", "packets", "interface", true;
    /// Packets dropped when received.
    ReceiveDropped = "receiveDropped", "packets", "interface", true;
    /// Packets dropped when sent.
    TransmitDropped = "transmitDropped", "packets", "interface", true;
    /// Bytes read from a disk.
    ReadBytes = "readBytes", "B", "disk", true;
    /// Bytes written to a disk.
    WrittenBytes = "writtenBytes", "B", "disk", true;
    /// Read requests to a disk.
    ReadRequests = "readRequests", "requests", "disk", true;
    /// Write requests to a disk.
    WriteRequests = "writeRequests", "requests", "disk", true;
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|metric| metric.as_str() == text)
            .ok_or_else(|| {
                let names: Vec<_> = Self::ALL.iter().map(|metric| metric.as_str()).collect();
                format!(
                    "{text:?} is not a metric: one of {} was expected",
                    names.join(", ")
                )
            })
    }
}

/// How the samples of one step become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum Aggregation {
    /// Their mean.
    Average,
    /// The least.
    Minimum,
    /// The greatest.
    Maximum,
    /// The last.
    Last,
    /// For counters: the growth a second, resets seen. That of processor time is told in
    /// processors: 1 is one processor fully used.
    Rate,
}

impl Aggregation {
    /// Every aggregation.
    pub const ALL: [Self; 5] = [
        Self::Average,
        Self::Minimum,
        Self::Maximum,
        Self::Last,
        Self::Rate,
    ];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Average => "average",
            Self::Minimum => "minimum",
            Self::Maximum => "maximum",
            Self::Last => "last",
            Self::Rate => "rate",
        }
    }
}

impl FromStr for Aggregation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|a| a.as_str() == text).ok_or_else(|| {
            format!("{text:?} is not an aggregation: average, minimum, maximum, last or rate was expected")
        })
    }
}

/// Asks for one metric of one router, interface or disk over a span of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct QueryHistoryRequest {
    /// The router.
    pub router: RouterId,
    /// Its interface, for a metric that is measured of interfaces.
    pub interface: Option<MacAddress>,
    /// Its disk, for a metric that is measured of disks.
    pub disk: Option<String>,
    /// The metric.
    pub metric: Metric,
    /// From when; an hour before the end if absent.
    pub start: Option<Timestamp>,
    /// Until when; now if absent.
    pub end: Option<Timestamp>,
    /// The step in seconds; fitting some 300 points if absent.
    pub step_seconds: Option<u32>,
    /// How samples become points; rate for counters and average for others if absent.
    pub aggregation: Option<Aggregation>,
}

/// One metric over a span of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct QueryHistoryReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// How current the router's host is.
    pub source: HostFreshness,
    /// The router.
    pub router: RouterId,
    /// The metric.
    pub metric: Metric,
    /// The unit of the values, for example `B/s`.
    pub unit: String,
    /// The step in seconds.
    pub step_seconds: u32,
    /// How samples became points.
    pub aggregation: Aggregation,
    /// Whether any value was made up for the demo fleet.
    pub simulated: bool,
    /// The points, one a step, in order of time.
    pub points: Vec<HistoryPoint>,
}

/// The value of one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct HistoryPoint {
    /// The end of the step: it covers the time after the step before, up to and with this instant.
    pub at: Timestamp,
    /// The value; absent where nothing was measured: a gap is never bridged.
    pub value: Option<f64>,
    /// The share of the step that was observed, 0 to 1.
    pub coverage: f64,
}
