//! `MeasurementService`.

use super::{NAMESPACE, caller, name};
use api::{Operations, QueryHistoryRequest};
use soap::{Call, Service};
use std::sync::Arc;

pub(super) fn service(operations: &Arc<dyn Operations>) -> Service {
    let history = operations.clone();
    Service::new(name::MEASUREMENT, NAMESPACE)
        .documentation("Measurements of routers, their interfaces and their disks over time.")
        .operation(
            "QueryHistory",
            "Returns one metric of one router, interface or disk as a series of equal steps. A \
             step without measurement has no value: a gap is never bridged and never 0. Counters \
             are told as rates unless another aggregation is asked for; resets are seen.",
            move |call: Call, request: QueryHistoryRequest| {
                let operations = history.clone();
                async move { operations.query_history(&caller(&call), request).await }
            },
        )
}
