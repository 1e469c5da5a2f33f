//! The testbed's small fleet, `Plan::testbed`: four hosts, twenty routers, traffic everywhere.

use std::time::{Duration, Instant};

use end2end::testbed::{Plan, Testbed};

#[test]
fn try_it() {
    let start = Instant::now();
    let bed = Testbed::up(&Plan::testbed()).unwrap();
    println!("up {:?}", start.elapsed());
    bed.wait_routers_up().unwrap();
    println!("routers {:?}", start.elapsed());
    std::thread::sleep(Duration::from_secs(20));
    for (host, router) in bed.plan().routers() {
        println!(
            "{} {:?}",
            router.name,
            bed.host(&host.id).traffic(&router.name)
        );
    }
    for host in bed.hosts() {
        println!("{} {}", host.plan().id, host.neighbors().unwrap());
        println!("{}", host.machine().run("ip", &["-br", "link"]).unwrap());
        println!("{}", host.machine().run("bridge", &["link"]).unwrap());
        println!("{}", host.virsh(&["pool-list"]).unwrap());
        println!("{}", host.virsh(&["list"]).unwrap());
        if host.plan().id != "delta" {
            println!(
                "{:?}",
                host.virsh(&[
                    "domifaddr",
                    "--source",
                    "agent",
                    &host.plan().routers[0].name
                ])
            );
        }
        println!(
            "{}",
            std::fs::read_to_string(host.machine().path("/run/lldpd.log")).unwrap()
        );
    }
    println!("{}", std::fs::read_to_string("/proc/loadavg").unwrap());
    let stop = Instant::now();
    drop(bed);
    println!("down {:?}", stop.elapsed());
}
