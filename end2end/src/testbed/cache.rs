//! What is downloaded once: `target/testbed-cache`, or the directory that the environment
//! variable `VMS_TESTBED_CACHE` names. In every machine of a testbed it is at [`INSIDE`].
//!
//! Debian packages are downloaded and unpacked, never installed: nothing is started or changed on
//! the real machine, now or at its next boot.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::machine::{Machine, text};
use crate::{Scratch, client::root};

/// Where a machine sees the cache.
pub const INSIDE: &str = "/mnt";

/// The cache, which is there afterwards.
pub fn directory() -> Result<PathBuf> {
    let cache = std::env::var_os("VMS_TESTBED_CACHE")
        .map_or_else(|| root().join("target/testbed-cache"), PathBuf::from);
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    Ok(cache)
}

/// A directory of the cache with packages unpacked, which `download` puts into the directory
/// that it is given, when that has not been done before. It appears complete or not at all.
pub fn unpacked<const N: usize>(
    packages: &[&str; N],
    download: impl Fn(&Path, &[&str; N]) -> Result<()>,
) -> Result<PathBuf> {
    let cache = directory()?;
    let directory = cache.join(packages.join("+"));
    if directory.exists() {
        return Ok(directory);
    }
    let files = Scratch::new()?;
    if download(files.path(), packages).is_err() {
        // The lists name what is not there any more, or there are none.
        run(Command::new("apt-get").args(["-q", "update"]))
            .context("apt-get could not update its lists: is there a network?")?;
        download(files.path(), packages)?;
    }
    let fresh = tempfile::Builder::new().prefix("new-").tempdir_in(&cache)?;
    for file in fs::read_dir(files.path())? {
        let file = file?.path();
        if file.extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg").arg("-x").arg(file).arg(fresh.path()))?;
        }
    }
    let fresh = fresh.keep();
    if let Err(error) = fs::rename(&fresh, &directory) {
        fs::remove_dir_all(&fresh)?;
        // Somebody else was faster: theirs is as good.
        if !directory.exists() {
            return Err(error).context("cannot write the cache");
        }
    }
    Ok(directory)
}

/// Downloads packages.
pub fn download(directory: &Path, packages: &[&str]) -> Result<()> {
    run(Command::new("apt-get")
        .args(["-q", "-o", "APT::Sandbox::User=root", "download"])
        .args(packages)
        .current_dir(directory))
    .with_context(|| format!("cannot download {}", packages.join(", ")))?;
    Ok(())
}

/// Downloads packages, and all that they depend on and this machine lacks.
pub fn download_with_libraries(directory: &Path, packages: &[&str]) -> Result<()> {
    fs::create_dir_all(directory.join("partial"))?;
    let mut archives = OsString::from("Dir::Cache::archives=");
    archives.push(directory);
    run(Command::new("apt-get")
        .args(["-q", "--yes", "--no-install-recommends", "-o"])
        .arg(archives)
        // Nothing is changed, so that nobody needs to wait, or to be root.
        .args(["-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root"])
        .args(["install", "--download-only", "--reinstall"])
        .args(packages))
    .with_context(|| format!("cannot download {}", packages.join(", ")))?;
    Ok(())
}

/// Where unpacked packages have their libraries besides those of this machine, if it is a PC.
pub const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

/// Daemons that would be started if they were installed, `sshd` and `lldpd`; and `libfaketime`.
pub fn daemons() -> Result<Daemons> {
    let packages = ["openssh-server", "lldpd", "libfaketime"];
    let directory = unpacked(&packages, |directory, packages| {
        download_with_libraries(directory, packages)
    })?;
    let name = directory.file_name().unwrap_or_default();
    Ok(Daemons {
        inside: Path::new(INSIDE).join(name),
        outside: directory,
    })
}

/// Where unpacked daemons are.
#[derive(Debug, Clone)]
pub struct Daemons {
    /// As a machine sees it.
    inside: PathBuf,
    /// As the real machine does.
    outside: PathBuf,
}

impl Daemons {
    /// One of them, to be run in the machine: `sshd`.
    pub fn command(&self, machine: &Machine, program: &str) -> Command {
        let mut command = machine.command("env");
        command.args(words(&self.inside, program));
        command
    }

    /// One of their libraries.
    pub fn library(&self, name: &str) -> String {
        self.inside.join(LIBRARIES).join(name).display().to_string()
    }

    /// Writes a program that is one of them, to be run in a machine.
    pub fn write(&self, program: &str, to: &Path) -> Result<()> {
        write(&self.inside, program, to)
    }

    /// Writes a program that is one of them, to be run on the real machine.
    pub fn write_outside(&self, program: &str, to: &Path) -> Result<()> {
        write(&self.outside, program, to)
    }
}

fn write(root: &Path, program: &str, to: &Path) -> Result<()> {
    let words = words(root, program).join(" ");
    fs::write(to, format!("#!/bin/sh\nexec env {words} \"$@\"\n"))?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// A program as words for `env`.
fn words(root: &Path, program: &str) -> [String; 2] {
    [
        format!("LD_LIBRARY_PATH={}", root.join(LIBRARIES).display()),
        root.join("usr/sbin").join(program).display().to_string(),
    ]
}

/// Runs a program and returns what it printed.
pub fn run(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    text(&program, &output)
}
