//! Asks before something is done to an image: another description, copies on hosts, a copy less, an
//! image less.

use super::{
    Library,
    describe::{Described, DescriptionFields},
};
use crate::{
    components::{Act, Dialog, DialogFoot, HostStateChip, Tick, close},
    format,
    jobs::Desk,
    server_functions::{
        check_creation, delete_image, describe_image, distribute_image, evict_image, list_hosts,
    },
};
use api::{
    CheckCreationRequest, CreateRouterRequest, CreationPlace, DeleteImageReply, DeleteImageRequest,
    DescribeImageReply, DescribeImageRequest, DistributeImageReply, DistributeImageRequest,
    EvictImageReply, EvictImageRequest, Host, HostId, HostState, Image,
};
use leptos::{html, prelude::*, task::spawn_local};

/// Asks what is to be known of an image.
#[component]
pub fn EditDialog(
    /// The images.
    library: Library,
    /// The image.
    image: Image,
) -> impl IntoView {
    let frame = NodeRef::<html::Dialog>::new();
    let act = Act::default();
    let title = image.title();
    let Image {
        id,
        kind,
        description,
        ..
    } = image;
    let form = Described::of(&description);
    let wanted = Memo::new(move |_| form.read(kind));
    let why_not = Memo::new(move |_| {
        if act.pending.get() {
            return Some("It is being asked for…".to_owned());
        }
        wanted.with(|wanted| wanted.as_ref().err().cloned())
    });
    let submit = move |()| {
        let (Ok(description), None) = (wanted.get_untracked(), why_not.get_untracked()) else {
            return;
        };
        let request = DescribeImageRequest {
            image: id,
            description,
            request_id: None,
        };
        act.run(describe_image(request), move |_: DescribeImageReply| {
            library.read();
            close(frame);
        });
    };
    view! {
        <Dialog eyebrow="Edit" title=Signal::stored(title) frame closed=move |()| library.wanted.set(None) submit>
            <p class="lead">"Its files stay as they are, and so do routers that were made from it."</p>
            <DescriptionFields form kind=Signal::stored(kind) open=true/>
            <DialogFoot label="Save" why_not failure=act.failure frame/>
        </Dialog>
    }
    .into_any()
}

/// Asks to which hosts an image shall be brought.
#[component]
pub fn DistributeDialog(
    /// The images.
    library: Library,
    /// The image.
    image: Image,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let frame = NodeRef::<html::Dialog>::new();
    let act = Act::default();
    let hosts = RwSignal::new(None::<Result<Vec<Host>, crate::Failure>>);
    let places = RwSignal::new(Vec::<CreationPlace>::new());
    let chosen = RwSignal::new(Vec::<HostId>::new());
    let pool = RwSignal::new(false);
    let id = image.id;
    spawn_local(async move {
        hosts.try_set(Some(list_hosts().await.map(|table| table.hosts)));
        // Which hosts have no pool yet is known from where a router could be made.
        let router = CreateRouterRequest {
            name: "any".to_owned(),
            image: id,
            host: None,
            driver: None,
            vcpus: None,
            memory_bytes: None,
            disk_bytes: None,
            interfaces: Vec::new(),
            virtual_network: None,
            tags: Vec::new(),
            autostart: None,
            start: None,
            ready_within_seconds: None,
            cloud_init: None,
            kernel_arguments: None,
            create_pool: Some(true),
            request_id: None,
        };
        if let Ok(reply) = check_creation(CheckCreationRequest { router }).await {
            places.try_set(reply.places);
        }
    });
    let has = StoredValue::new(
        image
            .copies
            .iter()
            .map(|copy| copy.host.clone())
            .collect::<Vec<_>>(),
    );
    let lacks_pool = move |host: &HostId| {
        places.with(|places| {
            places
                .iter()
                .any(|place| place.host == *host && place.needs_pool)
        })
    };
    let needs_pool = Memo::new(move |_| chosen.with(|chosen| chosen.iter().any(lacks_pool)));
    let why_not = Memo::new(move |_| {
        if act.pending.get() {
            return Some("It is being asked for…".to_owned());
        }
        if chosen.with(Vec::is_empty) {
            return Some("Choose a host.".to_owned());
        }
        (needs_pool.get() && !pool.get())
            .then(|| "Say that the storage pool may be made where there is none.".to_owned())
    });
    let submit = move |()| {
        if why_not.with_untracked(Option::is_some) {
            return;
        }
        let request = DistributeImageRequest {
            image: id,
            hosts: chosen.get_untracked(),
            create_pool: Some(pool.get_untracked()),
            request_id: None,
        };
        act.run(
            distribute_image(request),
            move |reply: DistributeImageReply| {
                for job in &reply.jobs {
                    desk.hear(job);
                }
                close(frame);
            },
        );
    };
    let line = move |host: &Host| {
        let (own, id) = (host.id.clone(), host.id.clone());
        let has = has.with_value(|all| all.contains(&host.id));
        let away = !matches!(host.state, HostState::Online | HostState::Degraded);
        let why = match (has, away) {
            (true, _) => "It has it already.",
            (_, true) => "It does not answer.",
            _ => "",
        };
        let pool_note = host.id.clone();
        view! {
            <label class="place bare" class:cannot=has || away>
                <input
                    type="checkbox"
                    disabled=has || away
                    prop:checked=move || chosen.with(|chosen| chosen.contains(&own))
                    on:change=move |event| chosen.update(|chosen| {
                        chosen.retain(|one| *one != id);
                        if event_target_checked(&event) {
                            chosen.push(id.clone());
                        }
                    })
                />
                <span class="place-name">{host.name.clone()}</span>
                <span class="place-free"><HostStateChip state=host.state/></span>
                <span class="place-why">{why} {move || lacks_pool(&pool_note).then_some("It has no storage pool “vms” yet.")}</span>
            </label>
        }
    };
    view! {
        <Dialog eyebrow="Bring to hosts" title=Signal::stored(image.title()) frame closed=move |()| library.wanted.set(None) submit>
            <p class="lead">{format!("{} go to each. A router is made faster where its image is already.", format::bytes(image.size_bytes()))}</p>
            <div class="places-list" role="group" aria-label="Hosts">
                {move || hosts.with(|hosts| match hosts {
                    None => view! { <p class="working" role="status">"Reading the hosts…"</p> }.into_any(),
                    Some(Err(failure)) => view! { <p class="notice" role="alert">{failure.to_string()}</p> }.into_any(),
                    Some(Ok(all)) if all.is_empty() => view! { <p class="empty">"There is no host."</p> }.into_any(),
                    Some(Ok(all)) => all.iter().map(line).collect_view().into_any(),
                })}
            </div>
            <Show when=move || needs_pool.get()>
                <Tick value=pool>"Make the storage pool “vms” where there is none: a directory for images and disks"</Tick>
            </Show>
            <DialogFoot label="Bring it there" why_not failure=act.failure frame/>
        </Dialog>
    }
    .into_any()
}

/// Asks whether a host's copy shall go.
#[component]
pub fn EvictDialog(
    /// The images.
    library: Library,
    /// The image.
    image: Image,
    /// The host.
    host: HostId,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let frame = NodeRef::<html::Dialog>::new();
    let act = Act::default();
    let used = image
        .copies
        .iter()
        .find(|copy| copy.host == host)
        .map_or(0, |copy| copy.routers);
    let why_not = Memo::new(move |_| {
        if act.pending.get() {
            return Some("It is being asked for…".to_owned());
        }
        (used > 0).then(|| {
            format!(
                "{} on this host need it.",
                format::count(used as usize, "router", "routers")
            )
        })
    });
    let (id, at) = (image.id, host.clone());
    let submit = move |()| {
        if why_not.with_untracked(Option::is_some) {
            return;
        }
        let request = EvictImageRequest {
            image: id,
            host: at.clone(),
            request_id: None,
        };
        act.run(evict_image(request), move |reply: EvictImageReply| {
            desk.hear(&reply.job);
            close(frame);
        });
    };
    view! {
        <Dialog eyebrow="Delete a copy" title=Signal::stored(image.title()) frame closed=move |()| library.wanted.set(None) submit>
            <p class="lead">
                "The copy on " <strong>{host.to_string()}</strong>
                {format!(" is deleted, which frees {} there. The image stays in the library, and is brought there again when a router is made from it.", format::bytes(image.size_bytes()))}
            </p>
            <DialogFoot label="Delete the copy" danger=true why_not failure=act.failure frame/>
        </Dialog>
    }
    .into_any()
}

/// Asks whether an image shall go.
#[component]
pub fn DeleteImageDialog(
    /// The images.
    library: Library,
    /// The image.
    image: Image,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let frame = NodeRef::<html::Dialog>::new();
    let act = Act::default();
    let used = image.routers;
    let why_not = Memo::new(move |_| {
        if act.pending.get() {
            return Some("It is being asked for…".to_owned());
        }
        (used > 0).then(|| {
            format!(
                "{} made from it: delete them first.",
                format::count(used as usize, "router is", "routers are")
            )
        })
    });
    let id = image.id;
    let submit = move |()| {
        if why_not.with_untracked(Option::is_some) {
            return;
        }
        let request = DeleteImageRequest {
            image: id,
            request_id: None,
        };
        act.run(delete_image(request), move |reply: DeleteImageReply| {
            desk.hear(&reply.job);
            close(frame);
        });
    };
    let copies: Vec<_> = image
        .copies
        .iter()
        .map(|copy| copy.host.to_string())
        .collect();
    let copies: Vec<_> = copies.iter().map(String::as_str).collect();
    let copies = match copies.len() {
        0 => "No copy: no host has one.".to_owned(),
        count => format!(
            "{} on hosts: {}.",
            format::count(count, "copy", "copies"),
            crate::errands::words::names(&copies)
        ),
    };
    view! {
        <Dialog eyebrow="Delete" title=Signal::stored(image.title()) class="sure-dialog" frame closed=move |()| library.wanted.set(None) submit>
            <p class="lead">"It is gone for good, and cannot be brought back unless you have its files."</p>
            <div class="lost">
                <h3>"What goes"</h3>
                <ul>
                    <li>{format!("The image in the library, {}.", format::bytes(image.size_bytes()))}</li>
                    <li>{copies}</li>
                </ul>
            </div>
            <DialogFoot label="Delete" danger=true why_not failure=act.failure frame/>
        </Dialog>
    }
    .into_any()
}
