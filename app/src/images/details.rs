//! What is known of one image, and what can be done to it.

use super::{Library, Wanted};
use crate::{
    Element,
    errands::{Errand, Errands},
    format,
};
use api::{Image, TopologyView};
use leptos::prelude::*;
use leptos_router::components::A;

/// One image.
#[component]
pub fn Details(
    /// The image.
    image: Image,
    /// All of them.
    library: Library,
) -> impl IntoView {
    let errands = expect_context::<Errands>();
    let known = &image.description;
    let or_usual = |text: Option<String>, usual: &str| text.unwrap_or_else(|| usual.to_owned());
    let yes = |answer: Option<bool>| if answer == Some(true) { "yes" } else { "no" }.to_owned();
    let facts = [
        (
            "Processors",
            or_usual(known.vcpus.map(|vcpus| vcpus.to_string()), "1"),
        ),
        (
            "Memory",
            or_usual(known.memory_bytes.map(format::bytes), "128 MiB"),
        ),
        (
            "Interfaces",
            or_usual(known.interfaces.map(|number| number.to_string()), "0"),
        ),
        (
            "Kernel arguments",
            known.kernel_arguments.clone().unwrap_or_default(),
        ),
        ("First program", known.init.clone().unwrap_or_default()),
        ("Cloud-init", yes(known.cloud_init)),
        ("Guest agent", yes(known.guest_agent)),
        (
            "Ready once it writes",
            known.ready_text.clone().unwrap_or_default(),
        ),
        ("Brought by", image.created_by.clone()),
        ("At", format::date_and_time(image.created_at)),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    let files = image.files.iter().map(|file| {
        let seen = file.virtual_size_bytes.filter(|size| *size != file.size_bytes);
        view! {
            <li class="card">
                <div class="card-head">
                    <span>{file.role.describe()}</span>
                    <span class="minor">
                        {format::bytes(file.size_bytes)}
                        {seen.map(|size| format!(", a disk of {}", format::bytes(size)))}
                    </span>
                </div>
                <p class="minor">"SHA-256 " <span class="mono break">{file.sha256.clone()}</span></p>
            </li>
        }
    }).collect_view();
    let copies = image.copies.iter().map(|copy| {
        let host = copy.host.clone();
        let wanted = Wanted::Evict(Box::new(image.clone()), host.clone());
        let wanted = StoredValue::new_local(wanted);
        let name = host.to_string();
        let since = format::date_and_time(copy.since);
        let label = format!("Delete… the copy on {host}");
        let why = (copy.routers > 0).then(|| format!("{} on it need it", format::count(copy.routers as usize, "router", "routers")));
        view! {
            <li>
                <span>
                    <A href=Element::Host(host.clone()).href(TopologyView::Combined)>{name}</A>
                    <span class="minor">
                        " since " {since} {why.clone().map(|why| format!(", {why}"))}
                    </span>
                </span>
                <button type="button" class="plain scripted" aria-label=label on:click=move |_| library.wanted.set(Some(wanted.get_value()))>
                    "Delete…"
                </button>
            </li>
        }
    }).collect_view();
    let no_copy = image.copies.is_empty();
    let id = image.id;
    let about = image.description.description.clone();
    let stored = StoredValue::new(image);
    let ask = move |wanted: fn(Box<Image>) -> Wanted| {
        move |_| {
            let image = Box::new(stored.get_value());
            library.wanted.set(Some(wanted(image)));
        }
    };
    view! {
        <div class="image-facts">
            {about.map(|text| view! { <p class="about">{text}</p> })}
            <dl class="facts">
                {facts.map(|(name, value)| view! { <dt>{name}</dt><dd>{value}</dd> }).collect_view()}
            </dl>
            <div>
                <h2>"Files"</h2>
                <ul class="cards">{files}</ul>
                <h2>"Copies on hosts"</h2>
                <ul class="lines">{copies}</ul>
                {no_copy.then(|| view! { <p class="empty">"None yet: it is brought to a host when the first router is made there."</p> })}
            </div>
            <div class="acts scripted">
                <button type="button" class="act primary" on:click=move |_| errands.wanted.set(Some(Errand::Create { image: Some(id), host: None }))>
                    "New router…"
                </button>
                <button type="button" class="act" on:click=ask(Wanted::Distribute)>"Bring to hosts…"</button>
                <button type="button" class="act" on:click=ask(Wanted::Edit)>"Edit…"</button>
                <button type="button" class="act" on:click=ask(Wanted::Delete)>"Delete…"</button>
            </div>
        </div>
    }
    .into_any()
}
