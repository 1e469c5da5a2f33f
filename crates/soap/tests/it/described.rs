//! What a service says of itself: WSDL, schema and pages.

use crate::support::*;
use axum::body::Body;
use http::Request;
use soap::{Call, Limits, Service};

#[tokio::test]
async fn the_schema_says_what_the_types_say() {
    let wsdl = get("/services/TestService?wsdl").await;
    assert_eq!(wsdl.status, 200);
    assert_eq!(wsdl.content_type, "text/xml; charset=utf-8");
    let text = wsdl.text();
    for part in [
        "targetNamespace=\"urn:test:1\" elementFormDefault=\"qualified\"",
        "<xs:element name=\"Echo\" type=\"tns:Everything\"/>",
        "<xs:element name=\"EchoResponse\" type=\"tns:Everything\"/>",
        "<xs:element name=\"NotFound\" type=\"tns:NotFound\"/>",
        "<xs:complexType name=\"Everything\">",
        "<xs:documentation>Everything that a message can hold.</xs:documentation>",
        "<xs:element name=\"text\" type=\"xs:string\">",
        "<xs:documentation>A text with &lt;special&gt; characters.</xs:documentation>",
        "<xs:documentation>A colour, on two lines.\nAnd a paragraph.</xs:documentation>",
        "<xs:element name=\"flag\" type=\"xs:boolean\"/>",
        "<xs:element name=\"small\" type=\"xs:int\"/>",
        "<xs:element name=\"large\" type=\"xs:long\"/>",
        "<xs:element name=\"port\" type=\"xs:unsignedShort\"/>",
        "<xs:element name=\"count\" type=\"xs:unsignedInt\"/>",
        "<xs:element name=\"big\" type=\"xs:unsignedLong\"/>",
        "<xs:element name=\"single\" type=\"xs:float\"/>",
        "<xs:element name=\"double\" type=\"xs:double\"/>",
        "<xs:element name=\"at\" type=\"xs:dateTime\"/>",
        "<xs:element name=\"uuid\" type=\"xs:string\"/>",
        "<xs:element name=\"id\" type=\"xs:string\"/>",
        "<xs:element name=\"note\" type=\"xs:string\" minOccurs=\"0\"/>",
        "<xs:element name=\"alias\" type=\"xs:string\" minOccurs=\"0\" maxOccurs=\"unbounded\"/>",
        "<xs:element name=\"type\" type=\"tns:Thing\" minOccurs=\"0\"/>",
        "<xs:element name=\"lid\" type=\"tns:Thing\" minOccurs=\"0\"/>",
        "<xs:enumeration value=\"darkRed\"/>",
        "<xs:enumeration value=\"off-white\"/>",
        "<xs:complexType name=\"Empty\">\n      <xs:sequence/>",
        "<wsdl:documentation>Tests &amp; &lt;more&gt;.</wsdl:documentation>",
        "<wsdl:port name=\"TestServiceHttpSoap11Endpoint\"",
        "<wsdl:port name=\"TestServiceHttpSoap12Endpoint\"",
        "<soap:address location=\"http://vms.example:8080/services/TestService\"/>",
        "<soap12:address location=\"http://vms.example:8080/services/TestService\"/>",
        "<soap:operation soapAction=\"urn:Echo\" style=\"document\"/>",
        "<soap12:fault name=\"NotFound\" use=\"literal\"/>",
    ] {
        assert!(text.contains(part), "{part} was expected in\n{text}");
    }
    for once in [
        "name=\"Thing\"",
        "name=\"NotFound\" type",
        "name=\"NotFoundFaultMessage\"",
    ] {
        assert_eq!(text.matches(once).count(), 1, "{once} in\n{text}");
    }
}

#[tokio::test]
async fn an_old_tool_finds_nothing_of_soap_12() {
    let full = get("/services/TestService?WSDL=").await;
    assert!(full.text().contains("Soap12"));
    let old = get("/services/TestService?wsdl11").await;
    assert_eq!(old.status, 200);
    for absent in ["soap12", "Soap12"] {
        assert!(!old.text().contains(absent), "{}", old.text());
    }
    assert!(old.text().contains("TestServiceHttpSoap11Endpoint"));
}

#[tokio::test]
async fn the_address_is_that_of_the_host_header_alone() {
    let wsdl = |host: Option<&str>| {
        let mut request = Request::get("/services/TestService?wsdl")
            .header("x-forwarded-host", "evil.example")
            .header("forwarded", "host=evil.example;proto=https");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        send(app(), request.body(Body::empty()).unwrap())
    };
    let good = wsdl(Some("[::1]:8080")).await;
    assert!(
        good.text()
            .contains("location=\"http://[::1]:8080/services/TestService\"")
    );
    assert!(!good.text().contains("evil"));
    let none = wsdl(None).await;
    assert!(none.text().contains("http://localhost/services/"));
    for bad in ["a\"b", "a/b", "a<b", "a@b", ""] {
        assert_eq!(wsdl(Some(bad)).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn pages_for_people() {
    for path in ["/services", "/services/"] {
        let page = get(path).await;
        assert_eq!(page.status, 200);
        assert!(page.content_type.starts_with("text/html"));
        for part in [
            "Tests &amp; &lt;more&gt;.",
            "href=\"/services/TestService?wsdl\"",
            "href=\"/services/TestService?wsdl11\"",
            "Axis 1.4",
            "<code>Echo</code>",
        ] {
            assert!(page.text().contains(part), "{part} in {}", page.text());
        }
    }
    let page = get("/services/TestService").await;
    assert!(page.text().contains("Returns what it gets."));
    assert!(page.text().contains("Faults: NotFound, Internal"));
    let unknown = get("/services/Nobody?wsdl").await;
    assert_eq!(unknown.status, 404);
}

mod other {
    #[derive(soap::Message)]
    pub struct Thing {
        pub weight: u32,
    }
}

async fn other(_: Call, _: other::Thing) -> Result<Thing, std::convert::Infallible> {
    unreachable!("it is never called")
}

async fn pong(_: Call, request: Empty) -> Result<Empty, std::convert::Infallible> {
    Ok(request)
}

#[test]
#[should_panic(expected = "want to be the type `Thing` of one service")]
fn two_types_of_one_name_are_refused() {
    let _ = Service::new("S", "urn:s").operation("Other", "", other);
}

#[test]
#[should_panic(expected = "has an operation ping already")]
fn two_operations_of_one_name_are_refused() {
    let _ = Service::new("S", "urn:s")
        .operation("Ping", "", pong)
        .operation("ping", "", pong);
}

#[test]
#[should_panic(expected = "there are two services named S")]
fn two_services_of_one_name_are_refused() {
    let service = || Service::new("S", "urn:s");
    let _ = soap::router(vec![service(), service()], Limits::default());
}
