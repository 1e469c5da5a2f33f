//! What the attributes of an item say, and how Rust's names become XML's.

use proc_macro2::Span;
use syn::{
    Attribute, Error, Expr, ExprLit, Ident, Lit, LitStr, Meta, Result, ext::IdentExt as _,
    spanned::Spanned as _,
};

/// The `#[soap(...)]` attributes of a type, field or variant.
#[derive(Default)]
pub struct Attributes {
    pub rename: Option<LitStr>,
    pub value: Option<Span>,
    pub sender: Option<Span>,
    pub receiver: Option<Span>,
}

impl Attributes {
    /// Reads them; `allowed` are the words that mean something here.
    pub fn read(attributes: &[Attribute], allowed: &[&str]) -> Result<Self> {
        let mut read = Self::default();
        for attribute in attributes.iter().filter(|a| a.path().is_ident("soap")) {
            attribute.parse_nested_meta(|meta| {
                let word = meta
                    .path
                    .get_ident()
                    .map(Ident::to_string)
                    .unwrap_or_default();
                if !allowed.contains(&word.as_str()) {
                    let words = if allowed.is_empty() {
                        "nothing".to_owned()
                    } else {
                        allowed.join(", ")
                    };
                    return Err(meta.error(format!("expected here: {words}")));
                }
                match word.as_str() {
                    "rename" => {
                        let name: LitStr = meta.value()?.parse()?;
                        check_name(&name)?;
                        read.rename = Some(name);
                    }
                    "value" => read.value = Some(meta.path.span()),
                    "sender" => read.sender = Some(meta.path.span()),
                    _ => read.receiver = Some(meta.path.span()),
                }
                Ok(())
            })?;
        }
        Ok(read)
    }

    /// The name in XML: the given one, or that of the identifier as it is.
    pub fn name(&self, identifier: &Ident) -> String {
        self.rename
            .as_ref()
            .map_or_else(|| identifier.unraw().to_string(), LitStr::value)
    }

    /// The name in XML: the given one, or that of the identifier in `lowerCamelCase`.
    pub fn camel_name(&self, identifier: &Ident) -> String {
        self.rename.as_ref().map_or_else(
            || lower_camel(&identifier.unraw().to_string()),
            LitStr::value,
        )
    }
}

fn check_name(name: &LitStr) -> Result<()> {
    let text = name.value();
    let starts = text
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let goes_on = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    if starts && goes_on {
        return Ok(());
    }
    Err(Error::new(
        name.span(),
        "an XML name was expected: ASCII letters, digits, `_`, `-` and `.`, a letter first",
    ))
}

/// `as_of` and `PartlyCloudy` become `asOf` and `partlyCloudy`.
fn lower_camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut raise = false;
    for c in name.chars() {
        if c == '_' {
            raise = !out.is_empty();
        } else if out.is_empty() {
            out.extend(c.to_lowercase());
        } else if std::mem::take(&mut raise) {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
    }
    out
}

/// The doc comment as one text: lines of a paragraph joined, paragraphs by a line feed.
pub fn documentation(attributes: &[Attribute]) -> String {
    let mut out = String::new();
    let mut ended = false;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("doc")) {
        let Meta::NameValue(pair) = &attribute.meta else {
            continue;
        };
        let Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) = &pair.value
        else {
            continue;
        };
        for line in text.value().split('\n') {
            let line = line.trim();
            if line.is_empty() {
                ended = true;
                continue;
            }
            if !out.is_empty() {
                out.push(if ended { '\n' } else { ' ' });
            }
            ended = false;
            out.push_str(line);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_camel_case() {
        for (rust, xml) in [
            ("as_of", "asOf"),
            ("name", "name"),
            ("PartlyCloudy", "partlyCloudy"),
            ("_x_y", "xY"),
            ("p95_ms", "p95Ms"),
        ] {
            assert_eq!(lower_camel(rust), xml);
        }
    }

    #[test]
    fn comments_become_paragraphs() {
        let item: syn::ItemStruct = syn::parse_quote! {
            /// One
            /// two.
            ///
            /// Three.
            struct X;
        };
        assert_eq!(documentation(&item.attrs), "One two.\nThree.");
    }
}
