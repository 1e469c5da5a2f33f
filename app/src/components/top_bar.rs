//! The bar at the top of every page.

use super::{ThemeSwitch, search::SearchBox};
use crate::{
    errands::{Errand, Errands},
    format,
    jobs::JobsButton,
    live::{Kept, Live, Status},
    server_functions::{Fleet, fleet},
};
use leptos::prelude::*;
use leptos_router::components::A;

/// Name, places, search, the fleet in numbers, the stream's state, the theme.
#[component]
pub fn TopBar() -> impl IntoView {
    let first = Resource::new_blocking(|| (), |()| fleet());
    let errands = expect_context::<Errands>();
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
                <A href="/images">"Images"</A>
                <A href="/settings">"Settings"</A>
            </nav>
            <SearchBox/>
            <button
                type="button"
                class="act new-router scripted"
                title="New router (n)"
                on:click=move |_| errands.wanted.set(Some(Errand::Create { image: None, host: None }))
            >
                <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M9.2 4h1.6v5.2H16v1.6h-5.2V16H9.2v-5.2H4V9.2h5.2Z"></path></svg>
                <span class="word">"New router"</span>
            </button>
            <div class="bar-end">
                <Suspense>
                    {move || Suspend::new(async move {
                        first.await.ok().map(|first| view! { <Summary first/> })
                    })}
                </Suspense>
                <JobsButton/>
                <LiveSign/>
                <ThemeSwitch/>
            </div>
        </header>
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
    let desk = live.desk;
    Effect::new(move || {
        if fleet.with(|fleet| fleet.has_jobs) {
            desk.wanted.set(true);
        }
    });
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
