//! What is changed is changed in the text, and nothing else is.

use libvirt::{
    CharacterXml, DiskXml, DomainXml, FeatureXml, HostInterfaceXml, InterfaceKind, InterfaceSource,
    InterfaceXml, IpXml, NetworkXml, PoolXml, RouterMetadata, VolumeXml,
};

use super::golden::{INTERFACES, LXC, NETWORKS, POOLS, QEMU, VOLUMES, XEN};

/// Lines that are only in the first text, and lines that are only in the second, in their order.
fn difference<'a>(before: &'a str, after: &'a str) -> (Vec<&'a str>, Vec<&'a str>) {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    // The longest common subsequence, by the textbook.
    let mut longest = vec![vec![0; after.len() + 1]; before.len() + 1];
    for i in (0..before.len()).rev() {
        for j in (0..after.len()).rev() {
            longest[i][j] = if before[i] == after[j] {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    while i < before.len() || j < after.len() {
        if i < before.len() && j < after.len() && before[i] == after[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == after.len() || i < before.len() && longest[i + 1][j] >= longest[i][j + 1] {
            removed.push(before[i].trim_start());
            i += 1;
        } else {
            added.push(after[j].trim_start());
            j += 1;
        }
    }
    (removed, added)
}

/// Changes a domain; says what that changed in its text.
#[track_caller]
fn changes(xml: &str, change: impl Fn(&mut DomainXml), removed: &[&str], added: &[&str]) {
    let mut domain = DomainXml::parse(xml).unwrap();
    change(&mut domain);
    let after = domain.to_xml();
    let difference = difference(xml.trim_end(), &after);
    assert_eq!(difference, (removed.to_vec(), added.to_vec()), "{after}");
    assert_eq!(DomainXml::parse(&after), Ok(domain));
}

#[test]
fn processors_and_memory() {
    changes(
        QEMU,
        |domain| domain.vcpus = Some(4),
        &["<vcpu placement='static'>1</vcpu>"],
        &["<vcpu placement='static'>4</vcpu>"],
    );
    changes(
        QEMU,
        |domain| domain.memory_bytes = Some(256 << 20),
        &["<memory unit='KiB'>131072</memory>"],
        &["<memory unit='KiB'>262144</memory>"],
    );
}

#[test]
fn the_source_of_an_interface() {
    changes(
        QEMU,
        |domain| domain.interfaces[0].source.bridge = Some("br-east".to_owned()),
        &["<source bridge='br0'/>"],
        &["<source bridge='br-east'/>"],
    );
    changes(
        QEMU,
        |domain| domain.interfaces[2].source.port = Some(7777),
        &["<source address='127.0.0.1' port='7001'>"],
        &["<source address='127.0.0.1' port='7777'>"],
    );
    changes(
        QEMU,
        |domain| {
            domain.interfaces[0].kind = InterfaceKind::Network;
            domain.interfaces[0].source = InterfaceSource {
                network: Some("transit".to_owned()),
                ..InterfaceSource::default()
            };
        },
        &["<interface type='bridge'>", "<source bridge='br0'/>"],
        &["<interface type='network'>", "<source network='transit'/>"],
    );
}

#[test]
fn what_is_cleared_goes_with_its_line() {
    changes(
        QEMU,
        |domain| domain.interfaces[0].mtu = None,
        &["<mtu size='1400'/>"],
        &[],
    );
    changes(
        QEMU,
        |domain| domain.title = None,
        &["<title>Edge &amp; &quot;more&quot;</title>"],
        &[],
    );
    changes(
        QEMU,
        |domain| domain.features.retain(|feature| feature.name != "apic"),
        &["<apic/>"],
        &[],
    );
    changes(
        XEN,
        |domain| domain.interfaces[0].bandwidth = None,
        &["<bandwidth>", "<outbound average='10240'/>", "</bandwidth>"],
        &[],
    );
    changes(
        LXC,
        |domain| domain.filesystems[1].readonly = false,
        &["<readonly/>"],
        &[],
    );
}

#[test]
fn what_is_new_stands_where_libvirt_writes_it() {
    let with_title = |domain: &mut DomainXml| domain.title = Some("A < b".to_owned());
    changes(XEN, with_title, &[], &["<title>A &lt; b</title>"]);
    let mut domain = DomainXml::parse(XEN).unwrap();
    with_title(&mut domain);
    domain.metadata = Some(RouterMetadata {
        network: Some("metro".to_owned()),
        tags: vec!["core".to_owned()],
        ..RouterMetadata::default()
    });
    domain.features.push(FeatureXml {
        name: "pae".to_owned(),
        state: None,
    });
    let xml = domain.to_xml();
    assert!(
        xml.contains(
            "000000000801</uuid>
  <title>A &lt; b</title>
  <metadata>
    <vms:router xmlns:vms='urn:vms:metadata:1'>
      <vms:network>metro</vms:network>
      <vms:tag>core</vms:tag>
    </vms:router>
  </metadata>
  <memory "
        ),
        "{xml}"
    );
    assert!(
        xml.contains("    <hap state='off'/>\n    <pae/>\n  </features>"),
        "{xml}"
    );
}

#[test]
fn a_note_is_changed_among_those_of_others() {
    changes(
        QEMU,
        |domain| {
            let note = domain.metadata.as_mut().unwrap();
            note.network = Some("square".to_owned());
            note.tags.push("new".to_owned());
        },
        &["<vms:network>triangle</vms:network>"],
        &[
            "<vms:network>square</vms:network>",
            "<vms:tag>new</vms:tag>",
        ],
    );
    changes(
        QEMU,
        |domain| domain.metadata = None,
        &[
            "<vms:router xmlns:vms=\"urn:vms:metadata:1\">",
            "<vms:network>triangle</vms:network>",
            "<vms:tag>edge</vms:tag>",
            "</vms:router>",
        ],
        &[],
    );
}

#[test]
fn a_note_without_a_prefix_is_changed_without_one() {
    let xml = "<domain><metadata><router xmlns='urn:vms:metadata:1'><tag>a</tag></router>\
               </metadata></domain>";
    let mut domain = DomainXml::parse(xml).unwrap();
    let note = domain.metadata.as_mut().unwrap();
    assert_eq!(note.tags, ["a"]);
    note.network = Some("n".to_owned());
    assert_eq!(
        domain.to_xml(),
        xml.replace("<tag>", "<network>n</network><tag>")
    );
}

#[test]
fn a_device_takes_what_is_not_known_of_it_along() {
    let mut domain = DomainXml::parse(QEMU).unwrap();
    domain.interfaces.swap(0, 2);
    let removed = domain.interfaces.remove(1);
    let xml = domain.to_xml();
    let (first, second) = (
        xml.find("slot='0x04'").unwrap(),
        xml.find("slot='0x02'").unwrap(),
    );
    assert!(first < second, "{xml}");
    assert!(!xml.contains("slot='0x03'"), "{xml}");
    assert!(removed.to_xml().contains("slot='0x03'"));
    domain.interfaces.push(removed);
    assert!(domain.to_xml().contains("slot='0x03'"));
}

#[test]
fn devices_are_added_and_taken_out() {
    let mut nic = InterfaceXml::new(InterfaceKind::Bridge);
    nic.source.bridge = Some("br1".to_owned());
    changes(
        QEMU,
        |domain| domain.interfaces.insert(3, nic.clone()),
        &[],
        &[
            "<interface type='bridge'>",
            "<source bridge='br1'/>",
            "</interface>",
        ],
    );
    let mut disk = DiskXml::new("block", "vda");
    disk.source = Some("/dev/sdb".to_owned());
    changes(
        QEMU,
        |domain| domain.disks.push(disk.clone()),
        &[],
        &[
            "<disk type='block'>",
            "<source dev='/dev/sdb'/>",
            "<target dev='vda'/>",
            "</disk>",
        ],
    );
    // A disk is listed before the NICs, as libvirt does.
    let mut domain = DomainXml::parse(QEMU).unwrap();
    domain.disks.push(disk);
    let xml = domain.to_xml();
    assert!(xml.find("<disk") < xml.find("<interface"), "{xml}");
    changes(
        XEN,
        |domain| domain.disks.clear(),
        &[
            "<disk type='block' device='disk'>",
            "<driver name='phy'/>",
            "<source dev='/dev/vg0/core-7'/>",
            "<target dev='xvda' bus='xen'/>",
            "</disk>",
        ],
        &[],
    );
    changes(
        LXC,
        |domain| domain.channels.push(CharacterXml::guest_agent()),
        &[],
        &[
            "<channel type='unix'>",
            "<target type='virtio' name='org.qemu.guest_agent.0'/>",
            "</channel>",
        ],
    );
}

#[test]
fn a_disk_of_another_kind_has_another_attribute() {
    changes(
        XEN,
        |domain| domain.disks[0].kind = "file".to_owned(),
        &[
            "<disk type='block' device='disk'>",
            "<source dev='/dev/vg0/core-7'/>",
        ],
        &[
            "<disk type='file' device='disk'>",
            "<source file='/dev/vg0/core-7'/>",
        ],
    );
    changes(
        XEN,
        |domain| {
            domain.disks[0].kind = "volume".to_owned();
            domain.disks[0].source = Some("vg0/core-7".to_owned());
        },
        &[
            "<disk type='block' device='disk'>",
            "<source dev='/dev/vg0/core-7'/>",
        ],
        &[
            "<disk type='volume' device='disk'>",
            "<source pool='vg0' volume='core-7'/>",
        ],
    );
}

#[test]
fn a_document_on_one_line_stays_on_one_line() {
    let xml =
        "<domain type='test'><name>r</name><devices><interface type='user'/></devices></domain>";
    let mut domain = DomainXml::parse(xml).unwrap();
    domain.vcpus = Some(1);
    domain.interfaces[0].model = Some("e1000".to_owned());
    assert_eq!(
        domain.to_xml(),
        "<domain type='test'><name>r</name><vcpu>1</vcpu><devices><interface type='user'>\
         <model type='e1000'/></interface></devices></domain>"
    );
}

#[test]
fn what_cannot_be_understood_is_left_alone_until_it_is_changed() {
    let xml = "<domain><vcpu>many</vcpu><memory unit='furlong'>7</memory></domain>";
    let mut domain = DomainXml::parse(xml).unwrap();
    assert_eq!((domain.vcpus, domain.memory_bytes), (None, None));
    assert_eq!(domain.to_xml(), xml);
    domain.memory_bytes = Some(1 << 20);
    assert_eq!(domain.to_xml(), xml.replace("'furlong'>7", "'KiB'>1024"));
}

#[test]
fn networks() {
    let xml = NETWORKS[1].trim_end();
    let mut network = NetworkXml::parse(xml).unwrap();
    network.ips[0].prefix = Some(25);
    network.forward_devices.remove(0);
    network.ips.push(IpXml::new("10.9.0.1", 31));
    let after = network.to_xml();
    assert_eq!(
        difference(xml, &after),
        (
            vec![
                "<forward dev='eth1' mode='route'>",
                "<interface dev='eth1'/>",
                "<ip address='10.7.0.1' netmask='255.255.255.0'>",
            ],
            vec![
                "<forward dev='eth2' mode='route'>",
                "<ip address='10.7.0.1' prefix='25'>",
                "<ip address='10.9.0.1' prefix='31'/>",
            ]
        ),
        "{after}"
    );
    assert_eq!(NetworkXml::parse(&after), Ok(network));
}

#[test]
fn host_interfaces() {
    let xml = INTERFACES[2].trim_end();
    let mut vlan = HostInterfaceXml::parse(xml).unwrap();
    vlan.addresses[1] = "2001:db8:42::2/64".to_owned();
    vlan.ports = vec!["eth1".to_owned()];
    let after = vlan.to_xml();
    assert_eq!(
        difference(xml, &after),
        (
            vec![
                "<ip address='2001:db8:42::1' prefix='64'/>",
                "<interface name='eth0'/>"
            ],
            vec![
                "<ip address='2001:db8:42::2' prefix='64'/>",
                "<interface name='eth1'/>"
            ]
        )
    );
}

#[test]
fn storage() {
    let xml = POOLS[2].trim_end();
    let mut pool = PoolXml::parse(xml).unwrap();
    pool.capacity_bytes = Some(200 << 30);
    pool.source.host = Some("other.example.net".to_owned());
    let after = pool.to_xml();
    assert_eq!(
        difference(xml, &after),
        (
            vec![
                "<capacity unit='GiB'>100</capacity>",
                "<host name='store.example.net'/>"
            ],
            vec![
                "<capacity unit='GiB'>200</capacity>",
                "<host name='other.example.net'/>"
            ]
        )
    );
    let xml = VOLUMES[1].trim_end();
    let mut volume = VolumeXml::parse(xml).unwrap();
    volume.name = "copy.qcow2".to_owned();
    let after = volume.to_xml();
    assert_eq!(
        difference(xml, &after),
        (
            vec!["<name>over.qcow2</name>"],
            vec!["<name>copy.qcow2</name>"]
        )
    );
}
