//! The table of hosts.

use super::{SortableHead, matches, order};
use crate::{
    Element, Failure,
    clock::Clock,
    components::{HostStateChip, MaintenanceChip, Search, TableFrame},
    format,
    live::{Kept, read_again_when_live},
    server_functions::{HostTable, list_hosts},
};
use api::{Host, TopologyView};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;

/// `/hosts`.
#[component]
pub fn HostsPage() -> impl IntoView {
    let first = Resource::new_blocking(|| (), |()| list_hosts());
    read_again_when_live(first, Result::is_err);
    view! {
        <Title text="Hosts · VMS"/>
        <div class="page">
            <h1>"Hosts"</h1>
            <Suspense fallback=|| view! { <p class="empty">"Reading the hosts…"</p> }>
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

/// Says that a table cannot be shown.
pub fn failed(failure: &Failure) -> impl IntoView + use<> {
    view! { <p class="notice" role="alert">{failure.to_string()}</p> }
}

#[component]
fn Table(
    /// As the server read it.
    first: HostTable,
) -> impl IntoView {
    let kept = Kept::new(first, list_hosts);
    let order = order();
    let search = expect_context::<Search>().text;
    let shown = Memo::new(move |_| {
        let mut hosts: Vec<Host> = kept.value.with(|table| {
            table
                .hosts
                .iter()
                .filter(|host| matches(&host.name, &search.read()))
                .cloned()
                .collect()
        });
        order.with(|order| {
            sort(&mut hosts, &order.column);
            if order.descending {
                hosts.reverse();
            }
        });
        hosts
    });
    let head = view! {
        <SortableHead column="name" label="Host" order/>
        <SortableHead column="state" label="State" order/>
        <SortableHead column="site" label="Site" order/>
        <SortableHead column="routers" label="Routers running" order number=true/>
        <SortableHead column="cpus" label="Processors" order number=true/>
        <SortableHead column="memory" label="Memory" order number=true/>
        <SortableHead column="hypervisor" label="Hypervisor" order/>
        <SortableHead column="asof" label="As of" order number=true/>
    }
    .into_any();
    view! {
        <crate::panels::RefreshFailure failure=kept.failure/>
        <TableFrame caption="All hosts; the heads of the columns sort" head>
            {move || shown.get().into_iter().map(row).collect_view()}
        </TableFrame>
        {move || shown.with(Vec::is_empty).then(|| {
            let nothing = kept.value.with(|table| table.hosts.is_empty());
            view! {
                <p class="empty">
                    {if nothing {
                        view! { "No host is registered yet. " <A href="/settings">"Add one in the settings"</A> }.into_any()
                    } else {
                        "No host has such a name.".into_any()
                    }}
                </p>
            }
        })}
    }
}

fn sort(hosts: &mut [Host], column: &str) {
    hosts.sort_by(|a, b| a.name.cmp(&b.name));
    match column {
        "state" => hosts.sort_by_key(|host| host.state.as_str()),
        "site" => hosts.sort_by(|a, b| a.site.cmp(&b.site)),
        "routers" => hosts.sort_by_key(|host| host.running_routers),
        "cpus" => hosts.sort_by_key(|host| host.cpus),
        "memory" => hosts.sort_by_key(|host| host.memory_bytes),
        "hypervisor" => hosts.sort_by(|a, b| a.hypervisor.cmp(&b.hypervisor)),
        "asof" => hosts.sort_by_key(|host| host.as_of),
        _ => {}
    }
}

fn row(host: Host) -> AnyView {
    let clock = expect_context::<Clock>();
    let href = Element::Host(host.id.clone()).href(TopologyView::Combined);
    let unknown = || "unknown".to_owned();
    let as_of = host.as_of;
    view! {
        <tr>
            <th scope="row"><A href=href>{host.name}</A></th>
            <td>
                <HostStateChip state=host.state/>
                {host.maintenance.then(|| view! { <p class="minor"><MaintenanceChip reason=host.maintenance_reason.clone()/> {host.maintenance_reason.map(|why| format!(": {why}"))}</p> })}
                {host.message.map(|message| view! { <p class="minor">{message}</p> })}
            </td>
            <td>{host.site.unwrap_or_default()}</td>
            <td class="number">
                <A href=format!("/routers?host={}", format::percent_encode(host.id.as_str()))>
                    {format!("{} of {}", host.running_routers, host.routers)}
                </A>
            </td>
            <td class="number">{host.cpus.map_or_else(unknown, |cpus| cpus.to_string())}</td>
            <td class="number">{host.memory_bytes.map_or_else(unknown, format::bytes)}</td>
            <td>{host.hypervisor.unwrap_or_else(unknown)}</td>
            <td class="number">
                {match as_of {
                    None => "never answered".into_any(),
                    Some(at) => view! {
                        <time datetime=at.to_string() title=format::date_and_time(at)>
                            {format::time_of_day(at)} " UTC"
                        </time>
                        {move || clock.age(at).map(|age| view! { <p class="minor">{age}</p> })}
                    }.into_any(),
                }}
            </td>
        </tr>
    }
    .into_any()
}
