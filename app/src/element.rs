//! What can be selected: one element of the topology, named by one string everywhere: in the
//! picture (`data-id`), in addresses (`?select=`) and in lists.

use api::{ElementId, HostId, LinkEnd, LinkId, RouterId, SegmentId};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An element of the topology; as text `router:<uuid>`, `host:<id>`, `segment:<id>` or
/// `link:<id>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Element {
    /// A host.
    Host(HostId),
    /// A virtual router.
    Router(RouterId),
    /// A broadcast domain.
    Segment(SegmentId),
    /// A link.
    Link(LinkId),
}

impl Element {
    /// What a link ends at; `None` if the end names nothing.
    pub fn of_end(end: &LinkEnd) -> Option<Self> {
        end.router
            .map(Self::Router)
            .or_else(|| end.host.clone().map(Self::Host))
            .or_else(|| end.segment.clone().map(Self::Segment))
    }

    /// What an id is of; `None` if it names nothing.
    pub fn of_id(id: &ElementId) -> Option<Self> {
        id.router
            .map(Self::Router)
            .or_else(|| id.host.clone().map(Self::Host))
            .or_else(|| id.segment.clone().map(Self::Segment))
            .or_else(|| id.link.clone().map(Self::Link))
    }

    /// Whether a path can begin and end at it.
    pub fn can_end_a_path(&self) -> bool {
        !matches!(self, Self::Link(_))
    }

    /// The address of the page that shows it selected in `view`.
    pub fn href(&self, view: api::TopologyView) -> String {
        format!(
            "/?view={view}&select={}",
            crate::format::percent_encode(&self.to_string())
        )
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(id) => write!(f, "host:{id}"),
            Self::Router(id) => write!(f, "router:{id}"),
            Self::Segment(id) => write!(f, "segment:{id}"),
            Self::Link(id) => write!(f, "link:{id}"),
        }
    }
}

impl FromStr for Element {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, id) = text.split_once(':').unwrap_or((text, ""));
        let parsed = match kind {
            "host" => id.parse().map(Self::Host),
            // The line that shows where a router is being moved to stands for the router.
            "router" | "migration" => id.parse().map(Self::Router),
            "segment" => id.parse().map(Self::Segment),
            "link" => id.parse().map(Self::Link),
            _ => {
                return Err(format!(
                    "{text:?} names no element: host:, router:, segment: or link: and an id were \
                     expected"
                ));
            }
        };
        parsed.map_err(|error| error.to_string())
    }
}

impl From<Element> for ElementId {
    fn from(element: Element) -> Self {
        match element {
            Element::Host(id) => id.into(),
            Element::Router(id) => id.into(),
            Element::Segment(id) => id.into(),
            Element::Link(id) => id.into(),
        }
    }
}

impl TryFrom<String> for Element {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Element> for String {
    fn from(element: Element) -> String {
        element.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_survives_its_text() {
        for text in [
            "host:rio-edge-1",
            "router:6f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01",
            "segment:network:6f1f52a0-0c6e-4b6e-9a35-2d1c1f0e8a01",
            "link:host:a:eth0--host:b:eth1",
        ] {
            assert_eq!(text.parse::<Element>().unwrap().to_string(), text);
        }
        for text in ["", "router:", "router:1", "planet:mars", "host:a b"] {
            assert!(text.parse::<Element>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_address_escapes_the_id() {
        let element: Element = "link:a&b=c".parse().unwrap();
        assert_eq!(
            element.href(api::TopologyView::Combined),
            "/?view=combined&select=link%3Aa%26b%3Dc"
        );
    }
}
