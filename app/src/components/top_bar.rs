//! The bar at the top of every page.

use super::ThemeSwitch;
use crate::{
    format,
    live::{Kept, Live, Status},
    server_functions::{Fleet, fleet},
};
use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_query_map};

/// What is searched for, shared by the bar and the pages.
#[derive(Clone, Copy)]
pub struct Search {
    /// The text; empty: nothing.
    pub text: RwSignal<String>,
    /// Counts how often the reader asked to be taken to the first hit.
    pub go: RwSignal<u32>,
}

impl Search {
    /// Makes it and offers it to everything below.
    pub fn provide() -> Self {
        let search = Self {
            text: RwSignal::new(String::new()),
            go: RwSignal::new(0),
        };
        provide_context(search);
        search
    }
}

/// Name, places, search, the fleet in numbers, the stream's state, the theme.
#[component]
pub fn TopBar() -> impl IntoView {
    let first = Resource::new_blocking(|| (), |()| fleet());
    view! {
        <header class="bar">
            <A href="/" attr:class="wordmark" attr:aria-label="VMS, to the topology">
                <svg viewBox="0 0 28 28" aria-hidden="true">
                    <path class="lines" d="M6 7 14 21 22 7M6 7h16"></path>
                    <circle cx="6" cy="7" r="3.2"></circle>
                    <circle cx="22" cy="7" r="3.2"></circle>
                    <circle cx="14" cy="21" r="3.2"></circle>
                </svg>
                <span>"VMS"</span>
            </A>
            <nav aria-label="Pages">
                <A href="/" exact=true>"Topology"</A>
                <A href="/hosts">"Hosts"</A>
                <A href="/routers">"Routers"</A>
                <A href="/settings">"Settings"</A>
            </nav>
            <SearchBox/>
            <div class="bar-end">
                <Suspense>
                    {move || Suspend::new(async move {
                        first.await.ok().map(|first| view! { <Summary first/> })
                    })}
                </Suspense>
                <LiveSign/>
                <ThemeSwitch/>
            </div>
        </header>
    }
}

/// A search that marks hits while one types; without script it filters the table of routers.
#[component]
fn SearchBox() -> impl IntoView {
    let search = expect_context::<Search>();
    let query = use_query_map();
    // A page that was asked for with `?q=` shows it, with and without script.
    let initial = query
        .with_untracked(|query| query.get("q"))
        .unwrap_or_default();
    search.text.set(initial.clone());
    view! {
        <form
            class="search"
            role="search"
            method="get"
            action="/routers"
            on:submit=move |event| {
                event.prevent_default();
                search.go.update(|count| *count += 1);
            }
        >
            <svg viewBox="0 0 20 20" aria-hidden="true">
                <path fill-rule="evenodd" d="M8.5 2a6.5 6.5 0 1 0 4 11.6l4 4 1.1-1.1-4-4A6.5 6.5 0 0 0 8.5 2Zm0 1.6a4.9 4.9 0 1 1 0 9.8 4.9 4.9 0 0 1 0-9.8Z"></path>
            </svg>
            <input
                type="search"
                name="q"
                placeholder="Find by name"
                aria-label="Find a host or router by name"
                autocomplete="off"
                spellcheck="false"
                value=initial
                on:input:target=move |event| search.text.set(event.target().value())
            />
        </form>
    }
}

/// The fleet in numbers.
#[component]
fn Summary(
    /// As the server read it.
    first: Fleet,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let (run, version) = (first.run, first.version);
    Effect::new(move || live.rendered(run, version));
    let fleet = Kept::new(first, fleet).value;
    let demo = fleet.with_untracked(|fleet| fleet.demo);
    view! {
        {demo.then(|| view! {
            <span class="demo" title="This fleet is embedded: libvirt's test driver, with simulated measurements.">
                "demo fleet"
            </span>
        })}
        <p class="summary">
            <span>{move || fleet.with(|fleet| format::count(fleet.hosts as usize, "host", "hosts"))}</span>
            <span class="unreachable-count" class:none=move || fleet.with(|fleet| fleet.unreachable == 0)>
                {move || fleet.with(|fleet| format!("{} unreachable", fleet.unreachable))}
            </span>
            <span>
                {move || fleet.with(|fleet| format!("{} of {} routers running", fleet.running, fleet.routers))}
            </span>
        </p>
    }
}

/// Whether events arrive.
#[component]
fn LiveSign() -> impl IntoView {
    let live = expect_context::<Live>();
    let class = move || match live.status.get() {
        Status::Still => "live still",
        Status::Live => "live on",
        Status::Reconnecting => "live reconnecting",
        Status::Resync => "live resync",
    };
    let text = move || match live.status.get() {
        Status::Still => "",
        Status::Live => "Live",
        Status::Reconnecting => "Reconnecting",
        Status::Resync => "Catching up",
    };
    view! {
        <span class=class role="status" title="Changes appear by themselves while this says Live.">
            <span class="dot" aria-hidden="true"></span>
            <span class="word">{text}</span>
        </span>
        <span class="visually-hidden" aria-live="polite">{move || live.announcement.get()}</span>
    }
}
