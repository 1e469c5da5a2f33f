//! The dialog: where to, how, and what speaks against it.

use super::{Moving, Wish, drag::Sign, menu::give_focus_back, words};
use crate::{
    Element, Failure, format,
    jobs::Desk,
    server_functions::{check_migration, migrate_router},
};
use api::{
    CheckMigrationReply, FindingLevel, HostId, MigrateRouterReply, MigrationFinding, MigrationMode,
    MigrationVerdict,
};
use leptos::{html, prelude::*, task::spawn_local};

/// From so many hosts on one can search among them.
const MANY: usize = 9;
/// So many hosts are offered at once.
const MOST: usize = 150;

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
    let search = RwSignal::new(String::new());
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
    let close = move || {
        if let Some(frame) = frame.get_untracked() {
            frame.close();
        }
    };
    Effect::new(move || {
        if let Some(frame) = frame.get() {
            // A browser without dialogs shows it in place.
            let _ = frame.show_modal();
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
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
                    close();
                }
                Err(why) => failure.set(Some(why)),
            }
        });
    };
    view! {
        <dialog
            class="move-dialog"
            aria-labelledby="move-title"
            node_ref=frame
            on:close=move |_| closed()
            // What is pressed here is not meant for the page behind it.
            on:keydown=|event| event.stop_propagation()
        >
            <form on:submit=submit>
                <div class="panel-head">
                    <div>
                        <p class="eyebrow">"Move"</p>
                        <h2 id="move-title" tabindex="-1" autofocus=true>{wish.name}</h2>
                    </div>
                    <button type="button" class="tool close" aria-label="Close" on:click=move |_| close()>
                        <svg viewBox="0 0 20 20" aria-hidden="true">
                            <path d="M5.1 4 10 8.9 14.9 4 16 5.1 11.1 10l4.9 4.9-1.1 1.1L10 11.1 5.1 16 4 14.9 8.9 10 4 5.1Z"></path>
                        </svg>
                    </button>
                </div>
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
                    {move || reply(&|reply| places(reply, chosen, search))}
                </details>
                <div class="findings" aria-live="polite">
                    {move || verdict.get().map(|verdict| findings(&verdict))}
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
                        <label>
                            <span>"Bandwidth " <small>"MiB/s at most"</small></span>
                            {field(bandwidth, "as fast as it goes")}
                        </label>
                        <label hidden=move || result_mode.get() != Some(MigrationMode::Live)>
                            <span>"Stand still " <small>"ms at most"</small></span>
                            {field(downtime, "300")}
                        </label>
                        <label hidden=move || result_mode.get() != Some(MigrationMode::Cold)>
                            <span>"Shut down " <small>"seconds, then off"</small></span>
                            {field(shutdown, "60")}
                        </label>
                    </div>
                </details>
                {move || failure.get().map(|failure| view! {
                    <p class="notice" role="alert">{failure.to_string()}</p>
                })}
                <div class="acts foot">
                    <button
                        type="submit"
                        class="act primary"
                        disabled=move || why_not.with(Option::is_some)
                        aria-describedby="move-why-not"
                    >
                        "Move"
                    </button>
                    <button type="button" class="act" on:click=move |_| close()>"Leave it"</button>
                    <p class="hint" id="move-why-not" role="status">{why_not}</p>
                </div>
            </form>
        </dialog>
    }
    .into_any()
}

fn field(value: RwSignal<String>, usual: &'static str) -> AnyView {
    view! {
        <input
            type="text"
            inputmode="numeric"
            autocomplete="off"
            placeholder=usual
            prop:value=value
            on:input=move |event| value.set(event_target_value(&event))
        />
    }
    .into_any()
}

/// The hosts to choose from, the best first.
fn places(
    reply: &CheckMigrationReply,
    chosen: RwSignal<Option<HostId>>,
    search: RwSignal<String>,
) -> AnyView {
    if reply.verdicts.is_empty() {
        return view! { <p class="empty">"There is no other host."</p> }.into_any();
    }
    let verdicts = StoredValue::new(reply.verdicts.clone());
    let many = reply.verdicts.len() >= MANY;
    let sought =
        move |one: &MigrationVerdict| crate::tables::matches(&one.host_name, &search.read());
    let shown = move || {
        let found: Vec<_> = verdicts
            .with_value(|verdicts| verdicts.iter().filter(|one| sought(one)).cloned().collect());
        let rest = found.len().saturating_sub(MOST);
        let none = found.is_empty();
        let list = found.into_iter().take(MOST).map(|one| place(one, chosen));
        view! {
            {list.collect_view()}
            {(rest > 0).then(|| view! { <p class="minor">{format!("{rest} more: search for them.")}</p> })}
            {none.then(|| view! { <p class="empty">"No host has such a name."</p> })}
        }
    };
    view! {
        {many.then(|| view! {
            <input
                type="search"
                class="places-search"
                placeholder="Search hosts"
                aria-label="Search hosts"
                autocomplete="off"
                prop:value=search
                on:input=move |event| search.set(event_target_value(&event))
                on:keydown=|event| {
                    // It would move the router.
                    if event.key() == "Enter" {
                        event.prevent_default();
                    }
                }
            />
        })}
        <div class="places-list" role="radiogroup" aria-label="Where to">{shown}</div>
    }
    .into_any()
}

fn place(one: MigrationVerdict, chosen: RwSignal<Option<HostId>>) -> AnyView {
    let host = one.host.clone();
    let own = one.host.clone();
    let free = one.score.filter(|_| one.is_possible());
    view! {
        <label class=format!("place {}", words::sign(one.verdict).0)>
            <input
                type="radio"
                name="destination"
                value=one.host.to_string()
                prop:checked=move || chosen.with(|chosen| chosen.as_ref() == Some(&own))
                on:change=move |_| chosen.set(Some(host.clone()))
            />
            <Sign level=one.verdict/>
            <span class="place-name">{one.host_name}</span>
            <span class="visually-hidden">": " {words::said(one.verdict)} ". "</span>
            <span class="place-free">{free.map(|free| format!("{} free", format::percent(free.clamp(0.0, 1.0))))}</span>
            <span class="place-why">{one.summary}</span>
        </label>
    }
    .into_any()
}

fn findings(verdict: &MigrationVerdict) -> AnyView {
    let (matters, fine) = words::sorted(&verdict.findings);
    let count = fine.len();
    let list = |findings: Vec<&MigrationFinding>| findings.into_iter().map(finding).collect_view();
    let good = matters.is_empty().then(|| {
        view! {
            <p class="all-fine"><Sign level=FindingLevel::Fine/> {verdict.summary.clone()}</p>
        }
    });
    view! {
        {good}
        <ul>{list(matters)}</ul>
        {(count > 0).then(|| view! {
            <details>
                <summary>{format::count(count, "check", "checks")} " as it should be"</summary>
                <ul>{list(fine)}</ul>
            </details>
        })}
    }
    .into_any()
}

fn finding(finding: &MigrationFinding) -> AnyView {
    view! {
        <li>
            <Sign level=finding.level/>
            <div>
                <p>
                    <strong>{finding.check.as_str()}</strong>
                    <span class="visually-hidden">" (" {finding.level.as_str()} ")"</span>
                    ": " {finding.what.clone()}
                </p>
                {finding.why.clone().map(|why| view! { <p class="minor">{why}</p> })}
                {finding.advice.clone().map(|advice| view! { <p class="advice">{advice}</p> })}
            </div>
        </li>
    }
    .into_any()
}
