//! The one interface to everything that VMS can do.

use crate::{
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
    ListVirtualLinksRequest, MigrateRouterReply, MigrateRouterRequest, QueryHistoryReply,
    QueryHistoryRequest, RebootRouterReply, RebootRouterRequest, RegisterHostReply,
    RegisterHostRequest, RemoveHostReply, RemoveHostRequest, ResetRouterReply, ResetRouterRequest,
    ResizeRouterReply, ResizeRouterRequest, ResumeRouterReply, ResumeRouterRequest, RouterId,
    SetHostMaintenanceReply, SetHostMaintenanceRequest, ShutdownRouterReply, ShutdownRouterRequest,
    StartRouterReply, StartRouterRequest, SuspendRouterReply, SuspendRouterRequest, UploadPart,
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

    /// Looks where a router could be made, on one host or on every one, and changes nothing. Needs
    /// [`crate::Role::Observer`].
    ///
    /// That it cannot be done is no error: the findings say what stands in the way; what no host could
    /// make good is an [`crate::InvalidArgument`].
    async fn check_creation(
        &self,
        caller: &Caller,
        request: CheckCreationRequest,
    ) -> Result<CheckCreationReply, Error>;

    /// Makes a router from an image, in a job: all of it, or nothing. Needs
    /// [`crate::Role::Operator`].
    ///
    /// All that [`Self::check_creation`] looks at is looked at first.
    async fn create_router(
        &self,
        caller: &Caller,
        request: CreateRouterRequest,
    ) -> Result<CreateRouterReply, Error>;

    /// Starts a router that is shut off. Needs [`crate::Role::Operator`].
    ///
    /// One that runs already stays so and is no error; one that is suspended is a
    /// [`crate::Conflict`].
    async fn start_router(
        &self,
        caller: &Caller,
        request: StartRouterRequest,
    ) -> Result<StartRouterReply, Error>;

    /// Asks a router to shut down, in a job that waits for it. Needs [`crate::Role::Operator`].
    async fn shutdown_router(
        &self,
        caller: &Caller,
        request: ShutdownRouterRequest,
    ) -> Result<ShutdownRouterReply, Error>;

    /// Asks a router's guest to reboot, and does not wait for it. Needs [`crate::Role::Operator`].
    async fn reboot_router(
        &self,
        caller: &Caller,
        request: RebootRouterRequest,
    ) -> Result<RebootRouterReply, Error>;

    /// Resets a router at once. Needs [`crate::Role::Operator`].
    async fn reset_router(
        &self,
        caller: &Caller,
        request: ResetRouterRequest,
    ) -> Result<ResetRouterReply, Error>;

    /// Switches a router off at once. One that is off already stays so and is no error. Needs
    /// [`crate::Role::Operator`].
    async fn destroy_router(
        &self,
        caller: &Caller,
        request: DestroyRouterRequest,
    ) -> Result<DestroyRouterReply, Error>;

    /// Deletes a router with its disks and its links, in a job. Needs [`crate::Role::Operator`].
    async fn delete_router(
        &self,
        caller: &Caller,
        request: DeleteRouterRequest,
    ) -> Result<DeleteRouterReply, Error>;

    /// Changes a router's processors and memory. Needs [`crate::Role::Operator`].
    async fn resize_router(
        &self,
        caller: &Caller,
        request: ResizeRouterRequest,
    ) -> Result<ResizeRouterReply, Error>;

    /// Gives a router one more interface. Needs [`crate::Role::Operator`].
    async fn attach_interface(
        &self,
        caller: &Caller,
        request: AttachInterfaceRequest,
    ) -> Result<AttachInterfaceReply, Error>;

    /// Takes an interface away from a router. Needs [`crate::Role::Operator`].
    async fn detach_interface(
        &self,
        caller: &Caller,
        request: DetachInterfaceRequest,
    ) -> Result<DetachInterfaceReply, Error>;

    /// Links two routers, in a job: all of it, or nothing. Needs [`crate::Role::Operator`].
    ///
    /// What cannot be done on a driver is a [`crate::NotSupported`] before anything is touched.
    async fn create_virtual_link(
        &self,
        caller: &Caller,
        request: CreateVirtualLinkRequest,
    ) -> Result<CreateVirtualLinkReply, Error>;

    /// Lists the virtual links that VMS made. Needs [`crate::Role::Observer`].
    async fn list_virtual_links(
        &self,
        caller: &Caller,
        request: ListVirtualLinksRequest,
    ) -> Result<ListVirtualLinksReply, Error>;

    /// Takes a virtual link away that VMS made, in a job. Needs [`crate::Role::Operator`].
    async fn delete_virtual_link(
        &self,
        caller: &Caller,
        request: DeleteVirtualLinkRequest,
    ) -> Result<DeleteVirtualLinkReply, Error>;

    /// Lists the images, and the uploads that are under way. Needs [`crate::Role::Observer`].
    async fn list_images(
        &self,
        caller: &Caller,
        request: ListImagesRequest,
    ) -> Result<ListImagesReply, Error>;

    /// Returns one image. Needs [`crate::Role::Observer`].
    async fn get_image(
        &self,
        caller: &Caller,
        request: GetImageRequest,
    ) -> Result<GetImageReply, Error>;

    /// Lists the files of the import directory. Needs [`crate::Role::Operator`].
    async fn list_import_files(
        &self,
        caller: &Caller,
        request: ListImportFilesRequest,
    ) -> Result<ListImportFilesReply, Error>;

    /// Makes an image of files in the import directory, in a job. Needs [`crate::Role::Operator`].
    async fn import_image(
        &self,
        caller: &Caller,
        request: ImportImageRequest,
    ) -> Result<ImportImageReply, Error>;

    /// Begins an upload; its bytes come by [`Self::upload_image_part`]. Needs
    /// [`crate::Role::Operator`].
    async fn begin_image_upload(
        &self,
        caller: &Caller,
        request: BeginImageUploadRequest,
    ) -> Result<BeginImageUploadReply, Error>;

    /// Returns how far an upload is. Needs [`crate::Role::Observer`].
    async fn get_image_upload(
        &self,
        caller: &Caller,
        request: GetImageUploadRequest,
    ) -> Result<GetImageUploadReply, Error>;

    /// Gives an upload up, and deletes what came of it. Needs [`crate::Role::Operator`].
    async fn cancel_image_upload(
        &self,
        caller: &Caller,
        request: CancelImageUploadRequest,
    ) -> Result<CancelImageUploadReply, Error>;

    /// Changes what is to be known of an image. Needs [`crate::Role::Operator`].
    async fn describe_image(
        &self,
        caller: &Caller,
        request: DescribeImageRequest,
    ) -> Result<DescribeImageReply, Error>;

    /// Deletes an image from the store and from all hosts, in a job. One that a router is made from is
    /// a [`crate::Conflict`]. Needs [`crate::Role::Operator`].
    async fn delete_image(
        &self,
        caller: &Caller,
        request: DeleteImageRequest,
    ) -> Result<DeleteImageReply, Error>;

    /// Brings an image to hosts, a job for each. Needs [`crate::Role::Operator`].
    async fn distribute_image(
        &self,
        caller: &Caller,
        request: DistributeImageRequest,
    ) -> Result<DistributeImageReply, Error>;

    /// Deletes the copy of an image on a host, in a job. Needs [`crate::Role::Operator`].
    async fn evict_image(
        &self,
        caller: &Caller,
        request: EvictImageRequest,
    ) -> Result<EvictImageReply, Error>;

    /// Takes a part of an upload's file, as it comes: what came before the caller hung up is kept,
    /// and the upload can be gone on with. With the last byte of the last file the image is in the
    /// store. Needs [`crate::Role::Operator`].
    ///
    /// A file that is not what was announced (its size, digest or format) is an
    /// [`crate::InvalidArgument`], and what came of it is deleted.
    async fn upload_image_part(
        &self,
        caller: &Caller,
        part: UploadPart,
    ) -> Result<GetImageUploadReply, Error>;

    /// Opens a router's serial console: what is typed goes in, what the router writes comes out,
    /// until either ends. Whoever opened it before is cut off. Needs [`crate::Role::Operator`].
    ///
    /// A router without a console, or whose driver has none, is a [`crate::NotSupported`]; one that
    /// does not run is a [`crate::Conflict`].
    async fn open_console(
        &self,
        caller: &Caller,
        router: RouterId,
        input: ByteStream,
    ) -> Result<ByteStream, Error>;

    /// Follows what happens, from a version that the caller has: the versions after it come
    /// first, or [`crate::Event::Resync`] when they are no longer kept. Without a version, it
    /// starts with what happens next. Needs [`crate::Role::Observer`].
    async fn subscribe(&self, caller: &Caller, since: Option<u64>) -> Result<EventStream, Error>;
}
