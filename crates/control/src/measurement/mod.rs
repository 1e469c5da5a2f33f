//! What routers use: sampled at every tick, kept in memory for now and in `history.db` for later.
//!
//! ```text
//! polling tasks ─┐                       ┌─► latest (memory): rates for GetRouterStatus
//!                ├─► sample ─► recorder ─┤
//! simulated load ┘                       └─► bounded queue ─► history ─► event Measured
//! ```
//!
//! There are two kinds of samples, see [`Kind`]: what is cheap is read at every tick, what is dear at
//! every third, half a tick later.
//!
//! Ticks fall on multiples of the interval since the epoch, so that all hosts share their times. A
//! sample that the history cannot take in time is dropped, counted and logged; nothing waits for
//! it. `Measured` is sent once the samples are committed: what it names can be queried.
//!
//! - `sampler`: from libvirt's counters to samples; `simulated`: the demo's made-up ones;
//! - `sample`: their form, in memory and in the history; `latest`: present values and rates;
//! - `interfaces`: what goes over hosts' own interfaces, in memory only;
//! - `recorder`: the queue to the history.

mod interfaces;
mod latest;
mod node;
mod recorder;
mod sample;
mod sampler;
mod simulated;

pub(crate) use interfaces::{Counters, Rates, Reading};
pub(crate) use latest::Latest;
pub(crate) use node::node;
pub(crate) use recorder::{Recorder, Recording, Source};
pub(crate) use sample::entity;
pub(crate) use sampler::Sampler;
pub(crate) use simulated::{SEED_STEP, Simulation, seed};

use api::Metric;
use std::time::Duration;

/// Details are sampled at every so many ticks.
const DETAILS_EVERY: u32 = 3;

/// What a sample holds of a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// What its host knows by itself: processor time, traffic.
    Samples,
    /// What only its own process knows: memory in use, disks.
    Details,
}

impl Kind {
    /// The kind of samples that a metric is in.
    pub fn of(metric: Metric) -> Self {
        match metric {
            Metric::MemoryUsed
            | Metric::MemoryMaximum
            | Metric::ReadBytes
            | Metric::WrittenBytes
            | Metric::ReadRequests
            | Metric::WriteRequests => Self::Details,
            _ => Self::Samples,
        }
    }

    /// How far its samples are apart, for a sampling interval.
    pub fn interval(self, interval: Duration) -> Duration {
        match self {
            Self::Samples => interval,
            Self::Details => interval * DETAILS_EVERY,
        }
    }
}

/// Sleeps until the next multiple of the interval since the epoch, and answers which that is, in
/// milliseconds. The wall clock decides: it may be set while this sleeps, and a machine that was
/// suspended wakes up late.
pub(crate) async fn next_tick(interval: Duration) -> i64 {
    let interval = milliseconds(interval).max(1);
    let mut tick = None;
    loop {
        match wait(tick, now_ms(), interval) {
            Wait::Over(tick) => return tick,
            Wait::Until { next, sleep } => {
                tick = Some(next);
                tokio::time::sleep(sleep).await;
            }
        }
    }
}

/// What is left of the wait for a tick.
#[derive(Debug, PartialEq, Eq)]
enum Wait {
    /// It is time for this tick.
    Over(i64),
    /// This tick is next, after so long.
    Until { next: i64, sleep: Duration },
}

/// Looks at the clock: is it time for the tick that was waited for? All in milliseconds.
fn wait(tick: Option<i64>, now: i64, interval: i64) -> Wait {
    let next = (now.div_euclid(interval) + 1).saturating_mul(interval);
    let next = match tick {
        Some(tick) if (0..interval).contains(&(now - tick)) => return Wait::Over(tick),
        // Woken up early.
        Some(tick) if (1..=interval).contains(&(tick - now)) => tick,
        // The first, or the clock was set, or the tick is long past.
        _ => next,
    };
    Wait::Until {
        next,
        sleep: Duration::from_millis(next.abs_diff(now)),
    }
}

/// Whether what is known now is too late to be told as of a tick: nearer to another.
fn is_late(tick: i64, now: i64, interval: Duration) -> bool {
    now.saturating_sub(tick) > milliseconds(interval) / 2
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_decides_which_tick_it_is() {
        let until = |next, sleep| Wait::Until {
            next,
            sleep: Duration::from_millis(sleep),
        };
        assert_eq!(wait(None, 10_000, 10_000), until(20_000, 10_000));
        // In time, or a little late.
        assert_eq!(wait(Some(20_000), 20_000, 10_000), Wait::Over(20_000));
        assert_eq!(wait(Some(20_000), 29_999, 10_000), Wait::Over(20_000));
        // Too early, as timers and clocks differ.
        assert_eq!(wait(Some(20_000), 19_998, 10_000), until(20_000, 2));
        // Asleep for longer than an interval: the next one.
        assert_eq!(wait(Some(20_000), 34_000, 10_000), until(40_000, 6_000));
        // Set back by far.
        assert_eq!(wait(Some(90_000), 34_000, 10_000), until(40_000, 6_000));
    }
}
