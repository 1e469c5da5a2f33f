//! The browser's machinery: a Web Lock elects the tab that holds the stream, a `BroadcastChannel`
//! carries what it hears to the others.

use super::{Live, News, Run, Sequence, Status, heard::Heard};
use js_sys::{Function, Promise, Reflect};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use std::{cell::RefCell, rc::Rc, time::Duration};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{BroadcastChannel, EventSource, MessageEvent};

const NAME: &str = "vms-events";
/// Waits before the stream is opened again, in milliseconds; the last repeats.
const PATIENCE: [u64; 5] = [300, 700, 1500, 3000, 5000];

/// How long a stream may be silent, in milliseconds. The server says something every 15 seconds:
/// after this it is taken for dead, though nobody ended it (a laptop that slept, a hung tunnel).
const SILENCE: f64 = 40_000.0;
/// How often the stream's silence is measured.
const CHECK: Duration = Duration::from_secs(5);

/// What tabs tell each other.
#[derive(Serialize, Deserialize)]
enum Message {
    /// From the leader: an event, as the server wrote it.
    Event(String),
    /// From the leader: how the stream is and where it is at.
    State { open: bool, run: Run, version: u64 },
    /// From a follower that came alive: where are we?
    Hello,
}

struct Tab {
    live: Live,
    sequence: Sequence,
    channel: Option<BroadcastChannel>,
    stream: Option<EventSource>,
    leading: bool,
    failures: usize,
    /// When the stream was opened or heard last, in milliseconds since 1970.
    heard: f64,
}

type Shared = Rc<RefCell<Tab>>;

thread_local! {
    static STARTED: RefCell<bool> = const { RefCell::new(false) };
}

/// Follows events from `version` of `run` on. The first call counts.
pub(super) fn start(live: Live, run: Run, version: u64) {
    if STARTED.with(|started| started.replace(true)) {
        return;
    }
    let sequence = Sequence::new(run, version);
    live.now.set(sequence.moment());
    let tab = Rc::new(RefCell::new(Tab {
        live,
        sequence,
        channel: BroadcastChannel::new(NAME).ok(),
        stream: None,
        leading: false,
        failures: 0,
        heard: 0.0,
    }));
    listen(&tab);
    say(&tab, &Message::Hello);
    elect(tab);
}

/// Hears the other tabs.
fn listen(tab: &Shared) {
    let Some(channel) = tab.borrow().channel.clone() else {
        return;
    };
    let hearer = Rc::clone(tab);
    let heard = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
        let parsed = message
            .data()
            .as_string()
            .and_then(|text| serde_json::from_str::<Message>(&text).ok());
        match parsed {
            Some(Message::Event(event)) => take(&hearer, &event),
            Some(Message::State { open: false, .. }) => show(&hearer, Status::Reconnecting),
            Some(Message::State { run, version, .. }) => {
                let news = hearer.borrow_mut().sequence.told(run, version);
                stands(&hearer, news);
            }
            Some(Message::Hello) if hearer.borrow().leading => tell_state(&hearer),
            // From a tab of another build of this page: it will be reloaded.
            Some(Message::Hello) | None => {}
        }
    });
    channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
    heard.forget();
}

/// Waits for the lock, and leads once it is had. Without locks (an insecure origin) every tab
/// leads itself alone.
fn elect(tab: Shared) {
    let locks = web_sys::window()
        .and_then(|window| Reflect::get(&window.navigator(), &"locks".into()).ok())
        .filter(|locks| !locks.is_undefined() && !locks.is_null());
    let request = locks.as_ref().and_then(|locks| {
        Reflect::get(locks, &"request".into())
            .ok()?
            .dyn_into::<Function>()
            .ok()
    });
    let (Some(locks), Some(request)) = (locks, request) else {
        tab.borrow_mut().channel = None;
        lead(&tab);
        return;
    };
    let leader = Rc::clone(&tab);
    let granted = Closure::<dyn FnMut(JsValue) -> Promise>::new(move |_lock| {
        lead(&leader);
        // Never resolved: the lock is held until the tab is closed.
        Promise::new(&mut |_resolve, _reject| {})
    });
    let held = request.call2(&locks, &NAME.into(), granted.as_ref());
    granted.forget();
    match held.map(JsCast::dyn_into::<Promise>) {
        Ok(Ok(held)) => wasm_bindgen_futures::spawn_local(async move {
            if wasm_bindgen_futures::JsFuture::from(held).await.is_err() {
                lead(&tab);
            }
        }),
        _ => lead(&tab),
    }
}

fn lead(tab: &Shared) {
    if std::mem::replace(&mut tab.borrow_mut().leading, true) {
        return;
    }
    open(tab);
    let tab = Rc::clone(tab);
    set_interval(
        move || {
            let silence = js_sys::Date::now() - tab.borrow().heard;
            if silence > SILENCE {
                fail(&tab);
            }
        },
        CHECK,
    );
}

/// Opens the stream from the version that this tab has.
fn open(tab: &Shared) {
    let since = tab.borrow().sequence.moment().version;
    hear(tab);
    let Ok(stream) = EventSource::new(&format!("/events?since={since}")) else {
        again(tab);
        return;
    };
    // The server names its run first.
    let opened = {
        let tab = Rc::clone(tab);
        Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
            hear(&tab);
            let run = message.data().as_string().and_then(|run| run.parse().ok());
            if let Some(run) = run.map(Run) {
                let news = {
                    let mut tab = tab.borrow_mut();
                    tab.failures = 0;
                    tab.sequence.connected(run)
                };
                stands(&tab, news);
                tell_state(&tab);
            }
        })
    };
    let pinged = {
        let tab = Rc::clone(tab);
        Closure::<dyn Fn()>::new(move || hear(&tab))
    };
    let heard = {
        let tab = Rc::clone(tab);
        Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
            hear(&tab);
            if let Some(event) = message.data().as_string() {
                take(&tab, &event);
                say(&tab, &Message::Event(event));
            }
        })
    };
    let failed = {
        let tab = Rc::clone(tab);
        Closure::<dyn Fn()>::new(move || fail(&tab))
    };
    // Handed to the collector of JavaScript: they live as long as the stream.
    for (name, listener) in [
        ("run", opened.into_js_value()),
        ("ping", pinged.into_js_value()),
    ] {
        // Fails only for a listener that is no function.
        let _ = stream.add_event_listener_with_callback(name, listener.unchecked_ref());
    }
    stream.set_onmessage(Some(heard.into_js_value().unchecked_ref()));
    stream.set_onerror(Some(failed.into_js_value().unchecked_ref()));
    tab.borrow_mut().stream = Some(stream);
}

/// Something came from the server just now.
fn hear(tab: &Shared) {
    tab.borrow_mut().heard = js_sys::Date::now();
}

/// Gives the stream up, if there is one, and opens it again.
fn fail(tab: &Shared) {
    let stream = tab.borrow_mut().stream.take();
    if let Some(stream) = stream {
        stream.close();
        show(tab, Status::Reconnecting);
        tell_state(tab);
        again(tab);
    }
}

/// Opens the stream again after a while.
fn again(tab: &Shared) {
    let wait = {
        let mut tab = tab.borrow_mut();
        tab.failures += 1;
        PATIENCE[(tab.failures - 1).min(PATIENCE.len() - 1)]
    };
    let tab = Rc::clone(tab);
    set_timeout(move || open(&tab), Duration::from_millis(wait));
}

/// Takes an event in, whoever heard it.
fn take(tab: &Shared, text: &str) {
    let Ok(event) = serde_json::from_str::<Heard>(text) else {
        return;
    };
    let (live, news) = {
        let mut tab = tab.borrow_mut();
        let news = match event {
            Heard::Topology { version, .. } => tab.sequence.take(version),
            Heard::Resync { version } => tab.sequence.resync(version),
            Heard::Measured { .. } | Heard::Job => News::Nothing,
        };
        (tab.live, news)
    };
    match event {
        Heard::Topology { changes, .. } if news != News::Nothing => {
            let sentences: Vec<_> = changes
                .iter()
                .take(3)
                .map(|change| change.summary.as_str())
                .collect();
            let more = changes.len().saturating_sub(sentences.len());
            let mut text = sentences.join(" ");
            if more > 0 {
                text = format!("{text} And {more} more changes.");
            }
            live.announcement.try_set(text);
        }
        Heard::Measured { host, at } => {
            live.measured.try_update(|measured| {
                measured.insert(host, at);
            });
        }
        Heard::Job => {
            live.desk.news.try_update(|news| news.push(text.to_owned()));
        }
        Heard::Topology { .. } | Heard::Resync { .. } => {}
    }
    follow(tab, news);
}

/// The stream stands, here or at the leader; `news` is what that says.
fn stands(tab: &Shared, news: News) {
    if news == News::Nothing {
        show(tab, Status::Live);
    }
    follow(tab, news);
}

/// Moves the page to where the sequence is.
fn follow(tab: &Shared, news: News) {
    let (live, now) = {
        let tab = tab.borrow();
        (tab.live, tab.sequence.moment())
    };
    if news == News::Nothing {
        return;
    }
    if news == News::Missed {
        show(tab, Status::Resync);
        let tab = Rc::clone(tab);
        set_timeout(
            move || {
                // The stream may have failed meanwhile.
                if live.status.try_get_untracked() == Some(Status::Resync) {
                    show(&tab, Status::Live);
                }
            },
            Duration::from_millis(1500),
        );
    }
    live.now.try_set(now);
}

fn show(tab: &Shared, status: Status) {
    let shown = tab.borrow().live.status;
    if shown.try_get_untracked() != Some(status) {
        shown.try_set(status);
    }
}

fn tell_state(tab: &Shared) {
    let state = {
        let tab = tab.borrow();
        Message::State {
            open: tab.stream.is_some(),
            run: tab.sequence.run(),
            version: tab.sequence.moment().version,
        }
    };
    say(tab, &state);
}

fn say(tab: &Shared, message: &Message) {
    if let Some(channel) = &tab.borrow().channel
        && let Ok(text) = serde_json::to_string(message)
    {
        // A channel that takes no message is one that is closed: there is nobody to tell.
        let _ = channel.post_message(&text.into());
    }
}
