use std::collections::{BTreeMap, BTreeSet};

use libvirt::{Connection, Domain, DomainState, InterfaceKind, Options, Uri};

use super::*;

/// The names of the members of every segment on which a router of the network is.
fn segments_of(fleet: &Fleet, network: &str) -> Vec<Vec<&'static str>> {
    let members = |segment: &description::Segment| {
        let routers = segment.members.iter().map(|at| &fleet.routers[at.router]);
        routers.collect::<Vec<_>>()
    };
    fleet
        .segments
        .iter()
        .map(members)
        .filter(|routers| routers.iter().all(|router| router.network == network))
        .map(|routers| routers.iter().map(|router| router.name).collect())
        .collect()
}

/// How many links of two each router has, in descending order.
fn degrees(links: &[Vec<&'static str>]) -> Vec<usize> {
    let mut degree: BTreeMap<&str, usize> = BTreeMap::new();
    for link in links {
        assert_eq!(link.len(), 2);
        for router in link {
            *degree.entry(router).or_default() += 1;
        }
    }
    let mut degrees: Vec<_> = degree.into_values().collect();
    degrees.sort_unstable_by(|a, b| b.cmp(a));
    degrees
}

/// Whether the pairs join all of their ends.
fn is_connected<'a>(pairs: &(impl Iterator<Item = (&'a str, &'a str)> + Clone)) -> bool {
    let all: BTreeSet<_> = pairs.clone().flat_map(|(a, b)| [a, b]).collect();
    let mut reached: BTreeSet<_> = all.first().copied().into_iter().collect();
    loop {
        let before = reached.len();
        for (a, b) in pairs.clone() {
            if reached.contains(a) || reached.contains(b) {
                reached.extend([a, b]);
            }
        }
        if reached.len() == before {
            return reached == all;
        }
    }
}

#[test]
fn the_fleet_has_seven_hosts_and_42_routers_and_nothing_twice() {
    let fleet = Fleet::embedded();
    let ids: BTreeSet<_> = fleet.hosts.iter().map(|host| &host.id).collect();
    assert_eq!((fleet.hosts.len(), ids.len()), (7, 7));
    let uuids: BTreeSet<_> = fleet
        .routers
        .iter()
        .map(description::Router::uuid)
        .collect();
    let names: BTreeSet<_> = fleet.routers.iter().map(|router| router.name).collect();
    assert_eq!(
        (fleet.routers.len(), uuids.len(), names.len()),
        (42, 42, 42)
    );
    let segments: BTreeSet<_> = fleet
        .segments
        .iter()
        .map(|segment| segment.number)
        .collect();
    assert_eq!(segments.len(), fleet.segments.len());
    for host in &fleet.hosts {
        let routers = fleet.routers.iter().filter(|router| router.host == host.id);
        assert!(routers.count() >= 4, "{} is nearly empty", host.id);
    }
}

#[test]
fn what_carries_a_segment_can_reach_its_members() {
    use description::Carrier;
    let fleet = Fleet::embedded();
    let mut carriers = BTreeSet::new();
    for segment in &fleet.segments {
        let number = segment.number;
        let hosts: BTreeSet<_> = segment
            .members
            .iter()
            .map(|member| fleet.routers[member.router].host)
            .collect();
        let routers: BTreeSet<_> = segment.members.iter().map(|at| at.router).collect();
        assert_eq!(
            routers.len(),
            segment.members.len(),
            "{number}: a router twice"
        );
        match segment.carrier {
            Carrier::Tunnel => assert_eq!((hosts.len(), routers.len()), (2, 2), "{number}"),
            Carrier::Multicast => assert!(hosts.len() > 2, "{number}"),
            Carrier::Network { name, .. } | Carrier::Bridge(name) => {
                assert_eq!(hosts.len(), 1, "{number}");
                let host = hosts.first().unwrap();
                assert!(
                    carriers.insert((*host, name)),
                    "{name} carries two segments"
                );
            }
        }
        if let Carrier::Bridge(name) = segment.carrier {
            let host = fleet.routers[segment.members[0].router].host();
            assert!(
                host.bridges.iter().any(|(bridge, _)| *bridge == name),
                "{name}"
            );
        }
    }
}

#[test]
fn the_virtual_networks_have_the_shapes_that_they_are_named_for() {
    let fleet = Fleet::embedded();
    let of = |network| segments_of(&fleet, network);
    assert_eq!(degrees(&of("campus-triangle")), [2; 3]);
    assert_eq!(degrees(&of("metro-ring")), [2; 6]);
    let ring = of("metro-ring");
    assert!(is_connected(&ring.iter().map(|link| (link[0], link[1]))));
    assert_eq!(degrees(&of("branch-star")), [6, 1, 1, 1, 1, 1, 1]);
    assert_eq!(degrees(&of("research-chain")), [2, 2, 1, 1]);
    assert_eq!(degrees(&of("bank-square")), [3; 4]);
    assert_eq!(degrees(&of("backbone")), [3; 4]);
    let lab = of("lab-segment");
    assert_eq!((lab.len(), lab[0].len()), (1, 5));
    let exchange = fleet
        .segments
        .iter()
        .find(|segment| segment.number == 51)
        .unwrap();
    assert_eq!(exchange.members.len(), 5);
    assert_eq!(of("quarantine"), [["quarantine-1"]]);
}

#[test]
fn the_physical_links_survive_the_loss_of_any_one() {
    let fleet = Fleet::embedded();
    let ids: BTreeSet<_> = fleet.hosts.iter().map(|host| host.id.as_str()).collect();
    let mut nics = BTreeSet::new();
    let mut ends = BTreeSet::new();
    for link in &fleet.links {
        assert!(nics.insert((&link.a_host, &link.a_interface)), "{link:?}");
        assert!(nics.insert((&link.b_host, &link.b_interface)), "{link:?}");
        ends.extend([link.a_host.as_str(), link.b_host.as_str()]);
    }
    assert_eq!(ends, ids);
    for lost in &fleet.links {
        let left = fleet.links.iter().filter(|link| *link != lost);
        let pairs = left.map(|link| (link.a_host.as_str(), link.b_host.as_str()));
        let still: BTreeSet<_> = pairs.clone().flat_map(|(a, b)| [a, b]).collect();
        assert!(is_connected(&pairs) && still == ids, "{lost:?}");
    }
    let capacities: BTreeSet<_> = fleet
        .links
        .iter()
        .map(|link| link.capacity_bits_per_second)
        .collect();
    assert_eq!(
        capacities,
        [1, 10, 40].map(|gigabits| gigabits * 1_000_000_000).into()
    );
}

async fn open(path: &Path) -> Connection {
    let uri = Uri::test_file(path);
    Connection::open(&uri, Options::default()).await.unwrap()
}

#[tokio::test]
async fn libvirt_reads_every_host_and_keeps_what_the_topology_is_made_of() {
    let directory = tempfile::tempdir().unwrap();
    let fleet = Fleet::embedded();
    // Over the files of an earlier start.
    fleet.write_to(directory.path()).unwrap();
    let mut domains: BTreeMap<String, Domain> = BTreeMap::new();
    let mut hosts = BTreeMap::new();
    for (id, path) in fleet.write_to(directory.path()).unwrap() {
        let connection = open(&path).await;
        let interfaces = connection.list_interfaces().await.unwrap();
        for link in &fleet.links {
            for (host, nic) in [
                (&link.a_host, &link.a_interface),
                (&link.b_host, &link.b_interface),
            ] {
                let found = interfaces.iter().any(|interface| interface.name == *nic);
                assert!(*host != id || found, "{id} has no {nic}");
            }
        }
        let bridges = description::HOSTS
            .iter()
            .find(|host| host.id == id)
            .unwrap()
            .bridges;
        for (bridge, ports) in bridges {
            let found = interfaces
                .iter()
                .find(|interface| interface.name == *bridge);
            assert_eq!(found.unwrap().ports, *ports);
        }
        for network in connection.list_networks().await.unwrap() {
            assert!(network.active, "{}", network.name);
        }
        for domain in connection.list_domains().await.unwrap() {
            hosts.insert(domain.name.clone(), id.clone());
            domains.insert(domain.name.clone(), domain);
        }
        connection.close().await.unwrap();
    }
    assert_eq!(domains.len(), fleet.routers.len());

    for (index, router) in fleet.routers.iter().enumerate() {
        let domain = &domains[router.name];
        let definition = &domain.definition;
        assert_eq!(domain.uuid, router.uuid());
        assert_eq!(hosts[router.name], router.host);
        let expected = match router.state {
            description::State::Running => DomainState::Running,
            description::State::Paused => DomainState::Paused,
            description::State::ShutOff => DomainState::ShutOff,
        };
        assert_eq!(domain.state, expected, "{}", router.name);
        assert_eq!(definition.title.as_deref(), Some(router.title));
        let metadata = definition.metadata.as_ref().unwrap();
        assert_eq!(metadata.network.as_deref(), Some(router.network));
        assert_eq!(metadata.tags, router.tags);
        assert_eq!(definition.memory_bytes, Some(router.memory_mebibytes << 20));
        assert_eq!(definition.disks[0].target, description::DISK);
        let macs: Vec<_> = definition
            .interfaces
            .iter()
            .map(|nic| nic.mac.clone())
            .collect();
        let places = fleet.segments.iter().flat_map(|segment| &segment.members);
        let expected: Vec<_> = places
            .filter(|member| member.router == index)
            .map(|member| Some(router.mac(member.nic)))
            .collect();
        assert_eq!(macs, expected, "{}", router.name);
    }

    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for segment in &fleet.segments {
        let nics: Vec<_> = segment
            .members
            .iter()
            .map(|at| &domains[fleet.routers[at.router].name].definition.interfaces[at.nic])
            .collect();
        let source = &nics[0].source;
        match (&nics[0].kind, &segment.carrier) {
            (InterfaceKind::Udp, description::Carrier::Tunnel) => {
                // Each end listens where the other one sends to.
                let other = &nics[1].source;
                assert_eq!(
                    (&source.address, source.port),
                    (&other.local_address, other.local_port)
                );
                assert_eq!(
                    (&other.address, other.port),
                    (&source.local_address, source.local_port)
                );
                assert!(source.address.is_some() && source.port.is_some());
            }
            (InterfaceKind::Multicast, description::Carrier::Multicast) => {
                assert!(
                    nics.iter()
                        .all(|nic| nic.source == *source && nic.kind == nics[0].kind)
                );
                assert!(source.address.is_some() && source.port.is_some());
            }
            (InterfaceKind::Bridge, description::Carrier::Bridge(name)) => {
                assert!(
                    nics.iter()
                        .all(|nic| nic.source.bridge.as_deref() == Some(name))
                );
            }
            (InterfaceKind::Network, description::Carrier::Network { name, .. }) => {
                assert!(
                    nics.iter()
                        .all(|nic| nic.source.network.as_deref() == Some(name))
                );
            }
            other => panic!("segment {}: {other:?}", segment.number),
        }
        *kinds.entry(nics[0].kind.name()).or_default() += 1;
    }
    assert_eq!(kinds.len(), 4, "{kinds:?}");
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("nowhere");
    assert!(Fleet::embedded().write_to(&nowhere).is_err());
}
