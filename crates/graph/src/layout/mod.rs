//! Places for everything: [`arrange`], by one of several [`Layout`]s.
//!
//! - Without boxes each connected part is laid out by itself, and the parts stand side by side.
//!   Each layout names the papers that it follows: [`stress`], `force`, `layered`, `circular`,
//!   `grid`, `radial`.
//! - With boxes there is containment: members in boxes, boxes in rows, the rest in the lanes
//!   between. The other layouts see a box as one large node; its members sit in rows inside.
//! - After a small change, given the places before it: what had a place keeps it, newcomers go to
//!   the nearest free place, boxes that grow push their neighbours as far as they need to. The
//!   picture never jumps; it is arranged anew only when much of it is new.
//! - What is pinned is where it is pinned; everything else makes way.
//!
//! All of it is deterministic: random numbers come from a generator of our own with fixed seeds,
//! and no function is used whose last digits are the platform's choice.

mod adjacency;
mod assign;
mod circular;
mod contain;
mod flat;
mod force;
mod grid;
mod keep;
mod layered;
mod overlap;
mod pack;
mod quadtree;
mod radial;
mod random;
pub mod stress;
mod trigonometry;

use crate::shape::{footprint, text_width};
use crate::{Diagram, End, Point, Positions, Rect};
use adjacency::Adjacency;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Width over height that pictures aim at.
const ASPECT: f32 = 1.6;

/// How things are arranged.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Boxes in rows and the rest between them; without boxes as [`Layout::Stress`].
    #[default]
    Containment,
    /// Distances in the picture follow distances in the graph.
    Stress,
    /// Springs and charges: groups that hang together show.
    Force,
    /// In layers from the middle of the graph downwards.
    Layered,
    /// Each connected part on a circle.
    Circular,
    /// In rows and columns.
    Grid,
    /// On rings around the middle of the graph.
    Radial,
}

impl Layout {
    /// All layouts, in the order in which a page offers them.
    pub const ALL: [Self; 7] = [
        Self::Containment,
        Self::Stress,
        Self::Force,
        Self::Layered,
        Self::Circular,
        Self::Grid,
        Self::Radial,
    ];

    /// The name, as in an address or a command.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Containment => "containment",
            Self::Stress => "stress",
            Self::Force => "force",
            Self::Layered => "layered",
            Self::Circular => "circular",
            Self::Grid => "grid",
            Self::Radial => "radial",
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Layout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|layout| layout.as_str() == text)
            .ok_or_else(|| {
                let known = Self::ALL.map(Self::as_str).join(", ");
                format!("{text:?} is not a layout: one of {known} was expected")
            })
    }
}

/// An arrangement that is asked for elsewhere: [`Start`] as it travels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Which layout.
    pub layout: Layout,
    /// The places before it; empty: it is arranged from nothing.
    pub previous: Positions,
    /// What someone has put where it is.
    pub pins: Positions,
}

impl Order {
    /// Arranges `diagram` so.
    pub fn carry_out(&self, diagram: &Diagram) -> Positions {
        let given = |places| Some(places).filter(|places: &&Positions| !places.is_empty());
        arrange(
            diagram,
            Start {
                layout: self.layout,
                previous: given(&self.previous),
                pins: given(&self.pins),
            },
        )
    }
}

/// What an arrangement starts from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Start<'a> {
    /// Which layout.
    pub layout: Layout,
    /// The picture before it, by the same layout: what was there stays.
    pub previous: Option<&'a Positions>,
    /// What someone has put where it is, by id: it stays exactly there, and everything else goes
    /// around it.
    pub pins: Option<&'a Positions>,
}

impl<'a> From<Option<&'a Positions>> for Start<'a> {
    fn from(previous: Option<&'a Positions>) -> Self {
        Self {
            previous,
            ..Self::default()
        }
    }
}

/// Where some items are already.
#[derive(Default)]
struct Known {
    /// Where they were in the picture before.
    before: Vec<Option<Point>>,
    /// Where they must stay.
    pins: Vec<Option<Point>>,
}

impl Known {
    /// Of repeated ids the first is the one that is pinned.
    fn of<'a>(ids: impl Iterator<Item = &'a String>, start: Start<'_>) -> Self {
        let find = |from: Option<&Positions>, id: &String| {
            from?.get(id).copied().filter(|p| p.is_drawable())
        };
        let mut known = Self::default();
        let mut seen = BTreeSet::new();
        for id in ids {
            known.before.push(find(start.previous, id));
            let pin = find(start.pins, id);
            known.pins.push(pin.filter(|_| seen.insert(id)));
        }
        known
    }

    /// Where they are: by their pin, else as before.
    fn places(&self) -> Vec<Option<Point>> {
        let both = self.pins.iter().zip(&self.before);
        both.map(|(pin, before)| pin.or(*before)).collect()
    }

    fn pinned(&self) -> Vec<bool> {
        self.pins.iter().map(Option::is_some).collect()
    }

    fn has_pins(&self) -> bool {
        self.pins.iter().any(Option::is_some)
    }
}

/// Finds a place for every node and group of `diagram`: symbols, labels and boxes do not overlap.
///
/// With the positions of the picture before it, nodes and groups that were there stay where they
/// were, as far as the newcomers leave them; should more than a third be new, the whole is
/// arranged anew. What is pinned has the place of its pin, even where two pins lie on one another;
/// a box with a pinned member is drawn around it wherever it is. The same input gives the same
/// output. Of repeated ids the first counts.
pub fn arrange(diagram: &Diagram, start: Start<'_>) -> Positions {
    let nodes = Known::of(diagram.nodes.iter().map(|n| &n.id), start);
    let groups = Known::of(diagram.groups.iter().map(|g| &g.id), start);
    let before = || nodes.before.iter().chain(&groups.before);
    let missing = before().filter(|place| place.is_none()).count();
    let is_small_change = missing * 3 <= before().count();

    let (at, centers) = if diagram.groups.is_empty() {
        let flat = flat_input(diagram);
        let at = if is_small_change {
            flat::warm(start.layout, &flat, &nodes)
        } else {
            flat::around(start.layout, &flat, &nodes)
        };
        (at, Vec::new())
    } else {
        let plan = contain::Plan::new(diagram);
        if is_small_change {
            keep::warm(&plan, &nodes, &groups)
        } else {
            contain::around(start.layout, &plan, &nodes, &groups)
        }
    };

    let mut positions = Positions::new();
    let ids = diagram.nodes.iter().map(|n| &n.id);
    let ids = ids.chain(diagram.groups.iter().map(|g| &g.id));
    let pins = nodes.pins.iter().chain(&groups.pins);
    for ((id, point), pin) in ids.zip(at.iter().chain(&centers)).zip(pins) {
        let place = pin.unwrap_or(Point {
            x: tenth(point.x),
            y: tenth(point.y),
        });
        positions.entry(id.clone()).or_insert(place);
    }
    positions
}

/// Tenths of a pixel are enough, and shorter to send.
fn tenth(v: f32) -> f32 {
    // Adding zero makes one of the two zeros.
    (v * 10.0).round() / 10.0 + 0.0
}

/// What the layouts without boxes read.
struct Flat {
    graph: Adjacency,
    /// The room that each node takes, seen from its place.
    shapes: Vec<Rect>,
    /// How much farther apart neighbours want to be than they are wide.
    spread: f32,
}

fn flat_input(diagram: &Diagram) -> Flat {
    let pairs = diagram
        .lasting_edges()
        .filter_map(|edge| match (edge.a, edge.b) {
            (End::Node(a), End::Node(b)) => Some((a, b)),
            _ => None,
        });
    let widest = diagram
        .lasting_edges()
        .map(|edge| {
            text_width(
                &crate::shape::edge_text(&edge.label),
                crate::shape::EDGE_TEXT,
            )
        })
        .fold(0.0, f32::max);
    Flat {
        graph: Adjacency::new(diagram.nodes.len(), pairs),
        shapes: diagram.nodes.iter().map(footprint).collect(),
        spread: if widest > 0.0 {
            68.0 + widest.min(90.0)
        } else {
            52.0
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_known_by_its_name() {
        for layout in Layout::ALL {
            assert_eq!(layout.to_string().parse(), Ok(layout));
        }
        let error = "spiral".parse::<Layout>().unwrap_err();
        assert!(
            error.contains("stress") && error.contains("spiral"),
            "{error}"
        );
    }
}
