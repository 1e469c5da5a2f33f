//! Making routers and links, changing them, and taking them away.
//!
//! - `routers`: what is done to a router in a job of its own.
//!
//! What does not live here: who may ask for it (`service`); how a job goes on after a sudden death
//! (`jobs`); images (`images`).

mod routers;

pub(crate) use routers::{ShuttingDown, shut_down};
