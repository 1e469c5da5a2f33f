//! Quantities over time whose integral is known in closed form.
//!
//! A curve has three parts, each of which carries the same amount in every period and differs
//! only in when: the day's course, shared by all; ripples, each slot of which takes from one half
//! what it gives to the other; and one pulse a period, now tall and short, now long and low. So
//! the amount up to the last whole period is a product, and only the rest needs looking at.
//!
//! Times are in seconds since the load's origin, which is a midnight in UTC.

use std::f64::consts::TAU;

const DAY: f64 = 86_400.0;

/// Hours that the fleet's clocks are behind UTC.
const BEHIND_UTC: f64 = 3.0;

/// Length of a slot in seconds, and the greatest swing in it as a share of the mean.
const RIPPLES: [(f64, f64); 3] = [(97.0, 0.10), (611.0, 0.12), (3_607.0, 0.12)];

/// Every so many seconds there is a pulse.
const PULSE_PERIOD: f64 = 5_400.0;

/// The shortest pulse, in seconds; the longest takes the whole period.
const SHORTEST_PULSE: f64 = 600.0;

/// A time, with what all curves need to know of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    seconds: f64,
    /// The day's course: about -1 in the small hours, 1 in the evening.
    day: f64,
    /// Its integral.
    day_integral: f64,
}

impl Clock {
    pub fn at(seconds: f64) -> Clock {
        // A lowest point at four in the morning, and peaks at work and after dinner.
        let omega = TAU / DAY;
        let course = omega * (seconds - 3600.0 * (4.0 + BEHIND_UTC));
        let evening = 2.0 * omega * (seconds - 3600.0 * (20.5 + BEHIND_UTC));
        Clock {
            seconds,
            day: -0.8 * course.cos() + 0.3 * evening.cos(),
            day_integral: (-0.8 * course.sin() + 0.15 * evening.sin()) / omega,
        }
    }
}

/// A quantity per second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Curve {
    /// Its mean over a day.
    pub mean: f64,
    /// What tells its ripples and pulses from others'.
    pub key: u64,
    /// How far it follows the day's course: at most 0.55, where the day's course, the ripples and
    /// all cannot take it below nothing.
    pub day: f64,
    /// The share of the mean that comes in pulses.
    pub pulses: f64,
}

impl Curve {
    /// The amount from about the origin to a time.
    pub fn integral(&self, clock: &Clock) -> f64 {
        let time = self.own_time(clock);
        let ripples: f64 = self
            .ripples(time)
            .map(|(swing, length, x)| swing * length * (1.0 - (TAU * x).cos()) / TAU)
            .sum();
        let (period, _, x) = self.pulse(time);
        let pulses = PULSE_PERIOD * (period + x - (TAU * x).sin() / TAU);
        let steady = time + self.day * clock.day_integral + ripples;
        self.mean * ((1.0 - self.pulses) * steady + self.pulses * pulses)
    }

    /// The quantity at a time, as a multiple of the mean.
    pub fn level(&self, clock: &Clock) -> f64 {
        let time = self.own_time(clock);
        let ripples: f64 = self
            .ripples(time)
            .map(|(swing, _, x)| swing * (TAU * x).sin())
            .sum();
        let (_, width, x) = self.pulse(time);
        let pulses = PULSE_PERIOD / width * (1.0 - (TAU * x).cos());
        let steady = 1.0 + self.day * clock.day + ripples;
        (1.0 - self.pulses) * steady + self.pulses * pulses
    }

    /// Slots and periods begin at other times for each curve.
    fn own_time(&self, clock: &Clock) -> f64 {
        clock.seconds + PULSE_PERIOD * unit(self.key)
    }

    /// Of each kind of ripple: the swing in the present slot, its length, the share that is over.
    fn ripples(&self, time: f64) -> impl Iterator<Item = (f64, f64, f64)> {
        RIPPLES.into_iter().map(move |(length, greatest)| {
            let slot = (time / length).floor();
            let swing = greatest * (2.0 * unit(mix(self.key, slot + length)) - 1.0);
            (swing, length, time / length - slot)
        })
    }

    /// The number of the present period, the width of its pulse in seconds, the share of the
    /// pulse that is over.
    fn pulse(&self, time: f64) -> (f64, f64, f64) {
        let period = (time / PULSE_PERIOD).floor();
        let chance = mix(!self.key, period);
        let width = SHORTEST_PULSE * (PULSE_PERIOD / SHORTEST_PULSE).powf(unit(chance));
        let start = (PULSE_PERIOD - width) * unit(mix(chance, 1.0));
        let x = (time - period * PULSE_PERIOD - start) / width;
        (period, width, x.clamp(0.0, 1.0))
    }
}

/// A number that says nothing of those it is made of.
fn mix(key: u64, number: f64) -> u64 {
    scatter(key ^ number.to_bits().rotate_left(17))
}

/// The output function of `SplitMix64` (Steele, Lea and Flood 2014).
pub(super) fn scatter(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// From 0 to 1, made of scattered bits.
pub(super) fn unit(bits: u64) -> f64 {
    (scatter(bits) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(key: u64) -> Curve {
        Curve {
            mean: 7.0,
            key,
            day: 0.55,
            pulses: 0.2,
        }
    }

    #[test]
    fn the_integral_is_the_levels_sum() {
        for key in 0..20 {
            let curve = curve(key);
            let (from, seconds) = (1_000_000.0 + 12_345.0 * key as f64, 20_000);
            let middle = |second: i32| Clock::at(from + f64::from(second) + 0.5);
            let sum: f64 = (0..seconds)
                .map(|second| curve.mean * curve.level(&middle(second)))
                .sum();
            let until = Clock::at(from + f64::from(seconds));
            let integral = curve.integral(&until) - curve.integral(&Clock::at(from));
            assert!((sum / integral - 1.0).abs() < 1e-3, "{sum} {integral}");
        }
    }

    #[test]
    fn the_level_is_never_below_nothing_and_never_absurd() {
        for key in 0..50 {
            let curve = curve(key);
            for step in 0..8_640 {
                let level = curve.level(&Clock::at(f64::from(step) * 10.0));
                assert!((0.0..7.0).contains(&level), "{level}");
            }
        }
    }

    #[test]
    fn the_mean_is_the_mean() {
        let curve = curve(3);
        let days = 200.0;
        let whole = curve.integral(&Clock::at(days * DAY)) - curve.integral(&Clock::at(0.0));
        assert!((whole / (days * DAY) / curve.mean - 1.0).abs() < 0.01);
    }

    #[test]
    fn evenings_are_busier_than_small_hours() {
        let at_hour = |hour: f64| Clock::at(3600.0 * (hour + BEHIND_UTC)).day;
        assert!(at_hour(20.0) > 0.6 && at_hour(4.0) < -0.7);
    }
}
