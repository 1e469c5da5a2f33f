//! Plain controls: a list to choose from, a box to tick, a button.

use leptos::prelude::*;

/// One of several, with its words. The list may change; a value that is not in it shows as the
/// first.
pub(super) fn choose<T: Clone + PartialEq + Send + Sync + 'static>(
    label: &'static str,
    choices: Signal<Vec<(T, String)>>,
    chosen: Signal<T>,
    choose: impl Fn(T) + 'static,
) -> AnyView {
    let place = move || {
        let chosen = chosen.get();
        choices.with(|choices| choices.iter().position(|(choice, _)| *choice == chosen))
    };
    let words = Signal::derive(move || {
        let words =
            |choices: &Vec<(T, String)>| choices.iter().map(|(_, word)| word.clone()).collect();
        choices.with(words)
    });
    let choose = move |index: usize| {
        let choice = choices.with_untracked(|choices| choices.get(index).cloned());
        if let Some((choice, _)) = choice {
            choose(choice);
        }
    };
    list(
        label,
        words,
        Signal::derive(move || place().unwrap_or(0)),
        Box::new(choose),
    )
}

fn list(
    label: &'static str,
    words: Signal<Vec<String>>,
    place: Signal<usize>,
    choose: Box<dyn Fn(usize)>,
) -> AnyView {
    view! {
        <label class="control">
            <span>{label}</span>
            <select on:change:target=move |event| {
                if let Ok(index) = event.target().value().parse() {
                    choose(index);
                }
            }>
                {move || words
                    .get()
                    .into_iter()
                    .enumerate()
                    .map(|(index, word)| view! {
                        <option value=index.to_string() prop:selected=move || place.get() == index>
                            {word}
                        </option>
                    })
                    .collect_view()}
            </select>
        </label>
    }
    .into_any()
}

/// On or off.
pub(super) fn check(
    label: &'static str,
    on: Signal<bool>,
    turn: impl Fn(bool) + 'static,
) -> AnyView {
    view! {
        <label class="control tick">
            <input
                type="checkbox"
                prop:checked=move || on.get()
                on:change:target=move |event| turn(event.target().checked())
            />
            <span>{label}</span>
        </label>
    }
    .into_any()
}

/// Something to press.
pub(super) fn button(label: &'static str, press: impl Fn() + 'static) -> AnyView {
    view! {
        <button type="button" class="act small" on:click=move |_| press()>{label}</button>
    }
    .into_any()
}
