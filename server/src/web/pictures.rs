//! The pictures of the topology: laid out once a version and view, each from the one before it so
//! that a change never shuffles what people know, and kept for pages that come a little late.
//!
//! ```text
//! picture(view) ─▶ the topology now ─▶ kept? ── yes ─▶ done
//!                                        └ no ─▶ lay out on a blocking thread ─▶ keep
//! ```

use super::{Web, caching, caller, refusal::Refusal};
use api::{Caller, Channel, GetTopologyReply, GetTopologyRequest, Operations, TopologyView};
use app::topology_view::{Picture, Pictures, diagram};
use axum::{
    extract::{Path, Query, Request, State},
    response::{IntoResponse, Response},
};
use graph::Positions;
use http::{HeaderName, StatusCode, header};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Mutex;

/// Versions that are kept of each view.
const KEPT: u64 = 64;

/// Lays out and keeps the pictures of the topology.
pub struct PictureCache {
    operations: Arc<dyn Operations>,
    /// One a view, in the order of [`TopologyView::ALL`]. A lock is held while a layout is made, so
    /// that nobody makes it twice.
    views: [Mutex<BTreeMap<u64, Drawn>>; TopologyView::ALL.len()],
}

/// A picture and the bytes that travel.
#[derive(Clone)]
struct Drawn {
    picture: Arc<Picture>,
    bytes: axum::body::Bytes,
}

impl PictureCache {
    /// Without any picture yet.
    pub fn new(operations: Arc<dyn Operations>) -> Self {
        Self {
            operations,
            views: Default::default(),
        }
    }

    /// The picture of the present topology.
    async fn present(&self, caller: &Caller, view: TopologyView) -> Result<Drawn, api::Error> {
        // Every call goes through the operation, kept or not: it decides who may see.
        let request = GetTopologyRequest { view: Some(view) };
        let topology = self.operations.get_topology(caller, request).await?;
        let version = topology.version;
        let mut kept = self.kept(view).lock().await;
        if let Some(drawn) = kept.get(&version) {
            return Ok(drawn.clone());
        }
        let before = kept
            .range(..version)
            .next_back()
            .or_else(|| kept.first_key_value());
        let before = before.map(|(_, drawn)| drawn.picture.clone());
        let reference = format!("picture-{version}-{view}");
        let drawn = apart(reference, move || {
            draw(&topology, before.as_ref().map(|picture| &picture.positions))
        })
        .await?;
        kept.insert(version, drawn.clone());
        kept.retain(|&old, _| old + KEPT > version);
        Ok(drawn)
    }

    /// The picture of one version; of one that is not kept any more, or of which none was made, the
    /// present one: whoever asks has heard of that version, and will hear of this.
    async fn at(
        &self,
        caller: &Caller,
        view: TopologyView,
        version: u64,
    ) -> Result<Drawn, Refusal> {
        let present = self.present(caller, view).await?;
        if present.picture.version == version {
            return Ok(present);
        }
        if version < present.picture.version {
            let kept = self.kept(view).lock().await;
            return Ok(kept.get(&version).cloned().unwrap_or(present));
        }
        Err(Refusal::new(
            StatusCode::NOT_FOUND,
            format!(
                "There is no picture of version {version} of the topology: the present one is {}.",
                present.picture.version
            ),
        ))
    }

    fn kept(&self, view: TopologyView) -> &Mutex<BTreeMap<u64, Drawn>> {
        let [combined, virtual_, physical] = &self.views;
        match view {
            TopologyView::Combined => combined,
            TopologyView::Virtual => virtual_,
            TopologyView::Physical => physical,
        }
    }
}

impl std::fmt::Debug for PictureCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PictureCache").finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl Pictures for PictureCache {
    async fn picture(
        &self,
        caller: &Caller,
        view: TopologyView,
    ) -> Result<Arc<Picture>, api::Error> {
        Ok(self.present(caller, view).await?.picture)
    }
}

/// Works on a picture off the threads that answer.
async fn apart<T: Send + 'static>(
    reference: String,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, api::Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(reference, "a layout failed: {error}");
        api::Internal {
            message: "The picture of the topology could not be drawn.".to_owned(),
            reference,
        }
        .into()
    })
}

fn draw(topology: &GetTopologyReply, before: Option<&Positions>) -> Drawn {
    let diagram = diagram(topology);
    let positions = graph::arrange(&diagram, before.into());
    let picture = Picture {
        version: topology.version,
        view: topology.view,
        diagram: Arc::new(diagram),
        positions,
    };
    Drawn {
        bytes: picture.encode().into(),
        picture: Arc::new(picture),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    view: Option<String>,
    /// The version that the page has.
    since: Option<u64>,
}

/// Says from which version the difference is that was sent.
const SINCE: HeaderName = HeaderName::from_static("graph-since");

/// `GET /graph/{version}?view=…`: one picture as [`Picture::encode`] writes it; with `&since=…`
/// rather the difference from that version ([`Picture::encode_since`]), if it is still kept: the
/// header `Graph-Since` tells.
///
/// It is asked for again with its `ETag` rather than kept for good: a server that was started anew
/// may know another picture by the same version.
pub(super) async fn graph(
    State(web): State<Web>,
    Path(version): Path<String>,
    Query(query): Query<Asked>,
    request: Request,
) -> Result<Response, Refusal> {
    let bad_request = |message: String| Refusal::new(StatusCode::BAD_REQUEST, message + ".");
    let version: u64 = version.parse().map_err(|_| {
        bad_request(format!(
            "{version:?} is not a version: a whole number was expected"
        ))
    })?;
    let view = query.view.as_deref().unwrap_or_default();
    let view = match view {
        "" => TopologyView::default(),
        view => view.parse().map_err(bad_request)?,
    };
    let caller = caller(Channel::Page, request.extensions());
    let drawn = web.pictures.at(&caller, view, version).await?;
    let version = drawn.picture.version;
    // By run, too: the same version may have been laid out differently in another run, or be of
    // another fleet.
    let since = query
        .since
        .map(|since| format!("-{since}"))
        .unwrap_or_default();
    let etag = format!("W/\"{:x}-{version}-{view}{since}\"", web.run.0);
    let head = [
        (header::ETAG, etag.clone()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    if caching::is_known(request.headers(), &etag) {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    if let Some(since) = query.since.filter(|&since| since != version)
        && let Some(older) = web.pictures.kept(view).lock().await.get(&since).cloned()
    {
        let reference = format!("picture-{since}-{version}-{view}");
        let bytes = apart(reference, move || {
            drawn.picture.encode_since(&older.picture)
        })
        .await?;
        let since = [(SINCE, since.to_string())];
        return Ok((head, kind, since, bytes).into_response());
    }
    Ok((head, kind, drawn.bytes).into_response())
}
