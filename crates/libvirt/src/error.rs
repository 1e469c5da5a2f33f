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
    /// In one line: ssh frames its warnings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.message.trim_end_matches(['.', '\n', ' ']);
        let lines = (message.lines())
            .map(|line| line.trim_matches(['@', ' ', '\r']))
            .filter(|line| !line.is_empty());
        for (index, line) in lines.enumerate() {
            let between = if index == 0 { "" } else { " " };
            write!(f, "{between}{line}")?;
        }
        Ok(())
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
    #[error("{target} cannot be reached: {reason}. {advice}")]
    Unreachable {
        /// The connection's URI, or the address that was tried.
        target: String,
        /// What was tried, and what came of it.
        reason: String,
        /// What to do about it: a sentence.
        advice: &'static str,
        /// What libvirt reported, where it got that far.
        fault: Option<Fault>,
    },
    /// The host answered and refused us, or we it.
    #[error("{target} {refusal}: {fault}. {}", .refusal.advice())]
    Auth {
        /// The connection's URI.
        target: String,
        /// Who refused whom, and why.
        refusal: Refusal,
        /// What libvirt reported.
        fault: Fault,
    },
    /// The agent in the guest does not answer: there is none, or it does not run (yet).
    #[error(
        "The agent in the guest does not answer {call}: {fault}. Check that the guest runs qemu-guest-agent and has the channel org.qemu.guest_agent.0."
    )]
    NoAgent {
        /// The libvirt function.
        call: &'static str,
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

/// Who refused whom when a connection opened, or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The host's certificate does not pass our check. libvirt (9.0) reports only that; which of
    /// the three it was, it writes to standard error.
    HostCertificate,
    /// Our own certificate is missing, out of date, or not from the authority that we trust.
    OwnCertificate,
    /// The host's SSH key is not known here.
    HostKeyUnknown,
    /// The host's SSH key is another than the one known here.
    HostKeyChanged,
    /// The host does not accept the user, key or password.
    Login,
    /// We are in, but may not do that.
    Forbidden,
}

impl Refusal {
    fn advice(self) -> &'static str {
        match self {
            Self::HostCertificate => {
                "Check that it is for this very name, signed by the authority in cacert.pem, and within its dates."
            }
            Self::OwnCertificate => {
                "Check cacert.pem, clientcert.pem and clientkey.pem of this machine."
            }
            Self::HostKeyUnknown => {
                "Make the key known: compare its fingerprint and add it to known_hosts."
            }
            Self::HostKeyChanged => {
                "Either the host was set up anew, or somebody is in between; find out before you replace the key in known_hosts."
            }
            Self::Login => "Check the user and the key, and that the host knows both.",
            Self::Forbidden => "Check the rights of the user on the host.",
        }
    }

    /// What a fault says of a login, if that is what it is about. libvirt has one code for all
    /// that ssh and TLS report, so the text decides.
    fn of(fault: &Fault) -> Option<Self> {
        let has = |text: &str| fault.message.contains(text);
        let is_of_wire = fault.domain == sys::VIR_FROM_RPC || fault.domain == sys::VIR_FROM_REMOTE;
        Some(match fault.code {
            sys::VIR_ERR_AUTH_FAILED if has("peer's certificate") => Self::HostCertificate,
            sys::VIR_ERR_AUTH_FAILED
            | sys::VIR_ERR_AUTH_CANCELLED
            | sys::VIR_ERR_AUTH_UNAVAILABLE => Self::Login,
            sys::VIR_ERR_ACCESS_DENIED | sys::VIR_ERR_OPERATION_DENIED => Self::Forbidden,
            _ if !is_of_wire => return None,
            _ if has("REMOTE HOST IDENTIFICATION HAS CHANGED") => Self::HostKeyChanged,
            _ if has("Host key verification failed") => Self::HostKeyUnknown,
            _ if has("Permission denied") || has("Too many authentication failures") => Self::Login,
            // virnettlscontext.c, about files of this machine …
            _ if [
                "Our own certificate",
                "The client certificate",
                "The CA certificate",
            ]
            .into_iter()
            .chain([
                "Cannot read CA certificate",
                "Cannot read client",
                "Unable to set x509",
            ])
            .chain([
                "Unable to load certificate",
                "Unable to import client certificate",
            ])
            .any(|begin| fault.message.starts_with(begin)) =>
            {
                Self::OwnCertificate
            }
            // … and what the daemon says of ours.
            _ if has("server verification (of our certificate") => Self::OwnCertificate,
            _ if fault.message.starts_with("Certificate ")
                || fault.message.starts_with("The certificate ") =>
            {
                Self::HostCertificate
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HostCertificate => "has a certificate that does not pass",
            Self::OwnCertificate => "needs a certificate of ours, and that does not pass",
            Self::HostKeyUnknown => "has an SSH key that is not known here",
            Self::HostKeyChanged => "has another SSH key than the one known here",
            Self::Login => "refused the login",
            Self::Forbidden => "does not permit this",
        })
    }
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
    /// The guest has no agent that answers.
    NoAgent,
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
            Self::NoAgent { .. } => ErrorKind::NoAgent,
            Self::Deadline { .. } => ErrorKind::Deadline,
            Self::Lost { .. } => ErrorKind::Lost,
            Self::TooManyStuck { .. } => ErrorKind::Exhausted,
            Self::Xml { .. } | Self::System { .. } => ErrorKind::Internal,
            Self::Libvirt { call, fault } => match fault.code {
                sys::VIR_ERR_OPERATION_INVALID
                | sys::VIR_ERR_DOM_EXIST
                | sys::VIR_ERR_NETWORK_EXIST
                | sys::VIR_ERR_STORAGE_VOL_EXIST
                | sys::VIR_ERR_STORAGE_POOL_BUILT => ErrorKind::Conflict,
                // How the test driver says that a domain is not in the state for it.
                sys::VIR_ERR_INTERNAL_ERROR
                    if fault.domain == sys::VIR_FROM_TEST
                        && matches!(
                            *call,
                            "virDomainSuspend"
                                | "virDomainResume"
                                | "virDomainCreate"
                                | "virDomainShutdown"
                        ) =>
                {
                    ErrorKind::Conflict
                }
                // How all drivers say that another domain or network has the name or the UUID, or
                // another network the bridge.
                sys::VIR_ERR_OPERATION_FAILED | sys::VIR_ERR_INTERNAL_ERROR
                    if matches!(*call, "virDomainDefineXML" | "virNetworkDefineXML")
                        && fault.message.contains("already ") =>
                {
                    ErrorKind::Conflict
                }
                sys::VIR_ERR_OPERATION_FAILED
                    if *call == "virDomainOpenConsole"
                        && fault.message.contains("Active console session exists") =>
                {
                    ErrorKind::Conflict
                }
                sys::VIR_ERR_INVALID_ARG
                | sys::VIR_ERR_XML_ERROR
                | sys::VIR_ERR_XML_DETAIL
                | sys::VIR_ERR_XML_INVALID_SCHEMA
                | sys::VIR_ERR_NO_NAME
                | sys::VIR_ERR_OS_TYPE
                | sys::VIR_ERR_CONFIG_UNSUPPORTED => ErrorKind::InvalidArgument,
                sys::VIR_ERR_OPERATION_TIMEOUT => ErrorKind::Deadline,
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
            | Self::Auth { fault, .. }
            | Self::NoAgent { fault, .. }
            | Self::Libvirt { fault, .. } => Some(fault),
            Self::Unreachable { fault, .. } => fault.as_ref(),
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
        if let Some(refusal) = Refusal::of(&fault) {
            let target = target.to_owned();
            return Self::Auth {
                target,
                refusal,
                fault,
            };
        }
        match fault.code {
            sys::VIR_ERR_AGENT_UNRESPONSIVE
            | sys::VIR_ERR_AGENT_UNSYNCED
            | sys::VIR_ERR_AGENT_COMMAND_TIMEOUT => Self::NoAgent { call, fault },
            // A domain without the channel; the driver itself could.
            sys::VIR_ERR_ARGUMENT_UNSUPPORTED
                if fault.message.contains("guest agent is not configured") =>
            {
                Self::NoAgent { call, fault }
            }
            sys::VIR_ERR_NO_SUPPORT
            | sys::VIR_ERR_OPERATION_UNSUPPORTED
            | sys::VIR_ERR_ARGUMENT_UNSUPPORTED => Self::NotSupported { driver, call },
            sys::VIR_ERR_NO_DOMAIN
            | sys::VIR_ERR_NO_NETWORK
            | sys::VIR_ERR_NO_INTERFACE
            | sys::VIR_ERR_NO_STORAGE_POOL
            | sys::VIR_ERR_NO_STORAGE_VOL
            | sys::VIR_ERR_NO_NODE_DEVICE
            | sys::VIR_ERR_DEVICE_MISSING
            | sys::VIR_ERR_NO_NETWORK_PORT
            | sys::VIR_ERR_NO_DOMAIN_METADATA => Self::NotFound { call, fault },
            // The transport's program is of this machine.
            _ if fault.message.contains("cannot execute binary")
                && matches!(fault.domain, sys::VIR_FROM_RPC | sys::VIR_FROM_REMOTE) =>
            {
                Self::System {
                    what: "running ssh",
                    reason: fault.to_string(),
                }
            }
            // It is the stream that failed, not its host.
            sys::VIR_ERR_RPC if fault.domain == sys::VIR_FROM_STREAMS => {
                Self::Libvirt { call, fault }
            }
            sys::VIR_ERR_RPC | sys::VIR_ERR_NO_CONNECT | sys::VIR_ERR_GNUTLS_ERROR => {
                Self::unreachable(target, fault)
            }
            sys::VIR_ERR_SYSTEM_ERROR | sys::VIR_ERR_INTERNAL_ERROR
                if matches!(fault.domain, sys::VIR_FROM_RPC | sys::VIR_FROM_REMOTE) =>
            {
                Self::unreachable(target, fault)
            }
            _ => Self::Libvirt { call, fault },
        }
    }

    fn unreachable(target: &str, fault: Fault) -> Self {
        let has = |text: &str| fault.message.contains(text);
        let advice = if has("Could not resolve hostname") || has("Unable to resolve address") {
            "Check the name and this machine's name service."
        } else if has("Connection refused") {
            "Check that its libvirt daemon runs and listens there."
        } else {
            "Check that the host is up and its libvirt daemon runs, accepts connections there and has the driver."
        };
        Self::Unreachable {
            target: target.to_owned(),
            reason: fault.to_string(),
            advice,
            fault: Some(fault),
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
             Connection refused. Check that its libvirt daemon runs and listens there."
        );
    }

    #[test]
    fn what_libvirt_says_of_a_definition_is_kept() {
        let message = "Target CPU check full does not match source none";
        let error = classified(sys::VIR_ERR_CONFIG_UNSUPPORTED, sys::VIR_FROM_CPU, message);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(message), "{error}");
    }

    #[test]
    fn a_stream_that_fails_does_not_make_its_host_unreachable() {
        let error = classified(sys::VIR_ERR_RPC, sys::VIR_FROM_STREAMS, "stream aborted");
        assert_eq!(error.kind(), ErrorKind::Internal);
    }

    #[test]
    fn what_exists_already_is_a_conflict() {
        for (code, domain) in [
            (sys::VIR_ERR_DOM_EXIST, sys::VIR_FROM_QEMU),
            (sys::VIR_ERR_NETWORK_EXIST, sys::VIR_FROM_NETWORK),
            (sys::VIR_ERR_STORAGE_VOL_EXIST, sys::VIR_FROM_STORAGE),
        ] {
            let error = classified(code, domain, "it exists already");
            assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        }
    }

    /// Messages as libvirt 9.0 and OpenSSH 9.2 gave them.
    #[test]
    fn refusals_are_told_apart_and_are_not_worth_a_retry() {
        let changed = "Cannot recv data: @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\n\
            @    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n\
            @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\n\
            Host key verification failed.: Connection reset by peer";
        for (code, message, refusal) in [
            (
                sys::VIR_ERR_AUTH_FAILED,
                "authentication failed: Failed to verify peer's certificate",
                Refusal::HostCertificate,
            ),
            (
                sys::VIR_ERR_SYSTEM_ERROR,
                "The client certificate (TLS directory)/clientcert.pem has expired",
                Refusal::OwnCertificate,
            ),
            (
                sys::VIR_ERR_SYSTEM_ERROR,
                "Our own certificate (TLS directory)/clientcert.pem failed validation against \
                 (TLS directory)/cacert.pem: The certificate hasn't got a known issuer.",
                Refusal::OwnCertificate,
            ),
            (
                sys::VIR_ERR_SYSTEM_ERROR,
                "Cannot read CA certificate '(TLS directory)/cacert.pem': No such file or directory",
                Refusal::OwnCertificate,
            ),
            (
                sys::VIR_ERR_RPC,
                "server verification (of our certificate or IP address) failed",
                Refusal::OwnCertificate,
            ),
            (
                sys::VIR_ERR_SYSTEM_ERROR,
                "Cannot recv data: Host key verification failed.: Connection reset by peer",
                Refusal::HostKeyUnknown,
            ),
            (sys::VIR_ERR_SYSTEM_ERROR, changed, Refusal::HostKeyChanged),
            (
                sys::VIR_ERR_SYSTEM_ERROR,
                "Cannot recv data: u@h: Permission denied (publickey).: Connection reset by peer",
                Refusal::Login,
            ),
            (
                sys::VIR_ERR_AUTH_FAILED,
                "authentication failed: SASL",
                Refusal::Login,
            ),
        ] {
            let error = classified(code, sys::VIR_FROM_RPC, message);
            assert_eq!(error.kind(), ErrorKind::Auth, "{message}");
            assert!(!error.is_retryable());
            assert!(
                matches!(error, Error::Auth { refusal: found, .. } if found == refusal),
                "{message}: {error:?}"
            );
            let text = error.to_string();
            assert!(text.ends_with('.') && !text.contains('\n'), "{text}");
        }
        let error = classified(sys::VIR_ERR_SYSTEM_ERROR, sys::VIR_FROM_RPC, changed);
        assert_eq!(
            error.to_string(),
            "qemu+tcp://a/system has another SSH key than the one known here: Cannot recv data: \
             WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! Host key verification failed.: \
             Connection reset by peer. Either the host was set up anew, or somebody is in between; \
             find out before you replace the key in known_hosts."
        );
    }

    #[test]
    fn a_guest_without_an_agent_is_told_from_one_that_is_slow_and_a_driver_that_cannot() {
        for (code, message) in [
            (
                sys::VIR_ERR_AGENT_UNRESPONSIVE,
                "Guest agent is not responding: QEMU guest agent is not connected",
            ),
            (
                sys::VIR_ERR_ARGUMENT_UNSUPPORTED,
                "argument unsupported: QEMU guest agent is not configured",
            ),
        ] {
            let error = classified(code, sys::VIR_FROM_QEMU, message);
            assert_eq!(error.kind(), ErrorKind::NoAgent, "{error}");
            assert!(!error.is_retryable());
        }
        let unsupported = classified(sys::VIR_ERR_ARGUMENT_UNSUPPORTED, sys::VIR_FROM_QEMU, "x");
        assert_eq!(unsupported.kind(), ErrorKind::NotSupported);
    }

    #[test]
    fn what_ssh_says_of_names_and_of_itself_is_no_refusal() {
        let error = classified(
            sys::VIR_ERR_SYSTEM_ERROR,
            sys::VIR_FROM_RPC,
            "Cannot recv data: ssh: Could not resolve hostname h.invalid: Name or service not \
             known: Connection reset by peer",
        );
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.to_string().ends_with("name service."), "{error}");
        let error = classified(
            sys::VIR_ERR_SYSTEM_ERROR,
            sys::VIR_FROM_RPC,
            "Cannot recv data: libvirt:  error : cannot execute binary (ssh program): No such \
             file or directory: Connection reset by peer",
        );
        assert!(matches!(error, Error::System { .. }), "{error:?}");
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
