//! The one interface to everything that VMS can do.

use crate::{
    Caller, CancelJobReply, CancelJobRequest, CheckHostReply, CheckHostRequest,
    CheckMigrationReply, CheckMigrationRequest, Error, EventStream, FindPathsReply,
    FindPathsRequest, GetHostStatusReply, GetHostStatusRequest, GetJobReply, GetJobRequest,
    GetLoadReply, GetLoadRequest, GetRouterStatusReply, GetRouterStatusRequest, GetTopologyReply,
    GetTopologyRequest, ListHostsReply, ListHostsRequest, ListJobsReply, ListJobsRequest,
    ListRoutersReply, ListRoutersRequest, MigrateRouterReply, MigrateRouterRequest,
    QueryHistoryReply, QueryHistoryRequest, RegisterHostReply, RegisterHostRequest,
    RemoveHostReply, RemoveHostRequest, ResumeRouterReply, ResumeRouterRequest,
    SetHostMaintenanceReply, SetHostMaintenanceRequest, SuspendRouterReply, SuspendRouterRequest,
};
use async_trait::async_trait;
use std::sync::Arc;

/// Every operation of VMS. Each call carries its caller: whoever implements this authorises,
/// validates and audits, and is the only door.
///
/// Reading never waits for a host. Acting waits for the host that it acts on, within a deadline,
/// and for no other.
#[async_trait]
pub trait Operations: Send + Sync {
    /// Lists all hosts. Needs [`crate::Role::Observer`].
    async fn list_hosts(
        &self,
        caller: &Caller,
        request: ListHostsRequest,
    ) -> Result<ListHostsReply, Error>;

    /// Returns one host with what it uses now. Needs [`crate::Role::Observer`].
    async fn get_host_status(
        &self,
        caller: &Caller,
        request: GetHostStatusRequest,
    ) -> Result<GetHostStatusReply, Error>;

    /// Takes a host into the fleet, for good, and begins to connect to it; it does not wait for
    /// the host. Needs [`crate::Role::Administrator`].
    ///
    /// An id that is taken is a [`crate::Conflict`]; an endpoint that cannot be used safely is an
    /// [`crate::InvalidArgument`].
    async fn register_host(
        &self,
        caller: &Caller,
        request: RegisterHostRequest,
    ) -> Result<RegisterHostReply, Error>;

    /// Lets a host go; its routers run on, and VMS forgets them. One that the configuration names
    /// is a [`crate::Conflict`]. Needs [`crate::Role::Administrator`].
    async fn remove_host(
        &self,
        caller: &Caller,
        request: RemoveHostRequest,
    ) -> Result<RemoveHostReply, Error>;

    /// Tries an endpoint step by step and explains each; it registers nothing, and what fails is
    /// told in the reply. It waits for that host, within a deadline. Needs
    /// [`crate::Role::Administrator`].
    async fn check_host(
        &self,
        caller: &Caller,
        request: CheckHostRequest,
    ) -> Result<CheckHostReply, Error>;

    /// Lists the routers that match. Needs [`crate::Role::Observer`].
    async fn list_routers(
        &self,
        caller: &Caller,
        request: ListRoutersRequest,
    ) -> Result<ListRoutersReply, Error>;

    /// Returns the topology at its present version. Needs [`crate::Role::Observer`].
    ///
    /// The reply is shared: it is made once a version and view, and read by many.
    async fn get_topology(
        &self,
        caller: &Caller,
        request: GetTopologyRequest,
    ) -> Result<Arc<GetTopologyReply>, Error>;

    /// Returns the best paths between two elements of the topology, by hops, latency or free
    /// capacity, with the physical paths under virtual links. Needs [`crate::Role::Observer`].
    ///
    /// That there is none is no error: the reply says why.
    async fn find_paths(
        &self,
        caller: &Caller,
        request: FindPathsRequest,
    ) -> Result<FindPathsReply, Error>;

    /// Returns what all hosts, routers and links use and carry at present, as it was measured last.
    /// Needs [`crate::Role::Observer`].
    async fn get_load(
        &self,
        caller: &Caller,
        request: GetLoadRequest,
    ) -> Result<GetLoadReply, Error>;

    /// Returns one router with its present measurements. Needs [`crate::Role::Observer`].
    async fn get_router_status(
        &self,
        caller: &Caller,
        request: GetRouterStatusRequest,
    ) -> Result<GetRouterStatusReply, Error>;

    /// Returns one metric over a span of time. Needs [`crate::Role::Observer`].
    async fn query_history(
        &self,
        caller: &Caller,
        request: QueryHistoryRequest,
    ) -> Result<QueryHistoryReply, Error>;

    /// Pauses a running router in memory. Needs [`crate::Role::Operator`].
    ///
    /// A router that is suspended already stays so and is no error; one that is not running is a
    /// [`crate::Conflict`].
    async fn suspend_router(
        &self,
        caller: &Caller,
        request: SuspendRouterRequest,
    ) -> Result<SuspendRouterReply, Error>;

    /// Lets a suspended router go on. Needs [`crate::Role::Operator`].
    ///
    /// A router that is running already stays so and is no error; one that is shut off is a
    /// [`crate::Conflict`].
    async fn resume_router(
        &self,
        caller: &Caller,
        request: ResumeRouterRequest,
    ) -> Result<ResumeRouterReply, Error>;

    /// Looks at everything that decides whether a router can be moved to a host, and to every other
    /// host if none is named; it changes nothing. It waits for the hosts that it asks, within a
    /// deadline. Needs [`crate::Role::Observer`].
    ///
    /// That it cannot be done is no error: the findings say what stands in the way.
    async fn check_migration(
        &self,
        caller: &Caller,
        request: CheckMigrationRequest,
    ) -> Result<CheckMigrationReply, Error>;

    /// Moves a router to another host, in a job. Needs [`crate::Role::Operator`].
    ///
    /// All that [`Self::check_migration`] looks at is looked at first: an obstacle is a
    /// [`crate::Conflict`] (or a [`crate::NotSupported`], if the driver cannot do it) and nothing is
    /// begun, as is a router that another job acts on.
    async fn migrate_router(
        &self,
        caller: &Caller,
        request: MigrateRouterRequest,
    ) -> Result<MigrateRouterReply, Error>;

    /// Keeps a host free of what is new, or takes it back into use; it is kept over a restart.
    /// Needs [`crate::Role::Operator`].
    async fn set_host_maintenance(
        &self,
        caller: &Caller,
        request: SetHostMaintenanceRequest,
    ) -> Result<SetHostMaintenanceReply, Error>;

    /// Returns one job; if asked to, when it has ended. Needs [`crate::Role::Observer`].
    async fn get_job(&self, caller: &Caller, request: GetJobRequest) -> Result<GetJobReply, Error>;

    /// Lists the jobs that match, the newest first. Needs [`crate::Role::Observer`].
    async fn list_jobs(
        &self,
        caller: &Caller,
        request: ListJobsRequest,
    ) -> Result<ListJobsReply, Error>;

    /// Asks that a job be given up; it returns at once, and the job ends when what it had begun is
    /// undone. One that is over stays as it is and is no error; one that is past the point of no
    /// return is a [`crate::Conflict`]. Needs [`crate::Role::Operator`].
    async fn cancel_job(
        &self,
        caller: &Caller,
        request: CancelJobRequest,
    ) -> Result<CancelJobReply, Error>;

    /// Follows what happens, from a version that the caller has: the versions after it come
    /// first, or [`crate::Event::Resync`] when they are no longer kept. Without a version, it
    /// starts with what happens next. Needs [`crate::Role::Observer`].
    async fn subscribe(&self, caller: &Caller, since: Option<u64>) -> Result<EventStream, Error>;
}
