//! What routers are made from: the image store.

use super::{State, authorise, errors, once::Once, translate};
use crate::{
    images::{
        self, Stored, shipping,
        tasks::{Distribution, Import, Removal, made_from},
        title,
    },
    jobs::task::{self, Act, Task},
};
use api::{
    BeginImageUploadReply, BeginImageUploadRequest, Caller, CancelImageUploadReply,
    CancelImageUploadRequest, DeleteImageReply, DeleteImageRequest, DescribeImageReply,
    DescribeImageRequest, DistributeImageReply, DistributeImageRequest, Error, EvictImageReply,
    EvictImageRequest, GetImageReply, GetImageRequest, GetImageUploadReply, GetImageUploadRequest,
    Image, ImageCopy, ImageId, ImportImageReply, ImportImageRequest, JobId, ListImagesReply,
    ListImagesRequest, ListImportFilesReply, ListImportFilesRequest, NotFound, Role, Timestamp,
    UploadId, UploadPart,
};
use model::Driver;
use std::sync::Arc;
use uuid::Uuid;

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

/// Imports an image.
pub(crate) async fn import(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: ImportImageRequest,
) -> Result<ImportImageReply, Error> {
    let target = images::excerpt(&title(&request.description));
    let act = once.act(caller, "ImportImage", target, request.request_id.clone());
    let (importing, who) = (Arc::clone(state), caller.name.clone());
    let job = act.carry_out(Role::Operator, async move {
        let state = &importing;
        if let Some(job) = asked_for(state, &who, request.request_id.as_deref()) {
            return Ok(job);
        }
        state.images.check_import(&request).await?;
        let name = title(&request.description);
        let request_id = request.request_id.clone();
        let import = Import {
            image: ImageId(Uuid::new_v4()),
            request,
        };
        let act = Act::ImportImage(Box::new(import));
        let mut task = Task::new(act, &name, Vec::new(), Driver::Test);
        task.request_id = request_id;
        let message = format!("{name} waits to be imported.");
        task::start(state, task, &who, message, |_| {}).await
    });
    Ok(ImportImageReply {
        job: task::told(state, job.await?)?,
        as_of: Timestamp::now(),
    })
}

/// Brings an image to hosts, a job for each.
pub(crate) async fn distribute(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: DistributeImageRequest,
) -> Result<DistributeImageReply, Error> {
    let hosts: Vec<_> = request.hosts.iter().map(api::HostId::as_str).collect();
    let target = format!("{} to {}", request.image, hosts.join(", "));
    let act = once.act(
        caller,
        "DistributeImage",
        target,
        request.request_id.clone(),
    );
    let (distributing, who) = (Arc::clone(state), caller.name.clone());
    let jobs: Vec<JobId> = act
        .carry_out(Role::Operator, async move {
            distribute_to_all(&distributing, &request, &who).await
        })
        .await?;
    let jobs = jobs.into_iter().map(|job| task::told(state, job));
    Ok(DistributeImageReply {
        jobs: jobs.collect::<Result<_, _>>()?,
        as_of: Timestamp::now(),
    })
}

async fn distribute_to_all(
    state: &Arc<State>,
    request: &DistributeImageRequest,
    caller: &str,
) -> Result<Vec<JobId>, Error> {
    if request.hosts.is_empty() {
        return Err(Error::invalid("hosts", "one host at least was expected"));
    }
    let image = state.images.get(request.image).await?;
    let view = state.view();
    let mut tasks = Vec::new();
    for (at, id) in request.hosts.iter().enumerate() {
        if request.hosts[..at].contains(id) {
            let message = format!("{id} is named twice: each host once was expected");
            return Err(Error::invalid("hosts", message));
        }
        let known = view.topology().hosts.get(&translate::host_id(id));
        let host = known.ok_or_else(|| errors::no_host(id, view.topology()))?;
        if host.maintenance.is_some() {
            return Err(errors::conflict(format!(
                "the host {id} is in maintenance, and nothing new is brought there: take it back \
                 into use first, or leave it out"
            )));
        }
        let driver = shipping::driver_for(&image, host)?;
        let distribution = Distribution {
            image: image.id,
            host: host.id.clone(),
            driver,
            create_pool: request.create_pool.unwrap_or_default(),
        };
        let act = Act::DistributeImage(distribution);
        let mut task = Task::new(act, &image.title(), vec![host.id.clone()], driver);
        // One id for all of them: each is another job of it.
        task.request_id = (request.request_id.as_ref()).map(|asked| format!("{asked}/{id}"));
        tasks.push((id.clone(), task));
    }
    // All of them can be begun: now they are.
    let mut jobs = Vec::with_capacity(tasks.len());
    for (host, task) in tasks {
        if let Some(job) = asked_for(state, caller, task.request_id.as_deref()) {
            jobs.push(job);
            continue;
        }
        let message = format!("{} waits to be brought to {host}.", task.name);
        let tell = |job: &mut api::Job| {
            job.image = Some(image.id);
            job.destination = Some(host);
        };
        jobs.push(task::start(state, task, caller, message, tell).await?);
    }
    Ok(jobs)
}

/// Deletes the copy of an image on a host.
pub(crate) async fn evict(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    request: EvictImageRequest,
) -> Result<EvictImageReply, Error> {
    let EvictImageRequest {
        image,
        host,
        request_id,
    } = request;
    let target = format!("{image} from {host}");
    let act = once.act(caller, "EvictImage", target, request_id.clone());
    let (evicting, who) = (Arc::clone(state), caller.name.clone());
    let job = act.carry_out(Role::Operator, async move {
        let state = &evicting;
        if let Some(job) = asked_for(state, &who, request_id.as_deref()) {
            return Ok(job);
        }
        let stored = state.images.get(image).await?;
        let id = translate::host_id(&host);
        let copies = state.images.copies().await?;
        let is_there = copies
            .iter()
            .any(|row| row.image == image.to_string() && row.host == host.as_str());
        if !is_there {
            return Err(NotFound {
                kind: "copy".to_owned(),
                id: host.to_string(),
                message: format!(
                    "VMS put no copy of {} on {host}; GetImage tells where there are some",
                    stored.title()
                ),
            }
            .into());
        }
        refuse_if_used(state, &stored, Some(&id))?;
        let removal = Removal {
            image,
            host: Some(id.clone()),
        };
        let mut task = Task::new(
            Act::RemoveImage(removal),
            &stored.title(),
            Vec::new(),
            Driver::Qemu,
        );
        task.request_id = request_id;
        let message = format!("{} waits to be deleted from {host}.", stored.title());
        let tell = |job: &mut api::Job| {
            job.image = Some(image);
            job.source = Some(host);
        };
        task::start(state, task, &who, message, tell).await
    });
    Ok(EvictImageReply {
        job: task::told(state, job.await?)?,
        as_of: Timestamp::now(),
    })
}

/// Deletes an image and its copies.
pub(crate) async fn delete(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    DeleteImageRequest { image, request_id }: DeleteImageRequest,
) -> Result<DeleteImageReply, Error> {
    let act = once.act(caller, "DeleteImage", image.to_string(), request_id.clone());
    let (deleting, who) = (Arc::clone(state), caller.name.clone());
    let job = act.carry_out(Role::Operator, async move {
        let state = &deleting;
        if let Some(job) = asked_for(state, &who, request_id.as_deref()) {
            return Ok(job);
        }
        let stored = state.images.get(image).await?;
        refuse_if_used(state, &stored, None)?;
        let act = Act::RemoveImage(Removal { image, host: None });
        let mut task = Task::new(act, &stored.title(), Vec::new(), Driver::Qemu);
        task.request_id = request_id;
        let message = format!("{} waits to be deleted.", stored.title());
        let tell = |job: &mut api::Job| job.image = Some(image);
        task::start(state, task, &who, message, tell).await
    });
    Ok(DeleteImageReply {
        job: task::told(state, job.await?)?,
        as_of: Timestamp::now(),
    })
}

/// The job that a caller asked for with this request id: the server may have died after it was written
/// down, and before its answer was.
fn asked_for(state: &State, caller: &str, request_id: Option<&str>) -> Option<JobId> {
    request_id.and_then(|id| state.jobs.asked_for(caller, id))
}

fn refuse_if_used(
    state: &State,
    image: &Stored,
    host: Option<&model::HostId>,
) -> Result<(), Error> {
    let routers = made_from(state, image.id, host);
    if routers.is_empty() {
        return Ok(());
    }
    let named: Vec<_> = routers.iter().take(5).map(String::as_str).collect();
    let more = match routers.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(errors::conflict(format!(
        "{} is in use: {}{more} {} made from it; delete what is made from it first",
        image.title(),
        named.join(", "),
        if routers.len() == 1 { "is" } else { "are" }
    )))
}

/// Where images are besides in the store, and what is made from them.
struct Copies {
    copies: Vec<(String, ImageCopy)>,
    /// The image and the host of each router that was made from one.
    routers: Vec<(Uuid, String)>,
}

impl Copies {
    async fn read(state: &State) -> Result<Self, Error> {
        let rows = state.images.copies().await?;
        let view = state.view();
        let routers = view.topology().routers.values();
        let routers: Vec<_> = routers
            .filter_map(|router| Some((router.domain.image?, router.host.to_string())))
            .collect();
        let copies = rows.into_iter().filter_map(|row| {
            let on = |(image, host): &&(Uuid, String)| {
                image.to_string() == row.image && *host == row.host
            };
            let copy = ImageCopy {
                host: row.host.parse().ok()?,
                since: Timestamp::from_millisecond(row.since_ms).unwrap_or_default(),
                routers: routers.iter().filter(on).count() as u32,
            };
            Some((row.image, copy))
        });
        Ok(Self {
            copies: copies.collect(),
            routers,
        })
    }

    fn tell(&self, image: Stored) -> Image {
        let id = image.id.to_string();
        let copies = self.copies.iter().filter(|(of, _)| *of == id);
        let routers = self.routers.iter().filter(|(of, _)| *of == image.id.0);
        Image {
            id: image.id,
            kind: image.kind,
            description: image.description,
            files: image.files,
            created_at: image.created_at,
            created_by: image.created_by,
            copies: copies.map(|(_, copy)| copy.clone()).collect(),
            routers: routers.count() as u32,
        }
    }
}
