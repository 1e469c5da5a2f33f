//! The operations of VMS: one request, reply and error type each, ids, and the trait Operations.
