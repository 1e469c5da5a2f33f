//! What elements of a topology are called, and which one a name is of.

use super::table::ABSENT;
use api::{
    Caller, Conflict, ElementId, Error, GetTopologyReply, GetTopologyRequest, Link, LinkEnd,
    LinkId, NotFound, Operations, RouterId, SegmentId,
};
use std::{collections::HashMap, fmt::Display, sync::Arc};

/// The names in a topology.
pub(super) struct Names {
    topology: Arc<GetTopologyReply>,
    /// Where each router, segment and link stands there.
    routers: HashMap<RouterId, usize>,
    segments: HashMap<SegmentId, usize>,
    links: HashMap<LinkId, usize>,
}

impl Names {
    /// Asks for the present topology.
    pub(super) async fn read(operations: &dyn Operations, caller: &Caller) -> Result<Self, Error> {
        let request = GetTopologyRequest::default();
        Ok(operations.get_topology(caller, request).await?.into())
    }

    /// The element that a text means: `host:ID`, `router:ID-OR-NAME`, `segment:ID-OR-NAME`,
    /// `link:ID`, or without the kind what only one of hosts, routers and segments is.
    pub(super) fn find(&self, text: &str) -> Result<ElementId, Error> {
        let (kind, wanted) = match text.split_once(':') {
            Some((kind @ ("host" | "router" | "segment" | "link"), rest)) => (Some(kind), rest),
            _ => (None, text),
        };
        let is = |this: &str| kind.is_none_or(|kind| kind == this);
        let topology = &self.topology;
        let mut found: Vec<(ElementId, String)> = Vec::new();
        if is("host") {
            let hosts = topology.hosts.iter();
            let named = hosts.filter(|host| host.id.as_str() == wanted);
            found.extend(named.map(|host| (host.id.clone().into(), format!("host:{}", host.id))));
        }
        if is("router") {
            let id: Option<RouterId> = wanted.parse().ok();
            let routers = topology.routers.iter();
            let named = routers.filter(|router| Some(router.id) == id || router.name == wanted);
            found.extend(named.map(|router| (router.id.into(), format!("router:{}", router.id))));
        }
        if is("segment") {
            let segments = topology.segments.iter().filter(|segment| segment.drawn);
            let named =
                segments.filter(|segment| segment.id.as_str() == wanted || segment.name == wanted);
            found.extend(
                named.map(|segment| (segment.id.clone().into(), format!("segment:{}", segment.id))),
            );
        }
        // Nobody has a link's id by chance.
        if is("link") {
            let links = topology.links.iter();
            let named = links.filter(|link| link.id.as_str() == wanted);
            found.extend(named.map(|link| (link.id.clone().into(), format!("link:{}", link.id))));
        }
        match found.as_slice() {
            [(only, _)] => Ok(only.clone()),
            [] => Err(NotFound {
                kind: kind.unwrap_or("element").to_owned(),
                id: wanted.to_owned(),
                message: format!(
                    "Nothing in the topology is called {text:?}: `vms host list`, `vms router \
                     list` and `vms topology` tell what there is."
                ),
            }
            .into()),
            several => {
                let each: Vec<_> = several.iter().map(|(_, id)| id.as_str()).collect();
                Err(Conflict {
                    message: format!(
                        "{text:?} means {} elements: name one of {}.",
                        several.len(),
                        each.join(", ")
                    ),
                }
                .into())
            }
        }
    }

    /// A router's name; its id if it is not known.
    pub(super) fn router(&self, id: RouterId) -> String {
        let router = self.routers.get(&id);
        named(router.map(|&at| &self.topology.routers[at].name), &id)
    }

    /// A link by its id.
    pub(super) fn link(&self, id: &LinkId) -> Option<&Link> {
        Some(&self.topology.links[*self.links.get(id)?])
    }

    /// The element at an end of a link, and its interface.
    pub(super) fn end(&self, end: &LinkEnd) -> String {
        let what = match (&end.host, &end.router, &end.segment) {
            (Some(host), ..) => host.to_string(),
            (_, Some(router), _) => self.router(*router),
            (.., Some(id)) => {
                let segment = self.segments.get(id);
                named(segment.map(|&at| &self.topology.segments[at].name), id)
            }
            _ => ABSENT.to_owned(),
        };
        match &end.interface {
            Some(interface) => format!("{what} {interface}"),
            None => what,
        }
    }
}

impl From<Arc<GetTopologyReply>> for Names {
    fn from(topology: Arc<GetTopologyReply>) -> Self {
        let routers = (0..).zip(&topology.routers);
        let segments = (0..).zip(&topology.segments);
        let links = (0..).zip(&topology.links);
        Self {
            routers: routers.map(|(at, router)| (router.id, at)).collect(),
            segments: segments.map(|(at, of)| (of.id.clone(), at)).collect(),
            links: links.map(|(at, link)| (link.id.clone(), at)).collect(),
            topology,
        }
    }
}

fn named(name: Option<&String>, id: &dyn Display) -> String {
    name.map_or_else(|| id.to_string(), Clone::clone)
}
