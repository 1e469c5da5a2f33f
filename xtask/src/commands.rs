//! The commands: each a list of stages.

use std::{
    fs,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use end2end::{
    Scratch,
    client::root,
    interrupt,
    testbed::{Doors, LldpClient, Plan, Testbed},
    vms_process::{binary, get},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{
    Options,
    cargo::{self, NATIVE, WASM, cargo},
    packages, site,
    stages::Stages,
    tour,
};

/// Installs what is missing, builds, and serves the demo fleet until Ctrl-C.
///
/// # Errors
/// The first stage that failed.
pub fn run(options: &Options) -> Result<ExitCode> {
    check_free(options.listen)?;
    let mut stages = Stages::new();
    stages.stage("packages", packages::for_build)?;
    compile(&mut stages)?;
    let mut command = vms()?;
    command.arg("demo");
    let mut server = stages.stage("start", || Server::start(command, options))?;
    stages.print();
    eprintln!(
        "The demo fleet is at http://{}/ (Ctrl-C ends it)\n",
        reachable(options.listen)
    );
    server.wait()
}

/// Brings up the testbed, and serves it until Ctrl-C, which removes every trace.
///
/// # Errors
/// The first stage that failed.
pub fn testbed(options: &Options) -> Result<ExitCode> {
    check_free(options.listen)?;
    let mut stages = Stages::new();
    if std::env::var_os(BUILT).is_none() {
        stages.stage("packages", packages::for_build)?;
        stages.stage("testbed packages", packages::for_testbed)?;
        stages.stage("testbed files", Testbed::prepare)?;
        compile(&mut stages)?;
        if !packages::is_root() {
            // Only what needs root runs as root: nothing is compiled there. Ctrl-C reaches that
            // part, too; this one waits until everything is gone.
            interrupt::hold();
            let status = packages::as_root("env")
                .context("the testbed makes network namespaces and mounts")?
                .arg(format!("{BUILT}=1"))
                .arg(std::env::current_exe()?)
                .args(std::env::args().skip(1))
                .status()?;
            return Ok(exit_code(status));
        }
    }
    interrupt::hold();
    let files = Scratch::new()?;
    let plan = Plan::testbed();
    let bed = stages.stage("testbed", || {
        let bed = Testbed::up(&plan)?;
        bed.wait_routers_up()?;
        Ok(bed)
    })?;
    let doors = stages.stage("SSH", || Doors::open(&bed))?;
    let ssh = files.path().join("ssh");
    fs::write(&ssh, doors.client_config())?;
    let config = files.path().join("vms.toml");
    fs::write(&config, bed.config_with_tunnels())?;
    let lldp = LldpClient::new()?;
    let mut command = vms()?;
    command.env("PATH", lldp.path()?);
    command.arg("serve").arg("--config").arg(&config);
    let data = options
        .data
        .clone()
        .unwrap_or_else(|| files.path().join("data"));
    doors.hand_over(&data)?;
    let options = Options {
        data: Some(data),
        ..*options
    };
    let mut server = stages.stage("start", || Server::start(command, &options))?;
    stages.print();
    eprintln!("VMS is at http://{}/\n", reachable(options.listen));
    eprintln!("Configuration: {}\n", config.display());
    eprintln!("{}", tour::of(&bed, &ssh));
    let result = server.wait();
    drop(server);
    eprintln!("\nRemoving the testbed …");
    drop(doors);
    drop(bed);
    result
}

/// Set for the part of `testbed` that runs as root after the part that did not.
const BUILT: &str = "VMS_TESTBED_BUILT";

/// Starts and stops the testbed twenty times, and looks for what is left.
///
/// # Errors
/// The first stage that failed.
pub fn testbed_soak() -> Result<ExitCode> {
    let mut stages = Stages::new();
    stages.stage("testbed packages", packages::for_testbed)?;
    stages.stage("testbed files", Testbed::prepare)?;
    stages.stage("twenty starts and stops", || {
        let mut command = end_to_end_tests(1)?;
        command.args(["--nocapture", "the_fleet_starts_and_stops"]);
        cargo::run(command.env("VMS_SOAK_ROUNDS", "20"))
    })?;
    stages.print();
    Ok(ExitCode::SUCCESS)
}

/// Looks for memory that the libvirt layer loses, and for what five hundred reconnects to a real host
/// leave behind.
///
/// # Errors
/// The first stage that failed; or this is not root.
pub fn soak() -> Result<ExitCode> {
    needs_root()?;
    let mut stages = Stages::new();
    stages.stage("packages", packages::for_build)?;
    stages.stage("testbed packages", packages::for_testbed)?;
    stages.stage("valgrind", packages::valgrind)?;
    stages.stage("testbed files", Testbed::prepare)?;
    compile(&mut stages)?;
    stages.stage("exercise", || {
        cargo(&[&["build"], &NATIVE, &["--examples"]])
    })?;
    stages.stage("memory", || {
        let bed = host_with_guests(3)?;
        let mut command = Command::new(cargo::program());
        command.arg("test").args(NATIVE).args(["--test", "it"]);
        command.args(["--", "--ignored", "nothing_is_lost"]);
        cargo::run(command.env("EXERCISE_URI", bed.hosts()[0].uri()))
    })?;
    stages.stage("five hundred reconnects", || {
        let mut command = end_to_end_tests(1)?;
        command.args(["--nocapture", "reconnects_leave_nothing_behind"]);
        let vms = binary()?;
        cargo::run(command.env("VMS_BIN", vms).env("VMS_RECONNECTS", "500"))
    })?;
    stages.print();
    Ok(ExitCode::SUCCESS)
}

/// What starts a host in this very process.
fn needs_root() -> Result<()> {
    ensure!(
        packages::is_root(),
        "the host is a network namespace, which root can make: try as root"
    );
    Ok(())
}

/// A host with guests that were never started up: what counts is what libvirt tells of them.
fn host_with_guests(count: u32) -> Result<Testbed> {
    let bed = Testbed::up(&Plan::one_host())?;
    let host = &bed.hosts()[0];
    let files = Scratch::new()?;
    let xml = files.path().join("guest.xml");
    for number in 1..=count {
        fs::write(&xml, idle_guest(number))?;
        host.virsh(&["create", "--paused", &xml.to_string_lossy()])?;
    }
    Ok(bed)
}

/// Everything that CI runs.
///
/// # Errors
/// The first stage that failed.
pub fn test() -> Result<ExitCode> {
    let mut stages = Stages::new();
    stages.stage("packages", packages::for_test)?;
    stages.stage("npm packages", || packages::npm("end2end"))?;
    stages.stage("Python packages", packages::python)?;
    stages.stage("testbed files", Testbed::prepare)?;
    stages.stage("format", || cargo(&[&["fmt", "--all", "--check"]]))?;
    stages.stage("front end", site::compile)?;
    stages.stage("site", site::lay_out)?;
    stages.stage("page budget", site::check_budget)?;
    stages.stage("server and tests", || {
        let what = ["--lib", "--bins", "--tests", "--test", "end2end"];
        cargo(&[&["build"], &NATIVE, &what])
    })?;
    let deny = ["--", "-D", "warnings"];
    stages.stage("lint", || {
        let what = ["--all-targets", "--test", "end2end"];
        cargo(&[&["clippy"], &NATIVE, &what, &deny])
    })?;
    stages.stage("lint, wasm", || cargo(&[&["clippy"], &WASM, &deny]))?;
    stages.stage("tests", || cargo(&[&["test"], &NATIVE]))?;
    stages.stage("end-to-end tests", || {
        let mut command = end_to_end_tests(2)?;
        command.args(["--skip", ALONE]);
        cargo::run(command.env("VMS_BIN", binary()?))
    })?;
    stages.stage("end-to-end tests, alone", || {
        let mut command = end_to_end_tests(1)?;
        command.arg(ALONE);
        cargo::run(command.env("VMS_BIN", binary()?))
    })?;
    stages.print();
    eprintln!("All tests passed.");
    Ok(ExitCode::SUCCESS)
}

/// In the names of the tests from outside that need the machine for themselves.
const ALONE: &str = "alone::";

/// The tests from outside, as root, so many side by side. What is added says which.
fn end_to_end_tests(at_once: u8) -> Result<Command> {
    let mut command = Command::new(cargo::program());
    command.arg("test").args(NATIVE).args(["--test", "end2end"]);
    if !packages::is_root() {
        packages::as_root("true").context("the testbed makes network namespaces and mounts")?;
        // sudo may have a PATH of its own, on which Node is not.
        let path = std::env::var("PATH")?;
        let runner = format!("['sudo', '-n', '-E', 'env', 'PATH={path}']");
        command.args(["--config", &format!("target.'cfg(all())'.runner={runner}")]);
    }
    command.env("VMS_LIBVIRT_TESTS", libvirt_tests()?);
    command.args(["--", &format!("--test-threads={at_once}")]);
    Ok(command)
}

/// The program with the tests of the library, of which some need real hosts.
fn libvirt_tests() -> Result<String> {
    let output = Command::new(cargo::program())
        .arg("test")
        .args(NATIVE)
        .args(["--test", "it", "--no-run", "--message-format=json"])
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()?;
    let messages = output.stdout.split(|byte| *byte == b'\n');
    let mut found = messages.filter_map(|line| {
        let message: Value = serde_json::from_slice(line).ok()?;
        let source = message["target"]["src_path"].as_str()?;
        let program = message["executable"].as_str()?;
        source.contains("/crates/libvirt/").then(|| program.into())
    });
    found
        .next()
        .context("the library's tests cannot be compiled")
}

/// Builds the server with its page, for development.
///
/// # Errors
/// The first stage that failed.
pub fn build() -> Result<ExitCode> {
    let mut stages = Stages::new();
    stages.stage("packages", packages::for_build)?;
    compile(&mut stages)?;
    stages.print();
    Ok(ExitCode::SUCCESS)
}

/// Builds the server with its page, optimised.
///
/// # Errors
/// The first stage that failed.
pub fn release() -> Result<ExitCode> {
    let mut stages = Stages::new();
    stages.stage("packages", packages::for_build)?;
    stages.stage("front end", site::compile)?;
    stages.stage("site", site::lay_out)?;
    stages.stage("page budget", site::check_budget)?;
    stages.stage("server", || {
        cargo(&[&["build"], &NATIVE, &["--bin", "vms", "--release"]])
    })?;
    stages.print();
    let binary = cargo::target().join("release/vms");
    let size = fs::metadata(&binary)?.len() / 1_000_000;
    eprintln!("{} ({size} MB)", binary.display());
    Ok(ExitCode::SUCCESS)
}

/// Runs the benchmarks.
///
/// # Errors
/// The first stage that failed.
pub fn bench() -> Result<ExitCode> {
    let mut stages = Stages::new();
    stages.stage("packages", packages::for_build)?;
    stages.stage("front end", site::compile)?;
    stages.stage("site", site::lay_out)?;
    stages.stage("benchmarks", || {
        cargo(&[&["bench"], &NATIVE, &["--benches"]])
    })?;
    stages.print();
    Ok(ExitCode::SUCCESS)
}

/// Runs the benchmarks over a real host with twenty-five guests.
///
/// # Errors
/// The first stage that failed; or this is not root.
pub fn bench_host() -> Result<ExitCode> {
    needs_root()?;
    let mut stages = Stages::new();
    stages.stage("packages", packages::for_build)?;
    stages.stage("testbed packages", packages::for_testbed)?;
    stages.stage("peer", packages::for_peers)?;
    stages.stage("testbed files", Testbed::prepare)?;
    stages.stage("compile", || {
        cargo(&[&["bench", "--no-run"], &NATIVE, &["--bench", "bulk_stats"]])
    })?;
    let bed = stages.stage("host", || host_with_guests(25))?;
    stages.stage("bulk statistics", || {
        let uri = bed.hosts()[0].uri();
        cargo(&[&["bench"], &NATIVE, &["--bench", "bulk_stats", "--", &uri]])
    })?;
    stages.print();
    Ok(ExitCode::SUCCESS)
}

/// Moves a router ten times by VMS and ten times by `virsh migrate`, by turns on one pair of hosts.
///
/// # Errors
/// The first stage that failed.
pub fn bench_migration() -> Result<ExitCode> {
    end_to_end_bench("moves_by_vms_beside_moves_by_virsh", ("VMS_MOVES", "10"))
}

/// Compares making routers with what a script does, by turns in one run.
///
/// # Errors
/// The first stage that failed.
pub fn bench_creation() -> Result<ExitCode> {
    end_to_end_bench(
        "routers_by_vms_beside_routers_by_a_script",
        ("VMS_MAKES", "5"),
    )
}

/// Uploads an image of 4 GiB and ships it to three hosts at once: how much memory that takes.
///
/// # Errors
/// The first stage that failed.
pub fn bench_images() -> Result<ExitCode> {
    end_to_end_bench(
        "a_large_image_takes_little_of_the_servers_memory",
        ("VMS_IMAGE_MIB", "4096"),
    )
}

/// Runs one end-to-end test in full: what it measures it prints.
fn end_to_end_bench(test: &str, (variable, value): (&str, &str)) -> Result<ExitCode> {
    let mut stages = Stages::new();
    stages.stage("packages", packages::for_test)?;
    stages.stage("Python packages", packages::python)?;
    stages.stage("testbed files", Testbed::prepare)?;
    compile(&mut stages)?;
    stages.stage("measuring", || {
        let mut command = end_to_end_tests(1)?;
        command.args(["--nocapture", test]);
        cargo::run(command.env("VMS_BIN", binary()?).env(variable, value))
    })?;
    stages.print();
    Ok(ExitCode::SUCCESS)
}

/// Compares our layouts with those of others, by turns in one run.
///
/// # Errors
/// The first stage that failed.
pub fn bench_layout() -> Result<ExitCode> {
    let peers = root().join("bench/layout/peers");
    let scratch = cargo::target().join("bench-layout");
    let fmmm = scratch.join("fmmm");
    let mut stages = Stages::new();
    stages.stage("packages", packages::for_build)?;
    let python = stages.stage("peers", || packages::for_layout_bench(&peers))?;
    stages.stage("compile FMMM", || {
        fs::create_dir_all(&scratch)?;
        let venv = python.parent().and_then(Path::parent).context("no venv")?;
        // Without it the comparison goes on, and says so.
        let built = cargo::run(
            Command::new("g++")
                .args(["-O3", "-std=c++17", "-o"])
                .args([&fmmm, &peers.join("fmmm.cpp")])
                .arg("-I")
                .arg(venv.join("include"))
                .arg("-I")
                .arg(venv.join("include/ogdf-release"))
                .arg("-L")
                .arg(venv.join("lib"))
                .args(["-lOGDF", "-lCOIN"])
                .arg(format!("-Wl,-rpath,{}", venv.join("lib").display())),
        );
        if let Err(error) = built {
            eprintln!("   OGDF is left out: {error:#}");
        }
        Ok(())
    })?;
    stages.stage("compile for WebAssembly", || {
        cargo(&[
            &[
                "build",
                "-p",
                "layout-bench",
                "--lib",
                "--target",
                cargo::WASM_TARGET,
            ],
            &["--profile", "wasm-layouts"],
        ])
    })?;
    stages.stage("compile", || {
        cargo(&[&["build", "--release", "-p", "layout-bench"]])
    })?;
    stages.stage("comparison", || {
        let module = cargo::target()
            .join(cargo::WASM_TARGET)
            .join("wasm-layouts/layout_bench.wasm");
        let program = cargo::target().join("release/layout-bench");
        cargo::run(Command::new(program).args([&peers, &python, &module, &fmmm, &scratch]))
    })?;
    stages.print();
    Ok(ExitCode::SUCCESS)
}

/// Runs the benchmark of paths against its peers.
///
/// # Errors
/// The first stage that failed.
pub fn bench_paths() -> Result<ExitCode> {
    let mut stages = Stages::new();
    stages.stage("packages", packages::for_build)?;
    stages.stage("peers", packages::peers_of_paths)?;
    stages.stage("paths", || {
        cargo(&[&["bench"], &["-p", "graph", "--bench", "paths"]])
    })?;
    stages.print();
    Ok(ExitCode::SUCCESS)
}

/// Compares the page's picture with sigma.js and cytoscape.js, over graphs of these sizes.
///
/// # Errors
/// The first stage that failed.
pub fn bench_view(sizes: impl Iterator<Item = String>) -> Result<ExitCode> {
    let mut stages = Stages::new();
    stages.stage("packages", packages::for_test)?;
    stages.stage("npm packages", || packages::npm("bench/view"))?;
    stages.stage("front end", site::compile)?;
    stages.stage("site", site::lay_out)?;
    let example = ["--package", "server", "--example", "graph_server"];
    stages.stage("server", || cargo(&[&["build", "--release"], &example]))?;
    stages.stage("pictures", || {
        cargo::run(
            Command::new("node")
                .arg("bench/view/run.mjs")
                .arg(cargo::target().join("release/examples/graph_server"))
                .args(sizes),
        )
    })?;
    stages.print();
    Ok(ExitCode::SUCCESS)
}

/// A guest with the devices of a router, which does nothing.
fn idle_guest(number: u32) -> String {
    let nic = "<interface type='bridge'><source bridge='br0'/><model type='virtio'/></interface>";
    format!(
        "<domain type='qemu'><name>idle-{number}</name><memory unit='MiB'>16</memory><vcpu>1</vcpu>
         <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
         <devices>{nic}{nic}<disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>
         <memballoon model='virtio'/></devices></domain>"
    )
}

/// Formats the source.
///
/// # Errors
/// The source cannot be read as Rust.
pub fn fmt() -> Result<ExitCode> {
    cargo(&[&["fmt", "--all"]])?;
    Ok(ExitCode::SUCCESS)
}

/// Removes everything that was built, downloaded or cached in the project.
///
/// # Errors
/// A file cannot be removed.
pub fn clean() -> Result<ExitCode> {
    for name in [
        "bench/layout/peers/node_modules",
        "bench/view/node_modules",
        "end2end/node_modules",
        "target",
    ] {
        let directory = root().join(name);
        if directory.exists() {
            fs::remove_dir_all(&directory)
                .with_context(|| format!("cannot remove {}", directory.display()))?;
        }
    }
    if cargo::target().exists() {
        cargo(&[&["clean"]])?;
    }
    Ok(ExitCode::SUCCESS)
}

fn compile(stages: &mut Stages) -> Result<()> {
    stages.stage("front end", site::compile)?;
    stages.stage("site", site::lay_out)?;
    stages.stage("server", || {
        cargo(&[&["build"], &NATIVE, &["--bin", "vms"]])
    })
}

/// The built server, which ends when this process does, however that ends.
fn vms() -> Result<Command> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(binary()?);
    Ok(command)
}

/// Asked before the build, so that nobody waits minutes for this answer.
fn check_free(listen: SocketAddr) -> Result<()> {
    if let Err(error) = TcpListener::bind(listen) {
        bail!(
            "cannot listen on {listen}: {error}. End the program that does, or choose \
             another port: make run LISTEN=127.0.0.1:{}",
            listen.port().wrapping_add(1)
        );
    }
    Ok(())
}

/// Where a program on this machine reaches a server that listens there.
fn reachable(listen: SocketAddr) -> SocketAddr {
    match listen {
        SocketAddr::V4(a) if a.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, a.port()).into(),
        SocketAddr::V6(a) if a.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, a.port()).into(),
        other => other,
    }
}

fn exit_code(status: std::process::ExitStatus) -> ExitCode {
    status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

/// A `vms` that shares this terminal.
struct Server(Child);

impl Server {
    /// Starts it and waits until it is ready.
    fn start(mut command: Command, options: &Options) -> Result<Self> {
        interrupt::hold();
        command.arg("--listen").arg(options.listen.to_string());
        if let Some(data) = &options.data {
            command.arg("--data").arg(data);
        }
        let child = command
            .spawn()
            .context("cannot run setpriv (package util-linux)")?;
        let mut server = Self(child);
        let address = reachable(options.listen);
        end2end::until("vms to answer /readyz", Duration::from_mins(1), || {
            if let Some(status) = server.0.try_wait()? {
                bail!("vms ended at once ({status}); its output above says why");
            }
            Ok(matches!(get(address, "/readyz"), Ok((200, _))).then_some(()))
        })?;
        Ok(server)
    }

    /// Waits until it ends, by itself or by Ctrl-C.
    fn wait(&mut self) -> Result<ExitCode> {
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(if interrupt::received() {
                    ExitCode::SUCCESS
                } else {
                    exit_code(status)
                });
            }
            if interrupt::received() {
                self.end()?;
                return Ok(ExitCode::SUCCESS);
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// Asks it to end, and kills it when it has not after 10 s.
    fn end(&mut self) -> Result<()> {
        if self.0.try_wait()?.is_some() {
            return Ok(());
        }
        kill(Pid::from_raw(self.0.id().try_into()?), Signal::SIGTERM)?;
        for _ in 0..200 {
            if self.0.try_wait()?.is_some() {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.end().is_err() {
            self.0.kill().ok();
            self.0.wait().ok();
        }
    }
}
