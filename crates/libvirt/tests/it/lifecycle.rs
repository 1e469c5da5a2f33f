//! Acting on domains, and hearing of it.

use libvirt::{
    CloseReason, Connection, DomainState, ErrorKind, Event, LifecycleKind, Options, Uri,
};
use uuid::Uuid;

use crate::fleet::{CORE, EDGE, SPARE, host, next};

async fn state_of(connection: &Connection, uuid: Uuid) -> DomainState {
    connection
        .domain(uuid)
        .await
        .unwrap()
        .expect("the domain is there")
        .state
}

#[tokio::test]
async fn suspend_and_resume_change_the_state_and_are_heard() {
    let host = host().await;
    let mut events = host.connection.events().await.unwrap();
    host.connection.suspend(EDGE).await.unwrap();
    assert_eq!(state_of(&host.connection, EDGE).await, DomainState::Paused);
    assert_eq!(state_of(&host.connection, CORE).await, DomainState::Running);
    host.connection.resume(EDGE).await.unwrap();
    assert_eq!(state_of(&host.connection, EDGE).await, DomainState::Running);
    for expected in [LifecycleKind::Suspended, LifecycleKind::Resumed] {
        match next(&mut events).await {
            Some(Event::Lifecycle {
                uuid, name, kind, ..
            }) => {
                assert_eq!((uuid, name.as_str(), kind), (EDGE, "edge-1", expected));
            }
            other => panic!("expected {expected:?}, got {other:?}"),
        }
    }
}

#[tokio::test]
async fn every_receiver_hears_until_it_is_dropped() {
    let host = host().await;
    let mut first = host.connection.events().await.unwrap();
    let second = host.connection.events().await.unwrap();
    drop(second);
    host.connection.suspend(CORE).await.unwrap();
    assert!(matches!(
        next(&mut first).await,
        Some(Event::Lifecycle { uuid: CORE, .. })
    ));
}

#[tokio::test]
async fn acting_on_an_unknown_domain_says_that_it_is_not_there() {
    let host = host().await;
    for result in [
        host.connection.suspend(Uuid::from_u128(42)).await,
        host.connection.resume(Uuid::from_u128(42)).await,
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(!error.is_retryable());
        assert!(error.to_string().ends_with('.'), "{error}");
        assert!(
            error
                .fault()
                .is_some_and(|fault| fault.code != 0 && !fault.message.is_empty())
        );
    }
}

#[tokio::test]
async fn suspending_what_does_not_run_is_a_conflict() {
    let host = host().await;
    let error = host.connection.suspend(SPARE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
}

#[tokio::test]
async fn closing_ends_events_and_calls_and_can_be_repeated() {
    let host = host().await;
    let other = host.connection.clone();
    let mut events = host.connection.events().await.unwrap();
    host.connection.close().await.unwrap();
    assert_eq!(
        next(&mut events).await,
        Some(Event::Closed {
            reason: CloseReason::Client
        })
    );
    assert_eq!(next(&mut events).await, None);
    assert!(other.is_lost());
    let error = other.hostname().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert_eq!(
        error.to_string(),
        "The connection is lost: it was closed. Open a new one."
    );
    other.close().await.unwrap();
    assert_eq!(other.events().await.unwrap_err().kind(), ErrorKind::Lost);
}

#[tokio::test]
async fn a_receiver_does_not_keep_its_connection_open() {
    let host = host().await;
    let mut events = host.connection.events().await.unwrap();
    drop(host);
    assert_eq!(
        next(&mut events).await,
        Some(Event::Closed {
            reason: CloseReason::Client
        })
    );
}

#[tokio::test]
async fn a_host_opened_a_second_time_starts_anew() {
    // Each connection to a test file is a world of its own: the first was really let go.
    let host = host().await;
    host.connection.suspend(EDGE).await.unwrap();
    let uri = host.connection.uri().clone();
    host.connection.close().await.unwrap();
    let again = Connection::open(&uri, Options::default()).await.unwrap();
    assert_eq!(state_of(&again, EDGE).await, DomainState::Running);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_share_a_connection() {
    let host = host().await;
    let calls: Vec<_> = (0..200)
        .map(|_| {
            let connection = host.connection.clone();
            tokio::spawn(async move { connection.list_domains().await.map(|list| list.len()) })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(3));
    }
}

#[tokio::test]
async fn a_call_whose_caller_left_does_no_harm() {
    let host = host().await;
    for _ in 0..50 {
        let call = host.connection.list_domains();
        let _ = tokio::time::timeout(std::time::Duration::ZERO, call).await;
    }
    assert_eq!(
        host.connection.list_domains().await.map(|list| list.len()),
        Ok(3)
    );
}

#[tokio::test]
async fn a_description_that_cannot_be_read_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let uri = Uri::test_file(&directory.path().join("missing.xml"));
    let error = Connection::open(&uri, Options::default())
        .await
        .unwrap_err();
    assert!(error.to_string().ends_with('.'), "{error}");
}
