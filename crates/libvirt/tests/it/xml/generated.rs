//! Properties of whatever can be read or built.

use libvirt::{
    BackingXml, BandwidthXml, CapabilitiesXml, CharacterXml, ClockXml, CpuFeatureXml,
    CpuTopologyXml, CpuXml, DiskXml, DomainKind, DomainXml, FeatureXml, FilesystemXml,
    GuestDomainXml, GuestXml, HostInterfaceXml, InterfaceKind, InterfaceSource, InterfaceXml,
    IpXml, LoaderXml, MemballoonXml, NetworkXml, OsXml, PoolSourceXml, PoolXml, RateXml, RngXml,
    RouterMetadata, TimerXml, VirtualPort, VolumeXml,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use uuid::Uuid;

use super::golden;

/// Text that is more than white space.
fn text() -> impl Strategy<Value = String> {
    "[ \\n\\t\\r<>&'\"\\]]{0,3}[a-zé\u{10348}][ \\n\\t\\r<>&'\"\\]a-z]{0,3}"
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_.-]{0,5}"
}

fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        "10\\.[0-9]\\.0\\.[1-9]",
        "10\\.0\\.0\\.1/[1-9]",
        "2001:db8::[1-9]/64"
    ]
}

fn mac() -> impl Strategy<Value = String> {
    "52:54:00(:[0-9a-f]{2}){3}"
}

fn kind() -> impl Strategy<Value = DomainKind> {
    prop_oneof![
        Just(DomainKind::Qemu),
        Just(DomainKind::Xen),
        name().prop_map(|name| DomainKind::from_name(&name)),
    ]
}

/// Builds a value by setting its fields one after the other: some have private ones as well.
macro_rules! built {
    ($start:expr; $($($field:ident).+ = $strategy:expr),* $(,)?) => {{
        let start = Just($start).boxed();
        $(
            let start = (start, $strategy)
                .prop_map(|(mut value, field)| {
                    value.$($field).+ = field;
                    value
                })
                .boxed();
        )*
        start
    }};
}

fn rate() -> impl Strategy<Value = RateXml> {
    built!(RateXml::default();
        average = of(any::<u64>()), peak = of(any::<u64>()), burst = of(any::<u64>()),
        floor = of(any::<u64>()))
}

fn bandwidth() -> impl Strategy<Value = BandwidthXml> {
    built!(BandwidthXml::default(); inbound = of(rate()), outbound = of(rate()))
}

fn interface() -> impl Strategy<Value = InterfaceXml> {
    let kinds = prop_oneof![
        Just("bridge"),
        Just("network"),
        Just("udp"),
        Just("server"),
        Just("client"),
        Just("mcast"),
        Just("vdpa"),
    ];
    let source = built!(InterfaceSource::default();
        bridge = of(text()), network = of(text()), portgroup = of(text()), dev = of(text()),
        mode = of(text()), address = of(text()), port = of(any::<u16>()),
        local_address = of(text()), local_port = of(any::<u16>()));
    let port = built!(VirtualPort::default();
        kind = of(text()), interface_id = of(text()), profile_id = of(text()));
    built!(InterfaceXml::default();
        kind = kinds.prop_map(InterfaceKind::from_name), mac = of(mac()), source = source,
        target = of(text()), model = of(text()), link_up = of(any::<bool>()),
        mtu = of(any::<u32>()), vlans = vec(any::<u16>(), 0..3), virtual_port = of(port),
        bandwidth = of(bandwidth()), addresses = vec(address(), 0..3),
        boot_order = of(any::<u32>()), alias = of(text()))
}

fn disk() -> impl Strategy<Value = DiskXml> {
    let kinds = prop_oneof![Just("file"), Just("block"), Just("network"), Just("nvme")];
    let plain = built!(DiskXml::default();
        kind = kinds.prop_map(str::to_owned), source = of(text()));
    let volume = built!(DiskXml::new("volume", "");
        source = of((name(), text()).prop_map(|(pool, volume)| format!("{pool}/{volume}"))));
    let start = prop_oneof![plain, volume];
    let kinds = prop_oneof![Just("file"), Just("block"), Just("network")];
    let backing = built!(BackingXml::default();
        kind = of(kinds.prop_map(str::to_owned)), format = of(text()), source = of(text()));
    (
        start,
        built!(DiskXml::default();
        target = text(), bus = of(text()), device = text(), format = of(text()),
        backing = of(backing), cache = of(text()), readonly = any::<bool>(), shareable = any::<bool>(),
        boot_order = of(any::<u32>()), alias = of(text())),
    )
        .prop_map(|(start, mut disk)| {
            (disk.kind, disk.source) = (start.kind, start.source);
            disk
        })
}

fn filesystem() -> impl Strategy<Value = FilesystemXml> {
    let kinds = prop_oneof![Just("file"), Just("block"), Just("mount"), Just("template")];
    built!(FilesystemXml::default();
        kind = kinds.prop_map(str::to_owned), access_mode = of(text()), driver = of(text()),
        format = of(text()), source = of(text()), target = text(), readonly = any::<bool>())
}

fn character() -> impl Strategy<Value = CharacterXml> {
    built!(CharacterXml::default();
        kind = text(), path = of(text()), mode = of(text()), host = of(text()),
        service = of(any::<u16>()), log = of(text()), target = of(text()),
        target_port = of(any::<u32>()), target_name = of(text()), state = of(text()))
}

fn os() -> impl Strategy<Value = OsXml> {
    let loader = built!(LoaderXml::default();
        path = of(text()), kind = of(text()), readonly = of(any::<bool>()),
        secure = of(any::<bool>()));
    built!(OsXml::default();
        kind = of(text()), arch = of(text()), machine = of(text()), firmware = of(text()),
        loader = of(loader), nvram = of(text()), kernel = of(text()), initrd = of(text()),
        cmdline = of(text()), init = of(text()), init_args = vec(text(), 0..3),
        boot = vec(text(), 0..3))
}

fn cpu() -> impl Strategy<Value = CpuXml> {
    let topology = built!(CpuTopologyXml::default();
        sockets = of(any::<u32>()), dies = of(any::<u32>()), cores = of(any::<u32>()),
        threads = of(any::<u32>()));
    let feature = built!(CpuFeatureXml::default(); name = text(), policy = of(text()));
    built!(CpuXml::default();
        mode = of(text()), matching = of(text()), check = of(text()),
        migratable = of(any::<bool>()), model = of(text()), fallback = of(text()),
        topology = of(topology), features = vec(feature, 0..3))
}

fn domain() -> impl Strategy<Value = DomainXml> {
    let metadata = built!(RouterMetadata::default();
        network = of(text()), tags = vec(text(), 0..3),
        image = of(any::<u128>().prop_map(Uuid::from_u128)),
        addresses = vec((mac(), address()), 0..3));
    let feature = built!(FeatureXml::default(); name = name(), state = of(any::<bool>()));
    let timer = built!(TimerXml::default();
        name = text(), present = of(any::<bool>()), tick_policy = of(text()), mode = of(text()));
    let clock = built!(ClockXml::default(); offset = of(text()), timers = vec(timer, 0..3));
    let balloon = built!(MemballoonXml::default();
        model = of(text()), stats_period = of(any::<u32>()));
    let rng = built!(RngXml::default();
        model = text(), backend = of(text()), source = of(text()));
    built!(DomainXml::default();
        kind = kind(), name = text(), uuid = of(any::<u128>().prop_map(Uuid::from_u128)),
        title = of(text()), description = of(text()), metadata = of(metadata),
        memory_bytes = of(any::<u64>()), current_memory_bytes = of((0..1_u64 << 40).prop_map(|n| n << 10)),
        vcpus = of(any::<u32>()), current_vcpus = of(any::<u32>()), os = os(), features = vec(feature, 0..4), cpu = of(cpu()),
        clock = of(clock), emulator = of(text()), disks = vec(disk(), 0..3),
        filesystems = vec(filesystem(), 0..3), interfaces = vec(interface(), 0..4),
        serials = vec(character(), 0..2), consoles = vec(character(), 0..2),
        channels = vec(character(), 0..2), memballoon = of(balloon), rngs = vec(rng, 0..2))
}

fn network() -> impl Strategy<Value = NetworkXml> {
    let ip = built!(IpXml::default();
        family = name(), address = text(), prefix = of(any::<u8>()),
        dhcp_ranges = vec((text(), text()), 0..3));
    let forward = of((name(), proptest::collection::btree_set(text(), 0..3)));
    let start = built!(NetworkXml::default();
        name = text(), uuid = of(any::<u128>().prop_map(Uuid::from_u128)), title = of(text()),
        bridge = of(text()), stp = of(any::<bool>()), mac = of(mac()), domain = of(text()),
        dns = of(any::<bool>()), mtu = of(any::<u32>()), vlans = vec(any::<u16>(), 0..3), bandwidth = of(bandwidth()),
        ips = vec(ip, 0..3));
    (start, forward).prop_map(|(mut network, forward)| {
        if let Some((mode, devices)) = forward {
            network.forward_mode = Some(mode);
            network.forward_devices = devices.into_iter().collect();
        }
        network
    })
}

fn host_interface() -> impl Strategy<Value = HostInterfaceXml> {
    let kinds = prop_oneof![Just("ethernet"), Just("bridge"), Just("bond"), Just("vlan")];
    built!(HostInterfaceXml::default();
        kind = kinds.prop_map(str::to_owned), name = text(), mac = of(mac()),
        mtu = of(any::<u32>()), link_state = of(text()), speed_mbit = of(1..u64::MAX),
        vlan = of(any::<u16>()), ports = vec(text(), 0..3), addresses = vec(address(), 0..4))
    .prop_map(|mut interface| {
        // Only a VLAN has a tag; IPv4 comes first.
        if interface.kind != "vlan" {
            interface.vlan = None;
        }
        interface
            .addresses
            .sort_by_key(|address| address.contains(':'));
        interface
    })
}

fn pool() -> impl Strategy<Value = PoolXml> {
    let source = built!(PoolSourceXml::default();
        host = of(text()), dir = of(text()), devices = vec(text(), 0..3), name = of(text()),
        format = of(text()));
    built!(PoolXml::default();
        kind = text(), name = text(), uuid = of(any::<u128>().prop_map(Uuid::from_u128)),
        capacity_bytes = of(any::<u64>()), allocation_bytes = of(any::<u64>()),
        available_bytes = of(any::<u64>()), source = source, path = of(text()))
}

fn volume() -> impl Strategy<Value = VolumeXml> {
    built!(VolumeXml::default();
        kind = of(text()), name = text(), key = of(text()), capacity_bytes = of(any::<u64>()),
        allocation_bytes = of(any::<u64>()), physical_bytes = of(any::<u64>()),
        path = of(text()), format = of(text()), backing_path = of(text()),
        backing_format = of(text()))
}

fn capabilities() -> impl Strategy<Value = CapabilitiesXml> {
    let hypervisor = built!(GuestDomainXml::default();
        kind = kind(), emulator = of(text()), machines = vec(text(), 0..3));
    let guest = built!(GuestXml::default();
        os_type = text(), arch = text(), word_size = of(any::<u32>()), emulator = of(text()),
        machines = vec(text(), 0..3), domains = vec(hypervisor, 0..3));
    built!(CapabilitiesXml::default();
        host_uuid = of(any::<u128>().prop_map(Uuid::from_u128)), arch = of(text()),
        cpu_model = of(text()), cpu_vendor = of(text()), live_migration = any::<bool>(),
        migration_transports = vec(text(), 0..3), guests = vec(guest, 0..3))
}

/// Moves every field of `from` into `into`, which keeps what is not known of it.
fn pour(from: DomainXml, into: &mut DomainXml) {
    into.kind = from.kind;
    into.name = from.name;
    into.uuid = from.uuid;
    into.title = from.title;
    into.description = from.description;
    into.metadata = from.metadata;
    into.memory_bytes = from.memory_bytes;
    into.current_memory_bytes = from.current_memory_bytes;
    into.vcpus = from.vcpus;
    into.current_vcpus = from.current_vcpus;
    into.os = from.os;
    into.features = from.features;
    into.cpu = from.cpu;
    into.clock = from.clock;
    into.emulator = from.emulator;
    into.disks = from.disks;
    into.filesystems = from.filesystems;
    into.interfaces = from.interfaces;
    into.serials = from.serials;
    into.consoles = from.consoles;
    into.channels = from.channels;
    into.memballoon = from.memballoon;
    into.rngs = from.rngs;
}

/// An element of any shape, of names that mean something and names that do not.
fn element() -> impl Strategy<Value = String> {
    let names = prop_oneof![
        Just("name"),
        Just("uuid"),
        Just("memory"),
        Just("vcpu"),
        Just("os"),
        Just("type"),
        Just("devices"),
        Just("interface"),
        Just("disk"),
        Just("source"),
        Just("target"),
        Just("mac"),
        Just("vlan"),
        Just("tag"),
        Just("ip"),
        Just("features"),
        Just("cpu"),
        Just("feature"),
        Just("metadata"),
        Just("novelty"),
        Just("q:thing"),
        Just("é"),
    ];
    let names = names.boxed();
    let keys = prop_oneof![
        Just("type"),
        Just("name"),
        Just("dev"),
        Just("address"),
        Just("id"),
        Just("unit"),
        Just("port"),
        Just("state"),
        Just("q:key"),
        Just("xmlns:r"),
    ];
    let values = prop_oneof![
        Just("'file'"),
        Just("\"it's\""),
        Just("'7'"),
        Just("'&#10;&lt;'"),
        Just("''")
    ];
    let attributes = proptest::collection::btree_map(keys, values, 0..3).prop_map(|attributes| {
        let attributes = attributes
            .iter()
            .map(|(key, value)| format!(" {key}={value}"));
        attributes.collect::<Vec<_>>().concat()
    });
    let attributes = attributes.boxed();
    let texts = prop_oneof![
        Just("\n  "),
        Just("7"),
        Just(" a &amp; b "),
        Just(""),
        Just("&quot;")
    ];
    let leaf = (names.clone(), attributes.clone(), of(texts.clone())).prop_map(
        |(name, attributes, text)| match text {
            Some(text) => format!("<{name}{attributes}>{text}</{name}>"),
            None => format!("<{name}{attributes}/>"),
        },
    );
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let content = vec((texts.clone(), inner), 0..6);
        (names.clone(), attributes.clone(), content).prop_map(|(name, attributes, content)| {
            let content: String = content
                .into_iter()
                .map(|(text, inner)| text.to_owned() + &inner)
                .collect();
            format!("<{name}{attributes}>{content}</{name}>")
        })
    })
}

/// Elements as the content of the root that a document has.
fn content() -> impl Strategy<Value = String> {
    vec(element(), 0..8).prop_map(|elements| elements.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_domain_is_read_as_it_was_built(built in domain()) {
        prop_assert_eq!(DomainXml::parse(&built.to_xml()), Ok(built));
    }

    #[test]
    fn devices_are_read_as_they_were_built(nic in interface(), disk in disk()) {
        prop_assert_eq!(InterfaceXml::parse(&nic.to_xml()), Ok(nic));
        prop_assert_eq!(DiskXml::parse(&disk.to_xml()), Ok(disk));
    }

    #[test]
    fn a_network_is_read_as_it_was_built(built in network()) {
        prop_assert_eq!(NetworkXml::parse(&built.to_xml()), Ok(built));
    }

    #[test]
    fn a_host_interface_is_read_as_it_was_built(built in host_interface()) {
        prop_assert_eq!(HostInterfaceXml::parse(&built.to_xml()), Ok(built));
    }

    #[test]
    fn storage_is_read_as_it_was_built(pool in pool(), volume in volume()) {
        prop_assert_eq!(PoolXml::parse(&pool.to_xml()), Ok(pool));
        prop_assert_eq!(VolumeXml::parse(&volume.to_xml()), Ok(volume));
    }

    #[test]
    fn capabilities_are_read_as_they_were_built(built in capabilities()) {
        prop_assert_eq!(CapabilitiesXml::parse(&built.to_xml()), Ok(built));
    }

    /// Whatever of a real domain is changed is read back as changed, and what no field stands for
    /// is still there.
    #[test]
    fn a_changed_domain_is_read_as_it_was_changed(built in domain(), host in 0..4_usize) {
        let xml = [golden::QEMU, golden::LXC, golden::XEN, golden::TEST][host];
        let mut domain = DomainXml::parse(xml).unwrap();
        pour(built, &mut domain);
        let changed = domain.to_xml();
        prop_assert_eq!(DomainXml::parse(&changed), Ok(domain));
        let unknown = ["seclabel", "controller", "on_crash", "input", "resource", "bootloader"];
        for name in unknown {
            prop_assert_eq!(changed.contains(&format!("<{name}")), xml.contains(&format!("<{name}")));
        }
    }

    /// Networks and pools too, from the fields of one to those of another.
    #[test]
    fn a_changed_network_is_read_as_it_was_changed(built in network(), which in 0..2_usize) {
        let mut network = NetworkXml::parse(golden::NETWORKS[which]).unwrap();
        network.name = built.name;
        network.uuid = built.uuid;
        network.title = built.title;
        network.forward_mode = built.forward_mode;
        network.forward_devices = built.forward_devices;
        network.bridge = built.bridge;
        network.stp = built.stp;
        network.mac = built.mac;
        network.domain = built.domain;
        network.mtu = built.mtu;
        network.vlans = built.vlans;
        network.bandwidth = built.bandwidth;
        network.ips = built.ips;
        let changed = network.to_xml();
        prop_assert_eq!(NetworkXml::parse(&changed), Ok(network));
        prop_assert_eq!(changed.contains("<route"), which == 1);
        prop_assert_eq!(changed.contains("<app:note xmlns:app=\"urn:app\">kept"), which == 1);
    }

    /// What is not changed is written as it stood, however strange it is.
    #[test]
    fn any_document_is_written_as_it_was_read(content in content()) {
        let document = |root: &str| format!("<{root} xmlns:q='urn:q'>{content}</{root}>");
        let xml = document("domain");
        prop_assert_eq!(DomainXml::parse(&xml).unwrap().to_xml(), xml);
        let xml = document("interface");
        prop_assert_eq!(InterfaceXml::parse(&xml).unwrap().to_xml(), xml.clone());
        prop_assert_eq!(HostInterfaceXml::parse(&xml).unwrap().to_xml(), xml);
        let xml = document("network");
        prop_assert_eq!(NetworkXml::parse(&xml).unwrap().to_xml(), xml);
        let xml = document("pool");
        prop_assert_eq!(PoolXml::parse(&xml).unwrap().to_xml(), xml);
        let xml = document("volume");
        prop_assert_eq!(VolumeXml::parse(&xml).unwrap().to_xml(), xml);
        let xml = document("capabilities");
        prop_assert_eq!(CapabilitiesXml::parse(&xml).unwrap().to_xml(), xml);
    }

    /// A strange document can be changed as well.
    #[test]
    fn any_document_can_be_changed(content in content(), name in text(), tag in text()) {
        let xml = format!("<domain xmlns:q='urn:q'>{content}</domain>");
        let mut domain = DomainXml::parse(&xml).unwrap();
        domain.name = name;
        domain.vcpus = Some(3);
        domain.metadata.get_or_insert_default().tags.push(tag);
        domain.interfaces.push(InterfaceXml::new(InterfaceKind::User));
        prop_assert_eq!(DomainXml::parse(&domain.to_xml()), Ok(domain));
    }

    /// Damaged documents are refused or read, and never more than that.
    #[test]
    fn damaged_documents_do_no_harm(at in 0..3_000_usize, damage in "\\PC|[<>&'\"/!\\[\\]?\0]{1,3}") {
        let mut xml = golden::QEMU.to_owned();
        let at = (0..=at).rev().find(|&at| xml.is_char_boundary(at)).unwrap_or(0);
        xml.replace_range(at..at, &damage);
        if let Ok(domain) = DomainXml::parse(&xml) {
            prop_assert_eq!(DomainXml::parse(&domain.to_xml()), Ok(domain));
        }
    }
}
