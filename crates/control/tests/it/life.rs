//! Starting, ending, starting again, and hosts that are not there.

use crate::support::{PATIENCE, Running, absent_host, demo, directory, observer, operator, start};
use api::{Error, Event, HostState, ListHostsRequest, RouterState, SuspendRouterRequest};
use control::{Control, DeclaredLink, HostSettings, Settings, StartError, Uri};
use futures_util::StreamExt;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_down_at_the_start_is_unreachable_and_holds_up_nothing() {
    let data = directory();
    let mut settings = absent_host(data.path());
    settings.hosts.push(HostSettings {
        name: Some("Present".to_owned()),
        site: Some("here".to_owned()),
        ..HostSettings::new(
            "present".parse().unwrap(),
            Uri::parse("test:///default").unwrap(),
        )
    });
    let running = start(settings).await;
    let reply = running
        .operations
        .list_hosts(&observer(), ListHostsRequest {})
        .await
        .unwrap();
    let [absent, present] = &reply.hosts[..] else {
        panic!("{:?}", reply.hosts);
    };
    assert_eq!(absent.state, HostState::Unreachable);
    let message = absent.message.as_deref().unwrap();
    assert!(message.contains("refuses the connection"), "{message}");
    assert_eq!((absent.as_of, reply.sources[0].current), (None, false));
    assert_eq!(
        (present.state, present.name.as_str()),
        (HostState::Online, "Present")
    );
    assert_eq!(present.routers, 1);
    running.control.shutdown().await;
}

/// A host that takes connections and never says a word delays neither another host nor the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_hangs_delays_no_other() {
    let data = directory();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let mut settings = Settings::new(data.path().to_owned());
    for (id, uri) in [
        ("silent", format!("qemu+tcp://127.0.0.1:{port}/system")),
        ("present", "test:///default".to_owned()),
    ] {
        settings.hosts.push(HostSettings::new(
            id.parse().unwrap(),
            Uri::parse(&uri).unwrap(),
        ));
    }
    let control = Control::start(settings).await.unwrap();
    let ready = control.ready();
    let running = Running {
        operations: control.operations(),
        control,
    };
    let online = async {
        // By id: present, silent.
        while running.host_states().await != [HostState::Online, HostState::Connecting] {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, online)
        .await
        .expect("present is online");
    let router = running.router_that_is(RouterState::Running).await;
    let request = SuspendRouterRequest {
        router: router.id,
        request_id: None,
    };
    running
        .operations
        .suspend_router(&operator(), request)
        .await
        .unwrap();
    // All that while the other was still being tried.
    assert!(!*ready.borrow());
    assert_eq!(
        running.host_states().await,
        [HostState::Online, HostState::Connecting]
    );
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_grows_over_restarts_and_what_was_known_is_kept() {
    let data = directory();
    let running = demo(data.path()).await;
    let router = running.router_that_is(RouterState::Running).await;
    let request = SuspendRouterRequest {
        router: router.id,
        request_id: None,
    };
    running
        .operations
        .suspend_router(&operator(), request)
        .await
        .unwrap();
    let before = running.topology().await;
    running.control.shutdown().await;

    // The same fleet, but nobody is there to answer: what it was is told, and that it is old.
    let mut settings = absent_host(data.path());
    settings.hosts[0].id = router.host.clone();
    let running = start(settings).await;
    let after = running.topology().await;
    assert!(after.version > before.version);
    assert_eq!(running.host_states().await, [HostState::Unreachable]);
    let kept = after
        .routers
        .iter()
        .find(|kept| kept.id == router.id)
        .unwrap();
    assert_eq!((kept.state, kept.current), (RouterState::Suspended, false));
    assert!(kept.as_of.as_second() > 0);
    assert!(after.routers.iter().all(|kept| kept.host == router.host));
    // Acting on it is not possible, and says since when.
    let request = SuspendRouterRequest {
        router: router.id,
        request_id: None,
    };
    let error = running
        .operations
        .suspend_router(&operator(), request)
        .await
        .unwrap_err();
    let Error::HostUnreachable(detail) = error else {
        panic!("{error:?}");
    };
    assert!(detail.last_seen.is_some());
    assert!(
        detail.message.contains("refuses the connection"),
        "{}",
        detail.message
    );
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_not_given_twice_even_after_a_sudden_death() {
    let data = directory();
    let running = demo(data.path()).await;
    let before = running.topology().await.version;
    // As a sudden death leaves it: the files as they are while the server runs.
    let copy = directory();
    for entry in std::fs::read_dir(data.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let running_on = demo(copy.path()).await;
    assert!(running_on.topology().await.version > before);
    running_on.control.shutdown().await;
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_the_server_and_who_comes_back_late_reads_anew() {
    let data = directory();
    let running = demo(data.path()).await;
    let version = running.topology().await.version;
    let mut stream = running
        .operations
        .subscribe(&observer(), None)
        .await
        .unwrap();
    running.control.shutdown().await;
    let end = async { while stream.next().await.is_some() {} };
    tokio::time::timeout(PATIENCE, end)
        .await
        .expect("the stream ends");

    let running = demo(data.path()).await;
    let mut stream = running
        .operations
        .subscribe(&observer(), Some(version + 1000))
        .await
        .unwrap();
    let now = running.topology().await.version;
    assert_eq!(stream.next().await, Some(Event::Resync { version: now }));
    running.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_data_directory_is_for_one_server() {
    let data = directory();
    let running = demo(data.path()).await;
    let second = Control::start(Settings::demo(data.path().to_owned()).unwrap()).await;
    let error = second.unwrap_err();
    assert!(matches!(error, StartError::InUse { .. }), "{error:?}");
    assert!(
        error.to_string().contains("another VMS server uses"),
        "{error}"
    );
    running.control.shutdown().await;
    // And then for the next.
    demo(data.path()).await.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_that_cannot_be_used_is_refused_with_its_name() {
    let data = directory();
    let file = data.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Control::start(Settings::new(file.join("data")))
        .await
        .unwrap_err();
    assert!(
        matches!(error, StartError::DataDirectory { .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().contains(file.to_str().unwrap()),
        "{error}"
    );

    std::fs::write(
        data.path().join("vms.db"),
        "this is no database, and longer than a header needs",
    )
    .unwrap();
    let error = Control::start(Settings::new(data.path().to_owned()))
        .await
        .unwrap_err();
    assert!(matches!(error, StartError::Database { .. }), "{error:?}");
    assert!(error.to_string().contains("vms.db"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_left_alone() {
    use sqlx::Connection;
    let data = directory();
    start(Settings::new(data.path().to_owned()))
        .await
        .control
        .shutdown()
        .await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.path().join("vms.db"));
    let mut database = sqlx::SqliteConnection::connect_with(&options)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'of the future', TRUE, x'00', 0)",
    )
    .execute(&mut database)
    .await
    .unwrap();
    database.close().await.unwrap();
    let error = Control::start(Settings::new(data.path().to_owned()))
        .await
        .unwrap_err();
    assert!(
        matches!(error, StartError::NewerDatabase { version: 9999, .. }),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_make_no_sense_are_refused_with_a_sentence() {
    let data = directory();
    let host =
        |id: &str| HostSettings::new(id.parse().unwrap(), Uri::parse("test:///default").unwrap());
    let link = |a: &str, b: &str| DeclaredLink {
        a: (a.parse().unwrap(), "eth1".to_owned()),
        b: (b.parse().unwrap(), "eth1".to_owned()),
        capacity_bits_per_second: None,
        latency: None,
    };
    let refused = async |change: &dyn Fn(&mut Settings)| {
        let mut settings = Settings::new(data.path().to_owned());
        settings.hosts = vec![host("rio"), host("sao")];
        change(&mut settings);
        match Control::start(settings).await {
            Err(StartError::Settings(sentence)) => sentence,
            other => panic!("{other:?}"),
        }
    };
    let sentence = refused(&|s| s.hosts.push(host("rio"))).await;
    assert!(sentence.contains("two hosts have the id rio"), "{sentence}");
    let sentence = refused(&|s| s.links.push(link("rio", "lima"))).await;
    assert!(
        sentence.contains("lima") && sentence.contains("rio, sao"),
        "{sentence}"
    );
    let sentence = refused(&|s| s.links.push(link("rio", "rio"))).await;
    assert!(sentence.contains("two hosts"), "{sentence}");
    let sentence = refused(&|s| s.sample_interval = Duration::ZERO).await;
    assert!(sentence.contains("sample interval"), "{sentence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_without_hosts_is_ready() {
    let data = directory();
    let running = start(Settings::new(data.path().to_owned())).await;
    assert!(running.routers().await.is_empty());
    running.control.shutdown().await;
}
