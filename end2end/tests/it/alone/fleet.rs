//! The testbed's small fleet, `Plan::testbed`: four hosts, twenty routers, traffic everywhere. What
//! was planned is there, and what breaks is whole again afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use end2end::{
    testbed::{Cable, Count, Driver, Flow, Host, Plan, Port, Testbed, Traffic},
    until,
};
use serde_json::Value;

/// How long a change in the network may take to be noticed, on a loaded machine.
const SOON: Duration = Duration::from_secs(20);

fn fleet() -> Testbed {
    let start = Instant::now();
    let bed = Testbed::up(&Plan::testbed()).unwrap();
    bed.wait_routers_up().unwrap();
    println!("up in {:.1?}", start.elapsed());
    bed
}

/// Whom the neighbours of each host's cables say they are, as `lldpd` has it.
fn heard(bed: &Testbed) -> BTreeMap<(String, String), (String, String)> {
    let mut heard = BTreeMap::new();
    for host in bed.hosts() {
        let neighbors = host.neighbors().unwrap();
        let text = |value: &Value| value[0]["value"].as_str().unwrap().to_owned();
        let interfaces = neighbors["lldp"][0]["interface"].as_array();
        for interface in interfaces.into_iter().flatten() {
            let here = interface["name"].as_str().unwrap().to_owned();
            let there = text(&interface["chassis"][0]["name"]);
            let nic = text(&interface["port"][0]["descr"]);
            heard.insert((host.plan().id.clone(), here), (there, nic));
        }
    }
    heard
}

/// What they would say if these cables were all that there is.
fn wired<'a>(
    cables: impl IntoIterator<Item = &'a Cable>,
) -> BTreeMap<(String, String), (String, String)> {
    let end = |port: &Port| (port.host.clone(), port.nic.clone());
    let cables = cables.into_iter();
    cables
        .flat_map(|Cable { a, b, .. }| [(end(a), end(b)), (end(b), end(a))])
        .collect()
}

/// The state of a host's NIC, as the kernel calls it.
fn state(host: &Host, nic: &str) -> String {
    let path = format!("/sys/class/net/{nic}/operstate");
    let state = host.machine().run("cat", &[&path]).unwrap();
    state.trim().to_owned()
}

/// What every router has counted by itself.
fn traffic(bed: &Testbed) -> BTreeMap<String, Traffic> {
    let routers = bed.plan().routers();
    routers
        .map(|(host, router)| {
            let traffic = bed.host(&host.id).traffic(&router.name).unwrap();
            (router.name.clone(), traffic)
        })
        .collect()
}

/// Waits until everyone receives what is sent to it.
fn wait_for_traffic(bed: &Testbed) {
    let before = traffic(bed);
    until("traffic everywhere", Duration::from_mins(1), || {
        let now = traffic(bed);
        let moves =
            |(name, traffic): (&String, &Traffic)| traffic.received != before[name].received;
        Ok(now.iter().all(moves).then_some(()))
    })
    .unwrap();
}

/// What libvirt counts at a router's NIC, if it does: received and sent.
fn counters(host: &Host, router: &str, mac: &str) -> [u64; 2] {
    let text = host.virsh(&["domifstat", router, mac]).unwrap();
    ["rx_bytes", "tx_bytes"].map(|name| {
        let mut lines = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let line = lines.find(|words| words.get(1) == Some(&name)).unwrap();
        line[2].parse().unwrap()
    })
}

fn assert_near(what: &str, found: u64, expected: u64, percent: u64) {
    let off = found.abs_diff(expected) * 100;
    assert!(
        off <= expected * percent,
        "{what}: {found}, expected {expected}"
    );
}

#[test]
fn what_is_planned_is_there_and_carries_what_is_sent() {
    let bed = fleet();
    for host in bed.hosts() {
        let plan = host.plan();
        // Libvirt has the routers and pools.
        let names = |command: &[&str]| -> BTreeSet<String> {
            let text = host.virsh(command).unwrap();
            text.split_whitespace().map(str::to_owned).collect()
        };
        let routers = plan.routers.iter().map(|router| router.name.clone());
        assert_eq!(names(&["list", "--name"]), routers.collect());
        let pools = plan.pools.iter().map(|pool| pool.name.clone());
        assert_eq!(names(&["pool-list", "--name"]), pools.collect());
        // The host has the NICs, with their addresses.
        let links = host.machine().run("ip", &["-j", "link"]).unwrap();
        let links: Value = serde_json::from_str(&links).unwrap();
        let mac = |name: &str| {
            let mut links = links.as_array().unwrap().iter();
            let link = links.find(|link| link["ifname"] == name).unwrap();
            link["address"].as_str().unwrap().to_owned()
        };
        assert_eq!(mac("mgmt"), plan.mac);
        for bridge in &plan.bridges {
            assert_eq!(mac(&bridge.name), bridge.mac);
        }
        for port in bed.plan().ports().filter(|port| port.host == plan.id) {
            assert_eq!(mac(&port.nic), port.mac);
            assert_eq!(state(host, &port.nic), "up");
        }
        // Machines tell their addresses through the guest agent.
        for router in plan.routers.iter().filter(|_| plan.driver == Driver::Qemu) {
            let arguments = ["domifaddr", "--source", "agent", &router.name];
            let text = until("the guest agent", SOON, || Ok(host.virsh(&arguments).ok())).unwrap();
            for nic in &router.nics {
                let address = format!("{}/{}", nic.address, nic.prefix);
                let tells = |line: &str| line.contains(&nic.mac) && line.contains(&address);
                assert!(text.lines().any(tells), "{} {text}", router.name);
            }
        }
    }
    until("LLDP on every cable", SOON, || {
        Ok((heard(&bed) == wired(&bed.plan().cables)).then_some(()))
    })
    .unwrap();

    // Everyone gets what its one sender sends, and libvirt counts the same.
    wait_for_traffic(&bed);
    let watched = || {
        let routers = bed.plan().routers();
        let bridged = routers.filter(|(_, router)| {
            let [nic] = &router.nics[..] else {
                return false;
            };
            nic.bridge().is_some()
        });
        bridged
            .map(|(host, router)| {
                let host = bed.host(&host.id);
                let counted = host.traffic(&router.name).unwrap();
                let seen = counters(host, &router.name, &router.nics[0].mac);
                (router.name.clone(), (counted, seen))
            })
            .collect::<BTreeMap<_, _>>()
    };
    let (before, watched_before) = (traffic(&bed), watched());
    sleep(Duration::from_secs(20));
    let (after, watched_after) = (traffic(&bed), watched());
    for (_, router) in bed.plan().routers() {
        let (_, receiver) = bed.plan().owner(router.sends.unwrap().to).unwrap();
        let [sent, received] = [
            after[&router.name].sent.packets - before[&router.name].sent.packets,
            after[&receiver.name].received.packets - before[&receiver.name].received.packets,
        ];
        assert!(sent > 200, "{} sent {sent} packets", router.name);
        // They are not asked at the same moment.
        assert_near(
            &format!("{} from {}", receiver.name, router.name),
            received,
            sent,
            5,
        );
    }
    for (name, (counted, seen)) in &watched_after {
        let (counted_before, seen_before) = &watched_before[name];
        let bytes = |count: Count, before: Count| count.bytes - before.bytes;
        let received = bytes(counted.received, counted_before.received);
        let sent = bytes(counted.sent, counted_before.sent);
        assert_near(
            &format!("{name} received"),
            seen[0] - seen_before[0],
            received,
            2,
        );
        assert_near(&format!("{name} sent"), seen[1] - seen_before[1], sent, 2);
    }
}

#[test]
fn routers_do_on_request_what_routers_do() {
    let bed = fleet();
    for (host, router) in [("alpha", "r1"), ("delta", "r4")] {
        let host = bed.host(host);
        let used = || {
            let info = host.virsh(&["dominfo", router]).unwrap();
            let time = info.lines().find_map(|line| line.strip_prefix("CPU time:"));
            let time = time.unwrap().trim().trim_end_matches('s');
            time.parse::<f64>().unwrap()
        };
        let before = used();
        // Long enough to get something of a machine that many others want, too.
        host.burn(router, Duration::from_secs(40)).unwrap();
        until("CPU time to be used", Duration::from_mins(1), || {
            Ok((used() - before > 2.0).then_some(()))
        })
        .unwrap();

        let memory = |name: &str| {
            let text = host.virsh(&["dommemstat", router]).unwrap();
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().trim().parse::<i64>().unwrap()
        };
        // A machine says what is left of its memory, every five seconds; of a container the
        // kernel knows what it uses.
        let used = || match host.plan().driver {
            Driver::Qemu => -memory("unused "),
            Driver::Lxc => memory("rss "),
        };
        let before = used();
        host.hold(router, 16, Duration::from_secs(15)).unwrap();
        until("memory to be used", SOON, || {
            Ok((used() - before > 15 * 1024).then_some(()))
        })
        .unwrap();
        until("memory to be free again", Duration::from_mins(1), || {
            Ok((used() - before < 4 * 1024).then_some(()))
        })
        .unwrap();

        let flow = Flow {
            packets_per_second: 0,
            ..host.plan().routers[0].sends.unwrap()
        };
        host.send(router, flow).unwrap();
        sleep(Duration::from_millis(200));
        let silent = host.traffic(router).unwrap().sent;
        sleep(Duration::from_secs(1));
        assert_eq!(host.traffic(router).unwrap().sent, silent);
    }
}

#[test]
fn a_pulled_cable_is_seen_at_both_ends_and_traffic_goes_round() {
    let bed = fleet();
    until("LLDP on every cable", SOON, || {
        Ok((heard(&bed) == wired(&bed.plan().cables)).then_some(()))
    })
    .unwrap();
    wait_for_traffic(&bed);
    let cable = &bed.plan().cables[0];
    let ends = [&cable.a, &cable.b].map(|port| (bed.host(&port.host), &*port.nic));

    let pulled = bed.pull(&cable.a.host, &cable.a.nic).unwrap();
    for (host, nic) in ends {
        assert_eq!(state(host, nic), "down");
    }
    until("LLDP to forget the cable", SOON, || {
        Ok((heard(&bed) == wired(&bed.plan().cables[1..])).then_some(()))
    })
    .unwrap();
    wait_for_traffic(&bed);

    pulled.undo().unwrap();
    for (host, nic) in ends {
        assert_eq!(state(host, nic), "up");
    }
    until("LLDP to find it again", SOON, || {
        Ok((heard(&bed) == wired(&bed.plan().cables)).then_some(()))
    })
    .unwrap();
    wait_for_traffic(&bed);
}

#[test]
fn a_pool_is_full_a_link_is_slow_a_clock_is_wrong_and_then_they_are_not() {
    let mut plan = Plan::testbed();
    for host in &mut plan.hosts {
        host.routers.clear();
    }
    let bed = Testbed::up(&plan).unwrap();
    let alpha = bed.host("alpha");

    let make = || alpha.virsh(&["vol-create-as images disk 1M --allocation 1M"]);
    let full = alpha.fill_pool("images").unwrap();
    let error = make().unwrap_err().to_string();
    assert!(error.contains("No space left"), "{error}");
    full.undo().unwrap();
    make().unwrap();

    let far = bed
        .host("beta")
        .plan()
        .transport
        .as_ref()
        .unwrap()
        .address
        .to_string();
    let time = || {
        // 40 packets of 1000 bytes at once, with room for them to wait.
        let burst = ["-q", "-c", "40", "-l", "40", "-s", "972", "-S", "200000"];
        let arguments = [&burst[..], &["-w", "10", &far]].concat();
        let text = alpha.machine().run("ping", &arguments).unwrap();
        // The line ends with: minimum/average/maximum/deviation ms.
        let slowest: f64 = text.rsplit('/').nth(1).unwrap().parse().unwrap();
        Duration::from_secs_f64(slowest / 1e3)
    };
    until("the spanning tree", SOON, || {
        let arguments = ["-q", "-c", "1", "-W", "1", &far];
        Ok(alpha.machine().run("ping", &arguments).ok())
    })
    .unwrap();
    let before = time();
    let slow = bed.throttle("alpha", "eth0", 1000).unwrap();
    assert!(time() > Duration::from_millis(100));
    slow.undo().unwrap();
    assert!(time() < before + Duration::from_millis(50));

    let year = || {
        let log = alpha.machine().path("/var/log/libvirt/libvirtd.log");
        let log = fs::read_to_string(log).unwrap();
        let line = log
            .lines()
            .rfind(|line| line.contains("libvirt version"))
            .unwrap();
        line[..4].parse::<u32>().unwrap()
    };
    let now = year();
    let wrong = alpha
        .skew_clock(Duration::from_hours(3 * 365 * 24))
        .unwrap();
    assert!((now + 2..=now + 3).contains(&year()));
    assert_eq!(alpha.virsh(&["hostname"]).unwrap().trim(), "alpha");
    wrong.undo().unwrap();
    assert_eq!(year(), now);
}
