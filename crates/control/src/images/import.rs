//! The import directory: the one place of the server's machine from which files are taken.
//!
//! A path that a caller names is followed below that directory only, and through no link, neither at
//! its end nor on the way: the kernel is asked to refuse both (`openat2`), and where it cannot, each
//! directory is opened by itself, without following. Only regular files are read: a device or a pipe
//! of that name is refused, and is not waited for.

use super::formats;
use rustix::{
    fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2},
    io::Errno,
};
use std::{
    ffi::OsStr,
    fs::File,
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::Path,
};

/// How many files are listed at most, and how many directories deep.
const LISTED: usize = 10_000;
const DEEPEST: usize = 16;

/// Directories on the way are opened to be searched, files to be read; neither is waited for.
const DIRECTORY: OFlags = OFlags::DIRECTORY
    .union(OFlags::RDONLY)
    .union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Why a file cannot be imported.
#[derive(Debug)]
pub(super) enum Refused {
    /// The path, or what is there, cannot be used: a sentence without a full stop.
    File(String),
    /// There is nothing of this name.
    Missing,
    /// The import directory itself cannot be read.
    Directory(io::Error),
}

/// Checks that a path stays below: names, and `/` between them.
pub(super) fn check_path(path: &str) -> Result<(), String> {
    let expected = "a path below the import directory was expected, for example \
                    debian/disk.qcow2; ListImportFiles tells which there are";
    let shown = || super::excerpt(path);
    if path.is_empty() {
        return Err(format!("it is empty: {expected}"));
    }
    if path.len() > 4096 || path.split('/').any(|name| name.len() > 255) {
        return Err(format!("{:?} is too long: {expected}", shown()));
    }
    if path.contains('\0') {
        return Err(format!(
            "{:?} holds a character that no path has: {expected}",
            shown()
        ));
    }
    if path.starts_with('/') {
        return Err(format!("{:?} is an absolute path: {expected}", shown()));
    }
    if path.split('/').any(|name| matches!(name, "" | "." | "..")) {
        return Err(format!("{:?} leads elsewhere: {expected}", shown()));
    }
    Ok(())
}

/// Opens a file of the import directory. Answers its size with it.
pub(super) fn open(directory: &Path, path: &str) -> Result<(File, u64), Refused> {
    check_path(path).map_err(Refused::File)?;
    let root = open_directory(directory).map_err(Refused::Directory)?;
    let file = open_below(root.as_fd(), path).map_err(|error| match error {
        Errno::NOENT | Errno::NOTDIR => Refused::Missing,
        Errno::LOOP | Errno::XDEV => Refused::File(format!(
            "{path:?} is, or leads through, a symbolic link, and none is followed: put the file \
             itself into the import directory"
        )),
        Errno::ACCESS | Errno::PERM => Refused::File(format!(
            "{path:?} may not be read by the user that the server runs as: change its permissions"
        )),
        // Of a socket, and of a device without a driver.
        Errno::NXIO | Errno::NODEV => Refused::File(not_regular(path)),
        other => Refused::File(format!(
            "{path:?} cannot be opened: {}",
            io::Error::from(other)
        )),
    })?;
    let stat = fstat(&file).map_err(|error| Refused::Directory(error.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Refused::File(not_regular(path)));
    }
    Ok((File::from(file), stat.st_size as u64))
}

fn not_regular(path: &str) -> String {
    format!("{path:?} is no regular file: a file with the image's bytes was expected")
}

fn open_directory(directory: &Path) -> io::Result<OwnedFd> {
    Ok(openat(CWD, directory, DIRECTORY, Mode::empty())?)
}

fn open_below(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    loop {
        match openat2(root, path, FILE, Mode::empty(), resolve) {
            // Something was renamed meanwhile.
            Err(Errno::AGAIN | Errno::INTR) => {}
            // A kernel before 5.6, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => return open_step_by_step(root, path),
            done => return done,
        }
    }
}

/// The same without the kernel's help: each directory on the way is opened by itself.
fn open_step_by_step(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut within: Option<OwnedFd> = None;
    for parent in parents.split('/').filter(|name| !name.is_empty()) {
        let from = within.as_ref().map_or(root, AsFd::as_fd);
        let opened = openat(from, parent, DIRECTORY | OFlags::NOFOLLOW, Mode::empty());
        within = Some(opened.map_err(|error| link_or(from, parent, error))?);
    }
    let from = within.as_ref().map_or(root, AsFd::as_fd);
    openat(from, name, FILE, Mode::empty())
}

/// A link that is not followed where a directory is wanted is `ENOTDIR`.
fn link_or(from: BorrowedFd<'_>, name: &str, error: Errno) -> Errno {
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    let stat = rustix::fs::statat(from, name, flags);
    let is_link = stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink);
    if is_link { Errno::LOOP } else { error }
}

/// The regular files below the import directory, by path. Links are neither followed nor listed;
/// what cannot be read is left out.
pub(super) fn list(directory: &Path) -> io::Result<Vec<api::ImportFile>> {
    let root = open_directory(directory)?;
    let mut files = Vec::new();
    walk(&root, "", 0, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(
    directory: &OwnedFd,
    path: &str,
    depth: usize,
    files: &mut Vec<api::ImportFile>,
) -> io::Result<()> {
    let mut entries = Dir::read_from(directory)?;
    while let Some(entry) = entries.read() {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        // A name that is no text cannot be asked for either.
        let Some(name) = name.to_str().filter(|name| !matches!(*name, "." | "..")) else {
            continue;
        };
        if files.len() >= LISTED {
            tracing::warn!(
                "the import directory holds more than {LISTED} files: not all are listed"
            );
            return Ok(());
        }
        let below = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}/{name}")
        };
        let Ok(file) = openat(directory, name, FILE, Mode::empty()) else {
            continue;
        };
        let Ok(stat) = fstat(&file) else { continue };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory if depth < DEEPEST => {
                // One that cannot be read hides nothing else.
                if let Err(error) = walk(&file, &below, depth + 1, files) {
                    tracing::debug!(%error, "a directory below the import directory is left out");
                }
            }
            FileType::RegularFile => {
                let size = stat.st_size as u64;
                if let Ok(format) = formats::name(&File::from(file), size) {
                    files.push(api::ImportFile {
                        path: below,
                        size_bytes: size,
                        format: format.to_owned(),
                    });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    fn directory() -> TempDir {
        let outside = tempfile::tempdir().unwrap();
        let root = outside.path().join("import");
        std::fs::create_dir_all(root.join("debian")).unwrap();
        std::fs::write(root.join("debian/disk"), b"disk").unwrap();
        std::fs::write(outside.path().join("secret"), b"secret").unwrap();
        std::fs::create_dir(outside.path().join("others")).unwrap();
        std::fs::write(outside.path().join("others/disk"), b"secret").unwrap();
        symlink("../secret", root.join("link")).unwrap();
        symlink("debian/disk", root.join("inner-link")).unwrap();
        symlink("../others", root.join("link-directory")).unwrap();
        rustix::fs::mknodat(CWD, root.join("pipe"), FileType::Fifo, 0o600.into(), 0).unwrap();
        outside
    }

    #[test]
    fn only_regular_files_below_are_opened_and_no_link_is_followed() {
        let outside = directory();
        let root = outside.path().join("import");
        let (_, size) = open(&root, "debian/disk").unwrap();
        assert_eq!(size, 4);
        assert!(matches!(open(&root, "debian/no"), Err(Refused::Missing)));
        for (path, why) in [
            ("", "empty"),
            ("/etc/passwd", "absolute"),
            ("../secret", "elsewhere"),
            ("debian/../../secret", "elsewhere"),
            ("debian//disk", "elsewhere"),
            ("./debian/disk", "elsewhere"),
            ("de\0bian", "no path has"),
            ("link", "symbolic link"),
            ("inner-link", "symbolic link"),
            ("link-directory/disk", "symbolic link"),
            ("pipe", "no regular file"),
            ("debian", "no regular file"),
            (&"x".repeat(10_000), "too long"),
        ] {
            match open(&root, path) {
                Err(Refused::File(reason)) => assert!(reason.contains(why), "{path}: {reason}"),
                other => panic!("{path}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_way_without_the_kernels_help_follows_no_link_either() {
        let outside = directory();
        let root = open_directory(&outside.path().join("import")).unwrap();
        let open = |path| open_step_by_step(root.as_fd(), path);
        assert!(open("debian/disk").is_ok());
        for path in ["link", "inner-link", "link-directory/disk"] {
            assert_eq!(open(path).unwrap_err(), Errno::LOOP, "{path}");
        }
        assert_eq!(open("debian/disk/more").unwrap_err(), Errno::NOTDIR);
    }

    #[test]
    fn what_is_listed_is_what_can_be_imported() {
        let outside = directory();
        let files = list(&outside.path().join("import")).unwrap();
        let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["debian/disk"]);
        assert_eq!((files[0].size_bytes, files[0].format.as_str()), (4, "raw"));
    }
}
