//! Programs that use VMS as its users do: Python with zeep, and a browser under Playwright.
//!
//! Each is a script under `end2end/soap` or `end2end/browser` which gets its arguments on the
//! command line, says what went wrong on standard error with a non-zero exit, and otherwise
//! prints one JSON document as the last line of its output. `cargo xtask test` installs what
//! they need: zeep in `target/venv`, `playwright-core` in `end2end/node_modules`, and
//! Debian's Chromium.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The project's root directory.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Runs `end2end/soap/<script>` with the Python that has zeep.
///
/// # Errors
/// Python or zeep are not installed, or the script failed; the sentence holds its output.
pub fn python(script: &str, arguments: &[&str]) -> Result<Value> {
    let path = root().join("end2end/soap").join(script);
    run(interpreter()?.arg(path), script, arguments)
}

/// Runs `examples/<script>` with the Python that has zeep, and gives what it prints for people.
///
/// # Errors
/// Python or zeep are not installed, or the script failed; the sentence holds its output.
pub fn example(script: &str, arguments: &[&str]) -> Result<String> {
    let path = root().join("examples").join(script);
    output(interpreter()?.arg(path), script, arguments)
}

/// Starts `examples/<script>` with the Python that has zeep; whoever starts it ends it.
///
/// # Errors
/// Python or zeep are not installed.
pub fn example_in_background(script: &str, arguments: &[&str]) -> Result<std::process::Child> {
    let path = root().join("examples").join(script);
    let child = interpreter()?.arg(path).args(arguments).spawn();
    child.with_context(|| format!("cannot start {script}"))
}

fn interpreter() -> Result<Command> {
    let python = root().join("target/venv/bin/python");
    if !python.exists() {
        bail!(
            "zeep is not installed at {}: `make test` installs it",
            python.display()
        );
    }
    Ok(Command::new(python))
}

/// Runs `end2end/browser/<script>` with Node, which finds `playwright-core` and Chromium.
///
/// # Errors
/// Node or `playwright-core` are not installed, or the script failed; the sentence holds
/// its output.
pub fn browser(script: &str, arguments: &[&str]) -> Result<Value> {
    let home = root().join("end2end");
    if !home.join("node_modules/playwright-core").exists() {
        bail!("playwright-core is not installed in end2end/: `make test` installs it");
    }
    run(
        Command::new("node").arg(home.join("browser").join(script)),
        script,
        arguments,
    )
}

fn run(command: &mut Command, script: &str, arguments: &[&str]) -> Result<Value> {
    let text = output(command, script, arguments)?;
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last)
        .with_context(|| format!("{script} must end with one line of JSON, but printed:\n{text}"))
}

fn output(command: &mut Command, script: &str, arguments: &[&str]) -> Result<String> {
    let output = command
        .args(arguments)
        .output()
        .with_context(|| format!("cannot start {script}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{script} failed ({}):\n{text}{errors}", output.status);
    }
    Ok(text.into_owned())
}
