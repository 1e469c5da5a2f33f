//! `TopologyService`.

use super::{NAMESPACE, caller, name};
use api::{FindPathsRequest, GetTopologyRequest, Operations};
use soap::{Call, Service};
use std::sync::Arc;

pub(super) fn service(operations: &Arc<dyn Operations>) -> Service {
    let (topology, paths) = (operations.clone(), operations.clone());
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
        .operation(
            "FindPaths",
            "Returns the best paths between two elements, none of which goes through an element \
             twice: by hops, latency or free capacity; over physical or virtual links or both; with \
             the physical paths under virtual links. Links that are down, and whatever is to be \
             avoided, are left out. If there is no path, the reply says why. What is not known of a \
             path is absent, never 0.",
            move |call: Call, request: FindPathsRequest| {
                let operations = paths.clone();
                async move { operations.find_paths(&caller(&call), request).await }
            },
        )
}
