//! Which bridges of several hosts are one segment, by where their VXLANs lead.

use crate::fleet::{With, bridge, host, link};
use model::{
    Attachment, Difference, HostId, HostReport, LinkEnd, LinkSource, SegmentKind, Topology, Vxlan,
    VxlanReach,
};

fn derive(reports: &[HostReport]) -> Topology {
    Topology::derive(reports, &[])
}

fn group(interface: &str, id: u32, port: u16, group: &str) -> Vxlan {
    Vxlan {
        interface: interface.to_owned(),
        id,
        port,
        reach: VxlanReach::Group(group.parse().unwrap()),
    }
}

fn peers(interface: &str, id: u32, local: &str, remotes: &[&str]) -> Vxlan {
    Vxlan {
        interface: interface.to_owned(),
        id,
        port: 4789,
        reach: VxlanReach::Peers {
            local: local.parse().unwrap(),
            remotes: remotes.iter().map(|of| of.parse().unwrap()).collect(),
        },
    }
}

/// A host with a router on a bridge of which a VXLAN is a port.
fn on(name: &str, router: u8, vxlan: Vxlan) -> HostReport {
    let mut report = host(name)
        .interface("br-blue", "bridge", &[&vxlan.interface])
        .router(router, vec![bridge("br-blue")]);
    report.vxlans = vec![vxlan];
    report
}

/// The members of every segment, by router number.
fn segments(topology: &Topology) -> Vec<Vec<u8>> {
    let members = topology.segments.values().map(|segment| {
        let members = segment.members.iter();
        members
            .map(|member| member.router.0.as_bytes()[0])
            .collect()
    });
    let mut all: Vec<_> = members.collect();
    all.sort();
    all
}

fn told(host: &str) -> LinkSource {
    LinkSource::Vxlan(HostId::new(host))
}

#[test]
fn bridges_of_one_vxlan_are_one_segment_whatever_their_ports_are_called() {
    let rio = on("rio", 1, group("vx42", 42, 4789, "239.0.0.42"));
    let sao = on("sao", 2, group("blue", 42, 4789, "239.0.0.42"));
    let topology = derive(&[rio.clone(), sao.clone()]);
    assert_eq!(segments(&topology), [vec![1, 2]]);
    let segment = topology.segments.values().next().unwrap();
    assert_eq!(segment.id.as_str(), "vxlan/42/4789/239.0.0.42");
    assert_eq!(
        (segment.name.as_str(), segment.kind),
        ("br-blue", SegmentKind::Bridge)
    );
    assert_eq!(segment.hosts.len(), 2);
    let link = topology.links.values().next().unwrap();
    assert_eq!(
        link.sources,
        [LinkSource::Libvirt, told("rio"), told("sao")].into()
    );

    // A third one makes a node of it, and the id stays, though its host is the first by name.
    let ana = on("ana", 3, group("vx42", 42, 4789, "239.0.0.42"));
    let more = derive(&[rio, sao, ana]);
    assert_eq!(segments(&more), [vec![1, 2, 3]]);
    assert_eq!(more.segments.keys().next(), Some(&segment.id));
    for link in more.links.values() {
        assert_eq!(link.b, LinkEnd::Segment(segment.id.clone()));
        assert_eq!(link.sources.len(), 2, "{link:?}");
    }
}

#[test]
fn another_identifier_port_or_group_is_another_segment() {
    let one = || on("rio", 1, group("vx42", 42, 4789, "239.0.0.42"));
    for other in [
        group("vx42", 43, 4789, "239.0.0.42"),
        group("vx42", 42, 8472, "239.0.0.42"),
        group("vx42", 42, 4789, "239.0.0.43"),
        peers("vx42", 42, "192.0.2.2", &["192.0.2.1"]),
    ] {
        let topology = derive(&[one(), on("sao", 2, other)]);
        assert_eq!(segments(&topology), [vec![1], vec![2]]);
        assert!(topology.links.is_empty());
    }
}

#[test]
fn ends_that_list_each_other_are_one_segment() {
    let rio = || on("rio", 1, peers("vx7", 7, "192.0.2.1", &["192.0.2.2"]));
    let sao = |remotes: &[&str]| on("sao", 2, peers("vx7", 7, "192.0.2.2", remotes));
    let both = derive(&[rio(), sao(&["192.0.2.1"])]);
    assert_eq!(segments(&both), [vec![1, 2]]);
    let id = both.segments.keys().next().unwrap();
    assert_eq!(id.as_str(), "vxlan/7/4789/192.0.2.1-192.0.2.2");
    // Who is not listed by the other end gets no frames from there.
    let one = derive(&[rio(), sao(&["192.0.2.3"])]);
    assert_eq!(segments(&one), [vec![1], vec![2]]);
    // It is enough that each is in touch with one of them.
    let ana = on("ana", 3, peers("vx7", 7, "192.0.2.3", &["192.0.2.2"]));
    let all = derive(&[rio(), sao(&["192.0.2.1", "192.0.2.3"]), ana]);
    assert_eq!(segments(&all), [vec![1, 2, 3]]);
}

#[test]
fn what_is_directly_on_it_is_in_it_and_its_own_host_needs_no_tunnel() {
    let mut rio = host("rio")
        .router(1, vec![Attachment::Direct("vx42".to_owned())])
        .router(2, vec![Attachment::Direct("vx42".to_owned())]);
    rio.vxlans = vec![group("vx42", 42, 4789, "239.0.0.42")];
    let alone = derive(&[rio.clone()]);
    assert_eq!(segments(&alone), [vec![1, 2]]);
    // Also where others would be, but have no router there.
    let sao = host("sao").interface("br-blue", "bridge", &["vx42"]);
    let mut sao = sao.router(3, vec![]);
    sao.vxlans = rio.vxlans.clone();
    let topology = derive(&[rio, sao]);
    assert_eq!(segments(&topology), [vec![1, 2]]);
    for topology in [alone, topology] {
        let link = topology.links.values().next().unwrap();
        assert_eq!(link.sources, [LinkSource::Libvirt].into());
    }
}

#[test]
fn where_nobody_can_be_asked_a_declared_link_between_the_bridges_joins_them() {
    let mut reports = [
        on("rio", 1, group("vx42", 42, 4789, "239.0.0.42")),
        on("sao", 2, group("vx42", 42, 4789, "239.0.0.42")),
    ];
    for report in &mut reports {
        report.vxlans.clear();
    }
    let declared = link(("rio", "br-blue"), ("sao", "br-blue"));
    let topology = Topology::derive(&reports, &[declared]);
    assert_eq!(segments(&topology), [vec![1, 2]]);
}

#[test]
fn that_a_vxlan_becomes_known_is_a_change_that_can_be_told() {
    let known = [
        on("rio", 1, group("vx42", 42, 4789, "239.0.0.42")),
        on("sao", 2, group("vx42", 42, 4789, "239.0.0.42")),
    ];
    let mut unknown = known.clone();
    for report in &mut unknown {
        report.vxlans.clear();
    }
    let (before, after) = (derive(&unknown), derive(&known));
    let difference = Difference::between(&before, &after);
    let mut replayed = before.clone();
    difference.apply(&mut replayed);
    assert_eq!(replayed, after);
    assert!(!difference.describe(&before, &after).is_empty());
}
