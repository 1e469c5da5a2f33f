//! The uploads that are under way, and those that were broken off.

use super::{
    Library,
    upload::{Carried, Stage, carried, carry, files_of, give_up},
};
use crate::{
    components::Act,
    format,
    jobs::{Desk, words::how_far},
};
use api::{ImageUpload, JobProgress, UploadProgress};
use leptos::prelude::*;

/// All of them; nothing if there are none.
#[component]
pub fn Uploads(
    /// The images.
    library: Library,
) -> impl IntoView {
    let carried = carried();
    let here = {
        let carried = carried.clone();
        move || carried.get()
    };
    // What another page carries, or none does any more.
    let broken = Memo::new(move |_| {
        let own: Vec<_> = carried.with(|all| all.iter().map(|one| one.id).collect());
        library.value.with(|value| {
            let uploads = value.uploads.iter();
            uploads
                .filter(|upload| upload.image.is_none() && !own.contains(&upload.id))
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    view! {
        <ul class="uploads" aria-label="Uploads">
            <For each=here key=|one| one.id children=move |one| view! { <Going one library/> }/>
            <For each=move || broken.get() key=|upload| (upload.id, upload.files.iter().map(|file| file.received_bytes).sum::<u64>()) children=move |upload| view! { <Broken upload library/> }/>
        </ul>
    }
    .into_any()
}

/// One that this page carries out.
#[component]
fn Going(
    /// Which.
    one: Carried,
    /// The images.
    library: Library,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let progress = one.progress.clone();
    let known = Memo::new(move |_| progress.get());
    let title = one.title.clone();
    let told = title.clone();
    Effect::new(move |before: Option<bool>| {
        let (ended, good) = known.with(|known| match &known.stage {
            Stage::Done(_) => (true, true),
            Stage::Failed(_) => (true, false),
            _ => (false, false),
        });
        if ended && before == Some(false) {
            library.read();
            if good {
                desk.tell(None, true, format!("{told} is in the library."));
                // It is in the list now.
                carried().update(|all| all.retain(|other| other.id != one.id));
            }
        }
        ended
    });
    let id = one.id;
    let away = move |_| {
        let done = known.with_untracked(|known| matches!(known.stage, Stage::Done(_)));
        leptos::task::spawn_local(async move {
            // What is gone already needs no giving up.
            let _ = give_up(id, done).await;
            library.read();
        });
    };
    let share = move || {
        known.with(|known| {
            if known.total == 0 {
                0.0
            } else {
                known.sent as f64 / known.total as f64
            }
        })
    };
    let label = format!("Upload of {title}");
    let numbers = move || {
        known.with(|known| {
            how_far(&JobProgress {
                done_bytes: known.sent,
                total_bytes: known.total,
                bytes_per_second: known.rate.map(|rate| rate as u64),
                seconds_left: known.seconds_left(),
                iteration: None,
            })
        })
    };
    view! {
        <li class="upload">
            <div class="card-head">
                <h2>{title.clone()}</h2>
                <button type="button" class="act small" on:click=away>
                    {move || known.with(|known| if matches!(known.stage, Stage::Failed(_)) { "Put away" } else { "Cancel" })}
                </button>
            </div>
            <div class="progress">
                <p class="progress-line">
                    <strong>{move || known.with(|known| match &known.stage {
                        Stage::Sending => "uploading",
                        Stage::Waiting(_) => "waiting",
                        Stage::Finishing => "being checked",
                        Stage::Done(_) => "done",
                        Stage::Failed(_) => "failed",
                    })}</strong>
                    <span>{numbers}</span>
                </p>
                <progress max="1" value=move || format!("{:.4}", share()) aria-label=label></progress>
            </div>
            {move || known.with(|known| match &known.stage {
                Stage::Waiting(why) => Some(view! { <p class="minor" role="status">{why.clone()} " It goes on by itself."</p> }.into_any()),
                Stage::Failed(why) => Some(view! { <p class="notice" role="alert">{why.clone()}</p> }.into_any()),
                _ => None,
            })}
        </li>
    }
    .into_any()
}

/// One that was broken off, or that another page carries out.
#[component]
fn Broken(
    /// Which.
    upload: ImageUpload,
    /// The images.
    library: Library,
) -> impl IntoView {
    let act = Act::default();
    let wrong = RwSignal::new(None::<String>);
    let title = format!("{} {}", upload.description.name, upload.description.version);
    let received: u64 = upload.files.iter().map(|file| file.received_bytes).sum();
    let total: Option<u64> = upload.files.iter().map(|file| file.size_bytes).sum();
    let missing: Vec<UploadProgress> = upload
        .files
        .iter()
        .filter(|file| !file.complete)
        .cloned()
        .collect();
    let id = upload.id;
    let roles: Vec<_> = missing.iter().map(|file| file.role.describe()).collect();
    let asked = match &roles[..] {
        [_] => "Choose the same file again to go on".to_owned(),
        roles => format!(
            "Choose the same files again to go on: {}",
            roles.join(" and ")
        ),
    };
    let many = upload.files.len() > 1;
    let stored = StoredValue::new(upload);
    let go_on = move |event: leptos::ev::Event| {
        let files = files_of(&event);
        let upload = stored.get_value();
        // Each file of the upload gets the one of its size.
        let fitting: Option<Vec<_>> = upload
            .files
            .iter()
            .map(|there| {
                let mut files = files.iter();
                files
                    .find(|file| there.size_bytes.is_none_or(|size| size == file.size))
                    .cloned()
            })
            .collect();
        match fitting {
            Some(files) => carry(&upload, files),
            None => wrong.set(Some(
                "These are not the same files: their sizes differ.".to_owned(),
            )),
        }
    };
    let away = move |_| {
        act.run(give_up(id, false), move |()| library.read());
    };
    view! {
        <li class="upload broken">
            <div class="card-head">
                <h2>{title}</h2>
                <span class="upload-acts scripted">
                    <label class="act small as-button">
                        {asked}
                        <input type="file" multiple=many on:change=go_on/>
                    </label>
                    <button type="button" class="act small" disabled=act.pending on:click=away>"Give up"</button>
                </span>
            </div>
            <p class="minor">
                "Broken off: " {format::bytes(received)} {total.map(|total| format!(" of {}", format::bytes(total)))} " are there. "
                "If it is under way in another window, it goes on there."
            </p>
            {move || wrong.get().map(|wrong| view! { <p class="notice" role="alert">{wrong}</p> })}
            {move || act.failure.get().map(|failure| view! { <p class="notice" role="alert">{failure.to_string()}</p> })}
        </li>
    }
    .into_any()
}
