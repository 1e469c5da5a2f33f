//! Asks how large a router shall be.

use super::{Errands, Named, words};
use crate::{
    Failure,
    components::{Act, Dialog, DialogFoot, Field, close},
    jobs::Desk,
    moving::words::number,
    server_functions::{resize_router, router_status},
};
use api::{ResizeRouterReply, ResizeRouterRequest, RouterState};
use leptos::{html, prelude::*, task::spawn_local};

/// Asks, and does it.
#[component]
pub fn ResizeDialog(
    /// The router.
    router: Named,
) -> impl IntoView {
    let errands = expect_context::<Errands>();
    let desk = expect_context::<Desk>();
    let (id, name) = router;
    let frame = NodeRef::<html::Dialog>::new();
    let act = Act::default();
    let (vcpus, memory) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let now = RwSignal::new(None::<Result<(u32, u64, RouterState), Failure>>);
    spawn_local(async move {
        let facts = router_status(id).await.map(|facts| {
            let router = facts.status.router;
            (router.vcpus, router.memory_bytes, router.state)
        });
        now.try_set(Some(facts));
    });
    let usual = move |read: fn(&(u32, u64, RouterState)) -> String| {
        Signal::derive(move || {
            now.with(|now| match now {
                Some(Ok(now)) => read(now),
                _ => String::new(),
            })
        })
    };
    let wanted = Memo::new(move |_| {
        let vcpus =
            number(&vcpus.read(), 1, 1024).map_err(|wrong| format!("Processors: {wrong}."))?;
        let memory =
            words::mebibytes(&memory.read()).map_err(|wrong| format!("Memory: {wrong}."))?;
        Ok::<_, String>((vcpus.and_then(|vcpus| u32::try_from(vcpus).ok()), memory))
    });
    let why_not = Memo::new(move |_| {
        if act.pending.get() {
            return Some("It is being asked for…".to_owned());
        }
        match wanted.get() {
            Err(wrong) => Some(wrong),
            Ok((None, None)) => Some("Say what shall be another.".to_owned()),
            Ok(_) => None,
        }
    });
    let submit = move |()| {
        let (Ok((vcpus, memory_bytes)), None) = (wanted.get_untracked(), why_not.get_untracked())
        else {
            return;
        };
        let request = ResizeRouterRequest {
            router: id,
            vcpus,
            memory_bytes,
            request_id: None,
        };
        act.run(resize_router(request), move |reply: ResizeRouterReply| {
            desk.tell(None, true, reply.message);
            close(frame);
        });
    };
    view! {
        <Dialog
            eyebrow="Resize"
            title=Signal::stored(name)
            frame
            closed=move |()| errands.wanted.set(None)
            submit
        >
            <p class="lead">"What stays empty stays as it is."</p>
            <div class="fields">
                <Field label="Processors" hint="virtual ones" value=vcpus usual=usual(|now| now.0.to_string()) number=true/>
                <Field label="Memory" hint="MiB" value=memory usual=usual(|now| (now.1 >> 20).to_string()) number=true/>
            </div>
            <p class="hint">
                {move || now.with(|now| match now {
                    Some(Ok((_, _, RouterState::ShutOff))) => "It is off: it has the new size when it is started.",
                    Some(Err(_)) => "Its present size could not be read.",
                    _ => "It runs: what cannot be changed meanwhile counts from its next start on; you are told.",
                })}
            </p>
            <DialogFoot label="Resize" why_not failure=act.failure frame/>
        </Dialog>
    }
    .into_any()
}
