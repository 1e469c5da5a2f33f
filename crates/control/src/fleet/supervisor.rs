//! One endpoint's supervisor: the states that `fleet` draws.

use super::{
    EndpointContact, Line, Refresh, Surroundings, Way,
    backoff::Backoff,
    inventory::{self, Listing},
    polling::{Polled, Polling},
    tracked::Tracked,
};
use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, OptionFuture},
    stream::FuturesUnordered,
};
use jiff::Timestamp;
use libvirt::{Connection, Error, Event, EventReceiver};
use model::{Contact, Domain, HostId, HostInterface, HostInventory, Network, NodeFacts, RouterId};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

/// Domains that are read at once after events.
const READS: usize = 2;

/// Calls on each connection at once: fewer than the five that libvirt's server takes from one.
const EVENT_WORKERS: usize = READS;
const POLL_WORKERS: usize = 4;
const CONTROL_WORKERS: usize = 4;

/// A full listing that events ask for comes this much later, for those that follow.
const GATHER: Duration = Duration::from_millis(200);

/// A full listing that failed is tried again after this.
const RETRY_LISTING: Duration = Duration::from_secs(5);

/// What a supervisor tells of its endpoint.
#[derive(Debug)]
pub(crate) struct EndpointReport {
    /// Which of the host's endpoints.
    pub index: usize,
    pub contact: Contact,
    pub message: Option<String>,
    pub inventory: Option<Arc<HostInventory>>,
    /// Told once the topology shows it.
    pub published: Vec<oneshot::Sender<()>>,
}

pub(crate) struct Supervisor {
    pub host: HostId,
    pub index: usize,
    pub way: Arc<Way>,
    pub contact: Arc<EndpointContact>,
    pub refreshes: mpsc::Receiver<Refresh>,
    pub reports: mpsc::Sender<EndpointReport>,
    pub surroundings: Arc<Surroundings>,
    /// Told once the first attempt has ended, either way.
    pub first: Option<oneshot::Sender<()>>,
    pub known: Known,
}

/// What is known of an endpoint.
pub(crate) struct Known {
    state: Contact,
    message: Option<String>,
    /// The last that was told, to be compared and shared.
    told: Option<Arc<HostInventory>>,
    as_of: Timestamp,
    node: NodeFacts,
    interfaces: Vec<HostInterface>,
    networks: Vec<Network>,
    tracked: Tracked<oneshot::Sender<()>>,
}

impl Known {
    /// What was known when the server stopped.
    pub fn restored(inventory: Option<Arc<HostInventory>>) -> Self {
        let of = inventory.as_deref();
        Self {
            state: Contact::Connecting,
            message: None,
            as_of: of.map_or(Timestamp::UNIX_EPOCH, |of| of.as_of),
            node: of.map(|of| of.node.clone()).unwrap_or_default(),
            interfaces: of.map(|of| of.interfaces.clone()).unwrap_or_default(),
            networks: of.map(|of| of.networks.clone()).unwrap_or_default(),
            tracked: Tracked::new(of.map(|of| of.domains.clone()).unwrap_or_default()),
            told: inventory,
        }
    }

    fn take_listing(&mut self, listing: Listing) {
        self.node = listing.node;
        self.interfaces = listing.interfaces;
        self.networks = listing.networks;
        self.as_of = listing.as_of;
        self.tracked.listed(listing.domains);
    }

    /// What is known, as it is told.
    fn inventory(&mut self, host: &HostId) -> Arc<HostInventory> {
        let inventory = HostInventory {
            host: host.clone(),
            as_of: self.as_of,
            node: self.node.clone(),
            interfaces: self.interfaces.clone(),
            networks: self.networks.clone(),
            domains: self.tracked.domains().clone(),
        };
        Arc::clone(self.told.insert(Arc::new(inventory)))
    }
}

/// The connections of an endpoint that answers.
struct Lines {
    events: Connection,
    polling: Arc<Line>,
    control: Arc<Line>,
}

impl Supervisor {
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
            if self.known.message.as_ref() != Some(&why) {
                tracing::warn!(host = %self.host, why, "the host is unreachable");
            }
            self.say(Contact::Unreachable, Some(why)).await;
            tokio::time::sleep(backoff.next()).await;
        }
    }

    /// Connects and serves until the contact is lost.
    async fn stay_in_contact(&mut self, backoff: &mut Backoff) -> Result<Never, Error> {
        let lines = self.connect().await?;
        // First the events, then the listing: nothing falls in between.
        let events = lines.events.events().await?;
        self.known.tracked.begin_listing();
        let connection = lines.polling.connection().await?;
        match self.list(connection).await {
            Ok(listing) => self.take_listing(listing),
            Err(error) => {
                self.known.tracked.not_listed();
                return Err(error);
            }
        }
        // What was asked of the connection before gets no answer any more.
        while self.refreshes.try_recv().is_ok() {}
        self.contact.set_control(Some(Arc::clone(&lines.control)));
        self.say(Contact::Online, None).await;
        backoff.reset();
        let (polled, answers) = mpsc::channel(8);
        let polling = Polling {
            host: self.host.clone(),
            driver: self.way.uri.driver(),
            line: Arc::clone(&lines.polling),
            contact: Arc::clone(&self.contact),
            surroundings: Arc::clone(&self.surroundings),
            polled,
        };
        // Ends with this function: a set ends its tasks when it is dropped.
        let _loops = polling.start();
        let serving = Serving {
            relist_at: Instant::now() + self.surroundings.relist_interval,
            again_at: None,
            waiting: Vec::new(),
            lines,
            events,
            answers,
            listing: None.into(),
            troubles: BTreeMap::new(),
            reads: FuturesUnordered::new(),
        };
        serving.run(self).await
    }

    async fn connect(&self) -> Result<Lines, Error> {
        let open = |purpose: &str, workers| {
            Line::open(&self.way, format!("{purpose}:{}", self.host), workers)
        };
        if self.way.uri.is_in_process() {
            // Each connection is a world of its own, and nothing hangs.
            let polling = Arc::new(open("test", 1).await?);
            return Ok(Lines {
                events: polling.connection().await?,
                control: Arc::clone(&polling),
                polling,
            });
        }
        // One first: where nobody answers, one attempt tells it as well as three.
        let events = open("event", EVENT_WORKERS).await?;
        let (polling, control) =
            tokio::try_join!(open("poll", POLL_WORKERS), open("ctl", CONTROL_WORKERS))?;
        Ok(Lines {
            events: events.connection().await?,
            control: Arc::new(control),
            polling: Arc::new(polling),
        })
    }

    fn list(&self, connection: Connection) -> BoxFuture<'static, Result<Listing, Error>> {
        inventory::list(self.host.clone(), connection, self.known.told.clone()).boxed()
    }

    fn take_listing(&mut self, listing: Listing) {
        self.contact.listed(listing.as_of);
        self.contact.heard();
        self.known.take_listing(listing);
    }

    /// Tells of another state of the contact, and whoever waits that the first attempt has ended.
    async fn say(&mut self, contact: Contact, message: Option<String>) {
        self.known.state = contact;
        self.known.message = message;
        let first = self.first.take();
        self.tell(first.into_iter().collect()).await;
    }

    async fn tell(&mut self, published: Vec<oneshot::Sender<()>>) {
        let ever_listed = self.known.told.is_some() || self.known.as_of != Timestamp::UNIX_EPOCH;
        let report = EndpointReport {
            index: self.index,
            contact: self.known.state,
            message: self.known.message.clone(),
            inventory: ever_listed.then(|| self.known.inventory(&self.host)),
            published,
        };
        // Without a host the server is ending, or the host was removed.
        let _ = self.reports.send(report).await;
    }
}

/// What reading a domain gave; nothing if it is gone.
type Read = Result<Option<Domain>, Error>;

/// No value: contact is kept until it is lost.
enum Never {}

/// What an endpoint that answers has trouble with: as long as there is any, it is degraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Samples,
    Details,
    Listing,
}

/// An endpoint that answers, and what is under way with it.
struct Serving {
    lines: Lines,
    events: EventReceiver,
    answers: mpsc::Receiver<Polled>,
    relist_at: Instant,
    /// Something asks for a listing before its time; one that is under way may have missed it.
    again_at: Option<Instant>,
    /// Who waits for a listing that begins from now on.
    waiting: Vec<oneshot::Sender<()>>,
    listing: OptionFuture<BoxFuture<'static, Result<Listing, Error>>>,
    troubles: BTreeMap<Trouble, String>,
    reads: FuturesUnordered<BoxFuture<'static, (RouterId, Read)>>,
}

impl Serving {
    async fn run(mut self, host: &mut Supervisor) -> Result<Never, Error> {
        let mut is_listing = false;
        // Who waits for the listing that is under way.
        let mut listed_for = Vec::new();
        loop {
            self.start_reads(host);
            let list_at = self
                .again_at
                .map_or(self.relist_at, |at| at.min(self.relist_at));
            tokio::select! {
                event = self.events.recv() => self.take_events(host, event).await?,
                Some((id, read)) = self.reads.next() => self.take_read(host, id, read).await?,
                Some(refresh) = host.refreshes.recv() => {
                    if let Some(router) = refresh.router {
                        host.known.tracked.ask(router, Some(refresh.published));
                    } else {
                        self.waiting.push(refresh.published);
                        self.list_again(Duration::ZERO);
                    }
                }
                Some(listed) = &mut self.listing, if is_listing => {
                    is_listing = false;
                    self.listing = None.into();
                    self.take_listing(host, listed, std::mem::take(&mut listed_for)).await;
                }
                () = tokio::time::sleep_until(list_at), if !is_listing => {
                    is_listing = true;
                    self.again_at = None;
                    listed_for = std::mem::take(&mut self.waiting);
                    host.known.tracked.begin_listing();
                    self.listing = Some(self.list(host)).into();
                }
                Some(polled) = self.answers.recv() => self.take_answer(host, polled).await,
            }
        }
    }

    fn list(&self, host: &Supervisor) -> BoxFuture<'static, Result<Listing, Error>> {
        let (id, line) = (host.host.clone(), Arc::clone(&self.lines.polling));
        let before = host.known.told.clone();
        async move { inventory::list(id, line.connection().await?, before).await }.boxed()
    }

    /// Another listing is needed, so much later, if none begins before.
    fn list_again(&mut self, after: Duration) {
        let at = Instant::now() + after;
        self.again_at = Some(self.again_at.map_or(at, |before| before.min(at)));
    }

    async fn take_listing(
        &mut self,
        host: &mut Supervisor,
        listed: Result<Listing, Error>,
        waiting: Vec<oneshot::Sender<()>>,
    ) {
        match listed {
            Ok(listing) => {
                self.relist_at = Instant::now() + host.surroundings.relist_interval;
                host.take_listing(listing);
                host.tell(waiting).await;
                self.trouble(host, Trouble::Listing, Ok(())).await;
            }
            Err(error) => {
                self.relist_at = Instant::now() + RETRY_LISTING;
                host.known.tracked.not_listed();
                self.trouble(host, Trouble::Listing, Err(error)).await;
            }
        }
    }

    /// Takes an event and all that are there behind it: what a thousand of them change is told
    /// once.
    async fn take_events(
        &mut self,
        host: &mut Supervisor,
        first: Option<Event>,
    ) -> Result<(), Error> {
        let mut changed = false;
        let mut next = Some(first);
        while let Some(event) = next {
            changed |= self.take_event(host, event.as_ref())?;
            next = self.events.recv().now_or_never();
        }
        if changed {
            host.contact.heard();
            host.known.as_of = Timestamp::now();
            host.tell(Vec::new()).await;
        }
        Ok(())
    }

    fn take_event(&mut self, host: &mut Supervisor, event: Option<&Event>) -> Result<bool, Error> {
        let tracked = &mut host.known.tracked;
        match event {
            Some(Event::Lifecycle {
                uuid, kind, detail, ..
            }) => Ok(tracked.event(RouterId(*uuid), *kind, *detail)),
            Some(Event::DeviceAdded { uuid, .. } | Event::DeviceRemoved { uuid, .. }) => {
                tracked.ask(RouterId(*uuid), None);
                Ok(false)
            }
            // Networks are few and change rarely, several at once when they do.
            Some(Event::Network { .. }) => {
                self.list_again(GATHER);
                Ok(false)
            }
            Some(Event::Missed { count }) => {
                tracing::warn!(host = %host.host, count, "events were missed: it is listed again");
                self.list_again(Duration::ZERO);
                Ok(false)
            }
            Some(Event::Closed { reason }) => {
                let reason = reason.to_string();
                Err(Error::Lost { reason })
            }
            Some(_) => Ok(false),
            None => {
                let reason = "its events ended".to_owned();
                Err(Error::Lost { reason })
            }
        }
    }

    /// Reads what was asked for, each domain once at a time.
    fn start_reads(&mut self, host: &mut Supervisor) {
        while self.reads.len() < READS {
            let Some(id) = host.known.tracked.next() else {
                return;
            };
            let connection = self.lines.events.clone();
            let driver = inventory::driver(host.way.uri.driver());
            let read = async move {
                let read = connection.domain(id.0).await;
                let read = read.map(|read| read.map(|read| inventory::domain(read, driver)));
                (id, read)
            };
            self.reads.push(read.boxed());
        }
    }

    async fn take_read(
        &mut self,
        host: &mut Supervisor,
        id: RouterId,
        read: Read,
    ) -> Result<(), Error> {
        match read {
            Ok(read) => {
                let waiting = host.known.tracked.read(id, read);
                host.contact.read(id);
                host.known.as_of = Timestamp::now();
                host.tell(waiting).await;
            }
            // The connection that carries events is the one that decides.
            Err(error) if self.lines.events.is_lost() => return Err(error),
            // Whoever waits is told by the end of the channel; a listing sets it right.
            Err(error) => {
                tracing::warn!(host = %host.host, router = %id, %error, "cannot read a router");
                host.known.tracked.not_read(id);
                self.list_again(RETRY_LISTING);
            }
        }
        Ok(())
    }

    async fn take_answer(&mut self, host: &mut Supervisor, polled: Polled) {
        match polled {
            Polled::Samples(answered) => {
                if answered.is_ok() {
                    host.contact.heard();
                }
                self.trouble(host, Trouble::Samples, answered).await;
            }
            Polled::Details(answered) => self.trouble(host, Trouble::Details, answered).await,
            Polled::Sticking(messages) => {
                if host.known.tracked.set_messages(messages.clone()) {
                    for (id, message) in &messages {
                        tracing::warn!(host = %host.host, router = %id, "{message}");
                    }
                    host.tell(Vec::new()).await;
                }
            }
            Polled::Interfaces(interfaces, as_of) => {
                host.contact.interfaces_told(as_of);
                if host.known.interfaces != interfaces {
                    host.known.interfaces = interfaces;
                    host.tell(Vec::new()).await;
                }
            }
        }
    }

    /// Something went well, or not: with any trouble the endpoint is degraded.
    async fn trouble(&mut self, host: &mut Supervisor, what: Trouble, answered: Result<(), Error>) {
        match answered {
            Ok(()) => drop(self.troubles.remove(&what)),
            Err(error) => {
                let message = error.to_string();
                if self.troubles.get(&what) != Some(&message) {
                    tracing::warn!(host = %host.host, %error, "the host is degraded");
                }
                self.troubles.insert(what, message);
            }
        }
        let (contact, message) = match self.troubles.values().next() {
            None => (Contact::Online, None),
            Some(message) => (Contact::Degraded, Some(message.clone())),
        };
        if host.known.state != contact || host.known.message != message {
            host.say(contact, message).await;
        }
    }
}
