//! Interfaces in definitions: put in, taken out, and told to guests that read of them. Pure.

use libvirt::{BandwidthXml, DomainXml, InterfaceKind, InterfaceXml, RateXml};
use model::Mac;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// What tells a guest of its interface, among the arguments of its kernel.
const ARGUMENT: &str = "vms.nic=";

/// An interface in a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewNic {
    pub mac: Mac,
    pub plug: Plug,
    pub addresses: Vec<String>,
    /// The most that comes to the router, in bits a second. The other way is limited at the other end:
    /// what leaves a router is shaped by no host, but policed, for which its kernel needs more.
    pub bits_per_second: Option<u64>,
    pub mtu: Option<u32>,
}

/// What an interface is attached to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Plug {
    Network(String),
    Bridge(String),
    Multicast(SocketAddr),
    Udp {
        local: SocketAddr,
        remote: SocketAddr,
    },
}

impl NewNic {
    pub fn new(mac: Mac, plug: Plug, addresses: Vec<String>) -> Self {
        Self {
            mac,
            plug,
            addresses,
            bits_per_second: None,
            mtu: None,
        }
    }

    /// The device, for a guest of this kind.
    pub fn device(&self, driver: model::Driver) -> InterfaceXml {
        let kind = match &self.plug {
            Plug::Network(_) => InterfaceKind::Network,
            Plug::Bridge(_) => InterfaceKind::Bridge,
            Plug::Multicast(_) => InterfaceKind::Multicast,
            Plug::Udp { .. } => InterfaceKind::Udp,
        };
        let mut nic = InterfaceXml::new(kind);
        nic.mac = Some(self.mac.to_string());
        match &self.plug {
            Plug::Network(name) => nic.source.network = Some(name.clone()),
            Plug::Bridge(name) => nic.source.bridge = Some(name.clone()),
            Plug::Multicast(group) => {
                nic.source.address = Some(group.ip().to_string());
                nic.source.port = Some(group.port());
            }
            Plug::Udp { local, remote } => {
                nic.source.address = Some(remote.ip().to_string());
                nic.source.port = Some(remote.port());
                nic.source.local_address = Some(local.ip().to_string());
                nic.source.local_port = Some(local.port());
            }
        }
        if driver == model::Driver::Qemu {
            nic.model = Some("virtio".to_owned());
        }
        nic.mtu = self.mtu;
        if let Some(bits) = self.bits_per_second {
            nic.bandwidth = Some(BandwidthXml {
                // As libvirt sees it from the guest: inbound is what it gets.
                inbound: Some(RateXml {
                    // Kilobytes a second, at least one: 0 would mean no limit.
                    average: Some((bits / 8 / 1024).max(1)),
                    ..RateXml::default()
                }),
                ..BandwidthXml::default()
            });
        }
        nic
    }
}

/// Puts an interface into a definition, and tells the guest where it reads of it.
pub(crate) fn put_in(definition: &mut DomainXml, nic: &NewNic, driver: model::Driver) {
    take_out(definition, nic.mac);
    definition.interfaces.push(nic.device(driver));
    if let Some(metadata) = &mut definition.metadata {
        let mac = nic.mac.to_string();
        let addresses = nic.addresses.iter().cloned();
        metadata
            .addresses
            .extend(addresses.map(|address| (mac.clone(), address)));
    }
    let is_told = definition.os.kernel.is_some() && definition.metadata.is_some();
    if is_told && !nic.addresses.is_empty() {
        let line = definition.os.cmdline.get_or_insert_default();
        for argument in arguments(nic.mac, &nic.addresses) {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&argument);
        }
    }
}

/// Takes an interface out of a definition; answers whether it was in it.
pub(crate) fn take_out(definition: &mut DomainXml, mac: Mac) -> bool {
    let text = mac.to_string();
    let before = definition.interfaces.len();
    let is_it = |nic: &InterfaceXml| {
        nic.mac
            .as_deref()
            .is_some_and(|of| of.eq_ignore_ascii_case(&text))
    };
    definition.interfaces.retain(|nic| !is_it(nic));
    if let Some(metadata) = &mut definition.metadata {
        metadata
            .addresses
            .retain(|(of, _)| !of.eq_ignore_ascii_case(&text));
    }
    if let Some(line) = &mut definition.os.cmdline {
        let told = format!("{ARGUMENT}{text},");
        if line.contains(&told) {
            let rest = line.split(' ').filter(|word| !word.starts_with(&told));
            *line = rest.collect::<Vec<_>>().join(" ");
        }
    }
    before != definition.interfaces.len()
}

/// The MAC addresses in a definition.
pub(crate) fn macs(definition: &DomainXml) -> impl Iterator<Item = Mac> + '_ {
    let nics = definition.interfaces.iter();
    nics.filter_map(|nic| {
        let mac: api::MacAddress = nic.mac.as_deref()?.parse().ok()?;
        Some(Mac(mac.0))
    })
}

/// What tells a guest of an interface.
pub(crate) fn arguments(mac: Mac, addresses: &[String]) -> impl Iterator<Item = String> + '_ {
    addresses
        .iter()
        .map(move |address| format!("{ARGUMENT}{mac},{address}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use libvirt::{DomainKind, RouterMetadata};

    #[test]
    fn what_was_put_in_is_taken_out_without_a_trace() {
        let mut definition = DomainXml::new(DomainKind::Qemu, "r1");
        definition.metadata = Some(RouterMetadata::default());
        definition.os.kernel = Some("/k".to_owned());
        definition.os.cmdline = Some("console=ttyS0 quiet".to_owned());
        let before = definition.clone();
        let group = "239.1.1.1:5558".parse().unwrap();
        let mac = Mac([0x52, 0x54, 0, 1, 2, 3]);
        let addresses = vec!["10.0.0.0/31".to_owned(), "fd00::1/64".to_owned()];
        let mut nic = NewNic::new(mac, Plug::Multicast(group), addresses);
        nic.bits_per_second = Some(8 * 1024 * 100);
        put_in(&mut definition, &nic, model::Driver::Qemu);
        // Twice is once.
        put_in(&mut definition, &nic, model::Driver::Qemu);
        assert_eq!(
            definition.os.cmdline.as_deref(),
            Some(
                "console=ttyS0 quiet vms.nic=52:54:00:01:02:03,10.0.0.0/31 \
                 vms.nic=52:54:00:01:02:03,fd00::1/64"
            )
        );
        let [device] = &definition.interfaces[..] else {
            panic!("{:?}", definition.interfaces)
        };
        let xml = device.to_xml();
        for part in [
            "type=\"mcast\"",
            "239.1.1.1",
            "5558",
            "virtio",
            "average=\"100\"",
        ] {
            let single = part.replace('"', "'");
            assert!(xml.contains(part) || xml.contains(&single), "{part}: {xml}");
        }
        assert!(take_out(&mut definition, mac));
        assert!(!take_out(&mut definition, mac));
        assert_eq!(definition, before);
    }
}
