//! Pointer, wheel and keys on the stage.

use super::{Ask, Controller, carrying::Held};
use crate::{moving::MenuOf, topology_view::neighbours::Direction};
use graph::{NodeKind, NodeState, Point, Thing};
use leptos::prelude::{GetUntracked, Set, document};
use std::rc::Rc;
use wasm_bindgen::{JsCast, closure::Closure, convert::FromWasmAbi};
use web_sys::{
    AddEventListenerOptions, Event, FocusEvent, KeyboardEvent, MouseEvent, PointerEvent, WheelEvent,
};

/// How far a pointer moves before it drags instead of clicks, in pixels.
const SLACK: f32 = 5.0;

/// What the pointers are doing.
#[derive(Default)]
pub(super) struct Gesture {
    /// The pointers that are down, and where.
    down: Vec<(i32, Point)>,
    /// Where the first went down.
    origin: Point,
    /// Whether the picture is being moved: the click at the end is none.
    drags: bool,
    /// What lies above the stage meanwhile, and gives the pointer its shape.
    grip: Option<web_sys::Element>,
    /// What is moved instead of the picture.
    held: Option<Held>,
    /// What was held was put back: nothing happens until the pointer is up.
    given_up: bool,
}

impl Gesture {
    /// Lets go of what is held: it is put back, and the picture does not move instead.
    pub(super) fn forget_held(&mut self) {
        self.held = None;
        self.given_up = true;
    }

    /// Whether no pointer is down.
    pub(super) fn is_still(&self) -> bool {
        self.down.is_empty()
    }
}

/// Puts the listeners on the stage.
pub(super) fn listen(controller: &Rc<Controller>) {
    on(controller, "pointerdown", true, Controller::pointer_down);
    on(controller, "pointermove", true, Controller::pointer_move);
    on(controller, "pointerup", true, Controller::pointer_up);
    on(controller, "pointercancel", true, Controller::pointer_up);
    on(
        controller,
        "pointerleave",
        true,
        |controller, _: &PointerEvent| {
            controller.point_at(None, None);
        },
    );
    on(
        controller,
        "pointerenter",
        true,
        |controller, _: &PointerEvent| controller.locate(),
    );
    on(controller, "wheel", false, Controller::wheel);
    on(controller, "click", false, Controller::click);
    on(controller, "keydown", false, Controller::key);
    on(controller, "focusin", true, Controller::focus_in);
    on(
        controller,
        "focusout",
        true,
        |controller, _: &FocusEvent| {
            controller.point_at(None, None);
        },
    );
    on(controller, "dragstart", false, |_, event: &Event| {
        event.prevent_default();
    });
    on(controller, "contextmenu", false, Controller::menu);
    put_back_by_escape(controller);
}

fn on<E: FromWasmAbi + 'static>(
    controller: &Rc<Controller>,
    name: &str,
    passive: bool,
    act: impl Fn(&Rc<Controller>, &E) + 'static,
) {
    let weak = Rc::downgrade(controller);
    let listener = Closure::<dyn Fn(E)>::new(move |event: E| {
        if let Some(controller) = weak.upgrade() {
            act(&controller, &event);
        }
    });
    let options = AddEventListenerOptions::new();
    options.set_passive(passive);
    // Collected with the stage that it hangs on.
    let listener = listener.into_js_value();
    let _ = controller
        .stage
        .add_event_listener_with_callback_and_add_event_listener_options(
            name,
            listener.unchecked_ref(),
            &options,
        );
}

/// Escape puts back what is dragged, wherever the focus is, and does nothing else then.
fn put_back_by_escape(controller: &Rc<Controller>) {
    let weak = Rc::downgrade(controller);
    let listener = Closure::<dyn Fn(KeyboardEvent)>::new(move |event: KeyboardEvent| {
        let Some(controller) = weak.upgrade() else {
            return;
        };
        if event.key() == "Escape" && controller.put_back() {
            event.prevent_default();
            event.stop_propagation();
        }
    });
    let _ = leptos::prelude::window().add_event_listener_with_callback_and_bool(
        "keydown",
        listener.into_js_value().unchecked_ref(),
        true,
    );
}

/// The element of the topology that an event is on.
fn id_at(event: &Event) -> Option<String> {
    event
        .target()?
        .dyn_into::<web_sys::Element>()
        .ok()?
        .closest("[data-id]")
        .ok()??
        .get_attribute("data-id")
}

impl Controller {
    /// Where an event is, in pixels of the frame.
    fn in_frame(&self, event: &MouseEvent) -> Point {
        // Asking the browser where the stage is lays the page out: once a gesture is enough.
        if event.type_() != "pointermove" && event.type_() != "wheel" {
            self.locate();
        }
        let (stage, frame) = (self.origin.get(), self.state.borrow().frame);
        Point {
            x: event.client_x() as f32 - stage.x - frame.x,
            y: event.client_y() as f32 - stage.y - frame.y,
        }
    }

    /// What an event is on: by its place on the canvas, by its element in the SVG. A click that the
    /// keyboard made is on the link that has the focus.
    fn thing_of(&self, event: &MouseEvent, at: Point) -> Option<Thing> {
        let by_keyboard = event.type_() == "click" && event.detail() == 0;
        if self.surface.is_some() && !by_keyboard {
            return self.thing_at(at);
        }
        id_at(event).and_then(|id| self.state.borrow().find(&id))
    }

    fn pointer_down(self: &Rc<Self>, event: &PointerEvent) {
        if event.button() != 0 {
            return;
        }
        let at = self.in_frame(event);
        // A finger moves the picture: it cannot aim. It draws where that was asked for.
        let draws = event.shift_key() || self.errands.drawing.get_untracked();
        let held = if draws || self.handle_at(at).is_some() {
            self.link_from(at)
        } else if event.pointer_type() == "touch" {
            None
        } else {
            self.hold(at)
        };
        if let Some(held) = &held {
            self.expect_drag(held);
        }
        let mut state = self.state.borrow_mut();
        let gesture = &mut state.gesture;
        if gesture.down.is_empty() {
            gesture.origin = at;
            gesture.drags = false;
            gesture.held = held;
            gesture.given_up = false;
        } else {
            gesture.held = None;
        }
        gesture.down.retain(|(id, _)| *id != event.pointer_id());
        gesture.down.push((event.pointer_id(), at));
    }

    fn pointer_move(self: &Rc<Self>, event: &PointerEvent) {
        let at = self.in_frame(event);
        let mut state = self.state.borrow_mut();
        let gesture = &mut state.gesture;
        let before = gesture.down.clone();
        let Some(moved) = gesture
            .down
            .iter_mut()
            .find(|(id, _)| *id == event.pointer_id())
        else {
            drop(state);
            // On its way to the handle the router stays pointed at.
            if event.pointer_type() != "touch" && self.handle_at(at).is_none() {
                self.point_at(self.thing_of(event, at), Some(at));
            }
            return;
        };
        moved.1 = at;
        if gesture.given_up {
            return;
        }
        if !gesture.drags {
            let far = (at.x - gesture.origin.x).hypot(at.y - gesture.origin.y) > SLACK;
            if !far && before.len() < 2 {
                return;
            }
            gesture.drags = true;
            // Without capture a drag would end at the stage's border, which is bearable.
            let _ = self.stage.set_pointer_capture(event.pointer_id());
            gesture.grip = self.put_grip();
        }
        let after = gesture.down.clone();
        let held = gesture.held.clone();
        drop(state);
        if let Some(held) = held {
            self.point_at(None, None);
            return self.carry(&held, at);
        }
        let (from, to) = (middle(&before), middle(&after));
        let spread = spread(&after) / spread(&before);
        self.move_camera(|camera, size| {
            let panned = camera.panned(to.x - from.x, to.y - from.y);
            if spread.is_finite() && before.len() > 1 {
                panned.zoomed(spread, to, size)
            } else {
                panned
            }
        });
    }

    fn put_grip(&self) -> Option<web_sys::Element> {
        let grip = document().create_element("div").ok()?;
        grip.set_class_name("grip");
        self.stage.append_child(&grip).ok()?;
        Some(grip)
    }

    fn pointer_up(self: &Rc<Self>, event: &PointerEvent) {
        let mut state = self.state.borrow_mut();
        state
            .gesture
            .down
            .retain(|(id, _)| *id != event.pointer_id());
        if state.gesture.down.is_empty() {
            if let Some(grip) = state.gesture.grip.take() {
                grip.remove();
            }
            let held = state.gesture.held.take();
            let moved = state.gesture.drags;
            drop(state);
            if let Some(held) = held.filter(|_| moved) {
                self.put_down(&held);
            }
        }
    }

    fn wheel(self: &Rc<Self>, event: &WheelEvent) {
        event.prevent_default();
        let at = self.in_frame(event);
        let lines = match event.delta_mode() {
            WheelEvent::DOM_DELTA_LINE => 16.0,
            WheelEvent::DOM_DELTA_PAGE => 400.0,
            _ => 1.0,
        };
        // A pinch on a touchpad arrives as a wheel with Control and small steps.
        let speed = if event.ctrl_key() { 0.01 } else { 0.0016 };
        let factor = (-event.delta_y() * lines * speed).clamp(-1.0, 1.0).exp() as f32;
        self.move_camera(|camera, size| camera.zoomed(factor, at, size));
        self.move_drop_places();
    }

    fn click(self: &Rc<Self>, event: &MouseEvent) {
        let dragged = std::mem::take(&mut self.state.borrow_mut().gesture.drags);
        if dragged {
            event.prevent_default();
            return;
        }
        if event.ctrl_key() || event.meta_key() {
            return;
        }
        let at = self.in_frame(event);
        let thing = self.thing_of(event, at);
        let id = {
            let state = self.state.borrow();
            thing.and_then(|thing| state.id(thing).map(str::to_owned))
        };
        match id {
            Some(id) => {
                event.prevent_default();
                event.stop_propagation();
                self.show_selected(&id, event.shift_key());
            }
            // Beside what was meant: the choice goes on.
            None if event.shift_key() || self.is_choosing() => {}
            None => self.close_panel(),
        }
    }

    /// Opens the menu of what an event is on.
    fn menu(self: &Rc<Self>, event: &MouseEvent) {
        let at = self.in_frame(event);
        let (x, y) = (event.client_x() as f32, event.client_y() as f32);
        // What the keyboard asks for is what has the focus; the pointer may be anywhere.
        let thing = if event.button() == 2 {
            self.thing_of(event, at)
        } else {
            id_at(event).and_then(|id| self.state.borrow().find(&id))
        };
        if let Some(thing) = thing {
            event.prevent_default();
            self.open_menu(thing, Point { x, y });
        }
    }

    fn open_menu(self: &Rc<Self>, thing: Thing, at: Point) {
        let of = {
            let state = self.state.borrow();
            let diagram = &state.diagram;
            let Some(id) = diagram.id(thing) else { return };
            let (kind, node_state, current) = match thing {
                Thing::Node(index) => {
                    let node = &diagram.nodes[index as usize];
                    (Some(node.kind), node.state, !node.stale)
                }
                Thing::Group(index) => {
                    let group = &diagram.groups[index as usize];
                    (Some(NodeKind::Host), group.state, !group.stale)
                }
                Thing::Edge(_) => (None, NodeState::Neutral, true),
            };
            let facts = diagram.facts(thing);
            MenuOf {
                id: id.to_owned(),
                name: diagram.label(thing).to_owned(),
                kind,
                state: node_state,
                current,
                is_moving: facts.is_some_and(|facts| !facts.moving_to.is_empty()),
                at,
                from_panel: false,
            }
        };
        self.point_at(None, None);
        self.moving.menu.set(Some(of));
    }

    fn key(self: &Rc<Self>, event: &KeyboardEvent) {
        let asks_menu = event.key() == "ContextMenu" || event.key() == "F10" && event.shift_key();
        if asks_menu && let Some(id) = id_at(event) {
            let thing = self.state.borrow().find(&id);
            let place = event
                .target()
                .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
            if let (Some(thing), Some(place)) = (thing, place) {
                let place = place.get_bounding_client_rect();
                let x = f64::midpoint(place.left(), place.right()) as f32;
                let y = f64::midpoint(place.top(), place.bottom()) as f32;
                event.prevent_default();
                event.stop_propagation();
                self.open_menu(thing, Point { x, y });
            }
            return;
        }
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let from = id_at(event);
        let arrow = |direction| match &from {
            Some(id) if event.shift_key() => self.nudge(id, direction),
            from => self.focus_neighbour(from.as_deref(), direction),
        };
        match event.key().as_str() {
            "+" | "=" => self.answer(Ask::ZoomIn),
            "-" => self.answer(Ask::ZoomOut),
            "0" => self.answer(Ask::Fit),
            "ArrowLeft" => arrow(Direction::Left),
            "ArrowRight" => arrow(Direction::Right),
            "ArrowUp" => arrow(Direction::Up),
            "ArrowDown" => arrow(Direction::Down),
            "Enter" | " " => match &from {
                Some(id) => self.show_selected(id, event.shift_key()),
                None => return,
            },
            "Escape" => self.close_panel(),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    }

    fn focus_in(self: &Rc<Self>, event: &FocusEvent) {
        let by_keyboard = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .is_some_and(|element| element.matches(":focus-visible").unwrap_or(false));
        if by_keyboard {
            let thing = id_at(event).and_then(|id| self.state.borrow().find(&id));
            self.point_at(thing, None);
        }
    }
}

fn middle(down: &[(i32, Point)]) -> Point {
    let count = down.len().max(1) as f32;
    Point {
        x: down.iter().map(|(_, at)| at.x).sum::<f32>() / count,
        y: down.iter().map(|(_, at)| at.y).sum::<f32>() / count,
    }
}

fn spread(down: &[(i32, Point)]) -> f32 {
    match down {
        [(_, a), (_, b), ..] => (a.x - b.x).hypot(a.y - b.y).max(1.0),
        _ => 1.0,
    }
}
