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
use std::os::raw::{c_char, c_int, c_uchar, c_ulonglong, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::{ptr, slice};

use uuid::Uuid;
use virt::connect::Connect;
use virt::error::Error;
use virt_sys as sys;

use super::stats::{Value, field};
use crate::driver::Capability;
use crate::events::{BlockJobKind, BlockJobOutcome, Change, Event, LifecycleKind};

/// What libvirt called back with.
pub(crate) enum Notice {
    /// Something happened.
    Event(Event),
    /// The connection ended: `virConnectCloseReason`.
    Closed { reason: i32 },
    /// A stream is ready.
    Ready,
}

/// Where notices go; must not block and must not call libvirt.
pub(crate) type Sink = Arc<dyn Fn(Notice) + Send + Sync>;

static SINKS: Mutex<BTreeMap<usize, Sink>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicUsize = AtomicUsize::new(1);

/// An entry of the table; taken out when dropped.
pub(super) struct Token(usize);

impl Token {
    pub(super) fn new(sink: Sink) -> Self {
        let token = NEXT.fetch_add(1, Ordering::Relaxed);
        sinks().insert(token, sink);
        Self(token)
    }

    /// The number in the shape that libvirt passes through.
    pub(super) fn opaque(&self) -> *mut c_void {
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

pub(super) fn deliver(opaque: *mut c_void, notice: Notice) {
    // The lock is given back before the sink runs.
    let sink = sinks().get(&opaque.addr()).cloned();
    if let Some(sink) = sink {
        sink(notice);
    }
}

/// A kind of events that libvirt is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    Lifecycle,
    DeviceAdded,
    DeviceRemoved,
    Agent,
    JobCompleted,
    MigrationIteration,
    Balloon,
    BlockJob,
    Network,
    Pool,
    NodeDevice,
}

impl Watch {
    /// Every kind; the first is the one without which the others are of no use.
    pub(crate) const ALL: [Self; 11] = [
        Self::Lifecycle,
        Self::DeviceAdded,
        Self::DeviceRemoved,
        Self::Agent,
        Self::JobCompleted,
        Self::MigrationIteration,
        Self::Balloon,
        Self::BlockJob,
        Self::Network,
        Self::Pool,
        Self::NodeDevice,
    ];

    /// What a driver must be able to do for it.
    pub(crate) fn needs(self) -> Capability {
        match self {
            Self::Lifecycle => Capability::LifecycleEvents,
            Self::DeviceAdded | Self::DeviceRemoved => Capability::DeviceEvents,
            Self::Agent => Capability::AgentEvents,
            Self::JobCompleted | Self::MigrationIteration => Capability::JobEvents,
            Self::Balloon => Capability::BalloonEvents,
            Self::BlockJob => Capability::BlockJobEvents,
            Self::Network => Capability::NetworkEvents,
            Self::Pool => Capability::PoolEvents,
            Self::NodeDevice => Capability::NodeDeviceEvents,
        }
    }

    /// The libvirt function that registers it.
    pub(crate) fn call(self) -> &'static str {
        match self {
            Self::Network => "virConnectNetworkEventRegisterAny",
            Self::Pool => "virConnectStoragePoolEventRegisterAny",
            Self::NodeDevice => "virConnectNodeDeviceEventRegisterAny",
            _ => "virConnectDomainEventRegisterAny",
        }
    }
}

/// One kind of events of all objects of a connection.
pub(crate) struct Registration {
    token: Token,
    watch: Watch,
    callback: c_int,
}

impl Registration {
    pub(crate) fn register(connection: &Connect, watch: Watch, sink: Sink) -> Result<Self, Error> {
        let token = Token::new(sink);
        let opaque = token.opaque();
        // SAFETY: the connection is open, a null object means all of them, and the opaque value is
        // a number that is never dereferenced, so it needs no destructor. libvirt's own macros
        // `VIR_DOMAIN_EVENT_CALLBACK` and so on are these very casts: for each event it calls the
        // function back with the arguments of the event's callback type, which the cast names.
        let callback = unsafe {
            match watch {
                Watch::Network => sys::virConnectNetworkEventRegisterAny(
                    connection.as_ptr(),
                    ptr::null_mut(),
                    sys::VIR_NETWORK_EVENT_ID_LIFECYCLE as c_int,
                    std::mem::transmute::<
                        sys::virConnectNetworkEventLifecycleCallback,
                        sys::virConnectNetworkEventGenericCallback,
                    >(Some(on_network)),
                    opaque,
                    None,
                ),
                Watch::Pool => sys::virConnectStoragePoolEventRegisterAny(
                    connection.as_ptr(),
                    ptr::null_mut(),
                    sys::VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE as c_int,
                    std::mem::transmute::<
                        sys::virConnectStoragePoolEventLifecycleCallback,
                        sys::virConnectStoragePoolEventGenericCallback,
                    >(Some(on_pool)),
                    opaque,
                    None,
                ),
                Watch::NodeDevice => sys::virConnectNodeDeviceEventRegisterAny(
                    connection.as_ptr(),
                    ptr::null_mut(),
                    sys::VIR_NODE_DEVICE_EVENT_ID_LIFECYCLE as c_int,
                    std::mem::transmute::<
                        sys::virConnectNodeDeviceEventLifecycleCallback,
                        sys::virConnectNodeDeviceEventGenericCallback,
                    >(Some(on_node_device)),
                    opaque,
                    None,
                ),
                _ => {
                    let (id, callback) = domain_event(watch);
                    sys::virConnectDomainEventRegisterAny(
                        connection.as_ptr(),
                        ptr::null_mut(),
                        id as c_int,
                        callback,
                        opaque,
                        None,
                    )
                }
            }
        };
        if callback < 0 {
            Err(Error::last_error())
        } else {
            Ok(Self {
                token,
                watch,
                callback,
            })
        }
    }

    /// Ends the registration. Without it libvirt would keep the connection open for ever.
    pub(crate) fn deregister(self, connection: &Connect) {
        let id = self.callback;
        // SAFETY: the connection is open and the callback is one of its own, of this kind.
        let result = unsafe {
            let connection = connection.as_ptr();
            match self.watch {
                Watch::Network => sys::virConnectNetworkEventDeregisterAny(connection, id),
                Watch::Pool => sys::virConnectStoragePoolEventDeregisterAny(connection, id),
                Watch::NodeDevice => sys::virConnectNodeDeviceEventDeregisterAny(connection, id),
                _ => sys::virConnectDomainEventDeregisterAny(connection, id),
            }
        };
        if result < 0 {
            tracing::debug!(
                "deregistering {:?} events: {}",
                self.watch,
                Error::last_error()
            );
        }
        drop(self.token);
    }
}

/// Number and callback of an event of domains.
fn domain_event(
    watch: Watch,
) -> (
    sys::virDomainEventID,
    sys::virConnectDomainEventGenericCallback,
) {
    /// The cast that libvirt's macro `VIR_DOMAIN_EVENT_CALLBACK` is.
    macro_rules! generic {
        ($kind:ident, $function:ident) => {
            // SAFETY: both are nullable function pointers; libvirt calls it with the arguments of
            // the former type for the event that it is returned with.
            unsafe {
                std::mem::transmute::<sys::$kind, sys::virConnectDomainEventGenericCallback>(Some(
                    $function,
                ))
            }
        };
    }
    match watch {
        Watch::DeviceAdded => (
            sys::VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
            generic!(virConnectDomainEventDeviceAddedCallback, on_device_added),
        ),
        Watch::DeviceRemoved => (
            sys::VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
            generic!(
                virConnectDomainEventDeviceRemovedCallback,
                on_device_removed
            ),
        ),
        Watch::Agent => (
            sys::VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
            generic!(virConnectDomainEventAgentLifecycleCallback, on_agent),
        ),
        Watch::JobCompleted => (
            sys::VIR_DOMAIN_EVENT_ID_JOB_COMPLETED,
            generic!(virConnectDomainEventJobCompletedCallback, on_job_completed),
        ),
        Watch::MigrationIteration => (
            sys::VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION,
            generic!(
                virConnectDomainEventMigrationIterationCallback,
                on_iteration
            ),
        ),
        Watch::Balloon => (
            sys::VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE,
            generic!(virConnectDomainEventBalloonChangeCallback, on_balloon),
        ),
        Watch::BlockJob => (
            sys::VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2,
            generic!(virConnectDomainEventBlockJobCallback, on_block_job),
        ),
        Watch::Lifecycle | Watch::Network | Watch::Pool | Watch::NodeDevice => (
            sys::VIR_DOMAIN_EVENT_ID_LIFECYCLE,
            generic!(virConnectDomainEventCallback, on_lifecycle),
        ),
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
    if let Some((uuid, name)) = unsafe { identity(domain) }
        && let Some(kind) = LifecycleKind::from_raw(event)
    {
        let event = Event::Lifecycle {
            uuid,
            name,
            kind,
            detail,
        };
        deliver(opaque, Notice::Event(event));
    }
    0
}

unsafe extern "C" fn on_device_added(
    _connection: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    alias: *const c_char,
    opaque: *mut c_void,
) {
    // SAFETY: libvirt lends domain and text for the length of the callback.
    let (domain, device) = unsafe { (identity(domain), text(alias)) };
    if let (Some((uuid, name)), Some(device)) = (domain, device) {
        let event = Event::DeviceAdded { uuid, name, device };
        deliver(opaque, Notice::Event(event));
    }
}

unsafe extern "C" fn on_device_removed(
    _connection: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    alias: *const c_char,
    opaque: *mut c_void,
) {
    // SAFETY: libvirt lends domain and text for the length of the callback.
    let (domain, device) = unsafe { (identity(domain), text(alias)) };
    if let (Some((uuid, name)), Some(device)) = (domain, device) {
        let event = Event::DeviceRemoved { uuid, name, device };
        deliver(opaque, Notice::Event(event));
    }
}

unsafe extern "C" fn on_agent(
    _connection: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    state: c_int,
    _reason: c_int,
    opaque: *mut c_void,
) {
    // SAFETY: libvirt lends the domain for the length of the callback.
    if let Some((uuid, name)) = unsafe { identity(domain) } {
        let connected =
            state as u32 == sys::VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED;
        let event = Event::Agent {
            uuid,
            name,
            connected,
        };
        deliver(opaque, Notice::Event(event));
    }
}

unsafe extern "C" fn on_job_completed(
    _connection: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    parameters: sys::virTypedParameterPtr,
    count: c_int,
    opaque: *mut c_void,
) {
    let mut error = None;
    let mut statistics = BTreeMap::new();
    if !parameters.is_null() && count > 0 {
        // SAFETY: libvirt lends `count` parameters for the length of the callback.
        let parameters = unsafe { slice::from_raw_parts(parameters, count as usize) };
        for (name, value) in parameters.iter().filter_map(field) {
            let name = String::from_utf8_lossy(name).into_owned();
            match value {
                Value::Text(text) if name == "errmsg" => {
                    error = Some(text.to_string_lossy().into_owned());
                }
                _ => statistics.extend(value.counter().map(|number| (name, number))),
            }
        }
    }
    // SAFETY: libvirt lends the domain for the length of the callback.
    if let Some((uuid, name)) = unsafe { identity(domain) } {
        let event = Event::JobCompleted {
            uuid,
            name,
            success: statistics.remove("success").map(|success| success != 0),
            error,
            statistics,
        };
        deliver(opaque, Notice::Event(event));
    }
}

unsafe extern "C" fn on_iteration(
    _connection: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    iteration: c_int,
    opaque: *mut c_void,
) {
    // SAFETY: libvirt lends the domain for the length of the callback.
    if let Some((uuid, name)) = unsafe { identity(domain) } {
        let event = Event::MigrationIteration {
            uuid,
            name,
            iteration: iteration.max(0) as u32,
        };
        deliver(opaque, Notice::Event(event));
    }
}

unsafe extern "C" fn on_balloon(
    _connection: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    kib: c_ulonglong,
    opaque: *mut c_void,
) {
    // SAFETY: libvirt lends the domain for the length of the callback.
    if let Some((uuid, name)) = unsafe { identity(domain) } {
        let event = Event::Balloon {
            uuid,
            name,
            memory_bytes: kib.saturating_mul(1024),
        };
        deliver(opaque, Notice::Event(event));
    }
}

unsafe extern "C" fn on_block_job(
    _connection: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    disk: *const c_char,
    kind: c_int,
    status: c_int,
    opaque: *mut c_void,
) {
    // SAFETY: libvirt lends domain and text for the length of the callback.
    let (domain, disk) = unsafe { (identity(domain), text(disk)) };
    if let (Some((uuid, name)), Some(disk)) = (domain, disk)
        && let Some(outcome) = BlockJobOutcome::from_raw(status)
    {
        let event = Event::BlockJob {
            uuid,
            name,
            disk,
            kind: BlockJobKind::from_raw(kind),
            outcome,
        };
        deliver(opaque, Notice::Event(event));
    }
}

unsafe extern "C" fn on_network(
    _connection: sys::virConnectPtr,
    network: sys::virNetworkPtr,
    event: c_int,
    _detail: c_int,
    opaque: *mut c_void,
) {
    // SAFETY: libvirt lends the network for the length of the callback; both are read from memory.
    let (uuid, name) = unsafe {
        (
            uuid_by(|bytes| sys::virNetworkGetUUID(network, bytes)),
            text(sys::virNetworkGetName(network)),
        )
    };
    if let (Some(uuid), Some(name)) = (uuid, name)
        && let Some(change) = Change::of_network(event)
    {
        deliver(opaque, Notice::Event(Event::Network { uuid, name, change }));
    }
}

unsafe extern "C" fn on_pool(
    _connection: sys::virConnectPtr,
    pool: sys::virStoragePoolPtr,
    event: c_int,
    _detail: c_int,
    opaque: *mut c_void,
) {
    // SAFETY: libvirt lends the pool for the length of the callback; both are read from memory.
    let (uuid, name) = unsafe {
        (
            uuid_by(|bytes| sys::virStoragePoolGetUUID(pool, bytes)),
            text(sys::virStoragePoolGetName(pool)),
        )
    };
    if let (Some(uuid), Some(name)) = (uuid, name)
        && let Some(change) = Change::of_pool(event)
    {
        deliver(opaque, Notice::Event(Event::Pool { uuid, name, change }));
    }
}

unsafe extern "C" fn on_node_device(
    _connection: sys::virConnectPtr,
    device: sys::virNodeDevicePtr,
    event: c_int,
    _detail: c_int,
    opaque: *mut c_void,
) {
    // SAFETY: libvirt lends the device for the length of the callback; the name is in memory.
    let name = unsafe { text(sys::virNodeDeviceGetName(device)) };
    if let (Some(name), Some(change)) = (name, Change::of_node_device(event)) {
        deliver(opaque, Notice::Event(Event::NodeDevice { name, change }));
    }
}

unsafe extern "C" fn on_close(_connection: sys::virConnectPtr, reason: c_int, opaque: *mut c_void) {
    deliver(opaque, Notice::Closed { reason });
}

/// UUID and name of a domain; read from memory, no call to the host.
///
/// # Safety
/// `domain` must be valid during the call.
unsafe fn identity(domain: sys::virDomainPtr) -> Option<(Uuid, String)> {
    // SAFETY: as the caller promises; the name lives as long as the domain.
    unsafe { Some((uuid_of(domain)?, text(sys::virDomainGetName(domain))?)) }
}

/// UUID of a domain; read from memory, no call to the host.
///
/// # Safety
/// `domain` must be valid during the call.
pub(super) unsafe fn uuid_of(domain: sys::virDomainPtr) -> Option<Uuid> {
    // SAFETY: as the caller promises; there is room for what libvirt writes.
    uuid_by(|bytes| unsafe { sys::virDomainGetUUID(domain, bytes) })
}

/// The UUID that a function of libvirt writes: `VIR_UUID_BUFLEN` bytes.
fn uuid_by(write: impl FnOnce(*mut c_uchar) -> c_int) -> Option<Uuid> {
    let mut bytes = [0_u8; sys::VIR_UUID_BUFLEN as usize];
    (write(bytes.as_mut_ptr()) == 0).then(|| Uuid::from_bytes(bytes))
}

/// A copy of C's text; `None` for a null pointer.
///
/// # Safety
/// `text` must be null or end in a zero byte, and be valid during the call.
pub(super) unsafe fn text(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: as the caller promises.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}
