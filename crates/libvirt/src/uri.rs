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
    /// A space, control character, percent sign, quote, backslash or non-ASCII letter.
    #[error(
        "A libvirt URI holds only plain ASCII without spaces, percent signs, quotes and backslashes; this one has the character {0:?}."
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
    /// `default`. The accessors give the fields back.
    ///
    /// ```
    /// use libvirt::{Driver, Transport, Uri};
    /// let user = Some("vms");
    /// let uri = Uri::new(Driver::Qemu, Transport::Ssh, user, Some("host-a"), Some(2222), "system")?;
    /// assert_eq!(uri.to_string(), "qemu+ssh://vms@host-a:2222/system");
    /// # Ok::<(), libvirt::UriError>(())
    /// ```
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
            .find(|c| !c.is_ascii_graphic() || matches!(c, '%' | '\\' | '"' | '\'' | '`'))
        {
            return Err(UriError::Character(bad));
        }
        let (scheme, rest) = text.split_once("://").ok_or(UriError::NoScheme)?;
        let (driver, transport) = match scheme.split_once('+') {
            Some((driver, transport)) => (driver, Some(transport)),
            None => (scheme, None),
        };
        let driver =
            Driver::from_name(driver).ok_or_else(|| UriError::Driver(driver.to_owned()))?;
        let transport = match transport {
            None => None,
            Some("ext") => return Err(UriError::ExternalProgram),
            // The local transport is not named in a URI.
            Some("") => return Err(UriError::Transport(String::new())),
            Some(name) => Some(
                Transport::from_name(name).ok_or_else(|| UriError::Transport(name.to_owned()))?,
            ),
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

    /// The file that describes a test host made by [`Uri::test_file`]; `None` for every other URI.
    pub fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::TestFile(path) => Some(path),
            _ => None,
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
            // One spelling a port: neither `+22` nor `022`.
            Ok(port) if port > 0 && port.to_string() == text => Some(port),
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

/// Everything encoded but letters, digits and what is harmless in a path or query.
pub(crate) fn percent_encoded(bytes: &[u8]) -> String {
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
    use proptest::prelude::*;

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
        for text in [
            "qemu+ext:///system?command=/tmp/x",
            "qemu+ext://host/system",
        ] {
            assert_eq!(refused(text), UriError::ExternalProgram);
        }
    }

    #[test]
    fn libssh_is_refused() {
        for name in ["libssh", "libssh2"] {
            let error = refused(&format!("qemu+{name}://host/system"));
            assert_eq!(error, UriError::Transport(name.to_owned()));
        }
    }

    #[test]
    fn unix_sockets_are_refused() {
        let error = refused("qemu+unix:///system?socket=/tmp/s");
        assert_eq!(error, UriError::Transport("unix".to_owned()));
    }

    #[test]
    fn every_other_transport_is_refused() {
        for name in ["", "SSH", "tcp+tls", "ssh2"] {
            let error = refused(&format!("qemu+{name}://host/system"));
            assert_eq!(error, UriError::Transport(name.to_owned()));
        }
    }

    #[test]
    fn the_command_parameter_is_refused() {
        for name in ["command", "COMMAND", "Command"] {
            let error = refused(&format!("qemu+ssh://host/system?{name}=/tmp/x"));
            assert_eq!(error, UriError::RunsProgram("command"));
        }
    }

    #[test]
    fn the_netcat_parameter_is_refused() {
        let error = refused("qemu+ssh://host/system?netcat=/tmp/x");
        assert_eq!(error, UriError::RunsProgram("netcat"));
    }

    #[test]
    fn the_socket_parameter_is_refused() {
        assert_eq!(refused("qemu:///system?socket=/tmp/s"), UriError::Socket);
    }

    #[test]
    fn parameters_that_switch_checks_off_are_refused() {
        for name in ["no_verify", "no_sanity", "known_hosts_verify"] {
            let error = refused(&format!("qemu+tls://host/system?{name}=1"));
            assert_eq!(error, UriError::NoVerify(name));
        }
    }

    #[test]
    fn the_keyfile_parameter_is_refused() {
        let error = refused("qemu+ssh://host/system?keyfile=/root/.ssh/id_ed25519");
        assert_eq!(error, UriError::Parameter("keyfile".to_owned()));
    }

    #[test]
    fn the_pkipath_parameter_is_refused() {
        let error = refused("qemu+tls://host/system?pkipath=/tmp/pki");
        assert_eq!(error, UriError::Parameter("pkipath".to_owned()));
    }

    #[test]
    fn our_own_no_tty_parameter_is_refused_too() {
        let error = refused("qemu+ssh://host/system?no_tty=0");
        assert_eq!(error, UriError::Parameter("no_tty".to_owned()));
    }

    #[test]
    fn every_other_parameter_is_refused() {
        for name in ["mode", "name", "proxy", "sshauth", "tls_priority", ""] {
            let error = refused(&format!("qemu+ssh://host/system?{name}=1"));
            assert_eq!(error, UriError::Parameter(name.to_owned()));
        }
        // Also one without a name or value, and one behind another separator.
        let nothing = UriError::Parameter(String::new());
        assert_eq!(refused("qemu:///system?"), nothing);
        assert_eq!(refused("qemu:///system?;socket=/tmp/s"), UriError::Socket);
    }

    #[test]
    fn a_fragment_is_refused() {
        assert_eq!(refused("qemu:///system#x"), UriError::Fragment);
        assert_eq!(refused("qemu+ssh://host#/system"), UriError::Fragment);
    }

    #[test]
    fn files_of_this_machine_are_refused() {
        for text in [
            "test:///foreign/path",
            "test:///etc/passwd",
            "test:////etc/passwd",
            "test:///default/",
            "test:///default/../etc/passwd",
            "test:///",
            "test+tcp://h/etc/passwd",
        ] {
            assert_eq!(refused(text), UriError::TestPath, "{text}");
        }
    }

    #[test]
    fn percent_escapes_are_refused() {
        for text in ["test:///%64efault", "qemu+ssh://h%6fst/system", "qemu:///%"] {
            assert_eq!(refused(text), UriError::Character('%'));
        }
    }

    #[test]
    fn spaces_and_control_characters_are_refused() {
        for bad in ['\0', '\n', '\r', '\t', ' ', '\u{7f}', '\u{1b}'] {
            let text = format!("qemu:///sys{bad}tem");
            assert_eq!(refused(&text), UriError::Character(bad));
        }
        assert_eq!(refused("qemu:///system "), UriError::Character(' '));
    }

    #[test]
    fn quotes_and_backslashes_are_refused() {
        for bad in ['"', '\'', '`', '\\'] {
            let text = format!("qemu+ssh://ho{bad}st/system");
            assert_eq!(refused(&text), UriError::Character(bad));
        }
    }

    #[test]
    fn letters_that_are_not_ascii_are_refused() {
        for bad in ['é', '\u{202e}', '．'] {
            let text = format!("qemu+tls://host{bad}example/system");
            assert_eq!(refused(&text), UriError::Character(bad));
        }
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        let error = refused("qemu+ssh://user:s3cret@host/system");
        assert_eq!(error, UriError::Password);
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }

    #[test]
    fn a_host_that_looks_like_an_option_is_refused() {
        for host in ["-oProxyCommand=x", "-host", "--"] {
            let error = refused(&format!("qemu+ssh://{host}/system"));
            assert_eq!(error, UriError::Host(host.to_owned()));
        }
    }

    #[test]
    fn a_user_that_looks_like_an_option_is_refused() {
        let error = refused("qemu+ssh://-oProxyCommand@host/system");
        assert_eq!(error, UriError::User("-oProxyCommand".to_owned()));
    }

    #[test]
    fn names_that_a_shell_could_read_are_refused() {
        for host in ["$(x)", "a;b", "a|b", "~", "a,b", "*"] {
            let error = refused(&format!("qemu+ssh://{host}/system"));
            assert_eq!(error, UriError::Host(host.to_owned()));
        }
        for user in ["$(x)", "a@b", "", "a;b"] {
            let error = refused(&format!("qemu+ssh://{user}@host/system"));
            assert_eq!(error, UriError::User(user.to_owned()));
        }
    }

    #[test]
    fn addresses_that_are_none_are_refused() {
        for (host, named) in [("[::1", "[:"), ("::1", ":"), ("[1.2.3.4]", "[1.2.3.4]")] {
            let error = refused(&format!("qemu+tcp://{host}/system"));
            assert_eq!(error, UriError::Host(named.to_owned()));
        }
        let text = format!("qemu+tcp://{}/system", "a".repeat(254));
        assert!(matches!(refused(&text), UriError::Host(_)));
    }

    #[test]
    fn zones_of_ipv6_addresses_are_refused() {
        for text in [
            "qemu+tcp://[fe80::1%eth0]/system",
            "qemu+tcp://[fe80::1%25eth0]/system",
        ] {
            assert_eq!(refused(text), UriError::Character('%'));
        }
        // By typed fields as well.
        let host = Some("[fe80::1%eth0]");
        let uri = Uri::new(Driver::Qemu, Transport::Tcp, None, host, None, "system");
        assert!(matches!(uri, Err(UriError::Host(_))));
    }

    #[test]
    fn ports_out_of_range_are_refused() {
        for port in ["0", "65536", "-1", "99999999999"] {
            let error = refused(&format!("qemu+tcp://host:{port}/system"));
            assert_eq!(error, UriError::Port(port.to_owned()));
        }
        let uri = Uri::new(
            Driver::Qemu,
            Transport::Tcp,
            None,
            Some("h"),
            Some(0),
            "system",
        );
        assert_eq!(uri, Err(UriError::Port("0".to_owned())));
    }

    #[test]
    fn ports_in_another_spelling_are_refused() {
        for port in ["+22", "022", "ssh", "", "0x16", "2_2"] {
            let error = refused(&format!("qemu+tcp://host:{port}/system"));
            assert_eq!(error, UriError::Port(port.to_owned()));
        }
    }

    #[test]
    fn a_remote_transport_without_a_host_is_refused() {
        for name in ["tcp", "tls", "ssh"] {
            let error = refused(&format!("qemu+{name}:///system"));
            assert_eq!(error, UriError::HostMissing(name));
        }
        assert_eq!(
            refused("qemu+tcp://:16509/system"),
            UriError::HostMissing("tcp")
        );
    }

    #[test]
    fn a_local_connection_with_a_port_or_user_is_refused() {
        assert_eq!(refused("qemu://:16509/system"), UriError::HostUnexpected);
        assert_eq!(refused("qemu://user@/system"), UriError::HostUnexpected);
    }

    #[test]
    fn a_user_without_ssh_is_refused() {
        assert_eq!(refused("qemu+tcp://user@host/system"), UriError::UserUnused);
    }

    #[test]
    fn unknown_drivers_are_refused() {
        for name in ["esx", "QEMU", "", "vbox", "qemu:"] {
            let error = refused(&format!("{name}://host/system"));
            assert_eq!(error, UriError::Driver(name.to_owned()));
        }
    }

    #[test]
    fn what_is_no_uri_is_refused() {
        for text in ["", "qemu", "qemu:/system", "/etc/libvirt", "host:16509"] {
            assert_eq!(refused(text), UriError::NoScheme);
        }
    }

    #[test]
    fn unknown_paths_are_refused() {
        for text in [
            "qemu:///embed",
            "qemu:///system/",
            "qemu:////system",
            "qemu:///",
            "qemu://host",
            "lxc:///session",
        ] {
            assert!(matches!(refused(text), UriError::Path { .. }), "{text}");
        }
    }

    proptest! {
        /// Whatever is accepted holds nothing that could hide something, and is read back, from
        /// its text and from its fields, as the same.
        #[test]
        fn what_is_accepted_is_read_back_as_the_same(text in uris()) {
            if let Ok(uri) = Uri::parse(&text) {
                let written = uri.to_string();
                prop_assert!(!written.contains(['?', '#', '%', '\'', '"', '\\']));
                prop_assert!(written.chars().all(|c| c.is_ascii_graphic()));
                prop_assert_eq!(Uri::parse(&written), Ok(uri.clone()));
                let (user, host) = (uri.user(), uri.host());
                let built =
                    Uri::new(uri.driver(), uri.transport(), user, host, uri.port(), &uri.path());
                prop_assert_eq!(built, Ok(uri));
            }
        }

        #[test]
        fn text_of_any_kind_does_no_harm(text in ".*") {
            if let Err(error) = Uri::parse(&text) {
                prop_assert!(error.to_string().ends_with('.'));
            }
        }
    }

    /// Text in the shape of a URI, of parts that are right more often than not.
    fn uris() -> impl Strategy<Value = String> {
        let mostly = |right: &'static str, wrong: &'static str| prop_oneof![8 => right, 1 => wrong];
        let scheme = mostly(
            "(qemu|xen|lxc|test)(\\+(tcp|tls|ssh))?",
            "\\PC{0,4}\\+(ext|unix)?",
        );
        let user = mostly("([a-z][a-z0-9._-]{0,5}@)?", "(-o|a:b|\\PC)@");
        let address = "([a-z0-9][a-zA-Z0-9._-]{0,12}|\\[::[0-9a-f]{1,4}\\]|10\\.0\\.[0-9]\\.1|)";
        let host = mostly(address, "\\PC{1,4}");
        let port = mostly("(:[1-9][0-9]{0,3})?", ":[0-9+]{0,6}");
        let path = mostly(
            "/(system|session|default)",
            "(/\\PC{0,6})?(\\?command=x|#f|%41)?",
        );
        let parts = (scheme, user, host, port, path);
        parts.prop_map(|(scheme, user, host, port, path)| {
            format!("{scheme}://{user}{host}{port}{path}")
        })
    }

    #[test]
    fn a_test_file_is_encoded() {
        let uri = Uri::test_file(Path::new("/tmp/a b?#%/node.xml"));
        assert_eq!(uri.to_string(), "test:///tmp/a%20b%3F%23%25/node.xml");
        assert!(uri.is_in_process());
        assert_eq!(uri.file(), Some(Path::new("/tmp/a b?#%/node.xml")));
        // Such a URI cannot be had from text or from fields.
        assert!(Uri::parse(&uri.to_string()).is_err());
        let path = uri.path();
        assert!(Uri::new(Driver::Test, Transport::Local, None, None, None, &path).is_err());
    }
}
