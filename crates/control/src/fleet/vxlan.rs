//! Where a host's VXLAN interfaces lead, by which bridges of several hosts are one segment: its
//! kernel is asked, by `ip`, as often as libvirt is for a full listing.
//!
//! libvirt tells of such an interface as a port of a bridge and not where it leads, and LLDP does
//! not hear through it. A question that is not answered changes nothing: what was told stays, with
//! its age.
//!
//! `ip -d -j link show type vxlan` writes a list:
//!
//! ```text
//! [{"ifname": "vx42", "linkinfo": {"info_kind": "vxlan", "info_data":
//!  {"id": 42, "group": "239.200.0.42", "local": "10.200.0.2", "port": 4789}}}]
//! ```
//!
//! With IPv6 it says `group6` and `local6`. Without a group, the other ends are in the forwarding
//! table, as those to which goes what is for all: `bridge -j fdb show` is asked then, too.
//!
//! ```text
//! [{"mac": "00:00:00:00:00:00", "ifname": "vx43", "dst": "10.200.0.3"}]
//! ```
//!
//! What has neither a group nor an address of its own, or leads where somebody else says
//! (`external`), is left out.

use super::{
    HostContact, KeyStore,
    question::{Complaint, IP, LONGEST_NAME, Program, plain},
};
use crate::settings::KernelSettings;
use jiff::Timestamp;
use model::{HostId, Vxlan, VxlanReach};
use serde_json::Value;
use std::{collections::BTreeSet, net::IpAddr, sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::MissedTickBehavior};

const BRIDGE: Program = Program {
    name: "bridge",
    package: "iproute2",
};

/// Where a forwarding table has what is for all.
const ALL: &str = "00:00:00:00:00:00";

/// A host, how its kernel is asked, and whom to tell.
pub(crate) struct Following {
    pub host: HostId,
    pub way: KernelSettings,
    pub keys: KeyStore,
    pub interval: Duration,
    pub contact: Arc<HostContact>,
    /// Told where they lead whenever that is elsewhere.
    pub led: mpsc::Sender<Vec<Vxlan>>,
}

impl Following {
    /// Asks for as long as the server runs; `known` is what was told before it started.
    pub async fn run(self, mut known: Vec<Vxlan>) {
        let mut complaint = Complaint::default();
        let mut ticks = tokio::time::interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let asked = Timestamp::now();
            let answered = self.ask().await;
            complaint.heed(
                &self.host,
                "where its VXLANs lead",
                answered.as_ref().err().cloned(),
            );
            let Ok(vxlans) = answered else {
                continue;
            };
            self.contact.vxlans_told(asked);
            if vxlans == known {
                continue;
            }
            known.clone_from(&vxlans);
            // Without a host the server is ending, or the host was removed.
            if self.led.send(vxlans).await.is_err() {
                return;
            }
        }
    }

    /// Where they lead now, or why that is not known.
    async fn ask(&self) -> Result<Vec<Vxlan>, String> {
        let over = self.way.address();
        let mut command = IP.command(&self.keys, over)?;
        command.args(["-d", "-j", "link", "show", "type", "vxlan"]);
        let vxlans = read(&IP.ask(command).await?)?;
        let is_listed = |vxlan: &Vxlan| matches!(vxlan.reach, VxlanReach::Peers { .. });
        if !vxlans.iter().any(is_listed) {
            return Ok(vxlans);
        }
        let mut command = BRIDGE.command(&self.keys, over)?;
        command.args(["-j", "fdb", "show"]);
        with_peers(vxlans, &BRIDGE.ask(command).await?)
    }
}

/// What `ip` wrote, in order, the other ends still missing where they are listed elsewhere; or why
/// it is no answer: a sentence.
fn read(bytes: &[u8]) -> Result<Vec<Vxlan>, String> {
    let mut vxlans: Vec<_> = IP.list(bytes)?.iter().filter_map(vxlan).collect();
    vxlans.sort();
    Ok(vxlans)
}

/// The same with the other ends that `bridge` wrote; an interface without any leads nowhere.
fn with_peers(mut vxlans: Vec<Vxlan>, bytes: &[u8]) -> Result<Vec<Vxlan>, String> {
    let entries = BRIDGE.list(bytes)?;
    // What goes to another identifier or port goes to another VXLAN.
    let own =
        |entry: &&Value| entry["mac"] == ALL && entry["vni"].is_null() && entry["port"].is_null();
    for entry in entries.iter().filter(own) {
        let interface = entry["ifname"].as_str();
        let there = entry["dst"].as_str().and_then(|dst| dst.parse().ok());
        let mut known = vxlans.iter_mut();
        let known = known.find(|vxlan| Some(&*vxlan.interface) == interface);
        if let (Some(vxlan), Some(there)) = (known, there)
            && let VxlanReach::Peers { remotes, .. } = &mut vxlan.reach
        {
            remotes.insert(there);
        }
    }
    vxlans.retain(|vxlan| match &vxlan.reach {
        VxlanReach::Group(_) => true,
        VxlanReach::Peers { remotes, .. } => !remotes.is_empty(),
    });
    Ok(vxlans)
}

fn vxlan(interface: &Value) -> Option<Vxlan> {
    let info = &interface["linkinfo"];
    if info["info_kind"] != "vxlan" {
        return None;
    }
    let of = &info["info_data"];
    if of["external"] == true {
        return None;
    }
    let address = |key: &str| -> Option<IpAddr> {
        let either = of[key].as_str().or_else(|| of[format!("{key}6")].as_str());
        either?.parse().ok()
    };
    let reach = match address("group") {
        Some(group) => VxlanReach::Group(group),
        None => VxlanReach::Peers {
            local: address("local")?,
            remotes: BTreeSet::new(),
        },
    };
    Some(Vxlan {
        interface: plain(interface["ifname"].as_str()?, LONGEST_NAME)?,
        id: of["id"].as_u64()?.try_into().ok()?,
        port: of["port"].as_u64()?.try_into().ok()?,
        reach,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a host with four of them said, one of which leads where somebody else says.
    const REAL: &str = include_str!("../../tests/data/ip-link-vxlan.json");

    /// Its forwarding tables.
    const TABLES: &str = include_str!("../../tests/data/bridge-fdb.json");

    #[test]
    fn what_ip_and_bridge_really_say_is_read() {
        let vxlan = |interface: &str, id, port, reach| Vxlan {
            interface: interface.to_owned(),
            id,
            port,
            reach,
        };
        let peers = |local: &str, remotes: &[&str]| VxlanReach::Peers {
            local: local.parse().unwrap(),
            remotes: remotes.iter().map(|of| of.parse().unwrap()).collect(),
        };
        let group = VxlanReach::Group("239.1.1.1".parse().unwrap());
        assert_eq!(
            with_peers(read(REAL.as_bytes()).unwrap(), TABLES.as_bytes()).unwrap(),
            [
                vxlan("vx42", 42, 4789, group),
                vxlan(
                    "vx43",
                    43,
                    4789,
                    peers("10.0.0.1", &["10.0.0.2", "10.0.0.3"])
                ),
                vxlan("vx45", 45, 4791, peers("fd00::1", &["fd00::2"])),
            ]
        );
        assert_eq!(read(b"[]"), Ok(Vec::new()));
        assert_eq!(read(b"[{},{}]"), Ok(Vec::new()));
        let nowhere = with_peers(read(REAL.as_bytes()).unwrap(), b"[{}]").unwrap();
        assert_eq!(nowhere.len(), 1);
    }

    #[test]
    fn what_is_damaged_is_refused_or_left_out() {
        for text in ["", "{}", "7", "not found", &REAL[..100]] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
            assert!(with_peers(Vec::new(), text.as_bytes()).is_err(), "{text}");
        }
        for (part, strange) in [
            ("\"vx42\"", "\"\\u0007\""),
            ("\"vx42\"", "42"),
            ("\"id\":42", "\"id\":-1"),
            ("\"id\":42", "\"id\":5000000000"),
            ("\"port\":4789", "\"port\":65536"),
            ("\"239.1.1.1\"", "\"everywhere\""),
            ("\"info_data\"", "\"info\""),
        ] {
            let damaged = REAL.replacen(part, strange, 1);
            assert_ne!(damaged, REAL);
            let left = read(damaged.as_bytes()).unwrap();
            assert_eq!(left.len(), 2, "{part} as {strange}: {left:?}");
        }
    }
}
