//! What a guest's agent tells, and the events of its devices, balloon and agent. The test driver
//! has no guests: this runs against a QEMU host on which one runs that has an agent, a balloon, a
//! NIC on a bridge and a free PCI slot, `VMS_TEST_QEMU_URI=qemu+tcp://host/system cargo test -p
//! libvirt -- --ignored guest`. It is started anew by that.

use std::collections::BTreeSet;
use std::time::Duration;

use libvirt::{AddressSource, Connection, Domain, DomainState, Error, Event, GuestInfo};
use virt::sys;

use crate::fleet::{qemu, wait_for};

/// The first guest whose agent answers, and what that tells; it may be booting still.
async fn guest(connection: &Connection) -> (Domain, GuestInfo) {
    for _ in 0..90 {
        for domain in connection.list_domains().await.unwrap() {
            if domain.state != DomainState::Running {
                continue;
            }
            match connection.guest_info(domain.uuid).await {
                Ok(info) => return (domain, info),
                Err(Error::NoAgent { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("no guest has an agent that answers");
}

#[tokio::test]
#[ignore = "needs a QEMU host with a guest that has an agent, named by VMS_TEST_QEMU_URI"]
async fn an_agent_tells_what_is_inside_and_events_what_changes() {
    let connection = qemu().await;
    let (domain, info) = guest(&connection).await;
    let kernel = info.os.kernel.as_deref().unwrap_or_default();
    assert!(kernel.starts_with(|c: char| c.is_ascii_digit()), "{info:?}");
    let by_mac = |mac: &Option<String>| {
        let mut interfaces = info.interfaces.iter();
        interfaces.find(|interface| interface.mac == *mac)
    };
    assert!(!domain.definition.interfaces.is_empty());
    for interface in &domain.definition.interfaces {
        let inside = by_mac(&interface.mac).unwrap_or_else(|| panic!("{info:?}"));
        assert!(inside.name.starts_with("eth"), "{inside:?}");
        assert!(!inside.addresses.is_empty(), "{inside:?}");
    }
    assert_eq!(connection.agent_answers(domain.uuid).await, Ok(true));
    let told = connection
        .addresses(domain.uuid, AddressSource::Agent)
        .await
        .unwrap();
    let macs = |all: &[libvirt::GuestInterface]| -> BTreeSet<_> {
        all.iter().filter_map(|of| of.mac.clone()).collect()
    };
    assert_eq!(macs(&told), macs(&info.interfaces));

    let mut events = connection.events().await.unwrap();
    let host = virt::connect::Connect::open(Some(&connection.uri().to_string())).unwrap();
    let handle = host.lookup_domain_by_uuid(domain.uuid).unwrap();
    let id = domain.uuid;

    // One more beside its first.
    let bridge = domain.definition.interfaces[0].source.bridge.as_deref();
    let bridge = bridge.expect("its first NIC is on a bridge");
    let nic = format!(
        "<interface type='bridge'><mac address='52:54:00:5a:3c:1e'/><source bridge='{bridge}'/>
         <model type='virtio'/></interface>"
    );
    handle
        .attach_device_flags(&nic, sys::VIR_DOMAIN_AFFECT_LIVE)
        .unwrap();
    let added = wait_for(
        &mut events,
        |event| matches!(event, Event::DeviceAdded { uuid, .. } if *uuid == id),
    );
    let Event::DeviceAdded { device, .. } = added.await else {
        unreachable!("it was waited for");
    };
    let plugged = connection.domain(id).await.unwrap().unwrap();
    let nics = plugged.definition.interfaces.len();
    assert_eq!(nics, domain.definition.interfaces.len() + 1);
    // The guest has to let go of it, and does not before it has seen it.
    tokio::time::sleep(Duration::from_secs(2)).await;
    handle
        .detach_device_flags(&nic, sys::VIR_DOMAIN_AFFECT_LIVE)
        .unwrap();
    wait_for(&mut events, |event| {
        matches!(event, Event::DeviceRemoved { uuid, device: removed, .. }
            if *uuid == id && *removed == device)
    })
    .await;

    let less = domain.definition.memory_bytes.unwrap() * 7 / 8;
    handle
        .set_memory_flags(less / 1024, sys::VIR_DOMAIN_AFFECT_LIVE)
        .unwrap();
    wait_for(&mut events, |event| {
        matches!(event, Event::Balloon { uuid, memory_bytes, .. }
            if *uuid == id && *memory_bytes == less)
    })
    .await;

    handle.reset().unwrap();
    for is_there in [false, true] {
        wait_for(&mut events, |event| {
            matches!(event, Event::Agent { uuid, connected, .. }
                if *uuid == id && *connected == is_there)
        })
        .await;
    }
}
