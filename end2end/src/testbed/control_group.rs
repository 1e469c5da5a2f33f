//! Control groups for a host whose guests are containers.
//!
//! libvirt's LXC driver measures and limits containers by control groups. The host gets a group of
//! its own, in every hierarchy of version 1 or in the one of version 2, which is the root of what it
//! sees: its first process enters the group and a control group namespace, and mounts the
//! hierarchies anew.
//!
//! In version 2 a group that hands controllers down has no processes itself. So the host's processes
//! settle in a group below their root, [`DAEMONS`], beside those that libvirt makes.
//!
//! Groups are the one thing that outlives the namespaces. So a janitor, a shell outside of them,
//! waits for the end of a pipe, as a [`Machine`](super::Machine) does, and removes the groups when
//! they are empty: also when the owner was killed.
//!
//! ```text
//! make ──> groups ──enter, settle──> the host's processes ──pipe closes, they end──> janitor removes them
//! ```

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};

/// Where Linux distributions mount the hierarchies.
const ROOT: &str = "/sys/fs/cgroup";
/// What libvirt's LXC driver uses of version 1, each with a hierarchy of its own.
const CONTROLLERS: [&str; 8] = [
    "blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "pids",
];
/// The group of the host's processes in version 2.
const DAEMONS: &str = "daemons";

/// Waits for the pipe, then for the groups to be empty: their processes end at the same time.
const JANITOR: &str = r#"
cat >/dev/null
for try in $(seq 300); do
    find "$@" -depth -type d -exec rmdir {} + 2>/dev/null
    find "$@" -maxdepth 0 2>/dev/null | grep -q . || exit 0
    sleep 0.1
done
"#;

/// The groups of one host; dropped, they are gone.
#[derive(Debug)]
pub struct ControlGroups {
    version: Version,
    /// The group in each hierarchy.
    roots: Vec<PathBuf>,
    janitor: Child,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl ControlGroups {
    /// Makes groups with that name.
    ///
    /// # Errors
    /// The machine has no control groups, or does not let us make any.
    pub fn make(name: &str) -> Result<Self> {
        let root = Path::new(ROOT);
        let (version, roots) = if root.join("cgroup.controllers").exists() {
            (Version::Two, vec![root.join(name)])
        } else {
            let roots = CONTROLLERS.map(|controller| root.join(controller).join(name));
            (Version::One, roots.into())
        };
        let janitor = Command::new("sh")
            .args(["-c", JANITOR, "janitor"])
            .args(&roots)
            // Ctrl-C is for the owner.
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::piped())
            .spawn()?;
        let groups = Self {
            version,
            roots,
            janitor,
        };
        for group in &groups.roots {
            fs::create_dir_all(group)
                .with_context(|| format!("cannot make the control group {}", group.display()))?;
        }
        match version {
            Version::One => {
                // A new group of this kind has no processors and no memory, and takes no process.
                let [all, ours] = [root.join("cpuset"), root.join("cpuset").join(name)];
                for file in ["cpuset.cpus", "cpuset.mems"] {
                    fs::write(ours.join(file), fs::read(all.join(file))?)?;
                }
            }
            Version::Two => {
                fs::create_dir(groups.roots[0].join(DAEMONS))?;
            }
        }
        Ok(groups)
    }

    /// What the host's first process mounts: type, options, and directory below [`ROOT`].
    pub fn mounts(&self) -> Vec<[&'static str; 3]> {
        match self.version {
            Version::One => CONTROLLERS.map(|name| ["cgroup", name, name]).into(),
            Version::Two => vec![["cgroup2", "rw", ""]],
        }
    }

    /// The files by which the first process enters the groups that are to be its root.
    pub fn gates(&self) -> Vec<PathBuf> {
        let roots = self.roots.iter();
        roots.map(|group| group.join("cgroup.procs")).collect()
    }

    /// Takes the processes that have entered from the root to where all others will be, and hands
    /// all controllers down.
    pub fn settle(&self) -> Result<()> {
        if self.version == Version::One {
            return Ok(());
        }
        for (gate, door) in self.gates().iter().zip(self.doors()) {
            for process in fs::read_to_string(gate)?.split_whitespace() {
                fs::write(&door, process)?;
            }
        }
        for root in &self.roots {
            let controllers = fs::read_to_string(root.join("cgroup.controllers"))?;
            for controller in controllers.split_whitespace() {
                let handed_down = root.join("cgroup.subtree_control");
                fs::write(&handed_down, format!("+{controller}"))
                    .with_context(|| format!("cannot write to {}", handed_down.display()))?;
            }
        }
        Ok(())
    }

    /// The files by which all later processes enter.
    pub fn doors(&self) -> Vec<PathBuf> {
        match self.version {
            Version::One => self.gates(),
            Version::Two => vec![self.roots[0].join(DAEMONS).join("cgroup.procs")],
        }
    }
}

impl Drop for ControlGroups {
    fn drop(&mut self) {
        drop(self.janitor.stdin.take());
        self.janitor.wait().ok();
    }
}
