//! `/`: the topology, and beside it what is selected.

use super::later;
use crate::{
    Element,
    panels::Opening,
    server_functions::Range,
    topology_view::{
        TopologyStage,
        route::{Aim, is_choosing},
    },
};
use api::TopologyView;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

/// `/`, with `?view=`, `?select=` and `?range=`, and with what [`Aim`] reads.
#[component]
pub fn HomePage() -> impl IntoView {
    let query = use_query_map();
    let asked = move |name: &str| query.with(|query| query.get(name));
    let view = Memo::new(move |_| {
        asked("view")
            .and_then(|view| view.parse().ok())
            .unwrap_or_default()
    });
    let range = Memo::new(move |_| {
        asked("range")
            .and_then(|range| range.parse().ok())
            .unwrap_or_default()
    });
    let selected =
        Memo::new(move |_| asked("select").and_then(|element| element.parse::<Element>().ok()));
    let head = RwSignal::new(None);
    let is_selected = Memo::new(move |_| selected.with(Option::is_some));
    let aim = Memo::new(move |_| query.with(Aim::of));
    let choosing = Memo::new(move |_| aim.with(|aim| is_choosing(aim.as_ref())));
    let navigate = use_navigate();
    let close = move |selected: Element| {
        let options = NavigateOptions {
            scroll: false,
            ..NavigateOptions::default()
        };
        let view: TopologyView = view.get_untracked();
        if choosing.get_untracked() {
            navigate(&selected.href(view), options);
        } else {
            navigate(&format!("/?view={view}"), options);
        }
    };
    let view_signal: Signal<TopologyView> = view.into();
    let range_signal: Signal<Range> = range.into();
    view! {
        <Title text="Topology · VMS"/>
        <h1 class="visually-hidden">"Topology"</h1>
        <div class="home" class:with-panel=is_selected class:choosing-end=choosing>
            <TopologyStage view selected aim head/>
            <aside
                class="panel"
                aria-label="Selected"
                // The stage has its own; a chart keeps the key while its cursor is shown.
                on:keydown=move |event| {
                    if event.key() == "Escape" && let Some(selected) = selected.get_untracked() {
                        close(selected);
                    }
                }
            >
                <Suspense fallback=move || view! { <Opening head view=view_signal/> }>
                    {move || is_selected.get().then(|| {
                        Suspend::new(later::selection(selected, view_signal, range_signal, aim, head))
                    })}
                </Suspense>
            </aside>
        </div>
    }
}
