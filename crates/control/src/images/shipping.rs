//! Images on their way to hosts, and away from them.
//!
//! ```text
//! store ──holes as holes──► volume <sha256>.qcow2 in the pool vms ──read back, hashed──► it counts
//!                               │ broken off, or not the same
//!                               └─► deleted
//! ```
//!
//! A copy is named by its digest, is never written to again, and counts once the index says that it was
//! read back and was the same: a half one is never taken for a whole one, whoever dies. One at a time
//! is shipped to a host, so that who comes second finds what the first brought. Several hosts are
//! shipped to at once.
//!
//! The pool is made only if that was asked for; the index remembers that VMS made it, and the last
//! volume that leaves takes the pool and its directory with it, so that a host is left as it was found.

use super::{Stored, describe::suitable, files::hexadecimal};
use crate::{
    fleet::{self, Failure},
    jobs::{
        plan::{Chore, What},
        task::Task,
        work::{Stop, Work},
    },
    service::State,
    store::{PoolRow, StoreError, VolumeRow},
};
use api::{Error, ImageFile, ImageFileRole, ImageId, ImageKind, JobPhase, NotSupported};
use bytes::Bytes;
use libvirt::{Capability, Chunk, Connection, ErrorKind, Pool, PoolXml, Span, VolumeXml};
use model::{Driver, Host, HostId};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    io,
    os::unix::fs::MetadataExt as _,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::io::AsyncReadExt as _;

/// The pool that images are put into.
pub(crate) const POOL: &str = "vms";

/// As much is read at once: some messages of libvirt's.
const PIECE: usize = 1 << 20;

/// Zeros that are worth a hole.
const GRAIN: usize = 64 << 10;

/// Whose turn it is at each host.
#[derive(Debug, Default)]
pub(super) struct Lanes(Mutex<HashMap<HostId, Arc<tokio::sync::Mutex<()>>>>);

impl Lanes {
    async fn at(&self, host: &HostId) -> tokio::sync::OwnedMutexGuard<()> {
        let lane = {
            let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(lanes.entry(host.clone()).or_default())
        };
        lane.lock_owned().await
    }
}

/// An image that is on a host.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub image: Arc<Stored>,
    pub pool: String,
    pub files: Vec<CopiedFile>,
}

/// A file of it.
#[derive(Clone, Debug)]
pub(crate) struct CopiedFile {
    pub role: ImageFileRole,
    /// The volume's name.
    pub volume: String,
    /// Where the host sees it.
    pub path: String,
}

/// The driver of a host that an image is shipped by: one that makes routers from it.
pub(crate) fn driver_for(image: &Stored, host: &Host) -> Result<Driver, Error> {
    let drivers = || host.endpoints.iter().map(|endpoint| endpoint.driver);
    let mut suits = suitable(image).into_iter();
    if let Some(driver) = suits.find(|suiting| drivers().any(|driver| driver == *suiting)) {
        return Ok(driver);
    }
    let has: Vec<_> = drivers().map(Driver::as_str).collect();
    Err(NotSupported {
        driver: has.join(", "),
        message: format!(
            "the host {} has the drivers {}, and none of them makes routers from {}, a {}",
            host.id,
            has.join(", "),
            image.title(),
            image.kind.describe()
        ),
    }
    .into())
}

/// Brings an image to a host, within the job of whoever needs it there, unless it is there already.
/// What is brought and verified stays, whatever becomes of the job: it is a copy like any other.
pub(crate) async fn ensure(
    work: &mut Work<Task>,
    connection: &Connection,
    host: &HostId,
    image: ImageId,
    create_pool: bool,
) -> Result<Copy, Stop> {
    let images = work.state.images.clone();
    let stored = images.get(image).await.map_err(|error| stop(&error))?;
    let cancel = work.entry.cancel.clone();
    let _turn = tokio::select! {
        turn = images.0.lanes.at(host) => turn,
        () = cancel.cancelled() => return Err(Stop::Cancelled),
    };
    let before = work.plan.undo.len();
    let shipped = ship_all(work, connection, host, &stored, create_pool).await;
    match shipped {
        Ok((pool, files)) => {
            let known = work.state.store.put_copy(image, host).await;
            if known? {
                // It stays: nothing of it is taken back.
                work.plan.undo.truncate(before);
                work.save_plan().await?;
                return Ok(Copy {
                    image: Arc::new(stored),
                    pool,
                    files,
                });
            }
            Err(Stop::failed(
                format!(
                    "{} was deleted while it was brought to {host}.",
                    stored.title()
                ),
                "Choose an image that is still there.",
            ))
        }
        Err(stop) => Err(stop),
    }
}

async fn ship_all(
    work: &mut Work<Task>,
    connection: &Connection,
    host: &HostId,
    image: &Stored,
    create_pool: bool,
) -> Result<(String, Vec<CopiedFile>), Stop> {
    let pool = pool(work, connection, host, create_pool).await?;
    let directory = pool.definition.path.clone().unwrap_or_default();
    let directory = directory.trim_end_matches('/');
    let mut files = Vec::new();
    let mut missing = Vec::new();
    for file in &image.files {
        let volume = volume_name(image.kind, file);
        let row = VolumeRow {
            host: host.clone(),
            driver: fleet::driver(connection.uri().driver()),
            pool: POOL.to_owned(),
            path: format!("{directory}/{volume}"),
            sha256: file.sha256.clone(),
            volume,
        };
        files.push(CopiedFile {
            role: file.role,
            volume: row.volume.clone(),
            path: row.path.clone(),
        });
        let looking = |error| Stop::on(host, "Looking for the image", error);
        let there = connection
            .volume(POOL, &row.volume)
            .await
            .map_err(looking)?;
        if there.is_none() {
            missing.push((file, row));
            continue;
        }
        if !work.state.store.is_verified(&row).await? {
            adopt(work, connection, image, file, &row).await?;
        }
    }
    check_room(work, &pool, host, &missing).await?;
    for (file, row) in missing {
        let undo = evict_chore(image.id, &row);
        work.will_do(undo).await?;
        if let Err(stop) = ship(work, connection, image, file, &row).await {
            // Who comes next must not find half of it. What cannot be deleted now, the chore deletes.
            let _ = connection.delete_volume(POOL, &row.volume).await;
            return Err(stop);
        }
        work.state.store.put_volume(&row).await?;
    }
    Ok((POOL.to_owned(), files))
}

/// The chore that takes a volume off a host, if no image there needs it.
pub(crate) fn evict_chore(image: ImageId, row: &VolumeRow) -> Chore {
    Chore {
        driver: Some(row.driver),
        ..Chore::new(
            &row.host,
            What::EvictImage {
                image,
                pool: row.pool.clone(),
                volume: row.volume.clone(),
                sha256: row.sha256.clone(),
            },
        )
    }
}

/// A volume is named by what is in it.
fn volume_name(kind: ImageKind, file: &ImageFile) -> String {
    let ending = match (file.role, kind) {
        (ImageFileRole::Kernel, _) => "kernel",
        (ImageFileRole::InitialFileSystem, _) => "initrd",
        (ImageFileRole::Disk, ImageKind::Qcow2) => "qcow2",
        (ImageFileRole::Disk, _) => "raw",
    };
    format!("{}.{ending}", file.sha256)
}

/// The pool of images on a host, ready to be used.
async fn pool(
    work: &mut Work<Task>,
    connection: &Connection,
    host: &HostId,
    create_pool: bool,
) -> Result<Pool, Stop> {
    let looking = |error| Stop::on(host, "Looking for the storage pool vms", error);
    let making = |error| Stop::on(host, "Making the storage pool vms", error);
    let store = work.state.store.clone();
    match connection.pool(POOL).await.map_err(looking)? {
        Some(pool) if pool.state.is_active() => return Ok(pool),
        Some(_) if store.made_pool(host, POOL).await?.is_some() => {
            connection.start_pool(POOL).await.map_err(making)?;
        }
        Some(_) => {
            return Err(Stop::failed(
                format!("The storage pool {POOL} on {host} is not started."),
                format!("Start it (`virsh pool-start {POOL}`): VMS did not make it."),
            ));
        }
        None if !create_pool => {
            return Err(Stop::failed(
                format!("The host {host} has no storage pool {POOL}, into which images go."),
                "Ask for it with createPool, and VMS makes one; or define one of that name.",
            ));
        }
        None => {
            let directory = work.state.images.0.pool.display().to_string();
            let message = format!("A storage pool {POOL} is made, in {directory}.");
            work.step(JobPhase::Preparing, message).await;
            let was_there = connection.file_exists(&directory).await.map_err(making)?;
            let row = PoolRow {
                host: host.clone(),
                driver: fleet::driver(connection.uri().driver()),
                pool: POOL.to_owned(),
                directory_made: was_there != Some(true),
            };
            let undo = Chore {
                driver: Some(row.driver),
                ..Chore::new(
                    host,
                    What::RemovePool {
                        pool: POOL.to_owned(),
                    },
                )
            };
            work.will_do(undo).await?;
            store.put_pool(&row).await?;
            let mut definition = PoolXml::new("dir", POOL);
            definition.path = Some(directory);
            connection.define_pool(&definition).await.map_err(making)?;
            connection.build_pool(POOL).await.map_err(making)?;
            connection.start_pool(POOL).await.map_err(making)?;
            connection
                .set_pool_autostart(POOL, true)
                .await
                .map_err(making)?;
        }
    }
    let pool = connection.pool(POOL).await.map_err(looking)?;
    pool.ok_or_else(|| {
        Stop::failed(
            format!("The storage pool {POOL} on {host} went while it was looked at."),
            "Try again.",
        )
    })
}

async fn check_room(
    work: &Work<Task>,
    pool: &Pool,
    host: &HostId,
    missing: &[(&ImageFile, VolumeRow)],
) -> Result<(), Stop> {
    let mut needed = 0;
    for (file, _) in missing {
        let path = work.state.images.path(&file.sha256);
        let taken = tokio::fs::metadata(path).await.map(|of| of.blocks() * 512);
        // Holes stay holes.
        needed += taken.unwrap_or(file.size_bytes).min(file.size_bytes);
    }
    if needed <= pool.available_bytes {
        return Ok(());
    }
    Err(Stop::failed(
        format!(
            "The storage pool {POOL} on {host} has {} MiB left, and the image needs {} MiB.",
            pool.available_bytes >> 20,
            needed.div_ceil(1 << 20)
        ),
        "Make room there, evict other images, or choose another host.",
    ))
}

/// A volume of that name is there, and nobody knows whether it is whole: it is read.
async fn adopt(
    work: &Work<Task>,
    connection: &Connection,
    image: &Stored,
    file: &ImageFile,
    row: &VolumeRow,
) -> Result<(), Stop> {
    if connection
        .uri()
        .driver()
        .supports(Capability::VolumeTransfer)
    {
        let message = format!(
            "A file of {} is there already: it is compared.",
            image.title()
        );
        work.step(JobPhase::Verifying, message).await;
        if read_back(work, connection, file, row).await? != file.sha256 {
            return Err(Stop::failed(
                format!(
                    "The volume {} in the pool {} on {} is there already, and something else is in \
                     it.",
                    row.volume, row.pool, row.host
                ),
                "A job that was broken off may be tidying up: try again in a minute. If it stays, \
                 delete the volume, if nobody needs it.",
            ));
        }
    }
    Ok(work.state.store.put_volume(row).await?)
}

/// Brings one file, and reads it back.
async fn ship(
    work: &Work<Task>,
    connection: &Connection,
    image: &Stored,
    file: &ImageFile,
    row: &VolumeRow,
) -> Result<(), Stop> {
    let title = image.title();
    let (host, what) = (&row.host, file.role.describe());
    let writing = |error| Stop::on(host, &format!("Writing the {what} of {title}"), error);
    // What is in the file says what it is: libvirt looks again when all of it is there.
    let mut made = VolumeXml::new(&row.volume, file.size_bytes);
    made.format = Some("raw".to_owned());
    made.allocation_bytes = Some(0);
    connection
        .create_volume(POOL, &made)
        .await
        .map_err(writing)?;
    if !connection
        .uri()
        .driver()
        .supports(Capability::VolumeTransfer)
    {
        let message = format!(
            "A volume stands for the {what} of {title}: {host} is made up, and holds no data."
        );
        work.step(JobPhase::Transferring, message).await;
        return Ok(());
    }
    let message = format!("The {what} of {title} is brought to {host}.");
    work.step(JobPhase::Transferring, message).await;
    let reading = |error: io::Error| {
        Stop::failed(
            format!("The {what} of {title} cannot be read from the image store: {error}."),
            "Look at the disk of the server; import or upload the image anew if it is damaged.",
        )
    };
    let path = work.state.images.path(&file.sha256);
    let mut source = tokio::fs::File::open(path).await.map_err(reading)?;
    let upload = connection.upload(POOL, &row.volume, Span::default()).await;
    let mut upload = upload.map_err(writing)?;
    let (since, mut done, mut hole) = (Instant::now(), 0, 0);
    let mut hash = Sha256::new();
    loop {
        work.stop_if_cancelled()?;
        let mut piece = Vec::with_capacity(PIECE);
        let mut part = (&mut source).take(PIECE as u64);
        part.read_to_end(&mut piece).await.map_err(reading)?;
        if piece.is_empty() {
            break;
        }
        hash.update(&piece);
        let mut rest = Bytes::from(piece);
        while !rest.is_empty() {
            let (length, is_hole) = run(&rest);
            let run = rest.split_to(length);
            if is_hole {
                hole += length as u64;
                continue;
            }
            if hole > 0 {
                upload
                    .hole(std::mem::take(&mut hole))
                    .await
                    .map_err(writing)?;
            }
            upload.send(run).await.map_err(writing)?;
        }
        done = upload.position() + hole;
        work.sent(done, file.size_bytes, since);
    }
    if hole > 0 {
        upload.hole(hole).await.map_err(writing)?;
    }
    upload.finish().await.map_err(writing)?;
    if done != file.size_bytes || hexadecimal(hash) != file.sha256 {
        return Err(Stop::failed(
            format!("The {what} of {title} in the image store is damaged: its digest is another."),
            "Look at the disk of the server, delete the image, and import or upload it anew.",
        ));
    }
    connection.refresh_pool(POOL).await.map_err(writing)?;
    let message = format!("The {what} of {title} is read back from {host} and compared.");
    work.step(JobPhase::Verifying, message).await;
    if read_back(work, connection, file, row).await? == file.sha256 {
        return Ok(());
    }
    Err(Stop::failed(
        format!("The {what} of {title} is not on {host} what was sent: its digest is another."),
        "Look at the disk of the host and at the network to it, then try again.",
    ))
}

/// A run of whole grains that are all zero, or of such that are not: how long, and which.
fn run(bytes: &[u8]) -> (usize, bool) {
    static ZEROS: [u8; GRAIN] = [0; GRAIN];
    let is_zero = |grain: &[u8]| grain == ZEROS;
    let mut grains = bytes.chunks(GRAIN);
    let first = grains.next().unwrap_or_default();
    let kind = is_zero(first);
    let same = grains.take_while(|grain| is_zero(grain) == kind);
    (first.len() + same.map(<[u8]>::len).sum::<usize>(), kind)
}

/// The digest of what a host has.
async fn read_back(
    work: &Work<Task>,
    connection: &Connection,
    file: &ImageFile,
    row: &VolumeRow,
) -> Result<String, Stop> {
    let reading = |error| Stop::on(&row.host, &format!("Reading {} back", row.volume), error);
    let download = connection.download(&row.pool, &row.volume, Span::default());
    let mut download = download.await.map_err(reading)?;
    let (since, mut done, mut hash) = (Instant::now(), 0_u64, Sha256::new());
    let zeros = vec![0; GRAIN];
    while let Some(chunk) = download.next().await.map_err(reading)? {
        work.stop_if_cancelled()?;
        match chunk {
            Chunk::Data(data) => {
                hash.update(&data);
                done += data.len() as u64;
            }
            Chunk::Hole(length) => {
                // A file that is longer than the image is not it, however much longer.
                if length > file.size_bytes {
                    break;
                }
                let mut left = length;
                while left > 0 {
                    let part = left.min(GRAIN as u64);
                    hash.update(&zeros[..part as usize]);
                    left -= part;
                }
                done += length;
            }
        }
        work.sent(done, file.size_bytes, since);
    }
    Ok(hexadecimal(hash))
}

/// What the store of images says, as the end of a job.
pub(crate) fn stop(error: &Error) -> Stop {
    let text = error.to_string();
    let text = text.trim_end_matches('.');
    Stop::failed(format!("{text}."), "Mend what it says, then try again.")
}

/// Takes a volume off a host, unless an image that is there needs it, and the pool with the last one.
pub(crate) async fn evict(
    state: &State,
    connection: &Connection,
    host: &HostId,
    image: ImageId,
    volume: &VolumeRow,
) -> Result<(), Failure> {
    let images = &state.images;
    let _turn = images.0.lanes.at(host).await;
    if let Some(by) = crate::jobs::needed_by(connection, &volume.pool, &volume.volume).await? {
        return Err(Failure::Sticks(format!("{by} needs it")));
    }
    let written = |error: StoreError| Failure::Sticks(format!("vms.db cannot be written: {error}"));
    state
        .store
        .forget_copy(image, host)
        .await
        .map_err(written)?;
    let needed = state.store.is_needed_on(host, &volume.sha256).await;
    if needed.map_err(written)? {
        return Ok(());
    }
    let forgotten = state
        .store
        .forget_volume(host, &volume.pool, &volume.volume);
    forgotten.await.map_err(written)?;
    match connection.delete_volume(&volume.pool, &volume.volume).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        done => done?,
    }
    remove_pool_locked(state, connection, host, &volume.pool).await
}

/// Takes a pool away that VMS made, if nothing is in it.
pub(crate) async fn remove_pool(
    state: &State,
    connection: &Connection,
    host: &HostId,
    pool: &str,
) -> Result<(), Failure> {
    let _turn = state.images.0.lanes.at(host).await;
    remove_pool_locked(state, connection, host, pool).await
}

async fn remove_pool_locked(
    state: &State,
    connection: &Connection,
    host: &HostId,
    pool: &str,
) -> Result<(), Failure> {
    let written = |error: StoreError| Failure::Sticks(format!("vms.db cannot be written: {error}"));
    let made = state.store.made_pool(host, pool).await.map_err(written)?;
    let Some(made) = made else { return Ok(()) };
    if let Some(known) = connection.pool(pool).await? {
        if known.state.is_active() {
            // What came without libvirt counts, too.
            connection.refresh_pool(pool).await?;
            if !connection.list_volumes(pool).await?.is_empty() {
                return Ok(());
            }
            connection.stop_pool(pool).await?;
        }
        if made.directory_made
            && let Err(error) = connection.delete_pool(pool).await
        {
            // Something that is no volume is in it.
            tracing::warn!(%host, %error, "the directory of a pool is left");
        }
        connection.undefine_pool(pool).await?;
    }
    state.store.forget_pool(host, pool).await.map_err(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_grains_of_zeros_are_holes() {
        let mut bytes = vec![0; 3 * GRAIN + 10];
        assert_eq!(run(&bytes), (3 * GRAIN, true));
        assert_eq!(run(&bytes[3 * GRAIN..]), (10, false));
        bytes[GRAIN] = 1;
        assert_eq!(run(&bytes), (GRAIN, true));
        assert_eq!(run(&bytes[GRAIN..]), (GRAIN, false));
        assert_eq!(run(&[1; 5]), (5, false));
    }
}
