//! Asks whether a link shall go.

use super::{Errands, link::WhenRunningChoice};
use crate::{
    components::{Act, Dialog, DialogFoot, close},
    jobs::Desk,
    server_functions::delete_virtual_link,
};
use api::{DeleteVirtualLinkReply, DeleteVirtualLinkRequest, VirtualLink, WhenRunning};
use leptos::{html, prelude::*};

/// Asks, and takes it away.
#[component]
pub fn UnlinkDialog(
    /// The link.
    link: VirtualLink,
) -> impl IntoView {
    let errands = expect_context::<Errands>();
    let desk = expect_context::<Desk>();
    let frame = NodeRef::<html::Dialog>::new();
    let act = Act::default();
    let when = RwSignal::new(WhenRunning::Refuse);
    let why_not = Memo::new(move |_| {
        act.pending
            .get()
            .then(|| "It is being asked for…".to_owned())
    });
    let id = link.id;
    let submit = move |()| {
        let request = DeleteVirtualLinkRequest {
            link: id,
            when_running: Some(when.get_untracked()),
            request_id: None,
        };
        act.run(
            delete_virtual_link(request),
            move |reply: DeleteVirtualLinkReply| {
                desk.hear(&reply.job);
                close(frame);
            },
        );
    };
    let carrier = format!("What carries it: {}.", link.carrier);
    let end = |end: &api::VirtualLinkEnd| {
        let address = end
            .address
            .as_ref()
            .map(|address| format!(", address {address}"));
        view! {
            <li>
                "The interface of " <strong>{end.router_name.clone()}</strong> " ("
                <span class="mono">{end.mac.to_string()}</span> {address} ")."
            </li>
        }
    };
    view! {
        <Dialog
            eyebrow="Delete a link"
            title=Signal::stored(format!("{} – {}", link.a.router_name, link.b.router_name))
            class="sure-dialog"
            frame
            closed=move |()| errands.wanted.set(None)
            submit
        >
            <p class="lead">"What it carries stops. The routers run on."</p>
            <div class="lost">
                <h3>"What goes"</h3>
                <ul>
                    {end(&link.a)}
                    {end(&link.b)}
                    <li class="break">{carrier}</li>
                </ul>
            </div>
            <WhenRunningChoice value=when legend="If a router runs and cannot be unplugged meanwhile"/>
            <DialogFoot label="Delete" danger=true why_not failure=act.failure frame/>
        </Dialog>
    }
    .into_any()
}
