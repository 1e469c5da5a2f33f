//! The one error of all operations. Every variant is a SOAP fault of its own, and its text is a
//! sentence for whoever must act on it.

use crate::{HostId, Timestamp};
use serde::{Deserialize, Serialize};

/// Why an operation was not carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "soap", derive(soap::Fault))]
#[serde(tag = "fault", content = "detail")]
pub enum Error {
    /// An argument cannot be used.
    #[error("{}: {}", .0.element, .0.message)]
    #[cfg_attr(feature = "soap", soap(sender))]
    InvalidArgument(InvalidArgument),
    /// What was named is not there.
    #[error("{}", .0.message)]
    #[cfg_attr(feature = "soap", soap(sender))]
    NotFound(NotFound),
    /// It cannot be done in the present state.
    #[error("{}", .0.message)]
    #[cfg_attr(feature = "soap", soap(sender))]
    Conflict(Conflict),
    /// The host's driver cannot do it.
    #[error("{}", .0.message)]
    #[cfg_attr(feature = "soap", soap(receiver))]
    NotSupported(NotSupported),
    /// The host does not answer.
    #[error("{}", .0.message)]
    #[cfg_attr(feature = "soap", soap(receiver))]
    HostUnreachable(HostUnreachable),
    /// The caller may not do it.
    #[error("{}", .0.message)]
    #[cfg_attr(feature = "soap", soap(sender))]
    Denied(Denied),
    /// VMS itself failed.
    #[error("{} (reference {})", .0.message, .0.reference)]
    #[cfg_attr(feature = "soap", soap(receiver))]
    Internal(Internal),
}

macro_rules! fault {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "soap", derive(soap::Message))]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl From<$name> for Error {
            fn from(fault: $name) -> Self {
                Self::$name(fault)
            }
        }
    };
}

fault! {
    /// An argument cannot be used.
    InvalidArgument {
        /// The request's element that is wrong.
        element: String,
        /// What is wrong with it and what was expected.
        message: String,
    }
}
fault! {
    /// What was named is not there.
    NotFound {
        /// The kind of thing: `host`, `router`, `interface`, …
        kind: String,
        /// The id that was asked for.
        id: String,
        /// What was looked for and how to find what there is.
        message: String,
    }
}
fault! {
    /// It cannot be done in the present state.
    Conflict {
        /// The state that stands in the way, and what to do.
        message: String,
    }
}
fault! {
    /// The host's driver cannot do it.
    NotSupported {
        /// The libvirt driver.
        driver: String,
        /// What it lacks.
        message: String,
    }
}
fault! {
    /// The host does not answer.
    HostUnreachable {
        /// The host.
        host: HostId,
        /// When it was last heard of, if ever.
        last_seen: Option<Timestamp>,
        /// Why, and what to do.
        message: String,
    }
}
fault! {
    /// The caller may not do it.
    Denied {
        /// What is missing.
        message: String,
    }
}
fault! {
    /// VMS itself failed.
    Internal {
        /// What failed.
        message: String,
        /// The text to look for in the server's log.
        reference: String,
    }
}

impl Error {
    /// An argument of the request cannot be used.
    pub fn invalid(element: &str, message: impl Into<String>) -> Self {
        InvalidArgument {
            element: element.to_owned(),
            message: message.into(),
        }
        .into()
    }

    /// The HTTP status that says the same.
    pub fn http_status(&self) -> u16 {
        match self {
            Self::InvalidArgument(_) => 400,
            Self::Denied(_) => 403,
            Self::NotFound(_) => 404,
            Self::Conflict(_) => 409,
            Self::NotSupported(_) => 501,
            Self::HostUnreachable(_) => 503,
            Self::Internal(_) => 500,
        }
    }
}
