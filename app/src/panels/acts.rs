//! What can be done to a router, in its panel.

use crate::{
    components::Act,
    errands::{Errands, Target},
    jobs::Desk,
    moving::{
        MenuOf, Moving,
        acts::{Acted, Deed, RouterAct},
        menu::act_on,
    },
    server_functions::{ActOnRouter, RouterFacts},
    topology_view::diagram::router_state,
};
use api::RouterState;
use graph::{NodeKind, Point};
use leptos::{ev::MouseEvent, html, prelude::*};

/// The acts that are done at once, forms that also work without script; the most usual of the others;
/// and all of them in the menu.
#[component]
pub fn Acts(
    /// The router.
    facts: RwSignal<RouterFacts>,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let moving = expect_context::<Moving>();
    let errands = expect_context::<Errands>();
    let act = Act::of::<ActOnRouter>();
    let doing = RwSignal::new(None::<Deed>);
    let id = facts.with_untracked(|facts| facts.status.router.id);
    let state = Memo::new(move |_| facts.with(|facts| facts.status.router.state));
    let reachable = Memo::new(move |_| facts.with(|facts| facts.status.router.current));
    let is_moving = Memo::new(move |_| facts.with(|facts| facts.moving_to.is_some()));
    let why_not = move |act: RouterAct| {
        act.why_not(router_state(state.get()), reachable.get(), is_moving.get())
    };
    let cannot = move |which: RouterAct| act.pending.get() || why_not(which).is_some();
    let hint = move || match (reachable.get(), state.get()) {
        (false, _) => Some("Its host does not answer: nothing can be done to it now."),
        (true, _) if is_moving.get() => {
            Some("While it is being moved, nothing else can be done to it.")
        }
        (true, RouterState::Suspended) => Some("It is paused in memory and forwards nothing."),
        (true, RouterState::ShutOff) => Some("It is shut off."),
        (true, _) => why_not(RouterAct::Move),
    };
    let buttons = [
        NodeRef::<html::Button>::new(),
        NodeRef::<html::Button>::new(),
        NodeRef::<html::Button>::new(),
    ];
    let [start, suspend, resume] = buttons;
    // What an act answers is newer than what is shown. The button that was pressed cannot be
    // pressed again: the focus goes on to its undo.
    let done = move |acted: Acted| {
        if let Some(router) = acted.router {
            let next = if router.state == RouterState::Suspended {
                resume
            } else {
                suspend
            };
            facts.update(|facts| facts.status.router = router);
            focus_soon(next);
        }
    };
    let form = move |deed: Deed, button: NodeRef<html::Button>| {
        let which = RouterAct::Do(deed);
        let primary = move || match deed {
            Deed::Resume => state.get() == RouterState::Suspended,
            Deed::Start => why_not(which).is_none(),
            _ => false,
        };
        act.form::<ActOnRouter>(
            NodeRef::new(),
            done,
            view! {
                <input type="hidden" name="router" value=id.to_string()/>
                <input type="hidden" name="deed" value=deed.as_str()/>
                <button
                    node_ref=button
                    type="submit"
                    class="act"
                    class:primary=primary
                    disabled=move || cannot(which)
                    title=move || why_not(which)
                    on:click=move |_| doing.set(Some(deed))
                >
                    {which.label()}
                </button>
            }
            .into_any(),
        )
    };
    let target = move || {
        facts.with_untracked(|facts| Target {
            router: (id, facts.status.router.name.clone()),
            state: router_state(facts.status.router.state),
            current: facts.status.router.current,
            is_moving: facts.moving_to.is_some(),
        })
    };
    let button = move |which: RouterAct| {
        view! {
            <button
                type="button"
                class="act scripted"
                disabled=move || cannot(which)
                title=move || why_not(which)
                on:click=move |_| act_on(which, target(), desk, moving, errands)
            >
                {which.label()}
            </button>
        }
    };
    let more = move |event: MouseEvent| {
        let Target {
            router,
            state,
            current,
            is_moving,
        } = target();
        moving.menu.set(Some(MenuOf {
            id: crate::Element::Router(router.0).to_string(),
            name: router.1,
            kind: Some(NodeKind::Router),
            state,
            current,
            is_moving,
            at: below(&event),
            from_panel: true,
        }));
    };
    let working = move || match doing.get().filter(|_| act.pending.get()) {
        Some(Deed::Start) => "Starting…",
        Some(Deed::Suspend) => "Suspending…",
        Some(Deed::Resume) => "Resuming…",
        _ => "",
    };
    view! {
        <div class="acts router-acts">
            {form(Deed::Start, start)}
            {form(Deed::Suspend, suspend)}
            {form(Deed::Resume, resume)}
            {button(RouterAct::Do(Deed::Shutdown))}
            {button(RouterAct::Console)}
            {button(RouterAct::Move)}
            <button type="button" class="act scripted" id="router-more" aria-haspopup="menu" on:click=more>"More…"</button>
            <span class="working" role="status">{working}</span>
        </div>
        {move || hint().map(|hint| view! { <p class="hint">{hint}</p> })}
        {move || act.failure.get().map(|failure| view! {
            <p class="notice" role="alert">{failure.to_string()}</p>
        })}
    }
    .into_any()
}

/// Where a menu opens that belongs to what was pressed.
#[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
fn below(event: &MouseEvent) -> Point {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let pressed = event.current_target();
        if let Some(pressed) =
            pressed.and_then(|pressed| pressed.dyn_into::<web_sys::Element>().ok())
        {
            let place = pressed.get_bounding_client_rect();
            return Point {
                x: place.left() as f32,
                y: place.bottom() as f32 + 4.0,
            };
        }
    }
    Point::default()
}

/// Focuses a button once it can be pressed.
fn focus_soon(button: NodeRef<html::Button>) {
    request_animation_frame(move || {
        if let Some(button) = button.get_untracked() {
            // Without focus the reader is where they were.
            let _ = button.focus();
        }
    });
}
