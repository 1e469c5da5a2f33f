//! How long to wait before the next attempt to reach a host.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// The first wait.
const FIRST: Duration = Duration::from_millis(500);

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(15);

/// Waits that double up to a bound, each cut by up to half at random, so that a fleet that was
/// lost at once does not come back at once.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The next wait.
    pub fn next(&mut self) -> Duration {
        let whole = LONGEST.min(FIRST.saturating_mul(1 << self.attempts.min(16)));
        self.attempts += 1;
        // The standard library's hashers are seeded at random.
        let random = RandomState::new().hash_one(self.attempts) % 1000;
        whole / 2 + whole.mul_f64(random as f64 / 2000.0)
    }

    /// It worked: the next trouble starts anew.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_start_anew() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..100).map(|_| backoff.next()).collect();
        assert!(waits[0] >= FIRST / 2 && waits[0] <= FIRST, "{:?}", waits[0]);
        assert!(
            waits[5..]
                .iter()
                .all(|wait| *wait >= LONGEST / 2 && *wait <= LONGEST)
        );
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
