//! `<pool>` and `<volume>`: storage that libvirt keeps on a host.
//!
//! <https://libvirt.org/formatstorage.html>

use uuid::Uuid;

use super::XmlError;
use super::fields::{Document, Kept, Pass, View};

/// A storage pool's definition, as far as it is of use here; what else is in it is kept.
///
/// ```
/// use libvirt::PoolXml;
/// let mut pool = PoolXml::new("dir", "images");
/// pool.path = Some("/var/lib/libvirt/images".to_owned());
/// assert_eq!(PoolXml::parse(&pool.to_xml())?, pool);
/// # Ok::<(), libvirt::XmlError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolXml {
    /// `dir`, `fs`, `netfs`, `logical`, `iscsi`, `rbd`, ….
    pub kind: String,
    /// Its name, unique on its host.
    pub name: String,
    /// `<uuid>`; libvirt makes one for a new pool that has none.
    pub uuid: Option<Uuid>,
    /// Its size, bytes; known while it is active.
    pub capacity_bytes: Option<u64>,
    /// What its volumes take, bytes.
    pub allocation_bytes: Option<u64>,
    /// What is free, bytes.
    pub available_bytes: Option<u64>,
    /// Where its storage comes from.
    pub source: PoolSourceXml,
    /// Where the host sees it.
    pub path: Option<String>,
    kept: Kept,
}

/// `<source>` of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolSourceXml {
    /// The server.
    pub host: Option<String>,
    /// The directory on the server.
    pub dir: Option<String>,
    /// Devices of the host.
    pub devices: Vec<String>,
    /// Name of the volume group or the server's pool.
    pub name: Option<String>,
    /// Format of the file system or partition table.
    pub format: Option<String>,
}

/// A storage volume's definition, as far as it is of use here; what else is in it is kept.
///
/// ```
/// use libvirt::VolumeXml;
/// let mut volume = VolumeXml::new("edge-1.qcow2", 1 << 30);
/// volume.format = Some("qcow2".to_owned());
/// assert_eq!(VolumeXml::parse(&volume.to_xml())?, volume);
/// # Ok::<(), libvirt::XmlError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeXml {
    /// `file`, `block`, `dir`, `network`; libvirt says it, and needs not be told.
    pub kind: Option<String>,
    /// Its name, unique in its pool.
    pub name: String,
    /// What identifies it on its host; often its path.
    pub key: Option<String>,
    /// The size that a domain sees, bytes.
    pub capacity_bytes: Option<u64>,
    /// What it takes in the pool, bytes; 0 to create a sparse one.
    pub allocation_bytes: Option<u64>,
    /// What it takes on the medium, bytes.
    pub physical_bytes: Option<u64>,
    /// Where the host sees it.
    pub path: Option<String>,
    /// `raw`, `qcow2`, ….
    pub format: Option<String>,
    /// Path of the volume that it lies over.
    pub backing_path: Option<String>,
    /// Format of that volume.
    pub backing_format: Option<String>,
    kept: Kept,
}

impl PoolXml {
    /// A pool of this kind and name.
    pub fn new(kind: &str, name: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// Reads what `virStoragePoolGetXMLDesc` returned.
    ///
    /// # Errors
    /// When it is not a well-formed `<pool>`.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        Self::read(xml)
    }

    /// The definition with the fields as they are now, for `virStoragePoolDefineXML`.
    pub fn to_xml(&self) -> String {
        self.write()
    }
}

impl VolumeXml {
    /// A volume of this name and size.
    pub fn new(name: &str, capacity_bytes: u64) -> Self {
        Self {
            name: name.to_owned(),
            capacity_bytes: Some(capacity_bytes),
            ..Self::default()
        }
    }

    /// Reads what `virStorageVolGetXMLDesc` returned.
    ///
    /// # Errors
    /// When it is not a well-formed `<volume>`.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        Self::read(xml)
    }

    /// The definition with the fields as they are now, for `virStorageVolCreateXML`.
    pub fn to_xml(&self) -> String {
        self.write()
    }
}

impl Document for PoolXml {
    const NAME: &'static str = "pool";

    fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }
}

impl View for PoolXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("type", &mut self.kind);
        pass.text("name", &mut self.name);
        pass.text("uuid", &mut self.uuid);
        pass.bytes("capacity", &mut self.capacity_bytes);
        pass.bytes("allocation", &mut self.allocation_bytes);
        pass.bytes("available", &mut self.available_bytes);
        pass.child("source", |source| self.source.fields(source));
        pass.child("target", |target| target.text("path", &mut self.path));
    }
}

impl View for PoolSourceXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.child("host", |host| host.attribute("name", &mut self.host));
        pass.child("dir", |dir| dir.attribute("path", &mut self.dir));
        pass.attributes("device", "path", &mut self.devices);
        pass.text("name", &mut self.name);
        pass.child("format", |format| {
            format.attribute("type", &mut self.format);
        });
    }
}

impl Document for VolumeXml {
    const NAME: &'static str = "volume";

    fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }
}

impl View for VolumeXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("type", &mut self.kind);
        pass.text("name", &mut self.name);
        pass.text("key", &mut self.key);
        pass.bytes("capacity", &mut self.capacity_bytes);
        pass.bytes("allocation", &mut self.allocation_bytes);
        pass.bytes("physical", &mut self.physical_bytes);
        pass.child("target", |target| {
            target.text("path", &mut self.path);
            target.child("format", |format| {
                format.attribute("type", &mut self.format);
            });
        });
        pass.child("backingStore", |backing| {
            backing.text("path", &mut self.backing_path);
            backing.child("format", |format| {
                format.attribute("type", &mut self.backing_format);
            });
        });
    }
}
