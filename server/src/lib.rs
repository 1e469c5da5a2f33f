//! The vms binary: configuration, command line, web, SOAP services.
