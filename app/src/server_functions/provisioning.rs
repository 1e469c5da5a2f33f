//! Images, routers and links that come and go: each function is one operation, its argument the
//! operation's own request.

use crate::{Failure, wire::Posting};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::server::Door;

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident as $arguments:ident at $endpoint:literal: $request:ident -> $reply:ident;)*) => {
        $(
            $(#[$doc])*
            #[server(name = $arguments, prefix = "/api", endpoint = $endpoint, protocol = Posting)]
            pub async fn $name(request: api::$request) -> Result<api::$reply, Failure> {
                Door::open()?
                    .ask(|operations, caller| operations.$name(caller, request))
                    .await
            }
        )*
    };
}

operations! {
    /// The images, and the uploads that are under way.
    list_images as ReadImages at "list_images": ListImagesRequest -> ListImagesReply;
    /// The files in the import directory.
    list_import_files as ReadImportFiles at "list_import_files": ListImportFilesRequest -> ListImportFilesReply;
    /// Makes an image of files in the import directory, in a job.
    import_image as ImportImage at "import_image": ImportImageRequest -> ImportImageReply;
    /// Begins an upload; its bytes go to the paths that it returns.
    begin_image_upload as BeginImageUpload at "begin_image_upload": BeginImageUploadRequest -> BeginImageUploadReply;
    /// How far an upload is.
    get_image_upload as ReadImageUpload at "get_image_upload": GetImageUploadRequest -> GetImageUploadReply;
    /// Gives an upload up.
    cancel_image_upload as CancelImageUpload at "cancel_image_upload": CancelImageUploadRequest -> CancelImageUploadReply;
    /// Changes what is to be known of an image.
    describe_image as DescribeImage at "describe_image": DescribeImageRequest -> DescribeImageReply;
    /// Deletes an image, in a job.
    delete_image as DeleteImage at "delete_image": DeleteImageRequest -> DeleteImageReply;
    /// Brings an image to hosts, in jobs.
    distribute_image as DistributeImage at "distribute_image": DistributeImageRequest -> DistributeImageReply;
    /// Deletes a host's copy of an image, in a job.
    evict_image as EvictImage at "evict_image": EvictImageRequest -> EvictImageReply;
    /// Where a router could be made.
    check_creation as CheckCreation at "check_creation": CheckCreationRequest -> CheckCreationReply;
    /// Makes a router, in a job.
    create_router as CreateRouter at "create_router": CreateRouterRequest -> CreateRouterReply;
    /// Changes a router's size.
    resize_router as ResizeRouter at "resize_router": ResizeRouterRequest -> ResizeRouterReply;
    /// Gives a router one more interface.
    attach_interface as AttachInterface at "attach_interface": AttachInterfaceRequest -> AttachInterfaceReply;
    /// Takes an interface away from a router.
    detach_interface as DetachInterface at "detach_interface": DetachInterfaceRequest -> DetachInterfaceReply;
    /// Links two routers, in a job.
    create_virtual_link as CreateVirtualLink at "create_virtual_link": CreateVirtualLinkRequest -> CreateVirtualLinkReply;
    /// The virtual links that VMS made.
    list_virtual_links as ReadVirtualLinks at "list_virtual_links": ListVirtualLinksRequest -> ListVirtualLinksReply;
    /// Takes a link away, in a job.
    delete_virtual_link as DeleteVirtualLink at "delete_virtual_link": DeleteVirtualLinkRequest -> DeleteVirtualLinkReply;
}
