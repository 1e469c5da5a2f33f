//! The framework from outside: HTTP requests against a router, as clients send them.

#![allow(missing_docs)]

mod described;
mod faults;
mod mtom;
mod protocol;
mod refused;
mod support;
mod values;
