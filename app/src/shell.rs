//! The HTML document around the app.

use crate::App;
use leptos::{config::LeptosOptions, hydration::HydrationScripts, prelude::*};
use leptos_meta::{HashedStylesheet, MetaTags};

/// The document: head, scripts with the request's nonce, and the app as its body.
///
/// The colour theme that was chosen is read from its cookie, so that the first paint has it.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=chosen_theme()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="description" content="Hosts, virtual routers and the links between them, live."/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <HashedStylesheet id="leptos" options=options.clone()/>
                // The parts that come later hang on it; the first script asks for it.
                <link rel="modulepreload" href=format!("/{}/{}_later.js", options.site_pkg_dir, options.output_name)/>
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// `light`, `dark`, or `auto` when nobody chose.
fn chosen_theme() -> &'static str {
    #[cfg(feature = "ssr")]
    if let Some(parts) = use_context::<http::request::Parts>() {
        return parts
            .headers
            .get_all(http::header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().strip_prefix("vms-theme="))
            .find_map(|theme| ["light", "dark"].into_iter().find(|known| *known == theme))
            .unwrap_or("auto");
    }
    "auto"
}
