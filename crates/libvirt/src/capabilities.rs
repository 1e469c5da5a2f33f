//! What a host can run.

use virt::connect::Connect;
use virt_sys as sys;

use crate::connection::Connection;
use crate::driver::Capability;
use crate::error::Error;
use crate::ffi;
use crate::xml::{CapabilitiesXml, CpuXml, DomainCapabilitiesXml, DomainKind};

/// How processors that are wanted compare with those that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CpuMatch {
    /// Something is missing: a guest that wants them cannot run.
    Incompatible,
    /// They are the same.
    Identical,
    /// There is more than is wanted.
    Superset,
}

impl CpuMatch {
    /// `virCPUCompareResult`; what is not known here is taken for a no.
    pub(crate) fn from_raw(raw: i32) -> Self {
        match raw {
            sys::VIR_CPU_COMPARE_IDENTICAL => Self::Identical,
            sys::VIR_CPU_COMPARE_SUPERSET => Self::Superset,
            _ => Self::Incompatible,
        }
    }

    /// Whether a guest that wants them can run.
    pub fn fits(self) -> bool {
        self != Self::Incompatible
    }
}

impl Connection {
    /// What the host is and can run: its processors, guests, machines, and ways of migration.
    ///
    /// # Errors
    /// As every call.
    pub async fn capabilities(&self) -> Result<CapabilitiesXml, Error> {
        let call = "virConnectGetCapabilities";
        let capabilities = self.call(call, move |session| {
            session.run(call, Connect::capabilities)
        });
        CapabilitiesXml::parse(&capabilities.await?).map_err(|reason| Error::Xml {
            what: "the host's capabilities".to_owned(),
            reason: reason.to_string(),
        })
    }

    /// What a domain may be on the host, under this program, architecture, machine and hypervisor;
    /// where one is not said, the host chooses, the program by the architecture.
    ///
    /// The first question about a program takes a second or so, for the daemon then starts it; later
    /// ones are answered from a cache.
    ///
    /// # Errors
    /// [`Error::NotSupported`]; a [`crate::ErrorKind::InvalidArgument`] when the host has no such
    /// program, or that no such machine; as every call.
    pub async fn domain_capabilities(
        &self,
        emulator: Option<&str>,
        arch: Option<&str>,
        machine: Option<&str>,
        kind: Option<&DomainKind>,
    ) -> Result<DomainCapabilitiesXml, Error> {
        let call = "virConnectGetDomainCapabilities";
        self.needs(Capability::DomainCapabilities, call)?;
        let wanted = Wanted::new(emulator, arch, machine, kind);
        let capabilities = self.call(call, move |session| {
            session.run(call, |connection| {
                let [emulator, arch, machine, kind] = wanted.texts();
                connection.domain_capabilities(emulator, arch, machine, kind, 0)
            })
        });
        DomainCapabilitiesXml::parse(&capabilities.await?).map_err(|reason| Error::Xml {
            what: "what a domain may be".to_owned(),
            reason: reason.to_string(),
        })
    }

    /// How a guest's processors compare with those that the host has. What the hypervisor makes of
    /// them is not asked; [`compare_hypervisor_cpu`](Self::compare_hypervisor_cpu) does that, and is
    /// the better question where it is to be had.
    ///
    /// The processors are to have a model: those of a running guest have one, `host-model` and
    /// `host-passthrough` of one that is off say nothing.
    ///
    /// # Errors
    /// [`Error::NotSupported`]; libvirt's own when it cannot make sense of the processors, a model
    /// that it does not know for example.
    pub async fn compare_cpu(&self, cpu: &CpuXml) -> Result<CpuMatch, Error> {
        let call = "virConnectCompareCPU";
        self.needs(Capability::CpuComparison, call)?;
        let xml = cpu.to_xml();
        let compared = self.call(call, move |session| {
            session.run(call, |connection| connection.compare_cpu(&xml, 0))
        });
        compared.await.map(CpuMatch::from_raw)
    }

    /// How a guest's processors compare with those that a hypervisor of the host can give it. What
    /// is not said is as with [`domain_capabilities`](Self::domain_capabilities), the processors as
    /// with [`compare_cpu`](Self::compare_cpu).
    ///
    /// # Errors
    /// As [`compare_cpu`](Self::compare_cpu) and [`domain_capabilities`](Self::domain_capabilities).
    pub async fn compare_hypervisor_cpu(
        &self,
        emulator: Option<&str>,
        arch: Option<&str>,
        machine: Option<&str>,
        kind: Option<&DomainKind>,
        cpu: &CpuXml,
    ) -> Result<CpuMatch, Error> {
        let call = "virConnectCompareHypervisorCPU";
        self.needs(Capability::HypervisorCpuComparison, call)?;
        let wanted = Wanted::new(emulator, arch, machine, kind);
        let xml = cpu.to_xml();
        let compared = self.call(call, move |session| {
            session.run(call, |connection| {
                ffi::host::compare_hypervisor_cpu(connection, wanted.texts(), &xml)
            })
        });
        compared.await.map(CpuMatch::from_raw)
    }
}

/// Which hypervisor of the host is meant.
struct Wanted([Option<String>; 4]);

impl Wanted {
    fn new(
        emulator: Option<&str>,
        arch: Option<&str>,
        machine: Option<&str>,
        kind: Option<&DomainKind>,
    ) -> Self {
        let kind = kind.map(DomainKind::name);
        Self([emulator, arch, machine, kind].map(|text| text.map(str::to_owned)))
    }

    /// Program, architecture, machine and hypervisor.
    fn texts(&self) -> [Option<&str>; 4] {
        self.0.each_ref().map(Option::as_deref)
    }
}
