//! Ways through a graph, and what is lost if a part of it fails.
//!
//! - [`Network`]: a multigraph laid out for searching; [`Way`]: an edge in one direction;
//! - [`Searcher`]: the best path between two nodes, and loopless alternatives to it;
//! - [`Measure`]: what makes one path better than another, by the [`Values`] of ways;
//! - [`bridges`] and [`cut_nodes`]: over petgraph, as whole-graph analysis is.
//!
//! Searching has a graph type of its own, in compressed sparse rows: the arcs of each node lie side
//! by side in one array. What a search costs is waiting for memory, and petgraph's `Graph` is a
//! linked list of edges, one jump each; its `Csr` knows no parallel edges, and two links between the
//! same hosts are two links. Numbers are whole (nanoseconds, bits a second), so that sums do not
//! depend on their order and two paths that are equally good are seen to be.

mod alternatives;
mod cuts;
mod hops;
mod marks;
mod network;
mod search;
#[cfg(test)]
mod tests;
mod width;

pub use alternatives::{Measure, Path};
pub use cuts::{bridges, cut_nodes};
pub use network::{Network, Values, Way};
pub use search::Searcher;
