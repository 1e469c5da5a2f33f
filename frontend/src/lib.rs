//! The wasm entry points.

// A page is one nested type.
#![recursion_limit = "512"]

/// Brings the page that the server sent to life.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
