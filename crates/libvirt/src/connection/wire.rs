//! The socket under a connection, so that it can be cut.
//!
//! A call that waits for a host returns when its socket does, and libvirt gives up on a socket
//! late, or not at all:
//!
//! - opening has no deadline, and no keepalive runs yet;
//! - when keepalive ends a connection with several calls under way, libvirt (up to 9.0 at least)
//!   wakes one of them. That hands the reading over to the next, which waits for bytes that never
//!   come, until the kernel gives up after a quarter of an hour.
//!
//! So once a connection is lost its socket is shut down, and every call on it comes back at once.
//! libvirt does not tell which socket is its own. It is found as the one that leads to the host
//! and was not there before: connections to one host are opened one after the other.
//!
//! What has no TCP socket here cannot be cut: a connection by SSH ends with `ssh`, which has a
//! keepalive of its own, and one on this machine with its daemon.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

use crate::ffi::sockets::{self, Ends};

/// A host's turn: whoever has it opens a connection there.
type Turn = tokio::sync::Mutex<()>;

static TURNS: Mutex<BTreeMap<Vec<SocketAddr>, Weak<Turn>>> = Mutex::new(BTreeMap::new());

/// A connection that is being opened: the sockets that were there before.
pub(super) struct Opening {
    peers: Vec<SocketAddr>,
    before: Vec<Ends>,
    _turn: Option<OwnedMutexGuard<()>>,
}

/// The sockets under a connection: one, or none that could be found.
#[derive(Debug, Default)]
pub(super) struct Wire(Vec<Ends>);

impl Opening {
    /// Waits until nobody else opens a connection to these addresses. Without addresses there is
    /// nothing to find.
    pub(super) async fn begin(mut peers: Vec<SocketAddr>) -> Self {
        peers.sort_unstable();
        let turn = match turn_of(&peers) {
            Some(turn) => Some(turn.lock_owned().await),
            None => None,
        };
        Self {
            before: sockets::connected_to(&peers),
            peers,
            _turn: turn,
        }
    }

    /// What is there now that was not there before.
    pub(super) fn wire(&self) -> Wire {
        let mut found = sockets::connected_to(&self.peers);
        found.retain(|ends| !self.before.contains(ends));
        Wire(found)
    }
}

impl Wire {
    /// Ends the connection of the socket, if it is still there.
    pub(super) fn cut(&self) {
        if !self.0.is_empty() {
            sockets::cut(&self.0);
        }
    }
}

fn turn_of(peers: &[SocketAddr]) -> Option<Arc<Turn>> {
    if peers.is_empty() {
        return None;
    }
    let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(turn) = turns.get(peers).and_then(Weak::upgrade) {
        return Some(turn);
    }
    turns.retain(|_, turn| turn.strong_count() > 0);
    let turn = Arc::default();
    turns.insert(peers.to_vec(), Arc::downgrade(&turn));
    Some(turn)
}
