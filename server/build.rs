//! The site is embedded in the binary: a change of any of its files must rebuild it. The directory
//! is made where missing, so that the server compiles before the page does.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let manifest = env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    let site = manifest.join("../target/site");
    fs::create_dir_all(&site)?;
    watch(&site)
}

/// A directory's own time changes with its list of files only: every file is named.
fn watch(path: &Path) -> std::io::Result<()> {
    println!("cargo::rerun-if-changed={}", path.display());
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            watch(&entry?.path())?;
        }
    }
    Ok(())
}
