//! The life of domains on real hosts, and what the hosts say of themselves. These run against a QEMU
//! host with a bridge `br-west`, `VMS_TEST_QEMU_URI=qemu+tcp://a/system cargo test -p libvirt --
//! --ignored domains`.

use std::time::Duration;

use libvirt::{
    Connection, CpuMatch, CpuXml, DomainKind, DomainState, DomainXml, ErrorKind, Event,
    EventReceiver, InterfaceKind, InterfaceXml, LifecycleKind, LoaderXml, NetworkXml, PoolXml,
    VolumeXml,
};
use uuid::Uuid;

use crate::fleet::{qemu, wait_for};

/// A guest that does nothing, on a machine to which devices can be plugged.
const GUEST: &str = "<domain type='qemu'>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
</domain>";

/// A host, and a guest that is defined there and off.
struct Home {
    host: Connection,
    guest: Uuid,
}

impl Home {
    async fn with_guest(number: u128) -> Self {
        let home = Self {
            host: qemu().await,
            guest: Uuid::from_u128(0x5a3c_1e70_0000_4000_8000_0000_0000_0e00 + number),
        };
        let _ = home.host.destroy_domain(home.guest).await;
        let _ = home.host.undefine_domain(home.guest).await;
        let mut definition = DomainXml::parse(GUEST).unwrap();
        definition.name = format!("vms-life-{number}");
        definition.uuid = Some(home.guest);
        let defined = home.host.define_domain(&definition).await.unwrap();
        assert_eq!(
            (defined.uuid, defined.state),
            (home.guest, DomainState::ShutOff)
        );
        home
    }

    async fn state(&self) -> Option<DomainState> {
        let domain = self.host.domain(self.guest).await.unwrap();
        domain.map(|domain| domain.state)
    }

    /// How many interfaces it runs with, and how many it starts with the next time.
    async fn interfaces(&self) -> [usize; 2] {
        let running = self.host.domain(self.guest).await.unwrap().unwrap();
        let next = self.host.inactive_definition(self.guest).await.unwrap();
        [running.definition, next].map(|definition| definition.interfaces.len())
    }

    async fn clean(self) {
        let _ = self.host.destroy_domain(self.guest).await;
        self.host.undefine_domain(self.guest).await.unwrap();
        assert_eq!(self.state().await, None);
    }
}

async fn lifecycle(events: &mut EventReceiver, guest: Uuid, expected: LifecycleKind) {
    let is_meant = |event: &Event| matches!(event, Event::Lifecycle { uuid, kind, .. } if *uuid == guest && *kind == expected);
    wait_for(events, is_meant).await;
}

/// Leaves nothing of a pool, whatever state it is in.
async fn remove(host: &Connection, pool: &str) {
    for volume in host.list_volumes(pool).await.unwrap_or_default() {
        host.delete_volume(pool, &volume.name).await.unwrap();
    }
    let _ = host.stop_pool(pool).await;
    let _ = host.delete_pool(pool).await;
    let _ = host.undefine_pool(pool).await;
}

fn processors(model: &str) -> CpuXml {
    CpuXml {
        model: Some(model.to_owned()),
        ..CpuXml::default()
    }
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn a_domain_lives_from_its_definition_to_its_end() {
    let home = Home::with_guest(1).await;
    let (host, guest) = (&home.host, home.guest);
    let mut events = host.events().await.unwrap();
    for error in [
        host.shut_down(guest).await.unwrap_err(),
        host.destroy_domain(guest).await.unwrap_err(),
        host.reboot(guest).await.unwrap_err(),
        host.reset(guest).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    }
    host.start_domain(guest).await.unwrap();
    lifecycle(&mut events, guest, LifecycleKind::Started).await;
    let again = host.start_domain(guest).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict, "{again}");
    host.reset(guest).await.unwrap();
    host.reboot(guest).await.unwrap();
    host.shut_down(guest).await.unwrap();
    assert!(home.state().await.is_some(), "a guest without a system");
    host.set_autostart(guest, true).await.unwrap();
    assert!(host.domain(guest).await.unwrap().unwrap().autostart);
    host.set_autostart(guest, false).await.unwrap();
    host.destroy_domain(guest).await.unwrap();
    lifecycle(&mut events, guest, LifecycleKind::Stopped).await;
    assert_eq!(home.state().await, Some(DomainState::ShutOff));

    let mut other = DomainXml::parse(GUEST).unwrap();
    other.name = "vms-life-1".to_owned();
    other.uuid = Some(Uuid::from_u128(1));
    let error = host.define_domain(&other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");

    // Undefined while it runs, it goes on and is gone when it stops.
    host.start_domain(guest).await.unwrap();
    host.undefine_domain(guest).await.unwrap();
    let domain = host.domain(guest).await.unwrap().unwrap();
    assert!(domain.state.is_active() && !domain.persistent);
    let error = host.undefine_domain(guest).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    host.destroy_domain(guest).await.unwrap();
    assert_eq!(home.state().await, None);
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn a_domain_starts_paused_and_changes_its_size() {
    let home = Home::with_guest(5).await;
    let (host, guest) = (&home.host, home.guest);
    let mut definition = host.inactive_definition(guest).await.unwrap();
    (definition.vcpus, definition.current_vcpus) = (Some(2), Some(1));
    host.define_domain(&definition).await.unwrap();
    host.start_domain_paused(guest).await.unwrap();
    assert_eq!(home.state().await, Some(DomainState::Paused));
    host.resume(guest).await.unwrap();
    assert_eq!(home.state().await, Some(DomainState::Running));
    assert_eq!(host.agent_answers(guest).await, Ok(false));
    host.set_vcpus(guest, 2, true).await.unwrap();
    host.set_memory(guest, 48 << 20, false).await.unwrap();
    let now = host.domain(guest).await.unwrap().unwrap().definition;
    assert_eq!((now.vcpus, now.current_vcpus), (Some(2), None));
    let next = host.inactive_definition(guest).await.unwrap();
    assert_eq!(next.current_memory_bytes, Some(48 << 20));
    assert_eq!(next.current_vcpus, Some(1));
    let more = host.set_vcpus(guest, 3, true).await.unwrap_err();
    assert_eq!(more.kind(), ErrorKind::InvalidArgument, "{more}");
    home.clean().await;
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn an_isolated_network_is_a_bridge_and_nothing_else() {
    let host = qemu().await;
    let name = "vms-isolated";
    let _ = host.stop_network(name).await;
    let _ = host.undefine_network(name).await;
    let mut definition = NetworkXml::isolated(name, "vms-iso0");
    definition.mtu = Some(1400);
    host.define_network(&definition).await.unwrap();
    // libvirt makes rules for it, though there is nothing to rule.
    let iptables = host.file_exists("/usr/sbin/iptables").await.unwrap();
    if iptables == Some(true) {
        host.start_network(name).await.unwrap();
        let up = host.network(name).await.unwrap().unwrap();
        assert!(up.active && up.definition.ips.is_empty());
        let again = host.start_network(name).await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Conflict, "{again}");
    } else {
        let error = host.start_network(name).await.unwrap_err();
        assert!(error.to_string().contains("iptables"), "{error}");
    }
    let mut other = NetworkXml::isolated("vms-isolated-2", "vms-iso0");
    other.mtu = None;
    let taken = host.define_network(&other).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Conflict, "{taken}");
    if iptables == Some(true) {
        host.stop_network(name).await.unwrap();
    }
    let stopped = host.stop_network(name).await.unwrap_err();
    assert_eq!(stopped.kind(), ErrorKind::Conflict, "{stopped}");
    host.undefine_network(name).await.unwrap();
    assert_eq!(host.network(name).await, Ok(None));
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn what_is_kept_of_a_domain_goes_with_its_definition() {
    let home = Home::with_guest(2).await;
    let (host, guest) = (&home.host, home.guest);
    host.start_domain(guest).await.unwrap();
    let libvirt = virt::connect::Connect::open(Some(&host.uri().to_string())).unwrap();
    let domain = libvirt.lookup_domain_by_uuid(guest).unwrap();
    domain.managed_save(0).unwrap();
    assert!(domain.undefine().is_err(), "libvirt alone refuses");
    host.undefine_domain(guest).await.unwrap();
    assert_eq!(home.state().await, None);
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn variables_of_firmware_go_with_the_definition() {
    let home = Home::with_guest(4).await;
    let (host, guest) = (&home.host, home.guest);
    let pool = "vms-nvram";
    remove(host, pool).await;
    let mut definition = PoolXml::new("dir", pool);
    definition.path = Some("/var/lib/libvirt/images/vms-nvram".to_owned());
    host.define_pool(&definition).await.unwrap();
    host.build_pool(pool).await.unwrap();
    host.start_pool(pool).await.unwrap();
    let volume = VolumeXml::new("nvram.fd", 1 << 16);
    let nvram = host.create_volume(pool, &volume).await.unwrap().path;
    let mut definition = host.inactive_definition(guest).await.unwrap();
    definition.os.loader = Some(LoaderXml {
        path: Some("/usr/share/OVMF/OVMF_CODE.fd".to_owned()),
        kind: Some("pflash".to_owned()),
        readonly: Some(true),
        ..LoaderXml::default()
    });
    definition.os.nvram = Some(nvram.clone());
    host.define_domain(&definition).await.unwrap();
    let libvirt = virt::connect::Connect::open(Some(&host.uri().to_string())).unwrap();
    let domain = libvirt.lookup_domain_by_uuid(guest).unwrap();
    assert!(domain.undefine().is_err(), "libvirt alone refuses");
    assert_eq!(host.file_exists(&nvram).await, Ok(Some(true)));
    host.undefine_domain(guest).await.unwrap();
    assert_eq!(home.state().await, None);
    assert_eq!(host.file_exists(&nvram).await, Ok(Some(false)));
    host.refresh_pool(pool).await.unwrap();
    remove(host, pool).await;
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI, with a bridge br-west"]
async fn an_interface_is_plugged_and_unplugged() {
    let home = Home::with_guest(3).await;
    let (host, guest) = (&home.host, home.guest);
    let mut events = host.events().await.unwrap();
    let mut nic = InterfaceXml::new(InterfaceKind::Bridge);
    nic.source.bridge = Some("br-west".to_owned());
    nic.mac = Some("52:54:00:00:0e:03".to_owned());
    nic.model = Some("virtio".to_owned());
    let nic = nic.to_xml();
    let early = host.attach_device(guest, &nic, true, false).await;
    let early = early.unwrap_err();
    assert_eq!(early.kind(), ErrorKind::Conflict, "{early}");
    host.start_domain(guest).await.unwrap();
    host.attach_device(guest, &nic, true, true).await.unwrap();
    assert_eq!(home.interfaces().await, [1, 1]);
    let nonsense = host.attach_device(guest, "<nonsense/>", true, false).await;
    let nonsense = nonsense.unwrap_err();
    assert_eq!(nonsense.kind(), ErrorKind::InvalidArgument, "{nonsense}");

    // From the definition it goes at once, from a guest without a system only when that asks.
    host.detach_device(guest, &nic, false, true).await.unwrap();
    assert_eq!(home.interfaces().await, [1, 0]);
    host.detach_device(guest, &nic, true, false).await.unwrap();
    host.reset(guest).await.unwrap();
    let is_meant =
        |event: &Event| matches!(event, Event::DeviceRemoved { uuid, .. } if *uuid == guest);
    wait_for(&mut events, is_meant).await;
    while home.interfaces().await != [0, 0] {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let gone = host.detach_device(guest, &nic, true, false).await;
    let gone = gone.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound, "{gone}");
    home.clean().await;
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn a_host_says_what_a_domain_may_be_there() {
    let host = qemu().await;
    let kind = DomainKind::Qemu;
    let capabilities = host
        .domain_capabilities(None, Some("x86_64"), Some("pc"), Some(&kind))
        .await
        .unwrap();
    assert_eq!(capabilities.kind, kind);
    assert_eq!(capabilities.arch.as_deref(), Some("x86_64"));
    let emulator = capabilities.emulator.clone().unwrap();
    assert!(emulator.starts_with('/'), "{emulator}");
    let machine = capabilities.machine.clone().unwrap();
    assert!(machine.starts_with("pc-i440fx-"), "{machine}");
    assert!(capabilities.max_vcpus > Some(0), "{capabilities:?}");
    assert!(capabilities.supports_cpu_mode("custom"));
    let custom = capabilities.cpu_modes.iter().find(|m| m.name == "custom");
    let models = &custom.unwrap().models;
    let qemu64 = models.iter().find(|model| model.name == "qemu64");
    assert_eq!(qemu64.and_then(|model| model.usable), Some(true));
    for (machine, kind) in [("no-such-machine", "qemu"), ("pc", "vz")] {
        let kind = DomainKind::from_name(kind);
        let asked = host.domain_capabilities(None, Some("x86_64"), Some(machine), Some(&kind));
        let error = asked.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn processors_are_compared_with_those_of_the_host_and_its_hypervisor() {
    let host = qemu().await;
    let capabilities = host.capabilities().await.unwrap();
    let own = capabilities.cpu().expect("a model like the host's");
    assert!(!own.features.is_empty());
    assert_eq!(host.compare_cpu(&own).await, Ok(CpuMatch::Identical));
    let mut less = own.clone();
    less.features.clear();
    assert_eq!(host.compare_cpu(&less).await, Ok(CpuMatch::Superset));
    let mut foreign = own.clone();
    foreign.vendor = match own.vendor.as_deref() {
        Some("AMD") => Some("Intel".to_owned()),
        _ => Some("AMD".to_owned()),
    };
    let compared = host.compare_cpu(&foreign).await;
    assert_eq!(compared, Ok(CpuMatch::Incompatible));
    let unknown = host.compare_cpu(&processors("abacus")).await.unwrap_err();
    assert!(unknown.to_string().contains("abacus"), "{unknown}");

    let kind = DomainKind::Qemu;
    let compare = async |cpu: CpuXml| {
        let of = (Some("x86_64"), Some("pc"), Some(&kind));
        host.compare_hypervisor_cpu(None, of.0, of.1, of.2, &cpu)
            .await
    };
    let given = host
        .domain_capabilities(None, Some("x86_64"), Some("pc"), Some(&kind))
        .await
        .unwrap();
    if let Some(given) = given.host_model() {
        assert!(compare(given).await.unwrap().fits());
    }
    assert!(compare(processors("qemu64")).await.unwrap().fits());
    // The emulator has no transactional memory.
    let mut more = processors("qemu64");
    more.features.push(libvirt::CpuFeatureXml {
        name: "rtm".to_owned(),
        policy: Some("require".to_owned()),
    });
    assert_eq!(compare(more).await, Ok(CpuMatch::Incompatible));
    assert!(host.free_memory().await.unwrap() > 0);
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn a_host_says_whether_a_file_is_there() {
    let host = qemu().await;
    let before = host.list_pools().await.unwrap();
    let exists = async |path: &str| host.file_exists(path).await;
    for (path, expected) in [
        ("/usr/bin/qemu-system-x86_64", Some(true)),
        ("/usr/bin", Some(true)),
        ("/", Some(true)),
        ("/usr/bin/no-such-program", Some(false)),
        ("/no/such/directory/file", Some(false)),
        ("/usr/bin/env/file", Some(false)),
        ("/dev/null", None),
        ("relative", None),
    ] {
        assert_eq!(exists(path).await, Ok(expected), "{path}");
    }
    // Two at a time are in each other's way, and both are answered.
    for _ in 0..10 {
        let (one, two) = tokio::join!(exists("/usr/sbin/no-1"), exists("/usr/sbin/no-2"));
        assert_eq!((one, two), (Ok(Some(false)), Ok(Some(false))));
    }
    assert_eq!(host.list_pools().await.unwrap().len(), before.len());
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn a_pool_that_is_there_is_asked_for_its_files() {
    let host = qemu().await;
    let directory = "/var/lib/libvirt/images/vms-life";
    // The same directory by another name: what is done there, the first pool does not hear of.
    let [pool, aside] = ["vms-life", "vms-life-aside"];
    for name in [aside, pool] {
        remove(&host, name).await;
    }
    for (name, path) in [
        (pool, directory),
        (aside, "/var/lib/libvirt/images/./vms-life"),
    ] {
        let mut definition = PoolXml::new("dir", name);
        definition.path = Some(path.to_owned());
        host.define_pool(&definition).await.unwrap();
    }
    let file = |name: &str| format!("{directory}/{name}");
    // Not active: in the way of another pool, and not to be asked.
    assert_eq!(host.file_exists(&file("a")).await, Ok(None));
    host.build_pool(pool).await.unwrap();
    for name in [pool, aside] {
        host.start_pool(name).await.unwrap();
    }
    let volume = VolumeXml::new("a", 1 << 20);
    let created = host.create_volume(pool, &volume).await.unwrap();
    let found = host.volume_by_path(&file("a")).await.unwrap();
    assert_eq!(found, Some(created));
    assert_eq!(host.volume_by_path(&file("b")).await, Ok(None));
    let kind = host.pool(pool).await.unwrap().unwrap().definition.kind;
    assert_eq!(kind, "dir");
    assert_eq!(host.file_exists(&file("a")).await, Ok(Some(true)));
    let volume = VolumeXml::new("b", 1 << 20);
    host.create_volume(aside, &volume).await.unwrap();
    host.refresh_pool(aside).await.unwrap();
    host.delete_volume(aside, "a").await.unwrap();
    assert_eq!(host.volume(pool, "b").await, Ok(None));
    assert_eq!(host.file_exists(&file("a")).await, Ok(Some(false)));
    assert_eq!(host.file_exists(&file("b")).await, Ok(Some(true)));
    let asked = host.pool(pool).await.unwrap().unwrap();
    assert!(asked.state.is_active() && asked.persistent);
    for name in [aside, pool] {
        remove(&host, name).await;
    }
}
