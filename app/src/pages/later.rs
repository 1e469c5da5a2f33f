//! What the first page can do without: parts of the wasm that the browser loads when they are
//! wanted. The server has everything at hand.
//!
//! The build splits the wasm at these functions (`xtask`, `site.rs`). Whatever only they reach goes
//! along, so what they show, read and decode must be used nowhere else: one use, and it is part of
//! what every page waits for.
//!
//! There are three parts: `panel`, `pages` and `acts`. What several of them share is a file of its
//! own for every combination of them, so that each further part doubles the files that may have to
//! come: ten parts were 161 files, and the panel came in ninety-one.

// Each part may fail to come, which is no failure of its own.
#![allow(clippy::unnecessary_wraps)]

#[cfg(feature = "hydrate")]
use crate::topology_view::{self, options::Format};
use crate::{
    Element, Failure,
    errands::errander::Errander,
    images::ImagesPage,
    jobs::{drawer::Drawer, page::JobsPage},
    moving::mover::Mover,
    panels::{Head, SelectionPanel},
    server_functions::Range,
    settings::SettingsPage,
    tables::{HostsPage, RoutersPage, failed},
    topology_view::route::Aim,
};
use api::TopologyView;
#[cfg(feature = "hydrate")]
use graph::{Diagram, Positions};
use leptos::prelude::*;
use leptos_router::LazyRoute;
#[cfg(feature = "hydrate")]
use std::sync::Arc;
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

        #[wasm_split(pages, fallible, preload($load))]
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
    head: RwSignal<Option<Head>>,
) -> AnyView {
    shown(panel(selected, view, range, aim, head).await)
}

#[wasm_split(panel, fallible, preload(load_panel))]
fn panel(
    selected: Memo<Option<Element>>,
    view: Signal<TopologyView>,
    range: Signal<Range>,
    aim: Memo<Option<Aim>>,
    head: RwSignal<Option<Head>>,
) -> Result<AnyView, Failure> {
    Ok(view! { <SelectionPanel selected view range aim head/> }.into_any())
}

/// Loads that panel: something is pointed at, and may be selected next.
#[cfg(feature = "hydrate")]
pub async fn expect_selection() {
    // Without success, `selection` tries again and shows why.
    let _ = load_panel().await;
}

/// The graph for other programs, and its media type.
///
/// # Errors
/// What writes it did not come.
#[cfg(feature = "hydrate")]
#[wasm_split(acts, fallible)]
pub fn graph_text(
    format: Format,
    diagram: Arc<Diagram>,
    positions: Positions,
) -> Result<(String, &'static str), Failure> {
    Ok(topology_view::graph_text(format, &diagram, &positions))
}

/// The drawer of jobs.
pub async fn drawer() -> AnyView {
    shown(jobs_drawer().await)
}

#[wasm_split(acts, fallible)]
fn jobs_drawer() -> Result<AnyView, Failure> {
    Ok(view! { <Drawer/> }.into_any())
}

/// What moves routers: the dialog, what is shown while one is dragged, and the menu.
pub async fn mover() -> AnyView {
    shown(moving().await)
}

#[wasm_split(acts, fallible)]
fn moving() -> Result<AnyView, Failure> {
    Ok(view! { <Mover/> }.into_any())
}

/// The dialogs for what is wanted beside moving, and consoles.
pub async fn errander() -> AnyView {
    shown(errands().await)
}

#[wasm_split(acts, fallible)]
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
