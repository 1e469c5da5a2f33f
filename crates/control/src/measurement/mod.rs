//! What routers use: sampled at every tick, kept in memory for now and in `history.db` for later.
//!
//! ```text
//! polling tasks ─┐                       ┌─► latest (memory): rates for GetRouterStatus
//!                ├─► sample ─► recorder ─┤
//! simulated load ┘                       └─► bounded queue ─► history ─► event Measured
//! ```
//!
//! Ticks fall on multiples of the interval since the epoch, so that all hosts share their times. A
//! sample that the history cannot take in time is dropped, counted and logged; nothing waits for
//! it. `Measured` is sent once the samples are committed: what it names can be queried.
//!
//! - `sampler`: from libvirt's counters to samples; `simulated`: the demo's made-up ones;
//! - `sample`: their form, in memory and in the history; `latest`: present values and rates;
//! - `recorder`: the queue to the history.

mod latest;
mod recorder;
mod sample;
mod sampler;
mod simulated;

pub(crate) use latest::Latest;
pub(crate) use recorder::Recorder;
pub(crate) use sample::entity;
pub(crate) use sampler::Sampler;
pub(crate) use simulated::{SEED_STEP, Simulation, seed};

use std::time::Duration;

/// Sleeps until the next multiple of the interval since the epoch, and answers which that is, in
/// milliseconds.
pub(crate) async fn next_tick(interval: Duration) -> i64 {
    let interval = i64::try_from(interval.as_millis())
        .unwrap_or(i64::MAX)
        .max(1);
    let now = jiff::Timestamp::now().as_millisecond();
    let next = (now.div_euclid(interval) + 1).saturating_mul(interval);
    tokio::time::sleep(Duration::from_millis(next.abs_diff(now))).await;
    next
}
