//! The two versions of SOAP, and what differs between them on the wire.

use std::fmt;

/// The version of SOAP that a message is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// [SOAP 1.1](https://www.w3.org/TR/2000/NOTE-SOAP-20000508/), sent as `text/xml`.
    V11,
    /// [SOAP 1.2](https://www.w3.org/TR/soap12-part1/), sent as `application/soap+xml`.
    V12,
}

/// The namespace of XML Schema instances (`xsi:nil`, `xsi:type`).
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

impl Version {
    /// Both versions.
    pub const ALL: [Self; 2] = [Self::V11, Self::V12];

    /// The namespace of the envelope.
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
            Self::V12 => "http://www.w3.org/2003/05/soap-envelope",
        }
    }

    /// The value of `Content-Type` that messages of this version are sent with.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::V11 => "text/xml; charset=utf-8",
            Self::V12 => "application/soap+xml; charset=utf-8",
        }
    }

    pub(crate) fn of_namespace(namespace: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|version| version.namespace() == namespace)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V11 => "SOAP 1.1",
            Self::V12 => "SOAP 1.2",
        })
    }
}

/// What a `Content-Type` header says, read by hand.
///
/// Real clients send `action=urn:x` without quotes, `action=""`, and parameters in any case and
/// order; strict MIME parsers reject those, so only what matters is looked at and the rest is let
/// pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ContentType {
    pub(crate) version: Version,
    pub(crate) charset: Option<String>,
    pub(crate) action: Option<String>,
}

impl ContentType {
    /// Reads the header's value; `None` if its media type is neither of SOAP's.
    pub(crate) fn read(header: &str) -> Option<Self> {
        let (media_type, rest) = header.split_once(';').unwrap_or((header, ""));
        let media_type = media_type.trim();
        let version = if media_type.eq_ignore_ascii_case("text/xml") {
            Version::V11
        } else if media_type.eq_ignore_ascii_case("application/soap+xml") {
            Version::V12
        } else {
            return None;
        };
        let mut charset = None;
        let mut action = None;
        for (name, value) in parameters(rest) {
            if name.eq_ignore_ascii_case("charset") {
                charset = Some(value.to_ascii_lowercase());
            } else if name.eq_ignore_ascii_case("action") && !value.is_empty() {
                action = Some(value);
            }
        }
        Some(Self {
            version,
            charset,
            action,
        })
    }
}

/// The parameters of a media type, leniently: what is no parameter is let pass. In quotes, `\\` escapes.
pub(crate) fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['=', ';']) {
        let (name, after) = (rest[..at].trim(), &rest[at + 1..]);
        if rest.as_bytes()[at] == b';' {
            rest = after;
            continue;
        }
        let after = after.trim_start();
        let value = if let Some(quoted) = after.strip_prefix('"') {
            let mut value = String::new();
            let mut letters = quoted.char_indices();
            rest = "";
            while let Some((at, letter)) = letters.next() {
                match letter {
                    '"' => {
                        rest = quoted[at + 1..]
                            .split_once(';')
                            .map_or("", |(_, next)| next);
                        break;
                    }
                    '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
                    letter => value.push(letter),
                }
            }
            value
        } else {
            let (value, next) = after.split_once(';').unwrap_or((after, ""));
            rest = next;
            value.trim_end().to_owned()
        };
        found.push((name.to_owned(), value));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_of_real_clients_are_understood() {
        let cases = [
            ("text/xml", Version::V11, None, None),
            (
                "Text/XML; Charset=\"UTF-8\"",
                Version::V11,
                Some("utf-8"),
                None,
            ),
            (
                "application/soap+xml;charset=utf-8;action=http://example.org/a;b",
                Version::V12,
                Some("utf-8"),
                Some("http://example.org/a"),
            ),
            (
                "application/soap+xml; action=\"\"; charset=utf-16",
                Version::V12,
                Some("utf-16"),
                None,
            ),
            (
                "application/soap+xml; action=\"urn:a;b\" ; charset=utf-8",
                Version::V12,
                Some("utf-8"),
                Some("urn:a;b"),
            ),
            ("application/soap+xml; ;=", Version::V12, None, None),
        ];
        for (header, version, charset, action) in cases {
            let read = ContentType::read(header).expect(header);
            assert_eq!(read.version, version, "{header}");
            assert_eq!(read.charset.as_deref(), charset, "{header}");
            assert_eq!(read.action.as_deref(), action, "{header}");
        }
        for header in ["application/xml", "text/plain", "", "text/xmlish"] {
            assert_eq!(ContentType::read(header), None, "{header}");
        }
    }
}
