//! The symbols in nodes and the badges of states, each around 0, 0.

use std::fmt::{self, Write};

/// A symbol: strokes with round ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sign {
    /// Its name: a kind of node, or a state.
    pub name: &'static str,
    /// SVG path data.
    pub path: &'static str,
    /// How broad the strokes are.
    pub stroke: f32,
    /// Whether it stands on a disc of radius 8 that is filled with the state's colour.
    pub on_disc: bool,
}

const fn sign(name: &'static str, path: &'static str, stroke: f32) -> Sign {
    Sign {
        name,
        path,
        stroke,
        on_disc: false,
    }
}

const fn state(name: &'static str, path: &'static str) -> Sign {
    Sign {
        name,
        path,
        stroke: 1.8,
        on_disc: true,
    }
}

/// All symbols. Each lies within 56 × 36 around its origin.
pub const SIGNS: [Sign; 11] = [
    // Two arrows in, two arrows out: what everybody's router looks like.
    sign(
        "router",
        "M-3 0H-11M-7.6 -3.4L-11 0L-7.6 3.4M3 0H11M7.6 -3.4L11 0L7.6 3.4\
         M0 -11V-3M-3.4 -6.4L0 -3L3.4 -6.4M0 11V3M-3.4 6.4L0 3L3.4 6.4",
        1.9,
    ),
    // Two units in a rack: a host.
    sign(
        "host",
        "M-18 -15H18a3 3 0 0 1 3 3V-5a3 3 0 0 1 -3 3H-18a3 3 0 0 1 -3 -3V-12a3 3 0 0 1 3 -3Z\
         M-18 2H18a3 3 0 0 1 3 3V12a3 3 0 0 1 -3 3H-18a3 3 0 0 1 -3 -3V5a3 3 0 0 1 3 -3Z\
         M-15 -8.5h.01M-9.5 -8.5h.01M-15 8.5h.01M-9.5 8.5h.01M4 -8.5H15M4 8.5H15",
        1.7,
    ),
    // Arrows both ways: a switch.
    sign(
        "switch",
        "M-17 -4H15M11 -8L15 -4L11 0M17 5H-15M-11 1L-15 5L-11 9",
        1.7,
    ),
    // A bus with taps.
    sign(
        "segment",
        "M-24 0h.01M-12 0h.01M0 0h.01M12 0h.01M24 0h.01",
        4.0,
    ),
    // The same as a host, small: at the head of a box.
    sign(
        "server",
        "M-7 -8H7a2 2 0 0 1 2 2V-3a2 2 0 0 1 -2 2H-7a2 2 0 0 1 -2 -2V-6a2 2 0 0 1 2 -2Z\
         M-7 1.5H7a2 2 0 0 1 2 2V6.5a2 2 0 0 1 -2 2H-7a2 2 0 0 1 -2 -2V3.5a2 2 0 0 1 2 -2Z\
         M-5.5 -4.5h.01M-5.5 5h.01M1 -4.5H5.5M1 5H5.5",
        1.6,
    ),
    state("paused", "M-2.4 -3.2V3.2M2.4 -3.2V3.2"),
    state("stopped", "M-2.3 -2.3H2.3V2.3H-2.3Z"),
    state("failed", "M-2.7 -2.7L2.7 2.7M2.7 -2.7L-2.7 2.7"),
    state(
        "unknown",
        "M-2.5 -1.7C-2.5 -5 2.6 -4.9 2.5 -1.8C2.4 0 0 -.2 0 1.7M0 4.3h.01",
    ),
    // On its way to another host.
    state("moving", "M-3.6 0H3.4M.8 -2.8L3.6 0L.8 2.8"),
    // A spanner: in maintenance.
    state(
        "maintenance",
        "M-3.8 3.8L.6 -.6M4.2 -2.4A2.7 2.7 0 1 1 2.4 -4.2L1.6 -1.6Z",
    ),
];

/// `<defs>` of everything that is placed by reference. The same in every picture, so that two
/// pictures in one page do not disagree.
pub(super) fn definitions(out: &mut String) -> fmt::Result {
    out.write_str("<defs>")?;
    for sign in SIGNS {
        let disc = if sign.on_disc {
            r#"<circle r="8"/>"#
        } else {
            ""
        };
        write!(
            out,
            r#"<g id="topo-{}">{disc}<path d="{}"/></g>"#,
            sign.name, sign.path
        )?;
    }
    out.write_str(
        "<pattern id=\"topo-hatch\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><path class=\"stripe\" d=\"M4 0V8\"/></pattern></defs>",
    )
}
