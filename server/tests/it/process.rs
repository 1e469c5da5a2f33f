//! The built program: how it starts, refuses to start, ends, and goes on after a crash.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a start or an end may take on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn vms(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vms"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .env("RUST_LOG", "warn");
    for name in server::config::ENVIRONMENT {
        command.env_remove(name);
    }
    command.env_remove("VMS_SERVER");
    command
}

/// A running server on a free port.
struct Server {
    child: Child,
    url: String,
    /// Where it keeps what is temporary: a server that is killed cannot clean up.
    temporary: TempDir,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        Self::start_saying(arguments, Stdio::inherit())
    }

    /// One that says there what is wrong.
    fn start_saying(arguments: &[&str], log: Stdio) -> Self {
        let temporary = TempDir::new().unwrap();
        let mut command = vms(arguments);
        let mut child = command
            .args(["--listen", "127.0.0.1:0"])
            .env("TMPDIR", temporary.path())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line
            .strip_prefix("VMS listens on ")
            .unwrap_or_else(|| panic!("{arguments:?} printed {line:?}"))
            .trim()
            .to_owned();
        let server = Self {
            child,
            url,
            temporary,
        };
        server.wait_until_ready();
        server
    }

    /// Every host was tried: from here on it is known what there is.
    fn wait_until_ready(&self) {
        use std::io::{Read, Write};
        let address = self.url.strip_prefix("http://").unwrap();
        let start = Instant::now();
        loop {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            let request = format!("GET /readyz HTTP/1.0\r\nHost: {address}\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            let mut reply = String::new();
            stream.read_to_string(&mut reply).unwrap();
            if reply.split(' ').nth(1) == Some("200") {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "it is never ready: {reply}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What a command prints that asks this server; it must succeed.
    fn ask(&self, arguments: &[&str]) -> String {
        let output = vms(arguments)
            .args(["--server", &self.url])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    fn ask_json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.ask(&[arguments, &["--json"]].concat())).unwrap()
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    fn wait(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(start.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// One sentence on standard error, without a trace, and the code.
fn refusal(arguments: &[&str]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = vms(arguments).output().unwrap();
    assert_eq!(text(&stdout), "", "{arguments:?}");
    let sentence = text(&stderr);
    assert_eq!(sentence.trim_end().lines().count(), 1, "{sentence}");
    assert!(
        sentence.starts_with("vms: ") && !sentence.contains("panicked"),
        "{sentence}"
    );
    (status.code(), sentence)
}

fn write(directory: &TempDir, name: &str, content: &str) -> String {
    let path = directory.path().join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_taken_port_is_one_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, sentence) = refusal(&["demo", "--listen", &address]);
    assert_eq!(code, Some(1));
    assert_eq!(
        sentence,
        format!(
            "vms: {address} is in use by another program: end that one, or choose another address with --listen.\n"
        )
    );
}

#[test]
fn a_configuration_that_cannot_be_used_is_one_sentence() {
    let directory = TempDir::new().unwrap();
    let missing = directory.path().join("no.toml");
    let (code, sentence) = refusal(&["serve", "--config", missing.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(
        sentence.contains("no.toml: cannot be read (No such file")
            && sentence.contains("a file of settings"),
        "{sentence}"
    );

    let wrong = write(
        &directory,
        "wrong.toml",
        "[[host]]\nid = \"a\"\nuri = \"qemu+ext:///system?command=/bin/true\"\n",
    );
    let (code, sentence) = refusal(&["serve", "--config", &wrong]);
    assert_eq!(code, Some(2));
    assert!(sentence.contains("wrong.toml:3:7: "), "{sentence}");

    let binary = directory.path().join("binary.toml");
    fs::write(&binary, [0xff, 0xfe]).unwrap();
    let (code, sentence) = refusal(&["serve", "--config", binary.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(sentence.contains("UTF-8"), "{sentence}");

    let (code, sentence) = refusal(&["demo", "--listen", "0.0.0.0:0"]);
    assert_eq!(code, Some(2));
    assert!(
        sentence.contains("no authentication") && sentence.contains("ssh -L"),
        "{sentence}"
    );
}

#[test]
fn a_data_directory_that_cannot_be_used_is_one_sentence() {
    let directory = TempDir::new().unwrap();
    let file = write(&directory, "file", "");
    for path in [format!("{file}/data"), file, "/proc/vms".to_owned()] {
        let (code, sentence) = refusal(&["demo", "--listen", "127.0.0.1:0", "--data", &path]);
        assert_eq!(code, Some(1));
        assert!(
            sentence.starts_with(&format!("vms: The data directory {path} cannot be used")),
            "{sentence}"
        );
        assert!(sentence.contains("--data"), "{sentence}");
    }
}

#[test]
fn one_data_directory_has_one_server() {
    let data = TempDir::new().unwrap();
    let data = data.path().to_str().unwrap();
    let _server = Server::start(&["demo", "--data", data]);
    let (code, sentence) = refusal(&["demo", "--listen", "127.0.0.1:0", "--data", data]);
    assert_eq!(code, Some(1));
    assert!(sentence.contains(data), "{sentence}");
}

#[test]
fn a_server_that_is_not_there_is_one_sentence() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{free}");
    let (code, sentence) = refusal(&["router", "list", "--server", &url]);
    assert_eq!(code, Some(1));
    assert!(
        sentence.contains(&url) && sentence.contains("Connection refused"),
        "{sentence}"
    );
    let (code, _) = refusal(&["router", "list", "--server", "127.0.0.1"]);
    assert_eq!(code, Some(2));
}

#[test]
fn two_demos_run_side_by_side_and_end_when_told() {
    let mut first = Server::start(&["demo"]);
    let second = Server::start(&["demo"]);
    assert_ne!(first.url, second.url);
    let hosts = first.ask(&["host", "list"]);
    assert!(
        hosts.lines().count() > 6 && hosts.starts_with("ID "),
        "{hosts}"
    );
    // A stream that stands does not keep the server.
    let mut stream = vms(&["events", "--since", "0", "--server", &first.url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut heard = BufReader::new(stream.stdout.take().unwrap());
    heard.read_line(&mut String::new()).unwrap();
    first.signal("-TERM");
    assert_eq!(first.wait(), Some(0));
    heard.read_to_string(&mut String::new()).unwrap();
    // Whoever followed is told that it is over, and how to go on.
    let told = stream.wait_with_output().unwrap();
    let sentence = text(&told.stderr);
    assert_eq!(told.status.code(), Some(1), "{sentence}");
    assert!(sentence.contains("vms events --since "), "{sentence}");
    assert!(second.ask(&["host", "list"]).lines().count() > 6);
}

#[test]
fn a_server_ends_when_all_is_stored_and_says_nothing_of_it() {
    let files = TempDir::new().unwrap();
    let host = "[[host]]\nid = \"alpha\"\nuri = \"test:///default\"\n";
    let config = write(&files, "vms.toml", host);
    let data = files.path().join("data");
    let log = files.path().join("log");
    let arguments = [
        "serve",
        "--config",
        &config,
        "--data",
        data.to_str().unwrap(),
    ];
    let mut server = Server::start_saying(&arguments, fs::File::create(&log).unwrap().into());
    assert!(server.ask(&["router", "list"]).contains("test"));
    server.signal("-TERM");
    assert_eq!(server.wait(), Some(0));
    assert_eq!(fs::read_to_string(&log).unwrap(), "");
}

#[test]
fn a_demo_leaves_nothing_behind() {
    let mut server = Server::start(&["demo"]);
    assert_eq!(entries(server.temporary.path()), 1);
    server.signal("-INT");
    assert_eq!(server.wait(), Some(0));
    assert_eq!(entries(server.temporary.path()), 0);
}

fn entries(path: &Path) -> usize {
    fs::read_dir(path).unwrap().count()
}

#[test]
fn the_command_line_operates_a_server() {
    let server = Server::start(&["demo"]);
    let routers = server.ask_json(&["router", "list", "--state", "running"]);
    let router = &routers["routers"][0];
    let (id, name) = (
        router["id"].as_str().unwrap(),
        router["name"].as_str().unwrap(),
    );
    assert!(server.ask(&["router", "list"]).contains(name));

    assert!(
        server
            .ask(&["router", "suspend", name])
            .contains("is suspended.")
    );
    assert_eq!(
        server.ask_json(&["router", "show", id])["router"]["state"],
        "suspended"
    );
    assert!(
        server
            .ask(&["router", "resume", id])
            .contains("is running.")
    );
    assert!(server.ask(&["router", "show", name]).contains(id));

    let topology = server.ask_json(&["topology", "--view", "physical"]);
    assert_eq!(topology["routers"].as_array().unwrap().len(), 0);
    assert!(server.ask(&["topology"]).contains("Version "));

    let history = server.ask_json(&["history", name, "cpuTime", "--start", "2h", "--step", "60"]);
    assert_eq!(history["unit"], "cpus");
    assert_eq!(history["simulated"], true);
    assert!(
        history["points"]
            .as_array()
            .unwrap()
            .iter()
            .any(|point| point["value"].is_number())
    );

    let output = vms(&["router", "show", "nobody", "--server", &server.url])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "vms: No router is called \"nobody\": `vms router list` names them.\n"
    );
}

#[test]
fn the_command_line_finds_paths_and_tells_the_load() {
    let server = Server::start(&["demo"]);
    // By name, by id and with the kind; the same path.
    let found = server.ask_json(&["path", "sense-poa", "sense-rec", "--view", "virtual"]);
    let steps = found["paths"][0]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 4, "{found}");
    let (from, to) = (
        &steps[0]["element"]["router"],
        &steps[3]["element"]["router"],
    );
    let (from, to) = (
        from.as_str().unwrap(),
        format!("router:{}", to.as_str().unwrap()),
    );
    let same = server.ask_json(&["path", from, &to, "--view", "virtual"]);
    assert_eq!(same["paths"][0]["hops"], found["paths"][0]["hops"]);
    let shown = server.ask(&["path", "sense-poa", "sense-rec", "--view", "virtual"]);
    assert!(shown.contains("Path 1: 3 hops, latency "), "{shown}");
    assert!(
        shown.contains("under it: sense-poa → poa-edge-1 → "),
        "{shown}"
    );

    let hosts = ["path", "rio-edge-1", "rec-edge-1", "--view", "physical"];
    let link = server.ask_json(&hosts)["paths"][0]["steps"][0]["link"]["id"].clone();
    let avoid = format!("link:{}", link.as_str().unwrap());
    let around = [&hosts[..], &["--avoid", &avoid, "--metric", "latency"]].concat();
    let around = server.ask_json(&around);
    assert_eq!(around["paths"][0]["hops"], 2, "{around}");
    let cut = [
        &hosts[..],
        &[
            "--avoid",
            "rio-core-1",
            "--avoid",
            "bsb-core-1",
            "--avoid",
            &avoid,
        ],
    ];
    let none = server.ask(&cut.concat());
    assert!(
        none.starts_with("No way leads from rio-edge-1 to rec-edge-1."),
        "{none}"
    );

    // The first tick comes as soon as the fleet is known, the rates with the second.
    let start = Instant::now();
    let load = loop {
        let load = server.ask_json(&["load"]);
        if !load["hosts"].as_array().unwrap().is_empty() {
            break load;
        }
        assert!(start.elapsed() < PATIENCE, "nothing is measured: {load}");
    };
    assert_eq!(load["hosts"][0]["simulated"], true);
    assert!(server.ask(&["load"]).contains("Values are simulated."));
    let physical = server.ask_json(&["load", "--view", "physical"]);
    assert_eq!(physical["routers"].as_array().unwrap().len(), 0);

    for (arguments, sentence) in [
        (
            ["path", "sense-poa", "nobody"],
            "Nothing in the topology is called \"nobody\"",
        ),
        (
            ["path", "host:sense-poa", "sense-rec"],
            "Nothing in the topology is called",
        ),
        (
            ["path", "sense-poa", "sense-poa"],
            "destination: it is the origin",
        ),
    ] {
        let output = vms(&arguments)
            .args(["--server", &server.url])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(said.contains(sentence), "{said}");
    }
}

#[test]
fn the_command_line_takes_hosts_in_and_lets_them_go() {
    let server = Server::start(&["demo"]);
    let refused = |arguments: &[&str]| refusal(&[arguments, &["--server", &server.url]].concat());

    let check = server.ask(&["host", "check", "test:///default"]);
    assert!(check.starts_with("test:///default\n\n"), "{check}");
    for step in ["address", "resolve", "connect", "authenticate", "version"] {
        assert!(check.contains(&format!(" {step} ")), "{step} in {check}");
    }
    assert!(
        check.contains("WHAT THE DRIVER CAN DO") && check.ends_with("It can be registered.\n"),
        "{check}"
    );
    let check = server.ask_json(&["host", "check", "test:///default"]);
    assert_eq!(check["usable"], true);

    let added = server.ask(&["host", "add", "lab", "test:///default", "--site", "Lab"]);
    assert!(added.ends_with("lab is online: 1 router.\n"), "{added}");
    let shown = server.ask_json(&["host", "show", "lab"]);
    assert_eq!(shown["host"]["origin"], "registered");
    assert_eq!(shown["host"]["site"], "Lab");
    assert_eq!(shown["host"]["endpoints"][0]["state"], "online");
    let shown = server.ask(&["host", "show", "lab"]);
    assert!(
        shown.contains("ENDPOINT ") && shown.contains("test:///default"),
        "{shown}"
    );
    assert!(server.ask(&["host", "list"]).contains("\nlab "));

    // Taken, and not at a terminal.
    let (code, sentence) = refused(&["host", "add", "lab", "test:///default"]);
    assert!(code == Some(1) && sentence.contains("lab"), "{sentence}");
    let (code, sentence) = refused(&["host", "remove", "lab"]);
    assert!(code == Some(2) && sentence.contains("--yes"), "{sentence}");
    let gone = server.ask(&["host", "remove", "lab", "--yes"]);
    assert_eq!(gone, "lab is no longer in the fleet.\n");
    let (code, sentence) = refused(&["host", "show", "lab"]);
    assert!(code == Some(1) && sentence.contains("lab"), "{sentence}");
    let (code, sentence) = refused(&["host", "remove", "rio-core-1", "--yes"]);
    assert!(
        code == Some(1) && sentence.contains("rio-core-1"),
        "{sentence}"
    );

    // What was typed is named, not what was sent.
    let (code, sentence) = refused(&["host", "add", "a!b", "test:///default"]);
    assert!(
        code == Some(1) && sentence.starts_with("vms: ID: "),
        "{sentence}"
    );
    let (code, sentence) = refused(&["host", "check", "test:///default", "--key", "k"]);
    assert!(
        code == Some(1) && sentence.starts_with("vms: --key: "),
        "{sentence}"
    );
}

/// A way that ends early is told step by step, and is a failure for scripts.
#[test]
fn a_check_that_fails_says_where_and_what_to_do() {
    let server = Server::start(&["demo"]);
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let uri = format!("qemu+tcp://{closed}/system");
    let output = vms(&["host", "check", &uri, "--server", &server.url])
        .output()
        .unwrap();
    let (told, sentence) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{told}{sentence}");
    let failed: Vec<_> = told.lines().filter(|line| line.starts_with('✗')).collect();
    assert!(
        failed.len() == 1 && failed[0].contains(" connect "),
        "{told}"
    );
    assert!(
        sentence.starts_with(&format!("vms: {uri} cannot be used")),
        "{sentence}"
    );
}

/// What was acknowledged survives a process that is killed, and the server goes on from there.
#[test]
fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let directory = TempDir::new().unwrap();
    let data = directory.path().to_str().unwrap();
    let arguments = ["demo", "--data", data, "--sample-interval", "1s"];
    let mut server = Server::start(&arguments);
    let running = server.ask_json(&["router", "list", "--state", "running"]);
    let router = running["routers"][0].clone();
    let (id, host) = (
        router["id"].as_str().unwrap(),
        router["host"].as_str().unwrap(),
    );
    let suspended = running["routers"][1]["id"].as_str().unwrap();

    // Wait until some ticks of the router's host are acknowledged, and note the last.
    let mut events = vms(&["events", "--json", "--server", &server.url])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let acknowledged: Vec<String> = BufReader::new(events.stdout.take().unwrap())
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap())
        .filter(|event| event["event"] == "measured" && event["host"] == host)
        .take(3)
        .map(|event| event["at"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(acknowledged.len(), 3, "the stream ended early");
    let _ = events.kill();
    let _ = events.wait();
    server.ask(&["router", "suspend", suspended]);
    let version = server.ask_json(&["topology"])["version"].as_u64().unwrap();
    let last = acknowledged[2].clone();
    let values = |server: &Server| {
        let query = [
            "history",
            id,
            "cpuTime",
            "--start",
            &acknowledged[0],
            "--end",
            &last,
            "--step",
            "1",
            "--aggregation",
            "last",
        ];
        server.ask_json(&query)["points"].clone()
    };
    let before = values(&server);
    assert!(
        before
            .as_array()
            .unwrap()
            .iter()
            .any(|point| point["value"].is_number()),
        "{before}"
    );
    server.signal("-KILL");
    server.wait();

    let server = Server::start(&arguments);
    assert_eq!(values(&server), before);
    let after = server.ask_json(&["topology"])["version"].as_u64().unwrap();
    assert!(after >= version, "{after} < {version}");
    let start = Instant::now();
    loop {
        let newest = server.ask_json(&["router", "show", id])["measurement"]["at"].clone();
        if newest.as_str().is_some_and(|at| at > last.as_str()) {
            break;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "nothing is sampled after the start: {newest}"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The most memory that a process had, in bytes.
fn peak_of(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes << 10
}

/// A raw disk of that size whose bytes are not zero.
fn disk(directory: &TempDir, mebibytes: usize) -> String {
    use std::io::Write as _;
    let path = directory.path().join("disk.raw");
    let mut file = fs::File::create(&path).unwrap();
    for block in 0..mebibytes {
        file.write_all(&vec![(block % 250) as u8 + 1; 1 << 20])
            .unwrap();
    }
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_large_upload_is_never_in_memory_as_a_whole() {
    let directory = TempDir::new().unwrap();
    let server = Server::start(&["demo"]);
    let small = fs::write(directory.path().join("small.raw"), [1; 512]);
    small.unwrap();
    let upload = |path: &str, name: &str| {
        let arguments = ["image", "upload", path, "--name", name, "--version", "1"];
        server.ask_json(&arguments)
    };
    let path = directory.path().join("small.raw");
    upload(path.to_str().unwrap(), "small");
    let before = peak_of(server.child.id());
    let image = upload(&disk(&directory, 256), "large");
    assert_eq!(image["image"]["files"][0]["sizeBytes"], 256 << 20);
    let growth = peak_of(server.child.id()).saturating_sub(before);
    println!("256 MiB came, and the server grew by {} KiB", growth >> 10);
    assert!(growth < 24 << 20, "the server grew by {growth} bytes");
}

#[test]
fn an_upload_that_a_killed_server_broke_off_is_gone_on_with() {
    use std::io::{Read as _, Write as _};
    let (directory, data) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let data = ["--data", data.path().to_str().unwrap()];
    let path = disk(&directory, 100);
    let mut server = Server::start(&[&["demo"], &data[..]].concat());
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    // As the command line begins it, and then 80 MiB of it and no more.
    let sha256 = text(
        &Command::new("sha256sum")
            .arg(&path)
            .output()
            .unwrap()
            .stdout,
    );
    let beginning = serde_json::json!({
        "kind": "raw",
        "description": {"name": "broken", "version": "1", "architecture": "x86_64"},
        "files": [{"role": "disk", "sizeBytes": 100 << 20, "sha256": sha256[..64]}],
    })
    .to_string();
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    write!(
        stream,
        "POST /images/uploads HTTP/1.0\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n{beginning}",
        beginning.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let upload: serde_json::Value =
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let place = upload["files"][0]["path"].as_str().unwrap().to_owned();
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    write!(
        stream,
        "PUT {place} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n",
        100 << 20
    )
    .unwrap();
    stream
        .write_all(&fs::read(&path).unwrap()[..80 << 20])
        .unwrap();
    // What is told to be there is on the disk: 64 MiB for certain.
    let received = |server: &Server| {
        let reply = server.ask_json(&["image", "list"]);
        reply["uploads"][0]["files"][0]["receivedBytes"]
            .as_u64()
            .unwrap()
    };
    let start = Instant::now();
    while received(&server) < 70 << 20 {
        assert!(start.elapsed() < PATIENCE, "nothing comes");
        std::thread::sleep(Duration::from_millis(20));
    }
    server.signal("-KILL");
    server.wait();

    let server = Server::start(&[&["demo"], &data[..]].concat());
    let kept = received(&server);
    assert!(
        (64 << 20..=80 << 20).contains(&kept),
        "{kept} bytes are there"
    );
    let arguments = [
        "image",
        "upload",
        &path,
        "--name",
        "broken",
        "--version",
        "1",
    ];
    let image = server.ask_json(&arguments);
    assert_eq!(image["image"]["files"][0]["sha256"], sha256[..64]);
    assert_eq!(image["image"]["files"][0]["sizeBytes"], 100 << 20);
}

#[test]
fn a_full_disk_is_told_so_and_leaves_nothing() {
    let (directory, data) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let path = disk(&directory, 40);
    // No file may grow over 32 MiB, and the program hears that as an error: as of a disk that is full.
    let script = format!(
        "trap '' XFSZ; ulimit -f 65536; exec {} demo --listen 127.0.0.1:0 --data {}",
        env!("CARGO_BIN_EXE_vms"),
        data.path().display()
    );
    let mut child = Command::new("bash")
        .args(["-c", &script.replace("65536", "32768")])
        .env("RUST_LOG", "warn")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let url = line
        .strip_prefix("VMS listens on ")
        .unwrap()
        .trim()
        .to_owned();
    let server = Server {
        child,
        url,
        temporary: TempDir::new().unwrap(),
    };
    server.wait_until_ready();
    let output = vms(&["image", "upload", &path, "--name", "a", "--version", "1"])
        .args(["--server", &server.url])
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("there is no more room for the image"),
        "{said}"
    );
    for within in ["incoming", "files"] {
        let left = fs::read_dir(data.path().join("images").join(within)).unwrap();
        assert_eq!(left.count(), 0, "{within}");
    }
    // It goes on: what fits is taken.
    let small = directory.path().join("small.raw");
    fs::write(&small, [1; 512]).unwrap();
    server.ask(&[
        "image",
        "upload",
        small.to_str().unwrap(),
        "--name",
        "b",
        "--version",
        "1",
    ]);
}
