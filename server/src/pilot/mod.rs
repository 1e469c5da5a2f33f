//! The SOAP services that pilots call: one thin module each, over [`Operations`].
//!
//! What the operations do, need and fail with is documented in `api`; here are their names in the
//! services, and sentences for whoever reads a WSDL.

mod image;
mod measurement;
mod migration;
mod provisioning;
mod status;
mod topology;

use api::{Caller, Channel, Operations};
use soap::{Call, Service};
use std::sync::Arc;

/// The XML namespace of every message.
pub const NAMESPACE: &str = "urn:vms:pilot:1";

/// Every service.
pub fn services(operations: &Arc<dyn Operations>) -> Vec<Service> {
    vec![
        topology::service(operations),
        status::service(operations),
        measurement::service(operations),
        migration::service(operations),
        provisioning::service(operations),
        image::service(operations),
    ]
}

/// The services by name, with their operations: where a client finds an operation.
pub(crate) mod name {
    pub(crate) const TOPOLOGY: &str = "TopologyService";
    pub(crate) const STATUS: &str = "StatusService";
    pub(crate) const MEASUREMENT: &str = "MeasurementService";
    pub(crate) const MIGRATION: &str = "MigrationService";
    pub(crate) const PROVISIONING: &str = "ProvisioningService";
    pub(crate) const IMAGE: &str = "ImageService";
}

fn caller(call: &Call) -> Caller {
    Caller {
        address: call.peer().map(|peer| peer.to_string()),
        ..Caller::local(Channel::Soap)
    }
}
