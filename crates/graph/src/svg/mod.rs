//! The [`Scene`] as SVG: for the server's page, print, export, and where there is no WebGL.
//!
//! The picture has no colours of its own. It is styled by the classes below, either by the page or
//! by [`STYLE`], which [`Options::embedded_style`] puts inside; a page may serve [`STYLE`] as it is
//! and override the custom properties at its head.
//!
//! | class | on | says |
//! |---|---|---|
//! | `topology` | the `<svg>` | root; holds the custom properties `--topo-…` |
//! | `theme-light`, `theme-dark` | the `<svg>` | colours asked for by [`Options::theme`]; neither: the system's |
//! | `cables`, `boxes`, `links`, `nodes`, `texts` | layers, in this order | |
//! | `edge`, `group`, `node` | one thing, a `<g>` or, with a target, an `<a>` | |
//! | `physical`, `virtual`, `attachment`, `migration` | `edge` | [`EdgeKind`]; of a migration there is a `tip`, too |
//! | `moving` | `node` | it is being moved to another host: an arrow as a badge |
//! | `maintenance` | `node`, `group` | a host in maintenance: a spanner as a badge, and `hatch` |
//! | `up`, `down`, `unknown` | `edge` | [`EdgeState`]; down is dashed, unknown dotted |
//! | `host`, `switch`, `router`, `segment` | `node` | [`NodeKind`] |
//! | `running`, `paused`, `stopped`, `failed`, `unknown`, `neutral` | `node`, `group` | [`NodeState`] |
//! | `stale` | `node`, `group` | what is known is old: a second, dashed outline |
//! | `selected` | any | [`Options::selected`]; a page adds it, too |
//! | `hit` | path in an `edge` | wide and transparent, to be hit by a pointer |
//! | `line`, `casing` | paths in an `edge` | what is seen of it, and the clear strip around it |
//! | `body`, `glyph`, `outline`, `focus` | in `node` and `group` | shape, symbol in it, dashed outline, ring when focused or selected |
//! | `head` | line in a `group` | below the heading |
//! | `badge` | in `node` and `group` | sign of a state that is not "running": bars, a square, a cross, a question mark |
//! | `label`, `of-node`, `of-box`, `of-edge`, `boxed` | text; `boxed` if its node is in a box | `plate` is the ground behind an edge's |
//!
//! Each thing carries `data-id`, `data-kind` (`node`, `edge`, `group`), `aria-label` and a
//! `<title>`; it can be focused, as a button or as a link. State is never shown by colour alone.
//!
//! All text is escaped; characters that XML does not allow are left out.

mod glyphs;
pub(crate) mod write;

pub use glyphs::{SIGNS, Sign};

use crate::{
    Curve, Diagram, EdgeKind, LabelKind, NodeKind, NodeState, Rect, Scene, SceneBox, SceneEdge,
    SceneLabel, SceneNode, describe,
};
use std::fmt::{self, Write};
use write::{Escaped, Number, Percent};

/// The style sheet that [`Options::embedded_style`] puts inside.
pub const STYLE: &str = include_str!("style.css");

/// How the picture is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Puts [`STYLE`] inside, so that the picture stands alone (print, export).
    pub embedded_style: bool,
    /// Which colours the style uses.
    pub theme: Theme,
    /// Makes every node a link to this prefix followed by its percent-encoded id.
    pub href: Option<String>,
    /// The same for groups.
    pub group_href: Option<String>,
    /// The same for edges.
    pub edge_href: Option<String>,
    /// Id of the node, group or edge that is marked as selected.
    pub selected: Option<String>,
    /// What a screen reader hears for the picture as a whole; empty: "Topology".
    pub title: String,
}

/// Which colours the style uses.
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
///
/// `scene` is that of `diagram`: what it leads to that is not there is left out.
pub fn render(diagram: &Diagram, scene: &Scene, options: &Options) -> String {
    let things = scene.nodes.len() + scene.boxes.len() + scene.edges.len();
    let mut out = String::with_capacity(4096 + 700 * things);
    // Writing to a String cannot fail.
    let _ = Picture { diagram, options }.write(&mut out, scene);
    out
}

/// What all that is written has in common.
struct Picture<'a> {
    diagram: &'a Diagram,
    options: &'a Options,
}

impl Picture<'_> {
    fn write(&self, out: &mut String, scene: &Scene) -> fmt::Result {
        let options = self.options;
        let theme = match options.theme {
            Theme::Auto => "",
            Theme::Light => " theme-light",
            Theme::Dark => " theme-dark",
        };
        let title = if options.title.is_empty() {
            "Topology"
        } else {
            &options.title
        };
        let Rect {
            x,
            y,
            width,
            height,
        } = scene.bounds;
        write!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="topology{theme}" viewBox="{} {} {} {}" role="group" aria-label="{}">"#,
            Number(x),
            Number(y),
            Number(width),
            Number(height),
            Escaped(title),
        )?;
        if options.embedded_style {
            write!(out, "<style>{STYLE}</style>")?;
            write!(
                out,
                r#"<rect class="ground" x="{}" y="{}" width="{}" height="{}"/>"#,
                Number(x),
                Number(y),
                Number(width),
                Number(height)
            )?;
        }
        glyphs::definitions(out)?;
        let is_cable = |e: &&SceneEdge| e.kind == EdgeKind::Physical;
        out.write_str(r#"<g class="cables">"#)?;
        for one in scene.edges.iter().filter(is_cable) {
            self.edge(out, one)?;
        }
        out.write_str(r#"</g><g class="boxes">"#)?;
        for one in &scene.boxes {
            self.group(out, one)?;
        }
        out.write_str(r#"</g><g class="links">"#)?;
        for one in scene.edges.iter().filter(|e| !is_cable(e)) {
            self.edge(out, one)?;
        }
        out.write_str(r#"</g><g class="nodes">"#)?;
        for one in &scene.nodes {
            self.node(out, one)?;
        }
        // Names are heard with what they name.
        out.write_str(r#"</g><g class="texts" aria-hidden="true">"#)?;
        for one in &scene.labels {
            label(out, one, scene)?;
        }
        out.write_str("</g></svg>")
    }

    fn is_selected(&self, id: &str) -> bool {
        self.options.selected.as_deref() == Some(id)
    }

    fn edge(&self, out: &mut String, one: &SceneEdge) -> fmt::Result {
        let Some(it) = self.diagram.edges.get(one.edge as usize) else {
            return Ok(());
        };
        let thing = Written {
            kind: "edge",
            id: &it.id,
            said: &describe::edge(self.diagram, it),
            href: self.options.edge_href.as_deref(),
            is_selected: self.is_selected(&it.id),
        };
        thing.open(out, [one.kind.as_str(), one.state.as_str()], false)?;
        let width = one.width;
        for (class, width) in [
            ("hit", (width + 10.0).max(14.0)),
            ("casing", width + 3.0),
            ("line", width),
        ] {
            write!(
                out,
                r#"<path class="{class}" stroke-width="{}" d=""#,
                Number(width)
            )?;
            course(out, &one.curve)?;
            out.write_str(r#""/>"#)?;
        }
        if one.kind == EdgeKind::Migration {
            tip(out, &one.curve)?;
        }
        thing.close(out)
    }

    fn group(&self, out: &mut String, one: &SceneBox) -> fmt::Result {
        let Some(it) = self.diagram.groups.get(one.group as usize) else {
            return Ok(());
        };
        let thing = Written {
            kind: "group",
            id: &it.id,
            said: &describe::group(it),
            href: self.options.group_href.as_deref(),
            is_selected: self.is_selected(&it.id),
        };
        let r = one.rect;
        thing.open(out, [it.state.as_str(), "box"], it.stale)?;
        rect(out, "focus", r.grown(5.0), 16.0)?;
        rect(out, "body", r, 12.0)?;
        let in_maintenance = it.facts.maintenance.is_some();
        if in_maintenance {
            let head = Rect {
                height: crate::shape::HEAD,
                ..r
            };
            rect(out, "hatch", head.grown(-1.0), 11.0)?;
        }
        if it.stale {
            rect(out, "outline", r.grown(4.0), 15.0)?;
        }
        let head = r.y + crate::shape::HEAD;
        write!(
            out,
            r#"<path class="head" d="M{} {}H{}"/>"#,
            Number(r.x + 14.0),
            Number(head),
            Number(r.right() - 14.0)
        )?;
        place(out, "server", "glyph", r.x + 27.0, r.y + 20.0)?;
        badge(out, it.state, r.right() - 24.0, r.y + 19.0)?;
        if in_maintenance {
            place(
                out,
                "maintenance",
                "badge notable",
                r.right() - 46.0,
                r.y + 19.0,
            )?;
        }
        if it.state == NodeState::Running {
            circle(out, "lamp", r.right() - 24.0, r.y + 19.0, 4.0)?;
        }
        thing.close(out)
    }

    fn node(&self, out: &mut String, one: &SceneNode) -> fmt::Result {
        let Some(it) = self.diagram.nodes.get(one.node as usize) else {
            return Ok(());
        };
        let thing = Written {
            kind: "node",
            id: &it.id,
            said: &describe::node(it),
            href: self.options.href.as_deref(),
            is_selected: self.is_selected(&it.id),
        };
        let kind = one.kind.as_str();
        thing.open(out, [kind, it.state.as_str()], it.stale)?;
        let (x, y) = (one.center.x, one.center.y);
        let r = one.rect();
        if one.kind == NodeKind::Router {
            let radius = one.width / 2.0;
            circle(out, "focus", x, y, radius + 5.0)?;
            circle(out, "body", x, y, radius - 1.5)?;
            if it.stale {
                circle(out, "outline", x, y, radius + 3.0)?;
            }
        } else {
            let radius = match one.kind {
                NodeKind::Segment => one.height / 2.0,
                _ => 9.0,
            };
            rect(out, "focus", r.grown(4.0), radius + 4.0)?;
            rect(out, "body", r.grown(-1.0), radius - 1.0)?;
            if it.stale {
                rect(out, "outline", r.grown(3.0), radius + 3.0)?;
            }
        }
        let in_maintenance = it.facts.maintenance.is_some();
        if in_maintenance {
            rect(out, "hatch", r.grown(-2.0), 7.0)?;
        }
        place(out, kind, "glyph", x, y)?;
        let (right, top) = if one.kind == NodeKind::Router {
            (x + one.width * 0.36, y - one.height * 0.36)
        } else {
            (r.right() - 3.0, r.y + 3.0)
        };
        badge(out, it.state, right, top)?;
        let left = 2.0 * x - right;
        if !it.facts.moving_to.is_empty() {
            place(out, "moving", "badge notable", left, top)?;
        } else if in_maintenance {
            place(out, "maintenance", "badge notable", left, top)?;
        }
        thing.close(out)
    }
}

/// What all three kinds of things have in common, around what `inner` draws.
struct Written<'a> {
    kind: &'static str,
    id: &'a str,
    /// A sentence for whoever hears it.
    said: &'a str,
    href: Option<&'a str>,
    is_selected: bool,
}

impl Written<'_> {
    fn open(&self, out: &mut String, classes: [&str; 2], is_stale: bool) -> fmt::Result {
        let said = self.said;
        out.write_str(if self.href.is_some() { "<a" } else { "<g" })?;
        write!(
            out,
            r#" class="{} {} {}"#,
            self.kind, classes[0], classes[1]
        )?;
        if is_stale {
            out.write_str(" stale")?;
        }
        if self.is_selected {
            out.write_str(" selected")?;
        }
        write!(
            out,
            r#"" data-id="{}" data-kind="{}" aria-label="{}""#,
            Escaped(self.id),
            self.kind,
            Escaped(said)
        )?;
        if let Some(prefix) = self.href {
            write!(out, r#" href="{}{}""#, Escaped(prefix), Percent(self.id))?;
            if self.is_selected {
                out.write_str(r#" aria-current="true""#)?;
            }
        } else {
            write!(
                out,
                r#" tabindex="0" role="button" aria-pressed="{}""#,
                self.is_selected
            )?;
        }
        write!(out, "><title>{}</title>", Escaped(said))
    }

    fn close(&self, out: &mut String) -> fmt::Result {
        out.write_str(if self.href.is_some() { "</a>" } else { "</g>" })
    }
}

fn course(out: &mut String, curve: &Curve) -> fmt::Result {
    let [a, b, c, d] = curve.points;
    write!(out, "M{} {}", Number(a.x), Number(a.y))?;
    if curve.straight {
        return write!(out, "L{} {}", Number(d.x), Number(d.y));
    }
    write!(
        out,
        "C{} {} {} {} {} {}",
        Number(b.x),
        Number(b.y),
        Number(c.x),
        Number(c.y),
        Number(d.x),
        Number(d.y)
    )
}

/// An arrow in the middle, towards the end.
fn tip(out: &mut String, curve: &Curve) -> fmt::Result {
    let (middle, ahead) = (curve.at(0.5), curve.at(0.55));
    let length = middle.distance(ahead).max(0.001);
    let (x, y) = ((ahead.x - middle.x) / length, (ahead.y - middle.y) / length);
    let at = |along: f32, beside: f32| {
        (
            Number(middle.x + x * along - y * beside),
            Number(middle.y + y * along + x * beside),
        )
    };
    let [(ax, ay), (bx, by), (cx, cy)] = [at(-5.0, -6.0), at(7.0, 0.0), at(-5.0, 6.0)];
    write!(
        out,
        r#"<path class="tip" d="M{ax} {ay}L{bx} {by}L{cx} {cy}Z"/>"#
    )
}

fn rect(out: &mut String, class: &str, r: Rect, radius: f32) -> fmt::Result {
    write!(
        out,
        r#"<rect class="{class}" x="{}" y="{}" width="{}" height="{}" rx="{}"/>"#,
        Number(r.x),
        Number(r.y),
        Number(r.width),
        Number(r.height),
        Number(radius)
    )
}

fn circle(out: &mut String, class: &str, x: f32, y: f32, radius: f32) -> fmt::Result {
    write!(
        out,
        r#"<circle class="{class}" cx="{}" cy="{}" r="{}"/>"#,
        Number(x),
        Number(y),
        Number(radius)
    )
}

fn place(out: &mut String, glyph: &str, class: &str, x: f32, y: f32) -> fmt::Result {
    write!(
        out,
        r##"<use class="{class}" href="#topo-{glyph}" x="{}" y="{}"/>"##,
        Number(x),
        Number(y)
    )
}

/// The sign of a state that is not "running", around its centre.
fn badge(out: &mut String, state: NodeState, x: f32, y: f32) -> fmt::Result {
    let glyph = match state {
        NodeState::Running | NodeState::Neutral => return Ok(()),
        state => state.as_str(),
    };
    place(out, glyph, "badge", x, y)
}

fn label(out: &mut String, one: &SceneLabel, scene: &Scene) -> fmt::Result {
    let is_boxed = |node: &SceneNode| node.group.is_some();
    let class = match one.kind {
        LabelKind::Node if scene.nodes.get(one.owner as usize).is_some_and(is_boxed) => {
            "of-node boxed"
        }
        LabelKind::Node => "of-node",
        LabelKind::Box => "of-box",
        LabelKind::Edge => "of-edge",
    };
    if one.kind == LabelKind::Edge {
        rect(out, "plate", one.rect, one.rect.height / 2.0)?;
    }
    let x = match one.kind {
        LabelKind::Box => one.rect.x,
        LabelKind::Node | LabelKind::Edge => one.rect.center().x,
    };
    // The baseline of text in the middle of its line: capitals are about 0.72 high.
    let y = one.rect.center().y + one.size * 0.36;
    write!(
        out,
        r#"<text class="label {class}" x="{}" y="{}" font-size="{}">{}</text>"#,
        Number(x),
        Number(y),
        Number(one.size),
        Escaped(&one.text)
    )
}
