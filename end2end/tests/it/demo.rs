//! The demo fleet as a pilot in Python and a person in a browser see it: both see the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use end2end::{Scratch, VmsProcess, client};
use serde_json::Value;

const VERSIONS: [&str; 2] = ["1.1", "1.2"];
const VIEWS: [&str; 3] = ["physical", "virtual", "combined"];

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no text {key} in {value}"))
}

/// What a pilot says that is not bound to the moment of the call.
fn lasting(found: &Value) -> Value {
    let routers = |value: &Value| -> Vec<Value> {
        list(value)
            .iter()
            .map(|router| {
                let mut router = router.clone();
                router["as_of"] = Value::Null;
                router["asOf"] = Value::Null;
                for interface in router["interfaces"].as_array_mut().into_iter().flatten() {
                    interface["linkAsOf"] = Value::Null;
                }
                router
            })
            .collect()
    };
    serde_json::json!({
        "routers": routers(&found["routers"]["routers"]),
        "hosts": list(&found["hosts"]["hosts"]).iter().map(|host| text(host, "id")).collect::<Vec<_>>(),
        "links": VIEWS.map(|view| {
            list(&found["topologies"][view]["links"]).iter().map(|link| text(link, "id").to_owned()).collect::<BTreeSet<_>>()
        }),
    })
}

/// The ids that a view must draw, from what the pilot read.
fn drawn(topology: &Value) -> BTreeSet<String> {
    let of = |key: &str, kind: &str, all: &dyn Fn(&Value) -> bool| -> Vec<String> {
        list(&topology[key])
            .iter()
            .filter(|element| all(element))
            .map(|element| format!("{kind}:{}", text(element, "id")))
            .collect()
    };
    let segment = |segment: &Value| segment["drawn"] == Value::Bool(true);
    [
        of("hosts", "host", &|_| true),
        of("routers", "router", &|_| true),
        of("segments", "segment", &segment),
        of("links", "link", &|_| true),
    ]
    .concat()
    .into_iter()
    .collect()
}

#[test]
fn a_pilot_reads_what_the_page_shows() {
    let data = Scratch::new().unwrap();
    let vms = VmsProcess::demo(data.path()).unwrap();
    let base = vms.url("");
    // A tick comes every ten seconds; before the first there is nothing to measure.
    std::thread::sleep(Duration::from_secs(12));
    let found = client::python("pilot.py", &["read", &base]).unwrap();

    // The same over both versions of SOAP, and all of it.
    let pilot = &found["1.2"];
    assert_eq!(lasting(&found["1.1"]), lasting(pilot));
    let routers = list(&pilot["routers"]["routers"]);
    let hosts = list(&pilot["hosts"]["hosts"]);
    assert!(hosts.len() >= 6, "{} hosts", hosts.len());
    assert!(routers.len() >= 38, "{} routers", routers.len());
    for version in VERSIONS {
        for series in list(&found[version]["history"]) {
            assert_eq!(series["simulated"], Value::Bool(true));
            let values = list(&series["points"])
                .iter()
                .filter(|point| point["value"].is_number());
            assert!(values.count() > 10, "{series}");
        }
        let of_hosts = found[version]["hostStatuses"].as_object().unwrap();
        assert_eq!(of_hosts.len(), hosts.len());
        for (id, status) in of_hosts {
            assert_eq!(text(&status["host"], "id"), id);
            assert_eq!(text(&status["host"], "origin"), "configured");
            assert_eq!(text(&status["host"]["endpoints"][0], "state"), "online");
            assert_eq!(status["hangingCalls"].as_u64(), Some(0));
            assert!(list(&status["unresponsiveRouters"]).is_empty());
        }
        for (id, status) in found[version]["statuses"].as_object().unwrap() {
            assert_eq!(text(&status["router"], "id"), id);
            if text(&status["router"], "state") == "running" {
                assert_eq!(status["measurement"]["simulated"], Value::Bool(true));
            }
        }
    }

    // What the page shows, with and without script.
    let page = client::browser("page.mjs", &[&base]).unwrap();
    let still = &page["still"];
    for view in VIEWS {
        let shown: BTreeSet<_> = list(&still["views"][view])
            .iter()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect();
        assert_eq!(shown, drawn(&pilot["topologies"][view]), "the {view} view");
    }
    let html = still["html"].as_str().unwrap();
    for named in routers.iter().chain(hosts) {
        assert!(html.contains(text(named, "name")), "{named} is not named");
    }
    let rows: BTreeMap<_, _> = list(&still["routers"])
        .iter()
        .map(|row| (text(row, "Router").to_owned(), row))
        .collect();
    assert_eq!(rows.len(), routers.len());
    for router in routers {
        let row = rows[text(router, "name")];
        let said = text(router, "state").replace("shutOff", "shut off");
        assert_eq!(text(row, "State"), said, "{router}");
        assert_eq!(text(row, "Host"), text(router, "host"), "{router}");
    }
    assert_eq!(list(&still["hosts"]).len(), hosts.len());
    let complaints = list(&page["alive"]["complaints"]);
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_pilot_acts_and_is_told_why_not() {
    let data = Scratch::new().unwrap();
    let vms = VmsProcess::demo(data.path()).unwrap();
    let base = vms.url("");
    let found = client::python("pilot.py", &["read", &base]).unwrap();
    let router = list(&found["1.1"]["routers"]["routers"])
        .iter()
        .find(|router| text(router, "state") == "running")
        .unwrap();
    let done = client::python("pilot.py", &["act", &base, text(router, "id")]).unwrap();
    for version in VERSIONS {
        let done = &done[version];
        assert_eq!(text(&done["suspended"]["router"], "state"), "suspended");
        assert_eq!(done["again"], done["suspended"], "the first result again");
        assert_eq!(text(&done["status"]["router"], "state"), "suspended");
        assert_eq!(text(&done["resumed"]["router"], "state"), "running");
    }

    let faults = client::python("pilot.py", &["fault", &base]).unwrap();
    for version in VERSIONS {
        let faults = &faults[version];
        let not_found = &faults["notFound"];
        assert_eq!(text(not_found, "fault"), "NotFound");
        assert_eq!(text(&not_found["detail"], "kind"), "router");
        assert_eq!(
            text(&not_found["detail"], "message"),
            text(not_found, "text")
        );
        assert_eq!(text(&faults["invalid"], "fault"), "InvalidArgument");
        assert_eq!(text(&faults["invalid"]["detail"], "element"), "interface");
        assert_eq!(text(&faults["conflict"], "fault"), "Conflict");
    }
}

#[test]
fn a_pilot_finds_paths_and_reads_the_load() {
    let data = Scratch::new().unwrap();
    let vms = VmsProcess::demo(data.path()).unwrap();
    let base = vms.url("");
    // Rates need two ticks, and one comes every ten seconds.
    std::thread::sleep(Duration::from_secs(12));
    let told = client::python("pilot.py", &["network", &base]).unwrap();
    for version in VERSIONS {
        let told = &told[version];
        let names = |path: &Value| -> Vec<String> {
            let steps = list(&path["steps"]).iter();
            steps.map(|step| text(step, "name").to_owned()).collect()
        };
        let path = &told["virtual"]["paths"][0];
        let chain = ["sense-poa", "sense-sp", "sense-rio", "sense-rec"];
        assert_eq!(names(path), chain);
        assert_eq!(path["hops"].as_u64(), Some(3));
        let under = list(&path["underlay"]);
        assert_eq!(under.len(), 3);
        assert_eq!(names(&under[0])[..2], ["sense-poa", "poa-edge-1"]);
        // The virtual links take what the cables under them take.
        let sum: f64 = (under.iter())
            .map(|under| under["latencySeconds"].as_f64().unwrap())
            .sum();
        assert!((path["latencySeconds"].as_f64().unwrap() - sum).abs() < 1e-9);

        let paths = list(&told["physical"]["paths"]);
        assert!(paths.len() > 3, "{} paths", paths.len());
        let latency = |path: &Value| path["latencySeconds"].as_f64().unwrap();
        assert!(paths.is_sorted_by(|a, b| latency(a) <= latency(b)));
        for path in list(&told["around"]["paths"]) {
            assert!(!names(path).contains(&"rio-core-1".to_owned()), "{path}");
        }
        assert!(list(&told["none"]["paths"]).is_empty());
        assert!(text(&told["none"], "reason").contains("quarantine-1"));
        assert_eq!(text(&told["tooMany"], "fault"), "InvalidArgument");
        assert_eq!(text(&told["tooMany"]["detail"], "element"), "alternatives");
        assert_eq!(text(&told["nowhere"], "fault"), "NotFound");
        assert_eq!(text(&told["nowhere"]["detail"], "kind"), "host");

        let load = &told["load"];
        assert_eq!(
            list(&load["hosts"]).len(),
            list(&told["topology"]["hosts"]).len()
        );
        assert!(list(&load["routers"]).len() >= 36);
        let flowing = list(&load["links"])
            .iter()
            .filter(|link| link["aToB"]["bitsPerSecond"].as_f64() > Some(0.0));
        assert!(flowing.count() > 30, "{load}");
        assert!(list(&told["physicalLoad"]["routers"]).is_empty());
    }
}

#[test]
fn a_pilot_takes_a_host_in_and_lets_it_go() {
    let data = Scratch::new().unwrap();
    let vms = VmsProcess::demo(data.path()).unwrap();
    let told = client::python("pilot.py", &["hosts", &vms.url("")]).unwrap();
    for version in VERSIONS {
        let told = &told[version];
        let checked = &told["checked"];
        assert_eq!(text(checked, "uri"), "test:///default");
        assert_eq!(checked["usable"], Value::Bool(true));
        for step in list(&checked["steps"]) {
            assert!(!text(step, "explanation").is_empty(), "{step}");
        }
        assert!(!list(&checked["capabilities"]).is_empty());

        let registered = &told["registered"]["host"];
        assert_eq!(text(registered, "id"), "by-zeep");
        assert_eq!(text(registered, "origin"), "registered");
        let status = &told["status"]["host"];
        assert_eq!(text(status, "state"), "online", "{status}");
        assert_eq!(text(&status["endpoints"][0], "uri"), "test:///default");
        assert_eq!(text(&told["removed"], "host"), "by-zeep");

        for (case, fault) in [
            ("taken", "Conflict"),
            ("gone", "NotFound"),
            ("configured", "Conflict"),
            ("nowhere", "InvalidArgument"),
            ("badId", "InvalidArgument"),
            ("userUnused", "InvalidArgument"),
            ("dangerous", "InvalidArgument"),
        ] {
            let told = &told[case];
            assert_eq!(text(told, "fault"), fault, "{case}: {told}");
            assert!(text(&told["detail"], "message").len() > 20, "{told}");
        }
    }
}

#[test]
fn a_pilot_moves_a_router_and_is_told_why_not() {
    let data = Scratch::new().unwrap();
    let vms = VmsProcess::demo(data.path()).unwrap();
    let told = client::python("pilot.py", &["migrate", &vms.url("")]).unwrap();
    for version in VERSIONS {
        let told = &told[version];
        let (router, source) = (text(&told["before"], "id"), text(&told["before"], "host"));
        let destination = text(&told["check"]["verdicts"][0], "host");

        // Every other host has its verdict, in order, and each has its reasons.
        let verdicts = list(&told["check"]["verdicts"]);
        assert_eq!(text(&told["check"], "source"), source);
        assert_eq!(text(&told["check"], "mode"), "cold");
        let hosts: BTreeSet<_> = verdicts
            .iter()
            .map(|verdict| text(verdict, "host"))
            .collect();
        assert_eq!((hosts.len(), verdicts.len()), (6, 6), "{verdicts:#?}");
        assert!(!hosts.contains(source));
        let possible = |verdict: &Value| text(verdict, "verdict") != "obstacle";
        let score = |verdict: &Value| verdict["score"].as_f64().unwrap_or(-1.0);
        assert!(
            verdicts.is_sorted_by_key(|verdict| (!possible(verdict), -score(verdict))),
            "{verdicts:#?}"
        );
        for verdict in verdicts {
            for finding in list(&verdict["findings"]) {
                assert!(!text(finding, "what").is_empty());
                let fine = text(finding, "level") == "fine";
                assert!(fine || !text(finding, "why").is_empty(), "{finding}");
            }
        }
        let one = list(&told["one"]["verdicts"]);
        assert_eq!(one.len(), 1);
        assert_eq!(text(&one[0], "host"), destination);

        // The demo's driver cannot move what runs.
        assert_eq!(text(&told["live"], "fault"), "NotSupported");
        assert_eq!(text(&told["live"]["detail"], "driver"), "test");

        let job = text(&told["asked"]["job"], "id");
        assert_eq!(
            text(&told["again"]["job"], "id"),
            job,
            "one request, one job"
        );
        let ended = &told["ended"]["job"];
        assert_eq!(text(ended, "state"), "succeeded", "{ended:#}");
        assert_eq!(text(ended, "kind"), "coldMigration");
        assert_eq!(text(ended, "source"), source);
        assert_eq!(text(ended, "destination"), destination);
        assert!(
            ended["migration"]["totalMilliseconds"].is_u64(),
            "{ended:#}"
        );
        assert!(!list(&ended["steps"]).is_empty());
        assert_eq!(text(&told["after"], "host"), destination);
        assert_eq!(text(&told["after"], "state"), "running");
        assert_eq!(told["after"]["migratingTo"], Value::Null);
        let there = list(&told["onDestination"])
            .iter()
            .filter(|id| *id == router);
        assert_eq!(there.count(), 1);
        // The other version of SOAP may have moved the same router before.
        assert_eq!(text(&told["jobs"][0], "id"), job, "the newest first");
        assert!(list(&told["unfinished"]).is_empty());
        assert_eq!(told["cancelled"], *ended, "what is over stays as it is");

        let maintenance = &told["maintenance"];
        assert_eq!(maintenance["maintenance"], Value::Bool(true));
        assert_eq!(text(maintenance, "maintenanceReason"), "new disks");
        let verdict = &told["checkMaintenance"]["verdicts"][0];
        assert_eq!(text(verdict, "verdict"), "obstacle");
        let finding = &verdict["findings"][0];
        assert_eq!(text(finding, "check"), "maintenance", "the worst first");
        assert_eq!(text(finding, "level"), "obstacle");
        assert!(!text(finding, "advice").is_empty());
        assert_eq!(text(&told["intoMaintenance"], "fault"), "Conflict");
        assert_eq!(told["inUse"]["maintenance"], Value::Bool(false));
        assert_eq!(told["inUse"]["maintenanceReason"], Value::Null);
        let verdict = &told["checkInUse"]["verdicts"][0];
        assert!(possible(verdict), "{verdict:#}");

        for (case, fault, of) in [
            ("noRouter", "NotFound", "router"),
            ("noRouterToCheck", "NotFound", "router"),
            ("noHost", "NotFound", "host"),
            ("noHostToCheck", "NotFound", "host"),
            ("noHostToKeep", "NotFound", "host"),
            ("noJob", "NotFound", "job"),
            ("noJobToCancel", "NotFound", "job"),
            ("ownHost", "InvalidArgument", "destination"),
            ("longWait", "InvalidArgument", "waitSeconds"),
            ("noLimit", "InvalidArgument", "limit"),
            ("badRequestId", "InvalidArgument", "requestId"),
            ("usedRequestId", "InvalidArgument", "requestId"),
        ] {
            let told = &told["faults"][case];
            assert_eq!(text(told, "fault"), fault, "{case}: {told}");
            let key = if fault == "NotFound" {
                "kind"
            } else {
                "element"
            };
            assert_eq!(text(&told["detail"], key), of, "{case}");
            assert!(text(&told["detail"], "message").len() > 10, "{told}");
        }
        let no_job = text(&told["faults"]["noJob"]["detail"], "message");
        assert!(no_job.contains("ListJobs"), "{no_job}");
    }
}

/// The example that users begin with. The demo's hosts are large and idle: what is busy there, and
/// what is worth a move, is little.
#[test]
fn the_example_of_a_pilot_evens_out_the_load() {
    let data = Scratch::new().unwrap();
    let vms = VmsProcess::demo(data.path()).unwrap();
    let base = vms.url("");
    // Rates need two ticks, and one comes every ten seconds.
    std::thread::sleep(Duration::from_secs(12));
    let run = |busy: &str, gain: &str| {
        let how = ["--interval", "0.2", "--once"];
        let arguments = [&[base.as_str(), "--busy", busy, "--gain", gain], &how[..]].concat();
        client::example("pilot.py", &arguments).unwrap()
    };
    assert_eq!(run("0.9", "0.001"), "", "no host is that busy");
    let said = run("0.01", "0.9");
    assert!(said.contains("no move would better that"), "{said}");
    assert!(!said.contains("moving"), "{said}");
    let said = run("0.01", "0.001");
    let lines: Vec<_> = said.lines().collect();
    let last = lines.len() - 1;
    assert!(lines[last - 1].contains(": moving "), "{said}");
    assert!(lines[last].contains("coldMigration succeeded: "), "{said}");
}

#[test]
fn a_person_does_everything_with_the_picture() {
    let data = Scratch::new().unwrap();
    let vms = VmsProcess::demo(data.path()).unwrap();
    let shots = data.path().join("screenshots");
    let shots = shots.to_str().unwrap();
    let found = client::browser("topology.mjs", &[&vms.url(""), shots]).unwrap();
    let complaints = list(&found["complaints"]);
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_person_moves_routers() {
    let data = Scratch::new().unwrap();
    let vms = VmsProcess::demo(data.path()).unwrap();
    let shots = data.path().join("screenshots");
    let shots = shots.to_str().unwrap();
    let found = client::browser("moving.mjs", &[&vms.url(""), shots]).unwrap();
    let complaints = list(&found["complaints"]);
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_person_makes_routers_and_links_them() {
    let data = Scratch::new().unwrap();
    let vms = VmsProcess::demo(data.path()).unwrap();
    let shots = data.path().join("screenshots");
    let shots = shots.to_str().unwrap();
    let found = client::browser("provisioning.mjs", &[&vms.url(""), shots]).unwrap();
    let complaints = list(&found["complaints"]);
    assert!(complaints.is_empty(), "{complaints:#?}");
}
