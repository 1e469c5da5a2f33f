//! Images: what routers are made from.
//!
//! ```text
//! import directory ──copied──┐              ┌─ files/<sha256>  once a digest ──► hosts
//!                            ├─► incoming/… ┤
//! upload ──parts, in order───┘   hashed,    └─ refused: deleted
//!                                checked
//!
//! an upload:  begun ─► receiving ◄─► broken off ─► complete ─► in the index
//!                         │                │           └─ name taken meanwhile: deleted
//!                         └─ not what was  └─ nothing for a day: deleted
//!                            announced: that file begins anew
//! ```
//!
//! The store is a directory, and an index in `vms.db`. A file gets its place, its digest for a name,
//! by one rename, after all of it was written, hashed, looked at and synchronised; then the index
//! takes it, in one transaction. So whoever dies in between leaves a file that nobody names, and the
//! next start deletes it. Both are done under one lock, as is deleting: no file goes that an image
//! needs.
//!
//! - `files`: writing while hashing, zeros as holes, never a whole file in memory;
//! - `formats`: what a file is, and what is refused;
//! - `import`: the import directory, and no way out of it;
//! - `uploads`: files that come in parts, and are gone on with after a cut;
//! - `describe`: what is to be known of an image;
//! - `shipping`: images on their way to hosts, and away from them; `tasks`: what is done in jobs.

mod describe;
mod files;
mod formats;
mod import;
pub(crate) mod shipping;
pub(crate) mod tasks;
mod uploads;

use crate::{
    StartError,
    service::errors,
    store::{CopyRow, Naming, Store, StoreError},
};
use api::{
    Error, ImageDescription, ImageFile, ImageFileRole, ImageId, ImageKind, ImportImageRequest,
    ImportedFile, NotFound, Timestamp, UploadId,
};
use files::{Writing, is_no_room};
use import::Refused;
use rustix::fs::statvfs;
use std::{
    collections::HashMap,
    fs::{DirBuilder, File, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) use describe::{check as check_description, suitable};
pub(crate) use shipping::{Copy, POOL, ensure};

/// What is left free on the disk of the store, bytes: `vms.db` is often on the same one, and must go
/// on.
const RESERVE: u64 = 64 << 20;

/// How often it is looked for uploads that nobody goes on with.
const LOOK: Duration = Duration::from_mins(10);
const SHORTEST_LOOK: Duration = Duration::from_millis(50);

/// The image store. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Images(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    import: Option<PathBuf>,
    expiry: Duration,
    store: Store,
    /// Held while a file gets its place or loses it, together with its line in the index.
    placing: tokio::sync::Mutex<()>,
    /// The files of uploads that something came of since the start.
    under_way: Mutex<HashMap<(UploadId, ImageFileRole), uploads::Slot>>,
    /// Held while an upload is begun: its name is free, and stays so.
    beginning: tokio::sync::Mutex<()>,
    /// Who ships to which host.
    lanes: shipping::Lanes,
    /// The directory of pools that are made on hosts.
    pool: PathBuf,
}

/// An image as the index has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    pub id: ImageId,
    pub kind: ImageKind,
    pub description: ImageDescription,
    pub files: Vec<ImageFile>,
    pub created_at: Timestamp,
    pub created_by: String,
}

/// An upload as the index has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Upload {
    pub id: UploadId,
    pub kind: ImageKind,
    pub description: ImageDescription,
    pub files: Vec<Received>,
    pub created_at: Timestamp,
    pub created_by: String,
    pub expires_at: Timestamp,
    /// The image, once all of it is there.
    pub image: Option<ImageId>,
}

/// A file of an upload, as far as it is there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Received {
    pub role: ImageFileRole,
    pub size_bytes: Option<u64>,
    pub expected_sha256: Option<String>,
    #[expect(clippy::struct_field_names, reason = "as it is told")]
    pub received_bytes: u64,
    /// Once it is complete.
    pub stored: Option<ImageFile>,
}

/// Where images are kept, and come from.
#[derive(Clone, Debug)]
pub struct ImageSettings {
    /// The directory of the store; `images` in the data directory if absent.
    pub directory: Option<PathBuf>,
    /// The one directory that files may be imported from; none if absent.
    pub import: Option<PathBuf>,
    /// The directory on hosts of the storage pool that VMS makes there if it is asked to.
    pub pool: PathBuf,
    /// How long the next part of an upload is waited for.
    pub upload_expiry: Duration,
}

impl Default for ImageSettings {
    fn default() -> Self {
        Self {
            directory: None,
            import: None,
            pool: PathBuf::from("/var/lib/libvirt/images/vms"),
            upload_expiry: Duration::from_hours(24),
        }
    }
}

impl Stored {
    /// Name and version, for people.
    pub fn title(&self) -> String {
        title(&self.description)
    }
}

/// Name and version, for people.
pub(crate) fn title(of: &ImageDescription) -> String {
    format!("{} {}", of.name, of.version)
}

impl Images {
    /// Opens the store, and deletes what a sudden death left in it. It is ours for as long as the file
    /// that comes with it is open.
    pub async fn open(
        store: Store,
        settings: &ImageSettings,
        data: &Path,
    ) -> Result<(Self, File), StartError> {
        let directory = settings.directory.clone();
        let directory = directory.unwrap_or_else(|| data.join("images"));
        let failed = |source| StartError::ImageDirectory {
            path: directory.clone(),
            source,
        };
        for path in [
            directory.clone(),
            directory.join("files"),
            directory.join("incoming"),
        ] {
            let mut made = DirBuilder::new();
            made.recursive(true).mode(0o700);
            made.create(path).map_err(failed)?;
        }
        if let Some(import) = &settings.import {
            std::fs::read_dir(import).map_err(|source| StartError::ImportDirectory {
                path: import.clone(),
                source,
            })?;
        }
        let lock = lock(&directory)?;
        let images = Self(Arc::new(Inner {
            directory: directory.clone(),
            import: settings.import.clone(),
            expiry: settings.upload_expiry,
            store,
            placing: tokio::sync::Mutex::default(),
            under_way: Mutex::default(),
            beginning: tokio::sync::Mutex::default(),
            lanes: shipping::Lanes::default(),
            pool: settings.pool.clone(),
        }));
        let database = |error: StoreError| StartError::Database {
            path: data.join("vms.db"),
            source: match error {
                StoreError::Database(source) => source,
                StoreError::Content(error) => sqlx::Error::Decode(Box::new(error)),
            },
        };
        images.sweep().await.map_err(database)?;
        let uploads = images.0.store.uploads().await.map_err(database)?;
        let known: Vec<_> = (uploads.iter())
            .flat_map(|upload| {
                upload
                    .files
                    .iter()
                    .map(|file| partial(upload.id, file.role))
            })
            .collect();
        for entry in std::fs::read_dir(directory.join("incoming")).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let ours = name.to_str().filter(|name| is_incoming(name));
            if ours.is_some_and(|name| !known.iter().any(|known| known == name)) {
                std::fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok((images, lock))
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    /// Where the file of a digest is.
    pub fn path(&self, sha256: &str) -> PathBuf {
        self.0.directory.join("files").join(sha256)
    }

    fn incoming(&self, name: &str) -> PathBuf {
        self.0.directory.join("incoming").join(name)
    }

    /// All images, by name and version.
    pub async fn list(&self) -> Result<Vec<Stored>, Error> {
        self.store().images().await.map_err(not_read)
    }

    /// One image.
    pub async fn get(&self, id: ImageId) -> Result<Stored, Error> {
        let found = self.store().image(id).await.map_err(not_read)?;
        found.ok_or_else(|| no_image(id))
    }

    /// Which images are on which hosts.
    pub async fn copies(&self) -> Result<Vec<CopyRow>, Error> {
        self.store().copies(None).await.map_err(not_read)
    }

    /// Bytes that the files take, and that are free.
    pub async fn room(&self) -> Result<(u64, u64), Error> {
        let directory = self.0.directory.clone();
        let looked = apart(move || {
            let mut taken = 0;
            for within in ["files", "incoming"] {
                for entry in std::fs::read_dir(directory.join(within))? {
                    // One that goes meanwhile takes nothing.
                    taken += entry?.metadata().map_or(0, |of| of.blocks() * 512);
                }
            }
            Ok((taken, free(&directory)?))
        });
        looked.await.map_err(|error| not_kept(&error))
    }

    /// The files of the import directory; nothing if there is none.
    pub async fn import_files(&self) -> Result<Option<Vec<api::ImportFile>>, Error> {
        let Some(directory) = self.0.import.clone() else {
            return Ok(None);
        };
        let listed = apart(move || import::list(&directory)).await;
        listed
            .map(Some)
            .map_err(|error| no_import_directory(&error))
    }

    /// Checks what can be checked of an import before its turn comes.
    pub async fn check_import(&self, request: &ImportImageRequest) -> Result<(), Error> {
        check_description(request.kind, &request.description)?;
        check_roles(request.kind, request.files.iter().map(|file| file.role))?;
        self.check_name(&request.description, None).await?;
        let mut needed = 0;
        for file in &request.files {
            check_digest(file.sha256.as_deref())?;
            needed += self.open_import(file).await?.1;
        }
        self.check_room(needed)
    }

    async fn open_import(&self, file: &ImportedFile) -> Result<(File, u64), Error> {
        let Some(directory) = self.0.import.clone() else {
            return Err(errors::conflict(
                "this server imports no files: its setting import_directory names no directory; \
                 set it, or upload the image"
                    .to_owned(),
            ));
        };
        let path = file.path.clone();
        let opened = tokio::task::spawn_blocking(move || import::open(&directory, &path)).await;
        let opened = opened.map_err(|error| not_kept(&io::Error::other(error)))?;
        opened.map_err(|refused| match refused {
            Refused::File(message) => Error::invalid("files/path", message),
            Refused::Missing => NotFound {
                kind: "file".to_owned(),
                id: file.path.clone(),
                message: format!(
                    "there is no {:?} in the import directory; ListImportFiles tells what there is",
                    excerpt(&file.path)
                ),
            }
            .into(),
            Refused::Directory(error) => no_import_directory(&error),
        })
    }

    /// Makes an image of files in the import directory. `progress` is told how many bytes of how many
    /// are there; `cancel` ends it, and nothing is left.
    pub async fn import(
        &self,
        id: ImageId,
        request: &ImportImageRequest,
        caller: &str,
        progress: impl Fn(u64, u64) + Send + Sync + 'static,
        cancel: &CancellationToken,
    ) -> Result<Stored, Error> {
        self.check_import(request).await?;
        let mut sources = Vec::new();
        for file in &request.files {
            let (source, size) = self.open_import(file).await?;
            sources.push((file.clone(), source, size));
        }
        let total: u64 = sources.iter().map(|(_, _, size)| size).sum();
        let (progress, mut done) = (Arc::new(progress), 0);
        let mut arrived = Arrived::default();
        for (file, source, size) in sources {
            let path = self.incoming(&format!("import-{}", Uuid::new_v4()));
            arrived.paths.push(path.clone());
            let (kind, directory) = (request.kind, self.0.directory.clone());
            let (cancel, progress) = (cancel.clone(), Arc::clone(&progress));
            let expected = file.sha256.clone();
            let taken = tokio::task::spawn_blocking(move || {
                let each = &mut |more: usize| {
                    done += more as u64;
                    progress(done, total.max(done));
                    if cancel.is_cancelled() {
                        return Err(io::ErrorKind::Interrupted.into());
                    }
                    enough_room(&directory)
                };
                let written = take(source, &path, each)?;
                let checked = written.check(size, kind, file.role, expected.as_deref());
                checked.map(|checked| (checked, done))
            });
            let taken = taken
                .await
                .unwrap_or_else(|error| Err(io::Error::other(error)));
            let (checked, so_far) = taken.map_err(|error| self.not_taken(&error))?;
            done = so_far;
            arrived.files.push(checked?);
        }
        let image = Stored {
            id,
            kind: request.kind,
            description: request.description.clone(),
            files: arrived.files.clone(),
            created_at: Timestamp::now(),
            created_by: caller.to_owned(),
        };
        let _turn = self.0.placing.lock().await;
        for (path, file) in arrived.paths.iter().zip(&image.files) {
            self.place(path, &file.sha256).await?;
        }
        let named = self.store().put_image(&image, None).await;
        let named = named.map_err(|error| errors::from_store(&error));
        match named {
            Ok(Naming::Done) => Ok(image),
            other => {
                self.sweep_locked().await.map_err(not_read)?;
                Err(other.err().unwrap_or_else(|| taken(&image.description)))
            }
        }
    }

    /// Describes an image anew.
    pub async fn describe(
        &self,
        id: ImageId,
        description: &ImageDescription,
    ) -> Result<Stored, Error> {
        let image = self.get(id).await?;
        check_description(image.kind, description)?;
        let stored = self.store().describe_image(id, description).await;
        match stored.map_err(|error| errors::from_store(&error))? {
            Naming::Done => self.get(id).await,
            Naming::Taken => Err(taken(description)),
            Naming::Gone => Err(no_image(id)),
        }
    }

    /// Takes an image out of the store, and deletes the files that no other one needs.
    pub async fn remove(&self, id: ImageId) -> Result<(), Error> {
        let _turn = self.0.placing.lock().await;
        let removed = self.store().remove_image(id).await;
        removed.map_err(|error| errors::from_store(&error))?;
        // What cannot be deleted now is after the next start.
        self.sweep_locked().await.map_err(not_read)
    }

    /// Whether a name is free, for an upload that has it or for nobody.
    async fn check_name(
        &self,
        of: &ImageDescription,
        apart_from: Option<UploadId>,
    ) -> Result<(), Error> {
        if self.store().has_image_of_name(of).await.map_err(not_read)? {
            return Err(taken(of));
        }
        let uploads = self.store().uploads().await.map_err(not_read)?;
        let mut others = uploads.iter().filter(|upload| {
            upload.image.is_none()
                && Some(upload.id) != apart_from
                && (&upload.description.name, &upload.description.version)
                    == (&of.name, &of.version)
        });
        match others.next() {
            None => Ok(()),
            Some(other) => Err(errors::conflict(format!(
                "{} is being uploaded already, by {}: go on with the upload {}, or cancel it",
                title(of),
                other.created_by,
                other.id
            ))),
        }
    }

    fn check_room(&self, needed: u64) -> Result<(), Error> {
        let free = free(&self.0.directory).map_err(|error| not_kept(&error))?;
        if needed.saturating_add(RESERVE) <= free {
            return Ok(());
        }
        Err(errors::conflict(format!(
            "the image needs {needed} bytes, and the disk of the image store has {free} left, of \
             which {RESERVE} are kept for the server itself: make room, delete images, or move the \
             store with the setting image_directory"
        )))
    }

    /// Gives a file that is complete its place.
    async fn place(&self, from: &Path, sha256: &str) -> Result<(), Error> {
        let (from, to) = (from.to_owned(), self.path(sha256));
        let placed = apart(move || {
            // Of one that is there already, this is the same, and was just read.
            std::fs::rename(&from, &to)?;
            // The name, too, survives a power failure.
            to.parent()
                .map_or(Ok(()), |parent| File::open(parent)?.sync_all())
        });
        placed.await.map_err(|error| not_kept(&error))
    }

    /// Deletes the files that nobody needs.
    async fn sweep(&self) -> Result<(), StoreError> {
        let _turn = self.0.placing.lock().await;
        self.sweep_locked().await
    }

    async fn sweep_locked(&self) -> Result<(), StoreError> {
        let needed = self.store().digests_in_use().await?;
        let directory = self.0.directory.join("files");
        let swept = apart(move || {
            for entry in std::fs::read_dir(directory)? {
                let entry = entry?;
                let name = entry.file_name();
                let ours = name.to_str().filter(|name| is_digest(name));
                if ours.is_some_and(|name| !needed.contains(name)) {
                    std::fs::remove_file(entry.path())?;
                }
            }
            Ok(())
        });
        if let Err(error) = swept.await {
            tracing::error!(%error, "files that no image needs could not be deleted");
        }
        Ok(())
    }

    /// Deletes uploads that nobody goes on with. Never ends; may be aborted at any time.
    pub async fn forget_the_abandoned(self) {
        let mut looks = tokio::time::interval(LOOK.min(self.0.expiry).max(SHORTEST_LOOK));
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            self.forget_uploads().await;
        }
    }

    /// What could not be taken, in the caller's words.
    fn not_taken(&self, error: &io::Error) -> Error {
        if is_no_room(error) {
            let free = free(&self.0.directory).unwrap_or_default();
            return errors::conflict(format!(
                "there is no more room for the image: the disk of the image store has {free} bytes \
                 left, of which {RESERVE} are kept for the server itself, and what came is deleted; \
                 make room, delete images, or move the store with the setting image_directory"
            ));
        }
        if error.kind() == io::ErrorKind::Interrupted {
            return errors::conflict("it was cancelled".to_owned());
        }
        not_kept(error)
    }
}

/// Files on their way into the store: what did not get its place goes with this.
#[derive(Default)]
struct Arrived {
    paths: Vec<PathBuf>,
    files: Vec<ImageFile>,
}

impl Drop for Arrived {
    fn drop(&mut self) {
        for path in &self.paths {
            // Those that have their place are no longer here.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A file that is written, with its digest.
struct Written {
    file: File,
    sha256: String,
    size: u64,
}

/// Copies a file, if it is not changed meanwhile.
fn take(
    mut source: File,
    path: &Path,
    each: &mut dyn FnMut(usize) -> io::Result<()>,
) -> io::Result<Written> {
    let state = |file: &File| {
        let of = file.metadata()?;
        Ok::<_, io::Error>((of.len(), of.mtime(), of.mtime_nsec()))
    };
    let before = state(&source)?;
    let mut writing = Writing::open(path, 0)?;
    files::copy(&mut source, &mut writing, each)?;
    let size = writing.position();
    let (file, sha256) = writing.finish()?;
    if state(&source)? != before || size != before.0 {
        return Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "the file was written to while it was imported: try again when it is complete",
        ));
    }
    Ok(Written { file, sha256, size })
}

impl Written {
    /// Whether it is what was announced.
    fn check(
        &self,
        announced: u64,
        kind: ImageKind,
        role: ImageFileRole,
        expected: Option<&str>,
    ) -> io::Result<Result<ImageFile, Error>> {
        let what = role.describe();
        let deleted = "What came of it is deleted";
        if self.size != announced {
            let message = format!(
                "the {what} has {} bytes, and {announced} were announced. {deleted}",
                self.size
            );
            return Ok(Err(Error::invalid("files/sizeBytes", message)));
        }
        if let Some(expected) = expected
            && !expected.eq_ignore_ascii_case(&self.sha256)
        {
            let message = format!(
                "the {what} has the SHA-256 {}, and {expected} was announced: it was damaged on the \
                 way, or is another file. {deleted}",
                self.sha256
            );
            return Ok(Err(Error::invalid("files/sha256", message)));
        }
        Ok(match formats::check(&self.file, self.size, kind, role)? {
            Err(why) => Err(Error::invalid(
                "files",
                format!("the {what} cannot be used: {why}. {deleted}"),
            )),
            Ok(virtual_size_bytes) => Ok(ImageFile {
                role,
                size_bytes: self.size,
                virtual_size_bytes,
                sha256: self.sha256.clone(),
            }),
        })
    }
}

/// Checks that there is one file for each role of a kind.
fn check_roles(kind: ImageKind, given: impl Iterator<Item = ImageFileRole>) -> Result<(), Error> {
    let mut given: Vec<_> = given.collect();
    given.sort_unstable();
    let mut wanted = kind.roles().to_vec();
    wanted.sort_unstable();
    if given == wanted {
        return Ok(());
    }
    let names = |roles: &[ImageFileRole]| {
        let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
        names.join(" and ")
    };
    Err(Error::invalid(
        "files",
        format!(
            "an image of the kind {} has the files {}, each once; {} {} given",
            kind.as_str(),
            names(&wanted),
            if given.is_empty() {
                "none".to_owned()
            } else {
                excerpt(&names(&given))
            },
            if given.len() > 1 { "were" } else { "was" },
        ),
    ))
}

/// Checks that a digest is one.
fn check_digest(digest: Option<&str>) -> Result<(), Error> {
    match digest {
        Some(text) if !is_digest(text) => Err(Error::invalid(
            "files/sha256",
            format!(
                "{:?} is no SHA-256: 64 hexadecimal digits were expected, as `sha256sum FILE` tells \
                 them",
                excerpt(text)
            ),
        )),
        _ => Ok(()),
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a file has a name that is given here: whatever else is in the directory is somebody's, and
/// is left alone.
fn is_incoming(name: &str) -> bool {
    let id = name.strip_prefix("import-");
    let id = id.or_else(|| Some(name.split_once('.')?.0));
    id.is_some_and(|id| Uuid::try_parse(id).is_ok())
}

/// The name of an upload's file while it is not complete.
fn partial(upload: UploadId, role: ImageFileRole) -> String {
    format!("{upload}.{}", role.as_str())
}

/// Refuses to go on while little is left of the disk.
fn enough_room(directory: &Path) -> io::Result<()> {
    if free(directory)? < RESERVE {
        return Err(io::ErrorKind::StorageFull.into());
    }
    Ok(())
}

/// Bytes that are free where a directory is.
fn free(directory: &Path) -> io::Result<u64> {
    let of = statvfs(directory)?;
    Ok(of.f_bavail.saturating_mul(of.f_frsize))
}

/// The beginning of a text that somebody sent.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn lock(directory: &Path) -> Result<File, StartError> {
    let failed = |source| StartError::ImageDirectory {
        path: directory.to_owned(),
        source,
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(directory.join("images.lock"))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse {
            path: directory.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Works with files on a thread that may wait for them.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error)))
}

pub(crate) fn no_image(id: ImageId) -> Error {
    NotFound {
        kind: "image".to_owned(),
        id: id.to_string(),
        message: format!("there is no image {id}; ListImages tells which there are"),
    }
    .into()
}

fn no_upload(id: UploadId) -> Error {
    NotFound {
        kind: "upload".to_owned(),
        id: id.to_string(),
        message: format!(
            "there is no upload {id}: it was cancelled, or nothing came for too long; begin another"
        ),
    }
    .into()
}

fn taken(of: &ImageDescription) -> Error {
    errors::conflict(format!(
        "there is an image {} already: choose another version, or delete that one first",
        title(of)
    ))
}

fn no_import_directory(error: &io::Error) -> Error {
    errors::internal(
        "the import directory cannot be read: look at the server's setting import_directory",
        error,
    )
}

fn not_kept(error: &io::Error) -> Error {
    if error.kind() == io::ErrorKind::ResourceBusy {
        return errors::conflict(error.to_string());
    }
    errors::internal("the image store cannot be used", error)
}

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
fn not_read(error: StoreError) -> Error {
    errors::internal("the index of images cannot be read", &error)
}
