//! Waiting for something to come true.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::interrupt;

/// Asks `probe` every 50 ms until it answers `Some`, for at most `limit`.
///
/// # Errors
/// The limit passed (the sentence says what was waited for), `probe` failed for good,
/// or Ctrl-C was pressed.
pub fn until<T>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = probe()? {
            return Ok(found);
        }
        if interrupt::received() {
            bail!("interrupted while waiting for {what}");
        }
        if start.elapsed() > limit {
            bail!("waited {} s in vain for {what}", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
