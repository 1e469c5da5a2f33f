//! Ctrl-C, SIGTERM and SIGHUP.
//!
//! A Rust process that is interrupted runs no destructor. So [`Scratch`](crate::Scratch)
//! directories are removed by the handler installed here, which then ends the process with
//! status 130. A program that wants to end in order instead (`cargo xtask testbed`) calls
//! [`hold`] first and asks [`received`] in its loop.
//!
//! ```text
//! signal ── not held ──> remove scratch directories, exit 130
//!        └─ held ──────> received() is true; a second signal exits as above
//! ```

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use crate::scratch;

static HELD: AtomicBool = AtomicBool::new(false);
static RECEIVED: AtomicBool = AtomicBool::new(false);

/// From now on the first signal only sets [`received`]; the caller ends in order.
pub fn hold() {
    install();
    HELD.store(true, Ordering::SeqCst);
}

/// Whether a signal has arrived since [`hold`].
pub fn received() -> bool {
    RECEIVED.load(Ordering::SeqCst)
}

pub(crate) fn install() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let handler = || {
            if HELD.load(Ordering::SeqCst) && !RECEIVED.swap(true, Ordering::SeqCst) {
                return;
            }
            scratch::remove_all();
            std::process::exit(130);
        };
        if let Err(error) = ctrlc::set_handler(handler) {
            eprintln!("Ctrl-C may leave temporary files behind: {error}");
        }
    });
}
