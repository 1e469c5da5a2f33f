//! The history as its users see it: a file, appended to, asked, and killed.

mod crash;
mod file;
mod model;
mod store;

use std::path::PathBuf;

use history::{Aggregation, Query, Row, Tick};
use tempfile::TempDir;

/// A directory of the test's own, and the path of a history file in it.
fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.db");
    (directory, path)
}

fn row(entity: &str, values: &[(&str, i64)]) -> Row {
    Row {
        entity: entity.to_owned(),
        simulated: false,
        values: values
            .iter()
            .map(|&(metric, value)| (metric.to_owned(), value))
            .collect(),
    }
}

fn tick(at_ms: i64, rows: impl Into<Vec<Row>>) -> Tick {
    Tick {
        at_ms,
        rows: rows.into(),
    }
}

/// Everything of one metric up to a time, one bucket a sample at a spacing of ten seconds.
fn samples_of(entity: &str, metric: &str, end_ms: i64) -> Query {
    Query {
        entity: entity.to_owned(),
        metric: metric.to_owned(),
        start_ms: 0,
        end_ms,
        step_ms: 10_000,
        aggregation: Aggregation::Last,
        interval_ms: 10_000,
    }
}
