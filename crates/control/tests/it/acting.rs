//! Suspending and resuming.

use crate::support::{Running, demo, directory, next, observer, operator};
use api::{
    ElementKind, Error, Event, GetRouterStatusRequest, ResumeRouterRequest, RouterId, RouterState,
    SuspendRouterReply, SuspendRouterRequest,
};
use futures_util::StreamExt as _;

fn suspend(router: RouterId, request_id: Option<&str>) -> SuspendRouterRequest {
    SuspendRouterRequest {
        router,
        request_id: request_id.map(str::to_owned),
    }
}

fn resume(router: RouterId, request_id: Option<&str>) -> ResumeRouterRequest {
    ResumeRouterRequest {
        router,
        request_id: request_id.map(str::to_owned),
    }
}

impl Running {
    async fn suspend(
        &self,
        id: RouterId,
        request: Option<&str>,
    ) -> Result<SuspendRouterReply, Error> {
        self.operations
            .suspend_router(&operator(), suspend(id, request))
            .await
    }

    async fn state(&self, router: RouterId) -> RouterState {
        let request = GetRouterStatusRequest { router };
        let reply = self
            .operations
            .get_router_status(&observer(), request)
            .await;
        reply.unwrap().router.state
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_router_shows_in_reply_topology_and_events() {
    let data = directory();
    let running = demo(data.path()).await;
    let router = running.router_that_is(RouterState::Running).await;
    let before = running.topology().await.version;
    let mut events = running
        .operations
        .subscribe(&observer(), Some(before))
        .await
        .unwrap();

    let reply = running.suspend(router.id, None).await.unwrap();
    assert_eq!(reply.router.state, RouterState::Suspended);
    // Within the call already.
    let topology = running.topology().await;
    let now = topology.routers.iter().find(|r| r.id == router.id).unwrap();
    assert_eq!(now.state, RouterState::Suspended);
    assert!(topology.version > before);

    let event = next(&mut events, |event| matches!(event, Event::Topology { .. })).await;
    let Event::Topology {
        version, changes, ..
    } = event
    else {
        panic!("{event:?}");
    };
    assert_eq!(version, before + 1);
    let change = &changes[0];
    assert_eq!(
        (change.element, change.id.clone()),
        (ElementKind::Router, router.id.to_string())
    );
    assert_eq!(
        change.summary,
        format!(
            "router {} on {} went from running to suspended",
            router.name, router.host
        )
    );

    // Again is no error and no other version.
    running.suspend(router.id, None).await.unwrap();
    let version = running.topology().await.version;
    assert_eq!(version, topology.version);
    let reply = running
        .operations
        .resume_router(&operator(), resume(router.id, None))
        .await;
    assert_eq!(reply.unwrap().router.state, RouterState::Running);
    assert_eq!(running.topology().await.version, version + 1);
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_refused_with_advice() {
    let data = directory();
    let running = demo(data.path()).await;
    let off = running.router_that_is(RouterState::ShutOff).await;
    let version = running.topology().await.version;
    for error in [
        running.suspend(off.id, None).await.unwrap_err(),
        running
            .operations
            .resume_router(&operator(), resume(off.id, None))
            .await
            .unwrap_err(),
    ] {
        assert!(matches!(error, Error::Conflict(_)), "{error:?}");
        assert!(error.to_string().contains("is shut off: only a"), "{error}");
    }
    let unknown = RouterId(uuid::Uuid::from_bytes([7; 16]));
    let error = running.suspend(unknown, None).await.unwrap_err();
    assert!(matches!(error, Error::NotFound(_)), "{error:?}");

    let router = running.router_that_is(RouterState::Running).await;
    let denied = running
        .operations
        .suspend_router(&observer(), suspend(router.id, None))
        .await;
    let error = denied.unwrap_err();
    assert!(matches!(error, Error::Denied(_)), "{error:?}");
    assert!(error.to_string().contains("operator"), "{error}");
    for id in ["", "a\nb", &"x".repeat(129)] {
        let error = running.suspend(router.id, Some(id)).await.unwrap_err();
        let Error::InvalidArgument(detail) = error else {
            panic!("{error:?}");
        };
        assert_eq!(detail.element, "requestId");
    }
    assert_eq!(running.state(router.id).await, RouterState::Running);
    assert_eq!(running.topology().await.version, version);
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_acts_once_also_over_a_restart() {
    let data = directory();
    let running = demo(data.path()).await;
    let router = running.router_that_is(RouterState::Running).await;
    let first = running.suspend(router.id, Some("one")).await.unwrap();
    running
        .operations
        .resume_router(&operator(), resume(router.id, Some("two")))
        .await
        .unwrap();

    // The first result, and the router goes on.
    assert_eq!(
        running.suspend(router.id, Some("one")).await.unwrap(),
        first
    );
    assert_eq!(running.state(router.id).await, RouterState::Running);
    // Another caller's ids are its own.
    let other = api::Caller {
        name: "quinn".to_owned(),
        ..operator()
    };
    let theirs = running
        .operations
        .suspend_router(&other, suspend(router.id, Some("one")))
        .await;
    assert_ne!(theirs.unwrap(), first);
    assert_eq!(running.state(router.id).await, RouterState::Suspended);
    // One id is for one thing.
    let error = running
        .operations
        .resume_router(&operator(), resume(router.id, Some("one")))
        .await;
    let error = error.unwrap_err();
    assert!(matches!(error, Error::InvalidArgument(_)), "{error:?}");
    // A refusal is a result too.
    let off = running.router_that_is(RouterState::ShutOff).await;
    let refused = running.suspend(off.id, Some("three")).await.unwrap_err();
    assert_eq!(
        running.suspend(off.id, Some("three")).await.unwrap_err(),
        refused
    );
    running.control.shutdown().await;

    let running = demo(data.path()).await;
    assert_eq!(
        running.suspend(router.id, Some("one")).await.unwrap(),
        first
    );
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_once_with_one_request_id_one_acts() {
    let data = directory();
    let running = demo(data.path()).await;
    let router = running.router_that_is(RouterState::Running).await;
    let calls = (0..8).map(|_| running.suspend(router.id, Some("same")));
    let replies = futures_util::future::join_all(calls).await;
    let first = replies[0].clone().unwrap();
    assert!(replies.into_iter().all(|reply| reply.unwrap() == first));
    running.control.shutdown().await;

    let acts = acts(data.path()).await;
    assert_eq!(
        acts,
        [(
            "pat".to_owned(),
            "SuspendRouter".to_owned(),
            "done".to_owned()
        )]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_is_written_down() {
    let data = directory();
    let running = demo(data.path()).await;
    let router = running.router_that_is(RouterState::Running).await;
    let off = running.router_that_is(RouterState::ShutOff).await;
    running.suspend(router.id, None).await.unwrap();
    running.suspend(off.id, None).await.unwrap_err();
    let denied = running
        .operations
        .suspend_router(&observer(), suspend(router.id, Some("x")))
        .await;
    denied.unwrap_err();
    running.control.shutdown().await;
    let outcomes: Vec<_> = acts(data.path())
        .await
        .into_iter()
        .map(|act| act.2)
        .collect();
    assert_eq!(outcomes, ["done", "Conflict", "Denied"]);
}

/// Who did what, and how it ended.
async fn acts(data: &std::path::Path) -> Vec<(String, String, String)> {
    use sqlx::Connection;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join("vms.db"));
    let mut database = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    sqlx::query_as("SELECT caller, operation, outcome FROM act ORDER BY id")
        .fetch_all(&mut database)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_is_opened_by_operators_and_only_where_there_is_one() {
    let data = directory();
    let running = demo(data.path()).await;
    let router = running.router_that_is(RouterState::Running).await;
    let open = async |caller: api::Caller, router| {
        let input = futures_util::stream::empty().boxed();
        let opened = running.operations.open_console(&caller, router, input);
        opened.await.err().unwrap()
    };
    let denied = open(observer(), router.id).await;
    assert!(matches!(denied, Error::Denied(_)), "{denied:?}");
    let unable = open(operator(), router.id).await;
    let Error::NotSupported(unable) = unable else {
        panic!("{unable:?}");
    };
    assert_eq!(unable.driver, "test");
    assert!(unable.message.contains(&router.name), "{unable:?}");
    let nobody = open(operator(), RouterId(uuid::Uuid::from_u128(7))).await;
    assert!(matches!(nobody, Error::NotFound(_)), "{nobody:?}");
}
