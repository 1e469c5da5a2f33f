//! Events: what changed on a host, in the order in which libvirt said it.
//!
//! Nothing waits for a slow reader: when its queue is full, events are dropped and counted, and the
//! reader is told by [`Event::Missed`], upon which it lists again.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use uuid::Uuid;
use virt_sys as sys;

use crate::connection::{Connection, Session};
use crate::driver::Capability;
use crate::error::Error;
use crate::ffi::callbacks::Notice;

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

/// Who hears of one connection's events.
#[derive(Default)]
pub(crate) struct Subscribers {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    outboxes: Vec<Outbox>,
    closed: Option<CloseReason>,
}

/// The sending side of one receiver.
struct Outbox {
    sender: mpsc::Sender<Event>,
    notes: Arc<Notes>,
}

/// What a receiver is told beside its queue, which may be full.
#[derive(Debug, Default)]
struct Notes {
    missed: AtomicU64,
    closed: Mutex<Option<CloseReason>>,
}

impl Subscribers {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands what libvirt called back with to every receiver. Never waits.
    pub(crate) fn publish(&self, notice: Notice) {
        let Notice::Lifecycle {
            uuid,
            name,
            event,
            detail,
        } = notice
        else {
            return;
        };
        let Some(kind) = LifecycleKind::from_raw(event) else {
            return;
        };
        let event = Event::Lifecycle {
            uuid,
            name,
            kind,
            detail,
        };
        self.state()
            .outboxes
            .retain(|outbox| match outbox.sender.try_send(event.clone()) {
                Ok(()) => true,
                Err(TrySendError::Full(_)) => {
                    outbox.notes.missed.fetch_add(1, Ordering::Relaxed);
                    true
                }
                // The receiver was dropped.
                Err(TrySendError::Closed(_)) => false,
            });
    }

    /// Ends all receivers, those that come later too; the first reason stays.
    pub(crate) fn close(&self, reason: CloseReason) {
        let mut state = self.state();
        if state.closed.is_none() {
            state.closed = Some(reason);
            for outbox in state.outboxes.drain(..) {
                outbox.close(reason);
            }
        }
    }

    fn subscribe(&self) -> EventReceiver {
        self.subscribe_with(QUEUE)
    }

    fn subscribe_with(&self, capacity: usize) -> EventReceiver {
        let (sender, events) = mpsc::channel(capacity);
        let notes = Arc::new(Notes::default());
        let outbox = Outbox {
            sender,
            notes: Arc::clone(&notes),
        };
        let mut state = self.state();
        if let Some(reason) = state.closed {
            outbox.close(reason);
        } else {
            state.outboxes.retain(|outbox| !outbox.sender.is_closed());
            state.outboxes.push(outbox);
        }
        EventReceiver { events, notes }
    }
}

impl Outbox {
    /// The reason is written down before the queue ends, for the receiver reads it after.
    fn close(self, reason: CloseReason) {
        *self.notes.end() = Some(reason);
    }
}

impl Notes {
    fn end(&self) -> MutexGuard<'_, Option<CloseReason>> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Receives the events of one connection. It does not keep the connection open.
#[derive(Debug)]
pub struct EventReceiver {
    events: mpsc::Receiver<Event>,
    notes: Arc<Notes>,
}

impl EventReceiver {
    /// The next event, or `None` after [`Event::Closed`]. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Event> {
        let missed = self.notes.missed.swap(0, Ordering::Relaxed);
        if missed > 0 {
            return Some(Event::Missed { count: missed });
        }
        let event = self.events.recv().await;
        event.or_else(|| {
            self.notes
                .end()
                .take()
                .map(|reason| Event::Closed { reason })
        })
    }
}

impl Connection {
    /// Subscribes to what happens on the host from now on. List after subscribing, not before: then
    /// nothing falls between.
    ///
    /// # Errors
    /// As every call.
    pub async fn events(&self) -> Result<EventReceiver, Error> {
        let call = "virConnectDomainEventRegisterAny";
        self.needs(Capability::LifecycleEvents, call)?;
        let receiver = self.subscribers().subscribe();
        self.call(call, Session::listen).await?;
        Ok(receiver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started() -> Notice {
        let event = sys::VIR_DOMAIN_EVENT_STARTED as i32;
        Notice::Lifecycle {
            uuid: Uuid::nil(),
            name: "r".to_owned(),
            event,
            detail: 0,
        }
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_how_much_it_missed() {
        let subscribers = Subscribers::default();
        let mut slow = subscribers.subscribe_with(2);
        let mut quick = subscribers.subscribe();
        for _ in 0..5 {
            subscribers.publish(started());
        }
        assert_eq!(slow.recv().await, Some(Event::Missed { count: 3 }));
        assert!(matches!(slow.recv().await, Some(Event::Lifecycle { .. })));
        assert!(matches!(quick.recv().await, Some(Event::Lifecycle { .. })));
    }

    #[tokio::test]
    async fn the_end_comes_last_and_keeps_its_first_reason() {
        let subscribers = Subscribers::default();
        let mut early = subscribers.subscribe_with(1);
        subscribers.publish(started());
        subscribers.close(CloseReason::Keepalive);
        subscribers.close(CloseReason::Client);
        subscribers.publish(started());
        assert!(matches!(early.recv().await, Some(Event::Lifecycle { .. })));
        let end = Some(Event::Closed {
            reason: CloseReason::Keepalive,
        });
        assert_eq!(early.recv().await, end);
        assert_eq!(early.recv().await, None);
        assert_eq!(subscribers.subscribe().recv().await, end);
    }

    #[test]
    fn a_dropped_receiver_is_forgotten() {
        let subscribers = Subscribers::default();
        drop(subscribers.subscribe());
        subscribers.publish(started());
        assert!(subscribers.state().outboxes.is_empty());
    }
}
