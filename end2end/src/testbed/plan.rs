//! The wiring of a testbed as data: what is built from it, and what tests compare with.

use std::{collections::BTreeSet, net::Ipv4Addr};

use anyhow::{Result, ensure};

/// A whole testbed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The machines with a libvirt daemon.
    pub hosts: Vec<HostPlan>,
    /// The physical links between them.
    pub cables: Vec<Cable>,
}

/// One host: a libvirt daemon with its own name, UUID, network and state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPlan {
    /// Its id in VMS, which is also its hostname.
    pub id: String,
    /// What libvirt reports as the host's UUID.
    pub uuid: String,
    /// Its bridges.
    pub bridges: Vec<BridgePlan>,
    /// Its virtual routers.
    pub routers: Vec<RouterPlan>,
}

/// A Linux bridge on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgePlan {
    /// Its interface name, at most 15 characters.
    pub name: String,
    /// The host's own ends of cables that are its ports.
    pub ports: Vec<String>,
}

/// A virtual router: a QEMU guest that forwards packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouterPlan {
    /// Its domain name.
    pub name: String,
    /// Its domain UUID.
    pub uuid: String,
    /// The virtual network that it belongs to, as VMS' metadata in the domain says.
    pub network: String,
    /// Its NICs, in order.
    pub nics: Vec<NicPlan>,
    /// Its default gateway, if any.
    pub gateway: Option<Ipv4Addr>,
    /// The address that it pings every second, if any.
    pub pings: Option<Ipv4Addr>,
}

/// A NIC of a virtual router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NicPlan {
    /// Its MAC address, lower case with colons.
    pub mac: String,
    /// The bridge that it is plugged into.
    pub bridge: String,
    /// Its IPv4 address.
    pub address: Ipv4Addr,
    /// The length of its network prefix, in bits.
    pub prefix: u8,
}

/// A physical link between two hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cable {
    /// One end.
    pub a: Port,
    /// The other end.
    pub b: Port,
    /// What VMS is told of its capacity, such as `1G`.
    pub capacity: String,
}

/// A host's physical NIC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The host's id.
    pub host: String,
    /// The NIC's interface name, at most 15 characters.
    pub nic: String,
}

impl Plan {
    /// One host, `alpha`, with three routers in a line over two bridges:
    ///
    /// ```text
    /// r1 .1 ── br-west 10.50.1.0/24 ── .2 r2 .2 ── br-east 10.50.2.0/24 ── .3 r3
    /// ```
    ///
    /// `r1` and `r3` ping each other all the time, through `r2`.
    pub fn line() -> Self {
        let west = |host| nic("br-west", 1, host);
        let east = |host| nic("br-east", 2, host);
        let router = |number, nics, gateway: Option<[u8; 4]>, pings: Option<[u8; 4]>| RouterPlan {
            name: format!("r{number}"),
            uuid: format!("5a3c1e70-0000-4000-8000-00000000010{number}"),
            network: "line".into(),
            nics,
            gateway: gateway.map(Into::into),
            pings: pings.map(Into::into),
        };
        Self {
            hosts: vec![HostPlan {
                bridges: vec![bridge("br-west"), bridge("br-east")],
                routers: vec![
                    router(1, vec![west(1)], Some([10, 50, 1, 2]), Some([10, 50, 2, 3])),
                    router(2, vec![west(2), east(2)], None, None),
                    router(3, vec![east(3)], Some([10, 50, 2, 2]), Some([10, 50, 1, 1])),
                ],
                ..host("alpha", 1)
            }],
            cables: Vec::new(),
        }
    }

    /// Two hosts without guests, `alpha` and `beta`, and one cable between their `eth0`.
    pub fn pair() -> Self {
        let port = |host: &str| Port {
            host: host.into(),
            nic: "eth0".into(),
        };
        Self {
            hosts: vec![host("alpha", 1), host("beta", 2)],
            cables: vec![Cable {
                a: port("alpha"),
                b: port("beta"),
                capacity: "1G".into(),
            }],
        }
    }

    /// Two hosts, `alpha` and `beta`, with a cable between their `eth0`, and three idle routers
    /// in a row on each, called as their host and a number:
    ///
    /// ```text
    /// alpha-1 ── br-west ── alpha-2 ── br-east ── alpha-3        beta-1 ── …
    /// ```
    ///
    /// They are there to be broken: nothing moves in them, so that they cost little.
    pub fn faults() -> Self {
        let router = |host: &str, row: u8, number: u8| {
            let west = nic("br-west", row, number);
            let east = nic("br-east", row + 1, number);
            RouterPlan {
                name: format!("{host}-{number}"),
                uuid: format!("5a3c1e70-0000-4000-8000-000000000{row}{number:02}"),
                network: host.into(),
                nics: match number {
                    1 => vec![west],
                    2 => vec![west, east],
                    _ => vec![east],
                },
                gateway: None,
                pings: None,
            }
        };
        let mut plan = Self::pair();
        for (host, row) in plan.hosts.iter_mut().zip([1, 3]) {
            host.bridges = vec![bridge("br-west"), bridge("br-east")];
            host.routers = (1..=3)
                .map(|number| router(&host.id, row, number))
                .collect();
        }
        plan
    }

    /// Every router with its host.
    pub fn routers(&self) -> impl Iterator<Item = (&HostPlan, &RouterPlan)> {
        self.hosts
            .iter()
            .flat_map(|host| host.routers.iter().map(move |router| (host, router)))
    }

    /// Checks what the kernel or libvirt would refuse later, and less clearly.
    ///
    /// # Errors
    /// The first thing that does not fit, as a sentence.
    pub fn check(&self) -> Result<()> {
        ensure!(!self.hosts.is_empty(), "a testbed needs a host");
        ensure!(
            self.hosts.len() <= 200,
            "a testbed has addresses for 200 hosts"
        );
        let mut hosts = BTreeSet::new();
        let mut uuids = BTreeSet::new();
        let mut macs = BTreeSet::new();
        for host in &self.hosts {
            check_word("host", &host.id)?;
            ensure!(hosts.insert(&host.id), "two hosts are called {}", host.id);
            ensure!(
                uuids.insert(&host.uuid),
                "the UUID {} occurs twice",
                host.uuid
            );
            for bridge in &host.bridges {
                check_interface(&bridge.name)?;
                for port in &bridge.ports {
                    ensure!(
                        self.ports().any(|p| p.host == host.id && &p.nic == port),
                        "no cable ends at port {port} of bridge {} on {}",
                        bridge.name,
                        host.id
                    );
                }
            }
            for router in &host.routers {
                check_word("router", &router.name)?;
                check_word("network", &router.network)?;
                ensure!(
                    uuids.insert(&router.uuid),
                    "the UUID {} occurs twice",
                    router.uuid
                );
                for nic in &router.nics {
                    ensure!(macs.insert(&nic.mac), "the MAC {} occurs twice", nic.mac);
                    ensure!(
                        host.bridges.iter().any(|b| b.name == nic.bridge),
                        "{} is plugged into bridge {}, which {} does not have",
                        router.name,
                        nic.bridge,
                        host.id
                    );
                }
            }
        }
        for port in self.ports() {
            check_interface(&port.nic)?;
            ensure!(
                hosts.contains(&port.host),
                "a cable ends at host {}, which is not there",
                port.host
            );
        }
        Ok(())
    }

    fn ports(&self) -> impl Iterator<Item = &Port> {
        self.cables.iter().flat_map(|cable| [&cable.a, &cable.b])
    }
}

fn host(id: &str, number: u8) -> HostPlan {
    HostPlan {
        id: id.into(),
        uuid: format!("5a3c1e70-0000-4000-8000-0000000000{number:02x}"),
        bridges: Vec::new(),
        routers: Vec::new(),
    }
}

fn bridge(name: &str) -> BridgePlan {
    BridgePlan {
        name: name.into(),
        ports: Vec::new(),
    }
}

/// A NIC in segment `segment` with host part `host`, MAC derived from both.
fn nic(bridge: &str, segment: u8, host: u8) -> NicPlan {
    NicPlan {
        mac: format!("52:54:00:50:{segment:02x}:{host:02x}"),
        bridge: bridge.into(),
        address: Ipv4Addr::new(10, 50, segment, host),
        prefix: 24,
    }
}

/// Names end up in XML, shell words and kernel command lines: nothing to escape in any.
fn check_word(what: &str, word: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    ensure!(
        !word.is_empty() && word.chars().all(plain),
        "a {what} is called {word:?}; letters, digits and hyphens are allowed"
    );
    Ok(())
}

fn check_interface(name: &str) -> Result<()> {
    check_word("network interface", name)?;
    ensure!(
        name.len() <= 15,
        "interface name {name} is longer than 15 characters"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plans_that_we_ship_are_sound() {
        Plan::line().check().unwrap();
        Plan::pair().check().unwrap();
        Plan::faults().check().unwrap();
    }

    #[test]
    fn a_nic_without_its_bridge_is_refused() {
        let mut plan = Plan::line();
        plan.hosts[0].bridges.pop();
        let error = plan.check().unwrap_err().to_string();
        assert_eq!(
            error,
            "r2 is plugged into bridge br-east, which alpha does not have"
        );
    }

    #[test]
    fn a_name_that_a_shell_could_read_is_refused() {
        let mut plan = Plan::line();
        plan.hosts[0].routers[0].name = "r1; reboot".into();
        assert!(plan.check().is_err());
    }
}
