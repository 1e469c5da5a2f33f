//! Inventory, topology and the differences between topologies: pure, internal.
