//! `MigrationService`.

use super::{NAMESPACE, caller, name};
use api::{
    CancelJobRequest, CheckMigrationRequest, GetJobRequest, ListJobsRequest, MigrateRouterRequest,
    Operations,
};
use soap::{Call, Service};
use std::sync::Arc;

pub(super) fn service(operations: &Arc<dyn Operations>) -> Service {
    let (check, migrate) = (operations.clone(), operations.clone());
    let (get, list, cancel) = (operations.clone(), operations.clone(), operations.clone());
    Service::new(name::MIGRATION, NAMESPACE)
        .documentation(
            "Moves virtual routers between hosts, and tells of jobs: long work that goes on after \
             the call that asked for it was answered. With a requestId, the same id from the same \
             caller returns the first job instead of acting twice.",
        )
        .operation(
            "CheckMigration",
            "Looks at everything that decides whether a router can be moved, to one host or to \
             every other one, and changes nothing. Each finding says what was found, why it \
             matters and what to do; the verdicts come in order, the best host first. That a move \
             is impossible is told there and is no fault.",
            move |call: Call, request: CheckMigrationRequest| {
                let operations = check.clone();
                async move { operations.check_migration(&caller(&call), request).await }
            },
        )
        .operation(
            "MigrateRouter",
            "Moves a router to another host: live, or stopped meanwhile (cold). It is checked \
             first: what stands in the way is a Conflict, what the driver cannot do is \
             NotSupported, and nothing is begun. Otherwise it returns the job that moves it; \
             GetJob waits for its end.",
            move |call: Call, request: MigrateRouterRequest| {
                let operations = migrate.clone();
                async move { operations.migrate_router(&caller(&call), request).await }
            },
        )
        .operation(
            "GetJob",
            "Returns a job: its state and phase, its progress, its result or why it failed and \
             what to do. With waitSeconds, it returns when the job has ended, or when that time \
             is over.",
            move |call: Call, request: GetJobRequest| {
                let operations = get.clone();
                async move { operations.get_job(&caller(&call), request).await }
            },
        )
        .operation(
            "ListJobs",
            "Lists the jobs that match all given conditions (router, host, unfinished), the newest \
             first.",
            move |call: Call, request: ListJobsRequest| {
                let operations = list.clone();
                async move { operations.list_jobs(&caller(&call), request).await }
            },
        )
        .operation(
            "CancelJob",
            "Asks that a job be given up, and returns at once: the job ends when what it had begun \
             is undone. One that is over stays as it is; one that is past the point of no return \
             is a Conflict.",
            move |call: Call, request: CancelJobRequest| {
                let operations = cancel.clone();
                async move { operations.cancel_job(&caller(&call), request).await }
            },
        )
}
