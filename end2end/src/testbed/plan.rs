//! The wiring of a testbed as data: what is built from it, and what tests compare with.

use std::{
    collections::BTreeSet,
    fmt,
    net::{Ipv4Addr, SocketAddrV4},
};

use anyhow::{Result, bail, ensure};

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
    /// What its routers are.
    pub driver: Driver,
    /// The MAC address of `mgmt`, its NIC in the management network.
    pub mac: String,
    /// Whether it tells its neighbours on cables who it is, and listens to them: by `lldpd`.
    pub lldp: bool,
    /// Its bridges.
    pub bridges: Vec<BridgePlan>,
    /// Its address in the network between the hosts, if it takes part in one.
    pub transport: Option<Transport>,
    /// Its storage pools.
    pub pools: Vec<PoolPlan>,
    /// Its virtual routers.
    pub routers: Vec<RouterPlan>,
}

impl HostPlan {
    fn has_bridge(&self, name: &str) -> bool {
        self.bridges.iter().any(|bridge| bridge.name == name)
    }

    fn check_plug(&self, router: &RouterPlan, plug: &Plug) -> Result<()> {
        let (name, id) = (&router.name, &self.id);
        let local = self.transport.as_ref().map(|transport| transport.address);
        match plug {
            Plug::Bridge(bridge) => ensure!(
                self.has_bridge(bridge),
                "{name} is plugged into bridge {bridge}, which {id} does not have"
            ),
            _ if self.driver == Driver::Lxc => {
                bail!("{name} is a container, which can be plugged into a bridge only")
            }
            Plug::Multicast(group) => {
                let multicast = group.ip().is_multicast() && local.is_some();
                ensure!(
                    multicast,
                    "{name} cannot use {group}: it is no group, or {id} has no transport address"
                );
            }
            Plug::Udp { local: end, .. } => ensure!(
                Some(*end.ip()) == local,
                "{name} has a link from {end}, which is no address of {id}"
            ),
        }
        Ok(())
    }
}

/// libvirt's driver on a host, which decides what its routers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// Virtual machines, under software emulation.
    Qemu,
    /// Containers.
    Lxc,
}

/// A Linux bridge on a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BridgePlan {
    /// Its interface name, at most 15 characters.
    pub name: String,
    /// Its MAC address, which would otherwise change with its ports.
    pub mac: String,
    /// The host's own ends of cables that are its ports.
    pub ports: Vec<String>,
    /// Whether it runs the spanning tree protocol: where cables form a ring, it must.
    pub stp: bool,
    /// The tunnel that is one more port, if it spans hosts without a cable of its own.
    pub tunnel: Option<Vxlan>,
}

/// Where tunnels of a host end, and where its multicast goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transport {
    /// The bridge that has the address.
    pub bridge: String,
    /// The host's address there.
    pub address: Ipv4Addr,
    /// The length of its network prefix, in bits.
    pub prefix: u8,
}

/// A VXLAN tunnel between all hosts that have one with the same id and group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vxlan {
    /// The VXLAN network identifier. The interface is called `vx` and this number.
    pub id: u32,
    /// The multicast group by which the hosts find each other.
    pub group: Ipv4Addr,
}

/// A storage pool: a directory on a file system of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolPlan {
    /// Its name.
    pub name: String,
    /// How much it holds. It is memory of the real machine.
    pub mebibytes: u32,
}

/// A virtual router: a guest that forwards packets.
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
    /// The traffic that it sends from its start, if any.
    pub sends: Option<Flow>,
}

/// Packets sent to a router at a fixed rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// An address of the router that counts them.
    pub to: Ipv4Addr,
    /// How many a second.
    pub packets_per_second: u32,
    /// The size of each, as Ethernet frame without checksum.
    pub bytes: u32,
}

/// As `src/bin/router.rs` takes it, with commas.
impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.to, self.packets_per_second, self.bytes)
    }
}

/// A NIC of a virtual router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NicPlan {
    /// Its MAC address, lower case with colons.
    pub mac: String,
    /// What it is plugged into.
    pub plug: Plug,
    /// Its IPv4 address.
    pub address: Ipv4Addr,
    /// The length of its network prefix, in bits.
    pub prefix: u8,
}

impl NicPlan {
    /// The bridge that it is plugged into, if it is one.
    pub fn bridge(&self) -> Option<&str> {
        match &self.plug {
            Plug::Bridge(bridge) => Some(bridge),
            _ => None,
        }
    }
}

/// What a router's NIC is plugged into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plug {
    /// A bridge of its host.
    Bridge(String),
    /// A segment that is a multicast group in the transport network: all guests of all hosts that
    /// name the same group and port are on it.
    Multicast(SocketAddrV4),
    /// A link to one other guest, by UDP between the transport addresses of their hosts.
    Udp {
        /// Where this end listens.
        local: SocketAddrV4,
        /// Where the other end does.
        remote: SocketAddrV4,
    },
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
    /// Its MAC address.
    pub mac: String,
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
            sends: None,
        };
        Self {
            hosts: vec![HostPlan {
                routers: vec![
                    router(1, vec![west(1)], Some([10, 50, 1, 2]), Some([10, 50, 2, 3])),
                    router(2, vec![west(2), east(2)], None, None),
                    router(3, vec![east(3)], Some([10, 50, 2, 2]), Some([10, 50, 1, 1])),
                ],
                ..host(1, &["br-west", "br-east"])
            }],
            cables: Vec::new(),
        }
    }

    /// Two hosts without guests, `alpha` and `beta`, and one cable between their `eth0`.
    pub fn pair() -> Self {
        Self {
            hosts: vec![host(1, &[]), host(2, &[])],
            cables: vec![cable((1, 0), (2, 0))],
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
                sends: None,
            }
        };
        let host = |number, row| {
            let host = host(number, &["br-west", "br-east"]);
            let routers = (1..=3).map(|number| router(&host.id, row, number));
            HostPlan {
                routers: routers.collect(),
                ..host
            }
        };
        Self {
            hosts: vec![host(1, 1), host(2, 3)],
            ..Self::pair()
        }
    }

    /// A small fleet: four hosts, five cables, twenty routers in three virtual networks.
    ///
    /// ```text
    /// alpha (QEMU) eth0 ────────── eth0 beta (QEMU)
    ///   eth1  eth2 ──────────┐        eth1
    ///    │                   │         │
    ///   eth1                eth2      eth0
    /// delta (LXC) eth0 ─────── eth1 gamma (QEMU)
    /// ```
    ///
    /// On every host all cables are ports of the bridge `br-phys`, which runs the spanning tree
    /// protocol and has the host's transport address 10.200.0.N. The virtual networks:
    ///
    /// ```text
    /// red    one segment, br-phys itself, 10.71.0.0/24
    ///        r1 alpha, r2 beta, r3 … r6 delta
    ///
    /// green  g1 alpha ─┐
    ///        g2 beta  ─┼─ multicast 10.72.0.0/24 ─ g3 gamma ── UDP 10.72.1.0/24 ── g4 alpha
    ///
    /// blue   b1 beta  ─┐
    ///        b2 gamma ─┼─ VXLAN 10.73.0.0/24, br-blue on three hosts ── b4 … b7 delta
    ///                  └─ b3 delta ── br-leaf 10.73.1.0/24 ── b8, b9, b10 delta
    /// ```
    ///
    /// Every router sends to another one of its network, and each to another: 20 packets of 1000
    /// bytes a second.
    pub fn testbed() -> Self {
        let transport = |host: u8| Ipv4Addr::new(10, 200, 0, host);
        let host = |number, driver, cables, bridges: &[&str]| {
            let mut plan = HostPlan {
                driver,
                lldp: true,
                transport: Some(Transport {
                    bridge: "br-phys".into(),
                    address: transport(number),
                    prefix: 24,
                }),
                pools: vec![PoolPlan {
                    name: "images".into(),
                    mebibytes: 64,
                }],
                ..host(number, bridges)
            };
            for bridge in &mut plan.bridges {
                match &*bridge.name {
                    "br-phys" => {
                        bridge.ports = (0..cables).map(|nic| format!("eth{nic}")).collect();
                        bridge.stp = true;
                    }
                    "br-blue" => {
                        let group = Ipv4Addr::new(239, 200, 0, 42);
                        bridge.tunnel = Some(Vxlan { id: 42, group });
                    }
                    _ => {}
                }
            }
            plan
        };
        let mut plan = Self {
            hosts: vec![
                host(1, Driver::Qemu, 3, &["br-phys"]),
                host(2, Driver::Qemu, 2, &["br-phys", "br-blue"]),
                host(3, Driver::Qemu, 3, &["br-phys", "br-blue"]),
                host(4, Driver::Lxc, 2, &["br-phys", "br-blue", "br-leaf"]),
            ],
            cables: vec![
                cable((1, 0), (2, 0)),
                cable((2, 1), (3, 0)),
                cable((3, 1), (4, 0)),
                cable((4, 1), (1, 1)),
                cable((1, 2), (3, 2)),
            ],
        };

        let red = Segment(71, 0, Plug::Bridge("br-phys".into()));
        for (number, host, to) in [
            (1, "alpha", 2),
            (2, "beta", 3),
            (3, "delta", 4),
            (4, "delta", 5),
            (5, "delta", 6),
            (6, "delta", 1),
        ] {
            let nics = vec![red.nic(number)];
            plan.add(host, "red", number, nics, None, red.address(to));
        }

        let group = SocketAddrV4::new(Ipv4Addr::new(239, 200, 0, 72), 5558);
        let shared = Segment(72, 0, Plug::Multicast(group));
        let [gamma, alpha] = [3, 1].map(|host| SocketAddrV4::new(transport(host), 5559));
        let link = |local, remote| Segment(72, 1, Plug::Udp { local, remote });
        let [here, there] = [link(gamma, alpha), link(alpha, gamma)];
        let [to_1, to_2, to_3] = [1, 2, 3].map(|number| shared.address(number));
        let (at_3, to_4) = (here.address(3), there.address(4));
        for (number, host, nics, gateway, to) in [
            (1, "alpha", vec![shared.nic(1)], Some(to_3), to_4),
            (2, "beta", vec![shared.nic(2)], Some(to_3), to_3),
            (3, "gamma", vec![shared.nic(3), here.nic(3)], None, to_1),
            (4, "alpha", vec![there.nic(4)], Some(at_3), to_2),
        ] {
            plan.add(host, "green", number, nics, gateway, to);
        }

        let wide = Segment(73, 0, Plug::Bridge("br-blue".into()));
        let leaf = Segment(73, 1, Plug::Bridge("br-leaf".into()));
        for (number, host, to) in [
            (1, "beta", leaf.address(8)),
            (2, "gamma", wide.address(4)),
            (4, "delta", wide.address(5)),
            (5, "delta", leaf.address(9)),
            (6, "delta", wide.address(7)),
            (7, "delta", wide.address(3)),
        ] {
            let (nics, gateway) = (vec![wide.nic(number)], wide.address(3));
            plan.add(host, "blue", number, nics, Some(gateway), to);
        }
        let nics = vec![wide.nic(3), leaf.nic(3)];
        plan.add("delta", "blue", 3, nics, None, leaf.address(10));
        for (number, to) in [
            (8, wide.address(2)),
            (9, wide.address(6)),
            (10, wide.address(1)),
        ] {
            let (nics, gateway) = (vec![leaf.nic(number)], leaf.address(3));
            plan.add("delta", "blue", number, nics, Some(gateway), to);
        }
        plan
    }

    /// One more router, called by the first letter of its network and a number.
    fn add(
        &mut self,
        host: &str,
        network: &str,
        number: u8,
        nics: Vec<NicPlan>,
        gateway: Option<Ipv4Addr>,
        to: Ipv4Addr,
    ) {
        let router = RouterPlan {
            name: format!("{}{number}", &network[..1]),
            uuid: format!(
                "5a3c1e70-0000-4000-8000-0000{:08x}",
                u32::from(nics[0].address)
            ),
            network: network.into(),
            nics,
            gateway,
            pings: None,
            sends: Some(Flow {
                to,
                packets_per_second: 20,
                bytes: 1000,
            }),
        };
        let host = self.hosts.iter_mut().find(|plan| plan.id == host);
        host.expect("routers are on hosts of the plan")
            .routers
            .push(router);
    }

    /// Every router with its host.
    pub fn routers(&self) -> impl Iterator<Item = (&HostPlan, &RouterPlan)> {
        self.hosts
            .iter()
            .flat_map(|host| host.routers.iter().map(move |router| (host, router)))
    }

    /// The router that has an address, with its host.
    pub fn owner(&self, address: Ipv4Addr) -> Option<(&HostPlan, &RouterPlan)> {
        self.routers()
            .find(|(_, router)| router.nics.iter().any(|nic| nic.address == address))
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
            macs.insert(&host.mac);
            ensure!(hosts.insert(&host.id), "two hosts are called {}", host.id);
            ensure!(
                uuids.insert(&host.uuid),
                "the UUID {} occurs twice",
                host.uuid
            );
            for bridge in &host.bridges {
                check_interface(&bridge.name)?;
                ensure!(
                    macs.insert(&bridge.mac),
                    "the MAC {} occurs twice",
                    bridge.mac
                );
                ensure!(
                    bridge.tunnel.is_none() || host.transport.is_some(),
                    "bridge {} has a tunnel, and {} no transport address for its end",
                    bridge.name,
                    host.id
                );
                for port in &bridge.ports {
                    ensure!(
                        self.ports().any(|p| p.host == host.id && &p.nic == port),
                        "no cable ends at port {port} of bridge {} on {}",
                        bridge.name,
                        host.id
                    );
                }
            }
            if let Some(Transport { bridge, .. }) = &host.transport {
                ensure!(
                    host.has_bridge(bridge),
                    "the transport address of {} is on bridge {bridge}, which it does not have",
                    host.id
                );
            }
            for pool in &host.pools {
                check_word("pool", &pool.name)?;
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
                    host.check_plug(router, &nic.plug)?;
                }
            }
        }
        for port in self.ports() {
            check_interface(&port.nic)?;
            ensure!(macs.insert(&port.mac), "the MAC {} occurs twice", port.mac);
            ensure!(
                hosts.contains(&port.host),
                "a cable ends at host {}, which is not there",
                port.host
            );
        }
        Ok(())
    }

    /// The physical NICs of all hosts, by their cables.
    pub fn ports(&self) -> impl Iterator<Item = &Port> {
        self.cables.iter().flat_map(|cable| [&cable.a, &cable.b])
    }
}

/// The hosts of all plans, in order.
const HOSTS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

/// The host with that number, from 1, with as many bridges.
fn host(number: u8, bridges: &[&str]) -> HostPlan {
    let bridge = |(place, name): (u8, &&str)| BridgePlan {
        name: (*name).into(),
        mac: host_mac(number, 1, place),
        ..BridgePlan::default()
    };
    HostPlan {
        id: HOSTS[usize::from(number) - 1].into(),
        uuid: format!("5a3c1e70-0000-4000-8000-0000000000{number:02x}"),
        driver: Driver::Qemu,
        mac: host_mac(number, 0, 0),
        lldp: false,
        bridges: (0..).zip(bridges).map(bridge).collect(),
        transport: None,
        pools: Vec::new(),
        routers: Vec::new(),
    }
}

/// A cable between two hosts, each with the number of its NIC.
fn cable(a: (u8, u8), b: (u8, u8)) -> Cable {
    let port = |(host, nic): (u8, u8)| Port {
        host: HOSTS[usize::from(host) - 1].into(),
        nic: format!("eth{nic}"),
        mac: host_mac(host, 2, nic),
    };
    Cable {
        a: port(a),
        b: port(b),
        capacity: "1G".into(),
    }
}

/// Local addresses that none of libvirt's guests gets.
fn host_mac(host: u8, kind: u8, number: u8) -> String {
    format!("02:00:00:{host:02x}:{kind:02x}:{number:02x}")
}

/// A segment with addresses 10.NETWORK.SEGMENT.x.
struct Segment(u8, u8, Plug);

impl Segment {
    fn address(&self, router: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, self.0, self.1, router)
    }

    /// A router's NIC, with a MAC that is derived from its address.
    fn nic(&self, router: u8) -> NicPlan {
        let Self(network, segment, plug) = self;
        NicPlan {
            mac: format!("52:54:00:{network:02x}:{segment:02x}:{router:02x}"),
            plug: plug.clone(),
            address: self.address(router),
            prefix: 24,
        }
    }
}

/// A NIC on a bridge, in segment `segment` of network 10.50.
fn nic(bridge: &str, segment: u8, host: u8) -> NicPlan {
    Segment(50, segment, Plug::Bridge(bridge.into())).nic(host)
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
        Plan::testbed().check().unwrap();
    }

    #[test]
    fn the_testbed_is_as_large_as_it_says() {
        let plan = Plan::testbed();
        let on = |driver| {
            let routers = plan.routers();
            routers.filter(|(host, _)| host.driver == driver).count()
        };
        assert_eq!((on(Driver::Qemu), on(Driver::Lxc)), (8, 12));
        // Everyone sends to one other of the same network, and gets from one.
        let mut receivers = BTreeSet::new();
        for (_, router) in plan.routers() {
            let (_, receiver) = plan.owner(router.sends.unwrap().to).unwrap();
            assert_eq!(receiver.network, router.network);
            assert_ne!(receiver.name, router.name);
            receivers.insert(&receiver.name);
        }
        assert_eq!(receivers.len(), 20);
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
