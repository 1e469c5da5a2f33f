//! Events: what changed on a host, in the order in which libvirt said it.
//!
//! Nothing waits for a slow reader: when its queue is full, events are dropped and counted, and the
//! reader is told by [`Event::Missed`], upon which it lists again.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use uuid::Uuid;
use virt_sys as sys;

use crate::connection::{Connection, Hatch};
use crate::driver::Capability;
use crate::error::Error;
use crate::ffi::callbacks::{Notice, Sink};

/// Events that wait for their reader.
const QUEUE: usize = 8192;

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A domain was defined, started, suspended, ….
    Lifecycle {
        /// The domain.
        uuid: Uuid,
        /// Its name.
        name: String,
        /// What happened to it.
        kind: LifecycleKind,
        /// libvirt's detail, whose meaning depends on the kind:
        /// <https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainEventType>.
        detail: i32,
    },
    /// The reader was too slow and this many events were dropped: list again.
    Missed {
        /// How many.
        count: u64,
    },
    /// The connection ended; this is the last event.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

/// What happened to a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LifecycleKind {
    /// A definition was added or replaced.
    Defined,
    /// The definition was removed.
    Undefined,
    /// It started.
    Started,
    /// It was paused.
    Suspended,
    /// It runs again.
    Resumed,
    /// It stopped.
    Stopped,
    /// The guest has shut itself down; `Stopped` follows.
    Shutdown,
    /// The guest sleeps.
    PmSuspended,
    /// The guest crashed.
    Crashed,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// An error on the wire.
    Error,
    /// The other side closed it.
    Eof,
    /// The other side no longer answered keepalive messages.
    Keepalive,
    /// We closed it.
    Client,
    /// A call hung, or its thread ended, and the connection was given up.
    WrittenOff,
}

impl CloseReason {
    /// The reason that libvirt numbers `raw`; an unknown one is an error on the wire.
    pub(crate) fn from_raw(raw: i32) -> Self {
        match raw as sys::virConnectCloseReason {
            sys::VIR_CONNECT_CLOSE_REASON_EOF => Self::Eof,
            sys::VIR_CONNECT_CLOSE_REASON_KEEPALIVE => Self::Keepalive,
            sys::VIR_CONNECT_CLOSE_REASON_CLIENT => Self::Client,
            _ => Self::Error,
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "there was an error on the wire",
            Self::Eof => "the host closed it",
            Self::Keepalive => "the host no longer answers keepalive messages",
            Self::Client => "it was closed",
            Self::WrittenOff => "a call on it hung",
        })
    }
}

impl LifecycleKind {
    fn from_raw(raw: i32) -> Option<Self> {
        Some(match raw as sys::virDomainEventType {
            sys::VIR_DOMAIN_EVENT_DEFINED => Self::Defined,
            sys::VIR_DOMAIN_EVENT_UNDEFINED => Self::Undefined,
            sys::VIR_DOMAIN_EVENT_STARTED => Self::Started,
            sys::VIR_DOMAIN_EVENT_SUSPENDED => Self::Suspended,
            sys::VIR_DOMAIN_EVENT_RESUMED => Self::Resumed,
            sys::VIR_DOMAIN_EVENT_STOPPED => Self::Stopped,
            sys::VIR_DOMAIN_EVENT_SHUTDOWN => Self::Shutdown,
            sys::VIR_DOMAIN_EVENT_PMSUSPENDED => Self::PmSuspended,
            sys::VIR_DOMAIN_EVENT_CRASHED => Self::Crashed,
            _ => return None,
        })
    }
}

/// Where callbacks put events.
pub(crate) struct Outbox {
    state: Mutex<OutboxState>,
    missed: AtomicU64,
}

struct OutboxState {
    /// `None` once the connection ended.
    sender: Option<mpsc::Sender<Event>>,
    closed: Option<CloseReason>,
}

impl Outbox {
    fn state(&self) -> MutexGuard<'_, OutboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, event: Event) {
        let state = self.state();
        if let Some(sender) = &state.sender
            && let Err(mpsc::error::TrySendError::Full(_)) = sender.try_send(event)
        {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The last event: the reader gets it after all that wait.
    pub(crate) fn close(&self, reason: CloseReason) {
        let mut state = self.state();
        if state.sender.take().is_some() {
            state.closed = Some(reason);
        }
    }
}

/// Receives the events of one connection; dropping it ends the registration. It does not keep the
/// connection open.
pub struct EventReceiver {
    events: mpsc::Receiver<Event>,
    outbox: Arc<Outbox>,
    registration: usize,
    hatch: Hatch,
}

impl EventReceiver {
    /// The next event, or `None` after [`Event::Closed`]. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Event> {
        let missed = self.outbox.missed.swap(0, Ordering::Relaxed);
        if missed > 0 {
            return Some(Event::Missed { count: missed });
        }
        match self.events.recv().await {
            Some(event) => Some(event),
            None => self
                .outbox
                .state()
                .closed
                .take()
                .map(|reason| Event::Closed { reason }),
        }
    }
}

impl Drop for EventReceiver {
    fn drop(&mut self) {
        let id = self.registration;
        // With a full queue the registration stays until the connection closes; nothing is lost,
        // for what comes by it goes nowhere.
        self.hatch
            .post("virConnectDomainEventDeregisterAny", move |session| {
                session.unsubscribe(id);
            });
    }
}

impl fmt::Debug for EventReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventReceiver")
            .field("registration", &self.registration)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Subscribes to what happens on the host from now on. List after subscribing, not before: then
    /// nothing falls between.
    ///
    /// # Errors
    /// As every call.
    pub async fn events(&self) -> Result<EventReceiver, Error> {
        let driver = self.uri().driver();
        if !driver.supports(Capability::LifecycleEvents) {
            let call = "virConnectDomainEventRegisterAny";
            return Err(Error::NotSupported { driver, call });
        }
        let (sender, events) = mpsc::channel(QUEUE);
        let outbox = Arc::new(Outbox {
            state: Mutex::new(OutboxState {
                sender: Some(sender),
                closed: None,
            }),
            missed: AtomicU64::new(0),
        });
        let target = Arc::downgrade(&outbox);
        let sink: Sink = Arc::new(move |notice| {
            if let (
                Notice::Lifecycle {
                    uuid,
                    name,
                    event,
                    detail,
                },
                Some(outbox),
            ) = (notice, target.upgrade())
                && let Some(kind) = LifecycleKind::from_raw(event)
            {
                outbox.push(Event::Lifecycle {
                    uuid,
                    name,
                    kind,
                    detail,
                });
            }
        });
        let registration = self
            .call("virConnectDomainEventRegisterAny", move |session| {
                session.subscribe(sink)
            })
            .await?;
        self.attach(&outbox);
        Ok(EventReceiver {
            events,
            outbox,
            registration,
            hatch: self.hatch(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(capacity: usize) -> (Outbox, mpsc::Receiver<Event>) {
        let (sender, events) = mpsc::channel(capacity);
        let state = Mutex::new(OutboxState {
            sender: Some(sender),
            closed: None,
        });
        (
            Outbox {
                state,
                missed: AtomicU64::new(0),
            },
            events,
        )
    }

    fn event() -> Event {
        let (uuid, name) = (Uuid::nil(), "r".to_owned());
        Event::Lifecycle {
            uuid,
            name,
            kind: LifecycleKind::Started,
            detail: 0,
        }
    }

    #[test]
    fn a_full_queue_counts_what_it_drops() {
        let (outbox, mut events) = outbox(2);
        for _ in 0..5 {
            outbox.push(event());
        }
        assert_eq!(outbox.missed.load(Ordering::Relaxed), 3);
        assert_eq!(events.try_recv(), Ok(event()));
    }

    #[test]
    fn the_first_reason_for_closing_stays() {
        let (outbox, _events) = outbox(2);
        outbox.close(CloseReason::Keepalive);
        outbox.close(CloseReason::Client);
        assert_eq!(outbox.state().closed, Some(CloseReason::Keepalive));
    }
}
