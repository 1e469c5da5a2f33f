//! `vms host …`: the fleet's hosts, and which there are.

use super::{
    HostCommand, Switch,
    commands::{CommandError, Confirm, confirmed, warnings, write},
    endpoint::Endpoint,
    table::{ABSENT, Table, bytes, facts, or_absent},
    time::clock,
};
use api::{
    Caller, CheckHostReply, CheckHostRequest, CheckOutcome, Error, GetHostStatusReply,
    GetHostStatusRequest, Host, HostId, HostOrigin, HostState, ListHostsReply, ListHostsRequest,
    Operations, RegisterHostRequest, RemoveHostRequest, SetHostMaintenanceRequest, Transport,
};
use std::{fmt::Write as _, io::Write, time::Duration};
use tokio::time::{Instant, sleep};

/// How long `vms host add` waits for the first attempt to end.
const FIRST_ATTEMPT: Duration = Duration::from_secs(30);
/// How often it asks how the attempt goes.
const PULSE: Duration = Duration::from_millis(250);

/// Carries out one of the commands.
pub(super) async fn execute(
    command: HostCommand,
    json: bool,
    operations: &dyn Operations,
    caller: &Caller,
    out: &mut (dyn Write + Send),
    confirm: Confirm<'_>,
) -> Result<(), CommandError> {
    match command {
        HostCommand::List => {
            let reply = operations.list_hosts(caller, ListHostsRequest {}).await?;
            write(out, json, &reply, hosts)
        }
        HostCommand::Show { host } => {
            let reply = status_of(operations, caller, host).await?;
            write(out, json, &reply, status)
        }
        HostCommand::Add {
            host,
            endpoints,
            name,
            site,
            key,
            no_wait,
        } => {
            check_key(key.as_deref(), &endpoints)?;
            let request = RegisterHostRequest {
                host: host.clone(),
                name,
                site,
                endpoints: endpoints
                    .iter()
                    .map(|endpoint| endpoint.address(key.as_deref()))
                    .collect(),
                request_id: None,
            };
            let registered = operations
                .register_host(caller, request)
                .await
                .map_err(|error| in_words(error, &endpoints))?;
            if no_wait {
                return write(out, json, &registered, |reply| {
                    format!("{} is registered.\n", reply.host.id)
                });
            }
            if !json {
                writeln!(out, "{host} is registered; VMS connects to it.")?;
                out.flush()?;
            }
            let first = first_attempt(operations, caller, host).await?;
            write(out, json, &first, |reply| attempt(&reply.host))
        }
        HostCommand::Remove { host, yes } => {
            let known = status_of(operations, caller, host.clone()).await?.host;
            // One that is configured is refused by the server, which says why: nothing to ask.
            let is_clear = yes || known.origin != HostOrigin::Registered;
            confirmed(confirm, is_clear, &consequences(&known))?;
            let request = RemoveHostRequest {
                host,
                request_id: None,
            };
            let reply = operations.remove_host(caller, request).await?;
            write(out, json, &reply, |reply| {
                format!("{} is no longer in the fleet.\n", reply.host)
            })
        }
        HostCommand::Check { endpoint, key } => {
            let endpoints = [endpoint];
            check_key(key.as_deref(), &endpoints)?;
            let [endpoint] = &endpoints;
            let request = CheckHostRequest {
                endpoint: endpoint.address(key.as_deref()),
            };
            let reply = operations
                .check_host(caller, request)
                .await
                .map_err(|error| in_words(error, &endpoints))?;
            write(out, json, &reply, |reply| {
                format!("{endpoint}\n\n{}", checked(reply))
            })?;
            if reply.usable {
                Ok(())
            } else {
                let uri = endpoint.to_string();
                Err(CommandError::NotUsable { uri })
            }
        }
        HostCommand::Maintenance {
            host,
            switch,
            reason,
        } => {
            let request = SetHostMaintenanceRequest {
                host,
                maintenance: switch == Switch::On,
                reason,
                request_id: None,
            };
            let reply = operations
                .set_host_maintenance(caller, request)
                .await
                .map_err(|error| in_words(error, &[]))?;
            write(out, json, &reply, |reply| maintenance_now(&reply.host))
        }
    }
}

async fn status_of(
    operations: &dyn Operations,
    caller: &Caller,
    host: HostId,
) -> Result<GetHostStatusReply, Error> {
    operations
        .get_host_status(caller, GetHostStatusRequest { host })
        .await
        .map_err(|error| in_words(error, &[]))
}

/// Waits until every endpoint was tried once, or for as long as one waits for that.
async fn first_attempt(
    operations: &dyn Operations,
    caller: &Caller,
    host: HostId,
) -> Result<GetHostStatusReply, Error> {
    let start = Instant::now();
    loop {
        let reply = status_of(operations, caller, host.clone()).await?;
        if !is_connecting(&reply.host) || start.elapsed() >= FIRST_ATTEMPT {
            return Ok(reply);
        }
        sleep(PULSE).await;
    }
}

fn is_connecting(host: &Host) -> bool {
    let endpoints = host.endpoints.iter().map(|endpoint| endpoint.state);
    std::iter::once(host.state)
        .chain(endpoints)
        .any(|state| state == HostState::Connecting)
}

fn check_key(key: Option<&str>, endpoints: &[Endpoint]) -> Result<(), Error> {
    let of_use = endpoints
        .iter()
        .any(|endpoint| endpoint.transport() == Transport::Ssh);
    if key.is_some() && !of_use {
        return Err(Error::invalid(
            "--key",
            "a key is for SSH: a URI such as qemu+ssh://user@host/system was expected",
        ));
    }
    Ok(())
}

/// The error in the words of the command line, where it names an element of the request.
fn in_words(error: Error, endpoints: &[Endpoint]) -> Error {
    let Error::InvalidArgument(mut fault) = error else {
        return error;
    };
    let (of, field) = fault
        .element
        .rsplit_once('.')
        .unwrap_or(("", &fault.element));
    let word = match field {
        "host" => "ID".to_owned(),
        "name" | "site" | "key" | "reason" => format!("--{field}"),
        _ => {
            // `endpoints[2].port`: the number is that of the URI, from 1 as in XPath.
            let list = if of.is_empty() { field } else { of };
            let number = list
                .rsplit_once('[')
                .and_then(|(_, number)| number.trim_end_matches(']').parse::<usize>().ok());
            let named = match (number, endpoints) {
                (Some(number), _) => number.checked_sub(1).and_then(|index| endpoints.get(index)),
                (None, [only]) => Some(only),
                (None, _) => None,
            };
            named.map_or_else(|| "URI".to_owned(), ToString::to_string)
        }
    };
    fault.element = word;
    fault.into()
}

fn consequences(host: &Host) -> String {
    let routers = match host.routers {
        0 => "No router is known on it.".to_owned(),
        1 => "Its router runs on; VMS forgets it, and its history stays 30 days.".to_owned(),
        many => {
            format!("Its {many} routers run on; VMS forgets them, and their history stays 30 days.")
        }
    };
    format!("Remove {} from the fleet? {routers}", host.id)
}

fn hosts(reply: &ListHostsReply) -> String {
    let mut table = Table::new(&[
        "id", "name", "site", "state", "routers", "running", "cpus", "memory", "uri",
    ]);
    for host in &reply.hosts {
        table.row([
            host.id.to_string(),
            host.name.clone(),
            or_absent(host.site.as_ref()),
            if host.maintenance {
                format!("{}, maintenance", host.state.as_str())
            } else {
                host.state.as_str().to_owned()
            },
            host.routers.to_string(),
            host.running_routers.to_string(),
            or_absent(host.cpus),
            or_absent(host.memory_bytes.map(bytes)),
            host.endpoints
                .iter()
                .map(|endpoint| endpoint.uri.as_str())
                .collect::<Vec<_>>()
                .join(" "),
        ]);
    }
    let mut text = table.to_string();
    for host in &reply.hosts {
        text += &complaints(host);
        if let Some(maintenance) = maintenance(host) {
            let _ = writeln!(text, "! {} is in maintenance{maintenance}", host.id);
        }
    }
    text
}

/// Why a host is in maintenance, if it is: what comes after that word.
fn maintenance(host: &Host) -> Option<String> {
    let reason = host.maintenance_reason.as_ref();
    host.maintenance
        .then(|| reason.map_or_else(String::new, |reason| format!(": {reason}")))
}

/// What `vms host maintenance` did.
fn maintenance_now(host: &Host) -> String {
    let id = &host.id;
    match maintenance(host) {
        Some(reason) => format!(
            "{id} is in maintenance{reason}\n\
             Nothing new lands there. What runs there runs on: {}, {} running.\n",
            app::format::count(host.routers as usize, "router", "routers"),
            host.running_routers
        ),
        None => format!("{id} is in use.\n"),
    }
}

/// What is wrong with a host, endpoint by endpoint where it has several.
fn complaints(host: &Host) -> String {
    let mut text = String::new();
    let told: Vec<_> = host
        .endpoints
        .iter()
        .filter_map(|endpoint| Some((&endpoint.uri, endpoint.message.as_ref()?)))
        .collect();
    if host.endpoints.len() > 1 && !told.is_empty() {
        for (uri, message) in told {
            let _ = writeln!(text, "! {}, {uri}: {message}", host.id);
        }
    } else if let Some(message) = &host.message {
        let _ = writeln!(text, "! {}: {message}", host.id);
    }
    text
}

/// How the first attempt went, in a sentence.
fn attempt(host: &Host) -> String {
    let id = &host.id;
    let sentence = match host.state {
        HostState::Online if host.routers == 1 => format!("{id} is online: 1 router."),
        HostState::Online => format!("{id} is online: {} routers.", host.routers),
        HostState::Connecting => format!(
            "{id} has not answered within {} s. VMS keeps trying; `vms host show {id}` tells how it \
             goes.",
            FIRST_ATTEMPT.as_secs()
        ),
        HostState::Degraded => format!("{id} answers in part; VMS keeps trying the rest."),
        HostState::Unreachable => format!("{id} cannot be reached; VMS keeps trying."),
    };
    format!("{sentence}\n{}", complaints(host))
}

fn status(reply: &GetHostStatusReply) -> String {
    let host = &reply.host;
    let mut lines = vec![
        ("name", host.name.clone()),
        ("id", host.id.to_string()),
        ("site", or_absent(host.site.as_ref())),
        (
            "state",
            match host.as_of {
                Some(at) => format!("{}, as of {}", host.state.as_str(), clock(at)),
                None => host.state.as_str().to_owned(),
            },
        ),
        (
            "maintenance",
            match maintenance(host) {
                Some(reason) => format!("yes{reason}"),
                None => "no".to_owned(),
            },
        ),
        (
            "origin",
            match host.origin {
                HostOrigin::Configured => "configured",
                HostOrigin::Registered => "registered",
            }
            .to_owned(),
        ),
        ("host name", or_absent(host.hostname.as_ref())),
        ("uuid", or_absent(host.uuid.as_ref())),
        ("hypervisor", or_absent(host.hypervisor.as_ref())),
        (
            "cpus",
            match (host.cpus, &host.cpu_model) {
                (Some(cpus), Some(model)) => format!("{cpus}, {model}"),
                (cpus, _) => or_absent(cpus),
            },
        ),
        ("memory", or_absent(host.memory_bytes.map(bytes))),
        (
            "routers",
            format!("{}, {} running", host.routers, host.running_routers),
        ),
    ];
    if let Some(load) = &reply.load {
        let note = if load.simulated { " (simulated)" } else { "" };
        lines.push(("measured", format!("{}{note}", clock(load.at))));
        lines.push((
            "cpus used",
            load.cpus_used
                .map_or(ABSENT.to_owned(), |cpus| format!("{cpus:.2}")),
        ));
        lines.push(("memory used", or_absent(load.memory_used_bytes.map(bytes))));
    }
    if reply.hanging_calls > 0 {
        lines.push(("hanging calls", reply.hanging_calls.to_string()));
    }
    let mut text = facts(&lines);

    let mut table = Table::new(&["endpoint", "driver", "state"]);
    for endpoint in &host.endpoints {
        table.row([
            endpoint.uri.clone(),
            endpoint.driver.as_str().to_owned(),
            endpoint.state.as_str().to_owned(),
        ]);
    }
    let _ = write!(text, "\n{table}");
    if !host.interfaces.is_empty() {
        let mut table = Table::new(&["interface", "kind", "mac", "state", "as of"]);
        for interface in &host.interfaces {
            table.row([
                interface.name.clone(),
                interface.kind.clone(),
                or_absent(interface.mac),
                interface.state.as_str().to_owned(),
                or_absent(interface.as_of.map(clock)),
            ]);
        }
        let _ = write!(text, "\n{table}");
    }
    if !reply.unresponsive_routers.is_empty() {
        let mut table = Table::new(&["does not answer", "since", "id"]);
        for router in &reply.unresponsive_routers {
            table.row([
                router.name.clone(),
                clock(router.since),
                router.router.to_string(),
            ]);
        }
        let _ = write!(text, "\n{table}");
        for router in &reply.unresponsive_routers {
            let _ = writeln!(text, "! {}: {}", router.name, router.message);
        }
    }
    text + &complaints(host) + &warnings(std::slice::from_ref(&reply.source))
}

fn checked(reply: &CheckHostReply) -> String {
    let mut steps = Table::new(&["", "step", "time", "what was found"]);
    for step in &reply.steps {
        let (sign, time) = match step.outcome {
            CheckOutcome::Passed => ("✓", Some(step.milliseconds)),
            CheckOutcome::Warning => ("!", Some(step.milliseconds)),
            CheckOutcome::Failed => ("✗", Some(step.milliseconds)),
            CheckOutcome::Skipped => (ABSENT, None),
        };
        steps.row([
            sign.to_owned(),
            step.step.as_str().to_owned(),
            time.map_or(ABSENT.to_owned(), app::format::milliseconds),
            step.explanation.clone(),
        ]);
    }
    let mut text = steps.to_string();
    if !reply.capabilities.is_empty() {
        let mut table = Table::new(&["what the driver can do", ""]);
        for capability in &reply.capabilities {
            let answer = if capability.supported { "yes" } else { "no" };
            table.row([capability.name.clone(), answer.to_owned()]);
        }
        let _ = write!(text, "\n{table}");
    }
    if reply.usable {
        text += "\nIt can be registered.\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::InvalidArgument;

    #[test]
    fn errors_name_what_was_typed() {
        let endpoints: Vec<Endpoint> = ["qemu:///system", "lxc+tcp://alpha/system"]
            .iter()
            .map(|uri| uri.parse().unwrap())
            .collect();
        for (element, expected) in [
            ("host", "ID"),
            ("name", "--name"),
            ("site", "--site"),
            ("endpoints[1].key", "--key"),
            ("endpoints", "URI"),
            ("endpoints[1].port", "qemu:///system"),
            ("endpoints[2]", "lxc+tcp://alpha/system"),
            ("endpoints[2].address", "lxc+tcp://alpha/system"),
            ("endpoints[0].address", "URI"),
            ("endpoints[7].address", "URI"),
        ] {
            let error = in_words(Error::invalid(element, "why"), &endpoints);
            assert_eq!(error.to_string(), format!("{expected}: why"), "{element}");
        }
        let only = in_words(Error::invalid("endpoint.address", "why"), &endpoints[..1]);
        assert_eq!(only.to_string(), "qemu:///system: why");
        let other = Error::from(api::Conflict {
            message: "taken".to_owned(),
        });
        assert_eq!(in_words(other.clone(), &endpoints), other);
    }

    #[test]
    fn a_key_is_for_ssh() {
        let endpoint = |uri: &str| uri.parse::<Endpoint>().unwrap();
        let (ssh, local) = (endpoint("qemu+ssh://a/system"), endpoint("lxc:///system"));
        assert!(check_key(None, std::slice::from_ref(&local)).is_ok());
        assert!(check_key(Some("k"), &[local.clone(), ssh]).is_ok());
        let Err(Error::InvalidArgument(InvalidArgument { element, .. })) =
            check_key(Some("k"), &[local])
        else {
            panic!("a key that no endpoint uses is refused");
        };
        assert_eq!(element, "--key");
    }

    fn host(state: HostState, routers: u32) -> Host {
        Host {
            id: "rio".parse().unwrap(),
            name: "rio".to_owned(),
            site: None,
            state,
            message: None,
            maintenance: false,
            maintenance_reason: None,
            as_of: None,
            endpoints: Vec::new(),
            origin: HostOrigin::Registered,
            hostname: None,
            uuid: None,
            cpu_model: None,
            cpus: None,
            memory_bytes: None,
            hypervisor: None,
            routers,
            running_routers: 0,
            interfaces: Vec::new(),
        }
    }

    #[test]
    fn the_first_attempt_is_told_in_a_sentence() {
        let unreachable = Host {
            message: Some("No route to host.".to_owned()),
            ..host(HostState::Unreachable, 0)
        };
        for (host, expected) in [
            (host(HostState::Online, 1), "rio is online: 1 router.\n"),
            (host(HostState::Online, 0), "rio is online: 0 routers.\n"),
            (
                unreachable,
                "rio cannot be reached; VMS keeps trying.\n! rio: No route to host.\n",
            ),
            (
                host(HostState::Connecting, 0),
                "rio has not answered within 30 s. VMS keeps trying; `vms host show rio` tells how \
                 it goes.\n",
            ),
        ] {
            assert_eq!(attempt(&host), expected);
        }
    }

    #[test]
    fn maintenance_is_told_with_its_reason() {
        let idle = host(HostState::Online, 1);
        let kept = Host {
            maintenance: true,
            ..idle.clone()
        };
        let why = Host {
            maintenance_reason: Some("new disks".to_owned()),
            ..kept.clone()
        };
        let list = |hosts: &[&Host]| {
            super::hosts(&ListHostsReply {
                as_of: api::Timestamp::UNIX_EPOCH,
                sources: Vec::new(),
                hosts: hosts.iter().copied().cloned().collect(),
            })
        };
        assert_eq!(
            list(&[&idle, &kept, &why]),
            "ID   NAME  SITE  STATE                ROUTERS  RUNNING  CPUS  MEMORY  URI\n\
             rio  rio      -  online                     1        0     -       -\n\
             rio  rio      -  online, maintenance        1        0     -       -\n\
             rio  rio      -  online, maintenance        1        0     -       -\n\
             ! rio is in maintenance\n\
             ! rio is in maintenance: new disks\n"
        );
        assert_eq!(maintenance_now(&idle), "rio is in use.\n");
        assert_eq!(
            maintenance_now(&why),
            "rio is in maintenance: new disks\n\
             Nothing new lands there. What runs there runs on: 1 router, 0 running.\n"
        );
    }

    #[test]
    fn consequences_are_spelled_out() {
        for (routers, expected) in [
            (0, "No router is known on it."),
            (1, "Its router runs on;"),
            (12, "Its 12 routers run on;"),
        ] {
            let text = consequences(&host(HostState::Online, routers));
            assert!(text.contains(expected), "{text}");
        }
    }
}
