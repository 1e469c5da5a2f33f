//! `<network>`: a network that libvirt keeps on a host.
//!
//! <https://libvirt.org/formatnetwork.html>

use super::{Element, XmlError};

/// A network's definition, as far as it is of use here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkXml {
    /// `<name>`.
    pub name: String,
    /// `<title>`: one line.
    pub title: Option<String>,
    /// `nat`, `route`, `bridge`, `open`, …; `None` for an isolated network.
    pub forward_mode: Option<String>,
    /// Devices of the host that it forwards through.
    pub forward_devices: Vec<String>,
    /// The bridge on the host.
    pub bridge: Option<String>,
    /// MAC address of the bridge in lower case.
    pub mac: Option<String>,
    /// DNS domain.
    pub domain: Option<String>,
    /// MTU, bytes.
    pub mtu: Option<u32>,
    /// VLAN tags.
    pub vlans: Vec<u16>,
    /// Addresses of the host in it.
    pub ips: Vec<IpXml>,
}

/// One `<ip>` of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpXml {
    /// `ipv4` or `ipv6`.
    pub family: String,
    /// The host's address.
    pub address: String,
    /// Prefix length, computed from the netmask where that is what was given.
    pub prefix: Option<u8>,
    /// Ranges that DHCP hands out, first and last address.
    pub dhcp_ranges: Vec<(String, String)>,
}

impl NetworkXml {
    /// Reads what `virNetworkGetXMLDesc` returned.
    ///
    /// # Errors
    /// When it is not a well-formed `<network>`.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        let root = Element::parse_root(xml, "network")?;
        let forward = root.child("forward");
        let mut forward_devices: Vec<String> = forward
            .and_then(|forward| forward.owned("dev"))
            .into_iter()
            .collect();
        for device in forward
            .into_iter()
            .flat_map(|forward| forward.children("interface"))
            .filter_map(|interface| interface.owned("dev"))
        {
            if !forward_devices.contains(&device) {
                forward_devices.push(device);
            }
        }
        Ok(Self {
            name: root.child_text("name").unwrap_or_default(),
            title: root.child_text("title"),
            // libvirt: a <forward> without a mode means NAT.
            forward_mode: forward
                .map(|forward| forward.owned("mode").unwrap_or_else(|| "nat".to_owned())),
            forward_devices,
            bridge: root.child_attribute("bridge", "name"),
            mac: root
                .child_attribute("mac", "address")
                .map(|mac| mac.to_ascii_lowercase()),
            domain: root.child_attribute("domain", "name"),
            mtu: root.child("mtu").and_then(|mtu| mtu.parsed("size")),
            vlans: root
                .child("vlan")
                .into_iter()
                .flat_map(|vlan| vlan.children("tag"))
                .filter_map(|tag| tag.parsed("id"))
                .collect(),
            ips: root.children("ip").filter_map(IpXml::read).collect(),
        })
    }
}

impl IpXml {
    fn read(ip: &Element) -> Option<Self> {
        let address = ip.owned("address")?;
        Some(Self {
            family: ip.owned("family").unwrap_or_else(|| "ipv4".to_owned()),
            prefix: ip.parsed("prefix").or_else(|| {
                let mask: std::net::Ipv4Addr = ip.parsed("netmask")?;
                Some(mask.to_bits().leading_ones() as u8)
            }),
            dhcp_ranges: ip
                .child("dhcp")
                .into_iter()
                .flat_map(|dhcp| dhcp.children("range"))
                .filter_map(|range| Some((range.owned("start")?, range.owned("end")?)))
                .collect(),
            address,
        })
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
