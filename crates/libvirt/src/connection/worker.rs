//! The threads of a connection, and what runs on them.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use uuid::Uuid;
use virt::connect::Connect;

use super::crew::{Crew, Loss};
use crate::credentials::Credentials;
use crate::domain::unless_gone;
use crate::error::{Error, ErrorKind, Fault};
use crate::events::CloseReason;
use crate::ffi::callbacks::{Close, Notice, Registration, Sink, Watch};
use crate::stats::KnownDevices;
use crate::uri::Uri;

/// Seconds between keepalive messages on a remote connection, and how many may be missed.
const KEEPALIVE: (i32, u32) = (5, 3);

/// As many different complaints about objects that cannot be read are remembered.
const COMPLAINTS: usize = 1000;

/// Something to do with the session; it ends with [`Session::finish`].
pub(super) type Task = Box<dyn FnOnce(&mut Session) + Send>;

/// The open connection, shared by its workers and never seen outside. It closes with the last
/// reference, which only a worker gives back: closing may wait for the host.
pub(super) struct Open {
    connection: Connect,
    uri: Uri,
    credentials: Credentials,
    target: String,
    registrations: Mutex<Registrations>,
    bulk_stats_refused: AtomicBool,
    devices: Mutex<KnownDevices>,
    /// What was said of objects that cannot be read: each is said once.
    unreadable: Mutex<HashSet<String>>,
}

#[derive(Default)]
struct Registrations {
    close: Option<Close>,
    events: Option<Vec<Registration>>,
}

impl Open {
    fn registrations(&self) -> MutexGuard<'_, Registrations> {
        (self.registrations.lock()).unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Open {
    /// Callbacks hold a reference to the connection: without this it would stay open.
    fn drop(&mut self) {
        let registrations = std::mem::take(&mut *self.registrations());
        for registration in registrations.events.into_iter().flatten() {
            registration.deregister(&self.connection);
        }
        if let Some(close) = registrations.close {
            close.deregister(&self.connection);
        }
    }
}

/// The open connection as one worker has it: the worker's calls are timed.
pub(crate) struct Session {
    open: Arc<Open>,
    crew: Arc<Crew>,
    me: u64,
    /// Whether the worker does further jobs.
    stays: bool,
}

impl Session {
    fn open(
        uri: &Uri,
        way: &Uri,
        credentials: Credentials,
        crew: &Arc<Crew>,
        me: u64,
    ) -> Result<Self, Error> {
        let target = uri.to_string();
        let text = credentials.to_libvirt(way);
        let connection = Connect::open(Some(&text)).map_err(|error| {
            let fault = credentials.scrub(error.into());
            Error::from_fault(uri.driver(), &target, "virConnectOpen", fault)
        })?;
        let open = Open {
            connection,
            uri: uri.clone(),
            credentials,
            target,
            registrations: Mutex::default(),
            bulk_stats_refused: AtomicBool::new(false),
            devices: Mutex::default(),
            unreadable: Mutex::default(),
        };
        let session = Self {
            open: Arc::new(open),
            crew: Arc::clone(crew),
            me,
            stays: true,
        };
        session.watch()?;
        Ok(session)
    }

    /// Hears when the connection ends. In process there is nothing to keep alive, and the close
    /// callback is never called.
    fn watch(&self) -> Result<(), Error> {
        if self.open.uri.is_in_process() {
            return Ok(());
        }
        let lost = Arc::downgrade(&self.crew);
        let sink: Sink = Arc::new(move |notice| {
            if let (Notice::Closed { reason }, Some(crew)) = (notice, lost.upgrade()) {
                crew.lose(Loss::Closed(CloseReason::from_raw(reason)));
            }
        });
        let close = self.run("virConnectRegisterCloseCallback", |connection| {
            Close::register(connection, sink)
        })?;
        self.open.registrations().close = Some(close);
        let (interval, count) = KEEPALIVE;
        if let Err(error) = self.run("virConnectSetKeepAlive", |connection| {
            connection.set_keep_alive(interval, count)
        }) {
            tracing::debug!("{} has no keepalive: {error}", self.open.target);
        }
        Ok(())
    }

    /// Makes one libvirt call with a fresh deadline.
    pub(crate) fn run<T>(
        &self,
        call: &'static str,
        f: impl FnOnce(&Connect) -> Result<T, virt::error::Error>,
    ) -> Result<T, Error> {
        self.crew.step(self.me, call)?;
        let open = &self.open;
        f(&open.connection).map_err(|error| {
            let fault: Fault = open.credentials.scrub(error.into());
            let error = Error::from_fault(open.uri.driver(), &open.target, call, fault);
            self.check_alive(&error);
            error
        })
    }

    /// A call that failed may have been the first to see that the connection is dead. libvirt says
    /// so once the last call on it has returned, and some would not: see `wire`.
    fn check_alive(&self, error: &Error) {
        let is_dead = error.kind() == ErrorKind::Unreachable
            && !self.open.uri.is_in_process()
            && self.open.connection.is_alive().is_ok_and(|alive| !alive);
        if is_dead {
            let text = error.to_string();
            let reason = if text.contains("keepalive") {
                CloseReason::Keepalive
            } else {
                CloseReason::Error
            };
            self.crew.lose(Loss::Closed(reason));
        }
    }

    /// The calls that `f` makes are about `domain`: should one hang, its error says so.
    pub(crate) fn about<T>(&mut self, domain: Uuid, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.crew.about(self.me, Some(domain));
        let result = f(self);
        self.crew.about(self.me, before);
        result
    }

    /// One of the objects that are listed, or `None` if it cannot be read: it vanished since, or it
    /// is broken, which is logged and hides no other object.
    ///
    /// # Errors
    /// Those that are not about the object: the connection is lost, or its host does not answer.
    pub(crate) fn listed<T>(&mut self, read: Result<T, Error>) -> Result<Option<T>, Error> {
        let error = match unless_gone(read) {
            Ok(object) => return Ok(object),
            Err(error) => error,
        };
        let is_of_connection = matches!(error.kind(), ErrorKind::Deadline | ErrorKind::Lost);
        if is_of_connection || !self.run("virConnectIsAlive", Connect::is_alive)? {
            return Err(error);
        }
        let text = error.to_string();
        let mut said = (self.open.unreadable.lock()).unwrap_or_else(PoisonError::into_inner);
        if !said.contains(&text) {
            tracing::warn!("an object of {} is left out: {text}", self.open.target);
            if said.len() >= COMPLAINTS {
                said.clear();
            }
            said.insert(text);
        }
        Ok(None)
    }

    /// The job is done, but for the answer.
    pub(super) fn finish(&mut self) {
        self.stays = self.crew.finish(self.me);
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.open.uri
    }

    /// Whether the daemon said that it has no bulk statistics although its driver should.
    pub(crate) fn bulk_stats_refused(&self) -> bool {
        self.open.bulk_stats_refused.load(Ordering::Relaxed)
    }

    pub(crate) fn refuse_bulk_stats(&self) {
        self.open.bulk_stats_refused.store(true, Ordering::Relaxed);
    }

    /// Devices of the domains that are polled one by one. The lock is for a moment, not for a call.
    pub(crate) fn devices(&self) -> MutexGuard<'_, KnownDevices> {
        (self.open.devices.lock()).unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers for all events that the driver has, once: libvirt refuses the same callback a
    /// second time, so all receivers of a connection share them. A daemon that refuses one, for it
    /// is old or lacks the part of libvirt, has the others; without lifecycle events there are none.
    pub(crate) fn listen(&mut self) -> Result<(), Error> {
        let mut registrations = self.open.registrations();
        if registrations.events.is_some() {
            return Ok(());
        }
        let crew = Arc::downgrade(&self.crew);
        let sink: Sink = Arc::new(move |notice| {
            if let (Notice::Event(event), Some(crew)) = (notice, crew.upgrade()) {
                crew.subscribers.publish(&event);
            }
        });
        let mut events = Vec::new();
        let driver = self.open.uri.driver();
        for watch in Watch::ALL
            .into_iter()
            .filter(|watch| driver.supports(watch.needs()))
        {
            let registered = self.run(watch.call(), |connection| {
                Registration::register(connection, watch, Arc::clone(&sink))
            });
            match registered {
                Ok(registration) => events.push(registration),
                Err(error) if watch == Watch::Lifecycle => return Err(error),
                // Kept nonetheless: they are to be taken back when the connection closes.
                Err(error) if error.kind() == ErrorKind::Lost => {
                    registrations.events = Some(events);
                    return Err(error);
                }
                Err(error) => {
                    tracing::debug!("{} gives no {watch:?} events: {error}", self.open.target);
                }
            }
        }
        registrations.events = Some(events);
        Ok(())
    }
}

/// A worker's place in the crew, given back however its thread ends.
struct Place {
    crew: Arc<Crew>,
    me: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.crew.lose(Loss::Ended);
        }
        self.crew.leaving(self.me);
        drop(self.crew.let_go());
        self.crew.left(self.me);
    }
}

/// What the first worker needs to open the connection, and who hears how that went.
pub(super) struct Opening {
    pub(super) uri: Uri,
    /// What libvirt is given for it: the same host, by the address that answered.
    pub(super) way: Uri,
    pub(super) credentials: Credentials,
    pub(super) opened: oneshot::Sender<Result<(), Error>>,
}

/// The life of the first worker.
pub(super) fn open(crew: Arc<Crew>, me: u64, opening: Opening) {
    let place = Place { crew, me };
    let crew = &place.crew;
    let session = Session::open(&opening.uri, &opening.way, opening.credentials, crew, me);
    match session {
        Ok(session) => {
            if crew.opened(me, &session.open) && opening.opened.send(Ok(())).is_ok() {
                work(&place, session);
            } else {
                crew.leaving(me);
            }
        }
        Err(error) => {
            crew.lose(Loss::Ours);
            let _ = opening.opened.send(Err(error)); // nobody waits any longer
        }
    }
}

/// The life of every other worker.
pub(super) fn join(crew: Arc<Crew>, me: u64, open: Arc<Open>) {
    let place = Place { crew, me };
    let session = Session {
        open,
        crew: Arc::clone(&place.crew),
        me,
        stays: true,
    };
    work(&place, session);
}

/// Does jobs until it is time to leave. The session ends before the place does: what hangs in
/// closing is on the books.
fn work(place: &Place, mut session: Session) {
    let Place { crew, me } = place;
    while let Some(task) = crew.take(*me) {
        task(&mut session);
        if !session.stays {
            break;
        }
    }
    crew.leaving(*me);
}
