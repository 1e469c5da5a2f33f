//! Documents that libvirt wrote, as they were written: of its test driver, of QEMU (libvirt 9.0,
//! QEMU 10.0), and in the manner of LXC and Xen.

use libvirt::{
    BandwidthXml, CapabilitiesXml, CharacterXml, ClockXml, CpuFeatureXml, CpuXml,
    DomainCapabilitiesXml, DomainKind, DomainXml, FeatureXml, HostInterfaceXml, InterfaceKind,
    NetworkXml, PoolXml, RateXml, RouterMetadata, TimerXml, VolumeXml,
};
use uuid::Uuid;

pub const QEMU: &str = include_str!("../../golden/domain-qemu.xml");
pub const LXC: &str = include_str!("../../golden/domain-lxc.xml");
pub const XEN: &str = include_str!("../../golden/domain-xen.xml");
pub const TEST: &str = include_str!("../../golden/domain-test.xml");
pub const NETWORKS: [&str; 2] = [
    include_str!("../../golden/network-test.xml"),
    include_str!("../../golden/network-routed.xml"),
];
pub const INTERFACES: [&str; 3] = [
    include_str!("../../golden/interface-test.xml"),
    include_str!("../../golden/interface-bridge.xml"),
    include_str!("../../golden/interface-vlan.xml"),
];
pub const POOLS: [&str; 3] = [
    include_str!("../../golden/pool-test.xml"),
    include_str!("../../golden/pool-qemu.xml"),
    include_str!("../../golden/pool-netfs.xml"),
];
pub const VOLUMES: [&str; 2] = [
    include_str!("../../golden/volume-test.xml"),
    include_str!("../../golden/volume-qemu.xml"),
];
pub const CAPABILITIES: [&str; 2] = [
    include_str!("../../golden/capabilities-test.xml"),
    include_str!("../../golden/capabilities-qemu.xml"),
];
pub const DOMAIN_CAPABILITIES: &str = include_str!("../../golden/domain-capabilities-qemu.xml");

#[expect(
    clippy::unnecessary_wraps,
    reason = "what it is compared with is wrapped"
)]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn what_is_not_changed_is_written_as_it_was() {
    for xml in [QEMU, LXC, XEN, TEST] {
        assert_eq!(DomainXml::parse(xml).unwrap().to_xml(), xml.trim_end());
    }
    for xml in NETWORKS {
        assert_eq!(NetworkXml::parse(xml).unwrap().to_xml(), xml.trim_end());
    }
    for xml in INTERFACES {
        let interface = HostInterfaceXml::parse(xml).unwrap();
        assert_eq!(interface.to_xml(), xml.trim_end());
    }
    for xml in POOLS {
        assert_eq!(PoolXml::parse(xml).unwrap().to_xml(), xml.trim_end());
    }
    for xml in VOLUMES {
        assert_eq!(VolumeXml::parse(xml).unwrap().to_xml(), xml.trim_end());
    }
    for xml in CAPABILITIES {
        let capabilities = CapabilitiesXml::parse(xml).unwrap();
        assert_eq!(capabilities.to_xml(), xml.trim_end());
    }
    let capabilities = DomainCapabilitiesXml::parse(DOMAIN_CAPABILITIES).unwrap();
    assert_eq!(capabilities.to_xml(), DOMAIN_CAPABILITIES.trim_end());
}

#[test]
fn equality_is_that_of_fields_and_not_of_formatting() {
    let squeezed: String = QEMU.lines().map(str::trim_start).collect();
    let squeezed = squeezed.replace("of two lines", "\nof two lines");
    let squeezed = squeezed.replace("<on_crash>destroy</on_crash>", "<novelty/>");
    assert_ne!(squeezed, QEMU);
    assert_eq!(DomainXml::parse(&squeezed), DomainXml::parse(QEMU));
    let other = QEMU.replace("<vcpu placement='static'>1<", "<vcpu placement='static'>2<");
    assert_ne!(DomainXml::parse(&other), DomainXml::parse(QEMU));
}

#[test]
fn a_qemu_domain_is_read() {
    let domain = DomainXml::parse(QEMU).unwrap();
    assert_eq!(domain.kind, DomainKind::Qemu);
    assert_eq!(
        domain.uuid,
        Some(Uuid::from_u128(0x5a3c1e70_0000_4000_8000_000000000901))
    );
    assert_eq!(domain.title, some("Edge & \"more\""));
    assert_eq!(domain.description, some("It's a <router>\nof two lines"));
    let metadata = RouterMetadata {
        network: some("triangle"),
        tags: vec!["edge".to_owned()],
        ..RouterMetadata::default()
    };
    assert_eq!(domain.metadata, Some(metadata));
    assert_eq!(domain.os.machine, some("pc-i440fx-10.0"));
    assert_eq!(
        domain.os.cmdline,
        some("console=ttyS0 quiet vms.name=edge-1")
    );
    assert_eq!(domain.os.boot, ["hd"]);
    let features: Vec<_> = domain.features.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(features, ["acpi", "apic", "pae"]);
    let cpu = domain.cpu.as_ref().unwrap();
    assert_eq!((&cpu.mode, &cpu.model), (&some("custom"), &some("qemu64")));
    assert_eq!(cpu.topology.as_ref().unwrap().cores, Some(1));
    let svm = CpuFeatureXml {
        name: "svm".to_owned(),
        policy: some("disable"),
    };
    assert_eq!((&cpu.features[0], cpu.features.len()), (&svm, 3));
    assert_eq!(domain.emulator, some("/usr/bin/qemu-system-x86_64"));
    let timers = &domain.clock.as_ref().unwrap().timers;
    assert_eq!(
        (timers[1].name.as_str(), timers[1].present),
        ("hpet", Some(false))
    );
    let [bridge, group, tunnel] = domain.interfaces.as_slice() else {
        panic!("three interfaces expected: {:?}", domain.interfaces);
    };
    assert_eq!((&bridge.target, bridge.mtu), (&some("vnet1"), Some(1400)));
    assert_eq!((&bridge.alias, bridge.link_up), (&some("net0"), Some(true)));
    assert_eq!(group.kind, InterfaceKind::Multicast);
    assert_eq!(tunnel.source.local_port, Some(7000));
    assert_eq!(
        domain.serials[0].path,
        some("/var/log/libvirt/edge-1.serial")
    );
    assert_eq!(domain.consoles[0].target, some("serial"));
    let agent = domain.guest_agent().unwrap();
    assert_eq!(agent.state, some("disconnected"));
    assert_eq!(agent.mode, some("bind"));
    let balloon = domain.memballoon.unwrap();
    assert_eq!(
        (balloon.model, balloon.stats_period),
        (some("virtio"), Some(5))
    );
}

#[test]
fn a_container_is_read() {
    let domain = DomainXml::parse(LXC).unwrap();
    assert_eq!(domain.kind, DomainKind::Lxc);
    assert_eq!(domain.os.kind, some("exe"));
    assert_eq!(domain.os.init, some("/sbin/init"));
    assert_eq!(domain.os.init_args, ["--name", "branch-2"]);
    let [root, config, ram] = domain.filesystems.as_slice() else {
        panic!("three file systems expected: {:?}", domain.filesystems);
    };
    assert_eq!((&root.driver, &root.format), (&some("loop"), &some("raw")));
    assert_eq!(root.source, some("/var/lib/libvirt/images/branch-2.img"));
    assert!(config.readonly && !root.readonly);
    assert_eq!((ram.target.as_str(), &ram.source), ("/tmp", &None));
    assert_eq!(domain.consoles[0].target, some("lxc"));
    assert_eq!(domain.guest_agent(), None);
}

#[test]
fn a_xen_domain_is_read() {
    let domain = DomainXml::parse(XEN).unwrap();
    assert_eq!(domain.kind, DomainKind::Xen);
    assert_eq!(domain.os.machine, some("xenpvh"));
    let hap = FeatureXml {
        name: "hap".to_owned(),
        state: Some(false),
    };
    assert_eq!(domain.features[1], hap);
    let native = TimerXml {
        name: "tsc".to_owned(),
        mode: some("native"),
        ..TimerXml::default()
    };
    let clock = ClockXml {
        offset: some("utc"),
        timers: vec![native],
    };
    assert_eq!(domain.clock, Some(clock));
    assert_eq!(domain.disks[0].source, some("/dev/vg0/core-7"));
    let outbound = RateXml {
        average: Some(10_240),
        ..RateXml::default()
    };
    let bandwidth = BandwidthXml {
        inbound: None,
        outbound: Some(outbound),
    };
    assert_eq!(domain.interfaces[0].bandwidth, Some(bandwidth));
}

#[test]
fn networks_are_read() {
    let [default, routed] = NETWORKS.map(|xml| NetworkXml::parse(xml).unwrap());
    assert_eq!(default.forward_mode, some("nat"));
    assert_eq!(default.stp, Some(true));
    assert_eq!(default.ips[0].prefix, Some(24));
    assert_eq!(routed.forward_devices, ["eth1", "eth2"]);
    assert_eq!(routed.mac, some("52:54:00:f0:00:01"));
    assert_eq!(routed.bandwidth.unwrap().inbound.unwrap().burst, Some(5120));
    let range = ("10.7.0.100".to_owned(), "10.7.0.199".to_owned());
    assert_eq!(routed.ips[0].dhcp_ranges, [range]);
    assert_eq!(routed.ips[1].family, "ipv6");
}

#[test]
fn host_interfaces_are_read() {
    let [ethernet, bridge, vlan] = INTERFACES.map(|xml| HostInterfaceXml::parse(xml).unwrap());
    assert_eq!(ethernet.addresses, ["192.168.0.5/24"]);
    assert_eq!((bridge.name.as_str(), bridge.mtu), ("br0", Some(1400)));
    assert_eq!((vlan.vlan, vlan.ports), (Some(42), vec!["eth0".to_owned()]));
    assert_eq!(vlan.addresses, ["10.42.0.1/24", "2001:db8:42::1/64"]);
}

#[test]
fn storage_is_read() {
    let [test, qemu, shared] = POOLS.map(|xml| PoolXml::parse(xml).unwrap());
    assert_eq!(test.capacity_bytes, Some(100 << 30));
    assert_eq!(qemu.path, some("/var/lib/libvirt/images"));
    assert_eq!(shared.source.host, some("store.example.net"));
    assert_eq!(shared.capacity_bytes, Some(100 << 30));
    let [raw, overlay] = VOLUMES.map(|xml| VolumeXml::parse(xml).unwrap());
    assert_eq!(
        (raw.format, raw.capacity_bytes),
        (some("raw"), Some(1 << 20))
    );
    assert_eq!(
        overlay.backing_path,
        some("/var/lib/libvirt/images/base.qcow2")
    );
    assert_eq!(overlay.backing_format, some("qcow2"));
    assert_eq!(overlay.physical_bytes, Some(196_616));
}

#[test]
fn capabilities_are_read() {
    let [test, qemu] = CAPABILITIES.map(|xml| CapabilitiesXml::parse(xml).unwrap());
    assert_eq!((test.host_uuid, test.live_migration), (None, false));
    assert_eq!(test.guests[0].domains[0].kind, DomainKind::Test);
    assert_eq!(
        qemu.host_uuid,
        Some(Uuid::from_u128(0x5a3c1e70_0000_4000_8000_000000000091))
    );
    assert_eq!((qemu.arch, qemu.cpu_model), (some("x86_64"), some("kvm64")));
    assert!(qemu.live_migration);
    assert_eq!(qemu.migration_transports, ["tcp", "rdma"]);
    let wide = qemu
        .guests
        .iter()
        .find(|guest| guest.arch == "x86_64")
        .unwrap();
    assert_eq!((wide.os_type.as_str(), wide.word_size), ("hvm", Some(64)));
    assert_eq!(wide.emulator, some("/usr/bin/qemu-system-x86_64"));
    assert!(wide.machines.iter().any(|machine| machine == "pc"));
    assert!(
        wide.domains
            .iter()
            .any(|domain| domain.kind == DomainKind::Qemu)
    );
}

#[test]
fn processors_of_a_host_are_those_that_another_is_asked_for() {
    let [test, qemu] = CAPABILITIES.map(|xml| CapabilitiesXml::parse(xml).unwrap());
    assert_eq!(test.cpu(), None);
    let cpu = qemu.cpu().unwrap();
    assert_eq!(
        (cpu.model.clone(), cpu.vendor.clone()),
        (some("kvm64"), some("AMD"))
    );
    let vme = CpuFeatureXml {
        name: "vme".to_owned(),
        policy: None,
    };
    assert_eq!(cpu.features.first(), Some(&vme));
    let xml = cpu.to_xml();
    // An architecture would make libvirt take them for a host's, which have no policies.
    assert!(xml.starts_with("<cpu>") && !xml.contains("<arch>"), "{xml}");
    assert_eq!(CpuXml::parse(&xml), Ok(cpu));
    assert!(CpuXml::parse("<mode/>").is_err());
}

#[test]
fn what_a_domain_may_be_is_read() {
    let capabilities = DomainCapabilitiesXml::parse(DOMAIN_CAPABILITIES).unwrap();
    assert_eq!(capabilities.emulator, some("/usr/bin/qemu-system-x86_64"));
    assert_eq!(capabilities.kind, DomainKind::Qemu);
    assert_eq!(capabilities.machine, some("pc-i440fx-10.0"));
    assert_eq!(
        (capabilities.arch.clone(), capabilities.max_vcpus),
        (some("x86_64"), Some(255))
    );
    let modes = [
        ("host-passthrough", false),
        ("maximum", true),
        ("host-model", true),
        ("custom", true),
        ("abacus", false),
    ];
    for (mode, supported) in modes {
        assert_eq!(capabilities.supports_cpu_mode(mode), supported, "{mode}");
    }
    let host_model = capabilities.host_model().unwrap();
    assert_eq!(
        (host_model.model, host_model.fallback, host_model.vendor),
        (some("EPYC"), some("forbid"), some("AMD"))
    );
    let vme = CpuFeatureXml {
        name: "vme".to_owned(),
        policy: some("disable"),
    };
    assert!(host_model.features.contains(&vme));
    let usable = |name: &str| {
        let models = capabilities.cpu_modes.iter().flat_map(|mode| &mode.models);
        let mut called = models.filter(|model| model.name == name);
        called.find_map(|model| model.usable)
    };
    assert_eq!(
        (usable("qemu64"), usable("phenom")),
        (Some(true), Some(false))
    );
}

#[test]
fn a_device_is_read_alone() {
    let domain = DomainXml::parse(QEMU).unwrap();
    let nic = &domain.interfaces[0];
    let again = libvirt::InterfaceXml::parse(&nic.to_xml()).unwrap();
    assert_eq!(&again, nic);
    // What is not known here went along.
    assert!(again.to_xml().contains("slot='0x02'"));
    assert_eq!(
        CharacterXml::guest_agent().target_name,
        some(CharacterXml::GUEST_AGENT)
    );
}
