//! Physical links by several sources: what is declared, and what hosts hear of each other.

use crate::fleet::{With, bridge, host, link};
use model::{
    DeclaredLink, Difference, HostId, HostReport, Link, LinkKind, LinkSource, LinkState, Mac,
    Neighbor, Topology,
};

/// A host with interfaces whose MAC addresses end with the number and their place.
fn wired(id: &str, number: u8, interfaces: &[&str]) -> HostReport {
    let mut report = host(id);
    report.inventory().node.hostname = Some(format!("{id}.example.net"));
    for (place, name) in (0..).zip(interfaces) {
        report = report.interface(name, "ethernet", &[]);
        let interface = report.inventory().interfaces.last_mut().unwrap();
        interface.mac = Some(mac(number, place));
        interface.speed_bits_per_second = Some(u64::from(number) * 1_000_000_000);
    }
    report
}

fn mac(number: u8, place: u8) -> Mac {
    Mac([2, 0, 0, 0, number, place])
}

/// Somebody who says port, host's name and MAC address of the port.
fn neighbor(on: &str, system: &str, port: &str, mac: Option<Mac>) -> Neighbor {
    Neighbor {
        interface: on.to_owned(),
        system: Some(system.to_owned()),
        chassis: None,
        port: Some(port.to_owned()),
        mac,
        hold_seconds: 120,
    }
}

fn hears(mut report: HostReport, neighbors: &[Neighbor]) -> HostReport {
    report.neighbors = neighbors.to_vec();
    report
}

/// `rio` eth1 and `sao` eth2, which hear each other.
fn pair() -> [HostReport; 2] {
    let rio = wired("rio", 1, &["eth0", "eth1"]);
    let sao = wired("sao", 2, &["eth0", "eth1", "eth2"]);
    [
        hears(rio, &[neighbor("eth1", "sao", "eth2", Some(mac(2, 2)))]),
        hears(sao, &[neighbor("eth2", "rio", "eth1", Some(mac(1, 1)))]),
    ]
}

fn physical(reports: &[HostReport], declared: &[DeclaredLink]) -> Vec<Link> {
    let topology = Topology::derive(reports, declared);
    let links = topology.links.values();
    let links = links.filter(|link| link.kind == LinkKind::Physical);
    links.map(|link| Link::clone(link)).collect()
}

fn lldp(host: &str) -> LinkSource {
    LinkSource::Lldp(HostId::new(host))
}

fn ids(links: &[Link]) -> Vec<&str> {
    links.iter().map(|link| link.id.as_str()).collect()
}

#[test]
fn what_both_ends_hear_and_an_operator_declares_is_one_link_of_three_sources() {
    let reports = pair();
    let [heard] = &physical(&reports, &[])[..] else {
        panic!("one link was expected");
    };
    assert_eq!(heard.id.as_str(), "physical:rio/eth1--sao/eth2");
    assert_eq!(heard.sources, [lldp("rio"), lldp("sao")].into());
    assert_eq!((heard.state, &heard.conflict), (LinkState::Up, &None));
    // As fast as the slower end.
    assert_eq!(heard.capacity_bits_per_second, Some(1_000_000_000));

    let declared = [link(("sao", "eth2"), ("rio", "eth1"))];
    let [all] = &physical(&reports, &declared)[..] else {
        panic!("one link was expected");
    };
    let sources = [LinkSource::Declared, lldp("rio"), lldp("sao")];
    assert_eq!(all.sources, sources.into());
    assert_eq!(all.capacity_bits_per_second, Some(10_000_000_000));
    assert_eq!((&all.id, &all.conflict), (&heard.id, &None));
}

#[test]
fn one_end_that_hears_is_enough_and_the_state_is_that_of_the_interfaces() {
    let [rio, mut sao] = pair();
    sao.neighbors.clear();
    sao.inventory().interfaces[2].state = LinkState::Down;
    sao.inventory().interfaces[2].speed_bits_per_second = None;
    let links = physical(&[rio, sao], &[]);
    assert_eq!(ids(&links), ["physical:rio/eth1--sao/eth2"]);
    assert_eq!(links[0].sources, [lldp("rio")].into());
    assert_eq!(links[0].state, LinkState::Down);
    // What one end can do says nothing of the other.
    assert_eq!(links[0].capacity_bits_per_second, None);
}

#[test]
fn what_contradicts_each_other_is_shown_on_both_links() {
    let declared = [link(("rio", "eth1"), ("sao", "eth1"))];
    let links = physical(&pair(), &declared);
    assert_eq!(
        ids(&links),
        ["physical:rio/eth1--sao/eth1", "physical:rio/eth1--sao/eth2"]
    );
    let [wrong, right] = [0, 1].map(|at| links[at].conflict.as_deref().unwrap());
    assert_eq!(wrong, "By LLDP, rio eth1 leads to sao eth2.");
    assert_eq!(right, "By declaration, rio eth1 leads to sao eth1.");
    assert_eq!(links[0].sources, [LinkSource::Declared].into());
    assert_eq!(links[1].sources, [lldp("rio"), lldp("sao")].into());
}

#[test]
fn ends_that_disagree_are_shown() {
    let [rio, sao] = pair();
    let bue = wired("bue", 3, &["eth0"]);
    let sao = hears(sao, &[neighbor("eth2", "bue", "eth0", Some(mac(3, 0)))]);
    let links = physical(&[rio, sao, bue], &[]);
    let told: Vec<_> = links
        .iter()
        .map(|link| (link.id.as_str(), link.conflict.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("physical:bue/eth0--sao/eth2", None),
            (
                "physical:rio/eth1--sao/eth2",
                Some("By LLDP, sao eth2 leads to bue eth0.")
            ),
        ]
    );
}

#[test]
fn a_switch_is_a_neighbour_and_no_link_and_speaks_against_one() {
    let [rio, sao] = pair();
    let switch = neighbor("eth1", "leaf-3", "Ethernet1/7", None);
    let rio = hears(rio, std::slice::from_ref(&switch));
    let sao = hears(sao, &[]);
    let reports = [rio, sao];
    let topology = Topology::derive(&reports, &[]);
    assert!(topology.links.is_empty());
    assert_eq!(topology.hosts[&HostId::new("rio")].neighbors, [switch]);
    let links = physical(&reports, &[link(("rio", "eth1"), ("sao", "eth2"))]);
    assert_eq!(
        links[0].conflict.as_deref(),
        Some("By LLDP, rio eth1 leads to leaf-3 Ethernet1/7.")
    );
}

#[test]
fn a_neighbour_is_found_by_its_address_before_its_name() {
    let [rio, mut sao] = pair();
    let link = |rio: &HostReport, sao: &HostReport| {
        let links = physical(&[rio.clone(), sao.clone()], &[]);
        ids(&links).join(" ")
    };
    sao.neighbors.clear();
    let says =
        |system: &str, port: &str, mac| hears(rio.clone(), &[neighbor("eth1", system, port, mac)]);
    let known = "physical:rio/eth1--sao/eth2";
    // By the address: the text is anything.
    assert_eq!(link(&says("x", "to rio", Some(mac(2, 2))), &sao), known);
    // By the name, with or without its domain, when the address is unknown.
    assert_eq!(link(&says("SAO", "eth2", Some(mac(9, 9))), &sao), known);
    assert_eq!(link(&says("sao.example.net", "eth2", None), &sao), known);
    // A bridge has the address of one of its ports: the name decides which it is.
    let bridged = sao.clone().interface("br0", "bridge", &["eth2"]);
    let mut bridged = bridged;
    bridged.inventory().interfaces.last_mut().unwrap().mac = Some(mac(2, 2));
    assert_eq!(link(&says("sao", "eth2", Some(mac(2, 2))), &bridged), known);
    // Nobody is who two could be; nobody is its own neighbour.
    let mut twin = wired("twin", 7, &["eth2"]);
    twin.inventory().node.hostname = Some("sao".to_owned());
    let ambiguous = [says("sao", "eth2", None), sao.clone(), twin];
    assert!(physical(&ambiguous, &[]).is_empty());
    assert_eq!(link(&says("rio", "eth0", Some(mac(1, 0))), &sao), "");
}

#[test]
fn cables_join_what_they_connect_unless_lldp_contradicts() {
    let [rio, sao] = pair();
    let rio = rio
        .interface("br0", "bridge", &["eth1"])
        .router(1, vec![bridge("br0")]);
    let sao = sao
        .interface("br1", "bridge", &["eth1"])
        .interface("br2", "bridge", &["eth2"])
        .router(2, vec![bridge("br2")])
        .router(3, vec![bridge("br1")]);
    let virtual_links = |declared: &[DeclaredLink]| {
        let topology = Topology::derive([&rio, &sao], declared);
        let links = topology.links.values();
        let links = links.filter(|link| link.kind == LinkKind::Virtual);
        links.map(|link| link.id.to_string()).collect::<Vec<_>>()
    };
    let heard = virtual_links(&[]);
    assert_eq!(heard.len(), 1, "{heard:?}");
    let wrong = [link(("rio", "eth1"), ("sao", "eth1"))];
    assert_eq!(virtual_links(&wrong), heard);
}

#[test]
fn what_is_heard_and_contradicted_is_said_in_sentences() {
    let declared = [link(("rio", "eth1"), ("sao", "eth2"))];
    let sentences = |old: &[HostReport], new: &[HostReport]| {
        let [old, new] = [old, new].map(|reports| Topology::derive(reports, &declared));
        let difference = Difference::between(&old, &new);
        let described = difference.describe(&old, &new);
        let described: Vec<_> = described.into_iter().map(|one| one.sentence).collect();
        described
    };
    let reports = pair();
    let [mut rio, sao] = reports.clone();
    rio.neighbors.clear();
    let one = [rio.clone(), sao.clone()];
    assert_eq!(
        sentences(&one, &reports),
        ["physical link between rio eth1 and sao eth2 is heard by rio, too"]
    );
    assert_eq!(
        sentences(&reports, &one),
        ["physical link between rio eth1 and sao eth2 is no longer heard by rio"]
    );
    let moved = hears(rio, &[neighbor("eth1", "leaf-3", "e7", None)]);
    assert_eq!(
        sentences(&one, &[moved, sao]),
        [
            "host rio hears leaf-3 e7",
            "physical link between rio eth1 and sao eth2 is contradicted: By LLDP, rio eth1 leads \
             to leaf-3 e7"
        ]
    );
}
