//! `<domain>`: what a router is made of.
//!
//! <https://libvirt.org/formatdomain.html>

use uuid::Uuid;

use super::device::{CharacterXml, DiskXml, FilesystemXml, MemballoonXml, RngXml};
use super::fields::{Document, Field, Kept, Pass, View, read_part, write_part};
use super::interface::InterfaceXml;
use super::{METADATA_NAMESPACE, XmlError};

/// A domain's definition, as far as it is of use here; what else is in it is kept.
///
/// ```
/// use libvirt::{DomainKind, DomainXml};
/// let mut domain = DomainXml::new(DomainKind::Qemu, "r1");
/// domain.memory_bytes = Some(128 << 20);
/// domain.vcpus = Some(1);
/// domain.os.kind = Some("hvm".to_owned());
/// let mut same = DomainXml::parse(&domain.to_xml())?;
/// assert_eq!(same, domain);
/// same.vcpus = Some(2);
/// assert!(same.to_xml().contains("<vcpu>2</vcpu>"));
/// # Ok::<(), libvirt::XmlError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainXml {
    /// The hypervisor.
    pub kind: DomainKind,
    /// `<name>`.
    pub name: String,
    /// `<uuid>`; libvirt makes one for a new domain that has none.
    pub uuid: Option<Uuid>,
    /// `<title>`: one line.
    pub title: Option<String>,
    /// `<description>`.
    pub description: Option<String>,
    /// This project's note in `<metadata>`, if there is one.
    pub metadata: Option<RouterMetadata>,
    /// The most memory that the domain may have, bytes.
    pub memory_bytes: Option<u64>,
    /// The memory that it has now, bytes.
    pub current_memory_bytes: Option<u64>,
    /// The largest number of virtual processors.
    pub vcpus: Option<u32>,
    /// How many of them it has now; all of them without it.
    pub current_vcpus: Option<u32>,
    /// What it boots.
    pub os: OsXml,
    /// Features of the machine, `acpi`, `apic`, ….
    pub features: Vec<FeatureXml>,
    /// The processor that it sees; `None` for the hypervisor's default.
    pub cpu: Option<CpuXml>,
    /// Its clocks; `None` for libvirt's default.
    pub clock: Option<ClockXml>,
    /// The program that runs it.
    pub emulator: Option<String>,
    /// `<disk>`s in their order.
    pub disks: Vec<DiskXml>,
    /// `<filesystem>`s in their order.
    pub filesystems: Vec<FilesystemXml>,
    /// `<interface>`s in their order.
    pub interfaces: Vec<InterfaceXml>,
    /// `<serial>`s in their order.
    pub serials: Vec<CharacterXml>,
    /// `<console>`s in their order.
    pub consoles: Vec<CharacterXml>,
    /// `<channel>`s in their order.
    pub channels: Vec<CharacterXml>,
    /// The memory balloon.
    pub memballoon: Option<MemballoonXml>,
    /// `<rng>`s: where the guest gets randomness from.
    pub rngs: Vec<RngXml>,
    kept: Kept,
}

/// What runs a domain: `<domain type='…'>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DomainKind {
    /// QEMU with the processor's help.
    Kvm,
    /// QEMU, emulating everything.
    Qemu,
    /// Xen.
    Xen,
    /// A Linux container.
    Lxc,
    /// Nothing: libvirt's test driver.
    Test,
    /// Any other, as libvirt names it.
    Other(String),
}

/// This project's note about a domain, in the namespace [`METADATA_NAMESPACE`]:
///
/// ```xml
/// <vms:router xmlns:vms="urn:vms:metadata:1">
///   <vms:network>triangle</vms:network>
///   <vms:tag>edge</vms:tag>
///   <vms:image>4f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01</vms:image>
///   <vms:address mac="52:54:00:00:00:01">10.0.0.0/31</vms:address>
/// </vms:router>
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouterMetadata {
    /// The virtual network that the router belongs to.
    pub network: Option<String>,
    /// Free tags, in their order.
    pub tags: Vec<String>,
    /// The image that it was made from.
    pub image: Option<Uuid>,
    /// Addresses that its interfaces were made with: an interface's MAC address in lower case, and an
    /// address with its prefix.
    pub addresses: Vec<(String, String)>,
}

/// `<os>`: what a domain boots, and on what machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsXml {
    /// `hvm`, `xen`, `xenpvh`, `exe` (a container), ….
    pub kind: Option<String>,
    /// Architecture, `x86_64`.
    pub arch: Option<String>,
    /// The emulated machine, `pc`, `q35`, `xenpv`, ….
    pub machine: Option<String>,
    /// Firmware that libvirt chooses: `bios`, `efi`.
    pub firmware: Option<String>,
    /// Firmware that is named.
    pub loader: Option<LoaderXml>,
    /// The host's file with the firmware's variables.
    pub nvram: Option<String>,
    /// The host's kernel file, booted directly.
    pub kernel: Option<String>,
    /// The host's initial file system of that kernel.
    pub initrd: Option<String>,
    /// The command line of that kernel.
    pub cmdline: Option<String>,
    /// The first program of a container.
    pub init: Option<String>,
    /// Arguments of that program.
    pub init_args: Vec<String>,
    /// What is booted from, in this order: `hd`, `cdrom`, `network`, `fd`.
    pub boot: Vec<String>,
}

/// `<loader>`: firmware.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoaderXml {
    /// The host's file.
    pub path: Option<String>,
    /// `rom` or `pflash`.
    pub kind: Option<String>,
    /// Whether the guest cannot write to it.
    pub readonly: Option<bool>,
    /// Whether it checks signatures.
    pub secure: Option<bool>,
}

/// A child of `<features>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeatureXml {
    /// `acpi`, `apic`, `pae`, `hap`, ….
    pub name: String,
    /// On or off, where it is said.
    pub state: Option<bool>,
}

/// `<cpu>`: the processor that a domain sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuXml {
    /// `host-passthrough`, `host-model`, `custom`, `maximum`.
    pub mode: Option<String>,
    /// How a named model is to be matched: `minimum`, `exact`, `strict`.
    pub matching: Option<String>,
    /// How libvirt checks it before start: `none`, `partial`, `full`.
    pub check: Option<String>,
    /// Whether features that cannot be migrated are left out (`host-passthrough`).
    pub migratable: Option<bool>,
    /// The model, `Nehalem`.
    pub model: Option<String>,
    /// Whether another model may be taken: `allow`, `forbid`.
    pub fallback: Option<String>,
    /// Whose they are to be: `Intel`, `AMD`.
    pub vendor: Option<String>,
    /// How virtual processors are arranged.
    pub topology: Option<CpuTopologyXml>,
    /// Single features.
    pub features: Vec<CpuFeatureXml>,
}

/// `<topology>` of a processor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuTopologyXml {
    /// Sockets.
    pub sockets: Option<u32>,
    /// Dies a socket.
    pub dies: Option<u32>,
    /// Cores a die.
    pub cores: Option<u32>,
    /// Threads a core.
    pub threads: Option<u32>,
}

/// `<feature>` of a processor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuFeatureXml {
    /// `vmx`, `avx2`, ….
    pub name: String,
    /// `force`, `require`, `optional`, `disable`, `forbid`.
    pub policy: Option<String>,
}

/// `<clock>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClockXml {
    /// `utc`, `localtime`, ….
    pub offset: Option<String>,
    /// Timers with settings of their own.
    pub timers: Vec<TimerXml>,
}

/// `<timer>` of a clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimerXml {
    /// `tsc`, `hpet`, `rtc`, `pit`, `kvmclock`, ….
    pub name: String,
    /// Whether the guest has it.
    pub present: Option<bool>,
    /// What happens to ticks that are late: `delay`, `catchup`, ….
    pub tick_policy: Option<String>,
    /// How the `tsc` works: `native`, `emulate`, ….
    pub mode: Option<String>,
}

impl DomainXml {
    /// A domain that has nothing but its hypervisor and name.
    pub fn new(kind: DomainKind, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// Reads what `virDomainGetXMLDesc` returned.
    ///
    /// ```
    /// let domain = libvirt::DomainXml::parse(
    ///     "<domain><name>r1</name><memory unit='MiB'>128</memory><vcpu>2</vcpu></domain>",
    /// )?;
    /// assert_eq!(domain.memory_bytes, Some(128 << 20));
    /// # Ok::<(), libvirt::XmlError>(())
    /// ```
    ///
    /// # Errors
    /// When it is not a well-formed `<domain>`.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        Self::read(xml)
    }

    /// The definition with the fields as they are now, for `virDomainDefineXML`.
    pub fn to_xml(&self) -> String {
        self.write()
    }

    /// The channel by which libvirt talks to the guest's agent, if there is one.
    pub fn guest_agent(&self) -> Option<&CharacterXml> {
        let is_agent = |channel: &&CharacterXml| {
            channel.target_name.as_deref() == Some(CharacterXml::GUEST_AGENT)
        };
        self.channels.iter().find(is_agent)
    }
}

impl DomainKind {
    /// The kind that libvirt names `name`.
    pub fn from_name(name: &str) -> Self {
        match name {
            "kvm" => Self::Kvm,
            "qemu" => Self::Qemu,
            "xen" => Self::Xen,
            "lxc" => Self::Lxc,
            "test" => Self::Test,
            other => Self::Other(other.to_owned()),
        }
    }

    /// libvirt's name of the kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Kvm => "kvm",
            Self::Qemu => "qemu",
            Self::Xen => "xen",
            Self::Lxc => "lxc",
            Self::Test => "test",
            Self::Other(name) => name,
        }
    }
}

/// The kind of a domain that does not say one.
impl Default for DomainKind {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl Field for DomainKind {
    fn read(text: Option<&str>) -> Self {
        Self::from_name(text.unwrap_or_default())
    }

    fn text(&self) -> Option<String> {
        self.name().to_owned().text()
    }
}

impl Document for DomainXml {
    const NAME: &'static str = "domain";

    fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }
}

impl View for DomainXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("type", &mut self.kind);
        pass.text("name", &mut self.name);
        pass.text("uuid", &mut self.uuid);
        pass.text("title", &mut self.title);
        pass.text("description", &mut self.description);
        pass.child("metadata", |metadata| {
            metadata.foreign((METADATA_NAMESPACE, "vms"), "router", &mut self.metadata);
        });
        pass.bytes("memory", &mut self.memory_bytes);
        pass.bytes("currentMemory", &mut self.current_memory_bytes);
        pass.child("vcpu", |vcpu| {
            vcpu.attribute("current", &mut self.current_vcpus);
            vcpu.own_text(&mut self.vcpus);
        });
        pass.child("os", |os| self.os.fields(os));
        pass.child("features", |features| {
            features.views("", &mut self.features, |a, b| a.name == b.name);
        });
        pass.part("cpu", &mut self.cpu);
        pass.part("clock", &mut self.clock);
        pass.child("devices", |devices| {
            devices.text("emulator", &mut self.emulator);
            devices.list("disk", &mut self.disks);
            devices.list("filesystem", &mut self.filesystems);
            devices.list("interface", &mut self.interfaces);
            devices.list("serial", &mut self.serials);
            devices.list("console", &mut self.consoles);
            devices.list("channel", &mut self.channels);
            devices.part("memballoon", &mut self.memballoon);
            devices.list("rng", &mut self.rngs);
        });
    }
}

impl View for RouterMetadata {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.text("network", &mut self.network);
        pass.texts("tag", &mut self.tags);
        pass.text("image", &mut self.image);
        pass.each(
            "address",
            &mut self.addresses,
            |address| {
                let mac = address.attribute("mac")?.to_ascii_lowercase();
                Some((mac, address.text()?))
            },
            |(mac, text), address| {
                address.set_attribute("mac", Some(mac));
                address.set_text(Some(text));
            },
            |_, _| true,
        );
    }
}

impl View for OsXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("firmware", &mut self.firmware);
        pass.child("type", |kind| {
            kind.attribute("arch", &mut self.arch);
            kind.attribute("machine", &mut self.machine);
            kind.own_text(&mut self.kind);
        });
        pass.text("init", &mut self.init);
        pass.texts("initarg", &mut self.init_args);
        pass.part("loader", &mut self.loader);
        pass.text("nvram", &mut self.nvram);
        pass.text("kernel", &mut self.kernel);
        pass.text("initrd", &mut self.initrd);
        pass.text("cmdline", &mut self.cmdline);
        pass.attributes("boot", "dev", &mut self.boot);
    }
}

const YES_NO: (&str, &str) = ("yes", "no");

impl View for LoaderXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.switch("readonly", YES_NO, &mut self.readonly);
        pass.switch("secure", YES_NO, &mut self.secure);
        pass.attribute("type", &mut self.kind);
        pass.own_text(&mut self.path);
    }
}

impl View for FeatureXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.own_name(&mut self.name);
        pass.switch("state", ("on", "off"), &mut self.state);
    }
}

impl CpuXml {
    /// Reads a `<cpu>` by itself.
    ///
    /// # Errors
    /// When it is not a well-formed `<cpu>`.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        read_part(xml, "cpu")
    }

    /// The processors alone, as they are compared with others.
    pub fn to_xml(&self) -> String {
        write_part(self, "cpu")
    }
}

impl View for CpuXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("mode", &mut self.mode);
        pass.attribute("match", &mut self.matching);
        pass.attribute("check", &mut self.check);
        pass.switch("migratable", ("on", "off"), &mut self.migratable);
        pass.child("model", |model| {
            model.attribute("fallback", &mut self.fallback);
            model.own_text(&mut self.model);
        });
        pass.text("vendor", &mut self.vendor);
        pass.part("topology", &mut self.topology);
        pass.views("feature", &mut self.features, |a, b| a.name == b.name);
    }
}

impl View for CpuFeatureXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("policy", &mut self.policy);
        pass.attribute("name", &mut self.name);
    }
}

impl View for CpuTopologyXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("sockets", &mut self.sockets);
        pass.attribute("dies", &mut self.dies);
        pass.attribute("cores", &mut self.cores);
        pass.attribute("threads", &mut self.threads);
    }
}

impl View for ClockXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("offset", &mut self.offset);
        pass.views("timer", &mut self.timers, |a, b| a.name == b.name);
    }
}

impl View for TimerXml {
    fn fields(&mut self, pass: &mut Pass<'_>) {
        pass.attribute("name", &mut self.name);
        pass.switch("present", YES_NO, &mut self.present);
        pass.attribute("tickpolicy", &mut self.tick_policy);
        pass.attribute("mode", &mut self.mode);
    }
}

#[cfg(test)]
mod tests {
    use super::super::interface::{InterfaceKind, TcpRole};
    use super::*;

    const ROUTER: &str = r"<domain type='kvm' id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
      <name>edge-1</name><uuid>00000000-0000-0000-0000-000000000001</uuid>
      <title>Edge &amp; more</title><description>two
lines</description>
      <metadata>
        <other:thing xmlns:other='urn:other'><network>wrong</network></other:thing>
        <vms:router xmlns:vms='urn:vms:metadata:1'>
          <vms:network>triangle</vms:network><vms:tag>edge</vms:tag><vms:tag>a</vms:tag>
          <network>not ours</network>
        </vms:router>
      </metadata>
      <memory unit='KiB'>131072</memory><currentMemory unit='MiB'>64</currentMemory>
      <vcpu placement='static'>2</vcpu>
      <os><type arch='x86_64'>hvm</type></os>
      <novelty><deep><deeper/></deep></novelty>
      <devices>
        <disk type='file' device='disk'>
          <driver name='qemu' type='qcow2'/><source file='/images/a.qcow2'/>
          <target dev='vda' bus='virtio'/></disk>
        <disk type='volume' device='disk'><source pool='p' volume='v'/><target dev='vdb'/><readonly/></disk>
        <disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>
        <interface type='bridge'><mac address='52:54:00:AA:00:01'/><source bridge='br0'/>
          <target dev='vnet0'/><model type='virtio'/><link state='down'/><mtu size='9000'/>
          <vlan><tag id='42'/></vlan>
          <virtualport type='openvswitch'><parameters interfaceid='i-1'/></virtualport>
          <ip address='10.0.0.1' family='ipv4' prefix='31'/><ip address='fe80::1'/></interface>
        <interface type='network'><source network='default' bridge='virbr0' portgroup='g'/></interface>
        <interface type='direct'><source dev='eth1' mode='vepa'/></interface>
        <interface type='udp'><source address='10.1.0.2' port='5001'>
          <local address='10.1.0.1' port='5002'/></source></interface>
        <interface type='server'><source address='0.0.0.0' port='5555'/></interface>
        <interface type='client'><source address='10.1.0.3' port='5555'/></interface>
        <interface type='mcast'><source address='230.0.0.1' port='5558'/></interface>
        <interface type='vdpa'><source dev='/dev/vhost-vdpa-0'/></interface>
        <interface type='user'/>
      </devices>
    </domain>";

    #[test]
    fn a_router_is_read_and_what_is_unknown_does_not_hurt() {
        let domain = DomainXml::parse(ROUTER).unwrap();
        assert_eq!(
            (&domain.kind, domain.name.as_str()),
            (&DomainKind::Kvm, "edge-1")
        );
        assert_eq!(domain.uuid, Some(Uuid::from_u128(1)));
        assert_eq!(domain.title.as_deref(), Some("Edge & more"));
        assert_eq!(domain.description.as_deref(), Some("two\nlines"));
        assert_eq!(
            domain.metadata,
            Some(RouterMetadata {
                network: Some("triangle".to_owned()),
                tags: vec!["edge".to_owned(), "a".to_owned()],
                ..RouterMetadata::default()
            })
        );
        assert_eq!(domain.vcpus, Some(2));
        assert_eq!(domain.memory_bytes, Some(128 << 20));
        assert_eq!(domain.current_memory_bytes, Some(64 << 20));
        assert_eq!(domain.os.kind.as_deref(), Some("hvm"));
    }

    #[test]
    fn every_kind_of_interface_is_read() {
        let interfaces = DomainXml::parse(ROUTER).unwrap().interfaces;
        let kinds: Vec<&str> = interfaces.iter().map(|i| i.kind.name()).collect();
        assert_eq!(
            kinds,
            [
                "bridge", "network", "direct", "udp", "server", "client", "mcast", "vdpa", "user"
            ]
        );
        let first = &interfaces[0];
        assert_eq!(first.mac.as_deref(), Some("52:54:00:aa:00:01"));
        assert_eq!(first.source.bridge.as_deref(), Some("br0"));
        assert_eq!(first.target.as_deref(), Some("vnet0"));
        assert_eq!(first.model.as_deref(), Some("virtio"));
        assert_eq!((first.link_up, first.mtu), (Some(false), Some(9000)));
        assert_eq!(first.vlans, [42]);
        assert_eq!(first.addresses, ["10.0.0.1/31", "fe80::1"]);
        let port = first.virtual_port.as_ref().unwrap();
        assert_eq!(port.interface_id.as_deref(), Some("i-1"));
        assert_eq!(interfaces[1].source.network.as_deref(), Some("default"));
        assert_eq!(interfaces[1].link_up, None);
        let udp = &interfaces[3].source;
        assert_eq!(
            (udp.address.as_deref(), udp.port),
            (Some("10.1.0.2"), Some(5001))
        );
        assert_eq!(
            (udp.local_address.as_deref(), udp.local_port),
            (Some("10.1.0.1"), Some(5002))
        );
        assert_eq!(interfaces[4].kind, InterfaceKind::Tcp(TcpRole::Server));
    }

    #[test]
    fn disks_are_read() {
        let disks = DomainXml::parse(ROUTER).unwrap().disks;
        assert_eq!(disks.len(), 3);
        assert_eq!(disks[0].source.as_deref(), Some("/images/a.qcow2"));
        assert_eq!(disks[0].format.as_deref(), Some("qcow2"));
        assert!(!disks[0].readonly);
        assert_eq!(disks[1].source.as_deref(), Some("p/v"));
        assert!(disks[1].readonly);
        assert_eq!(
            (disks[2].device.as_str(), &disks[2].source),
            ("cdrom", &None)
        );
    }

    #[test]
    fn another_document_is_refused() {
        let error = DomainXml::parse("<network/>").unwrap_err();
        assert_eq!(error.to_string(), "expected <domain>, found <network>");
    }
}
