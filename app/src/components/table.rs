//! The frame of a table.

use leptos::prelude::*;

/// A table in its frame, which scrolls where it is too wide.
#[component]
pub fn TableFrame(
    /// What it holds, for whoever hears it.
    caption: &'static str,
    /// Whether there is nothing to show.
    #[prop(into, default = Signal::stored(false))]
    hidden: Signal<bool>,
    /// The heads of its columns.
    head: AnyView,
    /// Its rows.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="table-frame" hidden=hidden>
            <table>
                <caption class="visually-hidden">{caption}</caption>
                <thead><tr>{head}</tr></thead>
                <tbody>{children()}</tbody>
            </table>
        </div>
    }
    .into_any()
}
