//! The command line: the two ways to run a server, and the operations against a running one.
//!
//! Exit codes: 0 done, 1 it could not be done, 2 it was asked for wrongly (flags, environment,
//! configuration), 130 whoever followed a job no longer wants to. What goes wrong is one sentence on
//! standard error.

mod commands;
mod console;
mod endpoint;
mod hosts;
mod image;
mod jobs;
mod links;
mod manual;
mod migration;
mod names;
mod network;
mod quantity;
mod routers;
mod table;
mod time;

pub use commands::{CommandError, Confirm, Console, execute};
pub use console::{Keyboard, Listen, RawTerminal, keyboard};
pub use endpoint::Endpoint;
pub use links::{CreateLinkCommand, LinkCommand};
pub use manual::{completion, manual};
pub use routers::{CreateCommand, LifeCommand};
pub use time::moment;

use crate::config::Flags;
use api::{
    Aggregation, Driver, HostId, ImageDescription, ImageKind, MacAddress, Metric, MigrationMode,
    PathMetric, RouterState, Timestamp, TopologyView,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;

/// Virtual Machine Server: watches and operates a fleet of virtual routers on libvirt hosts.
#[derive(Debug, Parser)]
#[command(
    name = "vms",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a server over an embedded fleet of made-up hosts, to look around
    Demo(Flags),
    /// Run a server over the hosts that vms.toml names and those that are registered
    Serve {
        /// How to run.
        #[command(flatten)]
        flags: Flags,
        /// The file that names the hosts [env: `VMS_CONFIG`] [default: vms.toml]
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Ask a running server about its hosts, add or remove one
    Host {
        /// Where and how.
        #[command(flatten)]
        remote: Remote,
        /// What to ask or do.
        #[command(subcommand)]
        command: HostCommand,
    },
    /// Ask a running server about routers, make, change, move or delete one, or see its console
    Router {
        /// Where and how.
        #[command(flatten)]
        remote: Remote,
        /// What to ask or do.
        #[command(subcommand)]
        command: RouterCommand,
    },
    /// Ask a running server about jobs (long work such as a move), follow or cancel one
    Job {
        /// Where and how.
        #[command(flatten)]
        remote: Remote,
        /// What to ask or do.
        #[command(subcommand)]
        command: JobCommand,
    },
    /// Bring images to a running server, and from there to hosts
    Image {
        /// Where and how.
        #[command(flatten)]
        remote: Remote,
        /// What to ask or do.
        #[command(subcommand)]
        command: ImageCommand,
    },
    /// Link two routers, list such links, or take one away
    Link {
        /// Where and how.
        #[command(flatten)]
        remote: Remote,
        /// What to ask or do.
        #[command(subcommand)]
        command: LinkCommand,
    },
    /// Show the topology that a running server sees
    Topology {
        /// Where and how.
        #[command(flatten)]
        remote: Remote,
        /// Part to show: combined, virtual or physical
        #[arg(long, default_value_t)]
        view: TopologyView,
    },
    /// Find the best paths between two elements of the topology
    Path {
        /// Where and how.
        #[command(flatten)]
        remote: Remote,
        /// What to find.
        #[command(flatten)]
        query: PathQuery,
    },
    /// Show what hosts and routers use and links carry at present
    Load {
        /// Where and how.
        #[command(flatten)]
        remote: Remote,
        /// Part to show: combined, virtual or physical
        #[arg(long, default_value_t)]
        view: TopologyView,
    },
    /// Show a measurement over time
    History {
        /// Where and how.
        #[command(flatten)]
        remote: Remote,
        /// What to show.
        #[command(flatten)]
        query: HistoryQuery,
    },
    /// Follow what happens, until interrupted
    Events {
        /// Where and how.
        #[command(flatten)]
        remote: Remote,
        /// Begin with what happened after this version of the topology
        #[arg(long, value_name = "VERSION")]
        since: Option<u64>,
    },
    /// Print what a shell completes this command line by, for example for
    /// ~/.local/share/bash-completion/completions/vms
    Completion {
        /// The shell
        shell: Shell,
    },
    /// Print this program's manual page, or write one for each command into a directory
    Man {
        /// The directory, for example ~/.local/share/man/man1
        #[arg(long, value_name = "DIRECTORY")]
        out: Option<PathBuf>,
    },
}

/// Which server to ask and how to print its answer.
#[derive(Clone, Debug, Args)]
pub struct Remote {
    /// The server to ask
    #[arg(
        long,
        value_name = "URL",
        env = "VMS_SERVER",
        default_value = "http://127.0.0.1:8080",
        global = true
    )]
    pub server: String,
    /// Print the reply as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to ask about hosts, or to do with one.
#[derive(Clone, Debug, Subcommand)]
pub enum HostCommand {
    /// List the hosts
    List,
    /// Show one host: how it is reached, what it uses, what does not answer on it
    Show {
        /// Its id
        #[arg(value_name = "ID")]
        host: HostId,
    },
    /// Take a host into the fleet, and tell how the first attempt to connect goes
    Add {
        /// An id for it: letters, digits, `.`, `_` and `-`, 64 at most
        #[arg(value_name = "ID")]
        host: HostId,
        /// How libvirt reaches it, for example `qemu+ssh://vms@alpha/system`; one for each driver
        #[arg(value_name = "URI", required = true)]
        endpoints: Vec<Endpoint>,
        /// A name for people [default: the id]
        #[arg(long)]
        name: Option<String>,
        /// Where it stands
        #[arg(long)]
        site: Option<String>,
        /// The private key for SSH, by its name in the server's key directory
        #[arg(long, value_name = "NAME")]
        key: Option<String>,
        /// Do not wait for the first attempt
        #[arg(long)]
        no_wait: bool,
    },
    /// Let a host go: its routers run on, and VMS forgets them
    Remove {
        /// Its id
        #[arg(value_name = "ID")]
        host: HostId,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Try a URI step by step and explain each, without registering anything
    Check {
        /// The libvirt URI, for example `qemu+ssh://vms@alpha/system`
        #[arg(value_name = "URI")]
        endpoint: Endpoint,
        /// The private key for SSH, by its name in the server's key directory
        #[arg(long, value_name = "NAME")]
        key: Option<String>,
    },
    /// Keep a host free of what is new, or take it back into use; what runs there runs on
    Maintenance {
        /// Its id
        #[arg(value_name = "ID")]
        host: HostId,
        /// Whether it is in maintenance from now on
        switch: Switch,
        /// Why, in a line for people
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// What to ask about routers, or to do with one.
#[derive(Clone, Debug, Subcommand)]
pub enum RouterCommand {
    /// List the routers that match
    List {
        /// Only those on this host
        #[arg(long, value_name = "ID")]
        host: Option<HostId>,
        /// Only those in this state: running, suspended, shutting-down, shut-off, crashed, unknown
        #[arg(long, value_parser = router_state)]
        state: Option<RouterState>,
        /// Only those of this virtual network
        #[arg(long, value_name = "NAME")]
        virtual_network: Option<String>,
    },
    /// Show one router with its present measurements
    Show {
        /// Its id or, where only one has it, its name
        #[arg(value_name = "ID_OR_NAME")]
        router: String,
    },
    /// What makes one, changes it, or takes it away.
    #[command(flatten)]
    Life(LifeCommand),
    /// Pause a running router in memory
    Suspend {
        /// Its id or, where only one has it, its name
        #[arg(value_name = "ID_OR_NAME")]
        router: String,
    },
    /// Let a suspended router go on
    Resume {
        /// Its id or, where only one has it, its name
        #[arg(value_name = "ID_OR_NAME")]
        router: String,
    },
    /// Open a router's console at this terminal; Ctrl-] leaves it
    Console {
        /// Its id or, where only one has it, its name
        #[arg(value_name = "ID_OR_NAME")]
        router: String,
    },
    /// Look where a router can be moved to, without changing anything
    Check {
        /// Its id or, where only one has it, its name
        #[arg(value_name = "ID_OR_NAME")]
        router: String,
        /// Look at this host only [default: every other host]
        #[arg(long, value_name = "HOST")]
        to: Option<HostId>,
        /// How it would be moved: live or cold [default: live where it runs and its driver can]
        #[arg(long)]
        mode: Option<MigrationMode>,
        /// Show what is as it should be, too
        #[arg(long)]
        all: bool,
    },
    /// Move a router to another host, and follow how it goes
    Migrate(MigrateCommand),
}

/// Which router to move, where to and how.
#[derive(Clone, Debug, Args)]
pub struct MigrateCommand {
    /// The router's id or, where only one has it, its name
    #[arg(value_name = "ID_OR_NAME")]
    pub router: String,
    /// Where to
    #[arg(value_name = "HOST")]
    pub destination: HostId,
    /// While it runs (live), or stopped meanwhile (cold) [default: live where it runs and its
    /// driver can]
    #[arg(long)]
    pub mode: Option<MigrationMode>,
    /// Send no more than this, in MiB a second [default: as fast as the hosts can]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..))]
    pub bandwidth: Option<u64>,
    /// How long it may stand still in a live migration, in milliseconds [default: the hypervisor's]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_downtime: Option<u64>,
    /// How long it may take to shut down in a cold migration, in seconds, before it is switched
    /// off [default: 60]
    #[arg(long, value_name = "SECONDS")]
    pub shutdown: Option<u32>,
    /// An id of your choice: said again, it gives the first job instead of another
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
    /// Do not follow the job
    #[arg(long)]
    pub no_wait: bool,
}

/// What to ask about jobs, or to do with one. A job is named by its id, or by the beginning of it
/// where only one begins so.
#[derive(Clone, Debug, Subcommand)]
pub enum JobCommand {
    /// List the jobs that match, the newest first
    List {
        /// Only those of this router, by its id or, where only one has it, its name
        #[arg(long, value_name = "ID_OR_NAME")]
        router: Option<String>,
        /// Only those that act on this host
        #[arg(long, value_name = "ID")]
        host: Option<HostId>,
        /// Only those that have not ended
        #[arg(long)]
        unfinished: bool,
    },
    /// Show one job: how it is getting on or ended, and what it did step by step
    Show {
        /// Its id, or the beginning of it
        job: String,
    },
    /// Ask that a job be given up
    Cancel {
        /// Its id, or the beginning of it
        job: String,
    },
    /// Follow a job until it ends
    Watch {
        /// Its id, or the beginning of it
        job: String,
    },
}

/// What to ask about images, or to do with one. An image is named by its id, by `NAME:VERSION`, or by
/// its name where it has one version.
#[derive(Clone, Debug, Subcommand)]
pub enum ImageCommand {
    /// List the images, and the uploads that are under way
    List {
        /// Only those of this name
        #[arg(long)]
        name: Option<String>,
    },
    /// Show one image: its files, what is to be known of it, and where it is
    Show {
        /// Its id, `NAME:VERSION`, or name
        image: String,
    },
    /// List the files in the server's import directory
    Files,
    /// Make an image of a file in the server's import directory
    Import {
        /// The file (a kernel, if it is one), by its path below the import directory
        #[arg(value_name = "PATH")]
        path: String,
        /// The kernel's initial file system, by its path below the import directory
        #[arg(long, value_name = "PATH")]
        initial_file_system: Option<String>,
        /// What it is: qcow2, raw, kernel or rootFileSystem [default: by the file's name]
        #[arg(long)]
        kind: Option<ImageKind>,
        /// What is to be known of it.
        #[command(flatten)]
        facts: ImageFacts,
        /// The SHA-256 that the file must have; said again, that of the initial file system
        #[arg(long, value_name = "HEX")]
        sha256: Vec<String>,
        /// An id of your choice: said again, it gives the first job instead of another
        #[arg(long, value_name = "ID")]
        request_id: Option<String>,
        /// Do not follow the job
        #[arg(long)]
        no_wait: bool,
    },
    /// Upload a file of this machine; one that was cut off goes on where it was
    Upload {
        /// The file (a kernel, if it is one)
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The kernel's initial file system
        #[arg(long, value_name = "FILE")]
        initial_file_system: Option<PathBuf>,
        /// What it is: qcow2, raw, kernel or rootFileSystem [default: by the file's name]
        #[arg(long)]
        kind: Option<ImageKind>,
        /// What is to be known of it.
        #[command(flatten)]
        facts: ImageFacts,
    },
    /// Change what is to be known of an image; what is not said stays
    Describe {
        /// Its id, `NAME:VERSION`, or name
        image: String,
        /// What changes.
        #[command(flatten)]
        change: ImageChange,
    },
    /// Bring an image to hosts, and follow how that goes
    Distribute {
        /// Its id, `NAME:VERSION`, or name
        image: String,
        /// Where to
        #[arg(value_name = "HOST", required = true)]
        hosts: Vec<HostId>,
        /// Make the storage pool `vms` where a host has none
        #[arg(long)]
        create_pool: bool,
        /// An id of your choice: said again, it gives the first jobs instead of others
        #[arg(long, value_name = "ID")]
        request_id: Option<String>,
        /// Do not follow the jobs
        #[arg(long)]
        no_wait: bool,
    },
    /// Delete the copy of an image on a host; it stays in the store
    Evict {
        /// Its id, `NAME:VERSION`, or name
        image: String,
        /// The host
        host: HostId,
        /// Do not follow the job
        #[arg(long)]
        no_wait: bool,
    },
    /// Delete an image from the store and from all hosts
    Delete {
        /// Its id, `NAME:VERSION`, or name
        image: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Do not follow the job
        #[arg(long)]
        no_wait: bool,
    },
}

/// What is to be known of a new image.
#[derive(Clone, Debug, Args)]
pub struct ImageFacts {
    /// A name: letters, digits, `.`, `_`, `-` and `+`, 64 at most
    #[arg(long)]
    pub name: String,
    /// A version, written as a name; name and version together are unique
    #[arg(long)]
    pub version: String,
    /// Its processor architecture
    #[arg(long, default_value = "x86_64")]
    pub architecture: String,
    /// What else.
    #[command(flatten)]
    pub more: ImageMore,
}

/// What changes of what is known of an image.
#[derive(Clone, Debug, Args)]
pub struct ImageChange {
    /// Another name
    #[arg(long)]
    pub name: Option<String>,
    /// Another version
    #[arg(long)]
    pub version: Option<String>,
    /// Another processor architecture
    #[arg(long)]
    pub architecture: Option<String>,
    /// What else.
    #[command(flatten)]
    pub more: ImageMore,
}

/// What may be known of an image.
#[derive(Clone, Debug, Args)]
pub struct ImageMore {
    /// What it is, in a few lines for people
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// A libvirt driver that it suits; may be said again [default: those that its kind suits]
    #[arg(long, value_name = "DRIVER", value_parser = driver)]
    pub driver: Vec<Driver>,
    /// Virtual processors of a router, if nobody says
    #[arg(long, value_name = "NUMBER")]
    pub vcpus: Option<u32>,
    /// Memory of a router in MiB, if nobody says
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    pub memory: Option<u64>,
    /// How many interfaces a page proposes
    #[arg(long, value_name = "NUMBER")]
    pub interfaces: Option<u32>,
    /// Arguments of a kernel, for example `console=ttyS0`
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub kernel_arguments: Option<String>,
    /// The first program of a container
    #[arg(long, value_name = "PATH")]
    pub init: Option<String>,
    /// Whether it reads a cloud-init seed
    #[arg(long)]
    pub cloud_init: Option<bool>,
    /// Whether QEMU's guest agent runs in it
    #[arg(long)]
    pub guest_agent: Option<bool>,
    /// What a router writes to its console once it is ready, for example `login:`
    #[arg(long, value_name = "TEXT")]
    pub ready_text: Option<String>,
}

impl ImageMore {
    fn apply(self, mut of: ImageDescription) -> ImageDescription {
        if !self.driver.is_empty() {
            of.drivers = self.driver;
        }
        of.description = self.description.or(of.description);
        of.vcpus = self.vcpus.or(of.vcpus);
        of.memory_bytes = self.memory.map(|mib| mib << 20).or(of.memory_bytes);
        of.interfaces = self.interfaces.or(of.interfaces);
        of.kernel_arguments = self.kernel_arguments.or(of.kernel_arguments);
        of.init = self.init.or(of.init);
        of.cloud_init = self.cloud_init.or(of.cloud_init);
        of.guest_agent = self.guest_agent.or(of.guest_agent);
        of.ready_text = self.ready_text.or(of.ready_text);
        of
    }
}

impl ImageChange {
    fn apply(self, mut of: ImageDescription) -> ImageDescription {
        of.name = self.name.unwrap_or(of.name);
        of.version = self.version.unwrap_or(of.version);
        of.architecture = self.architecture.unwrap_or(of.architecture);
        self.more.apply(of)
    }
}

fn driver(text: &str) -> Result<Driver, String> {
    let found = Driver::ALL
        .into_iter()
        .find(|driver| driver.as_str() == text);
    found.ok_or_else(|| "qemu, xen, lxc or test was expected".to_owned())
}

/// Which paths to find. An element is a host's id, a router's id or name, or a segment's id or name;
/// with `host:`, `router:`, `segment:` or `link:` before it, it is that.
#[derive(Clone, Debug, Args)]
pub struct PathQuery {
    /// Where they begin: a host, router or segment, by id or name
    #[arg(value_name = "FROM")]
    pub origin: String,
    /// Where they end
    #[arg(value_name = "TO")]
    pub destination: String,
    /// Links to use: combined, virtual or physical
    #[arg(long, default_value_t)]
    pub view: TopologyView,
    /// What makes a path better: hops, latency or freeCapacity
    #[arg(long, default_value_t)]
    pub metric: PathMetric,
    /// How many paths, the best included: 1 to 16
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    pub alternatives: u32,
    /// What not to use: a host, router, segment or link (`link:ID`); may be said again
    #[arg(long, value_name = "ELEMENT")]
    pub avoid: Vec<String>,
    /// Use links that are down, too
    #[arg(long)]
    pub include_down: bool,
}

/// Which measurement to show.
#[derive(Clone, Debug, Args)]
pub struct HistoryQuery {
    /// The router's id or, where only one has it, its name
    #[arg(value_name = "ROUTER")]
    pub router: String,
    /// What was measured, for example cpuTime or receivedBytes
    pub metric: Metric,
    /// Its interface by MAC address, for a metric of interfaces
    #[arg(long, value_name = "MAC")]
    pub interface: Option<MacAddress>,
    /// Its disk, for a metric of disks
    #[arg(long, value_name = "TARGET")]
    pub disk: Option<String>,
    /// From when: a time (2026-11-22T10:00:00Z) or how long ago (24h) [default: an hour before the end]
    #[arg(long, value_parser = moment)]
    pub start: Option<Timestamp>,
    /// Until when, like --start [default: now]
    #[arg(long, value_parser = moment)]
    pub end: Option<Timestamp>,
    /// Seconds between two values [default: fitting some 300 values]
    #[arg(long, value_name = "SECONDS")]
    pub step: Option<u32>,
    /// How samples become values: average, minimum, maximum, last or rate
    #[arg(long)]
    pub aggregation: Option<Aggregation>,
}

fn router_state(text: &str) -> Result<RouterState, String> {
    use RouterState::{Crashed, Running, ShutOff, ShuttingDown, Suspended, Unknown};
    [Running, Suspended, ShuttingDown, ShutOff, Crashed, Unknown]
        .into_iter()
        .find(|state| state.as_str() == text.replace(['-', '_'], " "))
        .ok_or_else(|| {
            "running, suspended, shutting-down, shut-off, crashed or unknown was expected"
                .to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        CommandLine::command().debug_assert();
    }

    #[test]
    fn commands_are_read() {
        let read = |line: &str| CommandLine::try_parse_from(line.split(' '));
        assert!(matches!(
            read("vms router list --state shut-off --json")
                .unwrap()
                .command,
            Command::Router {
                remote: Remote { json: true, .. },
                command: RouterCommand::List {
                    state: Some(RouterState::ShutOff),
                    ..
                }
            }
        ));
        assert!(matches!(
            read("vms history r1 cpuTime --start 24h --step 60")
                .unwrap()
                .command,
            Command::History {
                query: HistoryQuery {
                    metric: Metric::CpuTime,
                    step: Some(60),
                    start: Some(_),
                    ..
                },
                ..
            }
        ));
        let Command::Host {
            command:
                HostCommand::Add {
                    host,
                    endpoints,
                    key: Some(key),
                    no_wait: true,
                    ..
                },
            ..
        } = read(
            "vms host add alpha qemu+ssh://alpha/system lxc+ssh://alpha/system --key k --no-wait",
        )
        .unwrap()
        .command
        else {
            panic!("another command was read");
        };
        assert_eq!((host.as_str(), key.as_str()), ("alpha", "k"));
        let uris: Vec<_> = endpoints.iter().map(ToString::to_string).collect();
        assert_eq!(uris, ["qemu+ssh://alpha/system", "lxc+ssh://alpha/system"]);
        let life = |line: &str| match read(line).map(|read| read.command) {
            Ok(Command::Router {
                command: RouterCommand::Life(command),
                ..
            }) => command,
            other => panic!("{line}: {other:?}"),
        };
        let LifeCommand::Create(create) =
            life("vms router create r9 debian --memory 512M --interface network=lab --no-start")
        else {
            panic!("another command was read");
        };
        assert_eq!(
            (create.name.as_str(), create.image.as_str()),
            ("r9", "debian")
        );
        assert_eq!((create.memory, create.no_start), (Some(512 << 20), true));
        assert!(matches!(
            life("vms router resize r9 --vcpus 2"),
            LifeCommand::Resize {
                vcpus: Some(2),
                memory: None,
                ..
            }
        ));
        assert!(matches!(
            life("vms router delete r9 --yes --force --keep-disks"),
            LifeCommand::Delete {
                yes: true,
                force: true,
                keep_disks: true,
                ..
            }
        ));
        for wrong in [
            "vms router resize r9",
            "vms router create r9 debian --all",
            "vms router attach r9 eth0",
            "vms link create r1 r2 --transport smoke",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(matches!(
            read("vms link create r1 r2 --to-b 10M --addressing ipv4 --when-running nextStart")
                .unwrap()
                .command,
            Command::Link {
                command: LinkCommand::Create(CreateLinkCommand {
                    to_b: Some(10_000_000),
                    addressing: Some(api::LinkAddressing::Ipv4),
                    when_running: Some(api::WhenRunning::NextStart),
                    ..
                }),
                ..
            }
        ));
        let Command::Router {
            command: RouterCommand::Migrate(migrate),
            ..
        } = read("vms router migrate r1 beta --mode cold --bandwidth 50 --max-downtime 100 --shutdown 5 --request-id q --no-wait")
            .unwrap()
            .command
        else {
            panic!("another command was read");
        };
        assert_eq!(
            (migrate.router.as_str(), migrate.destination.as_str()),
            ("r1", "beta")
        );
        assert_eq!(migrate.mode, Some(MigrationMode::Cold));
        assert_eq!(
            (migrate.bandwidth, migrate.max_downtime, migrate.shutdown),
            (Some(50), Some(100), Some(5))
        );
        assert_eq!(migrate.request_id.as_deref(), Some("q"));
        assert!(migrate.no_wait);
        assert!(matches!(
            read("vms router check r1 --to beta --all --json")
                .unwrap()
                .command,
            Command::Router {
                remote: Remote { json: true, .. },
                command: RouterCommand::Check {
                    to: Some(_),
                    mode: None,
                    all: true,
                    ..
                },
            }
        ));
        assert!(matches!(
            read("vms job list --router r1 --host beta --unfinished")
                .unwrap()
                .command,
            Command::Job {
                command: JobCommand::List {
                    router: Some(_),
                    host: Some(_),
                    unfinished: true,
                },
                ..
            }
        ));
        assert!(matches!(
            read("vms job cancel 4f").unwrap().command,
            Command::Job { command: JobCommand::Cancel { job }, .. } if job == "4f"
        ));
        assert!(matches!(
            read("vms host maintenance beta off").unwrap().command,
            Command::Host {
                command: HostCommand::Maintenance {
                    switch: Switch::Off,
                    reason: None,
                    ..
                },
                ..
            }
        ));
        for wrong in [
            "vms router migrate r1",
            "vms router migrate r1 beta --mode warm",
            "vms router migrate r1 beta --bandwidth 0",
            "vms router migrate r1 beta --shutdown -1",
            "vms router check",
            "vms job",
            "vms job show",
            "vms host maintenance beta",
            "vms host maintenance beta perhaps",
            "vms",
            "vms router",
            "vms router list --state asleep",
            "vms history r1 warmth",
            "vms history r1 cpuTime --start yesterday",
            "vms topology --view inner",
            "vms path alpha",
            "vms path alpha beta --metric beauty",
            "vms load --view inner",
            "vms demo --config vms.toml",
            "vms host show",
            "vms image upload a.qcow2",
            "vms image upload a.qcow2 --name a --version 1 --kind floppy",
            "vms image upload a.qcow2 --name a --version 1 --driver vmware",
            "vms image distribute a",
            "vms image show",
            "vms host add alpha",
            "vms host add alpha qemu+ext:///system?command=/bin/sh",
            "vms host check /etc/passwd",
        ] {
            assert_eq!(read(wrong).unwrap_err().exit_code(), 2, "{wrong}");
        }
    }
}
