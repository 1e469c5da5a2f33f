//! One host's supervisor: the states that `fleet` draws.

use super::{Contact, Refresh, Surroundings, backoff::Backoff, inventory, line::Line};
use crate::discovery::Update;
use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, OptionFuture},
    stream::FuturesUnordered,
};
use jiff::Timestamp;
use libvirt::{Connection, Error, Event, EventReceiver, Uri};
use model::{HostInventory, HostReport, RouterId};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::Instant,
};

/// Domains that are read at once after events. With what else may run on the connection, fewer
/// than the five calls that libvirt's server takes from one.
const READS: usize = 2;

/// A full listing that failed is tried again after this.
const RETRY_LISTING: Duration = Duration::from_secs(5);

pub(crate) struct Supervisor {
    uri: Uri,
    report: HostReport,
    contact: Arc<Contact>,
    refreshes: mpsc::Receiver<Refresh>,
    /// Told once the first attempt has ended, either way.
    first: Option<oneshot::Sender<()>>,
    surroundings: Surroundings,
}

/// The connections of a host that answers.
struct Lines {
    events: Connection,
    polling: Arc<Line>,
    control: Arc<Line>,
}

impl Supervisor {
    pub fn new(
        uri: Uri,
        report: HostReport,
        contact: Arc<Contact>,
        refreshes: mpsc::Receiver<Refresh>,
        first: oneshot::Sender<()>,
        surroundings: Surroundings,
    ) -> Self {
        Self {
            uri,
            report,
            contact,
            refreshes,
            first: Some(first),
            surroundings,
        }
    }

    /// Keeps contact for as long as the server runs.
    pub async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            let Err(error) = self.stay_in_contact(&mut backoff).await;
            self.contact.set_control(None);
            let why = match &error {
                Error::Lost { reason } => format!("The connection was lost: {reason}."),
                error => error.to_string(),
            };
            // Once for each cause, not for each attempt.
            if self.report.message.as_ref() != Some(&why) {
                tracing::warn!(host = %self.report.id, why, "the host is unreachable");
            }
            self.say(model::Contact::Unreachable, Some(why)).await;
            tokio::time::sleep(backoff.next()).await;
        }
    }

    /// Connects and serves until the contact is lost.
    async fn stay_in_contact(&mut self, backoff: &mut Backoff) -> Result<Never, Error> {
        let lines = self.connect().await?;
        // First the events, then the listing: nothing falls in between.
        let events = lines.events.events().await?;
        let connection = lines.polling.connection().await?;
        let before = self.report.inventory.clone();
        let listed = inventory::list(self.report.id.clone(), connection, before).await?;
        self.take_listing(listed, BTreeSet::new());
        // What was asked of the connection before gets no answer any more.
        while self.refreshes.try_recv().is_ok() {}
        self.contact.set_control(Some(Arc::clone(&lines.control)));
        self.contact.heard();
        self.say(model::Contact::Online, None).await;
        backoff.reset();
        let serving = Serving {
            relist_at: Instant::now() + self.surroundings.relist_interval,
            lines,
            events,
            listing: None.into(),
            listing_failed: None,
            newer: BTreeSet::new(),
            asked: BTreeMap::new(),
            reads: FuturesUnordered::new(),
            reading: BTreeMap::new(),
        };
        serving.run(self).await
    }

    async fn connect(&self) -> Result<Lines, Error> {
        let open = |purpose: &str| Line::open(&self.uri, format!("{purpose}:{}", self.report.id));
        let polling = Arc::new(open("poll").await?);
        if self.uri.is_in_process() {
            return Ok(Lines {
                events: polling.connection().await?,
                control: Arc::clone(&polling),
                polling,
            });
        }
        let (events, control) = tokio::try_join!(open("event"), open("ctl"))?;
        Ok(Lines {
            events: events.connection().await?,
            control: Arc::new(control),
            polling,
        })
    }

    fn take_listing(&mut self, listed: HostInventory, newer: BTreeSet<RouterId>) {
        let merged = inventory::merge(listed, self.report.inventory.as_deref(), newer);
        self.report.inventory = Some(Arc::new(merged));
    }

    /// Puts a domain into the inventory as it was read, or takes it out if it is gone.
    fn take_domain(&mut self, id: RouterId, read: Option<libvirt::Domain>) {
        let Some(inventory) = &mut self.report.inventory else {
            return;
        };
        let inventory = Arc::make_mut(inventory);
        inventory.as_of = Timestamp::now();
        match read {
            Some(read) => {
                let domain = Arc::new(inventory::domain(read));
                inventory.domains.insert(id, domain);
            }
            None => drop(inventory.domains.remove(&id)),
        }
    }

    /// Tells discovery of another state of the contact, and whoever waits that the first attempt
    /// has ended.
    async fn say(&mut self, contact: model::Contact, message: Option<String>) {
        self.report.contact = contact;
        self.report.message = message;
        let first = self.first.take();
        self.tell(first.into_iter().collect()).await;
    }

    async fn tell(&self, published: Vec<oneshot::Sender<()>>) {
        let report = self.report.clone();
        // Without discovery the server is ending.
        let _ = (self.surroundings.updates)
            .send(Update { report, published })
            .await;
    }
}

/// What reading a domain gave; nothing if it is gone.
type Read = Result<Option<libvirt::Domain>, Error>;

/// No value: contact is kept until it is lost.
enum Never {}

/// A host that answers, and what is under way with it.
struct Serving {
    lines: Lines,
    events: EventReceiver,
    relist_at: Instant,
    listing: OptionFuture<BoxFuture<'static, Result<HostInventory, Error>>>,
    /// Why the last listing failed, if it did: polls that are answered do not make up for it.
    listing_failed: Option<String>,
    /// Domains that were read since the listing began.
    newer: BTreeSet<RouterId>,
    /// Domains to be read, and who waits for that.
    asked: BTreeMap<RouterId, Vec<oneshot::Sender<()>>>,
    reads: FuturesUnordered<BoxFuture<'static, (RouterId, Read)>>,
    /// Domains that are being read, and who waits for that. What happens meanwhile asks again.
    reading: BTreeMap<RouterId, Vec<oneshot::Sender<()>>>,
}

impl Serving {
    async fn run(mut self, host: &mut Supervisor) -> Result<Never, Error> {
        let (health, mut polled) = mpsc::channel(4);
        let polling = Polling {
            host: host.report.id.clone(),
            line: Arc::clone(&self.lines.polling),
            surroundings: host.surroundings.clone(),
            health,
        };
        // Ends with this function: a set ends its tasks when it is dropped.
        let mut tasks = JoinSet::new();
        tasks.spawn(polling.run());
        let mut is_listing = false;
        loop {
            self.start_reads();
            tokio::select! {
                event = self.events.recv() => self.take_event(event.as_ref())?,
                Some((id, read)) = self.reads.next() => self.take_read(host, id, read).await?,
                Some(refresh) = host.refreshes.recv() => {
                    self.asked.entry(refresh.router).or_default().push(refresh.published);
                }
                Some(listed) = &mut self.listing, if is_listing => {
                    is_listing = false;
                    self.listing = None.into();
                    self.take_listing(host, listed).await;
                }
                () = tokio::time::sleep_until(self.relist_at), if !is_listing => {
                    is_listing = true;
                    self.newer.clear();
                    self.listing = Some(self.list(host)).into();
                }
                Some(answered) = polled.recv() => {
                    Self::take_health(host, self.listing_failed.as_ref(), answered).await;
                }
            }
        }
    }

    fn list(&self, host: &Supervisor) -> BoxFuture<'static, Result<HostInventory, Error>> {
        let (id, line) = (host.report.id.clone(), Arc::clone(&self.lines.polling));
        let before = host.report.inventory.clone();
        async move { inventory::list(id, line.connection().await?, before).await }.boxed()
    }

    async fn take_listing(&mut self, host: &mut Supervisor, listed: Result<HostInventory, Error>) {
        match listed {
            Ok(listed) => {
                self.relist_at = Instant::now() + host.surroundings.relist_interval;
                self.listing_failed = None;
                host.take_listing(listed, std::mem::take(&mut self.newer));
                host.contact.heard();
                host.tell(Vec::new()).await;
            }
            Err(error) => {
                self.relist_at = Instant::now() + RETRY_LISTING;
                self.listing_failed = Some(error.to_string());
                Self::take_health(host, None, Err(error)).await;
            }
        }
    }

    fn take_event(&mut self, event: Option<&Event>) -> Result<(), Error> {
        match event {
            Some(Event::Lifecycle { uuid, .. }) => {
                self.asked.entry(RouterId(*uuid)).or_default();
            }
            Some(Event::Missed { count }) => {
                tracing::warn!(count, "events were missed: the host is listed again");
                self.relist_at = Instant::now();
            }
            Some(Event::Closed { reason }) => {
                let reason = reason.to_string();
                return Err(Error::Lost { reason });
            }
            Some(_) => {}
            None => {
                let reason = "its events ended".to_owned();
                return Err(Error::Lost { reason });
            }
        }
        Ok(())
    }

    /// Reads what was asked for, each domain once at a time.
    fn start_reads(&mut self) {
        while self.reads.len() < READS {
            let next = self.asked.keys().find(|id| !self.reading.contains_key(id));
            let Some(id) = next.copied() else {
                return;
            };
            let waiting = self.asked.remove(&id).unwrap_or_default();
            self.reading.insert(id, waiting);
            let connection = self.lines.events.clone();
            let read = async move { (id, connection.domain(id.0).await) };
            self.reads.push(read.boxed());
        }
    }

    async fn take_read(
        &mut self,
        host: &mut Supervisor,
        id: RouterId,
        read: Read,
    ) -> Result<(), Error> {
        let waiting = self.reading.remove(&id).unwrap_or_default();
        match read {
            Ok(read) => {
                self.newer.insert(id);
                host.take_domain(id, read);
                host.contact.heard();
                host.tell(waiting).await;
            }
            // The connection that carries events is the one that decides.
            Err(_) if self.lines.events.is_lost() => {
                let reason = "reading a domain hung".to_owned();
                return Err(read.err().unwrap_or(Error::Lost { reason }));
            }
            // Whoever waits is told by the end of the channel; the next listing sets it right.
            Err(error) => {
                tracing::warn!(host = %host.report.id, router = %id, %error, "cannot read a router");
            }
        }
        Ok(())
    }

    /// The last poll was answered, or not.
    async fn take_health(
        host: &mut Supervisor,
        listing_failed: Option<&String>,
        answered: Result<(), Error>,
    ) {
        let (contact, message) = match answered {
            Ok(()) => {
                host.contact.heard();
                match listing_failed {
                    None => (model::Contact::Online, None),
                    Some(why) => (model::Contact::Degraded, Some(why.clone())),
                }
            }
            Err(error) => {
                tracing::warn!(host = %host.report.id, %error, "the host is degraded");
                (model::Contact::Degraded, Some(error.to_string()))
            }
        };
        if host.report.contact != contact || host.report.message != message {
            host.say(contact, message).await;
        }
    }
}

/// Asks a host at every tick, and with that samples it.
struct Polling {
    host: model::HostId,
    line: Arc<Line>,
    surroundings: Surroundings,
    health: mpsc::Sender<Result<(), Error>>,
}

impl Polling {
    async fn run(self) {
        let Surroundings {
            sampler,
            sample_interval,
            ..
        } = &self.surroundings;
        loop {
            let at = crate::measurement::next_tick(*sample_interval).await;
            let polled = match self.line.connection().await {
                Ok(connection) => sampler.sample(&self.host, at, &connection).await,
                Err(error) => Err(error),
            };
            if self.health.send(polled).await.is_err() {
                return;
            }
        }
    }
}
