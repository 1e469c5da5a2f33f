//! The wasm entry points.

// A page is one nested type.
#![recursion_limit = "512"]

use wasm_bindgen::prelude::wasm_bindgen;

/// Brings the page that the server sent to life. A page of which a part does not come stays what it
/// was, which can be used without script, too; the console says why.
#[wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    if app::load().await.is_ok() {
        leptos::mount::hydrate_body(app::App);
    }
}
