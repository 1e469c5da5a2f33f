//! The HTTP side: where services are found, and how an HTTP request becomes a call.

use crate::{
    Attachments, Limits, Service, Version, envelope,
    fault::{Answer, Refusal},
    mtom::{Multipart, Related, RootError},
    pages,
    service::{Answering, Call},
    version::{ContentType, parameters},
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, DefaultBodyLimit, FromRequest, Path, RawQuery, Request, State},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode, header, request::Parts};
use std::{net::SocketAddr, sync::Arc};

struct Shared {
    services: Vec<Service>,
    limits: Limits,
}

impl Shared {
    fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    fn unknown(&self, name: &str) -> Response {
        let names: Vec<_> = self.services.iter().map(Service::name).collect();
        plain(
            StatusCode::NOT_FOUND,
            format!(
                "There is no service {:?}. There are: {}.\n",
                crate::document::shown(name),
                names.join(", ")
            ),
        )
    }
}

/// Mounts services on an axum router:
///
/// | request | answer |
/// |---|---|
/// | `GET /services/`, `GET /services` | a page that lists the services |
/// | `GET /services/<Name>` | a page about the service |
/// | `GET /services/<Name>?wsdl` | its WSDL, with ports for SOAP 1.1 and 1.2 |
/// | `GET /services/<Name>?wsdl11` | its WSDL, with the port for SOAP 1.1 only |
/// | `POST /services/<Name>` | a call |
///
/// The paths are fixed: the router is to be merged at the root. The address in a WSDL is made of
/// the request's `Host` header and nothing else: no forwarding header is believed, and the scheme
/// is http.
///
/// # Panics
///
/// If two services have one name.
pub fn router(services: Vec<Service>, limits: Limits) -> Router {
    for (index, service) in services.iter().enumerate() {
        assert!(
            !services[..index]
                .iter()
                .any(|other| other.name == service.name),
            "there are two services named {}",
            service.name
        );
    }
    Router::new()
        .route("/services", get(list))
        .route("/services/", get(list))
        .route("/services/{name}", get(describe).post(call))
        .with_state(Arc::new(Shared { services, limits }))
}

async fn list(State(shared): State<Arc<Shared>>) -> Html<String> {
    Html(pages::list(&shared.services))
}

async fn describe(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let Some(service) = shared.service(&name) else {
        return shared.unknown(&name);
    };
    let query = query.unwrap_or_default().to_ascii_lowercase();
    let wanted = query.split(['&', '=']).next().unwrap_or_default();
    if !matches!(wanted, "wsdl" | "wsdl11") {
        return Html(pages::service(service)).into_response();
    }
    let Some(host) = host(&request) else {
        return plain(
            StatusCode::BAD_REQUEST,
            "The Host header is not a host name or address with an optional port.\n",
        );
    };
    let location = format!("http://{host}/services/{name}");
    let wsdl = match wanted {
        "wsdl" => service.wsdl(&location),
        _ => service.wsdl11(&location),
    };
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], wsdl).into_response()
}

/// The host and port that the request was sent to; HTTP/1.0 may leave it out.
fn host(request: &Request) -> Option<String> {
    let named = match request.headers().get(header::HOST) {
        Some(value) => value.to_str().ok()?,
        None => request
            .uri()
            .authority()
            .map_or("localhost", |a| a.as_str()),
    };
    let lawful = |b: u8| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b);
    (!named.is_empty() && named.bytes().all(lawful)).then(|| named.to_owned())
}

async fn call(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let Some(service) = shared.service(&name) else {
        return shared.unknown(&name);
    };
    if let Some(related) = related(request.headers()) {
        return call_with_attachments(service, &shared.limits, related, request).await;
    }
    let content_type = match content_type(request.headers()) {
        Ok(content_type) => content_type,
        Err(reason) => return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason),
    };
    let (parts, body) = request.into_parts();
    let mut limited = Request::new(body);
    DefaultBodyLimit::max(shared.limits.max_body_bytes).apply(&mut limited);
    let body = match Bytes::from_request(limited, &()).await {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return plain(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!(
                    "The message is larger than {} bytes.\n",
                    shared.limits.max_body_bytes
                ),
            );
        }
        Err(rejection) => return rejection.into_response(),
    };

    let (declared, charset, mut action) = match content_type {
        Some(found) => (Some(found.version), found.charset, found.action),
        None => (None, None, None),
    };
    // Some clients of SOAP 1.2 send the header of 1.1 and no parameter.
    action = action.or_else(|| soap_action(&parts.headers));
    let attachments = Attachments::default();
    let envelope = Envelope {
        bytes: &body,
        declared,
        charset: charset.as_deref(),
        action: action.as_deref(),
    };
    let started = start(service, &shared.limits, &envelope, parts, attachments);
    drop(body);
    match started {
        Ok(running) => respond(running.await),
        Err((version, refusal)) => respond(refused(&name, version, &refusal)),
    }
}

/// An envelope, and what was said of it.
struct Envelope<'a> {
    bytes: &'a [u8],
    declared: Option<Version>,
    charset: Option<&'a str>,
    action: Option<&'a str>,
}

fn start(
    service: &Service,
    limits: &Limits,
    envelope: &Envelope<'_>,
    parts: Parts,
    attachments: Attachments,
) -> Result<Answering, envelope::Refused> {
    let mut call = Call {
        service: service.name.clone(),
        operation: String::new(),
        version: Version::V11,
        peer: parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0),
        headers: parts.headers,
        extensions: parts.extensions,
    };
    envelope::read(
        envelope.bytes,
        envelope.declared,
        envelope.charset,
        limits,
        |version, element| {
            call.version = version;
            service.start(call, envelope.action, element, attachments)
        },
    )
}

/// What a multipart Content-Type says, if it is one.
fn related(headers: &HeaderMap) -> Option<Result<Related, String>> {
    let value = headers.get(header::CONTENT_TYPE)?;
    Related::read(&String::from_utf8_lossy(value.as_bytes()))
}

/// A call by MTOM: its envelope is the first part, and what follows is read by its handler.
async fn call_with_attachments(
    service: &Service,
    limits: &Limits,
    related: Result<Related, String>,
    request: Request,
) -> Response {
    let related = match related {
        Ok(related) => related,
        Err(reason) => {
            let sentence = format!("The multipart message is not understood: {reason}.\n");
            return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence);
        }
    };
    let (parts, body) = request.into_parts();
    let inner = related.start_info.as_deref().and_then(ContentType::read);
    let mut multipart = Multipart::new(body.into_data_stream(), &related);
    let root = match multipart.root(&related, limits.max_body_bytes).await {
        Ok(root) => root,
        Err(RootError::TooLarge) => {
            let sentence = format!(
                "The message is larger than {} bytes without its attachments.\n",
                limits.max_body_bytes
            );
            return plain(StatusCode::PAYLOAD_TOO_LARGE, sentence);
        }
        Err(RootError::Other(error)) => {
            let version = inner.map_or(Version::V11, |inner| inner.version);
            let refusal = Refusal::Sender(error.to_string());
            return respond(refused(&service.name, version, &refusal));
        }
    };
    let said = parameters(
        root.content_type
            .split_once(';')
            .map_or("", |(_, rest)| rest),
    );
    let said = |wanted: &str| {
        let mut all = said.iter();
        let found = all.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.clone())
    };
    let kind = said("type")
        .and_then(|kind| ContentType::read(&kind))
        .or(inner);
    let charset = said("charset").map(|charset| charset.to_ascii_lowercase());
    let (declared, inner_action) = kind.map_or((None, None), |it| (Some(it.version), it.action));
    let action = said("action").filter(|action| !action.is_empty());
    let action = action.or(inner_action).or(related.action);
    let action = action.or_else(|| soap_action(&parts.headers));
    let envelope = Envelope {
        bytes: &root.bytes,
        declared,
        charset: charset.as_deref(),
        action: action.as_deref(),
    };
    match start(
        service,
        limits,
        &envelope,
        parts,
        Attachments::of(multipart),
    ) {
        Ok(running) => respond(running.await),
        Err((version, refusal)) => respond(refused(&service.name, version, &refusal)),
    }
}

fn refused(service: &str, version: Version, refusal: &Refusal) -> Answer {
    tracing::debug!(service, %version, reason = refusal.reason(), "a SOAP message was refused");
    refusal.answer(version)
}

/// What the Content-Type says; `None` if there is none. An error is a sentence for the caller.
fn content_type(headers: &HeaderMap) -> Result<Option<ContentType>, String> {
    let coded = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if coded {
        return Err("A Content-Encoding is not understood: send the message as it is.\n".into());
    }
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    ContentType::read(&text).map(Some).ok_or_else(|| {
        format!(
            "The Content-Type {:?} is not one of SOAP: text/xml (SOAP 1.1) or \
             application/soap+xml (SOAP 1.2) was expected.\n",
            crate::document::shown(&text)
        )
    })
}

/// The `SOAPAction` header, quoted as it should be or not; `None` if empty.
fn soap_action(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("soapaction")?.to_str().ok()?;
    let action = value.trim().trim_matches('"');
    (!action.is_empty()).then(|| action.to_owned())
}

fn respond(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (
        status,
        [(header::CONTENT_TYPE, answer.version.content_type())],
        Body::from(answer.body),
    )
        .into_response()
}

fn plain(status: StatusCode, text: impl Into<String>) -> Response {
    (status, text.into()).into_response()
}
