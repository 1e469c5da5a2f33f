//! What is to be drawn: nodes, edges and the boxes around nodes. No places, no sizes.
//!
//! Sentences about it are not kept in it but made by [`describe`](crate::describe): they are most of
//! the text of a large picture and all follow from the rest.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is to be drawn, in the drawer's words.
///
/// Nothing here is trusted: an index that points nowhere, a repeated id or a self-loop never
/// panics; what cannot be drawn is left out of the [`Scene`](crate::Scene).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Diagram {
    /// Things with a symbol. Ids should be unique over nodes and groups together.
    pub nodes: Vec<Node>,
    /// Lines between nodes or groups.
    pub edges: Vec<Edge>,
    /// Boxes that hold nodes.
    pub groups: Vec<Group>,
}

/// One thing in a [`Diagram`], by its index in the list of its kind. Ordered as
/// [`Diagram::things`] gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    /// In [`Diagram::groups`].
    Group(u32),
    /// In [`Diagram::nodes`].
    Node(u32),
    /// In [`Diagram::edges`].
    Edge(u32),
}

impl From<End> for Thing {
    fn from(end: End) -> Self {
        match end {
            End::Node(index) => Self::Node(index),
            End::Group(index) => Self::Group(index),
        }
    }
}

impl Diagram {
    /// Everything: groups, nodes, edges.
    pub fn things(&self) -> impl Iterator<Item = Thing> {
        let groups = (0..self.groups.len() as u32).map(Thing::Group);
        let nodes = (0..self.nodes.len() as u32).map(Thing::Node);
        let edges = (0..self.edges.len() as u32).map(Thing::Edge);
        groups.chain(nodes).chain(edges)
    }

    /// The edges that stay: all but those of what is on its way. Places and degrees go by these, so
    /// that nothing moves because something is being moved.
    pub fn lasting_edges(&self) -> impl Iterator<Item = &Edge> {
        let edges = self.edges.iter();
        edges.filter(|edge| edge.kind != EdgeKind::Migration)
    }

    /// A thing's id; none if it is not there.
    pub fn id(&self, thing: Thing) -> Option<&str> {
        match thing {
            Thing::Node(index) => self.nodes.get(index as usize).map(|node| &node.id),
            Thing::Group(index) => self.groups.get(index as usize).map(|group| &group.id),
            Thing::Edge(index) => self.edges.get(index as usize).map(|edge| &edge.id),
        }
        .map(String::as_str)
    }

    /// What is written at a thing; empty if it is not there.
    pub fn label(&self, thing: Thing) -> &str {
        match thing {
            Thing::Node(index) => self.nodes.get(index as usize).map(|node| &node.label),
            Thing::Group(index) => self.groups.get(index as usize).map(|group| &group.label),
            Thing::Edge(index) => self.edges.get(index as usize).map(|edge| &edge.label),
        }
        .map_or("", String::as_str)
    }

    /// What else is known of a node or group; none of an edge.
    pub fn facts(&self, thing: Thing) -> Option<&Facts> {
        match thing {
            Thing::Node(index) => self.nodes.get(index as usize).map(|node| &node.facts),
            Thing::Group(index) => self.groups.get(index as usize).map(|group| &group.facts),
            Thing::Edge(_) => None,
        }
    }

    /// The thing with this id. Looks through all.
    pub fn find(&self, id: &str) -> Option<Thing> {
        self.things().find(|&thing| self.id(thing) == Some(id))
    }
}

/// A thing with a symbol of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Stable identity; the key in [`Positions`].
    pub id: String,
    /// What is written under the symbol.
    pub label: String,
    /// Which symbol.
    pub kind: NodeKind,
    /// How it is.
    pub state: NodeState,
    /// Index in [`Diagram::groups`] of the box that it is drawn in.
    pub group: Option<u32>,
    /// What is known of it is old.
    pub stale: bool,
    /// What else is known of it.
    pub facts: Facts,
}

/// What one searches, filters and groups by, besides name and state. Empty is unknown or none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// A host's site.
    pub site: String,
    /// The name of a router's host.
    pub host: String,
    /// A router's virtual network.
    pub network: String,
    /// What an operator calls it besides its name.
    pub tags: Vec<String>,
    /// IP addresses.
    pub addresses: Vec<String>,
    /// MAC addresses.
    pub macs: Vec<String>,
    /// What carries a segment, such as "bridge".
    pub medium: String,
    /// A host's routers: how many run, and how many there are.
    pub routers: Option<[u32; 2]>,
    /// How many interfaces a segment has.
    pub members: u32,
    /// The name of the host that a router is being moved to.
    pub moving_to: String,
    /// Why a host is in maintenance, perhaps without a reason; none if it is not.
    pub maintenance: Option<String>,
}

/// Which symbol a node has.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum NodeKind {
    /// A physical machine.
    Host,
    /// A physical switch.
    Switch,
    /// A virtual router.
    #[default]
    Router,
    /// A broadcast domain that more than two share.
    Segment,
}

/// How a node or group is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum NodeState {
    /// It works.
    Running,
    /// Suspended; can go on where it stopped.
    Paused,
    /// On its way to being shut off; drawn as that.
    Stopping,
    /// Shut off.
    Stopped,
    /// Crashed or unreachable.
    Failed,
    /// Nobody can tell.
    Unknown,
    /// It has no state to speak of (a segment, a switch nobody asks).
    #[default]
    Neutral,
}

impl NodeKind {
    /// The word, as in a style sheet or a filter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Switch => "switch",
            Self::Router => "router",
            Self::Segment => "segment",
        }
    }
}

impl NodeState {
    /// The word, as in a style sheet. What is stopping is drawn as stopped.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopping | Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Neutral => "neutral",
        }
    }
}

impl EdgeKind {
    /// The word, as in a style sheet or a filter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Physical => "physical",
            Self::Virtual => "virtual",
            Self::Attachment => "attachment",
            Self::Migration => "migration",
        }
    }
}

impl EdgeState {
    /// The word, as in a style sheet or a filter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

/// A line between two ends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// Stable identity.
    pub id: String,
    /// One end.
    pub a: End,
    /// The other end.
    pub b: End,
    /// What kind of line.
    pub kind: EdgeKind,
    /// Whether it carries traffic.
    pub state: EdgeState,
    /// What is written at its middle when there is room, such as a capacity. May be empty.
    pub label: String,
    /// What is written beside its ends when they are near: the interface there. May be empty.
    pub ports: [String; 2],
    /// In bit/s; lines are drawn wider with its logarithm. 0 (or not a number): unknown.
    pub capacity: f32,
}

/// Where an edge ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum End {
    /// Index in [`Diagram::nodes`].
    Node(u32),
    /// Index in [`Diagram::groups`].
    Group(u32),
}

impl Default for End {
    fn default() -> Self {
        Self::Node(0)
    }
}

/// What kind of line an edge is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum EdgeKind {
    /// A cable, or what stands for one.
    Physical,
    /// A link between two routers.
    #[default]
    Virtual,
    /// A router's NIC on a segment.
    Attachment,
    /// From a router to the host that it is being moved to.
    Migration,
}

/// Whether an edge carries traffic.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum EdgeState {
    /// It does.
    #[default]
    Up,
    /// It does not.
    Down,
    /// Nobody can tell.
    Unknown,
}

/// A box that holds nodes: a host in the combined view.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Stable identity; the key in [`Positions`].
    pub id: String,
    /// What is written at its head.
    pub label: String,
    /// How it is.
    pub state: NodeState,
    /// What is known of it is old.
    pub stale: bool,
    /// What else is known of it.
    pub facts: Facts,
}

/// A place, in CSS pixels at zoom 1; y grows downwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

/// The centre of each node's symbol and of each group's box, by id.
pub type Positions = BTreeMap<String, Point>;
