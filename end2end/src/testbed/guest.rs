//! What a virtual router boots: Debian's cloud kernel and a file system of `BusyBox`.
//!
//! Both come as Debian packages through the [cache](super::cache). The initial file system is
//! written here, as a cpio archive ("newc").

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::cache::{self, run};

const INIT: &str = include_str!("router-init.sh");

/// The kernel modules that a router loads, in this order.
const MODULES: [&str; 9] = [
    "virtio_ring",
    "virtio",
    "virtio_pci_modern_dev",
    "virtio_pci_legacy_dev",
    "virtio_pci",
    "failover",
    "net_failover",
    "virtio_net",
    "virtio_balloon",
];

/// The files that a router boots from, where a machine of the testbed sees them.
#[derive(Debug, Clone)]
pub struct GuestImage {
    /// The kernel.
    pub kernel: PathBuf,
    /// The initial file system, complete.
    pub initrd: PathBuf,
}

impl GuestImage {
    /// Makes the image, downloading the packages the first time.
    ///
    /// # Errors
    /// The packages cannot be downloaded, or the cache cannot be written.
    pub fn prepare() -> Result<Self> {
        let packages = cache::unpacked("packages", download)?;
        let cache = cache::directory()?;
        let kernel = find(&packages.join("boot"), |name| name.starts_with("vmlinuz-"))?;
        let initrd = cache.join("initrd");
        let archive = initial_file_system(&packages)?;
        if fs::read(&initrd).ok().as_ref() != Some(&archive) {
            // Renamed into place, so that a testbed that starts beside this one never
            // boots half an archive.
            let fresh = tempfile::NamedTempFile::new_in(&cache)?;
            fs::write(fresh.path(), &archive)?;
            fresh.persist(&initrd)?;
        }
        let inside = |path: &Path| -> Result<PathBuf> {
            Ok(Path::new(cache::INSIDE).join(path.strip_prefix(&cache)?))
        };
        Ok(Self {
            kernel: inside(&kernel)?,
            initrd: inside(&initrd)?,
        })
    }
}

/// The newest kernel for virtual machines, and `BusyBox`.
fn download(directory: &Path) -> Result<()> {
    let meta = run(Command::new("apt-cache").args(["depends", "linux-image-cloud-amd64"]))?;
    let kernel = meta
        .split_whitespace()
        .find(|word| word.starts_with("linux-image-") && *word != "linux-image-cloud-amd64")
        .context("Debian's package linux-image-cloud-amd64 is unknown here")?;
    run(Command::new("apt-get")
        .args(["-o", "APT::Sandbox::User=root", "download"])
        .args([kernel, "busybox-static"])
        .current_dir(directory))
    .context("cannot download the guest's kernel and BusyBox")?;
    Ok(())
}

fn initial_file_system(packages: &Path) -> Result<Vec<u8>> {
    let mut archive = Cpio::default();
    for directory in ["bin", "dev", "lib", "proc", "sys"] {
        archive.entry(directory, 0o040_755, &[]);
    }
    archive.entry("init", 0o100_755, INIT.as_bytes());
    let busybox = ["bin/busybox", "usr/bin/busybox"]
        .iter()
        .find_map(|path| fs::read(packages.join(path)).ok())
        .context("the package busybox-static holds no busybox")?;
    archive.entry("bin/busybox", 0o100_755, &busybox);
    for module in MODULES {
        let file = find_below(&packages.join("lib/modules"), &format!("{module}.ko"))?
            .with_context(|| format!("the kernel package holds no module {module}.ko"))?;
        archive.entry(&format!("lib/{module}.ko"), 0o100_644, &fs::read(file)?);
    }
    let order = MODULES.join("\n") + "\n";
    archive.entry("lib/order", 0o100_644, order.as_bytes());
    Ok(archive.finish())
}

/// A cpio archive in the format that the kernel unpacks: "newc" of cpio(5).
#[derive(Default)]
struct Cpio {
    bytes: Vec<u8>,
    entries: u32,
}

impl Cpio {
    fn entry(&mut self, name: &str, mode: u32, content: &[u8]) {
        self.entries += 1;
        let fields = [
            self.entries, // inode
            mode,
            0, // user
            0, // group
            1, // links
            0, // time: none, so that the same input gives the same archive
            content.len() as u32,
            0,
            0,
            0,
            0, // devices
            name.len() as u32 + 1,
            0, // no checksum
        ];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08x}").bytes());
        }
        self.bytes.extend(name.bytes().chain([0]));
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes
    }
}

fn find(directory: &Path, wanted: impl Fn(&str) -> bool) -> Result<PathBuf> {
    for entry in
        fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?
    {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&wanted) {
            return Ok(entry.path());
        }
    }
    bail!("the kernel package holds no kernel")
}

fn find_below(directory: &Path, name: &str) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if let Some(found) = find_below(&entry.path(), name)? {
                return Ok(Some(found));
            }
        } else if entry.file_name() == OsStr::new(name) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_what_cpio_5_describes() {
        let mut archive = Cpio::default();
        archive.entry("a", 0o100_644, b"hello");
        let bytes = archive.finish();
        assert!(bytes.starts_with(b"070701"));
        // A header of 110 bytes, "a\0" padded to 112, "hello" padded to 120.
        assert_eq!(&bytes[110..112], b"a\0");
        assert_eq!(&bytes[112..120], b"hello\0\0\0");
        assert_eq!(&bytes[120..126], b"070701");
        assert_eq!(bytes.len() % 4, 0);
    }
}
