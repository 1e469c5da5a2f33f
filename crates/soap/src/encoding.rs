//! From the bytes of a message to its characters: UTF-8 or UTF-16, and nothing that XML 1.0
//! cannot carry.

use std::borrow::Cow;

/// The encodings that SOAP over HTTP must be readable in (WS-I R1012, R4003).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Utf16,
}

/// Decodes a message. A byte order mark decides, then the `charset` of the Content-Type, then the
/// look of the first two bytes.
pub(crate) fn decode<'a>(
    bytes: &'a [u8],
    charset: Option<&str>,
) -> Result<(Cow<'a, str>, Encoding), String> {
    let (body, encoding) = match (bytes, charset) {
        ([0xEF, 0xBB, 0xBF, rest @ ..], _) => (rest, None),
        ([0xFE, 0xFF, rest @ ..], _) => (rest, Some(u16::from_be_bytes as fn([u8; 2]) -> u16)),
        ([0xFF, 0xFE, rest @ ..], _) => (rest, Some(u16::from_le_bytes as fn([u8; 2]) -> u16)),
        ([0, b'<', ..], None | Some("utf-16" | "utf-16be")) => {
            (bytes, Some(u16::from_be_bytes as _))
        }
        ([b'<', 0, ..], None | Some("utf-16" | "utf-16le")) => {
            (bytes, Some(u16::from_le_bytes as _))
        }
        (_, None | Some("utf-8" | "utf8" | "us-ascii")) => (bytes, None),
        (_, Some(other)) => {
            return Err(format!(
                "the message is not readable as {other:?}: send UTF-8, or UTF-16 with a byte \
                 order mark"
            ));
        }
    };
    let Some(unit) = encoding else {
        let text = std::str::from_utf8(body)
            .map_err(|error| format!("the message is not UTF-8: {error}"))?;
        return Ok((Cow::Borrowed(text), Encoding::Utf8));
    };
    if body.len() % 2 != 0 {
        return Err("the message is not UTF-16: it has an odd number of bytes".into());
    }
    let text = char::decode_utf16(body.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])))
        .collect::<Result<String, _>>()
        .map_err(|error| format!("the message is not UTF-16: {error}"))?;
    Ok((Cow::Owned(text), Encoding::Utf16))
}

/// Whether XML 1.0 can carry the character at all, escaped or not.
/// <https://www.w3.org/TR/xml/#charsets>
pub(crate) fn is_allowed(c: char) -> bool {
    !matches!(c, '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\u{FFFE}' | '\u{FFFF}')
}

/// The first character that XML 1.0 cannot carry, with its byte offset.
pub(crate) fn first_forbidden(text: &str) -> Option<(usize, char)> {
    // Byte by byte first: nearly every message has none, and this is a fast scan.
    let suspicious = |&byte: &u8| byte == 0xEF || (byte < 0x20 && !b"\t\n\r".contains(&byte));
    if !text.as_bytes().iter().any(suspicious) {
        return None;
    }
    text.char_indices().find(|&(_, c)| !is_allowed(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    }

    #[test]
    fn both_encodings_with_and_without_mark() {
        let text = "<a>Zürich 🛰</a>";
        for big in [true, false] {
            for charset in [None, Some("utf-16")] {
                for mark in ["", "\u{FEFF}"] {
                    let bytes = utf16(&format!("{mark}{text}"), big);
                    let (read, encoding) = decode(&bytes, charset).unwrap();
                    assert_eq!((read.as_ref(), encoding), (text, Encoding::Utf16));
                }
            }
        }
        let (read, encoding) = decode("\u{FEFF}<a/>".as_bytes(), Some("utf-8")).unwrap();
        assert_eq!((read.as_ref(), encoding), ("<a/>", Encoding::Utf8));
    }

    #[test]
    fn other_encodings_are_refused() {
        assert!(decode(b"<a/>", Some("iso-8859-1")).is_err());
        assert!(decode(b"<a>\xFC</a>", None).is_err());
        assert!(decode(b"\xFE\xFF\x00", None).is_err());
        assert!(decode(b"\xFE\xFF\xD8\x00", None).is_err());
    }

    #[test]
    fn forbidden_characters_are_found() {
        assert_eq!(first_forbidden("a\tb\r\n\u{FFFD}ﬀ"), None);
        assert_eq!(first_forbidden("ab\0"), Some((2, '\0')));
        assert_eq!(first_forbidden("\u{FFFF}"), Some((0, '\u{FFFF}')));
    }
}
