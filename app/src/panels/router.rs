//! A router's facts, charts and acts.

use super::{
    ElementLink, PanelHead, RefreshFailure,
    acts::Acts,
    charts::{Charts, RangeSwitch, SimulatedMark, follow, processor, traffic},
    paths::PathsFrom,
};
use crate::{
    Element, Failure,
    components::{CableAsOf, Freshness, LinkStateChip, RouterStateChip, Simulated},
    errands::{Errand, Errands},
    format,
    jobs::{Desk, card},
    live::Kept,
    server_functions::{
        LinkLine, Range, RouterFacts, RouterHistory, router_history, router_status,
    },
};
use api::{InterfaceMeasurement, RouterInterface, TopologyView};
use leptos::prelude::*;

/// The panel of a router.
#[component]
pub fn RouterPanel(
    /// As the server read it.
    first: RouterFacts,
    /// Its history as the server read it.
    history: Result<Box<RouterHistory>, Failure>,
    /// The view that it is beside.
    view: Signal<TopologyView>,
    /// How far the charts look back.
    range: Signal<Range>,
) -> impl IntoView {
    let id = first.status.router.id;
    let name = first.status.router.name.clone();
    let host = first.status.router.host.clone();
    let kept = Kept::new(first, move || router_status(id));
    let facts = kept.value;
    let history = follow(history, range, host, move |range| router_history(id, range));

    let errands = expect_context::<Errands>();
    let attach = {
        let name = name.clone();
        move |_| errands.wanted.set(Some(Errand::Attach((id, name.clone()))))
    };
    let title = move || facts.with(|facts| facts.status.router.title.clone());
    let state =
        move || facts.with(|facts| (facts.status.router.state, facts.status.router.current));
    let charts = Memo::new(move |_| {
        let (vcpus, interfaces) = facts.with(|facts| {
            let router = &facts.status.router;
            let names: Vec<_> = router
                .interfaces
                .iter()
                .map(|interface| (interface.mac, interface_name(interface, facts)))
                .collect();
            (router.vcpus, names)
        });
        history.with(|history| match history {
            Ok(history) => {
                let counted = history.interfaces.iter().filter(|interface| {
                    interface.received.extent().is_some()
                        || interface.transmitted.extent().is_some()
                });
                let traffic = counted.map(|interface| {
                    let name = interfaces
                        .iter()
                        .find(|(mac, _)| *mac == interface.mac)
                        .map_or_else(|| interface.mac.to_string(), |(_, name)| name.clone());
                    traffic(format!("Traffic, {name}"), interface)
                });
                Ok(std::iter::once(processor(vcpus, history))
                    .chain(traffic)
                    .collect())
            }
            Err(failure) => Err(failure.clone()),
        })
    });
    let simulated = Memo::new(move |_| {
        history.with(|history| {
            history.as_ref().is_ok_and(|history| {
                history.cpu.simulated
                    || history
                        .interfaces
                        .iter()
                        .any(|interface| interface.received.simulated)
            })
        })
    });

    view! {
        <PanelHead kind="Router" name view/>
        {move || title().map(|title| view! { <p class="subtitle">{title}</p> })}
        <div class="state-line">
            {move || {
                let (state, current) = state();
                view! { <RouterStateChip state current/> }
            }}
            <Freshness
                at=Signal::derive(move || facts.with(|facts| Some(facts.status.router.as_of)))
                current=Signal::derive(move || facts.with(|facts| facts.status.router.current))
            />
        </div>
        {move || facts.with(|facts| facts.status.router.message.clone()).map(|message| view! {
            <p class="notice">{message}</p>
        })}
        <RefreshFailure failure=kept.failure/>
        <OnItsWay facts/>
        <Acts facts/>
        <PathsFrom element=Element::Router(id) view/>
        <section class="block">
            <dl class="facts">
                <dt>"Host"</dt>
                <dd>{move || facts.with(|facts| view! {
                    <ElementLink
                        element=Some(Element::Host(facts.status.router.host.clone()))
                        name=facts.host_name.clone()
                        view
                    />
                })}</dd>
                <dt>"Driver"</dt>
                <dd>{move || facts.with(|facts| facts.status.router.driver.as_str())}</dd>
                <dt>"Virtual network"</dt>
                <dd>{move || facts.with(|facts| {
                    facts.status.router.virtual_network.clone().unwrap_or_else(|| "none named".to_owned())
                })}</dd>
                {move || facts.with(|facts| {
                    let tags = facts.status.router.tags.clone();
                    (!tags.is_empty()).then(|| view! {
                        <dt>"Tags"</dt>
                        <dd class="tags">
                            {tags.into_iter().map(|tag| view! { <span class="tag">{tag}</span> }).collect_view()}
                        </dd>
                    })
                })}
                <dt>"Processors"</dt>
                <dd>{move || facts.with(processors)}</dd>
                <dt>"Memory"</dt>
                <dd>{move || facts.with(memory)}</dd>
            </dl>
        </section>
        <section class="block">
            <div class="block-head">
                <h3>"Load"</h3>
                <SimulatedMark simulated/>
                <RangeSwitch range/>
            </div>
            <Charts charts/>
        </section>
        <section class="block">
            <div class="block-head">
                <h3>"Interfaces"</h3>
                {move || facts.with(is_simulated).then(|| view! { <Simulated/> })}
                <button type="button" class="plain end scripted" disabled=move || !facts.with(|facts| facts.status.router.current) on:click=attach>
                    "Add one…"
                </button>
            </div>
            {move || facts.with(|facts| interfaces(facts, view, errands))}
        </section>
        <section class="block">
            <h3>"Links"</h3>
            {move || facts.with(|facts| links(&facts.links, view))}
        </section>
        <section class="block">
            <h3>"Disks"</h3>
            {move || facts.with(disks)}
        </section>
        <section class="block">
            <h3>"Definition"</h3>
            <dl class="facts">
                <dt>"UUID"</dt>
                <dd class="mono">{id.to_string()}</dd>
                <dt>"Starts with its host"</dt>
                <dd>{move || facts.with(|facts| yes_or_no(facts.status.router.autostart))}</dd>
                <dt>"Outlives a stop"</dt>
                <dd>{move || facts.with(|facts| yes_or_no(facts.status.router.persistent))}</dd>
            </dl>
        </section>
    }
    .into_any()
}

/// Where a router is being moved to, and how far that is.
#[component]
fn OnItsWay(
    /// The router.
    facts: RwSignal<RouterFacts>,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let id = facts.with_untracked(|facts| facts.status.router.id);
    let to = Memo::new(move |_| facts.with(|facts| facts.moving_to.clone()));
    let job = Memo::new(move |_| desk.known.with(|known| known.of_router(id).cloned()));
    move || {
        to.get().map(|to| {
            view! {
                <div class="on-its-way">
                    <p>"Being moved to " <strong>{to}</strong> "."</p>
                    {move || job.get().map(|job| {
                        let id = job.id;
                        view! {
                            {card::progress(&job)}
                            <button type="button" class="plain" on:click=move |_| desk.open.set(Some(Some(id)))>
                                "Show the job"
                            </button>
                        }
                    })}
                </div>
            }
        })
    }
}

fn is_simulated(facts: &RouterFacts) -> bool {
    facts
        .status
        .measurement
        .as_ref()
        .is_some_and(|measured| measured.simulated)
}

fn processors(facts: &RouterFacts) -> impl IntoView + use<> {
    let vcpus = facts.status.router.vcpus;
    let used = facts
        .status
        .measurement
        .as_ref()
        .and_then(|measured| measured.cpus_used)
        .map(|used| {
            format!(
                ", {} in use",
                format::percent(used / f64::from(vcpus.max(1)))
            )
        });
    let simulated = used.is_some() && is_simulated(facts);
    view! {
        {format::count(vcpus as usize, "vCPU", "vCPUs")}
        {used} " "
        {simulated.then(|| view! { <Simulated/> })}
    }
}

fn memory(facts: &RouterFacts) -> impl IntoView + use<> {
    let used = facts
        .status
        .measurement
        .as_ref()
        .and_then(|measured| measured.memory_used_bytes)
        .map(|used| format!(", {} in use", format::bytes(used)));
    let simulated = used.is_some() && is_simulated(facts);
    view! {
        {format::bytes(facts.status.router.memory_bytes)}
        {used} " "
        {simulated.then(|| view! { <Simulated/> })}
    }
}

/// The most telling short name of an interface: where it leads.
fn interface_name(interface: &RouterInterface, facts: &RouterFacts) -> String {
    interface
        .segment
        .as_ref()
        .and_then(|segment| facts.segments.get(segment).cloned())
        .or_else(|| interface.source.clone())
        .unwrap_or_else(|| interface.mac.to_string())
}

fn interfaces(facts: &RouterFacts, view: Signal<TopologyView>, errands: Errands) -> AnyView {
    let router = &facts.status.router;
    if router.interfaces.is_empty() {
        return view! { <p class="empty">"It has no interface."</p> }.into_any();
    }
    let measured = |interface: &RouterInterface| {
        facts.status.measurement.as_ref().and_then(|measured| {
            measured
                .interfaces
                .iter()
                .find(|counted| counted.mac == interface.mac)
                .cloned()
        })
    };
    let cards: Vec<_> = router
        .interfaces
        .iter()
        .map(|interface| {
            let segment = interface.segment.clone().map(Element::Segment);
            let name = interface_name(interface, facts);
            let attachment = match &interface.source {
                Some(source) => format!("{} {source}", interface.kind.as_str()),
                None => interface.kind.as_str().to_owned(),
            };
            let device = interface.device.clone();
            let model = interface.model.clone();
            let detach = Errand::Detach {
                router: (router.id, router.name.clone()),
                mac: interface.mac,
                leads: name.clone(),
            };
            let what = format!("Take away… the interface {}", interface.mac);
            let addresses = if interface.addresses.is_empty() {
                "no address known".to_owned()
            } else {
                interface.addresses.join(", ")
            };
            view! {
                <li class="card">
                    <div class="card-head">
                        <ElementLink element=segment name view/>
                        <LinkStateChip state=interface.link/>
                    </div>
                    <div class="card-line">
                        <p class="mono">{addresses}</p>
                        <CableAsOf at=interface.link_as_of/>
                    </div>
                    <p class="minor">
                        <span class="mono">{interface.mac.to_string()}</span>
                        " · " {attachment}
                        {device.map(|device| format!(" · {device}"))}
                        {model.map(|model| format!(" · {model}"))}
                    </p>
                    <div class="card-line">
                        {rates(measured(interface))}
                        <button type="button" class="plain scripted" aria-label=what on:click=move |_| errands.wanted.set(Some(detach.clone()))>
                            "Take away…"
                        </button>
                    </div>
                </li>
            }
        })
        .collect();
    view! { <ul class="cards">{cards}</ul> }.into_any()
}

/// What an interface carries now.
pub fn rates(measured: Option<InterfaceMeasurement>) -> AnyView {
    let Some(measured) = measured else {
        return view! { <p class="minor">"It has no counters: what it carries is unknown."</p> }
            .into_any();
    };
    let rate =
        |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), format::bits_per_second);
    let errors = measured.receive_errors.unwrap_or(0) + measured.transmit_errors.unwrap_or(0);
    view! {
        <p class="rates">
            <span><span aria-hidden="true">"↓ "</span><span class="visually-hidden">"receives "</span>
                {rate(measured.received_bits_per_second)}</span>
            <span><span aria-hidden="true">"↑ "</span><span class="visually-hidden">"sends "</span>
                {rate(measured.transmitted_bits_per_second)}</span>
        </p>
        {(errors > 0).then(|| view! {
            <p class="minor">
                {format::thousands(errors)}
                {if errors == 1 { " error or drop" } else { " errors and drops" }}
                " since it started"
            </p>
        })}
    }
    .into_any()
}

/// Links as a list of their other ends.
pub fn links(links: &[LinkLine], view: Signal<TopologyView>) -> AnyView {
    if links.is_empty() {
        return view! { <p class="empty">"It has no link."</p> }.into_any();
    }
    let lines: Vec<_> = links
        .iter()
        .map(|line| {
            let details: Vec<_> = [
                line.capacity.map(format::capacity),
                match (&line.interface, &line.peer_interface) {
                    (Some(own), Some(peer)) => Some(format!("{own} to {peer}")),
                    (Some(own), None) => Some(own.clone()),
                    _ => None,
                },
            ]
            .into_iter()
            .flatten()
            .collect();
            let peer = line.peer.clone();
            view! {
                <li class="card">
                    <div class="card-head">
                        <span>
                            <ElementLink element=peer name=line.peer_name.clone() view/>
                        </span>
                        <LinkStateChip state=line.state/>
                    </div>
                    <p class="minor">
                        <span class="mono">{details.join(" · ")}</span>
                        " "
                        <ElementLink element=Some(line.link.clone()) name="link details" view/>
                    </p>
                </li>
            }
        })
        .collect();
    view! { <ul class="cards">{lines}</ul> }.into_any()
}

fn disks(facts: &RouterFacts) -> AnyView {
    let disks = &facts.status.router.disks;
    if disks.is_empty() {
        return view! { <p class="empty">"It has no disk."</p> }.into_any();
    }
    let cards: Vec<_> = disks
        .iter()
        .map(|disk| {
            let source = disk.source.clone().unwrap_or_else(|| "empty".to_owned());
            let measured = facts.status.measurement.as_ref().and_then(|measured| {
                let disk = measured.disks.iter().find(|counted| counted.target == disk.target)?;
                let (read, written) = (disk.read_bytes_per_second?, disk.written_bytes_per_second?);
                Some(format!(
                    "reads {}, writes {}",
                    format::bytes_per_second(read),
                    format::bytes_per_second(written)
                ))
            });
            let kind = [Some(disk.device.clone()), disk.format.clone()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", ");
            view! {
                <li class="card">
                    <div class="card-head"><span class="mono">{disk.target.clone()}</span> <span class="minor">{kind}</span></div>
                    <p class="mono break">{source}</p>
                    {measured.map(|measured| view! { <p class="minor">{measured}</p> })}
                </li>
            }
        })
        .collect();
    view! { <ul class="cards">{cards}</ul> }.into_any()
}

fn yes_or_no(answer: bool) -> &'static str {
    if answer { "yes" } else { "no" }
}
