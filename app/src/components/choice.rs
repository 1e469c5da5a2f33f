//! One of several links of which one is the present.

use leptos::prelude::*;

/// A link in a row of choices. Unlike the router's own link it is current by what `here` says, not
/// by its path: choices differ in their query.
#[component]
pub fn Choice(
    /// Where it leads.
    #[prop(into)]
    href: Signal<String>,
    /// Whether it is the present choice.
    #[prop(into)]
    here: Signal<bool>,
    /// Its words.
    children: Children,
) -> impl IntoView {
    view! {
        <a
            href=move || href.get()
            data-noscroll=""
            aria-current=move || here.get().then_some("true")
        >
            {children()}
        </a>
    }
    .into_any()
}
