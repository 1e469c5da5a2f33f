//! The commands over [`Operations`]: ask, then print for a person or as JSON. Where the operations
//! are carried out is not known here.

use super::{
    Command, HistoryQuery, RouterCommand,
    console::{self, Listen},
    hosts, image, jobs, links, migration,
    names::Names,
    network, routers as life,
    table::{ABSENT, Table, bit_rate, bytes, facts, or_absent},
    time::clock,
};
use api::{
    Caller, CheckMigrationRequest, Error, Event, GetLoadRequest, GetRouterStatusReply,
    GetRouterStatusRequest, GetTopologyRequest, HostFreshness, HostId, JobId, ListRoutersReply,
    ListRoutersRequest, MigrationVerdict, Operations, QueryHistoryReply, QueryHistoryRequest,
    ResumeRouterRequest, Router, RouterId, SuspendRouterRequest,
};
use futures_util::StreamExt as _;
use serde::Serialize;
use std::{
    fmt::Write as _,
    io::{self, Write},
    path::PathBuf,
};

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The operation failed.
    #[error(transparent)]
    Operation(#[from] Error),
    /// The server, or the way to it, went.
    #[error("The stream of events ended{}.", match .last {
        Some(version) => format!("; `vms events --since {version}` goes on from there"),
        None => String::new(),
    })]
    EventsEnded {
        /// The last version that was told of.
        last: Option<u64>,
    },
    /// The way to an endpoint does not go all the way; the answer says how far.
    #[error("{uri} cannot be used as it is: the step that failed says what to do.")]
    NotUsable {
        /// The libvirt URI.
        uri: String,
    },
    /// There is no host that a router can be moved to, or not the one that was named.
    #[error("{router} cannot be moved {}: what stands in the way is said there, and what to do.", match .to {
        Some(host) => format!("to {host}"),
        None => "to any host".to_owned(),
    })]
    NotMovable {
        /// The router, as it was named.
        router: String,
        /// The host that was named, if one was.
        to: Option<HostId>,
    },
    /// A job ended without having done what it was to do.
    #[error("{0}")]
    JobFailed(String),
    /// Whoever followed a job interrupted that.
    #[error(
        "Job {job} goes on. `vms job watch {job}` follows it again, `vms job cancel {job}` gives it \
         up."
    )]
    NotFollowed {
        /// The job.
        job: JobId,
    },
    /// A console ended as it should not.
    #[error("{0}")]
    ConsoleBroke(String),
    /// How a job is getting on can no longer be asked.
    #[error(
        "{reason} Whether job {job} goes on is not known: `vms job watch {job}` follows it again."
    )]
    LostSight {
        /// The job.
        job: JobId,
        /// Why, in a sentence.
        reason: String,
    },
    /// There is no host that a router can be made on, or not the one that was named.
    #[error("{router} cannot be made there: what stands in the way is said, and what to do.")]
    NoPlace {
        /// Its name.
        router: String,
    },
    /// A file that was named cannot be read.
    #[error("{} cannot be read: {source}.", .file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Whoever was asked said no.
    #[error("Nothing was changed.")]
    Declined,
    /// Nobody could be asked.
    #[error("There is no terminal to ask for confirmation at: say --yes if it is meant.")]
    Unconfirmed,
    /// What it gave could not be written.
    #[error("The answer cannot be written: {0}.")]
    Output(#[from] io::Error),
}

/// Asks whoever sits at the terminal to say yes or no; `None` if nobody does.
pub type Confirm<'a> = &'a mut (dyn FnMut(&str) -> io::Result<Option<bool>> + Send);

/// Where an answer goes, and who reads it.
pub struct Console<'a> {
    /// Takes the answer.
    pub out: &'a mut (dyn Write + Send),
    /// Whether the answer is seen on a terminal, where a line can be written again.
    pub terminal: bool,
    /// Asks.
    pub confirm: Confirm<'a>,
    /// Listens to the keyboard.
    pub listen: Listen<'a>,
}

/// Carries out a command that asks a server, and writes its answer to the console.
///
/// `vms demo`, `serve`, `completion` and `man` are no such commands; they are left alone.
pub async fn execute(
    command: Command,
    operations: &dyn Operations,
    caller: &Caller,
    console: Console<'_>,
) -> Result<(), CommandError> {
    if let Command::Router {
        command: RouterCommand::Console { router },
        ..
    } = command
    {
        return console::converse(&router, operations, caller, console).await;
    }
    let Console {
        out,
        terminal,
        confirm,
        listen: _,
    } = console;
    match command {
        Command::Demo(_)
        | Command::Serve { .. }
        | Command::Completion { .. }
        | Command::Man { .. } => Ok(()),
        Command::Host { remote, command } => {
            hosts::execute(command, remote.json, operations, caller, out, confirm).await
        }
        Command::Router { remote, command } => {
            router(
                command,
                remote.json,
                operations,
                caller,
                out,
                terminal,
                confirm,
            )
            .await
        }
        Command::Link { remote, command } => {
            let json = remote.json;
            links::execute(command, json, operations, caller, out, terminal, confirm).await
        }
        Command::Job { remote, command } => {
            jobs::execute(command, remote.json, operations, caller, out, terminal).await
        }
        Command::Image { remote, command } => {
            let to = (out, terminal);
            image::execute(command, remote.json, operations, caller, to, confirm).await
        }
        Command::Topology { remote, view } => {
            let request = GetTopologyRequest { view: Some(view) };
            let reply = operations.get_topology(caller, request).await?;
            write(out, remote.json, &reply, network::topology)
        }
        Command::Path { remote, query } => {
            let reply = network::find_paths(query, operations, caller).await?;
            write(out, remote.json, &reply, network::paths)
        }
        Command::Load { remote, view } => {
            let request = GetLoadRequest { view: Some(view) };
            let reply = operations.get_load(caller, request).await?;
            let names = Names::read(operations, caller).await?;
            write(out, remote.json, &reply, |reply| {
                network::load(reply, &names)
            })
        }
        Command::History { remote, query } => {
            let HistoryQuery {
                router,
                metric,
                interface,
                disk,
                start,
                end,
                step,
                aggregation,
            } = query;
            let request = QueryHistoryRequest {
                router: find_router(operations, caller, &router).await?,
                interface,
                disk,
                metric,
                start,
                end,
                step_seconds: step,
                aggregation,
            };
            let reply = operations.query_history(caller, request).await?;
            write(out, remote.json, &reply, history)
        }
        Command::Events { remote, since } => {
            let mut events = operations.subscribe(caller, since).await?;
            let mut last = since;
            while let Some(event) = events.next().await {
                if let Event::Topology { version, .. } | Event::Resync { version } = &event {
                    last = Some(*version);
                }
                if remote.json {
                    serde_json::to_writer(&mut *out, &event).map_err(io::Error::from)?;
                    writeln!(out)?;
                } else {
                    out.write_all(happening(&event).as_bytes())?;
                }
                out.flush()?;
            }
            // Whoever follows ends it by a signal: any other end is a failure.
            Err(CommandError::EventsEnded { last })
        }
    }
}

async fn router(
    command: RouterCommand,
    json: bool,
    operations: &dyn Operations,
    caller: &Caller,
    out: &mut (dyn Write + Send),
    terminal: bool,
    confirm: Confirm<'_>,
) -> Result<(), CommandError> {
    match command {
        RouterCommand::Life(command) => {
            life::execute(command, json, operations, caller, out, terminal, confirm).await
        }
        RouterCommand::List {
            host,
            state,
            virtual_network,
        } => {
            let request = ListRoutersRequest {
                host,
                state,
                virtual_network,
            };
            let reply = operations.list_routers(caller, request).await?;
            write(out, json, &reply, routers)
        }
        RouterCommand::Show { router } => {
            let router = find_router(operations, caller, &router).await?;
            let reply = operations
                .get_router_status(caller, GetRouterStatusRequest { router })
                .await?;
            write(out, json, &reply, status)
        }
        RouterCommand::Suspend { router } => {
            let router = find_router(operations, caller, &router).await?;
            let request = SuspendRouterRequest {
                router,
                request_id: None,
            };
            let reply = operations.suspend_router(caller, request).await?;
            write(out, json, &reply, |reply| state_now(&reply.router))
        }
        RouterCommand::Resume { router } => {
            let router = find_router(operations, caller, &router).await?;
            let request = ResumeRouterRequest {
                router,
                request_id: None,
            };
            let reply = operations.resume_router(caller, request).await?;
            write(out, json, &reply, |reply| state_now(&reply.router))
        }
        // It needs more than what the others do.
        RouterCommand::Console { .. } => Ok(()),
        RouterCommand::Check {
            router,
            to,
            mode,
            all,
        } => {
            let request = CheckMigrationRequest {
                router: find_router(operations, caller, &router).await?,
                destination: to.clone(),
                mode,
            };
            let reply = operations
                .check_migration(caller, request)
                .await
                .map_err(migration::in_words)?;
            write(out, json, &reply, |reply| {
                migration::verdicts(&router, reply, all)
            })?;
            if reply.verdicts.iter().any(MigrationVerdict::is_possible) {
                Ok(())
            } else {
                Err(CommandError::NotMovable { router, to })
            }
        }
        RouterCommand::Migrate(wanted) => {
            let router = find_router(operations, caller, &wanted.router).await?;
            let no_wait = wanted.no_wait;
            let request = migration::request(router, wanted);
            let reply = operations
                .migrate_router(caller, request)
                .await
                .map_err(migration::in_words)?;
            let job = reply.job.clone();
            jobs::carry(
                &reply, job, no_wait, json, operations, caller, out, terminal,
            )
            .await
        }
    }
}

/// Asks whether it is meant, unless that was said.
pub(super) fn confirmed(
    confirm: Confirm<'_>,
    yes: bool,
    question: &str,
) -> Result<(), CommandError> {
    if yes {
        return Ok(());
    }
    match confirm(question)? {
        Some(true) => Ok(()),
        Some(false) => Err(CommandError::Declined),
        None => Err(CommandError::Unconfirmed),
    }
}

/// The router with this id or, where only one has it, this name.
pub(super) async fn find_router(
    operations: &dyn Operations,
    caller: &Caller,
    wanted: &str,
) -> Result<RouterId, Error> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let reply = operations
        .list_routers(caller, ListRoutersRequest::default())
        .await?;
    let named: Vec<_> = reply
        .routers
        .iter()
        .filter(|router| router.name == wanted)
        .collect();
    match named.as_slice() {
        [only] => Ok(only.id),
        [] => Err(api::NotFound {
            kind: "router".to_owned(),
            id: wanted.to_owned(),
            message: format!("No router is called {wanted:?}: `vms router list` names them."),
        }
        .into()),
        several => {
            let each: Vec<_> = several
                .iter()
                .map(|router| format!("{} on {}", router.id, router.host))
                .collect();
            Err(api::Conflict {
                message: format!(
                    "{} routers are called {wanted:?}: name one by its id ({}).",
                    several.len(),
                    each.join(", ")
                ),
            }
            .into())
        }
    }
}

pub(super) fn write<T: Serialize>(
    out: &mut (dyn Write + Send),
    json: bool,
    reply: &T,
    text: impl FnOnce(&T) -> String,
) -> Result<(), CommandError> {
    if json {
        serde_json::to_writer_pretty(&mut *out, reply).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        out.write_all(text(reply).as_bytes())?;
    }
    out.flush()?;
    Ok(())
}

/// A line for each host whose data is old, so that nobody takes it for the present.
pub(super) fn warnings(sources: &[HostFreshness]) -> String {
    let mut text = String::new();
    for source in sources.iter().filter(|source| !source.current) {
        let seen = source.as_of.map_or_else(
            || "it never answered".to_owned(),
            |time| format!("last seen {}", clock(time)),
        );
        let state = source.state.as_str();
        let _ = writeln!(text, "! host {} is {state}: {seen}", source.host);
    }
    text
}

fn routers(reply: &ListRoutersReply) -> String {
    let mut table = Table::new(&[
        "name",
        "host",
        "state",
        "network",
        "vcpus",
        "memory",
        "interfaces",
        "id",
    ]);
    for router in &reply.routers {
        table.row([
            router.name.clone(),
            router.host.to_string(),
            state(router),
            or_absent(router.virtual_network.as_ref()),
            router.vcpus.to_string(),
            bytes(router.memory_bytes),
            router.interfaces.len().to_string(),
            router.id.to_string(),
        ]);
    }
    let mut text = table.to_string();
    for router in &reply.routers {
        if let Some(message) = &router.message {
            let _ = writeln!(text, "! {} on {}: {message}", router.name, router.host);
        }
    }
    text + &warnings(&reply.sources)
}

fn state(router: &Router) -> String {
    let old = if router.current { "" } else { " (old)" };
    let moved = router.migrating_to.as_ref();
    let moved = moved.map_or_else(String::new, |host| format!(", being moved to {host}"));
    format!("{}{old}{moved}", router.state.as_str())
}

pub(super) fn state_now(router: &Router) -> String {
    format!(
        "{} on {} is {}.\n",
        router.name,
        router.host,
        router.state.as_str()
    )
}

fn status(reply: &GetRouterStatusReply) -> String {
    let router = &reply.router;
    let measured = reply.measurement.as_ref();
    let mut lines = vec![
        ("name", router.name.clone()),
        ("title", or_absent(router.title.as_ref())),
        ("id", router.id.to_string()),
        (
            "host",
            format!("{}, by {}", router.host, router.driver.as_str()),
        ),
        (
            "state",
            format!("{}, as of {}", state(router), clock(router.as_of)),
        ),
        (
            "virtual network",
            or_absent(router.virtual_network.as_ref()),
        ),
        ("vcpus", router.vcpus.to_string()),
        ("memory", bytes(router.memory_bytes)),
    ];
    if let Some(image) = router.image {
        lines.push(("made from", format!("image {image}")));
    }
    if let Some(measured) = measured {
        let note = if measured.simulated {
            " (simulated)"
        } else {
            ""
        };
        lines.push(("measured", format!("{}{note}", clock(measured.at))));
        lines.push((
            "cpus used",
            measured
                .cpus_used
                .map_or(ABSENT.to_owned(), |cpus| format!("{cpus:.2}")),
        ));
        lines.push((
            "memory used",
            or_absent(measured.memory_used_bytes.map(bytes)),
        ));
    }
    let mut text = facts(&lines);
    if !router.interfaces.is_empty() {
        let mut table = Table::new(&[
            "interface",
            "kind",
            "source",
            "link",
            "as of",
            "addresses",
            "receives",
            "sends",
        ]);
        for interface in &router.interfaces {
            let rates =
                measured.and_then(|m| m.interfaces.iter().find(|rates| rates.mac == interface.mac));
            table.row([
                interface.mac.to_string(),
                interface.kind.as_str().to_owned(),
                or_absent(interface.source.as_ref()),
                interface.link.as_str().to_owned(),
                clock(interface.link_as_of),
                some(interface.addresses.join(" ")),
                or_absent(
                    rates
                        .and_then(|rates| rates.received_bits_per_second)
                        .map(bit_rate),
                ),
                or_absent(
                    rates
                        .and_then(|rates| rates.transmitted_bits_per_second)
                        .map(bit_rate),
                ),
            ]);
        }
        let _ = write!(text, "\n{table}");
    }
    if !router.disks.is_empty() {
        let mut table = Table::new(&["disk", "device", "format", "source"]);
        for disk in &router.disks {
            table.row([
                disk.target.clone(),
                disk.device.clone(),
                or_absent(disk.format.as_ref()),
                or_absent(disk.source.as_ref()),
            ]);
        }
        let _ = write!(text, "\n{table}");
    }
    if let Some(message) = &router.message {
        let _ = writeln!(text, "! {message}");
    }
    text + &warnings(std::slice::from_ref(&reply.source))
}

fn some(text: String) -> String {
    if text.is_empty() {
        ABSENT.to_owned()
    } else {
        text
    }
}

fn history(reply: &QueryHistoryReply) -> String {
    let mut table = Table::new(&["time", &reply.unit, "coverage"]);
    for point in &reply.points {
        table.row([
            clock(point.at),
            // A gap is a gap: never 0.
            point
                .value
                .map_or(ABSENT.to_owned(), |value| format!("{value:.3}")),
            format!("{:.0} %", point.coverage * 100.0),
        ]);
    }
    let note = if reply.simulated { ", simulated" } else { "" };
    format!(
        "{} of {}, {} over {} s{note}\n\n{table}{}",
        reply.metric,
        reply.router,
        reply.aggregation.as_str(),
        reply.step_seconds,
        warnings(std::slice::from_ref(&reply.source))
    )
}

fn happening(event: &Event) -> String {
    match event {
        Event::Topology {
            version,
            at,
            changes,
        } => {
            let mut text = format!("{} version {version}\n", clock(*at));
            for change in changes {
                let _ = writeln!(text, "  {}", change.summary);
            }
            text
        }
        Event::Resync { version } => {
            format!("Versions were missed: the topology is at {version}.\n")
        }
        Event::Job { job } => format!(
            "{} job {} ({}): {}\n",
            clock(job.changed_at),
            job.id,
            job.state.as_str(),
            job.message
        ),
        Event::Measured { host, at } => format!("{} measured {host}\n", clock(*at)),
    }
}
