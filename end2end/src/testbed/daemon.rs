//! A daemon in a machine of the testbed.
//!
//! Our child is `nsenter`, whose child is the daemon: `nsenter` enters the machine's process ids
//! and has to fork for that. It ends when the daemon does and tells how; and it stops itself when
//! the daemon is stopped, and so has to be continued as well.
//!
//! ```text
//! start ──> Running ──signal──> Running, Stopped, or ended
//!                   └─ dropped: killed
//! ```

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, ExitStatus},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::machine::Machine;
use crate::until;

/// How long the start or end of a daemon may take on a loaded machine.
const LIMIT: Duration = Duration::from_mins(1);

/// A running daemon; dropped, it is killed.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    entered: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts a program that stays in the foreground; `log`, a file of the machine, gets its
    /// output.
    pub fn start(machine: &Machine, command: &mut Command, name: &str, log: &str) -> Result<Self> {
        let log = machine.path(log);
        let out = File::options().create(true).append(true).open(&log)?;
        let entered = command
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .context("cannot run nsenter (package util-linux)")?;
        let name = name.to_owned();
        Ok(Self { name, entered, log })
    }

    /// Fails when it has ended, with what it has logged.
    pub fn check(&mut self) -> Result<()> {
        if let Some(status) = self.entered.try_wait()? {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            bail!("{} ended ({status}):\n{log}", self.name);
        }
        Ok(())
    }

    /// Waits until it listens there.
    pub fn wait_listening(&mut self, address: SocketAddr) -> Result<()> {
        let what = format!("{} to listen at {address}", self.name);
        until(&what, LIMIT, || {
            self.check()?;
            Ok(TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok())
        })?;
        Ok(())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        for pid in self.pids()? {
            kill(pid, signal).with_context(|| format!("cannot send {signal} to {}", self.name))?;
        }
        if signal == Signal::SIGCONT {
            kill(self.nsenter()?, signal)?;
        }
        Ok(())
    }

    /// Sends it a signal that ends it, and waits for that.
    pub fn end(&mut self, signal: Signal) -> Result<ExitStatus> {
        self.signal(signal)?;
        let what = format!("{} to end", self.name);
        until(&what, LIMIT, || {
            // It may have noticed only now that the daemon was stopped some time ago.
            kill(self.nsenter()?, Signal::SIGCONT).ok();
            Ok(self.entered.try_wait()?)
        })
    }

    fn nsenter(&self) -> Result<Pid> {
        Ok(Pid::from_raw(self.entered.id().try_into()?))
    }

    /// The daemon, by the id that the real machine knows: none when it has ended.
    fn pids(&self) -> Result<Vec<Pid>> {
        let children = format!("/proc/{0}/task/{0}/children", self.entered.id());
        let children = fs::read_to_string(children).unwrap_or_default();
        let pids = children.split_whitespace();
        pids.map(|pid| Ok(Pid::from_raw(pid.parse()?))).collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.end(Signal::SIGKILL).is_err() {
            // So that at least it is no zombie. An error means that it has ended.
            self.entered.kill().ok();
            self.entered.wait().ok();
        }
    }
}
