//! What changed from one topology to the next, exactly: enough to go either way in time.

use crate::{Host, HostId, Link, LinkId, Router, RouterId, Segment, SegmentId, Topology};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// What changed between two topologies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Difference {
    /// Changed hosts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<Change<HostId, Host>>,
    /// Changed routers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routers: Vec<Change<RouterId, Router>>,
    /// Changed segments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Change<SegmentId, Segment>>,
    /// Changed links.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Change<LinkId, Link>>,
}

/// The change of one element: at least one of before and after is present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<I, T> {
    /// The element.
    pub id: I,
    /// What it was; absent if it is new.
    pub before: Option<Arc<T>>,
    /// What it is; absent if it is gone.
    pub after: Option<Arc<T>>,
}

impl Difference {
    /// Compares two topologies.
    pub fn between(old: &Topology, new: &Topology) -> Self {
        Self {
            hosts: compare(&old.hosts, &new.hosts),
            routers: compare(&old.routers, &new.routers),
            segments: compare(&old.segments, &new.segments),
            links: compare(&old.links, &new.links),
        }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many elements changed.
    pub fn len(&self) -> usize {
        self.hosts.len() + self.routers.len() + self.segments.len() + self.links.len()
    }

    /// Turns the older topology into the newer one.
    pub fn apply(&self, topology: &mut Topology) {
        apply(&self.hosts, &mut topology.hosts);
        apply(&self.routers, &mut topology.routers);
        apply(&self.segments, &mut topology.segments);
        apply(&self.links, &mut topology.links);
    }

    /// The way back.
    #[must_use]
    pub fn inverse(&self) -> Self {
        Self {
            hosts: inverse(&self.hosts),
            routers: inverse(&self.routers),
            segments: inverse(&self.segments),
            links: inverse(&self.links),
        }
    }
}

/// Elements that are one allocation in both are equal without a look inside, so that what did not
/// change costs next to nothing.
fn compare<I: Ord + Clone, T: Eq>(
    old: &BTreeMap<I, Arc<T>>,
    new: &BTreeMap<I, Arc<T>>,
) -> Vec<Change<I, T>> {
    let gone = old
        .iter()
        .filter(|(id, _)| !new.contains_key(id))
        .map(|(id, before)| (id, Some(before), None));
    let other = new
        .iter()
        .map(|(id, after)| (id, old.get(id), Some(after)))
        .filter(|(_, before, after)| before != after);
    let mut changes: Vec<_> = gone
        .chain(other)
        .map(|(id, before, after)| Change {
            id: id.clone(),
            before: before.cloned(),
            after: after.cloned(),
        })
        .collect();
    changes.sort_by(|a, b| a.id.cmp(&b.id));
    changes
}

fn apply<I: Ord + Clone, T>(changes: &[Change<I, T>], elements: &mut BTreeMap<I, Arc<T>>) {
    for change in changes {
        match &change.after {
            Some(after) => elements.insert(change.id.clone(), Arc::clone(after)),
            None => elements.remove(&change.id),
        };
    }
}

fn inverse<I: Clone, T>(changes: &[Change<I, T>]) -> Vec<Change<I, T>> {
    changes
        .iter()
        .map(|change| Change {
            id: change.id.clone(),
            before: change.after.clone(),
            after: change.before.clone(),
        })
        .collect()
}
