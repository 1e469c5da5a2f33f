//! Control groups for a host whose guests are containers.
//!
//! libvirt's LXC driver measures and limits containers by control groups (version 1). The host
//! gets a group of its own in every hierarchy, which is the root of what it sees: its processes
//! enter the groups and a control group namespace, and mount the hierarchies anew.
//!
//! Groups are the one thing that outlives the namespaces. So a janitor, a shell outside of them,
//! waits for the end of a pipe, as a [`Machine`](super::Machine) does, and removes the groups when
//! they are empty: also when the owner was killed.
//!
//! ```text
//! make ──> groups ──enter──> the host's processes ──they end, pipe closes──> janitor removes them
//! ```

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// Where Linux distributions mount the hierarchies.
const ROOT: &str = "/sys/fs/cgroup";
/// What libvirt's LXC driver uses.
const CONTROLLERS: [&str; 8] = [
    "blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "memory", "pids",
];

/// Waits for the pipe, then for the groups to be empty: their processes end at the same time.
const JANITOR: &str = r#"
cat >/dev/null
for try in $(seq 300); do
    find "$@" -depth -type d -exec rmdir {} + 2>/dev/null
    find "$@" -maxdepth 0 2>/dev/null | grep -q . || exit 0
    sleep 0.1
done
"#;

/// One group in every hierarchy; dropped, they are gone.
#[derive(Debug)]
pub struct ControlGroups {
    directories: Vec<PathBuf>,
    janitor: Child,
}

impl ControlGroups {
    /// Makes groups with that name.
    ///
    /// # Errors
    /// The machine does not mount version 1, or does not let us make groups.
    pub fn make(name: &str) -> Result<Self> {
        let directories = CONTROLLERS.map(|controller| Path::new(ROOT).join(controller).join(name));
        if !Path::new(ROOT).join(CONTROLLERS[0]).is_dir() {
            bail!(
                "a host of containers needs control groups of version 1 below {ROOT}, which this \
                 machine does not mount"
            );
        }
        let janitor = Command::new("sh")
            .args(["-c", JANITOR, "janitor"])
            .args(&directories)
            // Ctrl-C is for the owner.
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::piped())
            .spawn()?;
        let groups = Self {
            directories: directories.into(),
            janitor,
        };
        for directory in &groups.directories {
            fs::create_dir_all(directory)
                .with_context(|| format!("cannot make the group {}", directory.display()))?;
        }
        // A new group of this kind has no processors and no memory, and takes no process.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            let all = fs::read(Path::new(ROOT).join("cpuset").join(file))?;
            fs::write(Path::new(ROOT).join("cpuset").join(name).join(file), all)?;
        }
        Ok(groups)
    }

    /// The files that take the processes which enter.
    pub fn doors(&self) -> impl Iterator<Item = PathBuf> {
        let directories = self.directories.iter();
        directories.map(|directory| directory.join("cgroup.procs"))
    }
}

impl Drop for ControlGroups {
    fn drop(&mut self) {
        drop(self.janitor.stdin.take());
        self.janitor.wait().ok();
    }
}
