//! A router's facts, charts and acts.

use super::{
    ElementLink, PanelHead, RefreshFailure,
    charts::{Charts, RangeSwitch, SimulatedMark, follow, processor, traffic},
    paths::PathsFrom,
};
use crate::{
    Element, Failure,
    components::{Act, CableAsOf, Freshness, LinkStateChip, RouterStateChip, Simulated},
    format,
    jobs::{Desk, card},
    live::Kept,
    moving::{Moving, Wish, acts::RouterAct},
    server_functions::{
        LinkLine, Range, ResumeRouter, RouterFacts, RouterHistory, SuspendRouter, router_history,
        router_status,
    },
    topology_view::diagram::router_state,
};
use api::{
    InterfaceMeasurement, ResumeRouterReply, RouterInterface, RouterState, SuspendRouterReply,
    TopologyView,
};
use leptos::{html, prelude::*};

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
            </div>
            {move || facts.with(|facts| interfaces(facts, view))}
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

/// Suspend and resume, each the other's undo: forms that also work without script.
#[component]
fn Acts(
    /// The router.
    facts: RwSignal<RouterFacts>,
) -> impl IntoView {
    let (suspend, resume) = (Act::of::<SuspendRouter>(), Act::of::<ResumeRouter>());
    let (suspend_button, resume_button) = (
        NodeRef::<html::Button>::new(),
        NodeRef::<html::Button>::new(),
    );
    // What an act answers is newer than what is shown. The button that was pressed cannot be
    // pressed again: the focus goes on to its undo.
    let suspended = move |reply: SuspendRouterReply| {
        facts.update(|facts| facts.status.router = reply.router);
        focus_soon(resume_button);
    };
    let resumed = move |reply: ResumeRouterReply| {
        facts.update(|facts| facts.status.router = reply.router);
        focus_soon(suspend_button);
    };
    let id = facts.with_untracked(|facts| facts.status.router.id);
    let state = Memo::new(move |_| facts.with(|facts| facts.status.router.state));
    let reachable = Memo::new(move |_| facts.with(|facts| facts.status.router.current));
    let is_moving = Memo::new(move |_| facts.with(|facts| facts.moving_to.is_some()));
    let busy = move || suspend.pending.get() || resume.pending.get();
    let why_not = move |act: RouterAct| {
        act.why_not(router_state(state.get()), reachable.get(), is_moving.get())
    };
    let cannot_suspend = move || busy() || why_not(RouterAct::Suspend).is_some();
    let cannot_resume = move || busy() || why_not(RouterAct::Resume).is_some();
    let cannot_move = move || busy() || why_not(RouterAct::Move).is_some();
    let hint = move || match (reachable.get(), state.get()) {
        (false, _) => Some("Its host does not answer: nothing can be done to it now."),
        (true, _) if is_moving.get() => {
            Some("While it is being moved, nothing else can be done to it.")
        }
        (true, RouterState::Suspended) => Some("It is paused in memory and forwards nothing."),
        (true, RouterState::ShutOff) => Some("It is shut off."),
        (true, _) => why_not(RouterAct::Move),
    };
    let moving = expect_context::<Moving>();
    let move_it = move |_| {
        let name = facts.with_untracked(|facts| facts.status.router.name.clone());
        moving.wish.set(Some(Wish {
            router: id,
            name,
            destination: None,
        }));
    };
    let failure = move || suspend.failure.get().or_else(|| resume.failure.get());
    let working = move || {
        if suspend.pending.get() {
            "Suspending…"
        } else if resume.pending.get() {
            "Resuming…"
        } else {
            ""
        }
    };
    view! {
        <div class="acts">
            {suspend.form::<SuspendRouter>(NodeRef::new(), suspended, view! {
                <input type="hidden" name="router" value=id.to_string()/>
                <button node_ref=suspend_button type="submit" class="act" disabled=cannot_suspend>"Suspend"</button>
            }.into_any())}
            {resume.form::<ResumeRouter>(NodeRef::new(), resumed, view! {
                <input type="hidden" name="router" value=id.to_string()/>
                <button
                    node_ref=resume_button
                    type="submit"
                    class="act"
                    class:primary=move || state.get() == RouterState::Suspended
                    disabled=cannot_resume
                >
                    "Resume"
                </button>
            }.into_any())}
            <button type="button" class="act scripted" disabled=cannot_move title=move || why_not(RouterAct::Move) on:click=move_it>
                {RouterAct::Move.label()}
            </button>
            <span class="working" role="status">{working}</span>
        </div>
        {move || hint().map(|hint| view! { <p class="hint">{hint}</p> })}
        {move || failure().map(|failure| view! {
            <p class="notice" role="alert">{failure.to_string()}</p>
        })}
    }
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

/// Focuses a button once it can be pressed.
fn focus_soon(button: NodeRef<html::Button>) {
    request_animation_frame(move || {
        if let Some(button) = button.get_untracked() {
            // Without focus the reader is where they were.
            let _ = button.focus();
        }
    });
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

fn interfaces(facts: &RouterFacts, view: Signal<TopologyView>) -> AnyView {
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
                    {rates(measured(interface))}
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
