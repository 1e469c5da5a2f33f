//! Where a router really is: asked of both hosts, and waited for while that is undecided.
//!
//! libvirt's own word about a migration can be lost with a connection, or with this server. What
//! the hosts run is the truth:
//!
//! | source | destination | the router |
//! |---|---|---|
//! | runs, no job | anything | is at the source; what is left at the destination is half a copy |
//! | paused, no job | runs | is at the destination; the source holds what it let go of |
//! | paused, no job | not running | is at the source, and goes on there |
//! | not running | runs | is at the destination |
//! | not running | not running | does not run: it was shut down, or lost with a host |
//! | a job | anything | is on its way: wait |
//!
//! A host that cannot be asked is waited for, unless the other one decides it.

use crate::service::State;
use libvirt::{Connection, DomainState, Error, ErrorKind};
use model::{Driver, HostId, RouterId};
use std::time::Duration;

/// How often the hosts are asked.
pub(crate) const PAUSE: Duration = Duration::from_millis(500);

/// How long two hosts may contradict each other before the more likely is believed: a daemon takes
/// its time to notice that the other one is gone.
pub(crate) const SETTLING: Duration = Duration::from_secs(45);

/// What one host says of a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The host cannot be asked.
    Unknown,
    /// It has no such domain.
    Absent,
    /// It has a definition that is shut off.
    Off,
    /// It runs.
    Running,
    /// It is paused.
    Paused,
    /// A job of libvirt's works on it.
    Busy,
}

/// Where a router is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Source,
    Destination,
    /// It does not run; it is defined at this host, if at any.
    Off(Option<Side>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Destination,
}

/// What both hosts say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is there.
    At(Place),
    /// A job of libvirt's is moving it.
    OnItsWay,
    /// They contradict each other.
    Undecided,
    /// This host cannot be asked, and the other one does not decide it.
    Away(HostId),
}

/// Two hosts, and a router that is on one of them.
pub(crate) struct Search<'a> {
    pub state: &'a State,
    pub driver: Driver,
    pub router: RouterId,
    pub from: &'a HostId,
    pub to: &'a HostId,
}

impl Search<'_> {
    /// Asks both hosts. `is_late` says that they have contradicted each other for [`SETTLING`].
    pub async fn ask(&self, is_late: bool) -> Answer {
        let (from, to) = tokio::join!(self.seen(self.from), self.seen(self.to));
        match decide(from, to, is_late) {
            Some(place) => Answer::At(place),
            None if from == Seen::Unknown => Answer::Away(self.from.clone()),
            None if to == Seen::Unknown => Answer::Away(self.to.clone()),
            None if from == Seen::Busy => Answer::OnItsWay,
            None => Answer::Undecided,
        }
    }

    /// What a host says now.
    async fn seen(&self, host: &HostId) -> Seen {
        let connection = self.state.fleet.connection(host, self.driver);
        match connection.await {
            Ok(connection) => self.seen_by(&connection).await,
            Err(_) => Seen::Unknown,
        }
    }

    async fn seen_by(&self, connection: &Connection) -> Seen {
        let domain = match connection.domain(self.router.0).await {
            Ok(Some(domain)) => domain,
            Ok(None) => return Seen::Absent,
            Err(_) => return Seen::Unknown,
        };
        if !domain.state.is_active() {
            return Seen::Off;
        }
        match has_job(connection, self.router).await {
            Ok(true) => return Seen::Busy,
            Ok(false) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Seen::Absent,
            Err(_) => return Seen::Unknown,
        }
        match domain.state {
            DomainState::Paused => Seen::Paused,
            _ => Seen::Running,
        }
    }
}

async fn has_job(connection: &Connection, router: RouterId) -> Result<bool, Error> {
    match connection.job_progress(router.0).await {
        Ok(job) => Ok(job.is_some()),
        Err(error) if error.kind() == ErrorKind::NotSupported => Ok(false),
        // It stopped between the two questions.
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
        Err(error) => Err(error),
    }
}

/// See the module's table.
fn decide(from: Seen, to: Seen, is_late: bool) -> Option<Place> {
    use Seen::{Absent, Busy, Off, Paused, Running, Unknown};
    match (from, to) {
        (Running, Running | Busy | Paused) if !is_late => None,
        (Running, _) | (Paused, Absent | Off) => Some(Place::Source),
        // The source lets go last.
        (Off | Absent | Unknown | Paused, Running) => Some(Place::Destination),
        (Paused, Paused | Busy) => is_late.then_some(Place::Source),
        (Off | Absent, Paused) => is_late.then_some(Place::Destination),
        (Off, Off | Absent) => Some(Place::Off(Some(Side::Source))),
        (Absent, Off) => Some(Place::Off(Some(Side::Destination))),
        (Absent, Absent) => Some(Place::Off(None)),
        (Busy | Unknown, _) | (Off | Absent, Busy) | (Off | Absent | Paused, Unknown) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_decide() {
        use Seen::{Absent, Busy, Off, Paused, Running, Unknown};
        let at = |from, to| decide(from, to, false);
        assert_eq!(at(Running, Absent), Some(Place::Source));
        assert_eq!(at(Running, Unknown), Some(Place::Source));
        assert_eq!(at(Absent, Running), Some(Place::Destination));
        assert_eq!(at(Unknown, Running), Some(Place::Destination));
        assert_eq!(at(Paused, Running), Some(Place::Destination));
        assert_eq!(at(Off, Absent), Some(Place::Off(Some(Side::Source))));
        assert_eq!(at(Absent, Off), Some(Place::Off(Some(Side::Destination))));
        // What may yet change, or cannot be known, is waited for.
        for (from, to) in [
            (Busy, Running),
            (Running, Paused),
            (Paused, Paused),
            (Absent, Paused),
            (Unknown, Absent),
            (Absent, Unknown),
            (Paused, Unknown),
        ] {
            assert_eq!(at(from, to), None, "{from:?} {to:?}");
        }
        // For ever only where a host cannot be asked.
        assert_eq!(decide(Running, Paused, true), Some(Place::Source));
        assert_eq!(decide(Paused, Paused, true), Some(Place::Source));
        assert_eq!(decide(Absent, Paused, true), Some(Place::Destination));
        assert_eq!(decide(Unknown, Paused, true), None);
    }
}
