//! Asks what a new image is, and brings it: by an upload from this browser, or from the server's
//! import directory.

use super::{
    Library, Wanted,
    describe::{Described, DescriptionFields},
    guess,
    upload::{Chosen, carry, files_dropped, files_of},
};
use crate::{
    Failure,
    components::{Act, Dialog, DialogFoot, Select, close},
    format,
    jobs::Desk,
    server_functions::{begin_image_upload, import_image, list_import_files},
};
use api::{
    BeginImageUploadReply, BeginImageUploadRequest, ImageDescription, ImageFileRole, ImageKind,
    ImportImageReply, ImportImageRequest, ImportedFile, ListImportFilesReply,
    ListImportFilesRequest, UploadedFile,
};
use leptos::{html, prelude::*, task::spawn_local};

/// Where its files come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// This browser.
    Upload,
    /// The server's import directory.
    Import,
}

/// A file for a role: its name and size, wherever it comes from.
#[derive(Clone)]
struct Source {
    role: ImageFileRole,
    name: String,
    size: u64,
    file: Option<Chosen>,
}

/// Takes files that are dropped anywhere on the page.
#[component]
pub fn Dropping(
    /// The images.
    library: Library,
) -> impl IntoView {
    // Entering what is within comes before leaving what is around it.
    let depth = RwSignal::new(0i32);
    let listen = move || {
        let enter = window_event_listener(leptos::ev::dragenter, move |event| {
            event.prevent_default();
            depth.try_update(|depth| *depth += 1);
        });
        let leave = window_event_listener(leptos::ev::dragleave, move |_| {
            depth.try_update(|depth| *depth -= 1);
        });
        let over = window_event_listener(leptos::ev::dragover, |event| event.prevent_default());
        let dropped = window_event_listener(leptos::ev::drop, move |event| {
            event.prevent_default();
            depth.try_set(0);
            let files = files_dropped(&event);
            if !files.is_empty() && library.wanted.try_with_untracked(Option::is_none) == Some(true)
            {
                library.wanted.set(Some(Wanted::Add(Way::Upload, files)));
            }
        });
        on_cleanup(move || {
            enter.remove();
            leave.remove();
            over.remove();
            dropped.remove();
        });
    };
    #[cfg(feature = "hydrate")]
    listen();
    #[cfg(not(feature = "hydrate"))]
    let _ = listen;
    view! {
        <Show when=move || (depth.get() > 0) && library.wanted.with(Option::is_none)>
            <div class="drop-here" aria-hidden="true"><p>"Drop it to upload it"</p></div>
        </Show>
    }
    .into_any()
}

/// Asks, and begins.
#[component]
pub fn AddDialog(
    /// The images.
    library: Library,
    /// Where its files come from.
    way: Way,
    /// Files that were dropped.
    files: Vec<Chosen>,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let frame = NodeRef::<html::Dialog>::new();
    let act = Act::default();
    let kind_value = RwSignal::new(ImageKind::Qcow2.as_str().to_owned());
    let kind = Memo::new(move |_| kind_value.read().parse().unwrap_or(ImageKind::Qcow2));
    let form = Described::of(&ImageDescription {
        architecture: "x86_64".to_owned(),
        ..ImageDescription::default()
    });
    let sources = RwSignal::new_local(Vec::<Source>::new());
    // What names say is taken unless somebody said something else.
    let guessed = StoredValue::new((String::new(), String::new()));
    let take = move |taken: Vec<(String, u64, Option<Chosen>)>, asked: Option<ImageFileRole>| {
        for (name, size, file) in taken {
            let (of, by_name) = guess::kind(&name);
            if asked.is_none()
                || asked == Some(ImageFileRole::Disk) && of.roles().contains(&ImageFileRole::Disk)
            {
                kind_value.set(of.as_str().to_owned());
            }
            let role = asked.unwrap_or(by_name);
            let (title, version) = guess::title(&name);
            let (known_title, known_version) = guessed.get_value();
            if role != ImageFileRole::InitialFileSystem
                || form.name.with_untracked(String::is_empty)
            {
                if form.name.with_untracked(|name| *name == known_title) {
                    form.name.set(title.clone());
                }
                if form
                    .version
                    .with_untracked(|version| *version == known_version)
                {
                    form.version.set(version.clone());
                }
                form.architecture.set(guess::architecture(&name).to_owned());
                guessed.set_value((title, version));
            }
            sources.update(|sources| {
                sources.retain(|one| one.role != role);
                sources.push(Source {
                    role,
                    name,
                    size,
                    file,
                });
            });
        }
    };
    let take_chosen = move |files: Vec<Chosen>, role: Option<ImageFileRole>| {
        let files = files
            .into_iter()
            .map(|file| (file.name.clone(), file.size, Some(file)));
        take(files.collect(), role);
    };
    take_chosen(files, None);
    let there = RwSignal::new(None::<Result<ListImportFilesReply, Failure>>);
    if way == Way::Import {
        spawn_local(async move {
            there.try_set(Some(
                list_import_files(ListImportFilesRequest::default()).await,
            ));
        });
    }
    let wanted = Memo::new(move |_| form.read(kind.get()));
    let missing = move || {
        let roles = kind.get().roles().iter();
        sources.with(|sources| {
            let mut roles = roles.filter(|role| !sources.iter().any(|one| one.role == **role));
            roles.next().copied()
        })
    };
    let why_not = Signal::derive(move || {
        if act.pending.get() {
            return Some("It is being asked for…".to_owned());
        }
        if let Some(role) = missing() {
            return Some(format!("Choose the file: {}.", role.describe()));
        }
        let empty = sources.with(|sources| {
            sources
                .iter()
                .find(|one| one.size == 0)
                .map(|one| one.name.clone())
        });
        if let Some(name) = empty {
            return Some(format!("{name} is empty."));
        }
        wanted.with(|wanted| wanted.as_ref().err().cloned())
    });
    let submit = move |()| {
        let (Ok(description), None) = (wanted.get_untracked(), why_not.get_untracked()) else {
            return;
        };
        let kind = kind.get_untracked();
        let used: Vec<_> = kind
            .roles()
            .iter()
            .filter_map(|role| {
                sources.with_untracked(|all| all.iter().find(|one| one.role == *role).cloned())
            })
            .collect();
        match way {
            Way::Upload => {
                let files = used.iter().map(|one| UploadedFile {
                    role: one.role,
                    size_bytes: Some(one.size),
                    sha256: None,
                });
                let request = BeginImageUploadRequest {
                    kind,
                    description,
                    files: files.collect(),
                    request_id: None,
                };
                act.run(
                    begin_image_upload(request),
                    move |reply: BeginImageUploadReply| {
                        let chosen = reply.upload.files.iter().filter_map(|there| {
                            used.iter().find(|one| one.role == there.role)?.file.clone()
                        });
                        carry(&reply.upload, chosen.collect());
                        library.read();
                        close(frame);
                    },
                );
            }
            Way::Import => {
                let files = used.iter().map(|one| ImportedFile {
                    role: one.role,
                    path: one.name.clone(),
                    sha256: None,
                });
                let request = ImportImageRequest {
                    kind,
                    description,
                    files: files.collect(),
                    request_id: None,
                };
                act.run(import_image(request), move |reply: ImportImageReply| {
                    desk.hear(&reply.job);
                    close(frame);
                });
            }
        }
    };
    let role_of = move |role: ImageFileRole| {
        sources.with(|sources| sources.iter().find(|one| one.role == role).cloned())
    };
    let over = RwSignal::new(false);
    let picker = move || {
        let roles = kind.get().roles();
        roles
            .iter()
            .map(|&role| {
                let label = if roles.len() > 1 { role.describe() } else { "file" };
                view! {
                    <label
                        class="drop-zone"
                        class:over=over
                        on:dragover=move |event| {
                            event.prevent_default();
                            over.set(true);
                        }
                        on:dragleave=move |_| over.set(false)
                        on:drop=move |event| {
                            event.prevent_default();
                            event.stop_propagation();
                            over.set(false);
                            take_chosen(files_dropped(&event), (roles.len() > 1).then_some(role));
                        }
                    >
                        <input type="file" aria-label=format!("Choose the {label}") on:change=move |event| take_chosen(files_of(&event), Some(role))/>
                        {move || match role_of(role) {
                            Some(one) => view! {
                                <strong class="break">{one.name}</strong>
                                <span class="minor">{format::bytes(one.size)} ". Choose another, or drop it here."</span>
                            }.into_any(),
                            None => view! {
                                <strong>"Choose the " {label}</strong>
                                <span class="minor">"or drop it here"</span>
                            }.into_any(),
                        }}
                    </label>
                }
            })
            .collect_view()
    };
    let listed = move || {
        there.with(|there| match there {
            None => view! { <p class="working" role="status">"Reading the import directory…"</p> }.into_any(),
            Some(Err(failure)) => view! { <p class="notice" role="alert">{failure.to_string()}</p> }.into_any(),
            Some(Ok(reply)) if !reply.configured => view! {
                <p class="notice">"The server has no import directory. Name one as “import_directory” in its configuration, vms.toml, and put files there; or upload one from here."</p>
            }.into_any(),
            Some(Ok(reply)) if reply.files.is_empty() => view! {
                <p class="notice">"The import directory is empty. Put files there, and open this again."</p>
            }.into_any(),
            Some(Ok(reply)) => {
                let files = StoredValue::new(reply.files.clone());
                let roles = move || kind.get().roles();
                view! {
                    {move || roles().iter().map(|&role| view! {
                        <p class="part-title">{if roles().len() > 1 { role.describe() } else { "Files in the import directory" }}</p>
                        <div class="places-list" role="radiogroup" aria-label=role.describe()>
                            {files.get_value().into_iter().map(|file| {
                                let (path, own) = (file.path.clone(), file.path.clone());
                                let size = file.size_bytes;
                                view! {
                                    <label class="place file">
                                        <input
                                            type="radio"
                                            name=role.as_str()
                                            prop:checked=move || role_of(role).is_some_and(|one| one.name == own)
                                            on:change=move |_| take(vec![(path.clone(), size, None)], Some(role))
                                        />
                                        <span class="place-name mono">{file.path.clone()}</span>
                                        <span class="place-free">{file.format.clone()} ", " {format::bytes(size)}</span>
                                    </label>
                                }
                            }).collect_view()}
                        </div>
                    }).collect_view()}
                }.into_any()
            }
        })
    };
    let kinds = ImageKind::ALL.map(|kind| (kind.as_str().to_owned(), kind.describe().to_owned()));
    let (eyebrow, label) = match way {
        Way::Upload => ("Upload", "Upload"),
        Way::Import => ("Import", "Import"),
    };
    view! {
        <Dialog
            eyebrow
            title="New image"
            class="add-image"
            frame
            closed=move |()| library.wanted.set(None)
            submit
        >
            <div class="fields first">
                <Select label="What it is" value=kind_value options=Signal::stored(kinds.to_vec()) class="wide"/>
            </div>
            {match way {
                Way::Upload => view! { <div class="drop-zones">{picker}</div> }.into_any(),
                Way::Import => view! { <div class="import-files">{listed}</div> }.into_any(),
            }}
            <DescriptionFields form kind/>
            <DialogFoot label why_not failure=act.failure frame/>
        </Dialog>
    }
    .into_any()
}
