//! The other end: requests written and responses read, for clients that bring their own HTTP.
//!
//! ```
//! # #[derive(soap::Message)] struct EchoRequest { text: String }
//! # #[derive(soap::Message, Debug)] struct EchoReply { text: String }
//! use soap::{Version, client};
//!
//! let question = EchoRequest { text: "hello".into() };
//! let (content_type, action, body) =
//!     client::request("Echo", "urn:example:echo", Version::V12, &question);
//! // POST `body` with the headers Content-Type: `content_type` and SOAPAction: `action` …
//! # let _ = (content_type, action, body);
//! let answer = br#"<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>
//!     <EchoResponse xmlns="urn:example:echo"><text>hello</text></EchoResponse>
//! </e:Body></e:Envelope>"#;
//! let reply: Result<EchoReply, client::Error<std::convert::Infallible>> =
//!     client::response("Echo", "urn:example:echo", answer);
//! assert_eq!(reply.unwrap().text, "hello");
//! ```

use crate::{
    Element, Fault, Limits, Message, Version, envelope,
    fault::{self, Refusal},
    service,
};
use std::fmt;

/// Why there is no reply.
#[derive(Debug)]
pub enum Error<E> {
    /// The operation answered with one of its own faults.
    Fault(E),
    /// The server answered with another fault; this is its text.
    Other(String),
    /// The answer is not a SOAP message with this reply; why not.
    Malformed(String),
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(f),
            Self::Other(text) => write!(f, "the server refused the call: {text}"),
            Self::Malformed(reason) => write!(f, "the server's answer is not understood: {reason}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for Error<E> {}

/// Writes a request. Returns the value for `Content-Type`, the value for `SOAPAction` (which
/// servers of SOAP 1.2 ignore: it is in the Content-Type too), and the body.
pub fn request<R: Message>(
    operation: &str,
    namespace: &str,
    version: Version,
    request: &R,
) -> (String, String, Vec<u8>) {
    let action = format!("\"{}\"", service::action(operation));
    let content_type = match version {
        Version::V11 => version.content_type().to_owned(),
        Version::V12 => format!("{}; action={action}", version.content_type()),
    };
    let body = fault::envelope(version, "", |out| {
        out.element_in(operation, namespace, |out| request.write(out));
    });
    (content_type, action, body)
}

/// Reads a response: the body of an HTTP answer of whatever status.
pub fn response<T: Message, E: Fault>(
    operation: &str,
    namespace: &str,
    bytes: &[u8],
) -> Result<T, Error<E>> {
    let read = envelope::read(
        bytes,
        None,
        None,
        &Limits::trusting(),
        |version, element| {
            if element.is_soap(version, "Fault") {
                return Ok(Err(read_fault(version, namespace, element)));
            }
            let expected = service::response(operation);
            if !element.is(namespace, &expected) {
                return Err(Refusal::Sender(format!(
                    "it holds {{{}}}{} instead of {{{namespace}}}{expected}",
                    element.namespace(),
                    element.name()
                )));
            }
            Ok(Ok(T::read(element)?))
        },
    );
    match read {
        Ok(outcome) => outcome,
        Err((_, refusal)) => Err(Error::Malformed(refusal.reason())),
    }
}

fn read_fault<E: Fault>(version: Version, namespace: &str, fault: Element<'_>) -> Error<E> {
    let envelope = version.namespace();
    let (detail_namespace, detail) = match version {
        Version::V11 => ("", "detail"),
        Version::V12 => (envelope, "Detail"),
    };
    let typed = fault
        .children()
        .filter(|child| child.is(detail_namespace, detail))
        .flat_map(Element::children)
        .filter(|element| element.namespace() == namespace)
        .find_map(E::read);
    match typed {
        Some(Ok(fault)) => return Error::Fault(fault),
        Some(Err(error)) => return Error::Malformed(error.to_string()),
        None => {}
    }
    let text = match version {
        Version::V11 => fault
            .children()
            .find(|child| child.is("", "faultstring"))
            .and_then(|text| text.text().ok()),
        Version::V12 => fault
            .children()
            .find(|child| child.is(envelope, "Reason"))
            .and_then(|reason| reason.children().find(|child| child.is(envelope, "Text")))
            .and_then(|text| text.text().ok()),
    };
    Error::Other(text.unwrap_or("it gave no reason").to_owned())
}
