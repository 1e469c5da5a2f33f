//! libvirt URIs from typed fields, and from text only in the forms that cannot do harm.
//!
//! Registering a host is handing over a key: libvirt's own URIs can run programs (`ext` and
//! `command`), switch off host-key and certificate checks (`no_verify`), connect to arbitrary
//! sockets, and leak the first line of any file through the test driver's parser. So nothing but
//! driver, transport, user, host, port and one of the known paths is accepted; the list of allowed
//! query parameters is empty.

use std::fmt;
use std::net::Ipv6Addr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::driver::{Driver, Transport};

/// Where a connection goes. Built by [`Uri::parse`], [`Uri::new`] or [`Uri::test_file`], which
/// check it; every value of this type is safe to open.
///
/// ```
/// use libvirt::{Driver, Transport, Uri};
/// let uri = Uri::parse("qemu+ssh://vms@host-a.example.net/system")?;
/// assert_eq!((uri.driver(), uri.transport()), (Driver::Qemu, Transport::Ssh));
/// assert_eq!(uri.host(), Some("host-a.example.net"));
/// assert!(Uri::parse("qemu+ext:///system?command=/bin/sh").is_err());
/// # Ok::<(), libvirt::UriError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Uri {
    driver: Driver,
    transport: Transport,
    user: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    System,
    Session,
    /// The test driver's built-in host.
    Default,
    /// A file that describes a test host; only [`Uri::test_file`] makes one.
    TestFile(PathBuf),
}

/// Why a URI was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// A space, control character, percent sign, backslash or non-ASCII letter.
    #[error(
        "A libvirt URI holds only plain ASCII without spaces, percent signs and backslashes; this one has the character {0:?}."
    )]
    Character(char),
    /// No `driver://`.
    #[error(
        "This is not a libvirt URI: expected driver://…, for example qemu+ssh://user@host/system."
    )]
    NoScheme,
    /// A driver that is not known here.
    #[error("The driver {0:?} is not known; expected qemu, xen, lxc or test.")]
    Driver(String),
    /// `ext` runs a program.
    #[error(
        "The transport ext runs a program chosen by the URI and is refused; use tcp, tls or ssh."
    )]
    ExternalProgram,
    /// A transport that is not used here.
    #[error(
        "The transport {0:?} is not accepted; use tcp, tls, ssh, or none for this machine (libssh and libssh2 have their own rules for host keys and are left out)."
    )]
    Transport(String),
    /// A query parameter that runs a program.
    #[error("The URI parameter {0} makes libvirt run a program and is refused.")]
    RunsProgram(&'static str),
    /// The query parameter `socket`.
    #[error(
        "The URI parameter socket points libvirt at an arbitrary socket and is refused; use the daemon's usual one, or a port."
    )]
    Socket,
    /// A query parameter that switches a check off.
    #[error(
        "The URI parameter {0} switches off the check of the host's key or certificate and is refused; make the host known instead."
    )]
    NoVerify(&'static str),
    /// Any other query parameter.
    #[error("The URI parameter {0:?} is not accepted; none are.")]
    Parameter(String),
    /// A `#fragment`.
    #[error("A libvirt URI has no fragment; remove what follows the #.")]
    Fragment,
    /// A password; it is not repeated here.
    #[error(
        "A password in a URI ends up in logs and is refused; use a key (ssh) or a certificate (tls)."
    )]
    Password,
    /// A user name that could be read as something else.
    #[error(
        "The user {0:?} is not accepted; expected letters, digits, '.', '_' and '-', not starting with '-'."
    )]
    User(String),
    /// A user where none is used.
    #[error("A user name is used by the ssh transport only; remove it.")]
    UserUnused,
    /// A host name that could be read as something else.
    #[error("The host {0:?} is not a host name or an IP address (IPv6 goes in brackets).")]
    Host(String),
    /// A remote transport without a host.
    #[error("The transport {0} needs a host: {0}://host/….")]
    HostMissing(&'static str),
    /// A host or port for a local connection.
    #[error("A local connection has no host, port or user.")]
    HostUnexpected,
    /// A port out of range.
    #[error("The port {0:?} is not a number from 1 to 65535.")]
    Port(String),
    /// A path of the test driver that is not `/default`.
    #[error(
        "test:/// accepts only test:///default: a path would let libvirt read any file of this machine."
    )]
    TestPath,
    /// A path that the driver does not have.
    #[error("The path {path:?} is not one of the {driver} driver; expected {expected}.")]
    Path {
        /// What was given.
        path: String,
        /// The driver.
        driver: Driver,
        /// What is accepted.
        expected: &'static str,
    },
}

impl Uri {
    /// A URI from its typed fields; `path` is `system`, `session` or (for the test driver)
    /// `default`.
    ///
    /// # Errors
    /// As [`Uri::parse`].
    pub fn new(
        driver: Driver,
        transport: Transport,
        user: Option<&str>,
        host: Option<&str>,
        port: Option<u16>,
        path: &str,
    ) -> Result<Self, UriError> {
        match (transport, host) {
            (Transport::Local, None) if user.is_none() && port.is_none() => {}
            (Transport::Local, _) => return Err(UriError::HostUnexpected),
            (_, None) => return Err(UriError::HostMissing(transport.name())),
            (_, Some(host)) => check_host(host)?,
        }
        if let Some(user) = user {
            check_user(user)?;
            if transport != Transport::Ssh {
                return Err(UriError::UserUnused);
            }
        }
        if port == Some(0) {
            return Err(UriError::Port("0".to_owned()));
        }
        Ok(Self {
            driver,
            transport,
            user: user.map(str::to_owned),
            host: host.map(str::to_owned),
            port,
            place: Place::of(driver, path)?,
        })
    }

    /// Reads a URI from text, strictly.
    ///
    /// Accepted: `DRIVER:///PATH`, `DRIVER[+tcp|+tls|+ssh]://[USER@]HOST[:PORT]/PATH`. As with
    /// libvirt, a host without a transport means TLS.
    ///
    /// # Errors
    /// One [`UriError`], a sentence each, for everything else; see there.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        if let Some(bad) = text
            .chars()
            .find(|c| !c.is_ascii_graphic() || matches!(c, '%' | '\\' | '"'))
        {
            return Err(UriError::Character(bad));
        }
        let (scheme, rest) = text.split_once("://").ok_or(UriError::NoScheme)?;
        let (driver, transport) = match scheme.split_once('+') {
            Some((driver, transport)) => (driver, Some(transport)),
            None => (scheme, None),
        };
        let driver = Driver::ALL
            .into_iter()
            .find(|known| known.name() == driver)
            .ok_or_else(|| UriError::Driver(driver.to_owned()))?;
        let transport = match transport {
            None => None,
            Some("ext") => return Err(UriError::ExternalProgram),
            Some("tcp") => Some(Transport::Tcp),
            Some("tls") => Some(Transport::Tls),
            Some("ssh") => Some(Transport::Ssh),
            Some(other) => return Err(UriError::Transport(other.to_owned())),
        };
        if rest.contains('#') {
            return Err(UriError::Fragment);
        }
        if let Some((_, query)) = rest.split_once('?') {
            return Err(refused_parameter(query));
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, authority),
        };
        if user.is_some_and(|user| user.contains(':')) {
            return Err(UriError::Password);
        }
        let (host, port) = split_address(address)?;
        let transport = match (transport, host) {
            (Some(transport), _) => transport,
            (None, Some(_)) => Transport::Tls,
            (None, None) => Transport::Local,
        };
        Self::new(driver, transport, user, host, port, path)
    }

    /// The test driver's host described by the file at `path`: for embedded fleets and tests.
    /// [`Uri::parse`] never gives one, so nobody can reach a file by registering a host.
    pub fn test_file(path: &Path) -> Self {
        // `absolute` fails only on an empty path or without a current directory; libvirt then
        // reports that the file cannot be read.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self {
            driver: Driver::Test,
            transport: Transport::Local,
            user: None,
            host: None,
            port: None,
            place: Place::TestFile(path),
        }
    }

    /// The driver.
    pub fn driver(&self) -> Driver {
        self.driver
    }

    /// The transport.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The user, for [`Transport::Ssh`].
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Host name, IPv4 or bracketed IPv6 address; `None` for this machine.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The port; `None` for the transport's default (16509 tcp, 16514 tls, 22 ssh).
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// `system`, `session`, `default`, or the percent-encoded file of a test host.
    pub fn path(&self) -> String {
        match &self.place {
            Place::System => "system".to_owned(),
            Place::Session => "session".to_owned(),
            Place::Default => "default".to_owned(),
            Place::TestFile(path) => percent_encoded(
                path.as_os_str()
                    .as_bytes()
                    .strip_prefix(b"/")
                    .unwrap_or_default(),
            ),
        }
    }

    /// Whether the driver runs inside this process: only the test driver on this machine.
    pub fn is_in_process(&self) -> bool {
        self.driver == Driver::Test && self.transport == Transport::Local
    }

    /// What libvirt is given: the URI and, for ssh, the order never to ask at a terminal.
    pub(crate) fn to_libvirt(&self) -> String {
        match self.transport {
            Transport::Ssh => format!("{self}?no_tty=1"),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.driver.name())?;
        if self.transport != Transport::Local {
            write!(f, "+{}", self.transport.name())?;
        }
        f.write_str("://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        if let Some(host) = &self.host {
            f.write_str(host)?;
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "/{}", self.path())
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        Self::parse(text)
    }
}

impl Place {
    fn of(driver: Driver, path: &str) -> Result<Self, UriError> {
        let (place, expected) = match (driver, path) {
            (Driver::Test, "default") => return Ok(Self::Default),
            (Driver::Test, _) => return Err(UriError::TestPath),
            (_, "system") => return Ok(Self::System),
            (Driver::Qemu, "session") => return Ok(Self::Session),
            (Driver::Qemu, other) => (other, "/system or /session"),
            (_, other) => (other, "/system"),
        };
        Err(UriError::Path {
            path: format!("/{place}"),
            driver,
            expected,
        })
    }
}

/// Host and port of `host:port`, `[v6]:port`, `host` or nothing.
fn split_address(address: &str) -> Result<(Option<&str>, Option<u16>), UriError> {
    let end_of_host = address.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match address[end_of_host..].rfind(':') {
        Some(colon) => {
            let (host, port) = address.split_at(end_of_host + colon);
            (host, Some(&port[1..]))
        }
        None => (address, None),
    };
    let port = match port {
        None => None,
        Some(text) => match text.parse::<u16>() {
            Ok(port) if port > 0 && text.bytes().all(|b| b.is_ascii_digit()) => Some(port),
            _ => return Err(UriError::Port(text.to_owned())),
        },
    };
    Ok(((!host.is_empty()).then_some(host), port))
}

/// A host name or address, and nothing that a program could take for an option.
fn check_host(host: &str) -> Result<(), UriError> {
    let valid = match host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            host.len() <= 253
                && host.starts_with(|c: char| c.is_ascii_alphanumeric())
                && host
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        }
    };
    if valid {
        Ok(())
    } else {
        Err(UriError::Host(host.to_owned()))
    }
}

fn check_user(user: &str) -> Result<(), UriError> {
    let valid = !user.is_empty()
        && user.len() <= 64
        && !user.starts_with('-')
        && user
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if valid {
        Ok(())
    } else {
        Err(UriError::User(user.to_owned()))
    }
}

/// Why the first parameter of `query` is refused.
fn refused_parameter(query: &str) -> UriError {
    let first = query
        .split(['&', ';'])
        .find(|part| !part.is_empty())
        .unwrap_or_default();
    let name = first.split('=').next().unwrap_or_default();
    match name.to_ascii_lowercase().as_str() {
        "command" => UriError::RunsProgram("command"),
        "netcat" => UriError::RunsProgram("netcat"),
        "socket" => UriError::Socket,
        "no_verify" => UriError::NoVerify("no_verify"),
        "no_sanity" => UriError::NoVerify("no_sanity"),
        "known_hosts_verify" => UriError::NoVerify("known_hosts_verify"),
        _ => UriError::Parameter(name.to_owned()),
    }
}

fn percent_encoded(bytes: &[u8]) -> String {
    use fmt::Write;
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}"); // writing to a String cannot fail
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> UriError {
        match Uri::parse(text) {
            Ok(uri) => panic!("{text} was accepted as {uri:?}"),
            Err(error) => {
                let sentence = error.to_string();
                assert!(sentence.ends_with('.'), "not a sentence: {sentence}");
                error
            }
        }
    }

    #[test]
    fn accepted_forms_come_back_as_they_were_written() {
        for text in [
            "qemu:///system",
            "qemu:///session",
            "qemu+tcp://10.0.0.1/system",
            "qemu+tcp://10.0.0.1:16509/system",
            "qemu+tls://host-a.example.net/system",
            "qemu+ssh://vms@host_a:2222/system",
            "qemu+ssh://[2001:db8::1]:22/session",
            "xen+ssh://root@xen1/system",
            "lxc:///system",
            "test:///default",
            "test+tcp://127.0.0.1/default",
        ] {
            assert_eq!(
                Uri::parse(text).map(|uri| uri.to_string()).as_deref(),
                Ok(text)
            );
        }
    }

    #[test]
    fn a_host_without_a_transport_means_tls_as_in_libvirt() {
        let uri = Uri::parse("qemu://host/system").unwrap();
        assert_eq!(uri.transport(), Transport::Tls);
        assert_eq!(uri.to_string(), "qemu+tls://host/system");
    }

    #[test]
    fn ssh_never_asks_at_a_terminal() {
        let uri = Uri::parse("qemu+ssh://host/system").unwrap();
        assert_eq!(uri.to_libvirt(), "qemu+ssh://host/system?no_tty=1");
    }

    #[test]
    fn ext_is_refused() {
        assert_eq!(
            refused("qemu+ext:///system?command=/tmp/x"),
            UriError::ExternalProgram
        );
    }

    #[test]
    fn libssh_and_other_transports_are_refused() {
        for name in ["libssh", "libssh2", "unix", "SSH", "", "tcp+tls"] {
            let error = refused(&format!("qemu+{name}://host/system"));
            assert_eq!(error, UriError::Transport(name.to_owned()));
        }
    }

    #[test]
    fn parameters_that_run_programs_are_refused() {
        for name in ["command", "netcat"] {
            let error = refused(&format!("qemu+ssh://host/system?{name}=/tmp/x"));
            assert!(matches!(error, UriError::RunsProgram(n) if n == name));
        }
        assert!(matches!(
            refused("qemu+ssh://h/system?COMMAND=x"),
            UriError::RunsProgram(_)
        ));
    }

    #[test]
    fn the_socket_parameter_is_refused() {
        assert_eq!(refused("qemu:///system?socket=/tmp/s"), UriError::Socket);
    }

    #[test]
    fn no_verify_is_refused() {
        for name in ["no_verify", "no_sanity", "known_hosts_verify"] {
            let error = refused(&format!("qemu+tls://host/system?{name}=1"));
            assert!(matches!(error, UriError::NoVerify(n) if n == name));
        }
    }

    #[test]
    fn every_other_parameter_is_refused() {
        for name in [
            "keyfile",
            "pkipath",
            "mode",
            "name",
            "proxy",
            "sshauth",
            "tls_priority",
            "",
        ] {
            let error = refused(&format!("qemu+ssh://host/system?{name}=1"));
            assert_eq!(error, UriError::Parameter(name.to_owned()));
        }
        assert_eq!(
            refused("qemu:///system?"),
            UriError::Parameter(String::new())
        );
    }

    #[test]
    fn test_paths_other_than_default_are_refused() {
        for text in [
            "test:///etc/passwd",
            "test:///default/",
            "test:///",
            "test+tcp://h/etc/passwd",
        ] {
            assert_eq!(refused(text), UriError::TestPath, "{text}");
        }
    }

    #[test]
    fn control_characters_spaces_and_escapes_are_refused() {
        for bad in [
            '\0', '\n', '\r', '\t', ' ', '\u{7f}', '%', '\\', '"', 'é', '\u{202e}',
        ] {
            assert_eq!(
                refused(&format!("qemu:///sys{bad}tem")),
                UriError::Character(bad)
            );
        }
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        let error = refused("qemu+ssh://user:s3cret@host/system");
        assert_eq!(error, UriError::Password);
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }

    #[test]
    fn names_that_ssh_could_take_for_options_are_refused() {
        assert!(matches!(
            refused("qemu+ssh://-oProxyCommand=x/system"),
            UriError::Host(_)
        ));
        assert!(matches!(
            refused("qemu+ssh://-oProxyCommand@host/system"),
            UriError::User(_)
        ));
        assert!(matches!(
            refused("qemu+ssh://a@b@host/system"),
            UriError::User(_)
        ));
        assert!(matches!(
            refused("qemu+ssh://@host/system"),
            UriError::User(_)
        ));
        assert!(matches!(
            refused("qemu+ssh://$(x)/system"),
            UriError::Host(_)
        ));
        assert!(matches!(
            refused("qemu+tcp://[::1/system"),
            UriError::Host(_)
        ));
        assert!(matches!(
            refused("qemu+tcp://::1/system"),
            UriError::Host(_)
        ));
    }

    #[test]
    fn ports_out_of_range_are_refused() {
        for port in ["0", "65536", "-1", "+22", "ssh", ""] {
            let error = refused(&format!("qemu+tcp://host:{port}/system"));
            assert_eq!(error, UriError::Port(port.to_owned()));
        }
    }

    #[test]
    fn hosts_must_fit_the_transport() {
        assert_eq!(refused("qemu+tcp:///system"), UriError::HostMissing("tcp"));
        assert_eq!(refused("qemu://:16509/system"), UriError::HostUnexpected);
        assert_eq!(refused("qemu+tcp://user@host/system"), UriError::UserUnused);
    }

    #[test]
    fn unknown_drivers_paths_and_shapes_are_refused() {
        assert_eq!(refused("esx://host/"), UriError::Driver("esx".to_owned()));
        assert_eq!(
            refused("QEMU:///system"),
            UriError::Driver("QEMU".to_owned())
        );
        assert_eq!(refused("qemu"), UriError::NoScheme);
        assert_eq!(refused(""), UriError::NoScheme);
        assert_eq!(refused("qemu:///system#x"), UriError::Fragment);
        assert!(matches!(refused("qemu:///embed"), UriError::Path { .. }));
        assert!(matches!(refused("qemu:///system/"), UriError::Path { .. }));
        assert!(matches!(refused("lxc:///session"), UriError::Path { .. }));
    }

    #[test]
    fn a_test_file_is_encoded() {
        let uri = Uri::test_file(Path::new("/tmp/a b?#%/node.xml"));
        assert_eq!(uri.to_string(), "test:///tmp/a%20b%3F%23%25/node.xml");
        assert!(uri.is_in_process());
    }
}
