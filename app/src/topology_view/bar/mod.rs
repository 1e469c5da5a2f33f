//! The bar of the topology view: how it is arranged and coloured, what of it is shown, what stands
//! out. It only writes [`ViewOptions`](super::options::ViewOptions); the picture follows them.
//!
//! Parts are built from a few plain controls ([`controls`]) that know nothing of topologies, so
//! that each part is little more than its words.

mod controls;
mod export;
mod legend;
mod query;
mod scope;

use super::options::{Colouring, ViewOptions, ViewState};
use crate::Element;
use controls::{button, check, choose};
use graph::Layout;
use leptos::prelude::*;

/// The bar, folded away until it is asked for, and the legend.
#[component]
pub fn Bar(
    /// What is selected.
    selected: Memo<Option<Element>>,
) -> impl IntoView {
    let state = expect_context::<ViewState>();
    let options = state.options;
    let changed = Memo::new(move |_| options.with(ViewOptions::narrows));
    view! {
        <details class="options scripted">
            <summary>
                <svg viewBox="0 0 20 20" aria-hidden="true">
                    <path d="M2 5h7.2a2.5 2.5 0 0 1 4.8 0h4v1.6h-4a2.5 2.5 0 0 1-4.8 0H2ZM2 13.4h3.2a2.5 2.5 0 0 1 4.8 0h8V15h-8a2.5 2.5 0 0 1-4.8 0H2Z"></path>
                </svg>
                "Options"
                <span class="narrowed" class:none=move || !changed.get()>"not everything is shown"</span>
            </summary>
            <div class="options-body">
                <fieldset>
                    <legend>"Look"</legend>
                    {choose(
                        "Arrange",
                        Signal::derive(|| Layout::ALL.map(|layout| (layout, words(layout).to_owned())).into()),
                        Signal::derive(move || options.with(|options| options.layout)),
                        move |layout| options.update(|options| {
                            options.layout = layout;
                            // Places of another arrangement mean nothing in this one.
                            options.pins.clear();
                        }),
                    )}
                    {choose(
                        "Colour by",
                        Signal::derive(|| Colouring::ALL.map(|colour| (colour, meaning(colour).to_owned())).into()),
                        Signal::derive(move || options.with(|options| options.colour)),
                        move |colour| options.update(|options| options.colour = colour),
                    )}
                    {check(
                        "Links by their load (weathermap)",
                        Signal::derive(move || options.with(|options| options.weathermap)),
                        move |on| options.update(|options| options.weathermap = on),
                    )}
                    {check(
                        "Small map",
                        Signal::derive(move || options.with(|options| options.minimap)),
                        move |on| options.update(|options| options.minimap = on),
                    )}
                </fieldset>
                {query::queries(state)}
                {scope::scope(state, selected)}
                {export::export(state)}
                <div class="options-end">
                    {button("Reset all", move || options.set(ViewOptions::default()))}
                </div>
            </div>
        </details>
        {legend::legend(state)}
    }
    .into_any()
}

/// What a layout is called.
fn words(layout: Layout) -> &'static str {
    match layout {
        Layout::Containment => "Routers in their hosts",
        Layout::Stress => "By distance",
        Layout::Force => "By forces",
        Layout::Layered => "In layers",
        Layout::Circular => "In circles",
        Layout::Grid => "In a grid",
        Layout::Radial => "In rings",
    }
}

/// What a colouring shows.
fn meaning(colour: Colouring) -> &'static str {
    match colour {
        Colouring::State => "State",
        Colouring::Load => "Load",
        Colouring::Network => "Virtual network",
    }
}
