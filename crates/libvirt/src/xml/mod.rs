//! libvirt's XML as typed values, read leniently.
//!
//! A document becomes a small tree ([`Element`]), and typed views are read from the tree: elements
//! and attributes that a view does not know are simply not looked at, so a newer libvirt hurts
//! nobody. Input is bounded: no document type, no depth above [`MAX_DEPTH`], no entity but XML's own.

mod domain;
mod host;
mod network;

use std::borrow::Cow;

pub use domain::{
    DiskXml, DomainXml, InterfaceKind, InterfaceSource, InterfaceXml, RouterMetadata, TcpRole,
    VirtualPort,
};
pub(crate) use host::{HostInterfaceXml, capabilities_host_uuid};
pub use network::{IpXml, NetworkXml};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

/// The namespace of this project's notes in a domain's `<metadata>`.
pub const METADATA_NAMESPACE: &str = "urn:vms:metadata:1";

/// Elements may be nested this deep; libvirt's own documents stay below 15.
const MAX_DEPTH: usize = 64;

/// Why XML cannot be read; a clause without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct XmlError(String);

impl XmlError {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// One element: name, attributes, children and the text directly inside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Name without prefix.
    name: String,
    /// Namespace, where the element is in one. libvirt's own elements are in none.
    namespace: Option<String>,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    /// Reads a whole document.
    pub(crate) fn parse(xml: &str) -> Result<Self, XmlError> {
        let mut reader = NsReader::from_str(xml);
        let mut open: Vec<Self> = Vec::new();
        let mut root: Option<Self> = None;
        loop {
            let (namespace, event) = reader
                .read_resolved_event()
                .map_err(|e| XmlError::new(e.to_string()))?;
            let empty = matches!(event, Event::Empty(_));
            match event {
                Event::Start(start) | Event::Empty(start) => {
                    if root.is_some() {
                        return Err(XmlError::new("something follows the end of the document"));
                    }
                    if open.len() >= MAX_DEPTH {
                        return Err(XmlError::new(format!(
                            "elements are nested more than {MAX_DEPTH} deep"
                        )));
                    }
                    open.push(Self::start(&namespace, &start)?);
                    if empty {
                        root = close(&mut open);
                    }
                }
                Event::End(_) => root = close(&mut open),
                Event::Text(text) => append(&mut open, &text.xml10_content()),
                Event::CData(text) => append(&mut open, &text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let reference = format!("&{};", reference.into_inner());
                    let text = quick_xml::escape::unescape(&reference)
                        .map_err(|_| XmlError::new(format!("it has the entity {reference}")))?;
                    append(&mut open, &text);
                }
                Event::DocType(_) => return Err(XmlError::new("it has a document type")),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
        }
        match root {
            Some(root) if open.is_empty() => Ok(root),
            _ => Err(XmlError::new("it ends before its last element is closed")),
        }
    }

    fn start(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Result<Self, XmlError> {
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|e| XmlError::new(e.to_string()))?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|e| XmlError::new(e.to_string()))?;
            attributes.push((attribute.key.into_inner().to_owned(), value.into_owned()));
        }
        Ok(Self {
            name: start.local_name().into_inner().to_owned(),
            namespace: match namespace {
                ResolveResult::Bound(namespace) => Some(namespace.0.to_owned()),
                ResolveResult::Unbound => None,
                ResolveResult::Unknown(prefix) => {
                    return Err(XmlError::new(format!(
                        "the prefix {prefix:?} is not declared"
                    )));
                }
            },
            attributes,
            ..Self::default()
        })
    }

    /// The document, if its root is `name`.
    pub(crate) fn parse_root(xml: &str, name: &str) -> Result<Self, XmlError> {
        let root = Self::parse(xml)?;
        if root.name == name {
            Ok(root)
        } else {
            Err(XmlError::new(format!(
                "expected <{name}>, found <{}>",
                root.name
            )))
        }
    }

    /// An attribute that is there and not empty.
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.attribute(name).map(str::to_owned)
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.attribute(name)?.parse().ok()
    }

    /// libvirt's own children of this name.
    fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children
            .iter()
            .filter(move |child| child.namespace.is_none() && child.name == name)
    }

    fn child<'a>(&'a self, name: &'a str) -> Option<&'a Self> {
        self.children(name).next()
    }

    /// The child of this name in another namespace than libvirt's.
    fn foreign(&self, namespace: &str, name: &str) -> Option<&Self> {
        self.children
            .iter()
            .find(|child| child.namespace.as_deref() == Some(namespace) && child.name == name)
    }

    /// The trimmed text directly inside the element, if any.
    fn text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    fn child_text<'a>(&'a self, name: &'a str) -> Option<String> {
        self.child(name)?.text().map(str::to_owned)
    }

    fn child_attribute<'a>(&'a self, name: &'a str, attribute: &str) -> Option<String> {
        self.child(name)?.owned(attribute)
    }
}

/// Closes the innermost open element; gives the root when that was it.
fn close(open: &mut Vec<Element>) -> Option<Element> {
    let closed = open.pop()?;
    match open.last_mut() {
        Some(parent) => {
            parent.children.push(closed);
            None
        }
        None => Some(closed),
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// Bytes of `<memory unit='KiB'>1024</memory>` after libvirt's units; KiB where none is given.
///
/// <https://libvirt.org/formatdomain.html#memory-allocation>
fn bytes_of(element: &Element) -> Option<u64> {
    let number: u64 = element.text()?.parse().ok()?;
    let unit: Cow<'_, str> = element.attribute("unit").unwrap_or("KiB").into();
    let factor: u64 = match unit.as_ref() {
        "b" | "bytes" => 1,
        "KB" => 1_000,
        "k" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        "TB" => 1_000_000_000_000,
        "T" | "TiB" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// `yes` and `on` are true, as libvirt writes them.
fn yes(value: &str) -> bool {
    matches!(value, "yes" | "on" | "up")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_and_cdata_are_text() {
        let root = Element::parse("<a b='1 &lt; 2'>x &amp; y&#33;<![CDATA[<z>]]></a>").unwrap();
        assert_eq!(root.attribute("b"), Some("1 < 2"));
        assert_eq!(root.text(), Some("x & y!<z>"));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for xml in [
            "",
            "text",
            "<a>",
            "<a><b></a>",
            "<a/><b/>",
            "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
            "<a>&e;</a>",
            "<p:a/>",
            "<a b='1' b='2'/>",
        ] {
            assert!(Element::parse(xml).is_err(), "{xml} was accepted");
        }
        let deep = "<a>".repeat(100_000);
        assert!(
            Element::parse(&deep)
                .unwrap_err()
                .to_string()
                .contains("nested")
        );
    }

    #[test]
    fn memory_units() {
        let bytes = |xml: &str| bytes_of(&Element::parse(xml).unwrap());
        assert_eq!(bytes("<memory>1024</memory>"), Some(1 << 20));
        assert_eq!(bytes("<memory unit='MiB'>2</memory>"), Some(2 << 20));
        assert_eq!(bytes("<memory unit='GB'>1</memory>"), Some(1_000_000_000));
        assert_eq!(bytes("<memory unit='bytes'>5</memory>"), Some(5));
        assert_eq!(bytes("<memory unit='furlong'>5</memory>"), None);
        assert_eq!(bytes("<memory unit='TiB'>99999999999999</memory>"), None);
    }
}
