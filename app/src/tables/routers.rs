//! The table of routers.

use super::{SortableHead, hosts::failed, matches, order};
use crate::{
    Element,
    components::{Choice, RouterStateChip, Search, TableFrame},
    errands::{
        Errand, Errands, Target,
        doing::{carry_out, tell},
    },
    format,
    jobs::Desk,
    live::{Kept, read_again_when_live},
    moving::acts::{Deed, How, RouterAct},
    server_functions::{RouterRow, RouterTable, list_routers},
    topology_view::diagram::router_state,
};
use api::{RouterId, RouterState, TopologyView};
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;
use leptos_router::{components::A, hooks::use_query_map};
use std::collections::BTreeSet;

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
    let picked = RwSignal::new(BTreeSet::<RouterId>::new());
    let all = move || {
        let is_picked = |row: &RouterRow| picked.with(|picked| picked.contains(&row.id));
        shown.with(|shown| !shown.is_empty() && shown.iter().all(is_picked))
    };
    let pick_all = move |event| {
        let ids: Vec<_> = shown.with_untracked(|shown| shown.iter().map(|row| row.id).collect());
        picked.update(|picked| {
            picked.clear();
            if event_target_checked(&event) {
                picked.extend(ids);
            }
        });
    };
    let head = view! {
        <th scope="col" class="pick scripted">
            <input type="checkbox" aria-label="Choose all that are shown" prop:checked=all on:change=pick_all/>
        </th>
        <SortableHead column="name" label="Router" order/>
        <SortableHead column="state" label="State" order/>
        <SortableHead column="host" label="Host" order/>
        <SortableHead column="driver" label="Driver" order/>
        <SortableHead column="network" label="Virtual network" order/>
        <SortableHead column="interfaces" label="Interfaces" order number=true/>
        <SortableHead column="vcpus" label="vCPUs" order number=true/>
        <SortableHead column="memory" label="Memory" order number=true/>
    }
    .into_any();
    view! {
        <Filters table=kept.value filter/>
        <crate::panels::RefreshFailure failure=kept.failure/>
        <Bulk table=kept.value picked/>
        <TableFrame caption="Routers; the heads of the columns sort" head>
            // A row whose router is as it was stays, and keeps the focus.
            <For each=move || shown.get() key=RouterRow::shown children=move |router| row(router, picked)/>
        </TableFrame>
        {move || shown.with(Vec::is_empty).then(|| view! {
            <p class="empty">
                "No router matches. " <A href="/routers">"Show all routers"</A>
            </p>
        })}
    }
}

/// What can be done to all that are chosen.
#[component]
fn Bulk(
    /// What there is.
    table: RwSignal<RouterTable>,
    /// The routers that are chosen.
    picked: RwSignal<BTreeSet<RouterId>>,
) -> impl IntoView {
    const DEEDS: [Deed; 6] = [
        Deed::Start,
        Deed::Shutdown,
        Deed::Suspend,
        Deed::Resume,
        Deed::SwitchOff,
        Deed::Delete,
    ];
    let desk = expect_context::<Desk>();
    let errands = expect_context::<Errands>();
    let busy = RwSignal::new(false);
    let targets = Memo::new(move |_| {
        let is_picked = |row: &&RouterRow| picked.with(|picked| picked.contains(&row.id));
        table.with(|table| {
            let rows = table.routers.iter().filter(is_picked);
            rows.map(|row| Target {
                router: (row.id, row.name.clone()),
                state: router_state(row.state),
                current: row.current,
                is_moving: row.moving_to.is_some(),
            })
            .collect::<Vec<_>>()
        })
    });
    let fits = |deed: Deed, target: &Target| {
        let act = RouterAct::Do(deed);
        act.why_not(target.state, target.current, target.is_moving)
            .is_none()
    };
    let can = move |deed: Deed| {
        targets.with(|targets| targets.iter().filter(|one| fits(deed, one)).count())
    };
    let press = move |deed: Deed| {
        let mut routers = targets.get_untracked();
        if deed.asks() {
            errands.wanted.set(Some(Errand::Sure { deed, routers }));
            return;
        }
        routers.retain(|one| fits(deed, one));
        busy.set(true);
        spawn_local(async move {
            let outcome = carry_out(desk, deed, How::default(), routers, |_| ()).await;
            tell(desk, deed, &outcome);
            busy.try_set(false);
        });
    };
    let button = move |deed: Deed| {
        let why = move || match can(deed) {
            0 => "None of them is in a state for that.".to_owned(),
            count => format!("{count} of {}", targets.with(Vec::len)),
        };
        view! {
            <button
                type="button"
                class="act small"
                disabled=move || busy.get() || can(deed) == 0
                title=why
                on:click=move |_| press(deed)
            >
                {RouterAct::Do(deed).label()}
                <span class="count" aria-hidden="true">{move || can(deed)}</span>
            </button>
        }
    };
    let chosen = move || {
        let count = targets.with(Vec::len);
        format!("{} chosen", format::count(count, "router", "routers"))
    };
    view! {
        <Show when=move || !targets.with(Vec::is_empty)>
            <div class="bulk" role="group" aria-label="What can be done to the chosen routers">
                <strong role="status">{chosen}</strong>
                {DEEDS.map(button).into_iter().collect_view()}
                <button type="button" class="plain" on:click=move |_| picked.update(BTreeSet::clear)>"Choose none"</button>
            </div>
        </Show>
    }
    .into_any()
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

fn row(router: RouterRow, picked: RwSignal<BTreeSet<RouterId>>) -> AnyView {
    let id = router.id;
    let label = format!("Choose {}", router.name);
    let is_picked = move || picked.with(|picked| picked.contains(&id));
    let pick = move |event| {
        picked.update(|picked| {
            if event_target_checked(&event) {
                picked.insert(id);
            } else {
                picked.remove(&id);
            }
        });
    };
    let href = Element::Router(router.id).href(TopologyView::Combined);
    let host = Element::Host(router.host.clone()).href(TopologyView::Combined);
    view! {
        <tr class:picked=is_picked>
            <td class="pick scripted">
                <input type="checkbox" aria-label=label prop:checked=is_picked on:change=pick/>
            </td>
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
