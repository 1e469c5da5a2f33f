//! Networks that libvirt keeps on a host, and the host's own interfaces.

use std::time::Duration;

use uuid::Uuid;
use virt::network::Network as Handle;

use crate::connection::{Connection, Session};
use crate::domain::unless_gone;
use crate::driver::Capability;
use crate::error::Error;
use crate::xml::{HostInterfaceXml, NetworkXml};

/// How long starting and stopping a network may take: its host makes a bridge, and starts and ends
/// programs.
const BUSY: Duration = Duration::from_mins(1);

const LOOK_UP: &str = "virNetworkLookupByName";

/// A network of a host. Networks of the same name on two hosts are two networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its UUID.
    pub uuid: Uuid,
    /// Its name, unique on its host.
    pub name: String,
    /// Whether it is up.
    pub active: bool,
    /// Whether it starts with the host.
    pub autostart: bool,
    /// The bridge that it uses.
    pub bridge: Option<String>,
    /// Its definition.
    pub definition: NetworkXml,
}

/// An interface of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostInterface {
    /// `eth0`, `br0`, ….
    pub name: String,
    /// What it is.
    pub kind: HostInterfaceKind,
    /// MAC address in lower case.
    pub mac: Option<String>,
    /// Whether it is up.
    pub active: bool,
    /// MTU, bytes.
    pub mtu: Option<u32>,
    /// Speed, bit/s, where the host knows it.
    pub speed_bits_per_second: Option<u64>,
    /// Tag of a VLAN interface.
    pub vlan: Option<u16>,
    /// Interfaces in it (bridge, bond) or below it (VLAN).
    pub ports: Vec<String>,
    /// Addresses, with `/prefix`.
    pub addresses: Vec<String>,
}

/// What an interface of a host is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostInterfaceKind {
    /// A software bridge.
    Bridge,
    /// A NIC, or what looks like one.
    Ethernet,
    /// Several NICs as one.
    Bond,
    /// One VLAN of another interface.
    Vlan,
    /// Any other, as libvirt names it.
    Other(String),
}

impl HostInterfaceKind {
    fn from_name(name: String) -> Self {
        match name.as_str() {
            "bridge" => Self::Bridge,
            "ethernet" => Self::Ethernet,
            "bond" => Self::Bond,
            "vlan" => Self::Vlan,
            _ => Self::Other(name),
        }
    }
}

impl Connection {
    /// All networks of the host, up or not; none where the daemon has no network driver. One that
    /// cannot be read is logged and left out.
    ///
    /// # Errors
    /// As every call.
    pub async fn list_networks(&self) -> Result<Vec<Network>, Error> {
        if !self.uri().driver().supports(Capability::Networks) {
            return Ok(Vec::new());
        }
        let call = "virConnectListAllNetworks";
        self.call(call, move |session| {
            let networks = unless_unsupported(session.run(call, |c| c.list_all_networks(0)))?;
            let mut listed = Vec::with_capacity(networks.len());
            for network in &networks {
                let read = read_network(session, network);
                listed.extend(session.listed(read)?);
            }
            Ok(listed)
        })
        .await
    }

    /// One network, or `None` when the host has none of this name.
    ///
    /// # Errors
    /// As every call.
    pub async fn network(&self, name: &str) -> Result<Option<Network>, Error> {
        let deadline = self.deadline();
        let read = self.on_network(name, LOOK_UP, deadline, |session, network| {
            read_network(session, network)
        });
        unless_gone(read.await)
    }

    /// Adds a network to the host's, or replaces the definition of the one that has its name and
    /// UUID; one that is up keeps what it is up with until it is started again. It is not started.
    ///
    /// # Errors
    /// A [`crate::ErrorKind::InvalidArgument`] when libvirt cannot use the definition; a
    /// [`crate::ErrorKind::Conflict`] when another network has its name, UUID or bridge;
    /// [`Error::NotSupported`] where the daemon has no network driver.
    pub async fn define_network(&self, definition: &NetworkXml) -> Result<Network, Error> {
        let call = "virNetworkDefineXML";
        self.needs(Capability::Networks, call)?;
        let xml = definition.to_xml();
        self.call(call, move |session| {
            let network = session.run(call, |c| c.define_network_xml(&xml))?;
            read_network(session, &network)
        })
        .await
    }

    /// Brings a network up.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when it is up; libvirt's own when the
    /// host cannot, for example when something else has its bridge's name.
    pub async fn start_network(&self, name: &str) -> Result<(), Error> {
        self.act_on_network(name, "virNetworkCreate", Handle::create)
            .await
    }

    /// Takes a network down: its bridge goes, and whoever is in it is in nothing. One that is not
    /// persistent is gone then.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when it is not up.
    pub async fn stop_network(&self, name: &str) -> Result<(), Error> {
        self.act_on_network(name, "virNetworkDestroy", Handle::destroy)
            .await
    }

    /// Takes a network off the host's list; one that is up stays so until it is stopped.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when it is not persistent.
    pub async fn undefine_network(&self, name: &str) -> Result<(), Error> {
        self.act_on_network(name, "virNetworkUndefine", Handle::undefine)
            .await
    }

    /// Whether a network comes up with its host.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when it is not persistent.
    pub async fn set_network_autostart(&self, name: &str, autostart: bool) -> Result<(), Error> {
        let call = "virNetworkSetAutostart";
        self.act_on_network(name, call, move |network| network.set_autostart(autostart))
            .await
    }

    /// Makes one call on one network.
    async fn act_on_network<F>(&self, name: &str, call: &'static str, f: F) -> Result<(), Error>
    where
        F: FnOnce(&Handle) -> Result<(), virt::error::Error> + Send + 'static,
    {
        self.on_network(name, call, BUSY, move |session, network| {
            session.run(call, |_| f(network))
        })
        .await
    }

    async fn on_network<T, F>(
        &self,
        name: &str,
        call: &'static str,
        deadline: Duration,
        f: F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session, &Handle) -> Result<T, Error> + Send + 'static,
    {
        self.needs(Capability::Networks, call)?;
        let name = name.to_owned();
        self.call_within(deadline, call, None, move |session| {
            let network = session.run(LOOK_UP, |c| c.lookup_network_by_name(&name))?;
            f(session, &network)
        })
        .await
    }

    /// All interfaces of the host, up or not; none where the daemon was built without that. One
    /// that cannot be read is logged and left out.
    ///
    /// # Errors
    /// As every call.
    pub async fn list_interfaces(&self) -> Result<Vec<HostInterface>, Error> {
        if !self.uri().driver().supports(Capability::HostInterfaces) {
            return Ok(Vec::new());
        }
        let call = "virConnectListAllInterfaces";
        self.call(call, move |session| {
            let interfaces = unless_unsupported(session.run(call, |c| c.list_all_interfaces(0)))?;
            let mut listed = Vec::with_capacity(interfaces.len());
            for interface in &interfaces {
                let read = read_interface(session, interface);
                listed.extend(session.listed(read)?.into_iter().flatten());
            }
            // One that is a port and listed by itself, too, is told once.
            listed.sort_by(|a, b| a.name.cmp(&b.name));
            listed.dedup_by(|a, b| a.name == b.name);
            Ok(listed)
        })
        .await
    }
}

/// Nothing, where the daemon lacks the driver for it.
pub(crate) fn unless_unsupported<T>(result: Result<Vec<T>, Error>) -> Result<Vec<T>, Error> {
    match result {
        Err(Error::NotSupported { .. }) => Ok(Vec::new()),
        other => other,
    }
}

fn read_network(session: &Session, network: &Handle) -> Result<Network, Error> {
    let uuid = session.run("virNetworkGetUUID", |_| network.uuid())?;
    let name = session.run("virNetworkGetName", |_| network.name())?;
    let active = session.run("virNetworkIsActive", |_| network.is_active())?;
    let autostart = session
        .run("virNetworkGetAutostart", |_| network.autostart())
        .unwrap_or(false);
    let xml = session.run("virNetworkGetXMLDesc", |_| network.xml_desc(0))?;
    let definition = NetworkXml::parse(&xml).map_err(|reason| Error::Xml {
        what: format!("network {name}"),
        reason: reason.to_string(),
    })?;
    let bridge = definition.bridge.clone();
    Ok(Network {
        uuid,
        name,
        active,
        autostart,
        bridge,
        definition,
    })
}

/// An interface, and the ports in it that tell their state: libvirt lists a bridge, and in it, not
/// beside it, what it bridges.
fn read_interface(
    session: &Session,
    interface: &virt::interface::Interface,
) -> Result<Vec<HostInterface>, Error> {
    let name = session.run("virInterfaceGetName", |_| interface.name())?;
    let active = session.run("virInterfaceIsActive", |_| interface.is_active())?;
    let mac = session
        .run("virInterfaceGetMACString", |_| interface.mac_string())
        .ok();
    let xml = session.run("virInterfaceGetXMLDesc", |_| interface.xml_desc(0))?;
    let definition = HostInterfaceXml::parse(&xml).map_err(|reason| Error::Xml {
        what: format!("host interface {name}"),
        reason: reason.to_string(),
    })?;
    let ports = definition.port_definitions();
    let ports = ports.into_iter().filter_map(|port| {
        // What a driver has no word for (a tunnel's end, for one) is not down.
        let active = matches!(port.link_state.as_deref()?, "up" | "unknown");
        Some(host_interface(active, None, port))
    });
    let mut read: Vec<_> = ports.collect();
    let active = active && definition.link_state.as_deref() != Some("down");
    read.push(host_interface(active, mac, definition));
    Ok(read)
}

fn host_interface(
    active: bool,
    mac: Option<String>,
    definition: HostInterfaceXml,
) -> HostInterface {
    HostInterface {
        name: definition.name,
        kind: HostInterfaceKind::from_name(definition.kind),
        mac: definition
            .mac
            .or(mac)
            .map(|mac| mac.to_ascii_lowercase())
            .filter(|mac| !mac.is_empty()),
        active,
        mtu: definition.mtu,
        speed_bits_per_second: definition
            .speed_mbit
            .map(|mbit| mbit.saturating_mul(1_000_000)),
        vlan: definition.vlan,
        ports: definition.ports,
        addresses: definition.addresses,
    }
}
