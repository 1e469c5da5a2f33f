//! What the reader chose for a view, and what the bar and the picture share.

use graph::{
    Diagram, Layout, Positions,
    lens::Lens,
    query::{Numbers, Query},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};

/// What the reader chose for one view. The browser keeps it per view; what is unknown or broken
/// there is as if it had not been chosen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ViewOptions {
    /// How things are arranged.
    pub layout: Layout,
    /// What colours say.
    pub colour: Colouring,
    /// Whether links are coloured by their load.
    pub weathermap: bool,
    /// Whether the small map is shown.
    pub minimap: bool,
    /// Whether virtual networks are boxes, where hosts are not.
    pub boxes: bool,
    /// Only what matches this query; empty: everything. May be wrong: it is being typed.
    pub filter: String,
    /// What matches this query stands out; empty: nothing does.
    pub highlight: String,
    /// Only this virtual network.
    pub network: Option<String>,
    /// Only what is within so many hops of this element.
    pub around: Option<(String, u8)>,
    /// What is drawn as one node, see [`Lens::collapsed`].
    pub collapsed: BTreeSet<String>,
    /// What the reader has put where it is.
    pub pins: Positions,
    /// The centre of what is seen, x and y, and the scale; none: everything, as it changes. Set it
    /// when a gesture ends, not while it lasts: it is written to the browser's storage.
    pub camera: Option<(f32, f32, f32)>,
}

/// What colours say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Colouring {
    /// How things are.
    #[default]
    State,
    /// How busy they are.
    Load,
    /// Which virtual network they belong to.
    Network,
}

impl Colouring {
    /// All of them, in the order in which a page offers them.
    pub const ALL: [Self; 3] = [Self::State, Self::Load, Self::Network];
}

/// As what a picture can be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// What is seen, as pixels.
    Png,
    /// The whole picture, as shapes.
    Svg,
    /// See [`graph::export::graphml`].
    GraphMl,
    /// See [`graph::export::dot`].
    Dot,
    /// See [`graph::export::json`].
    Json,
}

impl Format {
    /// All of them, in the order in which a page offers them.
    pub const ALL: [Self; 5] = [Self::Png, Self::Svg, Self::GraphMl, Self::Dot, Self::Json];

    /// Its name, and the ending of its files.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Png => ("PNG", "png"),
            Self::Svg => ("SVG", "svg"),
            Self::GraphMl => ("GraphML", "graphml"),
            Self::Dot => ("DOT", "dot"),
            Self::Json => ("JSON", "json"),
        }
    }
}

impl ViewOptions {
    /// Which part of the diagram is shown. A filter that is not yet an expression takes nothing
    /// away.
    pub fn lens(&self) -> Lens {
        Lens {
            filter: query(&self.filter),
            network: self.network.clone(),
            around: self
                .around
                .as_ref()
                .map(|(id, hops)| (vec![id.clone()], *hops)),
            collapsed: self.collapsed.clone(),
        }
    }

    /// What is to stand out, if anything is.
    pub fn highlighted(&self) -> Option<Query> {
        query(&self.highlight)
    }

    /// Whether anything that is shown depends on how busy things are.
    pub fn asks_for_load(&self) -> bool {
        self.weathermap
            || self.colour == Colouring::Load
            || self.filter.contains("load")
            || self.highlight.contains("load")
    }

    /// Whether something is left out or drawn as one.
    pub fn narrows(&self) -> bool {
        !self.lens().is_clear()
    }
}

/// An expression that says something.
fn query(text: &str) -> Option<Query> {
    Query::parse(text).ok().filter(|query| !query.is_empty())
}

/// What the bar, the search and the picture share.
#[derive(Clone, Copy)]
pub struct ViewState {
    /// What the reader chose for the present view.
    pub options: RwSignal<ViewOptions>,
    /// The whole diagram of the present view, before any lens; none until the picture has it.
    pub diagram: RwSignal<Option<Arc<Diagram>>>,
    /// The numbers that queries ask for.
    pub numbers: RwSignal<Arc<dyn Numbers + Send + Sync>>,
    /// Set whenever the reader asks to take the picture away.
    pub export: RwSignal<Option<Format>>,
}

impl ViewState {
    /// Makes it and offers it to everything below.
    pub fn provide() -> Self {
        let state = Self {
            options: RwSignal::new(ViewOptions::default()),
            diagram: RwSignal::new(None),
            numbers: RwSignal::new(Arc::new(())),
            export: RwSignal::new(None),
        };
        provide_context(state);
        state
    }

    /// Reads the options of each view that is turned to, and keeps what is chosen there.
    #[cfg(feature = "hydrate")]
    pub fn keep(self, view: Memo<api::TopologyView>) {
        Effect::new(move |before: Option<api::TopologyView>| {
            let view = view.get();
            if before == Some(view) {
                self.options.with(|options| kept::store(view, options));
            } else {
                self.options.set(kept::read(view));
                self.options.track();
            }
            view
        });
    }
}

/// The form in which options are written; another is not read.
const FORM: u8 = 2;

impl ViewOptions {
    /// As text: hexadecimal digits of the form and of postcard's bytes.
    pub fn to_text(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        for byte in [FORM]
            .into_iter()
            .chain(postcard::to_allocvec(self).unwrap_or_default())
        {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// From such text; none if it is anything else.
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes: Option<Vec<u8>> = (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
            .collect();
        let (form, bytes) = bytes?
            .split_first()
            .map(|(form, rest)| (*form, rest.to_vec()))?;
        if form != FORM {
            return None;
        }
        let (options, rest) = postcard::take_from_bytes(&bytes).ok()?;
        rest.is_empty().then_some(options)
    }
}

/// Where the browser keeps them.
#[cfg(feature = "hydrate")]
mod kept {
    use super::ViewOptions;
    use api::TopologyView;

    fn key(view: TopologyView) -> String {
        format!("vms.view.{view}")
    }

    fn storage() -> Option<web_sys::Storage> {
        web_sys::window()?.local_storage().ok().flatten()
    }

    pub fn read(view: TopologyView) -> ViewOptions {
        storage()
            .and_then(|storage| storage.get_item(&key(view)).ok().flatten())
            .and_then(|text| ViewOptions::from_text(&text))
            .unwrap_or_default()
    }

    /// Where nothing can be kept, a choice holds until the page is left.
    pub fn store(view: TopologyView, options: &ViewOptions) {
        if let Some(storage) = storage() {
            let _ = storage.set_item(&key(view), &options.to_text());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_what_is_unknown_is_not() {
        let options = ViewOptions {
            layout: Layout::Radial,
            colour: Colouring::Network,
            filter: "kind:router".into(),
            around: Some(("router:x".into(), 2)),
            collapsed: BTreeSet::from(["host:a".into()]),
            pins: Positions::from([("host:a".into(), graph::Point { x: 1.0, y: -2.5 })]),
            camera: Some((1.0, 2.0, 0.5)),
            ..ViewOptions::default()
        };
        let text = options.to_text();
        assert_eq!(ViewOptions::from_text(&text), Some(options));
        let plain = ViewOptions::default();
        assert_eq!(ViewOptions::from_text(&plain.to_text()), Some(plain));
        let (cut, longer) = (&text[..text.len() - 2], format!("{text}00"));
        let other = format!("7f{}", &text[2..]);
        for broken in ["", "01", "0", "zz", "{}", "ü", cut, &longer, &other] {
            assert_eq!(ViewOptions::from_text(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_filter_that_is_being_typed_takes_nothing_away() {
        let typed = |filter: &str| ViewOptions {
            filter: filter.into(),
            ..ViewOptions::default()
        };
        assert!(typed("kind:router").narrows());
        assert!(!typed("kind:rou").narrows() && !typed("").narrows());
        assert!(typed("").highlighted().is_none());
    }
}
