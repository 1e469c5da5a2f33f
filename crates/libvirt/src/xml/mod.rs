//! libvirt's XML as typed values, both ways.
//!
//! A document becomes a tree (module `tree`), and typed fields are read from the tree (module
//! `fields`). The tree is kept with the value: [`DomainXml::to_xml`] and its like write it again,
//! with the fields put in where they changed. So what is not known here, because libvirt is newer
//! or has more than a router needs, survives in its place, and what did not change is written as it
//! was.
//!
//! Values are compared by their public fields, neither by white space nor by what is not known
//! here. A text field that is empty or blank is the same as one that is not there; characters that
//! XML cannot hold are written as U+FFFD.
//!
//! Input is bounded: 4 MiB, 64 levels, 100,000 elements and attributes, no document type, no entity
//! but XML's own.

mod capabilities;
mod device;
mod domain;
mod fields;
mod host;
mod interface;
mod network;
mod storage;
mod tree;

pub(crate) use capabilities::capabilities_host_uuid;
pub use capabilities::{
    CapabilitiesXml, CpuModeXml, CpuModelXml, DomainCapabilitiesXml, GuestDomainXml, GuestXml,
};
pub use device::{BackingXml, CharacterXml, DiskXml, FilesystemXml, MemballoonXml, RngXml};
pub use domain::{
    ClockXml, CpuFeatureXml, CpuTopologyXml, CpuXml, DomainKind, DomainXml, FeatureXml, LoaderXml,
    OsXml, RouterMetadata, TimerXml,
};
pub use host::HostInterfaceXml;
pub use interface::{
    BandwidthXml, InterfaceKind, InterfaceSource, InterfaceXml, RateXml, TcpRole, VirtualPort,
};
pub use network::{IpXml, NetworkXml};
pub use storage::{PoolSourceXml, PoolXml, VolumeXml};

/// The namespace of this project's notes in a domain's `<metadata>`.
pub const METADATA_NAMESPACE: &str = "urn:vms:metadata:1";

/// Why XML cannot be read; a clause without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct XmlError(String);

impl XmlError {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
