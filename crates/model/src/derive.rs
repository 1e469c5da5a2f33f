//! From reports to the graph.

use crate::{
    DeclaredLink, Domain, Host, HostId, HostInterface, HostInventory, HostReport, Link, LinkEnd,
    LinkId, LinkKind, LinkSource, LinkState, Member, Port, Router, RouterId, RouterState, Segment,
    Topology,
    cables::{Cable, Cables},
    ids::joined,
    segments::{Carrier, Wire, Wires},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

impl Topology {
    /// Derives the graph. The same reports and links give the same graph, in whichever order they
    /// come; of two reports with one id the later counts. A declared link that names a host
    /// without a report is left out; what hosts hear of each other by LLDP makes links, too, and where
    /// their VXLANs lead joins segments.
    ///
    /// A router that several hosts define is one router: on the host where it is active, else on
    /// one that answers, else on one where it runs, else on the first by id. So a live migration
    /// moves it once it runs at its target.
    ///
    /// Everything is derived anew each time: some microseconds a router, which a fleet of 10,000
    /// affords at every change.
    pub fn derive<'a>(
        reports: impl IntoIterator<Item = &'a HostReport>,
        declared: &[DeclaredLink],
    ) -> Self {
        let reports = reports_by_id(reports);
        let Wiring {
            hosts,
            cables,
            placed,
            mut wires,
            carriers,
        } = Wiring::of(&reports, declared);

        let known = wires.finish();
        let mut members: BTreeMap<usize, BTreeSet<Member>> = BTreeMap::new();
        let mut routers = BTreeMap::new();
        for (&id, &(inventory, domain)) in &placed {
            let mut segments = Vec::with_capacity(domain.interfaces.len());
            for (nic, carrier) in domain.interfaces.iter().zip(&carriers[&id]) {
                let wire = carrier.as_ref().map(|carrier| wires.wire_of(carrier));
                if let Some(wire) = wire {
                    let member = Member {
                        router: id,
                        mac: nic.mac,
                    };
                    members.entry(wire).or_default().insert(member);
                }
                segments.push(wire.and_then(|wire| Some(known.get(&wire)?.id.clone())));
            }
            let router = Router {
                host: inventory.host.clone(),
                migrating_to: None,
                domain: Arc::clone(domain),
                segments,
            };
            routers.insert(id, Arc::new(router));
        }

        let mut topology = Self {
            hosts,
            routers,
            ..Self::default()
        };
        for (number, members) in members {
            if let Some(wire) = known.get(&number) {
                topology.add_segment(wire, members);
            }
        }
        for cable in cables.all {
            topology.add_physical_link(cable);
        }
        topology
    }

    fn add_segment(&mut self, wire: &Wire, members: BTreeSet<Member>) {
        let mut hosts = wire.hosts.clone();
        hosts.extend(
            members
                .iter()
                .filter_map(|member| self.routers.get(&member.router))
                .map(|router| router.host.clone()),
        );
        let pair = match members.iter().collect::<Vec<_>>()[..] {
            // A router wired to itself is no link between two elements.
            [a, b] if a.router != b.router => Some((*a, *b)),
            _ => None,
        };
        let drawn = pair.is_none() && members.len() > 1;
        if let Some((a, b)) = pair {
            let state = self.member_state(&a).and(self.member_state(&b));
            self.add_virtual_link(LinkEnd::Router(a), LinkEnd::Router(b), wire, state);
        }
        if drawn {
            for member in &members {
                let state = self.member_state(member);
                let (a, b) = (LinkEnd::Router(*member), LinkEnd::Segment(wire.id.clone()));
                self.add_virtual_link(a, b, wire, state);
            }
        }
        let segment = Segment {
            id: wire.id.clone(),
            name: wire.name.clone(),
            kind: wire.kind,
            hosts,
            members,
            drawn,
        };
        self.segments.insert(wire.id.clone(), Arc::new(segment));
    }

    fn add_virtual_link(&mut self, a: LinkEnd, b: LinkEnd, wire: &Wire, state: LinkState) {
        let mut sources = BTreeSet::from([LinkSource::Libvirt]);
        // Within one host no tunnel is needed.
        let is_within = match (self.host_of(&a), self.host_of(&b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        };
        if !is_within {
            let hosts = [&a, &b].into_iter().filter_map(|end| self.host_of(end));
            let told = hosts.filter(|host| wire.by_vxlan.contains(*host));
            sources.extend(told.cloned().map(LinkSource::Vxlan));
        }
        let id = LinkId::of_ends("virtual", &end_text(&a), &end_text(&b));
        let link = Link {
            id: id.clone(),
            kind: LinkKind::Virtual,
            a,
            b,
            state,
            capacity_bits_per_second: None,
            latency_ns: None,
            segment: Some(wire.id.clone()),
            sources,
            conflict: None,
        };
        self.links.insert(id, Arc::new(link));
    }

    /// The host that a router's end of a link is on.
    fn host_of<'a>(&'a self, end: &'a LinkEnd) -> Option<&'a HostId> {
        match end {
            LinkEnd::Router(member) => Some(&self.routers.get(&member.router)?.host),
            LinkEnd::Host(port) => Some(&port.host),
            LinkEnd::Segment(_) => None,
        }
    }

    fn add_physical_link(&mut self, cable: Cable) {
        let state = self.port_state(&cable.a).and(self.port_state(&cable.b));
        // What is not declared is what the slower end can do.
        let speed = |port| interface(&self.hosts, port)?.speed_bits_per_second;
        let slower = || Some(speed(&cable.a)?.min(speed(&cable.b)?));
        let capacity = cable.capacity_bits_per_second.or_else(slower);
        let (a, b) = (LinkEnd::Host(cable.a), LinkEnd::Host(cable.b));
        let id = LinkId::of_ends("physical", &end_text(&a), &end_text(&b));
        let link = Link {
            id: id.clone(),
            kind: LinkKind::Physical,
            a,
            b,
            state,
            capacity_bits_per_second: capacity,
            latency_ns: cable.latency_ns,
            segment: None,
            sources: cable.sources,
            conflict: cable.conflict,
        };
        self.links.insert(id, Arc::new(link));
    }

    /// Whether frames get through a router's interface.
    fn member_state(&self, member: &Member) -> LinkState {
        let Some(router) = self.routers.get(&member.router) else {
            return LinkState::Unknown;
        };
        if !self.is_router_current(router) {
            return LinkState::Unknown;
        }
        let nic = (router.domain.interfaces.iter()).find(|nic| nic.mac == member.mac);
        let runs = match router.domain.state {
            RouterState::Running => LinkState::Up,
            RouterState::Unknown => LinkState::Unknown,
            _ => LinkState::Down,
        };
        runs.and(nic.map_or(LinkState::Unknown, |nic| nic.link))
    }

    fn port_state(&self, port: &Port) -> LinkState {
        if !self.is_current(&port.host) {
            return LinkState::Unknown;
        }
        interface(&self.hosts, port).map_or(LinkState::Unknown, |interface| interface.state)
    }
}

/// Of two reports with one id the later counts.
pub(crate) fn reports_by_id<'a>(
    reports: impl IntoIterator<Item = &'a HostReport>,
) -> BTreeMap<&'a HostId, &'a HostReport> {
    let reports = reports.into_iter();
    reports.map(|report| (&report.id, report)).collect()
}

/// What is wired to what.
pub(crate) struct Wiring<'a> {
    pub hosts: BTreeMap<HostId, Arc<Host>>,
    pub cables: Cables,
    pub placed: BTreeMap<RouterId, (&'a HostInventory, &'a Arc<Domain>)>,
    pub wires: Wires,
    /// What each interface of each router is on.
    pub carriers: BTreeMap<RouterId, Vec<Option<Carrier>>>,
}

impl<'a> Wiring<'a> {
    pub fn of(reports: &BTreeMap<&HostId, &'a HostReport>, declared: &[DeclaredLink]) -> Self {
        let mut cables = Cables::of(reports, declared);
        let hosts: BTreeMap<_, _> = reports
            .values()
            .map(|report| (report.id.clone(), Arc::new(host(report, &mut cables))))
            .collect();
        let placed = place(reports);
        let mut wires = Wires::default();
        for inventory in reports.values().filter_map(|r| r.inventory.as_deref()) {
            wires.add_inventory(inventory);
        }
        for report in reports.values() {
            wires.add_vxlans(&report.id, &report.vxlans);
        }
        for cable in cables.all.iter().filter(|cable| cable.joins()) {
            wires.add_cable(cable, |port| {
                interface(&hosts, port).is_some_and(|i| i.kind == "bridge")
            });
        }
        let mut carriers = BTreeMap::new();
        for (&id, &(inventory, domain)) in &placed {
            let on: Vec<_> = (domain.interfaces.iter())
                .map(|nic| wires.attach(inventory, nic))
                .collect();
            carriers.insert(id, on);
        }
        Self {
            hosts,
            cables,
            placed,
            wires,
            carriers,
        }
    }
}

/// Decides which host's definition of each router counts.
fn place<'a>(
    reports: &BTreeMap<&HostId, &'a HostReport>,
) -> BTreeMap<RouterId, (&'a HostInventory, &'a Arc<Domain>)> {
    let mut placed: BTreeMap<RouterId, _> = BTreeMap::new();
    // By id, so that of two equals the first stays.
    for report in reports.values() {
        let Some(inventory) = report.inventory.as_deref() else {
            continue;
        };
        for (id, domain) in &inventory.domains {
            // While it moves, it runs at one end and is paused at the other.
            let rank = Reverse((
                domain.state.is_active(),
                report.is_current(domain),
                domain.state == RouterState::Running,
            ));
            let better = placed.get(id).is_none_or(|(before, _, _)| rank < *before);
            if better {
                placed.insert(*id, (rank, inventory, domain));
            }
        }
    }
    placed
        .into_iter()
        .map(|(id, (_, inventory, domain))| (id, (inventory, domain)))
        .collect()
}

fn host(report: &HostReport, cables: &mut Cables) -> Host {
    let inventory = report.inventory.as_deref();
    let mut interfaces: BTreeMap<String, HostInterface> = inventory
        .into_iter()
        .flat_map(|inventory| &inventory.interfaces)
        .map(|interface| (interface.name.clone(), interface.clone()))
        .collect();
    for name in cables.interfaces(&report.id) {
        interfaces
            .entry(name.to_owned())
            .or_insert_with(|| HostInterface {
                name: name.to_owned(),
                kind: "ethernet".to_owned(),
                mac: None,
                state: LinkState::Unknown,
                ports: Vec::new(),
                speed_bits_per_second: None,
            });
    }
    Host {
        id: report.id.clone(),
        name: report.name.clone(),
        site: report.site.clone(),
        origin: report.origin,
        maintenance: report.maintenance.clone(),
        endpoints: report.endpoints.clone(),
        contact: report.contact(),
        message: report.message(),
        node: inventory.map(|i| i.node.clone()).unwrap_or_default(),
        interfaces: interfaces.into_values().collect(),
        neighbors: cables.strangers.remove(&report.id).unwrap_or_default(),
    }
}

fn interface<'a>(hosts: &'a BTreeMap<HostId, Arc<Host>>, port: &Port) -> Option<&'a HostInterface> {
    (hosts.get(&port.host)?.interfaces.iter()).find(|i| i.name == port.interface)
}

fn end_text(end: &LinkEnd) -> String {
    match end {
        LinkEnd::Host(port) => joined(&[port.host.as_str(), &port.interface], '/'),
        LinkEnd::Router(member) => format!("{}/{}", member.router, member.mac),
        LinkEnd::Segment(id) => id.to_string(),
    }
}
