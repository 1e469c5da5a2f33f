//! The table of routers.

use super::{SortableHead, hosts::failed, matches, order};
use crate::{
    Element,
    components::{Choice, RouterStateChip, Search},
    format,
    live::{Kept, read_again_when_live},
    server_functions::{RouterRow, RouterTable, list_routers},
};
use api::{RouterState, TopologyView};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_query_map};

/// The states that one can filter by, as in an address.
const STATES: [(RouterState, &str); 5] = [
    (RouterState::Running, "running"),
    (RouterState::Suspended, "suspended"),
    (RouterState::ShutOff, "shutOff"),
    (RouterState::Crashed, "crashed"),
    (RouterState::Unknown, "unknown"),
];

/// `/routers`, with `?state=`, `?host=`, `?network=` and `?q=` as filters.
#[component]
pub fn RoutersPage() -> impl IntoView {
    let first = Resource::new_blocking(|| (), |()| list_routers());
    read_again_when_live(first, Result::is_err);
    view! {
        <Title text="Routers · VMS"/>
        <div class="page">
            <h1>"Routers"</h1>
            <Suspense fallback=|| view! { <p class="empty">"Reading the routers…"</p> }>
                {move || Suspend::new(async move {
                    match first.await {
                        Ok(first) => view! { <Table first/> }.into_any(),
                        Err(failure) => failed(&failure).into_any(),
                    }
                })}
            </Suspense>
        </div>
    }
}

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    state: Option<String>,
    host: Option<String>,
    network: Option<String>,
}

impl Filter {
    fn lets(&self, router: &RouterRow) -> bool {
        let state = STATES
            .into_iter()
            .find(|(state, _)| *state == router.state)
            .map_or("shuttingDown", |(_, name)| name);
        self.state.as_deref().is_none_or(|wanted| wanted == state)
            && self
                .host
                .as_deref()
                .is_none_or(|wanted| wanted == router.host.as_str())
            && self
                .network
                .as_deref()
                .is_none_or(|wanted| Some(wanted) == router.network.as_deref())
    }

    fn address(&self) -> String {
        let parts: Vec<_> = [
            ("state", &self.state),
            ("host", &self.host),
            ("network", &self.network),
        ]
        .into_iter()
        .filter_map(|(name, value)| {
            value
                .as_ref()
                .map(|value| format!("{name}={}", format::percent_encode(value)))
        })
        .collect();
        if parts.is_empty() {
            "/routers".to_owned()
        } else {
            format!("/routers?{}", parts.join("&"))
        }
    }
}

#[component]
fn Table(
    /// As the server read it.
    first: RouterTable,
) -> impl IntoView {
    let kept = Kept::new(first, list_routers);
    let order = order();
    let search = expect_context::<Search>().text;
    let query = use_query_map();
    let filter = Memo::new(move |_| {
        query.with(|query| {
            let asked = |name: &str| query.get(name).filter(|value| !value.is_empty());
            Filter {
                state: asked("state"),
                host: asked("host"),
                network: asked("network"),
            }
        })
    });
    let shown = Memo::new(move |_| {
        let mut routers: Vec<RouterRow> = kept.value.with(|table| {
            table
                .routers
                .iter()
                .filter(|router| {
                    filter.read().lets(router) && matches(&router.name, &search.read())
                })
                .cloned()
                .collect()
        });
        order.with(|order| {
            sort(&mut routers, &order.column);
            if order.descending {
                routers.reverse();
            }
        });
        routers
    });
    view! {
        <Filters table=kept.value filter/>
        <crate::panels::RefreshFailure failure=kept.failure/>
        <div class="table-frame">
            <table>
                <caption class="visually-hidden">"Routers; the heads of the columns sort"</caption>
                <thead>
                    <tr>
                        <SortableHead column="name" label="Router" order/>
                        <SortableHead column="state" label="State" order/>
                        <SortableHead column="host" label="Host" order/>
                        <SortableHead column="driver" label="Driver" order/>
                        <SortableHead column="network" label="Virtual network" order/>
                        <SortableHead column="interfaces" label="Interfaces" order number=true/>
                        <SortableHead column="vcpus" label="vCPUs" order number=true/>
                        <SortableHead column="memory" label="Memory" order number=true/>
                    </tr>
                </thead>
                <tbody>
                    {move || shown.get().into_iter().map(row).collect_view()}
                </tbody>
            </table>
        </div>
        {move || shown.with(Vec::is_empty).then(|| view! {
            <p class="empty">
                "No router matches. " <A href="/routers">"Show all routers"</A>
            </p>
        })}
    }
}

/// Links that filter by state, and the filters that are set.
#[component]
fn Filters(
    /// What there is.
    table: RwSignal<RouterTable>,
    /// What is asked for.
    filter: Memo<Filter>,
) -> impl IntoView {
    let count = move |state: Option<RouterState>| {
        table.with(|table| {
            table
                .routers
                .iter()
                .filter(|router| state.is_none_or(|state| router.state == state))
                .count()
        })
    };
    let choice = move |state: Option<(RouterState, &'static str)>| {
        let wanted = state.map(|(_, name)| name.to_owned());
        let label = state.map_or("all", |(state, _)| state.as_str());
        let here = wanted.clone();
        let shown = move || {
            let number = count(state.map(|(state, _)| state));
            let selected = filter.with(|filter| filter.state == here);
            (number > 0 || selected || here.is_none()).then_some((number, selected))
        };
        let href = move || {
            Filter {
                state: wanted.clone(),
                ..filter.get()
            }
            .address()
        };
        move || {
            shown().map(|(number, selected)| {
                view! {
                    <Choice href=Signal::derive(href.clone()) here=selected>
                        {label} " " <span class="count">{number}</span>
                    </Choice>
                }
            })
        }
    };
    view! {
        <div class="filters">
            <nav class="segmented" aria-label="By state">
                {choice(None)}
                {STATES.into_iter().map(|state| choice(Some(state))).collect_view()}
            </nav>
            {move || filter.with(|filter| {
                let chosen = [
                    ("Host", filter.host.clone(), Filter { host: None, ..filter.clone() }),
                    ("Network", filter.network.clone(), Filter { network: None, ..filter.clone() }),
                ];
                chosen.into_iter().filter_map(|(kind, value, without)| {
                    value.map(|value| view! {
                        <A href=without.address() scroll=false attr:class="filter-chip" attr:title="Remove this filter">
                            {kind} ": " {value} <span aria-hidden="true">" ×"</span>
                        </A>
                    })
                }).collect_view()
            })}
        </div>
    }
}

fn sort(routers: &mut [RouterRow], column: &str) {
    routers.sort_by(|a, b| a.name.cmp(&b.name));
    match column {
        "state" => routers.sort_by_key(|router| router.state.as_str()),
        "host" => routers.sort_by(|a, b| a.host_name.cmp(&b.host_name)),
        "driver" => routers.sort_by_key(|router| router.driver.as_str()),
        "network" => routers.sort_by(|a, b| a.network.cmp(&b.network)),
        "interfaces" => routers.sort_by_key(|router| router.interfaces),
        "vcpus" => routers.sort_by_key(|router| router.vcpus),
        "memory" => routers.sort_by_key(|router| router.memory),
        _ => {}
    }
}

fn row(router: RouterRow) -> AnyView {
    let href = Element::Router(router.id).href(TopologyView::Combined);
    let host = Element::Host(router.host.clone()).href(TopologyView::Combined);
    view! {
        <tr>
            <th scope="row"><A href=href>{router.name}</A></th>
            <td>
                <RouterStateChip state=router.state current=router.current/>
                {router.moving_to.map(|to| view! { <p class="minor">"being moved to " {to}</p> })}
                {router.message.map(|message| view! { <p class="minor">{message}</p> })}
            </td>
            <td><A href=host>{router.host_name}</A></td>
            <td>{router.driver.as_str()}</td>
            <td>
                {router.network.map(|network| view! {
                    <A href=format!("/routers?network={}", format::percent_encode(&network))>{network}</A>
                })}
            </td>
            <td class="number">{router.interfaces}</td>
            <td class="number">{router.vcpus}</td>
            <td class="number">{format::bytes(router.memory)}</td>
        </tr>
    }
    .into_any()
}
