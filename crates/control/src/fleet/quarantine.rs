//! Domains that stick: their hypervisor process does not answer, while their host does.
//!
//! A call that needs the process hangs, and with it the thread that makes it. So such a domain is
//! asked nothing more, except now and then whether it answers again; its neighbours are asked as
//! always. That it sticks is known by a call about it that missed its deadline. A call about all
//! does not wait for it, and only leaves out what the process would tell: as it does, too, when
//! something else is just being done to the domain. So whoever is left out again and again is asked
//! alone, by a call that waits.
//!
//! ```text
//!            left out twice in a row, or once
//!            after a call about all that hung             that call hung
//!  Answering ───────────────────────────────► Doubted ─────────────────► Quarantined
//!    ▲   ▲                                       │                            │
//!    │   └────────── it was busy ────────────────┘                            │
//!    └────────────────────────────── it answered ─────────────────────────────┘
//! ```
//!
//! Any other call on a domain that hung, an act for example, leads to `Quarantined` directly.

use jiff::Timestamp;
use model::RouterId;
use std::collections::BTreeMap;

/// Being left out once may be chance.
const LEFT_OUT: u32 = 2;

/// Which domains of an endpoint stick.
#[derive(Debug, Default)]
pub(crate) struct Quarantine {
    /// Since when.
    sticking: BTreeMap<RouterId, Timestamp>,
    /// How often in a row the others were left out.
    left_out: BTreeMap<RouterId, u32>,
    /// A call about nobody knows which domain hung, and since then not all have answered.
    suspicion: bool,
}

impl Quarantine {
    /// A call hung: on this domain, or on one of all.
    pub fn hung(&mut self, domain: Option<RouterId>, now: Timestamp) {
        match domain {
            Some(id) => drop(self.sticking.entry(id).or_insert(now)),
            None => self.suspicion = true,
        }
    }

    /// The host told about all its domains what only their processes know, or left it out. Returns
    /// which domains to ask alone; the same are not returned again soon.
    pub fn polled(&mut self, domains: impl IntoIterator<Item = (RouterId, bool)>) -> Vec<RouterId> {
        let mut doubted = Vec::new();
        let mut all = true;
        for (id, answered) in domains {
            all &= answered;
            if answered {
                self.answered(id);
            } else if !self.holds(id) {
                let times = self.left_out.entry(id).or_default();
                *times += 1;
                if self.suspicion || *times >= LEFT_OUT {
                    *times = 0;
                    doubted.push(id);
                }
            }
        }
        if all {
            self.suspicion = false;
        }
        doubted
    }

    /// A domain's process answered.
    pub fn answered(&mut self, id: RouterId) {
        self.sticking.remove(&id);
        self.left_out.remove(&id);
    }

    /// Only these domains are active still.
    pub fn retain(&mut self, is_active: impl Fn(RouterId) -> bool) {
        self.sticking.retain(|id, _| is_active(*id));
        self.left_out.retain(|id, _| is_active(*id));
    }

    /// Whether a domain sticks.
    pub fn holds(&self, id: RouterId) -> bool {
        self.sticking.contains_key(&id)
    }

    /// The domains that stick, and since when.
    pub fn sticking(&self) -> &BTreeMap<RouterId, Timestamp> {
        &self.sticking
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn id(byte: u8) -> RouterId {
        RouterId(Uuid::from_bytes([byte; 16]))
    }

    fn sticking(quarantine: &Quarantine) -> Vec<RouterId> {
        quarantine.sticking().keys().copied().collect()
    }

    #[test]
    fn after_a_call_that_hung_whoever_is_left_out_is_asked_alone() {
        let mut quarantine = Quarantine::default();
        quarantine.hung(None, NOW);
        let doubted = quarantine.polled([(id(1), true), (id(2), false)]);
        assert_eq!(doubted, [id(2)]);
        assert_eq!(sticking(&quarantine), []);
        quarantine.hung(Some(id(2)), NOW);
        assert_eq!(sticking(&quarantine), [id(2)]);
        // Who sticks is asked no more.
        assert_eq!(quarantine.polled([(id(1), true), (id(2), false)]), []);
        assert_eq!(quarantine.polled([(id(1), true), (id(2), true)]), []);
        assert_eq!(sticking(&quarantine), []);
        // Once all have answered, being left out may be chance again.
        assert_eq!(quarantine.polled([(id(1), false), (id(2), true)]), []);
    }

    #[test]
    fn who_is_busy_again_and_again_is_asked_alone_and_does_not_stick() {
        let mut quarantine = Quarantine::default();
        for _ in 0..3 {
            for _ in 1..LEFT_OUT {
                assert_eq!(quarantine.polled([(id(1), false)]), []);
            }
            assert_eq!(quarantine.polled([(id(1), false)]), [id(1)]);
            quarantine.answered(id(1));
            assert!(!quarantine.holds(id(1)));
        }
    }

    #[test]
    fn a_domain_whose_call_hung_sticks_until_it_answers_or_ends() {
        let mut quarantine = Quarantine::default();
        quarantine.hung(Some(id(1)), NOW);
        quarantine.hung(Some(id(2)), NOW);
        quarantine.answered(id(1));
        assert_eq!(sticking(&quarantine), [id(2)]);
        quarantine.retain(|_| false);
        assert_eq!(sticking(&quarantine), []);
    }
}
