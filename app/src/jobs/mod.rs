//! Jobs: which there are, how far they are, and what came of them.
//!
//! ```text
//! Event::Job ─▶ live ─┐                 ┌─▶ button (how many work), notes (what ended)
//! list_jobs ──────────┴─▶ Jobs (known) ─┤
//!                                       └─▶ drawer, page, a router's panel
//! ```
//!
//! The list is kept here once a page; whoever shows jobs follows it.

mod button;
pub mod card;
pub mod drawer;
mod known;
mod notes;
pub mod page;
pub mod words;

pub use button::JobsButton;
pub use known::{Desk, Known, UNKNOWN_YET};
pub use notes::Notes;
