//! What came of trying an endpoint: step by step, and what its driver can do.

use crate::format;
use api::{CheckHostReply, CheckOutcome};
use leptos::prelude::*;

/// The steps with signs, explanations and times, then the driver's capabilities.
pub fn checked(reply: &CheckHostReply) -> AnyView {
    let steps: Vec<_> = reply
        .steps
        .iter()
        .map(|step| {
            let time = match step.outcome {
                CheckOutcome::Skipped => String::new(),
                _ => format::milliseconds(step.milliseconds),
            };
            view! {
                <li class=step.outcome.as_str()>
                    {sign(step.outcome)}
                    <span class="visually-hidden">{step.outcome.as_str()} ": "</span>
                    <strong>{step.step.as_str()}</strong>
                    <span class="number minor">{time}</span>
                    <p>{step.explanation.clone()}</p>
                </li>
            }
        })
        .collect();
    let capabilities: Vec<_> = reply
        .capabilities
        .iter()
        .map(|capability| {
            let outcome = if capability.supported {
                CheckOutcome::Passed
            } else {
                CheckOutcome::Skipped
            };
            let answer = if capability.supported {
                "can: "
            } else {
                "cannot: "
            };
            view! {
                <li class=outcome.as_str()>
                    {sign(outcome)}
                    <span class="visually-hidden">{answer}</span>
                    {capability.name.clone()}
                </li>
            }
        })
        .collect();
    let verdict = if reply.usable {
        "It can be used."
    } else {
        "It cannot be used as it is: the step that failed says what to do."
    };
    view! {
        <ol class="steps">{steps}</ol>
        <p class="verdict">{verdict}</p>
        {(!capabilities.is_empty()).then(|| view! {
            <h3>"What the driver can do"</h3>
            <ul class="capabilities">{capabilities}</ul>
        })}
    }
    .into_any()
}

fn sign(outcome: CheckOutcome) -> AnyView {
    let (class, path) = match outcome {
        CheckOutcome::Passed => (
            "icon running",
            "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm3.2 3.9 1.1 1.1-5.2 5.3L3.8 8l1.1-1.1 2.2 2.2Z",
        ),
        CheckOutcome::Warning => (
            "icon paused",
            "M8 1.2 15.4 14H.6ZM7.2 6v4h1.6V6Zm0 5v1.6h1.6V11Z",
        ),
        CheckOutcome::Failed => (
            "icon failed",
            "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM5.7 4.6 8 6.9l2.3-2.3 1.1 1.1L9.1 8l2.3 2.3-1.1 \
             1.1L8 9.1l-2.3 2.3-1.1-1.1L6.9 8 4.6 5.7Z",
        ),
        CheckOutcome::Skipped => ("icon neutral", "M4 7.2h8v1.6H4Z"),
    };
    view! {
        <svg class=class viewBox="0 0 16 16" aria-hidden="true">
            <path fill-rule="evenodd" d=path></path>
        </svg>
    }
    .into_any()
}
