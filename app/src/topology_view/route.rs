//! A way through the topology that is shown: the panel finds it, the picture marks it.

use leptos::prelude::*;

/// One element of a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its id, as in the picture.
    pub id: String,
    /// A link is gone along from its first end to its second, or back.
    pub forth: Option<bool>,
}

/// The way that is shown; empty: none.
#[derive(Clone, Copy)]
pub struct Route(pub RwSignal<Vec<Step>>);

impl Route {
    /// Makes it and offers it to everything below.
    pub fn provide() -> Self {
        let route = Self(RwSignal::new(Vec::new()));
        provide_context(route);
        route
    }
}
