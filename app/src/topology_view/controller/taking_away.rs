//! The picture as a file: pixels, shapes, or the graph for other programs.

use super::Controller;
use crate::topology_view::options::Format;
use graph::{export, svg};
use leptos::prelude::*;
use std::rc::Rc;
use wasm_bindgen::{JsCast, closure::Closure};

impl Controller {
    /// Gives the reader a file of what is shown.
    pub(super) fn take_away(self: &Rc<Self>, format: Format) {
        let state = self.state.borrow();
        let (_, ending) = format.names();
        let version = state.picture.as_ref().map_or(0, |picture| picture.version);
        let name = format!("topology-{}-{version}.{ending}", state.view);
        let (diagram, positions) = (&*state.diagram, &state.positions);
        let (kind, text) = match format {
            Format::Png => {
                drop(state);
                return self.take_pixels(name);
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
                let text = svg::render(diagram, &state.scene, &options);
                ("image/svg+xml", text)
            }
            Format::GraphMl => ("application/xml", export::graphml(diagram, positions)),
            Format::Dot => ("text/vnd.graphviz", export::dot(diagram, positions)),
            Format::Json => ("application/json", export::json(diagram, positions)),
        };
        drop(state);
        let parts = js_sys::Array::of1(&text.into());
        let what = web_sys::BlobPropertyBag::new();
        what.set_type(kind);
        if let Ok(blob) = web_sys::Blob::new_with_str_sequence_and_options(&parts, &what) {
            save(&blob, &name);
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
