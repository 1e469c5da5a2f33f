//! A host's facts, endpoints, routers and links, and what does not answer on it.

use super::{ElementLink, PanelHead, RefreshFailure, paths::PathsFrom, router::links};
use crate::{
    Element,
    clock::Clock,
    components::{
        Act, CableAsOf, Freshness, HostStateChip, LinkStateChip, MaintenanceChip, RouterStateChip,
        Simulated,
    },
    errands::{Errand, Errands},
    format,
    live::Kept,
    server_functions::{HostFacts, SetHostMaintenance, host_facts},
};
use api::{HostId, HostState, SetHostMaintenanceReply, TopologyView};
use leptos::{html, prelude::*};

/// The panel of a host.
#[component]
pub fn HostPanel(
    /// As the server read it.
    first: HostFacts,
    /// The view that it is beside.
    view: Signal<TopologyView>,
) -> impl IntoView {
    let id = first.status.host.id.clone();
    let name = first.status.host.name.clone();
    let again = id.clone();
    let kept = Kept::new(first, move || host_facts(again.clone()));
    let facts = kept.value;
    let current = move || {
        facts.with(|facts| {
            matches!(
                facts.status.host.state,
                HostState::Online | HostState::Degraded
            )
        })
    };
    let optional = move |read: fn(&HostFacts) -> Option<String>| {
        move || facts.with(read).unwrap_or_else(|| "unknown".to_owned())
    };
    view! {
        <PanelHead kind="Host" name view/>
        {move || facts.with(|facts| facts.status.host.site.clone()).map(|site| view! { <p class="subtitle">{site}</p> })}
        <div class="state-line">
            {move || {
                let state = facts.with(|facts| facts.status.host.state);
                view! { <HostStateChip state/> }
            }}
            <Freshness
                at=Signal::derive(move || facts.with(|facts| facts.status.host.as_of))
                current=Signal::derive(current)
            />
        </div>
        {move || facts.with(|facts| facts.status.host.message.clone()).map(|message| view! {
            <p class="notice">{message}</p>
        })}
        <RefreshFailure failure=kept.failure/>
        <Maintenance facts id=id.clone()/>
        <PathsFrom element=Element::Host(id.clone()) view/>
        {move || facts.with(|facts| unresponsive(facts, view))}
        <section class="block">
            <dl class="facts">
                <dt>"Processors"</dt>
                <dd>{move || facts.with(processors)}</dd>
                <dt>"Memory"</dt>
                <dd>{move || facts.with(memory)}</dd>
                <dt>"Hypervisor"</dt>
                <dd>{optional(|facts| facts.status.host.hypervisor.clone())}</dd>
                <dt>"Host name"</dt>
                <dd>{optional(|facts| facts.status.host.hostname.clone())}</dd>
                <dt>"Id"</dt>
                <dd class="mono">{id.to_string()}</dd>
                {move || facts.with(|facts| facts.status.hanging_calls > 0).then(|| view! {
                    <dt>"Hanging calls"</dt>
                    <dd>
                        {move || facts.with(|facts| facts.status.hanging_calls)}
                        <p class="minor">
                            "libvirt has not returned from them. At their bound, VMS opens nothing more for this host until one does."
                        </p>
                    </dd>
                })}
            </dl>
        </section>
        <section class="block">
            <h3>"Endpoints"</h3>
            {move || facts.with(endpoints)}
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

/// Whether it is in maintenance, why, and how to change that: forms that also work without script.
#[component]
fn Maintenance(
    /// The host.
    facts: RwSignal<HostFacts>,
    /// Its id.
    id: HostId,
) -> impl IntoView {
    const QUESTION: &str = "maintenance";
    let set = Act::of::<SetHostMaintenance>();
    let (begin, end) = (
        NodeRef::<html::Button>::new(),
        NodeRef::<html::Button>::new(),
    );
    // What an act answers is newer than what is shown. The focus goes on to the undo.
    let done = move |reply: SetHostMaintenanceReply| {
        let next = if reply.host.maintenance { end } else { begin };
        facts.update(|facts| facts.status.host = reply.host);
        request_animation_frame(move || {
            if let Some(next) = next.get_untracked() {
                // Without focus the reader is where they were.
                let _ = next.focus();
            }
        });
    };
    let is_on = Memo::new(move |_| facts.with(|facts| facts.status.host.maintenance));
    let errands = expect_context::<Errands>();
    let new_on = id.clone();
    let host = id.to_string();
    let named = host.clone();
    let fields = move || {
        set.form::<SetHostMaintenance>(
        NodeRef::new(),
        done,
        view! {
            <input type="hidden" name="host" value=named.clone()/>
            <input type="hidden" name="maintenance" value="true"/>
            <label class="line">
                <span>"Why " <small>"for others to read; may stay empty"</small></span>
                <input name="reason" maxlength="200" autocomplete="off"/>
            </label>
            <div class="acts">
                <button type="submit" class="act primary" disabled=set.pending>"Put into maintenance"</button>
                <button type="button" class="act" popovertarget=QUESTION popovertargetaction="hide">"Leave it"</button>
            </div>
        }
        .into_any(),
    )
    };
    let title = id.to_string();
    let undo = set.form::<SetHostMaintenance>(
        NodeRef::new(),
        done,
        view! {
            <input type="hidden" name="host" value=host/>
            <input type="hidden" name="maintenance" value="false"/>
            <button node_ref=end type="submit" class="act" disabled=set.pending>"Take back into use"</button>
        }
        .into_any(),
    );
    view! {
        <div class="maintenance-box" class:on=is_on>
            <div hidden=move || !is_on.get()>
                <p>
                    <MaintenanceChip reason=None/>
                    <span>{move || facts.with(|facts| facts.status.host.maintenance_reason.clone()).map(|why| format!(": {why}"))}</span>
                </p>
                <p class="minor">"Nothing new lands here. What runs here runs on."</p>
                <div class="acts">{undo}</div>
            </div>
            <div class="acts" hidden=is_on>
                <button
                    type="button"
                    class="act scripted"
                    disabled=move || !facts.with(|facts| matches!(facts.status.host.state, HostState::Online | HostState::Degraded))
                    on:click=move |_| errands.wanted.set(Some(Errand::Create { image: None, host: Some(new_on.clone()) }))
                >
                    "New router here…"
                </button>
                <button node_ref=begin type="button" class="act" popovertarget=QUESTION>"Put into maintenance…"</button>
            </div>
        </div>
        // Once it is so, the question is gone.
        {move || (!is_on.get()).then(|| view! {
            <div popover="auto" class="question" role="dialog" aria-labelledby="maintenance-title" id=QUESTION>
                <h3 id="maintenance-title">"Put " {title.clone()} " into maintenance?"</h3>
                <p>"Nothing new lands on it until it is taken back into use. What runs on it runs on."</p>
                {fields()}
            </div>
        })}
        {move || set.failure.get().map(|failure| view! {
            <p class="notice" role="alert">{failure.to_string()}</p>
        })}
    }
    .into_any()
}

/// Routers that hold up nobody but themselves, and what to do about them.
fn unresponsive(facts: &HostFacts, view: Signal<TopologyView>) -> Option<AnyView> {
    let routers = &facts.status.unresponsive_routers;
    if routers.is_empty() {
        return None;
    }
    let clock = expect_context::<Clock>();
    let lines: Vec<_> = routers
        .iter()
        .map(|router| {
            let since = router.since;
            view! {
                <li>
                    <ElementLink
                        element=Some(Element::Router(router.router))
                        name=router.name.clone()
                        view
                    />
                    " does not answer since "
                    <time datetime=since.to_string() title=format::date_and_time(since)>
                        {format::time_of_day(since)} " UTC"
                    </time>
                    {move || clock.age(since).map(|age| format!(", {age}"))}
                    ". " {router.message.clone()}
                </li>
            }
        })
        .collect();
    Some(view! { <ul class="notice">{lines}</ul> }.into_any())
}

fn processors(facts: &HostFacts) -> AnyView {
    let host = &facts.status.host;
    let cpus = host.cpus.map(|cpus| format!("{cpus} logical"));
    let known = [cpus, host.cpu_model.clone()].into_iter().flatten();
    let load = facts.status.load.as_ref();
    let used = load.and_then(|load| {
        let share = load.cpus_used? / f64::from(host.cpus?.max(1));
        Some(format!("{} in use", format::percent(share)))
    });
    with_load(known.collect(), used, facts)
}

fn memory(facts: &HostFacts) -> AnyView {
    let all = facts.status.host.memory_bytes.map(format::bytes);
    let load = facts.status.load.as_ref();
    let used = load
        .and_then(|load| load.memory_used_bytes)
        .map(|used| format!("{} in use", format::bytes(used)));
    with_load(all.into_iter().collect(), used, facts)
}

/// What there is and what is used of it, marked where that is made up.
fn with_load(mut known: Vec<String>, used: Option<String>, facts: &HostFacts) -> AnyView {
    let simulated = used.is_some() && facts.status.load.as_ref().is_some_and(|l| l.simulated);
    known.extend(used);
    let text = if known.is_empty() {
        "unknown".to_owned()
    } else {
        known.join(", ")
    };
    view! {
        {text} " "
        {simulated.then(|| view! { <Simulated/> })}
    }
    .into_any()
}

fn endpoints(facts: &HostFacts) -> AnyView {
    let cards: Vec<_> = facts
        .status
        .host
        .endpoints
        .iter()
        .map(|endpoint| {
            view! {
                <li class="card">
                    <div class="card-head">
                        <span class="mono break">{endpoint.uri.clone()}</span>
                        <HostStateChip state=endpoint.state/>
                    </div>
                    {endpoint.message.clone().map(|message| view! { <p class="minor">{message}</p> })}
                </li>
            }
        })
        .collect();
    view! { <ul class="cards">{cards}</ul> }.into_any()
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
    if facts.status.host.interfaces.is_empty() {
        return view! { <p class="empty">"None is known."</p> }.into_any();
    }
    let lines: Vec<_> = facts
        .status
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
                    <div class="card-line">
                        <p class="minor mono">{details.join(" · ")}</p>
                        {interface.as_of.map(|at| view! { <CableAsOf at/> })}
                    </div>
                </li>
            }
        })
        .collect();
    view! { <ul class="cards">{lines}</ul> }.into_any()
}
