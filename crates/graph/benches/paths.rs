//! Paths in graphs of 100,000 nodes and 300,000 edges, against petgraph, igraph and networkx in the
//! same run: the same graphs, the same pairs of nodes, and the same costs found, or it fails. What is
//! told is processor time, for other programs run on the machine, too.
//!
//! The budget is 20 ms for a shortest path. igraph and networkx are asked by a script with the
//! packages of `requirements.txt`; `make bench-paths` installs them and runs this, and without them
//! it compares with petgraph only.

use graph::paths::{Measure, Network, Searcher};
use petgraph::algo::{astar, dijkstra::bidirectional_dijkstra};
use petgraph::graph::{NodeIndex, UnGraph};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::Command;

const NODES: u32 = 100_000;
/// Pairs that everybody is asked for, those that the slow are, and those of alternatives, for which
/// igraph needs up to a minute.
const PAIRS: usize = 100;
const SLOW: usize = 10;
const SLOWEST: usize = 2;
const ALTERNATIVES: usize = 3;

/// A graph, and between which nodes paths are searched.
struct Case {
    name: &'static str,
    edges: Vec<(u32, u32)>,
    lengths: Vec<u64>,
    pairs: Vec<(u32, u32)>,
}

/// What somebody needed for each pair, and the costs found.
#[derive(Deserialize)]
struct Run {
    peer: String,
    what: String,
    ms: Vec<f64>,
    costs: Vec<u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo test --benches` only wants to know that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    for case in [random(), lattice()] {
        measure(&case)?;
    }
    Ok(())
}

/// Edges between nodes at random, all of them connected: everything is near everything.
fn random() -> Case {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut edges: Vec<_> = (1..NODES).map(|node| (rng.u32(..node), node)).collect();
    while edges.len() < 3 * NODES as usize {
        edges.push((rng.u32(..NODES), rng.u32(..NODES)));
    }
    Case::new("at random", edges, &mut rng)
}

/// A lattice of triangles on a torus: much of it lies between two nodes.
fn lattice() -> Case {
    let (width, height) = (400, NODES / 400);
    let node = |x, y| (y % height) * width + x % width;
    let edges = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            [(x + 1, y), (x, y + 1), (x + 1, y + 1)]
                .map(|(to, there)| (node(x, y), node(to, there)))
        })
        .collect();
    Case::new("a lattice", edges, &mut fastrand::Rng::with_seed(8))
}

impl Case {
    fn new(name: &'static str, edges: Vec<(u32, u32)>, rng: &mut fastrand::Rng) -> Self {
        Self {
            name,
            lengths: edges.iter().map(|_| rng.u64(1..=1000)).collect(),
            edges,
            pairs: (0..PAIRS)
                .map(|_| (rng.u32(..NODES), rng.u32(..NODES)))
                .collect(),
        }
    }
}

fn measure(case: &Case) -> Result<(), Box<dyn Error>> {
    let start = milliseconds();
    let network = Network::new(NODES, &case.edges);
    let laid_out = milliseconds() - start;
    let mut runs = ours(case, &network);
    runs.extend(petgraph(case));
    runs.extend(peers(case)?);
    println!(
        "\n{NODES} nodes and {} edges, {}; laid out in {:.1} ms\n",
        case.edges.len(),
        case.name,
        laid_out
    );
    println!(
        "{:<14} {:<26} {:>6} {:>10} {:>10}",
        "what", "who", "pairs", "median ms", "worst ms"
    );
    let mut whats: BTreeMap<&str, Vec<&Run>> = BTreeMap::new();
    for run in &runs {
        whats.entry(&run.what).or_default().push(run);
    }
    for (what, runs) in whats {
        for run in &runs {
            let same = runs[0].costs.iter().zip(&run.costs).all(|(a, b)| a == b);
            if !same {
                return Err(format!("{} finds other costs than ours: {what}", run.peer).into());
            }
            let mut sorted = run.ms.clone();
            sorted.sort_by(f64::total_cmp);
            println!(
                "{what:<14} {:<26} {:>6} {:>10.3} {:>10.3}",
                run.peer,
                sorted.len(),
                sorted[sorted.len() / 2],
                sorted[sorted.len() - 1]
            );
        }
    }
    Ok(())
}

/// The processor time of this thread.
fn milliseconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// Asks for each pair, after one that warms up.
fn timed(
    peer: &str,
    what: &str,
    pairs: &[(u32, u32)],
    mut find: impl FnMut(u32, u32) -> u64,
) -> Run {
    find(pairs[0].0, pairs[0].1);
    let mut run = Run {
        peer: peer.to_owned(),
        what: what.to_owned(),
        ms: Vec::new(),
        costs: Vec::new(),
    };
    for &(from, to) in pairs {
        let start = milliseconds();
        let cost = find(from, to);
        run.ms.push(milliseconds() - start);
        run.costs.push(cost);
    }
    run
}

fn ours(case: &Case, network: &Network) -> Vec<Run> {
    let lengths = network.values(|way| Some(case.lengths[way.edge() as usize]));
    let mut searcher = Searcher::new(network);
    let mut best = |measure: Measure<'_>, from, to| {
        let path = searcher.best(from, to, measure);
        path.and_then(|path| path.value).unwrap_or(0)
    };
    let length = Measure::Shortest(&lengths);
    let mut runs = vec![
        timed("ours", "hops", &case.pairs, |a, b| {
            best(Measure::Hops, a, b)
        }),
        timed("ours", "length", &case.pairs, |a, b| best(length, a, b)),
        timed("ours", "width", &case.pairs, |a, b| {
            best(Measure::Widest(&lengths), a, b)
        }),
    ];
    runs.push(timed("ours", "alternatives", &case.pairs, |a, b| {
        let paths = searcher.alternatives(a, b, length, ALTERNATIVES);
        paths.iter().filter_map(|path| path.value).sum()
    }));
    runs
}

fn petgraph(case: &Case) -> Vec<Run> {
    let edges = case.edges.iter().zip(&case.lengths);
    let graph = UnGraph::<(), u64>::from_edges(edges.map(|(&(a, b), &length)| (a, b, length)));
    let n = |node| NodeIndex::new(node as usize);
    vec![
        timed("petgraph, bidirectional", "hops", &case.pairs, |a, b| {
            bidirectional_dijkstra(&graph, n(a), n(b), |_| 1).unwrap_or(0)
        }),
        timed("petgraph, bidirectional", "length", &case.pairs, |a, b| {
            bidirectional_dijkstra(&graph, n(a), n(b), |edge| *edge.weight()).unwrap_or(0)
        }),
        timed("petgraph, with the path", "length", &case.pairs, |a, b| {
            let found = astar(&graph, n(a), |node| node == n(b), |e| *e.weight(), |_| 0);
            found.map_or(0, |(cost, _)| cost)
        }),
    ]
}

/// igraph and networkx, if they are there.
fn peers(case: &Case) -> Result<Vec<Run>, Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = here.join("../../target/venv-bench/bin/python");
    if !python.exists() {
        println!("igraph and networkx are not there: `make bench-paths` installs them");
        return Ok(Vec::new());
    }
    let file = std::env::temp_dir().join(format!("vms-paths-{}.json", std::process::id()));
    let given = serde_json::json!({
        "nodes": NODES,
        "edges": case.edges,
        "lengths": case.lengths,
        "pairs": case.pairs,
        "slow": SLOW,
        "slowest": SLOWEST,
        "alternatives": ALTERNATIVES,
    });
    std::fs::write(&file, given.to_string())?;
    let output = Command::new(python)
        .arg(here.join("benches/paths_peers.py"))
        .arg(&file)
        .output();
    std::fs::remove_file(&file)?;
    let output = output?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let text = String::from_utf8(output.stdout)?;
    let runs = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    Ok(runs)
}
