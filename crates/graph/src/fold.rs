//! Looking for text in text, whatever the case.

use std::ops::Range;

/// Where `needle`, in small letters, next occurs in `text` from byte `from` on; bytes of `text`,
/// at the borders of characters. Nothing occurs nowhere.
pub(crate) fn find(text: &str, needle: &str, from: usize) -> Option<Range<usize>> {
    if needle.is_empty() {
        return None;
    }
    if text.is_ascii() {
        // Most names are. Letters are bytes then.
        let needle = needle.as_bytes();
        let rest = text.as_bytes().get(from..)?;
        let at = rest
            .windows(needle.len())
            .position(|window| window.eq_ignore_ascii_case(needle))?;
        return Some(from + at..from + at + needle.len());
    }
    let rest = text.get(from..)?;
    rest.char_indices().find_map(|(start, _)| {
        let mut wanted = needle.chars();
        for (at, c) in rest[start..].char_indices() {
            for small in c.to_lowercase() {
                if wanted.next() != Some(small) {
                    return None;
                }
            }
            if wanted.as_str().is_empty() {
                let end = start + at + c.len_utf8();
                return Some(from + start..from + end);
            }
        }
        None
    })
}

/// Whether `needle`, in small letters, occurs in `text`.
pub(crate) fn contains(text: &str, needle: &str) -> bool {
    find(text, needle, 0).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_matter_and_ranges_are_of_the_text() {
        assert_eq!(find("AMS-core-1", "core", 0), Some(4..8));
        assert_eq!(find("abcABC", "abc", 1), Some(3..6));
        assert_eq!(find("Größe ÜBER", "über", 0), Some(8..13));
        // The dotted capital I is two characters when small: it is found whole or not at all.
        assert_eq!(find("İx", "i\u{307}x", 0), Some(0..3));
        assert_eq!(find("İx", "ix", 0), None);
        assert_eq!(find("abc", "abcd", 0), None);
        assert_eq!(find("abc", "", 0), None);
        assert_eq!(find("abc", "c", 9), None);
        assert!(contains("ΣΑΣ", "σα") && !contains("", "a"));
    }
}
