//! What a router is defined as: from typed values, by what its host says that it can run. Pure.

use super::{
    create::Creation,
    nics::{self, NewNic},
};
use crate::images::Stored;
use api::{ImageFileRole, ImageKind};
use libvirt::{
    BackingXml, CapabilitiesXml, CharacterXml, DiskXml, DomainKind, DomainXml, FeatureXml,
    FilesystemXml, MemballoonXml, RngXml, RouterMetadata,
};
use model::Driver;

/// How a host would run a router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub kind: DomainKind,
    pub os_type: String,
    /// Absent where the driver says of its guests what they are not (test).
    pub arch: Option<String>,
    pub machine: Option<String>,
    pub emulator: Option<String>,
}

/// A file on a host: its path, and its format.
pub(crate) type FileOf = (String, &'static str);

/// Files of a router on its host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files {
    /// Its own disk.
    pub disk: Option<FileOf>,
    /// What its disk is over.
    pub base: Option<FileOf>,
    pub kernel: Option<String>,
    pub initial_file_system: Option<String>,
    /// Its cloud-init seed.
    pub seed: Option<String>,
}

/// How a host runs routers of an image, by what it says that it can; why not, if it cannot.
pub(crate) fn target(
    capabilities: &CapabilitiesXml,
    driver: Driver,
    image: &Stored,
    use_kvm: bool,
) -> Result<Target, String> {
    let arch = image.description.architecture.as_str();
    let is_kernel = image.kind == ImageKind::Kernel;
    let os_types: &[&str] = match driver {
        Driver::Lxc => &["exe"],
        // A kernel is booted without any firmware; a disk boots as on a machine.
        Driver::Xen if is_kernel => &["xen", "xenpvh", "linux"],
        Driver::Qemu | Driver::Test | Driver::Xen => &["hvm"],
    };
    let kinds: &[DomainKind] = match driver {
        Driver::Qemu if use_kvm => &[DomainKind::Kvm, DomainKind::Qemu],
        Driver::Qemu => &[DomainKind::Qemu],
        Driver::Lxc => &[DomainKind::Lxc],
        Driver::Xen => &[DomainKind::Xen],
        Driver::Test => &[DomainKind::Test],
    };
    let guests = || capabilities.guests.iter();
    // The test driver says i686 whatever its host is described as.
    let suits = |of: &str| driver == Driver::Test || of == arch;
    for os_type in os_types {
        for kind in kinds {
            let mut found =
                guests().filter(|guest| guest.os_type == *os_type && suits(&guest.arch));
            let Some((guest, domain)) = found.find_map(|guest| {
                let mut domains = guest.domains.iter();
                domains
                    .find(|domain| domain.kind == *kind)
                    .map(|domain| (guest, domain))
            }) else {
                continue;
            };
            let has = |machine: &&str| {
                let mut all = guest.machines.iter().chain(&domain.machines);
                all.any(|known| known == machine)
            };
            // Of QEMU, the machine that takes most interfaces while it runs; of others, the only one.
            let machine = match driver {
                Driver::Qemu => ["pc", "virt", "pseries", "s390-ccw-virtio"]
                    .iter()
                    .find(|of| has(of)),
                _ => None,
            };
            let emulator = domain.emulator.as_ref().or(guest.emulator.as_ref());
            return Ok(Target {
                kind: kind.clone(),
                os_type: (*os_type).to_owned(),
                arch: (driver != Driver::Test).then(|| arch.to_owned()),
                machine: machine.map(|machine| (*machine).to_owned()),
                emulator: emulator.filter(|_| driver != Driver::Test).cloned(),
            });
        }
    }
    let mut archs: Vec<_> = guests()
        .filter(|guest| os_types.contains(&guest.os_type.as_str()))
        .map(|guest| guest.arch.as_str())
        .collect();
    archs.sort_unstable();
    archs.dedup();
    Err(if archs.is_empty() {
        format!(
            "{} there runs no {} guests",
            driver.as_str(),
            os_types.join(" or ")
        )
    } else {
        format!(
            "the image is for {arch}, and {} there runs {}",
            driver.as_str(),
            archs.join(", ")
        )
    })
}

/// The definition of a router.
pub(crate) fn definition(
    creation: &Creation,
    image: &Stored,
    target: &Target,
    files: &Files,
) -> DomainXml {
    let of = &image.description;
    let mut domain = DomainXml::new(target.kind.clone(), &creation.name);
    domain.uuid = Some(creation.router.0);
    domain.metadata = Some(RouterMetadata {
        network: creation.request.virtual_network.clone(),
        tags: creation.request.tags.clone(),
        image: Some(image.id.0),
        addresses: Vec::new(),
    });
    domain.memory_bytes = Some(creation.memory_bytes);
    domain.current_memory_bytes = Some(creation.memory_bytes);
    domain.vcpus = Some(creation.vcpus);
    domain.os.kind = Some(target.os_type.clone());
    domain.os.arch.clone_from(&target.arch);
    domain.os.machine.clone_from(&target.machine);
    domain.emulator.clone_from(&target.emulator);
    domain.os.kernel.clone_from(&files.kernel);
    domain.os.initrd.clone_from(&files.initial_file_system);
    if files.kernel.is_some() {
        domain.os.cmdline = Some(command_line(creation, image));
    }
    match creation.driver {
        Driver::Lxc => container(&mut domain, of.init.as_deref(), files),
        driver => machine(&mut domain, driver, of.guest_agent == Some(true), files),
    }
    for nic in &creation.nics {
        nics::put_in(&mut domain, nic, creation.driver);
    }
    domain
}

/// What the kernel is told: what the image says, the router's name, and what the request adds.
/// Interfaces come with `nics`.
fn command_line(creation: &Creation, image: &Stored) -> String {
    let name = format!("vms.name={}", creation.name);
    let parts = [
        image.description.kernel_arguments.as_deref(),
        Some(&name),
        creation.request.kernel_arguments.as_deref(),
    ];
    let parts = parts.into_iter().flatten().map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn container(domain: &mut DomainXml, init: Option<&str>, files: &Files) {
    domain.os.init = Some(init.unwrap_or("/sbin/init").to_owned());
    if let Some((path, format)) = &files.disk {
        let mut root = FilesystemXml::new("file", "/");
        root.driver = Some("loop".to_owned());
        root.format = Some((*format).to_owned());
        root.source = Some(path.clone());
        domain.filesystems.push(root);
    }
    domain.consoles.push(CharacterXml::new("pty"));
}

fn machine(domain: &mut DomainXml, driver: Driver, has_agent: bool, files: &Files) {
    let is_qemu = driver == Driver::Qemu;
    if domain.os.kernel.is_none() && domain.os.kind.as_deref() == Some("hvm") {
        domain.os.boot = vec!["hd".to_owned()];
    }
    // By ACPI a guest hears that it is to shut down.
    if domain.os.kind.as_deref() != Some("xen") {
        let names = if domain.os.arch.as_deref() == Some("x86_64") {
            &["acpi", "apic"][..]
        } else {
            &["acpi"]
        };
        domain.features = names
            .iter()
            .map(|name| FeatureXml {
                name: (*name).to_owned(),
                state: None,
            })
            .collect();
    }
    let (bus, prefix) = match driver {
        Driver::Xen => ("xen", "xvd"),
        _ => ("virtio", "vd"),
    };
    if let Some((path, format)) = &files.disk {
        let mut disk = DiskXml::new("file", &format!("{prefix}a"));
        disk.bus = Some(bus.to_owned());
        disk.source = Some(path.clone());
        disk.format = Some((*format).to_owned());
        // Said, so that nobody guesses the format of what is below.
        disk.backing = files
            .base
            .as_ref()
            .filter(|_| is_qemu)
            .map(|(path, format)| BackingXml {
                kind: Some("file".to_owned()),
                source: Some(path.clone()),
                format: Some((*format).to_owned()),
            });
        domain.disks.push(disk);
    }
    if let Some(path) = &files.seed {
        let mut seed = DiskXml::new("file", &format!("{prefix}b"));
        seed.bus = Some(bus.to_owned());
        seed.source = Some(path.clone());
        seed.format = Some("raw".to_owned());
        seed.readonly = true;
        domain.disks.push(seed);
    }
    match driver {
        Driver::Qemu => {
            domain.serials.push(CharacterXml::new("pty"));
            domain.rngs.push(RngXml::urandom());
            domain.memballoon = Some(MemballoonXml {
                model: Some("virtio".to_owned()),
                stats_period: Some(5),
            });
            if has_agent {
                domain.channels.push(CharacterXml::guest_agent());
            }
        }
        Driver::Xen | Driver::Test => domain.consoles.push(CharacterXml::new("pty")),
        Driver::Lxc => {}
    }
}

/// The volume's ending and libvirt's word for the format of an image's file.
pub(crate) fn format(kind: ImageKind, role: ImageFileRole) -> &'static str {
    match (kind, role) {
        (ImageKind::Qcow2, ImageFileRole::Disk) => "qcow2",
        _ => "raw",
    }
}

/// Whether what a guest is told of its interfaces reaches it.
pub(crate) fn is_told(image: &Stored, nics: &[NewNic]) -> bool {
    nics.iter().all(|nic| nic.addresses.is_empty())
        || image.kind == ImageKind::Kernel
        || image.description.cloud_init == Some(true)
}
