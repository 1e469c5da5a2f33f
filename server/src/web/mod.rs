//! What a browser sees: pages, the event stream, the graph's pictures, files, health; and around
//! everything, the SOAP services included, the guard, limits, compression and headers.
//!
//! ```text
//! guard ─▶ limits ─▶ compression ─▶ headers ─┬▶ /            pages (Leptos), with server functions
//!                                            ├▶ /events      events
//!                                            ├▶ /graph/{v}   pictures
//!                                            ├▶ /routers/{id}/console  console
//!                                            ├▶ /healthz, /readyz
//!                                            ├▶ /services/…  SOAP
//!                                            ├▶ /images/…    uploads, of any size
//!                                            └▶ otherwise    assets, or the page that says 404
//! ```

mod assets;
mod caching;
mod console;
mod events;
mod guard;
mod health;
mod pages;
mod pictures;
mod refusal;
mod unhurried;
mod uploads;

pub use pictures::PictureCache;
pub use refusal::Refusal;

use api::{Caller, Channel, Operations};
use app::live::Run;
use axum::{
    Router,
    extract::{ConnectInfo, FromRef},
    middleware,
    routing::get,
};
use http::{Extensions, HeaderName, HeaderValue, header};
use leptos::config::LeptosOptions;
use leptos_axum::{LeptosRoutes, generate_route_list};
use std::{
    collections::hash_map::RandomState, hash::BuildHasher, net::SocketAddr, sync::Arc,
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower_http::{
    compression::CompressionLayer,
    limit::RequestBodyLimitLayer,
    set_header::SetResponseHeaderLayer,
    trace::{DefaultOnFailure, TraceLayer},
};

/// The longest that a request may take to be answered. Acting waits for a host within a deadline of
/// its own, which is shorter.
const REQUEST_TIME: Duration = Duration::from_mins(1);
/// The largest body of a request, in bytes. SOAP has the same limit.
const BODY_BYTES: usize = 4 << 20;

/// What goes out with everything that brings no policy of its own: it may load nothing but from
/// here, and be framed by nobody. Pages add the nonce of their inline scripts.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; frame-ancestors 'none'; \
     base-uri 'self'; form-action 'self'";

/// The pages about SOAP services bring their style along, and no script.
const SERVICES_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// What the front doors need.
#[derive(Clone)]
pub struct Web {
    /// The only door to the fleet.
    pub operations: Arc<dyn Operations>,
    /// This run, to tell its versions from those of another.
    pub run: Run,
    /// The layouts of the topology.
    pub pictures: Arc<PictureCache>,
    /// Whether every host was tried.
    pub ready: watch::Receiver<bool>,
    /// Ends the streams.
    pub shutdown: CancellationToken,
    /// Leptos' own settings.
    pub options: LeptosOptions,
}

impl Web {
    /// The front doors over `operations`.
    pub fn new(
        operations: Arc<dyn Operations>,
        ready: watch::Receiver<bool>,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            run: Run(RandomState::new().hash_one(())),
            pictures: Arc::new(PictureCache::new(operations.clone())),
            operations,
            ready,
            shutdown,
            options: LeptosOptions::builder().output_name("vms").build(),
        }
    }
}

impl FromRef<Web> for LeptosOptions {
    fn from_ref(web: &Web) -> Self {
        web.options.clone()
    }
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Web").finish_non_exhaustive()
    }
}

/// Everything that the server answers.
pub fn router(web: Web) -> Router {
    let limits = soap::Limits {
        max_body_bytes: BODY_BYTES,
        ..soap::Limits::default()
    };
    let services = soap::router(crate::pilot::services(&web.operations), limits).layer(
        header_if_absent(header::CONTENT_SECURITY_POLICY, SERVICES_POLICY),
    );
    // What may be large, and take its time, has bounds of its own.
    let uploads = uploads::router(web.clone());
    Router::new()
        .leptos_routes_with_context(
            &web,
            generate_route_list(app::App),
            pages::context(web.clone()),
            pages::document(web.options.clone()),
        )
        .route("/events", get(events::events))
        .route("/graph/{version}", get(pictures::graph))
        .route("/routers/{id}/console", get(console::console))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(pages::asset_or_not_found)
        .with_state(web)
        .layer(RequestBodyLimitLayer::new(BODY_BYTES))
        .merge(services)
        .layer(CompressionLayer::new())
        .merge(uploads)
        .layer(middleware::from_fn(unhurried::time_limits))
        .layer(header_if_absent(
            header::CONTENT_SECURITY_POLICY,
            CONTENT_SECURITY_POLICY,
        ))
        .layer(header_if_absent(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header_if_absent(header::REFERRER_POLICY, "same-origin"))
        .layer(header_if_absent(
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ))
        .layer(header_if_absent(
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ))
        .layer(middleware::from_fn(guard::guard))
        // A server that is not ready yet, or a SOAP 1.1 fault, is no failure of ours: those are
        // logged where they happen, with a reference.
        .layer(
            TraceLayer::new_for_http()
                .on_failure(DefaultOnFailure::new().level(tracing::Level::DEBUG)),
        )
}

fn header_if_absent(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Whoever made a request, which came from the address in its extensions.
fn caller(channel: Channel, extensions: &Extensions) -> Caller {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    Caller {
        address: peer.map(|ConnectInfo(address)| address.to_string()),
        ..Caller::local(channel)
    }
}
