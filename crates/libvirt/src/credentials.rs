//! What proves to a host who we are: files, never their contents.
//!
//! libvirt takes them as parameters of its URI. A [`Uri`] has none, so that nobody can choose a
//! program by registering a host; they are added here, last, by whoever runs this process.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::driver::Transport;
use crate::error::Fault;
use crate::uri::{Uri, percent_encoded};

/// Files with which a connection logs in. Each is used only by the transport that it is for.
///
/// They show in no error and in no [`Uri`].
///
/// ```
/// use libvirt::{Credentials, Options};
/// let credentials = Credentials {
///     ssh_key: Some("/var/lib/vms/id_ed25519".into()),
///     ..Credentials::default()
/// };
/// let options = Options { credentials, ..Options::default() };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The program that is run as `ssh`: one that knows its own configuration, for example.
    pub ssh_program: Option<PathBuf>,
    /// The private key for [`Transport::Ssh`].
    pub ssh_key: Option<PathBuf>,
    /// The directory for [`Transport::Tls`] with `cacert.pem`, `clientcert.pem`, `clientkey.pem`.
    pub tls_directory: Option<PathBuf>,
}

impl Credentials {
    /// libvirt's parameter, its value, and what stands for the value in messages.
    fn parameters(
        &self,
    ) -> impl Iterator<Item = (Transport, &'static str, &Path, &'static str)> + '_ {
        [
            (
                Transport::Ssh,
                "command",
                &self.ssh_program,
                "(ssh program)",
            ),
            (Transport::Ssh, "keyfile", &self.ssh_key, "(ssh key)"),
            (
                Transport::Tls,
                "pkipath",
                &self.tls_directory,
                "(TLS directory)",
            ),
        ]
        .into_iter()
        .filter_map(|(transport, name, path, instead)| {
            Some((transport, name, path.as_deref()?, instead))
        })
    }

    /// What libvirt is given to open: the URI with the parameters that its transport uses.
    pub(crate) fn to_libvirt(&self, uri: &Uri) -> String {
        let mut text = uri.to_libvirt();
        for (transport, name, path, _) in self.parameters() {
            if transport == uri.transport() {
                text.push(if text.contains('?') { '&' } else { '?' });
                text.push_str(name);
                text.push('=');
                text.push_str(&percent_encoded(path.as_os_str().as_bytes()));
            }
        }
        text
    }

    /// The fault without the files, which libvirt likes to repeat.
    pub(crate) fn scrub(&self, uri: &Uri, mut fault: Fault) -> Fault {
        for (transport, _, path, instead) in self.parameters() {
            // A bare name, a program found in PATH, is no secret, and a part of many words.
            if transport != uri.transport() || !path.has_root() {
                continue;
            }
            let encoded = percent_encoded(path.as_os_str().as_bytes());
            for secret in [path.to_string_lossy().as_ref(), encoded.as_str()] {
                if fault.message.contains(secret) {
                    fault.message = fault.message.replace(secret, instead);
                }
            }
        }
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Credentials {
        Credentials {
            ssh_program: Some("/opt/my ssh".into()),
            ssh_key: Some("/keys/a&b=?#%".into()),
            tls_directory: Some("/pki/vms".into()),
        }
    }

    #[test]
    fn each_transport_is_given_its_own_and_no_other() {
        let given = |uri: &str| all().to_libvirt(&Uri::parse(uri).unwrap());
        assert_eq!(
            given("qemu+ssh://u@h/system"),
            "qemu+ssh://u@h/system?no_tty=1&command=/opt/my%20ssh&keyfile=/keys/a%26b%3D%3F%23%25"
        );
        assert_eq!(
            given("qemu+tls://h/system"),
            "qemu+tls://h/system?pkipath=/pki/vms"
        );
        for plain in ["qemu+tcp://h/system", "qemu:///system", "test:///default"] {
            assert_eq!(given(plain), plain);
        }
        let uri = Uri::parse("qemu+tls://h/system").unwrap();
        assert_eq!(Credentials::default().to_libvirt(&uri), uri.to_string());
    }

    #[test]
    fn what_libvirt_repeats_is_left_out() {
        let fault = |uri: &str, message: &str| {
            let message = message.to_owned();
            let uri = Uri::parse(uri).unwrap();
            all()
                .scrub(
                    &uri,
                    Fault {
                        code: 1,
                        domain: 1,
                        message,
                    },
                )
                .message
        };
        assert_eq!(
            fault(
                "qemu+tls://h/system",
                "Cannot read CA certificate '/pki/vms/cacert.pem': No such file or directory"
            ),
            "Cannot read CA certificate '(TLS directory)/cacert.pem': No such file or directory"
        );
        assert_eq!(
            fault(
                "qemu+ssh://h/system",
                "Identity /keys/a&b=?#% and /keys/a%26b%3D%3F%23%25, by /opt/my ssh"
            ),
            "Identity (ssh key) and (ssh key), by (ssh program)"
        );
    }

    #[test]
    fn a_key_is_a_path_and_nothing_else_in_logs() {
        let shown = format!("{:?}", all());
        assert!(shown.contains("/pki/vms"), "{shown}");
    }
}
