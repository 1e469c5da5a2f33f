//! Devices of a domain other than its NICs: disks, file systems, character devices, balloon.
//!
//! <https://libvirt.org/formatdomain.html#devices>

use super::XmlError;
use super::fields::{Document, Kept, Pass, View};
use super::tree::Element;

/// One disk of a domain.
///
/// ```
/// use libvirt::DiskXml;
/// let mut disk = DiskXml::new("volume", "vda");
/// disk.source = Some("images/edge-1.qcow2".to_owned());
/// disk.format = Some("qcow2".to_owned());
/// assert!(disk.to_xml().contains("<source pool='images' volume='edge-1.qcow2'/>"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskXml {
    /// Name inside the domain, `vda`.
    pub target: String,
    /// `virtio`, `sata`, `ide`, ….
    pub bus: Option<String>,
    /// `disk`, `cdrom`, `floppy`, `lun`.
    pub device: String,
    /// What backs it: `file`, `block`, `network`, `volume`, ….
    pub kind: String,
    /// The backing file, device, directory, or `pool/volume`; `None` for an empty drive.
    pub source: Option<String>,
    /// `qcow2`, `raw`, ….
    pub format: Option<String>,
    /// What an overlay is over, where the definition says it; libvirt looks itself otherwise.
    pub backing: Option<BackingXml>,
    /// How writes are cached: `none`, `writeback`, …. A live migration without shared storage
    /// wants `none`.
    pub cache: Option<String>,
    /// Whether the domain cannot write to it.
    pub readonly: bool,
    /// Whether several domains may use it at once.
    pub shareable: bool,
    /// Its place in the boot order, from 1.
    pub boot_order: Option<u32>,
    /// libvirt's name of the device, `virtio-disk0`, by which events speak of it.
    pub alias: Option<String>,
    kept: Kept,
}

/// `<backingStore>`: what a disk's overlay is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackingXml {
    /// `file`, `block`, `volume`, …; `None` where nothing is below.
    pub kind: Option<String>,
    /// `qcow2`, `raw`, ….
    pub format: Option<String>,
    /// As [`DiskXml::source`].
    pub source: Option<String>,
}

/// One directory or file system that a container sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilesystemXml {
    /// What backs it: `mount` (a directory), `file` (an image), `block`, `ram`, `template`, ….
    pub kind: String,
    /// How host and guest share it: `passthrough`, `mapped`, `squash`.
    pub access_mode: Option<String>,
    /// The driver of an image or share: `loop`, `nbd`, `path`, ….
    pub driver: Option<String>,
    /// The format of an image: `raw`, `qcow2`.
    pub format: Option<String>,
    /// The host's directory, file or device, or the template's name.
    pub source: Option<String>,
    /// Where the guest sees it; the root file system of a container is at `/`.
    pub target: String,
    /// Whether the guest cannot write to it.
    pub readonly: bool,
    kept: Kept,
}

/// One `<serial>`, `<console>` or `<channel>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CharacterXml {
    /// What is at the host's end: `pty`, `file`, `unix`, `tcp`, ….
    pub kind: String,
    /// The host's terminal, file or socket.
    pub path: Option<String>,
    /// `bind` to listen, `connect` to call (`unix`, `tcp`).
    pub mode: Option<String>,
    /// Address of a `tcp` device.
    pub host: Option<String>,
    /// Port of a `tcp` device.
    pub service: Option<u16>,
    /// The host's file that what the guest says is copied to.
    pub log: Option<String>,
    /// What the guest sees: `isa-serial`, `serial`, `virtio`, ….
    pub target: Option<String>,
    /// Its number in the guest.
    pub target_port: Option<u32>,
    /// Its name in the guest; [`CharacterXml::GUEST_AGENT`] for the guest agent's channel.
    pub target_name: Option<String>,
    /// Whether the guest has it open: `connected`, `disconnected`; `None` where that is not known.
    pub state: Option<String>,
    kept: Kept,
}

/// `<memballoon>`: what gives memory back, and says how much the guest uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemballoonXml {
    /// `virtio`, `xen`, `none`, ….
    pub model: Option<String>,
    /// How often the guest is asked, seconds.
    pub stats_period: Option<u32>,
}

/// `<rng>`: a device that gives the guest randomness.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RngXml {
    /// `virtio`, ….
    pub model: String,
    /// What the host takes it from: `random` (a device of the host), `builtin`, `egd`.
    pub backend: Option<String>,
    /// The host's device, `/dev/urandom`.
    pub source: Option<String>,
    kept: Kept,
}

/// An ordinary disk without anything in it.
impl Default for DiskXml {
    fn default() -> Self {
        Self {
            target: String::new(),
            bus: None,
            device: DISK.to_owned(),
            kind: String::new(),
            source: None,
            format: None,
            backing: None,
            cache: None,
            readonly: false,
            shareable: false,
            boot_order: None,
            alias: None,
            kept: Kept::default(),
        }
    }
}

/// What a `<disk>` is that does not say it.
const DISK: &str = "disk";

impl DiskXml {
    /// A disk of this kind, called `target` in the domain.
    pub fn new(kind: &str, target: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            target: target.to_owned(),
            ..Self::default()
        }
    }

    /// Reads a `<disk>`.
    ///
    /// # Errors
    /// When it is not a well-formed `<disk>`.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        Self::read(xml)
    }

    /// The disk alone, as it is attached to a domain or detached from it.
    pub fn to_xml(&self) -> String {
        self.write()
    }
}

impl Document for DiskXml {
    const NAME: &'static str = "disk";

    fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }
}

impl View for DiskXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("type", &mut self.kind);
        pass.custom(
            &mut self.device,
            |disk| disk.attribute("device").unwrap_or(DISK).to_owned(),
            |device, disk| disk.set_attribute("device", Some(device)),
        );
        pass.child("driver", |driver| {
            driver.attribute("type", &mut self.format);
            driver.attribute("cache", &mut self.cache);
        });
        let kind = &self.kind;
        pass.child("source", |source| {
            source.custom(
                &mut self.source,
                |source| disk_source(kind, source),
                |value, source| set_disk_source(kind, value.as_deref(), source),
            );
        });
        pass.part("backingStore", &mut self.backing);
        pass.child("target", |target| {
            target.attribute("dev", &mut self.target);
            target.attribute("bus", &mut self.bus);
        });
        pass.flag("readonly", &mut self.readonly);
        pass.flag("shareable", &mut self.shareable);
        pass.child("boot", |boot| boot.attribute("order", &mut self.boot_order));
        pass.child("alias", |alias| alias.attribute("name", &mut self.alias));
    }
}

impl View for BackingXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("type", &mut self.kind);
        pass.child("format", |format| {
            format.attribute("type", &mut self.format);
        });
        let kind = self.kind.as_deref().unwrap_or_default();
        pass.child("source", |source| {
            source.custom(
                &mut self.source,
                |source| disk_source(kind, source),
                |value, source| set_disk_source(kind, value.as_deref(), source),
            );
        });
    }
}

/// The attributes that name a source, each with the kind of disk that has it.
const SOURCES: [(&str, &str); 5] = [
    ("file", "file"),
    ("block", "dev"),
    ("dir", "dir"),
    ("network", "name"),
    ("vhostuser", "path"),
];

/// The attribute that names the source of a disk or file system of this kind.
fn source_attribute(kind: &str) -> &'static str {
    let of_kind = SOURCES.iter().find(|(known, _)| *known == kind);
    of_kind.map_or("file", |(_, attribute)| attribute)
}

fn disk_source(kind: &str, source: &Element) -> Option<String> {
    if kind == "volume" {
        let (pool, volume) = (source.attribute("pool")?, source.attribute("volume")?);
        return Some(format!("{pool}/{volume}"));
    }
    source.owned(source_attribute(kind))
}

fn set_disk_source(kind: &str, value: Option<&str>, source: &mut Element) {
    for (_, attribute) in SOURCES {
        source.set_attribute(attribute, None);
    }
    let (pool, volume) = match value {
        Some(value) if kind == "volume" => value.split_once('/').unwrap_or(("", value)),
        _ => {
            source.set_attribute("pool", None);
            source.set_attribute("volume", None);
            source.set_attribute(source_attribute(kind), value);
            return;
        }
    };
    source.set_attribute("pool", Some(pool));
    source.set_attribute("volume", Some(volume));
}

impl FilesystemXml {
    /// A file system of this kind, seen by the guest at `target`.
    pub fn new(kind: &str, target: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            target: target.to_owned(),
            ..Self::default()
        }
    }
}

impl Document for FilesystemXml {
    const NAME: &'static str = "filesystem";

    fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }
}

impl View for FilesystemXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("type", &mut self.kind);
        pass.attribute("accessmode", &mut self.access_mode);
        pass.child("driver", |driver| {
            driver.attribute("type", &mut self.driver);
            driver.attribute("format", &mut self.format);
        });
        let attribute = match self.kind.as_str() {
            "file" => "file",
            "block" => "dev",
            "template" => "name",
            _ => "dir",
        };
        pass.child("source", |source| {
            source.attribute(attribute, &mut self.source);
        });
        pass.child("target", |target| target.attribute("dir", &mut self.target));
        pass.flag("readonly", &mut self.readonly);
    }
}

impl CharacterXml {
    /// The name of the channel by which libvirt talks to QEMU's guest agent.
    pub const GUEST_AGENT: &'static str = "org.qemu.guest_agent.0";

    /// A character device with this at the host's end.
    pub fn new(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            ..Self::default()
        }
    }

    /// The `<channel>` by which libvirt talks to QEMU's guest agent.
    pub fn guest_agent() -> Self {
        Self {
            target: Some("virtio".to_owned()),
            target_name: Some(Self::GUEST_AGENT.to_owned()),
            ..Self::new("unix")
        }
    }
}

impl Document for CharacterXml {
    const NAME: &'static str = "serial";

    fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }
}

impl View for CharacterXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("type", &mut self.kind);
        pass.child("source", |source| {
            source.attribute("mode", &mut self.mode);
            source.attribute("path", &mut self.path);
            source.attribute("host", &mut self.host);
            source.attribute("service", &mut self.service);
        });
        pass.child("log", |log| log.attribute("file", &mut self.log));
        pass.child("target", |target| {
            target.attribute("type", &mut self.target);
            target.attribute("name", &mut self.target_name);
            target.attribute("port", &mut self.target_port);
            target.attribute("state", &mut self.state);
        });
    }
}

impl View for MemballoonXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("model", &mut self.model);
        pass.child("stats", |stats| {
            stats.attribute("period", &mut self.stats_period);
        });
    }
}

impl RngXml {
    /// Randomness of the host's `/dev/urandom`, which never runs dry.
    pub fn urandom() -> Self {
        Self {
            model: "virtio".to_owned(),
            backend: Some("random".to_owned()),
            source: Some("/dev/urandom".to_owned()),
            ..Self::default()
        }
    }
}

impl Document for RngXml {
    const NAME: &'static str = "rng";

    fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }
}

impl View for RngXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("model", &mut self.model);
        pass.child("backend", |backend| {
            backend.attribute("model", &mut self.backend);
            backend.own_text(&mut self.source);
        });
    }
}
