//! Paths over petgraph.
