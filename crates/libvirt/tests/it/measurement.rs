//! Counters.

use libvirt::{DomainState, ErrorKind, StatsGroups};
use uuid::Uuid;

use crate::fleet::{CORE, EDGE, SPARE, host};

#[tokio::test]
async fn running_domains_are_measured_one_by_one() {
    let host = host().await;
    let mut stats = host
        .connection
        .domain_stats(StatsGroups::ALL)
        .await
        .unwrap();
    stats.sort_by_key(|domain| domain.uuid);
    // The one that does not run is left out.
    assert_eq!(
        stats.iter().map(|domain| domain.uuid).collect::<Vec<_>>(),
        [CORE, EDGE]
    );
    let edge = &stats[1];
    assert_eq!(edge.state, DomainState::Running);
    assert_eq!(edge.vcpus, Some(2));
    assert_eq!(edge.memory_maximum_bytes, Some(256 << 20));
    assert!(edge.cpu_time_ns.is_some());
    assert!(edge.memory_used_bytes.is_some());
    // Two interfaces, each under the name of its device, which the definition has too.
    let definition = host
        .connection
        .domain(EDGE)
        .await
        .unwrap()
        .unwrap()
        .definition;
    let devices: Vec<_> = definition
        .interfaces
        .into_iter()
        .filter_map(|i| i.target)
        .collect();
    assert_eq!(
        edge.interfaces
            .iter()
            .map(|i| i.name.clone())
            .collect::<Vec<_>>(),
        devices
    );
    assert_eq!(devices.len(), 2);
    assert!(
        edge.interfaces
            .iter()
            .all(|i| i.rx_bytes.is_some() && i.tx_packets.is_some())
    );
    assert_eq!(edge.blocks.len(), 1);
    assert_eq!(edge.blocks[0].name, "vda");
    assert!(edge.blocks[0].read_bytes.is_some());
}

#[tokio::test]
async fn dear_groups_are_read_only_when_asked() {
    let host = host().await;
    let connection = &host.connection;
    for domain in connection.domain_stats(StatsGroups::CHEAP).await.unwrap() {
        assert_eq!(
            (domain.memory_used_bytes, domain.blocks),
            (None, Vec::new())
        );
        assert!(!domain.interfaces.is_empty() && domain.cpu_time_ns.is_some());
        assert_eq!(domain.answered, None);
    }
    for domain in connection.domain_stats(StatsGroups::DEAR).await.unwrap() {
        assert_eq!((domain.cpu_time_ns, domain.interfaces), (None, Vec::new()));
        // Only one of them has a balloon.
        assert_eq!(domain.memory_used_bytes.is_some(), domain.uuid == EDGE);
        assert_eq!(domain.state, DomainState::Running);
        assert_eq!(domain.answered, Some(true));
    }
}

#[tokio::test]
async fn domains_can_be_left_out() {
    let host = host().await;
    for (asked, expected) in [
        (vec![EDGE], vec![EDGE]),
        (vec![Uuid::from_u128(42), CORE, SPARE], vec![CORE]),
        (vec![], vec![]),
    ] {
        let stats = host
            .connection
            .domain_stats_of(&asked, StatsGroups::CHEAP)
            .await
            .unwrap();
        let measured: Vec<_> = stats.iter().map(|domain| domain.uuid).collect();
        assert_eq!(measured, expected);
    }
}

#[tokio::test]
async fn the_host_itself_is_measured_as_far_as_its_driver_does() {
    let host = host().await;
    let cpu = host.connection.node_cpu_stats().await.unwrap();
    assert!(cpu.user_ns.is_some() && cpu.system_ns.is_some() && cpu.idle_ns.is_some());
    let error = host.connection.node_memory_stats().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
}

#[tokio::test]
async fn counters_grow_while_a_domain_runs() {
    let host = host().await;
    let total = async || -> u64 {
        let stats = host
            .connection
            .domain_stats(StatsGroups::CHEAP)
            .await
            .unwrap();
        stats
            .iter()
            .flat_map(|domain| &domain.interfaces)
            .filter_map(|i| i.rx_bytes)
            .sum()
    };
    let first = total().await;
    let grew = async {
        while total().await <= first {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), grew)
        .await
        .expect("no growth");
}

/// Run under valgrind to see leaks; elsewhere it shows that many polls do no harm.
#[tokio::test]
async fn many_polls_and_connections_leave_nothing_behind() {
    for _ in 0..5 {
        let host = host().await;
        let events = host.connection.events().await.unwrap();
        for _ in 0..20 {
            assert_eq!(
                host.connection
                    .domain_stats(StatsGroups::ALL)
                    .await
                    .unwrap()
                    .len(),
                2
            );
            assert_eq!(host.connection.list_domains().await.unwrap().len(), 3);
            assert_eq!(host.connection.list_networks().await.unwrap().len(), 2);
        }
        drop(events);
        host.connection.close().await.unwrap();
    }
}
