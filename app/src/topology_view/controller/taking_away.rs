//! The picture as a file: pixels, shapes, or the graph for other programs.

use super::Controller;
use crate::{pages, topology_view::options::Format};
use graph::{Diagram, Positions, export, svg};
use leptos::{prelude::*, task::spawn_local};
use std::rc::Rc;
use wasm_bindgen::{JsCast, closure::Closure};

impl Controller {
    /// Gives the reader a file of what is shown.
    pub(super) fn take_away(self: &Rc<Self>, format: Format) {
        let state = self.state.borrow();
        let (_, ending) = format.names();
        let version = state.picture.as_ref().map_or(0, |picture| picture.version);
        let name = format!("topology-{}-{version}.{ending}", state.view);
        match format {
            Format::Png => {
                drop(state);
                self.take_pixels(name);
            }
            Format::Svg => {
                let options = svg::Options {
                    embedded_style: true,
                    theme: if self.is_dark() {
                        svg::Theme::Dark
                    } else {
                        svg::Theme::Light
                    },
                    title: crate::topology_view::picture::title(state.view).to_owned(),
                    ..svg::Options::default()
                };
                let text = svg::render(&state.diagram, &state.scene, &options);
                save_text(text, "image/svg+xml", &name);
            }
            Format::GraphMl | Format::Dot | Format::Json => {
                let text =
                    pages::graph_text(format, state.diagram.clone(), state.positions.clone());
                let failure = self.told.failure;
                spawn_local(async move {
                    match text.await {
                        Ok((text, kind)) => save_text(text, kind, &name),
                        Err(why) => failure.set(Some(why)),
                    }
                });
            }
        }
    }

    /// The whole picture as pixels: two for each unit, as far as the browser can.
    fn take_pixels(self: &Rc<Self>, name: String) {
        let Some(canvas) = self.draw_whole() else {
            return;
        };
        let weak = Rc::downgrade(self);
        let done = Closure::once_into_js(move |blob: Option<web_sys::Blob>| {
            if let Some(blob) = blob {
                save(&blob, &name);
            }
            if let Some(controller) = weak.upgrade() {
                controller.size_surface();
                controller.point_camera();
            }
        });
        let _ = canvas.to_blob(done.unchecked_ref());
    }
}

/// The graph for other programs, and its media type.
pub fn graph_text(
    format: Format,
    diagram: &Diagram,
    positions: &Positions,
) -> (String, &'static str) {
    match format {
        Format::Dot => (export::dot(diagram, positions), "text/vnd.graphviz"),
        Format::GraphMl => (export::graphml(diagram, positions), "application/xml"),
        Format::Json | Format::Png | Format::Svg => {
            (export::json(diagram, positions), "application/json")
        }
    }
}

/// Lets the browser save text under a name.
fn save_text(text: String, kind: &str, name: &str) {
    let parts = js_sys::Array::of1(&text.into());
    let what = web_sys::BlobPropertyBag::new();
    what.set_type(kind);
    if let Ok(blob) = web_sys::Blob::new_with_str_sequence_and_options(&parts, &what) {
        save(&blob, name);
    }
}

/// Lets the browser save `blob` under a name.
fn save(blob: &web_sys::Blob, name: &str) {
    let Ok(address) = web_sys::Url::create_object_url_with_blob(blob) else {
        return;
    };
    let link = document().create_element("a").ok();
    if let Some(link) = link.and_then(|link| link.dyn_into::<web_sys::HtmlAnchorElement>().ok()) {
        link.set_href(&address);
        link.set_download(name);
        link.click();
    }
    let revoke = Closure::once_into_js(move || {
        let _ = web_sys::Url::revoke_object_url(&address);
    });
    let _ = window()
        .set_timeout_with_callback_and_timeout_and_arguments_0(revoke.unchecked_ref(), 60_000);
}
