//! How much of a request is read.

/// How big a request may be. What is over a limit is refused before a handler sees any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the HTTP body (default 4 MiB). More is answered with HTTP 413.
    pub max_body_bytes: usize,
    /// Elements inside one another, the envelope included (default 64).
    pub max_depth: usize,
    /// Elements in all (default 100,000).
    pub max_elements: usize,
    /// Attributes of one element, namespace declarations included (default 64).
    pub max_attributes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: 4 << 20,
            max_depth: 64,
            max_elements: 100_000,
            max_attributes: 64,
        }
    }
}

impl Limits {
    /// For replies of a server that one called oneself: as many elements as there are.
    pub(crate) fn trusting() -> Self {
        Self {
            max_body_bytes: usize::MAX,
            max_elements: usize::MAX,
            ..Self::default()
        }
    }
}
