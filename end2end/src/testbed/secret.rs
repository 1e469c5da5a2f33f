//! Keys and certificates, right and wrong ones, and the doors of a host that ask for them.
//!
//! Everything is made at test time and gone afterwards. SSH needs `ssh-keygen`, TLS `openssl`;
//! `sshd` itself comes through the [cache](super::cache), for installing it would start it.

use std::{
    fs::{self, Permissions},
    net::IpAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::{
    Testbed,
    cache::{self, run},
    daemon::Daemon,
    fault::Fault,
    host::{BIN, Host, TLS_PORT},
};
use crate::Scratch;

/// An `sshd` on a host's management address, port 22, for `root` with one key; dropped, it is
/// gone.
#[derive(Debug)]
pub struct SshServer {
    name: String,
    address: IpAddr,
    files: Scratch,
    _daemon: Daemon,
}

/// Where `sshd` has its files on the host.
const SSHD: &str = "/run/sshd";

impl SshServer {
    /// Makes the keys and starts it.
    ///
    /// # Errors
    /// `ssh-keygen` is missing, or `sshd` cannot be downloaded or does not start.
    pub fn start(host: &Host) -> Result<Self> {
        let server = cache::daemons()?;
        let files = Scratch::new()?;
        for key in ["host", "key", "wrong-host", "wrong-key"] {
            run(Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key])
                .current_dir(files.path()))
            .context("package openssh-client")?;
        }
        let address = host.address().into();
        for (name, key) in [("known-hosts", "host"), ("wrong-known-hosts", "wrong-host")] {
            let public = fs::read_to_string(files.path().join(format!("{key}.pub")))?;
            fs::write(files.path().join(name), format!("{address} {public}"))?;
        }
        let machine = host.machine();
        let home = machine.path(SSHD);
        fs::create_dir_all(&home)?;
        fs::copy(files.path().join("host"), home.join("host-key"))?;
        fs::copy(files.path().join("key.pub"), home.join("authorized-keys"))?;
        let settings = format!(
            "ListenAddress {address}
HostKey {SSHD}/host-key
AuthorizedKeysFile {SSHD}/authorized-keys
PidFile none
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
SetEnv PATH={BIN}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
"
        );
        fs::write(home.join("config"), settings)?;
        let mut command = server.command(machine, "sshd");
        command.args(["-D", "-e", "-f", &format!("{SSHD}/config")]);
        let name = format!("sshd of {}", host.plan().id);
        let mut daemon = Daemon::start(machine, &mut command, &name, "/run/sshd/log")?;
        daemon.wait_listening((address, 22).into())?;
        Ok(Self {
            name: host.plan().id.clone(),
            address,
            files,
            _daemon: daemon,
        })
    }

    /// How libvirt is reached: `key` is a file with a private key, `program` is called as `ssh`
    /// is.
    pub fn uri(&self, key: &Path, program: &Path) -> String {
        format!(
            "qemu+ssh://root@{}/system?keyfile={}&command={}",
            self.address,
            key.display(),
            program.display()
        )
    }

    /// The host's part of a configuration for `ssh -F`, by which it is known by its name.
    fn client_config(&self) -> String {
        format!(
            "Host {}\n HostName {}\n User root\n IdentityFile {}\n UserKnownHostsFile {}\n",
            self.name,
            self.address,
            self.key().display(),
            self.known_hosts().display()
        )
    }

    /// A file with the private key that opens.
    pub fn key(&self) -> PathBuf {
        self.files.path().join("key")
    }

    /// A file with a private key that nobody knows.
    pub fn wrong_key(&self) -> PathBuf {
        self.files.path().join("wrong-key")
    }

    /// A file for `UserKnownHostsFile`, whose only line has the host's key.
    pub fn known_hosts(&self) -> PathBuf {
        self.files.path().join("known-hosts")
    }

    /// The same with another key: somebody else pretends to be the host.
    pub fn wrong_known_hosts(&self) -> PathBuf {
        self.files.path().join("wrong-known-hosts")
    }

    /// A program that is called as `ssh` is, asks nothing, and trusts the hosts of that file only.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn program(&self, known_hosts: &Path) -> Result<PathBuf> {
        let name = known_hosts.file_name().unwrap_or_default();
        let path = self
            .files
            .path()
            .join(format!("ssh-{}", name.to_string_lossy()));
        let text = format!(
            "#!/bin/sh\nexec ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=yes \
             -o UserKnownHostsFile={} -o ConnectTimeout=10 \"$@\"\n",
            known_hosts.display()
        );
        fs::write(&path, text)?;
        fs::set_permissions(&path, Permissions::from_mode(0o755))?;
        Ok(path)
    }
}

/// SSH to every host of a testbed, for a `vms` that takes care of it.
#[derive(Debug)]
pub struct Doors(Vec<SshServer>);

impl Doors {
    /// Opens them.
    ///
    /// # Errors
    /// As [`SshServer::start`].
    pub fn open(bed: &Testbed) -> Result<Self> {
        let servers = bed.hosts().iter().map(SshServer::start);
        Ok(Self(servers.collect::<Result<_>>()?))
    }

    /// Puts the keys, each called as its host is, and the known hosts into the data directory of
    /// `vms`. Of earlier testbeds there, only what has the same name or address is replaced.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn hand_over(&self, data: &Path) -> Result<()> {
        let [keys, ssh] = ["keys", "ssh"].map(|name| data.join(name));
        for directory in [&keys, &ssh] {
            fs::create_dir_all(directory)?;
            fs::set_permissions(directory, Permissions::from_mode(0o700))?;
        }
        let file = ssh.join("known_hosts");
        let known = fs::read_to_string(&file).unwrap_or_default();
        let of_others = |line: &&str| {
            let mut own = self.0.iter();
            !own.any(|door| line.starts_with(&format!("{} ", door.address)))
        };
        let mut lines: Vec<_> = known.lines().filter(of_others).map(str::to_owned).collect();
        for door in &self.0 {
            lines.push(fs::read_to_string(door.known_hosts())?.trim_end().into());
            fs::copy(door.key(), keys.join(&door.name))?;
        }
        fs::write(file, lines.join("\n") + "\n")?;
        Ok(())
    }

    /// The configuration for `ssh -F`, by which hosts are known by their names.
    pub fn client_config(&self) -> String {
        self.0.iter().map(SshServer::client_config).collect()
    }
}

/// A certificate authority, and the client certificate that it has signed.
#[derive(Debug)]
pub struct Authority(Scratch);

impl Authority {
    /// Makes both.
    ///
    /// # Errors
    /// `openssl` is missing.
    pub fn new() -> Result<Self> {
        let files = Scratch::new()?;
        let itself = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n";
        certificate(files.path(), "ca", "testbed", itself, None)?;
        let authority = Self(files);
        let client = "extendedKeyUsage=clientAuth\n";
        certificate(
            authority.0.path(),
            "client",
            "vms",
            client,
            Some(&authority),
        )?;
        Ok(authority)
    }

    /// The directory for libvirt's `pkipath`: `cacert.pem`, `clientcert.pem` and `clientkey.pem`.
    pub fn client_directory(&self) -> &Path {
        self.0.path()
    }
}

impl Host {
    /// Makes `libvirtd` listen for TLS as well, with a certificate of that authority for that name
    /// or address, and for those only whose certificate it has signed. The daemon is restarted
    /// for it, and again when this is undone.
    ///
    /// # Errors
    /// `openssl` is missing, or the daemon does not start.
    pub fn offer_tls(&self, authority: &Authority, name: &str) -> Result<Fault<'_>> {
        let kind = match name.parse::<IpAddr>() {
            Ok(_) => "IP",
            Err(_) => "DNS",
        };
        let home = self.machine().path(TLS);
        fs::create_dir_all(&home)?;
        let extensions = format!("extendedKeyUsage=serverAuth\nsubjectAltName={kind}:{name}\n");
        certificate(&home, "server", name, &extensions, Some(authority))?;
        fs::copy(
            authority.0.path().join("cacert.pem"),
            home.join("cacert.pem"),
        )?;
        self.configure(&format!(
            "listen_tls = 1
ca_file = \"{TLS}/cacert.pem\"
cert_file = \"{TLS}/servercert.pem\"
key_file = \"{TLS}/serverkey.pem\"
"
        ))?;
        self.restart_daemon()?;
        self.wait_port(TLS_PORT)?;
        Ok(Fault::new("TLS offered", move || {
            self.configure("listen_tls = 0\n")?;
            self.restart_daemon()
        }))
    }

    /// How libvirt is reached by TLS, at the name or address that is given.
    pub fn tls_uri(&self, authority: &Authority, name: &str) -> String {
        let directory = authority.client_directory().display();
        format!("qemu+tls://{name}/system?pkipath={directory}")
    }
}

/// Where `libvirtd` has its certificates on the host.
const TLS: &str = "/run/tls";

/// Makes `WHAT` + `key.pem` and `WHAT` + `cert.pem` in a directory.
fn certificate(
    directory: &Path,
    what: &str,
    name: &str,
    extensions: &str,
    signer: Option<&Authority>,
) -> Result<()> {
    // A file of our own: extensions of the machine's openssl.cnf would come twice.
    let settings = directory.join(format!("{what}.cnf"));
    fs::write(
        &settings,
        format!(
            "[req]\nprompt=no\ndistinguished_name=name\nx509_extensions=extensions\n\
             [name]\nCN={name}\n[extensions]\n{extensions}"
        ),
    )?;
    let mut command = Command::new("openssl");
    command
        .args(["req", "-x509", "-days", "2", "-nodes", "-newkey", "ec"])
        .args(["-pkeyopt", "ec_paramgen_curve:P-256", "-config"])
        .arg(&settings)
        .arg("-keyout")
        .arg(directory.join(format!("{what}key.pem")))
        .arg("-out")
        .arg(directory.join(format!("{what}cert.pem")));
    if let Some(Authority(signer)) = signer {
        command.arg("-CA").arg(signer.path().join("cacert.pem"));
        command.arg("-CAkey").arg(signer.path().join("cakey.pem"));
    }
    run(&mut command).context("package openssl")?;
    Ok(())
}
