//! One libvirt host of a testbed: a [`Machine`] with a daemon and its guests.

use std::{
    fmt::Write,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};

use super::{
    domain,
    guest::GuestImage,
    machine::{Machine, text},
    plan::{HostPlan, RouterPlan},
};
use crate::until;

/// libvirt's port for unencrypted TCP.
const PORT: u16 = 16509;
/// How long the daemon and a router may take on a loaded machine.
const LIMIT: Duration = Duration::from_mins(2);
/// The daemon's log, on the host.
const LOG: &str = "/var/log/libvirt/libvirtd.log";

/// A running host.
#[derive(Debug)]
pub struct Host {
    plan: HostPlan,
    address: Ipv4Addr,
    daemon: Option<Child>,
    machine: Machine,
}

impl Host {
    /// Makes the machine and its files; [`start_daemon`](Self::start_daemon) comes when it
    /// is wired. `names` is its `/etc/hosts`: libvirt migrates to hosts by their names.
    pub(super) fn prepare(plan: &HostPlan, address: Ipv4Addr, names: &str) -> Result<Self> {
        let machine = Machine::boot(&plan.id)?;
        fs::write(machine.path("/etc/hosts"), names)?;
        fs::write(
            machine.path("/etc/libvirt/libvirtd.conf"),
            daemon_settings(plan),
        )?;
        fs::write(machine.path("/etc/libvirt/qemu.conf"), QEMU_SETTINGS)?;
        Ok(Self {
            plan: plan.clone(),
            address,
            daemon: None,
            machine,
        })
    }

    /// Makes the bridges, with their ports, and gives the management NIC its address.
    pub(super) fn wire(&self) -> Result<()> {
        let mut commands = format!("addr add {}/24 dev mgmt\nlink set mgmt up\n", self.address);
        for bridge in &self.plan.bridges {
            let _ = writeln!(commands, "link add {} type bridge", bridge.name);
            for port in &bridge.ports {
                let _ = writeln!(commands, "link set {port} master {}", bridge.name);
            }
            let _ = writeln!(commands, "link set {} up", bridge.name);
        }
        self.machine
            .ip(&commands)
            .with_context(|| format!("cannot wire host {}", self.plan.id))
    }

    /// Starts `libvirtd`. Guests that run are found again: the state in `/run` is kept.
    ///
    /// # Errors
    /// The daemon is not installed or already runs.
    pub fn start_daemon(&mut self) -> Result<()> {
        if self.daemon.is_some() {
            bail!("the daemon of {} is already running", self.plan.id);
        }
        let out = File::options()
            .create(true)
            .append(true)
            .open(self.machine.path(LOG))?;
        let daemon = self
            .machine
            .command("libvirtd")
            .arg("--listen")
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .context("cannot run nsenter (package util-linux)")?;
        self.daemon = Some(daemon);
        Ok(())
    }

    /// Waits until the daemon answers.
    ///
    /// # Errors
    /// It ended (the sentence holds its log) or does not answer.
    pub fn wait_daemon(&mut self) -> Result<()> {
        let address = SocketAddr::from((self.address, PORT));
        let what = format!("libvirtd of {} to listen", self.plan.id);
        until(&what, LIMIT, || {
            if let Some(daemon) = &mut self.daemon
                && let Some(status) = daemon.try_wait()?
            {
                let log = fs::read_to_string(self.machine.path(LOG)).unwrap_or_default();
                bail!("libvirtd of {} ended ({status}):\n{log}", self.plan.id);
            }
            Ok(TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok())
        })?;
        Ok(())
    }

    /// Kills `libvirtd`; its guests go on.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill_daemon(&mut self) -> Result<()> {
        let pid = fs::read_to_string(self.machine.path("/run/libvirtd.pid"))
            .with_context(|| format!("the daemon of {} does not run", self.plan.id))?;
        self.machine.run("kill", &["-KILL", pid.trim()])?;
        if let Some(mut daemon) = self.daemon.take() {
            daemon.wait()?;
        }
        Ok(())
    }

    /// Defines and starts every router of the plan.
    pub(super) fn start_routers(&self, image: &GuestImage) -> Result<()> {
        if self.plan.routers.is_empty() {
            return Ok(());
        }
        fs::copy(&image.kernel, self.machine.path(domain::KERNEL))?;
        fs::copy(&image.initrd, self.machine.path(domain::INITRD))?;
        let mut commands = Vec::new();
        for router in &self.plan.routers {
            let file = self.machine.path(&format!("/run/{}.xml", router.name));
            fs::write(&file, domain::xml(router))?;
            commands.push(format!("define {}", file.display()));
            commands.push(format!("start {}", router.name));
        }
        self.virsh(&[&commands.join("; ")])
            .with_context(|| format!("cannot start the routers of {}", self.plan.id))?;
        Ok(())
    }

    /// Waits until a router's init has run.
    pub(super) fn wait_router(&self, router: &RouterPlan) -> Result<()> {
        let what = format!("router {} on {} to boot", router.name, self.plan.id);
        let up = format!("VMS-UP {} ", router.name);
        until(&what, LIMIT, || {
            Ok(self.serial(&router.name).contains(&up).then_some(()))
        })
        .with_context(|| format!("its console said:\n{}", self.serial(&router.name)))
    }

    /// Waits until a router has reached what it pings, after the time of this call.
    pub(super) fn wait_ping(&self, router: &RouterPlan) -> Result<()> {
        let Some(target) = router.pings else {
            return Ok(());
        };
        let before = self.serial(&router.name).len();
        let what = format!("{} to reach {target}", router.name);
        let reached = format!("VMS-PING {target} ok");
        until(&what, LIMIT, || {
            let serial = self.serial(&router.name);
            // Shorter than before: the router was started again, and its log with it.
            let new = serial.get(before..).unwrap_or(&serial);
            Ok(new.contains(&reached).then_some(()))
        })
    }

    /// What it is built from.
    pub fn plan(&self) -> &HostPlan {
        &self.plan
    }

    /// Its address in the management network.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// How libvirt is reached from outside.
    pub fn uri(&self) -> String {
        format!("qemu+tcp://{}/system", self.address)
    }

    /// The namespaces that it lives in, to run programs and read files there.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Runs `virsh` against it, behind the back of VMS, and returns what it printed.
    ///
    /// # Errors
    /// `virsh` failed, in its own words.
    pub fn virsh(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new("virsh")
            .args(["--quiet", "--connect", &self.uri()])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .context("cannot run virsh (package libvirt-clients)")?;
        text("virsh", &output)
    }

    /// What a router has printed on its serial console since its start.
    pub fn serial(&self, router: &str) -> String {
        let bytes = fs::read(self.machine.path(&domain::serial_log(router))).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The processes that live in the host, by the ids that the real machine knows.
    pub fn processes(&self) -> Result<Vec<u32>> {
        let own = fs::read_link(format!("/proc/{}/ns/pid", self.machine.pid()))?;
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let entry = entry?;
            let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
                continue;
            };
            if fs::read_link(entry.path().join("ns/pid")).is_ok_and(|ns| ns == own) {
                found.push(pid);
            }
        }
        Ok(found)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The daemon needs no farewell: its state goes with the machine. What is our child
        // is `nsenter`, which is waited for so that it does not stay as a zombie.
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().ok();
            daemon.wait().ok();
        }
    }
}

fn daemon_settings(plan: &HostPlan) -> String {
    format!(
        "listen_tls = 0
listen_tcp = 1
auth_tcp = \"none\"
host_uuid = \"{}\"
unix_sock_group = \"root\"
auth_unix_rw = \"none\"
auth_unix_ro = \"none\"
log_outputs = \"2:file:{LOG}\"
",
        plan.uuid
    )
}

/// No helper daemons, no control groups, no file ownership: the machine is all the
/// separation that is needed.
const QEMU_SETTINGS: &str = "user = \"root\"
group = \"root\"
stdio_handler = \"file\"
security_driver = \"none\"
remember_owner = 0
namespaces = []
cgroup_controllers = []
";
