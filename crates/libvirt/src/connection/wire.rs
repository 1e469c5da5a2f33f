//! The socket under a connection that is being opened, so that it can be cut.
//!
//! Opening has no deadline, and libvirt's keepalive does not run yet: a daemon that was stopped
//! before we came accepts, says nothing, and holds the thread for as long as it likes; one whose
//! machine lost its power just then, for ever. So the socket is shut down when the deadline has
//! passed, and the thread comes back at once.
//!
//! libvirt does not tell which socket is its own. It is found as the one that leads to the host and
//! was not there before: connections to one host are opened one after the other.
//!
//! What has no TCP socket here cannot be cut: `ssh` is ended by its own timeout, and a daemon on
//! this machine ends its connections with itself. Once open, a connection that is dead is ended by
//! keepalive.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::error::Error;
use crate::ffi::sockets::{self, Ends};
use crate::reach;

/// A host's turn: whoever has it opens a connection there.
type Turn = Mutex<()>;

static TURNS: Mutex<BTreeMap<Vec<SocketAddr>, Weak<Turn>>> = Mutex::new(BTreeMap::new());

/// The addresses of a host, to which connections are opened one after the other.
#[derive(Debug)]
pub(super) struct Peers {
    addresses: Vec<SocketAddr>,
    turn: Arc<Turn>,
}

/// A connection that is being opened.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    addresses: Vec<SocketAddr>,
    /// The sockets that were there before.
    before: Vec<Ends>,
}

impl Peers {
    /// Without addresses there is nothing to find.
    pub(super) fn new(mut addresses: Vec<SocketAddr>) -> Self {
        addresses.sort_unstable();
        let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        let known = turns.get(&addresses).filter(|_| !addresses.is_empty());
        let turn = known.and_then(Weak::upgrade).unwrap_or_else(|| {
            turns.retain(|_, turn| turn.strong_count() > 0);
            let turn = Arc::default();
            turns.insert(addresses.clone(), Arc::downgrade(&turn));
            turn
        });
        Self { addresses, turn }
    }

    /// Whether the host answers still: before that there is nothing to cut, as a socket that is
    /// being connected does not tell whereto. Blocks for some seconds at most.
    pub(super) fn answer(&self) -> Result<(), Error> {
        reach::connect_here(&self.addresses)
    }

    /// Blocks until nobody else opens a connection to the host, which is as long as one may take.
    pub(super) fn take_turn(&self) -> (MutexGuard<'_, ()>, Wire) {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let wire = Wire {
            addresses: self.addresses.clone(),
            before: sockets::connected_to(&self.addresses),
        };
        (turn, wire)
    }
}

impl Wire {
    /// Ends what has been connected since.
    pub(super) fn cut(&self) {
        let mut found = sockets::connected_to(&self.addresses);
        found.retain(|ends| !self.before.contains(ends));
        sockets::cut(&found);
    }
}
