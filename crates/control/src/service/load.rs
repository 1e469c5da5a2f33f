//! What everything uses and carries now, from the latest measurements; no host is asked.

use super::{State, hosts, paths::Underlays, translate};
use api::{
    Flow, GetLoadReply, GetLoadRequest, HostLoad, HostUse, LinkUse, RouterMeasurement, RouterUse,
    Timestamp, TopologyView,
};
use model::{LinkEnd, LinkId, LinkKind, Member, RouterId, Topology};
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
    let load = Load::of(state, topology, Timestamp::now());
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
    pub fn of(state: &State, topology: &'a Topology, now: Timestamp) -> Self {
        let routers: BTreeMap<_, _> = (topology.routers.iter())
            .filter_map(|(id, router)| Some((*id, state.latest.of(router, now)?)))
            .collect();
        let mut load = Self {
            now,
            routers,
            links: HashMap::new(),
        };
        for link in topology.links.values() {
            if let Some(traffic) = load.virtual_traffic(link) {
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

    /// A virtual link carries what the routers at its ends count. No counter of a host's own
    /// interfaces is sampled, so nothing is known of a physical one.
    fn virtual_traffic(&self, link: &model::Link) -> Option<Traffic> {
        let (a, b) = (self.counted(&link.a), self.counted(&link.b));
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

    fn counted(&self, end: &LinkEnd) -> Option<Counted> {
        let LinkEnd::Router(Member { router, mac }) = end else {
            return None;
        };
        let measured = self.routers.get(router)?;
        let mac = translate::mac(*mac);
        let interface = measured.interfaces.iter().find(|of| of.mac == mac)?;
        Some(Counted {
            at: measured.at,
            simulated: measured.simulated,
            sent: interface.transmitted_bits_per_second,
            received: interface.received_bits_per_second,
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

/// What a router's interface counts, in bits a second.
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
