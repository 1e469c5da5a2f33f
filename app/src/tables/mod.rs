//! Hosts and routers as tables: the same facts as the picture, sortable, for keyboards, phones
//! and fleets that are too large to be looked at.

mod hosts;
mod routers;

pub use hosts::{HostsPage, failed};
pub use routers::RoutersPage;

use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_location};

/// By which column a table is sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The column's name.
    pub column: String,
    /// Whether the largest is first.
    pub descending: bool,
}

/// The order that the address asks for (`?sort=name`, `?sort=-name`), by name if none.
fn order() -> Memo<Order> {
    order_or("name")
}

/// The order that the address asks for, or else this.
pub fn order_or(usual: &'static str) -> Memo<Order> {
    let query = leptos_router::hooks::use_query_map();
    Memo::new(move |_| {
        let asked = query.with(|query| query.get("sort")).unwrap_or_default();
        let asked = if asked.is_empty() { usual } else { &asked };
        let (column, descending) = match asked.strip_prefix('-') {
            Some(column) => (column, true),
            None => (asked, false),
        };
        Order {
            column: column.to_owned(),
            descending,
        }
    })
}

/// The head of a column that sorts by it; a link, so that it works without script.
#[component]
pub fn SortableHead(
    /// The column's name in the address.
    column: &'static str,
    /// The column's name for people.
    label: &'static str,
    /// The present order.
    order: Memo<Order>,
    /// Whether the column holds numbers.
    #[prop(optional)]
    number: bool,
) -> impl IntoView {
    let location = use_location();
    let here = move || order.with(|order| order.column == column);
    let address = move || {
        let descending = here() && !order.with(|order| order.descending);
        let sort = if descending {
            format!("-{column}")
        } else {
            column.to_owned()
        };
        let mut query = location.query.get();
        query.replace("sort", sort);
        format!("{}{}", location.pathname.get(), query.to_query_string())
    };
    let direction = move || match (here(), order.with(|order| order.descending)) {
        (false, _) => "none",
        (true, false) => "ascending",
        (true, true) => "descending",
    };
    view! {
        <th scope="col" class:number=number aria-sort=direction>
            <A href=address scroll=false>
                {label}
                <span class="sort-sign" aria-hidden="true">
                    {move || match direction() {
                        "ascending" => "▲",
                        "descending" => "▼",
                        _ => "",
                    }}
                </span>
            </A>
        </th>
    }
    .into_any()
}

/// Whether a name holds what is searched for.
pub fn matches(name: &str, search: &str) -> bool {
    let search = search.trim().to_lowercase();
    search.is_empty() || name.to_lowercase().contains(&search)
}
