//! Faults: the typed ones of an operation, and those of the protocol itself.

use crate::{
    Element, ReadError, Schema, Version, Writer,
    version::Version::{V11, V12},
    writer::escape,
};
use std::fmt::Display;

/// Who has to change something before the same call can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The caller: `Client` in SOAP 1.1, `Sender` in SOAP 1.2.
    Sender,
    /// The server, or what stands behind it: `Server` in SOAP 1.1, `Receiver` in SOAP 1.2.
    Receiver,
}

/// The error of an operation: every variant is a fault that the WSDL declares.
///
/// Derive it by [`macro@crate::Fault`]. Its `Display` is the reason that a person reads; the
/// variant's message is the detail that a program reads.
pub trait Fault: Display + Sized + Send + 'static {
    /// Declares the element of every fault, by [`FaultSchema::fault`].
    fn declare(schema: &mut FaultSchema<'_>);

    /// Whose fault it is.
    fn side(&self) -> Side;

    /// The name of its element.
    fn name(&self) -> &'static str;

    /// Writes the content of its element.
    fn write(&self, out: &mut Writer);

    /// Reads the fault whose element this is; `None` if it is none of these faults.
    fn read(element: Element<'_>) -> Option<Result<Self, ReadError>>;
}

/// An operation that cannot fail declares no fault.
impl Fault for std::convert::Infallible {
    fn declare(_: &mut FaultSchema<'_>) {}

    fn side(&self) -> Side {
        match *self {}
    }

    fn name(&self) -> &'static str {
        match *self {}
    }

    fn write(&self, _: &mut Writer) {
        match *self {}
    }

    fn read(_: Element<'_>) -> Option<Result<Self, ReadError>> {
        None
    }
}

/// Where the faults of an operation are declared.
#[derive(Debug)]
pub struct FaultSchema<'s> {
    pub(crate) schema: &'s mut Schema,
    pub(crate) names: Vec<&'static str>,
}

impl FaultSchema<'_> {
    /// Declares one fault.
    pub fn fault<T: crate::Message>(&mut self, name: &'static str) {
        self.schema.element::<T>(name);
        self.names.push(name);
    }
}

/// An answer to a request, ready to be sent.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) version: Version,
    pub(crate) body: Vec<u8>,
}

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Writes an envelope of this version around what `body` writes.
pub(crate) fn envelope(version: Version, header: &str, body: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut out = Writer::with_capacity(1024);
    out.raw(XML);
    out.raw(match version {
        V11 => "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">",
        V12 => "<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\">",
    });
    if !header.is_empty() {
        out.raw("<soap:Header>");
        out.raw(header);
        out.raw("</soap:Header>");
    }
    out.raw("<soap:Body>");
    body(&mut out);
    out.raw("</soap:Body></soap:Envelope>");
    out.into_bytes()
}

/// The answer that a typed fault is.
pub(crate) fn typed<E: Fault>(version: Version, namespace: &str, fault: &E) -> Answer {
    let (code, status) = side_code(version, fault.side());
    let body = envelope(version, "", |out| {
        write_fault(out, version, code, fault, |out| {
            out.element_in(fault.name(), namespace, |out| fault.write(out));
        });
    });
    Answer {
        status,
        version,
        body,
    }
}

fn side_code(version: Version, side: Side) -> (&'static str, u16) {
    match (version, side) {
        (V11, Side::Sender) => ("Client", 500),
        (V11, Side::Receiver) => ("Server", 500),
        (V12, Side::Sender) => ("Sender", 400),
        (V12, Side::Receiver) => ("Receiver", 500),
    }
}

/// Writes a fault; its detail is left out if `detail` writes nothing.
fn write_fault(
    out: &mut Writer,
    version: Version,
    code: &str,
    reason: impl Display,
    detail: impl FnOnce(&mut Writer),
) {
    let mut inner = Writer::default();
    detail(&mut inner);
    let inner = inner.into_bytes();
    // What a writer wrote is UTF-8: this copies nothing.
    let inner = String::from_utf8_lossy(&inner);
    out.raw("<soap:Fault>");
    match version {
        V11 => {
            out.raw("<faultcode>soap:");
            out.raw(code);
            out.raw("</faultcode><faultstring>");
            out.display(reason);
            out.raw("</faultstring>");
            if !inner.is_empty() {
                out.raw("<detail>");
                out.raw(&inner);
                out.raw("</detail>");
            }
        }
        V12 => {
            out.raw("<soap:Code><soap:Value>soap:");
            out.raw(code);
            out.raw("</soap:Value></soap:Code><soap:Reason><soap:Text xml:lang=\"en\">");
            out.display(reason);
            out.raw("</soap:Text></soap:Reason>");
            if !inner.is_empty() {
                out.raw("<soap:Detail>");
                out.raw(&inner);
                out.raw("</soap:Detail>");
            }
        }
    }
    out.raw("</soap:Fault>");
}

/// Why a request was refused before any handler saw it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The envelope is not of the version that the transport says, or of none that is known.
    VersionMismatch(String),
    /// Header blocks, by namespace and name, that must be understood and are not.
    MustUnderstand(Vec<(String, String)>),
    /// The message is wrong.
    Sender(String),
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        Self::Sender(error.to_string())
    }
}

impl Refusal {
    pub(crate) fn answer(&self, version: Version) -> Answer {
        let (code, status) = match self {
            Self::VersionMismatch(_) => ("VersionMismatch", 500),
            Self::MustUnderstand(_) => ("MustUnderstand", 500),
            Self::Sender(_) => side_code(version, Side::Sender),
        };
        let body = envelope(version, &self.header(version), |out| {
            write_fault(out, version, code, self.reason(), |_| {});
        });
        Answer {
            status,
            version,
            body,
        }
    }

    pub(crate) fn reason(&self) -> String {
        match self {
            Self::VersionMismatch(reason) | Self::Sender(reason) => reason.clone(),
            Self::MustUnderstand(blocks) => {
                let names: Vec<_> = blocks
                    .iter()
                    .map(|(namespace, name)| format!("{{{namespace}}}{name}"))
                    .collect();
                format!(
                    "the header must be understood, and is not: {}",
                    names.join(", ")
                )
            }
        }
    }

    /// The header blocks by which SOAP 1.2 says the same to a program; `Upgrade` is understood by
    /// readers of both versions.
    fn header(&self, version: Version) -> String {
        match self {
            Self::VersionMismatch(_) => {
                let supported: Vec<String> = Version::ALL
                    .iter()
                    .rev()
                    .map(|version| {
                        format!(
                            "<env:SupportedEnvelope qname=\"e:Envelope\" xmlns:e=\"{}\"/>",
                            version.namespace()
                        )
                    })
                    .collect();
                format!(
                    "<env:Upgrade xmlns:env=\"{}\">{}</env:Upgrade>",
                    V12.namespace(),
                    supported.concat()
                )
            }
            Self::MustUnderstand(blocks) if version == V12 => blocks
                .iter()
                .map(|(namespace, name)| {
                    format!(
                        "<soap:NotUnderstood qname=\"h:{}\" xmlns:h=\"{}\"/>",
                        escape(name),
                        escape(namespace)
                    )
                })
                .collect::<Vec<_>>()
                .concat(),
            _ => String::new(),
        }
    }
}
