//! Writing XML by hand, as fast as memory allows.

/// A value's XML in the making: what [`Value::write`](crate::Value::write) writes to.
///
/// Nothing here can fail. Characters that mean something to XML are escaped; characters that XML
/// 1.0 cannot carry at all (control characters other than tab, line feed and carriage return, and
/// U+FFFE, U+FFFF) are written as U+FFFD, the replacement character: one odd byte in one name must
/// not take a whole reply away from its reader.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

/// The name of an element with its two tags ready to be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    open: &'static str,
    close: &'static str,
}

impl Tag {
    /// Made of both tags as written, `<name>` and `</name>`; the derive macro writes them.
    ///
    /// # Panics
    ///
    /// If they are not; in a `const`, where it is meant to be called, that fails the build.
    pub const fn new(open: &'static str, close: &'static str) -> Self {
        assert!(
            open.len() > 2 && close.len() == open.len() + 1,
            "<name> and </name> were expected"
        );
        Self { open, close }
    }

    /// The name alone.
    pub fn name(self) -> &'static str {
        &self.open[1..self.open.len() - 1]
    }
}

/// What a byte asks for when it is written as text.
const PLAIN: u8 = 0;
const ESCAPE: u8 = 1;
const FORBIDDEN: u8 = 2;
/// The first byte of U+FFFE and U+FFFF, and of others that are fine.
const MAYBE_FORBIDDEN: u8 = 3;

const CLASS: [u8; 256] = {
    let mut class = [PLAIN; 256];
    let mut byte = 0;
    while byte < 0x20 {
        class[byte] = FORBIDDEN;
        byte += 1;
    }
    class[b'\t' as usize] = PLAIN;
    class[b'\n' as usize] = PLAIN;
    // A reader turns a bare carriage return into a line feed: only a reference survives.
    class[b'\r' as usize] = ESCAPE;
    class[b'&' as usize] = ESCAPE;
    class[b'<' as usize] = ESCAPE;
    class[b'>' as usize] = ESCAPE;
    class[0xEF] = MAYBE_FORBIDDEN;
    class
};

impl Writer {
    /// An empty one with some room.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
        }
    }

    /// Writes text, escaped.
    pub fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut written = 0;
        let mut at = 0;
        while at < bytes.len() {
            let class = CLASS[usize::from(bytes[at])];
            if class == PLAIN {
                at += 1;
                continue;
            }
            let (replacement, length): (&[u8], usize) = match (class, &bytes[at..]) {
                (ESCAPE, [b'&', ..]) => (b"&amp;", 1),
                (ESCAPE, [b'<', ..]) => (b"&lt;", 1),
                (ESCAPE, [b'>', ..]) => (b"&gt;", 1),
                (ESCAPE, _) => (b"&#13;", 1),
                (FORBIDDEN, _) => ("\u{FFFD}".as_bytes(), 1),
                (_, [0xEF, 0xBF, 0xBE | 0xBF, ..]) => ("\u{FFFD}".as_bytes(), 3),
                _ => {
                    at += 1;
                    continue;
                }
            };
            self.bytes.extend_from_slice(&bytes[written..at]);
            self.bytes.extend_from_slice(replacement);
            at += length;
            written = at;
        }
        self.bytes.extend_from_slice(&bytes[written..]);
    }

    /// Writes what formats itself, escaped.
    pub fn display(&mut self, value: impl std::fmt::Display) {
        struct Escape<'a>(&'a mut Writer);
        impl std::fmt::Write for Escape<'_> {
            fn write_str(&mut self, text: &str) -> std::fmt::Result {
                self.0.text(text);
                Ok(())
            }
        }
        // A `Display` that fails of itself has written what it could: there is nobody to tell.
        let _ = std::fmt::Write::write_fmt(&mut Escape(self), format_args!("{value}"));
    }

    /// Writes a whole number.
    pub fn integer(&mut self, value: i128) {
        let mut digits = [0u8; 40];
        let mut at = digits.len();
        // Every number that a value type writes fits 64 bits and a sign; 128-bit division is slow.
        match u64::try_from(value.unsigned_abs()) {
            Ok(mut rest) => loop {
                at -= 1;
                digits[at] = b'0' + (rest % 10) as u8;
                rest /= 10;
                if rest == 0 {
                    break;
                }
            },
            Err(_) => return self.display(value),
        }
        if value < 0 {
            at -= 1;
            digits[at] = b'-';
        }
        self.bytes.extend_from_slice(&digits[at..]);
    }

    /// Writes what is XML already, as it is.
    pub fn raw(&mut self, xml: &str) {
        self.bytes.extend_from_slice(xml.as_bytes());
    }

    /// Writes an element around what `content` writes.
    pub fn element(&mut self, tag: Tag, content: impl FnOnce(&mut Self)) {
        self.raw(tag.open);
        content(self);
        self.raw(tag.close);
    }

    /// Writes an element that opens a namespace for itself and what is in it.
    pub(crate) fn element_in(
        &mut self,
        name: &str,
        namespace: &str,
        content: impl FnOnce(&mut Self),
    ) {
        self.raw("<");
        self.raw(name);
        self.raw(" xmlns=\"");
        self.raw(&escape(namespace));
        self.raw("\">");
        content(self);
        self.raw("</");
        self.raw(name);
        self.raw(">");
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Escapes text for XML and HTML, attribute values included.
pub(crate) fn escape(text: &str) -> String {
    let mut out = Writer::with_capacity(text.len() + 8);
    for (index, part) in text.split('"').enumerate() {
        if index > 0 {
            out.raw("&quot;");
        }
        out.text(part);
    }
    // Only whole characters were replaced by whole characters.
    String::from_utf8_lossy(&out.into_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(input: &str) -> String {
        let mut out = Writer::default();
        out.text(input);
        String::from_utf8(out.into_bytes()).unwrap()
    }

    #[test]
    fn what_means_something_to_xml_is_escaped() {
        assert_eq!(
            text("a<b>&\"c\"\r\n]]>"),
            "a&lt;b&gt;&amp;\"c\"&#13;\n]]&gt;"
        );
        assert_eq!(escape("\"&\""), "&quot;&amp;&quot;");
    }

    #[test]
    fn what_xml_cannot_carry_is_replaced() {
        assert_eq!(
            text("a\0b\u{1f}c\u{FFFF}d\u{FFFE}"),
            "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}"
        );
        assert_eq!(text("ﬀ\u{FFFD}\u{7f}"), "ﬀ\u{FFFD}\u{7f}");
    }

    #[test]
    fn integers() {
        for value in [
            0,
            7,
            -1,
            i128::from(i64::MIN),
            i128::from(u64::MAX),
            i128::MAX,
        ] {
            let mut out = Writer::default();
            out.integer(value);
            assert_eq!(
                String::from_utf8(out.into_bytes()).unwrap(),
                value.to_string()
            );
        }
    }
}
