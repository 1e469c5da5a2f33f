//! The difference between two pictures, as it travels: runs of what stays, and what is new.
//!
//! Things are matched by id, in order. Indices inside what stays (a node's group, an edge's ends)
//! are carried over to where their targets went, so that one newcomer in the middle does not make
//! everything behind it another.

use crate::{Diagram, Edge, End, Group, Node, Point, Positions};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A piece of a list: so many of the old one from an index on, or new ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Run<T> {
    Old { from: u32, count: u32 },
    New(Vec<T>),
}

/// What makes the new picture of the old one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Delta {
    nodes: Vec<Run<Node>>,
    groups: Vec<Run<Group>>,
    edges: Vec<Run<Edge>>,
    /// The places that are others than before.
    moved: Vec<(String, Point)>,
    /// What has no place any more.
    gone: Vec<String>,
}

/// Where things of the old picture are in the new one.
#[derive(Default)]
struct Moves {
    nodes: Vec<Option<u32>>,
    groups: Vec<Option<u32>>,
}

impl Delta {
    /// The difference from `old` to `new`.
    pub fn between(old: (&Diagram, &Positions), new: (&Diagram, &Positions)) -> Self {
        let (before, after) = (old.0, new.0);
        let moves = Moves {
            nodes: went(&before.nodes, &after.nodes, |node| &node.id),
            groups: went(&before.groups, &after.groups, |group| &group.id),
        };
        let same =
            |a: &Point, b: &Point| a.x.to_bits() == b.x.to_bits() && a.y.to_bits() == b.y.to_bits();
        Self {
            nodes: runs(
                &before.nodes,
                &after.nodes,
                |node| &node.id,
                |node| moves.node(node),
            ),
            groups: runs(
                &before.groups,
                &after.groups,
                |group| &group.id,
                Clone::clone,
            ),
            edges: runs(
                &before.edges,
                &after.edges,
                |edge| &edge.id,
                |edge| moves.edge(edge),
            ),
            moved: new
                .1
                .iter()
                .filter(|(id, at)| !old.1.get(*id).is_some_and(|was| same(was, at)))
                .map(|(id, at)| (id.clone(), *at))
                .collect(),
            gone: old
                .1
                .keys()
                .filter(|id| !new.1.contains_key(*id))
                .cloned()
                .collect(),
        }
    }

    /// Makes the new picture. `None` if the difference is not one from `old`.
    pub fn apply(&self, old: &Diagram, places: &Positions) -> Option<(Diagram, Positions)> {
        let fits = fit(&self.nodes, old.nodes.len())
            && fit(&self.groups, old.groups.len())
            && fit(&self.edges, old.edges.len());
        if !fits {
            return None;
        }
        let mut moves = Moves::default();
        let groups = joined(&self.groups, &old.groups, Clone::clone);
        moves.groups = went(&old.groups, &groups, |group| &group.id);
        let nodes = joined(&self.nodes, &old.nodes, |node| moves.node(node));
        moves.nodes = went(&old.nodes, &nodes, |node| &node.id);
        let edges = joined(&self.edges, &old.edges, |edge| moves.edge(edge));
        let diagram = Diagram {
            nodes,
            edges,
            groups,
        };
        let mut places = places.clone();
        for id in &self.gone {
            places.remove(id);
        }
        places.extend(self.moved.iter().cloned());
        Some((diagram, places))
    }
}

impl Moves {
    /// An index that leads nowhere any more leads nowhere in the new list, too.
    const NOWHERE: u32 = u32::MAX;

    fn to(list: &[Option<u32>], index: u32) -> u32 {
        list.get(index as usize)
            .copied()
            .flatten()
            .unwrap_or(Self::NOWHERE)
    }

    fn node(&self, node: &Node) -> Node {
        Node {
            group: node.group.map(|group| Self::to(&self.groups, group)),
            ..node.clone()
        }
    }

    fn edge(&self, edge: &Edge) -> Edge {
        let end = |end: End| match end {
            End::Node(index) => End::Node(Self::to(&self.nodes, index)),
            End::Group(index) => End::Group(Self::to(&self.groups, index)),
        };
        Edge {
            a: end(edge.a),
            b: end(edge.b),
            ..edge.clone()
        }
    }
}

/// Where each of `old` is in `new`, by id.
fn went<T>(old: &[T], new: &[T], id: impl Fn(&T) -> &String) -> Vec<Option<u32>> {
    let at: HashMap<&String, u32> = new.iter().map(&id).zip(0..).collect();
    old.iter().map(|one| at.get(id(one)).copied()).collect()
}

/// Whether all runs lie within an old list of this length.
fn fit<T>(runs: &[Run<T>], length: usize) -> bool {
    runs.iter().all(|run| match run {
        Run::Old { from, count } => (*from as usize + *count as usize) <= length,
        Run::New(_) => true,
    })
}

fn joined<T: Clone>(runs: &[Run<T>], old: &[T], carry: impl Fn(&T) -> T) -> Vec<T> {
    let mut list = Vec::new();
    for run in runs {
        match run {
            Run::Old { from, count } => {
                let (from, count) = (*from as usize, *count as usize);
                list.extend(old.iter().skip(from).take(count).map(&carry));
            }
            Run::New(new) => list.extend(new.iter().cloned()),
        }
    }
    list
}

/// `new` as runs. `carry` makes of an old one what it is in the new list.
fn runs<T: Clone + PartialEq>(
    old: &[T],
    new: &[T],
    id: impl Fn(&T) -> &String,
    carry: impl Fn(&T) -> T,
) -> Vec<Run<T>> {
    let at: HashMap<&String, u32> = old.iter().map(&id).zip(0..).collect();
    let mut runs: Vec<Run<T>> = Vec::new();
    for one in new {
        let index = at
            .get(id(one))
            .copied()
            .filter(|&index| carry(&old[index as usize]) == *one);
        match (index, runs.last_mut()) {
            (Some(index), Some(Run::Old { from, count })) if *from + *count == index => *count += 1,
            (Some(index), _) => runs.push(Run::Old {
                from: index,
                count: 1,
            }),
            (None, Some(Run::New(list))) => list.push(one.clone()),
            (None, _) => runs.push(Run::New(vec![one.clone()])),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(rng: &mut fastrand::Rng, size: usize) -> (Diagram, Positions) {
        let groups: Vec<Group> = (0..=size / 4)
            .filter(|n| n % 3 != 1)
            .map(|n| Group {
                id: format!("g{n}"),
                label: format!("g{n}.{}", rng.u8(..2)),
                ..Group::default()
            })
            .collect();
        let mut some =
            |count: usize| -> Vec<usize> { (0..count).filter(|_| rng.u8(..) > 60).collect() };
        let (of_nodes, of_edges) = (some(size), some(size * 2));
        let nodes: Vec<Node> = of_nodes
            .into_iter()
            .map(|n| Node {
                id: format!("n{n}"),
                label: format!("n{n}.{}", rng.u8(..2)),
                group: (!groups.is_empty() && rng.bool()).then(|| (n % groups.len()) as u32),
                ..Node::default()
            })
            .collect();
        let edges = of_edges
            .into_iter()
            .filter(|_| !nodes.is_empty())
            .map(|n| Edge {
                id: format!("e{n}"),
                a: End::Node((n % nodes.len()) as u32),
                b: End::Node((n / 2 % nodes.len()) as u32),
                ..Edge::default()
            })
            .collect();
        let ids = nodes
            .iter()
            .map(|n| &n.id)
            .chain(groups.iter().map(|g| &g.id));
        let positions = ids
            .map(|id| {
                let at = Point {
                    x: f32::from(rng.u8(..3)),
                    y: 1.0,
                };
                (id.clone(), at)
            })
            .collect();
        let diagram = Diagram {
            nodes,
            edges,
            groups,
        };
        (diagram, positions)
    }

    #[test]
    fn a_difference_makes_the_new_of_the_old() {
        let mut rng = fastrand::Rng::with_seed(5);
        for size in [0, 1, 3, 10, 40] {
            for _ in 0..40 {
                let (old, from) = picture(&mut rng, size);
                let (new, to) = picture(&mut rng, size);
                let delta = Delta::between((&old, &from), (&new, &to));
                assert_eq!(delta.apply(&old, &from), Some((new, to)));
            }
        }
    }

    #[test]
    fn one_newcomer_in_front_is_all_that_travels() {
        let mut rng = fastrand::Rng::with_seed(6);
        let (old, from) = picture(&mut rng, 60);
        let (mut new, mut to) = (old.clone(), from.clone());
        let newcomer = Node {
            id: "new".to_owned(),
            ..Node::default()
        };
        new.nodes.insert(0, newcomer.clone());
        for edge in &mut new.edges {
            for end in [&mut edge.a, &mut edge.b] {
                if let End::Node(index) = end {
                    *index += 1;
                }
            }
        }
        to.insert("new".to_owned(), Point { x: 5.0, y: 5.0 });
        let delta = Delta::between((&old, &from), (&new, &to));
        let count = old.nodes.len() as u32;
        assert_eq!(
            delta.nodes,
            [Run::New(vec![newcomer]), Run::Old { from: 0, count }]
        );
        assert!(matches!(delta.edges[..], [Run::Old { from: 0, .. }]));
        assert_eq!(delta.moved.len(), 1);
        assert_eq!(delta.apply(&old, &from), Some((new, to)));
    }

    #[test]
    fn a_difference_from_something_else_is_refused() {
        let mut rng = fastrand::Rng::with_seed(7);
        let (old, from) = picture(&mut rng, 40);
        let delta = Delta::between((&old, &from), (&old, &from));
        assert_eq!(delta.apply(&Diagram::default(), &from), None);
    }
}
