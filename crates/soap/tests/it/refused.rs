//! What is not XML, not SOAP or too much is refused before a handler sees it.

use crate::support::*;
use axum::body::Body;
use http::Request;
use soap::{Limits, Version};

const PING: &str = "<Ping xmlns='urn:test:1'/>";

/// Sends this as either version, with `S` for the envelope's namespace, and expects the sender's
/// fault with this text.
async fn refused(message: &str, part: &str) {
    for (version, status, code) in [(Version::V11, 500, "Client"), (Version::V12, 400, "Sender")] {
        let message = message.replace("'S'", &format!("'{}'", version.namespace()));
        let answer = post(version.content_type(), message.clone()).await;
        let text = answer.fault(status, code);
        assert!(
            text.contains(part),
            "{part} was expected for {message}: {text}"
        );
    }
}

#[tokio::test]
async fn what_is_not_well_formed() {
    let around = |before: &str, inside: &str, after: &str| {
        format!("{before}<s:Envelope xmlns:s='S'><s:Body>{inside}</s:Body></s:Envelope>{after}")
    };
    let cases = [
        (around("<!DOCTYPE x>", PING, ""), "DOCTYPE"),
        (
            around(
                "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>",
                "&a;",
                "",
            ),
            "DOCTYPE",
        ),
        (
            around("", "<p:Ping/>", ""),
            "the prefix `p` is not declared",
        ),
        (
            around("", "<Ping xmlns='urn:test:1' p:a=''/>", ""),
            "the prefix `p` is not declared",
        ),
        (around("", PING, "junk"), "text outside the root element"),
        (around("junk", PING, ""), "text outside the root element"),
        (around("", PING, "<x/>"), "more than one root"),
        (around("", PING, "\0"), "U+0000"),
        (
            around("", "<Ping xmlns='urn:test:1'>\0</Ping>", ""),
            "U+0000",
        ),
        (
            around("", "<Ping xmlns='urn:test:1'>&#0;</Ping>", ""),
            "is not known",
        ),
        (
            around("", "<Ping xmlns='urn:test:1'>&nbsp;</Ping>", ""),
            "is not known",
        ),
        (
            around("", "<Ping xmlns='urn:test:1' a='1' a='2'/>", ""),
            "duplicate",
        ),
        (around("", "<Ping xmlns='urn:test:1'>", ""), ""),
        (
            around("", PING, "").replace("</s:Envelope>", ""),
            "ends before the element `Envelope`",
        ),
        (around("", &"<a>".repeat(100), ""), "64 deep"),
        (around("", &"<a/>".repeat(100_001), ""), "100000 elements"),
        ("{}".into(), "text outside"),
        (String::new(), "no element"),
    ];
    for (message, part) in cases {
        refused(&message, part).await;
    }
}

#[tokio::test]
async fn what_is_not_an_envelope_of_soap() {
    let cases = [
        ("<s:Envelope xmlns:s='S'/>", "no Body"),
        (
            "<s:Envelope xmlns:s='S'><s:Header/></s:Envelope>",
            "no Body",
        ),
        (
            "<s:Envelope xmlns:s='S'><s:Body/></s:Envelope>",
            "the Body is empty",
        ),
        (
            "<s:Envelope xmlns:s='S'><s:Body> </s:Body></s:Envelope>",
            "the Body is empty",
        ),
        (
            "<s:Envelope xmlns:s='S'><s:Body>x</s:Body></s:Envelope>",
            "Body: holds the text",
        ),
        (
            "<s:Envelope xmlns:s='S'>x<s:Body><a xmlns='u'/></s:Body></s:Envelope>",
            "holds the text",
        ),
        (
            "<s:Envelope xmlns:s='S'><s:Body><a xmlns='u'/><b xmlns='u'/></s:Body></s:Envelope>",
            "more than one element",
        ),
        (
            "<s:Envelope xmlns:s='S'><s:Body><a xmlns='u'/></s:Body><s:Body/></s:Envelope>",
            "nothing may follow the Body",
        ),
        (
            "<s:Envelope xmlns:s='S'><s:Body><a xmlns='u'/></s:Body><x xmlns='u'/></s:Envelope>",
            "nothing may follow the Body",
        ),
        (
            "<s:Envelope xmlns:s='S'><s:Header/><s:Header/><s:Body/></s:Envelope>",
            "`Header` stands where",
        ),
        (
            "<s:Envelope xmlns:s='S'><Body xmlns='u'/></s:Envelope>",
            "`Body` stands where",
        ),
        (
            "<s:Envelope xmlns:s='S'><s:Body><Ping/></s:Body></s:Envelope>",
            "`Ping` in the Body is in no namespace",
        ),
        (
            "<s:Envelope xmlns:s='S'><s:Header><a/></s:Header><s:Body/></s:Envelope>",
            "the header block `a` is in no namespace",
        ),
        (
            "<s:Envelope xmlns:s='S'><s:Body><Ping xmlns='urn:other'/></s:Body></s:Envelope>",
            "no operation {urn:other}Ping; it has, in the namespace \"urn:test:1\": Echo, Ping, Fail, Who",
        ),
        (
            "<s:Envelope xmlns:s='S'><s:Body><ping xmlns='urn:test:1'/></s:Body></s:Envelope>",
            "no operation {urn:test:1}ping",
        ),
    ];
    for (message, part) in cases {
        refused(message, part).await;
    }
}

#[tokio::test]
async fn instructions_are_for_soap_12_only() {
    for version in Version::ALL {
        let message = format!("<?style x?>{}", envelope(version, "", PING));
        let answer = post(version.content_type(), message).await;
        match version {
            Version::V11 => {
                answer.fault(500, "Client");
            }
            Version::V12 => assert_eq!(answer.status, 200),
        }
    }
}

#[tokio::test]
async fn headers_that_must_be_understood_are_not() {
    // Header block, and the code of the fault on either version; none if it is let pass.
    let cases = [
        ("<h:a xmlns:h='urn:h'/>", None, None),
        ("<h:a xmlns:h='urn:h' s:mustUnderstand='0'/>", None, None),
        ("<h:a xmlns:h='urn:h' mustUnderstand='1'/>", None, None),
        (
            "<h:a xmlns:h='urn:h' s:mustUnderstand='1'/>",
            Some("MustUnderstand"),
            Some("MustUnderstand"),
        ),
        (
            "<h:a xmlns:h='urn:h' s:mustUnderstand='true'/>",
            Some("Client"),
            Some("MustUnderstand"),
        ),
        (
            "<h:a xmlns:h='urn:h' s:mustUnderstand='false'/>",
            Some("Client"),
            None,
        ),
        (
            "<h:a xmlns:h='urn:h' s:mustUnderstand='yes'/>",
            Some("Client"),
            Some("Sender"),
        ),
        (
            "<h:a xmlns:h='urn:h' s:mustUnderstand=''/>",
            Some("Client"),
            Some("Sender"),
        ),
        (
            "<h:a xmlns:h='urn:h' s:mustUnderstand='1' s:actor='urn:other' s:role='urn:other'/>",
            None,
            None,
        ),
        (
            "<h:a xmlns:h='urn:h' s:mustUnderstand='1' s:actor='' s:role=''/>",
            Some("MustUnderstand"),
            Some("MustUnderstand"),
        ),
        (
            "<h:a xmlns:h='urn:h' s:mustUnderstand='1' \
             s:actor='http://schemas.xmlsoap.org/soap/actor/next' \
             s:role='http://www.w3.org/2003/05/soap-envelope/role/next'/>",
            Some("MustUnderstand"),
            Some("MustUnderstand"),
        ),
        (
            "<h:a xmlns:h='urn:h' s:mustUnderstand='1' s:actor='urn:other' \
             s:role='http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver'/>",
            None,
            Some("MustUnderstand"),
        ),
        (
            "<h:a xmlns:h='urn:h' s:mustUnderstand='1' s:actor='urn:other' \
             s:role='http://www.w3.org/2003/05/soap-envelope/role/none'/>",
            None,
            None,
        ),
    ];
    for (block, v11, v12) in cases {
        for (version, code) in [(Version::V11, v11), (Version::V12, v12)] {
            let header = format!("<s:Header>{block}</s:Header>");
            let answer = post(version.content_type(), envelope(version, &header, PING)).await;
            match code {
                None => assert_eq!(answer.status, 200, "{block}: {}", answer.text()),
                Some(code) => {
                    let status = if code == "Sender" { 400 } else { 500 };
                    let text = answer.fault(status, code);
                    assert_eq!(
                        text.contains("<soap:NotUnderstood qname=\"h:a\" xmlns:h=\"urn:h\"/>"),
                        code == "MustUnderstand" && version == Version::V12,
                        "{text}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn versions_that_do_not_agree() {
    let upgrade = format!(
        "<soap:Header><env:Upgrade xmlns:env=\"{S12}\">\
         <env:SupportedEnvelope qname=\"e:Envelope\" xmlns:e=\"{S12}\"/>\
         <env:SupportedEnvelope qname=\"e:Envelope\" xmlns:e=\"{S11}\"/></env:Upgrade></soap:Header>"
    );
    let unknown = "<Envelope xmlns='urn:soap:9'><Body/></Envelope>".to_owned();
    // Content-Type, message, and the version of the answer.
    let cases = [
        (Version::V11, envelope(Version::V12, "", PING), "text/xml"),
        (Version::V12, envelope(Version::V11, "", PING), "text/xml"),
        (Version::V11, unknown.clone(), "text/xml"),
        (Version::V12, unknown, "application/soap+xml"),
        (
            Version::V12,
            format!("<s:Body xmlns:s='{S12}'/>"),
            "application/soap+xml",
        ),
    ];
    for (version, message, answered) in cases {
        let answer = post(version.content_type(), message).await;
        assert!(
            answer.content_type.starts_with(answered),
            "{}",
            answer.text()
        );
        let text = answer.fault(500, "VersionMismatch");
        assert!(text.contains(&upgrade), "{text}");
    }
}

#[tokio::test]
async fn what_http_refuses() {
    let request =
        |builder: http::request::Builder, body: String| builder.body(Body::from(body)).unwrap();
    let message = envelope(Version::V11, "", PING);

    let answer = post("application/json", message.clone()).await;
    assert_eq!(answer.status, 415);
    assert!(
        answer.text().contains("text/xml (SOAP 1.1)"),
        "{}",
        answer.text()
    );

    let post_to = |path: &str| Request::post(path).header("content-type", "text/xml");
    let gzip = post_to("/services/TestService").header("content-encoding", "gzip");
    assert_eq!(
        send(app(), request(gzip, message.clone())).await.status,
        415
    );

    let nobody = send(app(), request(post_to("/services/Nobody"), message.clone())).await;
    assert_eq!(nobody.status, 404);
    assert!(nobody.text().contains("TestService"));

    let delete = Request::delete("/services/TestService");
    assert_eq!(
        send(app(), request(delete, message.clone())).await.status,
        405
    );

    let limits = Limits {
        max_body_bytes: message.len(),
        ..Limits::default()
    };
    let small = || soap::router(vec![service()], limits);
    let fits = send(
        small(),
        request(post_to("/services/TestService"), message.clone()),
    )
    .await;
    assert_eq!(fits.status, 200);
    let message = format!("{message} ");
    let answer = send(small(), request(post_to("/services/TestService"), message)).await;
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("larger than"), "{}", answer.text());
}
