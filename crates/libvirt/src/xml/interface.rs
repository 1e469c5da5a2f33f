//! `<interface>`: a NIC of a domain.
//!
//! <https://libvirt.org/formatdomain.html#network-interfaces>

use super::XmlError;
use super::fields::{Document, Field, Kept, Pass, View};
use super::tree::Element;

/// How an interface is connected: `<interface type='…'>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum InterfaceKind {
    /// A bridge of the host.
    Bridge,
    /// A libvirt network.
    Network,
    /// macvtap on a device of the host.
    Direct,
    /// A point-to-point UDP tunnel.
    Udp,
    /// A TCP tunnel, one side of it.
    Tcp(TcpRole),
    /// A multicast group, carrying a segment.
    Multicast,
    /// The emulator's own NAT.
    User,
    /// A tap device that a script looks after.
    Ethernet,
    /// A user-space switch, by a socket.
    VhostUser,
    /// A device of the host handed through.
    Hostdev,
    /// Any other, as libvirt names it.
    Other(String),
}

/// Which side of a TCP tunnel an interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TcpRole {
    /// It listens.
    Server,
    /// It connects.
    Client,
}

/// Where an interface leads; which fields are set depends on its [`InterfaceKind`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceSource {
    /// The host's bridge; for a network also the one that it uses while the domain runs.
    pub bridge: Option<String>,
    /// The libvirt network.
    pub network: Option<String>,
    /// The port group of the network.
    pub portgroup: Option<String>,
    /// The host's device (macvtap).
    pub dev: Option<String>,
    /// macvtap's mode: `bridge`, `vepa`, `private`, `passthrough`.
    pub mode: Option<String>,
    /// Address: of the peer (UDP), the listener (TCP) or the group (multicast).
    pub address: Option<String>,
    /// Port that belongs to `address`.
    pub port: Option<u16>,
    /// Own address of a UDP tunnel.
    pub local_address: Option<String>,
    /// Port that belongs to `local_address`.
    pub local_port: Option<u16>,
}

/// `<virtualport>`: how a port of a virtual switch is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VirtualPort {
    /// `openvswitch`, `802.1Qbh`, ….
    pub kind: Option<String>,
    /// Open vSwitch's interface id.
    pub interface_id: Option<String>,
    /// The port profile.
    pub profile_id: Option<String>,
}

/// `<bandwidth>`: what an interface or a network may carry. Inbound is towards the domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BandwidthXml {
    /// Towards the domain.
    pub inbound: Option<RateXml>,
    /// From the domain.
    pub outbound: Option<RateXml>,
}

/// A limit of [`BandwidthXml`], in libvirt's units: kilobytes (1,000 bytes) a second, and
/// kilobytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateXml {
    /// The usual rate, kilobytes a second.
    pub average: Option<u64>,
    /// The highest rate, kilobytes a second.
    pub peak: Option<u64>,
    /// How much may go at the highest rate, kilobytes.
    pub burst: Option<u64>,
    /// The rate that is guaranteed on a network's bridge, kilobytes a second.
    pub floor: Option<u64>,
}

/// One NIC of a domain.
///
/// ```
/// use libvirt::{InterfaceKind, InterfaceSource, InterfaceXml};
/// let mut nic = InterfaceXml::new(InterfaceKind::Bridge);
/// nic.source = InterfaceSource { bridge: Some("br0".to_owned()), ..Default::default() };
/// nic.model = Some("virtio".to_owned());
/// assert_eq!(InterfaceXml::parse(&nic.to_xml())?, nic);
/// # Ok::<(), libvirt::XmlError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceXml {
    /// MAC address in lower case, `52:54:00:…`.
    pub mac: Option<String>,
    /// How it is connected.
    pub kind: InterfaceKind,
    /// Where to.
    pub source: InterfaceSource,
    /// The host's device behind it while the domain runs, under which it is counted.
    pub target: Option<String>,
    /// `virtio`, `e1000`, ….
    pub model: Option<String>,
    /// Link state where the definition says one; without it the link is up.
    pub link_up: Option<bool>,
    /// MTU, bytes.
    pub mtu: Option<u32>,
    /// VLAN tags.
    pub vlans: Vec<u16>,
    /// Port of a virtual switch.
    pub virtual_port: Option<VirtualPort>,
    /// Limits of what it carries.
    pub bandwidth: Option<BandwidthXml>,
    /// Addresses from `<ip>`, with `/prefix` where the definition says one.
    pub addresses: Vec<String>,
    /// Its place in the boot order, from 1.
    pub boot_order: Option<u32>,
    /// libvirt's name of the device, `net0`, by which events speak of it.
    pub alias: Option<String>,
    kept: Kept,
}

impl InterfaceKind {
    /// The kind that libvirt names `name`.
    pub fn from_name(name: &str) -> Self {
        match name {
            "bridge" => Self::Bridge,
            "network" => Self::Network,
            "direct" => Self::Direct,
            "udp" => Self::Udp,
            "server" => Self::Tcp(TcpRole::Server),
            "client" => Self::Tcp(TcpRole::Client),
            "mcast" => Self::Multicast,
            "user" => Self::User,
            "ethernet" => Self::Ethernet,
            "vhostuser" => Self::VhostUser,
            "hostdev" => Self::Hostdev,
            other => Self::Other(other.to_owned()),
        }
    }

    /// libvirt's name of the kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Bridge => "bridge",
            Self::Network => "network",
            Self::Direct => "direct",
            Self::Udp => "udp",
            Self::Tcp(TcpRole::Server) => "server",
            Self::Tcp(TcpRole::Client) => "client",
            Self::Multicast => "mcast",
            Self::User => "user",
            Self::Ethernet => "ethernet",
            Self::VhostUser => "vhostuser",
            Self::Hostdev => "hostdev",
            Self::Other(name) => name,
        }
    }
}

/// The kind of an interface that does not say one.
impl Default for InterfaceKind {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl Field for InterfaceKind {
    fn read(text: Option<&str>) -> Self {
        Self::from_name(text.unwrap_or_default())
    }

    fn text(&self) -> Option<String> {
        self.name().to_owned().text()
    }
}

impl InterfaceXml {
    /// An interface that is connected in this way, to be filled in.
    pub fn new(kind: InterfaceKind) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    /// Reads an `<interface>` of a domain.
    ///
    /// # Errors
    /// When it is not a well-formed `<interface>`.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        Self::read(xml)
    }

    /// The interface alone, as it is attached to a domain or detached from it.
    pub fn to_xml(&self) -> String {
        self.write()
    }
}

impl Document for InterfaceXml {
    const NAME: &'static str = "interface";

    fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }
}

impl View for InterfaceXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("type", &mut self.kind);
        pass.child("mac", |mac| mac.mac("address", &mut self.mac));
        pass.child("source", |source| self.source.fields(source));
        pass.child("vlan", |vlan| {
            vlan.attributes("tag", "id", &mut self.vlans);
        });
        pass.part("virtualport", &mut self.virtual_port);
        pass.each(
            "ip",
            &mut self.addresses,
            address,
            |text, ip| {
                ip.set_attribute("family", Some(family(text)));
                set_address(text, ip);
            },
            |_, _| true,
        );
        pass.part("bandwidth", &mut self.bandwidth);
        pass.child("target", |target| target.attribute("dev", &mut self.target));
        pass.child("model", |model| model.attribute("type", &mut self.model));
        pass.child("link", |link| {
            link.switch("state", ("up", "down"), &mut self.link_up);
        });
        pass.child("mtu", |mtu| mtu.attribute("size", &mut self.mtu));
        pass.child("boot", |boot| boot.attribute("order", &mut self.boot_order));
        pass.child("alias", |alias| alias.attribute("name", &mut self.alias));
    }
}

impl View for InterfaceSource {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("bridge", &mut self.bridge);
        pass.attribute("network", &mut self.network);
        pass.attribute("portgroup", &mut self.portgroup);
        pass.attribute("dev", &mut self.dev);
        pass.attribute("mode", &mut self.mode);
        pass.attribute("address", &mut self.address);
        pass.attribute("port", &mut self.port);
        pass.child("local", |local| {
            local.attribute("address", &mut self.local_address);
            local.attribute("port", &mut self.local_port);
        });
    }
}

impl View for VirtualPort {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("type", &mut self.kind);
        pass.child("parameters", |parameters| {
            parameters.attribute("interfaceid", &mut self.interface_id);
            parameters.attribute("profileid", &mut self.profile_id);
        });
    }
}

impl View for BandwidthXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.part("inbound", &mut self.inbound);
        pass.part("outbound", &mut self.outbound);
    }
}

impl View for RateXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("average", &mut self.average);
        pass.attribute("peak", &mut self.peak);
        pass.attribute("floor", &mut self.floor);
        pass.attribute("burst", &mut self.burst);
    }
}

/// `address/prefix` of an `<ip>`, or the address alone.
pub(super) fn address(ip: &Element) -> Option<String> {
    let address = ip.attribute("address")?;
    Some(match ip.attribute("prefix") {
        Some(prefix) => format!("{address}/{prefix}"),
        None => address.to_owned(),
    })
}

/// Writes what [`address`] reads.
pub(super) fn set_address(text: &str, ip: &mut Element) {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    ip.set_attribute("address", Some(address));
    ip.set_attribute("prefix", prefix);
}

/// `ipv4` or `ipv6`.
pub(super) fn family(address: &str) -> &'static str {
    if address.contains(':') {
        "ipv6"
    } else {
        "ipv4"
    }
}
