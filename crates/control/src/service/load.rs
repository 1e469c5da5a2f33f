//! What everything uses and carries now, from the latest measurements; no host is asked.

use super::{State, hosts, paths::Underlays, translate};
use crate::measurement::Latest;
use api::{
    Flow, GetLoadReply, GetLoadRequest, HostLoad, HostUse, LinkUse, RouterMeasurement, RouterUse,
    Timestamp, TopologyView,
};
use model::{LinkEnd, LinkId, LinkKind, Member, Port, RouterId, Topology};
use std::collections::{BTreeMap, HashMap};

/// What is measured at one time.
pub(crate) struct Load<'a> {
    now: Timestamp,
    routers: BTreeMap<RouterId, RouterMeasurement>,
    links: HashMap<&'a LinkId, Traffic>,
}

/// What a link carries, in bits a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic {
    at: Timestamp,
    simulated: bool,
    a_to_b: Option<f64>,
    b_to_a: Option<f64>,
}

impl Traffic {
    /// In one direction: from the link's end `a` to `b`, or back.
    pub fn toward(&self, forward: bool) -> Option<f64> {
        if forward { self.a_to_b } else { self.b_to_a }
    }
}

/// All that is asked for.
pub(crate) fn get(state: &State, request: &GetLoadRequest) -> GetLoadReply {
    let view = state.view();
    let wanted = request.view.unwrap_or_default();
    let topology = view.topology();
    let load = Load::of(&state.latest, topology, Timestamp::now());
    let mut on_host: HashMap<_, Vec<_>> = HashMap::new();
    for (id, measured) in &load.routers {
        if let Some(router) = topology.routers.get(id) {
            on_host.entry(&router.host).or_default().push(measured);
        }
    }
    let physical = wanted != TopologyView::Virtual;
    let of_routers = wanted != TopologyView::Physical;
    GetLoadReply {
        as_of: load.now,
        sources: view.sources(),
        version: view.snapshot.version,
        view: wanted,
        hosts: (topology.hosts.values())
            .filter(|host| physical && host.contact.is_current())
            .filter_map(|host| {
                let here = on_host.get(&host.id).into_iter().flatten().copied();
                let used = hosts::load(state, &host.id, load.now, here)?;
                Some(host_use(host, &used))
            })
            .collect(),
        routers: (load.routers.iter())
            .filter(|_| of_routers)
            .filter_map(|(id, measured)| {
                let cpus = topology.routers.get(id)?.domain.vcpus;
                Some(RouterUse {
                    router: translate::router_id(*id),
                    as_of: measured.at,
                    simulated: measured.simulated,
                    cpu_share: share(measured.cpus_used, Some(cpus)),
                })
            })
            .collect(),
        links: (topology.links.values())
            .filter(|link| match link.kind {
                LinkKind::Physical => physical,
                LinkKind::Virtual => of_routers,
            })
            .filter_map(|link| load.link(link))
            .collect(),
    }
}

impl<'a> Load<'a> {
    /// What is measured of routers and links.
    pub fn of(latest: &Latest, topology: &'a Topology, now: Timestamp) -> Self {
        let routers: BTreeMap<_, _> = (topology.routers.iter())
            .filter_map(|(id, router)| Some((*id, latest.of(router, now)?)))
            .collect();
        let mut load = Self {
            now,
            routers,
            links: HashMap::new(),
        };
        for link in topology.links.values() {
            if let Some(traffic) = load.carried(latest, topology, link) {
                load.links.insert(&link.id, traffic);
            }
        }
        if load.is_simulated() {
            load.make_up_cables(topology);
        }
        load
    }

    /// Whether rates were made up for the demo.
    pub fn is_simulated(&self) -> bool {
        self.routers.values().any(|measured| measured.simulated)
    }

    /// What a link carries, where it is counted.
    pub fn traffic(&self, link: &LinkId) -> Option<&Traffic> {
        self.links.get(link)
    }

    /// A link carries what the interfaces at its ends count, those of routers or of hosts.
    fn carried(&self, latest: &Latest, topology: &Topology, link: &model::Link) -> Option<Traffic> {
        let counted = |end: &LinkEnd| match end {
            LinkEnd::Router(member) => self.by_router(member),
            LinkEnd::Host(port) => self.by_host(latest, topology, port),
            LinkEnd::Segment(_) => None,
        };
        let (a, b) = (counted(&link.a), counted(&link.b));
        // What is sent counts; what arrives is the same less what was lost on the way.
        let a_to_b = a.and_then(|a| a.sent).or(b.and_then(|b| b.received));
        let b_to_a = b.and_then(|b| b.sent).or(a.and_then(|a| a.received));
        if a_to_b.is_none() && b_to_a.is_none() {
            return None;
        }
        let ends = [a, b].into_iter().flatten();
        Some(Traffic {
            at: ends.clone().map(|end| end.at).min()?,
            simulated: ends.clone().any(|end| end.simulated),
            a_to_b,
            b_to_a,
        })
    }

    fn by_router(&self, member: &Member) -> Option<Counted> {
        let measured = self.routers.get(&member.router)?;
        let mac = translate::mac(member.mac);
        let interface = measured.interfaces.iter().find(|of| of.mac == mac)?;
        Some(Counted {
            at: measured.at,
            simulated: measured.simulated,
            sent: interface.transmitted_bits_per_second,
            received: interface.received_bits_per_second,
        })
    }

    fn by_host(&self, latest: &Latest, topology: &Topology, port: &Port) -> Option<Counted> {
        // A bridge counts what its host itself sends and gets by it, not what goes through.
        let interfaces = &topology.hosts.get(&port.host)?.interfaces;
        let mut own = interfaces.iter().filter(|of| of.name == port.interface);
        if own.any(|of| of.kind == "bridge") {
            return None;
        }
        let rates = latest.of_interface(port, self.now)?;
        Some(Counted {
            at: rates.at,
            simulated: false,
            sent: rates.sent,
            received: rates.received,
        })
    }

    /// The demo's cables carry what the virtual links between two hosts are made to carry, by the
    /// paths that are taken to lie under them. Nothing but `Settings::demo` leads here.
    fn make_up_cables(&mut self, topology: &'a Topology) {
        let at = self.links.values().map(|traffic| traffic.at).max();
        let Some(at) = at else { return };
        let mut underlays = Underlays::new(topology);
        let mut cables: HashMap<&LinkId, [f64; 2]> = HashMap::new();
        for link in topology.links.values() {
            let (LinkKind::Virtual, LinkEnd::Router(a), LinkEnd::Router(b)) =
                (link.kind, &link.a, &link.b)
            else {
                continue;
            };
            let Some(traffic) = self.links.get(&link.id) else {
                continue;
            };
            for (cable, forward) in underlays.cables(a.router, b.router) {
                let carried = cables.entry(&cable.id).or_default();
                carried[0] += traffic.toward(forward).unwrap_or_default();
                carried[1] += traffic.toward(!forward).unwrap_or_default();
            }
        }
        for cable in topology.links.values() {
            if cable.kind == LinkKind::Physical {
                let [a_to_b, b_to_a] = cables.remove(&cable.id).unwrap_or_default();
                let traffic = Traffic {
                    at,
                    simulated: true,
                    a_to_b: Some(a_to_b),
                    b_to_a: Some(b_to_a),
                };
                self.links.insert(&cable.id, traffic);
            }
        }
    }

    fn link(&self, link: &model::Link) -> Option<LinkUse> {
        let traffic = self.traffic(&link.id)?;
        let capacity = link.capacity_bits_per_second;
        let flow = |rate: f64| Flow {
            bits_per_second: rate,
            utilisation: (capacity.filter(|capacity| *capacity > 0))
                .map(|capacity| rate / capacity as f64),
        };
        Some(LinkUse {
            link: translate::id(&link.id),
            as_of: traffic.at,
            simulated: traffic.simulated,
            capacity_bits_per_second: capacity,
            a_to_b: traffic.a_to_b.map(flow),
            b_to_a: traffic.b_to_a.map(flow),
        })
    }
}

fn host_use(host: &model::Host, used: &HostLoad) -> HostUse {
    HostUse {
        host: translate::id(&host.id),
        as_of: used.at,
        simulated: used.simulated,
        cpu_share: share(used.cpus_used, host.node.cpus),
        memory_used_bytes: used.memory_used_bytes,
        memory_bytes: host.node.memory_bytes,
    }
}

/// What an interface counts, in bits a second.
#[derive(Clone, Copy)]
struct Counted {
    at: Timestamp,
    simulated: bool,
    sent: Option<f64>,
    received: Option<f64>,
}

/// The share of processors in use. Two clocks are read, so a little more than all of them may seem
/// to be in use.
fn share(cpus_used: Option<f64>, cpus: Option<u32>) -> Option<f64> {
    let cpus = cpus.filter(|cpus| *cpus > 0)?;
    Some((cpus_used? / f64::from(cpus)).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measurement::{Counters, Reading};
    use model::{HostId, HostInterface, HostReport, LinkState};
    use std::{sync::Arc, time::Duration};

    fn port(text: &str) -> Port {
        let (host, interface) = text.split_once(':').unwrap();
        Port {
            host: HostId::new(host),
            interface: interface.to_owned(),
        }
    }

    /// Hosts `h1` and `h2` that each have `eth0`, `eth1` and a bridge, with a link between two
    /// interfaces.
    fn topology(a: &str, b: &str) -> Topology {
        let report = |host: &str| HostReport {
            id: HostId::new(host),
            name: host.to_owned(),
            site: None,
            origin: model::Origin::Configured,
            maintenance: None,
            endpoints: Vec::new(),
            inventory: Some(Arc::new(inventory(host))),
            neighbors: Vec::new(),
            vxlans: Vec::new(),
        };
        let link = model::DeclaredLink {
            a: port(a),
            b: port(b),
            capacity_bits_per_second: Some(1000),
            latency_ns: None,
        };
        Topology::derive([&report("h1"), &report("h2")], &[link])
    }

    fn inventory(host: &str) -> model::HostInventory {
        let interface = |name: &str, kind: &str| HostInterface {
            name: name.to_owned(),
            kind: kind.to_owned(),
            mac: None,
            state: LinkState::Up,
            ports: Vec::new(),
            speed_bits_per_second: None,
        };
        model::HostInventory {
            host: HostId::new(host),
            as_of: Timestamp::UNIX_EPOCH,
            node: model::NodeFacts::default(),
            interfaces: vec![
                interface("eth0", "ethernet"),
                interface("eth1", "ethernet"),
                interface("br0", "bridge"),
            ],
            networks: Vec::new(),
            domains: BTreeMap::new(),
        }
    }

    /// Every interface of a host receives and sends so many bytes a second, until then.
    fn count(latest: &Latest, host: &str, until: i64, received: u64, sent: u64) {
        for (second, seconds) in [(until - 10, 0), (until, 10)] {
            let counters = Counters {
                received: received * seconds,
                sent: sent * seconds,
            };
            let names = ["eth0", "eth1", "br0"].map(str::to_owned);
            let reading = Reading {
                at_ms: second * 1000,
                interfaces: names.map(|name| (name, counters)).into(),
            };
            latest.put_traffic(&HostId::new(host), reading);
        }
    }

    /// What the link carries at second 30, each way, and when that was counted.
    fn carried(latest: &Latest, topology: &Topology) -> Option<([Option<f64>; 2], i64)> {
        let load = Load::of(latest, topology, Timestamp::from_second(30).unwrap());
        let link = topology.links.values().next().unwrap();
        let traffic = load.traffic(&link.id)?;
        assert!(!traffic.simulated);
        let rates = [true, false].map(|forward| traffic.toward(forward));
        Some((rates, traffic.at.as_second()))
    }

    #[test]
    fn a_cable_carries_what_the_hosts_at_its_ends_count() {
        let interval = Duration::from_secs(10);
        let cable = topology("h1:eth0", "h2:eth1");
        let latest = Latest::new(interval, interval);
        assert_eq!(carried(&latest, &cable), None);
        // What one end receives, the other sends.
        count(&latest, "h2", 20, 1, 2);
        assert_eq!(
            carried(&latest, &cable),
            Some(([Some(8.0), Some(16.0)], 20))
        );
        // What is sent counts.
        count(&latest, "h1", 30, 3, 4);
        let both = Some(([Some(32.0), Some(16.0)], 20));
        assert_eq!(carried(&latest, &cable), both);
        let load = Load::of(&latest, &cable, Timestamp::from_second(30).unwrap());
        let link = cable.links.values().next().unwrap();
        let told = load.link(link).unwrap();
        assert_eq!(told.a_to_b.unwrap().utilisation, Some(0.032));
    }

    #[test]
    fn a_bridge_does_not_count_what_goes_through_it() {
        let interval = Duration::from_secs(10);
        let latest = Latest::new(interval, interval);
        count(&latest, "h1", 30, 1, 2);
        count(&latest, "h2", 30, 3, 4);
        assert_eq!(carried(&latest, &topology("h1:br0", "h2:br0")), None);
        let by_one = Some(([Some(24.0), Some(32.0)], 30));
        assert_eq!(carried(&latest, &topology("h1:br0", "h2:eth0")), by_one);
    }
}
