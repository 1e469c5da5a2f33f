//! Making routers and links, changing them, and taking them away.
//!
//! - `create`: making a router; `check`: whether it can be made, and where; `define`: what it is defined
//!   as; `seed`: what cloud-init reads in it;
//! - `routers`: what is done to a router in a job of its own; `changes`: what is changed at once;
//! - `links`: virtual links between two routers; `pools`: what they are given;
//! - `nics`: interfaces in definitions.
//!
//! What does not live here: who may ask for it (`service`); how a job goes on after a sudden death
//! (`jobs`); images (`images`).

pub(crate) mod changes;
pub(crate) mod check;
pub(crate) mod create;
mod define;
pub(crate) mod links;
pub(crate) mod nics;
mod pools;
pub(crate) mod routers;
mod seed;
#[cfg(test)]
mod tests;

pub(crate) use create::Creation;
pub(crate) use links::{LinkCreation, LinkDeletion};
pub(crate) use pools::Taken;
pub(crate) use routers::{Deletion, ShuttingDown};

pub(crate) use crate::jobs::work::sentence;

use crate::jobs::task::Act;
use std::hash::{BuildHasher, RandomState};

/// A number that nobody foresees.
pub(crate) fn random() -> u32 {
    // The standard library's hashers are seeded at random.
    RandomState::new().hash_one(0) as u32
}

/// Takes what a task is about to hold out of the pools.
pub(crate) fn hold(act: &Act, taken: &mut Taken) {
    if let Act::CreateRouter(creation) = act {
        for nic in &creation.nics {
            taken.macs.insert(nic.mac);
            for address in &nic.addresses {
                taken.address(address);
            }
        }
    }
}
