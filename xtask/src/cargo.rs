//! How this workspace is compiled.
//!
//! Always in two: everything but `frontend` for this machine, and `frontend` for wasm. One
//! command for both would merge Leptos' features `ssr` and `hydrate`, which exclude each
//! other. The native commands all select the whole workspace, also where only one binary is
//! wanted, so that dependencies are compiled once, with one set of features.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};
use end2end::client::root;

/// Selects what is compiled for this machine.
pub const NATIVE: [&str; 3] = ["--workspace", "--exclude", "frontend"];
/// Selects what is compiled for the browser.
pub const WASM: [&str; 6] = ["-p", "frontend", "-p", "arranger", "--target", WASM_TARGET];
/// The browser's target.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Runs cargo with these arguments.
///
/// # Errors
/// Cargo failed; it has said why.
pub fn cargo(arguments: &[&[&str]]) -> Result<()> {
    let arguments = arguments.concat();
    run(Command::new(program()).args(&arguments))
        .with_context(|| format!("cargo {}", arguments.join(" ")))
}

/// The cargo that runs this program.
pub fn program() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), Into::into)
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(path) => root().join(path),
        None => root().join("target"),
    }
}

/// Runs a program in the root of the project, with its output shown.
///
/// # Errors
/// It cannot be started or failed.
pub fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .current_dir(root())
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    if !status.success() {
        bail!("{program} failed ({status}); its output above says why");
    }
    Ok(())
}
