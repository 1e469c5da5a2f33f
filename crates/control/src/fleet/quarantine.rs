//! Domains that stick: their hypervisor process does not answer, while their host does.
//!
//! A call that needs the process hangs, and with it the thread that makes it. So such a domain is
//! asked nothing more, except now and then whether it answers again; its neighbours are asked as
//! always. That it sticks is known in two ways: a call about it missed its deadline, or its host
//! leaves out of the statistics what only the process could tell.
//!
//! ```text
//!             a call on it hung, or one of some domain hung and it was left out,
//!             or it was left out three times in a row
//!  Answering ─────────────────────────────────────────────────────────────────► Quarantined
//!      ▲                                                                            │
//!      └──────────────────────────── it answered ───────────────────────────────────┘
//! ```

use jiff::Timestamp;
use model::RouterId;
use std::collections::BTreeMap;

/// Being left out once may be chance: something else is being done to the domain just then.
const LEFT_OUT: u32 = 3;

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

    /// The host told about these domains what only their processes know, or left it out.
    pub fn polled(&mut self, domains: impl IntoIterator<Item = (RouterId, bool)>, now: Timestamp) {
        let mut all = true;
        for (id, answered) in domains {
            all &= answered;
            if answered {
                self.sticking.remove(&id);
                self.left_out.remove(&id);
                continue;
            }
            let times = self.left_out.entry(id).or_default();
            *times += 1;
            if self.suspicion || *times >= LEFT_OUT {
                self.sticking.entry(id).or_insert(now);
            }
        }
        if all {
            self.suspicion = false;
        }
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
    fn after_a_call_that_hung_whoever_is_left_out_sticks_alone() {
        let mut quarantine = Quarantine::default();
        quarantine.hung(None, NOW);
        quarantine.polled([(id(1), true), (id(2), false)], NOW);
        assert_eq!(sticking(&quarantine), [id(2)]);
        quarantine.polled([(id(1), true), (id(2), true)], NOW);
        assert_eq!(sticking(&quarantine), []);
        // Once all have answered, being left out may be chance again.
        quarantine.polled([(id(1), false), (id(2), true)], NOW);
        assert_eq!(sticking(&quarantine), []);
    }

    #[test]
    fn being_left_out_again_and_again_is_no_chance() {
        let mut quarantine = Quarantine::default();
        for _ in 1..LEFT_OUT {
            quarantine.polled([(id(1), false)], NOW);
            assert!(!quarantine.holds(id(1)));
        }
        quarantine.polled([(id(1), false)], NOW);
        assert!(quarantine.holds(id(1)));
    }

    #[test]
    fn a_domain_whose_call_hung_sticks_until_it_answers_or_ends() {
        let mut quarantine = Quarantine::default();
        quarantine.hung(Some(id(1)), NOW);
        quarantine.hung(Some(id(2)), NOW);
        quarantine.polled([(id(1), true)], NOW);
        assert_eq!(sticking(&quarantine), [id(2)]);
        quarantine.retain(|_| false);
        assert_eq!(sticking(&quarantine), []);
    }
}
