//! The library's own tests of what libvirt's test driver cannot do: the life of guests and their
//! devices, moving them, their consoles, what a host says of its processors and files, content of
//! volumes, agents in guests, and the events of all that.

use std::process::Command;

use end2end::testbed::{Plan, Testbed};

#[test]
fn its_own_tests_pass_on_real_hosts() {
    let Some(tests) = std::env::var_os("VMS_LIBVIRT_TESTS") else {
        panic!("VMS_LIBVIRT_TESTS names no program: `cargo xtask test` sets it");
    };
    let mut plan = Plan::line();
    plan.hosts[0].routers.truncate(1);
    plan.hosts[0].routers[0].pings = None;
    plan.hosts.extend(Plan::pair().hosts.into_iter().skip(1));
    let bed = Testbed::up(&plan).unwrap();
    bed.wait_routers_up().unwrap();
    let status = Command::new(tests)
        .args(["--ignored", "--test-threads=1"])
        .args([
            "console::",
            "domains::",
            "guest::",
            "migration::",
            "transfer::",
        ])
        .env("VMS_TEST_QEMU_URI", bed.host("alpha").uri())
        .env("VMS_TEST_QEMU_PEER_URI", bed.host("beta").uri())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}
