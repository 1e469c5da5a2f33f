//! A service to try SOAP clients on: `cargo run -p soap --example echo --all-features -- 8081`,
//! then `http://127.0.0.1:8081/services/`.

use soap::{Call, Limits, Service};
use std::{fmt, net::SocketAddr};

/// Everything that a message can hold.
#[derive(soap::Message)]
struct EchoRequest {
    /// A text.
    text: String,
    /// A flag.
    flag: bool,
    /// An amount.
    amount: Option<f64>,
    /// A colour.
    colour: Colour,
    /// An instant.
    at: Option<jiff::Timestamp>,
    /// A big number.
    big: u64,
    /// Things, which may hold things.
    things: Vec<Thing>,
}

/// What was said.
#[derive(soap::Message)]
struct EchoReply {
    /// The text.
    text: String,
    /// The flag.
    flag: bool,
    /// The amount.
    amount: Option<f64>,
    /// The colour.
    colour: Colour,
    /// The instant.
    at: Option<jiff::Timestamp>,
    /// The big number.
    big: u64,
    /// The things.
    things: Vec<Thing>,
    /// The version of SOAP that was spoken.
    version: String,
}

/// A thing.
#[derive(soap::Message)]
struct Thing {
    /// Its name.
    name: String,
    /// Its labels.
    labels: Vec<String>,
    /// The things in it.
    parts: Vec<Thing>,
}

/// A colour.
#[derive(soap::Message)]
enum Colour {
    /// Like the sky.
    Blue,
    /// Like a sunset.
    DarkRed,
}

/// Asks for a fault.
#[derive(soap::Message)]
struct FailRequest {
    /// `sender` or `receiver`.
    side: String,
}

/// Nothing.
#[derive(soap::Message)]
struct FailReply {}

/// The caller was wrong.
#[derive(soap::Message)]
struct InvalidArgument {
    /// The element that was wrong.
    element: String,
    /// What was wrong with it.
    message: String,
}

/// The server was wrong.
#[derive(soap::Message)]
struct Broken {
    /// A reference into the log.
    reference: String,
}

#[derive(soap::Fault)]
enum Error {
    #[soap(sender)]
    InvalidArgument(InvalidArgument),
    #[soap(receiver)]
    Broken(Broken),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidArgument(fault) => write!(f, "{}: {}", fault.element, fault.message),
            Self::Broken(fault) => write!(f, "the server is broken (see {})", fault.reference),
        }
    }
}

async fn echo(call: Call, request: EchoRequest) -> Result<EchoReply, Error> {
    let EchoRequest {
        text,
        flag,
        amount,
        colour,
        at,
        big,
        things,
    } = request;
    Ok(EchoReply {
        text,
        flag,
        amount,
        colour,
        at,
        big,
        things,
        version: call.version().to_string(),
    })
}

async fn fail(_: Call, request: FailRequest) -> Result<FailReply, Error> {
    match request.side.as_str() {
        "sender" => Err(Error::InvalidArgument(InvalidArgument {
            element: "side".into(),
            message: "it asks for <a fault>".into(),
        })),
        "receiver" => Err(Error::Broken(Broken {
            reference: "log/1".into(),
        })),
        _ => Ok(FailReply {}),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let port = std::env::args()
        .nth(1)
        .and_then(|port| port.parse::<u16>().ok())
        .unwrap_or(8081);
    let service = Service::new("EchoService", "urn:example:echo:1")
        .documentation("Says what it is told.")
        .operation("Echo", "Returns everything that it gets.", echo)
        .operation("Fail", "Ends in the fault that is asked for.", fail);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}/services/", listener.local_addr()?);
    let app = soap::router(vec![service], Limits::default());
    axum::serve(
        listener,
        app.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .await
}
