//! Fetches new versions of the picture.
//!
//! ```text
//! Idle ──renew──▶ Fetching ──arrived──▶ composed ──▶ Idle
//!                    │ renew meanwhile: fetched once more after it
//! ```

use super::Controller;
use crate::{
    Failure,
    live::Moment,
    server_functions::topology_version,
    topology_view::{
        Picture,
        picture::{self, NotAPicture},
    },
};
use api::TopologyView;
use leptos::{prelude::*, task::spawn_local};
use std::{rc::Rc, time::Duration};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

/// What is under way.
#[derive(Default)]
pub(super) struct Renewal {
    fetching: bool,
    again: bool,
    /// The epoch in which the picture was asked for that is shown.
    epoch: u32,
}

impl Renewal {
    /// When the picture was asked for, which is of `version`.
    pub(super) fn moment(&self, version: u64) -> Moment {
        Moment {
            epoch: self.epoch,
            version,
        }
    }
}

impl Controller {
    /// Shows version `wanted`, or the present one, and goes on until it is the newest that is
    /// known of.
    pub(super) fn renew(self: &Rc<Self>, wanted: Option<u64>, now: RwSignal<Moment>) {
        {
            let mut state = self.state.borrow_mut();
            if state.renewal.fetching {
                state.renewal.again = true;
                return;
            }
            state.renewal.fetching = true;
        }
        let controller = Rc::clone(self);
        spawn_local(async move {
            let mut wanted = wanted;
            let mut failures = 0;
            loop {
                let Some(asked) = now.try_get_untracked() else {
                    return;
                };
                let view = controller.state.borrow().view;
                let older = controller.difference_from(view, asked.epoch);
                match fetch(view, wanted, older).await {
                    Ok(picture) => {
                        failures = 0;
                        controller.told.failure.try_set(None);
                        controller.show(picture, asked.epoch);
                    }
                    Err(failure) => {
                        failures += 1;
                        if failures > 1 {
                            controller.told.failure.try_set(Some(failure));
                        }
                    }
                }
                let Some(now) = now.try_get_untracked() else {
                    return;
                };
                let (again, epoch) = {
                    let mut state = controller.state.borrow_mut();
                    let shown = state.picture.as_ref();
                    let old = shown.is_none_or(|shown| {
                        state.renewal.moment(shown.version).is_before(now)
                            || shown.view != state.view
                    });
                    let again = std::mem::take(&mut state.renewal.again) || old;
                    state.renewal.fetching = again && failures < 4;
                    (state.renewal.fetching, state.renewal.epoch)
                };
                if !again {
                    return;
                }
                if failures > 0 {
                    crate::clock::sleep(Duration::from_millis(400 * failures)).await;
                }
                // The version may be one that the server does not keep: ask for the present one.
                wanted =
                    (failures == 0 && epoch == now.epoch && now.version > 0).then_some(now.version);
            }
        });
    }

    /// Shows another view.
    pub(super) fn turn_to(self: &Rc<Self>, view: TopologyView, now: RwSignal<Moment>) {
        let shown = {
            let mut state = self.state.borrow_mut();
            state.view = view;
            state.picture.as_ref().map(|picture| picture.version)
        };
        self.tell_nothing();
        self.recall_camera();
        self.renew(shown, now);
    }

    fn show(self: &Rc<Self>, picture: Picture, epoch: u32) {
        {
            let mut state = self.state.borrow_mut();
            if state.view != picture.view {
                return;
            }
            state.renewal.epoch = epoch;
            state.picture = Some(Rc::new(picture));
        }
        self.publish();
        self.compose();
    }

    /// The picture that a difference may be asked from: of this view and this run of the server.
    fn difference_from(&self, view: TopologyView, epoch: u32) -> Option<Rc<Picture>> {
        let state = self.state.borrow();
        let picture = state.picture.as_ref()?;
        (picture.view == view && state.renewal.epoch == epoch).then(|| picture.clone())
    }

    /// Tells the bar and the search what there is.
    fn publish(&self) {
        let diagram = self
            .state
            .borrow()
            .picture
            .as_ref()
            .map(|picture| picture.diagram.clone());
        self.choices.diagram.set(diagram);
    }
}

/// Fetches a version, or the present one.
async fn fetch(
    view: TopologyView,
    version: Option<u64>,
    older: Option<Rc<Picture>>,
) -> Result<Picture, Failure> {
    let version = match version {
        Some(version) => version,
        None => topology_version().await?,
    };
    let unreachable = || {
        Failure::Transport(
            "The graph could not be fetched: the server does not answer. It is fetched again when \
             it does."
                .to_owned(),
        )
    };
    let address = picture::address(view, version, older.as_ref().map(|older| older.version));
    let response: web_sys::Response = JsFuture::from(window().fetch_with_str(&address))
        .await
        .ok()
        .and_then(|response| response.dyn_into().ok())
        .ok_or_else(unreachable)?;
    if !response.ok() {
        return Err(Failure::Transport(format!(
            "The graph of version {version} could not be fetched: the server answered {}. Reload \
             the page if this stays.",
            response.status()
        )));
    }
    let body = response.array_buffer().map_err(|_| unreachable())?;
    let body = JsFuture::from(body).await.map_err(|_| unreachable())?;
    let bytes = js_sys::Uint8Array::new(&body).to_vec();
    let is_difference = response.headers().has("graph-since").unwrap_or(false);
    match older.filter(|_| is_difference) {
        Some(older) => older.decode_since(&bytes),
        None => Picture::decode(&bytes),
    }
    .map_err(|error: NotAPicture| Failure::Transport(error.to_string()))
}

/// Waits until the screen is renewed.
pub(super) async fn next_frame() {
    let frame = js_sys::Promise::new(&mut |resolve, _| {
        // Where no frame comes (a hidden page), the next try is the last.
        let _ = window().request_animation_frame(&resolve);
    });
    let _ = JsFuture::from(frame).await;
}
