//! Who calls: the identity that goes with every call of an operation.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The identity of a caller, established by the front door that it came through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The name under which its acts are audited.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The front door that it came through.
    pub channel: Channel,
    /// The address that it called from, where known.
    pub address: Option<String>,
}

impl Caller {
    /// Whoever calls a server without authentication: it listens on the loopback interface only,
    /// so this is somebody who is on the machine already.
    pub fn local(channel: Channel) -> Self {
        Self {
            name: "local".to_owned(),
            role: Role::Administrator,
            channel,
            address: None,
        }
    }
}

/// What a caller may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// May read.
    Observer,
    /// May act on routers.
    Operator,
    /// May change the fleet and its users.
    Administrator,
}

/// The front door that a call came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Channel {
    /// A person in the browser.
    Page,
    /// A pilot over SOAP, the command line included.
    Soap,
    /// A program over plain HTTP: the bytes of an upload.
    Http,
    /// The server itself.
    Internal,
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Page => "page",
            Self::Soap => "soap",
            Self::Http => "http",
            Self::Internal => "internal",
        })
    }
}
