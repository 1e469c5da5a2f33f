//! Documents built from nothing: as expected, and accepted by libvirt with its own schema.

use libvirt::{
    BackingXml, BandwidthXml, CharacterXml, ClockXml, CpuFeatureXml, CpuTopologyXml, CpuXml,
    DiskXml, DomainKind, DomainXml, FeatureXml, FilesystemXml, HostInterfaceXml, InterfaceKind,
    InterfaceSource, InterfaceXml, IpXml, LoaderXml, MemballoonXml, NetworkXml, PoolXml, RateXml,
    RngXml, RouterMetadata, TcpRole, TimerXml, VolumeXml,
};
use uuid::Uuid;
use virt::connect::Connect;
use virt_sys as sys;

#[expect(clippy::unnecessary_wraps, reason = "what it is put into is wrapped")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn feature(name: &str, state: Option<bool>) -> FeatureXml {
    FeatureXml {
        name: name.to_owned(),
        state,
    }
}

fn nic(number: u8, kind: InterfaceKind, source: InterfaceSource) -> InterfaceXml {
    let mut nic = InterfaceXml::new(kind);
    nic.mac = Some(format!("52:54:00:00:00:{number:02x}"));
    nic.source = source;
    nic
}

fn at(address: &str, port: u16) -> InterfaceSource {
    InterfaceSource {
        address: some(address),
        port: Some(port),
        ..InterfaceSource::default()
    }
}

/// A router with a NIC of each kind.
fn router(kind: DomainKind) -> DomainXml {
    let mut router = DomainXml::new(kind, "edge-1");
    router.uuid = Some(Uuid::from_u128(0xe1));
    router.title = some("Edge & gateway");
    router.description = some("Two\nlines");
    router.metadata = Some(RouterMetadata {
        network: some("triangle"),
        tags: vec!["edge".to_owned(), "lab".to_owned()],
        image: Some(Uuid::from_u128(0x1a)),
        addresses: vec![
            ("52:54:00:00:00:01".to_owned(), "10.0.0.0/31".to_owned()),
            ("52:54:00:00:00:01".to_owned(), "2001:db8::1/64".to_owned()),
        ],
    });
    router.memory_bytes = Some(256 << 20);
    router.current_memory_bytes = Some(128 << 20);
    router.vcpus = Some(2);
    router.current_vcpus = Some(1);
    router.os.kind = some("hvm");
    router.os.arch = some("x86_64");
    router.os.machine = some("q35");
    router.os.loader = Some(LoaderXml {
        path: some("/usr/share/OVMF/OVMF_CODE.fd"),
        kind: some("pflash"),
        readonly: Some(true),
        secure: Some(false),
    });
    router.os.nvram = some("/var/lib/libvirt/qemu/nvram/edge-1.fd");
    router.os.kernel = some("/images/vmlinuz");
    router.os.initrd = some("/images/initrd");
    router.os.cmdline = some("console=ttyS0 name='edge 1'");
    router.os.boot = vec!["hd".to_owned(), "network".to_owned()];
    router.features = vec![feature("acpi", None), feature("hap", Some(false))];
    router.cpu = Some(CpuXml {
        mode: some("custom"),
        matching: some("exact"),
        check: some("partial"),
        model: some("Nehalem"),
        fallback: some("forbid"),
        vendor: None,
        topology: Some(CpuTopologyXml {
            sockets: Some(1),
            dies: Some(1),
            cores: Some(2),
            threads: Some(1),
        }),
        features: vec![CpuFeatureXml {
            name: "vmx".to_owned(),
            policy: some("disable"),
        }],
        migratable: None,
    });
    router.clock = Some(ClockXml {
        offset: some("utc"),
        timers: vec![TimerXml {
            name: "hpet".to_owned(),
            present: Some(false),
            ..TimerXml::default()
        }],
    });
    router.emulator = some("/usr/bin/qemu-system-x86_64");
    let mut disk = DiskXml::new("volume", "vda");
    disk.source = some("images/edge-1.qcow2");
    disk.format = some("qcow2");
    disk.cache = some("none");
    disk.bus = some("virtio");
    disk.backing = Some(BackingXml {
        kind: some("file"),
        format: some("qcow2"),
        source: some("/images/base.qcow2"),
    });
    let mut drive = DiskXml::new("file", "sda");
    "cdrom".clone_into(&mut drive.device);
    drive.bus = some("sata");
    drive.readonly = true;
    router.disks = vec![disk, drive];

    let bridge = InterfaceSource {
        bridge: some("br0"),
        ..InterfaceSource::default()
    };
    let mut first = nic(1, InterfaceKind::Bridge, bridge);
    first.model = some("virtio");
    first.target = some("edge1-0");
    first.link_up = Some(false);
    first.mtu = Some(9000);
    first.vlans = vec![42];
    first.virtual_port = Some(libvirt::VirtualPort {
        kind: some("openvswitch"),
        ..Default::default()
    });
    first.bandwidth = Some(BandwidthXml {
        inbound: Some(RateXml {
            average: Some(1000),
            peak: Some(5000),
            burst: Some(1024),
            floor: None,
        }),
        outbound: None,
    });
    let network = InterfaceSource {
        network: some("transit"),
        portgroup: some("fast"),
        ..InterfaceSource::default()
    };
    let direct = InterfaceSource {
        dev: some("eth1"),
        mode: some("bridge"),
        ..InterfaceSource::default()
    };
    let tunnel = InterfaceSource {
        local_address: some("10.0.0.1"),
        local_port: Some(7001),
        ..at("10.0.0.2", 7000)
    };
    let mut ethernet = nic(8, InterfaceKind::Ethernet, InterfaceSource::default());
    ethernet.addresses = vec!["10.1.0.1/31".to_owned(), "2001:db8::1/64".to_owned()];
    router.interfaces = vec![
        first,
        nic(2, InterfaceKind::Network, network),
        nic(3, InterfaceKind::Direct, direct),
        nic(4, InterfaceKind::Udp, tunnel),
        nic(5, InterfaceKind::Tcp(TcpRole::Server), at("10.0.0.1", 7002)),
        nic(6, InterfaceKind::Tcp(TcpRole::Client), at("10.0.0.2", 7002)),
        nic(7, InterfaceKind::Multicast, at("230.0.0.1", 7003)),
        ethernet,
        nic(9, InterfaceKind::User, InterfaceSource::default()),
    ];

    let mut serial = CharacterXml::new("pty");
    serial.log = some("/var/log/edge-1.log");
    serial.target_port = Some(0);
    router.serials = vec![serial];
    let mut console = CharacterXml::new("pty");
    console.target = some("serial");
    console.target_port = Some(0);
    router.consoles = vec![console];
    router.channels = vec![CharacterXml::guest_agent()];
    router.memballoon = Some(MemballoonXml {
        model: some("virtio"),
        stats_period: Some(5),
    });
    router.rngs = vec![RngXml::urandom()];
    router
}

/// A paravirtualised guest: by Xen's own interface (`xenpv`) or with the processor's help (`xenpvh`).
fn xen(kind: &str, machine: &str) -> DomainXml {
    let mut router = DomainXml::new(DomainKind::Xen, "core-1");
    router.memory_bytes = Some(128 << 20);
    router.vcpus = Some(1);
    router.os.kind = some(kind);
    router.os.arch = some("x86_64");
    router.os.machine = some(machine);
    router.os.kernel = some("/images/vmlinuz");
    router.os.initrd = some("/images/initrd");
    router.os.cmdline = some("console=hvc0 vms.nic=52:54:00:00:00:01,10.0.0.0/31");
    let mut disk = DiskXml::new("file", "xvda");
    disk.source = some("/images/core-1.qcow2");
    disk.format = some("qcow2");
    disk.bus = some("xen");
    disk.backing = Some(BackingXml::default());
    router.disks = vec![disk];
    let bridge = InterfaceSource {
        bridge: some("vms3"),
        ..InterfaceSource::default()
    };
    let mut nic = nic(1, InterfaceKind::Bridge, bridge);
    nic.mtu = Some(1450);
    nic.bandwidth = Some(BandwidthXml {
        inbound: None,
        outbound: Some(RateXml {
            average: Some(1250),
            ..RateXml::default()
        }),
    });
    router.interfaces = vec![nic];
    let mut console = CharacterXml::new("pty");
    console.target = some("xen");
    console.target_port = Some(0);
    router.consoles = vec![console];
    router
}

fn container() -> DomainXml {
    let mut router = DomainXml::new(DomainKind::Lxc, "branch-2");
    router.memory_bytes = Some(64 << 20);
    router.os.kind = some("exe");
    router.os.init = some("/sbin/init");
    router.os.init_args = vec!["--name".to_owned(), "branch-2".to_owned()];
    router.features = vec![feature("privnet", None)];
    let mut root = FilesystemXml::new("file", "/");
    root.driver = some("loop");
    root.format = some("raw");
    root.source = some("/images/branch-2.img");
    let mut config = FilesystemXml::new("mount", "/etc/router");
    config.source = some("/srv/config");
    config.readonly = true;
    router.filesystems = vec![root, config];
    router.consoles = vec![CharacterXml::new("pty")];
    router
}

fn network() -> NetworkXml {
    let mut network = NetworkXml::new("transit");
    network.uuid = Some(Uuid::from_u128(0xf1));
    network.title = some("Transit");
    network.forward_mode = some("route");
    network.forward_devices = vec!["eth1".to_owned()];
    network.bridge = some("virbr7");
    network.stp = Some(true);
    network.mac = some("52:54:00:f0:00:01");
    network.domain = some("transit.example");
    network.dns = Some(false);
    network.mtu = Some(9000);
    let mut ip = IpXml::new("10.7.0.1", 24);
    let range = ("10.7.0.100", "10.7.0.199");
    ip.dhcp_ranges = vec![(range.0.to_owned(), range.1.to_owned())];
    network.ips = vec![ip, IpXml::new("2001:db8:7::1", 64)];
    network
}

#[test]
fn built_documents_are_as_libvirt_writes_them() {
    let golden = include_str!("../../golden/built-router.xml");
    assert_eq!(router(DomainKind::Qemu).to_xml(), golden.trim_end());
    let golden = include_str!("../../golden/built-container.xml");
    assert_eq!(container().to_xml(), golden.trim_end());
    let golden = include_str!("../../golden/built-xen.xml");
    assert_eq!(xen("xen", "xenpv").to_xml(), golden.trim_end());
    assert_eq!(
        NetworkXml::isolated("vms-1", "vms3").to_xml(),
        "<network>\n  <name>vms-1</name>\n  <bridge name='vms3' stp='on'/>\n  <dns enable='no'/>\n</network>"
    );
    let golden = include_str!("../../golden/built-network.xml");
    assert_eq!(network().to_xml(), golden.trim_end());
}

#[test]
fn built_documents_are_read_as_they_were_built() {
    let [pv, pvh] = [xen("xen", "xenpv"), xen("xenpvh", "xenpvh")];
    for domain in [router(DomainKind::Kvm), container(), pv, pvh] {
        assert_eq!(DomainXml::parse(&domain.to_xml()), Ok(domain));
    }
    assert_eq!(NetworkXml::parse(&network().to_xml()), Ok(network()));
}

#[test]
fn a_built_router_is_accepted_by_libvirt_and_comes_back() {
    let connection = Connect::open(Some("test:///default")).unwrap();
    let router = router(DomainKind::Test);
    let domain = connection
        .define_domain_xml_flags(&router.to_xml(), sys::VIR_DOMAIN_DEFINE_VALIDATE)
        .unwrap_or_else(|error| panic!("{error}:\n{}", router.to_xml()));
    let wrong = router.to_xml().replace("<devices>", "<novelty/><devices>");
    let refused = connection.define_domain_xml_flags(&wrong, sys::VIR_DOMAIN_DEFINE_VALIDATE);
    assert!(refused.is_err(), "libvirt does not validate");
    let back = DomainXml::parse(&domain.xml_desc(0).unwrap()).unwrap();
    let same = |a: &DomainXml| {
        let a = a.clone();
        (
            a.name,
            a.uuid,
            a.title,
            a.description,
            a.metadata,
            a.memory_bytes,
            a.vcpus,
            a.cpu,
        )
    };
    assert_eq!(same(&back), same(&router));
    for (back, built) in back.interfaces.iter().zip(&router.interfaces) {
        assert_eq!((&back.kind, &back.source), (&built.kind, &built.source));
        assert_eq!((&back.mac, &back.vlans), (&built.mac, &built.vlans));
        assert_eq!(
            (&back.bandwidth, back.link_up),
            (&built.bandwidth, built.link_up)
        );
        assert_eq!((back.mtu, &back.addresses), (built.mtu, &built.addresses));
    }
    assert_eq!(back.interfaces.len(), router.interfaces.len());
    assert_eq!(back.disks[0].source, router.disks[0].source);
    assert_eq!(back.disks[0].backing, router.disks[0].backing);
    assert_eq!(back.rngs, router.rngs);
    assert_eq!(back.current_vcpus, router.current_vcpus);
    assert_eq!(back.os.cmdline, router.os.cmdline);
    assert!(back.guest_agent().is_some());
}

#[test]
fn a_built_network_pool_and_volume_are_accepted_by_libvirt() {
    let connection = Connect::open(Some("test:///default")).unwrap();
    let built = network();
    let defined = connection.define_network_xml(&built.to_xml()).unwrap();
    let back = NetworkXml::parse(&defined.xml_desc(0).unwrap()).unwrap();
    assert_eq!((back.uuid, &back.ips), (built.uuid, &built.ips));
    assert_eq!(back.forward_devices, built.forward_devices);

    assert_eq!(back.dns, Some(false));
    let isolated = NetworkXml::isolated("vms-1", "vms3");
    let defined = connection.define_network_xml(&isolated.to_xml()).unwrap();
    let mut back = NetworkXml::parse(&defined.xml_desc(0).unwrap()).unwrap();
    (back.uuid, back.mac) = (None, None); // libvirt's own
    assert_eq!(back, isolated);

    let mut pool = PoolXml::new("dir", "images");
    pool.path = some("/images");
    let validate = sys::VIR_STORAGE_POOL_DEFINE_VALIDATE;
    let defined = connection
        .define_storage_pool_xml(&pool.to_xml(), validate)
        .unwrap();
    defined.create(0).unwrap();
    let mut volume = VolumeXml::new("edge-1.raw", 1 << 20);
    volume.format = some("raw");
    let created = virt::storage_vol::StorageVol::create_xml(&defined, &volume.to_xml(), 0);
    let back = VolumeXml::parse(&created.unwrap().xml_desc(0).unwrap()).unwrap();
    assert_eq!(
        (back.name, back.capacity_bytes),
        (volume.name, volume.capacity_bytes)
    );

    let mut bridge = HostInterfaceXml::new("bridge", "br7");
    bridge.ports = vec!["eth7".to_owned()];
    bridge.addresses = vec!["10.0.7.1/24".to_owned()];
    let defined = connection
        .define_interface_xml(&bridge.to_xml(), 0)
        .unwrap();
    let back = HostInterfaceXml::parse(&defined.xml_desc(0).unwrap()).unwrap();
    assert_eq!(back, bridge);
}

#[test]
fn characters_that_xml_cannot_hold_do_not_break_a_document() {
    let mut domain = DomainXml::new(DomainKind::Test, "a\0b");
    domain.title = some("\u{1b}[31m</title><devices/>");
    domain.features = vec![
        feature("a b><c", None),
        feature("1", None),
        feature("", None),
    ];
    let back = DomainXml::parse(&domain.to_xml()).unwrap();
    assert_eq!(back.name, "a\u{fffd}b");
    assert_eq!(back.title, some("\u{fffd}[31m</title><devices/>"));
    let names: Vec<_> = back
        .features
        .into_iter()
        .map(|feature| feature.name)
        .collect();
    assert_eq!(names, ["a_b__c", "_1"]);
}
