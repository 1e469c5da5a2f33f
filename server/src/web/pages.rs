//! The pages of the app, rendered on the server, and what they find in their context.

use super::{
    CONTENT_SECURITY_POLICY, Web,
    assets::{Site, asset},
    caller,
    refusal::Refusal,
};
use api::{Channel, Operations};
use app::topology_view::Pictures;
use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use std::sync::Arc;

/// The document around the app.
pub(super) fn document(
    options: LeptosOptions,
) -> impl Fn() -> AnyView + Clone + Send + Sync + 'static {
    move || app::shell(options.clone()).into_any()
}

/// Provides what pages and server functions find in their context, and sets the headers that depend
/// on the request.
pub(super) fn context(web: Web) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        provide_context::<Arc<dyn Operations>>(web.operations.clone());
        provide_context::<Arc<dyn Pictures>>(web.pictures.clone());
        provide_context(web.run);
        let parts = use_context::<Parts>();
        let extensions = parts.map(|parts| parts.extensions).unwrap_or_default();
        provide_context(caller(Channel::Page, &extensions));
        if let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) {
            // The nonce is Base64: always a valid header.
            if let Ok(policy) = HeaderValue::from_str(&policy(&nonce)) {
                response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
            }
            // A page shows the present: after going back, too, it must be asked for anew.
            response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }
}

fn policy(nonce: &str) -> String {
    format!(
        "{CONTENT_SECURITY_POLICY}; script-src 'self' 'wasm-unsafe-eval' 'nonce-{nonce}'; \
         style-src 'self' 'nonce-{nonce}'; worker-src 'self'"
    )
}

/// What no route knows: a file of the site, or the page that says that there is nothing.
pub(super) async fn asset_or_not_found(State(web): State<Web>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Refusal::new(
            StatusCode::NOT_FOUND,
            format!(
                "There is nothing at {path} that takes {}.",
                request.method()
            ),
        )
        .into_response();
    }
    if let Some(file) = asset::<Site>(&path, request.uri().query(), request.headers()) {
        return file;
    }
    let accepts_html = request
        .headers()
        .get_all(header::ACCEPT)
        .iter()
        .any(|value| {
            value
                .to_str()
                .is_ok_and(|value| value.contains("text/html"))
        });
    if !accepts_html {
        return Refusal::new(
            StatusCode::NOT_FOUND,
            format!("There is nothing at {path}."),
        )
        .into_response();
    }
    let page = leptos_axum::render_app_to_stream_with_context(
        context(web.clone()),
        document(web.options.clone()),
    );
    let mut response = page(request).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
