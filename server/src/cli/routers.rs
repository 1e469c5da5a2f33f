//! `vms router create`, `start`, `resize` and their like: making routers, changing them, and taking
//! them away.

use super::{
    commands::{CommandError, Confirm, confirmed, find_router, state_now, write},
    jobs,
    migration::findings,
    quantity::size,
    table::{ABSENT, Table, or_absent},
};
use api::{
    AttachInterfaceRequest, Caller, CheckCreationReply, CheckCreationRequest, CloudInit, Conflict,
    CreateRouterRequest, CreationPlace, DeleteRouterRequest, DestroyRouterRequest,
    DetachInterfaceRequest, Driver, Error, HostId, ImageId, ListImagesRequest, MacAddress,
    NewInterface, NotFound, Operations, RebootRouterRequest, ResetRouterRequest,
    ResizeRouterRequest, ShutdownRouterRequest, StartRouterRequest,
};
use clap::{Args, Subcommand};
use std::{
    fs,
    io::{self, Read as _, Write},
    path::{Path, PathBuf},
};

/// What makes a router, changes it, or takes it away.
#[derive(Clone, Debug, Subcommand)]
pub enum LifeCommand {
    /// Make a router from an image, start it, and follow that until it is ready
    Create(Box<CreateCommand>),
    /// Start a router that is shut off
    Start {
        /// Its id or, where only one has it, its name
        #[arg(value_name = "ID_OR_NAME")]
        router: String,
    },
    /// Ask a router to shut down, and follow that until it is off
    Shutdown {
        /// Its id or, where only one has it, its name
        #[arg(value_name = "ID_OR_NAME")]
        router: String,
        /// How long it may take, in seconds [default: 60]
        #[arg(long, value_name = "SECONDS")]
        within: Option<u32>,
        /// Switch it off if it does not shut down in time
        #[arg(long)]
        force: bool,
        /// An id of your choice: said again, it gives the first job instead of another
        #[arg(long, value_name = "ID")]
        request_id: Option<String>,
        /// Do not follow the job
        #[arg(long)]
        no_wait: bool,
    },
    /// Ask a running router to reboot
    Reboot {
        /// Its id or, where only one has it, its name
        #[arg(value_name = "ID_OR_NAME")]
        router: String,
    },
    /// Reset a running router, as by the reset button of a machine
    Reset {
        /// Its id or, where only one has it, its name
        #[arg(value_name = "ID_OR_NAME")]
        router: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Switch a router off at once, as by drawing the plug
    Destroy {
        /// Its id or, where only one has it, its name
        #[arg(value_name = "ID_OR_NAME")]
        router: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Delete a router for good, with its disks and the links that were made for it
    Delete {
        /// Its id or, where only one has it, its name
        #[arg(value_name = "ID_OR_NAME")]
        router: String,
        /// Leave its disks where they are
        #[arg(long)]
        keep_disks: bool,
        /// Switch it off first if it runs
        #[arg(long)]
        force: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// An id of your choice: said again, it gives the first job instead of another
        #[arg(long, value_name = "ID")]
        request_id: Option<String>,
        /// Do not follow the job
        #[arg(long)]
        no_wait: bool,
    },
    /// Give a router more or less processors or memory
    Resize {
        /// Its id or, where only one has it, its name
        #[arg(value_name = "ID_OR_NAME")]
        router: String,
        /// Virtual processors
        #[arg(long, value_name = "NUMBER", required_unless_present = "memory")]
        vcpus: Option<u32>,
        /// Memory, for example 512M or 2G
        #[arg(long, value_name = "SIZE", value_parser = size)]
        memory: Option<u64>,
    },
    /// Give a router one more interface
    Attach {
        /// Its id or, where only one has it, its name
        #[arg(value_name = "ID_OR_NAME")]
        router: String,
        /// `network=NAME` or `bridge=NAME`, and after commas `mac=MAC` and `address=ADDRESS/PREFIX`,
        /// which may be said again
        #[arg(value_parser = interface)]
        interface: NewInterface,
    },
    /// Take an interface away from a router
    Detach {
        /// Its id or, where only one has it, its name
        #[arg(value_name = "ID_OR_NAME")]
        router: String,
        /// The interface's MAC address
        #[arg(value_name = "MAC")]
        interface: MacAddress,
    },
}

/// Which router to make.
#[derive(Clone, Debug, Args)]
pub struct CreateCommand {
    /// A name for it, that no other has: letters, digits, `.`, `_` and `-`, 64 at most
    pub name: String,
    /// The image: its id or, where only one has it, its name, with or without its version behind a
    /// colon
    #[arg(value_name = "IMAGE")]
    pub image: String,
    /// Where [default: on the fittest host]
    #[arg(long, value_name = "ID")]
    pub host: Option<HostId>,
    /// The libvirt driver to use: qemu, xen or lxc [default: the best one that the image suits]
    #[arg(long, value_parser = driver)]
    pub driver: Option<Driver>,
    /// Virtual processors [default: as the image says]
    #[arg(long, value_name = "NUMBER")]
    pub vcpus: Option<u32>,
    /// Memory, for example 512M or 2G [default: as the image says]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<u64>,
    /// The size of its disk [default: the image's]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub disk: Option<u64>,
    /// An interface: `network=NAME` or `bridge=NAME`, and after commas `mac=MAC` and
    /// `address=ADDRESS/PREFIX`, which may be said again; may be said again
    #[arg(long, value_name = "INTERFACE", value_parser = interface)]
    pub interface: Vec<NewInterface>,
    /// The virtual network that it is made for
    #[arg(long, value_name = "NAME")]
    pub virtual_network: Option<String>,
    /// A label; may be said again
    #[arg(long, value_name = "LABEL")]
    pub tag: Vec<String>,
    /// Start it with its host from now on
    #[arg(long)]
    pub autostart: bool,
    /// Make it, and do not start it
    #[arg(long)]
    pub no_start: bool,
    /// How long to wait until it is ready, in seconds; 0 for not at all [default: 120]
    #[arg(long, value_name = "SECONDS")]
    pub ready_within: Option<u32>,
    /// The file with cloud-init's user data; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub user_data: Option<PathBuf>,
    /// The host name in the guest, by cloud-init [default: the router's name]
    #[arg(long, value_name = "NAME")]
    pub host_name: Option<String>,
    /// The file with an SSH key for the default user, by cloud-init; may be said again
    #[arg(long, value_name = "FILE")]
    pub ssh_key: Vec<PathBuf>,
    /// Further arguments of the kernel, for images that are one
    #[arg(long, value_name = "TEXT")]
    pub kernel_arguments: Option<String>,
    /// Make the storage pool `vms` on a host that has none
    #[arg(long)]
    pub create_pool: bool,
    /// Look where it could be made, and make none
    #[arg(long)]
    pub check: bool,
    /// With --check: show what is as it should be, too
    #[arg(long, requires = "check")]
    pub all: bool,
    /// An id of your choice: said again, it gives the first job instead of another router
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
    /// Do not follow the job
    #[arg(long)]
    pub no_wait: bool,
}

/// Carries out one of the commands.
pub(super) async fn execute(
    command: LifeCommand,
    json: bool,
    operations: &dyn Operations,
    caller: &Caller,
    out: &mut (dyn Write + Send),
    terminal: bool,
    confirm: Confirm<'_>,
) -> Result<(), CommandError> {
    match command {
        LifeCommand::Create(wanted) => {
            create(*wanted, json, operations, caller, out, terminal).await
        }
        LifeCommand::Start { router } => {
            let request = StartRouterRequest {
                router: find_router(operations, caller, &router).await?,
                request_id: None,
            };
            let reply = operations.start_router(caller, request).await?;
            write(out, json, &reply, |reply| state_now(&reply.router))
        }
        LifeCommand::Shutdown {
            router,
            within,
            force,
            request_id,
            no_wait,
        } => {
            let request = ShutdownRouterRequest {
                router: find_router(operations, caller, &router).await?,
                deadline_seconds: within,
                force: force.then_some(true),
                request_id,
            };
            let reply = operations.shutdown_router(caller, request).await;
            let reply = reply.map_err(in_words)?;
            let job = reply.job.clone();
            jobs::carry(
                &reply, job, no_wait, json, operations, caller, out, terminal,
            )
            .await
        }
        LifeCommand::Reboot { router } => {
            let request = RebootRouterRequest {
                router: find_router(operations, caller, &router).await?,
                request_id: None,
            };
            let reply = operations.reboot_router(caller, request).await?;
            write(out, json, &reply, |reply| {
                format!("{} was asked to reboot.\n", reply.router.name)
            })
        }
        LifeCommand::Reset { router, yes } => {
            let id = find_router(operations, caller, &router).await?;
            let lost = "what its guest did not write to disk is lost";
            confirmed(confirm, yes, &format!("Reset {router}: {lost}. Go on?"))?;
            let request = ResetRouterRequest {
                router: id,
                request_id: None,
            };
            let reply = operations.reset_router(caller, request).await?;
            write(out, json, &reply, |reply| {
                format!("{} was reset.\n", reply.router.name)
            })
        }
        LifeCommand::Destroy { router, yes } => {
            let id = find_router(operations, caller, &router).await?;
            let lost = "what its guest did not write to disk is lost";
            let question = format!("Switch {router} off at once: {lost}. Go on?");
            confirmed(confirm, yes, &question)?;
            let request = DestroyRouterRequest {
                router: id,
                request_id: None,
            };
            let reply = operations.destroy_router(caller, request).await?;
            write(out, json, &reply, |reply| match &reply.router {
                Some(router) => state_now(router),
                None => format!("{router} is gone: it had no lasting definition.\n"),
            })
        }
        LifeCommand::Delete {
            router,
            keep_disks,
            force,
            yes,
            request_id,
            no_wait,
        } => {
            let id = find_router(operations, caller, &router).await?;
            confirmed(confirm, yes, &consequences(&router, keep_disks, force))?;
            let request = DeleteRouterRequest {
                router: id,
                keep_disks: keep_disks.then_some(true),
                force: force.then_some(true),
                request_id,
            };
            let reply = operations.delete_router(caller, request).await;
            let reply = reply.map_err(in_words)?;
            let job = reply.job.clone();
            jobs::carry(
                &reply, job, no_wait, json, operations, caller, out, terminal,
            )
            .await
        }
        LifeCommand::Resize {
            router,
            vcpus,
            memory,
        } => {
            let request = ResizeRouterRequest {
                router: find_router(operations, caller, &router).await?,
                vcpus,
                memory_bytes: memory,
                request_id: None,
            };
            let reply = operations.resize_router(caller, request).await;
            let reply = reply.map_err(in_words)?;
            write(out, json, &reply, |reply| format!("{}\n", reply.message))
        }
        LifeCommand::Attach { router, interface } => {
            let request = AttachInterfaceRequest {
                router: find_router(operations, caller, &router).await?,
                interface,
                request_id: None,
            };
            let reply = operations.attach_interface(caller, request).await;
            let reply = reply.map_err(in_words)?;
            write(out, json, &reply, |reply| format!("{}\n", reply.message))
        }
        LifeCommand::Detach { router, interface } => {
            let request = DetachInterfaceRequest {
                router: find_router(operations, caller, &router).await?,
                mac: interface,
                request_id: None,
            };
            let reply = operations.detach_interface(caller, request).await;
            let reply = reply.map_err(in_words)?;
            write(out, json, &reply, |reply| format!("{}\n", reply.message))
        }
    }
}

async fn create(
    wanted: CreateCommand,
    json: bool,
    operations: &dyn Operations,
    caller: &Caller,
    out: &mut (dyn Write + Send),
    terminal: bool,
) -> Result<(), CommandError> {
    let image = find_image(operations, caller, &wanted.image).await?;
    let CreateCommand {
        check,
        all,
        no_wait,
        ..
    } = wanted;
    let request = request(wanted, image)?;
    if check {
        let name = request.name.clone();
        let request = CheckCreationRequest { router: request };
        let reply = operations.check_creation(caller, request).await;
        let reply = reply.map_err(in_words)?;
        write(out, json, &reply, |reply| places(&name, reply, all))?;
        if reply.places.iter().any(|place| place.possible) {
            return Ok(());
        }
        return Err(CommandError::NoPlace { router: name });
    }
    let reply = operations.create_router(caller, request).await;
    let reply = reply.map_err(in_words)?;
    let job = reply.job.clone();
    jobs::carry(
        &reply, job, no_wait, json, operations, caller, out, terminal,
    )
    .await
}

/// What is asked of the server.
fn request(wanted: CreateCommand, image: ImageId) -> Result<CreateRouterRequest, CommandError> {
    let init = CloudInit {
        user_data: wanted.user_data.as_deref().map(text_of).transpose()?,
        host_name: wanted.host_name,
        ssh_keys: (wanted.ssh_key.iter())
            .map(|file| Ok(text_of(file)?.trim().to_owned()))
            .collect::<Result<_, CommandError>>()?,
    };
    Ok(CreateRouterRequest {
        name: wanted.name,
        image,
        host: wanted.host,
        driver: wanted.driver,
        vcpus: wanted.vcpus,
        memory_bytes: wanted.memory,
        disk_bytes: wanted.disk,
        interfaces: wanted.interface,
        virtual_network: wanted.virtual_network,
        tags: wanted.tag,
        autostart: wanted.autostart.then_some(true),
        start: wanted.no_start.then_some(false),
        ready_within_seconds: wanted.ready_within,
        cloud_init: (init != CloudInit::default()).then_some(init),
        kernel_arguments: wanted.kernel_arguments,
        create_pool: wanted.create_pool.then_some(true),
        request_id: wanted.request_id,
    })
}

/// What is in a file; in standard input for `-`.
fn text_of(file: &Path) -> Result<String, CommandError> {
    let read = if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    read.map_err(|source| CommandError::Unreadable {
        file: file.to_owned(),
        source,
    })
}

/// The image with this id or, where only one has it, this name: `debian`, or `debian:12`.
async fn find_image(
    operations: &dyn Operations,
    caller: &Caller,
    wanted: &str,
) -> Result<ImageId, Error> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let reply = operations.list_images(caller, ListImagesRequest::default());
    let images = reply.await?.images;
    let is_meant = |image: &&api::Image| {
        let of = &image.description;
        of.name == wanted || format!("{}:{}", of.name, of.version) == wanted
    };
    let named: Vec<_> = images.iter().filter(is_meant).collect();
    match named.as_slice() {
        [only] => Ok(only.id),
        [] => Err(NotFound {
            kind: "image".to_owned(),
            id: wanted.to_owned(),
            message: format!("No image is called {wanted:?}: `vms image list` names them."),
        }
        .into()),
        several => {
            let each: Vec<_> = (several.iter())
                .map(|image| format!("{} ({})", image.title(), image.id))
                .collect();
            Err(Conflict {
                message: format!(
                    "{} images are called {wanted:?}: name one by its version ({wanted}:VERSION) or \
                     id: {}.",
                    several.len(),
                    each.join(", ")
                ),
            }
            .into())
        }
    }
}

/// Reads `network=NAME` or `bridge=NAME`, with `mac=MAC` and `address=ADDRESS/PREFIX` after commas.
fn interface(text: &str) -> Result<NewInterface, String> {
    let mut interface = NewInterface::default();
    for part in text.split(',') {
        let expected = "network=NAME or bridge=NAME was expected, and after commas mac=MAC and \
                        address=ADDRESS/PREFIX";
        let (key, value) = part.split_once('=').ok_or(expected)?;
        let taken = match key {
            "network" => interface.network.replace(value.to_owned()).is_some(),
            "bridge" => interface.bridge.replace(value.to_owned()).is_some(),
            "mac" => {
                let mac = value.parse().map_err(|error| format!("{error}"))?;
                interface.mac.replace(mac).is_some()
            }
            "address" => {
                interface.addresses.push(value.to_owned());
                false
            }
            _ => return Err(expected.to_owned()),
        };
        if taken {
            return Err(format!("{key} is said twice"));
        }
    }
    if interface.network.is_some() == interface.bridge.is_some() {
        return Err("one of network=NAME and bridge=NAME was expected".to_owned());
    }
    Ok(interface)
}

fn driver(text: &str) -> Result<Driver, String> {
    [Driver::Qemu, Driver::Xen, Driver::Lxc, Driver::Test]
        .into_iter()
        .find(|driver| driver.as_str() == text)
        .ok_or_else(|| "qemu, xen or lxc was expected".to_owned())
}

fn consequences(router: &str, keep_disks: bool, force: bool) -> String {
    let disks = if keep_disks {
        "Its disks stay."
    } else {
        "Its disks go with it."
    };
    let off = if force {
        " It is switched off first."
    } else {
        ""
    };
    format!("Delete {router} for good, with the links that were made for it. {disks}{off} Go on?")
}

/// The error in the words of the command line, where it names an element of a request.
fn in_words(error: Error) -> Error {
    let Error::InvalidArgument(mut fault) = error else {
        return error;
    };
    let element = fault.element.trim_start_matches("router.");
    let word = match element.split(['.', '[']).next().unwrap_or_default() {
        "name" => "NAME",
        "image" => "IMAGE",
        "mac" => "MAC",
        "interface" => "INTERFACE",
        "interfaces" => "--interface",
        "host" => "--host",
        "driver" => "--driver",
        "vcpus" => "--vcpus",
        "memoryBytes" => "--memory",
        "diskBytes" => "--disk",
        "virtualNetwork" => "--virtual-network",
        "tags" => "--tag",
        "readyWithinSeconds" => "--ready-within",
        "kernelArguments" => "--kernel-arguments",
        "cloudInit" if element.ends_with("hostName") => "--host-name",
        "cloudInit" if element.ends_with("sshKeys") => "--ssh-key",
        "cloudInit" => "--user-data",
        "deadlineSeconds" => "--within",
        "requestId" => "--request-id",
        _ => return fault.into(),
    };
    word.clone_into(&mut fault.element);
    fault.into()
}

/// Where it could be made, the best place first, and under each what is not as it should be; with
/// `all`, the rest, too.
fn places(router: &str, reply: &CheckCreationReply, all: bool) -> String {
    let mut table = Table::new(&["", "host", "name", "driver", "score", "image", "verdict"]);
    for place in &reply.places {
        let CreationPlace {
            possible, summary, ..
        } = place;
        table.row([
            if *possible { "✓" } else { "✕" }.to_owned(),
            place.host.to_string(),
            place.host_name.clone(),
            or_absent(place.driver.map(Driver::as_str)),
            or_absent(place.score.map(app::format::percent)),
            if place.has_image { "there" } else { ABSENT }.to_owned(),
            summary.clone(),
        ]);
        findings(&mut table, &place.findings, all);
    }
    if reply.places.is_empty() {
        return format!("{router}: there is no host.\n");
    }
    format!("{router}:\n\n{table}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{FindingLevel, MigrationCheck, MigrationFinding, Timestamp};

    #[test]
    fn an_interface_is_read() {
        let read =
            interface("network=lab,mac=52:54:00:00:00:01,address=10.0.0.1/24,address=fd00::1/64")
                .unwrap();
        assert_eq!(read.network.as_deref(), Some("lab"));
        assert_eq!(read.mac, Some("52:54:00:00:00:01".parse().unwrap()));
        assert_eq!(read.addresses, ["10.0.0.1/24", "fd00::1/64"]);
        assert_eq!(
            interface("bridge=br0").unwrap().bridge.as_deref(),
            Some("br0")
        );
        for (wrong, says) in [
            ("", "network=NAME or"),
            ("lab", "network=NAME or"),
            ("network=lab,model=virtio", "network=NAME or"),
            ("mac=52:54:00:00:00:01", "one of network=NAME and"),
            ("network=a,bridge=b", "one of network=NAME and"),
            ("network=a,network=b", "network is said twice"),
            ("network=a,mac=x", "x"),
        ] {
            let error = interface(wrong).unwrap_err();
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }

    #[test]
    fn what_is_said_is_what_is_asked() {
        let key = tempfile::NamedTempFile::new().unwrap();
        fs::write(key.path(), "ssh-ed25519 AAAA me\n").unwrap();
        let wanted = CreateCommand {
            name: "r1".to_owned(),
            image: "debian".to_owned(),
            host: None,
            driver: Some(Driver::Lxc),
            vcpus: Some(2),
            memory: Some(512 << 20),
            disk: None,
            interface: vec![interface("bridge=br0").unwrap()],
            virtual_network: None,
            tag: vec!["edge".to_owned()],
            autostart: true,
            no_start: true,
            ready_within: None,
            user_data: None,
            host_name: None,
            ssh_key: vec![key.path().to_owned()],
            kernel_arguments: None,
            create_pool: false,
            check: false,
            all: false,
            request_id: Some("a".to_owned()),
            no_wait: false,
        };
        let image: ImageId = "4f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01".parse().unwrap();
        let asked = request(wanted.clone(), image).unwrap();
        assert_eq!((asked.image, asked.start), (image, Some(false)));
        assert_eq!((asked.autostart, asked.create_pool), (Some(true), None));
        assert_eq!(asked.memory_bytes, Some(512 << 20));
        let init = asked.cloud_init.unwrap();
        assert_eq!(init.ssh_keys, ["ssh-ed25519 AAAA me"]);
        assert_eq!(init.user_data, None);
        let bare = CreateCommand {
            ssh_key: Vec::new(),
            ..wanted.clone()
        };
        assert_eq!(request(bare, image).unwrap().cloud_init, None);
        let missing = CreateCommand {
            user_data: Some("/no/such/file".into()),
            ..wanted
        };
        let error = request(missing, image).unwrap_err().to_string();
        assert!(
            error.starts_with("/no/such/file cannot be read: "),
            "{error}"
        );
    }

    #[test]
    fn places_are_told_with_what_is_not_fine() {
        let finding = |level, what: &str| MigrationFinding {
            level,
            check: MigrationCheck::Memory,
            what: what.to_owned(),
            why: None,
            advice: Some("Choose less.".to_owned()),
        };
        let place = |host: &str, possible: bool, findings| CreationPlace {
            host: host.parse().unwrap(),
            host_name: host.to_uppercase(),
            driver: possible.then_some(Driver::Qemu),
            possible,
            summary: if possible { "It can." } else { "It cannot." }.to_owned(),
            needs_pool: false,
            has_image: possible,
            score: possible.then_some(0.5),
            findings,
            networks: Vec::new(),
            bridges: Vec::new(),
        };
        let reply = CheckCreationReply {
            as_of: Timestamp::UNIX_EPOCH,
            places: vec![
                place(
                    "alpha",
                    true,
                    vec![finding(FindingLevel::Fine, "There is room.")],
                ),
                place(
                    "beta",
                    false,
                    vec![finding(FindingLevel::Obstacle, "There is no room.")],
                ),
            ],
        };
        assert_eq!(
            places("r1", &reply, false),
            "r1:

   HOST   NAME   DRIVER  SCORE  IMAGE  VERDICT
✓  alpha  ALPHA  qemu     50 %  there  It can.
✕  beta   BETA   -           -  -      It cannot.
   ✕ memory: There is no room.
     do:  Choose less.
"
        );
        assert!(places("r1", &reply, true).contains("   ✓ memory: There is room.\n"));
    }

    #[test]
    fn errors_name_what_was_typed() {
        for (element, expected) in [
            ("memoryBytes", "--memory"),
            ("interfaces.mac", "--interface"),
            ("interface.addresses", "INTERFACE"),
            ("cloudInit.userData", "--user-data"),
            ("cloudInit.hostName", "--host-name"),
            ("router", "router"),
        ] {
            let error = in_words(Error::invalid(element, "why"));
            assert_eq!(error.to_string(), format!("{expected}: why"));
        }
    }

    #[test]
    fn consequences_are_spelled_out() {
        assert_eq!(
            consequences("r1", false, true),
            "Delete r1 for good, with the links that were made for it. Its disks go with it. It is \
             switched off first. Go on?"
        );
        assert!(consequences("r1", true, false).contains("Its disks stay. Go on?"));
    }
}
