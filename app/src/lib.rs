//! The web app: pages, components, topology view, charts, server functions.
//!
//! ```text
//! shell ─▶ App ─▶ /         topology_view (picture, camera, list) and panels
//!                 /hosts    tables::hosts
//!                 /routers  tables::routers
//!                 /images   images
//!                 /settings settings (hosts: which there are, adding and removing)
//! ```
//!
//! The same code runs twice: on the server (feature `ssr`), where every page is complete and
//! useful without script, and in the browser (feature `hydrate`), where it comes alive. It reaches
//! the fleet only through the [`server_functions`], thin adapters over `api::Operations`, and the
//! graph through `GET /graph/{version}` ([`topology_view::Picture`]). What a host is asked and how
//! does not live here.

#![recursion_limit = "512"]

pub mod chart;
mod clock;
pub mod components;
mod element;
pub mod endpoint;
pub mod errands;
mod failure;
pub mod format;
mod images;
pub mod jobs;
pub mod live;
pub mod moving;
mod pages;
mod panels;
pub mod server_functions;
mod settings;
mod shell;
mod tables;
pub mod topology_view;
mod wire;

pub use element::Element;
pub use failure::Failure;
pub use pages::App;
#[cfg(feature = "hydrate")]
pub use pages::load;
pub use shell::shell;
