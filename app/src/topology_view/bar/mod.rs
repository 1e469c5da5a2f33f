//! The bar of the topology view: how it is arranged and coloured, what of it is shown, what stands
//! out; and the legend.
//!
//! ```text
//! form (text) ─▶ page ──input──▶ choice ─▶ ViewOptions ─▶ the picture
//!                  ▲──────paint (alive)────────┘
//! ```
//!
//! Form and legend are written as text, as the picture is. Whatever is chosen goes through one
//! listener into [`ViewOptions`](super::options::ViewOptions), and whatever changes there, by
//! whomever, is painted back.

#[cfg(feature = "hydrate")]
mod alive;
#[cfg(any(feature = "hydrate", test))]
mod choice;
mod form;
mod legend;
#[cfg(any(feature = "hydrate", test))]
mod verdict;

use crate::Element;
use leptos::{html, prelude::*};

/// The bar, folded away until it is asked for, and the legend.
#[component]
pub fn Bar(
    /// What is selected.
    selected: Memo<Option<Element>>,
) -> impl IntoView {
    let (bar, legend) = (
        NodeRef::<html::Details>::new(),
        NodeRef::<html::Details>::new(),
    );
    #[cfg(feature = "hydrate")]
    alive::start(bar, legend, selected);
    #[cfg(not(feature = "hydrate"))]
    let _ = selected;
    view! {
        <details class="options scripted" node_ref=bar inner_html=form::html()></details>
        <details class="legend" node_ref=legend inner_html=legend::html(&legend::Shown::default())></details>
    }
    .into_any()
}
