//! Nothing that was acknowledged is lost when the process is killed.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use history::History;

use crate::{place, row, samples_of, tick};

/// Tells the child where the file is.
const FILE: &str = "HISTORY_CRASH_TEST_FILE";

/// Rows a tick: enough for a transaction to take a while, so that some are cut in the middle.
const ENTITIES: i64 = 500;

/// What entity `r{number}` has at a tick.
fn value(at_ms: i64, number: i64) -> i64 {
    at_ms * 31 + number
}

#[test]
#[ignore = "not a test: the process that kill_minus_nine_loses_nothing_acknowledged kills"]
fn child() {
    let path = PathBuf::from(std::env::var_os(FILE).expect("started by the test beside it"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let history = History::open(&path).await.unwrap();
        let mut at_ms = history.last_tick_ms().await.unwrap().unwrap_or_default();
        loop {
            at_ms += 10_000;
            let rows: Vec<_> = (0..ENTITIES)
                .map(|number| row(&format!("r{number}"), &[("n", value(at_ms, number))]))
                .collect();
            history.append(tick(at_ms, rows)).await.unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "acknowledged {at_ms}").unwrap();
            out.flush().unwrap();
        }
    });
}

#[test]
fn kill_minus_nine_loses_nothing_acknowledged() {
    let (_directory, path) = place();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut acknowledged = Vec::new();
    for round in 1..=5_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child", "--ignored", "--nocapture"])
            .env(FILE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let before = acknowledged.len();
        let mut note = |line: String| {
            if let Some(at_ms) = line.strip_prefix("acknowledged ") {
                acknowledged.push(at_ms.parse::<i64>().unwrap());
            }
            acknowledged.len()
        };
        while note(
            lines
                .next()
                .expect("the child goes on until killed")
                .unwrap(),
        ) < before + 10
        {}
        // Somewhere in a transaction, elsewhere in each round.
        std::thread::sleep(std::time::Duration::from_micros(700 * round));
        child.kill().unwrap();
        // What it had said before it died counts.
        for line in lines {
            note(line.unwrap());
        }
        child.wait().unwrap();

        runtime.block_on(async {
            let history = History::open(&path).await.unwrap();
            let last = history.last_tick_ms().await.unwrap().unwrap();
            assert!(last >= *acknowledged.last().unwrap(), "round {round}");
            for number in [0, ENTITIES / 2, ENTITIES - 1] {
                let query = samples_of(&format!("r{number}"), "n", last);
                let series = history.query(&query).await.unwrap();
                for at_ms in &acknowledged {
                    let point = series.points.iter().find(|point| point.at_ms == *at_ms);
                    let expected = Some(value(*at_ms, number) as f64);
                    assert_eq!(point.unwrap().value, expected, "round {round}, {at_ms} ms");
                }
                // Of a tick that was cut there is nothing, for no entity.
                let latest = history
                    .latest(&format!("r{number}"))
                    .await
                    .unwrap()
                    .unwrap();
                assert_eq!(latest.at_ms, last, "round {round}");
            }
            history.close().await;
        });
    }
    assert!(acknowledged.len() >= 50);
}
