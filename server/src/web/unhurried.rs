//! How long a request may take.
//!
//! What is small is answered within a minute, or not at all. What brings a file (a `PUT` to
//! `/images/uploads`, a SOAP message with attachments) takes as long as it takes, while it goes on: a
//! body of which nothing comes for a minute is broken off, as if its connection had ended.

use super::REQUEST_TIME;
use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use http::{Method, StatusCode, header};
use std::{io, time::Duration};

/// How long nothing may come of a body.
const SILENCE: Duration = Duration::from_mins(1);

/// The middleware.
pub(super) async fn time_limits(request: Request, next: Next) -> Response {
    if !brings_a_file(&request) {
        let answer = tokio::time::timeout(REQUEST_TIME, next.run(request)).await;
        return answer.unwrap_or_else(|_| StatusCode::GATEWAY_TIMEOUT.into_response());
    }
    let (parts, body) = request.into_parts();
    let body = Body::from_stream(broken_off(body.into_data_stream(), SILENCE));
    next.run(Request::from_parts(parts, body)).await
}

fn brings_a_file(request: &Request) -> bool {
    let path = request.uri().path();
    if request.method() == Method::PUT {
        return path.starts_with("/images/uploads/");
    }
    let kind = request.headers().get(header::CONTENT_TYPE);
    let is_multipart = kind.is_some_and(|kind| {
        let kind = kind.as_bytes();
        let start = b"multipart/related";
        kind.len() >= start.len() && kind[..start.len()].eq_ignore_ascii_case(start)
    });
    request.method() == Method::POST && path.starts_with("/services/") && is_multipart
}

/// The same body, which fails when nothing comes for too long.
fn broken_off(
    body: BodyDataStream,
    silence: Duration,
) -> impl stream::Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        Some(match tokio::time::timeout(silence, body.next()).await {
            Ok(None) => return None,
            Ok(Some(Ok(piece))) => (Ok(piece), Some(body)),
            Ok(Some(Err(error))) => (Err(io::Error::other(error)), None),
            Err(_) => {
                let why = format!("nothing came for {silence:?}");
                (Err(io::Error::new(io::ErrorKind::TimedOut, why)), None)
            }
        })
    })
    .fuse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_that_falls_silent_is_broken_off() {
        let silent = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"a"))]);
        let body = Body::from_stream(silent.chain(stream::pending()));
        let body = broken_off(body.into_data_stream(), Duration::from_millis(20));
        let pieces: Vec<_> = body.collect().await;
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[0].as_ref().unwrap(), "a");
        assert_eq!(
            pieces[1].as_ref().unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
    }

    #[test]
    fn only_what_brings_a_file_may_take_its_time() {
        for (method, path, kind, expected) in [
            ("PUT", "/images/uploads/x/disk", "", true),
            ("POST", "/images/uploads", "application/json", false),
            ("PUT", "/services/ImageService", "", false),
            (
                "POST",
                "/services/ImageService",
                "Multipart/Related; boundary=x",
                true,
            ),
            ("POST", "/services/ImageService", "text/xml", false),
            ("POST", "/api/x", "multipart/related", false),
        ] {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("content-type", kind)
                .body(Body::empty())
                .unwrap();
            assert_eq!(brings_a_file(&request), expected, "{method} {path} {kind}");
        }
    }
}
