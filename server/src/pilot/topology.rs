//! `TopologyService`.

use super::{NAMESPACE, caller, name};
use api::{GetTopologyRequest, Operations};
use soap::{Call, Service};
use std::sync::Arc;

pub(super) fn service(operations: &Arc<dyn Operations>) -> Service {
    let topology = operations.clone();
    Service::new(name::TOPOLOGY, NAMESPACE)
        .documentation(
            "The graph of hosts, virtual routers, segments and links. It has a version, which \
             grows by one with every change. Every reply says when it was made and, host by host, \
             whether what it tells is current.",
        )
        .operation(
            "GetTopology",
            "Returns the topology at its present version: the physical view (hosts and physical \
             links), the virtual view (routers, segments and virtual links), or both. It never \
             waits for a host: one that is out of reach is told as it was last seen.",
            move |call: Call, request: GetTopologyRequest| {
                let operations = topology.clone();
                async move { operations.get_topology(&caller(&call), request).await }
            },
        )
}
