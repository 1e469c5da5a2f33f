//! The button in the bar: how many jobs work, and whether one failed that nobody has seen.

use super::Desk;
use crate::format;
use leptos::prelude::*;

/// Opens the drawer; without script, it leads to the page.
#[component]
pub fn JobsButton() -> impl IntoView {
    let desk = expect_context::<Desk>();
    let active = Memo::new(move |_| desk.known.with(super::Known::active));
    let failed = Memo::new(move |_| {
        let seen = desk.seen.get();
        desk.known.with(|known| known.failed_since(seen))
    });
    let label = move || {
        let mut label = match active.get() {
            0 => "Jobs".to_owned(),
            active => format!("Jobs, {active} under way"),
        };
        if failed.get() > 0 {
            label = format!(
                "{label}, {} failed",
                format::count(failed.get(), "has", "have")
            );
        }
        label
    };
    view! {
        <a
            href="/jobs"
            id="jobs-button"
            class="tool jobs-button"
            aria-label=label
            title="Jobs: what is under way, and what was"
            on:click=move |event| {
                if event.ctrl_key() || event.meta_key() || event.shift_key() {
                    return;
                }
                event.prevent_default();
                desk.open.update(|open| *open = if open.is_some() { None } else { Some(None) });
            }
        >
            <svg viewBox="0 0 20 20" aria-hidden="true">
                <path d="M3 4.2h9.4L10.2 2l1.1-1.1L15.4 5l-4.1 4.1L10.2 8l2.2-2.2H3ZM17 14.2H7.6l2.2-2.2-1.1-1.1L4.6 15l4.1 4.1 1.1-1.1-2.2-2.2H17Z"></path>
            </svg>
            {move || (active.get() > 0).then(|| view! {
                <span class="number-mark" aria-hidden="true">{active}</span>
            })}
            {move || (failed.get() > 0).then(|| view! {
                <span class="failed-mark" aria-hidden="true">"!"</span>
            })}
        </a>
    }
    .into_any()
}
