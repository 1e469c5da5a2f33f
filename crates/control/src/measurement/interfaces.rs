//! What goes over a host's own interfaces, from two readings of its kernel's counters.

use api::Timestamp;
use std::collections::HashMap;

/// What an interface has received and sent since it is there, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counters {
    pub received: u64,
    pub sent: u64,
}

/// What the interfaces of a host have counted at one time, by their names.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub at_ms: i64,
    pub interfaces: HashMap<String, Counters>,
}

/// What goes over an interface, in bits a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rates {
    pub at: Timestamp,
    pub received: Option<f64>,
    pub sent: Option<f64>,
}

/// The last two readings of a host.
#[derive(Debug)]
pub(super) struct Readings {
    before: Option<Reading>,
    last: Reading,
}

impl Readings {
    pub fn new(first: Reading) -> Self {
        Self {
            before: None,
            last: first,
        }
    }

    pub fn put(&mut self, reading: Reading) {
        self.before = Some(std::mem::replace(&mut self.last, reading));
    }

    /// What goes over an interface, if the readings are no further apart than so long and the last
    /// is not older. A counter that went backwards began anew at a time that nobody knows, and
    /// gives no rate.
    pub fn rates(&self, interface: &str, now: Timestamp, longest_ms: i64) -> Option<Rates> {
        let (before, last) = (self.before.as_ref()?, &self.last);
        let elapsed_ms = last.at_ms - before.at_ms;
        let is_present = now.as_millisecond() - last.at_ms <= longest_ms;
        if !is_present || !(1..=longest_ms).contains(&elapsed_ms) {
            return None;
        }
        let [last, before] = [last, before].map(|reading| reading.interfaces.get(interface));
        let (last, before) = (last?, before?);
        let rate = |last: u64, before| {
            let grown = last.checked_sub(before)?;
            Some(grown as f64 * 8000.0 / elapsed_ms as f64)
        };
        Some(Rates {
            at: Timestamp::from_millisecond(self.last.at_ms).ok()?,
            received: rate(last.received, before.received),
            sent: rate(last.sent, before.sent),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What eth0 has received and sent by then.
    fn reading(second: i64, received: u64, sent: u64) -> Reading {
        let counters = Counters { received, sent };
        Reading {
            at_ms: second * 1000,
            interfaces: HashMap::from([("eth0".to_owned(), counters)]),
        }
    }

    /// What goes over eth0 by the readings, so many seconds after the last.
    fn rates(readings: [Reading; 2], later: i64) -> Option<[Option<f64>; 2]> {
        let [first, second] = readings;
        let now = Timestamp::from_millisecond(second.at_ms + later * 1000).unwrap();
        let mut readings = Readings::new(first);
        assert_eq!(readings.rates("eth0", now, 25_000), None);
        readings.put(second);
        assert_eq!(readings.rates("eth1", now, 25_000), None);
        let rates = readings.rates("eth0", now, 25_000)?;
        Some([rates.received, rates.sent])
    }

    #[test]
    fn rates_are_growth_a_second_of_readings_without_a_gap() {
        let known = Some([Some(800.0), Some(0.0)]);
        let of = |second, later| rates([reading(0, 5, 7), reading(second, 1005, 7)], later);
        assert_eq!(of(10, 0), known);
        assert_eq!(of(10, 25), known);
        assert_eq!(of(10, 26), None);
        assert_eq!(of(25, 0), Some([Some(320.0), Some(0.0)]));
        assert_eq!(of(26, 0), None);
        // The clock was set back, or stands.
        assert_eq!(of(0, 0), None);
        assert_eq!(of(-10, 0), None);
        let most = u64::MAX;
        let far = rates([reading(0, 0, most - 1000), reading(10, most, most)], 0);
        assert_eq!(far.unwrap()[1], Some(800.0));
    }

    #[test]
    fn a_counter_that_went_backwards_gives_no_rate() {
        let again = rates([reading(0, 5000, 5000), reading(10, 4999, 6000)], 0);
        assert_eq!(again, Some([None, Some(800.0)]));
    }
}
