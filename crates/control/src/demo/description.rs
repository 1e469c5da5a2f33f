//! Who is in the demo fleet: hosts, physical links, routers, and what joins the routers.
//!
//! A host, a router and a segment have numbers of their own, and UUIDs, MACs, addresses and ports are
//! made from them: they stay when others come or go. Do not give a number twice.
//!
//! ```text
//!                 bsb-core-1 ─────── rec-edge-1          the physical links: 40G among the
//!                  ║      ║            │     │           cores, 10G and 1G to the edges; there
//!                  ║      ║  ┌─────────┘     │           is more than one path from each to
//!          sp-core-1 ═══ rio-core-1 ── rio-edge-1        each other
//!           │    │                           │
//!  poa-edge-1 ── sp-edge-1 ──────────────────┘
//! ```

use uuid::Uuid;

/// A host, and what it says of its hardware.
pub(super) struct Host {
    pub number: u8,
    pub id: &'static str,
    pub site: &'static str,
    /// Cores, in one thread each, and of which clock.
    pub cores: u32,
    pub megahertz: u32,
    pub memory_gibibytes: u64,
    /// Bridges, each with the NICs that are its ports.
    pub bridges: &'static [(&'static str, &'static [&'static str])],
}

impl Host {
    /// The address at which the tunnels of its routers end.
    pub fn transport(&self) -> String {
        format!("10.255.0.{}", self.number)
    }
}

#[rustfmt::skip]
pub(super) const HOSTS: [Host; 7] = [
    Host { number: 1, id: "rio-core-1", site: "Rio de Janeiro", cores: 32, megahertz: 2900, memory_gibibytes: 256, bridges: &[] },
    Host { number: 2, id: "rio-edge-1", site: "Rio de Janeiro", cores: 16, megahertz: 2400, memory_gibibytes: 128, bridges: &[("br-lab", &["enp4s0", "enp5s0"])] },
    Host { number: 3, id: "sp-core-1", site: "São Paulo", cores: 32, megahertz: 2900, memory_gibibytes: 256, bridges: &[("br-bank", &["enp4s0"])] },
    Host { number: 4, id: "sp-edge-1", site: "São Paulo", cores: 16, megahertz: 2400, memory_gibibytes: 128, bridges: &[] },
    Host { number: 5, id: "bsb-core-1", site: "Brasília", cores: 32, megahertz: 2900, memory_gibibytes: 256, bridges: &[("br-bank", &["enp4s0"])] },
    Host { number: 6, id: "rec-edge-1", site: "Recife", cores: 16, megahertz: 2400, memory_gibibytes: 64, bridges: &[] },
    Host { number: 7, id: "poa-edge-1", site: "Porto Alegre", cores: 12, megahertz: 2200, memory_gibibytes: 64, bridges: &[("br-office", &["enp4s0"])] },
];

/// A physical link: host and NIC at either end.
pub(super) struct PhysicalLink {
    pub a: (&'static str, &'static str),
    pub b: (&'static str, &'static str),
    pub gigabits: u64,
    /// How long a frame takes: what light needs for a cable along the roads.
    pub microseconds: u64,
}

#[rustfmt::skip]
pub(super) const PHYSICAL_LINKS: [PhysicalLink; 11] = [
    PhysicalLink { a: ("rio-core-1", "enp65s0f0"), b: ("sp-core-1", "enp65s0f0"), gigabits: 40, microseconds: 2_200 },
    PhysicalLink { a: ("rio-core-1", "enp65s0f1"), b: ("bsb-core-1", "enp65s0f0"), gigabits: 40, microseconds: 6_100 },
    PhysicalLink { a: ("sp-core-1", "enp65s0f1"), b: ("bsb-core-1", "enp65s0f1"), gigabits: 40, microseconds: 5_300 },
    PhysicalLink { a: ("rio-core-1", "enp33s0f0"), b: ("rio-edge-1", "enp33s0f0"), gigabits: 10, microseconds: 45 },
    PhysicalLink { a: ("rio-core-1", "enp33s0f1"), b: ("rec-edge-1", "enp33s0f0"), gigabits: 10, microseconds: 11_400 },
    PhysicalLink { a: ("bsb-core-1", "enp33s0f0"), b: ("rec-edge-1", "enp33s0f1"), gigabits: 10, microseconds: 10_700 },
    PhysicalLink { a: ("sp-core-1", "enp33s0f0"), b: ("sp-edge-1", "enp33s0f0"), gigabits: 10, microseconds: 38 },
    PhysicalLink { a: ("sp-core-1", "enp33s0f1"), b: ("poa-edge-1", "enp33s0f0"), gigabits: 10, microseconds: 5_700 },
    PhysicalLink { a: ("sp-edge-1", "enp33s0f1"), b: ("rio-edge-1", "enp33s0f1"), gigabits: 10, microseconds: 2_300 },
    PhysicalLink { a: ("sp-edge-1", "enp2s0"), b: ("poa-edge-1", "enp2s0"), gigabits: 1, microseconds: 5_800 },
    PhysicalLink { a: ("rio-edge-1", "enp2s0"), b: ("rec-edge-1", "enp2s0"), gigabits: 1, microseconds: 11_500 },
];

/// The disk that every router has.
pub(super) const DISK: &str = "vda";

/// What a router does when the demo starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Running,
    Paused,
    ShutOff,
}

/// A virtual router.
#[derive(Clone, Debug)]
pub(super) struct Router {
    pub number: u16,
    pub name: &'static str,
    pub title: &'static str,
    /// The virtual network that it belongs to.
    pub network: &'static str,
    pub tags: &'static [&'static str],
    pub host: &'static str,
    pub vcpus: u32,
    pub memory_mebibytes: u64,
    pub state: State,
}

impl Router {
    /// The domain's UUID.
    pub fn uuid(&self) -> Uuid {
        Uuid::from_u128(0x5b1f_7c20_de30_4a00_8000_0000_0000_0000 | u128::from(self.number))
    }

    /// The MAC of its n-th NIC.
    pub fn mac(&self, nic: usize) -> String {
        let [high, low] = self.number.to_be_bytes();
        format!("52:54:00:{high:02x}:{low:02x}:{nic:02x}")
    }

    /// The host that it is on.
    pub fn host(&self) -> &'static Host {
        let host = HOSTS.iter().find(|host| host.id == self.host);
        host.expect("a test reads the whole description")
    }

    /// Whether it was up before the demo started.
    pub fn runs_at_start(&self) -> bool {
        self.state == State::Running
    }
}

/// A virtual network: what its routers have in common.
struct Network {
    name: &'static str,
    tags: &'static [&'static str],
    vcpus: u32,
    memory_mebibytes: u64,
    routers: &'static [(u16, &'static str, &'static str, &'static str)],
}

/// Of each router: number, name, host, title.
#[rustfmt::skip]
const NETWORKS: [Network; 10] = [
    Network { name: "backbone", tags: &["core", "mpls"], vcpus: 4, memory_mebibytes: 4096, routers: &[
        (1, "bb-rio", "rio-core-1", "Backbone, Rio de Janeiro"),
        (2, "bb-sp", "sp-core-1", "Backbone, São Paulo"),
        (3, "bb-bsb", "bsb-core-1", "Backbone, Brasília"),
        (4, "bb-rec", "rec-edge-1", "Backbone, Recife"),
    ] },
    Network { name: "metro-ring", tags: &["metro", "isis"], vcpus: 2, memory_mebibytes: 2048, routers: &[
        (11, "metro-centro", "rio-core-1", "Metro ring, Centro"),
        (12, "metro-tijuca", "rio-core-1", "Metro ring, Tijuca"),
        (13, "metro-barra", "rio-edge-1", "Metro ring, Barra da Tijuca"),
        (14, "metro-pinheiros", "sp-edge-1", "Metro ring, Pinheiros"),
        (15, "metro-lapa", "sp-edge-1", "Metro ring, Lapa"),
        (16, "metro-se", "sp-core-1", "Metro ring, Sé"),
    ] },
    Network { name: "campus-triangle", tags: &["edge", "campus"], vcpus: 2, memory_mebibytes: 1024, routers: &[
        (21, "campus-urca", "rio-edge-1", "Campus, Urca"),
        (22, "campus-butanta", "sp-edge-1", "Campus, Butantã"),
        (23, "campus-asa-norte", "bsb-core-1", "Campus, Asa Norte"),
    ] },
    Network { name: "branch-star", tags: &["branch", "ipsec"], vcpus: 1, memory_mebibytes: 512, routers: &[
        (31, "branch-hub", "sp-core-1", "Branches, hub at headquarters"),
        (32, "branch-santos", "sp-core-1", "Branch, Santos"),
        (33, "branch-campinas", "sp-edge-1", "Branch, Campinas"),
        (34, "branch-niteroi", "rio-edge-1", "Branch, Niterói"),
        (35, "branch-goiania", "bsb-core-1", "Branch, Goiânia"),
        (36, "branch-olinda", "rec-edge-1", "Branch, Olinda"),
        (37, "branch-canoas", "poa-edge-1", "Branch, Canoas"),
    ] },
    Network { name: "lab-segment", tags: &["lab"], vcpus: 1, memory_mebibytes: 512, routers: &[
        (41, "lab-frr-1", "rio-edge-1", "Laboratory, FRR one"),
        (42, "lab-frr-2", "rio-edge-1", "Laboratory, FRR two"),
        (43, "lab-bird-1", "rio-edge-1", "Laboratory, BIRD one"),
        (44, "lab-bird-2", "rio-edge-1", "Laboratory, BIRD two"),
        (45, "lab-openbgpd", "rio-edge-1", "Laboratory, OpenBGPD"),
    ] },
    Network { name: "exchange", tags: &["ix", "bgp"], vcpus: 2, memory_mebibytes: 2048, routers: &[
        (51, "ix-rs-1", "sp-core-1", "Exchange, route server one"),
        (52, "ix-rs-2", "bsb-core-1", "Exchange, route server two"),
        (53, "ix-content", "rio-core-1", "Exchange, content network"),
        (54, "ix-access", "rec-edge-1", "Exchange, access network"),
    ] },
    Network { name: "research-chain", tags: &["research", "sr"], vcpus: 2, memory_mebibytes: 1024, routers: &[
        (61, "sense-poa", "poa-edge-1", "Segment routing trial, Porto Alegre"),
        (62, "sense-sp", "sp-core-1", "Segment routing trial, São Paulo"),
        (63, "sense-rio", "rio-core-1", "Segment routing trial, Rio de Janeiro"),
        (64, "sense-rec", "rec-edge-1", "Segment routing trial, Recife"),
    ] },
    Network { name: "bank-square", tags: &["customer", "redundant"], vcpus: 2, memory_mebibytes: 1024, routers: &[
        (71, "bank-sp-a", "sp-core-1", "Bank, main centre A"),
        (72, "bank-sp-b", "sp-core-1", "Bank, main centre B"),
        (73, "bank-bsb-a", "bsb-core-1", "Bank, recovery centre A"),
        (74, "bank-bsb-b", "bsb-core-1", "Bank, recovery centre B"),
    ] },
    Network { name: "staging", tags: &["staging"], vcpus: 1, memory_mebibytes: 512, routers: &[
        (81, "staging-a", "poa-edge-1", "Staging, serving"),
        (82, "staging-b", "poa-edge-1", "Staging, next release (shut off)"),
        (83, "staging-c", "poa-edge-1", "Staging, under examination (paused)"),
        (84, "staging-probe", "poa-edge-1", "Staging, probe"),
    ] },
    Network { name: "quarantine", tags: &["isolated"], vcpus: 1, memory_mebibytes: 256, routers: &[
        (91, "quarantine-1", "rec-edge-1", "Cut off, awaiting inspection"),
    ] },
];

/// All routers, by number.
pub(super) fn routers() -> Vec<Router> {
    NETWORKS
        .iter()
        .flat_map(|network| {
            network
                .routers
                .iter()
                .map(|&(number, name, host, title)| Router {
                    number,
                    name,
                    title,
                    network: network.name,
                    tags: network.tags,
                    host,
                    vcpus: network.vcpus,
                    memory_mebibytes: network.memory_mebibytes,
                    state: match name {
                        "staging-b" => State::ShutOff,
                        "staging-c" => State::Paused,
                        _ => State::Running,
                    },
                })
        })
        .collect()
}

/// What carries a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// A bridge of the host of all members.
    Bridge(&'static str),
    /// A libvirt network of the host of all members; with NAT to the outside, or without.
    Network { name: &'static str, nat: bool },
    /// A UDP tunnel between two members on two hosts.
    Tunnel,
    /// A multicast group, over any number of hosts.
    Multicast,
}

/// Routers that hear each other; with two of them, a link.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub number: u8,
    pub carrier: Carrier,
    /// The mean traffic from a member to another, in bits per second.
    pub bits_per_second: f64,
    pub members: Vec<Member>,
}

/// A router's place on a segment.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Index into the routers.
    pub router: usize,
    /// Which of the router's NICs it is.
    pub nic: usize,
}

/// Of each segment: number, carrier, Mbit/s from a member to another, members.
#[rustfmt::skip]
const SEGMENTS: [(u8, Carrier, f64, &[&str]); 39] = {
    use Carrier::{Bridge, Multicast, Network, Tunnel};
    [
        // A full mesh, an uplink for each of metro, branches and exchange.
        (1, Tunnel, 320.0, &["bb-rio", "bb-sp"]),
        (2, Tunnel, 210.0, &["bb-rio", "bb-bsb"]),
        (3, Tunnel, 180.0, &["bb-sp", "bb-bsb"]),
        (4, Tunnel, 90.0, &["bb-rio", "bb-rec"]),
        (5, Tunnel, 70.0, &["bb-bsb", "bb-rec"]),
        (6, Tunnel, 60.0, &["bb-sp", "bb-rec"]),
        (7, Network { name: "bb-metro-rio", nat: false }, 150.0, &["bb-rio", "metro-centro"]),
        (8, Network { name: "bb-branches", nat: false }, 45.0, &["bb-sp", "branch-hub"]),
        // A ring of six.
        (11, Network { name: "metro-rio", nat: false }, 80.0, &["metro-centro", "metro-tijuca"]),
        (12, Tunnel, 64.0, &["metro-tijuca", "metro-barra"]),
        (13, Tunnel, 52.0, &["metro-barra", "metro-pinheiros"]),
        (14, Network { name: "metro-sp", nat: false }, 58.0, &["metro-pinheiros", "metro-lapa"]),
        (15, Tunnel, 61.0, &["metro-lapa", "metro-se"]),
        (16, Tunnel, 75.0, &["metro-se", "metro-centro"]),
        // A triangle.
        (21, Tunnel, 34.0, &["campus-urca", "campus-butanta"]),
        (22, Tunnel, 22.0, &["campus-butanta", "campus-asa-norte"]),
        (23, Tunnel, 18.0, &["campus-asa-norte", "campus-urca"]),
        // A star of six.
        (31, Network { name: "branch-santos", nat: false }, 7.0, &["branch-hub", "branch-santos"]),
        (32, Tunnel, 9.0, &["branch-hub", "branch-campinas"]),
        (33, Tunnel, 6.0, &["branch-hub", "branch-niteroi"]),
        (34, Tunnel, 5.0, &["branch-hub", "branch-goiania"]),
        (35, Tunnel, 3.0, &["branch-hub", "branch-olinda"]),
        (36, Tunnel, 4.0, &["branch-hub", "branch-canoas"]),
        // Five on one bridge of one host.
        (41, Bridge("br-lab"), 1.5, &["lab-frr-1", "lab-frr-2", "lab-bird-1", "lab-bird-2", "lab-openbgpd"]),
        // Five on one group over four hosts.
        (51, Multicast, 24.0, &["ix-rs-1", "ix-rs-2", "ix-content", "ix-access", "bb-rio"]),
        // A chain.
        (61, Tunnel, 28.0, &["sense-poa", "sense-sp"]),
        (62, Tunnel, 31.0, &["sense-sp", "sense-rio"]),
        (63, Tunnel, 26.0, &["sense-rio", "sense-rec"]),
        // A square of two centres, with its diagonals.
        (71, Bridge("br-bank"), 40.0, &["bank-sp-a", "bank-sp-b"]),
        (72, Bridge("br-bank"), 38.0, &["bank-bsb-a", "bank-bsb-b"]),
        (73, Tunnel, 55.0, &["bank-sp-a", "bank-bsb-a"]),
        (74, Tunnel, 47.0, &["bank-sp-b", "bank-bsb-b"]),
        (75, Tunnel, 4.0, &["bank-sp-a", "bank-bsb-b"]),
        (76, Tunnel, 4.0, &["bank-sp-b", "bank-bsb-a"]),
        // One that serves, one that is shut off, one that is paused, one that watches.
        (81, Network { name: "staging-ab", nat: false }, 2.0, &["staging-a", "staging-b"]),
        (82, Network { name: "staging-ac", nat: false }, 2.0, &["staging-a", "staging-c"]),
        (83, Network { name: "staging-bc", nat: false }, 2.0, &["staging-b", "staging-c"]),
        (84, Bridge("br-office"), 1.0, &["staging-a", "staging-probe"]),
        // Nobody else there.
        (91, Network { name: "default", nat: true }, 0.0, &["quarantine-1"]),
    ]
};

/// All segments, with their members looked up and the NICs of each router counted.
pub(super) fn segments(routers: &[Router]) -> Vec<Segment> {
    let mut nics = vec![0; routers.len()];
    SEGMENTS
        .iter()
        .map(|&(number, carrier, megabits, members)| {
            let members = members.iter().map(|name| {
                let router = routers.iter().position(|router| router.name == *name);
                let router = router.expect("a test reads the whole description");
                let nic = nics[router];
                nics[router] += 1;
                Member { router, nic }
            });
            Segment {
                number,
                carrier,
                bits_per_second: megabits * 1e6,
                members: members.collect(),
            }
        })
        .collect()
}
