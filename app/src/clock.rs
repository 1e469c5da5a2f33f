//! The present, as far as a page may show it: ages appear only after the page has come alive,
//! because server and browser would not write the same age.

use api::Timestamp;
use leptos::prelude::*;

/// Ticks once a second in the browser, while an age is shown; stands still on the server.
#[derive(Clone, Copy)]
pub struct Clock {
    /// Told when a second has passed; whether the page is alive.
    alive: RwSignal<bool>,
    #[cfg(feature = "hydrate")]
    ticking: StoredValue<Ticking>,
}

#[cfg(feature = "hydrate")]
#[derive(Clone, Copy, Default)]
struct Ticking {
    /// How much the server's clock is ahead of this machine's, in milliseconds.
    ahead: i64,
    /// A tick is to come.
    due: bool,
}

impl Clock {
    /// Makes the clock, starts it in the browser, and offers it to everything below.
    pub fn provide() -> Self {
        let clock = Self {
            alive: RwSignal::new(false),
            #[cfg(feature = "hydrate")]
            ticking: StoredValue::default(),
        };
        #[cfg(feature = "hydrate")]
        Effect::new(move || clock.alive.set(true));
        provide_context(clock);
        clock
    }

    /// How long `at` is ago, in words; `None` until the page is alive.
    #[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
    pub fn age(self, at: Timestamp) -> Option<String> {
        let alive = self.alive.get();
        #[cfg(feature = "hydrate")]
        if alive {
            return Some(crate::format::ago(self.now()? - at.as_millisecond()));
        }
        None
    }

    /// Learns the server's time from an answer that was just made there.
    #[cfg_attr(not(feature = "hydrate"), allow(unused_variables, clippy::unused_self))]
    pub fn server_said(self, at: Timestamp) {
        #[cfg(feature = "hydrate")]
        {
            let ahead = at.as_millisecond() - js_sys::Date::now() as i64;
            self.ticking
                .try_update_value(|ticking| ticking.ahead = ahead);
            self.tick();
        }
    }

    /// Now by the server's clock, in milliseconds since 1970, for somebody who shows an age: it is
    /// shown anew in a second.
    #[cfg(feature = "hydrate")]
    fn now(self) -> Option<i64> {
        let Ticking { ahead, due } = self.ticking.try_get_value()?;
        if !due {
            self.ticking.try_update_value(|ticking| ticking.due = true);
            set_timeout(
                move || {
                    self.ticking.try_update_value(|ticking| ticking.due = false);
                    self.tick();
                },
                std::time::Duration::from_secs(1),
            );
        }
        Some(js_sys::Date::now() as i64 + ahead)
    }

    /// Has all ages shown anew.
    #[cfg(feature = "hydrate")]
    fn tick(self) {
        if self.alive.try_get_untracked() == Some(true) {
            self.alive.try_set(true);
        }
    }
}

/// Waits in the browser; on the server nothing waits.
#[cfg_attr(
    not(feature = "hydrate"),
    allow(unused_variables, clippy::unused_async)
)]
pub async fn sleep(time: std::time::Duration) {
    #[cfg(feature = "hydrate")]
    {
        let slept = js_sys::Promise::new(&mut |done, _| {
            // Without a timer it goes on at once.
            let timer = window().set_timeout_with_callback_and_timeout_and_arguments_0(
                &done,
                time.as_millis() as i32,
            );
            if timer.is_err() {
                let _ = done.call0(&wasm_bindgen::JsValue::NULL);
            }
        });
        let _ = wasm_bindgen_futures::JsFuture::from(slept).await;
    }
}
