//! `GET /events`: what happens, as server-sent events.
//!
//! Each event is one JSON [`Event`]. Its id is the topology's version, so that a browser that lost
//! the stream goes on after the version that it has (`Last-Event-ID`); the first time a page says
//! which version it was rendered from (`?since=`). The stream ends when the server does.

use super::{Web, caller, refusal::Refusal};
use api::{Channel, Event};
use axum::{
    extract::{Query, Request, State},
    response::{IntoResponse, Response, Sse, sse},
};
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use std::{convert::Infallible, time::Duration};

/// How often a comment goes out when nothing happens, so that a dead connection is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a browser waits before it connects again.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize)]
pub(super) struct Since {
    since: Option<String>,
}

pub(super) async fn events(
    State(web): State<Web>,
    Query(query): Query<Since>,
    request: Request,
) -> Result<Response, Refusal> {
    let since = since(request.headers(), query.since.as_deref())?;
    let caller = caller(Channel::Page, request.extensions());
    let events = web.operations.subscribe(&caller, since).await?;
    // Something goes out at once, so that everybody on the way knows that the stream stands.
    let hello = stream::once(async { sse::Event::default().comment("events follow").retry(RETRY) });
    let events = hello
        .chain(events.filter_map(async |event| message(&event)))
        .take_until(web.shutdown.clone().cancelled_owned())
        .map(Ok::<_, Infallible>);
    let mut response = Sse::new(events)
        .keep_alive(sse::KeepAlive::new().interval(KEEP_ALIVE))
        .into_response();
    // A reverse proxy that buffers would hold events back.
    response.headers_mut().insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

fn since(headers: &HeaderMap, query: Option<&str>) -> Result<Option<u64>, Refusal> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    // A browser that connects again repeats the query of the first time: the header is newer.
    let Some(text) = last.or(query).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            format!("{text:?} is not a version of the topology: a whole number was expected."),
        )
    })
}

fn message(event: &Event) -> Option<sse::Event> {
    let message = match sse::Event::default().json_data(event) {
        Ok(message) => message,
        Err(error) => {
            tracing::error!("an event cannot be written: {error}");
            return None;
        }
    };
    Some(match event {
        Event::Topology { version, .. } | Event::Resync { version } => {
            message.id(version.to_string())
        }
        Event::Measured { .. } => message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_newer_than_the_query() {
        let header = |id: &str| {
            [(
                HeaderName::from_static("last-event-id"),
                id.parse().unwrap(),
            )]
            .into_iter()
            .collect()
        };
        assert_eq!(since(&HeaderMap::new(), None).unwrap(), None);
        assert_eq!(since(&HeaderMap::new(), Some("7")).unwrap(), Some(7));
        assert_eq!(since(&header("9"), Some("7")).unwrap(), Some(9));
        assert_eq!(since(&header(""), None).unwrap(), None);
        assert_eq!(since(&header("x"), None).unwrap_err().status(), 400);
        assert_eq!(
            since(&HeaderMap::new(), Some("-1")).unwrap_err().status(),
            400
        );
    }
}
