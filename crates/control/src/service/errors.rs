//! Why something was not done, in the caller's words: what was wrong, and what to do.

use crate::{fleet::Failure, service::translate, store::StoreError};
use api::{
    Caller, Conflict, Denied, Error, HostId, HostUnreachable, Internal, NotFound, NotSupported,
    Role, RouterId, Timestamp,
};
use libvirt::ErrorKind;
use model::Topology;
use std::{
    fmt::Display,
    hash::{BuildHasher, RandomState},
};

pub(crate) fn denied(caller: &Caller, role: Role) -> Error {
    let name = |role| match role {
        Role::Observer => "observer",
        Role::Operator => "operator",
        Role::Administrator => "administrator",
    };
    Denied {
        message: format!(
            "{} has the role {}, and this needs the role {}: ask an administrator for it",
            caller.name,
            name(caller.role),
            name(role)
        ),
    }
    .into()
}

pub(crate) fn no_router(id: RouterId) -> Error {
    NotFound {
        kind: "router".to_owned(),
        id: id.to_string(),
        message: format!("there is no router {id}; ListRouters tells which there are"),
    }
    .into()
}

pub(crate) fn no_host(id: &HostId, topology: &Topology) -> Error {
    let known: Vec<_> = topology.hosts.keys().map(model::HostId::as_str).collect();
    let known = match known.len() {
        0 => "none is registered".to_owned(),
        1..=20 => format!("registered are {}", known.join(", ")),
        more => format!("{more} others are registered; ListHosts tells which"),
    };
    NotFound {
        kind: "host".to_owned(),
        id: id.to_string(),
        message: format!("there is no host {id}; {known}"),
    }
    .into()
}

/// What else is not in the topology.
pub(crate) fn no_element(kind: &str, id: &dyn Display) -> Error {
    NotFound {
        kind: kind.to_owned(),
        id: id.to_string(),
        message: format!("there is no {kind} {id}; GetTopology tells which there are"),
    }
    .into()
}

/// A part of a router, with the list of what it has.
pub(crate) fn no_part(kind: &str, id: &str, router: &model::Router, has: &[String]) -> Error {
    NotFound {
        kind: kind.to_owned(),
        id: id.to_owned(),
        message: format!(
            "router {} has no {kind} {id}; {}",
            router.domain.name,
            listed(has)
        ),
    }
    .into()
}

/// What a router has of one kind, as a clause.
pub(crate) fn listed(has: &[String]) -> String {
    if has.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has {}", has.join(", "))
    }
}

pub(crate) fn conflict(message: String) -> Error {
    Conflict { message }.into()
}

/// The host cannot be asked.
pub(crate) fn unreachable(host: &HostId, last_seen: Option<Timestamp>, why: Option<&str>) -> Error {
    let why = why.map(|why| format!(": {}", why.trim_end_matches('.')));
    HostUnreachable {
        host: host.clone(),
        last_seen,
        message: format!(
            "the host {host} is not in contact{}; VMS keeps trying, ask again once ListHosts \
             shows it online",
            why.unwrap_or_default()
        ),
    }
    .into()
}

/// What a host or its driver answered.
pub(crate) fn from_host(
    failure: Failure,
    router: &model::Router,
    last_seen: Option<Timestamp>,
) -> Error {
    let host: HostId = translate::id(&router.host);
    let name = &router.domain.name;
    let error = match failure {
        Failure::NotConnected => return unreachable(&host, last_seen, None),
        Failure::Sticks(message) => {
            return conflict(format!(
                "router {name} on {host} cannot be acted on. {message} On the host, look at its \
                 process: one that was stopped goes on with the signal SIGCONT"
            ));
        }
        Failure::Libvirt(error) => error,
    };
    match error.kind() {
        ErrorKind::NotSupported => {
            let driver = match &error {
                libvirt::Error::NotSupported { driver, .. } => driver.to_string(),
                _ => "host's".to_owned(),
            };
            let message = error.to_string();
            NotSupported { driver, message }.into()
        }
        ErrorKind::NotFound => NotFound {
            kind: "router".to_owned(),
            id: router.domain.id.to_string(),
            message: format!("router {name} is no longer on {host}: it was removed there"),
        }
        .into(),
        ErrorKind::Conflict => conflict(format!(
            "{host} refuses to do it to router {name} in its present state: {error}"
        )),
        ErrorKind::Deadline => HostUnreachable {
            host: host.clone(),
            last_seen,
            message: format!(
                "{error} Whether it was done is not known: ask GetRouterStatus, or repeat the \
                 request with the same requestId"
            ),
        }
        .into(),
        ErrorKind::Unreachable | ErrorKind::Lost | ErrorKind::Auth | ErrorKind::Exhausted => {
            unreachable(&host, last_seen, Some(&error.to_string()))
        }
        _ => internal(&format!("{host} failed on router {name}"), &error),
    }
}

pub(crate) fn from_store(error: &StoreError) -> Error {
    internal(
        "the act could not be written down, so it was not done",
        error,
    )
}

/// VMS itself failed: the cause goes to the log, its reference to the caller.
pub(crate) fn internal(what: &str, cause: &dyn Display) -> Error {
    // The standard library's hashers are seeded at random.
    let reference = format!("{:016x}", RandomState::new().hash_one(what));
    tracing::error!(reference, %cause, "{what}");
    Internal {
        message: what.to_owned(),
        reference,
    }
    .into()
}
