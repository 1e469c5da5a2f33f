//! Who is refused.

use crate::demo::with_demo;
use axum::body::Body;
use http::Request;

#[test]
fn strangers_names_are_not_answered() {
    with_demo(async |demo| {
        for path in ["/", "/services/", "/events", "/healthz", "/api/anything"] {
            let request = Request::get(path)
                .header("host", "evil.example")
                .body(Body::empty())
                .unwrap();
            let answer = demo.send(request).await;
            assert_eq!(answer.status, 421, "{path}");
            assert!(answer.text().contains("localhost"), "{}", answer.text());
        }
    });
}

#[test]
fn strangers_pages_cannot_act() {
    with_demo(async |demo| {
        for (path, kind) in [
            ("/services/ProvisioningService", "text/xml"),
            ("/services/ProvisioningService", "text/plain"),
            ("/api/suspend", "application/x-www-form-urlencoded"),
        ] {
            for (name, value) in [
                ("origin", "http://evil.example"),
                ("origin", "null"),
                ("sec-fetch-site", "cross-site"),
            ] {
                let request = Request::post(path)
                    .header("host", "localhost:8080")
                    .header("content-type", kind)
                    .header(name, value)
                    .body(Body::empty())
                    .unwrap();
                let answer = demo.send(request).await;
                assert_eq!(answer.status, 403, "{path} {name}: {value}");
                assert!(
                    answer.text().contains("another origin"),
                    "{}",
                    answer.text()
                );
            }
        }
    });
}

#[test]
fn a_body_without_end_is_cut_off() {
    with_demo(async |demo| {
        for path in ["/services/StatusService", "/api/anything"] {
            let request = Request::post(path)
                .header("host", "localhost:8080")
                .header("content-type", "text/xml")
                .header("content-length", 1_u64 << 40)
                .body(Body::from(vec![b' '; 5 << 20]))
                .unwrap();
            assert_eq!(demo.send(request).await.status, 413, "{path}");
        }
    });
}
