//! Filter and highlight: expressions, what is wrong with them, and how much they match.

use super::super::options::ViewState;
use graph::{
    Thing,
    query::{KEYS, Query},
};
use leptos::prelude::*;

/// Both, with a list of what can be asked.
pub(super) fn queries(state: ViewState) -> AnyView {
    let options = state.options;
    view! {
        <fieldset>
            <legend>"Find one's way"</legend>
            {input(
                state,
                "options-filter",
                "Show only",
                "kind:router tag:core",
                Signal::derive(move || options.with(|options| options.filter.clone())),
                Box::new(move |text| options.update(|options| options.filter = text)),
            )}
            {input(
                state,
                "options-highlight",
                "Highlight",
                "state:down or load>80",
                Signal::derive(move || options.with(|options| options.highlight.clone())),
                Box::new(move |text| options.update(|options| options.highlight = text)),
            )}
            <details class="help">
                <summary>"What can be asked?"</summary>
                <p>
                    "Words are found in names, addresses, tags and networks. Put them together with "
                    <code>"or"</code>", "<code>"not"</code>" and parentheses; words side by side must \
                    all be there. A text with blanks goes in quotes."
                </p>
                <dl>
                    {KEYS
                        .iter()
                        .map(|(_, meaning, example)| view! {
                            <dt><code>{*example}</code></dt>
                            <dd>{*meaning}</dd>
                        })
                        .collect_view()}
                </dl>
            </details>
        </fieldset>
    }
    .into_any()
}

fn input(
    state: ViewState,
    id: &'static str,
    label: &'static str,
    example: &'static str,
    text: Signal<String>,
    write: Box<dyn Fn(String)>,
) -> AnyView {
    let read = Memo::new(move |_| text.with(|text| told(state, text)));
    let verdict = format!("{id}-verdict");
    view! {
        <label class="control" for=id>
            <span>{label}</span>
            <input
                id=id
                type="text"
                class="mono"
                placeholder=example
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                aria-describedby=verdict.clone()
                aria-invalid=move || read.with(|read| matches!(read, Some(Err(_)))).then_some("true")
                prop:value=move || text.get()
                on:input:target=move |event| write(event.target().value())
            />
        </label>
        <p
            id=verdict
            class="verdict"
            class:wrong=move || read.with(|read| matches!(read, Some(Err(_))))
            role="status"
        >
            {move || match read.get() {
                None => String::new(),
                Some(Ok(said) | Err(said)) => said,
            }}
        </p>
    }
    .into_any()
}

/// How much a query matches, or what is wrong with it; none without a query.
fn told(state: ViewState, text: &str) -> Option<Result<String, String>> {
    let query = match Query::parse(text) {
        Ok(query) if query.is_empty() => return None,
        Ok(query) => query,
        Err(error) => return Some(Err(error.to_string())),
    };
    let diagram = state.diagram.get()?;
    let numbers = state.numbers.get();
    let (mut places, mut links) = (0, 0);
    for thing in query.on(&diagram, &*numbers).all() {
        match thing {
            Thing::Edge(_) => links += 1,
            _ => places += 1,
        }
    }
    Some(Ok(match (places, links) {
        (0, 0) => "Nothing matches.".to_owned(),
        (places, 0) => format!("{places} match."),
        (0, links) => crate::format::count(links, "link matches.", "links match."),
        (places, links) => format!(
            "{places} and {} match.",
            crate::format::count(links, "link", "links")
        ),
    }))
}
