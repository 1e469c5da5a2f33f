//! Acting on domains, and hearing of it.

use libvirt::{
    CloseReason, Connection, CpuXml, DomainState, DomainXml, ErrorKind, Event, LifecycleKind,
    Options, Uri,
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

const NEW: Uuid = Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_00a1);

fn definition() -> DomainXml {
    let xml = "<domain type='test'><name>new-1</name><memory unit='MiB'>64</memory>\
               <os><type>hvm</type></os></domain>";
    let mut definition = DomainXml::parse(xml).unwrap();
    definition.uuid = Some(NEW);
    definition
}

#[tokio::test]
async fn memory_and_processors_change_at_once_or_at_the_next_start() {
    let host = host().await;
    let connection = &host.connection;
    // It runs with 2 processors and 256 MiB.
    connection.set_memory(EDGE, 128 << 20, true).await.unwrap();
    let next = connection.inactive_definition(EDGE).await.unwrap();
    assert_eq!(next.current_memory_bytes, Some(256 << 20));
    let now = connection.domain(EDGE).await.unwrap().unwrap().definition;
    assert_eq!(now.current_memory_bytes, Some(128 << 20));
    assert_eq!(now.memory_bytes, Some(256 << 20));
    connection.set_vcpus(EDGE, 1, false).await.unwrap();
    let next = connection.inactive_definition(EDGE).await.unwrap();
    assert_eq!((next.vcpus, next.current_vcpus), (Some(2), Some(1)));
    let now = connection.domain(EDGE).await.unwrap().unwrap().definition;
    assert_eq!((now.vcpus, now.current_vcpus), (Some(2), None));
    connection.set_vcpus(EDGE, 1, true).await.unwrap();
    let now = connection.domain(EDGE).await.unwrap().unwrap().definition;
    assert_eq!(now.current_vcpus, Some(1));

    let more = [
        connection
            .set_memory(EDGE, 1 << 30, true)
            .await
            .unwrap_err(),
        connection.set_vcpus(EDGE, 16, true).await.unwrap_err(),
    ];
    for error in more {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
    let off = [
        connection
            .set_memory(SPARE, 64 << 20, true)
            .await
            .unwrap_err(),
        connection.set_vcpus(SPARE, 1, true).await.unwrap_err(),
    ];
    for error in off {
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    }
}

#[tokio::test]
async fn a_domain_is_defined_started_shut_down_and_undefined() {
    let host = host().await;
    let connection = &host.connection;
    let mut events = connection.events().await.unwrap();
    let defined = connection.define_domain(&definition()).await.unwrap();
    assert_eq!(
        (defined.uuid, defined.name.as_str(), defined.state),
        (NEW, "new-1", DomainState::ShutOff)
    );
    assert!(defined.persistent && !defined.autostart && defined.id.is_none());
    assert_eq!(connection.domain(NEW).await, Ok(Some(defined)));
    let mut changed = definition();
    changed.title = Some("New".to_owned());
    let changed = connection.define_domain(&changed).await.unwrap();
    assert_eq!(changed.definition.title.as_deref(), Some("New"));

    connection.start_domain(NEW).await.unwrap();
    assert_eq!(state_of(connection, NEW).await, DomainState::Running);
    connection.reboot(NEW).await.unwrap();
    assert_eq!(state_of(connection, NEW).await, DomainState::Running);
    connection.reset(NEW).await.unwrap();
    assert_eq!(state_of(connection, NEW).await, DomainState::Running);
    connection.shut_down(NEW).await.unwrap();
    assert_eq!(state_of(connection, NEW).await, DomainState::ShutOff);
    connection.start_domain(NEW).await.unwrap();
    connection.destroy_domain(NEW).await.unwrap();
    assert_eq!(state_of(connection, NEW).await, DomainState::ShutOff);
    connection.undefine_domain(NEW).await.unwrap();
    assert_eq!(connection.domain(NEW).await, Ok(None));
    let mut heard = Vec::new();
    while heard.last() != Some(&LifecycleKind::Undefined) {
        if let Some(Event::Lifecycle {
            uuid: NEW, kind, ..
        }) = next(&mut events).await
        {
            heard.push(kind);
        }
    }
    assert_eq!(heard.first(), Some(&LifecycleKind::Defined));
    for expected in [LifecycleKind::Started, LifecycleKind::Stopped] {
        let times = heard.iter().filter(|kind| **kind == expected).count();
        assert!(times >= 2, "{expected:?}: {heard:?}");
    }
}

#[tokio::test]
async fn a_domain_that_is_undefined_while_it_runs_goes_on_and_is_gone_when_it_stops() {
    let host = host().await;
    let connection = &host.connection;
    connection.undefine_domain(EDGE).await.unwrap();
    let domain = connection.domain(EDGE).await.unwrap().unwrap();
    assert_eq!(
        (domain.state, domain.persistent),
        (DomainState::Running, false)
    );
    connection.destroy_domain(EDGE).await.unwrap();
    assert_eq!(connection.domain(EDGE).await, Ok(None));
}

#[tokio::test]
async fn a_domain_starts_with_its_host_when_it_is_told_to() {
    let host = host().await;
    for autostart in [true, false] {
        host.connection
            .set_autostart(SPARE, autostart)
            .await
            .unwrap();
        let domain = host.connection.domain(SPARE).await.unwrap().unwrap();
        assert_eq!(domain.autostart, autostart);
    }
}

#[tokio::test]
async fn the_definition_of_the_next_start_is_that_which_was_defined_last() {
    let host = host().await;
    let connection = &host.connection;
    let mut definition = connection.inactive_definition(EDGE).await.unwrap();
    assert_eq!(definition.uuid, Some(EDGE));
    definition.title = Some("Next time".to_owned());
    connection.define_domain(&definition).await.unwrap();
    let inactive = connection.inactive_definition(EDGE).await.unwrap();
    assert_eq!(inactive.title.as_deref(), Some("Next time"));
    let running = connection.domain(EDGE).await.unwrap().unwrap();
    assert_eq!(
        running.definition.title.as_deref(),
        Some("Edge & gateway"),
        "it runs with what it was started with"
    );
}

#[tokio::test]
async fn what_a_domain_is_not_in_the_state_for_is_a_conflict() {
    let host = host().await;
    let connection = &host.connection;
    let errors = [
        connection.start_domain(EDGE).await.unwrap_err(),
        connection.shut_down(SPARE).await.unwrap_err(),
        connection.destroy_domain(SPARE).await.unwrap_err(),
        connection.reboot(SPARE).await.unwrap_err(),
        connection.reset(SPARE).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    }
}

#[tokio::test]
async fn a_domain_of_the_name_or_uuid_of_another_is_a_conflict() {
    let host = host().await;
    let mut same_name = definition();
    same_name.name = "edge-1".to_owned();
    let mut same_uuid = definition();
    same_uuid.uuid = Some(EDGE);
    for definition in [same_name, same_uuid] {
        let error = host.connection.define_domain(&definition).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    }
}

#[tokio::test]
async fn a_domain_that_makes_no_sense_is_refused() {
    let host = host().await;
    let mut nameless = definition();
    nameless.name = String::new();
    let error = host.connection.define_domain(&nameless).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
}

#[tokio::test]
async fn what_is_not_there_cannot_be_changed() {
    let host = host().await;
    let connection = &host.connection;
    let errors = [
        connection.start_domain(NEW).await.unwrap_err(),
        connection.shut_down(NEW).await.unwrap_err(),
        connection.destroy_domain(NEW).await.unwrap_err(),
        connection.reboot(NEW).await.unwrap_err(),
        connection.reset(NEW).await.unwrap_err(),
        connection.set_autostart(NEW, true).await.unwrap_err(),
        connection.inactive_definition(NEW).await.unwrap_err(),
        connection.undefine_domain(NEW).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
}

#[tokio::test]
async fn the_test_driver_is_not_asked_for_what_it_lacks() {
    let host = host().await;
    let connection = &host.connection;
    let cpu = CpuXml::default();
    let nowhere = [None; 3];
    let [emulator, arch, machine] = nowhere;
    let errors = [
        connection
            .attach_device(EDGE, "<interface/>", true, false)
            .await
            .unwrap_err(),
        connection
            .detach_device(EDGE, "<interface/>", true, false)
            .await
            .unwrap_err(),
        connection.compare_cpu(&cpu).await.unwrap_err(),
        connection.start_domain_paused(SPARE).await.unwrap_err(),
        connection.agent_answers(EDGE).await.unwrap_err(),
        connection
            .compare_hypervisor_cpu(emulator, arch, machine, None, &cpu)
            .await
            .unwrap_err(),
        connection
            .domain_capabilities(emulator, arch, machine, None)
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
    }
    assert_eq!(connection.file_exists("/images/edge-1.img").await, Ok(None));
}

#[tokio::test]
async fn a_host_says_how_much_of_its_memory_is_free() {
    let uri = Uri::parse("test:///default").unwrap();
    let default = Connection::open(&uri, Options::default()).await.unwrap();
    assert!(default.free_memory().await.unwrap() > 0);
}
