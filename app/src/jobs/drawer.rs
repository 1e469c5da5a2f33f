//! The drawer: what is being moved, and what was, beside whatever page one is on.

use super::{Desk, UNKNOWN_YET, card::JobCard, notes::Notes};
use crate::components::Close;
use api::JobId;
use leptos::{html, prelude::*};
use leptos_router::components::A;

/// So many jobs at most; the page has all.
const MOST: usize = 30;

/// What keeps the list, tells what ended, and is the drawer while that is open. All of it is loaded
/// with the first news of a job, or where there were some before.
#[component]
pub fn Drawer() -> impl IntoView {
    let desk = expect_context::<Desk>();
    super::clerk::start(desk);
    let is_open = Memo::new(move |_| desk.open.with(Option::is_some));
    view! {
        <div class="notes" role="status" aria-live="polite" aria-relevant="additions"><Notes/></div>
        {move || is_open.get().then(|| view! { <Open desk/> })}
    }
    .into_any()
}

#[component]
fn Open(
    /// The jobs.
    desk: Desk,
) -> impl IntoView {
    let asked = Memo::new(move |_| desk.open.get().flatten());
    let shown = Memo::new(move |_| {
        desk.known.with(|known| {
            let jobs = known.all().iter().map(|job| job.id);
            let mut shown: Vec<JobId> = jobs.take(MOST).collect();
            // One that was asked for is there, however old it is.
            if let Some(asked) = asked.get()
                && !shown.contains(&asked)
                && known.job(asked).is_some()
            {
                shown.push(asked);
            }
            shown
        })
    });
    let is_read = Memo::new(move |_| desk.known.with(|known| known.is_read));
    let frame = NodeRef::<html::Div>::new();
    // Whoever sees the drawer sees what failed.
    Effect::new(move || {
        desk.known.track();
        if let Some(last) = desk.known.with(|known| {
            let ends = known.all().iter().filter_map(|job| job.finished_at);
            ends.max()
        }) && last.as_millisecond() > desk.seen.get_untracked()
        {
            desk.see(last);
        }
    });
    Effect::new(move || {
        let place = frame.get();
        let asked = asked.get();
        request_animation_frame(move || {
            let job = asked.and_then(|id| document().get_element_by_id(&format!("job-{id}")));
            if let Some(job) = job {
                focus(&job);
            } else if let Some(frame) = place {
                focus(&frame);
            }
        });
    });
    let close = move || {
        desk.open.set(None);
        if let Some(button) = document().get_element_by_id("jobs-button") {
            focus(&button);
        }
    };
    view! {
        <div
            class="drawer"
            role="dialog"
            aria-labelledby="drawer-title"
            tabindex="-1"
            node_ref=frame
            on:keydown=move |event| {
                if event.key() == "Escape" {
                    event.stop_propagation();
                    close();
                }
            }
        >
            <div class="panel-head">
                <h2 id="drawer-title">"Jobs"</h2>
                <div class="drawer-tools">
                    <A href="/jobs">"All jobs"</A>
                    <Close label="Close the jobs" close=move |()| close()/>
                </div>
            </div>
            <ul class="jobs">
                <For each=move || shown.get() key=|id| *id children=move |id| view! {
                    <JobCard id asked=asked.get_untracked() == Some(id)/>
                }/>
            </ul>
            {move || shown.with(Vec::is_empty).then(|| view! {
                <div class="empty">
                    {if is_read.get() {
                        view! {
                            <p>"No job yet."</p>
                            <p class="minor">"What takes a while stands here: routers that are made or moved, links, images on their way to hosts."</p>
                        }.into_any()
                    } else {
                        view! { <p>{UNKNOWN_YET}</p> }.into_any()
                    }}
                </div>
            })}
        </div>
    }
    .into_any()
}

#[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
fn focus(element: &leptos::web_sys::Element) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        if let Some(element) = element.dyn_ref::<web_sys::HtmlElement>() {
            // Without focus the reader is where they were.
            let _ = element.focus();
        }
    }
}
