//! Typed ids: a host's id cannot be passed where a router's is wanted.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Why a text is not an id; the message says what one looks like.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IdError(String);

impl IdError {
    pub(crate) fn new(message: String) -> Self {
        Self(message)
    }
}

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "soap", derive(soap::Message))]
        #[cfg_attr(feature = "soap", soap(value))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let printable = text.chars().all(|c| !c.is_control() && !c.is_whitespace());
                if text.is_empty() || text.len() > 256 || !printable {
                    return Err(IdError(format!(
                        "{text:?} is not {}: 1 to 256 characters without blanks were expected",
                        $what
                    )));
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_id! {
    /// The id of a host, given at its registration, for example `rio-edge-1`.
    HostId, "a host's id"
}
name_id! {
    /// The id of a link, made of its sorted end points: the same link has the same id for ever.
    LinkId, "a link's id"
}
name_id! {
    /// The id of a segment (an L2 broadcast domain), made of what carries it.
    SegmentId, "a segment's id"
}

/// The id of a router: its libvirt domain's UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[cfg_attr(feature = "soap", soap(value))]
#[serde(transparent)]
pub struct RouterId(pub Uuid);

impl FromStr for RouterId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Uuid::try_parse(text).map(Self).map_err(|_| {
            IdError(format!(
                "{text:?} is not a router's id: a UUID such as \
                 6f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01 was expected"
            ))
        })
    }
}

impl fmt::Display for RouterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An IEEE 802 MAC address, written in lower case with colons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "soap", derive(soap::Message))]
#[cfg_attr(feature = "soap", soap(value))]
#[serde(try_from = "String", into = "String")]
pub struct MacAddress(pub [u8; 6]);

impl FromStr for MacAddress {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut octets = [0; 6];
        let mut parts = text.split([':', '-']);
        let complete = octets.iter_mut().all(|octet| {
            parts
                .next()
                .filter(|part| part.len() == 2)
                .and_then(|part| u8::from_str_radix(part, 16).ok())
                .map(|value| *octet = value)
                .is_some()
        });
        if complete && parts.next().is_none() {
            return Ok(Self(octets));
        }
        Err(IdError(format!(
            "{text:?} is not a MAC address: six octets such as 52:54:00:12:34:56 were expected"
        )))
    }
}

impl TryFrom<String> for MacAddress {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<MacAddress> for String {
    fn from(mac: MacAddress) -> String {
        mac.to_string()
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, octet) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{octet:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_addresses_are_read_leniently_and_written_in_one_form() {
        for text in ["52:54:00:AB:cd:0f", "52-54-00-ab-cd-0f"] {
            assert_eq!(
                text.parse::<MacAddress>().unwrap().to_string(),
                "52:54:00:ab:cd:0f"
            );
        }
        for text in [
            "",
            "52:54:00:ab:cd",
            "52:54:00:ab:cd:0f:00",
            "+2:54:00:ab:cd:0",
            "5254.00ab.cd0f",
        ] {
            let error = text.parse::<MacAddress>().unwrap_err().to_string();
            assert!(error.contains("52:54:00:12:34:56"), "{error}");
        }
    }

    #[test]
    fn ids_refuse_what_would_break_a_line() {
        assert!("rio-edge-1".parse::<HostId>().is_ok());
        for text in ["", "a b", "a\nb", "a\u{7f}"] {
            assert!(text.parse::<HostId>().is_err(), "{text:?}");
        }
        assert!(
            "not-a-uuid"
                .parse::<RouterId>()
                .unwrap_err()
                .to_string()
                .contains("UUID")
        );
    }
}
