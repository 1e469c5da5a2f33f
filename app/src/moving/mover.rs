//! What is shown of moving by hand: loaded when it is wanted.

use super::{Moving, dialog::MoveDialog, drag::DragView, menu::Menu};
use leptos::prelude::*;

/// The menu, the dialog, and what is shown while something is dragged.
#[component]
pub fn Mover() -> impl IntoView {
    let moving = expect_context::<Moving>();
    view! {
        <DragView moving/>
        {move || moving.menu.get().map(|of| view! { <Menu of moving/> })}
        {move || moving.wish.get().map(|wish| view! { <MoveDialog wish moving/> })}
    }
    .into_any()
}
