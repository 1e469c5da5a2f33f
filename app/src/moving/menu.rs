//! The menu of a thing in the picture.

use super::{
    MenuOf, Moving, Wish,
    acts::{How, RouterAct},
};
use crate::{
    Element,
    errands::{
        Errand, Errands, Target,
        doing::{carry_out, tell},
    },
    jobs::Desk,
    topology_view::route::Aim,
};
use api::{HostId, RouterId, TopologyView};
use graph::NodeKind;
use leptos::{html, prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

/// What an item does.
#[derive(Clone, Debug)]
enum Choice {
    Go(String),
    Act(RouterAct, RouterId),
    /// A new router on this host.
    Create(HostId),
}

/// An item: its words, what it does, and why it cannot be chosen.
type Item = (&'static str, Choice, Option<&'static str>);

/// The menu; it closes when something is chosen, by Escape, and when anything else is done.
#[component]
pub fn Menu(
    /// What it is about.
    of: MenuOf,
    /// What is shared.
    moving: Moving,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let errands = expect_context::<Errands>();
    let view = use_query_map()
        .with_untracked(|query| query.get("view"))
        .and_then(|view| view.parse().ok())
        .unwrap_or_default();
    let navigate = use_navigate();
    let items = items(&of, view);
    let frame = NodeRef::<html::Div>::new();
    let id = of.id.clone();
    let from_panel = of.from_panel;
    let close = move || {
        if from_panel {
            focus_on("#router-more");
        } else {
            give_focus_back(&id);
        }
        moving.menu.set(None);
    };
    let about = of.clone();
    let target = move |router: RouterId| Target {
        router: (router, about.name.clone()),
        state: about.state,
        current: about.current,
        is_moving: about.is_moving,
    };
    let choose = {
        let close = close.clone();
        move |choice: &Choice| {
            // First of all: what opens now takes the focus from there.
            close();
            match choice {
                Choice::Go(address) => {
                    let options = NavigateOptions {
                        scroll: false,
                        ..NavigateOptions::default()
                    };
                    navigate(address, options);
                }
                Choice::Create(host) => errands.wanted.set(Some(Errand::Create {
                    image: None,
                    host: Some(host.clone()),
                })),
                Choice::Act(act, router) => act_on(*act, target(*router), desk, moving, errands),
            }
        }
    };
    let item = move |(label, choice, why_not): Item| {
        let choose = choose.clone();
        view! {
            <button
                type="button"
                role="menuitem"
                tabindex="-1"
                aria-disabled=if why_not.is_some() { "true" } else { "false" }
                on:click=move |_| {
                    if why_not.is_none() {
                        choose(&choice);
                    }
                }
            >
                {label}
                {why_not.map(|why| view! { <small>{why}</small> })}
            </button>
        }
    };
    let shown = items
        .into_iter()
        .enumerate()
        .map(|(index, group)| {
            view! {
                {(index > 0).then(|| view! { <hr/> })}
                {group.into_iter().map(item.clone()).collect_view()}
            }
        })
        .collect_view();
    let (x, y) = (of.at.x, of.at.y);
    Effect::new(move || {
        if let Some(frame) = frame.get() {
            place(&frame, x, y);
            focus_item(&frame, Step::First);
        }
    });
    let keys = close.clone();
    view! {
        <div class="menu-ground" on:pointerdown=move |event| {
            event.prevent_default();
            close();
        } on:contextmenu=|event| event.prevent_default()></div>
        <div
            class="menu"
            role="menu"
            aria-label=of.name
            node_ref=frame
            on:keydown=move |event| {
                let step = match event.key().as_str() {
                    "ArrowDown" => Step::Next,
                    "ArrowUp" => Step::Before,
                    "Home" => Step::First,
                    "End" => Step::Last,
                    "Escape" | "Tab" => {
                        keys();
                        event.prevent_default();
                        event.stop_propagation();
                        return;
                    }
                    _ => return,
                };
                event.prevent_default();
                event.stop_propagation();
                if let Some(frame) = frame.get_untracked() {
                    focus_item(&frame, step);
                }
            }
        >
            {shown}
        </div>
    }
    .into_any()
}

/// The items in groups; none is empty.
fn items(of: &MenuOf, view: TopologyView) -> Vec<Vec<Item>> {
    let Ok(element) = of.id.parse::<Element>() else {
        return Vec::new();
    };
    let mut first = vec![("Show the facts", Choice::Go(element.href(view)), None)];
    if element.can_end_a_path() {
        let address = Aim::default().href(&element, view);
        first.push(("Find paths to…", Choice::Go(address), None));
    }
    let mut groups = vec![first];
    match (of.kind, &element) {
        (Some(NodeKind::Router), Element::Router(router)) => {
            groups.extend(RouterAct::ALL.map(|group| {
                let items = group.iter().map(|act| {
                    let why_not = act.why_not(of.state, of.current, of.is_moving);
                    (act.label(), Choice::Act(*act, *router), why_not)
                });
                items.collect()
            }));
        }
        (_, Element::Host(host)) => {
            let why_not = (!of.current).then_some("It does not answer.");
            groups.push(vec![(
                "New router here…",
                Choice::Create(host.clone()),
                why_not,
            )]);
        }
        _ => {}
    }
    groups
}

/// Does what an item or a button says: at once, or after a question.
pub fn act_on(act: RouterAct, target: Target, desk: Desk, moving: Moving, errands: Errands) {
    let router = target.router.clone();
    match act {
        RouterAct::Move => moving.wish.set(Some(Wish {
            router: router.0,
            name: router.1,
            destination: None,
        })),
        RouterAct::Link => errands
            .wanted
            .set(Some(Errand::Link { a: router, b: None })),
        RouterAct::Resize => errands.wanted.set(Some(Errand::Resize(router))),
        RouterAct::Console => errands.console.set(Some(router)),
        RouterAct::Do(deed) if deed.asks() => errands.wanted.set(Some(Errand::Sure {
            deed,
            routers: vec![target],
        })),
        RouterAct::Do(deed) => spawn_local(async move {
            let outcome = carry_out(desk, deed, How::default(), vec![target], |_| ()).await;
            tell(desk, deed, &outcome);
        }),
    }
}

#[derive(Clone, Copy)]
enum Step {
    First,
    Last,
    Next,
    Before,
}

/// Puts the menu where it fits.
#[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
fn place(frame: &leptos::web_sys::HtmlDivElement, x: f32, y: f32) {
    #[cfg(feature = "hydrate")]
    {
        const MARGIN: f32 = 8.0;
        let size = |value: Result<wasm_bindgen::JsValue, _>| {
            value.ok().and_then(|value| value.as_f64()).unwrap_or(800.0) as f32
        };
        let (wide, high) = (size(window().inner_width()), size(window().inner_height()));
        let (own_width, own_height) = (frame.offset_width() as f32, frame.offset_height() as f32);
        let left = x.min(wide - own_width - MARGIN).max(MARGIN);
        // Above the pointer where there is no room below it.
        let top = if y + own_height + MARGIN > high {
            y - own_height
        } else {
            y
        };
        let style = web_sys::HtmlElement::style(frame);
        let _ = style.set_property("left", &format!("{left:.0}px"));
        let _ = style.set_property("top", &format!("{:.0}px", top.max(MARGIN)));
    }
}

/// Moves the focus among the items.
#[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
fn focus_item(frame: &leptos::web_sys::HtmlDivElement, step: Step) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let Ok(items) = frame.query_selector_all("[role=menuitem]") else {
            return;
        };
        let count = items.length();
        if count == 0 {
            return;
        }
        let focused = document().active_element();
        let focused = focused.map(web_sys::Node::from);
        let at = (0..count).find(|&index| items.item(index) == focused);
        let next = match (step, at) {
            (Step::First, _) | (Step::Next, None) => 0,
            (Step::Last, _) | (Step::Before, None) => count - 1,
            (Step::Next, Some(at)) => (at + 1) % count,
            (Step::Before, Some(at)) => (at + count - 1) % count,
        };
        if let Some(item) = items
            .item(next)
            .and_then(|item| item.dyn_into::<web_sys::HtmlElement>().ok())
        {
            // Without focus the reader is where they were.
            let _ = item.focus();
        }
    }
}

/// Focuses the first of these.
#[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
fn focus_on(selector: &str) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let found = document().query_selector(selector).ok().flatten();
        if let Some(found) = found.and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok()) {
            // Without focus the reader is where they were.
            let _ = found.focus();
        }
    }
}

/// Focuses the thing in the picture again.
#[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
pub fn give_focus_back(id: &str) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let Ok(all) = document().query_selector_all(".stage [data-id]") else {
            return;
        };
        let found = (0..all.length())
            .filter_map(|index| all.get(index)?.dyn_into::<web_sys::Element>().ok())
            .find(|element| element.get_attribute("data-id").as_deref() == Some(id));
        if let Some(found) = found {
            let _ = found.unchecked_into::<web_sys::HtmlElement>().focus();
        }
    }
}
