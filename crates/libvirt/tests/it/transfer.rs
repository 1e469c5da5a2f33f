//! What is in volumes, to a host and from it. The test driver cannot do that: these run against a
//! QEMU host, `VMS_TEST_QEMU_URI=qemu+tcp://host/system cargo test -p libvirt -- --ignored`.

use std::io::Cursor;

use bytes::Bytes;
use libvirt::{Chunk, Connection, ErrorKind, PoolXml, Span, VolumeXml};
use tokio::io::AsyncReadExt;

use crate::fleet::{host, qemu};

const MIB: u64 = 1 << 20;

/// A pool of its own on a QEMU host, with one volume, `v`.
async fn volume(pool: &str, capacity: u64) -> Connection {
    let connection = qemu().await;
    remove(&connection, pool).await;
    let mut definition = PoolXml::new("dir", pool);
    definition.path = Some(format!("/var/lib/libvirt/images/{pool}"));
    connection.define_pool(&definition).await.unwrap();
    connection.build_pool(pool).await.unwrap();
    connection.start_pool(pool).await.unwrap();
    let mut definition = VolumeXml::new("v", capacity);
    definition.allocation_bytes = Some(0);
    connection.create_volume(pool, &definition).await.unwrap();
    connection
}

/// Leaves nothing of a pool, whatever state it is in.
async fn remove(connection: &Connection, pool: &str) {
    for volume in connection.list_volumes(pool).await.unwrap_or_default() {
        connection.delete_volume(pool, &volume.name).await.unwrap();
    }
    let _ = connection.stop_pool(pool).await;
    let _ = connection.delete_pool(pool).await;
    let _ = connection.undefine_pool(pool).await;
}

/// Data between holes: 1 MiB of it, 30 MiB of nothing, 1 MiB and a bit, 8 MiB of nothing.
fn sparse_content() -> Vec<u8> {
    let noise = (0..MIB).map(|n| ((n * 2_654_435_761) >> 7) as u8 | 1);
    let mut content: Vec<u8> = noise.collect();
    content.extend(vec![0; 30 << 20]);
    content.extend_from_within(..1 << 20);
    content.extend(b"a bit");
    content.extend(vec![0; 8 << 20]);
    content
}

async fn download(connection: &Connection, pool: &str, span: Span) -> Vec<u8> {
    let mut sink = Cursor::new(Vec::new());
    let mut download = connection.download(pool, "v", span).await.unwrap();
    download.copy(&mut sink, |_| {}).await.unwrap();
    sink.into_inner()
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn what_was_uploaded_is_downloaded_and_its_holes_stay_holes() {
    let content = sparse_content();
    let length = content.len() as u64;
    let pool = "vms-test-sparse";
    let connection = volume(pool, length).await;
    let mut upload = connection.upload(pool, "v", Span::default()).await.unwrap();
    let mut seen = Vec::new();
    upload
        .copy(&content[..], |done| seen.push(done))
        .await
        .unwrap();
    assert_eq!(upload.position(), length);
    upload.finish().await.unwrap();
    assert!(seen.is_sorted() && seen.last() == Some(&length));
    let stored = connection.volume(pool, "v").await.unwrap().unwrap();
    assert!(stored.allocation_bytes < 4 * MIB, "{stored:?}");

    let mut download = connection
        .download(pool, "v", Span::default())
        .await
        .unwrap();
    let (mut data, mut holes) = (0, 0);
    while let Some(chunk) = download.next().await.unwrap() {
        match chunk {
            Chunk::Data(bytes) => data += bytes.len() as u64,
            Chunk::Hole(length) => holes += length,
        }
    }
    assert_eq!(data + holes, length);
    assert!(holes > 36 * MIB, "{holes} bytes of holes");
    assert_eq!(download.next().await, Ok(None));
    assert!(self::download(&connection, pool, Span::default()).await == content);
    // The same without holes, and a part of it.
    let dense = Span {
        sparse: false,
        ..Span::default()
    };
    assert!(self::download(&connection, pool, dense).await == content);
    let part = Span {
        offset: 31 * MIB,
        length: Some(MIB + 5),
        sparse: true,
    };
    let from = part.offset as usize;
    assert!(self::download(&connection, pool, part).await == content[from..from + (1 << 20) + 5]);
    remove(&connection, pool).await;
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn a_part_of_a_volume_is_written_without_holes() {
    let pool = "vms-test-dense";
    let connection = volume(pool, 2 * MIB).await;
    let span = Span {
        offset: MIB,
        length: Some(MIB),
        sparse: false,
    };
    let mut upload = connection.upload(pool, "v", span).await.unwrap();
    upload.send(Bytes::from_static(b"here")).await.unwrap();
    upload.hole(MIB - 8).await.unwrap();
    upload.send(Bytes::from_static(b"ends")).await.unwrap();
    upload.finish().await.unwrap();
    let content = download(&connection, pool, Span::default()).await;
    assert_eq!(content.len(), 2 << 20);
    assert_eq!(&content[1 << 20..][..8], b"here\0\0\0\0");
    assert_eq!(&content[(2 << 20) - 5..], b"\0ends");
    remove(&connection, pool).await;
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn a_transfer_that_is_given_up_lets_go_of_the_volume() {
    let pool = "vms-test-cancel";
    let connection = volume(pool, 512 * MIB).await;
    let content = tokio::io::repeat(7).take(512 * MIB);
    let mut upload = connection.upload(pool, "v", Span::default()).await.unwrap();
    let copied = tokio::time::timeout(
        std::time::Duration::from_millis(200),
        upload.copy(content, |_| {}),
    );
    assert!(copied.await.is_err(), "512 MiB went in no time");
    let done = upload.position();
    assert!(done > 0 && done < 512 * MIB);
    // It was left in the middle of a chunk, and cannot be gone on with.
    let error = upload.send(Bytes::from_static(b"x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal, "{error}");
    drop(upload);
    let mut download = connection
        .download(pool, "v", Span::default())
        .await
        .unwrap();
    assert!(download.next().await.unwrap().is_some());
    drop(download);
    // Else the volume were in use.
    let mut deleted = connection.delete_volume(pool, "v").await;
    for _ in 0..50 {
        if deleted.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        deleted = connection.delete_volume(pool, "v").await;
    }
    assert_eq!(deleted, Ok(()));
    remove(&connection, pool).await;
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn a_slow_reader_does_not_fill_the_memory() {
    let resident = || {
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
        pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
    };
    let pool = "vms-test-slow";
    let connection = volume(pool, 512 * MIB).await;
    let mut upload = connection.upload(pool, "v", Span::default()).await.unwrap();
    let content = tokio::io::repeat(7).take(512 * MIB);
    upload.copy(content, |_| {}).await.unwrap();
    upload.finish().await.unwrap();
    let before = resident();
    let mut download = connection
        .download(pool, "v", Span::default())
        .await
        .unwrap();
    assert!(download.next().await.unwrap().is_some());
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let grown = resident().saturating_sub(before);
    assert!(grown < 200 * MIB, "{grown} bytes more");
    drop(download);
    remove(&connection, pool).await;
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn other_calls_go_on_beside_a_transfer() {
    let pool = "vms-test-beside";
    let connection = volume(pool, 64 * MIB).await;
    let mut upload = connection.upload(pool, "v", Span::default()).await.unwrap();
    let content = tokio::io::repeat(7).take(64 * MIB);
    let mut answered = 0;
    let (copied, ()) = tokio::join!(upload.copy(content, |_| {}), async {
        for _ in 0..20 {
            connection.hostname().await.unwrap();
            answered += 1;
        }
    });
    copied.unwrap();
    assert_eq!(answered, 20);
    upload.finish().await.unwrap();
    remove(&connection, pool).await;
}

#[tokio::test]
#[ignore = "needs a QEMU host, named by VMS_TEST_QEMU_URI"]
async fn what_is_not_there_is_not_found_and_behind_the_end_is_nothing() {
    let pool = "vms-test-errors";
    let connection = volume(pool, MIB).await;
    let error = connection
        .upload(pool, "w", Span::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let span = Span {
        offset: 2 * MIB,
        ..Span::default()
    };
    let mut download = connection.download(pool, "v", span).await.unwrap();
    assert_eq!(download.next().await, Ok(None));
    let error = connection.download("no pool", "v", span).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    remove(&connection, pool).await;
}

#[tokio::test]
async fn the_test_driver_is_not_asked() {
    let host = host().await;
    let span = Span::default();
    let upload = host.connection.upload("p", "v", span).await.unwrap_err();
    let download = host.connection.download("p", "v", span).await.unwrap_err();
    for error in [upload, download] {
        assert_eq!(error.kind(), ErrorKind::NotSupported);
    }
}
