//! What can stand in a message: values, how often they occur, and the built-in ones.

use crate::{Element, ReadError, Schema, Tag, TypeName, Writer};
use std::sync::Arc;

/// A type that has an XML form: a simple value or a structure.
///
/// Derive it by [`macro@crate::Message`]; by hand only for a value with a spelling of its own.
///
/// ```
/// use soap::{Element, ReadError, Schema, TypeName, Value, Writer};
///
/// /// A share between 0 and 1, written in percent.
/// struct Share(f64);
///
/// impl Value for Share {
///     fn schema(schema: &mut Schema) -> TypeName {
///         f64::schema(schema)
///     }
///     fn write(&self, out: &mut Writer) {
///         (self.0 * 100.0).write(out);
///     }
///     fn read(element: Element<'_>) -> Result<Self, ReadError> {
///         let percent = f64::read(element)?;
///         if !(0.0..=100.0).contains(&percent) {
///             return Err(element.invalid("is a share in percent: 0 to 100 was expected"));
///         }
///         Ok(Self(percent / 100.0))
///     }
/// }
/// ```
pub trait Value: Sized + Send + 'static {
    /// Declares the type, and every type that it needs, and names it.
    fn schema(schema: &mut Schema) -> TypeName;

    /// Writes what stands between the tags.
    fn write(&self, out: &mut Writer);

    /// Reads what stands between the tags.
    fn read(element: Element<'_>) -> Result<Self, ReadError>;
}

/// A structure that can be the request, the reply or the fault of an operation: a struct with
/// named fields, by [`macro@crate::Message`].
pub trait Message: Value {}

/// How a field of a structure occurs: once (any [`Value`]), at most once (`Option`), or any number
/// of times (`Vec`).
pub trait Field: Sized {
    /// The attributes of its `xs:element` that say so.
    const OCCURS: &'static str;

    /// What was read of it so far.
    type Slot: Default;

    /// Declares and names the type of one occurrence.
    fn declare(schema: &mut Schema) -> TypeName;

    /// Writes its elements.
    fn write_elements(&self, tag: Tag, out: &mut Writer);

    /// Reads one of its elements.
    fn read_element(element: Element<'_>, slot: &mut Self::Slot) -> Result<(), ReadError>;

    /// The field, when every element of `parent` was read.
    fn finish(slot: Self::Slot, parent: Element<'_>, name: &str) -> Result<Self, ReadError>;
}

impl<T: Value> Field for T {
    const OCCURS: &'static str = "";
    type Slot = Option<T>;

    fn declare(schema: &mut Schema) -> TypeName {
        T::schema(schema)
    }

    fn write_elements(&self, tag: Tag, out: &mut Writer) {
        out.element(tag, |out| self.write(out));
    }

    fn read_element(element: Element<'_>, slot: &mut Option<T>) -> Result<(), ReadError> {
        if slot.is_some() {
            return Err(element.repeated());
        }
        if element.is_nil()? {
            return Err(element.invalid("is xsi:nil, but a value is required"));
        }
        *slot = Some(T::read(element)?);
        Ok(())
    }

    fn finish(slot: Option<T>, parent: Element<'_>, name: &str) -> Result<Self, ReadError> {
        slot.ok_or_else(|| parent.missing(name))
    }
}

impl<T: Value> Field for Option<T> {
    const OCCURS: &'static str = " minOccurs=\"0\"";
    /// Outer: whether the element was there; inner: whether it was nil.
    type Slot = Option<Option<T>>;

    fn declare(schema: &mut Schema) -> TypeName {
        T::schema(schema)
    }

    fn write_elements(&self, tag: Tag, out: &mut Writer) {
        if let Some(value) = self {
            out.element(tag, |out| value.write(out));
        }
    }

    fn read_element(element: Element<'_>, slot: &mut Self::Slot) -> Result<(), ReadError> {
        if slot.is_some() {
            return Err(element.repeated());
        }
        *slot = Some(if element.is_nil()? {
            None
        } else {
            Some(T::read(element)?)
        });
        Ok(())
    }

    fn finish(slot: Self::Slot, _: Element<'_>, _: &str) -> Result<Self, ReadError> {
        Ok(slot.flatten())
    }
}

impl<T: Value> Field for Vec<T> {
    const OCCURS: &'static str = " minOccurs=\"0\" maxOccurs=\"unbounded\"";
    type Slot = Vec<T>;

    fn declare(schema: &mut Schema) -> TypeName {
        T::schema(schema)
    }

    fn write_elements(&self, tag: Tag, out: &mut Writer) {
        for value in self {
            out.element(tag, |out| value.write(out));
        }
    }

    fn read_element(element: Element<'_>, slot: &mut Vec<T>) -> Result<(), ReadError> {
        if !element.is_nil()? {
            slot.push(T::read(element)?);
        }
        Ok(())
    }

    fn finish(slot: Vec<T>, _: Element<'_>, _: &str) -> Result<Self, ReadError> {
        Ok(slot)
    }
}

/// What is shared is written as what it is: a reply that many read need not be copied.
impl<T: Value + Sync> Value for Arc<T> {
    fn schema(schema: &mut Schema) -> TypeName {
        T::schema(schema)
    }

    fn write(&self, out: &mut Writer) {
        T::write(self, out);
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        T::read(element).map(Arc::new)
    }
}

impl<T: Message + Sync> Message for Arc<T> {}

/// A box is what is in it: it lets a structure hold itself.
impl<T: Value> Value for Box<T> {
    fn schema(schema: &mut Schema) -> TypeName {
        T::schema(schema)
    }

    fn write(&self, out: &mut Writer) {
        T::write(self, out);
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        T::read(element).map(Box::new)
    }
}

impl Value for String {
    fn schema(_: &mut Schema) -> TypeName {
        TypeName::Xsd("string")
    }

    fn write(&self, out: &mut Writer) {
        out.text(self);
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        element.text().map(str::to_owned)
    }
}

impl Value for bool {
    fn schema(_: &mut Schema) -> TypeName {
        TypeName::Xsd("boolean")
    }

    fn write(&self, out: &mut Writer) {
        out.raw(if *self { "true" } else { "false" });
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        match element.token()? {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            other => Err(element.unreadable(other, "true or false")),
        }
    }
}

macro_rules! integer {
    ($($type:ty, $xsd:literal;)*) => {$(
        impl Value for $type {
            fn schema(_: &mut Schema) -> TypeName {
                TypeName::Xsd($xsd)
            }

            fn write(&self, out: &mut Writer) {
                out.integer(i128::from(*self));
            }

            fn read(element: Element<'_>) -> Result<Self, ReadError> {
                let text = element.token()?;
                text.parse().map_err(|_| {
                    let range = format!("a whole number from {} to {}", Self::MIN, Self::MAX);
                    element.unreadable(text, &range)
                })
            }
        }
    )*};
}

integer! {
    i32, "int";
    i64, "long";
    u16, "unsignedShort";
    u32, "unsignedInt";
    u64, "unsignedLong";
}

macro_rules! float {
    ($($type:ty, $xsd:literal;)*) => {$(
        impl Value for $type {
            fn schema(_: &mut Schema) -> TypeName {
                TypeName::Xsd($xsd)
            }

            /// Written so that reading gives the same value; `INF`, `-INF` and `NaN` as XSD
            /// spells them.
            fn write(&self, out: &mut Writer) {
                if self.is_finite() {
                    out.display(self);
                } else if self.is_nan() {
                    out.raw("NaN");
                } else {
                    out.raw(if *self > 0.0 { "INF" } else { "-INF" });
                }
            }

            fn read(element: Element<'_>) -> Result<Self, ReadError> {
                let text = element.token()?;
                match text {
                    "INF" => return Ok(Self::INFINITY),
                    "-INF" => return Ok(Self::NEG_INFINITY),
                    "NaN" => return Ok(Self::NAN),
                    _ => {}
                }
                // Rust also reads `inf`, `infinity` and `nan`, which XSD does not know.
                let numeric = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
                text.parse()
                    .ok()
                    .filter(|_| numeric)
                    .ok_or_else(|| element.unreadable(text, "a number such as -1.5, 2e9, INF or NaN"))
            }
        }
    )*};
}

float! {
    f32, "float";
    f64, "double";
}

/// An instant: written in UTC with `Z`, read with any offset. A time without offset is refused:
/// what it means depends on where one stands.
#[cfg(feature = "jiff")]
impl Value for jiff::Timestamp {
    fn schema(_: &mut Schema) -> TypeName {
        TypeName::Xsd("dateTime")
    }

    fn write(&self, out: &mut Writer) {
        out.display(self);
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        let text = element.token()?;
        Some(text)
            .filter(|text| is_date_time(text.as_bytes()))
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| {
                element.unreadable(
                    text,
                    "a time with offset, such as 2026-11-30T12:00:00Z or 2026-11-30T13:00:00+01:00",
                )
            })
    }
}

/// Whether it has the form of an xs:dateTime of our era with an offset; whether there is such a
/// day is not asked.
#[cfg(feature = "jiff")]
fn is_date_time(text: &[u8]) -> bool {
    let follows = |text: &[u8], form: &[u8]| {
        text.len() == form.len()
            && text.iter().zip(form).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    let Some((start, mut rest)) = text.split_at_checked(19) else {
        return false;
    };
    if let [b'.', fraction @ ..] = rest {
        let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return false;
        }
        rest = &fraction[digits..];
    }
    follows(start, b"0000-00-00T00:00:00")
        && (rest == b"Z" || follows(rest, b"+00:00") || follows(rest, b"-00:00"))
}

/// A UUID as a string, written in lower case with hyphens.
#[cfg(feature = "uuid")]
impl Value for uuid::Uuid {
    fn schema(_: &mut Schema) -> TypeName {
        TypeName::Xsd("string")
    }

    fn write(&self, out: &mut Writer) {
        out.raw(
            self.hyphenated()
                .encode_lower(&mut uuid::Uuid::encode_buffer()),
        );
    }

    fn read(element: Element<'_>) -> Result<Self, ReadError> {
        let text = element.token()?;
        text.parse().map_err(|_| {
            element.unreadable(text, "a UUID such as 6f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01")
        })
    }
}
