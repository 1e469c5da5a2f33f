//! The Scene as SVG.

use crate::Scene;

/// How the picture is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Adds a `<style>` so that the picture stands alone (print, export).
    pub embedded_style: bool,
    /// Which colours the embedded style uses.
    pub theme: Theme,
    /// Makes every node a link to this prefix followed by its percent-encoded id.
    pub href: Option<String>,
    /// The same for groups.
    pub group_href: Option<String>,
    /// The same for edges.
    pub edge_href: Option<String>,
    /// Id of the node, group or edge that is marked as selected.
    pub selected: Option<String>,
    /// What a screen reader hears for the picture as a whole.
    pub title: String,
}

/// Which colours the embedded style uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Those that the reader's system asks for.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// Writes the scene as one `<svg>` element.
pub fn render(scene: &Scene, options: &Options) -> String {
    let _ = options;
    format!("<svg><!-- {} --></svg>", scene.nodes.len())
}
