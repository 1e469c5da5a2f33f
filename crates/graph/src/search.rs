//! Suggestions while somebody types: [`suggest`].

use crate::fold::find;
use crate::{Diagram, Facts, NodeKind, Thing};
use std::ops::Range;

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What was found.
    pub thing: Thing,
    /// What of it the text was found in.
    pub what: What,
    /// The text that it was found in.
    pub text: String,
    /// Where in that text, in bytes.
    pub range: Range<usize>,
}

/// What of a thing text was found in, the most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Its name.
    Name,
    /// One of its IP addresses.
    Address,
    /// One of its MAC addresses.
    Mac,
    /// One of its tags.
    Tag,
    /// Its virtual network.
    Network,
}

impl What {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Address => "address",
            Self::Mac => "MAC address",
            Self::Tag => "tag",
            Self::Network => "network",
        }
    }
}

/// How well text fits, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Exact,
    Start,
    WordStart,
    Inside,
}

/// The place of a [`Hit`] among others, best first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank<'a> {
    fit: Fit,
    what: What,
    kind: u8,
    length: usize,
    text: &'a str,
    label: &'a str,
    thing: Thing,
    start: usize,
    end: usize,
}

/// The nodes and groups that `text` fits best, at most `limit`: what it is, then what it begins,
/// then what has a word that it begins, then what has it inside, in any case. Among equals, names
/// come before addresses and so on, hosts before routers, and short texts before long ones.
///
/// Each thing is there once, by what fits best of it. Blank text fits nothing.
pub fn suggest(diagram: &Diagram, text: &str, limit: usize) -> Vec<Hit> {
    let needle = text.trim().to_lowercase();
    let groups = (0..).zip(&diagram.groups).filter_map(|(index, group)| {
        let place = (Thing::Group(index), NodeKind::Host);
        best(place, &group.label, &group.facts, &needle)
    });
    let nodes = (0..).zip(&diagram.nodes).filter_map(|(index, node)| {
        let place = (Thing::Node(index), node.kind);
        best(place, &node.label, &node.facts, &needle)
    });
    // The best so far, in order: few, so that most are turned away by one comparison.
    let mut found: Vec<Rank> = Vec::new();
    for rank in groups.chain(nodes) {
        let place = found.partition_point(|better| *better < rank);
        if place < limit {
            found.truncate(limit - 1);
            found.insert(place, rank);
        }
    }
    let hit = |rank: Rank| Hit {
        thing: rank.thing,
        what: rank.what,
        text: rank.text.to_owned(),
        range: rank.start..rank.end,
    };
    found.into_iter().map(hit).collect()
}

/// What of one thing fits best.
fn best<'a>(
    (thing, kind): (Thing, NodeKind),
    label: &'a String,
    facts: &'a Facts,
    needle: &str,
) -> Option<Rank<'a>> {
    let kind = match kind {
        NodeKind::Host => 0,
        NodeKind::Router => 1,
        NodeKind::Switch => 2,
        NodeKind::Segment => 3,
    };
    let fields = [
        (What::Name, std::slice::from_ref(label)),
        (What::Address, facts.addresses.as_slice()),
        (What::Mac, &facts.macs),
        (What::Tag, &facts.tags),
        (What::Network, std::slice::from_ref(&facts.network)),
    ];
    let mut best: Option<Rank> = None;
    for (what, texts) in fields {
        for text in texts {
            let Some((mut fit, range)) = fit(text, needle) else {
                continue;
            };
            // With its prefix length left out, an address is the same.
            if what == What::Address && fit == Fit::Start && text[range.end..].starts_with('/') {
                fit = Fit::Exact;
            }
            let rank = Rank {
                fit,
                what,
                kind,
                length: text.len(),
                text,
                label,
                thing,
                start: range.start,
                end: range.end,
            };
            if best.as_ref().is_none_or(|best| rank < *best) {
                best = Some(rank);
            }
        }
    }
    best
}

/// How well `needle`, in small letters, fits `text`, and where.
fn fit(text: &str, needle: &str) -> Option<(Fit, Range<usize>)> {
    let first = find(text, needle, 0)?;
    if first.start == 0 {
        let all = first.end == text.len();
        return Some((if all { Fit::Exact } else { Fit::Start }, first));
    }
    let mut at = first.clone();
    loop {
        let before = text[..at.start].chars().next_back();
        if before.is_some_and(|c| !c.is_alphanumeric()) {
            return Some((Fit::WordStart, at));
        }
        let next = at.start + text[at.start..].chars().next().map_or(1, char::len_utf8);
        match find(text, needle, next) {
            Some(further) => at = further,
            None => return Some((Fit::Inside, first)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Group, Node};

    fn router(label: &str, address: &str, network: &str, tag: &str) -> Node {
        Node {
            id: label.into(),
            label: label.into(),
            facts: Facts {
                addresses: vec![address.into()],
                network: network.into(),
                tags: vec![tag.into()],
                ..Facts::default()
            },
            ..Node::default()
        }
    }

    fn diagram() -> Diagram {
        Diagram {
            groups: vec![Group {
                id: "h".into(),
                label: "edge".into(),
                ..Group::default()
            }],
            nodes: vec![
                router("knowledge", "10.0.0.7/24", "Ring", "a"),
                router("the-edge", "10.0.0.70", "Edgeland", "b"),
                router("edge-1", "192.0.2.10", "", "c"),
                router("Edge", "fd00::1", "", "Größe"),
                router("plain", "10.0.0.8", "x", "edge"),
            ],
            ..Diagram::default()
        }
    }

    fn labels(text: &str) -> Vec<String> {
        let diagram = diagram();
        let hits = suggest(&diagram, text, 9);
        for hit in &hits {
            let matched = hit.text[hit.range.clone()].to_lowercase();
            assert_eq!(matched, text.trim().to_lowercase());
        }
        hits.iter()
            .map(|hit| format!("{} {}", diagram.label(hit.thing), hit.what.as_str()))
            .collect()
    }

    #[test]
    fn the_best_comes_first_and_each_thing_once() {
        assert_eq!(
            labels(" EDGE "),
            [
                "edge name",
                "Edge name",
                "plain tag",
                "edge-1 name",
                "the-edge network",
                "knowledge name",
            ]
        );
        assert_eq!(
            labels("10.0.0.7"),
            ["knowledge address", "the-edge address"]
        );
        assert_eq!(labels("größe"), ["Edge tag"]);
        assert_eq!(labels("  "), [""; 0]);
        assert_eq!(suggest(&diagram(), "e", 2).len(), 2);
    }

    /// What is found is what has the text, whatever the text.
    #[test]
    fn nothing_is_missed_and_nothing_invented() {
        let mut rng = fastrand::Rng::with_seed(3);
        let letters = ['a', 'B', 'ß', 'é', '-', '1', 'İ'];
        let mut word = |most: usize| -> String {
            let length = rng.usize(0..=most);
            (0..length).map(|_| letters[rng.usize(0..7)]).collect()
        };
        for _ in 0..300 {
            let nodes = (0..20).map(|_| router(&word(8), &word(8), &word(8), &word(8)));
            let diagram = Diagram {
                nodes: nodes.collect(),
                ..Diagram::default()
            };
            let text = word(3);
            let hits = suggest(&diagram, &text, usize::MAX);
            let needle = text.to_lowercase();
            let expected = diagram.nodes.iter().filter(|node| {
                let facts = &node.facts;
                !needle.is_empty()
                    && [
                        &node.label,
                        &facts.addresses[0],
                        &facts.network,
                        &facts.tags[0],
                    ]
                    .iter()
                    .any(|text| text.to_lowercase().contains(&needle))
            });
            assert_eq!(hits.len(), expected.count(), "{text}");
        }
    }
}
