//! What goes wrong with one of two real hosts, seen through VMS: the host itself is told as it is,
//! and nothing else is held up.
//!
//! In each test something breaks on `alpha`. Meanwhile a pilot, a page and an act on `beta` are
//! timed, before and during the fault in the same run.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    panic::{RefUnwindSafe, catch_unwind, resume_unwind},
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

use super::latency::{Latencies, Sampler, Slower, assert_no_slower};

/// How long the others are watched, before a fault and while it lasts.
const WATCH: Duration = Duration::from_secs(10);
/// Keepalive ends a connection after 15 to 20 s; the rest is for a loaded machine.
const NOTICED: Duration = Duration::from_mins(1);
/// The longest wait before a host is tried again is 15 s.
const BACK: Duration = Duration::from_mins(1);

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
        // While guests boot, nothing can be measured.
        bed.wait_routers_up().unwrap();
        let files = Scratch::new().unwrap();
        Self {
            bed,
            vms: serve(&files, config, prepare),
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

    /// What is told of a host now, as it crosses. Asked for often, so it must cost little.
    fn host(&self, id: &str) -> String {
        call(
            self.vms.address(),
            "StatusService",
            "GetHostStatus",
            &format!("<host>{id}</host>"),
        )
    }

    fn state(&self, id: &str) -> String {
        first(&self.host(id), "state").unwrap_or_default()
    }

    /// What is wrong with a host, in VMS' words.
    fn message(&self, id: &str) -> String {
        first(&self.host(id), "message").unwrap_or_default()
    }

    /// How many calls on alpha hang.
    fn hanging(&self) -> String {
        first(&self.host("alpha"), "hangingCalls").unwrap()
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
    ///
    /// A second VMS, which knows `beta` only, is timed in the same moments: what slows both down is
    /// the machine.
    fn others_do_not_notice<F, T>(
        &self,
        fault: impl FnOnce() -> F,
        during: impl FnOnce(&F) -> T,
    ) -> (F, T) {
        let beta = self.bed.host("beta");
        let [mine, its] = [0, 1].map(|index| beta.plan().routers[index].uuid.clone());
        let files = Scratch::new().unwrap();
        let config = format!("[[host]]\nid = \"beta\"\nuri = \"{}\"\n", beta.uri());
        let other = serve(&files, &config, |_| {});
        let mut samplers = samplers(self.vms.address(), &mine);
        let kinds = samplers.len();
        samplers.extend(self::samplers(other.address(), &its));
        // The first calls warm things up.
        std::thread::sleep(Duration::from_secs(1));
        // Looking costs something itself, so it is done before as well.
        let looking = Box::new(|| {
            let start = Instant::now();
            while start.elapsed() < WATCH {
                self.state("alpha");
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let (before, ()) = watch_all(&samplers, looking);
        let mut broken = None;
        let looking = Box::new(|| {
            let start = Instant::now();
            let fault = broken.insert(fault());
            let seen = during(fault);
            std::thread::sleep(WATCH.saturating_sub(start.elapsed()));
            seen
        });
        let (while_it_lasts, seen) = watch_all(&samplers, looking);
        for (kind, (what, _)) in samplers.iter().take(kinds).enumerate() {
            let elsewhere = &while_it_lasts[kinds + kind];
            assert_no_slower(what, &before[kind], &while_it_lasts[kind], elsewhere);
        }
        (broken.unwrap(), seen)
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.vms.log();
            let lines: Vec<_> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(100)..];
            println!("The end of the server's log:\n{}", last.join("\n"));
        }
    }
}

/// Tries up to three times: the machine may be slow just then, once; what a fault slows down is slow
/// every time.
fn row(of_the_table: impl Fn() + RefUnwindSafe) {
    for _ in 1..3 {
        match catch_unwind(&of_the_table) {
            Ok(()) => return,
            Err(why) if why.is::<Slower>() => println!("once more"),
            Err(why) => resume_unwind(why),
        }
    }
    of_the_table();
}

/// A VMS with this configuration, and what `prepare` puts into its data directory.
fn serve(files: &Scratch, config: &str, prepare: impl Fn(&Path)) -> VmsProcess {
    let data = files.path().join("data");
    fs::create_dir(&data).unwrap();
    prepare(&data);
    let file = files.path().join("vms.toml");
    let settings = "sample_interval = \"1s\"\nrelist_interval = \"5s\"\n\n";
    fs::write(&file, format!("{settings}{config}")).unwrap();
    VmsProcess::serve(&file, &data).unwrap()
}

/// What is timed at a VMS: what asks of a router on `beta`, acts on it, and looks at the page.
fn samplers(address: SocketAddr, router: &str) -> Vec<(&'static str, Sampler)> {
    let router = format!("<router>{router}</router>");
    let every = Duration::from_millis;
    vec![
        ("a pilot that reads", {
            let router = router.clone();
            Sampler::start(every(20), move || {
                call(address, "StatusService", "GetRouterStatus", &router);
            })
        }),
        ("a pilot that acts", {
            Sampler::start(every(200), move || {
                call(address, "ProvisioningService", "SuspendRouter", &router);
                call(address, "ProvisioningService", "ResumeRouter", &router);
            })
        }),
        ("a page", {
            Sampler::start(every(100), move || {
                let (status, _) = get(address, "/routers").unwrap();
                assert_eq!(status, 200);
            })
        }),
    ]
}

/// The answer to one call of a pilot.
fn call(address: SocketAddr, service: &str, operation: &str, request: &str) -> String {
    let envelope = format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
         <{operation} xmlns=\"urn:vms:pilot:1\">{request}</{operation}></s:Body></s:Envelope>"
    );
    let (status, reply) = post(address, &format!("/services/{service}"), &envelope).unwrap();
    assert_eq!(status, 200, "{operation}: {reply}");
    reply
}

/// The text of the first element of that name.
fn first(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text.to_owned())
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
    row(|| {
        let bed = Testbed::up(&Plan::faults()).unwrap();
        let vms = Watched::start(&bed);
        let (fault, ()) = vms.others_do_not_notice(
            || bed.host("alpha").kill_daemon().unwrap(),
            |_| {
                vms.wait_state("alpha", &["unreachable"], NOTICED);
                vms.assert_kept_as_old();
                until("the reason to be told", NOTICED, || {
                    Ok(vms.message("alpha").contains("refuses").then_some(()))
                })
                .unwrap();
            },
        );
        fault.undo().unwrap();
        vms.wait_state("alpha", &["online"], BACK);
        vms.assert_events_arrive();
    });
}

#[test]
fn a_daemon_that_is_frozen() {
    row(|| {
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
            Ok((vms.hanging() == "0").then_some(()))
        })
        .unwrap();
    });
}

#[test]
fn a_daemon_that_is_restarted() {
    row(|| {
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
    });
}

#[test]
fn a_network_that_is_cut_for_five_seconds() {
    row(|| {
        let bed = Testbed::up(&Plan::faults()).unwrap();
        let vms = Watched::start(&bed);
        vms.others_do_not_notice(
            || Cell::new(Some(bed.cut("alpha", "mgmt").unwrap())),
            |cut| {
                std::thread::sleep(Duration::from_secs(5));
                cut.take().unwrap().undo().unwrap();
            },
        );
        // TCP's next try may be as far away again as the cut was long; by now it has been.
        vms.wait_state("alpha", &["online"], BACK);
        vms.assert_events_arrive();
    });
}

#[test]
fn a_network_that_is_cut_for_good() {
    row(|| {
        let bed = Testbed::up(&Plan::faults()).unwrap();
        let vms = Watched::start(&bed);
        let (fault, ()) = vms.others_do_not_notice(
            || bed.cut("alpha", "mgmt").unwrap(),
            |_| {
                vms.wait_state("alpha", &["unreachable"], NOTICED);
                vms.assert_kept_as_old();
                // Again and again in vain: what it costs does not grow.
                std::thread::sleep(Duration::from_secs(20));
                assert_eq!(vms.hanging(), "0");
            },
        );
        fault.undo().unwrap();
        vms.wait_state("alpha", &["online"], BACK);
        vms.assert_events_arrive();
    });
}

#[test]
fn a_host_that_is_slow() {
    row(|| {
        let bed = Testbed::up(&Plan::faults()).unwrap();
        let relay = bed.host("alpha").relay().unwrap();
        let config = with_alpha_at(&bed, &relay.uri(), "");
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
    });
}

#[test]
fn a_guest_that_is_frozen_sticks_alone() {
    row(|| {
        let bed = Testbed::up(&Plan::faults()).unwrap();
        let alpha = bed.host("alpha");
        let vms = Watched::start(&bed);
        let begin = now();
        let (fault, ()) = vms.others_do_not_notice(
            || alpha.freeze_guest("alpha-1").unwrap(),
            |_| {
                let sticking = || first(&vms.host("alpha"), "unresponsiveRouters");
                let sticking = until("the guest to be missed", NOTICED, || Ok(sticking())).unwrap();
                assert_eq!(first(&sticking, "name").as_deref(), Some("alpha-1"));
                let others = vms.host("alpha").matches("<unresponsiveRouters>").count();
                assert_eq!(others, 1);
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
            let sticks = vms.host("alpha").contains("<unresponsiveRouters>");
            Ok((!sticks && vms.hanging() == "0").then_some(()))
        })
        .unwrap();
        vms.ask(&["router", "suspend", "alpha-1"]).unwrap();
        vms.ask(&["router", "resume", "alpha-1"]).unwrap();
    });
}

#[test]
fn a_guest_that_is_destroyed_during_a_listing() {
    row(|| {
        let bed = Testbed::up(&Plan::faults()).unwrap();
        let alpha = bed.host("alpha");
        let relay = alpha.relay().unwrap();
        let config = with_alpha_at(&bed, &relay.uri(), "");
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
    });
}

#[test]
fn a_thousand_events_in_a_burst() {
    row(|| {
        let bed = Testbed::up(&Plan::faults()).unwrap();
        let alpha = bed.host("alpha");
        // The daemon's own test driver starts and destroys some thousand times faster than QEMU does;
        // its events come by the same way.
        let uri = format!("test+tcp://{}/default", alpha.address());
        let config = with_alpha_at(&bed, &uri, "");
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
    });
}

#[test]
fn a_connection_that_the_server_closes() {
    row(|| {
        let bed = Testbed::up(&Plan::faults()).unwrap();
        let relay = bed.host("alpha").relay().unwrap();
        let config = with_alpha_at(&bed, &relay.uri(), "");
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
    });
}

/// The plan's configuration with another URI of alpha, and `more` lines about it.
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
    row(|| {
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
    });
}

#[test]
fn a_certificate_that_does_not_match() {
    row(|| {
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
    });
}

#[test]
fn a_name_that_does_not_resolve() {
    row(|| {
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
        assert_eq!(vms.hanging(), "0");
    });
}

/// A day's reconnects, and more, in a few minutes; how many, the environment variable
/// `VMS_RECONNECTS` says (`make soak`: 500).
#[test]
fn reconnects_leave_nothing_behind() {
    let count = std::env::var("VMS_RECONNECTS").map_or(40, |text| text.parse().unwrap());
    let bed = Testbed::up(&Plan::faults()).unwrap();
    let relay = bed.host("alpha").relay().unwrap();
    let config = with_alpha_at(&bed, &relay.uri(), "");
    let mut vms = Watched::start_with(&bed, &config, |_| {});
    let pid = vms.vms.pid().unwrap();
    // What is allocated once is allocated by then.
    let warm = count / 4;
    let mut at_warm = None;
    let start = Instant::now();
    for round in 0..count {
        if round == warm {
            at_warm = Some(Footprint::of(pid));
        }
        relay.close_all();
        until("alpha to be missed", BACK, || {
            Ok((vms.state("alpha") != "online").then_some(()))
        })
        .unwrap();
        vms.wait_state("alpha", &["online"], BACK);
    }
    let time = start.elapsed();
    // Threads that had more to do than usual end after some seconds.
    std::thread::sleep(Duration::from_secs(12));
    let (before, after) = (at_warm.unwrap(), Footprint::of(pid));
    println!("{count} reconnects in {time:.0?}: from {before:?} to {after:?}");
    assert_eq!(vms.routers("alpha").len(), 3);
    vms.assert_events_arrive();
    assert!(after.threads <= before.threads + 2, "{before:?} {after:?}");
    assert!(after.files <= before.files + 2, "{before:?} {after:?}");
    // Allocators keep what they had; a leak of one connection's XML each time would be more.
    assert!(after.kib <= before.kib + 4096, "{before:?} {after:?}");
}

/// What a process holds.
#[derive(Debug)]
struct Footprint {
    threads: u64,
    files: usize,
    /// Resident memory that is not a file's, KiB.
    kib: u64,
}

impl Footprint {
    fn of(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let mut words = line.unwrap().split_whitespace();
            words.next().unwrap().parse().unwrap()
        };
        Self {
            threads: of("Threads:"),
            files: fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count(),
            kib: of("RssAnon:"),
        }
    }
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
