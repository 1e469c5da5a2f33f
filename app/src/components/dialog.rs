//! Dialogs: one frame, one foot; and the cross that closes whatever has one.

use crate::Failure;
use leptos::{html, prelude::*};

/// A cross.
#[component]
pub fn Cross() -> impl IntoView {
    view! {
        <svg viewBox="0 0 20 20" aria-hidden="true">
            <path d="M5.1 4 10 8.9 14.9 4 16 5.1 11.1 10l4.9 4.9-1.1 1.1L10 11.1 5.1 16 4 14.9 8.9 10 4 5.1Z"></path>
        </svg>
    }
    .into_any()
}

/// A button with a cross.
#[component]
pub fn Close(
    /// What it is called.
    #[prop(default = "Close")]
    label: &'static str,
    /// What it does.
    #[prop(into)]
    close: Callback<()>,
) -> impl IntoView {
    view! {
        <button type="button" class="tool close" aria-label=label on:click=move |_| close.run(())>
            <Cross/>
        </button>
    }
    .into_any()
}

/// A dialog that opens at once. What is in it is a form; Escape, the cross and [`close`] close it, and the
/// browser gives the focus back to what had it.
#[component]
pub fn Dialog(
    /// What it is about, above the title.
    eyebrow: &'static str,
    /// Its title.
    #[prop(into)]
    title: Signal<String>,
    /// The element, to [`close`] it.
    frame: NodeRef<html::Dialog>,
    /// A class of its own.
    #[prop(default = "")]
    class: &'static str,
    /// It was closed, however that was.
    #[prop(into)]
    closed: Callback<()>,
    /// What was filled in is to be done.
    #[prop(into)]
    submit: Callback<()>,
    /// What is in it.
    children: Children,
) -> impl IntoView {
    Effect::new(move || {
        if let Some(frame) = frame.get() {
            // A browser without dialogs shows it in place.
            let _ = frame.show_modal();
        }
    });
    view! {
        <dialog
            class=format!("dialog {class}")
            aria-labelledby="dialog-title"
            node_ref=frame
            on:close=move |event| {
                // A file picker's cancelling bubbles.
                if event.target() == event.current_target() {
                    closed.run(());
                }
            }
            // What is pressed here is not meant for the page behind it.
            on:keydown=|event| event.stop_propagation()
        >
            <form
                novalidate=true
                on:submit=move |event| {
                    event.prevent_default();
                    submit.run(());
                }
            >
                <div class="panel-head">
                    <div>
                        <p class="eyebrow">{eyebrow}</p>
                        <h2 id="dialog-title" tabindex="-1" autofocus=true>{title}</h2>
                    </div>
                    <Close close=move |()| close(frame)/>
                </div>
                {children()}
            </form>
        </dialog>
    }
    .into_any()
}

/// Closes a dialog.
pub fn close(frame: NodeRef<html::Dialog>) {
    if let Some(frame) = frame.get_untracked() {
        frame.close();
    }
}

/// The foot of a dialog: what went wrong, the button that does it, and why it cannot be pressed.
#[component]
pub fn DialogFoot(
    /// What the button says.
    #[prop(into)]
    label: Signal<String>,
    /// What the other button says.
    #[prop(default = "Leave it")]
    leave: &'static str,
    /// Whether something is lost by it.
    #[prop(default = false)]
    danger: bool,
    /// Why it cannot be done now; none if it can.
    #[prop(into)]
    why_not: Signal<Option<String>>,
    /// Why it was not done.
    #[prop(into)]
    failure: Signal<Option<Failure>>,
    /// The dialog.
    frame: NodeRef<html::Dialog>,
) -> impl IntoView {
    view! {
        {move || failure.get().map(|failure| view! {
            <p class="notice" role="alert">{failure.to_string()}</p>
        })}
        <div class="acts foot">
            <button
                type="submit"
                class=if danger { "act danger" } else { "act primary" }
                disabled=move || why_not.with(Option::is_some)
                aria-describedby="dialog-why-not"
            >
                {label}
            </button>
            <button type="button" class="act" on:click=move |_| close(frame)>{leave}</button>
            <p class="hint" id="dialog-why-not" role="status">{why_not}</p>
        </div>
    }
    .into_any()
}

/// A field of text with its name.
#[component]
pub fn Field(
    /// Its name.
    label: &'static str,
    /// What is to be known of it.
    #[prop(default = "")]
    hint: &'static str,
    /// What is in it.
    value: RwSignal<String>,
    /// What is so if it stays empty.
    #[prop(into, default = Signal::stored(String::new()))]
    usual: Signal<String>,
    /// Whether it is a number.
    #[prop(default = false)]
    number: bool,
    /// A class of its own.
    #[prop(default = "")]
    class: &'static str,
) -> impl IntoView {
    view! {
        <label class=class>
            <span>{label} " " <small>{hint}</small></span>
            <input
                type="text"
                inputmode=if number { "numeric" } else { "text" }
                autocomplete="off"
                spellcheck="false"
                placeholder=usual
                prop:value=value
                on:input=move |event| value.set(event_target_value(&event))
            />
        </label>
    }
    .into_any()
}

/// A choice among few.
#[component]
pub fn Select(
    /// Its name.
    label: &'static str,
    /// What is to be known of it.
    #[prop(default = "")]
    hint: &'static str,
    /// What is chosen: a value.
    value: RwSignal<String>,
    /// What there is to choose: values and their words.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
    /// A class of its own.
    #[prop(default = "")]
    class: &'static str,
) -> impl IntoView {
    view! {
        <label class=class>
            <span>{label} " " <small>{hint}</small></span>
            <select prop:value=value on:change=move |event| value.set(event_target_value(&event))>
                {move || options.get().into_iter().map(|(name, words)| {
                    let own = name.clone();
                    view! {
                        <option value=name prop:selected=move || value.with(|value| *value == own)>{words}</option>
                    }
                }).collect_view()}
            </select>
        </label>
    }
    .into_any()
}

/// Something that is so or not.
#[component]
pub fn Tick(
    /// Whether it is.
    value: RwSignal<bool>,
    /// Its words.
    children: Children,
) -> impl IntoView {
    view! {
        <label class="tick">
            <input
                type="checkbox"
                prop:checked=value
                on:change=move |event| value.set(event_target_checked(&event))
            />
            <span>{children()}</span>
        </label>
    }
    .into_any()
}
