//! What the machine must have, and how it is installed: Debian packages, the wasm target,
//! npm and Python packages. What is there is not touched; when all is there, looking takes
//! some milliseconds.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use end2end::client::root;

use crate::cargo::{WASM_TARGET, run};

/// To compile and run the server.
const BUILD: [&str; 2] = ["libvirt-dev", "pkg-config"];
/// To run the testbed: daemons and tools, none of which starts a service when installed.
const TESTBED: [&str; 13] = [
    "e2fsprogs",
    "iproute2",
    "iptables",
    "iputils-ping",
    "libvirt-clients",
    "libvirt-daemon",
    "libvirt-daemon-driver-lxc",
    "nftables",
    "openssh-client",
    "openssl",
    "qemu-system-x86",
    "qemu-utils",
    "util-linux",
];
/// The peer of the benchmarks over a real host.
const PEERS: [&str; 1] = ["python3-libvirt"];
/// To run the tests from outside.
const TEST: [&str; 2] = ["chromium", "python3-venv"];

/// What is needed to build and to run the demo.
///
/// # Errors
/// Something is missing and cannot be installed.
pub fn for_build() -> Result<()> {
    debian(&BUILD)?;
    wasm_target()?;
    npm("console")
}

/// What is needed for the testbed of real hosts.
///
/// # Errors
/// Something is missing and cannot be installed.
pub fn for_testbed() -> Result<()> {
    debian(&TESTBED)
}

/// What is needed to compare with other clients of libvirt.
///
/// # Errors
/// Something is missing and cannot be installed.
pub fn for_peers() -> Result<()> {
    debian(&PEERS)
}

/// The peers of the comparison of layouts: programs, npm and Python packages as the lock files in
/// `peers` say. Gives the Python that has them.
///
/// # Errors
/// Something is missing and cannot be installed.
pub fn for_layout_bench(peers: &Path) -> Result<PathBuf> {
    debian(&["g++", "graphviz", "python3-venv"])?;
    npm("bench/layout/peers")?;
    let venv = root().join("target/venv-layout");
    python_in(&venv, &peers.join("requirements.txt"))?;
    Ok(venv.join("bin/python"))
}

/// What finds memory that is lost.
///
/// # Errors
/// It is missing and cannot be installed.
pub fn valgrind() -> Result<()> {
    debian(&["valgrind"])
}

/// What is needed for all tests.
///
/// # Errors
/// Something is missing and cannot be installed.
pub fn for_test() -> Result<()> {
    debian(&[&BUILD[..], &TESTBED, &TEST].concat())?;
    wasm_target()?;
    npm("console")?;
    rust_component("rustfmt", "cargo-fmt")?;
    rust_component("clippy", "cargo-clippy")
}

/// Whether this process may do everything.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// A command that runs as root: directly, or by `sudo` where that asks no question.
///
/// # Errors
/// Neither is possible.
pub fn as_root(program: &str) -> Result<Command> {
    if is_root() {
        return Ok(Command::new(program));
    }
    let sudo = Command::new("sudo")
        .args(["-n", "true"])
        .stderr(Stdio::null())
        .status();
    ensure!(
        sudo.is_ok_and(|status| status.success()),
        "it needs root, and this is neither root nor a user for whom sudo works without password"
    );
    let mut command = Command::new("sudo");
    command.args(["-n", "-E", program]);
    Ok(command)
}

fn debian(wanted: &[&str]) -> Result<()> {
    let installed = installed(wanted)?;
    let missing: Vec<&str> = wanted
        .iter()
        .copied()
        .filter(|name| !installed.contains(*name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    eprintln!("   installing {list}");
    install(&missing).with_context(|| {
        format!("cannot install the Debian packages {list}; with them installed by hand, try again")
    })
}

/// Those of the wanted packages that are installed.
fn installed(wanted: &[&str]) -> Result<BTreeSet<String>> {
    // Unknown names make it fail, after it has told about the known ones.
    let output = Command::new("dpkg-query")
        .args(["-W", "-f", "${db:Status-Status} ${Package}\n"])
        .args(wanted)
        .output()
        .with_context(|| {
            format!(
                "this is no Debian system (no dpkg-query): install the likes of {} yourself",
                wanted.join(" ")
            )
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let names = text.lines().filter_map(|line| {
        let (state, name) = line.split_once(' ')?;
        (state == "installed").then(|| name.to_owned())
    });
    Ok(names.collect())
}

fn install(missing: &[&str]) -> Result<()> {
    let (qemu, others): (Vec<&str>, Vec<&str>) =
        missing.iter().partition(|name| name.starts_with("qemu-"));
    let suite = if qemu.is_empty() {
        None
    } else {
        backports_of("qemu-utils")?
    };
    if let Some(suite) = &suite {
        offer_suite(suite)?;
    }
    apt(&["update"]).context("apt-get could not update its lists: is there a network?")?;
    let install = ["install", "--yes", "--no-install-recommends"];
    match &suite {
        None => apt(&[&install, missing].concat()),
        Some(suite) => {
            if !others.is_empty() {
                apt(&[&install, &others[..]].concat())?;
            }
            // Named one by one, or apt would keep to the older suite and find no solution.
            let parts = ["qemu-system-common", "qemu-system-data", "seabios"];
            apt(&[&install[..], &["-t", suite], &qemu, &parts].concat())
        }
    }
}

fn apt(arguments: &[&str]) -> Result<()> {
    let mut command = as_root("env")?;
    command
        .arg("DEBIAN_FRONTEND=noninteractive")
        .args(["apt-get", "-q", "-o", "Dpkg::Use-Pty=0"])
        .args(["-o", "DPkg::Lock::Timeout=300"])
        .args(arguments)
        .stdin(Stdio::null());
    run(&mut command)
}

/// The backports suite that an installed package comes from: the rest of its family must
/// come from there too. `qemu-utils` of backports does not go with QEMU of the release.
fn backports_of(package: &str) -> Result<Option<String>> {
    let output = Command::new("dpkg-query")
        .args(["-W", "-f", "${db:Status-Status} ${Version}", package])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !(text.starts_with("installed ") && text.contains("~bpo")) {
        return Ok(None);
    }
    Ok(Some(format!("{}-backports", codename()?)))
}

fn codename() -> Result<String> {
    let release = fs::read_to_string("/etc/os-release").context("no /etc/os-release")?;
    let name = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .context("/etc/os-release has no VERSION_CODENAME")?;
    Ok(name.trim_matches('"').to_owned())
}

/// Adds a suite to apt's sources, from the archive that the release itself comes from.
fn offer_suite(suite: &str) -> Result<()> {
    const FILE: &str = "/etc/apt/sources.list.d/vms-backports.sources";
    let policy = Command::new("apt-cache").arg("policy").output()?;
    if String::from_utf8_lossy(&policy.stdout).contains(&format!("{suite}/main")) {
        return Ok(());
    }
    let source = sources()?
        .iter()
        .find_map(|text| suite_source(text, &codename().ok()?, suite))
        .with_context(|| format!("no source in /etc/apt to derive the suite {suite} from"))?;
    eprintln!("   adding {suite} to apt's sources: {FILE}");
    let mut tee = as_root("tee")?
        .arg(FILE)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = tee.stdin.take() {
        stdin.write_all(source.as_bytes())?;
    }
    ensure!(tee.wait()?.success(), "cannot write {FILE}");
    Ok(())
}

/// The contents of apt's source files.
fn sources() -> Result<Vec<String>> {
    let mut texts = Vec::new();
    texts.extend(fs::read_to_string("/etc/apt/sources.list"));
    for entry in fs::read_dir("/etc/apt/sources.list.d").context("apt has no sources.list.d")? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|e| e == "list" || e == "sources")
        {
            texts.extend(fs::read_to_string(path));
        }
    }
    Ok(texts)
}

/// The entry for `suite`, derived from the one for `release` in this source file.
fn suite_source(text: &str, release: &str, suite: &str) -> Option<String> {
    let entry = |uri: &str, key: Option<&str>| {
        let key = key.map_or_else(String::new, |key| format!("Signed-By: {key}\n"));
        format!("Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\n{key}")
    };
    for paragraph in text.split("\n\n") {
        let field = |name: &str| {
            paragraph
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                .map(str::trim)
        };
        if let (Some(uri), Some(suites)) = (field("URIs"), field("Suites"))
            && suites.split_whitespace().any(|word| word == release)
        {
            return Some(entry(uri, field("Signed-By")));
        }
    }
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("deb ") else {
            continue;
        };
        let (options, rest) = match rest.trim_start().strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let mut words = rest.split_whitespace();
        if let (Some(uri), Some(word)) = (words.next(), words.next())
            && word == release
        {
            let key = options
                .split_whitespace()
                .find_map(|option| option.strip_prefix("signed-by="));
            return Some(entry(uri, key));
        }
    }
    None
}

fn wasm_target() -> Result<()> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()
        .context("cannot run rustc")?;
    let sysroot = String::from_utf8_lossy(&output.stdout);
    let libraries = Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(WASM_TARGET);
    if libraries.exists() {
        return Ok(());
    }
    eprintln!("   adding the Rust target {WASM_TARGET}");
    run(Command::new("rustup").args(["target", "add", WASM_TARGET]))
        .with_context(|| format!("Rust has no target {WASM_TARGET}, and rustup could not add it"))
}

/// A part of Rust that its smallest installation leaves out.
fn rust_component(name: &str, program: &str) -> Result<()> {
    let there = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if there.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    eprintln!("   adding Rust's component {name}");
    run(Command::new("rustup").args(["component", "add", name]))
        .with_context(|| format!("{name} is absent, and rustup could not add it"))
}

/// What the lock file in `directory` names, in its `node_modules`: for the browser tests in `end2end`,
/// for the comparison of pictures in `bench/view`.
///
/// # Errors
/// Node or npm are absent or too old, or there is no network.
pub fn npm(directory: &str) -> Result<()> {
    let version = Command::new("node")
        .arg("--version")
        .output()
        .context("Node.js is absent: install version 20 or later")?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let major: Option<u32> = version
        .strip_prefix('v')
        .and_then(|text| text.split('.').next()?.parse().ok());
    ensure!(
        major.is_some_and(|major| major >= 20),
        "Node.js is {version}, and version 20 or later is needed"
    );
    let home = root().join(directory);
    when_changed(
        &home.join("package-lock.json"),
        &home.join("node_modules/.vms-lock"),
        || {
            run(Command::new("npm")
                .arg("--prefix")
                .arg(home)
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .stdin(Stdio::null()))
            .context("npm, which comes with Node.js, is absent or could not install what package-lock.json lists")
        },
    )
}

/// zeep in `target/venv`, as the list of requirements says.
///
/// # Errors
/// There is no network.
pub fn python() -> Result<()> {
    python_in(
        &root().join("target/venv"),
        &root().join("end2end/soap/requirements.txt"),
    )
}

/// igraph and networkx in `target/venv-bench`, as the list of requirements says.
///
/// # Errors
/// There is no network, or no Python.
pub fn peers_of_paths() -> Result<()> {
    debian(&["python3-venv"])?;
    python_in(
        &root().join("target/venv-bench"),
        &root().join("crates/graph/benches/requirements.txt"),
    )
}

fn python_in(venv: &Path, requirements: &Path) -> Result<()> {
    when_changed(requirements, &venv.join(".vms-requirements"), || {
        run(Command::new("/usr/bin/python3")
            .args(["-m", "venv"])
            .arg(venv))?;
        run(Command::new(venv.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .arg("--requirement")
            .arg(requirements)
            .stdin(Stdio::null()))
        .with_context(|| {
            format!(
                "pip could not install {}: is there a network?",
                requirements.display()
            )
        })
    })
}

/// Acts when `source` differs from what `stamp` keeps of the last success.
fn when_changed(source: &Path, stamp: &Path, act: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = fs::read(source).with_context(|| format!("cannot read {}", source.display()))?;
    if fs::read(stamp).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    act()?;
    if let Err(error) = fs::write(stamp, wanted) {
        bail!("cannot write {}: {error}", stamp.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DERIVED: &str = "Types: deb\nURIs: http://mirror.example/debian\n\
        Suites: bookworm-backports\nComponents: main\nSigned-By: /keys/debian.gpg\n";

    #[test]
    fn a_suite_is_derived_from_a_deb822_source() {
        let text = "Types: deb\n# a comment\nURIs: http://mirror.example/security\n\
            Suites: bookworm-security\nComponents: main\n\n\
            Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n\
            Components: main contrib\nSigned-By: /keys/debian.gpg\n";
        let derived = suite_source(text, "bookworm", "bookworm-backports");
        assert_eq!(derived.as_deref(), Some(DERIVED));
    }

    #[test]
    fn a_suite_is_derived_from_a_one_line_source() {
        let text = "# deb http://old.example bookworm main\n\
            deb [arch=amd64 signed-by=/keys/debian.gpg] http://mirror.example/debian bookworm main\n";
        let derived = suite_source(text, "bookworm", "bookworm-backports");
        assert_eq!(derived.as_deref(), Some(DERIVED));
    }

    #[test]
    fn other_releases_are_left_alone() {
        let text = "deb http://mirror.example/debian trixie main\n";
        assert_eq!(suite_source(text, "bookworm", "bookworm-backports"), None);
    }
}
