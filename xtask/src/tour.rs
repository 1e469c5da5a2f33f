//! What to try with a testbed while watching the page.

use std::{fmt::Write, path::Path};

use end2end::testbed::Testbed;

/// A tour of a testbed whose hosts are reached with the SSH configuration `ssh`.
pub fn of(bed: &Testbed, ssh: &Path) -> String {
    let ssh = format!("ssh -F {}", ssh.display());
    let switch = bed.switch().pid();
    let mut text = String::from("Hosts and their routers:\n");
    for host in bed.hosts() {
        let plan = host.plan();
        let names: Vec<&str> = plan.routers.iter().map(|router| &*router.name).collect();
        let _ = writeln!(
            text,
            "  {:<6} {:<32} {}",
            plan.id,
            host.uri(),
            names.join(" ")
        );
    }
    let _ = writeln!(text, "\nCables:");
    for (number, cable) in (1..).zip(&bed.plan().cables) {
        let (a, b) = (&cable.a, &cable.b);
        let _ = writeln!(
            text,
            "  c{number}a {:>6} {} ── {} {} c{number}b",
            a.host, a.nic, b.nic, b.host
        );
    }
    if let (Some(machine), Some(container)) = (bed.hosts().first(), bed.hosts().last()) {
        let (machine, container) = (machine.uri(), container.uri());
        let _ = write!(
            text,
            "
Try, and watch the page:
  virsh -c {machine} suspend r1
  virsh -c {machine} resume r1
  virsh -c {container} destroy b8
  virsh -c {container} start b8
Move a router, from alpha to beta:
  virsh -c {machine} migrate --live --p2p g1 qemu+tcp://beta/system
Pull the first cable, and plug it in again:
  nsenter --target {switch} --net ip link set c1a down
  nsenter --target {switch} --net ip link set c1a up
Ask a host for its neighbours, or get a shell there:
  {ssh} alpha lldpcli show neighbors
  {ssh} delta
Make a router work, and ask it for its traffic:
  {ssh} alpha router ask r1 burn 20
  {ssh} delta router ask r4 traffic
Read a console:
  {ssh} alpha tail -f /var/log/libvirt/r1.serial

Ctrl-C removes every trace.
"
        );
    }
    text
}
