//! A whole XML document, checked, as a tree that borrows from its text.
//!
//! A message is checked to its last byte before anything of it is believed: quick-xml splits it
//! into events, and everything that quick-xml leaves to its user is checked here — that every
//! element is closed, that there is one root and nothing beside it, that every prefix is declared,
//! that no attribute is given twice, that names are names and characters are characters of XML,
//! that there is no document type, and that [`Limits`] are kept. Nothing is ever fetched or
//! expanded: the five predefined entities and character references are all that is known.

use crate::{
    Limits,
    encoding::{Encoding, first_forbidden, is_allowed},
};
use quick_xml::{
    Reader, XmlVersion,
    events::{BytesDecl, BytesStart, Event},
};
use std::borrow::Cow;

/// Prefixes in scope at once, and namespaces in one document: far above any real message, low
/// enough that looking them up one by one cannot be abused.
const MAX_NAMESPACES: usize = 128;

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// No node: the root's parent, the last child's next.
pub(crate) const NONE: u32 = u32::MAX;

/// The number of a namespace in [`Document::namespaces`]; 0 is no namespace.
pub(crate) type NamespaceId = u16;

pub(crate) struct Node<'a> {
    pub(crate) namespace: NamespaceId,
    pub(crate) name: &'a str,
    pub(crate) parent: u32,
    pub(crate) first_child: u32,
    pub(crate) last_child: u32,
    pub(crate) next: u32,
    /// The character data directly in it, in one piece.
    pub(crate) text: Cow<'a, str>,
    /// Its attributes in [`Document::attributes`].
    pub(crate) attributes: std::ops::Range<u32>,
}

pub(crate) struct Attribute {
    pub(crate) namespace: NamespaceId,
    pub(crate) name: String,
    pub(crate) value: String,
}

pub(crate) struct Document<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) namespaces: Vec<String>,
    /// Whether there was any processing instruction: SOAP 1.1 forbids them.
    pub(crate) has_instruction: bool,
}

impl<'a> Document<'a> {
    /// Reads a document. `encoding` is what the bytes turned out to be, if the XML declaration may
    /// not say otherwise.
    pub(crate) fn parse(
        text: &'a str,
        encoding: Option<Encoding>,
        limits: &Limits,
    ) -> Result<Self, String> {
        if let Some((at, c)) = first_forbidden(text) {
            return Err(format!(
                "XML cannot carry the character U+{:04X} at byte {at}",
                u32::from(c)
            ));
        }
        let mut parser = Parser {
            text,
            reader: Reader::from_str(text),
            document: Self {
                nodes: Vec::new(),
                attributes: Vec::new(),
                namespaces: vec![String::new(), XML.to_owned()],
                has_instruction: false,
            },
            open: Vec::new(),
            bindings: Vec::new(),
            limits: *limits,
        };
        parser.reader.config_mut().check_comments = true;
        parser
            .run(encoding)
            .map_err(|reason| format!("{reason} (at byte {})", parser.reader.buffer_position()))?;
        Ok(parser.document)
    }
}

struct Parser<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    document: Document<'a>,
    /// The open elements, outermost first, with the number of bindings before each.
    open: Vec<(u32, usize)>,
    /// Prefixes in scope, innermost last; the empty prefix is the default namespace.
    bindings: Vec<(&'a str, NamespaceId)>,
    limits: Limits,
}

impl<'a> Parser<'a> {
    fn run(&mut self, encoding: Option<Encoding>) -> Result<(), String> {
        let mut first = true;
        loop {
            let event = self
                .reader
                .read_event()
                .map_err(|error| error.to_string())?;
            match event {
                Event::Start(tag) => self.start(&tag, 1)?,
                Event::Empty(tag) => {
                    self.start(&tag, 2)?;
                    self.end();
                }
                Event::End(_) => self.end(),
                Event::Text(text) => {
                    if text.contains("]]>") {
                        return Err("`]]>` must not stand in text".into());
                    }
                    self.characters(normalized_lines(text.into_inner()))?;
                }
                Event::CData(text) => {
                    if self.open.is_empty() {
                        return Err("there is text outside the root element".into());
                    }
                    self.characters(normalized_lines(text.into_inner()))?;
                }
                Event::GeneralRef(reference) => {
                    let c = match (reference.as_ref(), reference.resolve_char_ref()) {
                        ("lt", _) => '<',
                        ("gt", _) => '>',
                        ("amp", _) => '&',
                        ("apos", _) => '\'',
                        ("quot", _) => '"',
                        (_, Ok(Some(c))) if is_allowed(c) => c,
                        (name, _) => {
                            return Err(format!("`&{}` is not known", shown(&format!("{name};"))));
                        }
                    };
                    let &(index, _) = self
                        .open
                        .last()
                        .ok_or("there is text outside the root element")?;
                    self.document.nodes[index as usize].text.to_mut().push(c);
                }
                Event::Comment(_) => {}
                Event::PI(instruction) => {
                    let target = instruction.target();
                    if target.eq_ignore_ascii_case("xml") || !is_name(target) {
                        return Err("a processing instruction has no lawful name".into());
                    }
                    self.document.has_instruction = true;
                }
                Event::Decl(declaration) => {
                    if !first {
                        return Err("an XML declaration stands only at the very start".into());
                    }
                    check_declaration(&declaration, encoding)?;
                }
                Event::DocType(_) => {
                    return Err("a document type declaration (DOCTYPE) is not accepted".into());
                }
                Event::Eof => break,
            }
            first = false;
        }
        match self.open.last() {
            Some(&(index, _)) => Err(format!(
                "the message ends before the element `{}` does",
                shown(self.document.nodes[index as usize].name)
            )),
            None if self.document.nodes.is_empty() => Err("the message holds no element".into()),
            None => Ok(()),
        }
    }

    /// Opens an element. `tail` is the length of what closes its tag: `>` or `/>`.
    fn start(&mut self, tag: &BytesStart<'_>, tail: usize) -> Result<(), String> {
        let limits = self.limits;
        if self.open.is_empty() && !self.document.nodes.is_empty() {
            return Err("there is more than one root element".into());
        }
        if self.open.len() >= limits.max_depth {
            return Err(format!(
                "elements are nested more than {} deep",
                limits.max_depth
            ));
        }
        if self.document.nodes.len() >= limits.max_elements.min(NONE as usize) {
            return Err(format!(
                "there are more than {} elements",
                limits.max_elements
            ));
        }
        // The same text as `tag`, but borrowed from the document.
        let end = self.reader.buffer_position() as usize - tail;
        let content = self
            .text
            .get(end - tag.len()..end)
            .ok_or("a tag could not be read")?;
        let name = &content[..tag.name().0.len()];

        let scope = self.bindings.len();
        let mut found: Vec<(&'a str, String)> = Vec::new();
        for (index, attribute) in tag.attributes().enumerate() {
            if index >= limits.max_attributes {
                return Err(format!(
                    "the element `{}` has more than {} attributes",
                    shown(name),
                    limits.max_attributes
                ));
            }
            let attribute = attribute.map_err(|error| error.to_string())?;
            if attribute.value.contains('<') {
                return Err("`<` must not stand in an attribute's value".into());
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| error.to_string())?;
            if first_forbidden(&value).is_some() {
                return Err("an attribute's value holds what XML cannot carry".into());
            }
            let key = attribute.key.0;
            // Its place in the document's own text, by its place in the tag's.
            let offset = key.as_ptr() as usize - tag.as_ptr() as usize;
            let key = &content[offset..offset + key.len()];
            if key == "xmlns" {
                self.bind("", &value)?;
            } else if let Some(prefix) = key.strip_prefix("xmlns:") {
                if value.is_empty() || !is_name(prefix) {
                    return Err(format!(
                        "the prefix `{}` cannot be undeclared",
                        shown(prefix)
                    ));
                }
                self.bind(prefix, &value)?;
            } else {
                found.push((key, value.into_owned()));
            }
        }

        let (namespace, name) = self.resolve(name, true)?;
        let first_attribute = self.document.attributes.len();
        for (key, value) in found {
            let (namespace, name) = self.resolve(key, false)?;
            let earlier = &self.document.attributes[first_attribute..];
            if earlier
                .iter()
                .any(|other| other.namespace == namespace && other.name == name)
            {
                return Err(format!("the attribute `{}` is given twice", shown(name)));
            }
            self.document.attributes.push(Attribute {
                namespace,
                name: name.to_owned(),
                value,
            });
        }

        let index = self.document.nodes.len() as u32;
        let parent = self.open.last().map_or(NONE, |&(parent, _)| parent);
        if let Some(parent) = self.document.nodes.get_mut(parent as usize) {
            let previous = std::mem::replace(&mut parent.last_child, index);
            if previous == NONE {
                parent.first_child = index;
            } else {
                self.document.nodes[previous as usize].next = index;
            }
        }
        self.document.nodes.push(Node {
            namespace,
            name,
            parent,
            first_child: NONE,
            last_child: NONE,
            next: NONE,
            text: Cow::Borrowed(""),
            attributes: first_attribute as u32..self.document.attributes.len() as u32,
        });
        self.open.push((index, scope));
        Ok(())
    }

    /// Closes the innermost element; that the names agree was checked by the reader.
    fn end(&mut self) {
        if let Some((_, scope)) = self.open.pop() {
            self.bindings.truncate(scope);
        }
    }

    fn characters(&mut self, text: Cow<'a, str>) -> Result<(), String> {
        let Some(&(index, _)) = self.open.last() else {
            return if is_blank(&text) {
                Ok(())
            } else {
                Err("there is text outside the root element".into())
            };
        };
        let node = &mut self.document.nodes[index as usize];
        if node.text.is_empty() {
            node.text = text;
        } else {
            node.text.to_mut().push_str(&text);
        }
        Ok(())
    }

    /// Brings a prefix into scope.
    fn bind(&mut self, prefix: &'a str, namespace: &str) -> Result<(), String> {
        let reserved = prefix == "xmlns" || namespace == XMLNS;
        if reserved || (prefix == "xml") != (namespace == XML) {
            return Err(format!(
                "the prefix `{}` cannot be declared so",
                shown(prefix)
            ));
        }
        let known = self.document.namespaces.iter().position(|n| n == namespace);
        let id = known.unwrap_or_else(|| {
            self.document.namespaces.push(namespace.to_owned());
            self.document.namespaces.len() - 1
        });
        self.bindings.push((prefix, id as NamespaceId));
        if self.document.namespaces.len() > MAX_NAMESPACES || self.bindings.len() > MAX_NAMESPACES {
            return Err(format!(
                "there are more than {MAX_NAMESPACES} namespaces or declarations of them"
            ));
        }
        Ok(())
    }

    /// The namespace and local name of a qualified name.
    fn resolve(&self, name: &'a str, is_element: bool) -> Result<(NamespaceId, &'a str), String> {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        if !is_name(local) || !(prefix.is_empty() || is_name(prefix)) || name.starts_with(':') {
            return Err(format!("`{}` is not a name", shown(name)));
        }
        if prefix.is_empty() && !is_element {
            return Ok((0, local));
        }
        if prefix == "xml" {
            return Ok((1, local));
        }
        let bound = self
            .bindings
            .iter()
            .rev()
            .find(|(bound, _)| *bound == prefix);
        match bound {
            Some(&(_, namespace)) => Ok((namespace, local)),
            None if prefix.is_empty() => Ok((0, local)),
            None => Err(format!("the prefix `{}` is not declared", shown(prefix))),
        }
    }
}

fn check_declaration(
    declaration: &BytesDecl<'_>,
    encoding: Option<Encoding>,
) -> Result<(), String> {
    let version = declaration.version().map_err(|error| error.to_string())?;
    if version != "1.0" {
        return Err(format!("XML {} is not accepted, only 1.0", shown(&version)));
    }
    let declared = declaration
        .encoding()
        .transpose()
        .map_err(|error| error.to_string())?
        .unwrap_or_default();
    let agrees = match encoding {
        None => true,
        Some(_) if declared.is_empty() => true,
        Some(Encoding::Utf8) => ["utf-8", "us-ascii"]
            .iter()
            .any(|name| declared.eq_ignore_ascii_case(name)),
        Some(Encoding::Utf16) => declared.to_ascii_lowercase().starts_with("utf-16"),
    };
    if agrees {
        return Ok(());
    }
    Err(format!(
        "the message says that it is written in {}: send UTF-8 or UTF-16",
        shown(&declared)
    ))
}

/// Whether it is a name without colon, by the rule for ASCII and leniently beyond.
pub(crate) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b >= 0x80)
        && bytes.all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b) || b >= 0x80)
}

/// Whether it is nothing but XML's blanks.
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes().all(|b| b" \t\r\n".contains(&b))
}

/// What a stranger sent, short enough and tame enough for an error message.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 80;
    let mut out: String = text
        .chars()
        .take(MOST)
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect();
    if text.chars().nth(MOST).is_some() {
        out.push('…');
    }
    out
}

/// Every line end becomes a line feed. <https://www.w3.org/TR/xml/#sec-line-ends>
fn normalized_lines(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text
    }
}

#[cfg(test)]
mod tests;
