//! `ProvisioningService`.

use super::{NAMESPACE, caller, name};
use api::{
    AttachInterfaceRequest, CheckCreationRequest, CreateRouterRequest, CreateVirtualLinkRequest,
    DeleteRouterRequest, DeleteVirtualLinkRequest, DestroyRouterRequest, DetachInterfaceRequest,
    ListVirtualLinksRequest, Operations, RebootRouterRequest, ResetRouterRequest,
    ResizeRouterRequest, ResumeRouterRequest, ShutdownRouterRequest, StartRouterRequest,
    SuspendRouterRequest,
};
use soap::{Call, Service};
use std::sync::Arc;

pub(super) fn service(operations: &Arc<dyn Operations>) -> Service {
    let of = || operations.clone();
    let check_creation = of();
    let create_router = of();
    let start_router = of();
    let shutdown_router = of();
    let suspend_router = of();
    let resume_router = of();
    let reboot_router = of();
    let reset_router = of();
    let destroy_router = of();
    let delete_router = of();
    let resize_router = of();
    let attach_interface = of();
    let detach_interface = of();
    let create_virtual_link = of();
    let list_virtual_links = of();
    let delete_virtual_link = of();
    Service::new(name::PROVISIONING, NAMESPACE)
        .documentation(
            "Makes virtual routers and links between them, acts on them, changes them, and takes \
             them away. What takes long is a job, which GetJob of the MigrationService waits for; \
             everything else waits for the host that it acts on, within a deadline. With a \
             requestId, the same id from the same caller returns the first result instead of acting \
             twice.",
        )
        .operation(
            "CheckCreation",
            "Looks where a router could be made, on one host or on every one, and changes \
             nothing. Each finding says what was found, why it matters and what to do; the \
             places come in order, the best first. That there is none is told there and is no \
             fault.",
            move |call: Call, request: CheckCreationRequest| {
                let operations = check_creation.clone();
                async move { operations.check_creation(&caller(&call), request).await }
            },
        )
        .operation(
            "CreateRouter",
            "Makes a router from an image, on the named host or on the fittest one, and starts \
             it. It is checked first: what stands in the way is a Conflict, and nothing is \
             begun. Otherwise it returns the job that makes it, which names the router from the \
             beginning; the job ends when the router is ready. What a job that fails had made \
             is taken away again.",
            move |call: Call, request: CreateRouterRequest| {
                let operations = create_router.clone();
                async move { operations.create_router(&caller(&call), request).await }
            },
        )
        .operation(
            "StartRouter",
            "Starts a router that is shut off. A router that runs already stays so; one that is \
             suspended is a Conflict: ResumeRouter lets it go on.",
            move |call: Call, request: StartRouterRequest| {
                let operations = start_router.clone();
                async move { operations.start_router(&caller(&call), request).await }
            },
        )
        .operation(
            "ShutdownRouter",
            "Asks a router's guest to shut down, and returns the job that waits for it. A guest \
             that does not in time fails the job and runs on or, if that is asked for, is \
             switched off.",
            move |call: Call, request: ShutdownRouterRequest| {
                let operations = shutdown_router.clone();
                async move { operations.shutdown_router(&caller(&call), request).await }
            },
        )
        .operation(
            "SuspendRouter",
            "Pauses a running router in memory. A router that is suspended already stays so; one \
             that does not run is a Conflict.",
            move |call: Call, request: SuspendRouterRequest| {
                let operations = suspend_router.clone();
                async move { operations.suspend_router(&caller(&call), request).await }
            },
        )
        .operation(
            "ResumeRouter",
            "Lets a suspended router go on. A router that runs already stays so; one that is shut \
             off is a Conflict.",
            move |call: Call, request: ResumeRouterRequest| {
                let operations = resume_router.clone();
                async move { operations.resume_router(&caller(&call), request).await }
            },
        )
        .operation(
            "RebootRouter",
            "Asks the guest of a running router to reboot, and returns once it was asked.",
            move |call: Call, request: RebootRouterRequest| {
                let operations = reboot_router.clone();
                async move { operations.reboot_router(&caller(&call), request).await }
            },
        )
        .operation(
            "ResetRouter",
            "Resets a running router at once, as by the reset button of a machine: what its \
             guest did not write to disk is lost.",
            move |call: Call, request: ResetRouterRequest| {
                let operations = reset_router.clone();
                async move { operations.reset_router(&caller(&call), request).await }
            },
        )
        .operation(
            "DestroyRouter",
            "Switches a router off at once: what its guest did not write to disk is lost. One \
             that has no lasting definition is gone then, and the reply has no router.",
            move |call: Call, request: DestroyRouterRequest| {
                let operations = destroy_router.clone();
                async move { operations.destroy_router(&caller(&call), request).await }
            },
        )
        .operation(
            "DeleteRouter",
            "Deletes a router for good, with its disks and the links that were made for it, and \
             returns the job that does. One that runs is a Conflict unless it is to be switched \
             off; disks that VMS did not make, and those that others need, stay in any case.",
            move |call: Call, request: DeleteRouterRequest| {
                let operations = delete_router.clone();
                async move { operations.delete_router(&caller(&call), request).await }
            },
        )
        .operation(
            "ResizeRouter",
            "Changes a router's processors and memory. The reply says whether that counts at \
             once or at the next start, where its driver cannot change it while it runs.",
            move |call: Call, request: ResizeRouterRequest| {
                let operations = resize_router.clone();
                async move { operations.resize_router(&caller(&call), request).await }
            },
        )
        .operation(
            "AttachInterface",
            "Gives a router one more interface, on a network or bridge of its host. The reply \
             says its MAC address and when it counts.",
            move |call: Call, request: AttachInterfaceRequest| {
                let operations = attach_interface.clone();
                async move { operations.attach_interface(&caller(&call), request).await }
            },
        )
        .operation(
            "DetachInterface",
            "Takes an interface away from a router. One of a virtual link that VMS made is a \
             Conflict: DeleteVirtualLink takes both ends away. The reply says when it counts.",
            move |call: Call, request: DetachInterfaceRequest| {
                let operations = detach_interface.clone();
                async move { operations.detach_interface(&caller(&call), request).await }
            },
        )
        .operation(
            "CreateVirtualLink",
            "Links two routers, each by one more interface: on one host by a network of its \
             own, across hosts by a prepared bridge, a multicast group or a UDP tunnel. It is \
             checked first; otherwise it returns the link as it will be, and the job that makes \
             it.",
            move |call: Call, request: CreateVirtualLinkRequest| {
                let operations = create_virtual_link.clone();
                async move { operations.create_virtual_link(&caller(&call), request).await }
            },
        )
        .operation(
            "ListVirtualLinks",
            "Lists the virtual links that VMS made, the oldest first; without a router, all. \
             GetTopology tells of all links, however they came about.",
            move |call: Call, request: ListVirtualLinksRequest| {
                let operations = list_virtual_links.clone();
                async move { operations.list_virtual_links(&caller(&call), request).await }
            },
        )
        .operation(
            "DeleteVirtualLink",
            "Takes a virtual link away that VMS made: both interfaces, and what carries it. It \
             returns the job that does.",
            move |call: Call, request: DeleteVirtualLinkRequest| {
                let operations = delete_virtual_link.clone();
                async move { operations.delete_virtual_link(&caller(&call), request).await }
            },
        )
}
