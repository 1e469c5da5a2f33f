//! The wasm entry points.
