//! What is shown while a router is dragged: it beside the pointer, and on each host whether it can
//! go there.

use super::{Drag, HostPlace, Moving, words};
use crate::server_functions::check_migration;
use api::{CheckMigrationReply, FindingLevel, MigrationVerdict, RouterId};
use leptos::{prelude::*, task::spawn_local};

/// Asks where a router can go, unless that is asked already.
pub(super) fn ask(moving: Moving, router: RouterId) {
    let asked = moving
        .answer
        .with_untracked(|answer| matches!(answer, Some((of, None)) if *of == router));
    if asked {
        return;
    }
    moving.answer.set(Some((router, None)));
    spawn_local(async move {
        let reply = check_migration(router, None).await;
        moving.answer.try_update(|answer| match answer {
            // Something else may be asked by now.
            Some((of, answer)) if *of == router => *answer = Some(reply),
            _ => {}
        });
    });
}

/// Everything that is drawn over the picture meanwhile.
#[component]
pub fn DragView(
    /// What is held.
    moving: Moving,
) -> impl IntoView {
    let held = Memo::new(move |_| {
        moving
            .drag
            .with(|drag| drag.as_ref().map(|drag| drag.router))
    });
    Effect::new(move || {
        if let Some(router) = held.get() {
            ask(moving, router);
        }
    });
    let hosts = Memo::new(move |_| {
        moving.drag.with(|drag| {
            let places = drag.as_ref().map(|drag| (drag.stage, drag.hosts.clone()));
            places.unwrap_or_default()
        })
    });
    let over = Memo::new(move |_| {
        moving
            .drag
            .with(|drag| drag.as_ref().and_then(|drag| drag.over.clone()))
    });
    // Near the edge of the window it stays inside: so much must be right of it, or below.
    let at = move |part: fn(&Drag) -> f32, all: &'static str, room: u16| {
        move || {
            let place = moving.drag.with(|drag| drag.as_ref().map(part));
            format!("min({:.0}px, {all} - {room}px)", place.unwrap_or_default())
        }
    };
    let verdict_of = move |place: &HostPlace| {
        let place = place.clone();
        Memo::new(move |_| {
            moving.answer.with(|answer| {
                let reply = answer.as_ref()?.1.as_ref()?.as_ref().ok()?;
                verdict(reply, &place)
            })
        })
    };
    let said = move || {
        let waiting = moving.answer.with(|answer| match answer {
            Some((_, Some(Err(failure)))) => Some(failure.to_string()),
            Some((_, None)) | None => Some("Asking where it can go…".to_owned()),
            Some((_, Some(Ok(_)))) => None,
        });
        if waiting.is_some() {
            return waiting;
        }
        let over = over.get();
        let (_, hosts) = hosts.get();
        let Some(place) = over.and_then(|over| hosts.into_iter().find(|one| one.host == over))
        else {
            return Some("Drop it on a host; Escape puts it back.".to_owned());
        };
        if place.own {
            return Some("It is here. Drop it on another host.".to_owned());
        }
        moving.answer.with(|answer| {
            let reply = answer.as_ref()?.1.as_ref()?.as_ref().ok()?;
            let verdict = verdict(reply, &place)?;
            Some(words::why_not(&verdict).unwrap_or(verdict.summary))
        })
    };
    let target = move || {
        let over = over.get()?;
        let (_, hosts) = hosts.get();
        let place = hosts.into_iter().find(|one| one.host == over && !one.own)?;
        Some(format!(" → {}", place.name))
    };
    view! {
        {move || held.get().map(|_| view! {
            <div
                class="verdicts"
                aria-hidden="true"
                style:left=move || format!("{:.0}px", hosts.with(|(stage, _)| stage.x))
                style:top=move || format!("{:.0}px", hosts.with(|(stage, _)| stage.y))
                style:width=move || format!("{:.0}px", hosts.with(|(stage, _)| stage.width))
                style:height=move || format!("{:.0}px", hosts.with(|(stage, _)| stage.height))
            >
                {move || {
                    let (stage, places) = hosts.get();
                    places.into_iter().map(|place| {
                        let verdict = verdict_of(&place);
                        let host = place.host.clone();
                        let is_over = move || over.with(|over| over.as_ref() == Some(&host));
                        let (own, rect) = (place.own, place.rect);
                        let level = Memo::new(move |_| {
                            verdict.with(|verdict| verdict.as_ref().map(|verdict| verdict.verdict))
                        });
                        let class = move || match level.get() {
                            _ if own => "own",
                            None => "asking",
                            Some(level) => words::sign(level).0,
                        };
                        view! {
                            <div
                                class=move || format!("verdict-ring {}", class())
                                data-host=place.host.to_string()
                                class:over=is_over
                                style:left=format!("{:.1}px", rect.x - stage.x)
                                style:top=format!("{:.1}px", rect.y - stage.y)
                                style:width=format!("{:.1}px", rect.width)
                                style:height=format!("{:.1}px", rect.height)
                            >
                                {move || level.get().filter(|_| !own).map(|level| view! { <Sign level/> })}
                            </div>
                        }
                    }).collect_view()
                }}
            </div>
            <div class="held" style:left=at(|drag| drag.at.x, "100vw", 302) style:top=at(|drag| drag.at.y, "100dvh", 128)>
                <p>
                    <strong>{move || moving.drag.with(|drag| drag.as_ref().map(|drag| drag.name.clone()))}</strong>
                    {target}
                </p>
                <p role="status">{said}</p>
            </div>
        })}
    }
    .into_any()
}

fn verdict(reply: &CheckMigrationReply, place: &HostPlace) -> Option<MigrationVerdict> {
    let mut verdicts = reply.verdicts.iter();
    verdicts.find(|one| one.host == place.host).cloned()
}

/// The sign of a level.
#[component]
pub fn Sign(
    /// The level.
    level: FindingLevel,
) -> impl IntoView {
    let (class, path) = words::sign(level);
    view! {
        <svg class=format!("icon {class}") viewBox="0 0 16 16" aria-hidden="true">
            <path fill-rule="evenodd" d=path></path>
        </svg>
    }
    .into_any()
}
