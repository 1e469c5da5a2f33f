//! The image store, through the operations: uploads in parts, what is refused, and what is left.

use crate::support::{self, Running, directory, observer, operator};
use api::{
    BeginImageUploadRequest, CancelImageUploadRequest, CreateRouterRequest, DeleteImageRequest,
    DeleteRouterRequest, DescribeImageRequest, Error, EvictImageRequest, GetImageUploadRequest,
    GetJobRequest, Image, ImageDescription, ImageFileRole, ImageKind, ImageUpload, JobState,
    ListImagesRequest, UploadId, UploadPart, UploadedFile,
};
use bytes::Bytes;
use control::Settings;
use futures_util::{StreamExt as _, stream};
use std::{path::Path, time::Duration};

/// Of nothing that comes here.
const DIGEST: &str = "b5bb0f1fb2ba5d5a3bb9f8c6c6d6a7b0f3b0dfb5b7a2c3d9a0d6f5a4d2d7ce50";

fn bytes(length: usize) -> Bytes {
    (0..length).map(|at| (at % 251) as u8).collect()
}

fn description(name: &str) -> ImageDescription {
    ImageDescription {
        name: name.to_owned(),
        version: "1".to_owned(),
        architecture: "x86_64".to_owned(),
        ..ImageDescription::default()
    }
}

fn raw(name: &str, size: Option<u64>) -> BeginImageUploadRequest {
    BeginImageUploadRequest {
        kind: ImageKind::Raw,
        description: description(name),
        files: vec![UploadedFile {
            role: ImageFileRole::Disk,
            size_bytes: size,
            sha256: None,
        }],
        request_id: None,
    }
}

async fn empty(data: &Path) -> Running {
    support::start(Settings::new(data.to_owned())).await
}

async fn begin(on: &Running, request: BeginImageUploadRequest) -> Result<ImageUpload, Error> {
    let begun = on.operations.begin_image_upload(&operator(), request).await;
    begun.map(|reply| reply.upload)
}

/// Sends a part in pieces, and hangs up after it if the caller is cut off.
async fn send(
    on: &Running,
    upload: UploadId,
    role: ImageFileRole,
    offset: u64,
    bytes: Bytes,
    is_cut: bool,
) -> Result<ImageUpload, Error> {
    let pieces: Vec<_> = bytes
        .chunks(70_001)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    let cut = is_cut.then(|| Err("the cable was pulled".to_owned()));
    let part = UploadPart {
        upload,
        role,
        offset,
        size_bytes: None,
        last: true,
        bytes: stream::iter(pieces.into_iter().chain(cut)).boxed(),
    };
    let sent = on.operations.upload_image_part(&operator(), part).await;
    sent.map(|reply| reply.upload)
}

async fn images(on: &Running) -> Vec<Image> {
    let request = ListImagesRequest::default();
    on.operations
        .list_images(&observer(), request)
        .await
        .unwrap()
        .images
}

async fn progress(on: &Running, upload: UploadId) -> u64 {
    let request = GetImageUploadRequest { upload };
    let found = on.operations.get_image_upload(&observer(), request).await;
    found.unwrap().upload.files[0].received_bytes
}

/// What is in the directory of the store.
fn kept(data: &Path, within: &str) -> usize {
    std::fs::read_dir(data.join("images").join(within))
        .unwrap()
        .count()
}

#[tokio::test]
async fn an_upload_is_gone_on_with_after_a_cut_and_after_a_restart() {
    let data = directory();
    let all = bytes(3 << 20);
    let running = empty(data.path()).await;
    let upload = begin(&running, raw("debian", Some(all.len() as u64)))
        .await
        .unwrap();
    assert_eq!(
        upload.files[0].path,
        format!("/images/uploads/{}/disk", upload.id)
    );
    let (disk, id) = (ImageFileRole::Disk, upload.id);
    let cut = send(&running, id, disk, 0, all.slice(..1_000_003), true).await;
    let cut = cut.unwrap_err().to_string();
    assert!(cut.contains("1000003 bytes"), "{cut}");
    assert_eq!(progress(&running, id).await, 1_000_003);
    // Behind what is there is nothing to go on from.
    let hole = send(&running, id, disk, 1_000_004, all.slice(1_000_004..), false).await;
    assert!(hole.unwrap_err().to_string().contains("go on at 1000003"));
    let more = send(
        &running,
        id,
        disk,
        1_000_003,
        all.slice(1_000_003..1_500_000),
        true,
    )
    .await;
    assert!(more.is_err());
    running.control.shutdown().await;

    let running = empty(data.path()).await;
    assert_eq!(progress(&running, id).await, 1_500_000);
    // A little of it again, as a caller does that knows less than the server.
    let done = send(&running, id, disk, 1_400_000, all.slice(1_400_000..), false)
        .await
        .unwrap();
    let image = images(&running).await.remove(0);
    assert_eq!(done.image, Some(image.id));
    assert!(done.files[0].complete);
    let file = &image.files[0];
    assert_eq!(
        (file.size_bytes, file.virtual_size_bytes),
        (3 << 20, Some(3 << 20))
    );
    let stored = data.path().join("images/files").join(&file.sha256);
    assert_eq!(std::fs::read(stored).unwrap(), all);
    assert_eq!(kept(data.path(), "incoming"), 0);
    // The answer was lost, and all is sent again.
    let again = send(&running, id, disk, 0, all.clone(), false)
        .await
        .unwrap();
    assert_eq!(again.image, Some(image.id));
    running.control.shutdown().await;
}

#[tokio::test]
async fn what_was_not_announced_is_refused_and_deleted() {
    let data = directory();
    let running = empty(data.path()).await;
    let disk = ImageFileRole::Disk;
    let mut request = raw("a", None);
    request.files[0].sha256 = Some(DIGEST.to_owned());
    let wrong = begin(&running, request).await.unwrap();
    let error = send(&running, wrong.id, disk, 0, bytes(1 << 20), false)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::InvalidArgument(of) if of.element == "files/sha256"),
        "{error}"
    );
    assert_eq!(
        (
            progress(&running, wrong.id).await,
            kept(data.path(), "incoming")
        ),
        (0, 0)
    );

    let short = begin(&running, raw("b", Some(1000))).await.unwrap();
    let error = send(&running, short.id, disk, 0, bytes(1001), false)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("more than the 1000 bytes"),
        "{error}"
    );
    assert_eq!(kept(data.path(), "incoming"), 0);
    // It may be sent again, and is right now.
    let done = send(&running, short.id, disk, 0, bytes(1000), false)
        .await
        .unwrap();
    assert!(done.image.is_some());

    let mut qcow2 = raw("c", None);
    qcow2.kind = ImageKind::Qcow2;
    let backed = begin(&running, qcow2).await.unwrap();
    let mut header = vec![0; 1 << 17];
    header[..8].copy_from_slice(b"QFI\xfb\0\0\0\x03");
    header[15] = 200;
    header[19] = 11;
    let error = send(&running, backed.id, disk, 0, header.into(), false)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("backing file"), "{error}");
    assert_eq!(
        (kept(data.path(), "incoming"), kept(data.path(), "files")),
        (0, 1)
    );
    let role = ImageFileRole::Kernel;
    let error = send(&running, backed.id, role, 0, bytes(3), false)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("it has disk"), "{error}");
    running.control.shutdown().await;
}

#[tokio::test]
async fn an_image_of_two_files_is_there_with_the_second_and_files_are_stored_once() {
    let data = directory();
    let running = empty(data.path()).await;
    let kernel = || {
        let mut kernel = vec![7; 4096];
        kernel[..4].copy_from_slice(b"\x7fELF");
        Bytes::from(kernel)
    };
    for (name, expected) in [("a", 2), ("b", 2)] {
        let request = BeginImageUploadRequest {
            kind: ImageKind::Kernel,
            files: [ImageFileRole::InitialFileSystem, ImageFileRole::Kernel]
                .map(|role| UploadedFile {
                    role,
                    size_bytes: None,
                    sha256: None,
                })
                .into(),
            ..raw(name, None)
        };
        let upload = begin(&running, request).await.unwrap();
        let first = send(
            &running,
            upload.id,
            ImageFileRole::Kernel,
            0,
            kernel(),
            false,
        )
        .await;
        assert_eq!(first.unwrap().image, None);
        let role = ImageFileRole::InitialFileSystem;
        let second = Bytes::from_static(b"\x1f\x8b\x08 and so on");
        let done = send(&running, upload.id, role, 0, second, false)
            .await
            .unwrap();
        assert!(done.image.is_some());
        assert_eq!(kept(data.path(), "files"), expected);
    }
    let names: Vec<_> = images(&running).await.iter().map(Image::title).collect();
    assert_eq!(names, ["a 1", "b 1"]);
    running.control.shutdown().await;
}

#[tokio::test]
async fn two_at_once_do_not_get_one_name() {
    let data = directory();
    let running = empty(data.path()).await;
    let (a, b) = tokio::join!(
        begin(&running, raw("debian", None)),
        begin(&running, raw("debian", None))
    );
    let refused = [a.as_ref().err(), b.as_ref().err()].into_iter().flatten();
    let refused: Vec<_> = refused.map(ToString::to_string).collect();
    assert_eq!(refused.len(), 1);
    assert!(
        refused[0].contains("being uploaded already, by pat"),
        "{refused:?}"
    );
    let upload = a.or(b).unwrap();
    let disk = ImageFileRole::Disk;
    send(&running, upload.id, disk, 0, bytes(512), false)
        .await
        .unwrap();
    let error = begin(&running, raw("debian", None)).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("there is an image debian 1 already"),
        "{error}"
    );

    let other = begin(&running, raw("other", None)).await.unwrap();
    send(&running, other.id, disk, 0, bytes(512), false)
        .await
        .unwrap();
    let other = images(&running).await.remove(1);
    let request = |name: &str| DescribeImageRequest {
        image: other.id,
        description: description(name),
        request_id: None,
    };
    let taken = running
        .operations
        .describe_image(&operator(), request("debian"))
        .await;
    assert!(matches!(taken, Err(Error::Conflict(_))), "{taken:?}");
    let named = running
        .operations
        .describe_image(&operator(), request("third"))
        .await;
    assert_eq!(named.unwrap().image.title(), "third 1");
    running.control.shutdown().await;
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused_in_a_sentence() {
    let data = directory();
    let running = empty(data.path()).await;
    for name in ["", "../../etc", "a/b", "<script>", &"x".repeat(10_000)] {
        let error = begin(&running, raw(name, None)).await.unwrap_err();
        let Error::InvalidArgument(of) = &error else {
            panic!("{error}")
        };
        assert_eq!(of.element, "description/name");
        assert!(of.message.len() < 500, "{} bytes", of.message.len());
    }
    let mut request = raw("a", None);
    request.files[0].role = ImageFileRole::Kernel;
    let error = begin(&running, request).await.unwrap_err();
    assert!(error.to_string().contains("has the files disk"), "{error}");
    let denied = running
        .operations
        .begin_image_upload(&observer(), raw("a", None))
        .await;
    assert!(matches!(denied, Err(Error::Denied(_))), "{denied:?}");
    running.control.shutdown().await;
}

#[tokio::test]
async fn an_upload_that_nobody_goes_on_with_is_given_up_and_leaves_nothing() {
    let data = directory();
    let mut settings = Settings::new(data.path().to_owned());
    settings.images.upload_expiry = Duration::from_millis(200);
    let running = support::start(settings).await;
    let upload = begin(&running, raw("a", None)).await.unwrap();
    let disk = ImageFileRole::Disk;
    let _ = send(&running, upload.id, disk, 0, bytes(100_000), true).await;
    let gone = async {
        while kept(data.path(), "incoming") > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(support::PATIENCE, gone)
        .await
        .expect("it is given up");
    let request = GetImageUploadRequest { upload: upload.id };
    let error = running
        .operations
        .get_image_upload(&observer(), request)
        .await;
    assert!(matches!(error, Err(Error::NotFound(_))), "{error:?}");
    running.control.shutdown().await;
}

#[tokio::test]
async fn who_cancels_an_upload_ends_what_is_sent_and_leaves_nothing() {
    let data = directory();
    let running = empty(data.path()).await;
    let upload = begin(&running, raw("a", None)).await.unwrap();
    let part = UploadPart {
        upload: upload.id,
        role: ImageFileRole::Disk,
        offset: 0,
        size_bytes: None,
        last: true,
        // Its caller says nothing more and does not hang up.
        bytes: stream::iter([Ok(bytes(1000))])
            .chain(stream::pending())
            .boxed(),
    };
    let operations = running.operations.clone();
    let sending =
        tokio::spawn(async move { operations.upload_image_part(&operator(), part).await });
    while progress(&running, upload.id).await < 1000 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let request = CancelImageUploadRequest { upload: upload.id };
    running
        .operations
        .cancel_image_upload(&operator(), request)
        .await
        .unwrap();
    let sent = sending.await.unwrap();
    assert!(sent.is_err(), "{sent:?}");
    assert_eq!(kept(data.path(), "incoming"), 0);
    let request = ListImagesRequest::default();
    let left = running
        .operations
        .list_images(&observer(), request)
        .await
        .unwrap();
    assert!(left.uploads.is_empty());
    running.control.shutdown().await;
}

#[tokio::test]
async fn who_comes_again_need_not_wait_for_a_connection_that_is_dead() {
    let data = directory();
    let running = empty(data.path()).await;
    let upload = begin(&running, raw("a", Some(2000))).await.unwrap();
    let part = UploadPart {
        upload: upload.id,
        role: ImageFileRole::Disk,
        offset: 0,
        size_bytes: Some(2000),
        last: true,
        bytes: stream::iter([Ok(bytes(1000))])
            .chain(stream::pending())
            .boxed(),
    };
    let operations = running.operations.clone();
    let dead = tokio::spawn(async move { operations.upload_image_part(&operator(), part).await });
    while progress(&running, upload.id).await < 1000 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let rest = bytes(2000).slice(1000..);
    let done = send(&running, upload.id, ImageFileRole::Disk, 1000, rest, false).await;
    assert!(done.unwrap().image.is_some());
    let dead = dead.await.unwrap().unwrap_err().to_string();
    assert!(dead.contains("another request goes on"), "{dead}");
    running.control.shutdown().await;
}

#[tokio::test]
async fn two_servers_do_not_share_a_store() {
    let (data, other) = (directory(), directory());
    let running = empty(data.path()).await;
    let mut settings = Settings::new(other.path().to_owned());
    settings.images.directory = Some(data.path().join("images"));
    let refused = control::Control::start(settings).await.unwrap_err();
    assert!(
        refused.to_string().contains("another VMS server"),
        "{refused}"
    );
    running.control.shutdown().await;
}

#[tokio::test]
async fn an_image_that_a_router_is_made_from_stays() {
    let data = directory();
    let running = support::demo(data.path()).await;
    let operations = &running.operations;
    let upload = begin(&running, raw("debian", Some(4096))).await.unwrap();
    let disk = ImageFileRole::Disk;
    let done = send(&running, upload.id, disk, 0, bytes(4096), false)
        .await
        .unwrap();
    let image = done.image.unwrap();
    let ended = async |job: api::JobId| {
        let request = GetJobRequest {
            job,
            wait_seconds: Some(50),
        };
        operations.get_job(&observer(), request).await.unwrap().job
    };
    let host = || "poa-edge-1".parse().unwrap();
    let creation = CreateRouterRequest {
        name: "made".to_owned(),
        image,
        host: Some(host()),
        driver: None,
        vcpus: Some(1),
        memory_bytes: None,
        disk_bytes: None,
        interfaces: Vec::new(),
        virtual_network: None,
        tags: Vec::new(),
        autostart: None,
        start: Some(false),
        ready_within_seconds: None,
        cloud_init: None,
        kernel_arguments: None,
        create_pool: Some(true),
        request_id: None,
    };
    let created = operations
        .create_router(&operator(), creation)
        .await
        .unwrap();
    let created = ended(created.job.id).await;
    assert_eq!(created.state, JobState::Succeeded, "{}", created.message);
    let shown = images(&running).await.remove(0);
    assert_eq!((shown.routers, shown.copies[0].routers), (1, 1));

    let delete = async || {
        let request = DeleteImageRequest {
            image,
            request_id: None,
        };
        operations.delete_image(&operator(), request).await
    };
    let evict = async || {
        let request = EvictImageRequest {
            image,
            host: host(),
            request_id: None,
        };
        operations.evict_image(&operator(), request).await
    };
    for refused in [delete().await.map(|_| ()), evict().await.map(|_| ())] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, Error::Conflict(_)), "{refused}");
        assert!(
            refused.to_string().contains("made is made from it"),
            "{refused}"
        );
    }
    let request = DeleteRouterRequest {
        router: created.router.unwrap(),
        keep_disks: None,
        force: Some(true),
        request_id: None,
    };
    let deleted = operations
        .delete_router(&operator(), request)
        .await
        .unwrap();
    let deleted = ended(deleted.job.id).await;
    assert_eq!(deleted.state, JobState::Succeeded, "{}", deleted.message);
    let gone = ended(delete().await.unwrap().job.id).await;
    assert_eq!(gone.state, JobState::Succeeded, "{}", gone.message);
    assert!(images(&running).await.is_empty());
    assert_eq!(kept(data.path(), "files"), 0);
    running.control.shutdown().await;
}

#[tokio::test]
async fn a_start_deletes_what_a_death_left_and_nothing_that_is_somebody_elses() {
    let data = directory();
    let images = data.path().join("images");
    let uuid = "00000000-0000-4000-8000-000000000000";
    for within in ["files", "incoming"] {
        std::fs::create_dir_all(images.join(within)).unwrap();
    }
    let left = [
        format!("files/{}", "ab".repeat(32)),
        format!("incoming/{uuid}.disk"),
        format!("incoming/import-{uuid}"),
    ];
    let others = ["files/letter.txt", "incoming/notes", "incoming/a.b"];
    for name in left.iter().map(String::as_str).chain(others) {
        std::fs::write(images.join(name), "x").unwrap();
    }
    let running = empty(data.path()).await;
    for name in &left {
        assert!(!images.join(name).exists(), "{name}");
    }
    for name in others {
        assert!(images.join(name).exists(), "{name}");
    }
    running.control.shutdown().await;
}
