//! What is known of the selected element, beside the picture (below it on a phone).

mod acts;
mod charts;
mod host;
mod link;
mod paths;
mod router;
mod segment;

use crate::{
    Element, Failure,
    components::Cross,
    live::read_again_when_live,
    server_functions::{
        HostFacts, InterfaceHistory, LinkFacts, PathEnds, PathFacts, Range, RouterFacts,
        RouterHistory, SegmentFacts, host_facts, interface_history, link_facts, path_ends,
        router_history, router_status, segment_facts,
    },
    topology_view::route::Aim,
};
use api::{MacAddress, RouterId, TopologyView};
use leptos::prelude::*;
use leptos_router::components::A;
use serde::{Deserialize, Serialize};

use self::{
    host::HostPanel,
    link::LinkPanel,
    paths::{EndPanel, PathsPanel},
    router::RouterPanel,
    segment::SegmentPanel,
};

/// All that a panel starts with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Facts {
    /// Of a router, with its history.
    Router(Box<RouterFacts>, Result<Box<RouterHistory>, Failure>),
    /// Of a host.
    Host(Box<HostFacts>),
    /// Of a link, with the history of the first end that is counted, and what is under it.
    Link(
        Box<LinkFacts>,
        Option<Result<Box<InterfaceHistory>, Failure>>,
        Option<Result<Box<PathFacts>, Failure>>,
    ),
    /// Of a segment.
    Segment(Box<SegmentFacts>),
    /// Of the paths between two elements.
    Paths(Box<PathFacts>),
    /// Of what paths can lead to.
    Ends(Box<PathEnds>),
}

/// Reads what a panel starts with: of the element, or of the paths from there through a view.
async fn read(
    element: Element,
    paths: Option<(Aim, TopologyView)>,
    range: Range,
) -> Result<Facts, Failure> {
    if let Some((aim, view)) = paths {
        return Ok(match aim.to {
            Some(to) => {
                let facts = paths::find(element, to, view, aim.metric).await?;
                Facts::Paths(Box::new(facts))
            }
            None => Facts::Ends(Box::new(path_ends(element, view).await?)),
        });
    }
    Ok(match element {
        Element::Router(id) => {
            let facts = router_status(id).await?;
            let history = router_history(id, range).await.map(Box::new);
            Facts::Router(Box::new(facts), history)
        }
        Element::Host(id) => Facts::Host(Box::new(host_facts(id).await?)),
        Element::Link(id) => {
            let facts = link_facts(id).await?;
            let history = match counted_end(&facts) {
                Some((router, mac)) => {
                    Some(interface_history(router, mac, range).await.map(Box::new))
                }
                None => None,
            };
            let under = match paths::carried(&facts) {
                Some(ends) => Some(paths::under(ends).await.map(Box::new)),
                None => None,
            };
            Facts::Link(Box::new(facts), history, under)
        }
        Element::Segment(id) => Facts::Segment(Box::new(segment_facts(id).await?)),
    })
}

/// The first end of a link whose traffic is counted.
fn counted_end(facts: &LinkFacts) -> Option<(RouterId, MacAddress)> {
    [&facts.a, &facts.b].into_iter().find_map(|end| {
        let Some(Element::Router(router)) = end.element else {
            return None;
        };
        Some((router, end.measurement.as_ref()?.mac))
    })
}

/// What the picture knows of what is selected, before anything of it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// What it is.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
}

/// The panel before it and what it shows have come: it opens at once, under its name.
#[component]
pub fn Opening(
    /// What the picture knows.
    head: RwSignal<Option<Head>>,
    /// The view that it is beside.
    view: Signal<TopologyView>,
) -> impl IntoView {
    move || {
        head.get().map(|Head { kind, name }| {
            view! {
                <PanelHead kind name view/>
                <p class="working" role="status">"Reading…"</p>
            }
        })
    }
}

/// The panel of what is selected, if anything is.
#[component]
pub fn SelectionPanel(
    /// What is selected.
    selected: Memo<Option<Element>>,
    /// The view that it is beside.
    view: Signal<TopologyView>,
    /// How far the charts look back.
    range: Signal<Range>,
    /// The paths that the address asks for.
    aim: Memo<Option<Aim>>,
    /// What the picture knows of it.
    head: RwSignal<Option<Head>>,
) -> impl IntoView {
    let first = Resource::new_blocking(
        // All paths are read at once, whichever is shown.
        move || {
            let paths = aim.get().map(|aim| (Aim { path: 0, ..aim }, view.get()));
            (selected.get(), paths)
        },
        move |(selected, paths)| {
            let range = range.get_untracked();
            async move {
                match selected {
                    Some(element) => Some(read(element, paths, range).await),
                    None => None,
                }
            }
        },
    );
    read_again_when_live(first, |read| matches!(read, Some(Err(_))));
    view! {
        <Transition fallback=move || view! { <Opening head view/> }>
            {move || Suspend::new(async move {
                first.await.map(|facts| view! { <Panel facts view range aim/> })
            })}
        </Transition>
    }
}

/// The panel of what these facts are about.
#[component]
fn Panel(
    /// What it starts with.
    facts: Result<Facts, Failure>,
    /// The view that it is beside.
    view: Signal<TopologyView>,
    /// How far the charts look back.
    range: Signal<Range>,
    /// The paths that the address asks for.
    aim: Memo<Option<Aim>>,
) -> impl IntoView {
    match facts {
        Ok(Facts::Router(facts, history)) => {
            view! { <RouterPanel first=*facts history view range/> }.into_any()
        }
        Ok(Facts::Host(facts)) => view! { <HostPanel first=*facts view/> }.into_any(),
        Ok(Facts::Link(facts, history, under)) => {
            view! { <LinkPanel first=*facts history under view range/> }.into_any()
        }
        Ok(Facts::Segment(facts)) => view! { <SegmentPanel first=*facts view/> }.into_any(),
        Ok(Facts::Paths(facts)) => view! { <PathsPanel first=*facts aim/> }.into_any(),
        Ok(Facts::Ends(facts)) => view! { <EndPanel facts=*facts view aim/> }.into_any(),
        Err(failure) => {
            let title = if failure.is_not_found() {
                "It is not there"
            } else {
                "Nothing can be shown"
            };
            view! {
                <PanelHead kind="" name=title view/>
                <p class="notice" role="alert">{failure.to_string()}</p>
            }
            .into_any()
        }
    }
}

/// The head of a panel: kind, name, and a way out.
#[component]
pub fn PanelHead(
    /// What it is.
    #[prop(into)]
    kind: String,
    /// Its name.
    #[prop(into)]
    name: String,
    /// The view to go back to.
    view: Signal<TopologyView>,
) -> impl IntoView {
    view! {
        <header class="panel-head">
            <div>
                <p class="eyebrow">{kind}</p>
                <h2>{name}</h2>
            </div>
            <A
                href=move || format!("/?view={}", view.get())
                scroll=false
                attr:class="tool close"
                attr:aria-label="Close"
            >
                <Cross/>
            </A>
        </header>
    }
}

/// Says that facts could not be read again, and why.
#[component]
pub fn RefreshFailure(
    /// Why.
    failure: RwSignal<Option<Failure>>,
) -> impl IntoView {
    move || {
        failure.get().map(|failure| {
            let text = if failure.is_not_found() {
                format!("{failure} What is shown below is the last that was known.")
            } else {
                format!("What is shown may be old. {failure}")
            };
            view! { <p class="notice" role="alert">{text}</p> }
        })
    }
}

/// A link to an element, in the present view.
#[component]
pub fn ElementLink(
    /// Which.
    element: Option<Element>,
    /// Its name.
    #[prop(into)]
    name: String,
    /// The view to show it in.
    view: Signal<TopologyView>,
) -> impl IntoView {
    match element {
        Some(element) => view! {
            <A href=move || element.href(view.get()) scroll=false>{name}</A>
        }
        .into_any(),
        None => name.into_any(),
    }
}
