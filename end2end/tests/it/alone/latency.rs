//! How long something takes, again and again, while something else goes wrong.
//!
//! ```text
//! let sampler = Sampler::start(Duration::from_millis(20), || call(address));
//! let control = Sampler::start(Duration::from_millis(20), || call(another));
//! let before = sampler.watch(Duration::from_secs(10));
//! let fault = host.freeze_daemon()?;
//! let (elsewhere, during) = control.watch_while(|| sampler.watch(Duration::from_secs(10)));
//! assert_no_slower("GetTopology", &before, &during, &elsewhere);
//! ```

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Calls something at a fixed rate until it is dropped, and keeps how long each call took.
///
/// A call's latency begins when it was due, not when it was made: while one call hangs, the calls
/// behind it are late, too, as they are for a user who does not wait to be asked. A call that still
/// hangs when [`watch`](Self::watch) ends counts with its age.
pub struct Sampler {
    period: Duration,
    shared: Arc<Shared>,
    caller: Option<JoinHandle<()>>,
}

struct Shared {
    ended: AtomicBool,
    calls: Mutex<Calls>,
}

struct Calls {
    /// Latencies of the calls that were due in the current phase.
    done: Vec<Duration>,
    /// Since when the current phase is.
    since: Instant,
    /// When the call that runs, or comes next, was or will be due.
    due: Instant,
}

impl Sampler {
    /// Calls `act` every `period` from now on. A panic in it shows at the next `watch`.
    pub fn start(period: Duration, mut act: impl FnMut() + Send + 'static) -> Self {
        let now = Instant::now();
        let shared = Arc::new(Shared {
            ended: AtomicBool::new(false),
            calls: Mutex::new(Calls {
                done: Vec::new(),
                since: now,
                due: now,
            }),
        });
        let caller = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let mut due = now;
                while !shared.ended.load(Ordering::Relaxed) {
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    act();
                    let mut calls = shared.calls.lock().unwrap();
                    if due >= calls.since {
                        calls.done.push(due.elapsed());
                    }
                    due += period;
                    calls.due = due;
                }
            }
        });
        Self {
            period,
            shared,
            caller: Some(caller),
        }
    }

    /// The latencies of the calls that are due in the coming `time`.
    pub fn watch(&self, time: Duration) -> Latencies {
        self.watch_while(|| thread::sleep(time)).0
    }

    /// The latencies of the calls that are due while `act` runs, and what that returns.
    pub fn watch_while<T>(&self, act: impl FnOnce() -> T) -> (Latencies, T) {
        {
            let mut calls = self.shared.calls.lock().unwrap();
            calls.done.clear();
            calls.since = Instant::now();
        }
        let result = act();
        let calls = self.shared.calls.lock().expect("the sampled call panicked");
        let caller = self.caller.as_ref();
        assert!(
            caller.is_some_and(|caller| !caller.is_finished()),
            "the sampled call panicked"
        );
        let now = Instant::now();
        let mut latencies = calls.done.clone();
        // The one that runs and those that wait behind it.
        let mut due = calls.due;
        while due < now {
            if due >= calls.since {
                latencies.push(now - due);
            }
            due += self.period;
        }
        assert!(!latencies.is_empty(), "no call was due");
        latencies.sort();
        (Latencies(latencies), result)
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        if let Some(caller) = self.caller.take()
            && caller.join().is_err()
            && !thread::panicking()
        {
            panic!("the sampled call panicked");
        }
    }
}

/// Latencies of many calls, in ascending order.
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// The latency that half of the calls do not exceed.
    pub fn p50(&self) -> Duration {
        self.percentile(50)
    }

    /// The latency that 99 % of the calls do not exceed.
    pub fn p99(&self) -> Duration {
        self.percentile(99)
    }

    fn percentile(&self, percent: usize) -> Duration {
        self.0[(self.0.len() * percent).div_ceil(100).max(1) - 1]
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        write!(
            f,
            "p50 {:.1} ms, p99 {:.1} ms of {}",
            ms(self.p50()),
            ms(self.p99()),
            self.0.len()
        )
    }
}

/// What goes wrong elsewhere must not be felt: p99 at most 1.2 times what it was, plus 5 ms.
///
/// `control` is what cannot feel it, timed in the same moments: when the machine is slow for both,
/// that is what is compared with.
pub fn assert_no_slower(what: &str, before: &Latencies, during: &Latencies, control: &Latencies) {
    println!("{what}: before {before}; during {during}; what cannot feel it {control}");
    let limit = before.p99().max(control.p99()).mul_f64(1.2) + Duration::from_millis(5);
    if during.p99() > limit {
        println!("{what} became slower");
        std::panic::panic_any(Slower);
    }
}

/// Why a test ends that found something slower.
pub struct Slower;

#[test]
fn a_call_that_hangs_is_seen_before_it_ends() {
    let (hang, hangs) = std::sync::mpsc::channel::<()>();
    let mut first = true;
    let sampler = Sampler::start(Duration::from_millis(5), move || {
        if std::mem::take(&mut first) {
            return;
        }
        // Until the other end is dropped.
        hangs.recv().ok();
    });
    let latencies = sampler.watch(Duration::from_millis(200));
    assert!(latencies.p50() > Duration::from_millis(50), "{latencies}");
    assert!(latencies.p99() > Duration::from_millis(150), "{latencies}");
    drop(hang);
}

#[test]
fn what_is_steady_is_no_slower_and_what_is_late_is() {
    let late = Arc::new(AtomicBool::new(false));
    let sampler = Sampler::start(Duration::from_millis(10), {
        let late = Arc::clone(&late);
        move || {
            if late.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(50));
            }
        }
    });
    let before = sampler.watch(Duration::from_millis(200));
    let steady = sampler.watch(Duration::from_millis(200));
    late.store(true, Ordering::Relaxed);
    let slower = sampler.watch(Duration::from_millis(500));
    assert!(steady.p50() <= before.p50() + Duration::from_millis(5));
    assert!(
        std::panic::catch_unwind(|| assert_no_slower("late", &before, &slower, &steady)).is_err()
    );
}
