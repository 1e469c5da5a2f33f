//! Small parts that pages and panels share.

mod choice;
mod freshness;
mod state;
mod theme;
mod top_bar;

pub use choice::Choice;
pub use freshness::{Freshness, Simulated};
pub use state::{HostStateChip, LinkStateChip, RouterStateChip, StateIcon};
pub use theme::ThemeSwitch;
pub use top_bar::{Search, TopBar};
