//! Paths through the demo fleet, and what it carries.

use crate::support::{PATIENCE, Running, demo, directory, next, observer, operator, start};
use api::{
    ElementId, Error, Event, FindPathsReply, FindPathsRequest, GetLoadReply, GetLoadRequest,
    GetTopologyReply, HostId, LinkEnd, LinkId, LinkKind, LinkState, Path, PathMetric, PathStep,
    Router, RouterId, SuspendRouterRequest, TopologyView,
};
use control::{DeclaredLink, HostSettings, Settings, Uri};
use std::{collections::BTreeSet, time::Duration};

fn between(origin: impl Into<ElementId>, destination: impl Into<ElementId>) -> FindPathsRequest {
    FindPathsRequest {
        origin: origin.into(),
        destination: destination.into(),
        view: None,
        metric: None,
        alternatives: None,
        avoid: Vec::new(),
        include_down: None,
    }
}

fn host(id: &str) -> ElementId {
    id.parse::<HostId>().unwrap().into()
}

/// The names along a path.
fn names(steps: &[PathStep]) -> Vec<&str> {
    steps.iter().map(|step| step.name.as_str()).collect()
}

fn end_of(end: &LinkEnd) -> ElementId {
    ElementId {
        host: end.host.clone(),
        router: end.router,
        segment: end.segment.clone(),
        link: None,
    }
}

impl Running {
    async fn find(&self, request: FindPathsRequest) -> Result<FindPathsReply, Error> {
        self.operations.find_paths(&observer(), request).await
    }

    async fn paths(&self, request: FindPathsRequest) -> Vec<Path> {
        let reply = self.find(request).await.unwrap();
        assert_eq!(reply.reason.is_some(), reply.paths.is_empty(), "{reply:?}");
        reply.paths
    }

    async fn named(&self, name: &str) -> Router {
        let routers = self.routers().await;
        let found = routers.into_iter().find(|router| router.name == name);
        found.unwrap_or_else(|| panic!("no router is called {name}"))
    }

    async fn load(&self, view: TopologyView) -> GetLoadReply {
        let request = GetLoadRequest { view: Some(view) };
        let reply = self.operations.get_load(&observer(), request).await;
        reply.unwrap()
    }

    /// The load once all that runs was measured twice, so that there are rates.
    async fn full_load(&self) -> GetLoadReply {
        let events = self.operations.subscribe(&observer(), None).await;
        let mut events = events.unwrap();
        let measured = |event: &Event| matches!(event, Event::Measured { .. });
        let known = async {
            loop {
                next(&mut events, measured).await;
                let load = self.load(TopologyView::Combined).await;
                let rates = load.links.iter().filter(|link| link.a_to_b.is_some());
                if rates.count() > 30 && load.hosts.len() == 7 {
                    return load;
                }
            }
        };
        let load = tokio::time::timeout(PATIENCE, known).await;
        load.expect("everything is measured")
    }
}

/// That each step is joined to the next by a link between them, in the right direction.
fn check(topology: &GetTopologyReply, steps: &[PathStep]) {
    let elements: BTreeSet<_> = steps.iter().map(|step| &step.element).collect();
    assert_eq!(elements.len(), steps.len(), "no element twice");
    for pair in steps.windows(2) {
        let [here, there] = pair else { continue };
        let Some(link) = &here.link else {
            // A router and the host that it is on.
            let (router, host) = match (here.element.router, there.element.router) {
                (Some(router), None) => (router, &there.element.host),
                (None, Some(router)) => (router, &here.element.host),
                other => panic!("{other:?}"),
            };
            let router = topology.routers.iter().find(|of| of.id == router).unwrap();
            assert_eq!(host.as_ref(), Some(&router.host));
            continue;
        };
        let known = topology.links.iter().find(|of| of.id == link.id).unwrap();
        let ends = [&known.a, &known.b];
        let [from, to] = if end_of(ends[0]) == here.element {
            ends
        } else {
            [ends[1], ends[0]]
        };
        assert_eq!(end_of(from), here.element);
        assert_eq!(end_of(to), there.element);
        assert_eq!(from.interface, here.leaves_by);
        assert_eq!(to.interface, there.enters_by);
        assert_eq!(known.state, link.state);
    }
    let last = steps.last().unwrap();
    assert!(last.link.is_none() && last.leaves_by.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn physical_paths_are_found_by_hops_and_latency() {
    let data = directory();
    let running = demo(data.path()).await;
    let topology = running.topology().await;
    let mut request = between(host("poa-edge-1"), host("rec-edge-1"));
    request.view = Some(TopologyView::Physical);
    request.alternatives = Some(16);
    let paths = running.paths(request.clone()).await;
    assert_eq!(paths.len(), 16);
    assert!(paths.is_sorted_by_key(|path| path.hops));
    assert_eq!(paths[0].hops, 3);
    for path in &paths {
        check(&topology, &path.steps);
        let links = path.steps.iter().filter_map(|step| step.link.as_ref());
        let latency: f64 = links.map(|link| link.latency_seconds.unwrap()).sum();
        assert!((path.latency_seconds.unwrap() - latency).abs() < 1e-12);
        assert!(path.underlay.is_empty());
    }
    let different: BTreeSet<Vec<_>> = paths
        .iter()
        .map(|path| {
            path.steps
                .iter()
                .filter_map(|s| Some(&s.link.as_ref()?.id))
                .collect()
        })
        .collect();
    assert_eq!(different.len(), 16);

    request.metric = Some(PathMetric::Latency);
    let paths = running.paths(request.clone()).await;
    assert!(paths.is_sorted_by(|a, b| a.latency_seconds <= b.latency_seconds));
    let best = names(&paths[0].steps);
    assert_eq!(
        best,
        ["poa-edge-1", "sp-core-1", "rio-core-1", "rec-edge-1"]
    );
    assert!((paths[0].latency_seconds.unwrap() - 0.0193).abs() < 1e-9);

    request.avoid = vec![host("rio-core-1")];
    let paths = running.paths(request.clone()).await;
    assert!(
        paths
            .iter()
            .all(|path| !names(&path.steps).contains(&"rio-core-1"))
    );
    request.avoid.clear();
    let (first, by) = (&paths[0], &paths[0].steps[0]);
    request
        .avoid
        .push(by.link.as_ref().unwrap().id.clone().into());
    let others = running.paths(request).await;
    assert!(
        others
            .iter()
            .all(|path| path.steps[0].link != first.steps[0].link)
    );
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_virtual_path_lies_a_physical_one() {
    let data = directory();
    let running = demo(data.path()).await;
    let topology = running.topology().await;
    let (from, to) = (
        running.named("sense-poa").await,
        running.named("sense-rec").await,
    );
    let mut request = between(from.id, to.id);
    request.view = Some(TopologyView::Virtual);
    let paths = running.paths(request.clone()).await;
    let path = &paths[0];
    check(&topology, &path.steps);
    assert_eq!(
        names(&path.steps),
        ["sense-poa", "sense-sp", "sense-rio", "sense-rec"]
    );
    assert_eq!(path.underlay.len(), 3);
    for (under, pair) in path.underlay.iter().zip(path.steps.windows(2)) {
        check(&topology, &under.steps);
        let link = pair[0].link.as_ref().unwrap();
        assert_eq!(under.links, std::slice::from_ref(&link.id));
        let ends = [under.steps.first().unwrap(), under.steps.last().unwrap()];
        assert_eq!(
            ends.map(|step| &step.element),
            [&pair[0].element, &pair[1].element]
        );
        assert!(under.steps[1].element.host.is_some());
        // What the cables take is what the virtual link takes.
        assert_eq!(under.latency_seconds, link.latency_seconds);
        assert_eq!(link.kind, LinkKind::Virtual);
    }
    let sum: Option<f64> = path
        .underlay
        .iter()
        .map(|under| under.latency_seconds)
        .sum();
    assert!((path.latency_seconds.unwrap() - sum.unwrap()).abs() < 1e-9);

    // The physical path between two routers begins and ends at them.
    request.view = Some(TopologyView::Physical);
    let physical = running.paths(request.clone()).await;
    check(&topology, &physical[0].steps);
    assert_eq!(
        names(&physical[0].steps)[..2],
        ["sense-poa", from.host.as_str()]
    );
    // Over both, the virtual way and the physical one.
    request.view = Some(TopologyView::Combined);
    request.alternatives = Some(16);
    let both = running.paths(request).await;
    let is_of = |path: &Path, kind| {
        let mut links = path.steps.iter().filter_map(|step| step.link.as_ref());
        links.all(|link| link.kind == kind)
    };
    for kind in [LinkKind::Physical, LinkKind::Virtual] {
        assert!(both.iter().any(|path| is_of(path, kind)), "{kind:?}");
    }

    // Within one host there is no cable, and nothing is known of how long it takes.
    let (hub, branch) = (
        running.named("branch-hub").await,
        running.named("branch-santos").await,
    );
    let mut request = between(hub.id, branch.id);
    request.view = Some(TopologyView::Virtual);
    let path = &running.paths(request).await[0];
    assert_eq!((path.hops, path.latency_seconds), (1, None));
    let host = hub.host.as_str();
    assert_eq!(
        names(&path.underlay[0].steps),
        ["branch-hub", host, "branch-santos"]
    );
    assert_eq!(path.underlay[0].latency_seconds, None);

    // Through a segment of five: two links, one underlay.
    let (one, other) = (
        running.named("ix-rs-1").await,
        running.named("bb-rio").await,
    );
    let mut request = between(one.id, other.id);
    request.view = Some(TopologyView::Virtual);
    request.alternatives = Some(1);
    let path = &running.paths(request).await[0];
    check(&topology, &path.steps);
    assert_eq!(path.hops, 2);
    assert!(path.steps[1].element.segment.is_some());
    assert_eq!((path.underlay.len(), path.underlay[0].links.len()), (1, 2));
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_there_is_no_path_is_told_with_the_reason() {
    let data = directory();
    let running = demo(data.path()).await;
    let (from, to) = (
        running.named("sense-poa").await,
        running.named("sense-rio").await,
    );
    let middle = running.named("sense-sp").await;
    let mut request = between(from.id, to.id);
    request.view = Some(TopologyView::Virtual);
    assert_eq!(running.paths(request.clone()).await.len(), 1);
    let suspend = SuspendRouterRequest {
        router: middle.id,
        request_id: None,
    };
    let suspended = running
        .operations
        .suspend_router(&operator(), suspend)
        .await;
    suspended.unwrap();

    let reply = running.find(request.clone()).await.unwrap();
    assert!(reply.paths.is_empty());
    let reason = reply.reason.unwrap();
    assert!(
        reason.contains("sense-sp") && reason.contains("is down"),
        "{reason}"
    );
    request.include_down = Some(true);
    let paths = running.paths(request.clone()).await;
    let links = paths[0].steps.iter().filter_map(|step| step.link.as_ref());
    assert!(
        links
            .map(|link| link.state)
            .all(|state| state == LinkState::Down)
    );
    // A host stands for the routers on it.
    request.avoid = vec![middle.host.clone().into()];
    let reply = running.find(request.clone()).await.unwrap();
    let reason = reply.reason.unwrap();
    assert!(reason.contains("sense-sp is to be avoided"), "{reason}");
    assert!(!reason.contains("down"), "{reason}");

    let alone = running.named("quarantine-1").await;
    let mut request = between(from.id, alone.id);
    request.view = Some(TopologyView::Virtual);
    let reason = running.find(request).await.unwrap().reason.unwrap();
    assert!(
        reason.starts_with("Nothing joins sense-poa and quarantine-1"),
        "{reason}"
    );
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_searched_names_its_element() {
    let data = directory();
    let running = demo(data.path()).await;
    let topology = running.topology().await;
    let (a, b) = (host("rio-core-1"), host("sp-core-1"));
    let router = running.named("bb-rio").await;
    let good = || between(a.clone(), b.clone());
    let link: LinkId = topology.links[0].id.clone();
    let pair = topology.segments.iter().find(|s| !s.drawn).unwrap();
    let drawn = topology.segments.iter().find(|s| s.drawn).unwrap();

    let view = |view| FindPathsRequest {
        view: Some(view),
        ..good()
    };
    let invalid = [
        (
            "alternatives",
            FindPathsRequest {
                alternatives: Some(0),
                ..good()
            },
        ),
        (
            "alternatives",
            FindPathsRequest {
                alternatives: Some(17),
                ..good()
            },
        ),
        (
            "origin",
            FindPathsRequest {
                origin: ElementId::default(),
                ..good()
            },
        ),
        (
            "origin",
            FindPathsRequest {
                origin: ElementId {
                    router: Some(router.id),
                    ..a.clone()
                },
                ..good()
            },
        ),
        (
            "origin",
            FindPathsRequest {
                origin: link.into(),
                ..good()
            },
        ),
        ("destination", between(a.clone(), a.clone())),
        ("destination", between(a.clone(), pair.id.clone())),
        (
            "destination",
            FindPathsRequest {
                destination: drawn.id.clone().into(),
                ..view(TopologyView::Physical)
            },
        ),
        ("origin", view(TopologyView::Virtual)),
        (
            "avoid",
            FindPathsRequest {
                avoid: vec![a.clone()],
                ..good()
            },
        ),
        (
            "avoid",
            FindPathsRequest {
                avoid: vec![router.host.clone().into()],
                ..between(router.id, b.clone())
            },
        ),
        (
            "avoid",
            FindPathsRequest {
                avoid: vec![ElementId::default()],
                ..good()
            },
        ),
    ];
    for (element, request) in invalid {
        match running.find(request.clone()).await {
            Err(Error::InvalidArgument(fault)) => assert_eq!(fault.element, element, "{fault:?}"),
            other => panic!("{request:?}: {other:?}"),
        }
    }
    let nobody = RouterId(uuid::Uuid::from_bytes([7; 16]));
    let nowhere: LinkId = "virtual:a--b".parse().unwrap();
    for (kind, request) in [
        ("host", between(host("atlantis"), b.clone())),
        ("router", between(a.clone(), nobody)),
        (
            "link",
            FindPathsRequest {
                avoid: vec![nowhere.into()],
                ..good()
            },
        ),
    ] {
        match running.find(request).await {
            Err(Error::NotFound(fault)) => assert_eq!(fault.kind, kind),
            other => panic!("{other:?}"),
        }
    }
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_load_tells_what_is_measured_and_paths_follow_what_is_free() {
    let data = directory();
    let running = demo(data.path()).await;
    let load = running.full_load().await;
    let topology = running.topology().await;
    assert_eq!(load.view, TopologyView::Combined);
    for host in &load.hosts {
        assert!(host.simulated);
        assert!((0.0..=1.0).contains(&host.cpu_share.unwrap()), "{host:?}");
        assert!(host.memory_used_bytes < host.memory_bytes, "{host:?}");
    }
    for router in &load.routers {
        assert!(
            (0.0..=1.0).contains(&router.cpu_share.unwrap()),
            "{router:?}"
        );
        let known = topology
            .routers
            .iter()
            .find(|of| of.id == router.router)
            .unwrap();
        assert!(known.state.as_str() != "shut off");
    }
    let kinds: Vec<_> = (load.links.iter())
        .map(|of| {
            topology
                .links
                .iter()
                .find(|link| link.id == of.link)
                .unwrap()
        })
        .collect();
    for (of, link) in load.links.iter().zip(&kinds) {
        assert!(of.a_to_b.is_some() || of.b_to_a.is_some());
        assert_eq!(of.capacity_bits_per_second, link.capacity_bits_per_second);
        for flow in of.a_to_b.iter().chain(&of.b_to_a) {
            let share = of
                .capacity_bits_per_second
                .map(|all| flow.bits_per_second / all as f64);
            assert_eq!(flow.utilisation, share);
        }
    }
    assert!(kinds.iter().any(|link| link.kind == LinkKind::Virtual));
    assert!(
        load.links.iter().any(|of| of.a_to_b != of.b_to_a),
        "directions differ"
    );

    // What a link carries is what its router sends.
    let (of, link) = (load.links.iter().zip(&kinds))
        .find(|(_, link)| link.kind == LinkKind::Virtual && link.a.router.is_some())
        .unwrap();
    let request = api::GetRouterStatusRequest {
        router: link.a.router.unwrap(),
    };
    let status = running
        .operations
        .get_router_status(&observer(), request)
        .await
        .unwrap();
    let measured = status.measurement.unwrap();
    if measured.at == of.as_of {
        let mac = link.a.interface.as_ref().unwrap();
        let interface = measured
            .interfaces
            .iter()
            .find(|i| i.mac.to_string() == *mac)
            .unwrap();
        let sent = interface.transmitted_bits_per_second;
        assert_eq!(of.a_to_b.as_ref().map(|flow| flow.bits_per_second), sent);
    }

    let physical = running.load(TopologyView::Physical).await;
    assert!(physical.routers.is_empty() && !physical.hosts.is_empty());
    let inner = running.load(TopologyView::Virtual).await;
    assert!(inner.hosts.is_empty() && !inner.routers.is_empty());

    // By free capacity: never through a cable of 1 Gbit/s while there is another way.
    let mut request = between(host("rio-edge-1"), host("rec-edge-1"));
    request.view = Some(TopologyView::Physical);
    let direct = &running.paths(request.clone()).await[0];
    assert_eq!(direct.hops, 1);
    request.metric = Some(PathMetric::FreeCapacity);
    let reply = running.find(request).await.unwrap();
    assert!(reply.simulated);
    let free: Vec<_> = (reply.paths.iter())
        .map(|path| path.free_capacity_bits_per_second.unwrap())
        .collect();
    assert!(free.is_sorted_by(|a, b| a >= b), "{free:?}");
    assert!(free[0] > 1_000_000_000 && reply.paths[0].hops > 1);
    for path in &reply.paths {
        let links = path.steps.iter().filter_map(|step| step.link.as_ref());
        let least = links
            .map(|link| {
                link.capacity_bits_per_second.unwrap() as f64 - link.used_bits_per_second.unwrap()
            })
            .fold(f64::INFINITY, f64::min);
        assert!((path.free_capacity_bits_per_second.unwrap() as f64 - least).abs() < 2.0);
    }

    // A virtual link has free what the cables under it have.
    let (from, to) = (
        running.named("sense-poa").await,
        running.named("sense-sp").await,
    );
    let mut request = between(from.id, to.id);
    request.view = Some(TopologyView::Virtual);
    let path = &running.paths(request).await[0];
    let free = path.underlay[0].free_capacity_bits_per_second;
    assert!(free.is_some_and(|free| free < 10_000_000_000), "{path:?}");
    assert_eq!(path.free_capacity_bits_per_second, free);
    running.control.shutdown().await;
}

/// Of hosts that are no demo, what a cable carries is not counted: absent, never 0.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_measured_is_absent() {
    let data = directory();
    let mut settings = Settings::new(data.path().to_owned());
    settings.sample_interval = Duration::from_secs(1);
    for id in ["alpha", "beta"] {
        let uri = Uri::parse("test:///default").unwrap();
        settings
            .hosts
            .push(HostSettings::new(id.parse().unwrap(), uri));
    }
    let end = |host: &str, interface: &str| (host.parse().unwrap(), interface.to_owned());
    for (interface, latency) in [("eth1", Some(Duration::from_millis(2))), ("eth2", None)] {
        settings.links.push(DeclaredLink {
            a: end("alpha", interface),
            b: end("beta", interface),
            capacity_bits_per_second: Some(1_000_000_000),
            latency,
        });
    }
    let running = start(settings).await;
    let load = running.load(TopologyView::Physical).await;
    assert!(load.links.is_empty(), "{load:?}");
    for metric in PathMetric::ALL {
        let mut request = between(host("alpha"), host("beta"));
        request.metric = Some(metric);
        let reply = running.find(request).await.unwrap();
        // Parallel links are two paths.
        assert_eq!(reply.paths.len(), 2, "{reply:?}");
        assert!(!reply.simulated);
        for path in &reply.paths {
            assert_eq!(path.free_capacity_bits_per_second, None);
            assert_eq!(
                path.steps[0].link.as_ref().unwrap().used_bits_per_second,
                None
            );
        }
        if metric == PathMetric::Latency {
            // What is not known comes last.
            let latencies: Vec<_> = reply.paths.iter().map(|p| p.latency_seconds).collect();
            assert_eq!(latencies, [Some(0.002), None]);
        }
    }
    running.control.shutdown().await;
}
