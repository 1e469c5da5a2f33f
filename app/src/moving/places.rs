//! Hosts to choose from, and what was found of them: what dialogs share that ask where to.

use super::{drag::Sign, words};
use crate::format;
use api::{FindingLevel, HostId, MigrationFinding};
use leptos::prelude::*;

/// From so many hosts on one can search among them.
const MANY: usize = 9;
/// So many hosts are offered at once.
const MOST: usize = 150;

/// A host to choose.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Which.
    pub host: HostId,
    /// Its name.
    pub name: String,
    /// Whether it can be chosen, and whether something speaks against it.
    pub level: FindingLevel,
    /// The share of it that would be free, 0 to 1.
    pub free: Option<f64>,
    /// What speaks for it or against it, in a sentence.
    pub summary: String,
}

/// The hosts to choose from, the best first.
#[component]
pub fn Places(
    /// The hosts.
    places: Vec<Place>,
    /// Which is chosen.
    chosen: RwSignal<Option<HostId>>,
    /// What stands there if there is none.
    none: &'static str,
    /// Whether one can leave the choice to the server, and which it would take.
    #[prop(optional)]
    fittest: Option<String>,
    /// Whether what cannot be done cannot be chosen either; else it says at length why.
    #[prop(default = false)]
    only_possible: bool,
) -> impl IntoView {
    if places.is_empty() {
        return view! { <p class="empty">{none}</p> }.into_any();
    }
    let search = RwSignal::new(String::new());
    let many = places.len() >= MANY;
    let places = StoredValue::new(places);
    let sought = move |one: &Place| crate::tables::matches(&one.name, &search.read());
    let shown = move || {
        let found: Vec<_> =
            places.with_value(|places| places.iter().filter(|one| sought(one)).cloned().collect());
        let rest = found.len().saturating_sub(MOST);
        let none = found.is_empty();
        let list = found
            .into_iter()
            .take(MOST)
            .map(|one| place(one, chosen, only_possible));
        view! {
            {list.collect_view()}
            {(rest > 0).then(|| view! { <p class="minor">{format!("{rest} more: search for them.")}</p> })}
            {none.then(|| view! { <p class="empty">"No host has such a name."</p> })}
        }
    };
    view! {
        {many.then(|| view! {
            <input
                type="search"
                class="places-search"
                placeholder="Search hosts"
                aria-label="Search hosts"
                autocomplete="off"
                prop:value=search
                on:input=move |event| search.set(event_target_value(&event))
                on:keydown=|event| {
                    // It would do what the dialog is for.
                    if event.key() == "Enter" {
                        event.prevent_default();
                    }
                }
            />
        })}
        <div class="places-list" role="radiogroup" aria-label="Where to">
            {fittest.map(|which| view! {
                <label class="place">
                    <input
                        type="radio"
                        name="destination"
                        value=""
                        prop:checked=move || chosen.with(Option::is_none)
                        on:change=move |_| chosen.set(None)
                    />
                    <Sign level=FindingLevel::Fine/>
                    <span class="place-name">"The fittest"</span>
                    <span class="place-why">{which}</span>
                </label>
            })}
            {shown}
        </div>
    }
    .into_any()
}

fn place(one: Place, chosen: RwSignal<Option<HostId>>, only_possible: bool) -> AnyView {
    let host = one.host.clone();
    let own = one.host.clone();
    let cannot = only_possible && one.level == FindingLevel::Obstacle;
    view! {
        <label class=format!("place {}", words::sign(one.level).0) class:cannot=cannot>
            <input
                type="radio"
                name="destination"
                value=one.host.to_string()
                disabled=cannot
                prop:checked=move || chosen.with(|chosen| chosen.as_ref() == Some(&own))
                on:change=move |_| chosen.set(Some(host.clone()))
            />
            <Sign level=one.level/>
            <span class="place-name">{one.name}</span>
            <span class="visually-hidden">": " {words::said(one.level)} ". "</span>
            <span class="place-free">{one.free.map(|free| format!("{} free", format::percent(free.clamp(0.0, 1.0))))}</span>
            <span class="place-why">{one.summary}</span>
        </label>
    }
    .into_any()
}

/// What was found, what matters first; what is as it should be is folded away.
pub fn findings(all: &[MigrationFinding], summary: &str) -> AnyView {
    let (matters, fine) = words::sorted(all);
    let count = fine.len();
    let list = |findings: Vec<&MigrationFinding>| findings.into_iter().map(finding).collect_view();
    let good = matters.is_empty().then(|| {
        view! {
            <p class="all-fine"><Sign level=FindingLevel::Fine/> {summary.to_owned()}</p>
        }
    });
    view! {
        {good}
        <ul>{list(matters)}</ul>
        {(count > 0).then(|| view! {
            <details>
                <summary>{format::count(count, "check", "checks")} " as it should be"</summary>
                <ul>{list(fine)}</ul>
            </details>
        })}
    }
    .into_any()
}

fn finding(finding: &MigrationFinding) -> AnyView {
    view! {
        <li>
            <Sign level=finding.level/>
            <div>
                <p>
                    <strong>{finding.check.as_str()}</strong>
                    <span class="visually-hidden">" (" {finding.level.as_str()} ")"</span>
                    ": " {finding.what.clone()}
                </p>
                {finding.why.clone().map(|why| view! { <p class="minor">{why}</p> })}
                {finding.advice.clone().map(|advice| view! { <p class="advice">{advice}</p> })}
            </div>
        </li>
    }
    .into_any()
}
