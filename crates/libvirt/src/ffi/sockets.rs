//! The sockets of this process, found by their addresses: libvirt does not tell which are its own.

use std::fs;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::io::fcntl_dupfd_cloexec;
use rustix::net::{Shutdown, getpeername, getsockname, shutdown};

/// Both addresses of a connected socket, our own first.
pub(crate) type Ends = (SocketAddr, SocketAddr);

/// Every connected TCP socket of this process, each held open while it is looked at.
fn sockets() -> impl Iterator<Item = (OwnedFd, Ends)> {
    let descriptors = fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten();
    descriptors.filter_map(|entry| {
        let is_socket = fs::read_link(entry.path()).is_ok_and(|target| {
            target
                .as_os_str()
                .as_encoded_bytes()
                .starts_with(b"socket:")
        });
        if !is_socket {
            return None;
        }
        let number = entry.file_name().to_str()?.parse().ok()?;
        // SAFETY: the number is not -1. Whether it is still open, and still the same, is not known;
        // it is only given to the kernel, which makes another descriptor of it or refuses, and what
        // it made is ours and is looked at then.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        let own = fcntl_dupfd_cloexec(descriptor, 0).ok()?;
        let ends = (
            canonical(getsockname(&own).ok()?.try_into().ok()?),
            canonical(getpeername(&own).ok()??.try_into().ok()?),
        );
        Some((own, ends))
    })
}

/// The connected sockets that lead to one of `peers`.
pub(crate) fn connected_to(peers: &[SocketAddr]) -> Vec<Ends> {
    if peers.is_empty() {
        return Vec::new();
    }
    let peers: Vec<_> = peers.iter().copied().map(canonical).collect();
    sockets()
        .map(|(_, ends)| ends)
        .filter(|(_, peer)| peers.contains(peer))
        .collect()
}

/// Ends the connections of the sockets with these ends, if there are any: whoever reads or writes
/// there learns so at once.
pub(crate) fn cut(wanted: &[Ends]) {
    if wanted.is_empty() {
        return;
    }
    for (socket, _) in sockets().filter(|(_, ends)| wanted.contains(ends)) {
        // It may have ended by itself just now.
        let _ = shutdown(&socket, Shutdown::Both);
    }
}

/// An IPv4 address in an IPv6 socket is an IPv4 address; flow and scope do not matter.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn a_connection_is_found_by_its_ends_and_cut_alone() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let there = listener.local_addr().unwrap();
        let [mut first, second] = [(); 2].map(|()| TcpStream::connect(there).unwrap());
        let _accepted = [(); 2].map(|()| listener.accept().unwrap());
        let of = |stream: &TcpStream| (stream.local_addr().unwrap(), there);
        let mut found = connected_to(&[there]);
        found.sort();
        let mut both = vec![of(&first), of(&second)];
        both.sort();
        assert_eq!(found, both);
        assert_eq!(connected_to(&["127.0.0.1:1".parse().unwrap()]), []);

        let reading = std::thread::spawn({
            let mut stream = first.try_clone().unwrap();
            move || stream.read(&mut [0; 1])
        });
        cut(&[of(&first)]);
        assert!(matches!(reading.join().unwrap(), Ok(0)));
        assert!(matches!(first.read(&mut [0; 1]), Ok(0)));
        assert!(connected_to(&[there]).contains(&of(&second)));
    }
}
