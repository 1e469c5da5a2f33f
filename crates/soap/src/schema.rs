//! The XML Schema of a service, collected from the Rust types of its messages.

use crate::{Field, Message, writer::escape};
use std::{any::TypeId, fmt, fmt::Write as _};

/// The name of a type in a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeName {
    /// One of XML Schema's own, such as `string`.
    Xsd(&'static str),
    /// One of the schema's.
    Own(&'static str),
}

const BINARY: TypeName = TypeName::Xsd("base64Binary");

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Xsd(name) => write!(f, "xs:{name}"),
            Self::Own(name) => write!(f, "tns:{name}"),
        }
    }
}

/// The named types and elements of one service, each once.
///
/// The names are those of the Rust types, without their modules. Two different types of one name
/// cannot be in one schema; declaring them **panics** while the service is built, which is at
/// start-up: only the programmer can mend it.
#[derive(Debug, Default)]
pub struct Schema {
    types: Vec<Type>,
    elements: Vec<(String, TypeName)>,
}

#[derive(Debug)]
struct Type {
    name: &'static str,
    id: TypeId,
    rust: &'static str,
    xml: String,
}

impl Schema {
    /// Declares a complex type: a sequence of fields, which `fields` adds in order.
    pub fn complex<T: 'static>(
        &mut self,
        name: &'static str,
        documentation: &str,
        fields: impl FnOnce(&mut Fields<'_>),
    ) -> TypeName {
        self.declare::<T>(name, |schema| {
            let mut content = Fields {
                schema,
                xml: String::new(),
            };
            fields(&mut content);
            let sequence = match content.xml.as_str() {
                "" => "      <xs:sequence/>\n".to_owned(),
                xml => format!("      <xs:sequence>\n{xml}      </xs:sequence>\n"),
            };
            format!(
                "    <xs:complexType name=\"{name}\">\n{}{sequence}    </xs:complexType>\n",
                annotation(documentation, 6)
            )
        })
    }

    /// Declares a simple type: one of some words, each with its documentation.
    pub fn enumeration<T: 'static>(
        &mut self,
        name: &'static str,
        documentation: &str,
        words: &[(&str, &str)],
    ) -> TypeName {
        self.declare::<T>(name, |_| {
            let mut xml = format!(
                "    <xs:simpleType name=\"{name}\">\n{}      <xs:restriction base=\"xs:string\">\n",
                annotation(documentation, 6)
            );
            for (word, documentation) in words {
                let _ = match annotation(documentation, 10) {
                    none if none.is_empty() => {
                        writeln!(xml, "        <xs:enumeration value=\"{}\"/>", escape(word))
                    }
                    note => writeln!(
                        xml,
                        "        <xs:enumeration value=\"{}\">\n{note}        </xs:enumeration>",
                        escape(word)
                    ),
                };
            }
            xml.push_str("      </xs:restriction>\n    </xs:simpleType>\n");
            xml
        })
    }

    fn declare<T: 'static>(
        &mut self,
        name: &'static str,
        xml: impl FnOnce(&mut Self) -> String,
    ) -> TypeName {
        let id = TypeId::of::<T>();
        let rust = std::any::type_name::<T>();
        if let Some(other) = self.types.iter().find(|known| known.name == name) {
            assert!(
                other.id == id,
                "both {} and {rust} want to be the type `{name}` of one service: \
                 rename one by #[soap(rename = \"...\")]",
                other.rust
            );
            return TypeName::Own(name);
        }
        // Known before it is described, for it may hold itself.
        let index = self.types.len();
        self.types.push(Type {
            name,
            id,
            rust,
            xml: String::new(),
        });
        let xml = xml(self);
        self.types[index].xml = xml;
        TypeName::Own(name)
    }

    /// Declares a global element for a message.
    pub(crate) fn element<T: Message>(&mut self, name: &str) {
        let type_name = T::schema(self);
        if let Some((_, other)) = self.elements.iter().find(|(known, _)| known == name) {
            assert!(
                *other == type_name,
                "the element `{name}` cannot be both of type {other} and of type {type_name}: \
                 an operation, its response or a fault must be named otherwise"
            );
            return;
        }
        self.elements.push((name.to_owned(), type_name));
    }

    /// The `xs:schema` element.
    pub(crate) fn to_xml(&self, namespace: &str) -> String {
        let namespace = escape(namespace);
        let mut xml = format!(
            "  <xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:tns=\"{namespace}\" \
             targetNamespace=\"{namespace}\" elementFormDefault=\"qualified\" \
             attributeFormDefault=\"unqualified\">\n"
        );
        for (name, type_name) in &self.elements {
            let _ = writeln!(
                xml,
                "    <xs:element name=\"{name}\" type=\"{type_name}\"/>"
            );
        }
        for declared in &self.types {
            xml.push_str(&declared.xml);
        }
        xml.push_str("  </xs:schema>\n");
        xml
    }
}

/// The fields of a complex type in the making.
#[derive(Debug)]
pub struct Fields<'s> {
    schema: &'s mut Schema,
    xml: String,
}

impl Fields<'_> {
    /// Adds a field.
    pub fn field<F: Field>(&mut self, name: &str, documentation: &str) {
        let type_name = F::declare(self.schema);
        // Tells generators of stubs that it can be an attachment, where it is in scope.
        let attachment = match type_name {
            BINARY => {
                " xmlns:xmime=\"http://www.w3.org/2005/05/xmlmime\" \
                 xmime:expectedContentTypes=\"application/octet-stream\""
            }
            _ => "",
        };
        let _ = write!(
            self.xml,
            "        <xs:element name=\"{name}\" type=\"{type_name}\"{}{attachment}",
            F::OCCURS
        );
        match annotation(documentation, 10) {
            none if none.is_empty() => self.xml.push_str("/>\n"),
            note => {
                let _ = writeln!(self.xml, ">\n{note}        </xs:element>");
            }
        }
    }
}

fn annotation(documentation: &str, indent: usize) -> String {
    if documentation.is_empty() {
        return String::new();
    }
    format!(
        "{:indent$}<xs:annotation><xs:documentation>{}</xs:documentation></xs:annotation>\n",
        "",
        escape(documentation)
    )
}
