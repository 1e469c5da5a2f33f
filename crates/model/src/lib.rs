//! Inventory, topology and the differences between topologies: pure, internal.
//!
//! What lives here: what one host reported ([`HostInventory`]), the graph that follows from all
//! reports and the declared links ([`Topology::derive`]), and what changed from one graph to the
//! next ([`Difference`]). What does not: time, storage, versions and libvirt. Nothing here does
//! any input or output, so all of it is tested by properties.
//!
//! - `ids`: the ids, and how they are kept short and free of blanks;
//! - `inventory`: what hosts report;
//! - `topology`: the graph's elements;
//! - `derive`: from reports to the graph; `cables`: which physical links there are; `segments`: who
//!   is in which L2 broadcast domain;
//! - `placement`: what would become of a router's interfaces on another host;
//! - `difference`: what changed, exactly; `sentence`: the same for people.

mod cables;
mod derive;
mod difference;
mod ids;
mod inventory;
mod placement;
mod segments;
mod sentence;
mod topology;

pub use difference::{Change, Difference};
pub use ids::{HostId, LinkId, Mac, RouterId, SegmentId};
pub use inventory::{
    Attachment, Contact, Disk, Domain, Driver, Endpoint, HostInterface, HostInventory, HostReport,
    LinkState, Maintenance, Neighbor, Network, Nic, NodeFacts, Origin, RouterState, Vxlan,
    VxlanReach,
};
pub use placement::Placement;
pub use sentence::{ChangeKind, Described, ElementKind};
pub use topology::{
    DeclaredLink, Host, Link, LinkEnd, LinkKind, LinkSource, Member, Port, Router, Segment,
    SegmentKind, Topology,
};
