//! The list of images.

use super::{Library, details::Details};
use crate::{
    components::TableFrame,
    format,
    tables::{SortableHead, matches, order_or},
};
use api::{Image, ImageId};
use leptos::prelude::*;
use leptos_router::{components::A, hooks::use_query_map};

/// The images, and the details of one.
#[component]
pub fn Table(
    /// The images.
    library: Library,
    /// What is searched for.
    search: RwSignal<String>,
) -> impl IntoView {
    let order = order_or("name");
    let query = use_query_map();
    let open = Memo::new(move |_| query.with(|query| query.get("image")?.parse::<ImageId>().ok()));
    let shown = Memo::new(move |_| {
        let search = search.read();
        let mut images: Vec<Image> = library.value.with(|value| {
            let images = value.images.iter();
            images
                .filter(|image| matches(&image.title(), &search))
                .cloned()
                .collect()
        });
        order.with(|order| {
            sort(&mut images, &order.column);
            if order.descending {
                images.reverse();
            }
        });
        images
    });
    let none = Memo::new(move |_| library.value.with(|value| value.images.is_empty()));
    let head = view! {
        <SortableHead column="name" label="Image" order/>
        <SortableHead column="version" label="Version" order/>
        <SortableHead column="kind" label="What it is" order/>
        <SortableHead column="architecture" label="Architecture" order/>
        <th scope="col">"Drivers"</th>
        <SortableHead column="size" label="Size" order number=true/>
        <SortableHead column="copies" label="Copies" order number=true/>
        <SortableHead column="routers" label="Routers" order number=true/>
    }
    .into_any();
    view! {
        <TableFrame caption="Images; the heads of the columns sort" hidden=none head>
            {move || {
                let open = open.get();
                shown.get().into_iter().map(|image| row(image, open, library)).collect_view()
            }}
        </TableFrame>
        {move || (!none.get() && shown.with(Vec::is_empty)).then(|| view! {
            <p class="empty">"No image has such a name."</p>
        })}
    }
    .into_any()
}

fn sort(images: &mut [Image], column: &str) {
    images.sort_by_key(Image::title);
    match column {
        "version" => images.sort_by(|a, b| a.description.version.cmp(&b.description.version)),
        "kind" => images.sort_by_key(|image| image.kind.describe()),
        "architecture" => {
            images.sort_by(|a, b| a.description.architecture.cmp(&b.description.architecture));
        }
        "size" => images.sort_by_key(Image::size_bytes),
        "copies" => images.sort_by_key(|image| image.copies.len()),
        "routers" => images.sort_by_key(|image| image.routers),
        _ => {}
    }
}

fn row(image: Image, open: Option<ImageId>, library: Library) -> AnyView {
    let is_open = open == Some(image.id);
    let address = if is_open {
        "/images".to_owned()
    } else {
        format!("/images?image={}", image.id)
    };
    let drivers: Vec<_> = image
        .description
        .drivers
        .iter()
        .map(|driver| driver.as_str())
        .collect();
    let drivers = if drivers.is_empty() {
        "all that suit".to_owned()
    } else {
        drivers.join(", ")
    };
    let expanded = if is_open { "true" } else { "false" };
    let (name, version) = (
        image.description.name.clone(),
        image.description.version.clone(),
    );
    let (kind, architecture) = (
        image.kind.describe(),
        image.description.architecture.clone(),
    );
    let size = format::bytes(image.size_bytes());
    let (copies, routers) = (image.copies.len(), image.routers);
    view! {
        <tr class="image-row" class:open=is_open>
            <th scope="row">
                <A href=address scroll=false attr:aria-expanded=expanded attr:class="expander">{name}</A>
            </th>
            <td data-label="Version">{version}</td>
            <td data-label="What it is">{kind}</td>
            <td data-label="Architecture">{architecture}</td>
            <td data-label="Drivers">{drivers}</td>
            <td class="number" data-label="Size">{size}</td>
            <td class="number" data-label="Copies on hosts">{copies}</td>
            <td class="number" data-label="Routers made from it">{routers}</td>
        </tr>
        {is_open.then(|| view! {
            <tr class="image-details"><td colspan="8"><Details image library/></td></tr>
        })}
    }
    .into_any()
}
