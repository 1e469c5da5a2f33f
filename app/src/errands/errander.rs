//! The dialogs, the line that is drawn, and the console: loaded when the first is wanted.

use super::{
    Errand, Errands,
    console::Console,
    create::CreateDialog,
    interface::{AttachDialog, DetachDialog},
    line::LineView,
    link::LinkDialog,
    resize::ResizeDialog,
    sure::SureDialog,
    unlink::UnlinkDialog,
};
use leptos::prelude::*;

/// Whatever is wanted.
#[component]
pub fn Errander() -> impl IntoView {
    let errands = expect_context::<Errands>();
    let dialog = move || {
        errands.wanted.get().map(|errand| match errand {
            Errand::Create { image, host } => view! { <CreateDialog image host/> }.into_any(),
            Errand::Link { a, b } => view! { <LinkDialog a b/> }.into_any(),
            Errand::Sure { deed, routers } => view! { <SureDialog deed routers/> }.into_any(),
            Errand::Resize(router) => view! { <ResizeDialog router/> }.into_any(),
            Errand::Attach(router) => view! { <AttachDialog router/> }.into_any(),
            Errand::Detach { router, mac, leads } => {
                view! { <DetachDialog router mac leads/> }.into_any()
            }
            Errand::Unlink(link) => view! { <UnlinkDialog link=*link/> }.into_any(),
        })
    };
    view! {
        <LineView errands/>
        {dialog}
        {move || errands.console.get().map(|router| view! { <Console router errands/> })}
    }
    .into_any()
}
