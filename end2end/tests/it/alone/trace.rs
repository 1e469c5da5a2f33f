//! What a testbed leaves behind, which must be nothing.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use end2end::{
    Scratch,
    testbed::{Plan, Testbed},
    until,
};

/// By what a testbed can be found while it is there.
#[derive(Debug)]
pub struct Trace {
    uplink: String,
    /// By their inode numbers, as `/proc` prints them.
    namespaces: BTreeSet<String>,
}

impl Trace {
    pub fn of(bed: &Testbed) -> Self {
        let of_host = |pid: u32| {
            ["net", "mnt", "pid"].map(|kind| {
                let namespace = fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap();
                namespace.display().to_string()
            })
        };
        let pids = bed.hosts().iter().map(|host| host.machine().pid());
        Self {
            uplink: bed.uplink().to_owned(),
            namespaces: pids.flat_map(of_host).collect(),
        }
    }

    fn to_line(&self) -> String {
        let namespaces: Vec<_> = self.namespaces.iter().map(String::as_str).collect();
        format!("{} {}", self.uplink, namespaces.join(" "))
    }

    fn from_line(line: &str) -> Self {
        let mut words = line.split(' ').map(str::to_owned);
        Self {
            uplink: words.next().unwrap(),
            namespaces: words.collect(),
        }
    }

    /// Processes that live in one of its namespaces.
    pub fn inhabitants(&self) -> Vec<String> {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        processes
            .filter(|entry| {
                ["net", "mnt", "pid"].iter().any(|kind| {
                    fs::read_link(entry.path().join("ns").join(kind))
                        .is_ok_and(|ns| self.namespaces.contains(&ns.display().to_string()))
                })
            })
            .map(|entry| {
                let command = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
                format!(
                    "{} {}",
                    entry.file_name().display(),
                    command.replace('\0', " ")
                )
            })
            .collect()
    }

    /// What of it the real machine has by name: its end of the network, and control groups.
    fn names(&self) -> Vec<String> {
        let mut found = Vec::new();
        if Path::new("/sys/class/net").join(&self.uplink).exists() {
            found.push(self.uplink.clone());
        }
        for hierarchy in fs::read_dir("/sys/fs/cgroup")
            .into_iter()
            .flatten()
            .flatten()
        {
            let groups = fs::read_dir(hierarchy.path())
                .into_iter()
                .flatten()
                .flatten();
            let prefix = format!("{}-", self.uplink);
            let ours =
                groups.filter(|group| group.file_name().to_string_lossy().starts_with(&prefix));
            found.extend(ours.map(|group| group.path().display().to_string()));
        }
        found
    }

    pub fn assert_there(&self) {
        assert!(!self.names().is_empty());
        assert!(!self.inhabitants().is_empty());
    }

    pub fn assert_gone(&self) {
        let left = || [self.inhabitants(), self.names()].concat();
        until("the testbed to be gone", Duration::from_secs(10), || {
            Ok(left().is_empty().then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error}: {:#?}", left()));
    }
}

/// What the real machine has outside of any testbed.
pub fn surroundings() -> impl PartialEq + std::fmt::Debug {
    let names = |directory: &str| {
        let entries = fs::read_dir(directory).unwrap().flatten();
        entries
            .map(|entry| entry.path().display().to_string())
            .collect::<BTreeSet<_>>()
    };
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mounts: BTreeSet<_> = mounts.lines().map(str::to_owned).collect();
    let hosts = fs::read_to_string("/etc/hosts").unwrap();
    (hosts, mounts, names("/run"))
}

/// A process that has a testbed of its own.
struct Owner {
    process: Child,
    /// Open, for it prints some more at its end.
    _output: Lines<BufReader<ChildStdout>>,
    trace: Trace,
    files: Scratch,
}

impl Owner {
    /// Starts it and waits until its routers run.
    fn start(plan: &str) -> Self {
        let files = Scratch::new().unwrap();
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "alone::trace::an_owner",
                "--ignored",
                "--nocapture",
            ])
            .env("OWNER_PLAN", plan)
            .env("TMPDIR", files.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let trace = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("UP ").map(Trace::from_line))
            .expect("the owner must say that its testbed is up");
        Self {
            process,
            _output: lines,
            trace,
            files,
        }
    }

    fn end(mut self) {
        // It waits for this.
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
        self.assert_gone();
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.assert_gone();
    }

    fn assert_gone(&self) {
        self.trace.assert_gone();
        let files = fs::read_dir(self.files.path()).unwrap().flatten();
        let files: Vec<_> = files.map(|file| file.path()).collect();
        assert!(files.is_empty(), "{files:?}");
    }
}

/// Not a test: the process that an [`Owner`] is.
#[test]
#[ignore = "is started by other tests"]
fn an_owner() {
    let plan = match std::env::var("OWNER_PLAN").as_deref() {
        Ok("testbed") => Plan::testbed(),
        _ => Plan::line(),
    };
    let bed = Testbed::up(&plan).unwrap();
    bed.wait_routers_up().unwrap();
    println!("\nUP {}", Trace::of(&bed).to_line());
    std::io::stdin().lines().for_each(drop);
}

#[test]
fn a_killed_owner_leaves_nothing_behind() {
    let before = surroundings();
    let owner = Owner::start("line");
    owner.trace.assert_there();
    owner.kill();
    assert_eq!(before, surroundings());
}

/// Twenty times with `make testbed-soak`, else once each way.
#[test]
fn the_fleet_starts_and_stops_and_leaves_nothing_behind() {
    let rounds = std::env::var("VMS_SOAK_ROUNDS");
    let rounds = rounds.map_or(2, |rounds| rounds.parse().unwrap());
    let before = surroundings();
    for round in 1..=rounds {
        let start = Instant::now();
        let owner = Owner::start("testbed");
        let started = start.elapsed();
        owner.trace.assert_there();
        let stop = Instant::now();
        if round % 2 == 0 {
            owner.kill();
        } else {
            owner.end();
        }
        let stopped = stop.elapsed();
        println!("round {round}: up in {started:.1?}, gone in {stopped:.1?}");
        assert!(started < Duration::from_mins(1), "up in {started:?}");
        assert!(stopped < Duration::from_secs(10), "gone in {stopped:?}");
        assert_eq!(before, surroundings());
    }
}
