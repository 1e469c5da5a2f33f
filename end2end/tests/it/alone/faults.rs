//! The fault switches of the testbed: each fault is real, and gone afterwards.

use std::{
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

use end2end::{
    testbed::{Authority, Fault, Host, Plan, SshServer, Testbed},
    until,
};

/// What `virsh` answers at that address within two seconds.
fn ask(uri: &str, arguments: &[&str]) -> Result<String, String> {
    // Its own keepalive is slower than this. KILL, for it waits for its connection to close.
    let output = Command::new("timeout")
        .args(["--signal=KILL", "2", "virsh", "--quiet", "--connect", uri])
        .args(arguments)
        .output()
        .unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    } else {
        Err(String::from_utf8(output.stderr).unwrap())
    }
}

fn hostname(uri: &str) -> Result<String, String> {
    ask(uri, &["hostname"])
}

fn assert_answers(host: &Host) {
    assert_eq!(hostname(&host.uri()).as_ref(), Ok(&host.plan().id));
}

/// Nobody answers, and nobody says so.
fn assert_silent(uri: &str) {
    assert_eq!(hostname(uri), Err(String::new()));
}

/// While a fault of `alpha` lasts, `broken` holds, and `beta` does not notice.
fn assert_broken_until_undone(bed: &Testbed, fault: Fault, broken: impl Fn(&Host)) {
    let [alpha, beta] = ["alpha", "beta"].map(|id| bed.host(id));
    broken(alpha);
    assert_answers(beta);
    fault.undo().unwrap();
    assert_answers(alpha);
}

#[test]
fn a_daemon_dies_freezes_and_is_restarted() {
    let bed = Testbed::up(&Plan::faults()).unwrap();
    let alpha = bed.host("alpha");
    let running = || {
        let text = ask(&alpha.uri(), &["list", "--name"]).unwrap();
        text.split_whitespace().count()
    };
    assert_eq!(running(), 3);

    assert_broken_until_undone(&bed, alpha.kill_daemon().unwrap(), |alpha| {
        let error = hostname(&alpha.uri()).unwrap_err();
        assert!(error.contains("Connection refused"), "{error}");
    });
    assert_eq!(running(), 3);

    assert_broken_until_undone(&bed, alpha.freeze_daemon().unwrap(), |alpha| {
        assert_silent(&alpha.uri());
    });
    // One that was frozen can be restarted, and one that is frozen can be killed.
    alpha.restart_daemon().unwrap();
    assert_answers(alpha);
    let frozen = alpha.freeze_daemon().unwrap();
    alpha.kill_daemon().unwrap().undo().unwrap();
    frozen.undo().unwrap();
    assert_answers(alpha);
    assert_eq!(running(), 3);
}

#[test]
fn a_guest_freezes_and_dies_and_its_neighbours_do_not_notice() {
    let bed = Testbed::up(&Plan::faults()).unwrap();
    bed.wait_routers_up().unwrap();
    let alpha = bed.host("alpha");
    let memory = |router| ask(&alpha.uri(), &["dommemstat", router]);
    assert!(memory("alpha-1").unwrap().contains("actual"));

    let frozen = alpha.freeze_guest("alpha-1").unwrap();
    // libvirt waits for its monitor.
    assert_eq!(memory("alpha-1"), Err(String::new()));
    assert!(memory("alpha-2").unwrap().contains("actual"));
    frozen.undo().unwrap();
    until("the guest to answer", Duration::from_secs(30), || {
        Ok(memory("alpha-1").ok())
    })
    .unwrap();

    let state = |router| ask(&alpha.uri(), &["domstate", router]).unwrap();
    let killed = alpha.kill_guest("alpha-1").unwrap();
    until("libvirt to notice", Duration::from_secs(10), || {
        Ok((state("alpha-1") == "shut off").then_some(()))
    })
    .unwrap();
    assert_eq!(state("alpha-2"), "running");
    killed.undo().unwrap();
    assert_eq!(state("alpha-1"), "running");
}

#[test]
fn a_network_is_cut_loses_packets_and_heals() {
    let bed = Testbed::up(&Plan::pair()).unwrap();
    let [alpha, beta] = ["alpha", "beta"].map(|id| bed.host(id));
    assert_broken_until_undone(&bed, bed.cut("alpha", "mgmt").unwrap(), |alpha| {
        assert_silent(&alpha.uri());
    });
    let start = Instant::now();
    let cut = bed.cut("alpha", "mgmt").unwrap();
    cut.lasting(Duration::from_secs(1)).unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_answers(alpha);

    // A panic heals, too.
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _cut = bed.cut("alpha", "mgmt").unwrap();
        panic!("on purpose");
    }));
    assert!(panic.is_err());
    assert_answers(alpha);

    // The cable is a network of its own.
    for (host, address) in [(alpha, "10.60.0.1/24"), (beta, "10.60.0.2/24")] {
        let arguments = ["addr", "add", address, "dev", "eth0"];
        host.machine().run("ip", &arguments).unwrap();
    }
    let received = || {
        let arguments = ["-q", "-c", "200", "-i", "0.002", "-W", "1", "10.60.0.2"];
        let output = alpha.machine().command("ping").args(arguments).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        let mut words = text.split(" received").next().unwrap().rsplit(' ');
        words.next().unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(received(), 200);
    let lost = bed.lose("alpha", "eth0", 30).unwrap();
    // Half of them make it there and back: 98 of 200, give or take four times the deviation.
    let some = received();
    assert!((70..=126).contains(&some), "{some} of 200 came back");
    assert_answers(alpha);
    lost.undo().unwrap();
    assert_eq!(received(), 200);
    let cut = bed.cut("beta", "eth0").unwrap();
    assert_eq!(received(), 0);
    cut.undo().unwrap();
    assert_eq!(received(), 200);
}

#[test]
fn a_relayed_host_is_slow_silent_and_closed() {
    let bed = Testbed::up(&Plan::pair()).unwrap();
    let relay = bed.host("alpha").relay().unwrap();
    let uri = relay.uri();
    let time = || {
        let start = Instant::now();
        hostname(&uri).unwrap();
        start.elapsed()
    };
    let before = time();
    let slow = relay.slow(Duration::from_millis(100));
    // Opening a connection takes several calls.
    assert!(time() > before + Duration::from_millis(300));
    slow.undo().unwrap();
    assert!(time() < before + Duration::from_millis(300));

    let silence = relay.hold();
    assert_silent(&uri);
    silence.undo().unwrap();
    assert_eq!(hostname(&uri).as_deref(), Ok("alpha"));

    // `event` waits on its connection until that closes.
    let mut waiting = Command::new("virsh")
        .args(["--quiet", "--connect", &uri])
        .args(["event", "--event", "lifecycle"])
        .spawn()
        .unwrap();
    until("the connection", Duration::from_secs(10), || {
        Ok((relay.connections() == 1).then_some(()))
    })
    .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(waiting.try_wait().unwrap(), None);
    relay.close_all();
    until("virsh to notice", Duration::from_secs(10), || {
        Ok(waiting.try_wait()?)
    })
    .unwrap();

    let refusal = relay.refuse();
    assert!(hostname(&uri).is_err());
    refusal.undo().unwrap();
    assert_eq!(hostname(&uri).as_deref(), Ok("alpha"));
}

#[test]
fn ssh_lets_in_one_key_and_shows_one_key() {
    let bed = Testbed::up(&Plan::pair()).unwrap();
    let ssh = SshServer::start(bed.host("alpha")).unwrap();
    let program = ssh.program(&ssh.known_hosts()).unwrap();
    assert_eq!(
        hostname(&ssh.uri(&ssh.key(), &program)).as_deref(),
        Ok("alpha")
    );
    let error = hostname(&ssh.uri(&ssh.wrong_key(), &program)).unwrap_err();
    assert!(error.contains("Permission denied"), "{error}");
    let deceived = ssh.program(&ssh.wrong_known_hosts()).unwrap();
    let error = hostname(&ssh.uri(&ssh.key(), &deceived)).unwrap_err();
    assert!(error.contains("Host key verification failed"), "{error}");

    drop(ssh);
    assert!(TcpStream::connect((bed.host("alpha").address(), 22)).is_err());
}

#[test]
fn tls_is_for_the_right_name_and_the_right_authority() {
    let bed = Testbed::up(&Plan::pair()).unwrap();
    let alpha = bed.host("alpha");
    let address = alpha.address().to_string();
    let [authority, other] = [(); 2].map(|()| Authority::new().unwrap());
    let uri = alpha.tls_uri(&authority, &address);

    let tls = alpha.offer_tls(&authority, &address).unwrap();
    assert_eq!(hostname(&uri).as_deref(), Ok("alpha"));
    let error = hostname(&alpha.tls_uri(&other, &address)).unwrap_err();
    assert!(error.contains("issuer"), "{error}");
    tls.undo().unwrap();
    assert!(hostname(&uri).unwrap_err().contains("Connection refused"));

    let _tls = alpha.offer_tls(&authority, "somebody-else").unwrap();
    let error = hostname(&uri).unwrap_err();
    assert!(error.contains("does not match the hostname"), "{error}");
    assert_answers(alpha);
}
