//! Putting things where the reader wants them: dragged, or moved by Shift and an arrow key. What
//! was put somewhere stays there (a pin), and everything else is arranged around it.
//!
//! A router in its host's box is not put somewhere: it is held over the picture, and dropped onto
//! another host to be moved there (`crate::moving`).

use super::{Controller, State};
use crate::{
    Element,
    moving::{Drag, HostPlace},
    topology_view::{neighbours::Direction, picture::scene},
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
        })
    }

    /// Moves what is held with the pointer.
    pub(super) fn carry(self: &Rc<Self>, held: &Held, at: Point) {
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
        let (stage, frame) = (self.origin.get(), self.state.borrow().frame);
        let at = Point {
            x: stage.x + frame.x + at.x,
            y: stage.y + frame.y + at.y,
        };
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
        let held = self.moving.drag.with_untracked(Option::is_some);
        if held {
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
        let seen = state.camera.view_box(state.size());
        let scale = state.camera.scale;
        let own = match state.find(router) {
            Some(Thing::Node(index)) => state.diagram.nodes[index as usize].group,
            _ => None,
        };
        let places = state.host_rects().filter_map(|(thing, rect)| {
            let rect = Rect {
                x: stage.x + state.frame.x + (rect.x - seen.x) * scale,
                y: stage.y + state.frame.y + (rect.y - seen.y) * scale,
                width: rect.width * scale,
                height: rect.height * scale,
            };
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
