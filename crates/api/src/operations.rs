//! The one interface to everything that VMS can do.

use crate::{
    Caller, Error, EventStream, GetRouterStatusReply, GetRouterStatusRequest, GetTopologyReply,
    GetTopologyRequest, ListHostsReply, ListHostsRequest, ListRoutersReply, ListRoutersRequest,
    QueryHistoryReply, QueryHistoryRequest, ResumeRouterReply, ResumeRouterRequest,
    SuspendRouterReply, SuspendRouterRequest,
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

    /// Follows what happens, from a version that the caller has: the versions after it come
    /// first, or [`crate::Event::Resync`] when they are no longer kept. Without a version, it
    /// starts with what happens next. Needs [`crate::Role::Observer`].
    async fn subscribe(&self, caller: &Caller, since: Option<u64>) -> Result<EventStream, Error>;
}
