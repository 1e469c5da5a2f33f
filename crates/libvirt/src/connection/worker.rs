//! The thread of a connection, and what runs on it.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use virt::connect::Connect;

use super::ledger;
use super::progress::{Loss, Progress};
use super::{OPEN_JOB, Options};
use crate::domain::unless_gone;
use crate::error::{Error, ErrorKind};
use crate::events::CloseReason;
use crate::ffi::callbacks::{Close, Lifecycle, Notice, Sink};
use crate::uri::Uri;

/// Seconds between keepalive messages on a remote connection, and how many may be missed.
const KEEPALIVE: (i32, u32) = (5, 3);

/// Work for a connection's thread.
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) call: &'static str,
    pub(super) task: Task,
}

pub(super) enum Task {
    /// Something to do with the session.
    Run(Box<dyn FnOnce(&mut Session) + Send>),
    /// Close the connection, say so, and end the thread.
    Close(oneshot::Sender<Result<(), Error>>),
}

/// The open connection, owned by its thread and never seen outside.
pub(crate) struct Session {
    connection: Connect,
    uri: Uri,
    target: String,
    progress: Arc<Progress>,
    close: Option<Close>,
    lifecycle: Option<Lifecycle>,
    /// The daemon said that it has no bulk statistics although its driver should.
    pub(crate) bulk_stats_refused: bool,
    /// What was said of objects that cannot be read: each is said once.
    unreadable: HashSet<String>,
}

impl Session {
    fn open(uri: &Uri, progress: &Arc<Progress>) -> Result<Self, Error> {
        let target = uri.to_string();
        let failed = |call, error: virt::error::Error| {
            Error::from_fault(uri.driver(), &target, call, error.into())
        };
        let connection =
            Connect::open(Some(&uri.to_libvirt())).map_err(|e| failed("virConnectOpen", e))?;
        let mut session = Self {
            connection,
            uri: uri.clone(),
            target: target.clone(),
            progress: Arc::clone(progress),
            close: None,
            lifecycle: None,
            bulk_stats_refused: false,
            unreadable: HashSet::new(),
        };
        // In process there is nothing to keep alive, and the close callback is never called.
        if !uri.is_in_process() {
            let lost = Arc::downgrade(progress);
            let sink: Sink = Arc::new(move |notice| {
                if let (Notice::Closed { reason }, Some(progress)) = (notice, lost.upgrade()) {
                    progress.lose(Loss::Closed(CloseReason::from_raw(reason)));
                }
            });
            let close = session.run("virConnectRegisterCloseCallback", |connection| {
                Close::register(connection, sink)
            })?;
            session.close = Some(close);
            let (interval, count) = KEEPALIVE;
            if let Err(error) = session.run("virConnectSetKeepAlive", |connection| {
                connection.set_keep_alive(interval, count)
            }) {
                tracing::debug!("{target} has no keepalive: {error}");
            }
        }
        Ok(session)
    }

    /// Makes one libvirt call with a fresh deadline.
    pub(crate) fn run<T>(
        &self,
        call: &'static str,
        f: impl FnOnce(&Connect) -> Result<T, virt::error::Error>,
    ) -> Result<T, Error> {
        self.progress.step(call)?;
        f(&self.connection)
            .map_err(|error| Error::from_fault(self.uri.driver(), &self.target, call, error.into()))
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
        if !self.unreadable.contains(&text) {
            tracing::warn!("an object of {} is left out: {text}", self.target);
            self.unreadable.insert(text);
        }
        Ok(None)
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Registers for lifecycle events, once: libvirt refuses the same callback a second time, so
    /// all receivers of a connection share it.
    pub(crate) fn listen(&mut self) -> Result<(), Error> {
        if self.lifecycle.is_some() {
            return Ok(());
        }
        let progress = Arc::downgrade(&self.progress);
        let sink: Sink = Arc::new(move |notice| {
            if let Some(progress) = progress.upgrade() {
                progress.subscribers.publish(notice);
            }
        });
        self.lifecycle = Some(self.run("virConnectDomainEventRegisterAny", |connection| {
            Lifecycle::register(connection, sink)
        })?);
        Ok(())
    }
}

impl Drop for Session {
    /// Callbacks hold a reference to the connection: without this it would stay open.
    fn drop(&mut self) {
        if let Some(lifecycle) = self.lifecycle.take() {
            lifecycle.deregister(&self.connection);
        }
        if let Some(close) = self.close.take() {
            close.deregister(&self.connection);
        }
    }
}

/// Marks the connection lost when the thread ends, however it ends.
struct Ending(Arc<Progress>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.lose(if std::thread::panicking() {
            Loss::Ended
        } else {
            Loss::Ours
        });
        self.0.finish();
    }
}

/// Starts the thread. `opened` hears whether the connection opened; the thread ends when no sender
/// of `jobs` is left or its call came back after it was written off.
pub(super) fn spawn(
    uri: Uri,
    options: &Options,
    progress: Arc<Progress>,
    mut jobs: mpsc::Receiver<Job>,
    opened: oneshot::Sender<Result<(), Error>>,
) -> Result<(), Error> {
    let deadline = options.deadline;
    progress.begin(OPEN_JOB, "virConnectOpen", options.open_deadline);
    let body = move || {
        let _alive = ledger::Alive::enter();
        let _ending = Ending(Arc::clone(&progress));
        let session = Session::open(&uri, &progress);
        let mut session = match session {
            Ok(session) => session,
            Err(error) => {
                progress.finish();
                let _ = opened.send(Err(error)); // nobody waits any longer
                return;
            }
        };
        if !progress.finish() || opened.send(Ok(())).is_err() {
            return;
        }
        while let Some(Job { id, call, task }) = jobs.blocking_recv() {
            progress.begin(id, call, deadline);
            match task {
                Task::Run(run) => run(&mut session),
                Task::Close(reply) => {
                    drop(session);
                    progress.finish();
                    let _ = reply.send(Ok(())); // the caller may have left
                    return;
                }
            }
            if !progress.finish() {
                return;
            }
        }
        // Nobody is left to see a close that hangs; keepalive ends it on a dead connection.
        progress.begin(OPEN_JOB, "virConnectClose", deadline);
    };
    std::thread::Builder::new()
        .name(options.name.replace('\0', ""))
        .spawn(body)
        .map(drop)
        .map_err(|error| Error::System {
            what: "starting a thread",
            reason: error.to_string(),
        })
}
