//! What each libvirt driver can do, asked before acting.
//!
//! libvirt answers most unsupported calls with an error, but not all: a migration between two
//! connections of the `test` driver hangs, and its close callback is accepted and then forgotten.
//! So the table comes first and the driver's own answer second.

use std::fmt;

use crate::error::Error;

/// The hypervisor driver of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Driver {
    /// QEMU and KVM, through libvirtd or virtqemud.
    Qemu,
    /// Xen, by libvirt's libxl driver.
    Xen,
    /// Linux containers, by libvirt's LXC driver.
    Lxc,
    /// libvirt's in-process test driver: hosts described by a file, without a hypervisor.
    Test,
}

/// How the connection reaches the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// This machine: the daemon's own socket, or in process for [`Driver::Test`].
    Local,
    /// Plain TCP, neither encrypted nor (by default) authenticated.
    Tcp,
    /// TCP with TLS, certificates checked.
    Tls,
    /// A tunnel through `ssh`, host key checked, never asking for a password.
    Ssh,
}

/// Something that a driver may or may not be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Statistics of all domains in one call (`virConnectGetAllDomainStats`).
    BulkStats,
    /// What the guest uses of its memory, by the balloon.
    BalloonStats,
    /// Counters of disks.
    BlockStats,
    /// Counters of interfaces.
    InterfaceStats,
    /// Lifecycle events.
    LifecycleEvents,
    /// Pausing and resuming a running domain.
    Suspend,
    /// Networks of the host, listed.
    Networks,
    /// Interfaces of the host, listed (where the daemon was built with it).
    HostInterfaces,
    /// A UUID of the host in its capabilities.
    HostUuid,
    /// Moving a running domain to another host.
    Migrate,
    /// Progress of a running job (migration, save).
    JobStats,
    /// Processor time of the host.
    NodeCpuStats,
    /// Memory of the host, used and free.
    NodeMemoryStats,
    /// Events of devices plugged and unplugged.
    DeviceEvents,
    /// Events of the guest's agent.
    AgentEvents,
    /// Events of jobs that completed, and of the rounds of a migration.
    JobEvents,
    /// Events of the balloon.
    BalloonEvents,
    /// Events of block jobs.
    BlockJobEvents,
    /// Events of networks.
    NetworkEvents,
    /// Events of storage pools.
    PoolEvents,
    /// Events of the host's devices.
    NodeDeviceEvents,
    /// Asking the agent in a guest.
    GuestAgent,
    /// Addresses of a guest.
    Addresses,
    /// DHCP leases of the host's networks.
    Leases,
    /// Storage pools and their volumes: listing, creating, deleting.
    StoragePools,
    /// Making a storage volume larger.
    VolumeResize,
    /// What is in a storage volume, to the host and from it.
    VolumeTransfer,
    /// Letting a domain that is being moved run at its destination at once.
    PostCopy,
    /// Bounds of a migration's standstill and speed.
    MigrationTuning,
    /// Aborting a running job.
    AbortJob,
    /// Plugging devices into a running domain, changing and unplugging them.
    DeviceHotplug,
    /// The console of a domain.
    Console,
    /// Copying and merging disks of a running domain.
    BlockJobs,
    /// Whether the host's processors can stand in for others.
    CpuComparison,
    /// What a domain may have on the host.
    DomainCapabilities,
    /// Whether a hypervisor of the host can give a guest these processors.
    HypervisorCpuComparison,
    /// Resetting a domain as by its reset button.
    Reset,
    /// Whether a file is on the host.
    HostFiles,
    /// Saving a domain's memory on its host, and changing what it goes on with.
    ManagedSave,
    /// Starting a domain paused.
    StartPaused,
    /// Changing how much memory a domain has.
    MemoryChange,
    /// Changing how many virtual processors a domain has.
    VcpuChange,
}

impl Capability {
    /// Every capability, in the order of the table.
    pub const ALL: [Self; 42] = [
        Self::BulkStats,
        Self::BalloonStats,
        Self::BlockStats,
        Self::InterfaceStats,
        Self::LifecycleEvents,
        Self::Suspend,
        Self::Networks,
        Self::HostInterfaces,
        Self::HostUuid,
        Self::Migrate,
        Self::JobStats,
        Self::NodeCpuStats,
        Self::NodeMemoryStats,
        Self::DeviceEvents,
        Self::AgentEvents,
        Self::JobEvents,
        Self::BalloonEvents,
        Self::BlockJobEvents,
        Self::NetworkEvents,
        Self::PoolEvents,
        Self::NodeDeviceEvents,
        Self::GuestAgent,
        Self::Addresses,
        Self::Leases,
        Self::StoragePools,
        Self::VolumeResize,
        Self::VolumeTransfer,
        Self::PostCopy,
        Self::MigrationTuning,
        Self::AbortJob,
        Self::DeviceHotplug,
        Self::Console,
        Self::BlockJobs,
        Self::CpuComparison,
        Self::DomainCapabilities,
        Self::HypervisorCpuComparison,
        Self::Reset,
        Self::HostFiles,
        Self::ManagedSave,
        Self::StartPaused,
        Self::MemoryChange,
        Self::VcpuChange,
    ];

    /// What it is in a few plain words, to be read by people after "can do" or "cannot do".
    pub const fn description(self) -> &'static str {
        match self {
            Self::BulkStats => "measurements of all routers in one call",
            Self::BalloonStats => "memory that routers use",
            Self::BlockStats => "counters of disks",
            Self::InterfaceStats => "counters of interfaces",
            Self::LifecycleEvents => "news of routers that start, stop and pause",
            Self::Suspend => "pausing and resuming routers",
            Self::Networks => "the host's virtual networks",
            Self::HostInterfaces => "the host's own interfaces",
            Self::HostUuid => "a UUID of the host",
            Self::Migrate => "moving running routers to another host",
            Self::JobStats => "progress of a move",
            Self::NodeCpuStats => "processor time of the host",
            Self::NodeMemoryStats => "memory of the host that is used and free",
            Self::DeviceEvents => "news of devices plugged and unplugged",
            Self::AgentEvents => "news of agents in routers",
            Self::JobEvents => "news of moves that make progress or end",
            Self::BalloonEvents => "news of memory given and taken",
            Self::BlockJobEvents => "news of disks that are copied",
            Self::NetworkEvents => "news of virtual networks",
            Self::PoolEvents => "news of storage pools",
            Self::NodeDeviceEvents => "news of the host's devices",
            Self::GuestAgent => "asking the agent in a router",
            Self::Addresses => "addresses of routers",
            Self::Leases => "addresses that the host's DHCP servers gave",
            Self::StoragePools => "storage pools and their volumes",
            Self::VolumeResize => "making a volume larger",
            Self::VolumeTransfer => "bringing images to the host and back",
            Self::PostCopy => "ending a slow move by running at the destination at once",
            Self::MigrationTuning => "bounds of a move's standstill and speed",
            Self::AbortJob => "aborting a move",
            Self::DeviceHotplug => "plugging interfaces and disks into running routers",
            Self::Console => "consoles of routers",
            Self::BlockJobs => "copying and merging disks of running routers",
            Self::CpuComparison => "comparing processors of hosts",
            Self::DomainCapabilities => "what a router may have on the host",
            Self::HypervisorCpuComparison => "comparing processors that routers can be given",
            Self::Reset => "resetting routers",
            Self::HostFiles => "whether a file is on the host",
            Self::ManagedSave => "changing what a router goes on with",
            Self::StartPaused => "starting routers paused",
            Self::MemoryChange => "giving running routers more or less memory",
            Self::VcpuChange => "giving running routers more or fewer processors",
        }
    }
}

impl Driver {
    /// Every driver that this library speaks to.
    pub const ALL: [Self; 4] = [Self::Qemu, Self::Xen, Self::Lxc, Self::Test];

    /// The driver's name as it stands in a URI: `qemu`, `xen`, `lxc`, `test`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::Xen => "xen",
            Self::Lxc => "lxc",
            Self::Test => "test",
        }
    }

    /// The driver of this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Refuses `call` where the driver cannot do what it is for.
    pub(crate) fn needs(self, capability: Capability, call: &'static str) -> Result<(), Error> {
        if self.supports(capability) {
            Ok(())
        } else {
            Err(Error::NotSupported { driver: self, call })
        }
    }

    /// Whether the driver can do `capability`.
    ///
    /// `false` means that the call must not be made at all; `true` that the driver implements it,
    /// while an old daemon may still answer that it does not.
    ///
    /// ```
    /// use libvirt::{Capability, Driver};
    /// assert!(Driver::Qemu.supports(Capability::Migrate));
    /// assert!(!Driver::Test.supports(Capability::Migrate));
    /// ```
    pub const fn supports(self, capability: Capability) -> bool {
        TABLE[capability as usize].1[self as usize]
    }
}

/// One row a capability in the order of [`Capability::ALL`], one column a driver in the order of
/// [`Driver::ALL`].
///
/// The test driver makes its balloon figures up, but answers; it has no host UUID, for every test
/// host is the same machine; its storage is made up and shows no files; a migration between two of
/// its connections hangs (libvirt 9.0).
#[rustfmt::skip]
const TABLE: [(Capability, [bool; 4]); Capability::ALL.len()] = [
    //                              qemu   xen    lxc    test
    (Capability::BulkStats,       [ true,  false, false, false]),
    (Capability::BalloonStats,    [ true,  true,  true,  true ]),
    (Capability::BlockStats,      [ true,  true,  true,  true ]),
    (Capability::InterfaceStats,  [ true,  true,  true,  true ]),
    (Capability::LifecycleEvents, [ true,  true,  true,  true ]),
    (Capability::Suspend,         [ true,  true,  true,  true ]),
    (Capability::Networks,        [ true,  true,  true,  true ]),
    (Capability::HostInterfaces,  [ true,  true,  true,  true ]),
    (Capability::HostUuid,        [ true,  true,  true,  false]),
    (Capability::Migrate,         [ true,  true,  false, false]),
    (Capability::JobStats,        [ true,  true,  false, false]),
    (Capability::NodeCpuStats,    [ true,  false, true,  true ]),
    (Capability::NodeMemoryStats, [ true,  false, true,  false]),
    (Capability::DeviceEvents,    [ true,  false, false, false]),
    (Capability::AgentEvents,     [ true,  false, false, false]),
    (Capability::JobEvents,       [ true,  false, false, false]),
    (Capability::BalloonEvents,   [ true,  false, false, false]),
    (Capability::BlockJobEvents,  [ true,  false, false, false]),
    (Capability::NetworkEvents,   [ true,  true,  true,  true ]),
    (Capability::PoolEvents,      [ true,  true,  true,  true ]),
    (Capability::NodeDeviceEvents,[ true,  true,  true,  true ]),
    (Capability::GuestAgent,      [ true,  false, false, false]),
    (Capability::Addresses,       [ true,  true,  true,  true ]),
    (Capability::Leases,          [ true,  true,  true,  false]),
    (Capability::StoragePools,    [ true,  true,  true,  true ]),
    (Capability::VolumeResize,    [ true,  true,  true,  false]),
    (Capability::VolumeTransfer,  [ true,  true,  true,  false]),
    (Capability::PostCopy,        [ true,  false, false, false]),
    (Capability::MigrationTuning, [ true,  false, false, false]),
    (Capability::AbortJob,        [ true,  false, false, false]),
    (Capability::DeviceHotplug,   [ true,  true,  true,  false]),
    (Capability::Console,         [ true,  true,  true,  false]),
    (Capability::BlockJobs,       [ true,  false, false, false]),
    (Capability::CpuComparison,   [ true,  true,  false, false]),
    (Capability::DomainCapabilities, [ true, true, false, false]),
    (Capability::HypervisorCpuComparison, [ true, false, false, false]),
    (Capability::Reset,           [ true,  false, false, true ]),
    (Capability::HostFiles,       [ true,  true,  true,  false]),
    (Capability::ManagedSave,     [ true,  false, false, false]),
    (Capability::StartPaused,     [ true,  true,  false, false]),
    (Capability::MemoryChange,    [ true,  true,  true,  true ]),
    (Capability::VcpuChange,      [ true,  true,  false, true ]),
];

impl Transport {
    /// Every transport that this library uses.
    pub const ALL: [Self; 4] = [Self::Local, Self::Tcp, Self::Tls, Self::Ssh];

    /// The transport's name in a URI; empty for a local connection.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ssh => "ssh",
        }
    }

    /// The transport of this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_is_in_the_order_by_which_it_is_read() {
        assert!(TABLE.iter().map(|row| row.0).eq(Capability::ALL));
        for (index, capability) in Capability::ALL.into_iter().enumerate() {
            assert_eq!(capability as usize, index);
        }
        for (index, driver) in Driver::ALL.into_iter().enumerate() {
            assert_eq!(driver as usize, index);
        }
    }

    #[test]
    fn every_capability_is_described_in_words_of_its_own() {
        let described: BTreeSet<_> = Capability::ALL.map(Capability::description).into();
        assert_eq!(described.len(), Capability::ALL.len());
        for words in described {
            let fits = words.len() < 60 && !words.ends_with('.');
            assert!(fits && words.starts_with(char::is_lowercase), "{words}");
        }
    }

    #[test]
    fn what_hangs_or_breaks_is_left_to_qemu() {
        use Capability::{AbortJob, BlockJobs, GuestAgent, MigrationTuning, PostCopy};
        for capability in [AbortJob, BlockJobs, GuestAgent, MigrationTuning, PostCopy] {
            let able = Driver::ALL.map(|driver| driver.supports(capability));
            assert_eq!(able, [true, false, false, false], "{capability:?}");
        }
    }

    #[test]
    fn the_test_driver_is_never_asked_for_what_makes_it_hang() {
        for capability in [
            Capability::Migrate,
            Capability::JobStats,
            Capability::BulkStats,
        ] {
            assert!(!Driver::Test.supports(capability), "{capability:?}");
        }
    }

    #[test]
    fn qemu_has_every_capability() {
        assert!(
            Capability::ALL
                .iter()
                .all(|&capability| Driver::Qemu.supports(capability))
        );
    }
}
