//! From the model to what pilots are told: the one place where both are known.

use crate::{
    discovery::Snapshot,
    fleet::{EndpointTimes, HostTimes},
};
use api::Timestamp;
use model::{Attachment, LinkEnd, RouterId, Topology};
use std::{collections::BTreeMap, str::FromStr, sync::Arc};

/// A topology, and when each host was heard of last.
pub(crate) struct View {
    pub snapshot: Arc<Snapshot>,
    /// When what each host tells was true.
    pub times: BTreeMap<model::HostId, HostTimes>,
    /// When the declared links were read.
    pub declared: Timestamp,
}

impl View {
    pub fn topology(&self) -> &Topology {
        &self.snapshot.topology
    }

    /// How current every host's data is.
    pub fn sources(&self) -> Vec<api::HostFreshness> {
        let hosts = self.topology().hosts.values();
        hosts.map(|host| self.freshness(host)).collect()
    }

    /// How current the data of a router's endpoint is.
    pub fn source(&self, router: &model::Router) -> api::HostFreshness {
        match self.topology().hosts.get(&router.host) {
            Some(host) => api::HostFreshness {
                current: self.topology().is_router_current(router),
                as_of: self.endpoint(router).and_then(|endpoint| endpoint.last),
                ..self.freshness(host)
            },
            // Routers come from registered hosts' reports only; were it otherwise, nothing would
            // be known of the host.
            None => api::HostFreshness {
                host: id(&router.host),
                state: api::HostState::Unreachable,
                current: false,
                as_of: None,
            },
        }
    }

    fn freshness(&self, host: &model::Host) -> api::HostFreshness {
        api::HostFreshness {
            host: id(&host.id),
            state: contact(host.contact),
            current: host.contact.is_current(),
            as_of: self.heard(&host.id),
        }
    }

    /// A host, and how current its data is.
    pub fn host_of(&self, id: &model::HostId) -> Option<(api::HostFreshness, api::Host)> {
        let host = self.topology().hosts.get(id)?;
        let routers = self.topology().routers.values();
        let here: Vec<_> = routers.filter(|router| router.host == *id).collect();
        let running = here.iter().filter(|router| is_running(router)).count();
        let counts = (here.len() as u32, running as u32);
        Some((self.freshness(host), self.host(host, counts)))
    }

    /// When a host was heard of last, by any of its endpoints.
    fn heard(&self, host: &model::HostId) -> Option<Timestamp> {
        let endpoints = self.times.get(host)?.endpoints.iter();
        endpoints.filter_map(|endpoint| endpoint.last).max()
    }

    /// When a host's interfaces were asked for last.
    fn interfaces_asked(&self, host: &model::HostId) -> Option<Timestamp> {
        let endpoints = self.times.get(host)?.endpoints.iter();
        endpoints.filter_map(|endpoint| endpoint.interfaces).max()
    }

    /// The endpoint that a router is seen through.
    fn endpoint(&self, router: &model::Router) -> Option<&EndpointTimes> {
        let mut endpoints = self.times.get(&router.host)?.endpoints.iter();
        endpoints.find(|endpoint| endpoint.driver == router.domain.driver)
    }

    pub fn hosts(&self) -> Vec<api::Host> {
        let mut counts: BTreeMap<&model::HostId, (u32, u32)> = BTreeMap::new();
        for router in self.topology().routers.values() {
            let (all, running) = counts.entry(&router.host).or_default();
            *all += 1;
            *running += u32::from(is_running(router));
        }
        let hosts = self.topology().hosts.values();
        hosts
            .map(|host| self.host(host, counts.get(&host.id).copied().unwrap_or_default()))
            .collect()
    }

    fn host(&self, host: &model::Host, (routers, running_routers): (u32, u32)) -> api::Host {
        let node = &host.node;
        let asked = self.interfaces_asked(&host.id);
        api::Host {
            id: id(&host.id),
            name: host.name.clone(),
            site: host.site.clone(),
            state: contact(host.contact),
            message: host.message.clone(),
            maintenance: host.maintenance.is_some(),
            maintenance_reason: (host.maintenance.as_ref())
                .and_then(|maintenance| maintenance.reason.clone()),
            as_of: self.heard(&host.id),
            origin: match host.origin {
                model::Origin::Configured => api::HostOrigin::Configured,
                model::Origin::Registered => api::HostOrigin::Registered,
            },
            endpoints: host
                .endpoints
                .iter()
                .map(|endpoint| api::Endpoint {
                    driver: driver(endpoint.driver),
                    uri: endpoint.uri.clone(),
                    state: contact(endpoint.contact),
                    message: endpoint.message.clone(),
                })
                .collect(),
            hostname: node.hostname.clone(),
            uuid: node.uuid.map(|uuid| uuid.to_string()),
            cpu_model: node.cpu_model.clone(),
            cpus: node.cpus,
            memory_bytes: node.memory_bytes,
            hypervisor: node.hypervisor.clone(),
            routers,
            running_routers,
            interfaces: host
                .interfaces
                .iter()
                .map(|interface| api::HostInterface {
                    name: interface.name.clone(),
                    kind: interface.kind.clone(),
                    mac: interface.mac.map(mac),
                    state: link_state(interface.state),
                    ports: interface.ports.clone(),
                    as_of: asked.filter(|_| interface.state != model::LinkState::Unknown),
                    speed_bits_per_second: interface.speed_bits_per_second,
                    neighbors: (host.neighbors.iter())
                        .filter(|neighbor| neighbor.interface == interface.name)
                        .map(neighbor)
                        .collect(),
                })
                .collect(),
        }
    }

    pub fn router(&self, router: &model::Router) -> api::Router {
        let domain = &router.domain;
        let endpoint = self.endpoint(router);
        let never = Timestamp::UNIX_EPOCH;
        let read = endpoint.and_then(|of| of.read.get(&domain.id).copied().max(of.listed));
        let link_as_of = read.unwrap_or(never);
        api::Router {
            id: router_id(domain.id),
            name: domain.name.clone(),
            title: domain.title.clone(),
            host: id(&router.host),
            migrating_to: router.migrating_to.as_ref().map(id),
            driver: driver(domain.driver),
            state: router_state(domain.state),
            message: domain.message.clone(),
            current: self.topology().is_router_current(router),
            as_of: endpoint.and_then(|of| of.last).unwrap_or(never),
            virtual_network: domain.virtual_network.clone(),
            tags: domain.tags.clone(),
            vcpus: domain.vcpus,
            memory_bytes: domain.memory_bytes,
            autostart: domain.autostart,
            persistent: domain.persistent,
            interfaces: domain
                .interfaces
                .iter()
                .zip(&router.segments)
                .map(|(nic, segment)| {
                    let (kind, source) = attachment(&nic.attachment);
                    api::RouterInterface {
                        mac: mac(nic.mac),
                        kind,
                        source,
                        device: nic.device.clone(),
                        model: nic.model.clone(),
                        link: link_state(nic.link),
                        link_as_of,
                        addresses: nic.addresses.clone(),
                        segment: segment.as_ref().map(id),
                    }
                })
                .collect(),
            disks: domain
                .disks
                .iter()
                .map(|disk| api::Disk {
                    target: disk.target.clone(),
                    device: disk.device.clone(),
                    source: disk.source.clone(),
                    format: disk.format.clone(),
                })
                .collect(),
            image: domain.image.map(api::ImageId),
        }
    }

    /// The topology as it is told, at `as_of`.
    pub fn topology_reply(
        &self,
        view: api::TopologyView,
        as_of: Timestamp,
    ) -> api::GetTopologyReply {
        let topology = self.topology();
        let physical = view != api::TopologyView::Virtual;
        let of_routers = view != api::TopologyView::Physical;
        let mut reply = api::GetTopologyReply {
            as_of,
            sources: self.sources(),
            version: self.snapshot.version,
            view,
            hosts: Vec::new(),
            routers: Vec::new(),
            segments: Vec::new(),
            links: Vec::new(),
        };
        if physical {
            reply.hosts = self.hosts();
        }
        if of_routers {
            reply.routers = topology.routers.values().map(|r| self.router(r)).collect();
            reply.segments = topology.segments.values().map(|s| segment(s)).collect();
        }
        let wanted = |kind| match kind {
            model::LinkKind::Physical => physical,
            model::LinkKind::Virtual => of_routers,
        };
        let links = topology.links.values().filter(|link| wanted(link.kind));
        reply.links = links.map(|link| self.link(link)).collect();
        reply
    }

    fn link(&self, link: &model::Link) -> api::Link {
        api::Link {
            id: id(&link.id),
            kind: link_kind(link.kind),
            a: link_end(&link.a),
            b: link_end(&link.b),
            state: link_state(link.state),
            capacity_bits_per_second: link.capacity_bits_per_second,
            latency_seconds: link.latency_ns.map(seconds),
            segment: link.segment.as_ref().map(id),
            sources: (link.sources.iter())
                .map(|source| self.link_source(link, source))
                .collect(),
            conflict: link.conflict.clone(),
        }
    }

    fn link_source(&self, link: &model::Link, source: &model::LinkSource) -> api::LinkSource {
        let (kind, said, host) = match source {
            model::LinkSource::Declared => (api::LinkSourceKind::Declared, None, None),
            model::LinkSource::Libvirt => {
                // As old as the older end.
                let ends = [&link.a, &link.b].into_iter();
                let said = ends.filter_map(|end| self.seen(end)).min();
                (api::LinkSourceKind::Libvirt, said, None)
            }
            model::LinkSource::Lldp(host) => {
                let said = self.times.get(host).and_then(|times| times.neighbors);
                (api::LinkSourceKind::Lldp, said, Some(id(host)))
            }
            model::LinkSource::Vxlan(host) => {
                let said = self.times.get(host).and_then(|times| times.vxlans);
                (api::LinkSourceKind::Vxlan, said, Some(id(host)))
            }
        };
        api::LinkSource {
            kind,
            as_of: said.unwrap_or(self.declared),
            host,
        }
    }

    fn seen(&self, end: &LinkEnd) -> Option<Timestamp> {
        match end {
            LinkEnd::Host(port) => self.heard(&port.host),
            LinkEnd::Router(member) => {
                let router = self.topology().routers.get(&member.router)?;
                self.endpoint(router)?.last
            }
            LinkEnd::Segment(_) => None,
        }
    }
}

/// Nanoseconds as seconds.
pub(crate) fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

fn is_running(router: &model::Router) -> bool {
    router.domain.state == model::RouterState::Running
}

/// The changes of one version.
pub(crate) fn changes(described: Vec<model::Described>) -> Vec<api::TopologyChange> {
    described
        .into_iter()
        .map(|described| api::TopologyChange {
            element: match described.element {
                model::ElementKind::Host => api::ElementKind::Host,
                model::ElementKind::Router => api::ElementKind::Router,
                model::ElementKind::Segment => api::ElementKind::Segment,
                model::ElementKind::Link => api::ElementKind::Link,
            },
            id: described.id,
            change: match described.change {
                model::ChangeKind::Added => api::ChangeKind::Added,
                model::ChangeKind::Removed => api::ChangeKind::Removed,
                model::ChangeKind::Changed => api::ChangeKind::Changed,
            },
            summary: described.sentence,
        })
        .collect()
}

/// The model's ids keep the rules of the api's: those of hosts were api ids at registration, those
/// of segments and links are made short and without blanks.
pub(crate) fn id<T: FromStr>(id: &impl ToString) -> T {
    let id = id.to_string().parse().ok();
    id.expect("the model makes ids without blanks of 1 to 256 bytes")
}

pub(crate) fn host_id(id: &api::HostId) -> model::HostId {
    model::HostId::new(id.as_str())
}

pub(crate) fn router_id(id: RouterId) -> api::RouterId {
    api::RouterId(id.0)
}

pub(crate) fn mac(mac: model::Mac) -> api::MacAddress {
    api::MacAddress(mac.0)
}

fn neighbor(neighbor: &model::Neighbor) -> api::Neighbor {
    api::Neighbor {
        system: neighbor.system.clone(),
        chassis: neighbor.chassis.clone(),
        port: neighbor.port.clone(),
        mac: neighbor.mac.map(mac),
    }
}

fn segment(segment: &model::Segment) -> api::Segment {
    api::Segment {
        id: id(&segment.id),
        name: segment.name.clone(),
        kind: match segment.kind {
            model::SegmentKind::Bridge => api::SegmentKind::Bridge,
            model::SegmentKind::Network => api::SegmentKind::Network,
            model::SegmentKind::Tunnel => api::SegmentKind::Tunnel,
            model::SegmentKind::Multicast => api::SegmentKind::Multicast,
            model::SegmentKind::Direct => api::SegmentKind::Direct,
        },
        hosts: segment.hosts.iter().map(id).collect(),
        members: segment.members.iter().map(member).collect(),
        drawn: segment.drawn,
    }
}

fn member(member: &model::Member) -> api::LinkEnd {
    api::LinkEnd {
        host: None,
        router: Some(router_id(member.router)),
        segment: None,
        interface: Some(member.mac.to_string()),
    }
}

fn link_end(end: &LinkEnd) -> api::LinkEnd {
    match end {
        LinkEnd::Host(port) => api::LinkEnd {
            host: Some(id(&port.host)),
            router: None,
            segment: None,
            interface: Some(port.interface.clone()),
        },
        LinkEnd::Router(of) => member(of),
        LinkEnd::Segment(segment) => api::LinkEnd {
            host: None,
            router: None,
            segment: Some(id(segment)),
            interface: None,
        },
    }
}

fn attachment(attachment: &Attachment) -> (api::InterfaceKind, Option<String>) {
    use api::InterfaceKind as Kind;
    match attachment {
        Attachment::Bridge(name) => (Kind::Bridge, Some(name.clone())),
        Attachment::Network(name) => (Kind::Network, Some(name.clone())),
        Attachment::Direct(device) => (Kind::Direct, Some(device.clone())),
        Attachment::Udp { local, remote } => {
            let end = |end: &Option<String>| end.clone().unwrap_or_else(|| "?".to_owned());
            let ends = format!("{} → {}", end(local), end(remote));
            (Kind::Udp, Some(ends))
        }
        Attachment::Tcp(address) => (Kind::Tcp, address.clone()),
        Attachment::Multicast(group) => (Kind::Multicast, group.clone()),
        Attachment::User => (Kind::User, None),
        Attachment::Ethernet => (Kind::Ethernet, None),
        Attachment::Other(kind) => (Kind::Other, Some(kind.clone())),
    }
}

pub(crate) fn contact(contact: model::Contact) -> api::HostState {
    match contact {
        model::Contact::Connecting => api::HostState::Connecting,
        model::Contact::Online => api::HostState::Online,
        model::Contact::Degraded => api::HostState::Degraded,
        model::Contact::Unreachable => api::HostState::Unreachable,
    }
}

pub(crate) fn driver(driver: model::Driver) -> api::Driver {
    match driver {
        model::Driver::Qemu => api::Driver::Qemu,
        model::Driver::Xen => api::Driver::Xen,
        model::Driver::Lxc => api::Driver::Lxc,
        model::Driver::Test => api::Driver::Test,
    }
}

pub(crate) fn link_kind(kind: model::LinkKind) -> api::LinkKind {
    match kind {
        model::LinkKind::Physical => api::LinkKind::Physical,
        model::LinkKind::Virtual => api::LinkKind::Virtual,
    }
}

pub(crate) fn link_state(state: model::LinkState) -> api::LinkState {
    match state {
        model::LinkState::Up => api::LinkState::Up,
        model::LinkState::Down => api::LinkState::Down,
        model::LinkState::Unknown => api::LinkState::Unknown,
    }
}

pub(crate) fn router_state(state: model::RouterState) -> api::RouterState {
    match state {
        model::RouterState::Running => api::RouterState::Running,
        model::RouterState::Suspended => api::RouterState::Suspended,
        model::RouterState::ShuttingDown => api::RouterState::ShuttingDown,
        model::RouterState::ShutOff => api::RouterState::ShutOff,
        model::RouterState::Crashed => api::RouterState::Crashed,
        model::RouterState::Unknown => api::RouterState::Unknown,
    }
}
