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
//! | the network | [`Testbed::cut`], [`Testbed::lose`] |
//! | one connection | [`Relay`](super::Relay): slow, silent, closed, refused |
//! | credentials | [`SshServer`](super::SshServer), [`Authority`](super::Authority) |

use std::{
    fmt, fs,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use super::{Testbed, host::Host};

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
