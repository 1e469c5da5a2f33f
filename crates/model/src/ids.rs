//! The ids of a topology's elements.

use serde::{Deserialize, Serialize};
use std::{
    borrow::Borrow,
    fmt::{self, Write},
};
use uuid::Uuid;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// So that it is found by its text.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// The id of a host, given at its registration.
    HostId
}
text_id! {
    /// The id of a segment: its smallest carrier, so that the same wire has the same id as long
    /// as that carrier is part of it. Without blanks, at most 256 bytes.
    SegmentId
}
text_id! {
    /// The id of a link: its sorted ends. Without blanks, at most 256 bytes.
    LinkId
}

impl HostId {
    /// Takes an id that was checked at registration.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }
}

impl SegmentId {
    pub(crate) fn of_parts(parts: &[&str]) -> Self {
        Self(joined(parts, '/'))
    }
}

impl LinkId {
    pub(crate) fn of_ends(kind: &str, a: &str, b: &str) -> Self {
        Self(bounded(format!("{kind}:{a}--{b}")))
    }
}

/// The id of a router: its libvirt domain's UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RouterId(pub Uuid);

impl fmt::Display for RouterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An IEEE 802 MAC address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, octet) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{octet:02x}")?;
        }
        Ok(())
    }
}

/// The longest id that callers are promised.
const LONGEST: usize = 256;

/// Joins parts so that different parts never give the same text, and no blank is in it.
pub(crate) fn joined(parts: &[&str], separator: char) -> String {
    let mut text = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            text.push(separator);
        }
        for c in part.chars() {
            if c == separator || c == '%' || c.is_whitespace() || c.is_control() {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    let _ = write!(text, "%{byte:02x}"); // into a String: cannot fail
                }
            } else {
                text.push(c);
            }
        }
    }
    bounded(text)
}

/// Cuts what is too long for an id and puts a digest in place of the rest.
fn bounded(mut text: String) -> String {
    if text.len() > LONGEST {
        let digest = fnv_1a(text.as_bytes());
        let mut end = LONGEST - 17;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        let _ = write!(text, "~{digest:016x}"); // into a String: cannot fail
    }
    text
}

/// FNV-1a, 64 bits: the same on every machine and in every release, unlike the standard hashers.
fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart_and_blanks_are_gone() {
        assert_ne!(joined(&["a/b", "c"], '/'), joined(&["a", "b/c"], '/'));
        assert_ne!(joined(&["a%2fb"], '/'), joined(&["a/b"], '/'));
        assert_eq!(joined(&["network", "my net\n"], '/'), "network/my%20net%0a");
    }

    #[test]
    fn long_ids_are_cut_but_stay_different() {
        let (a, b) = ("ä".repeat(300) + "a", "ä".repeat(300) + "b");
        let (a, b) = (joined(&[&a], '/'), joined(&[&b], '/'));
        assert!(a.len() <= LONGEST && b.len() <= LONGEST);
        assert_ne!(a, b);
    }
}
