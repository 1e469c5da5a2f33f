//! The life of the file: made, reopened, refused.

use std::path::Path;

use history::{Error, History};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::{place, row, tick};

async fn database(path: &Path, statement: &'static str) {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(statement)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_closed_file_goes_on_where_it_ended() {
    let (directory, path) = place();
    for at in 1..=3 {
        let history = History::open(&path).await.unwrap();
        let expected = (at > 1).then_some((at - 1) * 10_000);
        assert_eq!(history.last_tick_ms().await.unwrap(), expected);
        history
            .append(tick(at * 10_000, [row("r1", &[("n", at)])]))
            .await
            .unwrap();
        history.close().await;
    }
    // Closed cleanly, the file is one file.
    let files: Vec<_> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["history.db"]);
}

#[test]
fn a_file_that_was_dropped_without_closing_has_every_acknowledged_tick() {
    let (_directory, path) = place();
    for at in 1..=3 {
        // The run time goes away with the writer and all that it holds.
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let history = runtime.block_on(async {
            let history = History::open(&path).await.unwrap();
            assert_eq!(
                history.last_tick_ms().await.unwrap(),
                (at > 1).then_some(at - 1)
            );
            history
                .append(tick(at, [row("r1", &[("n", at)])]))
                .await
                .unwrap();
            history
        });
        drop(runtime);
        drop(history);
    }
}

#[tokio::test]
async fn a_newer_format_is_refused_with_a_sentence_and_left_alone() {
    let (_directory, path) = place();
    History::open(&path).await.unwrap().close().await;
    database(&path, "PRAGMA user_version = 7").await;
    let before = std::fs::read(&path).unwrap();
    let error = History::open(&path).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::NewerFormat {
                found: 7,
                known: 1,
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error.to_string().contains("start the newer program"),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn another_programs_database_is_refused_and_left_alone() {
    let (_directory, path) = place();
    database(&path, "CREATE TABLE tick (mine TEXT)").await;
    let before = std::fs::read(&path).unwrap();
    let error = History::open(&path).await.unwrap_err();
    assert!(matches!(error, Error::NotHistory { .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn what_is_no_database_is_refused_by_name() {
    let (directory, path) = place();
    std::fs::write(
        &path,
        "a shopping list, long enough to be taken for a header of SQLite's own, \
        which begins with its name and goes on for a hundred bytes",
    )
    .unwrap();
    for path in [
        path,
        directory.path().to_owned(),
        directory.path().join("none/history.db"),
    ] {
        let error = History::open(&path).await.unwrap_err();
        assert!(matches!(error, Error::Open { .. }), "{error}");
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_empty_file_is_as_good_as_none() {
    let (_directory, path) = place();
    std::fs::write(&path, "").unwrap();
    let history = History::open(&path).await.unwrap();
    history.append(tick(1, [])).await.unwrap();
    history.close().await;
}
