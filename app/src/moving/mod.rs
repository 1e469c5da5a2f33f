//! Moving routers by hand.
//!
//! ```text
//! dragged onto a host ─┐
//! "Move…" (panel) ─────┼─▶ wish ─▶ dialog ─▶ check_migration ─▶ migrate_router ─▶ a job
//! "Move…" (menu) ──────┘
//! picture ─▶ drag ─▶ verdicts on the hosts;   picture ─▶ menu
//! ```
//!
//! The picture says what is held, over what, and where hosts are on the screen; everything that is
//! shown of it is loaded when it is wanted.

pub mod acts;
mod dialog;
pub mod drag;
pub mod menu;
pub mod mover;
pub mod places;
pub mod words;

use crate::Failure;
use api::{CheckMigrationReply, HostId, RouterId};
use graph::{NodeKind, NodeState, Point, Rect};
use leptos::prelude::*;

/// Somebody wants a router elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// The router.
    pub router: RouterId,
    /// Its name.
    pub name: String,
    /// Where to, if that was said.
    pub destination: Option<HostId>,
}

/// A router that is held over the picture. All places are those of the window.
#[derive(Clone, Debug, PartialEq)]
pub struct Drag {
    /// The router.
    pub router: RouterId,
    /// Its name.
    pub name: String,
    /// Where the pointer is.
    pub at: Point,
    /// The part of the window that the picture has.
    pub stage: Rect,
    /// The hosts that are in sight, and where.
    pub hosts: Vec<HostPlace>,
    /// Over which of them the router is held.
    pub over: Option<HostId>,
}

/// Where a host is.
#[derive(Clone, Debug, PartialEq)]
pub struct HostPlace {
    /// Which.
    pub host: HostId,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub rect: Rect,
    /// Whether the router is on it.
    pub own: bool,
}

/// What a menu is about, and where it opens in the window.
#[derive(Clone, Debug, PartialEq)]
pub struct MenuOf {
    /// The element's id, as in the picture.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is; none of a link.
    pub kind: Option<NodeKind>,
    /// How it is.
    pub state: NodeState,
    /// Whether its host answers.
    pub current: bool,
    /// Whether it is being moved.
    pub is_moving: bool,
    /// Where.
    pub at: Point,
    /// Whether it belongs to the panel beside the picture: then the focus returns there.
    pub from_panel: bool,
}

/// What the answer to "where to?" is about, and the answer; none while it is awaited.
pub type Answer = (RouterId, Option<Result<CheckMigrationReply, Failure>>);

/// What the picture, the panels and the parts that are loaded later share.
#[derive(Clone, Copy)]
pub struct Moving {
    /// What the dialog is open for.
    pub wish: RwSignal<Option<Wish>>,
    /// What is held over the picture.
    pub drag: RwSignal<Option<Drag>>,
    /// What the menu is open for.
    pub menu: RwSignal<Option<MenuOf>>,
    /// Where the router can go that was dragged last.
    pub answer: RwSignal<Option<Answer>>,
    /// Something is held that might be dragged: what is needed then is loaded.
    pub soon: RwSignal<bool>,
}

impl Moving {
    /// Makes it and offers it to everything below.
    pub fn provide() -> Self {
        let moving = Self {
            wish: RwSignal::new(None),
            drag: RwSignal::new(None),
            menu: RwSignal::new(None),
            answer: RwSignal::new(None),
            soon: RwSignal::new(false),
        };
        provide_context(moving);
        moving
    }

    /// Whether any of it is to be shown.
    pub fn is_wanted(self) -> bool {
        self.soon.get()
            || self.wish.with(Option::is_some)
            || self.drag.with(Option::is_some)
            || self.menu.with(Option::is_some)
    }
}
