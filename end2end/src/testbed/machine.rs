//! One machine of a testbed: a set of Linux namespaces, held by one process.
//!
//! A machine has its own network, mounts, hostname, IPC and processes. Its process 1 is a
//! small shell that mounts fresh file systems over what must not be shared with the real
//! machine and then waits for the end of its standard input, a pipe that only the owner
//! holds. When the owner drops the machine *or ends in any way, `kill -9` included*, the pipe
//! closes, process 1 ends, and the kernel removes everything that was in the namespaces:
//! processes, interfaces, mounts and files. There is nothing to find and clean up later,
//! because nothing has a name outside.
//!
//! ```text
//! Machine::boot ──> process 1 mounts, says "ready" ──> Running ──pipe closes──> gone
//! ```

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;

use super::{cache, control_group::ControlGroups};
use crate::until;

/// Process 1. `wait` also reaps orphans, which libvirt relies on: it takes a zombie for a
/// guest that refuses to die.
///
/// Everything mutable is on fresh memory file systems, so that files vanish with the
/// mounts: `/run` and `/var` hold the state of daemons, `/etc/libvirt` their configuration.
/// `/etc/hosts` is a private file as well, for the names of the testbed's hosts; and so are
/// `/etc/passwd`, `/etc/group` and `/etc/shadow`, for daemons do not start without the users that
/// Debian has for them, and the packages that add them would start services on the real machine.
/// Root has no password, a home of its own and a plain shell, for those who come by SSH.
///
/// Those who run containers find their own control groups where the real machine has its: see
/// [`ControlGroups`].
///
/// `/mnt` is the [cache](super::cache), wherever that is: it is mounted before a fresh file
/// system may cover it.
const INIT: &str = r#"
set -e
hostname "$1"
mount --bind "$2" /mnt
# What comes first in the list of mounts is what libvirt takes.
umount -R /sys/fs/cgroup 2>/dev/null || :
mount -t sysfs -o nosuid,nodev,noexec testbed /sys
[ $# = 2 ] || mount -t tmpfs testbed /sys/fs/cgroup
shift 2
while [ $# != 0 ]; do
    mkdir -p "/sys/fs/cgroup/$3"
    mount -t "$1" -o "$2" testbed "/sys/fs/cgroup/$3"
    shift 3
done
for directory in /run /var /tmp /etc/libvirt; do
    mount -t tmpfs -o mode=0755 testbed "$directory"
done
chmod 1777 /tmp
mkdir -p /var/lib/libvirt/images /var/log/libvirt /var/cache/libvirt /run/libvirt /run/lock
ln -s /run /var/run
ln -s /run/lock /var/lock
echo "127.0.0.1 localhost" >/run/hosts
mount --bind /run/hosts /etc/hosts
{ echo root:x:0:0::/run:/bin/sh; grep -v ^root: /etc/passwd; } >/run/passwd
echo 'root:*:19000:0:99999:7:::' >/run/shadow
cp /etc/group /run/group
id=64055
for user in libvirt-qemu sshd _lldpd; do
    grep -q ^$user: /run/passwd || echo "$user:x:$id:$id::/:/bin/false" >>/run/passwd
    grep -q ^$user: /run/group || echo "$user:x:$id:" >>/run/group
    id=$((id + 1))
done
chmod 600 /run/shadow
for file in passwd group shadow; do
    mount --bind /run/$file /etc/$file
done
ip link set lo up
exec 3<&0
cat <&3 >/dev/null &
echo ready
wait $!
"#;

/// How long namespaces may take to come and go on a loaded machine.
const LIMIT: Duration = Duration::from_secs(20);

/// A running machine; dropped, it is gone with everything in it.
#[derive(Debug)]
pub struct Machine {
    holder: Child,
    pid: u32,
    // Goes last, when there are no processes in it any more.
    groups: Option<ControlGroups>,
}

impl Machine {
    /// Makes the namespaces of a machine called `hostname`, with control groups if it is to run
    /// containers.
    ///
    /// # Errors
    /// This process may not (not root, or a container without the right to mount), or
    /// `unshare` and `ip` are missing.
    pub fn boot(hostname: &str, groups: Option<ControlGroups>) -> Result<Self> {
        if !nix::unistd::geteuid().is_root() {
            bail!("the testbed makes network namespaces and mounts, which needs root");
        }
        let gates = groups.as_ref().map(ControlGroups::gates);
        let mounts = groups.iter().flat_map(ControlGroups::mounts);
        let mut holder = enter(&gates.unwrap_or_default(), "unshare")
            .args(["--net", "--mount", "--uts", "--ipc", "--pid", "--cgroup"])
            .args([
                "--fork",
                "--kill-child",
                "--mount-proc",
                "--propagation",
                "private",
            ])
            .args(["--", "sh", "-c", INIT, "machine", hostname])
            .arg(cache::directory()?)
            .args(mounts.flatten())
            .current_dir("/")
            // Ctrl-C is for the owner, who takes things down in order.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run unshare (package util-linux)")?;
        let mut line = String::new();
        if let Some(stdout) = holder.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        if line != "ready\n" {
            let output = holder.wait_with_output()?;
            bail!(
                "cannot make the namespaces of machine {hostname}: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let children = format!("/proc/{0}/task/{0}/children", holder.id());
        let children = fs::read_to_string(&children)
            .with_context(|| format!("cannot read {children}: the kernel does not offer it"))?;
        let pid = children
            .trim()
            .parse()
            .context("unshare has no single child")?;
        if let Some(groups) = &groups {
            groups.settle()?;
        }
        Ok(Self {
            holder,
            pid,
            groups,
        })
    }

    /// The id of its process 1, seen from outside.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// A file or directory of the machine, seen from outside.
    pub fn path(&self, inside: &str) -> PathBuf {
        Path::new("/proc")
            .join(self.pid.to_string())
            .join("root")
            .join(inside.trim_start_matches('/'))
    }

    /// The given program, to be run in the machine.
    pub fn command(&self, program: &str) -> Command {
        let doors = self.groups.as_ref().map(ControlGroups::doors);
        let mut command = enter(&doors.unwrap_or_default(), "nsenter");
        command
            .args(["--target", &self.pid.to_string()])
            .args(["--net", "--mount", "--uts", "--ipc", "--pid", "--cgroup"])
            .arg("--wd=/")
            .args(["--", program])
            .process_group(0)
            .stdin(Stdio::null());
        command
    }

    /// Runs a program in the machine and returns what it printed.
    ///
    /// # Errors
    /// It cannot be run or failed; the sentence holds its output.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let output = self.command(program).args(arguments).output()?;
        text(program, &output)
    }

    /// Runs commands of `ip`, one a line.
    ///
    /// # Errors
    /// The first command that failed, in the words of `ip`.
    pub fn ip(&self, commands: &str) -> Result<()> {
        self.feed("ip", &["-batch", "-"], commands)
    }

    /// Changes the packet filter by a script of `nft`, as a whole or not at all.
    ///
    /// # Errors
    /// What `nft` does not understand or cannot do, in its words.
    pub fn nft(&self, script: &str) -> Result<()> {
        self.feed("nft", &["-f", "-"], script)
    }

    /// Changes queues by commands of `tc`, one a line.
    ///
    /// # Errors
    /// The first command that failed, in the words of `tc`.
    pub fn tc(&self, commands: &str) -> Result<()> {
        self.feed("tc", &["-batch", "-"], commands)
    }

    /// Sends a signal to a process, by the id that it has in the machine. One that has ended
    /// needs none.
    ///
    /// # Errors
    /// It cannot be sent.
    pub fn signal(&self, pid: u32, signal: Signal) -> Result<()> {
        let sent = self.run("kill", &["-s", signal.as_str(), &pid.to_string()]);
        if self.path(&format!("/proc/{pid}")).exists() {
            sent?;
        }
        Ok(())
    }

    /// Runs a program that reads `input`, in the machine's network but with the process ids and
    /// files of the real machine, so that `netns PID` means another machine.
    fn feed(&self, program: &str, arguments: &[&str], input: &str) -> Result<()> {
        let mut child = Command::new("nsenter")
            .args(["--target", &self.pid.to_string(), "--net", "--", program])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        text(program, &child.wait_with_output()?)?;
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let ended = until("a machine to end", LIMIT, || Ok(self.holder.try_wait()?));
        if ended.is_err() {
            // Its child, process 1, is killed with it: --kill-child.
            self.holder.kill().ok();
            self.holder.wait().ok();
        }
    }
}

/// A program that enters control groups first.
fn enter(doors: &[PathBuf], program: &str) -> Command {
    if doors.is_empty() {
        return Command::new(program);
    }
    let mut command = Command::new("sh");
    let script = r#"while [ "$1" != -- ]; do echo $$ >"$1"; shift; done; shift; exec "$@""#;
    command.args(["-c", script, "enter"]).args(doors);
    command.args(["--", program]);
    command
}

/// Standard output of a program that succeeded.
pub(super) fn text(program: &str, output: &Output) -> Result<String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    match output.status.signal() {
        Some(signal) => bail!("{program} was ended by signal {signal}: {}", errors.trim()),
        None => bail!("{program} failed: {}", errors.trim()),
    }
}
