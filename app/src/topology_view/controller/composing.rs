//! From the picture of the server and what the reader chose to what is shown.
//!
//! ```text
//! Picture ─lens─▶ Diagram ─▶ places ─▶ Scene ─▶ shown
//!    └ the server's places, as long as nothing was chosen that asks for others;
//!      else the worker's, which arrives a little later: until then what is shown stays
//! ```

use super::Controller;
use crate::{
    Failure, format,
    topology_view::{
        options::{Colouring, ViewOptions},
        outline,
        picture::scene,
        renderer::Look,
    },
};
use graph::{Diagram, Layout, Order, Positions, Thing, Tween, lens, palette};
use leptos::{prelude::*, task::spawn_local};
use std::{collections::HashMap, rc::Rc, sync::Arc};
use wasm_bindgen::{JsCast, closure::Closure};

/// How long things take to their new places, in milliseconds.
const MOVE: f64 = 320.0;
/// Above so many elements things are put to their new places at once.
const MOST_MOVED: usize = 3000;

/// What a layout follows: while it stays, things that had a place keep it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Arrangement {
    layout: Layout,
    network: Option<String>,
    around: Option<(String, u8)>,
    boxes: bool,
}

impl Arrangement {
    fn of(options: &ViewOptions) -> Self {
        Self {
            layout: options.layout,
            network: options.network.clone(),
            around: options.around.clone(),
            boxes: options.boxes,
        }
    }

    /// Whether the places of the server's picture are those that are asked for.
    fn is_the_servers(&self) -> bool {
        *self == Self::default()
    }
}

impl Controller {
    /// Shows the picture as the reader wants it.
    pub(super) fn compose(self: &Rc<Self>) {
        let options = self.choices.options.get_untracked();
        let numbers = self.choices.numbers.get_untracked();
        let (diagram, order) = {
            let mut state = self.state.borrow_mut();
            let Some(picture) = state.picture.clone() else {
                return;
            };
            let whole = &picture.diagram;
            let mut diagram = if options.narrows() {
                Arc::new(options.lens().apply(whole, &*numbers))
            } else {
                whole.clone()
            };
            if options.boxes && diagram.groups.is_empty() {
                diagram = Arc::new(lens::boxed_by_network(&diagram));
            }
            let arrangement = Arrangement::of(&options);
            let previous = if state.arrangement == arrangement && state.shown_view == picture.view {
                state.positions.clone()
            } else if arrangement.is_the_servers() {
                picture.positions.clone()
            } else {
                Positions::new()
            };
            let order = if arrangement.is_the_servers()
                && options.pins.is_empty()
                && options.collapsed.is_empty()
            {
                // What the filter leaves stays where it is.
                Ok(picture.positions.clone())
            } else {
                Err(Order {
                    layout: arrangement.layout,
                    previous,
                    pins: options.pins.clone(),
                })
            };
            state.arrangement = arrangement;
            state.wanted += 1;
            (diagram, order)
        };
        match order {
            Ok(positions) => self.show_arranged(diagram, positions),
            Err(order) => {
                let controller = Rc::clone(self);
                let wanted = self.state.borrow().wanted;
                self.told.busy.set(true);
                spawn_local(async move {
                    let positions = controller.arranger.arrange(&diagram, order).await;
                    // Something else may be wanted by now.
                    if controller.state.borrow().wanted != wanted {
                        return;
                    }
                    if let Some(positions) = positions {
                        controller.show_arranged(diagram, positions);
                    } else {
                        controller.told.busy.try_set(false);
                        let failure = "This browser starts no module worker, which makes the \
                                           layouts: the picture stays as it is.";
                        controller
                            .told
                            .failure
                            .try_set(Some(Failure::Transport(failure.to_owned())));
                    }
                });
            }
        }
    }

    /// Moves what is shown to what is to be shown.
    fn show_arranged(self: &Rc<Self>, diagram: Arc<Diagram>, positions: Positions) {
        self.told.busy.try_set(false);
        let few = diagram.nodes.len() + diagram.groups.len() <= MOST_MOVED;
        let mut to = scene(&diagram, &positions);
        let (tween, move_id) = {
            let mut state = self.state.borrow_mut();
            let view = state.picture.as_ref().map(|picture| picture.view);
            // Only what stays in the same view moves; another view is another picture.
            let same = view == Some(state.shown_view) && !state.diagram.nodes.is_empty();
            let tween = (same && few && !wants_no_motion()).then(|| {
                let before = (&*state.diagram, &state.scene);
                Tween::new(before, &diagram, std::mem::take(&mut to))
            });
            let tween = match tween {
                Some(tween) if tween.is_still() => {
                    to = tween.into_end();
                    None
                }
                tween => tween,
            };
            state.moves += 1;
            state.pointed = state
                .pointed
                .and_then(|thing| diagram.find(state.diagram.id(thing)?));
            state.scene = tween.as_ref().map_or(to, |tween| tween.at(0.0));
            state.diagram = diagram;
            state.search_again();
            state.positions = positions;
            state.shown_view = view.unwrap_or_default();
            (tween, state.moves)
        };
        self.list();
        self.reshape();
        let Some(tween) = tween else {
            return;
        };
        let controller = Rc::clone(self);
        spawn_local(async move {
            let start = js_sys::Date::now();
            loop {
                super::renewal::next_frame().await;
                let share = ((js_sys::Date::now() - start) / MOVE).min(1.0);
                {
                    let mut state = controller.state.borrow_mut();
                    if state.moves != move_id {
                        return;
                    }
                    state.scene = tween.at(ease(share as f32));
                }
                if share >= 1.0 {
                    controller.reshape();
                    return;
                }
                controller.shift();
            }
        });
    }

    /// Writes the table of what is shown, if it is open and does not stand there already.
    pub(super) fn list(&self) {
        let Some(holder) = &self.list else { return };
        let state = self.state.borrow();
        let diagram = &state.diagram;
        let (listed, written) = &mut *self.listed.borrow_mut();
        if listed.is_none()
            && self.rendered_version() == state.picture.as_ref().map(|picture| picture.version)
            && !self.choices.options.with_untracked(ViewOptions::narrows)
            && outline::rows(diagram) <= outline::MOST_AT_FIRST
        {
            // The server wrote it.
            *listed = Some(diagram.clone());
        }
        let is_open = holder
            .parent_element()
            .is_some_and(|details| details.has_attribute("open"));
        if is_open
            && listed
                .as_ref()
                .is_none_or(|listed| !Arc::ptr_eq(listed, diagram))
        {
            let text = outline::html(diagram, state.view, outline::MOST);
            // Who is in the table stays there unless something in it is new.
            if *written != text {
                holder.set_inner_html(&text);
                *written = text;
            }
            *listed = Some(diagram.clone());
        } else if outline::rows(diagram) == 0 && holder.has_child_nodes() {
            // The page says that there is nothing where nothing is named.
            holder.set_inner_html("");
            (*listed, *written) = (None, String::new());
        }
    }

    /// Writes the table when it is opened.
    pub(super) fn watch_list(self: &Rc<Self>) {
        let Some(details) = self.list.as_ref().and_then(|list| list.parent_element()) else {
            return;
        };
        let weak = Rc::downgrade(self);
        let opened = Closure::<dyn Fn()>::new(move || {
            if let Some(controller) = weak.upgrade() {
                controller.list();
            }
        });
        let _ = details
            .add_event_listener_with_callback("toggle", opened.into_js_value().unchecked_ref());
    }

    /// How everything looks now.
    pub(super) fn fresh_look(&self) -> Look {
        let state = self.state.borrow();
        let diagram = &state.diagram;
        let mut look = Look::default();
        let options = self.choices.options.get_untracked();
        let numbers = self.choices.numbers.get_untracked();
        let dark = self.is_dark();
        let tint =
            |colour: palette::Colour| u32::from_le_bytes([colour[0], colour[1], colour[2], 255]);
        let of_load = |id: &str| {
            numbers
                .load(id)
                .map(|load| tint(palette::load_colour(load, dark)))
        };
        let unknown = tint(if dark {
            [110, 122, 140]
        } else {
            [150, 160, 175]
        });
        match options.colour {
            Colouring::State => {}
            Colouring::Load => {
                for thing in diagram.things() {
                    let Some(id) = diagram
                        .id(thing)
                        .filter(|_| !matches!(thing, Thing::Edge(_)))
                    else {
                        continue;
                    };
                    let load = numbers.load(id);
                    look.mark(thing, |mark| {
                        mark.colour = Some(of_load(id).unwrap_or(unknown));
                        mark.load = load;
                    });
                }
            }
            Colouring::Network => {
                for (index, node) in diagram.nodes.iter().enumerate() {
                    if !node.facts.network.is_empty() {
                        let colour = tint(palette::network_colour(&node.facts.network, dark));
                        look.mark(Thing::Node(index as u32), |mark| mark.colour = Some(colour));
                    }
                }
            }
        }
        let traffic = self.traffic.borrow();
        let of_share = |share: Option<f32>| {
            // What nobody counts is grey: unknown is not idle.
            share.map_or(unknown, |share| {
                tint(palette::load_colour(share.clamp(0.0, 1.0), dark))
            })
        };
        for (index, edge) in (0..).zip(&diagram.edges) {
            let carried = traffic.get(edge.id.as_str()).copied();
            if options.weathermap {
                let shares = carried.unwrap_or_default().shares;
                look.mark(Thing::Edge(index), |mark| {
                    mark.halves = Some(shares.map(of_share));
                });
            }
            if let Some(carried) = carried {
                let said = |rate: Option<f32>| rate.map(sending).unwrap_or_default();
                look.notes.insert(index, carried.rates.map(said));
            }
        }
        let sought = state.hits();
        let highlighted = options.highlighted();
        let route = self.route.get_untracked();
        let on_route: HashMap<&str, Option<bool>> = route
            .iter()
            .map(|step| (step.id.as_str(), step.forth))
            .collect();
        if sought.is_some() || highlighted.is_some() || !route.is_empty() {
            let asking = highlighted
                .as_ref()
                .map(|query| query.on(diagram, &*numbers));
            for thing in diagram.things() {
                let step = diagram.id(thing).and_then(|id| on_route.get(id));
                let lit = step.is_some()
                    || sought.is_some_and(|hits| hits.binary_search(&thing).is_ok())
                    || asking.as_ref().is_some_and(|asking| asking.matches(thing));
                look.mark(thing, |mark| {
                    mark.dim = !lit;
                    mark.ring = lit;
                    mark.forth = step.copied().flatten();
                });
            }
        }
        if let Some(thing) = state.selected.as_deref().and_then(|id| state.find(id)) {
            look.mark(thing, |mark| (mark.dim, mark.ring) = (false, true));
        }
        if let Some(thing) = state.pointed {
            look.mark(thing, |mark| mark.halo = true);
        }
        look
    }
}

/// What an end sends, in words.
fn sending(rate: f32) -> String {
    format!("{} out", format::bits_per_second(f64::from(rate)))
}

/// Slow at both ends.
fn ease(share: f32) -> f32 {
    share * share * (3.0 - 2.0 * share)
}

pub(super) fn wants_no_motion() -> bool {
    window()
        .match_media("(prefers-reduced-motion: reduce)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
}
