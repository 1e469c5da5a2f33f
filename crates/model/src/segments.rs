//! Who is in which L2 broadcast domain: union-find over everything that carries frames.
//!
//! A *carrier* is one thing that carries frames: a bridge, a network, an interface of a host, a
//! tunnel's end, a multicast group. Reports say which carriers are one wire; what is left apart is
//! a segment each. Names alone never join anything: every carrier but those with an address on
//! the network belongs to one host.
//!
//! ```text
//! r1 ─ bridge br-blue ─ device vx42 ─┐              alpha
//!                                    VXLAN 42, port 4789, 239.200.0.42
//! r2 ─ bridge br-blue ─ device vx42 ─┘              beta
//! ```

use crate::{
    Attachment, HostId, HostInventory, Nic, Port, SegmentId, SegmentKind, Vxlan, VxlanReach,
    cables::Cable, ids::joined,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};
use uuid::Uuid;

/// Something that carries frames. The order of the variants decides which of a segment's carriers
/// names it; a VXLAN, where there is one, gives it its id: whichever hosts come and go, it stays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Carrier {
    Bridge(HostId, String),
    Device(HostId, String),
    Multicast(String),
    Network(HostId, Uuid),
    Tcp(Scope, String),
    Udp {
        scope: Scope,
        local: String,
        remote: String,
    },
    Vxlan {
        id: u32,
        port: u16,
        /// Where its ends meet: the group, or the addresses of both.
        at: String,
    },
}

/// Where an address means the same: anywhere, or on one host only (loopback, and the wildcards
/// `0.0.0.0` and `::`, which are whatever addresses that host has).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    Everywhere,
    Host(HostId),
}

impl Scope {
    fn of(host: &HostId, addresses: &[&str]) -> Self {
        let is_of_host = |text: &&str| {
            text.starts_with("localhost:")
                || text.parse::<SocketAddr>().is_ok_and(|address| {
                    address.ip().is_loopback() || address.ip().is_unspecified()
                })
        };
        if addresses.iter().any(is_of_host) {
            Self::Host(host.clone())
        } else {
            Self::Everywhere
        }
    }

    fn host(&self) -> Option<&HostId> {
        match self {
            Self::Everywhere => None,
            Self::Host(host) => Some(host),
        }
    }
}

impl Carrier {
    pub fn host(&self) -> Option<&HostId> {
        match self {
            Self::Bridge(host, _) | Self::Device(host, _) | Self::Network(host, _) => Some(host),
            Self::Tcp(scope, _) | Self::Udp { scope, .. } => scope.host(),
            Self::Multicast(_) | Self::Vxlan { .. } => None,
        }
    }

    /// What an end of a VXLAN leads to: its group, or what it has in common with each other end
    /// that lists it as well.
    fn of_vxlan(vxlan: &Vxlan) -> Vec<Self> {
        let carrier = |at| Self::Vxlan {
            id: vxlan.id,
            port: vxlan.port,
            at,
        };
        match &vxlan.reach {
            VxlanReach::Group(group) => vec![carrier(group.to_string())],
            VxlanReach::Peers { local, remotes } => {
                let between = |remote| {
                    let ends = [local.min(remote), local.max(remote)];
                    let [a, b] = ends.map(ToString::to_string);
                    carrier(joined(&[&a, &b], '-'))
                };
                remotes.iter().map(between).collect()
            }
        }
    }

    fn id(&self) -> SegmentId {
        let scope = |scope: &Scope| scope.host().map_or("*", HostId::as_str).to_owned();
        match self {
            Self::Bridge(host, name) => SegmentId::of_parts(&["bridge", host.as_str(), name]),
            Self::Device(host, name) => SegmentId::of_parts(&["device", host.as_str(), name]),
            Self::Multicast(group) => SegmentId::of_parts(&["multicast", group]),
            Self::Network(host, id) => {
                SegmentId::of_parts(&["network", host.as_str(), &id.to_string()])
            }
            Self::Tcp(of, address) => SegmentId::of_parts(&["tcp", &scope(of), address]),
            Self::Udp {
                scope: of,
                local,
                remote,
            } => {
                // The same whichever end is known.
                let (a, b) = if local < remote {
                    (local, remote)
                } else {
                    (remote, local)
                };
                SegmentId::of_parts(&["udp", &scope(of), &joined(&[a, b], '-')])
            }
            Self::Vxlan { id, port, at } => {
                SegmentId::of_parts(&["vxlan", &id.to_string(), &port.to_string(), at])
            }
        }
    }

    fn kind(&self) -> SegmentKind {
        match self {
            Self::Bridge(..) => SegmentKind::Bridge,
            Self::Device(..) => SegmentKind::Direct,
            Self::Multicast(_) => SegmentKind::Multicast,
            Self::Network(..) => SegmentKind::Network,
            Self::Tcp(..) | Self::Udp { .. } | Self::Vxlan { .. } => SegmentKind::Tunnel,
        }
    }
}

/// What a finished segment looks like, apart from its members.
pub(crate) struct Wire {
    pub id: SegmentId,
    pub name: String,
    pub kind: SegmentKind,
    pub hosts: BTreeSet<HostId>,
    /// Those of them that say that it leads elsewhere by VXLAN, and to whom another says so, too.
    pub by_vxlan: BTreeSet<HostId>,
}

/// The carriers met so far and which of them are one wire.
#[derive(Default)]
pub(crate) struct Wires {
    numbers: BTreeMap<Carrier, usize>,
    parents: Vec<usize>,
    network_names: BTreeMap<(HostId, Uuid), String>,
    vxlan_hosts: BTreeMap<Carrier, BTreeSet<HostId>>,
}

impl Wires {
    /// Joins what one host reports to be joined: the ports of its bridges, and its networks with
    /// what carries them.
    pub fn add_inventory(&mut self, inventory: &HostInventory) {
        let host = &inventory.host;
        for interface in &inventory.interfaces {
            // A bond is one interface made of several: its ports lead to the same wire too.
            let of = match interface.kind.as_str() {
                "bridge" => Carrier::Bridge(host.clone(), interface.name.clone()),
                "bond" => Carrier::Device(host.clone(), interface.name.clone()),
                _ => continue,
            };
            for port in &interface.ports {
                self.join(&of, &Carrier::Device(host.clone(), port.clone()));
            }
        }
        for network in &inventory.networks {
            self.network_names
                .insert((host.clone(), network.id), network.name.clone());
            let of = Carrier::Network(host.clone(), network.id);
            if let Some(bridge) = &network.bridge {
                self.join(&of, &Carrier::Bridge(host.clone(), bridge.clone()));
            } else if let Some(device) = &network.device {
                self.join(&of, &Carrier::Device(host.clone(), device.clone()));
            }
        }
    }

    /// Joins what leads into one VXLAN.
    pub fn add_vxlans(&mut self, host: &HostId, vxlans: &[Vxlan]) {
        for vxlan in vxlans {
            let end = Carrier::Device(host.clone(), vxlan.interface.clone());
            for carrier in Carrier::of_vxlan(vxlan) {
                self.join(&end, &carrier);
                let hosts = self.vxlan_hosts.entry(carrier).or_default();
                hosts.insert(host.clone());
            }
        }
    }

    /// Joins the two ends of a physical link. `is_bridge` tells whether a host's interface is one.
    pub fn add_cable(&mut self, cable: &Cable, is_bridge: impl Fn(&Port) -> bool) {
        let [a, b] = [&cable.a, &cable.b].map(|port| {
            let (host, name) = (port.host.clone(), port.interface.clone());
            if is_bridge(port) {
                Carrier::Bridge(host, name)
            } else {
                Carrier::Device(host, name)
            }
        });
        self.join(&a, &b);
    }

    /// Adds a router's interface and tells the carrier that it is on, if it is on any.
    pub fn attach(&mut self, inventory: &HostInventory, nic: &Nic) -> Option<Carrier> {
        let host = &inventory.host;
        let carrier = match &nic.attachment {
            Attachment::Bridge(name) => Carrier::Bridge(host.clone(), name.clone()),
            Attachment::Network(name) => {
                // Names are unique on one host, and resolved there and nowhere else.
                let network = inventory.networks.iter().find(|n| n.name == *name)?;
                Carrier::Network(host.clone(), network.id)
            }
            Attachment::Direct(device) => Carrier::Device(host.clone(), device.clone()),
            Attachment::Udp {
                local: Some(local),
                remote: Some(remote),
            } => {
                let scope = Scope::of(host, &[local, remote]);
                let end = |local: &String, remote: &String| Carrier::Udp {
                    scope: scope.clone(),
                    local: local.clone(),
                    remote: remote.clone(),
                };
                let carrier = end(local, remote);
                self.join(&carrier, &end(remote, local));
                carrier
            }
            Attachment::Tcp(Some(address)) => {
                Carrier::Tcp(Scope::of(host, &[address]), address.clone())
            }
            Attachment::Multicast(Some(group)) => Carrier::Multicast(group.clone()),
            Attachment::Ethernet => {
                // Something else wires it: known only if that put it on a bridge.
                let device = nic.device.as_ref()?;
                let bridge = (inventory.interfaces.iter())
                    .find(|i| i.kind == "bridge" && i.ports.contains(device))?;
                Carrier::Bridge(host.clone(), bridge.name.clone())
            }
            _ => return None,
        };
        self.number(&carrier);
        Some(carrier)
    }

    /// The number of the wire that a carrier is part of.
    pub fn wire_of(&mut self, carrier: &Carrier) -> usize {
        let number = self.number(carrier);
        self.root(number)
    }

    /// What every wire is called, by its number.
    pub fn finish(&mut self) -> BTreeMap<usize, Wire> {
        let mut carriers: BTreeMap<usize, Vec<Carrier>> = BTreeMap::new();
        for (carrier, number) in self.numbers.clone() {
            carriers.entry(self.root(number)).or_default().push(carrier);
        }
        let wire = |carriers: Vec<Carrier>| {
            let hosts: BTreeSet<_> = carriers.iter().filter_map(Carrier::host).cloned().collect();
            let first = carriers.first()?;
            let vxlans = carriers.iter().filter_map(|carrier| {
                let hosts = self.vxlan_hosts.get(carrier)?;
                Some((carrier, hosts))
            });
            let by_vxlan = vxlans.clone().filter(|(_, hosts)| hosts.len() > 1);
            let by_vxlan = by_vxlan.flat_map(|(_, hosts)| hosts.iter().cloned());
            let names_it = vxlans.map(|(carrier, _)| carrier).next().unwrap_or(first);
            let has_network = carriers.iter().any(|c| c.kind() == SegmentKind::Network);
            let kind = if has_network && hosts.len() < 2 {
                SegmentKind::Network
            } else {
                first.kind()
            };
            Some(Wire {
                id: names_it.id(),
                name: self.name(&carriers, kind),
                kind,
                by_vxlan: by_vxlan.collect(),
                hosts,
            })
        };
        carriers
            .into_iter()
            .filter_map(|(number, carriers)| Some((number, wire(carriers)?)))
            .collect()
    }

    /// What people call it: the names of those carriers that are of its kind, each once.
    fn name(&self, carriers: &[Carrier], kind: SegmentKind) -> String {
        let names: BTreeSet<String> = carriers
            .iter()
            .filter(|carrier| carrier.kind() == kind)
            .map(|carrier| match carrier {
                Carrier::Bridge(_, name) | Carrier::Device(_, name) => name.clone(),
                Carrier::Multicast(address) | Carrier::Tcp(_, address) => address.clone(),
                Carrier::Network(host, id) => self
                    .network_names
                    .get(&(host.clone(), *id))
                    .map_or_else(|| id.to_string(), Clone::clone),
                Carrier::Udp { local, remote, .. } => {
                    format!("{} ↔ {}", local.min(remote), local.max(remote))
                }
                Carrier::Vxlan { id, .. } => format!("VXLAN {id}"),
            })
            .collect();
        let mut text = names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        if names.len() > 3 {
            text.push_str(", …");
        }
        text
    }

    fn number(&mut self, carrier: &Carrier) -> usize {
        if let Some(&number) = self.numbers.get(carrier) {
            return number;
        }
        let number = self.parents.len();
        self.parents.push(number);
        self.numbers.insert(carrier.clone(), number);
        number
    }

    fn root(&mut self, mut number: usize) -> usize {
        while self.parents[number] != number {
            // Path halving keeps the trees flat.
            self.parents[number] = self.parents[self.parents[number]];
            number = self.parents[number];
        }
        number
    }

    fn join(&mut self, a: &Carrier, b: &Carrier) {
        let (a, b) = (self.number(a), self.number(b));
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }
}
