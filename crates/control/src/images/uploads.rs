//! Files that come in parts, and are gone on with after a cut or a restart of the server.
//!
//! One task takes bytes from the caller, one thread hashes and writes them; between them are a few
//! pieces and no more, so that a fast caller waits for a slow disk. What is told to be there was
//! synchronised before: every 64 MiB, and when a part ends, however it ends. Whoever comes with a
//! new part of a file takes it over: a caller that was cut off and comes again finds its old
//! connection, which nobody has noticed to be dead, in nobody's way.

use super::{
    Images, Received, Stored, Upload, Written, check_description, check_digest, check_roles,
    enough_room, files::Writing, no_upload, not_read, partial, taken,
};
use crate::{service::errors, store::Naming};
use api::{
    BeginImageUploadRequest, ByteStream, Error, ImageFileRole, ImageId, Timestamp, UploadId,
    UploadPart, UploadProgress,
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Pieces between the caller and the disk: a connection gives some 100 KiB at once.
const QUEUE: usize = 4;

/// After so many bytes what came is synchronised and written down.
const CHECKPOINT: u64 = 64 << 20;

/// How long the next piece is waited for: less than that is no connection any more.
const STALL: Duration = Duration::from_mins(1);

/// Uploads that may be under way at once.
const UPLOADS: usize = 64;

/// A file that something came of since the start.
#[derive(Debug)]
pub(super) struct Slot {
    /// Ends the part that is under way.
    cancel: CancellationToken,
    /// Held by the part that is under way; in it, where it was left.
    turn: Arc<tokio::sync::Mutex<Option<Writing>>>,
    received: Arc<AtomicU64>,
}

/// What the thread that writes is told.
enum Order {
    Take(Bytes),
    Synchronise(oneshot::Sender<u64>),
}

/// How the bytes of a part ended.
enum End {
    /// All of them came.
    Complete,
    /// The caller hung up, with the reason.
    Cut(String),
    /// Nothing came for too long.
    Stalled,
    /// Another part of the same file came.
    TakenOver,
    /// More came than the file has.
    TooLong,
}

impl Images {
    /// All uploads that are not complete, the oldest first.
    pub async fn uploads(&self) -> Result<Vec<Upload>, Error> {
        let mut uploads = self.store().uploads().await.map_err(not_read)?;
        uploads.retain(|upload| upload.image.is_none());
        for upload in &mut uploads {
            self.say_received(upload);
        }
        Ok(uploads)
    }

    /// One upload.
    pub async fn upload(&self, id: UploadId) -> Result<Upload, Error> {
        let found = self.store().upload(id).await.map_err(not_read)?;
        let mut upload = found.ok_or_else(|| no_upload(id))?;
        self.say_received(&mut upload);
        Ok(upload)
    }

    /// What came since it was written down.
    fn say_received(&self, upload: &mut Upload) {
        let slots = self.0.under_way.lock();
        let slots = slots.unwrap_or_else(PoisonError::into_inner);
        for file in &mut upload.files {
            if file.stored.is_none()
                && let Some(slot) = slots.get(&(upload.id, file.role))
            {
                file.received_bytes = slot.received.load(Ordering::Relaxed);
            }
        }
    }

    /// Begins an upload.
    pub async fn begin(
        &self,
        request: BeginImageUploadRequest,
        caller: &str,
    ) -> Result<UploadId, Error> {
        check_description(request.kind, &request.description)?;
        check_roles(request.kind, request.files.iter().map(|file| file.role))?;
        for file in &request.files {
            check_digest(file.sha256.as_deref())?;
            if file.size_bytes == Some(0) {
                let message = "a file of 0 bytes is no image: its size was expected, or nothing \
                               where it is not known";
                return Err(Error::invalid("files/sizeBytes", message));
            }
        }
        let sizes = request.files.iter().filter_map(|file| file.size_bytes);
        self.check_room(sizes.fold(0, u64::saturating_add))?;
        let _turn = self.0.beginning.lock().await;
        self.check_name(&request.description, None).await?;
        if self.uploads().await?.len() >= UPLOADS {
            return Err(errors::conflict(format!(
                "{UPLOADS} uploads are under way already: wait for one of them, or cancel what \
                 nobody goes on with; ListImages tells which there are"
            )));
        }
        let now = Timestamp::now();
        let upload = Upload {
            id: UploadId(Uuid::new_v4()),
            kind: request.kind,
            description: request.description,
            files: (request.files.into_iter())
                .map(|file| Received {
                    role: file.role,
                    size_bytes: file.size_bytes,
                    expected_sha256: file.sha256,
                    received_bytes: 0,
                    stored: None,
                })
                .collect(),
            created_at: now,
            created_by: caller.to_owned(),
            expires_at: self.expires(now),
            image: None,
        };
        let stored = self.store().put_upload(&upload).await;
        stored.map_err(|error| errors::from_store(&error))?;
        Ok(upload.id)
    }

    fn expires(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.0.expiry).unwrap_or(Timestamp::MAX)
    }

    /// Takes a part of a file. A file that is complete already takes nothing more, and is no error.
    pub async fn receive(&self, part: UploadPart) -> Result<Upload, Error> {
        let (id, role) = (part.upload, part.role);
        if file_of(&self.upload(id).await?, role)?.stored.is_some() {
            return self.upload(id).await;
        }
        let (cancel, turn, received) = self.take_over(id, role);
        let mut kept = turn.lock().await;
        // What happened while the turn was waited for.
        let upload = self.store().upload(id).await.map_err(not_read)?;
        let upload = upload.ok_or_else(|| no_upload(id))?;
        let mut file = file_of(&upload, role)?.clone();
        if file.stored.is_some() {
            return self.upload(id).await;
        }
        if cancel.is_cancelled() {
            return Err(taken_over(role, file.received_bytes));
        }
        received.store(file.received_bytes, Ordering::Relaxed);
        if part.offset > file.received_bytes {
            return Err(errors::conflict(format!(
                "the part of the {} begins at {}, and {} bytes are there: go on at {}",
                role.describe(),
                part.offset,
                file.received_bytes,
                file.received_bytes
            )));
        }
        if let (Some(said), Some(known)) = (part.size_bytes, file.size_bytes)
            && said != known
        {
            return Err(Error::invalid(
                "sizeBytes",
                format!(
                    "the {} was announced with {known} bytes, and {said} are said now: send what \
                     was announced, or cancel this upload and begin another",
                    role.describe()
                ),
            ));
        }
        if file.size_bytes.is_none()
            && let Some(said) = part.size_bytes
        {
            self.check_room(said)?;
            file.size_bytes = Some(said);
        }
        // Behind the offset is nothing from now on, whatever comes.
        file.received_bytes = part.offset;
        self.note(id, &file).await?;
        let writing = kept.take();
        let path = self.incoming(&partial(id, role));
        let offset = part.offset;
        let writing = match writing.filter(|writing| writing.position() == offset) {
            Some(writing) => writing,
            None => match super::apart(move || Writing::open(&path, offset)).await {
                Ok(writing) => writing,
                Err(error) => {
                    self.empty(id, &mut file, &received).await;
                    return Err(self.not_taken(&error));
                }
            },
        };
        received.store(offset, Ordering::Relaxed);
        let limit = file.size_bytes.unwrap_or(u64::MAX);
        let taking = Taking {
            images: self,
            upload: id,
            file: &mut file,
            cancel: &cancel,
            received: &received,
            limit,
        };
        let (end, writing) = match taking.run(writing, part.bytes).await {
            Ok(done) => done,
            Err(error) => {
                self.empty(id, &mut file, &received).await;
                return Err(error);
            }
        };
        let position = writing.position();
        let what = role.describe();
        // All of it is there, however its connection ended; where the size is not known, the caller says
        // so, and must have come to the end.
        let is_whole = match file.size_bytes {
            Some(size) => size == position,
            None => part.last && matches!(end, End::Complete),
        };
        match end {
            End::TooLong => {
                self.empty(id, &mut file, &received).await;
                let message = format!(
                    "more than the {limit} bytes came that were announced for the {what}, so it is \
                     another file: what came of it is deleted"
                );
                Err(Error::invalid("sizeBytes", message))
            }
            _ if is_whole => {
                let completed = self.complete(&upload, &mut file, writing).await;
                if completed.is_err() {
                    self.empty(id, &mut file, &received).await;
                }
                completed?;
                drop(kept);
                self.forget_slot(id, role);
                self.upload(id).await
            }
            End::Complete => {
                *kept = Some(writing);
                drop(kept);
                self.upload(id).await
            }
            End::TakenOver => {
                *kept = Some(writing);
                Err(taken_over(role, position))
            }
            End::Cut(reason) => {
                *kept = Some(writing);
                Err(errors::conflict(format!(
                    "the connection ended ({reason}) after {position} bytes of the {what}: go on \
                     there"
                )))
            }
            End::Stalled => {
                *kept = Some(writing);
                Err(errors::conflict(format!(
                    "nothing came for {} s: {position} bytes of the {what} are there, go on there",
                    STALL.as_secs()
                )))
            }
        }
    }

    /// Asks whoever sends this file to end, and gets in line behind.
    fn take_over(
        &self,
        id: UploadId,
        role: ImageFileRole,
    ) -> (
        CancellationToken,
        Arc<tokio::sync::Mutex<Option<Writing>>>,
        Arc<AtomicU64>,
    ) {
        let mut slots = (self.0.under_way.lock()).unwrap_or_else(PoisonError::into_inner);
        let slot = slots.entry((id, role)).or_insert_with(|| Slot {
            cancel: CancellationToken::new(),
            turn: Arc::default(),
            received: Arc::default(),
        });
        let cancel = CancellationToken::new();
        std::mem::replace(&mut slot.cancel, cancel.clone()).cancel();
        (cancel, Arc::clone(&slot.turn), Arc::clone(&slot.received))
    }

    fn forget_slot(&self, id: UploadId, role: ImageFileRole) {
        let slots = self.0.under_way.lock();
        let slot = slots
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&(id, role));
        if let Some(slot) = slot {
            slot.cancel.cancel();
        }
    }

    async fn note(&self, id: UploadId, file: &Received) -> Result<(), Error> {
        let until = self.expires(Timestamp::now());
        let noted = self.store().put_received(id, file, until).await;
        noted.map_err(|error| errors::from_store(&error))
    }

    /// Deletes what came of a file; it may be sent again.
    async fn empty(&self, id: UploadId, file: &mut Received, received: &AtomicU64) {
        file.received_bytes = 0;
        received.store(0, Ordering::Relaxed);
        if let Err(error) = self.note(id, file).await {
            tracing::error!(upload = %id, %error, "that a file begins anew is not written down");
        }
        self.delete_partial(id, file.role).await;
    }

    async fn delete_partial(&self, id: UploadId, role: ImageFileRole) {
        let path = self.incoming(&partial(id, role));
        let deleted = super::apart(move || match std::fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        });
        if let Err(error) = deleted.await {
            tracing::error!(upload = %id, %error, "what came of a file could not be deleted");
        }
    }

    /// All of a file came: it is looked at, and gets its place. With the last file the image is there.
    async fn complete(
        &self,
        upload: &Upload,
        file: &mut Received,
        writing: Writing,
    ) -> Result<(), Error> {
        let (kind, role, expected) = (upload.kind, file.role, file.expected_sha256.clone());
        let size = writing.position();
        let checked = super::apart(move || {
            let (file, sha256) = writing.finish()?;
            Written { file, sha256, size }.check(size, kind, role, expected.as_deref())
        });
        let stored = checked.await.map_err(|error| self.not_taken(&error))??;
        let _turn = self.0.placing.lock().await;
        let from = self.incoming(&partial(upload.id, role));
        self.place(&from, &stored.sha256).await?;
        file.received_bytes = size;
        file.stored = Some(stored);
        self.note(upload.id, file).await?;
        // The other file may have come meanwhile.
        let now = self.store().upload(upload.id).await.map_err(not_read)?;
        let Some(now) = now else {
            self.sweep_locked().await.map_err(not_read)?;
            return Err(no_upload(upload.id));
        };
        let files: Vec<_> = now
            .files
            .iter()
            .filter_map(|file| file.stored.clone())
            .collect();
        if files.len() < now.files.len() {
            return Ok(());
        }
        let image = Stored {
            id: ImageId(Uuid::new_v4()),
            kind: now.kind,
            description: now.description.clone(),
            files,
            created_at: Timestamp::now(),
            created_by: now.created_by.clone(),
        };
        let named = self.store().put_image(&image, Some(now.id)).await;
        match named.map_err(|error| errors::from_store(&error))? {
            Naming::Done => Ok(()),
            Naming::Taken | Naming::Gone => {
                let removed = self.store().remove_upload(now.id).await;
                removed.map_err(|error| errors::from_store(&error))?;
                self.sweep_locked().await.map_err(not_read)?;
                Err(taken(&image.description))
            }
        }
    }

    /// Gives an upload up, and deletes what came of it; one that is complete stays what it is.
    pub async fn cancel(&self, id: UploadId) -> Result<(), Error> {
        let upload = self.upload(id).await?;
        if upload.image.is_some() {
            return Err(errors::conflict(
                "the upload is complete and its image in the store: delete the image instead"
                    .to_owned(),
            ));
        }
        self.give_up(&upload).await
    }

    async fn give_up(&self, upload: &Upload) -> Result<(), Error> {
        let removed = self.store().remove_upload(upload.id).await;
        removed.map_err(|error| errors::from_store(&error))?;
        for file in &upload.files {
            // Whoever sends it ends, and then there is nobody who could write.
            let (_, turn, _) = self.take_over(upload.id, file.role);
            drop(turn.lock().await.take());
            self.forget_slot(upload.id, file.role);
            self.delete_partial(upload.id, file.role).await;
        }
        self.sweep().await.map_err(not_read)
    }

    pub(super) async fn forget_uploads(&self) {
        let uploads = match self.store().uploads().await {
            Ok(uploads) => uploads,
            Err(error) => return tracing::error!(%error, "the uploads cannot be read"),
        };
        let now = Timestamp::now();
        for upload in uploads.iter().filter(|upload| upload.expires_at <= now) {
            if upload.image.is_none() {
                tracing::info!(upload = %upload.id, "nobody went on with an upload: it is given up");
            }
            if let Err(error) = self.give_up(upload).await {
                tracing::error!(upload = %upload.id, %error, "an upload could not be given up");
            }
        }
    }
}

/// What takes the bytes of one part.
struct Taking<'a> {
    images: &'a Images,
    upload: UploadId,
    file: &'a mut Received,
    cancel: &'a CancellationToken,
    received: &'a AtomicU64,
    limit: u64,
}

impl Taking<'_> {
    /// Takes bytes until they end. What came before is on the disk then, and written down.
    async fn run(self, writing: Writing, mut bytes: ByteStream) -> Result<(End, Writing), Error> {
        let (orders, queue) = mpsc::channel(QUEUE);
        let directory: PathBuf = self.images.0.directory.clone();
        let mut position = writing.position();
        let mut since = 0;
        let writer = tokio::task::spawn_blocking(move || write(writing, queue, &directory));
        let end = loop {
            let next = tokio::select! {
                biased;
                () = self.cancel.cancelled() => break End::TakenOver,
                next = tokio::time::timeout(STALL, bytes.next()) => next,
            };
            let piece = match next {
                Err(_) => break End::Stalled,
                Ok(None) => break End::Complete,
                Ok(Some(Err(reason))) => break End::Cut(reason),
                Ok(Some(Ok(piece))) => piece,
            };
            let length = piece.len() as u64;
            if position.saturating_add(length) > self.limit {
                break End::TooLong;
            }
            if orders.send(Order::Take(piece)).await.is_err() {
                // It failed, and says so below.
                break End::Complete;
            }
            position += length;
            since += length;
            self.received.store(position, Ordering::Relaxed);
            if since >= CHECKPOINT {
                since = 0;
                let (synchronised, done) = oneshot::channel();
                if orders.send(Order::Synchronise(synchronised)).await.is_err() {
                    break End::Complete;
                }
                if let Ok(written) = done.await {
                    self.file.received_bytes = written;
                    self.images.note(self.upload, self.file).await?;
                }
            }
        };
        drop(orders);
        let written = writer
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)));
        let writing = written.map_err(|error| self.images.not_taken(&error))?;
        self.received.store(writing.position(), Ordering::Relaxed);
        self.file.received_bytes = writing.position();
        self.images.note(self.upload, self.file).await?;
        Ok((end, writing))
    }
}

/// Writes what comes, until nothing more does.
fn write(
    mut writing: Writing,
    mut queue: mpsc::Receiver<Order>,
    directory: &std::path::Path,
) -> io::Result<Writing> {
    while let Some(order) = queue.blocking_recv() {
        match order {
            Order::Take(bytes) => {
                enough_room(directory)?;
                writing.push(&bytes)?;
            }
            Order::Synchronise(done) => {
                writing.synchronise()?;
                // Nobody may wait for it any more.
                let _ = done.send(writing.position());
            }
        }
    }
    writing.synchronise()?;
    Ok(writing)
}

impl Upload {
    /// As callers are told.
    pub fn tell(self) -> api::ImageUpload {
        let id = self.id;
        let files = self.files.into_iter().map(|file| UploadProgress {
            role: file.role,
            path: format!("/images/uploads/{id}/{}", file.role.as_str()),
            received_bytes: file.received_bytes,
            size_bytes: file.size_bytes,
            complete: file.stored.is_some(),
        });
        api::ImageUpload {
            id,
            kind: self.kind,
            files: files.collect(),
            description: self.description,
            created_at: self.created_at,
            created_by: self.created_by,
            expires_at: self.expires_at,
            image: self.image,
        }
    }
}

fn file_of(upload: &Upload, role: ImageFileRole) -> Result<&Received, Error> {
    upload
        .files
        .iter()
        .find(|file| file.role == role)
        .ok_or_else(|| {
            let roles: Vec<_> = upload.files.iter().map(|file| file.role.as_str()).collect();
            Error::invalid(
                "role",
                format!(
                    "the upload has no file {}; it has {}",
                    role.as_str(),
                    roles.join(" and ")
                ),
            )
        })
}

fn taken_over(role: ImageFileRole, received: u64) -> Error {
    errors::conflict(format!(
        "another request goes on with the {} now: this one ended after {received} bytes",
        role.describe()
    ))
}
