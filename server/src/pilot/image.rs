//! `ImageService`.

use super::{NAMESPACE, caller, name};
use api::{
    BeginImageUploadRequest, ByteStream, Caller, CancelImageUploadRequest, DeleteImageRequest,
    DescribeImageRequest, DistributeImageRequest, Error, EvictImageRequest, GetImageRequest,
    GetImageUploadRequest, Image, ImageDescription, ImageFileRole, ImageKind, ImportImageRequest,
    ListImagesRequest, ListImportFilesRequest, Operations, Timestamp, UploadId, UploadPart,
    UploadedFile,
};
use futures_util::{StreamExt as _, stream};
use soap::{Attachment, AttachmentError, Attachments, Call, Content, Service};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// What is still read of a message that is refused, so that its sender comes to hear why.
const DISCARDED: usize = 16 << 20;
const DISCARDING: Duration = Duration::from_secs(2);

/// Asks to take an image from one message: its files are attached to it (MTOM), or stand in it in
/// base64 while they are small. What was not sent to its end leaves nothing; large files are better
/// sent by `BeginImageUpload` and HTTP `PUT`, which can be gone on with.
#[derive(Debug, soap::Message)]
pub struct UploadImageRequest {
    /// What it is.
    kind: ImageKind,
    /// What is to be known of it.
    description: ImageDescription,
    /// A file for each role of its kind.
    files: Vec<AttachedFile>,
    /// An id of the caller's choice: the same id from the same caller returns the first image instead
    /// of taking it twice.
    request_id: Option<String>,
}

/// A file in a message.
#[derive(Debug, soap::Message)]
pub struct AttachedFile {
    /// What it is for.
    role: ImageFileRole,
    /// Its size in bytes, if it is known: what does not fit is refused before it is read.
    size_bytes: Option<u64>,
    /// The SHA-256 that it must have, in hexadecimal; not compared if absent.
    sha256: Option<String>,
    /// Its bytes.
    content: Content,
}

/// The image is in the store.
#[derive(Debug, soap::Message)]
pub struct UploadImageReply {
    /// When it was done.
    as_of: Timestamp,
    /// The image.
    image: Image,
}

pub(super) fn service(operations: &Arc<dyn Operations>) -> Service {
    let (list, get) = (operations.clone(), operations.clone());
    let (files, import) = (operations.clone(), operations.clone());
    let (begin, progress) = (operations.clone(), operations.clone());
    let (cancel, upload) = (operations.clone(), operations.clone());
    let (describe, delete) = (operations.clone(), operations.clone());
    let (distribute, evict) = (operations.clone(), operations.clone());
    Service::new(name::IMAGE, NAMESPACE)
        .documentation(
            "The images that routers are made from: how they come into the store, what is to be known \
             of them, and on which hosts they are. An image comes from the server's import directory, \
             by an upload that can be gone on with after a cut, or attached to one message.",
        )
        .operation(
            "ListImages",
            "Lists the images by name and version, the uploads that are under way, and the room that \
             is left.",
            move |call: Call, request: ListImagesRequest| {
                let operations = list.clone();
                async move { operations.list_images(&caller(&call), request).await }
            },
        )
        .operation(
            "GetImage",
            "Returns one image: its files with their digests, the hosts that have it, and how many \
             routers are made from it.",
            move |call: Call, request: GetImageRequest| {
                let operations = get.clone();
                async move { operations.get_image(&caller(&call), request).await }
            },
        )
        .operation(
            "ListImportFiles",
            "Lists the files of the server's import directory. Links are not followed and not listed.",
            move |call: Call, request: ListImportFilesRequest| {
                let operations = files.clone();
                async move { operations.list_import_files(&caller(&call), request).await }
            },
        )
        .operation(
            "ImportImage",
            "Makes an image of files in the import directory, and returns the job that copies them. \
             With a requestId, the same id from the same caller returns the first job instead of \
             acting twice.",
            move |call: Call, request: ImportImageRequest| {
                let operations = import.clone();
                async move { operations.import_image(&caller(&call), request).await }
            },
        )
        .operation(
            "BeginImageUpload",
            "Begins an upload and tells, for each file, the path on this server to which its bytes \
             are to be PUT. A part is sent with Content-Range; what came before a cut is kept, and \
             GetImageUpload tells where to go on. With the last byte of the last file the image is in \
             the store.",
            move |call: Call, request: BeginImageUploadRequest| {
                let operations = begin.clone();
                async move { operations.begin_image_upload(&caller(&call), request).await }
            },
        )
        .operation(
            "GetImageUpload",
            "Returns how much of an upload is there, and its image once that is complete.",
            move |call: Call, request: GetImageUploadRequest| {
                let operations = progress.clone();
                async move { operations.get_image_upload(&caller(&call), request).await }
            },
        )
        .operation(
            "CancelImageUpload",
            "Gives an upload up, and deletes what came of it. One that is complete is a Conflict.",
            move |call: Call, request: CancelImageUploadRequest| {
                let operations = cancel.clone();
                async move { operations.cancel_image_upload(&caller(&call), request).await }
            },
        )
        .operation_with_attachments(
            "UploadImage",
            "Takes an image from one message, whose files are attached by MTOM in any size, or stand \
             in it in base64 while the message stays within 4 MiB. A file that is not what was \
             announced is an InvalidArgument, and nothing is kept then.",
            move |call: Call, request: UploadImageRequest, attachments: Attachments| {
                let operations = upload.clone();
                async move { upload_image(&operations, &caller(&call), request, attachments).await }
            },
        )
        .operation(
            "DescribeImage",
            "Changes what is to be known of an image; its files stay, and so do the routers that were \
             made from it.",
            move |call: Call, request: DescribeImageRequest| {
                let operations = describe.clone();
                async move { operations.describe_image(&caller(&call), request).await }
            },
        )
        .operation(
            "DeleteImage",
            "Deletes an image from the store and from all hosts, in a job. One that a router is made \
             from is a Conflict; a host that is away keeps its copy until it can be asked.",
            move |call: Call, request: DeleteImageRequest| {
                let operations = delete.clone();
                async move { operations.delete_image(&caller(&call), request).await }
            },
        )
        .operation(
            "DistributeImage",
            "Brings an image to hosts, all at once, and returns a job for each. What arrived is read \
             back and compared before it counts. The storage pool vms is made where there is none, if \
             createPool says so.",
            move |call: Call, request: DistributeImageRequest| {
                let operations = distribute.clone();
                async move { operations.distribute_image(&caller(&call), request).await }
            },
        )
        .operation(
            "EvictImage",
            "Deletes the copy of an image on a host, in a job. One that a router there is made on is a \
             Conflict.",
            move |call: Call, request: EvictImageRequest| {
                let operations = evict.clone();
                async move { operations.evict_image(&caller(&call), request).await }
            },
        )
}

/// Takes an image from one message: an upload that begins and ends with it.
async fn upload_image(
    operations: &Arc<dyn Operations>,
    caller: &Caller,
    request: UploadImageRequest,
    mut attachments: Attachments,
) -> Result<UploadImageReply, Error> {
    let taken = take(operations, caller, request, &mut attachments).await;
    if taken.is_err() {
        let _ = tokio::time::timeout(DISCARDING, attachments.discard(DISCARDED)).await;
    }
    taken
}

async fn take(
    operations: &Arc<dyn Operations>,
    caller: &Caller,
    request: UploadImageRequest,
    attachments: &mut Attachments,
) -> Result<UploadImageReply, Error> {
    let mut ids = Vec::new();
    for file in &request.files {
        if let Content::Attached(id) = &file.content {
            if ids.contains(&id) {
                let message = "two files are the same attachment: each needs one of its own";
                return Err(Error::invalid("files/content", message));
            }
            ids.push(id);
        }
    }
    let announced = request.files.iter().map(|file| UploadedFile {
        role: file.role,
        size_bytes: match &file.content {
            Content::Inline(bytes) => Some(bytes.len() as u64),
            Content::Attached(_) => file.size_bytes,
        },
        sha256: file.sha256.clone(),
    });
    let beginning = BeginImageUploadRequest {
        kind: request.kind,
        description: request.description,
        files: announced.collect(),
        request_id: request.request_id,
    };
    let can_come_again = beginning.request_id.is_some();
    let begun = operations.begin_image_upload(caller, beginning).await?;
    let upload = begun.upload.id;
    let image = match begun.upload.image {
        // The same request came before, and was answered to nobody.
        Some(image) => image,
        None => match files(operations, caller, upload, request.files, attachments).await {
            Ok(image) => image,
            Err(Failed { error, is_cut }) => {
                // What did not come to its end leaves nothing, unless the same request is about to
                // come again. It may be gone already.
                if !(is_cut && can_come_again) {
                    let giving_up = CancelImageUploadRequest { upload };
                    let _ = operations.cancel_image_upload(caller, giving_up).await;
                }
                return Err(error);
            }
        },
    };
    let found = operations
        .get_image(caller, GetImageRequest { image })
        .await?;
    Ok(UploadImageReply {
        as_of: found.as_of,
        image: found.image,
    })
}

/// Why files were not taken.
struct Failed {
    error: Error,
    /// Whether the message came to no end.
    is_cut: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self {
            error,
            is_cut: false,
        }
    }
}

impl From<AttachmentError> for Failed {
    fn from(error: AttachmentError) -> Self {
        Self {
            error: Error::invalid("attachments", error.to_string()),
            is_cut: true,
        }
    }
}

/// Takes all files, in the order in which they come.
async fn files(
    operations: &Arc<dyn Operations>,
    caller: &Caller,
    upload: UploadId,
    files: Vec<AttachedFile>,
    attachments: &mut Attachments,
) -> Result<api::ImageId, Failed> {
    let mut image = None;
    let mut attached = Vec::new();
    for file in files {
        match file.content {
            Content::Attached(id) => attached.push((id, file.role)),
            Content::Inline(bytes) => {
                let bytes = stream::iter([Ok(bytes)]).boxed();
                let part = whole(upload, file.role, bytes);
                image = operations
                    .upload_image_part(caller, part)
                    .await?
                    .upload
                    .image;
            }
        }
    }
    while let Some(mut attachment) = attachments.next().await? {
        let at = attached.iter().position(|(id, _)| id == attachment.id());
        let Some(at) = at else {
            let id: String = attachment.id().chars().take(80).collect();
            let message = format!(
                "the attachment {id:?} belongs to none of the files, or came twice: each must be \
                 named by one xop:Include"
            );
            return Err(Error::invalid("files/content", message).into());
        };
        let (_, role) = attached.swap_remove(at);
        let (sender, mut receiver) = mpsc::channel(1);
        let bytes = stream::poll_fn(move |context| receiver.poll_recv(context)).boxed();
        let part = whole(upload, role, bytes);
        let (taken, pumped) = tokio::join!(
            operations.upload_image_part(caller, part),
            pump(&mut attachment, sender)
        );
        // That it was cut says more than what came of it.
        pumped?;
        image = taken?.upload.image;
    }
    if let Some((id, role)) = attached.first() {
        let id: String = id.chars().take(80).collect();
        let message = format!(
            "there is no attachment {id:?}, of which the {} was to be made",
            role.describe()
        );
        return Err(Error::invalid("files/content", message).into());
    }
    image.ok_or_else(|| Error::invalid("files", "not all files of the image came").into())
}

fn whole(upload: UploadId, role: ImageFileRole, bytes: ByteStream) -> UploadPart {
    UploadPart {
        upload,
        role,
        offset: 0,
        size_bytes: None,
        last: true,
        bytes,
    }
}

/// Hands an attachment on, for as long as somebody takes it.
async fn pump(
    attachment: &mut Attachment<'_>,
    to: mpsc::Sender<Result<bytes::Bytes, String>>,
) -> Result<(), AttachmentError> {
    loop {
        match attachment.chunk().await {
            Ok(None) => return Ok(()),
            Ok(Some(piece)) => {
                if to.send(Ok(piece)).await.is_err() {
                    // It is refused, and the reason is told.
                    return Ok(());
                }
            }
            Err(error) => {
                let _ = to.send(Err(error.to_string())).await;
                return Err(error);
            }
        }
    }
}
