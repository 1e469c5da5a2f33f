//! `StatusService`.

use super::{NAMESPACE, caller, name};
use api::{
    CheckHostRequest, GetHostStatusRequest, GetRouterStatusRequest, ListHostsRequest,
    ListRoutersRequest, Operations, RegisterHostRequest, RemoveHostRequest,
    SetHostMaintenanceRequest,
};
use soap::{Call, Service};
use std::sync::Arc;

pub(super) fn service(operations: &Arc<dyn Operations>) -> Service {
    let (hosts, host) = (operations.clone(), operations.clone());
    let (register, remove, check) = (operations.clone(), operations.clone(), operations.clone());
    let maintenance = operations.clone();
    let (routers, router) = (operations.clone(), operations.clone());
    Service::new(name::STATUS, NAMESPACE)
        .documentation(
            "The hosts of the fleet and the virtual routers on them: their state, and which hosts \
             there are. Reading never waits for a host: one that is out of reach is told as it was \
             last seen, with the time when that was. Changing the fleet needs the role \
             administrator.",
        )
        .operation(
            "ListHosts",
            "Lists all hosts by id: whether they are in contact, by which libvirt drivers, their \
             processors, memory and network interfaces, and how many routers are on them.",
            move |call: Call, request: ListHostsRequest| {
                let operations = hosts.clone();
                async move { operations.list_hosts(&caller(&call), request).await }
            },
        )
        .operation(
            "GetHostStatus",
            "Returns one host: the state of each of its endpoints, what it uses of its processors \
             and memory, which of its routers do not answer their hypervisor, and how many calls \
             on it hang.",
            move |call: Call, request: GetHostStatusRequest| {
                let operations = host.clone();
                async move { operations.get_host_status(&caller(&call), request).await }
            },
        )
        .operation(
            "RegisterHost",
            "Takes a host into the fleet, for good, by one or more libvirt endpoints. It answers \
             at once and does not wait for the host: GetHostStatus tells how the contact goes, and \
             VMS tries again and again until the host is removed. An id that is taken is a \
             Conflict.",
            move |call: Call, request: RegisterHostRequest| {
                let operations = register.clone();
                async move { operations.register_host(&caller(&call), request).await }
            },
        )
        .operation(
            "RemoveHost",
            "Lets a host go. Nothing is done to it: its routers run on, and VMS forgets them; what \
             was measured of them stays for as long as any history. A host that the server's \
             configuration names is a Conflict: it is removed there.",
            move |call: Call, request: RemoveHostRequest| {
                let operations = remove.clone();
                async move { operations.remove_host(&caller(&call), request).await }
            },
        )
        .operation(
            "CheckHost",
            "Tries an endpoint and registers nothing. The reply explains each step of the way \
             (address, resolve, connect, authenticate, version, identity) and lists what the \
             driver can do. What goes wrong on the way is told there and is no fault. It waits for \
             that host, within a deadline.",
            move |call: Call, request: CheckHostRequest| {
                let operations = check.clone();
                async move { operations.check_host(&caller(&call), request).await }
            },
        )
        .operation(
            "SetHostMaintenance",
            "Puts a host into maintenance, so that nothing new lands there, or takes it back into \
             use. What runs there runs on. It is kept over a restart of the server.",
            move |call: Call, request: SetHostMaintenanceRequest| {
                let operations = maintenance.clone();
                async move {
                    operations
                        .set_host_maintenance(&caller(&call), request)
                        .await
                }
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
