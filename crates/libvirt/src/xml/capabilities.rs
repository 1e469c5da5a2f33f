//! `<capabilities>`: what a host is and can run.
//!
//! <https://libvirt.org/formatcaps.html>

use uuid::Uuid;

use super::XmlError;
use super::domain::{CpuFeatureXml, CpuXml, DomainKind};
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
    /// What the processors have beyond the model.
    pub cpu_features: Vec<CpuFeatureXml>,
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

/// What a domain may be on a host, under one of its hypervisors, as far as it is of use here.
///
/// ```
/// use libvirt::DomainCapabilitiesXml;
/// let xml = "<domainCapabilities><domain>kvm</domain><arch>x86_64</arch><vcpu max='255'/><cpu>\
///     <mode name='host-model' supported='yes'><model fallback='forbid'>EPYC</model></mode></cpu>\
///     </domainCapabilities>";
/// let capabilities = DomainCapabilitiesXml::parse(xml)?;
/// assert_eq!(capabilities.host_model().and_then(|cpu| cpu.model).as_deref(), Some("EPYC"));
/// assert!(!capabilities.supports_cpu_mode("host-passthrough"));
/// # Ok::<(), libvirt::XmlError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainCapabilitiesXml {
    /// The program that runs it.
    pub emulator: Option<String>,
    /// The hypervisor.
    pub kind: DomainKind,
    /// The machine, under its own name: `pc-i440fx-9.2` where `pc` was asked for.
    pub machine: Option<String>,
    /// Architecture, `x86_64`.
    pub arch: Option<String>,
    /// The most virtual processors that it can have.
    pub max_vcpus: Option<u32>,
    /// Modes in which its processors can be given.
    pub cpu_modes: Vec<CpuModeXml>,
    kept: Kept,
}

/// A mode in which a domain's processors can be given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuModeXml {
    /// `host-passthrough`, `maximum`, `host-model`, `custom`.
    pub name: String,
    /// Whether it can be used.
    pub supported: Option<bool>,
    /// The model of `host-model`; all that there are for `custom`.
    pub models: Vec<CpuModelXml>,
    /// Whose the processors of `host-model` are.
    pub vendor: Option<String>,
    /// What the processors of `host-model` have and lack, beside the model.
    pub features: Vec<CpuFeatureXml>,
}

/// A model of processors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuModelXml {
    /// `Nehalem`.
    pub name: String,
    /// Whether a domain can have it on the host; `None` where libvirt does not say.
    pub usable: Option<bool>,
    /// Whether another model may be taken: `allow`, `forbid`.
    pub fallback: Option<String>,
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

    /// All that the host's processors have, as another host can be asked for; `None` where libvirt
    /// knows no model like them.
    pub fn cpu(&self) -> Option<CpuXml> {
        Some(CpuXml {
            model: Some(self.cpu_model.clone()?),
            vendor: self.cpu_vendor.clone(),
            features: self.cpu_features.clone(),
            ..CpuXml::default()
        })
    }
}

impl DomainCapabilitiesXml {
    /// Reads what `virConnectGetDomainCapabilities` returned.
    ///
    /// # Errors
    /// When it is not a well-formed `<domainCapabilities>`.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        Self::read(xml)
    }

    /// The document with the fields as they are now: for tests and simulated hosts.
    pub fn to_xml(&self) -> String {
        self.write()
    }

    /// Whether a domain's processors can be given in this mode.
    pub fn supports_cpu_mode(&self, name: &str) -> bool {
        let is = |mode: &CpuModeXml| mode.name == name && mode.supported == Some(true);
        self.cpu_modes.iter().any(is)
    }

    /// The processors that a domain has here in the mode `host-model`, where there is such a mode.
    pub fn host_model(&self) -> Option<CpuXml> {
        let is = |mode: &&CpuModeXml| mode.name == "host-model" && mode.supported == Some(true);
        let mode = self.cpu_modes.iter().find(is)?;
        let model = mode.models.first()?;
        Some(CpuXml {
            model: Some(model.name.clone()),
            fallback: model.fallback.clone(),
            vendor: mode.vendor.clone(),
            features: mode.features.clone(),
            ..CpuXml::default()
        })
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
                let same = |a: &CpuFeatureXml, b: &CpuFeatureXml| a.name == b.name;
                cpu.views("feature", &mut self.cpu_features, same);
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

impl Document for DomainCapabilitiesXml {
    const NAME: &'static str = "domainCapabilities";

    fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }
}

impl View for DomainCapabilitiesXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.text("path", &mut self.emulator);
        pass.text("domain", &mut self.kind);
        pass.text("machine", &mut self.machine);
        pass.text("arch", &mut self.arch);
        pass.child("vcpu", |vcpu| vcpu.attribute("max", &mut self.max_vcpus));
        pass.child("cpu", |cpu| {
            cpu.views("mode", &mut self.cpu_modes, |a, b| a.name == b.name);
        });
    }
}

impl View for CpuModeXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("name", &mut self.name);
        pass.switch("supported", ("yes", "no"), &mut self.supported);
        pass.views("model", &mut self.models, |a, b| a.name == b.name);
        pass.text("vendor", &mut self.vendor);
        pass.views("feature", &mut self.features, |a, b| a.name == b.name);
    }
}

impl View for CpuModelXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.switch("usable", ("yes", "no"), &mut self.usable);
        pass.attribute("fallback", &mut self.fallback);
        pass.own_text(&mut self.name);
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
