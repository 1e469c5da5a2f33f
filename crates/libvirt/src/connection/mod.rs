//! One libvirt connection: a few threads that make the calls, a queue before them, and a deadline
//! on every call.
//!
//! What calls do lives with their nouns (`host`, `domain`, `network`, `stats`, `events`); here is
//! how they get to a thread and back. `crew`: who works, waits and hangs, with the states drawn;
//! `worker`: the threads; `ledger`: how many may hang; `wire`: cutting off what hangs in opening.

mod crew;
mod ledger;
mod wire;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use uuid::Uuid;

pub use ledger::{Budget, worker_threads, written_off_threads};
pub(crate) use worker::Session;

use crate::credentials::Credentials;
use crate::driver::Capability;
use crate::error::Error;
use crate::events::Subscribers;
use crate::ffi;
use crate::uri::Uri;
use crew::{Crew, FIRST_JOB, Job, Loss, OPEN_JOB, Position};
use worker::Task;

/// Fewer than libvirtd takes up at a time from one client (`max_client_requests` is 5), though each
/// is a client of its own: a host has 20 threads for all of them.
const MAX_WORKERS: usize = 4;

/// How a connection is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the connection's threads, as debuggers and `top -H` show it (15 bytes of it).
    pub name: String,
    /// How long one libvirt call may take. A method that makes several has it for each of them;
    /// waiting for a thread to be free is bounded by it too.
    pub deadline: Duration,
    /// How long opening may take.
    pub open_deadline: Duration,
    /// How many calls may be under way at once: 1 to 4 (what is outside is brought in). Threads
    /// beyond the first start when a call waits and all are busy, each with a connection to the
    /// host of its own, and end after some seconds without work.
    pub workers: usize,
    /// The bound on hanging threads; give all connections of a host the same.
    pub budget: Budget,
    /// What the connection logs in with.
    pub credentials: Credentials,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "libvirt".to_owned(),
            deadline: Duration::from_secs(10),
            open_deadline: Duration::from_secs(15),
            workers: 1,
            budget: Budget::default(),
            credentials: Credentials::default(),
        }
    }
}

/// A connection to one libvirt host. Clones share it; it closes with the last of them.
///
/// Calls run on up to [`Options::workers`] threads of the connection's own, each call on one.
/// Dropping the future of a call that still waits for its turn withdraws it. When a libvirt call
/// outlives its deadline its thread is written off; the connection goes on with its other threads,
/// and is lost for good when all hang: open a new one.
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
    next: AtomicU64,
    crew: Arc<Crew>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.uri)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.crew.lose(Loss::Ours);
    }
}

/// Writes the opening thread off when the caller gives up on it.
struct Opening(Option<Arc<Crew>>);

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(crew) = self.0.take() {
            crew.abandon();
        }
    }
}

/// Withdraws a job that still waits when its caller leaves.
struct Waiting<'a> {
    crew: &'a Crew,
    job: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.crew.withdraw(self.job);
    }
}

impl Connection {
    /// Opens a connection, starting libvirt's event loop first where it does not run yet. A host
    /// by TCP or TLS is first tried without libvirt: one that is not there costs no thread.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Auth`]; [`Error::Deadline`] when the host accepted and then
    /// said nothing; [`Error::TooManyStuck`] when too many earlier calls still hang.
    pub async fn open(uri: &Uri, options: Options) -> Result<Self, Error> {
        ledger::sweep();
        options.budget.check()?;
        ffi::event_loop::start()?;
        let (way, peers) = crate::reach::reach(uri, options.open_deadline).await?;
        let common = worker::Common::new(uri, way, peers, options.credentials.clone());
        let deadline = options.deadline;
        let crew = Arc::new(Crew::new(options, common));
        ledger::enter(&crew);
        let (opened, answer) = oneshot::channel();
        crew.open(opened)?;
        let mut given_up = Opening(Some(Arc::clone(&crew)));
        let inner = Inner {
            uri: uri.clone(),
            deadline,
            next: AtomicU64::new(FIRST_JOB),
            crew,
        };
        let result = inner.answer(OPEN_JOB, answer).await;
        given_up.0 = None; // it was answered, or written off already
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

    /// Whether the connection is gone for good: closed by either side, or all its threads hang.
    pub fn is_lost(&self) -> bool {
        self.inner.crew.loss().is_some()
    }

    /// How many of its calls hang, past their deadlines.
    pub fn hanging(&self) -> usize {
        self.inner.crew.hanging()
    }

    /// Closes the connection for all its clones and waits until libvirt has let go of it, bounded
    /// by the deadline. Calls that were made before are still answered; event receivers end.
    /// Closing a closed connection does nothing.
    ///
    /// # Errors
    /// [`Error::Deadline`] when libvirt does not let go, or a call on it hangs.
    pub async fn close(&self) -> Result<(), Error> {
        let crew = &self.inner.crew;
        if crew.loss().is_some() {
            return Ok(());
        }
        crew.lose(Loss::Ours);
        crew.ended().await
    }

    /// Refuses what the driver cannot do.
    pub(crate) fn needs(&self, capability: Capability, call: &'static str) -> Result<(), Error> {
        self.inner.uri.driver().needs(capability, call)
    }

    /// Runs `f` on one of the connection's threads.
    pub(crate) async fn call<T, F>(&self, call: &'static str, f: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session) -> Result<T, Error> + Send + 'static,
    {
        self.call_within(self.inner.deadline, call, None, f).await
    }

    /// Runs `f`, whose calls are about one domain, on one of the connection's threads: should one
    /// hang, its error names the domain.
    pub(crate) async fn call_about<T, F>(
        &self,
        domain: Uuid,
        call: &'static str,
        f: F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session) -> Result<T, Error> + Send + 'static,
    {
        self.call_within(self.inner.deadline, call, Some(domain), f)
            .await
    }

    /// Runs `f` on one of the connection's threads, with another deadline than usual for each
    /// libvirt call that it makes.
    pub(crate) async fn call_within<T, F>(
        &self,
        deadline: Duration,
        call: &'static str,
        domain: Option<Uuid>,
        f: F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session) -> Result<T, Error> + Send + 'static,
    {
        let job = |id, task| Job {
            id,
            call,
            domain,
            deadline,
            first: false,
            task,
        };
        self.submit(job, f).await
    }

    /// Runs `f` on the connection's first thread, whose connection stays open until all is closed.
    pub(crate) async fn call_first<T, F>(&self, call: &'static str, f: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session) -> Result<T, Error> + Send + 'static,
    {
        self.call_first_within(self.inner.deadline, call, f).await
    }

    /// As [`call_first`](Self::call_first), with another deadline than usual for each libvirt call.
    pub(crate) async fn call_first_within<T, F>(
        &self,
        deadline: Duration,
        call: &'static str,
        f: F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session) -> Result<T, Error> + Send + 'static,
    {
        let job = |id, task| Job {
            id,
            call,
            domain: None,
            deadline,
            first: true,
            task,
        };
        self.submit(job, f).await
    }

    async fn submit<T, F>(&self, job: impl FnOnce(u64, Task) -> Job, f: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session) -> Result<T, Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let id = self.inner.next.fetch_add(1, Ordering::Relaxed);
        let task = Box::new(move |session: &mut Session| {
            let result = (!reply.is_closed()).then(|| f(session));
            // Before the answer: who asks at once again finds this thread free and starts no other.
            session.finish();
            if let Some(result) = result {
                let _ = reply.send(result); // the caller may have left
            }
        });
        let crew = &self.inner.crew;
        crew.submit(job(id, task))?;
        let _waiting = Waiting { crew, job: id };
        self.inner.answer(id, answer).await
    }

    /// Who hears of this connection's events.
    pub(crate) fn subscribers(&self) -> &Subscribers {
        &self.inner.crew.subscribers
    }
}

impl Inner {
    /// Waits for the answer to `job` while its thread makes progress.
    async fn answer<T>(
        &self,
        job: u64,
        mut answer: oneshot::Receiver<Result<T, Error>>,
    ) -> Result<T, Error> {
        let queued = Instant::now();
        loop {
            let answered = match self.crew.position(job, queued) {
                Position::Until(next) => tokio::time::timeout_at(next.into(), &mut answer).await,
                // It may have been answered since we looked.
                Position::Failed(error) => return answer.try_recv().unwrap_or(Err(error)),
                Position::Over => Ok((&mut answer).await),
            };
            match answered {
                Ok(Ok(result)) => return result,
                Ok(Err(_)) => return Err(self.crew.refusal()),
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, StuckBound};
    use std::future::Future;
    use std::sync::mpsc;

    const DEADLINE: Duration = Duration::from_millis(300);

    async fn open(workers: usize, budget: &Budget) -> Result<Connection, Error> {
        let options = Options {
            deadline: DEADLINE,
            workers,
            budget: budget.clone(),
            ..Options::default()
        };
        Connection::open(&Uri::parse("test:///default").unwrap(), options).await
    }

    /// A call that hangs until what is sent with it is dropped.
    fn hang(
        connection: &Connection,
        domain: Option<Uuid>,
    ) -> (
        mpsc::Sender<()>,
        impl Future<Output = Result<(), Error>> + Send + use<>,
    ) {
        let (release, released) = mpsc::channel::<()>();
        let connection = connection.clone();
        let call = async move {
            let call = "virDomainSuspend";
            let hanging = move |session: &mut Session| {
                session.run(call, |_| {
                    let _ = released.recv();
                    Ok(())
                })
            };
            connection
                .call_within(DEADLINE, call, domain, hanging)
                .await
        };
        (release, call)
    }

    async fn until(what: &str, condition: impl Fn() -> bool) {
        let wait = async {
            while !condition() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
        waited.unwrap_or_else(|_| panic!("never: {what}"));
    }

    #[tokio::test]
    async fn a_call_that_hangs_loses_the_connection_and_its_thread_until_it_returns() {
        let budget = Budget::default();
        let connection = open(1, &budget).await.unwrap();
        let mut events = connection.events().await.unwrap();
        let (release, hanging) = hang(&connection, None);
        let (hung, queued) = tokio::join!(hanging, connection.list_domains());
        assert_eq!(
            hung,
            Err(Error::Deadline {
                call: "virDomainSuspend",
                after: DEADLINE,
                domain: None,
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
        assert_eq!((budget.hanging(), connection.hanging()), (1, 1));
        assert!(written_off_threads() >= 1);
        // A new connection works at once; the old thread is off the books when its call returns.
        let another = open(1, &budget).await.unwrap();
        assert!(!another.list_domains().await.unwrap().is_empty());
        drop(release);
        until("the thread came back", || budget.hanging() == 0).await;
        assert!(connection.is_lost());
    }

    #[tokio::test]
    async fn a_slow_method_that_makes_progress_is_not_cut_off() {
        let connection = open(1, &Budget::default()).await.unwrap();
        let steps = connection
            .call("virDomainGetInfo", |session| {
                for _ in 0..5 {
                    session.run("virDomainGetInfo", |_| {
                        std::thread::sleep(DEADLINE / 3);
                        Ok(())
                    })?;
                }
                Ok(5)
            })
            .await;
        assert_eq!(steps, Ok(5));
        assert!(!connection.is_lost());
    }

    #[tokio::test]
    async fn a_connection_with_several_workers_goes_on_until_all_hang() {
        let budget = Budget::default();
        let connection = open(2, &budget).await.unwrap();
        let mut events = connection.events().await.unwrap();
        let domain = Uuid::from_u128(7);
        let (first, hanging) = hang(&connection, Some(domain));
        let error = hanging.await.unwrap_err();
        assert_eq!(
            error,
            Error::Deadline {
                call: "virDomainSuspend",
                after: DEADLINE,
                domain: Some(domain),
            }
        );
        assert!(error.to_string().contains(&domain.to_string()), "{error}");
        for _ in 0..10 {
            assert!(!connection.list_domains().await.unwrap().is_empty());
        }
        assert!(!connection.is_lost());
        assert_eq!((connection.hanging(), budget.hanging()), (1, 1));
        let (second, hanging) = hang(&connection, None);
        assert_eq!(hanging.await.unwrap_err().kind(), ErrorKind::Deadline);
        assert_eq!((connection.hanging(), budget.hanging()), (2, 2));
        assert!(connection.is_lost());
        let reason = crate::CloseReason::WrittenOff;
        assert_eq!(events.recv().await, Some(crate::Event::Closed { reason }));
        drop((first, second));
        until("both came back", || budget.hanging() == 0).await;
        until("both ended", || connection.inner.crew.size() == 0).await;
    }

    #[tokio::test]
    async fn a_hanging_call_that_returns_gives_its_place_back() {
        let budget = Budget::default();
        let connection = open(2, &budget).await.unwrap();
        for _ in 0..5 {
            let (release, hanging) = hang(&connection, None);
            assert_eq!(hanging.await.unwrap_err().kind(), ErrorKind::Deadline);
            assert!(connection.hostname().await.is_ok());
            drop(release);
            until("it came back", || connection.hanging() == 0).await;
        }
        assert!(!connection.is_lost());
    }

    #[tokio::test]
    async fn further_threads_start_when_a_call_waits_and_end_when_none_does() {
        let connection = open(3, &Budget::default()).await.unwrap();
        let size = || connection.inner.crew.size();
        for _ in 0..20 {
            connection.hostname().await.unwrap();
        }
        assert_eq!(size(), 1);
        // Five callers, three places: two wait for their turn.
        let (calls, releases): (Vec<_>, Vec<_>) = (0..5)
            .map(|_| {
                let (release, call) = hang(&connection, None);
                (tokio::spawn(call), release)
            })
            .unzip();
        until("all places are taken", || size() == 3).await;
        drop(releases);
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok(()));
        }
        // One caller that never rests keeps no second thread.
        let one_is_left = async {
            while size() > 1 {
                connection.hostname().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), one_is_left);
        waited.await.expect("further threads stayed");
        assert!(connection.hostname().await.is_ok());
    }

    #[tokio::test]
    async fn at_the_bound_of_the_host_nothing_is_started_until_a_thread_comes_back() {
        let budget = Budget::new(1);
        let connection = open(4, &budget).await.unwrap();
        let (release, hanging) = hang(&connection, None);
        assert_eq!(hanging.await.unwrap_err().kind(), ErrorKind::Deadline);
        let full = Error::TooManyStuck {
            stuck: 1,
            limit: 1,
            bound: StuckBound::Host,
        };
        assert_eq!(open(1, &budget).await.unwrap_err(), full);
        assert_eq!(connection.hostname().await, Err(full));
        assert!(open(1, &Budget::default()).await.is_ok());
        drop(release);
        until("it came back", || budget.hanging() == 0).await;
        assert!(connection.hostname().await.is_ok());
        assert!(open(1, &budget).await.is_ok());
    }

    #[tokio::test]
    async fn closing_waits_for_what_was_asked_before_and_says_what_hangs() {
        let connection = open(2, &Budget::default()).await.unwrap();
        let (release, call) = hang(&connection, None);
        let call = tokio::spawn(call);
        until("it runs", || connection.inner.crew.busy() == 1).await;
        let (closed, ()) = tokio::join!(connection.close(), async { drop(release) });
        assert_eq!((closed, call.await.unwrap()), (Ok(()), Ok(())));

        let budget = Budget::default();
        let connection = open(2, &budget).await.unwrap();
        let (release, call) = hang(&connection, None);
        let call = tokio::spawn(call);
        until("it runs", || connection.inner.crew.busy() == 1).await;
        let error = connection.close().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
        assert_eq!(call.await.unwrap(), Err(error));
        assert_eq!(budget.hanging(), 1);
        drop(release);
        until("it came back", || budget.hanging() == 0).await;
    }

    #[tokio::test]
    async fn a_hanging_call_that_nobody_waits_for_is_counted() {
        let budget = Budget::default();
        let connection = open(1, &budget).await.unwrap();
        let (release, call) = hang(&connection, None);
        let call = tokio::spawn(call);
        until("it runs", || connection.inner.crew.busy() == 1).await;
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        drop(connection);
        until("it is noticed", || budget.hanging() == 1).await;
        drop(release);
        until("it came back", || budget.hanging() == 0).await;
    }

    #[tokio::test]
    async fn a_call_that_never_got_its_turn_blames_no_domain() {
        let connection = open(2, &Budget::default()).await.unwrap();
        let occupy = || {
            let call = "virDomainGetInfo";
            connection.call(call, move |session| {
                for _ in 0..6 {
                    session.run(call, |_| {
                        std::thread::sleep(DEADLINE / 2);
                        Ok(())
                    })?;
                }
                Ok(())
            })
        };
        let uuid = Uuid::from_u128(7);
        let behind = connection.call_about(uuid, "virDomainResume", |_| Ok(()));
        let (first, second, behind) = tokio::join!(occupy(), occupy(), behind);
        assert_eq!((first, second), (Ok(()), Ok(())));
        assert_eq!(
            behind,
            Err(Error::Deadline {
                call: "virDomainResume",
                after: DEADLINE,
                domain: None,
            })
        );
        assert!(!connection.is_lost());
    }

    #[tokio::test]
    async fn a_worker_that_panics_loses_the_connection_and_nothing_else() {
        // With the usual deadline: printing where it panicked takes its time.
        let options = Options::default();
        let budget = options.budget.clone();
        let uri = Uri::parse("test:///default").unwrap();
        let connection = Connection::open(&uri, options).await.unwrap();
        let died = connection.call("virDomainGetInfo", |_| -> Result<(), Error> {
            panic!("a defect, on purpose")
        });
        assert_eq!(died.await.unwrap_err().kind(), ErrorKind::Lost);
        assert!(connection.is_lost());
        until("its thread ended", || connection.inner.crew.size() == 0).await;
        assert_eq!(budget.hanging(), 0);
    }
}
