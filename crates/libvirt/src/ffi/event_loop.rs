//! libvirt's event loop, on a thread of its own for the life of the process.
//!
//! It must run before the first connection opens: keepalive and events are dispatched by it, and a
//! loop that is registered but does not run lets keepalive end a healthy connection.

use std::os::raw::{c_int, c_void};
use std::ptr;
use std::sync::OnceLock;
use std::time::Duration;

use virt_sys as sys;

use crate::error::Error;

/// The loop wakes up this often even when it has nothing to watch, milliseconds.
const TICK_MS: c_int = 5_000;

static STARTED: OnceLock<Result<(), Error>> = OnceLock::new();

/// Starts the loop; later calls give the first call's result.
pub(crate) fn start() -> Result<(), Error> {
    STARTED.get_or_init(run).clone()
}

fn run() -> Result<(), Error> {
    // By default libvirt prints every error to standard error; ours are returned.
    virt::error::clear_error_callback();
    virt::event::event_register_default_impl().map_err(|error| Error::Libvirt {
        call: "virEventRegisterDefaultImpl",
        fault: error.into(),
    })?;
    // SAFETY: the callback is a function without state, so neither data nor its destructor is
    // given, and both may be null.
    let timer = unsafe { sys::virEventAddTimeout(TICK_MS, Some(tick), ptr::null_mut(), None) };
    if timer < 0 {
        let fault = virt::error::Error::last_error().into();
        return Err(Error::Libvirt {
            call: "virEventAddTimeout",
            fault,
        });
    }
    std::thread::Builder::new()
        .name("libvirt-events".to_owned())
        .spawn(|| {
            loop {
                if let Err(error) = virt::event::event_run_default_impl() {
                    tracing::warn!("libvirt's event loop reported: {error}");
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
        })
        .map(drop)
        .map_err(|error| Error::System {
            what: "starting libvirt's event thread",
            reason: error.to_string(),
        })
}

extern "C" fn tick(_timer: c_int, _opaque: *mut c_void) {}
