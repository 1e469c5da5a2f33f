//! What a host says about itself: `<interface>` of the host and `<capabilities>`.
//!
//! <https://gitlab.com/libvirt/libvirt/-/blob/master/src/conf/schemas/interface.rng>,
//! <https://libvirt.org/formatcaps.html>

use uuid::Uuid;

use super::{Element, XmlError};

/// A host interface's definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HostInterfaceXml {
    pub(crate) kind: String,
    pub(crate) mac: Option<String>,
    pub(crate) mtu: Option<u32>,
    pub(crate) link_state: Option<String>,
    pub(crate) speed_mbit: Option<u64>,
    pub(crate) vlan: Option<u16>,
    pub(crate) ports: Vec<String>,
    pub(crate) addresses: Vec<String>,
}

impl HostInterfaceXml {
    pub(crate) fn parse(xml: &str) -> Result<Self, XmlError> {
        let root = Element::parse_root(xml, "interface")?;
        let inside = ["bridge", "bond", "vlan"]
            .iter()
            .find_map(|name| root.child(name));
        let link = root.child("link");
        Ok(Self {
            kind: root.owned("type").unwrap_or_default(),
            mac: root
                .child_attribute("mac", "address")
                .map(|mac| mac.to_ascii_lowercase()),
            mtu: root.child("mtu").and_then(|mtu| mtu.parsed("size")),
            link_state: link.and_then(|link| link.owned("state")),
            // libvirt writes 0 where the speed is not known.
            speed_mbit: link
                .and_then(|link| link.parsed("speed"))
                .filter(|&speed| speed > 0),
            vlan: root.child("vlan").and_then(|vlan| vlan.parsed("tag")),
            ports: inside
                .into_iter()
                .flat_map(|inside| inside.children("interface"))
                .filter_map(|port| port.owned("name"))
                .collect(),
            addresses: root
                .children("protocol")
                .flat_map(|protocol| protocol.children("ip"))
                .filter_map(|ip| {
                    let address = ip.attribute("address")?;
                    Some(match ip.attribute("prefix") {
                        Some(prefix) => format!("{address}/{prefix}"),
                        None => address.to_owned(),
                    })
                })
                .collect(),
        })
    }
}

/// The host's UUID in `<capabilities>`, where the driver gives one.
pub(crate) fn capabilities_host_uuid(xml: &str) -> Result<Option<Uuid>, XmlError> {
    let root = Element::parse_root(xml, "capabilities")?;
    let text = root.child("host").and_then(|host| host.child_text("uuid"));
    Ok(text.and_then(|text| text.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_with_ports_is_read() {
        let bridge = HostInterfaceXml::parse(
            "<interface type='bridge' name='br0'><mtu size='1500'/>\
             <protocol family='ipv4'><ip address='10.0.0.1' prefix='24'/></protocol>\
             <bridge stp='on'><interface type='ethernet' name='eth0'>\
             <link speed='1000' state='up'/><mac address='AA:bb:cc:dd:ee:ff'/></interface>\
             <interface type='ethernet' name='eth1'/></bridge></interface>",
        )
        .unwrap();
        assert_eq!(bridge.kind, "bridge");
        assert_eq!(bridge.ports, ["eth0", "eth1"]);
        assert_eq!(bridge.addresses, ["10.0.0.1/24"]);
        assert_eq!(bridge.mac, None);
    }

    #[test]
    fn a_vlan_and_an_ethernet_are_read() {
        let vlan = HostInterfaceXml::parse(
            "<interface type='vlan' name='eth0.42'><vlan tag='42'>\
             <interface name='eth0'/></vlan></interface>",
        )
        .unwrap();
        assert_eq!((vlan.vlan, vlan.ports), (Some(42), vec!["eth0".to_owned()]));
        let nic = HostInterfaceXml::parse(
            "<interface type='ethernet' name='eth0'><link speed='10000' state='up'/></interface>",
        )
        .unwrap();
        assert_eq!(
            (nic.speed_mbit, nic.link_state.as_deref()),
            (Some(10_000), Some("up"))
        );
    }

    #[test]
    fn the_uuid_of_a_host_may_be_missing() {
        let uuid = "00000000-0000-0000-0000-00000000000a";
        let xml = format!("<capabilities><host><uuid>{uuid}</uuid></host></capabilities>");
        assert_eq!(capabilities_host_uuid(&xml).unwrap(), uuid.parse().ok());
        assert_eq!(
            capabilities_host_uuid("<capabilities><host/></capabilities>"),
            Ok(None)
        );
    }
}
