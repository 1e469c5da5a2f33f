//! A container moves to another real host: LXC cannot migrate, so it is stopped, brought over, and
//! started again.

use std::{fs, time::Duration};

use end2end::{
    Scratch, VmsProcess, client,
    testbed::{Plan, Testbed},
    until,
};
use serde_json::Value;

#[test]
fn a_container_moves_cold_and_answers_again() {
    let files = Scratch::new().unwrap();
    let bed = Testbed::up(&Plan::moving_containers()).unwrap();
    bed.wait_routers_up().unwrap();
    bed.check_forwarding().unwrap();
    let config = files.path().join("vms.toml");
    fs::write(&config, bed.config()).unwrap();
    let vms = VmsProcess::serve(&config, &files.path().join("data")).unwrap();
    let pilot = |arguments: &[&str]| -> Value {
        let url = vms.url("");
        let all = [&[url.as_str()], arguments].concat();
        client::python("moves.py", &all).unwrap()
    };
    let [alpha, beta] = ["alpha", "beta"].map(|host| bed.host(host));
    alpha.virsh(&["autostart", "c1"]).unwrap();

    // libvirt's migration is never called on a driver that lacks it.
    let live = pilot(&["migrate", "c1", "beta", "mode=live"]);
    assert_eq!(live["fault"], "NotSupported", "{live:#}");
    // Its file system is a directory, which libvirt cannot bring over.
    let refused = pilot(&["migrate", "c1", "beta"]);
    assert_eq!(refused["fault"], "Conflict", "{refused:#}");
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("The directory /var/lib/libvirt/lxc/c1"),
        "{message}"
    );

    // Somebody does.
    let [from, to] = [alpha, beta].map(|host| host.machine().path("/var/lib/libvirt/lxc/"));
    let from = from.join("c1").display().to_string();
    let to = to.display().to_string();
    let copied = std::process::Command::new("cp")
        .args(["-a", &from, &to])
        .status();
    assert!(copied.unwrap().success());
    // Where the testbed reads what a container says.
    fs::write(beta.machine().path("/var/lib/libvirt/lxc/c1/serial"), "").unwrap();

    // Its first program does not hear that it is to end.
    let job = pilot(&["migrate", "c1", "beta", "shutdownSeconds=2"]);
    let job = pilot(&["wait", job["id"].as_str().unwrap()]);
    assert_eq!(job["state"], "succeeded", "{job:#}");
    assert_eq!(job["kind"], "coldMigration");
    println!(
        "cold: {} ms of standstill",
        job["migration"]["downtimeMilliseconds"]
    );
    assert_eq!(beta.virsh(&["domstate", "c1"]).unwrap().trim(), "running");
    assert!(
        alpha.virsh(&["domstate", "c1"]).is_err(),
        "it is defined on alpha still"
    );
    let info = beta.virsh(&["dominfo", "c1"]).unwrap();
    assert!(info.contains("enable"), "{info}");
    let told = pilot(&["where", "c1"]);
    assert_eq!(
        (&told["host"], &told["state"]),
        (&"beta".into(), &"running".into())
    );

    // Its neighbour reaches it again.
    let before = beta.serial("c2").len();
    until("c2 to reach c1", Duration::from_secs(30), || {
        let serial = beta.serial("c2");
        let new = serial.get(before..).unwrap_or(&serial);
        Ok(new.contains("VMS-PING 10.75.0.1 ok").then_some(()))
    })
    .unwrap();
}
