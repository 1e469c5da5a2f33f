//! `MeasurementService`.

use super::{NAMESPACE, caller, name};
use api::{GetLoadRequest, Operations, QueryHistoryRequest};
use soap::{Call, Service};
use std::sync::Arc;

pub(super) fn service(operations: &Arc<dyn Operations>) -> Service {
    let (load, history) = (operations.clone(), operations.clone());
    Service::new(name::MEASUREMENT, NAMESPACE)
        .documentation(
            "Measurements: of hosts, routers and links at present; of routers, their interfaces and \
             their disks over time.",
        )
        .operation(
            "GetLoad",
            "Returns in one call what all hosts and routers use of their processors and memory at \
             present, and what all links carry in each direction, as it was measured last. No host \
             is asked. What is not measured is absent, never 0.",
            move |call: Call, request: GetLoadRequest| {
                let operations = load.clone();
                async move { operations.get_load(&caller(&call), request).await }
            },
        )
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
