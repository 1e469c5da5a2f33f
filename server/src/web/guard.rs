//! Who may talk to a server without authentication: programs on this machine, and pages that it
//! served itself.
//!
//! It listens on the loopback interface, but a browser on this machine runs the pages of
//! strangers, and those reach loopback addresses too:
//! - **by DNS rebinding**, a stranger's name that suddenly resolves to 127.0.0.1: then the `Host`
//!   header names the stranger. Only names of this machine are answered. Any port is, because a
//!   forwarded port (`ssh -L 9000:127.0.0.1:8080`) shows as the forwarded one, and a port says
//!   nothing about who wrote the page;
//! - **by a form or a `fetch`** that the page sends across origins: the browser says so in
//!   `Sec-Fetch-Site`, or, older ones, in `Origin`. Whatever may act (every method but GET, HEAD
//!   and OPTIONS, and every WebSocket, which a page may open across origins as it likes) is answered
//!   only if it comes from a page of the same origin, or carries neither header, as programs do that
//!   are no browser.
//!
//! The second rule is that of Go's `net/http.CrossOriginProtection`.

use super::refusal::Refusal;
use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, Method, StatusCode, Version, header, request::Parts, uri::Authority};
use std::net::IpAddr;

/// The middleware: lets a request through or refuses it with a sentence.
pub async fn guard(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match check(&parts) {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => {
            tracing::warn!(method = %parts.method, path = parts.uri.path(), "refused: {refusal}");
            refusal.into_response()
        }
    }
}

fn check(request: &Parts) -> Result<(), Refusal> {
    let host = host(request)?;
    let reads = matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS);
    // A WebSocket over HTTP/2 comes with CONNECT.
    if reads && !request.headers.contains_key(header::UPGRADE) {
        return Ok(());
    }
    if is_same_origin(&request.headers, host.as_ref()) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::FORBIDDEN,
        "This request comes from a page of another origin, and only pages of this server may act. \
         If you wrote the page, let a program of yours call VMS instead; if you did not, it has \
         just tried to act in your name.",
    ))
}

/// The host that the request is meant for, if it names one; refused unless it is this machine.
fn host(request: &Parts) -> Result<Option<Authority>, Refusal> {
    let mut headers = request.headers.get_all(header::HOST).iter();
    let header = match (headers.next(), headers.next()) {
        (Some(only), None) => Some(Authority::try_from(only.as_bytes()).map_err(|_| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "The Host header is not a host and port.",
            )
        })?),
        (None, _) => None,
        (Some(_), Some(_)) => {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "There is more than one Host header: one was expected.",
            ));
        }
    };
    // HTTP/2 and requests to a proxy carry it in the target.
    let target = request.uri.authority().cloned();
    if header.is_none() && target.is_none() && request.version >= Version::HTTP_11 {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "The Host header is missing: HTTP/1.1 wants one.",
        ));
    }
    for authority in [&header, &target].into_iter().flatten() {
        if !is_this_machine(authority.host()) {
            return Err(Refusal::new(
                StatusCode::MISDIRECTED_REQUEST,
                format!(
                    "This server answers as localhost, 127.0.0.1 or [::1] only, not as {:?}: \
                     without authentication it serves its own machine alone.",
                    authority.host()
                ),
            ));
        }
    }
    Ok(header.or(target))
}

fn is_this_machine(host: &str) -> bool {
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn is_same_origin(headers: &HeaderMap, host: Option<&Authority>) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        // `none` is what the user did without any page, such as reloading.
        return site == "same-origin" || site == "none";
    }
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => origin
            .to_str()
            .ok()
            .and_then(authority_of)
            .is_some_and(|origin| {
                host.is_some_and(|host| host.as_str().eq_ignore_ascii_case(origin))
            }),
        (Some(_), Some(_)) => false,
    }
}

/// The authority of an origin of the web; `null`, which a browser sends for sandboxed pages and
/// local files, has none.
fn authority_of(origin: &str) -> Option<&str> {
    origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = http::Request::builder()
            .method(method)
            .uri("/services/StatusService");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        check(&parts).map_or_else(|refusal| refusal.status().as_u16(), |()| 200)
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for (host, expected) in [
            ("localhost:8080", 200),
            ("LOCALHOST", 200),
            ("127.0.0.1:8080", 200),
            ("127.0.0.1:9000", 200),
            ("[::1]:8080", 200),
            ("evil.example:8080", 421),
            ("localhost.evil.example", 421),
            ("127.0.0.1.evil.example", 421),
            ("192.0.2.1:8080", 421),
            ("0.0.0.0:8080", 421),
            ("a b", 400),
            ("", 400),
        ] {
            assert_eq!(status("GET", &[("host", host)]), expected, "{host}");
        }
        assert_eq!(status("GET", &[]), 400);
        assert_eq!(
            status("GET", &[("host", "localhost"), ("host", "localhost")]),
            400
        );
    }

    #[test]
    fn a_foreign_target_is_refused_whatever_the_header_says() {
        let request = http::Request::builder()
            .uri("http://evil.example/")
            .header("host", "localhost:8080");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        assert_eq!(check(&parts).unwrap_err().status(), 421);
    }

    #[test]
    fn an_old_client_may_leave_the_host_out() {
        let request = http::Request::builder()
            .version(Version::HTTP_10)
            .uri("/healthz");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        assert!(check(&parts).is_ok());
    }

    #[test]
    fn only_pages_of_this_server_and_programs_may_act() {
        let host = ("host", "localhost:8080");
        for (headers, expected) in [
            (&[host] as &[_], 200),
            (&[host, ("origin", "http://localhost:8080")], 200),
            (&[host, ("sec-fetch-site", "same-origin")], 200),
            // Behind a reverse proxy with TLS, which rewrites Host.
            (
                &[
                    host,
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "https://vms.example"),
                ],
                200,
            ),
            (&[host, ("sec-fetch-site", "none")], 200),
            (&[host, ("origin", "http://localhost:3000")], 403),
            (&[host, ("origin", "http://evil.example")], 403),
            (&[host, ("origin", "null")], 403),
            (
                &[
                    host,
                    ("origin", "http://localhost:8080"),
                    ("origin", "http://evil.example"),
                ],
                403,
            ),
            (&[host, ("sec-fetch-site", "cross-site")], 403),
            (
                &[
                    host,
                    ("sec-fetch-site", "same-site"),
                    ("origin", "http://localhost:8080"),
                ],
                403,
            ),
        ] {
            for method in ["POST", "PUT", "DELETE", "PATCH"] {
                assert_eq!(status(method, headers), expected, "{method} {headers:?}");
            }
        }
        let foreign = [
            host,
            ("origin", "http://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ];
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert_eq!(status(method, &foreign), 200, "{method}");
        }
        let upgrade = ("upgrade", "websocket");
        let own = [host, ("origin", "http://localhost:8080"), upgrade];
        assert_eq!(status("GET", &own), 200);
        assert_eq!(status("GET", &[host, upgrade]), 200);
        assert_eq!(status("GET", &[host, foreign[1], upgrade]), 403);
    }
}
