//! What the picture is drawn on: a canvas with, above it, invisible links that the keyboard and a
//! screen reader find; or the SVG, where there is no WebGL.
//!
//! ```text
//!            first frame drawn             context lost
//! SVG of the server ────────▶ canvas ◀───────────────────▶ waiting
//!      └ no WebGL: stays, and is renewed by `morph`   restored
//! ```

use super::{Controller, State, links::Links};
use crate::topology_view::{
    camera::Camera,
    morph,
    picture::svg,
    renderer::{Renderer, View},
};
use graph::{Edge, EdgeKind, Point, Thing};
use leptos::prelude::*;
use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, closure::Closure};

/// Up to so many things that look otherwise are written one by one.
const MOST_SINGLE: usize = 64;
/// From so many pixels a unit on, it is written what links carry.
const NEAR: f32 = 1.3;
/// After the camera has rested so long, in milliseconds, the links above the picture follow.
const REST_MILLIS: i32 = 200;
/// However slow frames are, after so long without a movement the camera rests.
const LONGEST_REST: f64 = 5000.0;

/// A canvas and the links above it.
pub(super) struct Surface {
    canvas: web_sys::HtmlCanvasElement,
    pub(super) links: Links,
    renderer: RefCell<Renderer>,
    progress: RefCell<Progress>,
    /// Draws a frame.
    frame: OnceCell<js_sys::Function>,
}

#[derive(Default)]
struct Progress {
    /// A frame is asked for.
    asked: bool,
    /// Something was drawn: the SVG is gone.
    drawn: bool,
    /// When it was asked for, and how long the last one had to wait, in milliseconds.
    asked_at: f64,
    late: f64,
    /// A frame is due because something is on its way.
    flowing: bool,
}

impl Surface {
    /// Puts a canvas on `stage`; `None` where there is no WebGL 2.
    pub fn new(stage: &web_sys::HtmlElement) -> Option<Self> {
        let document = document();
        let canvas: web_sys::HtmlCanvasElement =
            document.create_element("canvas").ok()?.dyn_into().ok()?;
        canvas.set_class_name("topology");
        let _ = canvas.set_attribute("aria-hidden", "true");
        let links = Links::new(&document)?;
        // In the page before the context is made: the style sheet's colours hold only there.
        stage.append_child(&canvas).ok()?;
        let Some(renderer) = Renderer::new(canvas.clone()) else {
            canvas.remove();
            return None;
        };
        Some(Self {
            canvas,
            links,
            renderer: RefCell::new(renderer),
            progress: RefCell::default(),
            frame: OnceCell::new(),
        })
    }
}

impl Controller {
    /// Listens to what happens to the canvas, and to the theme.
    pub(super) fn watch_surface(self: &Rc<Self>) {
        let Some(surface) = &self.surface else {
            return;
        };
        let on = |target: &web_sys::EventTarget,
                  name: &str,
                  act: fn(&Rc<Self>, &web_sys::Event)| {
            let weak = Rc::downgrade(self);
            let listener = Closure::<dyn Fn(web_sys::Event)>::new(move |event: web_sys::Event| {
                if let Some(controller) = weak.upgrade() {
                    act(&controller, &event);
                }
            });
            let _ = target
                .add_event_listener_with_callback(name, listener.into_js_value().unchecked_ref());
        };
        on(&surface.canvas, "webglcontextlost", |controller, event| {
            // Without this it would never be restored.
            event.prevent_default();
            if let Some(surface) = &controller.surface {
                surface.renderer.borrow_mut().lose();
            }
        });
        on(&surface.canvas, "webglcontextrestored", |controller, _| {
            if let Some(surface) = &controller.surface {
                surface.renderer.borrow_mut().restore();
            }
            controller.reshape();
        });
        let dark = window().match_media("(prefers-color-scheme: dark)");
        if let Ok(Some(dark)) = dark {
            on(&dark, "change", |controller, _| controller.recolour());
        }
        let weak = Rc::downgrade(self);
        let themed = Closure::<dyn Fn()>::new(move || {
            if let Some(controller) = weak.upgrade() {
                controller.recolour();
            }
        });
        let themed = themed.into_js_value();
        if let Ok(observer) = web_sys::MutationObserver::new(themed.unchecked_ref()) {
            let what = web_sys::MutationObserverInit::new();
            what.set_attributes(true);
            what.set_attribute_filter(&js_sys::Array::of1(&"data-theme".into()));
            if let Some(root) = document().document_element() {
                let _ = observer.observe_with_options(&root, &what);
            }
        }
    }

    fn recolour(self: &Rc<Self>) {
        if let Some(surface) = &self.surface {
            surface.renderer.borrow_mut().change_theme();
            self.reshape();
        }
    }

    /// Draws the scene, which is another than before.
    pub(super) fn reshape(self: &Rc<Self>) {
        let look = self.fresh_look();
        {
            let mut state = self.state.borrow_mut();
            state.look = look;
            if state.picture.is_none() {
                return;
            }
            if let Some(surface) = &self.surface {
                let mut renderer = surface.renderer.borrow_mut();
                renderer.take(&state.diagram, &state.scene, &state.look);
            } else {
                let text = svg(
                    &state.diagram,
                    &state.scene,
                    state.view,
                    state.selected.as_deref(),
                );
                drop(state);
                self.put_svg(&text);
            }
        }
        self.draw_minimap();
        self.renew_links();
        self.tell_found();
        self.point_camera();
    }

    /// Draws the same shapes at other places: a step of a movement.
    pub(super) fn shift(self: &Rc<Self>) {
        let Some(surface) = &self.surface else {
            return self.reshape();
        };
        {
            let state = self.state.borrow();
            let mut renderer = surface.renderer.borrow_mut();
            renderer.take(&state.diagram, &state.scene, &state.look);
        }
        self.point_camera();
    }

    /// Draws the same scene with other marks.
    pub(super) fn relook(self: &Rc<Self>) {
        let Some(surface) = &self.surface else {
            return self.reshape();
        };
        let look = self.fresh_look();
        {
            let mut state = self.state.borrow_mut();
            let changed = look.differences(&state.look, MOST_SINGLE);
            state.look = look;
            let mut renderer = surface.renderer.borrow_mut();
            match changed {
                Some(things) => {
                    for thing in things {
                        renderer.change(&state.diagram, &state.scene, &state.look, thing);
                    }
                }
                None => renderer.take_shapes(&state.diagram, &state.scene, &state.look),
            }
        }
        self.renew_links();
        self.tell_found();
        self.ask_frame();
    }

    /// Marks what is under the pointer or has the focus, and only that.
    pub(super) fn mark_pointed(self: &Rc<Self>, thing: Option<Thing>) {
        let mut state = self.state.borrow_mut();
        let before = std::mem::replace(&mut state.pointed, thing);
        if before == thing {
            return;
        }
        if before.is_none() {
            leptos::task::spawn_local(crate::pages::expect_selection());
        }
        let state = &mut *state;
        for (thing, halo) in [(before, false), (thing, true)] {
            let Some(thing) = thing else { continue };
            state.look.mark(thing, |mark| mark.halo = halo);
            if let Some(surface) = &self.surface {
                let renderer = surface.renderer.borrow();
                renderer.change(&state.diagram, &state.scene, &state.look, thing);
            }
        }
        self.ask_frame();
    }

    /// Shows what the camera sees.
    pub(super) fn point_camera(self: &Rc<Self>) {
        let (seen, camera) = {
            let mut state = self.state.borrow_mut();
            if state.frame.width < 1.0 || state.scene.bounds.width < 1.0 {
                // Nothing is known yet: the SVG as the server sent it fits by itself.
                return;
            }
            if state.follows {
                state.camera = Camera::fit(state.scene.bounds, state.size());
            }
            (state.camera.view_box(state.size()), state.camera)
        };
        if self.surface.is_some() {
            self.ask_frame();
        } else if let Some(svg) = self.svg_element() {
            let _ = svg.set_attribute(
                "viewBox",
                &format!("{} {} {} {}", seen.x, seen.y, seen.width, seen.height),
            );
            let far = camera.scale < 0.45;
            let _ = self.stage.class_list().toggle_with_force("far", far);
        }
        let near = camera.scale >= NEAR;
        if self.told.near.get_untracked() != near {
            self.told.near.set(near);
        }
        self.frame_minimap();
        self.rest_later();
    }

    /// Draws before the screen is renewed next, once.
    fn ask_frame(self: &Rc<Self>) {
        let Some(surface) = &self.surface else {
            return;
        };
        {
            let mut progress = surface.progress.borrow_mut();
            if std::mem::replace(&mut progress.asked, true) {
                return;
            }
            progress.asked_at = js_sys::Date::now();
        }
        let frame = surface.frame.get_or_init(|| {
            let weak = Rc::downgrade(self);
            let draw = Closure::<dyn Fn()>::new(move || {
                if let Some(controller) = weak.upgrade() {
                    controller.draw();
                }
            });
            draw.into_js_value().unchecked_into()
        });
        let _ = window().request_animation_frame(frame);
    }

    fn draw(self: &Rc<Self>) {
        let Some(surface) = &self.surface else {
            return;
        };
        {
            let mut progress = surface.progress.borrow_mut();
            progress.asked = false;
            progress.late = js_sys::Date::now() - progress.asked_at;
        }
        let state = self.state.borrow();
        if state.picture.is_none() || state.frame.width < 1.0 {
            return;
        }
        let view = state.canvas_view();
        {
            let mut renderer = surface.renderer.borrow_mut();
            renderer.flow(flow());
            renderer.draw(view, &state.look);
        }
        let flows = state.diagram.edges.last().is_some_and(is_on_its_way);
        drop(state);
        if flows {
            self.flow_on();
        }
        let first = !std::mem::replace(&mut surface.progress.borrow_mut().drawn, true);
        if first {
            for before in ["svg.topology", ".awaiting"] {
                if let Ok(Some(before)) = self.stage.query_selector(before) {
                    before.remove();
                }
            }
            self.put_links();
            let _ = self.stage.class_list().add_1("drawn");
        }
    }

    /// Draws again in a while, so that the dashes of what is on its way run: twenty times a second
    /// are enough, and not more often than what else is drawn lets.
    fn flow_on(self: &Rc<Self>) {
        const FLOW_MILLIS: i32 = 50;
        let Some(surface) = &self.surface else {
            return;
        };
        let late = {
            let mut progress = surface.progress.borrow_mut();
            if std::mem::replace(&mut progress.flowing, true) {
                return;
            }
            progress.late
        };
        if super::composing::wants_no_motion() {
            surface.progress.borrow_mut().flowing = false;
            return;
        }
        let weak = Rc::downgrade(self);
        let again = Closure::once_into_js(move || {
            if let Some(controller) = weak.upgrade() {
                if let Some(surface) = &controller.surface {
                    surface.progress.borrow_mut().flowing = false;
                }
                controller.ask_frame();
            }
        });
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(
            again.unchecked_ref(),
            FLOW_MILLIS.max((late * 4.0) as i32),
        );
    }

    /// Gives the picture the stage's size.
    pub(super) fn size_surface(&self) {
        let Some(surface) = &self.surface else {
            return;
        };
        let ratio = window().device_pixel_ratio() as f32;
        surface.renderer.borrow_mut().resize(
            self.stage.client_width() as f32,
            self.stage.client_height() as f32,
            ratio.clamp(0.5, 4.0),
        );
    }

    /// Does what can wait once the camera rests: the links above a large picture, and remembering
    /// what is seen.
    fn rest_later(self: &Rc<Self>) {
        self.moved.set(js_sys::Date::now());
        // One timer for a whole movement: it looks again when it finds the camera moving.
        if !self.rest_awaited.replace(true) {
            self.await_rest();
        }
    }

    /// For how long the camera must not have moved to be at rest, in milliseconds: longer where
    /// frames take long, for then it only seems to rest between two of them.
    fn rest(&self) -> f64 {
        let late = self
            .surface
            .as_ref()
            .map_or(0.0, |surface| surface.progress.borrow().late);
        f64::from(REST_MILLIS).max(2.5 * late).min(LONGEST_REST)
    }

    fn await_rest(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let look = Closure::once_into_js(move || {
            let Some(controller) = weak.upgrade() else {
                return;
            };
            let since = js_sys::Date::now() - controller.moved.get();
            if since < controller.rest() || !controller.state.borrow().gesture.is_still() {
                return controller.await_rest();
            }
            controller.rest_awaited.set(false);
            controller.links_follow();
            controller.remember_camera();
        });
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(
            look.unchecked_ref(),
            REST_MILLIS + 10,
        );
    }

    /// Whether the picture is light on dark.
    pub(super) fn is_dark(&self) -> bool {
        match &self.surface {
            Some(surface) => surface.renderer.borrow().is_dark(),
            None => false,
        }
    }

    /// The colours of boxes and nodes on the small map.
    pub(super) fn minimap_colours(&self) -> [String; 2] {
        match &self.surface {
            Some(surface) => surface.renderer.borrow().minimap_colours(),
            None => ["#ccd3dd".to_owned(), "#5b6b82".to_owned()],
        }
    }

    /// Draws the whole picture, two pixels a unit or as many as there may be. The canvas has to be
    /// given its size again.
    pub(super) fn draw_whole(&self) -> Option<web_sys::HtmlCanvasElement> {
        const MOST: f32 = 8192.0;
        let surface = self.surface.as_ref()?;
        let state = self.state.borrow();
        let bounds = state.scene.bounds;
        let scale = 2.0f32.min(MOST / bounds.width).min(MOST / bounds.height);
        let mut renderer = surface.renderer.borrow_mut();
        renderer.resize_for_file(bounds.width * scale / 2.0, bounds.height * scale / 2.0, 2.0);
        let view = View {
            center: bounds.center(),
            scale: scale / 2.0,
            middle: Point {
                x: bounds.width * scale / 4.0,
                y: bounds.height * scale / 4.0,
            },
        };
        renderer.draw_on_ground(view, &state.look);
        Some(surface.canvas.clone())
    }

    fn put_svg(&self, text: &str) {
        let wanted = document().create_element("div").ok().and_then(|holder| {
            holder.set_inner_html(text);
            holder.first_element_child()
        });
        let Some(wanted) = wanted else {
            return;
        };
        if let Some(shown) = self.svg_element() {
            if let Some(label) = wanted.get_attribute("aria-label") {
                let _ = shown.set_attribute("aria-label", &label);
            }
            morph::children(&shown, &wanted);
        } else {
            self.stage.set_inner_html(text);
        }
        self.drop_native_tips();
        self.mark_svg();
    }

    /// The page has a card of its own for what a `<title>` would show; names are in `aria-label`.
    pub(super) fn drop_native_tips(&self) {
        if let Ok(titles) = self.stage.query_selector_all("[data-id] > title") {
            for index in 0..titles.length() {
                if let Some(title) = titles.get(index)
                    && let Some(parent) = title.parent_node()
                {
                    let _ = parent.remove_child(&title);
                }
            }
        }
    }

    /// Marks what was sought in the SVG.
    fn mark_svg(&self) {
        let Ok(state) = self.state.try_borrow() else {
            return;
        };
        let hits = state.hits();
        let _ = self
            .stage
            .class_list()
            .toggle_with_force("searching", hits.is_some());
        let Ok(all) = self.stage.query_selector_all("[data-id]") else {
            return;
        };
        for index in 0..all.length() {
            let Some(element) = all
                .get(index)
                .and_then(|node| node.dyn_into::<web_sys::Element>().ok())
            else {
                continue;
            };
            let id = element.get_attribute("data-id");
            let hit = hits.is_some_and(|hits| {
                hits.iter()
                    .any(|&hit| id.as_deref().is_some() && state.id(hit) == id.as_deref())
            });
            let _ = element.class_list().toggle_with_force("hit-by-search", hit);
        }
    }
}

/// How far dashes have run by now, in units: a period of them twice a second.
fn flow() -> f32 {
    const PERIOD: f64 = 13.0;
    ((js_sys::Date::now() / 500.0).fract() * PERIOD) as f32
}

/// Whether it leads to where something is being moved; such edges are the last.
fn is_on_its_way(edge: &Edge) -> bool {
    edge.kind == EdgeKind::Migration
}

impl State {
    /// What is seen, for the canvas.
    pub(super) fn canvas_view(&self) -> View {
        View {
            center: self.camera.center,
            scale: self.camera.scale,
            middle: Point {
                x: self.frame.x + self.frame.width / 2.0,
                y: self.frame.y + self.frame.height / 2.0,
            },
        }
    }
}
