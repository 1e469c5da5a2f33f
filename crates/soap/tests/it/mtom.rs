//! Messages with attachments: what is taken, and what tricks are refused.

use crate::support::{NAMESPACE, S11, S12};
use axum::{Router, body::Body};
use http::Request;
use soap::{Attachments, Call, Content, Limits, Service};
use std::convert::Infallible;
use tower::ServiceExt as _;

#[derive(soap::Message, Debug)]
struct Keep {
    content: Vec<Content>,
}

#[derive(soap::Message, Debug)]
struct Kept {
    /// Each with its length, or why not.
    what: Vec<String>,
}

#[derive(soap::Message, Debug)]
struct Plain {
    text: String,
}

async fn keep(_: Call, request: Keep, mut parts: Attachments) -> Result<Kept, Infallible> {
    let mut what = Vec::new();
    for content in request.content {
        what.push(match content {
            Content::Inline(bytes) => format!("inline {}", bytes.len()),
            Content::Attached(id) => format!("attached {id}"),
        });
    }
    loop {
        let mut part = match parts.next().await {
            Ok(Some(part)) => part,
            Ok(None) => break,
            Err(error) => {
                what.push(error.to_string());
                break;
            }
        };
        let id = part.id().to_owned();
        let (mut length, mut sum) = (0, 0_u64);
        let end = loop {
            match part.chunk().await {
                Ok(None) => break String::new(),
                Ok(Some(piece)) => {
                    length += piece.len();
                    sum += piece.iter().map(|&byte| u64::from(byte)).sum::<u64>();
                }
                Err(error) => break format!(" {error}"),
            }
        };
        what.push(format!("{id}: {length} {sum}{end}"));
    }
    Ok(Kept { what })
}

fn router() -> Router {
    let service = Service::new("KeepService", NAMESPACE)
        .operation_with_attachments("Keep", "", keep)
        .operation(
            "Plain",
            "",
            async |_, request: Plain| -> Result<Plain, Infallible> { Ok(request) },
        );
    let limits = Limits {
        max_body_bytes: 4096,
        ..Limits::default()
    };
    soap::router(vec![service], limits)
}

fn envelope(namespace: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s='{namespace}' xmlns:x='http://www.w3.org/2004/08/xop/include'><s:Body>\
         {body}</s:Body></s:Envelope>"
    )
}

fn keeping(contents: &str) -> String {
    envelope(S11, &format!("<Keep xmlns='{NAMESPACE}'>{contents}</Keep>"))
}

fn include(href: &str) -> String {
    format!("<content><x:Include href='{href}'/></content>")
}

const RELATED: &str = "multipart/related; type=\"application/xop+xml\"; boundary=\"b=1\"; \
                       start=\"<root>\"; start-info=\"text/xml\"";

fn root(envelope: &str) -> String {
    format!(
        "--b=1\r\nContent-ID: <root>\r\nContent-Type: application/xop+xml;\r\n charset=UTF-8; \
         type=\"text/xml\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{envelope}"
    )
}

/// Sends a body in pieces of that size.
async fn send(content_type: &str, body: &[u8], piece: usize) -> (u16, String) {
    let pieces: Vec<_> = body.chunks(piece).map(<[u8]>::to_vec).collect();
    let pieces = tokio_stream(pieces);
    let request = Request::post("/services/KeepService")
        .header("host", "localhost")
        .header("content-type", content_type)
        .body(pieces)
        .unwrap();
    let answer = router().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20)
        .await
        .unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

fn tokio_stream(pieces: Vec<Vec<u8>>) -> Body {
    struct Pieces(std::vec::IntoIter<Vec<u8>>);
    impl futures_core::Stream for Pieces {
        type Item = Result<Vec<u8>, Infallible>;

        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Self::Item>> {
            std::task::Poll::Ready(self.0.next().map(Ok))
        }
    }
    Body::from_stream(Pieces(pieces.into_iter()))
}

/// What the handler says of it, however it is cut into pieces.
async fn kept(body: &str) -> Vec<String> {
    let mut said = None;
    for piece in [1, 2, 7, 64, 1 << 20] {
        let (status, text) = send(RELATED, body.as_bytes(), piece).await;
        assert_eq!(status, 200, "{text}");
        let what: Vec<_> = text
            .split("<what>")
            .skip(1)
            .map(|rest| rest.split("</what>").next().unwrap_or_default().to_owned())
            .collect();
        assert!(
            said.is_none() || said.as_ref() == Some(&what),
            "in pieces of {piece}: {what:?}"
        );
        said = Some(what);
    }
    said.unwrap()
}

#[tokio::test]
async fn attachments_come_in_their_order_whatever_is_in_them() {
    let contents = format!(
        "{}{}<content>YWJj\n ZA==</content>",
        include("cid:one%40x"),
        include("cid:two")
    );
    // What looks like a boundary, and is none.
    let tricky = "\r\n--b=\r\n--b=12\r\n--b=1x\r\n-- b=1\r\r\n\r\n";
    let sum: u64 = tricky.bytes().map(u64::from).sum();
    let body = format!(
        "a preamble\r\n{}\r\n--b=1 \t\r\ncontent-id: <one@x>\r\nX-Other: 1\r\n\r\n{tricky}\r\n--b=1\r\n\
         Content-ID: two\r\n\r\n\r\n--b=1\r\nContent-ID: <three>\r\n\r\n--b=1--\r\nan epilogue",
        root(&keeping(&contents))
    );
    let expected = [
        "attached one@x".to_owned(),
        "attached two".to_owned(),
        "inline 4".to_owned(),
        format!("one@x: {} {sum}", tricky.len()),
        "two: 0 0".to_owned(),
        "three: 0 0".to_owned(),
    ];
    assert_eq!(kept(&body).await, expected);
}

#[tokio::test]
async fn what_is_cut_off_or_no_multipart_is_told_so() {
    let begun = root(&keeping(&include("cid:one")));
    let part = "\r\n--b=1\r\nContent-ID: <one>\r\n\r\nabc";
    for (rest, expected) in [
        (part.to_owned(), "ends before its last boundary"),
        (format!("{part}\r\n--b=1"), "ends before its last boundary"),
        (
            format!("{part}\r\n--b=1\r\nContent-ID: <two>"),
            "ends before its last boundary",
        ),
        (
            "\r\n--b=1\r\n\r\nabc\r\n--b=1--".to_owned(),
            "has no Content-ID",
        ),
        (
            "\r\n--b=1\r\nno colon\r\n\r\n\r\n--b=1--".to_owned(),
            "has no colon",
        ),
        (
            "\r\n--b=1\r\nContent-ID: a\r\nContent-ID: b\r\n\r\n\r\n--b=1--".to_owned(),
            "given twice",
        ),
        (
            format!("\r\n--b=1\r\nX: {}\r\n\r\n\r\n--b=1--", "x".repeat(10_000)),
            "longer than 8192 bytes",
        ),
        (
            "\r\n--b=1\r\nContent-ID: a\r\nContent-Transfer-Encoding: base64\r\n\r\n\r\n--b=1--"
                .to_owned(),
            "binary was expected",
        ),
    ] {
        let said = kept(&format!("{begun}{rest}")).await.pop().unwrap();
        assert!(said.contains(expected), "{rest}: {said}");
    }
    let many = "\r\n--b=1\r\nContent-ID: <p>\r\n\r\nx".repeat(100);
    let said = kept(&format!("{begun}{many}\r\n--b=1--"))
        .await
        .pop()
        .unwrap();
    assert!(said.contains("more than 64 parts"), "{said}");
}

#[tokio::test]
async fn an_envelope_that_cannot_be_read_is_refused_before_any_attachment() {
    let end = "\r\n--b=1--";
    let large = keeping(&format!("<content>{}</content>", "A".repeat(8000)));
    let elsewhere = root(&keeping("")).replace("<root>", "<other>");
    let xml = root(&keeping("")).replace("application/xop+xml", "text/xml");
    for (body, status, expected) in [
        (
            format!("{}{end}", root(&large)),
            413,
            "larger than 4096 bytes",
        ),
        (elsewhere + end, 500, "must be the first part"),
        (xml + end, 500, "is not application/xop+xml"),
        (root("<x/>") + end, 500, "Envelope"),
        (root(&keeping("<other/>")) + end, 500, "is not known here"),
        (
            root(&keeping(&include("http://x"))) + end,
            500,
            "of the form cid:ID",
        ),
        (
            root(&keeping("<content>#</content>")) + end,
            500,
            "is not base64",
        ),
        (root(&keeping("")), 500, "ends before its last boundary"),
        (String::new(), 500, "ends before its last boundary"),
        ("--b=1--".to_owned(), 500, "has no part"),
        (
            "x".repeat(10_000),
            500,
            "no boundary stands at the beginning",
        ),
    ] {
        for piece in [1, 13, 1 << 20] {
            let (found, text) = send(RELATED, body.as_bytes(), piece).await;
            assert_eq!(found, status, "{text}");
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
    for (content_type, expected) in [
        (
            "multipart/related; type=\"application/xop+xml\"",
            "its boundary is missing",
        ),
        ("multipart/related; boundary=b", "only attachments by MTOM"),
        (
            "multipart/related; boundary=\"\"; type=\"application/xop+xml\"",
            "boundary",
        ),
        ("multipart/related; boundary=\"a\r\"; type=x", "boundary"),
        (
            &format!(
                "multipart/related; boundary={}; type=\"application/xop+xml\"",
                "b".repeat(71)
            ),
            "boundary",
        ),
    ] {
        if content_type.contains('\r') {
            continue;
        }
        let (status, text) = send(content_type, b"", 1).await;
        assert_eq!(status, 415, "{text}");
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test]
async fn an_operation_without_attachments_takes_the_envelope_and_nothing_else() {
    let plain = envelope(
        S12,
        &format!("<Plain xmlns='{NAMESPACE}'><text>a</text></Plain>"),
    );
    let related = RELATED.replace("text/xml", "application/soap+xml");
    let root = root(&plain).replace("text/xml", "application/soap+xml; action=\\\"urn:Plain\\\"");
    let (status, text) = send(&related, format!("{root}\r\n--b=1--").as_bytes(), 9).await;
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("<text>a</text>"), "{text}");
    let more = format!("{root}\r\n--b=1\r\nContent-ID: <x>\r\n\r\n\r\n--b=1--");
    let (status, text) = send(&related, more.as_bytes(), 9).await;
    assert_eq!(status, 400, "{text}");
    assert!(text.contains("belongs to nothing"), "{text}");
    // A reference where a text belongs is not followed.
    let swapped = plain.replace("a</text>", "<x:Include href='cid:x'/></text>");
    let root = root_of(&swapped);
    let (status, text) = send(&related, format!("{root}\r\n--b=1--").as_bytes(), 9).await;
    assert_eq!(status, 400, "{text}");
    assert!(text.contains("where a plain value was expected"), "{text}");
}

fn root_of(envelope: &str) -> String {
    root(envelope).replace("text/xml", "application/soap+xml")
}

#[tokio::test]
async fn what_is_written_reads_back_and_the_description_says_what_it_is() {
    let service =
        Service::new("KeepService", NAMESPACE).operation_with_attachments("Keep", "", keep);
    let wsdl = service.wsdl("http://localhost/services/KeepService");
    assert!(
        wsdl.contains(
            "type=\"xs:base64Binary\" minOccurs=\"0\" maxOccurs=\"unbounded\" xmlns:xmime="
        ),
        "{wsdl}"
    );
    let request = Keep {
        content: vec![
            Content::Inline(vec![0, 255, 7].into()),
            Content::Attached("a b<c>&%@x".to_owned()),
        ],
    };
    let (content_type, _, body) =
        soap::client::request("Keep", NAMESPACE, soap::Version::V12, &request);
    let (status, text) = send(&content_type, &body, 100).await;
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("inline 3"), "{text}");
    assert!(text.contains("attached a b&lt;c"), "{text}");
}
