//! Small parts that pages and panels share.

mod act;
mod choice;
mod dialog;
mod freshness;
mod search;
mod state;
mod table;
mod theme;
mod top_bar;

pub use act::Act;
pub use choice::Choice;
pub use dialog::{Close, Cross, Dialog, DialogFoot, Field, Select, Tick, close};
pub use freshness::{CableAsOf, Freshness, Simulated};
pub use search::Search;
pub use state::{
    HostStateChip, LinkStateChip, MAINTENANCE, MaintenanceChip, RouterStateChip, StateIcon,
    state_sign,
};
pub use table::TableFrame;
pub use theme::ThemeSwitch;
pub use top_bar::TopBar;
