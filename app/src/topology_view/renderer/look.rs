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
    /// How many are to be found at once: named from any distance.
    lit: usize,
}

/// Marks of two looks for the same kind of things, and what those are by their index.
type Kind<'a> = (&'a [Mark], &'a [Mark], fn(u32) -> Thing);

impl Mark {
    /// Whether the reader asked for it.
    pub fn is_lit(&self) -> bool {
        self.ring || self.halo
    }
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
        let mark = &mut list[index];
        let before = usize::from(mark.is_lit());
        change(mark);
        self.lit = self.lit + usize::from(mark.is_lit()) - before;
    }

    /// Whether the reader asked for something.
    pub fn is_any_lit(&self) -> bool {
        self.lit > 0
    }

    /// What is marked otherwise than in `other`; `None` if that is more than `most`.
    pub fn differences(&self, other: &Self, most: usize) -> Option<Vec<Thing>> {
        let mut things = Vec::new();
        let kinds: [Kind<'_>; 3] = [
            (&self.groups, &other.groups, Thing::Group),
            (&self.nodes, &other.nodes, Thing::Node),
            (&self.edges, &other.edges, Thing::Edge),
        ];
        for (own, others, thing) in kinds {
            for index in 0..own.len().max(others.len()) {
                let mark = |marks: &[Mark]| marks.get(index).copied().unwrap_or_default();
                if mark(own) != mark(others) {
                    if things.len() >= most {
                        return None;
                    }
                    things.push(thing(index as u32));
                }
            }
        }
        Some(things)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_found_whichever_look_is_longer() {
        let mut few = Look::default();
        few.mark(Thing::Node(1), |mark| mark.ring = true);
        let mut more = few.clone();
        more.mark(Thing::Node(7), |mark| mark.dim = true);
        more.mark(Thing::Edge(0), |mark| mark.halo = true);
        // Marked as what is not marked.
        more.mark(Thing::Group(9), |mark| mark.dim = false);
        let both = vec![Thing::Node(7), Thing::Edge(0)];
        assert_eq!(few.differences(&more, 2), Some(both.clone()));
        assert_eq!(more.differences(&few, 2), Some(both));
        assert_eq!(few.differences(&more, 1), None);
        assert_eq!(few.differences(&few, 0), Some(Vec::new()));
    }

    #[test]
    fn what_the_reader_asked_for_is_counted() {
        let mut look = Look::default();
        assert!(!look.is_any_lit());
        look.mark(Thing::Node(3), |mark| (mark.ring, mark.halo) = (true, true));
        look.mark(Thing::Node(3), |mark| mark.ring = false);
        assert!(look.is_any_lit());
        look.mark(Thing::Node(3), |mark| mark.halo = false);
        assert!(!look.is_any_lit());
    }
}
