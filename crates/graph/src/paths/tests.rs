//! Paths against all simple paths of small random multigraphs.

use super::{Measure, Network, Path, Searcher, Values, Way};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A network, and a value for each way: of some it is unknown.
#[derive(Clone, Debug)]
struct Case {
    nodes: u32,
    edges: Vec<(u32, u32)>,
    values: Vec<Option<u64>>,
}

fn case() -> impl Strategy<Value = Case> {
    (2..8u32).prop_flat_map(|nodes| {
        let edges = prop::collection::vec((0..nodes, 0..nodes), 0..14);
        edges.prop_flat_map(move |edges| {
            let value = prop_oneof![5 => (0..6u64).prop_map(Some), 1 => Just(None)];
            let values = prop::collection::vec(value, 2 * edges.len());
            (Just(edges), values).prop_map(move |(edges, values)| Case {
                nodes,
                edges,
                values,
            })
        })
    })
}

/// All simple paths, as ways.
fn all(case: &Case, from: u32, to: u32) -> Vec<Vec<Way>> {
    fn go(
        case: &Case,
        nodes: &mut Vec<u32>,
        ways: &mut Vec<Way>,
        to: u32,
        all: &mut Vec<Vec<Way>>,
    ) {
        let here = *nodes.last().unwrap();
        if here == to {
            all.push(ways.clone());
            return;
        }
        for (edge, &(a, b)) in (0..).zip(&case.edges) {
            for (start, end, forward) in [(a, b, true), (b, a, false)] {
                if start == here && !nodes.contains(&end) {
                    nodes.push(end);
                    ways.push(Way::new(edge, forward));
                    go(case, nodes, ways, to, all);
                    ways.pop();
                    nodes.pop();
                }
            }
        }
    }
    let mut all = Vec::new();
    go(case, &mut vec![from], &mut Vec::new(), to, &mut all);
    all
}

/// What decides between paths, told once more and otherwise: the less is the better.
fn merit(case: &Case, measure: Measure<'_>, ways: &[Way]) -> (bool, i128, usize) {
    let of = || -> Option<Vec<i128>> {
        let each = ways
            .iter()
            .map(|way| case.values[way.index()].map(i128::from));
        each.collect()
    };
    let known = match measure {
        Measure::Hops => Some(0),
        Measure::Shortest(_) => of().map(|all| all.iter().sum()),
        Measure::Widest(_) => of().map(|all| -all.into_iter().min().unwrap_or(0)),
    };
    (known.is_none(), known.unwrap_or(0), ways.len())
}

fn measures(values: &Values) -> [Measure<'_>; 3] {
    [
        Measure::Hops,
        Measure::Shortest(values),
        Measure::Widest(values),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_best_paths_are_the_best_of_all(case in case(), count in 1..12usize) {
        let network = Network::new(case.nodes, &case.edges);
        let mut searcher = Searcher::new(&network);
        let (from, to) = (0, case.nodes - 1);
        let values = network.values(|way| case.values[way.index()]);
        for measure in measures(&values) {
            let found = searcher.alternatives(from, to, measure, count);
            let mut expected: Vec<_> = all(&case, from, to)
                .iter()
                .map(|ways| merit(&case, measure, ways))
                .collect();
            expected.sort_unstable();
            expected.truncate(count);
            let merits: Vec<_> = found.iter().map(|path| merit(&case, measure, &path.ways)).collect();
            prop_assert_eq!(&merits, &expected, "{:?} {:?}", measure, found);

            let different: BTreeSet<_> = found.iter().map(|path| &path.ways).collect();
            prop_assert_eq!(different.len(), found.len());
            for path in &found {
                check(&case, path, from, to, measure)?;
            }
            // The same again, also by a searcher that was never used.
            prop_assert_eq!(&searcher.alternatives(from, to, measure, count), &found);
            let mut fresh = Searcher::new(&network);
            prop_assert_eq!(&fresh.alternatives(from, to, measure, count), &found);
            prop_assert_eq!(fresh.best(from, to, measure), found.into_iter().next());
        }
    }
}

/// It leads from one end to the other through no node twice, and its value is that of its ways.
fn check(
    case: &Case,
    path: &Path,
    from: u32,
    to: u32,
    measure: Measure<'_>,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(path.nodes.len(), path.ways.len() + 1);
    prop_assert_eq!((path.nodes[0], *path.nodes.last().unwrap()), (from, to));
    for (way, pair) in path.ways.iter().zip(path.nodes.windows(2)) {
        let (a, b) = case.edges[way.edge() as usize];
        let ends = if way.is_forward() { [a, b] } else { [b, a] };
        prop_assert_eq!(&ends[..], pair);
    }
    let nodes: BTreeSet<_> = path.nodes.iter().collect();
    prop_assert_eq!(nodes.len(), path.nodes.len());
    let (unknown, known, hops) = merit(case, measure, &path.ways);
    let value = match measure {
        Measure::Hops => hops as u64,
        _ => known.unsigned_abs() as u64,
    };
    prop_assert_eq!(path.value, (!unknown).then_some(value));
    Ok(())
}

#[test]
fn parallel_edges_are_alternatives_and_directions_differ() {
    let network = Network::new(3, &[(0, 1), (0, 1), (2, 1), (0, 0), (0, 7)]);
    let mut searcher = Searcher::new(&network);
    let lengths = [5, 50, 3, 30, 1, 10, 0, 0, 0, 0].map(Some);
    let lengths = network.values(|way| lengths[way.index()]);
    let measure = Measure::Shortest(&lengths);
    let there = searcher.alternatives(0, 2, measure, 16);
    let values: Vec<_> = there.iter().map(|path| path.value).collect();
    assert_eq!(values, [Some(13), Some(15)]);
    assert_eq!(there[0].ways, [Way::new(1, true), Way::new(2, false)]);
    let back = searcher.best(2, 0, measure).unwrap();
    assert_eq!(back.value, Some(31));
}

#[test]
fn no_path_is_none_and_a_node_is_its_own() {
    let network = Network::new(2, &[]);
    let mut searcher = Searcher::new(&network);
    assert_eq!(searcher.best(0, 1, Measure::Hops), None);
    assert_eq!(searcher.best(0, 9, Measure::Hops), None);
    let own = searcher.best(1, 1, Measure::Hops).unwrap();
    assert_eq!((own.nodes, own.ways.len()), (vec![1], 0));
    let nothing = Network::default();
    assert_eq!(Searcher::new(&nothing).best(0, 0, Measure::Hops), None);
}

/// What is wide by itself does not matter once the path is narrow: then hops decide.
#[test]
fn of_equally_wide_paths_the_one_of_fewer_hops_is_best() {
    //      10      10
    //   0 ──── 1 ──── 2 ─── 3   the last is 3 wide
    //    ╲_____5_____╱
    let network = Network::new(4, &[(0, 1), (1, 2), (0, 2), (2, 3)]);
    let widths = [10, 10, 10, 10, 5, 5, 3, 3].map(Some);
    let widths = network.values(|way| widths[way.index()]);
    let found = Searcher::new(&network).alternatives(0, 3, Measure::Widest(&widths), 3);
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].value, &*found[0].nodes),
        (Some(3), &[0, 2, 3][..])
    );
    assert_eq!(found[1].value, Some(3));
}
