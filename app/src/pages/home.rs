//! `/`: the topology, and beside it what is selected.

use super::later;
use crate::{Element, server_functions::Range, topology_view::TopologyStage};
use api::TopologyView;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

/// `/`, with `?view=`, `?select=` and `?range=`.
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
    let is_selected = Memo::new(move |_| selected.with(Option::is_some));
    let navigate = use_navigate();
    let close = move |view: TopologyView| {
        let options = NavigateOptions {
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate(&format!("/?view={view}"), options);
    };
    let view_signal: Signal<TopologyView> = view.into();
    let range_signal: Signal<Range> = range.into();
    view! {
        <Title text="Topology · VMS"/>
        <div class="home" class:with-panel=is_selected>
            <TopologyStage view selected/>
            <aside
                class="panel"
                aria-label="Selected"
                // The stage has its own; a chart keeps the key while its cursor is shown.
                on:keydown=move |event| {
                    if event.key() == "Escape" && is_selected.get_untracked() {
                        close(view.get_untracked());
                    }
                }
            >
                <Suspense>
                    {move || is_selected.get().then(|| {
                        Suspend::new(later::selection(selected, view_signal, range_signal))
                    })}
                </Suspense>
            </aside>
        </div>
    }
}
