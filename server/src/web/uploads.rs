//! Uploads of images by plain HTTP, for any program that can `PUT` a file.
//!
//! | request | what it does |
//! |---|---|
//! | `POST /images/uploads` | begins an upload: JSON of `BeginImageUpload`; 201 and its `Location` |
//! | `GET`, `HEAD /images/uploads/{upload}` | how far it is |
//! | `DELETE /images/uploads/{upload}` | gives it up |
//! | `PUT /images/uploads/{upload}/{role}` | the file, or the range that `Content-Range` names |
//! | `GET`, `HEAD /images/uploads/{upload}/{role}` | how far that file is, in `Upload-Offset` |
//!
//! Every answer is JSON, and none has bytes of an image in it. What came before a connection broke
//! is kept: ask for the offset, and go on with `Content-Range: bytes OFFSET-LAST/SIZE`. A range that
//! begins behind what is there is a 409 with the right offset. There is no limit to the size and to the
//! time of an upload, but one to silence: see [`super::unhurried`].

use super::{Web, caller};
use api::{
    BeginImageUploadRequest, Caller, CancelImageUploadRequest, Channel, Error,
    GetImageUploadRequest, ImageFileRole, ImageUpload, UploadId, UploadPart,
};
use axum::{
    Json, Router,
    body::{BodyDataStream, Bytes},
    extract::{DefaultBodyLimit, Path, Request, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::{StreamExt as _, stream};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// How much of a file is there.
static OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// How much there will be, where that is known.
static LENGTH: HeaderName = HeaderName::from_static("upload-length");

/// The largest description of an upload, bytes.
const BEGINNING: usize = 64 << 10;

/// What is still read of a body that is refused, so that its sender comes to hear the answer: many a
/// client reads none before it has sent everything.
const DRAINED: usize = 16 << 20;
const DRAINING: Duration = Duration::from_secs(2);

/// The routes.
pub(super) fn router(web: Web) -> Router {
    Router::new()
        .route("/images/uploads", post(begin))
        .route("/images/uploads/{upload}", get(look).delete(cancel))
        .route("/images/uploads/{upload}/{role}", get(look_at).put(put))
        .layer(DefaultBodyLimit::max(BEGINNING))
        .with_state(web)
}

/// An error as JSON, with its status; of an upload, with the offset to go on at.
struct Fault {
    error: Error,
    offset: Option<u64>,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self {
            error,
            offset: None,
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.error.http_status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.error)).into_response();
        if let Some(offset) = self.offset {
            response.headers_mut().insert(&OFFSET, offset.into());
        }
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// How far an upload is, or one file of it.
fn told(status: StatusCode, upload: ImageUpload, role: Option<ImageFileRole>) -> Response {
    let file = upload.files.iter().find(|file| Some(file.role) == role);
    let numbers = file.map(|file| (file.received_bytes, file.size_bytes));
    let mut response = (status, Json(upload)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some((received, size)) = numbers {
        headers.insert(&OFFSET, received.into());
        if let Some(size) = size {
            headers.insert(&LENGTH, size.into());
        }
    }
    response
}

fn who(extensions: &Extensions) -> Caller {
    caller(Channel::Http, extensions)
}

fn upload_id(text: &str) -> Result<UploadId, Fault> {
    let id = text.parse();
    id.map_err(|error: api::IdError| Error::invalid("upload", error.to_string()).into())
}

fn role_of(text: &str) -> Result<ImageFileRole, Fault> {
    let short: String = text.chars().take(40).collect();
    let role = short.parse();
    role.map_err(|message: String| Error::invalid("role", message).into())
}

async fn begin(State(web): State<Web>, request: Request) -> Result<Response, Fault> {
    let caller = who(request.extensions());
    let bytes = axum::body::to_bytes(request.into_body(), BEGINNING).await;
    let bytes = bytes.map_err(|error| {
        Error::invalid(
            "body",
            format!("it cannot be read ({error}): {BEGINNING} bytes of JSON at most were expected"),
        )
    })?;
    let beginning: BeginImageUploadRequest = serde_json::from_slice(&bytes).map_err(|error| {
        Error::invalid(
            "body",
            format!(
                "it is not the JSON of an upload ({error}): kind, description and files, for example, \
                 were expected"
            ),
        )
    })?;
    let begun = web
        .operations
        .begin_image_upload(&caller, beginning)
        .await?;
    let place = format!("/images/uploads/{}", begun.upload.id);
    let mut response = told(StatusCode::CREATED, begun.upload, None);
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

async fn look(
    State(web): State<Web>,
    Path(upload): Path<String>,
    request: Request,
) -> Result<Response, Fault> {
    find(&web, &who(request.extensions()), &upload, None).await
}

async fn look_at(
    State(web): State<Web>,
    Path((upload, role)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Fault> {
    let role = role_of(&role)?;
    find(&web, &who(request.extensions()), &upload, Some(role)).await
}

async fn find(
    web: &Web,
    caller: &Caller,
    upload: &str,
    role: Option<ImageFileRole>,
) -> Result<Response, Fault> {
    let request = GetImageUploadRequest {
        upload: upload_id(upload)?,
    };
    let found = web.operations.get_image_upload(caller, request).await?;
    Ok(told(StatusCode::OK, found.upload, role))
}

async fn cancel(
    State(web): State<Web>,
    Path(upload): Path<String>,
    request: Request,
) -> Result<StatusCode, Fault> {
    let caller = who(request.extensions());
    let request = CancelImageUploadRequest {
        upload: upload_id(&upload)?,
    };
    web.operations.cancel_image_upload(&caller, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn put(
    State(web): State<Web>,
    Path((upload, role)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Fault> {
    let caller = who(request.extensions());
    let (parts, body) = request.into_parts();
    let body: Shared = Arc::new(Mutex::new(body.into_data_stream()));
    let done = take(&web, &caller, (&upload, &role), &parts.headers, &body).await;
    // One that waits to be told that it may send reads first.
    if done.is_err() && !parts.headers.contains_key(header::EXPECT) {
        drain(&body).await;
    }
    done
}

async fn take(
    web: &Web,
    caller: &Caller,
    (upload, role): (&str, &str),
    headers: &HeaderMap,
    body: &Shared,
) -> Result<Response, Fault> {
    let (upload, role, range) = (upload_id(upload)?, role_of(role)?, Range::read(headers)?);
    let part = UploadPart {
        upload,
        role,
        offset: range.offset,
        size_bytes: range.size,
        last: range.last,
        bytes: pieces(Arc::clone(body), range.length, web.shutdown.clone()),
    };
    let error = match web.operations.upload_image_part(caller, part).await {
        Ok(reply) => return Ok(told(StatusCode::OK, reply.upload, Some(role))),
        Err(error) => error,
    };
    let request = GetImageUploadRequest { upload };
    let now = web.operations.get_image_upload(caller, request).await;
    let offset = now.ok().and_then(|now| {
        let mut files = now.upload.files.into_iter();
        Some(files.find(|file| file.role == role)?.received_bytes)
    });
    Err(Fault { error, offset })
}

/// Which part of a file comes.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    offset: u64,
    /// Bytes of the part, where that is said.
    length: Option<u64>,
    /// Bytes of the whole file, where that is said.
    size: Option<u64>,
    last: bool,
}

impl Range {
    /// `Content-Range: bytes FIRST-LAST/SIZE`, with `*` for a size that is not known; without it,
    /// what comes is the whole file.
    fn read(headers: &HeaderMap) -> Result<Self, Fault> {
        if headers.contains_key(header::CONTENT_ENCODING) {
            let message = "a file is taken as it is: leave Content-Encoding out";
            return Err(Error::invalid("Content-Encoding", message).into());
        }
        let length = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        let Some(range) = headers.get(header::CONTENT_RANGE) else {
            return Ok(Self {
                offset: 0,
                length,
                size: length,
                last: true,
            });
        };
        let wrong = |why: &str| {
            let message = format!(
                "{why}: `bytes FIRST-LAST/SIZE`, for example bytes 0-1048575/8388608, was expected, \
                 with * for a size that is not known"
            );
            Fault::from(Error::invalid("Content-Range", message))
        };
        let text = range.to_str().map_err(|_| wrong("it is no text"))?;
        let parse = |text: &str| {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u64>().ok().filter(|_| is_number)
        };
        let (first, last, size) = (|| {
            let rest = text.trim().strip_prefix("bytes ")?;
            let (span, size) = rest.split_once('/')?;
            let (first, last) = span.trim().split_once('-')?;
            let size = match size.trim() {
                "*" => None,
                size => Some(parse(size)?),
            };
            Some((parse(first)?, parse(last)?, size))
        })()
        .ok_or_else(|| wrong("it is not understood"))?;
        let spanned = last.checked_sub(first).and_then(|it| it.checked_add(1));
        let spanned = spanned.ok_or_else(|| wrong("its last byte comes before its first"))?;
        if size.is_some_and(|size| last >= size) {
            return Err(wrong("its last byte lies behind the end of the file"));
        }
        if length.is_some_and(|length| length != spanned) {
            return Err(wrong(&format!(
                "it names {spanned} bytes, and Content-Length {}",
                length.unwrap_or_default()
            )));
        }
        Ok(Self {
            offset: first,
            length: Some(spanned),
            size,
            last: size == last.checked_add(1),
        })
    }
}

type Pieces = stream::BoxStream<'static, Result<Bytes, String>>;
type Shared = Arc<Mutex<BodyDataStream>>;

/// The bytes of a part: no more than its range names, and no longer than the server runs.
fn pieces(body: Shared, length: Option<u64>, shutdown: CancellationToken) -> Pieces {
    let left = length.unwrap_or(u64::MAX);
    stream::unfold((body, left, shutdown), async |(body, left, shutdown)| {
        let next = async { body.lock().await.next().await };
        let piece = match shutdown.run_until_cancelled(next).await {
            // Whoever sends hears why, and what came is written down.
            None => Err("the server ends".to_owned()),
            Some(piece) => piece?.map_err(|error| error.to_string()),
        };
        let came = piece.as_ref().map_or(0, Bytes::len) as u64;
        let piece = match left.checked_sub(came) {
            None => Err("more came than Content-Range names".to_owned()),
            Some(_) => piece,
        };
        Some((piece, (body, left.saturating_sub(came), shutdown)))
    })
    .boxed()
}

/// Reads on for a little while, without keeping anything.
async fn drain(body: &Shared) {
    let mut left = DRAINED;
    let draining = async {
        let mut body = body.lock().await;
        while let Some(Ok(piece)) = body.next().await {
            left = left.saturating_sub(piece.len());
            if left == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DRAINING, draining).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &str)]) -> Result<Range, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Range::read(&map).map_err(|fault| fault.error.to_string())
    }

    #[test]
    fn a_part_is_where_its_range_says() {
        let part = |offset, length, size, last| {
            Ok(Range {
                offset,
                length,
                size,
                last,
            })
        };
        assert_eq!(read(&[]), part(0, None, None, true));
        let whole = read(&[("content-length", "7")]);
        assert_eq!(whole, part(0, Some(7), Some(7), true));
        let range = |text| read(&[("content-range", text)]);
        assert_eq!(range("bytes 0-4/10"), part(0, Some(5), Some(10), false));
        assert_eq!(range("bytes 5-9/10"), part(5, Some(5), Some(10), true));
        assert_eq!(range("bytes 5-9/*"), part(5, Some(5), None, false));
        for (text, why) in [
            ("5-9/10", "not understood"),
            ("bytes */10", "not understood"),
            ("bytes 5-/10", "not understood"),
            ("bytes -5/10", "not understood"),
            ("bytes +5-9/10", "not understood"),
            ("bytes 9-5/10", "before its first"),
            ("bytes 5-10/10", "behind the end"),
            ("bytes 0-18446744073709551615/*", "before its first"),
            ("bytes 0-99999999999999999999/*", "not understood"),
        ] {
            let refused = range(text).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
        let both = read(&[("content-range", "bytes 0-4/10"), ("content-length", "6")]);
        assert!(
            both.unwrap_err()
                .contains("names 5 bytes, and Content-Length 6")
        );
        let packed = read(&[("content-encoding", "gzip")]).unwrap_err();
        assert!(packed.contains("leave Content-Encoding out"), "{packed}");
    }
}
