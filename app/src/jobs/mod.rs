//! Jobs: which there are, how far they are, and what came of them.
//!
//! ```text
//! Event::Job ─▶ live ─┐                 ┌─▶ button (how many work), notes (what ended)
//! list_jobs ──────────┴─▶ Jobs (known) ─┤
//!                                       └─▶ drawer, page, a router's panel
//! ```
//!
//! The list is kept once a page. Whatever reads and shows jobs is loaded once there are jobs: the first
//! page can do without.

mod button;
pub mod card;
mod clerk;
pub mod drawer;
mod known;
pub mod notes;
pub mod page;
pub mod words;

pub use button::JobsButton;
pub use known::{Desk, Known, UNKNOWN_YET};
