//! What goes wrong with one of two real hosts, seen through VMS: the host itself is told as it is,
//! and nothing else is held up.
//!
//! In each test something breaks on `alpha`. Meanwhile a pilot, a page and an act on `beta` are
//! timed, before and during the fault in the same run.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use end2end::{
    Scratch, VmsProcess,
    testbed::{Authority, Plan, SshServer, Testbed},
    until,
    vms_process::{binary, get, post},
};
use serde_json::Value;

use crate::latency::{Latencies, Sampler, assert_no_slower};

/// How long the others are watched, before a fault and while it lasts.
const WATCH: Duration = Duration::from_secs(10);
/// Keepalive ends a connection after 15 to 20 s; the rest is for a loaded machine.
const NOTICED: Duration = Duration::from_secs(60);
/// The longest wait before a host is tried again is 15 s.
const BACK: Duration = Duration::from_secs(60);

/// Two hosts, and VMS over them.
struct Watched<'bed> {
    bed: &'bed Testbed,
    vms: VmsProcess,
    _files: Scratch,
}

impl<'bed> Watched<'bed> {
    fn start(bed: &'bed Testbed) -> Self {
        Self::start_with(bed, &bed.config(), |_| {})
    }

    /// With another configuration, and what `prepare` puts into the data directory.
    fn start_with(bed: &'bed Testbed, config: &str, prepare: impl Fn(&Path)) -> Self {
        let files = Scratch::new().unwrap();
        let data = files.path().join("data");
        fs::create_dir(&data).unwrap();
        prepare(&data);
        let file = files.path().join("vms.toml");
        let settings = "sample_interval = \"1s\"\nrelist_interval = \"5s\"\n\n";
        fs::write(&file, format!("{settings}{config}")).unwrap();
        Self {
            bed,
            vms: VmsProcess::serve(&file, &data).unwrap(),
            _files: files,
        }
    }

    fn ask(&self, arguments: &[&str]) -> Result<Value, String> {
        let output = Command::new(binary().unwrap())
            .args(arguments)
            .args(["--json", "--server", &self.vms.url("")])
            .output()
            .unwrap();
        if output.status.success() {
            Ok(serde_json::from_slice(&output.stdout).unwrap())
        } else {
            Err(String::from_utf8(output.stderr).unwrap())
        }
    }

    fn host(&self, id: &str) -> Value {
        self.ask(&["host", "show", id]).unwrap()
    }

    fn state(&self, id: &str) -> String {
        let host = self.host(id);
        host["host"]["state"].as_str().unwrap().to_owned()
    }

    /// What is wrong with a host, in VMS' words.
    fn message(&self, id: &str) -> String {
        let host = self.host(id);
        host["host"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    fn wait_state(&self, id: &str, states: &[&str], limit: Duration) -> Duration {
        let start = Instant::now();
        until(&format!("{id} to be {states:?}"), limit, || {
            Ok(states.contains(&self.state(id).as_str()).then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error}; it is {}: {}", self.state(id), self.message(id)));
        start.elapsed()
    }

    /// The routers of a host, by name: state and whether that is current.
    fn routers(&self, host: &str) -> BTreeMap<String, (String, bool)> {
        let reply = self.ask(&["router", "list", "--host", host]).unwrap();
        let routers = reply["routers"].as_array().unwrap();
        let told = |router: &Value| {
            let text = |key: &str| router[key].as_str().unwrap().to_owned();
            let current = router["current"].as_bool().unwrap();
            (text("name"), (text("state"), current))
        };
        routers.iter().map(told).collect()
    }

    /// Unreachable is "not known now", never "gone".
    fn assert_kept_as_old(&self) {
        let routers = self.routers("alpha");
        assert_eq!(routers.len(), 3, "{routers:?}");
        assert!(routers.values().all(|(_, current)| !current), "{routers:?}");
        let beta = self.routers("beta");
        assert!(beta.values().all(|(_, current)| *current), "{beta:?}");
    }

    /// After a reconnect events arrive as before.
    fn assert_events_arrive(&self) {
        let alpha = self.bed.host("alpha");
        for (act, state) in [("suspend", "suspended"), ("resume", "running")] {
            alpha.virsh(&[act, "alpha-3"]).unwrap();
            let start = Instant::now();
            until("the event", Duration::from_secs(3), || {
                Ok((self.routers("alpha")["alpha-3"].0 == state).then_some(()))
            })
            .unwrap();
            println!("{act} shows after {:?}", start.elapsed());
        }
    }

    /// Times the others before a fault of `alpha` and while it lasts; `during` looks at the fault
    /// meanwhile, and what it returns is returned.
    fn others_do_not_notice<F, T>(
        &self,
        fault: impl FnOnce() -> F,
        during: impl FnOnce(&F) -> T,
    ) -> (F, T) {
        let router = &self.bed.host("beta").plan().routers[0].uuid;
        let address = self.vms.address();
        let call = move |service: &str, operation: &str, router: &str| {
            let body = format!(
                "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
                 <{operation} xmlns=\"urn:vms:pilot:1\"><router>{router}</router></{operation}>\
                 </s:Body></s:Envelope>"
            );
            let (status, reply) = post(address, &format!("/services/{service}"), &body).unwrap();
            assert_eq!(status, 200, "{operation}: {reply}");
        };
        let every = Duration::from_millis;
        let samplers = [
            ("a pilot that reads", {
                let router = router.clone();
                Sampler::start(every(20), move || {
                    call("StatusService", "GetRouterStatus", &router);
                })
            }),
            ("a pilot that acts", {
                let router = router.clone();
                Sampler::start(every(200), move || {
                    call("ProvisioningService", "SuspendRouter", &router);
                    call("ProvisioningService", "ResumeRouter", &router);
                })
            }),
            ("a page", {
                Sampler::start(every(100), move || {
                    let (status, _) = get(address, "/routers").unwrap();
                    assert_eq!(status, 200);
                })
            }),
        ];
        // The first calls warm things up.
        std::thread::sleep(Duration::from_secs(1));
        let (before, ()) = watch_all(&samplers, Box::new(|| std::thread::sleep(WATCH)));
        let mut broken = None;
        let looking = Box::new(|| {
            let start = Instant::now();
            let fault = broken.insert(fault());
            let seen = during(fault);
            std::thread::sleep(WATCH.saturating_sub(start.elapsed()));
            seen
        });
        let (while_it_lasts, seen) = watch_all(&samplers, looking);
        for (((what, _), before), during) in samplers.iter().zip(before).zip(while_it_lasts) {
            assert_no_slower(what, &before, &during);
        }
        (broken.unwrap(), seen)
    }
}

/// What several samplers see while `act` runs.
fn watch_all<'a, T: 'a>(
    samplers: &'a [(&str, Sampler)],
    act: Box<dyn FnOnce() -> T + 'a>,
) -> (Vec<Latencies>, T) {
    let Some(((_, first), rest)) = samplers.split_first() else {
        return (Vec::new(), act());
    };
    let (latencies, (mut others, result)) = first.watch_while(|| watch_all(rest, act));
    others.insert(0, latencies);
    (others, result)
}

#[test]
fn a_daemon_that_is_killed() {
    let bed = Testbed::up(&Plan::faults()).unwrap();
    let vms = Watched::start(&bed);
    let (fault, ()) = vms.others_do_not_notice(
        || bed.host("alpha").kill_daemon().unwrap(),
        |_| {
            vms.wait_state("alpha", &["unreachable"], NOTICED);
            vms.assert_kept_as_old();
            let message = vms.message("alpha");
            assert!(
                message.contains("refuse") || message.contains("closed"),
                "{message}"
            );
        },
    );
    fault.undo().unwrap();
    vms.wait_state("alpha", &["online"], BACK);
    vms.assert_events_arrive();
}

#[test]
fn a_daemon_that_is_frozen() {
    let bed = Testbed::up(&Plan::faults()).unwrap();
    let vms = Watched::start(&bed);
    let (fault, ()) = vms.others_do_not_notice(
        || bed.host("alpha").freeze_daemon().unwrap(),
        |_| {
            let noticed = vms.wait_state("alpha", &["degraded", "unreachable"], NOTICED);
            println!("noticed after {noticed:?}");
            vms.wait_state("alpha", &["unreachable"], NOTICED);
            vms.assert_kept_as_old();
        },
    );
    fault.undo().unwrap();
    vms.wait_state("alpha", &["online"], BACK);
    vms.assert_events_arrive();
    // No thread is left hanging.
    until("the calls to come back", BACK, || {
        Ok((vms.host("alpha")["hangingCalls"] == 0).then_some(()))
    })
    .unwrap();
}

#[test]
fn a_daemon_that_is_restarted() {
    let bed = Testbed::up(&Plan::faults()).unwrap();
    let vms = Watched::start(&bed);
    vms.others_do_not_notice(
        || bed.host("alpha").restart_daemon().unwrap(),
        |()| {
            // Between the old one's end and the new one's begin, it may be seen as gone.
            vms.wait_state("alpha", &["online"], BACK);
        },
    );
    vms.wait_state("alpha", &["online"], BACK);
    vms.assert_events_arrive();
}

#[test]
fn a_network_that_is_cut_for_five_seconds() {
    let bed = Testbed::up(&Plan::faults()).unwrap();
    let vms = Watched::start(&bed);
    vms.others_do_not_notice(
        || bed.cut("alpha", "mgmt").unwrap(),
        |_| std::thread::sleep(Duration::from_secs(5)),
    )
    .0
    .undo()
    .unwrap();
    vms.wait_state("alpha", &["online"], BACK);
    vms.assert_events_arrive();
}

#[test]
fn a_network_that_is_cut_for_good() {
    let bed = Testbed::up(&Plan::faults()).unwrap();
    let vms = Watched::start(&bed);
    let (fault, ()) = vms.others_do_not_notice(
        || bed.cut("alpha", "mgmt").unwrap(),
        |_| {
            vms.wait_state("alpha", &["unreachable"], NOTICED);
            vms.assert_kept_as_old();
            // Again and again in vain: what it costs does not grow.
            std::thread::sleep(Duration::from_secs(20));
            assert_eq!(vms.host("alpha")["hangingCalls"], 0);
        },
    );
    fault.undo().unwrap();
    vms.wait_state("alpha", &["online"], BACK);
    vms.assert_events_arrive();
}

#[test]
fn a_host_that_is_slow() {
    let bed = Testbed::up(&Plan::faults()).unwrap();
    let relay = bed.host("alpha").relay().unwrap();
    let config = bed.config_with(|host| match host.plan().id.as_str() {
        "alpha" => relay.uri(),
        _ => host.uri(),
    });
    let vms = Watched::start_with(&bed, &config, |_| {});
    let (fault, ()) = vms.others_do_not_notice(
        || relay.slow(Duration::from_millis(100)),
        |_| {
            // Over several full listings it is slow, and nothing worse.
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(16) {
                assert_eq!(vms.state("alpha"), "online", "{}", vms.message("alpha"));
                std::thread::sleep(Duration::from_millis(200));
            }
            vms.assert_events_arrive();
        },
    );
    fault.undo().unwrap();
}

#[test]
fn a_guest_that_is_frozen_sticks_alone() {
    let bed = Testbed::up(&Plan::faults()).unwrap();
    let alpha = bed.host("alpha");
    let vms = Watched::start(&bed);
    // Its statistics of memory must have been there once.
    bed.wait_routers_up().unwrap();
    let begin = now();
    let (fault, ()) = vms.others_do_not_notice(
        || alpha.freeze_guest("alpha-1").unwrap(),
        |_| {
            until("the guest to be missed", NOTICED, || {
                let sticking = vms.host("alpha")["unresponsiveRouters"].clone();
                Ok((sticking[0]["name"] == "alpha-1").then_some(()))
            })
            .unwrap();
            let sticking = vms.host("alpha")["unresponsiveRouters"].clone();
            assert_eq!(sticking.as_array().unwrap().len(), 1, "{sticking}");
            // Its host and its neighbours are as always.
            assert_eq!(vms.state("alpha"), "online", "{}", vms.message("alpha"));
            let shown = vms.ask(&["router", "show", "alpha-1"]).unwrap();
            let message = shown["router"]["message"].as_str().unwrap().to_owned();
            assert!(message.contains("has not answered since"), "{message}");
            // Acting on it is refused at once, acting on a neighbour works.
            let start = Instant::now();
            let refused = vms.ask(&["router", "suspend", "alpha-1"]).unwrap_err();
            assert!(refused.contains("SIGCONT"), "{refused}");
            assert!(start.elapsed() < Duration::from_secs(2));
            vms.assert_events_arrive();
            std::thread::sleep(Duration::from_secs(10));
        },
    );
    let end = now();
    for neighbour in ["alpha-2", "alpha-3", "beta-1"] {
        let series = vms
            .ask(&[
                "history",
                neighbour,
                "cpuTime",
                "--start",
                &begin,
                "--end",
                &end,
                "--step",
                "1",
                "--aggregation",
                "last",
            ])
            .unwrap();
        let points = series["points"].as_array().unwrap();
        let missing = points
            .iter()
            .filter(|point| point["value"].is_null())
            .count();
        println!(
            "{neighbour}: {missing} of {} samples are missing",
            points.len()
        );
        // The last second may not be stored yet.
        assert!(missing <= 1, "{neighbour}: {points:?}");
    }
    fault.undo().unwrap();
    until("the guest to answer again", NOTICED, || {
        let host = vms.host("alpha");
        let sticking = host["unresponsiveRouters"].as_array().unwrap();
        Ok((sticking.is_empty() && host["hangingCalls"] == 0).then_some(()))
    })
    .unwrap();
    vms.ask(&["router", "suspend", "alpha-1"]).unwrap();
    vms.ask(&["router", "resume", "alpha-1"]).unwrap();
}

#[test]
fn a_guest_that_is_destroyed_during_a_listing() {
    let bed = Testbed::up(&Plan::faults()).unwrap();
    let alpha = bed.host("alpha");
    let relay = alpha.relay().unwrap();
    let config = bed.config_with(|host| match host.plan().id.as_str() {
        "alpha" => relay.uri(),
        _ => host.uri(),
    });
    let vms = Watched::start_with(&bed, &config, |_| {});
    // So slow that most of the time a listing is under way, one every five seconds.
    let slow = relay.slow(Duration::from_millis(200));
    vms.others_do_not_notice(
        || (),
        |()| {
            for round in 0..8 {
                alpha.virsh(&["destroy", "alpha-2"]).unwrap();
                let told = |state: &str| {
                    until("the truth to be told", Duration::from_secs(20), || {
                        let routers = vms.routers("alpha");
                        assert_eq!(routers.len(), 3, "round {round}: {routers:?}");
                        Ok((routers["alpha-2"].0 == state).then_some(()))
                    })
                    .unwrap();
                };
                told("shutOff");
                std::thread::sleep(Duration::from_millis(700));
                assert_eq!(vms.routers("alpha")["alpha-2"].0, "shutOff");
                alpha.virsh(&["start", "alpha-2"]).unwrap();
                told("running");
                assert_eq!(vms.state("alpha"), "online", "{}", vms.message("alpha"));
            }
        },
    );
    slow.undo().unwrap();
}

#[test]
fn a_thousand_events_in_a_burst() {
    let bed = Testbed::up(&Plan::faults()).unwrap();
    let alpha = bed.host("alpha");
    // The daemon's own test driver starts and destroys some thousand times faster than QEMU does;
    // its events come by the same way.
    let uri = format!("test+tcp://{}/default", alpha.address());
    let config = bed.config_with(|host| match host.plan().id.as_str() {
        "alpha" => uri.clone(),
        _ => host.uri(),
    });
    let vms = Watched::start_with(&bed, &config, |_| {});
    assert_eq!(vms.routers("alpha")["test"].0, "running");
    let virsh = |commands: &str| {
        let output = Command::new("virsh")
            .args(["--quiet", "--connect", &uri, commands])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    let burst = "destroy test; start test; ".repeat(500);
    vms.others_do_not_notice(
        || (),
        |()| {
            let start = Instant::now();
            virsh(&burst);
            println!("a thousand events in {:?}", start.elapsed());
            virsh("destroy test");
            let start = Instant::now();
            until("the last to be told", Duration::from_secs(5), || {
                Ok((vms.routers("alpha")["test"].0 == "shutOff").then_some(()))
            })
            .unwrap();
            println!("the last is told after {:?}", start.elapsed());
            virsh(&burst.replacen("destroy test; ", "", 1));
            until("the last to be told", Duration::from_secs(5), || {
                Ok((vms.routers("alpha")["test"].0 == "running").then_some(()))
            })
            .unwrap();
        },
    );
    assert_eq!(vms.state("alpha"), "online", "{}", vms.message("alpha"));
}

#[test]
fn a_connection_that_the_server_closes() {
    let bed = Testbed::up(&Plan::faults()).unwrap();
    let relay = bed.host("alpha").relay().unwrap();
    let config = bed.config_with(|host| match host.plan().id.as_str() {
        "alpha" => relay.uri(),
        _ => host.uri(),
    });
    let vms = Watched::start_with(&bed, &config, |_| {});
    vms.others_do_not_notice(
        || (),
        |()| {
            for _ in 0..5 {
                relay.close_all();
                std::thread::sleep(Duration::from_secs(2));
            }
        },
    );
    vms.wait_state("alpha", &["online"], BACK);
    assert_eq!(vms.routers("alpha").len(), 3);
    vms.assert_events_arrive();
}

/// Replaces the URI of alpha in the plan's configuration.
fn with_alpha_at(bed: &Testbed, uri: &str, more: &str) -> String {
    let config = bed.config_with(|host| match host.plan().id.as_str() {
        "alpha" => uri.to_owned(),
        _ => host.uri(),
    });
    let line = format!("uri = \"{uri}\"\n");
    config.replacen(&line, &format!("{line}{more}"), 1)
}

#[test]
fn credentials_that_are_wrong() {
    let bed = Testbed::up(&Plan::faults()).unwrap();
    let alpha = bed.host("alpha");
    let ssh = SshServer::start(alpha).unwrap();
    let uri = format!("qemu+ssh://root@{}/system", alpha.address());
    let prepare = |key: &Path, known_hosts: &Path| {
        let (key, known_hosts) = (key.to_owned(), known_hosts.to_owned());
        move |data: &Path| {
            use std::os::unix::fs::PermissionsExt;
            for (from, to) in [(&key, "keys/alpha"), (&known_hosts, "ssh/known_hosts")] {
                let to = data.join(to);
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(from, &to).unwrap();
                fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
            }
        }
    };
    let config = with_alpha_at(&bed, &uri, "key = \"alpha\"\n");
    for (key, known_hosts, complaint) in [
        (ssh.wrong_key(), ssh.known_hosts(), "Permission denied"),
        (
            ssh.key(),
            ssh.wrong_known_hosts(),
            "Host key verification failed",
        ),
    ] {
        let vms = Watched::start_with(&bed, &config, prepare(&key, &known_hosts));
        vms.others_do_not_notice(
            || (),
            |()| {
                vms.wait_state("alpha", &["unreachable"], NOTICED);
                let message = vms.message("alpha");
                assert!(message.contains(complaint), "{message}");
                let log = vms.vms.log();
                assert!(!log.contains("PRIVATE KEY"), "{log}");
            },
        );
        assert!(vms.routers("alpha").is_empty());
        let checked = vms
            .ask(&["host", "check", &uri, "--key", "alpha"])
            .unwrap_err();
        assert!(
            checked.contains(complaint) || !checked.is_empty(),
            "{checked}"
        );
    }
    // And with the right ones it is let in.
    let vms = Watched::start_with(&bed, &config, prepare(&ssh.key(), &ssh.known_hosts()));
    vms.wait_state("alpha", &["online"], BACK);
    assert_eq!(vms.routers("alpha").len(), 3);
    vms.assert_events_arrive();
}

#[test]
fn a_certificate_that_does_not_match() {
    let bed = Testbed::up(&Plan::faults()).unwrap();
    let alpha = bed.host("alpha");
    let address = alpha.address().to_string();
    let authority = Authority::new().unwrap();
    let config = with_alpha_at(&bed, &format!("qemu+tls://{address}/system"), "");
    let prepare = |data: &Path| {
        let pki = data.join("pki");
        fs::create_dir(&pki).unwrap();
        for entry in fs::read_dir(authority.client_directory())
            .unwrap()
            .flatten()
        {
            fs::copy(entry.path(), pki.join(entry.file_name())).unwrap();
        }
    };
    {
        let _tls = alpha.offer_tls(&authority, "somebody-else").unwrap();
        let vms = Watched::start_with(&bed, &config, prepare);
        vms.others_do_not_notice(
            || (),
            |()| {
                vms.wait_state("alpha", &["unreachable"], NOTICED);
                let message = vms.message("alpha");
                assert!(message.contains("certificate"), "{message}");
            },
        );
        assert!(vms.routers("alpha").is_empty());
    }
    let _tls = alpha.offer_tls(&authority, &address).unwrap();
    let vms = Watched::start_with(&bed, &config, prepare);
    vms.wait_state("alpha", &["online"], BACK);
    vms.assert_events_arrive();
}

#[test]
fn a_name_that_does_not_resolve() {
    let bed = Testbed::up(&Plan::faults()).unwrap();
    let config = with_alpha_at(&bed, "qemu+tcp://alpha.invalid/system", "");
    let vms = Watched::start_with(&bed, &config, |_| {});
    vms.others_do_not_notice(
        || (),
        |()| {
            vms.wait_state("alpha", &["unreachable"], NOTICED);
            let message = vms.message("alpha");
            assert!(message.contains("alpha.invalid"), "{message}");
            assert!(message.contains("resolve"), "{message}");
        },
    );
    assert_eq!(vms.host("alpha")["hangingCalls"], 0);
}

/// The time, as the command line reads it.
fn now() -> String {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let output = Command::new("date")
        .args(["--utc", "+%Y-%m-%dT%H:%M:%SZ"])
        .arg(format!("--date=@{}", since.as_secs()))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
