//! What real clients send, quirks included, is understood.

use crate::support::*;
use axum::{body::Body, extract::ConnectInfo};
use http::Request;
use soap::{Version, client};
use std::net::SocketAddr;

const PING: &str = "<Ping xmlns='urn:test:1'/>";

fn request(content_type: Option<&str>, action: Option<&str>, body: Vec<u8>) -> Request<Body> {
    let mut request = Request::post("/services/TestService");
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    if let Some(action) = action {
        request = request.header("SOAPAction", action);
    }
    request.body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn content_types_and_actions_of_real_clients() {
    let cases = [
        (Some("text/xml"), None),
        (Some("text/xml;charset=UTF-8"), Some("\"urn:Ping\"")),
        (Some("text/xml; charset=\"utf-8\""), Some("urn:Ping")),
        (Some("TEXT/XML"), Some("\"\"")),
        (Some("text/xml"), Some("")),
        (Some("text/xml"), Some("\"http://elsewhere/Ping\"")),
        (None, None),
        (Some("application/soap+xml"), None),
        (
            Some("application/soap+xml; charset=utf-8"),
            Some("\"urn:Ping\""),
        ),
        (
            Some("application/soap+xml; charset=utf-8; action=urn:Ping"),
            None,
        ),
        (Some("application/soap+xml;action=\"\""), None),
        (
            Some("application/soap+xml; action=http://x/y;charset=utf-8"),
            None,
        ),
    ];
    for (content_type, action) in cases {
        let version = match content_type {
            Some(text) if text.starts_with("app") => Version::V12,
            _ => Version::V11,
        };
        let body = envelope(version, "", PING).into_bytes();
        let answer = send(app(), request(content_type, action, body)).await;
        assert_eq!(
            answer.status,
            200,
            "{content_type:?} {action:?}: {}",
            answer.text()
        );
        assert_eq!(answer.content_type, version.content_type());
    }
}

#[tokio::test]
async fn an_action_must_not_name_another_operation() {
    let body = || envelope(Version::V11, "", PING).into_bytes();
    let answer = send(
        app(),
        request(Some("text/xml"), Some("\"urn:Fail\""), body()),
    )
    .await;
    let text = answer.fault(500, "Client");
    assert!(
        text.contains("the action names Fail, the body Ping"),
        "{text}"
    );
    let body = envelope(Version::V12, "", PING).into_bytes();
    let content_type = "application/soap+xml; action=\"urn:Who\"";
    send(app(), request(Some(content_type), None, body))
        .await
        .fault(400, "Sender");
}

#[tokio::test]
async fn both_encodings_of_unicode() {
    let text = everything_xml();
    let utf16 = |mark: bool, big: bool| -> Vec<u8> {
        let text = format!(
            "{}{}",
            if mark { "\u{FEFF}" } else { "" },
            text.replace("UTF-8", "UTF-16")
        );
        text.encode_utf16()
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    let utf8_with_mark = format!("\u{FEFF}{text}").into_bytes();
    let cases = [
        ("text/xml; charset=utf-8", utf8_with_mark),
        ("text/xml; charset=utf-16", utf16(true, true)),
        ("text/xml; charset=UTF-16", utf16(true, false)),
        ("text/xml; charset=utf-16le", utf16(false, false)),
        ("text/xml", utf16(true, false)),
        ("text/xml", utf16(false, true)),
        // The charset of the Content-Type outranks the declaration.
        (
            "text/xml; charset=utf-8",
            text.replace("UTF-8", "latin1").into_bytes(),
        ),
    ];
    for (content_type, body) in cases {
        let answer = post(content_type, body).await;
        let read = client::response::<Everything, Failure>("Echo", NAMESPACE, &answer.body);
        assert_eq!(read.unwrap(), everything(), "{content_type}");
    }
    let answer = post("text/xml", text.replace("UTF-8", "latin1")).await;
    assert!(answer.fault(500, "Client").contains("latin1"));
    let answer = post("text/xml; charset=latin1", text).await;
    assert!(answer.fault(500, "Client").contains("latin1"));
}

#[tokio::test]
async fn an_encoding_style_is_let_pass() {
    let message = envelope(Version::V12, "", PING).replace(
        "<s:Envelope ",
        "<s:Envelope s:encodingStyle='http://www.w3.org/2003/05/soap-encoding' ",
    );
    assert_eq!(post(Version::V12.content_type(), message).await.status, 200);
}

#[tokio::test]
async fn a_handler_knows_the_call() {
    let (content_type, action, body) = client::request("Who", NAMESPACE, Version::V12, &Empty {});
    let mut request = request(Some(&content_type), Some(&action), body);
    let peer: SocketAddr = "192.0.2.1:5000".parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(7u32);
    request
        .headers_mut()
        .insert("user-agent", "test".parse().unwrap());
    let answer = send(app(), request).await;
    let reply: CallReply = client::response::<_, Failure>("Who", NAMESPACE, &answer.body).unwrap();
    assert_eq!(
        reply,
        CallReply {
            service: "TestService".into(),
            operation: "Who".into(),
            version: "SOAP 1.2".into(),
            peer: Some(peer.to_string()),
            agent: Some("test".into()),
            extension: Some(7),
        }
    );
}

#[test]
fn a_request_is_written_for_its_version() {
    let (content_type, action, body) = client::request("Ping", NAMESPACE, Version::V11, &Empty {});
    assert_eq!(content_type, "text/xml; charset=utf-8");
    assert_eq!(action, "\"urn:Ping\"");
    assert!(String::from_utf8(body).unwrap().contains(S11));
    let (content_type, _, body) = client::request("Ping", NAMESPACE, Version::V12, &Empty {});
    assert_eq!(
        content_type,
        "application/soap+xml; charset=utf-8; action=\"urn:Ping\""
    );
    assert!(String::from_utf8(body).unwrap().contains(S12));
}
