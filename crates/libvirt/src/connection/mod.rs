//! One libvirt connection: a thread that makes the calls, a bounded queue before it, and a deadline
//! on every call.
//!
//! What calls do lives with their nouns (`host`, `domain`, `network`, `stats`, `events`); here is
//! how they get to the thread and back.

mod ledger;
mod progress;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

pub use ledger::{worker_threads, written_off_threads};
pub(crate) use worker::Session;

use crate::error::Error;
use crate::events::Subscribers;
use crate::ffi;
use crate::uri::Uri;
use progress::{Loss, Progress};
use worker::{Job, Task};

/// Jobs that wait for a connection's thread; more callers wait for a place here.
const QUEUE: usize = 16;

/// The number under which opening and closing run.
const OPEN_JOB: u64 = 0;

/// How a connection is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Name of the connection's thread, as debuggers and `top -H` show it (15 bytes of it).
    pub name: String,
    /// How long one libvirt call may take. A method that makes several has it for each of them;
    /// waiting for the thread to be free is bounded by it too.
    pub deadline: Duration,
    /// How long opening may take.
    pub open_deadline: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "libvirt".to_owned(),
            deadline: Duration::from_secs(10),
            open_deadline: Duration::from_secs(15),
        }
    }
}

/// A connection to one libvirt host. Clones share it; it closes with the last of them.
///
/// Calls run one after the other on a thread of the connection's own. Dropping the future of a
/// call that still waits for its turn withdraws it. When a libvirt call outlives its deadline the
/// thread is written off and the connection is lost for good: open a new one.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use libvirt::{Connection, Options, Uri};
/// let uri = Uri::parse("test:///default")?;
/// let connection = Connection::open(&uri, Options::default()).await?;
/// for domain in connection.list_domains().await? {
///     println!("{} is {:?}", domain.name, domain.state);
/// }
/// connection.close().await?;
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Connection {
    inner: Arc<Inner>,
}

struct Inner {
    uri: Uri,
    deadline: Duration,
    jobs: mpsc::Sender<Job>,
    next: AtomicU64,
    progress: Arc<Progress>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.uri)
    }
}

/// Writes the opening thread off when the caller gives up on it.
struct Opening(Option<Arc<Progress>>);

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(progress) = self.0.take() {
            progress.abandon();
        }
    }
}

impl Connection {
    /// Opens a connection, starting libvirt's event loop first where it does not run yet.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Auth`]; [`Error::Deadline`] when the host accepted and then
    /// said nothing; [`Error::TooManyStuck`] when too many earlier calls still hang.
    pub async fn open(uri: &Uri, options: Options) -> Result<Self, Error> {
        ledger::check()?;
        ffi::event_loop::start()?;
        let progress = Arc::new(Progress::default());
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (opened, answer) = oneshot::channel();
        let mut opening = Opening(Some(Arc::clone(&progress)));
        worker::spawn(uri.clone(), &options, Arc::clone(&progress), queue, opened).inspect_err(
            |_| {
                progress.finish();
            },
        )?;
        let inner = Inner {
            uri: uri.clone(),
            deadline: options.deadline,
            jobs,
            next: AtomicU64::new(OPEN_JOB + 1),
            progress,
        };
        let result = inner.answer(OPEN_JOB, "virConnectOpen", answer).await;
        opening.0 = None; // it was answered, or written off already
        result.map(|()| Self {
            inner: Arc::new(inner),
        })
    }

    /// Where the connection goes.
    pub fn uri(&self) -> &Uri {
        &self.inner.uri
    }

    /// How long one libvirt call may take.
    pub fn deadline(&self) -> Duration {
        self.inner.deadline
    }

    /// Whether the connection is gone for good: closed by either side, or its thread hangs.
    pub fn is_lost(&self) -> bool {
        self.inner.progress.loss().is_some()
    }

    /// Closes the connection for all its clones and waits until libvirt has let go of it, bounded
    /// by the deadline. Event receivers end. Closing a closed connection does nothing.
    ///
    /// # Errors
    /// [`Error::Deadline`] when libvirt does not let go; its thread is then written off.
    pub async fn close(&self) -> Result<(), Error> {
        let progress = &self.inner.progress;
        if progress.loss().is_some() {
            return Ok(());
        }
        let (reply, answer) = oneshot::channel();
        let job = self.inner.next.fetch_add(1, Ordering::Relaxed);
        let task = Task::Close(reply);
        self.inner
            .queue(Job {
                id: job,
                call: "virConnectClose",
                task,
            })
            .await?;
        progress.lose(Loss::Ours);
        match self.inner.answer(job, "virConnectClose", answer).await {
            // Somebody else closed it first.
            Err(Error::Lost { .. }) => Ok(()),
            other => other,
        }
    }

    /// Runs `f` on the connection's thread.
    pub(crate) async fn call<T, F>(&self, call: &'static str, f: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session) -> Result<T, Error> + Send + 'static,
    {
        if let Some(loss) = self.inner.progress.loss() {
            return Err(loss.error());
        }
        let (reply, answer) = oneshot::channel();
        let id = self.inner.next.fetch_add(1, Ordering::Relaxed);
        let run = Box::new(move |session: &mut Session| {
            if !reply.is_closed() {
                let _ = reply.send(f(session)); // the caller may have left
            }
        });
        self.inner
            .queue(Job {
                id,
                call,
                task: Task::Run(run),
            })
            .await?;
        self.inner.answer(id, call, answer).await
    }

    /// Who hears of this connection's events.
    pub(crate) fn subscribers(&self) -> &Subscribers {
        &self.inner.progress.subscribers
    }
}

impl Inner {
    /// Puts a job into the queue, waiting for room no longer than the deadline.
    async fn queue(&self, job: Job) -> Result<(), Error> {
        let call = job.call;
        match tokio::time::timeout(self.deadline, self.jobs.send(job)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.lost()),
            Err(_) => match self.progress.loss() {
                Some(loss) => Err(loss.error()),
                None => Err(Error::Deadline {
                    call,
                    after: self.deadline,
                }),
            },
        }
    }

    /// Waits for the answer to `job` while the thread makes progress.
    async fn answer<T>(
        &self,
        job: u64,
        call: &'static str,
        mut answer: oneshot::Receiver<Result<T, Error>>,
    ) -> Result<T, Error> {
        let queued = Instant::now();
        let mut started = false;
        loop {
            let running = self.progress.running();
            started |= running.is_some_and(|running| running.job == job);
            // Look again when the call that runs now is overdue, or our turn did not come in time.
            let overdue = running
                .map_or_else(Instant::now, |running| Instant::from_std(running.since))
                + running.map_or(self.deadline, |running| running.deadline);
            let next = if started {
                overdue
            } else {
                overdue.min(queued + self.deadline)
            };
            match tokio::time::timeout_at(next, &mut answer).await {
                Ok(Ok(result)) => return result,
                Ok(Err(_)) => return Err(self.lost()),
                Err(_) => {}
            }
            // A connection that ended otherwise still answers, if only with an error.
            if let Some(stuck) = self.progress.stuck() {
                return Err(if stuck.job == job {
                    Error::Deadline {
                        call: stuck.call,
                        after: stuck.deadline,
                    }
                } else {
                    self.lost()
                });
            }
            // Our turn may have come, or even passed, since we looked.
            started |= self
                .progress
                .running()
                .is_some_and(|running| running.job == job);
            if !started && queued.elapsed() >= self.deadline {
                let late = Err(Error::Deadline {
                    call,
                    after: self.deadline,
                });
                return answer.try_recv().unwrap_or(late);
            }
        }
    }

    /// The error for a thread that is no longer there.
    fn lost(&self) -> Error {
        self.progress.loss().unwrap_or(Loss::Ended).error()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[tokio::test]
    async fn a_call_that_hangs_loses_the_connection_and_its_thread_until_it_returns() {
        let deadline = Duration::from_millis(300);
        let options = Options {
            deadline,
            ..Options::default()
        };
        let uri = Uri::parse("test:///default").unwrap();
        let connection = Connection::open(&uri, options.clone()).await.unwrap();
        let mut events = connection.events().await.unwrap();
        let (release, hang) = std::sync::mpsc::channel::<()>();
        let hanging = connection.call("virDomainSuspend", move |session| {
            session.run("virDomainSuspend", |_| {
                let _ = hang.recv();
                Ok(())
            })
        });
        let (hung, queued) = tokio::join!(hanging, connection.list_domains());
        assert_eq!(
            hung,
            Err(Error::Deadline {
                call: "virDomainSuspend",
                after: deadline
            })
        );
        assert!(matches!(
            queued.unwrap_err().kind(),
            ErrorKind::Lost | ErrorKind::Deadline
        ));
        assert!(connection.is_lost());
        assert_eq!(
            connection.hostname().await.unwrap_err().to_string(),
            "The connection is lost: virDomainSuspend did not return within 0.3 s. Open a new one."
        );
        let reason = crate::CloseReason::WrittenOff;
        assert_eq!(events.recv().await, Some(crate::Event::Closed { reason }));
        assert_eq!(written_off_threads(), 1);
        // A new connection works at once; the old thread is off the books when its call returns.
        let another = Connection::open(&uri, options).await.unwrap();
        assert!(!another.list_domains().await.unwrap().is_empty());
        drop(release);
        while written_off_threads() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(connection.is_lost());
    }

    #[tokio::test]
    async fn a_slow_method_that_makes_progress_is_not_cut_off() {
        let options = Options {
            deadline: Duration::from_millis(300),
            ..Options::default()
        };
        let uri = Uri::parse("test:///default").unwrap();
        let connection = Connection::open(&uri, options).await.unwrap();
        let steps = connection
            .call("virDomainGetInfo", |session| {
                for _ in 0..5 {
                    session.run("virDomainGetInfo", |_| {
                        std::thread::sleep(Duration::from_millis(100));
                        Ok(())
                    })?;
                }
                Ok(5)
            })
            .await;
        assert_eq!(steps, Ok(5));
        assert!(!connection.is_lost());
    }
}
