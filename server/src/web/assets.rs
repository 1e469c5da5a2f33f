//! The page's files, which are part of the binary: script, wasm, style sheet, icons.
//!
//! A file is asked for again each time with the `ETag` that the browser has (`no-cache`), and
//! costs no more than a 304; one that is asked for by its fingerprint (`?v=` and the first digits
//! of its SHA-256) never changes and is kept for good. A file `x.br` beside `x` is its Brotli form,
//! made at build time, and preferred where the browser takes it.

use super::caching::is_known;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rust_embed::RustEmbed;
use std::fmt::Write as _;

/// What a worker may do: run the page's script and wasm.
const WORKER_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

/// What the build left in `target/site`.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/site"]
pub struct Site;

/// The file at `path`, which begins with a slash; none if there is no such file.
pub fn asset<Files: RustEmbed>(
    path: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Option<Response> {
    let name = path.strip_prefix('/')?;
    let file = Files::get(name)?;
    let digest = hex(&file.metadata.sha256_hash());
    // Weak: the same file goes out in several encodings.
    let etag = format!("W/\"{digest}\"");
    let fingerprint =
        query.and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("v=")));
    let is_fingerprint = fingerprint.is_some_and(|v| v.len() >= 8 && digest.starts_with(v));
    let caching = if is_fingerprint {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let common = [
        (header::ETAG, etag.clone()),
        (header::CACHE_CONTROL, caching.to_owned()),
        (header::VARY, "accept-encoding".to_owned()),
    ];
    // A worker has the policy that it came with, not the page's.
    let common = (
        (name == "worker.js").then_some([(header::CONTENT_SECURITY_POLICY, WORKER_POLICY)]),
        common,
    );
    if is_known(headers, &etag) {
        return Some((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let kind = match kind.type_() {
        mime_guess::mime::TEXT => format!("{kind}; charset=utf-8"),
        _ => kind.to_string(),
    };
    let kind = [(header::CONTENT_TYPE, kind)];
    if accepts_brotli(headers)
        && let Some(small) = Files::get(&format!("{name}.br"))
    {
        let encoding = [(header::CONTENT_ENCODING, HeaderValue::from_static("br"))];
        return Some((common, kind, encoding, small.data).into_response());
    }
    Some((common, kind, file.data).into_response())
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            parts.next() == Some("br")
                && !parts.any(|quality| quality.trim_end_matches(['0', '.']) == "q=")
        })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This module's own directory stands in for the site.
    #[derive(RustEmbed)]
    #[folder = "$CARGO_MANIFEST_DIR/src/web"]
    struct Sources;

    fn get(path: &str, query: Option<&str>, headers: &[(&'static str, &str)]) -> Option<Response> {
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (
                    name.parse::<header::HeaderName>().unwrap(),
                    value.parse().unwrap(),
                )
            })
            .collect();
        asset::<Sources>(path, query, &headers)
    }

    #[test]
    fn a_file_is_asked_for_again_and_costs_a_304() {
        let first = get("/assets.rs", None, &[]).unwrap();
        assert_eq!(first.status(), 200);
        assert_eq!(first.headers()["cache-control"], "no-cache");
        assert!(
            first.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/")
        );
        let etag = first.headers()["etag"].to_str().unwrap().to_owned();
        for tags in [
            etag.clone(),
            etag.replace("W/", ""),
            format!("\"other\", {etag}"),
            "*".into(),
        ] {
            let again = get("/assets.rs", None, &[("if-none-match", &tags)]).unwrap();
            assert_eq!(again.status(), 304, "{tags}");
        }
        let other = get("/assets.rs", None, &[("if-none-match", "W/\"other\"")]).unwrap();
        assert_eq!(other.status(), 200);
    }

    #[test]
    fn a_fingerprint_makes_it_immutable_and_a_wrong_one_does_not() {
        let first = get("/assets.rs", None, &[]).unwrap();
        let digest = first.headers()["etag"].to_str().unwrap()[3..15].to_owned();
        for (query, immutable) in [
            (format!("v={digest}"), true),
            (format!("a=b&v={digest}"), true),
            ("v=".to_owned(), false),
            ("v=0123456789ab".to_owned(), false),
        ] {
            let reply = get("/assets.rs", Some(&query), &[]).unwrap();
            let caching = reply.headers()["cache-control"].to_str().unwrap();
            assert_eq!(caching.contains("immutable"), immutable, "{query}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_served() {
        for path in [
            "/",
            "/no-such-file",
            "/../lib.rs",
            "//assets.rs",
            "assets.rs",
        ] {
            assert!(get(path, None, &[]).is_none(), "{path}");
        }
    }

    #[test]
    fn brotli_is_taken_unless_refused() {
        for (value, expected) in [
            ("gzip, br", true),
            ("br;q=0.5", true),
            ("br;q=0", false),
            ("br; q=0.0", false),
            ("gzip", false),
            ("vibrate", false),
        ] {
            let headers = [(header::ACCEPT_ENCODING, value.parse().unwrap())]
                .into_iter()
                .collect();
            assert_eq!(accepts_brotli(&headers), expected, "{value}");
        }
    }
}
