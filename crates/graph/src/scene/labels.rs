//! Where text goes: below nodes, at the head of boxes, on edges where there is room.

use super::{LabelKind, Rect, Scene, SceneLabel};
use crate::geometry::Grid;
use crate::shape::{
    BOLD, BOX_TEXT, EDGE_TEXT, HEAD, LABEL_GAP, LINE, NODE_TEXT, PADDING, box_text, edge_text,
    node_text, text_width,
};
use crate::{Diagram, EdgeKind, Point};

/// A heading starts behind the box's glyph.
const HEADING_INDENT: f32 = 26.0;
/// Where along an edge its label may sit, the best first.
const ALONG: [f32; 7] = [0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73];

/// Text of boxes and nodes.
pub(super) fn of_boxes_and_nodes(scene: &mut Scene, diagram: &Diagram) {
    for (owner, one) in scene.boxes.iter().enumerate() {
        let text = box_text(&diagram.groups[one.group as usize]);
        if text.is_empty() {
            continue;
        }
        let rect = Rect {
            x: one.rect.x + PADDING + HEADING_INDENT,
            y: one.rect.y + (HEAD - BOX_TEXT * LINE) / 2.0 + 2.0,
            width: text_width(&text, BOX_TEXT) * BOLD,
            height: BOX_TEXT * LINE,
        };
        scene.labels.push(SceneLabel {
            kind: LabelKind::Box,
            owner: owner as u32,
            text,
            rect,
            size: BOX_TEXT,
        });
    }
    for (owner, one) in scene.nodes.iter().enumerate() {
        let text = node_text(&diagram.nodes[one.node as usize]);
        if text.is_empty() {
            continue;
        }
        let width = text_width(&text, NODE_TEXT);
        let rect = Rect {
            x: one.center.x - width / 2.0,
            y: one.center.y + one.height / 2.0 + LABEL_GAP,
            width,
            height: NODE_TEXT * LINE,
        };
        scene.labels.push(SceneLabel {
            kind: LabelKind::Node,
            owner: owner as u32,
            text,
            rect,
            size: NODE_TEXT,
        });
    }
}

/// Text of edges, where it hides nothing.
pub(super) fn of_edges(scene: &mut Scene, diagram: &Diagram) {
    let taken = scene
        .nodes
        .iter()
        .map(|n| n.rect().grown(3.0))
        .chain(scene.labels.iter().map(|l| l.rect.grown(2.0)));
    let mut taken = Grid::of(120.0, taken);
    let boxes = Grid::of(240.0, scene.boxes.iter().map(|b| b.rect.grown(2.0)));
    let mut written: Vec<SceneLabel> = Vec::new();
    for (owner, one) in scene.edges.iter().enumerate() {
        let text = edge_text(&diagram.edges[one.edge as usize].label);
        if text.is_empty() {
            continue;
        }
        let (width, height) = (text_width(&text, EDGE_TEXT) + 10.0, EDGE_TEXT * LINE + 3.0);
        // A label longer than its line belongs to nothing any more.
        let ends = one.curve.points[0].distance(one.curve.points[3]);
        let is_level = (one.curve.points[0].y - one.curve.points[3].y).abs() < ends * 0.5;
        if ends
            < if is_level {
                width + 16.0
            } else {
                height + 14.0
            }
        {
            continue;
        }
        let place = ALONG.iter().map(|&t| one.curve.at(t)).find_map(|p: Point| {
            let rect = Rect {
                x: p.x - width / 2.0,
                y: p.y - height / 2.0,
                width,
                height,
            };
            let hides = taken.hits(rect) || (one.kind == EdgeKind::Physical && boxes.hits(rect));
            (!hides).then_some(rect)
        });
        if let Some(rect) = place {
            taken.add(rect.grown(2.0));
            written.push(SceneLabel {
                kind: LabelKind::Edge,
                owner: owner as u32,
                text,
                rect,
                size: EDGE_TEXT,
            });
        }
    }
    scene.labels.append(&mut written);
}
