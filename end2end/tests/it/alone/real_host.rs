//! A real libvirt host with three real routers, changed behind our back: what VMS tells of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use end2end::{
    Scratch, VmsProcess, client,
    testbed::{Plan, Testbed},
    until,
};
use serde_json::Value;

/// How soon a change must show, from the end of the command that made it.
const SOON: Duration = Duration::from_millis(500);

fn serve(bed: &Testbed, files: &Scratch) -> VmsProcess {
    let config = files.path().join("vms.toml");
    let text = format!("sample_interval = \"2s\"\n\n{}", bed.config());
    fs::write(&config, text).unwrap();
    VmsProcess::serve(&config, &files.path().join("data")).unwrap()
}

fn seconds() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs_f64()
}

/// A program that prints a line of JSON, with time and state, for every state that it sees.
struct Watcher {
    what: &'static str,
    child: Child,
    seen: Arc<Mutex<Vec<(f64, String)>>>,
}

impl Watcher {
    fn start(what: &'static str, program: PathBuf, arguments: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(client::root().join("end2end"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (output, list) = (child.stdout.take().unwrap(), Arc::clone(&seen));
        std::thread::spawn(move || {
            use std::io::{BufRead, BufReader};
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let line: Value = serde_json::from_str(&line).unwrap();
                let state = line["state"].as_str().unwrap_or("absent").to_owned();
                list.lock()
                    .unwrap()
                    .push((line["t"].as_f64().unwrap(), state));
            }
        });
        Self { what, child, seen }
    }

    /// When one of `states` was seen first, after `since`.
    fn wait(&self, states: &[&str], since: f64) -> f64 {
        let seen = || {
            let seen = self.seen.lock().unwrap();
            let found = seen
                .iter()
                .find(|(t, state)| *t >= since && states.contains(&state.as_str()));
            Ok(found.map(|(t, _)| *t))
        };
        until("the change to show", Duration::from_secs(20), seen)
            .unwrap_or_else(|error| panic!("{}: {error}: {states:?}", self.what))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn what_is_wired_is_what_is_told() {
    let files = Scratch::new().unwrap();
    let bed = Testbed::up(&Plan::line()).unwrap();
    bed.wait_routers_up().unwrap();
    let vms = serve(&bed, &files);
    // Two ticks, so that there are rates.
    std::thread::sleep(Duration::from_secs(5));

    let before = interface_counters(&bed);
    std::thread::sleep(Duration::from_secs(5));
    let found = client::python("pilot.py", &["read", &vms.url("")]).unwrap();
    let after = interface_counters(&bed);

    for version in ["1.1", "1.2"] {
        let topology = &found[version]["topologies"]["combined"];
        let mut told = BTreeMap::new();
        for router in topology["routers"].as_array().unwrap() {
            let macs: Vec<_> = router["interfaces"]
                .as_array()
                .unwrap()
                .iter()
                .map(|nic| {
                    (
                        nic["mac"].as_str().unwrap(),
                        nic["source"].as_str().unwrap(),
                    )
                })
                .collect();
            assert_eq!(router["state"], "running");
            assert_eq!(router["virtualNetwork"], "line");
            told.insert(router["id"].as_str().unwrap(), macs);
        }
        let wired = bed.plan().routers().map(|(_, router)| {
            let macs = router.nics.iter();
            let macs = macs.map(|nic| (nic.mac.as_str(), nic.bridge().unwrap()));
            (router.uuid.as_str(), macs.collect())
        });
        assert_eq!(told, wired.collect());

        // Two links: every bridge joins the two NICs that are plugged into it.
        let mut bridges: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
        for (_, router) in bed.plan().routers() {
            for nic in &router.nics {
                let ends = bridges.entry(nic.bridge().unwrap()).or_default();
                ends.insert((&router.uuid, &nic.mac));
            }
        }
        let wired: BTreeSet<_> = bridges.into_values().collect();
        let links = topology["links"].as_array().unwrap();
        let told: BTreeSet<BTreeSet<_>> = links
            .iter()
            .map(|link| {
                let end = |side: &str| {
                    let end = &link[side];
                    (
                        end["router"].as_str().unwrap(),
                        end["interface"].as_str().unwrap(),
                    )
                };
                [end("a"), end("b")].into()
            })
            .collect();
        assert_eq!(told, wired);
        assert_eq!(links.len(), 2);

        // Counters only grow: what the history has was true between the two looks.
        let counters = found[version]["counters"].as_object().unwrap();
        assert_eq!(counters.len(), 8, "{counters:?}");
        for (key, counter) in counters {
            let value = counter["value"].as_f64().unwrap();
            let (low, high) = (before[key], after[key]);
            assert!(low <= value && value <= high, "{key}: {low} {value} {high}");
            assert!(high > low, "{key}: nothing moved");
        }
        for status in found[version]["statuses"].as_object().unwrap().values() {
            let measurement = &status["measurement"];
            assert_eq!(measurement["simulated"], false);
            for nic in measurement["interfaces"].as_array().unwrap() {
                assert!(
                    nic["receivedBitsPerSecond"].as_f64().unwrap() > 0.0,
                    "{nic}"
                );
            }
        }
    }
}

/// What `virsh domifstat` says, by the keys of the pilot's counters. The names are the router's:
/// what its host's device transmits, it receives; libvirt has turned that round already.
fn interface_counters(bed: &Testbed) -> BTreeMap<String, f64> {
    let mut counters = BTreeMap::new();
    for (host, router) in bed.plan().routers() {
        let host = bed.host(&host.id);
        for nic in &router.nics {
            let text = host.virsh(&["domifstat", &router.name, &nic.mac]).unwrap();
            for line in text.lines() {
                let words: Vec<_> = line.split_whitespace().collect();
                let [_, name, value] = words[..] else {
                    continue;
                };
                let metric = match name {
                    "rx_bytes" => "receivedBytes",
                    "tx_bytes" => "transmittedBytes",
                    _ => continue,
                };
                let key = format!("{} {} {metric}", router.name, nic.mac);
                counters.insert(key, value.parse().unwrap());
            }
        }
    }
    counters
}

#[test]
fn changes_behind_our_back_show_at_once() {
    let files = Scratch::new().unwrap();
    let bed = Testbed::up(&Plan::line()).unwrap();
    bed.wait_routers_up().unwrap();
    let vms = serve(&bed, &files);
    let (host, router) = bed.plan().routers().next().unwrap();
    let host = bed.host(&host.id);
    let base = vms.url("");
    let scripts = client::root().join("end2end");
    let script = |path: &str| scripts.join(path).display().to_string();
    let watchers = [
        Watcher::start(
            "a pilot",
            client::root().join("target/venv/bin/python"),
            &[
                &script("soap/pilot.py"),
                "watch",
                &base,
                &router.uuid,
                "240",
            ],
        ),
        Watcher::start(
            "the page",
            "node".into(),
            &[&script("browser/watch.mjs"), &base, &router.uuid, "240"],
        ),
    ];
    for watcher in &watchers {
        watcher.wait(&["running"], 0.0);
    }
    let mut late: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..3 {
        for (act, states) in [
            ("suspend", ["suspended", "paused"]),
            ("resume", ["running", "running"]),
            ("destroy", ["shutOff", "stopped"]),
            ("start", ["running", "running"]),
        ] {
            let begin = seconds();
            host.virsh(&[act, &router.name]).unwrap();
            let end = seconds();
            for watcher in &watchers {
                let shown = watcher.wait(&states, begin);
                late.entry(watcher.what)
                    .or_default()
                    .push((shown - end).max(0.0));
                println!(
                    "{act}: {} after {:.0} ms",
                    watcher.what,
                    (shown - end) * 1e3
                );
            }
        }
    }
    for (what, mut times) in late {
        times.sort_by(f64::total_cmp);
        // A loaded machine may be late once; the page and the server are not.
        let second = times[times.len() - 2];
        assert!(second <= SOON.as_secs_f64(), "{what}: {times:?}");
    }
}

#[test]
fn a_host_that_is_down_at_the_start_is_picked_up_when_it_comes() {
    let files = Scratch::new().unwrap();
    let bed = Testbed::up(&Plan::line()).unwrap();
    let alpha = bed.host("alpha");
    let death = alpha.kill_daemon().unwrap();
    let vms = serve(&bed, &files);
    let hosts = || vms.get("/hosts").map(|(_, html)| html);
    assert!(hosts().unwrap().contains("unreachable"));

    death.undo().unwrap();
    until("the host to be picked up", Duration::from_secs(40), || {
        let (_, html) = vms.get("/routers")?;
        Ok((html.contains(">r1<") && html.contains("running")).then_some(()))
    })
    .unwrap();

    // Gone again, its routers stay, marked as old.
    let _death = alpha.kill_daemon().unwrap();
    until("the host to be missed", Duration::from_secs(40), || {
        Ok(hosts()?.contains("unreachable").then_some(()))
    })
    .unwrap();
    let (_, html) = vms.get("/routers").unwrap();
    assert!(html.contains(">r1<"), "{}", vms.log());
}
