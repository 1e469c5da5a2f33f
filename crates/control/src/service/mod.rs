//! The operations: the only door to the fleet. Authorises, validates, audits, and answers.
//!
//! Reading takes what is in memory or in the history, and never touches a host. Acting waits for the
//! host that it acts on, and for no other.
//!
//! - `once`: acting once for each request id, and writing it down;
//! - `routers`: what is done to routers; `hosts`: their status, their coming and going;
//! - `history`: one metric over a span of time; `load`: what everything carries now;
//! - `migration`: moving routers, jobs, maintenance;
//! - `provisioning`: making routers and links, changing them, taking them away;
//! - `images`: what routers are made from;
//! - `paths`: paths through the topology;
//! - `console`: consoles of routers;
//! - `errors`: why something was not done, in the caller's words;
//! - `translate`: from the model to what callers are told.

mod console;
pub(crate) mod errors;
mod history;
pub(crate) mod hosts;
mod images;
mod load;
mod migration;
mod once;
mod paths;
mod provisioning;
mod routers;
pub(crate) mod translate;

use crate::{
    discovery::{Events, Snapshot, Update},
    fleet::Fleet,
    images::Images,
    jobs::{self, Jobs, check::Policy},
    measurement::Latest,
    store::Store,
};
use api::{
    AttachInterfaceReply, AttachInterfaceRequest, BeginImageUploadReply, BeginImageUploadRequest,
    ByteStream, Caller, CancelImageUploadReply, CancelImageUploadRequest, CancelJobReply,
    CancelJobRequest, CheckCreationReply, CheckCreationRequest, CheckHostReply, CheckHostRequest,
    CheckMigrationReply, CheckMigrationRequest, CreateRouterReply, CreateRouterRequest,
    CreateVirtualLinkReply, CreateVirtualLinkRequest, DeleteImageReply, DeleteImageRequest,
    DeleteRouterReply, DeleteRouterRequest, DeleteVirtualLinkReply, DeleteVirtualLinkRequest,
    DescribeImageReply, DescribeImageRequest, DestroyRouterReply, DestroyRouterRequest,
    DetachInterfaceReply, DetachInterfaceRequest, DistributeImageReply, DistributeImageRequest,
    Error, EventStream, EvictImageReply, EvictImageRequest, FindPathsReply, FindPathsRequest,
    GetHostStatusReply, GetHostStatusRequest, GetImageReply, GetImageRequest, GetImageUploadReply,
    GetImageUploadRequest, GetJobReply, GetJobRequest, GetLoadReply, GetLoadRequest,
    GetRouterStatusReply, GetRouterStatusRequest, GetTopologyReply, GetTopologyRequest,
    ImportImageReply, ImportImageRequest, ListHostsReply, ListHostsRequest, ListImagesReply,
    ListImagesRequest, ListImportFilesReply, ListImportFilesRequest, ListJobsReply,
    ListJobsRequest, ListRoutersReply, ListRoutersRequest, ListVirtualLinksReply,
    ListVirtualLinksRequest, MigrateRouterReply, MigrateRouterRequest, Operations,
    QueryHistoryReply, QueryHistoryRequest, RebootRouterReply, RebootRouterRequest,
    RegisterHostReply, RegisterHostRequest, RemoveHostReply, RemoveHostRequest, ResetRouterReply,
    ResetRouterRequest, ResizeRouterReply, ResizeRouterRequest, ResumeRouterReply,
    ResumeRouterRequest, Role, RouterId, SetHostMaintenanceReply, SetHostMaintenanceRequest,
    ShutdownRouterReply, ShutdownRouterRequest, StartRouterReply, StartRouterRequest,
    SuspendRouterReply, SuspendRouterRequest, Timestamp, TopologyView, UploadPart,
};
use async_trait::async_trait;
use once::Once;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{mpsc, watch};
use translate::View;

/// What implements the operations.
#[derive(Debug)]
pub(crate) struct Service {
    state: Arc<State>,
    once: Once,
    topologies: Mutex<HashMap<TopologyView, Cached>>,
}

/// What all operations look at.
#[derive(Debug)]
pub(crate) struct State {
    pub fleet: Fleet,
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    pub events: Arc<Events>,
    pub latest: Arc<Latest>,
    pub history: ::history::History,
    pub store: Store,
    pub images: Images,
    pub sampling: Sampling,
    pub started: Timestamp,
    /// Where discovery is told of hosts that come and go.
    pub updates: mpsc::Sender<Update>,
    pub jobs: Jobs,
    pub policy: Policy,
    /// What virtual links are made of.
    pub links: crate::LinkSettings,
    /// Whether new routers are run with KVM where there is some.
    pub use_kvm: bool,
    /// Held while room, names, addresses and ports are given out, until they are written down.
    pub provisioning: tokio::sync::Mutex<()>,
    /// Held while a host comes or goes.
    pub registering: tokio::sync::Mutex<()>,
}

/// How often there are samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampling {
    pub interval: Duration,
    /// Of the past that was made up for the demo, before this server started.
    pub seeded: Option<Duration>,
}

/// A topology as it was told, for as long as nothing in it changes.
#[derive(Debug)]
struct Cached {
    version: u64,
    generation: u64,
    reply: Arc<GetTopologyReply>,
}

impl Service {
    /// Jobs that are not over go on.
    pub fn new(state: State, unfinished: Vec<Arc<jobs::Entry>>) -> Self {
        let state = Arc::new(state);
        for job in unfinished {
            jobs::go_on(&state, job);
        }
        Self {
            once: Once::new(state.store.clone()),
            state,
            topologies: Mutex::default(),
        }
    }

    async fn act(
        &self,
        caller: &Caller,
        operation: routers::Operation,
        router: RouterId,
        request_id: Option<String>,
    ) -> Result<routers::Done, Error> {
        routers::act(
            &self.once,
            &self.state,
            caller,
            operation,
            router,
            request_id,
        )
        .await
    }

    /// Computes what takes long in a large fleet on a thread of its own: no other call waits for
    /// it. `failure` is told should it panic.
    async fn compute<T: Send + 'static>(
        &self,
        failure: &str,
        what: impl FnOnce(&State) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let state = Arc::clone(&self.state);
        tokio::task::spawn_blocking(move || what(&state))
            .await
            .map_err(|error| errors::internal(failure, &error))
    }

    /// Waits until no job is at work; those that are not over go on after the next start.
    pub async fn jobs_ended(&self) {
        self.state.jobs.tasks.close();
        self.state.jobs.tasks.wait().await;
    }

    #[cfg(test)]
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.state)
    }

    /// Waits until all supervisors have ended.
    pub async fn fleet_ended(&self) {
        self.state.fleet.ended().await;
    }
}

impl State {
    /// What is known now.
    pub fn view(&self) -> View {
        // Times first: a snapshot is at least as new as what is said of its age.
        let times = self.fleet.times();
        View {
            snapshot: Arc::clone(&self.snapshots.borrow()),
            times,
            declared: self.started,
        }
    }
}

impl View {
    /// A router by its id.
    pub(crate) fn find(&self, id: RouterId) -> Result<&Arc<model::Router>, Error> {
        let router = self.topology().routers.get(&model::RouterId(id.0));
        router.ok_or_else(|| errors::no_router(id))
    }
}

/// Refuses a caller whose role is not enough.
fn authorise(caller: &Caller, role: Role) -> Result<(), Error> {
    if caller.role >= role {
        Ok(())
    } else {
        Err(errors::denied(caller, role))
    }
}

#[async_trait]
impl Operations for Service {
    async fn list_hosts(
        &self,
        caller: &Caller,
        ListHostsRequest {}: ListHostsRequest,
    ) -> Result<ListHostsReply, Error> {
        authorise(caller, Role::Observer)?;
        let view = self.state.view();
        Ok(ListHostsReply {
            as_of: Timestamp::now(),
            sources: view.sources(),
            hosts: view.hosts(),
        })
    }

    async fn get_host_status(
        &self,
        caller: &Caller,
        request: GetHostStatusRequest,
    ) -> Result<GetHostStatusReply, Error> {
        authorise(caller, Role::Observer)?;
        hosts::status(&self.state, &request)
    }

    async fn register_host(
        &self,
        caller: &Caller,
        request: RegisterHostRequest,
    ) -> Result<RegisterHostReply, Error> {
        hosts::register(&self.once, &self.state, caller, request).await
    }

    async fn remove_host(
        &self,
        caller: &Caller,
        request: RemoveHostRequest,
    ) -> Result<RemoveHostReply, Error> {
        hosts::remove(&self.once, &self.state, caller, request).await
    }

    async fn check_host(
        &self,
        caller: &Caller,
        request: CheckHostRequest,
    ) -> Result<CheckHostReply, Error> {
        hosts::check(&self.state, caller, request).await
    }

    async fn list_routers(
        &self,
        caller: &Caller,
        request: ListRoutersRequest,
    ) -> Result<ListRoutersReply, Error> {
        authorise(caller, Role::Observer)?;
        let view = self.state.view();
        let host = request.host.as_ref().map(translate::host_id);
        if let (Some(id), Some(host)) = (&request.host, &host)
            && !view.topology().hosts.contains_key(host)
        {
            return Err(errors::no_host(id, view.topology()));
        }
        let mut routers: Vec<_> = view
            .topology()
            .routers
            .values()
            .filter(|router| host.as_ref().is_none_or(|host| router.host == *host))
            .filter(|router| {
                let state = translate::router_state(router.domain.state);
                request.state.is_none_or(|wanted| wanted == state)
            })
            .filter(|router| {
                request.virtual_network.is_none()
                    || router.domain.virtual_network == request.virtual_network
            })
            .map(|router| view.router(router))
            .collect();
        routers.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(ListRoutersReply {
            as_of: Timestamp::now(),
            sources: view.sources(),
            routers,
        })
    }

    async fn get_topology(
        &self,
        caller: &Caller,
        request: GetTopologyRequest,
    ) -> Result<Arc<GetTopologyReply>, Error> {
        authorise(caller, Role::Observer)?;
        let wanted = request.view.unwrap_or_default();
        // Before the view is taken: what is kept under a number is never older than it.
        let generation = self.state.fleet.generation();
        let version = self.state.snapshots.borrow().version;
        let kept = {
            let topologies = self
                .topologies
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            topologies
                .get(&wanted)
                .filter(|kept| (kept.version, kept.generation) == (version, generation))
                .map(|kept| Arc::clone(&kept.reply))
        };
        if let Some(reply) = kept {
            return Ok(reply);
        }
        let view = self.state.view();
        let reply = Arc::new(view.topology_reply(wanted, Timestamp::now()));
        let kept = Cached {
            version: reply.version,
            generation,
            reply: Arc::clone(&reply),
        };
        let mut topologies = self
            .topologies
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        topologies.insert(wanted, kept);
        Ok(reply)
    }

    async fn find_paths(
        &self,
        caller: &Caller,
        request: FindPathsRequest,
    ) -> Result<FindPathsReply, Error> {
        authorise(caller, Role::Observer)?;
        self.compute("The paths could not be searched.", move |state| {
            paths::find(state, &request)
        })
        .await?
    }

    async fn get_load(
        &self,
        caller: &Caller,
        request: GetLoadRequest,
    ) -> Result<GetLoadReply, Error> {
        authorise(caller, Role::Observer)?;
        self.compute("The load could not be read.", move |state| {
            load::get(state, &request)
        })
        .await
    }

    async fn get_router_status(
        &self,
        caller: &Caller,
        request: GetRouterStatusRequest,
    ) -> Result<GetRouterStatusReply, Error> {
        authorise(caller, Role::Observer)?;
        let view = self.state.view();
        let router = view.find(request.router)?;
        let now = Timestamp::now();
        Ok(GetRouterStatusReply {
            as_of: now,
            source: view.source(router),
            router: view.router(router),
            measurement: self.state.latest.of(router, now),
        })
    }

    async fn query_history(
        &self,
        caller: &Caller,
        request: QueryHistoryRequest,
    ) -> Result<QueryHistoryReply, Error> {
        authorise(caller, Role::Observer)?;
        history::query(&self.state, request).await
    }

    async fn suspend_router(
        &self,
        caller: &Caller,
        request: SuspendRouterRequest,
    ) -> Result<SuspendRouterReply, Error> {
        let done = self.act(caller, routers::SUSPEND, request.router, request.request_id);
        let done = done.await?;
        Ok(SuspendRouterReply {
            as_of: done.as_of,
            router: done.router,
        })
    }

    async fn resume_router(
        &self,
        caller: &Caller,
        request: ResumeRouterRequest,
    ) -> Result<ResumeRouterReply, Error> {
        let done = self.act(caller, routers::RESUME, request.router, request.request_id);
        let done = done.await?;
        Ok(ResumeRouterReply {
            as_of: done.as_of,
            router: done.router,
        })
    }

    async fn check_migration(
        &self,
        caller: &Caller,
        request: CheckMigrationRequest,
    ) -> Result<CheckMigrationReply, Error> {
        migration::check_migration(&self.state, caller, request).await
    }

    async fn migrate_router(
        &self,
        caller: &Caller,
        request: MigrateRouterRequest,
    ) -> Result<MigrateRouterReply, Error> {
        migration::migrate_router(&self.once, &self.state, caller, request).await
    }

    async fn set_host_maintenance(
        &self,
        caller: &Caller,
        request: SetHostMaintenanceRequest,
    ) -> Result<SetHostMaintenanceReply, Error> {
        migration::set_host_maintenance(&self.once, &self.state, caller, request).await
    }

    async fn get_job(&self, caller: &Caller, request: GetJobRequest) -> Result<GetJobReply, Error> {
        migration::get_job(&self.state, caller, request).await
    }

    async fn list_jobs(
        &self,
        caller: &Caller,
        request: ListJobsRequest,
    ) -> Result<ListJobsReply, Error> {
        migration::list_jobs(&self.state, caller, &request)
    }

    async fn cancel_job(
        &self,
        caller: &Caller,
        request: CancelJobRequest,
    ) -> Result<CancelJobReply, Error> {
        migration::cancel_job(&self.once, &self.state, caller, request).await
    }

    async fn check_creation(
        &self,
        caller: &Caller,
        request: CheckCreationRequest,
    ) -> Result<CheckCreationReply, Error> {
        provisioning::check_creation(&self.state, caller, request).await
    }

    async fn create_router(
        &self,
        caller: &Caller,
        request: CreateRouterRequest,
    ) -> Result<CreateRouterReply, Error> {
        Box::pin(provisioning::create_router(
            &self.once,
            &self.state,
            caller,
            request,
        ))
        .await
    }

    async fn start_router(
        &self,
        caller: &Caller,
        request: StartRouterRequest,
    ) -> Result<StartRouterReply, Error> {
        let operation = routers::START;
        let done = self.act(caller, operation, request.router, request.request_id);
        let routers::Done { as_of, router } = done.await?;
        Ok(StartRouterReply { as_of, router })
    }

    async fn shutdown_router(
        &self,
        caller: &Caller,
        request: ShutdownRouterRequest,
    ) -> Result<ShutdownRouterReply, Error> {
        provisioning::shutdown_router(&self.once, &self.state, caller, request).await
    }

    async fn reboot_router(
        &self,
        caller: &Caller,
        request: RebootRouterRequest,
    ) -> Result<RebootRouterReply, Error> {
        let operation = routers::REBOOT;
        let done = self.act(caller, operation, request.router, request.request_id);
        let routers::Done { as_of, router } = done.await?;
        Ok(RebootRouterReply { as_of, router })
    }

    async fn reset_router(
        &self,
        caller: &Caller,
        request: ResetRouterRequest,
    ) -> Result<ResetRouterReply, Error> {
        let operation = routers::RESET;
        let done = self.act(caller, operation, request.router, request.request_id);
        let routers::Done { as_of, router } = done.await?;
        Ok(ResetRouterReply { as_of, router })
    }

    async fn destroy_router(
        &self,
        caller: &Caller,
        request: DestroyRouterRequest,
    ) -> Result<DestroyRouterReply, Error> {
        routers::destroy(&self.once, &self.state, caller, request).await
    }

    async fn delete_router(
        &self,
        caller: &Caller,
        request: DeleteRouterRequest,
    ) -> Result<DeleteRouterReply, Error> {
        provisioning::delete_router(&self.once, &self.state, caller, request).await
    }

    async fn resize_router(
        &self,
        caller: &Caller,
        request: ResizeRouterRequest,
    ) -> Result<ResizeRouterReply, Error> {
        provisioning::resize_router(&self.once, &self.state, caller, request).await
    }

    async fn attach_interface(
        &self,
        caller: &Caller,
        request: AttachInterfaceRequest,
    ) -> Result<AttachInterfaceReply, Error> {
        provisioning::attach_interface(&self.once, &self.state, caller, request).await
    }

    async fn detach_interface(
        &self,
        caller: &Caller,
        request: DetachInterfaceRequest,
    ) -> Result<DetachInterfaceReply, Error> {
        provisioning::detach_interface(&self.once, &self.state, caller, request).await
    }

    async fn create_virtual_link(
        &self,
        caller: &Caller,
        request: CreateVirtualLinkRequest,
    ) -> Result<CreateVirtualLinkReply, Error> {
        provisioning::create_virtual_link(&self.once, &self.state, caller, request).await
    }

    async fn list_virtual_links(
        &self,
        caller: &Caller,
        request: ListVirtualLinksRequest,
    ) -> Result<ListVirtualLinksReply, Error> {
        provisioning::list_virtual_links(&self.state, caller, &request).await
    }

    async fn delete_virtual_link(
        &self,
        caller: &Caller,
        request: DeleteVirtualLinkRequest,
    ) -> Result<DeleteVirtualLinkReply, Error> {
        provisioning::delete_virtual_link(&self.once, &self.state, caller, request).await
    }

    async fn list_images(
        &self,
        caller: &Caller,
        request: ListImagesRequest,
    ) -> Result<ListImagesReply, Error> {
        images::list(&self.state, caller, request).await
    }

    async fn get_image(
        &self,
        caller: &Caller,
        request: GetImageRequest,
    ) -> Result<GetImageReply, Error> {
        images::get(&self.state, caller, request).await
    }

    async fn list_import_files(
        &self,
        caller: &Caller,
        request: ListImportFilesRequest,
    ) -> Result<ListImportFilesReply, Error> {
        images::import_files(&self.state, caller, request).await
    }

    async fn import_image(
        &self,
        caller: &Caller,
        request: ImportImageRequest,
    ) -> Result<ImportImageReply, Error> {
        images::import(&self.once, &self.state, caller, request).await
    }

    async fn begin_image_upload(
        &self,
        caller: &Caller,
        request: BeginImageUploadRequest,
    ) -> Result<BeginImageUploadReply, Error> {
        images::begin(&self.once, &self.state, caller, request).await
    }

    async fn get_image_upload(
        &self,
        caller: &Caller,
        request: GetImageUploadRequest,
    ) -> Result<GetImageUploadReply, Error> {
        images::upload(&self.state, caller, request).await
    }

    async fn cancel_image_upload(
        &self,
        caller: &Caller,
        request: CancelImageUploadRequest,
    ) -> Result<CancelImageUploadReply, Error> {
        images::cancel(&self.once, &self.state, caller, request).await
    }

    async fn describe_image(
        &self,
        caller: &Caller,
        request: DescribeImageRequest,
    ) -> Result<DescribeImageReply, Error> {
        images::describe(&self.once, &self.state, caller, request).await
    }

    async fn delete_image(
        &self,
        caller: &Caller,
        request: DeleteImageRequest,
    ) -> Result<DeleteImageReply, Error> {
        images::delete(&self.once, &self.state, caller, request).await
    }

    async fn distribute_image(
        &self,
        caller: &Caller,
        request: DistributeImageRequest,
    ) -> Result<DistributeImageReply, Error> {
        images::distribute(&self.once, &self.state, caller, request).await
    }

    async fn evict_image(
        &self,
        caller: &Caller,
        request: EvictImageRequest,
    ) -> Result<EvictImageReply, Error> {
        images::evict(&self.once, &self.state, caller, request).await
    }

    async fn upload_image_part(
        &self,
        caller: &Caller,
        part: UploadPart,
    ) -> Result<GetImageUploadReply, Error> {
        images::receive(&self.once, &self.state, caller, part).await
    }

    async fn open_console(
        &self,
        caller: &Caller,
        router: RouterId,
        input: ByteStream,
    ) -> Result<ByteStream, Error> {
        console::open(&self.once, &self.state, caller, router, input).await
    }

    async fn subscribe(&self, caller: &Caller, since: Option<u64>) -> Result<EventStream, Error> {
        authorise(caller, Role::Observer)?;
        Ok(self.state.events.subscribe(since))
    }
}
