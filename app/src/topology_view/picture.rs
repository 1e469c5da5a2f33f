//! What the page draws: the graph and where everything is, as it travels from the server.

use api::TopologyView;
use graph::{Diagram, Point, Positions, Scene, delta::Delta, svg};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, sync::Arc};

/// The graph of one topology version in one view, with a place for everything.
///
/// It travels by `GET /graph/{version}?view=…` in the compact encoding of [`Self::encode`], never
/// inside the page: the page carries only the SVG made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// The topology's version.
    pub version: u64,
    /// The view.
    pub view: TopologyView,
    /// What is there.
    pub diagram: Arc<Diagram>,
    /// Where it is.
    pub positions: Positions,
}

/// A picture as it travels.
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    version: u64,
    view: TopologyView,
    diagram: Cow<'a, Diagram>,
    nodes: Vec<Option<[f32; 2]>>,
    groups: Vec<Option<[f32; 2]>>,
}

/// Why bytes are not a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the graph that was received cannot be read ({0}); the page and the server may be of different versions: reload the page"
)]
pub struct NotAPicture(String);

impl Picture {
    /// The bytes that travel (postcard): places without the ids, in the order of the diagram.
    #[expect(
        clippy::missing_panics_doc,
        reason = "encoding into memory cannot fail: it is plain data of known length"
    )]
    pub fn encode(&self) -> Vec<u8> {
        let place = |id: &String| self.positions.get(id).map(|at| [at.x, at.y]);
        let wire = Wire {
            version: self.version,
            view: self.view,
            diagram: Cow::Borrowed(&self.diagram),
            nodes: self
                .diagram
                .nodes
                .iter()
                .map(|node| place(&node.id))
                .collect(),
            groups: self
                .diagram
                .groups
                .iter()
                .map(|group| place(&group.id))
                .collect(),
        };
        postcard::to_allocvec(&wire).expect("plain data of known length is always encoded")
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotAPicture> {
        let wire: Wire =
            postcard::from_bytes(bytes).map_err(|error| NotAPicture(error.to_string()))?;
        let diagram = wire.diagram.into_owned();
        let nodes = diagram.nodes.iter().map(|node| &node.id).zip(wire.nodes);
        let groups = diagram
            .groups
            .iter()
            .map(|group| &group.id)
            .zip(wire.groups);
        let positions = nodes
            .chain(groups)
            .filter_map(|(id, place)| place.map(|[x, y]| (id.clone(), Point { x, y })))
            .collect();
        Ok(Self {
            version: wire.version,
            view: wire.view,
            diagram: Arc::new(diagram),
            positions,
        })
    }

    /// The bytes of what makes this picture of an older one of the same view.
    #[expect(
        clippy::missing_panics_doc,
        reason = "encoding into memory cannot fail: it is plain data of known length"
    )]
    pub fn encode_since(&self, older: &Self) -> Vec<u8> {
        let delta = Delta::between(
            (&older.diagram, &older.positions),
            (&self.diagram, &self.positions),
        );
        postcard::to_allocvec(&(self.version, delta))
            .expect("plain data of known length is always encoded")
    }

    /// The picture that [`Self::encode_since`] made the bytes of, from the older one.
    pub fn decode_since(&self, bytes: &[u8]) -> Result<Self, NotAPicture> {
        let (version, delta): (u64, Delta) =
            postcard::from_bytes(bytes).map_err(|error| NotAPicture(error.to_string()))?;
        let (diagram, positions) = delta
            .apply(&self.diagram, &self.positions)
            .ok_or_else(|| NotAPicture("it is the difference from another".to_owned()))?;
        Ok(Self {
            version,
            view: self.view,
            diagram: Arc::new(diagram),
            positions,
        })
    }

    /// The shapes.
    pub fn scene(&self) -> Scene {
        scene(&self.diagram, &self.positions)
    }
}

/// The shapes of a diagram, in a frame that is not smaller than a window's: a picture of three
/// hosts is not blown up.
pub fn scene(diagram: &Diagram, positions: &Positions) -> Scene {
    const LEAST_WIDTH: f32 = 900.0;
    const LEAST_HEIGHT: f32 = 600.0;
    let mut scene = Scene::new(diagram, positions);
    let bounds = &mut scene.bounds;
    let (wider, higher) = (
        (LEAST_WIDTH - bounds.width).max(0.0),
        (LEAST_HEIGHT - bounds.height).max(0.0),
    );
    bounds.x -= wider / 2.0;
    bounds.width += wider;
    bounds.y -= higher / 2.0;
    bounds.height += higher;
    scene
}

/// Where a version of the graph is; of one that is there already, what differs `since`.
pub fn address(view: TopologyView, version: u64, since: Option<u64>) -> String {
    let since = since.map(|since| format!("&since={since}"));
    format!("/graph/{version}?view={view}{}", since.unwrap_or_default())
}

/// Writes a scene as SVG, the same on the server and in the browser: every element is a link that
/// selects it, so that it works without script.
pub fn svg(diagram: &Diagram, scene: &Scene, view: TopologyView, selected: Option<&str>) -> String {
    let select = format!("/?view={view}&select=");
    svg::render(
        diagram,
        scene,
        &svg::Options {
            href: Some(select.clone()),
            group_href: Some(select.clone()),
            edge_href: Some(select),
            selected: selected.map(str::to_owned),
            title: title(view).to_owned(),
            ..svg::Options::default()
        },
    )
}

/// What a screen reader hears for the picture as a whole.
pub fn title(view: TopologyView) -> &'static str {
    match view {
        TopologyView::Combined => "Topology: hosts, the routers on them, and their links",
        TopologyView::Virtual => "Topology: routers, segments and virtual links",
        TopologyView::Physical => "Topology: hosts and physical links",
    }
}

/// Where the server's pictures come from: made once a version and view, kept, and read by many.
#[cfg(feature = "ssr")]
#[async_trait::async_trait]
pub trait Pictures: Send + Sync {
    /// The picture of the present topology in `view`.
    async fn picture(
        &self,
        caller: &api::Caller,
        view: TopologyView,
    ) -> Result<std::sync::Arc<Picture>, api::Error>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_survives_its_encoding_and_garbage_is_refused() {
        let diagram = Diagram {
            nodes: vec![graph::Node {
                id: "router:r".to_owned(),
                label: "r".to_owned(),
                ..graph::Node::default()
            }],
            ..Diagram::default()
        };
        let positions = graph::arrange(&diagram, graph::Start::default());
        let picture = Picture {
            version: 7,
            view: TopologyView::Virtual,
            diagram: Arc::new(diagram),
            positions,
        };
        let bytes = picture.encode();
        let mut newer = picture.clone();
        newer.version = 8;
        newer.diagram = Arc::new(Diagram::default());
        newer.positions.clear();
        let since = newer.encode_since(&picture);
        assert_eq!(picture.decode_since(&since), Ok(newer.clone()));
        assert!(newer.decode_since(&picture.encode_since(&picture)).is_err());
        assert_eq!(Picture::decode(&bytes), Ok(picture));
        assert!(Picture::decode(&bytes[..bytes.len() - 1]).is_err());
        assert!(Picture::decode(b"<html>").is_err());
    }
}
