//! Who is linked with whom, by example.

use crate::fleet::{With, bridge, host, id, link};
use model::{
    Attachment, Contact, HostReport, LinkEnd, LinkKind, LinkState, RouterState, SegmentKind,
    Topology,
};

fn derive(reports: &[HostReport]) -> Topology {
    Topology::derive(reports, &[])
}

/// The members of every segment, by router number, with whether it is drawn.
fn segments(topology: &Topology) -> Vec<(Vec<u8>, bool)> {
    let mut all: Vec<_> = topology
        .segments
        .values()
        .map(|segment| {
            let members = segment.members.iter().map(|m| m.router.0.as_bytes()[0]);
            (members.collect(), segment.drawn)
        })
        .collect();
    all.sort();
    all
}

fn network(name: &str) -> Attachment {
    Attachment::Network(name.to_owned())
}

fn udp(local: &str, remote: &str) -> Attachment {
    Attachment::Udp {
        local: Some(local.to_owned()),
        remote: Some(remote.to_owned()),
    }
}

#[test]
fn two_on_a_bridge_are_linked_and_three_meet_in_a_node() {
    let rio = host("rio")
        .router(1, vec![bridge("br0"), bridge("br1")])
        .router(2, vec![bridge("br0"), bridge("br1")])
        .router(3, vec![bridge("br1"), bridge("br2")]);
    let topology = derive(&[rio]);
    assert_eq!(
        segments(&topology),
        [(vec![1, 2], false), (vec![1, 2, 3], true), (vec![3], false)]
    );
    // One link of two, three to the node, none for the lonely one.
    assert_eq!(topology.links.len(), 4);
    let node = topology.segments.values().find(|s| s.drawn).unwrap();
    assert_eq!(node.id.as_str(), "bridge/rio/br1");
    let to_node = |l: &&std::sync::Arc<model::Link>| l.b == LinkEnd::Segment(node.id.clone());
    assert_eq!(topology.links.values().filter(to_node).count(), 3);
}

#[test]
fn a_router_wired_to_itself_is_no_link_between_two_ends() {
    let rio = host("rio").router(1, vec![bridge("br0"), bridge("br0")]);
    let topology = derive(&[rio]);
    assert_eq!(segments(&topology), [(vec![1, 1], true)]);
    assert!(topology.links.values().all(|l| l.a != l.b));
}

#[test]
fn names_alone_join_nothing() {
    let of = |name: &str, router| {
        host(name)
            .network(7, "default", Some("virbr0"))
            .router(router, vec![network("default"), bridge("br0")])
    };
    // Even with one UUID, as on hosts installed from one image.
    let topology = derive(&[of("rio", 1), of("sao", 2)]);
    assert_eq!(topology.segments.len(), 4);
    assert!(topology.links.is_empty());
}

#[test]
fn a_network_is_its_bridge() {
    let rio = host("rio")
        .network(7, "lan", Some("virbr0"))
        .router(1, vec![network("lan")])
        .router(2, vec![bridge("virbr0")])
        .router(3, vec![network("unheard of")]);
    let topology = derive(&[rio]);
    assert_eq!(segments(&topology), [(vec![1, 2], false)]);
    let segment = topology.segments.values().next().unwrap();
    assert_eq!(
        (segment.name.as_str(), segment.kind),
        ("lan", SegmentKind::Network)
    );
}

#[test]
fn a_physical_link_joins_the_bridges_that_its_ends_are_ports_of() {
    let rio = host("rio")
        .interface("br0", "bridge", &["eth1"])
        .router(1, vec![bridge("br0")]);
    let sao = host("sao")
        .interface("brx", "bridge", &["eth2"])
        .router(2, vec![bridge("brx")]);
    let apart = Topology::derive([&rio, &sao], &[link(("rio", "eth0"), ("sao", "eth2"))]);
    assert_eq!(segments(&apart), [(vec![1], false), (vec![2], false)]);
    let joined = Topology::derive([&rio, &sao], &[link(("sao", "eth2"), ("rio", "eth1"))]);
    assert_eq!(segments(&joined), [(vec![1, 2], false)]);
    let segment = joined.segments.values().next().unwrap();
    assert_eq!(segment.id.as_str(), "bridge/rio/br0");
    assert_eq!(segment.name, "br0, brx");
    assert_eq!(segment.hosts.len(), 2);
    let physical = (joined.links.values())
        .find(|l| l.kind == LinkKind::Physical)
        .unwrap();
    assert_eq!(physical.id.as_str(), "physical:rio/eth1--sao/eth2");
    assert_eq!(physical.capacity_bits_per_second, Some(10_000_000_000));
    let virtual_link = (joined.links.values())
        .find(|l| l.kind == LinkKind::Virtual)
        .unwrap();
    assert_eq!(virtual_link.segment.as_ref(), Some(&segment.id));
}

#[test]
fn a_link_to_an_unregistered_host_is_left_out() {
    let topology = Topology::derive([&host("rio")], &[link(("rio", "eth0"), ("sao", "eth0"))]);
    assert!(topology.links.is_empty());
}

#[test]
fn tunnels_are_joined_by_their_addresses() {
    let multicast = || Attachment::Multicast(Some("230.0.0.1:5558".to_owned()));
    let tcp = |address: &str| Attachment::Tcp(Some(address.to_owned()));
    let rio = host("rio")
        .router(
            1,
            vec![udp("192.0.2.1:7000", "192.0.2.2:7000"), multicast()],
        )
        .router(3, vec![udp("127.0.0.1:7000", "127.0.0.1:7001")])
        .router(5, vec![tcp("192.0.2.1:9000")]);
    let sao = host("sao")
        .router(
            2,
            vec![udp("192.0.2.2:7000", "192.0.2.1:7000"), multicast()],
        )
        .router(4, vec![udp("127.0.0.1:7001", "127.0.0.1:7000")])
        .router(6, vec![tcp("192.0.2.1:9000")]);
    let topology = derive(&[rio, sao]);
    assert_eq!(
        segments(&topology),
        [
            (vec![1, 2], false),
            (vec![1, 2], false),
            // A loopback address means another thing on every host.
            (vec![3], false),
            (vec![4], false),
            (vec![5, 6], false),
        ]
    );
}

#[test]
fn macvtap_on_one_interface_and_the_wire_behind_it_are_one_segment() {
    let direct = |device: &str| Attachment::Direct(device.to_owned());
    let rio = host("rio")
        .router(1, vec![direct("eth1")])
        .router(2, vec![direct("eth1")]);
    let sao = host("sao")
        .interface("br0", "bridge", &["eth1"])
        .router(3, vec![bridge("br0")])
        .router(4, vec![direct("eth2")]);
    let topology = Topology::derive([&rio, &sao], &[link(("rio", "eth1"), ("sao", "eth1"))]);
    assert_eq!(
        segments(&topology),
        [(vec![1, 2, 3], true), (vec![4], false)]
    );
}

#[test]
fn a_link_is_up_while_both_routers_run() {
    let state = |state| {
        let rio = host("rio")
            .router(1, vec![bridge("br0")])
            .router(2, vec![bridge("br0")])
            .state(2, state);
        derive(&[rio]).links.values().next().unwrap().state
    };
    assert_eq!(state(RouterState::Running), LinkState::Up);
    assert_eq!(state(RouterState::Suspended), LinkState::Down);
    assert_eq!(state(RouterState::ShutOff), LinkState::Down);
    assert_eq!(state(RouterState::Unknown), LinkState::Unknown);
}

#[test]
fn an_unreachable_host_keeps_its_routers() {
    let mut rio = host("rio")
        .router(1, vec![bridge("br0")])
        .router(2, vec![bridge("br0")]);
    rio.set_contact(Contact::Unreachable);
    let topology = derive(&[rio]);
    assert_eq!(topology.routers.len(), 2);
    assert!(!topology.is_current(&topology.routers[&id(1)].host));
    assert_eq!(
        topology.links.values().next().unwrap().state,
        LinkState::Unknown
    );
}

#[test]
fn a_standby_definition_is_no_second_router() {
    let rio = host("rio")
        .router(1, vec![bridge("br0")])
        .state(1, RouterState::ShutOff);
    let sao = host("sao").router(1, vec![bridge("br0")]);
    for reports in [[rio.clone(), sao.clone()], [sao, rio]] {
        let topology = derive(&reports);
        assert_eq!(topology.routers[&id(1)].host.as_str(), "sao");
        assert_eq!(topology.segments.len(), 1);
    }
}

#[test]
fn while_it_moves_a_router_is_where_it_runs() {
    // Paused at its target, which comes first by id, until it runs there.
    let target = host("ams")
        .router(1, vec![bridge("br0")])
        .state(1, RouterState::Suspended);
    let source = host("rio").router(1, vec![bridge("br0")]);
    let topology = derive(&[target.clone(), source.clone()]);
    let router = &topology.routers[&id(1)];
    assert_eq!(
        (router.host.as_str(), router.domain.state),
        ("rio", RouterState::Running)
    );
    let (target, source) = (
        target.state(1, RouterState::Running),
        source.state(1, RouterState::Suspended),
    );
    let topology = derive(&[target, source]);
    assert_eq!(topology.routers[&id(1)].host.as_str(), "ams");
}

#[test]
fn servers_at_a_wildcard_address_are_one_a_host() {
    let tcp = |address: &str| Attachment::Tcp(Some(address.to_owned()));
    for wildcard in ["0.0.0.0:5558", "[::]:5558"] {
        let rio = host("rio")
            .router(1, vec![tcp(wildcard)])
            .router(2, vec![tcp(wildcard)]);
        let sao = host("sao").router(3, vec![tcp(wildcard)]);
        assert_eq!(
            segments(&derive(&[rio, sao])),
            [(vec![1, 2], false), (vec![3], false)],
            "{wildcard}"
        );
    }
}

#[test]
fn what_a_tap_is_plugged_into_counts_for_a_device_wired_by_others() {
    let rio = host("rio")
        .interface("br0", "bridge", &["tap7"])
        .router(1, vec![bridge("br0")])
        .router(2, vec![Attachment::Ethernet]);
    let mut wired = rio.clone();
    let domain = wired.inventory().domains.get_mut(&id(2)).unwrap();
    std::sync::Arc::make_mut(domain).interfaces[0].device = Some("tap7".to_owned());
    assert!(derive(&[rio]).links.is_empty());
    assert_eq!(derive(&[wired]).links.len(), 1);
}
