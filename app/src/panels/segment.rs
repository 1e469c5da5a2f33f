//! A segment's facts and members.

use super::{ElementLink, PanelHead, RefreshFailure, link::end, paths::PathsFrom};
use crate::{
    Element, format,
    live::Kept,
    server_functions::{SegmentFacts, segment_facts},
};
use api::TopologyView;
use leptos::prelude::*;

/// The panel of a segment.
#[component]
pub fn SegmentPanel(
    /// As the server read it.
    first: SegmentFacts,
    /// The view that it is beside.
    view: Signal<TopologyView>,
) -> impl IntoView {
    let id = first.segment.id.clone();
    let name = first.segment.name.clone();
    let is_drawn = first.segment.drawn;
    let again = id.clone();
    let kept = Kept::new(first, move || segment_facts(again.clone()));
    let facts = kept.value;
    view! {
        <PanelHead kind="Segment" name view/>
        <p class="subtitle">"A broadcast domain: whoever is on it reaches the others directly."</p>
        <RefreshFailure failure=kept.failure/>
        {is_drawn.then(|| view! { <PathsFrom element=Element::Segment(id.clone()) view/> })}
        <section class="block">
            <dl class="facts">
                <dt>"Carried by"</dt>
                <dd>{move || facts.with(|facts| facts.segment.kind.as_str())}</dd>
                <dt>"Hosts"</dt>
                <dd>{move || facts.with(|facts| hosts(facts, view))}</dd>
                <dt>"Id"</dt>
                <dd class="mono break">{id.to_string()}</dd>
            </dl>
        </section>
        <section class="block">
            <h3>{move || facts.with(|facts| format::count(facts.members.len(), "member", "members"))}</h3>
            <ul class="cards">
                {move || facts.with(|facts| {
                    facts.members.iter().map(|member| end(member, true, view)).collect_view()
                })}
            </ul>
        </section>
    }
    .into_any()
}

fn hosts(facts: &SegmentFacts, view: Signal<TopologyView>) -> impl IntoView + use<> {
    facts
        .hosts
        .iter()
        .enumerate()
        .map(|(index, (id, name))| {
            view! {
                {(index > 0).then_some(", ")}
                <ElementLink element=Some(Element::Host(id.clone())) name=name.clone() view/>
            }
        })
        .collect_view()
}
