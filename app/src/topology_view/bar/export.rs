//! Taking the picture away.

use super::super::options::{Format, ViewState};
use super::controls::button;
use leptos::prelude::*;

/// A button for each format.
pub(super) fn export(state: ViewState) -> AnyView {
    let buttons =
        Format::ALL.map(|format| button(format.names().0, move || state.export.set(Some(format))));
    view! {
        <fieldset>
            <legend>"Save as"</legend>
            <div class="row">{buttons.into_iter().collect_view()}</div>
        </fieldset>
    }
    .into_any()
}
