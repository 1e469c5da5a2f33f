//! A host of the test driver, described by a file in a directory of its own.

use std::time::Duration;

use libvirt::{Connection, Event, EventReceiver, Options, Uri};
use tempfile::TempDir;
use uuid::Uuid;

pub const EDGE: Uuid = Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_00e1);
pub const CORE: Uuid = Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_00c1);
pub const SPARE: Uuid = Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0051);
pub const TRANSIT: Uuid = Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_00f1);

const NODE: &str = "<node>
  <domain type='test'>
    <name>edge-1</name><uuid>EDGE</uuid><title>Edge &amp; gateway</title>
    <metadata><vms:router xmlns:vms='urn:vms:metadata:1'>
      <vms:network>triangle</vms:network><vms:tag>edge</vms:tag></vms:router></metadata>
    <memory unit='MiB'>256</memory><vcpu>2</vcpu><os><type>hvm</type></os>
    <devices>
      <disk type='file' device='disk'><source file='/images/edge-1.img'/><target dev='vda' bus='virtio'/></disk>
      <interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br-core'/></interface>
      <interface type='network'><mac address='52:54:00:00:00:02'/><source network='transit'/></interface>
      <memballoon model='virtio'/>
    </devices>
  </domain>
  <domain type='test'>
    <name>core-1</name><uuid>CORE</uuid><memory unit='MiB'>512</memory><vcpu>1</vcpu>
    <os><type>hvm</type></os>
    <devices><interface type='bridge'><mac address='52:54:00:00:00:03'/><source bridge='br-core'/>
      </interface></devices>
  </domain>
  <domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
    <name>spare-1</name><uuid>SPARE</uuid><memory unit='MiB'>128</memory><vcpu>1</vcpu>
    <os><type>hvm</type></os><test:runstate>5</test:runstate>
  </domain>
  <network><name>transit</name><uuid>TRANSIT</uuid><forward mode='route'/><bridge name='virbr7'/>
    <ip address='10.7.0.1' netmask='255.255.255.0'/></network>
  <network><name>isolated</name><bridge name='virbr8'/></network>
  <interface type='bridge' name='br-core'><start mode='onboot'/>
    <protocol family='ipv4'><ip address='10.0.0.1' prefix='24'/></protocol>
    <bridge stp='off'><interface type='ethernet' name='eth1'><mac address='52:54:00:11:00:01'/>
      </interface></bridge></interface>
  <cpu><mhz>2400</mhz><model>i686</model><active>16</active><nodes>2</nodes><sockets>2</sockets>
    <cores>4</cores><threads>1</threads></cpu>
  <memory>8388608</memory>
</node>";

/// A connection to the host; the description lives as long.
pub struct Host {
    pub connection: Connection,
    _directory: TempDir,
}

pub async fn host() -> Host {
    let directory = tempfile::tempdir().unwrap();
    // A name that has to be encoded in a URI.
    let file = directory.path().join("node #1.xml");
    let node = [
        ("EDGE", EDGE),
        ("CORE", CORE),
        ("SPARE", SPARE),
        ("TRANSIT", TRANSIT),
    ]
    .iter()
    .fold(NODE.to_owned(), |text, (name, uuid)| {
        text.replace(name, &uuid.to_string())
    });
    std::fs::write(&file, node).unwrap();
    let options = Options {
        name: "test-host".to_owned(),
        ..Options::default()
    };
    let connection = Connection::open(&Uri::test_file(&file), options)
        .await
        .unwrap();
    Host {
        connection,
        _directory: directory,
    }
}

/// A connection to the QEMU host that is set aside for tests.
pub async fn qemu() -> Connection {
    connect("VMS_TEST_QEMU_URI").await
}

/// A connection to the host that an environment variable names.
pub async fn connect(variable: &str) -> Connection {
    let uri = std::env::var(variable).unwrap_or_else(|_| panic!("{variable} names no host"));
    let options = Options {
        name: "test-host".to_owned(),
        workers: 4,
        ..Options::default()
    };
    let uri = Uri::parse(&uri).unwrap();
    Connection::open(&uri, options).await.unwrap()
}

/// The next event; a test that waits for one in vain fails.
pub async fn next(events: &mut EventReceiver) -> Option<Event> {
    tokio::time::timeout(Duration::from_secs(10), events.recv())
        .await
        .expect("no event came")
}

/// Waits for the event that is meant and leaves the others out; a test that waits for one in vain
/// fails. A guest that boots under emulation takes its time.
pub async fn wait_for(events: &mut EventReceiver, is_meant: impl Fn(&Event) -> bool) -> Event {
    let wait = async {
        loop {
            let event = events.recv().await.expect("the events ended");
            if is_meant(&event) {
                return event;
            }
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(90), wait).await;
    waited.expect("no such event came")
}
