//! What signs and colours mean, as the picture is coloured now.

use super::super::options::{Colouring, ViewState};
use crate::components::StateIcon;
use graph::{NodeKind, NodeState, describe, lens::networks, palette};
use leptos::{html, prelude::*};

/// How many networks the legend names; the others are named by their routers.
const MOST_NETWORKS: usize = 12;

/// The width of a window, in pixels, below which the legend starts folded.
const NARROW: f64 = 1180.0;

/// The legend, open where there is room.
pub(super) fn legend(state: ViewState) -> AnyView {
    let options = state.options;
    let frame = NodeRef::<html::Details>::new();
    Effect::new(move || {
        let width = window().inner_width().ok().and_then(|width| width.as_f64());
        if let Some(frame) = frame.get()
            && width.is_some_and(|width| width < NARROW)
        {
            frame.set_open(false);
        }
    });
    let colour = Memo::new(move |_| options.with(|options| options.colour));
    let ramp = Memo::new(move |_| {
        options.with(|options| options.weathermap || options.colour == Colouring::Load)
    });
    view! {
        <details class="legend" open node_ref=frame>
            <summary>"Legend"</summary>
            <div class="legend-body">
                {states()}
                {links()}
                {move || ramp.get().then(load)}
                {move || (colour.get() == Colouring::Network).then(|| of_networks(state))}
            </div>
        </details>
    }
    .into_any()
}

/// Signs of states; hosts have words of their own.
fn states() -> AnyView {
    let states = [
        NodeState::Running,
        NodeState::Paused,
        NodeState::Stopped,
        NodeState::Failed,
        NodeState::Unknown,
    ];
    let items = states.map(|state| {
        let router = match state {
            NodeState::Unknown => "unknown",
            state => describe::state(NodeKind::Router, state),
        };
        // No host is shut off: it is unreachable then.
        let words = match state {
            NodeState::Stopped => router.to_owned(),
            state => format!("{router} · {}", describe::state(NodeKind::Host, state)),
        };
        view! { <li><StateIcon state/><span>{words}</span></li> }
    });
    view! { <ul aria-label="States of routers, and of hosts">{items.into_iter().collect_view()}</ul> }
        .into_any()
}

/// Kinds of links, and their states.
fn links() -> AnyView {
    let items = [
        ("edge physical up", "cable"),
        ("edge virtual up", "virtual link"),
        ("edge attachment up", "on a segment"),
        ("edge virtual down", "down"),
        ("edge physical unknown", "state unknown"),
    ]
    .map(|(class, words)| {
        view! {
            <li>
                <svg class="sample topology" viewBox="0 0 34 10" aria-hidden="true">
                    <g class=class><path class="line" stroke-width="2.5" d="M2 5H32"></path></g>
                </svg>
                <span>{words}</span>
            </li>
        }
    });
    view! { <ul aria-label="Links">{items.into_iter().collect_view()}</ul> }.into_any()
}

/// How many bars show the ramp.
const BARS: u8 = 16;

fn load() -> AnyView {
    let bars = |class: &'static str, dark: bool| {
        let bars = (0..BARS).map(move |bar| {
            let load = f32::from(bar) / f32::from(BARS - 1);
            let fill = palette::css(palette::load_colour(load, dark));
            view! { <rect x=(bar * 8).to_string() width="8" height="10" fill=fill></rect> }
        });
        view! { <g class=class>{bars.collect_view()}</g> }
    };
    view! {
        <div class="ramp">
            <span>"Load 0 %"</span>
            <svg viewBox="0 0 128 10" preserveAspectRatio="none" aria-hidden="true">
                {bars("when-light", false)}
                {bars("when-dark", true)}
            </svg>
            <span>"100 %"</span>
        </div>
    }
    .into_any()
}

fn of_networks(state: ViewState) -> AnyView {
    let names: Vec<String> = state.diagram.with(|diagram| {
        let names = diagram.as_ref().map(|diagram| networks(diagram));
        names
            .unwrap_or_default()
            .into_iter()
            .map(str::to_owned)
            .collect()
    });
    let more = names.len().saturating_sub(MOST_NETWORKS);
    let items = names.into_iter().take(MOST_NETWORKS).map(|name| {
        let fill = |dark| palette::css(palette::network_colour(&name, dark));
        view! {
            <li>
                <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
                    <rect class="when-light" width="10" height="10" fill=fill(false)></rect>
                    <rect class="when-dark" width="10" height="10" fill=fill(true)></rect>
                </svg>
                <span>{name.clone()}</span>
            </li>
        }
    });
    view! {
        <ul aria-label="Virtual networks">
            {items.collect_view()}
            {(more > 0).then(|| view! { <li>{format!("and {more} more")}</li> })}
        </ul>
    }
    .into_any()
}
