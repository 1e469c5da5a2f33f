//! One job with all that is known of it.

use super::{
    Desk,
    notes::{BAD, GOOD, WARN},
    words,
};
use crate::{
    Element,
    clock::Clock,
    components::Act,
    format,
    server_functions::{CancelJob, cancel_job},
};
use api::{CancelJobReply, Job, JobId, JobState, MigrationResult, TopologyView};
use leptos::{html, prelude::*};
use leptos_router::components::A;

/// The sign of a state, and its word.
#[component]
pub fn JobStateChip(
    /// The state.
    state: JobState,
) -> impl IntoView {
    const WAITS: &str = "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM7.2 4h1.6v3.7l2.6 1.5-.8 1.4-3.4-2Z";
    const WORKS: &str = "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM3.8 7.2h5L7 5.4l1.1-1.1L11.9 8 8.1 11.7 7 \
                         10.6l1.8-1.8h-5Z";
    const STOPPED: &str = "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM4.6 7.2h6.8v1.6H4.6Z";
    let (class, path) = match state {
        JobState::Queued => ("icon neutral", WAITS),
        JobState::Running => ("icon working-sign", WORKS),
        JobState::CleanupPending => ("icon paused", WAITS),
        JobState::Succeeded => ("icon running", GOOD),
        JobState::Failed => ("icon failed", BAD),
        JobState::Cancelled => ("icon stopped", STOPPED),
        JobState::Interrupted => ("icon unknown", WARN),
    };
    view! {
        <span class="chip">
            <svg class=class viewBox="0 0 16 16" aria-hidden="true">
                <path fill-rule="evenodd" d=path></path>
            </svg>
            {state.as_str()}
        </span>
    }
    .into_any()
}

/// How far a job is: what it does, a bar where that is known, and numbers.
pub fn progress(job: &Job) -> AnyView {
    let numbers = job.progress.as_ref().map(words::how_far);
    let known = job.progress.as_ref().filter(|p| p.total_bytes > 0);
    let share = known.map(|progress| format!("{:.3}", progress.share()));
    let label = format!("{}: {}", words::title(job), job.phase.as_str());
    view! {
        <div class="progress">
            <p class="progress-line">
                <strong>{job.phase.as_str()}</strong>
                <span>{numbers}</span>
            </p>
            {match share {
                Some(share) => view! { <progress max="1" value=share aria-label=label></progress> }.into_any(),
                None => view! { <progress max="1" aria-label=label></progress> }.into_any(),
            }}
        </div>
    }
    .into_any()
}

/// One job. What is opened in it stays open as it goes on.
#[component]
pub fn JobCard(
    /// Which.
    id: JobId,
    /// Whether it is the one that was asked for.
    asked: bool,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let clock = expect_context::<Clock>();
    let job = Memo::new(move |_| desk.known.with(|known| known.job(id).cloned()));
    let read = move |part: fn(&Job) -> AnyView| move || job.with(|job| job.as_ref().map(part));
    let steps = Memo::new(move |_| job.with(|job| job.as_ref().map_or(0, |job| job.steps.len())));
    let times = move || {
        job.with(|job| {
            let job = job.as_ref()?;
            let at = job.created_at;
            let by = job.requested_by.clone();
            Some(view! {
                "Asked for by " {by} " at "
                <time datetime=at.to_string() title=format::date_and_time(at)>
                    {format::time_of_day(at)} " UTC"
                </time>
                {move || clock.age(at).map(|age| format!(", {age}"))}
            })
        })
    };
    view! {
        <li class="job" class:asked=asked id=format!("job-{id}") tabindex="-1">
            {read(|job| view! {
                <div class="card-head">
                    <h3>{words::title(job)}</h3>
                    <JobStateChip state=job.state/>
                </div>
                {words::way(job).map(|(from, to)| view! {
                    <p class="from-to">
                        <span class="mono">{from}</span>
                        <span aria-hidden="true">" → "</span>
                        <span class="visually-hidden">" to "</span>
                        <span class="mono">{to}</span>
                    </p>
                })}
            }.into_any())}
            <p class="minor">{times}</p>
            {read(|job| (!job.state.is_over()).then(|| progress(job)).into_any())}
            {read(|job| match &job.error {
                None => view! { <p class="job-message">{job.message.clone()}</p> }.into_any(),
                Some(error) => view! {
                    <div class="notice">
                        <p>{error.message.clone()}</p>
                        <p class="advice">{error.advice.clone()}</p>
                    </div>
                }.into_any(),
            })}
            {read(|job| pending(job).into_any())}
            {read(|job| job.migration.as_ref().map(result).into_any())}
            <Cancel job/>
            <details class="job-steps" hidden=move || steps.get() == 0>
                <summary>{move || format::count(steps.get(), "step", "steps")}</summary>
                {read(|job| view! {
                    <ol>
                        {job.steps.iter().map(|step| view! {
                            <li>
                                <time datetime=step.at.to_string()>{format::time_of_day(step.at)}</time>
                                <span>{step.message.clone()}</span>
                            </li>
                        }).collect_view()}
                    </ol>
                }.into_any())}
            </details>
            {read(|job| job.router.map(|router| view! {
                <p class="job-links">
                    <A href=Element::Router(router).href(TopologyView::Combined)>"Show the router"</A>
                </p>
            }).into_any())}
        </li>
    }
    .into_any()
}

fn pending(job: &Job) -> Option<AnyView> {
    if job.pending.is_empty() {
        return None;
    }
    let lines = job.pending.iter().cloned();
    let lines = lines.map(|line| view! { <li>{line}</li> }).collect_view();
    Some(view! { <ul class="notice">{lines}</ul> }.into_any())
}

/// What a migration did.
fn result(done: &MigrationResult) -> AnyView {
    let facts = [
        ("Stood still", done.downtime_milliseconds.map(words::took)),
        ("Took", Some(words::took(done.total_milliseconds))),
        ("Memory", done.memory_bytes.map(format::bytes)),
        ("Disks", done.disk_bytes.map(format::bytes)),
        (
            "Driven",
            done.driven_by
                .map(|by| by.as_str().trim_start_matches("driven ").to_owned()),
        ),
    ];
    let facts = facts
        .into_iter()
        .filter_map(|(name, value)| Some(view! { <div><dt>{name}</dt><dd>{value?}</dd></div> }));
    let cut = done.interruptions.iter().map(|cut| {
        let time = cut
            .milliseconds
            .map(|time| format!("{}: ", words::took(time)));
        view! { <li>{time} {cut.message.clone()}</li> }
    });
    let has_cut = !done.interruptions.is_empty();
    view! {
        <dl class="job-result">{facts.collect_view()}</dl>
        {has_cut.then(|| view! {
            <p class="minor">"Links that were interrupted longer than that:"</p>
            <ul class="job-cuts">{cut.collect_view()}</ul>
        })}
    }
    .into_any()
}

/// A button that gives the job up; it asks first where that costs something.
#[component]
fn Cancel(
    /// The job.
    job: Memo<Option<Job>>,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let cancel = Act::of::<CancelJob>();
    let sure = RwSignal::new(false);
    let no = NodeRef::<html::Button>::new();
    let can = Memo::new(move |_| {
        job.with(|job| {
            let job = job.as_ref()?;
            (job.cancellable && !job.state.is_over()).then_some((job.id, job.cancel_requested))
        })
    });
    let act = move || {
        sure.set(false);
        if let Some((id, _)) = can.get_untracked() {
            cancel.run(cancel_job(id), move |reply: CancelJobReply| {
                desk.hear(&reply.job);
            });
        }
    };
    let press = move |_| {
        let costs = job.with_untracked(|job| job.as_ref().is_some_and(words::cancelling_costs));
        if costs {
            sure.set(true);
            request_animation_frame(move || {
                if let Some(no) = no.get_untracked() {
                    // Without focus the reader is where they were.
                    let _ = no.focus();
                }
            });
        } else {
            act();
        }
    };
    view! {
        {move || can.get().map(|(_, requested)| view! {
            <div class="acts job-acts">
                {if requested {
                    view! { <span class="working" role="status">"Being given up…"</span> }.into_any()
                } else if sure.get() {
                    view! {
                        <span>"Give it up? What it has begun is undone."</span>
                        <button type="button" class="act small danger" disabled=cancel.pending on:click=move |_| act()>
                            "Give up"
                        </button>
                        <button type="button" class="act small" node_ref=no on:click=move |_| sure.set(false)>
                            "Go on"
                        </button>
                    }.into_any()
                } else {
                    view! {
                        <button type="button" class="act small" disabled=cancel.pending on:click=press>"Cancel"</button>
                    }.into_any()
                }}
            </div>
        })}
        {move || cancel.failure.get().map(|failure| view! {
            <p class="notice" role="alert">{failure.to_string()}</p>
        })}
    }
    .into_any()
}
