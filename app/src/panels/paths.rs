//! Paths between two elements, what is chosen for them, and what a virtual link runs over.

use super::{ElementLink, PanelHead, RefreshFailure, charts::SimulatedMark};
use crate::{
    Element, Failure,
    components::{Choice, LinkStateChip, Simulated},
    format,
    live::{Kept, Live, Status},
    server_functions::{LinkFacts, PathEnds, PathFacts, find_paths},
    topology_view::{
        options::ViewState,
        route::{Aim, Route, steps},
    },
};
use api::{LinkKind, LinkState, Path, PathMetric, PathStep, TopologyView, Underlay};
use leptos::{html, prelude::*};
use leptos_router::{NavigateOptions, components::A, hooks::use_navigate};

/// How many paths are asked for.
const ALTERNATIVES: u32 = 5;

/// Reads the paths that the panel shows.
pub async fn find(
    from: Element,
    to: Element,
    view: TopologyView,
    metric: PathMetric,
) -> Result<PathFacts, Failure> {
    find_paths(from, to, view, metric, ALTERNATIVES, Vec::new(), false).await
}

/// The routers between which a virtual link leads; `None` where it leads to a segment or is
/// physical.
pub fn carried(facts: &LinkFacts) -> Option<[Element; 2]> {
    if facts.link.kind != LinkKind::Virtual {
        return None;
    }
    let router = |end: &Option<Element>| {
        end.clone()
            .filter(|element| matches!(element, Element::Router(_)))
    };
    Some([router(&facts.a.element)?, router(&facts.b.element)?])
}

/// Reads the physical path between the ends of a virtual link.
pub async fn under([a, b]: [Element; 2]) -> Result<PathFacts, Failure> {
    let view = TopologyView::Physical;
    find_paths(a, b, view, PathMetric::Hops, 1, Vec::new(), false).await
}

/// Leads to the choice of where paths from an element end.
#[component]
pub fn PathsFrom(
    /// The element.
    element: Element,
    /// The view that its panel is beside.
    view: Signal<TopologyView>,
) -> impl IntoView {
    view! {
        <p class="acts">
            <A href=move || Aim::default().href(&element, view.get()) scroll=false>"Find paths to…"</A>
        </p>
    }
    .into_any()
}

/// Where the paths shall end: beside the picture, in which it can be clicked.
#[component]
pub fn EndPanel(
    /// What can be chosen.
    facts: PathEnds,
    /// The view that it is beside.
    view: Signal<TopologyView>,
    /// What the address asks for.
    aim: Memo<Option<Aim>>,
) -> impl IntoView {
    let (from, name) = facts.from;
    let select = NodeRef::<html::Select>::new();
    take_lost_focus(select);
    let id = from.to_string();
    let metric = aim.with_untracked(|aim| aim.as_ref().map(|aim| aim.metric).unwrap_or_default());
    let navigate = use_navigate();
    let submit = move |event: leptos::web_sys::SubmitEvent| {
        event.prevent_default();
        let to = select
            .get_untracked()
            .and_then(|it| it.value().parse().ok());
        let aim = Aim {
            to,
            metric,
            path: 0,
        };
        let options = NavigateOptions {
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate(&aim.href(&from, view.get_untracked()), options);
    };
    let options = facts
        .ends
        .into_iter()
        .map(|(element, name)| view! { <option value=element.to_string()>{name}</option> })
        .collect_view();
    view! {
        <PanelHead kind=searched(view.get_untracked()) name=format!("Paths from {name} to…") view/>
        <form class="where-to" method="get" action="/" on:submit=submit>
            <input type="hidden" name="view" value=move || view.get().as_str()/>
            <input type="hidden" name="select" value=id/>
            <input type="hidden" name="metric" value=metric.as_str()/>
            <select name="to" required aria-label="Where to" node_ref=select>
                <option value="">"Where to"</option>
                {options}
            </select>
            <button type="submit" class="act primary">"Find paths"</button>
        </form>
    }
    .into_any()
}

/// The paths, which of them is shown, and its steps.
#[component]
pub fn PathsPanel(
    /// As the server found them.
    first: PathFacts,
    /// What the address asks for.
    aim: Memo<Option<Aim>>,
) -> impl IntoView {
    let ((from, from_name), (to, to_name)) = (first.from.clone(), first.to.clone());
    let (searched_view, metric) = (first.found.view, first.found.metric);
    let view = Signal::stored(searched_view);
    let kept = {
        let (from, to) = (from.clone(), to.clone());
        Kept::new(first, move || {
            find(from.clone(), to.clone(), searched_view, metric)
        })
    };
    let facts = kept.value;
    // The best where the address names one that there is not.
    let chosen = Memo::new(move |_| {
        let path = aim.with(|aim| aim.as_ref().map_or(0, |aim| aim.path));
        facts.with(|facts| {
            if path < facts.found.paths.len() {
                path
            } else {
                0
            }
        })
    });
    let Route(route) = expect_context::<Route>();
    let diagram = expect_context::<ViewState>().diagram;
    Effect::new(move || {
        let way = diagram.with(|diagram| {
            facts.with(|facts| match facts.found.paths.get(chosen.get()) {
                Some(path) => steps(path, diagram.as_deref()),
                None => Vec::new(),
            })
        });
        if route.with_untracked(|shown| *shown != way) {
            route.set(way);
        }
    });
    on_cleanup(move || {
        route.try_set(Vec::new());
    });
    let panel = NodeRef::<html::Nav>::new();
    take_lost_focus(panel);
    let address = {
        let (from, to) = (from.clone(), to.clone());
        move |metric, path| {
            let aim = Aim {
                to: Some(to.clone()),
                metric,
                path,
            };
            aim.href(&from, searched_view)
        }
    };
    let swapped = Aim {
        to: Some(from),
        metric,
        path: 0,
    };
    let metrics = PathMetric::ALL
        .map(|choice| {
            view! {
                <Choice href=address(choice, 0) here=Signal::stored(choice == metric)>
                    {match choice {
                        PathMetric::Hops => "Fewest hops",
                        PathMetric::Latency => "Latency",
                        PathMetric::FreeCapacity => "Free capacity",
                    }}
                </Choice>
            }
        })
        .into_iter()
        .collect_view();
    let simulated = Memo::new(move |_| {
        facts.with(|facts| facts.found.simulated && !facts.found.paths.is_empty())
    });
    view! {
        <PanelHead kind=searched(searched_view) name=format!("Paths from {from_name} to {to_name}") view/>
        <div class="way-tools">
            <nav
                class="segmented small"
                aria-label="What makes a path better"
                node_ref=panel
                tabindex="-1"
            >
                {metrics}
            </nav>
            <A href=swapped.href(&to, searched_view) scroll=false>"Swap ends"</A>
        </div>
        <RefreshFailure failure=kept.failure/>
        <section class="block">
            <div class="block-head">
                <h3>{move || facts.with(|facts| match facts.found.paths.len() {
                    0 => "No path",
                    1 => "The only path",
                    _ => "Paths, the best first",
                })}</h3>
                <SimulatedMark simulated/>
            </div>
            {move || facts.with(|facts| facts.found.reason.clone()).map(|reason| view! {
                <p role="status">{reason}</p>
            })}
            <ol class="ways">
                {move || facts.with(|facts| {
                    let lines = facts.found.paths.iter().enumerate().map(|(index, path)| {
                        let hops = format::count(path.hops as usize, "hop", "hops");
                        let numbers =
                            numbers(path.latency_seconds, path.free_capacity_bits_per_second);
                        view! {
                            <li>
                                <Choice
                                    href=address(metric, index)
                                    here=Signal::derive(move || chosen.get() == index)
                                >
                                    {hops} {numbers}
                                </Choice>
                            </li>
                        }
                    });
                    lines.collect_view()
                })}
            </ol>
        </section>
        {move || facts.with(|facts| facts.found.paths.get(chosen.get()).map(|path| shown(path, view)))}
    }
    .into_any()
}

/// What a virtual link runs over.
#[component]
pub fn RunsOver(
    /// The physical path between its ends, as the server read it.
    first: Result<Box<PathFacts>, Failure>,
    /// The view that its panel is beside.
    view: Signal<TopologyView>,
) -> impl IntoView {
    let simulated = first.as_ref().is_ok_and(|first| first.found.simulated);
    let body = match first {
        Err(failure) => {
            view! { <p class="notice" role="alert">{failure.to_string()}</p> }.into_any()
        }
        Ok(first) => {
            let ends = [first.from.0.clone(), first.to.0.clone()];
            let kept = Kept::new(*first, move || under(ends.clone()));
            let facts = kept.value;
            view! {
                <RefreshFailure failure=kept.failure/>
                {move || facts.with(|facts| match facts.found.paths.first() {
                    Some(path) => under_line(
                        path.hops,
                        path.latency_seconds,
                        path.free_capacity_bits_per_second,
                        &path.steps,
                        view,
                    ),
                    None => view! { <p>{facts.found.reason.clone()}</p> }.into_any(),
                })}
            }
            .into_any()
        }
    };
    view! {
        <section class="block">
            <div class="block-head">
                <h3>"Runs over"</h3>
                {simulated.then(|| view! { <Simulated/> })}
            </div>
            {body}
            <p class="hint">{CAVEAT}</p>
        </section>
    }
    .into_any()
}

/// What is not known of a physical path under a virtual link.
const CAVEAT: &str =
    "The physical way of fewest hops. How the hosts' own network really leads is not known.";

/// The view that is searched.
fn searched(view: TopologyView) -> String {
    format!("{view} view")
}

/// Latency and free capacity; what is not known is said to be unknown.
fn numbers(latency_seconds: Option<f64>, free: Option<u64>) -> String {
    let latency = match latency_seconds {
        Some(seconds) => format::milliseconds(seconds * 1000.0),
        None => "latency unknown".to_owned(),
    };
    let free = match free {
        Some(bits) => format!("{} free", format::capacity(bits)),
        None => "free capacity unknown".to_owned(),
    };
    format!(" · {latency} · {free}")
}

/// The path that is shown: its steps, and what it runs over.
fn shown(path: &Path, view: Signal<TopologyView>) -> AnyView {
    let nexts = path.steps.iter().skip(1).map(Some).chain([None]);
    let lines: Vec<_> = path
        .steps
        .iter()
        .zip(nexts)
        .map(|(step, next)| {
            view! {
                <li>
                    <ElementLink element=Element::of_id(&step.element) name=step.name.clone() view/>
                    {next.map(|next| onward(step, next, view))}
                </li>
            }
        })
        .collect();
    view! {
        <section class="block">
            <h3>"Steps"</h3>
            <ol class="way">{lines}</ol>
            {(!path.underlay.is_empty()).then(|| {
                let lines = path.underlay.iter().map(|under| underlay(path, under, view));
                view! {
                    <details class="under">
                        <summary>"Runs over"</summary>
                        {lines.collect_view()}
                        <p class="hint">{CAVEAT}</p>
                    </details>
                }
            })}
        </section>
    }
    .into_any()
}

/// How a path goes on from a step to the next.
fn onward(step: &PathStep, next: &PathStep, view: Signal<TopologyView>) -> AnyView {
    let Some(link) = &step.link else {
        let text = if step.element.router.is_some() {
            "runs on"
        } else {
            "on which runs"
        };
        return view! { <p class="minor">{text}</p> }.into_any();
    };
    let kind = match link.kind {
        LinkKind::Physical => "physical link",
        LinkKind::Virtual => "virtual link",
    };
    let interfaces = [&step.leaves_by, &next.enters_by].map(Clone::clone);
    let interfaces = match interfaces {
        [Some(out), Some(into)] => format!("{out} → {into}"),
        [out, into] => out.or(into).unwrap_or_default(),
    };
    let element = Some(Element::Link(link.id.clone()));
    let state = (link.state != LinkState::Up).then_some(link.state);
    view! {
        <p class="minor">
            <ElementLink element name=kind view/>
            {numbers(link.latency_seconds, link.free_capacity_bits_per_second)}
            " " {state.map(|state| view! { <LinkStateChip state/> })}
        </p>
        <p class="minor mono">{interfaces}</p>
    }
    .into_any()
}

/// What one or two virtual links of a path run over.
fn underlay(path: &Path, under: &Underlay, view: Signal<TopologyView>) -> AnyView {
    if !under.steps.is_empty() {
        return under_line(
            under.hops,
            under.latency_seconds,
            under.free_capacity_bits_per_second,
            &under.steps,
            view,
        );
    }
    // The links tell between which elements: no step does.
    let at = |step: &PathStep| {
        let link = step.link.as_ref();
        link.is_some_and(|link| under.links.contains(&link.id))
    };
    let name = |index: Option<usize>| {
        let step = index.and_then(|index| path.steps.get(index));
        step.map(|step| step.name.clone()).unwrap_or_default()
    };
    let from = name(path.steps.iter().position(at));
    let to = name(path.steps.iter().rposition(at).map(|index| index + 1));
    view! {
        <p>"No physical link is known that leads from " {from} " to " {to} "."</p>
    }
    .into_any()
}

/// A physical path in short.
fn under_line(
    hops: u32,
    latency_seconds: Option<f64>,
    free: Option<u64>,
    steps: &[PathStep],
    view: Signal<TopologyView>,
) -> AnyView {
    let names = steps.iter().enumerate().map(|(index, step)| {
        view! {
            {(index > 0).then_some(" → ")}
            <ElementLink element=Element::of_id(&step.element) name=step.name.clone() view/>
        }
    });
    // Between two routers and their one host there is no link of which anything could be known.
    let numbers = if steps.iter().any(|step| step.link.is_some()) {
        numbers(latency_seconds, free)
    } else {
        ", on one host".to_owned()
    };
    view! {
        <p>{names.collect_view()}</p>
        <p class="minor">{format::count(hops as usize, "hop", "hops")} {numbers}</p>
    }
    .into_any()
}

/// Takes the focus where what had it is gone: the link that led here, in the panel before.
fn take_lost_focus<E>(to: NodeRef<E>)
where
    E: html::ElementType,
    E::Output: leptos::wasm_bindgen::JsCast + Clone + AsRef<leptos::web_sys::HtmlElement> + 'static,
{
    let live = expect_context::<Live>();
    // Whoever comes from elsewhere begins at the page's beginning.
    if live.status.get_untracked() == Status::Still {
        return;
    }
    to.on_load(move |element| {
        let active = document().active_element();
        if active.is_none_or(|active| active.tag_name() == "BODY") {
            let element: &leptos::web_sys::HtmlElement = element.as_ref();
            // Without focus the reader is where they were.
            let _ = element.focus();
        }
    });
}
