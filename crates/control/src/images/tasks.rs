//! What is done with images in jobs: importing, distributing, evicting, deleting.

use super::shipping::{self, ensure, evict_chore};
use crate::{
    jobs::{
        plan::{Chore, What},
        task::Task,
        work::{Stop, Work, sent},
    },
    service::State,
};
use api::{ImageId, ImportImageRequest, JobPhase};
use model::{Driver, HostId};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// An image is imported. Its id is given before, so that a death leaves nothing that nobody knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Import {
    pub image: ImageId,
    pub request: ImportImageRequest,
}

/// An image is brought to a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Distribution {
    pub image: ImageId,
    pub host: HostId,
    pub driver: Driver,
    pub create_pool: bool,
}

/// The copy of an image on a host is deleted; with `all`, the image and every copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Removal {
    pub image: ImageId,
    /// The host; all of them, and the image itself, if absent.
    pub host: Option<HostId>,
}

/// Imports an image.
pub(crate) async fn import(work: &mut Work<Task>, import: Import) -> Result<String, Stop> {
    let Import { image, request } = import;
    // The store is no host; the chore asks none.
    let undo = Chore::new(&HostId::new("vms"), What::DeleteImage(image));
    work.will_do(undo).await?;
    let message = format!("{} is copied into the store.", work.plan.name);
    work.step(JobPhase::Transferring, message).await;
    let (state, entry, since) = (work.state.clone(), work.entry.clone(), Instant::now());
    let caller = entry.job().requested_by;
    let progress = move |done: u64, total: u64| {
        state.jobs.progress(&entry, sent(done, total, since));
    };
    let cancel = work.entry.cancel.clone();
    let images = work.state.images.clone();
    let imported = images.import(image, &request, &caller, progress, &cancel);
    let stored = match imported.await {
        Ok(stored) => stored,
        Err(_) if cancel.is_cancelled() => return Err(Stop::Cancelled),
        Err(error) => return Err(shipping::stop(&error)),
    };
    let message = format!("{} is in the store.", stored.title());
    work.commit(&message, Vec::new()).await?;
    work.tell(|job| job.image = Some(image)).await;
    Ok(message)
}

/// Brings an image to a host.
pub(crate) async fn distribute(
    work: &mut Work<Task>,
    distribution: Distribution,
) -> Result<String, Stop> {
    let Distribution {
        image,
        host,
        driver,
        create_pool,
    } = distribution;
    let connection = work.session(&host, driver).await?;
    let copy = ensure(work, &connection, &host, image, create_pool).await?;
    Ok(format!(
        "{} is on {host}, and verified.",
        copy.image.title()
    ))
}

/// Deletes the copy of an image on a host, or the image with all its copies.
pub(crate) async fn remove(work: &mut Work<Task>, removal: Removal) -> Result<String, Stop> {
    let Removal { image, host } = removal;
    let name = work.plan.name.clone();
    work.step(
        JobPhase::Checking,
        format!("It is looked who needs {name}."),
    )
    .await;
    if let Some(router) = made_from(&work.state, image, host.as_ref()).first() {
        return Err(Stop::failed(
            format!("The router {router} is made from {name}."),
            "Delete the router first.",
        ));
    }
    let volumes = work.state.store.image_volumes(image, host.as_ref()).await?;
    let mut chores: Vec<_> = volumes.iter().map(|row| evict_chore(image, row)).collect();
    let message = if let Some(host) = &host {
        format!("{name} is deleted from {host}.")
    } else {
        // Before its copies: nobody ships it any more.
        chores.insert(0, Chore::new(&HostId::new("vms"), What::DeleteImage(image)));
        format!("{name} is deleted.")
    };
    work.commit(&message, chores).await?;
    Ok(message)
}

/// The routers that were made from an image, by name.
pub(crate) fn made_from(state: &State, image: ImageId, host: Option<&HostId>) -> Vec<String> {
    let view = state.view();
    let routers = view.topology().routers.values();
    let made = routers.filter(|router| {
        router.domain.image == Some(image.0) && host.is_none_or(|host| router.host == *host)
    });
    made.map(|router| router.domain.name.clone()).collect()
}
