//! Typed faults in both versions.

use crate::support::*;
use soap::{Version, client};

async fn fail(version: Version, receiver: bool) -> Answer {
    let request = FailRequest { receiver };
    let (content_type, _, body) = client::request("Fail", NAMESPACE, version, &request);
    post(&content_type, body).await
}

#[tokio::test]
async fn a_fault_is_written_as_its_version_writes_it() {
    let detail = "<NotFound xmlns=\"urn:test:1\"><id>a&amp;b</id>\
                  <candidates>a</candidates><candidates>b</candidates></NotFound>";
    let answer = fail(Version::V11, false).await;
    assert_eq!(
        answer.fault(500, "Client"),
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope xmlns:soap=\"{S11}\">\
             <soap:Body><soap:Fault><faultcode>soap:Client</faultcode>\
             <faultstring>there is no &lt;a&amp;b&gt;</faultstring>\
             <detail>{detail}</detail></soap:Fault></soap:Body></soap:Envelope>"
        )
    );
    let answer = fail(Version::V12, false).await;
    assert_eq!(
        answer.fault(400, "Sender"),
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope xmlns:soap=\"{S12}\">\
             <soap:Body><soap:Fault><soap:Code><soap:Value>soap:Sender</soap:Value></soap:Code>\
             <soap:Reason><soap:Text xml:lang=\"en\">there is no &lt;a&amp;b&gt;</soap:Text>\
             </soap:Reason><soap:Detail>{detail}</soap:Detail></soap:Fault></soap:Body>\
             </soap:Envelope>"
        )
    );
    fail(Version::V11, true).await.fault(500, "Server");
    fail(Version::V12, true).await.fault(500, "Receiver");
}

#[tokio::test]
async fn a_client_reads_the_fault_by_its_type() {
    for version in Version::ALL {
        let answer = fail(version, false).await;
        match client::response::<Empty, Failure>("Fail", NAMESPACE, &answer.body) {
            Err(client::Error::Fault(fault)) => assert_eq!(fault, Failure::NotFound(not_found())),
            other => panic!("{other:?}"),
        }
        // A client that does not know the type still gets the reason.
        match client::response::<Empty, std::convert::Infallible>("Fail", NAMESPACE, &answer.body) {
            Err(client::Error::Other(text)) => assert_eq!(text, "there is no <a&b>"),
            other => panic!("{other:?}"),
        }
        let answer = call(version, "<Nothing xmlns='urn:test:1'/>").await;
        match client::response::<Empty, Failure>("Ping", NAMESPACE, &answer.body) {
            Err(client::Error::Other(text)) => assert!(text.contains("no operation"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_client_says_what_it_does_not_understand() {
    let cases: [&[u8]; 4] = [
        b"<html>502</html>",
        b"",
        b"<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>\
          <Other xmlns='urn:test:1'/></s:Body></s:Envelope>",
        b"<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>\
          <PingResponse xmlns='urn:test:1'><x/></PingResponse></s:Body></s:Envelope>",
    ];
    for bytes in cases {
        match client::response::<Empty, Failure>("Ping", NAMESPACE, bytes) {
            Err(client::Error::Malformed(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}
