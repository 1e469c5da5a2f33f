//! The search: it marks what it finds in the picture, and suggests where to go.

use crate::{
    Element,
    format::escape_html,
    topology_view::{
        options::ViewState,
        route::{self, Aim},
    },
};
use api::TopologyView;
use graph::{
    NodeKind, Thing,
    search::{What, suggest},
};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use std::fmt::Write as _;

/// How many suggestions fit below the box.
const MOST: usize = 8;

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

/// One suggestion, ready to be written.
#[derive(Clone, Debug, PartialEq)]
struct Suggestion {
    element: Element,
    kind: &'static str,
    label: String,
    /// What the text was found in, if not in the name.
    what: Option<&'static str>,
    /// That text: before, within and after what was found.
    parts: [String; 3],
}

/// A box to search in. While one types, it suggests what there is; without script it filters the
/// table of routers.
///
/// The pattern is the combobox with a list of the ARIA Authoring Practices: the focus stays in the
/// box, arrows move through the list, Enter goes there, Escape closes it.
#[component]
pub fn SearchBox() -> impl IntoView {
    let search = expect_context::<Search>();
    let state = expect_context::<ViewState>();
    let query = use_query_map();
    let navigate = use_navigate();
    // A page that was asked for with `?q=` shows it, with and without script.
    let initial = query
        .with_untracked(|query| query.get("q"))
        .unwrap_or_default();
    search.text.set(initial.clone());
    let found = RwSignal::new(Vec::<Suggestion>::new());
    let active = RwSignal::new(None::<usize>);
    let look = move || {
        active.set(None);
        found.set(suggestions(state, &search.text.read_untracked()));
    };
    let close = move || {
        active.set(None);
        found.set(Vec::new());
    };
    let go = move |index: usize| {
        let Some(to) = found.with_untracked(|found| found.get(index).map(|to| to.element.clone()))
        else {
            return;
        };
        let view: TopologyView = query
            .with_untracked(|query| query.get("view"))
            .and_then(|view| view.parse().ok())
            .unwrap_or_default();
        close();
        search.text.set(String::new());
        let options = NavigateOptions {
            scroll: false,
            ..NavigateOptions::default()
        };
        let address = query.with_untracked(|query| {
            let (selected, aim) = (query.get("select"), Aim::of(query));
            route::address(
                &to.to_string(),
                view,
                selected.as_deref(),
                aim.as_ref(),
                false,
            )
        });
        if let Some(address) = address {
            navigate(&address, options);
        }
    };
    let go = StoredValue::new(go);
    let step = move |down: bool| {
        let count = found.with_untracked(Vec::len);
        if count > 0 {
            active.update(|active| {
                *active = Some(match (*active, down) {
                    (None, true) => 0,
                    (None, false) => count - 1,
                    (Some(index), true) => (index + 1) % count,
                    (Some(index), false) => (index + count - 1) % count,
                });
            });
        }
    };
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        let shown = found.with_untracked(|found| !found.is_empty());
        match event.key().as_str() {
            key @ ("ArrowDown" | "ArrowUp") => {
                event.prevent_default();
                if !shown {
                    look();
                }
                step(key == "ArrowDown");
            }
            // Only what is open is closed; a second press empties the box.
            "Escape" if shown => {
                event.prevent_default();
                event.stop_propagation();
                close();
            }
            _ => {}
        }
    };
    let shown = move || found.with(|found| !found.is_empty());
    view! {
        <form
            class="search"
            role="search"
            method="get"
            action="/routers"
            on:submit=move |event| {
                event.prevent_default();
                match active.get_untracked() {
                    Some(index) => go.with_value(|go| go(index)),
                    None => search.go.update(|count| *count += 1),
                }
            }
        >
            <svg viewBox="0 0 20 20" aria-hidden="true">
                <path fill-rule="evenodd" d="M8.5 2a6.5 6.5 0 1 0 4 11.6l4 4 1.1-1.1-4-4A6.5 6.5 0 0 0 8.5 2Zm0 1.6a4.9 4.9 0 1 1 0 9.8 4.9 4.9 0 0 1 0-9.8Z"></path>
            </svg>
            <input
                type="search"
                name="q"
                placeholder="Find by name or address"
                aria-label="Find a host or router by name, address, tag or network"
                role="combobox"
                aria-autocomplete="list"
                aria-haspopup="listbox"
                aria-controls="search-hits"
                aria-expanded=move || if shown() { "true" } else { "false" }
                aria-activedescendant=move || {
                    active.get().filter(|_| shown()).map(|index| format!("{HIT}{index}"))
                }
                autocomplete="off"
                spellcheck="false"
                value=initial
                prop:value=move || search.text.get()
                on:input:target=move |event| {
                    search.text.set(event.target().value());
                    look();
                }
                on:keydown=on_key
                on:blur=move |_| close()
            />
            <ul
                id="search-hits"
                class="hits"
                class:none=move || !shown()
                role="listbox"
                aria-label="Suggestions"
                inner_html=move || found.with(|found| list(found, active.get()))
                on:mousedown=move |event| {
                    // The focus stays in the box.
                    event.prevent_default();
                    if let Some(index) = place(&event) {
                        go.with_value(|go| go(index));
                    }
                }
            ></ul>
        </form>
    }
    .into_any()
}

/// Which suggestion an event is on.
fn place(event: &leptos::ev::MouseEvent) -> Option<usize> {
    let target: leptos::web_sys::Element = event_target(event);
    let hit = target.closest("[role=option]").ok()??;
    hit.id().strip_prefix(HIT)?.parse().ok()
}

/// What the ids of suggestions begin with; a number follows.
const HIT: &str = "search-hit-";

/// The suggestions as text.
fn list(found: &[Suggestion], active: Option<usize>) -> String {
    let mut html = String::new();
    for (index, suggestion) in found.iter().enumerate() {
        let [before, within, after] = suggestion.parts.each_ref().map(|part| escape_html(part));
        let marked = format!("{before}<mark>{within}</mark>{after}");
        let (label, kind) = (escape_html(&suggestion.label), suggestion.kind);
        let (first, second) = match suggestion.what {
            None => (marked, kind.to_owned()),
            Some(what) => (label, format!("{kind}, {what} {marked}")),
        };
        let selected = active == Some(index);
        let _ = write!(
            html,
            "<li role=option id={HIT}{index} \
             aria-selected={selected}><span>{first}</span><span class=minor>{second}</span></li>"
        );
    }
    html
}

/// What of the present picture fits best.
fn suggestions(state: ViewState, text: &str) -> Vec<Suggestion> {
    let Some(diagram) = state.diagram.get_untracked() else {
        return Vec::new();
    };
    suggest(&diagram, text, MOST)
        .into_iter()
        .filter_map(|hit| {
            let kind = match hit.thing {
                Thing::Node(index) => diagram.nodes.get(index as usize)?.kind,
                _ => NodeKind::Host,
            };
            Some(Suggestion {
                element: diagram.id(hit.thing)?.parse().ok()?,
                kind: kind.as_str(),
                label: diagram.label(hit.thing).to_owned(),
                what: (hit.what != What::Name).then(|| hit.what.as_str()),
                parts: [
                    &hit.text[..hit.range.start],
                    &hit.text[hit.range.clone()],
                    &hit.text[hit.range.end..],
                ]
                .map(str::to_owned),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_stay_text_and_one_is_active() {
        let suggestion = |what| Suggestion {
            element: "host:a".parse().expect("an element"),
            kind: "host",
            label: "<a>".into(),
            what,
            parts: ["<".into(), "b".into(), ">".into()],
        };
        let html = list(&[suggestion(None), suggestion(Some("tag"))], Some(1));
        assert!(
            html.contains("<span>&lt;<mark>b</mark>&gt;</span>"),
            "{html}"
        );
        assert!(
            html.contains("<span>&lt;a&gt;</span><span class=minor>host, tag &lt;"),
            "{html}"
        );
        assert_eq!(html.matches("aria-selected=true").count(), 1);
        assert!(
            html.contains("id=search-hit-1 aria-selected=true"),
            "{html}"
        );
    }
}
