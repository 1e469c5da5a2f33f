//! `GET /events`: what happens, as server-sent events.
//!
//! Each event is one JSON [`Event`]. Its id is the topology's version, so that a browser that lost
//! the stream goes on after the version that it has (`Last-Event-ID`); the first time a page says
//! which version it was rendered from (`?since=`). The stream ends when the server does.
//!
//! Two messages have names and are no [`Event`]: the first, `run`, says which run of the server the
//! versions are of, and `ping` comes whenever nothing else does. A page hears neither comments nor
//! the death of a connection that nobody ended, so it goes by the silence.

use super::{Web, caller, refusal::Refusal};
use api::{Channel, Event};
use app::live::Run;
use axum::{
    extract::{Query, Request, State},
    response::{IntoResponse, Response, Sse, sse},
};
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use std::{convert::Infallible, time::Duration};

/// How often a ping goes out when nothing happens, so that a dead connection is noticed; a page
/// waits for more than two of them.
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
    let events = events.take_until(web.shutdown.clone().cancelled_owned());
    Ok(answer(web.run, events, KEEP_ALIVE))
}

fn answer(
    run: Run,
    events: impl Stream<Item = Event> + Send + 'static,
    keep_alive: Duration,
) -> Response {
    let named = |name: &str, data: &str| sse::Event::default().event(name).data(data);
    // Goes out at once, so that everybody on the way knows that the stream stands.
    let hello = named("run", &run.to_string()).retry(RETRY);
    let events = stream::once(async { hello })
        .chain(events.filter_map(async |event| message(&event)))
        .map(Ok::<_, Infallible>);
    let keep_alive = sse::KeepAlive::new()
        .interval(keep_alive)
        // A message without data is none for a browser.
        .event(named("ping", "quiet"));
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    // A reverse proxy that buffers would hold events back.
    response.headers_mut().insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
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
        Event::Measured { .. } | Event::Job { .. } => message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_run_comes_first_and_silence_is_broken_by_pings() {
        let quiet = answer(Run(42), stream::pending(), Duration::from_millis(1));
        let mut body = quiet.into_body().into_data_stream();
        let mut text = String::new();
        while text.matches("\n\n").count() < 3 {
            text += std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap();
        }
        let messages: Vec<Vec<_>> = text
            .split("\n\n")
            .map(|message| message.lines().collect())
            .collect();
        assert!(messages[0].contains(&"event: run"), "{text}");
        assert!(messages[0].contains(&"data: 42"), "{text}");
        for ping in &messages[1..3] {
            assert_eq!(ping[..], ["event: ping", "data: quiet"]);
        }
    }

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
