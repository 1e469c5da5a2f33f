//! The operations of VMS: what a pilot can ask for, in one set of types.
//!
//! Every operation has one request and one reply type here, all of them share one [`Error`], and
//! [`Operations`] is the one interface through which they are called. SOAP services, the page's
//! server functions and the command line are adapters over that trait; the crate `control`
//! implements it. Nothing here knows how an operation is carried out.
//!
//! Conventions, the same in Rust, JSON and XML:
//! - times are UTC instants ([`Timestamp`]), written as RFC 3339 / `xs:dateTime` with `Z`;
//! - ids are typed and cross as strings;
//! - sizes are bytes, rates are bits or bytes a second as the field's name says, shares are 0 to 1;
//! - every reply says when it was true (`as_of`) and, host by host, whether what it tells is
//!   current ([`HostFreshness`]): a host that cannot be reached is shown as it was last seen, with
//!   its age, never as gone.
//!
//! The crate compiles to WebAssembly; the feature `soap` adds the SOAP encoding of every type.

mod caller;
mod error;
mod event;
mod history;
mod host;
mod ids;
mod image;
mod job;
mod load;
mod migration;
mod operations;
mod path;
mod provisioning;
mod router;
mod topology;
mod virtual_link;

pub use caller::{Caller, Channel, Role};
pub use error::{
    Conflict, Denied, Error, HostUnreachable, Internal, InvalidArgument, NotFound, NotSupported,
};
pub use event::{Event, EventStream};
pub use history::{Aggregation, HistoryPoint, Metric, QueryHistoryReply, QueryHistoryRequest};
pub use host::{
    CheckHostReply, CheckHostRequest, CheckOutcome, CheckStep, CheckStepKind, Driver,
    DriverCapability, Endpoint, EndpointAddress, GetHostStatusReply, GetHostStatusRequest, Host,
    HostFreshness, HostInterface, HostLoad, HostOrigin, HostState, ListHostsReply,
    ListHostsRequest, Neighbor, RegisterHostReply, RegisterHostRequest, RemoveHostReply,
    RemoveHostRequest, Transport, UnresponsiveRouter,
};
pub use ids::{HostId, IdError, LinkId, MacAddress, RouterId, SegmentId};
pub use image::{
    BeginImageUploadReply, BeginImageUploadRequest, ByteStream, CancelImageUploadReply,
    CancelImageUploadRequest, DeleteImageReply, DeleteImageRequest, DescribeImageReply,
    DescribeImageRequest, DistributeImageReply, DistributeImageRequest, EvictImageReply,
    EvictImageRequest, GetImageReply, GetImageRequest, GetImageUploadReply, GetImageUploadRequest,
    Image, ImageCopy, ImageDescription, ImageFile, ImageFileRole, ImageId, ImageKind, ImageUpload,
    ImportFile, ImportImageReply, ImportImageRequest, ImportedFile, ListImagesReply,
    ListImagesRequest, ListImportFilesReply, ListImportFilesRequest, UploadId, UploadPart,
    UploadProgress, UploadedFile,
};
pub use job::{
    CancelJobReply, CancelJobRequest, GetJobReply, GetJobRequest, Job, JobError, JobId, JobKind,
    JobPhase, JobProgress, JobState, JobStep, LinkInterruption, ListJobsReply, ListJobsRequest,
    MigrationDriver, MigrationResult,
};
pub use load::{Flow, GetLoadReply, GetLoadRequest, HostUse, LinkUse, RouterUse};
pub use migration::{
    CheckMigrationReply, CheckMigrationRequest, FindingLevel, MigrateRouterReply,
    MigrateRouterRequest, MigrationCheck, MigrationFinding, MigrationMode, MigrationVerdict,
    SetHostMaintenanceReply, SetHostMaintenanceRequest,
};
pub use operations::Operations;
pub use path::{FindPathsReply, FindPathsRequest, Path, PathLink, PathMetric, PathStep, Underlay};
pub use provisioning::{
    AttachInterfaceReply, AttachInterfaceRequest, CheckCreationReply, CheckCreationRequest,
    CloudInit, CreateRouterReply, CreateRouterRequest, CreationPlace, DeleteRouterReply,
    DeleteRouterRequest, DestroyRouterReply, DestroyRouterRequest, DetachInterfaceReply,
    DetachInterfaceRequest, Effective, NewInterface, RebootRouterReply, RebootRouterRequest,
    ResetRouterReply, ResetRouterRequest, ResizeRouterReply, ResizeRouterRequest,
    ShutdownRouterReply, ShutdownRouterRequest, StartRouterReply, StartRouterRequest,
};
pub use router::{
    Disk, DiskMeasurement, GetRouterStatusReply, GetRouterStatusRequest, InterfaceKind,
    InterfaceMeasurement, LinkState, ListRoutersReply, ListRoutersRequest, ResumeRouterReply,
    ResumeRouterRequest, Router, RouterInterface, RouterMeasurement, RouterState,
    SuspendRouterReply, SuspendRouterRequest,
};
pub use topology::{
    ChangeKind, ElementId, ElementKind, GetTopologyReply, GetTopologyRequest, Link, LinkEnd,
    LinkKind, LinkSource, LinkSourceKind, Segment, SegmentKind, TopologyChange, TopologyView,
};
pub use virtual_link::{
    CreateVirtualLinkReply, CreateVirtualLinkRequest, DeleteVirtualLinkReply,
    DeleteVirtualLinkRequest, LinkAddressing, LinkTransport, ListVirtualLinksReply,
    ListVirtualLinksRequest, VirtualLink, VirtualLinkEnd, VirtualLinkId, WhenRunning,
};

/// An instant, UTC.
pub type Timestamp = jiff::Timestamp;
