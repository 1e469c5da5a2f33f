//! What the topology tells of the demo fleet.

use crate::support::{demo, directory, observer, operator};
use api::{
    Error, GetTopologyRequest, HostState, LinkKind, LinkSourceKind, LinkState, ListHostsRequest,
    ListRoutersRequest, RouterState, SuspendRouterRequest, TopologyView,
};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_fleet_is_online_and_whole() {
    let data = directory();
    let running = demo(data.path()).await;
    assert!(
        running
            .host_states()
            .await
            .iter()
            .all(|s| *s == HostState::Online)
    );

    let topology = running.topology().await;
    assert!(topology.version > 0);
    assert!(topology.hosts.len() >= 6, "{} hosts", topology.hosts.len());
    assert!(
        topology.routers.len() >= 36,
        "{} routers",
        topology.routers.len()
    );
    assert!(
        topology
            .sources
            .iter()
            .all(|source| source.current && source.as_of.is_some())
    );
    assert!(topology.routers.iter().all(|router| router.current));
    assert!(
        topology
            .routers
            .iter()
            .any(|router| router.virtual_network.is_some())
    );
    let count = |kind| {
        topology
            .links
            .iter()
            .filter(|link| link.kind == kind)
            .count()
    };
    assert!(count(LinkKind::Physical) >= 6);
    assert!(count(LinkKind::Virtual) >= 20);
    assert!(topology.links.iter().all(|link| {
        link.kind == LinkKind::Virtual
            || (link.state, link.capacity_bits_per_second.is_some()) == (LinkState::Up, true)
    }));
    // A segment of five is a node with a link to each.
    let five = topology
        .segments
        .iter()
        .find(|s| s.members.len() == 5)
        .unwrap();
    assert!(five.drawn);
    let links = topology
        .links
        .iter()
        .filter(|l| l.segment.as_ref() == Some(&five.id));
    assert_eq!(links.count(), 5);
    for link in &topology.links {
        let source = match link.kind {
            LinkKind::Physical => LinkSourceKind::Declared,
            LinkKind::Virtual => LinkSourceKind::Libvirt,
        };
        assert_eq!(link.sources[0].kind, source);
        assert!(link.sources[0].as_of.as_second() > 0);
    }
    // Every router's count is in its host's.
    let hosts = running
        .operations
        .list_hosts(&observer(), ListHostsRequest {})
        .await
        .unwrap();
    let counted: u32 = hosts.hosts.iter().map(|host| host.routers).sum();
    assert_eq!(counted as usize, topology.routers.len());
    running.control.shutdown().await;
}

/// The stored differences, one after the other, lead to what is told.
#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_the_topology_is_complete() {
    use sqlx::Connection;
    let data = directory();
    let running = demo(data.path()).await;
    let router = running.router_that_is(RouterState::Running).await;
    let request = SuspendRouterRequest {
        router: router.id,
        request_id: None,
    };
    let suspended = running
        .operations
        .suspend_router(&operator(), request)
        .await;
    suspended.unwrap();
    let told = running.topology().await;
    running.control.shutdown().await;

    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.path().join("vms.db"));
    let mut database = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    let rows: Vec<(i64, String, String)> =
        sqlx::query_as("SELECT version, summary, difference FROM topology_change ORDER BY version")
            .fetch_all(&mut database)
            .await
            .unwrap();
    let versions: Vec<_> = rows.iter().map(|row| row.0.unsigned_abs()).collect();
    assert_eq!(versions, (1..=told.version).collect::<Vec<_>>());
    let sentence = format!(
        "router {} on {} went from running to suspended",
        router.name, router.host
    );
    assert!(rows.last().unwrap().1.lines().any(|line| line == sentence));
    let mut topology = model::Topology::default();
    for (_, _, difference) in rows {
        let difference: model::Difference = serde_json::from_str(&difference).unwrap();
        difference.apply(&mut topology);
    }
    let replayed: Vec<_> = topology.links.keys().map(ToString::to_string).collect();
    let links: Vec<_> = told.links.iter().map(|link| link.id.to_string()).collect();
    assert_eq!(replayed, links);
    let state = topology.routers[&model::RouterId(router.id.0)].domain.state;
    assert_eq!(state, model::RouterState::Suspended);
    assert_eq!(topology.routers.len(), told.routers.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_parts_and_a_reply_is_shared() {
    let data = directory();
    let running = demo(data.path()).await;
    let get = async |view| {
        let request = GetTopologyRequest { view: Some(view) };
        running
            .operations
            .get_topology(&observer(), request)
            .await
            .unwrap()
    };
    let physical = get(TopologyView::Physical).await;
    assert!(physical.routers.is_empty() && physical.segments.is_empty());
    assert!(
        physical
            .links
            .iter()
            .all(|link| link.kind == LinkKind::Physical)
    );
    let virtual_view = get(TopologyView::Virtual).await;
    assert!(virtual_view.hosts.is_empty() && !virtual_view.routers.is_empty());
    assert!(
        virtual_view
            .links
            .iter()
            .all(|link| link.kind == LinkKind::Virtual)
    );
    let combined = get(TopologyView::Combined).await;
    assert_eq!(
        combined.links.len(),
        physical.links.len() + virtual_view.links.len()
    );
    // Unless a host is heard of in between, which is once a second here.
    let mut shared = false;
    for _ in 0..100 {
        let (one, other) = (running.topology().await, running.topology().await);
        shared |= Arc::ptr_eq(&one, &other);
    }
    assert!(shared);
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn routers_are_listed_by_condition() {
    let data = directory();
    let running = demo(data.path()).await;
    let all = running.routers().await;
    assert!(all.is_sorted_by(|a, b| a.name <= b.name));
    let list = async |request: ListRoutersRequest| {
        running.operations.list_routers(&observer(), request).await
    };
    let one = &all[0];
    let here = list(ListRoutersRequest {
        host: Some(one.host.clone()),
        ..ListRoutersRequest::default()
    });
    let here = here.await.unwrap().routers;
    assert!(here.contains(one) || here.iter().any(|router| router.id == one.id));
    assert!(here.iter().all(|router| router.host == one.host));
    assert!(here.len() < all.len());
    let off = list(ListRoutersRequest {
        state: Some(RouterState::ShutOff),
        ..ListRoutersRequest::default()
    });
    let off = off.await.unwrap().routers;
    assert!(!off.is_empty() && off.iter().all(|r| r.state == RouterState::ShutOff));
    let nowhere = list(ListRoutersRequest {
        host: Some("atlantis".parse().unwrap()),
        ..ListRoutersRequest::default()
    });
    let error = nowhere.await.unwrap_err();
    assert!(matches!(error, Error::NotFound(_)), "{error:?}");
    assert!(error.to_string().contains(one.host.as_str()), "{error}");
    running.control.shutdown().await;
}
