//! The one error of all server functions.

use crate::wire::JsonText;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

/// Why a server function has no answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    /// The operation was refused or failed.
    #[error(transparent)]
    Refused(#[from] api::Error),
    /// No answer came, or none that could be read.
    #[error("{0}")]
    Transport(String),
}

impl FromServerFnError for Failure {
    type Encoder = JsonText;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::Transport(match error {
            ServerFnErrorErr::Request(_) => {
                "The server does not answer. Check that it runs; this page goes on by itself once \
                 it does."
                    .to_owned()
            }
            ServerFnErrorErr::Args(reason)
            | ServerFnErrorErr::MissingArg(reason)
            | ServerFnErrorErr::Serialization(reason) => {
                format!("What was sent could not be read ({reason}).")
            }
            other => format!("The server's answer could not be used ({other}). Reload the page."),
        })
    }
}

impl Failure {
    /// Whether what was asked for does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(api::Error::NotFound(_)))
    }
}
