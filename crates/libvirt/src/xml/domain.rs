//! `<domain>`: what a router is made of.
//!
//! <https://libvirt.org/formatdomain.html>

use super::{Element, METADATA_NAMESPACE, XmlError, bytes_of, yes};

/// A domain's definition, as far as it is of use here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainXml {
    /// `<name>`.
    pub name: String,
    /// `<uuid>`, as libvirt writes it.
    pub uuid: Option<String>,
    /// `<title>`: one line.
    pub title: Option<String>,
    /// `<description>`.
    pub description: Option<String>,
    /// This project's note in `<metadata>`, if there is one.
    pub metadata: Option<RouterMetadata>,
    /// The largest number of virtual processors.
    pub vcpus: Option<u32>,
    /// The most memory that the domain may have, bytes.
    pub memory_bytes: Option<u64>,
    /// The memory that it has now, bytes.
    pub current_memory_bytes: Option<u64>,
    /// `hvm`, `xen`, `exe`, ….
    pub os_type: Option<String>,
    /// `<interface>`s in their order.
    pub interfaces: Vec<InterfaceXml>,
    /// `<disk>`s in their order.
    pub disks: Vec<DiskXml>,
}

/// What this project notes about a domain, in the namespace [`METADATA_NAMESPACE`]:
///
/// ```xml
/// <vms:router xmlns:vms="urn:vms:metadata:1">
///   <vms:network>triangle</vms:network>
///   <vms:tag>edge</vms:tag>
/// </vms:router>
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouterMetadata {
    /// The virtual network that the router belongs to.
    pub network: Option<String>,
    /// Free tags, in their order.
    pub tags: Vec<String>,
}

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

/// One NIC of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Addresses from `<ip>`, with `/prefix` where the definition says one.
    pub addresses: Vec<String>,
}

/// One disk of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskXml {
    /// Name inside the domain, `vda`.
    pub target: String,
    /// `virtio`, `sata`, `ide`, ….
    pub bus: Option<String>,
    /// `disk`, `cdrom`, `floppy`, `lun`.
    pub device: String,
    /// What backs it: `file`, `block`, `network`, `volume`, ….
    pub kind: String,
    /// The backing file, device, directory, or `pool/volume`; `None` for an empty drive.
    pub source: Option<String>,
    /// `qcow2`, `raw`, ….
    pub format: Option<String>,
    /// Whether the domain cannot write to it.
    pub readonly: bool,
}

impl DomainXml {
    /// Reads what `virDomainGetXMLDesc` returned.
    ///
    /// ```
    /// let domain = libvirt::DomainXml::parse(
    ///     "<domain><name>r1</name><memory unit='MiB'>128</memory><vcpu>2</vcpu></domain>",
    /// )?;
    /// assert_eq!(domain.memory_bytes, Some(128 << 20));
    /// # Ok::<(), libvirt::XmlError>(())
    /// ```
    ///
    /// # Errors
    /// When it is not a well-formed `<domain>`.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        let root = Element::parse_root(xml, "domain")?;
        let devices = root.child("devices");
        let of_devices = |name| devices.into_iter().flat_map(move |d| d.children(name));
        Ok(Self {
            name: root.child_text("name").unwrap_or_default(),
            uuid: root.child_text("uuid"),
            title: root.child_text("title"),
            description: root.child_text("description"),
            metadata: root
                .child("metadata")
                .and_then(|metadata| metadata.foreign(METADATA_NAMESPACE, "router"))
                .map(RouterMetadata::read),
            vcpus: root.child_text("vcpu").and_then(|text| text.parse().ok()),
            memory_bytes: root.child("memory").and_then(bytes_of),
            current_memory_bytes: root.child("currentMemory").and_then(bytes_of),
            os_type: root.child("os").and_then(|os| os.child_text("type")),
            interfaces: of_devices("interface").map(InterfaceXml::read).collect(),
            disks: of_devices("disk").map(DiskXml::read).collect(),
        })
    }
}

impl RouterMetadata {
    fn read(router: &Element) -> Self {
        let ours = |name: &'static str| {
            router.children.iter().filter(move |child| {
                child.namespace.as_deref() == Some(METADATA_NAMESPACE) && child.name == name
            })
        };
        Self {
            network: ours("network").find_map(Element::text).map(str::to_owned),
            tags: ours("tag")
                .filter_map(Element::text)
                .map(str::to_owned)
                .collect(),
        }
    }
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

impl InterfaceXml {
    fn read(interface: &Element) -> Self {
        Self {
            mac: interface
                .child_attribute("mac", "address")
                .map(|mac| mac.to_ascii_lowercase()),
            kind: InterfaceKind::from_name(interface.attribute("type").unwrap_or_default()),
            source: interface
                .child("source")
                .map(InterfaceSource::read)
                .unwrap_or_default(),
            target: interface.child_attribute("target", "dev"),
            model: interface.child_attribute("model", "type"),
            link_up: interface
                .child("link")
                .and_then(|link| link.attribute("state"))
                .map(yes),
            mtu: interface.child("mtu").and_then(|mtu| mtu.parsed("size")),
            vlans: interface
                .child("vlan")
                .into_iter()
                .flat_map(|vlan| vlan.children("tag"))
                .filter_map(|tag| tag.parsed("id"))
                .collect(),
            virtual_port: interface.child("virtualport").map(|port| {
                let parameters = port.child("parameters");
                VirtualPort {
                    kind: port.owned("type"),
                    interface_id: parameters.and_then(|p| p.owned("interfaceid")),
                    profile_id: parameters.and_then(|p| p.owned("profileid")),
                }
            }),
            addresses: interface
                .children("ip")
                .filter_map(|ip| {
                    let address = ip.attribute("address")?;
                    Some(match ip.attribute("prefix") {
                        Some(prefix) => format!("{address}/{prefix}"),
                        None => address.to_owned(),
                    })
                })
                .collect(),
        }
    }
}

impl InterfaceSource {
    fn read(source: &Element) -> Self {
        let local = source.child("local");
        Self {
            bridge: source.owned("bridge"),
            network: source.owned("network"),
            portgroup: source.owned("portgroup"),
            dev: source.owned("dev"),
            mode: source.owned("mode"),
            address: source.owned("address"),
            port: source.parsed("port"),
            local_address: local.and_then(|local| local.owned("address")),
            local_port: local.and_then(|local| local.parsed("port")),
        }
    }
}

impl DiskXml {
    fn read(disk: &Element) -> Self {
        let source = disk.child("source");
        let volume = source.and_then(|source| {
            Some(format!(
                "{}/{}",
                source.attribute("pool")?,
                source.attribute("volume")?
            ))
        });
        Self {
            target: disk.child_attribute("target", "dev").unwrap_or_default(),
            bus: disk.child_attribute("target", "bus"),
            device: disk.owned("device").unwrap_or_else(|| "disk".to_owned()),
            kind: disk.owned("type").unwrap_or_default(),
            source: volume.or_else(|| {
                let source = source?;
                ["file", "dev", "dir", "name", "path"]
                    .iter()
                    .find_map(|name| source.owned(name))
            }),
            format: disk.child_attribute("driver", "type"),
            readonly: disk.child("readonly").is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTER: &str = r"<domain type='kvm' id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
      <name>edge-1</name><uuid>00000000-0000-0000-0000-000000000001</uuid>
      <title>Edge &amp; more</title><description>two
lines</description>
      <metadata>
        <other:thing xmlns:other='urn:other'><network>wrong</network></other:thing>
        <vms:router xmlns:vms='urn:vms:metadata:1'>
          <vms:network>triangle</vms:network><vms:tag>edge</vms:tag><vms:tag>a</vms:tag>
          <network>not ours</network>
        </vms:router>
      </metadata>
      <memory unit='KiB'>131072</memory><currentMemory unit='MiB'>64</currentMemory>
      <vcpu placement='static'>2</vcpu>
      <os><type arch='x86_64'>hvm</type></os>
      <novelty><deep><deeper/></deep></novelty>
      <devices>
        <disk type='file' device='disk'>
          <driver name='qemu' type='qcow2'/><source file='/images/a.qcow2'/>
          <target dev='vda' bus='virtio'/></disk>
        <disk type='volume' device='disk'><source pool='p' volume='v'/><target dev='vdb'/><readonly/></disk>
        <disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>
        <interface type='bridge'><mac address='52:54:00:AA:00:01'/><source bridge='br0'/>
          <target dev='vnet0'/><model type='virtio'/><link state='down'/><mtu size='9000'/>
          <vlan><tag id='42'/></vlan>
          <virtualport type='openvswitch'><parameters interfaceid='i-1'/></virtualport>
          <ip address='10.0.0.1' family='ipv4' prefix='31'/><ip address='fe80::1'/></interface>
        <interface type='network'><source network='default' bridge='virbr0' portgroup='g'/></interface>
        <interface type='direct'><source dev='eth1' mode='vepa'/></interface>
        <interface type='udp'><source address='10.1.0.2' port='5001'>
          <local address='10.1.0.1' port='5002'/></source></interface>
        <interface type='server'><source address='0.0.0.0' port='5555'/></interface>
        <interface type='client'><source address='10.1.0.3' port='5555'/></interface>
        <interface type='mcast'><source address='230.0.0.1' port='5558'/></interface>
        <interface type='vdpa'><source dev='/dev/vhost-vdpa-0'/></interface>
        <interface type='user'/>
      </devices>
    </domain>";

    #[test]
    fn a_router_is_read_and_what_is_unknown_does_not_hurt() {
        let domain = DomainXml::parse(ROUTER).unwrap();
        assert_eq!(domain.name, "edge-1");
        assert_eq!(domain.title.as_deref(), Some("Edge & more"));
        assert_eq!(domain.description.as_deref(), Some("two\nlines"));
        assert_eq!(
            domain.metadata,
            Some(RouterMetadata {
                network: Some("triangle".to_owned()),
                tags: vec!["edge".to_owned(), "a".to_owned()]
            })
        );
        assert_eq!(domain.vcpus, Some(2));
        assert_eq!(domain.memory_bytes, Some(128 << 20));
        assert_eq!(domain.current_memory_bytes, Some(64 << 20));
        assert_eq!(domain.os_type.as_deref(), Some("hvm"));
    }

    #[test]
    fn every_kind_of_interface_is_read() {
        let interfaces = DomainXml::parse(ROUTER).unwrap().interfaces;
        let kinds: Vec<&str> = interfaces.iter().map(|i| i.kind.name()).collect();
        assert_eq!(
            kinds,
            [
                "bridge", "network", "direct", "udp", "server", "client", "mcast", "vdpa", "user"
            ]
        );
        let first = &interfaces[0];
        assert_eq!(first.mac.as_deref(), Some("52:54:00:aa:00:01"));
        assert_eq!(first.source.bridge.as_deref(), Some("br0"));
        assert_eq!(first.target.as_deref(), Some("vnet0"));
        assert_eq!(first.model.as_deref(), Some("virtio"));
        assert_eq!((first.link_up, first.mtu), (Some(false), Some(9000)));
        assert_eq!(first.vlans, [42]);
        assert_eq!(first.addresses, ["10.0.0.1/31", "fe80::1"]);
        let port = first.virtual_port.as_ref().unwrap();
        assert_eq!(port.interface_id.as_deref(), Some("i-1"));
        assert_eq!(interfaces[1].source.network.as_deref(), Some("default"));
        assert_eq!(interfaces[1].link_up, None);
        let udp = &interfaces[3].source;
        assert_eq!(
            (udp.address.as_deref(), udp.port),
            (Some("10.1.0.2"), Some(5001))
        );
        assert_eq!(
            (udp.local_address.as_deref(), udp.local_port),
            (Some("10.1.0.1"), Some(5002))
        );
        assert_eq!(interfaces[4].kind, InterfaceKind::Tcp(TcpRole::Server));
    }

    #[test]
    fn disks_are_read() {
        let disks = DomainXml::parse(ROUTER).unwrap().disks;
        assert_eq!(disks.len(), 3);
        assert_eq!(disks[0].source.as_deref(), Some("/images/a.qcow2"));
        assert_eq!(disks[0].format.as_deref(), Some("qcow2"));
        assert!(!disks[0].readonly);
        assert_eq!(disks[1].source.as_deref(), Some("p/v"));
        assert!(disks[1].readonly);
        assert_eq!(
            (disks[2].device.as_str(), &disks[2].source),
            ("cdrom", &None)
        );
    }

    #[test]
    fn another_document_is_refused() {
        let error = DomainXml::parse("<network/>").unwrap_err();
        assert_eq!(error.to_string(), "expected <domain>, found <network>");
    }
}
