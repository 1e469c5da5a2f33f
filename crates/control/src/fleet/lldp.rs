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
//! nothing waits for it: a question that is not answered in time is ended with its process, and why
//! there was no answer is in the log once, not once an interval.
//!
//! - `answer`: what `lldpcli` writes.

mod answer;

use super::{DEADLINE, HostContact, KeyStore};
use crate::settings::LldpSettings;
use jiff::Timestamp;
use model::{HostId, Neighbor};
use std::{process::Stdio, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    sync::mpsc,
    time::{Instant, MissedTickBehavior},
};

/// The most that an answer may hold, in bytes: some thousand neighbours.
const LONGEST: u64 = 4 << 20;

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
        let mut complaint = None;
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
            let why = answered.err();
            if why != complaint {
                if let Some(why) = &why {
                    tracing::warn!(host = %self.host, why, "whom it hears is not known");
                } else {
                    tracing::info!(host = %self.host, "whom it hears is known again");
                }
                complaint = why;
            }
            // Without a host the server is ending, or the host was removed.
            if changed && self.heard.send(known.neighbors.clone()).await.is_err() {
                return;
            }
        }
    }

    /// Whom it hears now, or why that is not known: a sentence that stays the same while the cause
    /// does.
    async fn ask(&self) -> Result<Vec<Neighbor>, String> {
        let mut command = self.command()?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        match tokio::time::timeout(DEADLINE, run(command)).await {
            Ok(answer) => answer::read(&answer?),
            Err(_) => Err(format!(
                "It was asked and did not answer within {} s.",
                DEADLINE.as_secs()
            )),
        }
    }

    fn command(&self) -> Result<Command, String> {
        const QUESTION: [&str; 4] = ["-f", "json0", "show", "neighbors"];
        let mut command = match &self.way {
            LldpSettings::Socket(path) => {
                let mut command = Command::new("lldpcli");
                command.arg("-u").arg(path);
                command
            }
            LldpSettings::Ssh(address) => {
                let mut command = self.keys.ssh(address)?;
                command.arg("lldpcli");
                command
            }
        };
        command.args(QUESTION);
        Ok(command)
    }
}

/// Runs a command to its end and answers with what it wrote.
async fn run(mut command: Command) -> Result<Vec<u8>, String> {
    let program = command.as_std().get_program().to_owned();
    let mut child = command.spawn().map_err(|error| {
        let program = std::path::Path::new(&program).file_name();
        let program = program.unwrap_or_default().to_string_lossy();
        format!("{program} cannot be started ({error}); lldpcli is in the package lldpd.")
    })?;
    let (output, errors) = tokio::join!(
        read(child.stdout.take()),
        // Both are read to the end: who cannot write waits.
        read(child.stderr.take()),
    );
    let status = child.wait().await.map_err(|error| error.to_string())?;
    if status.success() {
        return output;
    }
    let errors = errors.unwrap_or_default();
    let errors = String::from_utf8_lossy(&errors);
    let mut lines = errors.lines().filter(|line| !line.trim().is_empty());
    let last = lines.next_back().unwrap_or("it does not say why").trim();
    let last: String = last.chars().filter(|c| !c.is_control()).take(300).collect();
    Err(format!("lldpcli failed: {}.", last.trim_end_matches('.')))
}

async fn read(stream: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let mut bounded = stream.take(LONGEST + 1);
        let done = bounded.read_to_end(&mut bytes).await;
        done.map_err(|error| format!("What lldpcli says cannot be read: {error}."))?;
    }
    if bytes.len() as u64 > LONGEST {
        return Err(format!("lldpcli says more than {} MiB.", LONGEST >> 20));
    }
    Ok(bytes)
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

    #[tokio::test]
    async fn who_says_too_much_or_fails_is_no_answer() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.kill_on_drop(true);
            run(command)
        };
        assert_eq!(shell("printf x").await, Ok(b"x".to_vec()));
        let error = shell("echo a >&2; echo 'no lldpd here.' >&2; exit 1").await;
        assert_eq!(error, Err("lldpcli failed: no lldpd here.".to_owned()));
        let error = shell("head -c 5000000 /dev/zero").await.unwrap_err();
        assert!(
            error.contains("4 MiB") || error.contains("failed"),
            "{error}"
        );
        let missing = Command::new("/nowhere/lldpcli");
        let error = run(missing).await.unwrap_err();
        assert!(error.starts_with("lldpcli cannot be started"), "{error}");
    }
}
