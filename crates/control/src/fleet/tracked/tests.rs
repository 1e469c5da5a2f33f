//! Any order of events, losses, readings and listings ends in what one fresh listing gives.

use super::*;
use model::Driver;
use proptest::prelude::*;
use std::collections::VecDeque;
use uuid::Uuid;

const IDS: u8 = 3;

fn id(byte: u8) -> RouterId {
    RouterId(Uuid::from_bytes([byte; 16]))
}

fn domain(id: RouterId, state: RouterState, persistent: bool, vcpus: u32) -> Domain {
    Domain {
        id,
        name: "r".to_owned(),
        title: None,
        driver: Driver::Qemu,
        state,
        message: None,
        persistent,
        autostart: false,
        virtual_network: None,
        tags: Vec::new(),
        vcpus,
        memory_bytes: 0,
        interfaces: Vec::new(),
        disks: Vec::new(),
        image: None,
    }
}

/// What was seen of a domain.
#[derive(Clone)]
enum Seen {
    /// Nobody has looked yet.
    NotYet,
    Gone,
    There(Box<Domain>),
}

/// A host, the way of its events to us, and what is under way between both.
#[derive(Default)]
struct World {
    truth: BTreeMap<RouterId, Domain>,
    events: VecDeque<(RouterId, LifecycleKind)>,
    /// What each reading has seen, if it has looked already.
    readings: Vec<(RouterId, Seen)>,
    /// What a listing that is under way has seen so far.
    listing: Option<BTreeMap<RouterId, Seen>>,
    known: Option<Tracked<u32>>,
    lossy: bool,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A domain changes, in one of the ways that are possible for it.
    Change {
        id: u8,
        way: u8,
    },
    /// The next event arrives.
    Deliver,
    /// The next event is lost.
    Lose,
    /// Somebody wants to know.
    Ask {
        id: u8,
    },
    BeginRead,
    /// A reading looks at the host.
    Look {
        reading: u8,
    },
    EndRead {
        reading: u8,
    },
    BeginListing,
    /// A listing looks at one domain.
    LookListing {
        id: u8,
    },
    EndListing,
}

fn steps(lossy: bool) -> impl Strategy<Value = Vec<Step>> {
    let of = 1..=IDS;
    let lose = u32::from(lossy);
    let step = prop_oneof![
        6 => (of.clone(), 0..4_u8).prop_map(|(id, way)| Step::Change { id, way }),
        5 => Just(Step::Deliver),
        lose => Just(Step::Lose),
        1 => of.clone().prop_map(|id| Step::Ask { id }),
        5 => Just(Step::BeginRead),
        4 => (0..4_u8).prop_map(|reading| Step::Look { reading }),
        4 => (0..4_u8).prop_map(|reading| Step::EndRead { reading }),
        2 => Just(Step::BeginListing),
        4 => of.prop_map(|id| Step::LookListing { id }),
        2 => Just(Step::EndListing),
    ];
    prop::collection::vec(step, 0..120)
}

impl World {
    fn known(&mut self) -> &mut Tracked<u32> {
        self.known
            .get_or_insert_with(|| Tracked::new(BTreeMap::new()))
    }

    fn change(&mut self, id: RouterId, way: u8) {
        use LifecycleKind as Kind;
        use RouterState::{Running, ShutOff, Suspended};
        let now = self
            .truth
            .get(&id)
            .map(|d| (d.state, d.persistent, d.vcpus));
        let (next, kind) = match (now, way % 3) {
            (None, 0) => (Some((Running, false, 1)), Kind::Started),
            (None, _) => (Some((ShutOff, true, 1)), Kind::Defined),
            (Some((ShutOff, ..)), 0) => (None, Kind::Undefined),
            (Some((ShutOff, _, n)), 1) => (Some((Running, true, n)), Kind::Started),
            (Some((ShutOff, _, n)), _) => (Some((ShutOff, true, n + 1)), Kind::Defined),
            (Some((state, persistent, n)), 0) => {
                let other = if state == Running { Suspended } else { Running };
                let kind = if state == Running {
                    Kind::Suspended
                } else {
                    Kind::Resumed
                };
                (Some((other, persistent, n)), kind)
            }
            (Some((_, persistent, n)), 1) => {
                (persistent.then_some((ShutOff, true, n)), Kind::Stopped)
            }
            (Some((state, true, n)), _) => (Some((state, false, n)), Kind::Undefined),
            (Some((state, false, n)), _) => (Some((state, true, n)), Kind::Defined),
        };
        match next {
            Some((state, persistent, vcpus)) => {
                self.truth.insert(id, domain(id, state, persistent, vcpus));
            }
            None => drop(self.truth.remove(&id)),
        }
        self.events.push_back((id, kind));
    }

    fn end_listing(&mut self) {
        let Some(seen) = self.listing.take() else {
            return;
        };
        let mut listed = Vec::new();
        for byte in 1..=IDS {
            let looked = seen.get(&id(byte)).cloned().unwrap_or(Seen::NotYet);
            listed.extend(self.at_last(id(byte), looked));
        }
        self.known().listed(listed);
    }

    fn begin_read(&mut self) {
        if let Some(id) = self.known().next() {
            self.readings.push((id, Seen::NotYet));
        }
    }

    fn end_read(&mut self, index: usize) {
        let (id, seen) = self.readings.remove(index);
        let seen = self.at_last(id, seen);
        self.known().read(id, seen);
    }

    /// What a domain looks like now.
    fn look(&self, id: RouterId) -> Seen {
        self.truth
            .get(&id)
            .map_or(Seen::Gone, |domain| Seen::There(Box::new(domain.clone())))
    }

    /// What was seen; whoever has not looked yet does so now, at the latest.
    fn at_last(&self, id: RouterId, seen: Seen) -> Option<Domain> {
        match seen {
            Seen::NotYet => self.truth.get(&id).cloned(),
            Seen::Gone => None,
            Seen::There(domain) => Some(*domain),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Change { id: byte, way } => self.change(id(byte), way),
            Step::Deliver => {
                if let Some((id, kind)) = self.events.pop_front() {
                    self.known().event(id, kind, 0);
                }
            }
            Step::Lose => self.lossy |= self.events.pop_front().is_some(),
            Step::Ask { id: byte } => self.known().ask(id(byte), Some(7)),
            Step::BeginRead => self.begin_read(),
            Step::Look { reading } => {
                if let Some(&(id, _)) = self.readings.get(usize::from(reading)) {
                    self.readings[usize::from(reading)].1 = self.look(id);
                }
            }
            Step::EndRead { reading } => {
                if usize::from(reading) < self.readings.len() {
                    self.end_read(usize::from(reading));
                }
            }
            Step::BeginListing => {
                if self.listing.is_none() {
                    self.listing = Some(BTreeMap::new());
                    self.known().begin_listing();
                }
            }
            Step::LookListing { id: byte } => {
                let seen = self.look(id(byte));
                if let Some(listing) = &mut self.listing {
                    listing.insert(id(byte), seen);
                }
            }
            Step::EndListing => self.end_listing(),
        }
    }

    /// Everything that is under way ends, and the host stays as it is.
    fn settle(&mut self) {
        while let Some((id, kind)) = self.events.pop_front() {
            self.known().event(id, kind, 0);
        }
        self.end_listing();
        loop {
            while !self.readings.is_empty() {
                self.end_read(0);
            }
            self.begin_read();
            if self.readings.is_empty() {
                return;
            }
        }
    }

    fn told(&mut self) -> BTreeMap<RouterId, Domain> {
        let known = self.known().domains().iter();
        known
            .map(|(id, domain)| (*id, Domain::clone(domain)))
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn without_losses_it_ends_as_a_fresh_listing_without_one(steps in steps(false)) {
        let mut world = World::default();
        for step in steps {
            world.step(step);
        }
        world.settle();
        prop_assert_eq!(world.told(), world.truth);
    }

    #[test]
    fn whatever_was_lost_one_quiet_listing_makes_it_right(steps in steps(true)) {
        let mut world = World::default();
        for step in steps {
            world.step(step);
        }
        // Readings may end at any time, as late as after the listing.
        world.events.clear();
        world.end_listing();
        world.known().begin_listing();
        world.listing = Some(BTreeMap::new());
        world.end_listing();
        world.settle();
        prop_assert_eq!(world.told(), world.truth);
    }
}

#[test]
fn an_event_shows_before_the_domain_is_read() {
    let known = domain(id(1), RouterState::Running, true, 1);
    let mut tracked: Tracked<()> = Tracked::new(BTreeMap::from([(id(1), Arc::new(known))]));
    assert!(tracked.event(id(1), LifecycleKind::Suspended, 0));
    assert_eq!(tracked.domains()[&id(1)].state, RouterState::Suspended);
    // Told twice is no change.
    assert!(!tracked.event(id(1), LifecycleKind::Suspended, 0));
    // At the target of a migration a domain starts paused: only reading tells.
    tracked.event(id(1), LifecycleKind::Stopped, 0);
    assert!(!tracked.event(id(1), LifecycleKind::Started, STARTED_BY_MIGRATION));
    assert_eq!(tracked.domains()[&id(1)].state, RouterState::ShutOff);
}

#[test]
fn whoever_waits_is_told_once_it_is_known() {
    let mut tracked = Tracked::new(BTreeMap::new());
    tracked.ask(id(1), Some("first"));
    assert_eq!(tracked.next(), Some(id(1)));
    tracked.ask(id(1), Some("second"));
    assert_eq!(tracked.next(), None, "it is being read");
    let seen = || Some(domain(id(1), RouterState::Running, true, 1));
    assert_eq!(tracked.read(id(1), seen()), Vec::<&str>::new());
    assert_eq!(tracked.next(), Some(id(1)));
    let told = tracked.read(id(1), seen());
    assert_eq!(told, ["second", "first"]);
}

#[test]
fn what_is_wrong_with_a_domain_stays_until_it_is_right_again() {
    let mut tracked: Tracked<()> = Tracked::new(BTreeMap::new());
    let off = || domain(id(1), RouterState::Running, true, 1);
    tracked.begin_listing();
    tracked.listed([off()]);
    let message = || BTreeMap::from([(id(1), "it hangs".to_owned())]);
    assert!(tracked.set_messages(message()));
    assert!(!tracked.set_messages(message()));
    tracked.begin_listing();
    tracked.listed([off()]);
    let told = |tracked: &Tracked<()>| tracked.domains()[&id(1)].message.clone();
    assert_eq!(told(&tracked).as_deref(), Some("it hangs"));
    assert!(tracked.set_messages(BTreeMap::new()));
    assert_eq!(told(&tracked), None);
}
