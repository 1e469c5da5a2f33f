//! A SOAP 1.1 and 1.2 server framework for axum: messages, envelopes, faults, dispatch, WSDL.
