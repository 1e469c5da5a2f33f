//! Temporary directories that are gone afterwards.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result};

use crate::interrupt;

static LIVE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A temporary directory, removed when dropped, after a panic, and on Ctrl-C.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes an empty directory that only this user can read.
    ///
    /// # Errors
    /// The directory for temporary files cannot be written.
    pub fn new() -> Result<Self> {
        interrupt::install();
        let path = tempfile::Builder::new()
            .prefix("vms-end2end-")
            .tempdir()
            .context("cannot make a temporary directory")?
            .keep();
        live(|all| all.insert(path.clone()));
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.0);
        live(|all| all.remove(&self.0));
    }
}

/// Removes every scratch directory of this process; for the signal handler.
pub(crate) fn remove_all() {
    live(|all| all.iter().for_each(|path| remove(path)));
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_dir_all(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        eprintln!("cannot remove {}: {error}", path.display());
    }
}

fn live<T>(act: impl FnOnce(&mut BTreeSet<PathBuf>) -> T) -> T {
    act(&mut LIVE.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scratch_directory_is_gone_with_its_contents() {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().to_owned();
        fs::write(path.join("file"), "x").unwrap();
        drop(scratch);
        assert!(!path.exists());
    }
}
