//! Expressions over the things of a diagram, for filters and highlights.
//!
//! ```text
//! query  = [ either ]
//! either = all { "or" all }
//! all    = unary { [ "and" ] unary }
//! unary  = ( "not" | "-" ) unary | "(" either ")" | test
//! test   = key ( ":" | "=" | "<" | ">" | "<=" | ">=" ) value | word | quoted
//! ```
//!
//! A word alone looks at names, addresses, MAC addresses, tags, ids and networks. Text is found
//! anywhere and in any case. [`KEYS`] lists what can be asked.
//!
//! A test can be true, false or without an answer: a link has no tag, and nobody may know a load.
//! What has no answer stays without one under `not`, and `and` and `or` take it as Kleene's logic
//! does (Kleene 1952, *Introduction to Metamathematics*, §64). Only what is true matches. That is
//! what makes one language serve nodes and links alike: `kind:router -state:down` says nothing of a
//! link that is up, so that such a link goes with its ends, and takes away one that is down.

mod parse;

use crate::fold::contains;
use crate::{Diagram, Edge, EdgeKind, EdgeState, End, Facts, NodeKind, NodeState, Thing};
pub use parse::QueryError;
use std::net::IpAddr;

/// What can be asked, and what for: key, meaning, example.
pub const KEYS: [(&str, &str, &str); 16] = [
    (
        "kind",
        "host, router, segment, switch, link, physical, virtual, attachment or migration",
        "kind:router",
    ),
    (
        "state",
        "as it is called: running, shut-off, crashed, online, up, down, …",
        "state:running",
    ),
    (
        "name",
        "part of a name; of a link, an interface at its ends",
        "name:edge",
    ),
    ("id", "part of an id", "id:router"),
    (
        "network",
        "part of a virtual network's name",
        "network:ring",
    ),
    (
        "host",
        "part of the name of a router's host, or of a host",
        "host:ams",
    ),
    ("site", "part of a host's site", "site:Zurich"),
    ("tag", "part of a tag", "tag:core"),
    (
        "address",
        "an IP address, or a prefix that it is in",
        "address:10.0.0.0/8",
    ),
    ("mac", "part of a MAC address", "mac:52:54:00"),
    ("medium", "what carries a segment", "medium:bridge"),
    (
        "stale",
        "yes or no: whether what is known of it is old",
        "stale:yes",
    ),
    (
        "maintenance",
        "yes or no: whether a host is in maintenance",
        "maintenance:yes",
    ),
    ("degree", "how many links it has", "degree>2"),
    (
        "capacity",
        "a link's, in bit/s, with k, M, G or T",
        "capacity>=10G",
    ),
    ("load", "how busy it is, in per cent", "load>80"),
];

/// Numbers that a diagram does not hold because they change all the time.
pub trait Numbers {
    /// How busy the thing with this id is, from 0 to 1; none if nobody knows.
    fn load(&self, id: &str) -> Option<f32>;
}

/// Nobody knows any number.
impl Numbers for () {
    fn load(&self, _: &str) -> Option<f32> {
        None
    }
}

/// An expression, ready to be asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Query(Expression);

#[derive(Clone, Debug, PartialEq)]
enum Expression {
    All(Vec<Expression>),
    Either(Vec<Expression>),
    Not(Box<Expression>),
    Test(Test),
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    /// A bit for each [`Kind`] that is meant.
    Kind(u8),
    /// A bit for each [`state_bit`] that is meant.
    State(u32),
    /// Text in small letters, anywhere in a field.
    Text(Field, String),
    /// In this prefix: its address as a number, how many of the last bits are free, whether IPv6.
    Address(u128, u32, bool),
    Stale(bool),
    Maintenance(bool),
    Number(Quantity, Comparison, f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    /// Any that a bare word looks at.
    Any,
    Name,
    Id,
    Network,
    Host,
    Site,
    Tag,
    Mac,
    Medium,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantity {
    Degree,
    Capacity,
    Load,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

/// Bits of [`Test::Kind`].
const LINKS: u8 = 0b1111_0000;

fn node_kind_bit(kind: NodeKind) -> u8 {
    1 << kind as u8
}

fn edge_kind_bit(kind: EdgeKind) -> u8 {
    0b1_0000 << kind as u8
}

/// Bits of [`Test::State`]: hosts, then other nodes, then edges.
fn state_bit(kind: NodeKind, state: NodeState) -> u32 {
    let shift = if kind == NodeKind::Host { 0 } else { 8 };
    1 << (shift + state as u32)
}

fn edge_state_bit(state: EdgeState) -> u32 {
    1 << (16 + state as u32)
}

/// The bits of edges.
const EDGE_STATES: u32 = !0 << 16;

impl Query {
    /// Reads an expression. Nothing matches everything.
    ///
    /// # Errors
    /// A sentence that says where, and what was expected.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        parse::parse(text).map(Self)
    }

    /// Whether it is empty, so that everything matches.
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Expression::All(all) if all.is_empty())
    }

    /// Gets ready to ask about many things of one diagram.
    pub fn on<'a>(&'a self, diagram: &'a Diagram, numbers: &'a dyn Numbers) -> Asking<'a> {
        let mut degrees = [Vec::new(), Vec::new()];
        if self.0.asks_degrees() {
            degrees = [vec![0; diagram.nodes.len()], vec![0; diagram.groups.len()]];
            for end in diagram.lasting_edges().flat_map(|edge| [edge.a, edge.b]) {
                let degree = match end {
                    End::Node(index) => degrees[0].get_mut(index as usize),
                    End::Group(index) => degrees[1].get_mut(index as usize),
                };
                if let Some(degree) = degree {
                    *degree += 1;
                }
            }
        }
        Asking {
            query: self,
            diagram,
            numbers,
            degrees,
        }
    }

    /// Whether it is true of one thing. For many things, [`on`](Self::on) is faster.
    pub fn matches(&self, diagram: &Diagram, thing: Thing, numbers: &dyn Numbers) -> bool {
        self.on(diagram, numbers).matches(thing)
    }
}

impl Expression {
    fn asks_degrees(&self) -> bool {
        match self {
            Self::All(list) | Self::Either(list) => list.iter().any(Self::asks_degrees),
            Self::Not(inner) => inner.asks_degrees(),
            Self::Test(test) => matches!(test, Test::Number(Quantity::Degree, ..)),
        }
    }
}

/// A query and what it is asked of.
pub struct Asking<'a> {
    query: &'a Query,
    diagram: &'a Diagram,
    numbers: &'a dyn Numbers,
    /// Of nodes and of groups; empty if nobody asks.
    degrees: [Vec<u32>; 2],
}

/// A node or group, seen as the same.
struct Place<'a> {
    id: &'a str,
    label: &'a str,
    kind: NodeKind,
    state: NodeState,
    stale: bool,
    facts: &'a Facts,
    degree: Option<u32>,
}

impl<'a> Asking<'a> {
    /// Whether the query is true of it.
    pub fn matches(&self, thing: Thing) -> bool {
        self.verdict(thing) == Some(true)
    }

    /// Whether the query is true or false of it; none if it says nothing of it.
    pub fn verdict(&self, thing: Thing) -> Option<bool> {
        if let Thing::Edge(index) = thing {
            let edge = self.diagram.edges.get(index as usize)?;
            decide(&self.query.0, &|test| self.of_edge(test, edge))
        } else {
            let place = self.place(thing)?;
            decide(&self.query.0, &|test| self.of_place(test, &place))
        }
    }

    /// All that match.
    pub fn all(&self) -> impl Iterator<Item = Thing> {
        self.diagram.things().filter(|&thing| self.matches(thing))
    }

    fn place(&self, thing: Thing) -> Option<Place<'a>> {
        match thing {
            Thing::Node(index) => {
                let node = self.diagram.nodes.get(index as usize)?;
                Some(Place {
                    id: &node.id,
                    label: &node.label,
                    kind: node.kind,
                    state: node.state,
                    stale: node.stale,
                    facts: &node.facts,
                    degree: self.degrees[0].get(index as usize).copied(),
                })
            }
            Thing::Group(index) => {
                let group = self.diagram.groups.get(index as usize)?;
                Some(Place {
                    id: &group.id,
                    label: &group.label,
                    kind: NodeKind::Host,
                    state: group.state,
                    stale: group.stale,
                    facts: &group.facts,
                    degree: self.degrees[1].get(index as usize).copied(),
                })
            }
            Thing::Edge(_) => None,
        }
    }

    fn of_place(&self, test: &Test, place: &Place) -> Option<bool> {
        Some(match test {
            Test::Kind(kinds) => kinds & node_kind_bit(place.kind) != 0,
            Test::State(states) => states & state_bit(place.kind, place.state) != 0,
            Test::Text(field, text) => place.says(*field, text),
            Test::Address(prefix, free, six) => place
                .facts
                .addresses
                .iter()
                .any(|address| within(address, *prefix, *free, *six)),
            Test::Stale(stale) => *stale == place.stale,
            // Of what cannot be in maintenance it says nothing.
            Test::Maintenance(yes) => {
                let said = (place.kind == NodeKind::Host).then_some(place.facts);
                *yes == said?.maintenance.is_some()
            }
            Test::Number(Quantity::Degree, comparison, value) => {
                comparison.holds(f64::from(place.degree?), *value)
            }
            Test::Number(Quantity::Load, comparison, value) => {
                comparison.holds(f64::from(self.numbers.load(place.id)?), *value)
            }
            Test::Number(Quantity::Capacity, ..) => false,
        })
    }

    fn of_edge(&self, test: &Test, edge: &Edge) -> Option<bool> {
        match test {
            Test::Kind(kinds) => {
                (kinds & LINKS != 0).then(|| kinds & edge_kind_bit(edge.kind) != 0)
            }
            Test::State(states) => {
                (states & EDGE_STATES != 0).then(|| states & edge_state_bit(edge.state) != 0)
            }
            Test::Text(Field::Any, text) => contains(&edge.label, text).then_some(true),
            Test::Text(Field::Name, text) => {
                let says = edge.ports.iter().any(|port| contains(port, text));
                says.then_some(true)
            }
            Test::Text(Field::Id, text) => Some(contains(&edge.id, text)),
            // A link is where both of its ends are, if they are somewhere.
            Test::Text(field, text) => {
                let says = |end: End| {
                    let place = self.place(end.into())?;
                    place.knows(*field).then(|| place.says(*field, text))
                };
                let (a, b) = (says(edge.a)?, says(edge.b)?);
                (a == b).then_some(a)
            }
            Test::Address(..)
            | Test::Stale(_)
            | Test::Maintenance(_)
            | Test::Number(Quantity::Degree, ..) => None,
            Test::Number(Quantity::Capacity, comparison, value) => {
                let known = edge.capacity.is_finite() && edge.capacity > 0.0;
                known.then(|| comparison.holds(f64::from(edge.capacity), *value))
            }
            Test::Number(Quantity::Load, comparison, value) => {
                let load = self.numbers.load(&edge.id)?;
                Some(comparison.holds(f64::from(load), *value))
            }
        }
    }
}

impl Place<'_> {
    fn knows(&self, field: Field) -> bool {
        let facts = self.facts;
        match field {
            Field::Network => !facts.network.is_empty(),
            Field::Host => self.kind == NodeKind::Host || !facts.host.is_empty(),
            Field::Site => !facts.site.is_empty(),
            Field::Tag => !facts.tags.is_empty(),
            Field::Mac => !facts.macs.is_empty(),
            Field::Medium => !facts.medium.is_empty(),
            Field::Any | Field::Name | Field::Id => true,
        }
    }

    fn says(&self, field: Field, text: &str) -> bool {
        let any = |list: &[String]| list.iter().any(|one| contains(one, text));
        let facts = self.facts;
        match field {
            Field::Any => {
                contains(self.label, text)
                    || contains(&facts.network, text)
                    || any(&facts.tags)
                    || any(&facts.addresses)
                    || any(&facts.macs)
                    || contains(self.id, text)
            }
            Field::Name => contains(self.label, text),
            Field::Id => contains(self.id, text),
            Field::Network => contains(&facts.network, text),
            Field::Host if self.kind == NodeKind::Host => contains(self.label, text),
            Field::Host => contains(&facts.host, text),
            Field::Site => contains(&facts.site, text),
            Field::Tag => any(&facts.tags),
            Field::Mac => any(&facts.macs),
            Field::Medium => contains(&facts.medium, text),
        }
    }
}

/// Kleene's strong logic of three values.
fn decide(expression: &Expression, ask: &dyn Fn(&Test) -> Option<bool>) -> Option<bool> {
    let (list, decisive) = match expression {
        Expression::Test(test) => return ask(test),
        Expression::Not(inner) => return decide(inner, ask).map(|answer| !answer),
        Expression::All(list) => (list, false),
        Expression::Either(list) => (list, true),
    };
    let mut answer = Some(!decisive);
    for one in list {
        match decide(one, ask) {
            Some(said) if said == decisive => return Some(said),
            Some(_) => {}
            None => answer = None,
        }
    }
    answer
}

impl Comparison {
    /// Numbers within a thousandth of each other are equal: a sum of capacities is no exact number.
    fn holds(self, number: f64, value: f64) -> bool {
        let equal = (number - value).abs() <= value.abs().max(1e-9) * 1e-3;
        match self {
            Self::Less => !equal && number < value,
            Self::AtMost => equal || number < value,
            Self::Equal => equal,
            Self::AtLeast => equal || number > value,
            Self::More => !equal && number > value,
        }
    }
}

/// An address as a number, and whether it is IPv6. What follows a slash or a zone is left out.
fn number(address: &str) -> Option<(u128, bool)> {
    let bare = address.split(['/', '%']).next()?;
    Some(match bare.parse().ok()? {
        IpAddr::V4(four) => (u128::from(four.to_bits()), false),
        IpAddr::V6(six) => (six.to_bits(), true),
    })
}

fn within(address: &str, prefix: u128, free: u32, six: bool) -> bool {
    let shift = |bits: u128| bits.checked_shr(free).unwrap_or(0);
    number(address).is_some_and(|(bits, is_six)| is_six == six && shift(bits) == shift(prefix))
}

#[cfg(test)]
mod tests;
