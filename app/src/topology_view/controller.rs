//! Moves, marks and renews the picture in the browser.
//!
//! All of it hangs on the stage: listeners are put on the one element that holds the picture, never
//! on what is in it, which may be replaced at any time.

mod arranger;
mod carrying;
mod composing;
mod gestures;
mod links;
mod minimap;
mod renewal;
mod surface;
mod taking_away;
mod traffic;

pub use taking_away::graph_text;

use super::{
    Ask, Picture, Pointed, Told,
    camera::{Camera, Size},
    neighbours::{self, Direction},
    options::{Colouring, ViewOptions, ViewState},
    renderer::Look,
    route::{self, Aim, Route, Step},
};
use crate::{
    Element,
    components::Search,
    errands::Errands,
    live::{Live, Moment},
    moving::Moving,
    panels::Head,
    server_functions,
};
use api::TopologyView;
use graph::{Diagram, Point, Positions, Rect, Scene, Thing, describe, query::Numbers};
use leptos::{html, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::Arc,
    time::Duration,
};
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
    /// The canvas; `None` where the SVG is drawn.
    surface: Option<surface::Surface>,
    arranger: arranger::Arranger,
    /// What the reader chose.
    choices: ViewState,
    /// The way that is shown.
    route: RwSignal<Vec<Step>>,
    /// The paths that the address asks for.
    aim: Memo<Option<Aim>>,
    /// What is moved by hand.
    moving: Moving,
    /// What else is wanted.
    errands: Errands,
    /// What links carry, by id.
    traffic: RefCell<HashMap<String, traffic::Carried>>,
    /// What the table in the page shows, and how that was written here.
    listed: RefCell<(Option<Arc<Diagram>>, String)>,
    minimap: RefCell<Option<minimap::Minimap>>,
    /// Where the stage's corner is in the window.
    origin: Cell<Point>,
    /// When the camera moved last, in milliseconds, and whether it is awaited that it rests.
    moved: Cell<f64>,
    rest_awaited: Cell<bool>,
    state: RefCell<State>,
}

/// What the picture shares with the page around it.
type Shared = (
    ViewState,
    RwSignal<Vec<Step>>,
    Memo<Option<Aim>>,
    Moving,
    Errands,
);

struct State {
    view: TopologyView,
    selected: Option<String>,
    /// What the server drew.
    picture: Option<Rc<Picture>>,
    /// What is shown of it, and where.
    diagram: Arc<Diagram>,
    positions: Positions,
    shown_view: TopologyView,
    arrangement: composing::Arrangement,
    /// Counts what was wanted: a layout that arrives late is not shown.
    wanted: u32,
    /// Counts movements: an older one stops when a newer begins.
    moves: u32,
    scene: Scene,
    /// Where on the stage the fitted picture is, in CSS pixels: clear of the controls.
    frame: Rect,
    camera: Camera,
    /// Whether the camera follows the picture's bounds: until the reader moves it.
    follows: bool,
    search: String,
    /// What has that in its name, in the order of [`Diagram::things`].
    hits: Option<Vec<Thing>>,
    /// What is under the pointer or has the focus.
    pointed: Option<Thing>,
    look: Look,
    gesture: gestures::Gesture,
    renewal: renewal::Renewal,
}

/// Starts a controller once the stage is there.
pub(super) fn start(
    stage: NodeRef<html::Div>,
    list: NodeRef<html::Div>,
    view: Memo<TopologyView>,
    selected: Memo<Option<Element>>,
    aim: Memo<Option<Aim>>,
    told: Told,
    asked: RwSignal<Option<Ask>>,
) {
    let live = expect_context::<Live>();
    let search = expect_context::<Search>();
    let choices = expect_context::<ViewState>();
    let Route(route) = expect_context::<Route>();
    let moving = expect_context::<Moving>();
    let errands = expect_context::<Errands>();
    // Before anything looks at them.
    choices.keep(view);
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
            (choices, route, aim, moving, errands),
            view.get_untracked(),
            selected.get_untracked(),
        );
        gestures::listen(&started);
        started.watch_size();
        started.watch_surface();
        started.watch_list();
        controller.set_value(Some(started));
        if let Some(controller) = controller.get_value() {
            controller.recall_camera();
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
    Effect::new(
        move |before: Option<(ViewOptions, Arc<dyn Numbers + Send + Sync>)>| {
            let options = ViewOptions {
                camera: None,
                ..choices.options.get()
            };
            let numbers = choices.numbers.get();
            // Where the camera is says nothing about what is shown.
            let is_same = before.as_ref().is_some_and(|(before, counted)| {
                *before == options && Arc::ptr_eq(counted, &numbers)
            });
            if !is_same {
                let before = before.as_ref().map(|(before, _)| before);
                with(&|controller| controller.chosen(before, &options));
            }
            (options, numbers)
        },
    );
    Effect::new(move || {
        route.track();
        with(&|controller| controller.relook());
    });
    Effect::new(move || {
        if let Some(format) = choices.export.get() {
            choices.export.set(None);
            with(&|controller| controller.take_away(format));
        }
    });
    // What changes all the time is asked for only while it is shown, and once for all hosts that
    // were measured at about the same time.
    let asking = StoredValue::new(false);
    Effect::new(move || {
        live.measured.track();
        let wanted = choices.options.with(ViewOptions::asks_for_load) || told.near.get();
        let view = view.get();
        if wanted && !asking.get_value() {
            asking.set_value(true);
            leptos::task::spawn_local(async move {
                crate::clock::sleep(Duration::from_millis(150)).await;
                asking.try_set_value(false);
                if let Ok(load) = server_functions::load(view).await {
                    let links = traffic::links(&load);
                    let busy = traffic::Busy::new(&load, &links);
                    if let Some(controller) = controller.try_get_value().flatten() {
                        controller.traffic.replace(links);
                    }
                    // Whoever follows the numbers draws anew.
                    choices.numbers.try_set(Arc::new(busy));
                }
            });
        }
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
        (choices, route, aim, moving, errands): Shared,
        view: TopologyView,
        selected: Option<Element>,
    ) -> Rc<Self> {
        let surface = surface::Surface::new(&stage);
        let controller = Rc::new(Self {
            surface,
            arranger: arranger::Arranger::default(),
            choices,
            route,
            aim,
            moving,
            errands,
            traffic: RefCell::default(),
            listed: RefCell::default(),
            minimap: RefCell::default(),
            origin: Cell::default(),
            moved: Cell::default(),
            rest_awaited: Cell::default(),
            stage,
            list,
            told,
            go,
            state: RefCell::new(State {
                view,
                selected: selected.map(|element| element.to_string()),
                picture: None,
                diagram: Arc::default(),
                positions: Positions::new(),
                shown_view: view,
                arrangement: composing::Arrangement::default(),
                wanted: 0,
                moves: 0,
                scene: Scene::default(),
                frame: Rect::default(),
                camera: Camera {
                    center: Point::default(),
                    scale: 1.0,
                },
                follows: true,
                search: String::new(),
                hits: None,
                pointed: None,
                look: Look::default(),
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
        let link = self.stage.query_selector("link.graph").ok()??;
        link.get_attribute("data-version")?.parse().ok()
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
    fn measure(self: &Rc<Self>) {
        let style = window().get_computed_style(&self.stage).ok().flatten();
        let padding = |side: &str| {
            style
                .as_ref()
                .and_then(|style| style.get_property_value(side).ok())
                .and_then(|text| text.trim_end_matches("px").parse::<f32>().ok())
                .unwrap_or(0.0)
        };
        let (left, top) = (padding("padding-left"), padding("padding-top"));
        self.state.borrow_mut().frame = Rect {
            x: left,
            y: top,
            width: self.stage.client_width() as f32 - left - padding("padding-right"),
            height: self.stage.client_height() as f32 - top - padding("padding-bottom"),
        };
        self.locate();
        self.size_surface();
        self.point_camera();
    }

    /// Looks where the stage is.
    fn locate(&self) {
        let stage = self.stage.get_bounding_client_rect();
        self.origin.set(Point {
            x: stage.left() as f32,
            y: stage.top() as f32,
        });
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

    fn move_camera(self: &Rc<Self>, change: impl FnOnce(Camera, Size) -> Camera) {
        {
            let mut state = self.state.borrow_mut();
            state.camera = change(state.camera, state.size());
            state.follows = false;
        }
        self.tell_nothing();
        self.point_camera();
    }

    /// Shows what was chosen; `before` is what was chosen before, `None` at first.
    fn chosen(self: &Rc<Self>, before: Option<&ViewOptions>, options: &ViewOptions) {
        let shown_alike = before.is_some_and(|before| {
            let shape = |options: &ViewOptions| ViewOptions {
                colour: Colouring::default(),
                weathermap: false,
                minimap: false,
                highlight: String::new(),
                ..options.clone()
            };
            shape(before) == shape(options) && !options.filter.contains("load")
        });
        if shown_alike {
            self.reshape();
        } else {
            self.compose();
        }
    }

    /// Goes to where the reader was in this view.
    fn recall_camera(self: &Rc<Self>) {
        let camera = self
            .choices
            .options
            .with_untracked(|options| options.camera);
        let mut state = self.state.borrow_mut();
        state.follows = camera.is_none();
        if let Some((x, y, scale)) = camera {
            state.camera = Camera {
                center: Point { x, y },
                scale,
            };
        }
    }

    /// Keeps where the reader is in this view.
    fn remember_camera(&self) {
        let camera = {
            let state = self.state.borrow();
            let at = state.camera;
            (!state.follows).then_some((at.center.x, at.center.y, at.scale))
        };
        let known = self
            .choices
            .options
            .with_untracked(|options| options.camera);
        if known != camera {
            self.choices
                .options
                .update(|options| options.camera = camera);
        }
    }

    fn answer(self: &Rc<Self>, ask: Ask) {
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

    fn select(self: &Rc<Self>, selected: Option<String>) {
        {
            let mut state = self.state.borrow_mut();
            if state.selected == selected {
                return;
            }
            state.selected = selected;
        }
        self.tell_head();
        self.tell_nothing();
        self.relook();
        self.keep_selected_in_sight();
    }

    /// Tells what is selected, so far as it has a name in the picture.
    fn tell_head(&self) {
        let state = self.state.borrow();
        let head = state.selected.as_deref().and_then(|id| {
            let kind = match id.parse() {
                Ok(Element::Host(_)) => "Host",
                Ok(Element::Router(_)) => "Router",
                Ok(Element::Segment(_)) => "Segment",
                Ok(Element::Link(_)) | Err(_) => return None,
            };
            let name = state.diagram.label(state.find(id)?).to_owned();
            Some(Head { kind, name })
        });
        drop(state);
        self.told.head.set(head);
    }

    fn keep_selected_in_sight(self: &Rc<Self>) {
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

    fn search(self: &Rc<Self>, text: &str) {
        let text = text.trim().to_lowercase();
        if text != self.state.borrow().search {
            {
                let mut state = self.state.borrow_mut();
                state.search = text;
                state.search_again();
            }
            self.relook();
        }
    }

    /// Takes the card away of what was pointed at.
    fn tell_nothing(&self) {
        self.show_handle(None);
        if self.told.pointed.with_untracked(Option::is_some) {
            self.told.pointed.set(None);
        }
    }

    /// Tells how many were found.
    fn tell_found(&self) {
        let found = self.state.borrow().hits().map(<[Thing]>::len);
        if self.told.found.get_untracked() != found {
            self.told.found.set(found);
        }
    }

    fn go_to_first_hit(self: &Rc<Self>) {
        let first = {
            let state = self.state.borrow();
            let first = state.hits().and_then(|hits| hits.first());
            first.and_then(|thing| state.id(*thing).map(str::to_owned))
        };
        if let Some(id) = first {
            self.show_selected(&id, false);
            self.focus(&id);
        }
    }

    /// Goes where a click on `id` leads.
    fn show_selected(&self, id: &str, with_shift: bool) {
        let address = {
            let state = self.state.borrow();
            let selected = state.selected.as_deref();
            self.aim.with_untracked(|aim| {
                route::address(id, state.view, selected, aim.as_ref(), with_shift)
            })
        };
        if let Some(address) = address {
            (self.go)(&address);
        }
    }

    /// Whether the reader chooses where paths end.
    fn is_choosing(&self) -> bool {
        self.aim
            .with_untracked(|aim| route::is_choosing(aim.as_ref()))
    }

    /// Goes back to the facts of what is selected where the reader chooses where paths end, or else
    /// to the picture alone.
    fn close_panel(&self) {
        let (view, selected) = {
            let state = self.state.borrow();
            (state.view, state.selected.clone())
        };
        match selected.and_then(|id| id.parse::<Element>().ok()) {
            Some(element) if self.is_choosing() => (self.go)(&element.href(view)),
            Some(_) => (self.go)(&format!("/?view={view}")),
            None => {}
        }
    }

    fn focus(self: &Rc<Self>, id: &str) {
        let place = self.state.borrow().place_of(id);
        if let Some(place) = place
            && !self.state.borrow().follows
        {
            self.move_camera(|camera, size| camera.showing(place, 60.0, size));
        }
        let thing = self.state.borrow().find(id);
        self.mark_pointed(thing);
        // What was out of sight has no link yet.
        self.begin_links();
        let Ok(all) = self.stage.query_selector_all("[data-id]") else {
            return;
        };
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

    fn focus_neighbour(self: &Rc<Self>, from: Option<&str>, direction: Direction) {
        let next = {
            let state = self.state.borrow();
            let from = from.and_then(|id| state.find(id));
            neighbours::toward(&state.scene, from, direction)
                .and_then(|thing| state.id(thing).map(str::to_owned))
        };
        if let Some(next) = next {
            self.focus(&next);
        }
    }

    /// Tells the page what is pointed at, with its card beside `at` (pixels of the frame).
    fn point_at(self: &Rc<Self>, thing: Option<Thing>, at: Option<Point>) {
        self.mark_pointed(thing);
        self.show_handle(thing);
        let _ = self
            .stage
            .class_list()
            .toggle_with_force("over", thing.is_some());
        let pointed = thing.and_then(|thing| {
            let state = self.state.borrow();
            let diagram = &state.diagram;
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

    /// What is at a place of the frame.
    fn thing_at(&self, at: Point) -> Option<Thing> {
        /// How far beside a line it is still meant, in pixels.
        const REACH: f32 = 7.0;
        let point = self.in_scene(at);
        let state = self.state.borrow();
        state.scene.pick(point, REACH / state.camera.scale)
    }

    /// A place of the frame as a point of the scene.
    fn in_scene(&self, at: Point) -> Point {
        let state = self.state.borrow();
        let seen = state.camera.view_box(state.size());
        Point {
            x: seen.x + at.x / state.camera.scale,
            y: seen.y + at.y / state.camera.scale,
        }
    }
}

impl State {
    /// A thing's id.
    fn id(&self, thing: Thing) -> Option<&str> {
        self.diagram.id(thing)
    }

    /// What has the searched name, in order, hosts first; `None` while nothing is searched.
    fn hits(&self) -> Option<&[Thing]> {
        self.hits.as_deref()
    }

    /// Searches again: for something else, or in something else.
    fn search_again(&mut self) {
        let (diagram, sought) = (&self.diagram, &self.search);
        self.hits = (!sought.is_empty()).then(|| {
            diagram
                .things()
                .filter(|thing| !matches!(thing, Thing::Edge(_)))
                .filter(|thing| diagram.label(*thing).to_lowercase().contains(sought))
                .collect()
        });
    }

    /// The thing with this id.
    fn find(&self, id: &str) -> Option<Thing> {
        self.diagram.find(id)
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
