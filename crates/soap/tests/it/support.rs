//! The service that the tests call, and ways to call it.

use axum::{Router, body::Body};
use http::{Request, StatusCode};
use soap::{Call, Limits, Service, Version};
use std::fmt;
use tower::ServiceExt as _;

pub const NAMESPACE: &str = "urn:test:1";
pub const S11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
pub const S12: &str = "http://www.w3.org/2003/05/soap-envelope";

/// Everything that a message can hold.
#[derive(soap::Message, Clone, Debug, PartialEq)]
pub struct Everything {
    /// A text with <special> characters.
    pub text: String,
    pub flag: bool,
    pub small: i32,
    pub large: i64,
    pub port: u16,
    pub count: u32,
    pub big: u64,
    pub single: f32,
    pub double: f64,
    pub at: jiff::Timestamp,
    pub uuid: uuid::Uuid,
    /// A colour,
    /// on two lines.
    ///
    /// And a paragraph.
    pub colour: Colour,
    pub id: Id,
    pub note: Option<String>,
    pub since: Option<jiff::Timestamp>,
    #[soap(rename = "alias")]
    pub aliases: Vec<String>,
    pub r#type: Option<Thing>,
    pub things: Vec<Thing>,
}

/// A thing that may hold things.
#[derive(soap::Message, Clone, Debug, PartialEq)]
pub struct Thing {
    pub name: String,
    pub parts: Vec<Thing>,
    pub lid: Option<Box<Thing>>,
}

/// A colour.
#[derive(soap::Message, Clone, Copy, Debug, PartialEq)]
pub enum Colour {
    /// Like the sky.
    Blue,
    DarkRed,
    #[soap(rename = "off-white")]
    OffWhite,
}

/// An id of lower-case letters.
#[derive(soap::Message, Clone, Debug, PartialEq)]
#[soap(value)]
pub struct Id(String);

impl std::str::FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "{text:?} is not an id: lower-case letters were expected"
            ))
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(soap::Message, Clone, Debug, PartialEq)]
pub struct Empty {}

#[derive(soap::Message, Clone, Debug, PartialEq)]
pub struct FailRequest {
    pub receiver: bool,
}

#[derive(soap::Message, Clone, Debug, PartialEq)]
pub struct NotFound {
    pub id: String,
    pub candidates: Vec<String>,
}

#[derive(soap::Message, Clone, Debug, PartialEq)]
pub struct Internal {
    pub reference: String,
}

#[derive(soap::Fault, Clone, Debug, PartialEq)]
pub enum Failure {
    #[soap(sender)]
    NotFound(NotFound),
    #[soap(receiver)]
    Internal(Internal),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(fault) => write!(f, "there is no <{}>", fault.id),
            Self::Internal(fault) => write!(f, "see {}", fault.reference),
        }
    }
}

pub fn not_found() -> NotFound {
    NotFound {
        id: "a&b".into(),
        candidates: vec!["a".into(), "b".into()],
    }
}

#[derive(soap::Message, Clone, Debug, PartialEq)]
pub struct CallReply {
    pub service: String,
    pub operation: String,
    pub version: String,
    pub peer: Option<String>,
    pub agent: Option<String>,
    pub extension: Option<u32>,
}

async fn fail(_: Call, request: FailRequest) -> Result<Empty, Failure> {
    Err(if request.receiver {
        Failure::Internal(Internal {
            reference: "log-1".into(),
        })
    } else {
        Failure::NotFound(not_found())
    })
}

async fn who(call: Call, _: Empty) -> Result<CallReply, Failure> {
    Ok(CallReply {
        service: call.service().into(),
        operation: call.operation().into(),
        version: call.version().to_string(),
        peer: call.peer().map(|peer| peer.to_string()),
        agent: call
            .headers()
            .get("user-agent")
            .and_then(|value| value.to_str().ok())
            .map(Into::into),
        extension: call.extensions().get::<u32>().copied(),
    })
}

pub fn service() -> Service {
    Service::new("TestService", NAMESPACE)
        .documentation("Tests & <more>.")
        .operation(
            "Echo",
            "Returns what it gets.",
            |_: Call, request: Everything| async move {
                Ok::<_, std::convert::Infallible>(request)
            },
        )
        .operation("Ping", "Does nothing.", |_: Call, request: Empty| async move {
            Ok::<_, Failure>(request)
        })
        .operation("Fail", "Fails.", fail)
        .operation("Who", "Tells what is known of the call.", who)
}

pub fn app() -> Router {
    soap::router(vec![service()], Limits::default())
}

pub struct Answer {
    pub status: StatusCode,
    pub content_type: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Asserts that it is a fault of this code, and returns its whole text.
    #[track_caller]
    pub fn fault(&self, status: u16, code: &str) -> &str {
        let text = self.text();
        assert_eq!(self.status, status, "{text}");
        let code = match self.content_type.as_str() {
            "text/xml; charset=utf-8" => format!("<faultcode>soap:{code}</faultcode>"),
            "application/soap+xml; charset=utf-8" => {
                format!("<soap:Code><soap:Value>soap:{code}</soap:Value></soap:Code>")
            }
            other => panic!("Content-Type {other}: {text}"),
        };
        assert!(text.contains(&code), "{code} was expected: {text}");
        text
    }
}

pub async fn send(app: Router, request: Request<Body>) -> Answer {
    let response = app.oneshot(request).await.unwrap();
    let content_type = response
        .headers()
        .get("content-type")
        .map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default();
    Answer {
        status: response.status(),
        content_type,
        body: axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap()
            .to_vec(),
    }
}

pub async fn post(content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = Request::post("/services/TestService")
        .header("content-type", content_type)
        .body(Body::from(body.into()))
        .unwrap();
    send(app(), request).await
}

pub async fn get(path: &str) -> Answer {
    let request = Request::get(path)
        .header("host", "vms.example:8080")
        .body(Body::empty())
        .unwrap();
    send(app(), request).await
}

/// An envelope around what is in the body, sent as its version is sent.
pub async fn call(version: Version, body: &str) -> Answer {
    post(version.content_type(), envelope(version, "", body)).await
}

pub fn envelope(version: Version, header: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"{}\">{header}<s:Body>{body}</s:Body></s:Envelope>",
        version.namespace()
    )
}

/// An `Echo` request with everything in it.
pub fn everything() -> Everything {
    let thing = |name: &str| Thing {
        name: name.into(),
        parts: vec![],
        lid: None,
    };
    Everything {
        text: " a <b> & \"c\" ]]> 'd'\r\n\t🛰 ".into(),
        flag: true,
        small: i32::MIN,
        large: i64::MIN,
        port: u16::MAX,
        count: u32::MAX,
        big: u64::MAX,
        single: 0.1,
        double: -1.5e300,
        at: "2026-11-30T12:00:00.25Z".parse().unwrap(),
        uuid: "6f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01".parse().unwrap(),
        colour: Colour::OffWhite,
        id: Id("abc".into()),
        note: Some(String::new()),
        since: None,
        aliases: vec!["x".into(), String::new(), "y".into()],
        r#type: Some(Thing {
            lid: Some(Box::new(thing("lid"))),
            ..thing("box")
        }),
        things: vec![
            Thing {
                parts: vec![thing("c"), thing("d")],
                ..thing("a")
            },
            thing("b"),
        ],
    }
}

/// The XML of [`everything`]'s request, for tests that change one part of it.
pub fn everything_xml() -> String {
    let (_, _, body) = soap::client::request("Echo", NAMESPACE, Version::V11, &everything());
    String::from_utf8(body).unwrap()
}
