//! Small fleets to derive topologies from.

use model::{
    Attachment, Contact, DeclaredLink, Domain, Driver, Endpoint, HostId, HostInterface,
    HostInventory, HostReport, LinkState, Mac, Network, Nic, NodeFacts, Origin, Port, RouterId,
    RouterState,
};
use std::sync::Arc;
use uuid::Uuid;

pub fn host(id: &str) -> HostReport {
    let inventory = HostInventory {
        host: HostId::new(id),
        as_of: jiff::Timestamp::UNIX_EPOCH,
        node: NodeFacts::default(),
        interfaces: Vec::new(),
        networks: Vec::new(),
        domains: std::collections::BTreeMap::new(),
    };
    HostReport {
        id: HostId::new(id),
        name: id.to_owned(),
        site: None,
        origin: Origin::Configured,
        maintenance: None,
        endpoints: vec![Endpoint {
            driver: Driver::Test,
            uri: "test:///default".to_owned(),
            contact: Contact::Online,
            message: None,
        }],
        inventory: Some(Arc::new(inventory)),
        neighbors: Vec::new(),
        vxlans: Vec::new(),
    }
}

pub fn id(number: u8) -> RouterId {
    RouterId(Uuid::from_bytes([number; 16]))
}

pub fn nic(mac: u8, attachment: Attachment) -> Nic {
    Nic {
        mac: Mac([0x52, 0x54, 0, 0, 0, mac]),
        attachment,
        device: None,
        model: None,
        link: LinkState::Up,
        addresses: Vec::new(),
    }
}

pub fn bridge(name: &str) -> Attachment {
    Attachment::Bridge(name.to_owned())
}

pub fn link(a: (&str, &str), b: (&str, &str)) -> DeclaredLink {
    let port = |(host, interface): (&str, &str)| Port {
        host: HostId::new(host),
        interface: interface.to_owned(),
    };
    DeclaredLink {
        a: port(a),
        b: port(b),
        capacity_bits_per_second: Some(10_000_000_000),
        latency_ns: None,
    }
}

pub trait With: Sized {
    /// How the contact with all endpoints is.
    fn set_contact(&mut self, contact: Contact);

    fn inventory(&mut self) -> &mut HostInventory;

    fn router(mut self, number: u8, attachments: Vec<Attachment>) -> Self {
        let domain = Domain {
            id: id(number),
            name: format!("r{number}"),
            title: None,
            driver: Driver::Test,
            message: None,
            state: RouterState::Running,
            persistent: true,
            autostart: false,
            virtual_network: None,
            tags: Vec::new(),
            vcpus: 1,
            memory_bytes: 1 << 28,
            interfaces: (0..).zip(attachments).map(|(mac, a)| nic(mac, a)).collect(),
            disks: Vec::new(),
            image: None,
        };
        self.inventory()
            .domains
            .insert(id(number), Arc::new(domain));
        self
    }

    fn state(mut self, number: u8, state: RouterState) -> Self {
        let domain = self.inventory().domains.get_mut(&id(number)).unwrap();
        Arc::make_mut(domain).state = state;
        self
    }

    fn interface(mut self, name: &str, kind: &str, ports: &[&str]) -> Self {
        self.inventory().interfaces.push(HostInterface {
            name: name.to_owned(),
            kind: kind.to_owned(),
            mac: None,
            state: LinkState::Up,
            ports: ports.iter().map(ToString::to_string).collect(),
            speed_bits_per_second: None,
        });
        self
    }

    fn network(mut self, number: u8, name: &str, bridge: Option<&str>) -> Self {
        self.inventory().networks.push(Network {
            id: Uuid::from_bytes([number; 16]),
            name: name.to_owned(),
            bridge: bridge.map(str::to_owned),
            device: None,
        });
        self
    }
}

impl With for HostReport {
    fn set_contact(&mut self, contact: Contact) {
        for endpoint in &mut self.endpoints {
            endpoint.contact = contact;
        }
    }

    fn inventory(&mut self) -> &mut HostInventory {
        Arc::make_mut(self.inventory.as_mut().unwrap())
    }
}
