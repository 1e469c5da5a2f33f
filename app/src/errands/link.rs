//! Asks how two routers shall be linked.

use super::{Errands, Named, words};
use crate::{
    Element, Failure,
    components::{Act, Dialog, DialogFoot, Field, Select, StateIcon, close},
    jobs::Desk,
    moving::{menu::give_focus_back, words::number},
    server_functions::{RouterRow, create_virtual_link, list_routers},
    topology_view::diagram::router_state,
};
use api::{
    CreateVirtualLinkReply, CreateVirtualLinkRequest, LinkAddressing, LinkTransport, RouterId,
    RouterState, WhenRunning,
};
use leptos::{html, prelude::*, task::spawn_local};

/// So many routers are offered at once.
const MOST: usize = 60;

/// What may happen to a router that runs and cannot be plugged: values and words.
pub fn when_running() -> [(WhenRunning, &'static str, &'static str); 3] {
    [
        (
            WhenRunning::Refuse,
            "refuse",
            "Leave everything as it is, and say so",
        ),
        (
            WhenRunning::NextStart,
            "nextStart",
            "Do it at its next start; until then nothing changes for it",
        ),
        (
            WhenRunning::Restart,
            "restart",
            "Shut it down and start it again: what runs in it is interrupted",
        ),
    ]
}

/// The choice among these.
#[component]
pub fn WhenRunningChoice(
    /// What is chosen.
    value: RwSignal<WhenRunning>,
    /// What it is about.
    legend: &'static str,
) -> impl IntoView {
    view! {
        <fieldset class="choices">
            <legend>{legend}</legend>
            {when_running().map(|(one, name, words)| view! {
                <label class="tick">
                    <input
                        type="radio"
                        name="when-running"
                        value=name
                        prop:checked=move || value.get() == one
                        on:change=move |_| value.set(one)
                    />
                    <span>{words}</span>
                </label>
            }).into_iter().collect_view()}
        </fieldset>
    }
    .into_any()
}

/// Asks, and links them.
#[component]
pub fn LinkDialog(
    /// One router.
    a: Named,
    /// The other one, if it was said.
    b: Option<Named>,
) -> impl IntoView {
    let errands = expect_context::<Errands>();
    let desk = expect_context::<Desk>();
    let frame = NodeRef::<html::Dialog>::new();
    let act = Act::default();
    let drawn = b.is_some();
    let other = RwSignal::new(b);
    let routers = RwSignal::new(None::<Result<Vec<RouterRow>, Failure>>);
    spawn_local(async move {
        routers.try_set(Some(list_routers().await.map(|table| table.routers)));
    });
    let (transport, addressing) = (
        RwSignal::new(String::new()),
        RwSignal::new("none".to_owned()),
    );
    let (to_b, to_a, mtu) = (
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
    );
    let when = RwSignal::new(WhenRunning::Refuse);
    let (own, name) = a;
    let host_of = move |router: RouterId| {
        routers.with(|routers| {
            let all = routers.as_ref()?.as_ref().ok()?;
            let row = all.iter().find(|row| row.id == router)?;
            Some((row.host.clone(), row.host_name.clone(), row.state))
        })
    };
    // Between hosts a network reaches nobody; within one nothing else is needed.
    let transports = Signal::derive(move || {
        let same = other
            .get()
            .and_then(|(other, _)| Some(host_of(own)?.0 == host_of(other)?.0));
        let fits = |one: &LinkTransport| {
            same.is_none_or(|same| {
                same == (*one == LinkTransport::Network) || same && *one == LinkTransport::Bridge
            })
        };
        let rest = LinkTransport::ALL.into_iter().filter(fits);
        let rest = rest.map(|one| (one.as_str().to_owned(), one.describe().to_owned()));
        let preferred = "as preferred".to_owned();
        std::iter::once((String::new(), preferred))
            .chain(rest)
            .collect()
    });
    let wanted = Memo::new(move |_| {
        let Some((b, _)) = other.get() else {
            return Err("Choose the other router.".to_owned());
        };
        let rate = |name: &str, text: &RwSignal<String>| {
            words::megabits(&text.read()).map_err(|wrong| format!("{name}: {wrong}."))
        };
        let addressing: Option<LinkAddressing> = addressing.read().parse().ok();
        let least = if addressing == Some(LinkAddressing::Ipv6) {
            1280
        } else {
            576
        };
        let mtu = number(&mtu.read(), least, 9000)
            .map_err(|wrong| format!("Largest packet: {wrong}."))?;
        Ok(CreateVirtualLinkRequest {
            a: own,
            b,
            transport: transport.read().parse().ok(),
            bridge: None,
            bits_per_second_to_b: rate("Bandwidth there", &to_b)?,
            bits_per_second_to_a: rate("Bandwidth back", &to_a)?,
            mtu: mtu.and_then(|mtu| u32::try_from(mtu).ok()),
            addressing,
            when_running: Some(when.get()),
            request_id: None,
        })
    });
    let why_not = Memo::new(move |_| {
        if act.pending.get() {
            return Some("It is being asked for…".to_owned());
        }
        wanted.with(|wanted| wanted.as_ref().err().cloned())
    });
    let submit = move |()| {
        let (Ok(request), None) = (wanted.get_untracked(), why_not.get_untracked()) else {
            return;
        };
        act.run(
            create_virtual_link(request),
            move |reply: CreateVirtualLinkReply| {
                desk.hear(&reply.job);
                close(frame);
            },
        );
    };
    let runs = move || {
        let ends = [Some(own), other.get().map(|(id, _)| id)];
        let mut ends = ends.into_iter().flatten();
        ends.any(|end| host_of(end).is_none_or(|(_, _, state)| state != RouterState::ShutOff))
    };
    let id = Element::Router(own).to_string();
    let again = name.clone();
    let there =
        Signal::derive(move || other.get().map_or_else(|| "…".to_owned(), |(_, name)| name));
    view! {
        <Dialog
            eyebrow="Link"
            title=Signal::derive(move || format!("{name} – {}", there.get()))
            class="link-dialog"
            frame
            closed=move |()| {
                errands.wanted.set(None);
                // Where one drew, nothing had the focus.
                if drawn {
                    give_focus_back(&id);
                }
            }
            submit
        >
            {(!drawn).then(|| view! { <Routers routers own other/> })}
            <div class="fields">
                <Select label="Carried by" value=transport options=transports/>
                <Select
                    label="Addresses"
                    value=addressing
                    options=Signal::stored([("none", "none"), ("ipv4", "IPv4, a free /31"), ("ipv6", "IPv6, a free /64")]
                        .map(|(value, words)| (value.to_owned(), words.to_owned())).to_vec())
                />
                <Field label="Largest packet" hint="bytes" value=mtu usual="what carries it has" number=true/>
                <label>
                    <span>"To " {there} " " <small>"Mbit/s at most"</small></span>
                    <input type="text" inputmode="decimal" autocomplete="off" placeholder="not limited" prop:value=to_b
                        on:input=move |event| to_b.set(event_target_value(&event))/>
                </label>
                <label>
                    <span>"To " {again} " " <small>"Mbit/s at most"</small></span>
                    <input type="text" inputmode="decimal" autocomplete="off" placeholder="not limited" prop:value=to_a
                        on:input=move |event| to_a.set(event_target_value(&event))/>
                </label>
            </div>
            <p class="hint">"Each router gets one more interface. A multicast group or UDP tunnel is neither encrypted nor authenticated, cannot be limited, and has no counters."</p>
            <Show when=runs>
                <WhenRunningChoice value=when legend="If one runs and cannot be plugged meanwhile"/>
            </Show>
            <DialogFoot label="Link" why_not failure=act.failure frame/>
        </Dialog>
    }
    .into_any()
}

/// The routers to choose from, by name.
#[component]
fn Routers(
    /// All of them, once they were read.
    routers: RwSignal<Option<Result<Vec<RouterRow>, Failure>>>,
    /// The one that is to be linked.
    own: RouterId,
    /// The one that is chosen.
    other: RwSignal<Option<Named>>,
) -> impl IntoView {
    let search = RwSignal::new(String::new());
    let list = move || {
        routers.with(|routers| match routers {
            None => view! { <p class="working" role="status">"Reading the routers…"</p> }.into_any(),
            Some(Err(failure)) => view! { <p class="notice" role="alert">{failure.to_string()}</p> }.into_any(),
            Some(Ok(all)) => {
                let found: Vec<_> = all
                    .iter()
                    .filter(|row| row.id != own && crate::tables::matches(&row.name, &search.read()))
                    .collect();
                let rest = found.len().saturating_sub(MOST);
                let none = found.is_empty();
                let lines = found.into_iter().take(MOST).map(|row| {
                    let (id, name) = (row.id, row.name.clone());
                    view! {
                        <label class="place">
                            <input
                                type="radio"
                                name="other"
                                value=id.to_string()
                                prop:checked=move || other.with(|other| other.as_ref().is_some_and(|(other, _)| *other == id))
                                on:change=move |_| other.set(Some((id, name.clone())))
                            />
                            <StateIcon state=router_state(row.state)/>
                            <span class="place-name">{row.name.clone()}</span>
                            <span class="place-free">{row.state.as_str()} " on " {row.host_name.clone()}</span>
                        </label>
                    }
                });
                view! {
                    {lines.collect_view()}
                    {(rest > 0).then(|| view! { <p class="minor">{format!("{rest} more: search for them.")}</p> })}
                    {none.then(|| view! { <p class="empty">"No other router has such a name."</p> })}
                }
                .into_any()
            }
        })
    };
    view! {
        <input
            type="search"
            class="places-search"
            placeholder="Search routers"
            aria-label="Search routers"
            autocomplete="off"
            prop:value=search
            on:input=move |event| search.set(event_target_value(&event))
            on:keydown=|event| {
                // It would do what the dialog is for.
                if event.key() == "Enter" {
                    event.prevent_default();
                }
            }
        />
        <div class="places-list" role="radiogroup" aria-label="Which router">{list}</div>
    }
    .into_any()
}
