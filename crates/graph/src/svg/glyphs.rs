//! The symbols in nodes and the badges of states, each around 0, 0.

/// `<defs>` of everything that is placed by reference. The same in every picture, so that two
/// pictures in one page do not disagree.
pub(super) const DEFINITIONS: &str = concat!(
    "<defs>",
    // Two arrows in, two arrows out: what everybody's router looks like.
    r#"<g id="topo-router"><path d="M-3 0H-11M-7.6 -3.4L-11 0L-7.6 3.4M3 0H11M7.6 -3.4L11 0L7.6 3.4"/>"#,
    r#"<path d="M0 -11V-3M-3.4 -6.4L0 -3L3.4 -6.4M0 11V3M-3.4 6.4L0 3L3.4 6.4"/></g>"#,
    // Arrows both ways: a switch.
    r#"<g id="topo-switch"><path d="M-17 -4H15M11 -8L15 -4L11 0M17 5H-15M-11 1L-15 5L-11 9"/></g>"#,
    // Three units in a rack: a host.
    r#"<g id="topo-host"><rect x="-21" y="-15" width="42" height="13" rx="3"/><rect x="-21" y="2" width="42" height="13" rx="3"/>"#,
    r#"<path d="M-15 -8.5h.01M-9.5 -8.5h.01M-15 8.5h.01M-9.5 8.5h.01M4 -8.5H15M4 8.5H15"/></g>"#,
    r#"<g id="topo-server"><rect x="-9" y="-8" width="18" height="7" rx="2"/><rect x="-9" y="1.5" width="18" height="7" rx="2"/>"#,
    r#"<path d="M-5.5 -4.5h.01M-5.5 5h.01M1 -4.5H5.5M1 5H5.5"/></g>"#,
    // A bus with taps.
    r#"<g id="topo-segment"><path d="M-24 0h.01M-12 0h.01M0 0h.01M12 0h.01M24 0h.01"/></g>"#,
    // States.
    r#"<g id="topo-paused"><circle r="8"/><path d="M-2.4 -3.2V3.2M2.4 -3.2V3.2"/></g>"#,
    r#"<g id="topo-stopped"><circle r="8"/><path d="M-2.3 -2.3H2.3V2.3H-2.3Z"/></g>"#,
    r#"<g id="topo-failed"><circle r="8"/><path d="M-2.7 -2.7L2.7 2.7M2.7 -2.7L-2.7 2.7"/></g>"#,
    r#"<g id="topo-unknown"><circle r="8"/><path d="M-2.5 -1.7C-2.5 -5 2.6 -4.9 2.5 -1.8C2.4 0 0 -.2 0 1.7M0 4.3h.01"/></g>"#,
    "</defs>",
);
