//! The links above the canvas, without paint: what the keyboard and a screen reader find.
//!
//! Of a large picture only what is chosen, sought and in sight has one, and those follow once the
//! camera rests. Only what differs from before is touched, and the page is never asked what it holds:
//! that costs more than drawing.

use super::{Controller, State};
use crate::{
    format::{escape_html, percent_encode},
    topology_view::picture::title,
};
use api::TopologyView;
use graph::{Diagram, Point, Rect, Thing, describe};
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
    fmt::Write as _,
    sync::Arc,
};
use wasm_bindgen::JsCast;
use web_sys::{Document, Element};

/// Up to so many things, each has a link.
const MOST_WHOLE: usize = 400;
/// Of more, so many have one.
const MOST_IN_REACH: usize = 160;

/// The links and what is known of them.
pub(super) struct Links {
    group: Element,
    shown: RefCell<Vec<Shown>>,
    /// What is linked, of which diagram.
    things: RefCell<(Arc<Diagram>, Vec<Thing>)>,
    /// Not everything has one: they follow the camera.
    is_partial: Cell<bool>,
    /// They were wanted: those of a large picture wait until the camera rests.
    has_begun: Cell<bool>,
}

struct Shown {
    link: Link,
    element: Element,
}

/// What a link is made of.
#[derive(Clone, Debug, PartialEq)]
struct Link {
    id: String,
    view: TopologyView,
    /// `node`, `group`, `edge`.
    kind: &'static str,
    class: String,
    label: String,
    is_selected: bool,
    rect: Rect,
    /// Radius of the corners.
    corner: u8,
}

impl Links {
    /// None yet.
    pub fn new(document: &Document) -> Option<Self> {
        // As SVG: it takes places as attributes, which the page's policy allows, and knows discs.
        let group = document
            .create_element_ns(Some("http://www.w3.org/2000/svg"), "svg")
            .ok()?;
        let _ = group.set_attribute("class", "things");
        let _ = group.set_attribute("role", "group");
        Some(Self {
            group,
            shown: RefCell::default(),
            things: RefCell::default(),
            is_partial: Cell::new(false),
            has_begun: Cell::new(false),
        })
    }

    /// Makes the links those that are wanted, in this order.
    fn renew(&self, wanted: Vec<Link>) {
        let mut shown = self.shown.borrow_mut();
        let places: HashMap<&str, usize> = wanted
            .iter()
            .enumerate()
            .map(|(place, link)| (link.id.as_str(), place))
            .collect();
        let mut kept: Vec<Option<Shown>> = wanted.iter().map(|_| None).collect();
        // Of what stays, in the order in which it stands.
        let mut standing = Vec::with_capacity(shown.len());
        for one in shown.drain(..) {
            match places.get(one.link.id.as_str()) {
                Some(&place) if kept[place].is_none() => {
                    standing.push(place);
                    kept[place] = Some(one);
                }
                _ => one.element.remove(),
            }
        }
        let mut fresh = made(wanted.iter().zip(&kept).filter_map(|(link, kept)| {
            let is_new = kept.is_none();
            is_new.then_some(link)
        }))
        .into_iter();
        let mut standing = standing.into_iter().peekable();
        let mut placed = vec![false; wanted.len()];
        for (place, link) in wanted.into_iter().enumerate() {
            while standing.peek().is_some_and(|&next| placed[next]) {
                standing.next();
            }
            let element = match kept[place].take() {
                Some(one) => {
                    one.link.become_(&link, &one.element);
                    Some(one.element)
                }
                None => fresh.next(),
            };
            let Some(element) = element else { continue };
            if standing.peek() == Some(&place) {
                standing.next();
            } else {
                let before = standing.peek().and_then(|&next| kept[next].as_ref());
                let before = before.map(|one| one.element.as_ref());
                let _ = self.group.insert_before(&element, before);
            }
            placed[place] = true;
            shown.push(Shown { link, element });
        }
    }
}

impl Link {
    fn write(&self, html: &mut String) {
        let _ = write!(
            html,
            "<a class=\"{}\" data-id=\"{}\" data-kind=\"{}\" aria-label=\"{}\" href=\"{}\"{}>\
             <rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{}\"/></a>",
            self.class,
            escape_html(&self.id),
            self.kind,
            escape_html(&self.label),
            escape_html(&self.address()),
            if self.is_selected {
                " aria-current=\"true\""
            } else {
                ""
            },
            self.rect.x,
            self.rect.y,
            self.rect.width,
            self.rect.height,
            self.corner,
        );
    }

    fn address(&self) -> String {
        format!("/?view={}&select={}", self.view, percent_encode(&self.id))
    }

    /// Makes `element`, which is this link's, one of `other`, which has the same id.
    fn become_(&self, other: &Self, element: &Element) {
        let set = |name, value: &str| {
            let _ = element.set_attribute(name, value);
        };
        if self.class != other.class {
            set("class", &other.class);
        }
        if self.label != other.label {
            set("aria-label", &other.label);
        }
        if self.view != other.view {
            set("href", &other.address());
        }
        if self.is_selected != other.is_selected {
            if other.is_selected {
                set("aria-current", "true");
            } else {
                let _ = element.remove_attribute("aria-current");
            }
        }
        if self.rect != other.rect
            && let Some(shape) = element.first_element_child()
        {
            for (name, value) in [
                ("x", other.rect.x),
                ("y", other.rect.y),
                ("width", other.rect.width),
                ("height", other.rect.height),
            ] {
                let _ = shape.set_attribute(name, &format!("{value:.1}"));
            }
        }
    }
}

/// The elements of new links: read as one text, which is the fastest way.
fn made<'a>(links: impl Iterator<Item = &'a Link>) -> Vec<Element> {
    let mut html = String::new();
    for link in links {
        link.write(&mut html);
    }
    if html.is_empty() {
        return Vec::new();
    }
    let Ok(holder) = document().create_element("div") else {
        return Vec::new();
    };
    holder.set_inner_html(&format!("<svg>{html}</svg>"));
    let Some(children) = holder.first_element_child().map(|svg| svg.children()) else {
        return Vec::new();
    };
    (0..children.length())
        .filter_map(|index| children.item(index))
        .collect()
}

impl Controller {
    /// Puts the links in the page, now that something is drawn below them.
    pub(super) fn put_links(&self) {
        let Some(surface) = &self.surface else {
            return;
        };
        let _ = self.stage.append_child(&surface.links.group);
        if self.state.borrow().count() <= MOST_WHOLE {
            self.begin_links();
        }
        self.move_links();
    }

    /// Makes the links, also those of a large picture.
    pub(super) fn begin_links(&self) {
        if let Some(surface) = &self.surface {
            surface.links.has_begun.set(true);
        }
        self.renew_links();
    }

    /// Does what waits until the camera rests.
    pub(super) fn links_follow(&self) {
        let Some(links) = self.surface.as_ref().map(|surface| &surface.links) else {
            return;
        };
        if !links.has_begun.get() {
            self.begin_links();
        } else if links.is_partial.get() {
            let things = self.things_to_link(links);
            if things != links.things.borrow().1 {
                self.link(links, things);
            }
        }
        self.move_links();
    }

    /// Puts a link above everything, or above what is chosen and in sight where that is too much.
    pub(super) fn renew_links(&self) {
        let Some(links) = self.surface.as_ref().map(|surface| &surface.links) else {
            return;
        };
        if links.has_begun.get() {
            self.link(links, self.things_to_link(links));
        }
    }

    /// What should have a link now.
    fn things_to_link(&self, links: &Links) -> Vec<Thing> {
        let state = self.state.borrow();
        let (diagram, things) = &*links.things.borrow();
        let is_same = Arc::ptr_eq(diagram, &state.diagram);
        state.things_in_reach(if is_same { things } else { &[] })
    }

    /// Puts links above `things`, and above nothing else.
    fn link(&self, links: &Links, things: Vec<Thing>) {
        let state = self.state.borrow();
        links.is_partial.set(things.len() < state.count());
        let wanted = state.links(&things);
        *links.things.borrow_mut() = (state.diagram.clone(), things);
        let _ = links.group.set_attribute("aria-label", title(state.view));
        drop(state);
        links.renew(wanted);
    }

    /// Puts the links above what they lead to. Only once the camera rests: moving hundreds of
    /// elements costs more than drawing the picture, and a pointer goes by the picture.
    fn move_links(&self) {
        let Some(surface) = &self.surface else {
            return;
        };
        let view = self.state.borrow().canvas_view();
        let origin = view.on_canvas(Point::default());
        let group: &web_sys::HtmlElement = surface.links.group.unchecked_ref();
        let _ = group.style().set_property(
            "transform",
            &format!(
                "matrix({0},0,0,{0},{1},{2})",
                view.scale, origin.x, origin.y
            ),
        );
    }
}

impl State {
    /// How many things there are.
    fn count(&self) -> usize {
        let diagram = &self.diagram;
        diagram.groups.len() + diagram.nodes.len() + diagram.edges.len()
    }

    /// What the keyboard reaches now: everything, or what is chosen and what is in sight; of that
    /// what it reached `before` and what is in the middle.
    fn things_in_reach(&self, before: &[Thing]) -> Vec<Thing> {
        if self.count() <= MOST_WHOLE {
            return self.diagram.things().collect();
        }
        let mut things: Vec<Thing> = self
            .selected
            .as_deref()
            .and_then(|id| self.find(id))
            .into_iter()
            .chain(self.pointed)
            .chain(
                self.hits()
                    .into_iter()
                    .flatten()
                    .copied()
                    .take(MOST_IN_REACH / 4),
            )
            .collect();
        let before: HashSet<Thing> = before.iter().copied().collect();
        let seen = self.camera.view_box(self.size());
        let middle = seen.center();
        let boxes = self.scene.boxes.iter();
        let boxes = boxes.map(|one| (one.rect.center(), Thing::Group(one.group)));
        let nodes = self.scene.nodes.iter();
        let nodes = nodes.map(|one| (one.center, Thing::Node(one.node)));
        let mut near: Vec<(bool, f32, Thing)> = boxes
            .chain(nodes)
            .filter(|(at, _)| seen.contains(*at))
            .map(|(at, thing)| (!before.contains(&thing), at.distance(middle), thing))
            .collect();
        let room = MOST_IN_REACH.saturating_sub(things.len());
        if room < near.len() {
            near.select_nth_unstable_by(room, |a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            near.truncate(room);
        }
        things.extend(near.into_iter().map(|(_, _, thing)| thing));
        things.sort_unstable();
        things.dedup();
        things
    }

    /// The links above `things`, in the scene's units.
    fn links(&self, things: &[Thing]) -> Vec<Link> {
        let each = things.iter();
        each.filter_map(|&thing| self.link(thing)).collect()
    }

    fn link(&self, thing: Thing) -> Option<Link> {
        let diagram = &*self.diagram;
        let (kind, class, state, rect) = match thing {
            Thing::Node(index) => {
                let one = self.scene.node(index)?;
                let state = diagram.nodes.get(index as usize)?.state.as_str();
                ("node", one.kind.as_str(), state, one.rect())
            }
            Thing::Group(index) => {
                let one = self.scene.group(index)?;
                let state = diagram.groups.get(index as usize)?.state.as_str();
                ("group", "box", state, one.rect)
            }
            Thing::Edge(index) => {
                let one = self.scene.edge(index)?;
                let middle = one.curve.at(0.5);
                let rect = Rect {
                    x: middle.x - 8.0,
                    y: middle.y - 8.0,
                    width: 16.0,
                    height: 16.0,
                };
                ("edge", one.kind.as_str(), one.state.as_str(), rect)
            }
        };
        let id = diagram.id(thing)?;
        let is_selected = self.selected.as_deref() == Some(id);
        let is_hit = self
            .hits()
            .is_some_and(|hits| hits.binary_search(&thing).is_ok());
        let selected = if is_selected { " selected" } else { "" };
        let hit = if is_hit { " hit-by-search" } else { "" };
        Some(Link {
            id: id.to_owned(),
            view: self.view,
            kind,
            class: format!("{kind} {class} {state}{selected}{hit}"),
            label: describe::thing(diagram, thing),
            is_selected,
            rect,
            corner: if class == "router" { 20 } else { 9 },
        })
    }
}
