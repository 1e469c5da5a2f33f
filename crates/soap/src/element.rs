//! One element of a checked document, and what can be wrong with it.

use crate::{
    document::{Document, NONE, Node, is_blank, shown},
    version::{Version, XSI},
};
use std::fmt;

/// An element of a message that was checked as a whole: what [`Value::read`](crate::Value::read)
/// reads from.
#[derive(Clone, Copy)]
pub struct Element<'d> {
    document: &'d Document<'d>,
    index: u32,
}

/// What is wrong with the content of a message, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    path: String,
    reason: String,
}

impl ReadError {
    /// The element, as a path from the body's child down: `CreateRouter/interfaces[2]/mac`.
    /// Elements that occur more than once side by side are numbered from 1.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong with it and what was expected.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

impl std::error::Error for ReadError {}

impl<'d> Element<'d> {
    pub(crate) fn root(document: &'d Document<'d>) -> Self {
        Self { document, index: 0 }
    }

    fn node(self) -> &'d Node<'d> {
        &self.document.nodes[self.index as usize]
    }

    /// Its local name.
    pub fn name(self) -> &'d str {
        self.node().name
    }

    /// Its namespace; empty if it is in none.
    pub fn namespace(self) -> &'d str {
        &self.document.namespaces[usize::from(self.node().namespace)]
    }

    pub(crate) fn is(self, namespace: &str, name: &str) -> bool {
        self.name() == name && self.namespace() == namespace
    }

    /// The elements directly in it, in order.
    pub fn children(self) -> impl Iterator<Item = Element<'d>> {
        let document = self.document;
        let mut next = self.node().first_child;
        std::iter::from_fn(move || {
            let node = document.nodes.get(next as usize)?;
            let element = Element {
                document,
                index: next,
            };
            next = node.next;
            Some(element)
        })
    }

    /// The value of an attribute.
    pub(crate) fn attribute(self, namespace: &str, name: &str) -> Option<&'d str> {
        self.attributes()
            .find(|(ns, n, _)| *n == name && *ns == namespace)
            .map(|(_, _, value)| value)
    }

    fn attributes(self) -> impl Iterator<Item = (&'d str, &'d str, &'d str)> {
        let range = self.node().attributes.clone();
        let document = self.document;
        document.attributes[range.start as usize..range.end as usize]
            .iter()
            .map(move |attribute| {
                let namespace = document.namespaces[usize::from(attribute.namespace)].as_str();
                (namespace, attribute.name.as_str(), attribute.value.as_str())
            })
    }

    /// Refuses text between the elements in it.
    pub(crate) fn expect_no_text(self) -> Result<(), ReadError> {
        if is_blank(&self.node().text) {
            return Ok(());
        }
        Err(self.invalid(format!(
            "holds the text {:?} where only elements were expected",
            shown(self.node().text.trim())
        )))
    }

    /// Refuses attributes that could change the meaning: those in no namespace, such as the `href`
    /// of encoded SOAP 1.1. What belongs to another namespace (`xsi:type`, `encodingStyle`) is
    /// let pass unread.
    fn expect_no_attributes(self) -> Result<(), ReadError> {
        match self
            .attributes()
            .find(|(namespace, ..)| namespace.is_empty())
        {
            None => Ok(()),
            Some((_, name, _)) => Err(self.invalid(format!(
                "has the attribute {:?} where none was expected",
                shown(name)
            ))),
        }
    }

    /// Begins to read it as a complex type: only elements are in it.
    pub fn expect_fields(self) -> Result<(), ReadError> {
        self.expect_no_attributes()?;
        self.expect_no_text()
    }

    /// The local name of this child of `parent`, which must be in the namespace of `parent`.
    pub fn field_of(self, parent: Element<'d>) -> Result<&'d str, ReadError> {
        if self.node().namespace == parent.node().namespace {
            return Ok(self.name());
        }
        let found = match self.namespace() {
            "" => "is in no namespace".to_owned(),
            other => format!("is in the namespace {:?}", shown(other)),
        };
        Err(self.invalid(format!("{found}; {:?} was expected", parent.namespace())))
    }

    /// The text of a simple value, as it stands: no element may be in it.
    pub fn text(self) -> Result<&'d str, ReadError> {
        self.expect_no_attributes()?;
        if let Some(child) = self.children().next() {
            return Err(self.invalid(format!(
                "holds the element `{}` where a plain value was expected",
                shown(child.name())
            )));
        }
        Ok(&self.node().text)
    }

    /// The text of a simple value without the blanks around it, which mean nothing to every type
    /// but strings.
    pub fn token(self) -> Result<&'d str, ReadError> {
        Ok(self.text()?.trim_matches([' ', '\t', '\r', '\n']))
    }

    /// Whether it is marked `xsi:nil`: it stands for a value that is absent.
    pub fn is_nil(self) -> Result<bool, ReadError> {
        let nil = match self.attribute(XSI, "nil").map(str::trim) {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(other) => {
                return Err(self.invalid(format!(
                    "has xsi:nil={:?}; true or false was expected",
                    shown(other)
                )));
            }
        };
        if nil && !(self.node().text.is_empty() && self.node().first_child == NONE) {
            return Err(self.invalid("is marked xsi:nil and yet not empty"));
        }
        Ok(nil)
    }

    /// An error about this element's content.
    pub fn invalid(self, reason: impl Into<String>) -> ReadError {
        ReadError {
            path: self.path(),
            reason: reason.into(),
        }
    }

    /// An error about a value that is not what was expected, quoting it.
    pub fn unreadable(self, value: &str, expected: &str) -> ReadError {
        self.invalid(format!("{:?} is not {expected}", shown(value)))
    }

    /// The error that this element is none of those that its parent may hold.
    pub fn unknown(self, known: &[&str]) -> ReadError {
        self.invalid(if known.is_empty() {
            "is not known here: no element was expected".to_owned()
        } else {
            format!("is not known here: the elements are {}", known.join(", "))
        })
    }

    /// The error that this element was already there.
    pub fn repeated(self) -> ReadError {
        self.invalid("is given more than once")
    }

    /// The error that a child is not there.
    pub fn missing(self, name: &str) -> ReadError {
        ReadError {
            path: format!("{}/{name}", self.path()),
            reason: "is missing".into(),
        }
    }

    /// The path below the body (or the header).
    fn path(self) -> String {
        let mut steps = Vec::new();
        let mut at = self.index;
        while at != NONE {
            let node = &self.document.nodes[at as usize];
            let mut step = shown(node.name);
            if let Some(parent) = self.document.nodes.get(node.parent as usize) {
                let mut before = 0;
                let mut all = 0;
                let mut sibling = parent.first_child;
                while let Some(other) = self.document.nodes.get(sibling as usize) {
                    if other.name == node.name {
                        all += 1;
                        before += usize::from(sibling <= at);
                    }
                    sibling = other.next;
                }
                if all > 1 {
                    step = format!("{step}[{before}]");
                }
            }
            steps.push(step);
            at = node.parent;
        }
        // The envelope and its part are the same for all: left out.
        steps.truncate(steps.len().saturating_sub(2).max(1));
        steps.reverse();
        steps.join("/")
    }

    /// Whether SOAP itself owns it.
    pub(crate) fn is_soap(self, version: Version, name: &str) -> bool {
        self.is(version.namespace(), name)
    }

    /// Whether the document holds processing instructions.
    pub(crate) fn document_has_instruction(self) -> bool {
        self.document.has_instruction
    }
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Element({})", self.path())
    }
}
