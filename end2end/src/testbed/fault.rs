//! Faults: what goes wrong in a fleet, on purpose and for a time.
//!
//! A method that breaks something returns a [`Fault`]. Dropped, also by a panic, it is undone; and
//! when the whole process is killed, everything goes with the namespaces.
//!
//! ```text
//! host.freeze_daemon()? ──> Fault ──dropped, undo, or lasting──> as before
//! ```
//!
//! | what fails | by |
//! |---|---|
//! | the daemon | [`Host::kill_daemon`], [`Host::freeze_daemon`], [`Host::restart_daemon`] |
//! | a guest | [`Host::kill_guest`], [`Host::freeze_guest`] |
//! | `lldpd` | [`Host::freeze_lldp`] |
//! | the host | [`Host::fill_pool`], [`Host::skew_clock`] |
//! | the network | [`Testbed::pull`], [`Testbed::cut`], [`Testbed::lose`], [`Testbed::throttle`] |
//! | one connection | [`Relay`](super::Relay): slow, silent, closed, refused |
//! | credentials | [`SshServer`](super::SshServer), [`Authority`](super::Authority) |

use std::{
    fmt,
    fs::{self, File},
    io::{ErrorKind, Write},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use super::{
    Testbed,
    host::{Host, pool_directory},
};

/// Something that is broken until this is dropped.
#[must_use = "dropped, the fault is undone"]
pub struct Fault<'a> {
    what: String,
    undo: Option<Box<dyn FnOnce() -> Result<()> + Send + 'a>>,
}

impl<'a> Fault<'a> {
    /// Breaking is done; `undo` stands next to it.
    pub(super) fn new(
        what: impl Into<String>,
        undo: impl FnOnce() -> Result<()> + Send + 'a,
    ) -> Self {
        Self {
            what: what.into(),
            undo: Some(Box::new(undo)),
        }
    }

    /// More of the same fault, to be undone first.
    pub(super) fn and(mut self, undo: impl FnOnce() -> Result<()> + Send + 'a) -> Self {
        let before = self.undo.take();
        self.undo = Some(Box::new(move || {
            let result = undo();
            before.map_or(Ok(()), |before| before()).and(result)
        }));
        self
    }

    /// Ends it now.
    ///
    /// # Errors
    /// What was broken cannot be repaired.
    pub fn undo(mut self) -> Result<()> {
        self.take()
    }

    /// Lets it last for a time and ends it.
    ///
    /// # Errors
    /// As [`Fault::undo`].
    pub fn lasting(self, time: Duration) -> Result<()> {
        thread::sleep(time);
        self.undo()
    }

    fn take(&mut self) -> Result<()> {
        let undo = self.undo.take().map_or(Ok(()), |undo| undo());
        undo.with_context(|| format!("cannot undo the fault: {}", self.what))
    }
}

impl fmt::Debug for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fault").field(&self.what).finish()
    }
}

impl Drop for Fault<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.take() {
            eprintln!("{error:#}");
        }
    }
}

impl Host {
    /// Kills `libvirtd` (SIGKILL); its guests go on. Undone, it is started again, if nobody has.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill_daemon(&self) -> Result<Fault<'_>> {
        self.end_daemon(Signal::SIGKILL)?;
        Ok(Fault::new("daemon killed", move || {
            if !self.daemon_runs() {
                self.start_daemon()?;
            }
            self.wait_daemon()
        }))
    }

    /// Stops `libvirtd` (SIGSTOP): the kernel goes on accepting connections, and nobody answers.
    ///
    /// # Errors
    /// It does not run.
    pub fn freeze_daemon(&self) -> Result<Fault<'_>> {
        self.signal_daemon(Signal::SIGSTOP)?;
        Ok(Fault::new("daemon frozen", move || {
            self.signal_daemon(Signal::SIGCONT)
        }))
    }

    /// Ends `libvirtd` in order (SIGTERM), starts it again and waits until it answers.
    ///
    /// # Errors
    /// It does not run, does not end or does not answer.
    pub fn restart_daemon(&self) -> Result<()> {
        self.end_daemon(Signal::SIGTERM)?;
        self.start_daemon()?;
        self.wait_daemon()
    }

    /// Stops a guest's QEMU (SIGSTOP): its monitor does not answer any more, and libvirt's calls
    /// for it hang.
    ///
    /// # Errors
    /// The guest does not run.
    pub fn freeze_guest(&self, name: &str) -> Result<Fault<'_>> {
        let pid = self.guest_pid(name)?;
        self.machine().signal(pid, Signal::SIGSTOP)?;
        Ok(Fault::new(format!("guest {name} frozen"), move || {
            self.machine().signal(pid, Signal::SIGCONT)
        }))
    }

    /// Kills a guest's QEMU (SIGKILL). Undone, the guest is started again, if nobody has.
    ///
    /// # Errors
    /// The guest does not run.
    pub fn kill_guest(&self, name: &str) -> Result<Fault<'_>> {
        let pid = self.guest_pid(name)?;
        self.machine().signal(pid, Signal::SIGKILL)?;
        let name = name.to_owned();
        Ok(Fault::new(format!("guest {name} killed"), move || {
            if self.virsh(&["domstate", &name])?.trim() != "running" {
                self.virsh(&["start", &name])?;
            }
            Ok(())
        }))
    }

    /// Leaves no room in a storage pool.
    ///
    /// # Errors
    /// There is no such pool.
    pub fn fill_pool(&self, pool: &str) -> Result<Fault<'_>> {
        let planned = self.plan().pools.iter().any(|plan| plan.name == pool);
        ensure!(planned, "{} has no pool {pool}", self.plan().id);
        let path = self.machine().path(&pool_directory(pool)).join(".full");
        let mut file = File::create(&path)?;
        let fault = Fault::new(format!("pool {pool} full"), move || {
            Ok(fs::remove_file(path)?)
        });
        let block = [0x56; 4096];
        loop {
            match file.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(fault),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Makes `libvirtd` believe that it is later than it is: so it sees certificates expire and
    /// writes its log. It is restarted for that, and again when this is undone. Time that it
    /// measures passes as ever.
    ///
    /// # Errors
    /// The daemon does not run, or `libfaketime` cannot be downloaded.
    pub fn skew_clock(&self, ahead: Duration) -> Result<Fault<'_>> {
        self.set_clock(ahead)?;
        self.restart_daemon()?;
        Ok(Fault::new("clock wrong", move || {
            self.set_clock(Duration::ZERO)?;
            self.restart_daemon()
        }))
    }

    fn guest_pid(&self, name: &str) -> Result<u32> {
        let file = self
            .machine()
            .path(&format!("/run/libvirt/qemu/{name}.pid"));
        let pid = fs::read_to_string(file)
            .with_context(|| format!("guest {name} does not run on {}", self.plan().id))?;
        Ok(pid.trim().parse()?)
    }
}

impl Testbed {
    /// Pulls the cable out of a host's NIC: both its ends have no carrier any more. Undone, it is
    /// plugged in again. `mgmt` is the NIC in the management network.
    ///
    /// # Errors
    /// There is no such NIC.
    pub fn pull(&self, host: &str, nic: &str) -> Result<Fault<'_>> {
        let halves = self.halves(host, nic)?;
        let set = move |state: &str| {
            let commands = halves
                .iter()
                .map(|half| format!("link set {half} {state}\n"));
            self.switch.ip(&commands.collect::<String>())
        };
        set("down")?;
        Ok(Fault::new(
            format!("{nic} of {host} unplugged"),
            move || set("up"),
        ))
    }

    /// Lets no more than so many kilobits a second pass in either direction of the link that one
    /// NIC of a host is plugged into.
    ///
    /// # Errors
    /// There is no such NIC, or it is slowed down already.
    pub fn throttle(&self, host: &str, nic: &str, kilobits: u32) -> Result<Fault<'_>> {
        let mut fault = Fault::new(format!("{nic} of {host} slowed down"), || Ok(()));
        for (machine, nic) in self.link(host, nic)? {
            machine.tc(&format!(
                "qdisc add dev {nic} root tbf rate {kilobits}kbit burst 16kb latency 400ms\n"
            ))?;
            fault = fault.and(move || machine.tc(&format!("qdisc del dev {nic} root\n")));
        }
        Ok(fault)
    }

    /// Drops every packet in both directions of the link that one NIC of a host is plugged into,
    /// without a word to either side. `mgmt` is the NIC in the management network.
    ///
    /// # Errors
    /// There is no such NIC.
    pub fn cut(&self, host: &str, nic: &str) -> Result<Fault<'_>> {
        self.filter(host, nic, "drop")
    }

    /// Drops `percent` of the packets in either direction, at random.
    ///
    /// # Errors
    /// There is no such NIC, or it is no percentage.
    pub fn lose(&self, host: &str, nic: &str, percent: u8) -> Result<Fault<'_>> {
        ensure!(percent <= 100, "{percent} % is more than everything");
        self.filter(
            host,
            nic,
            &format!("numgen random mod 100 < {percent} drop"),
        )
    }

    /// A rule for what arrives at either end of a link, before anything else sees it: ARP and
    /// bridged packets included. What is dropped where it leaves is not lost in silence: the
    /// kernel tells the sender, whose TCP tries again at once.
    fn filter(&self, host: &str, nic: &str, rule: &str) -> Result<Fault<'_>> {
        // A table of its own, so that several faults of one NIC add up.
        static TABLES: AtomicU32 = AtomicU32::new(0);
        let table = format!("fault{}", TABLES.fetch_add(1, Ordering::Relaxed));
        let ends = self.link(host, nic)?;
        // From here on, an error at the second end undoes what is done at the first.
        let mut fault = Fault::new(format!("{rule} at {nic} of {host}"), || Ok(()));
        for (machine, nic) in ends {
            machine.nft(&format!(
                "table netdev {table} {{
                    chain arrivals {{
                        type filter hook ingress device \"{nic}\" priority 0
                        {rule}
                    }}
                }}\n"
            ))?;
            let delete = format!("delete table netdev {table}\n");
            fault = fault.and(move || machine.nft(&delete));
        }
        Ok(fault)
    }
}
