//! Which part is looked at: one network, what is near the selected, what is drawn as one.

use super::super::options::{ViewOptions, ViewState};
use super::controls::{button, choose};
use crate::Element;
use graph::lens::{network_id, networks};
use leptos::prelude::*;
use std::collections::BTreeSet;

/// How far one may look around something.
const MOST_HOPS: u8 = 4;

/// All of it.
pub(super) fn scope(state: ViewState, selected: Memo<Option<Element>>) -> AnyView {
    let options = state.options;
    follow(options, selected);
    let names = Memo::new(move |_| {
        state.diagram.with(|diagram| {
            let diagram = diagram.as_ref()?;
            Some(
                networks(diagram)
                    .into_iter()
                    .map(str::to_owned)
                    .collect::<Vec<_>>(),
            )
        })
    });
    let network_choices = Signal::derive(move || {
        let mut choices = vec![(None, "All of them".to_owned())];
        let names = names.get().unwrap_or_default();
        choices.extend(names.into_iter().map(|name| (Some(name.clone()), name)));
        choices
    });
    let hop_choices = Signal::derive(|| {
        let mut choices = vec![(0, "Everything".to_owned())];
        choices.extend((1..=MOST_HOPS).map(|hops| {
            let words = crate::format::count(hops.into(), "hop", "hops");
            (hops, format!("Within {words} of the selected"))
        }));
        choices
    });
    let hops = move |options: &ViewOptions| options.around.as_ref().map_or(0, |(_, hops)| *hops);
    let nothing_selected =
        move || selected.with(Option::is_none) && options.with(|options| options.around.is_none());
    view! {
        <fieldset>
            <legend>"Part"</legend>
            {choose(
                "Virtual network",
                network_choices,
                Signal::derive(move || options.with(|options| options.network.clone())),
                move |network| options.update(|options| options.network = network),
            )}
            {choose(
                "Around",
                hop_choices,
                Signal::derive(move || options.with(hops)),
                move |hops| {
                    let id = selected.with_untracked(|selected| selected.as_ref().map(ToString::to_string));
                    options.update(|options| {
                        let id = id.or_else(|| options.around.take().map(|(id, _)| id));
                        options.around = id.filter(|_| hops > 0).map(|id| (id, hops));
                    });
                },
            )}
            <p class="verdict" class:none=move || !nothing_selected()>
                "Select something to look around it."
            </p>
            <div class="row">
                {button("Fold hosts", move || fold(state, |diagram| {
                    diagram.groups.iter().map(|group| group.id.clone()).collect()
                }))}
                {button("Fold networks", move || fold(state, |diagram| {
                    networks(diagram).into_iter().map(network_id).collect()
                }))}
                {button("Unfold all", move || options.update(|options| options.collapsed.clear()))}
            </div>
        </fieldset>
    }
    .into_any()
}

/// What one looks around is what is selected; when nothing is, what was.
fn follow(options: RwSignal<ViewOptions>, selected: Memo<Option<Element>>) {
    Effect::new(move || {
        let Some(id) = selected.get().map(|selected| selected.to_string()) else {
            return;
        };
        let moved = |options: &ViewOptions| {
            let around = options.around.as_ref();
            around.is_some_and(|(center, _)| *center != id)
        };
        if options.with_untracked(moved) {
            options.update(|options| {
                if let Some((center, _)) = &mut options.around {
                    *center = id;
                }
            });
        }
    });
}

fn fold(state: ViewState, which: fn(&graph::Diagram) -> BTreeSet<String>) {
    let ids = state
        .diagram
        .with_untracked(|diagram| diagram.as_ref().map(|diagram| which(diagram)));
    if let Some(ids) = ids {
        state
            .options
            .update(|options| options.collapsed.extend(ids));
    }
}
