//! How old what is shown is, and where it comes from.

use crate::{clock::Clock, format};
use api::Timestamp;
use leptos::prelude::*;

/// "as of 12:03:20 UTC, 4 s ago"; clearly marked when it is not current.
#[component]
pub fn Freshness(
    /// When it was true; `None` if nobody ever answered.
    #[prop(into)]
    at: Signal<Option<Timestamp>>,
    /// Whether whoever told it is in contact.
    #[prop(into)]
    current: Signal<bool>,
) -> impl IntoView {
    let clock = expect_context::<Clock>();
    view! {
        <p class="freshness" class:stale=move || !current.get()>
            {move || (!current.get()).then(|| view! { <strong>"Not current. "</strong> })}
            {move || match at.get() {
                None => "Never answered.".into_any(),
                Some(at) => view! {
                    <time datetime=at.to_string() title=format::date_and_time(at)>
                        "as of " {format::time_of_day(at)} " UTC"
                    </time>
                    {move || clock.age(at).map(|age| format!(", {age}"))}
                }.into_any(),
            }}
        </p>
    }
}

/// When a cable's state was true: not when everything else was, as libvirt tells of no change.
#[component]
pub fn CableAsOf(
    /// When.
    at: Timestamp,
) -> impl IntoView {
    view! {
        <time
            class="minor"
            datetime=at.to_string()
            title=format!("The cable, {}: libvirt tells of no change, so it is asked for at intervals.", format::date_and_time(at))
        >
            "as of " {format::time_of_day(at)} " UTC"
        </time>
    }
}

/// Marks values that were made up for the demo fleet.
#[component]
pub fn Simulated() -> impl IntoView {
    view! {
        <span
            class="simulated"
            title="These values are made up for the demo fleet: libvirt's test driver measures nothing real."
        >
            "simulated"
        </span>
    }
}
