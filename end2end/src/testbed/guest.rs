//! What a virtual router consists of: a file system of `BusyBox`, our own program `router`, and in
//! a virtual machine Debian's cloud kernel and QEMU's guest agent.
//!
//! Kernel, `BusyBox` and agent come as Debian packages through the [cache](super::cache). The
//! initial file system is written here, as a cpio archive ("newc"). `router` is compiled here, by
//! `rustc` alone, because it has to be static.

use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::{
    cache::{self, run},
    domain,
    machine::Machine,
    plan::RouterPlan,
};

const INIT: &str = include_str!("router-init.sh");
/// What a container of an image does.
const CONTAINER: &str = "#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
ip link set lo up
echo VMS-UP
exec sh -i
";
const SHUTDOWN: &str = "#!/bin/busybox sh\nexec /bin/busybox poweroff -f\n";
/// Its name in the cache.
pub const ROUTER_PROGRAM: &str = "router";
const ROUTER: &str = include_str!("../bin/router.rs");

/// The newest kernel for virtual machines, `BusyBox`, and the guest agent.
const PACKAGES: [&str; 3] = [
    "linux-image-cloud-amd64",
    "busybox-static",
    "qemu-guest-agent",
];

/// The kernel modules that a router loads, in this order.
const MODULES: [&str; 11] = [
    "virtio_ring",
    "virtio",
    "virtio_pci_modern_dev",
    "virtio_pci_legacy_dev",
    "virtio_pci",
    "failover",
    "net_failover",
    "virtio_net",
    "virtio_console",
    "virtio_balloon",
    "virtio_blk",
];

/// The files that a router is made of.
#[derive(Debug, Clone)]
pub struct GuestImage {
    /// The kernel, where a machine of the testbed sees it.
    pub kernel: PathBuf,
    /// The initial file system, complete, where a machine of the testbed sees it.
    pub initrd: PathBuf,
    /// Both where this machine sees them: to be uploaded as an image.
    pub files: [PathBuf; 2],
    busybox: PathBuf,
    router: PathBuf,
}

impl GuestImage {
    /// Makes the image, downloading the packages the first time.
    ///
    /// # Errors
    /// The packages cannot be downloaded, `router` cannot be compiled, or the cache cannot be
    /// written.
    pub fn prepare() -> Result<Self> {
        let packages = cache::unpacked(&PACKAGES, download)?;
        let cache = cache::directory()?;
        let kernel = find(&packages.join("boot"), |name| name.starts_with("vmlinuz-"))?;
        let busybox = ["bin/busybox", "usr/bin/busybox"]
            .map(|path| packages.join(path))
            .into_iter()
            .find(|path| path.exists())
            .context("the package busybox-static holds no busybox")?;
        let router = compile_router(&cache)?;
        let archive = initial_file_system(&packages, &busybox, &router)?;
        let initrd = cache.join("initrd");
        write_if_changed(&initrd, &archive)?;
        let inside = |path: &Path| -> Result<PathBuf> {
            Ok(Path::new(cache::INSIDE).join(path.strip_prefix(&cache)?))
        };
        Ok(Self {
            kernel: inside(&kernel)?,
            initrd: inside(&initrd)?,
            files: [kernel.clone(), initrd.clone()],
            busybox,
            router,
        })
    }

    /// Makes a root file system for containers in a file, ext4, to be uploaded as an image: `BusyBox`
    /// with a shell at the console.
    ///
    /// # Errors
    /// It cannot be written, or `mkfs.ext4` failed.
    pub fn root_file_system(&self, file: &Path) -> Result<()> {
        let root = tempfile::tempdir()?;
        for directory in ["bin", "dev", "proc", "run", "sys"] {
            fs::create_dir(root.path().join(directory))?;
        }
        fs::copy(&self.busybox, root.path().join("bin/busybox"))?;
        let init = root.path().join("init");
        fs::write(&init, CONTAINER)?;
        fs::set_permissions(&init, Permissions::from_mode(0o755))?;
        let from = root.path().to_str().context("no text")?;
        let to = file.to_str().context("no text")?;
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-d", from, to, "16M"]))?;
        Ok(())
    }

    /// Makes the file system of a container on its host.
    pub(super) fn container(&self, router: &RouterPlan, machine: &Machine) -> Result<()> {
        let root = machine.path(&domain::root(&router.name));
        let bin = root.join("bin");
        fs::create_dir_all(&bin)?;
        fs::copy(&self.busybox, bin.join("busybox"))?;
        fs::copy(&self.router, bin.join("router"))?;
        let init = root.join("init");
        fs::write(&init, INIT)?;
        fs::set_permissions(&init, Permissions::from_mode(0o755))?;
        fs::write(root.join("plan"), domain::facts(router) + "\n")?;
        // Where a machine has its control, too. Relative, to be right from outside as well.
        let control = format!("..{}/control", domain::root(&router.name));
        symlink(control, machine.path(&domain::control(&router.name)))?;
        Ok(())
    }
}

/// Downloads those packages: of the kernel the one that the first depends on.
fn download(directory: &Path, [newest, busybox, agent]: &[&str; 3]) -> Result<()> {
    let meta = run(Command::new("apt-cache").args(["depends", newest]))?;
    let kernel = meta
        .split_whitespace()
        .find(|word| word.starts_with("linux-image-") && word != newest)
        .with_context(|| format!("Debian's package {newest} is unknown here"))?;
    cache::download(directory, &[kernel, busybox])?;
    cache::download_with_libraries(directory, &[agent])
}

/// Compiles `router`, if its source has changed.
fn compile_router(cache: &Path) -> Result<PathBuf> {
    let (program, source) = (cache.join(ROUTER_PROGRAM), cache.join("router.rs"));
    if program.exists() && fs::read(&source).is_ok_and(|old| old == ROUTER.as_bytes()) {
        return Ok(program);
    }
    let files = tempfile::tempdir_in(cache)?;
    let new = files.path().join("router.rs");
    fs::write(&new, ROUTER)?;
    run(Command::new("rustc")
        .args([
            "--edition",
            "2024",
            "-O",
            "-C",
            "target-feature=+crt-static",
        ])
        .args(["-C", "panic=abort", "-C", "strip=symbols", "router.rs"])
        .current_dir(files.path()))
    .context("cannot compile the routers' program")?;
    fs::rename(files.path().join("router"), &program)?;
    fs::rename(new, source)?;
    Ok(program)
}

/// Renamed into place, so that a testbed that starts beside this one never boots half of it.
fn write_if_changed(path: &Path, content: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    let directory = path.parent().context("no directory")?;
    let fresh = tempfile::NamedTempFile::new_in(directory)?;
    fs::write(fresh.path(), content)?;
    fresh.persist(path)?;
    Ok(())
}

fn initial_file_system(packages: &Path, busybox: &Path, router: &Path) -> Result<Vec<u8>> {
    let mut archive = Cpio::default();
    for directory in ["bin", "dev", "lib", "lib64", "proc", "run", "sbin", "sys"] {
        archive.entry(directory, 0o040_755, &[]);
    }
    archive.entry("init", 0o100_755, INIT.as_bytes());
    // What the guest agent calls when it is asked to shut down.
    archive.entry("sbin/shutdown", 0o100_755, SHUTDOWN.as_bytes());
    archive.entry("bin/busybox", 0o100_755, &fs::read(busybox)?);
    archive.entry("bin/router", 0o100_755, &fs::read(router)?);
    let agent = packages.join("usr/sbin/qemu-ga");
    archive.entry("bin/qemu-ga", 0o100_755, &fs::read(&agent)?);
    for library in libraries(&agent, &packages.join(cache::LIBRARIES))? {
        let name = library.file_name().unwrap_or_default().to_string_lossy();
        // The loader is where the programs name it, and finds the rest in /lib.
        let directory = if name.starts_with("ld-") {
            "lib64"
        } else {
            "lib"
        };
        archive.entry(
            &format!("{directory}/{name}"),
            0o100_755,
            &fs::read(&library)?,
        );
    }
    for module in MODULES {
        let file = find_below(&packages.join("lib/modules"), &format!("{module}.ko"))?
            .with_context(|| format!("the kernel package holds no module {module}.ko"))?;
        archive.entry(&format!("lib/{module}.ko"), 0o100_644, &fs::read(file)?);
    }
    let order = MODULES.join("\n") + "\n";
    archive.entry("lib/order", 0o100_644, order.as_bytes());
    Ok(archive.finish())
}

/// The libraries that a program is loaded with, its loader included.
fn libraries(program: &Path, more: &Path) -> Result<Vec<PathBuf>> {
    let text = run(Command::new("ldd")
        .arg(program)
        .env("LD_LIBRARY_PATH", more))?;
    let words = text.split_whitespace().filter(|word| word.starts_with('/'));
    Ok(words.map(PathBuf::from).collect())
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
