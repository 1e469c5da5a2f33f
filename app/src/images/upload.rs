//! Carries uploads out: piece by piece, from where the server says it is, again and again until all
//! of it is there or somebody gives it up.
//!
//! It goes on while one looks at other pages; a page that is loaded anew has lost the files, and asks
//! for them again.

use api::{ImageId, UploadId};
use leptos::prelude::*;

/// A file that was chosen.
#[derive(Clone)]
pub struct Chosen {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    #[cfg(feature = "hydrate")]
    file: web_sys::File,
}

/// How an upload is.
#[derive(Clone, Debug, PartialEq)]
// The server only reads it.
#[cfg_attr(not(feature = "hydrate"), allow(dead_code))]
pub enum Stage {
    /// Bytes go.
    Sending,
    /// It did not go on; it is tried again.
    Waiting(String),
    /// All bytes are there; the server makes an image of them.
    Finishing,
    /// The image is there.
    Done(ImageId),
    /// It cannot go on.
    Failed(String),
}

/// How far an upload is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// How it is.
    pub stage: Stage,
    /// Bytes that are there.
    pub sent: u64,
    /// Bytes in all.
    pub total: u64,
    /// Bytes a second.
    pub rate: Option<f64>,
}

impl Progress {
    /// Seconds that are left.
    pub fn seconds_left(&self) -> Option<u64> {
        let rate = self.rate.filter(|rate| *rate > 0.0)?;
        Some((self.total.saturating_sub(self.sent) as f64 / rate).ceil() as u64)
    }
}

/// An upload that this page carries out.
#[derive(Clone)]
pub struct Carried {
    /// Which.
    pub id: UploadId,
    /// What it will be.
    pub title: String,
    /// How far it is.
    pub progress: ArcRwSignal<Progress>,
}

#[cfg(feature = "hydrate")]
mod alive {
    use super::{Carried, Chosen, Progress, Stage};
    use crate::{
        Failure,
        clock::sleep,
        server_functions::{cancel_image_upload, get_image_upload},
    };
    use api::{CancelImageUploadRequest, GetImageUploadRequest, ImageUpload, UploadId};
    use leptos::{prelude::*, task::spawn_local};
    use std::{cell::RefCell, time::Duration};
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{FileList, RequestInit, Response};

    /// The first piece, in bytes; the next ones are as large as goes in about a second.
    const FIRST: u64 = 256 << 10;
    /// The largest piece: how far it is is told after each.
    const LARGEST: u64 = 16 << 20;
    /// How long is waited before it is tried again, in milliseconds, at first and at most.
    const WAIT: (u64, u64) = (1000, 30_000);

    thread_local! {
        static CARRIED: RefCell<Option<ArcRwSignal<Vec<Carried>>>> = const { RefCell::new(None) };
    }

    /// The uploads that this page carries out.
    pub fn carried() -> ArcRwSignal<Vec<Carried>> {
        CARRIED.with_borrow_mut(|all| {
            all.get_or_insert_with(|| ArcRwSignal::new(Vec::new()))
                .clone()
        })
    }

    pub fn chosen(files: Option<FileList>) -> Vec<Chosen> {
        let Some(files) = files else {
            return Vec::new();
        };
        (0..files.length())
            .filter_map(|index| files.get(index))
            .map(|file| Chosen {
                name: file.name(),
                size: file.size() as u64,
                file,
            })
            .collect()
    }

    /// Carries an upload out with these files, in the order of its own.
    pub fn carry(upload: &ImageUpload, files: Vec<Chosen>) {
        let progress = ArcRwSignal::new(Progress {
            stage: Stage::Sending,
            sent: upload.files.iter().map(|file| file.received_bytes).sum(),
            total: files.iter().map(|file| file.size).sum(),
            rate: None,
        });
        let id = upload.id;
        carried().update(|all| {
            all.retain(|one| one.id != id);
            all.push(Carried {
                id,
                title: format!("{} {}", upload.description.name, upload.description.version),
                progress: progress.clone(),
            });
        });
        warn_before_leaving();
        let upload = upload.clone();
        spawn_local(async move {
            let end = match send(upload, &files, &progress).await {
                Ok(stage) => stage,
                Err(why) => Stage::Failed(why),
            };
            progress.update(|progress| progress.stage = end);
        });
    }

    /// Puts an upload away, and gives it up unless it is done.
    pub async fn give_up(id: UploadId, is_done: bool) -> Result<(), Failure> {
        carried().update(|all| all.retain(|one| one.id != id));
        if is_done {
            return Ok(());
        }
        cancel_image_upload(CancelImageUploadRequest { upload: id })
            .await
            .map(|_| ())
    }

    fn is_carried(id: UploadId) -> bool {
        carried().with_untracked(|all| all.iter().any(|one| one.id == id))
    }

    /// Sends what is missing. An error is one that trying again does not mend.
    async fn send(
        mut upload: ImageUpload,
        files: &[Chosen],
        progress: &ArcRwSignal<Progress>,
    ) -> Result<Stage, String> {
        let id = upload.id;
        let mut piece = FIRST;
        let mut wait = WAIT.0;
        // Where it was refused last, and how often: what is refused there again is refused for good.
        let mut refused = (u64::MAX, 0);
        loop {
            if !is_carried(id) {
                return Err("It was given up.".to_owned());
            }
            let sent = upload.files.iter().map(|file| file.received_bytes).sum();
            progress.update(|progress| progress.sent = sent);
            if let Some(image) = upload.image {
                return Ok(Stage::Done(image));
            }
            let missing = upload
                .files
                .iter_mut()
                .zip(files)
                .find(|(there, file)| !there.complete && there.received_bytes < file.size);
            let Some((there, file)) = missing else {
                // The server compares what it got, and makes an image of it.
                progress.update(|progress| progress.stage = Stage::Finishing);
                sleep(Duration::from_millis(700)).await;
                match get_image_upload(GetImageUploadRequest { upload: id }).await {
                    Ok(reply) => upload = reply.upload,
                    Err(Failure::Refused(error)) => return Err(error.to_string()),
                    Err(_) => {}
                }
                continue;
            };
            let begin = there.received_bytes;
            let end = (begin + piece).min(file.size);
            let before = now();
            let why = match put(&there.path, file, begin, end).await {
                Ok(now_there) => {
                    there.received_bytes = end;
                    if let Some(now_there) = now_there {
                        upload = now_there;
                    }
                    let took = (now() - before).max(1.0) / 1000.0;
                    let rate = (end - begin) as f64 / took;
                    progress.update(|progress| {
                        progress.stage = Stage::Sending;
                        progress.rate =
                            Some(progress.rate.map_or(rate, |known| known * 0.7 + rate * 0.3));
                    });
                    piece = ((rate as u64).clamp(64 << 10, LARGEST) >> 16) << 16;
                    wait = WAIT.0;
                    continue;
                }
                Err(Refusal { is_answer, why }) => {
                    if is_answer {
                        let times = if refused.0 == begin { refused.1 + 1 } else { 1 };
                        refused = (begin, times);
                        if times > 2 {
                            return Err(why);
                        }
                    }
                    why
                }
            };
            progress.update(|progress| {
                progress.stage = Stage::Waiting(why);
                progress.rate = None;
            });
            sleep(Duration::from_millis(wait)).await;
            wait = (wait * 2).min(WAIT.1);
            piece = FIRST;
            // Where it is: some of it may have come.
            match get_image_upload(GetImageUploadRequest { upload: id }).await {
                Ok(reply) => upload = reply.upload,
                Err(Failure::Refused(error)) => return Err(error.to_string()),
                Err(_) => {}
            }
        }
    }

    /// Why a piece was not taken.
    struct Refusal {
        /// Whether the server said so; else it does not answer.
        is_answer: bool,
        why: String,
    }

    /// Sends a piece; how far the upload is after that, as the server says.
    async fn put(
        path: &str,
        file: &Chosen,
        begin: u64,
        end: u64,
    ) -> Result<Option<ImageUpload>, Refusal> {
        let gone = |_: JsValue| Refusal {
            is_answer: false,
            why: "The server does not answer.".to_owned(),
        };
        let blob = file
            .file
            .slice_with_f64_and_f64(begin as f64, end as f64)
            .map_err(gone)?;
        let headers = web_sys::Headers::new().map_err(gone)?;
        let range = format!("bytes {begin}-{}/{}", end - 1, file.size);
        headers.set("content-range", &range).map_err(gone)?;
        let init = RequestInit::new();
        init.set_method("PUT");
        init.set_headers(&headers);
        init.set_body(&blob);
        let response = JsFuture::from(window().fetch_with_str_and_init(path, &init))
            .await
            .map_err(gone)?;
        let response: Response = response.dyn_into().map_err(gone)?;
        let text = JsFuture::from(response.text().map_err(gone)?).await;
        let text = text.map_err(gone)?.as_string().unwrap_or_default();
        if response.ok() {
            return Ok(serde_json::from_str(&text).ok());
        }
        let error = serde_json::from_str::<api::Error>(&text);
        Err(Refusal {
            is_answer: true,
            why: error.map_or_else(
                |_| format!("The server refused it ({}).", response.status()),
                |error| error.to_string(),
            ),
        })
    }

    fn now() -> f64 {
        window().performance().map_or(0.0, |clock| clock.now())
    }

    /// Leaving this server's pages breaks uploads off.
    fn warn_before_leaving() {
        thread_local! {
            static HEARD: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
        }
        if HEARD.replace(true) {
            return;
        }
        let listener = wasm_bindgen::closure::Closure::<dyn Fn(web_sys::BeforeUnloadEvent)>::new(
            move |event: web_sys::BeforeUnloadEvent| {
                let busy = carried().with_untracked(|all| {
                    all.iter().any(|one| {
                        one.progress.with_untracked(|progress| {
                            !matches!(progress.stage, Stage::Done(_) | Stage::Failed(_))
                        })
                    })
                });
                if busy {
                    event.prevent_default();
                }
            },
        );
        let _ = window().add_event_listener_with_callback(
            "beforeunload",
            listener.into_js_value().unchecked_ref(),
        );
    }
}

#[cfg(feature = "hydrate")]
pub use alive::{carried, carry, chosen, give_up};

/// On the server nothing is carried.
#[cfg(not(feature = "hydrate"))]
mod still {
    use super::{Carried, Chosen};
    use crate::Failure;
    use api::{ImageUpload, UploadId};
    use leptos::prelude::*;

    pub fn carried() -> ArcRwSignal<Vec<Carried>> {
        ArcRwSignal::new(Vec::new())
    }

    pub fn carry(_: &ImageUpload, _: Vec<Chosen>) {}

    pub async fn give_up(_: UploadId, _: bool) -> Result<(), Failure> {
        std::future::ready(Ok(())).await
    }
}

#[cfg(not(feature = "hydrate"))]
pub use still::{carried, carry, give_up};

/// The files that an input has, and empties it: the same one can be chosen again.
#[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
pub fn files_of(event: &leptos::ev::Event) -> Vec<Chosen> {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let input = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok());
        chosen(input.and_then(|input| input.files()))
    }
    #[cfg(not(feature = "hydrate"))]
    Vec::new()
}

/// The files that are dropped.
#[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
pub fn files_dropped(event: &leptos::ev::DragEvent) -> Vec<Chosen> {
    #[cfg(feature = "hydrate")]
    return chosen(event.data_transfer().and_then(|data| data.files()));
    #[cfg(not(feature = "hydrate"))]
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_what_is_missing_by_the_rate() {
        let mut progress = Progress {
            stage: Stage::Sending,
            sent: 25,
            total: 100,
            rate: None,
        };
        assert_eq!(progress.seconds_left(), None);
        progress.rate = Some(10.0);
        assert_eq!(progress.seconds_left(), Some(8));
    }
}
