//! Images: what routers are made from, kept by the server and shipped to hosts.
//!
//! An image is one or two files ([`ImageFile`]) with what is to be known to start a router from
//! them. Files are stored once by their digest, and reach the server in one of three ways: from its
//! import directory ([`crate::Operations::import_image`]), in an upload that can be resumed
//! ([`crate::Operations::begin_image_upload`], then its bytes by HTTP `PUT`), or in one SOAP message
//! with attachments (MTOM).

use crate::{Driver, HostId, Job, Timestamp, ids::IdError};
use bytes::Bytes;
use futures_core::stream::BoxStream;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $list:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "soap", derive(soap::Message))]
        #[cfg_attr(feature = "soap", soap(value))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| {
                    IdError::new(format!(
                        "{text:?} is not {}: a UUID was expected; {} tells which there are",
                        $what, $list
                    ))
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
pub(crate) use uuid_id;

uuid_id! {
    /// The id of an image.
    ImageId, "an image's id", "ListImages"
}
uuid_id! {
    /// The id of an upload that is under way.
    UploadId, "an upload's id", "BeginImageUpload"
}

/// What an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum ImageKind {
    /// A disk in QEMU's format, `qcow2`.
    Qcow2,
    /// A disk, byte by byte.
    Raw,
    /// A Linux kernel that is booted directly, with an initial file system.
    Kernel,
    /// A root file system for containers: a raw file that holds one, ext4 for example.
    RootFileSystem,
}

impl ImageKind {
    /// All of them, in the order in which a page offers them.
    pub const ALL: [Self; 4] = [Self::Qcow2, Self::Raw, Self::Kernel, Self::RootFileSystem];

    /// The name, as in a request or a command.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2",
            Self::Raw => "raw",
            Self::Kernel => "kernel",
            Self::RootFileSystem => "rootFileSystem",
        }
    }

    /// The words for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2 disk",
            Self::Raw => "raw disk",
            Self::Kernel => "kernel with initial file system",
            Self::RootFileSystem => "root file system for containers",
        }
    }

    /// The files that it consists of.
    pub fn roles(self) -> &'static [ImageFileRole] {
        match self {
            Self::Qcow2 | Self::Raw | Self::RootFileSystem => &[ImageFileRole::Disk],
            Self::Kernel => &[ImageFileRole::Kernel, ImageFileRole::InitialFileSystem],
        }
    }
}

impl FromStr for ImageKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.as_str() == text).ok_or_else(|| {
            format!(
                "{text:?} is no kind of image: qcow2, raw, kernel or rootFileSystem was expected"
            )
        })
    }
}

/// What a file of an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum ImageFileRole {
    /// The disk, or the root file system.
    Disk,
    /// The kernel.
    Kernel,
    /// The kernel's initial file system.
    InitialFileSystem,
}

impl ImageFileRole {
    /// The name, as in a request, a command, or the path of an upload.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Kernel => "kernel",
            Self::InitialFileSystem => "initialFileSystem",
        }
    }

    /// The words for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Kernel => "kernel",
            Self::InitialFileSystem => "initial file system",
        }
    }
}

impl FromStr for ImageFileRole {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = [Self::Disk, Self::Kernel, Self::InitialFileSystem].into_iter();
        all.find(|role| role.as_str() == text).ok_or_else(|| {
            format!(
                "{text:?} is no file of an image: disk, kernel or initialFileSystem was expected"
            )
        })
    }
}

/// A file of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ImageFile {
    /// What it is for.
    pub role: ImageFileRole,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// The size of the disk that a router sees, in bytes; absent of a kernel.
    pub virtual_size_bytes: Option<u64>,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// What is to be known of an image to start a router from it, and may be changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase", default)]
pub struct ImageDescription {
    /// Its name: 1 to 64 letters, digits, `.`, `_`, `-` and `+`, the first a letter or a digit.
    pub name: String,
    /// Its version, as its name; name and version together are unique.
    pub version: String,
    /// What it is, in a few lines for people.
    pub description: Option<String>,
    /// Its processor architecture as libvirt names it, for example `x86_64`.
    pub architecture: String,
    /// The libvirt drivers that it suits; those that its kind suits if empty.
    pub drivers: Vec<Driver>,
    /// Virtual processors of a router, if a request does not say; 1 if absent.
    pub vcpus: Option<u32>,
    /// Memory of a router in bytes, if a request does not say; 128 MiB if absent.
    pub memory_bytes: Option<u64>,
    /// How many interfaces the page proposes; 0 if absent.
    pub interfaces: Option<u32>,
    /// Arguments of the kernel, for example `console=ttyS0`; only of a kernel.
    pub kernel_arguments: Option<String>,
    /// The first program of a container; `/sbin/init` if absent; only of a root file system.
    pub init: Option<String>,
    /// Whether it reads a cloud-init `NoCloud` seed.
    pub cloud_init: Option<bool>,
    /// Whether QEMU's guest agent runs in it: then a router is ready once that answers.
    pub guest_agent: Option<bool>,
    /// What a router writes to its serial console once it is ready, for example `login:`.
    pub ready_text: Option<String>,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// What it is.
    pub kind: ImageKind,
    /// What is to be known of it.
    pub description: ImageDescription,
    /// Its files.
    pub files: Vec<ImageFile>,
    /// When it came into the store.
    pub created_at: Timestamp,
    /// Who brought it.
    pub created_by: String,
    /// The hosts that have a copy of it, as far as VMS put it there.
    pub copies: Vec<ImageCopy>,
    /// The routers that were made from it and are still there, on hosts that are known.
    pub routers: u32,
}

impl Image {
    /// Name and version, for people: `debian 12`.
    pub fn title(&self) -> String {
        format!("{} {}", self.description.name, self.description.version)
    }

    /// The size of all its files, bytes.
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }
}

/// A copy of an image on a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ImageCopy {
    /// The host.
    pub host: HostId,
    /// When it was there, complete and verified.
    pub since: Timestamp,
    /// How many routers on that host are made on it.
    pub routers: u32,
}

/// Asks for all images.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase", default)]
pub struct ListImagesRequest {
    /// Only those of this name.
    pub name: Option<String>,
}

/// The images, by name and version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ListImagesReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The images.
    pub images: Vec<Image>,
    /// Bytes that the store's files take.
    pub stored_bytes: u64,
    /// Bytes that are free where the store is.
    pub available_bytes: u64,
    /// Uploads that are under way, or were broken off and can be resumed.
    pub uploads: Vec<ImageUpload>,
}

/// Asks for one image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct GetImageRequest {
    /// The image.
    pub image: ImageId,
}

/// One image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct GetImageReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The image.
    pub image: Image,
}

/// Asks for the files in the import directory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase", default)]
pub struct ListImportFilesRequest {}

/// The files in the import directory, by path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ListImportFilesReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// Whether there is an import directory: the setting `import_directory`.
    pub configured: bool,
    /// The files; links are not followed and not listed.
    pub files: Vec<ImportFile>,
}

/// A file in the import directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ImportFile {
    /// Its path below the import directory, with `/`.
    pub path: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// What its first bytes look like: `qcow2`, `raw`, or the name of a format that is refused.
    pub format: String,
}

/// Asks to make an image of files in the import directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ImportImageRequest {
    /// What it is.
    pub kind: ImageKind,
    /// What is to be known of it.
    pub description: ImageDescription,
    /// A file for each role of its kind.
    pub files: Vec<ImportedFile>,
    /// An id of the caller's choice: the same id from the same caller returns the first job
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// A file to import.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ImportedFile {
    /// What it is for.
    pub role: ImageFileRole,
    /// Its path below the import directory, with `/`.
    pub path: String,
    /// The SHA-256 that it must have, in hexadecimal; not compared if absent.
    pub sha256: Option<String>,
}

/// The image is being imported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ImportImageReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The job that imports it; its result names the image.
    pub job: Job,
}

/// Asks to begin an upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct BeginImageUploadRequest {
    /// What the image is.
    pub kind: ImageKind,
    /// What is to be known of it.
    pub description: ImageDescription,
    /// A file for each role of its kind.
    pub files: Vec<UploadedFile>,
    /// An id of the caller's choice: the same id from the same caller returns the first upload
    /// instead of beginning another.
    pub request_id: Option<String>,
}

/// A file to upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct UploadedFile {
    /// What it is for.
    pub role: ImageFileRole,
    /// Its size in bytes, if it is known: what does not fit is refused before it is sent.
    pub size_bytes: Option<u64>,
    /// The SHA-256 that it must have, in hexadecimal; not compared if absent.
    pub sha256: Option<String>,
}

/// An upload that is under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ImageUpload {
    /// Its id.
    pub id: UploadId,
    /// What the image is.
    pub kind: ImageKind,
    /// What is to be known of it.
    pub description: ImageDescription,
    /// How much of each file is there.
    pub files: Vec<UploadProgress>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// Who began it.
    pub created_by: String,
    /// When it is given up unless something comes before that.
    pub expires_at: Timestamp,
    /// The image, once all of it is there.
    pub image: Option<ImageId>,
}

/// How much of a file is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct UploadProgress {
    /// What the file is for.
    pub role: ImageFileRole,
    /// Where its bytes are to be `PUT`, on this server: `/images/uploads/{upload}/{role}`.
    pub path: String,
    /// Bytes that are there: where to go on.
    pub received_bytes: u64,
    /// Its size in bytes, where it is known.
    pub size_bytes: Option<u64>,
    /// Whether all of it is there.
    pub complete: bool,
}

/// The upload has begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct BeginImageUploadReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The upload.
    pub upload: ImageUpload,
}

/// Asks how far an upload is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct GetImageUploadRequest {
    /// The upload.
    pub upload: UploadId,
}

/// How far an upload is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct GetImageUploadReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The upload.
    pub upload: ImageUpload,
}

/// Asks to give an upload up: what came of it is deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CancelImageUploadRequest {
    /// The upload.
    pub upload: UploadId,
}

/// The upload is given up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CancelImageUploadReply {
    /// When it was done.
    pub as_of: Timestamp,
}

/// Bytes of a file, as they come: an error of the caller's connection ends them.
pub type ByteStream = BoxStream<'static, Result<Bytes, String>>;

/// A part of a file that is uploaded. It is no SOAP message: it comes by HTTP `PUT`, or as an
/// attachment.
pub struct UploadPart {
    /// The upload.
    pub upload: UploadId,
    /// The file.
    pub role: ImageFileRole,
    /// Where the part begins, in bytes: what is there already, or less.
    pub offset: u64,
    /// The size of the whole file in bytes, where the caller says it.
    pub size_bytes: Option<u64>,
    /// Whether the file ends with this part, where its size is not known.
    pub last: bool,
    /// The bytes.
    pub bytes: ByteStream,
}

impl fmt::Debug for UploadPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadPart")
            .field("upload", &self.upload)
            .field("role", &self.role)
            .field("offset", &self.offset)
            .field("size_bytes", &self.size_bytes)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

/// Asks to change what is to be known of an image; its files stay. Routers that were made from it
/// stay as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DescribeImageRequest {
    /// The image.
    pub image: ImageId,
    /// All that is to be known of it from now on.
    pub description: ImageDescription,
    /// An id of the caller's choice: the same id from the same caller returns the first result
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The image is described anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DescribeImageReply {
    /// When it was done.
    pub as_of: Timestamp,
    /// The image as it is now.
    pub image: Image,
}

/// Asks to delete an image from the store, and its copies from all hosts. One that a router is made
/// from is a [`crate::Conflict`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DeleteImageRequest {
    /// The image.
    pub image: ImageId,
    /// An id of the caller's choice: the same id from the same caller returns the first job
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The image is being deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DeleteImageReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The job that deletes it. A host that is away keeps its copy until it can be asked.
    pub job: Job,
}

/// Asks to bring an image to hosts, all at once. A host that has it already is done at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DistributeImageRequest {
    /// The image.
    pub image: ImageId,
    /// The hosts: one at least.
    pub hosts: Vec<HostId>,
    /// Whether the storage pool `vms` is made on a host that has none; refused there otherwise.
    pub create_pool: Option<bool>,
    /// An id of the caller's choice: the same id from the same caller returns the first jobs
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The image is on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DistributeImageReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// A job for each host, in the order of the request.
    pub jobs: Vec<Job>,
}

/// Asks to delete the copy of an image on a host; the image stays in the store. One that a router
/// there is made on is a [`crate::Conflict`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct EvictImageRequest {
    /// The image.
    pub image: ImageId,
    /// The host.
    pub host: HostId,
    /// An id of the caller's choice: the same id from the same caller returns the first job
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The copy is being deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct EvictImageReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The job that deletes it.
    pub job: Job,
}
