//! What would become of a router's interfaces on another host.

use crate::{
    Attachment, DeclaredLink, HostId, HostInventory, HostReport, LinkState, Mac, Nic, RouterId,
    derive::{Wiring, reports_by_id},
};

/// What would become of one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// What it is attached to is there, and frames reach the same others.
    Same,
    /// There is something of that name, but nobody says that it is the same segment.
    Elsewhere,
    /// There is nothing of that name.
    Absent,
    /// The host does not tell which interfaces it has.
    Untold,
    /// A tunnel whose address is that of a host.
    Tunnel,
    /// It is on no segment.
    Unattached,
    /// Something else wires it, or it is attached in a way that is not known here.
    Unknown,
}

impl Placement {
    /// What would become of each interface of a router, in their order, if it were on the host `to`
    /// as it is defined now. Nothing if there is no such router, or if `to` never reported.
    pub fn of<'a>(
        reports: impl IntoIterator<Item = &'a HostReport>,
        declared: &[DeclaredLink],
        router: RouterId,
        to: &HostId,
    ) -> Vec<Self> {
        let reports = reports_by_id(reports);
        let there = reports
            .get(to)
            .and_then(|report| report.inventory.as_deref());
        let mut wiring = Wiring::of(&reports, declared);
        let Some((there, domain)) =
            there.zip(wiring.placed.get(&router).map(|(_, domain)| *domain))
        else {
            return Vec::new();
        };
        let here = wiring.carriers.get(&router).cloned().unwrap_or_default();
        let mut place = |nic: &Nic, carrier: Option<_>| {
            if let Some(known) = Self::without_wires(nic, there) {
                return known;
            }
            match carrier.zip(wiring.wires.attach(there, nic)) {
                Some((here, there)) => {
                    let [here, there] = [here, there].map(|end| wiring.wires.wire_of(&end));
                    if here == there {
                        Self::Same
                    } else {
                        Self::Elsewhere
                    }
                }
                None => Self::Unknown,
            }
        };
        let nics = domain.interfaces.iter().zip(here);
        nics.map(|(nic, carrier)| place(nic, carrier)).collect()
    }

    /// Whether frames get from a bridge of one host to a bridge of another, as far as somebody says
    /// so.
    pub fn is_joined<'a>(
        reports: impl IntoIterator<Item = &'a HostReport>,
        declared: &[DeclaredLink],
        bridges: [(&HostId, &str); 2],
    ) -> bool {
        let reports = reports_by_id(reports);
        let mut wiring = Wiring::of(&reports, declared);
        let [a, b] = bridges.map(|(host, bridge)| {
            let there = reports.get(host)?.inventory.as_deref()?;
            let is_there = there.interfaces.iter().any(|known| known.name == bridge);
            let nic = Nic {
                mac: Mac([0; 6]),
                attachment: Attachment::Bridge(bridge.to_owned()),
                device: None,
                model: None,
                link: LinkState::Unknown,
                addresses: Vec::new(),
            };
            let end = is_there.then(|| wiring.wires.attach(there, &nic))??;
            Some(wiring.wires.wire_of(&end))
        });
        a.is_some() && a == b
    }

    /// What can be said without knowing what is wired to what.
    fn without_wires(nic: &Nic, there: &HostInventory) -> Option<Self> {
        let has_interface = |name: &str| there.interfaces.iter().any(|i| i.name == name);
        match &nic.attachment {
            Attachment::Multicast(_) => Some(Self::Same),
            Attachment::Udp { .. } | Attachment::Tcp(_) => Some(Self::Tunnel),
            Attachment::User => Some(Self::Unattached),
            Attachment::Ethernet | Attachment::Other(_) => Some(Self::Unknown),
            Attachment::Network(name) => {
                let is_there = there.networks.iter().any(|network| network.name == *name);
                (!is_there).then_some(Self::Absent)
            }
            Attachment::Bridge(name) | Attachment::Direct(name) => {
                if has_interface(name) {
                    None
                } else if there.interfaces.is_empty() {
                    Some(Self::Untold)
                } else {
                    Some(Self::Absent)
                }
            }
        }
    }
}
