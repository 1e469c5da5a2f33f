//! What would become of a router's interfaces on another host.

use crate::fleet::{With, bridge, host, id, link};
use model::{Attachment, DeclaredLink, HostId, HostReport, Placement, Topology, Vxlan, VxlanReach};
use std::collections::BTreeMap;

fn placed(reports: &[HostReport], links: &[DeclaredLink], to: &str) -> Vec<Placement> {
    Placement::of(reports, links, id(1), &HostId::new(to))
}

fn on(name: &str, of: &str) -> HostReport {
    host(name).interface("br0", "bridge", &[of])
}

fn network(name: &str) -> Attachment {
    Attachment::Network(name.to_owned())
}

#[test]
fn bridges_that_a_cable_joins_are_the_same_and_their_name_alone_is_not() {
    let rio = on("rio", "eth1").router(1, vec![bridge("br0")]);
    let reports = [rio, on("sao", "eth2"), on("ana", "eth1")];
    let cable = [link(("rio", "eth1"), ("sao", "eth2"))];
    assert_eq!(placed(&reports, &cable, "sao"), [Placement::Same]);
    // The same names, and nothing that joins them.
    assert_eq!(placed(&reports, &cable, "ana"), [Placement::Elsewhere]);
    assert_eq!(placed(&reports, &[], "sao"), [Placement::Elsewhere]);
    // Over a third host, whose bridge both cables lead to.
    let mut reports = reports;
    reports[1] = host("sao").interface("br0", "bridge", &["eth2", "eth3"]);
    let cables = [
        link(("rio", "eth1"), ("sao", "eth2")),
        link(("sao", "eth3"), ("ana", "eth1")),
    ];
    assert_eq!(placed(&reports, &cables, "ana"), [Placement::Same]);
}

#[test]
fn a_bridge_of_the_same_name_on_a_cable_to_another_bridge_is_elsewhere() {
    let rio = on("rio", "eth1").router(1, vec![bridge("br0")]);
    let sao =
        host("sao")
            .interface("br0", "bridge", &["eth1"])
            .interface("br1", "bridge", &["eth2"]);
    let cable = [link(("rio", "eth1"), ("sao", "eth2"))];
    // What is joined to rio's br0 is sao's br1.
    assert_eq!(placed(&[rio, sao], &cable, "sao"), [Placement::Elsewhere]);
}

#[test]
fn bridges_of_one_vxlan_are_the_same() {
    let vxlan = |interface: &str, id: u32| Vxlan {
        interface: interface.to_owned(),
        id,
        port: 4789,
        reach: VxlanReach::Group("239.0.0.42".parse().unwrap()),
    };
    let mut rio = on("rio", "vx42").router(1, vec![bridge("br0")]);
    rio.vxlans = vec![vxlan("vx42", 42)];
    let mut sao = on("sao", "blue");
    sao.vxlans = vec![vxlan("blue", 42)];
    let mut ana = on("ana", "vx42");
    ana.vxlans = vec![vxlan("vx42", 43)];
    let reports = [rio, sao, ana];
    assert_eq!(placed(&reports, &[], "sao"), [Placement::Same]);
    assert_eq!(placed(&reports, &[], "ana"), [Placement::Elsewhere]);
}

#[test]
fn what_is_not_there_is_absent_and_who_tells_of_nothing_leaves_it_open() {
    let rio = on("rio", "eth1").router(1, vec![bridge("br0"), Attachment::Direct("eth1".into())]);
    let other = host("sao").interface("br1", "bridge", &["eth1"]);
    let reports = [rio, other, host("mute"), {
        let mut silent = host("never");
        silent.inventory = None;
        silent
    }];
    let [bridge, direct] = placed(&reports, &[], "sao")[..] else {
        panic!("one for each interface");
    };
    assert_eq!(bridge, Placement::Absent);
    // A port of a bridge is not listed by itself.
    assert_eq!(direct, Placement::Absent);
    assert_eq!(placed(&reports, &[], "mute"), [Placement::Untold; 2]);
    // Who never reported, or is no host, says nothing at all; nor does an unknown router.
    assert_eq!(placed(&reports, &[], "never"), []);
    assert_eq!(placed(&reports, &[], "nowhere"), []);
    assert_eq!(Placement::of(&reports, &[], id(9), &HostId::new("sao")), []);
}

#[test]
fn networks_are_found_by_name_and_are_the_same_by_their_bridge() {
    let rio = on("rio", "eth1")
        .network(1, "lan", Some("br0"))
        .network(2, "own", None)
        .router(1, vec![network("lan"), network("own"), network("gone")]);
    let sao = on("sao", "eth1")
        .network(3, "lan", Some("br0"))
        .network(4, "own", None);
    let reports = [rio, sao];
    let cable = [link(("rio", "eth1"), ("sao", "eth1"))];
    assert_eq!(
        placed(&reports, &cable, "sao"),
        [Placement::Same, Placement::Elsewhere, Placement::Absent]
    );
    assert_eq!(placed(&reports, &[], "sao")[0], Placement::Elsewhere);
}

#[test]
fn tunnels_multicast_and_what_needs_no_wire_are_told_apart() {
    let udp = Attachment::Udp {
        local: Some("10.0.0.1:5559".to_owned()),
        remote: Some("10.0.0.2:5559".to_owned()),
    };
    let attachments = vec![
        Attachment::Multicast(Some("239.0.0.1:5558".to_owned())),
        udp,
        Attachment::Tcp(Some("10.0.0.1:5560".to_owned())),
        Attachment::User,
        Attachment::Ethernet,
        Attachment::Other("vhostuser".to_owned()),
    ];
    let reports = [host("rio").router(1, attachments), host("sao")];
    assert_eq!(
        placed(&reports, &[], "sao"),
        [
            Placement::Same,
            Placement::Tunnel,
            Placement::Tunnel,
            Placement::Unattached,
            Placement::Unknown,
            Placement::Unknown,
        ]
    );
}

#[test]
fn asking_where_a_router_could_be_changes_nothing_of_where_it_is() {
    let rio = on("rio", "eth1").router(1, vec![bridge("br0")]);
    let reports = [rio, on("sao", "eth2").router(2, vec![bridge("br0")])];
    let before = Topology::derive(&reports, &[]);
    assert_eq!(placed(&reports, &[], "sao"), [Placement::Elsewhere]);
    assert_eq!(Topology::derive(&reports, &[]), before);
    // On the host that it is on it is what it is.
    assert_eq!(placed(&reports, &[], "rio"), [Placement::Same]);
}

#[test]
fn who_is_being_moved_is_marked_until_it_is_there() {
    let reports = [host("rio").router(1, vec![]).router(2, vec![]), host("sao")];
    let topology = Topology::derive(&reports, &[]);
    let migrations = BTreeMap::from([
        (id(1), HostId::new("sao")),
        // Not there at all, or there already.
        (id(9), HostId::new("sao")),
        (id(2), HostId::new("rio")),
    ]);
    let marked = topology.clone().with_migrations(&migrations);
    assert_eq!(
        marked.routers[&id(1)].migrating_to,
        Some(HostId::new("sao"))
    );
    assert_eq!(marked.routers[&id(2)].migrating_to, None);
    assert_eq!(marked.routers.len(), 2);
    // The one before is as it was: both share what did not change.
    assert_eq!(topology.routers[&id(1)].migrating_to, None);
    assert_eq!(
        topology.with_migrations(&BTreeMap::new()).routers[&id(1)].migrating_to,
        None
    );
}

#[test]
fn that_a_router_is_being_moved_is_a_change_that_is_told() {
    let (rio, sao) = (host("rio"), host("sao"));
    let before = Topology::derive(&[rio.clone().router(1, vec![]), sao.clone()], &[]);
    let to_sao = BTreeMap::from([(id(1), HostId::new("sao"))]);
    let moving = before.clone().with_migrations(&to_sao);
    let there = Topology::derive(&[rio, sao.router(1, vec![])], &[]).with_migrations(&to_sao);
    let told = |a: &Topology, b: &Topology| {
        let difference = model::Difference::between(a, b);
        let mut replayed = a.clone();
        difference.apply(&mut replayed);
        assert_eq!(replayed, *b);
        let told = difference.describe(a, b);
        told.into_iter().map(|of| of.sentence).collect::<Vec<_>>()
    };
    let sentences = told(&before, &moving);
    assert_eq!(sentences, ["router r1 on rio is being moved to sao"]);
    let sentences = told(&moving, &before);
    assert_eq!(sentences, ["router r1 on rio is no longer being moved"]);
    let sentences = told(&moving, &there);
    assert!(
        sentences
            .iter()
            .any(|it| it.contains("moved from rio to sao")),
        "{sentences:?}"
    );
}
