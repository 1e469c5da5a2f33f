//! Callbacks from libvirt, turned into values.
//!
//! What libvirt is given to hold is never a pointer but a number, looked up in a table when it
//! calls back. So there is nothing to free and nothing to outlive: a callback that comes late, or
//! twice, finds no entry and does nothing, and a driver that forgets its callback (the test driver
//! does, for close callbacks) leaks nothing.
//!
//! A sink runs on the event loop's thread, where calling libvirt would deadlock: it must only
//! enqueue.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::os::raw::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;
use virt::connect::Connect;
use virt::error::Error;
use virt_sys as sys;

/// What libvirt called back with.
pub(crate) enum Notice {
    /// A domain changed: `virDomainEventType` and the detail that belongs to it.
    Lifecycle {
        uuid: Uuid,
        name: String,
        event: i32,
        detail: i32,
    },
    /// The connection ended: `virConnectCloseReason`.
    Closed { reason: i32 },
}

/// Where notices go; must not block and must not call libvirt.
pub(crate) type Sink = Arc<dyn Fn(Notice) + Send + Sync>;

static SINKS: Mutex<BTreeMap<usize, Sink>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicUsize = AtomicUsize::new(1);

/// An entry of the table; taken out when dropped.
struct Token(usize);

impl Token {
    fn new(sink: Sink) -> Self {
        let token = NEXT.fetch_add(1, Ordering::Relaxed);
        sinks().insert(token, sink);
        Self(token)
    }

    /// The number in the shape that libvirt passes through.
    fn opaque(&self) -> *mut c_void {
        ptr::without_provenance_mut(self.0)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        sinks().remove(&self.0);
    }
}

fn sinks() -> std::sync::MutexGuard<'static, BTreeMap<usize, Sink>> {
    SINKS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn deliver(opaque: *mut c_void, notice: Notice) {
    // The lock is given back before the sink runs.
    let sink = sinks().get(&opaque.addr()).cloned();
    if let Some(sink) = sink {
        sink(notice);
    }
}

/// Lifecycle events of all domains of a connection.
pub(crate) struct Lifecycle {
    token: Token,
    callback: c_int,
}

impl Lifecycle {
    pub(crate) fn register(connection: &Connect, sink: Sink) -> Result<Self, Error> {
        let token = Token::new(sink);
        // SAFETY: libvirt's `VIR_DOMAIN_EVENT_CALLBACK` is this very cast: for the lifecycle event
        // it calls the function back with the arguments of `virConnectDomainEventCallback`.
        let callback = unsafe {
            std::mem::transmute::<
                sys::virConnectDomainEventCallback,
                sys::virConnectDomainEventGenericCallback,
            >(Some(on_lifecycle))
        };
        // SAFETY: the connection is open, a null domain means all of them, and the opaque value is
        // a number that is never dereferenced, so it needs no destructor.
        let callback = unsafe {
            sys::virConnectDomainEventRegisterAny(
                connection.as_ptr(),
                ptr::null_mut(),
                sys::VIR_DOMAIN_EVENT_ID_LIFECYCLE as c_int,
                callback,
                token.opaque(),
                None,
            )
        };
        if callback < 0 {
            Err(Error::last_error())
        } else {
            Ok(Self { token, callback })
        }
    }

    /// Ends the registration. Without it libvirt would keep the connection open for ever.
    pub(crate) fn deregister(self, connection: &Connect) {
        // SAFETY: the connection is open and the callback is one of its own.
        let result =
            unsafe { sys::virConnectDomainEventDeregisterAny(connection.as_ptr(), self.callback) };
        if result < 0 {
            tracing::debug!("deregistering events: {}", Error::last_error());
        }
        drop(self.token);
    }
}

/// The notice that a remote connection ended.
pub(crate) struct Close {
    token: Token,
}

impl Close {
    pub(crate) fn register(connection: &Connect, sink: Sink) -> Result<Self, Error> {
        let token = Token::new(sink);
        // SAFETY: the connection is open; the opaque value is a number that is never dereferenced,
        // so it needs no destructor.
        let result = unsafe {
            sys::virConnectRegisterCloseCallback(
                connection.as_ptr(),
                Some(on_close),
                token.opaque(),
                None,
            )
        };
        if result < 0 {
            Err(Error::last_error())
        } else {
            Ok(Self { token })
        }
    }

    /// Ends the registration.
    pub(crate) fn deregister(self, connection: &Connect) {
        // SAFETY: the connection is open and has this callback.
        let result =
            unsafe { sys::virConnectUnregisterCloseCallback(connection.as_ptr(), Some(on_close)) };
        if result < 0 {
            tracing::debug!("deregistering the close callback: {}", Error::last_error());
        }
        drop(self.token);
    }
}

unsafe extern "C" fn on_lifecycle(
    _connection: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    event: c_int,
    detail: c_int,
    opaque: *mut c_void,
) -> c_int {
    // SAFETY: libvirt lends the domain for the length of the callback.
    if let Some((uuid, name)) = unsafe { identity(domain) } {
        deliver(
            opaque,
            Notice::Lifecycle {
                uuid,
                name,
                event,
                detail,
            },
        );
    }
    0
}

unsafe extern "C" fn on_close(_connection: sys::virConnectPtr, reason: c_int, opaque: *mut c_void) {
    deliver(opaque, Notice::Closed { reason });
}

/// UUID and name of a domain; read from memory, no call to the host.
///
/// # Safety
/// `domain` must be valid during the call.
unsafe fn identity(domain: sys::virDomainPtr) -> Option<(Uuid, String)> {
    // SAFETY: as the caller promises.
    let uuid = unsafe { uuid_of(domain) }?;
    // SAFETY: as the caller promises; the name lives as long as the domain and is copied here.
    let name = unsafe {
        let name = sys::virDomainGetName(domain);
        if name.is_null() {
            return None;
        }
        CStr::from_ptr(name).to_string_lossy().into_owned()
    };
    Some((uuid, name))
}

/// UUID of a domain; read from memory, no call to the host.
///
/// # Safety
/// `domain` must be valid during the call.
pub(super) unsafe fn uuid_of(domain: sys::virDomainPtr) -> Option<Uuid> {
    let mut bytes = [0_u8; sys::VIR_UUID_BUFLEN as usize];
    // SAFETY: as the caller promises; libvirt writes `VIR_UUID_BUFLEN` bytes.
    let result = unsafe { sys::virDomainGetUUID(domain, bytes.as_mut_ptr()) };
    (result == 0).then(|| Uuid::from_bytes(bytes))
}
