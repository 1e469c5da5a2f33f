//! The wiring of a testbed as data: what is built from it, and what tests compare with.

use std::{
    collections::BTreeSet,
    fmt,
    net::{Ipv4Addr, SocketAddrV4},
};

use anyhow::{Result, bail, ensure};

/// A whole testbed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The machines with a libvirt daemon.
    pub hosts: Vec<HostPlan>,
    /// The physical links between them.
    pub cables: Vec<Cable>,
}

/// One host: a libvirt daemon with its own name, UUID, network and state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPlan {
    /// Its id in VMS, which is also its hostname.
    pub id: String,
    /// What libvirt reports as the host's UUID.
    pub uuid: String,
    /// What its routers are.
    pub driver: Driver,
    /// The MAC address of `mgmt`, its NIC in the management network.
    pub mac: String,
    /// Whether it tells its neighbours on cables who it is, and listens to them: by `lldpd`.
    pub lldp: bool,
    /// Its bridges.
    pub bridges: Vec<BridgePlan>,
    /// Its address in the network between the hosts, if it takes part in one.
    pub transport: Option<Transport>,
    /// Its storage pools.
    pub pools: Vec<PoolPlan>,
    /// Its virtual routers.
    pub routers: Vec<RouterPlan>,
}

impl HostPlan {
    fn has_bridge(&self, name: &str) -> bool {
        self.bridges.iter().any(|bridge| bridge.name == name)
    }

    fn check_plug(&self, router: &RouterPlan, plug: &Plug) -> Result<()> {
        let (name, id) = (&router.name, &self.id);
        let local = self.transport.as_ref().map(|transport| transport.address);
        match plug {
            Plug::Bridge(bridge) => ensure!(
                self.has_bridge(bridge),
                "{name} is plugged into bridge {bridge}, which {id} does not have"
            ),
            _ if self.driver == Driver::Lxc => {
                bail!("{name} is a container, which can be plugged into a bridge only")
            }
            Plug::Multicast(group) => {
                let multicast = group.ip().is_multicast() && local.is_some();
                ensure!(
                    multicast,
                    "{name} cannot use {group}: it is no group, or {id} has no transport address"
                );
            }
            Plug::Udp { local: end, .. } => ensure!(
                Some(*end.ip()) == local,
                "{name} has a link from {end}, which is no address of {id}"
            ),
        }
        Ok(())
    }
}

/// libvirt's driver on a host, which decides what its routers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// Virtual machines, under software emulation.
    Qemu,
    /// Containers.
    Lxc,
}

/// A Linux bridge on a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BridgePlan {
    /// Its interface name, at most 15 characters.
    pub name: String,
    /// Its MAC address, which would otherwise change with its ports.
    pub mac: String,
    /// The host's own ends of cables that are its ports.
    pub ports: Vec<String>,
    /// Whether it runs the spanning tree protocol: where cables form a ring, it must.
    pub stp: bool,
    /// The tunnel that is one more port, if it spans hosts without a cable of its own.
    pub tunnel: Option<Vxlan>,
}

/// Where tunnels of a host end, and where its multicast goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transport {
    /// The bridge that has the address.
    pub bridge: String,
    /// The host's address there.
    pub address: Ipv4Addr,
    /// The length of its network prefix, in bits.
    pub prefix: u8,
}

/// A VXLAN tunnel between all hosts that have one with the same id and group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vxlan {
    /// The VXLAN network identifier. The interface is called `vx` and this number.
    pub id: u32,
    /// The multicast group by which the hosts find each other.
    pub group: Ipv4Addr,
}

/// A storage pool: a directory on a file system of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolPlan {
    /// Its name.
    pub name: String,
    /// How much it holds. It is memory of the real machine.
    pub mebibytes: u32,
}

/// A virtual router: a guest that forwards packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouterPlan {
    /// Its domain name.
    pub name: String,
    /// Its domain UUID.
    pub uuid: String,
    /// The virtual network that it belongs to, as VMS' metadata in the domain says.
    pub network: String,
    /// Its NICs, in order.
    pub nics: Vec<NicPlan>,
    /// Its default gateway, if any.
    pub gateway: Option<Ipv4Addr>,
    /// The address that it pings every second, if any.
    pub pings: Option<Ipv4Addr>,
    /// The traffic that it sends from its start, if any.
    pub sends: Option<Flow>,
    /// The pool that its disk is in, if it has one: 32 MiB over a base of the same pool.
    pub disk: Option<String>,
}

/// Packets sent to a router at a fixed rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// An address of the router that counts them.
    pub to: Ipv4Addr,
    /// How many a second.
    pub packets_per_second: u32,
    /// The size of each, as Ethernet frame without checksum.
    pub bytes: u32,
}

/// As `src/bin/router.rs` takes it, with commas.
impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.to, self.packets_per_second, self.bytes)
    }
}

/// A NIC of a virtual router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NicPlan {
    /// Its MAC address, lower case with colons.
    pub mac: String,
    /// What it is plugged into.
    pub plug: Plug,
    /// Its IPv4 address.
    pub address: Ipv4Addr,
    /// The length of its network prefix, in bits.
    pub prefix: u8,
}

impl NicPlan {
    /// The bridge that it is plugged into, if it is one.
    pub fn bridge(&self) -> Option<&str> {
        match &self.plug {
            Plug::Bridge(bridge) => Some(bridge),
            _ => None,
        }
    }
}

/// What a router's NIC is plugged into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plug {
    /// A bridge of its host.
    Bridge(String),
    /// A segment that is a multicast group in the transport network: all guests of all hosts that
    /// name the same group and port are on it.
    Multicast(SocketAddrV4),
    /// A link to one other guest, by UDP between the transport addresses of their hosts.
    Udp {
        /// Where this end listens.
        local: SocketAddrV4,
        /// Where the other end does.
        remote: SocketAddrV4,
    },
}

/// A physical link between two hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cable {
    /// One end.
    pub a: Port,
    /// The other end.
    pub b: Port,
    /// What VMS is told of its capacity, such as `1G`.
    pub capacity: String,
}

/// A host's physical NIC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The host's id.
    pub host: String,
    /// The NIC's interface name, at most 15 characters.
    pub nic: String,
    /// Its MAC address.
    pub mac: String,
}

impl Plan {
    /// Every router with its host.
    pub fn routers(&self) -> impl Iterator<Item = (&HostPlan, &RouterPlan)> {
        self.hosts
            .iter()
            .flat_map(|host| host.routers.iter().map(move |router| (host, router)))
    }

    /// The router that has an address, with its host.
    pub fn owner(&self, address: Ipv4Addr) -> Option<(&HostPlan, &RouterPlan)> {
        self.routers()
            .find(|(_, router)| router.nics.iter().any(|nic| nic.address == address))
    }

    /// Checks what the kernel or libvirt would refuse later, and less clearly.
    ///
    /// # Errors
    /// The first thing that does not fit, as a sentence.
    pub fn check(&self) -> Result<()> {
        ensure!(!self.hosts.is_empty(), "a testbed needs a host");
        ensure!(
            self.hosts.len() <= 200,
            "a testbed has addresses for 200 hosts"
        );
        let mut hosts = BTreeSet::new();
        let mut uuids = BTreeSet::new();
        let mut macs = BTreeSet::new();
        for host in &self.hosts {
            check_word("host", &host.id)?;
            macs.insert(&host.mac);
            ensure!(hosts.insert(&host.id), "two hosts are called {}", host.id);
            ensure!(
                uuids.insert(&host.uuid),
                "the UUID {} occurs twice",
                host.uuid
            );
            for bridge in &host.bridges {
                check_interface(&bridge.name)?;
                ensure!(
                    macs.insert(&bridge.mac),
                    "the MAC {} occurs twice",
                    bridge.mac
                );
                ensure!(
                    bridge.tunnel.is_none() || host.transport.is_some(),
                    "bridge {} has a tunnel, and {} no transport address for its end",
                    bridge.name,
                    host.id
                );
                for port in &bridge.ports {
                    ensure!(
                        self.ports().any(|p| p.host == host.id && &p.nic == port),
                        "no cable ends at port {port} of bridge {} on {}",
                        bridge.name,
                        host.id
                    );
                }
            }
            if let Some(Transport { bridge, .. }) = &host.transport {
                ensure!(
                    host.has_bridge(bridge),
                    "the transport address of {} is on bridge {bridge}, which it does not have",
                    host.id
                );
            }
            for pool in &host.pools {
                check_word("pool", &pool.name)?;
            }
            for router in &host.routers {
                check_word("router", &router.name)?;
                check_word("network", &router.network)?;
                ensure!(
                    uuids.insert(&router.uuid),
                    "the UUID {} occurs twice",
                    router.uuid
                );
                for nic in &router.nics {
                    ensure!(macs.insert(&nic.mac), "the MAC {} occurs twice", nic.mac);
                    host.check_plug(router, &nic.plug)?;
                }
            }
        }
        for port in self.ports() {
            check_interface(&port.nic)?;
            ensure!(macs.insert(&port.mac), "the MAC {} occurs twice", port.mac);
            ensure!(
                hosts.contains(&port.host),
                "a cable ends at host {}, which is not there",
                port.host
            );
        }
        Ok(())
    }

    /// The physical NICs of all hosts, by their cables.
    pub fn ports(&self) -> impl Iterator<Item = &Port> {
        self.cables.iter().flat_map(|cable| [&cable.a, &cable.b])
    }
}

/// Names end up in XML, shell words and kernel command lines: nothing to escape in any.
fn check_word(what: &str, word: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    ensure!(
        !word.is_empty() && word.chars().all(plain),
        "a {what} is called {word:?}; letters, digits and hyphens are allowed"
    );
    Ok(())
}

fn check_interface(name: &str) -> Result<()> {
    check_word("network interface", name)?;
    ensure!(
        name.len() <= 15,
        "interface name {name} is longer than 15 characters"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nic_without_its_bridge_is_refused() {
        let mut plan = Plan::line();
        plan.hosts[0].bridges.pop();
        let error = plan.check().unwrap_err().to_string();
        assert_eq!(
            error,
            "r2 is plugged into bridge br-east, which alpha does not have"
        );
    }

    #[test]
    fn a_name_that_a_shell_could_read_is_refused() {
        let mut plan = Plan::line();
        plan.hosts[0].routers[0].name = "r1; reboot".into();
        assert!(plan.check().is_err());
    }
}
