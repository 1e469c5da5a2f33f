//! The link that is being drawn: a line from a router to the pointer, and what it would link.

use super::Errands;
use crate::components::Cross;
use leptos::prelude::*;

/// What is drawn over the picture meanwhile, and how to do it while the mode is on.
#[component]
pub fn LineView(
    /// What is shared.
    errands: Errands,
) -> impl IntoView {
    let line = errands.line;
    let part = move |read: fn(&super::Line) -> String| {
        move || line.with(|line| line.as_ref().map(read).unwrap_or_default())
    };
    let is_drawn = Memo::new(move |_| line.with(Option::is_some));
    let said = move || {
        line.with(|line| {
            let line = line.as_ref()?;
            Some(match &line.over {
                Some((over, _)) => format!("Let go to link it with {}.", over.1),
                None => "Drop it on another router; Escape lets go.".to_owned(),
            })
        })
    };
    view! {
        {move || (errands.drawing.get() && !is_drawn.get()).then(|| view! {
            <div class="mode-note" role="status">
                <p>"Drag from one router to another to link them."</p>
                <button type="button" class="tool" aria-label="Draw no more links" title="Draw no more links (l)" on:click=move |_| errands.drawing.set(false)>
                    <Cross/>
                </button>
            </div>
        })}
        {move || is_drawn.get().then(|| view! {
            <div
                class="verdicts"
                aria-hidden="true"
                style:left=part(|line| format!("{:.0}px", line.stage.x))
                style:top=part(|line| format!("{:.0}px", line.stage.y))
                style:width=part(|line| format!("{:.0}px", line.stage.width))
                style:height=part(|line| format!("{:.0}px", line.stage.height))
            >
                <svg class="rubber" class:over=move || line.with(|line| line.as_ref().is_some_and(|line| line.over.is_some()))>
                    <path d=part(|line| {
                        let end = line.over.as_ref().map_or(line.to, |(_, rect)| rect.center());
                        format!(
                            "M{:.1} {:.1}L{:.1} {:.1}",
                            line.at.x - line.stage.x,
                            line.at.y - line.stage.y,
                            end.x - line.stage.x,
                            end.y - line.stage.y,
                        )
                    })></path>
                    <circle r="5" cx=part(|line| format!("{:.1}", line.at.x - line.stage.x)) cy=part(|line| format!("{:.1}", line.at.y - line.stage.y))></circle>
                </svg>
                {move || line.with(|line| line.as_ref().and_then(|line| {
                    let (_, rect) = line.over.as_ref()?;
                    Some(view! {
                        <div
                            class="link-target"
                            style:left=format!("{:.1}px", rect.x - line.stage.x - 6.0)
                            style:top=format!("{:.1}px", rect.y - line.stage.y - 6.0)
                            style:width=format!("{:.1}px", rect.width + 12.0)
                            style:height=format!("{:.1}px", rect.height + 12.0)
                        ></div>
                    })
                }))}
            </div>
            <div
                class="held"
                style:left=part(|line| format!("min({:.0}px, 100vw - 302px)", line.to.x))
                style:top=part(|line| format!("min({:.0}px, 100dvh - 128px)", line.to.y))
            >
                <p><strong>{part(|line| line.from.1.clone())}</strong></p>
                <p role="status">{said}</p>
            </div>
        })}
    }
    .into_any()
}
