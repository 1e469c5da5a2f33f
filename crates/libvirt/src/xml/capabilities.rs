//! `<capabilities>`: what a host is and can run.
//!
//! <https://libvirt.org/formatcaps.html>

use uuid::Uuid;

use super::XmlError;
use super::domain::DomainKind;
use super::fields::{Document, Kept, Pass, View};

/// A host's capabilities, as far as they are of use here.
///
/// ```
/// use libvirt::{CapabilitiesXml, DomainKind};
/// let xml = "<capabilities><host><cpu><arch>x86_64</arch></cpu></host><guest>\
///     <os_type>hvm</os_type><arch name='x86_64'><domain type='qemu'/></arch></guest></capabilities>";
/// let capabilities = CapabilitiesXml::parse(xml)?;
/// assert_eq!(capabilities.guests[0].domains[0].kind, DomainKind::Qemu);
/// # Ok::<(), libvirt::XmlError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapabilitiesXml {
    /// The host's UUID, where the driver gives one. Evidence, not identity.
    pub host_uuid: Option<Uuid>,
    /// Architecture of the host's processors, `x86_64`.
    pub arch: Option<String>,
    /// The closest processor model that libvirt knows, `Nehalem`.
    pub cpu_model: Option<String>,
    /// `Intel`, `AMD`.
    pub cpu_vendor: Option<String>,
    /// Whether running domains can be migrated from and to the host.
    pub live_migration: bool,
    /// Schemes of the URIs by which domains can be migrated: `tcp`, `rdma`, `xenmigr`.
    pub migration_transports: Vec<String>,
    /// What it can run.
    pub guests: Vec<GuestXml>,
    kept: Kept,
}

/// One kind of guest that a host can run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestXml {
    /// `hvm`, `xen`, `xenpvh`, `exe`.
    pub os_type: String,
    /// Architecture, `x86_64`.
    pub arch: String,
    /// Bits of its addresses.
    pub word_size: Option<u32>,
    /// The program that runs it.
    pub emulator: Option<String>,
    /// Machines that it can be, those that stand for another one included.
    pub machines: Vec<String>,
    /// Hypervisors that run it.
    pub domains: Vec<GuestDomainXml>,
    kept: Kept,
}

/// A hypervisor of a [`GuestXml`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestDomainXml {
    /// The hypervisor.
    pub kind: DomainKind,
    /// The program that runs it, where that is another one than the guest's.
    pub emulator: Option<String>,
    /// Machines, where they are others than the guest's.
    pub machines: Vec<String>,
}

impl CapabilitiesXml {
    /// Reads what `virConnectGetCapabilities` returned.
    ///
    /// # Errors
    /// When it is not a well-formed `<capabilities>`.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        Self::read(xml)
    }

    /// The document with the fields as they are now: for tests and simulated hosts.
    pub fn to_xml(&self) -> String {
        self.write()
    }
}

impl Document for CapabilitiesXml {
    const NAME: &'static str = "capabilities";

    fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }
}

impl View for CapabilitiesXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.child("host", |host| {
            host.text("uuid", &mut self.host_uuid);
            host.child("cpu", |cpu| {
                cpu.text("arch", &mut self.arch);
                cpu.text("model", &mut self.cpu_model);
                cpu.text("vendor", &mut self.cpu_vendor);
            });
            host.child("migration_features", |migration| {
                migration.flag("live", &mut self.live_migration);
                migration.child("uri_transports", |transports| {
                    transports.texts("uri_transport", &mut self.migration_transports);
                });
            });
        });
        pass.list("guest", &mut self.guests);
    }
}

impl Document for GuestXml {
    const NAME: &'static str = "guest";

    fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }
}

impl View for GuestXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.text("os_type", &mut self.os_type);
        pass.child("arch", |arch| {
            arch.attribute("name", &mut self.arch);
            arch.text("wordsize", &mut self.word_size);
            arch.text("emulator", &mut self.emulator);
            arch.texts("machine", &mut self.machines);
            arch.views("domain", &mut self.domains, |a, b| a.kind == b.kind);
        });
    }
}

impl View for GuestDomainXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("type", &mut self.kind);
        pass.text("emulator", &mut self.emulator);
        pass.texts("machine", &mut self.machines);
    }
}

/// The host's UUID in `<capabilities>`, where the driver gives one.
pub(crate) fn capabilities_host_uuid(xml: &str) -> Result<Option<Uuid>, XmlError> {
    Ok(CapabilitiesXml::parse(xml)?.host_uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

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
