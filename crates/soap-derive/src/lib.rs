//! The derive macros of the crate soap.
