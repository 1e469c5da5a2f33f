//! Making routers, changing them, and taking them away.
//!
//! `CreateRouter`, `ShutdownRouter` and `DeleteRouter` are jobs; the others wait for the host.

use crate::{
    Driver, HostId, ImageId, Job, MacAddress, MigrationFinding, Router, RouterId, Timestamp,
};
use serde::{Deserialize, Serialize};

/// Asks to make a router from an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CreateRouterRequest {
    /// Its name: 1 to 64 letters, digits, `.`, `_` and `-`, the first a letter or a digit; no
    /// other router of the fleet has it.
    pub name: String,
    /// The image.
    pub image: ImageId,
    /// The host; the fittest one if absent.
    pub host: Option<HostId>,
    /// The host's driver to use; the best one of those that the image suits if absent.
    pub driver: Option<Driver>,
    /// Virtual processors; as the image says if absent.
    pub vcpus: Option<u32>,
    /// Memory in bytes, whole MiB; as the image says if absent.
    pub memory_bytes: Option<u64>,
    /// The size of its disk in bytes, not less than the image's; the image's if absent.
    pub disk_bytes: Option<u64>,
    /// Its interfaces; none if empty: links bring interfaces of their own.
    pub interfaces: Vec<NewInterface>,
    /// The virtual network that it is made for.
    pub virtual_network: Option<String>,
    /// Free labels.
    pub tags: Vec<String>,
    /// Whether it starts with its host; not if absent.
    pub autostart: Option<bool>,
    /// Whether it is started; if absent, it is.
    pub start: Option<bool>,
    /// How long to wait until it is ready, in seconds, once it is started; 120 if absent, not at all
    /// if 0. One that is not ready in time is no failure: the job says so.
    pub ready_within_seconds: Option<u32>,
    /// A cloud-init seed, for images that read one.
    pub cloud_init: Option<CloudInit>,
    /// Further arguments of the kernel, for images that are one.
    pub kernel_arguments: Option<String>,
    /// Whether the storage pool `vms` is made on a host that has none; refused otherwise.
    pub create_pool: Option<bool>,
    /// An id of the caller's choice: the same id from the same caller returns the first job
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// An interface that a router is to have. Exactly one of network and bridge is present.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase", default)]
pub struct NewInterface {
    /// The libvirt network of the host.
    pub network: Option<String>,
    /// The bridge of the host.
    pub bridge: Option<String>,
    /// Its MAC address; one that nobody has if absent.
    pub mac: Option<MacAddress>,
    /// Its IP addresses with prefix lengths, for example `10.0.0.1/24`. They reach guests that read
    /// a cloud-init seed, or `vms.nic=MAC,ADDRESS/PREFIX` among the arguments of their kernel.
    pub addresses: Vec<String>,
}

/// A cloud-init `NoCloud` seed. The network's part is made by VMS of the interfaces' addresses.
///
/// <https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase", default)]
pub struct CloudInit {
    /// `user-data`, for example a `#cloud-config`; none if absent.
    pub user_data: Option<String>,
    /// The host name in the guest; the router's name if absent.
    pub host_name: Option<String>,
    /// SSH keys of the default user.
    pub ssh_keys: Vec<String>,
}

/// The router is being made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CreateRouterReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The job that makes it; it names the router.
    pub job: Job,
}

/// Asks where a router could be made; it changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CheckCreationRequest {
    /// What would be asked for.
    pub router: CreateRouterRequest,
}

/// Where a router could be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CheckCreationReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// A verdict for the host that was named or, without one, for every host: the best first.
    pub places: Vec<CreationPlace>,
}

/// Whether a router can be made on a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct CreationPlace {
    /// The host.
    pub host: HostId,
    /// The host's name.
    pub host_name: String,
    /// The driver that would be used, where one suits.
    pub driver: Option<Driver>,
    /// Whether it can be done.
    pub possible: bool,
    /// The verdict in a sentence.
    pub summary: String,
    /// Whether the storage pool `vms` would have to be made.
    pub needs_pool: bool,
    /// Whether the image is there already.
    pub has_image: bool,
    /// How good a place it is, where it can be done, 0 to 1: what would be free of its processors
    /// and memory, whichever is less. Absent where the host's load is not known.
    pub score: Option<f64>,
    /// All that was looked at, the worst first.
    pub findings: Vec<MigrationFinding>,
    /// The libvirt networks of the host, for interfaces.
    pub networks: Vec<String>,
    /// The bridges of the host, for interfaces.
    pub bridges: Vec<String>,
}

/// Asks to start a router that is shut off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct StartRouterRequest {
    /// The router.
    pub router: RouterId,
    /// An id of the caller's choice: the same id from the same caller returns the first result
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The router was started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct StartRouterReply {
    /// When it was done.
    pub as_of: Timestamp,
    /// The router as it is now.
    pub router: Router,
}

/// Asks a router to shut down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ShutdownRouterRequest {
    /// The router.
    pub router: RouterId,
    /// How long it may take, in seconds, 1 to 3600; 60 if absent.
    pub deadline_seconds: Option<u32>,
    /// Whether it is switched off when it does not shut down in time; if not, the job fails then
    /// and the router runs on, and one that is suspended, which hears nothing, is refused. Not if
    /// absent.
    pub force: Option<bool>,
    /// An id of the caller's choice: the same id from the same caller returns the first job
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The router is being shut down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ShutdownRouterReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The job that waits for it.
    pub job: Job,
}

/// Asks a router's guest to reboot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct RebootRouterRequest {
    /// The router.
    pub router: RouterId,
    /// An id of the caller's choice: the same id from the same caller returns the first result
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The router was asked to reboot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct RebootRouterReply {
    /// When it was done.
    pub as_of: Timestamp,
    /// The router as it is now.
    pub router: Router,
}

/// Asks to reset a router, as by the reset button of a machine: what its guest did not write to disk
/// is lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ResetRouterRequest {
    /// The router.
    pub router: RouterId,
    /// An id of the caller's choice: the same id from the same caller returns the first result
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The router was reset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ResetRouterReply {
    /// When it was done.
    pub as_of: Timestamp,
    /// The router as it is now.
    pub router: Router,
}

/// Asks to switch a router off at once: what its guest did not write to disk is lost. One that has no
/// lasting definition is gone then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DestroyRouterRequest {
    /// The router.
    pub router: RouterId,
    /// An id of the caller's choice: the same id from the same caller returns the first result
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The router was switched off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DestroyRouterReply {
    /// When it was done.
    pub as_of: Timestamp,
    /// The router as it is now; absent if it is gone.
    pub router: Option<Router>,
}

/// Asks to delete a router: it is switched off, and its definition, its own disks, the links that
/// were made for it and the interfaces at their other ends are taken away, for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DeleteRouterRequest {
    /// The router.
    pub router: RouterId,
    /// Whether its disks stay, of which the job then tells where they are; if absent, they go.
    /// Disks that VMS did not make, and those that others need, stay in any case.
    pub keep_disks: Option<bool>,
    /// Whether one that runs is switched off; if absent or not, one that runs is refused.
    pub force: Option<bool>,
    /// An id of the caller's choice: the same id from the same caller returns the first job
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The router is being deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DeleteRouterReply {
    /// When the reply was made.
    pub as_of: Timestamp,
    /// The job that deletes it.
    pub job: Job,
}

/// Asks to change a router's size. What is absent stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ResizeRouterRequest {
    /// The router.
    pub router: RouterId,
    /// Virtual processors.
    pub vcpus: Option<u32>,
    /// Memory in bytes, whole MiB.
    pub memory_bytes: Option<u64>,
    /// An id of the caller's choice: the same id from the same caller returns the first result
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The router has another size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct ResizeRouterReply {
    /// When it was done.
    pub as_of: Timestamp,
    /// The router as it is now.
    pub router: Router,
    /// When it counts.
    pub effective: Effective,
    /// What was done and when it counts, in a sentence.
    pub message: String,
}

/// When a change of a router counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub enum Effective {
    /// At once.
    Now,
    /// When it is started the next time: its driver cannot change it while it runs.
    NextStart,
}

impl Effective {
    /// The words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::NextStart => "at the next start",
        }
    }
}

/// Asks to give a router one more interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct AttachInterfaceRequest {
    /// The router.
    pub router: RouterId,
    /// The interface.
    pub interface: NewInterface,
    /// An id of the caller's choice: the same id from the same caller returns the first result
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The router has one more interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct AttachInterfaceReply {
    /// When it was done.
    pub as_of: Timestamp,
    /// The router as it is now.
    pub router: Router,
    /// The interface's MAC address.
    pub mac: MacAddress,
    /// When it counts.
    pub effective: Effective,
    /// What was done and when it counts, in a sentence.
    pub message: String,
}

/// Asks to take an interface away from a router. One of a link that VMS made is a
/// [`crate::Conflict`]: delete the link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DetachInterfaceRequest {
    /// The router.
    pub router: RouterId,
    /// The interface's MAC address.
    pub mac: MacAddress,
    /// An id of the caller's choice: the same id from the same caller returns the first result
    /// instead of acting twice.
    pub request_id: Option<String>,
}

/// The router has one interface less.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[serde(rename_all = "camelCase")]
pub struct DetachInterfaceReply {
    /// When it was done.
    pub as_of: Timestamp,
    /// The router as it is now.
    pub router: Router,
    /// When it counts.
    pub effective: Effective,
    /// What was done and when it counts, in a sentence.
    pub message: String,
}
