//! What changed, in sentences for people.

use crate::{
    Change, Difference, Host, Link, LinkEnd, LinkKind, LinkSource, LinkState, Maintenance, Router,
    RouterId, Segment, SegmentId, Topology,
};
use std::fmt::Display;

/// One change with its sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// What kind of thing changed.
    pub element: ElementKind,
    /// Its id.
    pub id: String,
    /// How it changed.
    pub change: ChangeKind,
    /// A sentence, without a full stop.
    pub sentence: String,
}

/// The kinds of things in a topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementKind {
    /// A host.
    Host,
    /// A router.
    Router,
    /// A segment.
    Segment,
    /// A link.
    Link,
}

/// How a thing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It appeared.
    Added,
    /// It went.
    Removed,
    /// It is another than it was.
    Changed,
}

impl Difference {
    /// Describes every change; the two topologies give names to what a change only refers to.
    pub fn describe(&self, old: &Topology, new: &Topology) -> Vec<Described> {
        let names = Names { old, new };
        let mut all = Vec::with_capacity(self.len());
        all.extend(
            self.hosts
                .iter()
                .map(|c| described(ElementKind::Host, c, host)),
        );
        all.extend((self.routers.iter()).map(|c| described(ElementKind::Router, c, router)));
        all.extend(self.segments.iter().map(|c| {
            described(ElementKind::Segment, c, |before, after| {
                segment(&names, before, after)
            })
        }));
        all.extend(self.links.iter().map(|c| {
            described(ElementKind::Link, c, |before, after| {
                link(&names, before, after)
            })
        }));
        all
    }
}

fn described<I: Display, T>(
    element: ElementKind,
    change: &Change<I, T>,
    sentence: impl Fn(Option<&T>, Option<&T>) -> String,
) -> Described {
    let (before, after) = (change.before.as_deref(), change.after.as_deref());
    Described {
        element,
        id: change.id.to_string(),
        change: match (before, after) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            _ => ChangeKind::Changed,
        },
        sentence: sentence(before, after),
    }
}

fn host(before: Option<&Host>, after: Option<&Host>) -> String {
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (_, Some(host)) => {
            return format!("host {} was added ({})", host.id, host.contact.as_str());
        }
        (Some(host), None) => return format!("host {} was removed", host.id),
        (None, None) => return String::new(),
    };
    let mut parts = Vec::new();
    if before.contact != after.contact {
        let why = after
            .message
            .as_ref()
            .map(|message| format!(" ({message})"));
        parts.push(format!(
            "went from {} to {}{}",
            before.contact.as_str(),
            after.contact.as_str(),
            why.unwrap_or_default()
        ));
    } else if before.message != after.message
        && let Some(message) = &after.message
    {
        parts.push(format!("is {}: {message}", after.contact.as_str()));
    }
    if before.maintenance != after.maintenance {
        parts.push(match &after.maintenance {
            Some(Maintenance {
                reason: Some(reason),
            }) => format!("is in maintenance: {reason}"),
            Some(_) => "is in maintenance".to_owned(),
            None => "is in use again after maintenance".to_owned(),
        });
    }
    if before.interfaces != after.interfaces {
        parts.push("has other network interfaces".to_owned());
    }
    if before.neighbors != after.neighbors {
        let neighbors = after.neighbors.iter().map(ToString::to_string);
        parts.push(if after.neighbors.is_empty() {
            "hears no neighbour any more that is no host".to_owned()
        } else {
            format!("hears {}", list(neighbors))
        });
    }
    if before.node != after.node {
        parts.push("reports other facts of its machine".to_owned());
    }
    if !is_registered_as(before, after) {
        parts.push("is registered differently".to_owned());
    } else if after.endpoints.len() > 1 {
        for (was, is) in before.endpoints.iter().zip(&after.endpoints) {
            if was.contact != is.contact {
                parts.push(format!(
                    "is {} through its {} driver",
                    is.contact.as_str(),
                    is.driver.as_str()
                ));
            }
        }
    }
    sentence(&format!("host {}", after.id), &parts)
}

/// Whether two hosts were registered in the same way, however the contact with them goes.
fn is_registered_as(a: &Host, b: &Host) -> bool {
    let reached = |host: &Host| -> Vec<_> {
        let endpoints = host.endpoints.iter();
        endpoints.map(|e| (e.driver, e.uri.clone())).collect()
    };
    (&a.name, &a.site, a.origin, reached(a)) == (&b.name, &b.site, b.origin, reached(b))
}

fn router(before: Option<&Router>, after: Option<&Router>) -> String {
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (None, Some(router)) => {
            let (domain, state) = (&router.domain, router.domain.state.as_str());
            return format!(
                "router {} appeared on {} ({state})",
                domain.name, router.host
            );
        }
        (Some(router), None) => {
            return format!("router {} is gone from {}", router.domain.name, router.host);
        }
        (None, None) => return String::new(),
    };
    let (was, is) = (&before.domain, &after.domain);
    let mut parts = Vec::new();
    if before.host != after.host {
        parts.push(format!("moved from {} to {}", before.host, after.host));
    }
    if before.migrating_to != after.migrating_to {
        match &after.migrating_to {
            Some(to) => parts.push(format!("is being moved to {to}")),
            None if before.host == after.host => parts.push("is no longer being moved".to_owned()),
            None => {}
        }
    }
    if was.name != is.name {
        parts.push(format!("was called {} before", was.name));
    }
    if was.state != is.state {
        parts.push(format!(
            "went from {} to {}",
            was.state.as_str(),
            is.state.as_str()
        ));
    }
    if was.message != is.message {
        parts.push(match &is.message {
            Some(message) => format!("has a problem: {}", message.trim_end_matches('.')),
            None => "answers again".to_owned(),
        });
    }
    if was.driver != is.driver {
        parts.push(format!("is run by the {} driver now", is.driver.as_str()));
    }
    if was.interfaces != is.interfaces {
        parts.push("has other network interfaces".to_owned());
    } else if before.segments != after.segments {
        parts.push("is on other segments".to_owned());
    }
    if was.disks != is.disks {
        parts.push("has other disks".to_owned());
    }
    if was.vcpus != is.vcpus {
        parts.push(format!(
            "has {} processors instead of {}",
            is.vcpus, was.vcpus
        ));
    }
    if was.memory_bytes != is.memory_bytes {
        parts.push(format!(
            "has {} MiB of memory instead of {}",
            is.memory_bytes >> 20,
            was.memory_bytes >> 20
        ));
    }
    if was.autostart != is.autostart {
        parts.push(if is.autostart {
            "starts with its host now".to_owned()
        } else {
            "no longer starts with its host".to_owned()
        });
    }
    if was.persistent != is.persistent {
        parts.push(if is.persistent {
            "is persistent now".to_owned()
        } else {
            "is transient now".to_owned()
        });
    }
    if (&was.title, &was.virtual_network, &was.tags) != (&is.title, &is.virtual_network, &is.tags) {
        parts.push("has another title, virtual network or labels".to_owned());
    }
    sentence(&format!("router {} on {}", is.name, after.host), &parts)
}

fn segment(names: &Names<'_>, before: Option<&Segment>, after: Option<&Segment>) -> String {
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (None, Some(segment)) => {
            let members = segment.members.iter().map(|m| names.router(m.router));
            return format!("segment {} appeared with {}", segment.name, list(members));
        }
        (Some(segment), None) => return format!("segment {} is gone", segment.name),
        (None, None) => return String::new(),
    };
    let mut parts = Vec::new();
    let joined: Vec<_> = after.members.difference(&before.members).collect();
    let left: Vec<_> = before.members.difference(&after.members).collect();
    if !joined.is_empty() {
        let joined = joined.iter().map(|m| names.router(m.router));
        parts.push(format!("gained {}", list(joined)));
    }
    if !left.is_empty() {
        let left = left.iter().map(|m| names.router(m.router));
        parts.push(format!("lost {}", list(left)));
    }
    if before.hosts != after.hosts {
        let hosts = after.hosts.iter().map(ToString::to_string);
        parts.push(format!("reaches {}", list(hosts)));
    }
    sentence(&format!("segment {}", after.name), &parts)
}

fn link(names: &Names<'_>, before: Option<&Link>, after: Option<&Link>) -> String {
    let Some(known) = after.or(before) else {
        return String::new();
    };
    let kind = match known.kind {
        LinkKind::Physical => "physical link",
        LinkKind::Virtual => "link",
    };
    let between = format!(
        "{kind} between {} and {}",
        names.end(&known.a),
        names.end(&known.b)
    );
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (None, Some(link)) => {
            let against = contradicted(link).map(|against| format!(" and {against}"));
            return format!("{between} appeared{}", against.unwrap_or_default());
        }
        (None, None) => return String::new(),
        (_, None) => return format!("{between} is gone"),
    };
    let mut parts = Vec::new();
    if before.state != after.state {
        parts.push(
            match after.state {
                LinkState::Up => "came up",
                LinkState::Down => "went down",
                LinkState::Unknown => "is in an unknown state",
            }
            .to_owned(),
        );
    }
    for source in after.sources.difference(&before.sources) {
        parts.push(format!("is {}, too", said(source)));
    }
    for source in before.sources.difference(&after.sources) {
        parts.push(format!("is no longer {}", said(source)));
    }
    if before.conflict != after.conflict {
        parts.push(contradicted(after).unwrap_or_else(|| "is contradicted no more".to_owned()));
    }
    if before.capacity_bits_per_second != after.capacity_bits_per_second {
        parts.push("has another capacity".to_owned());
    }
    if before.latency_ns != after.latency_ns {
        parts.push("has another latency".to_owned());
    }
    if before.segment != after.segment {
        parts.push("is carried by another segment".to_owned());
    }
    sentence(&between, &parts)
}

/// What speaks against a link, if something does.
fn contradicted(link: &Link) -> Option<String> {
    let conflict = link.conflict.as_ref()?.trim_end_matches('.');
    Some(format!("is contradicted: {conflict}"))
}

fn said(source: &LinkSource) -> String {
    match source {
        LinkSource::Declared => "declared".to_owned(),
        LinkSource::Libvirt => "reported by libvirt".to_owned(),
        LinkSource::Lldp(host) => format!("heard by {host}"),
        LinkSource::Vxlan(host) => format!("told as a VXLAN by {host}"),
    }
}

fn sentence(subject: &str, parts: &[String]) -> String {
    if parts.is_empty() {
        format!("{subject} changed")
    } else {
        format!("{subject} {}", parts.join("; "))
    }
}

/// At most five of them, and how many more.
fn list(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<_> = items.collect();
    if items.len() > 5 {
        let more = items.len() - 4;
        items.truncate(4);
        items.push(format!("{more} more"));
    }
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => items.concat(),
    }
}

/// Names for ids, of whichever of the two topologies knows them.
struct Names<'a> {
    old: &'a Topology,
    new: &'a Topology,
}

impl Names<'_> {
    fn router(&self, id: RouterId) -> String {
        self.new
            .routers
            .get(&id)
            .or_else(|| self.old.routers.get(&id))
            .map_or_else(|| id.to_string(), |router| router.domain.name.clone())
    }

    fn segment(&self, id: &SegmentId) -> String {
        self.new
            .segments
            .get(id)
            .or_else(|| self.old.segments.get(id))
            .map_or_else(|| id.to_string(), |segment| segment.name.clone())
    }

    fn end(&self, end: &LinkEnd) -> String {
        match end {
            LinkEnd::Host(port) => format!("{} {}", port.host, port.interface),
            LinkEnd::Router(member) => self.router(member.router),
            LinkEnd::Segment(id) => format!("segment {}", self.segment(id)),
        }
    }
}
