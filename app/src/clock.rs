//! The present, as far as a page may show it: ages appear only after the page has come alive,
//! because server and browser would not write the same age.

use api::Timestamp;
use leptos::prelude::*;

/// Ticks once a second in the browser; stands still on the server.
#[derive(Clone, Copy)]
pub struct Clock {
    /// Now by the server's clock, in milliseconds since 1970; `None` until the page is alive.
    now: RwSignal<Option<i64>>,
    /// How much the server's clock is ahead of this machine's, in milliseconds.
    #[cfg(feature = "hydrate")]
    ahead: StoredValue<i64>,
}

impl Clock {
    /// Makes the clock, starts it in the browser, and offers it to everything below.
    pub fn provide() -> Self {
        let clock = Self {
            now: RwSignal::new(None),
            #[cfg(feature = "hydrate")]
            ahead: StoredValue::new(0),
        };
        #[cfg(feature = "hydrate")]
        Effect::new(move || {
            clock.tick();
            let ticking =
                set_interval_with_handle(move || clock.tick(), std::time::Duration::from_secs(1));
            on_cleanup(move || {
                if let Ok(handle) = ticking {
                    handle.clear();
                }
            });
        });
        provide_context(clock);
        clock
    }

    /// How long `at` is ago, in words; `None` until the page is alive.
    pub fn age(self, at: Timestamp) -> Option<String> {
        self.now
            .get()
            .map(|now| crate::format::ago(now - at.as_millisecond()))
    }

    /// Learns the server's time from an answer that was just made there.
    #[cfg_attr(not(feature = "hydrate"), allow(unused_variables, clippy::unused_self))]
    pub fn server_said(self, at: Timestamp) {
        #[cfg(feature = "hydrate")]
        {
            self.ahead
                .set_value(at.as_millisecond() - js_sys::Date::now() as i64);
            self.tick();
        }
    }

    #[cfg(feature = "hydrate")]
    fn tick(self) {
        if let Some(ahead) = self.ahead.try_get_value() {
            self.now.try_set(Some(js_sys::Date::now() as i64 + ahead));
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
