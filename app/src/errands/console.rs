//! A router's console, docked below the page.
//!
//! The terminal is an element of its own, `<vms-console>`, of a script that is loaded with the first
//! one (`console/console.js`). It tells its state by an event, and is told to connect again by another.

use super::{Errands, Named};
use crate::{Element, components::Close, moving::menu::give_focus_back};
use leptos::{html, prelude::*, web_sys::CustomEvent};

/// Where the script is.
const SCRIPT: &str = "/later-console/console.js";

/// The console.
#[component]
pub fn Console(
    /// The router.
    router: Named,
    /// What is shared.
    errands: Errands,
) -> impl IntoView {
    let (id, name) = router;
    let state = RwSignal::new("connecting".to_owned());
    let why = RwSignal::new(String::new());
    let tall = RwSignal::new(false);
    let frame = NodeRef::<html::Section>::new();
    load_script();
    let before = document().active_element();
    let in_picture = Element::Router(id).to_string();
    let close = move || {
        errands.console.set(None);
        // What the picture had there may be another element by now, and is no HTML.
        let before = before.as_ref();
        if before.is_some_and(|before| matches!(before.closest(".stage"), Ok(Some(_)))) {
            give_focus_back(&in_picture);
        } else {
            focus(before);
        }
    };
    let leave = move || {
        if let Some(frame) = frame.get_untracked() {
            focus(
                frame
                    .query_selector(".console-close button")
                    .ok()
                    .flatten()
                    .as_ref(),
            );
        }
    };
    let again = move |_| {
        let terminal = frame.get_untracked();
        let terminal =
            terminal.and_then(|frame| frame.query_selector("vms-console").ok().flatten());
        if let Some(terminal) = terminal {
            tell(&terminal, "again");
        }
    };
    let title = format!("Console of {name}");
    let shown = name.clone();
    let words = move || match state.get().as_str() {
        "open" => "connected",
        "closed" => "closed",
        _ => "connecting…",
    };
    view! {
        <section class="console" class:tall=tall aria-label=title node_ref=frame
            on:consolestate=move |event: CustomEvent| {
                if let Some((new, reason)) = detail(&event).split_once('\n') {
                    state.set(new.to_owned());
                    why.set(reason.to_owned());
                }
            }
            on:consoleleave=move |_: CustomEvent| leave()
        >
            <header>
                <h2><span class="minor">"Console of "</span> {shown}</h2>
                <span class=move || format!("console-state {}", state.get()) role="status">{words}</span>
                <span class="minor leave-hint"><kbd>"Ctrl"</kbd> "+" <kbd>"Shift"</kbd> "+" <kbd>"L"</kbd> " leaves it"</span>
                <Show when=move || *state.read() == "closed">
                    <button type="button" class="act small" on:click=again>"Connect again"</button>
                </Show>
                <button type="button" class="tool" aria-pressed=move || if tall.get() { "true" } else { "false" } aria-label="Larger" title="Larger" on:click=move |_| tall.update(|tall| *tall = !*tall)>
                    <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M10 3.4 15.6 9l-1.1 1.1L10 5.6l-4.500 4.500L4.400 9ZM4.400 15H15.6v1.600H4.400Z"></path></svg>
                </button>
                <span class="console-close"><Close label="Close the console" close=move |()| close()/></span>
            </header>
            {move || (*state.read() == "closed").then(|| why.get()).filter(|why| !why.is_empty()).map(|why| view! {
                <p class="console-why" role="alert">{why}</p>
            })}
            <vms-console router=id.to_string() name=name></vms-console>
        </section>
    }
    .into_any()
}

#[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
fn detail(event: &CustomEvent) -> String {
    #[cfg(feature = "hydrate")]
    return event.detail().as_string().unwrap_or_default();
    #[cfg(not(feature = "hydrate"))]
    String::new()
}

/// Sends an event of this name.
#[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
fn tell(to: &leptos::web_sys::Element, name: &str) {
    #[cfg(feature = "hydrate")]
    if let Ok(event) = web_sys::Event::new(name) {
        let _ = to.dispatch_event(&event);
    }
}

#[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
fn focus(element: Option<&leptos::web_sys::Element>) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        if let Some(element) = element.and_then(|element| element.dyn_ref::<web_sys::HtmlElement>())
        {
            // Without focus the reader is where they were.
            let _ = element.focus();
        }
    }
}

/// Loads the script and its style sheet, once.
fn load_script() {
    #[cfg(feature = "hydrate")]
    {
        const ID: &str = "vms-console-script";
        let document = document();
        if document.get_element_by_id(ID).is_some() {
            return;
        }
        let (Some(head), Ok(script), Ok(style)) = (
            document.head(),
            document.create_element("script"),
            document.create_element("link"),
        ) else {
            return;
        };
        for (element, name, value) in [
            (&script, "id", ID),
            (&script, "type", "module"),
            (&script, "src", SCRIPT),
            (&style, "rel", "stylesheet"),
            (&style, "href", "/later-console/xterm.css"),
        ] {
            let _ = element.set_attribute(name, value);
        }
        let _ = head.append_child(&style);
        let _ = head.append_child(&script);
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = SCRIPT;
}
