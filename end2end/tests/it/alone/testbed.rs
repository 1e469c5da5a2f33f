//! Small testbeds of real hosts: they forward packets, and nothing of them is left.

use std::{collections::BTreeSet, time::Duration};

use end2end::{
    testbed::{Plan, Testbed},
    until,
};

use super::trace::{Trace, surroundings};

#[test]
fn three_routers_forward_in_a_line_and_leave_nothing_behind() {
    let before = surroundings();
    let bed = Testbed::up(&Plan::line()).unwrap();
    let trace = Trace::of(&bed);
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
    until("packets to be lost", Duration::from_mins(1), || {
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

    trace.assert_there();
    drop(bed);
    trace.assert_gone();
    assert_eq!(before, surroundings());
}

#[test]
fn three_containers_forward_in_a_line_and_leave_nothing_behind() {
    let before = surroundings();
    let bed = Testbed::up(&Plan::containers()).unwrap();
    let trace = Trace::of(&bed);
    bed.wait_routers_up().unwrap();
    bed.check_forwarding().unwrap();

    // What they use is measured, and their own.
    let alpha = bed.host("alpha");
    let used = |router| {
        let text = alpha.virsh(&["dommemstat", router]).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("rss "));
        line.unwrap().trim().parse::<u64>().unwrap()
    };
    let before_use = ["r1", "r2"].map(used);
    alpha.hold("r1", 16, Duration::from_mins(1)).unwrap();
    until("memory to be used", Duration::from_secs(10), || {
        Ok((used("r1") > before_use[0] + 15 * 1024).then_some(()))
    })
    .unwrap();
    assert!(used("r2") < before_use[1] + 1024);

    alpha.virsh(&["destroy", "r3"]).unwrap();
    alpha.virsh(&["start", "r3"]).unwrap();
    bed.check_forwarding().unwrap();

    trace.assert_there();
    drop(bed);
    trace.assert_gone();
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
