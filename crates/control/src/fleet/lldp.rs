//! Whom a host hears on its interfaces: its `lldpd` is asked at intervals, over SSH or by a socket.
//!
//! ```text
//!            ┌──────────────── at every interval ◄──────────────┐
//!            ▼                                                  │
//!          asked ──► answered: that is what it hears ───────────┤
//!            │                                                  │
//!            └─────► not answered: what was heard stays, each ──┘
//!                    neighbour for as long as it said that holds
//! ```
//!
//! What `lldpd` forgets is gone with the next answer. libvirt is not needed for any of it, and
//! nothing waits for it: see `question`.
//!
//! - `answer`: what `lldpcli` writes.

mod answer;

use super::{
    HostContact, KeyStore,
    question::{Complaint, Program},
};
use crate::settings::LldpSettings;
use jiff::Timestamp;
use model::{HostId, Neighbor};
use std::{sync::Arc, time::Duration};
use tokio::{
    process::Command,
    sync::mpsc,
    time::{Instant, MissedTickBehavior},
};

const LLDPCLI: Program = Program {
    name: "lldpcli",
    package: "lldpd",
};

/// A host, how its `lldpd` is asked, and whom to tell.
pub(crate) struct Listening {
    pub host: HostId,
    pub way: LldpSettings,
    pub keys: KeyStore,
    pub interval: Duration,
    pub contact: Arc<HostContact>,
    /// Told what is heard whenever it is another.
    pub heard: mpsc::Sender<Vec<Neighbor>>,
}

impl Listening {
    /// Asks for as long as the server runs; `known` is what was heard before it started.
    pub async fn run(self, known: Vec<Neighbor>) {
        let mut known = Kept {
            neighbors: known,
            answered: Instant::now(),
        };
        let mut complaint = Complaint::default();
        let mut ticks = tokio::time::interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let (asked, since) = (Timestamp::now(), Instant::now());
            let answered = self.ask().await;
            let changed = match &answered {
                Ok(neighbors) => {
                    self.contact.neighbors_told(asked);
                    known.replace(neighbors.clone(), since)
                }
                Err(_) => known.forget(Instant::now()),
            };
            complaint.heed(&self.host, "whom it hears", answered.err());
            // Without a host the server is ending, or the host was removed.
            if changed && self.heard.send(known.neighbors.clone()).await.is_err() {
                return;
            }
        }
    }

    /// Whom it hears now, or why that is not known.
    async fn ask(&self) -> Result<Vec<Neighbor>, String> {
        answer::read(&LLDPCLI.ask(self.command()?).await?)
    }

    fn command(&self) -> Result<Command, String> {
        const QUESTION: [&str; 4] = ["-f", "json0", "show", "neighbors"];
        let mut command = match &self.way {
            LldpSettings::Socket(path) => {
                let mut command = LLDPCLI.command(&self.keys, None)?;
                command.arg("-u").arg(path);
                command
            }
            LldpSettings::Ssh(address) => LLDPCLI.command(&self.keys, Some(address))?,
        };
        command.args(QUESTION);
        Ok(command)
    }
}

/// What was heard, and when that was answered.
struct Kept {
    neighbors: Vec<Neighbor>,
    answered: Instant,
}

impl Kept {
    /// What is heard now; whether it is another than before.
    fn replace(&mut self, mut neighbors: Vec<Neighbor>, answered: Instant) -> bool {
        // The order is that of `lldpd`, which changes while nothing does.
        neighbors.sort();
        neighbors.dedup();
        self.answered = answered;
        let changed = neighbors != self.neighbors;
        self.neighbors = neighbors;
        changed
    }

    /// Forgets what does not hold any more; whether something was.
    fn forget(&mut self, now: Instant) -> bool {
        let before = self.neighbors.len();
        let age = now.saturating_duration_since(self.answered);
        self.neighbors
            .retain(|neighbor| age < Duration::from_secs(neighbor.hold_seconds));
        self.neighbors.len() != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neighbor(interface: &str, hold_seconds: u64) -> Neighbor {
        Neighbor {
            interface: interface.to_owned(),
            system: None,
            chassis: None,
            port: None,
            mac: None,
            hold_seconds,
        }
    }

    #[test]
    fn without_answers_each_neighbour_stays_for_its_own_time() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut kept = Kept {
            neighbors: Vec::new(),
            answered: start,
        };
        let two = || vec![neighbor("eth1", 120), neighbor("eth0", 4)];
        assert!(kept.replace(two(), start));
        assert!(!kept.replace(two().into_iter().rev().collect(), at(10)));
        assert!(!kept.forget(at(13)));
        assert!(kept.forget(at(14)));
        assert_eq!(kept.neighbors, [neighbor("eth1", 120)]);
        assert!(!kept.forget(at(129)));
        assert!(kept.forget(at(130)));
        assert!(kept.replace(two(), at(131)));
    }
}
