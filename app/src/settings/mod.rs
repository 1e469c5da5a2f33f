//! `/settings`: which hosts there are.
//!
//! ```text
//! list_hosts ─▶ Hosts ─┬─ add_host ─▶ register_host ─▶ the table, at once; then events
//!                      │      └─ check ─▶ check_host
//!                      └─ a row's Remove ─▶ remove_host
//! ```
//!
//! What a form holds is read from the form itself, and what its fields have to do with each other
//! is told by the style sheet: so the forms work without script, too.

mod add_host;
mod check;
mod hosts;

use crate::{Failure, live::read_again_when_live, server_functions::list_hosts, tables::failed};
use leptos::prelude::*;
use leptos_meta::Title;

use hosts::Hosts;

/// `/settings`.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let first = Resource::new_blocking(|| (), |()| list_hosts());
    read_again_when_live(first, Result::is_err);
    view! {
        <Title text="Settings · VMS"/>
        <div class="page">
            <h1>"Settings"</h1>
            <Suspense fallback=|| view! { <p class="empty">"Reading the hosts…"</p> }>
                {move || Suspend::new(async move {
                    match first.await {
                        Ok(first) => view! { <Hosts first/> }.into_any(),
                        Err(failure) => failed(&failure).into_any(),
                    }
                })}
            </Suspense>
        </div>
    }
}

/// The failure in the words of the form, where it names an element of the request.
fn in_words(failure: &Failure) -> String {
    let Failure::Refused(api::Error::InvalidArgument(fault)) = failure else {
        return failure.to_string();
    };
    let (of, field) = fault
        .element
        .rsplit_once('.')
        .unwrap_or(("", &fault.element));
    let label = match field {
        "host" => "Id",
        "name" => "Name",
        "site" => "Site",
        "driver" => "Driver",
        "transport" => "Transport",
        "address" => "Address",
        "port" => "Port",
        "user" => "User",
        "key" => "Key",
        _ => "Endpoint",
    };
    // `endpoints[2].port`: counted from 1, as in XPath and by people. The first needs no number.
    let number = of
        .strip_prefix("endpoints[")
        .and_then(|rest| rest.trim_end_matches(']').parse::<u32>().ok())
        .filter(|number| *number > 1)
        .map(|number| format!(" of endpoint {number}"))
        .unwrap_or_default();
    format!("{label}{number}: {}", fault.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_name_the_field() {
        for (element, expected) in [
            ("host", "Id: why"),
            ("endpoints", "Endpoint: why"),
            ("endpoints[1].key", "Key: why"),
            ("endpoints[2].port", "Port of endpoint 2: why"),
            ("endpoint.address", "Address: why"),
        ] {
            let failure = Failure::Refused(api::Error::invalid(element, "why"));
            assert_eq!(in_words(&failure), expected);
        }
        let other = Failure::Transport("No answer.".to_owned());
        assert_eq!(in_words(&other), "No answer.");
    }
}
