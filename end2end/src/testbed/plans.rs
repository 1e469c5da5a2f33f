//! The plans that we ship: from three routers on one host to a small fleet.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::plan::{
    BridgePlan, Cable, Driver, Flow, HostPlan, NicPlan, Plan, Plug, PoolPlan, Port, RouterPlan,
    Transport, Vxlan,
};

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
            disk: None,
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

    /// The same with containers, which need less and are up at once.
    pub fn containers() -> Self {
        let mut plan = Self::line();
        plan.hosts[0].driver = Driver::Lxc;
        plan
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
                disk: None,
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

    /// One host without routers, with a bridge `br0` for those that are brought along.
    pub fn one_host() -> Self {
        Self {
            hosts: vec![host(1, &["br0"])],
            cables: Vec::new(),
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

    /// Two hosts, `alpha` and `beta`, between which routers are moved:
    ///
    /// ```text
    /// alpha  m1 ─┬─ br-phys, the cable itself, 10.74.0.0/24 ── m2   beta
    ///            ├─ multicast 10.74.1.0/24 ─────────────────── m2
    ///            └─ UDP 10.74.2.0/24 ───────────────────────── m3
    ///        d1 ─── br-phys, with a disk over a base
    ///        br-odd: no host but alpha has it; l1 is on it
    /// ```
    ///
    /// `m2` sends to `m1`, 20 packets a second, and pings it; `m1` sends to `m2`.
    pub fn moves() -> Self {
        let transport = |host: u8| Ipv4Addr::new(10, 200, 0, host);
        let host = |number, bridges: &[&str]| {
            let mut plan = HostPlan {
                transport: Some(Transport {
                    bridge: "br-phys".into(),
                    address: transport(number),
                    prefix: 24,
                }),
                pools: vec![PoolPlan {
                    name: "images".into(),
                    mebibytes: 128,
                }],
                ..host(number, bridges)
            };
            plan.bridges[0].ports = vec!["eth0".into()];
            plan
        };
        let mut plan = Self {
            hosts: vec![host(1, &["br-phys", "br-odd"]), host(2, &["br-phys"])],
            ..Self::pair()
        };
        let wire = Segment(74, 0, Plug::Bridge("br-phys".into()));
        let group = SocketAddrV4::new(Ipv4Addr::new(239, 200, 0, 74), 5558);
        let shared = Segment(74, 1, Plug::Multicast(group));
        let [here, there] =
            [(1, 5561), (2, 5562)].map(|(host, port)| SocketAddrV4::new(transport(host), port));
        let udp = |local, remote| Segment(74, 2, Plug::Udp { local, remote });
        let odd = Segment(74, 3, Plug::Bridge("br-odd".into()));
        let m1 = vec![wire.nic(1), shared.nic(1), udp(here, there).nic(1)];
        plan.add("alpha", "moves", 1, m1, None, wire.address(2));
        let m2 = vec![wire.nic(2), shared.nic(2)];
        plan.add("beta", "moves", 2, m2, None, wire.address(1));
        let m3 = vec![udp(there, here).nic(3)];
        plan.add(
            "beta",
            "moves",
            3,
            m3,
            None,
            Segment(74, 2, Plug::Bridge(String::new())).address(1),
        );
        plan.add("alpha", "disk", 1, vec![wire.nic(4)], None, wire.address(2));
        plan.add("alpha", "lonely", 1, vec![odd.nic(5)], None, odd.address(5));
        plan.hosts[1].routers[0].pings = Some(wire.address(1));
        plan.hosts[0].routers[1].disk = Some("images".into());
        plan
    }

    /// Three hosts without routers, to make some on:
    ///
    /// ```text
    /// alpha eth0 ── eth0 beta eth1 ── eth0 gamma
    /// ```
    ///
    /// On each, the cables are ports of `br-phys`, which has the host's transport address
    /// 10.200.0.N; and `br-blue` is a VXLAN over it, prepared for a link.
    pub fn empty() -> Self {
        let host = |number, ports: &[&str]| {
            let mut plan = HostPlan {
                transport: Some(Transport {
                    bridge: "br-phys".into(),
                    address: Ipv4Addr::new(10, 200, 0, number),
                    prefix: 24,
                }),
                ..host(number, &["br-phys", "br-blue"])
            };
            plan.bridges[0].ports = ports.iter().map(ToString::to_string).collect();
            plan.bridges[1].tunnel = Some(Vxlan {
                id: 76,
                group: Ipv4Addr::new(239, 200, 0, 76),
            });
            plan
        };
        Self {
            hosts: vec![
                host(1, &["eth0"]),
                host(2, &["eth0", "eth1"]),
                host(3, &["eth0"]),
            ],
            cables: vec![cable((1, 0), (2, 0)), cable((2, 1), (3, 0))],
        }
    }

    /// One host of containers without any, with a bridge `br0`.
    pub fn empty_of_containers() -> Self {
        let mut plan = Self::one_host();
        plan.hosts[0].driver = Driver::Lxc;
        plan
    }

    /// Two hosts of containers, `alpha` and `beta`, on one segment: `br-phys`, which the cable is a port
    /// of. `c1` is on `alpha`, `c2` on `beta`; `c2` pings `c1`.
    pub fn moving_containers() -> Self {
        let host = |number| {
            let mut plan = host(number, &["br-phys"]);
            plan.driver = Driver::Lxc;
            plan.bridges[0].ports = vec!["eth0".into()];
            plan
        };
        let mut plan = Self {
            hosts: vec![host(1), host(2)],
            ..Self::pair()
        };
        let wire = Segment(75, 0, Plug::Bridge("br-phys".into()));
        for (number, host, to) in [(1, "alpha", 2), (2, "beta", 1)] {
            let nics = vec![wire.nic(number)];
            plan.add(host, "containers", number, nics, None, wire.address(to));
        }
        plan.hosts[1].routers[0].pings = Some(wire.address(1));
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
            disk: None,
        };
        let host = self.hosts.iter_mut().find(|plan| plan.id == host);
        host.expect("routers are on hosts of the plan")
            .routers
            .push(router);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_plans_that_we_ship_are_sound() {
        Plan::line().check().unwrap();
        Plan::containers().check().unwrap();
        Plan::pair().check().unwrap();
        Plan::faults().check().unwrap();
        Plan::moves().check().unwrap();
        Plan::moving_containers().check().unwrap();
        Plan::empty().check().unwrap();
        Plan::empty_of_containers().check().unwrap();
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
}
