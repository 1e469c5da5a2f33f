//! Tests from outside: browser, SOAP clients, and the testbed of real hosts.
