//! What signs and colours mean, as the picture is coloured now.

use super::super::options::Colouring;
use crate::{
    components::{MAINTENANCE, state_sign},
    format::escape_html,
};
use graph::{NodeKind, NodeState, describe, palette};
use std::fmt::Write as _;

/// How many networks the legend names; the others are named by their routers.
const MOST_NETWORKS: usize = 12;

/// How many bars show a ramp.
const BARS: u8 = 16;

/// What the legend depends on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// What colours say.
    pub colour: Colouring,
    /// Whether links are coloured by their load.
    pub weathermap: bool,
    /// The virtual networks there are.
    pub networks: Vec<String>,
}

/// All of it.
pub fn html(shown: &Shown) -> String {
    let mut html = "<summary>Legend</summary><div class=\"legend-body\">".to_owned();
    states(&mut html);
    links(&mut html);
    if shown.weathermap || shown.colour == Colouring::Load {
        ramp(&mut html);
    }
    if shown.weathermap {
        html.push_str(UNKNOWN);
    }
    if shown.colour == Colouring::Network {
        networks(&mut html, &shown.networks);
    }
    html.push_str("</div>");
    html
}

/// Signs of states, with what they mean of a router and of a host.
fn states(html: &mut String) {
    html.push_str("<ul aria-label=\"States of routers, and of hosts\">");
    for state in [
        NodeState::Running,
        NodeState::Paused,
        NodeState::Stopped,
        NodeState::Failed,
        NodeState::Unknown,
    ] {
        let (class, path) = state_sign(state);
        let of_router = match state {
            NodeState::Unknown => "unknown",
            state => describe::state(NodeKind::Router, state),
        };
        let of_host = match state {
            // No host is told to be that: it does not answer.
            NodeState::Stopped => "",
            state => describe::state(NodeKind::Host, state),
        };
        let between = if of_host.is_empty() { "" } else { " · " };
        let _ = write!(
            html,
            "<li><svg class=\"{class}\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path \
             fill-rule=\"evenodd\" d=\"{path}\"/></svg>{of_router}{between}{of_host}</li>"
        );
    }
    html.push_str("</ul>");
}

/// Kinds of links, and what becomes of them.
fn links(html: &mut String) {
    html.push_str("<ul aria-label=\"Links\">");
    for (class, words) in [
        ("physical up", "cable"),
        ("virtual up", "virtual link"),
        ("attachment up", "on a segment"),
        ("virtual down", "down"),
        ("physical unknown", "state unknown"),
        ("migration up", "being moved"),
    ] {
        let _ = write!(
            html,
            "<li><svg class=\"sample topology\" viewBox=\"0 0 34 10\" aria-hidden=\"true\"><g \
             class=\"edge {class}\"><path class=\"line\" stroke-width=\"2.5\" d=\"M2 \
             5H32\"/></g></svg>{words}</li>"
        );
    }
    html.push_str(
        "<li><svg class=\"icon\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path \
         fill-rule=\"evenodd\" d=\"",
    );
    html.push_str(MAINTENANCE);
    html.push_str("\"/></svg>host in maintenance</li></ul>");
}

/// What halves of links without a colour are.
const UNKNOWN: &str = "<p class=\"hint\">Grey: not known. Cables are counted where vms.toml says \
                       <code>traffic</code>.</p>";

fn ramp(html: &mut String) {
    html.push_str(
        "<div class=\"ramp\">Load 0 %<svg viewBox=\"0 0 128 10\" preserveAspectRatio=\"none\" \
         aria-hidden=\"true\">",
    );
    for (class, dark) in THEMES {
        let _ = write!(html, "<g class=\"{class}\">");
        for bar in 0..BARS {
            let load = f32::from(bar) / f32::from(BARS - 1);
            let fill = palette::css(palette::load_colour(load, dark));
            let x = bar * 8;
            let _ = write!(
                html,
                "<rect x=\"{x}\" width=\"8\" height=\"10\" fill=\"{fill}\"/>"
            );
        }
        html.push_str("</g>");
    }
    html.push_str("</svg>100 %</div>");
}

/// The style sheet shows the one of the present theme.
const THEMES: [(&str, bool); 2] = [("when-light", false), ("when-dark", true)];

fn networks(html: &mut String, names: &[String]) {
    html.push_str("<ul aria-label=\"Virtual networks\">");
    for name in names.iter().take(MOST_NETWORKS) {
        html.push_str("<li><svg class=\"patch\" viewBox=\"0 0 10 10\" aria-hidden=\"true\">");
        for (class, dark) in THEMES {
            let fill = palette::css(palette::network_colour(name, dark));
            let _ = write!(
                html,
                "<rect class=\"{class}\" width=\"10\" height=\"10\" fill=\"{fill}\"/>"
            );
        }
        let _ = write!(html, "</svg>{}</li>", escape_html(name));
    }
    if names.len() > MOST_NETWORKS {
        let _ = write!(html, "<li>and {} more</li>", names.len() - MOST_NETWORKS);
    }
    html.push_str("</ul>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_what_the_picture_shows() {
        let plain = html(&Shown::default());
        assert!(plain.contains("crashed · unreachable") && !plain.contains("Load"));
        let shown = Shown {
            colour: Colouring::Network,
            weathermap: true,
            networks: (0..14).map(|n| format!("<net{n}>")).collect(),
        };
        let coloured = html(&shown);
        assert!(
            coloured.contains("Load 0 %")
                && coloured.contains("Grey")
                && coloured.contains("&lt;net11&gt;")
        );
        assert!(!coloured.contains("net12") && coloured.contains("and 2 more"));
    }
}
