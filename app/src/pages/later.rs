//! What the first page can do without: a part of the wasm of its own each, which the browser loads
//! when it is wanted. The server has everything at hand.
//!
//! The build splits the wasm at these functions (`xtask`, `site.rs`). Whatever only they reach goes
//! along, so what they show, read and decode must be used nowhere else: one use, and it is part of
//! what every page waits for.

// Each part may fail to come, which is no failure of its own.
#![allow(clippy::unnecessary_wraps)]

use crate::{
    Element, Failure,
    errands::errander::Errander,
    images::ImagesPage,
    jobs::{drawer::Drawer, page::JobsPage},
    moving::mover::Mover,
    panels::SelectionPanel,
    server_functions::Range,
    settings::SettingsPage,
    tables::{HostsPage, RoutersPage, failed},
    topology_view::route::Aim,
};
use api::TopologyView;
use leptos::prelude::*;
use leptos_router::LazyRoute;
use wasm_split_helpers::{SplitLoaderError, wasm_split};

/// A page that is loaded when one goes there.
macro_rules! page {
    ($route:ident, $part:ident, $load:ident, $component:ident) => {
        pub struct $route;

        impl LazyRoute for $route {
            fn data() -> Self {
                Self
            }

            async fn view(_: Self) -> AnyView {
                shown($part().await)
            }

            async fn preload() {
                // Without success, `view` tries again and shows why.
                let _ = $load().await;
            }
        }

        #[wasm_split($part, fallible, preload($load))]
        fn $part() -> Result<AnyView, Failure> {
            Ok($component().into_any())
        }
    };
}

page!(Hosts, hosts, load_hosts, HostsPage);
page!(Routers, routers, load_routers, RoutersPage);
page!(Images, images, load_images, ImagesPage);
page!(Jobs, jobs, load_jobs, JobsPage);
page!(Settings, settings, load_settings, SettingsPage);

/// What is known of the selected element.
pub async fn selection(
    selected: Memo<Option<Element>>,
    view: Signal<TopologyView>,
    range: Signal<Range>,
    aim: Memo<Option<Aim>>,
) -> AnyView {
    shown(panel(selected, view, range, aim).await)
}

#[wasm_split(panel, fallible, preload(load_panel))]
fn panel(
    selected: Memo<Option<Element>>,
    view: Signal<TopologyView>,
    range: Signal<Range>,
    aim: Memo<Option<Aim>>,
) -> Result<AnyView, Failure> {
    Ok(view! { <SelectionPanel selected view range aim/> }.into_any())
}

/// The drawer of jobs.
pub async fn drawer() -> AnyView {
    shown(jobs_drawer().await)
}

#[wasm_split(jobs_drawer, fallible)]
fn jobs_drawer() -> Result<AnyView, Failure> {
    Ok(view! { <Drawer/> }.into_any())
}

/// What moves routers: the dialog, what is shown while one is dragged, and the menu.
pub async fn mover() -> AnyView {
    shown(moving().await)
}

#[wasm_split(moving, fallible)]
fn moving() -> Result<AnyView, Failure> {
    Ok(view! { <Mover/> }.into_any())
}

/// The dialogs for what is wanted beside moving, and consoles.
pub async fn errander() -> AnyView {
    shown(errands().await)
}

#[wasm_split(errands, fallible)]
fn errands() -> Result<AnyView, Failure> {
    Ok(view! { <Errander/> }.into_any())
}

/// Loads what the page at the present address consists of. A page comes alive in one step, within
/// which nothing it shows may change: so this comes before.
///
/// # Errors
/// It did not come.
#[cfg(feature = "hydrate")]
pub async fn load() -> Result<(), Failure> {
    let location = location();
    match location
        .pathname()
        .unwrap_or_default()
        .trim_end_matches('/')
    {
        "" => {
            let query = location.search().unwrap_or_default();
            if query.contains("select=") {
                load_panel().await?;
            }
        }
        "/hosts" => load_hosts().await?,
        "/routers" => load_routers().await?,
        "/images" => load_images().await?,
        "/jobs" => load_jobs().await?,
        "/settings" => load_settings().await?,
        _ => {}
    }
    Ok(())
}

fn shown(part: Result<AnyView, Failure>) -> AnyView {
    part.unwrap_or_else(|failure| failed(&failure).into_any())
}

impl From<SplitLoaderError> for Failure {
    fn from(_: SplitLoaderError) -> Self {
        Self::Transport(
            "A part of the page did not come: the server does not answer, or is another version by \
             now. Reload the page."
                .to_owned(),
        )
    }
}
