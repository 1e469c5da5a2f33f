//! Images over HTTP and SOAP, as pilots and browsers bring them.

use crate::demo::{Demo, with_demo};
use api::{
    DistributeImageReply, DistributeImageRequest, Error, EvictImageReply, EvictImageRequest,
    GetImageReply, GetImageRequest, Image, ImageDescription, ImageFileRole, ImageId, ImageKind,
    ImportImageReply, ImportImageRequest, ImportedFile, Job, JobState, ListImagesReply,
    ListImagesRequest, ListImportFilesReply, ListImportFilesRequest,
};
use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::Request;
use serde_json::{Value, json};
use server::pilot::NAMESPACE;
use soap::{Message, Version, client};
use std::io;

fn description(name: &str) -> Value {
    json!({"name": name, "version": "1", "architecture": "x86_64"})
}

async fn send(
    demo: &Demo,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> (u16, Value, String) {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:8080");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = demo.send(request.body(body.into()).unwrap()).await;
    let offset = answer.header("upload-offset").to_owned();
    let json = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    (answer.status.as_u16(), json, offset)
}

async fn begin(demo: &Demo, name: &str, size: Option<u64>) -> String {
    let beginning = json!({
        "kind": "raw",
        "description": description(name),
        "files": [{"role": "disk", "sizeBytes": size}],
    });
    let kind = [("content-type", "application/json")];
    let (status, upload, _) = send(
        demo,
        "POST",
        "/images/uploads",
        &kind,
        beginning.to_string(),
    )
    .await;
    assert_eq!(status, 201, "{upload}");
    upload["files"][0]["path"].as_str().unwrap().to_owned()
}

async fn call<Q: Message, A: Message>(
    demo: &Demo,
    operation: &str,
    request: &Q,
) -> Result<A, Error> {
    let (content_type, action, body) = client::request(operation, NAMESPACE, Version::V12, request);
    let request = Request::post("/services/ImageService")
        .header("host", "localhost:8080")
        .header("content-type", content_type)
        .header("soapaction", action)
        .body(Body::from(body))
        .unwrap();
    let answer = demo.send(request).await;
    client::response(operation, NAMESPACE, &answer.body).map_err(|error| match error {
        client::Error::Fault(fault) => fault,
        other => panic!("{other}"),
    })
}

async fn image(demo: &Demo, name: &str) -> Option<Image> {
    let request = ListImagesRequest {
        name: Some(name.to_owned()),
    };
    let reply: ListImagesReply = call(demo, "ListImages", &request).await.unwrap();
    reply.images.into_iter().next()
}

/// The name of an upload that is under way.
async fn is_uploading(demo: &Demo, name: &str) -> bool {
    let reply: ListImagesReply = call(demo, "ListImages", &ListImagesRequest::default())
        .await
        .unwrap();
    reply
        .uploads
        .iter()
        .any(|upload| upload.description.name == name)
}

async fn ended(demo: &Demo, job: &Job) -> Job {
    let request = api::GetJobRequest {
        job: job.id,
        wait_seconds: Some(50),
    };
    demo.operations
        .get_job(&Demo::caller(), request)
        .await
        .unwrap()
        .job
}

#[test]
fn a_file_is_put_in_ranges_and_each_answer_says_where_to_go_on() {
    with_demo(async |demo| {
        let all = vec![7_u8; 1000];
        let path = begin(demo, "ranges", Some(1000)).await;
        let put = async |range: &str, bytes: &[u8]| {
            send(
                demo,
                "PUT",
                &path,
                &[("content-range", range)],
                bytes.to_vec(),
            )
            .await
        };
        let (status, upload, offset) = put("bytes 0-399/1000", &all[..400]).await;
        assert_eq!((status, offset.as_str()), (200, "400"), "{upload}");
        assert_eq!(upload["files"][0]["complete"], false);
        let (status, fault, offset) = put("bytes 500-999/1000", &all[500..]).await;
        assert_eq!((status, offset.as_str()), (409, "400"));
        assert_eq!(fault["fault"], "Conflict");
        let (status, fault, _) = put("bytes 400-999/2000", &all[400..]).await;
        assert_eq!((status, &fault["fault"]), (400, &json!("InvalidArgument")));
        for method in ["HEAD", "GET"] {
            let (status, _, offset) = send(demo, method, &path, &[], Body::empty()).await;
            assert_eq!((status, offset.as_str()), (200, "400"));
        }
        // A connection that breaks: what came stays.
        let cut = stream::iter([
            Ok(Bytes::copy_from_slice(&all[400..600])),
            Err(io::Error::other("the cable was pulled")),
        ]);
        let headers = [("content-range", "bytes 400-999/1000")];
        let (status, _, offset) = send(demo, "PUT", &path, &headers, Body::from_stream(cut)).await;
        assert_eq!((status, offset.as_str()), (409, "600"));
        let (status, upload, offset) = put("bytes 600-999/1000", &all[600..]).await;
        assert_eq!((status, offset.as_str()), (200, "1000"));
        let image = image(demo, "ranges").await.unwrap();
        assert_eq!(upload["image"], image.id.to_string());
        assert_eq!(image.files[0].size_bytes, 1000);
        // It is told of, and never given out.
        let answer = demo.get(&path).await;
        assert!(answer.text().starts_with('{'), "{}", answer.text());
    });
}

#[test]
fn what_cannot_be_is_refused_as_json_with_what_was_expected() {
    with_demo(async |demo| {
        let path = begin(demo, "refused", None).await;
        let none = path.replace("/disk", "/floppy");
        let nowhere = "/images/uploads/00000000-0000-4000-8000-000000000000/disk";
        for (method, path, headers, status, expected) in [
            (
                "PUT",
                path.as_str(),
                vec![("content-range", "bytes 5-1/9")],
                400,
                "bytes FIRST-LAST/SIZE",
            ),
            (
                "PUT",
                &path,
                vec![("content-encoding", "gzip")],
                400,
                "Content-Encoding",
            ),
            (
                "PUT",
                &none,
                vec![],
                400,
                "disk, kernel or initialFileSystem",
            ),
            (
                "PUT",
                "/images/uploads/x/disk",
                vec![],
                400,
                "a UUID was expected",
            ),
            ("PUT", nowhere, vec![], 404, "begin another"),
            ("GET", nowhere, vec![], 404, "begin another"),
            (
                "POST",
                "/images/uploads",
                vec![],
                400,
                "kind, description and files",
            ),
        ] {
            let (found, fault, _) = send(demo, method, path, &headers, "x").await;
            assert_eq!(found, status, "{method} {path}: {fault}");
            let message = fault["detail"]["message"].as_str().unwrap_or_default();
            assert!(message.contains(expected), "{message}");
        }
        // More than a range names.
        let pieces = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"abcdef"))]);
        let headers = [("content-range", "bytes 0-2/9")];
        let (status, fault, _) =
            send(demo, "PUT", &path, &headers, Body::from_stream(pieces)).await;
        assert_eq!(status, 409, "{fault}");
        for site in [
            ("origin", "http://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let (status, ..) = send(demo, "PUT", &path, &[site], "x").await;
            assert_eq!(status, 403);
        }
        let upload = path.trim_end_matches("/disk");
        let (status, ..) = send(demo, "DELETE", upload, &[], Body::empty()).await;
        assert_eq!(status, 204);
        let (status, ..) = send(demo, "GET", upload, &[], Body::empty()).await;
        assert_eq!(status, 404);
    });
}

#[test]
fn a_body_larger_than_any_other_is_taken_and_others_are_not() {
    with_demo(async |demo| {
        let path = begin(demo, "large", None).await;
        let (status, ..) = send(demo, "PUT", &path, &[], vec![1; 6 << 20]).await;
        assert_eq!(status, 200);
        let kind = [("content-type", "text/xml")];
        let (status, ..) = send(
            demo,
            "POST",
            "/services/ImageService",
            &kind,
            vec![b' '; 6 << 20],
        )
        .await;
        assert_eq!(status, 413);
        let length = [("content-length", "6291456")];
        let (status, ..) = send(demo, "POST", "/api/x", &length, vec![b' '; 6 << 20]).await;
        assert_eq!(status, 413);
    });
}

const RELATED: &str = "multipart/related; type=\"application/xop+xml\"; boundary=B; \
                       start-info=\"application/soap+xml\"";

/// `UploadImage` of a kernel, with these contents, and the parts behind it.
async fn upload(demo: &Demo, name: &str, contents: [&str; 2], parts: &str) -> (u16, String) {
    let [kernel, initrd] = contents;
    let file = |role: &str, content: &str| {
        format!("<files><role>{role}</role><content>{content}</content></files>")
    };
    let files = file("kernel", kernel) + &file("initialFileSystem", initrd);
    let message = format!(
        "--B\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n\
         \r\n<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope' \
         xmlns:x='http://www.w3.org/2004/08/xop/include'><e:Body><UploadImage \
         xmlns='{NAMESPACE}'><kind>kernel</kind><description><name>{name}</name><version>1</version>\
         <architecture>x86_64</architecture></description>{files}</UploadImage></e:Body></e:Envelope>\
         {parts}"
    );
    let request = Request::post("/services/ImageService")
        .header("host", "localhost:8080")
        .header("content-type", RELATED)
        .body(Body::from(message))
        .unwrap();
    let answer = demo.send(request).await;
    (answer.status.as_u16(), answer.text())
}

#[test]
fn an_image_comes_in_one_message_with_attachments() {
    with_demo(async |demo| {
        let kernel = format!("\x7fELF{}", "k".repeat(5 << 20));
        let initrd = "070701 and so on";
        let (a, b) = (
            "<x:Include href='cid:kernel@a'/>",
            "<x:Include href='cid:initrd'/>",
        );
        let both = format!(
            "\r\n--B\r\nContent-ID: <initrd>\r\n\r\n{initrd}\r\n--B\r\nContent-ID: <kernel@a>\r\n\r\n\
             {kernel}\r\n--B--\r\n"
        );
        let (status, text) = upload(demo, "attached", [a, b], &both).await;
        assert_eq!(status, 200, "{text}");
        let taken = image(demo, "attached").await.unwrap();
        assert!(text.contains(&taken.id.to_string()), "{text}");
        let sizes: Vec<_> = taken.files.iter().map(|file| file.size_bytes).collect();
        assert_eq!(sizes, [kernel.len() as u64, initrd.len() as u64]);

        // Small ones may stand in the message.
        let (status, text) = upload(demo, "inline", ["f0VMRg==", "MDcwNzAx"], "\r\n--B--").await;
        assert_eq!(status, 200, "{text}");
        assert!(image(demo, "inline").await.is_some());

        let part = |id: &str, bytes: &str| format!("\r\n--B\r\nContent-ID: <{id}>\r\n\r\n{bytes}");
        let k = part("kernel@a", &kernel);
        for (contents, parts, expected) in [
            (
                [a, b],
                format!("{k}\r\n--B--"),
                "there is no attachment \"initrd\"",
            ),
            (
                [a, b],
                format!("{k}{}\r\n--B--", part("other", "x")),
                "\"other\" belongs to none",
            ),
            ([a, b], format!("{k}{k}\r\n--B--"), "or came twice"),
            ([a, a], format!("{k}\r\n--B--"), "the same attachment"),
            ([a, b], k.clone(), "ends before its last boundary"),
            (
                [a, b],
                format!("{}\r\n--B--", part("kernel@a", "no kernel")),
                "not like a Linux kernel",
            ),
        ] {
            let (status, text) = upload(demo, "broken", contents, &parts).await;
            assert_eq!(status, 400, "{text}");
            assert!(text.contains("InvalidArgument"), "{text}");
            let said = text.replace("&quot;", "\"");
            assert!(said.contains(expected), "{expected}: {text}");
            assert!(image(demo, "broken").await.is_none());
            assert!(!is_uploading(demo, "broken").await, "{expected}");
        }
    });
}

#[test]
fn an_image_is_imported_brought_to_hosts_and_taken_away() {
    with_demo(async |demo| {
        let files: ListImportFilesReply = call(demo, "ListImportFiles", &ListImportFilesRequest {})
            .await
            .unwrap();
        let paths: Vec<_> = files.files.iter().map(|file| file.path.as_str()).collect();
        assert!(files.configured);
        assert_eq!(paths, ["disks/small.raw"]);
        let import = |path: &str, sha256: Option<&str>| ImportImageRequest {
            kind: ImageKind::Raw,
            description: ImageDescription {
                name: "imported".to_owned(),
                version: "1".to_owned(),
                architecture: "x86_64".to_owned(),
                ..ImageDescription::default()
            },
            files: vec![ImportedFile {
                role: ImageFileRole::Disk,
                path: path.to_owned(),
                sha256: sha256.map(str::to_owned),
            }],
            request_id: None,
        };
        let importing = async |path: &str, sha256: Option<&str>| {
            let request = import(path, sha256);
            call::<_, ImportImageReply>(demo, "ImportImage", &request).await
        };
        for (path, expected) in [
            ("../vms.db", "leads elsewhere"),
            ("/etc/passwd", "absolute"),
            ("link.raw", "symbolic link"),
            ("linked/small.raw", "symbolic link"),
        ] {
            let error = importing(path, None).await.unwrap_err();
            assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
        }
        let missing = importing("no.raw", None).await.unwrap_err();
        assert!(matches!(missing, Error::NotFound(_)), "{missing}");
        let wrong = importing("disks/small.raw", Some(&"0".repeat(64)))
            .await
            .unwrap();
        let wrong = ended(demo, &wrong.job).await;
        assert_eq!(wrong.state, JobState::Failed);
        assert!(wrong.message.contains("SHA-256"), "{}", wrong.message);
        assert!(image(demo, "imported").await.is_none());

        let job = importing("disks/small.raw", None).await.unwrap().job;
        let done = ended(demo, &job).await;
        assert_eq!(done.state, JobState::Succeeded, "{}", done.message);
        let imported = image(demo, "imported").await.unwrap();
        assert_eq!(done.image, Some(imported.id));

        let distribute = async |create_pool: Option<bool>| {
            let request = DistributeImageRequest {
                image: imported.id,
                hosts: vec!["poa-edge-1".parse().unwrap(), "rec-edge-1".parse().unwrap()],
                create_pool,
                request_id: None,
            };
            let reply: DistributeImageReply =
                call(demo, "DistributeImage", &request).await.unwrap();
            let mut jobs = Vec::new();
            for job in reply.jobs {
                jobs.push(ended(demo, &job).await);
            }
            jobs
        };
        for job in distribute(None).await {
            assert_eq!(job.state, JobState::Failed);
            assert!(
                job.message.contains("no storage pool vms"),
                "{}",
                job.message
            );
        }
        for job in distribute(Some(true)).await {
            assert_eq!(job.state, JobState::Succeeded, "{}", job.message);
            let made_up = job
                .steps
                .iter()
                .any(|step| step.message.contains("holds no data"));
            assert!(made_up, "{:?}", job.steps);
        }
        let copies = async |id: ImageId| {
            let request = GetImageRequest { image: id };
            let reply: GetImageReply = call(demo, "GetImage", &request).await.unwrap();
            let hosts = reply.image.copies.iter().map(|copy| copy.host.to_string());
            hosts.collect::<Vec<_>>()
        };
        assert_eq!(copies(imported.id).await, ["poa-edge-1", "rec-edge-1"]);
        // Who asks again finds it there.
        assert!(
            distribute(None)
                .await
                .iter()
                .all(|job| job.state == JobState::Succeeded)
        );

        let evict = async |host: &str| {
            let request = EvictImageRequest {
                image: imported.id,
                host: host.parse().unwrap(),
                request_id: None,
            };
            call::<_, EvictImageReply>(demo, "EvictImage", &request).await
        };
        let job = evict("poa-edge-1").await.unwrap().job;
        let done = ended(demo, &job).await;
        assert_eq!(done.state, JobState::Succeeded, "{}", done.message);
        assert_eq!(copies(imported.id).await, ["rec-edge-1"]);
        assert!(matches!(evict("poa-edge-1").await, Err(Error::NotFound(_))));
        // The pool went with the last volume in it: it is asked for again.
        let jobs = distribute(None).await;
        assert_eq!(jobs[0].state, JobState::Failed, "{}", jobs[0].message);
        assert_eq!(jobs[1].state, JobState::Succeeded);

        let request = api::DeleteImageRequest {
            image: imported.id,
            request_id: None,
        };
        let reply: api::DeleteImageReply = call(demo, "DeleteImage", &request).await.unwrap();
        let done = ended(demo, &reply.job).await;
        assert_eq!(done.state, JobState::Succeeded, "{}", done.message);
        assert!(image(demo, "imported").await.is_none());
    });
}
