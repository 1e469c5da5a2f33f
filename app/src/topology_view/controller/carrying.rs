//! Putting things where the reader wants them: dragged, or moved by Shift and an arrow key. What
//! was put somewhere stays there (a pin), and everything else is arranged around it.

use super::Controller;
use crate::topology_view::{neighbours::Direction, picture::scene};
use graph::{Point, Thing};
use leptos::prelude::*;
use std::rc::Rc;

/// How far an arrow key moves a thing, in units.
const STEP: f32 = 24.0;
/// A box is taken hold of at its head, so high.
const HEAD: f32 = 36.0;
/// Up to so many things the lines follow what is dragged; beyond, when it is put down.
const MOST_FOLLOWING: usize = 1200;

/// What the pointer holds.
#[derive(Clone, Debug)]
pub(super) struct Held {
    id: String,
    /// From the pointer to the thing's place, in units.
    offset: Point,
}

impl Controller {
    /// What can be taken hold of at a place of the frame: a node outside of boxes, or a box by its
    /// head. What is in a box is where its host is.
    pub(super) fn hold(&self, at: Point) -> Option<Held> {
        let thing = self.thing_at(at)?;
        let point = self.in_scene(at);
        let state = self.state.borrow();
        let holds = match thing {
            Thing::Node(index) => state.diagram.nodes.get(index as usize)?.group.is_none(),
            Thing::Group(index) => {
                let one = state.scene.group(index)?;
                point.y <= one.rect.y + HEAD
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
        })
    }

    /// Moves what is held with the pointer.
    pub(super) fn carry(self: &Rc<Self>, held: &Held, at: Point) {
        let point = self.in_scene(at);
        let to = Point {
            x: point.x + held.offset.x,
            y: point.y + held.offset.y,
        };
        self.place(&held.id, to);
    }

    /// Lets go of what is held: from now on it stays there.
    pub(super) fn put_down(&self, held: &Held) {
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
        });
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
