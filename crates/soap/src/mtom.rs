//! Messages with attachments: MTOM, that is XOP in `multipart/related`.
//!
//! ```text
//! --boundary
//! Content-Type: application/xop+xml; type="text/xml"     the envelope, whole in memory, in bounds
//!
//! <…><content><xop:Include href="cid:disk@example"/></content><…>
//! --boundary
//! Content-ID: <disk@example>                             a part, handed on piece by piece
//!
//! any number of bytes
//! --boundary--
//! ```
//!
//! The envelope must come first, and is checked as any other. What comes behind it is read only as far
//! and as fast as the handler asks: never more than a piece of the connection is in memory. The handler
//! looks up the parts by their ids, in the order in which they come.

use crate::{Element, ReadError, Schema, TypeName, Value, Writer, document::is_blank};
use axum::body::BodyDataStream;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{Buf as _, Bytes, BytesMut};
use futures_core::Stream as _;
use memchr::memmem;
use std::{fmt, future::poll_fn, pin::Pin};

const XOP: &str = "http://www.w3.org/2004/08/xop/include";

/// Bytes that may come before the first boundary.
const PREAMBLE: usize = 4096;
/// Bytes of a part's headers.
const HEADERS: usize = 8192;
/// Blanks behind a boundary.
const PADDING: usize = 64;
/// Parts behind the envelope.
const PARTS: usize = 64;

/// Bytes in a message: `xs:base64Binary`, as they stand in it, or by reference to an attachment.
///
/// Only an operation with attachments gets to see one that is attached:
/// [`Service::operation_with_attachments`](crate::Service::operation_with_attachments).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// They stood in the message, in base64.
    Inline(Bytes),
    /// They come in the part with this `Content-ID`, which is told without its angle brackets.
    Attached(String),
}

impl Value for Content {
    fn schema(_: &mut Schema) -> TypeName {
        TypeName::Xsd("base64Binary")
    }

    fn write(&self, out: &mut Writer) {
        match self {
            Self::Inline(bytes) => out.raw(&STANDARD.encode(bytes)),
            Self::Attached(id) => {
                out.raw(&format!("<xop:Include xmlns:xop=\"{XOP}\" href=\"cid:"));
                for byte in id.bytes() {
                    if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
                        out.raw(&char::from(byte).to_string());
                    } else {
                        out.raw(&format!("%{byte:02X}"));
                    }
                }
                out.raw("\"/>");
            }
        }
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        let mut children = element.children();
        match (children.next(), children.next()) {
            (Some(include), None) if include.is(XOP, "Include") => {
                element.expect_no_text()?;
                let id = include.attribute("", "href").and_then(content_id);
                id.map(Self::Attached).ok_or_else(|| {
                    include.invalid("has no href of the form cid:ID, which names an attachment")
                })
            }
            _ => {
                let text = element.text()?;
                let mut digits = Vec::with_capacity(text.len());
                digits.extend(text.bytes().filter(|byte| !byte.is_ascii_whitespace()));
                STANDARD
                    .decode(digits)
                    .map(|bytes| Self::Inline(bytes.into()))
                    .map_err(|error| element.invalid(format!("is not base64: {error}")))
            }
        }
    }
}

/// The id in `cid:ID`, where `%` escapes.
fn content_id(href: &str) -> Option<String> {
    let mut rest = href.trim().strip_prefix("cid:")?.bytes();
    let mut id = Vec::new();
    while let Some(byte) = rest.next() {
        id.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(id).ok().filter(|id| !id.is_empty())
}

/// Why attachments cannot be read; a sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentError(String);

impl fmt::Display for AttachmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AttachmentError {}

fn wrong<T>(reason: impl Into<String>) -> Result<T, AttachmentError> {
    Err(AttachmentError(reason.into()))
}

/// The parts of a message behind its envelope, as they come; none, if it came without.
#[derive(Debug, Default)]
pub struct Attachments(Option<Multipart>);

/// One of them.
#[derive(Debug)]
pub struct Attachment<'a> {
    multipart: &'a mut Multipart,
    id: String,
}

impl Attachments {
    pub(crate) fn of(multipart: Multipart) -> Self {
        Self(Some(multipart))
    }

    /// The next part; what was not read of the one before is skipped. `None` behind the last.
    ///
    /// # Errors
    /// When the connection ends or what comes is no multipart message.
    pub async fn next(&mut self) -> Result<Option<Attachment<'_>>, AttachmentError> {
        let Some(multipart) = &mut self.0 else {
            return Ok(None);
        };
        let Some(headers) = multipart.next().await? else {
            return Ok(None);
        };
        let Some(id) = headers.id else {
            return wrong("an attachment has no Content-ID, so nothing in the message can mean it");
        };
        Ok(Some(Attachment { multipart, id }))
    }

    /// Refuses attachments where none belong.
    pub(crate) async fn expect_none(mut self) -> Result<(), AttachmentError> {
        match self.next().await? {
            None => Ok(()),
            Some(attachment) => wrong(format!(
                "the attachment {:?} belongs to nothing: this operation takes none",
                crate::document::shown(&attachment.id)
            )),
        }
    }

    /// Reads on without keeping anything, until the end or so many bytes: many a client reads no
    /// answer before it has sent everything.
    pub async fn discard(&mut self, mut bytes: usize) {
        if let Some(multipart) = &mut self.0 {
            while bytes > 0 {
                bytes = bytes.saturating_sub(multipart.buffer.len());
                multipart.buffer.clear();
                if !matches!(multipart.fill().await, Ok(true)) {
                    return;
                }
            }
        }
    }
}

impl Attachment<'_> {
    /// Its `Content-ID`, without angle brackets.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The next piece of it; `None` at its end.
    ///
    /// # Errors
    /// When the connection ends before the part does.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, AttachmentError> {
        self.multipart.chunk().await
    }
}

/// What the `Content-Type` of a multipart message says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Related {
    boundary: String,
    start: Option<String>,
    /// The Content-Type of the envelope inside, and its action.
    pub(crate) start_info: Option<String>,
    pub(crate) action: Option<String>,
}

impl Related {
    /// Reads the header's value; `None` if it is another media type.
    pub(crate) fn read(header: &str) -> Option<Result<Self, String>> {
        let (kind, parameters) = header.split_once(';').unwrap_or((header, ""));
        if !kind.trim().eq_ignore_ascii_case("multipart/related") {
            return None;
        }
        let mut parameters = crate::version::parameters(parameters);
        let mut take = |wanted: &str| {
            let at = parameters
                .iter()
                .position(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
            Some(parameters.swap_remove(at).1)
        };
        let boundary = take("boundary").unwrap_or_default();
        // RFC 2046.
        let is_lawful = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
        if !(1..=70).contains(&boundary.len())
            || !boundary.bytes().all(is_lawful)
            || boundary.ends_with(' ')
        {
            return Some(Err("its boundary is missing, or is none".to_owned()));
        }
        match take("type") {
            Some(kind) if kind.eq_ignore_ascii_case("application/xop+xml") => {}
            _ => {
                return Some(Err(
                    "its type is not application/xop+xml: only attachments by MTOM are understood"
                        .to_owned(),
                ));
            }
        }
        Some(Ok(Self {
            boundary,
            start: take("start").map(|start| without_brackets(&start).to_owned()),
            start_info: take("start-info"),
            action: take("action").filter(|action| !action.is_empty()),
        }))
    }
}

/// The envelope of a multipart message.
pub(crate) struct Root {
    pub(crate) bytes: Bytes,
    /// The Content-Type of the part.
    pub(crate) content_type: String,
}

/// Why the envelope cannot be read.
pub(crate) enum RootError {
    TooLarge,
    Other(AttachmentError),
}

impl From<AttachmentError> for RootError {
    fn from(error: AttachmentError) -> Self {
        Self::Other(error)
    }
}

#[derive(Debug, Default)]
struct Headers {
    id: Option<String>,
    content_type: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Preamble,
    /// In the content of a part.
    Content,
    /// Behind the boundary of the next part.
    Headers,
    /// Behind the last.
    End,
}

/// What stands behind the text of a boundary.
enum Behind {
    /// The next part begins after so many bytes.
    Part(usize),
    /// That was the last.
    End,
    /// It was none.
    Content,
    /// Too little came to tell.
    Unknown,
}

/// A multipart body, read piece by piece.
pub(crate) struct Multipart {
    body: BodyDataStream,
    buffer: BytesMut,
    finder: memmem::Finder<'static>,
    state: State,
    parts: usize,
    /// Nothing more comes: not every stream may be asked again.
    is_over: bool,
}

impl fmt::Debug for Multipart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multipart")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Multipart {
    pub(crate) fn new(body: BodyDataStream, related: &Related) -> Self {
        let delimiter = format!("\r\n--{}", related.boundary);
        Self {
            body,
            // As if a line had ended: the first boundary is like the others then.
            buffer: BytesMut::from(&b"\r\n"[..]),
            finder: memmem::Finder::new(delimiter.as_bytes()).into_owned(),
            state: State::Preamble,
            parts: 0,
            is_over: false,
        }
    }

    /// Reads the first part, which must be the envelope.
    pub(crate) async fn root(
        &mut self,
        related: &Related,
        limit: usize,
    ) -> Result<Root, RootError> {
        let Some(headers) = self.next().await? else {
            return Err(AttachmentError("the message has no part".to_owned()).into());
        };
        if let (Some(start), id) = (&related.start, &headers.id)
            && id.as_ref() != Some(start)
        {
            let reason = "the envelope must be the first part, and the Content-Type says that it is \
                          another";
            return Err(AttachmentError(reason.to_owned()).into());
        }
        let content_type = headers.content_type.unwrap_or_default();
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/xop+xml") {
            let reason = "the first part is not application/xop+xml";
            return Err(AttachmentError(reason.to_owned()).into());
        }
        let mut bytes = BytesMut::new();
        while let Some(piece) = self.chunk().await? {
            if bytes.len() + piece.len() > limit {
                return Err(RootError::TooLarge);
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Root {
            bytes: bytes.freeze(),
            content_type,
        })
    }

    /// Takes more from the connection; false at its end.
    async fn fill(&mut self) -> Result<bool, AttachmentError> {
        if self.is_over {
            return Ok(false);
        }
        let piece = poll_fn(|context| Pin::new(&mut self.body).poll_next(context)).await;
        self.is_over = !matches!(piece, Some(Ok(_)));
        match piece {
            None => Ok(false),
            Some(Ok(piece)) => {
                self.buffer.extend_from_slice(&piece);
                Ok(true)
            }
            Some(Err(error)) => wrong(format!("the connection ended: {error}")),
        }
    }

    async fn fill_or_fail(&mut self) -> Result<(), AttachmentError> {
        if self.fill().await? {
            return Ok(());
        }
        wrong("the message ends before its last boundary: it was cut off")
    }

    /// Goes to the next part and reads its headers.
    async fn next(&mut self) -> Result<Option<Headers>, AttachmentError> {
        if self.state == State::Preamble {
            let mut skipped = 0;
            while let Some(piece) = self.chunk().await? {
                skipped += piece.len();
                if skipped > PREAMBLE {
                    return wrong("no boundary stands at the beginning of the message");
                }
            }
        }
        while self.state == State::Content {
            self.chunk().await?;
        }
        if self.state == State::End {
            return Ok(None);
        }
        self.parts += 1;
        if self.parts > PARTS {
            return wrong(format!("the message has more than {PARTS} parts"));
        }
        let block = loop {
            if self.buffer.starts_with(b"\r\n") {
                self.buffer.advance(2);
                break BytesMut::new();
            }
            if let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n").filter(|&end| end <= HEADERS)
            {
                let block = self.buffer.split_to(end);
                self.buffer.advance(4);
                break block;
            }
            if self.buffer.len() > HEADERS {
                return wrong(format!(
                    "the headers of a part are longer than {HEADERS} bytes"
                ));
            }
            self.fill_or_fail().await?;
        };
        self.state = State::Content;
        self.allow_for_nothing().await?;
        headers(&block).map(Some)
    }

    /// Of a part without a byte, the line break that ends the headers is that of the boundary, too.
    async fn allow_for_nothing(&mut self) -> Result<(), AttachmentError> {
        let boundary = self.finder.needle().len() - 2;
        while self.buffer.len() < boundary {
            self.fill_or_fail().await?;
        }
        if self.buffer[..boundary] == self.finder.needle()[2..] {
            let mut whole = BytesMut::from(&b"\r\n"[..]);
            whole.extend_from_slice(&self.buffer);
            self.buffer = whole;
        }
        Ok(())
    }

    /// The next piece of the content of a part; `None` at its end.
    async fn chunk(&mut self) -> Result<Option<Bytes>, AttachmentError> {
        if !matches!(self.state, State::Content | State::Preamble) {
            return Ok(None);
        }
        let length = self.finder.needle().len();
        loop {
            let Some(at) = self.finder.find(&self.buffer) else {
                // The beginning of a boundary may be at the end of what is here.
                let certain = self.buffer.len().saturating_sub(length - 1);
                if certain > 0 {
                    return Ok(Some(self.buffer.split_to(certain).freeze()));
                }
                self.fill_or_fail().await?;
                continue;
            };
            match self.behind(at + length) {
                Behind::Content => {
                    return Ok(Some(self.buffer.split_to(at + length).freeze()));
                }
                _ if at > 0 => return Ok(Some(self.buffer.split_to(at).freeze())),
                Behind::Part(more) => {
                    self.buffer.advance(length + more);
                    self.state = State::Headers;
                    return Ok(None);
                }
                Behind::End => {
                    self.buffer.clear();
                    self.state = State::End;
                    return Ok(None);
                }
                Behind::Unknown => self.fill_or_fail().await?,
            }
        }
    }

    fn behind(&self, at: usize) -> Behind {
        let rest = &self.buffer[at..];
        if rest.starts_with(b"--") {
            return Behind::End;
        }
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
        let blanks = blanks.take(PADDING + 1).count();
        match &rest[blanks..] {
            _ if blanks > PADDING => Behind::Content,
            [b'\r', b'\n', ..] => Behind::Part(blanks + 2),
            [] | [b'\r'] => Behind::Unknown,
            [b'-'] if blanks == 0 => Behind::Unknown,
            _ => Behind::Content,
        }
    }
}

fn headers(block: &[u8]) -> Result<Headers, AttachmentError> {
    let Ok(text) = std::str::from_utf8(block) else {
        return wrong("a header of a part is no text");
    };
    let mut found = Headers::default();
    // A line that begins with a blank goes on with the one before.
    let text = text.replace("\r\n ", " ").replace("\r\n\t", " ");
    for line in text.split("\r\n").filter(|line| !is_blank(line)) {
        let Some((name, value)) = line.split_once(':') else {
            return wrong("a header of a part has no colon");
        };
        let (name, value) = (name.trim(), value.trim());
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let slot = if is("Content-ID") {
            &mut found.id
        } else if is("Content-Type") {
            &mut found.content_type
        } else if is("Content-Transfer-Encoding") {
            let as_it_is = ["binary", "8bit", "7bit"];
            if !as_it_is
                .iter()
                .any(|known| value.eq_ignore_ascii_case(known))
            {
                return wrong(format!(
                    "a part has the Content-Transfer-Encoding {:?}, and binary was expected",
                    crate::document::shown(value)
                ));
            }
            continue;
        } else {
            continue;
        };
        if slot.is_some() {
            return wrong("a header of a part is given twice");
        }
        *slot = Some(value.to_owned());
    }
    found.id = found.id.map(|id| without_brackets(&id).to_owned());
    Ok(found)
}

fn without_brackets(id: &str) -> &str {
    let id = id.trim();
    id.strip_prefix('<')
        .and_then(|id| id.strip_suffix('>'))
        .unwrap_or(id)
}
