//! Hosts that are down, or accept and then say nothing.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use libvirt::{Connection, Error, ErrorKind, Options, Transport, Uri};
use tokio::net::TcpListener;

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
        sentence.contains("Connection refused") && sentence.ends_with('.'),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_host_that_never_answers_delays_nobody_else_and_its_thread_comes_back() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let uri = tcp(silent.local_addr().unwrap());
    let accepted = tokio::spawn(async move {
        let (stream, _) = silent.accept().await.unwrap();
        stream
    });
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
    assert!(libvirt::written_off_threads() >= 1);
    // The host hangs up: the call returns, and its thread is off the books.
    drop(stream);
    until("the hanging thread never came back", || {
        libvirt::written_off_threads() == 0
    })
    .await;
}

#[tokio::test]
async fn an_opening_that_is_given_up_is_counted_until_it_returns() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let uri = tcp(silent.local_addr().unwrap());
    let mut opening = Box::pin(Connection::open(&uri, Options::default()));
    let stream = tokio::select! {
        accepted = silent.accept() => accepted.unwrap().0,
        result = &mut opening => panic!("opened a silent host: {result:?}"),
    };
    drop(opening);
    assert!(libvirt::written_off_threads() >= 1);
    drop((silent, stream));
    until("the hanging thread never came back", || {
        libvirt::written_off_threads() == 0
    })
    .await;
}
