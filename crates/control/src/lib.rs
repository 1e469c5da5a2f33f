//! What implements the operations: fleet, discovery, measurement, service, demo.
