//! What the hosts say of a move: machines, processors, files, disks.

use super::{Findings, Source, Subject};
use crate::jobs::disks::{self, Way};
use api::{MigrationCheck as Check, MigrationMode};
use libvirt::{CapabilitiesXml, Capability, Connection, DomainKind, DomainXml, Error, ErrorKind};
use model::HostId;

/// Asks the destination, and the source where both must be compared.
pub(super) async fn ask(of: &Subject<'_>, source: &Source, to: &HostId, found: &mut Findings) {
    let driver = of.router.domain.driver;
    let connection = of.state.fleet.connection(to, driver).await;
    let Ok(there) = connection else {
        found.obstacle(
            Check::Contact,
            format!("{to} cannot be asked now."),
            "What it would say is not known.",
            "VMS keeps trying: check again once ListHosts shows it online.",
        );
        return;
    };
    let definition = &source.definition;
    for (check, looked) in [
        (Check::Machine, machine(definition, &there, to, found).await),
        (
            Check::Processor,
            processor(of, source, &there, to, found).await,
        ),
        (
            Check::BootFiles,
            boot_files(of, definition, &there, to, found).await,
        ),
        (Check::Disk, disks(of, source, &there, to, found).await),
    ] {
        if let Err(error) = looked {
            let (what, error) = (check.as_str(), error.to_string());
            found.obstacle(
                check,
                format!("{to} was asked about its {what}, and failed: {error}"),
                "What it would say is not known.",
                "Mend what it complains of, then check again.",
            );
        }
    }
}

async fn machine(
    definition: &DomainXml,
    there: &Connection,
    to: &HostId,
    found: &mut Findings,
) -> Result<(), Error> {
    let capabilities = match there.capabilities().await {
        Ok(capabilities) => capabilities,
        Err(error) if error.kind() == ErrorKind::NotSupported => return Ok(()),
        Err(error) => return Err(error),
    };
    let kind = definition.kind.name();
    let os = &definition.os;
    let (arch, os_type) = (os.arch.as_deref(), os.kind.as_deref().unwrap_or_default());
    let Some((machines, emulator)) = can_run(&capabilities, definition) else {
        let arch = arch.unwrap_or("its architecture");
        found.obstacle(
            Check::Machine,
            format!("{to} cannot run {os_type} guests of the kind {kind} on {arch}."),
            "The router would not start there.",
            "Choose another host, or install the hypervisor there.",
        );
        return Ok(());
    };
    match &os.machine {
        Some(machine) if !machines.is_empty() && !machines.contains(&machine.as_str()) => {
            found.obstacle(
                Check::Machine,
                format!("{to} does not know the machine type {machine}."),
                "A guest keeps the machine that it was started with.",
                "Choose a host with the same hypervisor version or a later one.",
            );
            return Ok(());
        }
        _ => {}
    }
    if let Some(wanted) = &definition.emulator
        && Some(wanted.as_str()) != emulator
        && there.file_exists(wanted).await? == Some(false)
    {
        found.obstacle(
            Check::Machine,
            format!("There is no {wanted} on {to}."),
            "The definition names this program to run the router.",
            "Install it there, or choose another host.",
        );
        return Ok(());
    }
    let machine = os.machine.as_deref().unwrap_or(os_type);
    found.fine(
        Check::Machine,
        format!("{to} can run it ({kind}, {machine})."),
    );
    Ok(())
}

/// The machines that a guest of this kind can be, and the program that runs it.
fn can_run<'a>(
    capabilities: &'a CapabilitiesXml,
    definition: &DomainXml,
) -> Option<(Vec<&'a str>, Option<&'a str>)> {
    let os = &definition.os;
    let mut guests = capabilities.guests.iter().filter(|guest| {
        os.kind.as_deref().is_none_or(|kind| guest.os_type == kind)
            && os.arch.as_deref().is_none_or(|arch| guest.arch == arch)
    });
    guests.find_map(|guest| {
        let mut domains = guest.domains.iter();
        let domain = domains.find(|domain| domain.kind == definition.kind)?;
        let machines = guest.machines.iter().chain(&domain.machines);
        let emulator = domain.emulator.as_deref().or(guest.emulator.as_deref());
        Some((machines.map(String::as_str).collect(), emulator))
    })
}

async fn processor(
    of: &Subject<'_>,
    source: &Source,
    there: &Connection,
    to: &HostId,
    found: &mut Findings,
) -> Result<(), Error> {
    let driver = there.uri().driver();
    if of.mode == MigrationMode::Cold || !driver.supports(Capability::CpuComparison) {
        return Ok(());
    }
    let definition = &source.definition;
    let Some(cpu) = &definition.cpu else {
        found.fine(
            Check::Processor,
            "The router sees the hypervisor's default processor.",
        );
        return Ok(());
    };
    let os = &definition.os;
    if cpu.model.is_none() {
        return same_processor(source, there, to, found).await;
    }
    let (arch, machine) = (os.arch.as_deref(), os.machine.as_deref());
    let emulator = definition.emulator.as_deref();
    let kind = Some(&definition.kind);
    let compared = there
        .compare_hypervisor_cpu(emulator, arch, machine, kind, cpu)
        .await;
    let compared = match compared {
        Err(error) if error.kind() == ErrorKind::NotSupported => there.compare_cpu(cpu).await,
        compared => compared,
    };
    let model = cpu.model.as_deref().unwrap_or_default();
    match compared {
        Ok(compared) if compared.fits() => {
            found.fine(
                Check::Processor,
                format!("{to} can be a {model}, as the router sees."),
            );
        }
        // What is emulated is the same everywhere that has the emulator; libvirt compares with the
        // host's own processors where it knows no better.
        Ok(_) if definition.kind == DomainKind::Qemu => found.fine(
            Check::Processor,
            format!("The router's {model} is emulated, also on {to}."),
        ),
        Ok(_) => found.obstacle(
            Check::Processor,
            format!("{to}'s processors lack something that the router's {model} has."),
            "A guest that runs cannot be taken instructions away.",
            "Move it cold, or choose a host with the same processors or newer ones.",
        ),
        Err(error) => found.warning(
            Check::Processor,
            format!("Whether {to} can be a {model} could not be compared: {error}"),
            "If it cannot, libvirt refuses when it is tried.",
            None,
        ),
    }
    Ok(())
}

/// The router sees the processors of its host as they are.
async fn same_processor(
    source: &Source,
    there: &Connection,
    to: &HostId,
    found: &mut Findings,
) -> Result<(), Error> {
    let (a, b) = tokio::try_join!(source.connection.capabilities(), there.capabilities())?;
    let lacks = |feature: &&libvirt::CpuFeatureXml| {
        b.cpu_features
            .iter()
            .all(|known| known.name != feature.name)
    };
    let lacking: Vec<_> = a
        .cpu_features
        .iter()
        .filter(lacks)
        .map(|f| f.name.clone())
        .collect();
    if (&a.arch, &a.cpu_model) == (&b.arch, &b.cpu_model) && lacking.is_empty() {
        found.fine(Check::Processor, format!("{to}'s processors are the same."));
        return Ok(());
    }
    let [a, b] = [a.cpu_model, b.cpu_model].map(|model| model.unwrap_or_else(|| "?".to_owned()));
    let lacking = if lacking.is_empty() {
        String::new()
    } else {
        format!(", without {}", lacking.join(", "))
    };
    found.obstacle(
        Check::Processor,
        format!("{to}'s processors are others ({b} instead of {a}{lacking})."),
        "The router sees its host's processors as they are (host-passthrough).",
        "Move it cold, or choose a host with the same processors.",
    );
    Ok(())
}

async fn boot_files(
    of: &Subject<'_>,
    definition: &DomainXml,
    there: &Connection,
    to: &HostId,
    found: &mut Findings,
) -> Result<(), Error> {
    let os = &definition.os;
    let loader = os.loader.as_ref().and_then(|loader| loader.path.as_deref());
    let files = [
        ("kernel", os.kernel.as_deref()),
        ("initial file system", os.initrd.as_deref()),
        ("firmware", loader),
    ];
    for (what, path) in files {
        let Some(path) = path else { continue };
        match there.file_exists(path).await? {
            Some(true) => found.fine(Check::BootFiles, format!("{to} has the {what} {path}.")),
            Some(false) => found.obstacle(
                Check::BootFiles,
                format!("There is no {what} {path} on {to}."),
                "The router boots from it.",
                "Put it there, at the same place.",
            ),
            None => found.warning(
                Check::BootFiles,
                format!("Whether {to} has the {what} {path} could not be looked up."),
                "If it has not, the router does not start there.",
                Some("Look on the host.".to_owned()),
            ),
        }
    }
    if let Some(nvram) = &os.nvram {
        if of.mode == MigrationMode::Live {
            found.fine(
                Check::BootFiles,
                "The firmware's variables go with its memory.",
            );
        } else {
            found.warning(
                Check::BootFiles,
                format!("The firmware's variables ({nvram}) are made anew."),
                "A cold move does not bring them: boot entries are found again or lost.",
                None,
            );
        }
    }
    Ok(())
}

async fn disks(
    of: &Subject<'_>,
    source: &Source,
    there: &Connection,
    to: &HostId,
    found: &mut Findings,
) -> Result<(), Error> {
    let ways = disks::ways(&source.connection, there, &source.definition).await?;
    for (target, way) in ways {
        match way {
            Way::Empty => {}
            Way::Shared => found.fine(Check::Disk, format!("{to} reaches the disk {target}.")),
            Way::Present => found.fine(Check::Disk, format!("{to} has what is in {target}.")),
            Way::Copied(copy) => {
                let is_there = copy.bases.iter().all(|base| base.is_there);
                let base = if is_there {
                    ""
                } else {
                    ", with what it is made on"
                };
                let volume = &copy.volume.name;
                let what = format!("The disk {target} ({volume}) is copied{base}.");
                let is_shareable = !copy.is_base
                    && of.mode == MigrationMode::Live
                    && there.uri().driver() != libvirt::Driver::Qemu;
                if is_shareable {
                    found.obstacle(
                        Check::Disk,
                        what,
                        "This hypervisor does not copy disks of a router that runs.",
                        "Move it cold, or put the disk where both hosts reach it.",
                    );
                } else {
                    found.fine(Check::Disk, what);
                }
            }
            Way::Stuck { what, why, advice } => found.obstacle(Check::Disk, what, why, advice),
        }
    }
    Ok(())
}
