//! The testbed of real hosts itself: it forwards packets, and nothing of it is left.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use end2end::{
    testbed::{Plan, Testbed},
    until,
};

/// Namespaces that hold a testbed, by their inode numbers as `/proc` prints them.
fn namespaces(bed: &Testbed) -> BTreeSet<String> {
    bed.hosts()
        .iter()
        .flat_map(|host| {
            ["net", "mnt", "pid"].map(|kind| {
                let link = format!("/proc/{}/ns/{kind}", host.machine().pid());
                fs::read_link(link).unwrap().display().to_string()
            })
        })
        .collect()
}

/// Processes that live in one of these namespaces.
fn inhabitants(namespaces: &BTreeSet<String>) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|entry| {
            ["net", "mnt", "pid"].iter().any(|kind| {
                fs::read_link(entry.path().join("ns").join(kind))
                    .is_ok_and(|ns| namespaces.contains(&ns.display().to_string()))
            })
        })
        .map(|entry| {
            let command = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
            format!("{:?} {}", entry.file_name(), command.replace('\0', " "))
        })
        .collect()
}

fn link_exists(name: &str) -> bool {
    Path::new("/sys/class/net").join(name).exists()
}

/// What the real machine has outside of any testbed.
fn surroundings() -> (String, BTreeSet<String>, BTreeSet<String>) {
    let names = |directory: &str| {
        let entries = fs::read_dir(directory).unwrap().flatten();
        entries
            .map(|entry| entry.path().display().to_string())
            .filter(|path| !path.contains("vms-end2end-"))
            .collect::<BTreeSet<_>>()
    };
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mounts = mounts.lines().map(str::to_owned).collect();
    (
        fs::read_to_string("/etc/hosts").unwrap(),
        mounts,
        names("/run"),
    )
}

fn assert_gone(uplink: &str, namespaces: &BTreeSet<String>) {
    until(
        "the namespaces to be empty",
        Duration::from_secs(10),
        || Ok((inhabitants(namespaces).is_empty() && !link_exists(uplink)).then_some(())),
    )
    .unwrap_or_else(|error| panic!("{error}: {uplink}, {:#?}", inhabitants(namespaces)));
}

#[test]
fn three_routers_forward_in_a_line_and_leave_nothing_behind() {
    let before = surroundings();
    let bed = Testbed::up(&Plan::line()).unwrap();
    let namespaces = namespaces(&bed);
    let uplink = bed.uplink().to_owned();
    bed.wait_routers_up().unwrap();
    bed.check_forwarding().unwrap();

    let alpha = bed.host("alpha");
    let running = alpha.virsh(&["list", "--name"]).unwrap();
    let names: BTreeSet<_> = running.split_whitespace().collect();
    assert_eq!(names, BTreeSet::from(["r1", "r2", "r3"]));
    let capabilities = alpha.virsh(&["capabilities"]).unwrap();
    assert!(capabilities.contains(&format!("<uuid>{}</uuid>", alpha.plan().uuid)));
    assert_eq!(alpha.virsh(&["hostname"]).unwrap().trim(), "alpha");
    assert!(alpha.processes().unwrap().len() >= 5);

    // Without r2 nothing passes, with it again everything does.
    alpha.virsh(&["suspend", "r2"]).unwrap();
    let lost = |router| alpha.serial(router).matches("lost").count();
    let (r1, r3) = (lost("r1"), lost("r3"));
    until("packets to be lost", Duration::from_secs(60), || {
        Ok((lost("r1") > r1 && lost("r3") > r3).then_some(()))
    })
    .unwrap();
    alpha.virsh(&["resume", "r2"]).unwrap();
    bed.check_forwarding().unwrap();

    // A router that is ended and started boots again.
    alpha.virsh(&["destroy", "r3"]).unwrap();
    alpha.virsh(&["start", "r3"]).unwrap();
    bed.wait_routers_up().unwrap();
    bed.check_forwarding().unwrap();

    assert!(!inhabitants(&namespaces).is_empty());
    drop(bed);
    assert_gone(&uplink, &namespaces);
    assert_eq!(before, surroundings());
}

#[test]
fn two_hosts_reach_each_other_over_management_and_cable() {
    let bed = Testbed::up(&Plan::pair()).unwrap();
    let (alpha, beta) = (bed.host("alpha"), bed.host("beta"));
    for (host, address) in [(alpha, "10.60.0.1/24"), (beta, "10.60.0.2/24")] {
        host.machine()
            .run("ip", &["addr", "add", address, "dev", "eth0"])
            .unwrap();
        assert_eq!(
            host.virsh(&["hostname"]).unwrap().trim(),
            host.plan().id.as_str()
        );
    }
    // What beta's daemon answers to alpha, by name and over either network.
    for address in ["beta", &beta.address().to_string(), "10.60.0.2"] {
        let uri = format!("qemu+tcp://{address}/system");
        let name = alpha.machine().run("virsh", &["-qc", &uri, "hostname"]);
        assert_eq!(name.unwrap().trim(), "beta");
    }
}

#[test]
fn a_daemon_that_is_killed_finds_its_guests_again() {
    let bed = Testbed::up(&Plan::line()).unwrap();
    let alpha = bed.host("alpha");
    let death = alpha.kill_daemon().unwrap();
    assert!(alpha.virsh(&["list"]).is_err());
    death.undo().unwrap();
    let running = alpha.virsh(&["list", "--name"]).unwrap();
    assert_eq!(running.split_whitespace().count(), 3);
    bed.wait_routers_up().unwrap();
}

#[test]
fn a_killed_owner_leaves_nothing_behind() {
    let before = surroundings();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "testbed::an_owner_to_be_killed"])
        .args(["--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let line = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("UP ").map(str::to_owned))
        .expect("the owner must say that its testbed is up");
    let mut words = line.split(' ').map(str::to_owned);
    let uplink = words.next().unwrap();
    let namespaces: BTreeSet<_> = words.collect();
    assert!(link_exists(&uplink));
    assert!(!inhabitants(&namespaces).is_empty());

    owner.kill().unwrap();
    owner.wait().unwrap();
    assert_gone(&uplink, &namespaces);
    assert_eq!(before, surroundings());
}

/// Not a test: the owner in [`a_killed_owner_leaves_nothing_behind`].
#[test]
#[ignore = "is started by another test, which kills it"]
fn an_owner_to_be_killed() {
    let bed = Testbed::up(&Plan::line()).unwrap();
    let namespaces: Vec<_> = namespaces(&bed).into_iter().collect();
    println!("\nUP {} {}", bed.uplink(), namespaces.join(" "));
    loop {
        std::thread::park();
    }
}
