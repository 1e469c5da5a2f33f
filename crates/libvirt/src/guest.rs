//! What is inside a guest, as its agent tells it, and which addresses it has, by three witnesses.

use std::time::{Duration, SystemTime};

use uuid::Uuid;
use virt_sys as sys;

use crate::connection::Connection;
use crate::domain::look_up;
use crate::driver::Capability;
use crate::error::Error;
use crate::ffi;
use crate::ffi::stats::Value;
use crate::stats::{entry, indexed};

/// libvirt waits this long for an agent at most, seconds. Left alone it waits for ever, with one of
/// the daemon's threads.
const AGENT_PATIENCE: i32 = 5;

/// Who says which addresses a guest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressSource {
    /// The DHCP leases of libvirt's own networks.
    Lease,
    /// The agent in the guest.
    Agent,
    /// The ARP table of the host: only of guests that the host has spoken with.
    Arp,
}

impl AddressSource {
    /// Every source, the most reliable first.
    pub const ALL: [Self; 3] = [Self::Agent, Self::Lease, Self::Arp];

    fn raw(self) -> u32 {
        match self {
            Self::Lease => sys::VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE,
            Self::Agent => sys::VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT,
            Self::Arp => sys::VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP,
        }
    }
}

/// An interface of a guest, with its addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestInterface {
    /// From the agent the guest's own name (`eth0`), else the device on the host (`vnet0`).
    pub name: String,
    /// MAC address in lower case, by which it is found in the definition.
    pub mac: Option<String>,
    /// Addresses, with `/prefix`.
    pub addresses: Vec<String>,
}

/// What an agent tells of its guest; what it does not know is `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestInfo {
    /// The guest's name of itself.
    pub hostname: Option<String>,
    /// Its operating system.
    pub os: GuestOs,
    /// Its interfaces, `lo` among them.
    pub interfaces: Vec<GuestInterface>,
    /// What it has mounted.
    pub filesystems: Vec<GuestFilesystem>,
}

/// A guest's operating system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestOs {
    /// Short name, `debian`.
    pub id: Option<String>,
    /// Name and version for people, `Debian GNU/Linux 12 (bookworm)`.
    pub name: Option<String>,
    /// Version, `12`.
    pub version: Option<String>,
    /// The kernel's release, `6.1.0-18-amd64`.
    pub kernel: Option<String>,
    /// The processor's architecture, `x86_64`.
    pub machine: Option<String>,
}

/// A file system that a guest has mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestFilesystem {
    /// Where.
    pub mountpoint: String,
    /// The device, in the guest.
    pub device: Option<String>,
    /// `ext4`, `xfs`, ….
    pub kind: Option<String>,
    /// Size, bytes.
    pub total_bytes: Option<u64>,
    /// In use, bytes.
    pub used_bytes: Option<u64>,
}

/// An address that a network of a host gave away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The client's MAC address in lower case.
    pub mac: Option<String>,
    /// The address, with `/prefix`.
    pub address: String,
    /// The client's name of itself.
    pub hostname: Option<String>,
    /// The client's identifier.
    pub client_id: Option<String>,
    /// When it ends; `None` for never.
    pub expires: Option<SystemTime>,
}

impl Connection {
    /// What the agent in a running guest tells.
    ///
    /// # Errors
    /// [`Error::NoAgent`] when the guest has none, or it does not answer; [`Error::NotFound`].
    pub async fn guest_info(&self, domain: Uuid) -> Result<GuestInfo, Error> {
        let call = "virDomainGetGuestInfo";
        self.needs(Capability::GuestAgent, call)?;
        let patience = patience(self.deadline());
        self.call_about(domain, call, move |session| {
            let domain = look_up(session, domain)?;
            let set = "virDomainAgentSetResponseTimeout";
            if let Err(error) = session.run(set, |_| ffi::guest::set_patience(&domain, patience)) {
                tracing::debug!("the patience with an agent is not set: {error}");
            }
            let mut info = GuestInfo::default();
            session.run(call, |_| {
                ffi::guest::info(&domain, |name, value| info.take(name, value))
            })?;
            info.interfaces.retain(|of| !of.name.is_empty());
            for interface in &mut info.interfaces {
                // Room was made for what then did not come.
                interface
                    .addresses
                    .retain(|of| !of.is_empty() && !of.starts_with('/'));
            }
            info.filesystems.retain(|of| !of.mountpoint.is_empty());
            Ok(info)
        })
        .await
    }

    /// Whether the agent in a running guest answers: it has one, and is far enough to run it. Asked of
    /// a guest without one, it takes some seconds.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`]; a [`crate::ErrorKind::Conflict`] when it does
    /// not run.
    pub async fn agent_answers(&self, domain: Uuid) -> Result<bool, Error> {
        // What every agent knows and what asks for least.
        let call = "virDomainGetTime";
        self.needs(Capability::GuestAgent, call)?;
        let patience = patience(self.deadline());
        let asked = self.call_about(domain, call, move |session| {
            let domain = look_up(session, domain)?;
            let set = "virDomainAgentSetResponseTimeout";
            if let Err(error) = session.run(set, |_| ffi::guest::set_patience(&domain, patience)) {
                tracing::debug!("the patience with an agent is not set: {error}");
            }
            session.run(call, |_| domain.time(0))
        });
        match asked.await {
            Ok(_) => Ok(true),
            Err(Error::NoAgent { .. }) => Ok(false),
            Err(error) => match error.fault() {
                // It answered that it cannot.
                Some(fault) if fault.code == sys::VIR_ERR_AGENT_COMMAND_FAILED => Ok(true),
                _ => Err(error),
            },
        }
    }

    /// The addresses of a running guest, as one source knows them. From the agent, `lo` is among
    /// its interfaces.
    ///
    /// # Errors
    /// [`Error::NoAgent`]; [`Error::NotFound`]; a [`crate::ErrorKind::Conflict`] when it does not
    /// run.
    pub async fn addresses(
        &self,
        domain: Uuid,
        source: AddressSource,
    ) -> Result<Vec<GuestInterface>, Error> {
        let call = "virDomainInterfaceAddresses";
        self.needs(Capability::Addresses, call)?;
        if source == AddressSource::Agent {
            self.needs(Capability::GuestAgent, call)?;
        }
        self.call_about(domain, call, move |session| {
            let domain = look_up(session, domain)?;
            let interfaces = session.run(call, |_| ffi::guest::addresses(&domain, source.raw()))?;
            Ok(interfaces.into_iter().map(GuestInterface::from).collect())
        })
        .await
    }

    /// The addresses that a network of the host gave away by DHCP.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`] by drivers that lack it.
    pub async fn leases(&self, network: Uuid) -> Result<Vec<Lease>, Error> {
        let call = "virNetworkGetDHCPLeases";
        self.needs(Capability::Leases, call)?;
        self.call(call, move |session| {
            let network = session.run("virNetworkLookupByUUID", |connection| {
                connection.lookup_network_by_uuid(network)
            })?;
            let leases = session.run(call, |_| ffi::guest::leases(&network))?;
            Ok(leases.into_iter().filter_map(Lease::read).collect())
        })
        .await
    }
}

/// Seconds that libvirt may wait for an agent: shorter than our own deadline.
fn patience(deadline: Duration) -> i32 {
    let half = i32::try_from(deadline.as_secs() / 2).unwrap_or(AGENT_PATIENCE);
    half.clamp(1, AGENT_PATIENCE)
}

fn with_prefix(address: &str, prefix: u32) -> String {
    format!("{address}/{prefix}")
}

fn mac(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_ascii_lowercase())
}

impl From<ffi::guest::Interface> for GuestInterface {
    fn from(of: ffi::guest::Interface) -> Self {
        Self {
            name: of.name.unwrap_or_default(),
            mac: of.mac.as_deref().and_then(mac),
            addresses: (of.addresses.iter())
                .map(|(address, prefix)| with_prefix(address, *prefix))
                .collect(),
        }
    }
}

impl Lease {
    fn read(of: ffi::guest::Lease) -> Option<Self> {
        let expires = u64::try_from(of.expires).ok().filter(|&at| at > 0);
        Some(Self {
            mac: of.mac.as_deref().and_then(mac),
            address: with_prefix(&of.address?, of.prefix),
            hostname: of.hostname,
            client_id: of.client_id,
            expires: expires
                .and_then(|at| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(at))),
        })
    }
}

impl GuestInfo {
    /// Takes up a field of `virDomainGetGuestInfo`:
    /// <https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainGetGuestInfo>.
    fn take(&mut self, name: &[u8], value: Value<'_>) {
        match name {
            b"hostname" => self.hostname = text(value),
            b"os.id" => self.os.id = text(value),
            b"os.pretty-name" => self.os.name = text(value),
            b"os.version-id" => self.os.version = text(value),
            b"os.kernel-release" => self.os.kernel = text(value),
            b"os.machine" => self.os.machine = text(value),
            _ => {
                if let Some((index, field)) = indexed(name, b"if.") {
                    entry(&mut self.interfaces, index).take(field, value);
                } else if let Some((index, field)) = indexed(name, b"fs.") {
                    entry(&mut self.filesystems, index).take(field, value);
                }
            }
        }
    }
}

impl GuestInterface {
    fn take(&mut self, field: &[u8], value: Value<'_>) {
        match field {
            b"name" => self.name = text(value).unwrap_or_default(),
            b"hwaddr" => self.mac = text(value).as_deref().and_then(mac),
            _ => match indexed(field, b"addr.") {
                Some((index, b"addr")) => {
                    entry(&mut self.addresses, index)
                        .insert_str(0, &text(value).unwrap_or_default());
                }
                Some((index, b"prefix")) => {
                    if let Some(prefix) = value.counter() {
                        let address = entry(&mut self.addresses, index);
                        address.push('/');
                        address.push_str(&prefix.to_string());
                    }
                }
                _ => {}
            },
        }
    }
}

impl GuestFilesystem {
    fn take(&mut self, field: &[u8], value: Value<'_>) {
        match field {
            b"mountpoint" => self.mountpoint = text(value).unwrap_or_default(),
            b"name" => self.device = text(value),
            b"fstype" => self.kind = text(value),
            b"total-bytes" => self.total_bytes = value.counter(),
            b"used-bytes" => self.used_bytes = value.counter(),
            _ => {}
        }
    }
}

fn text(value: Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) if !text.is_empty() => Some(text.to_string_lossy().into_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::testing::host;

    #[test]
    fn what_an_agent_tells_is_typed() {
        let mut info = GuestInfo::default();
        for (name, value) in [
            ("os.id", Value::Text(c"debian")),
            (
                "os.pretty-name",
                Value::Text(c"Debian GNU/Linux 12 (bookworm)"),
            ),
            ("os.version-id", Value::Text(c"12")),
            ("os.kernel-release", Value::Text(c"6.1.0-18-amd64")),
            ("os.machine", Value::Text(c"x86_64")),
            ("os.variant", Value::Text(c"")),
            ("hostname", Value::Text(c"edge-1")),
            ("fs.count", Value::Unsigned(1)),
            ("fs.0.mountpoint", Value::Text(c"/")),
            ("fs.0.name", Value::Text(c"vda1")),
            ("fs.0.fstype", Value::Text(c"ext4")),
            ("fs.0.total-bytes", Value::Unsigned(1000)),
            ("fs.0.used-bytes", Value::Unsigned(10)),
            ("fs.0.disk.0.alias", Value::Text(c"vda")),
            ("if.count", Value::Unsigned(1)),
            ("if.0.name", Value::Text(c"eth0")),
            ("if.0.hwaddr", Value::Text(c"52:54:00:AA:00:01")),
            ("if.0.addr.count", Value::Unsigned(2)),
            ("if.0.addr.0.type", Value::Text(c"ipv4")),
            ("if.0.addr.0.addr", Value::Text(c"10.0.0.1")),
            ("if.0.addr.0.prefix", Value::Unsigned(31)),
            ("if.0.addr.1.addr", Value::Text(c"fe80::1")),
            ("if.0.addr.1.prefix", Value::Unsigned(64)),
            ("if.0.addr.99999.addr", Value::Text(c"far")),
            ("user.0.name", Value::Text(c"root")),
        ] {
            info.take(name.as_bytes(), value);
        }
        let expected = GuestInfo {
            hostname: Some("edge-1".to_owned()),
            os: GuestOs {
                id: Some("debian".to_owned()),
                name: Some("Debian GNU/Linux 12 (bookworm)".to_owned()),
                version: Some("12".to_owned()),
                kernel: Some("6.1.0-18-amd64".to_owned()),
                machine: Some("x86_64".to_owned()),
            },
            interfaces: vec![GuestInterface {
                name: "eth0".to_owned(),
                mac: Some("52:54:00:aa:00:01".to_owned()),
                addresses: vec!["10.0.0.1/31".to_owned(), "fe80::1/64".to_owned()],
            }],
            filesystems: vec![GuestFilesystem {
                mountpoint: "/".to_owned(),
                device: Some("vda1".to_owned()),
                kind: Some("ext4".to_owned()),
                total_bytes: Some(1000),
                used_bytes: Some(10),
            }],
        };
        assert_eq!(info, expected);
    }

    #[test]
    fn an_agent_has_less_time_than_the_call() {
        let seconds = |seconds| patience(Duration::from_secs(seconds));
        assert_eq!(
            [seconds(0), seconds(4), seconds(10), seconds(600)],
            [1, 2, 5, 5]
        );
    }

    #[test]
    fn a_lease_may_be_for_ever() {
        let lease = |expires| {
            Lease::read(ffi::guest::Lease {
                mac: Some("52:54:00:AA:00:01".to_owned()),
                address: Some("10.0.0.7".to_owned()),
                prefix: 24,
                hostname: None,
                client_id: None,
                expires,
            })
        };
        let forever = lease(0).unwrap();
        assert_eq!(
            (forever.address.as_str(), forever.expires),
            ("10.0.0.7/24", None)
        );
        assert_eq!(forever.mac.as_deref(), Some("52:54:00:aa:00:01"));
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
        assert_eq!(lease(7).unwrap().expires, Some(at));
        assert_eq!(lease(-1).unwrap().expires, None);
    }

    #[tokio::test]
    async fn addresses_are_told_by_mac_and_what_is_not_there_is_an_error() {
        let (connection, _directory) = host(
            "<node><domain type='test'><name>r</name><memory>8192</memory><os><type>hvm</type></os>\
             <devices><interface type='network'><mac address='52:54:00:00:00:01'/>\
             <source network='n'/></interface></devices></domain>\
             <network><name>n</name><bridge name='virbr1'/>\
             <ip address='10.7.0.1' netmask='255.255.255.0'>\
             <dhcp><range start='10.7.0.2' end='10.7.0.9'/></dhcp></ip></network></node>",
        )
        .await;
        let domain = connection.list_domains().await.unwrap().remove(0).uuid;
        let lease = connection
            .addresses(domain, AddressSource::Lease)
            .await
            .unwrap();
        assert_eq!(lease.len(), 1);
        assert_eq!(lease[0].mac.as_deref(), Some("52:54:00:00:00:01"));
        assert!(lease[0].addresses[0].starts_with("10.7.0."), "{lease:?}");
        let unknown = connection.addresses(Uuid::from_u128(1), AddressSource::Lease);
        assert_eq!(unknown.await.unwrap_err().kind(), ErrorKind::NotFound);
        for error in [
            connection
                .addresses(domain, AddressSource::Agent)
                .await
                .unwrap_err(),
            connection.guest_info(domain).await.unwrap_err(),
            connection.leases(domain).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
        }
    }
}
