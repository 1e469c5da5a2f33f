//! Asks before something is interrupted or lost, and says what.

use super::{
    Errands, Target,
    doing::{carry_out, tell},
    words,
};
use crate::{
    components::{Act, Dialog, DialogFoot, Field, Tick, close},
    format,
    jobs::Desk,
    moving::{
        acts::{Deed, How, RouterAct},
        words::number,
    },
    server_functions::{RouterFacts, list_virtual_links, router_status},
};
use api::{ListVirtualLinksRequest, VirtualLink};
use graph::NodeState;
use leptos::{html, prelude::*, task::spawn_local};

/// Of so many routers it is said in detail what is lost.
const MOST: usize = 6;

/// Asks, and does it.
#[component]
pub fn SureDialog(
    /// What is to be done.
    deed: Deed,
    /// To which routers.
    routers: Vec<Target>,
) -> impl IntoView {
    let errands = expect_context::<Errands>();
    let desk = expect_context::<Desk>();
    let frame = NodeRef::<html::Dialog>::new();
    let act = Act::default();
    let (deadline, force, keep_disks) = (
        RwSignal::new(String::new()),
        RwSignal::new(false),
        RwSignal::new(false),
    );
    let behind = RwSignal::new(0);
    let why_not = |target: &Target| {
        RouterAct::Do(deed).why_not(target.state, target.current, target.is_moving)
    };
    let (can, cannot): (Vec<_>, Vec<_>) = routers
        .into_iter()
        .partition(|target| why_not(target).is_none());
    let cannot: Vec<_> = cannot
        .iter()
        .map(|target| (target.router.1.clone(), why_not(target).unwrap_or_default()))
        .collect();
    let count = can.len();
    let running = can
        .iter()
        .filter(|target| !matches!(target.state, NodeState::Stopped | NodeState::Failed))
        .count();
    let who = {
        let names: Vec<_> = can.iter().map(|target| target.router.1.as_str()).collect();
        match names[..] {
            [] => "Nothing can be done".to_owned(),
            [one] => one.to_owned(),
            _ => format::count(count, "router", "routers"),
        }
    };
    let listed = (count > 1).then(|| {
        let names: Vec<_> = can.iter().map(|target| target.router.1.as_str()).collect();
        words::names(&names)
    });
    // What is lost is looked up; it may be told before that is known.
    let facts = RwSignal::new(None::<Vec<RouterFacts>>);
    let links = RwSignal::new(None::<Vec<VirtualLink>>);
    if matches!(deed, Deed::Delete | Deed::SwitchOff) {
        let ids: Vec<_> = can.iter().map(|target| target.router.0).collect();
        spawn_local(async move {
            let mut found = Vec::new();
            for id in ids.iter().take(MOST) {
                found.extend(router_status(*id).await);
            }
            facts.try_set(Some(found));
            if deed == Deed::Delete
                && let Ok(reply) = list_virtual_links(ListVirtualLinksRequest::default()).await
            {
                let ends = |link: &VirtualLink| {
                    ids.contains(&link.a.router) || ids.contains(&link.b.router)
                };
                links.try_set(Some(reply.links.into_iter().filter(ends).collect()));
            }
        });
    }
    let seconds = Memo::new(move |_| number(&deadline.read(), 1, 3600));
    let why_not = Memo::new(move |_| {
        if act.pending.get() {
            return Some(match behind.get() {
                behind if count > 1 => format!("{behind} of {count} are done…"),
                _ => "It is being asked for…".to_owned(),
            });
        }
        if count == 0 {
            return Some("It cannot be done to what was chosen.".to_owned());
        }
        seconds.with(|seconds| {
            seconds
                .as_ref()
                .err()
                .map(|wrong| format!("Deadline: {wrong}."))
        })
    });
    let targets = StoredValue::new(can);
    let submit = move |()| {
        if why_not.with_untracked(Option::is_some) {
            return;
        }
        let how = How {
            deadline_seconds: seconds
                .get_untracked()
                .ok()
                .flatten()
                .and_then(|seconds| u32::try_from(seconds).ok()),
            force: force.get_untracked(),
            keep_disks: keep_disks.get_untracked(),
        };
        let step = move |number| {
            behind.try_set(number);
        };
        let all = async move {
            let outcome = carry_out(desk, deed, how, targets.get_value(), step).await;
            match (&outcome.done[..], &outcome.failed[..]) {
                // Alone, it is told where it was asked for.
                ([], [(_, failure)]) => Err(failure.clone()),
                _ => Ok(outcome),
            }
        };
        act.run(all, move |outcome| {
            tell(desk, deed, &outcome);
            close(frame);
        });
    };
    let (eyebrow, label) = match deed {
        Deed::Shutdown => ("Shut down", "Shut down"),
        Deed::Reboot => ("Reboot", "Reboot"),
        Deed::Reset => ("Reset", "Reset"),
        Deed::SwitchOff => ("Switch off", "Switch off"),
        Deed::Delete => ("Delete", "Delete"),
        Deed::Start => ("Start", "Start"),
        Deed::Suspend => ("Suspend", "Suspend"),
        Deed::Resume => ("Resume", "Resume"),
    };
    let consequence = match deed {
        Deed::Shutdown => {
            "The system inside is asked to shut down. What runs there ends, and links carry nothing \
             until it is started again. Nothing is lost."
        }
        Deed::Reboot => {
            "The system inside is asked to start anew. What runs there ends, and links are \
             interrupted meanwhile. Nothing is lost."
        }
        Deed::Reset => {
            "It starts anew at once, as by the reset button of a machine: what the system inside has \
             not written to its disk is lost."
        }
        Deed::SwitchOff => {
            "It is off at once, as if its plug were pulled: what the system inside has not written \
             to its disk is lost."
        }
        Deed::Delete if count > 1 => "They are gone for good, and cannot be brought back.",
        Deed::Delete => "It is gone for good, and cannot be brought back.",
        Deed::Start | Deed::Suspend | Deed::Resume => "Nothing is lost.",
    };
    let fleeting = move || {
        facts.with(|facts| {
            let facts = facts.as_ref()?.iter();
            let gone: Vec<_> = facts
                .filter(|facts| !facts.status.router.persistent)
                .map(|facts| facts.status.router.name.clone())
                .collect();
            let names: Vec<_> = gone.iter().map(String::as_str).collect();
            (deed == Deed::SwitchOff && !gone.is_empty()).then(|| {
                format!(
                    "{}: its definition does not outlive a stop, so that it is gone then.",
                    words::names(&names)
                )
            })
        })
    };
    let lost_links = move || {
        links.with(|links| match links.as_deref() {
            None => "The links that VMS made for it.".to_owned(),
            Some([]) => "No link: VMS made none for it.".to_owned(),
            Some(links) => {
                let lines: Vec<_> = links
                    .iter()
                    .map(|link| format!("{} – {}", link.a.router_name, link.b.router_name))
                    .collect();
                let lines: Vec<_> = lines.iter().map(String::as_str).collect();
                format!(
                    "{}, with the interfaces at both ends: {}.",
                    format::count(lines.len(), "link", "links"),
                    words::names(&lines)
                )
            }
        })
    };
    let lost_disks = move || {
        if keep_disks.get() {
            return "No disk: they stay, and the job tells where.".to_owned();
        }
        facts.with(|facts| {
            let disks: Option<Vec<_>> = facts.as_ref().map(|facts| {
                let disks = facts.iter().flat_map(|facts| &facts.status.router.disks);
                disks.filter_map(|disk| disk.source.clone()).collect()
            });
            match disks.as_deref() {
                None => "Its disks, with all that is on them.".to_owned(),
                Some([]) => "No disk: it has none.".to_owned(),
                Some(disks) => {
                    let names: Vec<_> = disks.iter().map(String::as_str).collect();
                    let which = match names[..] {
                        [one] => format!(": {one}"),
                        _ => String::new(),
                    };
                    let count = format::count(names.len(), "disk", "disks");
                    format!(
                        "{count}, with all that is on it, as far as VMS made it and nobody else needs it{which}."
                    )
                }
            }
        })
    };
    view! {
        <Dialog
            eyebrow
            title=Signal::stored(who)
            class="sure-dialog"
            frame
            closed=move |()| errands.wanted.set(None)
            submit
        >
            {listed.map(|names| view! { <p class="minor break">{names}</p> })}
            <p class="lead">{consequence}</p>
            {move || fleeting().map(|gone| view! { <p class="notice">{gone}</p> })}
            {(deed == Deed::Delete).then(|| view! {
                <div class="lost">
                    <h3>"What goes"</h3>
                    <ul>
                        <li>{if count == 1 { "The router and its definition." } else { "The routers and their definitions." }}</li>
                        <li class="break">{lost_disks}</li>
                        <li class="break">{lost_links}</li>
                        {(running > 0).then(|| view! {
                            <li>{if count == 1 {
                                "It runs: it is switched off first, without shutting down.".to_owned()
                            } else {
                                format!("{running} of them run: they are switched off first, without shutting down.")
                            }}</li>
                        })}
                    </ul>
                </div>
                <Tick value=keep_disks>"Keep the disks"</Tick>
            })}
            {(deed == Deed::Shutdown).then(|| view! {
                <div class="fields">
                    <Field label="Deadline" hint="seconds" value=deadline usual="60" number=true/>
                </div>
                <Tick value=force>
                    "Switch it off where it has not shut down by then; what it has not written to its disk is lost"
                </Tick>
            })}
            {(!cannot.is_empty()).then(|| view! {
                <div class="lost">
                    <h3>"Left as they are"</h3>
                    <ul>
                        {cannot.into_iter().map(|(name, why)| view! {
                            <li><strong>{name}</strong> ": " {why}</li>
                        }).collect_view()}
                    </ul>
                </div>
            })}
            <DialogFoot
                label
                danger=matches!(deed, Deed::Delete | Deed::SwitchOff | Deed::Reset)
                why_not
                failure=act.failure
                frame
            />
        </Dialog>
    }
    .into_any()
}
