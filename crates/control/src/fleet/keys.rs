//! What a host is reached with: keys, known hosts and certificates, all in the data directory.
//!
//! | place | what |
//! |---|---|
//! | `keys/NAME` | a private key for SSH, named by an endpoint |
//! | `ssh/known_hosts` | host keys that are trusted, beside those of the server's user |
//! | `pki/` | for TLS: `cacert.pem`, `clientcert.pem`, `clientkey.pem`; if absent, libvirt's own places |
//!
//! libvirt starts `ssh` itself, with few of its options. So it is given a program to start instead,
//! written here, that adds those without which a host could pass for another, ask a question that
//! nobody sees, or never answer.

use crate::settings::SshAddress;
use libvirt::{Credentials, Transport, Uri};
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    str::FromStr,
};

/// What `ssh` is started by. The user's own configuration is read (for names and jump hosts), but
/// what stands on the command line counts before it.
const PROGRAM: &str = r#"#!/bin/sh
# Written by VMS at every start: what is changed here is lost.
exec ssh \
    -o BatchMode=yes \
    -o StrictHostKeyChecking=yes \
    -o UserKnownHostsFile="KNOWN_HOSTS ~/.ssh/known_hosts" \
    -o PasswordAuthentication=no \
    -o KbdInteractiveAuthentication=no \
    -o ConnectTimeout=10 \
    -o ServerAliveInterval=5 \
    -o ServerAliveCountMax=3 \
    -o ControlMaster=no \
    -o ControlPath=none \
    -o ForwardAgent=no \
    -o ForwardX11=no \
    -o PermitLocalCommand=no \
    "$@"
"#;

/// The name of a private key in the data directory: a file's name, and nothing that leads elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName(String);

impl KeyName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let fits = (1..=64).contains(&text.len())
            && text.chars().all(plain)
            && text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if fits {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "{text:?} is not the name of a key: the name of a file in the directory keys of the \
             data directory was expected, of letters, digits, '.', '_' and '-'"
        ))
    }
}

/// Where keys and certificates are.
#[derive(Clone, Debug)]
pub(crate) struct KeyStore {
    keys: PathBuf,
    program: PathBuf,
    pki: PathBuf,
}

impl KeyStore {
    /// Makes what is missing. Nobody but this user may look inside.
    pub fn open(data: &Path) -> io::Result<Self> {
        let data = std::path::absolute(data)?;
        let (keys, ssh) = (data.join("keys"), data.join("ssh"));
        for directory in [&keys, &ssh] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)?;
        }
        let known_hosts = ssh.join("known_hosts");
        fs::File::options()
            .create(true)
            .append(true)
            .open(&known_hosts)?;
        let program = ssh.join("ssh");
        // Written beside and renamed: one that is being started stays whole.
        let fresh = ssh.join("ssh.new");
        fs::write(&fresh, script(&known_hosts)?)?;
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o700))?;
        fs::rename(&fresh, &program)?;
        Ok(Self {
            keys,
            program,
            pki: data.join("pki"),
        })
    }

    /// What a URI is opened with.
    pub fn credentials(&self, uri: &Uri, key: Option<&KeyName>) -> Credentials {
        let mut credentials = Credentials::default();
        match uri.transport() {
            Transport::Ssh => {
                credentials.ssh_program = Some(self.program.clone());
                credentials.ssh_key = key.map(|key| self.path(key));
            }
            Transport::Tls if self.pki.is_dir() => {
                credentials.tls_directory = Some(self.pki.clone());
            }
            _ => {}
        }
        credentials
    }

    /// The command that runs a program on a host by SSH, its words still missing; or why there is
    /// none.
    pub fn ssh(&self, to: &SshAddress) -> Result<tokio::process::Command, String> {
        let mut command = tokio::process::Command::new(&self.program);
        command.args(["-T", "-e", "none"]);
        if let Some(port) = to.port() {
            command.arg("-p").arg(port.to_string());
        }
        if let Some(user) = to.user() {
            command.arg("-l").arg(user);
        }
        if let Some(key) = to.key() {
            // Where keys are is not for the log.
            if self.complaint(key).is_some() {
                let key = key.as_str();
                return Err(format!(
                    "The key {key} cannot be used: it is missing, or others can read it."
                ));
            }
            command.arg("-i").arg(self.path(key));
        }
        command.arg("--").arg(to.host());
        Ok(command)
    }

    /// Why a key cannot be used, if it cannot: a sentence without a full stop.
    pub fn complaint(&self, key: &KeyName) -> Option<String> {
        let path = self.path(key);
        let Ok(found) = fs::metadata(&path) else {
            return Some(format!(
                "there is no key {0}: put the private key into {1}, readable for the server's user \
                 only",
                key.as_str(),
                path.display()
            ));
        };
        (found.permissions().mode() & 0o077 != 0).then(|| {
            format!(
                "the key {} can be read by others, and ssh refuses such a key: chmod 600 {}",
                key.as_str(),
                path.display()
            )
        })
    }

    fn path(&self, key: &KeyName) -> PathBuf {
        self.keys.join(key.as_str())
    }
}

/// The program, with the place of the known hosts in it.
fn script(known_hosts: &Path) -> io::Result<String> {
    // Between double quotes of a shell and again of ssh: what either would read is refused.
    let text = known_hosts
        .to_str()
        .filter(|text| !text.contains(['"', '\\', '$', '`', '\n', '%']))
        .ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "the data directory's name has a quote, backslash, dollar, percent sign or line \
                 break in it: choose another",
            )
        })?;
    Ok(PROGRAM.replace("KNOWN_HOSTS", &format!("\\\"{text}\\\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_file_in_its_directory_and_no_other() {
        for name in ["rio", "rio-1.ed25519", "a"] {
            assert_eq!(name.parse::<KeyName>().unwrap().as_str(), name);
        }
        let long = "x".repeat(65);
        for name in [
            "",
            ".",
            "..",
            "../id",
            "/etc/passwd",
            "a/b",
            "-i",
            "a b",
            "a\0",
            &long,
        ] {
            let error = name.parse::<KeyName>().unwrap_err();
            assert!(error.contains("directory keys"), "{error}");
        }
    }

    #[test]
    fn a_key_that_is_not_there_or_open_to_others_is_told() {
        let data = tempfile::tempdir().unwrap();
        let store = KeyStore::open(data.path()).unwrap();
        let key: KeyName = "rio".parse().unwrap();
        assert!(store.complaint(&key).unwrap().contains("there is no key"));
        let path = data.path().join("keys/rio");
        fs::write(&path, "key").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(store.complaint(&key).unwrap().contains("chmod 600"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(store.complaint(&key), None);
    }

    #[test]
    fn ssh_is_told_to_check_and_never_to_ask() {
        let data = tempfile::tempdir().unwrap();
        let store = KeyStore::open(data.path()).unwrap();
        let uri = Uri::parse("qemu+ssh://rio/system").unwrap();
        let credentials = store.credentials(&uri, None);
        // ssh itself says what it understood.
        let output = std::process::Command::new(credentials.ssh_program.unwrap())
            .args(["-G", "-F", "none", "rio"])
            .output()
            .unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let known = data.path().join("ssh/known_hosts");
        for line in [
            "batchmode yes",
            "stricthostkeychecking true",
            "connecttimeout 10",
            &format!("userknownhostsfile {} ", known.display()),
        ] {
            assert!(told.contains(line), "{line:?} is not in {told}{errors}");
        }
        let words = |uri: &str, key: Option<&str>| {
            let address = SshAddress::of(&Uri::parse(uri).unwrap()).unwrap();
            let address = address.with_key(key.map(|key| key.parse().unwrap()));
            let command = store.ssh(&address)?;
            let words = command
                .as_std()
                .get_args()
                .map(|word| word.to_str().unwrap());
            Ok::<_, String>(words.collect::<Vec<_>>().join(" "))
        };
        let plain = words("qemu+ssh://rio/system", None).unwrap();
        assert_eq!(plain, "-T -e none -- rio");
        let full = words("qemu+ssh://ana@[2001:db8::1]:2222/system", None).unwrap();
        assert_eq!(full, "-T -e none -p 2222 -l ana -- 2001:db8::1");
        let missing = words("qemu+ssh://rio/system", Some("rio")).unwrap_err();
        assert!(missing.contains("The key rio cannot be used"), "{missing}");

        let tls = Uri::parse("qemu+tls://rio/system").unwrap();
        assert_eq!(store.credentials(&tls, None).tls_directory, None);
        fs::create_dir(data.path().join("pki")).unwrap();
        let pki = Some(data.path().join("pki"));
        assert_eq!(store.credentials(&tls, None).tls_directory, pki);
    }
}
