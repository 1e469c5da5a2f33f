//! What is to be drawn: nodes, edges and the boxes around nodes. No places, no sizes.

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
    /// One sentence for the tooltip and the screen reader.
    pub description: String,
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
    /// One sentence for the tooltip and the screen reader.
    pub description: String,
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
    /// One sentence for the tooltip and the screen reader.
    pub description: String,
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
