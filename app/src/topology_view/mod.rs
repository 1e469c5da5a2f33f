//! The topology as a picture that one can move through, and as a list.
//!
//! ```text
//! server: Operations ─▶ diagram ─▶ Picture ─▶ Scene ─▶ SVG text in the page (inner_html)
//! browser: GET /graph/{version} ─▶ Picture ─▶ Scene ─▶ SVG text ─▶ morph into what is shown
//! ```
//!
//! The page comes alive without reading the graph: the SVG is put in as text, and what the browser
//! needs for moving, searching and animating is fetched beside that. From then on, each new version
//! is fetched and drawn by the same code, and only what differs is touched, so that focus, pan,
//! zoom and selection stay.

pub mod bar;
pub mod camera;
#[cfg(feature = "hydrate")]
mod controller;
pub mod diagram;
#[cfg(feature = "hydrate")]
mod morph;
pub mod neighbours;
pub mod options;
pub mod outline;
mod picture;
pub mod renderer;
pub mod route;

#[cfg(feature = "hydrate")]
pub use controller::graph_text;
#[cfg(feature = "ssr")]
pub use picture::Pictures;
pub use picture::{NotAPicture, Picture, svg};

/// Draws a topology; see [`diagram::diagram`].
pub fn diagram(topology: &api::GetTopologyReply) -> graph::Diagram {
    diagram::diagram(topology)
}

use crate::{Element, Failure, components::Choice, errands::Errands, panels::Head};
use api::TopologyView;
use leptos::{html, prelude::*};
use leptos_router::components::A;
use route::{Aim, is_choosing};

/// Above so many things the first look is no picture: it would be megabytes, and only be replaced.
#[cfg(feature = "ssr")]
const MOST_AS_SVG: usize = 1500;

/// What is there instead.
#[cfg(feature = "ssr")]
const TOO_LARGE: &str = "<p class=\"notice awaiting\">This topology is large: it is drawn as soon as \
     the page has come alive. Without script, see <a href=\"/hosts\">all hosts</a> and \
     <a href=\"/routers\">all routers</a>.</p>";

/// What the server draws for the first look.
#[derive(Clone, Debug, Default)]
struct FirstLook {
    /// The picture, and ahead of it, if there is one, what has the browser fetch the graph while it
    /// still reads the page. In this text, for what comes alive makes attributes anew.
    svg: String,
    outline: String,
}

impl FirstLook {
    /// Draws it. In the browser there is nothing to do: the page has it already, or the
    /// controller fetches it.
    async fn take(view: TopologyView, selected: Option<Element>) -> Self {
        #[cfg(feature = "ssr")]
        {
            match Self::draw(view, selected).await {
                Ok(look) => look,
                Err(failure) => Self {
                    svg: format!(
                        "<p class=\"notice\" role=\"alert\">{}</p>",
                        crate::format::escape_html(&failure.to_string())
                    ),
                    ..Self::default()
                },
            }
        }
        #[cfg(not(feature = "ssr"))]
        {
            let _ = (view, selected);
            std::future::ready(Self::default()).await
        }
    }

    #[cfg(feature = "ssr")]
    async fn draw(view: TopologyView, selected: Option<Element>) -> Result<Self, Failure> {
        let pictures = use_context::<std::sync::Arc<dyn Pictures>>();
        let (Some(pictures), Some(caller)) = (pictures, use_context::<api::Caller>()) else {
            return Err(Failure::Transport(
                "The server set up this page without pictures or caller. This is a fault of VMS: \
                 report it."
                    .to_owned(),
            ));
        };
        let picture = pictures.picture(&caller, view).await?;
        let selected = selected.map(|element| element.to_string());
        let shown = if picture.diagram.things().count() > MOST_AS_SVG {
            TOO_LARGE.to_owned()
        } else {
            let scene = picture.scene();
            svg(&picture.diagram, &scene, view, selected.as_deref())
        };
        let version = picture.version;
        let address = picture::address(view, version, None);
        Ok(Self {
            svg: format!(
                "<link class=\"graph\" data-version=\"{version}\" rel=\"preload\" as=\"fetch\" \
                 crossorigin=\"anonymous\" href=\"{address}\">{shown}"
            ),
            outline: outline::html(&picture.diagram, view, outline::MOST_AT_FIRST),
        })
    }
}

/// What the picture tells the page around it.
#[derive(Clone, Copy)]
pub struct Told {
    /// What went wrong with the picture; what is shown stays.
    pub failure: RwSignal<Option<Failure>>,
    /// What is under the pointer or has the focus: name, sentence, and where it is on the stage.
    pub pointed: RwSignal<Option<Pointed>>,
    /// Where a link can be drawn from what is pointed at.
    pub handle: RwSignal<Option<Handle>>,
    /// How many elements the search found; `None` without a search.
    pub found: RwSignal<Option<usize>>,
    /// What is selected, as the picture knows it.
    pub head: RwSignal<Option<Head>>,
    /// A layout is being made.
    pub busy: RwSignal<bool>,
    /// One is so near that rates are written.
    pub near: RwSignal<bool>,
}

/// What is pointed at.
#[derive(Clone, Debug, PartialEq)]
pub struct Pointed {
    /// Its name.
    pub name: String,
    /// A sentence.
    pub description: String,
    /// Where the card goes, in pixels of the stage.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

/// What a link is drawn from, beside a router.
#[derive(Clone, Debug, PartialEq)]
pub struct Handle {
    /// The router's id, as in the picture.
    pub id: String,
    /// Where its middle is, in pixels of the stage.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

/// The stage: the picture, its controls, and the graph as a list.
#[component]
pub fn TopologyStage(
    /// The view.
    view: Memo<TopologyView>,
    /// What is selected.
    selected: Memo<Option<Element>>,
    /// The paths from there that are asked for.
    aim: Memo<Option<Aim>>,
    /// Told what the picture knows of what is selected.
    head: RwSignal<Option<Head>>,
) -> impl IntoView {
    let stage = NodeRef::<html::Div>::new();
    let list = NodeRef::<html::Div>::new();
    let told = Told {
        failure: RwSignal::new(None),
        pointed: RwSignal::new(None),
        handle: RwSignal::new(None),
        found: RwSignal::new(None),
        head,
        busy: RwSignal::new(false),
        near: RwSignal::new(false),
    };
    let asked = RwSignal::new(None::<Ask>);
    #[cfg(feature = "hydrate")]
    expect_context::<options::ViewState>().keep(view);
    #[cfg(feature = "hydrate")]
    controller::start(stage, list, view, selected, aim, told, asked);
    let (first_view, first_selected) = (view.get_untracked(), selected.get_untracked());
    let drawing = expect_context::<Errands>().drawing;
    let ask = move |what: Ask| move |_| asked.set(Some(what));
    view! {
        <section class="stage-frame" class:drawing=drawing aria-label="Topology">
            <Suspense>
                {Suspend::new(async move {
                    let look = FirstLook::take(first_view, first_selected).await;
                    view! {
                        <div
                            class="stage"
                            node_ref=stage
                            inner_html=look.svg
                        ></div>
                        <details class="outline">
                            <summary>"As a table"</summary>
                            <div class="outline-body" node_ref=list inner_html=look.outline></div>
                        </details>
                    }
                })}
            </Suspense>
            // Shown by the style sheet where the stage holds nothing.
            <p class="nothing">
                "There is nothing to show here yet. " <A href="/settings">"Add a host in the settings"</A>
            </p>
            <nav class="segmented views" aria-label="View">
                {TopologyView::ALL
                    .into_iter()
                    .map(|choice| {
                        let href = move || match (selected.get(), aim.get()) {
                            (Some(element), Some(aim)) => Aim { path: 0, ..aim }.href(&element, choice),
                            (Some(element), None) => element.href(choice),
                            (None, _) => format!("/?view={choice}"),
                        };
                        view! {
                            <Choice
                                href=Signal::derive(href)
                                here=Signal::derive(move || view.get() == choice)
                            >
                                {match choice {
                                    TopologyView::Combined => "Combined",
                                    TopologyView::Virtual => "Virtual",
                                    TopologyView::Physical => "Physical",
                                }}
                            </Choice>
                        }
                    })
                    .collect_view()}
            </nav>
            <bar::Bar selected/>
            <div class="zoom" role="group" aria-label="Zoom">
                <button
                    type="button"
                    class="tool draw-links"
                    aria-label="Draw links"
                    title="Draw links from router to router (l)"
                    aria-pressed=move || if drawing.get() { "true" } else { "false" }
                    on:click=move |_| drawing.update(|drawing| *drawing = !*drawing)
                >
                    <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M4.600 11.800a3.200 3.200 0 1 0 3.100 4l6.200-6.200a3.200 3.200 0 1 0-1.500-1.500l-6.200 6.200a3.200 3.200 0 0 0-1.600-2.500Z"></path></svg>
                </button>
                <button type="button" class="tool" aria-label="Zoom in" title="Zoom in (+)" on:click=ask(Ask::ZoomIn)>
                    <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M9.2 4h1.6v5.2H16v1.6h-5.2V16H9.2v-5.2H4V9.2h5.2Z"></path></svg>
                </button>
                <button type="button" class="tool" aria-label="Zoom out" title="Zoom out (−)" on:click=ask(Ask::ZoomOut)>
                    <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M4 9.2h12v1.6H4Z"></path></svg>
                </button>
                <button type="button" class="tool" aria-label="Show everything" title="Show everything (0)" on:click=ask(Ask::Fit)>
                    <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M3 3h5v1.6H4.6V8H3ZM12 3h5v5h-1.6V4.6H12ZM3 12h1.6v3.4H8V17H3ZM15.4 12H17v5h-5v-1.6h3.4Z"></path></svg>
                </button>
            </div>
            {move || told.found.get().map(|found| view! {
                <p class="found" role="status">
                    {match found {
                        0 => "Nothing has such a name".to_owned(),
                        found => format!("{found} found; Enter goes there"),
                    }}
                </p>
            })}
            {move || told.busy.get().then(|| view! { <p class="found" role="status">"Arranging…"</p> })}
            {move || told.failure.get().map(|failure| view! {
                <p class="notice stage-notice" role="alert">{failure.to_string()}</p>
            })}
            {move || selected.get().filter(|_| aim.with(|aim| is_choosing(aim.as_ref()))).map(|from| view! {
                <p class="stage-notice choosing scripted" role="status">
                    "Choose where to: click it, or search. "
                    <A href=move || from.href(view.get()) scroll=false>"Cancel"</A>
                </p>
            })}
            {move || told.handle.get().map(|handle| view! {
                <div
                    class="link-handle"
                    aria-hidden="true"
                    style:left=format!("{:.1}px", handle.x)
                    style:top=format!("{:.1}px", handle.y)
                ></div>
            })}
            {move || told.pointed.get().map(|pointed| view! {
                <div
                    class="tip"
                    aria-hidden="true"
                    style:left=format!("{:.0}px", pointed.x)
                    style:top=format!("{:.0}px", pointed.y)
                >
                    <strong>{pointed.name}</strong>
                    <span>{pointed.description}</span>
                </div>
            })}
        </section>
    }
    .into_any()
}

/// What a control asks the picture for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Larger.
    ZoomIn,
    /// Smaller.
    ZoomOut,
    /// Everything.
    Fit,
}

#[cfg(test)]
mod tests {
    /// The page's style sheet holds the graph crate's rules as they are, so that a picture in the
    /// page and a picture on its own look alike.
    #[test]
    fn the_style_sheet_has_every_rule_of_the_picture() {
        let page = include_str!("../../../style/main.css");
        let rules = graph::svg::STYLE
            .lines()
            .skip_while(|line| !line.starts_with(".topology .ground"));
        let missing: Vec<_> = rules.filter(|rule| !page.contains(rule)).collect();
        assert!(
            missing.is_empty(),
            "copy these rules of crates/graph/src/svg/style.css into style/main.css:\n{}",
            missing.join("\n")
        );
    }
}
