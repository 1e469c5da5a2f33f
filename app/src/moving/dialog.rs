//! The dialog: where to, how, and what speaks against it.

use super::{
    Moving, Wish,
    menu::give_focus_back,
    places::{Place, Places, findings},
    words,
};
use crate::{
    Element, Failure,
    components::{Dialog, DialogFoot, Field, close},
    jobs::Desk,
    server_functions::{check_migration, migrate_router},
};
use api::{CheckMigrationReply, MigrateRouterReply, MigrationMode};
use leptos::{html, prelude::*, task::spawn_local};

/// Asks where a router shall go, says what speaks against it, and moves it.
#[component]
pub fn MoveDialog(
    /// What is wanted.
    wish: Wish,
    /// What is shared.
    moving: Moving,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let router = wish.router;
    let frame = NodeRef::<html::Dialog>::new();
    let dropped = wish.destination.is_some();
    let chosen = RwSignal::new(wish.destination);
    // What the reader asks for; the reply says what it comes to.
    let mode = RwSignal::new(None::<MigrationMode>);
    let answer = RwSignal::new(None::<Result<CheckMigrationReply, Failure>>);
    let (bandwidth, downtime, shutdown) = (
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
    );
    let pending = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);

    // What was asked while it was dragged is used: it is but seconds old.
    if dropped {
        let known = moving.answer.get_untracked();
        if let Some((of, Some(Ok(reply)))) = known
            && of == router
        {
            answer.set(Some(Ok(reply)));
        }
    }
    let count = StoredValue::new(0u32);
    Effect::new(move |before: Option<()>| {
        let mode = mode.get();
        if before.is_none() && answer.with_untracked(Option::is_some) {
            return;
        }
        let asked = count.get_value() + 1;
        count.set_value(asked);
        answer.set(None);
        spawn_local(async move {
            let reply = check_migration(router, mode).await;
            // The dialog may be closed, or ask for something else by now.
            if count.try_get_value() == Some(asked) {
                answer.try_set(Some(reply));
            }
        });
    });
    let reply = move |read: &dyn Fn(&CheckMigrationReply) -> AnyView| {
        answer.with(|answer| match answer {
            None => view! { <p class="working" role="status">"Asking the hosts…"</p> }.into_any(),
            Some(Err(failure)) => {
                view! { <p class="notice" role="alert">{failure.to_string()}</p> }.into_any()
            }
            Some(Ok(reply)) => read(reply),
        })
    };
    let source = Memo::new(move |_| {
        answer.with(|answer| Some(answer.as_ref()?.as_ref().ok()?.source.to_string()))
    });
    let verdict = Memo::new(move |_| {
        let chosen = chosen.get()?;
        answer.with(|answer| {
            let verdicts = &answer.as_ref()?.as_ref().ok()?.verdicts;
            verdicts.iter().find(|one| one.host == chosen).cloned()
        })
    });
    let result_mode =
        Memo::new(move |_| answer.with(|answer| Some(answer.as_ref()?.as_ref().ok()?.mode)));
    let numbers = Memo::new(move |_| {
        let field = |name: &str, value: Result<Option<u64>, String>| {
            value.map_err(|wrong| format!("{name}: {wrong}."))
        };
        Ok::<_, String>((
            field("Bandwidth", words::number(&bandwidth.read(), 1, 1_000_000))?,
            field("Stand still", words::number(&downtime.read(), 1, 600_000))?,
            field("Shut down", words::number(&shutdown.read(), 1, 3600))?,
        ))
    });
    // Why it cannot be moved now; none if it can.
    let why_not = Memo::new(move |_| {
        if pending.get() {
            return Some("It is being asked for…".to_owned());
        }
        if answer.with(Option::is_none) {
            return Some("The hosts are being asked.".to_owned());
        }
        if chosen.with(Option::is_none) {
            return Some("Choose a host.".to_owned());
        }
        match verdict.get() {
            None => Some("Nothing is known of this host: choose another.".to_owned()),
            Some(verdict) if !verdict.is_possible() => {
                Some(words::why_not(&verdict).unwrap_or(verdict.summary))
            }
            Some(_) => numbers.with(|numbers| numbers.as_ref().err().cloned()),
        }
    });
    let id = Element::Router(router).to_string();
    let closed = move || {
        moving.wish.set(None);
        moving.answer.set(None);
        // The browser gives the focus back to what had it; nothing had it where one dragged.
        if dropped {
            give_focus_back(&id);
        }
    };
    let submit = move || {
        let (Some(destination), None) = (chosen.get_untracked(), why_not.get_untracked()) else {
            return;
        };
        let Ok((bandwidth, downtime, shutdown)) = numbers.get_untracked() else {
            return;
        };
        let mode = result_mode.get_untracked();
        let is_live = mode == Some(MigrationMode::Live);
        pending.set(true);
        failure.set(None);
        spawn_local(async move {
            let asked = migrate_router(
                router,
                destination,
                mode,
                bandwidth,
                downtime.filter(|_| is_live),
                shutdown
                    .filter(|_| !is_live)
                    .and_then(|seconds| u32::try_from(seconds).ok()),
            );
            let asked = asked.await;
            if pending.try_set(false).is_some() {
                return;
            }
            match asked {
                Ok(MigrateRouterReply { job, .. }) => {
                    desk.hear(&job);
                    close(frame);
                }
                Err(why) => failure.set(Some(why)),
            }
        });
    };
    view! {
        <Dialog
            eyebrow="Move"
            title=Signal::stored(wish.name)
            class="move-dialog"
            frame
            closed=move |()| closed()
            submit=move |()| submit()
        >
                <p class="from-to large">
                    <span class="mono">{move || source.get().unwrap_or_else(|| "…".to_owned())}</span>
                    <span aria-hidden="true">" → "</span>
                    <span class="visually-hidden">" to "</span>
                    <span class="mono">
                        {move || verdict.get().map(|one| one.host_name)
                            .or_else(|| chosen.get().map(|host| host.to_string()))
                            .unwrap_or_else(|| "choose a host".to_owned())}
                    </span>
                </p>
                <details class="places" open=!dropped>
                    <summary>{if dropped { "Another host" } else { "Hosts" }}</summary>
                    {move || reply(&|reply| view! { <Places places=to_choose(reply) chosen none="There is no other host."/> }.into_any())}
                </details>
                <div class="findings" aria-live="polite">
                    {move || verdict.get().map(|verdict| findings(&verdict.findings, &verdict.summary))}
                </div>
                <details class="how">
                    <summary>
                        {move || match result_mode.get() {
                            Some(mode) => format!("How: {mode} ({})", words::meaning(mode)),
                            None => "How".to_owned(),
                        }}
                    </summary>
                    <fieldset>
                        <legend>"Mode"</legend>
                        {MigrationMode::ALL.map(|one| view! {
                            <label class="tick">
                                <input
                                    type="radio"
                                    name="mode"
                                    value=one.as_str()
                                    prop:checked=move || mode.get().or(result_mode.get()) == Some(one)
                                    on:change=move |_| mode.set(Some(one))
                                />
                                <span><strong>{one.as_str()}</strong> ", " {words::meaning(one)}</span>
                            </label>
                        }).into_iter().collect_view()}
                    </fieldset>
                    <div class="fields">
                        <Field label="Bandwidth" hint="MiB/s at most" value=bandwidth usual="as fast as it goes" number=true/>
                        <Show when=move || result_mode.get() == Some(MigrationMode::Live)>
                            <Field label="Stand still" hint="ms at most" value=downtime usual="300" number=true/>
                        </Show>
                        <Show when=move || result_mode.get() == Some(MigrationMode::Cold)>
                            <Field label="Shut down" hint="seconds, then off" value=shutdown usual="60" number=true/>
                        </Show>
                    </div>
                </details>
                <DialogFoot label="Move" why_not failure frame/>
        </Dialog>
    }
    .into_any()
}

fn to_choose(reply: &CheckMigrationReply) -> Vec<Place> {
    let verdicts = reply.verdicts.iter();
    verdicts
        .map(|one| Place {
            host: one.host.clone(),
            name: one.host_name.clone(),
            level: one.verdict,
            free: one.score.filter(|_| one.is_possible()),
            summary: one.summary.clone(),
        })
        .collect()
}
