//! Events: what changed on a host, in the order in which libvirt said it.
//!
//! Nothing waits for a slow reader: when its queue is full, events are dropped and counted, and the
//! reader is told by [`Event::Missed`], upon which it lists again.

use std::collections::BTreeMap;
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

/// Events that wait for their reader.
const QUEUE: usize = 8192;

/// Something happened.
///
/// Lifecycle events come from every driver; which of the others do is said by
/// [`Driver::supports`](crate::Driver::supports) and, in the end, by the daemon.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use libvirt::{Connection, Event, Options, Uri};
/// let connection = Connection::open(&Uri::parse("test:///default")?, Options::default()).await?;
/// let mut events = connection.events().await?;
/// let domain = connection.list_domains().await?.remove(0);
/// connection.suspend(domain.uuid).await?;
/// let event = events.recv().await;
/// assert!(matches!(event, Some(Event::Lifecycle { uuid, .. }) if uuid == domain.uuid));
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
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
    /// A device was plugged into a running domain.
    DeviceAdded {
        /// The domain.
        uuid: Uuid,
        /// Its name.
        name: String,
        /// The device's alias (`net1`).
        device: String,
    },
    /// A device of a running domain was unplugged, and the guest let go of it.
    DeviceRemoved {
        /// The domain.
        uuid: Uuid,
        /// Its name.
        name: String,
        /// The device's alias (`net1`).
        device: String,
    },
    /// The agent in the guest began to answer, or ceased to.
    Agent {
        /// The domain.
        uuid: Uuid,
        /// Its name.
        name: String,
        /// Whether it answers now.
        connected: bool,
    },
    /// A job (a migration, a save) of a domain ended; at the source of a migration.
    JobCompleted {
        /// The domain.
        uuid: Uuid,
        /// Its name.
        name: String,
        /// Whether it did what it was to do, where libvirt says so.
        success: Option<bool>,
        /// Why not.
        error: Option<String>,
        /// What libvirt counted, by its own names and in its own units:
        /// <https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainGetJobStats>.
        statistics: BTreeMap<String, u64>,
    },
    /// A migration began another round of copying memory.
    MigrationIteration {
        /// The domain.
        uuid: Uuid,
        /// Its name.
        name: String,
        /// Which round, from 1.
        iteration: u32,
    },
    /// The memory of a domain was changed by its balloon.
    Balloon {
        /// The domain.
        uuid: Uuid,
        /// Its name.
        name: String,
        /// What it has now, bytes.
        memory_bytes: u64,
    },
    /// A job on a disk ended, or waits to be ended.
    BlockJob {
        /// The domain.
        uuid: Uuid,
        /// Its name.
        name: String,
        /// The disk's name inside the domain (`vda`).
        disk: String,
        /// What the job does.
        kind: BlockJobKind,
        /// How it stands.
        outcome: BlockJobOutcome,
    },
    /// A network of the host changed.
    Network {
        /// The network.
        uuid: Uuid,
        /// Its name.
        name: String,
        /// What happened to it.
        change: Change,
    },
    /// A storage pool of the host changed.
    Pool {
        /// The pool.
        uuid: Uuid,
        /// Its name.
        name: String,
        /// What happened to it.
        change: Change,
    },
    /// A device of the host (a NIC, for example) came or went.
    NodeDevice {
        /// Its name (`net_eth1_52_54_00_…`).
        name: String,
        /// What happened to it.
        change: Change,
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

/// What happened to a network, pool or device of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// A definition was added or replaced.
    Defined,
    /// The definition was removed.
    Undefined,
    /// It is up.
    Started,
    /// It is down.
    Stopped,
    /// It was made: a pool's storage, a device.
    Created,
    /// It is gone: a pool's storage, a device.
    Deleted,
}

impl Change {
    pub(crate) fn of_network(raw: i32) -> Option<Self> {
        Some(match raw as sys::virNetworkEventLifecycleType {
            sys::VIR_NETWORK_EVENT_DEFINED => Self::Defined,
            sys::VIR_NETWORK_EVENT_UNDEFINED => Self::Undefined,
            sys::VIR_NETWORK_EVENT_STARTED => Self::Started,
            sys::VIR_NETWORK_EVENT_STOPPED => Self::Stopped,
            _ => return None,
        })
    }

    pub(crate) fn of_pool(raw: i32) -> Option<Self> {
        Some(match raw as sys::virStoragePoolEventLifecycleType {
            sys::VIR_STORAGE_POOL_EVENT_DEFINED => Self::Defined,
            sys::VIR_STORAGE_POOL_EVENT_UNDEFINED => Self::Undefined,
            sys::VIR_STORAGE_POOL_EVENT_STARTED => Self::Started,
            sys::VIR_STORAGE_POOL_EVENT_STOPPED => Self::Stopped,
            sys::VIR_STORAGE_POOL_EVENT_CREATED => Self::Created,
            sys::VIR_STORAGE_POOL_EVENT_DELETED => Self::Deleted,
            _ => return None,
        })
    }

    pub(crate) fn of_node_device(raw: i32) -> Option<Self> {
        Some(match raw as sys::virNodeDeviceEventLifecycleType {
            sys::VIR_NODE_DEVICE_EVENT_CREATED => Self::Created,
            sys::VIR_NODE_DEVICE_EVENT_DELETED => Self::Deleted,
            sys::VIR_NODE_DEVICE_EVENT_DEFINED => Self::Defined,
            sys::VIR_NODE_DEVICE_EVENT_UNDEFINED => Self::Undefined,
            _ => return None,
        })
    }
}

/// What a job on a disk does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockJobKind {
    /// It fetches what is missing from the backing file.
    Pull,
    /// It copies the disk.
    Copy,
    /// It merges an overlay into its backing file.
    Commit,
    /// It does so with the overlay that is in use.
    ActiveCommit,
    /// It makes a backup.
    Backup,
    /// Any other.
    Other,
}

impl BlockJobKind {
    pub(crate) fn from_raw(raw: i32) -> Self {
        match raw as sys::virDomainBlockJobType {
            sys::VIR_DOMAIN_BLOCK_JOB_TYPE_PULL => Self::Pull,
            sys::VIR_DOMAIN_BLOCK_JOB_TYPE_COPY => Self::Copy,
            sys::VIR_DOMAIN_BLOCK_JOB_TYPE_COMMIT => Self::Commit,
            sys::VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT => Self::ActiveCommit,
            sys::VIR_DOMAIN_BLOCK_JOB_TYPE_BACKUP => Self::Backup,
            _ => Self::Other,
        }
    }
}

/// How a job on a disk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockJobOutcome {
    /// It is done.
    Completed,
    /// It failed.
    Failed,
    /// It was ended from outside.
    Canceled,
    /// It has caught up, and waits to be told to switch over.
    Ready,
}

impl BlockJobOutcome {
    pub(crate) fn from_raw(raw: i32) -> Option<Self> {
        Some(match raw as sys::virConnectDomainEventBlockJobStatus {
            sys::VIR_DOMAIN_BLOCK_JOB_COMPLETED => Self::Completed,
            sys::VIR_DOMAIN_BLOCK_JOB_FAILED => Self::Failed,
            sys::VIR_DOMAIN_BLOCK_JOB_CANCELED => Self::Canceled,
            sys::VIR_DOMAIN_BLOCK_JOB_READY => Self::Ready,
            _ => return None,
        })
    }
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
    pub(crate) fn from_raw(raw: i32) -> Option<Self> {
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

    /// Hands an event to every receiver. Never waits.
    pub(crate) fn publish(&self, event: &Event) {
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
    /// Subscribes to what happens on the host from now on: everything of which the driver gives
    /// events. List after subscribing, not before: then nothing falls between.
    ///
    /// # Errors
    /// As every call.
    pub async fn events(&self) -> Result<EventReceiver, Error> {
        let call = "virConnectDomainEventRegisterAny";
        self.needs(Capability::LifecycleEvents, call)?;
        let receiver = self.subscribers().subscribe();
        self.call_first(call, Session::listen).await?;
        Ok(receiver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::testing::{ONE, host};

    fn started() -> Event {
        Event::Lifecycle {
            uuid: Uuid::nil(),
            name: "r".to_owned(),
            kind: LifecycleKind::Started,
            detail: 0,
        }
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_how_much_it_missed() {
        let subscribers = Subscribers::default();
        let mut slow = subscribers.subscribe_with(2);
        let mut quick = subscribers.subscribe();
        for _ in 0..5 {
            subscribers.publish(&started());
        }
        assert_eq!(slow.recv().await, Some(Event::Missed { count: 3 }));
        assert!(matches!(slow.recv().await, Some(Event::Lifecycle { .. })));
        assert!(matches!(quick.recv().await, Some(Event::Lifecycle { .. })));
    }

    #[tokio::test]
    async fn the_end_comes_last_and_keeps_its_first_reason() {
        let subscribers = Subscribers::default();
        let mut early = subscribers.subscribe_with(1);
        subscribers.publish(&started());
        subscribers.close(CloseReason::Keepalive);
        subscribers.close(CloseReason::Client);
        subscribers.publish(&started());
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
        subscribers.publish(&started());
        assert!(subscribers.state().outboxes.is_empty());
    }

    async fn next(events: &mut EventReceiver) -> Event {
        let waited = tokio::time::timeout(std::time::Duration::from_secs(10), events.recv());
        waited
            .await
            .expect("no event came")
            .expect("the events ended")
    }

    #[tokio::test]
    async fn networks_and_pools_are_heard_as_well() {
        let (connection, _directory) = host(ONE).await;
        let mut events = connection.events().await.unwrap();
        let act = |session: &mut Session| {
            session.run("acting", |connection| {
                let network = connection.define_network_xml("<network><name>n</name></network>")?;
                network.create()?;
                network.destroy()?;
                network.undefine()?;
                let pool = "<pool type='dir'><name>p</name><target><path>/p</path></target></pool>";
                let pool = connection.define_storage_pool_xml(pool, 0)?;
                pool.create(0)?;
                pool.destroy()?;
                pool.undefine()
            })
        };
        connection.call("acting", act).await.unwrap();
        let changes = [
            Change::Defined,
            Change::Started,
            Change::Stopped,
            Change::Undefined,
        ];
        for expected in changes {
            match next(&mut events).await {
                Event::Network { name, change, .. } => {
                    assert_eq!((name.as_str(), change), ("n", expected));
                }
                other => panic!("expected {expected:?}, got {other:?}"),
            }
        }
        for expected in changes {
            match next(&mut events).await {
                Event::Pool { name, change, uuid } => {
                    assert_eq!((name.as_str(), change), ("p", expected));
                    assert!(!uuid.is_nil());
                }
                other => panic!("expected {expected:?}, got {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_thousand_events_at_once_are_all_heard_in_their_order() {
        let (connection, _directory) = host(ONE).await;
        let mut events = connection.events().await.unwrap();
        let act = |session: &mut Session| {
            session.run("acting", |connection| {
                let domain = connection.lookup_domain_by_name("test")?;
                for _ in 0..500 {
                    domain.suspend()?;
                    domain.resume()?;
                }
                Ok(())
            })
        };
        connection.call("acting", act).await.unwrap();
        for _ in 0..500 {
            for expected in [LifecycleKind::Suspended, LifecycleKind::Resumed] {
                let event = next(&mut events).await;
                assert!(
                    matches!(event, Event::Lifecycle { kind, .. } if kind == expected),
                    "{event:?}"
                );
            }
        }
    }
}
