//! One libvirt host of a testbed: a [`Machine`] with a daemon and its guests.

use std::{
    fmt::Write,
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;

use super::{
    cache,
    control_group::ControlGroups,
    daemon::Daemon,
    domain,
    guest::{GuestImage, ROUTER_PROGRAM},
    machine::{Machine, text},
    plan::{BridgePlan, Driver, HostPlan, PoolPlan, RouterPlan, Transport, Vxlan},
    relay::Relay,
};
use crate::until;

/// libvirt's port for unencrypted TCP.
const PORT: u16 = 16509;
/// libvirt's port for TLS.
pub(super) const TLS_PORT: u16 = 16514;
/// How long the daemon and a router may take on a loaded machine.
const LIMIT: Duration = Duration::from_mins(2);
/// The host's own programs. The path of whoever comes by SSH begins with it.
pub(super) const BIN: &str = "/run/bin";
/// The daemon's log, on the host.
const LOG: &str = "/var/log/libvirt/libvirtd.log";

/// A running host.
#[derive(Debug)]
pub struct Host {
    plan: HostPlan,
    address: Ipv4Addr,
    // The daemon goes first, and needs no farewell: its state goes with the machine.
    daemon: Mutex<Option<Daemon>>,
    /// The daemon's environment, if its clock is wrong.
    clock: Mutex<Vec<String>>,
    lldp: Option<Daemon>,
    machine: Machine,
}

impl Host {
    /// Makes the machine and its files; [`start_daemon`](Self::start_daemon) comes when it
    /// is wired. `names` is its `/etc/hosts`: libvirt migrates to hosts by their names.
    pub(super) fn prepare(
        plan: &HostPlan,
        address: Ipv4Addr,
        names: &str,
        groups: Option<ControlGroups>,
    ) -> Result<Self> {
        let machine = Machine::boot(&plan.id, groups)?;
        fs::write(machine.path("/etc/hosts"), names)?;
        fs::write(machine.path("/etc/libvirt/qemu.conf"), QEMU_SETTINGS)?;
        fs::create_dir(machine.path(BIN))?;
        // To ask routers by hand.
        let router = Path::new(cache::INSIDE).join(ROUTER_PROGRAM);
        symlink(router, machine.path(BIN).join(ROUTER_PROGRAM))?;
        let host = Self {
            plan: plan.clone(),
            address,
            daemon: Mutex::default(),
            clock: Mutex::default(),
            lldp: None,
            machine,
        };
        host.configure("listen_tls = 0\n")?;
        Ok(host)
    }

    /// Writes the daemon's settings: `doors` besides TCP, and what never changes.
    pub(super) fn configure(&self, doors: &str) -> Result<()> {
        let settings = format!(
            "{doors}listen_tcp = 1
auth_tcp = \"none\"
host_uuid = \"{}\"
unix_sock_group = \"root\"
auth_unix_rw = \"none\"
auth_unix_ro = \"none\"
log_outputs = \"2:file:{LOG}\"
",
            self.plan.uuid
        );
        fs::write(self.machine.path("/etc/libvirt/libvirtd.conf"), settings)?;
        Ok(())
    }

    /// Makes the bridges, with their ports, and gives the host its addresses.
    pub(super) fn wire(&self) -> Result<()> {
        let mut commands = format!("addr add {}/24 dev mgmt\nlink set mgmt up\n", self.address);
        for bridge in &self.plan.bridges {
            let BridgePlan { name, mac, .. } = bridge;
            // As fast as the protocol allows: a new port forwards after twice this delay.
            let stp = if bridge.stp {
                "stp_state 1 forward_delay 200 hello_time 100 max_age 600"
            } else {
                "forward_delay 0"
            };
            // Without snooping, which needs a querier and some luck to find who wants a group:
            // see `quiet`.
            let _ = writeln!(
                commands,
                "link add {name} address {mac} type bridge {stp} mcast_snooping 0"
            );
            for port in &bridge.ports {
                let _ = writeln!(commands, "link set {port} master {name}");
            }
            let _ = writeln!(commands, "link set {name} up");
        }
        if let Some(transport) = &self.plan.transport {
            let Transport {
                bridge,
                address,
                prefix,
            } = transport;
            let _ = writeln!(commands, "addr add {address}/{prefix} dev {bridge}");
            let _ = writeln!(commands, "route add 224.0.0.0/4 dev {bridge}");
            for wide in &self.plan.bridges {
                let Some(Vxlan { id, group }) = wide.tunnel else {
                    continue;
                };
                let _ = writeln!(
                    commands,
                    "link add vx{id} type vxlan id {id} group {group} local {address} dev {bridge} \
                     dstport 4789\nlink set vx{id} master {} addrgenmode none up",
                    wide.name
                );
            }
        }
        self.machine
            .ip(&commands)
            .and_then(|()| self.quiet())
            .with_context(|| format!("cannot wire host {}", self.plan.id))
    }

    /// Keeps what tunnels say to each other by multicast from the routers that happen to be on the
    /// same bridge: they would count it.
    fn quiet(&self) -> Result<()> {
        if self.plan.transport.is_none() {
            return Ok(());
        }
        let chain = |hook| {
            format!(
                "chain {hook} {{
                    type filter hook {hook} priority 0
                    oifname \"vnet*\" ip daddr 239.0.0.0/8 drop
                }}\n"
            )
        };
        let (forward, output) = (chain("forward"), chain("output"));
        self.machine
            .nft(&format!("table bridge quiet {{\n{forward}{output}}}\n"))
    }

    /// Starts what the plan wants besides `libvirtd`.
    pub(super) fn start_others(&mut self) -> Result<()> {
        if self.plan.lldp {
            self.lldp = Some(self.start_lldp()?);
        }
        Ok(())
    }

    /// Starts `libvirtd`. Guests that run are found again: the state in `/run` is kept.
    ///
    /// # Errors
    /// The daemon is not installed or already runs.
    pub fn start_daemon(&self) -> Result<()> {
        let mut daemon = self.daemon();
        if daemon.is_some() {
            bail!("the daemon of {} is already running", self.plan.id);
        }
        let mut command = self.machine.command("env");
        command.args(&*self.clock()).args(["libvirtd", "--listen"]);
        let name = format!("libvirtd of {}", self.plan.id);
        *daemon = Some(Daemon::start(&self.machine, &mut command, &name, LOG)?);
        Ok(())
    }

    /// Waits until the daemon answers.
    ///
    /// # Errors
    /// It ended (the sentence holds its log) or does not answer.
    pub fn wait_daemon(&self) -> Result<()> {
        self.wait_port(PORT)
    }

    /// Waits until the daemon listens on one of its ports.
    pub(super) fn wait_port(&self, port: u16) -> Result<()> {
        let mut daemon = self.daemon();
        let daemon = daemon.as_mut();
        daemon
            .with_context(|| format!("the daemon of {} is down", self.plan.id))?
            .wait_listening((self.address, port).into())
    }

    /// Sends the daemon a signal that ends it, and waits for that.
    pub(super) fn end_daemon(&self, signal: Signal) -> Result<()> {
        let daemon = self.daemon().take();
        let mut daemon =
            daemon.with_context(|| format!("the daemon of {} is down", self.plan.id))?;
        daemon.end(signal)?;
        Ok(())
    }

    /// Sends the daemon a signal that it survives.
    pub(super) fn signal_daemon(&self, signal: Signal) -> Result<()> {
        let daemon = self.daemon();
        let daemon = daemon.as_ref();
        daemon
            .with_context(|| format!("the daemon of {} is down", self.plan.id))?
            .signal(signal)
    }

    pub(super) fn daemon_runs(&self) -> bool {
        self.daemon().is_some()
    }

    /// Decides how much ahead the daemon's clock is from its next start on.
    pub(super) fn set_clock(&self, ahead: Duration) -> Result<()> {
        *self.clock() = if ahead.is_zero() {
            Vec::new()
        } else {
            let library = cache::daemons()?.library("faketime/libfaketimeMT.so.1");
            vec![
                format!("LD_PRELOAD={library}"),
                format!("FAKETIME=+{}s", ahead.as_secs()),
                // Deadlines are kept by this one.
                "FAKETIME_DONT_FAKE_MONOTONIC=1".into(),
            ]
        };
        Ok(())
    }

    fn clock(&self) -> MutexGuard<'_, Vec<String>> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn daemon(&self) -> MutexGuard<'_, Option<Daemon>> {
        self.daemon.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the storage pools and starts them, with the host.
    pub(super) fn start_pools(&self) -> Result<()> {
        let mut commands = Vec::new();
        for PoolPlan { name, mebibytes } in &self.plan.pools {
            let directory = pool_directory(name);
            let size = format!("size={mebibytes}m,mode=0711");
            self.machine.run("mkdir", &["-p", &directory])?;
            let mount = ["-t", "tmpfs", "-o", &size, name, &directory];
            self.machine.run("mount", &mount)?;
            commands.push(format!("pool-define-as {name} dir --target {directory}"));
            commands.push(format!("pool-start {name}"));
            commands.push(format!("pool-autostart {name}"));
        }
        if !commands.is_empty() {
            self.virsh(&[&commands.join("; ")])
                .with_context(|| format!("cannot make the pools of {}", self.plan.id))?;
        }
        Ok(())
    }

    /// Defines and starts every router of the plan.
    pub(super) fn start_routers(&self, image: &GuestImage) -> Result<()> {
        if self.plan.routers.is_empty() {
            return Ok(());
        }
        let mut commands = Vec::new();
        let mut bases = std::collections::BTreeSet::new();
        for router in &self.plan.routers {
            if let Some(pool) = &router.disk {
                let base = domain::BASE;
                if bases.insert(pool) {
                    commands.push(format!("vol-create-as {pool} {base} 32M --format raw"));
                }
                commands.push(format!(
                    "vol-create-as {pool} {} 32M --format qcow2 --backing-vol {base} \
                     --backing-vol-format raw",
                    domain::overlay(&router.name)
                ));
            }
            let definition = match self.plan.driver {
                Driver::Qemu => domain::machine(router, image),
                Driver::Lxc => {
                    image.container(router, &self.machine)?;
                    domain::container(router)
                }
            };
            let file = self.machine.path(&format!("/run/{}.xml", router.name));
            fs::write(&file, definition)?;
            commands.push(format!("define {}", file.display()));
            commands.push(format!("start {}", router.name));
        }
        self.virsh(&[&commands.join("; ")])
            .with_context(|| format!("cannot start the routers of {}", self.plan.id))?;
        Ok(())
    }

    /// Waits until a router's init has run, and libvirt knows it.
    pub(super) fn wait_router(&self, router: &RouterPlan) -> Result<()> {
        if self.plan.driver == Driver::Lxc {
            self.know_init(&router.name)?;
        }
        let what = format!("router {} on {} to boot", router.name, self.plan.id);
        let up = format!("VMS-UP {} ", router.name);
        until(&what, LIMIT, || {
            Ok(self.serial(&router.name).contains(&up).then_some(()))
        })
        .with_context(|| format!("its console said:\n{}", self.serial(&router.name)))
    }

    /// Starts a container again for as long as libvirt missed its first process.
    ///
    /// `libvirt_lxc` tells the daemon of it once, and libvirt 9.0 loses the message if it comes
    /// before the daemon listens. Until the container is started again, everything that needs the
    /// process is then refused: "Init pid is not yet available".
    fn know_init(&self, router: &str) -> Result<()> {
        for _ in 0..3 {
            let known = until(
                "libvirt to know the first process",
                Duration::from_secs(3),
                || Ok(self.virsh(&["dominfo", router]).ok()),
            );
            if known.is_ok() {
                return Ok(());
            }
            self.virsh(&[&format!("destroy {router}; start {router}")])?;
        }
        bail!(
            "libvirt on {} never knew the first process of {router}",
            self.plan.id
        )
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
        let driver = match self.plan.driver {
            Driver::Qemu => "qemu",
            Driver::Lxc => "lxc",
        };
        format!("{driver}+tcp://{}/system", self.address)
    }

    /// A relay to its daemon: see [`Relay::uri`].
    ///
    /// # Errors
    /// There is no free port.
    pub fn relay(&self) -> Result<Relay> {
        Relay::to(SocketAddr::from((self.address, PORT)))
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
        let log = domain::serial(self.plan.driver, router);
        let bytes = fs::read(self.machine.path(&log)).unwrap_or_default();
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

/// Where a pool's file system is.
pub(super) fn pool_directory(pool: &str) -> String {
    format!("/var/lib/libvirt/pools/{pool}")
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
