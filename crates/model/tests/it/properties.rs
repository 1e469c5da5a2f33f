//! The model by properties over random fleets.

use crate::fleet::{With, bridge, host, link};
use model::{
    Attachment, Contact, DeclaredLink, Difference, HostReport, LinkEnd, LinkKind, Member,
    RouterState, Topology,
};
use proptest::{collection::vec, prelude::*};
use std::collections::{BTreeMap, BTreeSet};

fn attachment() -> impl Strategy<Value = Attachment> {
    prop_oneof![
        4 => (0..4u8).prop_map(|n| bridge(&format!("br{n}"))),
        2 => (0..2u8).prop_map(|n| Attachment::Network(format!("net{n}"))),
        1 => (0..4u8).prop_map(|n| Attachment::Direct(format!("eth{n}"))),
        1 => (0..3u16, 0..3u16).prop_map(|(l, r)| Attachment::Udp {
            local: Some(format!("192.0.2.{l}:{l}")),
            remote: Some(format!("192.0.2.{r}:{r}")),
        }),
        1 => (0..2u8).prop_map(|n| Attachment::Multicast(Some(format!("230.0.0.{n}:5000")))),
        1 => Just(Attachment::User),
    ]
}

fn state() -> impl Strategy<Value = RouterState> {
    prop_oneof![
        Just(RouterState::Running),
        Just(RouterState::Suspended),
        Just(RouterState::ShutOff),
    ]
}

/// Up to four hosts; bridge `n` has the port `eth<n>`; routers may be defined twice.
fn fleet() -> impl Strategy<Value = (Vec<HostReport>, Vec<DeclaredLink>)> {
    let router = (0..12u8, vec(attachment(), 0..4), state());
    let one = (vec(router, 0..6), any::<bool>(), any::<bool>());
    let hosts = vec(one, 1..5).prop_map(|hosts| {
        (0..)
            .zip(hosts)
            .map(|(number, (routers, online, bridged))| {
                let mut report = host(&format!("h{number}"))
                    .network(1, "net0", Some("br3"))
                    .network(2, "net1", None);
                if bridged {
                    for n in 0..4 {
                        let (name, port) = (format!("br{n}"), format!("eth{n}"));
                        report = report.interface(&name, "bridge", &[&port]);
                    }
                }
                for (id, attachments, state) in routers {
                    report = report.router(id, attachments).state(id, state);
                }
                if !online {
                    report.set_contact(Contact::Unreachable);
                }
                report
            })
            .collect::<Vec<_>>()
    });
    let links = vec((0..4u8, 0..4u8, 0..4u8, 0..4u8), 0..6).prop_map(|links| {
        links
            .into_iter()
            .filter(|(a, _, b, _)| a != b)
            .map(|(a, i, b, j)| {
                let (a, b) = (format!("h{a}"), format!("h{b}"));
                let (i, j) = (format!("eth{i}"), format!("eth{j}"));
                link((&a, &i), (&b, &j))
            })
            .collect::<Vec<_>>()
    });
    (hosts, links)
}

/// Everything that a router interface's frames reach at once, as plain texts: the naive model of
/// what `derive` does by union-find.
fn reaches(report: &HostReport, attachment: &Attachment) -> Option<String> {
    let host = &report.id;
    match attachment {
        Attachment::Network(name) if name == "net0" => Some(format!("{host} br3")),
        Attachment::Bridge(name) | Attachment::Network(name) | Attachment::Direct(name) => {
            Some(format!("{host} {name}"))
        }
        Attachment::Udp { local, remote } => {
            let (a, b) = (local.as_ref()?, remote.as_ref()?);
            Some(format!("udp {} {}", a.min(b), a.max(b)))
        }
        Attachment::Multicast(group) => Some(format!("group {}", group.as_ref()?)),
        _ => None,
    }
}

fn naive_segments(
    topology: &Topology,
    reports: &[HostReport],
    links: &[DeclaredLink],
) -> BTreeSet<BTreeSet<Member>> {
    let known: BTreeSet<_> = reports.iter().map(|report| &report.id).collect();
    let mut wires: Vec<(String, String)> = Vec::new();
    for report in reports {
        for interface in &report.inventory.as_ref().unwrap().interfaces {
            for port in &interface.ports {
                let host = &report.id;
                wires.push((
                    format!("{host} {}", interface.name),
                    format!("{host} {port}"),
                ));
            }
        }
    }
    for link in links {
        if known.contains(&link.a.host) && known.contains(&link.b.host) {
            wires.push((
                format!("{} {}", link.a.host, link.a.interface),
                format!("{} {}", link.b.host, link.b.interface),
            ));
        }
    }
    let mut members: Vec<(Member, String)> = Vec::new();
    for (id, router) in &topology.routers {
        let report = reports
            .iter()
            .find(|report| report.id == router.host)
            .unwrap();
        for nic in &router.domain.interfaces {
            if let Some(place) = reaches(report, &nic.attachment) {
                let member = Member {
                    router: *id,
                    mac: nic.mac,
                };
                members.push((member, place));
            }
        }
    }
    // Flood from each place until nothing is added.
    let flood = |start: &String| {
        let mut seen = BTreeSet::from([start.clone()]);
        loop {
            let before = seen.len();
            for (a, b) in &wires {
                if seen.contains(a) || seen.contains(b) {
                    seen.extend([a.clone(), b.clone()]);
                }
            }
            if seen.len() == before {
                return seen;
            }
        }
    };
    members
        .iter()
        .map(|(_, place)| {
            let seen = flood(place);
            members
                .iter()
                .filter(|(_, place)| seen.contains(place))
                .map(|(member, _)| *member)
                .collect()
        })
        .collect()
}

proptest! {
    #[test]
    fn order_does_not_matter((reports, links) in fleet()) {
        let forward = Topology::derive(&reports, &links);
        let backward = Topology::derive(
            reports.iter().rev(),
            &links
                .iter()
                .rev()
                .map(|link| DeclaredLink { a: link.b.clone(), b: link.a.clone(), ..link.clone() })
                .collect::<Vec<_>>(),
        );
        prop_assert_eq!(forward, backward);
    }

    #[test]
    fn segments_are_what_frames_reach((reports, links) in fleet()) {
        let topology = Topology::derive(&reports, &links);
        let derived: BTreeSet<_> = topology.segments.values().map(|s| s.members.clone()).collect();
        prop_assert_eq!(derived.len(), topology.segments.len(), "a member in two segments");
        prop_assert_eq!(derived, naive_segments(&topology, &reports, &links));
    }

    #[test]
    fn the_graph_is_whole((reports, links) in fleet()) {
        let topology = Topology::derive(&reports, &links);
        for link in topology.links.values() {
            for end in [&link.a, &link.b] {
                let known = match end {
                    LinkEnd::Host(port) => topology.hosts.contains_key(&port.host),
                    LinkEnd::Router(member) => topology.routers.contains_key(&member.router),
                    LinkEnd::Segment(id) => topology.segments.get(id).is_some_and(|s| s.drawn),
                };
                prop_assert!(known, "{} has no end {:?}", link.id, end);
            }
            prop_assert_eq!(link.kind == LinkKind::Virtual, link.segment.is_some());
        }
        let mut links: BTreeMap<_, usize> = BTreeMap::new();
        for link in topology.links.values() {
            if let Some(segment) = &link.segment {
                *links.entry(segment).or_default() += 1;
            }
        }
        for segment in topology.segments.values() {
            prop_assert!(!segment.members.is_empty());
            let expected = match (segment.drawn, segment.members.len()) {
                (true, members) => members,
                (false, 2) => 1,
                (false, members) => {
                    prop_assert_eq!(members, 1);
                    0
                }
            };
            prop_assert_eq!(links.get(&segment.id).copied().unwrap_or(0), expected);
            for member in &segment.members {
                let router = &topology.routers[&member.router];
                let on = router.domain.interfaces.iter().zip(&router.segments)
                    .any(|(nic, on)| nic.mac == member.mac && on.as_ref() == Some(&segment.id));
                prop_assert!(on);
            }
        }
        for report in &reports {
            for id in report.inventory.as_ref().unwrap().domains.keys() {
                prop_assert!(topology.routers.contains_key(id));
            }
        }
    }

    /// What a router does or whether its host answers never renames a segment or a link.
    #[test]
    fn identity_survives_states((reports, links) in fleet()) {
        // One definition a router, so that a state decides nothing about places.
        let mut seen = BTreeSet::new();
        let mut reports = reports;
        for report in &mut reports {
            report.inventory().domains.retain(|id, _| seen.insert(*id));
        }
        let before = Topology::derive(&reports, &links);
        let mut later = reports;
        for report in &mut later {
            report.set_contact(Contact::Unreachable);
            let ids: Vec<_> = report.inventory().domains.keys().copied().collect();
            for id in ids {
                let number = id.0.as_bytes()[0];
                *report = report.clone().state(number, RouterState::ShutOff);
            }
        }
        let after = Topology::derive(&later, &links);
        prop_assert!(before.links.keys().eq(after.links.keys()));
        prop_assert!(before.segments.keys().eq(after.segments.keys()));
        prop_assert!(before.hosts.keys().eq(after.hosts.keys()));
    }

    #[test]
    fn a_difference_leads_from_one_to_the_other_and_back(
        (old, old_links) in fleet(),
        (new, new_links) in fleet(),
    ) {
        let old = Topology::derive(&old, &old_links);
        let new = Topology::derive(&new, &new_links);
        let difference = Difference::between(&old, &new);
        let text = serde_json::to_string(&difference).unwrap();
        let read: Difference = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &difference);
        let mut applied = old.clone();
        read.apply(&mut applied);
        prop_assert_eq!(&applied, &new);
        difference.inverse().apply(&mut applied);
        prop_assert_eq!(&applied, &old);
        prop_assert_eq!(difference.is_empty(), old == new);
        let described = difference.describe(&old, &new);
        prop_assert_eq!(described.len(), difference.len());
        for described in described {
            prop_assert!(!described.sentence.ends_with(" changed"), "{}", described.sentence);
        }
    }

    #[test]
    fn a_topology_survives_being_stored((reports, links) in fleet()) {
        let topology = Topology::derive(&reports, &links);
        let text = serde_json::to_string(&topology).unwrap();
        prop_assert_eq!(serde_json::from_str::<Topology>(&text).unwrap(), topology);
        let text = serde_json::to_string(&reports).unwrap();
        prop_assert_eq!(serde_json::from_str::<Vec<HostReport>>(&text).unwrap(), reports);
    }
}
