//! Moves, marks and renews the picture in the browser.
//!
//! All of it hangs on the stage: listeners are put on the one element that holds the SVG, never on
//! what is in it, which may be replaced at any time.

mod gestures;
mod renewal;

use super::{
    Ask, Picture, Pointed, Told,
    camera::{Camera, Size},
    neighbours::{self, Direction},
    svg,
};
use crate::{
    Element,
    components::Search,
    live::{Live, Moment},
};
use api::TopologyView;
use graph::{Point, Rect, Scene, Thing, describe};
use leptos::{html, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::{JsCast, closure::Closure};

/// How much one press of a key or button enlarges.
const ZOOM_STEP: f32 = 1.3;

/// The controller of one stage.
pub(super) struct Controller {
    stage: web_sys::HtmlElement,
    list: Option<web_sys::HtmlElement>,
    told: Told,
    /// Goes to an address of this page.
    go: Box<dyn Fn(&str)>,
    state: RefCell<State>,
}

struct State {
    view: TopologyView,
    selected: Option<String>,
    picture: Option<Picture>,
    scene: Scene,
    /// Where on the stage the fitted picture is, in CSS pixels: clear of the controls.
    frame: Rect,
    camera: Camera,
    /// Whether the camera follows the picture's bounds: until the reader moves it.
    follows: bool,
    search: String,
    gesture: gestures::Gesture,
    renewal: renewal::Renewal,
}

/// Starts a controller once the stage is there.
pub(super) fn start(
    stage: NodeRef<html::Div>,
    list: NodeRef<html::Div>,
    view: Memo<TopologyView>,
    selected: Memo<Option<Element>>,
    told: Told,
    asked: RwSignal<Option<Ask>>,
) {
    let live = expect_context::<Live>();
    let search = expect_context::<Search>();
    let navigate = use_navigate();
    let controller = StoredValue::new_local(None::<Rc<Controller>>);

    Effect::new(move || {
        let (Some(stage), Some(list)) = (stage.get(), list.get()) else {
            return;
        };
        if controller.with_value(Option::is_some) {
            return;
        }
        let navigate = navigate.clone();
        let go = move |address: &str| {
            navigate(
                address,
                NavigateOptions {
                    scroll: false,
                    ..NavigateOptions::default()
                },
            );
        };
        let started = Controller::new(
            stage.into(),
            Some(list.into()),
            told,
            Box::new(go),
            view.get_untracked(),
            selected.get_untracked(),
        );
        gestures::listen(&started);
        started.watch_size();
        controller.set_value(Some(started));
        if let Some(controller) = controller.get_value() {
            let shown = controller.rendered_version();
            controller.renew(shown, live.now);
        }
    });
    let with = move |act: &dyn Fn(&Rc<Controller>)| {
        if let Some(controller) = controller.get_value() {
            act(&controller);
        }
    };
    Effect::new(move || {
        let now = live.now.get();
        with(&|controller| {
            if let Some(shown) = controller.moment()
                && shown.is_before(now)
            {
                // Of another epoch only the present version is sure to be there.
                let wanted = (shown.epoch == now.epoch).then_some(now.version);
                controller.renew(wanted, live.now);
            }
        });
    });
    Effect::new(move |before: Option<TopologyView>| {
        let view = view.get();
        if before.is_some_and(|before| before != view) {
            with(&|controller| controller.turn_to(view, live.now));
        }
        view
    });
    Effect::new(move || {
        let selected = selected.get().map(|element| element.to_string());
        with(&|controller| controller.select(selected.clone()));
    });
    Effect::new(move || {
        let text = search.text.get();
        with(&|controller| controller.search(&text));
    });
    Effect::new(move |before: Option<u32>| {
        let count = search.go.get();
        if before.is_some_and(|before| before != count) {
            with(&|controller| controller.go_to_first_hit());
        }
        count
    });
    Effect::new(move || {
        if let Some(ask) = asked.get() {
            with(&|controller| controller.answer(ask));
        }
    });
}

impl Controller {
    fn new(
        stage: web_sys::HtmlElement,
        list: Option<web_sys::HtmlElement>,
        told: Told,
        go: Box<dyn Fn(&str)>,
        view: TopologyView,
        selected: Option<Element>,
    ) -> Rc<Self> {
        let controller = Rc::new(Self {
            stage,
            list,
            told,
            go,
            state: RefCell::new(State {
                view,
                selected: selected.map(|element| element.to_string()),
                picture: None,
                scene: Scene::default(),
                frame: Rect::default(),
                camera: Camera {
                    center: Point::default(),
                    scale: 1.0,
                },
                follows: true,
                search: String::new(),
                gesture: gestures::Gesture::default(),
                renewal: renewal::Renewal::default(),
            }),
        });
        controller.measure();
        controller.drop_native_tips();
        controller
    }

    /// The version in the page as the server sent it.
    fn rendered_version(&self) -> Option<u64> {
        self.stage.get_attribute("data-version")?.parse().ok()
    }

    /// What is shown.
    fn moment(&self) -> Option<Moment> {
        let state = self.state.borrow();
        let picture = state.picture.as_ref()?;
        Some(state.renewal.moment(picture.version))
    }

    fn svg_element(&self) -> Option<web_sys::Element> {
        self.stage.query_selector("svg.topology").ok().flatten()
    }

    /// Takes the frame's place and keeps what is in its middle there.
    ///
    /// The style sheet says what the controls need, as the stage's padding: so the picture is at
    /// its place before the page comes alive.
    fn measure(&self) {
        let stage = self.stage.get_bounding_client_rect();
        let frame = self
            .svg_element()
            .map_or_else(|| stage.clone(), |svg| svg.get_bounding_client_rect());
        self.state.borrow_mut().frame = Rect {
            x: (frame.left() - stage.left()) as f32,
            y: (frame.top() - stage.top()) as f32,
            width: frame.width() as f32,
            height: frame.height() as f32,
        };
        self.point_camera();
    }

    fn watch_size(self: &Rc<Self>) {
        let watched = Rc::downgrade(self);
        let resized = Closure::<dyn Fn()>::new(move || {
            if let Some(controller) = watched.upgrade() {
                controller.measure();
                controller.keep_selected_in_sight();
            }
        });
        if let Ok(observer) = web_sys::ResizeObserver::new(resized.into_js_value().unchecked_ref())
        {
            observer.observe(&self.stage);
        }
    }

    /// Shows what the camera sees.
    fn point_camera(&self) {
        let mut state = self.state.borrow_mut();
        if state.frame.width < 1.0 || state.scene.bounds.width < 1.0 {
            // Nothing is known yet: the SVG as the server sent it fits by itself.
            return;
        }
        if state.follows {
            state.camera = Camera::fit(state.scene.bounds, state.size());
        }
        let seen = state.camera.view_box(state.size());
        let far = state.camera.scale < 0.45;
        drop(state);
        if let Some(svg) = self.svg_element() {
            let _ = svg.set_attribute(
                "viewBox",
                &format!("{} {} {} {}", seen.x, seen.y, seen.width, seen.height),
            );
            let _ = self.stage.class_list().toggle_with_force("far", far);
        }
    }

    fn move_camera(&self, change: impl FnOnce(Camera, Size) -> Camera) {
        {
            let mut state = self.state.borrow_mut();
            state.camera = change(state.camera, state.size());
            state.follows = false;
        }
        self.told.pointed.set(None);
        self.point_camera();
    }

    fn answer(&self, ask: Ask) {
        let middle = |size: Size| Point {
            x: size.width / 2.0,
            y: size.height / 2.0,
        };
        match ask {
            Ask::ZoomIn => {
                self.move_camera(|camera, size| camera.zoomed(ZOOM_STEP, middle(size), size));
            }
            Ask::ZoomOut => {
                self.move_camera(|camera, size| camera.zoomed(1.0 / ZOOM_STEP, middle(size), size));
            }
            Ask::Fit => {
                self.state.borrow_mut().follows = true;
                self.point_camera();
            }
        }
    }

    fn select(&self, selected: Option<String>) {
        {
            let mut state = self.state.borrow_mut();
            if state.selected == selected {
                return;
            }
            state.selected = selected;
        }
        self.told.pointed.set(None);
        self.redraw();
        self.keep_selected_in_sight();
    }

    fn keep_selected_in_sight(&self) {
        let place = {
            let state = self.state.borrow();
            if state.follows {
                return;
            }
            state.selected.as_deref().and_then(|id| state.place_of(id))
        };
        if let Some(place) = place {
            self.move_camera(|camera, size| camera.showing(place, 60.0, size));
        }
    }

    /// Draws the present scene into the page, touching only what differs.
    fn redraw(&self) {
        let text = {
            let state = self.state.borrow();
            let Some(picture) = &state.picture else {
                return;
            };
            svg(
                &picture.diagram,
                &state.scene,
                state.view,
                state.selected.as_deref(),
            )
        };
        self.put(&text);
    }

    fn put(&self, text: &str) {
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
            super::morph::children(&shown, &wanted);
        } else {
            self.stage.set_inner_html(text);
            self.measure();
        }
        self.drop_native_tips();
        self.mark_hits();
    }

    /// The page has a card of its own for what a `<title>` would show; names are in `aria-label`.
    fn drop_native_tips(&self) {
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

    fn search(&self, text: &str) {
        text.trim()
            .to_lowercase()
            .clone_into(&mut self.state.borrow_mut().search);
        self.mark_hits();
    }

    /// The ids of what has the searched name, in the picture's order.
    fn hits(&self) -> Option<Vec<String>> {
        let state = self.state.borrow();
        if state.search.is_empty() {
            return None;
        }
        let diagram = &state.picture.as_ref()?.diagram;
        Some(
            diagram
                .things()
                .filter(|thing| !matches!(thing, Thing::Edge(_)))
                .filter(|thing| diagram.label(*thing).to_lowercase().contains(&state.search))
                .filter_map(|thing| diagram.id(thing).map(str::to_owned))
                .collect(),
        )
    }

    fn mark_hits(&self) {
        let hits = self.hits();
        let found = hits.as_ref().map(Vec::len);
        if self.told.found.get_untracked() != found {
            self.told.found.set(found);
        }
        let _ = self
            .stage
            .class_list()
            .toggle_with_force("searching", hits.is_some());
        if let Ok(all) = self.stage.query_selector_all("[data-id]") {
            for index in 0..all.length() {
                let Some(element) = all
                    .get(index)
                    .and_then(|node| node.dyn_into::<web_sys::Element>().ok())
                else {
                    continue;
                };
                let hit = hits.as_ref().is_some_and(|hits| {
                    element
                        .get_attribute("data-id")
                        .is_some_and(|id| hits.contains(&id))
                });
                let _ = element.class_list().toggle_with_force("hit-by-search", hit);
            }
        }
    }

    fn go_to_first_hit(&self) {
        let first = self.hits().and_then(|hits| hits.into_iter().next());
        if let Some(id) = first {
            self.show_selected(&id);
            self.focus(&id);
        }
    }

    /// Goes to the address that selects `id`.
    fn show_selected(&self, id: &str) {
        let view = self.state.borrow().view;
        (self.go)(&format!(
            "/?view={view}&select={}",
            crate::format::percent_encode(id)
        ));
    }

    fn close_panel(&self) {
        let (view, open) = {
            let state = self.state.borrow();
            (state.view, state.selected.is_some())
        };
        if open {
            (self.go)(&format!("/?view={view}"));
        }
    }

    fn focus(&self, id: &str) {
        let place = self.state.borrow().place_of(id);
        if let Some(place) = place
            && !self.state.borrow().follows
        {
            self.move_camera(|camera, size| camera.showing(place, 60.0, size));
        }
        if let Ok(all) = self.stage.query_selector_all("[data-id]") {
            for index in 0..all.length() {
                let element = all
                    .get(index)
                    .and_then(|node| node.dyn_into::<web_sys::Element>().ok())
                    .filter(|element| element.get_attribute("data-id").as_deref() == Some(id));
                if let Some(element) = element {
                    // SVG elements have `focus`, too, but not as a type of web-sys' own.
                    let _ = element.unchecked_into::<web_sys::HtmlElement>().focus();
                    return;
                }
            }
        }
    }

    fn focus_neighbour(&self, from: Option<&str>, direction: Direction) {
        let next = {
            let state = self.state.borrow();
            let from = from.and_then(|id| state.find(id));
            neighbours::toward(&state.scene, from, direction)
                .and_then(|thing| state.picture.as_ref()?.diagram.id(thing).map(str::to_owned))
        };
        if let Some(next) = next {
            self.focus(&next);
        }
    }

    /// Tells the page what is pointed at, with its card beside `at` (pixels of the frame).
    fn point_at(&self, id: Option<&str>, at: Option<Point>) {
        let pointed = id.and_then(|id| {
            let state = self.state.borrow();
            let diagram = &state.picture.as_ref()?.diagram;
            let thing = diagram.find(id)?;
            let place = at.or_else(|| {
                let place = state.scene.place(thing)?;
                let seen = state.camera.view_box(state.size());
                Some(Point {
                    x: (place.x - seen.x) * state.camera.scale,
                    y: (place.y - seen.y) * state.camera.scale,
                })
            })?;
            Some(Pointed {
                name: diagram.label(thing).to_owned(),
                description: describe::thing(diagram, thing),
                x: beside(state.frame.x + place.x, self.stage.client_width(), 270.0),
                y: beside(state.frame.y + place.y, self.stage.client_height(), 90.0),
            })
        });
        if self.told.pointed.get_untracked() != pointed {
            self.told.pointed.set(pointed);
        }
    }
}

impl State {
    /// The thing with this id.
    fn find(&self, id: &str) -> Option<Thing> {
        self.picture.as_ref()?.diagram.find(id)
    }

    /// Where a thing is.
    fn place_of(&self, id: &str) -> Option<Point> {
        self.scene.place(self.find(id)?)
    }

    /// The frame's size.
    fn size(&self) -> Size {
        Size {
            width: self.frame.width,
            height: self.frame.height,
        }
    }
}

/// Where a card of `room` pixels begins that belongs to `place` and stays on the stage.
fn beside(place: f32, stage: i32, room: f32) -> f32 {
    const GAP: f32 = 16.0;
    (place + GAP).clamp(8.0, (stage as f32 - room).max(8.0))
}
