//! A SOAP 1.1 and 1.2 server framework for [axum]: messages are Rust types, operations are async
//! functions, and the WSDL follows from both.
//!
//! ```
//! use soap::{Call, Fault, Limits, Message, Service};
//! use std::fmt;
//!
//! /// Asks for the weather.
//! #[derive(Message)]
//! struct GetWeatherRequest {
//!     /// Where, for example `Lisbon`.
//!     place: String,
//!     /// How many days ahead; today if absent.
//!     days_ahead: Option<u32>,
//! }
//!
//! /// The weather.
//! #[derive(Message)]
//! struct GetWeatherReply {
//!     sky: Sky,
//!     /// One for each hour, in °C.
//!     temperatures: Vec<f64>,
//! }
//!
//! #[derive(Message)]
//! enum Sky {
//!     Clear,
//!     PartlyCloudy,
//! }
//!
//! #[derive(Message)]
//! struct UnknownPlace {
//!     place: String,
//! }
//!
//! #[derive(Fault)]
//! enum WeatherError {
//!     #[soap(sender)]
//!     UnknownPlace(UnknownPlace),
//! }
//!
//! impl fmt::Display for WeatherError {
//!     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
//!         let Self::UnknownPlace(fault) = self;
//!         write!(f, "the place {:?} is not known", fault.place)
//!     }
//! }
//!
//! async fn get_weather(
//!     _call: Call,
//!     request: GetWeatherRequest,
//! ) -> Result<GetWeatherReply, WeatherError> {
//!     if request.place != "Lisbon" {
//!         let place = request.place;
//!         return Err(WeatherError::UnknownPlace(UnknownPlace { place }));
//!     }
//!     Ok(GetWeatherReply { sky: Sky::Clear, temperatures: vec![21.5, 22.0] })
//! }
//!
//! let service = Service::new("WeatherService", "urn:example:weather")
//!     .documentation("Tells the weather.")
//!     .operation("GetWeather", "The weather of one day.", get_weather);
//! let app: axum::Router = soap::router(vec![service], Limits::default());
//! # let _ = app;
//! ```
//!
//! `app` now answers `POST /services/WeatherService` in both versions of SOAP,
//! `/services/WeatherService?wsdl`, and `/services/` with a page for people.
//!
//! # Messages
//!
//! [`derive(Message)`](macro@Message) makes
//! - a **struct** with named fields a complex type: a sequence of elements in `lowerCamelCase`. A
//!   field is a [`Value`], an `Option` of one (`minOccurs="0"`) or a `Vec` of one (any number of
//!   elements side by side). Structs are [`Message`]s: requests, replies and fault details.
//! - an **enum** of unit variants an enumeration of `lowerCamelCase` words.
//! - a one-field tuple struct marked **`#[soap(value)]`** an `xs:string` that is written by its
//!   `Display` and read by its `FromStr`, whose error becomes the sentence that the caller reads.
//!
//! Doc comments become `xs:documentation`. `#[soap(rename = "…")]` names a field, variant or type
//! otherwise. Built in are `String`, `bool`, `i32`, `i64`, `u16`, `u32`, `u64`, `f32`, `f64`,
//! `Box<T>`, `Arc<T>`, [`Content`] (bytes), and with the cargo features `jiff` and `uuid` `jiff::Timestamp`
//! (`xs:dateTime`) and `uuid::Uuid` (`xs:string`). Identifiers are best strings: JavaScript and
//! PHP lose integers above 2⁵³.
//!
//! The schema has the style that every client that was tried compiles: document/literal wrapped,
//! qualified elements, named types, sequences, nothing repeated but elements.
//!
//! # What is read, and what is refused
//!
//! A message is checked to its last byte before any handler sees any of it. Refused are: a
//! document type declaration, entities other than XML's five, elements that are not closed, a
//! second root, text where elements belong, undeclared prefixes, attributes given twice,
//! characters that XML cannot carry, encodings other than UTF-8 and UTF-16, processing
//! instructions on SOAP 1.1, anything after the body, more or fewer than one element in it, and
//! what exceeds the [`Limits`].
//!
//! Inside the body **nothing is guessed**: an element that the type does not know, one of another
//! namespace, one given twice, one that is missing, an attribute in no namespace (such as the
//! `href` of encoded SOAP), and a value that is not of its type are refused with a sentence that
//! begins with the path of the element: `CreateRouter/interfaces[2]/mac: …`. Elements are accepted
//! in **any order**, although the schema says sequence: it costs nothing, and no two readings of
//! such a message are possible. `xsi:nil="true"` reads as absent.
//!
//! Text is written so that it reads back the same. Characters that XML 1.0 cannot carry even
//! escaped are written as U+FFFD; see [`Writer`].
//!
//! # The protocol
//!
//! - The version is that of the envelope, and must be the one that the Content-Type says; else the
//!   answer is a `VersionMismatch` with an `Upgrade` block.
//! - The operation is that of the body's element. The action is not needed; one that names another
//!   operation of the service is refused.
//! - Header blocks are let pass unread, unless they must be understood here: that is a
//!   `MustUnderstand` fault.
//! - Faults go out with HTTP 500; those of the sender on SOAP 1.2 with 400. What is wrong before
//!   SOAP begins is answered in plain text: 404 (no such service), 405, 413 (too large), 415 (not
//!   a Content-Type of SOAP).
//!
//! - Attachments come by MTOM, and their operations get them as they come: see [`Attachments`]. A
//!   reply to such a message is a plain one.
//!
//! Not here: attachments in replies, WS-Addressing, WS-Security, one-way operations, RPC style and
//! encoded messages, WSDL 2.0. A handler that panics ends its connection, as any handler of axum
//! does; `tower_http::catch_panic` helps. Time limits for slow callers are the server's.

extern crate self as soap;

pub mod client;
mod document;
mod element;
mod encoding;
mod envelope;
mod fault;
mod limits;
mod mtom;
mod pages;
mod router;
mod schema;
mod service;
mod value;
mod version;
mod writer;
mod wsdl;

pub use element::{Element, ReadError};
pub use fault::{Fault, FaultSchema, Side};
pub use limits::Limits;
pub use mtom::{Attachment, AttachmentError, Attachments, Content};
pub use router::router;
pub use schema::{Fields, Schema, TypeName};
pub use service::{Call, Service};
pub use soap_derive::{Fault, Message};
pub use value::{Field, Message, Value};
pub use version::Version;
pub use writer::{Tag, Writer};
