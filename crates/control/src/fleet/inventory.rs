//! From libvirt's words to the model's: what one host reports.

use jiff::Timestamp;
use libvirt::{
    Connection, DomainState, Error, ErrorKind, InterfaceKind, InterfaceSource, InterfaceXml,
};
use model::{
    Attachment, Disk, Domain, HostId, HostInterface, HostInventory, LinkState, Mac, Network, Nic,
    NodeFacts, RouterId, RouterState,
};
use std::{collections::BTreeMap, sync::Arc};

/// What a full listing of an endpoint gave.
#[derive(Debug)]
pub(crate) struct Listing {
    pub node: NodeFacts,
    pub interfaces: Vec<HostInterface>,
    pub networks: Vec<Network>,
    pub domains: Vec<Domain>,
    /// When it began: all of it was true then or later.
    pub as_of: Timestamp,
}

/// Lists an endpoint in full. Without its interfaces or its networks a host still has routers: if
/// those cannot be listed, they are as they were before.
pub(crate) async fn list(
    host: HostId,
    connection: Connection,
    before: Option<Arc<HostInventory>>,
) -> Result<Listing, Error> {
    let as_of = Timestamp::now();
    let node = node(&connection).await?;
    let interfaces = or_before(
        interfaces(&connection).await,
        || before.as_ref().map(|before| before.interfaces.clone()),
        &connection,
        &host,
    )?;
    let networks = connection.list_networks().await;
    let networks = or_before(
        networks.map(|listed| listed.into_iter().map(network).collect()),
        || before.as_ref().map(|before| before.networks.clone()),
        &connection,
        &host,
    )?;
    let driver = driver(connection.uri().driver());
    let domains = connection.list_domains().await?;
    Ok(Listing {
        node,
        interfaces,
        networks,
        domains: (domains.into_iter())
            .map(|listed| domain(listed, driver))
            .collect(),
        as_of,
    })
}

/// A host's interfaces, whose states libvirt sends no events for.
pub(crate) async fn interfaces(connection: &Connection) -> Result<Vec<HostInterface>, Error> {
    let listed = connection.list_interfaces().await?;
    // The loopback leads nowhere.
    let leading = listed.into_iter().filter(|listed| listed.name != "lo");
    Ok(leading.map(interface).collect())
}

/// What the endpoints of one host report, together. Where two tell of one thing, the earlier in the
/// list counts: of one machine, its libvirt drivers tell the same. A domain that two drivers claim
/// is the active one's.
pub(crate) fn together(
    host: &HostId,
    endpoints: &[Option<Arc<HostInventory>>],
) -> Option<Arc<HostInventory>> {
    let mut known = endpoints.iter().flatten();
    let first = known.next()?;
    let mut rest = known.peekable();
    if rest.peek().is_none() {
        return Some(Arc::clone(first));
    }
    let mut all = HostInventory::clone(first);
    all.host = host.clone();
    for other in rest {
        all.as_of = all.as_of.min(other.as_of);
        if all.interfaces.is_empty() {
            all.interfaces.clone_from(&other.interfaces);
        }
        for network in &other.networks {
            if all.networks.iter().all(|known| known.id != network.id) {
                all.networks.push(network.clone());
            }
        }
        if let (Some(own), Some(others)) = (&mut all.node.hypervisor, &other.node.hypervisor) {
            *own = format!("{own}, {others}");
        }
        for (id, domain) in &other.domains {
            let known = all.domains.get(id);
            if known.is_none_or(|known| !known.state.is_active() && domain.state.is_active()) {
                all.domains.insert(*id, Arc::clone(domain));
            }
        }
    }
    Some(Arc::new(all))
}

/// What was listed, or what was there before if listing it failed and nothing else did.
fn or_before<T>(
    listed: Result<Vec<T>, Error>,
    before: impl FnOnce() -> Option<Vec<T>>,
    connection: &Connection,
    host: &HostId,
) -> Result<Vec<T>, Error> {
    match listed {
        Err(error) if !connection.is_lost() && error.kind() != ErrorKind::Lost => {
            tracing::warn!(%host, %error, "a part of the host cannot be listed and stays as it was");
            Ok(before().unwrap_or_default())
        }
        listed => listed,
    }
}

/// Puts a domain in. One that did not change stays the allocation that it was, so that comparing
/// is cheap.
pub(crate) fn replace(domains: &mut BTreeMap<RouterId, Arc<Domain>>, domain: Domain) {
    match domains.get(&domain.id) {
        Some(known) if **known == domain => {}
        _ => drop(domains.insert(domain.id, Arc::new(domain))),
    }
}

async fn node(connection: &Connection) -> Result<NodeFacts, Error> {
    let hostname = connection.hostname().await?;
    let info = connection.node_info().await?;
    let uuid = connection.host_uuid().await?;
    let versions = connection.versions().await?;
    let of = versions.hypervisor.map(|version| format!(" {version}"));
    let hypervisor = format!(
        "{}{} (libvirt {})",
        versions.kind,
        of.unwrap_or_default(),
        versions.libvirt
    );
    Ok(NodeFacts {
        hostname: Some(hostname),
        uuid,
        cpu_model: Some(info.cpu_model),
        cpus: Some(info.cpus),
        memory_bytes: Some(info.memory_bytes),
        hypervisor: Some(hypervisor),
    })
}

fn interface(listed: libvirt::HostInterface) -> HostInterface {
    use libvirt::HostInterfaceKind as Kind;
    HostInterface {
        name: listed.name,
        kind: match listed.kind {
            Kind::Bridge => "bridge".to_owned(),
            Kind::Ethernet => "ethernet".to_owned(),
            Kind::Bond => "bond".to_owned(),
            Kind::Vlan => "vlan".to_owned(),
            Kind::Other(kind) => kind,
        },
        mac: listed.mac.as_deref().and_then(mac),
        state: if listed.active {
            LinkState::Up
        } else {
            LinkState::Down
        },
        ports: listed.ports,
        speed_bits_per_second: listed.speed_bits_per_second,
    }
}

fn network(listed: libvirt::Network) -> Network {
    // A network that only hands a host's device through (macvtap) names it in its <forward>; one
    // that routes through a device does not put guests on it.
    let direct = ["bridge", "private", "vepa", "passthrough"];
    let mode = listed.definition.forward_mode.as_deref();
    let device = listed
        .definition
        .forward_devices
        .into_iter()
        .next()
        .filter(|_| listed.bridge.is_none() && mode.is_some_and(|mode| direct.contains(&mode)));
    Network {
        id: listed.uuid,
        name: listed.name,
        bridge: listed.bridge,
        device,
    }
}

/// A domain as the model has it.
pub(crate) fn domain(listed: libvirt::Domain, driver: model::Driver) -> Domain {
    let definition = listed.definition;
    let metadata = definition.metadata.unwrap_or_default();
    let made_with = metadata.addresses;
    Domain {
        id: RouterId(listed.uuid),
        name: listed.name,
        title: definition.title,
        driver,
        state: state(listed.state),
        message: None,
        persistent: listed.persistent,
        autostart: listed.autostart,
        virtual_network: metadata.network,
        tags: metadata.tags,
        vcpus: definition.vcpus.unwrap_or(1),
        memory_bytes: definition
            .memory_bytes
            .or(definition.current_memory_bytes)
            .unwrap_or(0),
        interfaces: (definition.interfaces.into_iter())
            .filter_map(|listed| nic(listed, &made_with))
            .collect(),
        disks: definition
            .disks
            .into_iter()
            .map(|disk| Disk {
                target: disk.target,
                device: disk.device,
                source: disk.source,
                format: disk.format,
            })
            .collect(),
        image: metadata.image,
    }
}

/// Whether libvirt's driver can do it.
pub(crate) fn can(driver: model::Driver, what: libvirt::Capability) -> bool {
    libvirt::Driver::from_name(driver.as_str()).is_some_and(|driver| driver.supports(what))
}

/// A driver as the model has it.
pub(crate) fn driver(driver: libvirt::Driver) -> model::Driver {
    match driver {
        libvirt::Driver::Qemu => model::Driver::Qemu,
        libvirt::Driver::Xen => model::Driver::Xen,
        libvirt::Driver::Lxc => model::Driver::Lxc,
        libvirt::Driver::Test => model::Driver::Test,
    }
}

fn state(state: DomainState) -> RouterState {
    match state {
        DomainState::Running | DomainState::Blocked => RouterState::Running,
        DomainState::Paused | DomainState::Suspended => RouterState::Suspended,
        DomainState::ShuttingDown => RouterState::ShuttingDown,
        DomainState::ShutOff => RouterState::ShutOff,
        DomainState::Crashed => RouterState::Crashed,
        DomainState::NoState => RouterState::Unknown,
    }
}

/// libvirt gives every interface a MAC address; one without could not be told from others. Where its
/// definition says no addresses, those are known that it was made with.
fn nic(listed: InterfaceXml, made_with: &[(String, String)]) -> Option<Nic> {
    let own = mac(listed.mac.as_deref()?)?;
    let mut addresses = listed.addresses;
    if addresses.is_empty() {
        let made = made_with.iter().filter(|(of, _)| mac(of) == Some(own));
        addresses.extend(made.map(|(_, address)| address.clone()));
    }
    Some(Nic {
        mac: own,
        attachment: attachment(listed.kind, listed.source),
        device: listed.target,
        model: listed.model,
        link: match listed.link_up {
            Some(false) => LinkState::Down,
            _ => LinkState::Up,
        },
        addresses,
    })
}

fn attachment(kind: InterfaceKind, source: InterfaceSource) -> Attachment {
    let at = |address: Option<String>, port: Option<u16>| {
        let (address, port) = (address?, port?);
        // As an IPv6 address and its port are written.
        Some(if address.contains(':') {
            format!("[{address}]:{port}")
        } else {
            format!("{address}:{port}")
        })
    };
    let missing = |kind: &str| Attachment::Other(kind.to_owned());
    match kind {
        InterfaceKind::Bridge => source
            .bridge
            .map_or_else(|| missing("bridge"), Attachment::Bridge),
        InterfaceKind::Network => source
            .network
            .map_or_else(|| missing("network"), Attachment::Network),
        InterfaceKind::Direct => source
            .dev
            .map_or_else(|| missing("direct"), Attachment::Direct),
        InterfaceKind::Udp => Attachment::Udp {
            local: at(source.local_address, source.local_port),
            remote: at(source.address, source.port),
        },
        InterfaceKind::Tcp(_) => Attachment::Tcp(at(source.address, source.port)),
        InterfaceKind::Multicast => Attachment::Multicast(at(source.address, source.port)),
        InterfaceKind::User => Attachment::User,
        InterfaceKind::Ethernet => Attachment::Ethernet,
        other => Attachment::Other(other.name().to_owned()),
    }
}

fn mac(text: &str) -> Option<Mac> {
    let mac: api::MacAddress = text.parse().ok()?;
    Some(Mac(mac.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tunnels_are_told_by_their_addresses() {
        let source = || InterfaceSource {
            address: Some("2001:db8::1".to_owned()),
            port: Some(7000),
            local_address: Some("192.0.2.1".to_owned()),
            local_port: Some(7001),
            ..InterfaceSource::default()
        };
        assert_eq!(
            attachment(InterfaceKind::Udp, source()),
            Attachment::Udp {
                local: Some("192.0.2.1:7001".to_owned()),
                remote: Some("[2001:db8::1]:7000".to_owned()),
            }
        );
        // A definition that says less than it should joins nothing.
        assert_eq!(
            attachment(InterfaceKind::Bridge, InterfaceSource::default()),
            Attachment::Other("bridge".to_owned())
        );
    }

    #[test]
    fn what_a_router_was_made_with_is_known_where_its_definition_says_nothing_better() {
        let xml = "<domain type='test'><name>r</name><metadata>
             <vms:router xmlns:vms='urn:vms:metadata:1'>
             <vms:image>4f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01</vms:image>
             <vms:address mac='52:54:00:00:00:01'>10.0.0.0/31</vms:address>
             <vms:address mac='52:54:00:00:00:01'>2001:db8::1/64</vms:address>
             <vms:address mac='52:54:00:00:00:02'>10.0.1.0/31</vms:address>
             </vms:router></metadata><devices>
             <interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='b'/></interface>
             <interface type='bridge'><mac address='52:54:00:00:00:02'/><source bridge='b'/>
               <ip address='10.0.9.9' prefix='24'/></interface>
             <interface type='bridge'><mac address='52:54:00:00:00:03'/><source bridge='b'/></interface>
             </devices></domain>";
        let listed = libvirt::Domain {
            uuid: uuid::Uuid::from_u128(1),
            name: "r".to_owned(),
            id: None,
            state: DomainState::ShutOff,
            persistent: true,
            autostart: false,
            definition: libvirt::DomainXml::parse(xml).unwrap(),
        };
        let domain = domain(listed, model::Driver::Test);
        let image = domain.image.map(|image| image.to_string());
        assert_eq!(
            image.as_deref(),
            Some("4f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01")
        );
        let addresses: Vec<_> = (domain.interfaces.into_iter())
            .map(|interface| interface.addresses)
            .collect();
        assert_eq!(addresses[0], ["10.0.0.0/31", "2001:db8::1/64"]);
        assert_eq!(addresses[1], ["10.0.9.9/24"]);
        assert!(addresses[2].is_empty());
    }

    #[tokio::test]
    async fn a_part_that_cannot_be_listed_stays_as_it_was() {
        let uri = libvirt::Uri::parse("test:///default").unwrap();
        let connection = Connection::open(&uri, libvirt::Options::default());
        let connection = connection.await.unwrap();
        let host = HostId::new("h");
        let refused = || {
            Err(Error::NotSupported {
                driver: uri.driver(),
                call: "virConnectListAllInterfaces",
            })
        };
        let part = |listed, before| or_before(listed, || before, &connection, &host);
        assert_eq!(part(Ok(vec![1]), Some(vec![2])), Ok(vec![1]));
        assert_eq!(part(refused(), Some(vec![2])), Ok(vec![2]));
        assert_eq!(part(refused(), None), Ok(Vec::new()));
        // A host that is gone is no host without interfaces.
        connection.close().await.unwrap();
        assert_eq!(part(refused(), Some(vec![2])), refused());
    }
}
