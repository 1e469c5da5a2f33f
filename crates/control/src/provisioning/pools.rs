//! What links are given out of pools: groups, ports, addresses; and MAC addresses. Pure.
//!
//! Nothing is remembered here. What is taken is what hosts report, what links hold that VMS made, and
//! what plans that are under way are about to hold; whoever picks holds a lock until that is written
//! down (`State::provisioning`), so that two at once, or a restart, never pick the same.

use crate::LinkSettings;
use model::{Attachment, HostId, Mac, Topology};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// What is taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    pub macs: BTreeSet<Mac>,
    /// Groups of multicast links, with their ports.
    pub groups: BTreeSet<SocketAddr>,
    /// UDP ports that tunnels of a host listen at.
    pub ports: BTreeMap<HostId, BTreeSet<u16>>,
    pub addresses: BTreeSet<IpAddr>,
    /// Bridges of links.
    pub bridges: BTreeSet<String>,
}

impl Taken {
    /// What the hosts report.
    pub fn by(topology: &Topology) -> Self {
        let mut taken = Self::default();
        for router in topology.routers.values() {
            for nic in &router.domain.interfaces {
                taken.macs.insert(nic.mac);
                for address in &nic.addresses {
                    taken.address(address);
                }
                match &nic.attachment {
                    Attachment::Multicast(group) => {
                        let group = group
                            .as_deref()
                            .and_then(|group| group.parse::<SocketAddr>().ok());
                        taken.groups.extend(group);
                    }
                    Attachment::Udp { local, .. } => {
                        let local = local.as_deref().map(str::parse::<SocketAddr>);
                        if let Some(Ok(local)) = local {
                            let ports = taken.ports.entry(router.host.clone());
                            ports.or_default().insert(local.port());
                        }
                    }
                    Attachment::Bridge(bridge) => {
                        taken.bridges.insert(bridge.clone());
                    }
                    _ => {}
                }
            }
        }
        taken
    }

    /// An address with or without a prefix length.
    pub fn address(&mut self, text: &str) {
        let address = text.split('/').next().unwrap_or_default();
        self.addresses.extend(address.parse::<IpAddr>().ok());
    }

    /// A MAC address that nobody has, of the range that QEMU uses.
    pub fn mac(&mut self, mut random: impl FnMut() -> u32) -> Mac {
        loop {
            let [_, a, b, c] = random().to_be_bytes();
            let mac = Mac([0x52, 0x54, 0x00, a, b, c]);
            if self.macs.insert(mac) {
                return mac;
            }
        }
    }

    /// A multicast group that no link has.
    pub fn group(&self, settings: &LinkSettings) -> Option<SocketAddr> {
        let (base, prefix) = settings.groups;
        let size = 1u64 << (32 - u32::from(prefix.min(32)));
        // The network's own address is nobody's group.
        let first = u64::from(base.to_bits()) + u64::from(size > 1);
        (first..u64::from(base.to_bits()) + size)
            .map(|bits| Ipv4Addr::from_bits(bits as u32))
            .find(|group| !self.groups.iter().any(|taken| taken.ip() == *group))
            .map(|group| SocketAddr::new(group.into(), settings.group_port))
    }

    /// A port that no tunnel of these two hosts has.
    pub fn port(&self, settings: &LinkSettings, hosts: [&HostId; 2]) -> Option<u16> {
        let is_free = |port: &u16| {
            let mut ports = hosts.into_iter().filter_map(|host| self.ports.get(host));
            !ports.any(|taken| taken.contains(port))
        };
        settings.udp_ports.clone().find(is_free)
    }

    /// Both addresses of an IPv4 /31 (RFC 3021) of which nobody has one.
    pub fn ipv4(&self, settings: &LinkSettings) -> Option<[String; 2]> {
        let (base, prefix) = settings.ipv4;
        let pairs = 1u64 << (31 - u32::from(prefix.min(31)));
        (0..pairs).find_map(|pair| {
            let first = u64::from(base.to_bits()) + pair * 2;
            let ends = [first, first + 1].map(|bits| Ipv4Addr::from_bits(bits as u32));
            let is_free = ends
                .iter()
                .all(|end| !self.addresses.contains(&IpAddr::V4(*end)));
            is_free.then(|| ends.map(|end| format!("{end}/31")))
        })
    }

    /// Two addresses of an IPv6 /64 of which nobody has one.
    pub fn ipv6(&self, settings: &LinkSettings) -> Option<[String; 2]> {
        let (base, prefix) = settings.ipv6;
        let networks = 1u128 << (64 - u32::from(prefix.min(64))).min(24);
        let network_of = |address: &IpAddr| match address {
            IpAddr::V6(address) => Some(address.to_bits() >> 64),
            IpAddr::V4(_) => None,
        };
        let taken: BTreeSet<u128> = self.addresses.iter().filter_map(network_of).collect();
        let first = base.to_bits() >> 64;
        let network = (first..first + networks).find(|network| !taken.contains(network))?;
        Some([1, 2].map(|end| format!("{}/64", Ipv6Addr::from_bits(network << 64 | end))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> LinkSettings {
        LinkSettings {
            groups: (Ipv4Addr::new(239, 192, 0, 0), 30),
            udp_ports: 5000..=5001,
            ipv4: (Ipv4Addr::new(10, 0, 0, 0), 30),
            ..LinkSettings::default()
        }
    }

    #[test]
    fn a_pool_gives_each_once_and_ends() {
        let (settings, mut taken) = (settings(), Taken::default());
        let mut groups = Vec::new();
        while let Some(group) = taken.group(&settings) {
            assert!(taken.groups.insert(group));
            groups.push(group.ip().to_string());
        }
        assert_eq!(groups, ["239.192.0.1", "239.192.0.2", "239.192.0.3"]);

        let [a, b] = ["a", "b"].map(HostId::new);
        taken.ports.entry(a.clone()).or_default().insert(5000);
        assert_eq!(taken.port(&settings, [&a, &b]), Some(5001));
        taken.ports.entry(b.clone()).or_default().insert(5001);
        assert_eq!(taken.port(&settings, [&a, &b]), None);

        let first = taken.ipv4(&settings).unwrap();
        assert_eq!(first, ["10.0.0.0/31", "10.0.0.1/31"]);
        // One address that somebody has takes its pair.
        taken.address("10.0.0.1");
        let second = taken.ipv4(&settings).unwrap();
        assert_eq!(second, ["10.0.0.2/31", "10.0.0.3/31"]);
        taken.address("10.0.0.2/24");
        assert_eq!(taken.ipv4(&settings), None);

        let first = taken.ipv6(&settings).unwrap();
        taken.address(&first[0]);
        let second = taken.ipv6(&settings).unwrap();
        assert!(
            first[0].ends_with("::1/64") && first != second,
            "{first:?} {second:?}"
        );
    }

    #[test]
    fn no_two_have_a_mac_address() {
        let mut taken = Taken::default();
        let mut numbers = [7, 7, 8].into_iter();
        let mut random = || numbers.next().unwrap();
        let first = taken.mac(&mut random);
        let second = taken.mac(&mut random);
        assert_eq!([first, second].map(|mac| mac.0[5]), [7, 8]);
    }
}
