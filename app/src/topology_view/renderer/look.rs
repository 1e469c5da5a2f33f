//! How things look besides what they are: selected, sought, dimmed, coloured. Pure.

use graph::Thing;
use std::collections::HashMap;

/// What is special about one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mark {
    /// The reader looks at other things.
    pub dim: bool,
    /// Selected, or one of those that were sought.
    pub ring: bool,
    /// Under the pointer, or with the keyboard's focus.
    pub halo: bool,
    /// Another colour than its state's.
    pub colour: Option<u32>,
    /// How busy a host is, from 0 to 1.
    pub load: Option<f32>,
    /// An edge's colours: what flows from its first end, and what flows from its second.
    pub halves: Option<[u32; 2]>,
    /// An edge is gone along: from its first end to its second, or back.
    pub forth: Option<bool>,
}

/// The marks of all things; what was not marked is as its state has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// What is said at the ends of an edge besides its interfaces, by the edge's index.
    pub notes: HashMap<u32, [String; 2]>,
    nodes: Vec<Mark>,
    groups: Vec<Mark>,
    edges: Vec<Mark>,
}

impl Look {
    /// Changes the mark of `thing`.
    pub fn mark(&mut self, thing: Thing, change: impl FnOnce(&mut Mark)) {
        let (list, index) = match thing {
            Thing::Node(index) => (&mut self.nodes, index as usize),
            Thing::Group(index) => (&mut self.groups, index as usize),
            Thing::Edge(index) => (&mut self.edges, index as usize),
        };
        if list.len() <= index {
            list.resize(index + 1, Mark::default());
        }
        change(&mut list[index]);
    }

    /// A node's mark.
    pub fn node(&self, index: u32) -> Mark {
        self.nodes.get(index as usize).copied().unwrap_or_default()
    }

    /// A group's mark.
    pub fn group(&self, index: u32) -> Mark {
        self.groups.get(index as usize).copied().unwrap_or_default()
    }

    /// An edge's mark.
    pub fn edge(&self, index: u32) -> Mark {
        self.edges.get(index as usize).copied().unwrap_or_default()
    }

    /// The mark of any thing.
    pub fn of(&self, thing: Thing) -> Mark {
        match thing {
            Thing::Node(index) => self.node(index),
            Thing::Group(index) => self.group(index),
            Thing::Edge(index) => self.edge(index),
        }
    }
}
