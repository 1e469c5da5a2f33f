//! Our layouts against those of others, by turns in one run: `make bench-layout`.
//!
//! Every run is a process of its own that says how much processor time the layout took, all its
//! threads together, and where the nodes are. Times are medians; whoever needs long is run once.

mod score;

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use graph::{Layout, Point};
use layout_bench::graphs::{self, Graph};
use layout_bench::subject;
use rustix::time::{ClockId, clock_gettime};
use score::{mean_length, score};

/// How often a layout is run.
const RUNS: usize = 5;
/// Width of a router's symbol in our pictures.
const SYMBOL: f32 = 40.0;
/// One that took longer than this is not run again.
const SLOW_MS: f64 = 4000.0;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["ours"] => ours_scored(),
        ["ours", graph, what] => ours(graph, what),
        [peers, python, module, fmmm, scratch] => Bench {
            peers: peers.into(),
            python: python.into(),
            module: module.into(),
            fmmm: Some(PathBuf::from(fmmm)).filter(|path| path.exists()),
            scratch: scratch.into(),
        }
        .run(),
        _ => bail!(
            "expected: ours; or PEERS-DIRECTORY PYTHON MODULE.wasm FMMM-PROGRAM SCRATCH-DIRECTORY, as \
             `cargo xtask bench-layout` gives them"
        ),
    }
}

/// One layout of ours in this process, answered as the peers answer.
fn ours(name: &str, what: &str) -> Result<()> {
    let (diagram, graph) = if let Some(hosts) = name.strip_prefix("fleet ") {
        (graphs::fleet(hosts.parse()?), Graph::default())
    } else {
        let graph = graphs::by_name(name).context("no such graph")?;
        (subject::diagram(&graph), graph)
    };
    let before = processor_ms();
    let points = if what == "bare" {
        subject::bare(&graph)
    } else {
        let layout = what.parse().map_err(anyhow::Error::msg)?;
        subject::whole(&diagram, layout)
    };
    let ms = processor_ms() - before;
    let places: Vec<[f32; 2]> = points.iter().map(|p| [p.x, p.y]).collect();
    serde_json::to_writer(
        std::io::stdout().lock(),
        &serde_json::json!({ "ms": ms, "places": places }),
    )?;
    Ok(())
}

/// Ours without the others, for whoever changes them: the least of the times, for other work on the
/// machine only adds to it.
fn ours_scored() -> Result<()> {
    println!("| | ms at least | stress | overlaps | crossings |\n|---|---|---|---|---|");
    for name in graphs::NAMES {
        let graph = graphs::by_name(name).context("no such graph")?;
        let mut side = None;
        for what in ["stress", "bare", "force"] {
            let mut least = f64::INFINITY;
            let mut places = Vec::new();
            for _ in 0..RUNS {
                let mut command = Command::new(std::env::current_exe()?);
                let answer = answer(command.args(["ours", name, what]), None)?;
                least = least.min(answer.ms);
                places = answer.places;
            }
            let side = *side.get_or_insert_with(|| SYMBOL / mean_length(&graph, &places));
            let score = score(&graph, &places, side);
            println!(
                "| {name}, {what} | {least:.0} | {:.5} | {} | {} |",
                score.stress, score.overlaps, score.crossings
            );
        }
    }
    Ok(())
}

fn processor_ms() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1000.0 + time.tv_nsec as f64 / 1e6
}

/// Where everything is.
struct Bench {
    peers: PathBuf,
    python: PathBuf,
    module: PathBuf,
    fmmm: Option<PathBuf>,
    scratch: PathBuf,
}

/// Who is compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Ours(Option<Layout>),
    OursWasm(Option<Layout>),
    D3,
    ForceAtlas2,
    Sfdp,
    SfdpPrism,
    Sgd2(u32),
    Fmmm,
}

impl Who {
    fn name(self) -> String {
        let ours = |layout: Option<Layout>| match layout {
            None => "ours, stress alone".to_owned(),
            Some(layout) => format!("ours, {layout}, nothing overlaps"),
        };
        match self {
            Self::Ours(layout) => format!("**{}**", ours(layout)),
            Self::OursWasm(_) => "the same, WebAssembly in Node.js".to_owned(),
            Self::D3 => "d3-force".to_owned(),
            Self::ForceAtlas2 => "graphology ForceAtlas2".to_owned(),
            Self::Sfdp => "Graphviz sfdp".to_owned(),
            Self::SfdpPrism => "the same, overlap=prism".to_owned(),
            Self::Sgd2(pivots) => format!("s_gd2 sparse, {pivots} pivots"),
            Self::Fmmm => "OGDF FMMM".to_owned(),
        }
    }
}

/// One run's answer.
struct Answer {
    ms: f64,
    places: Vec<Point>,
}

impl Bench {
    fn run(&self) -> Result<()> {
        fs::create_dir_all(&self.scratch)?;
        self.compare()?;
        self.ours_alone()
    }

    /// Everybody on every graph.
    fn compare(&self) -> Result<()> {
        let mut everybody = vec![
            Who::Ours(None),
            Who::OursWasm(None),
            Who::Ours(Some(Layout::Stress)),
            Who::OursWasm(Some(Layout::Stress)),
            Who::Ours(Some(Layout::Force)),
            Who::D3,
            Who::ForceAtlas2,
            Who::Sfdp,
            Who::SfdpPrism,
            Who::Sgd2(50),
            Who::Sgd2(200),
        ];
        if self.fmmm.is_some() {
            everybody.push(Who::Fmmm);
        } else {
            println!("OGDF was not built, and is left out.");
        }
        for name in graphs::NAMES {
            let graph = graphs::by_name(name).context("no such graph")?;
            let file = self.write(name, &graph, 0.0)?;
            // How wide a node is over the mean length of a line, in the picture as we draw it.
            let drawn = self.ask(Who::Ours(Some(Layout::Stress)), name, &graph, &file)?;
            let side = SYMBOL / mean_length(&graph, &drawn.places);
            self.write(name, &graph, side)?;
            let mut times: BTreeMap<Who, Vec<f64>> = BTreeMap::new();
            let mut places: BTreeMap<Who, Vec<Point>> = BTreeMap::new();
            for _ in 0..RUNS {
                for &who in &everybody {
                    let so_far = times.entry(who).or_default();
                    if so_far.iter().any(|&ms| ms > SLOW_MS) {
                        continue;
                    }
                    let answer = self.ask(who, name, &graph, &file)?;
                    so_far.push(answer.ms);
                    places.insert(who, answer.places);
                }
            }
            println!(
                "\n{name}: {} nodes, {} lines, a node {side:.3} of the mean line\n\n\
                 | | ms | runs | stress | edge-length deviation | overlaps | crossings |\n\
                 |---|---|---|---|---|---|---|",
                graph.nodes,
                graph.edges.len()
            );
            for who in &everybody {
                let score = score(&graph, &places[who], side);
                println!(
                    "| {} | {:.0} | {} | {:.4} | {:.2} | {} | {} |",
                    who.name(),
                    median(&mut times.get(who).cloned().unwrap_or_default()),
                    times[who].len(),
                    score.stress,
                    score.deviation,
                    score.overlaps,
                    score.crossings
                );
            }
            for what in [None, Some(Layout::Stress)] {
                ensure!(
                    places[&Who::Ours(what)] == places[&Who::OursWasm(what)],
                    "{name}: server and browser draw different pictures"
                );
            }
        }
        println!("\nServer and browser drew the same pictures, to the last bit.");
        Ok(())
    }

    /// Our layouts among themselves.
    fn ours_alone(&self) -> Result<()> {
        println!(
            "\n| ms of processor | 1k | 1k, WebAssembly | 10k | 10k, WebAssembly |\n|---|---|---|---|---|"
        );
        for layout in Layout::ALL.into_iter().skip(1) {
            let mut row = vec![layout.to_string()];
            for name in ["data centre 1k", "data centre 10k"] {
                let graph = graphs::by_name(name).context("no such graph")?;
                let file = self.write(name, &graph, 0.0)?;
                for who in [Who::Ours(Some(layout)), Who::OursWasm(Some(layout))] {
                    let mut times = Vec::new();
                    for _ in 0..3 {
                        times.push(self.ask(who, name, &graph, &file)?.ms);
                    }
                    row.push(format!("{:.0}", median(&mut times)));
                }
            }
            println!("| {} |", row.join(" | "));
        }
        for layout in Layout::ALL {
            let mut row = vec![format!("{layout}, a fleet in boxes")];
            for hosts in [83, 830] {
                let mut times = Vec::new();
                for _ in 0..3 {
                    let mut command = Command::new(std::env::current_exe()?);
                    command.args(["ours", &format!("fleet {hosts}"), layout.as_str()]);
                    times.push(answer(&mut command, None)?.ms);
                }
                row.extend([format!("{:.0}", median(&mut times)), String::new()]);
            }
            println!("| {} |", row.join(" | "));
        }
        Ok(())
    }

    /// The graph as a file that the peers read, with the width of a node in mean lines.
    fn write(&self, name: &str, graph: &Graph, side: f32) -> Result<PathBuf> {
        let file = self.scratch.join(name.replace(' ', "-") + ".json");
        let value = serde_json::json!({ "nodes": graph.nodes, "edges": graph.edges, "side": side });
        fs::write(&file, value.to_string())
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    fn ask(&self, who: Who, name: &str, graph: &Graph, file: &Path) -> Result<Answer> {
        let script = |program: &Path, script: &str, more: &[&str]| {
            let mut command = Command::new(program);
            command.arg(self.peers.join(script)).arg(file).args(more);
            command
        };
        let node = |name, more: &[&str]| script(Path::new("node"), name, more);
        let module = self.module.to_string_lossy();
        let mut input = None;
        let mut command = match who {
            Who::Ours(layout) => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["ours", name, layout.map_or("bare", Layout::as_str)]);
                command
            }
            Who::OursWasm(layout) => {
                let index = Layout::ALL.iter().position(|l| Some(*l) == layout);
                let what = index.map_or("bare".to_owned(), |index| index.to_string());
                node("ours.mjs", &[&module, &what])
            }
            Who::D3 => node("d3.mjs", &[]),
            Who::ForceAtlas2 => node("forceatlas2.mjs", &[]),
            Who::Sfdp => script(&self.python, "sfdp.py", &[]),
            Who::SfdpPrism => script(&self.python, "sfdp.py", &["prism"]),
            Who::Sgd2(pivots) => script(&self.python, "sgd2.py", &[&pivots.to_string()]),
            Who::Fmmm => {
                let lines = graph.edges.iter().map(|(a, b)| format!("{a} {b}\n"));
                let head = format!("{} {}\n", graph.nodes, graph.edges.len());
                input = Some(head + &lines.collect::<String>());
                Command::new(self.fmmm.as_ref().context("OGDF was not built")?)
            }
        };
        let answer =
            answer(&mut command, input).with_context(|| format!("{} on {name}", who.name()))?;
        ensure!(
            answer.places.len() == graph.nodes as usize,
            "{} placed {} of {} nodes of {name}",
            who.name(),
            answer.places.len(),
            graph.nodes
        );
        Ok(answer)
    }
}

/// Runs a program and reads `{"ms": …, "places": [[x, y], …]}` from it.
fn answer(command: &mut Command, input: Option<String>) -> Result<Answer> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", command.get_program().to_string_lossy()))?;
    let mut stdin = child.stdin.take();
    if let (Some(stdin), Some(input)) = (&mut stdin, input) {
        stdin.write_all(input.as_bytes())?;
    }
    drop(stdin);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "it failed; what it said is above");
    let value: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("its answer is no JSON")?;
    let number = |value: &serde_json::Value| value.as_f64().unwrap_or(f64::NAN);
    let places = value["places"].as_array().context("no places")?;
    Ok(Answer {
        ms: number(&value["ms"]),
        places: places
            .iter()
            .map(|place| Point {
                x: number(&place[0]) as f32,
                y: number(&place[1]) as f32,
            })
            .collect(),
    })
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
