//! From a checked document to the one element in the body: what SOAP asks of an envelope.

use crate::{
    Element, Limits, Version,
    document::{Document, shown},
    encoding::{Encoding, decode},
    fault::Refusal,
};

/// A refusal and the version to tell it in.
pub(crate) type Refused = (Version, Refusal);

/// Reads the bytes of a message and hands the element in its body to `then`.
///
/// `declared` is the version that the Content-Type says, if there was one.
pub(crate) fn read<T>(
    bytes: &[u8],
    declared: Option<Version>,
    charset: Option<&str>,
    limits: &Limits,
    then: impl FnOnce(Version, Element<'_>) -> Result<T, Refusal>,
) -> Result<T, Refused> {
    let fallback = declared.unwrap_or(Version::V11);
    let refuse = |reason| (fallback, Refusal::Sender(reason));
    let (text, encoding) = decode(bytes, charset).map_err(refuse)?;
    // A charset in the Content-Type outranks the XML declaration (RFC 7303).
    let binding: Option<Encoding> = charset.is_none().then_some(encoding);
    let document = Document::parse(&text, binding, limits).map_err(refuse)?;
    let envelope = Element::root(&document);
    let version = version(envelope, declared)?;
    body(envelope, version)
        .and_then(|body| then(version, body))
        .map_err(|refusal| (version, refusal))
}

/// Decides the version: the envelope's, which must be the one that the Content-Type says.
fn version(envelope: Element<'_>, declared: Option<Version>) -> Result<Version, Refused> {
    let found =
        Version::of_namespace(envelope.namespace()).filter(|_| envelope.name() == "Envelope");
    match (found, declared) {
        (Some(found), None) => Ok(found),
        (Some(found), Some(declared)) if found == declared => Ok(found),
        (Some(found), Some(declared)) => Err((
            // Whoever speaks 1.1 in any way understands an answer in 1.1.
            Version::V11,
            Refusal::VersionMismatch(format!(
                "the Content-Type is that of {declared}, the envelope that of {found}"
            )),
        )),
        (None, declared) => Err((
            declared.unwrap_or(Version::V11),
            Refusal::VersionMismatch(format!(
                "the root element is {:?} in the namespace {:?}; an Envelope in {:?} or {:?} was \
                 expected",
                shown(envelope.name()),
                shown(envelope.namespace()),
                Version::V12.namespace(),
                Version::V11.namespace(),
            )),
        )),
    }
}

/// Checks the envelope and its headers, and finds the one element in its body.
fn body(envelope: Element<'_>, version: Version) -> Result<Element<'_>, Refusal> {
    let sender = |reason: &str| Err(Refusal::Sender(reason.to_owned()));
    if version == Version::V11 && envelope.document_has_instruction() {
        return sender("SOAP 1.1 forbids processing instructions");
    }
    envelope.expect_no_text()?;
    let mut parts = envelope.children().peekable();
    if let Some(header) = parts.next_if(|part| part.is_soap(version, "Header")) {
        check_header(header, version)?;
    }
    let Some(body) = parts.next_if(|part| part.is_soap(version, "Body")) else {
        return match parts.next() {
            None => sender("the envelope has no Body"),
            Some(part) => Err(Refusal::Sender(format!(
                "`{}` stands where the envelope's Body was expected",
                shown(part.name())
            ))),
        };
    };
    if parts.next().is_some() {
        return sender("nothing may follow the Body in the envelope");
    }
    body.expect_no_text()?;
    let mut content = body.children();
    match (content.next(), content.next()) {
        (None, _) => sender("the Body is empty; the element of an operation was expected"),
        (Some(_), Some(_)) => sender("the Body holds more than one element; one was expected"),
        (Some(only), None) if only.namespace().is_empty() => Err(Refusal::Sender(format!(
            "the element `{}` in the Body is in no namespace",
            shown(only.name())
        ))),
        (Some(only), None) => Ok(only),
    }
}

/// Refuses header blocks that are meant for us and must be understood: none is.
fn check_header(header: Element<'_>, version: Version) -> Result<(), Refusal> {
    header.expect_no_text()?;
    let mut unknown = Vec::new();
    for block in header.children() {
        if block.namespace().is_empty() {
            return Err(Refusal::Sender(format!(
                "the header block `{}` is in no namespace",
                shown(block.name())
            )));
        }
        if must_understand(block, version)? && is_for_us(block, version) {
            unknown.push((block.namespace().to_owned(), block.name().to_owned()));
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Refusal::MustUnderstand(unknown))
}

fn must_understand(block: Element<'_>, version: Version) -> Result<bool, Refusal> {
    match (
        version,
        block
            .attribute(version.namespace(), "mustUnderstand")
            .map(str::trim),
    ) {
        (_, None | Some("0")) | (Version::V12, Some("false")) => Ok(false),
        (_, Some("1")) | (Version::V12, Some("true")) => Ok(true),
        (_, Some(other)) => Err(Refusal::Sender(format!(
            "the header block `{}` has mustUnderstand={:?}; {} was expected",
            shown(block.name()),
            shown(other),
            match version {
                Version::V11 => "0 or 1",
                Version::V12 => "true or false",
            }
        ))),
    }
}

/// Whether a header block is addressed to the server that carries the operation out.
fn is_for_us(block: Element<'_>, version: Version) -> bool {
    let attribute = match version {
        Version::V11 => "actor",
        Version::V12 => "role",
    };
    match block
        .attribute(version.namespace(), attribute)
        .map(str::trim)
    {
        None | Some("") => true,
        Some(role) => match version {
            Version::V11 => role == "http://schemas.xmlsoap.org/soap/actor/next",
            Version::V12 => role
                .strip_prefix("http://www.w3.org/2003/05/soap-envelope/role/")
                .is_some_and(|role| role == "next" || role == "ultimateReceiver"),
        },
    }
}
