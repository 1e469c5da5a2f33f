//! `/`: the topology, and beside it what is selected.

use crate::{
    Element,
    live::read_again_when_live,
    panels::{self, Panel},
    server_functions::Range,
    topology_view::TopologyStage,
};
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
    let first = Resource::new_blocking(
        move || selected.get(),
        move |selected| {
            let range: Range = range.get_untracked();
            async move {
                match selected {
                    Some(element) => Some(panels::read(element, range).await),
                    None => None,
                }
            }
        },
    );
    let navigate = use_navigate();
    let close = move |view: TopologyView| {
        let options = NavigateOptions {
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate(&format!("/?view={view}"), options);
    };
    read_again_when_live(first, |read| matches!(read, Some(Err(_))));
    let view_signal: Signal<TopologyView> = view.into();
    let range_signal: Signal<Range> = range.into();
    view! {
        <Title text="Topology · VMS"/>
        <div class="home" class:with-panel=move || selected.with(Option::is_some)>
            <TopologyStage view selected/>
            <aside
                class="panel"
                aria-label="Selected"
                // The stage has its own; a chart keeps the key while its cursor is shown.
                on:keydown=move |event| {
                    if event.key() == "Escape" && selected.with_untracked(Option::is_some) {
                        close(view.get_untracked());
                    }
                }
            >
                <Transition>
                    {move || Suspend::new(async move {
                        first.await.map(|facts| view! {
                            <Panel facts view=view_signal range=range_signal/>
                        })
                    })}
                </Transition>
            </aside>
        </div>
    }
}
