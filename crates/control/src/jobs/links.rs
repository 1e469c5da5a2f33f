//! UDP links of a router that moves: their addresses are those of hosts.
//!
//! An end is bound to an address of its host, so that it has another one after a move; and the other
//! end sends to the old one until it is led to the new one (`chores`).
//!
//! ```text
//! before   r (alpha) 10.0.0.1:5559 ⇄ 10.0.0.3:5559 peer (gamma)
//! moved    r (beta)  10.0.0.2:5559 → 10.0.0.3:5559 peer, which sends to 10.0.0.1 still
//! mended   r (beta)  10.0.0.2:5559 ⇄ 10.0.0.3:5559 peer, which was saved and goes on
//! ```

use super::{
    plan::{Chore, Replug, What},
    work::Work,
};
use crate::service::State;
use libvirt::{DomainXml, InterfaceKind};
use model::{Attachment, HostId, Mac, Router, Topology};
use std::net::{IpAddr, SocketAddr};

/// One end of a UDP link that moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub mac: Mac,
    pub local: SocketAddr,
    pub remote: SocketAddr,
    /// Where it will listen; absent if the destination's address is not known.
    pub to: Option<SocketAddr>,
    /// Whether something else listens there already.
    pub is_taken: bool,
    /// The other end, where a router of the fleet is it.
    pub peer: Option<Peer>,
}

/// The other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    pub host: HostId,
    pub router: model::RouterId,
    pub name: String,
    pub mac: Mac,
    pub driver: model::Driver,
    pub is_active: bool,
}

/// The ends of UDP links that would move with a router.
pub(crate) fn moved(
    state: &State,
    topology: &Topology,
    router: &Router,
    to: &HostId,
) -> Vec<Moved> {
    let address = transport_address(state, topology, to);
    let nics = router.domain.interfaces.iter();
    let ends = nics.filter_map(|nic| Some((nic.mac, udp(&nic.attachment)?)));
    ends.map(|(mac, (local, remote))| {
        let there = address.map(|address| SocketAddr::new(address, local.port()));
        let others = topology
            .routers
            .values()
            .filter(|other| other.domain.id != router.domain.id);
        let mut others = others.flat_map(|other| {
            let nics = other.domain.interfaces.iter();
            nics.filter_map(move |nic| Some((other, nic.mac, udp(&nic.attachment)?)))
        });
        let is_taken = others.clone().any(|(other, _, (bound, _))| {
            other.host == *to && other.domain.state.is_active() && Some(bound) == there
        });
        let peer = others.find(|(_, _, ends)| *ends == (remote, local));
        Moved {
            mac,
            local,
            remote,
            to: there,
            is_taken,
            peer: peer.map(|(other, mac, _)| Peer {
                host: other.host.clone(),
                router: other.domain.id,
                name: other.domain.name.clone(),
                driver: other.domain.driver,
                is_active: other.domain.state.is_active(),
                mac,
            }),
        }
    })
    .collect()
}

/// Those of the router that a job moves.
pub(crate) fn of_work(work: &Work) -> Vec<Moved> {
    let snapshot = work.state.snapshots.borrow().clone();
    let router = snapshot.topology.routers.get(&work.plan.router);
    let moved = router.map(|router| moved(&work.state, &snapshot.topology, router, &work.plan.to));
    moved.unwrap_or_default()
}

/// What mends the other ends once the router is there.
pub(crate) fn replugs(moved: &[Moved]) -> impl Iterator<Item = Chore> + '_ {
    moved.iter().filter_map(|end| {
        let peer = end.peer.as_ref()?;
        let what = What::Replug(Replug {
            router: peer.router,
            name: peer.name.clone(),
            mac: peer.mac,
            was_active: peer.is_active,
            from: end.local.to_string(),
            to: end.to?.to_string(),
            of: end.mac,
        });
        Some(Chore::new(&peer.host, what))
    })
}

/// Lets a definition listen where the destination has an address.
pub(crate) fn rebind(definition: &mut DomainXml, moved: &[Moved]) {
    for nic in &mut definition.interfaces {
        let end = moved
            .iter()
            .find(|end| nic.mac.as_deref() == Some(&end.mac.to_string()));
        if nic.kind == InterfaceKind::Udp
            && let Some(to) = end.and_then(|end| end.to)
        {
            nic.source.local_address = Some(to.ip().to_string());
            nic.source.local_port = Some(to.port());
        }
    }
}

/// The address at which a host's tunnels end: as it is configured, or as routers that are on it
/// use it.
pub(crate) fn transport_address(
    state: &State,
    topology: &Topology,
    host: &HostId,
) -> Option<IpAddr> {
    if let Some(address) = state
        .fleet
        .addresses(host)
        .and_then(|known| known.transport)
    {
        return Some(address);
    }
    let routers = topology
        .routers
        .values()
        .filter(|router| router.host == *host);
    let nics = routers.flat_map(|router| &router.domain.interfaces);
    let mut bound = nics.filter_map(|nic| Some(udp(&nic.attachment)?.0.ip()));
    bound.find(|address| !address.is_loopback() && !address.is_unspecified())
}

fn udp(attachment: &Attachment) -> Option<(SocketAddr, SocketAddr)> {
    match attachment {
        Attachment::Udp {
            local: Some(local),
            remote: Some(remote),
        } => Some((local.parse().ok()?, remote.parse().ok()?)),
        _ => None,
    }
}
