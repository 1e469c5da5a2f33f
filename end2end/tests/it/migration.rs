//! Routers move between two real hosts: what they carry goes on, and both hosts agree on where they
//! are.

use std::{
    collections::BTreeMap,
    fs,
    net::Ipv4Addr,
    path::PathBuf,
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use end2end::{
    Scratch, VmsProcess, client,
    testbed::{Host, Plan, Testbed},
    until,
};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(20);

/// A testbed, and a VMS over it.
struct Moves {
    vms: VmsProcess,
    bed: Testbed,
    files: Scratch,
}

impl Moves {
    /// A VMS with this configuration.
    fn over(bed: Testbed, config: &str) -> Self {
        let files = Scratch::new().unwrap();
        bed.wait_routers_up().unwrap();
        let file = files.path().join("vms.toml");
        fs::write(&file, format!("sample_interval = \"2s\"\n{config}")).unwrap();
        let vms = VmsProcess::serve(&file, &files.path().join("data")).unwrap();
        Self { vms, bed, files }
    }

    fn up() -> Self {
        let bed = Testbed::up(&Plan::moves()).unwrap();
        let config = bed.config();
        Self::over(bed, &config)
    }

    /// Routers go from host to host by the cable, not by the management network; so that this can be
    /// cut without VMS losing a host.
    fn up_by_cable(settings: &str) -> Self {
        let bed = Testbed::up(&Plan::moves()).unwrap();
        let hosts = bed.config();
        let by_cable = hosts
            .lines()
            .map(|line| match line.strip_prefix("transport = ") {
                Some(address) => format!("{line}\nmigration = {address}\n"),
                None => format!("{line}\n"),
            });
        let by_cable: String = by_cable.collect();
        Self::over(bed, &format!("{settings}\n{by_cable}"))
    }

    /// Begins to move `m1` to beta, so slowly that there is time to disturb it, and waits until it is
    /// under way. `churn` keeps it from ever ending.
    fn begin(&self, churn: bool) -> String {
        if churn {
            let time = Duration::from_secs(90);
            self.host("alpha").churn("m1", 32, time).unwrap();
        }
        let job = self.pilot(&["migrate", "m1", "beta", "bandwidthMebibytesPerSecond=8"]);
        let id = job["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{job:#}"))
            .to_owned();
        until("the move to be under way", SOON, || {
            Ok(is_under_way(&self.pilot(&["job", &id])).then_some(()))
        })
        .unwrap();
        id
    }

    /// Waits until a job is in this state.
    fn wait_for(&self, job: &str, state: &str) -> Value {
        let limit = Duration::from_secs(90);
        until("a job's state", limit, || {
            let job = self.pilot(&["job", job]);
            Ok((job["state"] == state).then_some(job))
        })
        .unwrap_or_else(|error| panic!("{error}: {state}: {:#}", self.pilot(&["job", job])))
    }

    /// There is nothing on beta of what was begun there.
    fn assert_nothing_at_beta(&self) {
        let beta = self.host("beta");
        let names = beta.virsh(&["list", "--all", "--name"]).unwrap();
        assert!(!names.contains("m1") && !names.contains("d1"), "{names}");
        beta.virsh(&["pool-refresh", "images"]).unwrap();
        assert_eq!(beta.virsh(&["vol-list", "images"]).unwrap().trim(), "");
    }

    /// Calls of `soap/moves.py`.
    fn pilot(&self, arguments: &[&str]) -> Value {
        let mut all = vec![self.vms.url("")];
        all.extend(arguments.iter().map(ToString::to_string));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        client::python("moves.py", &all).unwrap()
    }

    /// Moves a router and waits for the end of the job.
    fn migrate(&self, router: &str, to: &str) -> Value {
        let job = self.pilot(&["migrate", router, to]);
        self.pilot(&["wait", job["id"].as_str().unwrap()])
    }

    fn host(&self, id: &str) -> &Host {
        self.bed.host(id)
    }

    /// The states of a router on both hosts as libvirt tells them, by host; absent where it has no
    /// definition.
    fn seen(&self, router: &str) -> BTreeMap<String, String> {
        let states = self.bed.hosts().iter().filter_map(|host| {
            let state = host.virsh(&["domstate", router]).ok()?;
            Some((host.plan().id.clone(), state.trim().to_owned()))
        });
        states.collect()
    }

    /// The router runs there and nowhere else, and VMS says so, to pilots and on the page.
    fn assert_only_at(&self, router: &str, host: &str) {
        let expected = BTreeMap::from([(host.to_owned(), "running".to_owned())]);
        until("one running instance", SOON, || {
            Ok((self.seen(router) == expected).then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error}: {:?}", self.seen(router)));
        until("VMS to say so", SOON, || {
            let told = self.pilot(&["where", router]);
            let is_there = told["host"] == host && told["state"] == "running";
            Ok((is_there && told["migratingTo"].is_null()).then_some(()))
        })
        .unwrap();
        let told: Vec<_> = ["alpha", "beta"]
            .into_iter()
            .filter(|host| {
                let table = self.vms.get(&format!("/routers?host={host}")).unwrap().1;
                table.contains(&format!(">{router}<"))
            })
            .collect();
        assert_eq!(told, [host], "the page says so");
    }

    /// Every link of `m1` answers to itself: the bridge, the group, and the UDP link that a move
    /// mends.
    fn assert_links_of_m1(&self, host: &str) {
        for (network, other) in [(0, 2), (1, 2), (2, 3)] {
            let other = Ipv4Addr::new(10, 74, network, other);
            until("a link to ping", SOON, || {
                let [_, back] = self.host(host).ping("m1", other, 3)?;
                Ok((back == 3).then_some(()))
            })
            .unwrap_or_else(|error| panic!("{other}: {error}"));
        }
    }

    /// Waits until `m1` is under way in a job that is not over, and gives that job's id.
    fn under_way(&self) -> String {
        until("the move to be under way", Duration::from_mins(1), || {
            let jobs = self.pilot(&["jobs"]);
            let mut jobs = jobs.as_array().into_iter().flatten();
            let job = jobs.find(|job| is_under_way(job));
            Ok(job.and_then(|job| job["id"].as_str()).map(str::to_owned))
        })
        .unwrap()
    }
}

/// Whether some of the router's memory is over.
fn is_under_way(job: &Value) -> bool {
    let done = job["progress"]["doneBytes"].as_u64().unwrap_or(0);
    job["phase"] == "transferring" && done > 1 << 20
}

/// The volumes in a host's pool.
fn volumes(host: &Host) -> Vec<String> {
    let text = host.virsh(&["vol-list", "images"]).unwrap();
    let lines = text
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    lines.map(str::to_owned).collect()
}

fn wire(router: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 74, 0, router)
}

#[test]
fn a_router_moves_live_and_every_link_goes_on() {
    let moves = Moves::up();
    let (alpha, beta) = (moves.host("alpha"), moves.host("beta"));
    let received = || beta.traffic("m2").unwrap().received.packets;
    until("traffic", SOON, || Ok((received() > 0).then_some(()))).unwrap();
    alpha.virsh(&["autostart", "m1"]).unwrap();

    // While it moves, its neighbour pings it five times a second.
    let job = moves.pilot(&["migrate", "m1", "beta"]);
    let [sent, answered] = beta.ping("m2", wire(1), 50).unwrap();
    let job = moves.pilot(&["wait", job["id"].as_str().unwrap()]);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    let result = &job["migration"];
    let downtime = result["downtimeMilliseconds"].as_u64().unwrap();
    println!(
        "live: {} of {sent} pings lost, {downtime} ms of standstill, {} ms in all, {} bytes of \
         memory",
        sent - answered,
        result["totalMilliseconds"],
        result["memoryBytes"]
    );
    assert!(downtime > 0 && downtime < 10_000, "{job:#}");
    assert!(answered > 0, "nothing came back");
    assert_eq!(result["drivenBy"], "peerToPeer");
    let interruptions = result["interruptions"].as_array().unwrap();
    assert_eq!(interruptions.len(), 1, "{job:#}");
    moves.assert_only_at("m1", "beta");
    let autostart = beta.virsh(&["dominfo", "m1"]).unwrap();
    assert!(autostart.contains("Autostart:      enable"), "{autostart}");

    moves.assert_links_of_m1("beta");
    let before = received();
    sleep(Duration::from_secs(2));
    assert!(received() > before, "m2 gets nothing from m1 any more");

    // And back, through the page's and the pilots' one door.
    let job = moves.migrate("m1", "alpha");
    assert_eq!(job["state"], "succeeded", "{job:#}");
    moves.assert_only_at("m1", "alpha");
    moves.assert_links_of_m1("alpha");
}

#[test]
fn a_disk_that_is_written_to_goes_along() {
    let moves = Moves::up();
    let (alpha, beta) = (moves.host("alpha"), moves.host("beta"));
    alpha.write_disk("d1", Duration::from_secs(30)).unwrap();
    let writing = Instant::now();
    sleep(Duration::from_secs(2));
    assert_eq!(volumes(alpha), ["base.img", "d1.qcow2"]);
    assert_eq!(volumes(beta), [""; 0]);
    let job = moves.migrate("d1", "beta");
    assert_eq!(job["state"], "succeeded", "{job:#}");
    let moved = writing.elapsed();
    println!(
        "with its disk: {} ms in all, {} ms of standstill, {} bytes of disk",
        job["migration"]["totalMilliseconds"],
        job["migration"]["downtimeMilliseconds"],
        job["migration"]["diskBytes"]
    );
    assert!(
        moved < Duration::from_secs(30),
        "it was written to before only"
    );
    moves.assert_only_at("d1", "beta");
    // The source's volume is gone, its base stays for others; the overlay is one still.
    assert_eq!(volumes(alpha), ["base.img"]);
    assert_eq!(volumes(beta), ["base.img", "d1.qcow2"]);
    let overlay = beta.virsh(&["vol-dumpxml", "d1.qcow2", "images"]).unwrap();
    assert!(overlay.contains("<backingStore>"), "{overlay}");
    let size = overlay.split("<allocation unit='bytes'>").nth(1).unwrap();
    let size: u64 = size.split('<').next().unwrap().parse().unwrap();
    // 512 blocks of 4 KiB in clusters of 64 KiB.
    assert!(size < 4 << 20, "the overlay was inflated to {size} bytes");
    sleep(Duration::from_secs(32).saturating_sub(writing.elapsed()));
    let [blocks, wrong] = beta.verify_disk("d1").unwrap();
    assert!(
        blocks > 400 && wrong == 0,
        "{wrong} of {blocks} blocks are wrong"
    );
}

#[test]
fn whatever_goes_wrong_there_is_one_router_and_all_say_where() {
    let mut moves = Moves::up_by_cable("migration_stall = \"5s\"");

    // Refused before anything is begun, with what to do.
    let refused = moves.pilot(&["migrate", "l1", "beta"]);
    assert_eq!(refused["fault"], "Conflict");
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("br-odd") && message.contains("Make bridge"),
        "{message}"
    );
    {
        let _full = moves.host("beta").fill_pool("images").unwrap();
        let refused = moves.pilot(&["migrate", "d1", "beta"]);
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains("pool images has 0 MiB left"), "{message}");
    }
    moves.pilot(&["maintenance", "beta", "on"]);
    let refused = moves.pilot(&["migrate", "m1", "beta"]);
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("beta is in maintenance"), "{message}");
    moves.pilot(&["maintenance", "beta", "off"]);
    moves.assert_only_at("m1", "alpha");
    moves.assert_nothing_at_beta();

    // Cancelled before libvirt has begun.
    let job = moves.pilot(&["migrate", "m1", "beta"]);
    let id = job["id"].as_str().unwrap().to_owned();
    moves.pilot(&["cancel", &id]);
    let job = moves.pilot(&["wait", &id]);
    // A machine that is fast enough has moved it before the second call.
    if job["state"] == "succeeded" {
        moves.assert_only_at("m1", "beta");
        assert_eq!(moves.migrate("m1", "alpha")["state"], "succeeded");
    } else {
        assert_eq!(job["state"], "cancelled", "{job:#}");
    }
    moves.assert_only_at("m1", "alpha");
    moves.assert_nothing_at_beta();

    // A second one while the first is under way; the first cancelled while its memory changes.
    let id = moves.begin(true);
    let second = moves.pilot(&["migrate", "m1", "beta"]);
    assert_eq!(second["fault"], "Conflict", "{second:#}");
    assert!(
        second["message"].as_str().unwrap().contains(&id),
        "{second:#}"
    );
    moves.pilot(&["cancel", &id]);
    let job = moves.wait_for(&id, "cancelled");
    assert_eq!(job["message"], "Cancelled: m1 is on alpha as before.");
    moves.assert_only_at("m1", "alpha");
    moves.assert_nothing_at_beta();

    // The destination's QEMU is killed.
    let id = moves.begin(true);
    drop(moves.host("beta").kill_guest("m1").unwrap());
    let job = moves.wait_for(&id, "failed");
    assert!(
        !job["error"]["advice"].as_str().unwrap().is_empty(),
        "{job:#}"
    );
    moves.assert_only_at("m1", "alpha");
    moves.assert_nothing_at_beta();

    // The destination's daemon is killed, and comes back.
    let id = moves.begin(true);
    let killed = moves.host("beta").kill_daemon().unwrap();
    let job = moves.wait_for(&id, "cleanupPending");
    assert!(
        job["pending"][0].as_str().unwrap().contains("beta"),
        "{job:#}"
    );
    assert_eq!(moves.pilot(&["where", "m1"])["host"], "alpha");
    killed.undo().unwrap();
    moves.wait_for(&id, "failed");
    moves.assert_only_at("m1", "alpha");
    moves.assert_nothing_at_beta();

    // The network between the hosts is cut.
    let id = moves.begin(true);
    let cut = moves.bed.pull("alpha", "eth0").unwrap();
    let job = moves.wait_for(&id, "failed");
    assert!(
        job["message"]
            .as_str()
            .unwrap()
            .contains("Nothing of m1 moved for 5 s"),
        "{job:#}"
    );
    cut.undo().unwrap();
    moves.assert_only_at("m1", "alpha");
    moves.assert_nothing_at_beta();

    // VMS is killed. The source host goes on by itself; VMS finds out when it is back.
    let id = moves.begin(false);
    moves.vms.kill();
    sleep(Duration::from_secs(1));
    moves.vms.start().unwrap();
    let job = moves.pilot(&["wait", &id]);
    let end = match job["state"].as_str().unwrap() {
        "succeeded" => "beta",
        "interrupted" => "alpha",
        other => panic!("{other}: {job:#}"),
    };
    println!("VMS was killed meanwhile: {}", job["message"]);
    moves.assert_only_at("m1", end);
    if end == "beta" {
        assert_eq!(moves.migrate("m1", "alpha")["state"], "succeeded");
        moves.assert_only_at("m1", "alpha");
    }
    moves.assert_nothing_at_beta();

    // The guest is shut down from inside.
    let id = moves.begin(false);
    moves.host("alpha").power_off("m1").unwrap();
    let job = moves.wait_for(&id, "failed");
    assert!(
        job["message"]
            .as_str()
            .unwrap()
            .contains("does not run any more"),
        "{job:#}"
    );
    let seen = moves.seen("m1");
    assert_eq!(
        seen,
        BTreeMap::from([("alpha".to_owned(), "shut off".to_owned())])
    );
    until("VMS to say so", SOON, || {
        let told = moves.pilot(&["where", "m1"]);
        Ok((told["host"] == "alpha" && told["state"] == "shutOff").then_some(()))
    })
    .unwrap();
    moves.assert_nothing_at_beta();
}

#[test]
fn vms_drives_it_where_the_hosts_do_not_reach_each_other_and_moves_cold_when_asked() {
    let bed = Testbed::up(&Plan::moves()).unwrap();
    // VMS reaches beta by a port of the real machine, which alpha does not see.
    let relay = bed.host("beta").relay().unwrap();
    let config = bed.config_with(|host| match host.plan().id.as_str() {
        "beta" => relay.uri(),
        _ => host.uri(),
    });
    let moves = Moves::over(bed, &config);

    let job = moves.migrate("m1", "beta");
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(job["migration"]["drivenBy"], "managed", "{job:#}");
    println!(
        "driven by VMS: {} ms",
        job["migration"]["totalMilliseconds"]
    );
    moves.assert_only_at("m1", "beta");
    moves.assert_links_of_m1("beta");

    // Cold, with its disk, all of which is brought over by VMS.
    let (alpha, beta) = (moves.host("alpha"), moves.host("beta"));
    alpha.write_disk("d1", Duration::from_secs(1)).unwrap();
    sleep(Duration::from_secs(2));
    let sum = |host: &Host| {
        let path = "/var/lib/libvirt/pools/images/d1.qcow2";
        host.machine().run("sha256sum", &[path]).ok()
    };
    let job = moves.pilot(&["migrate", "d1", "beta", "mode=cold", "shutdownSeconds=3"]);
    let id = job["id"].as_str().unwrap().to_owned();
    // Its guest hears of no power button: it is switched off, and nothing writes any more.
    let before = until("the router to be off", SOON, || {
        let off = moves
            .seen("d1")
            .get("alpha")
            .is_some_and(|state| state == "shut off");
        Ok(off.then(|| sum(alpha)))
    })
    .unwrap();
    let job = moves.pilot(&["wait", &id]);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(job["kind"], "coldMigration");
    println!(
        "cold, with its disk: {} ms of standstill, {} bytes of disk",
        job["migration"]["downtimeMilliseconds"], job["migration"]["diskBytes"]
    );
    moves.assert_only_at("d1", "beta");
    assert_eq!(volumes(alpha), ["base.img"]);
    assert_eq!(volumes(beta), ["base.img", "d1.qcow2"]);
    // Its guest, which boots again, does not write to it by itself. (On a fast machine the volume was
    // gone before it could be read.)
    if before.is_some() {
        assert_eq!(sum(beta), before);
    }
    let overlay = beta.virsh(&["vol-dumpxml", "d1.qcow2", "images"]).unwrap();
    assert!(overlay.contains("<backingStore>"), "{overlay}");
}

/// These measure, or have no time to lose.
mod alone {
    use super::*;

    #[test]
    fn a_person_drags_a_router_to_another_host_and_it_moves_live() {
        let moves = Moves::up();
        // `VMS_SHOTS` says where to keep the pictures; those of the documentation were made so.
        let kept = std::env::var_os("VMS_SHOTS").map(PathBuf::from);
        let shots = kept.unwrap_or_else(|| moves.files.path().join("shots"));
        let drag = |to: &str, to_end: &[&str]| {
            let (url, shots) = (moves.vms.url(""), shots.join(to));
            let arguments = [&[url.as_str(), "m1", to, shots.to_str().unwrap()], to_end].concat();
            let found = client::browser("drag_live.mjs", &arguments).unwrap();
            println!("the page: {found:#}");
            assert_eq!(found["complaints"], Value::Array(Vec::new()));
            found
        };

        // Meanwhile its neighbour pings it.
        let (id, [sent, answered]) = scope(|scope| {
            let person = scope.spawn(|| drag("beta", &[]));
            let id = moves.under_way();
            let pings = moves.host("beta").ping("m2", wire(1), 90).unwrap();
            let now = moves.pilot(&["job", &id]);
            let is_there = now["phase"] == "finishing" || now["phase"] == "done";
            assert!(is_there, "the pings ended before it: {now:#}");
            person.join().unwrap();
            (id, pings)
        });
        let job = moves.pilot(&["wait", &id]);
        assert_eq!(job["state"], "succeeded", "{job:#}");
        assert_eq!(job["kind"], "liveMigration");
        println!(
            "dragged: {} of {sent} pings lost, {} ms of standstill, {} ms in all",
            sent - answered,
            job["migration"]["downtimeMilliseconds"],
            job["migration"]["totalMilliseconds"]
        );
        assert!(answered > 0, "nothing came back");
        moves.assert_only_at("m1", "beta");
        moves.assert_links_of_m1("beta");

        // And back, which never ends, for its memory changes; the destination's QEMU is killed.
        let time = Duration::from_secs(90);
        moves.host("beta").churn("m1", 32, time).unwrap();
        let seen = shots.join("alpha/under-way-light.png");
        // One of another run.
        let _ = fs::remove_file(&seen);
        let id = scope(|scope| {
            let person = scope.spawn(|| drag("alpha", &["--fail"]));
            let id = moves.under_way();
            // Once the person has looked at how far it is, and has a picture of it.
            until("the person to see it", Duration::from_mins(1), || {
                Ok(seen.exists().then_some(()))
            })
            .unwrap();
            drop(moves.host("alpha").kill_guest("m1").unwrap());
            let found = person.join().unwrap();
            assert!(!found["advice"].as_str().unwrap().is_empty());
            id
        });
        let job = moves.wait_for(&id, "failed");
        println!("failed: {:#}", job["error"]);
        moves.assert_only_at("m1", "beta");
        moves.assert_links_of_m1("beta");
    }

    /// `VMS_MOVES` says how many; `make bench-migration` does ten.
    #[test]
    fn moves_by_vms_beside_moves_by_virsh() {
        let count = std::env::var("VMS_MOVES").ok();
        let count: u32 = count.map_or(2, |count| count.parse().unwrap());
        let moves = Moves::up();
        let by_vms = |to: &str| {
            let found = moves.pilot(&["time", "m2", to]);
            assert_eq!(found["job"]["state"], "succeeded", "{found:#}");
            found["seconds"].as_f64().unwrap()
        };
        let by_virsh = |from: &str, to: &str| {
            let (since, uri) = (Instant::now(), moves.host(to).uri());
            let how = ["--live", "--p2p", "--persistent", "--undefinesource"];
            let what = [&["migrate", "m2", &uri], &how[..]].concat();
            moves.host(from).virsh(&what).unwrap();
            let seconds = since.elapsed().as_secs_f64();
            until("VMS to see it", SOON, || {
                Ok((moves.pilot(&["where", "m2"])["host"] == to).then_some(()))
            })
            .unwrap();
            seconds
        };
        let mut sums = [0.0, 0.0];
        let mut ways = [("beta", "alpha"), ("alpha", "beta")].into_iter().cycle();
        for round in 0..count {
            let [there, back] = [(); 2].map(|()| ways.next().unwrap());
            let ours = [by_vms(there.1), by_vms(back.1)];
            let theirs = [by_virsh(there.0, there.1), by_virsh(back.0, back.1)];
            println!("round {round}: VMS {ours:.2?} s, virsh {theirs:.2?} s");
            sums[0] += ours.iter().sum::<f64>();
            sums[1] += theirs.iter().sum::<f64>();
        }
        let [ours, theirs] = sums;
        println!(
            "{} migrations each: VMS {ours:.2} s, virsh {theirs:.2} s, ratio {:.3}",
            2 * count,
            ours / theirs
        );
    }

    #[test]
    fn the_example_of_a_pilot_evens_out_two_hosts_and_then_rests() {
        let moves = Moves::up();
        for router in ["m1", "d1"] {
            let time = Duration::from_mins(15);
            moves.host("alpha").burn(router, time).unwrap();
        }
        let server = moves.vms.url("");
        let how = ["--busy", "0.6", "--interval", "5", "--cooldown", "600"];
        let arguments = [&[server.as_str()], &how[..]].concat();
        let mut pilot = client::example_in_background("pilot.py", &arguments).unwrap();
        let moved = until("the pilot to move a router", Duration::from_mins(3), || {
            let jobs = moves.pilot(&["jobs"]);
            let job = jobs.as_array().and_then(|jobs| jobs.first()).cloned();
            Ok(job.filter(|job| job["state"] == "succeeded"))
        })
        .unwrap();
        let at = Instant::now();
        println!("the pilot: {}", moved["message"]);
        let apart = until("the hosts to be even", Duration::from_mins(1), || {
            let load = moves.pilot(&["load"]);
            let [alpha, beta] = ["alpha", "beta"].map(|host| load[host].as_f64().unwrap());
            let is_even = (alpha - beta).abs() < 0.15;
            Ok(is_even.then_some(format!(
                "alpha {:.0} %, beta {:.0} %",
                alpha * 1e2,
                beta * 1e2
            )))
        })
        .unwrap();
        println!("after {:.0} s: {apart}", at.elapsed().as_secs_f64());
        sleep(Duration::from_mins(5).saturating_sub(at.elapsed()));
        let jobs = moves.pilot(&["jobs"]);
        assert_eq!(jobs.as_array().unwrap().len(), 1, "{jobs:#}");
        pilot.kill().unwrap();
        pilot.wait().unwrap();
    }
}
