//! `<interface>` of a host, as opposed to one of a domain.
//!
//! <https://gitlab.com/libvirt/libvirt/-/blob/master/src/conf/schemas/interface.rng>

use super::XmlError;
use super::fields::{Document, Kept, Pass, View, from_element};
use super::interface::{address, family, set_address};
use super::tree::Element;

/// A host interface's definition, as far as it is of use here; what else is in it is kept.
///
/// ```
/// use libvirt::HostInterfaceXml;
/// let mut bridge = HostInterfaceXml::new("bridge", "br0");
/// bridge.ports.push("eth1".to_owned());
/// bridge.addresses.push("10.0.0.1/24".to_owned());
/// assert_eq!(HostInterfaceXml::parse(&bridge.to_xml())?, bridge);
/// # Ok::<(), libvirt::XmlError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostInterfaceXml {
    /// `ethernet`, `bridge`, `bond`, `vlan`.
    pub kind: String,
    /// `eth0`, `br0`, ….
    pub name: String,
    /// MAC address in lower case.
    pub mac: Option<String>,
    /// MTU, bytes.
    pub mtu: Option<u32>,
    /// `up`, `down`, `lowerlayerdown`, ….
    pub link_state: Option<String>,
    /// Speed, Mbit/s; `None` where it is not known.
    pub speed_mbit: Option<u64>,
    /// Tag of a VLAN interface.
    pub vlan: Option<u16>,
    /// Interfaces in it (bridge, bond) or below it (VLAN).
    pub ports: Vec<String>,
    /// Addresses, with `/prefix`, IPv4 before IPv6 where they are written anew.
    pub addresses: Vec<String>,
    kept: Kept,
}

impl HostInterfaceXml {
    /// An interface of this kind and name.
    pub fn new(kind: &str, name: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// Reads what `virInterfaceGetXMLDesc` returned.
    ///
    /// # Errors
    /// When it is not a well-formed `<interface>`.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        Self::read(xml)
    }

    /// What the definition tells of the interfaces in a bridge or bond. libvirt lists those nowhere
    /// else.
    pub fn port_definitions(&self) -> Vec<Self> {
        let inside = self.kept.element().into_iter();
        let inside = inside.flat_map(|element| element.children(self.inside()));
        inside
            .flat_map(|inside| inside.children(Self::NAME))
            .map(|port| from_element(port.clone()))
            .collect()
    }

    /// Where the ports are.
    fn inside(&self) -> &'static str {
        if self.kind == "bond" {
            "bond"
        } else {
            "bridge"
        }
    }

    /// The definition with the fields as they are now, for `virInterfaceDefineXML`.
    pub fn to_xml(&self) -> String {
        self.write()
    }
}

impl Document for HostInterfaceXml {
    const NAME: &'static str = "interface";

    fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }
}

impl View for HostInterfaceXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("type", &mut self.kind);
        pass.attribute("name", &mut self.name);
        pass.child("mtu", |mtu| mtu.attribute("size", &mut self.mtu));
        self.addresses(pass);
        pass.child("link", |link| {
            link.custom(
                &mut self.speed_mbit,
                // libvirt writes 0 where the speed is not known.
                |link| {
                    let speed = link.attribute("speed")?.parse().ok();
                    speed.filter(|&speed| speed > 0)
                },
                |speed, link| {
                    let speed = speed.map(|speed| speed.to_string());
                    link.set_attribute("speed", speed.as_deref());
                },
            );
            link.attribute("state", &mut self.link_state);
        });
        pass.child("mac", |mac| mac.mac("address", &mut self.mac));
        if self.kind == "vlan" {
            pass.child("vlan", |vlan| {
                vlan.attribute("tag", &mut self.vlan);
                vlan.attributes("interface", "name", &mut self.ports);
            });
        } else {
            pass.child(self.inside(), |inside| {
                inside.each(
                    "interface",
                    &mut self.ports,
                    |port| port.owned("name"),
                    |name, port| {
                        port.set_attribute("type", Some("ethernet"));
                        port.set_attribute("name", Some(name));
                    },
                    |_, _| true,
                );
            });
        }
    }
}

impl HostInterfaceXml {
    /// Addresses are in a `<protocol>` for each family.
    fn addresses(&mut self, pass: &mut Pass<'_>) {
        let ips = |protocol: &Element| protocol.children("ip").filter_map(address).collect();
        let there: Vec<Vec<String>> = pass.element().children("protocol").map(ips).collect();
        let there = there.concat();
        if !pass.writes() {
            self.addresses = there;
        } else if there != self.addresses {
            for of in ["ipv4", "ipv6"] {
                let mut addresses = self.addresses.clone();
                addresses.retain(|address| family(address) == of);
                pass.child_where("protocol", ("family", of), |protocol| {
                    protocol.each(
                        "ip",
                        &mut addresses,
                        address,
                        |text, ip| set_address(text, ip),
                        |_, _| true,
                    );
                });
            }
        }
    }
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
        assert_eq!(
            (bridge.kind.as_str(), bridge.name.as_str()),
            ("bridge", "br0")
        );
        assert_eq!(bridge.ports, ["eth0", "eth1"]);
        assert_eq!(bridge.addresses, ["10.0.0.1/24"]);
        assert_eq!(bridge.mac, None);
        let ports = bridge.port_definitions();
        let told: Vec<_> = ports
            .iter()
            .map(|port| (&*port.name, port.mac.as_deref(), port.link_state.as_deref()))
            .collect();
        let nic = ("eth0", Some("aa:bb:cc:dd:ee:ff"), Some("up"));
        assert_eq!(told, [nic, ("eth1", None, None)]);
        assert_eq!(ports[0].speed_mbit, Some(1000));
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
    fn addresses_are_kept_by_family() {
        let mut bridge = HostInterfaceXml::new("bridge", "br0");
        bridge.addresses = vec!["10.0.0.1/24".to_owned(), "2001:db8::1/64".to_owned()];
        let xml = bridge.to_xml();
        assert!(xml.contains("<protocol family='ipv6'>"), "{xml}");
        let mut again = HostInterfaceXml::parse(&xml).unwrap();
        assert_eq!(again, bridge);
        again.addresses.remove(0);
        assert_eq!(HostInterfaceXml::parse(&again.to_xml()), Ok(again));
    }
}
