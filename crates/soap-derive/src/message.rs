//! `derive(Message)`.

use crate::attributes::{Attributes, documentation};
use proc_macro2::TokenStream;
use quote::quote;
use std::collections::HashSet;
use syn::{Data, DataEnum, DeriveInput, Error, Fields, FieldsNamed, Ident, Result};

pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "a message cannot be generic: its name in the schema would mean several types",
        ));
    }
    let attributes = Attributes::read(&input.attrs, &["rename", "value"])?;
    if let Some(span) = attributes.value {
        return match &input.data {
            Data::Struct(data) if matches!(&data.fields, Fields::Unnamed(f) if f.unnamed.len() == 1) => {
                Ok(simple_value(&input.ident))
            }
            _ => Err(Error::new(
                span,
                "a value is a tuple struct of one field: `struct Id(String);`",
            )),
        };
    }
    let name = attributes.name(&input.ident);
    let documentation = documentation(&input.attrs);
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => structure(&input.ident, &name, &documentation, fields),
            _ => Err(Error::new_spanned(
                &input.ident,
                "named fields were expected (`struct X {}` if there are none), or \
                 `#[soap(value)]` on a tuple struct of one field",
            )),
        },
        Data::Enum(data) => enumeration(&input.ident, &name, &documentation, data),
        Data::Union(_) => Err(Error::new_spanned(
            &input.ident,
            "a union cannot be a message",
        )),
    }
}

/// Refuses names that some client cannot tell apart.
fn check_distinct(seen: &mut HashSet<String>, name: &str, identifier: &Ident) -> Result<()> {
    if seen.insert(name.to_ascii_lowercase()) {
        return Ok(());
    }
    Err(Error::new_spanned(
        identifier,
        format!("`{name}` is there twice, or twice but for capitals, which clients confuse"),
    ))
}

fn structure(
    ident: &Ident,
    name: &str,
    documentation_of_type: &str,
    fields: &FieldsNamed,
) -> Result<TokenStream> {
    let mut seen = HashSet::new();
    let (mut idents, mut types, mut names, mut docs, mut tags, mut slots) =
        (vec![], vec![], vec![], vec![], vec![], vec![]);
    for (index, field) in fields.named.iter().enumerate() {
        let Some(ident) = &field.ident else { continue };
        let attributes = Attributes::read(&field.attrs, &["rename"])?;
        let name = attributes.camel_name(ident);
        check_distinct(&mut seen, &name, ident)?;
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        tags.push(quote! { const { ::soap::Tag::new(#open, #close) } });
        idents.push(ident);
        types.push(&field.ty);
        names.push(name);
        docs.push(documentation(&field.attrs));
        slots.push(quote::format_ident!("slot{index}"));
    }
    let (fields, out) = if idents.is_empty() {
        (quote!(_), quote!(_))
    } else {
        (quote!(fields), quote!(out))
    };
    Ok(quote! {
        #[automatically_derived]
        impl ::soap::Value for #ident {
            fn schema(schema: &mut ::soap::Schema) -> ::soap::TypeName {
                schema.complex::<Self>(#name, #documentation_of_type, |#fields| {
                    #( fields.field::<#types>(#names, #docs); )*
                })
            }

            fn write(&self, #out: &mut ::soap::Writer) {
                #( ::soap::Field::write_elements(&self.#idents, #tags, out); )*
            }

            fn read(
                element: ::soap::Element<'_>,
            ) -> ::core::result::Result<Self, ::soap::ReadError> {
                element.expect_fields()?;
                #( let mut #slots: <#types as ::soap::Field>::Slot =
                    ::core::default::Default::default(); )*
                for child in element.children() {
                    match child.field_of(element)? {
                        #( #names => <#types as ::soap::Field>::read_element(child, &mut #slots)?, )*
                        _ => return ::core::result::Result::Err(child.unknown(&[#(#names),*])),
                    }
                }
                ::core::result::Result::Ok(Self {
                    #( #idents: <#types as ::soap::Field>::finish(#slots, element, #names)?, )*
                })
            }
        }

        #[automatically_derived]
        impl ::soap::Message for #ident {}
    })
}

fn enumeration(
    ident: &Ident,
    name: &str,
    documentation_of_type: &str,
    data: &DataEnum,
) -> Result<TokenStream> {
    if data.variants.is_empty() {
        return Err(Error::new_spanned(
            ident,
            "an enumeration needs a variant: there is no value that it could have",
        ));
    }
    let mut seen = HashSet::new();
    let (mut variants, mut words, mut docs) = (vec![], vec![], vec![]);
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new_spanned(
                variant,
                "only variants without fields have a form that every SOAP client reads: \
                 make it a struct of optional fields",
            ));
        }
        let attributes = Attributes::read(&variant.attrs, &["rename"])?;
        let word = attributes.camel_name(&variant.ident);
        check_distinct(&mut seen, &word, &variant.ident)?;
        variants.push(&variant.ident);
        words.push(word);
        docs.push(documentation(&variant.attrs));
    }
    let expected = match words.as_slice() {
        [only] => only.clone(),
        words => format!("one of {}", words.join(", ")),
    };
    Ok(quote! {
        #[automatically_derived]
        impl ::soap::Value for #ident {
            fn schema(schema: &mut ::soap::Schema) -> ::soap::TypeName {
                schema.enumeration::<Self>(
                    #name,
                    #documentation_of_type,
                    &[#( (#words, #docs) ),*],
                )
            }

            fn write(&self, out: &mut ::soap::Writer) {
                out.raw(match self { #( Self::#variants => #words, )* });
            }

            fn read(
                element: ::soap::Element<'_>,
            ) -> ::core::result::Result<Self, ::soap::ReadError> {
                match element.token()? {
                    #( #words => ::core::result::Result::Ok(Self::#variants), )*
                    other => ::core::result::Result::Err(element.unreadable(other, #expected)),
                }
            }
        }
    })
}

fn simple_value(ident: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl ::soap::Value for #ident {
            fn schema(_: &mut ::soap::Schema) -> ::soap::TypeName {
                ::soap::TypeName::Xsd("string")
            }

            fn write(&self, out: &mut ::soap::Writer) {
                out.display(self);
            }

            fn read(
                element: ::soap::Element<'_>,
            ) -> ::core::result::Result<Self, ::soap::ReadError> {
                ::core::str::FromStr::from_str(element.text()?)
                    .map_err(|error| element.invalid(::std::string::ToString::to_string(&error)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[track_caller]
    fn refused(input: &DeriveInput, part: &str) {
        let error = derive(input).expect_err("it was accepted").to_string();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn what_has_no_form_in_xml_is_refused() {
        refused(
            &parse_quote!(
                struct X<T> {
                    x: T,
                }
            ),
            "cannot be generic",
        );
        refused(
            &parse_quote!(
                struct X;
            ),
            "named fields",
        );
        refused(
            &parse_quote!(
                struct X(u32);
            ),
            "#[soap(value)]",
        );
        refused(
            &parse_quote!(
                #[soap(value)]
                struct X {
                    x: u32,
                }
            ),
            "one field",
        );
        refused(&parse_quote!(union X { x: u32 }), "union");
        refused(
            &parse_quote!(
                enum X {}
            ),
            "needs a variant",
        );
        refused(
            &parse_quote!(
                enum X {
                    A(u32),
                }
            ),
            "without fields",
        );
    }

    #[test]
    fn names_that_clients_confuse_are_refused() {
        refused(
            &parse_quote!(
                struct X {
                    a_b: u32,
                    #[soap(rename = "AB")]
                    c: u32,
                }
            ),
            "twice",
        );
        refused(
            &parse_quote!(
                enum X {
                    A,
                    #[soap(rename = "a")]
                    B,
                }
            ),
            "twice",
        );
        refused(
            &parse_quote!(
                struct X {
                    #[soap(rename = "1")]
                    a: u32,
                }
            ),
            "XML name",
        );
        refused(
            &parse_quote!(
                struct X {
                    #[soap(name = "b")]
                    a: u32,
                }
            ),
            "expected here: rename",
        );
    }
}
