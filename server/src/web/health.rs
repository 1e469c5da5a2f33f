//! Whether the server lives and whether it knows its fleet, for whoever supervises it.

use super::{Web, refusal::Refusal};
use axum::extract::State;
use http::StatusCode;

/// 200 as long as requests are answered at all.
pub(super) async fn alive() -> &'static str {
    "VMS is alive.\n"
}

/// 200 once every host was tried, whether it answered or not: 503 before.
pub(super) async fn ready(State(web): State<Web>) -> Result<&'static str, Refusal> {
    if *web.ready.borrow() {
        return Ok("VMS is ready: every host was tried.\n");
    }
    Err(Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "VMS is starting: not every host was tried yet.",
    ))
}
