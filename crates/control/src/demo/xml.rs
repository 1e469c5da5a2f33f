//! The hosts as the `test` driver reads them: a `<node>` each.
//!
//! The text of the description goes in as it is: it has nothing to escape, as the test that reads
//! every file shows.

use std::fmt::{Result, Write};

use uuid::Uuid;

use super::description::{Carrier, DISK, Host, Member, PHYSICAL_LINKS, Router, Segment, State};

/// The file of a host.
pub(super) fn host(host: &Host, routers: &[Router], segments: &[Segment]) -> String {
    let mut xml = String::new();
    node(&mut xml, host, routers, segments).expect("a string takes all that is written to it");
    xml
}

fn node(xml: &mut String, host: &Host, routers: &[Router], segments: &[Segment]) -> Result {
    write!(
        xml,
        "<node>
  <cpu>
    <mhz>{megahertz}</mhz>
    <model>x86_64</model>
    <active>{cores}</active>
    <nodes>1</nodes>
    <sockets>1</sockets>
    <cores>{cores}</cores>
    <threads>1</threads>
  </cpu>
  <memory>{kibibytes}</memory>
",
        megahertz = host.megahertz,
        cores = host.cores,
        kibibytes = host.memory_gibibytes * 1024 * 1024,
    )?;
    nics(xml, host)?;
    for segment in segments {
        let here = |member: &Member| routers[member.router].host == host.id;
        if let Carrier::Network { name, nat } = segment.carrier
            && segment.members.iter().any(here)
        {
            network(xml, segment, name, nat)?;
        }
    }
    write!(
        xml,
        "  <pool type='dir'>
    <name>images</name>
    <uuid>{}</uuid>
    <target><path>/var/lib/libvirt/images</path></target>
  </pool>
",
        Uuid::from_u128(0x5b1f_7c20_de31_4a00_8000_0000_0000_0000 | u128::from(host.number)),
    )?;
    for (index, router) in routers.iter().enumerate() {
        if router.host == host.id {
            domain(xml, index, routers, segments)?;
        }
    }
    xml.push_str("</node>\n");
    Ok(())
}

/// The host's NICs: where its tunnels end, one for each physical link, and bridges with ports.
fn nics(xml: &mut String, host: &Host) -> Result {
    ethernet(xml, host, "transport0", 0, &host.transport(), 32)?;
    for (link, physical) in (1_u8..).zip(&PHYSICAL_LINKS) {
        for (end, (id, name)) in [physical.a, physical.b].into_iter().enumerate() {
            if id == host.id {
                let address = format!("10.254.{link}.{end}");
                ethernet(xml, host, name, link, &address, 31)?;
            }
        }
    }
    let mut ports = 0x80..;
    for (name, members) in host.bridges {
        write!(
            xml,
            "  <interface type='bridge' name='{name}'>
    <start mode='onboot'/>
    <bridge stp='on'>
"
        )?;
        for (member, port) in members.iter().zip(&mut ports) {
            let mac = nic_mac(host, port);
            writeln!(
                xml,
                "      <interface type='ethernet' name='{member}'><mac address='{mac}'/></interface>"
            )?;
        }
        xml.push_str("    </bridge>\n  </interface>\n");
    }
    Ok(())
}

fn ethernet(
    xml: &mut String,
    host: &Host,
    name: &str,
    nic: u8,
    address: &str,
    prefix: u8,
) -> Result {
    write!(
        xml,
        "  <interface type='ethernet' name='{name}'>
    <start mode='onboot'/>
    <mac address='{mac}'/>
    <mtu size='9000'/>
    <protocol family='ipv4'><ip address='{address}' prefix='{prefix}'/></protocol>
  </interface>
",
        mac = nic_mac(host, nic),
    )
}

/// Not of the range that virtual NICs have.
fn nic_mac(host: &Host, nic: u8) -> String {
    format!("3c:fd:fe:00:{:02x}:{nic:02x}", host.number)
}

fn network(xml: &mut String, segment: &Segment, name: &str, nat: bool) -> Result {
    let number = segment.number;
    let uuid = Uuid::from_u128(0x5b1f_7c20_de32_4a00_8000_0000_0000_0000 | u128::from(number));
    let forward = if nat {
        "    <forward mode='nat'/>\n"
    } else {
        ""
    };
    write!(
        xml,
        "  <network>
    <name>{name}</name>
    <uuid>{uuid}</uuid>
{forward}    <bridge name='virbr{number}'/>
    <ip address='10.64.{number}.254' netmask='255.255.255.0'/>
  </network>
"
    )
}

fn domain(xml: &mut String, index: usize, routers: &[Router], segments: &[Segment]) -> Result {
    let router = &routers[index];
    // As libvirt counts: without it a domain starts running.
    let state = match router.state {
        State::Running => "",
        State::Paused => "    <test:runstate>3</test:runstate>\n",
        State::ShutOff => "    <test:runstate>5</test:runstate>\n",
    };
    write!(
        xml,
        "  <domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
{state}    <name>{name}</name>
    <uuid>{uuid}</uuid>
    <title>{title}</title>
    <metadata>
      <vms:router xmlns:vms='urn:vms:metadata:1'>
        <vms:network>{network}</vms:network>
",
        name = router.name,
        uuid = router.uuid(),
        title = router.title,
        network = router.network,
    )?;
    for tag in router.tags {
        writeln!(xml, "        <vms:tag>{tag}</vms:tag>")?;
    }
    write!(
        xml,
        "      </vms:router>
    </metadata>
    <memory unit='MiB'>{memory}</memory>
    <vcpu>{vcpus}</vcpu>
    <os><type>hvm</type></os>
    <devices>
      <disk type='file' device='disk'>
        <driver name='qemu' type='qcow2'/>
        <source file='/var/lib/libvirt/images/{name}.qcow2'/>
        <target dev='{DISK}' bus='virtio'/>
      </disk>
",
        memory = router.memory_mebibytes,
        vcpus = router.vcpus,
        name = router.name,
    )?;
    // In the order of the segments, which is the order of the router's NICs.
    for segment in segments {
        for (place, member) in segment.members.iter().enumerate() {
            if member.router == index {
                interface(xml, segment, place, routers)?;
            }
        }
    }
    xml.push_str("    </devices>\n  </domain>\n");
    Ok(())
}

/// The NIC of the member at a place of the segment.
fn interface(xml: &mut String, segment: &Segment, place: usize, routers: &[Router]) -> Result {
    let number = segment.number;
    let member = &segment.members[place];
    let (kind, source) = match segment.carrier {
        Carrier::Bridge(name) => ("bridge", format!("<source bridge='{name}'/>")),
        Carrier::Network { name, .. } => ("network", format!("<source network='{name}'/>")),
        Carrier::Multicast => (
            "mcast",
            format!("<source address='239.192.0.{number}' port='5558'/>"),
        ),
        Carrier::Tunnel => {
            // Two members: the other's place is 1 - this one's. A port for each end.
            let end = |place: usize| {
                let member = &segment.members[place];
                let port = 20_000 + 2 * usize::from(number) + place;
                (routers[member.router].host().transport(), port)
            };
            let ((local, local_port), (remote, remote_port)) = (end(place), end(1 - place));
            (
                "udp",
                format!(
                    "<source address='{remote}' port='{remote_port}'>\
                     <local address='{local}' port='{local_port}'/></source>"
                ),
            )
        }
    };
    write!(
        xml,
        "      <interface type='{kind}'>
        <mac address='{mac}'/>
        {source}
        <ip address='10.64.{number}.{address}' family='ipv4' prefix='24'/>
        <model type='virtio'/>
      </interface>
",
        mac = routers[member.router].mac(member.nic),
        address = place + 1,
    )
}
