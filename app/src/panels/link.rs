//! A link's facts and what it carries.

use super::{
    ElementLink, PanelHead, RefreshFailure,
    charts::{Charts, RangeSwitch, SimulatedMark, follow, traffic},
    counted_end,
    paths::RunsOver,
    router::rates,
};
use crate::{
    Element, Failure,
    components::{LinkStateChip, RouterStateChip, Simulated},
    errands::{Errand, Errands},
    format,
    live::Kept,
    server_functions::{
        EndFacts, InterfaceHistory, LinkFacts, PathFacts, Range, interface_history, link_facts,
        list_virtual_links,
    },
};
use api::{LinkKind, ListVirtualLinksRequest, TopologyView, VirtualLink};
use leptos::{prelude::*, task::spawn_local};

/// The panel of a link.
#[component]
pub fn LinkPanel(
    /// As the server read it.
    first: LinkFacts,
    /// The history of the first end that is counted, as the server read it.
    history: Option<Result<Box<InterfaceHistory>, Failure>>,
    /// The physical path under it, as the server read it.
    under: Option<Result<Box<PathFacts>, Failure>>,
    /// The view that it is beside.
    view: Signal<TopologyView>,
    /// How far the chart looks back.
    range: Signal<Range>,
) -> impl IntoView {
    let id = first.link.id.clone();
    let name = format!("{} – {}", first.a.name, first.b.name);
    let kind = match first.link.kind {
        LinkKind::Physical => "Physical link",
        LinkKind::Virtual => "Virtual link",
    };
    let is_virtual = first.link.kind == LinkKind::Virtual;
    let load = history.and_then(|history| {
        let (router, mac) = counted_end(&first)?;
        let end = [&first.a, &first.b]
            .into_iter()
            .find(|end| end.element == Some(Element::Router(router)))?;
        let title = format!("Traffic, seen from {}", end.name);
        let history = follow(history, range, end.host.clone()?, move |range| {
            interface_history(router, mac, range)
        });
        let charts = Memo::new(move |_| {
            history.with(|history| match history {
                Ok(history) => Ok(vec![traffic(title.clone(), history)]),
                Err(failure) => Err(failure.clone()),
            })
        });
        let simulated = Memo::new(move |_| {
            history.with(|history| {
                history
                    .as_ref()
                    .is_ok_and(|history| history.received.simulated)
            })
        });
        Some(view! {
            <section class="block">
                <div class="block-head">
                    <h3>"Load"</h3>
                    <SimulatedMark simulated/>
                    <RangeSwitch range/>
                </div>
                <Charts charts/>
            </section>
        })
    });
    let again = id.clone();
    let kept = Kept::new(first, move || link_facts(again.clone()));
    let facts = kept.value;
    view! {
        <PanelHead kind name view/>
        <div class="state-line">
            {move || {
                let state = facts.with(|facts| facts.link.state);
                view! { <LinkStateChip state/> }
            }}
        </div>
        <RefreshFailure failure=kept.failure/>
        {is_virtual.then(|| view! { <Unlink facts/> })}
        <section class="block">
            <dl class="facts">
                <dt>"Capacity"</dt>
                <dd>{move || facts.with(|facts| {
                    facts.link.capacity_bits_per_second.map_or_else(
                        || "unknown".to_owned(),
                        |bits| format!("{} each way", format::capacity(bits)),
                    )
                })}</dd>
                {move || facts.with(|facts| facts.segment.clone()).map(|segment| view! {
                    <dt>"Segment"</dt>
                    <dd>{segment.name} " (" {segment.kind.as_str()} ")"</dd>
                })}
                <dt>"Known from"</dt>
                <dd>{move || facts.with(|facts| {
                    facts.link.sources.iter()
                        .map(|source| format!("{}, {} UTC", source.describe(), format::time_of_day(source.as_of)))
                        .collect::<Vec<_>>()
                        .join("; ")
                })}</dd>
                {move || facts.with(|facts| facts.link.conflict.clone()).map(|conflict| view! {
                    <dt>"Conflict"</dt>
                    <dd>{conflict}</dd>
                })}
            </dl>
        </section>
        {load}
        {under.map(|first| view! { <RunsOver first view/> })}
        <section class="block">
            <h3>"Ends"</h3>
            <ul class="cards">
                {move || facts.with(|facts| end(&facts.a, is_virtual, view))}
                {move || facts.with(|facts| end(&facts.b, is_virtual, view))}
            </ul>
        </section>
    }
    .into_any()
}

/// Takes the link away, if VMS made it: it is known by its two interfaces.
#[component]
fn Unlink(
    /// The link.
    facts: RwSignal<LinkFacts>,
) -> impl IntoView {
    let errands = expect_context::<Errands>();
    let made = RwSignal::new(None::<Box<VirtualLink>>);
    Effect::new(move || {
        let ends =
            facts.with_untracked(|facts| [&facts.a, &facts.b].map(|end| end.interface.clone()));
        spawn_local(async move {
            // Where that cannot be known, nothing is offered.
            let Ok(reply) = list_virtual_links(ListVirtualLinksRequest::default()).await else {
                return;
            };
            let own = |link: &VirtualLink| {
                let macs = [&link.a, &link.b].map(|end| Some(end.mac.to_string()));
                macs.iter().all(|mac| ends.contains(mac))
            };
            made.try_set(reply.links.into_iter().find(own).map(Box::new));
        });
    });
    view! {
        {move || made.get().map(|link| {
            let about = format!("VMS made it, for {}: {}.", link.created_by, link.carrier);
            view! {
                <div class="acts">
                    <button type="button" class="act" on:click=move |_| errands.wanted.set(Some(Errand::Unlink(link.clone())))>
                        "Delete this link…"
                    </button>
                </div>
                <p class="hint">{about}</p>
            }
        })}
    }
    .into_any()
}

/// One end: what is there, by which interface, and what it carries.
pub fn end(end: &EndFacts, is_virtual: bool, view: Signal<TopologyView>) -> impl IntoView + use<> {
    let is_router = matches!(end.element, Some(Element::Router(_)));
    view! {
        <li class="card">
            <div class="card-head">
                <ElementLink element=end.element.clone() name=end.name.clone() view/>
                {end.simulated.then(|| view! { <Simulated/> })}
                {end.state.map(|state| view! { <RouterStateChip state current=end.current/> })}
            </div>
            {end.interface.clone().map(|interface| view! {
                <p class="minor">"interface " <span class="mono">{interface}</span></p>
            })}
            {(is_virtual && is_router).then(|| rates(end.measurement.clone()))}
        </li>
    }
}
