//! `/images`: what routers are made from; bringing images here and to hosts, and taking them away.
//!
//! ```text
//! list_images ─▶ Library ─▶ table ─▶ details ─▶ Wanted ─▶ dialogs ─▶ jobs
//!      ▲                                          │
//!      └── read again when a job or upload ends   └▶ begin_image_upload ─▶ upload: PUT, PUT, …
//! ```

mod add;
mod describe;
mod details;
mod dialogs;
mod guess;
mod table;
mod upload;
mod uploads;

use crate::{
    Failure,
    components::Search,
    format,
    jobs::Desk,
    live::{Live, Status, read_again_when_live},
    panels::RefreshFailure,
    server_functions::list_images,
    tables::failed,
};
use api::{Image, JobKind, ListImagesReply, ListImagesRequest};
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;

use self::{
    add::{AddDialog, Dropping, Way},
    dialogs::{DeleteImageDialog, DistributeDialog, EditDialog, EvictDialog},
    table::Table,
    upload::Chosen,
    uploads::Uploads,
};

/// What a dialog is open for.
#[derive(Clone)]
enum Wanted {
    /// A new image, from files that were dropped if there are any.
    Add(Way, Vec<Chosen>),
    /// Another description.
    Edit(Box<Image>),
    /// Copies on hosts.
    Distribute(Box<Image>),
    /// A copy less.
    Evict(Box<Image>, api::HostId),
    /// An image less.
    Delete(Box<Image>),
}

/// The images, kept fresh, and what is wanted of them.
#[derive(Clone, Copy)]
struct Library {
    value: RwSignal<ListImagesReply>,
    failure: RwSignal<Option<Failure>>,
    wanted: RwSignal<Option<Wanted>, LocalStorage>,
}

impl Library {
    /// Reads it again.
    fn read(self) {
        spawn_local(async move {
            match list_images(ListImagesRequest::default()).await {
                Ok(value) => {
                    self.failure.try_set(None);
                    self.value.try_set(value);
                }
                Err(failure) => {
                    self.failure.try_set(Some(failure));
                }
            }
        });
    }
}

/// `/images`.
#[component]
pub fn ImagesPage() -> impl IntoView {
    let first = Resource::new_blocking(|| (), |()| list_images(ListImagesRequest::default()));
    read_again_when_live(first, Result::is_err);
    view! {
        <Title text="Images · VMS"/>
        <div class="page images">
            <h1>"Images"</h1>
            <Suspense fallback=|| view! { <p class="empty">"Reading the images…"</p> }>
                {move || Suspend::new(async move {
                    match first.await {
                        Ok(first) => view! { <Images first/> }.into_any(),
                        Err(failure) => failed(&failure).into_any(),
                    }
                })}
            </Suspense>
        </div>
    }
}

#[component]
fn Images(
    /// As the server read it.
    first: ListImagesReply,
) -> impl IntoView {
    let library = Library {
        value: RwSignal::new(first),
        failure: RwSignal::new(None),
        wanted: RwSignal::new_local(None),
    };
    provide_context(library);
    let live = expect_context::<Live>();
    let desk = expect_context::<Desk>();
    // What changes copies and uses, and what missed events may have changed.
    Effect::new(move |before: Option<(usize, u32, bool)>| {
        let ended = desk.known.with(|known| {
            let jobs = known.all().iter();
            jobs.filter(|job| job.state.is_over() && concerns_images(job.kind))
                .count()
        });
        let now = (
            ended,
            live.now.read().epoch,
            live.status.get() == Status::Live,
        );
        if before.is_some_and(|before| before != now) {
            library.read();
        }
        now
    });
    let search = expect_context::<Search>().text;
    let is_empty = Memo::new(move |_| {
        library
            .value
            .with(|value| value.images.is_empty() && value.uploads.is_empty())
    });
    let room = move || {
        library.value.with(|value| {
            format!(
                "{} stored, {} free",
                format::bytes(value.stored_bytes),
                format::bytes(value.available_bytes)
            )
        })
    };
    let add = move |way: Way| move |_| library.wanted.set(Some(Wanted::Add(way, Vec::new())));
    view! {
        <div class="page-acts scripted">
            <p class="minor">{room}</p>
            <button type="button" class="act" on:click=add(Way::Import)>"Import…"</button>
            <button type="button" class="act primary" on:click=add(Way::Upload)>"Upload…"</button>
        </div>
        <RefreshFailure failure=library.failure/>
        <Uploads library/>
        <Show when=move || is_empty.get()>
            <div class="first-image">
                <h2>"No image yet"</h2>
                <p>"Routers are made from images: a disk in qcow2 or raw format, a kernel with its initial file system, or a root file system for containers."</p>
                <p class="scripted">"Drop one here, upload it, or take it from the server's import directory."</p>
            </div>
        </Show>
        <Table library search/>
        <Dropping library/>
        {move || library.wanted.get().map(|wanted| match wanted {
            Wanted::Add(way, files) => view! { <AddDialog library way files/> }.into_any(),
            Wanted::Edit(image) => view! { <EditDialog library image=*image/> }.into_any(),
            Wanted::Distribute(image) => view! { <DistributeDialog library image=*image/> }.into_any(),
            Wanted::Evict(image, host) => view! { <EvictDialog library image=*image host/> }.into_any(),
            Wanted::Delete(image) => view! { <DeleteImageDialog library image=*image/> }.into_any(),
        })}
    }
    .into_any()
}

fn concerns_images(kind: JobKind) -> bool {
    matches!(
        kind,
        JobKind::ImageImport
            | JobKind::ImageDistribution
            | JobKind::ImageEviction
            | JobKind::ImageDeletion
            | JobKind::RouterCreation
            | JobKind::RouterDeletion
    )
}
