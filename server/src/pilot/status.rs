//! `StatusService`.

use super::{NAMESPACE, caller, name};
use api::{GetRouterStatusRequest, ListHostsRequest, ListRoutersRequest, Operations};
use soap::{Call, Service};
use std::sync::Arc;

pub(super) fn service(operations: &Arc<dyn Operations>) -> Service {
    let (hosts, routers, router) = (operations.clone(), operations.clone(), operations.clone());
    Service::new(name::STATUS, NAMESPACE)
        .documentation(
            "The state of hosts and virtual routers. Reading never waits for a host: one that is \
             out of reach is told as it was last seen, with the time when that was.",
        )
        .operation(
            "ListHosts",
            "Lists all hosts by id: whether they are in contact, their processors, memory and \
             network interfaces, and how many routers are on them.",
            move |call: Call, request: ListHostsRequest| {
                let operations = hosts.clone();
                async move { operations.list_hosts(&caller(&call), request).await }
            },
        )
        .operation(
            "ListRouters",
            "Lists the routers by name that match all given conditions (host, state, virtual \
             network); without any, all routers.",
            move |call: Call, request: ListRoutersRequest| {
                let operations = routers.clone();
                async move { operations.list_routers(&caller(&call), request).await }
            },
        )
        .operation(
            "GetRouterStatus",
            "Returns one router, by the UUID of its libvirt domain, with what was measured of it \
             last.",
            move |call: Call, request: GetRouterStatusRequest| {
                let operations = router.clone();
                async move { operations.get_router_status(&caller(&call), request).await }
            },
        )
}
