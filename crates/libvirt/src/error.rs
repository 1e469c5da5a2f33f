//! What can go wrong, each a sentence for whoever must act on it.
//!
//! libvirt's own code, domain and message are kept in a [`Fault`]; what to do about it is said by
//! [`Error::kind`] and [`Error::is_retryable`], so that no caller compares libvirt's numbers.

use std::fmt;
use std::time::Duration;

use uuid::Uuid;
use virt_sys as sys;

use crate::driver::Driver;

/// What libvirt itself reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `virErrorNumber`, <https://libvirt.org/html/libvirt-virterror.html#virErrorNumber>.
    pub code: u32,
    /// `virErrorDomain`: the part of libvirt that reported it.
    pub domain: u32,
    /// libvirt's message, as it came.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message.trim_end_matches(['.', '\n', ' ']))
    }
}

impl From<virt::error::Error> for Fault {
    fn from(error: virt::error::Error) -> Self {
        Self {
            code: error.code().to_raw(),
            domain: error.domain().to_raw(),
            message: error.message().to_owned(),
        }
    }
}

/// Why a call on a host failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The driver cannot do this at all; asking again is useless.
    #[error("The {driver} driver of this host does not support {call}.")]
    NotSupported {
        /// The host's driver.
        driver: Driver,
        /// The libvirt function.
        call: &'static str,
    },
    /// The object is not (or no longer) there.
    #[error("The host has no such object: {fault}.")]
    NotFound {
        /// The libvirt function.
        call: &'static str,
        /// What libvirt reported.
        fault: Fault,
    },
    /// The host, or its libvirt daemon, does not answer.
    #[error(
        "{target} cannot be reached: {fault}. Check that the host is up and its libvirt daemon runs, accepts connections there and has the driver."
    )]
    Unreachable {
        /// The connection's URI.
        target: String,
        /// What libvirt reported.
        fault: Fault,
    },
    /// The host answered and refused us.
    #[error(
        "{target} refused the login: {fault}. Check the user, key or certificate, and the host key."
    )]
    Auth {
        /// The connection's URI.
        target: String,
        /// What libvirt reported.
        fault: Fault,
    },
    /// A call was not answered in time: it hangs, and its thread is written off, or it only waited
    /// behind others. Whether the connection is still good is said by the connection.
    #[error("The host did not answer {call}{} within {}.", OfDomain(*.domain), Seconds(*.after))]
    Deadline {
        /// The libvirt function, or the method that waited for its turn.
        call: &'static str,
        /// The deadline that passed.
        after: Duration,
        /// The domain that the hanging call is about, if it is about one.
        domain: Option<Uuid>,
    },
    /// The connection is gone for good; open a new one.
    #[error("The connection is lost: {reason}. Open a new one.")]
    Lost {
        /// Why it was lost.
        reason: String,
    },
    /// Too many threads hang in libvirt calls that do not return; nothing more is opened.
    #[error(
        "{stuck} threads {bound} hang in libvirt calls that do not return (the limit is {limit}); no further one is started until one of them comes back."
    )]
    TooManyStuck {
        /// Threads that hang now.
        stuck: usize,
        /// How many are allowed.
        limit: usize,
        /// Whose bound it is.
        bound: StuckBound,
    },
    /// libvirt returned XML that cannot be read.
    #[error("The XML of {what} cannot be read: {reason}.")]
    Xml {
        /// What was being read.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system refused something that the library needs.
    #[error("{what} failed: {reason}.")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        reason: String,
    },
    /// Any other error of libvirt.
    #[error("{call} failed: {fault}.")]
    Libvirt {
        /// The libvirt function.
        call: &'static str,
        /// What libvirt reported.
        fault: Fault,
    },
}

/// Whose bound on hanging threads was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StuckBound {
    /// That of one host: its [`Budget`](crate::Budget).
    Host,
    /// That of the whole process.
    Process,
}

impl fmt::Display for StuckBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "of this host",
            Self::Process => "of this process",
        })
    }
}

/// What an [`Error`] means for whoever decides what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The driver cannot do it.
    NotSupported,
    /// The object is not there.
    NotFound,
    /// The object is not in a state that allows it (suspending what does not run, for example).
    Conflict,
    /// What was asked makes no sense to libvirt.
    InvalidArgument,
    /// Credentials or rights are missing.
    Auth,
    /// The host or its daemon does not answer; open a new connection later.
    Unreachable,
    /// No answer in time.
    Deadline,
    /// This connection is gone; open a new one.
    Lost,
    /// A bound of this library was reached.
    Exhausted,
    /// Everything else.
    Internal,
}

impl Error {
    /// What the error means.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotSupported { .. } => ErrorKind::NotSupported,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Unreachable { .. } => ErrorKind::Unreachable,
            Self::Auth { .. } => ErrorKind::Auth,
            Self::Deadline { .. } => ErrorKind::Deadline,
            Self::Lost { .. } => ErrorKind::Lost,
            Self::TooManyStuck { .. } => ErrorKind::Exhausted,
            Self::Xml { .. } | Self::System { .. } => ErrorKind::Internal,
            Self::Libvirt { call, fault } => match fault.code {
                sys::VIR_ERR_OPERATION_INVALID => ErrorKind::Conflict,
                // How the test driver says that a domain is not in the state for it.
                sys::VIR_ERR_INTERNAL_ERROR
                    if fault.domain == sys::VIR_FROM_TEST
                        && matches!(*call, "virDomainSuspend" | "virDomainResume") =>
                {
                    ErrorKind::Conflict
                }
                sys::VIR_ERR_INVALID_ARG | sys::VIR_ERR_XML_ERROR => ErrorKind::InvalidArgument,
                sys::VIR_ERR_OPERATION_TIMEOUT | sys::VIR_ERR_AGENT_UNRESPONSIVE => {
                    ErrorKind::Deadline
                }
                _ => ErrorKind::Internal,
            },
        }
    }

    /// Whether the same request may succeed later without anybody changing anything: on this
    /// connection after a [`ErrorKind::Deadline`] while it is not lost, else on a new one.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Unreachable | ErrorKind::Deadline | ErrorKind::Lost | ErrorKind::Exhausted
        )
    }

    /// What libvirt itself reported, where it was libvirt.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::NotFound { fault, .. }
            | Self::Unreachable { fault, .. }
            | Self::Auth { fault, .. }
            | Self::Libvirt { fault, .. } => Some(fault),
            _ => None,
        }
    }

    /// Classifies what `call` reported on the connection to `target`.
    pub(crate) fn from_fault(
        driver: Driver,
        target: &str,
        call: &'static str,
        fault: Fault,
    ) -> Self {
        match fault.code {
            sys::VIR_ERR_NO_SUPPORT
            | sys::VIR_ERR_OPERATION_UNSUPPORTED
            | sys::VIR_ERR_ARGUMENT_UNSUPPORTED
            | sys::VIR_ERR_CONFIG_UNSUPPORTED => Self::NotSupported { driver, call },
            sys::VIR_ERR_NO_DOMAIN
            | sys::VIR_ERR_NO_NETWORK
            | sys::VIR_ERR_NO_INTERFACE
            | sys::VIR_ERR_NO_STORAGE_POOL
            | sys::VIR_ERR_NO_STORAGE_VOL
            | sys::VIR_ERR_NO_NODE_DEVICE
            | sys::VIR_ERR_NO_NETWORK_PORT
            | sys::VIR_ERR_NO_DOMAIN_METADATA => Self::NotFound { call, fault },
            sys::VIR_ERR_AUTH_FAILED
            | sys::VIR_ERR_AUTH_CANCELLED
            | sys::VIR_ERR_AUTH_UNAVAILABLE
            | sys::VIR_ERR_ACCESS_DENIED
            | sys::VIR_ERR_OPERATION_DENIED => Self::Auth {
                target: target.to_owned(),
                fault,
            },
            // ssh reports through its standard error, which libvirt passes on in the message.
            _ if fault.domain == sys::VIR_FROM_RPC
                && (fault.message.contains("Permission denied")
                    || fault.message.contains("Host key verification failed")) =>
            {
                Self::Auth {
                    target: target.to_owned(),
                    fault,
                }
            }
            sys::VIR_ERR_RPC | sys::VIR_ERR_NO_CONNECT | sys::VIR_ERR_GNUTLS_ERROR => {
                Self::Unreachable {
                    target: target.to_owned(),
                    fault,
                }
            }
            sys::VIR_ERR_SYSTEM_ERROR | sys::VIR_ERR_INTERNAL_ERROR
                if matches!(fault.domain, sys::VIR_FROM_RPC | sys::VIR_FROM_REMOTE) =>
            {
                Self::Unreachable {
                    target: target.to_owned(),
                    fault,
                }
            }
            _ => Self::Libvirt { call, fault },
        }
    }
}

/// ` for domain …`, where there is one.
struct OfDomain(Option<Uuid>);

impl fmt::Display for OfDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(uuid) => write!(f, " for domain {uuid}"),
            None => Ok(()),
        }
    }
}

/// A duration for a person: `10 s`, `0.5 s`.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classified(code: u32, domain: u32, message: &str) -> Error {
        let fault = Fault {
            code,
            domain,
            message: message.to_owned(),
        };
        Error::from_fault(Driver::Qemu, "qemu+tcp://a/system", "virConnectOpen", fault)
    }

    #[test]
    fn a_refused_connection_is_unreachable_and_worth_a_retry() {
        let error = classified(
            sys::VIR_ERR_SYSTEM_ERROR,
            sys::VIR_FROM_RPC,
            "unable to connect to server at 'a:16509': Connection refused",
        );
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.is_retryable());
        assert_eq!(
            error.to_string(),
            "qemu+tcp://a/system cannot be reached: unable to connect to server at 'a:16509': \
             Connection refused. Check that the host is up and its libvirt daemon runs, accepts \
             connections there and has the driver."
        );
    }

    #[test]
    fn an_ssh_refusal_is_about_credentials() {
        let error = classified(
            sys::VIR_ERR_SYSTEM_ERROR,
            sys::VIR_FROM_RPC,
            "Cannot recv data: Host key verification failed.: Connection reset by peer",
        );
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(!error.is_retryable());
    }

    #[test]
    fn suspending_what_does_not_run_is_a_conflict() {
        let error = classified(sys::VIR_ERR_OPERATION_INVALID, 10, "domain is not running");
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(
            error.fault().map(|fault| fault.code),
            Some(sys::VIR_ERR_OPERATION_INVALID)
        );
    }

    #[test]
    fn a_deadline_is_said_in_seconds() {
        let deadline = |domain| Error::Deadline {
            call: "virDomainSuspend",
            after: Duration::from_millis(500),
            domain,
        };
        assert_eq!(
            deadline(None).to_string(),
            "The host did not answer virDomainSuspend within 0.5 s."
        );
        assert_eq!(
            deadline(Some(Uuid::nil())).to_string(),
            "The host did not answer virDomainSuspend for domain \
             00000000-0000-0000-0000-000000000000 within 0.5 s."
        );
    }
}
