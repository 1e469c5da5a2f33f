//! States as icon and word: never by colour alone.

use crate::topology_view::diagram::{host_state, router_state};
use api::{HostState, LinkState, RouterState};
use graph::NodeState;
use leptos::prelude::*;

/// The sign of a state, the same as in the picture: its class, and its shape in a square of 16.
pub fn state_sign(state: NodeState) -> (&'static str, &'static str) {
    match state {
        NodeState::Running => (
            "icon running",
            "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM6.2 4.8l5.2 3.2-5.2 3.2Z",
        ),
        NodeState::Paused => (
            "icon paused",
            "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM5.2 5h2v6h-2Zm3.6 0h2v6h-2Z",
        ),
        NodeState::Stopping | NodeState::Stopped => (
            "icon stopped",
            "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.6a5.4 5.4 0 1 1 0 10.8A5.4 5.4 0 0 1 8 2.6ZM5.8 \
             5.8h4.4v4.4H5.8Z",
        ),
        NodeState::Failed => (
            "icon failed",
            "M8 1.2 15.4 14H.6ZM7.2 6v4h1.6V6Zm0 5v1.6h1.6V11Z",
        ),
        NodeState::Unknown => (
            "icon unknown",
            "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm-.8 9.6h1.6v1.6H7.2ZM5.3 6C5.4 4.5 6.5 3.6 8 \
             3.6c1.6 0 2.7.9 2.7 2.2 0 1-.5 1.6-1.2 2-.6.4-.7.6-.7 1.1v.4H7.2v-.6c0-.8.4-1.3 \
             1.1-1.7.6-.4.8-.6.8-1.1 0-.5-.4-.8-1.1-.8S7 5.4 6.9 6Z",
        ),
        NodeState::Neutral => ("icon neutral", "M8 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z"),
    }
}

/// The sign of maintenance, a spanner on a disc, in a square of 16.
pub const MAINTENANCE: &str = "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm3.9 4.3a3 3 0 0 1-3.9 3.6L5.2 \
    11.7a.9.9 0 0 1-1.3 0 .9.9 0 0 1 0-1.3l2.8-2.8A3 3 0 0 1 10.3 3.7L8.8 5.2l.3 1.3 1.3.3Z";

/// Says that a host is in maintenance, and why.
#[component]
pub fn MaintenanceChip(
    /// Why, where somebody said so.
    reason: Option<String>,
) -> impl IntoView {
    view! {
        <span class="chip maintenance" title=reason>
            <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
                <path fill-rule="evenodd" d=MAINTENANCE></path>
            </svg>
            "in maintenance"
        </span>
    }
    .into_any()
}

/// The sign of a state.
#[component]
pub fn StateIcon(
    /// The state.
    state: NodeState,
) -> impl IntoView {
    let (class, path) = state_sign(state);
    view! {
        <svg class=class viewBox="0 0 16 16" aria-hidden="true">
            <path fill-rule="evenodd" d=path></path>
        </svg>
    }
}

/// A router's state.
#[component]
pub fn RouterStateChip(
    /// The state.
    state: RouterState,
    /// Whether it is current.
    current: bool,
) -> impl IntoView {
    view! {
        <span class="chip" class:stale=!current>
            <StateIcon state=router_state(state)/>
            {state.as_str()}
            {(!current).then_some(" (last known)")}
        </span>
    }
}

/// A host's state.
#[component]
pub fn HostStateChip(
    /// The state.
    state: HostState,
) -> impl IntoView {
    view! {
        <span class="chip">
            <StateIcon state=host_state(state)/>
            {state.as_str()}
        </span>
    }
}

/// A link's state.
#[component]
pub fn LinkStateChip(
    /// The state.
    state: LinkState,
) -> impl IntoView {
    let sign = match state {
        LinkState::Up => NodeState::Running,
        LinkState::Down => NodeState::Failed,
        LinkState::Unknown => NodeState::Unknown,
    };
    view! {
        <span class="chip">
            <StateIcon state=sign/>
            {state.as_str()}
        </span>
    }
}
