//! A document as a tree, written as it was read.
//!
//! Reading is strict, for what libvirt sends may have been written by anybody: input, depth and
//! number of parts are bounded, and there is no document type, so no entity but XML's own. A parser
//! that reports each of these by itself would be shorter to use; `quick-xml` leaves them to its
//! caller.
//!
//! Whatever is not changed is written as it stood: white space, quotes, references and prefixes.
//! Comments and processing instructions are dropped.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use super::XmlError;

/// The longest document, bytes: what libvirt's own protocol allows a string to have.
const MAX_BYTES: usize = 4 << 20;

/// Elements may be nested this deep; libvirt's own documents stay below 15.
const MAX_DEPTH: usize = 64;

/// The most elements and attributes of a document; the capabilities of a host of 1,024 processors
/// have some 10,000.
const MAX_PARTS: usize = 100_000;

/// One element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Name as written, with its prefix.
    name: String,
    /// Namespace, where the element is in one. libvirt's own elements are in none.
    namespace: Option<String>,
    /// Names as written, `xmlns` among them, and values without references.
    attributes: Vec<(String, String)>,
    pub(super) content: Vec<Node>,
    /// What stood between `<` and `>`, while nothing of it is changed.
    written: Option<String>,
}

/// What can be in an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Element(Element),
    /// Text as written, with its references.
    Text(String),
}

impl Element {
    /// Reads a whole document.
    pub(crate) fn parse(xml: &str) -> Result<Self, XmlError> {
        if xml.len() > MAX_BYTES {
            return Err(XmlError::new(format!(
                "it has {} bytes; at most {MAX_BYTES} are read",
                xml.len()
            )));
        }
        if let Some(bad) = xml.chars().find(|&c| !is_allowed(c)) {
            return Err(XmlError::new(format!("it has the character {bad:?}")));
        }
        let xml = unix_line_ends(xml.strip_prefix('\u{feff}').unwrap_or(xml));
        Reading::default().run(&xml)
    }

    /// The document, if its root is libvirt's `name`.
    pub(crate) fn parse_root(xml: &str, name: &str) -> Result<Self, XmlError> {
        let root = Self::parse(xml)?;
        if root.name == name && root.namespace.is_none() {
            Ok(root)
        } else {
            Err(XmlError::new(format!(
                "expected <{name}>, found <{}>",
                root.name
            )))
        }
    }

    /// An element without anything in it, in no namespace.
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// An element of another namespace than libvirt's, which it declares.
    pub(super) fn foreign(namespace: &str, prefix: &str, name: &str) -> Self {
        Self {
            name: format!("{prefix}:{name}"),
            namespace: Some(namespace.to_owned()),
            attributes: vec![(format!("xmlns:{prefix}"), namespace.to_owned())],
            ..Self::default()
        }
    }

    /// An element of this name that is in the namespace of this one.
    pub(super) fn relative(&self, name: &str) -> Self {
        Self {
            name: match self.name.split_once(':') {
                Some((prefix, _)) => format!("{prefix}:{name}"),
                None => name.to_owned(),
            },
            namespace: self.namespace.clone(),
            ..Self::default()
        }
    }

    /// Whether the element is called `name` in this namespace.
    pub(super) fn is(&self, namespace: Option<&str>, name: &str) -> bool {
        self.local_name() == name && self.namespace.as_deref() == namespace
    }

    /// Name without prefix.
    pub(super) fn local_name(&self) -> &str {
        self.name
            .split_once(':')
            .map_or(&*self.name, |(_, name)| name)
    }

    /// Calls an element without a prefix `name`, with `_` for what a name cannot have.
    pub(super) fn set_name(&mut self, name: &str) {
        self.written = None;
        self.name = name.replace(|c| !is_of_name(c), "_");
        if check_name(&self.name).is_err() {
            self.name.insert(0, '_');
        }
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// An attribute that is there and not empty.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.attribute(name).map(str::to_owned)
    }

    /// Puts an attribute in its place, or at the end; `None` removes it.
    pub(super) fn set_attribute(&mut self, name: &str, value: Option<&str>) {
        self.written = None;
        let at = self.attributes.iter().position(|(key, _)| key == name);
        match (at, value.map(allowed)) {
            (Some(at), Some(value)) => self.attributes[at].1 = value.into_owned(),
            (Some(at), None) => drop(self.attributes.remove(at)),
            (None, Some(value)) => self.attributes.push((name.to_owned(), value.into_owned())),
            (None, None) => {}
        }
    }

    pub(super) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.content.iter().filter_map(Node::element)
    }

    /// Children of this name in the namespace of this element.
    pub(super) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.elements()
            .filter(move |child| child.is(self.namespace(), name))
    }

    /// The text directly inside the element, if it is more than white space.
    pub(super) fn text(&self) -> Option<String> {
        let mut text = String::new();
        for node in &self.content {
            if let Node::Text(raw) = node {
                // References were checked when they were read.
                text.push_str(&unescape(raw).unwrap_or(Cow::Borrowed(raw)));
            }
        }
        (!is_blank(&text)).then_some(text)
    }

    /// Puts `text` in the place of all text that is directly inside the element.
    pub(super) fn set_text(&mut self, text: Option<&str>) {
        self.content.retain(|node| matches!(node, Node::Element(_)));
        if let Some(text) = text {
            let text = Node::Text(escape(allowed(text)).into_owned());
            self.content.insert(0, text);
        }
    }

    /// Whether there is nothing in it: no attribute, no child, no text.
    pub(super) fn is_bare(&self) -> bool {
        self.attributes.is_empty() && self.content.iter().all(Node::is_blank)
    }

    /// What stands before each child: a line break and white space. `None` where children follow
    /// each other without any; `outer` is what stands before this element, for one that has no
    /// children yet.
    pub(super) fn indent(&self, outer: Option<&str>) -> Option<String> {
        match self.content.as_slice() {
            [Node::Text(space), Node::Element(_), ..] if is_blank(space) => {
                let line = space.rfind('\n')?;
                Some(space[line..].to_owned())
            }
            content if content.iter().any(|node| node.element().is_some()) => None,
            _ => outer.map(|outer| format!("{outer}  ")),
        }
    }

    /// Puts a child at this place of the content, on a line of its own where `indent` says so.
    /// Returns the place after it.
    pub(super) fn insert(&mut self, at: usize, child: Self, indent: Option<&str>) -> usize {
        let Some(indent) = indent else {
            self.content.insert(at, Node::Element(child));
            return at + 1;
        };
        let mut at = at;
        if self.content.iter().all(Node::is_blank) {
            let outer = indent.strip_suffix("  ").unwrap_or(indent);
            self.content = vec![Node::Text(outer.to_owned())];
            at = 0;
        }
        self.content.insert(at, Node::Text(indent.to_owned()));
        self.content.insert(at + 1, Node::Element(child));
        at + 2
    }

    /// Takes out the child at this place of the content, and the white space before it. Returns the
    /// place where it was.
    pub(super) fn remove(&mut self, at: usize) -> usize {
        self.content.remove(at);
        let place = match at.checked_sub(1) {
            Some(before) if self.content[before].is_blank() => {
                self.content.remove(before);
                before
            }
            _ => at,
        };
        if self.content.iter().all(Node::is_blank) {
            self.content.clear();
            return 0;
        }
        place
    }

    /// The element as text.
    pub(super) fn write(&self, out: &mut String) {
        out.push('<');
        if let Some(written) = &self.written {
            out.push_str(written);
        } else {
            out.push_str(&self.name);
            for (name, value) in &self.attributes {
                out.push(' ');
                out.push_str(name);
                out.push_str("='");
                // A reader takes line breaks and tabs in a value for spaces.
                let value = escape(value.as_str());
                out.push_str(&value.replace('\n', "&#10;").replace('\t', "&#9;"));
                out.push('\'');
            }
        }
        if self.content.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        for node in &self.content {
            match node {
                Node::Element(element) => element.write(out),
                Node::Text(text) => out.push_str(text),
            }
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }
}

impl Node {
    pub(super) fn element(&self) -> Option<&Element> {
        match self {
            Self::Element(element) => Some(element),
            Self::Text(_) => None,
        }
    }

    fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if is_blank(text))
    }
}

/// A document that is being read.
#[derive(Default)]
struct Reading {
    /// The elements that are not closed yet.
    open: Vec<Element>,
    root: Option<Element>,
    parts: usize,
}

impl Reading {
    fn run(mut self, xml: &str) -> Result<Element, XmlError> {
        let mut reader = NsReader::from_str(xml);
        loop {
            match reader.read_event().map_err(wrong)? {
                Event::Start(start) => self.start(&reader, &start)?,
                Event::Empty(start) => {
                    self.start(&reader, &start)?;
                    self.end();
                }
                Event::End(_) => {
                    // An empty element may be written with an end of its own.
                    if self.open.last().is_some_and(|e| e.content.is_empty()) {
                        self.text("")?;
                    }
                    self.end();
                }
                Event::Text(text) => self.text(&text.into_inner())?,
                Event::CData(text) => self.text(&escape(text.into_inner()))?,
                Event::GeneralRef(reference) => {
                    let reference = format!("&{};", reference.into_inner());
                    match unescape(&reference) {
                        Ok(text) if text.chars().all(is_allowed) => self.text(&reference)?,
                        _ => return Err(XmlError::new(format!("it has the entity {reference}"))),
                    }
                }
                Event::DocType(_) => return Err(XmlError::new("it has a document type")),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
        }
        match self.root {
            Some(root) if self.open.is_empty() => Ok(root),
            _ => Err(XmlError::new("it ends before its last element is closed")),
        }
    }

    fn start(&mut self, reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<(), XmlError> {
        if self.root.is_some() {
            return Err(XmlError::new("something follows the end of the document"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(XmlError::new(format!(
                "elements are nested more than {MAX_DEPTH} deep"
            )));
        }
        let resolver = reader.resolver();
        let (namespace, _) = resolver.resolve_element(start.name());
        let name = start.name().into_inner();
        check_name(name)?;
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(wrong)?;
            let key = attribute.key.into_inner();
            check_name(key)?;
            if attribute.value.contains('<') {
                return Err(XmlError::new(format!("the attribute {key} has a <")));
            }
            if attribute.key.as_namespace_binding().is_none() {
                bound(&resolver.resolve_attribute(attribute.key).0)?;
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(wrong)?;
            if !value.chars().all(is_allowed) {
                return Err(XmlError::new(format!(
                    "the attribute {key} has a character that XML does not allow"
                )));
            }
            attributes.push((key.to_owned(), value.into_owned()));
        }
        self.parts += 1 + attributes.len();
        if self.parts > MAX_PARTS {
            return Err(XmlError::new(format!(
                "it has more than {MAX_PARTS} elements and attributes"
            )));
        }
        self.open.push(Element {
            name: name.to_owned(),
            namespace: bound(&namespace)?,
            attributes,
            content: Vec::new(),
            written: Some(start.trim_end().to_owned()),
        });
        Ok(())
    }

    fn end(&mut self) {
        let Some(closed) = self.open.pop() else {
            return; // the parser refuses an end without a start
        };
        match self.open.last_mut() {
            Some(parent) => parent.content.push(Node::Element(closed)),
            None => self.root = Some(closed),
        }
    }

    fn text(&mut self, raw: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(parent) => {
                if raw.contains("]]>") {
                    return Err(XmlError::new("a text has ]]>"));
                }
                match parent.content.last_mut() {
                    Some(Node::Text(text)) => text.push_str(raw),
                    _ => parent.content.push(Node::Text(raw.to_owned())),
                }
                Ok(())
            }
            None if is_blank(raw) => Ok(()),
            None => Err(XmlError::new("there is text outside its root element")),
        }
    }
}

/// The namespace that a name is in.
fn bound(result: &ResolveResult<'_>) -> Result<Option<String>, XmlError> {
    match result {
        ResolveResult::Bound(namespace) => Ok(Some(namespace.0.to_owned())),
        ResolveResult::Unbound => Ok(None),
        ResolveResult::Unknown(prefix) => Err(XmlError::new(format!(
            "the prefix {prefix:?} is not declared"
        ))),
    }
}

/// Names are written back as they are: nothing in them may be taken for anything else.
fn check_name(name: &str) -> Result<(), XmlError> {
    let valid = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| is_of_name(c) || c == ':')
        && !name.ends_with(':')
        && name.matches(':').count() < 2;
    if valid {
        Ok(())
    } else {
        Err(XmlError::new(format!("{name:?} is not a name")))
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

fn wrong(error: impl std::fmt::Display) -> XmlError {
    XmlError::new(error.to_string())
}

/// Whether XML can hold the character at all, even as a reference.
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// `text` with what XML cannot hold replaced.
fn allowed(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_allowed) {
        Cow::Borrowed(text)
    } else {
        let replaced = text
            .chars()
            .map(|c| if is_allowed(c) { c } else { '\u{fffd}' });
        Cow::Owned(replaced.collect())
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' ' | '\t' | '\n' | '\r'))
}

/// XML's end-of-line handling, which comes before everything else.
fn unix_line_ends(xml: &str) -> Cow<'_, str> {
    if xml.contains('\r') {
        Cow::Owned(xml.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(xml)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(xml: &str) -> String {
        let mut out = String::new();
        Element::parse(xml).unwrap().write(&mut out);
        out
    }

    fn refused(xml: &str) -> String {
        match Element::parse(xml) {
            Ok(element) => panic!("{xml:.80} was accepted as {element:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn entities_and_cdata_are_text() {
        let root = Element::parse("<a b='1 &lt; 2'>x &amp; y&#33;<![CDATA[<z>]]></a>").unwrap();
        assert_eq!(root.attribute("b"), Some("1 < 2"));
        assert_eq!(root.text().as_deref(), Some("x & y!<z>"));
    }

    #[test]
    fn what_was_read_is_written_as_it_stood() {
        for xml in [
            "<a/>",
            "<a></a>",
            "<a b='1'  c=\"it's\"/>",
            "<p:a xmlns:p=\"urn:p\" p:b='&#65;&apos;'>\n  <p:c>it&apos;s \"x\"</p:c>\n</p:a>",
            "<a>\n  <b/>\n\n  text &amp; <c/> more</a>",
            "<é ü='ß'>\u{10ffff}</é>",
        ] {
            assert_eq!(written(xml), xml);
        }
        // But for what is not of the document's own.
        assert_eq!(
            written("\u{feff}<?xml version='1.0'?>\n<a><!-- c --></a>\n"),
            "<a></a>"
        );
        assert_eq!(written("<a  />"), "<a/>");
        assert_eq!(written("<a>\r\n</a>"), "<a>\n</a>");
    }

    #[test]
    fn what_is_changed_is_written_so_that_it_is_read_again() {
        let mut element = Element::parse("<a b=\"1\" c='2'/>").unwrap();
        let value = "<\"it's\" & \n\t\r ]]>";
        element.set_attribute("b", Some(value));
        element.set_attribute("d", Some("\0\u{ffff}"));
        element.set_text(Some(value));
        let mut out = String::new();
        element.write(&mut out);
        let again = Element::parse(&out).unwrap();
        assert_eq!(again.attribute("b"), Some(value));
        assert_eq!(again.attribute("c"), Some("2"));
        assert_eq!(again.attribute("d"), Some("\u{fffd}\u{fffd}"));
        assert_eq!(again.text().as_deref(), Some(value));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for xml in [
            "", "  ", "<!-- -->", "<a>", "<a><b>", "<a><b/>", "<a", "<a b='1",
        ] {
            refused(xml);
        }
        assert!(refused("<a>").contains("ends before"));
    }

    #[test]
    fn elements_that_do_not_match_are_refused() {
        for xml in ["<a><b></a>", "<a></b>", "</a>", "<a></a></a>"] {
            refused(xml);
        }
    }

    #[test]
    fn a_second_root_is_refused() {
        assert!(refused("<a/><b/>").contains("follows the end"));
        assert!(refused("<a></a> <b>").contains("follows the end"));
    }

    #[test]
    fn text_outside_the_root_is_refused() {
        for xml in ["text", "x<a/>", "<a/>x", "<a/>&amp;", "<a/><![CDATA[x]]>"] {
            assert!(refused(xml).contains("outside"), "{xml}");
        }
    }

    #[test]
    fn a_document_type_is_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY e 'x'><!ENTITY f '&e;&e;&e;'>]><a>&f;</a>";
        assert_eq!(refused(bomb), "it has a document type");
        let file = "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>";
        assert_eq!(refused(file), "it has a document type");
    }

    #[test]
    fn entities_other_than_those_of_xml_are_refused() {
        assert_eq!(refused("<a>&e;</a>"), "it has the entity &e;");
        for xml in [
            "<a b='&e;'/>",
            "<a>&</a>",
            "<a>&#xD800;</a>",
            "<a>&#x110000;</a>",
        ] {
            refused(xml);
        }
    }

    #[test]
    fn characters_that_xml_cannot_hold_are_refused() {
        assert_eq!(refused("<a>\0</a>"), "it has the character '\\0'");
        for xml in [
            "<a b='\u{1}'/>",
            "<a>\u{ffff}</a>",
            "<a>&#1;</a>",
            "<a b='&#0;'/>",
        ] {
            refused(xml);
        }
    }

    #[test]
    fn prefixes_that_are_not_declared_are_refused() {
        for xml in ["<p:a/>", "<a p:b='1'/>", "<a><p:b xmlns:q='urn:q'/></a>"] {
            assert!(refused(xml).contains("not declared"), "{xml}");
        }
    }

    #[test]
    fn attributes_twice_are_refused() {
        refused("<a b='1' b='2'/>");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for xml in [
            "<1/>",
            "<a'b/>",
            "<a =''/>",
            "<a:b:c xmlns:a='x'/>",
            "<a 1='x'/>",
        ] {
            refused(xml);
        }
    }

    #[test]
    fn markup_where_only_text_can_be_is_refused() {
        refused("<a b='<'/>");
        refused("<a>]]></a>");
    }

    #[test]
    fn deep_documents_are_refused() {
        let deep = |levels| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
        assert!(Element::parse(&deep(MAX_DEPTH)).is_ok());
        assert!(refused(&deep(MAX_DEPTH + 1)).contains("nested"));
        assert!(refused(&"<a>".repeat(100_000)).contains("nested"));
    }

    #[test]
    fn large_documents_are_refused() {
        let long = format!("<a>{}</a>", "x".repeat(MAX_BYTES));
        assert!(refused(&long).contains("bytes"));
        let many = format!("<a>{}</a>", "<b/>".repeat(MAX_PARTS));
        assert!(refused(&many).contains("more than 100000"));
        let attributes = (0..MAX_PARTS).map(|n| format!(" b{n}=''"));
        let attributes = attributes.collect::<Vec<_>>().concat();
        assert!(refused(&format!("<a{attributes}/>")).contains("more than 100000"));
    }
}
