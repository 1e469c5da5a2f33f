//! A safe, asynchronous libvirt client: typed XML, events, statistics, deadlines.
//!
//! libvirt's own library blocks: a host that hangs takes the calling thread with it. Here every
//! [`Connection`] has a few threads of its own and every call a deadline; a call that misses it
//! fails with [`Error::Deadline`], its thread is written off and counted within a [`Budget`], and
//! nothing else waits for it.
//!
//! - [`Uri`] is built from typed fields, and text is accepted only in forms that cannot run
//!   programs or read files.
//! - [`resolve`] and [`connect`] tell whether a host is there before a thread is risked on it.
//! - [`Connection`] lists ([`Domain`], [`Network`], [`HostInterface`], [`Pool`], [`Volume`]),
//!   measures ([`DomainStats`]), acts, and subscribes ([`EventReceiver`]).
//! - [`DomainXml`], [`NetworkXml`], [`PoolXml`] and their like are read from libvirt's XML, changed
//!   or built from nothing, and written again; what they do not know stays as it is.
//! - A domain is [defined](Connection::define_domain), started, shut down, changed and undefined;
//!   whether a host can take it is said by its [capabilities](Connection::domain_capabilities), its
//!   [processors](Connection::compare_hypervisor_cpu) and its [files](Connection::file_exists).
//! - [`Upload`] and [`Download`] bring images to a host and back; [`Migration`] moves a domain, and
//!   [`JobProgress`] tells how far it is.
//! - A [`Console`] is a domain's terminal, both ways.
//! - [`Driver::supports`] is the table of what each driver can do, asked before acting.
//! - [`Error`] is a sentence, keeps libvirt's code, domain and message, and says whether to retry.
//!
//! What is not here: reconnecting, polling, and keeping an inventory, which belong to whoever owns
//! the connections. Built on `virt` where that is sound and on `virt-sys` where it is not; all
//! unsafe code is in the module `ffi`.
//!
//! Memory is checked by valgrind: `cargo test -p libvirt -- --ignored lost` runs
//! `valgrind --leak-check=full --errors-for-leak-kinds=definite` over the example `exercise`, which
//! does everything many times; nothing may be lost.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use libvirt::{Connection, Options, StatsGroups, Uri};
//!
//! let connection = Connection::open(&Uri::parse("test:///default")?, Options::default()).await?;
//! let mut events = connection.events().await?;
//! let domains = connection.list_domains().await?;
//! connection.suspend(domains[0].uuid).await?;
//! println!("{:?}", events.recv().await);
//! println!("{:?}", connection.domain_stats(StatsGroups::CHEAP).await?);
//! # connection.resume(domains[0].uuid).await?;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod capabilities;
mod connection;
mod console;
mod credentials;
mod domain;
mod driver;
mod error;
mod events;
mod ffi;
mod files;
mod guest;
mod host;
mod job;
mod lifecycle;
mod network;
mod reach;
mod stats;
mod storage;
mod stream;
#[cfg(test)]
mod testing;
mod uri;
mod xml;

pub use capabilities::CpuMatch;
pub use connection::{Budget, Connection, Options, worker_threads, written_off_threads};
pub use console::{Console, ConsoleData, ConsoleReader, ConsoleWriter};
pub use credentials::Credentials;
pub use domain::{Domain, DomainState};
pub use driver::{Capability, Driver, Transport};
pub use error::{Error, ErrorKind, Fault, Refusal, StuckBound};
pub use events::{
    BlockJobKind, BlockJobOutcome, Change, CloseReason, Event, EventReceiver, LifecycleKind,
};
pub use guest::{AddressSource, GuestFilesystem, GuestInfo, GuestInterface, GuestOs, Lease};
pub use host::{NodeCpuStats, NodeInfo, NodeMemoryStats, Versions};
pub use job::{Amount, Destination, JobOperation, JobProgress, JobState, Migration, StorageCopy};
pub use network::{HostInterface, HostInterfaceKind, Network};
pub use reach::{connect, resolve};
pub use stats::{BlockStats, DomainStats, InterfaceStats, StatsGroups};
pub use storage::{Pool, PoolState, Volume};
pub use stream::{Chunk, Download, Span, Upload};
pub use uri::{Uri, UriError};
pub use xml::{
    BackingXml, BandwidthXml, CapabilitiesXml, CharacterXml, ClockXml, CpuFeatureXml, CpuModeXml,
    CpuModelXml, CpuTopologyXml, CpuXml, DiskXml, DomainCapabilitiesXml, DomainKind, DomainXml,
    FeatureXml, FilesystemXml, GuestDomainXml, GuestXml, HostInterfaceXml, InterfaceKind,
    InterfaceSource, InterfaceXml, IpXml, LoaderXml, METADATA_NAMESPACE, MemballoonXml, NetworkXml,
    OsXml, PoolSourceXml, PoolXml, RateXml, RngXml, RouterMetadata, TcpRole, TimerXml, VirtualPort,
    VolumeXml, XmlError,
};
