//! What hosts tell each other over their cables: `lldpd` on every host that the plan says so.
//!
//! It is asked on the host, by `lldpcli`, which is in the path of whoever comes by SSH; or from
//! outside, by its socket. It says who it is every second, and is forgotten after four without a
//! word, so that tests need not wait for minutes.

use std::{ffi::OsString, fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use super::{
    cache,
    daemon::Daemon,
    fault::Fault,
    host::{BIN, Host},
};
use crate::Scratch;

/// Debian's place for it.
const SOCKET: &str = "/run/lldpd.socket";

/// `eth*` are the cables; `mgmt` has the address to be told.
const SETTINGS: &str = "configure system interface pattern eth*
configure system ip management pattern mgmt
configure lldp tx-interval 1
configure lldp tx-hold 4
";

impl Host {
    /// Starts `lldpd`.
    pub(super) fn start_lldp(&self) -> Result<Daemon> {
        let daemons = cache::daemons()?;
        let machine = self.machine();
        let client = machine.path(&format!("{BIN}/lldpcli"));
        daemons.write("lldpcli", &client)?;
        fs::write(machine.path("/run/lldpd.conf"), SETTINGS)?;
        // Its process that reads the network lives there, with nothing else.
        fs::create_dir_all(machine.path("/run/lldpd"))?;
        let mut command = daemons.command(machine, "lldpd");
        command.args(["-d", "-L", &format!("{BIN}/lldpcli")]);
        command.args(["-O", "/run/lldpd.conf", "-u", SOCKET]);
        let name = format!("lldpd of {}", self.plan().id);
        Daemon::start(machine, &mut command, &name, "/run/lldpd.log")
    }

    /// What `lldpcli -f json0 show neighbors` says on the host.
    ///
    /// # Errors
    /// `lldpd` does not run there.
    pub fn neighbors(&self) -> Result<Value> {
        let arguments = ["-u", SOCKET, "-f", "json0", "show", "neighbors"];
        let text = self.machine().run(&format!("{BIN}/lldpcli"), &arguments)?;
        serde_json::from_str(&text).with_context(|| format!("lldpcli said {text}"))
    }

    /// Stops `lldpd` (SIGSTOP): who asks it gets no answer, and its neighbours hear nothing.
    ///
    /// # Errors
    /// It does not run.
    pub fn freeze_lldp(&self) -> Result<Fault<'_>> {
        self.signal_lldp(Signal::SIGSTOP)?;
        Ok(Fault::new("lldpd frozen", move || {
            self.signal_lldp(Signal::SIGCONT)
        }))
    }

    /// It is two processes: one may do everything, the other talks.
    fn signal_lldp(&self, signal: Signal) -> Result<()> {
        let mut found = false;
        for pid in self.processes()? {
            // One that has ended meanwhile is none of them.
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            if name.trim_end() == "lldpd" {
                kill(Pid::from_raw(pid.try_into()?), signal)?;
                found = true;
            }
        }
        ensure!(found, "lldpd does not run on {}", self.plan().id);
        Ok(())
    }

    /// The socket of `lldpd`, as programs outside of the host see it.
    pub fn lldp_socket(&self) -> PathBuf {
        self.machine().path(SOCKET)
    }
}

/// `lldpcli` for the real machine, to ask hosts by their sockets.
#[derive(Debug)]
pub struct LldpClient(Scratch);

impl LldpClient {
    /// Makes it; dropped, it is gone.
    ///
    /// # Errors
    /// It cannot be downloaded or written.
    pub fn new() -> Result<Self> {
        let directory = Scratch::new()?;
        cache::daemons()?.write_outside("lldpcli", &directory.path().join("lldpcli"))?;
        Ok(Self(directory))
    }

    /// The search path with it in front, for whoever is to find it.
    ///
    /// # Errors
    /// The search path of this process cannot be extended.
    pub fn path(&self) -> Result<OsString> {
        let others = std::env::var_os("PATH").unwrap_or_default();
        let own = std::iter::once(self.0.path().to_owned());
        Ok(std::env::join_paths(
            own.chain(std::env::split_paths(&others)),
        )?)
    }
}
