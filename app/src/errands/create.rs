//! Asks what a new router shall be, says at once where it can be made and why not elsewhere, and
//! makes it.

use super::{
    Errands,
    interface::{choices, interface},
    words,
};
use crate::{
    Failure,
    components::{Act, Dialog, DialogFoot, Field, Select, Tick, close},
    format,
    jobs::Desk,
    moving::{
        places::{Place, Places, findings},
        words::number,
    },
    server_functions::{check_creation, create_router, list_images, list_routers},
};
use api::{
    CheckCreationReply, CheckCreationRequest, CloudInit, CreateRouterReply, CreateRouterRequest,
    CreationPlace, FindingLevel, HostId, Image, ImageId, ImageKind, ListImagesRequest,
    NewInterface,
};
use leptos::{html, prelude::*, task::spawn_local};
use leptos_router::components::A;
use std::{collections::BTreeSet, time::Duration};

/// How long nothing is typed before the hosts are asked.
const PAUSE: Duration = Duration::from_millis(250);
/// Memory of a router if nobody says, in MiB.
const MEMORY: u64 = 128;

/// An interface as it is filled in.
#[derive(Clone, Copy, PartialEq)]
struct Row {
    number: u32,
    to: RwSignal<String>,
    mac: RwSignal<String>,
    addresses: RwSignal<String>,
}

impl Row {
    fn new(number: u32) -> Self {
        Self {
            number,
            to: RwSignal::new(String::new()),
            mac: RwSignal::new(String::new()),
            addresses: RwSignal::new(String::new()),
        }
    }
}

/// What is filled in.
#[derive(Clone, Copy)]
struct Form {
    image: RwSignal<String>,
    name: RwSignal<String>,
    vcpus: RwSignal<String>,
    memory: RwSignal<String>,
    disk: RwSignal<String>,
    rows: RwSignal<Vec<Row>>,
    network: RwSignal<String>,
    tags: RwSignal<String>,
    autostart: RwSignal<bool>,
    start: RwSignal<bool>,
    ready: RwSignal<String>,
    host_name: RwSignal<String>,
    ssh_keys: RwSignal<String>,
    user_data: RwSignal<String>,
    arguments: RwSignal<String>,
}

impl Form {
    fn new() -> Self {
        let text = || RwSignal::new(String::new());
        Self {
            image: text(),
            name: text(),
            vcpus: text(),
            memory: text(),
            disk: text(),
            rows: RwSignal::new(Vec::new()),
            network: text(),
            tags: text(),
            autostart: RwSignal::new(false),
            start: RwSignal::new(true),
            ready: text(),
            host_name: text(),
            ssh_keys: text(),
            user_data: text(),
            arguments: text(),
        }
    }

    /// What is asked for, wherever it is made; or what is wrong with it.
    fn request(self, image: &Image) -> Result<CreateRouterRequest, String> {
        let named = |name: &'static str| move |wrong: String| format!("{name}: {wrong}.");
        if let Some(wrong) = words::name_fault(self.name.read().trim()) {
            return Err(wrong.to_owned());
        }
        let vcpus = number(&self.vcpus.read(), 1, 1024).map_err(named("Processors"))?;
        let memory_bytes = words::mebibytes(&self.memory.read()).map_err(named("Memory"))?;
        let disk = number(&self.disk.read(), 1, 1 << 40).map_err(named("Disk"))?;
        let ready = number(&self.ready.read(), 0, 3600).map_err(named("Wait until it is ready"))?;
        let interfaces = self.rows.with(|rows| {
            let rows = rows.iter().enumerate();
            rows.map(|(index, row)| {
                interface(&row.to.read(), &row.mac.read(), &row.addresses.read())
                    .map_err(|wrong| format!("Interface {}: {wrong}", index + 1))
            })
            .collect::<Result<Vec<NewInterface>, _>>()
        })?;
        let seed = CloudInit {
            user_data: words::some(&self.user_data.read()),
            host_name: words::some(&self.host_name.read()),
            ssh_keys: self
                .ssh_keys
                .read()
                .lines()
                .filter_map(words::some)
                .collect(),
        };
        let description = &image.description;
        Ok(CreateRouterRequest {
            name: self.name.read().trim().to_owned(),
            image: image.id,
            host: None,
            driver: None,
            vcpus: vcpus.and_then(|vcpus| u32::try_from(vcpus).ok()),
            memory_bytes,
            disk_bytes: disk
                .filter(|_| has_disk(image))
                .map(|mebibytes| mebibytes << 20),
            interfaces,
            virtual_network: words::some(&self.network.read()),
            tags: words::list(&self.tags.read()),
            autostart: Some(self.autostart.get()),
            start: Some(self.start.get()),
            ready_within_seconds: ready.and_then(|ready| u32::try_from(ready).ok()),
            cloud_init: (description.cloud_init == Some(true)).then_some(seed),
            kernel_arguments: words::some(&self.arguments.read())
                .filter(|_| image.kind == ImageKind::Kernel),
            create_pool: None,
            request_id: None,
        })
    }
}

fn has_disk(image: &Image) -> bool {
    matches!(image.kind, ImageKind::Qcow2 | ImageKind::Raw)
}

/// Asks, and makes it.
#[component]
pub fn CreateDialog(
    /// The image, if it was said.
    image: Option<ImageId>,
    /// The host, if it was said.
    host: Option<HostId>,
) -> impl IntoView {
    let errands = expect_context::<Errands>();
    let desk = expect_context::<Desk>();
    let frame = NodeRef::<html::Dialog>::new();
    let act = Act::default();
    let form = Form::new();
    let images = RwSignal::new(None::<Result<Vec<Image>, Failure>>);
    let chosen = RwSignal::new(host);
    let pool = RwSignal::new(false);
    let taken = StoredValue::new(BTreeSet::<String>::new());
    spawn_local(async move {
        if let Ok(table) = list_routers().await {
            let names = table.routers.into_iter().map(|row| row.name);
            taken.try_set_value(names.collect());
        }
        let found = list_images(ListImagesRequest::default()).await;
        let first = found.as_ref().ok().and_then(|found| {
            let mut all = found.images.iter();
            let first = all.clone().next();
            all.find(|one| Some(one.id) == image).or(first)
        });
        if let Some(first) = first {
            form.image.try_set(first.id.to_string());
        }
        images.try_set(Some(found.map(|found| found.images)));
    });
    let of = Memo::new(move |_| {
        let id: Option<ImageId> = form.image.read().parse().ok();
        images.with(|images| {
            let all = images.as_ref()?.as_ref().ok()?;
            all.iter().find(|image| Some(image.id) == id).cloned()
        })
    });
    let next = StoredValue::new(0u32);
    let add_row = move || {
        let number = next.get_value() + 1;
        next.set_value(number);
        form.rows.update(|rows| rows.push(Row::new(number)));
    };
    // Of another image, another name is proposed unless somebody wrote one.
    let proposed = StoredValue::new(String::new());
    Effect::new(move || {
        let Some(image) = of.get() else { return };
        let name = words::propose(&image.description.name, |name| {
            taken.with_value(|taken| taken.contains(name))
        });
        if form.name.with_untracked(|written| {
            written.is_empty() || proposed.with_value(|own| own == written)
        }) {
            proposed.set_value(name.clone());
            form.name.set(name);
        }
        if form.rows.with_untracked(Vec::is_empty) {
            for _ in 0..image.description.interfaces.unwrap_or(0).min(16) {
                add_row();
            }
        }
    });
    let wanted = Memo::new(move |_| match of.get() {
        None => Err("Choose an image.".to_owned()),
        Some(image) => form.request(&image),
    });
    // The hosts are asked about everything but which of them it shall be, once nothing is typed.
    let answer = RwSignal::new(None::<Result<CheckCreationReply, Failure>>);
    let asking = RwSignal::new(false);
    let count = StoredValue::new(0u32);
    // What can be connected is known only with an answer: interfaces that say nothing do not hinder it.
    let checked = Memo::new(move |_| {
        let image = of.get()?;
        let mut request = form
            .request(&image)
            .or_else(|_| {
                let rest = Form {
                    rows: RwSignal::new(Vec::new()),
                    ..form
                };
                rest.request(&image)
            })
            .ok()?;
        request.create_pool = Some(true);
        Some(request)
    });
    Effect::new(move || {
        let Some(router) = checked.get() else { return };
        let asked = count.get_value() + 1;
        count.set_value(asked);
        asking.set(true);
        set_timeout(
            move || {
                if count.try_get_value() != Some(asked) {
                    return;
                }
                spawn_local(async move {
                    let reply = check_creation(CheckCreationRequest { router }).await;
                    // The dialog may be closed, or ask for something else by now.
                    if count.try_get_value() == Some(asked) {
                        answer.try_set(Some(reply));
                        asking.try_set(false);
                    }
                });
            },
            PAUSE,
        );
    });
    let places = Memo::new(move |_| {
        answer.with(|answer| match answer {
            Some(Ok(reply)) => reply.places.clone(),
            _ => Vec::new(),
        })
    });
    // Where it would be made.
    let place = Memo::new(move |_| {
        let chosen = chosen.get();
        places.with(|places| {
            let mut places = places.iter();
            match chosen {
                Some(host) => places.find(|place| place.host == host),
                None => places.find(|place| place.possible),
            }
            .cloned()
        })
    });
    let connections = Memo::new(move |_| {
        let chosen = chosen.get();
        places.with(|places| {
            let here = places
                .iter()
                .filter(|place| chosen.as_ref().is_none_or(|chosen| place.host == *chosen));
            let all = |read: fn(&CreationPlace) -> &Vec<String>| -> Vec<String> {
                let names = here
                    .clone()
                    .flat_map(read)
                    .cloned()
                    .collect::<BTreeSet<_>>();
                names.into_iter().collect()
            };
            choices(&all(|place| &place.networks), &all(|place| &place.bridges))
        })
    });
    // A new interface leads at once to what most hosts have: the choice among them stays.
    Effect::new(move || {
        let shared = |value: &str| {
            places.with(|places| {
                let has = |place: &&CreationPlace| match value.split_once(':') {
                    Some(("network", name)) => place.networks.iter().any(|one| one == name),
                    Some((_, name)) => place.bridges.iter().any(|one| one == name),
                    None => false,
                };
                places.iter().filter(has).count()
            })
        };
        let usual = connections.with(|all| {
            let values = all.iter().rev().map(|(value, _)| value);
            values.max_by_key(|value| shared(value)).cloned()
        });
        let Some(usual) = usual else { return };
        form.rows.with(|rows| {
            for row in rows {
                if row.to.with_untracked(String::is_empty) {
                    row.to.set(usual.clone());
                }
            }
        });
    });
    let needs_pool = Memo::new(move |_| {
        place.with(|place| place.as_ref().is_some_and(|place| place.needs_pool))
    });
    let why_not = Memo::new(move |_| {
        if act.pending.get() {
            return Some("It is being asked for…".to_owned());
        }
        if images.with(Option::is_none) {
            return Some("The images are being read.".to_owned());
        }
        if let Err(wrong) = wanted.get() {
            return Some(wrong);
        }
        let name = form.name.get();
        if taken.with_value(|taken| taken.contains(name.trim())) {
            return Some(format!(
                "There is a router {} already: give it another name.",
                name.trim()
            ));
        }
        if asking.get() {
            return Some("The hosts are being asked…".to_owned());
        }
        if let Some(Err(failure)) = answer.get() {
            return Some(failure.to_string());
        }
        match place.get() {
            None if chosen.with(Option::is_some) => {
                Some("Nothing is known of this host.".to_owned())
            }
            None => Some("It can be made on no host: each says why.".to_owned()),
            Some(place) if !place.possible => Some(place.summary),
            Some(place) if place.needs_pool && !pool.get() => Some(format!(
                "Say that the storage pool may be made on {}.",
                place.host_name
            )),
            Some(_) => None,
        }
    });
    let submit = move |()| {
        let (Ok(request), None) = (wanted.get_untracked(), why_not.get_untracked()) else {
            return;
        };
        let request = CreateRouterRequest {
            host: chosen.get_untracked(),
            create_pool: Some(pool.get_untracked()),
            ..request
        };
        act.run(create_router(request), move |reply: CreateRouterReply| {
            desk.hear(&reply.job);
            close(frame);
        });
    };
    let image_options = Signal::derive(move || {
        images.with(|images| match images {
            Some(Ok(all)) => all
                .iter()
                .map(|image| (image.id.to_string(), image.title()))
                .collect(),
            _ => Vec::new(),
        })
    });
    let usual = move |read: fn(&Image) -> String| {
        Signal::derive(move || of.with(|of| of.as_ref().map(read).unwrap_or_default()))
    };
    let is = move |read: fn(&Image) -> bool| {
        Memo::new(move |_| of.with(|of| of.as_ref().is_some_and(read)))
    };
    let (disk, seeded, kernel) = (
        is(has_disk),
        is(|image| image.description.cloud_init == Some(true)),
        is(|image| image.kind == ImageKind::Kernel),
    );
    let about = move || {
        of.with(|of| {
            let image = of.as_ref()?;
            Some(format!(
                "{}, {}, {}",
                image.kind.describe(),
                image.description.architecture,
                format::bytes(image.size_bytes())
            ))
        })
    };
    let title = Signal::derive(move || {
        let name = form.name.get();
        if name.trim().is_empty() {
            "New router".to_owned()
        } else {
            name
        }
    });
    let fields = move || {
        view! {
            <div class="fields">
                <Select label="Image" value=form.image options=image_options/>
                <Field label="Name" value=form.name/>
                <Field label="Processors" hint="virtual ones" value=form.vcpus number=true
                    usual=usual(|image| image.description.vcpus.unwrap_or(1).to_string())/>
                <Field label="Memory" hint="MiB" value=form.memory number=true
                    usual=usual(|image| (image.description.memory_bytes.map_or(MEMORY, |bytes| bytes >> 20)).to_string())/>
                <Show when=move || disk.get()>
                    <Field label="Disk" hint="MiB" value=form.disk number=true usual=usual(|image| {
                        let size = image.files.iter().find_map(|file| file.virtual_size_bytes);
                        size.map_or_else(String::new, |bytes| bytes.div_ceil(1 << 20).to_string())
                    })/>
                </Show>
            </div>
            <p class="minor about">{about}</p>
            <section class="part">
                <h3>"Host"</h3>
                <div class="places" aria-busy=move || if asking.get() { "true" } else { "false" }>
                    {move || answer.with(|answer| match answer {
                        None => view! { <p class="working" role="status">"Asking the hosts…"</p> }.into_any(),
                        Some(Err(failure)) => view! { <p class="notice" role="alert">{failure.to_string()}</p> }.into_any(),
                        Some(Ok(reply)) => {
                            let best = reply.places.iter().find(|place| place.possible);
                            let fittest = best.map_or_else(
                                || "None can take it at present.".to_owned(),
                                |best| format!("At present that is {}.", best.host_name),
                            );
                            view! {
                                <Places
                                    places=reply.places.iter().map(to_choose).collect()
                                    chosen
                                    none="There is no host."
                                    fittest
                                    only_possible=true
                                />
                            }.into_any()
                        }
                    })}
                </div>
                <div class="findings" aria-live="polite">
                    {move || place.get().filter(|_| chosen.with(Option::is_some)).map(|place| findings(&place.findings, &place.summary))}
                </div>
                <Show when=move || needs_pool.get()>
                    <Tick value=pool>
                        {move || place.with(|place| place.as_ref().map(|place| format!(
                            "Make the storage pool “vms” on {}, a directory for images and disks",
                            place.host_name
                        )))}
                    </Tick>
                </Show>
            </section>
            <Interfaces form connections add=move |()| add_row()/>
            <details class="part">
                <summary>"More"</summary>
                <div class="fields">
                    <Field label="Virtual network" value=form.network usual="none"/>
                    <Field label="Tags" hint="apart by commas" value=form.tags usual="none"/>
                    <Field label="Wait until it is ready" hint="seconds" value=form.ready usual="120" number=true/>
                    <Show when=move || kernel.get()>
                        <Field label="Further arguments of the kernel" value=form.arguments class="wide"
                            usual=usual(|image| image.description.kernel_arguments.clone().unwrap_or_default())/>
                    </Show>
                </div>
                <Tick value=form.start>"Start it once it is made"</Tick>
                <Tick value=form.autostart>"Start it with its host"</Tick>
                <Show when=move || seeded.get()>
                    <h3>"Cloud-init"</h3>
                    <div class="fields">
                        <Field label="Host name" value=form.host_name usual=form.name/>
                        <label class="wide">
                            <span>"SSH keys " <small>"one a line"</small></span>
                            <textarea rows="2" class="mono" spellcheck="false" prop:value=form.ssh_keys
                                on:input=move |event| form.ssh_keys.set(event_target_value(&event))></textarea>
                        </label>
                        <label class="wide">
                            <span>"User data " <small>"for example a #cloud-config"</small></span>
                            <textarea rows="4" class="mono" spellcheck="false" prop:value=form.user_data
                                on:input=move |event| form.user_data.set(event_target_value(&event))></textarea>
                        </label>
                    </div>
                </Show>
            </details>
        }
        .into_any()
    };
    let is_empty =
        Memo::new(move |_| images.with(|images| matches!(images, Some(Ok(all)) if all.is_empty())));
    view! {
        <Dialog
            eyebrow="Create"
            title
            class="create-dialog"
            frame
            closed=move |()| errands.wanted.set(None)
            submit
        >
            {move || images.with(|images| match images {
                Some(Err(failure)) => Some(view! { <p class="notice" role="alert">{failure.to_string()}</p> }.into_any()),
                _ => None,
            })}
            {move || if is_empty.get() {
                view! {
                    <p class="lead">
                        "A router is made from an image, and there is none yet. "
                        <A href="/images" on:click=move |_| close(frame)>"Bring the first image"</A>
                    </p>
                }.into_any()
            } else {
                fields()
            }}
            <DialogFoot
                label=Signal::derive(move || if form.start.get() { "Create and start" } else { "Create" }.to_owned())
                why_not
                failure=act.failure
                frame
            />
        </Dialog>
    }
    .into_any()
}

fn to_choose(place: &CreationPlace) -> Place {
    let worst = place.findings.iter().map(|finding| finding.level).max();
    let level = match (place.possible, worst) {
        (false, _) => FindingLevel::Obstacle,
        (true, Some(FindingLevel::Warning | FindingLevel::Obstacle)) => FindingLevel::Warning,
        (true, _) => FindingLevel::Fine,
    };
    Place {
        host: place.host.clone(),
        name: place.host_name.clone(),
        level,
        free: place.score.filter(|_| place.possible),
        summary: place.summary.clone(),
    }
}

/// What it is connected to.
#[component]
fn Interfaces(
    /// What is filled in.
    form: Form,
    /// What there is to connect to.
    connections: Memo<Vec<(String, String)>>,
    /// One more.
    #[prop(into)]
    add: Callback<()>,
) -> impl IntoView {
    let row = move |row: Row| {
        let number = move || {
            form.rows.with(|rows| {
                rows.iter()
                    .position(|one| one.number == row.number)
                    .unwrap_or(0)
                    + 1
            })
        };
        view! {
            <fieldset class="nic">
                <legend class="visually-hidden">"Interface " {number}</legend>
                <div class="fields">
                    <Select label="Connected to" value=row.to options=connections/>
                    <Field label="Addresses" value=row.addresses usual="none"/>
                    <Field label="MAC address" value=row.mac usual="one that nobody has"/>
                </div>
                <button
                    type="button"
                    class="tool"
                    aria-label=move || format!("Take interface {} away", number())
                    title="Take it away"
                    on:click=move |_| form.rows.update(|rows| rows.retain(|one| one.number != row.number))
                >
                    <crate::components::Cross/>
                </button>
            </fieldset>
        }
    };
    view! {
        <section class="part">
            <div class="part-head">
                <h3>"Interfaces"</h3>
                <button type="button" class="act small" disabled=move || connections.with(Vec::is_empty) on:click=move |_| add.run(())>
                    "Add an interface"
                </button>
            </div>
            <For each=move || form.rows.get() key=|row| row.number children=row/>
            <Show when=move || form.rows.with(Vec::is_empty)>
                <p class="minor">"None: each link to another router brings one of its own."</p>
            </Show>
        </section>
    }
    .into_any()
}
