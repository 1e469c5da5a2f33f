//! What went over a host's interfaces: its kernel is asked, by `ip`, as often as whom it hears.
//!
//! libvirt tells what routers' NICs count, and nothing of the host's own. A question that is not
//! answered is no reading, and what is too old is told no more.
//!
//! `ip -s -j link show` writes a list, with counters of 64 bits:
//!
//! ```text
//! [{"ifname": "eth0", "stats64": {"rx": {"bytes": 1310719964}, "tx": {"bytes": 7935119}}}]
//! ```
//!
//! A reading has the time when it was answered: a login by SSH comes before the counters are read,
//! and takes most of the question and a different time each time; only the way back comes behind.

use super::{
    KeyStore,
    question::{Complaint, IP, LONGEST_NAME, plain},
};
use crate::{
    measurement::{Counters, Reading, Sampler},
    settings::KernelSettings,
};
use jiff::Timestamp;
use model::HostId;
use serde_json::Value;
use std::{collections::HashMap, time::Duration};
use tokio::time::MissedTickBehavior;

/// A host, how its kernel is asked, and who takes what it says.
pub(crate) struct Counting {
    pub host: HostId,
    pub way: KernelSettings,
    pub keys: KeyStore,
    pub interval: Duration,
    pub sampler: Sampler,
}

impl Counting {
    /// Asks for as long as the server runs.
    pub async fn run(self) {
        let mut complaint = Complaint::default();
        let mut ticks = tokio::time::interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let answered = self.ask().await;
            complaint.heed(
                &self.host,
                "what goes over its interfaces",
                answered.as_ref().err().cloned(),
            );
            if let Ok(reading) = answered {
                self.sampler.record_traffic(&self.host, reading);
            }
        }
    }

    /// What went over them until now, or why that is not known.
    async fn ask(&self) -> Result<Reading, String> {
        let mut command = IP.command(&self.keys, self.way.address())?;
        command.args(["-s", "-j", "link", "show"]);
        let answer = IP.ask(command).await?;
        Ok(Reading {
            at_ms: Timestamp::now().as_millisecond(),
            interfaces: read(&answer)?,
        })
    }
}

/// What `ip` wrote, or why it is no answer: a sentence. An interface without counters is left out.
fn read(bytes: &[u8]) -> Result<HashMap<String, Counters>, String> {
    Ok(IP.list(bytes)?.iter().filter_map(counters).collect())
}

fn counters(interface: &Value) -> Option<(String, Counters)> {
    let name = plain(interface["ifname"].as_str()?, LONGEST_NAME)?;
    let bytes = |direction: &str| interface["stats64"][direction]["bytes"].as_u64();
    let counters = Counters {
        received: bytes("rx")?,
        sent: bytes("tx")?,
    };
    Some((name, counters))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a host said whose cables are ports of a bridge.
    const REAL: &str = include_str!("../../tests/data/ip-link-stats.json");

    #[test]
    fn what_ip_really_says_is_read() {
        let of = |name: &str, received, sent| (name.to_owned(), Counters { received, sent });
        let all = [
            of("lo", 0, 0),
            of("eth0", 3348, 3954),
            of("br-phys", 3264, 3528),
        ];
        assert_eq!(read(REAL.as_bytes()), Ok(all.into()));
        let most = format!("\"bytes\":{}", u64::MAX);
        let most = REAL.replace("\"bytes\":3348", &most);
        assert_eq!(read(most.as_bytes()).unwrap()["eth0"].received, u64::MAX);
        assert_eq!(read(b"[]"), Ok(HashMap::new()));
        assert_eq!(read(b"[{},{}]"), Ok(HashMap::new()));
    }

    #[test]
    fn what_is_damaged_is_refused_or_left_out() {
        for text in ["", "{}", "7", "not found", &REAL[..100]] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        for (part, strange) in [
            ("\"eth0\"", "\"\\u0007\""),
            ("\"eth0\"", "42"),
            ("\"bytes\":3348", "\"bytes\":-1"),
            ("\"bytes\":3348", "\"bytes\":3348.5"),
            ("\"bytes\":3954", "\"bytes\":\"3954\""),
            ("\"bytes\":3954", "\"bytes\":18446744073709551616"),
            ("\"stats64\"", "\"stats\""),
            ("\"rx\"", "\"received\""),
        ] {
            let damaged = REAL.replacen(part, strange, 1);
            assert_ne!(damaged, REAL);
            let left = read(damaged.as_bytes()).unwrap();
            assert_eq!(left.len(), 2, "{part} as {strange}: {left:?}");
        }
    }
}
