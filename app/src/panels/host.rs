//! A host's facts, routers and links.

use super::{ElementLink, PanelHead, RefreshFailure, router::links};
use crate::{
    Element,
    components::{Freshness, HostStateChip, LinkStateChip, RouterStateChip},
    format,
    live::Kept,
    server_functions::{HostFacts, host_facts},
};
use api::{HostState, TopologyView};
use leptos::prelude::*;

/// The panel of a host.
#[component]
pub fn HostPanel(
    /// As the server read it.
    first: HostFacts,
    /// The view that it is beside.
    view: Signal<TopologyView>,
) -> impl IntoView {
    let id = first.host.id.clone();
    let name = first.host.name.clone();
    let again = id.clone();
    let kept = Kept::new(first, move || host_facts(again.clone()));
    let facts = kept.value;
    let current = move || {
        facts.with(|facts| matches!(facts.host.state, HostState::Online | HostState::Degraded))
    };
    let optional = move |read: fn(&HostFacts) -> Option<String>| {
        move || facts.with(read).unwrap_or_else(|| "unknown".to_owned())
    };
    view! {
        <PanelHead kind="Host" name view/>
        {move || facts.with(|facts| facts.host.site.clone()).map(|site| view! { <p class="subtitle">{site}</p> })}
        <div class="state-line">
            {move || {
                let state = facts.with(|facts| facts.host.state);
                view! { <HostStateChip state/> }
            }}
            <Freshness
                at=Signal::derive(move || facts.with(|facts| facts.host.as_of))
                current=Signal::derive(current)
            />
        </div>
        {move || facts.with(|facts| facts.host.message.clone()).map(|message| view! {
            <p class="notice">{message}</p>
        })}
        <RefreshFailure failure=kept.failure/>
        <section class="block">
            <dl class="facts">
                <dt>"Processors"</dt>
                <dd>{optional(|facts| {
                    let cpus = facts.host.cpus.map(|cpus| format!("{cpus} logical"));
                    match (cpus, &facts.host.cpu_model) {
                        (Some(cpus), Some(model)) => Some(format!("{cpus}, {model}")),
                        (cpus, model) => cpus.or_else(|| model.clone()),
                    }
                })}</dd>
                <dt>"Memory"</dt>
                <dd>{optional(|facts| facts.host.memory_bytes.map(format::bytes))}</dd>
                <dt>"Hypervisor"</dt>
                <dd>{optional(|facts| facts.host.hypervisor.clone())}</dd>
                <dt>"Host name"</dt>
                <dd>{optional(|facts| facts.host.hostname.clone())}</dd>
                <dt>"Id"</dt>
                <dd class="mono">{id.to_string()}</dd>
                <dt>"Reached by"</dt>
                <dd class="mono break">{move || facts.with(|facts| {
                    facts.host.endpoints.iter().map(|endpoint| endpoint.uri.clone()).collect::<Vec<_>>().join(", ")
                })}</dd>
            </dl>
        </section>
        <section class="block">
            <h3>{move || facts.with(|facts| format::count(facts.routers.len(), "router", "routers"))}</h3>
            {move || facts.with(|facts| routers(facts, view))}
        </section>
        <section class="block">
            <h3>"Physical links"</h3>
            {move || facts.with(|facts| links(&facts.links, view))}
        </section>
        <section class="block">
            <h3>"Interfaces"</h3>
            {move || facts.with(interfaces)}
        </section>
    }
    .into_any()
}

fn routers(facts: &HostFacts, view: Signal<TopologyView>) -> AnyView {
    if facts.routers.is_empty() {
        return view! { <p class="empty">"No router is defined on it."</p> }.into_any();
    }
    let lines: Vec<_> = facts
        .routers
        .iter()
        .map(|router| {
            view! {
                <li>
                    <ElementLink
                        element=Some(Element::Router(router.id))
                        name=router.name.clone()
                        view
                    />
                    <RouterStateChip state=router.state current=router.current/>
                </li>
            }
        })
        .collect();
    view! { <ul class="lines">{lines}</ul> }.into_any()
}

fn interfaces(facts: &HostFacts) -> AnyView {
    if facts.host.interfaces.is_empty() {
        return view! { <p class="empty">"None is known."</p> }.into_any();
    }
    let lines: Vec<_> = facts
        .host
        .interfaces
        .iter()
        .map(|interface| {
            let details: Vec<_> = [
                Some(interface.kind.clone()),
                interface.mac.map(|mac| mac.to_string()),
                interface.speed_bits_per_second.map(format::capacity),
                (!interface.ports.is_empty())
                    .then(|| format!("ports {}", interface.ports.join(", "))),
            ]
            .into_iter()
            .flatten()
            .chain(
                interface
                    .neighbors
                    .iter()
                    .map(|one| format!("hears {}", one.describe())),
            )
            .collect();
            view! {
                <li class="card">
                    <div class="card-head">
                        <span class="mono">{interface.name.clone()}</span>
                        <LinkStateChip state=interface.state/>
                    </div>
                    <p class="minor mono">{details.join(" · ")}</p>
                </li>
            }
        })
        .collect();
    view! { <ul class="cards">{lines}</ul> }.into_any()
}
