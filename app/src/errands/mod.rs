//! What a person wants done beside moving: making routers and links, changing them, taking them away,
//! and their consoles.
//!
//! ```text
//! bar, key n, host, image ─▶ Create ─┐
//! drawn in the picture, menu ─▶ Link ┤                    ┌─▶ a job
//! menu, panel, table ─▶ Sure, Resize ┼─▶ wanted ─▶ dialog ┴─▶ at once, and a note
//! panels ─▶ Attach, Detach, Unlink ──┘
//! menu, panel ─▶ console
//! ```
//!
//! Whoever wants something says so here; the dialogs are loaded when the first is wanted.

pub mod console;
mod create;
pub mod doing;
pub mod errander;
mod interface;
mod line;
mod link;
mod resize;
mod sure;
mod unlink;
pub mod words;

use crate::moving::acts::Deed;
use api::{HostId, ImageId, MacAddress, RouterId, VirtualLink};
use graph::{NodeState, Point, Rect};
use leptos::prelude::*;

/// A router and its name.
pub type Named = (RouterId, String);

/// What is wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum Errand {
    /// A new router.
    Create {
        /// From this image.
        image: Option<ImageId>,
        /// On this host.
        host: Option<HostId>,
    },
    /// A link between two routers.
    Link {
        /// One.
        a: Named,
        /// The other one, if that was said.
        b: Option<Named>,
    },
    /// Something that is asked about first.
    Sure {
        /// What.
        deed: Deed,
        /// To which routers.
        routers: Vec<Target>,
    },
    /// Another size.
    Resize(Named),
    /// One more interface.
    Attach(Named),
    /// An interface less.
    Detach {
        /// Of this router.
        router: Named,
        /// This one.
        mac: MacAddress,
        /// Where it leads, for people.
        leads: String,
    },
    /// A link less.
    Unlink(Box<VirtualLink>),
}

/// A router that something is to be done to.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The router.
    pub router: Named,
    /// How it is.
    pub state: NodeState,
    /// Whether its host answers.
    pub current: bool,
    /// Whether it is being moved.
    pub is_moving: bool,
}

/// A link that is being drawn over the picture. All places are those of the window.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Where it begins.
    pub from: Named,
    /// There.
    pub at: Point,
    /// Where the pointer is.
    pub to: Point,
    /// The part of the window that the picture has.
    pub stage: Rect,
    /// The router below the pointer, and where it is.
    pub over: Option<(Named, Rect)>,
}

/// What the picture, panels, tables and the parts that are loaded later share.
#[derive(Clone, Copy)]
pub struct Errands {
    /// What the dialog is open for.
    pub wanted: RwSignal<Option<Errand>>,
    /// The link that is being drawn.
    pub line: RwSignal<Option<Line>>,
    /// Whether dragging from a router draws a link.
    pub drawing: RwSignal<bool>,
    /// The router whose console is open.
    pub console: RwSignal<Option<Named>>,
}

impl Errands {
    /// Makes it and offers it to everything below.
    pub fn provide() -> Self {
        let errands = Self {
            wanted: RwSignal::new(None),
            line: RwSignal::new(None),
            drawing: RwSignal::new(false),
            console: RwSignal::new(None),
        };
        provide_context(errands);
        #[cfg(feature = "hydrate")]
        errands.hear_keys();
        errands
    }

    /// Whether any of it is to be shown.
    pub fn is_wanted(self) -> bool {
        self.wanted.with(Option::is_some)
            || self.line.with(Option::is_some)
            || self.console.with(Option::is_some)
            || self.drawing.get()
    }

    /// `n` makes a router, `l` draws links: wherever nothing is typed.
    #[cfg(feature = "hydrate")]
    fn hear_keys(self) {
        use wasm_bindgen::JsCast;
        /// Where keys have a meaning of their own.
        const BUSY: &str =
            "input, select, textarea, [contenteditable], dialog, [role=dialog], [role=menu]";
        let handle = window_event_listener(leptos::ev::keydown, move |event| {
            let target = event.target();
            let target = target
                .as_ref()
                .and_then(|target| target.dyn_ref::<web_sys::Element>());
            let busy =
                target.is_some_and(|target| target.closest(BUSY).is_ok_and(|at| at.is_some()));
            if busy
                || event.ctrl_key()
                || event.meta_key()
                || event.alt_key()
                || event.default_prevented()
            {
                return;
            }
            match event.key().as_str() {
                "n" => self.wanted.set(Some(Errand::Create {
                    image: None,
                    host: None,
                })),
                "l" => self.drawing.update(|drawing| *drawing = !*drawing),
                _ => return,
            }
            event.prevent_default();
        });
        on_cleanup(move || handle.remove());
    }
}
