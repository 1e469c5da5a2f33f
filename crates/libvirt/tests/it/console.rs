//! Consoles of guests. The test driver has none: these run against a QEMU host,
//! `VMS_TEST_QEMU_URI=qemu+tcp://a/system cargo test -p libvirt -- --ignored console`.

use std::time::Duration;

use libvirt::{
    CharacterXml, Connection, Console, ConsoleData, DiskXml, DomainKind, DomainXml, ErrorKind,
    FeatureXml, PoolXml, Span, VolumeXml,
};
use uuid::Uuid;

use crate::{echo, fleet::qemu};

const POOL: &str = "vms-console";

/// A host, and a guest that runs there and echoes.
struct Home {
    host: Connection,
    guest: Uuid,
}

impl Home {
    async fn with_guest(number: u128) -> Self {
        let home = Self {
            host: qemu().await,
            guest: Uuid::from_u128(0x5a3c_1e70_0000_4000_8000_0000_0000_0c00 + number),
        };
        home.clean().await;
        let host = &home.host;
        let mut pool = PoolXml::new("dir", POOL);
        pool.path = Some("/var/lib/libvirt/images/vms-console".to_owned());
        host.define_pool(&pool).await.unwrap();
        host.build_pool(POOL).await.unwrap();
        host.start_pool(POOL).await.unwrap();
        let mut volume = VolumeXml::new("echo.raw", 1 << 20);
        volume.format = Some("raw".to_owned());
        let volume = host.create_volume(POOL, &volume).await.unwrap();
        let mut upload = host
            .upload(POOL, "echo.raw", Span::default())
            .await
            .unwrap();
        upload.send(echo::disk().into()).await.unwrap();
        upload.finish().await.unwrap();

        let mut definition = DomainXml::new(DomainKind::Qemu, &format!("vms-console-{number}"));
        definition.uuid = Some(home.guest);
        definition.memory_bytes = Some(32 << 20);
        definition.os.kind = Some("hvm".to_owned());
        definition.os.machine = Some("pc".to_owned());
        definition.features = vec![FeatureXml {
            name: "acpi".to_owned(),
            state: None,
        }];
        let mut disk = DiskXml::new("file", "hda");
        disk.source = Some(volume.path);
        disk.format = Some("raw".to_owned());
        disk.bus = Some("ide".to_owned());
        definition.disks = vec![disk];
        definition.serials = vec![CharacterXml::new("pty")];
        host.define_domain(&definition).await.unwrap();
        let early = host.open_console(home.guest, None, true).await.unwrap_err();
        assert_eq!(early.kind(), ErrorKind::Conflict, "{early}");
        host.start_domain(home.guest).await.unwrap();
        home
    }

    async fn open(&self) -> Console {
        self.host
            .open_console(self.guest, None, true)
            .await
            .unwrap()
    }

    /// A console whose guest has booted.
    async fn echoing(&self) -> Console {
        let mut console = self.open().await;
        let booted = async {
            loop {
                console.send("a".into()).await.unwrap();
                let soon = tokio::time::timeout(Duration::from_millis(300), console.next());
                if let Ok(Some(Ok(ConsoleData::Bytes(said)))) = soon.await
                    && said.ends_with(b"a")
                {
                    return;
                }
            }
        };
        let waited = tokio::time::timeout(Duration::from_mins(1), booted);
        waited.await.expect("the guest does not echo");
        // What it still echoes comes at once.
        let quiet = Duration::from_millis(500);
        while let Ok(said) = tokio::time::timeout(quiet, console.next()).await {
            said.unwrap().unwrap();
        }
        console
    }

    async fn clean(&self) {
        let _ = self.host.destroy_domain(self.guest).await;
        let _ = self.host.undefine_domain(self.guest).await;
        let _ = self.host.delete_volume(POOL, "echo.raw").await;
        let _ = self.host.stop_pool(POOL).await;
        let _ = self.host.delete_pool(POOL).await;
        let _ = self.host.undefine_pool(POOL).await;
    }
}

/// Threads of consoles that there are in this process.
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names
        .filter(|name| name.trim() == "libvirt-console")
        .count()
}

async fn no_thread_is_left() {
    let wait = async {
        while threads() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
    waited.expect("a console's thread is left");
}

/// Reads to the end of a flood: bytes that came, and bytes that were lost.
async fn flood(console: &mut Console) -> (u64, u64) {
    let (mut came, mut lost) = (0, 0);
    let read = async {
        loop {
            match console.next().await.expect("the console ended").unwrap() {
                ConsoleData::Bytes(said) => {
                    came += said.len() as u64;
                    if said.ends_with(b"!") {
                        return;
                    }
                }
                ConsoleData::Lost(bytes) => lost += bytes,
            }
            // The last byte may be lost, too.
            if came + lost > echo::FLOOD {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(2), read).await;
    waited.expect("the flood does not end");
    (came, lost)
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn what_is_typed_goes_in_and_what_the_guest_writes_comes_out() {
    let home = Home::with_guest(1).await;
    let mut console = home.echoing().await;
    assert_eq!(threads(), 1);
    // As fast as the guest's port takes it, whose FIFO has 16 bytes.
    let typed = b"show ip route";
    console.send(typed.as_slice().into()).await.unwrap();
    let mut said = Vec::new();
    while said.len() < typed.len() {
        match console.next().await.unwrap().unwrap() {
            ConsoleData::Bytes(bytes) => said.extend_from_slice(&bytes),
            ConsoleData::Lost(bytes) => panic!("{bytes} bytes were lost"),
        }
    }
    assert_eq!(said, typed);

    let polite = home.host.open_console(home.guest, None, false).await;
    let polite = polite.unwrap_err();
    assert_eq!(polite.kind(), ErrorKind::Conflict, "{polite}");
    let unknown = home.host.open_console(home.guest, Some("serial7"), true);
    assert!(unknown.await.is_err());
    // Somebody else takes it: the first ends.
    let second = home.open().await;
    let end = tokio::time::timeout(Duration::from_secs(10), console.next()).await;
    assert_eq!(end, Ok(None));
    let closed = console.send("a".into()).await;
    assert_eq!(closed.unwrap_err().kind(), ErrorKind::Lost);
    drop(console);

    // The domain stops: the console ends.
    let (_writer, mut reader) = second.split();
    home.host.destroy_domain(home.guest).await.unwrap();
    let end = tokio::time::timeout(Duration::from_secs(10), async {
        while let Some(Ok(_)) = reader.next().await {}
    });
    end.await.expect("the console does not end");
    no_thread_is_left().await;
    home.clean().await;
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn much_output_comes_whole_and_who_does_not_read_loses_some_and_stalls_nobody() {
    let home = Home::with_guest(2).await;
    let mut console = home.echoing().await;
    console.send("*".into()).await.unwrap();
    assert_eq!(flood(&mut console).await, (echo::FLOOD + 1, 0));

    console.send("*".into()).await.unwrap();
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let soon = tokio::time::timeout(Duration::from_secs(5), home.host.hostname());
        soon.await.expect("another call stalls").unwrap();
    }
    let (came, lost) = flood(&mut console).await;
    assert_eq!(came + lost, echo::FLOOD + 1);
    assert!(lost > 0 && came >= 1 << 19, "{came} came, {lost} were lost");
    // It goes on.
    console.send("b".into()).await.unwrap();
    let said = console.next().await.unwrap().unwrap();
    assert_eq!(said, ConsoleData::Bytes("b".into()));
    drop(console);
    no_thread_is_left().await;
    home.clean().await;
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn a_guest_that_takes_nothing_holds_back_who_types_and_nobody_else() {
    let home = Home::with_guest(3).await;
    let console = home.echoing().await;
    home.host.suspend(home.guest).await.unwrap();
    let (writer, reader) = console.split();
    let sent = std::sync::atomic::AtomicUsize::new(0);
    let pour = async {
        loop {
            writer.send(vec![b'a'; 4096].into()).await.unwrap();
            sent.fetch_add(4096, std::sync::atomic::Ordering::Relaxed);
        }
    };
    let poured = tokio::time::timeout(Duration::from_secs(5), pour).await;
    assert!(poured.is_err());
    let sent = sent.into_inner();
    println!("{sent} bytes went to a guest that is paused");
    assert!(sent < 4 << 20, "{sent} bytes are under way");
    let soon = tokio::time::timeout(Duration::from_secs(5), home.host.hostname());
    soon.await.expect("another call stalls").unwrap();
    drop((writer, reader));
    home.host.destroy_domain(home.guest).await.unwrap();
    no_thread_is_left().await;
    home.clean().await;
}
