//! What is written, where, and how large: labels keep a legible size at any zoom, and more of them
//! appear the nearer one comes.
//!
//! | pixels a unit | written |
//! |---|---|
//! | under 0.32 | names of hosts in the middle of their boxes, with how many routers run |
//! | from 0.08 | names of hosts and switches |
//! | from 0.22 | names of other nodes, from 0.32 if they are in a box |
//! | from 0.55 | capacities |
//! | from 1.3 | interfaces or addresses at the ends of links, and what they send |
//! | from 1.6 | addresses below names |
//!
//! None lies on another, nor on the sign of a node that is named at this nearness; but what the reader
//! asked for is always named.

use super::look::Look;
use graph::{Declutter, Diagram, LabelKind, Point, Rect, Scene, Thing, text_width};

/// Under so many CSS pixels a unit, a box tells what is in it.
const FAR: f32 = 0.32;
/// From so many on, hosts and switches are named, and other nodes.
const MACHINES: f32 = 0.08;
const OTHERS: f32 = 0.22;
/// By so many CSS pixels a label may reach into a sign.
const TOUCH: f32 = 2.0;
/// Beside the name in the head of a box, its sign takes so many units, and its state.
const SIGN: f32 = 24.0;
const STATE: f32 = 40.0;
/// So many labels are enough on any screen.
const MOST: usize = 260;

/// Where a label stands upon its anchor.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stand {
    /// Below it, in the middle.
    Below,
    /// On it, in the middle.
    On,
    /// To its right.
    Right,
}

/// From which nearness to which it is written, in CSS pixels a unit.
type Span = (f32, f32);

#[derive(Clone, Debug)]
struct Label {
    owner: Thing,
    anchor: Point,
    text: Box<str>,
    /// Width at font size 1.
    width: f32,
    stand: Stand,
    bold: bool,
    soft: bool,
    /// Lines below the first at the anchor.
    line: f32,
    /// Widest that it may be, in units; 0 says nothing.
    most: f32,
    /// Where it stands if something is written at its anchor.
    else_at: Option<Point>,
}

/// Labels that are written at the same nearness.
#[derive(Debug)]
struct List {
    span: Span,
    size: f32,
    /// What the reader asked for is named from any distance.
    named: bool,
    labels: Vec<Label>,
}

/// All labels of a scene by the nearness at which they are written, the important ones first.
#[derive(Debug, Default)]
pub(super) struct Labels {
    lists: Vec<List>,
    /// Where nodes are that labels keep clear of, from this nearness on: hosts and switches, others,
    /// and what is in boxes.
    signs: [(f32, Vec<Rect>); 3],
    room: Declutter,
}

/// A label that is written: its place on the screen in CSS pixels.
#[cfg_attr(not(feature = "hydrate"), allow(dead_code))] // Only a browser draws.
pub(super) struct Written<'a> {
    pub text: &'a str,
    /// Its upper left corner.
    pub at: Point,
    /// CSS pixels.
    pub size: f32,
    pub width: f32,
    pub centred: bool,
    pub bold: bool,
    pub soft: bool,
    pub dim: bool,
    /// It lies on a line, which must not run through it.
    pub on_line: bool,
}

impl Labels {
    pub fn new(diagram: &Diagram, scene: &Scene, look: &Look) -> Self {
        let mut degree = vec![0u32; diagram.nodes.len()];
        for edge in &diagram.edges {
            for end in [edge.a, edge.b] {
                if let graph::End::Node(node) = end
                    && let Some(degree) = degree.get_mut(node as usize)
                {
                    *degree += 1;
                }
            }
        }
        let label = |owner, anchor, text: &str, stand| Label {
            owner,
            anchor,
            width: text_width(text, 1.0),
            text: text.into(),
            stand,
            bold: false,
            soft: false,
            line: 0.0,
            most: 0.0,
            else_at: None,
        };
        let (mut heads, mut far, mut names, mut more, mut along, mut ports) =
            (vec![], vec![], vec![], vec![], vec![], vec![]);
        for one in &scene.labels {
            let middle = one.rect.center();
            match one.kind {
                LabelKind::Box => {
                    let Some(own) = scene.boxes.get(one.owner as usize) else {
                        continue;
                    };
                    let left = Point {
                        x: one.rect.x,
                        y: middle.y,
                    };
                    heads.push(Label {
                        bold: true,
                        most: own.rect.right() - left.x - STATE,
                        ..label(Thing::Group(own.group), left, &one.text, Stand::Right)
                    });
                    let (center, most) = (own.rect.center(), own.rect.width * 1.3);
                    far.push(Label {
                        bold: true,
                        most,
                        ..label(Thing::Group(own.group), center, &one.text, Stand::On)
                    });
                    let facts = diagram.groups.get(own.group as usize).map(|g| &g.facts);
                    if let Some([running, all]) = facts.and_then(|facts| facts.routers) {
                        let text = format!("{running} of {all} running");
                        far.push(Label {
                            soft: true,
                            line: 1.0,
                            most,
                            ..label(Thing::Group(own.group), center, &text, Stand::On)
                        });
                    }
                }
                LabelKind::Node => {
                    let Some(own) = scene.nodes.get(one.owner as usize) else {
                        continue;
                    };
                    let below = Point {
                        x: own.center.x,
                        y: own.center.y + own.height / 2.0 + 3.0,
                    };
                    let owner = Thing::Node(own.node);
                    names.push(label(owner, below, &one.text, Stand::Below));
                    let facts = diagram.nodes.get(own.node as usize).map(|node| &node.facts);
                    for (k, address) in facts
                        .into_iter()
                        .flat_map(|facts| facts.addresses.iter().take(2))
                        .enumerate()
                    {
                        more.push(Label {
                            soft: true,
                            line: k as f32 + 1.0,
                            ..label(owner, below, address, Stand::Below)
                        });
                    }
                }
                LabelKind::Edge => {
                    if let Some(own) = scene.edges.get(one.owner as usize) {
                        along.push(Label {
                            soft: true,
                            ..label(Thing::Edge(own.edge), middle, &one.text, Stand::On)
                        });
                    }
                }
            }
        }
        for one in &scene.edges {
            let Some(edge) = diagram.edges.get(one.edge as usize) else {
                continue;
            };
            let [from, _, _, to] = one.curve.points;
            let length = from.distance(to).max(1.0);
            let in_from_end = (42.0 / length).min(0.3);
            let notes = look.notes.get(&one.edge);
            let further_in = (72.0 / length).min(0.4);
            let places = [
                (in_from_end, further_in),
                (1.0 - in_from_end, 1.0 - further_in),
            ];
            for (end, (t, else_at)) in places.into_iter().enumerate() {
                let note = notes.map_or("", |notes| notes[end].as_str());
                let text = match (edge.ports[end].as_str(), note) {
                    (port, "") => port.to_owned(),
                    ("", note) => note.to_owned(),
                    (port, note) => format!("{port} · {note}"),
                };
                if !text.is_empty() {
                    ports.push(Label {
                        soft: true,
                        else_at: Some(one.curve.at(else_at)),
                        ..label(Thing::Edge(one.edge), one.curve.at(t), &text, Stand::On)
                    });
                }
            }
        }
        let boxed = |owner: Thing| {
            let Thing::Node(node) = owner else {
                return false;
            };
            let node = diagram.nodes.get(node as usize);
            node.is_some_and(|node| node.group.is_some())
        };
        let rank = |label: &Label| match label.owner {
            Thing::Node(node) => {
                let node = node as usize;
                let kind = diagram.nodes.get(node).map(|node| node.kind);
                let of_kind = match kind {
                    Some(graph::NodeKind::Host) => 3000,
                    Some(graph::NodeKind::Switch) => 2000,
                    Some(graph::NodeKind::Segment) => 1000,
                    _ => 0,
                };
                of_kind + degree.get(node).copied().unwrap_or(0).min(999)
            }
            _ => 0,
        };
        names.sort_by_key(|label| std::cmp::Reverse(rank(label)));
        let machines = names.partition_point(|label| rank(label) >= 2000);
        let mut signs = [(MACHINES, vec![]), (OTHERS, vec![]), (FAR, vec![])];
        for one in &scene.nodes {
            let Some(node) = diagram.nodes.get(one.node as usize) else {
                continue;
            };
            let of = match node.kind {
                _ if node.group.is_some() => 2,
                graph::NodeKind::Host | graph::NodeKind::Switch => 0,
                _ => 1,
            };
            signs[of].1.push(one.rect());
        }
        // What is in a box is named once the box does not speak for it any more.
        let (inside, others): (Vec<_>, Vec<_>) = names
            .split_off(machines)
            .into_iter()
            .partition(|label| boxed(label.owner));
        let list = |span, size, labels| List {
            span,
            size,
            named: false,
            labels,
        };
        Self {
            lists: vec![
                list((FAR, f32::MAX), 13.0, heads),
                list((0.0, FAR), 13.0, far),
                List {
                    named: true,
                    ..list((MACHINES, f32::MAX), 12.0, names)
                },
                List {
                    named: true,
                    ..list((OTHERS, f32::MAX), 12.0, others)
                },
                List {
                    named: true,
                    ..list((FAR, f32::MAX), 12.0, inside)
                },
                list((1.6, f32::MAX), 10.5, more),
                list((0.55, f32::MAX), 11.0, along),
                list((1.3, f32::MAX), 10.0, ports),
            ],
            signs,
            room: Declutter::default(),
        }
    }

    /// What is written now. `to_screen` takes a point of the scene to CSS pixels of the canvas.
    pub fn write<'a>(
        &'a mut self,
        scale: f32,
        screen: Rect,
        look: &Look,
        to_screen: impl Fn(Point) -> Point,
        mut each: impl FnMut(Written<'a>),
    ) {
        let Self { lists, signs, room } = self;
        room.clear(screen);
        let seen = screen.grown(120.0);
        let mut written = 0;
        // First what the reader asked for, at any nearness.
        for pass in [true, false] {
            if pass && !look.is_any_lit() {
                continue;
            }
            if !pass {
                let signs = signs.iter().filter(|(from, _)| scale >= *from);
                for sign in signs.flat_map(|(_, signs)| signs) {
                    keep_clear(room, sign, scale, seen, &to_screen);
                }
            }
            for list in lists.iter() {
                let near_enough = scale >= list.span.0 && scale < list.span.1;
                if !(near_enough || pass && list.named) {
                    continue;
                }
                // Text grows with the picture, but less, and not beyond what is comfortable.
                let size = (list.size * scale)
                    .clamp(list.size.min(11.0), list.size * 1.35)
                    .round();
                for label in &list.labels {
                    if written >= MOST {
                        return;
                    }
                    let mark = look.of(label.owner);
                    if (mark.ring || mark.halo) != pass {
                        continue;
                    }
                    let bold = if label.bold { 1.12 } else { 1.0 };
                    let width = label.width * size * bold;
                    if label.most > 0.0 && width > label.most * scale {
                        continue;
                    }
                    let high = size * 1.34;
                    for anchor in [Some(label.anchor), label.else_at].into_iter().flatten() {
                        let at = to_screen(anchor);
                        if !seen.contains(at) {
                            continue;
                        }
                        let (x, y) = match label.stand {
                            Stand::Below => (at.x - width / 2.0, at.y + 1.0),
                            Stand::On => (at.x - width / 2.0, at.y - high / 2.0),
                            Stand::Right => (at.x, at.y - high / 2.0),
                        };
                        let y = y + label.line * high;
                        // All of a head is the box's own.
                        let (left, right) = match label.stand {
                            Stand::Right => (SIGN * scale, (label.most + STATE) * scale),
                            _ => (2.0, width + 2.0),
                        };
                        let rect = Rect {
                            x: x - left,
                            y,
                            width: left + right,
                            height: high,
                        };
                        if room.take(rect) {
                            written += 1;
                            each(Written {
                                text: &label.text,
                                at: Point { x, y },
                                size,
                                width,
                                centred: label.stand != Stand::Right,
                                bold: label.bold,
                                soft: label.soft,
                                dim: mark.dim,
                                on_line: matches!(label.owner, Thing::Edge(_)),
                            });
                            break;
                        }
                    }
                }
            }
        }
    }
}

/// Takes the room of a sign, so that no label lies on it.
fn keep_clear(
    room: &mut Declutter,
    sign: &Rect,
    scale: f32,
    seen: Rect,
    to_screen: impl Fn(Point) -> Point,
) {
    let middle = to_screen(sign.center());
    if !seen.contains(middle) {
        return;
    }
    let half = |size: f32| (size * scale / 2.0 - TOUCH).max(0.0);
    let (across, down) = (half(sign.width), half(sign.height));
    room.take(Rect {
        x: middle.x - across,
        y: middle.y - down,
        width: across * 2.0,
        height: down * 2.0,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::{Group, Node, NodeKind, Positions};

    /// What is written of nodes at these places, at so many pixels a unit.
    fn written(diagram: &Diagram, places: &[(f32, f32)], look: &Look, scale: f32) -> Vec<String> {
        let place = |(node, &(x, y)): (&Node, &(f32, f32))| (node.id.clone(), Point { x, y });
        let positions: Positions = diagram.nodes.iter().zip(places).map(place).collect();
        let scene = Scene::new(diagram, &positions);
        let mut labels = Labels::new(diagram, &scene, look);
        let screen = Rect {
            x: -2000.0,
            y: -2000.0,
            width: 4000.0,
            height: 4000.0,
        };
        let to_screen = |at: Point| Point {
            x: at.x * scale,
            y: at.y * scale,
        };
        let mut all = Vec::new();
        labels.write(scale, screen, look, to_screen, |label| {
            all.push(label.text.to_owned());
        });
        all
    }

    fn nodes(names: &[&str], kind: NodeKind, group: Option<u32>) -> Vec<Node> {
        let node = |name: &&str| Node {
            id: (*name).to_owned(),
            label: (*name).to_owned(),
            kind,
            group,
            ..Node::default()
        };
        names.iter().map(node).collect()
    }

    #[test]
    fn a_name_that_would_lie_on_a_sign_is_left_out_unless_it_was_asked_for() {
        let diagram = Diagram {
            nodes: nodes(&["above", "below", "beside"], NodeKind::Host, None),
            ..Diagram::default()
        };
        // The second stands where the name of the first would be.
        let places = [(0.0, 0.0), (0.0, 45.0), (400.0, 0.0)];
        let mut look = Look::default();
        assert_eq!(written(&diagram, &places, &look, 1.0), ["below", "beside"]);
        look.mark(Thing::Node(0), |mark| mark.ring = true);
        let all = ["above", "below", "beside"];
        assert_eq!(written(&diagram, &places, &look, 1.0), all);
    }

    #[test]
    fn a_box_tells_from_afar_what_is_in_it_although_routers_lie_there() {
        let names: Vec<String> = (0..9).map(|n| format!("r{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut host = Group {
            id: "h".into(),
            label: "host".into(),
            ..Group::default()
        };
        host.facts.routers = Some([8, 9]);
        let diagram = Diagram {
            nodes: nodes(&names, NodeKind::Router, Some(0)),
            groups: vec![host],
            ..Diagram::default()
        };
        let places: Vec<_> = (0..9)
            .map(|n| ((n % 3) as f32 * 100.0, (n / 3) as f32 * 70.0))
            .collect();
        for scale in [0.25, 0.3] {
            let told = written(&diagram, &places, &Look::default(), scale);
            assert_eq!(told, ["host", "8 of 9 running"]);
        }
        let near = written(&diagram, &places, &Look::default(), 1.0);
        assert_eq!(near[0], "host");
        assert_eq!(near.len(), 10, "{near:?}");
    }
}
