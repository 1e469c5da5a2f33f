//! `<network>`: a network that libvirt keeps on a host.
//!
//! <https://libvirt.org/formatnetwork.html>

use std::net::Ipv4Addr;

use uuid::Uuid;

use super::XmlError;
use super::fields::{Document, Kept, Pass, View};
use super::interface::BandwidthXml;
use super::tree::Element;

/// A network's definition, as far as it is of use here; what else is in it is kept.
///
/// ```
/// use libvirt::{IpXml, NetworkXml};
/// let mut network = NetworkXml::new("transit");
/// network.forward_mode = Some("route".to_owned());
/// network.ips.push(IpXml::new("10.7.0.1", 24));
/// assert_eq!(NetworkXml::parse(&network.to_xml())?, network);
/// # Ok::<(), libvirt::XmlError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkXml {
    /// `<name>`.
    pub name: String,
    /// `<uuid>`; libvirt makes one for a new network that has none.
    pub uuid: Option<Uuid>,
    /// `<title>`: one line.
    pub title: Option<String>,
    /// `nat`, `route`, `bridge`, `open`, …; `None` for an isolated network.
    pub forward_mode: Option<String>,
    /// Devices of the host that it forwards through.
    pub forward_devices: Vec<String>,
    /// The bridge on the host.
    pub bridge: Option<String>,
    /// Whether the bridge takes part in the spanning tree protocol.
    pub stp: Option<bool>,
    /// MAC address of the bridge in lower case.
    pub mac: Option<String>,
    /// DNS domain.
    pub domain: Option<String>,
    /// Whether the host answers DNS in it, where it has an address there; libvirt's default is that
    /// it does.
    pub dns: Option<bool>,
    /// MTU, bytes.
    pub mtu: Option<u32>,
    /// VLAN tags.
    pub vlans: Vec<u16>,
    /// Limits of what it carries.
    pub bandwidth: Option<BandwidthXml>,
    /// Addresses of the host in it.
    pub ips: Vec<IpXml>,
    kept: Kept,
}

/// One `<ip>` of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpXml {
    /// `ipv4` or `ipv6`.
    pub family: String,
    /// The host's address.
    pub address: String,
    /// Prefix length, computed from the netmask where that is what was given.
    pub prefix: Option<u8>,
    /// Ranges that DHCP hands out, first and last address.
    pub dhcp_ranges: Vec<(String, String)>,
    kept: Kept,
}

/// The family of an `<ip>` that does not say one.
const IPV4: &str = "ipv4";

impl Default for IpXml {
    fn default() -> Self {
        Self {
            family: IPV4.to_owned(),
            address: String::new(),
            prefix: None,
            dhcp_ranges: Vec::new(),
            kept: Kept::default(),
        }
    }
}

impl NetworkXml {
    /// A network that is a bridge and nothing else: it joins guests, its host has no address in it and
    /// runs no program for it. To start it, libvirt wants `iptables` on the host nonetheless.
    pub fn isolated(name: &str, bridge: &str) -> Self {
        Self {
            bridge: Some(bridge.to_owned()),
            stp: Some(true),
            dns: Some(false),
            ..Self::new(name)
        }
    }

    /// A network that has nothing but its name.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// Reads what `virNetworkGetXMLDesc` returned.
    ///
    /// # Errors
    /// When it is not a well-formed `<network>`.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        Self::read(xml)
    }

    /// The definition with the fields as they are now, for `virNetworkDefineXML`.
    pub fn to_xml(&self) -> String {
        self.write()
    }
}

impl IpXml {
    /// The host's address, of the family that it looks like, with a prefix of this length.
    pub fn new(address: &str, prefix: u8) -> Self {
        Self {
            family: super::interface::family(address).to_owned(),
            address: address.to_owned(),
            prefix: Some(prefix),
            ..Self::default()
        }
    }
}

impl Document for NetworkXml {
    const NAME: &'static str = "network";

    fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }
}

impl View for NetworkXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.text("name", &mut self.name);
        pass.text("uuid", &mut self.uuid);
        pass.text("title", &mut self.title);
        let devices = std::mem::take(&mut self.forward_devices);
        let mut forward = self
            .forward_mode
            .take()
            .map(|mode| Forward { mode, devices });
        pass.part("forward", &mut forward);
        if let Some(Forward { mode, devices }) = forward {
            self.forward_mode = Some(mode);
            self.forward_devices = devices;
        }
        pass.child("bridge", |bridge| {
            bridge.attribute("name", &mut self.bridge);
            bridge.switch("stp", ("on", "off"), &mut self.stp);
        });
        pass.child("mtu", |mtu| mtu.attribute("size", &mut self.mtu));
        pass.child("mac", |mac| mac.mac("address", &mut self.mac));
        pass.child("domain", |domain| {
            domain.attribute("name", &mut self.domain);
        });
        pass.child("dns", |dns| {
            dns.switch("enable", ("yes", "no"), &mut self.dns);
        });
        pass.child("vlan", |vlan| {
            vlan.attributes("tag", "id", &mut self.vlans);
        });
        pass.part("bandwidth", &mut self.bandwidth);
        pass.list("ip", &mut self.ips);
    }
}

/// `<forward>`: how a network reaches others.
#[derive(Default)]
struct Forward {
    mode: String,
    devices: Vec<String>,
}

impl View for Forward {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.custom(
            &mut self.mode,
            // libvirt: a <forward> without a mode means NAT.
            |forward| forward.attribute("mode").unwrap_or("nat").to_owned(),
            |mode, forward| forward.set_attribute("mode", Some(mode)),
        );
        let there = forward_devices(pass.element());
        if !pass.writes() {
            self.devices = there;
        } else if there != self.devices {
            // libvirt names the first in both places.
            pass.attribute("dev", &mut self.devices.first().cloned());
            pass.attributes("interface", "dev", &mut self.devices);
        }
    }
}

fn forward_devices(forward: &Element) -> Vec<String> {
    let mut devices: Vec<String> = forward.owned("dev").into_iter().collect();
    for device in forward.children("interface").filter_map(|i| i.owned("dev")) {
        if !devices.contains(&device) {
            devices.push(device);
        }
    }
    devices
}

impl Document for IpXml {
    const NAME: &'static str = "ip";

    fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }
}

impl View for IpXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.custom(
            &mut self.family,
            |ip| ip.attribute("family").unwrap_or(IPV4).to_owned(),
            |family, ip| ip.set_attribute("family", Some(family)),
        );
        pass.attribute("address", &mut self.address);
        pass.custom(
            &mut self.prefix,
            |ip| {
                let mask = || Some(ip.attribute("netmask")?.parse::<Ipv4Addr>().ok()?.to_bits());
                let given = ip.attribute("prefix").and_then(|text| text.parse().ok());
                given.or_else(|| Some(mask()?.leading_ones() as u8))
            },
            |prefix, ip| {
                ip.set_attribute("netmask", None);
                let prefix = prefix.map(|prefix| prefix.to_string());
                ip.set_attribute("prefix", prefix.as_deref());
            },
        );
        pass.child("dhcp", |dhcp| {
            dhcp.each(
                "range",
                &mut self.dhcp_ranges,
                |range| Some((range.owned("start")?, range.owned("end")?)),
                |(start, end), range| {
                    range.set_attribute("start", Some(start));
                    range.set_attribute("end", Some(end));
                },
                |_, _| true,
            );
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nat_network_is_read() {
        let network = NetworkXml::parse(
            "<network><name>default</name><forward dev='eth0' mode='nat'><nat/>\
             <interface dev='eth0'/><interface dev='eth1'/></forward>\
             <bridge name='virbr0' stp='on'/><mac address='52:54:00:AB:00:01'/>\
             <ip address='192.168.122.1' netmask='255.255.255.0'>\
             <dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp></ip>\
             <ip family='ipv6' address='2001:db8::1' prefix='64'/></network>",
        )
        .unwrap();
        assert_eq!(network.forward_mode.as_deref(), Some("nat"));
        assert_eq!(network.forward_devices, ["eth0", "eth1"]);
        assert_eq!(network.bridge.as_deref(), Some("virbr0"));
        assert_eq!(network.ips[0].prefix, Some(24));
        assert_eq!(
            network.ips[0].dhcp_ranges,
            [("192.168.122.2".to_owned(), "192.168.122.254".to_owned())]
        );
        assert_eq!(
            (network.ips[1].family.as_str(), network.ips[1].prefix),
            ("ipv6", Some(64))
        );
    }

    #[test]
    fn an_isolated_network_has_no_mode() {
        let network = NetworkXml::parse("<network><name>n</name><bridge name='b'/></network>");
        assert_eq!(network.unwrap().forward_mode, None);
    }
}
