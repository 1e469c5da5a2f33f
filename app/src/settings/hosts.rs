//! The fleet's hosts, how each is reached, and letting one go.

use super::{add_host::AddHost, in_words};
use crate::{
    Element,
    components::{Act, HostStateChip, MaintenanceChip, StateIcon, TableFrame},
    live::Kept,
    panels::RefreshFailure,
    server_functions::{HostTable, RemoveHost, list_hosts},
    topology_view::diagram::host_state,
};
use api::{Endpoint, Host, HostId, HostOrigin, RemoveHostReply, TopologyView};
use leptos::{html, prelude::*};
use leptos_router::components::A;

/// The table of hosts, with a form to add one.
#[component]
pub fn Hosts(
    /// As the server read it.
    first: HostTable,
) -> impl IntoView {
    let kept = Kept::new(first, list_hosts);
    let table = kept.value;
    let remove = Act::of::<RemoveHost>();
    let done = RwSignal::new(String::new());
    let heading = NodeRef::<html::H2>::new();
    let removed = move |reply: RemoveHostReply| {
        // What an act answers is newer than what is shown.
        table.update(|table| table.hosts.retain(|host| host.id != reply.host));
        done.set(format!("{} is no longer in the fleet.", reply.host));
        // The button that was pressed is gone.
        if let Some(heading) = heading.get_untracked() {
            // Without focus the reader is where they were.
            let _ = heading.focus();
        }
    };
    // Rows stay as long as their hosts do: an open question is not closed by news.
    let ids = Memo::new(move |_| {
        table.with(|table| {
            let ids = table
                .hosts
                .iter()
                .map(|host| (host.id.clone(), host.origin));
            ids.collect::<Vec<_>>()
        })
    });
    let empty = move || ids.with(Vec::is_empty);
    let configured = move || {
        ids.with(|ids| {
            ids.iter()
                .any(|(_, origin)| *origin == HostOrigin::Configured)
        })
    };
    let head = view! {
        <th scope="col">"Host"</th>
        <th scope="col">"State"</th>
        <th scope="col">"Endpoints"</th>
        <th scope="col">"Origin"</th>
        <th scope="col"><span class="visually-hidden">"Remove"</span></th>
    }
    .into_any();
    view! {
        <section class="fleet" aria-labelledby="hosts">
            <h2 id="hosts" tabindex="-1" node_ref=heading>"Hosts"</h2>
            <AddHost table done/>
            <p class="done" role="status">{done}</p>
            {move || remove.failure.get().map(|failure| view! {
                <p class="notice" role="alert">{in_words(&failure)}</p>
            })}
            <RefreshFailure failure=kept.failure/>
            <TableFrame caption="The hosts of the fleet" hidden=Signal::derive(empty) head>
                {move || ids.get().into_iter().map(|(id, origin)| {
                    let asks = (origin == HostOrigin::Registered)
                        .then(|| removal(id.clone(), table, remove, removed));
                    view! {
                        <tr>
                            {move || table.with(|table| {
                                table.hosts.iter().find(|host| host.id == id).map(cells)
                            })}
                            <td class="number">{asks}</td>
                        </tr>
                    }
                }).collect_view()}
            </TableFrame>
            <p class="empty" hidden=move || !empty()>"No host is in the fleet yet: add the first above."</p>
            <p class="hint" hidden=move || !configured()>
                "Configured hosts are named in the server's configuration, vms.toml, or belong to the demo fleet: they are removed there."
            </p>
        </section>
    }
    .into_any()
}

fn cells(host: &Host) -> AnyView {
    let href = Element::Host(host.id.clone()).href(TopologyView::Combined);
    let name = host.name.clone();
    let id = (host.name != host.id.as_str()).then(|| host.id.to_string());
    let details: Vec<_> = [id, host.site.clone()].into_iter().flatten().collect();
    // Of several endpoints, each says what is wrong with it.
    let message = host.message.clone().filter(|_| host.endpoints.len() < 2);
    let origin = match host.origin {
        HostOrigin::Configured => "configured",
        HostOrigin::Registered => "registered",
    };
    view! {
        <th scope="row">
            <A href=href>{name}</A>
            <p class="minor">{details.join(" · ")}</p>
        </th>
        <td>
            <HostStateChip state=host.state/>
            {host.maintenance.then(|| view! { <p class="minor"><MaintenanceChip reason=host.maintenance_reason.clone()/></p> })}
            <p class="minor">{message}</p>
        </td>
        <td>{endpoints(&host.endpoints)}</td>
        <td>{origin}</td>
    }
    .into_any()
}

fn endpoints(endpoints: &[Endpoint]) -> AnyView {
    let several = endpoints.len() > 1;
    let lines: Vec<_> = endpoints
        .iter()
        .map(|endpoint| {
            let message = endpoint.message.clone().filter(|_| several);
            view! {
                <li>
                    <span class="chip">
                        <StateIcon state=host_state(endpoint.state)/>
                        <span class="visually-hidden">{endpoint.state.as_str()} ": "</span>
                        <span class="mono">{endpoint.uri.clone()}</span>
                    </span>
                    <p class="minor">{message}</p>
                </li>
            }
        })
        .collect();
    view! { <ul>{lines}</ul> }.into_any()
}

/// A button that asks before it acts: a popover, which needs no script.
fn removal(
    id: HostId,
    table: RwSignal<HostTable>,
    remove: Act,
    removed: impl Fn(RemoveHostReply) + Copy + Send + 'static,
) -> AnyView {
    let question = format!("remove-{id}");
    let title = format!("Remove {id}?");
    let host = id.to_string();
    let routers = move || {
        let routers = table.with(|table| {
            let host = table.hosts.iter().find(|host| host.id == id);
            host.map_or(0, |host| host.routers)
        });
        match routers {
            0 => "No router is known on it.".to_owned(),
            1 => "Its router runs on; VMS forgets it and its history stays 30 days.".to_owned(),
            many => format!(
                "Its {many} routers run on; VMS forgets them and their history stays 30 days."
            ),
        }
    };
    let form = remove.form::<RemoveHost>(
        NodeRef::new(),
        removed,
        view! {
            <input type="hidden" name="host" value=host.clone()/>
            <button type="submit" class="act danger" disabled=remove.pending>"Remove host"</button>
        }
        .into_any(),
    );
    view! {
        <button
            type="button"
            class="act small"
            popovertarget=question.clone()
            aria-label=format!("Remove {host}")
            on:click=move |_| remove.failure.set(None)
        >
            "Remove…"
        </button>
        <div popover="auto" class="question" role="dialog" aria-label=title.clone() id=question.clone()>
            <h3>{title.clone()}</h3>
            <p>{routers} " Nothing is done to the host itself, and it can be added again."</p>
            <div class="acts">
                {form}
                <button type="button" class="act" popovertarget=question.clone() popovertargetaction="hide">
                    "Keep it"
                </button>
            </div>
            {move || remove.failure.get().map(|failure| view! {
                <p class="notice">{in_words(&failure)}</p>
            })}
        </div>
    }
    .into_any()
}
