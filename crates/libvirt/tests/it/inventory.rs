//! What is on a host.

use libvirt::{
    Connection, DomainKind, DomainState, HostInterfaceKind, InterfaceKind, Options, RouterMetadata,
    Uri,
};
use uuid::Uuid;

use crate::fleet::{CORE, EDGE, SPARE, TRANSIT, host};

#[tokio::test]
async fn domains_are_listed_with_their_typed_definitions() {
    let host = host().await;
    let mut domains = host.connection.list_domains().await.unwrap();
    domains.sort_by(|a, b| a.name.cmp(&b.name));
    let seen: Vec<_> = domains
        .iter()
        .map(|d| (d.name.as_str(), d.uuid, d.state))
        .collect();
    assert_eq!(
        seen,
        [
            ("core-1", CORE, DomainState::Running),
            ("edge-1", EDGE, DomainState::Running),
            ("spare-1", SPARE, DomainState::ShutOff),
        ]
    );
    let edge = &domains[1];
    assert!(edge.persistent && edge.id.is_some());
    assert_eq!(domains[2].id, None);
    let definition = &edge.definition;
    assert_eq!(definition.title.as_deref(), Some("Edge & gateway"));
    assert_eq!(
        definition.metadata,
        Some(RouterMetadata {
            network: Some("triangle".to_owned()),
            tags: vec!["edge".to_owned()],
            ..RouterMetadata::default()
        })
    );
    assert_eq!(
        (definition.vcpus, definition.memory_bytes),
        (Some(2), Some(256 << 20))
    );
    let interfaces = &definition.interfaces;
    assert_eq!(interfaces[0].kind, InterfaceKind::Bridge);
    assert_eq!(interfaces[0].source.bridge.as_deref(), Some("br-core"));
    assert_eq!(interfaces[0].mac.as_deref(), Some("52:54:00:00:00:01"));
    assert_eq!(interfaces[1].kind, InterfaceKind::Network);
    assert_eq!(interfaces[1].source.network.as_deref(), Some("transit"));
    assert_eq!(definition.disks[0].target, "vda");
    assert_eq!(
        definition.disks[0].source.as_deref(),
        Some("/images/edge-1.img")
    );
}

#[tokio::test]
async fn one_domain_is_the_same_as_in_the_list_and_an_unknown_one_is_none() {
    let host = host().await;
    let listed = host.connection.list_domains().await.unwrap();
    let edge = host.connection.domain(EDGE).await.unwrap();
    assert_eq!(listed.into_iter().find(|domain| domain.uuid == EDGE), edge);
    assert_eq!(host.connection.domain(Uuid::from_u128(42)).await, Ok(None));
}

#[tokio::test]
async fn networks_are_listed() {
    let host = host().await;
    let networks = host.connection.list_networks().await.unwrap();
    assert_eq!(networks.len(), 2);
    let transit = networks
        .iter()
        .find(|network| network.uuid == TRANSIT)
        .unwrap();
    assert!(transit.active);
    assert_eq!(transit.bridge.as_deref(), Some("virbr7"));
    assert_eq!(transit.definition.forward_mode.as_deref(), Some("route"));
    assert_eq!(transit.definition.ips[0].address, "10.7.0.1");
    assert_eq!(transit.definition.ips[0].prefix, Some(24));
}

#[tokio::test]
async fn host_interfaces_are_listed() {
    let host = host().await;
    let interfaces = host.connection.list_interfaces().await.unwrap();
    assert_eq!(interfaces.len(), 1);
    let bridge = &interfaces[0];
    assert_eq!(
        (bridge.name.as_str(), &bridge.kind),
        ("br-core", &HostInterfaceKind::Bridge)
    );
    assert_eq!(bridge.ports, ["eth1"]);
    assert_eq!(bridge.addresses, ["10.0.0.1/24"]);
    assert!(bridge.active);
}

#[tokio::test]
async fn a_host_says_what_it_is() {
    let host = host().await;
    let node = host.connection.node_info().await.unwrap();
    assert_eq!(node.memory_bytes, 8 << 30);
    assert_eq!(
        (node.cpus, node.mhz, node.nodes, node.sockets),
        (16, Some(2400), 2, 2)
    );
    assert!(!host.connection.hostname().await.unwrap().is_empty());
    // Every test host is this machine; none has an identity of its own.
    assert_eq!(host.connection.host_uuid().await, Ok(None));
    let versions = host.connection.versions().await.unwrap();
    assert_eq!(versions.kind, "TEST");
    assert_eq!(
        versions.libvirt.split('.').count(),
        3,
        "{}",
        versions.libvirt
    );
}

#[tokio::test]
async fn a_host_says_what_it_can_run() {
    let host = host().await;
    let capabilities = host.connection.capabilities().await.unwrap();
    let kinds = capabilities.guests.iter().flat_map(|guest| &guest.domains);
    assert!(kinds.clone().count() > 0);
    assert!(kinds.clone().all(|domain| domain.kind == DomainKind::Test));
    assert!(!capabilities.live_migration);
}

#[tokio::test]
async fn the_built_in_test_host_opens_from_text() {
    let uri = Uri::parse("test:///default").unwrap();
    let connection = Connection::open(&uri, Options::default()).await.unwrap();
    let domains = connection.list_domains().await.unwrap();
    assert!(domains.iter().any(|domain| domain.name == "test"));
}
