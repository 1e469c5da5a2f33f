//! The small map: everything at once, and a frame around what is seen. A click goes there.

use super::Controller;
use crate::topology_view::renderer::canvas_2d;
use graph::{Point, Rect};
use leptos::prelude::*;
use std::rc::Rc;
use wasm_bindgen::{JsCast, closure::Closure};

/// Its size in CSS pixels.
const SIZE: (f32, f32) = (184.0, 124.0);

/// The map's elements.
pub(super) struct Minimap {
    holder: web_sys::HtmlElement,
    canvas: web_sys::HtmlCanvasElement,
    frame: web_sys::HtmlElement,
}

impl Minimap {
    fn new() -> Option<Self> {
        let document = document();
        let element = |name: &str| document.create_element(name).ok()?.dyn_into().ok();
        let holder: web_sys::HtmlElement = element("div")?;
        holder.set_class_name("minimap");
        // What it does, the keys do as well.
        let _ = holder.set_attribute("aria-hidden", "true");
        let canvas: web_sys::HtmlCanvasElement =
            document.create_element("canvas").ok()?.dyn_into().ok()?;
        let frame: web_sys::HtmlElement = element("div")?;
        holder.append_child(&canvas).ok()?;
        holder.append_child(&frame).ok()?;
        Some(Self {
            holder,
            canvas,
            frame,
        })
    }

    /// Pixels of the map a unit, and where the scene's corner is on it.
    fn scale(bounds: Rect) -> (f32, Point) {
        let scale = (SIZE.0 / bounds.width.max(1.0)).min(SIZE.1 / bounds.height.max(1.0));
        let corner = Point {
            x: (SIZE.0 - bounds.width * scale) / 2.0 - bounds.x * scale,
            y: (SIZE.1 - bounds.height * scale) / 2.0 - bounds.y * scale,
        };
        (scale, corner)
    }
}

impl Controller {
    /// Shows or hides the map, as the reader wants it, and draws what is there.
    pub(super) fn draw_minimap(self: &Rc<Self>) {
        let wanted = self
            .choices
            .options
            .with_untracked(|options| options.minimap);
        if !wanted {
            if let Some(map) = self.minimap.borrow_mut().take() {
                map.holder.remove();
            }
            return;
        }
        if self.minimap.borrow().is_none() {
            let Some(map) = Minimap::new() else { return };
            let frame = self.stage.parent_element();
            if let Some(frame) = frame {
                let _ = frame.append_child(&map.holder);
            }
            self.listen_on_minimap(&map);
            *self.minimap.borrow_mut() = Some(map);
        }
        let map = self.minimap.borrow();
        let Some(map) = &*map else { return };
        let ratio = window().device_pixel_ratio() as f32;
        map.canvas.set_width((SIZE.0 * ratio) as u32);
        map.canvas.set_height((SIZE.1 * ratio) as u32);
        let Some(pen) = canvas_2d(&map.canvas) else {
            return;
        };
        let state = self.state.borrow();
        let (scale, corner) = Minimap::scale(state.scene.bounds);
        let _ = pen.scale(ratio.into(), ratio.into());
        let [boxes, nodes] = self.minimap_colours();
        let block = |rect: Rect, least: f32| {
            let (width, height) = (
                (rect.width * scale).max(least),
                (rect.height * scale).max(least),
            );
            let middle = rect.center();
            pen.fill_rect(
                f64::from(middle.x * scale + corner.x - width / 2.0),
                f64::from(middle.y * scale + corner.y - height / 2.0),
                width.into(),
                height.into(),
            );
        };
        pen.set_fill_style_str(&boxes);
        for one in &state.scene.boxes {
            block(one.rect, 1.5);
        }
        pen.set_fill_style_str(&nodes);
        for one in &state.scene.nodes {
            block(one.rect(), 1.5);
        }
        drop(state);
        self.frame_minimap();
    }

    /// Puts the frame around what is seen.
    pub(super) fn frame_minimap(&self) {
        let map = self.minimap.borrow();
        let Some(map) = &*map else { return };
        let state = self.state.borrow();
        let (scale, corner) = Minimap::scale(state.scene.bounds);
        let seen = state.camera.view_box(state.size());
        let (left, top) = (
            (seen.x * scale + corner.x).clamp(0.0, SIZE.0),
            (seen.y * scale + corner.y).clamp(0.0, SIZE.1),
        );
        let (right, bottom) = (
            (seen.right() * scale + corner.x).clamp(0.0, SIZE.0),
            (seen.bottom() * scale + corner.y).clamp(0.0, SIZE.1),
        );
        let style = map.frame.style();
        for (name, value) in [
            ("left", left),
            ("top", top),
            ("width", right - left),
            ("height", bottom - top),
        ] {
            let _ = style.set_property(name, &format!("{value:.1}px"));
        }
    }

    fn listen_on_minimap(self: &Rc<Self>, map: &Minimap) {
        let weak = Rc::downgrade(self);
        let go =
            Closure::<dyn Fn(web_sys::PointerEvent)>::new(move |event: web_sys::PointerEvent| {
                let Some(controller) = weak.upgrade() else {
                    return;
                };
                if event.type_() == "pointermove" && event.buttons() & 1 == 0 {
                    return;
                }
                event.prevent_default();
                let rect = {
                    let map = controller.minimap.borrow();
                    let Some(map) = &*map else { return };
                    let _ = map.holder.set_pointer_capture(event.pointer_id());
                    map.canvas.get_bounding_client_rect()
                };
                let (scale, corner) = Minimap::scale(controller.state.borrow().scene.bounds);
                let center = Point {
                    x: (event.client_x() as f32 - rect.left() as f32 - corner.x) / scale,
                    y: (event.client_y() as f32 - rect.top() as f32 - corner.y) / scale,
                };
                controller.move_camera(|camera, _| crate::topology_view::camera::Camera {
                    center,
                    ..camera
                });
            });
        let go = go.into_js_value();
        for name in ["pointerdown", "pointermove"] {
            let _ = map
                .holder
                .add_event_listener_with_callback(name, go.unchecked_ref());
        }
    }
}
