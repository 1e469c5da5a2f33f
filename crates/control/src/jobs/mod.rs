//! Jobs: work that takes long, is told about while it lasts, and survives the death of the server.
//!
//! ```text
//!           turn            checked          prepared                 there
//!  Waiting ─────▶ Checking ─────────▶ Preparing ─────▶ Transferring ─────────▶ Finishing ─▶ Done
//!                                         │   (cold: Stopping, Transferring,      succeeded
//!                                         │          Switching)                       │
//!                     failed, cancelled,  ▼                                           │ a host
//!                     server died      Undoing ─▶ Done: failed, cancelled,            ▼ is away
//!                                         └─────▶       interrupted        ◀── cleanup pending
//! ```
//!
//! What is told of a job ([`api::Job`]) and what is to be done and undone ([`plan::Plan`]) are in
//! `vms.db` before anything is done. A live migration's point of no return is libvirt's: whether it
//! was passed is asked of both hosts (`find`). A cold one's is ours: [`plan::Stage::Committed`] is
//! written down before the router starts at the destination; before it everything is taken back, and
//! after it nothing is. Either way a job then knows its outcome and has only chores left (`chores`),
//! each on one host; a host that is away is waited for, in the state *cleanup pending*.
//!
//! After a restart each job goes on from what is written down, in its old place of the queue, once
//! contact with its hosts was tried: from before the move it is taken back (*interrupted*), during one
//! the hosts are asked, and after it its chores are done. A host that is away is waited for also to
//! be asked where the router is, or to start it; whoever does not want to wait cancels the job, and
//! then nothing more is done to either host.
//!
//! - `book`: all jobs, and who waits for them; `turns`: how many a host at once;
//! - `plan`: what is to be done and undone; `work`: what all jobs do on their way;
//! - `run`: a migration from its turn to its end; `task`: any other job;
//! - `check`: whether a router can be moved, and where to;
//! - `live`, `cold`: the two ways to move it; `disks`, `links`: what goes with it; `find`: where it
//!   is.
//!
//! What does not live here: who may ask for a job, and request ids (`service`).

mod book;
pub(crate) mod check;
mod chores;
mod cold;
mod disks;
mod find;
mod links;
mod live;
pub(crate) mod plan;
mod run;
pub(crate) mod task;
mod turns;
pub(crate) mod work;

pub(crate) use book::{Entry, Jobs};
pub(crate) use chores::needed_by;
pub(crate) use links::transport_address;
pub(crate) use run::{go_on, no_job, start};
