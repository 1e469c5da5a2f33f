//! The command line: the two ways to run a server, and the operations against a running one.
//!
//! Exit codes: 0 done, 1 it could not be done, 2 it was asked for wrongly (flags, environment,
//! configuration). What goes wrong is one sentence on standard error.

mod commands;
mod endpoint;
mod hosts;
mod names;
mod network;
mod table;
mod time;

pub use commands::{CommandError, Confirm, execute};
pub use endpoint::Endpoint;
pub use time::moment;

use crate::config::Flags;
use api::{
    Aggregation, HostId, MacAddress, Metric, PathMetric, RouterState, Timestamp, TopologyView,
};
use clap::{Args, Parser, Subcommand};
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
    /// Ask a running server about routers, suspend or resume one
    Router {
        /// Where and how.
        #[command(flatten)]
        remote: Remote,
        /// What to ask or do.
        #[command(subcommand)]
        command: RouterCommand,
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
        for wrong in [
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
            "vms host add alpha",
            "vms host add alpha qemu+ext:///system?command=/bin/sh",
            "vms host check /etc/passwd",
        ] {
            assert_eq!(read(wrong).unwrap_err().exit_code(), 2, "{wrong}");
        }
    }
}
