//! The colour theme: as the system asks, light, or dark; kept in a cookie, so that the server
//! paints the first page right.

use leptos::prelude::*;

/// A button that goes through the themes. The style sheet shows the sign of the present one, so
/// that the server needs not know it here.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    view! {
        <button
            type="button"
            class="tool theme-switch"
            aria-label="Change the colour theme: automatic, light, dark"
            title="Colour theme: automatic, light, dark"
            on:click=move |_| switch()
        >
            <svg class="auto" viewBox="0 0 20 20" aria-hidden="true">
                <path fill-rule="evenodd" d="M10 2a8 8 0 1 0 0 16 8 8 0 0 0 0-16Zm0 1.6v12.8a6.4 6.4 0 0 1 0-12.8Z"></path>
            </svg>
            <svg class="light" viewBox="0 0 20 20" aria-hidden="true">
                <path d="M10 6a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM9.2 1h1.6v3H9.2ZM9.2 16h1.6v3H9.2ZM1 9.2h3v1.6H1ZM16 9.2h3v1.6h-3ZM3 4.2 4.2 3l2.1 2.1-1.2 1.2ZM13.7 14.9l1.2-1.2L17 15.8 15.8 17ZM3 15.8l2.1-2.1 1.2 1.2L4.2 17ZM13.7 5.1 15.8 3 17 4.2l-2.1 2.1Z"></path>
            </svg>
            <svg class="dark" viewBox="0 0 20 20" aria-hidden="true">
                <path d="M8.2 2.2a8 8 0 1 0 9.6 9.6 6.4 6.4 0 0 1-9.6-9.6Z"></path>
            </svg>
        </button>
    }
}

/// Goes on to the next theme.
fn switch() {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let document = document();
        let Some(root) = document.document_element() else {
            return;
        };
        let next = match root.get_attribute("data-theme").as_deref() {
            Some("light") => "dark",
            Some("dark") => "auto",
            _ => "light",
        };
        // Where a cookie cannot be set, the choice holds until the page is left.
        let _ = root.set_attribute("data-theme", next);
        if let Some(document) = document.dyn_ref::<web_sys::HtmlDocument>() {
            let _ = document.set_cookie(&format!(
                "vms-theme={next}; Path=/; Max-Age=31536000; SameSite=Lax"
            ));
        }
    }
}
