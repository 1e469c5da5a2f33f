//! What is known of one endpoint's domains, kept right by events, readings and listings, in
//! whatever order they come.
//!
//! Every change on a host is followed by an event, unless that is lost; a reading and a listing
//! show a domain as it was at some moment between their begin and their end. So:
//!
//! - an event is applied at once, as far as it says what the state is, and the domain is read anew;
//! - a reading during which an event came may be older than the event: it is dropped, and the
//!   domain is read once more;
//! - of a listing, domains are left out for which something came since it began: what is known of
//!   them is newer, or is being read;
//! - a reading that began before a listing did and ends after it is dropped: the listing is newer.
//!
//! ```text
//!            ask, event                next                 read
//!   known ────────────────► asked ──────────────► reading ────────► known
//!                             ▲                     │  │
//!                             └── an event came ────┘  └── a listing that began later ──► known
//! ```
//!
//! Whatever was lost, a listing during which nothing happens makes all of it right again; without
//! losses none is needed. Both are tested with any order of events, readings and listings.

use super::inventory;
use libvirt::LifecycleKind;
use model::{Domain, RouterId, RouterState};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// `VIR_DOMAIN_EVENT_STARTED_MIGRATED`: it came by a migration, and is paused until that ends.
const STARTED_BY_MIGRATION: i32 = 1;

/// The domains of one endpoint. `W` is told when what it waits for is known.
#[derive(Debug)]
pub(crate) struct Tracked<W> {
    domains: BTreeMap<RouterId, Arc<Domain>>,
    /// What is wrong with them, which they do not report themselves.
    messages: BTreeMap<RouterId, String>,
    asked: BTreeMap<RouterId, Vec<W>>,
    reading: BTreeMap<RouterId, Reading<W>>,
    /// While a listing is under way: for which domains something came since it began.
    listing: Option<BTreeSet<RouterId>>,
}

#[derive(Debug)]
struct Reading<W> {
    waiting: Vec<W>,
    /// Something came since it began.
    outdated: bool,
    /// A listing began since.
    before_listing: bool,
    /// That listing has ended, and is newer.
    superseded: bool,
}

impl<W> Tracked<W> {
    /// Starts from what was known.
    pub fn new(domains: BTreeMap<RouterId, Arc<Domain>>) -> Self {
        Self {
            domains,
            messages: BTreeMap::new(),
            asked: BTreeMap::new(),
            reading: BTreeMap::new(),
            listing: None,
        }
    }

    /// What is known.
    pub fn domains(&self) -> &BTreeMap<RouterId, Arc<Domain>> {
        &self.domains
    }

    /// Asks to read a domain anew; readings under way do not count.
    pub fn ask(&mut self, id: RouterId, waiting: Option<W>) {
        if let Some(touched) = &mut self.listing {
            touched.insert(id);
        }
        if let Some(reading) = self.reading.get_mut(&id) {
            reading.outdated = true;
        }
        self.asked.entry(id).or_default().extend(waiting);
    }

    /// Something happened to a domain. Answers whether what is known changed with that.
    pub fn event(&mut self, id: RouterId, kind: LifecycleKind, detail: i32) -> bool {
        self.ask(id, None);
        let Some(known) = self.domains.get(&id) else {
            return false;
        };
        let state = match kind {
            LifecycleKind::Started if detail == STARTED_BY_MIGRATION => return false,
            LifecycleKind::Started | LifecycleKind::Resumed => RouterState::Running,
            LifecycleKind::Suspended | LifecycleKind::PmSuspended => RouterState::Suspended,
            LifecycleKind::Shutdown => RouterState::ShuttingDown,
            LifecycleKind::Crashed => RouterState::Crashed,
            LifecycleKind::Stopped if known.persistent => RouterState::ShutOff,
            // Nothing is left of it.
            LifecycleKind::Stopped => return self.domains.remove(&id).is_some(),
            LifecycleKind::Undefined if !known.state.is_active() => {
                return self.domains.remove(&id).is_some();
            }
            LifecycleKind::Defined | LifecycleKind::Undefined => return false,
        };
        if known.state == state {
            return false;
        }
        let mut changed = Domain::clone(known);
        changed.state = state;
        self.domains.insert(id, Arc::new(changed));
        true
    }

    /// The next domain to read, whose reading begins now. Each is read once at a time.
    pub fn next(&mut self) -> Option<RouterId> {
        let id = *(self.asked.keys()).find(|id| !self.reading.contains_key(id))?;
        let reading = Reading {
            waiting: self.asked.remove(&id).unwrap_or_default(),
            outdated: false,
            before_listing: false,
            superseded: false,
        };
        self.reading.insert(id, reading);
        Some(id)
    }

    /// A domain was read; nothing if it is gone. Answers who waited for it, for whom it is known
    /// now.
    pub fn read(&mut self, id: RouterId, domain: Option<Domain>) -> Vec<W> {
        let Some(reading) = self.reading.remove(&id) else {
            return Vec::new();
        };
        if reading.outdated {
            self.asked.entry(id).or_default().extend(reading.waiting);
            return Vec::new();
        }
        if !reading.superseded {
            match domain {
                Some(domain) => self.put(domain),
                None => drop(self.domains.remove(&id)),
            }
        }
        reading.waiting
    }

    /// A domain could not be read. Whoever waits for it learns so from what it waits with.
    pub fn not_read(&mut self, id: RouterId) {
        self.reading.remove(&id);
    }

    /// A listing begins.
    pub fn begin_listing(&mut self) {
        self.listing = Some(BTreeSet::new());
        for reading in self.reading.values_mut() {
            reading.before_listing = true;
        }
    }

    /// A listing has ended with these domains.
    pub fn listed(&mut self, domains: impl IntoIterator<Item = Domain>) {
        let touched = self.listing.take().unwrap_or_default();
        for reading in self.reading.values_mut() {
            reading.superseded |= reading.before_listing;
        }
        let mut gone: BTreeSet<_> = self.domains.keys().copied().collect();
        for domain in domains {
            gone.remove(&domain.id);
            if !touched.contains(&domain.id) {
                self.put(domain);
            }
        }
        for id in gone.difference(&touched) {
            self.domains.remove(id);
        }
    }

    /// A listing has failed.
    pub fn not_listed(&mut self) {
        self.listing = None;
        for reading in self.reading.values_mut() {
            reading.before_listing = false;
        }
    }

    /// Says what is wrong with which domains; nothing is with the others. Answers whether that is
    /// another thing than before.
    pub fn set_messages(&mut self, messages: BTreeMap<RouterId, String>) -> bool {
        self.messages = messages;
        let mut changed = false;
        for (id, domain) in &mut self.domains {
            let message = self.messages.get(id);
            if domain.message.as_ref() != message {
                Arc::make_mut(domain).message = message.cloned();
                changed = true;
            }
        }
        changed
    }

    /// What did not change stays the same allocation, so that comparing is cheap.
    fn put(&mut self, mut domain: Domain) {
        domain.message = self.messages.get(&domain.id).cloned();
        inventory::replace(&mut self.domains, domain);
    }
}

#[cfg(test)]
mod tests;
