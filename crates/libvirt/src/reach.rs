//! Whether a host can be reached at all, found out before a thread is risked on it.
//!
//! libvirt resolves names and connects inside `virConnectOpen`, without a deadline: a host that
//! swallows packets holds a thread for two minutes. So names are resolved and addresses tried here,
//! asynchronously, and libvirt is called once an address answered. Each function says what was tried
//! and what to do about it.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::driver::Transport;
use crate::error::Error;
use crate::uri::Uri;

/// An address has this long to itself before the next is tried beside it.
const STAGGER: Duration = Duration::from_millis(250);

/// How long resolving, and connecting, may take each when a connection is opened.
const PATIENCE: Duration = Duration::from_secs(5);

/// The addresses that the host of `uri` has, each with the port that its transport uses; none for a
/// local connection.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// let uri = libvirt::Uri::parse("qemu+tcp://127.0.0.1/system")?;
/// let addresses = libvirt::resolve(&uri, Duration::from_secs(5)).await?;
/// assert_eq!(addresses, ["127.0.0.1:16509".parse()?]);
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
///
/// # Errors
/// [`Error::Unreachable`] when the name does not resolve, or not within `deadline`.
pub async fn resolve(uri: &Uri, deadline: Duration) -> Result<Vec<SocketAddr>, Error> {
    let (Some(host), Some(port)) = (uri.host(), port(uri)) else {
        return Ok(Vec::new());
    };
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let failed = |reason: String| Error::Unreachable {
        target: uri.to_string(),
        reason,
        advice: "Check the name and this machine's name service.",
        fault: None,
    };
    match tokio::time::timeout(deadline, tokio::net::lookup_host((name, port))).await {
        Ok(Ok(addresses)) => {
            let addresses: Vec<_> = addresses.collect();
            if addresses.is_empty() {
                return Err(failed(format!("the name {name} has no address")));
            }
            Ok(addresses)
        }
        Ok(Err(error)) => {
            let text = error.to_string();
            // The standard library's own words before the resolver's add nothing.
            let why = text.rsplit("information: ").next().unwrap_or(&text);
            Err(failed(format!("the name {name} does not resolve: {why}")))
        }
        Err(_) => Err(failed(format!(
            "the name {name} was not resolved within {} s",
            deadline.as_secs_f64()
        ))),
    }
}

/// Connects to the addresses and hangs up: the first that answers. The next is tried when one
/// failed, or did not answer soon, so that an address that swallows packets hides no other.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let address = listener.local_addr()?;
/// assert_eq!(libvirt::connect(&[address], Duration::from_secs(5)).await?, address);
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
///
/// # Errors
/// [`Error::Unreachable`] when none answers within `deadline`; it says what each did.
pub async fn connect(addresses: &[SocketAddr], deadline: Duration) -> Result<SocketAddr, Error> {
    let end = Instant::now() + deadline;
    let mut rest = addresses.iter().copied();
    let mut tried: Vec<(SocketAddr, Option<io::Error>)> = Vec::new();
    let mut attempts = JoinSet::new();
    let mut next = Instant::now();
    loop {
        if next <= Instant::now() || attempts.is_empty() {
            match rest.next() {
                Some(address) => {
                    tried.push((address, None));
                    attempts.spawn(async move { (address, TcpStream::connect(address).await) });
                    next = Instant::now() + STAGGER;
                }
                None if attempts.is_empty() => break,
                None => next = end,
            }
        }
        tokio::select! {
            Some(attempt) = attempts.join_next() => match attempt {
                Ok((address, Ok(_))) => return Ok(address),
                Ok((address, Err(error))) => {
                    if let Some(of) = tried.iter_mut().find(|(tried, _)| *tried == address) {
                        of.1 = Some(error);
                    }
                    next = Instant::now();
                }
                // Tasks neither panic nor are ended.
                Err(_) => {}
            },
            () = tokio::time::sleep_until(next.min(end)) => {
                if Instant::now() >= end {
                    break;
                }
            }
        }
    }
    Err(unanswered(&tried, deadline))
}

/// As [`connect`], one address after the other, on a thread that may wait.
pub(crate) fn connect_here(addresses: &[SocketAddr]) -> Result<(), Error> {
    let each = PATIENCE / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut tried = Vec::new();
    for address in addresses {
        match std::net::TcpStream::connect_timeout(address, each) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::TimedOut => tried.push((*address, None)),
            Err(error) => tried.push((*address, Some(error))),
        }
    }
    if tried.is_empty() {
        return Ok(());
    }
    Err(unanswered(&tried, each))
}

/// What is said of addresses of which none answered.
fn unanswered(tried: &[(SocketAddr, Option<io::Error>)], deadline: Duration) -> Error {
    let reasons: Vec<_> = (tried.iter())
        .map(|(address, error)| match error {
            None => format!(
                "{address} does not answer within {} s",
                deadline.as_secs_f64()
            ),
            Some(error) if error.kind() == ErrorKind::ConnectionRefused => {
                format!("{address} refuses the connection")
            }
            Some(error) => format!("{address} cannot be connected to: {error}"),
        })
        .collect();
    let is_refused = tried.iter().any(|(_, error)| {
        (error.as_ref()).is_some_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    });
    let advice = if is_refused {
        "Check that its libvirt daemon runs and listens there."
    } else {
        "Check that the host is up, and that no firewall lies between."
    };
    let reason = if reasons.is_empty() {
        "it has no address".to_owned()
    } else {
        reasons.join(", and ")
    };
    let target = match tried {
        [(address, _)] => address.to_string(),
        _ => "The host".to_owned(),
    };
    Error::Unreachable {
        target,
        reason,
        advice,
        fault: None,
    }
}

/// What libvirt is asked to open once the host was reached: the URI itself or, where its name has
/// several addresses and the first does not answer, the one that does. libvirt would wait for the
/// first. (With TLS the name is needed to check the certificate, so there it stays.) And the
/// addresses that it may connect to; none for what is not reached by TCP from here.
///
/// # Errors
/// As [`resolve`] and [`connect`], each within `deadline` and [`PATIENCE`].
pub(crate) async fn reach(uri: &Uri, deadline: Duration) -> Result<(Uri, Vec<SocketAddr>), Error> {
    if !matches!(uri.transport(), Transport::Tcp | Transport::Tls) {
        return Ok((uri.clone(), Vec::new()));
    }
    let deadline = deadline.min(PATIENCE);
    let addresses = resolve(uri, deadline).await?;
    let reached = connect(&addresses, deadline)
        .await
        .map_err(|error| about(error, uri))?;
    if uri.transport() == Transport::Tls || addresses.first() == Some(&reached) {
        return Ok((uri.clone(), addresses));
    }
    let host = match reached {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    };
    let path = uri.path();
    let there = Uri::new(
        uri.driver(),
        uri.transport(),
        None,
        Some(&host),
        uri.port(),
        &path,
    );
    // An address in brackets or dots is always accepted.
    Ok((there.unwrap_or_else(|_| uri.clone()), addresses))
}

/// The same error about a URI instead of an address.
fn about(error: Error, uri: &impl Display) -> Error {
    match error {
        Error::Unreachable {
            reason,
            advice,
            fault,
            ..
        } => Error::Unreachable {
            target: uri.to_string(),
            reason,
            advice,
            fault,
        },
        other => other,
    }
}

/// The port that is connected to.
fn port(uri: &Uri) -> Option<u16> {
    uri.port().or(match uri.transport() {
        Transport::Local => None,
        Transport::Tcp => Some(16509),
        Transport::Tls => Some(16514),
        Transport::Ssh => Some(22),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};
    use tokio::net::{TcpListener, TcpSocket};

    const SOON: Duration = Duration::from_millis(600);

    /// An address that swallows connections: its queue is full of others.
    pub(crate) async fn swallowing() -> (SocketAddr, impl Sized) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queued = Vec::new();
        while let Ok(stream) =
            tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
        {
            queued.push(stream.unwrap());
        }
        (address, (listener, queued))
    }

    async fn refusing() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        listener.local_addr().unwrap()
    }

    fn uri(text: &str) -> Uri {
        Uri::parse(text).unwrap()
    }

    #[tokio::test]
    async fn ports_are_those_of_the_transports() {
        for (text, port) in [
            ("qemu+tcp://127.0.0.1/system", 16509),
            ("qemu+tls://127.0.0.1/system", 16514),
            ("qemu+ssh://u@127.0.0.1/system", 22),
            ("qemu+ssh://u@127.0.0.1:2222/system", 2222),
        ] {
            let address = (Ipv4Addr::LOCALHOST, port).into();
            assert_eq!(resolve(&uri(text), SOON).await, Ok(vec![address]), "{text}");
        }
        let six = resolve(&uri("qemu+tcp://[::1]/system"), SOON).await;
        assert_eq!(six, Ok(vec![(Ipv6Addr::LOCALHOST, 16509).into()]));
        assert_eq!(resolve(&uri("qemu:///system"), SOON).await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_is_said_so() {
        let patience = Duration::from_secs(30);
        let nowhere = uri("qemu+tcp://no-such-name.invalid/system");
        let error = resolve(&nowhere, patience).await.unwrap_err();
        let text = error.to_string();
        let begin = "qemu+tcp://no-such-name.invalid/system cannot be reached: the name \
                     no-such-name.invalid does not resolve: ";
        assert!(text.starts_with(begin), "{text}");
        assert!(!text.contains("failed to lookup"), "{text}");
        assert!(error.is_retryable());
    }

    #[tokio::test]
    async fn an_address_that_swallows_connections_is_given_up_in_time_and_hides_no_other() {
        let (swallowing, _queued) = swallowing().await;
        let begun = Instant::now();
        let error = connect(&[swallowing], SOON).await.unwrap_err();
        assert!(begun.elapsed() >= SOON && begun.elapsed() < SOON * 5);
        assert_eq!(
            error.to_string(),
            format!(
                "{swallowing} cannot be reached: {swallowing} does not answer within 0.6 s. \
                 Check that the host is up, and that no firewall lies between."
            )
        );
        let answering = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let answering = (answering.local_addr().unwrap(), answering);
        let patience = Duration::from_secs(30);
        let reached = connect(&[swallowing, answering.0], patience).await;
        assert_eq!(reached, Ok(answering.0));
    }

    #[tokio::test]
    async fn a_refusal_is_said_at_once_and_the_next_address_tried() {
        let (first, second) = (refusing().await, refusing().await);
        let patience = Duration::from_secs(30);
        let begun = Instant::now();
        let error = connect(&[first, second], patience).await.unwrap_err();
        assert!(begun.elapsed() < patience / 2);
        assert_eq!(
            error.to_string(),
            format!(
                "The host cannot be reached: {first} refuses the connection, and {second} refuses \
                 the connection. Check that its libvirt daemon runs and listens there."
            )
        );
        assert!(connect(&[], SOON).await.is_err());
    }
}
