//! Putting things where the reader wants them: dragged, or moved by Shift and an arrow key. What
//! was put somewhere stays there (a pin), and everything else is arranged around it.
//!
//! A router in its host's box is not put somewhere: it is held over the picture, and dropped onto
//! another host to be moved there (`crate::moving`).

use super::{Controller, State};
use crate::{
    Element,
    errands::{Errand, Line, Named},
    moving::{Drag, HostPlace},
    topology_view::{Handle, neighbours::Direction, picture::scene},
};
use graph::{NodeKind, Point, Rect, Thing};
use leptos::prelude::*;
use std::rc::Rc;

/// How far an arrow key moves a thing, in units.
const STEP: f32 = 24.0;
/// A box is taken hold of at its head, so high.
const HEAD: f32 = 36.0;
/// Up to so many things the lines follow what is dragged; beyond, when it is put down.
const MOST_FOLLOWING: usize = 1200;

/// A link's handle reaches so far, in pixels.
const HANDLE: f32 = 9.0;

/// Verdicts are shown on so many hosts at most.
const MOST_PLACES: usize = 400;

/// What the pointer holds.
#[derive(Clone, Debug)]
pub(super) struct Held {
    id: String,
    /// From the pointer to the thing's place, in units.
    offset: Point,
    /// It is a router that goes to another host, not to another place.
    to_host: bool,
    /// It stays where it is: a link is drawn from it.
    links: bool,
}

impl Controller {
    /// What can be taken hold of at a place of the frame: a node outside of boxes, a box by its
    /// head, or a router in its host's box. Of the SVG only routers: it is drawn anew as a whole.
    pub(super) fn hold(&self, at: Point) -> Option<Held> {
        let thing = self.thing_at(at)?;
        let point = self.in_scene(at);
        let state = self.state.borrow();
        let mut to_host = false;
        let places = self.surface.is_some();
        let holds = match thing {
            Thing::Node(index) => {
                let node = state.diagram.nodes.get(index as usize)?;
                let group = node.group.and_then(|group| state.id(Thing::Group(group)));
                to_host = node.kind == NodeKind::Router && group.is_some_and(is_host);
                to_host || places && node.group.is_none()
            }
            Thing::Group(index) => {
                let one = state.scene.group(index)?;
                places && point.y <= one.rect.y + HEAD
            }
            Thing::Edge(_) => false,
        };
        let id = state.id(thing).filter(|_| holds)?;
        let place = state.positions.get(id)?;
        Some(Held {
            id: id.to_owned(),
            offset: Point {
                x: place.x - point.x,
                y: place.y - point.y,
            },
            to_host,
            links: false,
        })
    }

    /// What a link can be drawn from at a place of the frame: a router, or its handle.
    pub(super) fn link_from(&self, at: Point) -> Option<Held> {
        let id = self.handle_at(at).or_else(|| {
            let thing = self.thing_at(at)?;
            self.state.borrow().id(thing).map(str::to_owned)
        })?;
        is_router(&id).then(|| Held {
            id,
            offset: Point::default(),
            to_host: false,
            links: true,
        })
    }

    /// The router whose handle is at a place of the frame.
    pub(super) fn handle_at(&self, at: Point) -> Option<String> {
        let frame = self.state.borrow().frame;
        self.told.handle.with_untracked(|handle| {
            let handle = handle.as_ref()?;
            let (x, y) = (frame.x + at.x - handle.x, frame.y + at.y - handle.y);
            (x.hypot(y) <= HANDLE).then(|| handle.id.clone())
        })
    }

    /// Shows the handle of a router that is pointed at, where it is large enough to have one.
    pub(super) fn show_handle(&self, thing: Option<Thing>) {
        let handle = thing.and_then(|thing| {
            let state = self.state.borrow();
            let id = state.id(thing).filter(|id| is_router(id))?;
            let stage = self.origin.get();
            let rect = self.to_window(&state, node_rect(&state, thing)?);
            (rect.width >= 2.5 * HANDLE).then(|| Handle {
                id: id.to_owned(),
                x: rect.right() - stage.x + 5.0,
                y: rect.y - stage.y + rect.height / 2.0,
            })
        });
        if self.told.handle.with_untracked(|known| *known != handle) {
            self.told.handle.set(handle);
        }
    }

    /// Moves what is held with the pointer.
    pub(super) fn carry(self: &Rc<Self>, held: &Held, at: Point) {
        if held.links {
            return self.draw_link(held, at);
        }
        if held.to_host {
            return self.hold_over(held, at);
        }
        let point = self.in_scene(at);
        let to = Point {
            x: point.x + held.offset.x,
            y: point.y + held.offset.y,
        };
        self.place(&held.id, to);
    }

    /// Lets go of what is held: from now on it stays there.
    pub(super) fn put_down(&self, held: &Held) {
        if held.links {
            return self.end_link();
        }
        if held.to_host {
            return self.drop_on_host();
        }
        let place = self.state.borrow().positions.get(&held.id).copied();
        if let Some(place) = place {
            self.choices.options.update(|options| {
                options.pins.insert(held.id.clone(), place);
            });
        }
    }

    /// Moves a thing a step by a key, and leaves it there.
    pub(super) fn nudge(self: &Rc<Self>, id: &str, direction: Direction) {
        let Some(place) = self.state.borrow().positions.get(id).copied() else {
            return;
        };
        let (x, y) = match direction {
            Direction::Left => (-STEP, 0.0),
            Direction::Right => (STEP, 0.0),
            Direction::Up => (0.0, -STEP),
            Direction::Down => (0.0, STEP),
        };
        let to = Point {
            x: place.x + x,
            y: place.y + y,
        };
        self.place(id, to);
        self.put_down(&Held {
            id: id.to_owned(),
            offset: Point::default(),
            to_host: false,
            links: false,
        });
    }

    /// Says that a router may be dragged now, so that what is shown then is loaded.
    pub(super) fn expect_drag(&self, held: &Held) {
        if held.to_host && !self.moving.soon.get_untracked() {
            self.moving.soon.set(true);
        }
    }

    /// Shows a router beside the pointer, and where it is dropped.
    fn hold_over(&self, held: &Held, at: Point) {
        let Ok(Element::Router(router)) = held.id.parse() else {
            return;
        };
        let over = self.host_at(at);
        let at = self.in_window(at);
        if self.moving.drag.with_untracked(Option::is_some) {
            self.moving.drag.update(|drag| {
                if let Some(drag) = drag {
                    drag.at = at;
                    drag.over = over;
                }
            });
            return;
        }
        let name = {
            let state = self.state.borrow();
            let thing = state.find(&held.id);
            thing
                .map_or("", |thing| state.diagram.label(thing))
                .to_owned()
        };
        self.moving.drag.set(Some(Drag {
            router,
            name,
            at,
            stage: self.stage_rect(),
            hosts: self.hosts_in_sight(&held.id),
            over,
        }));
    }

    /// Draws a link from a router to the pointer.
    fn draw_link(&self, held: &Held, at: Point) {
        let to = self.in_window(at);
        let over = self.thing_at(at).and_then(|thing| {
            let state = self.state.borrow();
            let id = state
                .id(thing)
                .filter(|id| is_router(id) && *id != held.id)?;
            Some((
                named(&state, id)?,
                self.to_window(&state, node_rect(&state, thing)?),
            ))
        });
        let state = self.state.borrow();
        let from = state
            .find(&held.id)
            .and_then(|thing| node_rect(&state, thing));
        let line = named(&state, &held.id).zip(from).map(|(from, rect)| Line {
            from,
            at: self.to_window(&state, rect).center(),
            to,
            stage: self.stage_rect(),
            over,
        });
        drop(state);
        self.errands.line.set(line);
    }

    /// Asks to link what was drawn, if it ended at a router.
    fn end_link(&self) {
        let Some(line) = self.errands.line.get_untracked() else {
            return;
        };
        self.errands.line.set(None);
        if let Some((b, _)) = line.over {
            self.errands.wanted.set(Some(Errand::Link {
                a: line.from,
                b: Some(b),
            }));
        }
    }

    /// A place of the frame in the window.
    fn in_window(&self, at: Point) -> Point {
        let (stage, frame) = (self.origin.get(), self.state.borrow().frame);
        Point {
            x: stage.x + frame.x + at.x,
            y: stage.y + frame.y + at.y,
        }
    }

    /// A part of the scene in the window.
    fn to_window(&self, state: &State, rect: Rect) -> Rect {
        let stage = self.origin.get();
        let seen = state.camera.view_box(state.size());
        let scale = state.camera.scale;
        Rect {
            x: stage.x + state.frame.x + (rect.x - seen.x) * scale,
            y: stage.y + state.frame.y + (rect.y - seen.y) * scale,
            width: rect.width * scale,
            height: rect.height * scale,
        }
    }

    /// The hosts are elsewhere on the screen: the camera moved.
    pub(super) fn move_drop_places(&self) {
        let Some(router) =
            (self.moving.drag).with_untracked(|drag| drag.as_ref().map(|drag| drag.router))
        else {
            return;
        };
        let hosts = self.hosts_in_sight(&Element::Router(router).to_string());
        self.moving.drag.update(|drag| {
            if let Some(drag) = drag {
                drag.hosts = hosts;
            }
        });
    }

    /// Puts back what is held over the picture; whether there was anything.
    pub(super) fn put_back(&self) -> bool {
        let drawn = self.errands.line.with_untracked(Option::is_some);
        let held = drawn || self.moving.drag.with_untracked(Option::is_some);
        if held {
            self.errands.line.set(None);
            self.moving.drag.set(None);
            self.state.borrow_mut().gesture.forget_held();
        }
        held
    }

    /// Asks to move what was dropped, if it was on another host.
    fn drop_on_host(&self) {
        let Some(drag) = self.moving.drag.get_untracked() else {
            return;
        };
        self.moving.drag.set(None);
        let own = |over: &api::HostId| drag.hosts.iter().any(|one| one.own && one.host == *over);
        let Some(destination) = drag.over.filter(|over| !own(over)) else {
            return;
        };
        self.moving.wish.set(Some(crate::moving::Wish {
            router: drag.router,
            name: drag.name,
            destination: Some(destination),
        }));
    }

    fn stage_rect(&self) -> Rect {
        let corner = self.origin.get();
        Rect {
            x: corner.x,
            y: corner.y,
            width: self.stage.client_width() as f32,
            height: self.stage.client_height() as f32,
        }
    }

    /// The host whose box or symbol is at a place of the frame.
    fn host_at(&self, at: Point) -> Option<api::HostId> {
        let point = self.in_scene(at);
        let state = self.state.borrow();
        let mut rects = state.host_rects();
        let (thing, _) = rects.find(|(_, rect)| rect.contains(point))?;
        host(state.id(thing)?)
    }

    /// The hosts that are seen, and where in the window; `router` is on one of them.
    fn hosts_in_sight(&self, router: &str) -> Vec<HostPlace> {
        let stage = self.stage_rect();
        let state = self.state.borrow();
        let own = match state.find(router) {
            Some(Thing::Node(index)) => state.diagram.nodes[index as usize].group,
            _ => None,
        };
        let places = state.host_rects().filter_map(|(thing, rect)| {
            let rect = self.to_window(&state, rect);
            let in_sight = rect.x < stage.right()
                && rect.right() > stage.x
                && rect.y < stage.bottom()
                && rect.bottom() > stage.y;
            Some(HostPlace {
                host: host(state.id(thing)?).filter(|_| in_sight)?,
                name: state.diagram.label(thing).to_owned(),
                rect,
                own: matches!(thing, Thing::Group(group) if Some(group) == own),
            })
        });
        places.take(MOST_PLACES).collect()
    }

    /// Draws a thing, and what is in it, at another place.
    fn place(self: &Rc<Self>, id: &str, to: Point) {
        {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            let Some(from) = state.positions.insert(id.to_owned(), to) else {
                return;
            };
            if let Some(Thing::Group(group)) = state.diagram.find(id) {
                for node in state
                    .diagram
                    .nodes
                    .iter()
                    .filter(|n| n.group == Some(group))
                {
                    if let Some(place) = state.positions.get_mut(&node.id) {
                        place.x += to.x - from.x;
                        place.y += to.y - from.y;
                    }
                }
            }
            // A movement that is under way would take it back.
            state.moves += 1;
            if state.diagram.things().count() > MOST_FOLLOWING {
                return;
            }
            let bounds = state.scene.bounds;
            state.scene = scene(&state.diagram, &state.positions);
            // What is seen must not jump because the picture has become larger.
            state.scene.bounds = bounds;
        }
        self.shift();
    }
}

impl State {
    /// Where hosts are: boxes, and symbols where one is folded.
    fn host_rects(&self) -> impl Iterator<Item = (Thing, Rect)> {
        let boxes = self.scene.boxes.iter();
        let nodes = self.scene.nodes.iter();
        let nodes = nodes.filter(|node| node.kind == NodeKind::Host);
        boxes
            .map(|one| (Thing::Group(one.group), one.rect))
            .chain(nodes.map(|one| (Thing::Node(one.node), one.rect())))
    }
}

fn host(id: &str) -> Option<api::HostId> {
    match id.parse() {
        Ok(Element::Host(host)) => Some(host),
        _ => None,
    }
}

fn is_host(id: &str) -> bool {
    host(id).is_some()
}

fn is_router(id: &str) -> bool {
    id.starts_with("router:")
}

/// A router with its name.
fn named(state: &State, id: &str) -> Option<Named> {
    let Ok(Element::Router(router)) = id.parse() else {
        return None;
    };
    let name = state.diagram.label(state.find(id)?).to_owned();
    Some((router, name))
}

fn node_rect(state: &State, thing: Thing) -> Option<Rect> {
    let Thing::Node(node) = thing else {
        return None;
    };
    let mut nodes = state.scene.nodes.iter();
    Some(nodes.find(|one| one.node == node)?.rect())
}
