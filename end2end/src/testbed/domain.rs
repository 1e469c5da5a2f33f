//! A router's libvirt definition, made from its plan.
//!
//! The plan was checked, so that no value needs escaping.

use std::fmt::Write;

use super::{
    guest::GuestImage,
    host::pool_directory,
    plan::{Driver, NicPlan, Plug, RouterPlan},
};

/// Where the serial console of a router is logged, on its host.
pub fn serial(driver: Driver, router: &str) -> String {
    match driver {
        Driver::Qemu => format!("/var/log/libvirt/{router}.serial"),
        Driver::Lxc => format!("{}/serial", root(router)),
    }
}

/// The socket of a router's program that takes commands, on its host: see `src/bin/router.rs`.
pub fn control(router: &str) -> String {
    format!("/run/{router}.control")
}

/// A router's disk: a volume over [`BASE`].
pub fn overlay(router: &str) -> String {
    format!("{router}.qcow2")
}

/// What disks of routers are made on.
pub const BASE: &str = "base.img";

/// Where a container's file system is, on its host.
pub fn root(router: &str) -> String {
    format!("/var/lib/libvirt/lxc/{router}")
}

/// A virtual machine. Software emulation (`type='qemu'`): stock kernels hang in nested KVM.
pub fn machine(router: &RouterPlan, image: &GuestImage) -> String {
    let (kernel, initrd) = (image.kernel.display(), image.initrd.display());
    let serial = serial(Driver::Qemu, &router.name);
    let control = control(&router.name);
    let what = format!(
        "    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>{kernel}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>console=ttyS0 quiet no_timer_check {}</cmdline>",
        facts(router)
    );
    let disk = router.disk.as_ref().map_or_else(String::new, |pool| {
        format!(
            "    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/>\
<source file='{}/{}'/><target dev='vda' bus='virtio'/></disk>\n",
            pool_directory(pool),
            overlay(&router.name)
        )
    });
    let devices = format!(
        "    <emulator>/usr/bin/qemu-system-x86_64</emulator>
{disk}{}    <serial type='file'><source path='{serial}'/></serial>
    <channel type='unix'><source mode='bind' path='{control}'/>\
<target type='virtio' name='vms.control'/></channel>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <memballoon model='virtio'><stats period='5'/></memballoon>
",
        nics(router, "<model type='virtio'/>")
    );
    domain("qemu", router, 128, &what, &devices)
}

/// A container.
pub fn container(router: &RouterPlan) -> String {
    let what = "    <type>exe</type>\n    <init>/init</init>";
    let devices = format!(
        "    <emulator>/usr/lib/libvirt/libvirt_lxc</emulator>
    <filesystem type='mount'><source dir='{}'/><target dir='/'/></filesystem>
{}    <console type='pty'/>
",
        root(&router.name),
        nics(router, "")
    );
    domain("lxc", router, 32, what, &devices)
}

fn domain(driver: &str, router: &RouterPlan, mebibytes: u32, os: &str, devices: &str) -> String {
    let RouterPlan {
        name,
        uuid,
        network,
        ..
    } = router;
    format!(
        "<domain type='{driver}'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <metadata>
    <vms:router xmlns:vms='urn:vms:metadata:1'><vms:network>{network}</vms:network></vms:router>
  </metadata>
  <memory unit='MiB'>{mebibytes}</memory>
  <vcpu>1</vcpu>
  <os>
{os}
  </os>
  <features><acpi/></features>
  <devices>
{devices}  </devices>
</domain>
"
    )
}

fn nics(router: &RouterPlan, model: &str) -> String {
    router.nics.iter().fold(String::new(), |mut text, nic| {
        let NicPlan { mac, plug, .. } = nic;
        let (kind, source) = match plug {
            Plug::Bridge(bridge) => ("bridge", format!("<source bridge='{bridge}'/>")),
            Plug::Multicast(group) => (
                "mcast",
                format!("<source address='{}' port='{}'/>", group.ip(), group.port()),
            ),
            Plug::Udp { local, remote } => (
                "udp",
                format!(
                    "<source address='{}' port='{}'><local address='{}' port='{}'/></source>",
                    remote.ip(),
                    remote.port(),
                    local.ip(),
                    local.port()
                ),
            ),
        };
        let _ = writeln!(
            text,
            "    <interface type='{kind}'><mac address='{mac}'/>{source}{model}</interface>"
        );
        text
    })
}

/// What `router-init.sh` in the guest reads: from the kernel's command line or the file `/plan`.
pub fn facts(router: &RouterPlan) -> String {
    let mut line = format!("vms.name={}", router.name);
    for nic in &router.nics {
        let _ = write!(line, " vms.nic={},{}/{}", nic.mac, nic.address, nic.prefix);
    }
    if let Some(gateway) = router.gateway {
        let _ = write!(line, " vms.gateway={gateway}");
    }
    if let Some(target) = router.pings {
        let _ = write!(line, " vms.ping={target}");
    }
    if let Some(flow) = router.sends {
        let _ = write!(line, " vms.send={flow}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{super::plan::Plan, *};

    #[test]
    fn a_router_knows_its_addresses_from_one_line() {
        let plan = Plan::line();
        assert_eq!(
            facts(&plan.hosts[0].routers[0]),
            "vms.name=r1 vms.nic=52:54:00:32:01:01,10.50.1.1/24 \
             vms.gateway=10.50.1.2 vms.ping=10.50.2.3"
        );
    }
}
