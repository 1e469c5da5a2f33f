//! A router's libvirt definition, made from its plan.

use std::fmt::Write;

use super::{guest::GuestImage, plan::RouterPlan};

/// Where a router's serial console is logged on its host.
pub fn serial_log(router: &str) -> String {
    format!("/var/log/libvirt/{router}.serial")
}

/// The domain XML. Software emulation (`type='qemu'`): stock kernels hang in nested KVM.
///
/// The plan was checked, so that no value needs escaping.
pub fn xml(router: &RouterPlan, image: &GuestImage) -> String {
    let RouterPlan {
        name,
        uuid,
        network,
        ..
    } = router;
    let command_line = command_line(router);
    let (kernel, initrd) = (image.kernel.display(), image.initrd.display());
    let serial = serial_log(name);
    let mut nics = String::new();
    for nic in &router.nics {
        let _ = writeln!(
            nics,
            "    <interface type='bridge'><mac address='{}'/><source bridge='{}'/>\
             <model type='virtio'/></interface>",
            nic.mac, nic.bridge
        );
    }
    format!(
        "<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <metadata>
    <vms:router xmlns:vms='urn:vms:metadata:1'><vms:network>{network}</vms:network></vms:router>
  </metadata>
  <memory unit='MiB'>128</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>{kernel}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>{command_line}</cmdline>
  </os>
  <features><acpi/></features>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
{nics}    <serial type='file'><source path='{serial}'/></serial>
    <memballoon model='virtio'><stats period='5'/></memballoon>
  </devices>
</domain>
"
    )
}

/// What `router-init.sh` in the guest reads.
fn command_line(router: &RouterPlan) -> String {
    let mut line = format!("console=ttyS0 quiet vms.name={}", router.name);
    for nic in &router.nics {
        let _ = write!(line, " vms.nic={},{}/{}", nic.mac, nic.address, nic.prefix);
    }
    if let Some(gateway) = router.gateway {
        let _ = write!(line, " vms.gateway={gateway}");
    }
    if let Some(target) = router.pings {
        let _ = write!(line, " vms.ping={target}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{super::plan::Plan, *};

    #[test]
    fn a_router_knows_its_addresses_from_its_command_line() {
        let plan = Plan::line();
        assert_eq!(
            command_line(&plan.hosts[0].routers[0]),
            "console=ttyS0 quiet vms.name=r1 vms.nic=52:54:00:50:01:01,10.50.1.1/24 \
             vms.gateway=10.50.1.2 vms.ping=10.50.2.3"
        );
    }
}
