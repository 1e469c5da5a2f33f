use super::*;
use crate::{Group, Node};

/// Two hosts with three routers of two networks, a segment, and links of every kind.
fn diagram() -> Diagram {
    let host = |name: &str, site: &str, state| Group {
        id: format!("host:{name}"),
        label: name.into(),
        state,
        stale: state == NodeState::Failed,
        facts: Facts {
            site: site.into(),
            ..Facts::default()
        },
    };
    let router = |name: &str, group, state, network: &str, address: &str, tag: &str| Node {
        id: format!("router:{name}"),
        label: name.into(),
        kind: NodeKind::Router,
        state,
        group: Some(group),
        stale: false,
        facts: Facts {
            host: ["ams-1", "zrh-1"][group as usize].into(),
            network: network.into(),
            addresses: vec![address.into()],
            macs: vec![format!("52:54:00:00:00:0{group}")],
            tags: vec![tag.into()],
            ..Facts::default()
        },
    };
    let edge = |id: &str, a, b, kind, state, capacity| Edge {
        id: id.into(),
        a,
        b,
        kind,
        state,
        capacity,
        ports: ["eth0".into(), String::new()],
        ..Edge::default()
    };
    Diagram {
        groups: vec![
            host("ams-1", "Amsterdam", NodeState::Running),
            host("zrh-1", "Zürich", NodeState::Failed),
        ],
        nodes: vec![
            router("r1", 0, NodeState::Running, "ring", "10.1.0.1/24", "core"),
            router("r2", 1, NodeState::Stopped, "ring", "fd00:1::2", "edge"),
            router("Big One", 0, NodeState::Failed, "lab", "10.2.0.1", "edge"),
            Node {
                id: "segment:s".into(),
                label: "lan".into(),
                kind: NodeKind::Segment,
                facts: Facts {
                    medium: "bridge".into(),
                    ..Facts::default()
                },
                ..Node::default()
            },
        ],
        edges: vec![
            edge(
                "link:0",
                End::Group(0),
                End::Group(1),
                EdgeKind::Physical,
                EdgeState::Down,
                1e10,
            ),
            edge(
                "link:1",
                End::Node(0),
                End::Node(1),
                EdgeKind::Virtual,
                EdgeState::Up,
                1e9,
            ),
            edge(
                "link:2",
                End::Node(0),
                End::Node(3),
                EdgeKind::Attachment,
                EdgeState::Unknown,
                0.0,
            ),
            edge(
                "link:3",
                End::Node(2),
                End::Node(0),
                EdgeKind::Virtual,
                EdgeState::Up,
                0.0,
            ),
        ],
    }
}

struct Loads;

impl Numbers for Loads {
    fn load(&self, id: &str) -> Option<f32> {
        match id {
            "link:0" => Some(0.9),
            "link:1" => Some(0.2),
            _ => None,
        }
    }
}

/// The ids of what matches, without what is before the colon for routers.
fn found(query: &str) -> Vec<String> {
    let diagram = diagram();
    let query = Query::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    query
        .on(&diagram, &Loads)
        .all()
        .filter_map(|thing| diagram.id(thing))
        .map(|id| id.trim_start_matches("router:").to_owned())
        .collect()
}

#[test]
fn keys_ask_what_they_say() {
    for (query, expected) in [
        ("kind:router", "r1 r2 Big One"),
        ("kind:host", "host:ams-1 host:zrh-1"),
        ("kind:link", "link:0 link:1 link:2 link:3"),
        ("KIND:physical", "link:0"),
        ("state:running", "r1"),
        ("state:online", "host:ams-1"),
        ("state:shut-off", "r2"),
        ("state:\"shut off\"", "r2"),
        ("state:failed", "host:zrh-1 Big One"),
        ("state:unreachable or state:crashed", "host:zrh-1 Big One"),
        ("state:down", "link:0"),
        ("state:unknown", "link:2"),
        ("name:big", "Big One"),
        ("name:eth0", "link:0 link:1 link:2 link:3"),
        ("id:segment", "segment:s"),
        ("network:ring", "r1 r2 link:1"),
        ("host:ams", "host:ams-1 r1 Big One link:3"),
        ("site:ZÜR", "host:zrh-1"),
        ("tag:edge", "r2 Big One"),
        ("address:10.1.0.1", "r1"),
        ("address:10.0.0.0/8", "r1 Big One"),
        ("address=10.1.9.9/16", "r1"),
        ("address:fd00::/8", "r2"),
        ("address:0.0.0.0/0", "r1 Big One"),
        ("address:::/0", "r2"),
        ("mac:54:00:00:00:01", "r2"),
        ("medium:bridge", "segment:s"),
        ("stale:yes", "host:zrh-1"),
        ("degree>2", "r1"),
        ("degree:2", ""),
        ("degree<=1 kind:router", "r2 Big One"),
        ("capacity>1G", "link:0"),
        ("capacity>=1g", "link:0 link:1"),
        ("capacity=10000M", "link:0"),
        ("capacity<1.5G", "link:1"),
        ("capacity>0.5G", "link:0 link:1"),
        ("load>80%", "link:0"),
        ("load<80", "link:1"),
    ] {
        assert_eq!(found(query).join(" "), expected, "{query}");
    }
}

#[test]
fn words_join_and_negate() {
    for (query, expected) in [
        ("r1", "r1"),
        ("52:54:00:00:00:01", "r2"),
        ("fd00:1::2", "r2"),
        ("\"big one\"", "Big One"),
        ("big one", "Big One"),
        ("big and one", "Big One"),
        ("\"or\"", "r1"),
        ("ring -r1", "r2"),
        ("ring not r1", "r2"),
        ("kind:router -(state:running or state:crashed)", "r2"),
        ("r1 or lab kind:router", "r1 Big One"),
        ("(r1 or lab) tag:core", "r1"),
        ("--r1", "r1"),
        ("network:ring capacity>=1G", "link:1"),
        (
            "",
            "host:ams-1 host:zrh-1 r1 r2 Big One segment:s link:0 link:1 link:2 link:3",
        ),
    ] {
        assert_eq!(found(query).join(" "), expected, "{query}");
    }
}

#[test]
fn what_has_no_answer_never_matches() {
    // No load is known of any router: neither it nor its opposite holds.
    assert_eq!(found("kind:router load>1"), [""; 0]);
    assert_eq!(found("kind:router -load>1"), [""; 0]);
    assert_eq!(found("kind:router (load>1 or state:running)"), ["r1"]);
    // A link has no opinion on what only nodes have, but one on its state.
    let diagram = diagram();
    let query = Query::parse("kind:router -state:down").expect("a query");
    let asking = query.on(&diagram, &());
    assert_eq!(asking.verdict(Thing::Edge(0)), Some(false));
    assert_eq!(asking.verdict(Thing::Edge(1)), None);
    assert_eq!(asking.verdict(Thing::Edge(9)), None);
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (query, at, part) in [
        ("kind:ruoter", 5, "did you mean router"),
        ("stat:up", 0, "did you mean state"),
        ("r1 ntework:x", 3, "did you mean network"),
        ("zzzzzz:x", 0, "expected one of kind, state"),
        ("state:wat", 6, "expected one of"),
        ("state:runing", 6, "did you mean running"),
        ("(r1 or r2", 0, "not closed"),
        ("r1)", 2, "closes nothing"),
        ("a \"b", 2, "not closed"),
        ("\"\"", 0, "between the quotes"),
        ("r1 or", 5, "expected a word"),
        ("or r1", 0, "expected a word"),
        ("not", 3, "expected a word"),
        ("()", 1, "expected a word"),
        ("tag:", 4, "expected a value"),
        ("name>3", 4, "no number"),
        ("address:10.0", 8, "expected an IP address"),
        ("address:10.0.0.0/33", 8, "expected an IP address"),
        ("degree>x", 7, "expected a number"),
        ("capacity>1Q", 9, "bit/s"),
        ("load>NaN", 5, "per cent"),
        ("load>-5", 5, "per cent"),
        ("load>1.+5", 5, "per cent"),
        ("degree>99999999999999999999", 7, "expected a number"),
        ("stale:perhaps", 6, "yes or no"),
        ("äöü stat:up", 4, "did you mean state"),
    ] {
        let error = Query::parse(query).expect_err(query);
        assert!(error.problem.contains(part), "{query}: {error}");
        assert_eq!(error.at, at, "{query}: {error}");
        assert!(error.to_string().ends_with('.'), "{error}");
    }
    let deep = "(".repeat(100_000);
    assert!(
        Query::parse(&deep)
            .expect_err("deep")
            .problem
            .contains("too deep")
    );
    let deep = "-".repeat(100_000);
    assert!(
        Query::parse(&deep)
            .expect_err("deep")
            .problem
            .contains("too deep")
    );
}

/// Every word that sentences use for a state can be asked for.
#[test]
fn every_word_of_a_state_is_known() {
    for (_, _, example) in KEYS {
        assert!(Query::parse(example).is_ok(), "{example}");
    }
    for kind in [NodeKind::Host, NodeKind::Router] {
        for state in [
            NodeState::Running,
            NodeState::Paused,
            NodeState::Stopping,
            NodeState::Stopped,
            NodeState::Failed,
            NodeState::Unknown,
            NodeState::Neutral,
        ] {
            let mut diagram = diagram();
            (diagram.nodes[0].kind, diagram.nodes[0].state) = (kind, state);
            let word = crate::describe::state(kind, state);
            let query = Query::parse(&format!("state:\"{word}\"")).expect(word);
            assert!(query.matches(&diagram, Thing::Node(0), &()), "{word}");
        }
    }
}

/// Any text is a query or an error, never a panic; and logic keeps its laws.
#[test]
fn random_texts_are_read_or_refused() {
    const PARTS: [&str; 16] = [
        "kind:router",
        "r1",
        "-",
        "(",
        ")",
        " or ",
        " ",
        "not ",
        "\"",
        "\\",
        "ü:",
        "degree>1",
        "load<5",
        "state:up",
        ":",
        "İ",
    ];
    let diagram = diagram();
    let mut rng = fastrand::Rng::with_seed(5);
    let mut read = 0;
    for _ in 0..20_000 {
        let text: String = (0..rng.usize(0..9))
            .map(|_| PARTS[rng.usize(0..16)])
            .collect();
        let Ok(query) = Query::parse(&text) else {
            continue;
        };
        read += 1;
        let not = (!query.is_empty()).then(|| Query::parse(&format!("not ({text})")).expect(&text));
        for thing in diagram.things() {
            let verdict = query.on(&diagram, &Loads).verdict(thing);
            if let Some(not) = &not {
                let opposite = not.on(&diagram, &Loads).verdict(thing);
                assert_eq!(opposite, verdict.map(|verdict| !verdict), "{text}");
            }
        }
    }
    assert!(read > 1000, "{read}");
}

#[test]
fn hosts_in_maintenance_can_be_asked_for() {
    let host = |id: &str, maintenance: Option<&str>| Group {
        id: id.into(),
        facts: Facts {
            maintenance: maintenance.map(str::to_owned),
            ..Facts::default()
        },
        ..Group::default()
    };
    let diagram = Diagram {
        groups: vec![host("a", None), host("b", Some(""))],
        nodes: vec![Node::default()],
        ..Diagram::default()
    };
    let found = |query: &str| -> Vec<Thing> {
        let query = Query::parse(query).unwrap();
        query.on(&diagram, &()).all().collect()
    };
    assert_eq!(found("maintenance:true"), [Thing::Group(1)]);
    assert_eq!(found("maintenance:no"), [Thing::Group(0)]);
    assert_eq!(
        found("not maintenance:yes"),
        [Thing::Group(0)],
        "of a router it says nothing"
    );
    assert!(Query::parse("maintenance:soon").is_err());
}
