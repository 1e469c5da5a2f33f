//! Typed fields of an element, listed once for both directions.
//!
//! A [`View`] says in [`View::fields`] where each of its fields is in an element. A [`Pass`] goes
//! through that list, either reading (the fields are filled from the element) or writing (the
//! element is changed where a field has another value than a reader would find there). So reading
//! and writing cannot disagree, what no field stands for is not touched, and a value that did not
//! change is not written anew.
//!
//! New children go behind the field that was listed before theirs: the order of the list is the
//! order in which libvirt writes, and where its schema wants one, its order.

use std::fmt;

use super::XmlError;
use super::tree::{Element, Node};

/// Typed fields of an element.
pub(super) trait View: Default {
    /// Passes over every field.
    fn fields(&mut self, pass: &mut Pass<'_>);
}

/// A view that keeps the element that it was read from, to be written as it was but for its fields:
/// whole documents, and devices, which move about in a list.
pub(super) trait Document: View + Clone {
    /// The element's name.
    const NAME: &'static str;

    fn kept(&mut self) -> &mut Kept;

    fn read(xml: &str) -> Result<Self, XmlError> {
        Ok(from_element(Element::parse_root(xml, Self::NAME)?))
    }

    fn write(&self) -> String {
        let mut xml = String::new();
        to_element(self, &Element::new(Self::NAME), Some("\n")).write(&mut xml);
        xml
    }
}

/// The element that a value was read from. Values are compared by their fields, not by this.
#[derive(Clone, Default)]
pub(super) struct Kept(Option<Element>);

impl Kept {
    pub(super) fn element(&self) -> Option<&Element> {
        self.0.as_ref()
    }
}

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Kept {}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A view that is a document by itself, read without keeping it.
pub(super) fn read_part<V: View>(xml: &str, name: &str) -> Result<V, XmlError> {
    let mut element = Element::parse_root(xml, name)?;
    let mut view = V::default();
    view.fields(&mut Pass::over(&mut element, false, None));
    Ok(view)
}

/// A view as a document by itself.
pub(super) fn write_part<V: View + Clone>(view: &V, name: &str) -> String {
    let mut element = Element::new(name);
    // A pass that writes changes no field, but it is the same list that reads.
    (view.clone()).fields(&mut Pass::over(&mut element, true, Some("\n")));
    let mut xml = String::new();
    element.write(&mut xml);
    xml
}

pub(super) fn from_element<V: Document>(mut element: Element) -> V {
    let mut view = V::default();
    view.fields(&mut Pass::over(&mut element, false, None));
    *view.kept() = Kept(Some(element));
    view
}

/// The element that `view` was read from, or a new one like `empty`, with the fields put in.
fn to_element<V: Document>(view: &V, empty: &Element, outer: Option<&str>) -> Element {
    // A pass that writes changes no field, but it is the same list that reads.
    let mut view = view.clone();
    let kept = view.kept().0.take();
    let mut element = kept.unwrap_or_else(|| empty.clone());
    // A console may have been read from a <serial>.
    if element.local_name() != empty.local_name() {
        element.set_name(empty.local_name());
    }
    view.fields(&mut Pass::over(&mut element, true, outer));
    element
}

/// What an attribute or a text can say.
pub(super) trait Field: PartialEq + Sized {
    fn read(text: Option<&str>) -> Self;
    /// `None` where there is nothing to say.
    fn text(&self) -> Option<String>;
}

/// Text as it is; empty when there is none.
impl Field for String {
    fn read(text: Option<&str>) -> Self {
        text.unwrap_or_default().to_owned()
    }

    fn text(&self) -> Option<String> {
        Some(self.clone()).filter(|text| !text.is_empty())
    }
}

impl Field for Option<String> {
    fn read(text: Option<&str>) -> Self {
        text.map(str::to_owned)
    }

    fn text(&self) -> Option<String> {
        self.as_ref().and_then(Field::text)
    }
}

/// Values that have one spelling; another one is read as `None` and left alone.
macro_rules! parsed {
    ($($kind:ty),*) => { $(
        impl Field for Option<$kind> {
            fn read(text: Option<&str>) -> Self {
                text?.trim().parse().ok()
            }

            fn text(&self) -> Option<String> {
                self.map(|value| value.to_string())
            }
        }
    )* };
}

parsed!(u8, u16, u32, u64, uuid::Uuid);

/// One pass over an element, reading or writing.
pub(super) struct Pass<'a> {
    element: &'a mut Element,
    writes: bool,
    /// What stands before each child, see [`Element::indent`].
    indent: Option<String>,
    /// The place in the content where the next new child goes.
    next: usize,
}

impl<'a> Pass<'a> {
    /// A pass over an element before which `outer` stands, see [`Element::indent`].
    fn over(element: &'a mut Element, writes: bool, outer: Option<&str>) -> Self {
        Self {
            indent: element.indent(outer),
            element,
            writes,
            next: 0,
        }
    }

    /// The element, for what a field cannot say.
    pub(super) fn element(&self) -> &Element {
        self.element
    }

    /// Whether the pass puts fields into the element.
    pub(super) fn writes(&self) -> bool {
        self.writes
    }

    /// A field that is read and written by functions of its own.
    pub(super) fn custom<T: PartialEq>(
        &mut self,
        field: &mut T,
        read: impl FnOnce(&Element) -> T,
        write: impl FnOnce(&T, &mut Element),
    ) {
        let there = read(self.element);
        if !self.writes {
            *field = there;
        } else if there != *field {
            write(field, self.element);
        }
    }

    /// The attribute `name`.
    pub(super) fn attribute<F: Field>(&mut self, name: &str, field: &mut F) {
        self.custom(
            field,
            |element| F::read(element.attribute(name)),
            |field, element| element.set_attribute(name, field.text().as_deref()),
        );
    }

    /// An attribute that says one of two words.
    pub(super) fn switch(&mut self, name: &str, words: (&str, &str), field: &mut Option<bool>) {
        self.custom(
            field,
            |element| match element.attribute(name)? {
                "yes" | "on" | "up" => Some(true),
                "no" | "off" | "down" => Some(false),
                _ => None,
            },
            |field, element| {
                let word = field.map(|on| if on { words.0 } else { words.1 });
                element.set_attribute(name, word);
            },
        );
    }

    /// A MAC address in lower case.
    pub(super) fn mac(&mut self, name: &str, field: &mut Option<String>) {
        self.custom(
            field,
            |element| Some(element.attribute(name)?.to_ascii_lowercase()),
            |field, element| element.set_attribute(name, field.as_deref()),
        );
    }

    /// The element's own name, where that is what a list is about.
    pub(super) fn own_name(&mut self, field: &mut String) {
        self.custom(
            field,
            |element| element.local_name().to_owned(),
            |name, element| element.set_name(name),
        );
    }

    /// The text inside this element.
    pub(super) fn own_text<F: Field>(&mut self, field: &mut F) {
        self.custom(
            field,
            |element| F::read(element.text().as_deref()),
            |field, element| element.set_text(field.text().as_deref()),
        );
    }

    /// The text of the child `name`.
    pub(super) fn text<F: Field>(&mut self, name: &str, field: &mut F) {
        self.child(name, |child| child.own_text(field));
    }

    /// A number of bytes in the child `name`, whatever its unit.
    pub(super) fn bytes(&mut self, name: &str, field: &mut Option<u64>) {
        self.child(name, |child| {
            child.custom(field, bytes_of, |bytes, child| set_bytes(*bytes, child));
        });
    }

    /// Whether the child `name` is there.
    pub(super) fn flag(&mut self, name: &str, field: &mut bool) {
        let mut marker = field.then_some(Marker);
        self.part(name, &mut marker);
        *field = marker.is_some();
    }

    /// Fields inside the child `name`, which is there when it has anything to say.
    pub(super) fn child(&mut self, name: &str, f: impl FnOnce(&mut Pass<'_>)) {
        self.child_like(name, None, f);
    }

    /// As [`child`](Self::child), for the one whose attribute is this.
    pub(super) fn child_where(
        &mut self,
        name: &str,
        attribute: (&str, &str),
        f: impl FnOnce(&mut Pass<'_>),
    ) {
        self.child_like(name, Some(attribute), f);
    }

    /// Passes over the child that is called so. Where there is none, one comes if something is to be
    /// put into it; one that has lost all that it had is taken out.
    fn child_like(
        &mut self,
        name: &str,
        attribute: Option<(&str, &str)>,
        f: impl FnOnce(&mut Pass<'_>),
    ) {
        let namespace = self.element.namespace();
        let at = self.place_of(|child| {
            let fits = |(key, value)| child.attribute(key) == Some(value);
            child.is(namespace, name) && attribute.is_none_or(fits)
        });
        let (writes, outer) = (self.writes, self.indent.as_deref());
        if let Some(at) = at
            && let Node::Element(child) = &mut self.element.content[at]
        {
            let was_bare = child.is_bare();
            f(&mut Pass::over(child, writes, outer));
            let emptied = writes && !was_bare && child.is_bare();
            self.next = if emptied {
                self.element.remove(at)
            } else {
                at + 1
            };
        } else if writes {
            let mut new = self.element.relative(name);
            if let Some((key, value)) = attribute {
                new.set_attribute(key, Some(value));
            }
            let before = new.clone();
            f(&mut Pass::over(&mut new, true, outer));
            if new != before {
                self.insert(new);
            }
        } else {
            f(&mut Pass::over(&mut Element::default(), false, None));
        }
    }

    /// A view of the child `name`, which is there when the view is.
    pub(super) fn part<V: View>(&mut self, name: &str, part: &mut Option<V>) {
        let namespace = self.element.namespace();
        let at = self.place_of(|child| child.is(namespace, name));
        self.part_at(at, part, |parent| parent.relative(name));
    }

    /// As [`part`](Self::part), of a child in another namespace.
    pub(super) fn foreign<V: View>(
        &mut self,
        (namespace, prefix): (&str, &str),
        name: &str,
        part: &mut Option<V>,
    ) {
        let at = self.place_of(|child| child.is(Some(namespace), name));
        self.part_at(at, part, |_| Element::foreign(namespace, prefix, name));
    }

    fn part_at<V: View>(
        &mut self,
        at: Option<usize>,
        part: &mut Option<V>,
        new: impl FnOnce(&Element) -> Element,
    ) {
        let (writes, outer) = (self.writes, self.indent.as_deref());
        if let Some(at) = at
            && let Node::Element(child) = &mut self.element.content[at]
        {
            if writes && part.is_none() {
                self.next = self.element.remove(at);
            } else {
                let view = part.get_or_insert_default();
                view.fields(&mut Pass::over(child, writes, outer));
                self.next = at + 1;
            }
        } else if !writes {
            *part = None;
        } else if let Some(view) = part {
            let mut new = new(self.element);
            view.fields(&mut Pass::over(&mut new, true, outer));
            self.insert(new);
        }
    }

    /// Every child `name` as a view that keeps its element, in their order.
    pub(super) fn list<V: Document>(&mut self, name: &str, views: &mut Vec<V>) {
        let empty = self.element.relative(name);
        let called = |child: &Element| child.is(empty.namespace(), name);
        if self.writes {
            let indent = self.indent.clone();
            let elements = views
                .iter()
                .map(|view| to_element(view, &empty, indent.as_deref()))
                .collect();
            self.place(called, elements);
        } else {
            views.clear();
            for node in &mut self.element.content {
                if let Node::Element(child) = node
                    && called(child)
                {
                    // What is left marks the place.
                    let child = std::mem::replace(child, empty.clone());
                    views.push(from_element(child));
                }
            }
        }
    }

    /// The text of every child `name`.
    pub(super) fn texts(&mut self, name: &str, texts: &mut Vec<String>) {
        self.each(
            name,
            texts,
            Element::text,
            |text, child| child.set_text(Some(text)),
            |_, _| true,
        );
    }

    /// The attribute `key` of every child `name` that has it.
    pub(super) fn attributes<T>(&mut self, name: &str, key: &str, values: &mut Vec<T>)
    where
        T: Clone + PartialEq,
        Option<T>: Field,
    {
        self.each(
            name,
            values,
            |child| Field::read(child.attribute(key)),
            |value, child| child.set_attribute(key, Some(value.clone()).text().as_deref()),
            |_, _| true,
        );
    }

    /// Every child `name` as a view, or every child at all where the name is empty.
    ///
    /// As with [`each`](Self::each), what is not known here stays with the view that is `same`.
    pub(super) fn views<V: View + PartialEq + Clone>(
        &mut self,
        name: &str,
        views: &mut Vec<V>,
        same: impl Fn(&V, &V) -> bool,
    ) {
        let indent = self.indent.clone();
        let pass = |element: &mut Element, view: &mut V, writes| {
            view.fields(&mut Pass::over(element, writes, indent.as_deref()));
        };
        self.each(
            name,
            views,
            |child| {
                let mut view = V::default();
                pass(&mut child.clone(), &mut view, false);
                Some(view)
            },
            |view, child| pass(child, &mut view.clone(), true),
            same,
        );
    }

    /// A value of every child `name` that has one, or of every child at all where the name is
    /// empty.
    ///
    /// A value that is already there keeps its element, wherever it goes; then one that is `same`
    /// but for what changed is written over it.
    pub(super) fn each<T: PartialEq>(
        &mut self,
        name: &str,
        values: &mut Vec<T>,
        read: impl Fn(&Element) -> Option<T>,
        write: impl Fn(&T, &mut Element),
        same: impl Fn(&T, &T) -> bool,
    ) {
        let empty = self.element.relative(name);
        let called = |child: &Element| {
            let namespace = empty.namespace();
            // Without a name every child of the namespace is meant.
            child.namespace() == namespace && (name.is_empty() || child.is(namespace, name))
        };
        let there = |child: &Element| called(child).then(|| read(child)).flatten();
        let found: Vec<T> = self.element.elements().filter_map(there).collect();
        if !self.writes {
            *values = found;
            return;
        }
        let is_one = |child: &Element| there(child).is_some();
        if found == *values {
            self.next = self.last_place(is_one).map_or(self.next, |at| at + 1);
            return;
        }
        let mut left: Vec<_> = self
            .element
            .elements()
            .filter_map(|child| Some((there(child)?, child.clone())))
            .collect();
        let mut taken: Vec<Option<Element>> = Vec::new();
        for value in values.iter() {
            let at = left.iter().position(|(old, _)| old == value);
            taken.push(at.map(|at| left.remove(at).1));
        }
        for (value, taken) in values.iter().zip(&mut taken) {
            if taken.is_none() {
                let at = left.iter().position(|(old, _)| same(old, value));
                let mut child = at.map_or_else(|| empty.clone(), |at| left.remove(at).1);
                write(value, &mut child);
                *taken = Some(child);
            }
        }
        self.place(is_one, taken.into_iter().flatten().collect());
    }

    /// Puts `elements` into the places of the children that are `called` so, adds what is more
    /// behind them and takes out what is left.
    fn place(&mut self, called: impl Fn(&Element) -> bool, elements: Vec<Element>) {
        let mut elements = elements.into_iter();
        let mut at = 0;
        while at < self.element.content.len() {
            match &mut self.element.content[at] {
                Node::Element(child) if called(child) => {
                    if let Some(element) = elements.next() {
                        *child = element;
                        at += 1;
                        self.next = at;
                    } else {
                        at = self.element.remove(at);
                        self.next = at;
                    }
                }
                _ => at += 1,
            }
        }
        for element in elements {
            self.insert(element);
        }
    }

    fn insert(&mut self, child: Element) {
        if child.local_name().is_empty() {
            return; // something that is called like its element has no name
        }
        let at = self.next.min(self.element.content.len());
        self.next = self.element.insert(at, child, self.indent.as_deref());
    }

    fn place_of(&self, called: impl Fn(&Element) -> bool) -> Option<usize> {
        let is = |node: &Node| node.element().is_some_and(&called);
        self.element.content.iter().position(is)
    }

    fn last_place(&self, called: impl Fn(&Element) -> bool) -> Option<usize> {
        let is = |node: &Node| node.element().is_some_and(&called);
        self.element.content.iter().rposition(is)
    }
}

/// An element that says something by being there.
#[derive(Default)]
struct Marker;

impl View for Marker {
    fn fields(&mut self, _: &mut Pass<'_>) {}
}

/// libvirt's units, bytes each.
///
/// <https://libvirt.org/formatdomain.html#memory-allocation>
fn unit_of(element: &Element) -> Option<u64> {
    Some(match element.attribute("unit").unwrap_or("KiB") {
        "b" | "bytes" | "B" => 1,
        "KB" => 1_000,
        "k" | "K" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        "TB" => 1_000_000_000_000,
        "T" | "TiB" => 1 << 40,
        _ => return None,
    })
}

/// Bytes of `<memory unit='KiB'>1024</memory>`.
fn bytes_of(element: &Element) -> Option<u64> {
    let number: u64 = element.text()?.trim().parse().ok()?;
    number.checked_mul(unit_of(element)?)
}

/// Writes bytes in the unit that is there, if that goes without a fraction.
fn set_bytes(bytes: Option<u64>, element: &mut Element) {
    let Some(bytes) = bytes else {
        element.set_attribute("unit", None);
        element.set_text(None);
        return;
    };
    let there = unit_of(element).filter(|unit| element.text().is_some() && bytes % unit == 0);
    let unit = there.unwrap_or_else(|| {
        let (name, unit) = match bytes % 1024 {
            0 => ("KiB", 1024),
            _ => ("bytes", 1),
        };
        element.set_attribute("unit", Some(name));
        unit
    });
    element.set_text(Some(&(bytes / unit).to_string()));
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn bytes_are_written_in_the_unit_that_was_there_where_that_fits() {
        let changed = |xml: &str, bytes| {
            let mut element = Element::parse(xml).unwrap();
            set_bytes(Some(bytes), &mut element);
            let mut out = String::new();
            element.write(&mut out);
            assert_eq!(bytes_of(&Element::parse(&out).unwrap()), Some(bytes));
            out
        };
        let mebibytes = "<memory unit='MiB'>2</memory>";
        assert_eq!(changed(mebibytes, 4 << 20), "<memory unit='MiB'>4</memory>");
        assert_eq!(changed(mebibytes, 1 << 10), "<memory unit='KiB'>1</memory>");
        assert_eq!(
            changed(mebibytes, 1025),
            "<memory unit='bytes'>1025</memory>"
        );
        assert_eq!(changed("<memory>2</memory>", 3072), "<memory>3</memory>");
        assert_eq!(changed("<memory/>", 3072), "<memory unit='KiB'>3</memory>");
    }
}
