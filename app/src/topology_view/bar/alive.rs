//! The form in the browser: one listener for what is chosen, one painter for what is so.

use super::super::options::{ViewOptions, ViewState};
use super::{choice, form, legend, verdict::verdict};
use crate::Element;
use graph::lens::networks;
use leptos::{html, prelude::*};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Event, HtmlElement, HtmlInputElement, KeyboardEvent};

/// Starts it once the form is in the page.
pub(super) fn start(
    bar: NodeRef<html::Details>,
    legend: NodeRef<html::Details>,
    selected: Memo<Option<Element>>,
) {
    let state = expect_context::<ViewState>();
    let options = state.options;
    Effect::new(move |listening: Option<bool>| {
        let Some(bar) = bar.get() else {
            return false;
        };
        if listening != Some(true) {
            listen(&bar, state, selected);
        }
        true
    });
    Effect::new(move || {
        if let Some(bar) = bar.get() {
            let nothing = selected.with(Option::is_none);
            options.with(|options| paint(&bar, state, options, nothing));
        }
    });
    Effect::new(move |before: Option<legend::Shown>| {
        let shown = state.diagram.with(|diagram| {
            let names = diagram.as_ref().map(|diagram| networks(diagram));
            options.with(|options| legend::Shown {
                colour: options.colour,
                weathermap: options.weathermap,
                networks: names
                    .iter()
                    .flatten()
                    .map(|name| (*name).to_owned())
                    .collect(),
            })
        });
        if let Some(legend) = legend.get()
            && before.as_ref() != Some(&shown)
        {
            legend.set_inner_html(&legend::html(&shown));
        }
        shown
    });
    Effect::new(move || {
        if let Some(selected) = selected.get() {
            let selected = selected.to_string();
            options.maybe_update(|options| choice::follow(options, &selected));
        }
    });
}

fn listen(bar: &HtmlElement, state: ViewState, selected: Memo<Option<Element>>) {
    let frame = bar.clone();
    let listener = Closure::<dyn Fn(Event)>::new(move |event: Event| {
        let target = event.target();
        let target = target
            .as_ref()
            .and_then(|target| target.dyn_ref::<web_sys::Element>());
        if let Some(target) = target {
            hear(&frame, state, selected, &event, target);
        }
    });
    // Collected with the form that it hangs on.
    let listener = listener.into_js_value();
    for name in ["input", "click", "keydown"] {
        let _ = bar.add_event_listener_with_callback(name, listener.unchecked_ref());
    }
}

fn hear(
    bar: &HtmlElement,
    state: ViewState,
    selected: Memo<Option<Element>>,
    event: &Event,
    target: &web_sys::Element,
) {
    let options = state.options;
    match event.type_().as_str() {
        "input" => {
            let (Some(name), Some(value)) =
                (target.get_attribute("name"), property(target, "value"))
            else {
                return;
            };
            let checked = target
                .dyn_ref::<HtmlInputElement>()
                .is_some_and(HtmlInputElement::checked);
            let selected =
                selected.with_untracked(|selected| selected.as_ref().map(ToString::to_string));
            options.update(|options| choice::choose(options, selected, &name, &value, checked));
        }
        "click" => {
            let Some(value) = target
                .get_attribute("value")
                .filter(|_| target.tag_name() == "BUTTON")
            else {
                return;
            };
            if let Some(format) = choice::format(&value) {
                state.export.set(Some(format));
            } else {
                let diagram = state.diagram.get_untracked();
                options.update(|options| choice::press(options, diagram.as_deref(), &value));
            }
        }
        _ => {
            let key = event.dyn_ref::<KeyboardEvent>().map(KeyboardEvent::key);
            if key.as_deref() == Some("Escape") {
                event.stop_propagation();
                let _ = bar.remove_attribute("open");
                // Without focus the reader is where they were.
                if let Some(head) = find(bar, "summary").and_then(|head| head.dyn_into().ok()) {
                    let head: HtmlElement = head;
                    let _ = head.focus();
                }
            }
        }
    }
}

/// Writes into the form what is so.
fn paint(bar: &HtmlElement, state: ViewState, options: &ViewOptions, nothing_selected: bool) {
    let diagram = state.diagram.get();
    let numbers = state.numbers.get();
    let names = diagram.as_ref().map(|diagram| networks(diagram));
    let names: Vec<&str> = names.into_iter().flatten().collect();
    if let Some(select) = find(bar, "[name=network]") {
        let choices = form::networks(&names);
        if property(&select, "data-choices").as_deref() != Some(&choices) {
            select.set_inner_html(&choices);
            set(&select, "data-choices", &choices.into());
        }
    }
    let hops = options.around.as_ref().map_or(0, |(_, hops)| *hops);
    for (name, value) in [
        ("layout", (options.layout as usize).to_string()),
        ("colour", (options.colour as usize).to_string()),
        ("filter", options.filter.clone()),
        ("highlight", options.highlight.clone()),
        ("network", options.network.clone().unwrap_or_default()),
        ("hops", hops.to_string()),
    ] {
        // What is being typed is not touched: the caret would jump.
        if let Some(control) = find(bar, &format!("[name={name}]"))
            && property(&control, "value").as_deref() != Some(&value)
        {
            set(&control, "value", &value.into());
        }
    }
    for (name, on) in [
        ("weathermap", options.weathermap),
        ("boxes", options.boxes),
        ("minimap", options.minimap),
    ] {
        if let Some(control) = find(bar, &format!("[name={name}]")) {
            set(&control, "checked", &on.into());
        }
    }
    for (name, text) in [
        ("filter", &options.filter),
        ("highlight", &options.highlight),
    ] {
        let (sentence, wrong) = verdict(diagram.as_deref(), &*numbers, text);
        say(bar, &format!("#{name}-verdict"), &sentence, wrong);
        if let Some(control) = find(bar, &format!("[name={name}]")) {
            let _ = control.set_attribute("aria-invalid", if wrong { "true" } else { "false" });
        }
    }
    let advice = if nothing_selected && hops == 0 {
        "Select something to look around it."
    } else {
        ""
    };
    say(bar, "#hops-verdict", advice, false);
    for (selector, hidden) in [
        (".narrowed", !options.narrows()),
        ("[value=unpin]", options.pins.is_empty()),
    ] {
        if let Some(part) = find(bar, selector) {
            set(&part, "hidden", &hidden.into());
        }
    }
    if let Some(control) = find(bar, "[name=hops]") {
        set(&control, "disabled", &(!advice.is_empty()).into());
    }
}

fn say(bar: &HtmlElement, selector: &str, sentence: &str, wrong: bool) {
    if let Some(place) = find(bar, selector) {
        if place.text_content().as_deref() != Some(sentence) {
            place.set_text_content(Some(sentence));
        }
        let _ = place.class_list().toggle_with_force("wrong", wrong);
    }
}

fn find(bar: &HtmlElement, selector: &str) -> Option<web_sys::Element> {
    bar.query_selector(selector).ok().flatten()
}

fn property(of: &web_sys::Element, name: &str) -> Option<String> {
    js_sys::Reflect::get(of, &name.into()).ok()?.as_string()
}

fn set(of: &web_sys::Element, name: &str, value: &JsValue) {
    let _ = js_sys::Reflect::set(of, &name.into(), value);
}
