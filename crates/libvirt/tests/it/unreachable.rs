//! Hosts that are down, or accept and then say nothing.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use libvirt::{Budget, Connection, Error, ErrorKind, Options, Transport, Uri};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::fleet::host;

fn tcp(address: SocketAddr) -> Uri {
    let host = address.ip().to_string();
    Uri::new(
        libvirt::Driver::Qemu,
        Transport::Tcp,
        None,
        Some(&host),
        Some(address.port()),
        "system",
    )
    .unwrap()
}

/// The second connection that somebody makes: with the first we try whether the host is there,
/// with the second libvirt opens.
async fn second(listener: TcpListener) -> TcpStream {
    let (first, _) = listener.accept().await.unwrap();
    drop(first);
    listener.accept().await.unwrap().0
}

/// Waits until `condition` holds.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn a_refused_connection_is_unreachable_and_says_where() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let uri = tcp(address);
    let error = Connection::open(&uri, Options::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert!(error.is_retryable());
    let sentence = error.to_string();
    assert!(sentence.starts_with(&uri.to_string()), "{sentence}");
    assert!(
        sentence.contains("refuses the connection") && sentence.ends_with('.'),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_host_that_never_answers_delays_nobody_else_and_its_thread_comes_back() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let uri = tcp(silent.local_addr().unwrap());
    let accepted = tokio::spawn(second(silent));
    let host = host().await;
    let open_deadline = Duration::from_secs(2);
    let options = Options {
        open_deadline,
        ..Options::default()
    };
    let opening = tokio::spawn(async move { Connection::open(&uri, options).await });
    // The other side has the connection: from now on the thread hangs in libvirt.
    let stream = accepted.await.unwrap();
    let mut answered = 0;
    while !opening.is_finished() {
        assert_eq!(
            host.connection.list_domains().await.map(|list| list.len()),
            Ok(3)
        );
        answered += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(
        answered > 10,
        "the other connection answered only {answered} times"
    );
    let error = opening.await.unwrap().unwrap_err();
    assert_eq!(
        error,
        Error::Deadline {
            call: "virConnectOpen",
            after: open_deadline,
            domain: None
        }
    );
    assert_eq!(
        error.to_string(),
        "The host did not answer virConnectOpen within 2 s."
    );
    // The host still says nothing: the connection is cut on our side, and the thread is off the
    // books.
    until("the hanging thread never came back", || {
        libvirt::written_off_threads() == 0
    })
    .await;
    drop(stream);
}

#[tokio::test]
async fn an_opening_that_is_given_up_comes_back() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let uri = tcp(silent.local_addr().unwrap());
    let mut opening = Box::pin(Connection::open(&uri, Options::default()));
    let stream = tokio::select! {
        stream = second(silent) => stream,
        result = &mut opening => panic!("opened a silent host: {result:?}"),
    };
    drop(opening);
    until("the hanging thread never came back", || {
        libvirt::written_off_threads() == 0 && libvirt::worker_threads() == 0
    })
    .await;
    drop(stream);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_costs_no_thread() {
    let uri = Uri::parse("qemu+tls://no-such-name.invalid/system").unwrap();
    let budget = Budget::new(1);
    let options = Options {
        budget: budget.clone(),
        ..Options::default()
    };
    let error = Connection::open(&uri, options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    let text = error.to_string();
    assert!(
        text.contains("no-such-name.invalid does not resolve"),
        "{text}"
    );
    assert_eq!((error.fault(), budget.hanging()), (None, 0));
}

#[tokio::test]
async fn a_host_that_swallows_connections_costs_no_thread() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let soon = Duration::from_millis(300);
    let mut queued = Vec::new();
    while let Ok(stream) = tokio::time::timeout(soon, TcpStream::connect(address)).await {
        queued.push(stream.unwrap());
    }
    let budget = Budget::new(1);
    let options = Options {
        open_deadline: soon,
        budget: budget.clone(),
        ..Options::default()
    };
    for _ in 0..3 {
        let error = Connection::open(&tcp(address), options.clone())
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains(&format!("{address} does not answer within 0.3 s.")),
            "{text}"
        );
        assert_eq!(budget.hanging(), 0);
    }
}

#[tokio::test]
async fn a_host_that_hangs_up_at_once_is_unreachable() {
    let rude = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let uri = tcp(rude.local_addr().unwrap());
    let hanging_up = tokio::spawn(async move {
        loop {
            drop(rude.accept().await);
        }
    });
    let error = Connection::open(&uri, Options::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert!(error.is_retryable());
    hanging_up.abort();
}

#[tokio::test]
async fn silent_hosts_take_no_thread_for_longer_than_their_deadline() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let uri = tcp(silent.local_addr().unwrap());
    let accepting = tokio::spawn(async move {
        let mut streams = Vec::new();
        loop {
            streams.push(silent.accept().await);
        }
    });
    let budget = Budget::new(2);
    let options = Options {
        open_deadline: Duration::from_millis(300),
        budget: budget.clone(),
        ..Options::default()
    };
    for _ in 0..6 {
        let error = Connection::open(&uri, options.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadline, "{error}");
        until("the hanging thread never came back", || {
            budget.hanging() == 0
        })
        .await;
    }
    accepting.abort();
}
