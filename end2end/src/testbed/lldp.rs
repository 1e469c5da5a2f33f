//! What hosts tell each other over their cables: `lldpd` on every host that the plan says so.
//!
//! It is asked on the host, by `lldpcli`, which is in the path of whoever comes by SSH; or from
//! outside, by its socket. It says who it is every second, and is forgotten after four without a
//! word, so that tests need not wait for minutes.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    cache,
    daemon::Daemon,
    host::{BIN, Host},
};

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
        let words = daemons.words("lldpcli").join(" ");
        fs::write(&client, format!("#!/bin/sh\nexec env {words} \"$@\"\n"))?;
        fs::set_permissions(&client, fs::Permissions::from_mode(0o755))?;
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

    /// The socket of `lldpd`, as programs outside of the host see it.
    pub fn lldp_socket(&self) -> PathBuf {
        self.machine().path(SOCKET)
    }
}
