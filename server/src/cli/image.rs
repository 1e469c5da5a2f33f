//! `vms image …`: what routers are made from, brought into the store and to hosts.
//!
//! An image is named by its id, by `NAME:VERSION`, or by its name alone where it has one version. An
//! upload that was cut off goes on by itself, and after a while by the same command said again.

use super::{
    ImageCommand, ImageFacts,
    commands::{CommandError, Confirm, write},
    jobs,
    table::{ABSENT, Table, bytes, facts, or_absent},
    time::clock,
};
use api::{
    BeginImageUploadRequest, Caller, Conflict, DeleteImageRequest, DescribeImageRequest,
    DistributeImageRequest, Error, EvictImageRequest, GetImageRequest, GetImageUploadRequest,
    Image, ImageDescription, ImageFileRole, ImageId, ImageKind, ImageUpload, ImportImageRequest,
    ImportedFile, Job, ListImagesReply, ListImagesRequest, ListImportFilesReply,
    ListImportFilesRequest, NotFound, Operations, UploadId, UploadPart, UploadedFile,
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use std::{
    fmt::Write as _,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

/// As much of a file is read at once.
const PIECE: usize = 256 << 10;
/// How often it is told how far an upload is.
const PULSE: Duration = Duration::from_millis(250);
/// How often an upload that gets nowhere is gone on with, and how long is waited in between.
const TRIES: u32 = 8;
const PAUSE: Duration = Duration::from_secs(1);
/// How wide the bar is.
const BAR: usize = 30;

/// Carries out one of the commands.
pub(super) async fn execute(
    command: ImageCommand,
    json: bool,
    operations: &dyn Operations,
    caller: &Caller,
    (out, terminal): (&mut (dyn Write + Send), bool),
    confirm: Confirm<'_>,
) -> Result<(), CommandError> {
    match command {
        ImageCommand::List { name } => {
            let request = ListImagesRequest { name };
            let reply = operations.list_images(caller, request).await?;
            write(out, json, &reply, images)
        }
        ImageCommand::Show { image } => {
            let image = find(operations, caller, &image).await?.id;
            let reply = operations
                .get_image(caller, GetImageRequest { image })
                .await?;
            write(out, json, &reply, |reply| shown(&reply.image))
        }
        ImageCommand::Files => {
            let request = ListImportFilesRequest {};
            let reply = operations.list_import_files(caller, request).await?;
            write(out, json, &reply, import_files)
        }
        ImageCommand::Import {
            path,
            initial_file_system,
            kind,
            facts,
            sha256,
            request_id,
            no_wait,
        } => {
            let kind = kind_of(kind, &path)?;
            let paths = roles(kind, path, initial_file_system)?;
            let mut digests = sha256.into_iter();
            let request = ImportImageRequest {
                kind,
                description: facts.describe(),
                files: (paths.into_iter())
                    .map(|(role, path)| ImportedFile {
                        role,
                        path,
                        sha256: digests.next(),
                    })
                    .collect(),
                request_id,
            };
            let reply = operations.import_image(caller, request).await?;
            if no_wait {
                return write(out, json, &reply, |reply| jobs::begun(&reply.job));
            }
            follow(vec![reply.job], json, operations, caller, out, terminal).await
        }
        ImageCommand::Upload {
            file,
            initial_file_system,
            kind,
            facts,
        } => {
            let text = file.to_string_lossy().into_owned();
            let kind = kind_of(kind, &text)?;
            let files = roles(kind, file, initial_file_system)?;
            let mut sending = Sending {
                operations,
                caller,
                out,
                is_told: terminal && !json,
            };
            let image = sending.upload(kind, facts.describe(), files).await?;
            let reply = operations
                .get_image(caller, GetImageRequest { image })
                .await?;
            write(out, json, &reply, |reply| {
                format!(
                    "{} is in the store.\n\n{}",
                    reply.image.title(),
                    shown(&reply.image)
                )
            })
        }
        ImageCommand::Describe { image, change } => {
            let found = find(operations, caller, &image).await?;
            let request = DescribeImageRequest {
                image: found.id,
                description: change.apply(found.description),
                request_id: None,
            };
            let reply = operations.describe_image(caller, request).await?;
            write(out, json, &reply, |reply| shown(&reply.image))
        }
        ImageCommand::Distribute {
            image,
            hosts,
            create_pool,
            request_id,
            no_wait,
        } => {
            let request = DistributeImageRequest {
                image: find(operations, caller, &image).await?.id,
                hosts,
                create_pool: create_pool.then_some(true),
                request_id,
            };
            let reply = operations.distribute_image(caller, request).await?;
            if no_wait {
                return write(out, json, &reply, |reply| {
                    reply.jobs.iter().map(jobs::begun).collect()
                });
            }
            follow(reply.jobs, json, operations, caller, out, terminal).await
        }
        ImageCommand::Evict {
            image,
            host,
            no_wait,
        } => {
            let request = EvictImageRequest {
                image: find(operations, caller, &image).await?.id,
                host,
                request_id: None,
            };
            let reply = operations.evict_image(caller, request).await?;
            if no_wait {
                return write(out, json, &reply, |reply| jobs::begun(&reply.job));
            }
            follow(vec![reply.job], json, operations, caller, out, terminal).await
        }
        ImageCommand::Delete {
            image,
            yes,
            no_wait,
        } => {
            let found = find(operations, caller, &image).await?;
            if !yes {
                let question = format!(
                    "Delete {} from the store and from {} hosts?",
                    found.title(),
                    found.copies.len()
                );
                match confirm(&question)? {
                    Some(true) => {}
                    Some(false) => return Err(CommandError::Declined),
                    None => return Err(CommandError::Unconfirmed),
                }
            }
            let request = DeleteImageRequest {
                image: found.id,
                request_id: None,
            };
            let reply = operations.delete_image(caller, request).await?;
            if no_wait {
                return write(out, json, &reply, |reply| jobs::begun(&reply.job));
            }
            follow(vec![reply.job], json, operations, caller, out, terminal).await
        }
    }
}

/// Follows jobs, one after the other; all of them, even if one fails.
async fn follow(
    jobs: Vec<Job>,
    json: bool,
    operations: &dyn Operations,
    caller: &Caller,
    out: &mut (dyn Write + Send),
    terminal: bool,
) -> Result<(), CommandError> {
    let mut failed = None;
    for job in jobs {
        if !json {
            out.write_all(jobs::begun(&job).as_bytes())?;
            out.flush()?;
        }
        match jobs::follow(job, json, operations, caller, &mut *out, terminal).await {
            Err(error @ CommandError::JobFailed(_)) => failed = Some(error),
            done => done?,
        }
    }
    failed.map_or(Ok(()), Err)
}

/// The image with this id, with this name and version, or the only one with this name.
async fn find(operations: &dyn Operations, caller: &Caller, wanted: &str) -> Result<Image, Error> {
    if let Ok(image) = wanted.parse::<ImageId>() {
        let reply = operations
            .get_image(caller, GetImageRequest { image })
            .await?;
        return Ok(reply.image);
    }
    let (name, version) = match wanted.split_once(':') {
        Some((name, version)) => (name, Some(version)),
        None => (wanted, None),
    };
    let request = ListImagesRequest {
        name: Some(name.to_owned()),
    };
    let mut images = operations.list_images(caller, request).await?.images;
    images.retain(|image| version.is_none_or(|version| image.description.version == version));
    match images.len() {
        1 => Ok(images.swap_remove(0)),
        0 => Err(NotFound {
            kind: "image".to_owned(),
            id: wanted.to_owned(),
            message: format!("No image is called {wanted:?}: `vms image list` names them."),
        }
        .into()),
        several => {
            let versions = images
                .iter()
                .map(|image| image.description.version.as_str());
            let versions: Vec<_> = versions.collect();
            Err(Conflict {
                message: format!(
                    "{several} images are called {wanted:?}: name one as {name}:VERSION, of the \
                     versions {}.",
                    versions.join(", ")
                ),
            }
            .into())
        }
    }
}

/// What a file is, if nobody says: by its name.
fn kind_of(said: Option<ImageKind>, path: &str) -> Result<ImageKind, Error> {
    if let Some(kind) = said {
        return Ok(kind);
    }
    let ending = Path::new(path)
        .extension()
        .and_then(|ending| ending.to_str());
    match ending.unwrap_or_default() {
        "qcow2" => Ok(ImageKind::Qcow2),
        "raw" | "img" => Ok(ImageKind::Raw),
        _ => Err(Error::invalid(
            "--kind",
            format!(
                "{path:?} does not tell by its name what it is: qcow2, raw, kernel or rootFileSystem \
                 was expected"
            ),
        )),
    }
}

/// The files of an image, by what they are for.
fn roles<P>(
    kind: ImageKind,
    file: P,
    initial_file_system: Option<P>,
) -> Result<Vec<(ImageFileRole, P)>, Error> {
    match (kind, initial_file_system) {
        (ImageKind::Kernel, Some(second)) => Ok(vec![
            (ImageFileRole::Kernel, file),
            (ImageFileRole::InitialFileSystem, second),
        ]),
        (ImageKind::Kernel, None) => Err(Error::invalid(
            "--initial-file-system",
            "a kernel is booted with its initial file system: name that file, too",
        )),
        (_, Some(_)) => Err(Error::invalid(
            "--initial-file-system",
            "only a kernel has one: leave it out, or say --kind kernel",
        )),
        (_, None) => Ok(vec![(ImageFileRole::Disk, file)]),
    }
}

impl ImageFacts {
    fn describe(self) -> ImageDescription {
        let of = ImageDescription {
            name: self.name,
            version: self.version,
            architecture: self.architecture,
            ..ImageDescription::default()
        };
        self.more.apply(of)
    }
}

/// What sends files and tells how far it is.
struct Sending<'a> {
    operations: &'a dyn Operations,
    caller: &'a Caller,
    out: &'a mut (dyn Write + Send),
    /// Whether a line can be written again and again.
    is_told: bool,
}

impl Sending<'_> {
    async fn upload(
        &mut self,
        kind: ImageKind,
        description: ImageDescription,
        files: Vec<(ImageFileRole, PathBuf)>,
    ) -> Result<ImageId, CommandError> {
        let mut announced = Vec::new();
        for (role, path) in &files {
            let (size, digest) = self.digest(path).await?;
            announced.push(UploadedFile {
                role: *role,
                size_bytes: Some(size),
                sha256: Some(digest),
            });
        }
        let broken_off = self.broken_off(kind, &description, &announced).await?;
        let upload = if let Some(upload) = broken_off {
            upload
        } else {
            let request = BeginImageUploadRequest {
                kind,
                description,
                files: announced.clone(),
                request_id: None,
            };
            let begun = self
                .operations
                .begin_image_upload(self.caller, request)
                .await?;
            begun.upload
        };
        let mut image = upload.image;
        for ((role, path), file) in files.iter().zip(&announced) {
            let size = file.size_bytes.unwrap_or_default();
            image = self.send(upload.id, *role, path, size).await?;
        }
        image.ok_or_else(|| {
            let message = "the server has all files and no image of them: its log may say why";
            CommandError::Operation(
                Conflict {
                    message: message.to_owned(),
                }
                .into(),
            )
        })
    }

    /// An upload of the same that somebody broke off.
    async fn broken_off(
        &self,
        kind: ImageKind,
        description: &ImageDescription,
        files: &[UploadedFile],
    ) -> Result<Option<ImageUpload>, Error> {
        let request = ListImagesRequest::default();
        let uploads = self
            .operations
            .list_images(self.caller, request)
            .await?
            .uploads;
        let is_same = |upload: &ImageUpload| {
            upload.kind == kind
                && upload.description == *description
                && upload.files.len() == files.len()
                && files.iter().all(|file| {
                    let mut there = upload.files.iter();
                    there.any(|it| it.role == file.role && it.size_bytes == file.size_bytes)
                })
        };
        Ok(uploads.into_iter().find(is_same))
    }

    /// Size and digest of a file: what arrives is compared with it.
    async fn digest(&mut self, path: &Path) -> Result<(u64, String), CommandError> {
        let failed = |error: &io::Error| unreadable(path, error);
        let mut file = tokio::fs::File::open(path)
            .await
            .map_err(|it| failed(&it))?;
        let size = file.metadata().await.map_err(|it| failed(&it))?;
        if !size.is_file() {
            return Err(unreadable(path, &io::Error::other("it is no regular file")));
        }
        let (size, mut done, since) = (size.len(), 0, Instant::now());
        let mut told = since;
        let (mut hash, mut piece) = (Sha256::new(), vec![0; PIECE]);
        loop {
            let read = file.read(&mut piece).await.map_err(|it| failed(&it))?;
            if read == 0 {
                break;
            }
            hash.update(&piece[..read]);
            done += read as u64;
            if told.elapsed() > PULSE {
                told = Instant::now();
                self.tell("reading", done, size, 0, since)?;
            }
        }
        let digest = hash.finalize();
        let digest = digest.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        Ok((done, digest))
    }

    /// Sends a file, and goes on as often as it is cut off and something came.
    async fn send(
        &mut self,
        upload: UploadId,
        role: ImageFileRole,
        path: &Path,
        size: u64,
    ) -> Result<Option<ImageId>, CommandError> {
        let (mut tries, mut furthest) = (0, 0);
        loop {
            let request = GetImageUploadRequest { upload };
            let progress = self.operations.get_image_upload(self.caller, request).await;
            let error = match progress {
                Ok(reply) => {
                    let mut files = reply.upload.files.iter();
                    let file = files.find(|file| file.role == role);
                    let received = file.map_or(0, |file| file.received_bytes);
                    if file.is_some_and(|file| file.complete) {
                        self.end_line()?;
                        return Ok(reply.upload.image);
                    }
                    if received > furthest {
                        (furthest, tries) = (received, 0);
                    }
                    match self
                        .send_from(upload, role, path, received.min(size), size)
                        .await
                    {
                        Ok(reply) => {
                            self.end_line()?;
                            return Ok(reply.image);
                        }
                        Err(error) => error,
                    }
                }
                Err(error) => error.into(),
            };
            tries += 1;
            let may_pass = matches!(
                &error,
                CommandError::Operation(Error::Internal(_) | Error::Conflict(_))
            );
            if tries >= TRIES || !may_pass {
                self.end_line()?;
                return Err(error);
            }
            tokio::time::sleep(PAUSE * tries).await;
        }
    }

    async fn send_from(
        &mut self,
        upload: UploadId,
        role: ImageFileRole,
        path: &Path,
        offset: u64,
        size: u64,
    ) -> Result<ImageUpload, CommandError> {
        let failed = |error: &io::Error| unreadable(path, error);
        let mut file = tokio::fs::File::open(path)
            .await
            .map_err(|it| failed(&it))?;
        let at = io::SeekFrom::Start(offset);
        file.seek(at).await.map_err(|it| failed(&it))?;
        let sent = Arc::new(AtomicU64::new(offset));
        let counted = Arc::clone(&sent);
        let pieces = stream::unfold(Some(file), move |file| {
            let counted = Arc::clone(&counted);
            async move {
                let mut file = file?;
                let mut piece = vec![0; PIECE];
                match file.read(&mut piece).await {
                    Ok(0) => None,
                    Ok(read) => {
                        counted.fetch_add(read as u64, Ordering::Relaxed);
                        piece.truncate(read);
                        Some((Ok(Bytes::from(piece)), Some(file)))
                    }
                    Err(error) => Some((Err(error.to_string()), None)),
                }
            }
        });
        let part = UploadPart {
            upload,
            role,
            offset,
            size_bytes: Some(size),
            last: true,
            bytes: pieces.boxed(),
        };
        let since = Instant::now();
        let operations = self.operations;
        let mut sending = operations.upload_image_part(self.caller, part);
        let mut pulse = tokio::time::interval(PULSE);
        loop {
            tokio::select! {
                done = &mut sending => return Ok(done?.upload),
                _ = pulse.tick() => {
                    let done = sent.load(Ordering::Relaxed);
                    self.tell(role.describe(), done, size, offset, since)?;
                }
            }
        }
    }

    /// Writes the line again.
    fn tell(
        &mut self,
        what: &str,
        done: u64,
        size: u64,
        begun_at: u64,
        since: Instant,
    ) -> io::Result<()> {
        if !self.is_told {
            return Ok(());
        }
        let line = progress(what, done, size, begun_at, since.elapsed());
        write!(self.out, "\r\x1b[K{line}")?;
        self.out.flush()
    }

    fn end_line(&mut self) -> io::Result<()> {
        if !self.is_told {
            return Ok(());
        }
        write!(self.out, "\r\x1b[K")?;
        self.out.flush()
    }
}

fn unreadable(path: &Path, error: &io::Error) -> CommandError {
    let message = format!("{} cannot be read: {error}.", path.display());
    CommandError::Operation(Conflict { message }.into())
}

/// How far something is, in a line.
fn progress(what: &str, done: u64, size: u64, begun_at: u64, took: Duration) -> String {
    let share = if size == 0 {
        1.0
    } else {
        done as f64 / size as f64
    };
    let full = (share.min(1.0) * BAR as f64) as usize;
    let mut line = format!(
        "{what} [{}{}] {:>3}% {} of {}",
        "#".repeat(full),
        " ".repeat(BAR - full),
        (share.min(1.0) * 100.0) as u32,
        bytes(done),
        bytes(size)
    );
    let seconds = took.as_secs_f64();
    let rate = done.saturating_sub(begun_at) as f64 / seconds.max(0.001);
    if seconds > 1.0 && rate > 1.0 {
        let left = size.saturating_sub(done) as f64 / rate;
        let _ = write!(line, ", {}/s, {left:.0} s left", bytes(rate as u64));
    }
    line
}

fn images(reply: &ListImagesReply) -> String {
    let mut text = String::new();
    if reply.images.is_empty() {
        text.push_str("There is no image yet: `vms image upload FILE` brings one.\n");
    } else {
        let mut table = Table::new(&["image", "kind", "architecture", "size", "hosts", "routers"]);
        for image in &reply.images {
            table.row([
                format!("{}:{}", image.description.name, image.description.version),
                image.kind.as_str().to_owned(),
                image.description.architecture.clone(),
                bytes(image.size_bytes()),
                image.copies.len().to_string(),
                image.routers.to_string(),
            ]);
        }
        let _ = write!(text, "{table}");
    }
    for upload in &reply.uploads {
        let received: u64 = upload.files.iter().map(|file| file.received_bytes).sum();
        let _ = writeln!(
            text,
            "Upload {} of {}:{} by {}: {} came, and it is given up at {}.",
            upload.id,
            upload.description.name,
            upload.description.version,
            upload.created_by,
            bytes(received),
            clock(upload.expires_at)
        );
    }
    let _ = writeln!(
        text,
        "\nThe store takes {}, and {} are free.",
        bytes(reply.stored_bytes),
        bytes(reply.available_bytes)
    );
    text
}

fn import_files(reply: &ListImportFilesReply) -> String {
    if !reply.configured {
        return "The server imports no files: its setting import_directory names no directory.\n"
            .to_owned();
    }
    if reply.files.is_empty() {
        return "The import directory is empty.\n".to_owned();
    }
    let mut table = Table::new(&["file", "size", "format"]);
    for file in &reply.files {
        table.row([
            file.path.clone(),
            bytes(file.size_bytes),
            file.format.clone(),
        ]);
    }
    table.to_string()
}

fn shown(image: &Image) -> String {
    let of = &image.description;
    let drivers: Vec<_> = of.drivers.iter().map(|driver| driver.as_str()).collect();
    let yes = |it: Option<bool>| or_absent(it.map(|it| if it { "yes" } else { "no" }));
    let mut text = facts(&[
        ("image", format!("{}:{}", of.name, of.version)),
        ("id", image.id.to_string()),
        ("kind", image.kind.describe().to_owned()),
        ("description", or_absent(of.description.clone())),
        ("architecture", of.architecture.clone()),
        (
            "drivers",
            if drivers.is_empty() {
                ABSENT.to_owned()
            } else {
                drivers.join(", ")
            },
        ),
        ("processors", or_absent(of.vcpus)),
        ("memory", or_absent(of.memory_bytes.map(bytes))),
        ("interfaces", or_absent(of.interfaces)),
        ("kernel arguments", or_absent(of.kernel_arguments.clone())),
        ("init", or_absent(of.init.clone())),
        ("cloud-init", yes(of.cloud_init)),
        ("guest agent", yes(of.guest_agent)),
        ("ready text", or_absent(of.ready_text.clone())),
        ("since", clock(image.created_at)),
        ("by", image.created_by.clone()),
        ("routers", image.routers.to_string()),
    ]);
    text.push('\n');
    let mut files = Table::new(&["file", "size", "disk", "SHA-256"]);
    for file in &image.files {
        files.row([
            file.role.describe().to_owned(),
            bytes(file.size_bytes),
            or_absent(file.virtual_size_bytes.map(bytes)),
            file.sha256.clone(),
        ]);
    }
    let _ = write!(text, "{files}");
    if !image.copies.is_empty() {
        let mut copies = Table::new(&["host", "since", "routers"]);
        for copy in &image.copies {
            copies.row([
                copy.host.to_string(),
                clock(copy.since),
                copy.routers.to_string(),
            ]);
        }
        let _ = write!(text, "\n{copies}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is_how_fast_and_how_long_it_takes() {
        let line = progress(
            "disk",
            50 << 20,
            100 << 20,
            10 << 20,
            Duration::from_secs(4),
        );
        let bar = format!("[{}{}]", "#".repeat(15), " ".repeat(15));
        assert_eq!(
            line,
            format!("disk {bar}  50% 50 MiB of 100 MiB, 10 MiB/s, 5 s left")
        );
        assert!(progress("disk", 0, 0, 0, Duration::ZERO).contains("100%"));
    }

    #[test]
    fn a_file_is_what_is_said_or_what_its_name_says() {
        assert_eq!(kind_of(None, "a/debian.qcow2").unwrap(), ImageKind::Qcow2);
        assert_eq!(kind_of(None, "a.img").unwrap(), ImageKind::Raw);
        let kind = Some(ImageKind::RootFileSystem);
        assert_eq!(kind_of(kind, "a.img").unwrap(), ImageKind::RootFileSystem);
        let error = kind_of(None, "vmlinuz").unwrap_err().to_string();
        assert!(error.starts_with("--kind: "), "{error}");
        assert!(roles(ImageKind::Kernel, "k", None).is_err());
        assert!(roles(ImageKind::Raw, "d", Some("i")).is_err());
        assert_eq!(roles(ImageKind::Kernel, "k", Some("i")).unwrap().len(), 2);
    }
}
