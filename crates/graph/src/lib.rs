//! Paths and layout over petgraph, and the pure Scene that every renderer draws.
