//! What routers are made from: the image store.

use super::{State, authorise, once::Once};
use crate::images::{self, Stored, title};
use api::{
    BeginImageUploadReply, BeginImageUploadRequest, Caller, CancelImageUploadReply,
    CancelImageUploadRequest, DescribeImageReply, DescribeImageRequest, Error, GetImageReply,
    GetImageRequest, GetImageUploadReply, GetImageUploadRequest, Image, ImageCopy, ListImagesReply,
    ListImagesRequest, ListImportFilesReply, ListImportFilesRequest, Role, Timestamp, UploadId,
    UploadPart,
};
use std::sync::Arc;

/// All images.
pub(crate) async fn list(
    state: &State,
    caller: &Caller,
    request: ListImagesRequest,
) -> Result<ListImagesReply, Error> {
    authorise(caller, Role::Observer)?;
    let mut stored = state.images.list().await?;
    if let Some(name) = &request.name {
        stored.retain(|image| image.description.name == *name);
    }
    let copies = Copies::read(state).await?;
    let uploads = state.images.uploads().await?;
    let (stored_bytes, available_bytes) = state.images.room().await?;
    Ok(ListImagesReply {
        as_of: Timestamp::now(),
        images: stored.into_iter().map(|image| copies.tell(image)).collect(),
        stored_bytes,
        available_bytes,
        uploads: uploads.into_iter().map(images::Upload::tell).collect(),
    })
}

/// One image.
pub(crate) async fn get(
    state: &State,
    caller: &Caller,
    GetImageRequest { image }: GetImageRequest,
) -> Result<GetImageReply, Error> {
    authorise(caller, Role::Observer)?;
    let image = state.images.get(image).await?;
    Ok(GetImageReply {
        as_of: Timestamp::now(),
        image: Copies::read(state).await?.tell(image),
    })
}

/// What can be imported.
pub(crate) async fn import_files(
    state: &State,
    caller: &Caller,
    ListImportFilesRequest {}: ListImportFilesRequest,
) -> Result<ListImportFilesReply, Error> {
    authorise(caller, Role::Operator)?;
    let files = state.images.import_files().await?;
    Ok(ListImportFilesReply {
        as_of: Timestamp::now(),
        configured: files.is_some(),
        files: files.unwrap_or_default(),
    })
}

/// Begins an upload.
pub(crate) async fn begin(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: BeginImageUploadRequest,
) -> Result<BeginImageUploadReply, Error> {
    let target = images::excerpt(&title(&request.description));
    let act = once.act(
        caller,
        "BeginImageUpload",
        target,
        request.request_id.clone(),
    );
    let (beginning, who) = (Arc::clone(state), caller.name.clone());
    let upload: UploadId = act
        .carry_out(Role::Operator, async move {
            beginning.images.begin(request, &who).await
        })
        .await?;
    // As it is now: it may have been begun long ago, with the same request id.
    Ok(BeginImageUploadReply {
        as_of: Timestamp::now(),
        upload: state.images.upload(upload).await?.tell(),
    })
}

/// How far an upload is.
pub(crate) async fn upload(
    state: &State,
    caller: &Caller,
    GetImageUploadRequest { upload }: GetImageUploadRequest,
) -> Result<GetImageUploadReply, Error> {
    authorise(caller, Role::Observer)?;
    Ok(GetImageUploadReply {
        as_of: Timestamp::now(),
        upload: state.images.upload(upload).await?.tell(),
    })
}

/// Gives an upload up.
pub(crate) async fn cancel(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    CancelImageUploadRequest { upload }: CancelImageUploadRequest,
) -> Result<CancelImageUploadReply, Error> {
    let act = once.act(caller, "CancelImageUpload", upload.to_string(), None);
    let state = Arc::clone(state);
    act.carry_out(Role::Operator, async move {
        state.images.cancel(upload).await?;
        Ok(CancelImageUploadReply {
            as_of: Timestamp::now(),
        })
    })
    .await
}

/// Takes a part of a file.
pub(crate) async fn receive(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    part: UploadPart,
) -> Result<GetImageUploadReply, Error> {
    let target = format!(
        "{} of {} from {}",
        part.role.as_str(),
        part.upload,
        part.offset
    );
    let act = once.act(caller, "UploadImagePart", target, None);
    let state = Arc::clone(state);
    act.carry_out(Role::Operator, async move {
        Ok(GetImageUploadReply {
            upload: state.images.receive(part).await?.tell(),
            as_of: Timestamp::now(),
        })
    })
    .await
}

/// Describes an image anew.
pub(crate) async fn describe(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: DescribeImageRequest,
) -> Result<DescribeImageReply, Error> {
    let DescribeImageRequest {
        image,
        description,
        request_id,
    } = request;
    let act = once.act(caller, "DescribeImage", image.to_string(), request_id);
    let state = Arc::clone(state);
    act.carry_out(Role::Operator, async move {
        let image = state.images.describe(image, &description).await?;
        Ok(DescribeImageReply {
            as_of: Timestamp::now(),
            image: Copies::read(&state).await?.tell(image),
        })
    })
    .await
}

/// Where images are, besides in the store.
struct Copies(Vec<(String, ImageCopy)>);

impl Copies {
    async fn read(state: &State) -> Result<Self, Error> {
        let rows = state.images.copies().await?;
        let copies = rows.into_iter().filter_map(|row| {
            let host = row.host.parse().ok()?;
            let copy = ImageCopy {
                host,
                since: Timestamp::from_millisecond(row.since_ms).unwrap_or_default(),
                routers: 0,
            };
            Some((row.image, copy))
        });
        Ok(Self(copies.collect()))
    }

    fn tell(&self, image: Stored) -> Image {
        let id = image.id.to_string();
        let copies = self.0.iter().filter(|(of, _)| *of == id);
        Image {
            id: image.id,
            kind: image.kind,
            description: image.description,
            files: image.files,
            created_at: image.created_at,
            created_by: image.created_by,
            copies: copies.map(|(_, copy)| copy.clone()).collect(),
            routers: 0,
        }
    }
}
