//! What is told in passing: that a job ended.

use super::{Desk, known::Note};
use crate::{Element, components::Cross};
use api::TopologyView;
use leptos::prelude::*;
use leptos_router::components::A;

/// How long good news are shown, in seconds; what failed stays until it is put away.
#[cfg(feature = "hydrate")]
const SHOWN: u64 = 12;

/// The notes; they stand in a place that a screen reader listens to.
#[component]
pub fn Notes() -> impl IntoView {
    let desk = expect_context::<Desk>();
    view! {
        <For each=move || desk.notes.get() key=|note| note.number children=move |note| one(note, desk)/>
    }
    .into_any()
}

fn one(note: Note, desk: Desk) -> AnyView {
    let number = note.number;
    let drop_it = move || {
        desk.notes
            .try_update(|notes| notes.retain(|note| note.number != number));
    };
    #[cfg(feature = "hydrate")]
    if note.good {
        set_timeout(drop_it, std::time::Duration::from_secs(SHOWN));
    }
    view! {
        <div class="note" class:bad=!note.good>
            <svg class=if note.good { "icon running" } else { "icon failed" } viewBox="0 0 16 16" aria-hidden="true">
                <path fill-rule="evenodd" d=if note.good { GOOD } else { BAD }></path>
            </svg>
            <p>
                {note.text}
                {note.made.map(|router| view! {
                    " "
                    <A href=Element::Router(router).href(TopologyView::Combined) on:click=move |_| drop_it()>"Show it"</A>
                    " ·"
                })}
                {note.job.map(|job| view! {
                    " "
                    <button type="button" class="plain" on:click=move |_| {
                        desk.open.set(Some(Some(job)));
                        drop_it();
                    }>"Show the job"</button>
                })}
            </p>
            <button type="button" class="tool" aria-label="Put this away" on:click=move |_| drop_it()>
                <Cross/>
            </button>
        </div>
    }
    .into_any()
}

/// A tick on a disc.
pub const GOOD: &str = "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM4.3 8.2 5.5 7l1.7 1.7 3.4-3.6 1.2 \
    1.1-4.6 4.9Z";
/// An exclamation mark on a triangle.
pub const WARN: &str = "M8 1.2 15.4 14H.6ZM7.2 6v4h1.6V6Zm0 5v1.6h1.6V11Z";
/// A cross on a disc.
pub const BAD: &str = "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM5.4 4.3 8 6.9l2.6-2.6 1.1 1.1L9.1 \
    8l2.6 2.6-1.1 1.1L8 9.1l-2.6 2.6-1.1-1.1L6.9 8 4.3 5.400Z";
