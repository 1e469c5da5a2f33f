//! The threads of a connection, and what runs on them.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use uuid::Uuid;
use virt::connect::Connect;

use super::crew::{Crew, Loss};
use super::wire::Peers;
use crate::credentials::Credentials;
use crate::domain::unless_gone;
use crate::error::{Error, ErrorKind};
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

/// What the workers of a connection have in common: where it goes, and what they remember of it.
pub(super) struct Common {
    pub(super) uri: Uri,
    /// What libvirt is given for it: the same host, by the address that answered.
    way: Uri,
    /// Where that may lead.
    peers: Peers,
    credentials: Credentials,
    pub(super) target: String,
    bulk_stats_refused: AtomicBool,
    devices: Mutex<KnownDevices>,
    /// What was said of objects that cannot be read: each is said once.
    unreadable: Mutex<HashSet<String>>,
}

impl Common {
    pub(super) fn new(
        uri: &Uri,
        way: Uri,
        peers: Vec<SocketAddr>,
        credentials: Credentials,
    ) -> Self {
        Self {
            uri: uri.clone(),
            way,
            peers: Peers::new(peers),
            credentials,
            target: uri.to_string(),
            bulk_stats_refused: AtomicBool::new(false),
            devices: Mutex::default(),
            unreadable: Mutex::default(),
        }
    }

    fn error(&self, call: &'static str, error: virt::error::Error) -> Error {
        let fault = self.credentials.scrub(&self.uri, error.into());
        Error::from_fault(self.uri.driver(), &self.target, call, fault)
    }
}

/// An open connection of libvirt, never seen outside. It closes with the last reference, which
/// only a worker gives back: closing may wait for the host.
pub(super) struct Open {
    connection: Connect,
    registrations: Mutex<Registrations>,
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

/// A connection as a worker has it: the worker's calls are timed.
pub(crate) struct Session {
    open: Arc<Open>,
    crew: Arc<Crew>,
    me: u64,
    /// Whether the worker does further jobs.
    stays: bool,
}

impl Session {
    fn new(open: Arc<Open>, crew: &Arc<Crew>, me: u64) -> Self {
        Self {
            open,
            crew: Arc::clone(crew),
            me,
            stays: true,
        }
    }

    /// Opens a connection for the worker `me`.
    fn open(crew: &Arc<Crew>, me: u64) -> Result<Self, Error> {
        let connection = connect(crew, me)?;
        let open = Open {
            connection,
            registrations: Mutex::default(),
        };
        let session = Self::new(Arc::new(open), crew, me);
        session.watch()?;
        Ok(session)
    }

    /// Hears when the connection ends. In process there is nothing to keep alive, and the close
    /// callback is never called.
    fn watch(&self) -> Result<(), Error> {
        if self.uri().is_in_process() {
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
            tracing::debug!("{} has no keepalive: {error}", self.crew.common.target);
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
        f(&self.open.connection).map_err(|error| self.crew.common.error(call, error))
    }

    /// Another libvirt connection to the same host, which is to be used on one thread only, and
    /// closed where that may take its time.
    pub(crate) fn another(&self) -> Result<Connect, Error> {
        self.crew.step(self.me, "virConnectOpen")?;
        let connection = connect(&self.crew, self.me)?;
        let (interval, count) = KEEPALIVE;
        if let Err(error) = connection.set_keep_alive(interval, count) {
            tracing::debug!("{} has no keepalive: {error}", self.crew.common.target);
        }
        Ok(connection)
    }

    /// What becomes of an error on a connection of one's own, wherever that is used.
    pub(crate) fn blame(
        &self,
    ) -> impl Fn(&'static str, virt::error::Error) -> Error + Send + use<> {
        let crew = Arc::clone(&self.crew);
        move |call, error| crew.common.error(call, error)
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
        let is_of_connection = matches!(
            error.kind(),
            ErrorKind::Deadline | ErrorKind::Lost | ErrorKind::Unreachable
        );
        if is_of_connection || !self.run("virConnectIsAlive", Connect::is_alive)? {
            return Err(error);
        }
        let text = error.to_string();
        let common = &self.crew.common;
        let mut said = (common.unreadable.lock()).unwrap_or_else(PoisonError::into_inner);
        if !said.contains(&text) {
            tracing::warn!("an object of {} is left out: {text}", common.target);
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
        &self.crew.common.uri
    }

    /// Whether the daemon said that it has no bulk statistics although its driver should.
    pub(crate) fn bulk_stats_refused(&self) -> bool {
        self.crew.common.bulk_stats_refused.load(Ordering::Relaxed)
    }

    pub(crate) fn refuse_bulk_stats(&self) {
        self.crew
            .common
            .bulk_stats_refused
            .store(true, Ordering::Relaxed);
    }

    /// Devices of the domains that are polled one by one. The lock is for a moment, not for a call.
    pub(crate) fn devices(&self) -> MutexGuard<'_, KnownDevices> {
        (self.crew.common.devices.lock()).unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers for all events that the driver has; on the first worker, whose connection stays.
    /// Once: libvirt refuses the same callback a
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
        let driver = self.uri().driver();
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
                    tracing::debug!("no {watch:?} events of {}: {error}", self.uri());
                }
            }
        }
        registrations.events = Some(events);
        Ok(())
    }
}

/// Has libvirt open a connection, on the thread of the worker `me`.
fn connect(crew: &Crew, me: u64) -> Result<Connect, Error> {
    let common = &crew.common;
    let text = common.credentials.to_libvirt(&common.way);
    let call = "virConnectOpen";
    let (_turn, wire) = common.peers.take_turn();
    // It may have been given up while it waited.
    crew.opens(me, Some(wire))?;
    let opened = Connect::open(Some(&text));
    crew.opens(me, None)?;
    opened.map_err(|error| common.error(call, error))
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

/// The life of the first worker. `opened` hears how opening went.
pub(super) fn begin(crew: Arc<Crew>, me: u64, opened: oneshot::Sender<Result<(), Error>>) {
    let place = Place { crew, me };
    let crew = &place.crew;
    match Session::open(crew, me) {
        Ok(session) => {
            if crew.opened(&session.open) && opened.send(Ok(())).is_ok() {
                work(&place, session);
            } else {
                crew.leaving(me);
            }
        }
        Err(error) => {
            crew.lose(Loss::Ours);
            let _ = opened.send(Err(error)); // nobody waits any longer
        }
    }
}

/// The life of a further worker, with a connection of its own. The first one's was opened once the
/// host had answered; that may be long ago.
pub(super) fn assist(crew: Arc<Crew>, me: u64) {
    let place = Place { crew, me };
    let crew = &place.crew;
    let opened = crew.common.peers.answer();
    match opened.and_then(|()| Session::open(crew, me)) {
        Ok(session) => {
            if crew.finish(me) {
                work(&place, session);
            } else {
                crew.leaving(me);
            }
        }
        Err(error) => crew.unopened(me, error),
    }
}

/// The life of a further worker in process, with the first one's connection.
pub(super) fn join(crew: Arc<Crew>, me: u64, open: Arc<Open>) {
    let session = Session::new(open, &crew, me);
    work(&Place { crew, me }, session);
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
