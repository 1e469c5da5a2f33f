//! The derive macros of the crate `soap`; use them through it.

mod attributes;
mod fault;
mod message;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Gives a type its XML form: encoding, decoding and schema.
///
/// - A struct with named fields becomes a complex type, a sequence of `lowerCamelCase` elements,
///   and can be a request, a reply or the detail of a fault.
/// - An enum of unit variants becomes an enumeration of `lowerCamelCase` words.
/// - A tuple struct of one field with `#[soap(value)]` becomes an `xs:string` by way of `Display`
///   and `FromStr`, whose error must implement `Display`.
///
/// `#[soap(rename = "name")]` on a type, field or variant names it otherwise. Doc comments become
/// documentation in the schema.
#[proc_macro_derive(Message, attributes(soap))]
pub fn message(input: TokenStream) -> TokenStream {
    message::derive(&parse_macro_input!(input as DeriveInput))
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Makes an enum the error of operations: every variant holds one message, and is a fault that
/// the WSDL declares under the variant's name.
///
/// Each variant says whose fault it is, by `#[soap(sender)]` (the caller has to change something)
/// or `#[soap(receiver)]`. The enum must implement `Display`: that is the reason given to people.
#[proc_macro_derive(Fault, attributes(soap))]
pub fn fault(input: TokenStream) -> TokenStream {
    fault::derive(&parse_macro_input!(input as DeriveInput))
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
