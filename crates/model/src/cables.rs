//! Which physical links there are, by all who say so: operators who declare them, and the hosts at
//! their ends, which hear each other by LLDP.
//!
//! ```text
//! declared ─────────────────────────┐
//! alpha hears beta's MAC on eth1 ───┼──► one cable alpha eth1 – beta eth2, said by all three
//! beta hears alpha's MAC on eth2 ───┘
//!
//! gamma hears leaf-3 on eth0 ───────────► no cable: a neighbour of gamma that is no host of ours
//! ```
//!
//! What contradicts each other is kept side by side, each cable with a sentence that says what
//! speaks against it. Nobody is believed more than others, but for one thing: a declared cable that
//! LLDP contradicts joins no segments.

use crate::{
    DeclaredLink, HostId, HostReport, LinkSource, Mac, Neighbor, Port, topology::is_believed,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

/// A physical link.
pub(crate) struct Cable {
    /// The smaller end.
    pub a: Port,
    /// The greater end.
    pub b: Port,
    pub sources: BTreeSet<LinkSource>,
    /// As declared, in bits a second, each way.
    pub capacity_bits_per_second: Option<u64>,
    /// As declared.
    pub latency_ns: Option<u64>,
    /// What speaks against it, in sentences.
    pub conflict: Option<String>,
}

impl Cable {
    /// Whether frames are taken to get through.
    pub fn joins(&self) -> bool {
        is_believed(&self.sources, self.conflict.as_deref())
    }
}

/// All that is known of physical links.
#[derive(Default)]
pub(crate) struct Cables {
    /// By their sorted ends.
    pub all: Vec<Cable>,
    /// The neighbours of each host that are no host of ours.
    pub strangers: BTreeMap<HostId, Vec<Neighbor>>,
}

impl Cables {
    /// Puts together what is declared between these hosts and what they hear.
    pub fn of(reports: &BTreeMap<&HostId, &HostReport>, declared: &[DeclaredLink]) -> Self {
        let directory = Directory::of(reports.values().copied());
        let mut cables: BTreeMap<(Port, Port), Cable> = BTreeMap::new();
        let (mut says, mut hears) = (Leads::default(), Leads::default());
        for link in declared {
            let ends = [&link.a, &link.b];
            if ends.iter().any(|end| !reports.contains_key(&end.host)) {
                continue;
            }
            let cable = cable(&mut cables, &link.a, &link.b);
            cable.sources.insert(LinkSource::Declared);
            // Declared twice, with a capacity once: the order must not decide.
            let capacity = &mut cable.capacity_bits_per_second;
            *capacity = link.capacity_bits_per_second.max(*capacity);
            cable.latency_ns = link.latency_ns.max(cable.latency_ns);
            says.add(&link.a, link.b.to_string());
            says.add(&link.b, link.a.to_string());
        }
        let mut strangers: BTreeMap<HostId, Vec<Neighbor>> = BTreeMap::new();
        for report in reports.values() {
            for neighbor in &report.neighbors {
                let here = Port {
                    host: report.id.clone(),
                    interface: neighbor.interface.clone(),
                };
                match directory.find(neighbor) {
                    // A host that hears itself has a cable that connects nothing.
                    Some(there) if there.host == here.host => {}
                    Some(there) => {
                        let source = LinkSource::Lldp(report.id.clone());
                        cable(&mut cables, &here, &there).sources.insert(source);
                        hears.add(&here, there.to_string());
                    }
                    None => {
                        hears.add(&here, neighbor.to_string());
                        let of_host = strangers.entry(report.id.clone()).or_default();
                        of_host.push(neighbor.clone());
                    }
                }
            }
        }
        let mut all: Vec<_> = cables.into_values().collect();
        for cable in &mut all {
            let mut against = BTreeSet::new();
            for (here, there) in [(&cable.a, &cable.b), (&cable.b, &cable.a)] {
                against.extend(hears.against(here, there, "LLDP"));
                against.extend(says.against(here, there, "declaration"));
            }
            let sentences: Vec<_> = against.into_iter().collect();
            cable.conflict = (!sentences.is_empty()).then(|| sentences.join(" "));
        }
        Self { all, strangers }
    }

    /// The interfaces of a host at which cables end.
    pub fn interfaces<'a>(&'a self, host: &'a HostId) -> impl Iterator<Item = &'a str> {
        let ends = self.all.iter().flat_map(|cable| [&cable.a, &cable.b]);
        ends.filter(move |end| end.host == *host)
            .map(|end| end.interface.as_str())
    }
}

/// The cable between two ports, whichever comes first.
fn cable<'a>(cables: &'a mut BTreeMap<(Port, Port), Cable>, a: &Port, b: &Port) -> &'a mut Cable {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    cables
        .entry((a.clone(), b.clone()))
        .or_insert_with(|| Cable {
            a: a.clone(),
            b: b.clone(),
            sources: BTreeSet::new(),
            capacity_bits_per_second: None,
            latency_ns: None,
            conflict: None,
        })
}

/// Where one kind of source says that ports lead.
#[derive(Default)]
struct Leads(BTreeMap<Port, BTreeSet<String>>);

impl Leads {
    fn add(&mut self, from: &Port, to: String) {
        self.0.entry(from.clone()).or_default().insert(to);
    }

    /// What the source says against a cable from `here` to `there`: that the port leads elsewhere.
    fn against(&self, here: &Port, there: &Port, source: &str) -> Option<String> {
        let leads = self.0.get(here)?;
        if leads.contains(&there.to_string()) {
            return None;
        }
        let leads: Vec<_> = leads.iter().map(String::as_str).collect();
        Some(format!(
            "By {source}, {here} leads to {}.",
            leads.join(" and ")
        ))
    }
}

/// Whose MAC addresses and names are whose.
struct Directory<'a> {
    /// The interfaces with an address; a bridge has that of one of its ports.
    by_mac: BTreeMap<Mac, Vec<(&'a HostReport, &'a str)>>,
    /// Nothing where several hosts have the name.
    by_name: BTreeMap<String, Option<&'a HostReport>>,
}

impl<'a> Directory<'a> {
    fn of(reports: impl Iterator<Item = &'a HostReport>) -> Self {
        let mut directory = Self {
            by_mac: BTreeMap::new(),
            by_name: BTreeMap::new(),
        };
        for report in reports {
            let Some(inventory) = report.inventory.as_deref() else {
                continue;
            };
            for interface in &inventory.interfaces {
                if let Some(mac) = interface.mac {
                    let known = directory.by_mac.entry(mac).or_default();
                    known.push((report, interface.name.as_str()));
                }
            }
            let Some(hostname) = &inventory.node.hostname else {
                continue;
            };
            for name in BTreeSet::from([hostname.as_str(), short(hostname)]) {
                directory
                    .by_name
                    .entry(name.to_lowercase())
                    .and_modify(|known| *known = None)
                    .or_insert(Some(report));
            }
        }
        directory
    }

    /// The port that a neighbour is, if it is one of a host of ours: by its MAC address, else by
    /// its host's name.
    fn find(&self, neighbor: &Neighbor) -> Option<Port> {
        let name = neighbor.port.as_deref();
        let known = neighbor.mac.and_then(|mac| self.by_mac.get(&mac));
        if let Some(known) = known {
            let hosts: BTreeSet<_> = known.iter().map(|(report, _)| &report.id).collect();
            let host = match hosts.len() {
                1 => known.first().map(|(report, _)| *report),
                // Made up addresses may occur twice.
                _ => self.named(neighbor).filter(|host| hosts.contains(&host.id)),
            }?;
            let mut of_host = known.iter().filter(|(report, _)| report.id == host.id);
            let (_, first) = of_host.next()?;
            let interface = name.filter(|name| has_interface(host, name));
            return Some(port(host, interface.unwrap_or(first)));
        }
        Some(port(self.named(neighbor)?, name?))
    }

    fn named(&self, neighbor: &Neighbor) -> Option<&'a HostReport> {
        let system = neighbor.system.as_ref()?.to_lowercase();
        let exact = self.by_name.get(&system);
        *exact.or_else(|| self.by_name.get(short(&system)))?
    }
}

fn port(host: &HostReport, interface: &str) -> Port {
    Port {
        host: host.id.clone(),
        interface: interface.to_owned(),
    }
}

/// Whether a host tells of an interface: by itself or as a port of another.
fn has_interface(host: &HostReport, name: &str) -> bool {
    let inventory = host.inventory.as_deref().into_iter();
    inventory
        .flat_map(|inventory| &inventory.interfaces)
        .any(|interface| interface.name == name || interface.ports.iter().any(|port| port == name))
}

/// A host's name without its domain.
fn short(name: &str) -> &str {
    name.split_once('.').map_or(name, |(name, _)| name)
}

impl Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.host, self.interface)
    }
}

impl Display for Neighbor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let system = self.system.as_deref().or(self.chassis.as_deref());
        f.write_str(system.unwrap_or("something without a name"))?;
        match (&self.port, self.mac) {
            (Some(port), _) => write!(f, " {port}"),
            (None, Some(mac)) => write!(f, " {mac}"),
            (None, None) => Ok(()),
        }
    }
}
