//! Text, numbers and addresses as XML wants them.

use std::fmt::{self, Display, Write};

/// Text in element content or in a quoted attribute. Characters that XML 1.0 does not allow are
/// left out.
pub(crate) struct Escaped<'a>(pub &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\t' | '\n' | '\r' => f.write_char(' ')?,
                '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {}
                _ => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A part of an address (RFC 3986): everything but unreserved characters percent-encoded.
pub(super) struct Percent<'a>(pub &'a str);

impl Display for Percent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0.as_bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                f.write_char(char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// A coordinate in tenths.
pub(super) struct Number(pub f32);

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Adding zero makes one of the two zeros.
        write!(f, "{}", (f64::from(self.0) * 10.0).round() / 10.0 + 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes() {
        assert_eq!(
            Escaped("<a b=\"c\" d='e'>&\u{0}\u{fffe}\n").to_string(),
            "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp; "
        );
        assert_eq!(Percent("a/b?ü").to_string(), "a%2Fb%3F%C3%BC");
        assert_eq!(Number(-0.04).to_string(), "0");
        assert_eq!(Number(12.25).to_string(), "12.3");
    }
}
