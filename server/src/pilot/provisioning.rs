//! `ProvisioningService`.

use super::{NAMESPACE, caller, name};
use api::{Operations, ResumeRouterRequest, SuspendRouterRequest};
use soap::{Call, Service};
use std::sync::Arc;

pub(super) fn service(operations: &Arc<dyn Operations>) -> Service {
    let (suspend, resume) = (operations.clone(), operations.clone());
    Service::new(name::PROVISIONING, NAMESPACE)
        .documentation(
            "Acts on virtual routers. An act waits for the host that it acts on, within a deadline. \
             With a requestId, the same id from the same caller returns the first result instead \
             of acting twice.",
        )
        .operation(
            "SuspendRouter",
            "Pauses a running router in memory. A router that is suspended already stays so; one \
             that does not run is a Conflict.",
            move |call: Call, request: SuspendRouterRequest| {
                let operations = suspend.clone();
                async move { operations.suspend_router(&caller(&call), request).await }
            },
        )
        .operation(
            "ResumeRouter",
            "Lets a suspended router go on. A router that runs already stays so; one that is shut \
             off is a Conflict.",
            move |call: Call, request: ResumeRouterRequest| {
                let operations = resume.clone();
                async move { operations.resume_router(&caller(&call), request).await }
            },
        )
}
