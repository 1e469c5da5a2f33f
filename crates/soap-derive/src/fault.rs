//! `derive(Fault)`.

use crate::attributes::Attributes;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Result};

pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(
            &input.ident,
            "a fault is an enum: one variant for each thing that can go wrong",
        ));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "a fault cannot be generic",
        ));
    }
    Attributes::read(&input.attrs, &[])?;
    if data.variants.is_empty() {
        return Err(Error::new_spanned(
            &input.ident,
            "a fault needs a variant; for operations that cannot fail there is \
             std::convert::Infallible",
        ));
    }
    let (mut variants, mut names, mut types, mut sides) = (vec![], vec![], vec![], vec![]);
    for variant in &data.variants {
        let attributes = Attributes::read(&variant.attrs, &["rename", "sender", "receiver"])?;
        sides.push(match (attributes.sender, attributes.receiver) {
            (Some(_), None) => quote!(Sender),
            (None, Some(_)) => quote!(Receiver),
            _ => {
                return Err(Error::new_spanned(
                    variant,
                    "whose fault is it? One of #[soap(sender)] and #[soap(receiver)] was expected",
                ));
            }
        });
        match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                types.push(&fields.unnamed[0].ty);
            }
            _ => {
                return Err(Error::new_spanned(
                    variant,
                    "a variant holds one message: `NotFound(NotFound)`",
                ));
            }
        }
        names.push(attributes.name(&variant.ident));
        variants.push(&variant.ident);
    }
    let ident = &input.ident;
    Ok(quote! {
        #[automatically_derived]
        impl ::soap::Fault for #ident {
            fn declare(schema: &mut ::soap::FaultSchema<'_>) {
                #( schema.fault::<#types>(#names); )*
            }

            fn side(&self) -> ::soap::Side {
                match self { #( Self::#variants(_) => ::soap::Side::#sides, )* }
            }

            fn name(&self) -> &'static str {
                match self { #( Self::#variants(_) => #names, )* }
            }

            fn write(&self, out: &mut ::soap::Writer) {
                match self { #( Self::#variants(detail) => ::soap::Value::write(detail, out), )* }
            }

            fn read(
                element: ::soap::Element<'_>,
            ) -> ::core::option::Option<::core::result::Result<Self, ::soap::ReadError>> {
                match element.name() {
                    #( #names => ::core::option::Option::Some(
                        <#types as ::soap::Value>::read(element).map(Self::#variants),
                    ), )*
                    _ => ::core::option::Option::None,
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn what_is_not_a_fault_is_refused() {
        let cases: [(DeriveInput, &str); 5] = [
            (
                parse_quote!(
                    struct X {}
                ),
                "an enum",
            ),
            (
                parse_quote!(
                    enum X {}
                ),
                "Infallible",
            ),
            (
                parse_quote!(
                    enum X {
                        A(A),
                    }
                ),
                "whose fault",
            ),
            (
                parse_quote!(
                    enum X {
                        #[soap(sender, receiver)]
                        A(A),
                    }
                ),
                "whose fault",
            ),
            (
                parse_quote!(
                    enum X {
                        #[soap(sender)]
                        A,
                    }
                ),
                "holds one message",
            ),
        ];
        for (input, part) in cases {
            let error = derive(&input).expect_err("it was accepted").to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
